"""The counting: a group's rows one by one, or by a cube that has them counted."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rows import BLOCK, DAY, Rows, Table, rounded

QUANTILES: Final = (0.5, 0.9)
_HOURS: Final = 24
# Of a 32-bit number's 23 bits behind the point 6 are kept: 64 steps for each doubling.
_SKETCH_SHIFT: Final = 17
_SKETCH_LEAST: Final = int(np.float32(2**-7).view(np.uint32)) >> _SKETCH_SHIFT


class Picked(NamedTuple):
    """A selection, the user aside, in codes; half-open."""

    first_day: int
    last_day: int
    pages: NDArray[np.bool_] | None
    """For each page whether it is picked; None: all are."""
    first_bin: int
    last_bin: int


class Counted(NamedTuple):
    """What one group of sessions comes to; see ``Tally`` for the words."""

    sessions: NDArray[np.int64]
    unknown: NDArray[np.int64]
    seconds: NDArray[np.float64]
    squares: NDArray[np.float64]
    bins: NDArray[np.int64]
    """Sessions in each bin, those of unknown duration left out."""
    day_sessions: NDArray[np.int64]
    day_seconds: NDArray[np.float64]
    hours: NDArray[np.int64]
    """Sessions in each hour of each day."""
    first: int | None
    """Like ``Rows.time``; None where there is no session."""
    last: int | None
    quantiles: NDArray[np.float64]
    """(2, pages + 1): the median and P90 of each page, then of all together, or NaN."""


def count_rows(table: Table, rows: Rows, picked: Picked) -> Counted:
    """Answer from the rows themselves, in 10 to 20 ns for each."""
    n_days, n_pages, n_bins = shape(table)
    sessions, unknown = np.zeros(n_pages, np.int64), np.zeros(n_pages, np.int64)
    seconds, squares = np.zeros(n_pages), np.zeros(n_pages)
    bins = np.zeros(n_bins, np.int64)
    hours = np.zeros(_HOURS * n_days, np.int64)
    hour_seconds = np.zeros(_HOURS * n_days)
    first = last = None
    kept: list[Rows] = []
    # In blocks, so that what is made on the way stays in the processor's cache.
    for start in range(0, len(rows.page), BLOCK):
        block = _kept(table, rows.take(slice(start, start + BLOCK)), picked)
        n_rows = len(block.page)
        if not n_rows:
            continue
        kept.append(block)
        # Rows of the same page and bin lie next to each other: sum these runs first.
        ends = block.page[1:] != block.page[:-1]
        ends |= block.bin[1:] != block.bin[:-1]
        runs = np.concatenate(([0], np.flatnonzero(ends) + 1))
        page, bin_, n = block.page[runs], block.bin[runs], np.diff(runs, append=n_rows)
        long = rounded(block.seconds, table.grain)
        np.add.at(sessions, page, n)
        np.add.at(bins, bin_, n)
        np.add.at(unknown, page[bin_ == 0], n[bin_ == 0])
        np.add.at(seconds, page, np.add.reduceat(long, runs))
        apart = block.seconds - np.float64(table.centre)
        apart *= apart
        apart = np.add.reduceat(apart, runs)
        apart[bin_ == 0] = 0
        np.add.at(squares, page, apart)
        hour = (block.time // 3600).astype(np.intp)
        hours += np.bincount(hour, minlength=len(hours))
        hour_seconds += np.bincount(hour, long, minlength=len(hours))
        times = int(block.time.min()), int(block.time.max())
        first = times[0] if first is None else min(first, times[0])
        last = times[1] if last is None else max(last, times[1])

    known = sessions - unknown
    quantiles = np.full((2, n_pages + 1), np.nan)
    if known.any():
        every = _joined([block.seconds for block in kept])
        in_bin = _joined([block.bin for block in kept])
        some = np.flatnonzero(known)
        # The first row of each page whose duration is known.
        at = (np.cumsum(sessions) - known)[some]
        low, high, part = positions(known[some])
        below, above = every[at + low].astype(np.float64), every[at + high]
        quantiles[:, some] = below + part * (above - below)

        def ranked(bin_: int, ranks: NDArray[np.int64]) -> NDArray[np.floating]:
            return np.partition(every[in_bin == bin_], ranks)[ranks]

        quantiles[:, -1] = _of_bins(bins, ranked)
    return Counted(
        sessions=sessions,
        unknown=unknown,
        seconds=seconds,
        squares=_about_means(squares, known, seconds, table.centre),
        bins=bins[1:],
        day_sessions=hours.reshape(-1, _HOURS).sum(axis=1),
        day_seconds=hour_seconds.reshape(-1, _HOURS).sum(axis=1),
        hours=hours,
        first=first,
        last=last,
        quantiles=quantiles,
    )


def _joined(blocks: list[NDArray[Any]]) -> NDArray[Any]:
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def means(
    seconds: NDArray[np.float64], known: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sums by the number of durations in them; NaN where there is none."""
    out = np.full(len(known), np.nan)
    np.divide(seconds, known, out=out, where=known > 0)
    return out


