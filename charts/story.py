"""One user's sessions in order of time: a strip for each day, and a list beside it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from math import isnan
from typing import Any, Final, NamedTuple, TypedDict

import numpy as np
import pandas as pd

import dates
import view as views
from charts.section import Section
from charts.sentences import FEW, has_filters, none_match
from engine.model import Engine, Facts, PageCount, Selection, StorySession, Tally
from engine.model import Story as StoryPage
from formatting import (
    count_text,
    duration_text,
    name_text,
    one_line,
    percent_text,
    rate_text,
    shorten,
)
from labels import page_labels
from view import View

PAGE_SIZE: Final = 100
"""The number of sessions on a page of the list."""

N_COLORS: Final = 7
"""The pages that have a colour of their own; all others share the next one."""

_LONGEST_TITLE: Final = 300
_DAY: Final = 86_400
_HOUR: Final = 3_600

# Minutes between two ticks of an axis of so many hours at most.
_TICKS: Final = ((1, 10), (2, 20), (3, 30), (6, 60), (12, 120), (18, 180), (24, 360))


class Entry(TypedDict):
    """A page."""

    label: str
    page: str
    """Its whole name."""
    title: str
    """As much of it as a hover shows, in one line."""
    color: int
    """The number of its colour, see ``N_COLORS``."""


class Tick(TypedDict):
    """A time on the axis of the strips."""

    at: float
    """Where it is, in percent of the width."""
    text: str


class Drawn(TypedDict):
    """What is drawn on a strip."""

    visits: list[tuple[float, float]]
    """Where each visit begins, and how long it is, in percent of the width."""
    segments: list[tuple[int, float, float | None]]
    """The number of the session in ``rows``, and where it is, as in ``visits``.

    Those that are drawn later are seen. An unknown duration is None.
    """


class Strip(Drawn):
    """A day."""

    label: str
    start: str | None
    """``from`` in the address of the view of this day alone; None where it has none."""
    end: str | None
    """``to`` there."""
    is_picked: bool
    """Whether that is the view already: then its link takes it back."""


class Row(TypedDict):
    """A session."""

    page: int
    """The number of its page in ``pages``."""
    day: int
    """The number of its day in ``days``."""
    when: str
    long: str
    since: str
    """The time since the end of the one before."""
    begins: bool
    """Whether a visit begins with it."""
    title: str
    """All this in words, without the page."""
    is_picked: bool
    """Whether its day and page are picked alone: then its link takes them back."""


class Way(TypedDict):
    """A link to another page of the list."""

    text: str
    part: int
    """The number of that page."""


class StoryPayload(TypedDict):
    """Everything that assets/story.js writes.

    Names may have thousands of letters, and a link to each session may name all that
    are picked: names stand here once, and so does the address.
    """

    finding: str
    notes: str
    address: str
    """The view, at the first page of the list."""
    bounds: list[str] | None
    """The first and the last day to which one can go; None where nobody is picked."""
    unknown: bool
    """Whether there are sessions of unknown duration."""
    pages: list[Entry]
    ticks: list[Tick]
    days: list[Strip]
    rows: list[Row]
    here: str
    """Which sessions of how many these are; empty where these are all."""
    ways: list[Way]


class Story(Section):
    """A user's sessions, a page at a time, as strips and as a list."""

    id = "story"
    title = "One User's Story"
    about = "Every session in order, day by day"
    # The sessions themselves are one.
    has_file = False

    def numbers(
        self, engine: Engine, view: View, *, every_row: bool = False
    ) -> pd.DataFrame:
        """The page of the list that the view asks for."""
        story = _ask(engine, view)
        sessions = [] if story is None else story.sessions
        columns = {
            "page": [session.page for session in sessions],
            "start": [f"{session.start}" for session in sessions],
            "duration (s)": [session.duration for session in sessions],
            "since the one before": [since_text(session.pause) for session in sessions],
            "visit": pd.array([session.visit for session in sessions], "Int64"),
        }
        return pd.DataFrame(columns)

    def answer(self, engine: Engine, view: View) -> Mapping[str, Any]:
        """The page of the list that the view asks for.

        Raises as ``Engine.story`` does.
        """
        user, story = view.selection.user, _ask(engine, view)
        if user is None or story is None:
            return _nothing("Pick a user to see their story.", view, None)
        if not story.sessions:
            return _nothing(none_match(view), view, _bounds(engine.facts))
        # Colours stay as they are whatever is filtered.
        whole = engine.summarise(Selection(user)).subject
        return _payload(story, whole, view, engine.facts)


