"""Durations as files write them, in seconds, and never a guessed decimal mark.

A text such as ``1.234`` is 1.234 for some and 1,234 for others. The other durations of
the file tell which; where they don't, the file is refused.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from formatting import count_text, duration_text
from schema import LONGEST_DURATION
from sources.origin import BadInput
from sources.usual_names import UNIT

UNITS: Final[Mapping[str, float]] = {
    "ns": 1e-9,
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3_600.0,
    "d": 86_400.0,
}
"""What numbers may count, in seconds."""

HOURS_AND_MINUTES: Final = "h:mm"
"""The unit of a column that says that its 1:30 is an hour and a half."""

UNKNOWN: Final = (
    *("", "na", "n/a", "nan", "nat", "null", "none", "\\n", "<na>", "#n/a"),
    *("(not set)", "-", "--", ".", "?", "#nv", "#n/v", "#value!", "#ref!"),
    *("[null]", "<null>", "nil", "unknown"),
)
"""How files write a duration that is not known; capital letters do as well."""

_OFTEN_UNKNOWN: Final = pa.array(
    sorted(
        {as_is(word) for word in UNKNOWN for as_is in (str, str.upper, str.title)}
        | {"NaN", "NaT"}
    )
)
"""Most ways to write those, for Arrow to find them."""

_NAMES: Final = (
    *("nanoseconds", "microseconds", "milliseconds", "seconds", "minutes", "hours"),
    "days",
)
_NAME_OF: Final = dict(zip(UNITS, _NAMES, strict=True))

_WORDS: Final = {
    **{word: UNITS[unit] for word, unit in UNIT.items() if unit in UNITS},
    **dict.fromkeys(("µs", "μs"), UNITS["us"]),
    "m": UNITS["min"],
    "d": UNITS["d"],
}
"""Units behind a number, in small letters, in seconds."""

_UNREADABLE: Final = "an unreadable duration"
_SAY: Final = "say which with --decimal , or --decimal ."
_OTHER: Final = {".": ",", ",": "."}
_SPACE: Final = r"[ \u00a0\u2009\u202f]"

_EXPONENT: Final = "(?:[eE][+-]?[0-9]+)?"
_PLAIN: Final = {
    mark: f"^[+-]?(?:[0-9]+(?:[{mark}][0-9]*)?|[{mark}][0-9]+){_EXPONENT}$"
    for mark in _OTHER
}
"""Numbers that Arrow reads, once their decimal mark is a point."""
_AMBIGUOUS: Final = f"^[+-]?[1-9][0-9]{{0,2}}[.,][0-9]{{3}}{_EXPONENT}$"
"""Those among them whose mark may as well separate thousands."""
_GROUPED: Final = {
    mark: f"^[+-]?[1-9][0-9]{{0,2}}(?:[{other}][0-9]{{3}})+(?:[{mark}][0-9]*)?"
    f"{_EXPONENT}$"
    for mark, other in _OTHER.items()
}
"""Numbers with the other mark between thousands."""
_NUMBER: Final = {
    mark: re.compile(
        rf"([+-]?)(?=[{mark}]?[0-9])"
        rf"([1-9][0-9]{{0,2}}(?:([{other} \u00a0\u2009\u202f'’])[0-9]{{3}})"
        rf"(?:\3[0-9]{{3}})*|[0-9]*)([{mark}][0-9]*)?({_EXPONENT})"
    )
    for mark, other in _OTHER.items()
}
"""Any number: its sign, its whole part in groups or not, its fraction, its exponent."""
_AMOUNT: Final = re.compile(
    rf"([0-9.,][0-9.,'’ \u00a0\u2009\u202f]*{_EXPONENT}){_SPACE}*([a-zµμ]+){_SPACE}*"
)
_CLOCK: Final = re.compile(
    r"(?:([+-]?[0-9]{1,9}) days?,? (?=[+-]?[0-9]+:[0-9]+:))?([+-]?)"
    r"(?:([0-9]{1,9}):(?=[0-5][0-9]:))?([0-9]{1,9}):([0-5][0-9])(?:[.,]([0-9]{1,30}))?"
)
_DAYS_CLOCK: Final = re.compile(
    r"([+-]?)([0-9]{1,9})[. ]((?:[01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:[.,][0-9]{1,30})?)"
)
"""The days before a clock of less than a day, as .NET and SQL write them."""
_HOURS_CLOCK: Final = re.compile(r"([+-]?)([0-9]{1,9}):([0-5][0-9])")
_LONG_UNITS: Final = ("h", "d")
"""Units of numbers among which a clock such as 1:30 is no minute and a half."""
_OFTEN_CLOCK: Final = (
    "^(?:(?:(?P<days>[0-9]{1,9}) days? )?(?P<hours>[0-9]{1,9}):)?"
    r"(?P<minutes>[0-5][0-9]):(?P<rest>[0-5][0-9])(?:\.(?P<fraction>[0-9]{1,30}))?$"
)
"""Those among them that Arrow reads."""
_PIECE: Final = r"(?:([0-9]{1,9}(?:[.,][0-9]{1,30})?)%s)?"
_ISO: Final = re.compile(
    "([+-]?)p(?=.*[0-9][a-z]$)"
    + "".join(_PIECE % letter for letter in "wd")
    + f"(?:t(?=[0-9]){''.join(_PIECE % letter for letter in 'hms')})?"
)
_ISO_UNITS: Final = (604_800, 86_400, 3_600, 60, 1)

_MOST_CACHED: Final = 100_000
_ENOUGH: Final = 1_000
"""Rows that mostly show what all are like."""
_ENOUGH_KNOWN: Final = 20
"""Durations that are enough to wonder at."""

Locate = Callable[[int], str]


class Durations(NamedTuple):
    """Durations of some rows."""

    seconds: NDArray[np.float64]
    """NaN where it is unknown, or can't be used."""
    unusable: Mapping[str, NDArray[np.bool_]]
    """Which rows have which fault, such as "a negative duration"; none has two."""


