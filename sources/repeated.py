"""Rows that stand in several files, as where exports overlap."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sources.rows import Rows

_TOLD_PAIRS = 10
# Odd numbers with bits all over, which products spread over 64 bits.
_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


class Repeated:
    """Finds rows that an earlier file has, too: same user, page, duration and time.

    It keeps 8 bytes a row. Two different rows are taken for the same one with a
    probability of 1 in 2 ** 64.
    """

    def __init__(self) -> None:
        self._hashes: list[NDArray[np.uint64]] = []
        self._files: list[int] = []

    def add(self, file: int, rows: Rows) -> None:
        """Add the rows of a part of a file; files are numbered in their order."""
        self._hashes.append(_hashes(rows))
        self._files.append(file)

    def find(self) -> tuple[NDArray[np.bool_], dict[tuple[int, int], int]]:
        """Which of the rows added an earlier file has, and how many each two share.

        A row that the earlier file has once, and a later one twice, is repeated once. A
        pair of files is the first file that has a row, and a later one. The rows added
        are forgotten.
        """
        lengths = [len(part) for part in self._hashes]
        file = np.repeat(np.array(self._files, np.int32), lengths)
        hashes = np.concatenate([np.empty(0, np.uint64), *self._hashes])
        self._hashes.clear()
        order = np.argsort(hashes, kind="stable")
        hashes, file = hashes[order], file[order]
        is_row = _differs_from_last(hashes)
        # A run is one row of one file, as often as it has it.
        starts = np.flatnonzero(is_row | _differs_from_last(file))
        counts = np.diff(starts, append=len(order))
        row = np.cumsum(is_row)[starts] - 1
        allowed = _largest_before(counts, row)
        first_file = file[is_row][row]
        n_repeated = np.minimum(counts, allowed)
        mask = np.zeros(len(order), np.bool_)
        rank = np.arange(len(order)) - np.repeat(starts, counts)
        mask[order[rank < np.repeat(n_repeated, counts)]] = True
        shares = n_repeated > 0
        pairs, of_pair = np.unique(
            np.stack([first_file[shares], file[starts][shares]]),
            axis=1,
            return_inverse=True,
        )
        sums = np.bincount(of_pair, n_repeated[shares], pairs.shape[1])
        found = zip(pairs.T.tolist(), sums.tolist(), strict=True)
        return mask, {(first, later): int(n) for (first, later), n in found}


def _differs_from_last(values: NDArray[Any]) -> NDArray[np.bool_]:
    differs = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=differs[1:])
    return differs


def _largest_before(
    counts: NDArray[np.int64], group: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each count, the largest before it in its group; groups are consecutive."""
    if not len(counts):
        return counts
    step = int(counts.max()) + 1
    largest = np.maximum.accumulate(counts + group * step) - group * step
    before = np.zeros_like(counts)
    before[1:] = np.where(group[1:] == group[:-1], largest[:-1], 0)
    return before


def repeated_notes(
    pairs: Mapping[tuple[int, int], int], names: Sequence[str], *, dropped: bool
) -> list[str]:
    """Sentences about the rows that files share, the most first."""
    end = ", counted once" if dropped else ", counted twice"
    notes = [
        f"{n:,} {'rows stand' if n > 1 else 'row stands'} in both {names[first]} "
        f"and {names[later]}{end}."
        for (first, later), n in Counter(pairs).most_common(_TOLD_PAIRS)
    ]
    if len(pairs) > _TOLD_PAIRS:
        n = sum(sorted(pairs.values())[:-_TOLD_PAIRS])
        notes.append(
            f"{n:,} more in {len(pairs) - _TOLD_PAIRS:,} other pairs of files."
        )
    if pairs and not dropped:
        notes.append("To count them once, add --drop-repeated.")
    return notes


def _hashes(rows: Rows) -> NDArray[np.uint64]:
    # NaNs have many bit patterns; the same number of them would not be the same row.
    seconds = np.where(np.isnan(rows.seconds), -1.0, rows.seconds)
    total = rows.time.view(np.uint64) * np.uint64(_FACTORS[0])
    columns = (_of_names(rows.user), _of_names(rows.page), seconds.view(np.uint64))
    for column in columns:
        total ^= total >> np.uint64(29)
        total = (total + column) * np.uint64(_FACTORS[1])
    total ^= total >> np.uint64(32)
    total *= np.uint64(_FACTORS[2])
    return total


def _of_names(column: pa.DictionaryArray) -> NDArray[np.uint64]:
    names = column.dictionary.to_numpy(zero_copy_only=False)
    hashes: NDArray[np.uint64] = pd.util.hash_array(names, categorize=False)
    by_row: NDArray[np.uint64] = hashes[column.indices.to_numpy()]
    return by_row
