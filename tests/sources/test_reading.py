"""Several files as one data set: what is shared, derived, dropped and told."""

import os
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pyarrow as pa
import pytest

from engine.batches import NameCollector
from sources import BadInput, ReadOptions, Report, read_sessions
from tests.sources.conftest import Write, parquet

HEADER = "user_id,page,duration,timestamp\n"
VIEWS = "user_id,page,timestamp\n"


def read(*paths: Path, **options: Any) -> tuple[list[list[Any]], Report]:
    """The sessions (None: unknown) and the report."""
    reading = read_sessions(paths, ReadOptions(**options))
    found = pd.concat(
        [part.astype({"user_id": str, "page": str}) for part in reading.tables]
    )
    found["duration"] = (
        found["duration"].astype(object).where(found["duration"].notna(), None)
    )
    return found.drop(columns="timestamp").to_numpy().tolist(), reading.origin.report


def test_durations_are_derived_across_files_in_any_order(write: Write) -> None:
    later = write(f"{VIEWS}a,p2,2024-01-01 10:05\nb,p1,2024-01-01 10:06\n", "a.csv")
    first = write(f"{VIEWS}b,p0,2024-01-01 10:00\na,p1,2024-01-01 10:00\n", "b.csv")
    rows, report = read(later, first)
    assert rows == [
        ["a", "p2", None],
        ["b", "p1", None],
        ["b", "p0", 360],
        ["a", "p1", 300],
    ]
    assert report.durations.startswith("Durations are derived: the time to the same")


def test_the_visit_gap_is_the_longest_derived_duration(write: Write) -> None:
    path = write(
        f"{VIEWS}a,p,2024-01-01 10:00\na,p,2024-01-01 10:30\na,p,2024-01-01 10:30\n"
        "a,p,2024-01-01 11:00:01\n"
    )
    assert [row[2] for row in read(path)[0]] == [1800, 0, None, None]
    rows, report = read(path, visit_gap=1801)
    assert [row[2] for row in rows] == [1800, 0, 1801, None]
    assert "over 30 min 1 s away" in report.durations
    rows, report = read(path, zero_is_unknown=True, longest=60)
    assert [row[2] for row in rows] == [None, None, None, None]
    assert report.notes == ["2 derived durations taken as unknown, as options say."]


def test_recorded_durations_stand_beside_derived_ones(write: Write) -> None:
    recorded = write(f"{HEADER}a,p,7,2024-01-01 10:01\n", "a.csv")
    views = write(f"{VIEWS}a,q,2024-01-01 10:00\na,r,2024-01-01 10:02\n", "b.csv")
    rows, report = read(recorded, views)
    assert rows == [["a", "p", 7], ["a", "q", 120], ["a", "r", None]]
    assert report.durations.startswith("Durations of b.csv are derived: ")


def test_rows_of_two_files_are_told_and_can_be_dropped(write: Write) -> None:
    first = "a,p,1,2024-01-30\na,p,1,2024-01-30\nb,q,2,2024-01-31\n"
    january = write(f"{HEADER}{first}", "january.csv")
    both = write(f"{HEADER}{first}c,r,3,2024-02-01\n", "both.csv")
    rows, report = read(january, both)
    assert len(rows) == 7
    assert report.notes == [
        "3 rows stand in both january.csv and both.csv, counted twice.",
        "To count them once, add --drop-repeated.",
    ]
    rows, report = read(january, both, drop_repeated=True)
    # What one file has twice may well have happened twice.
    assert rows == [["a", "p", 1], ["a", "p", 1], ["b", "q", 2], ["c", "r", 3]]
    assert report.notes == [
        "3 rows stand in both january.csv and both.csv, counted once."
    ]


def test_repeated_rows_are_dropped_before_durations_are_derived(write: Write) -> None:
    first = write(f"{VIEWS}a,p,2024-01-01 10:00\na,q,2024-01-01 10:01\n", "a.csv")
    second = write(f"{VIEWS}a,q,2024-01-01 10:01\na,r,2024-01-01 10:03\n", "b.csv")
    assert [row[2] for row in read(first, second)[0]] == [60, 0, 120, None]
    rows, _ = read(first, second, drop_repeated=True)
    assert rows == [["a", "p", 60], ["a", "q", 120], ["a", "r", None]]


