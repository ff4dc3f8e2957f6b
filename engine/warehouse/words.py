"""The words in which the SQL of databases differs, and what builds a text of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from engine.dimensions import DAY

Value = str | int | float
"""What can be bound to a question."""


@dataclass(frozen=True)
class Words:
    """How one kind of database says what others say in other words."""

    text: str
    """The type of text."""
    integer: str
    """The type of 64-bit integers."""
    double: str
    """The type of 64-bit floating-point numbers."""
    middle: str
    """The type of 32-bit integers."""
    small: str
    """The type of 16-bit integers."""
    placeholder: Callable[[int, type[Value]], str]
    """Stands for the value with a number, from 1 on, and a type."""
    micros: Callable[[str, pa.DataType], str]
    """The microseconds since 1970 of an expression for a time of an Arrow type."""
    divide: Callable[[str, int], str]
    """A positive integer divided by another, rounded down."""
    quantile: Callable[[str, float], str]
    """The aggregate that is an exact quantile, linearly interpolated."""
    real: Callable[[str], str] | None = None
    """A fractional number as a double; None where it is a plain cast."""
    is_nan: Callable[[str], str] = "isnan({})".format
    """Whether a floating-point number is none."""
    by_bytes: str = ""
    """What stands behind a text that is to be ordered by its bytes."""
    lower: Callable[[str], str] = "lower({})".format
    """A text in small letters."""
    square: Callable[[str], str] = "({0}) * ({0})".format
    """A number times itself; 0 where that is too small for a number."""
    round: Callable[[str], str] = "round({})".format
    """A number from 0 to 2 ** 51 without its fraction; of a half, the even one."""
    holds_nul: bool = True
    """Whether a text may have a NUL."""
    position: Callable[[str, str], str] = "position({} in {})".format
    """Where a text is in another, from 1 on; 0 where it isn't."""
    most_kept: int = 1 << 30
    """How many pages may be told apart by binding each to a question."""
    some: Callable[[int, int], str] = "limit {0} offset {1}".format
    """So many rows, after so many others."""
    quote: str = '"'
    """The mark around names; twice inside of a name."""
    escapes: bool = False
    """Whether a backslash in a name makes the next letter a plain one."""

    def can_hold(self, text: str) -> bool:
        """Whether a text of the database may be this one."""
        if "\0" in text and not self.holds_nul:
            return False
        try:
            text.encode()
        except UnicodeEncodeError:
            # Half of a surrogate pair is in no text.
            return False
        return True

    def to_double(self, expression: str) -> str:
        """A fractional number as a double, perhaps an even smaller or larger one."""
        if self.real is None:
            return f"cast({expression} as {self.double})"
        return self.real(expression)

    def name(self, *parts: str) -> str:
        """The name of a table or a column, such as ``"public"."sessions"``."""
        mark = self.quote
        if self.escapes:
            parts = tuple(
                part.replace("\\", "\\\\").replace(mark, f"\\{mark}") for part in parts
            )
        else:
            parts = tuple(part.replace(mark, mark * 2) for part in parts)
        return ".".join(f"{mark}{part}{mark}" for part in parts)


_BRANCHES: Final = 8
"""How many results, or CASEs, a CASE has at most."""


@dataclass
class Sql:
    """Builds the text of one question; values are bound, and never in the text."""

    words: Words
    values: list[Value] = field(default_factory=list)
    """The values that are bound, in the order of their numbers."""

    def bind(self, value: Value) -> str:
        """Bind a value; returns what stands for it in the text."""
        self.values.append(value)
        return self.words.placeholder(len(self.values), type(value))


def number(value: float) -> str:
    """A finite number as SQL has it: a double, even where it is whole."""
    text = repr(float(value))
    return text if "e" in text else f"{text}e0"


