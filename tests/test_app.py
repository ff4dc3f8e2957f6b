"""The command line, as the real program."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).resolve().parents[1]
SMALL = ("--sessions", "2000")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The program to its end."""
    return subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The program and what it has printed, once it says that it can be opened."""
    command = [sys.executable, "app.py", *arguments]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A group of its own, as a terminal makes it: Ctrl-C reaches all of it.
        start_new_session=True,
    ) as program:
        assert program.stdout is not None
        printed = []
        for line in program.stdout:
            printed.append(line.rstrip())
            if line.startswith("Open "):
                break
        try:
            yield program, printed
        finally:
            program.terminate()


def interrupted(program: subprocess.Popen[str]) -> tuple[str, str]:
    """What the program still prints when Ctrl-C ends it, on stdout and on stderr."""
    os.killpg(program.pid, signal.SIGINT)
    return program.communicate(timeout=30)


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal to look at")
def test_a_terminal_shows_progress() -> None:
    import pty
    import termios

    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, 80))
    command = [sys.executable, "app.py", "--no-debug", "--port", str(free_port())]
    with subprocess.Popen(
        [*command, "--sessions", "20_000_000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=its,
        text=True,
    ) as program:
        os.close(its)
        assert program.stdout is not None
        printed = [program.stdout.readline() for _ in range(2)]
        program.terminate()
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert re.search(r"Simulating: +\d+%", shown)
    # It is gone in the end.
    assert shown.endswith("\r")
    assert printed[0].startswith("Simulated data (seed 2024): 20,000,000 sessions of")
    assert printed[1].startswith("Open ")


@pytest.mark.parametrize("mode", ["--debug", "--no-debug"])
def test_serves_until_ctrl_c(mode: str) -> None:
    port = free_port()
    with running(mode, "--port", str(port), *SMALL) as (program, printed):
        assert printed == [
            "Simulated data (seed 2024): 2,000 sessions of 50 users on 10 pages, "
            "1 January 2024 to 31 December 2024 (UTC).",
            f"Open http://127.0.0.1:{port}/",
        ]
        with urlopen(f"http://127.0.0.1:{port}/", timeout=30) as page:
            assert b"Interactive User Activity Dashboard" in page.read()
        out, err = interrupted(program)
        assert (out, err) == ("", "")
        assert program.returncode == 0


def test_ctrl_c_while_it_is_still_importing() -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "app.py"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        assert program.stderr is not None
        next(line for line in program.stderr if "numpy" in line)
        os.killpg(program.pid, signal.SIGINT)
        assert "Traceback" not in program.stderr.read()


def test_debug_mode_has_no_console_and_asks_nobody_for_versions() -> None:
    port = free_port()
    with running("--port", str(port), *SMALL):
        url = f"http://127.0.0.1:{port}"
        with urlopen(f"{url}/", timeout=30) as page:
            text = page.read().decode()
        assert '"disable_version_check":true' in text.replace(" ", "")
        assert '"hot_reload":{' in text.replace(" ", "")
        with urlopen(f"{url}/console", timeout=30) as page:
            assert "Interactive Console" not in page.read().decode()


def test_a_busy_port_is_told_before_anything_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for mode in ("--debug", "--no-debug"):
            result = run(mode, "--port", port, "no-such-file.csv")
            assert result.returncode == 2
            assert result.stderr == (
                f"app.py: port {port} is in use; choose another with --port\n"
            )


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])  # noqa: S104
def test_debug_mode_stays_on_this_machine(host: str) -> None:
    result = run("--host", host)
    assert result.returncode == 2
    assert "use --no-debug" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_host_that_is_not_here() -> None:
    result = run("--no-debug", "--host", "192.0.2.1", "--port", str(free_port()))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "cannot listen on 192.0.2.1" in result.stderr


def test_listens_on_ipv6() -> None:
    port = free_port()
    arguments = ("--no-debug", "--host", "::1", "--port", str(port))
    with running(*arguments, *SMALL) as (_, printed):
        assert printed[-1] == f"Open http://[::1]:{port}/"
        with urlopen(f"http://[::1]:{port}/", timeout=30) as page:
            assert page.status == 200


def test_answers_to_the_names_that_it_is_given() -> None:
    port = free_port()
    arguments = ("--no-debug", "--port", str(port), "--allow-host", "stats.example")
    with running(*arguments, *SMALL):
        request = Request(f"http://127.0.0.1:{port}/")
        request.add_header("Host", "stats.example")
        with urlopen(request, timeout=30) as page:
            assert page.status == 200


@pytest.mark.parametrize("mode", ["--debug", "--no-debug"])
def test_a_bad_file_is_one_line(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text("user,page,duration,timestamp\n")
    result = run(mode, "--port", str(free_port()), str(path))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"app.py: {path}: no column 'user_id'; "
        "its columns are: user, page, duration, timestamp\n"
    )


def test_says_what_it_left_out(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(
        "user_id,page,duration,timestamp\nann,home,5,2024-01-01T10:00\n"
        "ann,home,,2024-01-01T11:00\nann,home,-1,2024-01-01T12:00\n"
    )
    with running("--no-debug", "--port", str(free_port()), str(path)) as (_, printed):
        assert printed[0] == (
            "sessions.csv: 2 sessions of 1 user on 1 page, "
            "1 January 2024 10:00 to 11:00 UTC. Unknown durations: 1 (these "
            "sessions count, but not in sums, averages and the distribution). "
            "1 row left out: 1 with a negative duration."
        )


def test_shows_the_hours_of_a_time_zone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(
        "user_id,page,duration,timestamp\nann,home,5,2024-07-01T10:00\n"
        "ann,home,,2024-07-01T11:00\n"
    )
    arguments = ("--no-debug", "--port", str(free_port()), str(path))
    with running(*arguments, "--timezone", "Europe/Berlin") as (_, printed):
        assert "1 July 2024 12:00 to 13:00" in printed[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--sessions", "0"),
        ("--sessions", "99999999999999"),
        ("--users", "-3"),
        ("--seed", "x"),
        ("--port", "0"),
        ("--port", "65536"),
        ("--seed", "1", "sessions.csv"),
        ("--timezone", "Europe/Atlantis"),
        ("--timezone", "../x"),
        ("--timezone", ""),
        ("--timezone", "Europe"),
    ],
)
def test_impossible_options(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert re.search(r"^app\.py: error: .+", result.stderr, re.MULTILINE)
    assert "Traceback" not in result.stderr


def test_importing_builds_no_app() -> None:
    code = "import app, dash; assert dash._get_app.APP is None"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
