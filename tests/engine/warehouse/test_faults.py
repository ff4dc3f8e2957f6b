"""Databases that break, refuse or are asked by many at once."""

import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from threading import Event
from time import sleep

import duckdb
import pyarrow as pa
import pytest

from engine.model import CannotAnswer, Engine, Selection
from engine.warehouse import Database, Limits, WarehouseEngine
from engine.warehouse.database import Task
from engine.warehouse.duckdb import DuckDB
from engine.warehouse.postgresql import connect
from engine.warehouse.questions import Question
from tests.engine.warehouse.postgres import Server, binaries, cluster
from tests.engine.warehouse.tables import session_table
from tests.engine.warehouse.test_postgresql import write
from tests.sessions import ROWS, table

dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")
needs_postgresql = pytest.mark.skipif(binaries() is None, reason="needs PostgreSQL")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with cluster(password="hush") as server:  # noqa: S106
        yield server


@pytest.fixture(scope="module")
def name(server: Server) -> str:
    name = write(server, table(ROWS))
    with dbapi.connect(server.url) as connection, connection.cursor() as cursor:
        for text in (
            "create role reader login password 'secret'",
            f"grant select on {name} to reader",
        ):
            cursor.execute(text)
        connection.commit()
    return name


@pytest.fixture
def reader(server: Server, name: str) -> Iterator[Database]:
    """PostgreSQL, as a role that may read one table."""
    host = server.url.rpartition("@")[2]
    database = connect(f"postgresql://reader:secret@{host}", "postgresql://shop")
    yield database
    database.close()


def n_sessions(engine: Engine, user: str | None) -> int:
    return int(engine.summarise(Selection(user)).subject.sessions.sum())


@needs_postgresql
def test_a_role_that_may_only_read_is_enough(reader: Database, name: str) -> None:
    engine = WarehouseEngine(reader, session_table(reader, name))
    assert (n_sessions(engine, None), n_sessions(engine, "ann")) == (12, 6)
    assert engine.list_users(Selection()).n_users == 3


@needs_postgresql
def test_nothing_is_written(server: Server, name: str) -> None:
    # Not even as a role that may.
    database = connect(server.url, "postgresql://shop")
    for text in (f"delete from {name} returning page", "create table t (n int)"):
        with pytest.raises(CannotAnswer, match="read-only transaction"):
            database.ask(Question("all", text, ()), Task())
    database.close()


@needs_postgresql
def test_a_connection_that_was_lost_is_made_anew(
    server: Server, reader: Database, name: str
) -> None:
    engine = WarehouseEngine(reader, session_table(reader, name))
    assert n_sessions(engine, "ann") == 6
    server.stop()
    # Everyone, and who was asked for before, are answered from memory.
    assert (n_sessions(engine, None), n_sessions(engine, "ann")) == (12, 6)
    with pytest.raises(CannotAnswer) as raised:
        n_sessions(engine, "bob")
    said = str(raised.value)
    assert said.startswith("postgresql://shop can't be reached: connection to server")
    assert said.endswith("Connection refused.")
    assert said.count("postgresql://shop") == 1
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
    server.start()
    assert n_sessions(engine, "bob") == 3
    # One that breaks between two questions isn't even noticed.
    server.stop()
    server.start()
    assert n_sessions(engine, "cy") == 3


def ask_duckdb(path: Path) -> Database:
    with duckdb.connect(str(path / "stats.duckdb")) as connection:
        connection.register("given", table(ROWS))
        connection.execute("create table sessions as from given")
    return DuckDB(path / "stats.duckdb", "duckdb:stats.duckdb")


@needs_postgresql
def test_threads_ask_postgresql_at_once(reader: Database, name: str) -> None:
    check_threads(reader, name)


def test_threads_ask_duckdb_at_once(tmp_path: Path) -> None:
    check_threads(ask_duckdb(tmp_path), "sessions")


def test_nothing_is_written_to_duckdb(tmp_path: Path) -> None:
    database = ask_duckdb(tmp_path)
    for text, why in (
        ("delete from sessions", "read-only"),
        (f"copy sessions to '{tmp_path}/x.csv'", "disabled by configuration"),
        ("from read_csv('/etc/passwd')", "disabled by configuration"),
        ("set enable_external_access = true", "locked"),
    ):
        with pytest.raises(CannotAnswer, match=why):
            database.ask(Question("all", text, ()), Task())


WORK = "(select sum(hash(i, j)) as work from range(50000) a(i), range(50000) b(j))"


def test_a_question_that_takes_too_long_is_ended_unless_its_answer_has_begun(
    tmp_path: Path,
) -> None:
    database = ask_duckdb(tmp_path)
    long = Question("the sum", f"select work from {WORK}", ())
    with pytest.raises(CannotAnswer) as raised:
        database.ask(long, Task(long.about, 0.2))
    assert str(raised.value) == (
        "The question for the sum ended: it took longer than 0.2 s."
    )
    assert raised.value.logged == (
        "The question for the sum ended: it took longer than 0.2 s (--timeout)."
    )
    many = Question("rows", "select i from range(1000000) t(i)", ())
    task, n_rows = Task(many.about, 0.2), 0
    for batch in database.stream(many, task):
        if not n_rows:
            task.go_on()
            sleep(0.4)
        n_rows += batch.num_rows
    assert n_rows == 1_000_000
    late = Task(many.about, 0.2)
    rows = database.stream(many, late)
    next(rows)
    sleep(0.4)
    with pytest.raises(CannotAnswer, match=r"longer than 0\.2 s\.$"):
        list(rows)


