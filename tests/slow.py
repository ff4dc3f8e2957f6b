"""What ``Activity`` answers, written as slowly and obviously as possible."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from activity import Selection

from .conftest import Row


@dataclass
class SlowTally:
    """As ``activity.Tally``, with the numbers of a page under its name."""

    sessions: dict[str, int]
    unknown: dict[str, int]
    seconds: dict[str, float]
    squares: dict[str, float]
    median: dict[str, float]
    p90: dict[str, float]
    day_sessions: dict[date, int]
    day_seconds: dict[date, float]
    hours: list[list[int]]
    first: datetime | None
    last: datetime | None
    overall_median: float
    overall_p90: float


@dataclass
class SlowUser:
    """As ``users.ByUser``, for one user."""

    sessions: int
    unknown: int
    seconds: float
    active_days: int
    median: float
    p90: float
    last: datetime | None


def selected(row: Row, selection: Selection) -> bool:
    """Whether a session is picked, the user aside."""
    _, page, duration, _ = row
    day = instant(row).date()
    if selection.start is not None and day < selection.start:
        return False
    if selection.end is not None and day >= selection.end:
        return False
    if selection.pages and page not in selection.pages:
        return False
    if duration is None:
        return selection.shortest is None and selection.longest is None
    if selection.shortest is not None and duration < selection.shortest:
        return False
    return selection.longest is None or duration < selection.longest


def instant(row: Row) -> datetime:
    return datetime.fromisoformat(row[3])


def shown(rows: Sequence[Row], timezone: str) -> list[Row]:
    """The rows with their times as the clocks of a zone show them."""
    moved = []
    for row in rows:
        there = instant(row).replace(tzinfo=UTC).astimezone(ZoneInfo(timezone))
        moved.append((*row[:3], there.replace(tzinfo=None).isoformat()))
    return moved


def weekdays(rows: Sequence[Row], selection: Selection) -> list[int]:
    """How many Mondays, Tuesdays and so on the selected dates are."""
    days = [instant(row).date().toordinal() for row in rows]
    counts = [0] * 7
    for number in range(min(days), max(days) + 1):
        day = date.fromordinal(number)
        after_start = selection.start is None or selection.start <= day
        before_end = selection.end is None or day < selection.end
        counts[day.weekday()] += after_start and before_end
    return counts


def quantile(durations: Sequence[float], q: float) -> float:
    """What q of the durations don't exceed, interpolated; NaN where there is none."""
    if not durations:
        return math.nan
    values = sorted(durations)
    position = q * (len(values) - 1)
    low = math.floor(position)
    high = min(low + 1, len(values) - 1)
    return values[low] + (position - low) * (values[high] - values[low])


def histogram(rows: Sequence[Row], edges: Sequence[float]) -> list[int]:
    """Sessions in each half-open bin."""
    return [
        sum(row[2] is not None and low <= row[2] < high for row in rows)
        for low, high in pairwise(edges)
    ]


def rank(rows: Sequence[Row], user: str) -> int:
    """One more than the users with more time."""
    total: dict[str, float] = {}
    for name, _, duration, _ in rows:
        total[name] = total.get(name, 0) + (duration or 0)
    return 1 + sum(other > total[user] for other in total.values())


def tally(rows: Sequence[Row], pages: Sequence[str]) -> SlowTally:
    """Count and sum rows one by one."""
    unknown = dict.fromkeys(pages, 0)
    known: dict[str, list[float]] = {page: [] for page in pages}
    by_day: dict[date, list[float]] = {}
    hours = [[0] * 24 for _ in range(7)]
    for row in rows:
        _, page, duration, _ = row
        time = instant(row)
        hours[time.weekday()][time.hour] += 1
        by_day.setdefault(time.date(), []).append(duration or 0)
        if duration is None:
            unknown[page] += 1
        else:
            known[page].append(duration)
    mean = {page: math.fsum(d) / len(d) if d else 0.0 for page, d in known.items()}
    every = [duration for durations in known.values() for duration in durations]
    times = [instant(row) for row in rows]
    return SlowTally(
        sessions={page: len(known[page]) + unknown[page] for page in pages},
        unknown=unknown,
        seconds={page: math.fsum(known[page]) for page in pages},
        squares={
            page: math.fsum((d - mean[page]) ** 2 for d in known[page])
            for page in pages
        },
        median={page: quantile(known[page], 0.5) for page in pages},
        p90={page: quantile(known[page], 0.9) for page in pages},
        day_sessions={day: len(durations) for day, durations in by_day.items()},
        day_seconds={day: math.fsum(durations) for day, durations in by_day.items()},
        hours=hours,
        first=min(times, default=None),
        last=max(times, default=None),
        overall_median=quantile(every, 0.5),
        overall_p90=quantile(every, 0.9),
    )


def by_user(
    rows: Sequence[Row], users: Sequence[str], selection: Selection
) -> list[SlowUser]:
    """Go through the rows again for each of the users."""
    found = []
    for user in users:
        theirs = [row for row in rows if row[0] == user and selected(row, selection)]
        known = [duration for _, _, duration, _ in theirs if duration is not None]
        times = [instant(row) for row in theirs]
        found.append(
            SlowUser(
                sessions=len(theirs),
                unknown=len(theirs) - len(known),
                seconds=math.fsum(known),
                active_days=len({time.date() for time in times}),
                median=quantile(known, 0.5),
                p90=quantile(known, 0.9),
                last=max(times, default=None),
            )
        )
    return found
