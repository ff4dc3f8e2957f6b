from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import versus
from engine.model import Selection
from versus import Versus

DAYS = np.array(["2023-11-01", "2024-12-31"], "M8[D]")


def picked(start: str, end: str) -> Selection:
    return Selection(start=date.fromisoformat(start), end=date.fromisoformat(end))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user:ann", Versus("user", "ann")),
        ("user:user:x", Versus("user", "user:x")),
        ("names:b/o", Versus("names", "b/o")),
        ("before", Versus("before")),
        ("year", Versus("year")),
        (
            "2024-02-01/2024-03-01",
            Versus("dates", start=date(2024, 2, 1), end=date(2024, 3, 1)),
        ),
    ],
)
def test_what_is_read_is_written_again(text: str, expected: Versus) -> None:
    assert versus.read(text) == expected
    assert versus.write(expected) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "user:", "names:", "ann", "week", "2024-02-01", "2024-02-01/"),
        *("/2024-02-01", "2024-03-01/2024-02-01", "2024-02-01/2024-02-01"),
        "2024-02-30/2024-03-01",
    ],
)
def test_what_means_nothing(text: str) -> None:
    assert versus.read(text) is None


@pytest.mark.parametrize(
    ("kind", "start", "end", "expected"),
    [
        # Whole months beside whole months.
        ("before", "2024-03-01", "2024-04-01", ("2024-02-01", "2024-03-01")),
        ("before", "2024-01-01", "2024-03-01", ("2023-11-01", "2024-01-01")),
        ("month", "2024-03-01", "2024-04-01", ("2024-02-01", "2024-03-01")),
        ("quarter", "2024-04-01", "2024-07-01", ("2024-01-01", "2024-04-01")),
        ("year", "2024-02-01", "2024-03-01", ("2023-02-01", "2023-03-01")),
        # Other days beside as many.
        ("before", "2024-03-11", "2024-03-18", ("2024-03-04", "2024-03-11")),
        ("month", "2024-03-31", "2024-04-02", ("2024-02-29", "2024-03-02")),
        ("year", "2024-02-29", "2024-03-01", ("2023-02-28", "2023-03-01")),
    ],
)
def test_other_dates(
    kind: versus.Kind, start: str, end: str, expected: tuple[str, str]
) -> None:
    found = versus.other_dates(Versus(kind), picked(start, end), DAYS)
    assert found == tuple(map(date.fromisoformat, expected))


def test_dates_without_a_limit_are_those_of_the_data() -> None:
    selection = Selection(start=date(2024, 12, 1))
    ends = versus.picked_dates(selection, DAYS)
    assert ends == (date(2024, 12, 1), date(2025, 1, 1))
    found = versus.other_dates(Versus("before"), selection, DAYS)
    assert found == (date(2024, 11, 1), date(2024, 12, 1))


def test_before_the_calendar_there_is_nothing() -> None:
    days = np.array(["0001-01-01", "0001-02-01"], "M8[D]")
    for kind in ("before", "month", "year"):
        assert versus.other_dates(Versus(kind), Selection(), days) is None


@given(st.dates(date(1900, 1, 1)), st.dates(date(1900, 1, 1)))
def test_weekdays_lie_under_their_like(start: date, other: date) -> None:
    moved = versus.offset(start, other, weekdays=True)
    assert moved.days % 7 == 0
    assert abs((start - other) - moved) <= timedelta(days=3)
    assert other + versus.offset(start, other, weekdays=False) == start
