"""The tiles: headline numbers of the selection, beside everyone's, with ranks."""

from string import ascii_letters
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

import dates
from charts.sentences import (
    FEW,
    STATISTICS,
    change_text,
    comparison,
    is_beside,
    known_duration_text,
)
from charts.sides import Sides
from engine.model import Engine, Rank, Summary, divide_or_nan
from formatting import count_text, duration_text, instant_text, ordinal, percent_text
from view import View

TILES: Final = ("sessions", "total", "typical", "active", "last")
"""The names of the tiles, in the order of the page."""


_FEWEST: Final = 4
"""A line of fewer values than this shows nothing."""

_LEVELS: Final = ascii_letters.swapcase()
"""The letters of a line, from the lowest level up."""


class Tile(NamedTuple):
    """One headline number."""

    label: str
    value: str
    beside: str
    """What it is to be compared with."""


def tiles(summary: Summary, view: View) -> dict[str, Tile]:
    """The tiles of a summary with every filter, by their names in ``TILES``."""
    subject, statistic = summary.subject, view.statistic
    typical, known = subject.overall(statistic), int(subject.known.sum())
    total = known_duration_text(float(subject.seconds.sum()), known=known > 0)
    values = {
        "sessions": ("Sessions", f"{subject.sessions.sum():,}"),
        "total": ("Total time", total),
        "typical": (
            f"{STATISTICS[statistic].label} session",
            known_duration_text(typical, known=known > 0),
        ),
        "active": ("Active days", f"{subject.active_days:,}"),
        "last": ("Last seen", instant_text(subject.last)),
    }
    beside = _beside_all(summary)
    if is_beside(summary):
        beside = _beside(summary, view)
    if 0 < known < FEW:
        beside["typical"] += ", may be chance"
    return {name: Tile(*values[name], beside[name]) for name in TILES}


def changes(sides: Sides | None, view: View) -> dict[str, str]:
    """How numbers differ from those of the period before, by ``TILES``.

    A tile is left out where there is nothing to compare with, see ``Sides.compared``.
    """
    found: dict[str, str] = {}
    if sides is None:
        return found
    before = sides.other

    def change(value: float, other: float, unit: str = "") -> str:
        words = change_text(value, other)
        if not words:
            return ""
        if words.endswith("%"):
            return f"{words}{unit} on {before.name}"
        as_ = " as" if words.startswith("about") else ""
        return f"{words}{as_} {before.name}{f',{unit}' if unit else ''}"

    a, b = sides.this.tally, before.tally
    found["sessions"] = change(*sides.compared(lambda tally: tally.day_sessions))
    if a.known.any() and b.known.any():
        found["total"] = change(*sides.compared(lambda tally: tally.day_seconds))
        statistic = view.statistic
        found["typical"] = change(a.overall(statistic), b.overall(statistic))
        is_change = found["typical"] and not found["typical"].startswith("about")
        if is_change and not sides.differ(statistic):
            found["typical"] += ", may be chance"
    return {name: words for name, words in found.items() if words}


def lines(summary: Summary, view: View) -> dict[str, str]:
    """The small lines of the tiles over the selected dates, by ``TILES``.

    Each has a letter by day, or by week, month or year; by hour for sessions of one
    day. From A for zero to z for the largest there are 52 of them, which is as much as
    a small line shows, and short on the wire. A period of which only a part is selected
    or in the data is left out at either end, since the line would fall there. There is
    no line of a few values, nor one with gaps.
    """
    subject, facts = summary.subject, summary.facts
    selection = summary.selection
    is_in = np.ones(len(facts.days), bool)
    if selection.start is not None:
        is_in &= facts.days >= np.datetime64(selection.start)
    if selection.end is not None:
        is_in &= facts.days < np.datetime64(selection.end)
    days = facts.days[is_in]
    found = dict.fromkeys(TILES, "")
    if not len(days):
        return found
    if len(days) == 1:
        return found | {"sessions": _letters(subject.hours[is_in][0].astype(float))}
    edges = dates.period_edges(days, dates.period_unit(days))
    whole = _is_whole(edges, summary)

    def by_period(by_day: NDArray[Any]) -> NDArray[np.float64]:
        return dates.sum_by_period(by_day[is_in], days, edges)[whole]

    seconds = by_period(subject.day_seconds)
    found["sessions"] = _letters(by_period(subject.day_sessions))
    found["total"] = _letters(seconds)
    if view.statistic == "average":
        known = by_period(subject.day_known)
        found["typical"] = _letters(divide_or_nan(seconds, known))
    return found


