import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sources.origin import BadInput
from sources.times import TimeReader, check_format, hint

MOST = 253_402_300_800 * 10**6
LEAST = -62_135_596_800 * 10**6


def instants(reader: TimeReader, column: pa.ChunkedArray) -> list[int | None]:
    times = reader.read(column)
    return [
        None if bad else int(n)
        for n, bad in zip(times.microseconds, times.unreadable, strict=True)
    ]


def micros(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


# The slow implementation: one text at a time, by the book.

DATE = r"\d{4}-\d\d?-\d\d?|\d{4}/\d\d?/\d\d?|\d{8}|\d{4}-?[Ww]\d\d-?\d|\d{4}-?\d{3}"
CLOCK = r"(\d\d)(?:(:?)(\d\d)(?:(:?)(\d\d)(?:[.,](\d+))?)?)?"
OFFSET = r"(?:UTC|GMT)?[+-]\d\d(?::?\d\d(?::?\d\d)?)?(?:\s(?!UTC|GMT)[A-Za-z]{3,5})?"
ZONE = rf"\s?({OFFSET}|[Zz]|UTC?|GMT|Etc/UTC|[+-]0000 UTC|[+-]0000 GMT)"


def slow_date(text: str) -> int:
    """Days since 1970; ValueError."""
    if re.fullmatch(r"\d{4}-?\d{3}", text):
        year, day = int(text[:4]), int(text[-3:])
        found = date(year, 1, 1).toordinal() + day - 1
        if day < 1 or found > date(year, 12, 31).toordinal():
            raise ValueError
    else:
        text = text.replace("/", "-").upper()
        if text.count("-") == 1:
            raise ValueError
        if "W" not in text:
            text = "-".join(part.zfill(2) for part in text.split("-"))
        found = date.fromisoformat(text).toordinal()
    return found - date(1970, 1, 1).toordinal()


def slow_clock(text: str) -> int:
    """Microseconds since midnight; ValueError."""
    match = re.fullmatch(CLOCK, re.sub(r"^(\d:\d\d(:|$))", r"0\1", text))
    if not match:
        raise ValueError
    hour, mark, minute, other, second, fraction = match.groups()
    if second and mark != other:
        raise ValueError
    h, m, s = int(hour), int(minute or 0), int(second or 0)
    part = int(((fraction or "") + "000000")[:6])
    if h > 24 or m > 59 or s > 60 or (h == 24 and (m or s or part)):
        raise ValueError
    return ((h * 60 + m) * 60 + s) * 10**6 + part


def slow_zone(text: str) -> int:
    """Microseconds ahead of UTC; ValueError."""
    if not re.search("[+-]", text):
        return 0
    text = re.sub("[A-Za-z ]", "", text)
    numbers = [int(n) for n in re.findall(r"\d\d", text)]
    hour, minute, second = [*numbers, 0, 0][:3]
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError
    ahead = ((hour * 60 + minute) * 60 + second) * 10**6
    return -ahead if text[0] == "-" else ahead


def slow_number(text: str) -> int | None:
    number = Decimal(text.replace(",", "."))
    size = len(re.split("[.,]", text)[0])
    time_format = {10: "%Y%m%d%H", 12: "%Y%m%d%H%M"}.get(size)
    if time_format and re.match("199|20" if size == 10 else "19|20", text):
        try:
            datetime.strptime(text[:size], time_format)
        except ValueError:
            pass
        else:
            return None
    scale = {9: 6, 10: 6, 12: 3, 13: 3, 15: 0, 16: 0, 18: -3, 19: -3}.get(size)
    if scale is None or (size == 18 and text < "65"):
        return None
    found = int(number.scaleb(scale))
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    latest = int(midnight.timestamp()) * 10**6 + 732 * 86_400 * 10**6
    return found if micros("1990-01-01") <= found < latest else None


def in_utc(local: int, times_in: str | None) -> int | None:
    if times_in is None:
        return local
    if not LEAST <= local < MOST:
        return None
    time = datetime(1970, 1, 1) + timedelta(microseconds=local)
    ahead = time.replace(tzinfo=ZoneInfo(times_in)).utcoffset()
    assert ahead is not None
    return local - ahead // timedelta(microseconds=1)


def slow(text: str | None, times_in: str | None = None) -> int | None:
    text = (text or "").strip(" \t\n\r\v\f\u00a0\u202f")
    if not text.isascii():
        return None
    found: int | None
    if re.fullmatch(r"\d{8}[.,]0+", text):
        text = text[:8]
    try:
        if re.fullmatch(r"[1-9]\d{8,18}([.,]\d+)?", text):
            found = slow_number(text)
        else:
            region = r"(?:\[[\w/+-]*\])?"
            match = re.fullmatch(
                rf"({DATE})(?:[Tt\s]([\d:.,]+)(?:{ZONE}{region})?)?",
                text,
                re.IGNORECASE,
            )
            if not match or (match[2] is None and re.fullmatch(r"\d{7}", match[1])):
                return None
            if re.fullmatch(r"\d{8}", match[1]) and match[1][:2] not in ("19", "20"):
                return None
            clock = slow_clock(match[2]) if match[2] else 0
            found = slow_date(match[1]) * 86_400 * 10**6 + clock
            # Single digits need marks between them, in the clock as in the day.
            parts = re.split("[-/]", match[1])
            marked = len(parts) == 3 and parts[1].isdigit()
            short = marked and 1 in map(len, parts)
            if match[2] and short and ":" not in match[2]:
                return None
            if match[2] and match[2][1:2] == ":" and not marked:
                return None
            if match[3]:
                found -= slow_zone(match[3])
            else:
                found = in_utc(found, times_in)
    except ValueError:
        return None
    return found if found is not None and LEAST <= found < MOST else None


def two(most: int) -> st.SearchStrategy[str]:
    return st.integers(0, most).map("{:02}".format)


YEARS = st.one_of(
    st.sampled_from(["0000", "0001", "1969", "2020", "2024", "9998", "9999"]),
    st.integers(0, 9999).map("{:04}".format),
)
DATES = st.one_of(
    st.builds("{0}{1}{2}{1}{3}".format, YEARS, st.sampled_from("-/"), two(13), two(32)),
    st.builds("{}-{}-{}".format, YEARS, st.sampled_from(["01", "12"]), two(31)),
    st.builds(
        "{0}{1}{2}{1}{3}".format,
        *(YEARS, st.sampled_from("-/"), st.integers(0, 13), st.integers(0, 32)),
    ),
    st.builds("{}{}{}".format, YEARS, two(13), two(32)),
    st.builds(
        "{0}{1}{2}{3}{1}{4}".format,
        *(YEARS, st.sampled_from(["", "-"]), st.sampled_from("Ww"), two(54)),
        st.integers(0, 8),
    ),
    st.builds(
        "{}{}{:03}".format, YEARS, st.sampled_from(["", "-"]), st.integers(0, 367)
    ),
)
FRACTIONS = st.one_of(
    st.just(""),
    st.builds(
        "{}{}".format,
        st.sampled_from(".,"),
        st.text("0123456789", min_size=1, max_size=12),
    ),
)
CLOCKS = st.one_of(
    st.sampled_from(["24:00", "24:00:00", "2400", "24:00:00.000", "24", "24:00:00.1"]),
    two(25),
    st.sampled_from(["9:05", "9:05:07", "0:00", "9:60", "9:05:07.25", "9:05:07,5"]),
    st.builds("{}{}{}".format, two(25), st.sampled_from(["", ":"]), two(61)),
    st.builds(
        "{0}{1}{2}{1}{3}{4}".format,
        *(two(24), st.sampled_from(["", ":"]), two(60), two(61), FRACTIONS),
    ),
)
ZONES = st.one_of(
    st.sampled_from(
        ["", "", "Z", "z", " UTC", " GMT", " +0000 UTC", " Z", "+01", "Ut"]
    ),
    st.sampled_from(["+24:00", "-23:59", "+0100", "+01:00[Europe/Berlin]", "-00:00"]),
    st.builds("{}{}:{}".format, st.sampled_from("+-"), two(24), two(60)),
    st.sampled_from([" +0100 CET", "+0100 UTC", " GMT-0530", "utc+01:00", " Etc/UTC"]),
)
TEXTS = st.one_of(
    DATES,
    st.builds("{}{}{}{}".format, DATES, st.sampled_from("Tt "), CLOCKS, ZONES),
    st.builds("{}T{}".format, DATES, CLOCKS),
    st.builds("{}{}".format, st.integers(0, 10**20), FRACTIONS),
    st.integers(600_000_000, 1_900_000_000).map(str),
    st.builds(
        "{}{}".format,
        st.integers(600_000_000, 1_900_000_000),
        st.sampled_from(["123", "000000", "999999999", "000.5"]),
    ),
    st.builds("{}{}{}{}".format, YEARS, two(13), two(32), two(25)),
    st.integers(0, 20).flatmap(lambda n: st.integers(10**n, 10 ** (n + 1))).map(str),
    st.builds("{}{}{}{}".format, YEARS, two(13), two(32), st.text("0123", max_size=6)),
    st.sampled_from(
        ["", " ", "nan", "null", "2024-01", "2024", "2024-1-1", "1e9", "-1"]
    ),
    st.text("0123456789-:TZ+ .,/W", max_size=24),
    st.text(max_size=12),
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A text with a letter more, less or other, or with blanks around."""
    text: str = draw(TEXTS)
    at = draw(st.integers(0, len(text)))
    middle: str = draw(st.sampled_from(["", " ", "0", "-", "٣", "é", "\u00a0", ":"]))
    return text[:at] + middle + text[at + draw(st.integers(0, 1)) :]


COLUMNS = st.lists(st.lists(st.none() | TEXTS | damaged(), max_size=12), max_size=4)


@settings(deadline=None)
@given(COLUMNS, st.sampled_from([None, "Europe/Berlin", "Australia/Lord_Howe"]))
@example(
    [["2024-03-31 02:30", "2024-10-27 02:30"], ["20240331T023000,5"]], "Europe/Berlin"
)
@example([["0001-01-01T00:30:00+01:00", "9999-12-31T23:30:00-01:00"]], None)
@example([["0001-01-01", "9999-12-31T24:00", "9999-12-31 23:59:59"]], "Europe/Berlin")
@example([["0001-01-01", "9999-12-31 23:59:59"]], "America/New_York")
def test_reads_as_the_slow_implementation_does(
    chunks: list[list[str | None]], times_in: str | None
) -> None:
    expected = [slow(text, times_in) for chunk in chunks for text in chunk]
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        column = pa.chunked_array([pa.array(c, kind) for c in chunks], kind)
        reader = TimeReader(None, times_in)
        assert instants(reader, column) == expected
        assert instants(reader, column) == expected
    if chunks:
        coded = pa.chunked_array([pa.array(c, pa.string()) for c in chunks])
        column = coded.dictionary_encode()
        assert instants(TimeReader(None, times_in), column) == expected


@settings(deadline=None)
@given(st.lists(TEXTS | damaged(), min_size=1, max_size=8), st.data())
def test_reads_slices_and_long_columns_alike(
    texts: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(texts)))
    array = pa.array([None, *texts], pa.string()).slice(start)
    expected = [slow(text) for text in array.to_pylist()]
    assert instants(TimeReader(None, None), pa.chunked_array([array])) == expected


PLAIN = st.sampled_from(
    [
        *("2024-02-29 10:05:00", "2024-03-01T23:59:59", "1969-12-31 23:59:59"),
        *("0001-01-01 00:00:00", "9999-12-31 23:59:59", "0000-12-31 00:00:00"),
        *("2023-02-29 10:05:00", "2024-03-01 24:00:00", "2016-12-31 23:59:60"),
        *("2024-03-01T10+01:00", "2024/03/01 10:05:00", "2024-03-01 10:05:0x"),
    ]
)


@given(st.lists(PLAIN, min_size=1, max_size=5), st.sampled_from([None, "Asia/Tokyo"]))
def test_a_column_of_plain_times_is_read_as_beside_another(
    texts: list[str], zone: str | None
) -> None:
    reader, slow = TimeReader(None, zone), TimeReader(None, zone)
    found = instants(reader, pa.chunked_array([texts]))
    # Beside a text of another length, none of them is left to Arrow.
    assert found == instants(slow, pa.chunked_array([[*texts, "-"]]))[:-1]
    assert reader.description() == slow.description()


def test_reads_more_than_a_block() -> None:
    texts = ["2024-01-15", "1705276800", "no", "2024-01-15T00:00:00Z", None] * 20_000
    found = instants(TimeReader(None, None), pa.chunked_array([texts]))
    day = micros("2024-01-15")
    assert found == [day, day, None, day, None] * 20_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-15", "2024-01-15T00:00:00"),
        ("2024-01-15 10:30:00 UTC", "2024-01-15T10:30:00"),
        ("2024-01-15 10:30:00.5 +0000 UTC", "2024-01-15T10:30:00.500000"),
        ("2024-01-15T10:30:00,123456789Z", "2024-01-15T10:30:00.123456"),
        ("2024-01-15T10:30:00+01:00[Europe/Berlin]", "2024-01-15T09:30:00"),
        ("20240115T103000", "2024-01-15T10:30:00"),
        ("2024-W03-1", "2024-01-15T00:00:00"),
        ("2024-366T12", "2024-12-31T12:00:00"),
        ("2024-01-15T24:00", "2024-01-16T00:00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00"),
        ("2024/01/15 10:00", "2024-01-15T10:00:00"),
        ("1609459200", "2021-01-01T00:00:00"),
        ("1609459200.123", "2021-01-01T00:00:00.123000"),
        ("1609459200123", "2021-01-01T00:00:00.123000"),
        ("1609459200123456", "2021-01-01T00:00:00.123456"),
        ("1609459200123456789", "2021-01-01T00:00:00.123456"),
        ("315532800000", None),
        ("807256800", "1995-08-01T06:00:00"),
        ("631152000", "1990-01-01T00:00:00"),
        ("631151999", None),
        ("631152000000", "1990-01-01T00:00:00"),
        ("631151999999", None),
        ("631151999999999", None),
        ("649999999999999999", None),
        ("650000000000000000", "1990-08-07T03:33:20"),
        ("1704067200000000000", "2024-01-01T00:00:00"),
        ("2024030110", None),
        ("19000101", "1900-01-01T00:00:00"),
        ("20991231", "2099-12-31T00:00:00"),
        # The hour of a day, not of one in the year 2403.
        ("24030112", None),
        ("24030112.0", None),
        ("24030112T10:00", None),
        ("18991231", None),
        ("2403-01-12", "2403-01-12T00:00:00"),
        ("2099123123.0", None),
        ("1990010100", None),
        ("2403011000", None),
        ("240301100000", None),
        ("9999999999", None),
        ("9999999999999", None),
        ("638448840000000000", None),
        ("133537608000000000", None),
        ("2024/3/1 9:05", "2024-03-01T09:05:00"),
        ("2024-3-1", "2024-03-01T00:00:00"),
        ("2024-03-01 9:05:07", "2024-03-01T09:05:07"),
        ("2024-3-1T9:05:07.25+01:00", "2024-03-01T08:05:07.250000"),
        ("2024/03/01", "2024-03-01T00:00:00"),
        ("2024-3/1", None),
        ("2024-3-1 905", None),
        ("2024-3-1 9", None),
        ("2024-03-01 9:05 PM", None),
        (
            "Fri Mar 01 2024 12:00:00 GMT+0100 (Central European Standard Time)",
            "2024-03-01T11:00:00",
        ),
        (
            "Fri Mar 01 2024 12:00:00 GMT-0330 (Mitteleuropäische Zeit 1)",
            "2024-03-01T15:30:00",
        ),
        ("Fri Mar 01 2024 12:00:00 GMT+0000", "2024-03-01T12:00:00"),
        ("Fri Mar 01 2024 12:00:00", None),
        ("2024-03-01 12:00:00 +0100 CET", "2024-03-01T11:00:00"),
        ("2024-03-01 12:00:00.5 -0330 NST", "2024-03-01T15:30:00.500000"),
        ("2024-03-01 12:00 +0100 PM", None),
        ("2024-03-01 12:00:00 UTC+01:00", "2024-03-01T11:00:00"),
        ("2024-03-01T12:00:00GMT-0100", "2024-03-01T13:00:00"),
        ("2024-03-01 12:00:00 Etc/UTC", "2024-03-01T12:00:00"),
        ("2024-03-01 12:00:00 Europe/Berlin", None),
        ("2024-03-01 12:00:00 CET", None),
        ("2024-03-01 12:00:00 PDT", None),
        ("[01/Aug/1995:00:00:01 -0400]", "1995-08-01T04:00:01"),
        ("01/Aug/1995:00:00:01 -0400", "1995-08-01T04:00:01"),
        ("Mon, 01 Jan 2024 10:00:00 GMT", "2024-01-01T10:00:00"),
        ("1 Jan 2024 10:00:00 +0100", "2024-01-01T09:00:00"),
        ("[01/Aug/1995:00:00:01 -0400", None),
        ("2024-01-15 10:30:00 +0100 UTC", None),
        ("2024-01-15 10.30", None),
        ("2023-366", None),
        ("2023-W53-1", None),
        ("202401151030", None),
        ("20240115103000", None),
        ("1.6e9", None),
        ("0123456789", None),
        ("31/12/2024 13:45", None),
        ("2024-01", None),
        ("nan", None),
    ],
)
def test_reads_texts(text: str, expected: str | None) -> None:
    (found,) = instants(TimeReader(None, None), pa.chunked_array([[text]]))
    assert found == (expected and micros(expected))


def test_reads_every_month_of_apache_and_of_rfc_2822() -> None:
    days = [datetime(2024, month, 3, 4, 5, 6, tzinfo=UTC) for month in range(1, 13)]
    expected = [int(day.timestamp()) * 10**6 for day in days]
    for form in ("[%d/%b/%Y:%H:%M:%S +0000]", "%a, %d %b %Y %H:%M:%S +0000"):
        texts = [day.strftime(form) for day in days]
        assert instants(TimeReader(None, None), pa.chunked_array([texts])) == expected


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1609459200], pa.int64()),
        ([1609459200], pa.uint32()),
        ([1609459200000], pa.uint64()),
        ([1609459200000000000], pa.int64()),
        ([1609459200.0], pa.float64()),
        ([1609459200000.0], pa.float64()),
        ([20210101], pa.int32()),
        ([20210101.0], pa.float64()),
        ([Decimal("1609459200.000")], pa.decimal128(20, 3)),
        ([Decimal("20210101")], pa.decimal128(20, 0)),
        ([date(2021, 1, 1)], pa.date32()),
        ([date(2021, 1, 1)], pa.date64()),
        ([b"2021-01-01"], pa.binary()),
        ([datetime(2021, 1, 1)], pa.timestamp("s")),
        ([datetime(2021, 1, 1)], pa.timestamp("ms")),
        ([datetime(2021, 1, 1)], pa.timestamp("us", "Europe/Berlin")),
        ([datetime(2021, 1, 1)], pa.timestamp("ns", "UTC")),
        (["2021-01-01"], pa.dictionary(pa.int8(), pa.string())),
    ],
)
def test_reads_types(values: list[Any], kind: Any) -> None:
    column = pa.chunked_array([pa.array([*values, None], kind)])
    found = instants(TimeReader(None, None), column)
    assert found == [micros("2021-01-01"), None]
    assert instants(TimeReader(None, None), column[:0]) == []


def test_numbers_lose_nothing() -> None:
    assert instants(
        TimeReader(None, None), pa.chunked_array([[1609459200123456789, -1, 0, 12345]])
    ) == [1609459200123456, None, None, None]
    floats = [
        1609459200.123,
        1609459200123.456,
        float("nan"),
        float("inf"),
        1e300,
        -1e9,
    ]
    assert instants(TimeReader(None, None), pa.chunked_array([floats])) == [
        *(1609459200123000, 1609459200123456, None, None, None, None)
    ]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**12), 10**12)))
def test_timestamps_of_other_years_are_unreadable(counts: list[int]) -> None:
    scales = {"s": 10**6, "ms": 1_000, "us": 1}
    for unit in ("s", "ms", "us", "ns"):
        column = pa.chunked_array(
            [pa.array(counts, pa.int64()).view(pa.timestamp(unit))]
        )
        exact = [n // 1_000 if unit == "ns" else n * scales[unit] for n in counts]
        expected = [n if LEAST <= n < MOST else None for n in exact]
        assert instants(TimeReader(None, None), column) == expected
    assert (
        instants(TimeReader(None, None), pa.chunked_array([pa.nulls(2)])) == [None] * 2
    )


@pytest.mark.parametrize(
    "kind",
    [pa.bool_(), pa.list_(pa.int8()), pa.time32("s"), pa.struct([]), pa.binary(3)],
)
def test_other_types_are_refused(kind: Any) -> None:
    with pytest.raises(BadInput, match=r"^the column of the time holds .*should be$"):
        TimeReader(None, None).read(pa.chunked_array([], kind))


def test_counts_times_at_changes_of_the_clocks() -> None:
    reader = TimeReader(None, "Europe/Berlin")
    texts = ["2024-10-27 02:30", "2024-10-27 02:30", "2024-03-31 02:30", "2024-06-01"]
    found = instants(reader, pa.chunked_array([texts]).dictionary_encode())
    assert found == [
        micros("2024-10-27T00:30"),
        micros("2024-10-27T00:30"),
        micros("2024-03-31T01:30"),
        micros("2024-05-31T22:00"),
    ]
    assert reader.notes() == [
        "2 times fall into an hour that clocks in Europe/Berlin show twice; the earlier"
        " is taken.",
        "1 time falls into an hour that clocks in Europe/Berlin skip; it is moved on by"
        " as much.",
    ]
    assert reader.description() == "ISO 8601, Europe/Berlin where no zone is named"


@pytest.mark.parametrize(
    ("values", "time_format", "expected"),
    [
        (["2024-01-15"], None, "ISO 8601, UTC where no zone is named"),
        (["2024-01-15T10Z"], None, "ISO 8601"),
        ([1609459200123], None, "milliseconds since 1970"),
        (
            ["Fri Mar 01 2024 12:00:00 GMT+0100 (CET)", "2024-3-1 9:05Z"],
            None,
            "JavaScript's form or ISO 8601",
        ),
        (["x", "1609459200", "2024-01-15T10Z"], None, "seconds since 1970 or ISO 8601"),
        (
            ["31/12/2024"],
            "%d/%m/%Y",
            "written as '%d/%m/%Y', UTC where no zone is named",
        ),
        ([datetime(2024, 1, 1)], None, "timestamps, UTC where no zone is named"),
        (["no"], None, ""),
    ],
)
def test_describes_forms(
    values: list[Any], time_format: str | None, expected: str
) -> None:
    reader = TimeReader(time_format, None)
    reader.read(pa.chunked_array([values]))
    assert reader.description() == expected


FORMATS = [
    *("%d/%m/%Y %H:%M", "%m/%d/%y %I:%M:%S %p", "%b %d, %Y %H:%M", "%d-%B-%Y"),
    *("%Y%m%d%H%M%S", "%Y%m%d%H%M%S%f", "%Y-%j %H.%M", "%G-W%V-%u", "%c", "%x %X"),
    *(
        "%A, %d %B %Y %I%p",
        "%Y-%m-%dT%H:%M:%S.%f%z",
        "%Y年%m月%d日",
        "day %d of %m 20%y",
    ),
    *("%d.%m.%Y%%%H", "%Y-%m-%dT00:00:00Z", "%d%m%y %Z"),
]


@settings(deadline=None)
@given(
    st.sampled_from(FORMATS),
    st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2068, 1, 1)), max_size=8),
    st.booleans(),
)
def test_reads_a_format_as_strptime_does(
    time_format: str, times: list[datetime], bare: bool
) -> None:
    texts = [time.replace(tzinfo=UTC).strftime(time_format) for time in times]
    if bare and not re.search("%[HI]?%|%Y%m|%d%m", time_format):
        texts = [re.sub(r"\b0(\d)(?=\D)", r"\1", text) for text in texts]
    expected: list[int | None] = []
    for text in texts:
        try:
            time = datetime.strptime(text, time_format).replace(tzinfo=UTC)
        except ValueError:
            expected.append(None)
        else:
            expected.append(
                (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
            )
    column = pa.chunked_array([pa.array(texts, pa.string())])
    assert instants(TimeReader(check_format(time_format), None), column) == expected


def test_a_format_reads_whole_numbers_and_leaves_timestamps() -> None:
    day = micros("2024-01-15T10:30")
    for kind in (pa.int64(), pa.float64(), pa.decimal128(20, 3), pa.decimal128(20, 0)):
        column = pa.chunked_array([pa.array([20240115103000, None], kind)])
        assert instants(TimeReader("%Y%m%d%H%M%S", None), column) == [day, None]
    floats = pa.chunked_array([[20240115103000.5, float("nan"), 1e300]])
    assert instants(TimeReader("%Y%m%d%H%M%S", None), floats) == [None] * 3
    column = pa.chunked_array([pa.array([day], pa.timestamp("us"))])
    assert instants(TimeReader("%d/%m/%Y", None), column) == [day]
    texts = pa.chunked_array([["2024-01-15", " 15/01/2024 "]])
    assert instants(TimeReader("%d/%m/%Y", None), texts) == [None, micros("2024-01-15")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%H:%M", "'%H:%M' leaves the day open: it needs %Y, %m and %d"),
        ("%d/%m", "'%d/%m' leaves the day open: it needs %Y, %m and %d"),
        ("", "'' leaves the day open: it needs %Y, %m and %d"),
        ("%Y-%m-%d %Q", "'%Q' of '%Y-%m-%d %Q' can't be used"),
        ("%Y-%m-%d %", "'%' of '%Y-%m-%d %' can't be used"),
        ("%Y-%m-%d %I", "'%Y-%m-%d %I' needs both %I and %p, or %H"),
        ("%Y-%m-%d %H%p", "'%Y-%m-%d %H%p' needs both %I and %p, or %H"),
        ("%Y-%m-%d %y", "'%Y-%m-%d %y' has %Y or %y more than once"),
    ],
)
def test_refuses_formats(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message) + "$"):
        check_format(text)


@settings(deadline=None)
@given(st.text("%YmdHMSfyjGVubBaAIpzZcxX /:1é\n\ud800", max_size=12))
def test_any_format_is_taken_or_refused_in_one_line(text: str) -> None:
    message = ""
    try:
        TimeReader(check_format(text), None).read(pa.chunked_array([["2024-01-15"]]))
    except ValueError as error:
        message = str(error)
    assert "\n" not in message


NO_FORMAT = "if it is a time, say how it is written with --time-format"


@pytest.mark.parametrize(
    ("value", "formats"),
    [
        ("31/12/2024 13:45", "'%d/%m/%Y %H:%M'"),
        (
            "01/02/2025 09:05",
            "'%d/%m/%Y %H:%M' if the day comes first,"
            " '%m/%d/%Y %H:%M' if the month does",
        ),
        ("24-01-15", "'%d-%m-%y' if the day comes first, '%y-%m-%d' if the year does"),
        ("12/31/24 1:45 PM", "'%m/%d/%y %I:%M %p'"),
        ("12/31/2024, 1:45:07\u202fPM", "'%m/%d/%Y, %I:%M:%S %p'"),
        ("31.12.2024", "'%d.%m.%Y'"),
        ("31-12-2024", "'%d-%m-%Y'"),
        ("Jan 5, 2024 10:00 AM", "'%b %d, %Y %I:%M %p'"),
        ("5 January 2024", "'%d %B %Y'"),
        ("05-JAN-24 10:00:00,123", "'%d-%b-%y %H:%M:%S,%f'"),
        ("31/12/2024T13:45:00+0100", "'%d/%m/%YT%H:%M:%S%z'"),
        ("Mon Jan  5 10:00:00 2024", "'%a %b %d %H:%M:%S %Y'"),
        ("2024.1.5 3:04", "'%Y.%m.%d %H:%M'"),
        ("2024030110", "'%Y%m%d%H'"),
        ("2403011000", "'%y%m%d%H%M'"),
        ("240301100000", "'%y%m%d%H%M%S'"),
        (
            "2001010110",
            "'%Y%m%d%H' if the year of 4 digits comes first,"
            " '%y%m%d%H%M' if the year of 2 digits does",
        ),
        ("15012024", "'%d%m%Y'"),
        ("240301", "'%d%m%y' if the day comes first, '%y%m%d' if the year does"),
        ("2024-03-01 10.05.06", "'%Y-%m-%d %H.%M.%S'"),
        ("31.12.2024, 10.05", "'%d.%m.%Y, %H.%M'"),
        ("01-MAR-24 10.05.06.123456 AM", "'%d-%b-%y %I.%M.%S.%f %p'"),
        ("2024-03-01T00:00:00 10:05:06", "'%Y-%m-%dT00:00:00 %H:%M:%S'"),
        ("2024-03-01T00:00:00.000Z 10:05", "'%Y-%m-%dT00:00:00.000Z %H:%M'"),
        ("2024-03-01 00:00:00 9:05", "'%Y-%m-%d 00:00:00 %H:%M'"),
        ("31.12.2024 10h05", "'%d.%m.%Y %Hh%M'"),
        ("31.12.2024 10:05 Uhr", "'%d.%m.%Y %H:%M Uhr'"),
        (
            "2024-03-01 12:00:00 CET",
            "'%Y-%m-%d %H:%M:%S CET' --times-in ZONE, with the zone's full name such as"
            " Europe/Berlin",
        ),
        (
            "Fri Mar 01 12:00:00 PDT 2024",
            "'%a %b %d %H:%M:%S PDT %Y' --times-in ZONE, with the zone's full name such"
            " as America/Los_Angeles",
        ),
        (
            "01/02/2024 1:00 PM EST",
            "'%d/%m/%Y %I:%M %p EST' if the day comes first,"
            " '%m/%d/%Y %I:%M %p EST' if the month does, and --times-in ZONE, with the"
            " zone's full name such as America/New_York",
        ),
        (
            "2024-03-01 12:00:00 Europe/Berlin",
            "'%Y-%m-%d %H:%M:%S Europe/Berlin' --times-in Europe/Berlin",
        ),
        ("20240115103000", "'%Y%m%d%H%M%S'"),
        ("202401151030", "'%Y%m%d%H%M'"),
    ],
)
def test_hints_at_formats(value: str, formats: str) -> None:
    assert hint(value) == f"add --time-format {formats}"


@pytest.mark.parametrize("value", ["", "  ", "yesterday", "NaN"])
def test_hints_at_nothing(value: str) -> None:
    assert hint(value) == ""


@pytest.mark.parametrize(
    "value",
    [
        *("2024-01", "2024", "31/02/2024", "31 Feb 2024", "5 o'clock", "1" * 999, "x1"),
        *("631151999", "12:00:00 XYZ", "2024-03-01 12:00 Europe/Nowhere", "19999"),
    ],
)
def test_hints_that_there_are_formats(value: str) -> None:
    assert hint(value) == NO_FORMAT


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            ["45352.4166666667", "45352", "20000", "60000", "45352,5"],
            "a day number of a spreadsheet: format the column as date and time there, "
            "and save it again",
        ),
        (
            ["1.7092872E+09", "1,7E9", "6.38e17"],
            "a rounded number: export the column as whole numbers or as text",
        ),
        (
            ["10:05", "10:05:06.5", "9:05 PM", "10h05"],
            "a time without a day: add --time DAY+TIME where another column has the "
            "day",
        ),
        (
            ["24030112", "99123123"],
            "add --time-format '%y%m%d%H' if it is a year, month, day and hour",
        ),
        (
            ["638448840000000000", "13353760800000000"],
            "a number that isn't counted from 1970: export the column as text, such as "
            "2024-03-01 10:05:00",
        ),
        (
            [
                *("1. März 2024 10:05", "Freitag, 1. März 2024", "01-mai-24 10:05"),
                *("1 de marzo de 2024", "1 mars 2024", "mars 5, 2024", "5 мая 2024"),
            ],
            "names of months are read in English only: export the column with numbers, "
            "such as 2024-03-01 10:05:00",
        ),
    ],
)
def test_advises_where_no_format_helps(values: list[str], words: str) -> None:
    assert [hint(value) for value in values] == [words] * len(values)


def test_numbers_of_other_times_are_unreadable_in_columns_of_numbers() -> None:
    good, bad = 1609459200, [2024030110, 631151999, 638448840000000000, 9999999999999]
    for kind in (pa.int64(), pa.uint64(), pa.float64(), pa.decimal128(20, 0)):
        column = pa.chunked_array([pa.array([good, *bad]).cast(kind, safe=False)])
        found = instants(TimeReader(None, None), column)
        assert found == [micros("2021-01-01")] + [None] * 4
        read = instants(TimeReader("%Y%m%d%H", None), column)
        assert read == [None, micros("2024-03-01T10:00")] + [None] * 3


def test_a_proposed_zone_reads_its_times() -> None:
    reader = TimeReader("%Y-%m-%d %H:%M:%S Europe/Berlin", "Europe/Berlin")
    texts = ["2024-03-01 12:00:00 Europe/Berlin", "2024-07-01 12:00:00 Europe/Berlin"]
    found = instants(reader, pa.chunked_array([texts]))
    assert found == [micros("2024-03-01T11:00"), micros("2024-07-01T10:00")]


HINTED = [
    *("%d/%m/%Y %H:%M", "%m.%d.%y %I:%M:%S %p", "%b %d, %Y %I:%M%p", "%d %B %Y %H:%M"),
    *("%d-%b-%y %H:%M:%S.%f", "%Y%m%d%H%M%S", "%A, %B %d, %Y", "%d/%m/%Y %H:%M:%S %z"),
]


@settings(deadline=None)
@given(
    st.one_of(
        st.builds(
            lambda time, form: time.replace(tzinfo=UTC).strftime(form),
            st.datetimes(datetime(1970, 1, 1), datetime(2068, 1, 1)),
            st.sampled_from(HINTED),
        ),
        TEXTS,
        damaged(),
    )
)
def test_proposed_formats_read_the_value(value: str) -> None:
    for time_format in re.findall("'([^']*)'", hint(value)):
        reader = TimeReader(check_format(time_format), None)
        assert instants(reader, pa.chunked_array([[value]])) != [None]
