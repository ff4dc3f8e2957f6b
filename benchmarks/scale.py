"""The memory engine from 1e5 to 1e8 sessions, and beside pandas, DuckDB and Polars."""

import gc
import itertools
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from plotly.io.json import to_json_plotly

import callbacks
import simulate
from benchmarks import engines
from engine.memory import MemoryEngine
from engine.model import Engine, Selection
from view import View

SIZES: Final = (100_000, 1_000_000, 10_000_000)
FULL: Final = 100_000_000
ENGINES: Final = {
    "pandas": engines.ask_pandas,
    "DuckDB": engines.ask_duckdb,
    "Polars": engines.ask_polars,
}
LIGHT: Final = 10_000
"""A user with at most so many sessions is a light one."""

SHAPES: Final = (
    *((50, 8), (100_000, 8), (10_000_000, 8)),
    *((50, 100), (50, 1_000), (50, 100_000)),
)
"""Users and pages."""

BUILD: Final = "build, ns a session"
RESIDENT: Final = "resident after it, bytes a session"
PEAK: Final = "peak during it, bytes a session"
EVERYONE: Final = "everyone, any filter, ms"
BY_USER: Final = "all users, any filter, ms"
WIRE: Final = "a pick on the wire, kB"

ROWS: Final = {
    "simulate, ns a session": "≤ 60",
    BUILD: "≤ 150 from 1e6 on; 1e8 ≤ 12 × 1e7",
    RESIDENT: "≤ 16 from 1e7 on",
    PEAK: "≤ 40 from 1e7 on",
    EVERYONE: "≤ 2; 1e8 ≤ 1.5 × 1e6",
    "first touch of another filter": "≤ 2 × what it is again",
    "everyone and a user of up to 10,000 sessions, ms": "≤ 1 for the user",
    "a user of more, ns for each of theirs": "≤ 50",
    "the slowest user, ms": "≤ 50",
    BY_USER: "≤ 6 at 1e5, ≤ 500 at 1e7",
    WIRE: "≤ 20",
    "three questions, ms": "",
    "pandas beside it": "≥ 100 × at 1e7",
    "DuckDB beside it": "≥ 50 × at 1e7",
    "Polars beside it": "≥ 30 × at 1e7",
}
GROWS: Final = (
    *(BUILD, RESIDENT, PEAK, EVERYONE),
    *("a user, ms", "a search for a user, ms", BY_USER, WIRE),
)


