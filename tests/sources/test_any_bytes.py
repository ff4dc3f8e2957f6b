"""Any bytes, and tables of strange values: nothing lost, and no traceback.

``tests/fuzz.py`` looks for more of the first kind, for as long as it may.
"""

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import LONGEST_DURATION
from sources import ReadOptions
from sources.parquet_reader import read_parquet
from tests.examples import examples
from tests.fuzz import NAMES, Row, check, in_blocks, options_of, outcome, same, seeds

HEADER = b"user_id,page,duration,timestamp\n"
ROW = {"user_id": "ann", "page": "/a", "duration": 1, "timestamp": "2024-01-01"}
OPTIONS = ReadOptions(allow_left_out=True)
EPOCH = datetime(1970, 1, 1)

often = examples(150)
slowly = examples(12)


@contextmanager
def a_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def read(data: bytes, name: str, options: ReadOptions = OPTIONS) -> str | list[Row]:
    with a_folder() as folder:
        (folder / name).write_bytes(data)
        return outcome(folder / name, options)


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


KINDS = ("csv", "json", "parquet", "packed", "log")
SEEDS = [seed for kind in KINDS for seed in seeds(kind)]


@st.composite
def near_seeds(draw: st.DrawFn) -> bytes:
    """Small valid files with some bytes replaced, put in or taken away."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 9)))
        data[start:end] = draw(st.binary(max_size=6))
    return bytes(data)


@often
@given(
    st.one_of(st.binary(max_size=200), near_seeds()),
    st.sampled_from([name for name in NAMES if not name.endswith(("xlsx", "ods"))]),
    st.integers(0, 99_999).map(options_of),
    st.sampled_from((0, 1, 2, 3, 7, 64)),
)
def test_any_bytes_are_rows_that_add_up_or_refused_in_a_line(
    data: bytes, name: str, options: ReadOptions, how: int
) -> None:
    with a_folder() as folder:
        check(folder, data, name, options, how)


# Found by the fuzzer, or on the way to it.
@pytest.mark.parametrize(
    ("data", "name", "n_rows"),
    [
        (zipped(**{f"{'1' * 5_000}.csv": HEADER + b"a,b,1,2024-01-01"}), "a.zip", 1),
        (f"[{json.dumps(ROW)},{'[' * 600}{']' * 600}]".encode(), "a.json", 1),
    ],
)
def test_reads_what_was_a_traceback(data: bytes, name: str, n_rows: int) -> None:
    with a_folder() as folder:
        for how in (0, 1, 7):
            check(folder, data, name, OPTIONS, how)
    assert len(read(data, name)) == n_rows


def test_a_mark_within_a_table_is_part_of_a_name() -> None:
    rows = HEADER + "\ufeffann,/a,1,2024-01-01\n\ufeff,/a,1,2024-01-01\n".encode()
    for size in (2, 31, 1 << 20):
        with in_blocks(size):
            users = [row[0] for row in read(rows, "a.csv")]
        assert users == ["\ufeffann", "\ufeff"]


def test_short_memory_is_told_as_that_and_not_as_a_fault_of_a_parquet_file() -> None:
    def choose(names: Sequence[str]) -> list[int]:
        raise pa.ArrowMemoryError("malloc of size 8 failed")

    file = io.BytesIO()
    pa.parquet.write_table(pa.table({"a": [1]}), file)
    with pytest.raises(MemoryError, match=r"^malloc"):
        list(read_parquet(file, choose, OPTIONS))


def test_names_within_zip_files_are_told_in_one_line() -> None:
    with a_folder() as folder:
        check(folder, zipped(**{"a\r\nb.csv": b"x"}), "a.zip", OPTIONS, 0)
    assert "/a\\r\\nb.csv: no column" in read(zipped(**{"a\r\nb.csv": b"x"}), "a.zip")


special = st.sampled_from(
    (
        *("NA", "null", "NaN", "-", "=1+1", "'", '"', '""', "\\", '\\"', ",", ";"),
        *("#", " a ", "1.0", "1e5", "01", "\u2028", "\u200b", "\ufeff", "a\x1cb"),
        *("true", "{}", "[]", "\t", "é", "\U0001f600", "<script>", "x" * 300, ""),
    )
)


def names(excluded: str = "\0") -> st.SearchStrategy[str]:
    letters = st.characters(exclude_categories=["Cs"], exclude_characters=excluded)
    clean = special.map(lambda text: "".join(c for c in text if c not in excluded))
    return st.one_of(clean, st.text(letters, max_size=6))


seconds = st.one_of(
    st.none(),
    st.sampled_from((0.0, 5e-324, 0.1, 1e-07, LONGEST_DURATION, 1e9, 123_456.789)),
    st.integers(0, 10**9).map(float),
    st.floats(0, LONGEST_DURATION),
)
times = st.datetimes(datetime.min, datetime.max)


def tables(
    texts: st.SearchStrategy[str], times: st.SearchStrategy[datetime] = times
) -> st.SearchStrategy[list[tuple[str, str, float | None, datetime]]]:
    return st.lists(st.tuples(texts, texts, seconds, times), min_size=1, max_size=8)


def usable(rows: Sequence[tuple[str, str, float | None, datetime]]) -> list[Any]:
    return [row for row in rows if row[0].strip() and row[1].strip()]


def agrees(found: str | list[Row], rows: Sequence[Any]) -> None:
    """Assert that each row that can be used was found, as it is."""
    expected = usable(rows)
    if expected:
        assert found == expected
    else:
        assert "no usable row" in found


@often
@given(st.data())
def test_csv_of_any_dialect_keeps_every_row(data: st.DataObject) -> None:
    delimiter, end = data.draw(st.sampled_from(",;\t|")), data.draw(ends)
    escape = data.draw(st.booleans())
    quotes_all = data.draw(st.booleans())
    encoding = data.draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16")))
    # Python before 3.13 writes a carriage return without quotation marks.
    rows = data.draw(tables(names("\0" if quotes_all or end == "\r\n" else "\0\r")))
    file = io.StringIO(newline="")
    writer = csv.writer(
        file,
        delimiter=delimiter,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if quotes_all else csv.QUOTE_MINIMAL,
        doublequote=not escape,
        escapechar="\\" if escape else None,
    )
    writer.writerow(ROW)
    writer.writerows((*row[:3], row[3].isoformat()) for row in rows)
    options = ReadOptions(decimal=".", escape=escape, allow_left_out=True)
    text = file.getvalue().encode(encoding)
    found = read(text, "a.csv", options)
    agrees(found, rows)
    with in_blocks(data.draw(st.integers(2, 99))):
        assert same(found, read(text, "a.csv", options))


ends = st.sampled_from(("\n", "\r\n"))


@often
@given(st.data())
def test_json_of_any_form_keeps_every_row(data: st.DataObject) -> None:
    rows = data.draw(tables(names("")))
    in_ascii = data.draw(st.booleans())
    objects = [
        dict(zip(ROW, (*row[:3], row[3].isoformat()), strict=True)) for row in rows
    ]
    if data.draw(st.booleans()):
        indent = data.draw(st.sampled_from((None, 1)))
        text = json.dumps(objects, ensure_ascii=in_ascii, indent=indent)
        if data.draw(st.booleans()):
            text = f'{{"meta": {{"n": [1, 2]}}, "data": {text}}}'
    else:
        between = data.draw(ends)
        text = between.join(json.dumps(each, ensure_ascii=in_ascii) for each in objects)
    found = read(text.encode(), "a.json")
    agrees(found, rows)
    with in_blocks(data.draw(st.integers(17, 99))):
        assert same(found, read(text.encode(), "a.json"))


_NAME_TYPES = (
    *(pa.string(), pa.large_string(), pa.string_view(), pa.binary()),
    *(pa.large_binary(), pa.dictionary(pa.int32(), pa.string())),
    pa.dictionary(pa.int8(), pa.large_string()),
)


@often
@given(st.data())
def test_parquet_of_any_type_keeps_every_row(data: st.DataObject) -> None:
    unit, kind = data.draw(
        st.sampled_from(
            (
                *(("us", pa.string()), ("us", pa.timestamp("us")), ("s", pa.int64())),
                *(("ms", pa.timestamp("ms", "Asia/Tokyo")), ("us", pa.large_string())),
            )
        )
    )
    step = {"us": timedelta.resolution, "ms": timedelta(milliseconds=1)}.get(
        unit, timedelta(seconds=1)
    )
    first, last = datetime.min - EPOCH, datetime.max - EPOCH
    if kind == pa.int64():
        # Numbers are times since 1970 within some decades alone.
        first, last = timedelta(days=7_305), timedelta(days=20_000)
    moments = st.integers(-(-first // step), last // step).map(
        lambda n: EPOCH + n * step
    )
    rows = data.draw(tables(names(""), moments))
    users, pages, durations, starts = zip(*rows, strict=True)
    values: Sequence[Any] = [(time - EPOCH) // step for time in starts]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values = [time.isoformat() for time in starts]
    columns = [_names(data, users), _names(data, pages), pa.array(durations)]
    if columns[2].type == pa.null() or data.draw(st.booleans()):
        columns[2] = pa.array(durations, pa.float64())
    table = pa.Table.from_arrays([*columns, pa.array(values, kind)], list(ROW))
    file = io.BytesIO()
    pa.parquet.write_table(
        table,
        file,
        row_group_size=data.draw(st.integers(1, 8)),
        compression=data.draw(st.sampled_from(("none", "snappy", "zstd"))),
        use_dictionary=data.draw(st.booleans()),
        data_page_version=data.draw(st.sampled_from(("1.0", "2.0"))),
        store_schema=data.draw(st.booleans()),
    )
    agrees(read(file.getvalue(), "a.parquet"), rows)


def _names(data: st.DataObject, texts: Sequence[str]) -> pa.Array:
    kind = data.draw(st.sampled_from(_NAME_TYPES))
    if pa.types.is_dictionary(kind):
        return pa.array(texts, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(texts, pa.string()).cast(kind)


printable_rows = tables(
    names("".join(map(chr, range(32)))),
    times.map(lambda t: datetime(2000 + t.year % 100, t.month, t.day % 28 + 1, t.hour)),
)


@slowly
@given(printable_rows)
def test_spreadsheets_keep_every_row(rows: list[Any]) -> None:
    pytest.importorskip("python_calamine")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    # It writes 16 digits.
    rows = [(*row[:2], row[2] and float(f"{row[2]:.16G}"), row[3]) for row in rows]
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet.write_row(0, 0, list(ROW))
    for n, (user, page, duration, time) in enumerate(rows, 1):
        sheet.write_string(n, 0, user)
        sheet.write_string(n, 1, page)
        if duration is not None:
            sheet.write_number(n, 2, duration)
        sheet.write_datetime(n, 3, time, date)
    book.close()
    agrees(read(file.getvalue(), "a.xlsx"), rows)
