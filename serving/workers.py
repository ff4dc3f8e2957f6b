"""Several processes that serve one site: gunicorn forks them and minds them.

The data are loaded once, before they are forked, so that all share the memory. Each
runs the same server as a single process does, on the same sockets.
"""

import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from threading import Thread
from types import FrameType
from typing import Any, Final, NoReturn

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from serving.listening import announce
from serving.metrics import memory_folder
from serving.reloading import Reloader, watch_terminal
from serving.site import Site
from serving.waitress_server import Limits, Server

_SILENT_SECONDS: Final = 30
"""After which a worker that gives no sign of life is replaced."""
_STOP_SECONDS: Final = 10
"""After which workers that were told to end are killed."""
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger(__name__)


def run(
    site: Site,
    sockets: Sequence[socket.socket],
    limits: Limits,
    reloader: Reloader,
) -> None:
    """Serve *site* until the program is told to end, which ends with SystemExit."""
    _freeze()
    _Arbiter(_Application(site, limits), sockets, reloader).run()


def _freeze() -> None:
    """Have the collector leave alone what is there: to look at it would copy it."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class _Log(Logger):  # type: ignore[misc]
    """Passes on what is worth a line to this program's own log."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.setLevel("WARNING")
        self.access_log.disabled = True

    def exception(self, msg: object, *args: object, **kwargs: object) -> None:
        """Say in a line what failed."""
        self.error(f"{msg}: {sys.exception()!r:.200}", *args)


class _Worker(Worker):  # type: ignore[misc]
    """A process that serves."""

    def init_signals(self) -> None:
        """Stop at SIGTERM; Ctrl-C reaches the arbiter as well, which knows better."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def run(self) -> None:
        """Serve until this worker, or the arbiter, is told to end."""
        server = Server(self.wsgi, self.sockets, self.app.limits)

        def stop(_number: int, _frame: FrameType | None) -> None:
            server.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)

        def every_turn() -> None:
            self.notify()
            if os.getppid() != self.ppid:
                server.stop()

        server.run(every_turn)
        sys.stdout.flush()
        sys.stderr.flush()
        # What is to be tidied at the end of the program is the arbiter's.
        os._exit(0)


class _Application(BaseApplication):  # type: ignore[misc]
    """What gunicorn is told, and by nobody else: it reads no file of its own."""

    def __init__(self, site: Site, limits: Limits) -> None:
        self.site = site
        self.limits = limits
        super().__init__()

    def load_config(self) -> None:
        said = {
            "child_exit": self._note_end,
            "control_socket_disable": True,
            "graceful_timeout": _STOP_SECONDS,
            "logger_class": _Log,
            "timeout": _SILENT_SECONDS,
            "worker_class": _Worker,
            "worker_tmp_dir": memory_folder(),
            "when_ready": lambda _: announce(self.site.settings),
            "workers": self.site.settings.workers,
        }
        for name, value in said.items():
            self.cfg.set(name, value)

    def _note_end(self, _arbiter: Arbiter, worker: Worker) -> None:
        self.site.metrics.child_exit(worker.pid)

    def load(self) -> Site:
        return self.site


class _Arbiter(Arbiter):  # type: ignore[misc]
    """Minds the workers, and replaces them when there are new data."""

    def __init__(
        self,
        app: _Application,
        sockets: Sequence[socket.socket],
        reloader: Reloader,
    ) -> None:
        super().__init__(app)
        self.LISTENERS = list(sockets)
        self._reloader = reloader
        self._reading: Thread | None = None
        self._asked: Callable[[], bool] | None = None
        self._has_lost_terminal = watch_terminal()
        self._has_new_data = False
        self._is_stopping = False

    def init_signals(self) -> None:
        super().init_signals()
        seconds = self.app.site.settings.reload_seconds
        if seconds is not None:
            signal.signal(signal.SIGALRM, self.signal)
            signal.setitimer(signal.ITIMER_REAL, seconds, seconds)

    def signal(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal; a second one that ends the program does so at once."""
        if sig == signal.SIGHUP and self._has_lost_terminal():
            sig = signal.SIGTERM
        if sig in _STOPS:
            if self._is_stopping:
                self.kill_workers(signal.SIGKILL)
                self._end(1)
            self._is_stopping = True
        super().signal(sig, frame)

    def handle_int(self) -> None:
        """Stop at Ctrl-C as at SIGTERM."""
        self.handle_term()

    def handle_alrm(self) -> None:
        """Read the data again when it is time, if they have changed."""
        self._read_again(self._reloader.reload_changed)

    def reload(self) -> None:
        """Read the data again, beside the workers, which go on serving the old."""
        self._read_again(self._reloader.reload)

    def _read_again(self, reload: Callable[[], bool]) -> None:
        if self._is_reading():
            # What is asked for meanwhile is done once, after that.
            self._asked = reload
            return

        def read() -> None:
            if reload():
                self._has_new_data = True
            self.wakeup()

        self._asked = None
        self._reading = Thread(target=read, daemon=True)
        try:
            self._reading.start()
        except RuntimeError as error:
            _log.error("the data are still those before: %s", error)

    def _is_reading(self) -> bool:
        return self._reading is not None and self._reading.is_alive()

    def spawn_worker(self) -> int:
        """Fork a worker; returns its process id."""
        # It would forget a signal that comes before it has handlers of its own.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            pid: int = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        return pid

    def manage_workers(self) -> None:
        """See that there are as many as there should be, all with the new data."""
        if self._asked is not None and not self._is_reading():
            self._read_again(self._asked)
        try:
            if self._has_new_data:
                _freeze()
                # Those beyond the number wanted, which are the oldest, are told to end.
                for _ in range(self.num_workers):
                    self.spawn_worker()
                self._has_new_data = False
            super().manage_workers()
        except OSError as error:
            # It is tried again a second later; those that are there go on.
            _log.error("no process can be started: %s", error.strerror)

    def _end(self, code: int) -> NoReturn:
        """End at once, whatever is under way."""
        self.app.site.metrics.remove()
        sys.stdout.flush()
        os._exit(code)

    def halt(self, reason: str | None = None, exit_status: int = 0) -> None:
        """End the program."""
        try:
            super().halt(reason, exit_status)
        except SystemExit as end:
            if self._is_reading():
                # It would be waited for, or torn down in the middle of its work.
                self._end(int(end.code or 0))
            raise
