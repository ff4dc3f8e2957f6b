import math
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import durations
from sources.durations import HOURS_AND_MINUTES, UNITS, DurationReader
from sources.origin import BadInput

UNREADABLE = "an unreadable duration"
NEGATIVE = "a negative duration"
INFINITE = "an infinite duration"
CENTURY = "a duration of over a century"


def reader(
    unit: str | None = None,
    *,
    decimal: str | None = None,
    usual: bool = True,
    zero: bool = False,
    longest: float | None = None,
    negative: bool = False,
) -> DurationReader:
    return DurationReader(
        unit,
        decimal=decimal,
        point_is_usual=usual,
        zero_is_unknown=zero,
        longest=longest,
        negative_is_unknown=negative,
    )


def results(
    reader: DurationReader, column: pa.ChunkedArray, line: int = 2
) -> list[float | str | None]:
    """The seconds, None where unknown, or why it can't be used, of each row."""
    read = reader.read(column, lambda row: f"line {line + row}")
    assert read.seconds.dtype == np.float64
    assert set(read.unusable) == {UNREADABLE, NEGATIVE, INFINITE, CENTURY}
    found: list[float | str | None] = []
    for row, seconds in enumerate(read.seconds.tolist()):
        reasons = [reason for reason, rows in read.unusable.items() if rows[row]]
        assert len(reasons) <= 1
        assert math.isnan(seconds) or not reasons
        found += reasons or [None if math.isnan(seconds) else seconds]
    return found


def texts(*values: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


def read(*values: str | None, **options: Any) -> list[float | str | None]:
    each = reader(**options)
    found = results(each, texts(*values))
    each.finish()
    return found


def refusal(*parts: Sequence[str | None], **options: Any) -> str:
    each, line = reader(**options), 2
    with pytest.raises(BadInput) as error:  # noqa: PT012
        for part in parts:
            results(each, texts(*part), line)
            line += len(part)
        each.finish()
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10", 10),
        ("+10", 10),
        (" 1e1\t", 10),
        ("1.5E1", 15),
        (".5", 0.5),
        ("5.", 5),
        ("1'234.5", 1234.5),
        ("1’234’567", 1234567),
        ("1\u00a0234", 1234),
        ("1\u202f234\u202f567.25", 1234567.25),
        ("12 34", UNREADABLE),
        ("1 234'567", UNREADABLE),
        ("-1", NEGATIVE),
        ("-0", 0),
        ("inf", INFINITE),
        ("Infinity", INFINITE),
        ("+inf", INFINITE),
        ("-inf", NEGATIVE),
        ("1e400", INFINITE),
        ("3155760000", 3155760000),
        ("3155760001", CENTURY),
        ("1_000", UNREADABLE),
        ("true", UNREADABLE),
        ("0x10", UNREADABLE),
        ("nan(1)", UNREADABLE),
        ("-nan", UNREADABLE),
        ("1f", UNREADABLE),
        ("١", UNREADABLE),
        ("1.2.3", UNREADABLE),
        ("..", UNREADABLE),
        ("--1", UNREADABLE),
        ("e5", UNREADABLE),
        ("p", UNREADABLE),
        ("1:02:03", 3723),
        ("01:02:03.5", 3723.5),
        ("01:02:03,25", 3723.25),
        ("100:00:00", 360000),
        ("00:14", 14),
        ("90:05", 5405),
        ("0:00.5", 0.5),
        ("-0:10", NEGATIVE),
        ("1:60", UNREADABLE),
        ("1:60:00", UNREADABLE),
        ("1:2:3", UNREADABLE),
        ("1:2", UNREADABLE),
        (":10", UNREADABLE),
        ("1:00:00:00", UNREADABLE),
        ("00:00:01.", UNREADABLE),
        ("0 days 00:10:44.793000", 644.793),
        ("1 days 00:10:44.793000", 87044.793),
        ("0 days 00:00:05", 5),
        ("-1 days +23:59:00", NEGATIVE),
        ("-1 days +24:00:01.1", 1.1),
        ("1 day -00:00:01.1", 86398.9),
        ("1 day 02:00:00", 93600),
        ("1 day, 0:00:05", 86405),
        ("1 days 00:05", UNREADABLE),
        ("1.02:03:04", 93784),
        ("1.02:03:04.1234567", 93784.1234567),
        ("-1.02:03:04", NEGATIVE),
        ("10.23:59:59", 950399),
        ("1.24:00:00", UNREADABLE),
        ("1.02:03", UNREADABLE),
        ("1,02:03:04", UNREADABLE),
        ("1 02:03:04", 93784),
        ("1 2:03:04,5", 93784.5),
        ("1 02:03", UNREADABLE),
        ("1:02:03:04", UNREADABLE),
        ("+000000000 00:10:44.793", 644.793),
        ("-000000000 00:10:44.793", NEGATIVE),
        ("+000000001 00:00:00.5", 86400.5),
        ("PT3M20S", 200),
        ("pt3m20.793s", 200.793),
        ("P1DT2H", 93600),
        ("PT0.5S", 0.5),
        ("PT0,5S", 0.5),
        ("P1W", 604800),
        ("-PT1S", NEGATIVE),
        ("P1Y", UNREADABLE),
        ("P1M", UNREADABLE),
        ("PT", UNREADABLE),
        ("P1DT", UNREADABLE),
        ("PT1S1M", UNREADABLE),
        ("200 s", 200),
        ("200 Sek", 200),
        ("2 Stunden 3 Minuten", 7_380),
        ("200s", 200),
        ("200 SEC", 200),
        ("5 min", 300),
        ("5\u00a0min", 300),
        ("5 m", 300),
        ("1.5 h", 5400),
        ("350 ms", 0.35),
        ("350µs", 0.00035),
        ("2 d", 172800),
        ("3 minutes", 180),
        ("1e3 ms", 1),
        ("1h 2m 3s", 3723),
        ("2m30s", 150),
        ("2M30S", 150),
        ("2h 3.793 s", 7203.793),
        ("1,234.5 ms", 1.2345),
        ("-5 min", NEGATIVE),
        ("5M", UNREADABLE),
        ("30s 2m", UNREADABLE),
        ("1m 1m", UNREADABLE),
        ("1h 30", UNREADABLE),
        ("h", UNREADABLE),
        ("5 months", UNREADABLE),
        ("1e3 h 5 m", UNREADABLE),
        ("undefined", UNREADABLE),
        ("9" * 200 + "h", UNREADABLE),
    ],
)
def test_each_form_is_read(text: str, seconds: float | str) -> None:
    assert read(text) == [seconds]
    # Among others, by whichever way they are read.
    assert read("7", text, None, "1:00", text) == [7, seconds, None, 60, seconds]


