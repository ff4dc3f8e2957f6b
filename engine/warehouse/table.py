"""The table in a database that holds sessions: how its rows are read in SQL."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa

from engine.warehouse.words import Sql, number
from engine.warehouse.zones import IN_UTC, Changes
from schema import LONGEST_DURATION

YEAR_1: Final = -62_135_596_800
"""The start of the year 1, in seconds since 1970: what times in SQL count from."""

YEAR_10000: Final = 253_402_300_800
"""The end of the year 9999, in seconds since 1970."""

_LARGEST: Final = 9 * 10**18
"""Larger numbers may not be integers of 64 bits."""

MICROS: Final = 1_000_000
"""Microseconds of a second."""

REASONS: Final = (
    "no user",
    "no page",
    "no time",
    "a negative duration",
    "a duration over a century",
)
"""Why rows are left out; in SQL the index of a row's first reason, plus 1, else 0."""


class Column(NamedTuple):
    """A column of the table."""

    name: str
    kind: pa.DataType
    """Its type in answers."""


@dataclass(frozen=True)
class SessionTable:
    """A table whose rows are sessions, or page views, and what of it counts."""

    path: tuple[str, ...]
    """The name of the table, perhaps with that of its schema before it."""
    user: Column
    page: Column
    time: Column
    """The start."""
    duration: Column | None = None
    """None: durations follow from the end, or from the user's next row."""
    end: Column | None = None
    """The end, instead of a duration."""
    seconds_per_unit: float = 1
    """Seconds in one of the duration's units."""
    number_unit: str = "s"
    """The unit of times that are numbers since 1970: s, ms, us or ns."""
    where: tuple[tuple[Column, str], ...] = ()
    """A row counts only if these columns, as text, are these; nothing is empty."""
    visit_gap: float = 1_800
    """Seconds: the longest duration that follows from the user's next row."""
    times_are: Changes = IN_UTC
    """The zone of times that name none."""
    zero_is_unknown: bool = False
    negative_is_unknown: bool = False
    longest: float | None = None
    """Seconds: longer durations are unknown."""

    @property
    def is_derived(self) -> bool:
        """Whether durations follow from the user's next row."""
        return self.duration is None and self.end is None

    def rows(
        self, sql: Sql, *, user: str | None, until: int | None, are_usable: bool = False
    ) -> str:
        """A query of all rows, or a user's, that are asked for, usable or not.

        Its columns are the user ``u``, the page ``p``, the start ``t`` in microseconds
        since 1970, the duration ``d`` in seconds, and the reason ``r`` to leave the row
        out, or 0, see ``REASONS``. *until* is the latest start, as ``t``. With
        *are_usable* rows are known to be usable, so that no more columns are read than
        are asked for: all have 0, but those without a time aren't there. (Where
        durations are derived, all columns are read anyway.)
        """
        words = sql.words
        u, p = (
            f"cast({words.name(column.name)} as {words.text}){words.by_bytes}"
            for column in (self.user, self.page)
        )
        t = self._micros(sql, self.time)
        columns = [f"{u} as u", f"{p} as p", f"{t} as t"]
        if self.end is not None:
            columns.append(f"{self._micros(sql, self.end)} as e")
        elif self.duration is not None:
            columns.append(f"{self._seconds(sql, self.duration)} as d")
        conditions = [
            f"coalesce(cast({words.name(column.name)} as {words.text}), '')"
            f"{words.by_bytes} = {sql.bind(value)}"
            for column, value in self.where
        ]
        if user is not None:
            conditions.append(self._is_user(sql, user))
        text = f"select {', '.join(columns)} from {words.name(*self.path)}"
        if conditions:
            text += f" where {' and '.join(conditions)}"
        bounds = [] if until is None else [f"t <= {until}"]
        are_usable = are_usable and not self.is_derived
        if are_usable:
            bounds.append(f"t >= {YEAR_1 * MICROS}")
        text = f"select u, p, t, {self._duration(sql)} as d from ({text}) a"
        if bounds:
            text += f" where {' and '.join(bounds)}"
        reason = "0" if are_usable else self._reason()
        text = f"select u, p, t, d, {reason} as r from ({text}) b"
        return self._with_next(sql, text) if self.is_derived else text

    def _micros(self, sql: Sql, column: Column) -> str:
        """A time in microseconds since 1970."""
        name, kind = sql.words.name(column.name), column.kind
        types = pa.types
        if types.is_floating(kind) or types.is_decimal(kind) or types.is_integer(kind):
            return self._from_number(sql, name, kind)
        micros = sql.words.micros(name, kind)
        if self.times_are.is_utc or getattr(kind, "tz", None) is not None:
            return micros
        return self.times_are.from_local(micros)

    def _from_number(self, sql: Sql, name: str, kind: pa.DataType) -> str:
        """A time in microseconds since 1970, where it is a number; else NULL."""
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[self.number_unit]
        words, factor, given = sql.words, MICROS // per_second, name
        is_whole = pa.types.is_integer(kind)
        if is_whole and factor:
            # The product may need a wider type than the number has.
            micros = f"cast({name} as {words.integer}) * {factor}"
        elif factor:
            if pa.types.is_decimal(kind):
                # The product may have more digits than the type has room for.
                name = f"cast({name} as decimal(38, 6))"
            micros = f"cast({name} * {factor} as {words.integer})"
        else:
            whole = f"cast({name} as {words.integer})"
            micros = words.divide(whole, per_second // MICROS)
        # Of others, such as NaN, there may be no integer: that would be an error.
        most = min(YEAR_10000 * per_second, _LARGEST)
        bounds = [str(n) if is_whole else number(n) for n in (-most, most)]
        within = f"{given} > {bounds[0]} and {given} < {bounds[1]}"
        return f"case when {within} then {micros} end"

    def _seconds(self, sql: Sql, column: Column) -> str:
        name = sql.words.name(column.name)
        if pa.types.is_integer(column.kind):
            seconds = f"cast({name} as {sql.words.double})"
        else:
            seconds = sql.words.to_double(name)
        per_second = round(1 / self.seconds_per_unit)
        if per_second > 1:
            # 9,934 ms times 0.001 would be 9.934000000000001 s.
            return f"{seconds} / {number(per_second)}"
        return f"{seconds} * {number(self.seconds_per_unit)}"

    def _is_user(self, sql: Sql, user: str) -> str:
        """A condition that lets the database look a user up in an index."""
        name = sql.words.name(self.user.name)
        if pa.types.is_integer(self.user.kind) and _is_integer(user):
            return f"{name} = {sql.bind(int(user))}"
        text, bound = f"cast({name} as {sql.words.text})", sql.bind(user)
        # An index has the collation of its column, by which more may be equal.
        by_bytes = sql.words.by_bytes
        exactly = f" and {text}{by_bytes} = {bound}" if by_bytes else ""
        return f"{text} = {bound}{exactly}"

    def _duration(self, sql: Sql) -> str:
        """The duration in seconds; a negative one where an end is before its start."""
        if self.is_derived:
            return f"cast(null as {sql.words.double})"
        if self.end is not None:
            return self._known(f"(e - t) / {number(MICROS)}")
        return f"case when not {sql.words.is_nan('d')} then {self._known('d')} end"

    def _known(self, seconds: str) -> str:
        """Durations, but for those that stand for unknown ones."""
        conditions = []
        if self.zero_is_unknown:
            conditions.append(f"{seconds} = 0")
        if self.negative_is_unknown:
            conditions.append(f"{seconds} < 0")
        if self.longest is not None:
            conditions.append(f"{seconds} > {number(self.longest)}")
        if not conditions:
            return seconds
        return f"case when {' or '.join(conditions)} then null else {seconds} end"

    def _reason(self) -> str:
        earliest, latest = YEAR_1 * MICROS, YEAR_10000 * MICROS
        return (
            f"case when {_is_blank('u')} then 1 when {_is_blank('p')} then 2"
            f" when t is null or t < {earliest} or t >= {latest} then 3"
            f" when d < 0 then 4 when d > {number(LONGEST_DURATION)} then 5 else 0 end"
        )

    def _with_next(self, sql: Sql, rows: str) -> str:
        """Rows with the time to the same user's next row as their duration."""
        # Rows that are left out are apart, so that they end no stay.
        # Of a column that is never NULL, ClickHouse has 0 behind the last.
        order = f"partition by r, u order by t, p{sql.words.by_bytes}"
        follows = f"lead(cast(t as {sql.words.integer})) over ({order})"
        gaps = f"select u, p, t, r, {follows} - t as g from ({rows}) c"
        known = self._known(f"g / {number(MICROS)}")
        longest = int(self.visit_gap * MICROS)
        return (
            f"select u, p, t, case when g <= {longest} then {known} end as d, r"
            f" from ({gaps}) d"
        )


def _is_blank(name: str) -> str:
    """A condition for texts that are NULL, empty, or of blanks alone."""
    # Few begin with a blank: trimming every one would take longer.
    blanks = f"substr({name}, 1, 1) = ' ' and trim({name}) = ''"
    return f"{name} is null or {name} = '' or ({blanks})"


def _is_integer(text: str) -> bool:
    """Whether a text is an integer as a database writes it."""
    digits = text.removeprefix("-")
    is_plain = digits.isascii() and digits.isdigit() and len(digits) < 19
    return is_plain and str(int(text)) == text
