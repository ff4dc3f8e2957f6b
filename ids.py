"""The component ids: links, tests and tools use them, so they are stable."""

from typing import Final

URL: Final = "url"
WORDS: Final = "words"
LISTED: Final = "listed"
DRAWN: Final = "drawn"

USER: Final = "user"
PERIOD: Final = "period"
DATES: Final = "dates"
PAGES: Final = "pages"
SHORTEST: Final = "shortest"
LONGEST: Final = "longest"
STATISTIC: Final = "statistic"
SCALE: Final = "scale"
MEASURE: Final = "measure"
FIND: Final = "find"

CHIPS: Final = "chips"
PROBLEM: Final = "problem"
NOTICE: Final = "notice"
SESSIONS: Final = "sessions"
THEME: Final = "theme"

TOTAL_TIME: Final = "total-time"
USER_AVERAGE: Final = "user-average"
DURATIONS: Final = "durations"
TIMELINE: Final = "timeline"
HOURS: Final = "hours"
DARKEST: Final = "hours-darkest"
ZOOMED: Final = (DURATIONS, TIMELINE)
CHARTS: Final = (TOTAL_TIME, USER_AVERAGE, DURATIONS, TIMELINE, HOURS)

USERS: Final = "users"

TILES: Final = ("sessions", "total", "typical", "active", "last")


def heading(chart: str) -> str:
    """The id of the heading over a chart."""
    return f"{chart}-heading"


def finding(chart: str) -> str:
    """The id of the sentence that says in words what a chart shows."""
    return f"{chart}-finding"


def details(chart: str) -> str:
    """The id of what opens to show a chart's numbers."""
    return f"{chart}-details"


def table(chart: str) -> str:
    """The id of the place of a table."""
    return f"{chart}-table"


def zoom(chart: str) -> str:
    """The id of the store of how a chart is zoomed."""
    return f"{chart}-zoom"


def tile(tile: str, part: str) -> str:
    """The id of a tile's label, value, comparison ("beside") or rank."""
    return f"tile-{tile}-{part}"
