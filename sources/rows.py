"""Sessions between the files and the dashboard: columns of one length."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from schema import COLUMNS
from sources.origin import BadInput

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

    def frames(self, size: int) -> Iterator[pd.DataFrame]:
        """Tables of at most *size* sessions, see ``schema``, that share their names."""
        users, pages = _categories(self.user), _categories(self.page)
        codes = [
            column.indices.to_numpy(zero_copy_only=False)
            for column in (self.user, self.page)
        ]
        for start in range(0, len(self.time), size):
            rows = slice(start, start + size)
            columns = (
                pd.Categorical.from_codes(codes[0][rows], dtype=users, validate=False),
                pd.Categorical.from_codes(codes[1][rows], dtype=pages, validate=False),
                self.seconds[rows],
                self.time[rows].view("datetime64[us]"),
            )
            yield pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)), copy=False)


def join(parts: list[Rows]) -> Rows:
    """The rows of all parts, in order; empties the list.

    Raises BadInput where the names are too many to be held together.
    """
    seconds = np.concatenate([part.seconds for part in parts])
    time = np.concatenate([part.time for part in parts])
    users, pages = [part.user for part in parts], [part.page for part in parts]
    # What is joined is let go of, column by column.
    parts.clear()
    try:
        return Rows(_joined(users), _joined(pages), seconds, time)
    except pa.ArrowCapacityError:
        raise BadInput("users or pages have over 2 GB of different names") from None


def _joined(arrays: list[pa.DictionaryArray]) -> pa.DictionaryArray:
    column = pa.chunked_array(arrays, NAMES).unify_dictionaries()
    arrays.clear()
    whole = column.combine_chunks()
    if not isinstance(whole, pa.ChunkedArray):
        return whole
    return whole.chunk(0) if whole.num_chunks else pa.array([], NAMES)


class _NamesDtype(pd.CategoricalDtype):
    """A category of names that are known to differ, and of which none is missing."""

    @staticmethod
    def validate_categories(categories: Any, fastpath: bool = False) -> Any:
        """Return them as they are.

        pandas would put all into a hash table, and crash where memory ends in it.
        """
        return categories


def _categories(column: pa.DictionaryArray) -> pd.CategoricalDtype:
    try:
        return _NamesDtype(pd.Index(column.dictionary.to_pandas(), dtype="str"))
    except pa.ArrowException:
        # That is what it says where memory ends between the texts.
        raise MemoryError from None
