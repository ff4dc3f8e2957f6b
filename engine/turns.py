"""Who waits for what is asked: once nobody does, it ends."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Final

from engine.model import CannotAnswer, Dropped

_REMEMBERED: Final = 1_000
"""Turns whose end came before they began, or after they were over."""


class Turn:
    """Something that a person asked for, until they ask for something else."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ends: dict[object, Callable[[], object]] = {}
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._is_over

    def end(self) -> None:
        """Nobody waits for it any more; whatever is asked for it ends."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            ends = list(self._ends.values())
        for end in ends:
            end()

    @contextmanager
    def ending(self, end: Callable[[], object]) -> Iterator[None]:
        """While this is entered, *end* is called when it is over, or at once.

        That raises Dropped, also in place of the CannotAnswer that comes of it.
        """
        key = object()
        with self._lock:
            is_over = self._is_over
            if not is_over:
                self._ends[key] = end
        try:
            if is_over:
                end()
                raise _dropped()
            yield
        except CannotAnswer:
            if self._is_over:
                raise _dropped() from None
            raise
        finally:
            with self._lock:
                self._ends.pop(key, None)


class SharedTurn(Turn):
    """A turn that is over once all are that share it."""

    def __init__(self) -> None:
        """The first to share it is expected: before that, nobody's leaving ends it."""
        super().__init__()
        self._n_waiting = 1

    @contextmanager
    def shared(self, turn: Turn, *, is_first: bool = False) -> Iterator[None]:
        """While this is entered, *turn* shares it; raises as ``Turn.ending``."""

        def leave() -> None:
            with self._lock:
                self._n_waiting -= 1
                is_last = not self._n_waiting
            if is_last:
                self.end()

        with self._lock:
            self._n_waiting += not is_first
        with turn.ending(leave):
            yield


class Turns:
    """The turns of all pages, by names that nobody can guess."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._turns: dict[str, Turn] = {}
        self._n_requests: Counter[str] = Counter()
        self._ended: OrderedDict[str, None] = OrderedDict()

    @contextmanager
    def taken(self, name: str) -> Iterator[None]:
        """While this is entered, what is asked is asked for the turn of this name."""
        with self._lock:
            turn = self._turns.setdefault(name, Turn())
            self._n_requests[name] += 1
            is_over = name in self._ended
        if is_over:
            turn.end()
        token = current.set(turn)
        try:
            yield
        finally:
            current.reset(token)
            with self._lock:
                self._n_requests[name] -= 1
                if not self._n_requests[name]:
                    del self._turns[name], self._n_requests[name]

    def end(self, names: Iterable[str]) -> None:
        """End the turns of these names, which may not have begun."""
        with self._lock:
            names = list(names)
            self._ended.update(dict.fromkeys(names))
            while len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)
            turns = [self._turns[name] for name in names if name in self._turns]
        for turn in turns:
            turn.end()


current: Final[ContextVar[Turn]] = ContextVar("current", default=Turn())  # noqa: B039
"""The turn that this context asks for; without another, one that never ends."""


def _dropped() -> Dropped:
    return Dropped("Something else was asked for.")
