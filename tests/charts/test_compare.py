import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.chance import differences
from charts.compare import Compare, Tile, sentence, tiles
from charts.sentences import change_text
from charts.sides import Sides, find_sides
from engine.memory import MemoryEngine
from tests.building import engine_of, view_of
from tests.examples import examples
from tests.sessions import ROWS, Row
from tests.strategies import rows_lists
from tests.view_strategies import views_of
from versus import Versus
from view import View

FEBRUARY: dict[str, Any] = {"start": date(2024, 2, 1), "end": date(2024, 3, 1)}
MARCH: dict[str, Any] = {"start": date(2024, 3, 1), "end": date(2024, 4, 1)}
BOB = Versus("user", "bob")


def sides_of(view: View, rows: Any = ROWS) -> Sides:
    sides = find_sides(engine_of(rows), view)
    assert sides is not None
    return sides


def answer(view: View, rows: Any = ROWS) -> dict[str, Any]:
    return Compare().answer(engine_of(rows), view)


def lasting(user: str, page: str, seconds: list[float]) -> list[Row]:
    return [
        (user, page, second, f"2024-03-0{1 + number % 9}T10:00:00")
        for number, second in enumerate(seconds)
    ]


LONGER = [*range(100, 140)]
SHORTER = [*range(10, 50)]
TWO_USERS = [
    *lasting("ann", "cart", LONGER),
    *lasting("bob", "cart", SHORTER),
    *lasting("ann", "home", SHORTER),
    *lasting("bob", "home", SHORTER),
]


def test_two_users() -> None:
    sides = sides_of(view_of("ann", versus=BOB))
    assert [sides.this.name, sides.other.name] == ["ann", "bob"]
    assert sides.relation == "apart"
    assert sides.everyone is not None
    assert int(sides.everyone.sessions.sum()) == len(ROWS)
    assert [list(tile) for tile in tiles(sides, view_of("ann", versus=BOB))] == [
        ["Sessions", "6", "3", "2.0 ×", ""],
        ["Total time", "2 min 30 s", "1 min", "2.5 ×", ""],
        [
            "Average session",
            "30 s",
            "30 s",
            "about the same",
            "too few sessions to tell",
        ],
        ["Active days", "4 of 366 days", "1 of 366 days", "", ""],
    ]


def test_a_user_is_compared_with_everyone_where_nothing_is_said() -> None:
    sides = sides_of(view_of("ann"))
    assert (sides.other.name, sides.relation) == ("everyone", "within")
    assert tiles(sides, view_of("ann"))[0] == Tile(
        "Sessions", "6", "12", "50 % of everyone", ""
    )
    assert find_sides(engine_of(ROWS), View()) is None
    assert answer(View())["finding"] == "Pick what to compare with."


def test_with_everyone_picked_another_user_is_compared_with_them() -> None:
    sides = sides_of(view_of(versus=BOB))
    assert (sides.this.name, sides.other.name) == ("bob", "everyone")
    assert sides.relation == "within"


def test_users_by_a_part_of_their_name() -> None:
    sides = sides_of(view_of("cy", versus=Versus("names", "B")))
    assert sides.other.name == "1 user with “B” in the name"
    assert int(sides.other.tally.sessions.sum()) == 3
    assert sides.relation == "apart"
    # Who is among them is so.
    view = view_of("ann", versus=Versus("names", "n"))
    rows = [*TWO_USERS, *lasting("Nora", "cart", LONGER)]
    sides = sides_of(view, rows)
    assert sides.relation == "within"
    words = sentence(sides, view, engine_of(rows).facts.pages)
    assert words.endswith(" ann is one of them.")


