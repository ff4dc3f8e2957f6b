"""Every question in the words of every database, parsed; DuckDB plans each as well."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import cycle
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import sqlglot
from sqlglot.errors import ErrorLevel

from engine.model import BinEdges, Selection
from engine.timezone import time_zone
from engine.warehouse import Column, SessionTable
from engine.warehouse.path_questions import PathQuestions
from engine.warehouse.questions import Bins, Frame, Group, Question, Questions
from engine.warehouse.user_questions import UserQuestions
from engine.warehouse.words import (
    BIGQUERY,
    CLICKHOUSE,
    DUCKDB,
    POSTGRESQL,
    SNOWFLAKE,
    TRINO,
    Sql,
    Words,
    number,
    pick,
)
from engine.warehouse.zones import changes
from tests.engine.conformance import SORTS, STATISTICS
from tests.examples import some_of

DIALECTS = {
    "duckdb": DUCKDB,
    "postgres": POSTGRESQL,
    "clickhouse": CLICKHOUSE,
    "snowflake": SNOWFLAKE,
    "bigquery": BIGQUERY,
    "trino": TRINO,
}
BOUND = "it's bound"
ODD = ('Odd "user"', "odd `page`", "odd time", "odd' seconds", "odd place")
MARKS = {
    DUCKDB: r"\$(\d+)",
    POSTGRESQL: r"\$(\d+)",
    CLICKHOUSE: r"\{p(\d+):\w+\}",
    SNOWFLAKE: r"(?<=\s|\():(\d+)",
    BIGQUERY: r"@p(\d+)",
    TRINO: r"\$(\d+)",
}
"""What stands for values."""


def tables() -> Iterator[SessionTable]:
    """Tables of all kinds of columns."""
    zone = changes(time_zone("Europe/Berlin"), 1_700_000_000, 1_750_000_000)
    text, double = pa.string(), pa.float64()
    user, page, time, seconds, place = ODD
    columns: dict[str, Any] = {"user": Column(user, text), "page": Column(page, text)}
    duration, plain = Column(seconds, double), Column(time, pa.timestamp("us"))
    zoned = Column(time, pa.timestamp("us", "UTC"))
    path = ('odd "schema"', "odd table")
    where = ((Column(place, pa.string()), BOUND),)
    yield SessionTable(path, **columns, time=plain, duration=duration)
    yield SessionTable(path, **columns, time=zoned, end=plain, times_are=zone)
    yield SessionTable(path, **columns, time=Column(time, pa.date32()), where=where)
    for unit in ("s", "ms", "us", "ns"):
        yield SessionTable(
            path,
            user=Column(user, pa.int64()),
            page=columns["page"],
            time=Column(time, pa.int64()),
            duration=duration,
            number_unit=unit,
            zero_is_unknown=True,
            negative_is_unknown=True,
            longest=3_600,
            where=where,
        )


def questions(table: SessionTable, words: Words) -> Iterator[Question]:
    """All that may be asked of a table."""
    zone = changes(time_zone("Australia/Lord_Howe"), 1_700_000_000, 1_750_000_000)
    few = Questions(table, words, zone, (BOUND, f"{BOUND} too"), f"{BOUND}, others")
    every = Selection(
        None, date(2024, 1, 1), date(2024, 3, 1), (BOUND,), 0.5, float("inf")
    )
    edges = BinEdges(*(pa.array([0, 1.5, 60.0, float("inf")]).to_numpy(),) * 2)
    bins = Bins.of(edges, 20, 2**-20)
    for all_ in (Questions(table, words), few):
        for user in (None, "17"):
            group = Group(user, "ann", 1_700_000_000_000_000)
            yield all_.totals()
            yield all_.pages(group, 10)
            for frame in (Frame(700_000), Frame(700_000, (BOUND,))):
                yield all_.sketch(group, frame)
                yield all_.cells(group, frame, bins)
            yield all_.users(group, 10)
            yield all_.count_days(group)
            yield all_.count_pages(group)
            yield all_.count_users(group)
            yield all_.user_rows(group, 10)
    for all_, selection in ((few, Selection()), (few, every)):
        yield all_.sessions(Group(BOUND), selection, 10)
        yield all_.ordered_rows(Group(BOUND), selection, 10, 20)
        yield from user_questions(all_, selection)
        yield from path_questions(all_, selection)


def user_questions(asked: Questions, selection: Selection) -> Iterator[Question]:
    """All that may be asked about users."""
    users, group = UserQuestions(asked, 2**-20), Group(until=1_700_000_000_000_000)
    yield users.numbers(group, selection)
    for some in (None, (BOUND, "b")):
        yield users.quantiles(group, selection, some)
    for search in ("", BOUND):
        yield users.found(group, search, 10)
        yield users.counts(group, selection, search)
        for sort, reverse in zip(SORTS, cycle((False, True)), strict=False):
            yield users.page(
                group, selection, sort, search, reverse=reverse, limit=10, offset=20
            )
            yield users.place(group, selection, sort, search, BOUND, reverse=reverse)
    for statistic in STATISTICS:
        yield users.ranks(group, selection, statistic, BOUND)


def path_questions(asked: Questions, selection: Selection) -> Iterator[Question]:
    """All that may be asked about what comes after and before a page."""
    paths = PathQuestions(asked, 2**-20, 1_800)
    for frame in (Frame(700_000), Frame(700_000, (BOUND, f"{BOUND} too"))):
        for sign in (1, -1):
            yield paths.cells(Group(), selection, frame, sign, 3)
            for chain in ((), (BOUND, f"{BOUND} too")):
                group = Group(BOUND, until=5)
                yield paths.chain(group, selection, frame, sign, BOUND, chain)


@pytest.mark.parametrize("dialect", some_of(4, list(DIALECTS)))
def test_every_question_is_sql(dialect: str) -> None:
    words = DIALECTS[dialect]
    for table in tables():
        for asked in each_or_some(table, words):
            parsed = sqlglot.parse(asked.text, dialect, error_level=ErrorLevel.RAISE)
            assert len(parsed) == 1
            assert isinstance(parsed[0], sqlglot.exp.Query)


def each_or_some(table: SessionTable, words: Words) -> Iterator[Question]:
    """All questions of the plainest table; tables differ in what is innermost."""
    if table.duration is not None and not table.where:
        yield from questions(table, words)
    asked = Questions(table, words)
    yield asked.totals()
    yield asked.user_rows(Group("17", until=5), 10)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_names_are_quoted_and_values_bound(dialect: str) -> None:
    words = DIALECTS[dialect]
    quoted = r"`(?:\\.|[^`])*`" if words.quote == "`" else r'"(?:\\.|""|[^"])*"'
    for table in tables():
        for asked in questions(table, words):
            assert BOUND not in asked.text
            plain = re.sub(quoted, " ", asked.text)
            assert "odd" not in plain.lower()
            assert "bound" not in plain
            assert "`" not in plain
            assert '"' not in re.sub('collate "(C|default)"', "", plain)
            marks = {int(index) for index in re.findall(MARKS[words], plain)}
            assert marks == set(range(1, len(asked.values) + 1))


def test_duckdb_plans_every_question() -> None:
    with duckdb.connect() as connection:
        connection.execute('create schema "odd ""schema"""')
        connection.execute("set TimeZone = 'UTC'")
        for table in tables():
            kinds = {
                table.user: "bigint" if pa.types.is_int64(table.user.kind) else "text",
                table.page: "text",
                Column(ODD[4], pa.string()): "text",
                Column(ODD[3], pa.float64()): "double",
                table.time: _duckdb_type(table.time.kind),
            }
            columns = {DUCKDB.name(c.name): kind for c, kind in kinds.items()}
            declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            name = DUCKDB.name(*table.path)
            connection.execute(f"create or replace table {name} ({declared})")
            for asked in each_or_some(table, DUCKDB):
                connection.execute(f"explain {asked.text}", list(asked.values))


