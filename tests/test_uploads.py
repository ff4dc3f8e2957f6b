"""Files that are dropped on the page: received, understood, shown, and forgotten."""

import gc
import gzip
import io
import json
import tempfile
import threading
import time
import weakref
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
import xlsxwriter
from dash import Dash, _get_app
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

import app as app_module
import arguments
import uploads
from app import create_app
from identity import HEADER
from sources import Origin, ReadOptions, pack, read_bytes, unpack
from tests.examples import examples
from tests.programs import ROOT
from tests.sessions import ROWS, table
from uploads.fields import read_options
from uploads.shown import Front, ShownFiles
from uploads.timer import Sweeper

OURS = {"Sec-Fetch-Site": "same-origin"}
CSV = b"user_id,page,duration,timestamp\nann,home,5,2024-01-01T10:00\n"
OTHER = b"who;where;when\nbob;cart;2024-02-01T10:00\nbob;help;2024-02-01T10:05\n"
SETTINGS = uploads.Settings(is_local=True)
ANY = "0.0.0.0"  # noqa: S104
SIMULATED = Origin("Simulated data (seed 1)", is_simulated=True)


def make_app(settings: uploads.Settings | None = SETTINGS) -> Dash:
    return create_app(table(ROWS), SIMULATED, uploading=settings)


@pytest.fixture
def client() -> FlaskClient:
    client: FlaskClient = make_app().server.test_client()
    return client


def post(client: FlaskClient, path: str, body: object, **headers: str) -> TestResponse:
    return client.post(path, json=body, headers={**OURS, **headers})


def send(client: FlaskClient, data: bytes, name: str = "a.csv") -> str:
    """Send a file in slices; returns its token."""
    begun = post(client, "/upload", {"name": name, "size": len(data)})
    assert begun.status_code == 200, begun.text
    token, size = begun.json["file"], begun.json["slice"]  # type: ignore[index]
    for at in range(0, len(data), size):
        answer = client.post(
            f"/upload/{token}/{at}",
            data=data[at : at + size],
            content_type="application/octet-stream",
            headers=OURS,
        )
        assert answer.json == {"next": min(at + size, len(data))}
    return str(token)


def check(client: FlaskClient, token: str, **fields: object) -> dict[str, Any]:
    """What is understood of a file that was sent."""
    begun = post(client, f"/upload/{token}/check", fields)
    assert begun.status_code == 200, begun.text
    number = begun.json["check"]  # type: ignore[index]
    found: list[dict[str, Any]] = []

    def is_over() -> bool:
        answer = client.get(f"/upload/{token}/check/{number}")
        assert answer.status_code == 200, answer.text
        found[:] = [dict(answer.json or {})]
        return bool(found[0]["state"] != "reading")

    wait_until(is_over)
    return found[0]


def wait_until(is_so: Callable[[], bool]) -> None:
    stop = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < stop
        threading.Event().wait(0.005)


def show(client: FlaskClient, token: str, number: int, come_from: str = "") -> str:
    """Have what was understood shown; returns its address."""
    shown = post(client, f"/upload/{token}/show", {"check": number, "from": come_from})
    assert shown.status_code == 200, shown.text
    return str(shown.json["address"])  # type: ignore[index]


def show_file(client: FlaskClient, data: bytes, name: str = "a.csv") -> str:
    token = send(client, data, name)
    return show(client, token, check(client, token)["check"])


def layout_of(client: FlaskClient, address: str) -> str:
    answer = client.get(f"{address}_dash-layout")
    assert answer.status_code == 200, answer.text
    return answer.text.replace(r"\u002f", "/").replace(r"\"", "'")


def inner(layer: Any) -> object:
    """What is within the layers that say which requests are for it."""
    while hasattr(layer, "_application"):
        layer = layer._application
    return layer


def front(client: FlaskClient) -> Front:
    """What answers before the first page's application."""
    layer = inner(client.application.wsgi_app)
    assert isinstance(layer, Front)
    return layer