def stream(n_sessions: int) -> Iterator[pd.DataFrame]:
    """Nine of ten sessions by 50 busy users, one of ten by some 3,000 times fewer.

    So there are users of a few thousand sessions and of millions in the same data.
    """
    n_light = n_sessions // 10
    yield from simulate.stream_sessions(n_sessions - n_light, 50, 1)
    names: Any = None
    for frame in simulate.stream_sessions(n_light, max(n_light // 3_000, 1), 2):
        if names is None:
            users = frame["user_id"].cat.categories
            names = pd.CategoricalDtype("guest_" + users.str.removeprefix("user_"))
        codes = frame["user_id"].cat.codes
        frame["user_id"] = pd.Categorical.from_codes(codes, dtype=names)
        yield frame


def memory() -> int:
    """Bytes of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def seconds(work: Callable[..., Any], *arguments: Any) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def ms(times: list[float]) -> str:
    """Median and 95th percentile."""
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"{1000 * statistics.median(times):.2f} ({1000 * p95:.2f})"


def filters(engine: Engine, n: int) -> list[dict[str, Any]]:
    """Return random dates, pages and durations, at least one of them each time."""
    draw = random.Random(2024)
    facts = engine.facts
    days = facts.days.tolist()
    edges = np.union1d(*facts.edges).tolist()
    found: list[dict[str, Any]] = []
    while len(found) < n:
        parts: dict[str, Any] = {}
        if draw.random() < 0.6:
            start, last = sorted(draw.sample(days, 2))
            parts |= {"start": start, "end": last + timedelta(days=1)}
        if draw.random() < 0.5:
            parts["pages"] = tuple(draw.sample(facts.pages, draw.randint(1, 5)))
        if draw.random() < 0.5:
            shortest, longest = sorted(draw.sample(edges, 2))
            parts |= {"shortest": shortest, "longest": longest}
        if parts:
            found.append(parts)
    return found


def varied(n_sessions: int, n_users: int, n_pages: int) -> Iterator[pd.DataFrame]:
    """Simulated sessions, of any number of users, on any number of pages.

    Of P pages, the share of the k most visited is (k / P) ** 0.25.
    """
    rng = np.random.default_rng(2024)
    names = pd.CategoricalDtype([f"/page/{number}" for number in range(n_pages)])
    for frame in simulate.stream_sessions(n_sessions, n_users, 2024):
        page = (n_pages * rng.random(len(frame)) ** 4).astype(np.int32)
        frame["page"] = pd.Categorical.from_codes(page, dtype=names)
        yield frame


def build(
    frames: Iterator[pd.DataFrame], n_sessions: int
) -> tuple[MemoryEngine, dict[str, str]]:
    """Build an engine over a stream of sessions, and measure that."""
    simulating = 0.0

    def timed() -> Iterator[pd.DataFrame]:
        nonlocal simulating
        while True:
            start = time.perf_counter()
            frame = next(frames, None)
            simulating += time.perf_counter() - start
            if frame is None:
                return
            yield frame

    MemoryEngine(simulate.simulate_sessions(1_000))  # Imports what isn't counted.
    gc.collect()
    before = memory()
    start = time.perf_counter()
    engine = MemoryEngine(timed())
    building = time.perf_counter() - start - simulating
    gc.collect()
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    costs = {
        "simulate, ns a session": f"{1e9 * simulating / n_sessions:.0f}",
        BUILD: f"{1e9 * building / n_sessions:.0f}",
        RESIDENT: f"{(memory() - before) / n_sessions:.1f}",
        PEAK: f"{(peak - before) / n_sessions:.1f}",
    }
    return engine, costs


def picks(engine: Engine) -> dict[str, str]:
    """Measure answers about everyone, about users of all sizes and about all users."""
    every = filters(engine, 60)
    touches = [
        [seconds(engine.summarise, Selection(**f)) for _ in range(5)] for f in every
    ]
    again = [statistics.median(times[1:]) for times in touches]
    first = statistics.median(t[0] / a for t, a in zip(touches, again, strict=True))

    light: list[float] = []
    a_session: list[float] = []
    slowest = 0.0
    users = [*engine.find_users("", 60), *engine.find_users("guest_", 400)[-60:]]
    for user, chosen in zip(users, itertools.cycle([{}, *every]), strict=False):
        whole = engine.summarise(Selection(user)).user
        assert whole is not None
        n = int(whole.sessions.sum())
        selection = Selection(user, **chosen)
        took = statistics.median(seconds(engine.summarise, selection) for _ in range(3))
        slowest = max(slowest, took)
        if n <= LIGHT:
            light.append(took)
        elif n >= 2 * LIGHT:
            # Beyond the millisecond that light users have.
            a_session.append(max(took - 0.001, 0) / (n - LIGHT))
    return {
        EVERYONE: ms(again),
        "first touch of another filter": f"{first:.2f} ×",
        "everyone and a user of up to 10,000 sessions, ms": ms(light),
        "a user of more, ns for each of theirs": (
            f"{1e9 * max(a_session):.0f}" if a_session else "–"
        ),
        "the slowest user, ms": f"{1000 * slowest:.1f}",
        BY_USER: ms([seconds(engine.list_users, Selection(**f)) for f in every[:20]]),
    }


def wire(engine: Engine) -> dict[str, str]:
    """Measure the most that a view of a busy user takes, before it is compressed."""
    sizes = []
    for user in engine.find_users("", 20):
        view = View(Selection(user))
        answers = callbacks.redraw(engine, view), callbacks.list_users(engine, view)
        sizes.append(len(to_json_plotly(answers).encode()))
    return {WIRE: f"{max(sizes) / 1000:.1f}"}


def beside(engine: Engine, sessions: pd.DataFrame) -> dict[str, str]:
    """Our answers and theirs, in turn, after a check that they are the same."""
    users = itertools.cycle([f"user_{number}" for number in range(2, 51, 4)])
    edges = engine.facts.edges.linear
    ours = engines.ask_engine(engine)
    theirs = {name: load(sessions, edges) for name, load in ENGINES.items()}
    for name, ask in theirs.items():
        agree(name, ask("user_7"), ours("user_7"))
    times: dict[str, list[float]] = {name: [] for name in ["ours", *theirs]}
    for _ in range(13):
        user = next(users)
        for name, ask in [("ours", ours), *theirs.items()]:
            times[name].append(seconds(ask, user))
    middle = {name: statistics.median(values) for name, values in times.items()}
    return {"three questions, ms": ms(times["ours"])} | {
        f"{name} beside it": f"{1000 * middle[name]:.0f} ms, "
        f"{middle[name] / middle['ours']:.0f} ×"
        for name in theirs
    }


def agree(name: str, theirs: engines.Answer, ours: engines.Answer) -> None:
    for their, our in zip(theirs[:3], ours[:3], strict=True):
        assert set(their) == set(our), name
        for page, value in our.items():
            assert abs(their[page] - value) <= 1e-6 * value, (name, page)
    assert theirs.histogram == ours.histogram, name


def measure(n_sessions: int) -> dict[str, str]:
    engine, figures = build(stream(n_sessions), n_sessions)
    figures |= picks(engine) | wire(engine)
    if n_sessions < FULL:
        frames = list(stream(n_sessions))
        sessions = pd.concat(frames, ignore_index=True)
        for name in ("user_id", "page"):
            together = pd.api.types.union_categoricals([f[name] for f in frames])
            sessions[name] = together
        del frames
        figures |= beside(engine, sessions)
    return figures


def measure_varied(n_sessions: int, n_users: int, n_pages: int) -> dict[str, str]:
    frames = varied(n_sessions, n_users, n_pages)
    engine, figures = build(frames, n_sessions)
    every = [Selection(**f) for f in filters(engine, 20)]
    some_users = engine.find_users("", 20)
    engine.find_users("7", 50)
    return figures | {
        EVERYONE: ms([seconds(engine.summarise, selection) for selection in every]),
        "a user, ms": ms(
            [seconds(engine.summarise, Selection(user)) for user in some_users]
        ),
        "a search for a user, ms": ms(
            [seconds(engine.find_users, str(n), 50) for n in range(10, 20)]
        ),
        BY_USER: ms([seconds(engine.list_users, selection) for selection in every]),
        **wire(engine),
    }


def in_processes(arguments: Iterable[Sequence[int]]) -> list[dict[str, str]]:
    """Each in a process of its own, so that it has memory of its own."""
    return [
        json.loads(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.scale", *map(str, numbers)],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout
        )
        for numbers in arguments
    ]


def main(full: bool) -> None:
    sizes = [*SIZES, *([FULL] if full else [])]
    found = in_processes([size] for size in sizes)
    heads = " | ".join(f"{size:,}" for size in sizes)
    print(f"| median (p95) | {heads} | goal |")
    print("|---" * (len(sizes) + 2) + "|")
    for name, goal in ROWS.items():
        cells = " | ".join(figures.get(name, "–") for figures in found)
        print(f"| {name} | {cells} | {goal} |")
    if not full:
        return
    print()
    found = in_processes((SIZES[-1], *shape) for shape in SHAPES)
    heads = " | ".join(f"{users:,} × {pages:,}" for users, pages in SHAPES)
    print(f"| {SIZES[-1]:,} sessions, users × pages | {heads} |")
    print("|---" * (len(SHAPES) + 1) + "|")
    for name in GROWS:
        cells = " | ".join(figures[name] for figures in found)
        print(f"| {name} | {cells} |")


if __name__ == "__main__":
    size, *shape = map(int, sys.argv[1:])
    if shape:
        print(json.dumps(measure_varied(size, *shape)))
    else:
        print(json.dumps(measure(size)))
