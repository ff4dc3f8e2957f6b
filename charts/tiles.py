"""The tiles: headline numbers of the selection, beside everyone's, with ranks."""

from typing import Final, NamedTuple

import dates
from charts.sentences import FEW, STATISTICS, comparison, known_duration_text
from engine.model import Engine, Rank, Summary
from formatting import count_text, duration_text, instant_text, ordinal, percent_text
from view import View

TILES: Final = ("sessions", "total", "typical", "active", "last")
"""The names of the tiles, in the order of the page."""


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
    beside = _beside_all(summary) if summary.user is None else _beside(summary, view)
    if 0 < known < FEW:
        beside["typical"] += ", may be chance"
    return {name: Tile(*values[name], beside[name]) for name in TILES}


def ranks(engine: Engine, view: View) -> dict[str, str]:
    """The picked user's places, "12th of 50", by ``TILES``; empty without a user."""
    found = engine.ranks(view.selection, view.statistic)
    if found is None:
        return dict.fromkeys(TILES, "")
    return {
        "sessions": _rank_text(found.sessions),
        "total": _rank_text(found.time),
        "typical": _rank_text(found.statistic),
        "active": _rank_text(found.active_days),
        "last": _rank_text(found.last),
    }


def _rank_text(rank: Rank | None) -> str:
    if rank is None:
        return "no rank"
    return f"{ordinal(rank.place)} of {rank.n_users:,}"


def _n_days(summary: Summary) -> str:
    selection = summary.selection
    weekdays = dates.count_weekdays(selection.start, selection.end, summary.facts.days)
    return count_text(int(weekdays.sum()), "day")


def _beside_all(summary: Summary) -> dict[str, str]:
    """What everyone's numbers stand beside: all the data."""
    everyone = summary.everyone
    n, known = int(everyone.sessions.sum()), int(everyone.known.sum())
    return {
        "sessions": f"{percent_text(n, summary.facts.n_sessions)} of all",
        "total": f"of {count_text(known, 'session')}",
        "typical": f"of {count_text(known, 'session')}",
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
