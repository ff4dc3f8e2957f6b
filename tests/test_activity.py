from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activity import Activity, NotInData, Selection, Tally

from . import slow
from .conftest import ROWS, Row, table


def by_page(activity: Activity, values: np.ndarray[Any, Any]) -> dict[str, Any]:
    return dict(zip(activity.pages, values.tolist(), strict=True))


def test_says_what_there_is(activity: Activity) -> None:
    assert list(activity.users) == ["ann", "bob", "cy"]
    assert activity.pages == ("cart", "help", "home")
    assert (activity.n_sessions, activity.n_unknown) == (12, 3)
    assert activity.first == pd.Timestamp("2024-01-01")
    assert activity.last == pd.Timestamp("2024-12-31T23:59:59")


def test_everyone(activity: Activity) -> None:
    summary = activity.summarise(Selection())
    everyone = summary.everyone
    assert summary.user is None
    assert by_page(activity, everyone.sessions) == {"cart": 4, "help": 1, "home": 7}
    assert by_page(activity, everyone.unknown) == {"cart": 1, "help": 1, "home": 1}
    assert by_page(activity, everyone.seconds) == {"cart": 105, "help": 0, "home": 210}
    assert everyone.mean[[0, 2]].tolist() == [35, 35]
    assert np.isnan(everyone.mean[1])


def test_a_user(activity: Activity) -> None:
    ann = activity.summarise(Selection(user="ann")).user
    assert ann is not None
    assert by_page(activity, ann.sessions) == {"cart": 1, "help": 0, "home": 5}
    assert by_page(activity, ann.unknown) == {"cart": 1, "help": 0, "home": 0}
    assert by_page(activity, ann.seconds) == {"cart": 0, "help": 0, "home": 150}
    assert by_page(activity, ann.squares) == {"cart": 0, "help": 0, "home": 1000}
    # t(4 degrees of freedom, 0.975) = 2.776, standard deviation 250 ** 0.5.
    assert ann.margin[2] == pytest.approx(2.776 * (250 / 5) ** 0.5, rel=0.003)
    assert np.isnan(ann.margin[:2]).all()


def test_fewer_than_five_durations_have_no_interval(activity: Activity) -> None:
    cy = activity.summarise(Selection(user="cy")).user
    assert cy is not None
    assert np.isnan(cy.margin).all()


def test_bins_are_half_open_and_the_last_takes_the_rest(activity: Activity) -> None:
    summary = activity.summarise(Selection())
    # 95 % of the known durations are at most 84: bins of 2 s, to a multiple of 10.
    assert summary.edges.tolist() == [*range(0, 91, 2), np.inf]
    full = np.flatnonzero(summary.everyone.histogram)
    # 0, 5, 10, 20, 30, 40, 50, 60 and 100 seconds.
    assert full.tolist() == [0, 2, 5, 10, 15, 20, 25, 30, 45]
    assert summary.everyone.histogram.sum() == 9


@pytest.mark.parametrize(
    ("durations", "width", "last"),
    [
        ([None], 1, 5),
        ([0.0], 1, 5),
        ([4.999], 1, 5),
        ([5.0], 1, 10),
        ([60.0], 1, 65),
        ([301.0], 10, 360),
        ([3600.0], 60, 3900),
        ([86400.0 * 60], 86400, 65 * 86400),
        ([86400.0 * 61], 2 * 86400, 70 * 86400),
    ],
)
def test_bins_suit_the_durations(
    durations: list[float | None], width: float, last: float
) -> None:
    rows = [("u", "p", duration, "2024-01-01") for duration in durations]
    edges = Activity(table(rows)).edges
    assert (edges[1], edges[-2], edges[-1]) == (width, last, np.inf)
    assert np.ptp(np.diff(edges[:-1])) == 0


def sessions_in(activity: Activity, selection: Selection) -> int:
    return int(activity.summarise(selection).everyone.sessions.sum())


def test_dates_are_half_open_days(activity: Activity) -> None:
    day, next_day = date(2024, 2, 29), date(2024, 3, 1)
    assert sessions_in(activity, Selection(start=day, end=next_day)) == 5
    assert sessions_in(activity, Selection(end=day)) == 2
    assert sessions_in(activity, Selection(start=next_day)) == 5
    assert sessions_in(activity, Selection(start=next_day, end=day)) == 0


