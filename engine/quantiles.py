"""Quantiles of durations, linearly interpolated as ``numpy.quantile`` does."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.model import QUANTILES

PROBABILITIES: Final = np.array(list(QUANTILES.values()))
"""(quantiles,): the probability of each of ``model.QUANTILES``."""


class Neighbours(NamedTuple):
    """The ranks that quantiles lie between, each of shape (quantiles, *shape of n)."""

    low: NDArray[np.int64]
    """Rank, from 0 on, of the value at or below the quantile."""
    high: NDArray[np.int64]
    """Rank of the value at or above the quantile."""
    fraction: NDArray[np.float64]
    """How far the quantile is from the value at ``low`` to that at ``high``."""

    def interpolate(
        self, below: NDArray[np.floating], above: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Return the quantiles, given the values at ``low`` and at ``high``."""
        start = below.astype(np.float64)
        quantiles: NDArray[np.float64] = start + self.fraction * (above - start)
        return quantiles


def neighbours(n: NDArray[np.int64]) -> Neighbours:
    """Return the ranks around each quantile of *n* values; for n = 0 those of n = 1."""
    position = np.multiply.outer(PROBABILITIES, np.maximum(n - 1, 0))
    low = np.floor(position).astype(np.int64)
    return Neighbours(low, np.ceil(position).astype(np.int64), position - low)


def quantiles_of_bins(
    counts: NDArray[np.int64],
    values_at: Callable[[int, NDArray[np.int64]], NDArray[np.floating]],
) -> NDArray[np.float64]:
    """Return the quantiles (quantiles,) of durations that are counted by bin.

    *counts* has the number of values by bin; those of bin 0 are unknown and left out.
    ``values_at(bin, ranks)`` returns the values that have these ranks within a bin. The
    quantiles are NaN where there is no value.
    """
    ends = np.cumsum(counts) - counts[0]
    if not ends[-1]:
        return np.full(len(PROBABILITIES), np.nan)
    around = neighbours(ends[-1])
    ranks = np.concatenate((around.low, around.high))
    bins = np.searchsorted(ends, ranks, side="right")
    values = np.empty(len(ranks))
    for bin_ in set(bins.tolist()):
        inside = bins == bin_
        values[inside] = values_at(bin_, ranks[inside] - int(ends[bin_ - 1]))
    below, above = values.reshape(2, -1)
    return around.interpolate(below, above)


class SortedRun(NamedTuple):
    """Sorted durations, of which all count or only some."""

    seconds: NDArray[np.floating]
    indices: NDArray[np.intp] | None
    """Indices of the durations that count, sorted; None where all do."""

    def at(self, ranks: slice | NDArray[np.int64]) -> NDArray[np.floating]:
        """Return the durations with these ranks among those that count."""
        indices = ranks if self.indices is None else self.indices[ranks]
        values: NDArray[np.floating] = self.seconds[indices]
        return values

    def count_below(self, values: NDArray[np.floating]) -> NDArray[np.intp]:
        """Return for each value how many durations that count are below it."""
        below = np.searchsorted(self.seconds, values)
        if self.indices is None:
            return below
        return np.searchsorted(self.indices, below)


def select_ranks(
    runs: list[SortedRun], ranks: NDArray[np.int64]
) -> NDArray[np.floating]:
    """Return the values that have these ranks among all *runs* together."""
    shortest = min(run.seconds[0] for run in runs)
    longest = max(run.seconds[-1] for run in runs)
    # Counting below a grid of values narrows down where the ranks are, so that few of
    # many values have to be looked at.
    n_steps = 2 + min(sum(len(run.seconds) for run in runs) >> 10, 1_000)
    grid = np.linspace(shortest, longest, n_steps, dtype=runs[0].seconds.dtype)
    below = np.array([run.count_below(grid) for run in runs])
    totals = below.sum(axis=0)
    first = int(np.searchsorted(totals, ranks.min(), side="right")) - 1
    last = int(np.searchsorted(totals, ranks.max(), side="right"))
    candidates = np.concatenate(
        [
            run.at(slice(starts[first], starts[last] if last < len(grid) else None))
            for run, starts in zip(runs, below, strict=True)
        ]
    )
    ranks = ranks - totals[first]
    candidates.partition(ranks)
    values: NDArray[np.floating] = candidates[ranks]
    return values
