"""Tens of thousands of requests that no page sends, and what must hold of each."""

import gc
import io
import logging
import os
import random
import re
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

import uploads
from app import create_app
from charts import CHARTS
from serving import Settings, Site
from tests.examples import ALL
from tests.programs import free_port, running
from tests.serving.mutations import (
    HOST,
    UPLOADING,
    Request,
    mangled,
    mutated,
    valid_requests,
)
from tests.sessions import ROWS, table

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers by their names in small letters, and body."""

N_CALLED: Final = 20_000 if ALL else 3_000
N_SENT: Final = 2_000 if ALL else 800
_FIRST: Final = 10_000
"""Requests after which all is made that is made once, and what is bounded is full."""
_MOST_OBJECTS: Final = 8_000
"""How many more objects Python may hold after all others, fewer than one for each."""

_FAILED: Final = re.compile(rb"Something went wrong|Traceback|Internal Server Error")
_LIMITS: Final = (413, 429, 503, 507)
_QUIET: Final = 0.3
"""Seconds without a byte after which a server is taken to wait for more."""


class Called:
    """The served application, called without a socket, and what it logs."""

    def __init__(self) -> None:
        settings = uploads.Settings(is_local=True)
        self.site = Site(Settings())
        # What charts are given is a view, whatever was asked: of five, one is enough.
        charts = [chart for chart in CHARTS if chart.id == "durations"]
        app = create_app(table(ROWS), charts=charts, uploading=settings)
        self.site.show(app.server)

    def __call__(self, request: Request) -> Answer:
        """The answer to a request; asserts what PEP 3333 asks for."""
        started: list[tuple[str, list[tuple[str, str]]]] = []
        errors = io.StringIO()

        def start_response(
            status: str, headers: list[tuple[str, str]], *_: object
        ) -> Callable[[bytes], object]:
            started.append((status, headers))
            return lambda _: None

        answer = self.site(request.environ(errors), start_response)
        try:
            body = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        assert errors.getvalue() == ""
        (status, headers), *_ = started[-1:]
        for name, value in headers:
            assert not re.search(r"[\r\n\0]", name + value), (name, value)
        named = {name.lower(): value for name, value in headers}
        return int(status.split()[0]), named, body


class Logged(logging.Handler):
    """What is written to the log."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what has a traceback, or isn't one printable line."""
        message = record.getMessage()
        if record.exc_info or not message.isprintable():
            self.faults.append(self.format(record))


@pytest.fixture
def logged() -> Iterator[Logged]:
    handler = Logged()
    root = logging.getLogger()
    root.addHandler(handler)
    # pytest would keep each record until the test is over.
    others = [each for each in root.handlers if each is not handler]
    for other in others:
        root.removeHandler(other)
    yield handler
    for other in others:
        root.addHandler(other)
    root.removeHandler(handler)


def check_answer(answer: Answer) -> None:
    """Assert what holds of every answer of the application."""
    status, headers, body = answer
    assert 200 <= status < 500 or status in _LIMITS
    assert not _FAILED.search(body)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert re.match("default-src '(self|none)'", headers["content-security-policy"])
    if status >= 400 and "content-type" in headers and body:
        assert headers["content-type"].startswith(("text/plain", "text/html"))


def lasting(answer: Answer) -> Answer:
    """An answer, without what differs each time."""
    status, headers, body = answer
    # An id of Dash's, and when a view was saved.
    body = re.sub(rb'"end_id":"[^"]*"|Saved on [^<]*', b"", body)
    changing = ("date", "x-request-id", "content-length" if not body else "date")
    return status, {k: v for k, v in headers.items() if k not in changing}, body


