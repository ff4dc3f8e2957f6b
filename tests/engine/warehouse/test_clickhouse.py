from collections.abc import Iterator
from itertools import count
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from engine.model import Engine
from engine.warehouse import Limits, NoSuchTable, WarehouseEngine
from engine.warehouse.clickhouse import ClickHouse
from tests.engine.conformance import EngineConformance
from tests.engine.warehouse.tables import session_table
from tests.examples import all_with_examples, much_alike

clickhouse_connect = pytest.importorskip("clickhouse_connect")
pytest.importorskip("chdb")

_NUMBERS = count()


@pytest.fixture(scope="module")
def writer() -> Iterator[Any]:
    """A client of ClickHouse in this process."""
    client = clickhouse_connect.get_client(interface="chdb")
    yield client
    client.close()


@pytest.fixture(scope="module")
def database(writer: Any) -> Iterator[ClickHouse]:
    database = ClickHouse(
        clickhouse_connect.get_client(interface="chdb"), "clickhouse://shop", writer
    )
    yield database
    database.close()


@all_with_examples(30)
class TestClickHouse(EngineConformance):
    limits = Limits()

    @pytest.fixture(autouse=True)
    def _database(self, writer: Any, database: ClickHouse) -> None:
        self.writer, self.database = writer, database

    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        name = f"s{next(_NUMBERS)}"
        kind = "DateTime64(6)"
        self.writer.command(
            f"create table {name} (user_id String, page String,"
            f" duration Nullable(Float64), timestamp {kind}) engine = Memory"
        )
        table = pa.Table.from_pandas(sessions, preserve_index=False)
        times = table.schema.get_field_index("timestamp")
        micros = table.column(times).cast(pa.timestamp("us", "UTC"))
        self.writer.insert_arrow(name, table.set_column(times, "timestamp", micros))
        return WarehouseEngine(
            self.database,
            session_table(self.database, name),
            timezone,
            limits=self.limits,
        )


@much_alike
@all_with_examples(30)
class TestManyUsers(TestClickHouse):
    """The same, where there are too many users to hold."""

    limits = Limits(max_users=0)
    rare_letters = ""


def test_tables_of_all_databases(writer: Any, database: ClickHouse) -> None:
    for text in (
        "create table found_here (n Int32) engine = Memory",
        "create database web",
        'create table web."page.views" (n Int32) engine = MergeTree order by n',
        "create materialized view web.some engine = Memory as"
        ' select * from web."page.views"',
    ):
        writer.command(text)
    found = database.tables()
    assert ("found_here",) in found
    assert [path for path in found if path[1:]] == [
        ("web", "page.views"),
        ("web", "some"),
    ]
    assert database.schema(("web", "page.views")).names == ["n"]
    for path in (("nix",), ("nix", "nix"), ("web", "nix")):
        with pytest.raises(NoSuchTable):
            database.schema(path)
