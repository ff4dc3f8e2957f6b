"""How the program's log is written: text for people, or JSON for programs."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from formatting import printable
from request_notes import current

REQUESTS: Final = logging.getLogger("request")
"""The log of requests: each record has its ``fields``."""

_LONGEST: Final = 10_000
"""Letters of the longest message."""


def configure(log_format: str | None) -> None:
    """Write all that is logged to standard error.

    *log_format* is "text" or "json"; with None it is text, without a line for each
    request.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    logging.basicConfig(handlers=[handler])
    REQUESTS.setLevel(logging.INFO if log_format else logging.CRITICAL)


def _parts(record: logging.LogRecord) -> dict[str, Any]:
    """What every line begins with."""
    time = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
    notes = current.get()
    return {
        "time": f"{time.isoformat(timespec='milliseconds')}Z",
        "level": record.levelname,
        "logger": record.name,
        "id": notes.id if notes else None,
    }


def _fields(record: logging.LogRecord) -> dict[str, Any] | None:
    fields: dict[str, Any] | None = record.__dict__.get("fields")
    return fields


class _Text(logging.Formatter):
    """A line for each record, which nothing in it can end; a traceback is indented."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record, without the last line's end."""
        words = printable(record.getMessage()[:_LONGEST])
        first = " ".join([*filter(None, _parts(record).values()), words])
        if not record.exc_info:
            return first
        traceback = self.formatException(record.exc_info).split("\n")
        return "\n".join([first, *(f"    {printable(line)}" for line in traceback)])


class _Json(logging.Formatter):
    """An object in ASCII for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, without its end."""
        said = _fields(record) or {"message": record.getMessage()[:_LONGEST]}
        line = {**_parts(record), **said}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        # The one control character that JSON leaves as it is.
        return json.dumps(line).replace("\x7f", "\\u007f")
