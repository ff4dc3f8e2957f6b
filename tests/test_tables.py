from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ids
import tables
from activity import Activity, Selection, Summary
from view import View

from .conftest import Row, table
from .test_activity import rows_lists
from .test_view import selections_of_a_page, views_of_a_page

NAN = pytest.approx(float("nan"), nan_ok=True)
EVERYONE = View()
ANN = View(Selection("ann"))


def summary_of(rows: Sequence[Row], user: str | None = None) -> Summary:
    return Activity(table(rows)).summarise(Selection(user))


def at(*times: str) -> list[Row]:
    """A session of a second at each of these times."""
    return [("u", "p", 1, time) for time in times]


def daily(first: str, n: int) -> list[Row]:
    """A session on each of so many days, at midnight; one at the end of the last."""
    start = date.fromisoformat(first)
    days = [start + timedelta(days=number) for number in range(n)]
    return at(*map(str, days), f"{days[-1]}T23:59:59")


def edges(line: tables.Periods) -> list[str]:
    return list(map(str, line.edges))


def pages_of(n: int) -> list[Row]:
    """Pages p00, p01 and so on, on which a spends 1, 2, 3 s and so on."""
    return [("a", f"p{page:02}", page + 1, "2024-01-01") for page in range(n)]


def test_statistics_by_page_and_overall(activity: Activity) -> None:
    everyone = activity.summarise(Selection()).everyone
    # cart 0, 5, 100; help nothing known; home 10 to 60.
    assert tables.by_page(everyone, "average").tolist() == [35, NAN, 35]
    assert tables.by_page(everyone, "median").tolist() == [5, NAN, 35]
    assert tables.by_page(everyone, "p90").tolist() == [
        *(pytest.approx(81), NAN, pytest.approx(55))
    ]
    assert tables.overall(everyone, "average") == 35
    assert tables.overall(everyone, "median") == 30
    assert tables.overall(everyone, "p90") == pytest.approx(68)


def test_statistics_of_nothing_are_unknown(activity: Activity) -> None:
    unknown = activity.summarise(Selection(pages=("help",))).everyone
    for statistic in tables.STATISTICS:
        assert tables.overall(unknown, statistic) == NAN


def test_pages_stand_in_the_order_of_everyones_time(activity: Activity) -> None:
    summary = activity.summarise(Selection("bob"))
    assert summary.user is not None
    rows = tables.page_rows(summary, summary.user)
    assert (rows.names, rows.n_named) == (["home", "cart", "help"], 3)
    assert rows.everyone.seconds.tolist() == [210, 105, 0]
    assert rows.user is not None
    assert rows.user.seconds.tolist() == [60, 0, 0]
    assert rows.user.unknown.tolist() == [0, 0, 1]


def test_pages_without_sessions_have_no_row(activity: Activity) -> None:
    summary = activity.summarise(Selection("ann"))
    assert summary.user is not None
    rows = tables.page_rows(summary, summary.user, chosen=("help",))
    assert rows.names == ["home", "cart"]


def test_fifteen_pages_have_a_row_of_their_own_and_sixteen_have_not() -> None:
    fifteen, sixteen, twenty = (summary_of(pages_of(n)) for n in (15, 16, 20))
    rows = tables.page_rows(fifteen, fifteen.everyone)
    assert rows.names == [f"p{page:02}" for page in range(14, -1, -1)]
    assert rows.n_named == 15
    rows = tables.page_rows(sixteen, sixteen.everyone)
    assert rows.names[14:] == ["p01", "1 other page"]
    assert rows.everyone.seconds[14:].tolist() == [2, 1]
    rows = tables.page_rows(twenty, twenty.everyone)
    assert (rows.names[-1], rows.n_named) == ("5 other pages", 15)
    assert rows.everyone.seconds[-1] == 1 + 2 + 3 + 4 + 5
    assert rows.user is None


