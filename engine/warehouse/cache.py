"""Answers that are kept while there is room for them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Cache(Generic[_K, _V]):
    """The values that were asked for last, as many as a number of bytes has room for.

    One is always kept. Threads that want the same value wait for one of them to make
    it; those that want different ones don't wait for each other.
    """

    def __init__(self, n_bytes: int) -> None:
        self._room = n_bytes
        self._lock = Lock()
        self._values: OrderedDict[_K, tuple[_V, int]] = OrderedDict()
        self._making: dict[_K, Lock] = {}

    def get(self, key: _K, make: Callable[[], tuple[_V, int]]) -> _V:
        """The value of a key; *make* gives it with its size in bytes."""
        with self._lock:
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key][0]
            try:
                value, size = make()
            finally:
                with self._lock:
                    self._making.pop(key, None)
            with self._lock:
                self._values[key] = value, size
                used = sum(size for _, size in self._values.values())
                while used > self._room and len(self._values) > 1:
                    _, (_, size) = self._values.popitem(last=False)
                    used -= size
            return value
