"""What connections may cost, and how the server ends: real sockets, real signals."""

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from serving.waitress_server import Limits, Server
from tests.programs import ROOT, free_port, running

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Connect = Callable[[], socket.socket]

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE = 64 << 20
SHORT = Limits(idle_seconds=30, slow_seconds=0.5, slow_bytes=10_000)
HEADERS = {
    "Cache-Control": "no-store",
    "Connection": "close",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Content-Type": "text/plain; charset=utf-8",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Application:
    """Answers with what was sent; notes how many long answers have ended."""

    def __init__(self) -> None:
        self.ended = threading.Semaphore(0)
        self.environ: dict[str, Any] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        self.environ = environ
        body = environ["wsgi.input"].read()
        if environ["PATH_INFO"] == "/fails":
            raise ArithmeticError("secret")
        if environ["PATH_INFO"] == "/works":
            time.sleep(3 * SHORT.slow_seconds)
        size = LARGE if environ["PATH_INFO"] == "/large" else len(body)
        start_response("200 OK", [("Content-Length", str(size))])
        return self.large() if size == LARGE else [body]

    def large(self) -> Iterator[bytes]:
        try:
            for _ in range(LARGE >> 16):
                yield bytes(1 << 16)
        finally:
            self.ended.release()


@contextmanager
def serving(
    limits: Limits,
) -> Iterator[tuple[Callable[[], socket.socket], Application]]:
    """A server within these limits; gives what connects to it, and the application."""
    application = Application()
    with ExitStack() as stack:
        listening = socket.create_server(("127.0.0.1", 0))
        address = listening.getsockname()
        server = Server(application, [listening], limits)
        thread = threading.Thread(target=server.run)
        thread.start()
        stack.callback(thread.join, 30)
        stack.callback(server.stop)

        def connect() -> socket.socket:
            return stack.enter_context(socket.create_connection(address, timeout=30))

        yield connect, application


def received(connection: socket.socket, until: bytes = b"") -> bytes:
    """What comes until the other side closes, or until this."""
    answer = b""
    while not (until and until in answer):
        try:
            part = connection.recv(1 << 20)
        except ConnectionError:
            part = b""
        if not part:
            return answer
        answer += part
    return answer


def dripped(connection: socket.socket, pieces: Iterable[bytes]) -> bool:
    """Send pieces with pauses; returns whether all were taken."""
    try:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.05)
    except ConnectionError:
        return False
    return True


def answers(connection: socket.socket) -> bool:
    """Whether a request is answered; it isn't where the other side has closed."""
    with contextlib.suppress(ConnectionError):
        connection.sendall(ASK)
    return received(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "begin",
    [b"", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"],
    ids=["header", "body"],
)
def test_a_request_that_drips_is_closed(begin: bytes) -> None:
    with serving(SHORT) as (connect, _):
        slow = connect()
        slow.sendall(begin)
        assert not dripped(slow, [b"G"] * 400)
        assert answers(connect())


def test_a_body_that_is_slow_but_goes_on_is_taken() -> None:
    size = 100_000
    with serving(SHORT) as (connect, _):
        slow = connect()
        slow.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size)
        assert dripped(slow, [b"x" * 5_000] * (size // 5_000))
        assert received(slow, b"xxx").startswith(b"HTTP/1.1 200")


def test_who_never_reads_holds_nothing() -> None:
    with serving(SHORT) as (connect, application):
        # More than there are threads.
        for _ in range(10):
            connect().sendall(b"GET /large HTTP/1.1\r\n\r\n")
        for _ in range(10):
            assert application.ended.acquire(timeout=30)
        assert answers(connect())


def test_who_asks_for_much_at_once_holds_no_thread() -> None:
    limits = Limits(idle_seconds=30, slow_seconds=30, slow_bytes=1)
    with serving(limits) as (connect, application):
        slow = [connect() for _ in range(10)]
        for each in slow:
            each.sendall(b"GET /large HTTP/1.1\r\n\r\n" * 4)
        # One who comes meanwhile is answered, and they have all in the end.
        for each in slow[1:]:
            each.close()
        assert answers(connect())
        n_bytes = 0
        while n_bytes < 4 * LARGE:
            n_bytes += len(slow[0].recv(4 << 20))
        for _ in range(4):
            assert application.ended.acquire(timeout=30)


def test_who_reads_slowly_has_all() -> None:
    limits = Limits(idle_seconds=30, slow_seconds=0.5, slow_bytes=1 << 20)
    with serving(limits) as (connect, _):
        slow = connect()
        slow.sendall(b"GET /large HTTP/1.1\r\n\r\n")
        n_bytes = 0
        while n_bytes < LARGE:
            part = slow.recv(4 << 20)
            assert part
            n_bytes += len(part)
            # All is there only after several times what a connection may be silent.
            time.sleep(len(part) / LARGE * 4 * limits.slow_seconds)


def test_who_waits_for_the_application_is_not_closed() -> None:
    limits = Limits(idle_seconds=0.3, slow_seconds=0.3)
    with serving(limits) as (connect, _):
        waiting = connect()
        waiting.sendall(b"GET /works HTTP/1.1\r\n\r\n")
        assert received(waiting, b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        # And then it is, for nothing goes on any more.
        assert received(waiting) == b""


def test_one_more_connection_closes_the_one_that_was_quiet_longest() -> None:
    with serving(Limits(connections=8)) as (connect, _):
        first, *others = [connect() for _ in range(8)]
        for each in [*others, first]:
            assert answers(each)
        more = [connect(), connect()]
        assert all(answers(each) for each in more)
        # Of two that asked one right after the other either may count as the first.
        assert [received(others[0]), answers(first)] == [b"", True]
        assert sum(not answers(each) for each in others) == 2


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (b"nonsense\r\n\r\n", "400 Bad Request", "This is not a request that can"),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
            "413 Request Entity Too Large",
            "The body of this request is too large.",
        ),
        (b"GET /" + b"a" * 65_536, "414 URI Too Long", "This address is too long."),
        (
            b"GET / HTTP/1.1\r\nX: " + b"a" * 65_536,
            "431 Request Header Fields Too Large",
            "The header of this request is too long.",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            "501 Not Implemented",
            "This way to send a request is not supported.",
        ),
        (
            b"GET /fails HTTP/1.1\r\nConnection: close\r\n\r\n",
            "500 Internal Server Error",
            "The server failed to answer.",
        ),
    ],
)
def test_refusals_are_one_line_with_safe_headers(
    request_: bytes, status: str, words: str
) -> None:
    with serving(Limits()) as (connect, _):
        asking = connect()
        asking.sendall(request_)
        header, _, body = received(asking).decode().partition("\r\n\r\n")
    first, *lines = header.split("\r\n")
    said = dict(line.split(": ", 1) for line in lines)
    assert first.partition(" ")[2] == status
    assert body.startswith(words)
    assert body.count("\n") == 1
    del said["Date"]
    assert said == {**HEADERS, "Content-Length": str(len(body))}


