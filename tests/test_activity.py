import math
import weakref
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activity import Activity, NotInData, Selection, Tally

from . import slow
from .conftest import ROWS, Row, table

UNKNOWN_ZONES = (
    *("Europe/Atlantis", "../x", "/etc/passwd", "", ".", "Europe", "Europe/", " "),
    *("x" * 5_000, "a\0b", "\udcff", "tzdata.zi", "Europe/Berlin\nx"),
)


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


def test_quantiles_are_interpolated(activity: Activity) -> None:
    summary = activity.summarise(Selection(user="ann"))
    ann, everyone = summary.user, summary.everyone
    assert ann is not None
    # 10, 20, 30, 40, 50 at home, nothing known in the cart.
    assert by_page(activity, ann.median)["home"] == 30
    assert by_page(activity, ann.p90)["home"] == 46
    assert np.isnan(by_page(activity, ann.median)["cart"])
    # 0, 5 and 100 in the cart; 10 to 60 at home; help has none.
    assert everyone.median[[0, 2]].tolist() == [5, 35]
    assert everyone.p90[[0, 2]] == pytest.approx([81, 55])
    # 0, 5, 10, 20, 30, 40, 50, 60, 100.
    assert everyone.overall_median == 30
    assert everyone.overall_p90 == pytest.approx(68)
    assert everyone.exact
    assert ann.exact


def test_days_and_hours(activity: Activity) -> None:
    summary = activity.summarise(Selection(user="ann"))
    days = np.datetime_as_string(summary.days).tolist()
    assert days == [
        *("2024-01-01", "2024-02-28", "2024-02-29", "2024-03-01"),
        *("2024-03-02", "2024-12-31"),
    ]
    ann = summary.user
    assert ann is not None
    assert ann.day_sessions.tolist() == [0, 1, 2, 2, 0, 1]
    assert ann.day_seconds.tolist() == [0, 10, 50, 90, 0, 0]
    assert ann.active_days == 4
    assert ann.first == pd.Timestamp("2024-02-28T23:59:59")
    assert ann.last == pd.Timestamp("2024-12-31T23:59:59")
    # 28 February was a Wednesday, 31 December a Tuesday.
    hours = {(day, hour): n for (day, hour), n in np.ndenumerate(ann.hours) if n}
    assert hours == {(2, 23): 1, (3, 0): 1, (3, 12): 1, (4, 0): 2, (1, 23): 1}


def test_users_are_ranked_by_time_whatever_is_filtered(activity: Activity) -> None:
    # ann 150 s, cy 105 s, bob 60 s.
    ranks = {
        user: activity.summarise(Selection(user, pages=("help",))).rank
        for user in activity.users
    }
    assert ranks == {"ann": 1, "cy": 2, "bob": 3}
    assert activity.summarise(Selection()).rank is None
    assert activity.summarise(Selection()).n_users == 3


def test_users_with_the_same_time_have_the_same_rank() -> None:
    rows = [
        *[("a", "p", 0.1, "2024-01-01")] * 3,
        *[("b", "p", 0.1, "2024-01-01"), ("b", "q", 0.1, "2024-01-01")],
        *[("b", "q", 0.1, "2024-01-01"), ("c", "p", 0.2, "2024-01-01")],
    ]
    activity = Activity(table(rows))
    ranks = [activity.summarise(Selection(user)).rank for user in "abc"]
    assert ranks == [1, 1, 3]


def test_logarithmic_bins_have_one_for_zeros(activity: Activity) -> None:
    summary = activity.summarise(Selection())
    assert summary.log_edges.tolist() == [
        *(0, 0.001, 1, 1.5, 2.5, 4, 6, 10, 15, 25, 40, 60, 100, 150)
    ]
    # 0, 5, 10, 20 and 30, 40 and 50, 60, 100 seconds.
    assert summary.everyone.log_histogram.tolist() == [
        *(1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 2, 1, 1)[:6],
        *(0, 1, 1, 1, 2, 1, 1),
    ]


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


