"""What comes while the questions of the start are asked."""

import duckdb
import numpy as np
import pytest

from engine.model import Selection
from engine.warehouse import Limits, WarehouseEngine
from engine.warehouse.duckdb import DuckDB
from tests.engine.warehouse.tables import session_table

N_SESSIONS = 200


def start(
    late: str, *, n_pages: int = 2, after: int = 1, limits: Limits | None = None
) -> WarehouseEngine:
    """An engine over a table that gets rows after so many questions of the start."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(
        "create table sessions as select 'u' || i % 3 as user_id,"
        f" 'p' || i % {n_pages} as page, timestamp '2024-01-01' + to_hours(i) as"
        f" timestamp, (i * 10)::double as duration from range({N_SESSIONS}) t(i)"
    )
    database = DuckDB.of(connection)

    def tell(_: str, n_asked: int) -> None:
        if n_asked == after:
            connection.cursor().execute(f"insert into sessions values {late}")

    table = session_table(database, "sessions")
    return WarehouseEngine(database, table, limits=limits or Limits(), tell=tell)


UNUSABLE = (
    "('u1', null, '2024-01-01 05:00', 3)",
    "('u1', '', '2024-01-01 05:00', 3)",
    "('u1', '  ', '2024-01-01 05:00', 3)",
    "('u1', 'p1', '2024-01-01 05:00', -3)",
    "('u1', 'p1', '2024-01-01 05:00', 1e12)",
    "('u1', 'p1', '2024-01-01 05:00', 1.7e308)",
    "('u1', 'p1', '2024-01-01 05:00', 'inf')",
    "('u1', 'p1', null, 3)",
    "('u1', 'p1', '-infinity', 3)",
    "('u1', 'p1', '0001-01-01 (BC)', 3)",
)


# With few pages these are counted by their code, with many by their name.
@pytest.mark.parametrize("n_pages", [2, 100])
@pytest.mark.parametrize("late", UNUSABLE)
def test_what_is_unusable_is_not_counted(late: str, n_pages: int) -> None:
    check(start(late, n_pages=n_pages), n_pages)


@pytest.mark.parametrize("late", UNUSABLE)
def test_nor_where_users_are_many_and_counted_from_cells(late: str) -> None:
    check(start(late, limits=Limits(max_users=0, max_user_rows=0)), 2)


@pytest.mark.parametrize("after", [2, 3, 4])
def test_nor_when_it_comes_later(after: int) -> None:
    check(start(", ".join(UNUSABLE), after=after), 2)


def check(engine: WarehouseEngine, n_pages: int) -> None:
    facts, everyone = engine.facts, engine.summarise(Selection()).everyone
    assert facts.pages == tuple(sorted(f"p{n}" for n in range(n_pages)))
    assert facts.n_sessions == everyone.sessions.sum() == N_SESSIONS
    assert everyone.unknown.sum() == 0
    assert everyone.seconds.sum() == sum(range(N_SESSIONS)) * 10
    assert everyone.linear_histogram.sum() == N_SESSIONS
    median = everyone.overall("median")
    assert median == pytest.approx((N_SESSIONS - 1) * 5, rel=0.01)
    assert sorted(engine.find_users("", 9)) == ["u0", "u1", "u2"]
    user = engine.summarise(Selection("u1")).user
    assert user is not None
    assert user.sessions.sum() == 67
    assert engine.list_users(Selection()).n_users == facts.n_users == 3


def test_a_duration_where_there_was_none_counts_as_about_itself() -> None:
    engine = start("('u1', 'p1', '2024-01-01 05:00', 2.5)")
    least, greatest = engine.start.totals.least, engine.start.totals.greatest
    fine = np.searchsorted(least, 2.5, side="right") - 1
    assert least[fine] == pytest.approx(2.5, rel=0.02)
    assert greatest[fine] == pytest.approx(2.5, rel=0.02)


@pytest.mark.parametrize("name", ["null", "''", "'  '"])
def test_who_has_no_name_is_no_user(name: str) -> None:
    engine = start(f"({name}, 'p1', '2024-01-01 05:00', 3)")
    assert sorted(engine.find_users("", 9)) == ["u0", "u1", "u2"]
    assert sorted(engine.find_users("u", 9)) == ["u0", "u1", "u2"]
    assert engine.has_user("u2")
    assert not engine.has_user("zz")
    assert engine.facts.n_users == 3
    assert [row.user for row in engine.list_users(Selection()).rows] == [
        *("u1", "u0", "u2"),
    ]
    # Whose it is isn't asked where everyone is counted.
    assert engine.facts.n_sessions == N_SESSIONS + 1


def test_a_page_that_comes_late_is_one_of_the_others_or_not_counted() -> None:
    late = "('u1', 'new', '2024-01-01 05:00', 3)"
    assert start(late, after=2).facts.n_sessions == N_SESSIONS
    engine = start(late, n_pages=5, after=2, limits=Limits(max_pages=3))
    assert engine.facts.pages == ("(other pages)", "p0", "p1")
    sessions = engine.summarise(Selection()).everyone.sessions
    np.testing.assert_array_equal(sessions, [121, 40, 40])
