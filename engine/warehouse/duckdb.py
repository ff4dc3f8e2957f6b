"""DuckDB: a file of it, or a folder of Parquet."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from engine.model import CannotAnswer
from engine.warehouse.database import (
    TIMEOUT,
    Database,
    NoSuchTable,
    Task,
    at_least_one,
)
from engine.warehouse.questions import Question
from engine.warehouse.words import DUCKDB
from formatting import first_line

_ROWS: Final = 1 << 17
"""Rows of an answer that come at once, at most."""

_CATALOG: Final = "given"
"""What a file is attached as."""

_FEW_PARTS: Final = 4
"""With fewer groups of rows, reading all of them takes no time."""

VIEW: Final = "sessions"
"""The name of the table that a folder is."""


class DuckDB(Database):
    """A DuckDB database that is only read, or Parquet files as the table ``sessions``.

    Each question has a cursor of its own, so that threads share nothing but the
    database.
    """

    words = DUCKDB
    _catalog = ""
    _files = ""
    """What finds the files of a folder, as a text in SQL."""

    def __init__(self, path: Path, name: str) -> None:
        """Open a database file, or a folder with Parquet files, at any depth.

        Folders such as ``country=DE`` are columns. Raises CannotAnswer where it can't
        be opened.
        """
        self.name = name
        try:
            is_folder = path.is_dir()
            self._connection = _folder(path) if is_folder else _file(path)
            if is_folder:
                self._files = _pattern(path)
            else:
                self._catalog = _CATALOG
            # What is set afterwards can't be unset by a question.
            for setting in ("enable_external_access = false", "TimeZone = 'UTC'"):
                self._connection.execute(f"set {setting}")
            self._connection.execute("set lock_configuration = true")
        except duckdb.Error as error:
            raise CannotAnswer(f"{name}: {first_line(error)}") from None

    @classmethod
    def of(cls, connection: Any, name: str = "DuckDB") -> "DuckDB":
        """A database over a connection that is there already."""
        database = cls.__new__(cls)
        database.name, database._connection = name, connection
        return database

    def advice(self, user: str) -> str:
        """How to sort Parquet by user, where most parts of it have the same users."""
        if not self._files:
            return ""
        text = (
            "with parts as (select stats_min_value as least, stats_max_value as most"
            f" from parquet_metadata({self._files}) where path_in_schema = $1),"
            " ordered as (select least, max(most) over (order by least, most"
            " rows between unbounded preceding and 1 preceding) as before from parts)"
            " select count(*) as n, count(*) filter (where least < before) as mixed"
            " from ordered"
        )
        found = self.ask(Question("parts", text, (user,)), Task("parts", TIMEOUT))
        (n,), (mixed,) = (found.column(name).to_pylist() for name in ("n", "mixed"))
        if n < _FEW_PARTS or mixed < n / 2:
            return ""
        # The page shows it: folders above are the machine's own affair.
        folder = Path(self.name.partition(":")[2]).name
        files = _text(f"{folder}/**/*.parquet")
        order = self.words.name(user)
        copy = f"COPY (FROM {files} ORDER BY {order}) TO 'sorted.parquet'"
        return (
            "It isn't sorted by user, so that picking one reads all of it. This sorts "
            f"it: duckdb -c {shlex.quote(copy)}"
        )

    def answer(self, question: Question, task: Task) -> Iterator[pa.RecordBatch]:
        """The answer to a question, part by part."""
        cursor = self._connection.cursor()
        try:
            with task.running(cursor.interrupt):
                if self._catalog:
                    # A cursor doesn't know what its connection uses.
                    cursor.execute(f"use {self._catalog}")
                relation = cursor.sql(question.text, params=list(question.values))
                reader = relation.to_arrow_reader(_ROWS)
                yield from at_least_one(reader)
        except duckdb.Error as error:
            is_lacking = isinstance(error, duckdb.CatalogException)
            failure = NoSuchTable if is_lacking else CannotAnswer
            raise failure(f"{self.name}: {first_line(error)}") from None
        finally:
            cursor.close()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def connect(text: str, shown: str) -> DuckDB:
    """Open what an address such as ``duckdb:lake/`` names."""
    path = text.partition(":")[2]
    if not path:
        raise CannotAnswer(f"{shown} names no file: as in duckdb:stats.duckdb")
    return DuckDB(Path(path), shown)


def _file(path: Path) -> Any:
    # Attached, since what connects to a file shares it, and its settings, with whoever
    # in this process did so before, even where another file has its name now.
    connection = duckdb.connect()
    connection.execute(f"attach {_text(str(path))} as {_CATALOG} (read_only)")
    return connection


def _folder(path: Path) -> Any:
    connection = duckdb.connect()
    connection.execute(f"set allowed_directories = [{_text(str(path.resolve()))}]")
    connection.execute(
        f"create view {VIEW} as select * from read_parquet({_pattern(path)},"
        " hive_partitioning = true, union_by_name = true)"
    )
    return connection


def _pattern(folder: Path) -> str:
    return _text(str(folder.resolve() / "**" / "*.parquet"))


def _text(text: str) -> str:
    """A text in SQL, where none can be bound."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'"