def test_weekdays_count_days_without_sessions_too(activity: Activity) -> None:
    # 2024 from Monday, 1 January to Tuesday, 31 December.
    year = activity.summarise(Selection()).weekdays
    assert year.dtype == np.int64
    assert year.tolist() == [53, 53, 52, 52, 52, 52, 52]
    # From Thursday to the next Friday, whatever else is picked.
    dates = Selection("bob", date(2024, 2, 29), date(2024, 3, 9), ("help",), longest=10)
    assert activity.summarise(dates).weekdays.tolist() == [1, 1, 1, 2, 2, 1, 1]
    # Sunday, 31 December 2023, and what follows on 31 December 2024, isn't in the data.
    around = Selection(start=date(2023, 12, 31), end=date(2024, 1, 3))
    assert activity.summarise(around).weekdays.tolist() == [1, 1, 0, 0, 0, 0, 0]
    after = Selection(start=date(2024, 12, 31), end=date(9999, 12, 31))
    assert activity.summarise(after).weekdays.tolist() == [0, 1, 0, 0, 0, 0, 0]
    for none in (
        Selection(start=date(2025, 1, 1)),
        Selection(end=date(2024, 1, 1)),
        Selection(start=date(2024, 3, 1), end=date(2024, 2, 1)),
    ):
        assert not activity.summarise(none).weekdays.any()


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


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection("Ann"), "the user 'Ann'"),
        (Selection(""), "the user ''"),
        (Selection("zoe"), "the user 'zoe'"),
        (Selection(pages=("home", "shop")), "the page 'shop'"),
        (Selection(shortest=7.5), "edge at 7.5 seconds"),
        (Selection(longest=-1), "edge at -1 seconds"),
        (Selection(longest=float("nan")), "edge at nan seconds"),
    ],
)
def test_who_or_what_is_not_in_the_data(
    activity: Activity, selection: Selection, words: str
) -> None:
    with pytest.raises(NotInData, match=words):
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


def test_days_and_hours_are_those_of_the_time_zone() -> None:
    rows: list[Row] = [
        ("u", "p", 1, "2024-01-15T12:00:00"),
        ("u", "p", 2, "2024-07-15T12:00:00"),
        ("u", "p", 4, "2024-07-15T21:59:59"),
        ("u", "p", 8, "2024-07-15T22:00:00"),
    ]
    activity = Activity(table(rows), timezone="Europe/Berlin")
    assert activity.timezone == "Europe/Berlin"
    assert activity.first == pd.Timestamp("2024-01-15T13:00:00")
    assert activity.last == pd.Timestamp("2024-07-16T00:00:00")
    summary = activity.summarise(Selection())
    days = np.datetime_as_string(summary.days).tolist()
    assert days == ["2024-01-15", "2024-07-15", "2024-07-16"]
    assert summary.everyone.day_seconds.tolist() == [1, 6, 8]
    # Mondays, and a Tuesday.
    hours = {at: n for at, n in np.ndenumerate(summary.everyone.hours) if n}
    assert hours == {(0, 13): 1, (0, 14): 1, (0, 23): 1, (1, 0): 1}
    assert sessions_in(activity, Selection(end=date(2024, 7, 16))) == 3
    assert Activity(table(rows)).timezone == "UTC"


def test_the_hour_that_is_shown_twice_is_one() -> None:
    # Until 01:00 UTC clocks in Berlin showed summer time.
    times = ("00:00:00", "00:59:59", "01:00:00", "01:59:59", "02:00:00")
    rows: list[Row] = [("u", "p", 1, f"2024-10-27T{time}") for time in times]
    summary = Activity(table(rows), "Europe/Berlin").summarise(Selection())
    hours = {at: n for at, n in np.ndenumerate(summary.everyone.hours) if n}
    assert hours == {(6, 2): 4, (6, 3): 1}
    assert summary.everyone.last == pd.Timestamp("2024-10-27T03:00:00")


def test_clocks_stop_where_years_end() -> None:
    rows: list[Row] = [
        ("u", "p", 1, "0001-01-01T00:00:00"),
        ("u", "p", 2, "9999-12-31T23:59:59"),
    ]
    # In tables of their own, or all years between are looked at for changes.
    first, last = table(rows[:1]), table(rows[1:])
    west, east = (
        Activity([first, last], "Etc/GMT+5"),
        Activity([first, last], "Etc/GMT-5"),
    )
    assert (west.first, west.last) == (
        pd.Timestamp("0001-01-01"),
        pd.Timestamp("9999-12-31T18:59:59"),
    )
    assert (east.first, east.last) == (
        pd.Timestamp("0001-01-01T05:00:00"),
        pd.Timestamp("9999-12-31T23:59:59"),
    )