def shown_files(client: FlaskClient) -> ShownFiles:
    return front(client).files


def test_says_what_was_understood(client: FlaskClient) -> None:
    assert check(client, send(client, CSV)) == {
        "state": "read",
        "check": 1,
        "line": "a.csv: 1 session of 1 user on 1 page, 1 January 2024 10:00 UTC.",
        "alarm": "",
        "sections": [
            [
                "a.csv",
                [
                    "CSV, separated by commas, UTF-8.",
                    "User: user_id.",
                    "Page: page.",
                    "Time: timestamp, ISO 8601, UTC where no zone is named.",
                    "Duration: duration, in seconds.",
                    "1 row read, 1 kept.",
                ],
            ]
        ],
        "columns": ["user_id", "page", "duration", "timestamp"],
        "n_columns": 4,
        "taken": {
            "user": ["user_id"],
            "page": ["page"],
            "time": ["timestamp"],
            "duration": ["duration"],
        },
        "is_log": False,
        "sites": [],
    }


def test_says_which_columns_there_are_where_some_are_lacking(
    client: FlaskClient,
) -> None:
    token = send(client, OTHER, "b.csv")
    found = check(client, token)
    assert found["state"] == "failed"
    assert found["error"].startswith("b.csv: no column for the user (looked for ")
    assert found["columns"] == ["who", "where", "when"]
    assert found["taken"] == {}
    found = check(client, token, user="who", page="where", time="when")
    assert found["check"] == 2
    assert found["line"] == (
        "b.csv: 2 sessions of 1 user on 2 pages, 1 February 2024 10:00 to 10:05 UTC. "
        "Unknown durations: 1 (left out of times). Durations are derived: the time to "
        "the same user's next row, unknown where that is over 30 min away or there is "
        "none."
    )
    # The first check is of the past.
    assert client.get(f"/upload/{token}/check/1").status_code == 409
    assert post(client, f"/upload/{token}/show", {"check": 1}).status_code == 409


def test_columns_are_known_where_values_are_wrong(client: FlaskClient) -> None:
    data = CSV.replace(b"2024-01-01T10:00", b"31/12/2024 13:45")
    token = send(client, data)
    found = check(client, token)
    assert "--time-format '%d/%m/%Y %H:%M'" in found["error"]
    assert found["taken"]["time"] == ["timestamp"]
    found = check(client, token, time_format="%d/%m/%Y %H:%M")
    assert "31 December 2024 13:45" in found["line"]


def test_thousands_of_columns_are_few(client: FlaskClient) -> None:
    names = [f"c{n}" for n in range(7_000)] + ["x" * 4_000]
    head = ",".join([*names, "user_id", "page", "timestamp"])
    row = ",".join(["1"] * 7_001 + ["ann", "home", "2024-01-01"])
    found = check(client, send(client, f"{head}\n{row}\n".encode()))
    assert found["n_columns"] == 7_004
    assert found["columns"][:2] == ["c0", "c1"]
    assert found["columns"][-3:] == ["user_id", "page", "timestamp"]
    assert len(found["columns"]) == 2_003


def test_a_large_file_comes_in_slices(client: FlaskClient) -> None:
    data = CSV + b"bob,cart,7,2024-01-02T10:00\n" * 100_000
    assert len(data) > 2 * uploads.routes.SLICE
    found = check(client, send(client, data))
    assert "100,001 sessions of 2 users" in found["line"]


def test_the_page_of_a_file(client: FlaskClient) -> None:
    address = show_file(client, CSV, "<b>my</b> file.csv")
    assert address.startswith("/data/")
    page = client.get(address)
    assert page.status_code == 200
    # Scripts are those of the first page, which browsers know already.
    assert 'src="/_dash-component-suites/' in page.text
    assert 'src="/assets/page' in page.text
    config = page.text.replace(r"\u002f", "/")
    assert f'"requests_pathname_prefix":"{address}"' in config
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    layout = layout_of(client, address)
    assert "&lt;b&gt;my&lt;/b&gt; file.csv: 1 session of 1 user" in layout
    assert "Back to the simulated data" in layout
    assert f"{address}sessions.csv" in layout
    assert "ann,home,5.0" in client.get(f"{address}sessions.csv").text
    saved = client.get(f"{address}view.html?user=ann")
    assert "&lt;b&gt;my&lt;/b&gt; file.csv" in saved.text
    assert client.get(address[:-1]).headers["Location"] == address


