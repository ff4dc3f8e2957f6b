from dataclasses import replace
from datetime import date
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import callbacks
import dates
import view as views
from charts import CHARTS
from controls import Controls
from engine.memory import MemoryEngine
from engine.model import Engine, Selection
from tests.building import engine_of, view_of
from tests.examples import examples
from tests.sessions import ROWS, Row
from tests.view_strategies import queries, strange_rows, views_of
from view import MOST_PAGES, FilterName, Reading, View, address

CHART_IDS = [chart.id for chart in CHARTS]


def read(query: str, engine: Engine) -> Reading:
    return views.read(query, engine, CHART_IDS)


@examples(150)
@given(strange_rows, st.data())
def test_an_address_gives_the_view_that_it_is_of(
    rows: list[Row], data: st.DataObject
) -> None:
    engine = engine_of(rows)
    view = data.draw(views_of(engine))
    query = address(view)
    assert query.isascii()
    assert query.isprintable()
    assert read(query, engine) == (view, [])
    assert read(query[1:], engine).view == view


def test_an_address_holds_what_is_not_usual(engine: MemoryEngine) -> None:
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
        search="Ü",
        users_page=2,
        order="difference",
        length="200",
        match="a b",
        folder="/ü/",
    )
    assert address(full) == (
        "?user=a%20b&from=2024-02-01&to=2024-03-01&page=/a%26b&page=%2B&min=0.001"
        "&max=60&stat=p90&scale=log&timeline=time&table=hours&table=durations"
        "&sort=-user&find=%C3%9C&sheet=2&order=difference&rows=200&match=a%20b"
        "&folder=/%C3%BC/"
    )


def test_the_usual_may_stand_in_an_address(engine: MemoryEngine) -> None:
    query = "?user=&stat=average&scale=linear&timeline=sessions&sort=time&find="
    assert read(f"{query}&order=time&rows=10&match=", engine) == (View(), [])


def test_the_rows_of_pages_stand_in_the_address(engine: MemoryEngine) -> None:
    query = "?user=&order=difference&rows=50&match=Ho&folder=ho"
    wanted = View(order="difference", length="50", match="Ho", folder="ho")
    assert read(query, engine) == (wanted, [])
    assert address(wanted) == query


def test_pages_after_and_before_one_stand_in_the_address(engine: MemoryEngine) -> None:
    query = "?user=&open=paths&step=home&ahead=home&ahead=home&back=cart&back=help"
    wanted = View(
        opened=("paths",), step="home", ahead=("home", "home"), back=("cart", "help")
    )
    assert read(query, engine) == (wanted, [])
    assert address(wanted) == query
    # What comes after an unknown page isn't known to be a chain.
    view, ignored = read("?user=&back=cart&back=x&back=home", engine)
    assert (view.back, len(ignored)) == (("cart",), 2)
    assert ignored[0] == "“back” beyond the first 2"


def test_no_folders_are_not_those_at_the_top(engine: MemoryEngine) -> None:
    assert read("user=", engine).view.folder is None
    assert read("user=&folder=", engine) == (View(folder=""), [])
    assert address(View(folder="")) == "?user=&folder="
    # What no page begins with is replaced by them.
    words = ["folder “/none/”, with which no page begins"]
    assert read("user=&folder=/none/", engine) == (View(folder=""), words)
    assert read("user=&folder=cart", engine) == (View(folder="cart"), [])
    long = "x" * 10_000
    (words_of_long,) = read(f"user=&folder={long}", engine).ignored
    assert len(words_of_long) < 100


def test_without_one_filter_the_others_are_kept() -> None:
    how: dict[str, Any] = {"order": "difference", "match": "x", "folder": ""}
    selected: dict[FilterName, dict[str, Any]] = {
        "dates": {"start": date(2024, 1, 2), "end": date(2024, 1, 3)},
        "pages": {"pages": ("p", "q")},
        "durations": {"shortest": 1, "longest": 2},
    }
    every: dict[str, Any] = {}
    for fields in selected.values():
        every |= fields
    filtered = view_of("u", **every, **how, users_page=3)
    for name, fields in selected.items():
        rest = {field: every[field] for field in every.keys() - fields}
        assert views.without(filtered, name) == view_of("u", **rest, **how)


