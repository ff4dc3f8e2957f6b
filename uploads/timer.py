"""Doing something again and again, as long as there is something to do."""

import time
from collections.abc import Callable
from threading import Lock, Timer


class Sweeper:
    """Calls a function from time to time, in a thread that ends with the program.

    The function returns the seconds after which it wants to be called again, or None:
    then there is no thread any more, until ``start`` is called.
    """

    def __init__(self, sweep: Callable[[], float | None]) -> None:
        self._sweep = sweep
        self._lock = Lock()
        self._timer: Timer | None = None
        self._due = 0.0

    @property
    def is_running(self) -> bool:
        """Whether the function will be called."""
        return self._timer is not None

    def start(self, seconds: float) -> None:
        """Have the function called in so many seconds, or sooner if it will be."""
        due = time.monotonic() + seconds
        with self._lock:
            if self._timer is not None:
                if self._due <= due:
                    return
                self._timer.cancel()
            self._timer, self._due = Timer(seconds, self._run), due
            self._timer.daemon = True
            try:
                self._timer.start()
            except RuntimeError:
                # The system lets the program start no more threads: the next call may.
                self._timer = None

    def _run(self) -> None:
        with self._lock:
            self._timer = None
        seconds = self._sweep()
        if seconds is not None:
            self.start(seconds)
