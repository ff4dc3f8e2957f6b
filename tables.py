"""The numbers behind each chart: what it draws, says, and gives away as a table."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import ids
from activity import Activity, Selection, Summary, Tally, weekday
from users import ByUser
from view import Column, Measure, Scale, Statistic, View
from words import count_text, duration_text, edge_text, through_text

MAX_PAGES: Final = 15
"""So many pages have a bar of their own; the rest share one."""

STATISTICS: Final[dict[Statistic, str]] = {
    "average": "Average",
    "median": "Median",
    "p90": "P90",
}

TITLES: Final = {
    ids.TOTAL_TIME: "Total Time per Page",
    ids.USER_AVERAGE: "Average Session Duration by Page",
    ids.DURATIONS: "Session Duration Distribution",
    ids.TIMELINE: "Sessions over Time",
    ids.HOURS: "Sessions by Weekday and Hour",
}
"""The headings; those of two say more once there is a view, see ``title``."""

WEEKDAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday"),
    *("Friday", "Saturday", "Sunday"),
)

USER_COLUMNS: Final[dict[Column, str]] = {
    "user": "User",
    "time": "Total time",
    "sessions": "Sessions",
    "days": "Active days",
    "median": "Median",
    "last": "Last seen",
}

SHEET: Final = 10
"""So many users are on a sheet of their table."""

# A timeline of more days than the first number is by week, and so on.
_STEPS: Final = ((120, "D"), (3 * 366, "W"), (20 * 366, "M"))
_UNITS: Final = {"D": "day", "W": "week", "M": "month", "Y": "year"}


def by_page(tally: Tally, statistic: Statistic) -> NDArray[np.float64]:
    """The chosen statistic of the durations on each page; NaN where none is known."""
    if statistic == "average":
        return tally.mean
    return tally.median if statistic == "median" else tally.p90


def overall(tally: Tally, statistic: Statistic) -> float:
    """The chosen statistic of all durations; NaN where none is known."""
    if statistic == "median":
        return tally.overall_median
    if statistic == "p90":
        return tally.overall_p90
    known = int(tally.known.sum())
    return float(tally.seconds.sum()) / known if known else float("nan")


class PageRows(NamedTuple):
    """The pages that a chart shows, in its order, the others as one last row."""

    names: list[str]
    n_named: int
    """Rows that are one page each; the one behind them, if any, is the others."""
    everyone: Tally
    user: Tally | None


def page_rows(
    summary: Summary,
    of: Tally,
    chosen: tuple[str, ...] = (),
    limit: int = MAX_PAGES,
) -> PageRows:
    """The pages with most known time among those that *of* has sessions on.

    Pages that are *chosen* come before those of more time. They all stand in the order
    of everyone's time, so that a page keeps its place from chart to chart and from
    user to user.
    """
    there = np.flatnonzero(of.sessions)
    first = np.ones(len(summary.pages), bool)
    if chosen and len(there) > limit:
        picked = frozenset(chosen)
        first = np.array([page in picked for page in summary.pages])
    by_time = there[np.lexsort((-of.seconds[there], ~first[there]))]
    top, others = by_time[:limit], by_time[limit:]
    top = top[np.argsort(-summary.everyone.seconds[top], kind="stable")]
    group = np.full(len(summary.pages), -1)
    group[top] = np.arange(len(top))
    group[others] = len(top)
    names = [summary.pages[page] for page in top]
    if len(others):
        names.append(count_text(len(others), "other page"))
    user = None if summary.user is None else summary.user.pooled(group)
    return PageRows(names, len(top), summary.everyone.pooled(group), user)


class Bins(NamedTuple):
    """The distribution: sessions by duration."""

    edges: NDArray[np.float64]
    """Seconds: bin i is [edges[i], edges[i + 1])."""
    everyone: NDArray[np.int64]
    user: NDArray[np.int64] | None


def bins(summary: Summary, scale: Scale) -> Bins:
    """The bins of a scale, with their counts."""
    user = summary.user
    if scale == "linear":
        edges = summary.edges
        counts = None if user is None else user.histogram
        return Bins(edges, summary.everyone.histogram, counts)
    counts = None if user is None else user.log_histogram
    return Bins(summary.log_edges, summary.everyone.log_histogram, counts)


class Periods(NamedTuple):
    """A timeline: sessions, or seconds spent, in each of some equal periods."""

    unit: Literal["day", "week", "month", "year"]
    edges: NDArray[np.datetime64]
    """Days: period i is [edges[i], edges[i + 1])."""
    everyone: NDArray[np.float64]
    """Everyone together; beside a user, the average of all users."""
    user: NDArray[np.float64] | None
    incomplete: NDArray[np.bool_]
    """Whether the data begins or ends in the midst of a period."""


def periods(summary: Summary, measure: Measure) -> Periods:
    """The days that the data has, or weeks from Monday on, months or years of them."""
    step = _step(summary)
    edges = _edges(summary.days[0], summary.days[-1], step)
    index = np.searchsorted(edges, summary.days, side="right") - 1

    def counted(tally: Tally) -> NDArray[np.float64]:
        values: NDArray[Any] = tally.day_sessions
        if measure == "time":
            values = tally.day_seconds
        return np.bincount(index, values, len(edges) - 1).astype(np.float64)

    everyone = counted(summary.everyone)
    if summary.user is not None:
        everyone = everyone / summary.n_users
    # With few sessions, the first and last of a complete day are a little inside.
    inside = np.timedelta64(1, "h")
    first_start, last_start = map(np.datetime64, (summary.first, summary.last))
    begun = edges[:-1].astype("M8[s]") + inside < first_start
    ended = edges[1:].astype("M8[s]") - inside > last_start
    return Periods(
        unit=cast(Any, _UNITS[step]),
        edges=edges,
        everyone=everyone,
        user=None if summary.user is None else counted(summary.user),
        incomplete=np.asarray(begun | ended),
    )


def _step(summary: Summary) -> str:
    n_days = int((summary.days[-1] - summary.days[0]).astype(np.int64)) + 1
    return next((step for most, step in _STEPS if n_days <= most), "Y")


def _edges(
    first: np.datetime64, last: np.datetime64, step: str
) -> NDArray[np.datetime64]:
    if step == "W":
        monday: np.datetime64 = first - weekday(first)
        n_weeks = int((last - monday).astype(np.int64)) // 7 + 1
        return monday + 7 * np.arange(n_weeks + 1)
    unit = f"M8[{step}]"
    return np.arange(first.astype(unit), last.astype(unit) + 2).astype("M8[D]")


def period_texts(edges: NDArray[np.datetime64]) -> list[str]:
    """The words for periods: "1 to 7 January 2024"."""
    # A week may end in the year 10000, which no date is in.
    lasts = np.minimum(edges[1:] - 1, np.datetime64(date.max))
    days = zip(edges[:-1].tolist(), lasts.tolist(), strict=True)
    return [through_text(start, last) for start, last in days]


def per_weekday(tally: Tally, summary: Summary) -> NDArray[np.float64]:
    """(7, 24): sessions in each hour of a Monday, of a Tuesday and so on; NaN if none.

    A weekday that occurs more often among the selected dates so counts no more.
    """
    often = summary.weekdays[:, None]
    out = np.full((7, 24), np.nan)
    np.divide(tally.hours, often, out=out, where=often > 0)
    return out


def table(
    chart: str, summary: Summary, view: View, limit: int = MAX_PAGES
) -> pd.DataFrame:
    """The numbers of a chart, a row for each bar, in the units that their names say."""
    if chart == ids.TOTAL_TIME:
        rows = page_rows(summary, summary.everyone, view.selection.pages, limit)
        everyone = rows.everyone
        return pd.DataFrame(
            {
                "page": rows.names,
                "sessions": everyone.sessions,
                "of unknown duration": everyone.unknown,
                "time (s)": everyone.seconds,
            }
        )
    if chart == ids.USER_AVERAGE:
        of = summary.who
        rows = page_rows(summary, of, view.selection.pages, limit)
        name = STATISTICS[view.statistic].lower()
        columns: dict[str, Any] = {"page": rows.names}
        for who, tally in (("user", rows.user), ("everyone", rows.everyone)):
            if tally is not None:
                columns[f"{who}: sessions of known duration"] = tally.known
                columns[f"{who}: {name} (s)"] = by_page(tally, view.statistic)
        return pd.DataFrame(columns)
    if chart == ids.DURATIONS:
        made = bins(summary, view.scale)
        columns = {
            "from (s)": made.edges[:-1],
            "to (s)": np.where(np.isinf(made.edges[1:]), np.nan, made.edges[1:]),
        }
        if made.user is not None:
            columns["user: sessions"] = made.user
        return pd.DataFrame({**columns, "everyone: sessions": made.everyone})
    if chart == ids.TIMELINE:
        line = periods(summary, view.timeline)
        unit = "sessions" if view.timeline == "sessions" else "time (s)"
        # Text: what formats dates knows none in the year 10000.
        days = np.datetime_as_string(line.edges).tolist()
        columns = {"from": days[:-1], "to (not included)": days[1:]}
        whose = "everyone"
        if line.user is not None:
            columns[f"user: {unit}"] = line.user
            whose = "average user"
        columns[f"{whose}: {unit}"] = line.everyone
        return pd.DataFrame({**columns, "complete": ~line.incomplete})
    columns = {
        "weekday": np.repeat(WEEKDAYS, 24),
        "hour": np.tile(np.arange(24), 7),
        "times it occurs": np.repeat(summary.weekdays, 24),
    }
    if summary.user is not None:
        columns["user: sessions"] = summary.user.hours.ravel()
    return pd.DataFrame(
        {**columns, "everyone: sessions": summary.everyone.hours.ravel()}
    )


def unfiltered_by_itself(chart: str, selection: Selection) -> Selection:
    """What a chart shows: it isn't filtered by what is picked in it."""
    if chart in (ids.TOTAL_TIME, ids.USER_AVERAGE):
        return replace(selection, pages=())
    if chart == ids.DURATIONS:
        return replace(selection, shortest=None, longest=None)
    if chart == ids.TIMELINE:
        return replace(selection, start=None, end=None)
    return selection