def _duckdb_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "bigint"
    if pa.types.is_date(kind):
        return "date"
    return "timestamptz" if kind.tz else "timestamp"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (POSTGRESQL, '"web"."a""b\\c`d"'),
        (CLICKHOUSE, '"web"."a\\"b\\\\c`d"'),
        (BIGQUERY, '`web`.`a"b\\\\c\\`d`'),
    ],
)
def test_names(words: Words, expected: str) -> None:
    assert words.name("web", 'a"b\\c`d') == expected


def test_parts_of_a_text() -> None:
    sql = Sql(CLICKHOUSE)
    assert [sql.bind(value) for value in ("a", 1, 0.5)] == [
        "{p1:String}",
        "{p2:Int64}",
        "{p3:Float64}",
    ]
    assert [number(value) for value in (1, 0.5, 1e-9)] == ["1.0e0", "0.5e0", "1e-09"]
    assert pick("x", [], ["a"]) == "a"
    assert pick("x", ["1", "2"], ["a", "b", "c"]) == (
        "case when x < 1 then a when x < 2 then b else c end"
    )


@pytest.mark.parametrize("n_bounds", [1, 7, 8, 9, 63, 64, 70])
def test_pick_finds_the_place_among_bounds(n_bounds: int) -> None:
    bounds = [str(2 * n) for n in range(n_bounds)]
    found = pick("x", bounds, [str(n) for n in range(n_bounds + 1)])
    numbers = range(-1, 2 * n_bounds + 1)
    rows = duckdb.execute(
        f"select {found} from (select unnest($1) as x)", [list(numbers)]
    )
    expected = np.searchsorted(2 * np.arange(n_bounds), numbers, side="right")
    assert [row[0] for row in rows.fetchall()] == expected.tolist()