class _Reading(NamedTuple):
    """What a text is by either decimal mark: seconds, None where it can't be read."""

    form: str
    by_point: float | None
    by_comma: float | None
    kind: str = ""
    """The mark it is evidence for, or "?." or "?," where that mark may be either."""


_NOTHING: Final = _Reading("", None, None)


class _Found(NamedTuple):
    """A text that says something of the decimal mark of its file."""

    row: int
    kind: str
    text: str


class DurationReader:
    """Reads the durations of one file, part by part."""

    def __init__(
        self,
        unit: str | None,
        *,
        decimal: str | None,
        point_is_usual: bool,
        zero_is_unknown: bool,
        longest: float | None,
        negative_is_unknown: bool = False,
    ) -> None:
        """*unit* is a key of ``UNITS`` (None: seconds), *longest* is in seconds.

        *unit* may be ``HOURS_AND_MINUTES``, too. It tells what a clock of two parts is:
        1:30 is H:MM among hours, unreadable among days, and MM:SS otherwise.

        *decimal* is "." or ",", or None to find it; *point_is_usual* says that files of
        this form nearly always have decimal points.
        """
        self._unit = "h" if unit == HOURS_AND_MINUTES else unit or "s"
        self._names_unit = unit is not None
        self._decimal = decimal
        self._point_is_usual = point_is_usual
        self._zero_is_unknown = zero_is_unknown
        self._negative_is_unknown = negative_is_unknown
        self._longest = longest
        self._mark = decimal
        self._evidence: dict[str, str] = {}
        self._unsure: list[str] = []
        self._cache: dict[str, _Reading] = {}
        self._forms: dict[str, None] = {}
        self._n_zero = self._n_negative = self._n_long = 0
        self._n_known = self._n_short = 0

    def read(
        self,
        column: pa.ChunkedArray,
        locate: Locate,
        numbers: NDArray[np.bool_] | None = None,
    ) -> Durations:
        """The durations of a part; *locate* says where the row of an index is.

        *numbers* are the rows whose texts are numbers in the file: their point is a
        decimal one, and says nothing of that of other texts.

        Raises BadInput where the column's type holds no durations, or where its texts
        leave open, or contradict, which decimal mark they have.
        """
        kind = column.type
        if pa.types.is_dictionary(kind):
            return self.read(column.cast(kind.value_type), locate, numbers)
        if pa.types.is_string_view(kind) or pa.types.is_large_string(kind):
            column, kind = column.cast(pa.string()), pa.string()
        unreadable = np.zeros(len(column), np.bool_)
        if pa.types.is_string(kind):
            seconds, unreadable = self._numbers_and_texts(column, locate, numbers)
        elif pa.types.is_duration(kind) or pa.types.is_time(kind):
            integer = pa.int32() if pa.types.is_time32(kind) else pa.int64()
            ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
            seconds = _floats(column.cast(integer)) / ticks
            self._forms["as H:MM:SS" if pa.types.is_time(kind) else "as durations"] = (
                None
            )
        elif _is_number(kind) or pa.types.is_null(kind):
            seconds = _scaled(_floats(column), UNITS[self._unit])
            self._saw_numbers(seconds)
        else:
            words = f"holds {kind}, where durations should be"
            if pa.types.is_interval(kind) or pa.types.is_fixed_size_binary(kind):
                words += "; export it as seconds"
            raise BadInput(f"the column of the duration {words}")
        return self._limited(seconds, unreadable)

    def finish(self) -> None:
        """Raise BadInput if, after the last part, the decimal mark is still unclear."""
        if self._unsure and not self._mark:
            raise self._ambiguous()

    def description(self) -> str:
        """How the durations were written, such as "in seconds; decimal comma"."""
        mark = "; decimal comma" if self._mark == "," else ""
        return (" and ".join(self._forms) or "none is known") + mark

    def notes(self) -> list[str]:
        """What a person should know of the durations, in sentences."""
        longest = duration_text(self._longest or 0)
        counts = {
            "of 0": self._n_zero,
            "below 0": self._n_negative,
            f"over {longest}": self._n_long,
        }
        notes = [
            f"{count_text(n, 'duration')} {which} {'is' if n == 1 else 'are'} taken as "
            "unknown."
            for which, n in counts.items()
            if n
        ]
        plain = not self._names_unit and list(self._forms) == ["in seconds"]
        most = self._n_short * 100 >= self._n_known * 99
        if plain and most and self._n_known >= _ENOUGH_KNOWN:
            notes.append(
                "Nearly all durations are under 1 s; if they are days or hours, say so "
                "with --duration-unit."
            )
        return notes

    def _limited(
        self, seconds: NDArray[np.float64], unreadable: NDArray[np.bool_]
    ) -> Durations:
        """The durations without those that are out of bounds."""
        infinite = seconds == np.inf
        if self._zero_is_unknown:
            zero = seconds == 0
            self._n_zero += int(zero.sum())
            seconds = np.where(zero, np.nan, seconds)
        if self._negative_is_unknown:
            negative = seconds < 0
            self._n_negative += int(negative.sum())
            seconds = np.where(negative, np.nan, seconds)
        if self._longest is not None:
            long = (seconds > self._longest) & ~infinite
            self._n_long += int(long.sum())
            seconds = np.where(long, np.nan, seconds)
        unusable = {
            _UNREADABLE: unreadable,
            "a negative duration": seconds < 0,
            "an infinite duration": infinite,
            "a duration of over a century": (seconds > LONGEST_DURATION) & ~infinite,
        }
        bad = np.logical_or.reduce(list(unusable.values()))
        seconds = np.where(bad, np.nan, seconds) if bad.any() else seconds
        self._n_known += int((seconds >= 0).sum())
        self._n_short += int(((seconds > 0) & (seconds < 1)).sum())
        return Durations(seconds, unusable)

    def _numbers_and_texts(
        self,
        column: pa.ChunkedArray,
        locate: Locate,
        numbers: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """See ``_texts``, which reads those alone that aren't *numbers*."""
        if numbers is None or not numbers.any():
            return self._texts(column, locate)
        rows = np.flatnonzero(~numbers)
        texts = column.take(pa.array(rows))
        found = _floats(column.filter(pa.array(numbers)).cast(pa.float64()))
        self._saw_numbers(found)
        seconds = np.full(len(column), np.nan)
        unreadable = np.zeros(len(column), np.bool_)
        seconds[numbers] = _scaled(found, UNITS[self._unit])
        seconds[rows], unreadable[rows] = self._texts(
            texts, lambda row: locate(int(rows[row]))
        )
        return seconds, unreadable

    def _texts(
        self, column: pa.ChunkedArray, locate: Locate
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Seconds of texts, NaN where there are none, and which are unreadable."""
        numbers = self._quick(column, locate)
        if numbers is None:
            column = pc.ascii_trim_whitespace(column)
            column = pc.if_else(pc.is_in(column, _OFTEN_UNKNOWN), None, column)
            numbers = self._quick(column, locate)
        if numbers is None:
            return self._one_by_one(column, locate)
        self._saw_numbers(numbers)
        return _scaled(numbers, UNITS[self._unit]), np.zeros(len(column), np.bool_)

    def _quick(
        self, texts: pa.ChunkedArray, locate: Locate
    ) -> NDArray[np.float64] | None:
        """The numbers, if all texts are plain ones and their mark is clear."""
        for mark in self._mark or ".,":
            numbers = _cast(texts, mark)
            if numbers is None:
                continue
            if self._mark:
                return numbers
            found = _marked(texts, mark)
            if mark == "," and all(kind != "," for _, kind, _ in found):
                # What is provisional is read by the point.
                return None
            self._settle(found, locate)
            return numbers
        return None

    def _one_by_one(
        self, texts: pa.ChunkedArray, locate: Locate
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The same for any texts, each different one of which is read in Python."""
        mark = self._mark or "."
        if self._mark and _may_have(texts, _OTHER[mark]):
            grouped = pc.match_substring_regex(texts, _GROUPED[mark])
            together = pc.replace_substring(texts, _OTHER[mark], "")
            texts = pc.if_else(grouped, together, texts)
        plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN[mark]), False)
        rest = pc.and_not(pc.is_valid(texts), plain)
        rows = np.flatnonzero(rest.to_numpy())
        encoded = texts.filter(rest).combine_chunks().dictionary_encode()
        indices = encoded.indices.to_numpy()
        values, forms = _clocks(encoded.dictionary, self._unit)
        others = np.flatnonzero(np.isnan(values))
        # Arrow doesn't check that what should be UTF-8 is.
        different = encoded.dictionary.take(others).cast(pa.binary()).to_pylist()
        readings = [self._reading(text.decode(errors="replace")) for text in different]
        if not self._decimal:
            found = [] if self._mark else _marked(texts, mark, plain)
            for i, kind, text in _kinds(readings, different):
                row = int(rows[int(np.argmax(indices == others[i]))])
                found.append(_Found(row, kind, text))
            self._settle(found, locate)
            if mark != (self._mark or "."):
                return self._one_by_one(texts, locate)
        read = [r.by_comma if mark == "," else r.by_point for r in readings]
        bad = np.zeros(len(values), np.bool_)
        bad[others] = [value is None for value in read]
        values[others] = np.array(read, np.float64)
        known = (v is not None and v == v for v in read)
        self._forms |= dict.fromkeys(forms)
        self._forms |= dict.fromkeys(
            r.form for r, is_ in zip(readings, known, strict=True) if is_
        )
        seconds, unreadable = (
            np.full(len(texts), np.nan),
            np.zeros(len(texts), np.bool_),
        )
        numbers = _cast(texts.filter(plain), mark)
        if numbers is not None and len(numbers):
            seconds[plain.to_numpy()] = _scaled(numbers, UNITS[self._unit])
            self._saw_numbers(numbers)
        seconds[rows], unreadable[rows] = values[indices], bad[indices]
        return seconds, unreadable

    def _settle(self, found: Iterable[_Found], locate: Locate) -> None:
        """Take in what a part says of the decimal mark.

        Raises BadInput where it contradicts itself, or what was read before.
        """
        before, either = list(self._unsure), list(self._unsure)
        for row, kind, text in sorted(found):
            place = f"{locate(row)}: {text!r:.60}"
            if len(kind) == 1:
                self._evidence.setdefault(kind, place)
            if kind == "?,":
                either.append(place)
            if (
                kind == "?,"
                or kind == ","
                or (kind == "?." and not self._point_is_usual)
            ):
                self._unsure = [*self._unsure, place][:2]
        point, comma = self._evidence.get("."), self._evidence.get(",")
        if point and comma:
            words = f"{comma} has a decimal comma, but {point} has a decimal point"
            raise BadInput(f"{words}; {_SAY}")
        if comma and self._point_is_usual:
            words = f"{comma} has a decimal comma, which is unusual in such a file"
            words += f", and {either[0]} may have one" if either else ""
            raise BadInput(f"{words}; say it with --decimal ,")
        if comma and before and not self._mark:
            words = f"{before[0]} came before {comma}, which has a decimal comma"
            raise BadInput(f"durations are ambiguous: {words}; {_SAY}")
        self._mark = "." if point else "," if comma else None

    def _ambiguous(self) -> BadInput:
        what = " and ".join(self._unsure)
        what += (
            f" {'is' if len(self._unsure) == 1 else 'are'} not the same with a decimal"
        )
        return BadInput(
            f"durations are ambiguous: {what} comma as with a point; {_SAY}"
        )

    def _saw_numbers(self, numbers: NDArray[np.float64]) -> None:
        if (
            f"in {_NAME_OF[self._unit]}" not in self._forms
            and not np.isnan(numbers).all()
        ):
            self._forms[f"in {_NAME_OF[self._unit]}"] = None

    def _reading(self, text: str) -> _Reading:
        reading = self._cache.get(text)
        if reading is None:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            reading = self._cache[text] = _reading(text.strip(), self._unit)
        return reading