def _about_means(
    squares: NDArray[np.float64],
    known: NDArray[np.int64],
    seconds: NDArray[np.float64],
    centre: float,
) -> NDArray[np.float64]:
    """Sums of squared deviations from *centre* to those from the pages' means."""
    mean = np.divide(seconds, known, out=np.zeros(len(known)), where=known > 0)
    return np.maximum(squares - known * (mean - centre) ** 2, 0)


def _kept(table: Table, rows: Rows, picked: Picked) -> Rows:
    which = places(table, rows, picked)
    return rows if which is None else rows.take(which)


def places(table: Table, rows: Rows, picked: Picked) -> NDArray[np.intp] | None:
    """Where the rows are that are picked; None: all are."""
    n_days, _, n_bins = shape(table)
    keep: NDArray[np.bool_] | None = None

    def narrow(also: NDArray[np.bool_]) -> None:
        nonlocal keep
        keep = also if keep is None else keep & also

    if picked.pages is not None:
        narrow(picked.pages[rows.page])
    if picked.first_day > 0:
        narrow(rows.time >= picked.first_day * DAY)
    if picked.last_day < n_days:
        narrow(rows.time < picked.last_day * DAY)
    if picked.first_bin > 0:
        narrow(rows.bin >= picked.first_bin)
    if picked.last_bin < n_bins:
        narrow(rows.bin < picked.last_bin)
    return None if keep is None else np.flatnonzero(keep)


