import json
from collections.abc import Callable
from typing import Any

import pytest
from dash import Dash, Input, Output, State, clientside_callback, html
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

import uploads
from app import create_app
from security import MAX_BODY, protect
from tests.examples import examples
from tests.sessions import ROWS, table

URL = "/_dash-update-component"

Call = dict[str, Any]


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    client: FlaskClient = app.server.test_client()
    return client


@pytest.fixture(scope="module", params=[False, True], ids=["production", "debug"])
def served(request: pytest.FixtureRequest) -> Dash:
    """An app as it is served, in both modes."""
    app = create_app(table(ROWS))
    if request.param:
        app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
    return app


def good_call(app: Dash) -> Call:
    """What the page sends when it is opened: all that it shows is asked for."""
    specs = app.server.test_client().get("/_dash-dependencies").json
    (spec,) = [spec for spec in specs if "total-time.figure" in spec["output"]]
    outputs = spec["output"].strip(".").split("...")
    ids = [output.rpartition(".")[::2] for output in outputs]
    return {
        "output": spec["output"],
        "outputs": [{"id": id_, "property": name} for id_, name in ids],
        "inputs": spec["inputs"],
        "state": spec["state"],
        "changedPropIds": ["url.search"],
        "parsedChangedPropsIds": ["url.search"],
    }


def post(app: Dash, data: Any) -> TestResponse:
    client: FlaskClient = app.server.test_client()
    return client.post(URL, data=json.dumps(data), content_type="application/json")


def without(key: str) -> Callable[[Call], Call]:
    return lambda good: {k: v for k, v in good.items() if k != key}


def replaced(**parts: Any) -> Callable[[Call], Call]:
    return lambda good: {**good, **parts}


def changed(part: str, change: Callable[[list[Any]], Any]) -> Callable[[Call], Call]:
    return lambda good: {**good, part: change(good[part])}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


USER = {"id": "user", "property": "value", "value": "ann"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: None,
        lambda _: [],
        lambda _: {},
        lambda _: 3,
        lambda _: "text",
        without("output"),
        without("outputs"),
        without("inputs"),
        without("state"),
        without("changedPropIds"),
        replaced(output="nothing.children"),
        replaced(output="two\nlines\x1b[31m.children"),
        replaced(output=None),
        replaced(output=["a"]),
        replaced(inputs=None),
        replaced(inputs=[]),
        replaced(inputs=[None]),
        replaced(inputs="user"),
        replaced(inputs=[{"id": "user"}]),
        replaced(inputs=[USER] * 2),
        replaced(inputs=[[USER]]),
        changed("inputs", lambda inputs: inputs[::-1]),
        changed("inputs", lambda inputs: inputs[1:]),
        changed("inputs", lambda inputs: [*inputs, USER]),
        changed("inputs", lambda inputs: [{"id": [], "property": {}}, *inputs[1:]]),
        changed("inputs", lambda inputs: [{**inputs[0], "value": nested(900)}]),
        changed(
            "inputs",
            lambda inputs: [{**inputs[0], "value": nested(900)}, *inputs[1:]],
        ),
        replaced(outputs=7),
        replaced(outputs=None),
        replaced(outputs=[]),
        replaced(outputs={"id": "a", "property": "b"}),
        changed("outputs", lambda outputs: outputs[1:]),
        changed("outputs", lambda outputs: [[output] for output in outputs]),
        replaced(state=3),
        replaced(state=None),
        replaced(state=[USER]),
        replaced(changedPropIds=7),
        replaced(changedPropIds=[None]),
        replaced(changedPropIds=[[]]),
        replaced(changedPropIds=["{.x"]),
        replaced(changedPropIds="url.search"),
    ],
)
def test_a_malformed_call_is_refused(
    served: Dash, spoil: Callable[[Call], Any], caplog: pytest.LogCaptureFixture
) -> None:
    good = good_call(served)
    assert post(served, good).status_code == 200
    assert not caplog.records
    response = post(served, spoil(good))
    assert response.status_code == 400
    assert response.content_type == "text/plain; charset=utf-8"
    assert "\n" not in response.text
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert record.exc_info is None


