"""Databases as people name them: connected to, understood, and made into an engine."""

import difflib
import importlib
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa

from engine.timezone import time_zone
from engine.warehouse import (
    REASONS,
    Column,
    Database,
    Limits,
    NoSessions,
    NoSuchTable,
    SessionTable,
    Tell,
    Totals,
    WarehouseEngine,
    expect,
    whole_zone,
)
from formatting import count_text, duration_text, shorten, unknown_text
from sources import (
    UNITS,
    BadInput,
    FileReport,
    LeftOut,
    Origin,
    ReadOptions,
    Report,
    find_columns,
)

N_QUESTIONS: Final = 5
"""Kinds of questions at the start."""

_MOST_NAMED: Final = 10
_MOST_NEAR: Final = 3
_QUOTE: Final = '"'
_LONGEST: Final = 200


class Kind(NamedTuple):
    """A kind of database."""

    title: str
    module: str
    """The module in ``engine.warehouse`` with its class, which imports its driver."""
    extra: str
    """What installs its driver, as in ``pip install '.[duckdb]'``."""


_POSTGRESQL: Final = Kind("PostgreSQL", "postgresql", "postgres")
_CLICKHOUSE: Final = Kind("ClickHouse", "clickhouse", "clickhouse")

KINDS: Final = {
    "duckdb": Kind("DuckDB", "duckdb", "duckdb"),
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "clickhouse": _CLICKHOUSE,
    "clickhouses": _CLICKHOUSE,
    "sc": Kind("Spark", "spark", "spark"),
}
"""The kinds of databases, by what their addresses begin with."""

_BOUND: Final = {
    *("user", "page", "time", "duration", "end", "duration_unit", "where"),
    *("visit_gap", "times_in", "zero_is_unknown", "negative_is_unknown", "longest"),
    *("allow_left_out", "strict"),
}
"""The fields of ``ReadOptions`` that say something about a table of a database."""

_HOST: Final = r"(?:\[[\da-fA-F:.%]+\]|[^:,]*)(?::\d*(?=,|$))?"
_HOSTS: Final = re.compile(rf"{_HOST}(?:,{_HOST})*")
"""The hosts of an address, each perhaps with a port."""

_SAID_AS: Final = {"header": "no-header", "keep_bots": "bots"}
"""Fields of ``ReadOptions`` whose options have another name."""

_ADVICE: Final = dict(
    zip(
        REASONS,
        (
            "{user} is null",
            "{page} is null",
            "{time} is null",
            "{spent} < {least}",
            "{spent} is huge",
        ),
        strict=True,
    )
)


class Address(NamedTuple):
    """A database as a person named it; ``str`` has no password."""

    kind: str
    """A key of ``KINDS``."""
    text: str
    """All of it; it may have a password, and is never shown."""

    @property
    def shown(self) -> str:
        """The address without what is secret in it."""
        if self.kind == "duckdb":
            return self.text
        rest = self.text.partition("//")[2]
        if self.kind == "sc":
            rest = rest.partition(";")[0]
        # What is secret may have any letter, and ends with the last @.
        place, _, query = rest.partition("?")
        if "@" in query and ":" in place and "@" not in place:
            place = "…"
        host, slash, path = place.rpartition("@")[2].partition("/")
        known = _HOSTS.match(host)
        if known is not None and known[0] != host:
            # What is no port may be a password.
            host = f"{known[0]}:…"
        return f"{self.kind}://{re.split('[#;&]', f'{host}{slash}{path}')[0]}"


def parse_address(text: str) -> Address | None:
    """Read an address such as ``duckdb:lake/``; None where a text is none."""
    kind, mark, rest = text.partition(":")
    kind = kind.lower()
    if not mark or kind not in KINDS:
        return None
    if kind != "duckdb" and rest[:2] != "//" and Path(text).exists():
        # A file has this name; but what is none may have a password.
        return None
    return Address(kind, text)


def connect(address: Address) -> Database:
    """Connect to a database; raises BadInput where that can't be done."""
    kind = KINDS[address.kind]
    _check_address(address)
    try:
        module = importlib.import_module(f"engine.warehouse.{kind.module}")
    except ModuleNotFoundError as error:
        raise BadInput(
            f"{address.shown}: {kind.title} needs {error.name}: "
            f"pip install '.[{kind.extra}]'"
        ) from None
    database: Database = module.connect(address.text, address.shown)
    return database


