import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import plotly.graph_objects as go
import pytest
from dash import Dash
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

import callbacks
import ids
from app import create_app
from charts import CHARTS, tiles
from charts.chart import Chart
from charts.durations import Durations
from charts.story import Story
from engine.memory import MemoryEngine
from engine.model import NotInData, Selection, Summary
from simulate import simulate_sessions
from sources import read_sessions
from tests.building import MARCH, days_from, engine_of, view_of
from tests.examples import examples
from tests.sessions import NASA, ROWS, Row, needs_nasa, table
from tests.strategies import rows_lists
from tests.view_strategies import strange_rows, views_of
from view import View

URL = "/_dash-update-component"
CHART_IDS = [chart.id for chart in CHARTS]

# What the controls say on a page that shows everyone, with no filter.
USUAL = {
    "user_value": "",
    "period_value": "all",
    "pages_value": [],
    "shortest_value": "",
    "longest_value": "",
    "statistic_value": "average",
    "scale_value": "linear",
    "measure_value": "sessions",
    "find_value": "",
    "match_value": "",
    "grouping_value": "pages",
    "rows_value": "10",
    "page-order_value": "time",
}


def body(app: Dash, output: str, changed: str, **values: Any) -> dict[str, Any]:
    """What the page sends when the property *changed* changes."""
    client = app.server.test_client()
    (spec,) = [
        callback
        for callback in client.get("/_dash-dependencies").json
        if output in callback["output"]
    ]
    outputs = [part.split(".") for part in spec["output"].strip(".").split("...")]
    named = [{"id": id_, "property": prop} for id_, prop in outputs]
    values = {**USUAL, **values}

    def filled(parts: list[dict[str, str]]) -> list[dict[str, Any]]:
        return [{**p, "value": values.get(f"{p['id']}_{p['property']}")} for p in parts]

    return {
        "output": spec["output"],
        "outputs": named if spec["output"].startswith("..") else named[0],
        "inputs": filled(spec["inputs"]),
        "state": filled(spec["state"]),
        "changedPropIds": [changed],
    }


def post(app: Dash, data: Any) -> TestResponse:
    client: FlaskClient = app.server.test_client()
    return client.post(URL, data=json.dumps(data), content_type="application/json")


def pick(app: Dash, user: Any, **values: Any) -> TestResponse:
    """The answer to a pick of a user, where controls say *values*."""
    data = body(app, "user-average.figure", "user.value", user_value=user, **values)
    return post(app, data)


def opened(app: Dash, search: Any, **values: Any) -> TestResponse:
    """The answer to an address."""
    values["url_search"] = search
    return post(app, body(app, "user-average.figure", "url.search", **values))


def text(response: Mapping[str, Any]) -> dict[str, str]:
    """What is written on the page, by id."""
    written: dict[str, str] = response[ids.PAGE]["data"]["text"]
    return written


def answer(response: TestResponse) -> dict[str, Any]:
    """What the components of a callback's outputs become."""
    assert response.status_code == 200
    parts: dict[str, Any] = json.loads(response.data)["response"]
    return parts


def test_redraw_is_a_plain_function(engine: MemoryEngine) -> None:
    figures, page = callbacks.redraw(engine, view_of("ann"))
    assert list(figures) == CHART_IDS
    assert figures["total-time"]["data"][0]["name"] == "everyone"
    for chart in ("user-average", "durations", "timeline"):
        names = {trace.get("name") for trace in figures[chart]["data"]}
        assert names >= {"ann", "everyone"}
    assert page["caption"] == "ann"
    assert page["asked"] == page["address"] == page["unfiltered"] == "?user=ann"
    assert page["chips"] == []
    assert page["tables"] == {}
    assert page["crumbs"] == []
    assert page["lines"]["nothing"] == {"text": "", "link": None}
    assert page["lines"]["total-time-others"] == {"text": "", "link": None}
    assert set(page["heights"]) == set(CHART_IDS)
    assert page["trends"]["tile-sessions-line"]
    assert page["text"]["sessions"] == "Download 6 sessions (CSV)"


