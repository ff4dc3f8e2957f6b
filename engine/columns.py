"""Sessions in narrow, sorted columns: what the memory engine keeps of them."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.batches import EPOCH, Batch, NameCollector, SortedNames, read_batches
from engine.bins import check_edges, choose_edges
from engine.dimensions import DAY, Dimensions
from engine.model import BinEdges
from engine.sorting import order_by_group, stable_order

# Enough for percentiles that bins are chosen by, and sorted in a few milliseconds.
_SAMPLE_SIZE: Final = 100_000


class Rows(NamedTuple):
    """Sessions in columns of one length, sorted by page, then by duration.

    Sessions of unknown duration come first on their page.
    """

    page: NDArray[np.unsignedinteger]
    """Code of the page, see ``Dimensions``."""
    bin: NDArray[np.uint8]
    """Code of the duration's bin, see ``Dimensions``."""
    seconds: NDArray[np.floating]
    """Duration; 0 where it is unknown."""
    time: NDArray[Any]
    """Start as clocks show it to the second, coded as in ``Dimensions``."""
    micros: NDArray[np.uint32] | None = None
    """The microseconds of the start after ``time``; None where all are 0."""

    def take(self, which: slice | NDArray[Any]) -> "Rows":
        """Return the rows at a slice (as views), at indices or where a mask is true."""
        return Rows(
            self.page[which],
            self.bin[which],
            self.seconds[which],
            self.time[which],
            None if self.micros is None else self.micros[which],
        )


