import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from charts.chance import Differences, differences, student_p_values
from engine.memory import MemoryEngine
from engine.model import Selection
from tests.sessions import Row, table

TENS = (10, 20, 30, 40, 50)
LONGER = (60, 80, 100, 120, 140, 400)


class Group(NamedTuple):
    """Moments of durations by page."""

    known: NDArray[np.int64]
    seconds: NDArray[np.float64]
    squared_deviations: NDArray[np.float64]


def group(pages: Sequence[Sequence[float]]) -> Group:
    """Return the moments of durations, listed by page."""
    means = [math.fsum(page) / len(page) if page else 0 for page in pages]
    return Group(
        np.array([len(page) for page in pages], np.int64),
        np.array([math.fsum(page) for page in pages], np.float64),
        np.array(
            [
                math.fsum((value - mean) ** 2 for value in page)
                for page, mean in zip(pages, means, strict=True)
            ]
        ),
    )


def compare(*pages: tuple[Sequence[float], Sequence[float]]) -> Differences:
    """Compare durations of a user with those of all others, in pairs by page."""
    everyone = [[*own, *others] for own, others in pages]
    return differences(group([own for own, _ in pages]), group(everyone))


def welch_and_draw(own: Sequence[float], others: Sequence[float]) -> list[float]:
    """The p-values of both tests, from the durations themselves."""
    everyone = [*own, *others]
    n, n_all = len(own), len(everyone)
    parts = np.var(own, ddof=1) / n, np.var(others, ddof=1) / len(others)
    t = (np.mean(own) - np.mean(others)) / math.sqrt(sum(parts))
    degrees = sum(parts) ** 2 / (
        parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (len(others) - 1)
    )
    error = math.sqrt(np.var(everyone) / n * (n_all - n) / (n_all - 1))
    z = (np.mean(own) - np.mean(everyone)) / error
    welch = student_p_values(np.array([t]), np.array([degrees]))
    return [float(welch[0]), math.erfc(abs(z) / math.sqrt(2))]


def test_p_values_of_student_in_closed_form() -> None:
    t = np.array([-1e6, -3, -1, -1e-9, 0, 1e-9, 0.5, 2, 1e3, 1e30])
    one = 2 / math.pi * np.arctan2(1, np.abs(t))
    assert student_p_values(t, np.full(10, 1.0)) == pytest.approx(one, rel=1e-9)
    root = np.sqrt(t**2 + 2)
    two = 2 / root / (root + np.abs(t))
    assert student_p_values(t, np.full(10, 2.0)) == pytest.approx(two, rel=1e-9)


@pytest.mark.parametrize(
    ("degrees", "t", "p_value"),
    # From scipy.stats.t.sf, twice.
    [
        (2.5, 3, 0.07257609554903183),
        (4, 2.776445105197799, 0.05),
        (4, 1000, 5.999960000209998e-12),
        (7.3, -9, 3.299362181578532e-05),
        (30.5, 2.04, 0.050091702258264856),
        (1e6, 6.5, 8.03575433530344e-11),
    ],
)
def test_p_values_of_student(degrees: float, t: float, p_value: float) -> None:
    found = student_p_values(np.array([t]), np.array([degrees]))
    assert found.tolist() == [pytest.approx(p_value, rel=1e-9)]


def test_with_many_degrees_of_freedom_student_is_normal() -> None:
    z = np.linspace(-7, 7, 15)
    normal = [math.erfc(abs(x) / math.sqrt(2)) for x in z]
    found = student_p_values(z, np.full(15, 1e9))
    assert found == pytest.approx(normal, rel=1e-6)


@pytest.mark.parametrize(
    ("own", "others", "p_value"),
    # From SciPy: ttest_ind(equal_var=False) and norm.sf.
    [
        # Below the others: a draw is likelier than Welch's 0.06644931665666987.
        (TENS, LONGER, 0.06958922627547405),
        # Above them: Welch's test, not 0.07523967963411107 for a draw.
        ((60, 80, 100, 120, 400), (*TENS, 60), 0.1360255315178877),
        ((100, 110, 120, 130, 140), TENS * 4, 3.149144916772453e-05),
        # All the user's durations are equal, and all the others'.
        ((7,) * 5, (9,) * 6, 0.001565402258002536),
        (TENS, TENS, 1),
    ],
)
def test_the_larger_p_value_of_two_tests(
    own: Sequence[float], others: Sequence[float], p_value: float
) -> None:
    found = compare((own, others))
    assert found.compared.tolist() == [True]
    assert found.p_values.tolist() == [pytest.approx(p_value, rel=1e-9)]
    assert found.beyond_chance.tolist() == [p_value < 0.05]


