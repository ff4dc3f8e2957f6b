"""What is told of requests: health, metrics, the log, and ids of failures."""

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from dash import Dash
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client, TestResponse

from request_notes import loggable_path
from serving import Settings, Site, logs
from tests.programs import ROOT
from tests.test_security import URL, good_call

ID = re.compile("[0-9a-f]{8}")


@pytest.fixture
def site(app: Dash) -> Site:
    site = Site(Settings())
    site.metrics.start()
    site.show(app.server)
    return site


class Reader(Client):
    """A client that reads each answer to its end, as a browser does."""

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        return super().open(*arguments, **options, buffered=True)


@pytest.fixture
def client(site: Site) -> Client:
    return Reader(site)


@pytest.fixture(params=["text", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[tuple[str, io.StringIO]]:
    """What is logged meanwhile, in both formats."""
    with pytest.MonkeyPatch.context() as patch:
        stream = io.StringIO()
        root = logging.getLogger()
        patch.setattr(root, "handlers", [])
        patch.setattr(sys, "stderr", stream)
        patch.setattr(logs.REQUESTS, "level", logging.NOTSET)
        logs.configure(request.param)
        yield request.param, stream


def numbers(client: Client) -> dict[str, float]:
    """The metrics, by name and the values of their labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        "/".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


def pick(client: Client, app: Dash) -> TestResponse:
    return client.post(URL, json=good_call(app))


def test_health_is_whether_there_are_data(app: Dash) -> None:
    site = Site(Settings())
    client = Client(site)
    answers = [client.get("/health"), client.get("/")]
    assert [answer.status_code for answer in answers] == [503, 503]
    site.show(app.server)
    for host in ("localhost", "evil.example"):
        answer = client.get("/health", headers={"Host": host})
        assert (answer.status_code, answer.text) == (200, "ok")
        assert answer.content_type == "text/plain; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
    head = client.head("/health")
    assert (head.status_code, head.data, head.content_length) == (200, b"", 2)
    refused = client.post("/health")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")


def test_metrics_count_what_is_asked(
    client: Client, app: Dash, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = numbers(client)
    assert before["dashboard_picks_total"] == 0
    assert before["dashboard_sessions"] == 12
    assert before["dashboard_data_read_timestamp_seconds"] > 1_700_000_000
    # The request that asks is open meanwhile, and counted afterwards.
    assert before["dashboard_open_requests"] == 1
    assert pick(client, app).status_code == 200
    assert client.get("/nowhere").status_code == 404
    monkeypatch.setattr("callbacks.redraw", lambda *_: 1 / 0)
    assert pick(client, app).status_code == 200
    after = numbers(client)
    assert after["dashboard_picks_total"] == 2
    assert after["dashboard_failures_total"] == 1
    assert after["dashboard_requests_total/2xx"] == 3
    assert after["dashboard_requests_total/4xx"] == 1
    assert after["dashboard_request_seconds_count/pick"] == 2
    assert after["dashboard_request_seconds_bucket/pick/+Inf"] == 2
    assert after["dashboard_request_seconds_count/other"] == 2
    assert after["dashboard_open_requests"] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone says so")
def test_metrics_know_the_memory(client: Client) -> None:
    found = {k: v for k, v in numbers(client).items() if "memory_bytes" in k}
    (rss,) = (value for key, value in found.items() if "/rss/" in key)
    (pss,) = (value for key, value in found.items() if "/pss/" in key)
    assert 10_000_000 < pss <= rss


def test_two_sites_count_for_themselves(client: Client, app: Dash) -> None:
    other = Site(Settings())
    other.metrics.start()
    other.show(app.server)
    client.get("/")
    assert numbers(client)["dashboard_requests_total/2xx"] == 1
    assert "dashboard_requests_total/2xx" not in numbers(Reader(other))


def test_without_a_start_nothing_is_measured(app: Dash) -> None:
    site = Site(Settings())
    site.show(app.server)
    assert Client(site).get("/metrics").status_code == 404


SHARED = """
import os, sys
from request_notes import Notes
from serving.metrics import Metrics

metrics = Metrics(n_workers=2)
metrics.start()
folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]

def worker(n):
    pid = os.fork()
    if not pid:
        for _ in range(n):
            metrics.begin()
            metrics.end(Notes(is_pick=True), 200, 0.02)
        metrics.begin()
        sys.exit()
    os.waitpid(pid, 0)
    return pid

def told():
    from prometheus_client.parser import text_string_to_metric_families

    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            found["/".join([sample.name, *sample.labels.values()])] = sample.value
    names = (
        "dashboard_picks_total", "dashboard_request_seconds_bucket/pick/0.025",
        "dashboard_request_seconds_sum/pick", "dashboard_open_requests",
    )
    print(*(round(found.get(name, 0), 3) for name in names))

pids = [worker(3), worker(4)]
told()
metrics.child_exit(pids[0])
told()
metrics.child_exit(pids[1])
told()
assert os.path.isdir(folder)
assert not [name for name in os.listdir(folder) for pid in pids if f"_{pid}." in name]
print(folder)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs processes that are forked")
def test_processes_share_their_numbers() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHARED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    # What a process that has ended counted stays, what it had open doesn't.
    *lines, folder = done.stdout.splitlines()
    assert lines == ["7.0 7.0 0.14 2.0", "7.0 7.0 0.14 1.0", "7.0 7.0 0.14 0.0"]
    # The directory is gone with the process that made it.
    check = subprocess.run(["test", "-e", folder], check=False)
    assert check.returncode == 1


def test_each_request_is_a_line(
    client: Client, written: tuple[str, io.StringIO]
) -> None:
    log_format, stream = written
    answer = client.get("/sessions.csv?user=ann")
    name = answer.headers["X-Request-ID"]
    assert ID.fullmatch(name)
    n_bytes = len(answer.data)
    answer.close()
    (line,) = stream.getvalue().splitlines()
    assert "ann" not in line
    if log_format == "text":
        time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
        end = rf"GET /sessions.csv 200 {n_bytes} bytes \d+\.\d ms"
        assert re.fullmatch(f"{time} INFO request {name} {end}", line)
    else:
        told = json.loads(line)
        assert told.pop("time").endswith("Z")
        assert told.pop("ms") >= 0
        assert told == {
            "level": "INFO",
            "logger": "request",
            "id": name,
            "method": "GET",
            "path": "/sessions.csv",
            "status": 200,
            "bytes": n_bytes,
            "whole": True,
        }


def test_an_answer_that_is_cut_off_is_told_once(
    site: Site, written: tuple[str, io.StringIO]
) -> None:
    log_format, stream = written
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/sessions.csv",
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }
    answer: Any = site(environ, lambda *_: lambda _: None)
    first = next(iter(answer))
    answer.close()
    answer.close()
    (line,) = stream.getvalue().splitlines()
    if log_format == "text":
        assert f"200 {len(first)} bytes" in line
        assert line.endswith(" ms, cut off")
    else:
        assert json.loads(line)["bytes"] == len(first)
        assert json.loads(line)["whole"] is False