def pick(expression: str, bounds: list[str], results: list[str]) -> str:
    """A CASE that finds, in few comparisons, between which bounds a number lies.

    *bounds* increase, and ``results[i]`` is for numbers that are at least
    ``bounds[i - 1]`` and less than ``bounds[i]``.
    """
    if not bounds:
        return results[0]
    # A CASE inside of another costs more than some comparisons.
    step, cases, first = -(-len(results) // _BRANCHES), [], 0
    while first + step < len(results):
        last = first + step
        below = pick(expression, bounds[first : last - 1], results[first:last])
        cases.append(f"when {expression} < {bounds[last - 1]} then {below}")
        first = last
    others = pick(expression, bounds[first:], results[first:])
    return f"case {' '.join(cases)} else {others} end"


def _duckdb_micros(expression: str, kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return f"epoch_us({expression})"
    if kind == pa.timestamp("us"):
        return f"epoch_us({expression})"
    # Dates, and times in seconds, may be beyond what a timestamp can be.
    return f"epoch_us(try_cast({expression} as timestamp))"


def _dollar(index: int, _: type[Value]) -> str:
    return f"${index}"


DUCKDB: Final = Words(
    text="varchar",
    integer="bigint",
    double="double",
    middle="integer",
    small="smallint",
    placeholder=_dollar,
    micros=_duckdb_micros,
    divide=lambda a, b: f"({a}) // {b}",
    quantile=lambda x, p: f"quantile_cont({x}, {p})",
    # What it calls round moves halves away from 0, and round_even takes 7 times as
    # long. From 2 ** 52 on there are whole numbers alone.
    round="(({}) + 4503599627370496e0) - 4503599627370496e0".format,
)
"""DuckDB 2."""


def _postgresql_micros(expression: str, kind: pa.DataType) -> str:
    micros = f"cast(extract(epoch from {expression}) * 1000000 as bigint)"
    if pa.types.is_date(kind):
        days = f"cast({expression} - date '1970-01-01' as bigint)"
        micros = f"{days} * {DAY} * 1000000"
    # Beyond there may be no integer, which would be an error.
    within = f"{expression} >= '0001-01-01' and {expression} < '10000-01-01'"
    return f"case when {within} then {micros} end"


def _postgresql_real(expression: str) -> str:
    # What a double can't be, or its product with a unit, would be an error.
    cast = "cast({} as double precision)".format
    return (
        f"case when {expression} > 1e100 and {expression} < 'NaN' then {cast('1e100')}"
        f" when {expression} < -1e100 then {cast('-1e100')}"
        f" when {expression} > -1e-100 and {expression} < 1e-100 then {cast('0')}"
        f" else {cast(expression)} end"
    )


POSTGRESQL: Final = Words(
    text="text",
    integer="bigint",
    double="double precision",
    middle="integer",
    small="smallint",
    placeholder=_dollar,
    micros=_postgresql_micros,
    divide=lambda a, b: f"({a}) / {b}",
    quantile=lambda x, p: f"percentile_cont({p}) within group (order by {x})",
    real=_postgresql_real,
    is_nan="{} = cast('NaN' as double precision)".format,
    by_bytes=' collate "C"',
    # By bytes alone only A to Z have small letters.
    lower='lower({} collate "default")'.format,
    # Otherwise it is an error.
    square="case when abs({0}) > 1e-150 then ({0}) * ({0}) else 0 end".format,
    holds_nul=False,
    # Of 65,535 values; some questions ask for the sessions twice.
    most_kept=32_000,
)
"""PostgreSQL 14 and later."""

_CLICKHOUSE_TYPES: Final[dict[type[Value], str]] = {
    str: "String",
    int: "Int64",
    float: "Float64",
}

CLICKHOUSE: Final = Words(
    text="Nullable(String)",
    integer="Nullable(Int64)",
    double="Nullable(Float64)",
    middle="Int32",
    small="Nullable(Int16)",
    placeholder=lambda index, kind: f"{{p{index}:{_CLICKHOUSE_TYPES[kind]}}}",
    micros=lambda x, _: f"toUnixTimestamp64Micro(toDateTime64({x}, 6, 'UTC'))",
    divide=lambda a, b: f"intDiv({a}, {b})",
    quantile=lambda x, p: f"quantileExactInclusive({p})({x})",
    is_nan="isNaN({})".format,
    lower="lowerUTF8({})".format,
    escapes=True,
)
"""ClickHouse."""


def _spark_micros(expression: str, kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return f"unix_micros({expression})"
    # In the zone of the session, which is UTC.
    return f"unix_micros(cast({expression} as timestamp))"


def _named(index: int, _: type[Value]) -> str:
    return f":p{index}"


SPARK: Final = Words(
    text="string",
    integer="bigint",
    double="double",
    middle="int",
    small="smallint",
    placeholder=_named,
    micros=_spark_micros,
    divide=lambda a, b: f"({a}) div {b}",
    quantile=lambda x, p: f"percentile({x}, {number(p)})",
    quote="`",
)
"""Spark 4, and Sail."""


def _snowflake_micros(expression: str, kind: pa.DataType) -> str:
    # Of a time with a zone it would be what clocks show there.
    is_zoned = pa.types.is_timestamp(kind) and kind.tz is not None
    known = f"convert_timezone('UTC', {expression})" if is_zoned else expression
    return f"date_part(epoch_microsecond, cast({known} as timestamp_ntz))"


SNOWFLAKE: Final = Words(
    text="varchar",
    integer="bigint",
    double="double",
    middle="integer",
    small="smallint",
    placeholder=lambda index, _: f":{index}",
    micros=_snowflake_micros,
    # A plain division has a fraction.
    divide=lambda a, b: f"floor(({a}) / {b})",
    quantile=lambda x, p: f"percentile_cont({p}) within group (order by {x})",
    is_nan="{} = cast('NaN' as double)".format,
    round="round({}, 0, 'HALF_TO_EVEN')".format,
    position=lambda part, whole: f"charindex({part}, {whole})",
)
"""Snowflake: made for it, untested."""


def _bigquery_micros(expression: str, kind: pa.DataType) -> str:
    return f"unix_micros(cast({expression} as timestamp))"


BIGQUERY: Final = Words(
    text="string",
    integer="int64",
    double="float64",
    middle="int64",
    small="int64",
    placeholder=lambda index, _: f"@p{index}",
    micros=_bigquery_micros,
    divide=lambda a, b: f"div({a}, {b})",
    # There is no aggregate that interpolates: the middle of many parts is near.
    quantile=lambda x, p: f"approx_quantiles({x}, 1000)[offset({round(p * 1_000)})]",
    is_nan="is_nan({})".format,
    round="round({}, 0, 'ROUND_HALF_EVEN')".format,
    position=lambda part, whole: f"strpos({whole}, {part})",
    quote="`",
    escapes=True,
)
"""BigQuery: made for it, untested; quantiles of users are near."""


def _trino_micros(expression: str, kind: pa.DataType) -> str:
    is_zoned = pa.types.is_timestamp(kind) and kind.tz is not None
    zoned = expression if is_zoned else f"with_timezone({expression}, 'UTC')"
    return f"cast(to_unixtime({zoned}) * 1000000 as bigint)"


TRINO: Final = Words(
    text="varchar",
    integer="bigint",
    double="double",
    middle="integer",
    small="smallint",
    placeholder=_dollar,
    micros=_trino_micros,
    divide=lambda a, b: f"({a}) / {b}",
    # There is no other aggregate for it.
    quantile=lambda x, p: f"approx_percentile({x}, {p})",
    is_nan="is_nan({})".format,
    round="(({}) + 4503599627370496e0) - 4503599627370496e0".format,
    some="offset {1} limit {0}".format,
)
"""Trino: made for it, untested; quantiles of users are near.

It takes values by their place alone: what asks it is to write ? for each mark, and to
give the values in that order.
"""
