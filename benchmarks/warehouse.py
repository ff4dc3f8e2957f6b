"""Sessions that stay in a database: what the start takes, and what picks take.

DuckDB over a folder of Parquet, sorted by user, beside the same questions as they were
first thought of, and beside one plain ``group by page`` over the same table.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import simulate
from benchmarks.scale import filters, ms, seconds
from engine.model import Selection
from engine.warehouse import Column, Database, SessionTable, WarehouseEngine
from engine.warehouse.database import Task
from engine.warehouse.duckdb import VIEW, DuckDB
from engine.warehouse.questions import Group, Question, Questions
from engine.warehouse.words import Sql

SIZES: Final = (1_000_000, 10_000_000)
FULL: Final = 100_000_000
AT_ONCE: Final = 1_000_000
USERS_AT_ONCE: Final = 100
PER_FILE: Final = 10
ROW_GROUP: Final = 122_880
PICKS: Final = 20

ROWS: Final = {
    "plain group by page, s": "",
    "start, s": "",
    "start beside a plain group by": "",
    "the first questions, s": "",
    "start beside the first questions": "≤ 0.8",
    "peak memory after the start, MB": "≤ 1,200 at 1e8",
    "everyone, any filter, ms": "≤ 1",
    "a new user, ms": "≤ 60 at 1e8",
    "the same user, another filter, ms": "≤ 1.5",
    "a sheet of users, s": "≤ 4 at 1e8",
    "a sheet by medians, s": "",
}


def write(folder: Path, n_sessions: int) -> None:
    """Write so many simulated sessions as Parquet, sorted by user.

    A user has ten thousand, in the mean.
    """
    writer = None
    for number in range(-(-n_sessions // AT_ONCE)):
        n = min(AT_ONCE, n_sessions - number * AT_ONCE)
        frames = simulate.stream_sessions(n, USERS_AT_ONCE, number)
        frame = pd.concat(frames, ignore_index=True)
        user = frame["user_id"].astype("str")
        frame["user_id"] = f"u{number:05}_" + user.str.removeprefix("user_").str.zfill(
            3
        )
        frame["page"] = frame["page"].astype("str")
        frame = frame.sort_values(["user_id", "timestamp"])
        table = pa.Table.from_pandas(frame, preserve_index=False)
        if number % PER_FILE == 0:
            if writer is not None:
                writer.close()
            path = folder / f"{number // PER_FILE:04}.parquet"
            writer = pq.ParquetWriter(path, table.schema, compression="zstd")
        assert writer is not None
        writer.write_table(table, row_group_size=ROW_GROUP)
    assert writer is not None
    writer.close()


class First(Questions):
    """The questions of the start as they were first thought of."""

    def all(self, group: Group, engine: WarehouseEngine) -> Iterator[Question]:
        """Totals, a sketch by day, cells by hour, users."""
        yield self.totals()
        bins = engine.start.coding.bins
        sql = Sql(self.words)
        sessions = self.sessions_of(sql, group)
        day, hour = (self.words.divide("s", n) for n in (86_400, 3_600))
        yield Question(
            "sketch",
            f"select p, day, f, count(*) as n, min(d), max(d) from (select p, {day} as"
            f" day, {self.fine()} as f, d from ({sessions}) y) z group by p, day, f",
            (),
        )
        yield Question(
            "cells",
            "select p, hour, b, count(*) as n, sum(d), sum(d * d), min(s), max(s) from"
            f" (select p, {hour} as hour, {self.bin(bins)} as b, d, s from"
            f" ({sessions}) y) z group by p, hour, b",
            (),
        )
        yield self.users(group, 1_000_001)


def session_table(database: Database, path: tuple[str, ...] = (VIEW,)) -> SessionTable:
    """The table with the sessions; without *path* the one that a folder is."""
    columns = {
        field.name: Column(field.name, field.type) for field in database.schema(path)
    }
    return SessionTable(
        path,
        user=columns["user_id"],
        page=columns["page"],
        time=columns["timestamp"],
        duration=columns["duration"],
    )


def take(database: Database, question: Question) -> int:
    """Ask, and drop the answer part by part; returns its rows."""
    return sum(part.num_rows for part in database.answer(question, Task()))


def measure(folder: Path) -> dict[str, str]:
    """Measure the start and picks over a folder of Parquet."""
    database = DuckDB(folder, str(folder))
    table = session_table(database)
    plain = Question(
        "plain", f"select page, count(*), avg(duration) from {VIEW} group by page", ()
    )
    take(database, plain)
    by_page = min(seconds(take, database, plain) for _ in range(3))
    began = time.perf_counter()
    engine = WarehouseEngine(database, table)
    start = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    before = First(table, database.words)
    first = sum(
        seconds(take, database, question)
        for question in before.all(engine.start.group, engine)
    )
    found = {
        "plain group by page, s": f"{by_page:.2f}",
        "start, s": f"{start:.2f}",
        "start beside a plain group by": f"{start / by_page:.1f} ×",
        "the first questions, s": f"{first:.2f}",
        "start beside the first questions": f"{start / first:.2f} ×",
        "peak memory after the start, MB": f"{peak:,.0f}",
    }
    return found | picks(engine)


def picks(engine: WarehouseEngine) -> dict[str, str]:
    """Measure what people ask for."""
    some = filters(engine, 100)
    users = engine.find_users("", 2 * PICKS)[::2]

    def again() -> list[float]:
        return [
            seconds(engine.summarise, Selection(users[-1], **parts)) for parts in some
        ]

    everyone = [seconds(engine.summarise, Selection(**parts)) for parts in some]
    new = [seconds(engine.summarise, Selection(user)) for user in users]
    sheets = [
        seconds(engine.list_users, Selection(**parts)) for parts in ({}, *some[:2])
    ]
    medians = seconds(lambda: engine.list_users(Selection(), sort="median"))
    return {
        "everyone, any filter, ms": ms(everyone),
        "a new user, ms": ms(new),
        "the same user, another filter, ms": ms(again()),
        "a sheet of users, s": f"{statistics.median(sheets):.2f}",
        "a sheet by medians, s": f"{medians:.2f}",
    }


def of_postgresql(table: pa.Table) -> Iterator[Database]:
    """PostgreSQL with a table of these sessions, and an index of its users."""
    from adbc_driver_postgresql import dbapi

    from engine.warehouse.postgresql import connect
    from tests.engine.warehouse.postgres import cluster

    with cluster() as server:
        with dbapi.connect(server.url) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(VIEW, table, mode="create")
            cursor.execute(f"create index on {VIEW} (user_id)")
            connection.commit()
        idle = dbapi.connect(server.url, autocommit=True)
        with idle as connection, connection.cursor() as cursor:
            cursor.execute(f"analyze {VIEW}")
        database = connect(server.url, "PostgreSQL")
        yield database
        database.close()


def of_clickhouse(table: pa.Table) -> Iterator[Database]:
    """ClickHouse, in this process, with a table of these sessions."""
    import clickhouse_connect

    from engine.warehouse.clickhouse import ClickHouse

    clients = [clickhouse_connect.get_client(interface="chdb") for _ in range(2)]
    clients[0].command(
        f"create table {VIEW} (user_id String, page String, duration Float64,"
        " timestamp DateTime) engine = MergeTree order by (user_id, timestamp)"
    )
    clients[0].insert_arrow(VIEW, table)
    database = ClickHouse(clients[1], "ClickHouse", clients[0])
    yield database
    database.close()


def of_sail() -> Iterator[Database]:
    """Sail's server with two workers."""
    from engine.warehouse.spark import connect
    from tests.engine.warehouse.clusters import sail_cluster

    with sail_cluster() as (address, _):
        database = connect(address, "Sail")
        yield database
        database.close()


