import gzip
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from sources import BadInput, Origin, ReadOptions, read_sessions
from sources.csv_reader import BLOCK_SIZE
from tests.examples import some_of
from tests.sources.conftest import Write, parquet

HEADER = "user_id,page,duration,timestamp\n"
GOOD = "ann,home,10,2024-01-01\n"

# Without the time of day, by which the names of tests would differ between processes.
packed = partial(gzip.compress, mtime=0)


def read(*paths: Path) -> tuple[pd.DataFrame, Origin]:
    """All tables of the stream as one."""
    stream, origin, _ = read_sessions(paths)
    names = {"user_id": object, "page": object}
    return pd.concat([sessions.astype(names) for sessions in stream]), origin


def rows(*paths: Path) -> list[list[Any]]:
    return read(*paths)[0].astype({"timestamp": str}).to_numpy().tolist()


def left_out(*paths: Path) -> dict[str, int]:
    found = read(*paths)[1].report.left_out
    return {reason: each.rows for reason, each in found.items()}


@pytest.mark.parametrize(
    "text",
    [
        "user_id,page,duration,timestamp\nann,home,10,2024-01-01T10:00:00Z\n",
        "user_id;page;duration;timestamp\nann;home;10;2024-01-01 10:00\n",
        "user_id\tpage\tduration\ttimestamp\nann\thome\t10\t2024-01-01T10:00\n",
        "\ufeffuser_id,page,duration,timestamp\r\nann,home,10,2024-01-01T10:00Z\r\n",
        "timestamp,x,page,y,duration,user_id\n2024-01-01T12:00+02:00,1,home,2,1e1,ann",
        '"user_id", page ,duration,timestamp\n"ann",home,"10",2024-01-01T10:00:00.000Z',
        "user_id,page,duration,timestamp\n\n\nann,home, 10 , 2024-01-01T10:00\n\n",
    ],
)
def test_reads_comma_semicolon_and_tab(write: Write, text: str) -> None:
    for path in (
        write(text),
        write(text, "plain"),
        write(packed(text.encode()), "sessions.csv.gz"),
    ):
        assert rows(path) == [["ann", "home", 10.0, "2024-01-01 10:00:00"]]


@pytest.mark.parametrize(
    "name", ["-8845298781299428018", "007", "NA", "null", "1e5", "None", "nan", " x "]
)
def test_text_comes_through_unchanged(write: Write, name: str) -> None:
    path = write(f"{HEADER}{name},{name},1,2024-01-01\n")
    assert rows(path)[0][:2] == [name, name]


def test_quoted_text_may_hold_anything(write: Write) -> None:
    path = write(HEADER + '"a,""b""\nc",<b>x</b>,1,2024-01-01\nd"e,f,2,2024-01-01\n')
    assert [row[:2] for row in rows(path)] == [['a,"b"\nc', "<b>x</b>"], ['d"e', "f"]]


@pytest.mark.parametrize("text", ["", " ", "NA", "n/a", "NaN", "null", "None"])
def test_unknown_durations_are_unknown(write: Write, text: str) -> None:
    sessions, origin = read(write(f"{HEADER}ann,home,{text},2024-01-01\n"))
    assert sessions["duration"].isna().tolist() == [True]
    assert not origin.report.left_out


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",home,1,2024-01-01", "no user"),
        ("  ,home,1,2024-01-01", "no user"),
        ("ann,,1,2024-01-01", "no page"),
        ("ann,home,-1,2024-01-01", "a negative duration"),
        ("ann,home,-0.001,2024-01-01", "a negative duration"),
        ("ann,home,inf,2024-01-01", "an infinite duration"),
        ("ann,home,1e999,2024-01-01", "an infinite duration"),
        ("ann,home,1e10,2024-01-01", "a duration of over a century"),
        ("ann,home,ten,2024-01-01", "an unreadable duration"),
        ("ann,home,1_000,2024-01-01", "an unreadable duration"),
        ("ann,home,true,2024-01-01", "an unreadable duration"),
        ("ann,home,1,", "an unreadable time"),
        ("ann,home,1,yesterday", "an unreadable time"),
        ("ann,home,1,2024-02-30", "an unreadable time"),
        ("ann,home,1,12121212123", "an unreadable time"),
        ("ann,home,1,2024-01", "an unreadable time"),
        ("ann,home,1,01/02/2024", "an unreadable time"),
        ("ann,home,1", "the wrong number of fields"),
        ("ann,home,1,2024-01-01,5", "the wrong number of fields"),
    ],
)
def test_bad_rows_are_left_out_and_counted(write: Write, row: str, reason: str) -> None:
    path = write(f"{HEADER}{GOOD}{row}\n{GOOD}")
    assert len(rows(path)) == 2
    assert left_out(path) == {reason: 1}


