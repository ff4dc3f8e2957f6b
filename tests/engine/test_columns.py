from datetime import UTC

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bins import choose_edges
from engine.columns import ColumnStore, build_column_store
from engine.model import BinEdges
from tests.sessions import ROWS, Row, table
from tests.strategies import rows_lists, rows_of_many_users


def build(*tables: pd.DataFrame, block_rows: int = 1 << 17) -> ColumnStore:
    return build_column_store(tables, UTC, block_rows=block_rows)


def sort_key(row: Row) -> tuple[str, str, bool, float]:
    user, page, duration, _ = row
    return user, page, duration is not None, duration or 0


def rows_in(store: ColumnStore) -> list[tuple[str, str, float | None, pd.Timestamp]]:
    """Return the stored sessions in their order."""
    dimensions, rows = store.dimensions, store.rows
    user = np.repeat(np.arange(len(store.users)), np.diff(store.offsets))
    seconds = [
        None if bin_ == 0 else value
        for bin_, value in zip(rows.bin, rows.seconds.tolist(), strict=True)
    ]
    times = map(pd.Timestamp, dimensions.local_times(rows.time))
    names = store.users[user], dimensions.pages[rows.page]
    return list(zip(*names, seconds, times, strict=True))


@settings(deadline=None)
@given(
    rows=st.one_of(rows_lists, rows_of_many_users),
    n_tables=st.integers(1, 3),
    block_rows=st.integers(1, 50),
)
def test_sessions_are_sorted_by_user_page_and_duration(
    rows: list[Row], n_tables: int, block_rows: int
) -> None:
    tables = [table(rows[start::n_tables]) for start in range(n_tables)]
    tables = [sessions for sessions in tables if len(sessions)]
    store = build(*tables, block_rows=block_rows)
    stored = rows_in(store)
    by_key = [(user, page, d is not None, d or 0) for user, page, d, _ in stored]
    assert by_key == sorted(map(sort_key, rows))
    wanted = [(*row[:3], pd.Timestamp(row[3])) for row in rows]
    assert sorted(map(repr, stored)) == sorted(map(repr, wanted))
    # Each duration is in its bin, and unknown ones are 0 in bin 0.
    edges = np.concatenate(([np.nan], store.dimensions.bin_edges, [np.nan]))
    known = store.rows.bin > 0
    seconds = store.rows.seconds.astype(np.float64)
    assert (edges[store.rows.bin] <= seconds)[known].all()
    assert (seconds < edges[store.rows.bin + 1])[known].all()
    assert (seconds[~known] == 0).all()


def test_a_dozen_sessions_take_ten_bytes_each() -> None:
    rows = build(table(ROWS)).rows
    assert sum(column.itemsize for column in rows if column is not None) == 10


def test_fractions_of_a_second_take_four_bytes_more() -> None:
    sessions = table(ROWS)
    assert build(sessions).rows.micros is None
    one = np.where(sessions.index == 0, 1, 0).astype("timedelta64[us]")
    later = sessions.assign(timestamp=sessions["timestamp"] + one)
    micros = build(later).rows.micros
    assert micros is not None
    assert (micros.itemsize, micros.sum()) == (4, 1)


def test_a_duration_under_an_edge_that_32_bits_round_stays_under_it() -> None:
    # As 32 bits 0.001 is rounded up, and so is the number just below it.
    below = float(np.nextafter(np.float32(0.001), np.float32(0)))
    store = build(table([("u", "p", below, "2024-01-01"), ("u", "p", 0, "2024-01-01")]))
    assert store.rows.seconds.dtype == np.float32
    assert store.rows.bin.tolist() == [1, 1]


@pytest.mark.parametrize(("edge", "bin_"), [(0.7, 1), (0.3, 2), (0.5, 2)])
def test_bins_are_by_edges_that_32_bits_do_not_hold(edge: float, bin_: int) -> None:
    # As 32 bits 0.7 is a little less, 0.3 a little more and 0.5 the same.
    duration = float(np.float32(edge))
    edges = BinEdges(np.array([0, edge, np.inf]), np.array([0.0, 10.0]))
    store = build_column_store(
        [table([("u", "p", duration, "2024-01-01")])], UTC, edges=edges, block_rows=9
    )
    assert store.rows.seconds.dtype == np.float32
    assert store.rows.bin.tolist() == [bin_]