@pytest.mark.parametrize("name", UNKNOWN_ZONES)
def test_refuses_a_time_zone_that_there_is_not(name: str) -> None:
    with pytest.raises(ValueError, match=r"^there is no time zone .*\Z"):
        Activity(table(ROWS), timezone=name)


def test_leaves_the_table_as_it_is() -> None:
    sessions = table(ROWS)
    before = sessions.copy(deep=True)
    Activity(sessions)
    pd.testing.assert_frame_equal(sessions, before)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((None, "p", 1, "2024-01-01"), "without a user or a page"),
        (("u", None, 1, "2024-01-01"), "without a user or a page"),
        (("u", "p", 1, None), "without a time"),
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
def selections(draw: st.DrawFn, activity: Activity) -> Selection:
    days = st.one_of(st.none(), st.sampled_from(DAYS))
    edges = [*activity.edges.tolist(), *activity.log_edges.tolist()]
    seconds = st.one_of(st.none(), st.sampled_from(edges))
    pages = st.lists(st.sampled_from(activity.pages), unique=True)
    return Selection(
        user=draw(st.one_of(st.none(), st.sampled_from(list(activity.users)))),
        start=draw(days),
        end=draw(days),
        pages=tuple(draw(pages)),
        shortest=draw(seconds),
        longest=draw(seconds),
    )


def agrees(
    fast: Tally, rows: Sequence[Row], activity: Activity, selection: Selection
) -> None:
    longest = selection.longest
    exact = slow.tally(rows, activity.pages)

    def near(values: Any, rel: float = 1e-9, most: float = 1e-6) -> Any:
        values = list(values.values()) if isinstance(values, dict) else values
        return pytest.approx(values, rel=rel, abs=most, nan_ok=True)

    assert fast.sessions.tolist() == list(exact.sessions.values())
    assert fast.unknown.tolist() == list(exact.unknown.values())
    assert fast.seconds == near(exact.seconds)
    assert fast.squares == near(exact.squares, most=SQUARES)
    assert fast.histogram.tolist() == slow.histogram(rows, activity.edges.tolist())
    assert fast.log_histogram.tolist() == slow.histogram(
        rows, activity.log_edges.tolist()
    )
    days = [day.item() for day in activity.days]
    assert fast.day_sessions.tolist() == [exact.day_sessions.get(d, 0) for d in days]
    assert fast.day_seconds == near([exact.day_seconds.get(d, 0) for d in days])
    assert fast.hours.tolist() == exact.hours
    assert (fast.first, fast.last) == (exact.first, exact.last)
    # Else within 1 %; below 1/128 s everything is one bin.
    within = (1e-9, 1e-9) if fast.exact else (0.01, 1 / 128)
    assert fast.median == near(exact.median, *within)
    assert fast.p90 == near(exact.p90, *within)
    assert fast.overall_median == near(exact.overall_median, *within)
    assert fast.overall_p90 == near(exact.overall_p90, *within)
    quantiles = np.array([*fast.median, *fast.p90, fast.overall_median])
    assert not (quantiles < (selection.shortest or 0)).any()
    assert not (quantiles > (math.inf if longest is None else longest)).any()


SQUARES = 1e-12 * 40 * 1e6**2


def answers(activity: Activity, rows: Sequence[Row], selection: Selection) -> None:
    """Hold what is answered against the slow implementation."""
    summary = activity.summarise(selection)
    picked = [row for row in rows if slow.selected(row, selection)]
    agrees(summary.everyone, picked, activity, selection)
    if selection.user is None:
        assert summary.user is None
        assert summary.rank is None
    else:
        theirs = [row for row in picked if row[0] == selection.user]
        assert summary.user is not None
        assert summary.user.exact
        agrees(summary.user, theirs, activity, selection)


WAYS = {
    # How everyone and users are answered: what says when, put out of action.
    "passes over rows": {"_ROOM": 0, "_ROOM_PER_ROW": 0, "_MANY": 1 << 40},
    "exact cubes": {"_FEW_PER_PAGE": 0, "_ROOM_PER_ROW": 1 << 40, "_MANY": 0},
    "sketched cubes": {
        "_FEW_PER_PAGE": 0,
        "_ROOM_PER_ROW": 1 << 40,
        "_MANY": 0,
        "_EXACT": 0,
    },
}


