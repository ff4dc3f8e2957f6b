"""The lines of a stream of bytes, many at once."""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST_LINE: Final = 1 << 22
"""Bytes of the longest line that is read."""

_NEWLINE, _RETURN, _NUL = b"\n\r\0"


class Block(NamedTuple):
    """Some lines that follow one another, without those that are empty."""

    data: bytes
    starts: NDArray[np.int64]
    """Where in the data they start."""
    ends: NDArray[np.int64]
    """Where they end, without line feeds and a carriage return in front of these."""
    numbers: NDArray[np.int64]
    """Which lines of the file they are, from 1."""
    is_cut: bool = False
    """Whether the last of them ends with the file, and not with a line feed."""

    def line(self, index: int) -> bytes:
        """One of the lines."""
        return self.data[self.starts[index] : self.ends[index]]


def read_blocks(stream: BinaryIO, size: int) -> Iterator[Block]:
    """The lines of a stream, *size* bytes at a time.

    Of a line that is longer than ``LONGEST_LINE``, the first so many bytes and one more
    are held, and given.
    """
    n_before = 0
    pending = b""
    while data := stream.read(size):
        end = data.rfind(b"\n") + 1
        if not end:
            pending = (pending + data)[: LONGEST_LINE + 1]
            continue
        block = b"".join((pending, memoryview(data)[:end]))
        pending = data[end:][: LONGEST_LINE + 1]
        yield _block(block, n_before)
        n_before += int(np.count_nonzero(np.frombuffer(block, np.uint8) == _NEWLINE))
    if pending:
        yield _block(pending + b"\n", n_before)._replace(is_cut=True)


def _block(data: bytes, n_before: int) -> Block:
    letters = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(letters == _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    ends = ends - ((letters[ends - 1] == _RETURN) & (ends > starts))
    if b"\0" in data:
        # Where a file was emptied while a server wrote it, NULs fill the gap.
        for index in np.flatnonzero((letters[starts] == _NUL) & (ends > starts)):
            line = data[starts[index] : ends[index]]
            rest = line.lstrip(b"\0")
            starts[index] += (len(line) - len(rest)) if rest else 0
    kept = np.flatnonzero(ends > starts)
    return Block(data, starts[kept], ends[kept], kept + n_before + 1)
