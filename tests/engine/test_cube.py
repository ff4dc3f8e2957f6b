"""Cubes, which any source of cells can fill: aggregated ones as well as rows."""

from collections.abc import Iterator
from datetime import UTC

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.aggregates import Aggregates, make_tally
from engine.columns import ColumnStore, build_column_store
from engine.cube import (
    Cells,
    Cube,
    ExactCube,
    FineCells,
    SketchedCube,
    cells_of_rows,
    fine_bin,
    fine_cells_of_rows,
    sketch_rows,
)
from engine.dimensions import CodedSelection, Shape
from engine.memory import MemoryEngine
from engine.model import Selection
from engine.scan import scan
from tests.engine.conformance import assert_tally
from tests.examples import examples
from tests.sessions import ROWS, Row, table
from tests.slow import SlowEngine
from tests.strategies import rows_lists, selections


def build(rows: list[Row]) -> ColumnStore:
    return build_column_store([table(rows)], UTC, block_rows=7)


def aggregated_cells(store: ColumnStore) -> Iterator[Cells]:
    """Yield the cells that a database would give: one for each page, bin and hour."""
    frames = [
        pd.DataFrame(cells._asdict()) for cells in cells_of_rows(store, store.rows)
    ]
    groups = pd.concat(frames).groupby(["page", "bin", "hour"])
    found = groups.agg(
        {"n": "sum", "seconds": "sum", "squared_deviations": "sum", "last": "max"}
    ).reset_index()
    for start in range(0, len(found), 5):
        part = found[start : start + 5]
        yield Cells(
            page=part["page"].to_numpy(np.int64),
            bin=part["bin"].to_numpy(np.int64),
            hour=part["hour"].to_numpy(np.int64),
            n=part["n"].to_numpy(np.uint32),
            seconds=part["seconds"].to_numpy(np.float64),
            squared_deviations=part["squared_deviations"].to_numpy(np.float64),
            last=part["last"].to_numpy(np.uint32),
        )


def aggregated_fine_cells(store: ColumnStore) -> Iterator[FineCells]:
    """Yield one cell for each page, day and fine bin, longest durations first."""
    frames = [
        pd.DataFrame(cells._asdict()) for cells in fine_cells_of_rows(store, store.rows)
    ]
    groups = pd.concat(frames).groupby(["page", "day", "bin"])
    found = groups.agg({"n": "sum", "least": "min", "greatest": "max"}).reset_index()
    found = found[::-1]
    yield FineCells(
        page=found["page"].to_numpy(np.int64),
        day=found["day"].to_numpy(np.int64),
        bin=found["bin"].to_numpy(np.int64),
        n=found["n"].to_numpy(np.uint32),
        least=found["least"].to_numpy(np.float64),
        greatest=found["greatest"].to_numpy(np.float64),
    )


def assert_same(actual: Aggregates, expected: Aggregates) -> None:
    """Hold aggregates against others; only deviations depend on the order of sums."""
    tolerance = 1e-12 * 40 * 1e6**2
    for name, value, other in zip(Aggregates._fields, actual, expected, strict=True):
        if name == "squared_deviations":
            assert value == pytest.approx(other, rel=1e-9, abs=tolerance), name
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, other, name)
        else:
            assert value == other, name


@examples(100)
@given(data=st.data(), rows=rows_lists)
def test_aggregated_cells_and_rows_give_the_same_cube(
    data: st.DataObject, rows: list[Row]
) -> None:
    store = build(rows)
    engine = MemoryEngine(table(rows))
    coded = store.dimensions.encode(data.draw(selections(engine)))
    from_rows = sketch_rows(store, store.rows)
    from_cells = SketchedCube(
        store.dimensions,
        aggregated_cells(store),
        aggregated_fine_cells(store),
        provisional_mean=store.provisional_mean,
        n_fine_bins=1
        + max(int(fine_bin(np.array([row[2] or 0.0]))[0]) for row in rows),
    )
    assert_same(from_cells.aggregate(coded), from_rows.aggregate(coded))


@examples(100)
@given(data=st.data(), rows=rows_lists)
def test_exact_cubes_agree_with_scans(data: st.DataObject, rows: list[Row]) -> None:
    store = build(rows)
    engine = MemoryEngine(table(rows))
    coded = store.dimensions.encode(data.draw(selections(engine)))
    by_page = store.sorted_by_page()
    actual = ExactCube(store, by_page).aggregate(coded)
    assert_same(actual, scan(store, by_page, coded))


@examples(100)
@given(data=st.data(), rows=rows_lists)
def test_a_sketch_agrees_with_the_slow_engine(
    data: st.DataObject, rows: list[Row]
) -> None:
    store = build(rows)
    engine = MemoryEngine(table(rows))
    selection = data.draw(selections(engine))
    coded = store.dimensions.encode(selection)
    aggregates = sketch_rows(store, store.rows).aggregate(coded)
    tally = make_tally(aggregates, store.dimensions, exact=False)
    slow = SlowEngine(rows, "UTC", store.dimensions.edges)
    assert_tally(tally, slow.summarise(selection).everyone, selection)


