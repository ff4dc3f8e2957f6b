"""Counts and sums of the sessions of every user: behind ranks and lists of users."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.aggregates import Aggregates
from engine.columns import ColumnStore, Rows
from engine.dimensions import DAY, CodedSelection
from engine.model import QUANTILES, Statistic, divide_or_nan
from engine.quantiles import neighbours
from engine.scan import matching_rows
from engine.sorting import order_by_group

BYTES_PER_USER: Final = 8 * (7 + len(QUANTILES))
"""Bytes that a ``ByUser`` takes for each user."""


@dataclass(frozen=True, eq=False)
class ByUser(ABC):
    """Counts and statistics of the sessions of every user, in the order of their codes.

    The arrays can't be written to, because they are shared by all who ask. Quantiles
    are exact; who has them is a subclass.
    """

    sessions: NDArray[np.int64]
    """(users,): number of sessions, including those of unknown duration."""
    unknown: NDArray[np.int64]
    """Number of sessions of unknown duration."""
    seconds: NDArray[np.float64]
    """Sum of the known durations, in seconds."""
    active_days: NDArray[np.int64]
    """Number of days with at least one session."""
    last: NDArray[np.datetime64]
    """When the last session began, to the second; NaT for a user without sessions."""

    @cached_property
    def known(self) -> NDArray[np.int64]:
        """Number of sessions of known duration."""
        return self.sessions - self.unknown

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Mean known duration in seconds; NaN for a user without any."""
        return divide_or_nan(self.seconds, self.known)

    def medians_of(self, users: NDArray[np.intp]) -> NDArray[np.float64]:
        """The medians of the known durations of the users with these codes."""
        medians: NDArray[np.float64] = self.by_statistic("median")[users]
        return medians

    def by_statistic(self, statistic: Statistic) -> NDArray[np.float64]:
        """Return a statistic of the known durations; NaN for a user without any."""
        return self.mean if statistic == "average" else self.quantile(statistic)

    @abstractmethod
    def quantile(self, statistic: Statistic) -> NDArray[np.float64]:
        """Return one of ``QUANTILES`` of the known durations, or NaN."""


@dataclass(frozen=True, eq=False)
class CountedByUser(ByUser):
    """The same, with all quantiles."""

    quantiles: NDArray[np.float64]
    """(quantiles, users): each of ``QUANTILES`` of the known durations, in seconds.

    NaN for a user without any.
    """

    def quantile(self, statistic: Statistic) -> NDArray[np.float64]:
        """Return one of ``QUANTILES`` of the known durations, or NaN."""
        column: NDArray[np.float64] = self.quantiles[list(QUANTILES).index(statistic)]
        return column


def aggregate_by_user(
    store: ColumnStore,
    selection: CodedSelection,
    aggregate_user: Callable[[int], Aggregates],
) -> CountedByUser:
    """Aggregate the selected sessions of every user, in some 20 ns for each row.

    The rows are scanned a few users at a time. Users with more than
    ``store.block_rows`` rows are left to *aggregate_user*, which returns what the
    selected sessions of the user with a code come to.
    """
    n_users = len(store.users)
    by_user = CountedByUser(
        sessions=np.zeros(n_users, np.int64),
        unknown=np.zeros(n_users, np.int64),
        seconds=np.zeros(n_users),
        active_days=np.zeros(n_users, np.int64),
        quantiles=np.full((len(QUANTILES), n_users), np.nan),
        last=np.full(n_users, "NaT", "datetime64[s]"),
    )
    for first, end in store.user_chunks():
        if store.offsets[end] - store.offsets[first] > store.block_rows:
            _set_user(by_user, store, first, aggregate_user(first))
        else:
            _scan_users(by_user, store, first, end, selection)
    for column in vars(by_user).values():
        column.setflags(write=False)
    return by_user


def _set_user(
    by_user: CountedByUser, store: ColumnStore, user: int, aggregates: Aggregates
) -> None:
    by_user.sessions[user] = aggregates.sessions.sum()
    by_user.unknown[user] = aggregates.unknown.sum()
    by_user.seconds[user] = aggregates.seconds.sum()
    by_user.active_days[user] = np.count_nonzero(aggregates.hours.any(axis=1))
    by_user.quantiles[:, user] = aggregates.quantiles[:, -1]
    if aggregates.last is not None:
        last = np.array([aggregates.last])
        by_user.last[user] = store.dimensions.local_times(last)[0]


def _scan_users(
    by_user: CountedByUser,
    store: ColumnStore,
    first: int,
    end: int,
    selection: CodedSelection,
) -> None:
    """Aggregate the selected rows of the users in [first, end)."""
    offsets = store.offsets[first : end + 1]
    rows = store.rows.take(slice(offsets[0], offsets[-1]))
    bounds = offsets - offsets[0]
    indices = matching_rows(store.dimensions, rows, selection)
    if indices is not None:
        rows, bounds = rows.take(indices), np.searchsorted(indices, bounds)
    sessions = np.diff(bounds)
    # Users without rows are left out: reduceat makes up values for them.
    present = np.flatnonzero(sessions)
    if not len(present):
        return
    sessions, starts, users = sessions[present], bounds[present], first + present
    user = np.repeat(np.arange(len(users), dtype=np.uint32), sessions)
    seconds = store.round_to_quantum(rows.seconds)
    by_user.sessions[users] = sessions
    by_user.seconds[users] = np.add.reduceat(seconds, starts)
    by_user.active_days[users] = _active_days(store, rows, user, len(users))
    last = np.maximum.reduceat(rows.time, starts)
    by_user.last[users] = store.dimensions.local_times(last)
    _set_quantiles(by_user, rows, user, users, sessions)


def _active_days(
    store: ColumnStore, rows: Rows, user: NDArray[np.uint32], n_users: int
) -> NDArray[np.int64]:
    """Return how many days each user has rows on; *user* numbers the users of rows."""
    # Sorting is slower than a table of users by days where most of that is filled, but
    # not by much; where most isn't, it is much faster.
    n_days = store.dimensions.shape.n_days
    kind = np.min_scalar_type(n_users * n_days)
    user_days = user.astype(kind) * kind.type(n_days) + (rows.time // DAY).astype(kind)
    user_days.sort()
    is_new = np.append(True, user_days[1:] != user_days[:-1])
    users = (user_days[is_new] // n_days).astype(np.intp)
    return np.bincount(users, minlength=n_users)


def _set_quantiles(
    by_user: CountedByUser,
    rows: Rows,
    user: NDArray[np.uint32],
    users: NDArray[np.int64],
    sessions: NDArray[np.int64],
) -> None:
    """Set quantiles and unknown durations of *users*, who have so many *sessions*.

    *user* has for each of the rows the index into *users*.
    """
    seconds, known = rows.seconds, sessions
    is_known = rows.bin > 0
    if not is_known.all():
        user, seconds = user[is_known], seconds[is_known]
        known = np.bincount(user, minlength=len(users))
    by_user.unknown[users] = sessions - known
    seconds = seconds[order_by_group(user, len(users), seconds)]
    some = np.flatnonzero(known)
    if not len(some):
        return
    start = (np.cumsum(known) - known)[some]
    around = neighbours(known[some])
    by_user.quantiles[:, users[some]] = around.interpolate(
        seconds[start + around.low], seconds[start + around.high]
    )
