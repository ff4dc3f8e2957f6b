"""An engine over the sessions of ``tests.sessions``, and an application over it."""

import pytest
from dash import Dash
from hypothesis import settings

from app import create_app
from engine.memory import MemoryEngine
from tests import examples
from tests.building import engine_of
from tests.sessions import ROWS, table

settings.load_profile(examples.PROFILE)


@pytest.fixture
def engine() -> MemoryEngine:
    # Last row first: the order of a table says nothing.
    return engine_of(ROWS[::-1])


@pytest.fixture
def app() -> Dash:
    return create_app(table(ROWS))
