"""The server: waitress, which holds many connections and can be stopped."""

import logging
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import BadRequest, Error, RequestHeaderFieldsTooLarge
from waitress.wasyncore import close_all, dispatcher, loop

from security import MAX_BODY
from serving.answers import HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_THREADS: Final = 8
_MAX_HEADER: Final = 64 * 1024
"""Bytes of the longest header, address included."""
_TURN: Final = 1
"""Seconds that the loop waits for something to do."""
_RESERVE: Final = 100
"""Connections above the bound that may be open where all of them are answered."""
_AT_ONCE: Final = 128 * 1024
"""Bytes that the kernel holds besides those on their way."""
_UNSENT: Final = 1024 * 1024
"""Bytes still to be sent with which no further request of a connection is begun."""
_NEVER: Final = 1 << 62
"""More bytes than there ever are."""

_SOCKET_OPTIONS: Final = list(Adjustments.socket_options)
if hasattr(socket, "TCP_NOTSENT_LOWAT"):
    # The kernel would take megabytes at once, and then nothing for long: a slow reader
    # could not be told from one who has stopped.
    _SOCKET_OPTIONS.append((socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _AT_ONCE))

_WORDS: Final = {
    400: "This is not a request that can be read.",
    413: "The body of this request is too large.",
    414: "This address is too long.",
    431: "The header of this request is too long.",
    501: "This way to send a request is not supported.",
}
_FAILED: Final = "The server failed to answer. Ask again, or tell who runs it."


@dataclass(frozen=True)
class Limits:
    """What connections may cost."""

    connections: int = 1_000
    """How many are open; for another, the one that was quiet longest is closed."""
    idle_seconds: float = 20
    """How long one without a request stays open."""
    slow_seconds: float = 30
    """How long a header may take, and ``slow_bytes`` of a body or of an answer."""
    slow_bytes: int = 256 * 1024
    stop_seconds: float = 9
    """How long requests that have begun may go on when the server is stopped."""


class _TooLongAddress(BadRequest):  # type: ignore[misc]
    code = 414
    reason = "URI Too Long"


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """A request, which tells an address that is too long from other headers."""

    error: Error | None

    def received(self, data: bytes) -> int:
        """Take bytes of the request; returns how many were."""
        n_taken: int = super().received(data)
        is_too_long = isinstance(self.error, RequestHeaderFieldsTooLarge)
        if is_too_long and b"\n" not in (self.header_plus + data)[:_MAX_HEADER]:
            self.error = _TooLongAddress("")
        return n_taken