def test_a_redrawn_page_has_a_text_for_each_place(engine: MemoryEngine) -> None:
    text = callbacks.redraw(engine, View()).page["text"]
    places = {ids.SESSIONS, ids.FOUND, ids.darkest("hours")}
    for chart in CHART_IDS:
        places |= {ids.heading(chart), ids.finding(chart)}
    for tile in tiles.TILES:
        places |= {ids.tile(tile, part) for part in ("label", "value", "beside")}
    assert set(text) == places
    listed = callbacks.list_users(engine, View())["text"]
    assert set(listed) == {
        ids.finding(ids.USERS),
        *(ids.tile(tile, "rank") for tile in tiles.TILES),
    }


def test_a_redrawn_page_has_the_tables_that_are_open(engine: MemoryEngine) -> None:
    view = view_of("ann", tables=("hours", "total-time"), **MARCH)
    tables = callbacks.redraw(engine, view).page["tables"]
    assert set(tables) == {"hours", "total-time"}
    assert tables["total-time"] == {
        "head": ["page", "sessions", "of unknown duration", "time"],
        "rows": [["home", "3", "1", "1 min 30 s"], ["cart", "1", "0", "5 s"]],
    }


@pytest.mark.parametrize(
    ("view", "words", "link"),
    [
        (
            view_of("cy", pages=("home",), longest=0.001),
            "No sessions of cy match under 0.001 s.",
            ("Remove this filter", "?user=cy&page=home"),
        ),
        (
            view_of("cy", start=date(2024, 12, 1), longest=0.001),
            "No sessions of cy match these filters.",
            ("Remove them all", "?user=cy"),
        ),
        (
            view_of(start=date(2024, 6, 1), end=date(2024, 6, 2)),
            "No sessions match 1 June 2024.",
            ("Remove this filter", "?user="),
        ),
    ],
)
def test_where_nothing_matches_the_filter_to_blame_is_named(
    view: View, words: str, link: tuple[str, str], engine: MemoryEngine
) -> None:
    line = callbacks.redraw(engine, view).page["lines"][ids.NOTHING]
    assert line["text"] == words
    assert line["link"] == dict(zip(("text", "address"), link, strict=True))


def test_each_selection_is_asked_for_once(
    engine: MemoryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Selection] = []
    summarise = engine.summarise

    def watched(selection: Selection) -> Summary:
        asked.append(selection)
        return summarise(selection)

    monkeypatch.setattr(engine, "summarise", watched)
    callbacks.redraw(engine, view_of("ann"))
    assert asked == [Selection("ann")]
    asked.clear()
    picked = Selection("ann", pages=("home",), shortest=10, **MARCH)
    callbacks.redraw(engine, View(picked))
    # With every filter, three without a chart's own, and the period before.
    assert len(asked) == len(set(asked)) == 5


def test_charts_are_those_that_are_asked_for(engine: MemoryEngine) -> None:
    only: list[Chart] = [Durations()]
    figures, page = callbacks.redraw(engine, View(), only)
    assert list(figures) == ["durations"]
    assert "timeline-finding" not in page["text"]


def test_who_is_not_in_the_data_is_no_page(engine: MemoryEngine) -> None:
    for view in (view_of("zoe"), view_of(pages=("shop",)), view_of(shortest=7.5)):
        with pytest.raises(NotInData):
            callbacks.redraw(engine, view)
        with pytest.raises(NotInData):
            callbacks.list_users(engine, view)


def test_a_list_of_users_is_a_plain_function(engine: MemoryEngine) -> None:
    listed = callbacks.list_users(engine, view_of("bob", sort="user", reverse=True))
    users = listed["users"]
    assert [row[0] for row in users["rows"]] == ["cy", "bob", "ann"]
    assert (users["picked"], users["sort"], users["reverse"]) == ("bob", "user", True)
    assert (users["page"], users["pages"]) == (1, 1)
    assert users["address"] == "?user=bob&sort=-user"
    assert listed["text"][ids.tile("total", "rank")] == "3rd of 3"


MANY: list[Row] = [(f"u{n:02}", "p", 100 - n, "2024-01-01") for n in range(21)]


def test_the_list_shows_the_picked_users_page_unless_another_is_asked_for() -> None:
    engine = engine_of(MANY)

    def page(user: str | None, **how: Any) -> int:
        return callbacks.list_users(engine, view_of(user, **how))["users"]["page"]

    assert [page(user) for user in (None, "u00", "u10", "u20")] == [1, 1, 2, 3]
    assert page("u20", users_page=1) == 1
    assert page(None, users_page=2) == 2
    assert page("u20", search="u1") == 1


