"""The requests that lines of a log are, many at once."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sources.logs.access import COMBINED, COMMON, Access
from sources.logs.blocks import LONGEST_LINE, Block, read_blocks
from sources.logs.forms import Forms
from sources.logs.line import Form, Line
from sources.logs.plain import read_plain
from sources.logs.requests import Requests, as_requests, merge

COMMENTS: Final = "comments"
"""What lines are that begin with ``#``."""

_HASH: Final = ord("#")


class Read(NamedTuple):
    """Some lines of a log."""

    block: Block
    requests: Requests
    """Those of its lines that are requests."""
    others: Mapping[str, NDArray[np.bool_]]
    """Which lines are none, by what they are or why; each line once."""
    forms: Counter[str]
    """How many lines have which form, by its name."""


def read_lines(
    stream: BinaryIO, forms: Forms, form: Form, header: bytes, block_size: int
) -> Iterator[Read]:
    """The lines of a log, whose first have *form*, in their order.

    *header* is the first line where that names fields. What was read of the stream is
    understood in a thread, while the lines before it are used: the stream itself may
    keep one waiting, which in a thread Ctrl-C wouldn't end.
    """
    blocks = read_blocks(stream, block_size)
    if header:
        blocks = _without_first(blocks)
    is_access = isinstance(form, Access)
    return _ahead(blocks, partial(_read, forms=forms, is_access=is_access))


def _read(block: Block, forms: Forms, *, is_access: bool) -> Read:
    is_long = block.ends - block.starts > LONGEST_LINE
    is_comment = np.frombuffer(block.data, np.uint8)[block.starts] == _HASH
    is_open = ~(is_long | is_comment)
    counts: Counter[str] = Counter()
    parts = []
    if is_access:
        plain, is_combined = read_plain(block, is_open)
        n_combined = int(is_combined.sum())
        counts.update({COMBINED: n_combined, COMMON: len(is_combined) - n_combined})
        is_open[plain.line] = False
        parts = [plain]
    found: dict[int, Line] = {}
    for line in np.flatnonzero(is_open | is_comment).tolist():
        if is_comment[line]:
            forms.direct(block.line(line))
        elif (said := forms.read(block.line(line))) is not None:
            found[line], form = said
            counts[form] += 1
            is_open[line] = False
    is_cut = np.zeros(len(is_open), np.bool_)
    is_cut[-1:] = block.is_cut
    others = {
        COMMENTS: is_comment,
        "a length of over 4 MB": is_long,
        "its end missing": is_open & is_cut,
        "an unknown form": is_open & ~is_cut,
    }
    return Read(block, merge([*parts, as_requests(found)]), others, counts)


def _without_first(blocks: Iterator[Block]) -> Iterator[Block]:
    """Blocks without the first of all lines."""
    is_first = True
    for block in blocks:
        if is_first and len(block.starts):
            is_first = False
            starts, ends, numbers = (places[1:] for places in block[1:4])
            block = block._replace(starts=starts, ends=ends, numbers=numbers)
        yield block


def _ahead(blocks: Iterator[Block], read: Callable[[Block], Read]) -> Iterator[Read]:
    """What is read of blocks, of each while that of the one before it is used."""
    with ThreadPoolExecutor(1) as pool:
        ahead: deque[Future[Read]] = deque()
        for block in blocks:
            ahead.append(pool.submit(read, block))
            if len(ahead) > 1:
                yield ahead.popleft().result()
        for last in ahead:
            yield last.result()