def _check_address(address: Address) -> None:
    """Raise BadInput where it isn't sure which part of an address is what."""
    if address.kind == "duckdb":
        return
    if address.text.partition(":")[2][:2] != "//":
        raise BadInput(f"an address begins with {address.shown}")
    if address.kind == "sc":
        _check_ports(address, re.split("[/;?#]", address.text.partition("//")[2])[0])
        return
    try:
        parts = urlsplit(address.text)
    except ValueError:
        # Its message may have the password.
        raise BadInput(
            f"{address.shown}: it is no address: in a user or a password write "
            "[ and ] as %5B and %5D, and letters that aren't plain as %C3%A9"
        ) from None
    behind = f"{parts.path}{parts.query}{parts.fragment}"
    has_secret = ":" in parts.netloc and "@" not in parts.netloc
    if parts.netloc.count("@") > 1 or (has_secret and "@" in behind):
        raise BadInput(
            f"{address.shown}: a user or a password has @, /, ? or #: "
            "write %40, %2F, %3F or %23"
        )
    _check_ports(address, parts.netloc.rpartition("@")[2])
    if "&" in parts.path:
        raise BadInput(f"{address.shown}: options begin with ?, and & in a name is %26")


def _check_ports(address: Address, hosts: str) -> None:
    """Raise BadInput for a port that is none: messages of others would quote it."""
    if not _HOSTS.fullmatch(hosts):
        raise BadInput(f"{address.shown}: its port is no number")


class Opened(NamedTuple):
    """A table that was understood."""

    database: Database
    table: SessionTable
    file: FileReport
    """What was understood of it."""


def open_table(address: Address, name: str | None, options: ReadOptions) -> Opened:
    """Find the table, and which of its columns hold what.

    *name* is as in ``--table``. Raises BadInput, and CannotAnswer where the database
    fails.
    """
    _check_options(options)
    database = connect(address)
    path = _split(name) if name else _only_table(database)
    try:
        schema = database.schema(path)
    except NoSuchTable as error:
        raise _no_table(database, path) or error from None
    try:
        table, understood = _understand(database, path, schema, options)
    except BadInput as error:
        raise BadInput(f"{address.shown}, {'.'.join(path)}: {error}") from None
    file = FileReport(".".join(path), tuple(understood))
    file.is_derived = table.is_derived
    return Opened(database, table, file)


def check(opened: Opened, options: ReadOptions, timezone: str) -> Iterator[str]:
    """Say what was understood and left out, and what the start will ask and hold.

    Two of its questions are asked, which count the rows in ``opened.file``. Raises
    BadInput where the start would.
    """
    database, table, file = opened
    yield f"{file.name} in {database.name}"
    yield from (f"  {line}" for line in file.understood)
    if advice := database.advice(table.user.name):
        yield f"  {advice}"
    yield "At the start it is asked for"
    yield "  totals, pages, days and durations, hours, users."
    try:
        expected = expect(database, table, timezone)
    except NoSessions:
        raise BadInput(_no_row(opened)) from None
    totals = expected.totals
    yield (
        f"  {count_text(totals.n_sessions, 'session')} on "
        f"{count_text(expected.n_pages, 'page')} and "
        f"{count_text(expected.n_days, 'day')} make at most "
        f"{count_text(expected.n_cells, 'cell')}."
    )
    took = _last_start(file.name, database.name)
    yield f"  {took}" if took else "  It wasn't asked from here before."
    _count_rows(opened, totals)
    report = Report([file])
    (_, lines), *others = report.sections()
    counts = [*lines[len(file.understood) :], unknown_text(totals.n_unknown)]
    for heading, lines in [("Rows", counts), *others]:
        yield heading
        yield from (f"  {line}" for line in lines if line)
    _check_left_out(report, f"{file.name} in {database.name}", options)


def begin(
    opened: Opened, options: ReadOptions, timezone: str, limits: Limits, tell: Tell
) -> tuple[WarehouseEngine, Origin]:
    """Ask what is asked at the start; raises BadInput where there is too little."""
    database, table, file = opened
    place = f"{file.name} in {database.name}"
    began = time.monotonic()
    try:
        engine = WarehouseEngine(database, table, timezone, limits=limits, tell=tell)
    except NoSessions:
        raise BadInput(_no_row(opened)) from None
    _remember_start(file.name, database.name, time.monotonic() - began)
    _count_rows(opened, engine.start.totals)
    notes = [*_notes(engine), database.advice(table.user.name)]
    report = Report([file], list(filter(None, notes)), _rule(table))
    _check_left_out(report, place, options)
    newest = f"{engine.facts.last:%Y-%m-%d %H:%M}"
    name = f"{file.name} in {_known_as(database)}, newest session {newest}"
    return engine, Origin(name, report)


