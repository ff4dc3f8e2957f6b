"""Two sides that are compared: what is picked, and something else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

import dates
import versus
from charts.chance import Differences, differences
from charts.rows import PageStatistics, pool
from charts.sentences import FEW, dates_text
from engine.model import (
    Engine,
    Facts,
    Selection,
    Statistic,
    Tally,
    divide_or_nan,
)
from formatting import count_text, name_text, user_text
from labels import LONGEST_USER, distinct
from view import View

Relation = Literal["apart", "within", "overlapping"]
"""Whether no session is on both sides, all of one are on the other, or some are."""


class Side(NamedTuple):
    """One of the sides."""

    name: str
    """What it is called: "user_7", "everyone", "March 2024"."""
    tally: Tally
    start: date
    """Its first day, and the one after its last, in the data or not."""
    end: date
    n_days: int
    """How many of its days are between the first and the last of the data."""
    whole: tuple[date, date]
    """The days that the data has from their start to their end, [first, end)."""
    n_users: int = 1
    """How many users' numbers are added up, those of everyone apart."""


class Sides(NamedTuple):
    """What is picked, and what it is compared with."""

    this: Side
    other: Side
    relation: Relation
    everyone: Tally | None
    """A third to hold both against, where neither is everyone."""
    days: dates.Days
    """The days of the data."""

    @property
    def is_beside_everyone(self) -> bool:
        """Whether the other side is everyone, this one among them."""
        return self.relation == "within" and self.everyone is None

    @property
    def have_other_dates(self) -> bool:
        """Whether two periods are compared."""
        return (self.this.start, self.this.end) != (self.other.start, self.other.end)

    def compared(
        self, by_day: Callable[[Tally], NDArray[Any]]
    ) -> tuple[float, float, str]:
        """A sum of both sides as it can be compared, and the words for the rate.

        *by_day* gives (days,) of what is added up. Periods are compared by their whole
        days, since one that has only begun has less of everything; NaN stands for a
        period without any. Several users are compared as the average one.
        """
        sides = (self.this, self.other)
        if not self.have_other_dates:
            rate = "" if self.this.n_users == self.other.n_users else " per user"
            a, b = (
                float(by_day(side.tally).sum()) / (max(side.n_users, 1) if rate else 1)
                for side in sides
            )
            return a, b, rate
        n_days = [(side.whole[1] - side.whole[0]).days for side in sides]
        sums = []
        for side in sides:
            first, end = np.array(side.whole, "M8[D]")
            inside = (self.days >= first) & (self.days < end)
            sums.append(float(by_day(side.tally)[inside].sum()))
        if n_days[0] == n_days[1] and n_days == [side.n_days for side in sides]:
            return sums[0], sums[1], ""
        a, b = divide_or_nan(np.array(sums), np.array(n_days)).tolist()
        return a, b, " a day"

    def differ(self, statistic: Statistic) -> bool:
        """Whether typical sessions differ by more than chance, as far as it is tested.

        Only averages are; of others those of a few sessions are taken for chance.
        """
        if statistic == "average":
            tested = self.overall()
            return tested is not None and bool(tested.beyond_chance[0])
        known = (int(side.tally.known.sum()) for side in (self.this, self.other))
        return min(known) >= FEW

    def by_page(self) -> Differences | None:
        """Whether averages differ by more than chance, page by page; None: untested."""
        return self._test(self.this.tally, self.other.tally)

    def overall(self) -> Differences | None:
        """The same of all pages together, as one page."""
        pages = np.zeros(len(self.this.tally.sessions), np.int64)
        this, other = (pool(side.tally, pages, 1) for side in (self.this, self.other))
        return self._test(this, other)

    def _test(
        self, this: Tally | PageStatistics, other: Tally | PageStatistics
    ) -> Differences | None:
        if self.relation == "overlapping":
            return None
        return differences(
            this, other if self.relation == "within" else _together(this, other)
        )


