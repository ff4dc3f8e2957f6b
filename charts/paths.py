"""The section about what comes after and before a page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from charts.section import Section
from charts.sentences import none_match, sample_text
from engine.model import Engine, Facts, PathStep, Selection
from engine.model import Paths as Answer
from formatting import count_text, duration_text, name_text, percent_text, user_text
from labels import page_labels
from view import MOST_CHOSEN, View, address

MOST_ROWS: Final = 8
"""Rows of pages in a column at most."""

MOST_LISTED: Final = 12
"""Pages that are listed to be put in the middle at most."""

_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "ahead": ("Next page", "After {}"),
    "back": ("Page before", "Before {}"),
}
_ENDED: Final[Mapping[str, tuple[str, str]]] = {
    "ahead": ("left the site", "left the site"),
    "back": ("came in here", "came in there"),
}


class Share(TypedDict):
    """A part of a column's sessions."""

    width: float
    """In [0, 1], of the column's longest bar."""
    text: str
    """For example "38 %"."""


class Row(TypedDict):
    """A page in a column, or the end of a visit."""

    page: str | None
    """Its whole name; None for the end of a visit."""
    label: str
    everyone: Share
    user: Share | None
    """None where there is no user, or where they have none in this column."""
    time: str
    """How long everyone's sessions are there on average."""
    details: str
    """The numbers of sessions, with how long they are, for a tooltip."""
    is_chosen: bool


class Column(TypedDict):
    """The pages of one step."""

    title: str
    n: list[str]
    """How many sessions it is of: everyone's and the user's, in words."""
    rows: list[Row]
    others: str
    """The pages without a row, in words; none for none."""
    can_choose: bool
    """Whether a page of it can be chosen to go on from."""


class Paths(Section):
    """From a page the next pages, and the pages before, up to three steps each way."""

    id = "paths"
    title = "What Comes Next"
    about = "Where people go from a page, and where they came from"

    def answer(self, engine: Engine, view: View) -> Mapping[str, Any]:
        """The columns around the page in the middle, see assets/paths.js."""
        pages = engine.facts.pages
        paths, sessions = _ask(engine, view)
        page, labels = paths.page, page_labels(pages)
        user = view.selection.user
        return {
            "address": address(view),
            "page": page,
            "label": labels[page],
            "n": _sizes(
                paths.everyone.ahead[0],
                None if paths.user is None else paths.user.ahead[0],
                user,
            ),
            "user": None if user is None else user_text(user),
            "finding": sentence(paths, view),
            "notes": _notes(engine.facts, view),
            "listed": [
                {"page": name, "label": labels[name]}
                for name in listed(view, page, pages, sessions)
            ],
            "chains": {"ahead": list(view.ahead), "back": list(view.back)},
            "ahead": columns(paths, "ahead"),
            "back": columns(paths, "back"),
        }

    def numbers(
        self, engine: Engine, view: View, *, every_row: bool = False
    ) -> pd.DataFrame:
        """The pages of each step, those of most of everyone's sessions first.

        An ended visit stands among them; its time is NaN.
        """
        paths, _ = _ask(engine, view)
        n_rows = None if every_row else MOST_ROWS + 1
        steps = [
            _numbers(paths, way, number, everyone, user)[:n_rows]
            for way in ("back", "ahead")
            for number, (everyone, user) in enumerate(_side(paths, way).steps)
        ]
        return pd.concat(steps, ignore_index=True)


def _ask(engine: Engine, view: View) -> tuple[Answer, NDArray[np.int64]]:
    """The paths of a view, with everyone's numbers of sessions, (pages,)."""
    # Everyone's: the page in the middle stays the same as users are compared.
    selection = replace(view.selection, user=None, pages=())
    sessions = engine.summarise(selection).everyone.sessions
    page = middle(view, engine.facts.pages, sessions)
    return engine.paths(view.selection, page, view.ahead, view.back), sessions


