"""Spark and Sail; ``sh tests/run --all`` installs them, and runs these tests."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import databases
from engine.model import CannotAnswer, Engine
from engine.warehouse import Limits, NoSuchTable, WarehouseEngine
from engine.warehouse.database import Task
from engine.warehouse.questions import Question
from engine.warehouse.table import Column, SessionTable
from sources import ReadOptions
from tests.engine.conformance import EngineConformance
from tests.engine.warehouse.clusters import sail_cluster, spark_cluster
from tests.examples import all_with_examples

if TYPE_CHECKING:
    from engine.warehouse.spark import SparkConnect

pytestmark = [
    pytest.mark.skipif(
        "TEST_ALL" not in os.environ, reason="sh tests/run --all installs what it needs"
    ),
    # In one process, so that one cluster of each kind is started.
    pytest.mark.xdist_group("clusters"),
]

_NUMBERS = count()

ODD = (
    "",
    "a\0b",
    "'; --",
    "\\n\\",
    '"`',
    ":p1",
    "\n\r\t",
    "é😀\U0010ffff",
    "x" * 10_000,
)
"""Texts that are bound."""

SLOW = (
    "select id % 1000 as k, sum(ln(id + 1)) as n from range(0, 100000000000, 1, 2)"
    " group by k"
)
"""A question that takes minutes."""


def connected(address: str) -> "SparkConnect":
    # The driver isn't there where these tests are skipped.
    from engine.warehouse.spark import connect

    return connect(address, "Spark")


@pytest.fixture(scope="session")
def sail_address() -> Iterator[str]:
    with sail_cluster() as (address, _):
        yield address


@pytest.fixture(scope="session")
def sail(sail_address: str) -> Iterator["SparkConnect"]:
    database = connected(sail_address)
    yield database
    database.close()


@pytest.fixture(scope="session")
def spark() -> Iterator["SparkConnect"]:
    with spark_cluster(Path(os.environ["SPARK_HOME"])) as address:
        database = connected(address)
        yield database
        database.close()


def session_table(database: "SparkConnect", path: tuple[str, ...]) -> SessionTable:
    schema = database.schema(path)
    columns = {field.name: Column(field.name, field.type) for field in schema}
    return SessionTable(
        path,
        user=columns["user_id"],
        page=columns["page"],
        time=columns["timestamp"],
        duration=columns["duration"],
    )


class SparkConformance(EngineConformance):
    """Makes engines over Parquet files that the server reads."""

    limits = Limits()
    database: ClassVar["SparkConnect"]
    folder: ClassVar[Path]
    made: ClassVar[dict[tuple[bytes, str], WarehouseEngine]]

    @classmethod
    def prepare(cls, database: "SparkConnect", folder: Path) -> None:
        cls.database, cls.folder, cls.made = database, folder, {}

    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        buffer = BytesIO()
        # Nanoseconds are no times to either.
        parquet.write_table(
            pa.Table.from_pandas(sessions), buffer, coerce_timestamps="us"
        )
        # Many tests have the same sessions, and a question takes long.
        key = buffer.getvalue(), timezone
        if key not in self.made:
            file = self.folder / f"{next(_NUMBERS)}.parquet"
            file.write_bytes(key[0])
            table = session_table(self.database, ("parquet", str(file)))
            self.made[key] = WarehouseEngine(
                self.database, table, timezone, limits=self.limits
            )
        return self.made[key]


class TestSail(SparkConformance):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _database(
        cls, sail: "SparkConnect", tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        cls.prepare(sail, tmp_path_factory.mktemp("sail"))


@all_with_examples(40)
class TestManyUsersOfSail(TestSail):
    """The same, where there are too many users to hold."""

    limits = Limits(max_users=0)


@all_with_examples(40)
class TestUsersOfManySessionsOfSail(TestSail):
    """The same, where users have too many sessions to hold."""

    limits = Limits(max_user_rows=0)
    users_are_exact = False


@all_with_examples(2)
class TestSpark(SparkConformance):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _database(
        cls, spark: "SparkConnect", tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        cls.prepare(spark, tmp_path_factory.mktemp("spark"))


@pytest.fixture(params=["sail", "spark"])
def database(request: pytest.FixtureRequest) -> Any:
    """Either of the servers."""
    return request.getfixturevalue(request.param)


def ask(database: "SparkConnect", text: str, *values: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = database.ask(
        Question("a test", text, values), Task("a test", 60)
    ).to_pylist()
    return rows


def write(folder: Path, **columns: Any) -> tuple[str, ...]:
    """The path of a table with these columns, in which NaN isn't NULL."""
    file = folder / "table.parquet"
    parquet.write_table(pa.table(columns), file)
    return "parquet", str(file)