class _Moments(NamedTuple):
    known: NDArray[np.int64]
    seconds: NDArray[np.float64]
    squared_deviations: NDArray[np.float64]


def _together(a: Tally | PageStatistics, b: Tally | PageStatistics) -> _Moments:
    """The moments of two groups that share nothing."""
    known = a.known + b.known
    both = (a.known > 0) & (b.known > 0)
    between = np.zeros(len(known))
    n, m = a.known[both].astype(np.float64), b.known[both].astype(np.float64)
    difference = a.seconds[both] / n - b.seconds[both] / m
    between[both] = n * m / (n + m) * difference**2
    squared = a.squared_deviations + b.squared_deviations + between
    return _Moments(known, a.seconds + b.seconds, squared)


def find_sides(engine: Engine, view: View) -> Sides | None:
    """Ask for both sides; None where there is nothing to compare with.

    Without ``View.versus`` a user is compared with everyone. With everyone picked,
    another user, or some, are compared with everyone. Raises as ``Engine`` does.
    """
    selection, facts = view.selection, engine.facts
    summary = engine.summarise(selection)
    everyone = _side("everyone", summary.everyone, selection, facts)
    user = None
    if summary.user is not None:
        user = _side(user_text(selection.user or ""), summary.user, selection, facts)
    against = view.versus
    if against is None:
        if user is None:
            return None
        return Sides(user, everyone, "within", None, facts.days)
    if against.is_period:
        return _periods(engine, view, against, summary.subject)
    if against.kind == "user":
        n_users, picked = 1, replace(selection, user=against.text)
        tally = engine.summarise(picked).user
        name = user_text(against.text)
        if user is not None and user.name == name:
            # Long names may be alike up to where they are cut.
            own, name = distinct([selection.user or "", against.text], LONGEST_USER)
            user = user._replace(name=own)
    else:
        tally = engine.tally_named(against.text, selection)
        n_users = engine.count_named(against.text)
        users = count_text(n_users, "user") if n_users else "users"
        name = f"{users} with “{name_text(against.text)}” in the name"
    if tally is None:
        return None
    other = _side(name, tally, selection, facts)._replace(n_users=n_users)
    if user is None:
        return Sides(other, everyone, "within", None, facts.days)
    is_among = against.kind == "names" and engine.is_named(
        against.text, selection.user or ""
    )
    relation: Relation = "within" if is_among else "apart"
    return Sides(user, other, relation, everyone.tally, facts.days)


def find_before(engine: Engine, view: View, tally: Tally) -> Sides | None:
    """The picked dates, whose *tally* is known, beside the period before.

    None where no dates are picked, or the data has nothing of the period before.
    """
    if view.selection.start is None and view.selection.end is None:
        return None
    sides = _periods(engine, view, versus.Versus("before"), tally)
    return sides if sides and sides.other.n_days else None


def _periods(
    engine: Engine, view: View, against: versus.Versus, tally: Tally
) -> Sides | None:
    """The picked dates beside others, of the same user or of everyone."""
    selection, facts = view.selection, engine.facts
    others = versus.other_dates(against, selection, facts.days)
    if others is None:
        return None
    moved = replace(selection, start=others[0], end=others[1])
    start, end = versus.picked_dates(selection, facts.days)
    this = _side(dates_text(start, end), tally, selection, facts)
    there = engine.summarise(moved).subject
    other = _side(dates_text(*others), there, moved, facts)
    relation: Relation = "apart"
    if start < others[1] and others[0] < end:
        relation = "overlapping"
    return Sides(this, other, relation, None, facts.days)


def _side(name: str, tally: Tally, selection: Selection, facts: Facts) -> Side:
    start, end = versus.picked_dates(selection, facts.days)
    n_days = int(dates.count_weekdays(start, end, facts.days).sum())
    first, end_of_whole = dates.whole_days(facts.days, facts.first, facts.last)
    whole = max(start, first), min(end, end_of_whole)
    if whole[1] < whole[0]:
        whole = whole[0], whole[0]
    return Side(name, tally, start, end, n_days, whole)
