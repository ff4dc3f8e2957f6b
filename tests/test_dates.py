from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dates
from dates import Preset


def days(*texts: str) -> dates.Days:
    return np.array(texts, "M8[D]")


def run(first: str, n: int) -> dates.Days:
    """So many days on end."""
    return np.datetime64(first, "D") + np.arange(n)


def count(start: str | None, end: str | None, of: dates.Days) -> list[int]:
    limits = [date.fromisoformat(text) if text else None for text in (start, end)]
    counts: list[int] = dates.count_weekdays(limits[0], limits[1], of).tolist()
    return counts


# With gaps, from Monday, 1 January to Tuesday, 31 December 2024.
YEAR = days("2024-01-01", "2024-02-28", "2024-02-29", "2024-03-01", "2024-12-31")
ALL = Preset("All dates", None, None)


def test_bounds_are_dates() -> None:
    assert dates.bounds(YEAR) == (date(2024, 1, 1), date(2024, 12, 31))
    assert dates.bounds(YEAR[:1]) == (date(2024, 1, 1), date(2024, 1, 1))
    ends = dates.bounds(days("0001-01-01", "9999-12-31"))
    assert ends == (date.min, date.max)


def test_the_calendar_has_a_first_and_a_last_day() -> None:
    assert dates.day_before(date(2024, 3, 1)) == date(2024, 2, 29)
    assert dates.day_after(date(2024, 2, 29)) == date(2024, 3, 1)
    second, last_but_one = date(1, 1, 2), date(9999, 12, 30)
    assert dates.day_before(second) == dates.day_before(date.min) == date.min
    assert dates.day_after(last_but_one) == dates.day_after(date.max) == date.max
    assert dates.day_after(date.min) == second
    assert dates.day_before(date.max) == last_but_one


def test_limits_that_exclude_no_day_are_none() -> None:
    first, second = date(2024, 1, 1), date(2024, 1, 2)
    last, after = date(2024, 12, 31), date(2025, 1, 1)
    assert dates.clip(None, None, YEAR) == (None, None)
    assert dates.clip(first, after, YEAR) == (None, None)
    assert dates.clip(second, last, YEAR) == (second, last)
    assert dates.clip(date.min, date.max, YEAR) == (None, None)


@pytest.mark.parametrize("n", [1, 5, 7])
def test_a_week_or_less_has_no_presets_but_all(n: int) -> None:
    assert dates.presets(run("2024-01-01", n)) == {"all": ALL}


def test_presets_of_eight_days() -> None:
    assert dates.presets(run("2024-01-01", 8)) == {
        "all": ALL,
        "last-7": Preset("Last 7 days", date(2024, 1, 2), None),
    }


def test_months_of_five_days_are_clipped_to_the_data() -> None:
    assert dates.presets(run("2024-02-28", 5)) == {
        "all": ALL,
        "2024-03": Preset("March 2024", date(2024, 3, 1), None),
        "2024-02": Preset("February 2024", None, date(2024, 3, 1)),
    }


def test_presets_of_fourteen_months() -> None:
    # From 15 January 2023 to 14 March 2024.
    found = dates.presets(run("2023-01-15", 425))
    months = [f"2023-{number:02}" for number in range(1, 13)]
    months += ["2024-01", "2024-02", "2024-03"]
    assert list(found) == ["all", "last-7", "last-30", "last-90", *months[::-1]]
    assert found["last-7"] == ("Last 7 days", date(2024, 3, 8), None)
    assert found["last-30"] == ("Last 30 days", date(2024, 2, 14), None)
    assert found["last-90"] == ("Last 90 days", date(2023, 12, 16), None)
    assert found["2024-03"] == ("March 2024", date(2024, 3, 1), None)
    assert found["2024-02"] == ("February 2024", date(2024, 2, 1), date(2024, 3, 1))
    assert found["2023-12"] == ("December 2023", date(2023, 12, 1), date(2024, 1, 1))
    assert found["2023-01"] == ("January 2023", None, date(2023, 2, 1))


@pytest.mark.parametrize("n", [7, 30, 90])
def test_the_last_days_are_there_where_the_data_has_more(n: int) -> None:
    assert f"last-{n}" not in dates.presets(run("2024-01-01", n))
    found = dates.presets(run("2024-01-01", n + 1))[f"last-{n}"]
    assert found == (f"Last {n} days", date(2024, 1, 2), None)


def test_months_without_sessions_are_left_out() -> None:
    months = [key for key in dates.presets(YEAR) if key[:2] == "20"]
    assert months == ["2024-12", "2024-03", "2024-02", "2024-01"]


def test_only_the_last_three_hundred_months_are_presets() -> None:
    # January 1999 to December 2023 are 300 months.
    months = np.arange("1998-12", "2024-01", dtype="M8[M]").astype("M8[D]")
    found = [key for key in dates.presets(months) if key[:4].isdigit()]
    assert len(found) == 300
    assert found[0] == "2023-12"
    assert found[-1] == "1999-01"
    exactly = [key for key in dates.presets(months[1:]) if key[:4].isdigit()]
    assert exactly == found