def test_tables_of_one_zip_are_files_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("january.csv", f"{HEADER}a,p,1,2024-01-30\n")
        archive.writestr(
            "sub/both.csv", f"{HEADER}a,p,1,2024-01-30\nb,p,x,2024-01-30\n"
        )
        archive.writestr("notes.md", "# Export")
    rows, report = read(path)
    assert len(rows) == 2
    assert [file.name for file in report.files] == [
        "export.zip/january.csv",
        "export.zip/sub/both.csv",
    ]
    assert report.notes[0] == (
        "1 row stands in both export.zip/january.csv and export.zip/sub/both.csv, "
        "counted twice."
    )
    assert report.notes[-1] == "Skipped, as they hold no sessions: export.zip/notes.md."
    assert [each.text() for each in report.left_out.values()] == [
        "1 with an unreadable duration, such as export.zip/sub/both.csv, line 3: 'x'"
    ]


def test_names_of_folders_are_columns(tmp_path: Path) -> None:
    for day in ("2024-01-01", "2024-01-02"):
        folder = tmp_path / "views" / f"date={day}" / "country=DE"
        folder.mkdir(parents=True)
        parquet(folder / "part-0.parquet", timestamp=["", ""])
    (tmp_path / "views" / "_SUCCESS").touch()
    reading = read_sessions(
        [tmp_path / "views"], ReadOptions(time="date", where=(("country", "DE"),))
    )
    found = pd.concat(list(reading.tables))
    assert (
        found["timestamp"].astype(str).tolist()
        == ["2024-01-01"] * 2 + ["2024-01-02"] * 2
    )
    assert reading.origin.report.files[0].name == (
        "views/date=2024-01-01/country=DE/part-0.parquet"
    )


def test_rows_that_are_not_asked_for_are_not_left_out(write: Write) -> None:
    path = write(
        "user_id,page,duration,timestamp,event,code\na,p,1,2024-01-01,view,1\n"
        ",,,,click,1\nb,p,x,2024-01-01,view,1\nc,p,1,2024-01-01,view,2\n"
    )
    rows, report = read(path, where=(("event", "view"), ("code", "1")))
    assert rows == [["a", "p", 1]]
    # The place is that in the file.
    assert [each.text() for each in report.left_out.values()] == [
        "1 with an unreadable duration, such as line 4: 'x'"
    ]
    lines = report.sections()[0][1]
    assert lines[1:3] == ["Only rows with event=view.", "Only rows with code=1."]
    assert lines[-1] == "4 rows read, 1 kept, 2 not asked for, 1 left out."
    with pytest.raises(BadInput, match=r"no usable row \(none has event=buy\)"):
        read(path, where=(("event", "buy"),))


def test_more_than_half_left_out_ends_unless_that_is_allowed(write: Write) -> None:
    good, bad = "a,p,1,2024-01-01\n", "a,p,x,2024-01-01\n"
    assert len(read(write(HEADER + good + bad))[0]) == 1
    path = write(HEADER + bad + good + bad)
    with pytest.raises(BadInput) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: more than half of the rows can't be used: 2 with an unreadable "
        "duration, such as line 2: 'x'; --allow-left-out goes on without them"
    )
    assert len(read(path, allow_left_out=True)[0]) == 1


def test_one_row_left_out_is_an_error_where_that_is_asked_for(write: Write) -> None:
    path = write(HEADER + "a,p,1,2024-01-01\n" * 99 + "a,p,x,2024-01-01\n")
    with pytest.raises(BadInput, match="line 101: 'x'; without --strict"):
        read(path, strict=True)


@pytest.mark.parametrize(
    ("n_bad", "alarm"),
    [
        (5, ""),
        (
            6,
            "6 % of the rows can't be used and are left out: 6 with no user, such as "
            "line 96.",
        ),
    ],
)
def test_more_than_a_twentieth_is_alarming(
    write: Write, n_bad: int, alarm: str
) -> None:
    good, bad = "a,p,1,2024-01-01\n", ",p,1,2024-01-01\n"
    _, report = read(write(HEADER + good * (100 - n_bad) + bad * n_bad))
    assert report.alarm() == alarm


