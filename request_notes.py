"""What is noted of a request while it is answered, and what a log may say of it."""

import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final

from formatting import printable, shorten

_KEY: Final = "dashboard.notes"
_LONGEST_PATH: Final = 200
# Whoever knows the token in it sees the file.
_TOKEN: Final = re.compile(r"/(data|upload)/+[^/]+")


@dataclass
class Notes:
    """What is noted of a request."""

    id: str = field(default_factory=lambda: token_hex(4))
    """Eight hexadecimal digits, by which a person and a log name the request."""
    is_pick: bool = False
    """Whether it redraws the page."""
    has_failed: bool = False
    """Whether something unexpected went wrong, whatever the status says."""


current: Final[ContextVar[Notes | None]] = ContextVar("current", default=None)
"""The notes of the request that is answered in this context, or was last."""


def notes_of(environ: MutableMapping[str, Any]) -> Notes:
    """The notes of the request with this WSGI environment."""
    notes: Notes = environ.setdefault(_KEY, Notes())
    return notes


def loggable_path(path: str) -> str:
    """A path in one line of at most 200 characters, without what gives access."""
    return printable(shorten(_TOKEN.sub(r"/\1/*", path), _LONGEST_PATH))