def descriptors(pid: str = "self") -> int:
    """How many files and sockets a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_no_request_is_a_failure_of_the_application(logged: Logged) -> None:
    call = Called()
    valid = valid_requests(lambda path: call(Request(path))[2], "ann", "home")
    before = [lasting(call(request)) for request in valid]
    assert {status for status, _, _ in before} == {200}
    statuses: dict[int, int] = {}
    n_objects = n_threads = n_open = 0
    for number in range(N_CALLED):
        if number == _FIRST:
            gc.collect()
            n_objects, n_threads = len(gc.get_objects()), threading.active_count()
            n_open = descriptors() if sys.platform == "linux" else 0
        request = mutated([*valid, *UPLOADING], number)
        try:
            answer = call(request)
            check_answer(answer)
            assert not logged.faults
        except Exception as error:
            pytest.fail(f"{number}: {request!r:.3000}\n{error!r}\n{logged.faults}")
        statuses[answer[0]] = statuses.get(answer[0], 0) + 1
    assert [lasting(call(request)) for request in valid] == before
    # Not all are refused at the door.
    assert statuses[200] > N_CALLED / 4
    assert statuses[400] > N_CALLED / 10
    if N_CALLED < _FIRST:
        return
    del answer, request
    gc.collect()
    assert len(gc.get_objects()) - n_objects < _MOST_OBJECTS
    assert threading.active_count() <= n_threads
    if sys.platform == "linux":
        assert descriptors() <= n_open


class Server:
    """The program, what it writes to its log, and what it takes of the machine."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = str(pid)
        self.port = port

    def wait(self) -> None:
        """Wait until it listens: it says where before it does."""
        end = time.monotonic() + 60
        while True:
            try:
                return self.connect().close()
            except ConnectionError:
                assert time.monotonic() < end
                threading.Event().wait(0.05)

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=60)

    def ask(self, requests: list[Request]) -> list[Answer]:
        """The answers on one connection to requests that are sent at once."""
        *others, last = requests
        with self.connect() as connection:
            sent = b"".join(each.sent() for each in others) + last.sent(close=True)
            # It may answer what it refuses and close before all is there.
            thread = threading.Thread(target=_send, args=(connection, sent))
            thread.start()
            received = bytearray()
            with suppress(ConnectionError):
                while data := connection.recv(1 << 16):
                    received += data
            thread.join()
        return list(answers(bytes(received), [each.method for each in requests]))

    def ask_mangled(self, messages: list[bytes]) -> list[bytes]:
        """What comes on as many connections, until it is quiet on all of them."""
        received = [bytearray() for _ in messages]
        with selectors.DefaultSelector() as selector:
            connections = [self.connect() for _ in messages]
            for number, connection in enumerate(connections):
                _send(connection, messages[number])
                selector.register(connection, selectors.EVENT_READ, number)
            while selector.get_map() and (ready := selector.select(_QUIET)):
                for key, _ in ready:
                    try:
                        data = connections[key.data].recv(1 << 16)
                    except ConnectionError:
                        data = b""
                    received[key.data] += data
                    if not data:
                        selector.unregister(key.fileobj)
            for connection in connections:
                connection.close()
        return [bytes(each) for each in received]

    def memory(self) -> int:
        """Bytes that are resident."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (kilobytes,) = re.findall(r"VmRSS:\s*(\d+) kB", status)
        return int(kilobytes) * 1024

    def settled(self, n_open: int) -> bool:
        """Whether the sockets are closed again."""
        end = time.monotonic() + 30
        while descriptors(self.pid) > n_open and time.monotonic() < end:
            threading.Event().wait(0.02)
        return descriptors(self.pid) <= n_open

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))


def _send(connection: socket.socket, data: bytes) -> None:
    with suppress(ConnectionError):
        connection.sendall(data)


def answers(received: bytes, methods: list[str]) -> Iterator[Answer]:
    """The answers in what was received for requests of these methods."""
    at = 0
    for method in methods:
        if at == len(received):
            return
        head, blank, _ = received[at:].partition(b"\r\n\r\n")
        assert re.match(rb"HTTP/1\.[01] ", head), received[at : at + 200]
        assert blank
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ")[::2] for line in lines)
        headers = {name.lower(): value for name, value in pairs}
        at += len(head) + len(blank)
        status, length = int(first.split()[1]), int(headers.get("content-length", 0))
        if method.upper() == "HEAD" or status in (204, 304):
            length = 0
        elif headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(received[at : received.index(b"\r\n", at)], 16):
                at = received.index(b"\r\n", at) + 2
                body += received[at : at + size]
                at += size + 2
            at += len(b"0\r\n\r\n")
            yield status, headers, body
            continue
        body = received[at : at + length]
        assert len(body) == length
        at += length
        yield status, headers, body
    assert at == len(received), received[at : at + 200]


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Server, list[str]]]:
    file = tmp_path_factory.mktemp("fuzz") / "sessions.csv"
    table(ROWS).to_csv(file, index=False)
    port = free_port()
    log: list[str] = []
    with running("--no-debug", "--port", str(port), str(file)) as (program, _):
        assert program.stderr is not None
        # What nobody reads would fill the pipe, and the server would wait.
        reader = threading.Thread(target=log.extend, args=(program.stderr,))
        reader.start()
        server = Server(program.pid, port)
        server.wait()
        yield server, log
    reader.join()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_bytes_are_a_failure_of_the_server(
    server: tuple[Server, list[str]],
) -> None:
    running_server, log = server
    ask = running_server.ask

    def get(path: str) -> bytes:
        return ask([Request(path)])[0][2]

    valid = valid_requests(get, "ann", "home")
    before = [lasting(ask([request])[0]) for request in valid]
    assert {status for status, _, _ in before} == {200}
    chance = random.Random(0)
    pool = [*valid, *UPLOADING]
    n_open, n_threads, memory = 0, 0, 0
    for round_ in range(N_SENT // 200):
        if round_ == 1:
            assert running_server.settled(10_000)
            n_open = descriptors(running_server.pid)
            n_threads, memory = running_server.threads(), running_server.memory()
        for number in range(30):
            sent = [mutated(pool, chance.randrange(1 << 30)) for _ in range(4)]
            right = chance.randrange(len(valid))
            found = ask([*sent, valid[right]])
            for answer in found:
                check_answer_of_server(answer)
            # What it refuses itself, and what has no length, ends the connection.
            if len(found) == 5:
                assert lasting(found[4]) == before[right]
            else:
                assert found[-1][1].get("connection") == "close", (number, sent)
        messages = [
            mangled(mutated(pool, chance.randrange(1 << 30)).sent(), chance)
            + valid[0].sent()
            for _ in range(50)
        ]
        for message, received in zip(
            messages, running_server.ask_mangled(messages), strict=True
        ):
            failed = re.findall(rb"HTTP/1\.1 5\d\d [^\r]*", received)
            assert set(failed) <= {b"HTTP/1.1 501 Not Implemented"}, message
            assert not _FAILED.search(received), message
    assert [lasting(ask([request])[0]) for request in valid] == before
    assert running_server.settled(n_open)
    assert running_server.threads() <= n_threads
    assert running_server.memory() < memory * 1.1
    assert "Traceback" not in "".join(log)
    assert all(line.rstrip("\n").isprintable() for line in log)


def check_answer_of_server(answer: Answer) -> None:
    """Assert what holds of every answer, waitress's own among them."""
    if answer[2].rstrip().endswith(b"(generated by server)"):
        assert 400 <= answer[0] < 500 or answer[0] == 501
    elif answer[0] >= 400 or answer[2]:
        check_answer(answer)