@dataclass(frozen=True, eq=False)
class ColumnStore:
    """All sessions in columns, sorted by user, then as ``Rows`` are.

    A session takes 10 bytes where there are at most 256 pages, at most 49,710 days and
    durations are exact in 32 bits, and 21 bytes at most; four more where starts have
    fractions of a second.
    """

    users: "pd.Index[str]"
    """The users that have sessions, sorted by name; a user's code is the index."""
    dimensions: Dimensions
    """What the codes in ``rows`` mean."""
    rows: Rows
    """The sessions."""
    offsets: NDArray[np.int64]
    """(users + 1,): the rows of user u are [offsets[u], offsets[u + 1])."""
    quantum: float
    """The power of two, in seconds, that durations are rounded to in sums.

    All sums are then whole numbers of quanta below 2 ** 53, so that sums and
    differences of sums are exact, and equal in whatever order they are computed.
    """
    provisional_mean: float
    """Whole seconds near the median duration, which deviations are summed from."""
    block_rows: int
    """How many rows are worked on at once."""

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return len(self.rows.page)

    def user_rows(self, user: int) -> Rows:
        """Return the rows of the user with this code, as views."""
        return self.rows.take(slice(self.offsets[user], self.offsets[user + 1]))

    def blocks(self, rows: Rows) -> Iterator[Rows]:
        """Yield *rows* in blocks, so that intermediate arrays fit into a cache."""
        for start in range(0, len(rows.page), self.block_rows):
            yield rows.take(slice(start, start + self.block_rows))

    def user_chunks(self) -> Iterator[tuple[int, int]]:
        """Yield half-open ranges of users with at most ``block_rows`` rows together.

        A user with more rows is a range alone.
        """
        return chunks(self.offsets, self.block_rows)

    def round_to_quantum(self, seconds: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return durations as whole quanta, in seconds."""
        whole = seconds * np.float64(1 / self.quantum)
        np.rint(whole, out=whole)
        whole *= self.quantum
        return whole

    def sorted_by_page(self) -> Rows:
        """Return a copy of all rows, sorted as one user's are."""
        return self._by_page(self.rows)

    def rows_of_users(self, are_in: NDArray[np.bool_]) -> Rows:
        """Return a copy of the rows of some users, together sorted as one user's are.

        *are_in* has, for each user, whether it is one of them.
        """
        return self._by_page(self.rows.take(np.repeat(are_in, np.diff(self.offsets))))

    def _by_page(self, rows: Rows) -> Rows:
        _, n_pages, n_bins = self.dimensions.shape
        group = rows.page.astype(np.int64) * n_bins + rows.bin
        return rows.take(order_by_group(group, n_pages * n_bins, rows.seconds))


def build_column_store(
    tables: Iterable[pd.DataFrame],
    zone: tzinfo,
    *,
    edges: BinEdges | None = None,
    block_rows: int,
) -> ColumnStore:
    """Sort the sessions of all *tables* into columns.

    Each table is narrowed, and can be forgotten, before the next is asked for. While
    the columns are sorted they are held twice, without the tables. Without *edges*
    the bins are chosen from the data. Raises ValueError where there are no sessions,
    where a table isn't as ``schema`` says and where the edges don't hold all durations.
    """
    user_names, page_names = NameCollector(), NameCollector()
    batches: list[Batch] = []
    total = longest = 0.0
    for table in tables:
        for batch in read_batches(table, user_names, page_names, zone, block_rows):
            batches.append(batch)
            # An unknown duration, -1, makes the total larger than it is: no harm.
            total += float(np.abs(batch.seconds).sum(dtype=np.float64))
            longest = max(longest, float(batch.seconds.max()))
        del table
    if not batches:
        raise ValueError("there are no sessions")

    users, pages = user_names.sort(), page_names.sort()
    days, coder = _code_days(batches)
    sample = _sample_durations(batches, int(users.counts.sum()))
    if edges is None:
        percentile_95 = float(np.quantile(sample, 0.95)) if len(sample) else 0.0
        edges = choose_edges(percentile_95, longest)
    else:
        check_edges(edges, longest)
    store = ColumnStore(
        users=users.names,
        dimensions=Dimensions(pages.names, days, edges),
        rows=_empty_rows(batches, len(pages.names), coder),
        offsets=np.concatenate(([0], np.cumsum(users.counts))),
        quantum=choose_quantum(total),
        provisional_mean=float(np.rint(np.median(sample))) if len(sample) else 0.0,
        block_rows=block_rows,
    )
    _sort_into(store, batches, users, pages, coder)
    return store


class _TimeCoder(NamedTuple):
    """Turns the times of batches into those of ``Rows``."""

    first_day: int
    """The first day with sessions, in days since ``EPOCH``."""
    shift: NDArray[Any]
    """For each day from the first on: what is added to times on it, in seconds.

    Its type is that of coded times. Where that is unsigned, negative shifts are wrapped
    around, and so are the sums with them, which come out right.
    """

    def code(self, time: NDArray[np.signedinteger]) -> NDArray[Any]:
        """Return coded times, see ``Dimensions``, for times of a ``Batch``."""
        coded = time.astype(self.shift.dtype)
        coded += self.shift[time // DAY - self.first_day]
        return coded


def _code_days(batches: list[Batch]) -> tuple[NDArray[np.datetime64], _TimeCoder]:
    """Return the days that have sessions, in order, and how times are coded by them."""
    first = min(int(batch.time.min()) for batch in batches) // DAY
    last = max(int(batch.time.max()) for batch in batches) // DAY
    occurs = np.zeros(last - first + 1, dtype=bool)
    for batch in batches:
        occurs[batch.time // DAY - first] = True
    days = EPOCH.astype("datetime64[D]") + (np.flatnonzero(occurs) + first)
    shift = (np.cumsum(occurs) - 1 - np.arange(first, last + 1)) * DAY
    # Not 64 unsigned bits: with signed integers these would come to fractions.
    kind = np.uint32 if len(days) * DAY < 1 << 32 else np.int64
    return days, _TimeCoder(first, shift.astype(kind))


def _sample_durations(batches: list[Batch], n_sessions: int) -> NDArray[np.float64]:
    """Return the known durations, or a random selection where there are many."""
    columns = [batch.seconds for batch in batches]
    if n_sessions > _SAMPLE_SIZE:
        rng = np.random.default_rng(0)
        columns = [
            c[rng.integers(0, len(c), len(c) * _SAMPLE_SIZE // n_sessions + 1)]
            for c in columns
        ]
    sample = np.concatenate(columns).astype(np.float64)
    return sample[sample >= 0]


def choose_quantum(total: float) -> float:
    """Return a power of two of which *total* seconds are less than 2 ** 52."""
    # The reciprocal of a smaller number than 2 ** -1000 may be infinite.
    return math.ldexp(1.0, max(math.frexp(total)[1] - 51, -1000))


def _empty_rows(batches: list[Batch], n_pages: int, coder: _TimeCoder) -> Rows:
    n_rows = sum(len(batch.page) for batch in batches)
    return Rows(
        page=np.empty(n_rows, np.min_scalar_type(n_pages - 1)),
        bin=np.empty(n_rows, np.uint8),
        seconds=np.empty(
            n_rows, np.result_type(*{batch.seconds.dtype for batch in batches})
        ),
        time=np.empty(n_rows, coder.shift.dtype),
        micros=(
            np.empty(n_rows, np.uint32)
            if any(batch.micros is not None for batch in batches)
            else None
        ),
    )


class _SortedBatch(NamedTuple):
    """A batch sorted by group: the sessions of one user on one page are a group."""

    group: NDArray[np.unsignedinteger]
    """Code of the user times the number of pages, plus the code of the page."""
    columns: tuple[NDArray[Any], ...]
    """Duration and time; microseconds as well where some batch has them."""
    cuts: NDArray[np.int64]
    """Range i of groups has the rows [cuts[i], cuts[i + 1])."""

    def piece(self, i: int) -> tuple[NDArray[Any], ...]:
        rows = slice(self.cuts[i], self.cuts[i + 1])
        return self.group[rows], *(column[rows] for column in self.columns)


def _sort_into(
    store: ColumnStore,
    batches: list[Batch],
    users: SortedNames,
    pages: SortedNames,
    coder: _TimeCoder,
) -> None:
    """Sort the sessions of *batches*, which is emptied, into the rows of *store*.

    Each batch is sorted by group. Then ranges of groups that fit into the processor's
    cache are brought together from all batches and sorted by duration.
    """
    n_pages = len(pages.names)
    stops = np.array(_group_stops(store, n_pages))
    group_type = np.min_scalar_type(stops[-1])
    user_groups = (users.codes * n_pages).astype(group_type)
    page_groups = pages.codes.astype(group_type)

    sorted_batches: list[_SortedBatch] = []
    batches.reverse()
    while batches:
        batch = batches.pop()
        group = user_groups[batch.user_base :][batch.user]
        group += page_groups[batch.page_base :][batch.page]
        columns: tuple[NDArray[Any], ...] = (batch.seconds, coder.code(batch.time))
        if store.rows.micros is not None:
            none = np.zeros(len(group), np.uint32)
            columns += (none if batch.micros is None else batch.micros,)
        sorted_batches.append(_sort_batch(group, columns, stops))

    start = 0
    for i in range(len(stops)):
        pieces = [batch.piece(i) for batch in sorted_batches]
        group, *rest = (np.concatenate(c) for c in zip(*pieces, strict=True))
        end = start + len(group)
        _fill_rows(store, store.rows.take(slice(start, end)), group, *rest)
        start = end


def _sort_batch(
    group: NDArray[Any], columns: tuple[NDArray[Any], ...], stops: NDArray[np.int64]
) -> _SortedBatch:
    order = stable_order(group, int(stops[-1]))
    group = group[order]
    cuts = np.searchsorted(group, stops.astype(group.dtype))
    ordered = tuple(column[order] for column in columns)
    return _SortedBatch(group, ordered, np.concatenate(([0], cuts)))


def chunks(offsets: NDArray[np.int64], block_rows: int) -> Iterator[tuple[int, int]]:
    """Yield half-open ranges of groups with at most *block_rows* rows together.

    Group i has the rows [offsets[i], offsets[i + 1]); one with more is a range alone.
    """
    first = 0
    while first < len(offsets) - 1:
        limit = offsets[first] + block_rows
        end = int(np.searchsorted(offsets, limit, side="right")) - 1
        end = max(end, first + 1)
        yield first, end
        first = end


def _group_stops(store: ColumnStore, n_pages: int) -> list[int]:
    """Return where to cut the groups, so that few sessions lie between two cuts."""
    stops: list[int] = []
    for first, end in store.user_chunks():
        n_rows = int(store.offsets[end] - store.offsets[first])
        # A user with many rows is cut by page.
        n_cuts = n_rows // (4 * store.block_rows) + 1
        step = max(-(-n_pages // n_cuts), 1)
        stops += range((end - 1) * n_pages + step, end * n_pages, step)
        stops.append(end * n_pages)
    return stops


def _fill_rows(
    store: ColumnStore,
    rows: Rows,
    group: NDArray[Any],
    seconds: NDArray[np.floating],
    time: NDArray[Any],
    micros: NDArray[np.uint32] | None = None,
) -> None:
    """Sort the sessions of a range of whole groups into *rows*, views into *store*."""
    if not len(group):
        return
    first, last = int(group.min()), int(group.max())
    order = order_by_group(group - group.dtype.type(first), last - first + 1, seconds)
    group, rows.seconds[:], rows.time[:] = group[order], seconds[order], time[order]
    if micros is not None and rows.micros is not None:
        rows.micros[:] = micros[order]
    n_pages = len(store.dimensions.pages)
    rows.page[:] = group - group // n_pages * n_pages
    rows.bin[:] = _code_bins(store.dimensions, rows.seconds)
    np.maximum(rows.seconds, 0, out=rows.seconds)


def sort_rows(
    dimensions: Dimensions,
    page: NDArray[Any],
    seconds: NDArray[np.floating],
    time: NDArray[Any],
) -> Rows:
    """Return sessions as ``Rows``: sorted, and with the codes of their bins.

    *page* and *time* are coded as in *dimensions*; unknown *seconds* are -1.
    """
    n_pages = len(dimensions.pages)
    order = order_by_group(page, n_pages, seconds)
    seconds = seconds[order]
    return Rows(
        page=page[order].astype(np.min_scalar_type(n_pages - 1)),
        bin=_code_bins(dimensions, seconds),
        seconds=np.maximum(seconds, 0),
        time=time[order],
    )


def _code_bins(
    dimensions: Dimensions, seconds: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """The codes of the bins of durations, of which unknown ones are -1."""
    exact_edges = dimensions.bin_edges
    edges = exact_edges.astype(seconds.dtype)
    # An edge that was rounded down is moved up, so that what is below it stays below.
    rounded_down = edges < exact_edges
    np.nextafter(edges, np.inf, out=edges, where=rounded_down, dtype=edges.dtype)
    return np.searchsorted(edges, seconds, side="right").astype(np.uint8)
