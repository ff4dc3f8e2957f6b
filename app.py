"""The command line, and the application that any WSGI server can run."""

import argparse
import errno
import io
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    # Until main() runs, Ctrl-C has nothing to tidy: no traceback from an import.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import pandas as pd
from dash import Dash
from flask import Flask
from tqdm import tqdm
from werkzeug.serving import is_running_from_reloader, make_server, run_simple

import callbacks
import downloads
import layout
import security
import simulate
from charts import CHARTS
from charts.chart import Chart
from engine.memory import MemoryEngine
from engine.model import Engine
from engine.timezone import time_zone
from sources import BadInput, Origin, full_name, is_read_once, read_sessions

__version__ = "0.2.0"

_COMMAND: Final = "user-activity-dashboard"
"""The name of the installed command."""

_SIMULATED: Final = {"sessions": 100_000, "users": 50, "seed": 2024}
"""What is simulated where no option says otherwise."""

_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Hosts that stand for every address of this machine, and one to open."""

_SOON: Final = 0.5
"""Seconds before there is a progress bar."""

_HERE: Final = Path(__file__).resolve().parent


def create_app(
    sessions: pd.DataFrame | Iterable[pd.DataFrame],
    origin: Origin | None = None,
    hosts: Sequence[str] = (),
    timezone: str = "UTC",
    charts: Sequence[Chart] = CHARTS,
) -> Dash:
    """Build the dashboard over a table of sessions, or a stream of tables.

    The tables are as ``schema`` has them; *origin* says in words where they are from.
    *hosts* are host names, without a port, that the page may be asked for under,
    besides this machine's own (``security.LOOPBACK``). *timezone* is the IANA name of
    the zone whose days and hours are shown. ``create_app(...).server`` is a WSGI
    application. Raises ValueError for a table, a zone or a host that can't be used, and
    TypeError where *hosts* isn't a sequence of texts.
    """
    names = _host_names(hosts)
    engine = MemoryEngine(sessions, timezone)
    return assemble(engine, origin or Origin("A table"), names, charts)


def assemble(
    engine: Engine,
    origin: Origin,
    hosts: Sequence[str] = (),
    charts: Sequence[Chart] = CHARTS,
) -> Dash:
    """Build the dashboard over any engine; see ``create_app``."""
    names = _host_names(hosts)
    app = Dash(
        __name__,
        assets_folder=str(_HERE / "assets"),
        title=layout.TITLE,
        # Dash's own title while it waits, "Updating...", flickers at every pick.
        update_title="",
        index_string=layout.INDEX,
        compress=True,
        on_error=callbacks.report,
        enable_mcp=False,
        # Where asgiref happens to be installed, Dash would answer each call in an event
        # loop of its own.
        use_async=False,
    )
    prefix = app.config.requests_pathname_prefix
    app.layout = layout.build_layout(engine, origin, charts, prefix)
    callbacks.register(app, engine, charts)
    downloads.register(app, engine, charts)
    # Dash finishes its set-up in the first request, and fails a second one that comes
    # meanwhile (dash #3971).
    with app.server.test_request_context():
        app.server.preprocess_request()
    security.protect(app, [*security.LOOPBACK, *names])
    return app


def _host_names(hosts: Sequence[str]) -> list[str]:
    if isinstance(hosts, str):
        raise TypeError(f"hosts is a sequence of host names: write [{hosts!r:.80}]")
    return [security.host_name(host) for host in hosts]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the dashboard until it is interrupted; returns the exit code.

    *arguments* are those of the command line where they are left out.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A file's name may have letters that the terminal has not.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parse(arguments)
    try:
        if options.debug:
            _serve_debug(options)
        else:
            _serve(options)
    except (BadInput, _CannotServe) as error:
        print(f"{_program()}: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        words = "that is more data than memory holds"
        print(f"{_program()}: {words}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


class _CannotServe(Exception):
    """The address can't be listened on; the message is one line that says why."""