def of_spark() -> Iterator[Database]:
    """Spark's master and two workers; none where SPARK_HOME doesn't name a Spark."""
    from engine.warehouse.spark import connect
    from tests.engine.warehouse.clusters import spark_cluster

    if "SPARK_HOME" not in os.environ:
        return
    with spark_cluster(Path(os.environ["SPARK_HOME"])) as address:
        database = connect(address, "Spark")
        yield database
        database.close()


def engines(path: Path) -> dict[str, dict[str, str]]:
    """Measure the start of each database that is here, over the same sessions."""
    table = pq.read_table(path, columns=["user_id", "page", "duration", "timestamp"])
    table = table.cast(
        table.schema.set(3, pa.field("timestamp", pa.timestamp("s"))).remove_metadata()
    )
    found = {}
    makers: dict[str, Callable[[], Iterator[Database]]] = {
        "DuckDB": lambda: iter([DuckDB(path, "DuckDB")]),
        "ClickHouse": lambda: of_clickhouse(table),
        "PostgreSQL": lambda: of_postgresql(table),
        "Sail": of_sail,
        "Spark": of_spark,
    }
    # Spark reads a file as a table.
    file = next(path.glob("*.parquet"))
    for name, make in makers.items():
        place = ("parquet", str(file)) if name in ("Sail", "Spark") else (VIEW,)
        for database in make():
            source = database.words.name(*place)
            plain = Question(
                "plain",
                f"select page, count(*) as n, avg(duration) as a from {source}"
                " group by page",
                (),
            )
            take(database, plain)
            by_page = min(seconds(take, database, plain) for _ in range(3))
            began = time.perf_counter()
            engine = WarehouseEngine(database, session_table(database, place))
            start = time.perf_counter() - began
            users = engine.find_users("", 10)
            new = [seconds(engine.summarise, Selection(user)) for user in users]
            sheet = seconds(engine.list_users, Selection())
            found[name] = {
                "plain group by page, s": f"{by_page:.2f}",
                "start, s": f"{start:.1f}",
                "beside a plain group by": f"{start / by_page:.0f} ×",
                "a new user, ms": f"{1000 * statistics.median(new):.0f}",
                "a sheet of users, s": f"{sheet:.2f}",
            }
    return found