def arranged(way: str, sessions: pd.DataFrame) -> Activity:
    """An Activity that answers in one of three ways, however few its sessions."""
    return arranged_with(WAYS[way], sessions)


def arranged_with(settings: dict[str, int], sessions: pd.DataFrame) -> Activity:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setattr(f"activity.{name}", value)
        return Activity(sessions)


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_agrees_with_the_slow_implementation(way: str, data: st.DataObject) -> None:
    rows = data.draw(rows_lists)
    activity = arranged(way, table(rows))
    everyone = activity.summarise(Selection()).everyone
    assert everyone.exact == (way != "sketched cubes")
    answers(activity, rows, data.draw(selections(activity)))


ZONES = {
    # Changes of their clocks, in UTC.
    "Europe/Berlin": (
        *("1893-03-31T23:06:32", "2024-03-31T01:00:00", "2024-10-27T01:00:00"),
        "2099-10-25T01:00:00",
    ),
    "America/New_York": ("2024-03-10T07:00:00", "2024-11-03T06:00:00"),
    "Asia/Kolkata": ("1945-10-14T17:30:00",),
    # By half an hour.
    "Australia/Lord_Howe": ("2024-04-06T15:00:00", "2024-10-05T15:30:00"),
    # From one side of the date line to the other.
    "Pacific/Apia": ("2011-12-30T10:00:00",),
}

nearby = st.one_of(
    st.sampled_from((-3601, -3600, -1801, -1800, -1, 0, 1, 1799, 1800, 3599, 3600)),
    st.integers(-2 * 86_400, 2 * 86_400),
)


@st.composite
def rows_around_changes(draw: st.DrawFn, timezone: str) -> list[Row]:
    moments = st.one_of(
        st.builds(
            lambda change, seconds: (
                datetime.fromisoformat(change) + timedelta(seconds=seconds)
            ),
            st.sampled_from(ZONES[timezone]),
            nearby,
        ),
        st.datetimes(datetime(1890, 1, 1), datetime(2110, 1, 1)),
    )
    times = moments.map(lambda moment: moment.replace(microsecond=0).isoformat())
    row = st.tuples(
        st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 9), times
    )
    return draw(st.lists(row, min_size=1, max_size=8))


@pytest.mark.parametrize("timezone", ZONES)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_time_zones_agree_with_the_slow_implementation(
    timezone: str, data: st.DataObject
) -> None:
    rows = data.draw(rows_around_changes(timezone))
    activity = Activity(table(rows), timezone)
    days = st.one_of(st.none(), st.sampled_from(activity.days.tolist()))
    selection = Selection(start=data.draw(days), end=data.draw(days))
    shown = slow.shown(rows, timezone)
    answers(activity, shown, selection)
    weekdays = activity.summarise(selection).weekdays.tolist()
    assert weekdays == slow.weekdays(shown, selection)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "rows",
    [
        [("a", "x", None, "2024-02-29T23:59:59")],
        [("a", "x", 0.0, "2024-12-31T23:59:59")],
        [("a", "x", 0.0, "2024-01-01"), ("a", "x", 2e-296, "2024-01-01")],
        [("a", "x", None, "2024-01-01"), ("b", "y", None, "2024-01-01")],
        [("a", "x", 5.0, "2024-01-01")] * 7 + [("a", "x", None, "2024-01-01")] * 2,
        [
            ("a", "x", -0.0, "2024-01-01"),
            ("a", "x", None, "2024-02-29"),
            ("a", "x", 2**-11, "2024-03-01"),
        ],
        [("a", "x", 3.0e9, "0001-01-01"), ("a", "y", 1e-9, "9999-12-31T23:59:59")],
        [("a", "x", float(n), f"1969-12-{1 + n:02}T12:00:00") for n in range(31)],
    ],
)
def test_extremes_agree_with_the_slow_implementation(rows: list[Row], way: str) -> None:
    activity = arranged(way, table(rows))
    for selection in (
        *(Selection(), Selection("a"), Selection(pages=("x",))),
        *(Selection("a", start=date(2024, 2, 29)), Selection(end=date(1969, 12, 9))),
        *(Selection("a", longest=1), Selection("a", shortest=0.001)),
        *(Selection("a", longest=0), Selection("a", shortest=1, longest=0.001)),
    ):
        answers(activity, rows, selection)


