from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.sides import find_before
from charts.tiles import TILES, Tile, changes, lines, ranks, tiles
from tests.building import MARCH, at, days_from, engine_of, view_of
from tests.examples import examples
from tests.sessions import ROWS, Row
from tests.strategies import rows_lists, selections
from view import View

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def tiled(rows: Sequence[Row], view: View) -> dict[str, Tile]:
    return tiles(engine_of(rows).summarise(view.selection), view)


def lined(rows: Sequence[Row], view: View) -> dict[str, list[int]]:
    found = lines(engine_of(rows).summarise(view.selection), view)
    return {name: levels(letters) for name, letters in found.items()}


def levels(letters: str) -> list[int]:
    """The heights that the letters of a line stand for, from 0 to 51."""
    return [_LETTERS.index(letter) for letter in letters]


def ranked(rows: Sequence[Row], view: View) -> dict[str, str]:
    return ranks(engine_of(rows), view)


def test_tiles_of_a_user() -> None:
    assert tiled(ROWS, view_of("ann")) == {
        "sessions": Tile("Sessions", "6", "50 % of everyone's 12"),
        "total": Tile("Total time", "2 min 30 s", "48 % of everyone's 5 min 15 s"),
        "typical": Tile("Average session", "30 s", "0.9 × everyone's 35 s"),
        "active": Tile("Active days", "4", "of 366 days"),
        "last": Tile("Last seen", "31 Dec 2024, 23:59", "everyone: 31 Dec 2024, 23:59"),
    }
    assert tiled(ROWS, view_of("bob", statistic="p90"))["typical"] == Tile(
        "P90 session", "54 s", "0.8 × everyone's 1 min 8 s, may be chance"
    )
    assert tiled(ROWS, view_of("ann", statistic="median"))["typical"] == Tile(
        "Median session", "30 s", "about the same as everyone's 30 s"
    )


def test_tiles_of_everyone() -> None:
    assert tiled(ROWS, view_of(pages=("cart",), statistic="median")) == {
        "sessions": Tile("Sessions", "4", "33 % of 12"),
        "total": Tile("Total time", "1 min 45 s", "of 3 sessions"),
        "typical": Tile("Median session", "5 s", "of 3 sessions, may be chance"),
        "active": Tile("Active days", "4", "of 366 days"),
        "last": Tile("Last seen", "31 Dec 2024, 23:59", ""),
    }
    march = tiled(ROWS, view_of(**MARCH))
    assert march["active"] == Tile("Active days", "2", "of 31 days")
    one: list[Row] = [("u", "p", 0, "2024-01-01")]
    assert tiled(one, View()) == {
        "sessions": Tile("Sessions", "1", ""),
        "total": Tile("Total time", "0 s", "of 1 session"),
        "typical": Tile("Average session", "0 s", "of 1 session, may be chance"),
        "active": Tile("Active days", "1", "of 1 day"),
        "last": Tile("Last seen", "1 Jan 2024, 00:00", ""),
    }


@pytest.mark.parametrize(("n", "chance"), [(4, ", may be chance"), (5, "")])
def test_fewer_than_five_sessions_may_be_chance(n: int, chance: str) -> None:
    rows: list[Row] = [("u", "p", 1, "2024-01-01")] * n
    assert tiled(rows, View())["typical"].beside == f"of {n} sessions{chance}"


def test_tiles_of_a_user_of_whom_nothing_is_known() -> None:
    assert tiled(ROWS, view_of("bob", **MARCH)) == {
        "sessions": Tile("Sessions", "0", "0 % of everyone's 4"),
        "total": Tile("Total time", "unknown", "everyone: 1 min 35 s"),
        "typical": Tile("Average session", "unknown", "everyone: 32 s"),
        "active": Tile("Active days", "0", "of 31 days"),
        "last": Tile("Last seen", "never", "everyone: 2 Mar 2024, 10:01"),
    }
    rows: list[Row] = [*ROWS, ("cy", "help", None, "2024-01-01")]
    found = tiled(rows, view_of("bob", pages=("help",)))
    assert found["sessions"].beside == "50 % of everyone's 2"
    assert found["total"][1:] == ("unknown", "everyone: unknown")
    assert found["typical"][1:] == ("unknown", "everyone: unknown")
    assert tiled(rows, view_of(pages=("help",)))["total"][1:] == ("unknown", "")