def test_one_callback_redraws_all_charts(app: Dash) -> None:
    response = answer(pick(app, "bob"))
    for chart in CHART_IDS:
        assert response[chart]["figure"]["data"]
        assert text(response)[ids.finding(chart)]
        assert text(response)[ids.heading(chart)]
    assert response["user-average"]["figure"]["data"][0]["x"] == [60, 0, None]
    assert response[ids.URL]["search"] == "?user=bob"
    assert response[ids.PROBLEM]["children"] == ""
    assert text(response)[ids.tile("sessions", "value")] == "3"


@examples(40)
@given(st.one_of(rows_lists, strange_rows), st.data())
def test_whatever_is_picked_can_be_drawn(rows: list[Row], data: st.DataObject) -> None:
    engine = engine_of(rows)
    view = replace(data.draw(views_of(engine)), tables=tuple(CHART_IDS))
    figures, page = callbacks.redraw(engine, view)
    for figure in figures.values():
        go.Figure(figure)
    listed = callbacks.list_users(engine, view)
    for name, sentence in page["text"].items():
        assert sentence or not name.endswith("-finding")
    # It is all as JSON has it: Dash need convert nothing, and there is no NaN.
    json.dumps([figures, page, listed], allow_nan=False)
    # A chart isn't filtered by what it picks: with a filter, it has as many bars.
    whole = callbacks.redraw(engine, replace(view, selection=Selection())).figures
    if view.selection.user is None and figures["timeline"]["data"]:
        n_bars = [len(f["timeline"]["data"][0]["x"]) for f in (figures, whole)]
        assert n_bars[0] == n_bars[1]


def test_no_user_is_everyone(app: Dash) -> None:
    for user in (None, ""):
        response = answer(pick(app, user))
        traces = response["durations"]["figure"]["data"]
        assert [t["name"] for t in traces if "name" in t] == ["everyone"]
        assert response[ids.URL]["search"] == "?user="


def test_an_address_sets_the_controls(app: Dash) -> None:
    search = (
        "?user=ann&from=2024-02-29&to=2024-03-02&page=home&min=10&max=50&stat=median"
        "&scale=log&timeline=time&find=a"
    )
    response = answer(opened(app, search))
    assert ids.URL not in response
    assert response[ids.USER]["value"] == "ann"
    # The calendar shows the last day, the address the one after it.
    assert response[ids.DATES] == {"start_date": "2024-02-29", "end_date": "2024-03-01"}
    assert response[ids.PERIOD]["value"] is None
    assert response[ids.PAGES]["value"] == ["home"]
    assert response[ids.SHORTEST]["value"] == 10
    assert response[ids.LONGEST]["value"] == 50
    assert response[ids.STATISTIC]["value"] == "median"
    assert response["scale"]["value"] == "log"
    assert response["measure"]["value"] == "time"
    assert response[ids.SEARCH]["value"] == "a"
    written = text(response)
    assert written[ids.tile("sessions", "value")] == "3"
    assert written[ids.heading("user-average")] == "Median Session Duration by Page"
    page = response[ids.PAGE]["data"]
    words = [chip["text"] for chip in page["chips"]]
    assert words == ["29 February to 1 March 2024", "home", "10 s to 50 s"]
    assert page["unfiltered"] == (
        "?user=ann&stat=median&scale=log&timeline=time&find=a"
    )
    assert page["asked"] == search


def test_a_page_says_what_was_asked_and_what_is_shown(app: Dash) -> None:
    for search in ("?colour=red&user=ann", "?min=10.0&user=ann&stat=average"):
        page = answer(opened(app, search))[ids.PAGE]["data"]
        assert page["asked"] == search
        assert page["address"] in ("?user=ann", "?user=ann&min=10")


def test_without_an_address_the_busiest_user_is_shown(app: Dash) -> None:
    for search in (None, "", "?"):
        response = answer(opened(app, search))
        assert response[ids.USER]["value"] == "ann"
        assert response[ids.PAGE]["data"]["address"] == "?user=ann"