class Cube:
    """Counts and sums of one group of sessions by day, page and duration bin.

    They are running totals over the days and over the bins (a summed-area table, or
    prefix sums: Ho et al., "Range Queries in OLAP Data Cubes", 1997), so that the
    total over any dates and durations is the difference of four numbers. For days D,
    pages P and bins B they take 28 bytes times DPB; the sessions by hour take another
    24 DPB of 1, 2 or 4 bytes each, whatever the largest needs.
    """

    def __init__(self, table: Table, rows: Rows) -> None:
        n_days, n_pages, n_bins = shape(table)
        flat = n_pages * n_bins * n_days
        hours = np.zeros((n_pages, n_bins + 1, _HOURS * n_days), np.uint32)
        seconds, squares = np.zeros(flat), np.zeros(flat)
        first, last = np.full(flat, DAY, np.uint32), np.zeros(flat, np.uint32)
        self._centre = table.centre
        one = np.uint32(1)  # Of the same type, or adding is slow.
        for start in range(0, len(rows.page), BLOCK):
            block = rows.take(slice(start, start + BLOCK))
            hour = block.time // 3600
            day = hour // _HOURS
            second = (block.time - day * DAY).astype(np.uint32)
            page, bin_ = block.page.astype(np.intp), block.bin.astype(np.intp)
            line = page * (n_bins + 1) + bin_ + 1
            np.add.at(hours.ravel(), line * (_HOURS * n_days) + hour, one)
            cell = (page * n_bins + bin_) * n_days + day
            np.minimum.at(first, cell, second)
            np.maximum.at(last, cell, second)
            np.add.at(seconds, cell, rounded(block.seconds, table.grain))
            apart = block.seconds - np.float64(self._centre)
            if not bin_.all():
                apart[bin_ == 0] = 0
            np.add.at(squares, cell, apart * apart)

        cells = n_pages, n_bins, n_days
        self._first, self._last = first.reshape(cells), last.reshape(cells)
        self._seconds = _running(seconds.reshape(cells))
        self._squares = _running(squares.reshape(cells))
        by_day = hours[:, 1:].reshape(*cells, _HOURS)
        self.counts = _running(by_day.sum(axis=3, dtype=np.uint32))
        for end in range(2, n_bins + 1):  # Ten times as quick as cumsum.
            hours[:, end] += hours[:, end - 1]
        self._hours = hours.astype(np.min_scalar_type(hours[:, -1].max()))

    @staticmethod
    def size(table: Table) -> int:
        """About how many bytes a cube takes."""
        return 76 * math.prod(shape(table))

    def count(
        self,
        picked: Picked,
        by_bin: NDArray[np.int64],
        quantiles: NDArray[np.float64],
    ) -> Counted:
        """What *picked* comes to, of which *by_bin* and the quantiles are known."""
        days = slice(picked.first_day, picked.last_day)
        bins = slice(picked.first_bin, picked.last_bin)
        pages: Any = slice(None)
        if picked.pages is not None:
            pages = np.flatnonzero(picked.pages)

        sessions = by_bin.sum(axis=1)
        seconds = self._by_page(self._seconds, picked)
        known = sessions - by_bin[:, 0]
        squares = self._by_page(self._squares, picked)

        n_days = self._first.shape[-1]
        day_sessions = np.zeros(n_days, np.int64)
        day_sessions[days] = self._by_day(self.counts, picked, pages)
        day_seconds = np.zeros(n_days)
        day_seconds[days] = self._by_day(self._seconds, picked, pages)

        hours = slice(_HOURS * days.start, _HOURS * days.stop)
        of_bins = self._hours[pages, bins.stop, hours]
        of_bins = of_bins - self._hours[pages, bins.start, hours]
        by_hour = np.zeros(_HOURS * n_days, np.int64)
        by_hour[hours] = of_bins.sum(axis=0, dtype=np.int64)

        active = np.flatnonzero(day_sessions)
        first = last = None
        if len(active):
            first, last = int(active[0]), int(active[-1])
            first = first * DAY + int(self._first[pages, bins, first].min())
            last = last * DAY + int(self._last[pages, bins, last].max())
        return Counted(
            sessions=sessions,
            unknown=by_bin[:, 0],
            seconds=seconds,
            squares=_about_means(squares, known, seconds, self._centre),
            bins=by_bin[:, 1:].sum(axis=0),
            day_sessions=day_sessions,
            day_seconds=day_seconds,
            hours=by_hour,
            first=first,
            last=last,
            quantiles=quantiles,
        )

    def by_page_and_bin(self, picked: Picked) -> NDArray[np.int64]:
        """(pages, bins): sessions that are picked."""
        to = self.counts[:, :, [picked.first_day, picked.last_day]].astype(np.int64)
        by_bin = np.diff(to[..., 1] - to[..., 0])
        by_bin[:, : picked.first_bin] = 0
        by_bin[:, picked.last_bin :] = 0
        if picked.pages is not None:
            by_bin[~picked.pages] = 0
        return by_bin

    def _by_page(
        self, totals: NDArray[np.float64], picked: Picked
    ) -> NDArray[np.float64]:
        days = [picked.first_day, picked.last_day]
        of_bins = totals[:, picked.last_bin, days] - totals[:, picked.first_bin, days]
        by_page: NDArray[np.float64] = of_bins[:, 1] - of_bins[:, 0]
        if picked.pages is not None:
            by_page[~picked.pages] = 0
        return by_page

    def _by_day(self, totals: NDArray[Any], picked: Picked, pages: Any) -> NDArray[Any]:
        days = slice(picked.first_day, picked.last_day + 1)
        to = totals[pages, picked.last_bin, days]
        to = to - totals[pages, picked.first_bin, days]
        return np.diff(to.sum(axis=0, dtype=np.result_type(to, np.int64)))