def test_time_is_coded_by_the_days_that_have_sessions() -> None:
    store = build(table(ROWS))
    assert len(store.dimensions.days) == 6
    assert store.rows.time.dtype == np.uint32
    assert store.rows.time.max() == 5 * 86_400 + 86_399
    assert store.rows.time.min() == 0


def test_sums_are_exact_in_any_order() -> None:
    rng = np.random.default_rng(1)
    seconds = rng.exponential(100, 5_000)
    seconds[0] = 3e9
    rows: list[Row] = [("u", "p", value, "2024-01-01") for value in seconds.tolist()]
    store = build(table(rows))
    whole = store.round_to_quantum(seconds)
    assert np.abs(whole - seconds).max() <= store.quantum / 2
    assert whole.sum() == whole[::-1].sum() == np.cumsum(rng.permutation(whole))[-1]
    assert store.quantum < 1e-5
    assert whole.sum() < store.quantum * 2**52


def test_the_provisional_mean_is_near_the_median() -> None:
    assert build(table(ROWS)).provisional_mean == 30
    unknown: list[Row] = [("u", "p", None, "2024-01-01")]
    assert build(table(unknown)).provisional_mean == 0


def test_sorted_by_page_is_a_copy_of_all_rows() -> None:
    store = build(table(ROWS))
    rows = store.sorted_by_page()
    pages = store.dimensions.pages[rows.page].tolist()
    assert pages == ["cart"] * 4 + ["help"] + ["home"] * 7
    assert rows.seconds.tolist() == [0, 0, 5, 100, 0, 0, 10, 20, 30, 40, 50, 60]
    assert (rows.bin == 0).tolist() == [True, *[False] * 3, True, True, *[False] * 6]
    assert not np.shares_memory(rows.seconds, store.rows.seconds)


def test_user_rows_and_chunks() -> None:
    store = build(table(ROWS), block_rows=6)
    assert store.offsets.tolist() == [0, 6, 9, 12]
    assert store.user_rows(1).seconds.tolist() == [0, 0, 60]
    assert np.shares_memory(store.user_rows(1).seconds, store.rows.seconds)
    assert list(store.user_chunks()) == [(0, 1), (1, 3)]
    alone = build(table(ROWS), block_rows=5)
    assert list(alone.user_chunks()) == [(0, 1), (1, 2), (2, 3)]
    together = build(table(ROWS), block_rows=12)
    assert list(together.user_chunks()) == [(0, 3)]
    blocks = [len(block.page) for block in store.blocks(store.rows)]
    assert blocks == [6, 6]


def test_edges_are_chosen_unless_they_are_given() -> None:
    chosen = build(table(ROWS)).dimensions.edges
    assert chosen.linear.tolist() == [*range(0, 91, 2), np.inf]
    given_edges = choose_edges(3_600, 100)
    store = build_column_store(
        [table(ROWS)], UTC, edges=given_edges, block_rows=1 << 17
    )
    assert store.dimensions.edges is given_edges


def test_refuses_no_sessions() -> None:
    for nothing in ([], [table(ROWS)[:0]], [table(ROWS)[:0], table(ROWS)[:0]]):
        with pytest.raises(ValueError, match="there are no sessions"):
            build(*nothing)


def test_more_pages_than_a_byte_holds() -> None:
    rows: list[Row] = [("u", f"p{n:03}", n, "2024-01-01") for n in range(300)]
    store = build(table(rows))
    assert store.rows.page.dtype == np.uint16
    assert store.rows.page.tolist() == list(range(300))


def test_a_user_with_many_rows_is_cut_by_page() -> None:
    rows: list[Row] = [("u", f"p{n % 7}", n % 5, "2024-01-01") for n in range(300)]
    stored = rows_in(build(table(rows), block_rows=10))
    assert [row[:3] for row in stored] == sorted(row[:3] for row in rows)
