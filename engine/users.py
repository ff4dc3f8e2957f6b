"""The users of a set of sessions: found by name, listed in pages, and ranked."""

from bisect import bisect_left
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.by_user import ByUser
from engine.model import (
    NotInData,
    Rank,
    Ranks,
    Statistic,
    UserColumn,
    UserPage,
    UserRow,
)


class Users:
    """All users by name, each with a code: their index in the order of names.

    It takes about 12 bytes a user beside the names.
    """

    def __init__(self, names: "pd.Index[str]", n_sessions: NDArray[np.int64]) -> None:
        """*names* are sorted, and *n_sessions* has how many sessions each user has."""
        # The same memory as the index's, without what pandas does for a single name.
        self._scalars = pa.array(names.array)
        self._names = names
        self._by_sessions = np.argsort(-n_sessions, kind="stable").astype(np.uint32)

    def __len__(self) -> int:
        return len(self._names)

    def name(self, code: int) -> str:
        """The name of the user with this code."""
        name: str = self._scalars[code].as_py()
        return name

    def find(self, name: str) -> int | None:
        """The code of the user with this name; None where there is none."""
        users = self._scalars
        code = bisect_left(users, name, key=lambda scalar: scalar.as_py())
        return code if code < len(users) and users[code].as_py() == name else None

    def code(self, name: str | None) -> int | None:
        """The same, but None stands for everyone; raises NotInData where none is."""
        if name is None:
            return None
        code = self.find(name)
        if code is None:
            raise NotInData(f"no session has the user {name!r}")
        return code

    def codes(self, names: pa.Array) -> NDArray[np.int64]:
        """The codes of many names; -1 for those that no user has."""
        found = pc.index_in(names, self._scalars).fill_null(-1)
        return cast("NDArray[np.int64]", found.to_numpy().astype(np.int64))

    def search(self, text: str, limit: int) -> list[str]:
        """At most *limit* names that contain *text*; see ``Engine.find_users``."""
        users = self._names
        if not text:
            return users[self._by_sessions[:limit]].tolist()
        contains = self.containing(text)
        if not contains.any():
            return []
        begins = self._folded.str.startswith(text.casefold())
        found: list[str] = []
        for mask in (begins, contains & ~begins):
            codes = self._by_sessions[mask[self._by_sessions]]
            found += users[codes[: limit - len(found)]].tolist()
        return found

    def containing(self, text: str) -> NDArray[np.bool_]:
        """(users,): whether each name contains *text*, ignoring case."""
        try:
            text.encode()
        except UnicodeEncodeError:
            # Half of a surrogate pair is in no name, and can't be searched for.
            return np.zeros(len(self._names), dtype=bool)
        found: NDArray[np.bool_] = self._folded.str.contains(
            text.casefold(), regex=False
        )
        return found

    @cached_property
    def _folded(self) -> "pd.Index[str]":
        return self._names.str.casefold()

    def list_page(
        self,
        by_user: ByUser,
        user: int | None,
        *,
        search: str,
        sort: UserColumn,
        reverse: bool,
        page: int | None,
        page_size: int,
    ) -> UserPage:
        """One page of the users with sessions; see ``Engine.list_users``.

        *by_user* has the numbers of all users, and *user* is the selection's.
        """
        present = by_user.sessions > 0
        matching = present & self.containing(search) if search else present
        users = np.flatnonzero(matching)
        users = users[_order_users(by_user, users, sort, reverse=reverse)]
        n_pages = max(-(-len(users) // page_size), 1)
        if page is None:
            places = np.flatnonzero(users == user) if user is not None else users[:0]
            page = 1 + int(places[0]) // page_size if len(places) else 1
        page = min(max(page, 1), n_pages)
        shown = users[page_size * (page - 1) : page_size * page]
        return UserPage(
            rows=self._rows(by_user, shown),
            page=page,
            n_pages=n_pages,
            n_matching=len(users),
            n_users=int(np.count_nonzero(present)),
        )

    def _rows(self, by_user: ByUser, codes: NDArray[np.intp]) -> list[UserRow]:
        medians = by_user.medians_of(codes)
        return [
            UserRow(
                user=self.name(user),
                sessions=int(by_user.sessions[user]),
                known=int(by_user.known[user]),
                seconds=float(by_user.seconds[user]),
                active_days=int(by_user.active_days[user]),
                median=float(median),
                last=pd.Timestamp(by_user.last[user]),
            )
            for user, median in zip(codes.tolist(), medians, strict=True)
        ]


def rank_user(by_user: ByUser, user: int, statistic: Statistic) -> Ranks:
    """The places of a user among all; see ``Engine.ranks``."""
    present, known = by_user.sessions > 0, by_user.known > 0
    return Ranks(
        sessions=_rank(by_user.sessions, present, user),
        time=_rank(by_user.seconds, known, user),
        statistic=_rank(by_user.by_statistic(statistic), known, user),
        active_days=_rank(by_user.active_days, present, user),
        last=_rank(by_user.last, present, user),
    )


def _order_users(
    by_user: ByUser, users: NDArray[np.intp], sort: UserColumn, *, reverse: bool
) -> NDArray[np.intp]:
    """Return the order of *users*, codes in the order of names, in a list of users."""
    columns: dict[UserColumn, Callable[[], NDArray[Any]]] = {
        # From A to Z is from the largest value down as it is with numbers.
        "user": lambda: -np.arange(len(by_user.sessions)),
        "time": lambda: np.where(by_user.known > 0, by_user.seconds, np.nan),
        "sessions": lambda: by_user.sessions,
        "days": lambda: by_user.active_days,
        "median": lambda: by_user.by_statistic("median"),
        "last": lambda: by_user.last.astype(np.int64),
    }
    key = columns[sort]()[users]
    # NumPy sorts NaN last.
    return np.argsort(key if reverse else -key, kind="stable")


def _rank(values: NDArray[Any], is_ranked: NDArray[np.bool_], user: int) -> Rank | None:
    if not is_ranked[user]:
        return None
    ranked, own = values[is_ranked], values[user]
    return Rank(
        place=1 + int(np.count_nonzero(ranked > own)),
        n_users=len(ranked),
        n_equal=int(np.count_nonzero(ranked == own)),
    )