def test_values_come_through_unchanged(database: "SparkConnect") -> None:
    marks = ", ".join(f":p{n} as c{n}" for n in range(1, len(ODD) + 1))
    (row,) = ask(database, f"select {marks}", *ODD)
    assert tuple(row.values()) == ODD
    numbers = (0, -1, 2**31, 2**63 - 1, -(2**63) + 1, 0.1, -0.0, 1e300)
    marks = ", ".join(f":p{n} as c{n}" for n in range(1, len(numbers) + 1))
    (row,) = ask(database, f"select {marks}", *numbers)
    assert tuple(row.values()) == numbers


def test_any_kind_of_time_and_of_unknown_durations(
    database: "SparkConnect", tmp_path: Path
) -> None:
    start = datetime(2024, 7, 1, 22, 30, 0, 250_000)
    seconds = int(start.replace(tzinfo=UTC).timestamp())
    nan = float("nan")
    path = write(
        tmp_path,
        user_id=["b", "a", "a", "a\0"],
        page=["p", "p", "q", "p"],
        timestamp=pa.array([start] * 4, pa.timestamp("us")),
        with_zone=pa.array([start] * 4, pa.timestamp("us", "UTC")),
        day=pa.array([date(2024, 7, 1)] * 4),
        number=[seconds] * 4,
        duration=pa.array([1.5, nan, None, 2.0]),
    )
    table = session_table(database, path)
    kinds = {field.name: field.type for field in database.schema(path)}
    times = {
        "timestamp": "2024-07-02 00:30:00",
        "with_zone": "2024-07-02 00:30:00",
        "day": "2024-07-01 02:00:00",
        "number": "2024-07-02 00:30:00",
    }
    for name, time in times.items():
        other = replace(table, time=Column(name, kinds[name]))
        facts = WarehouseEngine(database, other, "Europe/Berlin").facts
        assert (facts.n_sessions, facts.n_unknown, facts.n_users) == (4, 2, 3)
        assert facts.first == facts.last == pd.Timestamp(time)
    assert database.largest(path, "number") == int(
        start.replace(tzinfo=UTC).timestamp()
    )


def test_a_table_is_found(database: "SparkConnect", tmp_path: Path) -> None:
    _, file = write(tmp_path, user_id=["a"])
    ask(database, f"create table found_here using parquet location '{file}'")
    assert ("found_here",) in database.tables()
    for path in (("found_here",), ("default", "found_here")):
        assert database.schema(path).names == ["user_id"]
    ask(database, "drop table found_here")
    for path in (("found_here",), ("default", "found_here"), ("nix", "nix")):
        with pytest.raises(NoSuchTable):
            database.schema(path)


def test_a_folder_is_named_as_a_table(sail_address: str, tmp_path: Path) -> None:
    write(tmp_path, user=["a"], page=["p"], time=[datetime(2024, 1, 1)], seconds=[1.5])
    address = databases.parse_address(sail_address)
    assert address is not None
    for name in (f"parquet.`{tmp_path}`", f'parquet."{tmp_path}"'):
        opened = databases.open_table(address, name, ReadOptions())
        assert opened.table.path == ("parquet", str(tmp_path))
        engine = WarehouseEngine(opened.database, opened.table)
        assert engine.facts.n_sessions == 1
        engine.close()


def test_errors_are_one_line(
    database: "SparkConnect", capfd: pytest.CaptureFixture[str]
) -> None:
    for text in ("select none from nowhere", "selected", "select 1D / 0D as n"):
        with pytest.raises(CannotAnswer) as raised:
            ask(database, text)
        (line,) = str(raised.value).splitlines()
        assert line.startswith("Spark: ")
        assert len(line) < 250
    assert ask(database, "select 1 as n") == [{"n": 1}]
    assert capfd.readouterr() == ("", "")


