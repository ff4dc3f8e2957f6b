"""What comes after and before sessions on a page, counted from the sessions."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.by_time import UserRows, rows_by_time
from engine.columns import ColumnStore, Rows
from engine.dimensions import DAY, CodedSelection
from engine.model import MOST_STEPS, NotInData, PathCounts, PathStep

_BLOCKS_AT_ONCE: Final = 8
"""Blocks of a store that are put into the order of time together."""


class PathQuery(NamedTuple):
    """A page and the pages chosen after and before it, as codes."""

    page: int
    ahead: tuple[int, ...] = ()
    back: tuple[int, ...] = ()

    def chain(self, sign: int) -> tuple[int, ...]:
        """The chosen pages ahead (1) or back (-1)."""
        return self.ahead if sign > 0 else self.back


def path_query(
    codes: dict[str, int], page: str, ahead: tuple[str, ...], back: tuple[str, ...]
) -> PathQuery:
    """A query in codes; raises NotInData and ValueError as ``Engine.paths``."""
    if max(len(ahead), len(back)) >= MOST_STEPS:
        raise ValueError(f"at most {MOST_STEPS - 1} pages can be chosen either way")
    for name in (page, *ahead, *back):
        if name not in codes:
            raise NotInData(f"no session has the page {name!r}")
    return PathQuery(
        codes[page],
        tuple(codes[name] for name in ahead),
        tuple(codes[name] for name in back),
    )


class Steps(NamedTuple):
    """Sessions by user and time, each with whether the next row is what comes next.

    ``MOST_STEPS`` rows that are no sessions stand before the first and after the last.
    """

    page: NDArray[Any]
    day: NDArray[Any]
    """Code of the day of the start."""
    bin: NDArray[np.uint8]
    """Code of the duration's bin; 0 where it is unknown."""
    seconds: NDArray[np.floating]
    linked: NDArray[np.bool_]
    """Whether the row after this one is of the same user's same visit."""
    first: int
    end: int
    """The rows [first, end) are to be counted; the others are what is around them."""


def bytes_in_order(store: ColumnStore, n_sessions: int) -> int:
    """Bytes that so many sessions of *store* take in ``Steps``."""
    rows = store.rows
    day = np.min_scalar_type(store.dimensions.shape.n_days)
    columns = (rows.page.dtype, day, rows.bin.dtype, rows.seconds.dtype, np.dtype(bool))
    return n_sessions * sum(kind.itemsize for kind in columns)


def read_steps(
    store: ColumnStore, user: int | None, visit_gap: float
) -> Iterator[Steps]:
    """Yield the sessions of a user, or of everyone, in blocks.

    Each session is to be counted in one of them.
    """
    n_days, _, n_bins = store.dimensions.shape
    whole_seconds = replace(
        store,
        rows=store.rows._replace(micros=None),
        block_rows=_BLOCKS_AT_ONCE * store.block_rows,
    )
    everything = CodedSelection(0, n_days, None, 0, n_bins)
    held: UserRows | None = None
    first = 0
    for part in rows_by_time(whole_seconds, user, everything):
        held = part if held is None else _joined(held, part)
        n_rows = len(held.user)
        # The last ones wait for what comes after them.
        end = max(n_rows - MOST_STEPS, first)
        yield _steps(store, held, visit_gap, first, end)
        start = max(end - MOST_STEPS, 0)
        held = UserRows(held.user[start:], held.rows.take(slice(start, None)))
        first = end - start
    if held is not None:
        yield _steps(store, held, visit_gap, first, len(held.user))


def _joined(one: UserRows, other: UserRows) -> UserRows:
    columns = (
        np.concatenate([a, b])
        for a, b in zip(one.rows[:4], other.rows[:4], strict=True)
    )
    return UserRows(np.concatenate([one.user, other.user]), Rows(*columns))


