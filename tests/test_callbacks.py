import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import plotly.graph_objects as go
import pytest
from dash import Dash
from flask.testing import FlaskClient
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plotly.io.json import to_json_plotly
from werkzeug.test import TestResponse

import callbacks
import figures
import ids
from activity import Activity, Selection
from app import create_app
from security import MAX_BODY
from simulate import simulate_sessions
from sources import read_sessions
from view import Column, Measure, Scale, Statistic, View

from .conftest import NASA, ROWS, Row, needs_nasa, table
from .test_activity import rows_lists, selections

URL = "/_dash-update-component"


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


def text(response: dict[str, Any]) -> dict[str, str]:
    """What is written on the page, by id."""
    written: dict[str, str] = response[ids.WORDS]["data"]["text"]
    return written


def answer(response: TestResponse) -> dict[str, Any]:
    """What the components of a callback's outputs become."""
    assert response.status_code == 200
    parts: dict[str, Any] = json.loads(response.data)["response"]
    return parts


def test_redraw_is_a_plain_function(activity: Activity) -> None:
    drawn, words = callbacks.redraw(activity, View(Selection("ann")))
    assert [trace["name"] for trace in drawn[ids.TOTAL_TIME]["data"]] == ["everyone"]
    for chart in (ids.USER_AVERAGE, ids.DURATIONS, ids.TIMELINE):
        assert {trace["name"] for trace in drawn[chart]["data"]} > {"ann"}
    assert words["caption"] == "ann"
    assert words["address"] == "?user=ann"
    assert words["chips"] == []
    assert words["tables"] == {}


def test_one_callback_redraws_all_charts(app: Dash) -> None:
    response = answer(pick(app, "bob"))
    for chart in ids.CHARTS:
        assert response[chart]["figure"]["data"]
        assert text(response)[ids.finding(chart)]
        assert text(response)[ids.heading(chart)]
    assert response[ids.USER_AVERAGE]["figure"]["data"][0]["x"] == [60, 0, None]
    assert response[ids.URL]["search"] == "?user=bob"
    assert response[ids.PROBLEM]["children"] == ""
    assert text(response)[ids.tile("sessions", "value")] == "3"


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_whatever_is_picked_can_be_drawn(data: st.DataObject) -> None:
    rows = data.draw(rows_lists)
    activity = Activity(table(rows))
    selection = data.draw(selections(activity))
    # No control offers infinity.
    assume(math.inf not in (selection.shortest, selection.longest))
    view = View(
        selection,
        statistic=data.draw(st.sampled_from(get_args(Statistic))),
        scale=data.draw(st.sampled_from(get_args(Scale))),
        timeline=data.draw(st.sampled_from(get_args(Measure))),
        tables=ids.CHARTS,
        sort=data.draw(st.sampled_from(get_args(Column))),
        reverse=data.draw(st.booleans()),
    )
    drawn, words = callbacks.redraw(activity, view)
    for figure in drawn.values():
        go.Figure(figure)
    listed = callbacks.list_users(activity, view)
    for name, sentence in words["text"].items():
        assert sentence or not name.endswith("-finding")
        assert "nan" not in sentence
    assert "NaN" not in to_json_plotly([drawn, words, listed])
    # A chart isn't filtered by what it picks: with a filter, it has as many bars.
    whole, _ = callbacks.redraw(activity, replace(view, selection=Selection()))
    if view.selection.user is None and drawn[ids.TIMELINE]["data"]:
        assert len(drawn[ids.TIMELINE]["data"][0]["x"]) == (
            len(whole[ids.TIMELINE]["data"][0]["x"])
        )


def test_no_user_is_everyone(app: Dash) -> None:
    for user in (None, ""):
        response = answer(pick(app, user))
        assert len(response[ids.DURATIONS]["figure"]["data"]) == 1
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
    assert response[ids.SCALE]["value"] == "log"
    assert response[ids.MEASURE]["value"] == "time"
    assert response[ids.FIND]["value"] == "a"
    written = text(response)
    assert written[ids.tile("sessions", "value")] == "3"
    assert written[ids.heading(ids.USER_AVERAGE)] == "Median Session Duration by Page"
    words = [chip[0] for chip in response[ids.WORDS]["data"]["chips"]]
    assert words == ["29 February to 1 March 2024", "home", "10 s to 50 s", "Clear"]


def test_without_an_address_the_busiest_user_is_shown(app: Dash) -> None:
    for search in (None, "", "?"):
        response = answer(opened(app, search))
        assert response[ids.USER]["value"] == "ann"
        assert response[ids.WORDS]["data"]["address"] == "?user=ann"


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
    assert response[ids.TOTAL_TIME]["figure"]["data"]
    # The next pick says what is shown.
    assert text(answer(pick(app, "ann", url_search=search)))[ids.NOTICE] == ""


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
    # What no control says stays; a sheet of another list of users would be no use.
    assert search == (
        "?user=ann&from=2024-02-29&to=2024-03-02&page=home&page=cart&min=10&max=60"
        "&stat=p90&table=hours&sort=-user"
    )
    values |= {"drawn_data": {"address": search}, "user_value": "ann"}
    values["period_value"] = None
    again = answer(opened(app, search, **values))
    assert again[ids.WORDS] == response[ids.WORDS]
    assert again[ids.TOTAL_TIME] == response[ids.TOTAL_TIME]


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
    assert ids.TOTAL_TIME not in second
    assert {ids.USER_AVERAGE, ids.DURATIONS, ids.TIMELINE, ids.HOURS} < set(second)
    # What the browser says of them is not taken for granted.
    for nonsense in (7, "x", {"total-time": "x"}):
        again = answer(pick(app, "bob", drawn_data=nonsense))
        assert ids.TOTAL_TIME in again


