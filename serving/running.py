"""Starts what serves the site: waitress in this process, or in several."""

import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Final

from serving.listening import CannotServe, announce, interfaces
from serving.reloading import Reloader, watch
from serving.site import Site

if TYPE_CHECKING:
    from serving.waitress_server import Limits

_FILES: Final = 4_096
"""How many files and connections a process may have open, where the system lets it."""
_OTHER_FILES: Final = 128
"""How many of them are no connections, with what is received and read meanwhile."""
_BACKLOG: Final = 1_024
"""How many connections wait until they are taken."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of *host*; raises CannotServe where one is taken."""
    sockets: list[socket.socket] = []
    try:
        found = [
            address
            for name in interfaces(host)
            for address in socket.getaddrinfo(
                name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        ]
        for family, kind, protocol, _, address in dict.fromkeys(found):
            listening = socket.socket(family, kind, protocol)
            sockets.append(listening)
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
    except OSError as error:
        for each in sockets:
            each.close()
        words = f"cannot listen on {host} port {port}: {error.strerror}"
        raise CannotServe(words) from None
    return sockets


def run(
    site: Site,
    sockets: Sequence[socket.socket],
    reloader: Reloader,
) -> None:
    """Serve *site* on *sockets* until the program is told to end.

    It says where the page can be opened once signals mean this: SIGTERM and Ctrl-C have
    what has begun answered, for at most nine seconds, and a second one ends the program
    at once; SIGHUP has *reloader* read the data again, which it also does as often as
    the settings say. Raises CannotServe where threads can't be started.
    """
    limits = _limits()
    site.metrics.start()
    if site.settings.workers > 1:
        with contextlib.suppress(ModuleNotFoundError):
            from serving import workers

            workers.run(site, sockets, limits, reloader)
            return
        print("One process serves: --workers needs gunicorn, which isn't here.")
    _run_alone(site, sockets, limits, reloader)


def _run_alone(
    site: Site,
    sockets: Sequence[socket.socket],
    limits: "Limits",
    reloader: Reloader,
) -> None:
    from serving.waitress_server import Server

    try:
        server = Server(site, sockets, limits)
    except RuntimeError as error:
        raise CannotServe(f"no thread can be started: {error}") from None

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