_Numbers = TypeVar("_Numbers", float, NDArray[np.float64])


def _scaled(numbers: _Numbers, factor: float) -> _Numbers:
    """Numbers of a unit of *factor* seconds in seconds, as exact as floats can be."""
    if factor == 1:
        return numbers
    with np.errstate(over="ignore"):
        # 350 / 1000 is 0.35; 350 * 0.001 is a little more.
        return numbers * factor if factor > 1 else numbers / round(1 / factor)


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Arrow's numbers as those of NumPy, NaN where there are none."""
    floats: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy()
    return floats


def _is_number(kind: pa.DataType) -> bool:
    is_number = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(is_kind(kind) for is_kind in is_number)


def _cast(texts: pa.ChunkedArray, mark: str) -> NDArray[np.float64] | None:
    """The numbers of texts (missing: NaN), or None if one isn't a number in digits."""
    if mark == ",":
        if _may_have(texts, "."):
            return None
        texts = pc.replace_substring(texts, ",", ".")
    try:
        # Arrow goes on to the end, slowly, after a text that it can't read.
        texts[:_ENOUGH].cast(pa.float64())
        numbers = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    # Arrow reads "nan(of-me)", too.
    return None if pc.any(pc.is_nan(numbers)).as_py() else _floats(numbers)


