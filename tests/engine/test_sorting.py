"""The order of NumPy's own stable sorts, whatever fits into packed integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sorting import order_by_group, stable_order

MOST_CODES = (
    *(1, 2, 1 << 16, (1 << 16) + 1, 1 << 31, 1 << 32),
    *(1 << 57, 1 << 58, 1 << 59, 1 << 60, 1 << 61, 1 << 62, (1 << 63) - 1),
)
"""Numbers of codes around what two bytes, and 64 bits with an index, can hold."""


@st.composite
def codes(draw: st.DrawFn, n_codes: int) -> list[int]:
    code = st.one_of(
        st.integers(0, n_codes - 1),
        st.sampled_from((0, n_codes - 1, n_codes // 2)),
    )
    return draw(st.lists(code, max_size=70))


@pytest.mark.parametrize("n_codes", MOST_CODES)
@settings(deadline=None)
@given(data=st.data())
def test_stable_order(n_codes: int, data: st.DataObject) -> None:
    values = np.array(data.draw(codes(n_codes)), np.int64)
    order = stable_order(values, n_codes)
    assert order.tolist() == np.argsort(values, kind="stable").tolist()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("n_codes", MOST_CODES)
@settings(deadline=None)
@given(data=st.data())
def test_order_by_group_and_duration(
    n_codes: int, kind: type[np.floating], data: st.DataObject
) -> None:
    group = np.array(data.draw(codes(n_codes)), np.int64)
    duration = st.one_of(
        st.just(-1.0), st.floats(0, 3.2e9, width=32), st.integers(0, 3).map(float)
    )
    n = len(group)
    seconds = np.array(
        data.draw(st.lists(duration, min_size=n, max_size=n)), np.float64
    ).astype(kind)
    order = order_by_group(group, n_codes, seconds)
    assert sorted(order.tolist()) == list(range(n))
    expected = np.lexsort((seconds, group))
    assert group[order].tolist() == group[expected].tolist()
    assert seconds[order].tolist() == seconds[expected].tolist()


@pytest.mark.parametrize("n_codes", MOST_CODES)
def test_many_rows(n_codes: int) -> None:
    rng = np.random.default_rng(1)
    group = rng.integers(0, n_codes, 70_000)
    expected = np.argsort(group, kind="stable")
    assert (stable_order(group, n_codes) == expected).all()
    seconds = rng.random(70_000).astype(np.float32)
    expected = np.lexsort((seconds, group))
    assert (order_by_group(group, n_codes, seconds) == expected).all()
