"""A connection to a database: what it is asked, what comes back, and how it ends."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from typing import Final

import pyarrow as pa

from engine.model import CannotAnswer
from engine.warehouse.questions import Question
from engine.warehouse.words import Words, number

_AGAIN: Final = 0.2
"""Seconds after which a question that still runs is ended once more."""


_HUGE: Final = 9 * 10**18
"""Larger numbers than this are no times."""


class ConnectionLost(Exception):
    """The connection to the database broke; the question may be asked again.

    The message says why, without the name of the database.
    """


class NoSuchTable(CannotAnswer):
    """The database knows no table, or view, of the name that a question has."""


class Task:
    """A question that runs, which any thread may end."""

    def __init__(self, about: str = "", seconds: float | None = None) -> None:
        """*seconds* is how long it may take; None for as long as it needs.

        It is over after that, unless it was let ``go_on`` before.
        """
        self.about = about
        self._seconds = seconds
        self._lock = Lock()
        self._interrupt: Callable[[], object] | None = None
        self._reason = self._logged = ""
        self._timer: Timer | None = None

    def cancel(self, reason: str = "another was asked for") -> None:
        """End it, now or as soon as it begins; it then fails with this reason."""
        with self._lock:
            if self._reason:
                return
            self._reason = self._logged = reason
        self._end()

    def go_on(self) -> None:
        """Let it take as long as it needs from now on, as its answer has begun."""
        with self._lock:
            self._seconds = None
            if self._timer is not None:
                self._timer.cancel()

    def _late(self) -> None:
        with self._lock:
            if self._seconds is None or self._reason:
                return
            self._reason = f"it took longer than {self._seconds:g} s"
            self._logged = f"{self._reason} (--timeout)"
        self._end()

    def _end(self) -> None:
        with self._lock:
            if self._interrupt is None:
                return
            # Not later: the connection may be another question's by then.
            with suppress(Exception):
                self._interrupt()
        # What hasn't quite begun, or is just being sent, hears of nothing.
        again = Timer(_AGAIN, self._end)
        again.daemon = True
        again.start()

    @contextmanager
    def running(self, interrupt: Callable[[], object]) -> Iterator[None]:
        """While this is entered, ``cancel`` calls *interrupt* until it is left.

        Whatever is raised because of that becomes CannotAnswer.
        """
        with self._lock:
            self._interrupt = interrupt
            if self._seconds is not None:
                self._timer = Timer(self._seconds, self._late)
                self._timer.daemon = True
                self._timer.start()
        try:
            self._check()
            yield
            self._check()
        except CannotAnswer:
            raise
        except Exception:
            self._check()
            raise
        finally:
            with self._lock:
                self._interrupt = None
                if self._timer is not None:
                    self._timer.cancel()

    def _check(self) -> None:
        if self._reason:
            ended = f"The question for {self.about} ended"
            raise CannotAnswer(f"{ended}: {self._reason}.", f"{ended}: {self._logged}.")


class Database(ABC):
    """A database that answers SQL with Arrow; threads may share it.

    A kind of database is one module with a subclass, and a line in ``KINDS``.
    """

    words: Words
    """What its SQL says in its own words."""
    name: str
    """Its name as a person knows it, without any password."""

    def tables(self) -> list[tuple[str, ...]]:
        """The names of the tables and views that may be read, but for system tables.

        A name has its schema before it where that isn't the current one; the others,
        which need none, come first.
        """
        schema, name = (
            f"cast({column} as {self.words.text})"
            for column in ("table_schema", "table_name")
        )
        return self._tables(
            f"select case when table_schema <> current_schema() then {schema} end as s,"
            f" {name} as name from information_schema.tables"
            " where table_catalog = current_database()"
            " and table_schema not in ('information_schema', 'pg_catalog')"
        )

    def _tables(self, text: str) -> list[tuple[str, ...]]:
        """The tables that a question names; its ``s`` is NULL or empty without one."""
        found = self._ask("tables", text)
        schemas, names = (found.column(name).to_pylist() for name in ("s", "name"))
        paths = [(s, n) if s else (n,) for s, n in zip(schemas, names, strict=True)]
        return sorted(paths, key=lambda path: (len(path), path))

    def schema(self, path: tuple[str, ...]) -> pa.Schema:
        """The columns of a table; raises NoSuchTable where there is none."""
        text = f"select * from {self.words.name(*path)} limit 0"
        return self._ask("columns", text).schema

    def largest(self, path: tuple[str, ...], column: str) -> float:
        """The largest number in a column, but for huge ones; 0 where there is none."""
        name, table = self.words.name(column), self.words.name(*path)
        largest = f"cast(max({name}) as {self.words.double})"
        # NaN is larger than all numbers. (A DECIMAL may hold no integer as large.)
        text = f"select {largest} as n from {table} where {name} < {number(_HUGE)}"
        (largest,) = self._ask("the newest time", text).column("n").to_pylist()
        return float(largest or 0)

    def advice(self, user: str) -> str:
        """What would make the table faster, a sentence; *user* is a column's name."""
        return ""

    def _ask(self, about: str, text: str) -> pa.Table:
        return self.ask(Question(about, text, ()), Task(about))

    @abstractmethod
    def answer(self, question: Question, task: Task) -> Iterator[pa.RecordBatch]:
        """The answer to a question, part by part, at least one.

        Raises ConnectionLost where the connection broke, and CannotAnswer, with one
        line for a person, where the database fails or the task was ended; that is
        NoSuchTable where it lacks a table.
        """

    @abstractmethod
    def close(self) -> None:
        """End the connection."""

    def ask(self, question: Question, task: Task) -> pa.Table:
        """The whole answer; raises CannotAnswer."""
        return pa.Table.from_batches(list(self.stream(question, task)))

    def stream(self, question: Question, task: Task) -> Iterator[pa.RecordBatch]:
        """The answer, part by part; raises CannotAnswer.

        Where the connection is found broken before the first part, it is asked again.
        """
        is_begun = False
        try:
            for batch in self.answer(question, task):
                is_begun = True
                yield batch
            return
        except ConnectionLost as error:
            if is_begun:
                raise self._unreachable(error) from None
        try:
            yield from self.answer(question, task)
        except ConnectionLost as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> CannotAnswer:
        words = str(error).rstrip(".")
        return CannotAnswer(f"{self.name} can't be reached: {words}.")


def at_least_one(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches of a reader; where there are none, one without rows."""
    is_empty = True
    for batch in reader:
        is_empty = False
        yield batch
    if is_empty:
        columns = [pa.nulls(0, field.type) for field in reader.schema]
        yield pa.RecordBatch.from_arrays(columns, schema=reader.schema)