@pytest.mark.parametrize(
    "word",
    [
        *(
            "NA",
            "N/A",
            "n/a",
            "NaN",
            "nan",
            "NaT",
            "null",
            "NULL",
            "None",
            "\\N",
            "\\n",
        ),
        *("<NA>", "<na>", "#N/A", "(not set)", "(Not Set)", "-", ""),
        *(".", "--", "?", "#NV", "#nv", "#N/V", "#VALUE!", "#Ref!", "[null]", "[NULL]"),
        *("<null>", "nil", "Nil", "unknown", "Unknown", "uNKNOWN", "none"),
    ],
)
def test_words_for_unknown(word: str) -> None:
    assert read(word, f" {word} ", "5") == [None, None, 5]
    assert read("", None, "5", word, "1:00") == [None, None, 5, None, 60]


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [
        *(("ns", 3.5e-7), ("us", 0.00035), ("ms", 0.35), ("s", 350), ("min", 21000)),
        *(("h", 1260000), ("d", 30240000), (HOURS_AND_MINUTES, 1260000)),
    ],
)
def test_numbers_count_the_unit_and_other_forms_their_own(
    unit: str, seconds: float
) -> None:
    others = ["0:00:10", "PT1S", "2 min", "1 days 00:00:00"]
    assert read("350", unit=unit) == [seconds]
    assert read("350", *others, unit=unit) == [seconds, 10, 1, 120, 86400]
    assert results(reader(unit), pa.chunked_array([[350, None]])) == [seconds, None]


@pytest.mark.parametrize(
    ("unit", "expected", "form"),
    [
        (None, [90, 5405, 1.5, 3600, NEGATIVE], "as MM:SS and as H:MM:SS"),
        ("s", [90, 5405, 1.5, 3600, NEGATIVE], "as MM:SS and as H:MM:SS"),
        ("min", [90, 5405, 1.5, 3600, NEGATIVE], "as MM:SS and as H:MM:SS"),
        ("h", [5400, 324300, UNREADABLE, 3600, NEGATIVE], "as H:MM and as H:MM:SS"),
        (
            HOURS_AND_MINUTES,
            [5400, 324300, UNREADABLE, 3600, NEGATIVE],
            "as H:MM and as H:MM:SS",
        ),
        ("d", [UNREADABLE] * 3 + [3600, UNREADABLE], "as H:MM:SS"),
    ],
)
def test_the_unit_says_what_clocks_of_two_parts_are(
    unit: str | None, expected: list[float | str], form: str
) -> None:
    values = ["1:30", "90:05", "0:01.5", "1:00:00", "-0:01"]
    each = reader(unit)
    assert results(each, texts(*values)) == expected
    assert set(each.description().split(" and ")) == set(form.split(" and "))
    assert read(" 1:30 ", unit=unit) == expected[:1]


