"""What tests of logs read, and how they ask."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sources import BadInput, ReadOptions, Report
from sources.logs import HEAD_SIZE, Bots, find_log
from sources.origin import FileReport
from sources.pages import PageMerger
from sources.reading import read_bytes, read_sessions
from sources.rows import Rows

SHARED = Path(__file__).parents[4] / "shared" / "data"

needs_logs = pytest.mark.skipif(
    not (SHARED / "hackers-log").exists(), reason="needs the logs beside the project"
)
"""Marks a test that is skipped where the real logs aren't there."""

View = tuple[str, str, float, float | None]
"""User, page, seconds since 1970 and seconds that it lasts (None: unknown)."""


def line(
    time: str = "10:00:00",
    page: str = "/a",
    user: str = "1.1.1.1",
    status: int | str = 200,
    agent: str | None = "Mozilla/5.0",
    method: str = "GET",
) -> str:
    """A line of the Combined Log Format, or the Common one where there is no agent."""
    when = time if "/" in time else f"01/Mar/2024:{time} +0000"
    behind = "" if agent is None else f' "-" "{agent}"'
    return f'{user} - - [{when}] "{method} {page} HTTP/1.1" {status} 12{behind}\n'


def views_of(tables: Iterator[pd.DataFrame]) -> list[View]:
    """The sessions of some tables."""
    found: list[View] = []
    for table in tables:
        seconds = table["duration"].tolist()
        starts = table["timestamp"].astype("int64") / _units(table)
        for user, page, start, lasts in zip(
            table["user_id"], table["page"], starts, seconds, strict=True
        ):
            found.append((user, page, start, None if lasts != lasts else lasts))
    return found


def _units(table: pd.DataFrame) -> float:
    return {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[table["timestamp"].dt.unit]


def read(*paths: Path, **options: Any) -> tuple[list[View], Report]:
    """The page views of files, and the report."""
    reading = read_sessions(paths, ReadOptions(**options))
    return views_of(reading.tables), reading.origin.report


def read_text(data: str | bytes, **options: Any) -> tuple[list[View], Report]:
    """The page views of a log, and the report."""
    data = data.encode() if isinstance(data, str) else data
    reading = read_bytes("access.log", data, ReadOptions(**options))
    return views_of(reading.tables), reading.origin.report


def counts(report: Report) -> dict[str, int]:
    """How many lines are no views, by what they are."""
    both: Sequence[Mapping[str, Any]] = (report.passed, report.left_out)
    found = {reason: each.rows for part in both for reason, each in part.items()}
    n_unmatched = sum(file.unmatched for file in report.files)
    return found | ({"not asked for": n_unmatched} if n_unmatched else {})


def notes(report: Report) -> list[str]:
    """What there is to know of the files of a report, one after another."""
    return [note for file in report.files for note in file.notes]


def refusal(data: str | bytes, **options: Any) -> str:
    """The one line with which a log is refused."""
    with pytest.raises(BadInput) as caught:
        read_text(data, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def in_blocks(
    data: bytes, size: int, head: bytes = b"", **options: Any
) -> tuple[list[tuple[str, str, float]], FileReport]:
    """Views (user, page, seconds since 1970) of a log that is read in such blocks.

    It is known by *head*, where that isn't empty.
    """
    chosen = ReadOptions(**options)
    report = FileReport("access.log")
    log = find_log(head or data[:HEAD_SIZE], chosen)
    assert log
    merger = PageMerger(frozenset())
    parts = list(log.read(io.BytesIO(data), report, merger, Bots(), size))
    return [view for part in parts for view in _rows(part)], report


def _rows(part: Rows) -> Iterator[tuple[str, str, float]]:
    users, pages = part.user.to_pylist(), part.page.to_pylist()
    yield from zip(users, pages, (part.time / 1e6).tolist(), strict=True)
