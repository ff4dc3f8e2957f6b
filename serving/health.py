"""Whether there are data to show, for whatever starts and watches the program."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PATH: Final = "/health"


class Health:
    """A WSGI application around another, which answers ``/health`` by itself.

    Anyone may ask, under any host name: there is nothing about the data in the answer.
    """

    def __init__(
        self, application: "WSGIApplication", is_ready: Callable[[], bool]
    ) -> None:
        self._application = application
        self._is_ready = is_ready

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer 200 and "ok" where there are data, else 503."""
        if environ.get("PATH_INFO") != _PATH:
            return self._application(environ, start_response)
        status, words = "200 OK", b"ok"
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            status, words = "405 Method Not Allowed", b"GET and HEAD are all there is"
        elif not self._is_ready():
            status, words = "503 Service Unavailable", b"no data yet"
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(words))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if status.startswith("405"):
            headers.append(("Allow", "GET, HEAD"))
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [words]