@pytest.mark.parametrize(
    ("environment", "root", "routes"),
    [
        ({"URL_BASE_PATHNAME": "/stats/"}, "/stats/", "/stats/"),
        ({"REQUESTS_PATHNAME_PREFIX": "/stats/"}, "/stats/", "/"),
        (
            {"REQUESTS_PATHNAME_PREFIX": "/a/b/", "ROUTES_PATHNAME_PREFIX": "/b/"},
            *("/a/b/", "/b/"),
        ),
    ],
)
def test_the_page_of_a_file_behind_a_prefix(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    root: str,
    routes: str,
) -> None:
    for name, prefix in environment.items():
        monkeypatch.setenv(f"DASH_{name}", prefix)
    # What stands in front of it takes the first part away.
    front = root.removesuffix(routes)

    class Behind(FlaskClient):
        def open(self, *args: Any, **kwargs: Any) -> TestResponse:
            path = args[0].removeprefix(front)
            is_upload = path.startswith("/upload")
            path = routes + path[1:] if is_upload else path
            return super().open(path, *args[1:], **kwargs)

    app = make_app()
    app.server.test_client_class = Behind
    client = app.server.test_client()
    address = show_file(client, CSV)
    assert address.startswith(f"{root}data/")
    page = client.get(address)
    assert page.status_code == 200
    assert f'"{root}assets/page.js' in page.text
    assert "a.csv" in layout_of(client, address)
    assert client.get(f"{address}sessions.csv").status_code == 200


def test_the_way_back_from_the_page_of_a_file(client: FlaskClient) -> None:
    first = show_file(client, CSV)
    token = send(client, CSV, "b.csv")
    known = first.split("/")[-2]
    second = show(client, token, check(client, token)["check"], known)
    layout = layout_of(client, second)
    assert "Back to a.csv" in layout
    assert f"href='{first}'" in layout
    assert "Back to the simulated data" in layout
    assert "Back to a.csv" not in layout_of(client, first)


def test_two_files_do_not_meet(client: FlaskClient) -> None:
    one = show_file(client, CSV)
    two = show_file(client, CSV.replace(b"ann", b"bob"), "b.csv")
    assert "ann" in client.get(f"{one}sessions.csv").text
    assert "bob" not in client.get(f"{one}sessions.csv").text
    assert "bob" in client.get(f"{two}sessions.csv").text
    assert "ann" not in client.get(f"{two}sessions.csv").text
    versions = {client.get(at).headers[HEADER] for at in ("/", one, two)}
    assert len(versions) == 3


@pytest.mark.parametrize(
    "path",
    ["/data/unknown/", "/data/unknown", "/data/unknown/?user=x"],
)
def test_a_file_that_is_not_held(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 410
    assert "No file is held here any more" in answer.text
    assert '<a href="/">Open the first page</a>' in answer.text


def test_what_is_asked_of_a_file_that_is_not_held(client: FlaskClient) -> None:
    for ask in (client.get, client.post):
        answer = ask("/data/unknown/_dash-update-component")
        assert answer.status_code == 410
        assert answer.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
)
def test_other_sites_send_nothing(client: FlaskClient, headers: dict[str, str]) -> None:
    begin = {"name": "a", "size": 1}
    assert client.post("/upload", json=begin, headers=headers).status_code == 403
    token = send(client, CSV)
    for path in (f"/upload/{token}/0", f"/upload/{token}/check"):
        assert client.post(path, json={}, headers=headers).status_code == 403
    path = f"/upload/{token}"
    assert client.delete(path, headers=headers).status_code == 403
    assert check(client, token)["state"] == "read"