def test_several_users_are_compared_as_the_average_one() -> None:
    rows = [
        ("ann", "cart", 60, "2024-03-01T10:00:00"),
        ("ann", "cart", 60, "2024-03-02T10:00:00"),
        ("bob", "cart", 60, "2024-03-01T10:00:00"),
        ("bill", "cart", 30, "2024-03-01T11:00:00"),
        ("bill", "cart", 30, "2024-03-02T11:00:00"),
        ("bill", "cart", 30, "2024-03-02T12:00:00"),
        ("cy", "cart", 30, "2024-03-02T12:00:00"),
        ("cy", "cart", 30, "2024-03-03T12:00:00"),
    ]
    view = view_of("ann", versus=Versus("names", "b"))
    sides = sides_of(view, rows)
    assert sides.other.name == "2 users with “b” in the name"
    assert tiles(sides, view)[0] == Tile(
        "Sessions", "2", "4", "about the same per user", ""
    )
    lines = answer(view, rows)["timeline"]["data"]
    assert [(line["name"], line["y"]) for line in lines] == [
        ("average of 2 users with “b” in the name", [1, 1, 0]),
        ("ann", [1, 1, 0]),
        ("average user", [0.75, 1, 0.25]),
    ]


def test_two_periods() -> None:
    view = view_of(versus=Versus("before"), **MARCH)
    sides = sides_of(view)
    assert (sides.this.name, sides.other.name) == ("March 2024", "February 2024")
    assert (sides.this.n_days, sides.other.n_days) == (31, 29)
    assert [tile[1:4] for tile in tiles(sides, view)[:2]] == [
        ("4", "6", "−38 % a day"),
        ("1 min 35 s", "2 min", "−26 % a day"),
    ]
    again = sides_of(view_of(versus=Versus("dates", **FEBRUARY), **MARCH))
    assert again.other == sides.other._replace(tally=again.other.tally)


def test_periods_that_overlap_are_not_tested() -> None:
    view = view_of(
        versus=Versus("dates", start=date(2024, 2, 20), end=date(2024, 3, 2)), **MARCH
    )
    sides = sides_of(view)
    assert sides.relation == "overlapping"
    assert sides.by_page() is sides.overall() is None
    assert "not tested, as the dates overlap" in sentence(sides, view, ("home",))


def test_what_is_more_than_chance_is_said_with_its_pages() -> None:
    view = view_of("ann", versus=BOB)
    sides = sides_of(view, TWO_USERS)
    assert sentence(sides, view, engine_of(TWO_USERS).facts.pages) == (
        "Average session: 1 min 14 s of ann, 30 s of bob (2.5 ×, more than chance). "
        "Longer on cart (4.1 ×): more than chance, corrected for 2 pages."
    )
    rows = answer(view, TWO_USERS)["pages"]["rows"]
    assert [(row["label"], row["change"], row["chance"]) for row in rows] == [
        ("cart", "4.1 ×", "more than chance"),
        ("home", "about the same", "may be chance"),
    ]


def test_what_differs_may_be_which_pages_are_visited() -> None:
    # Each page takes both as long; ann is on the long one more often.
    long, short = [100.0, 110.0] * 30, [10.0, 12.0] * 30
    rows = [
        *lasting("ann", "cart", long),
        *lasting("ann", "home", short[:20]),
        *lasting("bob", "cart", long[:20]),
        *lasting("bob", "home", short),
        *lasting("ann", "help", [1.0] * 5),
    ]
    view = view_of("ann", versus=BOB)
    words = sentence(sides_of(view, rows), view, engine_of(rows).facts.pages)
    assert words.endswith(
        "On none of 2 pages is it more than chance."
        " Most of the difference is which pages are visited, not how long."
        " Only ann: help (5 sessions)."
    )
    # Where how long they stay is all of it, nothing is said of which pages.
    words = sentence(sides_of(view, TWO_USERS), view, ("cart", "home"))
    assert "which pages" not in words


def test_two_equal_users_do_not_differ() -> None:
    rows = [*lasting("ann", "cart", SHORTER), *lasting("bob", "cart", SHORTER)]
    view = view_of("ann", versus=BOB)
    assert sentence(sides_of(view, rows), view, ("cart",)) == (
        "Average session: 30 s of ann, 30 s of bob (about the same, may be chance). "
        "On the only page with enough sessions it may be chance."
    )


