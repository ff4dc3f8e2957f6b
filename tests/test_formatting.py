from datetime import date
from math import inf, nan

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import formatting

MINUTE, HOUR = 60, 3600


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.04, "0 s"),
        (0.06, "0.1 s"),
        (1, "1 s"),
        (4.25, "4.2 s"),
        (9.94, "9.9 s"),
        (9.95, "10 s"),
        (59.4, "59 s"),
        (59.5, "1 min"),
        (125, "2 min 5 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h"),
        (HOUR + 29, "1 h"),
        (3 * HOUR + 12 * MINUTE, "3 h 12 min"),
        (99 * HOUR + 59 * MINUTE, "99 h 59 min"),
        (100 * HOUR - 1, "100 h"),
        (100 * HOUR + 31 * MINUTE, "101 h"),
        (2603 * HOUR + 41 * MINUTE, "2,604 h"),
        (100 * 365.25 * 24 * HOUR, "876,600 h"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert formatting.duration_text(seconds) == text


@given(st.floats(0, 1e12))
def test_a_duration_never_has_sixty_of_anything(seconds: float) -> None:
    text = formatting.duration_text(seconds)
    assert not text.startswith(("60 ", "-"))
    assert " 60 " not in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0 s"), (0.001, "0.001 s"), (1.5, "1.5 s"), (59.5, "59.5 s")),
        *((60, "1 min"), (150, "2 min 30 s"), (HOUR, "1 h"), (1e5, "27 h 47 min")),
        *((4e5, "111 h 7 min"), (10_000 * HOUR - 1, "10,000 h")),
        (10_000 * HOUR + 31 * MINUTE, "10,001 h"),
    ],
)
def test_edges_are_not_rounded_below_an_hour(seconds: float, text: str) -> None:
    assert formatting.edge_text(seconds) == text


@pytest.mark.parametrize(
    ("shortest", "longest", "text"),
    [
        (10, 120, "10 s to 2 min"),
        (0.001, 1, "0.001 s to 1 s"),
        (None, 10, "under 10 s"),
        (0, 10, "under 10 s"),
        (10, None, "10 s and longer"),
        (10, inf, "10 s and longer"),
        (0, None, "0 s and longer"),
    ],
)
def test_spans(shortest: float | None, longest: float | None, text: str) -> None:
    assert formatting.span_text(shortest, longest) == text


def test_counts_have_their_noun_in_the_right_number() -> None:
    assert formatting.count_text(0, "session") == "0 sessions"
    assert formatting.count_text(1, "session") == "1 session"
    assert formatting.count_text(10_528, "user") == "10,528 users"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0, "0"), (1e-9, "under 0.001"), (0.00094, "under 0.001")),
        *((0.00095, "0.00095"), (0.0312, "0.031"), (0.94, "0.94"), (0.951, "1.0")),
        *((1, "1"), (2, "2"), (2.44, "2.4"), (9.94, "9.9"), (9.95, "10")),
        *((17.4, "17"), (1234.5, "1,234"), (100, "100")),
    ],
)
def test_rates_have_few_digits_and_whole_ones_none_behind(
    value: float, text: str
) -> None:
    assert formatting.rate_text(value) == text


@pytest.mark.parametrize(
    ("n", "unit", "text"),
    [
        *((16, "day", "16 a day"), (1, "day", "1 a day"), (2.44, "day", "2.4 a day")),
        *((0.97, "day", "about 1 a day"), (1.02, "day", "about 1 a day")),
        # Less than once a day: by the week.
        *((0.94, "day", "6.6 a week"), (2 / 7, "day", "2 a week")),
        *((1 / 7, "day", "1 a week"), (0.136, "day", "about 1 a week")),
        *((140, "week", "140 a week"), (1 / 3, "month", "about 1 every 3 months")),
        *((3, "year", "3 a year"), (1 / 30, "year", "about 1 every 30 years")),
        # Rarer still: the longest unit that is within 10 %.
        *((1 / 8, "day", "about 1 every 8 days"), (0.94, "week", "about 1 a week")),
        *(
            (1 / 13, "day", "about 1 every 2 weeks"),
            (1 / 17, "day", "about 1 every 17 days"),
        ),
        *((1 / 30, "day", "about 1 a month"), (1 / 45, "day", "about 1 every 6 weeks")),
        *(
            (0.0055, "day", "about 1 every 6 months"),
            (0.011, "day", "about 1 every 3 months"),
        ),
        *(
            (1 / 365, "day", "about 1 a year"),
            (1 / 500, "day", "about 1 every 16 months"),
        ),
        *((1e-6, "day", "about 1 every 2,738 years"), (0, "day", "none")),
        (1e-10, "day", "hardly ever"),
    ],
)
def test_how_often(n: float, unit: formatting.Unit, text: str) -> None:
    assert formatting.frequency_text(n, unit) == text


