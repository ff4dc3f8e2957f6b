"""Starts what serves the site: waitress in this process, or in several."""

import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Final

from serving.listening import announce
from serving.reloading import Reloader, watch
from serving.site import Site

if TYPE_CHECKING:
    from serving.waitress_server import Limits

_FILES: Final = 4_096
"""How many files and connections a process may have open, where the system lets it."""
_OTHER_FILES: Final = 128
"""How many of them are no connections, with what is received and read meanwhile."""


def run(
    site: Site,
    sockets: Sequence[socket.socket],
    reloader: Reloader,
) -> None:
    """Serve *site* on *sockets* until the program is told to end.

    It says where the page can be opened once signals mean this: SIGTERM and Ctrl-C have
    what has begun answered, for at most nine seconds, and a second one ends the program
    at once; SIGHUP has *reloader* read the data again, which it also does as often as
    the settings say.
    """
    limits = _limits()
    site.metrics.start()
    if site.settings.workers > 1:
        try:
            from serving import workers
        except ModuleNotFoundError:
            print("One process serves: --workers needs gunicorn, which isn't here.")
        else:
            workers.run(site, sockets, limits, reloader)
            return
    _run_alone(site, sockets, limits, reloader)


def _run_alone(
    site: Site,
    sockets: Sequence[socket.socket],
    limits: "Limits",
    reloader: Reloader,
) -> None:
    from serving.waitress_server import Server

    server = Server(site, sockets, limits)

    def stop(_number: int, _frame: FrameType | None) -> None:
        if server.is_stopping:
            os._exit(1)
        server.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    watch(reloader, site.settings.reload_seconds)
    announce(site.settings)
    server.run()


def _limits() -> "Limits":
    """What connections may cost here, with as many files as the system allows."""
    from serving.waitress_server import Limits  # Debug mode starts quicker without it.

    files = 512  # What select() takes on Windows.
    with contextlib.suppress(ModuleNotFoundError):
        import resource

        files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
        if resource.RLIM_INFINITY != files < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
            files = wanted
        elif files == resource.RLIM_INFINITY:
            files = wanted
    return Limits(connections=max(8, min(Limits.connections, files - _OTHER_FILES)))