def _numbers(
    paths: Answer, way: str, number: int, everyone: PathStep, user: PathStep | None
) -> pd.DataFrame:
    """The numbers of one step, see ``Paths.numbers``."""
    names = np.array([*paths.facts.pages, f"({_ENDED[way][min(number, 1)]})"], object)
    columns: dict[str, Any] = {
        "middle": paths.page,
        "step": f"{number + 1} {'after' if way == 'ahead' else 'before'}",
        "page": names,
    }
    name = paths.selection.user
    for whose, step in (("everyone", everyone), (user_text(name or ""), user)):
        if step is None:
            continue
        sessions = np.append(step.sessions, step.ended)
        columns[f"{whose}: sessions"] = sessions
        columns[f"{whose}: share (%)"] = 100 * sessions / max(step.total, 1)
        columns[f"{whose}: average session (s)"] = np.append(step.mean, np.nan)
    frame = pd.DataFrame(columns)
    n = np.append(everyone.sessions, everyone.ended)
    order = np.argsort(-n, kind="stable")
    return frame.iloc[order[n[order] > 0]]


def middle(view: View, pages: tuple[str, ...], sessions: NDArray[np.int64]) -> str:
    """The page in the middle: of the picked ones, or of all, that of most sessions."""
    if view.step is not None:
        return view.step
    if view.selection.pages:
        counts = dict(zip(pages, sessions.tolist(), strict=True))
        return max(view.selection.pages, key=lambda name: counts[name])
    return pages[int(np.argmax(sessions))]


def listed(
    view: View, page: str, pages: tuple[str, ...], sessions: NDArray[np.int64]
) -> list[str]:
    """The pages that may be put in the middle: that one, picked ones, and the largest.

    They are in the order of how many sessions they have.
    """
    order = np.argsort(-sessions, kind="stable")[:MOST_LISTED]
    largest = [pages[i] for i in order if sessions[i] > 0]
    names = dict.fromkeys([page, *view.selection.pages[:MOST_LISTED], *largest])
    places = {name: i for i, name in enumerate(largest)}
    shown = list(names)[:MOST_LISTED]
    return sorted(shown, key=lambda name: places.get(name, MOST_LISTED))


class _Side(NamedTuple):
    """One of the two directions of paths."""

    steps: Sequence[tuple[PathStep, PathStep | None]]
    """Everyone's step with the user's."""
    chain: tuple[str, ...]


def _side(paths: Answer, way: str) -> _Side:
    everyone: tuple[PathStep, ...] = getattr(paths.everyone, way)
    users: Sequence[PathStep | None] = [None] * len(everyone)
    if paths.user is not None:
        users = getattr(paths.user, way)
    return _Side(list(zip(everyone, users, strict=True)), getattr(paths, way))


def columns(paths: Answer, way: str) -> list[Column]:
    """The columns ahead or back, the one next to the middle first."""
    side = _side(paths, way)
    labels = page_labels(paths.facts.pages)
    found = []
    for number, (everyone, user) in enumerate(side.steps):
        first, later = _TITLES[way]
        chosen = side.chain[number] if number < len(side.chain) else None
        title = later.format(labels[side.chain[number - 1]]) if number else first
        ended = _ENDED[way][min(number, 1)]
        found.append(_column(paths, ended, everyone, user, title, chosen))
        found[-1]["can_choose"] = number < MOST_CHOSEN
    return found


def _column(
    paths: Answer,
    ended: str,
    everyone: PathStep,
    user: PathStep | None,
    title: str,
    chosen: str | None,
) -> Column:
    pages = paths.facts.pages
    labels = page_labels(pages)
    order = np.argsort(-everyone.sessions, kind="stable")
    present = [int(i) for i in order[: MOST_ROWS + 1] if everyone.sessions[i] > 0]
    # One more takes no more room than words about it.
    shown = present if len(present) <= MOST_ROWS else present[:MOST_ROWS]
    if chosen is not None and (place := pages.index(chosen)) not in shown:
        shown = [*shown[: MOST_ROWS - 1], place]
    longest = _longest(shown, everyone, user)
    rows = [
        Row(
            page=pages[i],
            label=labels[pages[i]],
            everyone=_share(int(everyone.sessions[i]), everyone.total, longest),
            user=_user_share(user, i, longest),
            time=_time(everyone, i),
            details=_details(everyone, user, i, paths.selection.user),
            is_chosen=pages[i] == chosen,
        )
        for i in shown
    ]
    rows.append(
        Row(
            page=None,
            label=ended,
            everyone=_share(everyone.ended, everyone.total, longest),
            user=_user_share(user, None, longest),
            time="",
            details=count_text(everyone.ended, "session"),
            is_chosen=False,
        )
    )
    n_others = int(np.count_nonzero(everyone.sessions)) - int(
        np.count_nonzero(everyone.sessions[shown])
    )
    rest = everyone.total - everyone.ended - int(everyone.sessions[shown].sum())
    others = ""
    if n_others:
        noun = count_text(n_others, "other page")
        others = f"{noun}: {percent_text(rest, everyone.total)}"
    return Column(
        title=title,
        n=_sizes(everyone, user, paths.selection.user),
        rows=rows,
        others=others,
        can_choose=False,
    )


