from datetime import UTC, date
from typing import Any

import pytest

from engine.columns import ColumnStore, build_column_store
from engine.model import Selection
from engine.scan import matching_rows, scan
from tests.sessions import ROWS, table


@pytest.fixture
def store() -> ColumnStore:
    return build_column_store([table(ROWS)], UTC, block_rows=4)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        # ann's cart and home, bob's cart, help and home, cy's cart and home.
        ({}, None),
        ({"start": date(2024, 1, 1), "end": date(2025, 1, 1)}, None),
        ({"pages": ("cart",)}, [0, 6, 9, 10]),
        ({"pages": ("cart", "help", "home")}, list(range(12))),
        ({"start": date(2024, 3, 1)}, [0, 4, 5, 9, 11]),
        ({"end": date(2024, 2, 29)}, [1, 10]),
        ({"shortest": 0}, [1, 2, 3, 4, 5, 6, 8, 9, 10]),
        ({"longest": 10}, [6, 9]),
        ({"pages": ("home",), "end": date(2024, 3, 1), "shortest": 20}, [2, 3, 8]),
        ({"shortest": 20, "longest": 20}, []),
    ],
)
def test_matching_rows(
    store: ColumnStore, filters: dict[str, Any], expected: list[int] | None
) -> None:
    selection = store.dimensions.encode(Selection(**filters))
    found = matching_rows(store.dimensions, store.rows, selection)
    assert (None if found is None else found.tolist()) == expected


def test_scans_the_rows_of_a_user(store: ColumnStore) -> None:
    rows = store.user_rows(0)
    ann = scan(store, rows, store.dimensions.encode(Selection()))
    assert ann.sessions.tolist() == [1, 0, 5]
    assert ann.unknown.tolist() == [1, 0, 0]
    assert ann.seconds.tolist() == [0, 0, 150]
    assert ann.squared_deviations.tolist() == [0, 0, 1000]
    assert ann.bins.sum() == 5
    assert ann.hours.sum() == 6
    assert ann.day_seconds.tolist() == [0, 10, 50, 90, 0, 0]
    assert ann.last == 5 * 86_400 + 86_399
    assert ann.quantiles[:, [2, 3]].tolist() == [[30, 30], [46, 46]]


def test_a_scan_changes_nothing(store: ColumnStore) -> None:
    columns = [column for column in store.rows if column is not None]
    before = [column.copy() for column in columns]
    for selection in (Selection(), Selection(shortest=10), Selection(pages=("cart",))):
        scan(store, store.rows, store.dimensions.encode(selection))
    for column, kept in zip(columns, before, strict=True):
        assert (column == kept).all()
