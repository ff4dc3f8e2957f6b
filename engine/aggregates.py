"""Counts and sums of one group of sessions, in codes, and the tally made of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.dimensions import Dimensions
from engine.model import QUANTILES, Tally


class Aggregates(NamedTuple):
    """What one group of sessions comes to, whichever way it was computed.

    Pages, bins, days and times are coded as in ``Dimensions``.
    """

    sessions: NDArray[np.int64]
    """(pages,): number of sessions."""
    unknown: NDArray[np.int64]
    """(pages,): number of sessions of unknown duration."""
    seconds: NDArray[np.float64]
    """(pages,): sum of the known durations."""
    squared_deviations: NDArray[np.float64]
    """(pages,): sum of squared deviations of the known durations from their mean."""
    bins: NDArray[np.int64]
    """(bins - 1,): number of sessions in each bin but that of unknown durations."""
    hours: NDArray[np.int64]
    """(days, 24): number of sessions that began in each hour."""
    day_seconds: NDArray[np.float64]
    """(days,): sum of the known durations of the sessions that began on each day."""
    day_unknown: NDArray[np.int64]
    """(days,): number of sessions of unknown duration that began on each day."""
    last: int | None
    """Coded time of the last start; None without sessions."""
    quantiles: NDArray[np.float64]
    """(quantiles, pages + 1): those of each page, then of all pages together, or NaN.

    The quantiles are in the order of ``model.QUANTILES``.
    """


def deviations_from_mean(
    squared_deviations: NDArray[np.float64],
    known: NDArray[np.int64],
    seconds: NDArray[np.float64],
    provisional_mean: float,
) -> NDArray[np.float64]:
    """Turn sums of squared deviations from a provisional mean into those from the mean.

    Formula: Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance",
    The American Statistician 37 (1983), equation 1.7. Results are never below 0.
    """
    mean = np.divide(seconds, known, out=np.zeros(len(known)), where=known > 0)
    shifted = squared_deviations - known * (mean - provisional_mean) ** 2
    return np.maximum(shifted, 0)


def make_tally(aggregates: Aggregates, dimensions: Dimensions, *, exact: bool) -> Tally:
    """Return aggregates as a ``Tally``, whose arrays can't be written to.

    *exact* says whether the quantiles are exact.
    """
    edges = dimensions.edges
    # Bins of both kinds begin with all of their first edges.
    linear, logarithmic = (
        np.add.reduceat(
            aggregates.bins, np.searchsorted(dimensions.bin_edges, scale[:-1])
        )
        for scale in edges
    )
    last = aggregates.last
    by_page, overall = aggregates.quantiles[:, :-1], aggregates.quantiles[:, -1]
    tally = Tally(
        sessions=aggregates.sessions,
        unknown=aggregates.unknown,
        seconds=aggregates.seconds,
        squared_deviations=aggregates.squared_deviations,
        quantiles=dict(zip(QUANTILES, by_page, strict=True)),
        overall_quantiles=dict(zip(QUANTILES, overall.tolist(), strict=True)),
        linear_histogram=linear,
        log_histogram=logarithmic,
        hours=aggregates.hours,
        day_seconds=aggregates.day_seconds,
        day_unknown=aggregates.day_unknown,
        last=None if last is None else dimensions.local_time(last),
        exact=exact,
    )
    # Answers are shared by all who ask.
    for value in [*vars(tally).values(), *tally.quantiles.values()]:
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return tally
