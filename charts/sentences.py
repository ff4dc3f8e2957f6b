"""The wording that sentences, tiles and headings share."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from engine.model import Selection, Statistic, Summary
from formatting import (
    count_text,
    day_text,
    days_text,
    duration_text,
    name_text,
    names_text,
    rate_text,
    ratio_text,
    span_text,
    user_text,
)
from labels import page_labels
from view import FilterName, Measure, View

FEW: Final = 5
"""With fewer known durations than this, a statistic is weak evidence."""

WEEKDAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday"),
    *("Friday", "Saturday", "Sunday"),
)


class Wording(NamedTuple):
    """How a statistic is spoken of."""

    label: str
    """On its button, in headings and on axes."""
    noun: str
    """In the midst of a sentence."""
    sentence: str
    """A statement with the places {whose} and {duration}."""


STATISTICS: Final[Mapping[Statistic, Wording]] = {
    "average": Wording(
        "Average", "average", "{whose} sessions last {duration} on average"
    ),
    "median": Wording("Median", "median", "{whose} median session lasts {duration}"),
    "p90": Wording(
        "P90",
        "P90",
        "The slowest 10 % of {whose} sessions take longer than {duration}",
    ),
}
"""Every statistic that can be chosen, in the order of its buttons."""


def pages_text(names: Sequence[str], pages: tuple[str, ...]) -> str:
    """Format some of all pages: "cart", "cart and home", "cart, home and 3 more"."""
    labels = page_labels(pages)
    return names_text([labels.get(name, name_text(name)) for name in names])


def has_filters(view: View) -> bool:
    """Whether only some sessions of the user, or of everyone, are shown."""
    return view.selection != Selection(view.selection.user)


def filter_texts(view: View, pages: tuple[str, ...]) -> dict[FilterName, str]:
    """The filters that are set, in words, by "dates", "pages" and "durations".

    *pages* are all of the data, from which those that are picked are told apart.
    """
    selection = view.selection
    texts: dict[FilterName, str] = {}
    if selection.start or selection.end:
        texts["dates"] = dates_text(selection.start, selection.end)
    if selection.pages:
        texts["pages"] = pages_text(selection.pages, pages)
    if selection.shortest is not None or selection.longest is not None:
        texts["durations"] = span_text(selection.shortest, selection.longest)
    return texts


def dates_text(start: date | None, end: date | None) -> str:
    """Format [start, end): "March 2024", "until 3 May 2024", "from 4 May 2024"."""
    last = end - timedelta(days=1) if end else None
    if start and last:
        return days_text(start, last)
    if last:
        return f"until {day_text(last)}"
    return f"from {day_text(start)}" if start else ""


def caption(view: View, pages: tuple[str, ...]) -> str:
    """The user and the filters of a view: "user_7, March 2024, cart"."""
    return ", ".join([subject_text(view), *filter_texts(view, pages).values()])


def subject_text(view: View) -> str:
    """Whose sessions are shown: "user_7" or "everyone"."""
    user = view.selection.user
    return "everyone" if user is None else user_text(user)


def is_beside(summary: Summary) -> bool:
    """Whether there is a user, and others to compare them with."""
    if summary.user is None:
        return False
    return bool((summary.user.sessions != summary.everyone.sessions).any())


def none_match(view: View) -> str:
    """The sentence of a chart without sessions to show."""
    if view.selection.user is None:
        return "No sessions match."
    return f"No sessions of {subject_text(view)} match."


def none_known(view: View) -> str:
    """The sentence of a chart of durations without a known one to show."""
    if view.selection.user is None:
        return "No duration is known."
    return f"{subject_text(view)} has no sessions of known duration."


def statistic_sentence(statistic: Statistic, subject: str, seconds: float) -> str:
    """State a statistic of somebody's durations, without the full stop."""
    sentence = STATISTICS[statistic].sentence.format(
        whose=f"{subject}'s", duration=duration_text(seconds)
    )
    # A user's name keeps its letters.
    return capitalized(sentence) if subject == "everyone" else sentence


def capitalized(text: str) -> str:
    """The text with its first letter a capital one."""
    return text[:1].upper() + text[1:]


def sample_text(n: int, *others: int) -> str:
    """Say how many sessions a statistic is of, and whether that is few.

    For example "5 sessions", or "2 sessions, so this may be chance". Where it is
    compared with statistics of *others*, few of these are few, too.
    """
    weak = ", so this may be chance" if 0 < min(n, *others, FEW) < FEW else ""
    return f"{count_text(n, 'session')}{weak}"


def comparison(value: float, other: float, noun: str = "") -> str:
    """Compare a value with another one: "1.4 × everyone's average", or just "1.4 ×".

    *noun* names the other one. A ratio that rounds to 1.0 is "about the same as
    everyone's average", or just "about the same".
    """
    ratio = ratio_text(value, other)
    if ratio == "1.0":
        return f"about the same as {noun}" if noun else "about the same"
    return f"{ratio} × {noun}".rstrip()


def change_text(value: float, beside: float) -> str:
    """Format a change: "+12 %", "−30 %", "2.4 ×", "about the same"; "" from nothing."""
    if not beside > 0 or not value >= 0:
        return ""
    change = 100 * (value / beside - 1)
    if abs(change) < 0.5:
        return "about the same"
    if value > 0 and change <= -99.5:
        return "under −99 %"
    if change >= 100:
        return f"{ratio_text(value, beside)} ×"
    return f"{'+' if change > 0 else '−'}{abs(change):.0f} %"


def known_duration_text(seconds: float, *, known: bool) -> str:
    """Format a sum or a statistic of durations; "unknown" where none is known."""
    return duration_text(seconds) if known else "unknown"


def measure_text(value: float, measure: Measure) -> str:
    """Format a value of the timeline: "2.4 sessions", "3 h 12 min"."""
    if measure == "time":
        return duration_text(value)
    return rate_of_sessions(value)


def rate_of_sessions(value: float) -> str:
    """Format a rate of sessions, not always whole: "1 session", "0.3 sessions"."""
    return f"{rate_text(value)} {'session' if value == 1 else 'sessions'}"
