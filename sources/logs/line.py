"""What a line of a log says of a request, whatever its form."""

import re
from typing import Final, NamedTuple, Protocol

_PROTOCOL: Final = re.compile(rb" HTTP/\d(?:\.\d)?\Z")
_PORT: Final = re.compile(rb"(\d+(?:\.\d+){3}|\[.+\]):\d+")


class Line(NamedTuple):
    """A request, in bytes as they are written."""

    client: bytes
    """Who asked: an address or the name of a host."""
    time: bytes
    method: bytes
    """What stands where the method should; whatever a client sent."""
    page: bytes
    """The target up to its first question mark; empty where there is none."""
    status: int
    """-1 where there is none."""
    agent: bytes
    """The program that asked; empty where the log doesn't say it."""
    host: bytes
    """The site that was asked for; empty where the log doesn't say it."""


class Form(Protocol):
    """A form in which servers write lines."""

    name: str
    """How the report calls it, such as "Combined Log Format"."""

    def read(self, line: bytes) -> Line | None:
        """What a line says, without its end; None where it has another form."""


def split_request(request: bytes) -> tuple[bytes, bytes]:
    """The method and the page of a request such as ``GET /a?b HTTP/1.1``.

    A target may have blanks. Without a blank, all of it stands for the method.
    """
    method, _, rest = request.partition(b" ")
    return method, page_of(_PROTOCOL.sub(b"", rest))


def page_of(target: bytes) -> bytes:
    """A target up to its first question mark."""
    return target.partition(b"?")[0]


def without_port(client: bytes) -> bytes:
    """An address alone, where a port is behind it."""
    found = _PORT.fullmatch(client)
    return found[1].strip(b"[]") if found else client


def status_of(text: bytes) -> int:
    """A status; -1 for what is none."""
    return int(text) if len(text) == 3 and text.isdigit() else -1
