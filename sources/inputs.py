"""Files, pipes and standard input as streams of bytes, each opened once."""

import io
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from sources.origin import BadInput

STANDARD_INPUT: Final = Path("-")
"""The path that stands for standard input."""


def is_read_once(path: Path) -> bool:
    """Whether *path* gives its bytes only once, as a pipe or standard input does."""
    if path == STANDARD_INPUT:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def full_name(path: Path) -> str:
    """How an error names a path: "standard input", or the path as it was given."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def short_name(path: Path) -> str:
    """How the page names a path: the last part of it, where that is a name."""
    # The shell's own pipes are numbers there.
    is_numbered = path.parent == Path("/dev/fd")
    return full_name(path) if is_numbered or path == STANDARD_INPUT else path.name


class _Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end."""


@contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """Open a path for reading its bytes; standard input stays open afterwards.

    Raises BadInput where standard input is closed, and OSError as ``open`` does.
    """
    if path != STANDARD_INPUT:
        with path.open("rb") as file:
            yield file
    elif sys.stdin is None:
        raise BadInput("it is closed")
    else:
        yield sys.stdin.buffer


def peek(stream: _Readable, size: int) -> tuple[bytes, BinaryIO]:
    """The first *size* bytes of a stream, fewer where it is shorter, and all of it.

    The second is a buffered stream that can't be sought.
    """
    head = stream.read(size)
    return head, cast(BinaryIO, io.BufferedReader(_Rejoined(head, stream)))


class _Rejoined(io.RawIOBase):
    """Bytes that were read from a stream already, and after them the rest of it."""

    def __init__(self, head: bytes, rest: _Readable) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        """True: there is nothing else that it does."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill a part of *buffer*; returns its length, 0 at the end."""
        data = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)