def listed(app: Dash, search: str) -> dict[str, Any]:
    data = body(app, "listed.data", "url.search", url_search=search)
    words: dict[str, Any] = answer(post(app, data))[ids.LISTED]["data"]
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
    assert words["text"][ids.tile("sessions", "rank")] == "2nd of 3"
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
        assert {*ids.CHARTS, ids.USER} <= used


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


def test_an_unexpected_failure_is_one_line_on_the_page(
    app: Dash, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(figures, "durations", fail)
    response = pick(app, "ann")
    assert response.status_code == 200
    assert set(json.loads(response.data)["sideUpdate"]) == {ids.PROBLEM}
    assert "Something went wrong" in response.text
    assert "secret" not in response.text
    assert "a secret detail" in caplog.text
    monkeypatch.undo()
    assert answer(pick(app, "ann"))[ids.PROBLEM]["children"] == ""


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


def without(key: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda good: {k: v for k, v in good.items() if k != key}


def replaced(**parts: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda good: {**good, **parts}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: None,
        lambda _: [],
        lambda _: {},
        lambda _: 3,
        lambda _: "text",
        without("output"),
        without("inputs"),
        replaced(output="nothing.children"),
        replaced(output="two\nlines\x1b[31m.children"),
        replaced(output=None),
        replaced(output=["a"]),
        replaced(inputs=None),
        replaced(inputs=[]),
        replaced(inputs=[None]),
        replaced(inputs="user"),
        replaced(inputs=[{"id": "user"}]),
        replaced(inputs=[{"id": "user", "property": "value", "value": "ann"}] * 2),
        replaced(inputs=[[{"id": "user", "property": "value", "value": "ann"}]]),
        replaced(outputs=7),
        replaced(outputs=[]),
        replaced(outputs={"id": "a", "property": "b"}),
        replaced(state=3),
        replaced(state=[{"id": "user", "property": "value", "value": "ann"}]),
        replaced(changedPropIds=7),
        replaced(changedPropIds=[None]),
    ],
)
def test_a_malformed_body_is_refused(
    app: Dash,
    spoil: Callable[[dict[str, Any]], Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = body(app, "user-average.figure", "user.value", user_value="ann")
    response = post(app, spoil(good))
    # What Dash can make sense of all the same is answered as usual.
    assert response.status_code == 200 or 400 <= response.status_code < 500
    assert len(caplog.records) == (response.status_code != 200)
    for record in caplog.records:
        assert "\n" not in record.getMessage()
        assert record.exc_info is None


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    client: FlaskClient = app.server.test_client()
    return client


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"[" * 20_000, b'{"a":' * 9_000, b"NaN"]
)
def test_what_is_not_json_is_refused(
    client: FlaskClient, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.post(URL, data=data, content_type="application/json")
    assert response.status_code == 400
    assert len(caplog.records) == 1
    response = client.post(URL, data=data, content_type="text/plain")
    assert response.status_code == 415


def test_a_large_body_is_refused(client: FlaskClient) -> None:
    data = b'"' + b"x" * MAX_BODY + b'"'
    response = client.post(URL, data=data, content_type="application/json")
    assert response.status_code == 413


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_another_host_is_refused(client: FlaskClient, host: str) -> None:
    for path in ("/", "/_dash-layout", "/assets/style.css"):
        with client.get(path, headers={"Host": host}) as response:
            assert response.status_code == 400


def test_named_hosts_are_answered() -> None:
    app = create_app(table(ROWS), hosts=["Stats.example", "2001:db8::1"])
    client = app.server.test_client()
    for host in ("stats.example:8050", "STATS.example.", "localhost", "127.0.0.1:80"):
        assert client.get("/", headers={"Host": host}).status_code == 200
    for host in ("[::1]:8050", "[2001:db8::1]"):
        assert client.get("/", headers={"Host": host}).status_code == 200
    for host in ("example", "stats.example.evil", "[::2]", "2001:db8::1", ":8050"):
        assert client.get("/", headers={"Host": host}).status_code == 400


def test_headers(client: FlaskClient) -> None:
    for path in ("/", "/_dash-layout", "/nowhere", "/assets/style.css"):
        with client.get(path) as response:
            headers = response.headers
        policy = headers["Content-Security-Policy"]
        scripts = next(p for p in policy.split("; ") if p.startswith("script-src"))
        assert "unsafe" not in scripts
        assert "'sha256-" in scripts
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'self'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_dash-component-suites/dash/../../etc/passwd", 404),
        ("/_dash-component-suites/os/path.py", 404),
        ("/_dash-component-suites/dash/nothing.js", 404),
        ("/assets/nothing.css", 404),
        ("/assets/../app.py", 404),
    ],
)
def test_paths_that_lead_nowhere(client: FlaskClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


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
    for user in Activity(sessions).find_users("", 200):
        assert sent(app, user) <= 20_000


def test_two_apps_live_in_one_process(app: Dash) -> None:
    other = create_app(table([("eve", "home", 1, "2024-01-01")]))
    assert pick(app, "ann").status_code == pick(other, "eve").status_code == 200
    assert pick(app, "eve").status_code == pick(other, "ann").status_code == 400