def test_how_often_something_is() -> None:
    def text(n: float) -> str:
        return formatting.frequency_text(n, "day", "session")

    assert text(16) == "16 sessions a day"
    assert text(1) == "1 session a day"
    assert text(1.04) == "about 1 session a day"
    assert text(1.5) == "1.5 sessions a day"
    assert text(1 / 7) == "1 session a week"
    assert text(11) == "11 sessions a day"
    assert text(1 / 365) == "about 1 session a year"
    assert text(0.011) == "about 1 session every 3 months"
    assert text(0) == "no sessions"


@pytest.mark.parametrize(
    ("value", "other", "text"),
    [
        *((7, 5, "1.4"), (5, 5, "1.0"), (1, 1000, "0.001"), (1, 30, "0.03")),
        *((0.95, 10, "0.1"), (94, 1000, "0.09"), (9999, 100, "100")),
        *((99.9, 1, "99.9"), (12_345, 1, "12,345"), (0, 5, "0")),
        *((0.94, 10, "0.09"), (99.94, 1, "99.9"), (99.95, 1, "100")),
        *((1e300, 1e-300, "over 1,000,000"), (1e-300, 1e300, "0")),
        *((1, 1e6, "under 0.001"), (999_999, 1, "999,999")),
        *((0.00094, 1, "under 0.001"), (0.00096, 1, "0.001")),
        *((999_999.4, 1, "999,999"), (999_999.5, 1, "over 1,000,000")),
        *((1, 0, "–"), (0, 0, "–"), (nan, 1, "–"), (1, nan, "–")),
    ],
)
def test_ratios(value: float, other: float, text: str) -> None:
    assert formatting.ratio_text(value, other) == text


durations = st.floats(0, 1e10)


@given(durations, durations)
def test_no_number_is_written_with_an_exponent(value: float, other: float) -> None:
    frequency = formatting.frequency_text(value)
    for text in (
        *(formatting.ratio_text(value, other), formatting.rate_text(value), frequency),
    ):
        assert "e-" not in text
        assert "e+" not in text
        assert "inf" not in text
        assert "nan" not in text


@pytest.mark.parametrize(
    ("n", "text"),
    [
        *((1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th")),
        *((11, "11th"), (12, "12th"), (13, "13th"), (20, "20th"), (21, "21st")),
        *((22, "22nd"), (101, "101st"), (111, "111th"), (112, "112th")),
        *((1_003, "1,003rd"), (1_013, "1,013th"), (1_000_001, "1,000,001st")),
    ],
)
def test_ordinals(n: int, text: str) -> None:
    assert formatting.ordinal(n) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2024-03-01", "2024-03-01", "1 March 2024"),
        ("2024-03-31", "2024-03-31", "31 March 2024"),
        ("2024-03-01", "2024-03-07", "1 to 7 March 2024"),
        ("2024-03-01", "2024-03-31", "March 2024"),
        ("2024-03-02", "2024-03-31", "2 to 31 March 2024"),
        ("2024-02-01", "2024-02-29", "February 2024"),
        ("2024-02-01", "2024-02-28", "1 to 28 February 2024"),
        ("2023-02-01", "2023-02-28", "February 2023"),
        ("2024-12-01", "2024-12-31", "December 2024"),
        ("2024-02-26", "2024-03-03", "26 February to 3 March 2024"),
        ("2024-01-01", "2024-03-31", "1 January to 31 March 2024"),
        ("2024-02-01", "2024-12-31", "1 February to 31 December 2024"),
        ("2024-01-01", "2024-12-31", "2024"),
        ("2024-01-01", "2024-12-30", "1 January to 30 December 2024"),
        ("2023-03-01", "2024-03-31", "1 March 2023 to 31 March 2024"),
        ("2023-03-05", "2024-03-06", "5 March 2023 to 6 March 2024"),
        ("2023-12-30", "2024-01-01", "30 December 2023 to 1 January 2024"),
        ("2023-01-01", "2024-12-31", "1 January 2023 to 31 December 2024"),
        ("0001-01-01", "0001-01-01", "1 January 1"),
        ("9999-12-31", "9999-12-31", "31 December 9999"),
        ("9999-12-01", "9999-12-31", "December 9999"),
        ("9999-01-01", "9999-12-31", "9999"),
    ],
)
def test_days(first: str, last: str, text: str) -> None:
    days = date.fromisoformat(first), date.fromisoformat(last)
    assert formatting.days_text(*days) == text


