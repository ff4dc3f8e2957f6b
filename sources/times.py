"""One column of a file as times: texts, numbers since 1970, or Arrow's own types."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from formatting import count_text
from sources.origin import BadInput
from sources.time_texts import (
    MONTHS,
    WEEKDAYS,
    WRITTEN,
    Found,
    TextReader,
    compile_format,
    from_numbers,
    joined,
    nothing,
)

_FORMS: Final = (
    *("ISO 8601", "Apache's form", "RFC 2822", "JavaScript's form"),
    *(f"{unit}seconds since 1970" for unit in ("", "milli", "micro", "nano")),
    *("written as", "timestamps", "days"),
)
"""The forms of ``time_texts`` and, behind them, two more."""

_TIMESTAMPS, _DATES = len(_FORMS) - 2, len(_FORMS) - 1

_MILLION: Final = 1_000_000
_IN_MICROSECONDS: Final = {"us": 1, "ms": 1_000, "s": _MILLION, "D": 86_400 * _MILLION}
_START, _USUAL_START, _USUAL_STOP, _STOP = (
    int(np.datetime64(f"{year:04}-01-01", "us").astype(np.int64))
    for year in (1, 1700, 2200, 10_000)
)


class Times(NamedTuple):
    """The times of some rows."""

    microseconds: NDArray[np.int64]
    """Since 1970-01-01 UTC, within the years 1 to 9999; 0 where unreadable."""
    unreadable: NDArray[np.bool_]
    """Whether the row has no time, be it empty or something else."""


class TimeReader:
    """Reads the times of one file, part by part."""

    def __init__(self, time_format: str | None, times_in: str | None) -> None:
        """*times_in* is the IANA name of the zone of times that name none.

        Raises ValueError for a format that ``check_format`` refuses.
        """
        self._texts = TextReader(time_format)
        self._time_format = time_format
        self._zone = times_in
        self._forms: dict[int, None] = {}
        self._any_local = False
        self._shown_twice = self._never_shown = 0

    def read(self, column: pa.ChunkedArray) -> Times:
        """The times of a column of any type.

        Raises BadInput, in one line, for a type that holds no times.
        """
        chunks = [self._found(chunk) for chunk in column.chunks]
        if not chunks:
            chunks = [self._found(pa.array([], column.type))]
        found = joined(chunks)
        good = found.good
        if self._zone is not None:
            self._localise(found)
        good &= (found.microseconds >= _START) & (found.microseconds < _STOP)
        self._any_local |= bool((good & found.local).any())
        self._note_forms(found)
        return Times(np.where(good, found.microseconds, 0), ~good)

    def description(self) -> str:
        """How the times are written, such as "ISO 8601, UTC where no zone is named"."""
        forms = (
            f"written as {self._time_format!r}" if form == WRITTEN else _FORMS[form]
            for form in self._forms
        )
        zone = f", {self._zone or 'UTC'} where no zone is named"
        return " or ".join(forms) + zone * self._any_local

    def notes(self) -> list[str]:
        """What a person should know of the times, in sentences."""
        hour = f"into an hour that clocks in {self._zone}"
        notes = []
        if n := self._shown_twice:
            falls = f"{count_text(n, 'time')} {'falls' if n == 1 else 'fall'}"
            notes.append(f"{falls} {hour} show twice; the earlier is taken.")
        if n := self._never_shown:
            falls = f"{count_text(n, 'time')} {'falls' if n == 1 else 'fall'}"
            moved = "it is moved" if n == 1 else "they are moved"
            notes.append(f"{falls} {hour} skip; {moved} on by as much.")
        return notes

    def _found(self, array: pa.Array) -> Found:
        """The times of a part of a column, before zones of their own are regarded."""
        kind = array.type
        if pa.types.is_null(kind):
            return nothing(len(array))
        if pa.types.is_dictionary(kind):
            # One row more, for those that are null.
            found = joined([self._found(array.dictionary), nothing(1)])
            indices = array.indices.cast(pa.int64()).fill_null(len(array.dictionary))
            return found.take(indices.to_numpy())
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return _from_arrow(array)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            if self._time_format is None:
                return (
                    _from_floats(array)
                    if pa.types.is_floating(kind)
                    else _from_integers(array)
                )
            return self._texts.read(_whole_texts(array))
        if pa.types.is_decimal(kind):
            return self._texts.read(
                _decimal_texts(array, self._time_format is not None)
            )
        if str(kind) in ("string_view", "binary_view"):
            array = array.cast(getattr(pa, f"large_{str(kind)[:6]}")())
        if str(array.type).removeprefix("large_") not in ("string", "binary"):
            raise BadInput(
                f"the column of the time holds {kind!s:.200}, where times should be"
            )
        return self._texts.read(array)

    def _localise(self, found: Found) -> None:
        """Make times that name no zone, and are of ``self._zone``, times of UTC."""
        inside = (found.microseconds >= _START) & (found.microseconds < _STOP)
        found.good[found.local & ~inside] = False
        rows = np.flatnonzero(found.local & found.good)
        clock = found.microseconds[rows]
        # pandas refuses the first and the last day, and is slow centuries from now.
        usual = (clock >= _USUAL_START) & (clock < _USUAL_STOP)
        times = pd.DatetimeIndex(np.where(usual, clock, 0).view("M8[us]"))
        zoned = times.tz_localize(self._zone, ambiguous="NaT", nonexistent="NaT")
        microseconds = zoned.asi8.copy()
        odd = np.flatnonzero(zoned.isna() | ~usual)
        seconds, codes = np.unique(clock[odd] // _MILLION, return_inverse=True)
        before, after = self._offsets(seconds.tolist())
        microseconds[odd] = clock[odd] - before[codes] * _MILLION
        found.microseconds[rows] = microseconds
        self._shown_twice += int((before > after)[codes].sum())
        self._never_shown += int((before < after)[codes].sum())

    def _offsets(
        self, seconds: list[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Seconds that the zone is ahead of UTC before and after its clocks change.

        *seconds* are times since 1970 as the clocks show them; where these don't
        change, both are the same.
        """
        zone = ZoneInfo(self._zone or "UTC")
        clocks = [
            datetime(1970, 1, 1, tzinfo=zone) + timedelta(seconds=n) for n in seconds
        ]
        before, after = (
            np.array([_ahead(clock.replace(fold=fold)) for clock in clocks], np.int64)
            for fold in (0, 1)
        )
        return before, after

    def _note_forms(self, found: Found) -> None:
        """Remember the forms of good times, in the order in which they come."""
        firsts = []
        for form in range(len(_FORMS)):
            if form not in self._forms:
                has = found.good & (found.form == form)
                if has.any():
                    firsts.append((int(has.argmax()), form))
        self._forms.update(dict.fromkeys(form for _, form in sorted(firsts)))


