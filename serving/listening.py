"""Where the server listens, and under which names it is reached there."""

import errno
import os
import socket
from ipaddress import ip_address
from typing import Final

from hosts import LOOPBACK, Host, Hosts, is_loopback, parse_host
from serving.settings import Settings

_EVERY_IPV4: Final = "0.0.0.0"  # noqa: S104
_EVERY_IPV6: Final = "::"
_ELSEWHERE: Final = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses (for documentation) that are reached by the way to the internet."""


_BACKLOG: Final = 1_024
"""How many connections wait until they are taken."""


class CannotServe(Exception):
    """What the server needs can't be had; the message is one line that says why."""


def interfaces(host: str) -> list[str]:
    """The addresses to listen on for *host*: "::" is IPv4, too, where there is both."""
    if host == _EVERY_IPV6 and socket.has_dualstack_ipv6():
        return [_EVERY_IPV6, _EVERY_IPV4]
    return [host]


def served_hosts(settings: Settings) -> Hosts:
    """The hosts that requests may be for, as the server listens."""
    is_every = settings.host in (_EVERY_IPV4, _EVERY_IPV6)
    own = _machine_names() if is_every else [settings.host]
    allowed = (host.name for host in settings.allowed_hosts)
    names = filter(_is_possible, (*LOOPBACK, *own))
    return Hosts([*names, *allowed], any_address=is_every)


def announce(settings: Settings) -> None:
    """Print where the page can be opened, each address once."""
    hosts = served_hosts(settings)
    if not is_loopback(settings.host):
        names = ", ".join([*hosts.names, *["any IP address"] * hosts.any_address])
        print(f"Answers to {names}; --allow-host adds other names.")
        if not (settings.password_file or settings.auth_header):
            print("Whoever reaches it sees the data, as --no-login says.")
    print("Open", "\n  or ".join(_addresses(settings)), flush=True)


def _addresses(settings: Settings) -> list[str]:
    """The addresses of the page."""
    own = [settings.host]
    if settings.host == _EVERY_IPV4:
        own = ["127.0.0.1", *_own_addresses(socket.AF_INET)]
    elif settings.host == _EVERY_IPV6:
        own = ["::1", *_own_addresses(socket.AF_INET6)]
        if len(interfaces(settings.host)) > 1:
            own += _own_addresses(socket.AF_INET)
    listening = [Host(name, "http", settings.port) for name in own]
    named = [host for host in settings.allowed_hosts if not host.name.startswith("*")]
    found = [host.address(settings.url_prefix) for host in (*listening, *named)]
    return list(dict.fromkeys(found))


def _own_addresses(family: socket.AddressFamily) -> list[str]:
    """The addresses of this machine at which others on its network may reach it."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Nothing is sent: it only finds the way, and from where it leads. Bridges
            # to this machine's containers have addresses, too, but lead nowhere.
            probe.connect((_ELSEWHERE[family], 9))
            found = [probe.getsockname()[0]]
    except OSError:
        try:
            named = socket.getaddrinfo(socket.gethostname(), None, family)
        except OSError:
            return []
        found = [str(address[4][0]) for address in named]
    return [name for name in dict.fromkeys(found) if _is_shown(name)]


def _is_shown(address: str) -> bool:
    """Whether others can open this address: link-local ones are of no use alone."""
    parsed = ip_address(address)
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def _machine_names() -> list[str]:
    """The names that this machine has on its network, by DNS and by mDNS."""
    name = socket.gethostname()
    first = name.partition(".")[0]
    return [name, first, f"{first}.local"]


def _is_possible(name: str) -> bool:
    """Whether a browser can ask for a name; a machine may have any."""
    try:
        parse_host(name)
    except ValueError:
        return False
    return True


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of *host*; raises CannotServe where that fails."""
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
                # A port that was just left is free.
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
    except UnicodeError:
        raise CannotServe(f"{host!r} is not a host name") from None
    except OSError as error:
        for each in sockets:
            each.close()
        words = f"cannot listen on {host} port {port}: {error.strerror}"
        if error.errno == errno.EADDRINUSE:
            words = f"port {port} is in use; choose another with --port"
        raise CannotServe(words) from None
    return sockets


def check_free(host: str, port: int) -> None:
    """Find out before the load, which may be long, what would fail after it.

    Raises CannotServe.
    """
    for each in listen(host, port):
        each.close()