def test_hours_and_minutes_are_described() -> None:
    each = reader(HOURS_AND_MINUTES)
    assert results(each, texts("1:30", "0:05", "24:00")) == [5400, 300, 86400]
    assert each.description() == "as H:MM"
    assert results(each, texts("1.5", "1:60")) == [5400, UNREADABLE]
    assert each.description() == "as H:MM and in hours"


def test_limits_are_in_seconds() -> None:
    assert read("1200", "1201", "0", unit="min", longest=72000) == [72000, None, 0]
    assert read("36525", "36526", "1e308", unit="d") == [3155760000, CENTURY, INFINITE]


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None, -1], pa.int8(), [1, None, NEGATIVE]),
        ([2**63, 0], pa.uint64(), [CENTURY, 0]),
        ([1.5, None, math.nan, math.inf], pa.float64(), [1.5, None, None, INFINITE]),
        ([np.float16(1.5)], pa.float16(), [1.5]),
        ([Decimal("1.25"), None], pa.decimal128(5, 2), [1.25, None]),
        ([Decimal("1.25")], pa.decimal256(50, 2), [1.25]),
        ([DAY, None, -DAY], pa.duration("ms"), [86400, None, NEGATIVE]),
        ([1, 1_500_000_000], pa.duration("ns"), [1e-9, 1.5]),
        ([time(1, 2, 3), None], pa.time32("s"), [3723, None]),
        ([time(0, 0, 0, 500_000)], pa.time64("us"), [0.5]),
        ([None, None], pa.null(), [None, None]),
        (["1", "", None], pa.large_string(), [1, None, None]),
        (["1", "x", None], pa.string_view(), [1, UNREADABLE, None]),
        (["1", "x", None, "1"], pa.string(), [1, UNREADABLE, None, 1]),
    ],
)
def test_types(values: list[Any], kind: pa.DataType, expected: list[Any]) -> None:
    column = pa.chunked_array([pa.array(values, kind)])
    assert results(reader(), column) == expected
    assert results(reader(), pa.chunked_array([], kind)) == []
    if str(kind) not in ("null", "halffloat", "string_view"):
        assert results(reader(), column.dictionary_encode()) == expected


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([True], "bool"),
        ([[1]], "list<item: int64>"),
        ([{"a": 1}], "struct<a: int64>"),
        ([datetime(2024, 1, 1)], "timestamp[us]"),
        ([b"1"], "binary"),
    ],
)
def test_types_that_hold_no_durations(values: list[Any], words: str) -> None:
    message = f"the column of the duration holds {words}, where durations should be"
    with pytest.raises(BadInput) as error:
        reader().read(pa.chunked_array([pa.array(values)]), str)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (
            pa.array([(1, 2, 3)], pa.month_day_nano_interval()),
            "month_day_nano_interval",
        ),
        (pa.array([b"0" * 12], pa.binary(12)), "fixed_size_binary[12]"),
    ],
)
def test_intervals_are_refused_with_advice(array: pa.Array, words: str) -> None:
    with pytest.raises(BadInput) as error:
        reader().read(pa.chunked_array([array]), str)
    assert str(error.value) == (
        f"the column of the duration holds {words}, where durations should be; "
        "export it as seconds"
    )


def test_text_that_is_no_utf_8_is_unreadable() -> None:
    offsets = np.array([0, 1, 2], np.int32).tobytes()
    buffers = (pa.py_buffer(offsets), pa.py_buffer(b"\xff5"))
    column = pa.chunked_array([pa.StringArray.from_buffers(2, *buffers)])
    assert results(reader(), column) == [UNREADABLE, 5]


SAY = "say which with --decimal , or --decimal ."


