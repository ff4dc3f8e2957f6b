"""The one state of the page, a View, and its address."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import inf
from typing import Any, Final, Literal, NamedTuple, cast, get_args
from urllib.parse import parse_qsl, quote, urlencode

import numpy as np

import dates
import versus as other
from engine.model import MOST_STEPS, Engine, Facts, Selection, Statistic, UserColumn
from formatting import edge_text, name_text

FilterName = Literal["dates", "pages", "durations"]
"""A filter: what a person sets, and removes, as one."""

Scale = Literal["linear", "log"]
"""The axis of a distribution."""

Measure = Literal["sessions", "time"]
"""What a timeline adds up: the number of sessions, or their durations."""

Order = Literal["time", "difference"]
"""What rows of pages are sorted by: total time, or a user's ratio to everyone."""

Length = Literal["10", "50", "200"]
"""How many rows of pages there are at most."""

SectionName = Literal["compare", "story", "paths"]
"""A section of the page that is folded until it is asked for."""

MOST_PAGES: Final = 500
"""The pages that can be picked at once."""

LONGEST_ADDRESS: Final = 240_000
"""Letters of the longest query: ``MOST_PAGES`` names of 470 letters fit.

With other headers it stays below what servers take (262,144 bytes).
"""

LONGEST_SEARCH: Final = 1_000
"""Letters of the longest text that is searched for."""

MOST_CHOSEN: Final = MOST_STEPS - 1
"""The pages that can be chosen after and before the page in the middle of paths."""

_CHAINS: Final = ("ahead", "back")
_REPEATABLE: Final = ("page", "table", "open", *_CHAINS)
_KEYS: Final = (
    *("user", "from", "to", *_REPEATABLE, "min", "max"),
    *("stat", "scale", "timeline", "sort", "find", "sheet"),
    *("order", "rows", "match", "folder"),
    *("vs", "align", "part", "step"),
)
_EVERYTHING: Final = Selection()
_FILTERS: Final[Mapping[FilterName, Sequence[str]]] = {
    "dates": ("start", "end"),
    "pages": ("pages",),
    "durations": ("shortest", "longest"),
}


@dataclass(frozen=True)
class View:
    """Everything that decides what the page shows."""

    selection: Selection = _EVERYTHING
    """The sessions that are shown."""
    statistic: Statistic = "average"
    """The statistic of durations that charts, tiles and ranks are about."""
    scale: Scale = "linear"
    """The axis of the distribution of durations."""
    timeline: Measure = "sessions"
    """The measure of the timeline."""
    tables: tuple[str, ...] = ()
    """The ids of the charts whose numbers are also shown as a table."""
    sort: UserColumn = "time"
    """The column that the table of users is sorted by."""
    reverse: bool = False
    """Whether that order is reversed: smallest value first, or names from Z to A."""
    search: str = ""
    """The text that the names in the table of users contain."""
    users_page: int | None = None
    """The page of the table of users, from 1 on; None is the picked user's page."""
    order: Order = "time"
    """What the pages beside everyone's are sorted by."""
    length: Length = "10"
    """How many rows the charts by page have at most."""
    match: str = ""
    """The text that the names in the charts by page contain."""
    folder: str | None = None
    """What the names in the charts by page begin with, deeper ones put into folders.

    None is for no folders, "" for those at the top.
    """
    opened: tuple[SectionName, ...] = ()
    """The sections that are open."""
    versus: other.Versus | None = None
    """What the selection is compared with; None for everyone."""
    weekdays: bool = False
    """Whether another period is laid under this one weekday on weekday."""
    story_page: int = 1
    """The page of the list of a user's sessions, from 1 on."""
    step: str | None = None
    """The page in the middle of paths; None for that of most sessions."""
    ahead: tuple[str, ...] = ()
    """The pages chosen after it, the next one first; at most ``MOST_CHOSEN``."""
    back: tuple[str, ...] = ()
    """The pages chosen before it, the nearest one first; at most ``MOST_CHOSEN``."""

    @property
    def compares_periods(self) -> bool:
        """Whether the selection is compared with another period."""
        return self.versus is not None and self.versus.is_period


