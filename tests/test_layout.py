from typing import Any

import pytest

import ids
import layout
from charts import CHARTS, SECTIONS
from charts.figure import EVERYONE_COLOR, USER_COLOR
from charts.tiles import TILES
from engine.memory import MemoryEngine
from engine.model import Engine
from layout import build_layout, data_line, page_options, user_options
from sources import Origin
from tests.building import at, engine_of
from tests.sessions import ROWS, Row

ORIGIN = Origin("A table")


def all_of(engine: Engine, prefix: str = "/") -> list[Any]:
    """All components of the page."""
    page: Any = build_layout(engine, ORIGIN, CHARTS, prefix)
    return [page, *page._traverse()]


def by_id(engine: Engine) -> dict[str, Any]:
    return {
        component.id: component
        for component in all_of(engine)
        if getattr(component, "id", None)
    }


def test_ids_are_unique_and_there_is_one_for_each_text(engine: MemoryEngine) -> None:
    names = [c.id for c in all_of(engine) if getattr(c, "id", None)]
    assert len(names) == len(set(names))
    assert {
        *{ids.URL, ids.PAGE, ids.USER_LIST, ids.DRAWN, ids.CHIPS, ids.CONNECTION},
        *{ids.PROBLEM, ids.NOTICE, ids.SESSIONS, ids.THEME, ids.NOTHING},
        *{ids.COPY, ids.SAVE, ids.FOLD, ids.CRUMBS, ids.FOUND},
        *(ids.tile(tile, "line") for tile in TILES),
        *(ids.others(chart.id) for chart in CHARTS if chart.has_rows),
        *(ids.tile(tile, "rank") for tile in TILES),
        *(ids.table(chart.id) for chart in CHARTS),
        ids.table(ids.USERS),
    } <= set(names)
    # What page.js writes when a filter is set.
    assert ids.CLEAR not in names


def test_charts_stand_in_their_order_with_what_they_need(engine: MemoryEngine) -> None:
    there = by_id(engine)
    sections = [name for name in there if name.endswith("-section")]
    # The three charts that were first are followed by the table of users.
    order = [chart.id for chart in CHARTS]
    order.insert(3, ids.USERS)
    order += [section.id for section in SECTIONS]
    assert sections == [ids.section(name) for name in order]
    every_id = list(there)
    assert every_id.index(ids.FIELDS) < every_id.index("tile-sessions-value")
    assert every_id.index("tile-last-line") < every_id.index(sections[0])
    for chart in CHARTS:
        assert there[ids.heading(chart.id)].children == chart.title
        assert there[chart.id].config["displayModeBar"] == chart.zoomable
        assert (ids.darkest(chart.id) in there) == chart.has_color_scale
        section = there[ids.section(chart.id)]
        assert section.className == chart.width
        assert section.style == {"--height": f"{chart.height}px"}
        if chart.switch is not None:
            radio = there[chart.switch.id]
            values = [option["value"] for option in radio.options]
            assert values == list(chart.switch.options)
            assert radio.value == values[0]


def test_the_colours_of_the_style_sheet_are_those_of_the_figures(
    engine: MemoryEngine,
) -> None:
    page: Any = build_layout(engine, ORIGIN, CHARTS)
    assert page.style == {"--everyone": EVERYONE_COLOR, "--user": USER_COLOR}


@pytest.mark.parametrize("prefix", ["/", "/stats/"])
def test_links_to_files_are_where_browsers_find_them(
    prefix: str, engine: MemoryEngine
) -> None:
    links = [getattr(component, "href", None) for component in all_of(engine, prefix)]
    assert {link for link in links if link} == {
        f"{prefix}sessions.csv",
        *(f"{prefix}numbers/{chart.id}.csv" for chart in CHARTS),
    }


@pytest.mark.parametrize(
    ("pages", "tools", "grouping"),
    [
        ([f"p{i}" for i in range(10)], False, False),
        ([f"p{i:02}" for i in range(11)], True, False),
        ([f"/a/{i:02}" for i in range(11)], True, False),
        ([f"/{i % 2}/{i:02}" for i in range(11)], True, True),
    ],
)
def test_rows_can_be_chosen_where_pages_are_many(
    pages: list[str], tools: bool, grouping: bool
) -> None:
    rows: list[Row] = [("ann", page, 1, "2024-01-01") for page in pages]
    found = [c for c in all_of(engine_of(rows)) if hasattr(c, "hidden")]
    (section,) = [c for c in found if "page-tools" in str(getattr(c, "className", ""))]
    assert section.hidden != tools
    (group,) = [c for c in section.children if getattr(c, "hidden", None) is not None]
    assert group.hidden != grouping


