"""What comes before and after a page: the memory engine beside DuckDB's SQL."""

import json
import random
import resource
import subprocess
import sys
import time
from typing import Any, Final

import duckdb
import numpy as np

from benchmarks.scale import FULL, SIZES, memory, ms, seconds, stream
from engine.memory import MemoryEngine
from engine.model import MOST_STEPS, Engine, PathCounts, Selection

PICKS: Final = 200
"""Random questions that are timed."""
BESIDE: Final = 10_000_000
"""The most sessions that DuckDB is asked about."""
TIMES_BESIDE: Final = 3

SQL: Final = """
with ordered as (
    select user_id as u, page, duration as d,
        epoch(date_trunc('second', timestamp)) as s from sessions
), around as (
    select page, {columns} from ordered
    window w as (partition by u order by s, page, d nulls first)
), linked as (
    select page, d, {linked} from around
)
"""


def sql(sign: int, chain: tuple[str, ...]) -> str:
    """The pages one step behind a chain, with sessions, known ones and seconds."""
    way = "lead" if sign > 0 else "lag"
    n_steps = len(chain) + 1
    columns = ["d", "s"]
    for step in range(1, n_steps + 1):
        columns += [
            f"{way}({name}, {step}) over w as {short}{step}"
            for short, name in (("p", "page"), ("d", "d"), ("s", "s"))
        ]
    conditions, linked = [], []
    for step in range(1, n_steps + 1):
        one, two = ("" if step == 1 else str(step - 1)), str(step)
        first, second = (one, two) if sign > 0 else (two, one)
        conditions.append(f"s{second} - s{first} - coalesce(d{first}, 0) <= 1800")
        linked.append(
            f"case when {' and '.join(conditions)} then p{step} end as a{step}"
        )
        linked.append(f"d{step}")
    head = SQL.format(columns=", ".join(columns), linked=", ".join(linked))
    where = "".join(f" and a{step} = ?" for step in range(1, n_steps))
    return (
        f"{head} select a{n_steps}, count(*), count(d{n_steps}), sum(d{n_steps})"
        f" from linked where page = ?{where} group by 1"
    )


def asked_of_duckdb(
    database: duckdb.DuckDBPyConnection, question: dict[str, Any]
) -> list[dict[str | None, tuple[int, int, float]]]:
    """The last step ahead and back: numbers by page, None for ended visits."""
    steps = []
    for sign, way in ((1, "ahead"), (-1, "back")):
        chain = question[way]
        rows = database.execute(sql(sign, chain), [question["page"], *chain])
        steps.append(
            {
                page: (n, known, total or 0.0)
                for page, n, known, total in rows.fetchall()
            }
        )
    return steps


def assert_equal(
    engine: Engine,
    counts: PathCounts,
    steps: list[dict[str | None, tuple[int, int, float]]],
) -> None:
    """Hold an answer against DuckDB's."""
    for ways, expected in zip(counts, steps, strict=True):
        step = ways[-1]
        assert step.ended == expected.pop(None, (0, 0, 0.0))[0]
        for i, page in enumerate(engine.facts.pages):
            n, known, total = expected.get(page, (0, 0, 0.0))
            assert (step.sessions[i], step.known[i]) == (n, known)
            assert np.isclose(step.seconds[i], total)


def questions(engine: Engine, n: int) -> list[dict[str, Any]]:
    """Random pages with chains of up to two pages either way."""
    draw = random.Random(7)
    pages = engine.facts.pages
    return [
        {
            "page": draw.choice(pages),
            "ahead": tuple(draw.choices(pages, k=draw.randrange(MOST_STEPS))),
            "back": tuple(draw.choices(pages, k=draw.randrange(MOST_STEPS))),
        }
        for _ in range(n)
    ]


def timed(engine: Engine, selection: Selection, n: int = PICKS) -> str:
    """Median and 95th percentile of random questions, in ms."""
    return ms(
        [
            seconds(lambda q=q: engine.paths(selection, **q))
            for q in questions(engine, n)
        ]
    )


def measure(n_sessions: int) -> dict[str, str]:
    """Measure one size, in this process."""
    start = time.perf_counter()
    engine = MemoryEngine(stream(n_sessions))
    build, before = time.perf_counter() - start, memory()
    page = engine.facts.pages[0]
    first = seconds(engine.paths, Selection(), page)
    after = memory()
    days = engine.facts.days.tolist()
    month_or_two = Selection(start=days[30], end=days[90])
    long = Selection(shortest=float(engine.facts.edges.logarithmic[5]))
    busiest = Selection(engine.find_users("", 1)[0])
    found = {
        "build, s": f"{build:.2f}",
        "first answer, s": f"{first:.2f}",
        "its memory, MB": f"{(after - before) / 1e6:.0f}",
        "memory without it, MB": f"{before / 1e6:.0f}",
        "peak, MB": f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f}",
        "everyone, ms": timed(engine, Selection()),
        "60 days, ms": timed(engine, month_or_two),
        "first with durations, s": f"{seconds(engine.paths, long, page):.2f}",
        "with durations, ms": timed(engine, long),
        "busiest user, first, ms": f"{1e3 * seconds(engine.paths, busiest, page):.1f}",
        "busiest user, ms": timed(engine, busiest),
    }
    if n_sessions <= BESIDE:
        found["DuckDB beside it, ms"] = beside(engine, n_sessions)
    return found


def beside(engine: Engine, n_sessions: int) -> str:
    """DuckDB's time for the same questions, whose numbers are checked."""
    database = duckdb.connect()
    database.execute("set TimeZone = 'UTC'")
    for number, frame in enumerate(stream(n_sessions)):
        database.register("frame", frame)
        start = "insert into sessions" if number else "create table sessions as"
        columns = "user_id::text as user_id, page::text as page, duration, timestamp"
        database.execute(f"{start} select {columns} from frame")
        database.unregister("frame")
    times = []
    for question in questions(engine, TIMES_BESIDE):
        start_ = time.perf_counter()
        steps = asked_of_duckdb(database, question)
        times.append(time.perf_counter() - start_)
        assert_equal(engine, engine.paths(Selection(), **question).everyone, steps)
    return ms(times)


def main(*, full: bool) -> None:
    """Measure each size in a process of its own, and print a table."""
    columns = {}
    for n_sessions in (*SIZES, *([FULL] if full else [])):
        command = [sys.executable, "-m", "benchmarks.paths", str(n_sessions)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        columns[f"{n_sessions:.0e}"] = json.loads(answer.stdout)
    print(f"{'what comes next':28}", *(f"{name:>22}" for name in columns))
    for row in columns[f"{SIZES[0]:.0e}"]:
        print(f"{row:28}", *(f"{c.get(row, ''):>22}" for c in columns.values()))


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
