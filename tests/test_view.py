from datetime import date, timedelta
from math import inf
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import callbacks
import ids
import view as views
from activity import Activity, Selection
from view import Column, Measure, Scale, Statistic, View, address, read

from .conftest import ROWS, Row, table
from .test_activity import MOMENTS

STRANGE = (
    *("a b", "a&b=c", "100%", "%20", "a+b", "'\"", "<script>alert(1)</script>"),
    *("😀", "a\nb", "\x00", "#?/", "Ünï", "007", " x ", "￿", "everyone"),
)


def days_of(n: int, start: date = date(2024, 1, 1)) -> Activity:
    """A session on each of so many days."""
    days = [start + timedelta(days=number) for number in range(n)]
    return Activity(table([("u", "p", 1, str(day)) for day in days]))


strange_rows = st.lists(
    st.tuples(
        st.sampled_from(STRANGE),
        st.sampled_from(STRANGE),
        st.one_of(st.none(), st.floats(0, 1e6, allow_subnormal=False)),
        st.sampled_from(MOMENTS),
    ),
    min_size=1,
    max_size=12,
)


def choices(of: Any) -> Any:
    return st.sampled_from(of.__args__)


@st.composite
def selections_of_a_page(draw: st.DrawFn, activity: Activity) -> Selection:
    """What its controls, or its address, can select."""
    first, after = views.whole(activity)
    last = activity.days[-1].tolist()
    start = draw(st.one_of(st.none(), st.dates(first, last)))
    end = draw(st.one_of(st.none(), st.dates(first, after)))
    if end == first:
        end = None
    if start and end and start >= end:
        end = None
    edges = views.duration_edges(activity)
    shortest = draw(st.one_of(st.none(), st.sampled_from(edges[:-1])))
    longest = draw(st.one_of(st.none(), st.sampled_from(edges[1:])))
    if shortest is not None and longest is not None and shortest >= longest:
        shortest = None
    pages = st.lists(st.sampled_from(activity.pages), unique=True)
    start, end = views.clipped(start, end, activity)
    return Selection(
        user=draw(st.one_of(st.none(), st.sampled_from(list(activity.users)))),
        start=start,
        end=end,
        pages=tuple(draw(pages)),
        shortest=shortest,
        longest=longest,
    )


@st.composite
def views_of_a_page(draw: st.DrawFn, activity: Activity) -> View:
    """Every view that a page can have."""
    return View(
        draw(selections_of_a_page(activity)),
        statistic=draw(choices(Statistic)),
        scale=draw(choices(Scale)),
        timeline=draw(choices(Measure)),
        tables=tuple(draw(st.lists(st.sampled_from(ids.CHARTS), unique=True))),
        sort=draw(choices(Column)),
        reverse=draw(st.booleans()),
        find=draw(st.one_of(st.sampled_from(("", *STRANGE)), st.text(max_size=8))),
        sheet=draw(st.integers(1, 10**9 - 1)),
    )


@settings(deadline=None, max_examples=150)
@given(strange_rows, st.data())
def test_an_address_gives_the_view_that_it_is_of(
    rows: list[Row], data: st.DataObject
) -> None:
    activity = Activity(table(rows))
    view = data.draw(views_of_a_page(activity))
    query = address(view)
    assert query.isascii()
    assert query.isprintable()
    assert read(query, activity) == (view, [])
    assert read(query[1:], activity).view == view


def test_an_address_holds_what_is_not_usual(activity: Activity) -> None:
    assert address(View()) == "?user="
    assert address(View(Selection("ann"))) == "?user=ann"
    full = View(
        Selection("a b", date(2024, 2, 1), date(2024, 3, 1), ("/a&b", "+"), 0.001, 60),
        statistic="p90",
        scale="log",
        timeline="time",
        tables=("hours", "durations"),
        sort="user",
        reverse=True,
        find="Ü",
        sheet=2,
    )
    assert address(full) == (
        "?user=a%20b&from=2024-02-01&to=2024-03-01&page=/a%26b&page=%2B&min=0.001"
        "&max=60&stat=p90&scale=log&timeline=time&table=hours&table=durations"
        "&sort=-user&find=%C3%9C&sheet=2"
    )


