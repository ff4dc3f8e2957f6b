"""PostgreSQL, by ADBC."""

import re
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_postgresql import dbapi

from engine.model import CannotAnswer
from engine.warehouse.database import (
    ConnectionLost,
    Database,
    NoSuchTable,
    Task,
    at_least_one,
)
from engine.warehouse.questions import Question
from engine.warehouse.words import POSTGRESQL
from formatting import first_line

_SETTINGS: Final = {
    "default_transaction_read_only": "on",
    # Compiling takes longer than what long conditions cost, and these are long.
    "jit": "off",
    "timezone": "UTC",
}
_NUMERIC: Final = pa.decimal128(38, 9)
_CONNECT_SECONDS: Final = 10
_NO_TABLE: Final = "42P01"
"""The SQLSTATE of a table, or its schema, that there isn't."""
_TABLES: Final = """
select case when not pg_table_is_visible(c.oid) then cast(n.nspname as text) end as s,
    cast(c.relname as text) as name
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
"""
"""(The information schema has no materialized views.)"""
_MARKS: Final = re.compile(
    r"^(?:[A-Z_]+:\s+)?(?:Failed to [a-z ]+:\s+)?"
    r"|(?<![^\s])(?:ERROR|FATAL):\s+"
)
"""What the driver and the server put before what they have to say."""
_NO_PASSWORD: Final = "fe_sendauth: no password supplied"  # noqa: S105
_PASSWORD_HINT: Final = "; it is taken from PGPASSWORD or ~/.pgpass"  # noqa: S105
_STATUS: Final = "adbc.postgresql.transaction_status"

_Errors: Final = (adbc_driver_manager.Error, OSError)
"""What the driver raises; a stream that is cut raises OSError."""


class PostgreSQL(Database):
    """A PostgreSQL database that is only read.

    Each question has a connection alone, from a pool; these are made as they are needed
    and kept.
    """

    words = POSTGRESQL

    def __init__(self, url: str, name: str) -> None:
        """Connect; raises CannotAnswer where that can't be done.

        What the address leaves out is taken from where ``psql`` takes it: PGPASSWORD,
        ``~/.pgpass``, PGSERVICE.
        """
        self.name = name
        self._secrets = _secrets(url)
        self._lock = Lock()
        self._idle: list[Any] = []
        self._is_closed = False
        try:
            self._first = dbapi.connect(_with_settings(url), autocommit=True)
        except _Errors as error:
            raise CannotAnswer(f"{name}: {self._line(error)}") from None

    def tables(self) -> list[tuple[str, ...]]:
        """The names of the tables and views that may be read, see ``Database``."""
        return self._tables(_TABLES)

    def schema(self, path: tuple[str, ...]) -> pa.Schema:
        """The columns of a table; raises NoSuchTable where there is none."""
        schema = super().schema(path)
        # In Arrow a number of any precision is a text with a name.
        for index, field in enumerate(schema):
            if getattr(field.type, "type_name", "") == "numeric":
                schema = schema.set(index, field.with_type(_NUMERIC))
        return schema

    def answer(self, question: Question, task: Task) -> Iterator[pa.RecordBatch]:
        """The answer to a question, part by part; all at once where values are bound.

        (PostgreSQL streams what is copied, and what is copied has no parameters.)
        """
        connection = self._take()
        is_whole = False
        try:
            with task.running(connection.adbc_cancel), connection.cursor() as cursor:
                cursor.execute(question.text, list(question.values) or None)
                with cursor.fetch_record_batch() as reader:
                    for batch in at_least_one(reader):
                        batch.validate(full=True)
                        yield batch
            is_whole = True
        except pa.ArrowInvalid:
            # Of a database that doesn't say what its texts are.
            raise CannotAnswer(
                f"{self.name}: it holds texts that aren't UTF-8"
            ) from None
        except _Errors as error:
            is_whole = not self._is_broken(connection)
            if not is_whole:
                self._forget_idle()
                raise ConnectionLost(self._line(error)) from None
            is_lacking = getattr(error, "sqlstate", None) == _NO_TABLE
            failure = NoSuchTable if is_lacking else CannotAnswer
            raise failure(f"{self.name}: {self._line(error)}") from None
        except CannotAnswer:
            is_whole = not self._is_broken(connection)
            raise
        finally:
            # What is left of an answer would be in the way of the next question.
            self._give_back(connection, is_usable=is_whole)

    def close(self) -> None:
        """End all connections that are idle, and others when they are given back."""
        self._is_closed = True
        self._forget_idle()
        with suppress(*_Errors):
            self._first.close()

    def __del__(self) -> None:
        if hasattr(self, "_first"):
            self.close()

    def _take(self) -> Any:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        try:
            connection = self._first.adbc_clone()
            connection.adbc_connection.set_autocommit(True)
            return connection
        except _Errors as error:
            raise ConnectionLost(self._line(error)) from None

    def _give_back(self, connection: Any, *, is_usable: bool) -> None:
        if is_usable and not self._is_closed:
            with self._lock:
                self._idle.append(connection)
            return
        with suppress(*_Errors):
            if not is_usable:
                connection.adbc_cancel()
        with suppress(*_Errors):
            connection.close()

    def _forget_idle(self) -> None:
        """Close the connections that are idle: what broke one may have broken all."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            with suppress(*_Errors):
                connection.close()

    def _is_broken(self, connection: Any) -> bool:
        try:
            status = connection.adbc_connection.get_option(_STATUS)
        except _Errors:
            return True
        return bool(status == "unknown")

    def _line(self, error: Exception) -> str:
        """A message in one line, without what is secret in the address."""
        words = str(error).replace("[libpq]", "").strip() or type(error).__name__
        line = _MARKS.sub("", first_line(ValueError(words)))
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return f"{line}{_PASSWORD_HINT}" if _NO_PASSWORD in line else line


def connect(text: str, shown: str) -> PostgreSQL:
    """Connect to what an address such as ``postgresql://host/name`` names."""
    return PostgreSQL(text, shown)


def _secrets(url: str) -> list[str]:
    """What of an address must not be shown, the longest first."""
    password = urlsplit(url).netloc.rpartition("@")[0].partition(":")[2]
    secrets = {url, password, unquote(password)}
    options = _options(urlsplit(url).query)
    secrets |= {value for name, value in options if "pass" in name.lower()}
    return sorted(filter(None, secrets), key=len, reverse=True)


def _with_settings(url: str) -> str:
    """The address with what holds for each session."""
    # urlsplit's parts would come together without the // of an address without a host.
    base, _, query = url.partition("#")[0].partition("?")
    given = dict(_options(query))
    own = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
    given["options"] = f"{given.get('options', '')} {own}".strip()
    # Whatever the database's own is; Arrow knows no other.
    given["client_encoding"] = "UTF8"
    given.setdefault("connect_timeout", str(_CONNECT_SECONDS))
    given.setdefault("application_name", "user-activity-dashboard")
    # libpq knows its scheme in small letters alone.
    scheme, colon, place = base.partition(":")
    return f"{scheme.lower()}{colon}{place}?{urlencode(given, quote_via=quote)}"


def _options(query: str) -> list[tuple[str, str]]:
    """The options of an address, as libpq reads them: + is no blank."""
    return parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)
