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

MATCH: Final = "match"
"""Search among the pages that have rows."""
GROUPING: Final = "grouping"
"""Whether rows are pages or folders of pages."""
ROWS: Final = "rows"
"""How many rows there are."""
FOUND: Final = "pages-found"
CRUMBS: Final = "folders"

FOLD: Final = "fold"
"""Shows and hides the filters where the screen is narrow."""
FIELDS: Final = "fields"
COPY: Final = "copy-link"
SAVE: Final = "save-view"
SIGNED_IN: Final = "signed-in"
"""Who has signed in, which ``assets/signed_in.js`` writes; empty where nobody does."""

CHIPS: Final = "chips"
CLEAR: Final = "clear"
CONNECTION: Final = "connection"
NEWS: Final = "news"
"""Says that there are new data."""
TAKEN: Final = "taken"
"""Says why a file can't be taken now."""
PROBLEM: Final = "problem"
AGAIN: Final = "again"
NOTICE: Final = "notice"
NOTHING: Final = "nothing"
SESSIONS: Final = "sessions"
THEME: Final = "theme"

UPLOAD_NAME: Final = "upload-name"
"""The name of the file in the dialog of ``assets/upload.js``."""
UPLOAD_ZONES: Final = "upload-zones"
"""Its list of time zones."""

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


def others(chart: str) -> str:
    """The id of the line for what a chart has no room for."""
    return f"{chart}-others"


def darkest(chart: str) -> str:
    """The id of what the strongest colour of a chart's colour scale stands for."""
    return f"{chart}-darkest"


def asked(section: str) -> str:
    """The id of the store of the address that a section is asked for."""
    return f"{section}-asked"


def answered(section: str) -> str:
    """The id of the store of what a section shows."""
    return f"{section}-answered"


def body(section: str) -> str:
    """The id of the element that a section's script fills."""
    return f"{section}-body"


def problem(section: str) -> str:
    """The id of the line that says why a section can't be shown."""
    return f"{section}-problem"


def tile(tile: str, part: str) -> str:
    """The id of a tile's "label", "value", "beside", "rank" or "line"."""
    return f"tile-{tile}-{part}"
