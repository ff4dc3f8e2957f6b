import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask_compress.flask_compress as compressing
import pytest
from dash import Dash
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import static_files

SUITE = "/_dash-component-suites/dash"
CONTENT = "const a = 'the same for everyone';\n" * 100

Compressed = list[tuple[int, str]]


@pytest.fixture
def compressed(monkeypatch: pytest.MonkeyPatch) -> Compressed:
    """The sizes and encodings of what was compressed at once, not as a stream."""
    found: Compressed = []
    compress: Callable[..., bytes] = compressing._compress_data

    def counted(app: Any, data: bytes, algorithm: str) -> bytes:
        found.append((len(data), algorithm))
        return compress(app, data, algorithm)

    monkeypatch.setattr(compressing, "_compress_data", counted)
    return found


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    (tmp_path / "a.js").write_text(CONTENT)
    return tmp_path


@pytest.fixture
def client(assets: Path) -> FlaskClient:
    """Files, and a page of one callback."""
    app = Dash(
        "test",
        server=static_files.make_server("test"),
        assets_folder=str(assets),
        compress=True,
        enable_mcp=False,
    )
    app.layout = []
    static_files.keep_compressed(app)

    server: Flask = app.server

    @server.post("/answer")
    def answer() -> str:
        return "an answer\n" * 100

    client = server.test_client()
    client.get("/")
    return client


def get(
    client: FlaskClient, path: str, encoding: str = "br", **headers: str
) -> TestResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response: TestResponse = client.get(
        path, headers={"Accept-Encoding": encoding, **names}
    )
    return response


def text(response: TestResponse) -> str:
    encoding = response.headers["Content-Encoding"]
    assert response.headers["Content-Length"] == str(len(response.data))
    assert "Accept-Encoding" in response.headers["Vary"]
    return compressing._uncompress_data(response.data, encoding).decode()


@pytest.mark.parametrize("path", ["/assets/a.js", f"{SUITE}/dcc/async-graph.js"])
def test_a_file_is_compressed_once_in_each_encoding(
    path: str, client: FlaskClient, compressed: Compressed
) -> None:
    raw = get(client, path, "identity")
    assert "Content-Encoding" not in raw.headers
    assert compressed == []
    encodings = ["zstd", "br", "gzip"]
    for encoding in (*encodings, *encodings, "br;q=0.5, gzip;q=0.9"):
        response = get(client, path, encoding)
        assert response.status_code == 200
        assert response.content_type == raw.content_type
        assert text(response) == raw.text
    assert compressed == [(len(raw.data), encoding) for encoding in encodings]


def test_what_is_no_file_is_compressed_each_time(
    client: FlaskClient, compressed: Compressed
) -> None:
    for _ in range(2):
        response = client.post("/answer", headers={"Accept-Encoding": "br"})
        assert text(response) == "an answer\n" * 100
    assert compressed == [(1_000, "br")] * 2
    compressed.clear()
    get(client, "/")
    get(client, "/")
    assert [encoding for _, encoding in compressed] == ["br", "br"]


def test_answers_and_pages_of_the_dashboard_are_not_kept(
    app: Dash, compressed: Compressed
) -> None:
    client = app.server.test_client()
    for user in ("ann", "bob", "ann"):
        head = {"Accept-Encoding": "br"}
        page = client.get(f"/view.html?user={user}", headers=head)
        assert f'<p class="caption">{user}</p>' in text(page)
    assert len(compressed) == 3
    for _ in range(2):
        get(client, "/assets/page.js")
    assert len(compressed) == 4


@pytest.mark.parametrize("path", ["/assets/a.js", f"{SUITE}/dcc/async-graph.js"])
def test_who_has_a_file_isnt_sent_it_again(
    path: str, client: FlaskClient, compressed: Compressed
) -> None:
    for encoding in ("br", "zstd"):
        tag = get(client, path, encoding).headers["ETag"]
        assert tag.endswith(f':{encoding}"')
        again = get(client, path, encoding, If_None_Match=tag)
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
    # What another encoding is known by isn't what is asked for.
    assert get(client, path, "br", If_None_Match=tag).status_code == 200
    assert len(compressed) == 2


def test_a_file_that_has_changed_is_another(
    client: FlaskClient, assets: Path, compressed: Compressed
) -> None:
    tag = get(client, "/assets/a.js").headers["ETag"]
    changed = CONTENT.replace("same", "best")
    (assets / "a.js").write_text(changed)
    os.utime(assets / "a.js", (1e9, 1e9))
    response = get(client, "/assets/a.js", If_None_Match=tag)
    assert response.status_code == 200
    assert text(response) == changed
    assert len(compressed) == 2


def test_a_part_of_a_file_is_never_taken_for_it(client: FlaskClient) -> None:
    head = {"Accept-Encoding": "br", "Range": "bytes=0-999"}
    assert client.get("/assets/a.js", headers=head, buffered=True).status_code == 206
    assert text(get(client, "/assets/a.js")) == CONTENT


def test_any_version_of_a_file_is_the_same(
    client: FlaskClient, compressed: Compressed
) -> None:
    name = f"{SUITE}/dcc/dash_core_components"
    first = get(client, f"{name}.v4_4_1m1.js")
    assert first.headers["Cache-Control"] == "max-age=31536000"
    for version in range(2, 9):
        again = get(client, f"{name}.v4_4_1m{version}.js")
        assert again.data == first.data
    assert len(compressed) == 1
    assert get(client, f"{name}.v4_4_1m1.js.no").status_code != 200
    assert len(compressed) == 1


def test_few_files_are_kept_those_asked_for_last(
    client: FlaskClient,
    assets: Path,
    compressed: Compressed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(static_files, "_MOST_KEPT", 2)
    for n, name in enumerate("abc"):
        (assets / f"{name}.js").write_text(CONTENT + n * " ")

    def asked(names: str) -> str:
        compressed.clear()
        for name in names:
            get(client, f"/assets/{name}.js")
        return "".join("abc"[size - len(CONTENT)] for size, _ in compressed)

    assert asked("abab") == "ab"
    assert asked("a") == ""
    # b was asked for longest ago.
    assert asked("c") == "c"
    assert asked("ac") == ""
    assert asked("b") == "b"
    assert asked("a") == "a"
