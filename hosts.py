"""Names of hosts: as people write them, and as browsers ask for them."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

import idna

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
"""The names that this machine has for itself."""

_ASKED: Final = re.compile(r"(?:\[([0-9a-f:.]+)(?:%[^]]*)?\]|([a-z0-9_.-]+))(?::\d*)?")
_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_LONGEST_NAME: Final = 253
_LAST_PORT: Final = 65_535


class Host(NamedTuple):
    """A host that was written down, perhaps as a part of an address."""

    name: str
    """As browsers ask for it, but IPv6 without brackets: small letters, Punycode, the
    shortest form of an address. ``*.example.org`` stands for all names below."""
    scheme: str = ""
    """"http" or "https"; empty where none was named."""
    port: int | None = None

    def address(self, path: str = "/") -> str:
        """Where a browser opens *path* there, as far as that was named."""
        scheme = f"{self.scheme}://" if self.scheme else ""
        port = f":{self.port}" if self.port else ""
        return f"{scheme}{bracketed(self.name)}{port}{path}"


class Hosts:
    """The hosts that requests may be for."""

    def __init__(self, names: Iterable[str], *, any_address: bool = False) -> None:
        """Take *names* in any form of ``parse_host``; see there for what it raises.

        With *any_address* a request may be for any IP address. That is as safe as a
        list: another site that has its own name point here (DNS rebinding) asks by it.
        """
        self.names = tuple(dict.fromkeys(parse_host(name).name for name in names))
        self.any_address = any_address
        self._exact = frozenset(self.names)
        self._ends = tuple(name[1:] for name in self.names if name.startswith("*."))

    def __contains__(self, header: object) -> bool:
        """Whether a request with this Host header is for one of them, on any port."""
        asked = isinstance(header, str) and _ASKED.fullmatch(header.lower())
        if not asked:
            return False
        name = asked[1] or asked[2].removesuffix(".")
        address = _address(name)
        if address is not None:
            return self.any_address or str(address) in self._exact
        return name in self._exact or name.endswith(self._ends)


def parse_host(text: object) -> Host:
    """Read a host name or an IP address, which may have a scheme and a port.

    Raises TypeError for what isn't text, and ValueError, in a line that says what to
    write, for what no browser asks for.
    """
    if not isinstance(text, str):
        raise TypeError(f"a host name is text, not {text!r:.80}")
    scheme, mark, rest = text.strip().rpartition("://")
    if mark and scheme.lower() not in ("http", "https"):
        raise ValueError(f"{text!r:.80} is no address of a web page")
    alone = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    if alone and rest not in (alone, f"{alone}/"):
        raise ValueError(f"{text!r:.80} is more than a host: write {alone!r:.80}")
    written = re.fullmatch(r"(\[.*\]|[^:]*):(\d*)", alone)
    bare, digits = written.groups() if written else (alone, "")
    if digits and not 0 < int(digits[:9]) <= _LAST_PORT:
        raise ValueError(f"{text!r:.80} has no possible port: leave it out")
    port = int(digits) if digits else None
    return Host(_name(bare, f"{text!r:.80}"), scheme.lower(), port)


def parse_origin(text: str) -> str:
    """Read the origin of web pages: ``https://example.org``, ``https://*.example.org``.

    Raises ValueError, in a line that says what to write, for anything else.
    """
    host = parse_host(text)
    if not host.scheme:
        example = host._replace(scheme="https").address("")
        raise ValueError(f"{text!r:.80} names no scheme: write {example}")
    if ":" in host.name:
        words = "has an IPv6 address, which browsers don't take here: write a name"
        raise ValueError(f"{text!r:.80} {words}")
    return host.address("")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def bracketed(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _name(bare: str, text: str) -> str:
    """The name of a host without its port; *text* is how messages name it."""
    if not bare:
        raise ValueError("a host name is empty")
    if bare.startswith("[") and bare.endswith("]") and ":" in bare:
        bare = bare[1:-1]
    address = _address(bare.partition("%")[0])
    if address is not None:
        if address.is_unspecified:
            words = "stands for all addresses of a machine: write the one to open"
            raise ValueError(f"{text} {words}")
        return str(address)
    try:
        # As browsers do it (UTS 46): Python's own "idna" has "ß" be "ss".
        mapped = idna.uts46_remap(bare, std3_rules=False).removesuffix(".")
    except UnicodeError:
        mapped = ""
    if mapped in ("*", "*.*"):
        words = "is every name: write each, such as stats.example.org or *.example.org"
        raise ValueError(f"{text} {words}")
    below, name = ("*.", mapped[2:]) if mapped.startswith("*.") else ("", mapped)
    name = ".".join(map(_label, name.split(".")))
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ValueError(f"{text} is not a host name, such as stats.example.org")
    # Browsers take a name that ends with a number for an IPv4 address.
    if re.fullmatch(r"\d+|0x[0-9a-f]*", name.rpartition(".")[2]):
        # Letters of other scripts may have been the digits of one.
        if not below and _address(name):
            return name
        raise ValueError(f"{text} is not an IP address, such as 192.0.2.1")
    return f"{below}{name}"


def _label(label: str) -> str:
    """A part of a name in Punycode, if it has letters that need it."""
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