def test_merged_pages_are_counted_before_and_after(write: Write) -> None:
    path = write(
        f"{HEADER}a,/x?1,1,2024-01-01\na,/x?2,1,2024-01-01\na,/y,1,2024-01-01\n"
    )
    rows, report = read(path, merge_pages=frozenset({"query"}))
    assert {row[1] for row in rows} == {"/x", "/y"}
    assert report.notes == ["3 pages became 2 by dropping query."]


def test_an_error_says_how_much_was_read_before(write: Write) -> None:
    first = write(f"{HEADER}a,p,1,2024-01-01\n", "a.csv")
    with pytest.raises(BadInput) as caught:
        read(first, first.with_name("none.csv"))
    missing = first.with_name("none.csv")
    words = "No such file or directory (1 row had been read)"
    assert str(caught.value) == f"{missing}: {words}"


@pytest.mark.parametrize("more", [-20_000_000, 17])
def test_a_file_that_changes_while_it_is_read_is_told(write: Write, more: int) -> None:
    path = write(HEADER + "a,p,1,2024-01-01\n" * 2_000_000)
    tables = read_sessions([path]).tables
    next(tables)
    os.truncate(path, path.stat().st_size + more)
    with pytest.raises(BadInput, match=r"it changed while it was read .*rows had been"):
        list(tables)


def test_a_user_column_that_is_mostly_empty_names_another(write: Write) -> None:
    path = write(
        "user_id,anonymous_id,page,timestamp\n,x,p,2024-01-01\n,y,p,2024-01-01\n"
    )
    with pytest.raises(BadInput, match="--user anonymous_id takes another column"):
        read(path)


def test_files_that_are_understood_alike_are_told_together(write: Write) -> None:
    paths = [write(f"{HEADER}a,p,1,2024-01-01\n", f"{n}.csv") for n in range(12)]
    other = write("userId,url,ts\na,p,2024-01-01\n", "z.csv")
    _, report = read(*paths, other)
    headings = [heading for heading, _ in report.sections()]
    assert headings == ["12 files, from 0.csv to 11.csv", "z.csv", "Besides"]
    assert report.sections()[0][1][-1] == "12 rows read, 12 kept."
    assert read_sessions([*paths, other]).origin.name == "0.csv, 1.csv, 11 more"


def test_two_things_that_are_wrong_are_told_at_once(write: Write) -> None:
    header = HEADER.replace(",", ";")
    path = write(f"{header}a;p;1.234;01.05.2024 09:00\n")
    with pytest.raises(BadInput) as caught:
        read(path)
    assert "--decimal" in str(caught.value)
    assert "--time-format '%d.%m.%Y %H:%M'" in str(caught.value)
    rows, _ = read(path, decimal=".", time_format="%d.%m.%Y %H:%M")
    assert rows == [["a", "p", 1.234]]


@pytest.mark.parametrize(
    ("days", "options"),
    [
        (("2024-05-01", "2024-05-02"), {}),
        (("20240501", "20240501"), {"times_in": "Asia/Tokyo"}),
        (("2024-05-01 00:00:00", "2024-05-01 00:00:00"), {}),
        (("2018-11-05", "2018-11-04 00:00:00"), {"times_in": "America/Havana"}),
    ],
)
def test_nothing_is_derived_from_days(
    days: tuple[str, str], options: dict[str, Any], write: Write
) -> None:
    path = write(f"{VIEWS}a,p,{days[0]}\na,q,{days[1]}\na,r,{days[1]}\n")
    rows, report = read(path, **options)
    assert [row[2] for row in rows] == [None] * 3
    assert report.durations == (
        "Durations are unknown: no column has them, and times are days or whole hours, "
        "from which none can be derived."
    )