def test_without_a_user_it_is_the_busiest_and_with_an_empty_one_everyone(
    engine: MemoryEngine,
) -> None:
    assert views.opening(engine) == View(Selection("ann"))
    assert read("", engine) == read("?", engine) == (View(Selection("ann")), [])
    assert read("?stat=p90", engine).view == View(Selection("ann"), "p90")
    assert read("?user=", engine) == (View(), [])


SMALL = engine_of(ROWS)


@examples(300)
@given(queries)
def test_any_address_gives_a_view_and_says_in_lines_what_is_ignored(query: str) -> None:
    view, ignored = read(query, SMALL)
    canonical = address(view)
    assert read(canonical, SMALL) == (view, [])
    assert address(read(canonical, SMALL).view) == canonical
    for words in ignored:
        assert len(words.splitlines()) == 1
        assert len(words) < 150


@examples(50)
@given(queries)
def test_the_view_of_any_address_can_be_drawn(query: str) -> None:
    view = read(query, SMALL).view
    callbacks.redraw(SMALL, view)
    callbacks.list_users(SMALL, view)
    switches = [chart.switch for chart in CHARTS if chart.switch is not None]
    Controls(SMALL, switches).values(view)


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
        ("order=", "order “”, which is none of time, difference"),
        ("order=-time", "order “-time”, which is none of time, difference"),
        ("rows=11", "rows “11”, which is none of 10, 50, 200"),
        ("rows=50.0", "rows “50.0”, which is none of 10, 50, 200"),
        ("match=&match=b", "a second “match”"),
        ("order=time&order=difference", "a second “order”"),
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
        ("step=shop", "step “shop”, which has no session"),
        ("ahead=shop&ahead=cart", "ahead “shop”, which has no session"),
        ("sheet=1+1", "sheet “1 1”, which there isn't"),
        ("sheet=2%0A", "sheet “2”, which there isn't"),
    ],
)
def test_what_is_asked_for_in_vain_is_named(
    query: str, words: str, engine: MemoryEngine
) -> None:
    view, ignored = read(f"?{query}", engine)
    assert ignored == [words]
    if "stat=p90" not in query:
        asks = query.startswith("user=")
        assert view == View(Selection(None if asks else "ann"))


def test_all_that_is_ignored_is_named_once(engine: MemoryEngine) -> None:
    query = "user=zoe&a=1&user=x&a=2&sort=up&user=y&page=home&page=shop&find=%00"
    view, ignored = read(query, engine)
    assert view == View(Selection(pages=("home",)), search="\x00")
    assert ignored == [
        "“a” means nothing here",
        "a second “user”",
        "user “zoe”, who has no session",
        "page “shop”, which has no session",
        "sort “up”, which is none of time, user, sessions, days, median, last",
    ]


def test_the_same_again_is_not_a_second(engine: MemoryEngine) -> None:
    query = "?user=bob&page=cart&user=bob&page=home&page=cart&table=hours&table=hours"
    wanted = View(Selection("bob", pages=("cart", "home")), tables=("hours",))
    assert read(query, engine) == (wanted, [])


@pytest.mark.parametrize(
    ("query", "seconds", "nearest"),
    [
        ("min=7.3", 8, "8 s"),
        ("min=59.4", 60, "1 min"),
        ("min=60.001", 60, "1 min"),
        ("min=0.0001", 0, "0 s"),
        ("min=0.0009", 0.001, "0.001 s"),
        ("min=1e300", 100, "1 min 40 s"),
        ("max=0", 0.001, "0.001 s"),
        ("max=101", 100, "1 min 40 s"),
        ("max=1e9", 150, "2 min 30 s"),
    ],
)
def test_durations_go_to_the_nearest_edge(
    query: str, seconds: float, nearest: str, engine: MemoryEngine
) -> None:
    key, text = query.split("=")
    view, ignored = read(f"user=&{query}", engine)
    picked = view.selection
    assert {"min": picked.shortest, "max": picked.longest}[key] == seconds
    assert ignored == [f"{key} “{text}”, to which {nearest} is nearest"]