def test_chosen_pages_come_before_those_of_more_time() -> None:
    summary = summary_of(pages_of(20))
    rows = tables.page_rows(summary, summary.everyone, ("p00", "p03"))
    assert rows.names[:13] == [f"p{page:02}" for page in range(19, 6, -1)]
    assert rows.names[13:] == ["p03", "p00", "5 other pages"]
    assert rows.everyone.seconds[-1] == 2 + 3 + 5 + 6 + 7


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(0, 9)),
        min_size=1,
        max_size=60,
    ),
    st.sets(st.integers(0, 30), max_size=15),
)
def test_rows_of_pages_are_all_the_sessions(
    sessions: list[tuple[str, int, int]], picked: set[int]
) -> None:
    rows: list[Row] = [(u, f"{p:02}", d, "2024-01-01") for u, p, d in sessions]
    chosen = tuple(f"{page:02}" for page in picked)
    summary = summary_of(rows, rows[0][0])
    assert summary.user is not None
    shown = tables.page_rows(summary, summary.everyone, chosen)
    assert shown.everyone.sessions.sum() == len(rows)
    assert shown.user is not None
    assert shown.user.seconds.sum() == summary.user.seconds.sum()
    assert shown.n_named == min(len(summary.pages), 15)
    assert set(chosen) & set(summary.pages) <= set(shown.names[: shown.n_named])
    totals = shown.everyone.seconds[: shown.n_named].tolist()
    assert totals == sorted(totals, reverse=True)


def test_a_week_by_day() -> None:
    # Thursday, 29 February 2024 has two, Friday none, Saturday one.
    rows = at("2024-02-29T00:00:00", "2024-02-29T23:00:00", "2024-03-02T23:59:59")
    line = tables.periods(summary_of([*rows, rows[0]]), "sessions")
    assert line.unit == "day"
    assert edges(line) == ["2024-02-29", "2024-03-01", "2024-03-02", "2024-03-03"]
    assert line.everyone.tolist() == [3, 0, 1]
    assert line.user is None
    assert not line.incomplete.any()


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
    last = date(2024, 1, 1) + timedelta(days=n_days - 1)
    summary = summary_of(at("2024-01-01", f"{last}T23:59:59"))
    line = tables.periods(summary, "time")
    assert line.unit == unit
    assert len(line.everyone) == len(line.edges) - 1 == n
    assert line.everyone[[0, -1]].sum() == 2 if n > 1 else line.everyone[0] == 2
    assert line.edges[0] == np.datetime64("2024-01-01")
    assert line.edges[-1] > np.datetime64(last)


def test_weeks_begin_on_mondays_and_the_first_and_last_may_be_incomplete() -> None:
    # From Wednesday, 3 January to Thursday, 2 May 2024.
    line = tables.periods(summary_of(daily("2024-01-03", 121)), "sessions")
    assert line.unit == "week"
    assert edges(line)[:2] == ["2024-01-01", "2024-01-08"]
    assert edges(line)[-2:] == ["2024-04-29", "2024-05-06"]
    # The last day has two.
    assert line.everyone.tolist() == [5, *[7] * 16, 5]
    assert np.flatnonzero(line.incomplete).tolist() == [0, 17]


def test_a_period_is_complete_where_the_data_begins_within_an_hour_of_it() -> None:
    # From Monday, 1 January 2024.
    def incomplete(first: str, last: str) -> list[bool]:
        line = tables.periods(summary_of(at(first, last)), "sessions")
        assert line.unit == "week"
        return list(map(bool, line.incomplete[[0, -1]]))

    end = "2024-06-30T23:00:00"
    assert incomplete("2024-01-01T00:30:00", end) == [False, False]
    assert incomplete("2024-01-01T01:00:00", end) == [False, False]
    assert incomplete("2024-01-01T01:00:01", end) == [True, False]
    assert incomplete("2024-01-01", "2024-06-30T22:59:59") == [False, True]


def test_a_single_day_may_lack_both_ends() -> None:
    line = tables.periods(summary_of(at("2024-01-01T12:00:00")), "sessions")
    assert line.incomplete.tolist() == [True]


def test_months_and_years_are_those_of_the_calendar() -> None:
    months = at("2023-02-28", "2024-02-29", "2024-03-01", "2026-03-31T23:59:59")
    line = tables.periods(summary_of(months), "sessions")
    assert line.unit == "month"
    assert edges(line)[:2] == ["2023-02-01", "2023-03-01"]
    assert {edges(line)[i]: n for i, n in enumerate(line.everyone) if n} == {
        "2023-02-01": 1,
        "2024-02-01": 1,
        "2024-03-01": 1,
        "2026-03-01": 1,
    }
    assert line.incomplete.tolist() == [True] + [False] * 37

    years = at("1999-12-31T23:59:59", "2000-01-01", "2024-02-29", "2024-12-31")
    line = tables.periods(summary_of(years), "sessions")
    assert line.unit == "year"
    assert edges(line)[:2] == ["1999-01-01", "2000-01-01"]
    assert edges(line)[-1] == "2025-01-01"
    assert line.everyone.tolist() == [1, 1, *[0] * 23, 2]
    assert line.incomplete[[0, -1]].tolist() == [True, True]