def test_with_nobody_else_nothing_is_compared() -> None:
    alone = {
        "sessions": Tile("Sessions", "5", ""),
        "total": Tile("Total time", "2 min 30 s", "of 5 sessions"),
        "typical": Tile("Average session", "30 s", "of 5 sessions"),
        "active": Tile("Active days", "3", "of 3 days"),
        "last": Tile("Last seen", "1 Mar 2024, 00:00", ""),
    }
    assert tiled(ROWS[:5], view_of("ann")) == tiled(ROWS[:5], View()) == alone
    # Nor where all that match are the user's.
    found = tiled(ROWS, view_of("bob", pages=("help",)))
    assert found["sessions"] == Tile("Sessions", "1", "8.3 % of 12")
    assert found["total"] == Tile("Total time", "unknown", "")
    assert found["typical"] == Tile("Average session", "unknown", "")
    assert found["last"].beside == ""


def test_there_is_no_ratio_to_nothing() -> None:
    rows: list[Row] = [
        *[("a", "p", 10, "2024-01-01")] * 5,
        *[("b", "p", 0, "2024-01-01")] * 9,
    ]
    found = tiled(rows, view_of("a", statistic="median"))
    assert found["typical"].beside == "everyone: 0 s"
    zeros: list[Row] = [*rows[5:], ("c", "p", 0, "2024-01-01")]
    assert tiled(zeros, view_of("b"))["total"].beside == "everyone: 0 s"


def test_ranks() -> None:
    assert ranked(ROWS, view_of("cy")) == {
        "sessions": "2nd of 3, with 1 other",
        "total": "2nd of 3",
        "typical": "1st of 3",
        "active": "2nd of 3",
        "last": "2nd of 3",
    }
    assert ranked(ROWS, view_of("bob"))["total"] == "3rd of 3"
    # Equal ones share the better place: 3 sessions each; an average of 30 s each.
    assert ranked(ROWS, view_of("bob"))["sessions"] == "2nd of 3, with 1 other"
    assert ranked(ROWS, view_of("ann"))["typical"] == "2nd of 3, with 1 other"
    assert ranked(ROWS, view_of()) == dict.fromkeys(TILES, "")


def test_each_tile_has_its_own_rank() -> None:
    day = "2024-01-0{}T{}".format
    rows: list[Row] = [
        # a: most sessions; b: most time; c: longest; d: most days; e: the last.
        *[("a", "p", 1, day(1, f"0{n}:00")) for n in range(9)],
        *[("b", "p", 50, day(1, f"0{n}:00")) for n in range(6)],
        *[("c", "p", 90, day(1, "00:00"))] * 2,
        *[("d", "p", 2, day(n, "00:00")) for n in (1, 2, 3, 4)],
        *[("e", "p", 3, day(9, "09:00"))],
    ]
    first = {
        user: [
            tile for tile, rank in ranked(rows, view_of(user)).items() if rank[0] == "1"
        ]
        for user in "abcde"
    }
    assert first == {
        "a": ["sessions"],
        "b": ["total"],
        "c": ["typical"],
        "d": ["active"],
        "e": ["last"],
    }


@pytest.mark.parametrize(
    ("statistic", "ann", "bob"),
    [
        ("average", "2nd of 3, with 1 other", "2nd of 3, with 1 other"),
        ("median", "2nd of 3, with 1 other", "2nd of 3, with 1 other"),
        ("p90", "3rd of 3", "2nd of 3"),
    ],
)
def test_the_rank_of_the_typical_is_that_of_the_statistic(
    statistic: Any, ann: str, bob: str
) -> None:
    assert ranked(ROWS, view_of("ann", statistic=statistic))["typical"] == ann
    assert ranked(ROWS, view_of("bob", statistic=statistic))["typical"] == bob


def test_a_user_without_sessions_has_no_rank() -> None:
    assert set(ranked(ROWS, view_of("bob", **MARCH)).values()) == {""}
    # Both have two sessions, on one day each.
    assert ranked(ROWS, view_of("cy", **MARCH)) == {
        "sessions": "",
        "total": "2nd of 2",
        "typical": "2nd of 2",
        "active": "",
        "last": "1st of 2",
    }
    assert set(ranked(ROWS, view_of("bob", pages=("help",))).values()) == {""}


def test_users_who_share_a_place_are_counted() -> None:
    rows: list[Row] = [
        (user, "p", seconds, "2024-01-01")
        for user, seconds in zip("abcdef", (9, 9, 9, 5, 5, 1), strict=True)
    ]
    assert [ranked(rows, view_of(user))["total"] for user in "abcdef"] == [
        *["1st of 6, with 2 others"] * 3,
        *["4th of 6, with 1 other"] * 2,
        "6th of 6",
    ]
    # To share it with all is no praise, and neither is to be alone.
    assert ranked(rows, view_of("a"))["sessions"] == ""
    assert ranked(rows[:3], view_of("a"))["total"] == ""
    assert set(ranked(rows[:1], view_of("a")).values()) == {""}


