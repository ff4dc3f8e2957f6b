"""Durations that no column has: the time to the next row of the same user."""

from datetime import UTC, tzinfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sources.rows import Rows


def derive(rows: Rows, gap: float) -> NDArray[np.float64]:
    """Durations of *rows*, in seconds; NaN where they are unknown.

    A duration is the time to the same user's next row, unknown where there is none or
    it is more than *gap* seconds away. Rows of one time keep their order. Needs 32
    bytes a row besides the rows.
    """
    user = rows.user.indices.to_numpy()
    order = _order(user, rows.time, len(rows.user.dictionary))
    user, time = user[order], rows.time[order]
    seconds = np.full(len(order), np.nan)
    between = np.diff(time) / 1e6
    same_visit = (user[1:] == user[:-1]) & (between <= gap)
    seconds[order[:-1][same_visit]] = between[same_visit]
    return seconds


def have_days_alone(rows: Rows, zone: tzinfo) -> bool:
    """Whether all starts are midnights in a zone: nothing can be derived from days."""
    times = pd.DatetimeIndex(rows.time.view("datetime64[us]"), tz=UTC).tz_convert(zone)
    return bool((times == times.normalize()).all())


def _order(
    user: NDArray[np.int32], time: NDArray[np.int64], n_users: int
) -> NDArray[np.intp]:
    """The stable order by user, then by time."""
    if not len(time):
        return np.arange(0)
    first, last = int(time.min()), int(time.max())
    span = last - first + 1
    if span * n_users < 1 << 63:
        # One number a row sorts in a third of the time that two keys take.
        return np.argsort(user * np.int64(span) + (time - first), kind="stable")
    return np.lexsort((time, user))