def _count_rows(opened: Opened, totals: Totals) -> None:
    """Note how many rows there are, and why some are left out."""
    _, table, file = opened
    file.rows = totals.n_sessions + sum(totals.left_out.values())
    names = {
        "user": table.user.name,
        "page": table.page.name,
        "time": table.time.name,
        "spent": (table.duration or table.end or table.time).name,
        "least": table.time.name if table.end else "0",
    }
    file.leave_out(
        LeftOut(reason, n, f"where {_ADVICE[reason].format(**names)}")
        for reason, n in totals.left_out.items()
    )


def _known_as(database: Database) -> str:
    """The name of a database on the page: folders are its machine's own affair."""
    kind, _, path = database.name.partition(":")
    return f"{kind}:{Path(path).name}" if kind == "duckdb" else database.name


def _no_row(opened: Opened) -> str:
    database, table, file = opened
    where = " and ".join(f"{column.name}={value}" for column, value in table.where)
    has = f" has {where}" if where else ""
    return f"{file.name} in {database.name}: no usable row{has}"


def _starts() -> Path:
    """Where it is kept how long starts took."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "user-activity-dashboard" / "starts.json"


def _read_starts() -> dict[str, list[Any]]:
    try:
        found = json.loads(_starts().read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember_start(table: str, database: str, seconds: float) -> None:
    """Keep how long a start took, where that can be written."""
    known = _read_starts()
    known[f"{table} in {database}"] = [seconds, f"{date.today()}"]
    with suppress(OSError, RuntimeError):
        _starts().parent.mkdir(parents=True, exist_ok=True)
        _starts().write_text(json.dumps(known), encoding="utf-8")


def _last_start(table: str, database: str) -> str:
    match _read_starts().get(f"{table} in {database}"):
        case [int() | float() as seconds, str() as day]:
            return f"The last start took {duration_text(seconds)}, on {day}."
    return ""


def _check_options(options: ReadOptions) -> None:
    """Raise BadInput for an option that is for files alone."""
    usual = ReadOptions()
    for field in fields(options):
        said = getattr(options, field.name)
        if field.name not in _BOUND and said != getattr(usual, field.name):
            option = _SAID_AS.get(field.name, field.name.replace("_", "-"))
            raise BadInput(f"--{option} is for files: have a view of the table do it")


def _check_left_out(report: Report, place: str, options: ReadOptions) -> None:
    if not report.left_out:
        return
    reasons = "; ".join(each.text() for each in report.left_out.values())
    if options.strict:
        raise BadInput(f"{place}: {reasons}; without --strict they are left out")
    if report.share_left_out > 0.5 and not options.allow_left_out:
        raise BadInput(
            f"{place}: more than half of the rows can't be used: {reasons}; "
            "--allow-left-out goes on without them"
        )


def _split(name: str) -> tuple[str, ...]:
    """The parts of a name such as ``web.sessions`` or ``web."page.views"``.

    The marks of Spark do as well: ``parquet.`/folder```.
    """
    part = r'"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|([^."`]+)'
    if not re.fullmatch(rf"(?:{part})(?:\.(?:{part}))*", name):
        raise BadInput(f"--table {shorten(name, _LONGEST)} names no table")
    return tuple(
        quoted.replace('""', '"') or ticked.replace("``", "`") or plain
        for quoted, ticked, plain in re.findall(part, name)
    )


def _only_table(database: Database) -> tuple[str, ...]:
    tables = database.tables()
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise BadInput(f"{database.name} has no tables that can be read from here")
    listed = _list_tables(tables)
    raise BadInput(f"{database.name}: name a table with --table: {listed}")


def _list_tables(tables: Sequence[tuple[str, ...]]) -> str:
    named = ", ".join(_table_text(path) for path in tables[:_MOST_NAMED])
    more = f" and {len(tables) - _MOST_NAMED:,} more" * (len(tables) > _MOST_NAMED)
    return f"{named}{more}"


def _no_table(database: Database, path: tuple[str, ...]) -> BadInput | None:
    """What to say of a table that there isn't; None where there is one."""
    tables = database.tables()
    if path in tables:
        # Something that it is made of is missing.
        return None
    wanted = _table_text(path)
    # A name may be right but for its schema or its capital letters.
    keys = {_table_text(known).casefold(): known for known in tables}
    keys |= {known[-1].casefold(): known for known in reversed(tables)}
    near = difflib.get_close_matches(wanted.casefold(), keys, _MOST_NAMED, 0.7)
    near += difflib.get_close_matches(path[-1].casefold(), keys, _MOST_NAMED, 0.8)
    found = list(dict.fromkeys(keys[each] for each in near))[:_MOST_NEAR]
    words = f"{database.name} has no table {wanted}"
    if found:
        return BadInput(f"{words}: perhaps {' or '.join(map(_table_text, found))}")
    has = f": it has {_list_tables(tables)}" if tables else ", and no other"
    return BadInput(f"{words}{has}")


