import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.quantiles import (
    PROBABILITIES,
    SortedRun,
    neighbours,
    quantiles_of_bins,
    select_ranks,
)

values_lists = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=40)


def test_probabilities_are_those_of_the_median_and_of_p90() -> None:
    assert PROBABILITIES.tolist() == [0.5, 0.9]


@settings(deadline=None)
@given(values_lists)
def test_interpolates_as_numpy_does(values: list[float]) -> None:
    ordered = np.sort(values)
    around = neighbours(np.array([len(values)]))
    quantiles = around.interpolate(ordered[around.low], ordered[around.high])
    assert quantiles.shape == (2, 1)
    np.testing.assert_allclose(quantiles[:, 0], np.quantile(values, PROBABILITIES))


def test_neighbours_of_nothing_can_be_looked_up() -> None:
    around = neighbours(np.array([0, 1]))
    assert around.low.tolist() == around.high.tolist() == [[0, 0], [0, 0]]


@settings(deadline=None)
@given(values_lists, st.integers(0, 5))
def test_quantiles_of_bins_leave_unknown_values_out(
    values: list[float], n_unknown: int
) -> None:
    # Bin 0 holds unknown values, bin b those in [5 (b - 1), 5 b).
    bins = np.array(values, int) // 5 + 1
    counts = np.bincount(bins, minlength=6)
    counts[0] = n_unknown

    def values_at(bin_: int, ranks: NDArray[np.int64]) -> NDArray[np.floating]:
        found: NDArray[np.floating] = np.sort(np.array(values)[bins == bin_])[ranks]
        return found

    quantiles = quantiles_of_bins(counts, values_at)
    np.testing.assert_allclose(quantiles, np.quantile(values, PROBABILITIES))


def test_quantiles_of_no_known_value_are_unknown() -> None:
    def values_at(bin_: int, ranks: NDArray[np.int64]) -> NDArray[np.floating]:
        raise AssertionError("nothing to look at")

    for counts in ([0, 0, 0], [3, 0, 0]):
        assert np.isnan(quantiles_of_bins(np.array(counts), values_at)).all()


@st.composite
def sorted_runs(draw: st.DrawFn) -> SortedRun:
    values = np.sort(draw(values_lists))
    if draw(st.booleans()):
        return SortedRun(values, None)
    indices = st.sets(st.integers(0, len(values) - 1), min_size=1)
    return SortedRun(values, np.array(sorted(draw(indices))))


def counted(run: SortedRun) -> NDArray[np.floating]:
    return run.at(slice(None))


@settings(deadline=None)
@given(sorted_runs(), st.lists(st.floats(-1, 21), min_size=1))
def test_counts_below(run: SortedRun, values: list[float]) -> None:
    below = run.count_below(np.array(values))
    assert below.tolist() == [(counted(run) < value).sum() for value in values]


@settings(deadline=None)
@given(st.lists(sorted_runs(), min_size=1, max_size=4), st.data())
def test_selects_ranks_among_all_runs(
    runs: list[SortedRun], data: st.DataObject
) -> None:
    together = np.sort(np.concatenate([counted(run) for run in runs]))
    rank = st.integers(0, len(together) - 1)
    ranks = np.array(data.draw(st.lists(rank, min_size=1, max_size=4)))
    assert select_ranks(runs, ranks).tolist() == together[ranks].tolist()


def test_selects_ranks_among_many_values() -> None:
    rng = np.random.default_rng(1)
    runs = [
        SortedRun(np.sort(rng.exponential(60, 20_000)).astype(np.float32), None),
        SortedRun(np.sort(rng.exponential(90, 9_000)).astype(np.float32), None),
    ]
    together = np.sort(np.concatenate([run.seconds for run in runs]))
    ranks = np.array([0, 14_000, 14_001, 28_999])
    assert select_ranks(runs, ranks).tolist() == together[ranks].tolist()