@pytest.mark.parametrize("way", WAYS)
def test_first_and_last_seen_are_of_what_is_selected(way: str) -> None:
    rows: list[Row] = [
        ("a", "x", 5, "2024-02-29T08:00:00"),
        ("a", "x", 500, "2024-02-29T07:00:00"),
        ("a", "y", 5, "2024-02-29T06:00:00"),
        ("a", "x", 5, "2024-02-29T09:00:00"),
        ("a", "x", 500, "2024-02-29T10:00:00"),
        ("a", "y", 5, "2024-02-29T11:00:00"),
    ]
    activity = arranged(way, table(rows))
    for user in ("a", None):
        summary = activity.summarise(Selection(user, pages=("x",), longest=10))
        tally = summary.user or summary.everyone
        assert tally.first == pd.Timestamp("2024-02-29T08:00:00")
        assert tally.last == pd.Timestamp("2024-02-29T09:00:00")


def test_a_sketched_median_is_not_outside_what_is_selected() -> None:
    # 308.5 and 311 seconds are in the same bin of the sketch, which begins at 308.
    durations = [308.5, 311.0, *[400.0] * 8]
    rows: list[Row] = [("a", "x", seconds, "2024-01-01") for seconds in durations]
    activity = arranged("sketched cubes", table(rows))
    everyone = activity.summarise(Selection(shortest=310, longest=320)).everyone
    assert everyone.sessions.tolist() == [1]
    assert everyone.median.tolist() == [310]


Selected = list[tuple[str, str, float | None, datetime]]


def selected(
    activity: Activity, selection: Selection, limit: int, block: int
) -> list[Selected]:
    """The sessions of each table; times in UTC."""
    tables: list[Selected] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("activity.BLOCK", block)
        for frame in activity.selected(selection, limit):
            assert list(frame.columns) == ["user_id", "page", "duration", "timestamp"]
            assert frame["duration"].dtype == np.float64
            kind = frame["timestamp"].dtype
            assert isinstance(kind, pd.DatetimeTZDtype)
            assert (kind.unit, str(kind.tz)) == ("s", activity.timezone)
            utc = frame["timestamp"].dt.tz_convert("UTC").dt.tz_localize(None)
            seconds = frame["duration"]
            columns = (
                *(frame["user_id"], frame["page"]),
                seconds.astype(object).where(seconds.notna(), None),
                utc.to_numpy().tolist(),
            )
            tables.append(list(zip(*columns, strict=True)))
    return tables


def test_hands_out_what_is_selected(activity: Activity) -> None:
    (frame,) = activity.selected(Selection("ann", start=date(2024, 2, 29)), limit=10)
    utc = [
        *("2024-12-31T23:59:59Z", "2024-02-29T00:00:00Z", "2024-02-29T12:00:00Z"),
        *("2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z"),
    ]
    wanted = pd.DataFrame(
        {
            "user_id": ["ann"] * 5,
            "page": ["cart", *["home"] * 4],
            "duration": [np.nan, 20, 30, 40, 50],
            "timestamp": pd.to_datetime(utc).astype("datetime64[s, UTC]"),
        }
    )
    pd.testing.assert_frame_equal(frame, wanted)


def test_hands_out_no_more_than_the_limit(activity: Activity) -> None:
    def sizes(limit: int, block: int, selection: Selection) -> list[int]:
        return [len(rows) for rows in selected(activity, selection, limit, block)]

    assert sizes(100, 100, Selection()) == [12]
    assert sizes(100, 5, Selection()) == [5, 5, 2]
    assert sizes(7, 5, Selection()) == [5, 2]
    assert sizes(5, 5, Selection()) == [5]
    assert sizes(0, 5, Selection()) == sizes(-1, 5, Selection()) == []
    # help is on one row, in the last block but one, the cart on four.
    assert sizes(100, 4, Selection(pages=("help",))) == [1]
    assert sizes(3, 4, Selection(pages=("cart",))) == [1, 1, 1]
    assert sizes(100, 100, Selection("ann", start=date(2025, 1, 1))) == []


