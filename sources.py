"""Files to a table of sessions, and a report of what was left out of it and why."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from rows import COLUMNS, LONGEST

UNKNOWN: Final = ("", "na", "n/a", "nan", "none", "null")
"""How files write a duration that is not known; capital letters do as well."""

_DELIMITERS: Final = ",;\t"
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_MARK: Final = "\x1e"
_BATCH: Final = 1 << 18
_BLOCK: Final = 1 << 24
_LONGEST_ROW: Final = 1 << 22


class BadInput(ValueError):
    """A file can't be used; the message is one line that names it and says why."""


@dataclass(frozen=True)
class Origin:
    """Where sessions are from, in words, and how many rows were left out by reason."""

    name: str
    left_out: Mapping[str, int] = field(default_factory=dict)

    def left_out_text(self) -> str:
        """For example "3 rows left out: 2 with an unreadable time, 1 with no user"."""
        n = sum(self.left_out.values())
        reasons = (f"{rows:,} with {why}" for why, rows in self.left_out.items())
        return f"{n:,} row{'s' * (n != 1)} left out: {', '.join(reasons)}"


def read_sessions(
    paths: Sequence[Path],
) -> tuple[Iterator[pd.DataFrame], Origin]:
    """Read session tables as one data set: a stream of tables that Activity takes.

    A file is CSV (comma, semicolon or tab; UTF-8; its first line names the columns),
    the same gzipped, or Parquet. Times are ISO 8601, UTC where they name no zone.
    Rows that can't be used are left out and counted; the origin knows of all once the
    stream has ended. The stream raises BadInput.
    """
    left_out: dict[str, int] = {}
    origin = Origin(", ".join(path.name for path in paths), left_out)
    return _sessions(paths, origin, left_out), origin


def _sessions(
    paths: Sequence[Path], origin: Origin, left_out: dict[str, int]
) -> Iterator[pd.DataFrame]:
    seen: set[Path] = set()
    n = 0
    for path in paths:
        try:
            if path.resolve() in seen:
                raise BadInput("named twice, and would be counted twice")
            seen.add(path.resolve())
            for table, ragged in _read(path):
                sessions, bad = _clean(table)
                bad["the wrong number of fields"] = ragged
                for reason, rows in bad.items():
                    if rows:
                        left_out[reason] = left_out.get(reason, 0) + rows
                if len(sessions):
                    n += len(sessions)
                    yield sessions
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from None
        except pa.ArrowException as error:
            raise BadInput(f"{path}: cannot be read ({_line(error)})") from None
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror or error}") from None
        except RuntimeError as error:  # On Python 3.11, a loop of symbolic links.
            raise BadInput(f"{path}: {error}") from None
    if not n:
        why = origin.left_out_text() if left_out else "it has no rows"
        raise BadInput(f"{', '.join(map(str, paths))}: no usable row ({why})")


def _read(path: Path) -> Iterator[tuple[pa.Table, int]]:
    """The four columns as they are in the file, in parts, each with how many more rows
    were found ragged.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if not head:
        raise BadInput("the file is empty")
    name = path.name.lower()
    named_parquet = name.endswith((".parquet", ".pq"))
    named_gzip = name.endswith(".gz")
    named_text = name.endswith((".csv", ".tsv", ".txt"))
    is_parquet, is_gzip = head == b"PAR1", head[:2] == b"\x1f\x8b"
    if named_parquet and not is_parquet:
        raise BadInput("not Parquet, though its name says so")
    if named_gzip and not is_gzip:
        raise BadInput("not gzipped, though its name says so")
    if named_text and (is_parquet or is_gzip):
        what = "Parquet" if is_parquet else "gzipped"
        raise BadInput(f"{what}, though its name says text; rename it")
    if is_parquet:
        yield from _read_parquet(path)
        return
    try:
        with gzip.open(path) if is_gzip else path.open("rb") as file:
            yield from _read_csv(file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"the gzipped data is damaged ({error})") from None


def _read_parquet(path: Path) -> Iterator[tuple[pa.Table, int]]:
    try:
        file = pa.parquet.ParquetFile(path)
        _check_columns(file.schema_arrow.names)
        for batch in file.iter_batches(_BATCH, columns=list(COLUMNS)):
            yield pa.Table.from_batches([batch]), 0
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"cannot be read as Parquet ({_line(error)})") from None


def _read_csv(file: io.BufferedIOBase) -> Iterator[tuple[pa.Table, int]]:
    first = file.readline(1 << 20)
    try:
        header = first.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("not UTF-8 text") from None
    if "\0" in header:
        raise BadInput("neither CSV nor Parquet")
    if "\r" in header.rstrip("\r\n"):
        raise BadInput("its lines end without line feeds; save it as CSV again")
    try:
        delimiter, names = _columns(header)
    except csv.Error as error:
        raise BadInput(f"its first line cannot be read ({error})") from None
    _check_columns(names)

    # What is read goes up to the last line feed so far. Where that is between quotation
    # marks, it needs more.
    pending = b""
    while True:
        block = file.read(_BLOCK)
        pending += block
        end = pending.rfind(b"\n") + 1 if block else len(pending)
        if block and not end:
            if len(pending) > _LONGEST_ROW:
                raise BadInput(_UNCLOSED)
            continue
        parsed = _parsed(pending[:end], delimiter, names)
        if parsed is not None:
            yield parsed
            pending = pending[end:]
        elif not block:
            raise BadInput(_UNCLOSED)
        if not block:
            return


def _parsed(
    data: bytes, delimiter: str, names: Sequence[str]
) -> tuple[pa.Table, int] | None:
    """The rows and how many more were ragged; None if the end is in quotation marks."""
    ragged: list[None] = []

    def skip(_: object) -> str:
        ragged.append(None)
        return "skip"

    # An open quotation mark swallows all that follows, this row of marks included.
    mark = f"\n{delimiter.join([_MARK] * len(names))}\n".encode()
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(data + mark),
            pa.csv.ReadOptions(column_names=names, block_size=_LONGEST_ROW),
            pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=skip,
            ),
            pa.csv.ConvertOptions(
                include_columns=list(COLUMNS),
                column_types={
                    "user_id": _TEXT,
                    "page": _TEXT,
                    "duration": pa.string(),
                    "timestamp": pa.string(),
                },
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "invalid UTF8" in str(error):
            raise BadInput("not UTF-8 text") from None
        if "straddl" in str(error):
            raise BadInput(_UNCLOSED) from None
        raise BadInput(f"cannot be read as CSV ({_line(error)})") from None
    if not len(table) or table["timestamp"][-1].as_py() != _MARK:
        return None
    return table[:-1], len(ragged)


_UNCLOSED: Final = 'a quotation mark (") is never closed, or a row is over 4 MB'


def _columns(header: str) -> tuple[str, list[str]]:
    """The delimiter by which a first line names most of the columns, and the names."""

    def names(delimiter: str) -> list[str]:
        fields = next(csv.reader([header], delimiter=delimiter), [])
        return [name.strip() for name in fields]

    delimiter = max(
        _DELIMITERS, key=lambda d: (len({*COLUMNS} & {*names(d)}), len(names(d)))
    )
    return delimiter, names(delimiter)


def _check_columns(names: Sequence[str]) -> None:
    found = ", ".join(names)
    for name in COLUMNS:
        if name not in names:
            raise BadInput(f"no column {name!r}; its columns are: {found:.300}")
        if names.count(name) > 1:
            raise BadInput(f"more than one column {name!r}; its columns are: {found}")


def _clean(table: pa.Table) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that can be used, and how many can't, by the first reason of each."""
    user, page = _text(table, "user_id"), _text(table, "page")
    seconds, unreadable = _seconds(table)
    time = _time(table)
    reasons = {
        "no user": user.isna(),
        "no page": page.isna(),
        "an unreadable time": time.isna(),
        "an unreadable duration": unreadable,
        "a negative duration": seconds < 0,
        "an infinite duration": seconds == float("inf"),
        "a duration of over a century": seconds > LONGEST,
    }
    good = pd.Series(True, index=range(len(table)))
    counts = {}
    for reason, bad in reasons.items():
        counts[reason] = int((good & bad).sum())
        good &= ~bad
    columns = (user, page, seconds, time)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))[good], counts