def test_durations_are_half_open_and_never_unknown(activity: Activity) -> None:
    assert sessions_in(activity, Selection(shortest=10, longest=20)) == 1
    assert sessions_in(activity, Selection(shortest=0)) == 9
    assert sessions_in(activity, Selection(longest=10)) == 2


def test_pages_are_any_of_those_named(activity: Activity) -> None:
    assert sessions_in(activity, Selection(pages=("help",))) == 1
    assert sessions_in(activity, Selection(pages=("help", "cart"))) == 5


def test_a_filter_holds_for_the_user_and_for_everyone(activity: Activity) -> None:
    summary = activity.summarise(Selection("ann", end=date(2024, 3, 1), longest=30))
    assert summary.user is not None
    assert by_page(activity, summary.user.seconds)["home"] == 30
    assert by_page(activity, summary.everyone.seconds) == {
        "cart": 0,
        "help": 0,
        "home": 30,
    }


@pytest.mark.parametrize("selection", [Selection("Ann"), Selection(pages=("shop",))])
def test_who_or_what_is_not_in_the_data(
    activity: Activity, selection: Selection
) -> None:
    with pytest.raises(NotInData, match=r"'Ann'|'shop'"):
        activity.summarise(selection)


def test_finds_users_by_any_part_of_their_name() -> None:
    names = ["bob", "Rob", "robin", "rob", "zoe", "rob"]
    activity = Activity(table([(name, "p", 1, "2024-01-01") for name in names]))
    assert activity.find_users("ROB", 10) == ["rob", "Rob", "robin"]
    assert activity.find_users("ob", 10) == ["rob", "Rob", "bob", "robin"]
    assert activity.find_users("o", 2) == ["rob", "Rob"]
    assert activity.find_users("", 1) == ["rob"]
    assert activity.find_users("(", 10) == []


@pytest.mark.parametrize("name", ["-8845298781299428018", "007", "NA", "null", "1e5"])
def test_users_are_text_and_come_through_unchanged(name: str) -> None:
    activity = Activity(table([(name, "p", 1, "2024-01-01")]))
    assert list(activity.users) == [name]
    assert activity.summarise(Selection(user=name)).user is not None


def test_times_with_a_zone_are_compared_in_utc() -> None:
    sessions = table([("u", "p", 1, "2024-01-01T00:30:00")])
    sessions["timestamp"] = sessions["timestamp"].dt.tz_localize("Europe/Berlin")
    activity = Activity(sessions)
    assert activity.first == pd.Timestamp("2023-12-31T23:30:00")
    assert sessions_in(activity, Selection(end=date(2024, 1, 1))) == 1


def test_leaves_the_table_as_it_is() -> None:
    sessions = table(ROWS)
    before = sessions.copy(deep=True)
    Activity(sessions)
    pd.testing.assert_frame_equal(sessions, before)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((None, "p", 1, "2024-01-01"), "without a user"),
        (("u", None, 1, "2024-01-01"), "without a user, a page"),
        (("u", "p", 1, None), "or a time"),
        (("u", "p", -1, "2024-01-01"), "negative"),
        (("u", "p", float("inf"), "2024-01-01"), "over a century"),
        (("u", "p", 3.2e9, "2024-01-01"), "over a century"),
        ((" ", "p", 1, "2024-01-01"), "empty name"),
    ],
)
def test_refuses_a_table_with_a_bad_row(row: Row, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Activity(table([*ROWS, row]))


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("duration", pd.to_timedelta([1], unit="s"), "durations are seconds"),
        ("duration", pd.to_datetime(["2024-01-01"]), "durations are seconds"),
        ("timestamp", ["2024-01-01"], "timestamps are times"),
        ("timestamp", [1], "timestamps are times"),
    ],
)
def test_refuses_columns_of_other_types(column: str, values: Any, words: str) -> None:
    sessions = table(ROWS[:1])
    sessions[column] = values
    with pytest.raises(ValueError, match=words):
        Activity(sessions)


def test_a_number_and_its_text_are_the_same_name() -> None:
    sessions = table([("1", "2", 5, "2024-01-01"), ("1", "2", 6, "2024-01-01")])
    sessions["user_id"] = pd.Series([1, "1"], dtype=object)
    sessions["page"] = pd.Series(["2", 2], dtype=object)
    activity = Activity(sessions)
    assert (list(activity.users), activity.pages) == (["1"], ("2",))
    user = activity.summarise(Selection("1", pages=("2",))).user
    assert user is not None
    assert user.seconds.tolist() == [11]