@pytest.mark.parametrize(
    "selection",
    [Selection("zoe"), Selection(pages=("shop",)), Selection(shortest=7.5)],
)
def test_hands_out_nothing_that_is_not_in_the_data(
    activity: Activity, selection: Selection
) -> None:
    with pytest.raises(NotInData):
        activity.selected(selection, 1)


def test_hands_out_the_first_of_two_hours() -> None:
    times = ("00:59:59", "01:00:00", "01:59:59", "02:00:00")
    rows: list[Row] = [
        ("u", "p", n, f"2024-10-27T{time}") for n, time in enumerate(times)
    ]
    (frame,) = Activity(table(rows), "Europe/Berlin").selected(Selection(), 9)
    assert [time.isoformat() for time in frame["timestamp"]] == [
        "2024-10-27T02:59:59+02:00",
        "2024-10-27T02:00:00+02:00",
        "2024-10-27T02:59:59+02:00",
        "2024-10-27T03:00:00+01:00",
    ]


@pytest.mark.parametrize("timezone", ["UTC", *ZONES])
@settings(deadline=None, max_examples=50)
@given(data=st.data(), limit=st.integers(0, 9), block=st.integers(1, 9))
def test_what_is_handed_out_agrees_with_the_slow_implementation(
    timezone: str, data: st.DataObject, limit: int, block: int
) -> None:
    around = rows_around_changes(timezone) if timezone in ZONES else rows_lists
    rows = data.draw(around)
    activity = Activity(table(rows), timezone)
    selection = data.draw(selections(activity))
    wanted: Selected = []
    for row in slow.shown(rows, timezone):
        user, page, duration, _ = row
        if slow.selected(row, selection) and selection.user in (None, user):
            there = slow.instant(row).replace(tzinfo=ZoneInfo(timezone))
            utc = there.astimezone(UTC).replace(tzinfo=None)
            seconds = None if duration is None else float(duration)
            wanted.append((user, page, seconds, utc))
    tables = selected(activity, selection, len(rows), block)
    assert all(0 < len(part) <= block for part in tables)
    every = [row for part in tables for row in part]

    def key(row: Any) -> Any:
        return row[0], row[1], row[2] is not None, row[2]

    assert [key(row) for row in every] == sorted(map(key, wanted))
    assert sorted(map(repr, every)) == sorted(map(repr, wanted))
    first = [
        row for part in selected(activity, selection, limit, block) for row in part
    ]
    assert first == every[:limit]


@settings(deadline=None, max_examples=100)
@given(rows_lists)
def test_ranks_agree_with_the_slow_implementation(rows: list[Row]) -> None:
    # Whole seconds: sums of others depend on their order.
    whole = [(user, page, d and round(d), time) for user, page, d, time in rows]
    activity = Activity(table(whole))
    for user in activity.users:
        rank = activity.summarise(Selection(user)).rank
        assert rank == slow.rank(whole, user)


@settings(deadline=None, max_examples=100)
@given(rows_lists, st.lists(st.integers(0, 40), max_size=4), st.booleans())
def test_a_stream_is_the_same_as_one_table(
    rows: list[Row], cuts: list[int], categories: bool
) -> None:
    cuts = [0, *sorted(cuts), len(rows)]
    frames = [table(rows[start:stop]) for start, stop in pairwise(cuts)]
    if categories:
        frames = [
            frame.astype({"user_id": "category", "page": "category"})
            for frame in frames
        ]
    activity = Activity(iter(frames))
    assert list(activity.users) == sorted({row[0] for row in rows})
    answers(activity, rows, Selection("a" if "a" in activity.users else None))


def test_more_days_than_32_bits_hold_seconds_for() -> None:
    days = np.datetime64("1850-01-01", "us") + np.arange(50_000) * np.timedelta64(
        1, "D"
    )
    sessions = pd.DataFrame(
        {"user_id": "u", "page": "p", "duration": 1.0, "timestamp": days}
    )
    for way in WAYS:
        activity = arranged(way, sessions)
        summary = activity.summarise(Selection("u", start=date(1986, 11, 20)))
        assert summary.user is not None
        assert summary.user.sessions.tolist() == [4]
        assert summary.user.first == pd.Timestamp("1986-11-20")


