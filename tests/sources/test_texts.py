import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.origin import BadInput
from sources.texts import as_text, read_names

SOME = UUID("287469dc-9037-4aeb-85d6-3e5837e760dc")


def column(values: list[Any], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    """All values twice, in two chunks."""
    return pa.chunked_array([pa.array(values, kind)] * 2)


def names(column: pa.ChunkedArray) -> list[str | None]:
    found = read_names(column, "user", lambda row: f"row {row + 1}")
    assert found.type == pa.dictionary(pa.int32(), pa.string())
    found.validate(full=True)
    every = found.dictionary.to_pylist()
    assert len(set(every)) == len(every)
    assert None not in every
    listed: list[str | None] = found.to_pylist()
    return listed


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["b", "a", "b", None], None, ["b", "a", "b", None]),
        (["", " ", "\t", "\u00a0\u2003"], None, [None] * 4),
        (
            ["NA", "null", "007", " x ", "1e5"],
            None,
            ["NA", "null", "007", " x ", "1e5"],
        ),
        (["a", "", None], pa.large_string(), ["a", None, None]),
        (["a", "", None], pa.string_view(), ["a", None, None]),
        ([1, None, 2**62], pa.int64(), ["1", None, str(2**62)]),
        ([2**64 - 1], pa.uint64(), [str(2**64 - 1)]),
        ([1.0, -0.0, 0.0, math.nan, None], pa.float64(), ["1", "0", "0", None, None]),
        ([2.0**53 - 1, -5.0], pa.float64(), [str(2**53 - 1), "-5"]),
        ([2.0**24 - 1], pa.float32(), [str(2**24 - 1)]),
        ([Decimal("12.00"), Decimal("12.50")], pa.decimal128(5, 2), ["12", "12.50"]),
        (
            [Decimal("0"), Decimal("1e-20")],
            pa.decimal128(38, 20),
            ["0", f"0.{'0' * 19}1"],
        ),
        ([Decimal(10) ** 37, None], pa.decimal128(38, 0), ["1" + "0" * 37, None]),
        ([Decimal("12000")], pa.decimal128(5, -3), ["12000"]),
        ([Decimal("7.00"), None], pa.decimal64(12, 2), ["7", None]),
        ([True, False, None], pa.bool_(), ["true", "false", None]),
        ([b"abc", b" ", b"\xff\x00", None], pa.binary(), ["abc", None, "ff00", None]),
        ([SOME.bytes, "Ü".encode()], pa.large_binary(), [str(SOME), "Ü"]),
        ([SOME.bytes, b"a" * 16], pa.binary(16), [str(SOME), str(UUID("61" * 16))]),
        ([b"abcd", b"\xff" * 4], pa.binary(4), ["abcd", "ffffffff"]),
        ([SOME.bytes, None], pa.uuid(), [str(SOME), None]),
        ([None], pa.null(), [None]),
        ([], pa.string(), []),
    ],
)
def test_names_of_each_type(
    values: list[Any], kind: pa.DataType, expected: list[str | None]
) -> None:
    assert names(column(values, kind)) == expected * 2
    assert names(pa.chunked_array([], column(values, kind).type)) == []
    one = column(values, kind)
    if str(one.type) not in ("null", "extension<arrow.uuid>", "decimal64(12, 2)"):
        assert names(one.dictionary_encode()) == expected * 2


def test_dictionaries_of_any_kind() -> None:
    indices = pa.array([0, 1, 2, None, 3], pa.int8())
    each = pa.DictionaryArray.from_arrays(indices, pa.array([None, "a", "a", " "]))
    other = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array(["b"]))
    found = [None, "a", "a", None, None, "b"]
    assert names(pa.chunked_array([each, other])) == found
    many = [[f"user {i}" for i in range(start, start + 100)] for start in (0, 50)]
    small = pa.dictionary(pa.int8(), pa.string())
    chunks = [pa.array(each).dictionary_encode().cast(small) for each in many]
    assert names(pa.chunked_array(chunks)) == [*many[0], *many[1]]