@pytest.mark.parametrize(
    ("search", "told"),
    [
        ("?user=nobody", "user “nobody”"),
        ("?user=ann&from=2024-03-01&to=2024-02-01", "2024-03-01"),
        ("?user=ann&page=%3Cscript%3E", "page “<script>”"),
        ("?user=ann&colour=red", "“colour”"),
    ],
)
def test_what_an_address_asks_for_in_vain_is_told(
    app: Dash, search: str, told: str
) -> None:
    response = answer(opened(app, search))
    notice = text(response)[ids.NOTICE]
    assert notice.startswith("Ignored in the address: ")
    assert told in notice
    assert "\n" not in notice
    assert response["total-time"]["figure"]["data"]
    # The next pick says what is shown.
    assert text(answer(pick(app, "ann", url_search=search)))[ids.NOTICE] == ""


def test_much_that_is_ignored_is_told_in_few_words(app: Dash) -> None:
    pages = "".join(f"&page=p{number}" for number in range(5_000))
    notice = text(answer(opened(app, f"?user=ann{pages}")))[ids.NOTICE]
    assert notice.count("which has no session") == 10
    assert notice.endswith("page “p9”, which has no session; and 4,990 more.")


def test_controls_and_address_say_the_same(app: Dash) -> None:
    search = "?user=cy&table=hours&sort=-user&sheet=3"
    values: dict[str, Any] = {
        "url_search": search,
        # What was picked since the page was drawn counts, whatever else came first.
        "drawn_data": {"address": search},
        "dates_start_date": "2024-02-29",
        "dates_end_date": "2024-03-01",
        "pages_value": ["home", "cart"],
        "shortest_value": 10,
        "longest_value": 60.0,
        "statistic_value": "p90",
    }
    response = answer(pick(app, "ann", **values))
    search = response[ids.URL]["search"]
    # What no control says stays; a page of another list of users would be no use.
    assert search == (
        "?user=ann&from=2024-02-29&to=2024-03-02&page=home&page=cart&min=10&max=60"
        "&stat=p90&table=hours&sort=-user"
    )
    values |= {"drawn_data": {"address": search}, "user_value": "ann"}
    values["period_value"] = None
    again = answer(opened(app, search, **values))
    assert again[ids.PAGE] == response[ids.PAGE]
    assert again["total-time"] == response["total-time"]


def changed(app: Dash, control: str, **values: Any) -> dict[str, Any]:
    values = {"url_search": "?user=", **values}
    data = body(app, "user-average.figure", control, **values)
    return answer(post(app, data))


def test_a_period_sets_the_dates() -> None:
    app = create_app(table([*ROWS, ("cy", "home", 5, "2024-03-20")]))
    response = changed(app, "period.value", period_value="2024-02")
    assert response[ids.DATES] == {"start_date": "2024-02-01", "end_date": "2024-02-29"}
    assert response[ids.URL]["search"] == "?user=&from=2024-02-01&to=2024-03-01"
    response = changed(app, "period.value", period_value="last-7")
    assert response[ids.URL]["search"] == "?user=&from=2024-12-25"
    response = changed(
        app,
        "dates.end_date",
        dates_start_date="2024-02-01",
        dates_end_date="2024-02-29",
        period_value=None,
    )
    assert response[ids.PERIOD]["value"] == "2024-02"
    # One day without the other is none; and the whole of the data is no filter.
    for dates in (
        {"dates_start_date": "2024-02-01"},
        {"dates_start_date": "2024-01-01", "dates_end_date": "2024-12-31"},
    ):
        search = "?user=&from=2024-03-01"
        response = changed(
            app, "dates.start_date", period_value=None, url_search=search, **dates
        )
        assert response[ids.URL]["search"] == "?user="
        assert response[ids.PERIOD]["value"] == "all"


def test_the_last_days_stay_the_last_days() -> None:
    # The last 30 days are April.
    app = create_app(table(days_from(date(2024, 2, 1), 90)))
    response = changed(app, "period.value", period_value="last-30")
    assert response[ids.URL]["search"] == "?user=&from=2024-04-01"
    assert ids.PERIOD not in response
    # And so they do when something else is picked.
    said = {
        "dates_start_date": "2024-04-01",
        "dates_end_date": "2024-04-30",
        "period_value": "last-30",
        "url_search": "?user=&from=2024-04-01",
    }
    response = changed(app, "statistic.value", statistic_value="p90", **said)
    assert response[ids.URL]["search"] == "?user=&from=2024-04-01&stat=p90"
    assert ids.PERIOD not in response


