"""The controls: what they say for a View, and the View that they ask for.

Values of controls come from the browser, and so are anything that JSON can hold: what
no control can say is refused with a BadRequest.
"""

import math
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final, get_args

from werkzeug.exceptions import BadRequest

import dates
import ids
from charts.chart import Switch
from engine.model import Engine, Statistic
from layout import ANY, EVERYONE, GROUPINGS
from view import LONGEST_SEARCH, MOST_PAGES, Length, View, is_picked

Control = tuple[str, str]
"""The id of a component and the property of it that a person sets."""

Values = Mapping[Control, Any]
"""What each control says."""

USER: Final = (ids.USER, "value")
PERIOD: Final = (ids.PERIOD, "value")
START: Final = (ids.DATES, "start_date")
END: Final = (ids.DATES, "end_date")
PAGES: Final = (ids.PAGES, "value")
SHORTEST: Final = (ids.SHORTEST, "value")
LONGEST: Final = (ids.LONGEST, "value")
STATISTIC: Final = (ids.STATISTIC, "value")
SEARCH: Final = (ids.SEARCH, "value")
MATCH: Final = (ids.MATCH, "value")
GROUPING: Final = (ids.GROUPING, "value")
ROWS: Final = (ids.ROWS, "value")


class Controls:
    """All controls of a page, over an engine's data.

    *switches* are the ones in the headings of charts.
    """

    def __init__(self, engine: Engine, switches: Sequence[Switch]) -> None:
        self._facts = engine.facts
        self._presets = dates.presets(engine.facts.days)
        self._switches = {(switch.id, "value"): switch for switch in switches}
        self._setters: dict[Control, Callable[[View, Values], View]] = {
            USER: self._set_user,
            START: self._set_dates,
            END: self._set_dates,
            # After the days: a named period is more than its days.
            PERIOD: self._set_period,
            PAGES: self._set_pages,
            SHORTEST: self._set_shortest,
            LONGEST: self._set_longest,
            STATISTIC: self._set_statistic,
            SEARCH: self._set_search,
            MATCH: self._set_match,
            GROUPING: self._set_grouping,
            ROWS: self._set_rows,
        }

    @property
    def all(self) -> tuple[Control, ...]:
        """Every control, in a fixed order."""
        return (*self._setters, *self._switches)

    def values(self, view: View, period: object = None) -> dict[Control, Any]:
        """What the controls say for a view.

        *period* is the period that the dropdown names now: where it has the dates of
        the view it goes on doing so, though another may have them, too.
        """
        selection = view.selection
        first, last = dates.bounds(self._facts.days)
        has_dates = selection.start is not None or selection.end is not None
        shown_last = dates.day_before(selection.end) if selection.end else last
        return {
            USER: EVERYONE if selection.user is None else selection.user,
            # The calendar shows the last day, not the one after it.
            START: str(selection.start or first) if has_dates else None,
            END: str(shown_last) if has_dates else None,
            PERIOD: self._period_of(view, period),
            PAGES: list(selection.pages),
            SHORTEST: ANY if selection.shortest is None else selection.shortest,
            LONGEST: ANY if selection.longest is None else selection.longest,
            STATISTIC: view.statistic,
            SEARCH: view.search,
            MATCH: view.match,
            GROUPING: "pages" if view.folder is None else "folders",
            ROWS: view.length,
            **{
                control: getattr(view, switch.field)
                for control, switch in self._switches.items()
            },
        }

    def pick(self, view: View, values: Values, changed: Collection[Control]) -> View:
        """The view after some controls were *changed*: what they say, else as before.

        Raises BadRequest for what no control can say.
        """
        after = view
        for control, set_ in self._setters.items():
            if control in changed:
                after = set_(after, values)
        for control, switch in self._switches.items():
            if control in changed:
                value = _choice(values[control], switch.options)
                field: dict[str, Any] = {switch.field: value}
                after = replace(after, **field)
        selection = after.selection
        if not (selection.shortest or 0) < (selection.longest or math.inf):
            # The one that was set last is meant.
            excluded = "shortest" if LONGEST in changed else "longest"
            after = _select(after, **{excluded: None})
        return replace(
            after,
            users_page=_users_page(view, after),
            story_page=view.story_page if after.selection == view.selection else 1,
        )

    def differing(self, view: View, values: Values) -> set[Control]:
        """The controls that ask for something else than a view."""
        usual = self.values(view, values[PERIOD])
        other = {control for control in self.all if values[control] != usual[control]}
        # Either half of the days asks for both.
        if {START, END} & other:
            other |= {START, END}
        return {
            control for control in other if self.pick(view, values, {control}) != view
        }

    def _period_of(self, view: View, current: object) -> str | None:
        picked = view.selection.start, view.selection.end
        found = [
            key
            for key, preset in self._presets.items()
            if (preset.start, preset.end) == picked
        ]
        if current in found:
            return str(current)
        return found[-1] if found else None

    def _set_user(self, view: View, values: Values) -> View:
        after = _select(view, user=text_or_none(values[USER]) or None)
        if is_picked(after.versus, after.selection):
            after = replace(after, versus=None)
        return after

    def _set_period(self, view: View, values: Values) -> View:
        key = text_or_none(values[PERIOD])
        if key is None:
            return view
        if key not in self._presets:
            raise BadRequest(f"there is no period {key!a:.80}")
        preset = self._presets[key]
        return _select(view, start=preset.start, end=preset.end)

    def _set_dates(self, view: View, values: Values) -> View:
        start, last = _day(values[START]), _day(values[END])
        if not start or not last:
            return _select(view, start=None, end=None)
        # Days can be typed in any order.
        start, last = min(start, last), max(start, last)
        first_day, last_day = dates.bounds(self._facts.days)
        if start > last_day or last < first_day:
            return view
        end = None if last >= last_day else dates.day_after(last)
        start_, end = dates.clip(start, end, self._facts.days)
        return _select(view, start=start_, end=end)

    def _set_pages(self, view: View, values: Values) -> View:
        pages = tuple(dict.fromkeys(text_list(values[PAGES])))
        return _select(view, pages=pages[:MOST_PAGES])

    def _set_shortest(self, view: View, values: Values) -> View:
        return _select(view, shortest=_seconds(values[SHORTEST]))

    def _set_longest(self, view: View, values: Values) -> View:
        return _select(view, longest=_seconds(values[LONGEST]))

    def _set_statistic(self, view: View, values: Values) -> View:
        statistic: Any = _choice(values[STATISTIC], get_args(Statistic))
        return replace(view, statistic=statistic)

    def _set_search(self, view: View, values: Values) -> View:
        return replace(view, search=_search(values[SEARCH]))

    def _set_match(self, view: View, values: Values) -> View:
        return replace(view, match=_search(values[MATCH]))

    def _set_grouping(self, view: View, values: Values) -> View:
        if _choice(values[GROUPING], GROUPINGS) == "pages":
            return replace(view, folder=None)
        return view if view.folder is not None else replace(view, folder="")

    def _set_rows(self, view: View, values: Values) -> View:
        length: Any = _choice(values[ROWS], get_args(Length))
        return replace(view, length=length)