def test_an_answer_without_rows_has_its_types(database: "SparkConnect") -> None:
    text = "select 'x' as p, 1D as d, cast(1 as bigint) as n where 1 = 0"
    (batch,) = database.answer(Question("nothing", text, ()), Task())
    assert batch.num_rows == 0
    assert batch.schema.types == [pa.string(), pa.float64(), pa.int64()]


def test_a_question_that_takes_too_long_ends(database: "SparkConnect") -> None:
    # Before it has arrived at the server, and when it runs.
    for seconds in (0.001, 3):
        with pytest.raises(CannotAnswer, match="took longer than"):
            database.ask(Question("much", SLOW, ()), Task("much", seconds))
        assert ask(database, "select 1 as n") == [{"n": 1}]


def test_a_question_is_cancelled_by_another_thread(database: "SparkConnect") -> None:
    tasks = [Task("much"), Task("little")]
    with ThreadPoolExecutor(2) as pool:
        much = pool.submit(database.ask, Question("much", SLOW, ()), tasks[0])
        little = "select count(*) as n from range(10)"
        other = pool.submit(database.ask, Question("little", little, ()), tasks[1])
        # Spark may have the second wait until the first has ended.
        tasks[0].cancel()
        with pytest.raises(CannotAnswer, match="another was asked for"):
            much.result(timeout=60)
        assert other.result(timeout=60).to_pylist() == [{"n": 10}]


def test_threads_share_a_session(database: "SparkConnect") -> None:
    def square(n: int) -> int:
        (row,) = ask(database, "select :p1 * :p1 as n, :p2 as text", n, str(n))
        assert row["text"] == str(n)
        found: int = row["n"]
        return found

    numbers = range(64)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(square, numbers)) == [n * n for n in numbers]


ZONE = "select unix_micros(cast(timestamp_ntz'2024-07-01 00:00:00' as timestamp)) as n"
"""A question whose answer is right in UTC alone."""

MIDNIGHT: Final = 1_719_792_000_000_000


def test_a_server_that_is_gone_and_back() -> None:
    with sail_cluster() as (address, _):
        database = connected(address)
        assert ask(database, ZONE) == [{"n": MIDNIGHT}]
    with pytest.raises(CannotAnswer, match=r"^Spark can't be reached: \w.*\.$"):
        ask(database, ZONE)
    port = int(address.rpartition(":")[2])
    with sail_cluster(port):
        assert ask(database, ZONE) == [{"n": MIDNIGHT}]
    # Nobody asked while it was away.
    with sail_cluster(port):
        assert ask(database, ZONE) == [{"n": MIDNIGHT}]
        database.close()


def test_a_server_that_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PING_AFTER", "PING_WITHIN"):
        monkeypatch.setattr(f"engine.warehouse.spark.{name}", 1.0)
    with sail_cluster() as (address, sail):
        database = connected(address)
        assert ask(database, ZONE) == [{"n": MIDNIGHT}]
        os.kill(sail.process.pid, signal.SIGSTOP)
        with pytest.raises(CannotAnswer, match=r"^Spark can't be reached: \w.*\.$"):
            ask(database, ZONE)
        os.kill(sail.process.pid, signal.SIGCONT)
        assert ask(database, ZONE) == [{"n": MIDNIGHT}]
        database.close()


def test_nothing_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.warehouse.spark import connect

    monkeypatch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", "hidden3")
    for address in (
        "sc://me:hidden0@127.0.0.1:1/;token=hidden1=;x-key=hidden2",
        "sc://127.0.0.1:1;token=hidden1@hidden2",
        "sc://127.0.0.1:1/path;token=hidden1",
        "sc://127.0.0.1:port/;token=hidden1",
        "sc:///;token=hidden1",
        "sc://",
    ):
        parsed = databases.parse_address(address)
        assert parsed is not None
        with pytest.raises(CannotAnswer) as raised:
            ask(connect(address, parsed.shown), "select 1 as n")
        assert "hidden" not in str(raised.value)
        assert len(str(raised.value).splitlines()) == 1
