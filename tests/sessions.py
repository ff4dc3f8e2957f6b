"""Sessions that are few enough to count by hand, and where larger data lies."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from schema import COLUMNS

NASA = Path(__file__).parents[2] / "shared" / "data" / "nasa-1995"
"""The directory of the NASA trace, two months of a web server's log."""

needs_nasa = pytest.mark.skipif(
    not NASA.exists(), reason="needs the NASA trace beside the project"
)
"""Marks a test that is skipped where the NASA trace isn't there."""

Row = tuple[str, str, float | None, str]
"""A session: user, page, duration in seconds (None: unknown), start in ISO 8601."""

ROWS: Sequence[Row] = (
    ("ann", "home", 10, "2024-02-28T23:59:59"),
    ("ann", "home", 20, "2024-02-29T00:00:00"),
    ("ann", "home", 30, "2024-02-29T12:00:00"),
    ("ann", "home", 40, "2024-03-01T00:00:00"),
    ("ann", "home", 50, "2024-03-01T00:00:00"),
    ("ann", "cart", None, "2024-12-31T23:59:59"),
    ("bob", "home", 60, "2024-02-29T08:00:00"),
    ("bob", "cart", 0, "2024-02-29T08:01:00"),
    ("bob", "help", None, "2024-02-29T08:02:00"),
    ("cy", "cart", 100, "2024-01-01T00:00:00"),
    ("cy", "cart", 5, "2024-03-02T10:00:00"),
    ("cy", "home", None, "2024-03-02T10:01:00"),
)
"""A dozen sessions with the corners of the model: a leap day, ties, zeros, unknowns."""


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """Return the rows as a session table."""
    frame = pd.DataFrame(list(rows), columns=pd.Index(COLUMNS))
    frame["duration"] = frame["duration"].astype("float64")
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], format="ISO8601")
    return frame