def _is_whole(edges: dates.Days, summary: Summary) -> NDArray[np.bool_]:
    """(periods,): whether all of each period is selected, and is in the data."""
    selection, facts = summary.selection, summary.facts
    tolerance = np.timedelta64(dates.TOLERANCE)
    first = np.datetime64(facts.first, "s") - tolerance
    stop = np.datetime64(facts.last, "s") + tolerance
    if selection.start is not None:
        first = max(first, np.datetime64(selection.start, "s"))
    if selection.end is not None:
        stop = min(stop, np.datetime64(selection.end, "s"))
    begins = edges.astype("M8[s]")
    whole: NDArray[np.bool_] = (begins[:-1] >= first) & (begins[1:] <= stop)
    return whole


def _letters(values: NDArray[np.float64]) -> str:
    """The letters of a line; none for a few values or with gaps between them."""
    there = np.flatnonzero(~np.isnan(values))
    if len(there) < _FEWEST or there[-1] - there[0] >= len(there):
        return ""
    values = values[there]
    largest = values.max() or 1
    levels = np.rint(51 * values / largest).astype(int)
    return "".join(map(_LEVELS.__getitem__, levels.tolist()))


def ranks(engine: Engine, view: View) -> dict[str, str]:
    """The picked user's places, "12th of 50", by ``TILES``; empty without a user."""
    found = engine.ranks(view.selection, view.statistic)
    if found is None:
        return dict.fromkeys(TILES, "")
    n_users = found.sessions.n_users if found.sessions else 0
    return {
        "sessions": _rank_text(found.sessions),
        "total": _rank_text(found.time, n_users),
        "typical": _rank_text(found.statistic, n_users),
        "active": _rank_text(found.active_days),
        "last": _rank_text(found.last),
    }


def _rank_text(rank: Rank | None, n_users: int = 0) -> str:
    """A place in words; none for one that all users share.

    Of more *n_users* the others have no known times.
    """
    if rank is None or rank.n_equal == rank.n_users:
        return ""
    shared = (
        f", with {count_text(rank.n_equal - 1, 'other')}" if rank.n_equal > 1 else ""
    )
    known = " with known times" if rank.n_users < n_users else ""
    return f"{ordinal(rank.place)} of {rank.n_users:,}{known}{shared}"


def _n_days(summary: Summary) -> str:
    selection = summary.selection
    weekdays = dates.count_weekdays(selection.start, selection.end, summary.facts.days)
    return count_text(int(weekdays.sum()), "day")


def _beside_all(summary: Summary) -> dict[str, str]:
    """What numbers stand beside that are everyone's: all the data."""
    everyone, n_all = summary.everyone, summary.facts.n_sessions
    n, known = int(everyone.sessions.sum()), int(everyone.known.sum())
    of_known = f"of {count_text(known, 'session')}" if known else ""
    return {
        "sessions": f"{percent_text(n, n_all)} of {n_all:,}" if n < n_all else "",
        "total": of_known,
        "typical": of_known,
        "active": f"of {_n_days(summary)}",
        "last": "",
    }


def _beside(summary: Summary, view: View) -> dict[str, str]:
    """What a user's numbers stand beside: everyone's.

    Where the user's aren't known, or everyone's are zero, everyone's stand alone.
    """
    user, everyone, statistic = summary.subject, summary.everyone, view.statistic
    n, n_everyone = int(user.sessions.sum()), int(everyone.sessions.sum())
    seconds, all_seconds = float(user.seconds.sum()), float(everyone.seconds.sum())
    is_known, has_any = user.known.any(), bool(everyone.known.any())
    total = f"everyone: {known_duration_text(all_seconds, known=has_any)}"
    if is_known and all_seconds:
        share = percent_text(seconds, all_seconds)
        total = f"{share} of everyone's {duration_text(all_seconds)}"
    typical_of_everyone = everyone.overall(statistic)
    typical_text = known_duration_text(typical_of_everyone, known=has_any)
    typical = f"everyone: {typical_text}"
    if is_known and typical_of_everyone:
        noun = f"everyone's {typical_text}"
        typical = comparison(user.overall(statistic), typical_of_everyone, noun)
    return {
        "sessions": f"{percent_text(n, n_everyone)} of everyone's {n_everyone:,}",
        "total": total,
        "typical": typical,
        "active": f"of {_n_days(summary)}",
        "last": f"everyone: {instant_text(everyone.last)}",
    }
