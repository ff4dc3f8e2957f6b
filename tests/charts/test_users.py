from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.users import COLUMNS, PAGE_SIZE, UserTable, sentence, user_table
from engine.model import Selection
from tests.building import MARCH, engine_of, view_of
from tests.examples import examples
from tests.sessions import ROWS, Row
from tests.strategies import rows_lists
from tests.view_strategies import views_of
from view import View

USERS: list[Row] = [
    ("Ann", "p", 30, "2024-01-03T10:00:00"),
    ("bea", "p", None, "2024-01-04T10:00:00"),
    ("bea", "p", None, "2024-01-05T10:00:00"),
    ("bob", "p", 30, "2024-01-01T10:00:00"),
    ("cy", "p", 10, "2024-01-01T10:00:00"),
    ("cy", "p", 40, "2024-01-02T10:00:00"),
    ("cy", "p", 0, "2024-01-02T10:00:00"),
    ("dee", "p", 0, "2024-01-02T09:00:00"),
]


def listed(rows: Sequence[Row], user: str | None = None, **how: Any) -> UserTable:
    return user_table(engine_of(rows), view_of(user, **how))


def names(table: UserTable) -> list[str]:
    return [row[0] for row in table.rows]


def said(rows: Sequence[Row], view: View) -> str:
    return sentence(user_table(engine_of(rows), view).page, view)


def test_a_row_of_a_user() -> None:
    table = listed(USERS)
    page = table.page
    assert (page.n_matching, page.n_users, page.n_pages, page.page) == (5, 5, 1, 1)
    assert list(COLUMNS.values()) == [
        *("User", "Total time", "Sessions", "Active days", "Median", "Last seen")
    ]
    assert table.rows[0] == ["cy", "50 s", "3", "2", "10 s", "2024-01-02 10:00"]
    assert table.rows[1] == ["Ann", "30 s", "1", "1", "30 s", "2024-01-03 10:00"]
    assert table.rows[-1] == [
        *("bea", "unknown", "2", "2", "unknown", "2024-01-05 10:00"),
    ]


@pytest.mark.parametrize(
    ("sort", "largest_first", "smallest_first"),
    [
        ("user", "Ann bea bob cy dee", "dee cy bob bea Ann"),
        ("time", "cy Ann bob dee bea", "dee Ann bob cy bea"),
        ("sessions", "cy bea Ann bob dee", "Ann bob dee bea cy"),
        ("days", "bea cy Ann bob dee", "Ann bob dee bea cy"),
        ("median", "Ann bob cy dee bea", "dee cy Ann bob bea"),
        ("last", "bea Ann cy dee bob", "bob dee cy Ann bea"),
    ],
)
def test_users_are_sorted_with_unknown_ones_last_and_equal_ones_by_name(
    sort: str, largest_first: str, smallest_first: str
) -> None:
    assert names(listed(USERS, sort=sort)) == largest_first.split()
    assert names(listed(USERS, sort=sort, reverse=True)) == smallest_first.split()


def test_users_are_found_in_any_case_of_letters() -> None:
    table = listed(USERS, search="B")
    assert names(table) == ["bob", "bea"]
    assert (table.page.n_matching, table.page.n_users) == (2, 5)
    assert names(listed(USERS, search="aNN")) == ["Ann"]
    page = listed(USERS, search=".").page
    assert (page.rows, page.n_matching, page.n_users, page.n_pages) == ([], 0, 5, 1)
    sharp: list[Row] = [("Strauß", "p", 1, "2024-01-01"), ("x", "p", 1, "2024-01-01")]
    assert names(listed(sharp, search="STRAUSS")) == ["Strauß"]


def test_users_without_selected_sessions_are_not_in_the_table() -> None:
    start = date(2024, 1, 3)
    table = listed(USERS, "dee", start=start)
    assert names(table) == ["Ann", "bea"]
    assert table.page.n_users == 2
    assert listed(USERS, "dee", start=start, search="dee").page.n_matching == 0


MANY: list[Row] = [(f"u{n:02}", "p", 100 - n, "2024-01-01") for n in range(21)]


def test_ten_users_are_on_a_page_and_one_beyond_the_last_is_the_last() -> None:
    assert PAGE_SIZE == 10
    everyone = [row[0] for row in MANY]
    numbers = (1, 2, 3, 4, 10**9 - 1)
    pages = [names(listed(MANY, users_page=number)) for number in numbers]
    assert pages[:3] == [everyone[:10], everyone[10:20], everyone[20:]]
    assert pages[3] == pages[4] == pages[2]
    assert listed(MANY, users_page=4).page.page == 3
    assert listed(MANY).page.n_pages == 3
    assert listed(MANY[:20]).page.n_pages == 2
    assert names(listed(MANY, users_page=2, search="u0")) == everyone[:10]


def test_without_a_page_it_is_that_of_the_picked_user() -> None:
    assert [
        listed(MANY, user).page.page for user in (None, "u00", "u09", "u10", "u20")
    ] == [1, 1, 1, 2, 3]
    assert listed(MANY, "u20", sort="user", reverse=True).page.page == 1
    # Who isn't in the table has no page in it.
    assert listed(MANY, "u20", search="u1").page.page == 1
    assert listed(MANY, "u20", users_page=1).page.page == 1


@examples(50)
@given(rows_lists, st.data())
def test_pages_together_are_all_users_with_sessions(
    rows: list[Row], data: st.DataObject
) -> None:
    many = [(f"{n % 13}{row[0]}", *row[1:]) for n, row in enumerate(rows)]
    engine = engine_of(many)
    view = replace(data.draw(views_of(engine)), search="")
    first = user_table(engine, replace(view, users_page=1)).page
    every = [
        row
        for number in range(first.n_pages)
        for row in user_table(engine, replace(view, users_page=number + 1)).rows
    ]
    everyone = replace(view.selection, user=None)
    there = [
        user
        for user in sorted({row[0] for row in many})
        if engine.summarise(replace(everyone, user=user)).subject.sessions.any()
    ]
    assert sorted(row[0] for row in every) == there
    assert len(every) == first.n_matching == first.n_users
    n_sessions = engine.summarise(everyone).everyone.sessions.sum()
    assert sum(int(row[2]) for row in every) == n_sessions


def test_users_who_are_searched_for() -> None:
    assert said(ROWS, view_of(search="N")) == "1 of 3 users has “N” in the name."
    assert said(ROWS, view_of(search="zoe")) == ("0 of 3 users have “zoe” in the name.")
    assert said(ROWS, view_of(**MARCH, search="y")) == (
        "1 of 2 users has “y” in the name."
    )


def test_users_who_match() -> None:
    assert said(ROWS, View()) == "3 users. Click one to see them."
    assert said(ROWS[:1], View()) == "1 user. Click one to see them."
    assert said(ROWS, view_of(**MARCH)) == "2 users match. Click one to see them."
    one = said(ROWS, view_of(pages=("help",)))
    assert one == "1 user matches. Click one to see them."
    nobody = Selection(pages=("help",), longest=0.001)
    assert said(ROWS, View(nobody)) == "No users match."
    assert said(ROWS, View(nobody, search="a")) == "No users match."
