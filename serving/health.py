"""Whether there are data to show, for whatever starts and watches the program."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from serving.answers import reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NOT_READY: Final = "no data yet"

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
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            said = reply(405, "GET and HEAD are all there is", Allow="GET, HEAD")
        else:
            said = reply(200, "ok") if self._is_ready() else reply(503, NOT_READY)
        return said(environ, start_response)
