"""Databases against memory, on simulated sessions with what is odd in real ones.

By default these are few sessions; with the variable TEST_ALL a million, and more
selections.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.memory import MemoryEngine
from engine.model import QUANTILES, Engine, Selection, Tally, UserPage
from engine.warehouse import Database, Limits, WarehouseEngine
from engine.warehouse.duckdb import DuckDB
from simulate import simulate_sessions
from tests.engine.conformance import SORTS, STATISTICS
from tests.engine.warehouse.postgres import binaries, cluster
from tests.engine.warehouse.tables import session_table
from tests.examples import some_of

ALL = bool(os.environ.get("TEST_ALL"))
N_SESSIONS = 1_000_000 if ALL else 20_000
N_SELECTIONS = 200 if ALL else 40
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
"""Clocks that change on other days, and the last by half an hour."""
SHARES = 3 if ALL else 6
"""Of so many selections, one is for the lists of each zone."""
TABLE = "agreement"
LIMITS = Limits()
BUSY = "user_1"
"""The user of most sessions."""
NUL = "nu\0l"
SILENT = "silent"
"""The page of which no duration is known."""

USERS = {
    "O'Brien; drop table sessions --": "user_3",
    'a \\ and "quotes"': "user_4",
    "\N{SNOWMAN} ÄÖ": "user_6",
    " spaces ": "user_7",
    "{p1:Int64} $1 %s :a ?": "user_9",
    NUL: "user_11",
}
"""Odd names, and who has them."""
PAGES = {"help": "it's \\' \"help\"", "orders": "\N{SNOWMAN}/?a=1&b='", "search": "S"}


@cache
def make_sessions(*, has_nul: bool) -> pd.DataFrame:
    """Simulated sessions with odd names and odd durations."""
    sessions = simulate_sessions(N_SESSIONS)
    rng = np.random.default_rng(15)
    chance = rng.random(N_SESSIONS)
    users = {user: name for name, user in USERS.items() if has_nul or name != NUL}
    user = sessions["user_id"].astype("str").replace(users)
    page = sessions["page"].astype("str").replace(PAGES)
    seconds = sessions["duration"].to_numpy().copy()
    seconds[chance < 0.1] = np.nan
    seconds[(chance >= 0.1) & (chance < 0.15)] = 0
    whole = (chance >= 0.15) & (chance < 0.3)
    seconds[whole] = np.floor(seconds[whole])
    tiny = (chance >= 0.3) & (chance < 0.32)
    seconds[tiny] /= 1e6
    silent = chance > 0.98
    seconds[silent] = np.nan
    table = {"user_id": user, "page": page.mask(silent, SILENT), "duration": seconds}
    return pd.DataFrame({**table, "timestamp": sessions["timestamp"]})


def to_arrow(sessions: pd.DataFrame, zone: str | None) -> pa.Table:
    """The sessions, with NULL and NaN for unknown durations."""
    table = pa.Table.from_pandas(sessions, preserve_index=False)
    seconds = sessions["duration"].to_numpy()
    is_null = np.isnan(seconds) & (np.arange(len(seconds)) % 2 == 0)
    columns = {
        "duration": pa.array(seconds, mask=is_null),
        "timestamp": table.column("timestamp").cast(pa.timestamp("us", zone)),
    }
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


@contextmanager
def duckdb_filled(sessions: pd.DataFrame) -> Iterator[Database]:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    given = to_arrow(sessions, None)
    connection.register("given", given)
    connection.execute(f"create table {TABLE} as from given")
    yield DuckDB.of(connection)
    connection.close()


@contextmanager
def postgresql_filled(sessions: pd.DataFrame) -> Iterator[Database]:
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")
    if binaries() is None:
        pytest.skip("needs PostgreSQL")
    from engine.warehouse.postgresql import connect

    with cluster() as server:
        with dbapi.connect(server.url) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(TABLE, to_arrow(sessions, None), mode="create")
            connection.commit()
        database = connect(server.url, "postgresql://shop")
        yield database
        database.close()


@contextmanager
def clickhouse_filled(sessions: pd.DataFrame) -> Iterator[Database]:
    driver = pytest.importorskip("clickhouse_connect")
    pytest.importorskip("chdb")
    from engine.warehouse.clickhouse import ClickHouse

    writer = driver.get_client(interface="chdb")
    # Other modules fill the same ClickHouse.
    writer.command(
        f"create or replace table {TABLE} (user_id String, page String, duration"
        " Nullable(Float64), timestamp DateTime64(6)) engine = Memory"
    )
    writer.insert_arrow(TABLE, to_arrow(sessions, "UTC"))
    database = ClickHouse(driver.get_client(interface="chdb"), "clickhouse", writer)
    yield database
    writer.command(f"drop table {TABLE}")
    database.close()


FILLED: dict[str, Callable[[pd.DataFrame], AbstractContextManager[Database]]] = {
    "duckdb": duckdb_filled,
    "postgresql": postgresql_filled,
    "clickhouse": clickhouse_filled,
}


class Filled(NamedTuple):
    """A database with a table of these sessions."""

    database: Database
    sessions: pd.DataFrame

    def engine(self, zone: str, limits: Limits = LIMITS) -> WarehouseEngine:
        table = session_table(self.database, TABLE)
        return WarehouseEngine(self.database, table, zone, limits=limits)


@pytest.fixture(scope="module", params=FILLED)
def filled(request: pytest.FixtureRequest) -> Iterator[Filled]:
    sessions = make_sessions(has_nul=request.param != "postgresql")
    with FILLED[request.param](sessions) as database:
        yield Filled(database, sessions)


def memory_like(engine: Engine, sessions: pd.DataFrame) -> MemoryEngine:
    """An engine that holds the sessions, with the same bins."""
    return MemoryEngine(sessions, engine.facts.timezone, edges=engine.facts.edges)


def random_selections(engine: Engine, n: int) -> Iterator[Selection]:
    """Selections of one user or everyone, each filter in about half of them."""
    rng, facts = np.random.default_rng(n), engine.facts
    users = [name for name in (BUSY, "user_2", *USERS) if engine.has_user(name)]
    edges = [*facts.edges.linear.tolist(), *facts.edges.logarithmic.tolist()]
    first: date = facts.days[0].item()
    for _ in range(n):
        start, end = sorted(rng.integers(-2, len(facts.days) + 2, 2).tolist())
        shortest, longest = sorted(rng.choice(edges, 2).tolist())
        pages = rng.choice(facts.pages, rng.integers(1, 4), replace=False)
        says = rng.random(6) < 0.5
        yield Selection(
            str(rng.choice(users)) if says[0] else None,
            first + timedelta(days=start) if says[1] else None,
            first + timedelta(days=end) if says[2] else None,
            tuple(pages.tolist()) if says[3] else (),
            shortest if says[4] else None,
            longest if says[5] else None,
        )


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-9) -> None:
    # Of all durations below 1/128 s the sketch only knows that they are.
    least = 1e-9 if tolerance == 1e-9 else 1 / 128
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=least)


def assert_alike(actual: Tally, expected: Tally, quantiles: float) -> None:
    """Counts are equal, sums within 1e-9, quantiles within a tolerance."""
    for name in (
        *("sessions", "unknown", "linear_histogram", "log_histogram", "hours"),
        "day_unknown",
    ):
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name))
    assert actual.last == expected.last
    for name in ("seconds", "squared_deviations", "day_seconds"):
        assert_close(getattr(actual, name), getattr(expected, name))
    for statistic in QUANTILES:
        found, wanted = actual.by_page(statistic), expected.by_page(statistic)
        assert_close(found, wanted, quantiles)
        assert_close(actual.overall(statistic), expected.overall(statistic), quantiles)


def assert_pages_alike(actual: UserPage, expected: UserPage) -> None:
    assert actual._replace(rows=[]) == expected._replace(rows=[])
    numbers = ("seconds", "median")
    rows, wanted = (
        [row._replace(seconds=0, median=0) for row in page.rows]
        for page in (actual, expected)
    )
    assert rows == wanted
    for name in numbers:
        assert_close(
            [getattr(row, name) for row in actual.rows],
            [getattr(row, name) for row in expected.rows],
        )


def assert_lists_alike(
    engine: Engine, memory: Engine, selection: Selection, seed: int
) -> None:
    """The table of users and ranks are equal, in some order, of some search."""
    rng = np.random.default_rng(seed)
    searched = ("", "user_1", "'", "\\", "\0", " ", "none")
    how: dict[str, Any] = {
        "search": searched[rng.integers(len(searched))],
        "sort": SORTS[rng.integers(len(SORTS))],
        "reverse": bool(rng.integers(2)),
        "page": (None, 1, 2, 99)[rng.integers(4)],
        "page_size": 7,
    }
    assert_pages_alike(
        engine.list_users(selection, **how), memory.list_users(selection, **how)
    )
    statistic = STATISTICS[rng.integers(len(STATISTICS))]
    assert engine.ranks(selection, statistic) == memory.ranks(selection, statistic)


@pytest.mark.parametrize("zone", some_of(1, ZONES))
def test_a_database_and_memory_count_alike(filled: Filled, zone: str) -> None:
    engine = filled.engine(zone)
    memory = memory_like(engine, filled.sessions)
    facts, known = engine.facts, memory.facts
    np.testing.assert_array_equal(facts.days, known.days)
    for name in ("pages", "first", "last", "n_users", "n_sessions", "n_unknown"):
        assert getattr(facts, name) == getattr(known, name)
    for seed, selection in enumerate(random_selections(memory, N_SELECTIONS)):
        actual, expected = engine.summarise(selection), memory.summarise(selection)
        assert_alike(actual.everyone, expected.everyone, 0.01)
        assert (actual.user is None) == (expected.user is None)
        if actual.user and expected.user:
            assert actual.user.exact
            assert_alike(actual.user, expected.user, 1e-9)
        # Each of these is a question or two of its own, so each zone has its share.
        if seed % SHARES == ZONES.index(zone):
            assert_lists_alike(engine, memory, selection, seed)


def test_a_user_of_too_many_sessions_is_counted_from_cells(filled: Filled) -> None:
    engine = filled.engine(ZONES[0], Limits(max_user_rows=N_SESSIONS // 100))
    memory = memory_like(engine, filled.sessions)
    for selection in random_selections(memory, N_SELECTIONS // 2):
        selection = replace(selection, user=BUSY)
        actual, expected = engine.summarise(selection), memory.summarise(selection)
        assert actual.user is not None
        assert expected.user is not None
        assert not actual.user.exact
        assert_alike(actual.user, expected.user, 0.01)


def test_users_are_found_alike(filled: Filled) -> None:
    engine = filled.engine("UTC")
    memory = memory_like(engine, filled.sessions)
    for text in ("", "user_1", "USER", "'", '"', "\\", "%", "_", "\0", "äö", " "):
        assert engine.find_users(text, 20) == memory.find_users(text, 20)
    assert engine.has_user(NUL) == memory.has_user(NUL)


def test_the_sessions_themselves_are_alike(filled: Filled) -> None:
    engine = filled.engine(ZONES[1])
    memory = memory_like(engine, filled.sessions)
    for selection in random_selections(memory, 6):
        actual, expected = (
            pd.concat([pd.DataFrame(), *each.sessions(selection, 500)])
            for each in (engine, memory)
        )
        assert len(actual) == len(expected)
        for name in actual.columns:
            values, wanted = (frame[name].to_numpy() for frame in (actual, expected))
            if name == "duration":
                assert_close(values, wanted)
            else:
                assert values.tolist() == wanted.tolist()