def test_a_file_tells_its_decimal_mark() -> None:
    german = ["12,5", "30", "1.234", "45,25", "1.234,75", "1 234,5"]
    expected = [12.5, 30, 1234, 45.25, 1234.75, 1234.5]
    assert read(*german, usual=False) == expected
    assert read(*german, decimal=",") == expected
    assert read("12,5", None, "30", usual=False) == [12.5, None, 30]
    assert read("0,512", "12,345", usual=False) == [0.512, 12.345]
    assert read("12.5", "1.234", usual=False) == [12.5, 1.234]
    assert read("12.5", "1,234", usual=False) == [12.5, 1234]
    assert read("12.5", "1,234") == [12.5, 1234]
    assert read("1.234.567", "1.234", usual=False) == [1234567, 1234]
    assert read("1.234", "2") == [1.234, 2]
    assert read("1.234 s", "1,5 s", usual=False) == [1234, 1.5]
    assert read("1.5 h", "1,234 s") == [5400, 1234]


def test_an_option_tells_the_decimal_mark() -> None:
    assert read("1,234", "12,5", "900", decimal=",") == [1.234, 12.5, 900]
    assert read("1,234", "12,5", "900", decimal=".") == [1234, UNREADABLE, 900]
    assert read("1.234", "12.5", decimal=",") == [1234, UNREADABLE]
    assert read("1.234", "12.5", decimal=".") == [1.234, 12.5]


def test_files_that_contradict_themselves_are_refused() -> None:
    point = "line 3: '12.5' has a decimal point"
    comma = "line 2: '12,5' has a decimal comma"
    for usual in (False, True):
        message = f"{comma}, but {point}; {SAY}"
        assert refusal(["12,5", "12.5"], usual=usual) == message
    assert refusal(["12,5"], ["12.5"], usual=False) == f"{comma}, but {point}; {SAY}"
    message = f"line 4: '12,5' has a decimal comma, but {point}; {SAY}"
    assert refusal([None, "12.5"], [" 12,5 "], usual=False) == message
    assert refusal(["1", "12.5"], ["12,5"]) == message
    with_unit = message.replace("12,5", "12,5 s")
    assert refusal(["1", "12.5"], ["12,5 s"]) == with_unit


def test_files_that_stay_ambiguous_are_refused() -> None:
    def message(what: str) -> str:
        words = "not the same with a decimal comma as with a point"
        return f"durations are ambiguous: {what} {words}; {SAY}"

    both = message("line 2: '1,234' and line 3: '999,000' are")
    assert refusal(["1,234", "999,000", "900"]) == both
    assert refusal(["1,234"], ["999,000"]) == both
    one = message("line 3: '1.234' is")
    assert refusal(["7", "1.234"], ["8"], usual=False) == one
    assert refusal(["7", "1.234s"], usual=False) == one.replace("234", "234s")
    two = message("line 2: '1.234' and line 4: '999,000' are")
    assert refusal(["1.234", "5"], ["999,000", "1.235"], usual=False) == two
    assert refusal(["1,234", "1.234"]) == message("line 2: '1,234' is")


def test_a_decimal_comma_where_it_is_unusual_is_to_be_said() -> None:
    words = "has a decimal comma, which is unusual in such a file"
    for text in ("123,45", "123,45 s"):
        message = f"line 2: {text!r} {words}; say it with --decimal ,"
        assert refusal([text, "7"]) == message
        assert refusal([text, "12,5"]) == message
        assert read(text, "7", decimal=",") == [123.45, 7]
    words += ", and line 2: '1,234' may have one"
    message = f"line 3: '12,5' {words}; say it with --decimal ,"
    assert refusal(["1,234", "12,5", "900"]) == message
    assert refusal(["1,234"], ["12,5"]) == message
    assert read("1,234", "12,5", "900", decimal=",") == [1.234, 12.5, 900]


def test_evidence_for_a_comma_may_come_too_late() -> None:
    words = "line 2: '1.234' came before line 3: '12,5', which has a decimal comma"
    message = f"durations are ambiguous: {words}; {SAY}"
    assert refusal(["1.234"], ["12,5"], usual=False) == message
    each = reader(usual=False)
    assert results(each, texts("1.234", "1,234")) == [1.234, 1234]
    assert results(each, texts("12.5", "1,234")) == [12.5, 1234]
    each.finish()


def test_evidence_far_down_a_part_counts() -> None:
    many = ["1.234"] * 5_000
    assert read(*many, "12.5", usual=False) == [1.234] * 5_000 + [12.5]
    assert read(*many, "12,5", usual=False) == [1234.0] * 5_000 + [12.5]
    commas = ["1,234"] * 5_000
    assert read(*commas, "12,5", usual=False) == [1.234] * 5_000 + [12.5]
    assert read("1:00", *many, "12.5", usual=False)[-1] == 12.5


