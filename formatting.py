"""Numbers, durations, dates and names, formatted as people read them."""

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Final, Literal
from unicodedata import category

import pandas as pd

_LONGEST_NAME: Final = 36
_LINE: Final = 60
_RESERVED_NAMES: Final = ("everyone", "average user")
_UNPRINTABLE: Final = ("C", "Zl", "Zp")
_DAYS: Final = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
_ONCE: Final = 0.95  # What is less isn't said to be once.

Unit = Literal["day", "week", "month", "year"]


def printable(text: str) -> str:
    """Escape what a terminal takes for a command, or doesn't show: "a\\x1b[31m"."""
    return "".join(
        letter
        if letter == " " or not category(letter).startswith(_UNPRINTABLE)
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def duration_text(seconds: float) -> str:
    """Format seconds: "4.2 s", "45 s", "2 min 5 s", "3 h 12 min", "2,604 h".

    Below 10 s there is one decimal; from 100 h on there are no minutes.
    """
    return _clock_text(seconds, longest_to_the_minute=100)


def _clock_text(seconds: float, longest_to_the_minute: int) -> str:
    """Format seconds; from so many hours on there are no minutes."""
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if whole >= longest_to_the_minute * 3600:
        return f"{seconds / 3600:,.0f} h"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"


def edge_text(seconds: float) -> str:
    """Format a bin edge: "1.5 s", "0.001 s", "2 min 30 s".

    It is exact below an hour and rounded to the minute from there on; from 10,000 h on
    there are no minutes.
    """
    if seconds < 60:
        return f"{seconds:g} s"
    return _clock_text(seconds, longest_to_the_minute=10_000)


def span_text(shortest: float | None, longest: float | None) -> str:
    """Format the durations in [shortest, longest): "10 s to 2 min", "under 10 s"."""
    if longest is None or longest == float("inf"):
        return f"{edge_text(shortest or 0)} and longer"
    if not shortest:
        return f"under {edge_text(longest)}"
    return f"{edge_text(shortest)} to {edge_text(longest)}"


def count_text(n: int, noun: str) -> str:
    """Format a count with its noun: "1 session", "10,528 sessions"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def unknown_text(n: int) -> str:
    """Say how many durations are unknown, a sentence; empty where none is."""
    return f"Unknown durations: {n:,} (left out of times)." if n else ""


def rate_text(value: float) -> str:
    """Format a number to a few digits: "0.031", "2.4", "17", "1,234".

    Whole numbers have no decimals; below 0.001 it is "under 0.001".
    """
    if value >= 9.95 or not value % 1:
        return f"{value:,.0f}"
    if value < 0.00095:
        return "under 0.001"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def frequency_text(n: float, unit: Unit = "day", noun: str = "") -> str:
    """Format how often *n* in a *unit* is: "16 a day", "about 1 every 3 months".

    With a noun it is "16 sessions a day". What is less than once a day is given by the
    week, what is rarer still in the longest unit that is within 10 %.
    """
    if n < 1e-9:
        return "hardly ever" if n else f"no {noun}s" if noun else "none"
    if n < _ONCE and unit == "day":
        n, unit = 7 * n, "week"
    if n >= _ONCE:
        text = rate_text(n).replace("1.0", "about 1")
        many = noun if text.endswith("1") and n < 2 else f"{noun}s"
        return f"{text} {many} a {unit}" if noun else f"{text} a {unit}"
    days_between = _DAYS[unit] / n
    for name, days in reversed(_DAYS.items()):
        times = round(days_between / days)
        if name == "day" or abs(times * days - days_between) <= 0.1 * days_between:
            break
    often = f"a {name}" if times == 1 else f"every {times:,} {name}s"
    return f"about 1 {noun} {often}" if noun else f"about 1 {often}"


def ratio_text(value: float, other: float) -> str:
    """Format value / other: "1.4", "0.03", "12,345"; a dash where it isn't defined."""
    if not value >= 0 or not other > 0:
        return "–"
    ratio = value / other
    if ratio >= 999_999.5:
        return "over 1,000,000"
    if ratio >= 99.95 or not ratio:
        return f"{ratio:,.0f}"
    if ratio < 0.00095:
        return "under 0.001"
    return f"{ratio:.1f}" if ratio >= 0.095 else f"{ratio:.1g}"


def percent_text(part: float, whole: float) -> str:
    """Format part / whole as a share; only all is "100 %", and only none is "0 %"."""
    if part in (0, whole):
        return "100 %" if part else "0 %"
    share = 100 * part / whole
    if share < 0.05:
        return "under 0.1 %"
    if share >= 99.95:
        return "over 99.9 %"
    return f"{share:.0f} %" if 9.95 <= share < 99.5 else f"{share:.1f} %"


def ordinal(n: int) -> str:
    """Format a place: "1st", "2nd", "3rd", "4th", "11th", "21st", "1,001st"."""
    last = 0 if n // 10 % 10 == 1 else n % 10
    return f"{n:,}" + {1: "st", 2: "nd", 3: "rd"}.get(last, "th")


def day_text(day: date) -> str:
    """Format a day: "1 March 2024"."""
    return f"{day.day} {day:%B} {day.year}"


def days_text(first: date, last: date) -> str:
    """Format the days from *first* to *last*, both included.

    Whole months and years go by their names: "March 2024", "2024", "1 to 7 March 2024",
    "1 March 2024".
    """
    if first == last:
        return day_text(first)
    if first.day == 1 and last.day == monthrange(last.year, last.month)[1]:
        if (last.year, last.month) == (first.year, first.month):
            return f"{first:%B} {first.year}"
        if (first.month, last.month) == (1, 12) and last.year == first.year:
            return str(first.year)
    if (last.year, last.month) == (first.year, first.month):
        return f"{first.day} to {day_text(last)}"
    if last.year == first.year:
        return f"{first.day} {first:%B} to {day_text(last)}"
    return f"{day_text(first)} to {day_text(last)}"


def instant_text(time: pd.Timestamp | None) -> str:
    """Format a time to the minute: "1 Mar 2024, 14:05"; "never" for None."""
    if time is None:
        return "never"
    return f"{time.day} {time:%b} {time.year}, {time:%H:%M}"


def one_line(text: str) -> str:
    """Put text of several lines into one."""
    return " ".join(text.splitlines())


def name_text(name: str) -> str:
    """Format a user or a page for a sentence: one line of at most 36 characters."""
    return shorten(one_line(name), _LONGEST_NAME)


def names_text(names: Sequence[str]) -> str:
    """List several labels: "cart", "cart and home", "cart, home and 3 more"."""
    shown = list(names[: 2 if len(names) > 3 else 3])
    if len(names) > 3:
        shown.append(f"{len(names) - 2:,} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def user_text(name: str, longest: int = _LONGEST_NAME) -> str:
    """Format a user, so that nobody is taken for everyone: "user_7", "user “everyone”".

    The text is one line of about *longest* characters at most.
    """
    text = shorten(one_line(name), longest)
    return f"user “{text}”" if is_reserved(name) else text


def is_reserved(name: str) -> bool:
    """Whether a user's name is one of the page's own words for everyone."""
    return " ".join(name.split()).casefold() in _RESERVED_NAMES


def natural_key(name: str) -> list[tuple[int, str]]:
    """A sort key by which user_2 comes before user_10."""
    parts = re.split(r"(\d+)", name)
    # Text and digits take turns; of two numbers, the longer is the larger.
    parts[1::2] = [digits.lstrip("0") for digits in parts[1::2]]
    return [(len(part) * (i % 2), part) for i, part in enumerate(parts)]


def shorten(text: str, longest: int) -> str:
    """Cut text to *longest* characters, keeping its beginning and more of its end."""
    if len(text) <= longest:
        return text
    head = longest // 4
    return f"{text[:head]}…{text[head + 1 - longest :]}"


def plotly_text(text: str) -> str:
    """Escape text for Plotly's labels and hover templates, which show it unchanged.

    Both interpret HTML; templates also interpret ``%{``.
    """
    return escape(text, quote=False).replace("%", "&#37;")


def plotly_lines(text: str) -> str:
    """Escape a name for a hover, in lines of 60 characters: at most five of them."""
    text = shorten(one_line(text), 5 * _LINE)
    lines = (text[start : start + _LINE] for start in range(0, len(text), _LINE))
    return "<br>".join(map(plotly_text, lines))


def first_line(error: Exception) -> str:
    """The first line of a library's message, at most 200 characters."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
