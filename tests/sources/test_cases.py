"""Small files as people have them, each standing for a kind: what opens, and how."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sources import BadInput, ReadOptions, Report, read_sessions

Write = Any


def read(*paths: Path, **options: Any) -> tuple[list[list[Any]], Report]:
    """The sessions, by user, and the report; times are in UTC, None is unknown."""
    reading = read_sessions(paths, ReadOptions(**options))
    found = pd.concat(
        [part.astype({"user_id": str, "page": str}) for part in reading.tables]
    )
    seconds = found["duration"].astype(object).where(found["duration"].notna(), None)
    times = found["timestamp"].map(lambda time: time.isoformat(sep=" "))
    columns = zip(found["user_id"], found["page"], seconds, times, strict=True)
    return [list(row) for row in columns], reading.origin.report


CASES: dict[str, tuple[str, dict[str, Any], list[list[Any]]]] = {
    "UTC behind times": (
        "user_id,page,duration,timestamp\n541,view,35,2019-10-01 00:00:00 UTC\n"
        "541,cart,12,2019-10-01 00:02:10 UTC\n",
        {},
        [
            ["541", "view", 35, "2019-10-01 00:00:00"],
            ["541", "cart", 12, "2019-10-01 00:02:10"],
        ],
    ),
    "other names": (
        "timestamp,visitor,page_url,session_duration,country\n"
        "2025-04-07 09:01:48,70457,/home,263,CH\n",
        {},
        [["70457", "/home", 263, "2025-04-07 09:01:48"]],
    ),
    "a German spreadsheet": (
        "\ufeffuser_id;page;duration;timestamp\r\n"
        "anna;Startseite;12,5;31.12.2024 13:45\r\n"
        "bernd;Über uns;1.234,75;31.12.2024 14:02\r\n",
        {"time_format": "%d.%m.%Y %H:%M"},
        [
            ["anna", "Startseite", 12.5, "2024-12-31 13:45:00"],
            ["bernd", "Über uns", 1234.75, "2024-12-31 14:02:00"],
        ],
    ),
    "pandas' timedeltas": (
        "user_id,page,duration,timestamp\n"
        "p1,intro,0 days 00:10:44.793000,2024-11-14 14:11:14.917000\n",
        {},
        [["p1", "intro", 644.793, "2024-11-14 14:11:14.917000"]],
    ),
    "durations as clocks show them": (
        "user_id,page,duration,timestamp\nc1,/,00:14,2020-05-01T22:05:00+0700\n"
        "c1,/people,01:20,2020-05-01T22:05:15+0700\n"
        "c2,/people/1,1:02:03,2020-05-01T22:06:35+0700\n",
        {},
        [
            ["c1", "/", 14, "2020-05-01 15:05:00"],
            ["c1", "/people", 80, "2020-05-01 15:05:15"],
            ["c2", "/people/1", 3723, "2020-05-01 15:06:35"],
        ],
    ),
    "milliseconds since 1970": (
        "user_id,page,duration,timestamp\na,/,10,1609459200000\n"
        "b,/x,20,1609459260000\n",
        {},
        [
            ["a", "/", 10, "2021-01-01 00:00:00"],
            ["b", "/x", 20, "2021-01-01 00:01:00"],
        ],
    ),
    "a day and a time": (
        "user_id;date;time;page;duration\n0d9d;1999-06-24;10:06:37;home;40\n",
        {},
        [["0d9d", "home", 40, "1999-06-24 10:06:37"]],
    ),
    "no header": (
        "15174,home,35,2020-07-30T23:17:36\n10774,login,9,2020-07-30T23:17:36\n",
        {"header": False, "user": "1", "page": "2", "duration": "3", "time": "4"},
        [
            ["15174", "home", 35, "2020-07-30 23:17:36"],
            ["10774", "login", 9, "2020-07-30 23:17:36"],
        ],
    ),
    "a delimiter behind each row": (
        "user_id,page,duration,timestamp\nann,home,10,2024-01-01 10:00,\n"
        "bob,home,20,2024-01-01 11:00,\n",
        {},
        [
            ["ann", "home", 10, "2024-01-01 10:00:00"],
            ["bob", "home", 20, "2024-01-01 11:00:00"],
        ],
    ),
    "a line that says the delimiter": (
        "\ufeffsep=;\r\nuser_id;page;duration;timestamp\r\n"
        "ann;home;10;2024-01-01 10:00\r\n",
        {},
        [["ann", "home", 10, "2024-01-01 10:00:00"]],
    ),
    "lines before the header": (
        "# ---\n# All traffic\n\nuser_id,page,duration,timestamp\n"
        "ann,home,10,2024-01-01 10:00\n",
        {},
        [["ann", "home", 10, "2024-01-01 10:00:00"]],
    ),
    "words for unknown": (
        "user_id,page,duration,timestamp\n"
        + "".join(
            f"ann,home,{word},2024-01-01 10:00\n"
            for word in ("\\N", "<NA>", "-", "#N/A", "(not set)", "NaT", "30")
        ),
        {},
        [["ann", "home", None, "2024-01-01 10:00:00"]] * 6
        + [["ann", "home", 30, "2024-01-01 10:00:00"]],
    ),
    "thousands, said to be so": (
        'user_id,page,duration,timestamp\nann,home,"1,234",2024-01-01 10:00\n',
        {"decimal": "."},
        [["ann", "home", 1234, "2024-01-01 10:00:00"]],
    ),
    "decimal commas, said to be so": (
        'user_id,page,duration,timestamp\nann,home,"1,234",2024-01-01 10:00\n',
        {"decimal": ","},
        [["ann", "home", 1.234, "2024-01-01 10:00:00"]],
    ),
    "names in capitals": (
        "User_ID,Page,Duration,Timestamp\nann,home,10,2024-01-01 10:00\n",
        {},
        [["ann", "home", 10, "2024-01-01 10:00:00"]],
    ),
    "start and end": (
        "session_id,user_id,start_time,end_time,page\n"
        "s1,u1,2025-06-28T09:55:00,2025-06-28T10:00:00,home\n",
        {},
        [["u1", "home", 300, "2025-06-28 09:55:00"]],
    ),
    "no duration": (
        "user_id,timestamp,page,element\nU001,2025-06-28T08:15:30,home,search\n"
        "U001,2025-06-28T08:18:45,product,image\n"
        "U002,2025-06-28T08:20:00,checkout,button\n",
        {},
        [
            ["U001", "home", 195, "2025-06-28 08:15:30"],
            ["U001", "product", None, "2025-06-28 08:18:45"],
            ["U002", "checkout", None, "2025-06-28 08:20:00"],
        ],
    ),
    "minutes": (
        "user_id,session_date,session_duration_minutes,page\n1,2025-08-28,48,home\n",
        {},
        [["1", "home", 2880, "2025-08-28 00:00:00"]],
    ),
    "escaped quotation marks": (
        "user_id,page,duration,timestamp\n"
        '"ann","say \\"hi\\", then go",10,2024-01-01\n',
        {"escape": True},
        [["ann", 'say "hi", then go', 10, "2024-01-01 00:00:00"]],
    ),
    "JSON Lines": (
        '{"user_id":"ann","page":"home","duration":10,'
        '"timestamp":"2024-01-01T10:00:00Z"}\n',
        {},
        [["ann", "home", 10, "2024-01-01 10:00:00"]],
    ),
    "German numbers with ISO times": (
        "\ufeffuser_id;page;duration;timestamp\r\nanna;Start;12,5;2024-12-31 13:45\r\n"
        "anna;Start;30;2024-12-31 14:45\r\nanna;Kasse;1.234;2024-12-31 15:00\r\n",
        {},
        [
            ["anna", "Start", 12.5, "2024-12-31 13:45:00"],
            ["anna", "Start", 30, "2024-12-31 14:45:00"],
            ["anna", "Kasse", 1234, "2024-12-31 15:00:00"],
        ],
    ),
    "formulas": (
        'user_id,page,duration,timestamp\n"=HYPERLINK(""x"")",+1+2,10,2024-01-01\n',
        {},
        [['=HYPERLINK("x")', "+1+2", 10, "2024-01-01 00:00:00"]],
    ),
    "zeros that stand for unknown": (
        "user_id,page,duration,timestamp\na,p,0,2024-01-01\na,p,360,2024-01-02\n",
        {"zero_is_unknown": True},
        [
            ["a", "p", None, "2024-01-01 00:00:00"],
            ["a", "p", 360, "2024-01-02 00:00:00"],
        ],
    ),
    "times of another zone": (
        "user_id,page,duration,timestamp\na,p,10,2024-07-01 09:00\n",
        {"times_in": "Europe/Berlin"},
        [["a", "p", 10, "2024-07-01 07:00:00"]],
    ),
    "only some rows": (
        "user_id,page,duration,timestamp,event\na,p,1,2024-01-01,view\n"
        "b,p,1,never,click\n",
        {"where": (("event", "view"),)},
        [["a", "p", 1, "2024-01-01 00:00:00"]],
    ),
    "addresses": (
        "user_id,page,duration,timestamp\na,https://x.org/A/?b=1#c,1,2024-01-01\n",
        {"merge_pages": frozenset({"query", "fragment", "slash", "case", "host"})},
        [["a", "/a", 1, "2024-01-01 00:00:00"]],
    ),
    "prototypes": (
        "user_id,page,duration,timestamp\n__proto__,/?a=__proto__,1,2024-01-01\n",
        {},
        [["__proto__", "/?a=__proto__", 1, "2024-01-01 00:00:00"]],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_opens(case: str, write: Write) -> None:
    text, options, expected = CASES[case]
    rows, report = read(write(text), **options)
    assert rows == expected
    assert not report.left_out


REFUSED: dict[str, tuple[str, str]] = {
    "31/12/2024 13:45": ("--time-format", "line 2: '31/12/2024 13:45'"),
    "12/31/2024 1:45 PM": ("--time-format", "line 2: '12/31/2024 1:45 PM'"),
    "01/02/2025 09:05": ("--time-format", "line 2: '01/02/2025 09:05'"),
    "20240131134500": ("--time-format", "line 2: '20240131134500'"),
}


@pytest.mark.parametrize("time", REFUSED)
def test_names_the_option_for_times(time: str, write: Write) -> None:
    path = write(f"user_id,page,duration,timestamp\na,p,1,{time}\n")
    with pytest.raises(BadInput) as caught:
        read(path)
    for words in REFUSED[time]:
        assert words in str(caught.value)


def test_ambiguous_durations_are_refused_with_both_values(write: Write) -> None:
    path = write(
        'user_id,page,duration,timestamp\nann,home,"1,234",2024-01-01\n'
        'ann,home,"12,5",2024-01-01\nbob,home,900,2024-01-01\n'
    )
    with pytest.raises(BadInput) as caught:
        read(path)
    for words in ("line 2", "'1,234'", "line 3", "'12,5'", "--decimal"):
        assert words in str(caught.value)


def test_the_option_for_escaped_quotation_marks_is_named(write: Write) -> None:
    path = write(
        'user_id,page,duration,timestamp\n"a","say \\"hi\\", go",10,2024-01-01\n'
    )
    with pytest.raises(BadInput, match="--escape"):
        read(path)


def test_a_file_without_a_header_names_the_options(write: Write) -> None:
    path = write("15174,home,35,2020-07-30T23:17:36\n10774,login,9,2020-07-30\n")
    with pytest.raises(BadInput, match="--no-header"):
        read(path)


def test_the_report_says_what_was_understood(write: Write) -> None:
    path = write(
        "userId,url,event,seconds_on_page,ts\na,/,click,1,1609459200\n"
        "b,/,click,x,1609459200\n,/,click,1,1609459200\n"
    )
    _, report = read(path, allow_left_out=True)
    ((heading, lines), (left_out, reasons)) = report.sections()
    assert heading == "sessions.csv"
    assert lines == [
        "CSV, separated by commas, UTF-8.",
        "User: userId.",
        "Page: url (not event).",
        "Time: ts, seconds since 1970.",
        "Duration: seconds_on_page, in seconds.",
        "3 rows read, 1 kept, 2 left out.",
    ]
    assert left_out == "Rows left out"
    assert reasons == [
        "1 with no user, such as line 4.",
        "1 with an unreadable duration, such as line 3: 'x'.",
    ]
    assert report.alarm().startswith("67 % of the rows can't be used")