def test_a_row_is_counted_once_and_the_report_reads_well(write: Write) -> None:
    bad = ",,-1,never\n,home,1,2024-01-01\nann,home,x,2024-01-01"
    path = write(f"{HEADER}{GOOD * 3}{bad}")
    _, origin = read(path)
    assert origin.report.left_out_text() == (
        "3 rows left out: 2 with no user, 1 with an unreadable duration"
    )


@pytest.mark.parametrize(
    ("size", "end"),
    some_of(1, [(BLOCK_SIZE - 3, b""), (BLOCK_SIZE, b"\n"), (BLOCK_SIZE + 5, b"")]),
)
def test_large_files_are_read_in_blocks(write: Write, size: int, end: bytes) -> None:
    head = HEADER.encode() + b'"a\n,""b""\nc",home,1,2024-01-01\n,home,1,2024-01-01\n'
    row = b'"x\ny",home,1,2024-01-01\n'
    n = (size + len(HEADER) - len(head)) // len(row)
    # The block ends somewhere in the last row, or between its quotation marks.
    last = b'"z' + b"\n" * (size + len(HEADER) - len(head) - n * len(row)) + b'",q,2,'
    data = head + n * row + last + b"2024-01-02\n" + b"u,v,1\n" + row[:-1] + end
    stream, origin, _ = read_sessions([write(data)])
    sessions = list(stream)
    assert sum(map(len, sessions)) == n + 3
    assert {name for s in sessions for name in s["page"]} == {"home", "q"}
    found = origin.report.left_out
    assert {reason: each.rows for reason, each in found.items()} == {
        "no user": 1,
        "the wrong number of fields": 1,
    }


def test_several_files_are_one_data_set(write: Write) -> None:
    first = write(f"{HEADER}ann,home,1,2024-01-01\nbob,cart,-2,2024-01-01\n", "a.csv")
    second = write(f"{HEADER}cy,home,3,2024-01-02\nann,help,-4,2024-01-02\n", "b.csv")
    sessions, origin = read(first, second)
    assert sessions["user_id"].tolist() == ["ann", "cy"]
    assert sessions["page"].tolist() == ["home", "home"]
    assert origin.name == "a.csv, b.csv"
    assert [each.text() for each in origin.report.left_out.values()] == [
        "2 with a negative duration, such as a.csv, line 3: '-2' "
        "(--negative-is-unknown keeps such rows)"
    ]
    with pytest.raises(BadInput, match=r"a\.csv: named twice"):
        read(first, second, first)


INT64 = -8845298781299428018


@pytest.mark.parametrize(
    ("columns", "first"),
    [
        ({}, ["ann", "home", 1.0, "2024-01-01 12:00:00"]),
        ({"user_id": [INT64, 7]}, [str(INT64), "home", 1.0, "2024-01-01 12:00:00"]),
        (
            {"user_id": pa.array(["NA", "007"]).dictionary_encode()},
            ["NA", "home", 1.0, "2024-01-01 12:00:00"],
        ),
        ({"duration": [5, 6]}, ["ann", "home", 5.0, "2024-01-01 12:00:00"]),
        (
            {"duration": [Decimal("2.5"), None]},
            ["ann", "home", 2.5, "2024-01-01 12:00:00"],
        ),
        ({"duration": ["2.5", "NA"]}, ["ann", "home", 2.5, "2024-01-01 12:00:00"]),
        (
            {"duration": [timedelta(minutes=2), None]},
            ["ann", "home", 120.0, "2024-01-01 12:00:00"],
        ),
        (
            {"timestamp": [datetime(2024, 1, 1, 12, tzinfo=UTC)] * 2},
            ["ann", "home", 1.0, "2024-01-01 12:00:00"],
        ),
        (
            {"timestamp": ["2024-01-01T13:00:00+01:00", "2024-01-02"]},
            ["ann", "home", 1.0, "2024-01-01 12:00:00"],
        ),
        ({"timestamp": [date(2024, 1, 1)] * 2}, ["ann", "home", 1.0, "2024-01-01"]),
        (
            {
                "user_id": pa.array(["ann", "bob"], pa.string_view()),
                "duration": pa.array(["1", ""], pa.large_string()),
                "timestamp": pa.array(["2024-01-01T12"] * 2, pa.string_view()),
            },
            ["ann", "home", 1.0, "2024-01-01 12:00:00"],
        ),
        (
            {"timestamp": pa.array([1704110400] * 2, pa.timestamp("s", "Asia/Tokyo"))},
            ["ann", "home", 1.0, "2024-01-01 12:00:00"],
        ),
    ],
)
def test_reads_parquet(
    tmp_path: Path, columns: dict[str, Any], first: list[Any]
) -> None:
    path = parquet(tmp_path / "sessions.parquet", **columns)
    assert rows(path)[0] == first
    assert not left_out(path)


