"""The session table: the one form in which sessions enter the dashboard.

A row is a session: one stay of one user on one page.

| column      | holds                                                         |
|-------------|---------------------------------------------------------------|
| `user_id`   | text (or a category of text), never empty                     |
| `page`      | text (or a category of text), never empty                     |
| `duration`  | seconds, float64, at most `LONGEST_DURATION`; NaN: unknown    |
| `timestamp` | start; UTC where it has no zone; in the years 1 to 9999       |
"""

from typing import Final

COLUMNS: Final = ("user_id", "page", "duration", "timestamp")
"""The names of the columns of a session table, in their order."""

LONGEST_DURATION: Final = 100 * 365.25 * 86_400
"""The longest duration that a session may have: a century, in seconds."""

VISIT_GAP: Final = 1_800.0
"""Seconds without anything of a user after which another visit begins."""
