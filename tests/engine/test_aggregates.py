from datetime import UTC

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.aggregates import deviations_from_mean, make_tally
from engine.columns import build_column_store
from engine.model import Selection
from engine.scan import scan
from tests.sessions import ROWS, table


@settings(deadline=None)
@given(st.lists(st.integers(0, 1_000).map(float)), st.integers(0, 1_000))
def test_deviations_from_the_mean(values: list[float], provisional_mean: int) -> None:
    durations = np.array(values)
    found = deviations_from_mean(
        np.array([((durations - provisional_mean) ** 2).sum()]),
        np.array([len(durations)]),
        np.array([durations.sum()]),
        provisional_mean,
    )
    expected = ((durations - durations.mean()) ** 2).sum() if values else 0
    assert found.tolist() == [pytest.approx(expected, abs=1e-4)]


def test_deviations_are_never_negative() -> None:
    # 0.1 twice, from 1: as floating point the sums differ by a little less than 0.
    found = deviations_from_mean(
        np.array([2 * 0.9**2 - 1e-15]), np.array([2]), np.array([0.2]), 1
    )
    assert found.tolist() == [0]


@pytest.mark.parametrize("exact", [True, False])
def test_a_tally(exact: bool) -> None:
    store = build_column_store([table(ROWS)], UTC, block_rows=100)
    selection = store.dimensions.encode(Selection())
    aggregates = scan(store, store.sorted_by_page(), selection)
    tally = make_tally(aggregates, store.dimensions, exact=exact)
    assert tally.exact == exact
    assert tally.sessions.tolist() == [4, 1, 7]
    assert tally.log_histogram.tolist() == [1, *[0] * 4, 1, 0, 1, 1, 1, 2, 1, 1]
    assert tally.linear_histogram.sum() == 9
    assert tally.overall_quantiles["median"] == 30
    assert tally.last == pd.Timestamp("2024-12-31T23:59:59")
    for values in (tally.sessions, tally.hours, *tally.quantiles.values()):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1


def test_a_tally_of_nothing() -> None:
    store = build_column_store([table(ROWS)], UTC, block_rows=100)
    selection = store.dimensions.encode(Selection(shortest=10, longest=10))
    tally = make_tally(scan(store, store.rows, selection), store.dimensions, exact=True)
    assert not tally.sessions.any()
    assert tally.last is None
    assert np.isnan(tally.overall_quantiles["p90"])
