"""Reading the data again while they are served."""

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Hashable
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from formatting import one_line, printable
from serving.site import Site

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_TERMINAL: Final = "/dev/tty"
"""The terminal of a process, which can't be opened where it has none."""


class Reloader:
    """Has a site answer by an application over data that are read again.

    The application before answers until then, and goes on where reading fails. What it
    has begun to answer it ends.
    """

    def __init__(
        self,
        site: Site,
        load: Callable[[], "tuple[WSGIApplication, str]"],
        state: Callable[[], Hashable] = object,
        give_back: Callable[[], object] = gc.collect,
    ) -> None:
        """*load* reads the data again and makes the application that *site* shows then.

        Its second result is a line to print, which says what there is now. *state* says
        what the data are like without reading them, now as they are read for the first
        time: while it is equal, they are the same. *give_back* is called when there may
        be memory that isn't needed any more.
        """
        self._site, self._load = site, load
        self._state, self._give_back = state, give_back
        self._known, self._read_at = state(), _now()
        self._lock = Lock()

    def reload(self) -> bool:
        """Read the data again, and return whether there are new ones now.

        A failure is said on stderr.
        """
        with self._lock:
            return self._reload()

    def reload_changed(self) -> bool:
        """Read the data again if they aren't what they were when they were read last.

        Returns whether there are new ones now. What fails is tried again each time.
        """
        with self._lock:
            try:
                is_known = self._state() == self._known
            except Exception:
                # Reading has words for it.
                is_known = False
            return not is_known and self._reload()

    def _reload(self) -> bool:
        try:
            # What changes while it is read is read the next time.
            known, now = self._state(), _now()
            # Dash remembers the application in the context, which is the thread's own.
            application, line = copy_context().run(self._load)
            self._site.show(application)
        except MemoryError:
            why = "that is more data than memory holds"
        except Exception as error:
            why = one_line(str(error)) or type(error).__name__
        else:
            self._known, self._read_at = known, now
            print(printable(line), flush=True)
            return True
        finally:
            self._give_back()
        self._site.metrics.reload_failed()
        words = f"The data are still those of {self._read_at}: {why}"
        print(printable(words), file=sys.stderr, flush=True)
        return False


def _now() -> str:
    """For example "26 November 2026 10:00", as the clocks of this machine show it."""
    return time.strftime("%d %B %Y %H:%M").lstrip("0")


def watch(reloader: Reloader, seconds: float | None) -> None:
    """Reload on SIGHUP, where there is such a signal, and after so many *seconds*.

    What is asked for while data are being read is done once, after that. Call this from
    the main thread.
    """
    # Unlike an event, a queue of this kind may be used in a signal's handler.
    asked: SimpleQueue[None] = SimpleQueue()

    def run() -> None:
        while True:
            try:
                asked.get(timeout=seconds)
            except Empty:
                reloader.reload_changed()
                continue
            while not asked.empty():
                asked.get()
            reloader.reload()

    Thread(target=run, daemon=True, name="reload").start()
    if hasattr(signal, "SIGHUP"):
        has_lost_terminal = watch_terminal()

        def ask(*_: object) -> None:
            if has_lost_terminal():
                signal.raise_signal(signal.SIGTERM)
            else:
                asked.put(None)

        signal.signal(signal.SIGHUP, ask)


def put_off() -> None:
    """Where no terminal can be closed, have SIGHUP not end what is still loading."""
    if hasattr(signal, "SIGHUP") and not _has_terminal():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def watch_terminal() -> Callable[[], bool]:
    """What says whether the terminal was closed, of which SIGHUP tells as well.

    Where that signal is ignored, as nohup has it, closing it means nothing.
    """
    had_terminal = (
        hasattr(signal, "SIGHUP")
        and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        and _has_terminal()
    )
    return lambda: had_terminal and not _has_terminal()


def _has_terminal() -> bool:
    """Whether this process was started from a terminal that is still open."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
