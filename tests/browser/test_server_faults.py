"""What happens to the server and to its machine, with the page beside it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.programs import ROOT, free_port
from tests.serving.test_reloading import listening

from .conftest import Open, drawn, pick
from .test_uploads import CSV, SHOWN, drag, show, understood

HEADER = "user_id,page,duration,timestamp\n"
OLD = f"{HEADER}ann,home,5,2024-01-01\nbob,cart,7,2024-01-02\n"
NEW = f"{OLD}zoe,new,9,2024-01-03\n"


class Server:
    """The program, whose output goes nowhere since the disk is full."""

    def __init__(self, file: Path) -> None:
        self.file, self.port = file, free_port()
        self.address = f"http://127.0.0.1:{self.port}/"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        options = ("--no-debug", "--log-format", "json", "--port", str(self.port))
        with (
            open("/dev/full", "w") as full,
            subprocess.Popen(
                [sys.executable, "app.py", *options, str(self.file)],
                cwd=ROOT,
                env={**os.environ, "TMPDIR": "/nowhere"},
                stdout=full,
                stderr=full,
            ) as process,
        ):
            try:
                listening(self.port)
                yield process
            finally:
                process.kill()


@pytest.fixture
def server(tmp_path: Path) -> Server:
    file = tmp_path / "a.csv"
    file.write_text(OLD)
    return Server(file)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_page_outlives_what_happens_to_its_server(
    open_page: Open, server: Server
) -> None:
    with server.running() as process:
        page = open_page(
            url=server.address, query="?user=ann", forgiven="Failed to load"
        )
        # Nothing can be written anywhere.
        pick(page, "bob")
        with page.expect_download() as download:
            page.locator("#sessions").click()
        assert "bob,cart,7" in download.value.path().read_text()
        drag(page, ("a.csv", CSV))
        understood(page)
        show(page)
        expect(page.locator("body")).to_contain_text(SHOWN)
        page.goto(f"{server.address}?user=bob")
        drawn(page, "bob")
        # The clock of the browser's machine is set.
        for time, user in (("2031-01-01", "ann"), ("1999-01-01", "bob")):
            page.clock.set_system_time(time)
            pick(page, user)
        # The server is killed while it answers.
        process.send_signal(signal.SIGSTOP)
        page.evaluate("dash_clientside.set_props('user', {value: ''})")
        page.wait_for_function("() => document.querySelector('#connection').innerText")
        process.kill()
    with server.running() as process:
        page.wait_for_url(lambda url: url.endswith("?user="))
        drawn(page)
        expect(page.locator("#connection")).to_have_text("")
        # New data are read beside the page.
        server.file.write_text(NEW)
        process.send_signal(signal.SIGHUP)
        news = page.locator("#news")
        while not news.inner_text():
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(news).to_have_text("There are new data. Load them")
        expect(page.locator("#tile-sessions-value")).to_have_text("2")
        page.get_by_role("button", name="Load them").click()
        expect(page.locator("#tile-sessions-value")).to_have_text("3")
        drawn(page)
        assert page.url == f"{server.address}?user="
        # The server is too busy for one more download.
        page.route(
            "**/sessions.csv*",
            lambda route: route.fulfill(status=503, headers={"Retry-After": "30"}),
        )
        page.locator("#sessions").click()
        words = "Others are downloading now. Please try again in a minute."
        expect(page.locator("#taken")).to_have_text(words)