def test_the_page_itself_may_send_where_a_browser_says_only_its_origin(
    client: FlaskClient,
) -> None:
    body = {"name": "a", "size": 1}
    ours = {"Origin": "http://localhost"}
    assert client.post("/upload", json=body, headers=ours).status_code == 200


def test_forms_send_nothing(client: FlaskClient) -> None:
    text = json.dumps({"name": "a", "size": 1})
    for type_ in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = client.post("/upload", data=text, content_type=type_, headers=OURS)
        assert answer.status_code == 415
    token = send(client, b"")
    answer = client.post(f"/upload/{token}/0", data=b"", headers=OURS)
    assert answer.status_code == 400


def test_other_hosts_are_refused(client: FlaskClient) -> None:
    answer = post(client, "/upload", {"name": "a", "size": 1}, Host="evil.example")
    assert answer.status_code == 400
    address = show_file(client, CSV)
    answer = client.get(address, headers={"Host": "evil.example"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        *([], "x", 5, {}, {"name": "a"}, {"size": 1}, {"name": 1, "size": 1}),
        *({"name": "a", "size": -1}, {"name": "a", "size": 1.5}),
        *({"name": "a", "size": True}, {"name": "a", "size": "1"}),
        {"name": "a", "size": 10**400},
    ],
)
def test_what_begins_no_file(client: FlaskClient, body: object) -> None:
    assert post(client, "/upload", body).status_code == 400


def test_malformed_bodies(client: FlaskClient) -> None:
    token = send(client, CSV)
    for path in ("/upload", f"/upload/{token}/check", f"/upload/{token}/show"):
        for text in (b"", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000):
            answer = client.post(
                path, data=text, content_type="application/json", headers=OURS
            )
            assert answer.status_code == 400
            assert answer.content_type.startswith("text/plain")
            assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"colour": "red"}, "there is no field 'colour'"),
        ({"user": 1}, "1 is not a short text"),
        ({"user": "x" * 20_001}, "is not a short text"),
        ({"visit_gap": "30min"}, "'30min' is not a number of seconds"),
        ({"visit_gap": True}, "True is not a number of seconds"),
        ({"visit_gap": 0}, "0 is not a number of seconds"),
        ({"visit_gap": 1e300}, "1e+300 is not a number of seconds"),
        ({"decimal": ";"}, "';' is none of ., ,"),
        ({"duration_unit": "year"}, "'year' is none of"),
        ({"header": "false"}, "'false' is neither true nor false"),
        ({"time_format": "%d"}, "'%d' leaves the day open: it needs %Y, %m and %d"),
        ({"times_in": "Mars/Base"}, "there is no time zone 'Mars/Base'"),
        ({"encoding": "klingon"}, "there is no encoding 'klingon'"),
        ({"merge_pages": "query,colour"}, "'colour' is none of query,"),
        ({"where": [["a", "b"]]}, "is not a short text"),
        ({"statuses": "20"}, "'20' is no status"),
        ({"assets": ","}, "has an empty ending"),
        ({"shown_in": "Nowhere/At_all"}, "there is no time zone 'Nowhere/At_all'"),
        ({"drop_repeated": True}, "there is no field 'drop_repeated'"),
    ],
)
def test_options_that_are_refused(
    client: FlaskClient, fields: dict[str, object], words: str
) -> None:
    token = send(client, CSV)
    answer = post(client, f"/upload/{token}/check", fields)
    assert answer.status_code == 400
    assert words in answer.text


