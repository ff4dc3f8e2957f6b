"""What file formats give: rows in columns as they are in the file, part by part."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

EXACT: Final = 2**53
"""Below this all whole numbers are exact as doubles, and not rounded to one another."""

Choose = Callable[[Sequence[str]], Sequence[int]]
"""Given the names of a file's columns, the indices of those that are wanted.

Raises ``NoSuchColumns`` where one is missing.
"""


class LeftOut(NamedTuple):
    """Rows of a file that can't be used, for one reason."""

    reason: str
    """What they have, such as "the wrong number of fields"."""
    rows: int
    """How many they are, at least 1."""
    example: str
    """Where one is and what it has there, such as "line 8: 'yesterday'"."""
    hint: str = ""
    """What to do about it, such as an option; empty where there is nothing."""

    def text(self) -> str:
        """For example "2 with an unreadable time, such as line 8: 'yesterday'"."""
        words = f"{self.rows:,} with {self.reason}, such as {self.example}"
        return f"{words} ({self.hint})" if self.hint else words


class Part(NamedTuple):
    """Some rows of a file."""

    table: pa.Table
    """The wanted columns in the order of their indices, of whatever types they have."""
    locate: Callable[[int], str]
    """Where the row of this index in ``table`` is in the file, such as "line 8"."""
    form: str
    """How the file is written, such as "CSV, separated by semicolons"."""
    left_out: Sequence[LeftOut] = ()
    """Rows more that there were and that have no such columns."""
    notes: Sequence[str] = ()
    """What a person should know of the file besides, in sentences."""
    point_is_usual: bool = False
    """Whether such files write decimal points, so that the text "1.234" is less than 2.
    """
    numbers: Callable[[int], NDArray[np.bool_]] | None = None
    """Which texts of the column of this index in ``table`` are numbers in the file,
    where numbers and texts differ there."""
    durations: str = ""
    """The rule by which the file's durations were derived, where it says so."""