def title(chart: str, summary: Summary, view: View) -> str:
    """The heading of a chart: what it counts, and the statistic by name."""
    if chart == ids.USER_AVERAGE:
        return f"{STATISTICS[view.statistic]} Session Duration by Page"
    if chart == ids.TIMELINE:
        unit = _UNITS[_step(summary)].capitalize()
        return f"{'Sessions' if view.timeline == 'sessions' else 'Time'} per {unit}"
    return TITLES[chart]


class UsersShown(NamedTuple):
    """A sheet of the table of users."""

    rows: Sequence[tuple[str, ...]]
    """For each user the name, then the texts of the other ``USER_COLUMNS``."""
    n_found: int
    """Users with sessions that are selected and whose name is searched for,"""
    n_all: int
    """and those with any name."""
    n_sheets: int


def users(activity: Activity, numbers: ByUser, view: View) -> UsersShown:
    """The sheet of the table of users that a view asks for, or the last."""
    there = np.flatnonzero(numbers.sessions)
    found = there
    if view.find:
        found = np.flatnonzero((numbers.sessions > 0) & activity.named(view.find))
    values: dict[Column, NDArray[Any]] = {
        "user": -np.arange(len(numbers.sessions)),
        "time": np.where(numbers.known > 0, numbers.seconds, np.nan),
        "sessions": numbers.sessions,
        "days": numbers.active_days,
        "median": numbers.median,
        "last": numbers.last.astype(np.int64),
    }
    key = values[view.sort][found]
    # Where two are equal, or no duration is known, the names decide: unknown ones last.
    unknown = np.isnan(key)
    order = np.lexsort((key if view.reverse else -key, unknown))
    n_sheets = max(-(-len(found) // SHEET), 1)
    start = SHEET * (min(view.sheet, n_sheets) - 1)
    rows = [
        (
            activity.users[user],
            duration_text(numbers.seconds[user]) if numbers.known[user] else "unknown",
            f"{numbers.sessions[user]:,}",
            f"{numbers.active_days[user]:,}",
            duration_text(numbers.median[user]) if numbers.known[user] else "unknown",
            f"{pd.Timestamp(numbers.last[user]):%Y-%m-%d %H:%M}",
        )
        for user in found[order[start : start + SHEET]]
    ]
    return UsersShown(rows, len(found), len(there), n_sheets)


def bin_texts(edges: NDArray[np.float64]) -> list[str]:
    """The words for bins: "0 s to 10 s", "5 min and longer"."""
    return [
        f"{edge_text(low)} and longer"
        if np.isinf(high)
        else f"{edge_text(low)} to {edge_text(high)}"
        for low, high in pairwise(edges.tolist())
    ]
