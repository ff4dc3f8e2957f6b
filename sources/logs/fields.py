"""Logs whose fields have names: W3C's as of IIS and CloudFront, tables, and JSON."""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from sources.logs.access import Access
from sources.logs.line import Line, page_of, split_request, status_of, without_port

_NAMES: Final = {
    "client": (
        *("clientip", "requestclientip", "cip", "remoteip", "requestremoteip"),
        *("remoteaddr", "requestremoteaddr", "clienthost", "clientaddr", "client"),
        *("clientaddress", "remotehost", "ip", "ipaddress"),
    ),
    "time": (
        *("ts", "timestamp", "timeiso8601", "timelocal", "startutc", "startlocal"),
        *("datetime", "time", "msec", "starttime"),
    ),
    "method": ("method", "requestmethod", "csmethod", "httpmethod", "verb"),
    "target": (
        *("uri", "requesturi", "csuristem", "requestpath", "requesturl"),
        *("url", "path", "urlpath", "target"),
    ),
    "request": ("request", "requestline"),
    "status": (
        *("status", "scstatus", "statuscode", "downstreamstatus", "response"),
        *("responsecode", "responsestatus", "originstatus"),
    ),
    "agent": (
        *("useragent", "httpuseragent", "csuseragent", "requestheadersuseragent"),
        *("requestuseragent", "agent"),
    ),
    "host": (
        *("host", "requesthost", "xhostheader", "cshost", "vhost", "servername"),
        *("virtualhost", "domainname"),
    ),
}
"""What fields hold, and their usual names: small letters without what is between."""

_ROLES: Final = (
    *("client", "time", "day", "method", "target", "request", "status", "agent"),
    "host",
)
_NEEDED: Final = ("client", "time", "method", "target", "status")
_DELIMITERS: Final = "\t,;|"
_DATE: Final = re.compile(rb"\d{4}-\d\d-\d\d")
_IN_FRONT: Final = re.compile(rb'[^{"]{1,200}(?={)')
"""What collectors of logs write in front of a JSON object."""
_DEEPEST: Final = 3
_MOST_SHAPES: Final = 10_000

_Path = tuple[str, ...]


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Fields:
    """Which of some named fields hold what of a request."""

    def __init__(self, names: Sequence[str], *, host_is_client: bool = False) -> None:
        """*host_is_client* says that a field "host" is the client if no other is."""
        keys = {_key(name): index for index, name in reversed([*enumerate(names)])}
        found = {
            role: keys[key]
            for role, usual in _NAMES.items()
            if (key := next(filter(keys.__contains__, usual), None)) is not None
        }
        if host_is_client and "client" not in found and "host" in found:
            found["client"] = found.pop("host")
        # A day and a time of day are two fields.
        if "date" in keys and "time" in keys:
            found |= {"day": keys["date"], "time": keys["time"]}
        # The first line of a request says what no fields of its own do.
        if {"method", "target"} <= found.keys():
            found.pop("request", None)
        of_request = {"method", "target"} if "request" in found else set()
        self.missing = [r for r in _NEEDED if r not in found and r not in of_request]
        self.of = found
        """The index of the field of each role that there is."""
        # Behind all values stands an empty one, for what there isn't.
        self._places = [found.get(role, -1) for role in _ROLES]

    def line(self, values: Sequence[bytes], day: bytes = b"") -> Line:
        """The request that some values say, those of a file without days on *day*."""
        every = [*values, b""]
        client, time, its_day, method, target, request, status, agent, host = (
            every[place] for place in self._places
        )
        if request:
            method, page = split_request(request)
        else:
            page = page_of(target)
        day = its_day or day
        return Line(
            without_port(client) if b":" in client else client,
            day + b" " + time if day and not _DATE.match(time) else time,
            method,
            page,
            status_of(status),
            agent,
            host,
        )


class Extended:
    """W3C's Extended Log Format: ``#Fields:`` names what the lines below it hold."""

    name = "W3C Extended Log Format"

    def __init__(self) -> None:
        self.fields: Fields | None = None
        self.n_fields = 0
        self._day = b""

    def direct(self, line: bytes) -> None:
        """Follow a line that begins with ``#``."""
        name, _, text = line[1:].partition(b":")
        if name == b"Fields":
            names = text.decode("latin-1").split()
            self.fields, self.n_fields = Fields(names), len(names)
        elif name == b"Date":
            self._day = text.split()[0] if text.split() else b""

    def read(self, line: bytes) -> Line | None:
        """See ``Form``."""
        if self.fields is None or self.fields.missing:
            return None
        values = line.split(b"\t" if b"\t" in line else b" ")
        if len(values) != self.n_fields:
            return None
        said = self.fields.line(values, self._day)
        if not _DATE.match(said.time):
            return None
        return said._replace(agent=_program(said.agent.replace(b"+", b" ")))


