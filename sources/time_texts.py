"""Texts of times, read many at once.

What a text's digits mean depends on its shape alone: the text with a 0 for each digit.
So each shape is understood once, by a regular expression, and all texts of that shape
are then read together, a column of digits at a time.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

ISO, APACHE, RFC_2822, JAVASCRIPT = range(4)
SECONDS, MILLISECONDS, MICROSECONDS, NANOSECONDS, WRITTEN = range(4, 9)
"""How a time is written, as in ``Found.form``."""

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WEEKDAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)

_BLOCK: Final = 1 << 15
"""How many texts are read at once: few enough for the cache, and for 16 bits."""
_LONGEST: Final = 128
_MOST_SHAPES: Final = 10_000
_FEW: Final = 100
_PLAIN_LENGTH: Final = len("2024-03-01 10:05:00")

_DAY: Final = 86_400
_MILLION: Final = 1_000_000

_EPOCH: Final = (
    (SECONDS, 10**8, 10**10),
    (MILLISECONDS, 10**11, 10**13),
    (MICROSECONDS, 10**14, 10**16),
    (NANOSECONDS, 10**17, 10**19),
)
"""The unit of a number since 1970, by its size: from the first up to the second."""

_FIRST_COUNTED: Final = 7_305 * _DAY * _MILLION
"""1990-01-01: numbers of earlier times count something else, or from another day."""
_TICKS_STOP: Final = 650_000_000_000_000_000
"""Nanoseconds of August 1990: below it are .NET's ticks of our days, until 2060."""
_DAYS_AHEAD: Final = 731

_FIRST_DAYS: Final = (
    np.arange("0000-01", "10001-01", dtype="M8[M]").astype("M8[D]").astype(np.int32)
)
"""The day since 1970 on which each month begins, from January of the year 0 on."""

_DAYS_IN_MONTH: Final = np.diff(_FIRST_DAYS)

_FIRST_SECOND: Final = int(_FIRST_DAYS[12]) * _DAY
"""Of the year 1, since 1970."""

_Shape = re.Match[bytes]
_Numbers = NDArray[np.int32]


class Found(NamedTuple):
    """Times as they are told, before zones of their own are regarded."""

    microseconds: NDArray[np.int64]
    """Since 1970: of UTC, or of what clocks show where ``local``."""
    good: NDArray[np.bool_]
    """Whether it is a time at all; the rest says nothing where it isn't."""
    local: NDArray[np.bool_]
    """Whether it names no zone."""
    form: NDArray[np.uint8]
    """How it is written: ``ISO`` or another number of a form."""

    def take(self, rows: Any) -> "Found":
        """Only these rows, by their indices, a mask or a slice."""
        return Found(*(values[rows] for values in self))

    def put(self, rows: Any, found: "Found") -> None:
        """Replace these rows."""
        self.microseconds[rows] = found.microseconds
        self.good[rows] = found.good
        self.local[rows] = found.local
        self.form[rows] = found.form


def nothing(rows: int) -> Found:
    """So many rows that are no times."""
    return Found(
        np.zeros(rows, np.int64),
        np.zeros(rows, np.bool_),
        np.zeros(rows, np.bool_),
        np.zeros(rows, np.uint8),
    )


def joined(parts: Sequence[Found]) -> Found:
    """The rows of all parts, of which there is at least one."""
    return Found(
        np.concatenate([part.microseconds for part in parts]),
        np.concatenate([part.good for part in parts]),
        np.concatenate([part.local for part in parts]),
        np.concatenate([part.form for part in parts]),
    )


