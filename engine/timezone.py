"""Time zones: from UTC to what clocks show, and back."""

from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FIRST_TIME: Final = np.datetime64("0001-01-01T00:00:00", "s")
"""The first second that a clock can show: the start of the year 1."""
LAST_TIME: Final = np.datetime64("9999-12-31T23:59:59", "s")
"""The last second that a clock can show: the end of the year 9999."""

# No zone is further than this from UTC, so that its clocks can be computed inside.
_MARGIN: Final = np.timedelta64(86_400, "s")
_HOUR: Final = 3_600


def time_zone(name: str) -> tzinfo:
    """Return the time zone of an IANA *name* such as Europe/Berlin.

    UTC is known on systems that have no time zone database. Raises ValueError, with a
    message of one line, for a name that isn't known.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}") from None


def to_local(utc: NDArray[np.datetime64], zone: tzinfo) -> NDArray[np.datetime64]:
    """Convert times in UTC, to the second, to what the clocks of *zone* show.

    *utc* is in the years 1 to 9999, and so is the result: clocks that would leave
    these years stop at ``FIRST_TIME`` or ``LAST_TIME``.
    """
    if zone is UTC or not len(utc):
        return utc
    hour = utc.view(np.int64) // _HOUR
    first, last = int(hour.min()), int(hour.max())
    if last - first > len(utc):
        return _convert(utc, zone)
    # Converting hours and looking times up in them takes half as long as converting
    # each time: 22 ns. Beyond 2100, and with pandas 3.0, it takes a tenth.
    starts = (np.arange(first, last + 2) * _HOUR).view("datetime64[s]")
    # Integers: looking up time deltas is five times as slow.
    shifts = (_convert(starts, zone) - starts).view(np.int64)
    seconds = utc.view(np.int64) + shifts[hour - first]
    local: NDArray[np.datetime64] = seconds.view("datetime64[s]")
    changes = shifts[1:] != shifts[:-1]
    rows = np.flatnonzero(changes[hour - first])
    local[rows] = _convert(utc[rows], zone)
    return local


def _convert(utc: NDArray[np.datetime64], zone: tzinfo) -> NDArray[np.datetime64]:
    # Python's zones fail where a clock would show a year that dates don't have.
    inside = np.clip(utc, FIRST_TIME + _MARGIN, LAST_TIME - _MARGIN)
    local = pd.DatetimeIndex(inside).tz_localize(UTC).tz_convert(zone).tz_localize(None)
    shifted = local.to_numpy() + (utc - inside)
    return np.clip(shifted, FIRST_TIME, LAST_TIME)


def to_instants(local: NDArray[np.datetime64], zone: tzinfo) -> pd.DatetimeIndex:
    """Convert what the clocks of *zone* showed, to the second, to instants in it.

    A time that clocks show twice, as in the hour when summer time ends, is taken to be
    the first of the two. The inverse of ``to_local`` but for that.
    """
    inside = np.clip(local, FIRST_TIME + _MARGIN, LAST_TIME - _MARGIN)
    first_of_two = np.ones(len(local), dtype=bool)
    utc = pd.DatetimeIndex(inside).tz_localize(zone, ambiguous=first_of_two)
    shifted = utc.tz_convert(None).to_numpy() + (local - inside)
    return pd.DatetimeIndex(shifted).tz_localize(UTC).tz_convert(zone)
