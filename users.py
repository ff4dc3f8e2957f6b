"""The counting by user: what a table of users shows."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cube import Counted, Picked, means, places, positions
from rows import BLOCK, DAY, Rows, Table, order_by, rounded

BYTES_PER_USER: Final = 72
"""What a ``ByUser`` takes: nine numbers."""


@dataclass(frozen=True, eq=False)
class ByUser:
    """The numbers of every user's sessions, in the order of ``Activity.users``.

    Others may look at the same arrays, which so can't be written to.
    """

    sessions: NDArray[np.int64]
    """Sessions, those of unknown duration among them."""
    unknown: NDArray[np.int64]
    """Sessions of unknown duration."""
    seconds: NDArray[np.float64]
    """Sum of the known durations."""
    active_days: NDArray[np.int64]
    """Days with at least one session."""
    median: NDArray[np.float64]
    """Median known duration in seconds; NaN for a user who has none."""
    p90: NDArray[np.float64]
    """The duration that 90 % of the known ones don't exceed; NaN where none is.

    Both are exact, and interpolated between neighbours, as ``numpy.quantile`` does.
    """
    last: NDArray[np.datetime64]
    """When the last session began, to the second; NaT for a user who has none.

    It is what the clocks of the ``Activity``'s time zone showed.
    """

    @cached_property
    def known(self) -> NDArray[np.int64]:
        """Sessions of known duration: the n of every average."""
        return self.sessions - self.unknown

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Average known duration in seconds; NaN for a user who has none."""
        return means(self.seconds, self.known)


def count_by_user(
    table: Table, picked: Picked, alone: Callable[[int], Counted]
) -> ByUser:
    """Pass over all rows, a few users at a time, in some 20 ns for each row.

    Users with more than ``BLOCK`` rows are left to *alone*, which says what the
    picked ones of a user come to.
    """
    n_users = len(table.users)
    made = ByUser(
        sessions=np.zeros(n_users, np.int64),
        unknown=np.zeros(n_users, np.int64),
        seconds=np.zeros(n_users),
        active_days=np.zeros(n_users, np.int64),
        median=np.full(n_users, np.nan),
        p90=np.full(n_users, np.nan),
        last=np.full(n_users, "NaT", "datetime64[s]"),
    )
    for first, end in _chunks(table.offsets):
        if table.offsets[end] - table.offsets[first] > BLOCK:
            _enter(made, table, first, alone(first))
        else:
            _count(made, table, first, end, picked)
    for column in vars(made).values():
        column.setflags(write=False)
    return made


def _chunks(offsets: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of users with at most ``BLOCK`` rows, or of one with more."""
    first = 0
    while first < len(offsets) - 1:
        most = offsets[first] + BLOCK
        end = int(np.searchsorted(offsets, most, side="right")) - 1
        end = max(end, first + 1)
        yield first, end
        first = end


def _enter(made: ByUser, table: Table, user: int, counted: Counted) -> None:
    made.sessions[user] = counted.sessions.sum()
    made.unknown[user] = counted.unknown.sum()
    made.seconds[user] = counted.seconds.sum()
    made.active_days[user] = np.count_nonzero(counted.day_sessions)
    made.median[user], made.p90[user] = counted.quantiles[:, -1]
    if counted.last is not None:
        made.last[user] = table.moments(np.array([counted.last]))[0]


def _count(made: ByUser, table: Table, first: int, end: int, picked: Picked) -> None:
    """Count the rows of the users in [first, end)."""
    offsets = table.offsets[first : end + 1]
    rows = table.rows.take(slice(offsets[0], offsets[-1]))
    bounds = offsets - offsets[0]
    which = places(table, rows, picked)
    if which is not None:
        rows, bounds = rows.take(which), np.searchsorted(which, bounds)
    sessions = np.diff(bounds)
    # Only users with rows from here on: reduceat makes up values for the others.
    some = np.flatnonzero(sessions)
    if not len(some):
        return
    sessions, starts, users = sessions[some], bounds[some], first + some
    user = np.repeat(np.arange(len(some), dtype=np.uint32), sessions)
    made.sessions[users] = sessions
    made.seconds[users] = np.add.reduceat(rounded(rows.seconds, table.grain), starts)
    made.active_days[users] = _active_days(table, rows, user, len(some))
    made.last[users] = table.moments(np.maximum.reduceat(rows.time, starts))

    seconds, known = rows.seconds, sessions
    if not rows.bin.all():
        user, seconds = user[rows.bin > 0], seconds[rows.bin > 0]
        known = np.bincount(user, minlength=len(some))
    made.unknown[users] = sessions - known
    if not len(seconds):
        return
    seconds = seconds[order_by(user, len(some), seconds)]
    low, high, part = positions(known)
    some = known > 0
    at = (np.cumsum(known) - known)[some]
    below = seconds[at + low[:, some]].astype(np.float64)
    above = seconds[at + high[:, some]]
    quantiles = below + part[:, some] * (above - below)
    made.median[users[some]], made.p90[users[some]] = quantiles


def _active_days(
    table: Table, rows: Rows, user: NDArray[np.uint32], n_users: int
) -> NDArray[np.int64]:
    # Sorting is slower than a table of users and days where most of it is filled, but
    # not by much; where most isn't, it is much quicker.
    n_days = len(table.days)
    kind = np.min_scalar_type(n_users * n_days)
    cells = user.astype(kind) * kind.type(n_days) + (rows.time // DAY).astype(kind)
    cells.sort()
    new = np.append(True, cells[1:] != cells[:-1])
    return np.bincount((cells[new] // n_days).astype(np.intp), minlength=n_users)


class Recent:
    """The last few answers, each made once however many threads ask for it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._answers: OrderedDict[Hashable, Future[ByUser]] = OrderedDict()

    def get(self, question: Hashable, make: Callable[[], ByUser]) -> ByUser:
        """The answer that there is, or else *make* one."""
        with self._lock:
            answer = self._answers.pop(question, None)
            new = answer is None
            answer = answer or Future()
            self._answers[question] = answer
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
        if new:
            try:
                answer.set_result(make())
            except BaseException as error:
                with self._lock:
                    if self._answers.get(question) is answer:
                        del self._answers[question]
                answer.set_exception(error)
        return answer.result()
