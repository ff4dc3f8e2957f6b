"""Few downloads at a time, over a real connection and the real server."""

import socket
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest
from waitress.channel import ClientDisconnected
from werkzeug.test import Client, create_environ

from serving.download_limit import DownloadLimit
from tests.programs import free_port, running

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WORDS = "2 downloads are running, which is all there may be: try again in a minute"


class Source:
    """An application whose answers are three parts, and which counts their ends."""

    def __init__(self) -> None:
        self.n_closed = 0

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["QUERY_STRING"] == "fail":
            raise LookupError
        start_response("200 OK", [])
        return self.parts()

    def parts(self) -> Iterator[bytes]:
        try:
            yield from (b"a", b"b", b"c")
        finally:
            self.n_closed += 1


def test_the_third_is_refused_until_one_is_closed() -> None:
    source = Source()
    client = Client(DownloadLimit(source))
    open_ones = [client.get(f"{at}/sessions.csv") for at in ("", "/data/x")]
    for answer in open_ones:
        assert next(iter(answer.response)) == b"a"
    refused = client.get("/sessions.csv")
    assert (refused.status_code, refused.text) == (503, WORDS)
    assert refused.headers["Retry-After"] == "30"
    assert refused.content_type == "text/plain; charset=utf-8"
    # Whatever else is asked for is answered.
    assert client.get("/numbers/hours.csv").text == "abc"
    open_ones[0].close()
    open_ones[0].close()
    again = client.get("/sessions.csv")
    assert again.status_code == 200
    # Closed twice is one that has ended.
    assert client.get("/sessions.csv").status_code == 503
    assert again.text == "abc"
    again.close()
    assert client.get("/sessions.csv").status_code == 200


def test_what_fails_leaves_no_trace() -> None:
    client = Client(DownloadLimit(Source()))
    for _ in range(3):
        with pytest.raises(LookupError):
            client.get("/sessions.csv?fail")
    assert client.get("/sessions.csv").text == "abc"


def test_a_download_that_takes_too_long_is_cut_off() -> None:
    parts = DownloadLimit(Source(), longest=-1)(
        create_environ("/sessions.csv"), lambda *_: bytes
    )
    # What waitress takes without a word, and what other servers do.
    with pytest.raises(ClientDisconnected) as error:
        next(iter(parts))
    assert isinstance(error.value, ConnectionResetError)


def ask(port: int) -> socket.socket:
    """Ask for all sessions, and read no more than the status."""
    connection = socket.socket()
    # What is sent must not fit into what the system holds.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.connect(("127.0.0.1", port))
    connection.settimeout(30)
    connection.sendall(b"GET /sessions.csv?user= HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return connection


def status(connection: socket.socket) -> int:
    return int(connection.recv(12).split()[1])


def test_readers_that_stall_leave_the_others_their_answers() -> None:
    port = free_port()
    options = ("--no-debug", "--port", str(port), "--sessions", "400_000")
    with running(*options) as (program, _):
        while True:
            try:
                stalled = [ask(port)]
                break
            except ConnectionRefusedError:
                assert program.poll() is None
        stalled.append(ask(port))
        assert [status(each) for each in stalled] == [200, 200]
        refused = [ask(port) for _ in range(8)]
        assert {status(each) for each in refused} == {503}
        # One that goes away makes room, whether or not it was read.
        stalled[0].close()
        found = 0
        while found != 200:
            assert program.poll() is None
            with ask(port) as connection:
                found = status(connection)
            time.sleep(0.05)
        for each in (*stalled, *refused):
            each.close()
