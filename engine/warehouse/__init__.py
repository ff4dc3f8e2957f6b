"""Sessions that stay in a database.

``WarehouseEngine`` is the way in. A kind of database is one module with a ``Database``,
the words of its SQL in ``words``, and a line in the list of who connects.
"""

from engine.warehouse.database import Database, NoSuchTable
from engine.warehouse.engine import WarehouseEngine
from engine.warehouse.start import Limits, NoSessions, Tell, Totals, expect
from engine.warehouse.table import REASONS, Column, SessionTable
from engine.warehouse.zones import whole_zone

__all__ = [
    "REASONS",
    "Column",
    "Database",
    "Limits",
    "NoSessions",
    "NoSuchTable",
    "SessionTable",
    "Tell",
    "Totals",
    "WarehouseEngine",
    "expect",
    "whole_zone",
]