def test_what_was_read_is_described() -> None:
    each = reader("ms", decimal=",")
    assert each.description() == "none is known; decimal comma"
    results(each, texts("12,5"))
    assert each.description() == "in milliseconds; decimal comma"
    each = reader()
    results(each, texts("", "x"))
    assert each.description() == "none is known"
    results(each, texts("1:00:00", "0:10", "1 days 00:00:00", "PT1S", "5 s", "NA"))
    forms = "as days and H:MM:SS and as H:MM:SS and as MM:SS"
    assert each.description() == f"{forms} and as ISO 8601 and with units"
    each = reader("min")
    results(each, pa.chunked_array([[1.5]]))
    assert each.description() == "in minutes"
    for kind, words in [
        (pa.duration("s"), "as durations"),
        (pa.time32("s"), "as H:MM:SS"),
    ]:
        each = reader()
        results(each, pa.chunked_array([pa.array([1], kind)]))
        assert each.description() == words


def test_durations_that_are_taken_as_unknown_are_counted() -> None:
    each = reader(zero=True, longest=14_400)
    found = results(each, texts("0", "0:00", "4:00:00", "14400.5", "1e99", "inf", "x"))
    assert found == [None, None, 14_400, None, None, INFINITE, UNREADABLE]
    results(each, pa.chunked_array([[0.0, -0.0, -1.0]]))
    assert each.notes() == [
        "4 durations of 0 are taken as unknown.",
        "2 durations over 4 h are taken as unknown.",
    ]
    each = reader(longest=60)
    assert results(each, texts("0", "61")) == [0, None]
    assert each.notes() == ["1 duration over 1 min is taken as unknown."]
    assert reader().notes() == []


def test_negative_durations_may_stand_for_unknown_ones() -> None:
    each = reader(negative=True, zero=True)
    found = results(each, texts("-1", "5", "0", "-0:10", "-0", "x"))
    assert found == [None, 5, None, None, None, UNREADABLE]
    assert each.notes() == [
        "2 durations of 0 are taken as unknown.",
        "2 durations below 0 are taken as unknown.",
    ]
    each = reader(negative=True)
    column = pa.chunked_array([[-1.0, 2.0, -math.inf]])
    assert results(each, column) == [None, 2, None]
    assert results(reader(negative=True), texts("7", "-1 s")) == [7, None]
    assert results(reader(), texts("7", "-1")) == [7, NEGATIVE]


SHORT = (
    "Nearly all durations are under 1 s; if they are days or hours, say so with "
    "--duration-unit."
)


def test_nearly_all_durations_under_a_second_are_noted() -> None:
    def notes(*parts: Sequence[float | None], unit: str | None = None) -> list[str]:
        each = reader(unit)
        for part in parts:
            results(each, pa.chunked_array([pa.array(part, pa.float64())]))
        return each.notes()

    assert notes([0.5] * 20, [None, math.nan, -1.0, math.inf]) == [SHORT]
    assert notes([0.5] * 19) == []
    assert notes([0.5] * 10, [0.25] * 10) == [SHORT]
    assert notes([0.01] * 99 + [1.0]) == [SHORT]
    assert notes([0.01] * 98 + [1.0, 0.0]) == []
    assert notes([0.5] * 20, unit="s") == []
    assert notes([0.5] * 20, unit="ms") == []
    assert notes([0.0] * 20) == []
    each = reader()
    assert results(each, texts(*["0.5"] * 20)) == [0.5] * 20
    assert each.notes() == [SHORT]
    results(each, texts("0:00.5"))
    assert each.notes() == []
    assert reader().notes() == []


def test_more_texts_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durations, "_MOST_CACHED", 10)
    values = [f"0:{second:02}" for second in range(60)] * 2
    assert read(*values) == [*range(60), *range(60)]


# The same, slowly: letter by letter, and text by text.