def test_the_usual_may_stand_in_an_address(activity: Activity) -> None:
    query = "?user=&stat=average&scale=linear&timeline=sessions&sort=time&sheet=1&find="
    assert read(query, activity) == (View(), [])


def test_without_a_user_it_is_the_busiest_and_with_an_empty_one_everyone(
    activity: Activity,
) -> None:
    assert views.opening(activity) == View(Selection("ann"))
    assert read("", activity) == read("?", activity) == (View(Selection("ann")), [])
    assert read("?stat=p90", activity).view == View(Selection("ann"), "p90")
    assert read("?user=", activity) == (View(), [])


KEYS = (
    *("user", "from", "to", "page", "table", "min", "max", "stat", "scale"),
    *("timeline", "sort", "find", "sheet"),
)
VALUES = (
    *("ann", "bob", "", "home", "cart", "help", "2024-03-01", "2024-01-01", "10"),
    *("0", "-1", "nan", "inf", "1e999", "1e-999", "9999-12-31", "0001-01-01", "time"),
    *("median", "log", "-user", "hours", "2024-W09-4", "99999999999", "%", "%zz"),
    *("٣", "\x00", "%00", "%ff", "a\nb", "+", "=", "infinity", "1_0", "0x10", "-0"),
)
half_valid = st.lists(
    st.tuples(st.sampled_from((*KEYS, "x", "")), st.sampled_from(VALUES)), max_size=8
).map(lambda pairs: "&".join(f"{key}={value}" for key, value in pairs))
queries = st.one_of(
    half_valid,
    half_valid.map(lambda query: f"?{quote(query, safe='=&')}"),
    st.text(),
    st.binary().map(lambda octets: octets.decode("latin-1")),
    st.binary().map(lambda octets: "?" + quote(octets, safe="=&;+?")),
)
SMALL = Activity(table(ROWS))


@settings(deadline=None, max_examples=300)
@given(queries)
def test_any_address_gives_a_view_and_says_in_lines_what_is_ignored(query: str) -> None:
    view, ignored = read(query, SMALL)
    canonical = address(view)
    assert read(canonical, SMALL) == (view, [])
    assert address(read(canonical, SMALL).view) == canonical
    for words in ignored:
        assert len(words.splitlines()) == 1
        assert len(words) < 150


