"""The program, and the application that any WSGI server can run."""

import argparse
import gc
import logging
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from html import escape
from pathlib import Path
from threading import Lock
from typing import Any, Final

import starting

if __name__ == "__main__":
    starting.prepare()

import pandas as pd
from dash import Dash, _get_app
from flask import Flask, request
from tqdm import tqdm
from werkzeug.serving import is_running_from_reloader, make_server, run_simple

import arguments
import callbacks
import databases
import downloads
import identity
import ids
import layout
import output
import plain_html
import saved_view
import security
import simulate
import static_files
import uploads
from charts import CHARTS
from charts.chart import Chart
from engine.freed import release_freed_memory
from engine.memory import MemoryEngine
from engine.model import CannotAnswer, Engine
from formatting import printable, shorten
from hosts import LOOPBACK, Hosts, parse_origin
from serving import (
    CannotServe,
    HostCheck,
    Reloader,
    Site,
    UrlPrefix,
    announce,
    check_free,
    listen,
    logs,
    make_line,
    parse_prefix,
    put_off,
    run,
    signed_in_meta,
)
from sources import (
    BadInput,
    Origin,
    Progress,
    Reading,
    Report,
    check_target,
    read_sessions,
    save,
    stamps,
)

__version__ = "0.2.0"

_LONGEST_TITLE: Final = 80
_LONGEST_MESSAGE: Final = 2_000
_SOON: Final = 0.5
"""Seconds before there is a progress bar."""

_MAKING: Final = Lock()
"""Held while Dash notes which application was made last, as it does for the process."""

_HERE: Final = Path(__file__).resolve().parent


def create_app(
    sessions: pd.DataFrame | Iterable[pd.DataFrame],
    origin: Origin | None = None,
    hosts: Sequence[str] = (),
    timezone: str = "UTC",
    charts: Sequence[Chart] = CHARTS,
    uploading: uploads.Settings | None = None,
    url_prefix: str = "/",
    embed: Sequence[str] = (),
) -> Dash:
    """Build the dashboard over a table of sessions, or a stream of tables.

    The tables are as ``schema`` has them; *origin* says in words where they are from.
    *hosts* are host names that the page may be asked for under, on any port, besides
    this machine's own (``hosts.LOOPBACK``). *timezone* is the IANA name of the zone
    whose days and hours are shown. With *uploading* people may drop files on the page,
    within its bounds. *url_prefix* is the path at which browsers reach the page: a
    proxy may leave it in place or take it off. Pages of the origins *embed*, such as
    ``https://wiki.example.org``, may show the page in a frame.
    ``create_app(...).server`` is a WSGI application. Raises ValueError for a table or
    any text that can't be used, and TypeError where *hosts* or *embed* isn't a sequence
    of texts.
    """
    for name, texts in (("hosts", hosts), ("embed", embed)):
        if isinstance(texts, str):
            raise TypeError(f"{name} is a sequence of texts: write [{texts!r:.80}]")
    names, origins = Hosts([*LOOPBACK, *hosts]), [parse_origin(text) for text in embed]
    prefix = parse_prefix(url_prefix)
    engine = MemoryEngine(sessions, timezone)
    held = uploads.Held(uploading) if uploading else None
    origin = origin or Origin("A table")
    app = assemble(engine, origin, origins, charts, held, prefix)
    layers: Any = HostCheck(app.server.wsgi_app, names)
    app.server.wsgi_app = UrlPrefix(layers, prefix)
    return app


def assemble(
    engine: Engine,
    origin: Origin,
    embed: Sequence[str] = (),
    charts: Sequence[Chart] = CHARTS,
    held: uploads.Held | None = None,
    url_prefix: str = "/",
) -> Dash:
    """Build the dashboard over any engine; see ``create_app``.

    With *held* people may drop files on the page; those that are in it are shown.
    *embed* and *url_prefix* are as ``parse_origin`` and ``parse_prefix`` return them;
    the prefix isn't in the paths that the application is asked for, and whatever is
    around it has checked the hosts.
    """
    prefixes = {}
    # Without one it may be in the environment.
    if url_prefix != "/":
        prefixes["requests_pathname_prefix"] = url_prefix
        prefixes["routes_pathname_prefix"] = "/"
    with _MAKING:
        app = _new_dash(uploads=held is not None, **prefixes)
    page = None
    if held is not None:
        root = app.config.requests_pathname_prefix
        settings = held.settings
        page = layout.Uploading(root, settings.is_local, settings.file_bytes)

        def assemble_file(
            engine: Engine, origin: Origin, address: str, page: layout.Uploading
        ) -> Dash:
            prefixes = _prefixes(app, address)
            return _of_file(engine, origin, embed, charts, prefixes, page)

        def arrange(
            sessions: Iterable[pd.DataFrame], zone: str | None, visit_gap: float
        ) -> Engine:
            shown = zone or engine.facts.timezone
            return MemoryEngine(sessions, shown, visit_gap=visit_gap)

        uploads.register(app, origin, held, arrange, assemble_file)
    return _furnish(app, engine, origin, embed, charts, page)


