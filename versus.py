"""What the selection is compared with: another user, some users, or another period."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

import dates
from dates import Days
from engine.model import Selection

Kind = Literal["user", "names", "before", "month", "quarter", "year", "dates"]
"""How what is compared with is said."""

_MONTHS_BEFORE: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "year": 12}
"""The kinds that are the same period so many months before."""

_WITH_TEXT: Final[tuple[Kind, ...]] = ("user", "names")
_PERIODS: Final[tuple[Kind, ...]] = ("before", "month", "quarter", "year")


class Versus(NamedTuple):
    """What the selection is compared with; all else of it stays the same."""

    kind: Kind
    text: str = ""
    """The name of the user, or what the names of the users contain."""
    start: date | None = None
    end: date | None = None
    """The days of ``dates``, [start, end)."""

    @property
    def is_period(self) -> bool:
        """Whether it is another period of the same user, or of everyone."""
        return self.kind not in _WITH_TEXT


def write(versus: Versus) -> str:
    """A text that ``read`` understands."""
    if versus.kind in _WITH_TEXT:
        return f"{versus.kind}:{versus.text}"
    if versus.kind == "dates":
        return f"{versus.start}/{versus.end}"
    return versus.kind


def read(text: str) -> Versus | None:
    """Understand a text; None where it means nothing.

    It is ``user:`` and a name, ``names:`` and a part of names, ``before``, ``month``,
    ``quarter`` or ``year``, or two days with a slash between them, half-open.
    """
    for kind in _WITH_TEXT:
        if text.startswith(f"{kind}:"):
            rest = text.removeprefix(f"{kind}:")
            return Versus(kind, rest) if rest else None
    for kind in _PERIODS:
        if text == kind:
            return Versus(kind)
    first, _, last = text.partition("/")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return None
    return Versus("dates", start=start, end=end) if start < end else None


def picked_dates(selection: Selection, days: Days) -> tuple[date, date]:
    """The dates of a selection, [start, end): those of the data where none are said."""
    first, last = dates.bounds(days)
    return selection.start or first, selection.end or dates.day_after(last)


def other_dates(
    versus: Versus, selection: Selection, days: Days
) -> tuple[date, date] | None:
    """The other period, [start, end); None where the calendar has no such days.

    Whole months are compared with whole months, and any other dates with as many days.
    """
    if versus.start is not None and versus.end is not None:
        return versus.start, versus.end
    start, end = picked_dates(selection, days)
    n_months = 12 * (end.year - start.year) + end.month - start.month
    are_months = start.day == end.day == 1
    back = _MONTHS_BEFORE.get(versus.kind)
    try:
        if versus.kind == "before" and not are_months:
            return start - (end - start), start
        earlier = _months_before(start, n_months if back is None else back)
        if are_months:
            return earlier, _months_before(end, n_months if back is None else back)
        return earlier, earlier + (end - start)
    except (ValueError, OverflowError):
        return None


def _months_before(day: date, n_months: int) -> date:
    """The same day so many months before, or the last of a month that has it not."""
    year, month = divmod(12 * day.year + day.month - 1 - n_months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def offset(start: date, other: date, *, weekdays: bool) -> timedelta:
    """What lays the period that begins on *other* under the one that begins on *start*.

    With *weekdays* it is whole weeks, the nearest, so that each weekday lies under its
    like.
    """
    days = (start - other).days
    return timedelta(days=7 * round(days / 7) if weekdays else days)