def test_the_site_sees_what_a_proxy_says() -> None:
    with serving(Limits()) as (connect, application):
        asking = connect()
        asking.sendall(b"GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
        received(asking, b"\r\n\r\n")
        assert application.environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"


def test_many_connections_cost_little() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    try:
        with serving(Limits()) as (connect, _):
            quiet = [connect() for _ in range(1_100)]
            assert answers(connect())
            assert received(quiet[0]) == b""
            assert answers(quiet[-1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def small_program(
    folder: Path, workers: int = 1
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    (folder / "data").write_text("first")
    port = free_port()
    command = (sys.executable, "-m", "tests.serving.program")
    arguments = (str(folder), str(port), str(workers))
    with running(*arguments, command=command) as (program, _):
        yield program, port


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until this is so; fails after half a minute."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return True
    return False


def begun(folder: Path, port: int) -> socket.socket:
    """A connection whose request is being answered, and waits for "go"."""
    asking = socket.create_connection(("127.0.0.1", port), timeout=30)
    asking.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_for((folder / "begun").exists)
    return asking


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGTERM, 1), (signal.SIGINT, 2)]
)
def test_what_has_begun_is_answered_when_it_ends(
    number: int, workers: int, tmp_path: Path
) -> None:
    with small_program(tmp_path, workers) as (program, port):
        with begun(tmp_path, port) as asking:
            # As a terminal sends it: to the workers, too.
            os.killpg(program.pid, number)
            wait_for(lambda: refuses(port))
            assert program.poll() is None
            (tmp_path / "go").touch()
            assert b" first " in received(asking)
        assert program.communicate(timeout=30) == ("", "")
        assert program.returncode == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_it_at_once(workers: int, tmp_path: Path) -> None:
    with small_program(tmp_path, workers) as (program, port):
        with begun(tmp_path, port) as asking:
            program.terminate()
            wait_for(lambda: refuses(port))
            program.terminate()
            assert received(asking) == b""
        assert program.communicate(timeout=30) == ("", "")
        assert program.returncode == 1


def may_unshare() -> bool:
    tried = ["unshare", "--pid", "--fork", "true"]
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run(tried, check=False).returncode
    )


def handles(pid: int, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    (mask,) = [line.split()[1] for line in status.splitlines() if "SigCgt" in line]
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.skipif(not may_unshare(), reason="needs a namespace of process ids")
def test_the_first_process_of_a_container_ends_while_it_loads() -> None:
    program = ("app.py", "--no-debug", "--port", str(free_port()))
    command = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, *program]
    with subprocess.Popen(
        [*command, "--sessions", "100_000_000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as outer:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        wait_for(lambda: bool(children.read_text()))
        inner = int(children.read_text())
        wait_for(lambda: handles(inner, signal.SIGTERM))
        os.kill(inner, signal.SIGTERM)
        assert outer.communicate(timeout=30) == ("", "")
        assert outer.returncode == 0
