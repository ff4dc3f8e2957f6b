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
from werkzeug.serving import is_running_from_reloader, run_simple

import callbacks
import downloads
import layout
import security
import simulate
from activity import Activity
from rows import time_zone
from sources import BadInput, Origin, read_sessions

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
) -> Dash:
    """Build the dashboard over a table of sessions, or a stream (see ``Activity``).

    *origin* says in words where they are from. *hosts* are host names, without a
    port, that the page may be asked for under, besides this machine's own
    (``security.LOOPBACK``). *timezone* is the IANA name of the zone whose days and
    hours are shown. ``create_app(...).server`` is a WSGI application. Raises
    ValueError for a table or a zone that Activity can't take.
    """
    activity = Activity(sessions, timezone)
    return _assemble(activity, origin or Origin("A table"), hosts)


def _assemble(activity: Activity, origin: Origin, hosts: Sequence[str]) -> Dash:
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
    )
    app.layout = layout.build_layout(activity, origin)
    callbacks.register(app, activity)
    downloads.register(app.server, activity, app.config.requests_pathname_prefix)
    # Dash finishes its set-up in the first request, and fails a second one that comes
    # meanwhile (dash #3971).
    with app.server.test_request_context():
        app.server.preprocess_request()
    security.protect(app, [*security.LOOPBACK, *hosts])
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the dashboard until it is interrupted; returns the exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A file's name may have letters that the terminal has not.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _options(arguments)
    try:
        if options.debug:
            _serve_debug(options)
        else:
            _serve(options)
    except (BadInput, _CannotServe) as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("app.py: that is more data than memory holds", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


class _CannotServe(Exception):
    """The address can't be listened on; the message is one line that says why."""


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Show how one user, and everyone, spend time on a website: "
        "on simulated sessions, or on those in the files named.",
    )
    add = parser.add_argument
    add(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="session tables, CSV (also gzipped) or Parquet, with the columns user_id, "
        "page, duration (seconds) and timestamp; several are one data set",
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
    add(
        "--host",
        default="127.0.0.1",
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
        metavar="NAME",
        help="also answer to this host name, as behind a proxy; may be repeated",
    )
    add(
        "--debug",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="Dash's debug mode with hot reloading (the default), or waitress",
    )
    options = parser.parse_args(arguments)
    simulated = {"sessions": 100_000, "users": 50, "seed": 2024}
    for name, value in simulated.items():
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


def _number(text: str, least: int, most: int) -> int:
    if text.strip("+-").replace("_", "").isdecimal() and least <= int(text) <= most:
        return int(text)
    words = f"{text!r} is not a whole number from {least:,} to {most:,}"
    raise argparse.ArgumentTypeError(words)


_from_0: Final = partial(_number, least=0, most=10**9)
_from_1: Final = partial(_number, least=1, most=10**9)
_port: Final = partial(_number, least=1, most=65_535)


def _timezone(name: str) -> str:
    try:
        time_zone(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name


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
    activity = _arranged(stream, n_sessions, made, options.timezone)
    print(layout.data_line(activity, origin))
    if not _is_loopback(options.host):
        names = ", ".join([*security.LOOPBACK, *hosts])
        print(f"Answers to {names}; --allow-host adds other names.")
    return _assemble(activity, origin, hosts)


def _arranged(
    stream: Iterable[pd.DataFrame], n_sessions: int | None, made: str, timezone: str
) -> Activity:
    """The stream as an Activity; on a terminal with a progress bar if it takes long."""
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

        return Activity(counted(), timezone)


def _names(host: str) -> list[str]:
    """The host names under which a browser may ask for what listens on *host*."""
    if host not in _ANY:
        return [host]
    name = socket.gethostname()
    try:
        return [name, *{str(found[4][0]) for found in socket.getaddrinfo(name, None)}]
    except OSError:
        return [name]


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
    # Werkzeug's reloader starts this program again as a child, which serves, and
    # stays behind itself to watch it: only the child needs the data.
    if is_running_from_reloader():
        app = _load(options)
        _announce(options)
        app.run(
            host=options.host,
            port=options.port,
            debug=True,
            dev_tools_disable_version_check=True,
            # Tracebacks are shown by Dash; Werkzeug's debugger adds a console.
            use_debugger=False,
        )
    else:
        _check_free(options.host, options.port)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        run_simple(options.host, options.port, Flask(__name__), use_reloader=True)


if __name__ == "__main__":
    sys.exit(main())