def test_edges_as_they_are_written_elsewhere_are_edges(engine: MemoryEngine) -> None:
    wanted = View(Selection(shortest=10, longest=60))
    assert read("user=&min=10.0&max=6e1", engine) == (wanted, [])
    assert read("user=&min=+10&max=60.00000001", engine) == (wanted, [])


def test_long_durations_have_an_address() -> None:
    engine = engine_of([("u", "p", 3e9, "2024-01-01")])
    for edge in views.duration_edges(engine.facts)[:-1]:
        view = view_of(shortest=edge)
        assert read(address(view), engine) == (view, [])


def test_durations_begin_at_each_edge_but_infinity(engine: MemoryEngine) -> None:
    edges = views.duration_edges(engine.facts)
    assert edges[:4] == [0, 0.001, 1, 1.5]
    assert edges[-2:] == [100, 150]
    assert edges == sorted({*edges})
    assert inf not in edges


def test_dates_are_clipped_to_the_data(engine: MemoryEngine) -> None:
    # From 1 January to 31 December 2024.
    def clipped(query: str) -> tuple[date | None, date | None]:
        view, ignored = read(query, engine)
        assert ignored == []
        return view.selection.start, view.selection.end

    assert clipped("from=2023-05-01&to=2026-01-01") == (None, None)
    assert clipped("from=2024-01-01&to=2025-01-01") == (None, None)
    first, last = date(2024, 1, 2), date(2024, 12, 31)
    assert clipped("from=2024-01-02&to=2024-12-31") == (first, last)
    assert clipped("from=0001-01-01&to=2024-12-31") == (None, last)
    assert clipped("from=2024-01-02&to=9999-12-31") == (first, None)
    assert clipped("to=2024-01-02") == (None, first)
    assert clipped("from=20240102") == (first, None)


def test_dates_at_the_ends_of_the_calendar() -> None:
    rows: list[Row] = [
        ("u", "p", 1, "0001-01-01T00:00:00"),
        ("u", "p", 2, "9999-12-31T23:59:59"),
    ]
    engine = engine_of(rows)
    first, last = date.min, date.max
    assert dates.bounds(engine.facts.days) == (first, last)
    assert read("to=9999-12-31", engine).view.selection.end == last
    assert read("from=9999-12-31", engine).view.selection.start == last
    only = engine_of(rows[1:])
    assert read("to=9999-12-31", only).ignored == ["dates outside the data"]


def test_without_filters_the_user_and_how_things_are_shown_are_kept() -> None:
    how: dict[str, Any] = {
        "statistic": "p90",
        "scale": "log",
        "timeline": "time",
        "tables": ("hours",),
        "sort": "last",
        "reverse": True,
        "search": "x",
        "order": "difference",
        "length": "50",
        "match": "y",
        "folder": "",
    }
    days = {"start": date(2024, 1, 2), "end": date(2024, 1, 3)}
    filtered = view_of(
        "u", pages=("p",), shortest=1, longest=2, **days, **how, users_page=3
    )
    assert views.without_filters(filtered) == view_of("u", **how)


@examples(50)
@given(strange_rows)
def test_each_preset_has_an_address(rows: list[Row]) -> None:
    engine = engine_of(rows)
    for preset in dates.presets(engine.facts.days).values():
        view = view_of(start=preset.start, end=preset.end)
        assert read(address(view), engine) == (view, [])
        n_sessions = engine.summarise(view.selection).everyone.sessions.sum()
        assert n_sessions or preset.start


def test_the_first_page_of_users_is_not_the_picked_users(engine: MemoryEngine) -> None:
    assert read("user=", engine).view.users_page is None
    assert read("user=&sheet=1", engine) == (View(users_page=1), [])
    assert address(View(users_page=1)) == "?user=&sheet=1"
    assert read("user=&sheet=999999999", engine).view.users_page == 999_999_999