def test_text_that_is_no_utf_8_is_told_apart() -> None:
    offsets = np.array([0, 1, 2, 3], np.int32).tobytes()
    buffers = (pa.py_buffer(offsets), pa.py_buffer(b"\xff\xfea"))
    broken = pa.chunked_array([pa.StringArray.from_buffers(3, *buffers)])
    assert names(broken) == ["ff", "fe", "a"]


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([[1]], None, "list<item: int64>"),
        ([{"a": 1}], None, "struct<a: int64>"),
        ([date(2024, 1, 1)], None, "date32[day]"),
        ([datetime(2024, 1, 1)], None, "timestamp[us]"),
        ([timedelta(1)], None, "duration[us]"),
        ([np.float16(1)], pa.float16(), "halffloat"),
    ],
)
def test_types_that_are_no_names(
    values: list[Any], kind: pa.DataType | None, words: str
) -> None:
    with pytest.raises(BadInput) as error:
        read_names(column(values, kind), "page", str)
    message = f"the column of the page holds {words}, where names should be"
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1.5, pa.float64()),
        (2.0**53, pa.float64()),
        (-math.inf, pa.float64()),
        (2.0**24, pa.float32()),
    ],
)
def test_numbers_that_are_no_identifiers(value: float, kind: pa.DataType) -> None:
    with pytest.raises(BadInput) as error:
        names(pa.chunked_array([pa.array([1.0, None], kind), pa.array([value], kind)]))
    assert str(error.value) == (
        f"row 3: {value} in the column of the user is no whole number that is exact, "
        "so it can't be an identifier; store it as text or a whole number"
    )


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["DE", "", " x ", None], None, ["DE", "", " x ", None]),
        ([200, None], None, ["200", None]),
        ([200.0, 1.5, 1e20, math.nan], None, ["200", "1.5", "1e+20", None]),
        ([np.float16(1.5)], pa.float16(), ["1.5"]),
        ([Decimal("200.00")], None, ["200"]),
        ([True, False], None, ["true", "false"]),
        ([date(2024, 3, 1)], None, ["2024-03-01"]),
        ([datetime(2024, 3, 1, 9)], pa.timestamp("ns"), ["2024-03-01 09:00:00"]),
        (
            [datetime(2024, 3, 1, 9)],
            pa.timestamp("us", "UTC"),
            ["2024-03-01 09:00:00Z"],
        ),
        ([datetime(2024, 3, 1, 9, 0, 0, 10_500)], None, ["2024-03-01 09:00:00.0105"]),
        ([datetime(2024, 3, 1, 9, 0, 10)], pa.timestamp("s"), ["2024-03-01 09:00:10"]),
        ([time(9, 0)], None, ["09:00:00"]),
        ([SOME.bytes], pa.uuid(), [str(SOME)]),
        ([None], None, [None]),
        ([], pa.string(), []),
    ],
)
def test_text_to_compare_with(
    values: list[Any], kind: pa.DataType | None, expected: list[str | None]
) -> None:
    found = as_text(column(values, kind))
    assert isinstance(found, pa.ChunkedArray)
    assert found.type == pa.string()
    assert found.to_pylist() == expected * 2


def test_lists_have_no_text_to_compare_with() -> None:
    message = "a column that holds list<item: int64> can't be compared with a text"
    with pytest.raises(BadInput) as error:
        as_text(column([[1]]))
    assert str(error.value) == message


def test_blanks_are_what_they_are_in_python() -> None:
    every = [chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000]
    found = names(pa.chunked_array([every]))
    assert found == [None if each.isspace() else each for each in every]


def slow(value: Any) -> str | None:
    """The name that a value is, on its own."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            value = str(UUID(bytes=value)) if len(value) == 16 else value.hex()
    if isinstance(value, float):
        value = None if math.isnan(value) else int(value)
    return str(value) if value is not None and str(value).strip() else None


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
BYTES = st.binary(max_size=4) | st.binary(min_size=16, max_size=16)
WHOLE = st.integers(1 - 2**53, 2**53 - 1).map(float) | st.just(math.nan)

KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.string(), TEXT | st.sampled_from(["", " ", "a", "NA"])),
    (pa.binary(), BYTES),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.float64(), WHOLE | st.sampled_from([0.0, -0.0, 1.0])),
]


@given(
    st.one_of(
        *[
            st.tuples(st.just(kind), st.lists(st.lists(st.none() | values), max_size=3))
            for kind, values in KINDS
        ]
    ),
    st.booleans(),
)
def test_names_are_read_as_slowly(
    drawn: tuple[pa.DataType, list[list[Any]]], as_dictionary: bool
) -> None:
    kind, parts = drawn
    chunks = [pa.array(part, kind) for part in parts]
    if as_dictionary:
        chunks = [chunk.dictionary_encode() for chunk in chunks]
        kind = pa.dictionary(pa.int32(), kind)
    found = names(pa.chunked_array(chunks, kind))
    assert found == [slow(value) for part in parts for value in part]