some_days = st.dates(date(2023, 1, 1), date(2026, 1, 1))


@given(some_days, some_days, some_days, some_days)
def test_other_days_have_other_words(a: date, b: date, c: date, d: date) -> None:
    first, second = sorted((a, b)), sorted((c, d))
    texts = [formatting.days_text(*days) for days in (first, second)]
    assert (texts[0] == texts[1]) == (first == second)
    assert formatting.days_text(a, a) == formatting.day_text(a)


def test_moments_are_to_the_minute() -> None:
    time = pd.Timestamp("2024-03-01T14:05:59")
    assert formatting.instant_text(time) == "1 Mar 2024, 14:05"
    early = pd.Timestamp("0001-01-01T00:00:00").as_unit("s")
    assert formatting.instant_text(early) == "1 Jan 1, 00:00"
    assert formatting.instant_text(None) == "never"


def test_long_names_keep_their_beginning_and_their_longer_end() -> None:
    name = "0123456789" * 6
    assert formatting.name_text(name) == "012345678…456789" + "0123456789" * 2
    assert formatting.shorten(name, 36) == formatting.name_text(name)
    assert formatting.name_text(name[:36]) == name[:36]
    assert len(formatting.name_text(name[:37])) == 36


@given(st.text(), st.integers(2, 40))
def test_shortened_is_no_longer_than_that(text: str, length: int) -> None:
    short = formatting.shorten(text, length)
    assert len(short) <= length
    assert (short == text) == (len(text) <= length)


@given(st.text())
def test_a_name_in_a_sentence_is_on_one_line(name: str) -> None:
    assert len(formatting.name_text(name).splitlines()) <= 1


def test_lines_of_a_name_are_joined_and_spaces_kept() -> None:
    for text in (formatting.name_text, formatting.one_line):
        assert text("a\r\nb\u2028c  d") == "a b c  d"
        assert text("a\n\nb\n") == "a  b"
        assert text("") == text("\n") == ""
    assert formatting.one_line("a" * 10_000 + "\n") == "a" * 10_000


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    line = formatting.one_line(text)
    assert len(line.splitlines()) <= 1
    assert formatting.one_line(line) == line
    assert len(line) <= len(text)
    assert "".join(line.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("n", "text"),
    [
        *((1, "a"), (2, "a and b"), (3, "a, b and c"), (4, "a, b and 2 more")),
        *((5, "a, b and 3 more"), (6, "a, b and 4 more")),
    ],
)
def test_several_names_are_one_or_two_and_how_many_more(n: int, text: str) -> None:
    assert formatting.names_text(tuple("abcdef"[:n])) == text


def test_names_in_a_list_are_whole() -> None:
    # They are labels, which are short already.
    long = "0123456789" * 6
    assert formatting.names_text([long, "b"]) == f"{long} and b"
    assert formatting.names_text([]) == ""
    names = ["a", "b", "c"]
    assert formatting.names_text(names) == "a, b and c"
    assert names == ["a", "b", "c"]


def test_many_names() -> None:
    names = tuple(str(number) for number in range(2_002))
    assert formatting.names_text(names) == "0, 1 and 2,000 more"