def _ask(engine: Engine, view: View) -> StoryPage | None:
    return engine.story(view.selection, page=view.story_page, page_size=PAGE_SIZE)


def _address(view: View) -> str:
    return views.address(replace(view, story_page=1))


def _bounds(facts: Facts) -> list[str]:
    return [str(day) for day in dates.bounds(facts.days)]


def _nothing(words: str, view: View, bounds: list[str] | None) -> StoryPayload:
    return {
        "finding": words,
        "notes": "",
        "address": _address(view),
        "bounds": bounds,
        "unknown": False,
        "pages": [],
        "ticks": [],
        "days": [],
        "rows": [],
        "here": "",
        "ways": [],
    }


def _payload(story: StoryPage, whole: Tally, view: View, facts: Facts) -> StoryPayload:
    sessions = story.sessions
    labels = page_labels(facts.pages)
    names = list(dict.fromkeys(session.page for session in sessions))
    colors = page_colors(names, facts, whole)
    pages: list[Entry] = [
        {
            "label": labels.get(name, name_text(name)),
            "page": name,
            # Whatever letters a name has, they leave the next line as it is.
            "title": shorten(one_line(name), _LONGEST_TITLE),
            "color": colors.get(name, N_COLORS),
        }
        for name in names
    ]
    days = list(dict.fromkeys(session.start.date() for session in sessions))
    axis = find_axis(sessions, days)
    anywhere = views.without(views.without(view, "dates"), "pages")
    alone = [views.at_day_and_page(anywhere, day, (), facts).selection for day in days]
    return {
        "finding": sentence(story, labels),
        "notes": _notes(story, view, facts),
        "address": _address(view),
        "bounds": _bounds(facts),
        "unknown": any(isnan(session.duration) for session in sessions),
        "pages": pages,
        "ticks": axis.ticks(),
        "days": [
            {
                "label": f"{day:%a} {day.day} {day:%b} {day.year}",
                "start": None if picked.start is None else str(picked.start),
                "end": None if picked.end is None else str(picked.end),
                "is_picked": picked == view.selection,
                **strip,
            }
            for day, picked, strip in zip(
                days, alone, _strips(sessions, days, axis), strict=True
            )
        ],
        "rows": _rows(sessions, names, days, alone, view.selection),
        "here": _here(story),
        "ways": list(_ways(story)),
    }


def page_colors(names: Collection[str], facts: Facts, whole: Tally) -> dict[str, int]:
    """The colours of those of some pages on which a user spends most time.

    *whole* are all sessions of the user. The pages of most time of all of these keep
    their colours wherever they occur; the colours of those that don't are for others.
    """
    order = np.lexsort((-whole.sessions, -whole.seconds))
    place = {facts.pages[code]: place for place, code in enumerate(order.tolist())}
    largest = sorted(names, key=lambda name: place.get(name, len(place)))[:N_COLORS]
    kept = {
        name: place[name] for name in largest if place.get(name, N_COLORS) < N_COLORS
    }
    free = iter(sorted(set(range(N_COLORS)) - set(kept.values())))
    return {name: kept[name] if name in kept else next(free) for name in largest}