def _program(agent: bytes) -> bytes:
    """A program as it names itself, which CloudFront writes with %20 for blanks."""
    return unquote_to_bytes(agent) if b"%20" in agent else agent


class Delimited:
    """A table of requests, whose first line names its columns."""

    name = "A table of requests"

    def __init__(self, header: bytes) -> None:
        text = header.decode("utf-8-sig", "replace")
        self._delimiter = max(_DELIMITERS, key=text.count)
        names = _split(text, self._delimiter)
        self.fields = Fields(names, host_is_client=True)
        self._n_least = 1 + max([0, *self.fields.of.values()])
        if "agent" in self.fields.of:
            self._n_least = 1 + max(
                index for role, index in self.fields.of.items() if role != "agent"
            )
        self._n_most = len(names)

    def read(self, line: bytes) -> Line | None:
        """See ``Form``."""
        if b'"' in line:
            parts = _split(line.decode("latin-1"), self._delimiter)
            values = [part.encode("latin-1") for part in parts]
        else:
            values = line.split(self._delimiter.encode())
        if not self._n_least <= len(values) <= self._n_most:
            return None
        return self.fields.line([*values, *[b""] * (self._n_most - len(values))])


def _split(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


class Json:
    """A JSON object in each line, as Caddy, nginx and Traefik write them."""

    name = "JSON, an object in each line"

    def __init__(self) -> None:
        self._access = Access()
        self._known: dict[Any, tuple[Sequence[_Path], Fields]] = {}

    def read(self, line: bytes) -> Line | None:
        """See ``Form``."""
        begin = line.find(b"{")
        if begin < 0 or (begin and not _IN_FRONT.match(line)):
            return None
        try:
            found = json.loads(line[begin:])
        except (ValueError, RecursionError):
            return None
        if isinstance(wrapped := found.get("log"), str):
            # Docker's logs wrap the lines of servers.
            inner = wrapped.rstrip("\r\n").encode("utf-8", "replace")
            is_json = inner.startswith(b"{")
            return self.read(inner) if is_json else self._access.read(inner)
        paths, fields = self._where(found)
        if fields.missing:
            return None
        said = fields.line([_bytes(_value(found, path)) for path in paths])
        return said._replace(agent=_program(said.agent))

    def _where(self, found: Mapping[str, Any]) -> tuple[Sequence[_Path], Fields]:
        """Where in an object what is said, and as which fields."""
        shape = _shape(found)
        where = self._known.get(shape)
        if where is None:
            every = list(_paths(found))
            of = Fields([".".join(path) for path in every]).of
            paths = [every[index] for index in of.values()]
            where = paths, Fields([".".join(path) for path in paths])
            if len(self._known) < _MOST_SHAPES:
                self._known[shape] = where
        return where


def _shape(values: Mapping[str, Any], depth: int = _DEEPEST) -> tuple[Any, ...]:
    """The names in an object, and in those in it."""
    return tuple(
        [
            (name, _shape(value, depth - 1))
            if isinstance(value, dict) and depth
            else name
            for name, value in values.items()
        ]
    )


def _paths(values: Mapping[str, Any], front: _Path = ()) -> Iterator[_Path]:
    """The names that lead to each value of objects in objects."""
    for name, value in values.items():
        if isinstance(value, dict) and len(front) < _DEEPEST:
            yield from _paths(value, (*front, name))
        elif not isinstance(value, dict):
            yield *front, name


def _value(values: Mapping[str, Any], path: _Path) -> Any:
    """What names lead to."""
    found: Any = values
    for name in path:
        found = found[name]
    return found


def _bytes(value: Any) -> bytes:
    """A value as text; of a list, the first."""
    if isinstance(value, list):
        value = value[0] if value else ""
    text = value if isinstance(value, str) else "" if value is None else repr(value)
    return text.encode("utf-8", "replace")
