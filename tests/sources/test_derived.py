from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.derived import derive
from sources.rows import NAMES, Rows

GAP = 1_800.0


def rows_of(views: Sequence[tuple[str, float]]) -> Rows:
    """Rows of users and times, in seconds, on one page."""
    users = pa.array([user for user, _ in views], pa.string()).cast(NAMES)
    pages = pa.array(["p"] * len(views), pa.string()).cast(NAMES)
    time = np.array([round(at * 1e6) for _, at in views], np.int64)
    return Rows(users, pages, np.full(len(views), np.nan), time)


def slow(views: Sequence[tuple[str, float]], gap: float) -> list[float | None]:
    """The time to the same user's next row, row by row."""
    durations: list[float | None] = [None] * len(views)
    for i, (user, at) in enumerate(views):
        later = [
            (other_at, j)
            for j, (other, other_at) in enumerate(views)
            if other == user and (other_at, j) > (at, i)
        ]
        if later and min(later)[0] - at <= gap:
            durations[i] = min(later)[0] - at
    return durations


def derived(views: Sequence[tuple[str, float]], gap: float) -> list[float | None]:
    seconds, _ = derive(rows_of(views), gap)
    return [None if np.isnan(value) else float(value) for value in seconds]


def test_a_duration_is_the_time_to_the_next_row_of_the_user() -> None:
    views = [("a", 0), ("b", 5), ("a", 195), ("b", 5 + GAP), ("a", 196 + GAP)]
    assert derived(views, GAP) == [195, GAP, None, None, None]


def test_rows_may_come_in_any_order_and_at_one_time() -> None:
    views = [("a", 30.5), ("a", 0), ("b", 1), ("a", 30.5), ("a", -10)]
    assert derived(views, GAP) == [0, 30.5, None, None, 10]


def test_times_may_lie_as_far_apart_as_times_can() -> None:
    # The span of the times and the number of users don't fit into 64 bits together.
    views = [(f"u{n}", at) for n in range(50) for at in (-6.2e10, 2.5e11, 2.5e11 + 1)]
    assert derived(views, GAP) == [None, 1, None] * 50


@pytest.mark.parametrize("n", [0, 1])
def test_few_rows(n: int) -> None:
    assert derived([("a", 1.0)] * n, GAP) == [None] * n


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 40).map(lambda n: n / 4)),
        max_size=30,
    ),
    st.sampled_from([0.0, 1.0, 2.5, 100.0]),
)
def test_agrees_with_a_search_row_by_row(
    views: list[tuple[str, float]], gap: float
) -> None:
    assert derived(views, gap) == slow(views, gap)