def _steps(
    store: ColumnStore, part: UserRows, visit_gap: float, first: int, end: int
) -> Steps:
    user, rows = part
    day = rows.time // DAY
    moment = rows.time.astype(np.int64)
    days = store.dimensions.days.astype(np.int64)
    # Days without sessions have no codes.
    shift = (days - np.arange(len(days))) * DAY
    if shift[-1] != shift[0]:
        moment += shift[day]
    pause = np.diff(moment) - rows.seconds[:-1].astype(np.float64)
    linked = np.zeros(len(user) + 2 * MOST_STEPS, bool)
    inner = linked[MOST_STEPS : MOST_STEPS + max(len(user) - 1, 0)]
    np.logical_and(user[1:] == user[:-1], pause <= visit_gap, out=inner)
    return Steps(
        page=np.pad(rows.page, MOST_STEPS),
        day=np.pad(day.astype(np.min_scalar_type(len(days))), MOST_STEPS),
        bin=np.pad(rows.bin, MOST_STEPS),
        seconds=np.pad(rows.seconds, MOST_STEPS),
        linked=linked,
        first=first + MOST_STEPS,
        end=end + MOST_STEPS,
    )


def count_steps(
    store: ColumnStore,
    blocks: Iterable[Steps],
    selection: CodedSelection,
    query: PathQuery,
) -> PathCounts:
    """Count what comes after and before the selected sessions on a page.

    It takes some 10 ns for each of all sessions.
    """
    n_pages = len(store.dimensions.pages)
    sums = {
        sign: [_Sums(n_pages) for _ in range(len(query.chain(sign)) + 1)]
        for sign in (1, -1)
    }
    for block in blocks:
        at = _on_page(block, selection, query.page, store.dimensions.shape.n_bins)
        for sign, steps in sums.items():
            _follow(store, block, at, query.chain(sign), steps, sign)
    return PathCounts(
        *(tuple(step.counted() for step in sums[sign]) for sign in (1, -1))
    )


class _Sums:
    """Running sums of one step."""

    def __init__(self, n_pages: int) -> None:
        self.sessions = np.zeros(n_pages, np.int64)
        self.unknown = np.zeros(n_pages, np.int64)
        self.seconds = np.zeros(n_pages)
        self.ended = 0

    def counted(self) -> PathStep:
        return path_step(self.sessions, self.unknown, self.seconds, self.ended)


def path_step(
    sessions: NDArray[np.int64],
    unknown: NDArray[np.int64],
    seconds: NDArray[np.float64],
    ended: int,
) -> PathStep:
    """A step whose arrays can't be written to: answers are shared by all who ask."""
    step = PathStep(sessions, sessions - unknown, seconds, ended)
    for array in (step.sessions, step.known, step.seconds):
        array.setflags(write=False)
    return step


def _on_page(
    block: Steps, selection: CodedSelection, page: int, n_bins: int
) -> NDArray[np.intp]:
    """Where the selected sessions on a page are, among those to be counted."""
    rows = slice(block.first, block.end)
    at = np.flatnonzero(block.page[rows] == page) + block.first
    day = block.day[at]
    kept = (day >= selection.first_day) & (day < selection.last_day)
    if selection.first_bin > 0 or selection.last_bin < n_bins:
        bin_ = block.bin[at]
        kept &= (bin_ >= selection.first_bin) & (bin_ < selection.last_bin)
    return at[kept]


def _follow(
    store: ColumnStore,
    block: Steps,
    at: NDArray[np.intp],
    chain: tuple[int, ...],
    sums: list[_Sums],
    sign: int,
) -> None:
    """Add the steps after the rows *at*, or before them where *sign* is -1."""
    for number, step in enumerate(sums):
        # The link between two rows stands in the first of them.
        is_linked = block.linked[at if sign > 0 else at - 1]
        step.ended += len(at) - int(np.count_nonzero(is_linked))
        at = at[is_linked] + sign
        page = block.page[at]
        n_pages = len(step.sessions)
        seconds = store.round_to_quantum(block.seconds[at])
        step.sessions += np.bincount(page, minlength=n_pages)
        step.unknown += np.bincount(page[block.bin[at] == 0], minlength=n_pages)
        step.seconds += np.bincount(page, seconds, minlength=n_pages)
        if number < len(chain):
            at = at[page == chain[number]]