def test_any_day_can_be_asked_for_whatever_the_unit_of_the_times() -> None:
    sessions = table(ROWS)
    sessions["timestamp"] = sessions["timestamp"].astype("datetime64[ns]")
    activity = Activity(sessions)
    always = Selection(start=date(1, 1, 1), end=date(9999, 12, 31))
    assert sessions_in(activity, always) == 12


def test_refuses_a_table_without_rows_or_columns() -> None:
    with pytest.raises(ValueError, match="no sessions"):
        Activity(table(ROWS)[:0])
    with pytest.raises(ValueError, match="no column 'page'"):
        Activity(table(ROWS).drop(columns="page"))


MOMENTS = (
    "2023-12-31T23:59:59",
    "2024-01-01T00:00:00",
    "2024-02-28T23:59:59",
    "2024-02-29T00:00:00",
    "2024-02-29T23:59:59",
    "2024-03-01T00:00:00",
    "2024-12-31T00:00:00",
)
DAYS = tuple(date.fromisoformat(moment[:10]) for moment in MOMENTS)

durations = st.one_of(
    st.none(),
    st.integers(0, 130).map(float),
    st.floats(0, 1e6, allow_subnormal=False),
)
rows_lists = st.lists(
    st.tuples(
        st.sampled_from(("a", "b", "c")),
        st.sampled_from(("x", "y", "z")),
        durations,
        st.sampled_from(MOMENTS),
    ),
    min_size=1,
    max_size=40,
)


@st.composite
def selections(draw: st.DrawFn, rows: list[Row]) -> Selection:
    users, pages = {row[0] for row in rows}, sorted({row[1] for row in rows})
    days = st.one_of(st.none(), st.sampled_from(DAYS))
    seconds = st.one_of(st.none(), st.integers(0, 130).map(float))
    return Selection(
        user=draw(st.one_of(st.none(), st.sampled_from(sorted(users)))),
        start=draw(days),
        end=draw(days),
        pages=tuple(draw(st.lists(st.sampled_from(pages), unique=True))),
        shortest=draw(seconds),
        longest=draw(seconds),
    )


def agrees(fast: Tally, exact: slow.SlowTally) -> None:
    assert fast.sessions.tolist() == list(exact.sessions.values())
    assert fast.unknown.tolist() == list(exact.unknown.values())
    assert fast.histogram.tolist() == exact.histogram
    assert fast.seconds == pytest.approx(list(exact.seconds.values()), rel=1e-12)
    assert fast.squares == pytest.approx(
        list(exact.squares.values()), rel=1e-9, abs=1e-6
    )


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_agrees_with_the_slow_implementation(data: st.DataObject) -> None:
    rows = data.draw(rows_lists)
    selection = data.draw(selections(rows))
    activity = Activity(table(rows))
    summary = activity.summarise(selection)

    edges = activity.edges.tolist()
    picked = [row for row in rows if slow.selected(row, selection)]
    agrees(summary.everyone, slow.tally(picked, activity.pages, edges))
    if selection.user is None:
        assert summary.user is None
    else:
        theirs = [row for row in picked if row[0] == selection.user]
        assert summary.user is not None
        agrees(summary.user, slow.tally(theirs, activity.pages, edges))


@settings(deadline=None)
@given(rows_lists, st.lists(st.integers(-1, 1), min_size=3, max_size=3))
def test_pooling_pages_is_renaming_them(rows: list[Row], groups: list[int]) -> None:
    activity = Activity(table(rows))
    into = dict(zip(activity.pages, groups, strict=False))
    group = np.array(list(into.values()))
    pooled = activity.summarise(Selection()).everyone.pooled(group)

    names = [str(number) for number in range(group.max() + 1)]
    renamed: list[Row] = [
        (user, str(into[page]), duration, time)
        for user, page, duration, time in rows
        if into[page] >= 0
    ]
    exact = slow.tally(renamed, names, activity.edges.tolist())
    assert pooled.sessions.tolist() == list(exact.sessions.values())
    assert pooled.unknown.tolist() == list(exact.unknown.values())
    assert pooled.seconds == pytest.approx(list(exact.seconds.values()), rel=1e-12)
    assert pooled.squares == pytest.approx(
        list(exact.squares.values()), rel=1e-9, abs=1e-6
    )
