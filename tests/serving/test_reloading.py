"""Data that are read again: by the program, and by a ``Reloader`` alone."""

import gc
import os
import pty
import signal
import socket
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.request import Request, urlopen

import pytest
from dash import Dash
from werkzeug.test import Client

from app import assemble
from engine.memory import MemoryEngine
from identity import HEADER
from serving import Reloader, Settings, Site
from sources import BadInput, Origin, stamps
from tests.programs import PROGRAM, ROOT, free_port, run, running
from tests.sessions import ROWS, table
from tests.test_uploads import show_file
from uploads import Held
from uploads import Settings as UploadSettings

HEAD = "user_id,page,duration,timestamp\n"
ONE = f"{HEAD}ann,home,5,2024-01-01T10:00\n"
TWO = f"{ONE}bob,cart,7,2024-01-02T10:00\n"
READ = "Read again: a.csv: {} on {}, 1 January 2024"


class Program(NamedTuple):
    """The program, over a file."""

    pid: int
    address: str
    file: Path
    stdout: IO[str]
    stderr: IO[str]

    def hang_up(self) -> None:
        os.kill(self.pid, signal.SIGHUP)

    def version(self) -> str:
        request = Request(f"{self.address}version", method="HEAD")
        with urlopen(request, timeout=30) as answer:
            assert answer.status == 204
            return str(answer.headers[HEADER])


def listening(port: int) -> None:
    """Wait until something listens: the address is printed just before."""
    stop = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < stop
            time.sleep(0.01)
        else:
            return


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    file = tmp_path_factory.mktemp("data") / "a.csv"
    file.write_text(ONE)
    port, saved = free_port(), str(file.with_name("saved.parquet"))
    options = ("--no-debug", "--port", str(port), "--save", saved)
    with running(*options, "--reload-every", "1s", str(file)) as (process, _):
        assert process.stdout is not None
        assert process.stderr is not None
        address = f"http://127.0.0.1:{port}/"
        listening(port)
        yield Program(process.pid, address, file, process.stdout, process.stderr)


def test_what_has_changed_is_read_again_and_what_fails_is_told(
    program: Program,
) -> None:
    first = program.version()
    saved = program.file.with_name("saved.parquet").stat()
    # Nobody asks for it: the file is another.
    program.file.write_text(TWO)
    line = program.stdout.readline()
    assert line.startswith(READ.format("2 sessions of 2 users", "2 pages"))
    second = program.version()
    assert second != first
    program.file.unlink()
    line = program.stderr.readline()
    assert line.startswith("The data are still those of ")
    assert line.endswith(f": {program.file}: No such file or directory\n")
    assert program.version() == second
    program.file.write_text(ONE)
    line = program.stdout.readline()
    assert line.startswith(READ.format("1 session of 1 user", "1 page"))
    # The same data are the same, wherever they are from.
    assert program.version() == first
    assert program.file.with_name("saved.parquet").stat() == saved


def test_the_signal_reads_again_what_has_not_changed(program: Program) -> None:
    first = program.version()
    for _ in range(20):
        program.hang_up()
    assert program.stdout.readline().startswith("Read again: a.csv: 1 session ")
    assert program.version() == first


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--no-debug",), "there is no FILE to read again"),
        (("--no-debug", "-"), "standard input can be read only once"),
        (("README.md",), "it needs --no-debug"),
    ],
)
def test_refused_where_it_can_not_be_done(arguments: tuple[str, ...], why: str) -> None:
    ended = run("--reload-every", "10min", *arguments)
    assert ended.returncode == 2
    assert ended.stderr == f"app.py: error: --reload-every: {why}\n"


def test_a_terminal_that_is_closed_ends_the_program() -> None:
    port = str(free_port())
    pid, terminal = pty.fork()
    if pid == 0:
        # Under nohup, closing a terminal would mean nothing to the program.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.chdir(ROOT)
        command = [*PROGRAM, "--no-debug", "--port", port, "--sessions=9"]
        os.execv(command[0], command)  # noqa: S606
    printed = b""
    while b"Open http" not in printed:
        printed += os.read(terminal, 1_000)
    # Asked for by name it is no end.
    os.kill(pid, signal.SIGHUP)
    while b"they are simulated" not in printed:
        printed += os.read(terminal, 1_000)
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    os.close(terminal)
    os.waitpid(pid, 0)


