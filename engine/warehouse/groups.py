"""What databases answer about a group of sessions, made into what the core counts."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.cube import Cells, FineCells, SketchedCube
from engine.dimensions import Dimensions
from engine.sparse import SparseCells
from engine.warehouse.questions import NO_FINE_BIN, Bins, Frame

FIRST_DAY: Final = np.datetime64("0001-01-01", "D")
"""What days in answers count from."""


def local_times(seconds: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """What clocks showed, of seconds since the start of ``FIRST_DAY``."""
    times: NDArray[np.datetime64] = FIRST_DAY.astype("datetime64[s]") + seconds
    return times


class Coding(NamedTuple):
    """What all groups of an engine have in common."""

    dimensions: Dimensions
    bins: Bins
    """What durations are counted by."""
    least: NDArray[np.float64]
    """(fine bins,): the shortest duration in each fine bin, in seconds."""
    greatest: NDArray[np.float64]
    """(fine bins,): the longest duration in each."""
    frame: Frame
    """What answers count from."""
    block_rows: int
    is_sparse: bool = False
    """Whether pages are too many for a place for each by day and bin."""


class FineDays(NamedTuple):
    """An answer to ``Questions.sketch``, in columns of one length."""

    page: NDArray[np.int32]
    """Code of the page."""
    day: NDArray[np.int32]
    """Days since ``Frame.day``, or codes of days."""
    fine: NDArray[np.int16]
    """-1 for unknown durations."""
    n: NDArray[np.uint32]

    def take(self, which: NDArray[np.bool_]) -> "FineDays":
        """The rows where a mask is true."""
        if which.all():
            return self
        return FineDays(*(cast("Any", column)[which] for column in self))


def is_blank(name: str | None) -> bool:
    """Whether a name is NULL, empty, or of blanks alone, as in ``REASONS``."""
    return name is None or not name.strip(" ")


class PageCoder:
    """The codes of pages by name, in the order that they are given in."""

    def __init__(self, names: Iterable[str], others: str | None = None) -> None:
        """Pages that came since are counted as *others*, or not where it is None.

        What is no page, NULL or blank, is never counted.
        """
        self._codes = {name: code for code, name in enumerate(names)}
        self._other = -1 if others is None else self._codes[others]

    def encode(self, column: pa.Array) -> NDArray[np.int32]:
        """The codes of a column; -1 for what isn't counted."""
        if pa.types.is_integer(column.type):
            given = column.fill_null(-1).to_numpy(zero_copy_only=False)
            return cast("NDArray[np.int32]", given.astype(np.int32))
        coded = column.dictionary_encode(null_encoding="encode")
        codes = [
            -1 if is_blank(name) else self._codes.get(name, self._other)
            for name in coded.dictionary.to_pylist()
        ]
        indices = coded.indices.to_numpy(zero_copy_only=False)
        found: NDArray[np.int32] = np.array(codes, np.int32)[indices]
        return found


def read_fine_days(
    batches: Iterable[pa.RecordBatch], pages: PageCoder
) -> list[FineDays]:
    """Read an answer to ``Questions.sketch``, but for pages that aren't counted."""
    parts = []
    for batch in batches:
        column = Batch(batch)
        page = pages.encode(column.names("c"))
        part = FineDays(
            page=page,
            day=column.integers("day").astype(np.int32),
            fine=column.integers("f", -1).astype(np.int16),
            n=column.integers("n").astype(np.uint32),
        )
        parts.append(part.take((page >= 0) & (part.fine != NO_FINE_BIN)))
    return parts


class Batch:
    """Columns of a part of an answer, in the types that they are meant to have.

    Databases differ in the widths of the integers that they count in.
    """

    def __init__(self, batch: pa.RecordBatch | pa.Table) -> None:
        self._batch = batch

    def _column(self, name: str) -> pa.Array:
        column = self._batch.column(name)
        return (
            column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        )

    def integers(self, name: str, null: int = 0) -> NDArray[np.int64]:
        """A column of integers; *null* stands for those that are NULL."""
        column = self._column(name).cast(pa.int64()).fill_null(null)
        return cast("NDArray[np.int64]", column.to_numpy(zero_copy_only=False))

    def integer(self, name: str) -> int:
        """The only value of a column; 0 where it is NULL."""
        (value,) = self.integers(name)
        return int(value)

    def doubles(self, name: str, null: float = 0) -> NDArray[np.float64]:
        """A column of floating-point numbers; *null* stands for those that are NULL."""
        column = self._column(name).cast(pa.float64()).fill_null(null)
        return cast("NDArray[np.float64]", column.to_numpy(zero_copy_only=False))

    def text(self, name: str) -> pa.Array:
        """A column of texts."""
        return self._column(name).cast(pa.string())

    def names(self, name: str) -> pa.Array:
        """A column of texts, or of integers that stand for some."""
        column = self._column(name)
        return column if pa.types.is_integer(column.type) else self.text(name)


def build_cube(
    coding: Coding, days: Iterable[FineDays], cells: Iterable[Cells]
) -> SketchedCube | SparseCells:
    """The cube of a group, whose codes are those of the dimensions."""

    def fine_cells() -> Iterator[FineCells]:
        for some in days:
            known = np.flatnonzero(some.fine >= 0)
            fine = np.minimum(some.fine[known], len(coding.least) - 1)
            yield FineCells(
                page=some.page[known],
                day=some.day[known],
                bin=fine,
                n=some.n[known],
                least=coding.least[fine],
                greatest=coding.greatest[fine],
            )

    make = SparseCells if coding.is_sparse else SketchedCube
    return make(
        coding.dimensions,
        cells,
        fine_cells(),
        provisional_mean=coding.bins.mean,
        n_fine_bins=len(coding.least),
    )
