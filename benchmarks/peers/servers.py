"""The pages that are compared: how each is served, and what its parts are called."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = "benchmarks/requirements-peers.txt"
STARTS_WITHIN: Final = 600
"""Seconds in which a server has to answer; ten million sessions take a minute."""


class Parts(NamedTuple):
    """CSS selectors of what a pick changes."""

    charts: str
    bars: str
    """What a chart has as soon as it is drawn."""
    others: str
    """What else shows the picked user, such as tiles and tables."""


class List(NamedTuple):
    """CSS selectors of the dropdown of users."""

    opens: str
    search: str
    option: str


PLOTLY: Final = Parts(".js-plotly-plot", ".js-plotly-plot .bars path", "")
VEGA: Final = Parts(
    "[data-testid=stVegaLiteChart]",
    "[data-testid=stVegaLiteChart] .mark-rect path",
    "",
)
OURS: Final = PLOTLY._replace(others='[id^="tile-"], [id$="-finding"], #users-table')

DASH: Final = List("#user", ".dash-dropdown-search", "[role=option]")
SELECTIZE: Final = List(
    ".selectize-input", ".selectize-input input", ".selectize-dropdown .option"
)
BASEWEB: Final = List(
    "[data-testid=stSelectbox] input",
    "[data-testid=stSelectbox] input",
    "[role=option]",
)


@dataclass(frozen=True)
class Server:
    """A page that is compared with others."""

    name: str
    command: Sequence[str]
    """What starts it; ``PORT`` in it stands for the port."""
    parts: Parts = PLOTLY
    users: List = DASH
    needs: Sequence[str] = ()
    """Modules that its Python has to have."""
    directory: Path = ROOT
    charts: int = 3
    """How many charts there are at least when it is drawn."""
    has_address: bool = False
    """Whether a pick is in the address, so that one can go back."""

    def missing(self) -> list[str]:
        """The modules that its Python can't find."""
        code = (
            "import importlib.util, sys\n"
            "print(*(n for n in sys.argv[1:] if not importlib.util.find_spec(n)))"
        )
        command = [self.command[0], "-c", code, *self.needs]
        return subprocess.check_output(command, text=True).split()


def application(name: str, *arguments: str, directory: Path = ROOT) -> Server:
    """This project's page, of here or of another checkout."""
    return Server(
        name,
        [sys.executable, "app.py", "--no-debug", "--port", "PORT", *arguments],
        OURS,
        directory=directory,
        charts=2,
        has_address=True,
    )


def peers(python: str) -> list[Server]:
    """The small pages, run by a Python that has the packages for them."""
    dash = Server("", [], needs=["dash", "waitress", "pandas"])
    streamlit = [
        *("-m", "streamlit", "run", "benchmarks/peers/streamlit_native.py"),
        *("--server.address=127.0.0.1", "--server.port=PORT", "--server.headless=true"),
        *("--browser.gatherUsageStats=false", "--server.fileWatcherType=none"),
        *("--logger.level=error", "--global.developmentMode=false"),
    ]
    return [
        # As the application, with what requirements.txt has.
        replace(dash, name="naive", command=_module(sys.executable, "dash_naive")),
        replace(
            dash,
            name="Dash tuned",
            command=_module(python, "dash_tuned"),
            needs=[*dash.needs, "orjson"],
        ),
        replace(
            dash,
            name="Dash patched",
            command=_module(python, "dash_patch"),
            needs=[*dash.needs, "orjson"],
        ),
        Server(
            "Shiny",
            _module(python, "shiny_in_place"),
            users=SELECTIZE,
            needs=["shiny", "shinywidgets", "plotly"],
        ),
        Server("Streamlit", [python, *streamlit], VEGA, BASEWEB, needs=["streamlit"]),
    ]


def _module(python: str, name: str) -> list[str]:
    return [python, "-m", f"benchmarks.peers.{name}", "PORT"]


class Running(NamedTuple):
    """A server that answers."""

    server: Server
    process: int
    url: str

    def cpu(self) -> float:
        """Seconds of CPU that all its threads took, those that ended among them."""
        # The clock of another process, as Linux numbers it (clock_getcpuclockid).
        return time.clock_gettime((~self.process << 3) | 2)


@contextmanager
def running(server: Server) -> Iterator[Running]:
    """Serve a page until the context ends."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    command = [part.replace("PORT", str(port)) for part in server.command]
    environment = dict(os.environ)
    if server.directory == ROOT:
        environment["PYTHONPATH"] = str(ROOT)
    with subprocess.Popen(
        command, cwd=server.directory, env=environment, stdout=subprocess.DEVNULL
    ) as program:
        try:
            url = f"http://127.0.0.1:{port}/"
            _wait(server.name, program, url)
            yield Running(server, program.pid, url)
        finally:
            program.terminate()
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()


def _wait(name: str, program: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and program.poll() is None:
        try:
            with urlopen(url, timeout=60):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"{name} didn't start")
