"""The ids of the page's components: stable, since links, tests and tools use them.

A chart's own id stands in its file; the ids of its parts are made from it here.
"""

from typing import Final

URL: Final = "url"
PAGE: Final = "words"
"""Store of what ``assets/page.js`` writes for a view."""
USER_LIST: Final = "listed"
"""Store of what ``assets/page.js`` writes for the table of users."""
DRAWN: Final = "drawn"
"""Store of the address that is drawn and of the revisions of its figures."""

USER: Final = "user"
PERIOD: Final = "period"
DATES: Final = "dates"
PAGES: Final = "pages"
SHORTEST: Final = "shortest"
LONGEST: Final = "longest"
STATISTIC: Final = "statistic"
SEARCH: Final = "find"

CHIPS: Final = "chips"
CLEAR: Final = "clear"
CONNECTION: Final = "connection"
PROBLEM: Final = "problem"
NOTICE: Final = "notice"
SESSIONS: Final = "sessions"
THEME: Final = "theme"

USERS: Final = "users"


def section(chart: str) -> str:
    """The id of the card around a chart."""
    return f"{chart}-section"


def heading(chart: str) -> str:
    """The id of a chart's heading."""
    return f"{chart}-heading"


def finding(chart: str) -> str:
    """The id of the sentence that says what a chart shows."""
    return f"{chart}-finding"


def details(chart: str) -> str:
    """The id of what opens to show a chart's numbers as a table."""
    return f"{chart}-details"


def table(chart: str) -> str:
    """The id of the element that holds a chart's table."""
    return f"{chart}-table"


def zoom(chart: str) -> str:
    """The id of the store of a chart's zoom."""
    return f"{chart}-zoom"


def darkest(chart: str) -> str:
    """The id of what the strongest colour of a chart's colour scale stands for."""
    return f"{chart}-darkest"


def tile(tile: str, part: str) -> str:
    """The id of a tile's "label", "value", "beside" or "rank"."""
    return f"tile-{tile}-{part}"
