"""Session tables as they come in: checked, coded, narrowed, in blocks."""

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Any, Final, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.timezone import FIRST_TIME, LAST_TIME, to_local
from schema import COLUMNS, LONGEST_DURATION

EPOCH: Final = np.datetime64("2020-01-01", "s")
"""What the times of a ``Batch`` count from."""


class Batch(NamedTuple):
    """A block of sessions in narrow columns of one length, in the order they came in.

    Codes of users and pages are unique together with their base: a base is added for
    each table that brings categories of its own.
    """

    user: NDArray[np.signedinteger]
    user_base: int
    page: NDArray[np.signedinteger]
    page_base: int
    seconds: NDArray[np.floating]
    """Duration; -1 where it is unknown. 32 bits where these hold all exactly."""
    time: NDArray[np.signedinteger]
    """Start in seconds since ``EPOCH`` as clocks show them; 32 bits if possible."""
    micros: NDArray[np.uint32] | None
    """The microseconds of the start after ``time``; None where all are 0."""


class SortedNames(NamedTuple):
    """The names of a column, and what became of the codes in batches."""

    names: "pd.Index[str]"
    """The names that occur, sorted."""
    codes: NDArray[np.int64]
    """For each code with its base: the index of its name; -1 if it doesn't occur."""
    counts: NDArray[np.int64]
    """(names,): number of sessions with each name."""


class NameCollector:
    """Gives codes to the names of one column that comes in several tables."""

    def __init__(self) -> None:
        self._categories: pd.Index[Any] | None = None
        self._lists: list[pd.Index[str]] = []
        self._counts: list[NDArray[np.int64]] = []
        self._base = 0

    def encode(self, column: "pd.Series[Any]") -> tuple[NDArray[np.signedinteger], int]:
        """Return a code per row, -1 for a missing name, and the base of these codes."""
        if not isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype("category")
        categories = column.cat.categories
        if self._categories is None or categories is not self._categories:
            self._base = sum(map(len, self._lists))
            self._categories = categories
            self._lists.append(pd.Index(categories.astype(str), dtype="str", name=None))
            self._counts.append(np.zeros(len(categories), np.int64))
        codes: NDArray[Any] = column.cat.codes.to_numpy()
        return codes, self._base

    def count(self, codes: NDArray[np.signedinteger]) -> None:
        """Count sessions by codes of the column that was encoded last."""
        np.add.at(self._counts[-1], codes, np.int64(1))

    def sort(self) -> SortedNames:
        """Return the names that have sessions, sorted.

        The number 1 and the text "1" are the same name. Raises ValueError for a name
        that is empty or blank.
        """
        together = self._lists[0].append(self._lists[1:])
        codes, names = cast("tuple[NDArray[Any], pd.Index[str]]", together.factorize())
        counts = np.zeros(len(names), np.int64)
        np.add.at(counts, codes, np.concatenate(self._counts))
        used = np.flatnonzero(counts)
        used = used[names[used].argsort()]
        names = names[used]
        if (names.str.strip() == "").any():
            raise ValueError("a user or a page with an empty name")
        index = np.full(len(counts), -1)
        index[used] = np.arange(len(used))
        return SortedNames(names, index[codes], counts[used])


def read_batches(
    sessions: pd.DataFrame,
    users: NameCollector,
    pages: NameCollector,
    zone: tzinfo,
    block_rows: int,
) -> Iterator[Batch]:
    """Yield a session table in batches of at most *block_rows* sessions.

    Batches hold copies: the table can be forgotten after the last. Raises ValueError
    where the table isn't as ``schema`` says.
    """
    for name in COLUMNS:
        if list(sessions.columns).count(name) != 1:
            raise ValueError(f"the sessions have no column {name!r}, or several")
    user, user_base = users.encode(sessions["user_id"])
    page, page_base = pages.encode(sessions["page"])
    seconds, utc = _numbers(sessions["duration"]), _utc(sessions["timestamp"])
    for start in range(0, len(sessions), block_rows):
        block = slice(start, start + block_rows)
        batch = Batch(
            user[block].copy(),
            user_base,
            page[block].copy(),
            page_base,
            _narrow_durations(seconds[block]),
            _narrow_times(utc[block], zone),
            _micros(utc[block]),
        )
        if min(batch.user.min(), batch.page.min()) < 0:
            raise ValueError("a session without a user or a page")
        users.count(batch.user)
        pages.count(batch.page)
        yield batch


def _numbers(duration: "pd.Series[Any]") -> NDArray[np.floating]:
    if duration.dtype == object:
        duration = pd.to_numeric(duration)
    if not pd.api.types.is_numeric_dtype(duration):
        raise ValueError(f"durations are seconds, not {duration.dtype}")
    if isinstance(duration.dtype, np.dtype):
        return duration.to_numpy()
    return duration.to_numpy(dtype=np.float64, na_value=np.nan)


def _utc(timestamp: "pd.Series[pd.Timestamp]") -> NDArray[np.datetime64]:
    if not pd.api.types.is_datetime64_any_dtype(timestamp):
        raise ValueError(f"timestamps are times, not {timestamp.dtype}")
    if timestamp.dt.tz is not None:
        timestamp = timestamp.dt.tz_convert(UTC).dt.tz_localize(None)
    return timestamp.to_numpy()


def _narrow_durations(seconds: NDArray[Any]) -> NDArray[np.floating]:
    if (seconds < 0).any() or (seconds > LONGEST_DURATION).any():
        raise ValueError("a duration that is negative or over a century")
    filled = np.where(np.isnan(seconds), -1.0, seconds)
    # Adding 0 makes zeros of negative zeros, which would be sorted apart from them.
    filled += 0.0
    narrow = filled.astype(np.float32)
    return narrow if (narrow == filled).all() else filled


def _narrow_times(
    utc: NDArray[np.datetime64], zone: tzinfo
) -> NDArray[np.signedinteger]:
    utc = utc.astype("datetime64[s]")
    # A missing time compares as neither.
    if not (utc.min() >= FIRST_TIME and utc.max() <= LAST_TIME):
        raise ValueError("a session without a time, or not in the years 1 to 9999")
    seconds = (to_local(utc, zone) - EPOCH).view(np.int64)
    narrow = seconds.astype(np.int32)
    return narrow if (narrow == seconds).all() else seconds


def _micros(utc: NDArray[np.datetime64]) -> NDArray[np.uint32] | None:
    if utc.dtype == "datetime64[s]":
        return None
    whole = utc.astype("datetime64[us]")
    micros = (whole - whole.astype("datetime64[s]")).view(np.int64)
    return micros.astype(np.uint32) if micros.any() else None