def test_the_test_is_that_of_two_groups_put_together() -> None:
    # With everyone made of these two, one user beside the other is one beside everyone.
    engine = engine_of(TWO_USERS)
    sides = find_sides(engine, view_of("ann", versus=BOB))
    assert sides is not None
    summary = engine.summarise(view_of("ann").selection)
    assert summary.user is not None
    wanted = differences(summary.user, summary.everyone).p_values
    found = sides.by_page()
    assert found is not None
    np.testing.assert_allclose(found.p_values, wanted, rtol=1e-9)


def test_no_days_and_no_sessions_are_said() -> None:
    view = view_of(versus=Versus("year"), **MARCH)
    assert answer(view)["finding"] == "The data has nothing in March 2023."
    view = view_of("bob", versus=Versus("before"), **MARCH)
    assert answer(view)["finding"] == "No sessions match in March 2024."
    view = view_of("ann", versus=Versus("names", "zoe"))
    words = "No sessions of users with “zoe” in the name match."
    assert answer(view)["finding"] == words
    unknown: list[Row] = [("a", "p", None, "2024-01-01"), ("b", "p", 1, "2024-01-01")]
    view = view_of("a", versus=Versus("user", "b"))
    assert answer(view, unknown)["finding"] == "Of one of them no duration is known."


def test_names_are_suggested() -> None:
    rows: list[Row] = [
        (name, "p", 1, "2024-01-01") for name in ("ann", "bob", "cy", "n" * 201)
    ]
    shown = answer(view_of("bob"), rows)
    assert shown["asked"]["names"] == ["ann", "cy"]


def test_a_year_is_in_the_year() -> None:
    view = view_of(versus=Versus("year"), start=date(2024, 1, 1), end=date(2025, 1, 1))
    rows: list[Row] = [
        (*row[:3], f"2023{row[3][4:]}".replace("02-29", "02-28")) for row in ROWS
    ]
    words = answer(view, [*ROWS, *rows])["finding"]
    assert " in 2024, " in words
    assert " in 2023 (" in words


def test_ways_lead_to_other_comparisons() -> None:
    users, periods = answer(view_of("ann", versus=BOB, **MARCH))["ways"]
    assert [link["text"] for link in users["links"]] == ["Everyone", "bob", "cy"]
    assert [link["isShown"] for link in users["links"]] == [False, True, False]
    assert users["links"][2]["address"] == (
        "?user=ann&from=2024-03-01&to=2024-04-01&open=compare&vs=user%3Acy"
    )
    assert [link["text"] for link in periods["links"]] == [
        *("The period before", "A month before", "A quarter before", "A year before")
    ]
    # Without dates there is no period before.
    assert answer(view_of("ann"))["ways"][1]["links"] == []


def test_the_other_period_lies_under_this_one() -> None:
    shown = answer(view_of(versus=Versus("before"), **MARCH))
    other, this = shown["timeline"]["data"]
    assert this["y"][:3] == [2, 2, 0]
    assert this["x"][0] == "2024-03-01"
    # February has 29 days: under 30 and 31 March there is nothing.
    assert other["y"][27:] == [1, 5, None, None]
    assert other["customdata"][0] == "1 February 2024"
    aligned = answer(view_of(versus=Versus("before"), weekdays=True, **MARCH))
    # 1 March is a Friday, and so is 2 February.
    assert aligned["timeline"]["data"][0]["customdata"][0] == "2 February 2024"


def test_numbers_have_both_sides() -> None:
    view = view_of("ann", versus=BOB)
    shown = Compare().numbers(engine_of(ROWS), view)
    assert shown["page"].tolist() == ["home", "cart", "help"]
    frame = Compare().numbers(engine_of(ROWS), view, every_row=True)
    assert frame["page"].tolist() == ["cart", "help", "home"]
    assert frame["ann: sessions"].tolist() == [1, 0, 5]
    assert frame["bob: time (s)"].tolist() == [0, 0, 60]
    assert list(frame.columns)[-2:] == ["change (%)", "chance"]
    assert frame["change (%)"].tolist()[-1] == -50
    few = "too few sessions"
    assert frame["chance"].tolist() == [few, "only one side", few]
    assert isinstance(frame, pd.DataFrame)
    assert Compare().numbers(engine_of(ROWS), View()).empty