def _may_have(texts: pa.ChunkedArray, mark: str) -> bool:
    """False if no text has *mark*: a look at all bytes takes no time."""
    buffers = (chunk.buffers()[2] for chunk in texts.chunks)
    letters = (np.frombuffer(buffer, np.uint8) for buffer in buffers if buffer)
    return any(bool((each == ord(mark)).any()) for each in letters)


def _marked(
    texts: pa.ChunkedArray, mark: str, among: pa.ChunkedArray | None = None
) -> list[_Found]:
    """The first two numbers that are evidence for a mark, and that are ambiguous.

    *texts* are, among the true ones of *among*, plain numbers with that mark or none.
    """
    found: list[_Found] = []
    for some in (texts[:_ENOUGH], texts) if _may_have(texts, mark) else ():
        marked = pc.fill_null(pc.match_substring(some, mark), False)
        if among is not None:
            marked = pc.and_(marked, among[: len(some)])
        either = pc.fill_null(pc.match_substring_regex(some, _AMBIGUOUS), False)
        kinds = {mark: pc.and_not(marked, either), f"?{mark}": pc.and_(marked, either)}
        found = [
            _Found(int(row), kind, some[int(row)].as_py())
            for kind, which in kinds.items()
            for row in np.flatnonzero(which.to_numpy())[:2]
        ]
        if any(kind == mark for _, kind, _ in found):
            break
    return found


