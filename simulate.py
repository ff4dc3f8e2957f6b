"""Simulated sessions of a web shop, for a dashboard without data of its own.

They tell a story, which ``simulate_sessions`` has in words, so that each card of the
page has something to show.
"""

from collections.abc import Iterable, Iterator, Sequence
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

LAUNCH: Final = np.datetime64("2024-03-04", "h")
"""When the page "deals" opens, and more sessions begin; a Monday."""

OUTAGE: Final = (
    np.datetime64("2024-07-17T06", "h"),
    np.datetime64("2024-07-18T18", "h"),
)
"""When no session begins, half-open."""

BOT: Final = 2
"""The number of the user who is a program: user_2."""

LEAVER: Final = 5
"""The number of the user who isn't seen from ``LEAVES`` on."""

LEAVES: Final = np.datetime64("2024-06-01", "h")

NIGHT_OWL: Final = 8
"""The number of the user whose sessions begin from 22:00 to 05:00."""

NEWCOMER: Final = 12
"""The number of the user who isn't seen before ``JOINS``."""

JOINS: Final = np.datetime64("2024-09-01", "h")

BLOCK: Final = 1 << 18
"""Rows that are simulated at once."""

_SHIFTS: Final = (-4, -2, 0, 2, 4)
_HABITS: Final = 1_000
_SLOTS: Final = np.int32(1 << 16)


class Habits(NamedTuple):
    """How users differ: a row for each of the first 1,000, which later ones repeat."""

    pace: NDArray[np.float64]
    """(n_habits, n_pages): factor on the page's mean duration, 1 on average."""
    year: NDArray[np.int32]
    """(n_habits,): which of ``hour_weights()`` says when the user comes."""


def habits(n_users: int, seed: int) -> Habits:
    """The habits of *n_users* users, at most 1,000 different ones.

    A pace is the user's own log-normal factor (sigma 0.3) times another for each
    page (sigma 0.25); both have mean 1. The bot's gives 1.5 s on every page.
    """
    rng = np.random.default_rng([seed, 0])
    n_habits = min(n_users, _HABITS)
    own = rng.lognormal(-(0.3**2) / 2, 0.3, (n_habits, 1))
    taste = rng.lognormal(-(0.25**2) / 2, 0.25, (n_habits, len(PAGES)))
    pace = own * taste
    year = rng.integers(0, len(_SHIFTS), n_habits, dtype=np.int32)
    # Slices, since there may be fewer users than that.
    pace[BOT - 1 : BOT] = [1.5 / mean for _, mean in PAGES.values()]
    for row, number in enumerate((BOT, LEAVER, NIGHT_OWL, NEWCOMER), len(_SHIFTS)):
        year[number - 1 : number] = row
    return Habits(pace, year)


def hour_weights() -> Iterator[NDArray[np.float64]]:
    """Nine times (8784,): relative number of sessions in each hour of the year.

    First those of users whose day is 4 or 2 hours earlier, as ``HOURS`` has it, 2 or 4
    hours later; then the bot's, the leaver's, the night owl's and the newcomer's.
    """
    hour = np.arange(DAYS * 24)
    time = START + hour.astype("timedelta64[h]")
    week = np.resize(np.outer(WEEKDAYS, HOURS), len(hour))
    days = (time - LAUNCH) / np.timedelta64(1, "D")
    demand = np.where(days < 0, 1, 1.2 + 0.8 * 0.5 ** (days / 7))
    demand[(time >= OUTAGE[0]) & (time < OUTAGE[1])] = 0
    for shift in _SHIFTS:
        yield np.roll(week, shift) * demand
    yield np.sign(demand)
    yield week * demand * (time < LEAVES)
    yield np.roll(week, 4) * demand * ((hour % 24 >= 22) | (hour % 24 < 5))
    yield week * demand * (time >= JOINS)


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
    - The hour of the year is drawn in proportion to ``WEEKDAYS`` times ``HOURS``,
      for some users 2 or 4 hours earlier or later; within the hour every second is
      as likely as any other.
    - The page is drawn by the shares in ``PAGES``, the same for every user.
    - The duration is exponential. Its mean is the page's, times the user's pace on
      that page (see ``habits``).

    The story, as far as there are so many users:

    - The launch: on 4 March "deals" opens; its share went to "products" before.
    - The rise: sessions double that day, then come down to 1.2 times what they were,
      half of the way in each week.
    - The outage: from 17 July, 06:00, to 18 July, 18:00, there is no session.
    - The bot: user_2 comes at all hours and to all pages alike, for 1.5 s on average.
    - The one who left: user_5 comes until the end of May.
    - The night owl: user_8 comes between 22:00 and 05:00, most around midnight.
    - The one who joined: user_12 comes from September on.

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
    pace, year = habits(n_users, seed)
    means = (pace * [mean for _, mean in PAGES.values()]).astype(np.float32).ravel()
    year *= _SLOTS
    hours = _slots(hour_weights())
    by_share = _slots([[share for share, _ in PAGES.values()], np.ones(len(PAGES))])
    deals, products = list(PAGES).index("deals"), list(PAGES).index("products")
    launch = (LAUNCH - START) // np.timedelta64(1, "h")
    users = pd.CategoricalDtype([f"user_{number}" for number in range(1, n_users + 1)])
    pages = pd.CategoricalDtype(list(PAGES))

    for start in range(0, n_sessions, BLOCK):
        n = min(BLOCK, n_sessions - start)
        user = _draw_users(rng, n, n_users)
        habit = _habit(user)
        slot = year.take(habit)
        slot += rng.integers(0, _SLOTS, n, dtype=np.uint16)
        hour = hours.take(slot)
        slot = _SLOTS * (user == BOT - 1)
        slot += rng.integers(0, _SLOTS, n, dtype=np.uint16)
        page = by_share.take(slot)
        page[(page == deals) & (hour < launch)] = products
        duration = rng.standard_exponential(n, dtype=np.float32)
        duration *= means.take(habit * np.int32(len(PAGES)) + page)
        seconds = hour * np.int64(3600)
        seconds += rng.integers(0, 3600, n, dtype=np.uint16)
        yield pd.DataFrame(
            {
                "user_id": pd.Categorical.from_codes(user, dtype=users),
                "page": pd.Categorical.from_codes(page, dtype=pages),
                "duration": duration.astype(np.float64),
                "timestamp": START + seconds.view("timedelta64[s]"),
            }
        )


def _draw_users(rng: np.random.Generator, n: int, n_users: int) -> NDArray[np.int32]:
    v = rng.random(n)
    v *= np.sqrt(v)
    v *= n_users
    return v.astype(np.int32)


def _habit(user: NDArray[np.int32]) -> NDArray[np.int32]:
    """The rows of the users' habits; those of the story belong to one user each."""
    if user.max() < _HABITS:
        return user
    return np.where(user < _HABITS, user, NEWCOMER + user % (_HABITS - NEWCOMER))


def _slots(
    weights: Iterable[Sequence[float] | NDArray[np.float64]],
) -> NDArray[np.int16]:
    """65,536 indices for each row of weights, each as often as its weight asks for.

    So a uniform number of 16 bits draws one.
    """
    slots = []
    for row in weights:
        sums = np.cumsum(row)
        ends = np.ceil(sums / sums[-1] * _SLOTS).astype(np.int32)
        indices = np.arange(len(ends), dtype=np.int16)
        slots.append(np.repeat(indices, np.diff(ends, prepend=0)))
    return np.concatenate(slots)
