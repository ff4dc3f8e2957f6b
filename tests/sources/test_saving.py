import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest

from sources import BadInput, ReadOptions, Report, check_target, read_sessions, save
from tests.sources.conftest import Write

CSV = """who,what,when
007,=1+1,2024-01-01 10:00:00.000001
" x ",home,2024-01-01 10:00:30
007,NA,2024-01-01 10:01:00.5
"""
OPTIONS = ReadOptions(user="who", page="what", time="when")


def rows(path: Path, options: ReadOptions, target: Path | None = None) -> list[Any]:
    reading = read_sessions([path], options)
    tables: Iterator[pd.DataFrame] = reading.tables
    if target:
        tables = save(tables, target, reading.origin.report)
    found = pd.concat([table.astype({"user_id": str, "page": str}) for table in tables])
    return found.astype({"timestamp": str}).fillna(-1).to_numpy().tolist()


def test_what_is_saved_opens_as_it_was_understood(write: Write, tmp_path: Path) -> None:
    target = tmp_path / "saved.parquet"
    understood = rows(write(CSV), OPTIONS, target)
    assert len(understood) == 3
    assert rows(target, ReadOptions()) == understood
    assert sorted(os.listdir(tmp_path)) == ["saved.parquet", "sessions.csv"]
    assert (
        target.stat().st_mode & 0o777
        == (tmp_path / "sessions.csv").stat().st_mode & 0o777
    )


def test_what_is_saved_says_how_durations_were_derived(
    write: Write, tmp_path: Path
) -> None:
    target = tmp_path / "saved.parquet"
    rows(write(CSV), OPTIONS, target)
    reading = read_sessions([target])
    list(reading.tables)
    assert reading.origin.report.durations == (
        "Durations are derived: the time to the same user's next row, unknown where "
        "that is over 30 min away or there is none."
    )
    recorded = write("user_id,page,duration,timestamp\na,p,1,2024-01-01\n", "b.csv")
    rows(recorded, ReadOptions(), tmp_path / "b.parquet")
    reading = read_sessions([tmp_path / "b.parquet"])
    list(reading.tables)
    assert reading.origin.report.durations == ""


def test_others_can_read_what_is_saved(write: Write, tmp_path: Path) -> None:
    target = tmp_path / "saved.parquet"
    rows(write(CSV), OPTIONS, target)
    table = pyarrow.parquet.read_table(target)
    assert table.schema.names == ["user_id", "page", "duration", "timestamp"]
    assert str(table.schema.field("timestamp").type) == "timestamp[us, tz=UTC]"
    assert table["user_id"].to_pylist() == ["007", " x ", "007"]


def test_nothing_is_written_over_or_left_behind(write: Write, tmp_path: Path) -> None:
    path = write(CSV)
    with pytest.raises(BadInput, match=r"sessions\.csv: is there already"):
        check_target(path)
    with pytest.raises(BadInput, match="there is no folder"):
        check_target(tmp_path / "none" / "saved.parquet")
    target = tmp_path / "saved.parquet"
    bad = write("user_id,page,duration,timestamp\na,p,1,never\n", "bad.csv")
    with pytest.raises(BadInput, match="no usable row"):
        rows(bad, ReadOptions(), target)
    assert sorted(os.listdir(tmp_path)) == ["bad.csv", "sessions.csv"]


def test_a_folder_that_cannot_be_written_is_told() -> None:
    tables = iter([pd.DataFrame()])
    with pytest.raises(BadInput, match=r"^/proc/saved\.parquet: "):
        list(save(tables, Path("/proc/saved.parquet"), Report()))


def test_what_is_saved_says_what_it_was_made_from(write: Write, tmp_path: Path) -> None:
    target = tmp_path / "saved.parquet"
    options = ReadOptions(
        **{**vars(OPTIONS), "times_in": "Europe/Berlin", "merge_pages": {"query"}}
    )
    rows(write(f"{CSV}008,home?x=1,never\n"), options, target)
    words = (
        "Saved from sessions.csv: CSV, separated by commas, UTF-8. User: who. "
        "Page: what. Time: when, ISO 8601, Europe/Berlin where no zone is named. "
        "Duration: derived from the next row of the same user. 4 rows read, 3 kept, 1 "
        "left out. Rows left out: 1 with an unreadable time, such as line 5: 'never'. "
        "Besides: 3 pages became 3 by dropping query."
    )
    reading = read_sessions([target])
    list(reading.tables)
    assert reading.origin.report.files[0].notes == (words,)
    again = tmp_path / "again.parquet"
    rows(target, ReadOptions(), again)
    reading = read_sessions([again])
    list(reading.tables)
    (note,) = reading.origin.report.files[0].notes
    assert note.startswith("Saved from saved.parquet: Parquet. User: user_id. ")
    assert words in note


def test_what_it_was_made_from_is_told_in_short(write: Write, tmp_path: Path) -> None:
    target = tmp_path / "saved.parquet"
    paths = [write(CSV.replace("who", f"who_{n}"), f"{n}.csv") for n in range(9)]
    options = [ReadOptions(**{**vars(OPTIONS), "user": f"who_{n}"}) for n in range(9)]
    report = Report()
    for path, each in zip(paths, options, strict=True):
        reading = read_sessions([path], each)
        list(reading.tables)
        report.files += reading.origin.report.files
    frame = pd.DataFrame(
        {"user_id": ["a"], "page": ["p"], "duration": [1.0], "timestamp": [0]}
    ).astype({"timestamp": "datetime64[us]"})
    list(save([frame], target, report))
    reading = read_sessions([target])
    list(reading.tables)
    (note,) = reading.origin.report.files[0].notes
    assert len(note) == len("Saved from ") + 1_001
    assert note.endswith("…")