def test_what_all_pages_share_is_said_once() -> None:
    rows: list[Row] = [
        ("ann", f"https://example.org/{i}?lang=en", 1, "2024-01-01") for i in "ab"
    ]
    words = "All begin with “https://example.org” and end in “?lang=en”."
    assert words in [getattr(c, "children", None) for c in all_of(engine_of(rows))]


# What the data is.


def test_one_line_about_the_data(engine: MemoryEngine) -> None:
    assert data_line(engine.facts, ORIGIN) == (
        "A table: 12 sessions of 3 users on 3 pages, 1 January 2024 to "
        "31 December 2024 (UTC). Unknown durations: 3 (left out of times)."
    )
    day = engine_of(at("2024-01-01T08:00", "2024-01-01T17:30:59"), "Asia/Kolkata")
    assert data_line(day.facts, ORIGIN) == (
        "A table: 2 sessions of 1 user on 1 page, 1 January 2024 13:30 to 23:00 "
        "Asia/Kolkata."
    )
    moment = engine_of(at("2024-01-01T08:00:01", "2024-01-01T08:00:59"))
    assert data_line(moment.facts, ORIGIN).endswith(", 1 January 2024 08:00 UTC.")


# Options of dropdowns.


def test_few_users_and_pages_are_all_options_in_the_order_of_names() -> None:
    names = ["user_10", "user_2", "user_1"]
    rows: list[Row] = [(name, f"page {name}", 1, "2024-01-01") for name in names]
    there = by_id(engine_of(rows))
    assert there[ids.USER].options == [
        {"label": "Everyone", "value": ""},
        *("user_1", "user_2", "user_10"),
    ]
    assert there[ids.USER].labels == {"search": "Search 3 users"}
    assert there[ids.PAGES].options == [*("page user_1", "page user_2", "page user_10")]
    assert there[ids.PAGES].labels == {"search": "Search 3 pages"}


@pytest.mark.parametrize(("n", "n_options"), [(300, 300), (301, 50)])
def test_many_users_and_pages_are_searched_on_the_server(
    n: int, n_options: int
) -> None:
    rows: list[Row] = [(f"u{i}", f"p{i}", 1, "2024-01-01") for i in range(n)]
    there = by_id(engine_of(rows))
    assert len(there[ids.USER].options) == 1 + n_options
    assert len(there[ids.PAGES].options) == n_options


def test_hits_are_those_of_most_sessions_with_the_picked_user() -> None:
    rows: list[Row] = [(f"user {i}", "p", 1, "2024-01-01") for i in range(60)]
    engine = engine_of([*rows, rows[7]])
    everyone = {"label": "Everyone", "value": ""}
    options = user_options(engine, "", None)
    assert options[:2] == [everyone, "user 7"]
    assert len(options) == 51
    assert user_options(engine, "user 5", "user 3")[:2] == [everyone, "user 3"]
    assert user_options(engine, "user 3", "user 3").count("user 3") == 1
    assert user_options(engine, "nobody", "user 3") == [everyone, "user 3"]
    assert user_options(engine, "nobody", "nobody") == [everyone]


def test_hits_are_those_of_most_sessions_with_the_picked_pages() -> None:
    rows: list[Row] = [("u", f"page {i}", 1, "2024-01-01") for i in range(60)]
    engine = engine_of([*rows, rows[7]])
    options = page_options(engine, "", [])
    assert options[0] == "page 7"
    assert len(options) == 50
    assert page_options(engine, "PAGE 5", ["page 3"]) == [
        *("page 3", "page 5", *(f"page {i}" for i in range(50, 60)))
    ]
    both = page_options(engine, "page 7", ["page 7"])
    assert both == ["page 7"]
    assert page_options(engine, "nothing", []) == []
    # The picked ones take no place from the hits.
    assert len(page_options(engine, "", ["page 1", "page 2"])) == 52


@pytest.mark.parametrize("name", ["everyone", "Everyone", "average user"])
@pytest.mark.parametrize("n_others", [2, 400])
def test_a_user_who_is_named_everyone_is_not_everyone(name: str, n_others: int) -> None:
    rows: list[Row] = [(f"u{i}", "p", 1, "2024-01-01") for i in range(n_others)]
    engine = engine_of([*rows, *[(name, "p", 1, "2024-01-01")] * 2])
    for options in (by_id(engine)[ids.USER].options, user_options(engine, name, None)):
        labels = [o if isinstance(o, str) else o["label"] for o in options]
        values = [o if isinstance(o, str) else o["value"] for o in options]
        assert labels.count("Everyone") == 1
        assert values[labels.index("Everyone")] == layout.EVERYONE
        assert values[labels.index(f"user “{name}”")] == name
        assert name not in (label for label in labels if label != "Everyone")