def _table_text(path: Sequence[str]) -> str:
    """The name of a table as ``_split`` reads it: ``web."page.views"``."""
    quoted = (
        f'"{part.replace(_QUOTE, 2 * _QUOTE)}"' if set(part) & set('"`.') else part
        for part in path
    )
    return ".".join(shorten(part, _LONGEST) for part in quoted)


def _understand(
    database: Database, path: tuple[str, ...], schema: pa.Schema, options: ReadOptions
) -> tuple[SessionTable, list[str]]:
    """Which columns of a table hold what, and lines that say so."""
    columns = find_columns(schema.names, options)
    if len(columns.time) > 1 or len(columns.ends) > 1:
        raise BadInput("a time is one column here: have a view join a day and a clock")
    fields = [Column(field.name, field.type) for field in schema]
    time = fields[columns.time[0]]
    duration = None if columns.duration is None else fields[columns.duration]
    end = fields[columns.ends[0]] if columns.ends else None
    for column in filter(None, (time, end)):
        _check_time(column)
    if duration is not None and not _is_number(duration.kind):
        kind = _kind_text(duration.kind)
        raise BadInput(
            f"{duration.name} holds {kind}, and durations are numbers: "
            "have a view make seconds of it"
        )
    unit = columns.unit or "s"
    zone = time_zone(options.times_in or "UTC")
    table = SessionTable(
        path,
        user=fields[columns.user],
        page=fields[columns.page],
        time=time,
        duration=duration,
        end=end,
        seconds_per_unit=UNITS[unit],
        number_unit=_number_unit(database, path, time),
        where=tuple(
            (fields[index], value)
            for index, (_, value) in zip(columns.where, options.where, strict=True)
        ),
        visit_gap=options.visit_gap,
        times_are=whole_zone(zone),
        zero_is_unknown=options.zero_is_unknown,
        negative_is_unknown=options.negative_is_unknown,
        longest=options.longest,
    )
    return table, list(_understood(table, unit, options))


def _understood(table: SessionTable, unit: str, options: ReadOptions) -> Iterator[str]:
    yield "A table of a database, which is only read."
    for column, value in table.where:
        yield f"Only rows with {column.name}={shorten(value, _LONGEST)}."
    yield f"User: {table.user.name}."
    yield f"Page: {table.page.name}."
    zone = options.times_in or "UTC"
    named = ""
    if getattr(table.time.kind, "tz", None) is None and not _is_number(table.time.kind):
        named = f", in {zone}"
    if _is_number(table.time.kind):
        named = f", {table.number_unit} since 1970"
    yield f"Time: {table.time.name}{named}."
    if table.duration is not None:
        yield f"Duration: {table.duration.name}, in {unit}."
    elif table.end is not None:
        yield f"Duration: from the start to {table.end.name}."
    else:
        yield "Duration: derived from the next row of the same user."


def _rule(table: SessionTable) -> str:
    if not table.is_derived:
        return ""
    gap = duration_text(table.visit_gap)
    return (
        "Durations are derived: the time to the same user's next row, unknown where "
        f"that is over {gap} away or there is none."
    )


def _notes(engine: WarehouseEngine) -> Iterator[str]:
    if engine.start.others is not None:
        n_pages = len(engine.facts.pages) - 1
        yield (
            "There are more pages than there is room for: the "
            f"{count_text(n_pages, 'page')} of most sessions are told apart, all "
            f"others are {engine.start.others} (--max-pages)."
        )


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    numbers = types.is_integer, types.is_floating, types.is_decimal
    return any(is_one(kind) for is_one in numbers)


def _check_time(column: Column) -> None:
    kind = column.kind
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind) or _is_number(kind)):
        raise BadInput(
            f"{column.name} holds {_kind_text(kind)}, not times: "
            "have a view make times of it"
        )


def _kind_text(kind: pa.DataType) -> str:
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    # Types that Arrow doesn't have, such as those of networks.
    return str(getattr(kind, "type_name", kind))


def _number_unit(database: Database, path: Sequence[str], time: Column) -> str:
    """The unit of times that are numbers, from the largest: they are of our days."""
    if not _is_number(time.kind):
        return "s"
    largest = database.largest(tuple(path), time.name)
    bounds = {1e11: "s", 1e14: "ms", 1e17: "us"}
    return next((unit for bound, unit in bounds.items() if largest < bound), "ns")
