"""What the page shows and how: the one state that there is, and its address."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import inf
from typing import Any, Final, Literal, NamedTuple, cast, get_args
from urllib.parse import parse_qsl, quote, urlencode

import numpy as np

import ids
from activity import Activity, Selection
from words import edge_text, name_text

Statistic = Literal["average", "median", "p90"]
Scale = Literal["linear", "log"]
Measure = Literal["sessions", "time"]
Column = Literal["user", "time", "sessions", "days", "median", "last"]

_MAX_MONTHS: Final = 300

_SEVERAL: Final = ("page", "table")
_KEYS: Final = (
    *("user", "from", "to", *_SEVERAL, "min", "max"),
    *("stat", "scale", "timeline", "sort", "find", "sheet"),
)
_EVERYTHING: Final = Selection()


@dataclass(frozen=True)
class View:
    """A selection, and how it is shown."""

    selection: Selection = _EVERYTHING
    statistic: Statistic = "average"
    scale: Scale = "linear"
    """The axis of the distribution."""
    timeline: Measure = "sessions"
    """What the timeline counts."""
    tables: tuple[str, ...] = ()
    """The charts whose numbers are shown as a table too."""
    sort: Column = "time"
    """What the table of users is sorted by: largest first, names from A on,"""
    reverse: bool = False
    """or the other way round."""
    find: str = ""
    """Only users whose name contains this are in the table;"""
    sheet: int = 1
    """and of these, this sheet, from 1 on."""


def opening(activity: Activity) -> View:
    """What the page shows when its address says nothing: the busiest user."""
    (busiest,) = activity.find_users("", 1)
    return View(Selection(busiest))


def unfiltered(view: View) -> View:
    """The same without dates, pages and durations."""
    return replace(view, selection=Selection(view.selection.user), sheet=1)


def address(view: View) -> str:
    """The query string that ``read`` gives the view for: what is not usual is in it."""
    picked = view.selection
    sort = f"-{view.sort}" if view.reverse else view.sort
    parts: list[tuple[str, Any]] = [
        ("user", picked.user or ""),
        ("from", picked.start),
        ("to", picked.end),
        *(("page", page) for page in picked.pages),
        ("min", None if picked.shortest is None else f"{picked.shortest:.12g}"),
        ("max", None if picked.longest is None else f"{picked.longest:.12g}"),
        ("stat", _unless("average", view.statistic)),
        ("scale", _unless("linear", view.scale)),
        ("timeline", _unless("sessions", view.timeline)),
        *(("table", chart) for chart in view.tables),
        ("sort", _unless("time", sort)),
        ("find", view.find or None),
        ("sheet", _unless(1, view.sheet)),
    ]
    given = [(key, value) for key, value in parts if value is not None]
    return f"?{urlencode(given, quote_via=quote, safe='/')}"


class Read(NamedTuple):
    """What an address asks for."""

    view: View
    ignored: list[str]
    """What it asked for that isn't there, in words, each on one line."""


def read(query: str, activity: Activity) -> Read:
    """The view of an address: of what it asks for in vain, the nearest there is.

    ``from`` and ``to`` are days, half-open; ``min`` and ``max`` seconds, half-open;
    ``page`` and ``table`` may be repeated. Without ``user`` it is the busiest one,
    with an empty one everyone.
    """
    ignored: list[str] = []
    asked: dict[str, list[str]] = {}
    for key, value in parse_qsl(query.removeprefix("?"), keep_blank_values=True):
        if key not in _KEYS:
            ignored.append(f"“{name_text(key)}” means nothing here")
        elif value in asked.setdefault(key, []):
            continue
        elif asked[key] and key not in _SEVERAL:
            ignored.append(f"a second “{key}”")
        else:
            asked[key].append(value)
    one = {key: values[0] for key, values in asked.items() if values}

    def choice(key: str, choices: Sequence[str]) -> str:
        value = one.get(key, choices[0])
        if value in choices:
            return value
        words = ", ".join(dict.fromkeys(name.removeprefix("-") for name in choices))
        ignored.append(f"{key} “{name_text(value)}”, which is none of {words}")
        return choices[0]

    user = one.get("user", opening(activity).selection.user)
    if user and not activity.has_user(user):
        ignored.append(f"user “{name_text(user)}”, who has no session")
        user = None
    start, end = _dates(one.get("from"), one.get("to"), activity, ignored)
    pages = asked.get("page", [])
    known = set(activity.pages) if pages else set()
    for page in pages:
        if page not in known:
            ignored.append(f"page “{name_text(page)}”, which has no session")
    shortest, longest = _durations(one.get("min"), one.get("max"), activity, ignored)
    for chart in asked.get("table", []):
        if chart not in ids.CHARTS:
            ignored.append(f"table “{name_text(chart)}”, which there isn't")
    columns = get_args(Column)
    sort = choice("sort", ["time", *columns, *(f"-{column}" for column in columns)])
    sheet = one.get("sheet", "1")
    if not re.fullmatch("[1-9][0-9]{0,8}", sheet):
        ignored.append(f"sheet “{name_text(sheet)}”, which there isn't")
        sheet = "1"
    view = View(
        Selection(
            user=user or None,
            start=start,
            end=end,
            pages=tuple(page for page in pages if page in known),
            shortest=shortest,
            longest=longest,
        ),
        statistic=cast(Statistic, choice("stat", get_args(Statistic))),
        scale=cast(Scale, choice("scale", get_args(Scale))),
        timeline=cast(Measure, choice("timeline", get_args(Measure))),
        tables=tuple(chart for chart in asked.get("table", []) if chart in ids.CHARTS),
        sort=cast(Column, sort.removeprefix("-")),
        reverse=sort.startswith("-"),
        find=one.get("find", ""),
        sheet=int(sheet),
    )
    return Read(view, list(dict.fromkeys(ignored)))


