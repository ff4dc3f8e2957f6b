"""Answers that are kept while there is room for them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Event, Lock
from typing import Generic, TypeVar

from engine.model import CannotAnswer, Dropped
from engine.turns import SharedTurn, Turn, current

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Cache(Generic[_K, _V]):
    """The values that were asked for last, as many as a number of bytes has room for.

    One is always kept. Threads that want the same value wait for one of them to make
    it, which ends only once none of their turns waits for it; those that want different
    ones don't wait for each other.
    """

    def __init__(self, n_bytes: int) -> None:
        self._room = n_bytes
        self._lock = Lock()
        self._values: OrderedDict[_K, tuple[_V, int]] = OrderedDict()
        self._making: dict[_K, _Making[_V]] = {}

    def get(self, key: _K, make: Callable[[], tuple[_V, int]]) -> _V:
        """The value of a key; *make* gives it with its size in bytes.

        Where that raises CannotAnswer, all who wait are told so; after anything else,
        another makes it. Raises Dropped as soon as the turn is over.
        """
        turn = current.get()
        while True:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key][0]
                making = self._making.get(key)
                is_first = making is None
                if making is None:
                    making = self._making[key] = _Making()
            if is_first:
                return self._make(key, making, make, turn)
            error = making.wait(turn)
            if error is None:
                return making.made.result()
            if isinstance(error, CannotAnswer) and not isinstance(error, Dropped):
                raise CannotAnswer(str(error), error.logged) from None

    def _make(
        self,
        key: _K,
        making: "_Making[_V]",
        make: Callable[[], tuple[_V, int]],
        turn: Turn,
    ) -> _V:
        try:
            value, size = making.run(make, turn)
        except BaseException as error:
            with self._lock:
                del self._making[key]
            making.made.set_exception(error)
            raise
        with self._lock:
            del self._making[key]
            self._values[key] = value, size
            used = sum(size for _, size in self._values.values())
            while used > self._room and len(self._values) > 1:
                _, (_, size) = self._values.popitem(last=False)
                used -= size
        making.made.set_result(value)
        return value


class _Making(Generic[_V]):
    """A value that one thread makes, and others may wait for."""

    def __init__(self) -> None:
        self.made: Future[_V] = Future()
        self._turn = SharedTurn()

    def run(self, make: Callable[[], tuple[_V, int]], turn: Turn) -> tuple[_V, int]:
        """Make it for all who wait."""
        with self._turn.shared(turn, is_first=True):
            token = current.set(self._turn)
            try:
                return make()
            finally:
                current.reset(token)

    def wait(self, turn: Turn) -> BaseException | None:
        """Wait until it is made; returns what was raised instead."""
        event = Event()
        self.made.add_done_callback(lambda _: event.set())
        with self._turn.shared(turn), turn.ending(event.set):
            event.wait()
        if not self.made.done():
            raise Dropped("Something else was asked for.")
        return self.made.exception()
