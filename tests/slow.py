"""What an engine answers, computed as slowly and obviously as possible."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from engine.model import (
    QUANTILES,
    BinEdges,
    Facts,
    PageCount,
    PathCounts,
    Paths,
    PathStep,
    Rank,
    Ranks,
    Selection,
    Statistic,
    Story,
    StorySession,
    Summary,
    Tally,
    UserColumn,
    UserPage,
    UserRow,
    Visits,
)
from tests.sessions import Row


class Session(NamedTuple):
    """A session as an engine sees it."""

    user: str
    page: str
    duration: float | None
    time: datetime
    """What clocks showed when it began."""


def local_sessions(rows: Sequence[Row], timezone: str) -> list[Session]:
    """Return the rows, whose times are in UTC, with times as clocks show them."""
    sessions = []
    for user, page, duration, text in rows:
        utc = datetime.fromisoformat(text).replace(tzinfo=UTC)
        local = utc.astimezone(ZoneInfo(timezone)).replace(tzinfo=None, fold=0)
        sessions.append(Session(user, page, duration, local))
    return sessions


def is_selected(session: Session, selection: Selection) -> bool:
    """Whether a session is selected, its user aside."""
    day = session.time.date()
    if selection.start is not None and day < selection.start:
        return False
    if selection.end is not None and day >= selection.end:
        return False
    if selection.pages and session.page not in selection.pages:
        return False
    if session.duration is None:
        return selection.shortest is None and selection.longest is None
    if selection.shortest is not None and session.duration < selection.shortest:
        return False
    return selection.longest is None or session.duration < selection.longest


def known_durations(sessions: Sequence[Session]) -> list[float]:
    """Return the durations that are known, in order."""
    return sorted(s.duration for s in sessions if s.duration is not None)


def quantile(durations: Sequence[float], probability: float) -> float:
    """Return a quantile, linearly interpolated; NaN of nothing."""
    if not durations:
        return math.nan
    values = sorted(durations)
    position = probability * (len(values) - 1)
    low = math.floor(position)
    high = min(low + 1, len(values) - 1)
    return values[low] + (position - low) * (values[high] - values[low])


def statistic_of(durations: Sequence[float], statistic: Statistic) -> float:
    """Return a statistic; NaN of nothing."""
    if statistic == "average":
        return math.fsum(durations) / len(durations) if durations else math.nan
    return quantile(durations, QUANTILES[statistic])


def histogram(durations: Sequence[float], edges: Sequence[float]) -> list[int]:
    """Count durations in half-open bins."""
    return [
        sum(low <= duration < high for duration in durations)
        for low, high in pairwise(edges)
    ]


def tally(
    sessions: Sequence[Session],
    pages: Sequence[str],
    days: Sequence[date],
    edges: BinEdges,
) -> Tally:
    """Return the tally of all these sessions."""
    by_page = [[s for s in sessions if s.page == page] for page in pages]
    by_day = [[s for s in sessions if s.time.date() == day] for day in days]
    durations = [known_durations(some) for some in by_page]
    means = [statistic_of(some, "average") for some in durations]
    known = known_durations(sessions)
    return Tally(
        sessions=np.array([len(some) for some in by_page]),
        unknown=np.array([sum(s.duration is None for s in some) for some in by_page]),
        seconds=np.array([math.fsum(some) for some in durations]),
        squared_deviations=np.array(
            [
                math.fsum((duration - mean) ** 2 for duration in some)
                for some, mean in zip(durations, means, strict=True)
            ]
        ),
        quantiles={
            name: np.array([quantile(some, probability) for some in durations])
            for name, probability in QUANTILES.items()
        },
        overall_quantiles={
            name: quantile(known, probability)
            for name, probability in QUANTILES.items()
        },
        linear_histogram=np.array(histogram(known, edges.linear.tolist())),
        log_histogram=np.array(histogram(known, edges.logarithmic.tolist())),
        hours=np.array(
            [
                [sum(s.time.hour == h for s in some) for h in range(24)]
                for some in by_day
            ]
        ),
        day_seconds=np.array([math.fsum(known_durations(some)) for some in by_day]),
        day_unknown=np.array(
            [sum(s.duration is None for s in some) for some in by_day]
        ),
        last=latest(sessions),
        exact=True,
    )


def latest(sessions: Sequence[Session]) -> pd.Timestamp | None:
    """Return when the last session began; None of nothing."""
    return pd.Timestamp(max(s.time for s in sessions)) if sessions else None


class SlowEngine:
    """Answers as an ``Engine`` does, from sessions in a list."""

    def __init__(self, rows: Sequence[Row], timezone: str, edges: BinEdges) -> None:
        """Keep *rows*, whose times are in UTC; *edges* are those to count by."""
        self.all_sessions = local_sessions(rows, timezone)
        self.edges = edges
        self.users = sorted({s.user for s in self.all_sessions})
        self.pages = sorted({s.page for s in self.all_sessions})
        self.days = sorted({s.time.date() for s in self.all_sessions})
        times = [s.time for s in self.all_sessions]
        self.facts = Facts(
            timezone=timezone,
            pages=tuple(self.pages),
            days=np.array(self.days, "datetime64[D]"),
            edges=edges,
            first=pd.Timestamp(min(times)),
            last=pd.Timestamp(max(times)),
            n_users=len(self.users),
            n_sessions=len(times),
            n_unknown=sum(s.duration is None for s in self.all_sessions),
        )

    def find_users(self, text: str, limit: int) -> list[str]:
        """Return users by name, as ``Engine.find_users``."""
        counts = Counter(s.user for s in self.all_sessions)
        part = text.casefold()
        found = [user for user in self.users if part in user.casefold()]
        found.sort(
            key=lambda user: (not user.casefold().startswith(part), -counts[user], user)
        )
        return found[:limit]

    def selected(self, selection: Selection) -> list[Session]:
        """Return the selected sessions, the selection's user or everyone's."""
        return [
            s
            for s in self.all_sessions
            if is_selected(s, selection) and selection.user in (None, s.user)
        ]

    def in_order(self, selection: Selection) -> list[Session]:
        """Return the selected sessions in the order of ``Engine.sessions``."""
        return sorted(
            self.selected(selection),
            key=lambda s: (s.user, s.time, s.page, _unknown_first(s.duration)),
        )

    def summarise(self, selection: Selection) -> Summary:
        """Return the numbers of everyone and of the selection's user."""
        sessions = [s for s in self.all_sessions if is_selected(s, selection)]
        user = None
        if selection.user is not None:
            own = [s for s in sessions if s.user == selection.user]
            user = tally(own, self.pages, self.days, self.edges)
        everyone = tally(sessions, self.pages, self.days, self.edges)
        return Summary(self.facts, selection, everyone, user)

    def tally_named(self, text: str, selection: Selection) -> Tally:
        """Return the numbers of users by name, as ``Engine.tally_named``."""
        part = text.casefold()
        own = [
            s
            for s in self.all_sessions
            if part in s.user.casefold() and is_selected(s, selection)
        ]
        return tally(own, self.pages, self.days, self.edges)

    def count_named(self, text: str) -> int:
        """Return the number of users by name, as ``Engine.count_named``."""
        part = text.casefold()
        return len({s.user for s in self.all_sessions if part in s.user.casefold()})

    def is_named(self, text: str, user: str) -> bool:
        """Return whether a user is one of ``count_named``."""
        users = {s.user for s in self.all_sessions}
        return user in users and text.casefold() in user.casefold()

    def user_row(self, user: str, selection: Selection) -> UserRow | None:
        """Return one user's numbers; None where they have no selected session."""
        sessions = [
            s for s in self.all_sessions if s.user == user and is_selected(s, selection)
        ]
        last = latest(sessions)
        if last is None:
            return None
        durations = known_durations(sessions)
        return UserRow(
            user=user,
            sessions=len(sessions),
            known=len(durations),
            seconds=math.fsum(durations),
            active_days=len({s.time.date() for s in sessions}),
            median=quantile(durations, 0.5),
            last=last,
        )

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
        """Return a page of the table of users, as ``Engine.list_users``."""
        all_rows = [self.user_row(user, selection) for user in self.users]
        present = [row for row in all_rows if row is not None]
        rows = [row for row in present if search.casefold() in row.user.casefold()]
        rows.sort(key=lambda row: row.user)
        if sort == "user":
            rows.sort(key=lambda row: row.user, reverse=reverse)
        else:
            sort_key = _SORT_KEYS[sort]
            known = [row for row in rows if sort_key(row) is not None]
            unknown = [row for row in rows if sort_key(row) is None]
            groups = sorted({sort_key(row) for row in known}, reverse=not reverse)
            rows = [row for key in groups for row in known if sort_key(row) == key]
            rows += unknown
        pages = [
            rows[start : start + page_size] for start in range(0, len(rows), page_size)
        ] or [[]]
        if page is None:
            own = [
                number
                for number, part in enumerate(pages, 1)
                if selection.user in [row.user for row in part]
            ]
            page = own[0] if own else 1
        page = min(page, len(pages))
        return UserPage(pages[page - 1], page, len(pages), len(rows), len(present))

    def ranks(self, selection: Selection, statistic: Statistic) -> Ranks | None:
        """Return the places of the selection's user, as ``Engine.ranks``."""
        if selection.user is None:
            return None
        rows = [self.user_row(user, selection) for user in self.users]
        present = [row for row in rows if row is not None]
        known = [row for row in present if row.known]

        def statistic_of_user(row: UserRow) -> float:
            own = [s for s in self.all_sessions if s.user == row.user]
            selected = [s for s in own if is_selected(s, selection)]
            return statistic_of(known_durations(selected), statistic)

        def rank(among: list[UserRow], value: Callable[[UserRow], Any]) -> Rank | None:
            own = [value(row) for row in among if row.user == selection.user]
            if not own:
                return None
            return Rank(
                place=1 + sum(value(row) > own[0] for row in among),
                n_users=len(among),
                n_equal=sum(value(row) == own[0] for row in among),
            )

        return Ranks(
            sessions=rank(present, lambda row: row.sessions),
            time=rank(known, lambda row: row.seconds),
            statistic=rank(known, statistic_of_user),
            active_days=rank(present, lambda row: row.active_days),
            last=rank(present, lambda row: row.last),
        )

    def story(
        self, selection: Selection, *, page: int | None = None, page_size: int = 100
    ) -> Story | None:
        """Return a page of the user's sessions, as ``Engine.story``."""
        if selection.user is None:
            return None
        ordered = sorted(
            (
                s._replace(time=s.time.replace(microsecond=0))
                for s in self.selected(selection)
            ),
            key=lambda s: (s.time, s.page, _unknown_first(s.duration)),
        )
        pauses = [
            (after.time - before.time).total_seconds() - (before.duration or 0)
            for before, after in pairwise(ordered)
        ]
        visits: list[list[str]] = []
        sessions = []
        for session, pause in zip(ordered, [None, *pauses], strict=False):
            if pause is None or pause > self.facts.visit_gap:
                visits.append([])
            visits[-1].append(session.page)
            seconds = float("nan" if session.duration is None else session.duration)
            time = pd.Timestamp(session.time)
            sessions.append(
                StorySession(session.page, time, seconds, pause, len(visits))
            )
        parts = [
            sessions[start : start + page_size]
            for start in range(0, len(sessions), page_size)
        ] or [[]]
        number = min(page or 1, len(parts))
        return Story(
            parts[number - 1],
            number,
            len(parts),
            len(sessions),
            _visits(visits) if visits else None,
        )

    def paths(
        self,
        selection: Selection,
        page: str,
        ahead: Sequence[str] = (),
        back: Sequence[str] = (),
    ) -> Paths:
        """Return what comes after and before a page, as ``Engine.paths``."""
        everyone = self._path_counts(selection, None, page, ahead, back)
        user = None
        if selection.user is not None:
            user = self._path_counts(selection, selection.user, page, ahead, back)
        return Paths(
            self.facts, selection, page, tuple(ahead), tuple(back), everyone, user
        )

    def _path_counts(
        self,
        selection: Selection,
        user: str | None,
        page: str,
        ahead: Sequence[str],
        back: Sequence[str],
    ) -> PathCounts:
        later: list[list[Session]] = []
        earlier: list[list[Session]] = []
        for name in self.users if user is None else [user]:
            for visit in self._visits(name):
                for i, session in enumerate(visit):
                    whole = replace(selection, pages=())
                    if session.page == page and is_selected(session, whole):
                        later.append(visit[i + 1 :])
                        earlier.append(visit[:i][::-1])
        return PathCounts(self._steps(later, ahead), self._steps(earlier, back))

    def _visits(self, user: str) -> list[list[Session]]:
        """Return a user's sessions in order, cut where no session is the next."""
        own = [s for s in self.all_sessions if s.user == user]
        own.sort(
            key=lambda s: (
                s.time.replace(microsecond=0),
                s.page,
                _unknown_first(s.duration),
            )
        )
        visits: list[list[Session]] = []
        for session in own:
            if visits:
                last = visits[-1][-1]
                moments = [s.time.replace(microsecond=0) for s in (last, session)]
                pause = (moments[1] - moments[0]).total_seconds() - (last.duration or 0)
                if pause <= self.facts.visit_gap:
                    visits[-1].append(session)
                    continue
            visits.append([session])
        return visits

    def _steps(
        self, ways: list[list[Session]], chain: Sequence[str]
    ) -> tuple[PathStep, ...]:
        steps = []
        for number in range(len(chain) + 1):
            chosen = list(chain[:number])
            along = [way for way in ways if [s.page for s in way[:number]] == chosen]
            found = [way[number] for way in along if len(way) > number]
            by_page = [[s for s in found if s.page == page] for page in self.pages]
            durations = [known_durations(some) for some in by_page]
            steps.append(
                PathStep(
                    sessions=np.array([len(some) for some in by_page]),
                    known=np.array([len(some) for some in durations]),
                    seconds=np.array([math.fsum(some) for some in durations]),
                    ended=len(along) - len(found),
                )
            )
        return tuple(steps)


def _visits(visits: Sequence[Sequence[str]]) -> Visits:
    """What the pages of visits, one list for each, come to."""

    def most(pages: list[str]) -> PageCount:
        counts = Counter(pages)
        page = min(counts, key=lambda page: (-counts[page], page))
        n_equal = sum(n == counts[page] for n in counts.values())
        return PageCount(page, counts[page], n_equal)

    return Visits(
        n=len(visits),
        median=quantile([len(visit) for visit in visits], 0.5),
        entry=most([visit[0] for visit in visits]),
        exit=most([visit[-1] for visit in visits]),
    )


def _unknown_first(duration: float | None) -> float:
    return -1 if duration is None else duration


_SORT_KEYS: dict[UserColumn, Callable[[UserRow], Any]] = {
    "time": lambda row: row.seconds if row.known else None,
    "sessions": lambda row: row.sessions,
    "days": lambda row: row.active_days,
    "median": lambda row: row.median if row.known else None,
    "last": lambda row: row.last,
}