def test_options_are_those_of_the_command_line() -> None:
    said = {
        "user": "u",
        "page": "p",
        "time": "d+t",
        "end": "e",
        "duration": None,
        "duration_unit": "ms",
        "decimal": ",",
        "header": False,
        "visit_gap": 900,
        "time_format": "%d/%m/%Y",
        "times_in": "Europe/Berlin",
        "escape": True,
        "zero_is_unknown": True,
        "negative_is_unknown": True,
        "sheet": "s",
        "merge_pages": "query,host",
        "encoding": "cp1252",
        "keep_bots": True,
        "allow_left_out": True,
        "statuses": "200,404",
        "assets": ".css",
        "where": "shop.example",
    }
    expected = {
        **said,
        "merge_pages": frozenset({"query", "host"}),
        "statuses": frozenset({200, 404}),
        "assets": (".css",),
        "where": (("host", "shop.example"),),
    }
    assert read_options(said) == ReadOptions(**expected)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no object"):
        read_options([])


@examples(60)
@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.floats()))
def test_no_fields_fail(fields: dict[str, object]) -> None:
    named = zip(uploads.fields._FIELDS, fields.values(), strict=False)
    for said in (fields, dict(named)):
        with suppress(ValueError):
            read_options(said)


@pytest.fixture(scope="module")
def shared() -> FlaskClient:
    client: FlaskClient = make_app().server.test_client()
    return client


@examples(60)
@given(
    st.binary(max_size=300) | st.binary(max_size=40).map(CSV.__add__),
    st.sampled_from(["a.csv", "a.xlsx", "\0", "../x.zip", "a\ud800.json", "é" * 300]),
)
def test_no_bytes_fail(shared: FlaskClient, data: bytes, name: str) -> None:
    token = send(shared, data, name)
    found = check(shared, token)
    assert found["state"] in ("read", "failed")
    text = json.dumps(found)
    assert "Traceback" not in text
    assert "isn't your fault" not in text
    assert shared.delete(f"/upload/{token}", headers=OURS).status_code == 204


def test_what_has_no_bounds_has_some(client: FlaskClient) -> None:
    answer = post(client, "/upload", {"name": "a", "size": 256_000_001})
    assert answer.status_code == 413
    assert answer.text == "this file has 256 MB; the page takes 256 MB at most"
    token = send(client, CSV)
    path = f"/upload/{token}/{len(CSV)}"
    kind = "application/octet-stream"
    answer = client.post(path, data=b"x", content_type=kind, headers=OURS)
    assert (answer.status_code, answer.text) == (413, "the file has 60 bytes")
    answer = client.post(
        f"/upload/{token}/0", data=b"x", content_type=kind, headers=OURS
    )
    assert answer.status_code == 409
    large = b"x" * (uploads.routes.SLICE + 1)
    answer = client.post(path, data=large, content_type=kind, headers=OURS)
    assert answer.status_code == 413


def test_a_file_that_is_not_whole_is_not_read(client: FlaskClient) -> None:
    begun = post(client, "/upload", {"name": "a.csv", "size": 9})
    token = (begun.json or {})["file"]
    answer = post(client, f"/upload/{token}/check", {})
    assert (answer.status_code, answer.text) == (409, "the file isn't whole yet")


def test_the_number_of_files_is_bounded() -> None:
    settings = replace(SETTINGS, most_pending=2, most_shown=1, all_bytes=20_000)
    client = make_app(settings).server.test_client()
    tokens = [send(client, CSV), send(client, CSV)]
    answer = post(client, "/upload", {"name": "a", "size": 1})
    assert answer.status_code == 507
    assert answer.text == "2 files are being read; try again later"
    client.delete(f"/upload/{tokens[1]}", headers=OURS)
    answer = post(client, "/upload", {"name": "a", "size": 20_000})
    assert answer.status_code == 507
    assert "which is all there may be" in answer.text
    show(client, tokens[0], check(client, tokens[0])["check"])
    token = send(client, CSV)
    number = check(client, token)["check"]
    answer = post(client, f"/upload/{token}/show", {"check": number})
    assert answer.status_code == 507
    assert answer.text.startswith("1 files are shown, which is all there may be")


def test_rows_are_bounded() -> None:
    client = make_app(replace(SETTINGS, file_rows=1)).server.test_client()
    found = check(client, send(client, CSV + CSV[CSV.index(b"ann") :]))
    assert found["error"].startswith("a.csv: it has more than 1 rows")


