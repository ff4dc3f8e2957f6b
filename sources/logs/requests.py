"""Requests of one block of lines, as columns."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sources.logs.line import Line


class Requests(NamedTuple):
    """Columns of one length; see ``Line`` for all but the first."""

    line: NDArray[np.int64]
    """Which lines of the block they are, in their order."""
    client: pa.BinaryArray
    time: pa.BinaryArray
    method: pa.BinaryArray
    page: pa.BinaryArray
    status: NDArray[np.int64]
    agent: pa.BinaryArray
    host: pa.BinaryArray

    def take(self, rows: NDArray[np.int64]) -> "Requests":
        """Some of the requests."""
        taken = pa.array(rows)
        return Requests(
            *(
                column[rows] if isinstance(column, np.ndarray) else column.take(taken)
                for column in self
            )
        )


def as_requests(lines: Mapping[int, Line]) -> Requests:
    """Lines that were read one by one, by their index, as columns."""
    columns: Sequence[Any] = list(zip(*lines.values(), strict=True))
    client, time, method, page, status, agent, host = columns or [()] * 7

    def of_bytes(values: Sequence[bytes]) -> pa.BinaryArray:
        return pa.array(values, pa.binary())

    return Requests(
        np.array(list(lines), np.int64),
        of_bytes(client),
        of_bytes(time),
        of_bytes(method),
        of_bytes(page),
        np.array(status, np.int64),
        of_bytes(agent),
        of_bytes(host),
    )


def merge(parts: Sequence[Requests]) -> Requests:
    """Requests of one block, in the order of its lines."""
    line = np.concatenate([part.line for part in parts])
    joined = Requests(
        *(
            np.concatenate(columns)
            if isinstance(columns[0], np.ndarray)
            else pa.concat_arrays(columns)
            for columns in zip(*parts, strict=True)
        )
    )
    filled = sum(bool(len(part.line)) for part in parts)
    return joined if filled < 2 else joined.take(np.argsort(line))
