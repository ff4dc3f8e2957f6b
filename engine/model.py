"""The vocabulary of all engines: what is asked, what is answered, and the protocol.

Times are what clocks show in the engine's time zone, days are days of that zone, and
durations are seconds. Ranges are half-open.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schema import VISIT_GAP

Statistic = Literal["average", "median", "p90"]
"""A summary statistic of durations."""

QUANTILES: Final[Mapping[Statistic, float]] = {"median": 0.5, "p90": 0.9}
"""The statistics that are quantiles, with their probability."""

UserColumn = Literal["user", "time", "sessions", "days", "median", "last"]
"""A column that the table of users can be sorted by."""


@dataclass(frozen=True)
class Selection:
    """The sessions that are asked about; filters that are set are combined by "and".

    ``start`` and ``end`` are days, ``[start, end)``. ``shortest`` and ``longest`` are
    durations in seconds, ``[shortest, longest)``, and each is one of the engine's bin
    edges; where either is set, sessions of unknown duration are not selected.
    ``user=None`` stands for everyone, ``pages=()`` for every page.
    """

    user: str | None = None
    start: date | None = None
    end: date | None = None
    pages: tuple[str, ...] = ()
    shortest: float | None = None
    longest: float | None = None


def divide_or_nan(sums: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.float64]:
    """Divide sums by counts, which may be broadcast; NaN where a count is 0."""
    out = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=out, where=counts > 0)
    return out


class NotInData(LookupError):
    """A selection names a user or a page without sessions, or no bin edge."""


class CannotAnswer(RuntimeError):
    """An engine can't answer now; the message is one line for whoever asked."""

    def __init__(self, message: str, logged: str = "") -> None:
        super().__init__(message)
        self.logged = logged or message
        """The line for whoever runs the program, who may have options to change."""


class Dropped(CannotAnswer):
    """Nobody waits for the answer any more."""


class BinEdges(NamedTuple):
    """The edges of the duration bins, in seconds; bin i is [edges[i], edges[i + 1])."""

    linear: NDArray[np.float64]
    """Edges in equal steps from 0 on; the last is infinite: that bin takes the tail."""
    logarithmic: NDArray[np.float64]
    """0, 0.001, then edges in about equal ratios to above the longest duration.

    The first bin holds the zeros.
    """


@dataclass(frozen=True, eq=False)
class Facts:
    """What an engine says about all its sessions, whatever is selected."""

    timezone: str
    """IANA name of the time zone of days, hours and times."""
    pages: tuple[str, ...]
    """The pages that have sessions, sorted by name."""
    days: NDArray[np.datetime64]
    """The days that have sessions, in order."""
    edges: BinEdges
    """The bins of durations."""
    first: pd.Timestamp
    """When the first session began, to the second."""
    last: pd.Timestamp
    """When the last session began, to the second."""
    n_users: int
    """Number of users that have sessions."""
    n_sessions: int
    """Number of sessions."""
    n_unknown: int
    """Number of sessions of unknown duration."""
    visit_gap: float = VISIT_GAP
    """Seconds: a longer pause between two sessions of a user ends a visit."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts and statistics of one group of sessions.

    Arrays by page are in the order of ``Facts.pages``, arrays by day in the order of
    ``Facts.days``.
    """

    sessions: NDArray[np.int64]
    """(pages,): number of sessions, including those of unknown duration."""
    unknown: NDArray[np.int64]
    """(pages,): number of sessions of unknown duration."""
    seconds: NDArray[np.float64]
    """(pages,): sum of the known durations, in seconds."""
    squared_deviations: NDArray[np.float64]
    """(pages,): sum of squared deviations of the known durations from their mean."""
    quantiles: Mapping[Statistic, NDArray[np.float64]]
    """For each of ``QUANTILES`` (pages,): that quantile of the known durations.

    In seconds, linearly interpolated as ``numpy.quantile`` does; NaN for a page without
    known durations.
    """
    overall_quantiles: Mapping[Statistic, float]
    """For each of ``QUANTILES``: that quantile over all pages together, or NaN."""
    linear_histogram: NDArray[np.int64]
    """(bins,): number of sessions in each bin of ``BinEdges.linear``."""
    log_histogram: NDArray[np.int64]
    """(bins,): number of sessions in each bin of ``BinEdges.logarithmic``."""
    hours: NDArray[np.int64]
    """(days, 24): number of sessions that began in each hour of each day."""
    day_seconds: NDArray[np.float64]
    """(days,): sum of the known durations of the sessions that began on each day."""
    day_unknown: NDArray[np.int64]
    """(days,): number of sessions of unknown duration that began on each day."""
    last: pd.Timestamp | None
    """When the last session began, to the second; None where there is none."""
    exact: bool
    """Whether the quantiles are exact; otherwise they are within 1 %."""

    @cached_property
    def known(self) -> NDArray[np.int64]:
        """(pages,): number of sessions of known duration, the n of every average."""
        return self.sessions - self.unknown

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """(pages,): mean known duration in seconds; NaN for a page without any."""
        return divide_or_nan(self.seconds, self.known)

    @cached_property
    def day_sessions(self) -> NDArray[np.int64]:
        """(days,): number of sessions that began on each day."""
        by_day: NDArray[np.int64] = self.hours.sum(axis=1)
        return by_day

    @cached_property
    def day_known(self) -> NDArray[np.int64]:
        """(days,): number of sessions of known duration that began on each day."""
        return self.day_sessions - self.day_unknown

    @property
    def active_days(self) -> int:
        """Number of days with at least one session."""
        return int(np.count_nonzero(self.day_sessions))

    def by_page(self, statistic: Statistic) -> NDArray[np.float64]:
        """(pages,): a statistic of the known durations; NaN for a page without any."""
        return self.mean if statistic == "average" else self.quantiles[statistic]

    def overall(self, statistic: Statistic) -> float:
        """A statistic of the known durations on all pages, or NaN without any."""
        if statistic != "average":
            return self.overall_quantiles[statistic]
        known = int(self.known.sum())
        return float(self.seconds.sum()) / known if known else float("nan")


