"""ClickHouse, by clickhouse-connect."""

import logging
import os
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from engine.model import CannotAnswer
from engine.warehouse.database import (
    ConnectionLost,
    Database,
    NoSuchTable,
    Task,
    at_least_one,
)
from engine.warehouse.questions import Question
from engine.warehouse.words import CLICKHOUSE
from formatting import first_line

_SETTINGS: Final = {
    # Only read; what a question sets for itself may be set.
    "readonly": 2,
    "prefer_column_name_to_alias": 1,
    "cast_keep_nullable": 1,
    "join_use_nulls": 1,
    "max_query_size": 1 << 24,
    # Without these long conditions take three times as long.
    "short_circuit_function_evaluation": "force_enable",
    "compile_expressions": 0,
    "session_timezone": "UTC",
}
_TIMES: Final = {
    "Date": pa.date32(),
    "Date32": pa.date32(),
    "DateTime": pa.timestamp("s", "UTC"),
    "DateTime64": pa.timestamp("us", "UTC"),
}
_NO_TABLE: Final = re.compile(r"\(UNKNOWN_(TABLE|DATABASE)\)|\bcode:? (60|81)\b", re.I)
"""What the error of a table, or a database, has that there isn't."""
_PORTS: Final = {"clickhouse": 8123, "clickhouses": 8443}

# It would write each failed connection to standard error besides.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
logging.getLogger("clickhouse_connect").propagate = False


class ClickHouse(Database):
    """A ClickHouse database that is only read; threads share one client."""

    words = CLICKHOUSE

    def __init__(self, client: Any, name: str, killer: Any = None) -> None:
        """Ask by a client; *killer* is one that ends questions, by default the same.

        (One that works in this process waits for its own question to end.)
        """
        self.name = name
        self._client, self._killer = client, killer or client

    def tables(self) -> list[tuple[str, ...]]:
        """The names of the tables and views that may be read, see ``Database``."""
        return self._tables(
            "select if(database = currentDatabase(), '', database) as s, name"
            " from system.tables where not startsWith(name, '.inner') and"
            " database not in ('system', 'INFORMATION_SCHEMA', 'information_schema')"
        )

    def schema(self, path: tuple[str, ...]) -> pa.Schema:
        """The columns of a table; raises NoSuchTable where there is none."""
        schema = super().schema(path)
        described = self._ask("columns", f"describe table {self.words.name(*path)}")
        columns = zip(
            described.column("name").to_pylist(),
            described.column("type").to_pylist(),
            strict=True,
        )
        # In Arrow some times are plain numbers.
        kinds = {name: _time_kind(kind) for name, kind in columns}
        return pa.schema(
            [field.with_type(kinds[field.name] or field.type) for field in schema]
        )

    def answer(self, question: Question, task: Task) -> Iterator[pa.RecordBatch]:
        """The answer to a question, all at once."""
        mark = uuid4().hex
        values = {f"p{n}": value for n, value in enumerate(question.values, 1)}

        def kill() -> None:
            text = "kill query where Settings['log_comment'] = {mark:String} async"
            self._killer.command(text, parameters={"mark": mark})

        try:
            with task.running(kill):
                answer = self._client.query_arrow(
                    question.text,
                    parameters=values,
                    settings={**_SETTINGS, "log_comment": mark},
                )
        except OperationalError as error:
            raise ConnectionLost(first_line(error)) from None
        except ClickHouseError as error:
            is_lacking = _NO_TABLE.search(str(error))
            failure = NoSuchTable if is_lacking else CannotAnswer
            raise failure(f"{self.name}: {first_line(error)}") from None
        yield from at_least_one(answer.to_reader())

    def close(self) -> None:
        """End the connection."""
        self._client.close()
        if self._killer is not self._client:
            self._killer.close()


def connect(text: str, shown: str) -> ClickHouse:
    """Connect to what an address such as ``clickhouses://host/name`` names.

    The user and the password may be in CLICKHOUSE_USER and CLICKHOUSE_PASSWORD. Raises
    CannotAnswer where that can't be done.
    """
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query))
    try:
        port = parts.port or _PORTS[parts.scheme]
        client = clickhouse_connect.get_client(
            host=parts.hostname or "localhost",
            port=port,
            # The scheme would not be heeded.
            secure=parts.scheme == "clickhouses",
            username=unquote(parts.username or os.environ.get("CLICKHOUSE_USER") or ""),
            password=unquote(
                parts.password or os.environ.get("CLICKHOUSE_PASSWORD") or ""
            ),
            database=parts.path.strip("/") or None,
            ca_cert=options.get("ca_cert"),
            # Of one session, questions would wait for each other.
            autogenerate_session_id=False,
            form_encode_query_params=True,
            connect_timeout=10,
        )
    except ValueError:
        raise CannotAnswer(f"{shown}: its port is no number") from None
    except ClickHouseError as error:
        raise CannotAnswer(f"{shown}: {first_line(error)}") from None
    return ClickHouse(client, shown)


def _time_kind(kind: str) -> pa.DataType | None:
    """The Arrow type of a type of times; None for other types."""
    for around in ("LowCardinality(", "Nullable("):
        kind = kind.removeprefix(around)
    return _TIMES.get(kind.partition("(")[0].rstrip(")"))
