"""The outermost layer: gives each request an id, measures it, and logs it."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from formatting import printable, shorten
from request_notes import current, loggable_path, notes_of
from serving.answers import reply
from serving.logs import REQUESTS
from serving.metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)


class Telling:
    """A WSGI application around another, which tells what becomes of each request."""

    def __init__(self, application: "WSGIApplication", metrics: Metrics) -> None:
        self._application = application
        self._metrics = metrics

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request; its id is in the header X-Request-ID."""
        answer = _Answer(environ, start_response, self._metrics)
        try:
            body = self._application(environ, answer.start_response)
        except Exception:
            # What Flask doesn't see, such as memory that a layer doesn't get.
            body = answer.fail()
        return answer.around(body, environ.get("wsgi.file_wrapper"))


class _Answer:
    """The answer to one request, told when it is closed."""

    def __init__(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        metrics: Metrics,
    ) -> None:
        self._start = perf_counter()
        self._notes = notes_of(environ)
        current.set(self._notes)
        self._start_response = start_response
        self._metrics = metrics
        self._method = printable(shorten(environ["REQUEST_METHOD"], 20))
        # Layers below may change it.
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace")
        self._path = loggable_path(path.decode(errors="replace"))
        self._status = 0
        self._n_announced: int | None = None
        self._n_sent = 0
        self._is_told = self._is_whole = False
        self._body: Iterable[bytes] = ()
        metrics.begin()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """Note what the answer is, and name the request in its headers."""
        self._status = int(status[:3])
        length = dict(headers).get("Content-Length", "")
        self._n_announced = int(length) if length.isdecimal() else None
        named = [*headers, ("X-Request-ID", self._notes.id)]
        return self._start_response(status, named, exc_info)

    def fail(self) -> Iterable[bytes]:
        """Answer that something went wrong, which is told in full in the log."""
        _log.exception("%s %s failed", self._method, self._path)
        self._notes.has_failed = True
        said = reply(500, f"Something went wrong on the server ({self._notes.id}).")
        # What was begun before, and isn't sent yet, is replaced.
        begun = sys.exc_info() if self._status else None
        self.start_response(said.status, said.headers.to_wsgi_list(), begun)
        return [] if self._method == "HEAD" else [said.get_data()]

    def around(self, body: Iterable[bytes], wrapper: Any) -> Iterable[bytes]:
        """The body, which tells when it is closed."""
        self._body = body
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            # Servers send a file by themselves, and know it by its type.
            file: Any = body
            close = file.close

            def close_file() -> None:
                close()
                self._tell(self._n_announced or 0, is_whole=True)

            file.close = close_file
            return body
        return self

    def __iter__(self) -> Iterator[bytes]:
        """The parts of the body."""
        try:
            for part in self._body:
                self._n_sent += len(part)
                yield part
        except Exception:
            self._notes.has_failed = True
            raise
        self._is_whole = True

    def close(self) -> None:
        """Close the body, and tell what became of the request."""
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._tell(self._n_sent, is_whole=self._is_whole)

    def _tell(self, n_sent: int, *, is_whole: bool) -> None:
        if self._is_told:
            return
        self._is_told = True
        seconds = perf_counter() - self._start
        self._metrics.end(self._notes, self._status, seconds)
        ms = round(1_000 * seconds, 1)
        REQUESTS.info(
            "%s %s %d %d bytes %.1f ms%s",
            self._method,
            self._path,
            self._status,
            n_sent,
            ms,
            "" if is_whole else ", cut off",
            extra={
                "fields": {
                    "method": self._method,
                    "path": self._path,
                    "status": self._status,
                    "bytes": n_sent,
                    "ms": ms,
                    "whole": is_whole,
                }
            },
        )
