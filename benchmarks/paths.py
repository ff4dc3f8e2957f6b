"""What comes before and after a page: questions, and the same in DuckDB's SQL."""

import random
from typing import Any, Final

import duckdb
import numpy as np

from engine.model import MOST_STEPS, Engine, PathCounts

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
