"""The sections of the page from 1e5 to 1e8 sessions, beside DuckDB's SQL."""

import gc
import gzip
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from plotly.io.json import to_json_plotly

from benchmarks import paths
from benchmarks.scale import FULL, SIZES, memory, ms, seconds, stream
from charts.compare import Compare
from charts.paths import Paths
from charts.section import Section
from charts.sides import find_sides
from charts.story import PAGE_SIZE, Story
from engine.freed import release_freed_memory
from engine.memory import MemoryEngine
from engine.model import Engine, Selection, Tally
from versus import Versus
from view import View

PICKS: Final = 200
"""Random questions that are timed."""
BESIDE: Final = 3
"""Those that DuckDB is asked, too, and whose numbers are checked."""
DUCKDB_MEMORY: Final = "10GB"

COMPARED: Final = """
select page, count(*), count(duration), sum(duration),
    var_pop(duration) * count(duration)
from sessions where {} group by page
"""

TOLD: Final = """
with ordered as (
    select page, duration as d, epoch(date_trunc('second', timestamp)) as s
    from sessions where user_id = ? and timestamp >= ? and timestamp < ?
), paused as (
    select *, s - lag(s) over w - coalesce(lag(d) over w, 0) as pause
    from ordered window w as (order by s, page, d nulls first)
), numbered as (
    select *, sum(case when pause is null or pause > 1800 then 1 else 0 end)
        over (order by s, page, d nulls first rows unbounded preceding) as visit
    from paused
)
select page, s, d, pause, visit from numbered
order by s, page, d nulls first limit ? offset ?
"""

_Row = tuple[str, int, int, float | None, float | None]


class Users:
    """Names to draw from: busy ones, and light ones, see ``scale.stream``."""

    def __init__(self, engine: Engine) -> None:
        self.busy = engine.find_users("user_", 50)
        self.light = engine.find_users("guest_", 400)


def some_dates(engine: Engine, draw: random.Random) -> dict[str, Any]:
    """Some 7 to 60 of the days, with as many before them."""
    days = engine.facts.days.tolist()
    n = draw.randint(7, 60)
    start = days[draw.randrange(n, len(days) - n)]
    return {"start": start, "end": start + timedelta(days=n)}


def comparisons(engine: Engine, users: Users) -> dict[str, list[View]]:
    """Random views with each of what can be compared with."""
    draw = random.Random(5)
    every = [*users.busy, *users.light]

    def view(user: str | None, versus: Versus, *, with_dates: bool) -> View:
        chosen = some_dates(engine, draw) if with_dates else {}
        return View(Selection(user, **chosen), opened=("compare",), versus=versus)

    return {
        "two users": [
            view(user, Versus("user", other), with_dates=number % 2 == 0)
            for number in range(PICKS)
            for user, other in [draw.sample(every, 2)]
        ],
        "the period before": [
            view(draw.choice([*every, None]), Versus("before"), with_dates=True)
            for _ in range(PICKS)
        ],
        "names with “7”": [
            view(draw.choice(every), Versus("names", "7"), with_dates=number % 2 == 0)
            for number in range(PICKS)
        ],
    }


def stories(engine: Engine, users: Sequence[str]) -> list[View]:
    """Random pages of random users' stories, half of them of some dates."""
    draw = random.Random(6)
    return [
        View(
            Selection(draw.choice(users), **chosen),
            opened=("story",),
            story_page=draw.randint(1, 5),
        )
        for number in range(PICKS)
        for chosen in [some_dates(engine, draw) if number % 2 else {}]
    ]


def walks(engine: Engine, selection: Selection) -> list[View]:
    """Random pages with what is chosen before and after them."""
    return [
        View(
            selection,
            opened=("paths",),
            step=question["page"],
            ahead=question["ahead"],
            back=question["back"],
        )
        for question in paths.questions(engine, PICKS)
    ]


def timed(ask: Callable[[View], Any], views: Iterable[View]) -> str:
    """Median and 95th percentile, in ms."""
    return ms([seconds(ask, view) for view in views])


