"""The users of a database: their names, the table of users, and their ranks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.by_user import BYTES_PER_USER, ByUser
from engine.cache import Cache
from engine.model import QUANTILES, Ranks, Selection, Statistic, UserColumn, UserPage
from engine.users import Users, rank_user
from engine.warehouse.groups import Batch, local_times
from engine.warehouse.questions import Group, Question, Questions
from engine.warehouse.user_questions import UserQuestions


class Asking(NamedTuple):
    """How lists of users are asked for."""

    questions: Questions
    group: Group
    """All sessions that there were at the start."""
    quantum: float
    """See ``ColumnStore``."""
    ask: Callable[[Question], pa.Table]


class UserLists(Protocol):
    """What an engine over a database answers about users; see ``Engine``.

    The selections are of what is in the data.
    """

    def has(self, name: str) -> bool:
        """Whether a session names this user."""

    def search(self, text: str, limit: int) -> list[str]:
        """At most *limit* names that contain *text*."""

    def list_page(
        self,
        selection: Selection,
        *,
        search: str,
        sort: UserColumn,
        reverse: bool,
        page: int | None,
        page_size: int,
    ) -> UserPage:
        """One page of the users with selected sessions."""

    def ranks(self, selection: Selection, statistic: Statistic) -> Ranks | None:
        """The places of the selection's user; None where it names none."""


@dataclass(frozen=True, eq=False)
class AskedByUser(ByUser):
    """Numbers of all users, whose quantiles are asked for only when they are wanted."""

    ask_all: Callable[[], NDArray[np.float64]]
    """Gives (quantiles, users): the quantiles of all users."""
    ask_medians: Callable[[NDArray[np.intp]], NDArray[np.float64]]
    """Gives the medians of the users with these codes."""

    def quantile(self, statistic: Statistic) -> NDArray[np.float64]:
        """Return one of ``QUANTILES`` of the known durations, or NaN."""
        row: NDArray[np.float64] = self.ask_all()[list(QUANTILES).index(statistic)]
        return row

    def medians_of(self, users: NDArray[np.intp]) -> NDArray[np.float64]:
        """The medians of the known durations of the users with these codes."""
        return self.ask_medians(users)


class KnownUsers:
    """Users of whom there are few enough to hold the names and the numbers of all."""

    def __init__(self, users: Users, asking: Asking, cache_bytes: int) -> None:
        self._users = users
        self._questions = UserQuestions(asking.questions, asking.quantum)
        self._group, self._quantum, self._ask = asking.group, asking.quantum, asking.ask
        self._by_user: Cache[Selection, AskedByUser] = Cache(cache_bytes)
        self._quantiles: Cache[Selection, NDArray[np.float64]] = Cache(cache_bytes)

    def has(self, name: str) -> bool:
        """Whether a session names this user."""
        return self._users.find(name) is not None

    def search(self, text: str, limit: int) -> list[str]:
        """At most *limit* names that contain *text*; see ``Engine.find_users``."""
        return self._users.search(text, limit)

    def list_page(
        self,
        selection: Selection,
        *,
        search: str,
        sort: UserColumn,
        reverse: bool,
        page: int | None,
        page_size: int,
    ) -> UserPage:
        """One page of the users with selected sessions; see ``Engine.list_users``."""
        return self._users.list_page(
            self._numbers(selection),
            self._users.code(selection.user),
            search=search,
            sort=sort,
            reverse=reverse,
            page=page,
            page_size=page_size,
        )

    def ranks(self, selection: Selection, statistic: Statistic) -> Ranks | None:
        """The places of the selection's user; None where it names none."""
        user = self._users.code(selection.user)
        if user is None:
            return None
        return rank_user(self._numbers(selection), user, statistic)

    def _numbers(self, selection: Selection) -> AskedByUser:
        """The numbers of all users, whoever is the selection's."""
        everyone = replace(selection, user=None)
        return self._by_user.get(everyone, lambda: self._ask_numbers(everyone))

    def _ask_numbers(self, selection: Selection) -> tuple[AskedByUser, int]:
        question = self._questions.numbers(self._group, selection)
        answer = Batch(self._ask(question))
        codes = self._users.codes(answer.text("u"))
        # Who came since the start has none.
        kept = codes >= 0
        n_users = len(self._users)

        def by_code(values: NDArray[np.int64]) -> NDArray[np.int64]:
            column = np.zeros(n_users, np.int64)
            column[codes[kept]] = values[kept]
            column.setflags(write=False)
            return column

        sessions = by_code(answer.integers("sessions"))
        quanta = by_code(answer.doubles("quanta").astype(np.int64))
        last = local_times(by_code(answer.integers("last")))
        numbers = AskedByUser(
            sessions=sessions,
            unknown=sessions - by_code(answer.integers("known")),
            seconds=quanta * np.float64(self._quantum),
            active_days=by_code(answer.integers("days")),
            last=np.where(sessions > 0, last, np.datetime64("NaT")),
            ask_all=lambda: self._all_quantiles(selection),
            ask_medians=lambda users: self._medians(selection, users),
        )
        return numbers, BYTES_PER_USER * n_users

    def _all_quantiles(self, selection: Selection) -> NDArray[np.float64]:
        def ask() -> tuple[NDArray[np.float64], int]:
            found = self._ask_quantiles(selection, None)
            return found, found.nbytes

        return self._quantiles.get(selection, ask)

    def _medians(
        self, selection: Selection, users: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        if not len(users):
            return np.zeros(0)
        names = tuple(self._users.name(code) for code in users.tolist())
        medians: NDArray[np.float64] = self._ask_quantiles(selection, names)[
            list(QUANTILES).index("median")
        ][users]
        return medians

    def _ask_quantiles(
        self, selection: Selection, names: tuple[str, ...] | None
    ) -> NDArray[np.float64]:
        """(quantiles, users), with NaN for whom weren't asked for."""
        question = self._questions.quantiles(self._group, selection, names)
        answer = Batch(self._ask(question))
        codes = self._users.codes(answer.text("u"))
        kept = codes >= 0
        found = np.full((len(QUANTILES), len(self._users)), np.nan)
        for row, name in zip(found, QUANTILES, strict=True):
            row[codes[kept]] = answer.doubles(name, np.nan)[kept]
        return found