def test_a_pick_keeps_the_page_of_a_list_that_it_leaves_as_it_is(app: Dash) -> None:
    def searched(control: str, **values: Any) -> str:
        values = {"url_search": "?user=&table=hours&sheet=3", **values}
        search: str = changed(app, control, **values)[ids.URL]["search"]
        return search

    assert searched("statistic.value", statistic_value="p90") == (
        "?user=&stat=p90&table=hours&sheet=3"
    )
    assert searched("pages.value", pages_value=["home"]) == (
        "?user=&page=home&table=hours"
    )
    assert searched("user.value", user_value="ann") == "?user=ann&table=hours"


def test_days_can_be_typed_in_any_order(app: Dash) -> None:
    dates = {"dates_start_date": "2024-03-01", "dates_end_date": "2024-02-29"}
    response = changed(app, "dates.end_date", **dates)
    assert response[ids.URL]["search"] == "?user=&from=2024-02-29&to=2024-03-02"
    assert response[ids.DATES] == {"start_date": "2024-02-29", "end_date": "2024-03-01"}
    # Days without data change nothing, and the calendar says so.
    dates = {"dates_start_date": "2025-01-01", "dates_end_date": "2025-01-02"}
    response = changed(app, "dates.end_date", **dates)
    assert ids.URL not in response
    assert response[ids.DATES] == {"start_date": None, "end_date": None}


def test_no_pick_is_lost_to_one_that_comes_before_its_answer(app: Dash) -> None:
    # The median was picked, then a bar, which changes the address.
    values = {"drawn_data": {"address": "?user=ann"}, "user_value": "ann"}
    response = answer(
        opened(app, "?user=ann&page=home", statistic_value="median", **values)
    )
    assert response[ids.URL]["search"] == "?user=ann&page=home&stat=median"
    # Dates were dragged over, then the median was picked.
    response = changed(
        app,
        "statistic.value",
        statistic_value="median",
        url_search="?user=ann&from=2024-02-29",
        **values,
    )
    assert response[ids.URL]["search"] == "?user=ann&from=2024-02-29&stat=median"
    # A step back is no pick of the controls, which still say what is drawn.
    response = answer(opened(app, "?user=bob", **values))
    assert ids.URL not in response
    assert response[ids.USER]["value"] == "bob"
    # Nor does it lose to a pick that came before it; what it leaves alone does.
    values["user_value"] = "cy"
    response = answer(opened(app, "?user=bob", statistic_value="median", **values))
    assert response[ids.URL]["search"] == "?user=bob&stat=median"
    response = answer(opened(app, "?user=ann&page=home", **values))
    assert response[ids.URL]["search"] == "?user=cy&page=home"


def test_of_durations_that_exclude_each_other_the_last_set_is_meant(app: Dash) -> None:
    values = {"shortest_value": 60, "longest_value": 10}
    response = changed(app, "shortest.value", **values)
    assert response[ids.URL]["search"] == "?user=&min=60"
    assert response[ids.LONGEST]["value"] == ""
    response = changed(app, "longest.value", **values)
    assert response[ids.URL]["search"] == "?user=&max=10"
    assert response[ids.SHORTEST]["value"] == ""


def test_a_chart_that_stays_as_it_is_is_not_sent_again(app: Dash) -> None:
    first = answer(pick(app, "ann"))
    revisions = first[ids.DRAWN]["data"]
    second = answer(pick(app, "bob", drawn_data=revisions))
    assert "total-time" not in second
    assert {"user-average", "durations", "timeline", "hours"} < set(second)
    # What the browser says of them is not taken for granted.
    for nonsense in (7, "x", {"total-time": "x"}):
        again = answer(pick(app, "bob", drawn_data=nonsense))
        assert "total-time" in again


def listed(app: Dash, search: str) -> dict[str, Any]:
    data = body(app, "listed.data", "url.search", url_search=search)
    words: dict[str, Any] = answer(post(app, data))[ids.USER_LIST]["data"]
    return words