def _clocks(texts: pa.StringArray, unit: str) -> tuple[NDArray[np.float64], list[str]]:
    """Seconds of clocks in their usual forms, NaN for other texts, and the forms.

    Clocks of two parts are left to ``_clock`` where *unit* says that they are no MM:SS.
    There may be as many as there are rows, so that ``_clock`` would take long.
    """
    if not _may_have(pa.chunked_array([texts]), ":"):
        return np.full(len(texts), np.nan), []
    days, hours, minutes, rest, fraction = pc.extract_regex(
        texts, _OFTEN_CLOCK
    ).flatten()
    if unit in _LONG_UNITS:
        hours = pc.if_else(pc.not_equal(hours, ""), hours, None)
    whole = pa.array(np.zeros(len(texts), np.int64))
    for field, each in ((days, 86_400), (hours, 3_600), (minutes, 60), (rest, 1)):
        number = pc.if_else(pc.equal(field, ""), "0", field).cast(pa.int64())
        whole = pc.add(whole, pc.multiply(number, each))
    written = pc.binary_join_element_wise(whole.cast(pa.string()), fraction, ".")
    has_days, has_hours = pc.not_equal(days, ""), pc.not_equal(hours, "")
    forms = {
        "as days and H:MM:SS": has_days,
        "as H:MM:SS": pc.and_not(has_hours, has_days),
        "as MM:SS": pc.invert(has_hours),
    }
    seconds = written.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return seconds.copy(), [
        form for form, have in forms.items() if pc.any(have).as_py()
    ]