@settings(deadline=None, max_examples=50)
@given(queries)
def test_the_view_of_any_address_can_be_drawn(query: str) -> None:
    view = read(query, SMALL).view
    callbacks.redraw(SMALL, view)
    callbacks.list_users(SMALL, view)
    callbacks.control_values(SMALL, view)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("user=zoe", "user “zoe”, who has no session"),
        ("user=Ann", "user “Ann”, who has no session"),
        ("page=shop", "page “shop”, which has no session"),
        ("page=", "page “”, which has no session"),
        ("page=a%0Ab", "page “a b”, which has no session"),
        (
            "from=2024-03-05&to=2024-03-01",
            "from 2024-03-05 to 2024-03-01, between which there is no day",
        ),
        (
            "from=2024-03-05&to=2024-03-05",
            "from 2024-03-05 to 2024-03-05, between which there is no day",
        ),
        ("from=2025-01-01", "dates outside the data"),
        ("to=2024-01-01", "dates outside the data"),
        ("from=1999-01-01&to=1999-02-01", "dates outside the data"),
        ("from=2024-02-30", "from “2024-02-30”, which is no day"),
        ("to=tomorrow", "to “tomorrow”, which is no day"),
        ("to=", "to “”, which is no day"),
        ("min=60&max=10", "min and max, between which there is nothing"),
        ("min=10&max=10", "min and max, between which there is nothing"),
        ("min=nan", "min “nan”, which is no duration"),
        ("max=inf", "max “inf”, which is no duration"),
        ("max=1e999", "max “1e999”, which is no duration"),
        ("min=-1", "min “-1”, which is no duration"),
        ("min=ten", "min “ten”, which is no duration"),
        ("min=", "min “”, which is no duration"),
        ("seed=1", "“seed” means nothing here"),
        ("User=ann", "“User” means nothing here"),
        ("=1", "“” means nothing here"),
        ("user=&user=ann", "a second “user”"),
        ("stat=p90&user=&stat=median", "a second “stat”"),
        ("stat=P90", "stat “P90”, which is none of average, median, p90"),
        ("scale=", "scale “”, which is none of linear, log"),
        ("timeline=users", "timeline “users”, which is none of sessions, time"),
        (
            "sort=foo",
            "sort “foo”, which is none of time, user, sessions, days, median, last",
        ),
        (
            "sort=--time",
            "sort “--time”, which is none of time, user, sessions, days, median, last",
        ),
        ("table=foo", "table “foo”, which there isn't"),
        ("table=users", "table “users”, which there isn't"),
        *(
            (f"sheet={sheet}", f"sheet “{sheet}”, which there isn't")
            for sheet in ("0", "-1", "1e9", "٣", "²", "1.0", "", "1000000000", "01")
        ),
        ("sheet=1+1", "sheet “1 1”, which there isn't"),
        ("sheet=2%0A", "sheet “2”, which there isn't"),
    ],
)
def test_what_is_asked_for_in_vain_is_named(
    query: str, words: str, activity: Activity
) -> None:
    view, ignored = read(f"?{query}", activity)
    assert ignored == [words]
    if "stat=p90" not in query:
        asks = query.startswith("user=")
        assert view == View(Selection(None if asks else "ann"))


def test_all_that_is_ignored_is_named_once(activity: Activity) -> None:
    query = "user=zoe&a=1&user=x&a=2&sort=up&user=y&page=home&page=shop&find=%00"
    view, ignored = read(query, activity)
    assert view == View(Selection(pages=("home",)), find="\x00")
    assert ignored == [
        "“a” means nothing here",
        "a second “user”",
        "user “zoe”, who has no session",
        "page “shop”, which has no session",
        "sort “up”, which is none of time, user, sessions, days, median, last",
    ]


def test_the_same_again_is_not_a_second(activity: Activity) -> None:
    query = "?user=bob&page=cart&user=bob&page=home&page=cart&table=hours&table=hours"
    wanted = View(Selection("bob", pages=("cart", "home")), tables=("hours",))
    assert read(query, activity) == (wanted, [])


@pytest.mark.parametrize(
    ("query", "seconds", "nearest"),
    [
        ("min=7.3", 8, "8 s"),
        ("min=59.4", 60, "1 min"),
        ("min=0.0001", 0, "0 s"),
        ("min=0.0009", 0.001, "0.001 s"),
        ("min=1e300", 100, "1 min 40 s"),
        ("max=0", 0.001, "0.001 s"),
        ("max=101", 100, "1 min 40 s"),
        ("max=1e9", 150, "2 min 30 s"),
    ],
)
def test_durations_go_to_the_nearest_edge(
    query: str, seconds: float, nearest: str, activity: Activity
) -> None:
    key, text = query.split("=")
    view, ignored = read(f"user=&{query}", activity)
    picked = view.selection
    assert {"min": picked.shortest, "max": picked.longest}[key] == seconds
    assert ignored == [f"{key} “{text}”, to which {nearest} is nearest"]


def test_edges_as_they_are_written_elsewhere_are_edges(activity: Activity) -> None:
    wanted = View(Selection(shortest=10, longest=60))
    assert read("user=&min=10.0&max=6e1", activity) == (wanted, [])
    assert read("user=&min=+10&max=60.00000001", activity) == (wanted, [])


def test_durations_begin_at_each_edge_but_infinity(activity: Activity) -> None:
    edges = views.duration_edges(activity)
    assert edges[:4] == [0, 0.001, 1, 1.5]
    assert edges[-2:] == [100, 150]
    assert edges == sorted({*edges})
    assert inf not in edges


