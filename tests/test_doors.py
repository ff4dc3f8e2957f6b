"""Smaller doors: long addresses and texts, caching, output that can't be written."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from dash import Dash
from flask.testing import FlaskClient

from engine.memory import MemoryEngine
from security import MAX_BODY
from tests.programs import ROOT
from tests.test_security import URL, good_call
from view import LONGEST_ADDRESS, LONGEST_SEARCH, MOST_PAGES, read

FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    client: FlaskClient = app.server.test_client()
    return client


@pytest.mark.parametrize("path", ["/nowhere", "/console", "/data/x", "/a/b/"])
def test_unknown_paths_are_not_the_page(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text == "there is nothing here; the page is at /"


def test_what_programs_ask_every_site_for(client: FlaskClient) -> None:
    robots = client.get("/robots.txt")
    assert robots.text == "User-agent: *\nDisallow: /\n"
    icon = client.get("/favicon.ico", follow_redirects=True)
    assert (icon.status_code, icon.content_type) == (200, "image/x-icon")


def test_a_long_address_is_refused_in_words(client: FlaskClient) -> None:
    for path in ("/", "/sessions.csv", "/view.html"):
        assert client.get(path, query_string="x" * LONGEST_ADDRESS).status_code == 200
        answer = client.get(path, query_string="x" * (LONGEST_ADDRESS + 1))
        assert answer.status_code == 414
        assert answer.text == ("this address is longer than 240 kB; the page is at /")


def test_a_long_address_in_a_call_is_told(app: Dash, engine: MemoryEngine) -> None:
    query = f"?user=bob&find={'x' * LONGEST_ADDRESS}"
    view, ignored = read(query, engine, [])
    assert view == read("", engine, []).view
    assert ignored == ["all of it, since it is longer than 240,000 letters"]
    call = good_call(app)
    for part in call["inputs"]:
        if part["id"] == "url":
            part["value"] = query
    answer = app.server.test_client().post(URL, json=call)
    assert answer.status_code == 200
    assert "Ignored in the address: all of it" in answer.text
    assert len(answer.data) < 2 * LONGEST_ADDRESS < MAX_BODY


def test_a_long_search_is_cut(engine: MemoryEngine) -> None:
    for key in ("find", "match"):
        view, ignored = read(f"?{key}={'x' * 100_000}", engine, [])
        assert "x" * LONGEST_SEARCH in (view.search, view.match)
        assert ignored == [f"{key} beyond its first 1,000 letters"]


def test_hundreds_of_long_names_fit() -> None:
    assert len("&page=") + 470 <= LONGEST_ADDRESS / MOST_PAGES


def test_a_long_name_is_not_echoed(client: FlaskClient) -> None:
    answer = client.get(f"/_dash-component-suites/{'x' * 45_000}/a.js")
    assert answer.status_code == 404
    assert len(answer.data) <= 300


@pytest.mark.parametrize(
    "path", ["/", "/_dash-layout", "/sessions.csv", "/view.html", "/nowhere"]
)
def test_what_is_of_the_data_is_nobody_elses(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "private, no-cache"


def test_answers_are_nobody_elses(app: Dash) -> None:
    answer = app.server.test_client().post(URL, json=good_call(app))
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_files_are_kept_whose_address_names_their_version(
    app: Dash, client: FlaskClient
) -> None:
    page = client.get("/").text
    links = [part.partition('"')[0] for part in page.split('src="')[1:]]
    scripts = [link for link in links if "?m=" in link or "/_dash-comp" in link]
    assert len(scripts) > 10
    for link in scripts:
        with client.get(link) as answer:
            assert answer.headers["Cache-Control"] == FOREVER
            assert "Accept-Encoding" in answer.headers["Vary"]
    asset = next(link for link in scripts if "?m=" in link).partition("?")[0]
    for link in (
        asset,
        f"{asset}?m=1",
        "/_dash-component-suites/dash/dcc/async-graph.js",
    ):
        with client.get(link) as answer:
            assert answer.headers["Cache-Control"] == "no-cache"


SAYING = """
import sys, output
output.guard()
print("x" * 200_000)
print("more", flush=True)
print("said", file=sys.stderr)
try:
    output.check()
except output.CannotWrite as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


def say(
    redirected: str, environment: Sequence[tuple[str, str]] = ()
) -> tuple[int, str]:
    """The exit code and standard error of what writes, redirected in the shell."""
    script = f'set -o pipefail; "$0" -c "$1" {redirected}'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable, SAYING],
        cwd=ROOT,
        env={**os.environ, **dict(environment)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    full = "said\ncannot write to standard output: No space left on device\n"
    assert say("> /dev/null") == (0, "said\n")
    assert say("> /dev/full") == (2, full)
    assert say("> /dev/full", [("PYTHONUNBUFFERED", "1")]) == (2, full)
    broken = "said\ncannot write to standard output: Broken pipe\n"
    assert say("| head -c 1 > /dev/null") == (2, broken)
    assert say(">&-") == (2, "said\nstandard output is closed\n")
    assert say("> /dev/null 2> /dev/full") == (0, "")
    assert say("> /dev/null 2>&-") == (0, "")
