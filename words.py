"""Numbers, times and names as people read them."""

from calendar import monthrange
from datetime import date, timedelta
from html import escape
from typing import Final

import pandas as pd

_NAME: Final = 36


def duration_text(seconds: float) -> str:
    """Seconds as people read them: "4.2 s", "45 s", "2 min 5 s", "3 h 12 min".

    From 10,000 hours on the minutes are left out.
    """
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if whole >= 10_000 * 3600:
        return f"{seconds / 3600:,.0f} h"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"


def edge_text(seconds: float) -> str:
    """A duration to filter by: "1.5 s", "0.001 s", "2 min 30 s".

    Not rounded, but for those over an hour, to the minute.
    """
    return f"{seconds:g} s" if seconds < 60 else duration_text(seconds)


def span_text(shortest: float | None, longest: float | None) -> str:
    """A half-open range of durations: "10 s to 2 min", "under 10 s"."""
    if longest is None or longest == float("inf"):
        return f"{edge_text(shortest or 0)} and longer"
    if not shortest:
        return f"under {edge_text(longest)}"
    return f"{edge_text(shortest)} to {edge_text(longest)}"


def count_text(n: int, noun: str) -> str:
    """A count with its noun: "1 session", "10,528 sessions"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def rate_text(value: float) -> str:
    """A number of a few digits: "0.031", "2.4", "17", "1,234"; whole ones as such."""
    if value >= 9.95 or not value % 1:
        return f"{value:,.0f}"
    if value < 0.00095:
        return "under 0.001"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def ratio_text(value: float, other: float) -> str:
    """How many times *other*; a dash where that is nothing, or either unknown."""
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


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    last = 0 if n // 10 % 10 == 1 else n % 10
    return f"{n:,}" + {1: "st", 2: "nd", 3: "rd"}.get(last, "th")


def day_text(day: date) -> str:
    """A day: "1 March 2024"."""
    return f"{day.day} {day:%B} {day.year}"


def days_text(start: date, end: date) -> str:
    """The days of [start, end): "March 2024", "1 to 7 March 2024", "1 March 2024"."""
    return through_text(start, end - timedelta(days=1))


def through_text(start: date, last: date) -> str:
    """The same for the days of [start, last]: no date is after 31 December 9999."""
    if start == last:
        return day_text(start)
    if start.day == 1 and last.day == monthrange(last.year, last.month)[1]:
        if (last.year, last.month) == (start.year, start.month):
            return f"{start:%B} {start.year}"
        if (start.month, last.month) == (1, 12) and last.year == start.year:
            return str(start.year)
    if (last.year, last.month) == (start.year, start.month):
        return f"{start.day} to {day_text(last)}"
    if last.year == start.year:
        return f"{start.day} {start:%B} to {day_text(last)}"
    return f"{day_text(start)} to {day_text(last)}"


def instant_text(time: pd.Timestamp | None) -> str:
    """A moment to the minute, "1 Mar 2024, 14:05"; "never" for none."""
    if time is None:
        return "never"
    return f"{time.day} {time:%b} {time.year}, {time:%H:%M}"


def name_text(text: str) -> str:
    """A user or a page in a sentence or in the head of a hover, on one line."""
    return shortened(" ".join(text.splitlines()), _NAME)


def names_text(names: tuple[str, ...]) -> str:
    """Pages in a sentence: "cart", "cart and home", "cart, home and 3 more"."""
    shown = [name_text(name) for name in names[: 2 if len(names) > 3 else 3]]
    if len(names) > 3:
        shown.append(f"{len(names) - 2:,} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def shortened(text: str, length: int) -> str:
    """The text, or its beginning and its longer end around an ellipsis."""
    if len(text) <= length:
        return text
    head = length // 4
    return f"{text[:head]}…{text[head + 1 - length :]}"


def in_html(text: str) -> str:
    """Text as Plotly's HTML shows it unchanged; in templates, %{ is special too."""
    return escape(text, quote=False).replace("%", "&#37;")
