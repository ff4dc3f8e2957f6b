"""What databases answer about a group of sessions, made into what the core counts."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.cube import Cells, FineCells, SketchedCube
from engine.dimensions import DAY, Dimensions

FIRST_DAY: Final = np.datetime64("0001-01-01", "D")
"""What days in answers count from."""


def local_times(seconds: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """What clocks showed, of seconds since the start of ``FIRST_DAY``."""
    times: NDArray[np.datetime64] = FIRST_DAY.astype("datetime64[s]") + seconds
    return times


class Coding(NamedTuple):
    """What all groups of an engine have in common."""

    dimensions: Dimensions
    quantum: float
    """See ``ColumnStore``."""
    mean: float
    """Whole seconds that deviations are from."""
    longest: float
    """The longest duration, in seconds."""
    block_rows: int


class DayCells(NamedTuple):
    """An answer to ``Questions.cells``, in columns of one length."""

    page: NDArray[np.int32]
    """Code of the page."""
    day: NDArray[np.int32]
    """Days since ``FIRST_DAY``, or codes of days."""
    bin: NDArray[np.uint8]
    fine: NDArray[np.int16]
    """-1 for unknown durations."""
    n: NDArray[np.uint32]
    quanta: NDArray[np.float64]
    """Sum of the durations, in quanta."""
    squares: NDArray[np.float64]
    least: NDArray[np.float64]
    greatest: NDArray[np.float64]
    last: NDArray[np.uint32]
    """Second of the day when the last session began."""

    def take(self, which: NDArray[np.bool_]) -> "DayCells":
        """The cells where a mask is true."""
        return (
            self
            if which.all()
            else DayCells(*(cast("Any", column)[which] for column in self))
        )


class PageCoder:
    """The codes of pages by name, in the order that they are given in."""

    def __init__(self, names: Iterable[str], others: str | None = None) -> None:
        """Pages that came since are counted as *others*, or not where it is None."""
        self._codes = {name: code for code, name in enumerate(names)}
        self._other = -1 if others is None else self._codes[others]

    def encode(self, column: pa.Array) -> NDArray[np.int32]:
        """The codes of a column; -1 for what isn't counted."""
        coded = column.dictionary_encode()
        names = coded.dictionary.to_pylist()
        codes = [self._codes.get(name, self._other) for name in names]
        indices = coded.indices.to_numpy(zero_copy_only=False)
        found: NDArray[np.int32] = np.array(codes, np.int32)[indices]
        return found


def read_day_cells(
    batches: Iterable[pa.RecordBatch], pages: PageCoder
) -> list[DayCells]:
    """Read an answer to ``Questions.cells``, part by part, but for unknown pages."""
    return [_read_day_cells(Batch(batch), pages) for batch in batches]


def _read_day_cells(column: "Batch", pages: PageCoder) -> DayCells:
    seconds, day = column.integers("last"), column.integers("day")
    page = pages.encode(column.text("p"))
    cells = DayCells(
        page=page,
        day=day.astype(np.int32),
        bin=column.integers("b").astype(np.uint8),
        fine=column.integers("f", -1).astype(np.int16),
        n=column.integers("n").astype(np.uint32),
        quanta=column.doubles("quanta"),
        squares=column.doubles("squares"),
        least=column.doubles("least"),
        greatest=column.doubles("greatest"),
        last=(seconds - day * DAY).astype(np.uint32),
    )
    return cells.take(page >= 0)


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


def build_cube(
    coding: Coding, days: Iterable[DayCells], hours: Iterable[Cells]
) -> SketchedCube:
    """The cube of a group; the page codes of its cells are those of the dimensions."""
    days = list(days)

    def cells() -> Iterator[Cells]:
        yield from hours
        for some in days:
            yield Cells(
                page=some.page,
                bin=some.bin,
                hour=some.day * 24,
                n=np.uint32(0),
                seconds=some.quanta * coding.quantum,
                squared_deviations=some.squares,
                last=some.last,
            )

    def fine_cells() -> Iterator[FineCells]:
        for some in days:
            known = np.flatnonzero(some.fine >= 0)
            yield FineCells(
                page=some.page[known],
                day=some.day[known],
                bin=some.fine[known],
                n=some.n[known],
                least=some.least[known],
                greatest=some.greatest[known],
            )

    return SketchedCube(
        coding.dimensions,
        cells(),
        fine_cells(),
        provisional_mean=coding.mean,
        n_fine_bins=1
        + max((int(some.fine.max(initial=0)) for some in days), default=0),
    )
