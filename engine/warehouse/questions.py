"""The questions that a database is asked, each as one text of plain SQL."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.dimensions import DAY
from engine.model import BinEdges, Selection
from engine.warehouse.table import MICROS, YEAR_1, SessionTable
from engine.warehouse.words import Sql, Value, Words, number, pick
from engine.warehouse.zones import IN_UTC, Changes
from schema import LONGEST_DURATION

FINE_PER_DOUBLING: Final = 64
"""Fine bins of durations for each doubling."""

NO_FINE_BIN: Final = -2
"""Stands for the fine bin of what is no usable duration."""

_FINEST: Final = 2.0**-7
"""Seconds: shorter durations share a fine bin."""


def fine_edges(n: int) -> NDArray[np.float64]:
    """(n,): where the first fine bins begin, in seconds."""
    inner = _FINEST * 2.0 ** (np.arange(n - 1) / FINE_PER_DOUBLING)
    return np.concatenate([[0.0], inner])


class Question(NamedTuple):
    """A text of SQL with the values that are bound to it."""

    about: str
    """What it asks for, in words, such as "users"."""
    text: str
    values: tuple[Value, ...]


class Group(NamedTuple):
    """Which sessions are asked about, before any filter."""

    user: str | None = None
    named: str = ""
    """What the names of its users contain, ignoring case."""
    until: int | None = None
    """The latest start that counts, in microseconds since 1970."""
    are_usable: bool = False
    """Whether its rows are known to be usable, so that none needs a look.

    In answers NULL and blank names, and durations that can't be (bins of -1, fine bins
    of ``NO_FINE_BIN``), are of rows that came since then.
    """


@dataclass(frozen=True)
class Bins:
    """What durations are counted by."""

    edges: tuple[float, ...]
    """The finite edges of the bins that are shown, in seconds, from 0 on."""
    mean: float
    """Seconds that squared deviations are from."""
    quantum: float
    """The power of two, in seconds, that durations are rounded to in sums."""

    @classmethod
    def of(cls, edges: BinEdges, mean: float, quantum: float) -> "Bins":
        """The bins of both kinds of edges together."""
        together = np.union1d(*edges)
        return cls(tuple(together[np.isfinite(together)].tolist()), mean, quantum)


class Frame(NamedTuple):
    """What pages and days are counted from in cells."""

    day: int
    """The first day, in days since the start of the year 1."""
    coded: tuple[str, ...] = ()
    """The pages, where they are few; each is then its index here."""


class Questions:
    """Writes the questions about one table, in the words of its database.

    In all of them ``u`` is a user, ``p`` a page, or the one of all others, ``o`` the
    page by its own name, ``d`` a duration in seconds or NULL,
    ``t`` a start in microseconds since 1970, and ``s`` the same as clocks show it, in
    seconds since the start of the year 1.
    """

    def __init__(
        self,
        table: SessionTable,
        words: Words,
        changes: Changes = IN_UTC,
        kept: tuple[str, ...] | None = None,
        others: str = "",
    ) -> None:
        """*changes* are those of the zone that is shown.

        All pages but those *kept* are one, named *others*; None keeps all.
        """
        self._table, self.words = table, words
        self._changes, self._kept, self._others = changes, kept, others

    def sessions_of(self, sql: Sql, group: Group) -> str:
        """A query of the usable sessions, with the columns u, p, o, d, t and s."""
        rows = self._table.rows(
            sql, user=group.user, until=group.until, are_usable=group.are_usable
        )
        whole = self.words.divide(f"t + {-YEAR_1 * MICROS}", MICROS)
        page = self._page(sql)
        text = (
            f"select u, {page} as p, p as o, d, t, {whole} as w from ({rows}) r"
            " where r = 0"
        )
        if group.named:
            text += f" and {self.position(sql, group.named)} > 0"
        # Changes count from 1970, w from the year 1.
        local = self._changes.moved(-YEAR_1).to_local("w")
        return f"select u, p, o, d, t, {local} as s from ({text}) w"

    def position(self, sql: Sql, search: str) -> str:
        """Where a text is in the name of a user, from 1 on, ignoring case; else 0."""
        bound = sql.bind(search.lower())
        return self.words.position(bound, self.words.lower("u"))

    def _page(self, sql: Sql) -> str:
        if self._kept is None:
            return "p"
        kept = ", ".join(map(sql.bind, self._kept))
        return f"case when p in ({kept}) then p else {sql.bind(self._others)} end"

    def filters(self, sql: Sql, selection: Selection) -> list[str]:
        """Conditions that are the filters of a selection, but its user."""
        conditions = []
        for day, sign in ((selection.start, ">="), (selection.end, "<")):
            if day is not None:
                midnight = (day.toordinal() - 1) * DAY
                conditions.append(f"s {sign} {sql.bind(midnight)}")
        if selection.pages:
            pages = ", ".join(map(sql.bind, dict.fromkeys(selection.pages)))
            conditions.append(f"p in ({pages})")
        if selection.shortest is not None or selection.longest is not None:
            conditions.append("d is not null")
        for seconds, sign in ((selection.shortest, ">="), (selection.longest, "<")):
            if seconds is not None and math.isinf(seconds):
                # No duration is infinite.
                conditions += ["1 = 0"] * (sign == ">=")
            elif seconds is not None:
                conditions.append(f"d {sign} {sql.bind(float(seconds))}")
        return conditions

    def selected(
        self, sql: Sql, group: Group, selection: Selection, *conditions: str
    ) -> str:
        """The selected sessions, as what stands behind "from"."""
        filters = [*self.filters(sql, selection), *conditions]
        where = f" where {' and '.join(filters)}" if filters else ""
        return f"({self.sessions_of(sql, group)}) y{where}"

    def question(self, about: str, sql: Sql, text: str) -> Question:
        """A question with the values that were bound to it."""
        return Question(about, text, tuple(sql.values))

    def totals(self) -> Question:
        """Counts and extremes by the reason ``r`` to leave rows out, and fine bin."""
        sql = Sql(self.words)
        rows = self._table.rows(sql, user=None, until=None)
        fine = self.fine()
        text = (
            f"select r, f, count(*) as n, min(t) as first, max(t) as last,"
            f" min(d) as least, max(d) as greatest, sum(d) as seconds"
            f" from (select r, t, d, {fine} as f from ({rows}) x) y group by r, f"
        )
        return self.question("totals", sql, text)

    def pages(self, group: Group, limit: int) -> Question:
        """The pages of most sessions, with how many these are."""
        sql = Sql(self.words)
        text = (
            f"select p, count(*) as n from ({self.sessions_of(sql, group)}) y"
            f" group by p order by n desc, p{self.words.by_bytes} limit {limit}"
        )
        return self.question("pages", sql, text)

    def sketch(self, group: Group, frame: Frame) -> Question:
        """How many sessions there are by page, day and fine bin.

        Columns are narrow, since databases group by what is narrow sooner: ``c`` is the
        page, or its index in ``frame.coded``, and ``day`` counts from ``frame.day``.
        """
        sql = Sql(self.words)
        day = f"{self.words.divide('s', DAY)} - {frame.day}"
        columns = (
            f"{self.coded(sql, frame)} as c,"
            f" cast({day} as {self.words.middle}) as day,"
            f" cast({self.fine()} as {self.words.small}) as f"
        )
        text = f"select {columns} from ({self.sessions_of(sql, group)}) y"
        text = f"select c, day, f, count(*) as n from ({text}) z group by c, day, f"
        return self.question("days and durations", sql, text)

    def cells(self, group: Group, frame: Frame, bins: Bins) -> Question:
        """Sessions by page, hour and bin, with sums.

        Columns are as in ``sketch``; hours count from the start of ``frame.day``, and
        ``last`` counts seconds from that of the hour.
        """
        sql = Sql(self.words)
        hour = f"{self.words.divide('s', 3_600)} - {24 * frame.day}"
        second = f"s - 3600 * cast(hour as {self.words.integer}) - {DAY * frame.day}"
        quanta = self.words.round(f"d * {number(1 / bins.quantum)}")
        mean = number(bins.mean)
        columns = (
            f"{self.coded(sql, frame)} as c, cast({hour} as {self.words.middle})"
            f" as hour, cast({self.bin(bins)} as {self.words.small}) as b, d, s"
        )
        text = f"select {columns} from ({self.sessions_of(sql, group)}) y"
        text = (
            f"select c, hour, b, count(*) as n, sum({quanta}) as quanta,"
            f" sum({self.words.square(f'd - {mean}')}) as squares,"
            f" max(cast({second} as {self.words.small})) as last"
            f" from ({text}) z group by c, hour, b"
        )
        return self.question("hours", sql, text)

    def coded(self, sql: Sql, frame: Frame) -> str:
        """The page, or its code where it has one."""
        if not frame.coded:
            return "p"
        bound = map(sql.bind, frame.coded)
        codes = " ".join(f"when {page} then {n}" for n, page in enumerate(bound))
        return f"cast(case p {codes} end as {self.words.small})"

    def users(self, group: Group, limit: int) -> Question:
        """The users of most sessions, with how many these are."""
        sql = Sql(self.words)
        text = (
            f"select u, count(*) as n from ({self.sessions_of(sql, group)}) y"
            f" group by u order by n desc, u{self.words.by_bytes} limit {limit}"
        )
        return self.question("users", sql, text)

    def count_days(self, group: Group) -> Question:
        """How many days have sessions."""
        return self._count("days", self.words.divide("s", DAY), group)

    def count_pages(self, group: Group) -> Question:
        """How many pages there are."""
        return self._count("pages", "p", group)

    def count_users(self, group: Group) -> Question:
        """How many users there are."""
        return self._count("users", "u", group)

    def _count(self, what: str, expression: str, group: Group) -> Question:
        sql = Sql(self.words)
        sessions = self.sessions_of(sql, group)
        text = f"select count(distinct {expression}) as n from ({sessions}) y"
        return self.question(f"the number of {what}", sql, text)

    def user_rows(self, group: Group, limit: int) -> Question:
        """The sessions of one user, in any order."""
        sql = Sql(self.words)
        text = f"select p, d, s from ({self.sessions_of(sql, group)}) y limit {limit}"
        return self.question("a user's sessions", sql, text)

    def ordered_rows(
        self, group: Group, selection: Selection, limit: int, offset: int
    ) -> Question:
        """Some of the selected sessions of one user, in order of time.

        Those of the same second are by page, then by duration, the unknown first.
        """
        sql = Sql(self.words)
        text = f"select p, d, s from {self.selected(sql, group, selection)}"
        text = (
            f"select * from ({text}) z order by s, p{self.words.by_bytes},"
            " case when d is null then 0 else 1 end, d"
            f" {self.words.some(limit, offset)}"
        )
        return self.question("a user's sessions in order", sql, text)

    def sessions(self, group: Group, selection: Selection, limit: int) -> Question:
        """The selected sessions in order, see ``Engine.sessions``.

        ``m`` are the microseconds of the start after its second.
        """
        sql = Sql(self.words)
        selected = self.selected(sql, group, selection)
        second = self.words.divide(f"t + {-YEAR_1 * MICROS}", MICROS)
        micros = f"t + {-YEAR_1 * MICROS} - ({second}) * {MICROS}"
        text = f"select u, o as p, d, s, {micros} as m from {selected}"
        by_bytes = self.words.by_bytes
        text = (
            f"select * from ({text}) z order by u{by_bytes}, s, m, p{by_bytes},"
            f" case when d is null then 0 else 1 end, d limit {max(limit, 0)}"
        )
        return self.question("the sessions", sql, text)

    def bin(self, bins: Bins) -> str:
        """The bin of a duration, see ``Dimensions``; 0 for unknown ones.

        Of what is no usable duration it is -1.
        """
        beyond = math.nextafter(LONGEST_DURATION, math.inf)
        edges = [0.0, *(edge for edge in bins.edges[1:] if edge < beyond), beyond]
        codes = ["-1", *map(str, range(1, len(edges))), "-1"]
        found = pick("d", list(map(number, edges)), codes)
        return f"case when d is null then 0 else {found} end"

    def fine(self) -> str:
        """The fine bin of a duration, of equal ratios; NULL for unknown ones.

        Of what is no usable duration it is ``NO_FINE_BIN``.
        """
        steps = number(FINE_PER_DOUBLING / math.log(2))
        fine = f"floor(ln(d * {number(1 / _FINEST)}) * {steps})"
        return (
            f"case when d < {number(_FINEST)}"
            f" then case when d < 0 then {NO_FINE_BIN} else 0 end"
            f" when d <= {number(LONGEST_DURATION)}"
            f" then 1 + cast({fine} as {self.words.integer})"
            f" when d > 0 then {NO_FINE_BIN} end"
        )
