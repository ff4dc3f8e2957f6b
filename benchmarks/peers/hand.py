"""A page in Chromium, and a hand that picks users in it."""

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, CDPSession, Error, Page

from benchmarks.peers.servers import Running

REST: Final = 150
"""Milliseconds for which a hand rests on an option before it presses."""

QUIET: Final = 400
"""Milliseconds without a change after which a page is done."""

LONGEST: Final = 30_000
"""Milliseconds after which a pick that changes nothing is given up."""

TRIES: Final = 5

DRAWN_WITHIN: Final = 300_000
"""Milliseconds in which a page has to be drawn."""

FIND: Final = """([selector, user]) => {
    const options = [...document.querySelectorAll(selector)];
    const own = options.find(option => option.innerText.trim() === user);
    if (!own) return null;
    const { left, top, width, height } = own.getBoundingClientRect();
    const [x, y] = [left + Math.min(width, 80) / 2, top + height / 2];
    if (own.contains(document.elementFromPoint(x, y))) return [x, y, options.length];
    // The hit is the first of those that were found: the list stands further down.
    let list = own;
    while ((list = list.parentElement) !== document.body) list.scrollTop = 0;
    return null;
}"""
"""Where an option is, and how many there are; nothing while it can't be clicked."""

SEEN: Final = Path(__file__).with_name("seen.js").read_text()


class NothingSeen(Exception):
    """A pick changed nothing, or the page never came to rest."""


class Seen(NamedTuple):
    """What was seen of a pick: seconds since the press, and what it took."""

    first: float
    screen: float
    whole: float
    requests: int
    received: int
    """Bytes of bodies as they came, and of messages of sockets when unpacked."""
    cpu: float
    charts: str
    """The charts that changed, in the order in which they were seen."""


class Visit(NamedTuple):
    """A first visit: seconds until a chart is seen, and bytes as in ``Seen``."""

    first: float
    received: int


@dataclass
class Wire:
    """What a page asks for and receives."""

    requests: int = 0
    received: int = 0
    open: set[str] = field(default_factory=set)

    def listen(self, session: CDPSession) -> None:
        heads: dict[str, int] = {}

        def asked(event: dict[str, Any]) -> None:
            if event["request"]["url"].startswith("http"):
                self.requests += 1
                self.open.add(event["requestId"])

        def answered(event: dict[str, Any]) -> None:
            heads[event["requestId"]] = int(event["response"]["encodedDataLength"])

        def finished(event: dict[str, Any]) -> None:
            head = heads.pop(event["requestId"], 0)
            self.received += max(int(event["encodedDataLength"]) - head, 0)
            self.open.discard(event["requestId"])

        def message(event: dict[str, Any]) -> None:
            frame = event["response"]
            length = len(frame["payloadData"])
            # What isn't text is handed over as base64.
            self.received += length if frame["opcode"] == 1 else length * 3 // 4

        def sent(event: dict[str, Any]) -> None:
            self.requests += 1

        session.on("Network.requestWillBeSent", asked)
        session.on("Network.responseReceived", answered)
        session.on("Network.loadingFinished", finished)
        session.on("Network.loadingFailed", lambda e: self.open.discard(e["requestId"]))
        session.on("Network.webSocketFrameReceived", message)
        session.on("Network.webSocketFrameSent", sent)
        session.send("Network.enable")


@dataclass
class Hand:
    """A hand at one page."""

    running: Running
    page: Page
    wire: Wire

    @property
    def name(self) -> str:
        return self.running.server.name

    def drawn(self) -> Visit:
        """Wait until all charts are drawn and nothing changes any more."""
        n_charts = self.running.server.charts
        try:
            self.page.wait_for_function(
                f"() => seen.drawn() >= {n_charts}", polling=100, timeout=DRAWN_WITHIN
            )
        except Error as error:
            drawn = self.page.evaluate("seen.drawn()")
            raise RuntimeError(f"{self.name}: only {drawn} charts are drawn") from error
        self._still(1_000, changed=False)
        return Visit(self.page.evaluate("seen.visit()") / 1000, self.wire.received)

    def pick(self, user: str) -> Seen:
        """Open the list, search, rest on the option until it is still, and click."""
        before = self.wire.requests, self.wire.received, self.running.cpu()
        users = self.running.server.users
        self.page.locator(users.opens).first.click()
        self.page.locator(users.search).first.fill(user)
        self._rest(users.option, user)
        self.page.mouse.down()
        self.page.mouse.up()
        return self._seen(*before)

    def ready(self, user: str) -> None:
        """Wait until the page is drawn and answers a pick, if need be after reloads.

        anywidget, which Shiny's charts come by, gives a chart two seconds to load: on a
        machine that is busy it stands there and never changes.
        """
        for _ in range(TRIES):
            self.drawn()
            try:
                self.pick(user)
            except NothingSeen:
                self.page.reload()
            else:
                return
        raise RuntimeError(f"{self.name} answers no pick")

    def go(self, way: str) -> Seen:
        """Go back or forward in the browser."""
        before = self.wire.requests, self.wire.received, self.running.cpu()
        self.page.evaluate("seen.arm()")
        self.page.evaluate(f"seen.start(() => history.{way}())")
        return self._seen(*before)

    def _rest(self, options: str, user: str) -> None:
        """Move to the option, and stay until the list has kept still under the hand."""
        place = None
        while place != (place := self._place(options, user)):
            self.page.mouse.move(place[0], place[1], steps=4)
            self.page.wait_for_timeout(REST)
        self.page.evaluate("seen.arm()")
        self.page.wait_for_timeout(REST)

    def _place(self, options: str, user: str) -> list[float]:
        found = self.page.wait_for_function(FIND, arg=[options, user], polling=50)
        place: list[float] = found.json_value()
        return place

    def _seen(self, requests: int, received: int, cpu: float) -> Seen:
        self._still(QUIET)
        parts = self.page.evaluate("seen.read()")
        charts = sorted(
            (p for p in parts if p["chart"]), key=lambda p: float(p["time"])
        )
        assert charts, f"{self.name}: no chart changed"
        on_screen = [p["time"] for p in charts if p["screen"]]
        return Seen(
            charts[0]["time"] / 1000,
            max(on_screen, default=charts[0]["time"]) / 1000,
            max(p["time"] for p in parts) / 1000,
            self.wire.requests - requests,
            self.wire.received - received,
            self.running.cpu() - cpu,
            ", ".join(p["name"] + " (on the screen)" * p["screen"] for p in charts),
        )

    def _still(self, quiet: int, *, changed: bool = True) -> None:
        """Wait until nothing changes any more and nothing is being asked for."""
        arguments = f"{quiet}, {LONGEST}, {json.dumps(changed)}"
        while True:
            found = self.page.evaluate(f"seen.still({arguments})")
            if not found:
                raise NothingSeen(f"{self.name}: nothing changed, or all the time")
            if not self.wire.open:
                return


@contextmanager
def opened(browser: Browser, running: Running) -> Iterator[Hand]:
    """Visit a page for the first time."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    parts = json.dumps(running.server.parts._asdict())
    context.add_init_script(f"({SEEN.strip()})({parts});")
    page, wire = context.new_page(), Wire()
    wire.listen(context.new_cdp_session(page))
    page.goto(running.url)
    try:
        yield Hand(running, page, wire)
    finally:
        context.close()


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
