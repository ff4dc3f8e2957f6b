"""The real program, run as a person runs it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The directory of the project."""

SMALL = ("--sessions", "2000")
"""Arguments for data that are simulated at once."""

PROGRAM = (sys.executable, "app.py")
"""The command that starts the program in ``ROOT``."""


_NOT_INSTALLED = ("tests", "benchmarks")


def find_modules() -> dict[str, Path]:
    """Find the files of the product, by the dotted names of the modules."""
    packages = (file.parent for file in ROOT.glob("*/__init__.py"))
    rooms = [room for room in packages if room.name not in _NOT_INSTALLED]
    modules = {}
    for file in (
        *ROOT.glob("*.py"),
        *(file for r in rooms for file in r.rglob("*.py")),
    ):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        modules[name.removesuffix(".__init__")] = file
    return modules


MODULES = find_modules()
"""The files of the product, by the dotted names of the modules."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def run(
    *arguments: str, command: Sequence[str] = PROGRAM, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, at most for a minute."""
    return subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running(
    *arguments: str,
    command: Sequence[str] = PROGRAM,
    directory: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    stdin: int | None = None,
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the program; gives it, and what it printed until it can be opened.

    *directory* is where it is started, *environment* is added to this process's own,
    and *stdin* is a file descriptor. The program ends with the context.
    """
    with subprocess.Popen(
        [*command, *arguments],
        cwd=directory,
        env={**os.environ, **(environment or {})},
        stdin=stdin,
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
    """End a program by Ctrl-C; returns what it still prints, on stdout and stderr."""
    os.killpg(program.pid, signal.SIGINT)
    return program.communicate(timeout=30)