def from_numbers(whole: NDArray[np.uint64], millionths: NDArray[np.int64]) -> Found:
    """Numbers as times since 1970 in the unit that their size tells; 8 digits as dates.

    *millionths* is what they have behind the point. Numbers that may be a date with a
    time of day, such as 202401151030, are none; neither are those of a time before
    1990, or more than two years from now.
    """
    found = nothing(len(whole))
    for form, low, stop in _EPOCH:
        inside = (whole >= low) & (whole < stop)
        if not inside.any():
            continue
        rows = slice(None) if inside.all() else np.flatnonzero(inside)
        numbers, rest = whole[rows], millionths[rows]
        good: Any = True
        if form == SECONDS:
            good = ~_is_calendar(numbers.astype(np.int64) * 100, 1990)
            microseconds = numbers.astype(np.int64) * _MILLION + rest
        elif form == MILLISECONDS:
            good = ~_is_calendar(numbers.astype(np.int64), 1900)
            microseconds = numbers.astype(np.int64) * 1_000 + rest // 1_000
        elif form == MICROSECONDS:
            microseconds = numbers.astype(np.int64)
        else:
            good = numbers >= np.uint64(_TICKS_STOP)
            microseconds = (numbers // np.uint64(1_000)).astype(np.int64)
        good &= (microseconds >= _FIRST_COUNTED) & (microseconds < _stop_counted())
        found.microseconds[rows] = microseconds
        found.good[rows] = good
        found.form[rows] = form
    rows = np.flatnonzero((whole >= 10**7) & (whole < 10**8))
    if len(rows):
        numbers = whole[rows].astype(np.int64)
        days, good = _calendar_days(
            numbers // 10_000, numbers // 100 % 100, numbers % 100
        )
        found.microseconds[rows] = days.astype(np.int64) * _DAY * _MILLION
        found.good[rows] = (
            good & (millionths[rows] == 0) & _is_recent(numbers // 10_000)
        )
        found.local[rows] = True
    return found


class TextReader:
    """Reads texts of times, either of the usual forms or of one that is given."""

    def __init__(self, time_format: str | None = None) -> None:
        """Raise ValueError for a format that ``compile_format`` refuses."""
        self._patterns = _PATTERNS
        if time_format is not None:
            self._patterns = ((WRITTEN, compile_format(time_format)),)
        self._shapes: dict[bytes, tuple[int, _Shape] | None] = {}

    def read(self, texts: pa.Array) -> Found:
        """The times of an array of strings or of binary; blanks around don't matter."""
        if texts.null_count:
            texts = texts.fill_null(b"" if pa.types.is_binary(texts.type) else "")
        large = pa.types.is_large_string(texts.type) or pa.types.is_large_binary(
            texts.type
        )
        _, offsets, data = texts.buffers()
        if data is None or not len(texts):
            return nothing(len(texts))
        bounds = np.frombuffer(offsets, np.int64 if large else np.int32)
        bounds = bounds[texts.offset : texts.offset + len(texts) + 1]
        if self._patterns is _PATTERNS:
            plain = _plain(texts, bounds)
            if plain is not None:
                return plain
        found = nothing(len(texts))
        letters = np.frombuffer(data, np.uint8)
        for start in range(0, len(texts), _BLOCK):
            block = bounds[start : start + _BLOCK + 1]
            view = found.take(slice(start, start + _BLOCK))
            for rows, columns in _by_length(letters, block):
                for part, values in self._by_shape(columns):
                    view.put(part if rows is None else rows[part], values)
        return found

    def _by_shape(self, columns: NDArray[np.uint8]) -> Iterator[tuple[Any, Found]]:
        """Of texts of one length: rows that are times, all or some, and these."""
        digits = columns - np.uint8(ord("0"))
        shapes = columns - digits * (digits < 10)
        if (shapes == shapes[:, :1]).all():
            shape = self._shape(shapes[:, 0].tobytes())
            if shape:
                yield slice(None), _read_alike(digits, *shape)
            return
        length, n = shapes.shape
        packed = pa.py_buffer(np.ascontiguousarray(shapes.T))
        array = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(length), n, [None, packed]
        )
        encoded = array.dictionary_encode()
        codes = encoded.indices.to_numpy().astype(np.uint16)
        order = np.argsort(codes, kind="stable")
        stops = np.cumsum(np.bincount(codes))
        for text, stop, start in zip(
            encoded.dictionary.to_pylist(), stops, [0, *stops[:-1]], strict=True
        ):
            shape = self._shape(text)
            if shape:
                rows = order[start:stop]
                yield rows, _read_alike(digits[:, rows], *shape)

    def _shape(self, shape: bytes) -> tuple[int, _Shape] | None:
        """The form of texts of this shape, and where in them what is; None if none."""
        if shape not in self._shapes:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            matches = ((form, p.fullmatch(shape)) for form, p in self._patterns)
            self._shapes[shape] = next(((form, m) for form, m in matches if m), None)
        return self._shapes[shape]


def compile_format(text: str) -> re.Pattern[bytes]:
    """What matches the shapes of texts that are written as a format of strptime says.

    Raises ValueError in one line if the format can't be used, leaves the day open, or
    has hours from which the time of day doesn't follow.
    """
    text = re.sub("%.", lambda found: _EXPANDED.get(found[0], found[0]), text)
    parts = re.findall(r"%.?|\s+|[0-9]+|[^%\s0-9]+", text, re.DOTALL)
    seen = [part[1:] for part in parts if part[0] == "%" and part != "%%"]
    _check_directives(text, seen)
    numeric = [_is_numeric(part) for part in parts]
    pieces = []
    for index, part in enumerate(parts):
        before, after = (
            numeric[:index][-1:] == [True],
            numeric[index + 1 :][:1] == [True],
        )
        if part == "%%":
            piece = "%"
        elif part == "%f":
            piece = "(?P<f>0{6})" if after else "(?P<f>0+)"
        elif part == "%Z" and "z" in seen:
            piece = "[a-z]{1,5}"
        elif part[0] == "%" and part[1:] in _WIDTHS:
            least, most = _WIDTHS[part[1:]]
            # Between numbers without a mark only their width tells which is which.
            least = most if before or after else least
            piece = f"(?P<{part[1:]}>0{{{least},{most}}})"
        elif part[0] == "%":
            piece = _WORDS[part[1:]]
        elif part.isspace():
            piece = f"{_BLANK}+"
        elif part[0] in "0123456789":
            piece = f"(?P<is{index}_{part}>{'0' * len(part)})"
        else:
            letters = part.encode("utf-8", "surrogateescape")
            piece = re.escape(letters).decode("latin-1")
        pieces.append(piece)
    return _compiled("".join(pieces))


def _is_numeric(part: str) -> bool:
    """Whether a part of a format stands for digits next to which others are unclear."""
    return part[0] in "0123456789" or (part[0] == "%" and part[1:] in _WIDTHS)


def _check_directives(text: str, seen: list[str]) -> None:
    """Raise ValueError unless these directives tell a time, and tell it once."""
    known = set(_WIDTHS) | set(_WORDS) | {"f"}
    for name in seen:
        if name not in known:
            raise ValueError(f"{'%' + name!r} of {text!r} can't be used")
    for same in ("Yy", "mbB", "HI", *"djMSfpzZGVu"):
        if sum(name in same for name in seen) > 1:
            said = " or ".join(f"%{name}" for name in same)
            raise ValueError(f"{text!r} has {said} more than once")
    has = set(seen)
    month = has & set("mbB") and "d" in has
    if not (has & set("Yy") and (month or "j" in has)) and not has >= set("GVu"):
        raise ValueError(f"{text!r} leaves the day open: it needs %Y, %m and %d")
    if ("I" in has) != ("p" in has):
        raise ValueError(f"{text!r} needs both %I and %p, or %H")


def _plain(texts: pa.Array, bounds: NDArray[Any]) -> Found | None:
    """The times of texts that are all such as "2024-03-01 10:05:00"; None for others.

    Arrow reads these in half the time.
    """
    if not (np.diff(bounds) == _PLAIN_LENGTH).all():
        return None
    try:
        # Arrow goes on to the end, slowly, after a text that it can't read.
        texts[:_FEW].cast(pa.timestamp("s"))
        seconds = texts.cast(pa.timestamp("s")).view(pa.int64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    # Arrow knows a year 0.
    if seconds.min() < _FIRST_SECOND:
        return None
    every = np.ones(len(seconds), np.bool_)
    form = np.full(len(seconds), ISO, np.uint8)
    return Found(seconds * _MILLION, every, every.copy(), form)


def _by_length(
    letters: NDArray[np.uint8], bounds: NDArray[Any]
) -> Iterator[tuple[NDArray[np.int64] | None, NDArray[np.uint8]]]:
    """Rows (None: all) with texts of one length, and (length, rows): their letters."""
    lengths = np.diff(bounds)
    # Most files write all times alike.
    alike = bool((lengths == lengths[0]).all())
    each = lengths[:1] if alike else np.unique(np.minimum(lengths, _LONGEST + 1))
    for length in each.tolist():
        if not 0 < length <= _LONGEST:
            continue
        if alike:
            block = letters[bounds[0] : bounds[-1]].reshape(-1, length)
            yield None, np.ascontiguousarray(block.T)
            continue
        rows = np.flatnonzero(lengths == length)
        starts = bounds[rows]
        columns = np.empty((length, len(rows)), np.uint8)
        for index in range(length):
            np.take(letters, starts + index, out=columns[index], mode="clip")
        yield rows, columns


def _read_alike(digits: NDArray[np.uint8], form: int, shape: _Shape) -> Found:
    """The times of texts of one shape, given (length, rows): what their digits are."""
    spans = {
        name: shape.span(name)
        for name in shape.re.groupindex
        if shape[name] is not None
    }
    good = np.ones(digits.shape[1], np.bool_)
    for name, (start, _) in spans.items():
        for index, digit in enumerate(name.partition("_")[2]):
            good &= digits[start + index] == int(digit)
    fraction = _fraction(digits, spans)
    if "n" in spans:
        start, stop = spans["n"]
        found = from_numbers(_long_number(digits, start, stop), fraction)
        # With a 0 in front it is an id rather than a number.
        return found._replace(good=found.good & (digits[start] != 0))
    fields = {
        name: _number(digits, *span) for name, span in spans.items() if name in _FIELDS
    }
    days, exists = _days(fields, shape)
    seconds, shown = _seconds(fields, shape, fraction)
    offset, known = _offset(fields, shape)
    good &= exists & shown & known
    if form == ISO and "Y" in fields and shape.groupdict().get("mark") == b"":
        good &= _is_recent(fields["Y"])
    microseconds = days.astype(np.int64) * _DAY
    microseconds += seconds - offset
    microseconds *= _MILLION
    microseconds += fraction
    local = np.full(len(good), not {"utc", "sign"} & set(spans))
    return Found(microseconds, good, local, np.full(len(good), form, np.uint8))


def _number(digits: NDArray[np.uint8], start: int, stop: int) -> _Numbers:
    """The numbers in these columns, at most 9."""
    numbers: _Numbers = digits[start].astype(np.int32)
    for column in digits[start + 1 : stop]:
        numbers *= 10
        numbers += column
    return numbers


def _long_number(
    digits: NDArray[np.uint8], start: int, stop: int
) -> NDArray[np.uint64]:
    """The numbers in these columns, at most 19."""
    numbers = np.zeros(digits.shape[1], np.uint64)
    for first in range(start, stop, 9):
        last = min(first + 9, stop)
        numbers *= np.uint64(10 ** (last - first))
        numbers += _number(digits, first, last).astype(np.uint64)
    return numbers


def _fraction(
    digits: NDArray[np.uint8], spans: dict[str, tuple[int, int]]
) -> NDArray[np.int64]:
    """Millionths of what the text counts, without the rest."""
    if "f" not in spans:
        return np.zeros(digits.shape[1], np.int64)
    start, stop = spans["f"]
    stop = min(stop, start + 6)
    return _number(digits, start, stop) * np.int64(10 ** (6 - stop + start))


def _days(fields: dict[str, _Numbers], shape: _Shape) -> tuple[_Numbers, Any]:
    """Days since 1970, and which there are in the calendar."""
    if "V" in fields:
        return _week_days(fields["G"], fields["V"], fields["u"])
    year = fields.get("Y")
    if year is None:
        year = fields["y"] + np.where(fields["y"] < 69, np.int32(2000), np.int32(1900))
    if "d" not in fields:
        day = fields["j"]
        first = _FIRST_DAYS[year * 12]
        inside = (day >= 1) & (first + day <= _FIRST_DAYS[year * 12 + 12])
        return first + day - 1, inside & (year > 0)
    month: Any = fields.get("m")
    if month is None:
        month = np.int32(_SHORT_MONTHS.index(shape["b"][:3].lower()) + 1)
    return _calendar_days(year, month, fields["d"])


def _calendar_days(year: Any, month: Any, day: Any) -> tuple[Any, Any]:
    """Days since 1970, and which there are in the calendar."""
    good = (year > 0) & (month >= 1) & (month <= 12) & (day >= 1)
    index = np.where(good, year * 12 + month - 1, 0)
    return _FIRST_DAYS[index] + day - 1, good & (day <= _DAYS_IN_MONTH[index])


def _week_days(year: Any, week: Any, weekday: Any) -> tuple[Any, Any]:
    """Days since 1970 by ISO's weeks, and which there are."""

    def monday(year: Any) -> Any:
        # The first week is that of 4 January; 1 January 1970 was a Thursday.
        fourth = _FIRST_DAYS[year * 12] + 3
        return fourth - (fourth + 3) % 7

    first = monday(year) + (week - 1) * 7
    good = (year > 0) & (week >= 1) & (first < monday(year + 1))
    return first + weekday - 1, good & (weekday >= 1) & (weekday <= 7)


def _seconds(
    fields: dict[str, _Numbers], shape: _Shape, fraction: NDArray[np.int64]
) -> tuple[Any, Any]:
    """Seconds since midnight, and which clocks show; with 24:00 and leap seconds."""
    hour: Any = fields.get("H", 0)
    good: Any = True
    if "I" in fields:
        good = (fields["I"] >= 1) & (fields["I"] <= 12)
        hour = fields["I"] % 12 + 12 * (shape["p"].lower() == b"pm")
    minute, second = fields.get("M", 0), fields.get("S", 0)
    seconds = hour * 3_600 + minute * 60 + second
    good = good & (minute < 60) & (second <= 60)
    midnight = (hour == 24) & (seconds == _DAY) & (fraction == 0)
    return seconds, good & ((hour < 24) | midnight)


def _offset(fields: dict[str, _Numbers], shape: _Shape) -> tuple[Any, Any]:
    """Seconds that the named zone is ahead of UTC, and which there may be."""
    if "zh" not in fields:
        return 0, True
    hour, minute, second = (fields.get(name, 0) for name in ("zh", "zm", "zs"))
    ahead = hour * 3_600 + minute * 60 + second
    good = (hour < 24) & (minute < 60) & (second < 60)
    return (-ahead if shape["sign"] == b"-" else ahead), good


def _is_recent(year: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether digits alone are a date's: 24030112 is no day in 2403."""
    return (year >= 1900) & (year < 2100)


def _stop_counted() -> int:
    """Microseconds since 1970 of the midnight two years after that of today."""
    today = int(datetime.now(UTC).timestamp()) // _DAY
    return (today + 1 + _DAYS_AHEAD) * _DAY * _MILLION


def _is_calendar(numbers: NDArray[np.int64], first_year: int) -> NDArray[np.bool_]:
    """Which are digits of a year, from that up to 2099, down to a minute."""
    year = numbers // 10**8
    found: NDArray[np.bool_] = (year >= first_year) & (year < 2100)
    if found.any():
        rest = numbers[found]
        month, day = rest // 10**6 % 100, rest // 10**4 % 100
        _, exists = _calendar_days(year[found], month, day)
        found[found] = exists & (rest // 100 % 100 < 24) & (rest % 100 < 60)
    return found


def _compiled(pattern: str) -> re.Pattern[bytes]:
    """A pattern of whole shapes with blanks around, in UTF-8 taken for Latin-1."""
    around = f"{_BLANK}*{pattern}{_BLANK}*"
    return re.compile(around.encode("latin-1"), re.IGNORECASE)


# Those of other widths than the ASCII one are before AM and PM in newer systems.
_BLANK: Final = "(?:\\s|\xc2\xa0|\xe2\x80\xaf)"
_OFFSET: Final = "(?P<sign>[+-])(?P<zh>00)(?::?(?P<zm>00)(?::?(?P<zs>00))?)?"
_FIELDS: Final = frozenset(
    ("Y", "y", "m", "d", "j", "G", "V", "u", "H", "I", "M", "S", "zh", "zm", "zs")
)
_SHORT_MONTHS: Final = [month[:3].lower().encode() for month in MONTHS]
_EXPANDED: Final = {
    "%c": "%a %b %d %H:%M:%S %Y",
    "%x": "%m/%d/%y",
    "%X": "%H:%M:%S",
}
_WIDTHS: Final = {
    **dict.fromkeys("mdHIMSV", (1, 2)),
    **dict.fromkeys("YG", (4, 4)),
    "y": (2, 2),
    "j": (1, 3),
    "u": (1, 1),
}
"""The least and the most digits of what a format's letter stands for."""


def _any_of(names: Sequence[str], length: int | None = None) -> str:
    return "|".join(name[:length] for name in names)


_WORDS: Final = {
    "b": f"(?P<b>{_any_of(MONTHS, 3)})",
    "B": f"(?P<b>{_any_of(MONTHS)})",
    "a": f"(?:{_any_of(WEEKDAYS, 3)})",
    "A": f"(?:{_any_of(WEEKDAYS)})",
    "p": "(?P<p>AM|PM)",
    "z": f"(?:(?P<utc>Z)|{_OFFSET})",
    "Z": "(?P<utc>UTC|GMT|Z)",
}


def _usual_patterns() -> Iterator[tuple[int, re.Pattern[bytes]]]:
    """What matches the shapes of texts that are read without a format."""
    # Go writes "+0000 UTC" and "+0100 CET", Java a region in brackets.
    zone = (
        r"(?:\s?(?:(?P<utc>Z|UTC?|GMT|Etc/UTC|[+-](?P<is_0000>0000)\ (?:UTC|GMT))"
        rf"|(?:UTC|GMT)?{_OFFSET}(?:\s(?!UTC|GMT)[a-z]{{3,5}})?)(?:\[[\w/+-]*\])?)"
    )
    time = (
        r"(?P<H>00)(?:(?P<colon>:?)(?P<M>00)"
        rf"(?:(?P=colon)(?P<S>00)(?:[.,](?P<f>0+))?)?)?{zone}?"
    )
    dates = (
        r"(?P<Y>0000)(?P<mark>[-/]?)(?P<m>00)(?P=mark)(?P<d>00)",
        r"(?P<G>0000)(?P<mark>-?)W(?P<V>00)(?P=mark)(?P<u>0)",
        r"(?P<Y>0000)(?:-(?P<j>000))",
    )
    for date in dates:
        yield ISO, _compiled(f"{date}(?:[T\\s]{time})?")
    # Not ISO 8601, but clear, as the year comes first.
    yield (
        ISO,
        _compiled(
            r"(?P<Y>0000)(?P<mark>[-/])(?P<m>00?)(?P=mark)(?P<d>00?)(?:[T\s]"
            rf"(?P<H>00?):(?P<M>00)(?::(?P<S>00)(?:[.,](?P<f>0+))?)?{zone}?)?"
        ),
    )
    # Alone, seven digits are a number.
    yield ISO, _compiled(f"(?P<Y>0000)(?P<j>000)[T\\s]{time}")
    clock = "(?P<H>00):(?P<M>00):(?P<S>00)"
    month = _WORDS["b"]
    yield (
        APACHE,
        _compiled(
            rf"(\[)?(?P<d>00)/{month}/(?P<Y>0000):{clock}(?:\.(?P<f>0+))?{zone}?(?(1)\])"
        ),
    )
    yield (
        RFC_2822,
        _compiled(
            rf"(?:{_WORDS['a']},\s*)?(?P<d>00?)\s+{month}\s+(?P<Y>0000)\s+"
            rf"(?P<H>00):(?P<M>00)(?::(?P<S>00))?{zone}(?:\s\([a-z ]*\))?"
        ),
    )
    yield (
        JAVASCRIPT,
        _compiled(
            rf"{_WORDS['a']}\s{month}\s(?P<d>00?)\s(?P<Y>0000)\s{clock}\s"
            rf"GMT{_OFFSET}(?:\s\([^()]*\))?"
        ),
    )
    yield SECONDS, _compiled(r"(?P<n>0{8,19})(?:[.,](?P<f>0+))?")


_PATTERNS: Final = tuple(_usual_patterns())
