from itertools import count

import duckdb
import pandas as pd

from engine.model import Engine
from engine.warehouse import Limits, WarehouseEngine
from engine.warehouse.duckdb import DuckDB
from tests.engine.conformance import EngineConformance
from tests.engine.warehouse.tables import session_table
from tests.examples import all_with_examples, much_alike

_NUMBERS = count()
_CONNECTION = duckdb.connect()


@all_with_examples(30)
class TestDuckDB(EngineConformance):
    limits = Limits()

    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        name = f"s{next(_NUMBERS)}"
        connection = _CONNECTION.cursor()
        connection.register("given", sessions)
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create table {name} as from given")
        database = DuckDB.of(connection)
        return WarehouseEngine(
            database, session_table(database, name), timezone, limits=self.limits
        )


@all_with_examples(30)
class TestManyUsers(TestDuckDB):
    """The same, where there are too many users to hold."""

    limits = Limits(max_users=0)
    rare_letters = ""


@much_alike
@all_with_examples(30)
class TestUsersOfManySessions(TestDuckDB):
    """The same, where users have too many sessions to hold."""

    # There is no room for paths either, so that each is asked for.
    limits = Limits(max_user_rows=0, cache_bytes=0)
    users_are_exact = False


@all_with_examples(30)
class TestManyPages(TestDuckDB):
    """The same, where pages and days are too many for a place for each."""

    limits = Limits(cube_bytes=0, max_pages=1_000, max_user_rows=0)
    users_are_exact = False