DIGITS = frozenset("0123456789")
SPACES = " \u00a0\u2009\u202f"
WORDS = {
    **dict.fromkeys(["ns", "nanosecond", "nanoseconds"], Fraction(1, 10**9)),
    **dict.fromkeys(
        ["us", "µs", "μs", "microsecond", "microseconds"], Fraction(1, 10**6)
    ),
    **dict.fromkeys(
        ["ms", "msec", "msecs", "millisecond", "milliseconds"], Fraction(1, 1000)
    ),
    **dict.fromkeys(["s", "sec", "secs", "second", "seconds"], Fraction(1)),
    **dict.fromkeys(["m", "min", "mins", "minute", "minutes"], Fraction(60)),
    **dict.fromkeys(["h", "hr", "hrs", "hour", "hours"], Fraction(3600)),
    **dict.fromkeys(["d", "day", "days", "tage", "jours"], Fraction(86400)),
    **dict.fromkeys(["nanos"], Fraction(1, 10**9)),
    **dict.fromkeys(["micros"], Fraction(1, 10**6)),
    **dict.fromkeys(["millis", "millisekunden"], Fraction(1, 1000)),
    **dict.fromkeys(["sek", "sekunden", "secondes", "segundos"], Fraction(1)),
    **dict.fromkeys(["minuten", "minutos"], Fraction(60)),
    **dict.fromkeys(["stunden", "heures", "horas"], Fraction(3600)),
}


class Slow(NamedTuple):
    """What a text is by one mark: seconds (NaN: unknown), and its numbers' digits."""

    seconds: float
    written: Any = None


def is_digits(text: str, most: int = 10**6, least: int = 1) -> bool:
    return least <= len(text) <= most and set(text) <= DIGITS


def slow_number(text: str, mark: str) -> tuple[str, ...] | None:
    """Sign, whole digits, decimals and exponent of a number, or None."""
    sign, exponent = "", ""
    if text[:1] in ("+", "-"):
        sign, text = text[0], text[1:]
    if "e" in text:
        text, exponent = text.split("e", 1)
        if not is_digits(exponent[1:] if exponent[:1] in ("+", "-") else exponent):
            return None
    whole, *fractions = text.split(mark)
    if len(fractions) > 1 or not all(is_digits(each, least=0) for each in fractions):
        return None
    separators = set(whole) - DIGITS
    if len(separators) > 1 or not separators <= set(f".,'’{SPACES}"):
        return None
    for separator in separators:
        first, *groups = whole.split(separator)
        if not is_digits(first, 3) or first[0] == "0":
            return None
        if not all(is_digits(group, 3, 3) for group in groups):
            return None
        whole = first + "".join(groups)
    fraction = "".join(fractions)
    return (sign, whole, fraction, exponent) if whole + fraction else None


def times(number: tuple[str, ...], unit: Fraction) -> float:
    sign, whole, fraction, exponent = number
    value = float(f"{sign}{whole}.{fraction}e{exponent or 0}")
    return value * float(unit) if unit >= 1 else value / float(1 / unit)


def slow_amounts(text: str, mark: str) -> Slow | None:
    """Numbers with units, such as "1h 2.5m"."""
    small, sign = text.lower(), ""
    if len(small) >= 100:
        return None
    if small[:1] in ("+", "-"):
        sign, small = small[0], small[1:]
    amounts: list[tuple[tuple[str, ...], Fraction]] = []
    rest = small
    while rest:
        end = 0
        while end < len(rest) and (rest[end] in f".,'’{SPACES}" or rest[end] in DIGITS):
            end += 1
        if end and rest[end : end + 1] == "e":
            after = end + 1 + (rest[end + 1 : end + 2] in ("+", "-"))
            if rest[after : after + 1] in DIGITS:
                while rest[after : after + 1] in DIGITS:
                    after += 1
                end = after
        number = slow_number(rest[:end].rstrip(SPACES), mark)
        rest = rest[end:].lstrip(SPACES)
        end = 0
        while end < len(rest) and ("a" <= rest[end] <= "z" or rest[end] in "µμ"):
            end += 1
        if number is None or number[0] or rest[:end] not in WORDS:
            return None
        amounts.append((number, WORDS[rest[:end]]))
        rest = rest[end:].lstrip(SPACES)
    units = [unit for _, unit in amounts]
    if not units or units != sorted(set(units), reverse=True):
        return None
    if len(units) == 1:
        if text[-1] == "M" and not (text[-2:-1].isalpha()):
            return None
        (_, *parts), unit = amounts[0]
        return Slow(times((sign, *parts), unit), [number for number, _ in amounts])
    if any(exponent for _, _, _, exponent in (number for number, _ in amounts)):
        return None
    total = sum(Fraction(f"{w or 0}.{f or 0}") * unit for (_, w, f, _), unit in amounts)
    return Slow(float(-total if sign == "-" else total), [n for n, _ in amounts])