class ExactCube:
    """A cube over rows that are kept, so that its quantiles are exact.

    The cube says which bin has the value; the rows of a page's bin lie next to each
    other, and are sorted.
    """

    def __init__(self, table: Table, rows: Rows) -> None:
        self._cube, self._rows = Cube(table, rows), rows
        self._n_days = len(table.days)

    def count(self, picked: Picked) -> Counted:
        by_bin = self._cube.by_page_and_bin(picked)
        # The rows of page p and bin b are those in [to[p, b], to[p, b + 1]).
        to = self._cube.counts[:, :, -1].astype(np.int64)
        to[1:] += np.cumsum(to[:-1, -1])[:, None]
        every_day = picked.first_day == 0 and picked.last_day == self._n_days

        def found(page: Any, bin_: int) -> _Sorted:
            run = slice(to[page, bin_], to[page, bin_ + 1])
            seconds, time = self._rows.seconds[run], self._rows.time[run]
            if every_day or seconds[0] == seconds[-1]:
                return _Sorted(seconds[: by_bin[page, bin_]], None)
            dates = time >= picked.first_day * DAY
            dates &= time < picked.last_day * DAY
            return _Sorted(seconds, np.flatnonzero(dates))

        def of_page(
            page: int, bin_: int, ranks: NDArray[np.int64]
        ) -> NDArray[np.floating]:
            return found(page, bin_).at(ranks)

        def of_all(bin_: int, ranks: NDArray[np.int64]) -> NDArray[np.floating]:
            pages = [found(page, bin_) for page in np.flatnonzero(by_bin[:, bin_])]
            return _ranked(pages, ranks)

        quantiles = [
            _of_bins(counts, partial(of_page, page))
            for page, counts in enumerate(by_bin)
        ]
        quantiles.append(_of_bins(by_bin.sum(axis=0), of_all))
        return self._cube.count(picked, by_bin, np.array(quantiles).T)


class _Sorted(NamedTuple):
    """Durations in order, of which only those at some places count, or all."""

    seconds: NDArray[np.floating]
    places: NDArray[np.intp] | None

    def at(self, ranks: slice | NDArray[np.int64]) -> NDArray[np.floating]:
        values: NDArray[np.floating] = self.seconds[
            ranks if self.places is None else self.places[ranks]
        ]
        return values

    def below(self, values: NDArray[np.floating]) -> NDArray[np.intp]:
        """How many are below each of the values."""
        places = np.searchsorted(self.seconds, values)
        return places if self.places is None else np.searchsorted(self.places, places)


def _ranked(parts: list[_Sorted], ranks: NDArray[np.int64]) -> NDArray[np.floating]:
    """The values that have these ranks among all parts together."""
    least = min(part.seconds[0] for part in parts)
    most = max(part.seconds[-1] for part in parts)
    # Of many values only the few are looked at that lie between two steps.
    n_steps = 2 + min(sum(len(part.seconds) for part in parts) >> 10, 1_000)
    steps = np.linspace(least, most, n_steps, dtype=parts[0].seconds.dtype)
    below = np.array([part.below(steps) for part in parts])
    totals = below.sum(axis=0)
    first = int(np.searchsorted(totals, ranks.min(), side="right")) - 1
    last = int(np.searchsorted(totals, ranks.max(), side="right"))
    near = np.concatenate(
        [
            part.at(slice(starts[first], starts[last] if last < len(steps) else None))
            for part, starts in zip(parts, below, strict=True)
        ]
    )
    ranks = ranks - totals[first]
    near.partition(ranks)
    values: NDArray[np.floating] = near[ranks]
    return values


