"""One user's sessions in order of time, a page of them at a time, and their visits."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.columns import Rows
from engine.dimensions import DAY, CodedSelection, Dimensions
from engine.model import PageCount, Story, StorySession, Visits
from engine.scan import matching_rows
from engine.sorting import stable_order


class Part(NamedTuple):
    """Which part of a list is shown: the sessions [first, end) of it."""

    page: int
    """Its number, from 1 on."""
    n_pages: int
    first: int
    end: int


def find_part(n_sessions: int, page: int | None, page_size: int) -> Part:
    """The part of a list that *page* names; the first for None, the last beyond it."""
    n_pages = max(-(-n_sessions // page_size), 1)
    page = min(max(page or 1, 1), n_pages)
    first = page_size * (page - 1)
    return Part(page, n_pages, first, min(first + page_size, n_sessions))


def tell_story(
    dimensions: Dimensions,
    rows: Rows,
    selection: CodedSelection,
    *,
    visit_gap: float,
    page: int | None,
    page_size: int,
) -> Story:
    """The story of the user whose *rows* these are, see ``Engine.story``.

    It takes some 100 ns and 50 bytes for each selected row.
    """
    indices = matching_rows(dimensions, rows, selection)
    if indices is not None:
        rows = rows.take(indices)
    n_sessions = len(rows.page)
    part = find_part(n_sessions, page, page_size)
    if not n_sessions:
        return Story([], part.page, part.n_pages, 0, None)
    # Rows are by page and duration already, the unknown first: so stay equal times.
    order = stable_order(rows.time, dimensions.shape.n_days * DAY)
    start = dimensions.local_times(rows.time[order]).astype(np.int64)
    pauses = np.diff(start) - rows.seconds[order[:-1]]
    # The first session of each visit.
    firsts = np.concatenate(([0], np.flatnonzero(pauses > visit_gap) + 1))

    # The one before the first that is shown says how long the pause was.
    before = max(part.first - 1, 0)
    shown = order[before : part.end]
    known = rows.bin[shown] > 0
    sessions = sessions_in_order(
        dimensions.pages.take(rows.page[shown]).tolist(),
        start[before : part.end],
        np.where(known, rows.seconds[shown].astype(np.float64), np.nan),
        np.searchsorted(firsts, np.arange(before, part.end), side="right"),
    )
    visits = _count_visits(dimensions.pages, rows.page[order], firsts)
    sessions = sessions[part.first - before :]
    return Story(sessions, part.page, part.n_pages, n_sessions, visits)


def sessions_in_order(
    pages: Sequence[str],
    start: NDArray[np.int64],
    seconds: NDArray[np.float64],
    visits: NDArray[np.int64] | None = None,
) -> list[StorySession]:
    """Sessions with the pause before each, but for the first.

    Starts are as clocks show them, in seconds since 1970; unknown *seconds* are NaN.
    Without *visits*, their numbers are unknown.
    """
    lasted = np.where(np.isnan(seconds), 0, seconds)
    pauses: list[Any] = [None, *(np.diff(start) - lasted[:-1]).tolist()]
    numbers: list[Any] = [None] * len(start) if visits is None else visits.tolist()
    columns = zip(
        pages,
        start.astype("datetime64[s]"),
        seconds.tolist(),
        pauses,
        numbers,
        strict=True,
    )
    return [
        StorySession(page, pd.Timestamp(time), duration, pause, visit)
        for page, time, duration, pause, visit in columns
    ]


def _count_visits(
    pages: "pd.Index[str]", page: NDArray[Any], firsts: NDArray[np.int64]
) -> Visits:
    """What visits come to, whose first sessions are those at *firsts*.

    *page* has the codes of all sessions' pages, in order of time.
    """
    lengths = np.diff(firsts, append=len(page))

    def most(at: NDArray[np.int64]) -> PageCount:
        counts = np.bincount(page[at])
        code = int(counts.argmax())
        n = int(counts[code])
        return PageCount(str(pages[code]), n, int((counts == n).sum()))

    return Visits(
        n=len(firsts),
        median=float(np.median(lengths)),
        entry=most(firsts),
        exit=most(firsts + lengths - 1),
    )
