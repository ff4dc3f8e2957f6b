"""Cubes: counts and sums by page, bin and day that answer any filter at once."""

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.aggregates import Aggregates, deviations_from_mean
from engine.columns import ColumnStore, Rows
from engine.dimensions import DAY, HOURS, CodedSelection, Dimensions, Shape
from engine.quantiles import (
    SortedRun,
    neighbours,
    quantiles_of_bins,
    select_ranks,
)

# Of the 23 fraction bits of a 32-bit number 6 are kept: 64 bins for each doubling.
_FINE_SHIFT: Final = 17
_FINE_OFFSET: Final = (int(np.float32(2**-7).view(np.uint32)) >> _FINE_SHIFT) - 1


class Cells(NamedTuple):
    """Sessions aggregated by page, bin and hour, as sufficient statistics of a cube.

    All are arrays of one length, but a number may stand for an array of equal numbers:
    a session is a cell with n = 1. A page, bin and hour may have several cells.
    """

    page: NDArray[np.integer]
    """Code of the page, see ``Dimensions``."""
    bin: NDArray[np.integer]
    """Code of the duration's bin; 0 for unknown durations."""
    hour: NDArray[np.integer]
    """Code of the day times 24, plus the hour of the day."""
    n: NDArray[np.uint32] | np.uint32
    """Number of sessions."""
    seconds: NDArray[np.float64]
    """Sum of the durations; 0 where they are unknown."""
    squared_deviations: NDArray[np.float64]
    """Sum of squared deviations from the provisional mean; 0 where unknown."""
    last: NDArray[np.uint32]
    """Second of the day, from 0 on, when the last session began."""


class FineCells(NamedTuple):
    """Sessions of known duration aggregated by page, day and fine bin.

    They are what quantiles are sketched from. As in ``Cells``, a number may stand for
    an array, a session is a cell, and there may be several cells for a place.
    """

    page: NDArray[np.integer]
    """Code of the page, see ``Dimensions``."""
    day: NDArray[np.integer]
    """Code of the day."""
    bin: NDArray[np.integer]
    """Code of a fine bin of the durations, such as ``fine_bin`` gives."""
    n: NDArray[np.uint32] | np.uint32
    """Number of sessions."""
    least: NDArray[np.float64]
    """The shortest duration, in seconds."""
    greatest: NDArray[np.float64]
    """The longest duration, in seconds."""


def cells_of_rows(store: ColumnStore, rows: Rows) -> Iterator[Cells]:
    """Yield each of *rows* as a cell, in blocks."""
    for block in store.blocks(rows):
        deviations = block.seconds - np.float64(store.provisional_mean)
        if not block.bin.all():
            deviations[block.bin == 0] = 0
        day = block.time // DAY
        yield Cells(
            page=block.page,
            bin=block.bin,
            hour=block.time // 3600,
            n=np.uint32(1),
            seconds=store.round_to_quantum(block.seconds),
            squared_deviations=deviations * deviations,
            last=(block.time - day * DAY).astype(np.uint32),
        )


def fine_cells_of_rows(store: ColumnStore, rows: Rows) -> Iterator[FineCells]:
    """Yield each of *rows* whose duration is known as a fine cell, in blocks."""
    for block in store.blocks(rows):
        known = block if block.bin.all() else block.take(block.bin > 0)
        seconds = known.seconds.astype(np.float64)
        yield FineCells(
            page=known.page,
            day=known.time // DAY,
            bin=fine_bin(known.seconds),
            n=np.uint32(1),
            least=seconds,
            greatest=seconds,
        )


