"""Few downloads of sessions at a time, each of which ends: they hold a thread each."""

import errno
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from threading import Semaphore
from typing import TYPE_CHECKING, Final

from serving.answers import reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST: Final = 2
"""Downloads at a time."""

LONGEST: Final = 900.0
"""Seconds that a download may take: a million sessions come through 50 kB/s."""

_RETRY: Final = "30"
"""Seconds after which a browser may ask again."""

_log = logging.getLogger(__name__)


class DownloadLimit:
    """A layer that refuses a download of sessions where enough are under way.

    What is refused is answered with 503 and a line of text. A download that takes
    longer than it may is cut off, so that it is seen to be incomplete.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        most: int = MOST,
        longest: float = LONGEST,
    ) -> None:
        """*most* downloads at a time, each for *longest* seconds."""
        self._application = application
        self._longest = longest
        self._free = Semaphore(most)
        self._words = f"{most} downloads are running, which is all there may be"

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        if not environ.get("PATH_INFO", "").endswith("/sessions.csv"):
            return self._application(environ, start_response)
        if not self._free.acquire(blocking=False):
            text = f"{self._words}: try again in a minute"
            refusal = reply(503, text, Retry_After=_RETRY)
            return refusal(environ, start_response)
        try:
            parts = self._application(environ, start_response)
        except BaseException:
            self._free.release()
            raise
        return _Download(parts, self._longest, self._free.release)


class _Download:
    """An answer that is cut off after some seconds, and says when it is closed."""

    def __init__(
        self, parts: Iterable[bytes], longest: float, release: Callable[[], None]
    ) -> None:
        self._whole, self._parts = parts, iter(parts)
        self._longest = longest
        self._end = time.monotonic() + longest
        self._release: Callable[[], None] | None = release

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if time.monotonic() > self._end:
            _log.warning("a download was cut off after %.0f seconds", self._longest)
            raise _cut_off()
        try:
            return next(self._parts)
        except ConnectionResetError:
            raise _cut_off() from None

    def close(self) -> None:
        """End the download, whole or not; servers call this in any case."""
        release, self._release = self._release, None
        try:
            if hasattr(self._whole, "close"):
                self._whole.close()
        finally:
            if release is not None:
                release()


def _cut_off() -> Exception:
    """What servers take for a client that has gone, and close the connection for.

    Another error they would log with a traceback; after an answer's regular end nobody
    would see that it isn't whole.
    """
    from waitress.channel import ClientDisconnected  # Debug mode starts without it.

    class CutOff(ClientDisconnected, ConnectionResetError):  # type: ignore[misc]
        """For waitress and for other servers."""

    return CutOff(errno.ECONNRESET, "the download was cut off")