def _prefixes(first: Dash, address: str) -> Mapping[str, str]:
    """What Dash is told of an address below that of the *first* application."""
    config = first.config
    if config.url_base_pathname is not None:
        # It may be in the environment, where Dash takes no others beside it.
        return {"url_base_pathname": address}
    below = address.removeprefix(config.requests_pathname_prefix)
    return {
        "requests_pathname_prefix": address,
        "routes_pathname_prefix": f"{config.routes_pathname_prefix}{below}",
    }


def _of_file(
    engine: Engine,
    origin: Origin,
    embed: Sequence[str],
    charts: Sequence[Chart],
    prefixes: Mapping[str, str],
    page: layout.Uploading,
) -> Dash:
    """Build the dashboard over a file that was dropped on that of *page*'s root."""
    with _MAKING:
        last = _get_app.APP
        # Dash writes the title into the page as it is.
        title = f"{escape(origin.name[:_LONGEST_TITLE])}: {layout.TITLE}"
        app = _new_dash(uploads=True, title=title, **prefixes)
        # Dash would keep the application that was made last, and all that is in it.
        _get_app.APP = last
    app.shared = page.root
    return _furnish(app, engine, origin, embed, charts, page)


class _Dash(Dash):
    """Dash, whose scripts and style sheets may be those of another application.

    Browsers know these already.
    """

    shared = ""
    """The path at which browsers reach that application; empty for its own."""

    def interpolate_index(self, *_: Any, **parts: Any) -> str:
        """The HTML around the components."""
        interpolate: Callable[..., str] = super().interpolate_index
        page = interpolate(**parts)
        page = page.replace("<head>", f"<head>{signed_in_meta(request.environ)}", 1)
        own = self.config.requests_pathname_prefix
        if not self.shared:
            return page
        for folder in ("_dash-component-suites/", "assets/"):
            page = page.replace(f'"{own}{folder}', f'"{self.shared}{folder}')
        return page


def _new_dash(*, uploads: bool, title: str = layout.TITLE, **prefixes: Any) -> _Dash:
    return _Dash(
        __name__,
        server=static_files.make_server(__name__),
        assets_folder=str(_HERE / "assets"),
        title=title,
        # Dash's own title while it waits, "Updating...", flickers at every pick.
        update_title="",
        # The theme is loaded by INDEX.
        assets_ignore=r"^theme\.js$" if uploads else r"^(theme|upload)\.js$",
        compress=True,
        on_error=callbacks.report,
        # What it logs is written as all else is, see serving.logs.
        add_log_handler=False,
        enable_mcp=False,
        # Where asgiref happens to be installed, Dash would answer each call in an event
        # loop of its own.
        use_async=False,
        **prefixes,
    )


def _furnish(
    app: Dash,
    engine: Engine,
    origin: Origin,
    embed: Sequence[str],
    charts: Sequence[Chart],
    uploading: layout.Uploading | None,
) -> Dash:
    """Give an empty application its page, over an engine."""
    prefix = app.config.requests_pathname_prefix
    theme = app.get_asset_url("theme.js")
    app.index_string = layout.INDEX.replace("{theme}", theme)
    page = layout.build_layout(engine, origin, charts, prefix, uploading)
    app.layout = plain_html.flatten(page, {ids.PROBLEM})
    callbacks.register(app, engine, charts)
    downloads.register(app, engine, charts)
    saved_view.register(app, engine, charts, layout.data_line(engine.facts, origin))
    static_files.add_usual(app)
    static_files.keep_compressed(app)
    static_files.set_caching(app)
    # Dash finishes its set-up in the first request, and fails a second one that comes
    # meanwhile (dash #3971).
    with app.server.test_request_context():
        app.server.preprocess_request()
    security.protect(app, embed)
    app.server.config["N_SESSIONS"] = engine.facts.n_sessions
    identity.mark(app, engine)
    return app


