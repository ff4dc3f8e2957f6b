"""The four columns of a session table: found, checked, and made uniform.

Formats give ``Part``s, whose columns are as they are in the file; ``clean`` makes them
what ``schema`` says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schema import COLUMNS, LONGEST_DURATION
from sources.origin import BadInput

UNKNOWN: Final = ("", "na", "n/a", "nan", "none", "null")
"""How files write a duration that is not known; capital letters do as well."""

TEXT: Final = pa.dictionary(pa.int32(), pa.string())
"""The Arrow type of columns whose values repeat."""


class Part(NamedTuple):
    """Some rows of a file."""

    table: pa.Table
    """The columns of ``schema.COLUMNS``, of whatever types the file has."""
    left_out: Mapping[str, int]
    """How many rows more there were that have no such columns, by reason."""


def check_columns(names: Sequence[str]) -> None:
    """Raise BadInput unless each column of a session table is there exactly once."""
    found = ", ".join(" ".join(name.split()) for name in names)
    for name in COLUMNS:
        if name not in names:
            raise BadInput(f"no column {name!r}; its columns are: {found:.300}")
        if names.count(name) > 1:
            raise BadInput(f"more than one column {name!r}; its columns are: {found}")


def clean(table: pa.Table) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that can be used, and how many can't, by the first reason of each.

    Raises BadInput where a column has a type that can't hold what it should.
    """
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
        "a duration of over a century": seconds > LONGEST_DURATION,
    }
    good = pd.Series(True, index=range(len(table)))
    counts = {}
    for reason, bad in reasons.items():
        counts[reason] = int((good & bad).sum())
        good &= ~bad
    columns = (user, page, seconds, time)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))[good], counts


def first_line(error: Exception) -> str:
    """The first line of a library's message, at most 200 characters."""
    return str(error).splitlines()[0][:200]


def _text(table: pa.Table, name: str) -> "pd.Series[Any]":
    """A column as categories of text; missing where it is blank."""
    column = _plain(table[name])
    # Not floats: 1e16 and 10000000000000000 would be two users.
    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type)):
        raise _wrong_type(table, name, "text or whole numbers")
    column = column.cast(pa.string()).cast(TEXT).unify_dictionaries()
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