def test_the_table_of_users_ranks_the_picked_one(app: Dash) -> None:
    words = listed(app, "?user=bob")
    users = words["users"]
    assert list(users["head"].values()) == [
        "User",
        "Total time",
        "Sessions",
        "Active days",
        "Median",
        "Last seen",
    ]
    assert [row[0] for row in users["rows"]] == ["ann", "cy", "bob"]
    assert users["rows"][0] == [
        "ann",
        "2 min 30 s",
        "6",
        "4",
        "30 s",
        "2024-12-31 23:59",
    ]
    assert users["picked"] == "bob"
    assert words["text"][ids.tile("sessions", "rank")] == "2nd of 3, with 1 other"
    assert words["text"][ids.tile("total", "rank")] == "3rd of 3"
    names = [
        row[0] for row in listed(app, "?user=&sort=-user&page=cart")["users"]["rows"]
    ]
    assert names == ["cy", "bob", "ann"]


def test_many_pages_are_searched_on_the_server() -> None:
    rows: list[Row] = [("u", f"page {i}", 1, "2024-01-01") for i in range(400)]
    app = create_app(table([*rows, rows[7]]))
    pages = next(c for c in app.layout._traverse_ids() if c.id == ids.PAGES)
    assert len(pages.options) == 50
    assert pages.options[0] == "page 7"

    def search(text: Any, picked: Any) -> list[str]:
        data = body(
            app,
            "pages.options@",
            "pages.search_value",
            pages_search_value=text,
            pages_value=picked,
        )
        (changed,) = answer(post(app, data)).values()
        options: list[str] = changed["options"]
        return options

    assert search("PAGE 39", ["page 3"])[0] == "page 3"
    assert set(search("PAGE 39", [])) == {
        "page 39",
        *(f"page {i}" for i in range(390, 400)),
    }
    assert search("nothing", None) == []


def test_every_id_of_a_callback_is_in_the_layout() -> None:
    rows: list[Row] = [(f"u{i}", "p", 1, "2024-01-01") for i in range(301)]
    for data in (ROWS, rows):
        app = create_app(table(data))
        there = {component.id for component in app.layout._traverse_ids()}
        dependencies = app.server.test_client().get("/_dash-dependencies").json
        used = set()
        for callback in dependencies:
            outputs = callback["output"].strip(".").split("...")
            named = [out for out in outputs if "." in out and "@" not in out]
            used |= {output.rsplit(".", 1)[0] for output in named}
            used |= {part["id"] for part in callback["inputs"] + callback["state"]}
        assert used <= there
        assert {*CHART_IDS, ids.USER} <= used


def test_many_users_are_searched_on_the_server() -> None:
    rows: list[Row] = [(f"user {i}", "p", 1, "2024-01-01") for i in range(1_000)]
    app = create_app(table([*rows, rows[7]]))
    dropdown = next(c for c in app.layout._traverse_ids() if c.id == ids.USER)
    assert len(dropdown.options) == 51
    assert dropdown.options[:2] == [{"label": "Everyone", "value": ""}, "user 7"]

    def search(text: Any, user: Any) -> list[str]:
        # The page's own callback sets the options too, for a user whom a link names.
        data = body(
            app,
            "user.options@",
            "user.search_value",
            user_search_value=text,
            user_value=user,
        )
        (changed,) = answer(post(app, data)).values()
        options: list[Any] = changed["options"]
        # Everyone can always be picked.
        assert options[0] == {"label": "Everyone", "value": ""}
        return options[1:]

    found = search("user 99", "user 3")
    assert found[0] == "user 3"
    assert set(found[1:]) == {"user 99", *(f"user {i}" for i in range(990, 1000))}
    assert search("nobody", "user 3") == ["user 3"]
    assert search("nobody", "nobody") == []
    assert len(search("", None)) == len(search(None, None)) == 50


def test_a_list_that_was_picked_from_stays_as_it_is() -> None:
    rows: list[Row] = [(f"u{i}", f"p{i}", 1, "2024-01-01") for i in range(400)]
    app = create_app(table([*rows, rows[7]]))
    # A link may be to whom the list has not.
    linked = answer(opened(app, "?user=u399&page=p398"))
    assert linked[ids.USER]["options"][1] == "u399"
    assert linked[ids.PAGES]["options"][0] == "p398"
    assert linked[ids.USER]["value"] == "u399"
    for control, said in (
        ("user.value", {"user_value": "u399"}),
        ("pages.value", {"pages_value": ["p398"]}),
    ):
        response = changed(app, control, **said)
        assert "options" not in response.get(ids.USER, {})
        assert "options" not in response.get(ids.PAGES, {})
    other = changed(app, "statistic.value", statistic_value="p90")
    assert len(other[ids.USER]["options"]) == 51