def test_a_user_stands_beside_the_average_of_all(activity: Activity) -> None:
    summary = activity.summarise(Selection("ann"))
    line = tables.periods(summary, "sessions")
    # The week from 26 February: 10 sessions of three users, 5 of ann.
    assert line.everyone[8] == pytest.approx(10 / 3)
    assert line.user is not None
    assert line.user[8] == 5
    line = tables.periods(summary, "time")
    # 10, 20, 30, 40, 50; 60 and 0; 5.
    assert line.everyone[8] == pytest.approx(215 / 3)
    assert line.user is not None
    assert line.user[8] == 150


ENDS: list[list[Row]] = [
    at("0001-01-01"),
    at("9999-12-31T23:59:59"),
    at("0001-01-01", "9999-12-31"),
    at("0001-01-03", "0001-12-31"),
    at("9999-06-01", "9999-12-31"),
    at("9990-06-01", "9999-12-31"),
]


@pytest.mark.parametrize("rows", ENDS)
def test_the_ends_of_the_calendar(rows: list[Row]) -> None:
    line = tables.periods(summary_of(rows), "sessions")
    assert line.everyone.sum() == len(rows)
    assert len(tables.period_texts(line.edges)) == len(line.everyone)
    shown = tables.table(ids.TIMELINE, summary_of(rows), View())
    assert shown["from"].tolist() == edges(line)[:-1]
    numbers = Activity(table(rows))
    tables.users(numbers, numbers.by_user(Selection()), View())


def test_words_for_periods() -> None:
    def texts(*days: str) -> list[str]:
        return tables.period_texts(np.array(days, "M8[D]"))

    assert texts("2024-02-29", "2024-03-01") == ["29 February 2024"]
    assert texts("2023-12-25", "2024-01-01", "2024-01-08") == [
        "25 to 31 December 2023",
        "1 to 7 January 2024",
    ]
    assert texts("2024-02-01", "2024-03-01") == ["February 2024"]
    assert texts("9999-01-01", "10000-01-01") == ["9999"]
    assert texts("9999-12-27", "10000-01-03") == ["27 to 31 December 9999"]


def test_words_for_bins() -> None:
    texts = tables.bin_texts(np.array([0, 0.001, 1.5, 90, np.inf]))
    assert texts == [
        *("0 s to 0.001 s", "0.001 s to 1.5 s", "1.5 s to 1 min 30 s"),
        "1 min 30 s and longer",
    ]


def test_sessions_an_hour_are_unknown_for_weekdays_that_there_are_not(
    activity: Activity,
) -> None:
    # Thursday, 29 February and Friday, 1 March 2024.
    picked = Selection(start=date(2024, 2, 29), end=date(2024, 3, 2))
    summary = activity.summarise(picked)
    rates = tables.per_weekday(summary.everyone, summary)
    assert np.flatnonzero(~np.isnan(rates).any(axis=1)).tolist() == [3, 4]
    # ann at 0:00 and 12:00, bob three times from 8:00 on; ann twice at 0:00.
    assert {hour: n for hour, n in np.ndenumerate(rates) if n > 0} == {
        (3, 0): 1,
        (3, 8): 3,
        (3, 12): 1,
        (4, 0): 2,
    }
    year = activity.summarise(Selection())
    # Thursdays: 52.
    assert tables.per_weekday(year.everyone, year)[3, 8] == pytest.approx(3 / 52)


def records(frame: pd.DataFrame, n: int) -> list[dict[Any, Any]]:
    return frame.head(n).to_dict("records")


def test_the_table_of_total_time_is_everyones(activity: Activity) -> None:
    for user in (None, "ann"):
        view = View(Selection(user))
        frame = tables.table(ids.TOTAL_TIME, activity.summarise(view.selection), view)
        assert list(frame) == ["page", "sessions", "of unknown duration", "time (s)"]
        assert frame.to_numpy().tolist() == [
            *(["home", 7, 1, 210], ["cart", 4, 1, 105], ["help", 1, 1, 0])
        ]


def test_the_table_of_averages_names_the_statistic(activity: Activity) -> None:
    summary = activity.summarise(Selection("ann"))
    frame = tables.table(ids.USER_AVERAGE, summary, replace(ANN, statistic="p90"))
    assert list(frame) == [
        "page",
        "user: sessions of known duration",
        "user: p90 (s)",
        "everyone: sessions of known duration",
        "everyone: p90 (s)",
    ]
    assert frame.to_numpy().tolist() == [
        ["home", 5, pytest.approx(46), 6, pytest.approx(55)],
        ["cart", 0, NAN, 3, pytest.approx(81)],
    ]
    frame = tables.table(
        ids.USER_AVERAGE, activity.summarise(Selection()), replace(View())
    )
    assert list(frame)[1:] == [
        "everyone: sessions of known duration",
        "everyone: average (s)",
    ]
    assert frame["page"].tolist() == ["home", "cart", "help"]