def test_what_is_unpacked_is_bounded() -> None:
    client = make_app(replace(SETTINGS, unpacked_bytes=300_000)).server.test_client()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, CSV + b"\n" * 200_000)
    for data in (gzip.compress(bytes(400_000)), packed.getvalue()):
        found = check(client, send(client, data, "a"))
        assert "unpacked, it has more than 300,000 bytes" in found["error"]
    data = gzip.compress(CSV + b"\n" * 200_000)
    assert check(client, send(client, data, "a.csv.gz"))["state"] == "read"


def test_names_are_bounded() -> None:
    client = make_app(replace(SETTINGS, name_bytes=5_000)).server.test_client()
    row = CSV[CSV.index(b"ann") :]
    assert check(client, send(client, CSV + row * 2_000))["state"] == "read"
    long = CSV + row.replace(b"home", b"x" * 5_000)
    error = check(client, send(client, long))["error"]
    assert error.startswith("a.csv: its users and pages have more than 5,000 bytes")


def test_unpacking_stops_where_it_is_cancelled() -> None:
    asked: list[None] = []

    def is_cancelled() -> bool:
        asked.append(None)
        return len(asked) > 3

    data = gzip.compress(bytes(10_000_000))
    reading = read_bytes("a.log", data, ReadOptions(), 10**9, is_cancelled)
    with pytest.raises(ValueError, match="it was cancelled"):
        list(reading.tables)
    assert len(asked) == 4


def test_a_file_that_nobody_goes_on_with_is_forgotten() -> None:
    client = make_app(replace(SETTINGS, pending_seconds=0.05)).server.test_client()
    token = send(client, CSV)
    answers: list[TestResponse] = []

    def is_forgotten() -> bool:
        # To ask for it is to go on with it.
        threading.Event().wait(0.06)
        answers.append(post(client, f"/upload/{token}/check", {}))
        return bool(answers[-1].status_code == 410)

    wait_until(is_forgotten)
    assert answers[-1].text == "this file isn't held any more; drop it again"


def test_cancelled_is_forgotten(client: FlaskClient) -> None:
    token = send(client, CSV)
    assert client.delete(f"/upload/{token}", headers=OURS).status_code == 204
    assert client.delete(f"/upload/{token}", headers=OURS).status_code == 204
    assert post(client, f"/upload/{token}/check", {}).status_code == 410


def test_reading_stops_where_it_is_cancelled() -> None:
    data = CSV + b"bob,cart,7,2024-01-02T10:00\n" * 400_000
    asked: list[None] = []

    def is_cancelled() -> bool:
        asked.append(None)
        return len(asked) > 1

    reading = read_bytes("a.csv", data, ReadOptions(), 10**9, is_cancelled)
    with pytest.raises(ValueError, match="it was cancelled"):
        list(reading.tables)
    assert len(asked) == 2


