"""An engine over the sessions of ``tests.sessions``, and an application over it."""

import signal
from collections.abc import Iterator

import pytest
from dash import Dash
from hypothesis import settings

from app import create_app
from engine.memory import MemoryEngine
from tests import examples
from tests.building import engine_of
from tests.sessions import ROWS, table

settings.load_profile(examples.PROFILE)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Have signals mean afterwards what they did before, as for programs started then.

    What a test ignores, the programs of later tests would ignore as well.
    """
    names = ("SIGHUP", "SIGINT", "SIGTERM")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handlers = [(number, signal.getsignal(number)) for number in numbers]
    yield
    for number, handler in handlers:
        signal.signal(number, handler)


@pytest.fixture
def engine() -> MemoryEngine:
    # Last row first: the order of a table says nothing.
    return engine_of(ROWS[::-1])


@pytest.fixture
def app() -> Dash:
    return create_app(table(ROWS))
