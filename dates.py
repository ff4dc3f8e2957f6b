"""Calendar arithmetic: periods, weekdays, and the dates that can be picked by name.

The days of the data are an array of ``datetime64[D]`` in order; ranges of dates are
half-open, and None stands for no limit.
"""

from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]
PeriodUnit = Literal["day", "week", "month", "year"]

TOLERANCE: Final = timedelta(hours=1)
"""How much a day of the data may lack at either end and still be a whole one."""

_MOST_MONTHS: Final = 300
_LAST_DAYS: Final = (7, 30, 90)

# The finest unit by which data of at most so many days is shown.
_LONGEST_BY_UNIT: Final[tuple[tuple[PeriodUnit, int], ...]] = (
    ("day", 120),
    ("week", 3 * 366),
    ("month", 20 * 366),
)


class Preset(NamedTuple):
    """A range of dates that has a name."""

    label: str
    start: date | None
    end: date | None


def bounds(days: Days) -> tuple[date, date]:
    """The first and the last of the days."""
    first, last = days[[0, -1]].tolist()
    return first, last


def day_before(day: date) -> date:
    """The day before; 1 January of the year 1, which has none, itself."""
    return max(day, date.min + timedelta(days=1)) - timedelta(days=1)


def day_after(day: date) -> date:
    """The next day; 31 December 9999, which has none, itself."""
    return min(day, date.max - timedelta(days=1)) + timedelta(days=1)


def whole_days(days: Days, first: datetime, last: datetime) -> tuple[date, date]:
    """The days that the data has from their start to their end, [first, end).

    *first* and *last* are the first and the last moment of the data. With few sessions
    they are a little inside of a whole day: an hour is nothing.
    """
    start, end = bounds(days)
    if first > datetime.combine(start, time()) + TOLERANCE:
        start = day_after(start)
    if last > datetime.combine(end, time(23, 59, 59)) - TOLERANCE:
        end = day_after(end)
    return start, max(start, end)


def clip(
    start: date | None, end: date | None, days: Days
) -> tuple[date | None, date | None]:
    """Replace a limit that excludes none of the days by None."""
    first, last = bounds(days)
    return (
        start if start and start > first else None,
        end if end and end <= last else None,
    )


def presets(days: Days) -> dict[str, Preset]:
    """The ranges that can be picked by name: all, the last days, each month.

    Keys are "all", "last-7", "last-30", "last-90" and months such as "2024-03", the
    latest first. What would be the same as all dates is left out, and so are months
    without data and those before the last 300.
    """
    first, last = bounds(days)
    found = {"all": Preset("All dates", None, None)}
    for n in _LAST_DAYS:
        if (last - first).days >= n:
            start = last - timedelta(days=n - 1)
            found[f"last-{n}"] = Preset(f"Last {n} days", start, None)
    months = np.unique(days.astype("datetime64[M]"))[-_MOST_MONTHS:]
    if len(months) > 1:
        for month in months[::-1]:
            start = month.astype(date)
            end = None if month == months[-1] else (month + 1).astype(date)
            label = f"{start:%B} {start.year}"
            found[str(month)] = Preset(label, *clip(start, end, days))
    return found


def weekday(days: Any) -> Any:
    """The weekday of each day, from 0 for Monday to 6 for Sunday."""
    # 1 January 1970 was a Thursday.
    return (days.astype(np.int64) + 3) % 7


def count_weekdays(start: date | None, end: date | None, days: Days) -> NDArray[Any]:
    """(7,): how often each weekday, from Monday on, is in [start, end).

    Only dates from the first of *days* to the last count, with those between them that
    have no data.
    """
    first, stop = days[0], days[-1] + 1
    if start is not None:
        first = max(first, np.datetime64(start, "D"))
    if end is not None:
        stop = min(stop, np.datetime64(end, "D"))
    n_days = max(int((stop - first).astype(np.int64)), 0)
    whole_weeks, rest = divmod(n_days, 7)
    counts = np.full(7, whole_weeks, np.int64)
    counts[(weekday(first) + np.arange(rest)) % 7] += 1
    return counts


def period_unit(days: Days) -> PeriodUnit:
    """The unit of a timeline over these days: finer for less time."""
    n_days = int((days[-1] - days[0]).astype(np.int64)) + 1
    fitting = (unit for unit, longest in _LONGEST_BY_UNIT if n_days <= longest)
    return next(fitting, "year")


def sum_by_period(by_day: NDArray[Any], days: Days, edges: Days) -> NDArray[np.float64]:
    """Add values of *days* up: those in [edges[i], edges[i + 1]) into element i."""
    period = np.searchsorted(edges, days, side="right") - 1
    return np.bincount(period, by_day, len(edges) - 1).astype(np.float64)


def period_edges(days: Days, unit: PeriodUnit) -> Days:
    """The days at which periods begin, and the one at which the last ends.

    Weeks begin on Mondays. The periods cover all the days.
    """
    first, last = days[0], days[-1]
    if unit == "week":
        monday: np.datetime64 = first - weekday(first)
        n_weeks = int((last - monday).astype(np.int64)) // 7 + 1
        return monday + 7 * np.arange(n_weeks + 1)
    code = {"day": "M8[D]", "month": "M8[M]", "year": "M8[Y]"}[unit]
    edges = np.arange(first.astype(code), last.astype(code) + 2).astype("M8[D]")
    return cast(Days, edges)
