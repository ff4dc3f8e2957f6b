"""Users of whom there are too many to hold: the database sorts and counts them."""

from dataclasses import replace

import pandas as pd
import pyarrow as pa

from engine.cache import Cache
from engine.model import (
    Rank,
    Ranks,
    Selection,
    Statistic,
    UserColumn,
    UserPage,
    UserRow,
)
from engine.warehouse.groups import Batch, local_times
from engine.warehouse.questions import Question
from engine.warehouse.user_questions import UserQuestions
from engine.warehouse.users import Asking


class ManyUsers:
    """Asks for one page of users at a time, so that nothing here grows with them.

    The last answers are kept. Case is ignored as the database does.
    """

    def __init__(self, asking: Asking, cache_bytes: int) -> None:
        self._asking, self._group = asking, asking.group
        self._questions = UserQuestions(asking.questions, asking.quantum)
        self._answers: Cache[Question, pa.Table] = Cache(cache_bytes)

    def has(self, name: str) -> bool:
        """Whether a session names this user."""
        if not self._asking.questions.words.can_hold(name):
            return False
        group = self._group._replace(user=name)
        answer = self._table(self._asking.questions.user_rows(group, 1))
        return bool(answer.num_rows)

    def search(self, text: str, limit: int) -> list[str]:
        """At most *limit* names that contain *text*; see ``Engine.find_users``."""
        if not self._asking.questions.words.can_hold(text):
            return []
        answer = self._ask(self._questions.found(self._group, text, limit))
        names: list[str] = answer.text("u").to_pylist()
        return names

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
        user, everyone = selection.user, replace(selection, user=None)
        can_match = self._asking.questions.words.can_hold(search)
        searched = search if can_match else ""
        counts = self._ask(self._questions.counts(self._group, everyone, searched))
        n_users, n_matching = counts.integer("n"), counts.integer("matching")
        if not can_match:
            return UserPage([], 1, 1, 0, n_users)
        n_pages = max(-(-n_matching // page_size), 1)
        if page is None:
            place = 0
            if user is not None:
                question = self._questions.place(
                    self._group, everyone, sort, search, user, reverse=reverse
                )
                place = self._ask(question).integer("n")
            page = 1 + place // page_size
        page = min(max(page, 1), n_pages)
        question = self._questions.page(
            self._group,
            everyone,
            sort,
            search,
            reverse=reverse,
            limit=page_size,
            offset=page_size * (page - 1),
        )
        rows = self._rows(everyone, self._ask(question))
        return UserPage(rows, page, n_pages, n_matching, n_users)

    def ranks(self, selection: Selection, statistic: Statistic) -> Ranks | None:
        """The places of the selection's user; None where it names none."""
        user, everyone = selection.user, replace(selection, user=None)
        if user is None:
            return None
        answer = self._ask(
            self._questions.ranks(self._group, everyone, statistic, user)
        )
        present, known = answer.integer("present"), answer.integer("known")
        has_known = answer.integer("own_known") > 0

        def rank(name: str, n_users: int, is_ranked: bool) -> Rank | None:
            above, equal = (
                answer.integer(f"{name}_above"),
                answer.integer(f"{name}_equal"),
            )
            return Rank(1 + above, n_users, equal) if is_ranked else None

        return Ranks(
            sessions=rank("sessions", present, present > 0),
            time=rank("time", known, has_known),
            statistic=rank("statistic", known, has_known),
            active_days=rank("active_days", present, present > 0),
            last=rank("last", present, present > 0),
        )

    def _rows(self, selection: Selection, listed: Batch) -> list[UserRow]:
        names = listed.text("u").to_pylist()
        if not names:
            return []
        question = self._questions.quantiles(self._group, selection, tuple(names))
        found = self._ask(question)
        medians = dict(
            zip(found.text("u").to_pylist(), found.doubles("median"), strict=True)
        )
        columns = zip(
            names,
            listed.integers("sessions").tolist(),
            listed.integers("known").tolist(),
            (listed.doubles("quanta") * self._asking.quantum).tolist(),
            listed.integers("days").tolist(),
            local_times(listed.integers("last")),
            strict=True,
        )
        return [
            UserRow(
                user,
                sessions,
                known,
                seconds,
                days,
                float(medians.get(user, "nan")),
                pd.Timestamp(last),
            )
            for user, sessions, known, seconds, days, last in columns
        ]

    def _ask(self, question: Question) -> Batch:
        return Batch(self._table(question))

    def _table(self, question: Question) -> pa.Table:
        def ask() -> tuple[pa.Table, int]:
            answer = self._asking.ask(question)
            return answer, answer.nbytes + len(question.text)

        return self._answers.get(question, ask)