def fine_bin(seconds: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the fine bins of durations: 64 for each doubling, in equal steps.

    Bin 0 holds the durations under 1/128 s; bin 1 + 64 d + i those in
    [2 ** (d - 7) * (1 + i / 64), 2 ** (d - 7) * (1 + (i + 1) / 64)), where durations
    are rounded to 32 bits first.
    """
    # The upper bits of a floating-point number are its exponent, then its fraction.
    bits = seconds.astype(np.float32).view(np.uint32) >> np.uint32(_FINE_SHIFT)
    return np.maximum(bits.astype(np.intp) - _FINE_OFFSET, 0)


class Cube:
    """Counts and sums of one group of sessions by page, duration bin and day.

    They are prefix sums over days and over bins, so that the total over any dates and
    durations is the difference of four numbers (Ho et al., "Range Queries in OLAP Data
    Cubes", 1997). For days D, pages P and bins B they take 24 bytes times DPB; the
    sessions by hour take another 24 DPB of 1, 2 or 4 bytes each, whatever the largest
    needs. An answer takes about a millisecond, however many sessions are counted.
    """

    def __init__(
        self, shape: Shape, cells: Iterable[Cells], provisional_mean: float
    ) -> None:
        """Add up *cells*, in any order; their deviations are from *provisional_mean*.

        *shape* has the number of codes that cells can have.
        """
        n_days, n_pages, n_bins = shape
        n_cells = math.prod(shape)
        hours = np.zeros((n_pages, n_bins + 1, HOURS * n_days), np.uint32)
        seconds, squared_deviations = np.zeros(n_cells), np.zeros(n_cells)
        last = np.zeros(n_cells, np.uint32)
        for some in cells:
            page, bin_ = some.page.astype(np.intp), some.bin.astype(np.intp)
            line = page * (n_bins + 1) + bin_ + 1
            np.add.at(hours.ravel(), line * (HOURS * n_days) + some.hour, some.n)
            cell = (page * n_bins + bin_) * n_days + some.hour // HOURS
            np.maximum.at(last, cell, some.last)
            np.add.at(seconds, cell, some.seconds)
            np.add.at(squared_deviations, cell, some.squared_deviations)

        by_day = n_pages, n_bins, n_days
        self._provisional_mean = provisional_mean
        self._last = last.reshape(by_day)
        self._seconds = _prefix_sums(seconds.reshape(by_day))
        self._squared_deviations = _prefix_sums(squared_deviations.reshape(by_day))
        by_hour = hours[:, 1:].reshape(*by_day, HOURS)
        by_day_counts = by_hour.sum(axis=3, dtype=np.uint32)
        total = int(by_day_counts.sum(axis=(1, 2), dtype=np.uint64).max())
        # A page may have more sessions than 32 bits count.
        kind = np.uint32 if total < 1 << 32 else np.uint64
        self._counts = _prefix_sums(by_day_counts.astype(kind, copy=False))
        for end in range(2, n_bins + 1):  # Ten times as fast as cumsum.
            hours[:, end] += hours[:, end - 1]
        self._hours = hours.astype(np.min_scalar_type(hours[:, -1].max()))

    @staticmethod
    def estimate_bytes(shape: Shape) -> int:
        """Return about how many bytes a cube of this shape takes."""
        return 72 * math.prod(shape)

    def count(self, selection: CodedSelection) -> NDArray[np.int64]:
        """Return (pages, bins): the number of selected sessions."""
        days = [selection.first_day, selection.last_day]
        totals = self._counts[:, :, days].astype(np.int64)
        counts = np.diff(totals[..., 1] - totals[..., 0])
        counts[:, : selection.first_bin] = 0
        counts[:, selection.last_bin :] = 0
        if selection.pages is not None:
            counts[~selection.pages] = 0
        return counts

    def count_all(self) -> NDArray[np.int64]:
        """Return (pages, bins): the number of all sessions."""
        totals = self._counts[:, :, -1].astype(np.int64)
        return totals[:, 1:] - totals[:, :-1]

    def aggregate(
        self,
        selection: CodedSelection,
        counts: NDArray[np.int64],
        quantiles: NDArray[np.float64],
    ) -> Aggregates:
        """Aggregate the selected sessions.

        *counts* is what ``count`` returns for the selection, *quantiles* are those of
        ``Aggregates``, which a cube alone doesn't know.
        """
        sessions = counts.sum(axis=1)
        unknown = counts[:, 0]
        seconds = self._sum_by_page(self._seconds, selection)
        hours = self._count_by_hour(selection)
        return Aggregates(
            sessions=sessions,
            unknown=unknown,
            seconds=seconds,
            squared_deviations=deviations_from_mean(
                self._sum_by_page(self._squared_deviations, selection),
                sessions - unknown,
                seconds,
                self._provisional_mean,
            ),
            bins=counts[:, 1:].sum(axis=0),
            hours=hours,
            day_seconds=self._seconds_by_day(selection),
            day_unknown=self._unknown_by_day(selection),
            last=self._last_time(selection, hours),
            quantiles=quantiles,
        )

    def _sum_by_page(
        self, prefix_sums: NDArray[np.float64], selection: CodedSelection
    ) -> NDArray[np.float64]:
        days = [selection.first_day, selection.last_day]
        upper = prefix_sums[:, selection.last_bin, days]
        totals = upper - prefix_sums[:, selection.first_bin, days]
        by_page: NDArray[np.float64] = totals[:, 1] - totals[:, 0]
        if selection.pages is not None:
            by_page[~selection.pages] = 0
        return by_page

    def _seconds_by_day(self, selection: CodedSelection) -> NDArray[np.float64]:
        pages, days = _page_index(selection), _day_slice(selection)
        edges = slice(days.start, days.stop + 1)
        upper = self._seconds[pages, selection.last_bin, edges]
        totals = upper - self._seconds[pages, selection.first_bin, edges]
        by_day = np.zeros(self._last.shape[-1])
        by_day[days] = np.diff(totals.sum(axis=0))
        return by_day

    def _unknown_by_day(self, selection: CodedSelection) -> NDArray[np.int64]:
        by_day = np.zeros(self._last.shape[-1], np.int64)
        if selection.first_bin == 0:
            pages, days = _page_index(selection), _day_slice(selection)
            totals = self._counts[pages, 1, days.start : days.stop + 1]
            by_day[days] = np.diff(totals.sum(axis=0, dtype=np.int64))
        return by_day

    def _count_by_hour(self, selection: CodedSelection) -> NDArray[np.int64]:
        pages, days = _page_index(selection), _day_slice(selection)
        hours = slice(HOURS * days.start, HOURS * days.stop)
        upper = self._hours[pages, selection.last_bin, hours]
        by_page = upper - self._hours[pages, selection.first_bin, hours]
        by_hour = np.zeros((self._last.shape[-1], HOURS), np.int64)
        by_hour[days] = by_page.sum(axis=0, dtype=np.int64).reshape(-1, HOURS)
        return by_hour

    def _last_time(
        self, selection: CodedSelection, hours: NDArray[np.int64]
    ) -> int | None:
        active_days = np.flatnonzero(hours.any(axis=1))
        if not len(active_days):
            return None
        day = int(active_days[-1])
        bins = slice(selection.first_bin, selection.last_bin)
        return day * DAY + int(self._last[_page_index(selection), bins, day].max())


class ExactCube:
    """A cube over rows that are kept, so that its quantiles are exact.

    The cube knows in which bin a quantile is; the rows of one bin of a page are next to
    each other, and sorted by duration.
    """

    def __init__(self, store: ColumnStore, rows: Rows) -> None:
        """Count *rows*, which have codes of *store* and are kept."""
        shape = store.dimensions.shape
        self._cube = Cube(shape, cells_of_rows(store, rows), store.provisional_mean)
        self._rows = rows
        self._n_days = shape.n_days

    def aggregate(self, selection: CodedSelection) -> Aggregates:
        """Aggregate the selected sessions."""
        counts = self._cube.count(selection)
        sizes = self._cube.count_all()
        ends = np.cumsum(sizes).reshape(sizes.shape)
        all_days = selection.first_day == 0 and selection.last_day == self._n_days

        def run(page: Any, bin_: int) -> SortedRun:
            end = ends[page, bin_]
            rows = slice(end - sizes[page, bin_], end)
            seconds, time = self._rows.seconds[rows], self._rows.time[rows]
            if all_days or seconds[0] == seconds[-1]:
                return SortedRun(seconds[: counts[page, bin_]], None)
            selected = time >= selection.first_day * DAY
            selected &= time < selection.last_day * DAY
            return SortedRun(seconds, np.flatnonzero(selected))

        def values_on_page(
            page: int, bin_: int, ranks: NDArray[np.int64]
        ) -> NDArray[np.floating]:
            return run(page, bin_).at(ranks)

        def values_on_all_pages(
            bin_: int, ranks: NDArray[np.int64]
        ) -> NDArray[np.floating]:
            pages = np.flatnonzero(counts[:, bin_])
            return select_ranks([run(page, bin_) for page in pages], ranks)

        quantiles = [
            quantiles_of_bins(counts_of_page, partial(values_on_page, page))
            for page, counts_of_page in enumerate(counts)
        ]
        quantiles.append(quantiles_of_bins(counts.sum(axis=0), values_on_all_pages))
        return self._cube.aggregate(selection, counts, np.array(quantiles).T)


class SketchedCube:
    """A cube over sessions that aren't kept in order; its quantiles are within 1 %.

    Next to the cube it counts sessions by day, page and fine bin, of which there are 64
    for each doubling of the duration, in equal steps or in equal ratios. A quantile is
    half-way between the shortest and the longest duration in its fine bin, and so is
    exact where these are equal: below a minute that is where durations are whole
    seconds. Durations under 1/128 s share a
    fine bin. For D days, P pages and F fine bins, typically 1,000, the sketch takes
    another 4 DPF bytes.
    """

    def __init__(
        self,
        dimensions: Dimensions,
        cells: Iterable[Cells],
        fine_cells: Iterable[FineCells],
        *,
        provisional_mean: float,
        n_fine_bins: int,
    ) -> None:
        """Add up *cells* and *fine_cells*, both of the same sessions.

        Deviations in *cells* are from *provisional_mean*; all codes of fine bins are
        below *n_fine_bins*.
        """
        self._cube = Cube(dimensions.shape, cells, provisional_mean)
        self._bin_edges = dimensions.bin_edges
        n_days, n_pages, _ = dimensions.shape
        n_bins = n_fine_bins
        counts = np.zeros((n_pages, n_bins, n_days + 1), np.uint32)
        least, greatest = np.full(n_bins, np.inf), np.zeros(n_bins)
        for some in fine_cells:
            np.minimum.at(least, some.bin, some.least)
            np.maximum.at(greatest, some.bin, some.greatest)
            line = some.page.astype(np.intp) * n_bins + some.bin
            cell = line * (n_days + 1) + some.day + 1
            np.add.at(counts.ravel(), cell, some.n)
        np.cumsum(counts, axis=2, out=counts)
        # By day first, so that what an answer reads lies together.
        self._counts = np.ascontiguousarray(counts.transpose(2, 0, 1))
        self._values = np.where(greatest >= least, (least + greatest) / 2, 0)

    def aggregate(self, selection: CodedSelection) -> Aggregates:
        """Aggregate the selected sessions."""
        counts = self._cube.count(selection)
        known = _with_total(counts[:, 1:].sum(axis=1))
        quantiles = self._quantiles(selection, known)
        return self._cube.aggregate(selection, counts, quantiles)

    def _quantiles(
        self, selection: CodedSelection, known: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the quantiles of ``Aggregates``, of *known* (pages + 1,) durations."""
        # Fine bins know nothing of selected durations: ranks begin behind the shorter.
        n_shorter = np.zeros_like(known)
        if selection.first_bin > 1:
            shorter = selection._replace(first_bin=1, last_bin=selection.first_bin)
            n_shorter = _with_total(self._cube.count(shorter).sum(axis=1))
        up_to = self._counts[selection.last_day].astype(np.int64)
        up_to -= self._counts[selection.first_day]
        if selection.pages is not None:
            up_to[~selection.pages] = 0
        np.cumsum(up_to, axis=1, out=up_to)
        up_to = _with_total(up_to)

        def values_at(ranks: NDArray[np.int64]) -> NDArray[np.floating]:
            bins = (up_to <= (n_shorter + ranks)[..., None]).sum(axis=-1)
            values: NDArray[np.float64] = self._values[
                np.minimum(bins, len(self._values) - 1)
            ]
            return values

        around = neighbours(known)
        quantiles = around.interpolate(values_at(around.low), values_at(around.high))
        shortest = self._bin_edges[max(selection.first_bin - 1, 0)]
        longest = self._bin_edges[selection.last_bin - 1]
        np.clip(quantiles, shortest, longest, out=quantiles)
        quantiles[:, known == 0] = np.nan
        return quantiles


def sketch_rows(store: ColumnStore, rows: Rows) -> SketchedCube:
    """Return a cube over *rows*, which have codes of *store* and aren't kept."""
    return SketchedCube(
        store.dimensions,
        cells_of_rows(store, rows),
        fine_cells_of_rows(store, rows),
        provisional_mean=store.provisional_mean,
        n_fine_bins=int(fine_bin(rows.seconds.max(keepdims=True))[0]) + 1,
    )


def _page_index(selection: CodedSelection) -> slice | NDArray[np.intp]:
    if selection.pages is None:
        return slice(None)
    return np.flatnonzero(selection.pages)


def _day_slice(selection: CodedSelection) -> slice:
    return slice(selection.first_day, selection.last_day)


def _prefix_sums(cells: NDArray[Any]) -> NDArray[Any]:
    """(pages, bins, days) to prefix sums over bins and days, which begin with 0."""
    n_pages, n_bins, n_days = cells.shape
    sums = np.zeros((n_pages, n_bins + 1, n_days + 1), cells.dtype)
    inside = sums[:, 1:, 1:]
    np.cumsum(cells, axis=2, out=inside)
    np.cumsum(inside, axis=1, out=inside)
    return sums


def _with_total(by_page: NDArray[np.int64]) -> NDArray[np.int64]:
    """(pages, ...) to (pages + 1, ...), the last being the sum."""
    return np.concatenate((by_page, by_page.sum(axis=0, keepdims=True)))