class Reading(NamedTuple):
    """An address, understood."""

    view: View
    """What it asks for, invalid parts replaced by the nearest valid value."""
    ignored: Sequence[str]
    """The invalid parts, each described in one line of text."""


def opening(engine: Engine) -> View:
    """The view of an address that says nothing: the user with most sessions."""
    (busiest,) = engine.find_users("", 1)
    return View(Selection(busiest))


def longer(length: Length) -> Length | None:
    """The next number of rows; None where there are no more."""
    lengths = get_args(Length)
    longer: Sequence[Length] = lengths[lengths.index(length) + 1 :]
    return longer[0] if longer else None


def without_filters(view: View) -> View:
    """The same view without a filter by dates, pages or durations."""
    return _select(view, Selection(view.selection.user))


def without(view: View, name: FilterName) -> View:
    """The same view without one of the filters."""
    unset = {field: getattr(_EVERYTHING, field) for field in _FILTERS[name]}
    return _select(view, replace(view.selection, **unset))


def at_day_and_page(
    view: View, day: date, pages: tuple[str, ...], facts: Facts
) -> View:
    """The same view of the sessions of one day, on some pages or all.

    Where it is that view already, it is the one without these two filters.
    """
    _, last = dates.bounds(facts.days)
    end = dates.day_after(day) if day < last else None
    start, end = dates.clip(day, end, facts.days)
    picked = replace(view.selection, start=start, end=end, pages=pages)
    if picked == view.selection:
        return without(without(view, "dates"), "pages")
    return _select(view, picked)


def _select(view: View, selection: Selection) -> View:
    """The view of other sessions, whose lists begin anew."""
    return replace(view, selection=selection, users_page=None, story_page=1)


def address(view: View) -> str:
    """The query string of a view, beginning with "?"; defaults are left out of it.

    ``read(address(view), ...)`` gives the same view again.
    """
    selection = view.selection
    sort = f"-{view.sort}" if view.reverse else view.sort
    parts: list[tuple[str, Any]] = [
        ("user", selection.user or ""),
        ("from", selection.start),
        ("to", selection.end),
        *(("page", page) for page in selection.pages),
        ("min", _seconds_text(selection.shortest)),
        ("max", _seconds_text(selection.longest)),
        ("stat", _unless("average", view.statistic)),
        ("scale", _unless("linear", view.scale)),
        ("timeline", _unless("sessions", view.timeline)),
        *(("table", chart) for chart in view.tables),
        ("sort", _unless("time", sort)),
        ("find", view.search or None),
        ("sheet", view.users_page),
        ("order", _unless("time", view.order)),
        ("rows", _unless("10", view.length)),
        ("match", view.match or None),
        ("folder", view.folder),
        *(("open", section) for section in view.opened),
        ("vs", other.write(view.versus) if view.versus else None),
        ("align", "weekday" if view.weekdays else None),
        ("part", _unless(1, view.story_page)),
        ("step", view.step),
        *(("ahead", page) for page in view.ahead),
        *(("back", page) for page in view.back),
    ]
    present = [(key, value) for key, value in parts if value is not None]
    return f"?{urlencode(present, quote_via=quote, safe='/')}"