def test_the_story_and_its_page_stand_in_the_address(engine: MemoryEngine) -> None:
    view = view_of("ann", opened=("story",), story_page=3)
    assert address(view) == "?user=ann&open=story&part=3"
    assert read("user=ann&open=story&part=3", engine) == (view, [])
    assert address(view_of("ann", story_page=1)) == "?user=ann"
    assert read("user=ann&part=1", engine) == (view_of("ann"), [])
    for wrong in ("0", "-1", "two", "1.5", "9999999999"):
        words = f"part “{wrong}”, which there isn't"
        assert read(f"user=ann&part={wrong}", engine) == (view_of("ann"), [words])
    # Other sessions are another list.
    filtered = replace(view, selection=Selection("ann", pages=("home",)))
    assert views.without(filtered, "pages").story_page == 1
    assert views.without_filters(filtered).story_page == 1


def test_a_day_and_a_page_are_picked_and_taken_back(engine: MemoryEngine) -> None:
    def picked(view: View, day: date, *pages: str) -> View:
        return views.at_day_and_page(view, day, pages, engine.facts)

    view = view_of("ann", shortest=10, users_page=2, opened=("story",), story_page=3)
    there = picked(view, date(2024, 2, 29), "home")
    fields: dict[str, Any] = {"pages": ("home",), "shortest": 10}
    opened: dict[str, Any] = {"opened": ("story",)}
    assert there == view_of(
        "ann", start=date(2024, 2, 29), end=date(2024, 3, 1), **fields, **opened
    )
    assert read(address(there), engine) == (there, [])
    assert picked(there, date(2024, 2, 29), "home") == view_of(
        "ann", shortest=10, **opened
    )
    # The last day has none after it.
    last = picked(view, date(2024, 12, 31))
    assert (last.selection.start, last.selection.end) == (date(2024, 12, 31), None)
    assert read(address(last), engine) == (last, [])
    # Neither has the last day of all.
    ends = engine_of([("u", "p", 1, "0001-01-01"), ("u", "p", 1, "9999-12-31")])
    for day, query in ((date.min, "&to=0001-01-02"), (date.max, "&from=9999-12-31")):
        view = views.at_day_and_page(view_of("u"), day, (), ends.facts)
        assert address(view) == f"?user=u{query}"
        assert read(address(view), ends) == (view, [])


class Counted(str):
    """A text that counts how often any such text is compared with another."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_an_address_is_read_in_time_that_grows_with_its_length(
    monkeypatch: pytest.MonkeyPatch, engine: MemoryEngine
) -> None:
    n = 25_000
    pairs = [("user", ""), *(("page", f"p{number}") for number in range(n))]
    pairs += [("page", "home")] * n

    def parse(*_: object, **__: object) -> list[tuple[str, str]]:
        return [(key, Counted(value)) for key, value in pairs]

    monkeypatch.setattr(views, "parse_qsl", parse)
    Counted.compared = 0
    view, ignored = read("", engine)
    assert view == view_of(pages=("home",))
    assert len(ignored) == n
    # Not each with each.
    assert Counted.compared < 20 * n


def test_an_address_may_name_many_pages() -> None:
    rows: list[Row] = [("u", f"p{number}", 1, "2024-01-01") for number in range(3_000)]
    pages = tuple(row[1] for row in rows)
    view = view_of("u", pages=pages[-MOST_PAGES:])
    assert read(address(view), engine_of(rows)) == (view, [])


def test_an_address_picks_so_many_pages_and_no_more() -> None:
    n = MOST_PAGES + 700
    engine = engine_of([("u", f"p{i}", 1, "2024-01-01") for i in range(n)])
    query = "?user=&" + "&".join(f"page=p{i}" for i in range(n))
    view, ignored = views.read(query, engine, ())
    assert view.selection.pages == tuple(f"p{i}" for i in range(MOST_PAGES))
    assert ignored == ["700 of 1,200 “page”: 500 is the most"]
    view, ignored = views.read(query.partition(f"&page=p{MOST_PAGES}&")[0], engine, ())
    assert len(view.selection.pages) == MOST_PAGES
    assert ignored == []
