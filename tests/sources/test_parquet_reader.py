import io
import os
import uuid
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import read_sessions
from sources.inputs import peek
from sources.options import ReadOptions
from sources.origin import BadInput, NoSuchColumns
from sources.parquet_reader import is_parquet, read_parquet
from sources.parts import Part
from tests.sources.conftest import parquet

TEXT = pa.dictionary(pa.int32(), pa.string())


def choosing(*wanted: str) -> Any:
    def choose(names: Sequence[str]) -> list[int]:
        if missing := {*wanted} - {*names}:
            raise NoSuchColumns(f"no {sorted(missing)} in {list(names)}")
        return [list(names).index(name) for name in wanted]

    return choose


def packed(table: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    pa.parquet.write_table(table, file, **options)
    return file.getvalue()


def parts(data: bytes, *wanted: str) -> list[Part]:
    stream = io.BytesIO(data)
    return list(read_parquet(stream, choosing(*wanted), ReadOptions()))


def read(data: bytes, *wanted: str) -> pa.Table:
    return pa.concat_tables(part.table for part in parts(data, *wanted))


def problem(data: bytes, *wanted: str) -> str:
    """What is said of a file; nothing where it can be read."""
    try:
        parts(data, *wanted)
    except BadInput as error:
        return str(error)
    return ""


def test_reads_the_wanted_columns_in_their_order() -> None:
    table = pa.table(
        {"n": [1, 2], "x": [0, 0], "page": ["a", "b"], "user": ["u", None]}
    )
    (part,) = parts(packed(table), "user", "page", "n")
    assert part.table.to_pydict() == {"0": ["u", None], "1": ["a", "b"], "2": [1, 2]}
    assert part.table.schema.types == [TEXT, TEXT, pa.int64()]
    assert [part.locate(i) for i in range(2)] == ["row 1", "row 2"]
    assert part.form == "Parquet"
    assert is_parquet(packed(table)[:4])


def test_reads_pipes() -> None:
    _, pipe = peek(io.BytesIO(packed(pa.table({"a": [1]}))), 4)
    (part,) = read_parquet(pipe, choosing("a"), ReadOptions())
    assert part.table.to_pydict() == {"0": [1]}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5, None], pa.float64()),
        ([2**64 - 1, 0], pa.uint64()),
        ([b"\xff", None], pa.binary()),
        ([b"0123456789abcdef"] * 2, pa.binary(16)),
        ([Decimal("1.50"), None], pa.decimal128(9, 2)),
        ([date(2024, 1, 2), None], pa.date32()),
        ([time(1, 2, 3), None], pa.time64("us")),
        ([datetime(2024, 1, 2), None], pa.timestamp("ns")),
        ([datetime(2024, 1, 2), None], pa.timestamp("ms", "Europe/Berlin")),
        ([True, None], pa.bool_()),
        ([None, None], pa.null()),
        ([["a"], None], pa.list_(pa.string())),
        ([5, None], pa.duration("ms")),
    ],
)
def test_types_stay_as_they_are(values: list[Any], kind: pa.DataType) -> None:
    column = pa.array(values, kind)
    table = read(
        packed(pa.table({"a": column, "b": column, "c": column})), "a", "b", "c"
    )
    assert table.schema.types == [kind] * 3
    assert table.column(2).to_pylist() == column.to_pylist()


def test_uuids_and_old_timestamps_are_read() -> None:
    one = uuid.UUID(int=1)
    column = pa.array([one.bytes], pa.uuid())
    assert read(packed(pa.table({"a": column})), "a")["0"].to_pylist() == [one]
    times = pa.table({"a": pa.array([datetime(2024, 1, 2)], pa.timestamp("ns"))})
    data = packed(times, use_deprecated_int96_timestamps=True)
    assert read(data, "a")["0"].type == pa.timestamp("ns")


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        TEXT,
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.large_string()),
    ],
)
def test_the_first_two_texts_have_dictionaries(kind: pa.DataType) -> None:
    column = pa.array(["a", None, "a"]).cast(pa.string())
    column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column
    if not pa.types.is_dictionary(kind) or kind.index_type == pa.int32():
        column = column.cast(kind)
    data = packed(pa.table({"a": column, "b": column, "c": column}))
    table = read(data, "a", "b", "c")
    assert table.schema.types[:2] == [TEXT, TEXT]
    assert not pa.types.is_dictionary(table.schema.types[2])
    assert table.column(2).to_pylist() == ["a", None, "a"]


