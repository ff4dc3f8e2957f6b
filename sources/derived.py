"""Durations that no column has: the time to the next row of the same user."""

from collections.abc import Sequence
from datetime import UTC, tzinfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sources.rows import Rows

_HOUR = 3_600 * 10**6
_DAY = 24 * _HOUR
_MANY = 20


def derive(
    rows: Rows, gap: float, other_gaps: Sequence[float] = ()
) -> tuple[NDArray[np.float64], list[int]]:
    """Durations of *rows*, in seconds, NaN where they are unknown, and visits.

    A duration is the time to the same user's next row, unknown where there is none or
    it is more than *gap* seconds away. Rows of one time keep their order. A visit is a
    run of rows without such a gap: how many there are by *gap*, and by *other_gaps*.
    """
    user = rows.user.indices.to_numpy()
    order = _order(user, rows.time, len(rows.user.dictionary))
    user, time = user[order], rows.time[order]
    seconds = np.full(len(order), np.nan)
    between = np.diff(time) / 1e6
    same_user = user[1:] == user[:-1]
    del user, time
    same_visit = np.flatnonzero(same_user & (between <= gap))
    seconds[order[same_visit]] = between[same_visit]
    n_visits = [
        len(order) - int(np.count_nonzero(same_user & (between <= each)))
        for each in (gap, *other_gaps)
    ]
    return seconds, n_visits


def can_derive(time: NDArray[np.int64], zone: tzinfo) -> bool:
    """Whether times, in microseconds since 1970, are more than days or whole hours.

    They are days where all are midnights in *zone*. Many that have one and the same
    time of day are days of another zone; many on whole hours are sums by the hour.
    """
    local = pd.DatetimeIndex(time.view("datetime64[us]"), tz=UTC).tz_convert(zone)
    clock = local.tz_localize(None).to_numpy().astype(np.int64) % _DAY
    if len(time) < _MANY:
        return bool(clock.any())
    of_day = time % _DAY
    return bool((clock % _HOUR).any()) and bool((of_day != of_day[0]).any())


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