def sentence(story: StoryPage, labels: Mapping[str, str]) -> str:
    """How many sessions and visits there are, and where these begin and end."""
    sessions, visits = count_text(story.n_sessions, "session"), story.visits
    if visits is None:
        return f"{sessions}, which are too many to tell visits."

    def name(count: PageCount) -> str:
        return labels.get(count.page, name_text(count.page))

    if visits.n == 1:
        if story.n_sessions == 1:
            return f"1 session, on {name(visits.entry)}."
        way = f"from {name(visits.entry)} to {name(visits.exit)}"
        return f"{sessions} in 1 visit, {way}."
    mean = rate_text(story.n_sessions / visits.n)
    words = f"{sessions} in {visits.n:,} visits, {mean} a visit"
    if (median := rate_text(visits.median)) != mean:
        words += f" (median {median})"
    # Of few, or of equal ones, the first says nothing.
    ends = {
        verb: (name(count), percent_text(count.n, visits.n))
        for verb, count in (("begin", visits.entry), ("end", visits.exit))
        if visits.n >= FEW and count.n_equal == 1
    }
    if len(ends) == 2 and visits.entry.page == visits.exit.page:
        (page, share), (_, other) = ends.values()
        shares = share if share == other else f"{share} and {other}"
        return f"{words}; visits begin and end most often on {page} ({shares})."
    most = [f"{verb} most often on {page} ({n})" for verb, (page, n) in ends.items()]
    return f"{words}; visits {' and '.join(most)}." if most else f"{words}."


def since_text(pause: float | None) -> str:
    """Format a pause: "12 min later", "3 days later", "at once", "overlaps".

    A dash stands for None, the first session, which has none before it.
    """
    if pause is None:
        return "–"
    if pause < 0:
        return "overlaps"
    if pause < 2 * _DAY:
        return f"{duration_text(pause)} later" if pause >= 0.05 else "at once"
    return f"{round(pause / _DAY):,} days later"


def _notes(story: StoryPage, view: View, facts: Facts) -> str:
    """What the words and the numbers mean."""
    notes = []
    if story.visits is not None:
        gap = duration_text(facts.visit_gap)
        notes.append(f"A visit ends where more than {gap} pass until the next session.")
        if has_filters(view):
            notes.append("Only sessions that match count.")
    if any(isnan(session.duration) for session in story.sessions):
        notes.append("After an unknown duration the pause is counted from its start.")
    if facts.timezone != "UTC":
        notes.append(f"Times and pauses are what clocks show in {facts.timezone}.")
    return " ".join(notes)


def _rows(
    sessions: Sequence[StorySession],
    names: Sequence[str],
    days: Sequence[date],
    alone: Sequence[Selection],
    selection: Selection,
) -> list[Row]:
    """The sessions; *alone* are the selections of each day on all pages."""
    places = {name: place for place, name in enumerate(names)}
    day_places = {day: place for place, day in enumerate(days)}
    rows: list[Row] = []
    visit = None
    for session in sessions:
        page, start, seconds = session.page, session.start, session.duration
        day, known = start.date(), not isnan(seconds)
        long = duration_text(seconds) if known else "unknown"
        lasted = long if known else "unknown duration"
        when = f"{start:%a} {start.day} {start:%b} {start.year}, {start:%H:%M:%S}"
        picked = replace(alone[day_places[day]], pages=(page,))
        rows.append(
            {
                "page": places[page],
                "day": day_places[day],
                "when": f"{start:%H:%M:%S}",
                "long": long,
                "since": since_text(session.pause),
                "begins": session.visit is not None and session.visit != visit,
                "title": f"{when}, {lasted}",
                "is_picked": picked == selection,
            }
        )
        visit = session.visit
    return rows


def _here(story: StoryPage) -> str:
    if story.n_pages == 1:
        return ""
    first = PAGE_SIZE * (story.page - 1) + 1
    last = first + len(story.sessions) - 1
    return f"{first:,} to {last:,} of {count_text(story.n_sessions, 'session')}"


def _ways(story: StoryPage) -> Iterator[Way]:
    page, last = story.page, story.n_pages
    for text, number, there in (
        ("« First", 1, page > 2),
        ("← Earlier", page - 1, page > 1),
        ("Later →", page + 1, page < last),
        ("Last »", last, page < last - 1),
    ):
        if there:
            yield {"text": text, "part": number}