def test_texts_that_hardly_repeat_are_read_too() -> None:
    users = [f"{i:064}" for i in range(300_000)]
    data = packed(pa.table({"a": users, "b": users}))
    first, second = parts(data, "a", "b")
    assert first.table["0"].to_pylist() == users[: 1 << 18]
    assert len(second.table["0"].chunk(0).dictionary) == 300_000 - (1 << 18)
    assert second.locate(0) == f"row {(1 << 18) + 1}"


def test_fields_of_structs_have_dotted_names() -> None:
    kind = pa.struct({"url": pa.string(), "in": pa.struct({"n": pa.int64()})})
    values = [{"url": "x", "in": {"n": 1}}, None, {"url": None, "in": None}]
    data = packed(pa.table({"p": pa.array(values, kind), "q": [1, 2, 3]}))
    table = read(data, "p.url", "q", "p.in.n")
    assert table.schema.types == [TEXT, pa.int64(), pa.int64()]
    assert table["0"].to_pylist() == ["x", None, None]
    assert table["2"].to_pylist() == [1, None, None]
    names = "no ['p'] in ['p.url', 'p.in.n', 'q']"
    assert problem(data, "p") == names


def test_one_name_of_two_columns_is_refused() -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
    assert problem(packed(twice), "a") == "more than one column 'a'"
    both = pa.table({"a.b": [1], "a": [{"b": 2}], "c": [3]})
    assert problem(packed(both), "a.b") == "more than one column 'a.b'"
    assert read(packed(both), "c")["0"].to_pylist() == [3]


def test_a_file_without_rows_has_an_empty_part() -> None:
    empty = pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.int64())})
    groupless = io.BytesIO()
    pa.parquet.ParquetWriter(groupless, empty.schema).close()
    for data in (packed(empty), groupless.getvalue()):
        (part,) = parts(data, "a", "b")
        assert (len(part.table), part.table.schema.types) == (0, [TEXT, pa.int64()])


def test_text_that_is_not_utf_8_is_refused() -> None:
    bad = pa.array([b"ok", b"\xff"]).view(pa.string())
    for column in (bad, pa.DictionaryArray.from_arrays(pa.array([0, 1]), bad)):
        data = packed(pa.table({"a": column, "b": [1, 2]}))
        assert "UTF8" in problem(data, "a")
        assert "UTF8" in problem(data, "b", "b", "a")
        assert not problem(data, "b")


GOOD = packed(
    pa.table({"a": ["x", "y"] * 50, "b": list(range(100)), "s": [{"c": 1.5}] * 100}),
    row_group_size=40,
)


@pytest.mark.parametrize(
    "data",
    [b"", b"PAR1", b"PAR1PAR1", b"PAR1" + b"\0" * 50, GOOD[:-1], GOOD[4:] + b"x"],
)
def test_says_in_a_line_that_a_file_is_damaged(data: bytes) -> None:
    assert problem(data, "a").startswith("cannot be read as Parquet (")


def test_says_that_a_file_is_encrypted() -> None:
    data = b"PARE" + b"\0" * 100 + (50).to_bytes(4, "little") + b"PARE"
    assert is_parquet(data)
    words = "an encrypted Parquet file; decrypt it first"
    assert problem(data, "a") == words


def test_says_that_a_file_was_cut_while_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    values = pa.table({"a": [os.urandom(8) for _ in range(600_000)]})
    pa.parquet.write_table(values, path, row_group_size=300_000)
    with path.open("rb") as stream:
        found = read_parquet(stream, choosing("a"), ReadOptions())
        next(found)
        os.truncate(path, 1000)
        with pytest.raises(BadInput, match="cannot be read as Parquet"):
            list(found)


@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)),
        min_size=1,
        max_size=4,
    )
)
def test_damaged_files_are_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for at, value in changes:
        data[at] = value
    assert "\n" not in problem(bytes(data), "a", "b", "s.c")


@given(st.binary())
def test_any_bytes_are_refused(data: bytes) -> None:
    for bytes_ in (data, b"PAR1" + data + b"PAR1"):
        assert problem(bytes_, "a")


@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int8(), pa.string())])
def test_what_the_points_of_texts_are_is_not_guessed(
    tmp_path: Path, kind: pa.DataType
) -> None:
    def read(*values: object) -> list[float]:
        path = parquet(tmp_path / "views.parquet", duration=pa.array(values, kind))
        (table,) = read_sessions([path]).tables
        found: list[float] = table["duration"].tolist()
        return found

    assert read("1.234", "2.5") == [1.234, 2.5]
    assert read("1.234", "2,5") == [1234, 2.5]
    with pytest.raises(BadInput, match=r"durations are ambiguous: row 1: '1.234'"):
        read("1.234", "2")