@dataclass(frozen=True, eq=False)
class Summary:
    """The answer to one selection: its user's numbers beside everyone's."""

    facts: Facts
    selection: Selection
    everyone: Tally
    """All users; filtered by everything in the selection but its user."""
    user: Tally | None
    """The selection's user; None where it names none."""

    @property
    def subject(self) -> Tally:
        """The user's tally, or everyone's where the selection names no user."""
        return self.everyone if self.user is None else self.user


class UserRow(NamedTuple):
    """One user in the table of users: the numbers of their selected sessions."""

    user: str
    sessions: int
    """Number of sessions, including those of unknown duration."""
    known: int
    """Number of sessions of known duration."""
    seconds: float
    """Sum of the known durations, in seconds."""
    active_days: int
    """Number of days with at least one session."""
    median: float
    """Median known duration in seconds; NaN where none is known."""
    last: pd.Timestamp
    """When the last session began, to the second."""


class UserPage(NamedTuple):
    """One page of the table of users."""

    rows: list[UserRow]
    page: int
    """The number of this page, from 1 on."""
    n_pages: int
    """How many pages there are, at least 1."""
    n_matching: int
    """Users with selected sessions whose name contains the search text."""
    n_users: int
    """Users with selected sessions, whatever their name."""


class Rank(NamedTuple):
    """A place among users; equal values share the best place."""

    place: int
    """1 for the largest value."""
    n_users: int
    """The number of users who are ranked."""
    n_equal: int
    """The number of users who share the place, at least 1."""


class Ranks(NamedTuple):
    """A user's places; None where the user has no such value."""

    sessions: Rank | None
    """By number of sessions, among users with any."""
    time: Rank | None
    """By total known duration, among users with a known duration."""
    statistic: Rank | None
    """By the statistic that was asked for, among users with a known duration."""
    active_days: Rank | None
    """By number of active days, among users with sessions."""
    last: Rank | None
    """By the time of the last session, the latest first, among users with sessions."""


class StorySession(NamedTuple):
    """One session in a user's story."""

    page: str
    start: pd.Timestamp
    """When it began, to the second."""
    duration: float
    """In seconds; NaN where it is unknown."""
    pause: float | None
    """Seconds since the session before it ended; None for the first of all.

    An unknown duration is taken for 0 here. It is negative where the two overlap.
    """
    visit: int | None
    """The number of its visit, from 1 on; None where visits are unknown."""


class PageCount(NamedTuple):
    """The page of most visits, the first by name of those of as many."""

    page: str
    n: int
    """The number of visits."""
    n_equal: int
    """The number of pages of as many visits, at least 1."""


class Visits(NamedTuple):
    """A user's selected sessions as visits.

    A visit is a run of sessions with no pause above ``Facts.visit_gap``, see
    ``StorySession.pause``.
    """

    n: int
    """The number of visits, at least 1."""
    median: float
    """The median number of sessions of a visit, interpolated."""
    entry: PageCount
    """The page on which most visits begin."""
    exit: PageCount
    """The page on which most visits end."""


class Story(NamedTuple):
    """One page of a user's selected sessions in order of time."""

    sessions: list[StorySession]
    """Those that began at the same second are by page, then by duration, the unknown
    first."""
    page: int
    """The number of this page, from 1 on."""
    n_pages: int
    """How many pages there are, at least 1."""
    n_sessions: int
    """The number of selected sessions on all pages."""
    visits: Visits | None
    """None without sessions, and where they are too many to tell visits."""


MOST_STEPS: Final = 3
"""How many steps before and after a page are counted at most."""


