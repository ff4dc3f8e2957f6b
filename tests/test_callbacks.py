import json
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import pytest
from dash import Dash
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

import callbacks
import figures
import ids
from activity import Activity, Selection
from app import create_app
from security import MAX_BODY
from simulate import simulate_sessions
from sources import read_sessions

from .conftest import NASA, ROWS, Row, needs_nasa, table
from .test_activity import rows_lists, selections

URL = "/_dash-update-component"


def body(app: Dash, output: str, **values: Any) -> dict[str, Any]:
    """What the page sends when the first input of a callback changes."""
    client = app.server.test_client()
    (spec,) = [
        callback
        for callback in client.get("/_dash-dependencies").json
        if output in callback["output"]
    ]
    outputs = [part.split(".") for part in spec["output"].strip(".").split("...")]
    named = [{"id": id_, "property": prop} for id_, prop in outputs]

    def filled(parts: list[dict[str, str]]) -> list[dict[str, Any]]:
        return [{**p, "value": values[p["id"] + "_" + p["property"]]} for p in parts]

    return {
        "output": spec["output"],
        "outputs": named if spec["output"].startswith("..") else named[0],
        "inputs": filled(spec["inputs"]),
        "state": filled(spec["state"]),
        "changedPropIds": ["{id}.{property}".format(**spec["inputs"][0])],
    }


def post(app: Dash, data: Any) -> TestResponse:
    client: FlaskClient = app.server.test_client()
    return client.post(URL, data=json.dumps(data), content_type="application/json")


def pick(app: Dash, user: Any) -> TestResponse:
    return post(app, body(app, ids.TOTAL_TIME, user_value=user))


def answer(response: TestResponse) -> dict[str, Any]:
    """What the components of a callback's outputs become."""
    assert response.status_code == 200
    parts: dict[str, Any] = json.loads(response.data)["response"]
    return parts


def test_redraw_is_a_plain_function(activity: Activity) -> None:
    redrawn = callbacks.redraw(activity, Selection("ann"))
    assert redrawn.total_time["data"][0]["name"] == "everyone"
    assert redrawn.user_average["data"][0]["name"] == "ann"
    assert redrawn.durations["data"][1]["name"] == "ann"
    assert redrawn.problem == ""


def test_one_callback_redraws_all_three_charts(app: Dash) -> None:
    response = answer(pick(app, "bob"))
    for chart in ids.CHARTS:
        assert response[chart]["figure"]["data"]
        assert response[ids.finding(chart)]["children"]
    assert response[ids.USER_AVERAGE]["figure"]["data"][0]["x"] == [60, 0, None]
    assert response[ids.PROBLEM]["children"] == ""


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_whatever_is_picked_can_be_drawn(data: st.DataObject) -> None:
    rows = data.draw(rows_lists)
    activity = Activity(table(rows))
    redrawn = callbacks.redraw(activity, data.draw(selections(activity)))
    for figure in redrawn[:3]:
        go.Figure(figure)
    for sentence in redrawn[3:6]:
        assert sentence
        assert "nan" not in sentence
    assert "NaN" not in json.dumps(redrawn)


def test_no_user_is_everyone(app: Dash) -> None:
    response = answer(pick(app, None))
    assert len(response[ids.DURATIONS]["figure"]["data"]) == 1


def test_every_id_of_a_callback_is_in_the_layout() -> None:
    rows: list[Row] = [(f"u{i}", "p", 1, "2024-01-01") for i in range(301)]
    for data in (ROWS, rows):
        app = create_app(table(data))
        there = {component.id for component in app.layout._traverse_ids()}
        dependencies = app.server.test_client().get("/_dash-dependencies").json
        assert len(dependencies) == (1 if data is ROWS else 2)
        used = set()
        for callback in dependencies:
            outputs = callback["output"].strip(".").split("...")
            used |= {output.rsplit(".", 1)[0] for output in outputs}
            used |= {part["id"] for part in callback["inputs"] + callback["state"]}
        assert used <= there
        assert {*ids.CHARTS, ids.USER} <= used


def test_many_users_are_searched_on_the_server() -> None:
    rows: list[Row] = [(f"user {i}", "p", 1, "2024-01-01") for i in range(1_000)]
    app = create_app(table([*rows, rows[7]]))
    dropdown = next(c for c in app.layout._traverse_ids() if c.id == ids.USER)
    assert len(dropdown.options) == 50
    assert dropdown.options[0] == dropdown.value == "user 7"

    def search(text: Any, user: Any) -> list[str]:
        data = body(app, "user.options", user_search_value=text, user_value=user)
        options: list[str] = answer(post(app, data))["user"]["options"]
        return options

    found = search("user 99", "user 3")
    assert found[0] == "user 3"
    assert set(found[1:]) == {"user 99", *(f"user {i}" for i in range(990, 1000))}
    assert search("nobody", "user 3") == ["user 3"]
    assert search("nobody", "nobody") == []
    assert len(search("", None)) == len(search(None, None)) == 50


def test_an_unexpected_failure_is_one_line_on_the_page(
    app: Dash, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
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
    "user", ["nobody", "", "\ud800", 7, 1.5, True, ["ann"], {"a": 1}]
)
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
    good = body(app, ids.TOTAL_TIME, user_value="ann")
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


@pytest.mark.parametrize("n_sessions", [500, 200_000])
def test_a_pick_is_small_however_many_sessions(n_sessions: int) -> None:
    app = create_app(simulate_sessions(n_sessions))
    for user in ("user_1", "user_50"):
        assert len(pick(app, user).data) <= 10_000


@needs_nasa
def test_a_pick_is_small_with_many_long_names() -> None:
    sessions = list(read_sessions([NASA / "sessions.csv"])[0])
    app = create_app(sessions)
    for user in Activity(sessions).find_users("", 200):
        assert len(pick(app, user).data) <= 10_000


def test_two_apps_live_in_one_process(app: Dash) -> None:
    other = create_app(table([("eve", "home", 1, "2024-01-01")]))
    assert pick(app, "ann").status_code == pick(other, "eve").status_code == 200
    assert pick(app, "eve").status_code == pick(other, "ann").status_code == 400
