"""Standard output and error, to which writing never fails.

What can't be written is dropped: a server goes on when its terminal is gone.
"""

import io
import os
import sys
from typing import Any, Final

_OWN: Final = {"stdout": sys.__stdout__, "stderr": sys.__stderr__}


class CannotWrite(Exception):
    """Standard output can't be written to; the message is one line that says why."""


def guard() -> None:
    """Have writing to standard output and error never fail.

    Letters that a terminal hasn't are escaped: a file's name may have them.
    """
    _open_closed()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        # A test may have its own in their place.
        if isinstance(stream, io.TextIOWrapper) and stream is _OWN[name]:
            stream.flush()
            setattr(sys, name, _never_failing(stream))


def check() -> None:
    """Raise CannotWrite if something could not be written to standard output."""
    if sys.stdout is None:
        raise CannotWrite("standard output is closed")
    sys.stdout.flush()
    raw = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, _Raw) and raw.error is not None:
        raise CannotWrite(f"cannot write to standard output: {raw.error.strerror}")


def _open_closed() -> None:
    """Open what is closed of the first three descriptors, as a connection would."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest that is free is taken.
            os.open(os.devnull, os.O_RDWR)


def _never_failing(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    buffer: Any = stream.buffer
    # With PYTHONUNBUFFERED there is none. Without one, nothing is written twice that is
    # interrupted by Ctrl-C.
    raw: Any = _Raw(buffer.raw if isinstance(buffer, io.BufferedWriter) else buffer)
    return io.TextIOWrapper(
        raw,
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _Raw(io.RawIOBase):
    """A file to which writing never fails."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.error: OSError | None = None
        """Why what was written last is dropped."""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        terminal: bool = self._raw.isatty()
        return terminal

    def fileno(self) -> int:
        number: int = self._raw.fileno()
        return number

    def write(self, data: Any, /) -> int | None:
        """Write all that can be written; returns the number of bytes given."""
        rest = memoryview(data).cast("B")
        try:
            while rest:
                # A pipe that is full and doesn't let its writers wait takes nothing.
                n_bytes: int | None = self._raw.write(rest)
                if n_bytes is None:
                    break
                rest = rest[n_bytes:]
        except OSError as error:
            self.error = error
        return len(data)