class Late(Database):
    """A database whose answers come late, or pause after their first part."""

    def __init__(self, database: Database, before: float, after: float) -> None:
        self.name, self.words = database.name, database.words
        self._database, self._pauses = database, (before, after)

    def answer(self, question: Question, task: Task) -> Iterator[pa.RecordBatch]:
        ended = Event()
        whole = pa.Table.from_batches(list(self._database.answer(question, Task())))
        parts = whole.to_batches(max_chunksize=5)
        with task.running(ended.set):
            for pause, part in zip_longest(self._pauses, parts):
                if pause and ended.wait(pause):
                    raise InterruptedError
                yield part

    def close(self) -> None:
        self._database.close()


@pytest.mark.parametrize(("before", "after"), [(0, 0.6), (30, 0)])
def test_a_download_ends_only_before_its_first_rows(
    before: float, after: float, tmp_path: Path
) -> None:
    database = ask_duckdb(tmp_path)
    about = session_table(database, "sessions")
    engine = WarehouseEngine(database, about, limits=Limits(timeout=0.3))
    engine._database = Late(database, before, after)
    taken = engine.sessions(Selection(), 100)
    if before:
        with pytest.raises(CannotAnswer, match="for the sessions ended: it took longe"):
            next(taken)
    else:
        assert list(map(len, taken)) == [5, 5, 2]


def test_the_zone_of_the_machine_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute(
            "create table t as select timestamptz '2024-01-01 00:00+00' as x"
        )
        connection.execute("create view sessions as select x::timestamp as x from t")
    there = duckdb.connect()
    there.execute("set global TimeZone = 'America/New_York'")
    monkeypatch.setattr(duckdb, "connect", lambda: there)
    database = DuckDB(tmp_path / "a.duckdb", "duckdb:a.duckdb")
    found = database.ask(Question("all", "from sessions", ()), Task())
    assert found.column("x").to_pylist() == [datetime(2024, 1, 1)]


def check_threads(database: Database, name: str) -> None:
    """Have eight threads ask 64 questions of different kinds."""
    engine = WarehouseEngine(database, session_table(database, name))
    asked: list[tuple[Callable[[], object], object]] = [
        (lambda: n_sessions(engine, "ann"), 6),
        (lambda: n_sessions(engine, "bob"), 3),
        (lambda: [row.user for row in engine.list_users(Selection()).rows], None),
        (lambda: sum(map(len, engine.sessions(Selection("cy"), 100))), 3),
    ]
    asked[2] = (asked[2][0], ["ann", "cy", "bob"])
    for question in (engine.start.questions.users(engine.start.group, 9),) * 2:
        asked.append((lambda q=question: database.ask(q, Task()).num_rows, 3))  # type: ignore[misc]
    with ThreadPoolExecutor(8) as threads:
        answers = [(threads.submit(ask), right) for ask, right in (asked * 11)[:64]]
        for answer, right in answers:
            assert answer.result() == right


@pytest.mark.parametrize("prefix", ["'u' ||", ""])
@pytest.mark.parametrize(
    ("order", "is_told"), [("user_id, timestamp", False), ("timestamp", True)]
)
def test_parquet_that_is_not_sorted_by_user_is_told(
    tmp_path: Path,
    order: str,
    is_told: bool,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "my lake's"
    folder.mkdir()
    with duckdb.connect() as connection:
        file = str(folder / "a.parquet").replace("'", "''")
        connection.execute(
            f"copy (select {prefix} range % 100 as user_id, 'p' as page, 1 as duration,"
            " timestamp '2024-01-01' + to_seconds(range) as timestamp"
            f" from range(40960) order by {order}) to '{file}'"
            " (format parquet, row_group_size 2048)"
        )
    advice = DuckDB(folder, f"duckdb:{folder}").advice("user_id")
    assert bool(advice) == is_told
    if is_told:
        begins = "Run in the folder that my lake's is in, this sorts it: "
        ends = " – then open duckdb:sorted.parquet."
        assert advice.endswith(ends)
        words = advice.removesuffix(ends).partition(begins)[2]
        command = shlex.split(words)
        assert command[:2] == ["duckdb", "-c"]
        assert command[2] == (
            "COPY (FROM 'my lake''s/**/*.parquet' ORDER BY \"user_id\")"
            " TO 'sorted.parquet'"
        )
        # As it says, and the result needs no advice.
        monkeypatch.chdir(tmp_path)
        duckdb.sql(command[2])
        done = DuckDB(Path("sorted.parquet"), "duckdb:sorted.parquet")
        assert done.advice("user_id") == ""
        # One file of it is told likewise, but never to be written over itself.
        (folder / "a.parquet").rename(tmp_path / "sorted.parquet")
        one = DuckDB(Path("sorted.parquet"), "duckdb:sorted.parquet")
        advice = one.advice("user_id")
        assert "folder that sorted.parquet is in" in advice
        assert "(FROM '\"'\"'sorted.parquet'\"'\"' ORDER BY" in advice
        assert advice.endswith(" – then open duckdb:sorted-2.parquet.")