@pytest.mark.parametrize("time", ["2024-05-{:02}T00:00:00+02:00", "2024-05-01T{:02}"])
def test_nothing_is_derived_from_many_days_or_hours(time: str, write: Write) -> None:
    rows = [f"a,p,{time.format(n % 10 + 1)}\n" for n in range(20)]
    found, report = read(write(VIEWS + "".join(rows)))
    assert [row[2] for row in found] == [None] * 20
    assert report.durations.startswith("Durations are unknown")


def test_derives_where_clocks_change_at_midnight(write: Write) -> None:
    path = write(f"{VIEWS}a,p,2018-11-04 09:00\na,p,2018-11-04 09:01\n")
    assert [row[2] for row in read(path, times_in="America/Sao_Paulo")[0]] == [60, None]


def test_days_of_one_file_leave_another_derived(write: Write) -> None:
    days = write(f"{VIEWS}a,p,2024-05-01\na,q,2024-05-01\n", "days.csv")
    times = write(f"{VIEWS}b,p,2024-05-01 09:00\nb,q,2024-05-01 09:01\n", "b.csv")
    rows, report = read(days, times)
    assert [row[2] for row in rows] == [None, None, 60, None]
    assert report.durations == (
        "Durations of days.csv are unknown: no column has them, and times are days or "
        "whole hours, from which none can be derived. Durations of b.csv are derived: "
        "the time to the same user's next row, unknown where that is over 30 min away "
        "or there is none."
    )


def test_an_end_may_be_a_word_for_unknown(write: Write) -> None:
    rows = "".join(f"a,p,2024-05-01 09:00,{end}\n" for end in ("NULL", "\\N", "-", ""))
    path = write(f"user_id,page,start_time,end_time\n{rows}")
    found, report = read(path)
    assert [row[2] for row in found] == [None] * 4
    assert not report.left_out


def test_a_day_without_its_time_of_day_is_no_midnight(write: Write) -> None:
    path = write(
        "user_id,page,duration,date,time\na,p,1,2024-05-01,\na,p,2,2024-05-01,9:05\n"
    )
    rows, report = read(path)
    assert rows == [["a", "p", 2]]
    assert list(report.left_out) == ["an unreadable time"]


def test_a_time_of_day_may_have_the_day_zero_of_spreadsheets(write: Write) -> None:
    path = write(
        "user_id,page,duration,date,time\n"
        "a,p,1,2024-05-01 00:00:00,1899-12-30 09:05:06\n"
    )
    reading = read_sessions([path], ReadOptions())
    (table,) = reading.tables
    assert table["timestamp"].tolist() == [pd.Timestamp("2024-05-01 09:05:06")]