def _ahead(time: datetime) -> int:
    """Seconds that a time's zone is ahead of UTC."""
    return (time.utcoffset() or timedelta()) // timedelta(seconds=1)


def _from_arrow(array: pa.Array) -> Found:
    """Timestamps of any unit, and dates."""
    kind = array.type
    is_date = pa.types.is_date(kind)
    unit = {"date32[day]": "D", "date64[ms]": "ms"}[str(kind)] if is_date else kind.unit
    bits = pa.int32() if kind.bit_width == 32 else pa.int64()
    counts = array.view(bits).fill_null(0).to_numpy().astype(np.int64, copy=False)
    found = nothing(len(array))
    found.good[:] = array.is_valid().to_numpy(zero_copy_only=False)
    found.local[:] = is_date or kind.tz is None
    found.form[:] = _DATES if is_date else _TIMESTAMPS
    if unit == "ns":
        found.microseconds[:] = counts // 1_000
        return found
    each = _IN_MICROSECONDS[unit]
    # Times of other years would overflow.
    inside = (counts >= _START // each) & (counts < _STOP // each)
    found.good[:] &= inside
    found.microseconds[:] = np.where(inside, counts, 0) * each
    return found


def _from_integers(array: pa.Array) -> Found:
    """Whole numbers since 1970, or dates of 8 digits."""
    counts = array.fill_null(0).to_numpy()
    whole = np.maximum(counts, 0).astype(np.uint64)
    return from_numbers(whole, np.zeros(len(whole), np.int64))


def _from_floats(array: pa.Array) -> Found:
    """Numbers since 1970, or dates of 8 digits."""
    numbers = array.cast(pa.float64()).fill_null(0).to_numpy()
    numbers = np.where((numbers >= 0) & (numbers < 10.0**19), numbers, 0)
    whole = np.floor(numbers)
    # Doubles of milliseconds aren't exact down to a millionth of these.
    parts = np.where(whole < 10.0**11, 10.0**6, 10.0**3)
    millionths = np.rint((numbers - whole) * parts) * (10.0**6 / parts)
    return from_numbers(whole.astype(np.uint64), millionths.astype(np.int64))


def _whole_texts(array: pa.Array) -> pa.Array:
    """Numbers as texts; null where they aren't whole."""
    if pa.types.is_floating(array.type):
        numbers = array.cast(pa.float64()).fill_null(np.nan).to_numpy()
        whole = (numbers == np.floor(numbers)) & (np.abs(numbers) < 10.0**18)
        counts = np.where(whole, numbers, 0).astype(np.int64)
        array = pa.array(counts, mask=~whole)
    return array.cast(pa.string())


def _decimal_texts(array: pa.Array, only_whole: bool) -> pa.Array:
    """Decimals as texts, without a fraction of 0 if they should be whole numbers."""
    if array.type.scale < 0:
        array = array.cast(pa.decimal256(76, 0))
    texts = array.cast(pa.string())
    return pc.replace_substring_regex(texts, r"\.0*$", "") if only_whole else texts


def check_format(text: str) -> str:
    """A format as it is, for strptime, if it can be used and tells the day.

    Raises ValueError in one line otherwise.
    """
    compile_format(text)
    return text


def hint(value: str) -> str:
    """What a person can do about a text that isn't read; empty where nothing helps.

    For example "add --time-format '%d/%m/%Y %H:%M'". Each format that it says reads the
    text; where the order of day, month and year is open, it says all there are.
    """
    value = value.strip()
    if not re.search("[0-9]", value):
        return ""
    found: dict[str, str] = {}
    for order, time_format in _candidates(value):
        if time_format not in found.values() and _reads(time_format, value):
            found[order] = time_format
    if not found:
        whole = ((p.fullmatch(value), advice) for p, advice in _ADVICE)
        return next((advice for match, advice in whole if match), _NO_ADVICE)
    zone = _times_in(value, next(iter(found.values())))
    if len(found) == 1:
        said = f" {zone}" if zone else ""
        return f"add --time-format '{next(iter(found.values()))}'{said}"
    (first, time_format), *others = found.items()
    more = (f"'{other}' if the {order} does" for order, other in others)
    said = f", and {zone}" if zone else ""
    return (
        f"add --time-format '{time_format}' if the {first} comes first, "
        f"{', '.join(more)}{said}"
    )


def _reads(time_format: str, value: str) -> bool:
    """Whether the format reads the text, as a time of the last or this century."""
    try:
        reader = TimeReader(time_format, None)
    except ValueError:
        return False
    times = reader.read(pa.chunked_array([[value]], pa.string()))
    inside = _HINTED_START <= times.microseconds[0] < _HINTED_STOP
    return bool(inside and not times.unreadable[0])


def _times_in(value: str, time_format: str) -> str:
    """The option for the zone that a text names, by a name that its format repeats."""
    if "%z" in time_format or "%Z" in time_format:
        return ""
    for found in _PIECES.finditer(value):
        if found.lastgroup == "region":
            return f"--times-in {found[0]}"
        if found.lastgroup == "zone_name" and found[0] not in _NAMES:
            such = _ZONES.get(found[0], "Europe/Berlin")
            return f"--times-in ZONE, with the zone's full name such as {such}"
    return ""


_HINTED_START, _HINTED_STOP = (
    int(np.datetime64(f"{year}-01-01", "us").astype(np.int64)) for year in (1900, 2100)
)
_PIECES: Final = re.compile(
    r"""(?P<midnight>(?:T|(?<=\s))00:00(?::00(?:[.,]0+)?)?Z?(?=\s+[0-9]{1,2}[:.h][0-9]))
    |(?P<clock>(?<![0-9])[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:\s*[AP]M\b)?
        |(?:(?<=[0-9][\sT])|(?<=[0-9],\s))
            [0-9]{1,2}\.[0-9]{2}(?:\.[0-9]{2}(?:[.,][0-9]+)?)?(?![0-9.])(?:\s*[AP]M\b)?
        |(?<![0-9])[0-9]{1,2}h[0-9]{2}(?![0-9]))
    |(?P<date>(?<![0-9])[0-9]{1,4}(?P<sep>[/.-])[0-9]{1,2}(?P=sep)[0-9]{1,4}(?![0-9]))
    |(?P<zone>(?:(?<=[0-9])|(?<=[0-9M]\s))[+-][0-9]{2}:?[0-9]{2}\b)
    |(?P<region>(?<![A-Z])[A-Z][A-Z_]+(?:/[A-Z_+-]+)+)
    |(?P<name>\b(?:UTC|GMT|Z)\b)
    |(?P<zone_name>(?:(?<=[0-9])|(?<=[0-9M]\s))(?-i:[A-Z]{3,5})\b)
    |(?P<number>[0-9]+)|(?P<word>[A-Z]+)|(?P<mark>[\s,/.:;|()\[\]_-]+)|(?P<other>.)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL | re.ASCII,
)
_ORDERS: Final = {"day": "dmy", "month": "mdy", "year": "ymd"}
_COMPACT: Final = {12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f"}
_ONLY_DIGITS: Final = {
    6: {"day": "%d%m%y", "month": "%m%d%y", "year": "%y%m%d"},
    8: {"day": "%d%m%Y", "month": "%m%d%Y"},
    10: {"year of 4 digits": "%Y%m%d%H", "year of 2 digits": "%y%m%d%H%M"},
    12: {"year of 4 digits": "%Y%m%d%H%M", "year of 2 digits": "%y%m%d%H%M%S"},
}
_NAMES: Final = {
    "T": "T",
    **{name.upper(): "%B" for name in MONTHS},
    **{name[:3].upper(): "%b" for name in MONTHS},
    **{name.upper(): "%A" for name in WEEKDAYS},
    **{name[:3].upper(): "%a" for name in WEEKDAYS},
}
_ZONES: Final = {
    **dict.fromkeys(("EST", "EDT"), "America/New_York"),
    **dict.fromkeys(("CST", "CDT"), "America/Chicago"),
    **dict.fromkeys(("MST", "MDT"), "America/Denver"),
    **dict.fromkeys(("PST", "PDT"), "America/Los_Angeles"),
    "BST": "Europe/London",
}
_NO_NAME: Final = rf"(?!(?:{'|'.join(_NAMES)})\b)"
_NO_ADVICE: Final = "if it is a time, say how it is written with --time-format"
_ADVICE: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), advice)
    for pattern, advice in (
        (
            "(?:[2-5][0-9]{4}|60000)(?:[.,][0-9]+)?",
            "a day number of a spreadsheet: format the column as date and time there, "
            "and save it again",
        ),
        (
            "[0-9]+(?:[.,][0-9]*)?E[+-]?[0-9]+",
            "a rounded number: export the column as whole numbers or as text",
        ),
        (
            r"[0-9]{1,2}[:h][0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:\s*[AP]M)?",
            "a time without a day: add --time DAY+TIME where another column has the "
            "day",
        ),
        (
            # 29 February isn't in every year: it has no hint.
            "[0-9]{2}((0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])(29|30)"
            "|(0[13578]|1[02])31)([01][0-9]|2[0-3])",
            "add --time-format '%y%m%d%H' if it is a year, month, day and hour",
        ),
        (
            "[0-9]{17,19}",
            "a number that isn't counted from 1970: export the column as text, such as "
            "2024-03-01 10:05:00",
        ),
        (
            # "1. März 2024", or "März 1, 2024".
            rf"(?:.*\s)?(?:[0-9]{{1,2}}[.\s/-]+(?:de\s)?{_NO_NAME}"
            r"[^\W\d_]{3,}\.?[\s/-]+(?:de\s)?(?:[0-9]{4}|[0-9]{2})\b.*"
            rf"|{_NO_NAME}[^\W\d_]{{3,}}\.?\s[0-9]{{1,2}},?\s[0-9]{{4}}\b.*)",
            "names of months are read in English only: export the column with numbers, "
            "such as 2024-03-01 10:05:00",
        ),
    )
)
"""What to do about texts that no format reads."""


def _candidates(value: str) -> Iterator[tuple[str, str]]:
    """Formats of which one may be that of the text, with what comes first in each."""
    value = re.sub("[\u00a0\u202f]", " ", value)
    if re.fullmatch("[0-9]+", value) and len(value) in _ONLY_DIGITS:
        yield from _ONLY_DIGITS[len(value)].items()
        return
    for order, letters in _ORDERS.items():
        pieces: list[str] = []
        for found in _PIECES.finditer(value):
            piece = _piece(found, letters, "".join(pieces))
            if not piece:
                break
            pieces.append(piece)
        else:
            yield order, "".join(pieces)


def _piece(found: re.Match[str], letters: str, before: str) -> str:
    """The format of a piece of a text behind that format; empty if it has none."""
    text = found[0]
    has_clock = "%M" in before
    match found.lastgroup:
        case "clock":
            return _clock_format(text)
        case "date":
            return _date_format(text, letters)
        case "zone":
            return "%z"
        case "name":
            return "%Z"
        case "midnight":
            return text
        case "region":
            return text if has_clock and _is_zone(text) else ""
        case "number" if len(text) in _COMPACT:
            return _COMPACT[len(text)]
        case "number" if len(text) == 4:
            return "%Y"
        case "number" if len(text) <= 2:
            return "%y" if "%d" in before else "%d"
        case "mark":
            return re.sub(r"\s+", " ", text)
    if has_clock and (text.upper() == "UHR" or found.lastgroup == "zone_name"):
        return _NAMES.get(text.upper(), text)
    return _NAMES.get(text.upper(), "")


def _is_zone(name: str) -> bool:
    """Whether there is a zone of this IANA name."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return False
    return True


def _clock_format(text: str) -> str:
    """The format of a time of day such as "1:45:00.5 PM", "10.05" or "10h05"."""
    has_half = text[-1] in "mM"
    clock = re.sub("[0-9]+", "%H", text, count=1)
    clock = re.sub("([:.hH])[0-9]+", r"\1%M", clock, count=1)
    clock = re.sub("([:.])[0-9]+", r"\1%S", clock, count=1)
    clock = re.sub("([.,])[0-9]+", r"\1%f", clock)
    if has_half:
        clock = re.sub(r"(\s?)\s*..$", r"\1%p", clock.replace("%H", "%I"))
    return clock


def _date_format(text: str, letters: str) -> str:
    """The format of a date such as "31/12/24" in an order; empty if it can't be."""
    mark = re.sub("[0-9]", "", text)[0]
    parts = []
    for number, letter in zip(text.split(mark), letters, strict=True):
        if len(number) == 4 and letter == "y":
            letter = "Y"
        elif len(number) > 2 or (letter == "y" and letters[0] == "y" and mark != "-"):
            return ""
        parts.append(f"%{letter}")
    return mark.join(parts)