class Axis(NamedTuple):
    """The hours that all strips are wide, half-open."""

    first: int
    end: int

    def place(self, second: float) -> float:
        """Where a second of a day is, in percent of the width."""
        return self.width(second - _HOUR * self.first)

    def width(self, seconds: float) -> float:
        """How wide a time is, in percent of the width."""
        return round(100 * seconds / (_HOUR * (self.end - self.first)), 3)

    def ticks(self) -> list[Tick]:
        """The times that are marked."""
        n_hours = self.end - self.first
        step = 60 * next(step for most, step in _TICKS if n_hours <= most)
        return [
            {
                "at": self.place(second),
                "text": f"{second // _HOUR:02}:{second % _HOUR // 60:02}",
            }
            for second in range(_HOUR * self.first, _HOUR * self.end + 1, step)
        ]


def find_axis(sessions: Sequence[StorySession], days: Sequence[date]) -> Axis:
    """The axis of some days: all hours, or those of the sessions of a single day."""
    if len(days) > 1:
        return Axis(0, 24)
    starts = [_second(session) for session in sessions]
    ends = [
        start if isnan(session.duration) else start + session.duration
        for start, session in zip(starts, sessions, strict=True)
    ]
    first, last = int(min(starts)), min(max(ends), _DAY)
    end = max(-int(-last // _HOUR), first // _HOUR + 1)
    return Axis(first // _HOUR, min(end, 24))


def _second(session: StorySession) -> int:
    start = session.start
    return _HOUR * start.hour + 60 * start.minute + start.second


class _Piece(NamedTuple):
    """What one day has of a session, in seconds of the day."""

    row: int
    start: float
    end: float | None
    """None where the duration is unknown."""

    @property
    def is_whole_day(self) -> bool:
        return not self.start and self.end == _DAY


def _strips(
    sessions: Sequence[StorySession], days: Sequence[date], axis: Axis
) -> Iterator[Drawn]:
    """The visits and segments of each day."""
    for pieces in _pieces(sessions, days):
        visits: dict[int, tuple[float, float]] = {}
        for row, start, end in pieces:
            if (visit := sessions[row].visit) is not None:
                first, last = visits.get(visit, (start, start))
                visits[visit] = min(first, start), max(last, end or start)
        # Short ones are seen before long ones.
        drawn = sorted(
            pieces, key=lambda piece: piece.start - (piece.end or piece.start)
        )
        yield {
            "visits": [_place(axis, *span) for span in visits.values()],
            "segments": [
                (row, axis.place(start), None)
                if end is None
                else (row, *_place(axis, start, end))
                for row, start, end in drawn
            ],
        }


def _place(axis: Axis, start: float, end: float) -> tuple[float, float]:
    return axis.place(start), axis.width(end - start)


def _pieces(
    sessions: Sequence[StorySession], days: Sequence[date]
) -> list[list[_Piece]]:
    """What each of the days has of the sessions, cut at midnight."""
    pieces: list[list[_Piece]] = [[] for _ in days]
    # The places of sessions that last a whole day: of many, one is seen.
    covering: dict[int, int] = {}
    first = 0
    for row, session in enumerate(sessions):
        while days[first] != session.start.date():
            first += 1
        start = _second(session)
        if isnan(session.duration):
            pieces[first].append(_Piece(row, start, None))
            continue
        for place in range(first, len(days)):
            shift = _DAY * (days[place] - days[first]).days
            end = start + session.duration - shift
            if place > first and end <= 0:
                break
            piece = _Piece(row, max(start - shift, 0), min(end, _DAY))
            if place > first and piece.is_whole_day and place in covering:
                pieces[place][covering[place]] = piece
                continue
            if place > first and piece.is_whole_day:
                covering[place] = len(pieces[place])
            pieces[place].append(piece)
    return pieces
