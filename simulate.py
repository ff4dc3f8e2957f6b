"""Simulated sessions of a web shop, for a dashboard without data of its own."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

START: Final = np.datetime64("2024-01-01", "s")
"""The first instant that a session can start at, UTC; it is a Monday."""

DAYS: Final = 366
"""2024 is a leap year: timestamps lie in [2024-01-01, 2025-01-01)."""

PAGES: Final = {
    # page: (share of all sessions in percent, mean duration in seconds)
    "home": (22, 45.0),
    "products": (20, 110.0),
    "search": (13, 60.0),
    "deals": (9, 80.0),
    "reviews": (8, 150.0),
    "cart": (8, 75.0),
    "checkout": (7, 180.0),
    "account": (5, 55.0),
    "help": (4, 210.0),
    "orders": (4, 65.0),
}

WEEKDAYS: Final = (1.0, 0.95, 0.95, 1.0, 1.1, 1.35, 1.45)
"""Relative number of sessions from Monday to Sunday."""

# fmt: off
HOURS: Final = (
    10, 6, 4, 3, 3, 5, 12, 24, 36, 42, 44, 46,
    52, 48, 44, 44, 48, 56, 68, 84, 96, 90, 60, 28,
)
# fmt: on
"""Relative number of sessions in each hour of the day."""

BLOCK: Final = 1 << 18
"""Rows that are simulated at once."""

_HABITS: Final = 1_000
_SLOTS: Final = 1 << 16


class Habits(NamedTuple):
    """How users differ; user number u has those of row ``u % len(shift)``."""

    pace: NDArray[np.float64]
    """(n_habits, n_pages): factor on the page's mean duration, 1 on average."""
    shift: NDArray[np.int64]
    """(n_habits,): hours by which a user's day is earlier (< 0) or later (> 0)."""


def habits(n_users: int, seed: int) -> Habits:
    """The habits of *n_users* users, at most 1,000 different ones.

    A pace is the user's own log-normal factor (sigma 0.3) times another for each
    page (sigma 0.25); both have mean 1.
    """
    rng = np.random.default_rng([seed, 0])
    n_habits = min(n_users, _HABITS)
    own = rng.lognormal(-(0.3**2) / 2, 0.3, (n_habits, 1))
    taste = rng.lognormal(-(0.25**2) / 2, 0.25, (n_habits, len(PAGES)))
    return Habits(own * taste, rng.integers(-4, 5, n_habits))


def simulate_sessions(
    n_sessions: int = 100_000, n_users: int = 50, seed: int = 2024
) -> pd.DataFrame:
    """Make a session table; the same arguments give the same table, bit for bit.

    Columns: ``user_id`` and ``page`` (categories), ``duration`` in seconds (float64,
    with the precision of 32 bits, never unknown), ``timestamp`` (UTC without a zone,
    whole seconds). Users who happen to get no session are categories all the same.

    The model, for each session independently:

    - The user is number floor(n_users * v ** 1.5), v uniform in [0, 1): user_1 is
      the most active, and user k's share falls off as k ** (-1/3).
    - The page is drawn by the shares in ``PAGES``, the same for every user.
    - The duration is exponential. Its mean is the page's, times the user's pace on
      that page (see ``habits``).
    - The hour of the year is drawn in proportion to ``WEEKDAYS`` times ``HOURS``,
      then moved by the user's shift, wrapping round at the year's end; within the
      hour every second is as likely as any other.

    Raises ValueError where *n_sessions* or *n_users* is less than 1, or *seed* is
    negative.
    """
    frames = list(stream_sessions(n_sessions, n_users, seed))
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def stream_sessions(n_sessions: int, n_users: int, seed: int) -> Iterator[pd.DataFrame]:
    """The rows of ``simulate_sessions`` in tables of at most ``BLOCK`` rows."""
    if n_sessions < 1 or n_users < 1:
        raise ValueError("a simulation needs at least one session and one user")
    if seed < 0:
        raise ValueError("a seed is a whole number from 0 on")
    rng = np.random.default_rng([seed, 1])
    pace, shift = habits(n_users, seed)
    shares, page_means = zip(*PAGES.values(), strict=True)
    means = (pace * page_means).astype(np.float32).ravel()
    hours = _hours_of_the_year()
    # A table with one entry per percent turns a uniform byte into a page.
    by_percent = np.repeat(np.arange(len(PAGES), dtype=np.int8), shares)
    users = pd.CategoricalDtype([f"user_{number}" for number in range(1, n_users + 1)])
    pages = pd.CategoricalDtype(list(PAGES))

    for start in range(0, n_sessions, BLOCK):
        n = min(BLOCK, n_sessions - start)
        v = rng.random(n)
        v *= np.sqrt(v)
        user = (v * n_users).astype(np.int32)
        habit = user % len(shift) if n_users > len(shift) else user
        page = by_percent[rng.integers(0, 100, n, dtype=np.uint8)]
        duration = rng.standard_exponential(n, dtype=np.float32)
        duration *= means[habit * np.int32(len(PAGES)) + page]
        hour = hours[rng.integers(0, _SLOTS, n, dtype=np.uint16)]
        hour += shift.astype(np.int32)[habit]
        seconds = hour % np.int32(DAYS * 24) * np.int32(3600)
        seconds += rng.integers(0, 3600, n, dtype=np.uint16)
        yield pd.DataFrame(
            {
                "user_id": pd.Categorical.from_codes(user, dtype=users),
                "page": pd.Categorical.from_codes(page, dtype=pages),
                "duration": duration.astype(np.float64),
                "timestamp": START + seconds.astype("timedelta64[s]"),
            }
        )


def _hours_of_the_year() -> NDArray[np.int32]:
    """(65536,): hours since ``START``, each as often as its weight asks for."""
    by_weekday = np.outer(WEEKDAYS, HOURS).ravel()
    weight = np.resize(by_weekday, DAYS * 24)
    ends = np.ceil(np.cumsum(weight) / weight.sum() * _SLOTS).astype(np.int64)
    ends[-1] = _SLOTS
    return np.repeat(np.arange(len(ends), dtype=np.int32), np.diff(ends, prepend=0))
