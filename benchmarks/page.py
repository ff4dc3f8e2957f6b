"""The application beside the naive version, with 100,000 sessions.

Everything is measured in turn, one then the other, so that a machine whose speed
drifts slows both; figures are medians, ratios are of one run. The naive version has
three charts, the application five, tiles and a table.
"""

import itertools
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Request as PlaywrightRequest
from plotly.io.json import to_json_plotly as to_json

import callbacks
from benchmarks import naive
from engine.memory import MemoryEngine
from engine.model import Selection
from simulate import simulate_sessions
from view import View

ROOT = Path(__file__).resolve().parents[1]
PORTS = {"naive": 8061, "application": 8062, "large": 8063}
BOTH = ("naive", "application")
USERS = [f"user_{number}" for number in range(2, 51)]
# Those that another user changes: what stays as it is isn't painted again.
CHANGED = {
    "naive": ["total-time", "user-average", "durations"],
    "application": ["user-average", "durations", "timeline", "hours"],
}
CHANGED["large"] = CHANGED["application"]

DRAWN = "() => document.querySelectorAll('.js-plotly-plot .bars path').length > 40"

# From the pick to the moment after the frame that has all charts.
PICK = """async ([charts, id, props]) => {
    const plots = charts.map(id => document.querySelector(`#${id} .js-plotly-plot`));
    const start = performance.now();
    const painted = Promise.all(plots.map(
        plot => new Promise(done => plot.once('plotly_afterplot', done))));
    dash_clientside.set_props(id, props);
    await painted;
    await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
    return performance.now() - start;
}"""


def in_turn(runs: int, *work: Callable[[], Any]) -> list[list[float]]:
    """The seconds that each piece of work took, over and over in turn."""
    times: list[list[float]] = [[] for _ in work]
    for _, (own, piece) in itertools.product(range(runs), enumerate(work)):
        start = time.perf_counter()
        piece()
        times[own].append(time.perf_counter() - start)
    return times


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def row(name: str, goal: str, naive: list[float], ours: list[float]) -> None:
    """A line of the table, from seconds."""
    one, other = statistics.median(naive), statistics.median(ours)
    print(
        f"| {name} | {1000 * one:,.1f} ms | {1000 * other:,.1f} ms "
        f"({1000 * p95(ours):,.1f}) | {one / other:.1f} × | {goal} |"
    )


def alone(name: str, goal: str, ours: list[float]) -> None:
    """A line of the table for what the naive version isn't asked."""
    median = 1000 * statistics.median(ours)
    print(f"| {name} | | {median:,.1f} ms ({1000 * p95(ours):,.1f}) | | {goal} |")


@contextmanager
def served() -> Iterator[None]:
    """The versions, and the application with more, each in a process of its own."""
    commands = {
        "naive": ["-m", "benchmarks.naive", str(PORTS["naive"])],
        "application": ["app.py", "--no-debug", "--port", str(PORTS["application"])],
        "large": [
            *("app.py", "--no-debug", "--sessions", "10_000_000"),
            *("--port", str(PORTS["large"])),
        ],
    }
    with ExitStack() as stack:
        for command in commands.values():
            program = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, *command],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(program.terminate)
            assert program.stdout is not None
            next(line for line in program.stdout if line.startswith("Open"))
        yield


def in_process() -> None:
    row(
        "simulate 100,000 sessions",
        "≥ 25 ×",
        *in_turn(7, naive.simulate_sessions, simulate_sessions),
    )
    raw, engine = naive.simulate_sessions(), MemoryEngine(simulate_sessions())
    users = itertools.cycle(USERS)
    row(
        "a pick on the server, selection to JSON",
        "≥ 25 ×",
        *in_turn(
            30,
            lambda: to_json(naive.redraw(raw, next(users))),
            lambda: to_json(callbacks.redraw(engine, View(Selection(next(users))))),
        ),
    )


def start_up() -> None:
    ours = "import app, simulate; app.create_app(simulate.simulate_sessions())"
    hello, application = in_turn(
        9,
        lambda: subprocess.run(
            [sys.executable, "benchmarks/hello.py"], cwd=ROOT, check=True
        ),
        lambda: subprocess.run([sys.executable, "-c", ours], cwd=ROOT, check=True),
    )
    ratio = statistics.median(application) / statistics.median(hello)
    print(
        f"| import and build; beside Dash's own one-chart example "
        f"| {1000 * statistics.median(hello):,.0f} ms "
        f"| {1000 * statistics.median(application):,.0f} ms "
        f"| {ratio:.2f} of it | ≤ 1.3 |"
    )


def pick_user(page: Page, version: str, user: str) -> float:
    """Seconds that a pick of a user takes."""
    milliseconds: float = page.evaluate(
        PICK, [CHANGED[version], "user", {"value": user}]
    )
    return milliseconds / 1000


