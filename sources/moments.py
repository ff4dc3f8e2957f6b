"""Starts and ends of sessions, whose day and time of day may be two columns."""

import shlex
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from formatting import duration_text
from sources.durations import UNITS
from sources.names import Columns, shown_name
from sources.options import ReadOptions
from sources.origin import BadInput
from sources.texts import as_text
from sources.times import TimeReader, Times
from sources.usual_names import is_of_visit

DAY: Final = 86_400 * 10**6
"""Microseconds of a day."""

_CLOCK: Final = r"^\s*\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[AaPp][Mm])?\s*$"
_DAY_ZERO: Final = r"^\s*1899-12-3[01][ T]"
"""The day that databases and spreadsheets of one maker give to a time of day."""

_MIDNIGHT: Final = r"[ T]00:00(:00(\.0+)?)?\s*$"

_FIRST: Final = 1 << 16
"""How many durations are looked at."""

# What a duration that is read as seconds says in truth, by what the end makes of it.
_UNITS: Final = {UNITS[unit]: unit for unit in ("min", "h", "ms", "us")}


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


def check_once(
    seconds: NDArray[np.float64],
    user: pa.DictionaryArray,
    visit: pa.ChunkedArray,
    columns: Columns,
    locate: Callable[[int], str],
) -> None:
    """Hold durations of rows, in seconds, against those of the same user's *visit*.

    Raises BadInput where most visits of several rows have the same in all of these, so
    that it is the visit's and would be counted again with each row. *locate* says where
    the row of an index is.
    """
    first, n_rows, is_same = _by_visit(seconds, user, visit)
    different = len(np.unique(seconds[first[is_same]]))
    indices = [n for n in (*columns.ends, columns.duration) if n is not None]
    spent = [columns.names[n] for n in indices]
    # Where no name speaks of visits, that some are equal by chance is more likely.
    share, least = (0.5, 1) if any(map(is_of_visit, spent)) else (0.9, 10)
    if different < least or is_same.mean() <= share:
        return
    at = int(is_same.argmax())
    row, n = int(first[at]), int(n_rows[at])
    role = "end" if columns.ends else "duration"
    what = "the time to " * (role == "end") + " and ".join(map(shown_name, spent))
    by = shown_name(columns.names[columns.visit or 0])
    how = "say --duration none to derive durations from the next row"
    if columns.visit in columns.time:
        how = "name the time of each row with --time COL"
    own = f"--{role} {shlex.quote(shown_name('+'.join(spent)))}"
    raise BadInput(
        f"{locate(row)}: {what} is {duration_text(seconds[row])} in each of the {n:,} "
        f"rows with {by} {shown_name(visit[row].as_py())}, as if of all of them "
        f"together, and would be counted {n:,} times; {how}, or say {own} if each row "
        "lasted so long"
    )


def _by_visit(
    seconds: NDArray[np.float64], user: pa.DictionaryArray, visit: pa.ChunkedArray
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Of visits of several rows: the first, how many, and if all have one duration.

    Of the rows only some of the first are regarded, and none without a duration.
    """
    encoded = visit.combine_chunks().dictionary_encode()
    keys = encoded.indices, user.indices
    known = seconds > 0
    for key in keys:
        known &= key.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(known)[:_FIRST]
    visits, users = (key.fill_null(0).to_numpy()[rows].astype(np.int64) for key in keys)
    codes = visits * len(user.dictionary) + users
    order = np.lexsort((seconds[rows], codes))
    rows, codes = rows[order], codes[order]
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    n_rows = np.diff(first, append=len(rows))
    first, n_rows = first[n_rows > 1], n_rows[n_rows > 1]
    is_same = seconds[rows[first]] == seconds[rows[first + n_rows - 1]]
    return rows[first], n_rows, is_same


def _are_clocks(texts: pa.ChunkedArray) -> bool:
    """Whether most known values are times of day."""
    known = texts.drop_null()
    matches = pc.sum(pc.match_substring_regex(known, _CLOCK)).as_py() or 0
    return 2 * matches > len(known)
