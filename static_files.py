"""Scripts and style sheets, compressed once: they are the same for everyone.

And what else is no page: an icon, and what robots are told.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from dash import Dash
from dash.fingerprint import check_fingerprint
from flask import Flask, Request, Response, g, request
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as WSGIResponse

_MOST_KEPT: Final = 128
"""A page has some twenty files; browsers ask for them in two or three encodings."""

_NO_FILE: Final = ""

_FOREVER: Final = "public, max-age=31536000, immutable"


def make_server(name: str) -> Any:
    """A Flask for ``Dash(server=..., compress=True)`` and ``keep_compressed``."""
    # Any, since Dash's annotation doesn't say that it takes a server.
    server = Flask(name, static_folder=None)
    server.config["COMPRESS_CACHE_BACKEND"] = _Kept
    server.config["COMPRESS_CACHE_KEY"] = _file_of
    return server


def add_usual(app: Dash) -> None:
    """Serve what programs ask every site for: ``favicon.ico`` and ``robots.txt``."""
    server: Flask = app.server
    prefix = app.config.routes_pathname_prefix

    @server.get(f"{prefix}favicon.ico")
    def favicon() -> WSGIResponse:
        return redirect(f"{app.config.requests_pathname_prefix}_favicon.ico", 308)

    @server.get(f"{prefix}robots.txt")
    def robots() -> Response:
        # A dashboard is for those who know of it.
        return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")


def keep_compressed(app: Dash) -> None:
    """Have Flask-Compress keep what it makes of *app*'s assets and of Dash's own files.

    Nothing else is kept: the answer to a callback is compressed anew each time.
    """
    server: Flask = app.server
    endpoints = _endpoints(server)

    # What is registered later is called earlier: this comes before Flask-Compress.
    @server.after_request
    def name_file(response: Response) -> Response:
        if request.endpoint in endpoints:
            # What is streamed is compressed as it goes, and couldn't be kept.
            response.direct_passthrough = False
            response.make_sequence()
            response.close()
            # A range of a file, with 206, isn't the file.
            if response.status_code == 200:
                # Of Dash's files any version may be asked for: it is always this one.
                # Assets may change while they are served; their ETag then does.
                g.file = f"{_asked_file()[0]} {response.get_etag()[0]}"
        return response


def set_caching(app: Dash) -> None:
    """Have browsers keep files whose address says which version they are.

    Of others they ask each time whether they have changed.
    """
    server: Flask = app.server
    endpoints = _endpoints(server)

    @server.after_request
    def say_caching(response: Response) -> Response:
        if request.endpoint in endpoints and response.status_code in (200, 206, 304):
            # The ETag of an asset begins with the time of its last change.
            changed = (response.get_etag()[0] or "").partition("-")[0]
            is_this = _asked_file()[1] or request.args.get("m") == changed
            response.headers["Cache-Control"] = _FOREVER if is_this else "no-cache"
        return response


def _endpoints(server: Flask) -> set[str]:
    """What Dash calls the routes of assets, and of its own files."""
    return {
        rule.endpoint
        for rule in server.url_map.iter_rules()
        if rule.arguments == {"package_name", "fingerprinted_path"}
        or rule.endpoint.endswith("dash_assets.static")
    }


def _asked_file() -> tuple[str, bool]:
    """The path of the file that is asked for, and whether a version is named in it."""
    parse: Callable[[str], tuple[str, bool]] = check_fingerprint
    return parse("/".join((request.view_args or {}).values()))


def _file_of(_: Request) -> str:
    file: str = g.get("file", _NO_FILE)
    return file


class _Kept:
    """A cache for Flask-Compress, whose keys are "<encoding>;<file>"."""

    def __init__(self) -> None:
        self._compressed: dict[str, bytes] = {}
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        return self._compressed.get(key)

    def set(self, key: str, value: bytes) -> None:
        """Keep a file, and forget that which was asked for longest ago."""
        if key.endswith(f";{_NO_FILE}"):
            return
        with self._lock:
            self._compressed.pop(key, None)
            self._compressed[key] = value
            while len(self._compressed) > _MOST_KEPT:
                del self._compressed[next(iter(self._compressed))]