def test_presets_at_the_ends_of_the_calendar() -> None:
    found = dates.presets(days("0001-01-01", "9999-12-31"))
    assert found["9999-12"] == ("December 9999", date(9999, 12, 1), None)
    assert found["0001-01"] == ("January 1", None, date(1, 2, 1))
    assert found["last-7"].start == date(9999, 12, 25)
    assert dates.presets(days("9999-12-31")) == {"all": ALL}


some_days = st.sets(st.dates(date(2019, 12, 1), date(2020, 4, 1)), min_size=1).map(
    lambda found: np.array(sorted(found), "M8[D]")
)


@given(some_days)
def test_each_preset_but_all_excludes_a_day_and_holds_one(of: dates.Days) -> None:
    found = dates.presets(of)
    assert found.pop("all") == ALL
    for preset in found.values():
        assert dates.clip(preset.start, preset.end, of) == preset[1:]
        assert (preset.start, preset.end) != (None, None)
        inside = (of >= np.datetime64(preset.start or date.min)) & (
            of < np.datetime64(preset.end or date.max)
        )
        assert inside.any()


def test_weekdays_begin_with_monday() -> None:
    # Monday, 26 February 2024 to Sunday, 3 March.
    assert dates.weekday(run("2024-02-26", 7)).tolist() == [0, 1, 2, 3, 4, 5, 6]
    # Thursday; and Sunday, long before.
    assert dates.weekday(days("1970-01-01", "1582-10-10")).tolist() == [3, 6]


@given(st.dates())
def test_a_weekday_is_that_of_the_calendar(day: date) -> None:
    assert dates.weekday(np.datetime64(day)) == day.weekday()


def test_weekdays_count_days_without_sessions_too() -> None:
    year = dates.count_weekdays(None, None, YEAR)
    assert year.dtype == np.int64
    assert year.tolist() == [53, 53, 52, 52, 52, 52, 52]
    # From Thursday to the next Friday.
    assert count("2024-02-29", "2024-03-09", YEAR) == [1, 1, 1, 2, 2, 1, 1]
    # Sunday, 31 December 2023, and what follows on 31 December 2024, isn't in the data.
    assert count("2023-12-31", "2024-01-03", YEAR) == [1, 1, 0, 0, 0, 0, 0]
    assert count("2024-12-31", "9999-12-31", YEAR) == [0, 1, 0, 0, 0, 0, 0]
    assert count("2025-01-01", None, YEAR) == [0] * 7
    assert count(None, "2024-01-01", YEAR) == [0] * 7
    assert count("2024-03-01", "2024-02-01", YEAR) == [0] * 7


before_the_end = st.dates(max_value=date(9999, 10, 1))


@given(before_the_end, st.integers(0, 60), before_the_end, st.integers(-10, 60))
def test_weekdays_are_counted_as_one_by_one(
    first: date, n: int, start: date, n_selected: int
) -> None:
    of = np.array([first], "M8[D]") + np.array([0, n])
    end = np.datetime64(start) + n_selected
    counts = [0] * 7
    for number in range(n + 1):
        day = np.datetime64(first) + number
        if np.datetime64(start) <= day < end:
            counts[day.item().weekday()] += 1
    assert dates.count_weekdays(start, end.item(), of).tolist() == counts


@pytest.mark.parametrize(
    ("n_days", "unit", "n"),
    [
        *((1, "day", 1), (120, "day", 120), (121, "week", 18)),
        *((3 * 366, "week", 157), (3 * 366 + 1, "month", 37)),
        *((20 * 366, "month", 241), (20 * 366 + 1, "year", 21)),
    ],
)
def test_longer_data_has_longer_periods(n_days: int, unit: str, n: int) -> None:
    # Monday, 1 January 2024 and the days that follow.
    of = run("2024-01-01", n_days)[[0, -1]]
    found = dates.period_unit(of)
    assert found == unit
    edges = dates.period_edges(of, found)
    assert len(edges) == n + 1
    assert edges[0] == of[0]
    assert edges[-2] <= of[-1] < edges[-1]


def test_periods_are_those_of_the_calendar() -> None:
    # From Wednesday to Monday.
    of = days("2024-01-03", "2024-01-15")
    texts = [
        list(map(str, dates.period_edges(of, unit)))
        for unit in ("week", "month", "year")
    ]
    assert texts == [
        ["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22"],
        ["2024-01-01", "2024-02-01"],
        ["2024-01-01", "2025-01-01"],
    ]
    assert list(map(str, dates.period_edges(of[:1], "day"))) == [
        *("2024-01-03", "2024-01-04")
    ]


@given(st.dates(), st.integers(0, 8_000))
def test_periods_hold_all_days_and_begin_with_the_first(first: date, n: int) -> None:
    last = min(first.toordinal() + n, date.max.toordinal())
    of = np.array([first, first + timedelta(days=last - first.toordinal())], "M8[D]")
    for unit in ("day", "week", "month", "year"):
        edges = dates.period_edges(of, unit)
        assert edges[0] <= of[0] < edges[1]
        assert edges[-2] <= of[1] < edges[-1]
        assert (np.diff(edges).astype(int) > 0).all()