@pytest.mark.parametrize(
    ("value", "beside", "expected"),
    [
        (112, 100, "+12 %"),
        (70, 100, "−30 %"),
        (240, 100, "2.4 ×"),
        (200, 100, "2.0 ×"),
        (1, 2000, "under −99 %"),
        (100.4, 100, "about the same"),
        (0, 100, "−100 %"),
        (1, 0, ""),
        (float("nan"), 1, ""),
        (1, float("nan"), ""),
    ],
)
def test_changes(value: float, beside: float, expected: str) -> None:
    assert change_text(value, beside) == expected


@examples(60)
@given(rows_lists, st.data())
def test_every_view_can_be_answered(rows: list[Row], data: st.DataObject) -> None:
    engine: MemoryEngine = engine_of(rows)
    view = data.draw(views_of(engine))
    shown = Compare().answer(engine, view)
    assert shown["finding"]
    # It goes to the browser, where there is no NaN.
    json.dumps(shown, allow_nan=False, default=lambda value: value.tolist())
    numbers = Compare().numbers(engine, view)
    if "pages" in shown:
        names = [row["name"] for row in shown["pages"]["rows"]]
        assert numbers["page"].tolist() == names


def lines(view: View, rows: Any) -> tuple[str, list[list[float | None]]]:
    """The name of the timeline's axis, and the values of its lines."""
    shown = answer(view, rows)["timeline"]
    name = shown["layout"]["yaxis"]["title"]["text"]
    return name, [line["y"] for line in shown["data"]]


def daily(first: str, n: int) -> list[Row]:
    """A session at the begin and the end of each of *n* days."""
    days = pd.date_range(first, periods=n).strftime("%Y-%m-%d")
    return [
        ("a", "p", 1, f"{day}T{time}") for day in days for time in ("00:05", "23:55")
    ]


def test_days_that_the_data_has_not_are_gaps_and_not_zero() -> None:
    february: dict[str, Any] = {"start": date(2023, 2, 1), "end": date(2023, 3, 1)}
    view = view_of(versus=Versus("month"), **february)
    name, (other, this) = lines(view, daily("2023-01-10", 60))
    assert name == "Sessions per day"
    assert other == [*[None] * 9, *[2] * 19]
    assert this == [2] * 28


def test_weeks_of_which_a_side_has_a_part_are_left_out() -> None:
    rows = daily("2023-01-02", 522)
    view = view_of(
        versus=Versus("dates", start=date(2023, 1, 2), end=date(2024, 1, 1)),
        start=date(2024, 1, 1),
        end=date(2024, 6, 6),
    )
    name, (other, this) = lines(view, rows)
    # 157 days: 22 weeks and three days.
    assert name == "Sessions per whole week"
    assert this == other == [*[14] * 22, None]


def test_long_names_are_told_apart_and_few_days_have_ticks() -> None:
    first, second = (f"{'n' * 400}{end}" for end in "ab")
    rows: list[Row] = [(name, "p", 1, "2024-01-01") for name in (first, second)]
    view = view_of(first, versus=Versus("user", second))
    sides = sides_of(view, rows)
    assert sides.this.name != sides.other.name
    frame = Compare().numbers(engine_of(rows), view)
    assert len(frame.columns) == 9
    axis = answer(view, rows)["timeline"]["layout"]["xaxis"]
    assert axis["tickvals"] == ["2024-01-01"]
    assert axis["range"] == ["2023-12-31T12", "2024-01-01T12"]


def test_time_on_other_pages_is_counted_once() -> None:
    rows: list[Row] = [
        (user, f"p{n}", 60, "2024-01-01") for n in range(12) for user in ("ann", "bob")
    ]
    shown = answer(view_of("ann"), rows)["pages"]
    assert shown["others"] == "2 other pages: 2 min of ann, 4 min of everyone."
    assert shown["more"]["text"] == "Show 50 rows"
    assert "rows=50" in shown["more"]["address"]
    shown = answer(view_of("ann", versus=BOB), rows)["pages"]
    assert shown["others"] == "2 other pages: 2 min of ann, 2 min of bob."
