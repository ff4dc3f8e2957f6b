"""Rows that stand in several files, as where exports overlap."""

from collections import Counter
from collections.abc import Sequence

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

    def find(self) -> tuple[NDArray[np.bool_], Counter[tuple[int, int]]]:
        """Which of the rows added an earlier file has, and how many each two share.

        A pair of files is the first file that has a row, and a later one.
        """
        lengths = [len(part) for part in self._hashes]
        file = np.repeat(np.array(self._files, np.int32), lengths)
        hashes = np.concatenate([np.empty(0, np.uint64), *self._hashes])
        order = np.argsort(hashes, kind="stable")
        hashes, file = hashes[order], file[order]
        is_first = np.ones(len(order), np.bool_)
        is_first[1:] = hashes[1:] != hashes[:-1]
        first_file = file[is_first][np.cumsum(is_first) - 1]
        repeated = first_file != file
        pairs = Counter(
            zip(first_file[repeated].tolist(), file[repeated].tolist(), strict=True)
        )
        mask = np.zeros(len(order), np.bool_)
        mask[order[repeated]] = True
        return mask, pairs


def repeated_notes(
    pairs: Counter[tuple[int, int]], names: Sequence[str], *, dropped: bool
) -> list[str]:
    """Sentences about the rows that files share, the most first."""
    end = ", counted once" if dropped else ", counted twice"
    notes = [
        f"{n:,} {'rows stand' if n > 1 else 'row stands'} in both {names[first]} "
        f"and {names[later]}{end}."
        for (first, later), n in pairs.most_common(_TOLD_PAIRS)
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