def read(query: str, engine: Engine, charts: Collection[str]) -> Reading:
    """Understand an address; *charts* are the ids that ``table`` may name.

    ``from`` and ``to`` are days, half-open; ``min`` and ``max`` durations in seconds,
    half-open; ``page``, ``table`` and ``open`` may be repeated, up to ``MOST_PAGES``
    times, and ``ahead`` and ``back`` up to ``MOST_CHOSEN`` times.
    Without ``user`` it is the user with most sessions, with an empty one everyone.
    Of more than ``LONGEST_ADDRESS`` letters nothing is understood.
    """
    parser = _Parser(query if len(query) <= LONGEST_ADDRESS else "")
    if len(query) > LONGEST_ADDRESS:
        parser.ignore(f"all of it, since it is longer than {LONGEST_ADDRESS:,} letters")
    user = parser.one.get("user")
    if user is None:
        user = opening(engine).selection.user
    if user and not engine.has_user(user):
        parser.ignore(f"user “{name_text(user)}”, who has no session")
        user = None
    start, end = _read_dates(parser, engine.facts)
    pages = parser.several("page", engine.has_page, "which has no session")
    shortest, longest = _read_durations(parser, engine.facts)
    tables = parser.several("table", charts.__contains__, "which there isn't")
    opened: Any = parser.several(
        "open", get_args(SectionName).__contains__, "which there isn't"
    )
    columns = get_args(UserColumn)
    sort = parser.choice("sort", ["time", *columns, *(f"-{c}" for c in columns)])
    selection = Selection(user or None, start, end, pages, shortest, longest)
    view = View(
        selection,
        statistic=cast(Statistic, parser.choice("stat", get_args(Statistic))),
        scale=cast(Scale, parser.choice("scale", get_args(Scale))),
        timeline=cast(Measure, parser.choice("timeline", get_args(Measure))),
        tables=tables,
        sort=cast(UserColumn, sort.removeprefix("-")),
        reverse=sort.startswith("-"),
        search=parser.search("find"),
        users_page=_read_number(parser, "sheet"),
        order=cast(Order, parser.choice("order", get_args(Order))),
        length=cast(Length, parser.choice("rows", get_args(Length))),
        match=parser.search("match"),
        folder=_read_folder(parser, engine.facts),
        opened=opened,
        versus=_read_versus(parser, engine, selection),
        weekdays=parser.choice("align", ["day", "weekday"]) == "weekday",
        story_page=_read_number(parser, "part") or 1,
        step=_read_step(parser, engine),
        ahead=parser.chain("ahead", engine.has_page),
        back=parser.chain("back", engine.has_page),
    )
    return Reading(view, parser.ignored)


def duration_edges(facts: Facts) -> list[float]:
    """The durations, in seconds, that a filter can begin or end at, in order."""
    edges = np.union1d(facts.edges.linear[:-1], facts.edges.logarithmic)
    return cast(list[float], edges.tolist())


class _Parser:
    """The parts of an address by key, and what is invalid about them."""

    def __init__(self, query: str) -> None:
        self._ignored: dict[str, None] = {}
        # In these the same value may stand twice.
        self._chains: dict[str, list[str]] = {}
        # Dictionaries, since an address may name the same key thousands of times.
        values: dict[str, dict[str, None]] = {}
        for key, value in parse_qsl(query.removeprefix("?"), keep_blank_values=True):
            known = values.setdefault(key, {})
            if key not in _KEYS:
                self.ignore(f"“{name_text(key)}” means nothing here")
            elif known and value not in known and key not in _REPEATABLE:
                self.ignore(f"a second “{key}”")
            else:
                known[value] = None
            if key in _CHAINS:
                self._chains.setdefault(key, []).append(value)
        self._values = {key: list(known) for key, known in values.items() if known}
        self.one = {key: known[0] for key, known in self._values.items()}

    @property
    def ignored(self) -> list[str]:
        """The invalid parts in words, each once."""
        return list(self._ignored)

    def ignore(self, words: str) -> None:
        """Note an invalid part."""
        self._ignored[words] = None

    def several(self, key: str, is_valid: Any, why_not: str) -> tuple[str, ...]:
        """The valid values of a key that may be repeated, at most ``MOST_PAGES``."""
        valid = []
        for value in self._values.get(key, []):
            if is_valid(value):
                valid.append(value)
            else:
                self.ignore(f"{key} “{name_text(value)}”, {why_not}")
        if len(valid) > MOST_PAGES:
            rest = len(valid) - MOST_PAGES
            self.ignore(f"{rest:,} of {len(valid):,} “{key}”: {MOST_PAGES} is the most")
        return tuple(valid[:MOST_PAGES])

    def chain(self, key: str, is_valid: Callable[[str], bool]) -> tuple[str, ...]:
        """The values of a key in order, up to the first that is invalid."""
        values = self._chains.get(key, [])
        if len(values) > MOST_CHOSEN:
            self.ignore(f"“{key}” beyond the first {MOST_CHOSEN}")
        valid = []
        for value in values[:MOST_CHOSEN]:
            if not is_valid(value):
                self.ignore(f"{key} “{name_text(value)}”, which has no session")
                break
            valid.append(value)
        return tuple(valid)

    def search(self, key: str) -> str:
        """The value of a key as a text to search for, cut where it is too long."""
        text = self.one.get(key, "")
        if len(text) > LONGEST_SEARCH:
            self.ignore(f"{key} beyond its first {LONGEST_SEARCH:,} letters")
        return text[:LONGEST_SEARCH]

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """The value of a key if it is one of the choices, otherwise the first."""
        value = self.one.get(key, choices[0])
        if value in choices:
            return value
        words = ", ".join(dict.fromkeys(name.removeprefix("-") for name in choices))
        self.ignore(f"{key} “{name_text(value)}”, which is none of {words}")
        return choices[0]


