"""How soon a pick of a user is seen: the application beside small pages like it.

    python -m benchmarks peers [--beside DIR] [--sessions N] [--pages N]

All pages are served and open at once, each has one pick in turn, and so what slows the
machine slows all of them. A pick is a click in the open list; its time is from the
press of the button to the end of the frame that has a chart's last change.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, sync_playwright

from benchmarks.peers import servers
from benchmarks.peers.hand import Hand, Seen, Visit, opened, p95
from benchmarks.peers.servers import Running, Server
from simulate import simulate_sessions

OURS: Final = "ours"
BESIDE: Final = "beside"
TUNED: Final = "Dash tuned"
SHINY: Final = "Shiny"
WARM_UP: Final = 3
"""The first picks of a page, which compile what the others use."""

USERS: Final = [f"user_{number}" for number in range(2, 51)]


@dataclass
class Found:
    """All that was measured of one page."""

    picks: list[Seen] = field(default_factory=list)
    again: list[Seen] = field(default_factory=list)
    back: list[Seen] = field(default_factory=list)
    forward: list[Seen] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)


def main(arguments: Sequence[str]) -> None:
    options = parse(arguments)
    with ExitStack() as stack:
        wanted = list(chosen(options, stack))
        running = [stack.enter_context(servers.running(each)) for each in wanted]
        playwright = stack.enter_context(sync_playwright())
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=installed)
        stack.callback(browser.close)
        found = measure(browser, running, options.picks, options.again, options.visits)
    print_table(found)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks peers")
    add = parser.add_argument
    add("--beside", type=Path, help="a checkout of another commit of this project")
    add("--sessions", type=int, help="also the application with so many sessions")
    add("--pages", type=int, help="also the application with so many pages")
    add("--picks", type=int, default=25, help="of users not picked before")
    add("--again", type=int, default=10, help="of users picked before, back, forward")
    add("--visits", type=int, default=5)
    add("--only", nargs="+", help="names of pages, without the others")
    add(
        "--peers-python",
        default=sys.executable,
        help=f"a Python with what is in {servers.REQUIREMENTS}",
    )
    return parser.parse_args(arguments)


def chosen(options: argparse.Namespace, stack: ExitStack) -> Iterator[Server]:
    """The pages to compare; those that can't be served are named and left out."""
    every = [servers.application(OURS), *servers.peers(options.peers_python)]
    if options.beside:
        directory = options.beside.resolve()
        every.insert(1, servers.application(BESIDE, directory=directory))
    if options.sessions:
        name = f"{options.sessions:,} sessions"
        every.append(servers.application(name, "--sessions", str(options.sessions)))
    if options.pages:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = write(folder / "sessions.parquet", options.pages)
        every.append(servers.application(f"{options.pages:,} pages", str(path)))
    for server in every:
        if options.only and server.name not in options.only:
            continue
        missing = server.missing() if server.needs else []
        if missing:
            print(
                f"{server.name} is left out, without {', '.join(missing)}: "
                f"pip install -r {servers.REQUIREMENTS}",
                file=sys.stderr,
            )
            continue
        yield server


def write(path: Path, n_pages: int) -> Path:
    """Make a file of the same sessions, on so many pages, some of them busier."""
    sessions = simulate_sessions()
    rng = np.random.default_rng(2024)
    page = (n_pages * rng.random(len(sessions)) ** 4).astype(np.int32)
    names = pd.CategoricalDtype(
        [f"/shop/{number % 40}/item-{number}" for number in range(n_pages)]
    )
    sessions["page"] = pd.Categorical.from_codes(page, dtype=names)
    sessions.to_parquet(path)
    return path


