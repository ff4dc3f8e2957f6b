"""What the tuned peers know before anything is asked: all that their charts show."""

from functools import cache
from typing import Final, NamedTuple

import numpy as np

from simulate import simulate_sessions

LONGEST: Final = 600.0
"""Seconds; the last bar of the histogram holds all longer sessions, too."""

BINS: Final = 40


class Answers(NamedTuple):
    """The numbers of three charts, for all users."""

    users: list[str]
    pages: list[str]
    total: list[float]
    """Hours by page, everyone's."""
    average: dict[str, list[float]]
    """Seconds by page, for each user."""
    durations: list[int]
    """Sessions in each of ``BINS`` ranges of duration."""
    starts: list[float]
    """Where each of these ranges begins, in seconds."""


@cache
def answers() -> Answers:
    """Count the application's 100,000 sessions once."""
    sessions = simulate_sessions()
    by_page = sessions.groupby("page", observed=True)["duration"].sum() / 3600
    by_user = (
        sessions.groupby(["user_id", "page"], observed=False)["duration"]
        .mean()
        .fillna(0)
        .unstack()
        .round(1)
    )
    edges = np.linspace(0, LONGEST, BINS + 1)
    counts, _ = np.histogram(sessions["duration"].clip(upper=LONGEST), edges)
    return Answers(
        list(by_user.index),
        list(by_user.columns),
        by_page.reindex(by_user.columns).round(1).tolist(),
        dict(zip(by_user.index, by_user.to_numpy().tolist(), strict=True)),
        counts.tolist(),
        edges[:-1].tolist(),
    )
