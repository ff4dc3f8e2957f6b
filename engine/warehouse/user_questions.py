"""The questions about all users of a table: their numbers, lists and ranks."""

from typing import Final

from engine.dimensions import DAY
from engine.model import QUANTILES, Selection, Statistic, UserColumn
from engine.warehouse.questions import Group, Question, Questions
from engine.warehouse.words import Sql, number

_KEYS: Final[dict[UserColumn, str]] = {
    "time": "case when known > 0 then quanta end",
    "sessions": "sessions",
    "days": "days",
    "median": "q",
    "last": "last",
}
"""What users are sorted by; NULL where it is unknown."""

_NULL: Final = "cast(null as {})"


class UserQuestions:
    """Writes questions about the users with selected sessions, whoever is picked.

    In answers ``u`` is a user, with so many ``sessions``, of which so many are
    ``known`` and come to so many ``quanta``, on so many ``days``, the ``last`` of which
    began so many seconds after the start of the year 1.
    """

    def __init__(self, questions: Questions, quantum: float) -> None:
        self._questions, self._quantum = questions, quantum
        self._words = questions.words

    def numbers(self, group: Group, selection: Selection) -> Question:
        """The numbers of all users, but no quantiles."""
        sql = Sql(self._words)
        text = self._by_user(sql, group, selection)
        return self._questions.question("all users", sql, text)

    def quantiles(
        self, group: Group, selection: Selection, users: tuple[str, ...] | None
    ) -> Question:
        """The quantiles of known durations by user, of all users or some."""
        sql = Sql(self._words)
        conditions = ["d is not null"]
        if users is not None:
            conditions.append(f"u in ({', '.join(map(sql.bind, users))})")
        selected = self._questions.selected(sql, group, selection, *conditions)
        columns = (
            f"{self._words.quantile('d', p)} as {name}" for name, p in QUANTILES.items()
        )
        text = f"select u, {', '.join(columns)} from {selected} group by u"
        return self._questions.question("medians", sql, text)

    def found(self, group: Group, search: str, limit: int) -> Question:
        """Names that contain a text, see ``Engine.find_users``."""
        sql = Sql(self._words)
        at = self._questions.position(sql, search) if search else "1"
        sessions = self._questions.sessions_of(sql, group)
        text = f"select u, {at} as place from ({sessions}) y"
        text = (
            "select u, count(*) as n,"
            " min(case when place = 1 then 0 else 1 end) as later"
            f" from ({text}) z where place > 0 group by u"
            f" order by later, n desc, {self._ordered('u')} limit {limit}"
        )
        return self._questions.question("users", sql, text)

    def counts(self, group: Group, selection: Selection, search: str) -> Question:
        """How many users there are, and of how many the name contains a text."""
        sql = Sql(self._words)
        matching = "u"
        if search:
            matching = (
                f"case when {self._questions.position(sql, search)} > 0 then u end"
            )
        text = (
            f"select count(distinct u) as n, count(distinct {matching}) as matching"
            f" from {self._questions.selected(sql, group, selection)}"
        )
        return self._questions.question("the number of users", sql, text)

    def page(
        self,
        group: Group,
        selection: Selection,
        sort: UserColumn,
        search: str,
        *,
        reverse: bool,
        limit: int,
        offset: int,
    ) -> Question:
        """Some of the users in the order of a list, see ``Engine.list_users``."""
        sql = Sql(self._words)
        text = self._keyed(sql, group, selection, sort, search)
        order = self._ordered("u")
        if sort == "user":
            order += " desc" * reverse
        else:
            way = "asc" if reverse else "desc"
            order = f"case when k is null then 1 else 0 end, k {way}, {order}"
        text = (
            f"select * from ({text}) k order by {order}"
            f" {self._words.some(limit, offset)}"
        )
        return self._questions.question("a page of users", sql, text)

    def place(
        self,
        group: Group,
        selection: Selection,
        sort: UserColumn,
        search: str,
        user: str,
        *,
        reverse: bool,
    ) -> Question:
        """How many users come before one in the same list; 0 if they aren't in it."""
        sql = Sql(self._words)
        everyone = self._keyed(sql, group, selection, sort, search)
        own = self._keyed(sql, group._replace(user=user), selection, sort, search)
        a, b = self._ordered("a.u"), self._ordered("b.u")
        by_name = f"{a} < {b}"
        before = f"{b} < {a}" if sort == "user" and reverse else by_name
        if sort != "user":
            sign = "<" if reverse else ">"
            before = (
                f"a.k {sign} b.k or (a.k is not null and b.k is null)"
                f" or ((a.k = b.k or (a.k is null and b.k is null)) and {by_name})"
            )
        text = (
            f"select count(*) as n from ({everyone}) a cross join ({own}) b"
            f" where {before}"
        )
        return self._questions.question("a page of users", sql, text)

    def ranks(
        self, group: Group, selection: Selection, statistic: Statistic, user: str
    ) -> Question:
        """How many users have more than one, and as much, of all that ranks are of.

        The columns are ``present`` and ``known``, the numbers of users with sessions
        and with known durations, ``own_known``, how many known ones the user has, and
        for each field of ``Ranks`` those above and equal, as ``time_above``.
        All are 0 or NULL for a user without sessions.
        """
        sql = Sql(self._words)
        column: UserColumn = "time" if statistic == "average" else "median"
        probability = QUANTILES.get(statistic, 0.5)
        everyone = self._keyed(sql, group, selection, column, "", probability)
        one = group._replace(user=user)
        own = self._keyed(sql, one, selection, column, "", probability)
        mean = "case when {0}.known > 0 then {0}.quanta / {0}.known end"
        values = {
            "sessions": "{0}.sessions",
            "time": "case when {0}.known > 0 then {0}.quanta end",
            "statistic": mean if statistic == "average" else "{0}.k",
            "active_days": "{0}.days",
            "last": "{0}.last",
        }
        columns = [
            "count(*) as present",
            "sum(case when a.known > 0 then 1 else 0 end) as known",
            "max(b.known) as own_known",
        ]
        for name, value in values.items():
            for sign, how in ((">", "above"), ("=", "equal")):
                compared = f"{value.format('a')} {sign} {value.format('b')}"
                counted = f"sum(case when {compared} then 1 else 0 end)"
                columns.append(f"{counted} as {name}_{how}")
        text = f"select {', '.join(columns)} from ({everyone}) a cross join ({own}) b"
        return self._questions.question("ranks", sql, text)

    def _keyed(
        self,
        sql: Sql,
        group: Group,
        selection: Selection,
        sort: UserColumn,
        search: str,
        probability: float = 0.5,
    ) -> str:
        """The numbers of users whose name contains a text, with their key ``k``."""
        quantile = probability if sort == "median" else None
        users = self._by_user(sql, group, selection, search, quantile)
        key = _KEYS.get(sort, "0")
        columns = "u, sessions, known, quanta, days, last"
        return f"select {columns}, {key} as k from ({users}) v"

    def _by_user(
        self,
        sql: Sql,
        group: Group,
        selection: Selection,
        search: str = "",
        probability: float | None = None,
    ) -> str:
        conditions = [f"{self._questions.position(sql, search)} > 0"] if search else []
        selected = self._questions.selected(sql, group, selection, *conditions)
        day = self._words.divide("s", DAY)
        quanta = self._words.round(f"d * {number(1 / self._quantum)}")
        more = ""
        if probability is not None:
            more = f", {self._words.quantile('d', probability)} as q"
        return (
            "select u, count(*) as sessions, count(d) as known,"
            f" coalesce(sum({quanta}), 0) as quanta,"
            f" count(distinct {day}) as days, max(s) as last{more}"
            f" from {selected} group by u"
        )

    def _ordered(self, name: str) -> str:
        return f"{name}{self._words.by_bytes}"