def measure(
    browser: Browser, running: list[Running], n_picks: int, n_again: int, n_visits: int
) -> dict[str, Found]:
    """Visit all pages in turn, then pick in all of them in turn."""
    found = {each.server.name: Found() for each in running}
    for _ in range(n_visits):
        for each in running:
            with opened(browser, each) as hand:
                found[hand.name].visits.append(hand.drawn())
    with ExitStack() as stack:
        hands: list[Hand] = []
        for each in running:
            hands.append(stack.enter_context(opened(browser, each)))
            hands[-1].ready(USERS[-1])

        def in_turn(act: Callable[[Hand], Seen], into: str) -> None:
            for hand in hands:
                if into in ("picks", "again") or hand.running.server.has_address:
                    getattr(found[hand.name], into).append(act(hand))

        users = (USERS * (n_picks // len(USERS) + 2))[: n_picks + WARM_UP]
        for user in users:
            in_turn(partial(Hand.pick, user=user), "picks")
        # Not the one who is shown, and of the last fifty.
        for user in users[-n_again - 1 : -1]:
            in_turn(partial(Hand.pick, user=user), "again")
            in_turn(partial(Hand.go, way="back"), "back")
            in_turn(partial(Hand.go, way="forward"), "forward")
    for own in found.values():
        del own.picks[:WARM_UP]
    return found


def print_table(found: dict[str, Found]) -> None:
    print(f"| median (p95) | {' | '.join(found)} | ratio | goal |")
    print("|---" * (len(found) + 3) + "|")
    for row in ROWS:
        cells = [row.cell(each) for each in found.values()]
        ratios, goals = row.ratios(found), row.goals()
        print(f"| {row.name} | {' | '.join(cells)} | {ratios} | {goals} |")
    print()
    for name, each in found.items():
        orders = [seen.charts for seen in each.picks]
        print(f"{name} changed {max(orders, key=orders.count)}.")


Values = Callable[[Found], Sequence[float]]


class Row(NamedTuple):
    """A line of the table: numbers of each page, and what ours should be of others'."""

    name: str
    values: Values
    than: Mapping[str, float] = {}
    """The most that ours may be, as a factor of what the page of a name has."""
    than_first: float = 0
    """The most that it may be, as a factor of the same page's first picks."""
    most: float | None = None
    """The most that it may be, as a number."""
    factor: float = 1_000
    """Seconds are told in milliseconds, bytes in kB."""
    has_p95: bool = True

    def cell(self, found: Found) -> str:
        values = [self.factor * value for value in self.values(found)]
        if not values:
            return "–"
        median = statistics.median(values)
        if not self.has_p95 or len(values) < 2:
            return f"{median:,.1f}"
        return f"{median:,.1f} ({p95(values):,.1f})"

    def ratios(self, found: Mapping[str, Found]) -> str:
        ours = self._median(found.get(OURS))
        told = [
            f"{ours / other:.2f} × {name}"
            for name in self.than
            if ours is not None and (other := self._median(found.get(name)))
        ]
        if self.than_first and ours is not None:
            first = statistics.median(whole(found[OURS]))
            told.append(f"{ours / first:.2f} × the first time")
        if OURS in found and self.values is whole:
            told += [
                f"{name} {other / ours:.2f} × ours"
                for name in found
                if name[0].isdigit() and ours and (other := self._median(found[name]))
            ]
        return "; ".join(told)

    def goals(self) -> str:
        told = [f"≤ {most:g} × {name}" for name, most in self.than.items()]
        if self.than_first:
            told.append(f"≤ {self.than_first:g} × the first time")
        if self.most is not None:
            told.append(f"≤ {self.most:g}")
        if self.values is whole:
            told.append("others within 20 %")
        return "; ".join(told)

    def _median(self, found: Found | None) -> float | None:
        values = self.values(found) if found else []
        return statistics.median(values) if values else None


def whole(found: Found) -> list[float]:
    return [seen.whole for seen in found.picks]


def spread(found: Found) -> list[float]:
    """The worst of p95 by median, of the three times of a pick."""
    times = [
        [getattr(seen, moment) for seen in found.picks]
        for moment in ("first", "screen", "whole")
    ]
    return [max(p95(each) / statistics.median(each) for each in times)]


ROWS: Final = (
    Row(
        "a pick, to the first chart, ms",
        lambda f: [s.first for s in f.picks],
        {SHINY: 1},
    ),
    Row(
        "to all charts on the screen, ms",
        lambda f: [s.screen for s in f.picks],
        {TUNED: 0.6, BESIDE: 0.5},
    ),
    Row("to the whole page, ms", whole, {TUNED: 1}),
    Row("worst p95, by its median", spread, most=1.5, factor=1, has_p95=False),
    Row(
        "the same view again, whole, ms",
        lambda f: [s.whole for s in f.again],
        than_first=0.5,
    ),
    Row(
        "its requests",
        lambda f: [s.requests for s in f.again],
        most=0,
        factor=1,
        has_p95=False,
    ),
    Row("back, whole, ms", lambda f: [s.whole for s in f.back], than_first=0.5),
    Row("forward, whole, ms", lambda f: [s.whole for s in f.forward], than_first=0.5),
    Row(
        "requests of back and forward",
        lambda f: [s.requests for s in f.back + f.forward],
        most=0,
        factor=1,
        has_p95=False,
    ),
    Row(
        "CPU of a pick on the server, ms",
        lambda f: [s.cpu for s in f.picks],
        {BESIDE: 0.5},
    ),
    Row(
        "received for a pick, kB",
        lambda f: [s.received for s in f.picks],
        {BESIDE: 1},
        factor=0.001,
    ),
    Row(
        "first visit, to the first chart, ms",
        lambda f: [v.first for v in f.visits],
        {BESIDE: 1},
        has_p95=False,
    ),
    Row(
        "received for it, kB",
        lambda f: [v.received for v in f.visits],
        {BESIDE: 1},
        factor=0.001,
        has_p95=False,
    ),
)
