"""The bins of durations."""

import math
from typing import Final

import numpy as np

from engine.model import BinEdges

MAX_BINS: Final = 254
"""The most bins that the edges of a ``BinEdges`` may come to together."""

_SMALLEST: Final = 0.001
_MAX_LINEAR_BINS: Final = 60
_LINEAR_WIDTHS: Final = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0),
    *(60.0 * minutes for minutes in (1, 2, 5, 10, 15, 20, 30)),
    *(3600.0 * hours for hours in (1, 2, 3, 6, 12, 24)),
)
_LOG_MANTISSAS: Final = (1.0, 1.5, 2.5, 4.0, 6.0)
_DAY: Final = 86_400.0


def choose_edges(percentile_95: float, longest: float) -> BinEdges:
    """Choose bin edges that suit durations, from two numbers about them.

    *percentile_95* and *longest* are the 95th percentile and the maximum of the known
    durations, in seconds; both are 0 where none is known.

    The linear bins reach to just above the 95th percentile, because durations have
    heavy tails: equal bins up to the longest would put almost everything into the
    first few. They are at most 72, of a width that reads well: 1 s, 2 s, 5 s and so on
    to 12 h, or whole days.
    """
    n_days = math.ceil(percentile_95 / _MAX_LINEAR_BINS / _DAY)
    widths = (w for w in _LINEAR_WIDTHS if w * _MAX_LINEAR_BINS >= percentile_95)
    width = next(widths, n_days * _DAY)
    # The last finite edge is at a whole minute or at a multiple of five bins.
    step = 60 // width if 5 <= width < 60 else 5
    n_bins = (percentile_95 // (width * step) + 1) * step
    linear = np.append(np.arange(n_bins + 1) * width, np.inf)

    logarithmic = [0.0, _SMALLEST]
    for power in range(10):
        logarithmic += [mantissa * 10**power for mantissa in _LOG_MANTISSAS]
    n_edges = max(3, int(np.searchsorted(logarithmic, longest, side="right")) + 1)
    return BinEdges(linear, np.array(logarithmic[:n_edges]))


def check_edges(edges: BinEdges, longest: float) -> None:
    """Raise ValueError unless *edges* put every duration into one bin of each kind.

    *longest* is the longest of the durations, in seconds.
    """
    for scale in edges:
        if len(scale) < 2 or scale[0] != 0 or not (np.diff(scale) > 0).all():
            raise ValueError("bin edges begin with 0 and increase")
    if edges.linear[-1] != np.inf:
        raise ValueError("the last linear bin edge is infinite")
    if edges.logarithmic[-1] <= longest:
        raise ValueError("the last logarithmic bin edge is above the longest duration")
    if len(np.union1d(*edges)) > MAX_BINS + 1:
        raise ValueError(f"bin edges come to more than {MAX_BINS} bins")