@contextmanager
def kept(n_sessions: int, keep: Path | None) -> Iterator[Path]:
    """A folder of so many sessions, which is kept for the next time or removed."""
    folder = keep or Path(tempfile.mkdtemp())
    path = folder / f"{n_sessions}"
    try:
        if not path.exists():
            path.mkdir(parents=True)
            write(path, n_sessions)
        yield path
    finally:
        if keep is None:
            shutil.rmtree(folder)


def in_a_process(n_sessions: int, keep: Path | None) -> dict[str, str]:
    """Measure so many sessions in a process of their own, for its memory."""
    with kept(n_sessions, keep) as path:
        command = [sys.executable, "-m", "benchmarks.warehouse", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def main(arguments: list[str]) -> None:
    """Print the table; with ``--full`` up to 1e8, with ``--keep DIR`` data is kept."""
    keep = None
    if "--keep" in arguments:
        keep = Path(arguments[arguments.index("--keep") + 1])
    sizes = (*SIZES, FULL) if "--full" in arguments else SIZES
    found = [in_a_process(size, keep) for size in sizes]
    print(f"| | {' | '.join(f'{size:.0e}' for size in sizes)} | goal |")
    print(f"|---|{'---|' * len(sizes)}---|")
    for name, goal in ROWS.items():
        print(f"| {name} | {' | '.join(each[name] for each in found)} | {goal} |")
    print()
    with kept(SIZES[0], keep) as path:
        by_engine = engines(path)
    names = next(iter(by_engine.values()))
    print(f"| {SIZES[0]:.0e} sessions | {' | '.join(names)} |")
    print(f"|---|{'---|' * len(names)}")
    for name, each in by_engine.items():
        print(f"| {name} | {' | '.join(each.values())} |")


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