def _unless(default: object, value: Any) -> Any:
    return None if value == default else value


def _seconds_text(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.12g}"


def _read_number(parser: _Parser, key: str) -> int | None:
    """The number of a page of a list; None where there is none."""
    text = parser.one.get(key)
    if text is None:
        return None
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        parser.ignore(f"{key} “{name_text(text)}”, which there isn't")
        return None
    return int(text)


def _read_dates(parser: _Parser, facts: Facts) -> tuple[date | None, date | None]:
    def day(key: str) -> date | None:
        text = parser.one.get(key)
        if text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            parser.ignore(f"{key} “{name_text(text)}”, which is no day")
            return None

    start, end = day("from"), day("to")
    if start and end and start >= end:
        parser.ignore(f"from {start} to {end}, between which there is no day")
        return None, None
    first, last = dates.bounds(facts.days)
    if (start and start > last) or (end and end <= first):
        parser.ignore("dates outside the data")
        return None, None
    return dates.clip(start, end, facts.days)


def is_picked(versus: other.Versus | None, selection: Selection) -> bool:
    """Whether what is compared with is the very user that is picked."""
    return versus == other.Versus("user", selection.user or "")


def _read_versus(
    parser: _Parser, engine: Engine, selection: Selection
) -> other.Versus | None:
    text = parser.one.get("vs")
    if text is None:
        return None
    versus, shown = other.read(text), name_text(text)
    if versus and versus.kind == "names" and len(versus.text) > LONGEST_SEARCH:
        parser.ignore(f"vs beyond the first {LONGEST_SEARCH:,} letters of a name")
        versus = versus._replace(text=versus.text[:LONGEST_SEARCH])
    if versus is None:
        parser.ignore(f"vs “{shown}”, which there isn't")
    elif versus.kind == "user" and not engine.has_user(versus.text):
        parser.ignore(f"vs “{shown}”, who has no session")
    elif not is_picked(versus, selection):
        return versus
    return None


def _read_step(parser: _Parser, engine: Engine) -> str | None:
    page = parser.one.get("step")
    if page is not None and not engine.has_page(page):
        parser.ignore(f"step “{name_text(page)}”, which has no session")
        return None
    return page


def _read_folder(parser: _Parser, facts: Facts) -> str | None:
    folder = parser.one.get("folder")
    if folder and not any(page.startswith(folder) for page in facts.pages):
        parser.ignore(f"folder “{name_text(folder)}”, with which no page begins")
        return ""
    return folder


def _read_durations(parser: _Parser, facts: Facts) -> tuple[float | None, float | None]:
    if not {"min", "max"} & parser.one.keys():
        return None, None
    edges = duration_edges(facts)

    def edge(key: str, candidates: list[float]) -> float | None:
        text = parser.one.get(key)
        if text is None:
            return None
        try:
            seconds = float(text)
        except ValueError:
            seconds = inf
        if not 0 <= seconds < inf:
            parser.ignore(f"{key} “{name_text(text)}”, which is no duration")
            return None
        # Differences to a very large number would all be the same.
        bounded = min(seconds, candidates[-1])
        nearest = min(candidates, key=lambda candidate: abs(candidate - bounded))
        if abs(nearest - seconds) > 1e-6 * nearest:
            words = f"{key} “{name_text(text)}”, to which {edge_text(nearest)}"
            parser.ignore(f"{words} is nearest")
        return nearest

    shortest, longest = edge("min", edges[:-1]), edge("max", edges[1:])
    if shortest is not None and longest is not None and shortest >= longest:
        parser.ignore("min and max, between which there is nothing")
        return None, None
    return shortest, longest