def answered(engine: Engine, section: Section, views: Sequence[View]) -> dict[str, str]:
    """What a section takes in whole, and sends."""
    sizes: list[int] = []

    def answer(view: View) -> None:
        shown = to_json_plotly(section.answer(engine, view))
        sizes.append(len(gzip.compress(shown.encode(), 6)))

    took = timed(answer, views[:50])
    return {
        f"the section {section.title}, ms": took,
        "it on the wire, kB": f"{np.median(sizes) / 1e3:.1f} ({max(sizes) / 1e3:.1f})",
    }


def measure_compare(engine: Engine, users: Users) -> dict[str, str]:
    """What is picked beside another user, another period and some users."""
    views = comparisons(engine, users)
    before = memory()
    first = seconds(find_sides, engine, views["names with “7”"][0])
    found = {
        "names, first, ms": f"{1e3 * first:.1f}",
        "their memory, MB": f"{(memory() - before) / 1e6:.0f}",
    }
    for name, some in views.items():
        found[f"{name}, ms"] = timed(lambda view: find_sides(engine, view), some)
    mixed = [view for some in zip(*views.values(), strict=True) for view in some]
    return found | answered(engine, Compare(), mixed)


def tell(engine: Engine, view: View) -> Any:
    return engine.story(view.selection, page=view.story_page, page_size=PAGE_SIZE)


def measure_story(engine: Engine, users: Users) -> dict[str, str]:
    """One user's sessions in order, a page of them."""
    light, busy = stories(engine, users.light), stories(engine, users.busy)
    return {
        "story of few thousands, ms": timed(lambda view: tell(engine, view), light),
        "story of the busiest, ms": timed(lambda view: tell(engine, view), busy[:60]),
        **answered(engine, Story(), light),
    }


def walk(engine: Engine, view: View) -> Any:
    page = view.step or engine.facts.pages[0]
    return engine.paths(view.selection, page, view.ahead, view.back)


def measure_paths(engine: Engine) -> dict[str, str]:
    """What comes after and before a page: what is made on first use, and answers."""
    # What other sections have freed would be missing from what this one takes.
    gc.collect()
    release_freed_memory()
    before = memory()
    days = engine.facts.days.tolist()
    dates = Selection(start=days[30], end=days[90])
    long = Selection(shortest=float(engine.facts.edges.logarithmic[5]))
    busiest = Selection(engine.find_users("", 1)[0])
    everyone = walks(engine, Selection())
    first = seconds(walk, engine, everyone[0])
    its_memory = memory() - before
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def first_of(selection: Selection) -> float:
        return seconds(walk, engine, walks(engine, selection)[0])

    def ask(selection: Selection) -> str:
        return timed(lambda view: walk(engine, view), walks(engine, selection))

    return {
        "paths, first, s": f"{first:.2f}",
        "their memory, MB": f"{its_memory / 1e6:.0f}",
        "peak until then, MB": f"{peak / 1e6:.0f}",
        "paths of everyone, ms": ask(Selection()),
        "of 60 days, ms": ask(dates),
        "new durations, first, s": f"{first_of(long):.2f}",
        "with durations, ms": ask(long),
        "busiest user, first, ms": f"{1e3 * first_of(busiest):.1f}",
        "busiest user, ms": ask(busiest),
        **answered(engine, Paths(), everyone),
    }


def measure(n_sessions: int) -> dict[str, dict[str, str]]:
    """Measure one size, in this process."""
    before = memory()
    start = time.perf_counter()
    engine = MemoryEngine(stream(n_sessions))
    building = time.perf_counter() - start
    users = Users(engine)
    found = {
        "the data": {
            "simulated and arranged, s": f"{building:.2f}",
            "memory of it, MB": f"{(memory() - before) / 1e6:.0f}",
        },
        "compare": measure_compare(engine, users),
        "story": measure_story(engine, users),
        "paths": measure_paths(engine),
    }
    with tempfile.TemporaryDirectory() as folder:
        found["DuckDB"] = beside(engine, users, n_sessions, Path(folder))
    return found