def test_a_place_among_those_with_known_times_says_so() -> None:
    rows: list[Row] = [
        ("a", "p", 9, "2024-01-01"),
        ("b", "p", 8, "2024-01-02"),
        *[("c", "p", None, "2024-01-03")] * 2,
    ]
    assert ranked(rows, view_of("a")) == {
        "sessions": "2nd of 3, with 1 other",
        "total": "1st of 2 with known times",
        "typical": "1st of 2 with known times",
        "active": "",
        "last": "3rd of 3",
    }
    shared = ranked([*rows, ("d", "p", 9, "2024-01-01")], view_of("a"))
    assert shared["total"] == "1st of 3 with known times, with 1 other"


def test_places_among_many_have_commas() -> None:
    rows: list[Row] = [(f"u{n:04}", "p", n, "2024-01-01") for n in range(1_100)]
    assert ranked(rows, view_of("u0000"))["total"] == "1,100th of 1,100"
    rows = [(user, page, min(n or 0, 50), day) for user, page, n, day in rows]
    words = "1st of 1,100, with 1,049 others"
    assert ranked(rows, view_of("u0999"))["total"] == words


# Lines.


def test_lines_are_by_day_beside_the_largest() -> None:
    # 10 and 20 s on the first day, none on the third, unknown on the last.
    rows: list[Row] = [
        ("ann", "p", 10, "2024-03-01T00:00:00"),
        ("ann", "p", 20, "2024-03-01T12:00:00"),
        ("ann", "p", 40, "2024-03-02"),
        ("bob", "p", 80, "2024-03-03"),
        ("ann", "p", 60, "2024-03-04"),
        ("ann", "p", None, "2024-03-05T23:59:00"),
    ]
    none: dict[str, list[int]] = {"active": [], "last": []}
    assert lined(rows, view_of("ann")) == {
        "sessions": [51, 26, 0, 26, 26],
        "total": [26, 34, 0, 51, 0],
        # With a gap, there is none.
        "typical": [],
        **none,
    }
    # Nothing is missing before the last.
    assert lined(rows, View()) == {
        "sessions": [51, 26, 26, 26, 26],
        "total": [19, 26, 51, 38, 0],
        "typical": [10, 26, 51, 38],
        **none,
    }
    # Medians of days aren't known.
    assert lined(rows, view_of(statistic="median"))["typical"] == []


def test_lines_are_by_hour_for_one_day() -> None:
    day = {"start": date(2024, 2, 29), "end": date(2024, 3, 1)}
    found = lined(ROWS, view_of("ann", **day))
    assert found.pop("sessions") == [51 * (hour in (0, 12)) for hour in range(24)]
    assert found == {"total": [], "typical": [], "active": [], "last": []}
    assert lined(at("2024-01-01T05:00:00"), View())["sessions"][5] == 51


def test_lines_are_by_week_for_more_days() -> None:
    # From Monday, 1 January 2024, to Tuesday, 31 December: the last week isn't over.
    found = lined(ROWS, View())
    assert {name: len(values) for name, values in found.items()} == {
        **dict.fromkeys(("sessions", "total"), 52),
        **dict.fromkeys(("typical", "active", "last"), 0),
    }

    def some(name: str) -> dict[int, float]:
        return {n: value for n, value in enumerate(found[name]) if value}

    # 1 and 10 sessions; 100 s in one and 215 s in 8 of them.
    assert some("sessions") == {0: 5, 8: 51}
    assert some("total") == {0: 24, 8: 51}


@pytest.mark.parametrize(
    ("first", "last", "start", "end", "n_values"),
    [
        # Of hours that are missing, one is as good as none.
        ("2024-01-01T00:59", "2024-01-06T23:01", None, None, 6),
        ("2024-01-01T01:01", "2024-01-06T23:01", None, None, 5),
        ("2024-01-01T00:59", "2024-01-06T22:59", None, None, 5),
        ("2024-01-01T09:00", "2024-01-06T09:00", None, None, 4),
        ("2024-01-01T09:00", "2024-01-05T23:30", None, None, 4),
        # Fewer than four show nothing.
        ("2024-01-01T09:00", "2024-01-05T09:00", None, None, 0),
        # From a Wednesday to a Wednesday in weeks.
        ("2024-01-01", "2024-12-31", date(2024, 1, 3), date(2024, 7, 3), 25),
        ("2024-01-01", "2024-12-31", date(2024, 1, 8), date(2024, 7, 1), 25),
    ],
)
def test_of_what_is_incomplete_there_is_no_value(
    first: str, last: str, start: date | None, end: date | None, n_values: int
) -> None:
    days = pd.date_range(first[:10], last[:10], inclusive="neither")
    rows: list[Row] = [("u", "p", 5, f"{day:%Y-%m-%d}") for day in days]
    rows = [("u", "p", 5, first), *rows, ("u", "p", 5, last)]
    found = lined(rows, view_of(start=start, end=end))
    assert {len(found[name]) for name in ("sessions", "total", "typical")} == {n_values}


