"""Starts and ends of sessions, whose day and time of day may be two columns."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sources.options import ReadOptions
from sources.origin import BadInput
from sources.texts import as_text
from sources.times import TimeReader, Times

DAY: Final = 86_400 * 10**6
"""Microseconds of a day."""

_CLOCK: Final = r"^\s*\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[AaPp][Mm])?\s*$"
_DAY_ZERO: Final = r"^\s*1899-12-3[01][ T]"
"""The day that databases and spreadsheets of one maker give to a time of day."""

_MIDNIGHT: Final = r"[ T]00:00(:00(\.0+)?)?\s*$"

# What a duration that is read as seconds says in truth, by what the end makes of it.
_UNITS: Final = {60.0: "min", 3_600.0: "h", 0.001: "ms", 0.000_001: "us"}


class Moments:
    """Reads one kind of moment of a table: its starts, or its ends."""

    def __init__(self, options: ReadOptions) -> None:
        self._times = TimeReader(options.time_format, options.times_in)
        self._joins: bool | None = None
        self.texts: pa.ChunkedArray = pa.chunked_array([pa.array([], pa.string())])
        """The column that was read last, as it is or joined from two."""
        self.is_clock = False
        """Whether that column held times of day alone, to which the day was added."""

    @property
    def joins(self) -> bool:
        """Whether both of two columns are used: a day, and a time of day."""
        return bool(self._joins)

    def read(
        self, columns: Sequence[pa.ChunkedArray], day: pa.ChunkedArray | None = None
    ) -> Times:
        """Read one column, or a day and a time of day.

        A single column of times of day belongs to *day*, where that is given. Of two
        columns, the second may hold the whole time, and then is it alone.
        """
        self.is_clock = (
            len(columns) == 1 and day is not None and _are_clocks(as_text(columns[0]))
        )
        if self.is_clock and day is not None:
            columns = [day, columns[0]]
        self.texts = columns[0] if len(columns) == 1 else self._together(columns)
        return self._times.read(self.texts)

    def description(self) -> str:
        """How the moments are written, see ``TimeReader``."""
        return self._times.description()

    def notes(self) -> list[str]:
        """What a person should know of them, in sentences."""
        return self._times.notes()

    def _together(self, columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
        day, clock = map(as_text, columns)
        clock = pc.replace_substring_regex(clock, _DAY_ZERO, "")
        # A day without a time of day would be midnight.
        clock = pc.if_else(pc.equal(pc.utf8_trim_whitespace(clock), ""), None, clock)
        if self._joins is None and clock.null_count < len(clock):
            self._joins = _are_clocks(clock)
        if self._joins is False:
            return columns[1]
        day = pc.replace_substring_regex(day, _MIDNIGHT, "")
        return pc.binary_join_element_wise(day, clock, " ")


def check_unit(
    seconds: NDArray[np.float64],
    between: NDArray[np.float64],
    name: str,
    locate: Callable[[int], str],
) -> None:
    """Hold durations against the time from the start to the end, both in seconds.

    Raises BadInput where the durations of the column *name* are such as if they had
    another unit; *locate* says where the row of an index is.
    """
    both = (seconds > 0) & (between > 0)
    if not both.any():
        return
    ratio = float(between[both].sum() / seconds[both].sum())
    for factor, unit in _UNITS.items():
        if 0.9 * factor <= ratio <= 1.1 * factor:
            row = int(both.argmax())
            raise BadInput(
                f"{locate(row)}: {seconds[row]:g} in {name!r}, but {between[row]:g} s "
                "from the start to the end; if it is right, add --duration-unit "
                f"{unit}"
            )


def _are_clocks(texts: pa.ChunkedArray) -> bool:
    """Whether most known values are times of day."""
    known = texts.drop_null()
    matches = pc.sum(pc.match_substring_regex(known, _CLOCK)).as_py() or 0
    return 2 * matches > len(known)