@pytest.mark.parametrize(
    "error",
    [MemoryError(), pa.ArrowException("Failed to launch worker thread: Resource")],
)
def test_memory_that_ends_is_told(
    error: Exception, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("sources.reading.read_table", fail)
    with pytest.raises(BadInput, match="it is more data than memory holds"):
        read(write(HEADER))


def test_names_are_put_into_no_hash_table_of_pandas(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Such a table crashes where memory ends in it.
    path = write(f"{HEADER}ann,home,7,2024-01-01 10:01\nbob,home,8,2024-01-02 10:01\n")

    def checked(index: "pd.Index[Any]") -> bool:
        assert not {"ann", "home"} & set(index)
        return len(set(index)) == len(index)

    monkeypatch.setattr(pd.Index, "is_unique", property(checked))
    (table,) = read_sessions([path]).tables
    collector = NameCollector()
    collector.count(collector.encode(table["user_id"])[0])
    assert collector.sort().names.tolist() == ["ann", "bob"]
    assert table["page"].dtype == "category"


def test_users_who_may_be_nobody_are_told(write: Write) -> None:
    rows = "NULL,p,1,2024-05-01\n(not set),p,1,2024-05-01\nann,NULL,1,2024-05-01\n"
    found, report = read(write(f"{HEADER}{rows}NULL,p,1,2024-05-01\n"))
    assert len(found) == 4
    assert report.files[0].notes == (
        "2 rows with the user 'NULL', who is counted as one user.",
        "1 row with the user '(not set)', who is counted as one user.",
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (
            "user_id,page,start_time,end_time\na,p,2024-03-01 10:00,2024-03-01 10:05\n"
            "a,p,2024-03-01 10:00,\n",
            [300, None],
        ),
        (
            "user_id,page,start_date,start_time,end_date,end_time\n"
            "a,p,2024-03-01,23:59,2024-03-03,00:01\n",
            [86_520],
        ),
    ],
)
def test_durations_from_starts_to_ends(
    text: str, seconds: list[float | None], write: Write
) -> None:
    assert [row[2] for row in read(write(text))[0]] == seconds


def test_starts_and_ends_of_a_day_in_a_column_of_its_own(write: Write) -> None:
    path = write(
        "user_id,page,date,start_time,end_time\na,p,2024-03-01,10:00,10:05\n"
        "a,p,2024-03-01,23:59,00:01\na,p,2024-03-01,23:59,\n"
    )
    with pytest.raises(BadInput, match=r"add --time date\+start_time where"):
        read(path)
    rows, _ = read(path, time="date+start_time")
    # What ends before it starts ends on the next day.
    assert [row[2] for row in rows] == [300, 120, None]


def test_ends_that_cannot_be_used_are_told(write: Write) -> None:
    path = write(
        "user_id,page,start_time,end_time\na,p,2024-03-01 10:00,2024-03-01 10:05\n"
        "a,p,2024-03-01 10:00,2024-03-01 09:05\na,p,2024-03-01 10:00,05.03.2024\n"
    )
    _, report = read(path, allow_left_out=True)
    assert [each.text() for each in report.left_out.values()] == [
        "1 with an unreadable end, such as line 4: '05.03.2024' "
        "(add --time-format '%d.%m.%Y' if the day comes first, '%m.%d.%Y' if the month "
        "does)",
        "1 with an end before its start, such as line 3: '2024-03-01 10:00' to "
        "'2024-03-01 09:05'",
    ]


def test_negative_durations_may_stand_for_unknown_ones(write: Write) -> None:
    path = write(f"{HEADER}a,p,-1,2024-03-01\na,p,2,2024-03-01\n")
    rows, report = read(path, negative_is_unknown=True)
    assert [row[2] for row in rows] == [None, 2]
    assert report.files[0].notes == ("1 duration below 0 is taken as unknown.",)


@pytest.mark.parametrize(
    ("duration", "unit"), [("48", "min"), ("0.8", "h"), ("2880000", "ms")]
)
def test_durations_that_their_ends_contradict_are_refused(
    duration: str, unit: str, write: Write
) -> None:
    path = write(
        "user_id,page,start_time,end_time,duration\n"
        f"a,p,2024-03-01 10:00,2024-03-01 10:48,{duration}\n"
    )
    with pytest.raises(BadInput) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: line 2: {float(duration):g} in 'duration', but 2880 s from the start "
        f"to the end; if it is right, add --duration-unit {unit}"
    )
    rows, report = read(path, duration_unit=unit)
    assert rows == [["a", "p", 2880]]
    assert any("not end_time" in line for line in report.files[0].understood)
    agreeing = write(path.read_text().replace(duration, "2870"), "b.csv")
    assert read(agreeing)[0] == [["a", "p", 2870]]


def test_files_of_a_folder_that_are_no_tables_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "a.csv").write_text(f"{HEADER}a,p,1,2024-03-01\n")
    (folder / "README.md").write_text("# Export")
    (folder / "empty.csv").touch()
    rows, report = read(folder)
    assert rows == [["a", "p", 1]]
    assert report.notes == [
        "Skipped, as they hold no sessions: export/README.md, export/empty.csv."
    ]


def test_derived_files_beside_others_are_named_and_counted(write: Write) -> None:
    views = [
        write(
            f"{VIEWS}a,p{n},2024-01-01 10:0{n}\na,q{n},2024-01-01 10:3{n}\n", f"{n}.csv"
        )
        for n in range(1, 4)
    ]
    recorded = write(f"{HEADER}b,p,7,2024-01-01 10:01\n", "z.csv")
    _, report = read(*views, recorded)
    assert report.durations.startswith(
        "Durations of 1.csv and 2 other files are derived"
    )