class SketchedCube:
    """A cube over rows that aren't kept in order, so that its quantiles are within 1 %.

    For them a second one has 64 bins for each doubling of the duration. The answer is
    half-way between the least and the greatest duration in a bin, and so is exact
    where these are the same, as below a minute they are where durations are whole
    seconds. Durations under 1/128 s count as one bin.
    """

    def __init__(self, table: Table) -> None:
        self._cube, self._edges = Cube(table, table.rows), table.edges
        n_days, n_pages, _ = shape(table)
        n_bins = int(_sketch_bin(table.rows.seconds.max(keepdims=True))[0]) + 1
        counts = np.zeros((n_pages, n_bins, n_days + 1), np.uint32)
        kind = table.rows.seconds.dtype
        least, greatest = np.full(n_bins, np.inf, kind), np.zeros(n_bins, kind)
        for start in range(0, table.n_sessions, BLOCK):
            block = table.rows.take(slice(start, start + BLOCK))
            bin_ = _sketch_bin(block.seconds)
            np.minimum.at(least, bin_, block.seconds)
            np.maximum.at(greatest, bin_, block.seconds)
            day = block.time // DAY
            cell = (block.page.astype(np.intp) * n_bins + bin_) * (n_days + 1) + day + 1
            if not block.bin.all():
                cell = cell[block.bin > 0]
            np.add.at(counts.ravel(), cell, np.uint32(1))
        np.cumsum(counts, axis=2, out=counts)
        # By day, so that what a pick reads lies together.
        self._counts = np.ascontiguousarray(counts.transpose(2, 0, 1))
        self._values = np.where(greatest >= least, (least + greatest) / 2, 0)

    def count(self, picked: Picked) -> Counted:
        by_bin = self._cube.by_page_and_bin(picked)
        known = by_bin[:, 1:].sum(axis=1)
        shorter = np.zeros_like(known)
        if picked.first_bin > 1:
            below = picked._replace(first_bin=1, last_bin=picked.first_bin)
            shorter = self._cube.by_page_and_bin(below).sum(axis=1)
        to = self._counts[picked.last_day].astype(np.int64)
        to -= self._counts[picked.first_day]
        if picked.pages is not None:
            to[~picked.pages] = 0
        np.cumsum(to, axis=1, out=to)

        def with_all(by_page: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.concatenate((by_page, by_page.sum(axis=0, keepdims=True)))

        known, shorter, to = with_all(known), with_all(shorter), with_all(to)
        low, high, part = positions(known)

        def values(ranks: NDArray[np.int64]) -> NDArray[np.floating]:
            bins = (to <= (shorter + ranks)[..., None]).sum(axis=-1)
            found: NDArray[Any] = self._values[np.minimum(bins, len(self._values) - 1)]
            return found

        below_, above = values(low), values(high)
        quantiles = below_ + part * (above - below_)
        least = self._edges[max(picked.first_bin - 1, 0)]
        np.clip(quantiles, least, self._edges[picked.last_bin - 1], out=quantiles)
        quantiles[:, known == 0] = np.nan
        return self._cube.count(picked, by_bin, quantiles)


def shape(table: Table) -> tuple[int, int, int]:
    """The number of days, of pages, and of bins with the one for unknown durations."""
    return len(table.days), len(table.pages), len(table.edges)


def _running(cells: NDArray[Any]) -> NDArray[Any]:
    """(pages, bins, days) to running totals over bins and days, which begin with 0."""
    n_pages, n_bins, n_days = cells.shape
    totals = np.zeros((n_pages, n_bins + 1, n_days + 1), cells.dtype)
    inside = totals[:, 1:, 1:]
    np.cumsum(cells, axis=2, out=inside)
    np.cumsum(inside, axis=1, out=inside)
    return totals


def _sketch_bin(seconds: NDArray[np.floating]) -> NDArray[np.intp]:
    """The upper bits of a number as floating point are its logarithm, in steps."""
    bits = seconds.astype(np.float32).view(np.uint32) >> np.uint32(_SKETCH_SHIFT)
    bins = bits.astype(np.intp) - (_SKETCH_LEAST - 1)
    return np.maximum(bins, 0)


def positions(
    known: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """For each quantile and each n: the ranks around it, and how far it is between."""
    position = np.multiply.outer(QUANTILES, np.maximum(known - 1, 0))
    low = np.floor(position).astype(np.int64)
    return low, np.ceil(position).astype(np.int64), position - low


def _of_bins(
    counts: NDArray[np.int64],
    ranked: Callable[[int, NDArray[np.int64]], NDArray[np.floating]],
) -> NDArray[np.float64]:
    """The quantiles of values of which each bin but the first has so many.

    ``ranked(bin, ranks)`` says which values have these ranks within a bin.
    """
    ends = np.cumsum(counts) - counts[0]
    if not ends[-1]:
        return np.full(len(QUANTILES), np.nan)
    low, high, part = positions(ends[-1:])
    ranks = np.concatenate((low, high)).ravel()
    bins = np.searchsorted(ends, ranks, side="right")
    values = np.empty(len(ranks))
    for bin_ in set(bins.tolist()):
        here = bins == bin_
        values[here] = ranked(bin_, ranks[here] - int(ends[bin_ - 1]))
    below, above = values.reshape(2, -1)
    between: NDArray[np.float64] = below + part.ravel() * (above - below)
    return between
