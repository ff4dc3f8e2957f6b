from collections.abc import Iterator
from itertools import count

import pandas as pd
import pyarrow as pa
import pytest

from engine.model import Engine
from engine.warehouse import Limits, WarehouseEngine
from engine.warehouse.postgresql import PostgreSQL, connect
from tests.engine.conformance import EngineConformance
from tests.engine.warehouse.postgres import Server, binaries, cluster
from tests.engine.warehouse.tables import session_table
from tests.examples import all_with_examples, much_alike

dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")
pytestmark = pytest.mark.skipif(binaries() is None, reason="needs PostgreSQL")

_NUMBERS = count()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with cluster() as server:
        yield server


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[PostgreSQL]:
    database = connect(server.url, "postgresql://shop")
    yield database
    database.close()


def write(server: Server, sessions: pd.DataFrame) -> str:
    """Write sessions into a new table; returns its name."""
    name = f"s{next(_NUMBERS)}"
    table = pa.Table.from_pandas(sessions, preserve_index=False)
    with dbapi.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(name, table, mode="create")
        connection.commit()
    return name


@all_with_examples(30)
class TestPostgreSQL(EngineConformance):
    limits = Limits()

    @pytest.fixture(autouse=True)
    def _server(self, server: Server, database: PostgreSQL) -> None:
        self.server, self.database = server, database

    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        table = session_table(self.database, write(self.server, sessions))
        return WarehouseEngine(self.database, table, timezone, limits=self.limits)


@much_alike
@all_with_examples(30)
class TestManyUsers(TestPostgreSQL):
    """The same, where there are too many users to hold."""

    limits = Limits(max_users=0)
    rare_letters = ""
