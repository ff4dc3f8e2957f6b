"""Logs whose fields have names: W3C's as of IIS and CloudFront, tables, and JSON."""

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
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

_NEEDED: Final = ("client", "time", "target", "status")
_DELIMITERS: Final = "\t,;|"
_DATE: Final = re.compile(rb"\d{4}-\d\d-\d\d")
_DEEPEST: Final = 3


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Fields:
    """Which of some named fields hold what of a request."""

    def __init__(self, names: Sequence[str], *, host_is_client: bool = False) -> None:
        """*host_is_client* says that a field "host" is the client if no other is."""
        keys = {_key(name): index for index, name in reversed([*enumerate(names)])}
        self.of = {
            role: keys[found]
            for role, usual in _NAMES.items()
            if (found := next(filter(keys.__contains__, usual), None))
        }
        if host_is_client and "client" not in self.of and "host" in self.of:
            self.of["client"] = self.of.pop("host")
        # A day and a time of day are two fields.
        self.day = keys.get("date") if "time" in keys else None
        if self.day is not None:
            self.of["time"] = keys["time"]
        self.missing = [role for role in _NEEDED if role not in self.of]
        if "request" in self.of and "method" not in self.of:
            self.missing = [role for role in self.missing if role != "target"]
        elif "method" not in self.of:
            self.missing.append("method")

    def line(self, values: Sequence[bytes], day: bytes = b"") -> Line:
        """The request that some values say, those of a file without days on *day*."""

        def get(role: str) -> bytes:
            index = self.of.get(role)
            return b"" if index is None else values[index]

        time = get("time")
        day = day if self.day is None else values[self.day]
        method, page = get("method"), page_of(get("target"))
        if "method" not in self.of:
            method, page = split_request(get("request"))
        return Line(
            without_port(get("client")),
            day + b" " + time if day else time,
            method,
            page,
            status_of(get("status")),
            get("agent"),
            get("host"),
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
        agent = said.agent.replace(b"+", b" ")
        return said._replace(agent=unquote_to_bytes(agent) if b"%" in agent else agent)


class Delimited:
    """A table of requests, whose first line names its columns."""

    name = "a table of requests"

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
        self._known: dict[tuple[str, ...], Fields] = {}
        self._access = Access()

    def read(self, line: bytes) -> Line | None:
        """See ``Form``."""
        if not line.startswith(b"{"):
            return None
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if "log" in found and isinstance(found["log"], str):
            # Docker's logs wrap the lines of servers.
            return self._access.read(found["log"].rstrip("\r\n").encode())
        flat = dict(_flat(found))
        names = tuple(flat)
        fields = self._known.get(names)
        if fields is None:
            fields = Fields(names)
            if len(self._known) < 1_000:
                self._known[names] = fields
        if fields.missing:
            return None
        return fields.line([_bytes(value) for value in flat.values()])


def _flat(
    values: Mapping[str, Any], front: str = "", depth: int = _DEEPEST
) -> "list[tuple[str, Any]]":
    """Values of objects in objects, with names that have dots."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict) and depth:
            found += _flat(value, f"{front}{name}.", depth - 1)
        else:
            found.append((front + name, value))
    return found


def _bytes(value: Any) -> bytes:
    """A value as text; of a list, the first."""
    if isinstance(value, list):
        value = value[0] if value else ""
    text = value if isinstance(value, str) else "" if value is None else repr(value)
    return text.encode("utf-8", "surrogatepass")


_Make = Callable[[], Any]