def test_the_table_of_the_distribution(activity: Activity) -> None:
    summary = activity.summarise(Selection("ann"))
    frame = tables.table(ids.DURATIONS, summary, ANN)
    assert list(frame) == ["from (s)", "to (s)", "user: sessions", "everyone: sessions"]
    assert frame.iloc[0].tolist() == [0, 2, 0, 1]
    # 100 s is above the last edge: to any length.
    assert frame.iloc[-1].tolist() == [90, NAN, 0, 1]
    log = tables.table(ids.DURATIONS, summary, replace(ANN, scale="log"))
    assert log["from (s)"].tolist() == summary.log_edges[:-1].tolist()
    assert log.iloc[-1].tolist() == [100, 150, 0, 1]


def test_the_table_of_the_timeline(activity: Activity) -> None:
    summary = activity.summarise(Selection())
    frame = tables.table(ids.TIMELINE, summary, View(timeline="time"))
    assert list(frame) == [
        "from",
        "to (not included)",
        "everyone: time (s)",
        "complete",
    ]
    assert frame.iloc[8].tolist() == ["2024-02-26", "2024-03-04", 215, True]
    assert frame.iloc[-1].tolist() == ["2024-12-30", "2025-01-06", 0, False]
    frame = tables.table(ids.TIMELINE, activity.summarise(ANN.selection), ANN)
    assert list(frame)[2:] == ["user: sessions", "average user: sessions", "complete"]


def test_the_table_of_hours(activity: Activity) -> None:
    frame = tables.table(ids.HOURS, activity.summarise(ANN.selection), ANN)
    assert list(frame) == [
        *("weekday", "hour", "times it occurs", "user: sessions", "everyone: sessions")
    ]
    assert len(frame) == 7 * 24
    assert frame.iloc[3 * 24 + 8].tolist() == ["Thursday", 8, 52, 0, 3]
    assert frame.iloc[4 * 24].tolist() == ["Friday", 0, 52, 2, 2]


@settings(deadline=None, max_examples=80)
@given(rows_lists, st.data())
def test_tables_come_to_what_the_summary_says(
    rows: list[Row], data: st.DataObject
) -> None:
    activity = Activity(table(rows))
    view = data.draw(views_of_a_page(activity))
    summary = activity.summarise(view.selection)
    for who, tally in (("user", summary.user), ("everyone", summary.everyone)):
        if tally is None:
            continue
        n = tally.known.sum()
        for chart in (ids.DURATIONS, ids.HOURS):
            frame = tables.table(chart, summary, view)
            wanted = n if chart == ids.DURATIONS else tally.sessions.sum()
            assert frame[f"{who}: sessions"].sum() == wanted
        column = f"{who}: sessions of known duration"
        frame = tables.table(ids.USER_AVERAGE, summary, view, limit=2)
        assert frame[column].sum() <= n
        if who == "user" or summary.user is None:
            assert frame[column].sum() == n
    frame = tables.table(ids.TOTAL_TIME, summary, view, limit=1)
    everyone = summary.everyone
    assert frame["sessions"].sum() == everyone.sessions.sum()
    assert frame["of unknown duration"].sum() == everyone.unknown.sum()
    assert frame["time (s)"].sum() == pytest.approx(everyone.seconds.sum())
    frame = tables.table(ids.TIMELINE, summary, view)
    of_sessions = view.timeline == "sessions"
    unit = "sessions" if of_sessions else "time (s)"
    whole = (everyone.sessions if of_sessions else everyone.seconds).sum()
    if summary.user is None:
        assert frame[f"everyone: {unit}"].sum() == pytest.approx(whole)
    else:
        shared = frame[f"average user: {unit}"].sum() * len(activity.users)
        assert shared == pytest.approx(whole)
        theirs = summary.user.sessions if of_sessions else summary.user.seconds
        assert frame[f"user: {unit}"].sum() == pytest.approx(theirs.sum())


