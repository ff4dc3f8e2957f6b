"""What stands before the server: a path prefix, and proxies that say who asks."""

import os
import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.request import parse_http_list

from werkzeug.http import parse_options_header

from serving.answers import reply
from serving.settings import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TRUSTED: Final = "serving.peer_is_trusted"
"""The key in the environ of requests from trusted proxies."""

OWN_FOLDERS: Final = frozenset(
    {
        *("assets", "data", "numbers", "upload"),
        *("health", "login", "logout", "metrics", "version"),
        *("sessions.csv", "view.html", "favicon.ico", "robots.txt"),
    }
)
"""The first parts of paths that mean something here already."""

_VARIABLES: Final = (
    "DASH_URL_BASE_PATHNAME",
    "DASH_REQUESTS_PATHNAME_PREFIX",
    "DASH_ROUTES_PATHNAME_PREFIX",
)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def parse_prefix(text: str) -> str:
    """Read the path of the first page; the result begins and ends with "/".

    Raises ValueError, in a line that says what to write, for what is no such path, and
    where the environment names another one.
    """
    if text in ("", "/"):
        return "/"
    path = text.removeprefix("/").removesuffix("/")
    parts = path.split("/")
    is_plain = all(re.fullmatch(r"[A-Za-z0-9._~-]+", part) for part in parts)
    if not is_plain or "." in parts or ".." in parts:
        words = "is not a path of letters, digits and -._~, such as /activity/"
        raise ValueError(f"{text!r:.80} {words}")
    if path in OWN_FOLDERS or path.startswith("_"):
        raise ValueError(f"/{path}/ is a path of the page itself: choose another")
    for variable in _VARIABLES:
        if variable in os.environ:
            raise ValueError(f"{variable} in the environment says another: unset it")
    return f"/{path}/"


def parse_network(text: str) -> Network:
    """Read an IP address or a network in CIDR notation.

    Raises ValueError, in a line that says what to write.
    """
    bare = text.strip()
    try:
        network = ip_network(re.sub(r"^\[(.*)\]", r"\1", bare), strict=False)
    except ValueError:
        words = "is not an IP address or network, such as 192.0.2.1 or 172.16.0.0/12"
        raise ValueError(f"{text!r:.80} {words}") from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        first = network.network_address.ipv4_mapped
        return ip_network(f"{first}/{network.prefixlen - 96}")
    return network


class UrlPrefix:
    """A WSGI application at a path prefix, which proxies leave in place or take off."""

    def __init__(self, application: "WSGIApplication", prefix: str) -> None:
        """*prefix* is as ``parse_prefix`` returns it."""
        self._application, self._prefix = application, prefix

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request; one for the prefix without its last "/" is redirected."""
        path = environ.get("PATH_INFO", "")
        script = self._prefix[:-1]
        if script and path == script:
            query = environ.get("QUERY_STRING", "")
            location = f"{self._prefix}?{query}" if query else self._prefix
            return reply(308, Location=location)(environ, start_response)
        if script:
            environ["SCRIPT_NAME"] = script
            if path.startswith(self._prefix):
                environ["PATH_INFO"] = path.removeprefix(script)
        return self._application(environ, start_response)


class TrustedProxies:
    """A WSGI application that learns from trusted proxies who asks, and for what.

    What it is told, by X-Forwarded-For, -Proto, -Host and -Port or by Forwarded, stands
    in REMOTE_ADDR, wsgi.url_scheme and HTTP_HOST then. From others all X-Forwarded-*
    headers and Forwarded are removed.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        networks: Collection[Network],
        auth_header: str | None = None,
    ) -> None:
        """*networks* are where the proxies are.

        *auth_header* is another header that is removed where it is not from them.
        """
        self._application, self._networks = application, networks
        key = (auth_header or "Forwarded").upper().replace("-", "_")
        self._removed = ("HTTP_FORWARDED", f"HTTP_{key}")

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        peer = _address(environ.get("REMOTE_ADDR", ""))
        if peer is not None and self._is_trusted(peer):
            self._believe(environ, peer)
        else:
            for key in list(environ):
                if key.startswith("HTTP_X_FORWARDED_") or key in self._removed:
                    del environ[key]
        return self._application(environ, start_response)

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)

    def _believe(
        self, environ: "WSGIEnvironment", peer: IPv4Address | IPv6Address
    ) -> None:
        environ[TRUSTED] = True
        said = _forwarded(environ)
        client = peer
        for text in reversed(said.hops):
            address = _address(text)
            if address is None:
                break
            client = address
            if not self._is_trusted(client):
                break
        environ["REMOTE_ADDR"] = str(client)
        if said.scheme.lower() in ("http", "https"):
            environ["wsgi.url_scheme"] = said.scheme.lower()
        host = said.host or environ.get("HTTP_HOST", "")
        # The port that the browser named is the right one; a proxy knows only its own.
        if re.fullmatch(r"\d{1,5}", said.port) and not re.search(r":\d*$", host):
            host = f"{host}:{said.port}"
        environ["HTTP_HOST"] = host


class _Said(NamedTuple):
    """What the headers of a proxy say."""

    hops: list[str]
    """Who asked, then whom each proxy but the last one was asked by."""
    scheme: str
    host: str
    port: str


def _forwarded(environ: "WSGIEnvironment") -> _Said:
    """What is said by X-Forwarded-*, or where none is there, by Forwarded.

    A proxy that writes the one passes on what it is sent of the other.
    """
    names = ("FOR", "PROTO", "HOST", "PORT")
    if any(f"HTTP_X_FORWARDED_{name}" in environ for name in names):
        last = {
            name: environ.get(f"HTTP_X_FORWARDED_{name}", "").rpartition(",")[2].strip()
            for name in names[1:]
        }
        hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        return _Said(hops, last["PROTO"], last["HOST"], last["PORT"])
    elements = [
        parse_options_header(f"-;{element}")[1]
        for element in parse_http_list(environ.get("HTTP_FORWARDED", ""))
    ]
    nearest = elements[-1] if elements else {}
    hops = [element.get("for", "") for element in elements]
    return _Said(hops, nearest.get("proto", ""), nearest.get("host", ""), "")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address of *text*, in which it may have brackets, a port and a zone."""
    bare = re.sub(r"^\[(.*)\](:\d+)?$|^([^:]*):\d+$", r"\1\3", text.strip())
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    # As a socket for both kinds names an IPv4 address.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