def test_no_depth_of_nesting_is_a_failure(
    served: Dash, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = good_call(served)["inputs"]
    call = {**good_call(served), "inputs": [{**first, "value": "nested"}, *others]}
    text = json.dumps(call)
    # Python reads nested JSON at a depth of calls at which it can't print it any more.
    for depth in range(800, 1_000, 4):
        data = text.replace('"nested"', "[" * depth + "]" * depth)
        response = served.server.test_client().post(
            URL, data=data, content_type="application/json"
        )
        assert response.status_code == 400
    assert all(record.exc_info is None for record in caplog.records)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=5,
)


@examples(150)
@given(st.data())
def test_no_body_is_a_failure_of_the_server(served: Dash, data: st.DataObject) -> None:
    body = good_call(served)
    # Somewhere in it, something else.
    place: Any = body
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if not (isinstance(place[key], dict | list) and place[key]):
            break
        if data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(json_values)
    assert post(served, body).status_code in (200, 400)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"[" * 20_000, b'{"a":' * 9_000, b"NaN"]
)
def test_what_is_not_json_is_refused(
    served: Dash, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = served.server.test_client()
    response = client.post(URL, data=data, content_type="application/json")
    assert response.status_code == 400
    assert len(caplog.records) == 1
    response = client.post(URL, data=data, content_type="text/plain")
    assert response.status_code == 415
    assert all(record.exc_info is None for record in caplog.records)


def test_a_large_body_is_refused(client: FlaskClient) -> None:
    data = b'"' + b"x" * MAX_BODY + b'"'
    response = client.post(URL, data=data, content_type="application/json")
    assert response.status_code == 413


def test_hundreds_of_long_page_names_can_be_picked() -> None:
    names = [f"/{n}/{'long-name/' * 40}" for n in range(1_000)]
    app = create_app(table([("ann", name, 1, "2024-01-01") for name in names]))
    call = good_call(app)
    for control in call["inputs"]:
        if control["id"] == "pages":
            control["value"] = names
    # The page sends what it shows as well.
    assert 400_000 < len(json.dumps(call)) < MAX_BODY
    assert post(app, call).status_code == 200


def small_app(*, use_async: bool, debug: bool) -> Dash:
    """An app with callbacks of each form, of which one fails."""
    app = Dash(__name__, use_async=use_async)
    app.layout = html.Div([html.Div(id="a"), html.Div(id="b"), html.Div(id="c")])

    @app.callback(
        Output("a", "children"), Input("b", "n_clicks"), State("c", "children")
    )
    def one(n: Any, text: Any) -> str:
        return f"{n}{text}"

    @app.callback(Input("b", "n_clicks"))
    def none(_: Any) -> None:
        raise RuntimeError("a secret detail")

    @app.callback(
        Output("c", "title"), Input("b", "n_clicks"), prevent_initial_call=True
    )
    def unspeakable(_: Any) -> object:
        return object()

    clientside_callback("() => 1", Output("b", "title"), Input("a", "children"))
    with app.server.test_request_context():
        app.server.preprocess_request()
    protect(app)
    if debug:
        app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
    return app


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def use_async(request: pytest.FixtureRequest) -> bool:
    # tests/run runs these once more where it is there.
    if request.param:
        pytest.importorskip("asgiref")
    use: bool = request.param
    return use


@pytest.mark.parametrize("debug", [False, True])
def test_calls_of_each_form_are_let_in(
    use_async: bool, debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = small_app(use_async=use_async, debug=debug)
    clicks = {"id": "b", "property": "n_clicks", "value": 5}
    call = {
        "output": "a.children",
        "outputs": {"id": "a", "property": "children"},
        "inputs": [clicks],
        "state": [{"id": "c", "property": "children", "value": "x"}],
        "changedPropIds": [],
    }
    response = post(app, call)
    assert response.status_code == 200
    assert json.loads(response.data)["response"] == {"a": {"children": "5x"}}
    for bad in (
        {**call, "outputs": [{"id": "a", "property": "children"}]},
        {**call, "outputs": {"id": "c", "property": "title"}},
        {**call, "inputs": [{**clicks, "id": "c"}]},
        {**call, "inputs": [{**clicks, "value": nested(20)}]},
        {**call, "output": "c.title"},
        # This one runs in the browser.
        {
            "output": "b.title",
            "outputs": {"id": "b", "property": "title"},
            "inputs": [{"id": "a", "property": "children", "value": ""}],
            "changedPropIds": [],
        },
    ):
        assert post(app, bad).status_code == 400
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize("debug", [False, True])
def test_a_failure_of_the_server_is_told_as_one(
    use_async: bool, debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = small_app(use_async=use_async, debug=debug)
    call = {
        "output": "c.title",
        "outputs": {"id": "c", "property": "title"},
        "inputs": [{"id": "b", "property": "n_clicks", "value": 1}],
        "changedPropIds": ["b.n_clicks"],
    }
    assert post(app, call).status_code == 500
    if not debug:
        # In debug mode Dash has the traceback shown in the page.
        assert any(record.exc_info for record in caplog.records)


def test_a_callback_that_fails_is_told_on_the_page(
    served: Dash, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("callbacks.redraw", fail)
    response = post(served, good_call(served))
    assert response.status_code == 200
    assert "Something went wrong" in response.text
    assert "secret" not in response.text
    assert "a secret detail" in caplog.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_another_host_is_refused(client: FlaskClient, host: str) -> None:
    for path in ("/", "/_dash-layout", "/assets/style.css"):
        with client.get(path, headers={"Host": host}) as response:
            assert response.status_code == 400


def test_named_hosts_are_answered() -> None:
    hosts = ["Stats.example", "[2001:DB8:0::1]", "bücher.example."]
    client = create_app(table(ROWS), hosts=hosts).server.test_client()
    for host in (
        "stats.example:8050",
        "STATS.example.",
        "localhost",
        "127.0.0.1:80",
        "[::1]:8050",
        "[2001:db8::1]",
        "xn--bcher-kva.example",
    ):
        assert client.get("/", headers={"Host": host}).status_code == 200
    for host in ("example", "stats.example.evil", "[::2]", "2001:db8::1", ":8050"):
        assert client.get("/", headers={"Host": host}).status_code == 400


def test_hosts_and_origins_are_several_texts() -> None:
    with pytest.raises(TypeError, match=r"write \['stats\.example\.org'\]"):
        create_app(table(ROWS), hosts="stats.example.org")
    with pytest.raises(TypeError, match=r"write \['https://example\.org'\]"):
        create_app(table(ROWS), embed="https://example.org")
    with pytest.raises(TypeError, match="a host name is text, not 7"):
        create_app(table(ROWS), hosts=[7])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="is not a host name"):
        create_app(table(ROWS), hosts=["localhost", "two words"])


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
        assert headers["Referrer-Policy"] == "same-origin"


def test_pages_that_may_show_it_in_a_frame() -> None:
    embed = ["https://wiki.example.org/", "http://*.Example.net:8080"]
    app = create_app(table(ROWS), embed=embed, uploading=uploads.Settings())
    headers = app.server.test_client().get("/").headers
    policy = headers["Content-Security-Policy"].split("; ")
    allowed = "https://wiki.example.org http://*.example.net:8080"
    assert f"frame-ancestors {allowed}" in policy
    assert "X-Frame-Options" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/_dash-component-suites/dash/../../etc/passwd",
        "/_dash-component-suites/os/path.py",
        "/_dash-component-suites/dash/nothing.js",
        "/assets/nothing.css",
        "/assets/../app.py",
    ],
)
def test_paths_that_lead_nowhere(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