def test_a_file_without_usable_rows_beside_a_good_one(
    tmp_path: Path, write: Write
) -> None:
    good = write(HEADER + GOOD * 2)
    nobody = pa.array([None, None], pa.null())
    bad = parquet(tmp_path / "bad.parquet", user_id=nobody)
    assert len(rows(good, bad)) == 2
    assert left_out(good, bad) == {"no user": 2}
    never = parquet(tmp_path / "never.parquet", timestamp=nobody)
    assert left_out(good, never) == {"an unreadable time": 2}


def test_one_precise_time_leaves_the_others_readable(write: Write) -> None:
    path = write(
        f"{HEADER}ann,home,1,2024-01-01T00:00:00.123456789Z\nann,home,1,1500-01-01\n"
    )
    assert len(rows(path)) == 2


def test_bad_rows_of_parquet_are_counted_too(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "sessions.parquet", user_id=[None, "bob"], duration=[1.0, 2.0]
    )
    assert left_out(path) == {"no user": 1}
    path = parquet(
        tmp_path / "sessions.parquet",
        timestamp=pa.array([None, 0], pa.timestamp("ms")),
    )
    assert left_out(path) == {"an unreadable time": 1}
    path = parquet(
        tmp_path / "sessions.parquet",
        timestamp=pa.array([0, 10**12], pa.timestamp("s")),
    )
    assert left_out(path) == {"an unreadable time": 1}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"timestamp": [True, False]}, "the column of the time holds bool"),
        ({"duration": [True, False]}, "the column of the duration holds bool"),
        ({"user_id": [1.0, 2.5]}, "row 2: 2.5 in the column of the user"),
        ({"duration": [[1], [2]]}, "the column of the duration holds list"),
        ({"page": [[1], [2]]}, "the column of the page holds list"),
    ],
)
def test_refuses_parquet_of_other_types(
    tmp_path: Path, columns: dict[str, Any], words: str
) -> None:
    path = parquet(tmp_path / "sessions.parquet", **columns)
    with pytest.raises(BadInput, match=words):
        read(path)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", HEADER.encode(), "no usable row (it has no rows)"),
        (
            "a.csv",
            HEADER.encode() + b",,,\n",
            "no usable row (1 with no user, such as line 2)",
        ),
        ("a.csv", b"who,page,timestamp\n1,2,3\n", "no column for the user (looked"),
        (
            "a.csv",
            b"user_id,page,page,duration,timestamp\n",
            "two columns could be the page: page and page",
        ),
        ("a.csv", b"x" * 200_000, "first line cannot be read"),
        ("a.csv", b"PAR1....", "cannot be read as Parquet (Parquet magic"),
        ("a.parquet", HEADER.encode(), "not Parquet, though its name says so"),
        ("a.parquet", b"PAR1 nothing", "cannot be read as Parquet (Parquet magic"),
        ("a.csv.gz", HEADER.encode(), "not gzipped, though its name says so"),
        ("a.csv.gz", packed(HEADER.encode() * 99)[:-9], "gzipped data is dam"),
        ("a.gz", b"\x1f\x8b" + bytes(30), "gzipped data is damaged"),
        ("a.parquet.gz", packed(b"x"), "not Parquet, though its name says so"),
        ("a.csv.gz", packed(b"PAR1"), "cannot be read as Parquet"),
        ("a.csv", b"x," * 600_000, "first line cannot be read (it is over 1 MB)"),
        ("a", b"PK\x03\x04\0\0\0\0", "the zip data is damaged"),
        ("a.csv", "user_id,pagé".encode("latin-1"), "not UTF-8 text"),
        ("a.csv", HEADER.encode("utf-16-le"), "UTF-16 text without its mark"),
        ("a.csv", f"{HEADER}{GOOD}é".encode("latin-1") * 2, "not UTF-8 text"),
        ("a.csv", f'{HEADER}{GOOD}"ann,home,1\n{GOOD}'.encode(), "never closed"),
        ("a.csv", f'{HEADER}{GOOD}a,b,1,"2024\n{GOOD}'.encode(), "never closed"),
        ("a.csv", f'{HEADER}"a{"b" * 9_000_000}'.encode(), "never closed"),
        ("a.csv", f'{HEADER}"a\n{GOOD * 400_000}'.encode(), "never closed"),
    ],
)
def test_refuses_a_file_in_one_line_that_names_it(
    write: Write, name: str, data: bytes, words: str
) -> None:
    path = write(data, name)
    with pytest.raises(BadInput) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_refuses_parquet_with_text_that_is_none(tmp_path: Path) -> None:
    page = pa.array([b"\xff", b"home"]).view(pa.string())
    path = parquet(tmp_path / "sessions.parquet", page=page)
    with pytest.raises(BadInput, match=r"sessions\.parquet: cannot be read"):
        read(path)