@pytest.mark.parametrize(
    ("n_days", "n_values"),
    [
        (6, 5),
        (120, 119),
        (121, 17),
        (1_098, 156),
        (1_099, 36),
        (7_320, 240),
        (7_321, 20),
    ],
)
def test_lines_have_a_few_hundred_values_at_most(n_days: int, n_values: int) -> None:
    first = date(2024, 1, 1)
    rows = [*days_from(first, 1), *days_from(first + timedelta(days=n_days - 1), 1)]
    assert len(lined(rows, View())["sessions"]) == n_values


def test_lines_where_there_is_nothing_and_at_the_ends_of_the_calendar() -> None:
    june: dict[str, Any] = {"start": date(2024, 6, 1), "end": date(2024, 7, 1)}
    assert lined(ROWS, view_of(**june)) == {name: [] for name in TILES}
    ends = lined(at("0001-01-01T00:00:00", "9999-12-31T23:59:59"), View())
    assert ends["sessions"] == [51, *[0] * 9_997, 51]


def test_lines_of_nothing_known_are_flat() -> None:
    rows: list[Row] = [
        ("u", "p", None, f"2024-01-0{day}T{hour}")
        for day in (1, 2, 3, 4)
        for hour in ("00:00", "23:59")
    ]
    found = lined(rows, View())
    assert found["total"] == [0, 0, 0, 0]
    assert found["typical"] == []
    assert found["sessions"] == [51, 51, 51, 51]


@examples(40)
@given(rows_lists, st.data())
def test_lines_are_of_the_selected_days(rows: list[Row], data: st.DataObject) -> None:
    engine = engine_of(rows)
    selection = data.draw(selections(engine))
    summary = engine.summarise(selection)
    letters = lines(summary, View(selection))
    found = {name: levels(text) for name, text in letters.items()}
    assert list(found) == list(TILES)
    days = [
        day
        for day in engine.facts.days.tolist()
        if (selection.start is None or day >= selection.start)
        and (selection.end is None or day < selection.end)
    ]
    n_values = {name: len(values) for name, values in found.items()}
    if len(days) > 1:
        assert n_values["sessions"] == n_values["total"] != 1
        assert n_values["typical"] <= n_values["sessions"]
        assert all(n == 0 or n >= 4 for n in n_values.values())
    else:
        assert n_values == dict.fromkeys(TILES, 0) | {"sessions": 24 * len(days)}
    assert found["active"] == found["last"] == []
    for values in found.values():
        assert all(0 <= value <= 51 for value in values)
        assert not any(values) or max(values) == 51


def test_a_day_that_has_only_begun_is_no_day_to_compare_with() -> None:
    # Twice an hour for thirty days and two hours.
    rows: list[Row] = [
        ("a", "p", 10, f"2024-05-{day:02}T{hour:02}:{minute}:00")
        for day in range(1, 32)
        for hour in range(24 if day < 31 else 2)
        for minute in ("05", "55")
    ]
    engine = engine_of(rows)

    def changed(start: date) -> dict[str, str]:
        view = view_of(start=start)
        tally = engine.summarise(view.selection).subject
        return changes(find_before(engine, view, tally), view)

    week = changed(date(2024, 5, 25))
    assert week["sessions"] == "about the same as 18 to 24 May 2024, a day"
    assert week["total"] == "about the same as 18 to 24 May 2024, a day"
    assert week["typical"] == "about the same as 18 to 24 May 2024"
    assert "sessions" not in changed(date(2024, 5, 31))


def test_picked_dates_are_compared_with_the_period_before() -> None:
    engine = engine_of(ROWS)

    def changed(view: View) -> dict[str, str]:
        tally = engine.summarise(view.selection).subject
        return changes(find_before(engine, view, tally), view)

    assert changed(view_of(**MARCH)) == {
        "sessions": "−38 % a day on February 2024",
        "total": "−26 % a day on February 2024",
        "typical": "+32 % on February 2024, may be chance",
    }
    # Of equal length: by session; nobody's durations are known on 31 December.
    days: dict[str, Any] = {"start": date(2024, 3, 1), "end": date(2024, 3, 2)}
    assert changed(view_of(**days))["sessions"] == "−60 % on 29 February 2024"
    days = {"start": date(2024, 12, 31)}
    assert changed(view_of(**days)) == {}
    # Without dates, or before the data, there is nothing.
    assert changed(View()) == {}
    days = {"start": date(2024, 1, 1), "end": date(2024, 1, 2)}
    assert changed(view_of(**days)) == {}