def _kinds(readings: list[_Reading], texts: list[bytes]) -> list[_Found]:
    """The first two of each kind, with the index for its row."""
    found: dict[str, list[_Found]] = {}
    for i, reading in enumerate(readings):
        if reading.kind and len(found.setdefault(reading.kind, [])) < 2:
            text = texts[i].decode(errors="replace")
            found[reading.kind].append(_Found(i, reading.kind, text))
    return [each for few in found.values() for each in few]


def _reading(text: str, unit: str) -> _Reading:
    """What a text without blanks around it is, where numbers count *unit*."""
    small, in_units = text.lower(), f"in {_NAME_OF[unit]}"
    if small in UNKNOWN:
        return _Reading("", math.nan, math.nan)
    if re.fullmatch("[+-]?inf(inity)?", small):
        return _Reading(in_units, float(small), float(small))
    if ":" in small:
        return _clock(small, unit)
    if iso := _ISO.fullmatch(small):
        pieces = [(piece or "0").replace(",", ".") for piece in iso.groups()[1:]]
        seconds = _sum(zip(pieces, _ISO_UNITS, strict=True))
        seconds = -seconds if iso[1] == "-" else seconds
        return _Reading("as ISO 8601", seconds, seconds)
    if not small[-1].isalpha():
        return _amounts(in_units, "", [(small, UNITS[unit])])
    sign = small[0] if small[0] in "+-" else ""
    amounts = list(_AMOUNT.finditer(small, len(sign))) if len(small) < 100 else []
    factors = [_WORDS.get(amount[2], 0) for amount in amounts]
    if (
        sign + "".join(amount[0] for amount in amounts) != small
        or 0 in factors
        or any(next_ >= factor for factor, next_ in pairwise(factors))
        # A million, or a month?
        or (len(amounts) == 1 and amounts[0][2] == "m" and text[-1] == "M")
    ):
        return _NOTHING
    numbers = [amount[1].rstrip() for amount in amounts]
    return _amounts("with units", sign, list(zip(numbers, factors, strict=True)))


