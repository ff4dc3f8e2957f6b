"""DuckDB: a file of it, or Parquet: a file, or a folder of such."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from engine.model import CannotAnswer
from engine.warehouse.database import (
    Database,
    NoSuchTable,
    Task,
    at_least_one,
)
from engine.warehouse.questions import Question
from engine.warehouse.words import DUCKDB
from formatting import first_line, shorten

_ROWS: Final = 1 << 17
"""Rows of an answer that come at once, at most."""

_WANTED: Final = (
    "name a file of DuckDB's, a Parquet file, or a folder with Parquet files in it"
)
_NO_FILES: Final = "No files found that match"
_LONGEST_NAME: Final = 60

_CATALOG: Final = "user_activity_dashboard"
"""What a file is attached as; no schema in it should have this name."""

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
    """What finds the files of Parquet, as a text in SQL; empty without such."""

    def __init__(self, path: Path, name: str) -> None:
        """Open a database file, a Parquet file, or a folder with such, at any depth.

        Folders in it such as ``country=DE`` are columns. Raises CannotAnswer where
        it can't be opened.
        """
        self.name = name
        _check(path, name)
        self._path = path.resolve()
        try:
            if _is_parquet(path):
                self._files = _pattern(self._path)
                self._connection = _parquet(self._path)
            else:
                self._catalog = _CATALOG
                self._connection = _file(path)
            # What is set afterwards can't be unset by a question.
            # (Each cursor is a session of its own: they have what is set globally.)
            for setting in (
                "enable_external_access = false",
                "global TimeZone = 'UTC'",
            ):
                self._connection.execute(f"set {setting}")
            self._connection.execute("set lock_configuration = true")
        except duckdb.Error as error:
            words = f": {first_line(error)}"
            if _NO_FILES in words:
                words = f" has no Parquet files: {_WANTED}"
            raise CannotAnswer(f"{name}{words}") from None

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
            # Integers are written as texts there.
            "with written as (select stats_min_value as a, stats_max_value as b,"
            f" type like 'INT%' as is_number"
            f" from parquet_metadata({self._files}) where path_in_schema = $1),"
            " parts as (select"
            " {'n': case when is_number then try_cast(a as double) end, 't': a}"
            " as least,"
            " {'n': case when is_number then try_cast(b as double) end, 't': b}"
            " as most"
            " from written),"
            " ordered as (select least, max(most) over (order by least, most"
            " rows between unbounded preceding and 1 preceding) as before from parts)"
            " select count(*) as n, count(*) filter (where least < before) as mixed"
            " from ordered"
        )
        found = self.ask(Question("parts", text, (user,)), Task("parts"))
        (n,), (mixed,) = (found.column(name).to_pylist() for name in ("n", "mixed"))
        if n < _FEW_PARTS or mixed < n / 2:
            return ""
        # The page shows it: folders above are the machine's own affair.
        given = self._path.name
        files = _text(f"{given}/**/*.parquet" if self._path.is_dir() else given)
        order = self.words.name(user)
        target = "sorted.parquet" if given != "sorted.parquet" else "sorted-2.parquet"
        copy = f"COPY (FROM {files} ORDER BY {order}) TO '{target}'"
        return (
            "It isn't sorted by user, so that picking one reads all of it. Run in the "
            f"folder that {shorten(given, _LONGEST_NAME)} is in, this sorts it: "
            f"duckdb -c {shlex.quote(copy)} – then open duckdb:{target}."
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


def _is_parquet(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() == ".parquet"


def _check(path: Path, name: str) -> None:
    """Raise CannotAnswer where there is nothing to open, which says what may be."""
    try:
        is_there = path.exists()
    except (OSError, ValueError) as error:
        raise CannotAnswer(f"{name}: {first_line(error)}") from None
    if not is_there:
        what = "a pattern" if set(str(path)) & set("*?[") else "no file or folder"
        raise CannotAnswer(f"{name} is {what}: {_WANTED}")


def _parquet(path: Path) -> Any:
    connection = duckdb.connect()
    allowed = "directories" if path.is_dir() else "paths"
    # It is looked for by its pattern, and read by its name.
    names = f"{_text(str(path))}, {_text(_without_marks(path))}"
    connection.execute(f"set allowed_{allowed} = [{names}]")
    # Of what is above the folder nothing is a column, nor where nothing below is.
    above, below = _keys(path), {""}
    if above and path.is_dir():
        found = path.rglob("*.parquet")
        below = {key for file in found for key in _keys(file.parent.relative_to(path))}
    outside = above - below if below else set()
    excluded = ", ".join(map(DUCKDB.name, sorted(outside)))
    columns = f"* exclude ({excluded})" if excluded else "*"
    connection.execute(
        f"create view {VIEW} as select {columns} from read_parquet({_pattern(path)},"
        f" hive_partitioning = {bool(below)}, union_by_name = true)"
    )
    return connection


def _keys(path: Path) -> set[str]:
    """The names of columns in a path, such as ``country`` in ``country=DE``."""
    return {part.partition("=")[0] for part in path.parts if "=" in part}


def _pattern(path: Path) -> str:
    """What finds the files of a folder, or one file, as a text in SQL."""
    name = _without_marks(path)
    return _text(f"{name}/**/*.parquet" if path.is_dir() else name)


def _without_marks(path: Path) -> str:
    """A path as a pattern that nothing else fits."""
    return re.sub(r"[*?[]", r"[\g<0>]", str(path))


def _text(text: str) -> str:
    """A text in SQL, where none can be bound."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'"