def test_p_values_are_corrected_for_the_number_of_pages_that_are_compared() -> None:
    pages = [
        (TENS, (60, 80, 100, 200, 260, 300)),
        ((7,) * 5, (9,) * 6),
        ((7,) * 4, (9,) * 6),
        ((7,) * 5, (9, 9, 9, 9, 7)),
    ]
    alone = [compare(page).p_values[0] for page in pages]
    assert alone[1] < alone[3] < alone[0] < 2 * alone[3]
    found = compare(*pages)
    assert found.compared.tolist() == [True, True, False, True]
    # The least of three; the least of the two others; the last, but no less than it.
    corrected = [2 * alone[3], 3 * alone[1], math.nan, 2 * alone[3]]
    assert found.p_values == pytest.approx(corrected, nan_ok=True)
    assert found.beyond_chance.tolist() == [True, True, False, True]
    # Without the correction this would be a finding.
    assert alone[0] < 0.05
    found = compare(pages[0], (TENS, TENS))
    assert found.p_values.tolist() == [pytest.approx(2 * alone[0]), 1]
    assert found.beyond_chance.tolist() == [False, False]


def test_some_of_several_are_corrected_for_all_whichever_they_are() -> None:
    pages = [((7,) * 5, (9,) * 6), (TENS, LONGER), ((7,) * 4, (9,) * 6)]
    alone = [compare(page).p_values[0] for page in pages]
    for some in (pages, pages[:1], pages[1:]):
        own = group([page[0] for page in some])
        everyone = group([[*page[0], *page[1]] for page in some])
        found = differences(own, everyone, 4)
        wanted = [min(4 * alone[pages.index(page)], 1) for page in some]
        assert found.p_values == pytest.approx(wanted, nan_ok=True)
    # They are no more than 1.
    assert differences(own, everyone, 99).p_values[0] == 1


def test_corrected_p_values_are_at_most_1() -> None:
    assert compare((TENS, TENS), (TENS, TENS)).p_values.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("own", "others"),
    [
        ((1, 2, 3, 4), TENS),
        ((1, 2, 3, 4, 5), (10, 20, 30, 40)),
        ((1, 2, 3, 4, 5), ()),
        ((), TENS),
        ((), ()),
        # Nothing varies, so that nothing can be said of chance.
        ((7,) * 5, (7,) * 5),
        ((0,) * 5, (0,) * 5),
    ],
)
def test_what_is_not_compared(own: Sequence[float], others: Sequence[float]) -> None:
    found = compare((own, others))
    assert found.compared.tolist() == [False]
    assert np.isnan(found.p_values).all()
    assert found.beyond_chance.tolist() == [False]


def test_five_on_either_side_are_compared() -> None:
    assert compare(((1, 2, 3, 4, 5), TENS)).compared.tolist() == [True]


_durations = st.lists(st.integers(0, 10_000), min_size=5, max_size=12)


@settings(deadline=None)
@given(st.lists(st.tuples(_durations, _durations), max_size=4))
def test_agrees_with_tests_of_the_durations_themselves(
    pages: list[tuple[list[int], list[int]]],
) -> None:
    # Where neither side varies there is no t; see above for these.
    pages = [pair for pair in pages if all(len(set(side)) > 1 for side in pair)]
    found = compare(*pages)
    assert found.compared.all()
    alone = np.array([max(welch_and_draw(*pair)) for pair in pages])
    order = np.argsort(alone)
    expected = np.empty(len(pages))
    largest = 0.0
    for rank, page in enumerate(order.tolist()):
        largest = max(largest, min((len(pages) - rank) * alone[page], 1))
        expected[page] = largest
    assert found.p_values == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1, 3e9])
