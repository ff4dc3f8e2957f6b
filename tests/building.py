"""Engines, views and applications over a few rows, in few words."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

from engine.memory import MemoryEngine
from engine.model import Selection
from tests.sessions import ROWS, Row, table
from view import View

_FILTERS = {field.name for field in fields(Selection)}

MARCH: dict[str, Any] = {"start": date(2024, 3, 1), "end": date(2024, 4, 1)}


def engine_of(rows: Sequence[Row] = ROWS, timezone: str = "UTC") -> MemoryEngine:
    """An engine over these rows."""
    return MemoryEngine(table(rows), timezone)


def view_of(user: str | None = None, **how: Any) -> View:
    """A view, of whose selection and of which itself the fields are named alike."""
    picked = {name: value for name, value in how.items() if name in _FILTERS}
    shown = {name: value for name, value in how.items() if name not in _FILTERS}
    return View(Selection(user, **picked), **shown)


def at(*times: str) -> list[Row]:
    """A session of a second at each of these times."""
    return [("u", "p", 1, time) for time in times]


def days_from(first: date, n: int) -> list[Row]:
    """A session at the start of each of so many days."""
    return at(*(str(first + timedelta(days=number)) for number in range(n)))