def test_advice_names_no_column_that_is_not_there(write: Write) -> None:
    long = f"properties.{'y' * 60}.visitor_id"
    path = write(f"user_id,{long},page,timestamp\n,x,p,2024-01-01\n,y,p,2024-01-01\n")
    with pytest.raises(BadInput, match="--user COL takes another column"):
        read(path)


def test_options_without_effect_are_told(write: Write, tmp_path: Path) -> None:
    def told(path: Path, **options: Any) -> str:
        return "".join(
            note.removeprefix("Without effect: ")
            for note in read(path, **options)[1].notes
            if note.startswith("Without effect: ")
        )

    csv = write(f"{HEADER}a,p,1,2024-01-30\n")
    typed = parquet(tmp_path / "typed.parquet", timestamp=[10**9, 10**9])
    assert told(csv) == told(typed) == ""
    assert told(csv, escape=True, times_in="Asia/Tokyo", encoding="cp1252") == ""
    assert told(csv, time_format="%Y-%m-%d", decimal=",", duration_unit="h") == ""
    assert told(write(f"{VIEWS}a,p,2024-01-30\n", "views.csv"), visit_gap=60.0) == ""
    assert told(csv, sheet="A", visit_gap=60.0, drop_repeated=True) == (
        "--sheet, as no spreadsheet was read; --visit-gap, as no durations are "
        "derived; --drop-repeated, as only one table was read."
    )
    assert told(csv, duration="none", duration_unit="h", decimal=",") == (
        "--duration-unit, as no column of durations was read; --decimal, as no column "
        "of durations was read."
    )
    assert told(typed, times_in="Asia/Tokyo", encoding="cp1252", escape=True) == (
        "--escape, as no CSV was read; --encoding, as no text was read; --times-in, as "
        "no time lacks a zone."
    )
    dated = parquet(tmp_path / "dated.parquet")
    assert told(dated, times_in="Asia/Tokyo", time_format="%Y%m%d") == (
        "--time-format, as no time is a text or a number of digits."
    )


@pytest.mark.parametrize("name", ["views.jsonl", "views.parquet"])
def test_formats_with_names_have_no_rows_without(write: Write, name: str) -> None:
    path = write('{"user": "a"}', name)
    if name.endswith("parquet"):
        parquet(path)
    with pytest.raises(BadInput, match="its columns have names: leave out --no-header"):
        read(path, header=False)


REQUEST = '192.0.2.1 - - [01/May/2024:09:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"\n'
ERROR = "2024/05/01 09:00:00 [error] 31#31: *1 open() failed, client: 192.0.2.1\n"


@pytest.mark.parametrize("name", ["error.log", "a-error.log", "z.txt"])
@pytest.mark.parametrize("content", [ERROR, ""])
@pytest.mark.parametrize("is_named", [True, False])
def test_files_without_sessions_are_told(
    name: str, content: str, is_named: bool, write: Write
) -> None:
    log, other = write(REQUEST, "access.log"), write(content, name)
    folder = f"{log.parent.name}/" * (not is_named)
    rows, report = read(*([log, other] if is_named else [log.parent]))
    assert rows == [["192.0.2.1", "/", None]]
    assert [file.name for file in report.files] == [f"{folder}access.log"]
    assert f"Skipped, as they hold no sessions: {folder}{name}." in report.notes
    assert report.views_text() == "1 of 1 line is a page view: each is a session."


def test_files_without_sessions_alone_are_an_error(write: Write) -> None:
    words = r"error\.log: a web server's error log; what"
    with pytest.raises(BadInput, match=words):
        read(write(ERROR, "error.log"))
    with pytest.raises(BadInput, match=words):
        read(write(ERROR, "error.log"), write("", "empty.log"))


def test_files_without_sessions_in_a_zip_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("access.log", REQUEST)
        archive.writestr("error.log", ERROR)
    rows, report = read(path)
    assert rows == [["192.0.2.1", "/", None]]
    words = "Skipped, as they hold no sessions: logs.zip/error.log."
    assert words in report.notes
