"""A table of sessions that is small enough to count by hand, and an app over it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from dash import Dash

from activity import Activity
from app import create_app
from rows import COLUMNS

NASA = Path(__file__).parents[2] / "shared" / "data" / "nasa-1995"
needs_nasa = pytest.mark.skipif(
    not NASA.exists(), reason="needs the NASA trace beside the project"
)

Row = tuple[str, str, float | None, str]

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


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """The rows as a session table."""
    frame = pd.DataFrame(list(rows), columns=pd.Index(COLUMNS))
    frame["duration"] = frame["duration"].astype("float64")
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], format="ISO8601")
    return frame


@pytest.fixture
def activity() -> Activity:
    # Last row first: the order of a table says nothing.
    return Activity(table(ROWS[::-1]))


@pytest.fixture
def app() -> Dash:
    return create_app(table(ROWS))