def slow_days_clock(text: str) -> Slow | None:
    """What .NET and SQL write: days, and a clock of less than a day behind a mark."""
    sign = -1 if text[:1] == "-" else 1
    days, mark, clock = text[text[:1] in ("+", "-") :].partition(" ")
    if not mark:
        days, mark, clock = days.partition(".")
    if clock.count(":") != 2 or not is_digits(days, 9):
        return None
    hours = clock.split(":")[0]
    if not is_digits(hours, 2) or int(hours) > 23:
        return None
    found = slow_clock(f"{days} days {clock}", "s")
    return found and Slow(sign * found.seconds)


def slow_clock(text: str, unit: str) -> Slow | None:
    if found := slow_days_clock(text):
        return found
    days, sign = 0, 1
    for word in (" days, ", " day, ", " days ", " day "):
        if word in text:
            before, text = text.split(word, 1)
            if not is_digits(before.lstrip("+-"), 9) or len(
                before.strip("+-")
            ) + 1 < len(before):
                return None
            days = int(before)
            if text.count(":") != 2:
                return None
            break
    if text[:1] in ("+", "-"):
        sign, text = (-1 if text[0] == "-" else 1), text[1:]
    *head, last = text.split(":")
    whole, _, fraction = last.replace(",", ".", 1).partition(".")
    if last != whole and not is_digits(fraction, 30):
        return None
    fields = [*head, whole]
    if len(fields) not in (2, 3) or not is_digits(fields[0], 9):
        return None
    if not all(is_digits(each, 2, 2) and int(each) < 60 for each in fields[1:]):
        return None
    if len(fields) == 2 and unit in ("h", "d"):
        if unit == "d" or last != whole:
            return None
        fields.append("0")
    seconds = Fraction(f"0.{fraction or 0}")
    for place, each in enumerate(reversed(fields)):
        seconds += int(each) * 60**place
    return Slow(float(days * 86_400 + sign * seconds))


def slow_iso(text: str) -> Slow | None:
    sign = -1 if text[0] == "-" else 1
    text = text.lstrip("+-") if text[:2] not in ("++", "+-", "-+", "--") else ""
    if text[:1] != "p":
        return None
    date, t, clock = text[1:].partition("t")
    total, n = Fraction(0), 0
    for words, units in ((date, "wd"), (clock, "hms")):
        while words:
            end = next((i for i, each in enumerate(words) if each in units), -1)
            whole, point, decimals = words[:end].replace(",", ".", 1).partition(".")
            if (
                end < 0
                or not is_digits(whole, 9)
                or (point and not is_digits(decimals, 30))
            ):
                return None
            size = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}[words[end]]
            total += Fraction(f"{whole}.{decimals or 0}") * size
            units, words = units[units.index(words[end]) + 1 :], words[end + 1 :]
            n += 1
    return Slow(float(sign * total)) if n and bool(t) == bool(clock) else None


def slow_text(text: str, mark: str, unit: str) -> Slow | None:
    """What a text is by a mark, or None where it is unreadable."""
    text = text.strip()
    small = text.lower()
    unknown = ("na", "n/a", "nan", "nat", "null", "none", "\\n", "<na>", "#n/a", "-")
    more = ("--", ".", "?", "#nv", "#n/v", "#value!", "#ref!", "[null]", "<null>")
    if small in ("", "(not set)", "nil", "unknown", *unknown, *more):
        return Slow(math.nan)
    if small in [
        sign + word for sign in ("", "+", "-") for word in ("inf", "infinity")
    ]:
        return Slow(float(small))
    if ":" in small:
        return slow_clock(small, unit)
    number = slow_number(small, mark)
    if number:
        return Slow(
            times(number, Fraction(UNITS[unit]).limit_denominator(10**9)), [number]
        )
    return slow_iso(small) or slow_amounts(text, mark)


def slow_kind(text: str) -> str:
    """The mark that a text is evidence for; "?" before one that may be either."""
    point, comma = slow_text(text, ".", "s"), slow_text(text, ",", "s")
    if point is None or comma is None:
        return "." if point else "," if comma else ""
    if point.written == comma.written:
        return ""
    return "?," if "," in text else "?."


def slow_file(
    parts: list[list[str | None]], unit: str, decimal: str | None, usual: bool
) -> list[float | str | None] | None:
    """What each row of a file is, or None where the file is refused."""
    mark, unsure = decimal, False
    rows: list[float | str | None] = []
    for part in parts:
        kinds = {slow_kind(text) for text in part if text is not None}
        if not decimal:
            told = ({mark} if mark else set()) | (kinds & {".", ","})
            if len(told) > 1 or ("," in told and (usual or unsure)):
                return None
            mark = next(iter(told), None)
            unclear = {"?,"} if usual else {"?.", "?,"}
            unsure = not mark and (unsure or bool(kinds & unclear))
        rows += [slow_row(text, mark or ".", unit) for text in part]
    return None if unsure else rows


