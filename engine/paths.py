"""What comes after and before a page, counted in whichever way is soonest."""

from collections.abc import Iterable
from itertools import chain
from typing import Final

from engine.cache import Cache
from engine.columns import ColumnStore
from engine.dimensions import CodedSelection
from engine.freed import release_freed_memory
from engine.model import PathCounts
from engine.path_cells import PathCells, count_cells
from engine.steps import PathQuery, Steps, bytes_in_order, count_steps, read_steps

_BYTES_A_PAGE: Final = 24
"""Bytes that a page takes in a step."""


class PathCounter:
    """Answers what comes after and before a page, for a user or for everyone.

    *Ways.* Up to a number of sessions, these are put into the order of time and kept;
    an answer is a scan over them. More of everyone's are counted once by chains of
    pages and days (``PathCells``), of which an answer is a slice. Where these take too
    much memory, or with a filter by durations, an answer is a scan again: over sessions
    in order, if there is room to keep them, and otherwise with the work of putting them
    into order each time. With a filter by durations and no such room, cells of their
    own are counted for it.

    *Costs.* Order takes some 0.1 µs a session, and cells 0.1 to 0.6, the less the more
    sessions a user has in a day: 12 s at 100 million sessions, which is more than a
    tenth of what arranging them takes. So all are made when they are first asked for,
    by one thread while others wait. An answer from cells takes about a millisecond, a
    scan some 10 ns a session. What was asked for last is kept in so many bytes.
    """

    def __init__(
        self, store: ColumnStore, visit_gap: float, max_ordered: int, max_bytes: int
    ) -> None:
        """*max_ordered* is the number of sessions beyond which cells are counted."""
        self._store, self._visit_gap = store, visit_gap
        self._max_ordered, self._max_bytes = max_ordered, max_bytes
        self._ordered: Cache[int | None, list[Steps]] = Cache(max_bytes)
        # Everyone's without a filter by durations are apart, so that nothing else has
        # them counted again.
        self._everyones: Cache[tuple[int | None, int, int], PathCells] = Cache(
            max_bytes
        )
        self._cells: Cache[tuple[int | None, int, int], PathCells] = Cache(max_bytes)
        self._answers: Cache[object, PathCounts] = Cache(max_bytes // 8)

    def count(
        self, user: int | None, selection: CodedSelection, query: PathQuery
    ) -> PathCounts:
        """Count for the dates and durations of a selection."""
        n_sessions = self._n_sessions(user)
        # Half of it, so that a user's and everyone's are kept beside each other.
        n_bytes = bytes_in_order(self._store, n_sessions)
        has_room = n_bytes <= self._max_bytes // 2
        if n_sessions <= self._max_ordered or (user is not None and has_room):
            return self._scan(self._in_order(user), selection, query)
        n_bins = self._store.dimensions.shape.n_bins
        durations = selection.first_bin, selection.last_bin
        is_unfiltered = durations == (0, n_bins)
        if is_unfiltered or not has_room:
            kept = self._everyones if user is None and is_unfiltered else self._cells
            cells = kept.get(
                (user, *durations), lambda: self._count_cells(user, selection)
            )
            if (answer := cells.count(selection, query)) is not None:
                return answer
        if has_room:
            return self._scan(self._in_order(user), selection, query)

        def scan() -> tuple[PathCounts, int]:
            answer = self._scan(self._read(user), selection, query)
            steps = list(chain(*answer))
            n_pages = len(self._store.dimensions.pages)
            return answer, _BYTES_A_PAGE * n_pages * len(steps)

        return self._answers.get((user, selection, query), scan)

    def _n_sessions(self, user: int | None) -> int:
        if user is None:
            return self._store.n_sessions
        return int(self._store.offsets[user + 1] - self._store.offsets[user])

    def _read(self, user: int | None) -> Iterable[Steps]:
        return read_steps(self._store, user, self._visit_gap)

    def _scan(
        self, blocks: Iterable[Steps], selection: CodedSelection, query: PathQuery
    ) -> PathCounts:
        return count_steps(self._store, blocks, selection, query)

    def _in_order(self, user: int | None) -> list[Steps]:
        def read() -> tuple[list[Steps], int]:
            n_bytes = bytes_in_order(self._store, self._n_sessions(user))
            return list(self._read(user)), n_bytes

        return self._ordered.get(user, read)

    def _count_cells(
        self, user: int | None, selection: CodedSelection
    ) -> tuple[PathCells, int]:
        cells = count_cells(self._store, self._read(user), selection, self._max_bytes)
        release_freed_memory()
        return cells, cells.n_bytes