def _sizes(everyone: PathStep, user: PathStep | None, name: str | None) -> list[str]:
    """How many sessions a column is of, in words."""
    sizes = [sample_text(everyone.total)]
    if user is not None and name is not None:
        sizes.append(f"{user_text(name)}: {sample_text(user.total)}")
    return sizes


def _longest(shown: Sequence[int], everyone: PathStep, user: PathStep | None) -> float:
    """The largest share of a page in a column."""
    shares = [0.0]
    for step in (everyone, user):
        if step is not None and step.total:
            counts = [int(step.sessions[i]) for i in shown]
            shares.append(max(counts, default=0) / step.total)
    return max(shares)


def _share(n: int, total: int, longest: float) -> Share:
    if not total:
        return Share(width=0, text="–")
    width = min(n / total / longest, 1) if longest else 0
    return Share(width=round(width, 4), text=percent_text(n, total))


def _user_share(
    user: PathStep | None, page: int | None, longest: float
) -> Share | None:
    if user is None or not user.total:
        return None
    n = user.ended if page is None else int(user.sessions[page])
    return _share(n, user.total, longest)


def _time(step: PathStep, page: int) -> str:
    if not step.known[page]:
        return "time unknown"
    return f"average {duration_text(float(step.mean[page]))}"


def _details(
    everyone: PathStep, user: PathStep | None, page: int, name: str | None
) -> str:
    text = (
        f"{count_text(int(everyone.sessions[page]), 'session')},"
        f" {_time(everyone, page)}"
    )
    if user is None or name is None or not user.sessions[page]:
        return text
    own = count_text(int(user.sessions[page]), "session")
    return f"{text}; {user_text(name)}: {own}, {_time(user, page)}"


def sentence(paths: Answer, view: View) -> str:
    """Where people go from the page, and where they came from: "After cart 38 % …"."""
    labels = page_labels(paths.facts.pages)
    page = name_text(labels[paths.page])
    everyone = paths.everyone
    if not everyone.ahead[0].total:
        return f"{page}: {none_match(replace(view, selection=_of_everyone(view)))}"
    after = _told(everyone.ahead[0], paths, "go on to {}", "leave", "leaves")
    before = _told(
        everyone.back[0], paths, "were on {}", "came in here", "came in here"
    )
    words = f"After {page} {after}. Before it {before}."
    user = view.selection.user
    if paths.user is None or user is None:
        return words
    if not (step := paths.user.ahead[0]).total:
        return f"{words} {user_text(user)} has no such session."
    own = _told(step, paths, "go on to {}", "leave", "leaves")
    return f"{words} {user_text(user)}: {own} ({sample_text(step.total)})."


def _of_everyone(view: View) -> Selection:
    return replace(view.selection, user=None)


def _told(step: PathStep, paths: Answer, go_on: str, leave: str, leaves: str) -> str:
    """The largest share, and that of visits that end: "38 % go on to a; 41 % leave"."""
    ended = percent_text(step.ended, step.total)
    if step.ended == step.total:
        return f"everybody {leaves}"
    largest = int(np.argmax(step.sessions))
    label = page_labels(paths.facts.pages)[paths.facts.pages[largest]]
    share = percent_text(int(step.sessions[largest]), step.total)
    return f"{share} {go_on.format(name_text(label))}; {ended} {leave}"


def _notes(facts: Facts, view: View) -> list[str]:
    """What is to be known of the numbers."""
    notes = [
        "Click a page to go on from it.",
        f"A visit ends after a pause of more than {duration_text(facts.visit_gap)}.",
    ]
    if view.selection.pages:
        notes.append("The filter by pages hides nothing here.")
    return notes
