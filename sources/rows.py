"""Sessions between the files and the dashboard: columns of one length."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from schema import COLUMNS

NAMES = pa.dictionary(pa.int32(), pa.string())
"""The Arrow type of columns whose values repeat."""


class Rows(NamedTuple):
    """Sessions, or rows that become sessions once their durations are derived."""

    user: pa.DictionaryArray
    """Names, none missing."""
    page: pa.DictionaryArray
    """Names, none missing."""
    seconds: NDArray[np.float64]
    """Durations; NaN where they are unknown."""
    time: NDArray[np.int64]
    """Starts in microseconds since 1970, UTC."""

    def take(self, which: NDArray[Any]) -> "Rows":
        """The rows at some indices, or where a mask is true."""
        if which.dtype == np.bool_:
            which = np.flatnonzero(which)
        return Rows(
            self.user.take(pa.array(which)),
            self.page.take(pa.array(which)),
            self.seconds[which],
            self.time[which],
        )

    def slice(self, start: int, end: int) -> "Rows":
        """The rows in [start, end), as views."""
        return Rows(
            self.user.slice(start, end - start),
            self.page.slice(start, end - start),
            self.seconds[start:end],
            self.time[start:end],
        )

    def frame(self) -> pd.DataFrame:
        """A session table, see ``schema``."""
        columns = (
            _categories(self.user),
            _categories(self.page),
            self.seconds,
            self.time.view("datetime64[us]"),
        )
        return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)), copy=False)


def join(parts: list[Rows]) -> Rows:
    """The rows of all parts, in order; empties the list to have them in memory once."""
    users, pages = (
        pa.chunked_array([part[i] for part in parts], NAMES)
        .unify_dictionaries()
        .combine_chunks()
        for i in (0, 1)
    )
    seconds = np.concatenate([part.seconds for part in parts])
    time = np.concatenate([part.time for part in parts])
    parts.clear()
    return Rows(_one(users), _one(pages), seconds, time)


def _one(column: pa.ChunkedArray | pa.DictionaryArray) -> pa.DictionaryArray:
    """A column of at most one chunk as an array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks else pa.array([], NAMES)


def _categories(column: pa.DictionaryArray) -> pd.Categorical:
    try:
        names = pd.Index(column.dictionary.to_pandas(), dtype="str")
    except pa.ArrowException:
        # That is what it says where memory ends between the texts.
        raise MemoryError from None
    codes = column.indices.to_numpy(zero_copy_only=False)
    return pd.Categorical.from_codes(codes, names, validate=False)