def test_one_long_session_does_not_blur_the_others() -> None:
    rows: list[Row] = [("a", "x", 3.0e9, "2024-01-01")]
    rows += [("b", "y", 0.1, "2024-01-02")] * 1_000
    for way in WAYS:
        everyone = arranged(way, table(rows)).summarise(Selection()).everyone
        assert everyone.mean[1] == pytest.approx(0.1, rel=1e-4)


def test_bins_suit_durations_that_take_turns() -> None:
    n = 1_200_000
    sessions = pd.DataFrame(
        {
            "user_id": pd.Categorical.from_codes(np.zeros(n, np.int8), pd.Index(["u"])),
            "page": pd.Categorical.from_codes(np.zeros(n, np.int8), pd.Index(["p"])),
            "duration": np.resize([1.0, 1_000.0], n),
            "timestamp": np.datetime64("2024-01-01", "s"),
        }
    )
    assert Activity(sessions).edges[-2] > 1_000


def test_a_stream_is_forgotten_as_it_goes() -> None:
    asked_for: list[weakref.ref[pd.DataFrame]] = []

    def frames() -> Iterator[pd.DataFrame]:
        for _ in range(3):
            assert all(frame() is None for frame in asked_for)
            frame = table(ROWS)
            asked_for.append(weakref.ref(frame))
            yield frame
            del frame

    assert Activity(frames()).n_sessions == 3 * len(ROWS)


def test_more_rows_than_a_block_agree_with_pandas() -> None:
    """Many blocks, many cuts, one user with most of the rows."""
    n = 700_000
    rng = np.random.default_rng(1)
    users = [f"u{number:04}" for number in range(3_000)]
    user = np.where(rng.random(n) < 0.9, 0, rng.integers(0, len(users), n))
    seconds = rng.exponential(60, n).round(3)
    seconds[rng.random(n) < 0.1] = np.nan
    sessions = pd.DataFrame(
        {
            "user_id": pd.Categorical.from_codes(user, pd.Index(users)),
            "page": rng.integers(0, 300, n),
            "duration": seconds,
            "timestamp": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 40 * 86_400, n), unit="s"),
        }
    )
    one_cube = {"_MANY": n // 2, "_ROOM_PER_ROW": 1 << 10, "_EXACT": 0}
    activity = arranged_with(one_cube, sessions)
    for name in ("u0000", "u2999"):
        their = sessions[sessions["user_id"] == name]
        summary = activity.summarise(Selection(name, start=date(2024, 1, 5)))
        their = their[their["timestamp"] >= "2024-01-05"]
        groups = their.groupby(their["page"].astype(str))["duration"]
        wanted = pd.DataFrame(
            {"n": groups.size(), "sum": groups.sum(), "median": groups.median()}
        ).reindex(activity.pages, fill_value=0)
        assert summary.user is not None
        assert summary.user.sessions.tolist() == wanted["n"].tolist()
        assert summary.user.seconds == pytest.approx(wanted["sum"])
        some = summary.user.known > 0
        assert summary.user.median[some] == pytest.approx(wanted["median"][some])
        quantiles = their["duration"].quantile([0.5, 0.9]).tolist()
        overall = [summary.user.overall_median, summary.user.overall_p90]
        assert overall == pytest.approx(quantiles, rel=1e-12)
    totals = sessions.groupby("user_id", observed=True)["duration"].sum()
    ranks = totals.rank(method="min", ascending=False)
    assert activity.summarise(Selection("u2999")).rank == ranks["u2999"]


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
    exact = slow.tally(renamed, names)
    assert pooled.sessions.tolist() == list(exact.sessions.values())
    assert pooled.unknown.tolist() == list(exact.unknown.values())
    assert pooled.seconds == pytest.approx(list(exact.seconds.values()), rel=1e-9)
    assert pooled.squares == pytest.approx(
        list(exact.squares.values()), rel=1e-9, abs=SQUARES
    )
    alone = np.bincount(group[group >= 0], minlength=len(names)) == 1
    assert pooled.median[alone] == pytest.approx(
        np.array(list(exact.median.values()))[alone], nan_ok=True
    )
    assert np.isnan(pooled.median[~alone]).all()