def _program() -> str:
    """The name under which the program was started."""
    name = Path(sys.argv[0]).name
    return name if name == Path(__file__).name else _COMMAND


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options; ends the program where they are not possible."""
    parser = argparse.ArgumentParser(
        prog=_program(),
        description="Show how one user, and everyone, spend time on a website: "
        "on simulated sessions, or on those in the files named.",
    )
    _add_data_options(parser)
    _add_server_options(parser)
    options = parser.parse_args(arguments)
    for name, value in _SIMULATED.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
        elif options.files:
            parser.error(f"--{name} is for simulated data, but a FILE is given")
    if options.debug and not _is_loopback(options.host):
        parser.error(
            f"--debug lets whoever reaches {options.host} see the code: "
            "use --no-debug there"
        )
    return options


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "files",
        nargs="*",
        type=_file,
        metavar="FILE",
        help="session tables, CSV or Parquet (also gzipped; - is standard input), with "
        "the columns user_id, page, duration (seconds) and timestamp; several are one "
        "data set",
    )
    add("--sessions", type=_from_1, metavar="N", help="simulate N (100,000)")
    add("--users", type=_from_1, metavar="N", help="of N users (50)")
    add("--seed", type=_from_0, metavar="N", help="from this seed (2024)")
    add(
        "--timezone",
        default="UTC",
        type=_timezone,
        metavar="NAME",
        help="show days and hours of this time zone, such as Europe/Berlin "
        "(%(default)s)",
    )


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--host",
        default="127.0.0.1",
        type=_address,
        metavar="ADDRESS",
        help="listen on this address (%(default)s)",
    )
    add(
        "--port",
        default=8050,
        type=_port,
        metavar="N",
        help="and this port (%(default)s)",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        type=_allowed_host,
        metavar="NAME",
        help="also answer to this host name, as behind a proxy; may be repeated",
    )
    add(
        "--debug",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="Dash's debug mode with hot reloading (the default), or waitress",
    )
    add("--version", action="version", version=f"{_COMMAND} {__version__}")


def _number(text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or not least <= number <= most:
        words = f"{text!r:.80} is not a whole number from {least:,} to {most:,}"
        raise argparse.ArgumentTypeError(words)
    return number


_from_0: Final = partial(_number, least=0, most=10**9)
_from_1: Final = partial(_number, least=1, most=10**9)
_port: Final = partial(_number, least=1, most=65_535)


def _file(text: str) -> Path:
    path = Path(text)
    # A path forgets the "./" by which a file of this name differs from standard input.
    return path.absolute() if path == Path("-") and text != "-" else path


def _timezone(name: str) -> str:
    try:
        time_zone(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name


def _address(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    # Sockets take an IPv6 address without the brackets that it has in a browser.
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def _allowed_host(text: str) -> str:
    try:
        return security.host_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _load(options: argparse.Namespace) -> Dash:
    """Make or read the sessions, build the app, and say what there is."""
    stream: Iterable[pd.DataFrame]
    if options.files:
        stream, origin = read_sessions(options.files)
        n_sessions, made = None, "Reading"
    else:
        n_sessions, made = options.sessions, "Simulating"
        stream = simulate.stream_sessions(options.sessions, options.users, options.seed)
        origin = Origin(f"Simulated data (seed {options.seed})")
    hosts = [*_names(options.host), *options.allow_host]
    engine = _arranged(stream, n_sessions, made, options.timezone)
    print(layout.data_line(engine.facts, origin))
    if not _is_loopback(options.host):
        names = ", ".join([*security.LOOPBACK, *hosts])
        print(f"Answers to {names}; --allow-host adds other names.")
    return assemble(engine, origin, hosts)


def _arranged(
    stream: Iterable[pd.DataFrame], n_sessions: int | None, made: str, timezone: str
) -> MemoryEngine:
    """The stream as an engine; on a terminal with a progress bar if it takes long."""
    with tqdm(
        desc=made,
        total=n_sessions,
        unit=" sessions",
        unit_scale=True,
        delay=_SOON,
        leave=False,
        disable=None,  # None: where it is no terminal.
    ) as bar:

        def counted() -> Iterator[pd.DataFrame]:
            for sessions in stream:
                yield sessions
                bar.update(len(sessions))
            bar.set_description("Arranging")

        return MemoryEngine(counted(), timezone)


def _names(host: str) -> list[str]:
    """The host names under which a browser may ask for what listens on *host*."""
    found = [host]
    if host in _ANY:
        found = [socket.gethostname()]
        try:
            addresses = socket.getaddrinfo(found[0], None)
            found += sorted({str(address[4][0]) for address in addresses})
        except OSError:
            pass
    names = []
    for name in found:
        try:
            names.append(security.host_name(name))
        except ValueError:
            # A machine may have a name that no browser can ask for.
            continue
    return names


def _announce(options: argparse.Namespace) -> None:
    host = options.host
    shown = security.bracketed(_ANY.get(host, host))
    print(f"Open http://{shown}:{options.port}/", flush=True)


def _check_free(host: str, port: int) -> None:
    """Find out before the load, which may be long, what would fail after it."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":
                # As the servers do: a port that was just left is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except UnicodeError:
        raise _CannotServe(f"{host!r} is not a host name") from None
    except OSError as error:
        words = f"cannot listen on {host} port {port}: {error.strerror}"
        if error.errno == errno.EADDRINUSE:
            words = f"port {port} is in use; choose another with --port"
        raise _CannotServe(words) from None


def _serve(options: argparse.Namespace) -> None:
    import waitress  # Debug mode starts quicker without it.

    _check_free(options.host, options.port)
    app = _load(options)
    server = waitress.create_server(
        app.server,
        host=options.host,
        port=options.port,
        threads=8,
        max_request_body_size=2 * security.MAX_BODY,
        ident=None,
    )
    # A page asks for a dozen files at once; that some wait a moment isn't news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    _announce(options)
    server.run()


def _serve_debug(options: argparse.Namespace) -> None:
    host, port = options.host, options.port
    read_once = [full_name(path) for path in options.files if is_read_once(path)]
    # Werkzeug's reloader starts this program again as a child, which serves, and
    # stays behind itself to watch it: only the child needs the data. After each change
    # of the code another child reads them again.
    if is_running_from_reloader():
        server = _load_debug(options)
        _announce(options)
        run_simple(host, port, server, use_reloader=True, threaded=True)
        return
    _check_free(host, port)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    if not read_once:
        run_simple(host, port, Flask(__name__), use_reloader=True)
        return
    server = _load_debug(options)
    with make_server(host, port, server, threaded=True) as listening:
        names = ", ".join(read_once)
        print(f"Changed code is not reloaded: {names} can be read only once.")
        _announce(options)
        listening.serve_forever()


def _load_debug(options: argparse.Namespace) -> Flask:
    app = _load(options)
    # Not Dash.run: it has more to say than where the page can be opened.
    app.enable_dev_tools(debug=True, dev_tools_disable_version_check=True)
    server: Flask = app.server
    return server


if __name__ == "__main__":
    sys.exit(main())
