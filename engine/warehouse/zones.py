"""Time zones in SQL: from UTC to what clocks show and back, by the zone data here."""

from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.dimensions import DAY
from engine.timezone import FIRST_TIME, LAST_TIME, to_local
from engine.warehouse.words import pick

_MICROS: Final = 1_000_000
_YEAR_1900: Final = -2_208_988_800
_YEAR_2200: Final = 7_258_118_400


@dataclass(frozen=True)
class Changes:
    """How far the clocks of a zone are from UTC, in a range of times.

    Databases bring zone data of their own, each of another year: no engine's is taken.
    """

    moments: tuple[int, ...] = ()
    """When the clocks were changed, in seconds since 1970, in order."""
    shifts: tuple[int, ...] = (0,)
    """Seconds that they are ahead of UTC before the first change, and from each on."""

    @property
    def is_utc(self) -> bool:
        """Whether clocks show UTC."""
        return self.shifts == (0,)

    def moved(self, seconds: int) -> "Changes":
        """The same for times that count from so many seconds before 1970."""
        moments = tuple(moment + seconds for moment in self.moments)
        return replace(self, moments=moments)

    def to_local(self, seconds: str) -> str:
        """What clocks show at a time in SQL, both in seconds."""
        if self.is_utc:
            return seconds
        moments = [str(moment) for moment in self.moments]
        return f"{seconds} + {pick(seconds, moments, [str(s) for s in self.shifts])}"

    def from_local(self, micros: str) -> str:
        """The time in SQL at which clocks show another, both in microseconds.

        Of an hour that is shown twice it is the first, and one that is skipped goes on
        from the change.
        """
        bounds = [
            str((moment + max(shifts)) * _MICROS)
            for moment, shifts in zip(self.moments, pairwise(self.shifts), strict=True)
        ]
        shifts = [str(shift * _MICROS) for shift in self.shifts]
        return f"{micros} - {pick(micros, bounds, shifts)}"


IN_UTC: Final = Changes()
"""Clocks that show UTC."""


def changes(zone: tzinfo, first: int, last: int) -> Changes:
    """Return the changes of a zone's clocks between two times, in seconds since 1970.

    Both are in the years 1 to 9999. Of several changes on one day the last counts.
    """
    if zone is UTC:
        return IN_UTC
    earliest, latest = (int(time.view(np.int64)) for time in (FIRST_TIME, LAST_TIME))
    starts = np.arange(max(first - DAY, earliest), min(last + 2 * DAY, latest), DAY)
    shifts = _shifts(starts, zone)
    days = np.flatnonzero(np.diff(shifts))
    before, after = starts[days], starts[days + 1]
    old = shifts[days]
    while len(days) and (after - before > 1).any():
        middle = (before + after) // 2
        is_old = _shifts(middle, zone) == old
        before, after = (
            np.where(is_old, middle, before),
            np.where(is_old, after, middle),
        )
    return Changes(tuple(after.tolist()), (int(shifts[0]), *shifts[days + 1].tolist()))


def whole_zone(zone: tzinfo) -> Changes:
    """The changes of a zone's clocks in all years that databases know well."""
    return changes(zone, _YEAR_1900, _YEAR_2200)


def _shifts(seconds: NDArray[np.int64], zone: tzinfo) -> NDArray[np.int64]:
    utc = seconds.astype("datetime64[s]")
    shifts: NDArray[np.int64] = (to_local(utc, zone) - utc).astype(np.int64)
    return shifts