def _clock(text: str, unit: str) -> _Reading:
    """What a text such as "1:02:03.5" or "-1 days +23:59:00" is, among *unit*."""
    if match := _DAYS_CLOCK.fullmatch(text):
        # The sign is that of all.
        sign, days, clock = match.groups()
        part = _clock(f"{days} days {clock}", unit)
        seconds = -(part.by_point or 0) if sign == "-" else part.by_point
        return _Reading(part.form, seconds, seconds)
    if unit in _LONG_UNITS and text.count(":") == 1:
        match = _HOURS_CLOCK.fullmatch(text)
        if not match or unit != "h":
            return _NOTHING
        seconds = float(int(match[2]) * 3_600 + int(match[3]) * 60)
        seconds = -seconds if match[1] == "-" else seconds
        return _Reading("as H:MM", seconds, seconds)
    match = _CLOCK.fullmatch(text)
    if not match:
        return _NOTHING
    days, sign, hours, minutes, rest, fraction = match.groups()
    form = "as days and H:MM:SS" if days else "as H:MM:SS" if hours else "as MM:SS"
    whole = int(hours or 0) * 3_600 + int(minutes) * 60 + int(rest)
    start = int(days or 0) * 86_400
    if sign == "-" or start < 0:
        clock = Fraction(f"{whole}.{fraction or 0}")
        seconds = float(start - clock if sign == "-" else start + clock)
    else:
        seconds = float(f"{start + whole}.{fraction or 0}")
    return _Reading(form, seconds, seconds)


def _amounts(form: str, sign: str, amounts: list[tuple[str, float]]) -> _Reading:
    """What numbers with a unit each are together, after the sign of all of them."""
    by = {}
    for mark in _OTHER:
        numbers = [_in_python(number, mark) for number, _ in amounts]
        by[mark] = [sign + number for number in numbers if number]
        if len(by[mark]) < len(amounts) or (
            len(amounts) > 1 and "e" in "".join(by[mark])
        ):
            by[mark] = []
    factors = [factor for _, factor in amounts]
    point, comma = (
        _sum(zip(numbers, factors, strict=True)) if numbers else None
        for numbers in by.values()
    )
    kind = "." if point is not None else "," if comma is not None else ""
    if point is not None and comma is not None:
        written = "".join(number for number, _ in amounts)
        kind = "" if by["."] == by[","] else "?," if "," in written else "?."
    return _Reading(form, point, comma, kind)


def _in_python(number: str, mark: str) -> str | None:
    """A number as Python writes it, or None if it is none with that decimal mark."""
    match = _NUMBER[mark].fullmatch(number)
    if not match:
        return None
    sign, whole, separator, fraction, exponent = match.groups()
    if separator:
        whole = whole.replace(separator, "")
    return f"{sign}{whole}{(fraction or '').replace(mark, '.')}{exponent}"


def _sum(amounts: Iterable[tuple[str, float]]) -> float:
    """The sum of numbers times their units in seconds, rounded once."""
    several = list(amounts)
    if len(several) == 1:
        return _scaled(float(several[0][0]), several[0][1])
    exact = (
        Fraction(number)
        * (Fraction(unit) if unit >= 1 else Fraction(1, round(1 / unit)))
        for number, unit in several
    )
    return float(sum(exact))