def slow_row(text: str | None, mark: str, unit: str) -> float | str | None:
    value = Slow(math.nan) if text is None else slow_text(text, mark, unit)
    if value is None:
        return UNREADABLE
    if math.isnan(value.seconds):
        return None
    if value.seconds < 0:
        return NEGATIVE
    if value.seconds == math.inf:
        return INFINITE
    return CENTURY if value.seconds > 100 * 365.25 * 86_400 else value.seconds


def pick(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


def glued(*pieces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*pieces).map("".join)


DIGIT = st.text("0123456789", min_size=1, max_size=4)
GROUP = st.text("0123456789", min_size=3, max_size=3)
SIGN = pick("", "", "", "+", "-")
EXPONENT = pick("", "", "", "e1", "E-2", "e+3", "e400", "e")
PLAIN = glued(SIGN, DIGIT, pick("", "."), pick("", "5", "250"), EXPONENT)
GROUPED = st.builds(
    lambda separator, groups, rest: separator.join(groups) + rest,
    pick(".", ",", " ", "'", "\u202f"),
    st.lists(GROUP, min_size=1, max_size=3).flatmap(
        lambda groups: DIGIT.map(lambda first: [first, *groups])
    ),
    pick("", ".5", ",5", ",250", "e2"),
)
MARKED = pick("1.234", "1,234", "12.5", "12,5", "0.512", "0,512", "7", "1.234,5", "12")
TWO = st.integers(0, 61).map("{:02}".format)
CLOCK = glued(
    pick(
        "", "", "1 days ", "-1 days +", "1 day, ", "2 day -", "1.", "-1.", "1 ", "+0 "
    ),
    *(SIGN, DIGIT),
    *(pick(":"), TWO, pick("", ":00", ":59", ":1"), pick("", ".793", ",5", ".")),
)
PIECE = glued(
    pick("", "1", "20", "1.5", "0,25"), pick("D", "T", "H", "M", "S", "W", "Y")
)
ISO = glued(SIGN, pick("P", "PT", "p"), PIECE, PIECE, pick("", "3S"))
NUMBER = PLAIN | GROUPED | MARKED
WITH_UNIT = glued(NUMBER, pick("", " ", "\u00a0"), pick(*WORDS, "M", "H", "x", "Ms"))
SEVERAL = glued(WITH_UNIT, pick("", " "), WITH_UNIT)
WORD = pick(
    *durations.UNKNOWN, "NaN", "inf", "-Infinity", "nan(1)", "+nan", "undefined"
)
RUBBISH = st.text("0123456789.,:+-eEpPtT \u00a0\u202f'hmsdDSMnaNifµ_x\x1f٣", max_size=8)
ONE = NUMBER | CLOCK | ISO | WITH_UNIT | SEVERAL | WORD | RUBBISH
PADDED = glued(pick("", " ", "\t", "\u00a0"), ONE, pick("", " ", "\n"))
POINTS = PLAIN | pick("", "12.5", "1.234", "1")
COMMAS = POINTS.map(lambda text: text.replace(".", ","))


def files(texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str | None]]]:
    return st.lists(st.lists(st.none() | texts, max_size=6), max_size=3)


@given(
    st.one_of(*map(files, (ONE | PADDED, NUMBER, MARKED, POINTS, COMMAS, CLOCK))),
    st.sampled_from(sorted(UNITS)),
    st.sampled_from([None, None, ".", ","]),
    st.booleans(),
)
def test_files_are_read_as_slowly(
    parts: list[list[str | None]], unit: str, decimal: str | None, usual: bool
) -> None:
    found: list[float | str | None] = []
    fast: list[float | str | None] | None = found
    each = reader(unit, decimal=decimal, usual=usual)
    try:
        for part in parts:
            # Two pieces, and one that begins within its buffer.
            column = pa.chunked_array(
                [texts(*part[:2]).chunk(0), texts("9.5", *part[2:]).chunk(0)[1:]]
            )
            found += results(each, column)
        each.finish()
    except BadInput:
        fast = None
    assert fast == slow_file(parts, unit, decimal, usual)


@given(PADDED, st.sampled_from(sorted(UNITS)), st.sampled_from([".", ","]))
def test_texts_are_read_as_slowly(text: str, unit: str, decimal: str) -> None:
    assert read(text, unit=unit, decimal=decimal) == [slow_row(text, decimal, unit)]