def test_refuses_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.csv: No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="the folder has no files"):
        read(tmp_path)


VISITS = "session_id,user_id,page,timestamp,"


def test_a_duration_of_a_visit_in_each_of_its_rows_is_refused(write: Write) -> None:
    """Rows of one visit would be counted as long as the visit, each."""
    data = (
        f"{VISITS}session_duration\ns1,a,/x,2024-03-01 10:00,320\n"
        "s1,a,/y,2024-03-01 10:01,320\ns1,a,/z,2024-03-01 10:03,320\n"
        "s2,a,/x,2024-03-01 12:00,0\ns2,a,/y,2024-03-01 12:01,0\n"
        "s3,b,/x,2024-03-01 12:00,20\n"
    )
    with pytest.raises(BadInput) as caught:
        rows(write(data))
    assert str(caught.value).partition(": ")[2] == (
        "line 2: session_duration is 5 min 20 s in each of the 3 rows with session_id "
        "s1, as if of all of them together, and would be counted 3 times; say "
        "--duration none to derive durations from the next row, or say --duration "
        "session_duration if each row lasted so long"
    )
    for duration, total in (("none", 240), ("session_duration", 980)):
        options = ReadOptions(duration=duration)
        (table,) = read_sessions([write(data)], options).tables
        assert table["duration"].sum() == total


def test_a_duration_that_only_looks_like_that_of_a_visit_is_read(write: Write) -> None:
    """A session_id may be only a user's own, and another name is no evidence."""
    for user, seconds, name in (
        ("a", 5, "session_duration"),
        ("b", 7, "session_duration"),
        ("a", 7, "duration"),
    ):
        data = f"{VISITS}{name}\n1,a,/x,2024-03-01,7\n1,{user},/y,2024-03-01,{seconds}"
        assert [row[2] for row in rows(write(data))] == [7, seconds]


def test_many_durations_show_by_themselves_that_they_are_of_visits(
    write: Write,
) -> None:
    lines = [f"{i},a,/{n},2024-03-01,{i}\n" for i in range(1, 11) for n in range(2)]
    data = f"{VISITS}time_spent\n{''.join(lines)}"
    with pytest.raises(BadInput, match="line 2: time_spent is 1 s in each of the 2"):
        rows(write(data))
    others = "".join(f"{i},a,/,2024-03-01,{n}\n" for i in "xy" for n in range(1, 3))
    assert len(rows(write(data + others))) == 24
    assert len(rows(write(data.replace(",10\n", ",9\n")))) == 20


def test_an_end_of_a_visit_in_each_of_its_rows_is_refused(write: Write) -> None:
    line = "a,/x,2024-03-01 10:00,2024-03-01 10:05\n"
    data = f"user_id,page,session_start,session_end\n{line}{line}"
    words = (
        "line 2: the time to session_end is 5 min in each of the 2 rows with "
        "session_start 2024-03-01 10:00, .*; name the time of each row with --time COL,"
        " or say --end session_end if"
    )
    with pytest.raises(BadInput, match=words):
        rows(write(data))
