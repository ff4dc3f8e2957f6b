"""Selected sessions in the order of users and time, a block of rows at a time."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.columns import ColumnStore, Rows, chunks
from engine.dimensions import DAY, CodedSelection
from engine.scan import matching_rows
from engine.sorting import stable_order

_MICROS: Final = 1_000_000
"""Microseconds of a second."""

_CUTS: Final = 4_096
"""Parts of equal length that a range of moments is counted by."""


class UserRows(NamedTuple):
    """Sessions of one or more users."""

    user: NDArray[np.intp]
    """Code of the user of each row."""
    rows: Rows
    """The sessions; not in the order that ``Rows`` says."""


def rows_by_time(
    store: ColumnStore, user: int | None, selection: CodedSelection
) -> Iterator[UserRows]:
    """Yield the selected sessions of a user, or of everyone, by user and time.

    Those of a user that began at the same time are by page, then by duration, the
    unknown first. At least one row and at most ``store.block_rows`` come at once.

    A user with more rows is cut into ranges of time, each of which is looked for among
    all of the user's rows: a range takes about 1 ns for each of them.
    """
    for first, end in store.user_chunks() if user is None else [(user, user + 1)]:
        offsets = store.offsets[first : end + 1]
        rows = store.rows.take(slice(int(offsets[0]), int(offsets[-1])))
        if len(rows.page) > store.block_rows:
            for part in _one_user(store, rows, selection):
                yield UserRows(np.full(len(part.page), first), part)
            continue
        users = np.repeat(np.arange(first, end), np.diff(offsets))
        indices = matching_rows(store.dimensions, rows, selection)
        if indices is not None:
            users, rows = users[indices], rows.take(indices)
        if len(users):
            order = stable_order(_moments(rows), _n_moments(store))
            order = order[stable_order(users[order] - first, end - first)]
            # The users are in order already.
            yield UserRows(users, rows.take(order))


def _moments(rows: Rows) -> NDArray[Any]:
    """Return the times of *rows* as integers: seconds, or microseconds if any has."""
    if rows.micros is None:
        return rows.time
    return rows.time.astype(np.int64) * _MICROS + rows.micros


def _n_moments(store: ColumnStore) -> int:
    seconds = store.dimensions.shape.n_days * DAY
    return seconds if store.rows.micros is None else seconds * _MICROS


def _one_user(
    store: ColumnStore, rows: Rows, selection: CodedSelection
) -> Iterator[Rows]:
    """Yield the selected ones of a user's *rows* by time, in parts."""
    for start, end, n_rows in _ranges(store, rows, selection, 0, _n_moments(store)):
        parts = _within(store, rows, selection, start, end)
        if n_rows > store.block_rows:
            # All at the same moment.
            yield from (part for part in parts if len(part.page))
        else:
            part = _joined(list(parts))
            yield part.take(stable_order(_moments(part) - start, end - start))


def _ranges(
    store: ColumnStore, rows: Rows, selection: CodedSelection, start: int, end: int
) -> Iterator[tuple[int, int, int]]:
    """Yield ranges of moments in [start, end), and the number of selected rows in each.

    They are half-open and in order, and no selected row is outside. Each has at least
    one row and at most ``store.block_rows``, or is a single moment.
    """
    step = -(-(end - start) // _CUTS)
    counts = np.zeros(-(-(end - start) // step), np.int64)
    for part in _within(store, rows, selection, start, end):
        steps = (_moments(part) - start) // step
        counts += np.bincount(steps, minlength=len(counts))
    offsets = np.concatenate(([0], np.cumsum(counts)))
    for low, high in chunks(offsets, store.block_rows):
        n_rows = int(offsets[high] - offsets[low])
        cut = start + low * step, min(start + high * step, end)
        if n_rows > store.block_rows and step > 1:
            yield from _ranges(store, rows, selection, *cut)
        elif n_rows:
            yield (*cut, n_rows)


def _within(
    store: ColumnStore, rows: Rows, selection: CodedSelection, start: int, end: int
) -> Iterator[Rows]:
    """Yield the selected ones of *rows* in a range of moments, block by block."""
    for block in store.blocks(rows):
        moments = _moments(block)
        part = block.take(np.flatnonzero((moments >= start) & (moments < end)))
        indices = matching_rows(store.dimensions, part, selection)
        yield part if indices is None else part.take(indices)


def _joined(parts: list[Rows]) -> Rows:
    """Return rows one behind the other."""
    micros = [part.micros for part in parts if part.micros is not None]
    return Rows(
        page=np.concatenate([part.page for part in parts]),
        bin=np.concatenate([part.bin for part in parts]),
        seconds=np.concatenate([part.seconds for part in parts]),
        time=np.concatenate([part.time for part in parts]),
        micros=np.concatenate(micros) if micros else None,
    )