def test_what_was_cancelled_does_not_wait_for_its_turn(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def read(*arguments: Any) -> Any:
        go_on.wait(30)
        return read_bytes(*arguments)

    monkeypatch.setattr("uploads.pending.read_bytes", read)
    token = send(client, CSV)
    for _ in range(20):
        assert post(client, f"/upload/{token}/check", {}).status_code == 200

    def n_checks() -> int:
        return sum(thread.name == "check" for thread in threading.enumerate())

    # Two read, and the last one waits.
    wait_until(lambda: n_checks() <= 3)
    go_on.set()
    assert check(client, token)["state"] == "read"
    wait_until(lambda: not n_checks())


def test_bytes_are_dropped_when_a_file_is_shown(client: FlaskClient) -> None:
    token = send(client, CSV)
    show(client, token, check(client, token)["check"])
    assert post(client, f"/upload/{token}/check", {}).status_code == 410


def test_memory_is_given_back_and_the_page_goes_on() -> None:
    client = make_app(replace(SETTINGS, idle_seconds=0.2)).server.test_client()
    address = show_file(client, CSV)
    shown = shown_files(client)
    file = shown.get(address.split("/")[-2])
    assert file is not None
    before = client.get(address).headers[HEADER]
    app = weakref.ref(file.app(front(client).making))
    wait_until(lambda: not file.is_arranged and not shown.is_watched)
    gc.collect()
    assert app() is None
    assert client.get(address).headers[HEADER] == before
    assert file.is_arranged
    assert shown.is_watched


def test_what_is_begun_meanwhile_puts_nothing_off() -> None:
    calls: list[None] = []

    def sweep() -> float | None:
        calls.append(None)
        if len(calls) > 1:
            return None
        # As another thread may, while this is at work.
        sweeper.start(600)
        return 0.01

    sweeper = Sweeper(sweep)
    sweeper.start(0.01)
    wait_until(lambda: len(calls) == 2)
    wait_until(lambda: not sweeper.is_running)


def test_a_view_keeps_its_place_without_the_last_slash(client: FlaskClient) -> None:
    address = show_file(client, CSV)
    for view in ("", "?user=ann&scale=log"):
        answer = client.get(address.rstrip("/") + view)
        assert (answer.status_code, answer.location) == (308, address + view)


def test_what_is_looked_at_is_not_given_back(client: FlaskClient) -> None:
    address = show_file(client, CSV)
    shown = shown_files(client)
    file = shown.get(address.split("/")[-2])
    assert file is not None
    seconds = shown.sweep()
    assert seconds is not None
    assert SETTINGS.idle_seconds - 60 < seconds <= SETTINGS.idle_seconds
    assert file.is_arranged


def test_a_thread_remembers_no_application(client: FlaskClient) -> None:
    address = show_file(client, CSV)
    before = _get_app.app_context.get(None)
    layout_of(client, address)
    assert client.get(address).status_code == 200
    assert _get_app.app_context.get(None) is before


def test_dash_remembers_no_application_that_was_made_beside_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, before = make_app().server, _get_app.APP
    make = app_module._new_dash
    is_made, is_second = threading.Event(), threading.Event()
    calls = iter(["first"])

    def new_dash(**arguments: Any) -> Dash:
        if next(calls, ""):
            made = make(**arguments)
            is_made.set()
            is_second.wait(0.3)
            return made
        is_second.set()
        threading.Event().wait(0.1)
        return make(**arguments)

    def second() -> None:
        is_made.wait(30)
        show_file(server.test_client(), CSV)

    monkeypatch.setattr(app_module, "_new_dash", new_dash)
    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(second)
        show_file(server.test_client(), CSV)
        other.result()
    assert _get_app.APP is before


def test_a_file_is_arranged_again_once_for_all_who_ask() -> None:
    app = make_app()
    client = app.server.test_client()
    address = show_file(client, CSV)
    shown = shown_files(client)
    file = shown.get(address.split("/")[-2])
    assert file is not None
    file.give_back()
    made: list[object] = []
    making = front(client).making

    def counted(sessions: Any, zone: str | None, visit_gap: float) -> Any:
        made.append(None)
        threading.Event().wait(0.1)
        return making.arrange(sessions, zone, visit_gap)

    front(client).making = making._replace(arrange=counted)
    with ThreadPoolExecutor(8) as threads:
        ask = lambda _: app.server.test_client().get(address).status_code  # noqa: E731
        assert list(threads.map(ask, range(8))) == [200] * 8
    assert len(made) == 1


def test_few_files_are_arranged_at_a_time() -> None:
    client = make_app(replace(SETTINGS, most_arranged=2)).server.test_client()
    addresses = [show_file(client, CSV) for _ in range(3)]
    shown = shown_files(client)
    files = [shown.get(address.split("/")[-2]) for address in addresses]
    assert [file and file.is_arranged for file in files] == [False, True, True]
    assert client.get(addresses[0]).status_code == 200
    assert [file and file.is_arranged for file in files] == [True, False, True]


def test_packed_tables_are_the_same() -> None:
    tables = [table(ROWS[:3]), table(ROWS[3:])]
    packed = io.BytesIO()
    given = list(pack(iter(tables), packed))
    again = list(unpack(packed.getvalue()))
    assert len(again) == len(given) == 2
    for one, other in zip(given, again, strict=True):
        pd.testing.assert_frame_equal(
            one.reset_index(drop=True), other, check_dtype=False
        )


def test_a_zip_holds_several(client: FlaskClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.csv", CSV)
        archive.writestr("two.csv", CSV.replace(b"ann", b"bob"))
    found = check(client, send(client, packed.getvalue(), "both.zip"))
    assert "2 sessions of 2 users" in found["line"]
    assert found["columns"] == ["user_id", "page", "duration", "timestamp"]


def test_files_are_not_written(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    for name in ("mkstemp", "NamedTemporaryFile", "TemporaryFile", "mkdtemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    rows = b"bob,cart,7,2024-01-02T10:00\n" * 100_000
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.csv", CSV + rows)
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(CSV.decode().splitlines()):
            sheet.write_row(number, 0, row.split(","))
    whole = packed.getvalue()
    for data in (CSV + rows, whole, gzip.compress(whole), book.getvalue()):
        address = show_file(client, data)
        assert client.get(f"{address}sessions.csv").status_code == 200


def test_off_where_nobody_asks_for_it() -> None:
    app = make_app(None)
    client = app.server.test_client()
    # Dash answers any GET with the page.
    for path in ("/upload", "/data/x/", "/upload/x/0", "/upload/x/check"):
        assert post(client, path, {}).status_code == 405
        assert client.delete(path, headers=OURS).status_code == 405
    layout = layout_of(client, "/")
    assert "data-upload" not in layout
    assert "Have your own" not in layout
    assert "upload.js" not in client.get("/").text
    assert not isinstance(inner(app.server.wsgi_app), Front)


def test_the_first_page_of_simulated_data_invites(client: FlaskClient) -> None:
    layout = layout_of(client, "/")
    assert "Have your own? " in layout
    assert "It stays on this machine." in layout
    assert '"data-upload":"/upload"' in layout
    assert "upload.js" in client.get("/").text
    own = create_app(table(ROWS), uploading=SETTINGS).server.test_client()
    layout = layout_of(own, "/")
    assert '"data-upload":"/upload"' in layout
    assert "Have your own? " not in layout


def test_elsewhere_the_page_does_not_say_that_a_file_stays() -> None:
    client = make_app(uploads.Settings()).server.test_client()
    layout = layout_of(client, "/")
    assert "this machine" not in layout
    assert "The server holds it in memory, and saves nothing." in layout


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ([], uploads.Settings(is_local=True)),
        (["--no-debug", "--host", "::1"], uploads.Settings(is_local=True)),
        (["--no-debug", "--no-login", "--host", ANY], None),
        (["--allow-host", "stats.example"], None),
        (
            ["--no-debug", "--no-login", "--host", ANY, "--allow-upload"],
            uploads.Settings(is_local=False),
        ),
    ],
)
def test_on_where_only_this_machine_reaches_the_server(
    command: list[str], expected: uploads.Settings | None
) -> None:
    held = app_module._held(arguments.parse([*command, "--no-login"], "0"))
    assert (held and held.settings) == expected


def test_the_zone_is_that_of_the_first_page() -> None:
    app = create_app(table(ROWS), timezone="Asia/Tokyo", uploading=SETTINGS)
    found = check(app.server.test_client(), send(app.server.test_client(), CSV))
    assert "1 January 2024 19:00 Asia/Tokyo" in found["line"]


def test_the_bounds_are_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    bounds = uploads.Settings()
    for words in (
        f"{bounds.file_bytes // 10**6} MB",
        f"{bounds.file_rows // 10**6} million rows",
        f"{bounds.unpacked_bytes // 10**6:,} MB unpacked",
        f"{bounds.most_shown} are held",
        f"{bounds.idle_seconds / 60:.0f}\nminutes",
        "--allow-upload",
    ):
        assert words in text