def random_filters(rng: random.Random, least: int) -> list[str]:
    """Parts of an address: *least* to four filters."""
    month = rng.randint(1, 11)
    filters = [
        f"from=2024-{month:02}-01&to=2024-{month + 1:02}-01",
        "page=cart&page=help",
        "min=10&max=120",
        "stat=median",
    ]
    return rng.sample(filters, rng.randint(least, 4))


def pick_filter(page: Page, user: str, rng: random.Random) -> float:
    """Seconds that another user with random filters takes."""
    search = "&".join([f"?user={user}", *random_filters(rng, 1)])
    # The map of hours is the last to be painted, and another for every user.
    milliseconds: float = page.evaluate(PICK, [["hours"], "url", {"search": search}])
    page.wait_for_load_state("networkidle")
    return milliseconds / 1000


def pick_bytes(version: str, page: Page, encoding: str) -> int:
    """What the server sends for one pick, charts and table: bytes of the bodies."""
    bodies = []

    def note(request: PlaywrightRequest) -> None:
        if request.method == "POST":
            bodies.append(request.post_data_buffer)

    page.on("request", note)
    # Of users who weren't picked before: they would be known.
    pick_user(page, version, USERS[-1] if encoding == "identity" else USERS[-2])
    page.wait_for_load_state("networkidle")
    page.remove_listener("request", note)
    n_bytes = 0
    for data in bodies:
        request = Request(
            f"http://127.0.0.1:{PORTS[version]}/_dash-update-component",
            data=data,
            headers={"Content-Type": "application/json", "Accept-Encoding": encoding},
        )
        with urlopen(request, timeout=60) as response:
            n_bytes += len(response.read())
    return n_bytes


def opened(browser: Browser, version: str) -> Page:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"http://127.0.0.1:{PORTS[version]}/")
    page.wait_for_function(DRAWN)
    return page


def load_bytes(browser: Browser, version: str) -> tuple[int, int]:
    """What the first visit and the next one receive: bytes, headers and all."""
    context = browser.new_context()
    received = [0, 0]
    for visit in range(2):
        page = context.new_page()
        network = context.new_cdp_session(page)
        network.send("Network.enable")

        def add(event: dict[str, Any], visit: int = visit) -> None:
            received[visit] += int(event["encodedDataLength"])

        network.on("Network.loadingFinished", add)
        page.goto(f"http://127.0.0.1:{PORTS[version]}/")
        page.wait_for_function(DRAWN)
        page.wait_for_load_state("networkidle")
        page.close()
    context.close()
    return received[0], received[1]


def in_browser() -> None:
    with served(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        pages = {version: opened(browser, version) for version in BOTH}
        painted: dict[str, list[float]] = {version: [] for version in BOTH}
        for user in USERS[:40]:
            for version, page in pages.items():
                painted[version].append(pick_user(page, version, user))
                page.wait_for_load_state("networkidle")
        soon = "p95 ≤ 150 ms"
        # The first ones warm up what compiles as it goes.
        row(
            "a pick in Chromium, to all charts painted",
            soon,
            painted["naive"][5:],
            painted["application"][5:],
        )
        for name, encoding, goal in (
            ("a pick on the wire", "identity", "≤ 20 kB"),
            ("the same, compressed", "zstd", "≤ 20 kB"),
        ):
            one, other = (pick_bytes(v, pages[v], encoding) / 1000 for v in BOTH)
            print(
                f"| {name} | {one:,.1f} kB | {other:,.1f} kB "
                f"| {one / other:,.0f} × | {goal} |"
            )
        for page in pages.values():
            page.close()
        for version, n_sessions in (("application", 100_000), ("large", 10_000_000)):
            page = opened(browser, version)
            users, filters = [], []
            rng = random.Random(1)
            for user in USERS[:40]:
                users.append(pick_user(page, version, user))
                page.wait_for_load_state("networkidle")
            for user in USERS[:40]:
                filters.append(pick_filter(page, user, rng))
            page.close()
            alone(f"a pick of a user among {n_sessions:,} sessions", soon, users[5:])
            alone(f"a pick of filters among {n_sessions:,}", soon, filters[5:])
        loads = [load_bytes(browser, version) for version in BOTH]
        for name, visit, goal in (
            ("first visit", 0, "≤ 1,900 kB"),
            ("next visit", 1, "≤ 50 kB"),
        ):
            one, other = (load[visit] / 1000 for load in loads)
            print(
                f"| {name}, received | {one:,.0f} kB | {other:,.0f} kB "
                f"| {one / other:,.1f} × | {goal} |"
            )
        browser.close()


def main() -> None:
    print("| what | naive | application, median (p95) | ratio | goal |")
    print("|---|---|---|---|---|")
    in_process()
    in_browser()
    start_up()