class _Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to what isn't a request, or where the application has failed."""

    def execute(self) -> None:
        """Write it: one line of text."""
        error: Error = self.request.error
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend(HEADERS.items())
        # Of the version before, one that asks for more would be told "Keep-Alive".
        self.version = "1.1"
        self.set_close_on_finish()
        text = f"{_WORDS.get(error.code, _FAILED)}\n".encode()
        self.content_length = len(text)
        self.write(text)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection, which is closed when nothing goes on in it for too long."""

    error_task_class = _Refusal
    parser_class = _Request

    _is_put_off = False
    _n_sent = 0
    _n_drained = 0
    """How often all that was written had been sent."""
    _mark: tuple[object, int, float] | None = None
    """What went on, how many bytes of it were done, and when that was."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What the kernel doesn't take of a piece is copied again.
        self.sendbuf_len = _AT_ONCE

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what the other side takes; returns how many bytes that are."""
        n_sent: int = super().send(data, do_close=do_close)
        self._n_sent += n_sent
        self._n_drained += n_sent == self.total_outbufs_len
        return n_sent

    def service(self) -> None:
        """Answer a request, unless much is unsent of the answers before it.

        Else one who asks for many files at once, and reads slowly, holds a thread.
        """
        if self.total_outbufs_len > _UNSENT:
            self._is_put_off = True
        else:
            super().service()

    def handle_write(self) -> None:
        """Send what is to be sent, and go on with what was put off for it."""
        super().handle_write()
        self._go_on()

    def _go_on(self) -> None:
        if self._is_put_off and self.connected and self.total_outbufs_len <= _UNSENT:
            self._is_put_off = False
            self.server.add_task(self)

    def is_quiet(self) -> bool:
        """Whether no request has begun, and no answer is still to be sent."""
        return not (self.requests or self.request or self.total_outbufs_len)

    def check_pace(self, now: float, limits: Limits) -> None:
        """Close it where it is too slow; *now* is in seconds of a monotonic clock."""
        # It may have been put off just after all was sent.
        self._go_on()
        seconds = limits.slow_seconds
        if self.total_outbufs_len:
            work, n_bytes = self._n_drained, self._n_sent
        elif self.requests:
            # Whoever asked waits for the application.
            self._mark = None
            return
        elif self.request is not None:
            work, n_bytes = self.request, self.request.body_bytes_received
        else:
            work, n_bytes = self.last_activity, 0
            seconds = limits.idle_seconds
        mark = self._mark
        if mark is None or mark[0] != work or n_bytes - mark[1] >= limits.slow_bytes:
            self._mark = (work, n_bytes, now)
        elif now - mark[2] >= seconds:
            self.handle_close()


class _Listener(TcpWSGIServer):  # type: ignore[misc]
    """A listening socket, which makes room for who comes."""

    channel_class = _Channel
    next_channel_cleanup = float("inf")  # The loop looks at the channels itself.

    most = 0
    """How many sockets there may be, those that are no connections among them."""

    def handle_accept(self) -> None:
        """Take those who come; at the bound who was quiet longest makes room."""
        # A turn of the loop takes longer the more there are.
        for _ in range(1 + len(self._map) // 100):
            self._make_room()
            n_before = len(self._map)
            super().handle_accept()
            if len(self._map) == n_before:
                break

    def _make_room(self) -> None:
        if len(self._map) < self.most:
            return
        channels = [each for each in self._map.values() if isinstance(each, _Channel)]
        waiting = [channel for channel in channels if not channel.requests]
        if waiting:
            min(waiting, key=lambda channel: channel.last_activity).handle_close()


class Server:
    """Serves a WSGI application on sockets that listen, until it is stopped.

    Raises RuntimeError where its threads can't be started.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        sockets: Sequence[socket.socket],
        limits: Limits,
    ) -> None:
        self.is_stopping = False
        self._limits = limits
        self._map: dict[int, dispatcher] = {}
        adjustments = Adjustments(
            threads=_THREADS,
            max_request_header_size=_MAX_HEADER,
            max_request_body_size=2 * MAX_BODY,
            # What is sent and received stays in memory: it would go to temporary files.
            inbuf_overflow=4 * MAX_BODY,
            outbuf_overflow=_NEVER,
            connection_limit=limits.connections + _RESERVE,
            # That people leave isn't news.
            log_socket_errors=False,
            # Whom to believe is the site's to say.
            clear_untrusted_proxy_headers=False,
            sockets=sockets,
            ident=None,
        )
        adjustments.socket_options = _SOCKET_OPTIONS
        # A page asks for a dozen files at once; that some wait a moment isn't news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._threads = ThreadedTaskDispatcher()
        self._threads.set_thread_count(adjustments.threads)
        self._listeners = [
            _Listener(
                application,
                self._map,
                _sock=each,
                dispatcher=self._threads,
                adj=adjustments,
                sockinfo=(each.family, each.type, each.proto, each.getsockname()),
                bind_socket=False,
            )
            for each in sockets
        ]
        for listener in self._listeners:
            listener.most = limits.connections + len(self._map)

    def run(self, every_turn: Callable[[], None] = lambda: None) -> None:
        """Serve until it is stopped, and until what had begun is answered.

        *every_turn* is called once a second or more often.
        """
        next_look = 0.0
        pause = min(_TURN, self._limits.slow_seconds / 4)
        while not self.is_stopping:
            self._turn(pause)
            every_turn()
            now = time.monotonic()
            if now >= next_look:
                next_look = now + pause
                for channel in self._channels():
                    channel.check_pace(now, self._limits)
        self._finish()

    def stop(self) -> None:
        """Have ``run`` return; a signal handler may call it."""
        self.is_stopping = True
        # Where it has ended already, there is nothing to wake up.
        with suppress(OSError):
            self._listeners[0].pull_trigger()

    def _finish(self) -> None:
        end = time.monotonic() + self._limits.stop_seconds
        # What has arrived counts as begun.
        self._turn(0)
        for listener in self._listeners:
            # Its own close() would close what wakes up the loop as well.
            dispatcher.close(listener)
        while time.monotonic() < end:
            for channel in self._channels():
                if channel.is_quiet():
                    channel.handle_close()
            if not self._channels():
                break
            self._turn(0.1)
        for channel in self._channels():
            # Unlike close_all(), it wakes up the thread that still writes.
            channel.handle_close()
        close_all(self._map)
        self._threads.set_thread_count(0)

    def _channels(self) -> list[_Channel]:
        return [each for each in self._map.values() if isinstance(each, _Channel)]

    def _turn(self, seconds: float) -> None:
        loop(timeout=seconds, use_poll=True, map=self._map, count=1)