def test_an_unexpected_failure_is_one_line_on_the_page(
    app: Dash, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(Durations, "figure", fail)
    response = pick(app, "ann")
    assert response.status_code == 200
    assert set(json.loads(response.data)["sideUpdate"]) == {ids.PROBLEM}
    assert "Something went wrong" in response.text
    assert "secret" not in response.text
    assert "a secret detail" in caplog.text
    monkeypatch.undo()
    assert answer(pick(app, "ann"))[ids.PROBLEM]["children"] == ""


def test_an_unexpected_failure_of_a_section_is_one_line_of_its_own(
    app: Dash, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> dict[str, Any]:
        asked = body(
            app, "story-answered", "story-asked.data", **{"story-asked_data": "?user="}
        )
        found: dict[str, Any] = answer(post(app, asked))["story-answered"]["data"]
        return found

    def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(Story, "answer", fail)
    wrong = told()
    assert wrong["shown"] is None
    assert re.fullmatch(r"Something went wrong \([0-9a-f]{8}\)\.", wrong["problem"])
    assert "a secret detail" in caplog.text
    assert wrong["problem"][-10:-2] in caplog.text
    monkeypatch.undo()
    assert told()["problem"] == ""


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("period", "1999-01"),
        ("period", 7),
        ("dates_start_date", "yesterday"),
        ("dates_start_date", 7),
        ("pages", "home"),
        ("pages", ["nowhere"]),
        ("pages", [7]),
        ("shortest", "10"),
        ("shortest", 10.5),
        ("longest", True),
        ("statistic", "mode"),
        ("statistic", None),
        ("scale", []),
        ("measure", {}),
        ("find", 7),
    ],
)
def test_what_no_control_can_say_is_refused(
    app: Dash, control: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    name = control if control.startswith("dates") else f"{control}_value"
    values: dict[str, Any] = {"dates_end_date": "2024-03-01", name: value}
    id_, _, prop = name.partition("_")
    data = body(app, "user-average.figure", f"{id_}.{prop}", **values)
    assert post(app, data).status_code == 400
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()


@pytest.mark.parametrize("user", ["nobody", "\ud800", 7, 1.5, True, ["ann"], {"a": 1}])
def test_an_impossible_user_is_refused(
    app: Dash, user: Any, caplog: pytest.LogCaptureFixture
) -> None:
    response = pick(app, user)
    assert response.status_code == 400
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()
    assert caplog.records[0].exc_info is None


def sent(app: Dash, user: str, **values: Any) -> int:
    """Bytes that the server sends for a pick: the charts, and the table of users."""
    response = pick(app, user, **values)
    search = answer(response)[ids.URL]["search"]
    users = post(app, body(app, "listed.data", "url.search", url_search=search))
    return len(response.data) + len(users.data)


@pytest.mark.parametrize("n_sessions", [500, 200_000])
def test_a_pick_is_small_however_many_sessions(n_sessions: int) -> None:
    app = create_app(simulate_sessions(n_sessions))
    for values in (
        {},
        {
            "dates_start_date": "2024-03-01",
            "dates_end_date": "2024-03-31",
            "pages_value": ["cart", "home"],
            "shortest_value": 10,
            "longest_value": 60,
        },
        {"statistic_value": "p90", "scale_value": "log", "measure_value": "time"},
    ):
        for user in ("", "user_1", "user_50"):
            assert sent(app, user, **values) <= 20_000


@needs_nasa
def test_a_pick_is_small_with_many_long_names() -> None:
    sessions = list(read_sessions([NASA / "sessions.csv"])[0])
    app = create_app(sessions)
    for user in MemoryEngine(sessions).find_users("", 200):
        assert sent(app, user) <= 20_000


def test_two_apps_live_in_one_process(app: Dash) -> None:
    other = create_app(table([("eve", "home", 1, "2024-01-01")]))
    assert pick(app, "ann").status_code == pick(other, "eve").status_code == 200
    assert pick(app, "eve").status_code == pick(other, "ann").status_code == 400