def test_what_sums_leave_of_the_others_is_never_negative(scale: float) -> None:
    """The others don't vary, and are few beside the user: a difference of sums."""
    rng = np.random.default_rng(0)
    own = (scale * rng.random(10_000)).tolist()
    for other in (0.1, 0.3, 0.7):
        # Against rounding, both ways.
        for factor in (1 - 1e-15, 1 + 1e-15):
            everyone = group([[*own, *[scale * other] * 5]])
            deviations = everyone.squared_deviations * factor
            found = differences(
                group([own]), everyone._replace(squared_deviations=deviations)
            )
            assert found.compared.tolist() == [True]
            assert 0 < found.p_values[0] <= 1


def test_rounding_is_no_spread() -> None:
    """Neither side varies, whatever rounding makes of it."""
    user, everyone = group([[0.1] * 7]), group([[0.1] * 7 + [0.3] * 5])
    for factor in (1 - 1e-15, 1, 1 + 1e-15):
        deviations = everyone.squared_deviations * factor
        found = differences(user, everyone._replace(squared_deviations=deviations))
        # All of the spread is between the two: z is the root of 12 - 1.
        largest = math.erfc(math.sqrt(11 / 2))
        assert found.p_values.tolist() == [pytest.approx(largest)]


def test_units_do_not_matter() -> None:
    wanted = compare((TENS, LONGER)).p_values
    for scale in (1e-100, 1e-9, 1e7):
        own = [scale * value for value in TENS]
        others = [scale * value for value in LONGER]
        assert compare((own, others)).p_values == pytest.approx(wanted)


def test_nothing_to_compare() -> None:
    found = compare()
    assert found.compared.tolist() == found.p_values.tolist() == []


def found_by_chance(n: int, n_others: int, factor: float) -> tuple[int, int]:
    """How often a user differs, in 200 runs of 20 pages: on any, and in all.

    Durations are log-normal, the user's *factor* times the others'.
    """
    rng = np.random.default_rng(2024)
    any_page = pages = 0
    for _ in range(200):
        others = rng.lognormal(4, 1, (20, n_others))
        own = factor * rng.lognormal(4, 1, (20, n))
        everyone = np.hstack((own, others))
        user, all_users = (
            Group(
                np.full(20, values.shape[1]),
                values.sum(axis=1),
                values.var(axis=1) * values.shape[1],
            )
            for values in (own, everyone)
        )
        n_found = int(differences(user, all_users).beyond_chance.sum())
        any_page += n_found > 0
        pages += n_found
    return any_page, pages


@pytest.mark.parametrize(
    ("n", "n_others"), [(5, 20), (5, 500), (20, 500), (200, 200), (200, 10)]
)
def test_chance_is_found_in_at_most_5_percent(n: int, n_others: int) -> None:
    """With 5 durations beside 500, either test alone finds something in 20 to 70 %."""
    any_page, _ = found_by_chance(n, n_others, 1)
    assert any_page <= 0.05 * 200


def test_differences_are_found() -> None:
    for factor in (2, 1 / 2):
        any_page, pages = found_by_chance(200, 500, factor)
        assert any_page == 200
        assert pages > 0.9 * 200 * 20


def test_tallies_are_compared() -> None:
    rows: list[Row] = [
        *[("ann", "home", 100 + n, "2024-01-01") for n in range(10)],
        *[("bob", "home", 10 + n, "2024-01-01") for n in range(10)],
        *[("cy", "home", 10 + n, "2024-01-01") for n in range(10)],
        *[("bob", "cart", 10 + n, "2024-01-01") for n in range(4)],
        *[("bob", "cart", None, "2024-01-01") for n in range(4)],
        *[("cy", "cart", 90 + n, "2024-01-01") for n in range(10)],
    ]
    engine = MemoryEngine(table(rows))

    def found(user: str) -> tuple[list[bool], list[bool]]:
        summary = engine.summarise(Selection(user))
        assert summary.user is not None
        result = differences(summary.user, summary.everyone)
        return result.compared.tolist(), result.beyond_chance.tolist()

    # The cart, then home.
    assert found("ann") == ([False, True], [False, True])
    assert found("bob") == ([False, True], [False, True])
    # On the cart only 4 known durations are others'.
    assert found("cy") == ([False, True], [False, True])