@settings(deadline=None, max_examples=30)
@given(rows_lists, st.data())
def test_a_chart_is_not_filtered_by_itself(
    rows: list[Row], data: st.DataObject
) -> None:
    picked = data.draw(selections_of_a_page(Activity(table(rows))))
    own: dict[str, dict[str, Any]] = {
        ids.TOTAL_TIME: {"pages": ()},
        ids.USER_AVERAGE: {"pages": ()},
        ids.DURATIONS: {"shortest": None, "longest": None},
        ids.TIMELINE: {"start": None, "end": None},
        ids.HOURS: {},
    }
    for chart, none in own.items():
        assert tables.unfiltered_by_itself(chart, picked) == replace(picked, **none)


def test_titles_say_what_is_counted(activity: Activity) -> None:
    summary = activity.summarise(Selection())
    view = View(statistic="p90", timeline="time")
    assert [tables.title(chart, summary, view) for chart in ids.CHARTS] == [
        "Total Time per Page",
        "P90 Session Duration by Page",
        "Session Duration Distribution",
        "Time per Week",
        "Sessions by Weekday and Hour",
    ]
    day = summary_of(at("2024-01-01"))
    assert tables.title(ids.TIMELINE, day, View()) == "Sessions per Day"


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


def listed(rows: Sequence[Row], **how: Any) -> tables.UsersShown:
    activity, view = Activity(table(rows)), View(**how)
    return tables.users(activity, activity.by_user(view.selection), view)


def names(shown: tables.UsersShown) -> list[str]:
    return [row[0] for row in shown.rows]


def test_a_row_of_a_user() -> None:
    shown = listed(USERS)
    assert (shown.n_found, shown.n_all, shown.n_sheets) == (5, 5, 1)
    assert list(tables.USER_COLUMNS.values()) == [
        *("User", "Total time", "Sessions", "Active days", "Median", "Last seen")
    ]
    assert shown.rows[0] == ("cy", "50 s", "3", "2", "10 s", "2024-01-02 10:00")
    assert shown.rows[-1] == (
        *("bea", "unknown", "2", "2", "unknown", "2024-01-05 10:00"),
    )


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
    shown = listed(USERS, find="B")
    assert names(shown) == ["bob", "bea"]
    assert (shown.n_found, shown.n_all) == (2, 5)
    assert names(listed(USERS, find="aNN")) == ["Ann"]
    none = listed(USERS, find=".")
    assert (none.rows, none.n_found, none.n_all, none.n_sheets) == ([], 0, 5, 1)
    sharp = [("Strauß", "p", 1, "2024-01-01"), ("x", "p", 1, "2024-01-01")]
    assert names(listed(sharp, find="STRAUSS")) == ["Strauß"]


def test_users_without_selected_sessions_are_not_in_the_table() -> None:
    picked = Selection("dee", start=date(2024, 1, 3))
    shown = listed(USERS, selection=picked)
    assert names(shown) == ["Ann", "bea"]
    assert shown.n_all == 2
    assert listed(USERS, selection=picked, find="dee").n_found == 0


def test_ten_users_are_on_a_sheet_and_one_beyond_the_last_is_the_last() -> None:
    rows: list[Row] = [(f"u{n:02}", "p", 100 - n, "2024-01-01") for n in range(21)]
    everyone = [row[0] for row in rows]
    sheets = [names(listed(rows, sheet=sheet)) for sheet in (1, 2, 3, 4, 10**9 - 1)]
    assert sheets[:3] == [everyone[:10], everyone[10:20], everyone[20:]]
    assert sheets[3] == sheets[4] == sheets[2]
    assert listed(rows).n_sheets == 3
    assert listed(rows[:20]).n_sheets == 2
    assert names(listed(rows, sheet=2, find="u0")) == everyone[:10]


@settings(deadline=None, max_examples=50)
@given(rows_lists, st.data())
def test_sheets_together_are_all_users_with_sessions(
    rows: list[Row], data: st.DataObject
) -> None:
    many = [(f"{n % 13}{row[0]}", *row[1:]) for n, row in enumerate(rows)]
    activity = Activity(table(many))
    view = replace(data.draw(views_of_a_page(activity)), find="")
    numbers = activity.by_user(view.selection)
    first = tables.users(activity, numbers, replace(view, sheet=1))
    every = [
        row
        for sheet in range(first.n_sheets)
        for row in tables.users(activity, numbers, replace(view, sheet=sheet + 1)).rows
    ]
    there = activity.users[numbers.sessions > 0].tolist()
    assert sorted(row[0] for row in every) == there
    assert len(every) == first.n_found == first.n_all
    assert sum(int(row[2]) for row in every) == numbers.sessions.sum()
