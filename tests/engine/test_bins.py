import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.bins import check_edges, choose_edges
from engine.model import BinEdges
from schema import LONGEST_DURATION

DAY = 86_400.0


@pytest.mark.parametrize(
    ("percentile_95", "width", "last"),
    [
        (0.0, 1, 5),
        (4.999, 1, 5),
        (5.0, 1, 10),
        (60.0, 1, 65),
        (60.1, 2, 70),
        (301.0, 10, 360),
        (900.0, 15, 960),
        (3600.0, 60, 3900),
        (DAY * 60, DAY, 65 * DAY),
        (DAY * 61, 2 * DAY, 70 * DAY),
    ],
)
def test_linear_edges_reach_over_the_percentile_in_steps_that_read_well(
    percentile_95: float, width: float, last: float
) -> None:
    edges = choose_edges(percentile_95, percentile_95).linear
    assert (edges[0], edges[1], edges[-2], edges[-1]) == (0, width, last, np.inf)
    assert np.ptp(np.diff(edges[:-1])) == 0


@pytest.mark.parametrize(
    ("longest", "last_edges"),
    [
        (0.0, [0, 0.001, 1]),
        (0.999, [0, 0.001, 1]),
        (1.0, [0.001, 1, 1.5]),
        (99.0, [40, 60, 100]),
        (100.0, [60, 100, 150]),
        (LONGEST_DURATION, [1.5e9, 2.5e9, 4e9]),
    ],
)
def test_logarithmic_edges_end_above_the_longest(
    longest: float, last_edges: list[float]
) -> None:
    edges = choose_edges(0, longest).logarithmic
    assert edges[-3:].tolist() == last_edges
    assert edges[:3].tolist() == [0, 0.001, 1]


@settings(deadline=None)
@given(st.floats(0, LONGEST_DURATION), st.floats(0, LONGEST_DURATION))
@example(300, 300)
@example(60 * 86_400, 60 * 86_400)
def test_chosen_edges_hold_all_durations_in_few_bins(one: float, other: float) -> None:
    percentile_95, longest = sorted((one, other))
    edges = choose_edges(percentile_95, longest)
    check_edges(edges, longest)
    assert edges.linear[-2] > percentile_95
    # The most are those of 5 s up to 300 s and a minute more, besides the rest.
    assert len(edges.linear) <= 72 + 2


def edges(linear: list[float], logarithmic: list[float]) -> BinEdges:
    return BinEdges(np.array(linear), np.array(logarithmic))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (edges([1, 2, np.inf], [0, 200]), "begin with 0"),
        (edges([0, 2, np.inf], [0.001, 200]), "begin with 0"),
        (edges([0, 3, 2, np.inf], [0, 200]), "increase"),
        (edges([0, 2, 2, np.inf], [0, 200]), "increase"),
        (edges([], [0, 200]), "begin with 0"),
        (edges([0], [0, 200]), "begin with 0"),
        (edges([0, np.nan, np.inf], [0, 200]), "increase"),
        (edges([0, 2], [0, 200]), "infinite"),
        (edges([0, np.inf], [0, 100]), "above the longest"),
        (edges([*range(255), np.inf], [0, 200]), "more than 254 bins"),
    ],
)
def test_refuses_edges_that_do_not_hold_all_durations(
    wrong: BinEdges, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        check_edges(wrong, longest=100)


def test_as_many_bins_as_codes_have_room_for() -> None:
    check_edges(edges([*range(254), np.inf], [0, 200]), longest=100)
