"""Counts of many pages with few sessions each, kept as the cells that there are."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.aggregates import Aggregates, deviations_from_mean
from engine.cube import Cells, FineCells
from engine.dimensions import DAY, HOURS, CodedSelection, Dimensions
from engine.quantiles import PROBABILITIES, neighbours

BYTES_A_SESSION: Final = 64
"""Bytes that a session takes at most: as a cell of its own, and as a fine cell."""


class _Columns(NamedTuple):
    """Cells in columns of one length, see ``Cells``."""

    page: NDArray[np.int32]
    bin: NDArray[np.uint8]
    hour: NDArray[np.int32]
    n: NDArray[np.uint32]
    seconds: NDArray[np.float64]
    squared_deviations: NDArray[np.float64]
    last: NDArray[np.uint32]


class SparseCells:
    """The cells of one group of sessions, each of which an answer looks at.

    What ``cube.SketchedCube`` answers, in as much memory as there are cells, 64 bytes
    for a session at most, and in about 30 ns a cell. It pays where most pages have no
    session on most days. Quantiles are within 1 %, as the cube's are.
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
        """Keep *cells* and *fine_cells*, both of the same sessions.

        Deviations in *cells* are from *provisional_mean*; all codes of fine bins are
        below *n_fine_bins*.
        """
        self._shape = dimensions.shape
        self._bin_edges = dimensions.bin_edges
        self._provisional_mean = provisional_mean
        parts = [
            _Columns(
                page=some.page.astype(np.int32),
                bin=some.bin.astype(np.uint8),
                hour=some.hour.astype(np.int32),
                n=np.broadcast_to(some.n, some.page.shape),
                seconds=some.seconds,
                squared_deviations=some.squared_deviations,
                last=some.last,
            )
            for some in cells
        ]
        self._cells = _Columns(*map(_joined, zip(*parts, strict=True)))
        least, greatest = np.full(n_fine_bins, np.inf), np.zeros(n_fine_bins)
        fine = []
        for some_fine in fine_cells:
            np.minimum.at(least, some_fine.bin, some_fine.least)
            np.maximum.at(greatest, some_fine.bin, some_fine.greatest)
            n = np.broadcast_to(some_fine.n, some_fine.page.shape)
            columns = (some_fine.page, some_fine.day, some_fine.bin, n)
            fine.append([column.astype(np.int32) for column in columns])
        page, day, bin_, n = map(_joined, zip(*fine, strict=True))
        # By page, then by duration: so lie the ranks of a page.
        order = np.lexsort((bin_, page))
        self._fine = page[order], day[order], bin_[order], n[order]
        self._values = np.where(greatest >= least, (least + greatest) / 2, 0)

    @property
    def n_bytes(self) -> int:
        """Bytes that the cells take."""
        return sum(column.nbytes for column in (*self._cells, *self._fine))

    def aggregate(self, selection: CodedSelection) -> Aggregates:
        """Aggregate the selected sessions."""
        n_days, n_pages, n_bins = self._shape
        every_bin = selection._replace(first_bin=0, last_bin=n_bins)
        found = self._matching(every_bin)
        # Fine bins know nothing of selected durations: ranks begin behind the shorter.
        shorter = found.bin < selection.first_bin
        shorter &= found.bin > 0
        n_shorter = _total(found.page[shorter], found.n[shorter], n_pages)
        cells = _take(found, _within(found.bin, selection, n_bins))
        sessions = _total(cells.page, cells.n, n_pages)
        is_unknown = cells.bin == 0
        unknown = _total(cells.page[is_unknown], cells.n[is_unknown], n_pages)
        day = cells.hour // HOURS
        seconds = _sum(cells.page, cells.seconds, n_pages)
        squared = _sum(cells.page, cells.squared_deviations, n_pages)
        last = day.astype(np.int64) * DAY + cells.last
        return Aggregates(
            sessions=sessions,
            unknown=unknown,
            seconds=seconds,
            squared_deviations=deviations_from_mean(
                squared, sessions - unknown, seconds, self._provisional_mean
            ),
            bins=_total(cells.bin, cells.n, n_bins)[1:],
            hours=_total(cells.hour, cells.n, HOURS * n_days).reshape(-1, HOURS),
            day_seconds=_sum(day, cells.seconds, n_days),
            day_unknown=_total(day[is_unknown], cells.n[is_unknown], n_days),
            last=int(last.max()) if len(last) else None,
            quantiles=self._quantiles(selection, sessions - unknown, n_shorter),
        )

    def _matching(self, selection: CodedSelection) -> _Columns:
        """The cells of the selected days and pages."""
        return _take(
            self._cells,
            _of_days_and_pages(
                self._cells.hour // HOURS, self._cells.page, selection, self._shape[0]
            ),
        )

    def _quantiles(
        self,
        selection: CodedSelection,
        known: NDArray[np.int64],
        n_shorter: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """The quantiles of ``Aggregates``, of *known* (pages,) durations.

        *n_shorter* (pages,) are shorter than the selected ones.
        """
        page, day, bin_, n = self._fine
        which = _of_days_and_pages(day, page, selection, self._shape[0])
        if which is not None:
            page, bin_, n = page[which], bin_[which], n[which]
        quantiles = np.full((len(PROBABILITIES), len(known) + 1), np.nan)
        if not len(page):
            return quantiles
        running = np.cumsum(n, dtype=np.int64)
        by_page = _total(page, n, len(known))
        first = np.cumsum(by_page) - by_page

        pages = np.flatnonzero(known)
        start = (first + n_shorter)[pages]

        def on_pages(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
            places = np.searchsorted(running, start + ranks, side="right")
            values: NDArray[np.float64] = self._values[
                bin_[np.minimum(places, len(bin_) - 1)]
            ]
            return values

        around = neighbours(known[pages])
        quantiles[:, pages] = around.interpolate(
            on_pages(around.low), on_pages(around.high)
        )

        total = int(known.sum())
        if total:
            all_ = np.cumsum(_total(bin_, n, len(self._values)))

            def overall(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
                places = np.searchsorted(all_, ranks + n_shorter.sum(), side="right")
                found: NDArray[np.float64] = self._values[
                    np.minimum(places, len(self._values) - 1)
                ]
                return found

            around = neighbours(np.array(total))
            quantiles[:, -1] = around.interpolate(
                overall(around.low), overall(around.high)
            )
        shortest = self._bin_edges[max(selection.first_bin - 1, 0)]
        longest = self._bin_edges[selection.last_bin - 1]
        clipped: NDArray[np.float64] = np.clip(quantiles, shortest, longest)
        return clipped


def _of_days_and_pages(
    day: NDArray[Any], page: NDArray[Any], selection: CodedSelection, n_days: int
) -> NDArray[np.bool_] | None:
    """Which cells are of the selected days and pages; None where all are."""
    conditions = []
    if selection.first_day > 0:
        conditions.append(day >= selection.first_day)
    if selection.last_day < n_days:
        conditions.append(day < selection.last_day)
    if selection.pages is not None:
        conditions.append(selection.pages[page])
    if not conditions:
        return None
    which: NDArray[np.bool_] = np.logical_and.reduce(conditions)
    return which


def _within(
    bin_: NDArray[Any], selection: CodedSelection, n_bins: int
) -> NDArray[np.bool_] | None:
    if selection.first_bin == 0 and selection.last_bin == n_bins:
        return None
    within: NDArray[np.bool_] = bin_ >= selection.first_bin
    return within & (bin_ < selection.last_bin)


def _take(cells: _Columns, which: NDArray[np.bool_] | None) -> _Columns:
    if which is None:
        return cells
    columns: Any = cells
    return _Columns(*(column[which] for column in columns))


def _total(codes: NDArray[Any], n: NDArray[Any], length: int) -> NDArray[np.int64]:
    """(length,): the sum of *n* by code; sums are whole, and exact as such."""
    return np.bincount(codes, n, length).astype(np.int64)


def _sum(
    codes: NDArray[Any], values: NDArray[np.float64], length: int
) -> NDArray[np.float64]:
    """(length,): the sum of values by code."""
    sums: NDArray[np.float64] = np.bincount(codes, values, length).astype(np.float64)
    return sums


def _joined(arrays: Iterable[Any]) -> Any:
    return np.concatenate(list(arrays))
