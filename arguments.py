"""The command line: what may be said there, and what it means."""

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn
from zoneinfo import available_timezones

import output
from databases import KINDS, Address, parse_address
from engine.timezone import time_zone
from engine.warehouse import Limits
from formatting import printable, shorten
from hosts import is_loopback, parse_host, parse_origin
from schema import LONGEST_DURATION
from serving import Settings, check_header, parse_network, parse_prefix
from sources import (
    RULES,
    UNITS,
    ReadOptions,
    check_format,
    full_name,
    is_read_once,
    parse_assets,
    parse_rules,
    parse_statuses,
    usual_names,
    validate_encoding,
)

COMMAND: Final = "user-activity-dashboard"
"""The name of the installed command."""

_SIMULATED: Final = {"sessions": 100_000, "users": 50, "seed": 2024}
"""What is simulated where no option says otherwise."""

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

_NO_DATABASES: Final = ("http", "https", "ftp", "file", "s3", "gs")
"""What addresses of files begin with."""

_PROGRAM: Final = "app.py"

_LONGEST_MESSAGE: Final = 1_000


def program() -> str:
    """The name under which the program was started."""
    name = Path(sys.argv[0]).name
    return name if name == _PROGRAM else COMMAND


class _Parser(argparse.ArgumentParser):
    """Tells an error in one line, without what a terminal takes for a command."""

    def error(self, message: str) -> NoReturn:
        words = shorten(printable(message), _LONGEST_MESSAGE)
        self.exit(2, f"{self.prog}: error: {words}\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End the program; what was asked for but can't be written is an error."""
        try:
            output.check()
        except output.CannotWrite as error:
            status, message = status or 2, message or f"{self.prog}: {error}\n"
        super().exit(status, message)


def parse(arguments: Sequence[str] | None, version: str) -> argparse.Namespace:
    """Read the options; ends the program where they are not possible.

    *arguments* are those of the command line where they are None. Besides the options
    by name, the result has ``reading``, a ``ReadOptions``.
    """
    parser = _Parser(
        prog=program(),
        description="Show how one user, and everyone, spend time on a website: on "
        "simulated sessions, on those in the files named, or on those in a database.",
        epilog=f"Usual names of columns, in any spelling: {usual_names()}",
    )
    _add_data_options(parser)
    _add_column_options(parser)
    _add_value_options(parser)
    _add_row_options(parser)
    _add_log_options(parser)
    _add_database_options(parser)
    _add_server_options(parser)
    _add_access_options(parser)
    parser.add_argument("--version", action="version", version=f"{COMMAND} {version}")
    options = parser.parse_args(arguments)
    _take_database(parser, options)
    is_simulated = not (options.files or options.database)
    for name, value in _SIMULATED.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
        elif not is_simulated:
            parser.error(f"--{name} is for simulated data, but a FILE is given")
    options.reading = _reading(options)
    options.serving = _serving(options)
    about_files = options.check or options.save or options.reading != ReadOptions()
    if is_simulated and about_files:
        parser.error("there is no FILE that these options could be about")
    if options.reload_seconds is not None:
        _check_reloading(parser, options)
    if options.debug and not is_loopback(options.host):
        parser.error(
            f"--debug lets whoever reaches {options.host} see the code: "
            "use --no-debug there"
        )
    if options.workers > 1 and options.debug:
        parser.error("--debug is one process: use --no-debug with --workers")
    if options.workers > 1 and options.allow_upload:
        parser.error("--allow-upload is for one process: leave out --workers")
    _check_login(options, parser)
    return options


def _take_database(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> None:
    """Set ``options.database``, and leave the files in ``options.files``."""
    named = [each for each in options.files if isinstance(each, Address)]
    options.database = named[0] if named else None
    if named and len(options.files) > 1:
        parser.error(f"{named[0].shown} is a data set alone: name nothing besides")
    if named:
        options.files = []
        if options.save:
            parser.error("--save is for files: a database keeps its sessions")
        if options.workers > 1:
            parser.error("--workers is for files: one process asks a database")
    elif options.table or options.max_pages or options.timeout:
        parser.error("--table, --max-pages and --timeout are for a database")
    usual = Limits()
    options.limits = Limits(
        max_pages=options.max_pages, timeout=options.timeout or usual.timeout
    )


def _check_login(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """End the program where it isn't said, or said twice, who may look."""
    asks = options.password_file or options.auth_header
    if options.password_file and options.auth_header:
        parser.error("--password-file and --auth-header can't both say who looks")
    if options.no_login and asks:
        parser.error("--no-login is for neither --password-file nor --auth-header")
    if options.auth_header and not options.trusted_proxies:
        parser.error("--auth-header needs --trusted-proxy, which says whose to believe")
    makes_nothing_seen = options.check or options.make_password
    is_open = not (asks or options.no_login or is_loopback(options.host))
    if is_open and not makes_nothing_seen:
        parser.error(
            f"whoever reaches {options.host} would see the data: ask people to sign in "
            "(--password-file), have a proxy do so (--auth-header), or say --no-login"
        )


def read_once(options: argparse.Namespace) -> list[str]:
    """The names of those FILEs that can be read only once."""
    return [full_name(path) for path in options.files if is_read_once(path)]


def _check_reloading(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> None:
    """End the program where FILEs can't be read again as ``--reload-every`` says."""
    why = ""
    if not options.files and not options.database:
        why = "there is no FILE to read again"
    elif names := read_once(options):
        why = f"{', '.join(names)} can be read only once"
    elif options.debug:
        why = "it needs --no-debug"
    if why:
        parser.error(f"--reload-every: {why}")


def _reading(options: argparse.Namespace) -> ReadOptions:
    said = vars(options)
    fields = {name: said[name] for name in ReadOptions.__dataclass_fields__}
    return ReadOptions(**{**fields, "where": tuple(options.where)})


def _serving(options: argparse.Namespace) -> Settings:
    said = vars(options)
    fields = {name: said[name] for name in Settings.__dataclass_fields__}
    lists = {name: tuple(v) for name, v in fields.items() if isinstance(v, list)}
    settings = Settings(**{**fields, **lists})
    # The terminal of a person on their own machine stays quiet.
    usual = "none" if settings.is_local else "text"
    log_format = options.log_format or usual
    return replace(settings, log_format=None if log_format == "none" else log_format)


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "files",
        nargs="*",
        type=_file,
        metavar="FILE",
        help="tables of sessions or page views: CSV, JSON, Parquet, a spreadsheet; or "
        "access logs of web servers; also packed; folders, patterns, - for standard "
        "input; several are one data set",
    )
    add("--sessions", type=_from_1, metavar="N", help="simulate N (100,000)")
    add("--users", type=_from_1, metavar="N", help="of N users (50)")
    add("--seed", type=_from_0, metavar="N", help="from this seed (2024)")
    add(
        "--timezone",
        default="UTC",
        type=_timezone,
        metavar="ZONE",
        help="show days and hours of this time zone, such as Europe/Berlin "
        "(%(default)s)",
    )
    add("--check", action="store_true", help="say how FILEs are understood, and end")
    add(
        "--save",
        type=Path,
        metavar="FILE.parquet",
        help="save the sessions as understood: these open without options, and faster",
    )


def _add_column_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("columns of FILEs").add_argument
    add("--user", metavar="COL", help="column of the user")
    add("--page", metavar="COL", help="column of the page")
    add("--time", metavar="COL", help="column of the start, or two: date+time")
    add("--duration", metavar="COL", help="column of the duration")
    add("--end", metavar="COL", help="column of the end, instead of a duration")
    add(
        "--no-header",
        dest="header",
        action="store_false",
        help="the first row holds no names: columns are 1, 2, …",
    )
    add(
        "--where",
        action="append",
        default=[],
        type=_condition,
        metavar="COL=VALUE",
        help="count only rows with this value; may be repeated",
    )
    add("--sheet", metavar="NAME", help="sheet of a spreadsheet (the first)")


def _add_value_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how FILEs are written").add_argument
    add("--duration-unit", choices=UNITS, help="of plain numbers (from the name, or s)")
    add("--decimal", choices=[".", ","], help="decimal mark of durations")
    add(
        "--time-format",
        type=_checked(check_format),
        metavar="FORMAT",
        help="of times, such as '%%d/%%m/%%Y %%H:%%M' (ISO 8601 and others)",
    )
    add(
        "--times-in",
        type=_timezone,
        metavar="ZONE",
        help="time zone of times that name none (UTC)",
    )
    add("--escape", action="store_true", help=r"CSV writes quotation marks as \"")
    add(
        "--encoding",
        type=_checked(validate_encoding),
        metavar="NAME",
        help="of text, such as cp1252",
    )


def _add_row_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("which rows of FILEs count, and how").add_argument
    add(
        "--visit-gap",
        type=_span,
        default=ReadOptions.visit_gap,
        metavar="SPAN",
        help="without durations, they are the time to the user's next row, at most "
        "this (30min)",
    )
    add("--zero-is-unknown", action="store_true", help="a duration of 0 is unknown")
    add(
        "--negative-is-unknown",
        action="store_true",
        help="a negative duration, such as -1, is unknown",
    )
    add("--longest", type=_span, metavar="SPAN", help="longer durations are unknown")
    add(
        "--merge-pages",
        type=_checked(parse_rules),
        default=frozenset(),
        metavar="RULES",
        help=f"count addresses as one page without their {', '.join(RULES)}: "
        "a list with commas",
    )
    add("--drop-repeated", action="store_true", help="count rows of two files once")
    add("--allow-left-out", action="store_true", help="go on if most can't be used")
    add("--strict", action="store_true", help="end if any row can't be used")


def _add_log_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "access logs of web servers",
        "--user ip+agent tells users apart by their programs, too; --where host=NAME "
        "counts one site of several",
    )
    add = group.add_argument
    add(
        "--bots",
        dest="keep_bots",
        type=_bots,
        default=False,
        metavar="keep",
        help="drop their page views (the default), or keep them",
    )
    add(
        "--assets",
        type=_checked(parse_assets),
        default=ReadOptions.assets,
        metavar="ENDS",
        help=f"what paths end with that are no pages ({','.join(ReadOptions.assets)}); "
        "or none",
    )
    add(
        "--statuses",
        type=_checked(parse_statuses),
        default=ReadOptions.statuses,
        metavar="LIST",
        help="of page views (200-299,304)",
    )


def _add_database_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group(
        "a database",
        "named instead of a FILE: duckdb:stats.duckdb, duckdb:lake/ for a folder of "
        "Parquet, postgresql://host/name, clickhouses://host/name, sc://host (Spark); "
        "it is only read, and nothing of it is copied",
    ).add_argument
    add("--table", metavar="NAME", help="the table, perhaps with its schema")
    add(
        "--max-pages",
        type=_from_1,
        metavar="N",
        help="tell N pages apart, and count all others as one (as many as a gigabyte "
        "has room for)",
    )
    add(
        "--timeout",
        type=_span,
        metavar="SPAN",
        help="cancel what a person asks for after this time, in seconds where no unit "
        "is said (60s); what is asked at the start, or by --check, takes its time",
    )


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the server").add_argument
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
        "--allow-upload",
        action="store_true",
        help="let whoever reaches the page drop files on it, as this machine always "
        "may: they are held in memory",
    )
    add("--workers", default=1, type=_from_1, metavar="N", help="processes (1)")
    add(
        "--reload-every",
        dest="reload_seconds",
        type=_span,
        metavar="SPAN",
        help="read FILEs again after this time, such as 10min; SIGHUP does so at once",
    )
    add(
        "--debug",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="Dash's debug mode with hot reloading (the default), or waitress",
    )


def _add_access_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("who comes to the server, and how").add_argument

    _add_list(
        add,
        "--allow-host",
        "allowed_hosts",
        parse_host,
        "NAME",
        "also answer to this host name, as behind a proxy, on any port; "
        "*.example.org is all names below",
    )
    add(
        "--url-prefix",
        default="/",
        type=_checked(parse_prefix),
        metavar="PATH",
        help="the path of the page behind a proxy, such as /activity/",
    )
    _add_list(
        add,
        "--trusted-proxy",
        "trusted_proxies",
        parse_network,
        "ADDRESS",
        "believe the X-Forwarded-* headers that come from this address or network, "
        "such as 172.16.0.0/12",
    )
    _add_list(
        add,
        "--embed",
        "embed",
        parse_origin,
        "ORIGIN",
        "let pages of this origin, such as https://wiki.example.org, show it in a "
        "frame",
    )
    add("--password-file", type=Path, metavar="FILE", help="have people sign in")
    add("--make-password", action="store_true", help="make a line of such a file")
    add(
        "--auth-header",
        type=_checked(check_header),
        metavar="NAME",
        help="the header in which a trusted proxy says who looks",
    )
    add(
        "--no-login",
        action="store_true",
        help="let whoever reaches the page see the data",
    )
    add(
        "--log-format",
        choices=["text", "json", "none"],
        help="write a line for each request to standard error, or none (text where "
        "others reach the server, else none)",
    )


def _add_list(
    add: Callable[..., Any],
    option: str,
    name: str,
    convert: Callable[[str], Any],
    metavar: str,
    words: str,
) -> None:
    """Add an option whose values are listed: *words* say what one of them means."""
    add(
        option,
        dest=name,
        action="extend",
        default=[],
        type=_listed(convert),
        metavar=metavar,
        help=f"{words}; may be repeated, or a list with commas",
    )


def _checked(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """Have argparse show the message of a ValueError, which it doesn't otherwise."""

    def checked(text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _listed(convert: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """Read a list with commas, for argparse's "extend"."""
    return _checked(lambda text: [convert(part) for part in text.split(",")])


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


def _file(text: str) -> Path | Address:
    if address := parse_address(text):
        return address
    path = Path(text)
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in _NO_DATABASES and not path.exists():
        # What follows may have a password.
        known = ", ".join(f"{k}:" if k == "duckdb" else f"{k}://" for k in KINDS)
        raise argparse.ArgumentTypeError(
            f"{shorten(scheme[0], 40)} is no database that is known here; "
            f"there are {known}"
        )
    # A path forgets the "./" by which a file of this name differs from standard input.
    return path.absolute() if path == Path("-") and text != "-" else path


def _condition(text: str) -> tuple[str, str]:
    column, mark, value = text.partition("=")
    if not mark or not column.strip():
        raise argparse.ArgumentTypeError(f"{text!r:.80} is not COL=VALUE")
    return column, value


def _bots(text: str) -> bool:
    if text not in ("drop", "keep"):
        raise argparse.ArgumentTypeError(f"{text!r:.80} is neither drop nor keep")
    return text == "keep"


def _span(text: str) -> float:
    """Seconds of "30min", "4 h", "90s" or "90"."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    unit = match and UNITS.get(match[2] or "s")
    seconds = float(match[1]) * unit if match and unit else 0
    if not 0 < seconds <= LONGEST_DURATION:
        words = f"{text!r:.80} is not a span of time, such as 90s, 30min or 4h"
        raise argparse.ArgumentTypeError(words)
    return seconds


def _timezone(name: str) -> str:
    try:
        time_zone(name)
    except ValueError:
        zones = _zones_like(name)
        which = f"perhaps {' or '.join(zones)}" if zones else "such as Europe/Berlin"
        words = f"there is no time zone {name!r:.80}; name a place's, {which}"
        raise argparse.ArgumentTypeError(words) from None
    return name


def _zones_like(name: str) -> list[str]:
    """A few places' time zones: of a place of this *name*, or of one spelled alike."""
    zones = {zone.lower(): zone for zone in sorted(available_timezones())}
    # The others are no places': CEST isn't EST, and Etc/GMT+2 is two hours *behind*.
    zones = {k: v for k, v in zones.items() if "/" in k and not k.startswith("etc/")}
    wanted = "_".join(name[:80].lower().split())
    found = [zone for zone in zones if wanted in (zone, zone.rpartition("/")[2])]
    if not found:
        places = {zone.rpartition("/")[2]: zone for zone in zones}
        alike = difflib.get_close_matches(wanted, [*zones, *places], 1, 0.8)
        found = [places.get(each, each) for each in alike]
    return [zones[zone] for zone in found[:3]]


def _address(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    # Sockets take an IPv6 address without the brackets that it has in a browser.
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text