def periods(activity: Activity) -> dict[str, tuple[str, date | None, date | None]]:
    """The dates that are picked by a name: all, the last so many days, each month.

    By their key: the words for them, and the first day and the one after the last.
    The days are those of the data; what would be all of them is left out.
    """
    first, last = first_and_last(activity)
    found: dict[str, tuple[str, date | None, date | None]] = {
        "all": ("All dates", None, None)
    }
    for n in (7, 30, 90):
        if (last - first).days >= n:
            start = last - timedelta(days=n - 1)
            found[f"last-{n}"] = (f"Last {n} days", start, None)
    months = np.unique(activity.days.astype("datetime64[M]"))[-_MAX_MONTHS:]
    if len(months) > 1:
        for month in months[::-1]:
            start = month.astype(date)
            after = None if month == months[-1] else (month + 1).astype(date)
            dates = clipped(start, after, activity)
            found[str(month)] = (f"{start:%B} {start.year}", *dates)
    return found


def whole(activity: Activity) -> tuple[date, date]:
    """The first day of the data, and the day after the last.

    After 31 December 9999 there is none: then that day itself.
    """
    first, last = first_and_last(activity)
    return first, min(last, date.max - timedelta(days=1)) + timedelta(days=1)


def clipped(
    start: date | None, end: date | None, activity: Activity
) -> tuple[date | None, date | None]:
    """Dates without what lies before or behind all data: None there."""
    first, last = first_and_last(activity)
    return (
        start if start and start > first else None,
        end if end and end <= last else None,
    )


def duration_edges(activity: Activity) -> list[float]:
    """The durations, in seconds, that a filter can begin or end at."""
    edges = np.union1d(activity.edges[:-1], activity.log_edges)
    return cast(list[float], edges.tolist())


def first_and_last(activity: Activity) -> tuple[date, date]:
    """The days of the data's first session and of its last."""
    first, last = activity.days[[0, -1]].tolist()
    return first, last


def _unless(usual: object, value: Any) -> Any:
    return None if value == usual else value


def _dates(
    start: str | None, end: str | None, activity: Activity, ignored: list[str]
) -> tuple[date | None, date | None]:
    def day(key: str, text: str | None) -> date | None:
        if text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            ignored.append(f"{key} “{name_text(text)}”, which is no day")
            return None

    from_, to = day("from", start), day("to", end)
    if from_ and to and from_ >= to:
        ignored.append(f"from {from_} to {to}, between which there is no day")
        return None, None
    first, last = first_and_last(activity)
    if (from_ and from_ > last) or (to and to <= first):
        ignored.append("dates outside the data")
        return None, None
    return clipped(from_, to, activity)


def _durations(
    least: str | None, most: str | None, activity: Activity, ignored: list[str]
) -> tuple[float | None, float | None]:
    edges = duration_edges(activity)

    def edge(key: str, text: str | None, among: list[float]) -> float | None:
        if text is None:
            return None
        try:
            seconds = float(text)
        except ValueError:
            seconds = inf
        if not 0 <= seconds < inf:
            ignored.append(f"{key} “{name_text(text)}”, which is no duration")
            return None
        # What is far above all would be as far from each.
        near = min(seconds, among[-1])
        nearest = min(among, key=lambda edge: abs(edge - near))
        if abs(nearest - seconds) > 1e-6 * nearest:
            words = f"{key} “{name_text(text)}”, to which {edge_text(nearest)}"
            ignored.append(f"{words} is nearest")
        return nearest

    shortest, longest = edge("min", least, edges[:-1]), edge("max", most, edges[1:])
    if shortest is not None and longest is not None and shortest >= longest:
        ignored.append("min and max, between which there is nothing")
        return None, None
    return shortest, longest