def test_dates_are_clipped_to_the_data(activity: Activity) -> None:
    # From 1 January to 31 December 2024.
    def dates(query: str) -> tuple[date | None, date | None]:
        view, ignored = read(query, activity)
        assert ignored == []
        return view.selection.start, view.selection.end

    assert dates("from=2023-05-01&to=2026-01-01") == (None, None)
    assert dates("from=2024-01-01&to=2025-01-01") == (None, None)
    first, last = date(2024, 1, 2), date(2024, 12, 31)
    assert dates("from=2024-01-02&to=2024-12-31") == (first, last)
    assert dates("from=0001-01-01&to=2024-12-31") == (None, last)
    assert dates("from=2024-01-02&to=9999-12-31") == (first, None)
    assert dates("to=2024-01-02") == (None, first)
    assert dates("from=20240102") == (first, None)


def test_dates_at_the_ends_of_the_calendar() -> None:
    rows: list[Row] = [
        ("u", "p", 1, "0001-01-01T00:00:00"),
        ("u", "p", 2, "9999-12-31T23:59:59"),
    ]
    activity = Activity(table(rows))
    first, last = date.min, date.max
    assert views.whole(activity) == (first, last)
    assert read("to=9999-12-31", activity).view.selection.end == last
    start = read("from=9999-12-31", activity).view.selection.start
    assert start == last
    assert views.periods(activity)["9999-12"] == (
        "December 9999",
        last.replace(day=1),
        None,
    )
    assert views.periods(activity)["last-7"][1] == date(9999, 12, 25)
    only = Activity(table(rows[1:]))
    assert read("to=9999-12-31", only).ignored == ["dates outside the data"]
    assert views.periods(only) == {"all": ("All dates", None, None)}


def test_unfiltered_keeps_the_user_and_how_things_are_shown() -> None:
    dates = {"start": date(2024, 1, 2), "end": date(2024, 1, 3)}
    picked = Selection("u", pages=("p",), shortest=1, longest=2, **dates)
    view = View(picked, "p90", "log", "time", ("hours",), "last", True, "x", 3)
    assert views.unfiltered(view) == View(
        Selection("u"), "p90", "log", "time", ("hours",), "last", True, "x", 1
    )


@pytest.mark.parametrize("n", [1, 5, 7])
def test_a_week_or_less_has_no_periods_but_all(n: int) -> None:
    assert views.periods(days_of(n)) == {"all": ("All dates", None, None)}


def test_periods_of_eight_days() -> None:
    assert views.periods(days_of(8)) == {
        "all": ("All dates", None, None),
        "last-7": ("Last 7 days", date(2024, 1, 2), None),
    }


def test_months_of_five_days_are_clipped_to_the_data() -> None:
    assert views.periods(days_of(5, date(2024, 2, 28))) == {
        "all": ("All dates", None, None),
        "2024-03": ("March 2024", date(2024, 3, 1), None),
        "2024-02": ("February 2024", None, date(2024, 3, 1)),
    }


def test_periods_of_fourteen_months() -> None:
    # From 15 January 2023 to 14 March 2024.
    found = views.periods(days_of(425, date(2023, 1, 15)))
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


def test_months_without_sessions_are_left_out(activity: Activity) -> None:
    months = [key for key in views.periods(activity) if key[:2] == "20"]
    assert months == ["2024-12", "2024-03", "2024-02", "2024-01"]


@settings(deadline=None, max_examples=50)
@given(strange_rows)
def test_each_period_has_an_address(rows: list[Row]) -> None:
    activity = Activity(table(rows))
    dates = views.periods(activity).values()
    assert len({tuple(dates_) for _, *dates_ in dates}) == len(dates)
    for _, start, end in dates:
        view = View(Selection(start=start, end=end))
        assert read(address(view), activity) == (view, [])
        assert activity.summarise(view.selection).everyone.sessions.any() or start
