"""The component ids: links, tests and tools use them, so they are stable."""

from typing import Final

USER: Final = "user"
TOTAL_TIME: Final = "total-time"
USER_AVERAGE: Final = "user-average"
DURATIONS: Final = "durations"
CHARTS: Final = (TOTAL_TIME, USER_AVERAGE, DURATIONS)

THEME: Final = "theme"
PROBLEM: Final = "problem"


def heading(chart: str) -> str:
    """The id of the heading over a chart."""
    return f"{chart}-heading"


def finding(chart: str) -> str:
    """The id of the sentence that says in words what a chart shows."""
    return f"{chart}-finding"
