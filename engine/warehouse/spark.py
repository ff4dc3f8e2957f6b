"""Spark, and Sail, which speaks as Spark does: through Spark Connect."""

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Final
from urllib.parse import unquote
from uuid import uuid4

import grpc
import pyarrow as pa

from engine.model import CannotAnswer
from engine.warehouse.database import (
    ConnectionLost,
    Database,
    NoSuchTable,
    Task,
    at_least_one,
)
from engine.warehouse.questions import Question
from engine.warehouse.words import SPARK
from formatting import first_line

with warnings.catch_warnings():
    # Of pandas nothing is used here: answers are Arrow.
    warnings.filterwarnings(
        "ignore", "PySpark does not yet fully support pandas", FutureWarning
    )
    from pyspark.errors import PySparkAssertionError, PySparkException
    from pyspark.errors.exceptions.connect import SparkConnectGrpcException
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.session import SparkSession

# It writes each error to stderr, with the question and a trace of Java's.
logging.getLogger("SQLQueryContextLogger").disabled = True

PING_AFTER: Final = 30.0
"""Seconds of silence after which a server is asked whether it is there."""

PING_WITHIN: Final = 30.0
"""Seconds in which it has to answer that: where Sail counts, it may take some."""

_FRESH: Final = 600.0
"""Seconds: Sail forgets a session, and its zone, 15 minutes after its last question."""

_TOKEN: Final = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # noqa: S105
"""Where a token is looked for that no address names."""

_OPEN: Final = {"use_ssl", "user_id", "user_agent", "session_id"}
"""Parameters of addresses that aren't secret; any other may be."""

_ERRORS: Final = (PySparkException, grpc.RpcError, ValueError)
"""What questions raise; ValueError where another thread closed the session."""


class SparkConnect(Database):
    """Tables of a Spark Connect server, which may be Spark's or Sail's.

    Threads share one session of it; a new one is made where it was lost, or wasn't used
    for long. Neither server knows sessions that can only read: what a role may do is
    for the server to say. An answer comes whole.

    *Limits.* Sail can't give exact quantiles of over about 500,000 durations of one
    user: its workers tell each other 4 MB at once. Such a question fails there.
    """

    words = SPARK

    def __init__(self, address: str, name: str) -> None:
        """Take an address such as ``sc://host:15002/;use_ssl=true;token=…``.

        A token may be in the environment instead, see ``_TOKEN``. Nothing is asked yet.
        Raises CannotAnswer where the address is none.
        """
        self.name = name
        place, *pairs = address.removeprefix("sc://").split(";")
        self._address = f"sc://{place.rpartition('@')[2]}"
        split = (pair.partition("=") for pair in pairs if pair)
        self._parameters = {key: unquote(value) for key, _, value in split}
        secrets = [v for key, v in self._parameters.items() if key not in _OPEN]
        self._secrets = [v for v in (*secrets, os.environ.get(_TOKEN)) if v]
        self._lock = Lock()
        self._session: Any = None
        self._used = 0.0
        try:
            self._channel()
        except ValueError as error:
            raise CannotAnswer(f"{name}: {self._line(error)}") from None

    def tables(self) -> list[tuple[str, ...]]:
        """The names of the tables and views of the current schema alone."""
        names = self._ask("tables", "show tables").column("tableName").to_pylist()
        return [(name,) for name in sorted(names)]

    def answer(self, question: Question, task: Task) -> Iterator[pa.RecordBatch]:
        """The answer to a question, in parts once all of it is there."""
        yield from at_least_one(self._table(question, task).to_reader())

    def close(self) -> None:
        """End the session."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.stop()

    def _table(self, question: Question, task: Task) -> pa.Table:
        values = {f"p{n}": value for n, value in enumerate(question.values, 1)}
        session = None
        try:
            session = self._current()
            with _interrupted_by(task, session):
                return session.sql(question.text, args=values).toArrow()
        except _ERRORS as error:
            if not _is_lost(error):
                failure = NoSuchTable if _is_lacking(error) else CannotAnswer
                raise failure(f"{self.name}: {self._line(error)}") from None
            self._forget(session)
            raise ConnectionLost(self._line(error)) from None

    def _current(self) -> Any:
        """The session that threads share."""
        with self._lock:
            now = monotonic()
            if self._session is None or now - self._used > _FRESH:
                self._session = self._connect()
            self._used = now
            return self._session

    def _connect(self) -> Any:
        session = SparkSession.builder.channelBuilder(self._channel()).create()
        # It would try for minutes, and keep the program from ending.
        session.client.set_retry_policies([])
        session.conf.set("spark.sql.session.timeZone", "UTC")
        return session

    def _channel(self) -> Any:
        """How the server is reached; raises ValueError where the address is none."""
        milliseconds = {
            "grpc.keepalive_time_ms": PING_AFTER * 1_000,
            "grpc.keepalive_timeout_ms": PING_WITHIN * 1_000,
            # It is this one that counts; without it a minute is waited.
            "grpc.http2.ping_timeout_ms": PING_WITHIN * 1_000,
        }
        options = [(key, int(value)) for key, value in milliseconds.items()]
        options.append(("grpc.http2.max_pings_without_data", 0))
        channel = DefaultChannelBuilder(self._address, options)
        # Not as a part of the address, which errors quote.
        for key, value in self._parameters.items():
            channel.set(key, value)
        return channel

    def _forget(self, session: Any) -> None:
        """Have the next question make a session, unless one was made meanwhile."""
        with self._lock:
            if self._session is session:
                self._session = None

    def _line(self, error: Exception) -> str:
        """What a person is told of an error, without anything secret."""
        # Errors of the connection have several lines, of which the first says nothing.
        details = re.search(r'^\s*details = "(.*)"$', str(error), re.MULTILINE)
        line = first_line(ValueError(details[1])) if details else first_line(error)
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return line


def connect(text: str, shown: str) -> SparkConnect:
    """Connect to what an address such as ``sc://host`` names."""
    return SparkConnect(text, shown)


def _is_lost(error: Exception) -> bool:
    """Whether another session may well answer."""
    if isinstance(error, PySparkAssertionError):
        # Another server answers, which doesn't know the session.
        return True
    if isinstance(error, SparkConnectGrpcException):
        is_gone = error.getGrpcStatusCode() == grpc.StatusCode.UNAVAILABLE
        return is_gone or (error.getCondition() or "").startswith("INVALID_HANDLE")
    return False


def _is_lacking(error: Exception) -> bool:
    """Whether there is no such table; Sail says so in words alone."""
    condition = getattr(error, "getCondition", lambda: None)()
    words = str(error).lower()
    return condition == "TABLE_OR_VIEW_NOT_FOUND" or bool(
        re.search(r"\btable (or view )?not found\b", words)
    )


@contextmanager
def _interrupted_by(task: Task, session: Any) -> Iterator[None]:
    """While this is entered, what this thread asks ends where the task is ended."""
    tag, done = uuid4().hex, Event()

    def interrupt() -> None:
        seconds = 0.05
        while not done.wait(seconds):
            # Nothing is ended where the question has yet to arrive.
            with suppress(*_ERRORS):
                session.interruptTag(tag)
            seconds = min(2 * seconds, 1.0)

    def begin() -> None:
        # Sail answers only once its busy threads have a moment.
        Thread(target=interrupt, daemon=True).start()

    with task.running(begin):
        session.addTag(tag)
        try:
            yield
        finally:
            done.set()
            session.removeTag(tag)