class Data:
    """Sessions that can be read again, and the applications made of them."""

    def __init__(self, held: Held | None = None) -> None:
        self.site = Site(Settings())
        self.rows = list(ROWS)
        self.state = 0
        self.error: BaseException | None = None
        self.n_read = 0
        self.made: list[weakref.ref[Dash]] = []
        self._held = held
        self.reloader = Reloader(self.site, self.read, lambda: self.state)

    def read(self) -> Any:
        self.n_read += 1
        if self.error:
            raise self.error
        engine = MemoryEngine(table(self.rows))
        app = assemble(engine, Origin(f"Data {self.n_read}"), held=self._held)
        self.made.append(weakref.ref(app))
        return app.server, f"Read {self.n_read} times"


def test_the_application_before_is_given_back() -> None:
    data = Data()
    for _ in range(3):
        assert data.reloader.reload()
        client = Client(data.site)
        for path in ("/", "/_dash-layout", "/sessions.csv"):
            answer = client.get(path, headers={"Host": "localhost"}, buffered=True)
            assert answer.status_code == 200
        del client, answer
    gc.collect()
    assert [made() is not None for made in data.made] == [False, False, True]


def test_what_is_being_answered_is_answered_to_its_end() -> None:
    data = Data()
    data.reloader.reload()
    answer = Client(data.site).get("/sessions.csv?user=", headers={"Host": "localhost"})
    parts = answer.iter_encoded()
    next(parts)
    data.rows = [("zoe", "new", 1, "2024-01-01")]
    assert data.reloader.reload()
    rest = b"".join(parts)
    assert rest.count(b"\r\n") == len(ROWS)
    answer.close()
    after = Client(data.site).get("/sessions.csv?user=", headers={"Host": "localhost"})
    assert "zoe,new" in after.text


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (BadInput("a.csv: two\nlines\x1b"), r"a.csv: two lines\x1b"),
        (MemoryError(), "that is more data than memory holds"),
        (PermissionError(13, "Permission denied", "a.csv"), "Permission denied"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_whatever_fails_is_told_in_a_line(
    error: BaseException, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Data()
    data.reloader.reload()
    before = Client(data.site).get("/version", headers={"Host": "localhost"})
    data.error = error
    assert not data.reloader.reload()
    after = Client(data.site).get("/version", headers={"Host": "localhost"})
    assert after.headers[HEADER] == before.headers[HEADER]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The data are still those of ")
    assert why in line


def test_only_what_has_changed_is_read_again_unless_it_failed() -> None:
    data = Data()
    assert not data.reloader.reload_changed()
    assert data.n_read == 0
    data.state = 1
    assert data.reloader.reload_changed()
    assert not data.reloader.reload_changed()
    assert data.n_read == 1
    data.state, data.error = 2, BadInput("no")
    for _ in range(2):
        assert not data.reloader.reload_changed()
    assert data.n_read == 3


def test_a_dropped_file_outlives_the_data_before() -> None:
    data = Data(Held(UploadSettings(is_local=True)))
    data.reloader.reload()
    # The routes are Flask's, whose client says what browsers say.
    first = data.made[0]()
    assert first is not None
    address = show_file(first.server.test_client(), ONE.encode())
    del first
    data.reloader.reload()
    gc.collect()
    assert data.made[0]() is None
    client = Client(data.site)
    layout = client.get(f"{address}_dash-layout", headers={"Host": "localhost"})
    assert layout.status_code == 200
    assert "a.csv: 1 session" in layout.text
    page = client.get("/_dash-layout", headers={"Host": "localhost"}).text
    assert "Data 2: 12 sessions" in page


def test_files_have_a_stamp_until_they_change(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(ONE)
    paths = [tmp_path]
    before = stamps(paths)
    assert stamps(paths) == before
    seen = [before]

    def differs() -> None:
        now = stamps(paths)
        assert now not in seen
        seen.append(now)

    new = tmp_path / "b.csv"
    new.write_text(TWO)
    differs()
    os.utime(new, ns=(0, 0))
    differs()
    # Another file of the same name, size and time.
    other = tmp_path / ".c"
    other.write_text(TWO.replace("bob", "cid"))
    os.utime(other, ns=(0, 0))
    other.replace(new)
    differs()
    file.write_text(TWO)
    differs()
    paths = [tmp_path / "gone.csv"]
    assert stamps(paths) == stamps(paths) != before
