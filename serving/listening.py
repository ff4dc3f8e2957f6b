"""Where the server listens, and under which names it is reached there."""

import errno
import os
import socket
from typing import Final

import security
from serving.settings import Settings

_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Hosts that stand for every address of this machine, and one to open."""


class CannotServe(Exception):
    """What the server needs can't be had; the message is one line that says why."""


def own_names(host: str) -> list[str]:
    """The host names under which a browser may ask for what listens on *host*."""
    found = [host]
    if host in _ANY:
        found = [socket.gethostname()]
        try:
            addresses = socket.getaddrinfo(found[0], None)
            found += sorted({str(address[4][0]) for address in addresses})
        except OSError:
            pass
    names = []
    for name in found:
        try:
            names.append(security.host_name(name))
        except ValueError:
            # A machine may have a name that no browser can ask for.
            continue
    return names


def announce(settings: Settings) -> None:
    """Print where the page can be opened."""
    shown = security.bracketed(_ANY.get(settings.host, settings.host))
    print(f"Open http://{shown}:{settings.port}/", flush=True)


def check_free(host: str, port: int) -> None:
    """Find out before the load, which may be long, what would fail after it.

    Raises CannotServe.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":
                # As the servers do: a port that was just left is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except UnicodeError:
        raise CannotServe(f"{host!r} is not a host name") from None
    except OSError as error:
        words = f"cannot listen on {host} port {port}: {error.strerror}"
        if error.errno == errno.EADDRINUSE:
            words = f"port {port} is in use; choose another with --port"
        raise CannotServe(words) from None