@dataclass(frozen=True, eq=False)
class PathStep:
    """Where some users were one step before, or after: sessions by their page.

    Arrays by page are in the order of ``Facts.pages``.
    """

    sessions: NDArray[np.int64]
    """(pages,): number of sessions on each page at this step."""
    known: NDArray[np.int64]
    """(pages,): number of these of known duration."""
    seconds: NDArray[np.float64]
    """(pages,): sum of the known durations, in seconds."""
    ended: int
    """Number of sessions without this step: their visit ends, or began, before it."""

    @cached_property
    def total(self) -> int:
        """Number of sessions that the step is of, ended ones among them."""
        return int(self.sessions.sum()) + self.ended

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """(pages,): mean known duration in seconds; NaN for a page without any."""
        return divide_or_nan(self.seconds, self.known)


class PathCounts(NamedTuple):
    """What comes after and before the sessions of a group on one page."""

    ahead: tuple[PathStep, ...]
    """The steps after the page, the next one first."""
    back: tuple[PathStep, ...]
    """The steps before the page, the nearest one first."""


@dataclass(frozen=True, eq=False)
class Paths:
    """The answer to what comes after and before a page: a user's beside everyone's."""

    facts: Facts
    selection: Selection
    page: str
    ahead: tuple[str, ...]
    """The pages that were chosen after it, the next one first."""
    back: tuple[str, ...]
    """The pages that were chosen before it, the nearest one first."""
    everyone: PathCounts
    user: PathCounts | None
    """The selection's user; None where it names none."""


class Engine(Protocol):
    """Answers questions about one set of sessions that never changes.

    Threads may share an engine. Methods that take a selection raise NotInData for a
    user, a page or a duration of it that isn't in the data.
    """

    @property
    def facts(self) -> Facts:
        """What holds for all sessions."""

    def has_user(self, name: str) -> bool:
        """Whether a session names this user."""

    def has_page(self, name: str) -> bool:
        """Whether a session names this page."""

    def find_users(self, text: str, limit: int) -> list[str]:
        """At most *limit* users whose name contains *text*, ignoring case.

        Names that begin with the text come first, then those of more sessions, equal
        ones in the order of names.
        """

    def summarise(self, selection: Selection) -> Summary:
        """The numbers of everyone and of the selection's user."""

    def tally_named(self, text: str, selection: Selection) -> Tally:
        """The numbers of all users whose name contains *text*, ignoring case.

        They are filtered by everything in the selection but its user.
        """

    def count_named(self, text: str) -> int:
        """Number of all users whose name contains *text*, ignoring case."""

    def is_named(self, text: str, user: str) -> bool:
        """Whether a user is one of those that ``tally_named`` and others count.

        It is False for a user who isn't in the data.
        """

    def list_users(
        self,
        selection: Selection,
        *,
        search: str = "",
        sort: UserColumn = "time",
        reverse: bool = False,
        page: int | None = None,
        page_size: int = 10,
    ) -> UserPage:
        """One page of the users with selected sessions, whoever is the selection's.

        *search* keeps users whose name contains it, ignoring case. Rows are sorted from
        the largest value down, names from A to Z, and with *reverse* the other way;
        unknown values come last either way, equal ones in the order of names. Without
        *page* it is the page with the selection's user, or the first; a number beyond
        the last page gives the last.
        """

    def ranks(self, selection: Selection, statistic: Statistic) -> Ranks | None:
        """The places of the selection's user; None where it names none."""

    def sessions(self, selection: Selection, limit: int) -> Iterator[pd.DataFrame]:
        """The selected sessions themselves, at most *limit*, as a stream of tables.

        They come by user, in the order of names, and those of a user by time; those
        that began at the same time by page, then by duration, the unknown first. The
        columns are those of ``schema.COLUMNS``: text, text, float64 seconds (NaN where
        unknown) and timestamps in the engine's time zone, to the microsecond. Raises
        NotInData when called, not when the stream is read.
        """

    def story(
        self, selection: Selection, *, page: int | None = None, page_size: int = 100
    ) -> Story | None:
        """The selected sessions of the selection's user in order of time, the oldest
        first, a page at a time; None where it names none.

        Times, and so pauses, are what clocks show. Without *page* it is the first page;
        a number beyond the last page gives the last.
        """

    def paths(
        self,
        selection: Selection,
        page: str,
        ahead: tuple[str, ...] = (),
        back: tuple[str, ...] = (),
    ) -> Paths:
        """What comes after and before the selected sessions on a page.

        A user's sessions are in the order of time, to the second; those that began at
        the same time by page, then by duration, the unknown first. The next one of a
        session is the next in this order if it begins at most ``Facts.visit_gap``
        seconds after the end of this one, which is its start where its duration is
        unknown. The selection's dates and durations are of the sessions on the page;
        its pages are ignored, and what comes before and after is whatever there was.

        The first step ahead is of all these sessions, the second of those whose next
        one is on ``ahead[0]``, the third of those whose next ones are on ``ahead[0]``
        and ``ahead[1]``; likewise back. Raises NotInData for a page that isn't in the
        data, and ValueError for more than two pages either way.
        """