def test_counts() -> None:
    store = build(list(ROWS))
    cube = Cube(
        store.dimensions.shape,
        cells_of_rows(store, store.rows),
        store.provisional_mean,
    )
    counts = cube.count_all()
    assert counts.shape == store.dimensions.shape[1:]
    assert counts.sum(axis=1).tolist() == [4, 1, 7]
    assert counts[:, 0].tolist() == [1, 1, 1]
    everything = store.dimensions.encode(Selection())
    assert cube.count(everything).tolist() == counts.tolist()
    home = store.dimensions.encode(Selection(pages=("home",), longest=30))
    assert cube.count(home).sum(axis=1).tolist() == [0, 0, 2]


def test_a_cell_of_many_sessions() -> None:
    """Counts are not limited by the bytes of what they come in."""
    shape = Shape(n_days=1, n_pages=1, n_bins=2)
    n = 70_000
    cell = Cells(
        page=np.array([0], np.uint8),
        bin=np.array([1], np.uint8),
        hour=np.array([23], np.uint8),
        n=np.array([n], np.uint32),
        seconds=np.array([3.0 * n]),
        squared_deviations=np.array([2.0 * n]),
        last=np.array([86_399], np.uint32),
    )
    cube = Cube(shape, [cell, cell], provisional_mean=2)
    selection = CodedSelection(0, 1, None, 0, 2)
    counts = cube.count(selection)
    answer = cube.aggregate(selection, counts, np.full((2, 2), np.nan))
    assert answer.sessions.tolist() == [2 * n]
    assert answer.hours[0, 23] == 2 * n
    assert answer.seconds.tolist() == answer.day_seconds.tolist() == [6 * n]
    # From the provisional mean 2 to the mean 3: n less.
    assert answer.squared_deviations.tolist() == [2 * n]
    assert answer.last == 86_399


def test_more_sessions_of_a_page_than_32_bits_count() -> None:
    shape = Shape(n_days=2, n_pages=1, n_bins=2)
    n = 3_000_000_000
    cells = Cells(
        page=np.zeros(2, np.uint8),
        bin=np.ones(2, np.uint8),
        hour=np.array([0, 24], np.uint8),
        n=np.array([n, n], np.uint32),
        seconds=np.zeros(2),
        squared_deviations=np.zeros(2),
        last=np.zeros(2, np.uint32),
    )
    cube = Cube(shape, [cells], provisional_mean=0)
    assert cube.count_all().tolist() == [[0, 2 * n]]
    assert cube.count(CodedSelection(1, 2, None, 0, 2)).tolist() == [[0, n]]


def test_cells_on_many_pages_and_bins_are_not_limited_by_their_types() -> None:
    rows: list[Row] = [
        ("u", f"p{n:03}", 1.0 + n % 50, f"2024-01-{1 + n % 28:02}") for n in range(256)
    ]
    store = build(rows)
    assert store.rows.page.dtype == np.uint8
    everything = store.dimensions.encode(Selection())
    answer = sketch_rows(store, store.rows).aggregate(everything)
    assert answer.sessions.tolist() == [1] * 256
    assert answer.quantiles[0, :-1].tolist() == [1.0 + n % 50 for n in range(256)]


def test_fine_bins_are_64_for_each_doubling() -> None:
    seconds = np.array([0, 1e-9, 1 / 129, 1 / 128, 1 / 64, 1, 64, 64.9, 65, 2**31])
    expected = [0, 0, 0, 1, 65, 1 + 7 * 64, 1 + 13 * 64, 1 + 13 * 64, 2 + 13 * 64]
    assert fine_bin(seconds).tolist() == [*expected, 1 + 38 * 64]
    assert fine_bin(seconds.astype(np.float32)).tolist() == fine_bin(seconds).tolist()


@given(st.floats(1 / 128, 3.2e9), st.floats(1, 2))
def test_fine_bins_are_in_order_and_narrow(seconds: float, factor: float) -> None:
    low, high = fine_bin(np.array([seconds, seconds * factor])).tolist()
    assert low <= high
    if factor > 1 + 1 / 60:
        assert low < high


def test_the_size_is_estimated() -> None:
    store = build(list(ROWS))
    shape = store.dimensions.shape
    cube = Cube(shape, cells_of_rows(store, store.rows), store.provisional_mean)
    arrays = [value for value in vars(cube).values() if isinstance(value, np.ndarray)]
    taken = sum(array.nbytes for array in arrays)
    assert 0.4 * Cube.estimate_bytes(shape) < taken < Cube.estimate_bytes(shape)