def main(command_line: Sequence[str] | None = None) -> int:
    """Run the dashboard until it is interrupted; returns the exit code.

    *command_line* is what the program was started with where it is left out.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    output.guard()
    options = arguments.parse(command_line, __version__)
    logs.configure(options.serving.log_format)
    try:
        if options.make_password:
            output.check()
            # In UTF-8, as the file is read, whatever the terminal has.
            sys.stdout.buffer.write(f"{make_line()}\n".encode())
            output.check()
        elif options.check and options.database:
            _check_database(options)
            output.check()
        elif options.check:
            _tell(*_read(options))
            output.check()
        elif options.debug:
            _serve_debug(options)
        else:
            _serve(options)
    except (BadInput, CannotAnswer, CannotServe, output.CannotWrite) as error:
        return _fail(str(error))
    except MemoryError:
        return _fail("that is more data than memory holds")
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
        return _fail("the system lets the program start no more threads")
    except KeyboardInterrupt:
        pass
    return 0


def _fail(message: str) -> int:
    """Say in one line why the program ends; returns its exit code."""
    words = shorten(printable(message), _LONGEST_MESSAGE)
    print(f"{arguments.program()}: {words}", file=sys.stderr)
    return 2


def _load(options: argparse.Namespace, held: uploads.Held | None) -> Dash:
    """Make or read the sessions and build the app over them."""
    engine, origin = _read(options)
    _tell(engine, origin)
    return _assemble(options, engine, origin, held)


def _assemble(
    options: argparse.Namespace,
    engine: Engine,
    origin: Origin,
    held: uploads.Held | None,
) -> Dash:
    serving = options.serving
    embed, prefix = serving.embed, serving.url_prefix
    return assemble(engine, origin, embed, held=held, url_prefix=prefix)


def _load_again(
    options: argparse.Namespace, held: uploads.Held | None
) -> tuple[Flask, str]:
    """The application over the files as they are now, and a line that says so."""
    if not options.files and not options.database:
        raise BadInput("they are simulated")
    if names := arguments.read_once(options):
        raise BadInput(f"{', '.join(names)} can be read only once")
    # Saved is what was there in the beginning.
    engine, origin = _read(argparse.Namespace(**{**vars(options), "save": None}))
    _warn(origin.report)
    app = _assemble(options, engine, origin, held)
    return app.server, f"Read again: {layout.data_line(engine.facts, origin)}"


def _held(options: argparse.Namespace) -> uploads.Held | None:
    """What holds files that people drop on the page; None where they may not."""
    is_local = options.serving.is_local
    # A file is known to the process alone that received it.
    is_alone = options.serving.workers == 1
    if is_alone and (is_local or options.allow_upload):
        return uploads.Held(uploads.Settings(is_local=is_local))
    return None


def _read(options: argparse.Namespace) -> tuple[Engine, Origin]:
    """Make or read the sessions, or ask a database about them."""
    if options.database:
        return _ask(options)
    stream: Iterable[pd.DataFrame]
    progress = None
    if options.files:
        stream, origin, progress = _reading(options)
        made = "Reading"
    else:
        made = "Simulating"
        stream = simulate.stream_sessions(options.sessions, options.users, options.seed)
        name = f"Simulated data (seed {options.seed})"
        origin = Origin(name, is_simulated=True)
    return _arranged(stream, made, options, progress), origin


def _open(options: argparse.Namespace) -> databases.Opened:
    return databases.open_table(options.database, options.table, options.reading)


def _check_database(options: argparse.Namespace) -> None:
    opened = _open(options)
    for line in databases.check(opened, options.reading, options.timezone):
        print(printable(line), flush=True)
    _warn(Report([opened.file]))


def _ask(options: argparse.Namespace) -> tuple[Engine, Origin]:
    """Ask a database; on a terminal the bar names the question that is running."""
    opened = _open(options)
    with tqdm(
        total=databases.N_QUESTIONS,
        bar_format="{desc}: {n_fmt} of {total_fmt} questions [{elapsed}]",
        delay=_SOON,
        leave=False,
        disable=None,
    ) as bar:

        def tell(about: str, n_asked: int) -> None:
            bar.update(n_asked - bar.n)
            bar.set_description(f"Asking for {about}")

        return databases.begin(
            opened, options.reading, options.timezone, options.limits, tell
        )


def _reading(options: argparse.Namespace) -> Reading:
    """The files as a stream of sessions, saved on its way where that is asked for."""
    if options.save:
        check_target(options.save)
    reading = read_sessions(options.files, options.reading)
    if not options.save:
        return reading
    saved = save(reading.tables, options.save, reading.origin.report)
    return reading._replace(tables=saved)


def _tell(engine: Engine, origin: Origin) -> None:
    """Print what was understood of the files, what was left out, and what there is."""
    for heading, lines in origin.report.sections():
        print(printable(heading))
        for line in lines:
            print(f"  {printable(line)}")
    _warn(origin.report)
    print(printable(layout.data_line(engine.facts, origin)))


def _warn(report: Report) -> None:
    if report.alarm():
        print(f"WARNING: {printable(report.alarm())}", file=sys.stderr)


def _arranged(
    stream: Iterable[pd.DataFrame],
    made: str,
    options: argparse.Namespace,
    progress: Progress | None,
) -> MemoryEngine:
    """The stream as an engine; on a terminal with a progress bar if it takes long.

    The bar counts bytes of files where their sizes are known, else sessions.
    """
    # Where no more threads can be started, its watcher would say so beside the error.
    tqdm.monitor_interval = 0
    by_size = progress is not None and progress.total is not None
    n_sessions = None if options.files else options.sessions
    with tqdm(
        desc=made,
        total=progress.total if progress and by_size else n_sessions,
        unit="B" if by_size else " sessions",
        unit_scale=True,
        delay=_SOON,
        leave=False,
        disable=None,  # None: where it is no terminal.
    ) as bar:

        def counted() -> Iterator[pd.DataFrame]:
            for sessions in stream:
                yield sessions
                done = progress.done() - bar.n if progress and by_size else None
                bar.update(len(sessions) if done is None else done)
            bar.set_description("Arranging")

        gap = options.reading.visit_gap
        return MemoryEngine(counted(), options.timezone, visit_gap=gap)


def _serve(options: argparse.Namespace) -> None:
    settings = options.serving
    check_free(settings.host, settings.port)
    put_off()
    site, held = Site(settings), _held(options)
    load = partial(_load_again, options, held)
    # Of a database it isn't known whether it has changed.
    state = object if options.database else partial(stamps, options.files)
    reloader = Reloader(site, load, state, _give_back)
    # Dash would remember this application in the context of the program.
    site.show(copy_context().run(_load, options, held).server)
    sockets = listen(settings.host, settings.port)
    run(site, sockets, reloader)


def _give_back() -> None:
    # An application is full of cycles.
    gc.collect()
    release_freed_memory()


def _serve_debug(options: argparse.Namespace) -> None:
    host, port = options.serving.host, options.serving.port
    read_once = arguments.read_once(options)
    # Werkzeug's reloader starts this program again as a child, which serves, and
    # stays behind itself to watch it: only the child needs the data. After each change
    # of the code another child reads them again.
    if is_running_from_reloader():
        site = _debug_site(options)
        announce(options.serving)
        run_simple(host, port, site, use_reloader=True, threaded=True)
        return
    check_free(host, port)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    if not read_once and not options.save:
        run_simple(host, port, Flask(__name__), use_reloader=True)
        return
    site = _debug_site(options)
    with make_server(host, port, site, threaded=True) as listening:
        names = ", ".join(read_once)
        why = f"{names} can be read only once" if names else "--save saves only once"
        print(f"Changed code is not reloaded: {printable(why)}.")
        announce(options.serving)
        listening.serve_forever()


def _debug_site(options: argparse.Namespace) -> Site:
    site = Site(options.serving)
    app = _load(options, _held(options))
    # Not Dash.run: it has more to say than where the page can be opened.
    app.enable_dev_tools(debug=True, dev_tools_disable_version_check=True)
    site.show(app.server)
    return site


if __name__ == "__main__":
    sys.exit(main())