@pytest.mark.parametrize(("n", "words"), [(300, None), (301, "")])
def test_where_pages_are_searched_not_all_are_selected(
    n: int, words: str | None
) -> None:
    rows: list[Row] = [("u", f"p{i}", 1, "2024-01-01") for i in range(n)]
    assert by_id(engine_of(rows))[ids.PAGES].labels.get("select_all") == words


def test_controls_have_their_places_before_they_are_there(engine: MemoryEngine) -> None:
    page: Any = build_layout(engine, ORIGIN, CHARTS)
    assert page.className == "unanswered"
    there = by_id(engine)
    fields = list(there[ids.FIELDS]._traverse())
    places = {
        component.className: component.children.id
        for component in fields
        if "place " in str(getattr(component, "className", ""))
    }
    controls = [ids.USER, ids.PERIOD, ids.DATES, ids.PAGES, ids.SHORTEST, ids.LONGEST]
    assert places == {f"place {name}": name for name in controls}


def test_durations_begin_and_end_at_the_edges(engine: MemoryEngine) -> None:
    there = by_id(engine)
    shortest, longest = there[ids.SHORTEST].options, there[ids.LONGEST].options
    assert shortest[:3] == [
        {"label": "any", "value": ""},
        {"label": "0 s", "value": 0},
        {"label": "0.001 s", "value": 0.001},
    ]
    assert longest[:2] == [{"label": "any", "value": ""}, shortest[2]]
    assert shortest[-1]["label"] == "1 min 40 s"
    assert longest[-1]["label"] == "2 min 30 s"


def test_periods_and_days_are_those_of_the_data(engine: MemoryEngine) -> None:
    there = by_id(engine)
    options = there[ids.PERIOD].options
    assert options[:3] == [
        {"label": "All dates", "value": "all"},
        {"label": "Last 7 days", "value": "last-7"},
        {"label": "Last 30 days", "value": "last-30"},
    ]
    calendar = there[ids.DATES]
    assert (calendar.min_date_allowed, calendar.max_date_allowed) == (
        *("2024-01-01", "2024-12-31"),
    )


def test_text_from_data_stays_text() -> None:
    rows: list[Row] = [("<script>", "[x](y)", 1, "2024-01-01"), *ROWS]
    there = by_id(engine_of(rows))
    assert "<script>" in there[ids.USER].options
    assert "[x](y)" in there[ids.PAGES].options


# Names that are long.


def test_names_that_are_long_together_are_searched_on_the_server() -> None:
    # Users and pages alike: characters decide, and 30,000 are still sent.
    for longer, n_options in ((0, 100), (1, 50)):
        names = [f"{i:03}".ljust(300 + (i == 0) * longer, "x") for i in range(100)]
        engine = engine_of([(name, name, 1, "2024-01-01") for name in names])
        there = by_id(engine)
        assert len(there[ids.USER].options) == 1 + n_options
        assert len(there[ids.PAGES].options) == n_options
        assert layout.searches_users(engine) == layout.searches_pages(engine)
        assert layout.searches_users(engine) == bool(longer)


@pytest.mark.parametrize(
    ("length", "n_hits"), [(400, 50), (401, 49), (20_000, 1), (90_000, 1)]
)
def test_hits_have_few_characters_and_one_is_always_sent(
    length: int, n_hits: int
) -> None:
    names = [f"{i:03}".ljust(length, "x") for i in range(60)]
    engine = engine_of([(name, name, 1, "2024-01-01") for name in names])
    options = user_options(engine, "", names[30])
    assert len(options) == 1 + n_hits + (names[30] not in names[:n_hits])
    assert len(page_options(engine, "", names[30:32])) == n_hits + 2
    labels = [option["label"] for option in options]
    assert len(labels) == len(set(labels))
    assert max(map(len, labels)) < 60


def test_an_option_is_a_name_or_a_label_for_it() -> None:
    long = "/a/long/way/" * 10
    rows: list[Row] = [(name, name, 1, "2024-01-01") for name in ("ann", long)]
    there = by_id(engine_of(rows))
    everyone, hidden, plain = there[ids.USER].options
    assert (everyone["label"], plain) == ("Everyone", "ann")
    assert hidden["value"] == long
    assert len(hidden["label"]) < 60
    assert "ann" in there[ids.PAGES].options


def test_the_browser_finds_what_the_server_found() -> None:
    rows: list[Row] = [(name, name, 1, "2024-01-01") for name in ("Straße", "ann")]
    engine = engine_of(rows)
    hit = {"label": "Straße", "value": "Straße", "search": "STRASSE"}
    assert user_options(engine, "STRASSE", "ann")[1:] == ["ann", hit]
    assert page_options(engine, "STRASSE", ["ann"]) == ["ann", hit]
    # What it sees for itself isn't said.
    assert user_options(engine, "sTRaß", None)[1:] == ["Straße"]
    assert page_options(engine, "sTRaß", []) == ["Straße"]