def _text(table: pa.Table, name: str) -> "pd.Series[Any]":
    """A column as categories of text; missing where it is blank."""
    column = _plain(table[name])
    # Not floats: 1e16 and 10000000000000000 would be two users.
    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type)):
        raise _wrong_type(table, name, "text or whole numbers")
    column = column.cast(pa.string()).cast(_TEXT).unify_dictionaries()
    series: pd.Series[Any] = column.to_pandas()
    names = series.cat.categories
    return series.cat.remove_categories(names[names.str.strip() == ""])


def _seconds(table: pa.Table) -> tuple["pd.Series[float]", "pd.Series[bool]"]:
    """Durations (NaN: unknown), and which are neither a number nor unknown."""
    column = _plain(table["duration"])
    if pa.types.is_string(column.type):
        trimmed = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(column, "")))
        unknown = pc.is_in(trimmed, pa.array(UNKNOWN, trimmed.type)).to_pandas()
        seconds = pd.to_numeric(trimmed.to_pandas(), errors="coerce")
        return seconds.astype("float64"), seconds.isna() & ~unknown
    if pa.types.is_duration(column.type):
        seconds = column.to_pandas().dt.total_seconds()
    elif pa.types.is_boolean(column.type):
        raise _wrong_type(table, "duration", "seconds")
    else:
        try:
            seconds = column.cast(pa.float64()).to_pandas()
        except pa.ArrowException:
            raise _wrong_type(table, "duration", "seconds") from None
    return seconds, pd.Series(False, index=seconds.index)


def _time(table: pa.Table) -> "pd.Series[pd.Timestamp]":
    """Times in UTC without a zone; missing where they can't be read."""
    column = _plain(table["timestamp"])
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        try:
            zone = getattr(column.type, "tz", None) and "UTC"
            column = column.cast(pa.timestamp("us", zone), safe=False)
            time: pd.Series[pd.Timestamp] = pd.to_datetime(column.to_pandas(), utc=True)
            time = time.where(time.dt.year.between(1, 9999))
        except (pa.ArrowException, ValueError) as error:
            raise BadInput(f"column 'timestamp' holds no times ({error})") from None
    elif pa.types.is_string(column.type):
        # pandas also takes 1212121212 for a day in the year 1212, and 2024-1 for one.
        text = pc.utf8_trim_whitespace(column)
        is_iso = pc.match_substring_regex(text, r"^\d{4}-\d{2}-\d{2}([T ]|$)")
        # One time in nanoseconds would have all others be within 1677 to 2262.
        text = pc.replace_substring_regex(text, r"(\.\d{6})\d+", r"\1")
        text = pc.if_else(is_iso, text, None).to_pandas()
        time = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    else:
        raise _wrong_type(table, "timestamp", "times or ISO 8601 text")
    return time.dt.tz_localize(None).astype("datetime64[us]")


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without a dictionary, and of one type where it is text or empty."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    text = ("large_string", "string_view", "null")
    return column.cast(pa.string()) if str(column.type) in text else column


def _wrong_type(table: pa.Table, name: str, wanted: str) -> BadInput:
    found = table.schema.field(name).type
    return BadInput(f"column {name!r} holds {found}, where {wanted} should be")


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