def beside(
    engine: Engine, users: Users, n_sessions: int, folder: Path
) -> dict[str, str]:
    """DuckDB's times for the same questions, whose numbers are checked."""
    database = duckdb.connect(folder / "sessions.duckdb")
    database.execute("set TimeZone = 'UTC'")
    database.execute(f"set memory_limit = '{DUCKDB_MEMORY}'")
    for number, frame in enumerate(stream(n_sessions)):
        database.register("frame", frame)
        start = "insert into sessions" if number else "create table sessions as"
        columns = "user_id::text as user_id, page::text as page, duration, timestamp"
        database.execute(f"{start} select {columns} from frame")
        database.unregister("frame")
    found = {}
    for name, views in comparisons(engine, users).items():
        found[f"{name}, ms"] = timed(
            lambda view: check_sides(engine, database, view), views[:BESIDE]
        )
    for name, some in (("few thousands", users.light), ("the busiest", users.busy)):
        found[f"story of {name}, ms"] = timed(
            lambda view: check_story(engine, database, view),
            stories(engine, some)[:BESIDE],
        )
    times = []
    for question in paths.questions(engine, BESIDE if n_sessions < FULL else 2):
        begin = time.perf_counter()
        steps = paths.asked_of_duckdb(database, question)
        times.append(time.perf_counter() - begin)
        paths.assert_equal(
            engine, engine.paths(Selection(), **question).everyone, steps
        )
    found["paths of everyone, ms"] = ms(times)
    return found


def check_sides(
    engine: Engine, database: duckdb.DuckDBPyConnection, view: View
) -> None:
    """Ask DuckDB for both sides; answers from memory take little beside it."""
    sides = find_sides(engine, view)
    assert sides is not None
    assert view.versus is not None
    for side, is_other in ((sides.this, False), (sides.other, True)):
        where = ["timestamp >= ?", "timestamp < ?"]
        given: list[Any] = [side.start, side.end]
        name = view.selection.user
        if is_other and not view.versus.is_period:
            name = view.versus.text
        if name is not None:
            is_part = is_other and view.versus.kind == "names"
            where.append("contains(user_id, ?)" if is_part else "user_id = ?")
            given.append(name)
        sql = COMPARED.format(" and ".join(where))
        assert_equal(engine, side.tally, database.execute(sql, given).fetchall())


def assert_equal(engine: Engine, tally: Tally, rows: Sequence[_Row]) -> None:
    """Hold the numbers by page against DuckDB's."""
    places = {page: place for place, page in enumerate(engine.facts.pages)}
    expected = np.zeros((4, len(places)))
    for page, *numbers in rows:
        expected[:, places[page]] = [number or 0 for number in numbers]
    assert (tally.sessions == expected[0]).all()
    assert (tally.known == expected[1]).all()
    assert np.allclose(tally.seconds, expected[2])
    # Of a single session it is zero but for rounding.
    atol = 1e-9 * expected[3].max(initial=1)
    assert np.allclose(tally.squared_deviations, expected[3], atol=atol)


def check_story(
    engine: Engine, database: duckdb.DuckDBPyConnection, view: View
) -> None:
    """Ask DuckDB for the same page of a story."""
    story = tell(engine, view)
    days = engine.facts.days.tolist()
    selection = view.selection
    start = selection.start or days[0]
    end = selection.end or days[-1] + timedelta(days=1)
    offset = PAGE_SIZE * (story.page - 1)
    given = [selection.user, start, end, PAGE_SIZE, offset]
    rows = database.execute(TOLD, given).fetchall()
    assert len(rows) == len(story.sessions)
    for (page, second, duration, pause, visit), session in zip(
        rows, story.sessions, strict=True
    ):
        assert (session.page, session.visit) == (page, visit)
        assert session.start.timestamp() == second
        assert np.isnan(session.duration) == (duration is None)
        assert (session.pause is None) == (pause is None)
        assert pause is None or np.isclose(session.pause or 0, pause, atol=0.01)


def main(*, full: bool) -> None:
    """Measure each size in a process of its own, and print a table."""
    columns: dict[str, dict[str, dict[str, str]]] = {}
    for n_sessions in (*SIZES, *([FULL] if full else [])):
        command = [sys.executable, "-m", "benchmarks.sections", str(n_sessions)]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        columns[f"{n_sessions:.0e}"] = json.loads(answer.stdout)
    first = next(iter(columns.values()))
    print(f"{'median (p95)':34}", *(f"{name:>20}" for name in columns))
    for part, rows in first.items():
        print(part)
        for row in rows:
            cells = (f"{column[part][row]:>20}" for column in columns.values())
            print(f"  {row:32}", *cells)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