def _users_page(before: View, after: View) -> int | None:
    """The page of the table of users after a pick.

    It stays, unless the pick changes who is in the table or which user is picked.
    """
    same = (before.selection, before.search) == (after.selection, after.search)
    return before.users_page if same else None


def _select(view: View, **fields: Any) -> View:
    return replace(view, selection=replace(view.selection, **fields))


def _search(value: object) -> str:
    """A text to search for, cut where no address has it."""
    return (text_or_none(value) or "")[:LONGEST_SEARCH]


def text_or_none(value: object) -> str | None:
    """Text from the browser, or None; raises BadRequest for anything else."""
    if value is None:
        return None
    # JSON may hold halves of characters, which are no text.
    if isinstance(value, str) and value == value.encode(errors="ignore").decode():
        return value
    raise BadRequest(f"text was expected, not {value!a:.80}")


def text_list(value: object) -> list[str]:
    """A list of texts from the browser; raises BadRequest for anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(f"a list was expected, not {value!a:.80}")
    return [text for item in value if (text := text_or_none(item)) is not None]


def _seconds(value: object) -> float | None:
    if value in (None, ANY):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"a number was expected, not {value!a:.80}")
    # JSON as Python reads it has infinite numbers, and some too large for a float.
    if not abs(value) <= sys.float_info.max:
        raise BadRequest(f"{value!a:.80} is too large a number")
    return float(value)


def _day(value: object) -> date | None:
    text = text_or_none(value)
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise BadRequest(f"a day was expected, not {value!a:.80}") from None


def _choice(value: object, choices: Collection[str]) -> str:
    text = text_or_none(value)
    if text is not None and text in choices:
        return text
    raise BadRequest(f"there is no choice {value!a:.80}")
