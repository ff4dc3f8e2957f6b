import numpy as np
import pytest

from engine.bins import choose_edges
from engine.model import Selection, Summary, Tally
from tests.sessions import ROWS
from tests.slow import SlowEngine


@pytest.fixture
def summary() -> Summary:
    slow = SlowEngine(ROWS, "UTC", choose_edges(84, 100))
    return slow.summarise(Selection("ann"))


@pytest.fixture
def everyone(summary: Summary) -> Tally:
    return summary.everyone


def test_known_and_mean(everyone: Tally) -> None:
    # cart, help and home.
    assert everyone.known.tolist() == [3, 0, 6]
    assert everyone.mean[[0, 2]].tolist() == [35, 35]
    assert np.isnan(everyone.mean[1])


def test_days(everyone: Tally) -> None:
    assert everyone.day_sessions.tolist() == [1, 1, 5, 2, 2, 1]
    assert everyone.active_days == 6


def test_statistics_by_page(everyone: Tally) -> None:
    assert everyone.by_page("average") is everyone.mean
    assert everyone.by_page("median")[[0, 2]].tolist() == [5, 35]
    assert everyone.by_page("p90")[[0, 2]].tolist() == [81, 55]


def test_statistics_over_all_pages(everyone: Tally) -> None:
    assert everyone.overall("average") == 35
    assert everyone.overall("median") == 30
    assert everyone.overall("p90") == pytest.approx(68)


def test_nothing_has_no_statistics(summary: Summary) -> None:
    slow = SlowEngine(ROWS, "UTC", summary.facts.edges)
    nothing = slow.summarise(Selection(pages=("help",))).everyone
    assert np.isnan([nothing.overall("average"), nothing.overall("p90")]).all()
    assert np.isnan(nothing.by_page("average")).all()
    assert nothing.active_days == 1


def test_the_subject_is_the_user_or_else_everyone(summary: Summary) -> None:
    assert summary.subject is summary.user
    alone = Summary(summary.facts, Selection(), summary.everyone, None)
    assert alone.subject is alone.everyone