UGLY = "/a\n2026 INFO request\r\x1b[31m\x9b\u2028\u202e\x7f"


def test_no_name_forges_a_line(
    client: Client, written: tuple[str, io.StringIO]
) -> None:
    log_format, stream = written
    assert client.get(quote(UGLY)).status_code == 404
    assert client.open(quote(UGLY), method="PUT\x1b[31m").status_code == 404
    logging.getLogger("any").warning("%s", UGLY)
    try:
        raise ValueError(UGLY)
    except ValueError:
        logging.getLogger("any").exception("%s", UGLY)
    lines = stream.getvalue().split("\n")
    assert lines.pop() == ""
    assert all(line.isprintable() for line in lines)
    if log_format == "text":
        assert all(line.startswith(("20", "    ")) for line in lines)
        assert (
            r"GET /a\n2026 INFO request\r\x1b[31m\x9b\u2028\u202e\x7f 404" in lines[0]
        )
    else:
        assert all(line.isascii() for line in lines)
        told = [json.loads(line) for line in lines]
        assert told[-1]["message"] == UGLY
        assert told[-1]["traceback"].startswith("Traceback")
        assert told[-1]["traceback"].endswith(f"ValueError: {UGLY}")


def test_a_path_is_told_without_what_gives_access() -> None:
    assert loggable_path("/x/data/Se-cret_1/sessions.csv") == "/x/data/*/sessions.csv"
    assert loggable_path("/upload/Se-cret_1/check/1") == "/upload/*/check/1"
    assert loggable_path("/data//Se-cret_1/x") == "/data/*/x"
    assert loggable_path("/data/") == "/data/"
    assert len(loggable_path("/" + "x" * 250_000)) == 200


def test_a_failure_has_an_id_that_all_know(
    client: Client,
    app: Dash,
    written: tuple[str, io.StringIO],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = good_call(app)
    monkeypatch.setattr("callbacks.redraw", lambda *_: 1 / 0)
    answer = client.post(URL, json=call)
    name = answer.headers["X-Request-ID"]
    words = f"Something went wrong ({name}), and the page was not drawn."
    assert words in answer.text
    assert "ZeroDivisionError" not in answer.text
    _, stream = written
    first = stream.getvalue().splitlines()[0]
    assert f"a callback failed ({name})" in first
    assert "ZeroDivisionError" in stream.getvalue()


def test_what_fails_elsewhere_is_one_line_with_an_id(
    client: Client,
    site: Site,
    app: Dash,
    written: tuple[str, io.StringIO],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise MemoryError("a secret detail")

    _, stream = written
    monkeypatch.setattr("downloads.sessions_file", broken)
    answers = [client.get("/sessions.csv")]
    site.show(broken)
    answers.append(client.get("/"))
    assert client.head("/").data == b""
    for answer in answers:
        name = answer.headers["X-Request-ID"]
        assert answer.status_code == 500
        assert answer.content_type == "text/plain; charset=utf-8"
        assert answer.text == f"Something went wrong on the server ({name})."
        assert name in stream.getvalue()
    assert stream.getvalue().count("MemoryError: a secret detail") == 3
    assert numbers(client)["dashboard_failures_total"] == 3