def test_text_in_html_is_text() -> None:
    assert (
        formatting.plotly_text("<b>x</b> & %{y}")
        == "&lt;b&gt;x&lt;/b&gt; &amp; &#37;{y}"
    )
    assert formatting.plotly_text('it\'s "it"') == 'it\'s "it"'


def test_a_name_in_a_hover_is_in_lines() -> None:
    assert formatting.plotly_lines("home") == "home"
    assert formatting.plotly_lines("") == ""
    assert formatting.plotly_lines("a" * 60) == "a" * 60
    assert formatting.plotly_lines("a" * 60 + "b") == "a" * 60 + "<br>b"
    # Its own lines are none, and what is escaped isn't cut.
    assert formatting.plotly_lines("a\nb") == "a b"
    name = "a" * 59 + "<b>%{x}"
    assert formatting.plotly_lines(name) == "a" * 59 + "&lt;<br>b&gt;&#37;{x}"
    lines = formatting.plotly_lines("0123456789" * 1_000).split("<br>")
    assert [len(line) for line in lines] == [60] * 5
    # A quarter of it is its beginning.
    assert lines[1][:16] == "012345678901234…"
    assert lines[4] == "0123456789" * 6
    whole = "0123456789" * 30
    assert formatting.plotly_lines(whole).replace("<br>", "") == whole


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        *((0, 5, "0 %"), (5, 5, "100 %"), (1, 3, "33 %"), (2, 3, "67 %")),
        *((1, 3_000, "under 0.1 %"), (0.05, 100, "0.1 %"), (0.049, 100, "under 0.1 %")),
        *((9.94, 100, "9.9 %"), (9.95, 100, "10 %"), (99.49, 100, "99 %")),
        *((99.5, 100, "99.5 %"), (99.94, 100, "99.9 %"), (99.95, 100, "over 99.9 %")),
        *((0, 0, "0 %"), (1e-300, 1, "under 0.1 %")),
    ],
)
def test_a_share_is_all_or_nothing_only_where_it_is(
    part: float, whole: float, text: str
) -> None:
    assert formatting.percent_text(part, whole) == text


RESERVED = (
    *("everyone", "Everyone", "EVERYONE", " everyone ", "everyone\n"),
    *("average user", "Average User", "average\nuser", "average  user"),
)


@pytest.mark.parametrize("name", RESERVED)
def test_nobody_is_taken_for_everyone(name: str) -> None:
    assert formatting.is_reserved(name)
    text = formatting.user_text(name)
    assert text.startswith("user “")
    assert text.endswith("”")
    assert len(text.splitlines()) == 1
    assert formatting.name_text(name) == text[6:-1]


@pytest.mark.parametrize(
    "name", ["ann", "everyone else", "every one", "averageuser", "user", "“everyone”"]
)
def test_other_names_are_themselves(name: str) -> None:
    assert not formatting.is_reserved(name)
    assert formatting.user_text(name) == name


def test_a_user_is_as_long_as_there_is_place_for() -> None:
    name = "0123456789" * 6
    assert formatting.user_text(name) == formatting.name_text(name)
    assert formatting.user_text(name, 20) == "01234…67890123456789"


@pytest.mark.parametrize(
    "names",
    [
        ["user_1", "user_2", "user_10", "user_21", "user_100"],
        ["1", "2", "10"],
        ["a", "a1", "a1b", "a1b2", "a1b10", "a2"],
        ["p2q9", "p2q10", "p10q1"],
        ["p", "p0", "p1"],
        ["page 9", "page 99", "page 999999999999999999999999"],
        ["", "7", "x"],
    ],
)
def test_names_are_sorted_with_their_numbers_by_value(names: list[str]) -> None:
    assert sorted({*names}, key=formatting.natural_key) == names


def test_zeros_before_a_number_do_not_count() -> None:
    assert sorted(["p010", "p9", "p08"], key=formatting.natural_key) == [
        *("p08", "p9", "p010")
    ]


@given(st.lists(st.text("a0129²٣ -", max_size=6)))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    sorted(names, key=formatting.natural_key)
