"""The questions about what comes after and before sessions on a page."""

from dataclasses import replace

from engine.dimensions import DAY
from engine.model import Selection
from engine.warehouse.questions import Frame, Group, Question, Questions
from engine.warehouse.words import Sql, number


class PathQuestions:
    """Writes questions about what comes after (1) or before (-1) each session.

    In answers ``a1`` is the page one step away, or its index in ``Frame.coded``, and
    NULL where the visit ends; of ``n`` sessions ``known1`` have a known duration there,
    which come to ``quanta1``; likewise ``a2`` and ``a3``.
    """

    def __init__(self, questions: Questions, quantum: float, visit_gap: float) -> None:
        """*visit_gap* is in seconds, see ``Facts``."""
        self._questions, self._words = questions, questions.words
        self._quantum, self._visit_gap = quantum, visit_gap

    def cells(
        self, group: Group, selection: Selection, frame: Frame, sign: int, n_steps: int
    ) -> Question:
        """Chains of so many steps by day, from each page, ``a0``.

        Days count from ``frame.day``.
        """
        sql = Sql(self._words)
        pages = self._linked(sign, n_steps)
        day = f"{self._words.divide('s', DAY)} - {frame.day}"
        first = f"p as a0, cast({day} as {self._words.middle}) as day"
        text = self._counted(sql, group, selection, frame, sign, pages, first)
        return self._questions.question("what comes next", sql, text)

    def chain(
        self,
        group: Group,
        selection: Selection,
        frame: Frame,
        sign: int,
        page: str,
        chain: tuple[str, ...],
    ) -> Question:
        """Where sessions on a page go along a chain.

        ``a2`` is NULL as well where ``a1`` isn't the first page of the chain; likewise
        ``a3``.
        """
        sql = Sql(self._words)

        def of(name: str, at: str) -> str:
            code = frame.coded.index(name) if frame.coded else sql.bind(name)
            return f"{at} = {code}"

        pages = self._linked(sign, len(chain) + 1)
        along = [of(name, f"p{step}") for step, name in enumerate(chain, 1)]
        for step in range(1, len(pages)):
            conditions = " and ".join(along[:step])
            pages[step] = f"case when {conditions} then {pages[step]} end"
        text = self._counted(
            sql, group, selection, frame, sign, pages, "", of(page, "p")
        )
        return self._questions.question("what comes next", sql, text)

    def _linked(self, sign: int, n_steps: int) -> list[str]:
        """The page of each step, NULL where the visit ends before it."""
        conditions: list[str] = []
        pages = []
        for step in range(1, n_steps + 1):
            # Of two sessions, the end of the first and the start of the second.
            one, two = ("" if step == 1 else str(step - 1)), str(step)
            first, second = (one, two) if sign > 0 else (two, one)
            pause = f"s{second} - s{first} - coalesce(d{first}, {number(0)})"
            conditions.append(f"{pause} <= {number(self._visit_gap)}")
            pages.append(f"case when {' and '.join(conditions)} then p{step} end")
        return pages

    def _counted(
        self,
        sql: Sql,
        group: Group,
        selection: Selection,
        frame: Frame,
        sign: int,
        pages: list[str],
        first: str,
        *conditions: str,
    ) -> str:
        """The numbers of sessions by *first* and *pages*, with their sums."""
        steps = range(1, len(pages) + 1)
        around = self._around(sql, group, frame, sign, len(pages))
        filters = self._questions.filters(sql, replace(selection, pages=()))
        where = " and ".join([*filters, *conditions])
        columns = [first] if first else []
        for step, page in zip(steps, pages, strict=True):
            columns += [f"{page} as a{step}", f"d{step}"]
        text = f"select {', '.join(columns)} from ({around}) v"
        text += f" where {where}" if where else ""
        by = [*(["a0", "day"] if first else []), *(f"a{step}" for step in steps)]
        sums = ["count(*) as n"]
        for step in steps:
            known = f"case when a{step} is not null then d{step} end"
            quanta = self._words.round(f"{known} * {number(1 / self._quantum)}")
            sums.append(f"count({known}) as known{step}")
            sums.append(f"coalesce(sum({quanta}), 0) as quanta{step}")
        return (
            f"select {', '.join([*by, *sums])} from ({text}) z group by {', '.join(by)}"
        )

    def _around(
        self, sql: Sql, group: Group, frame: Frame, sign: int, n_steps: int
    ) -> str:
        """All sessions, each beside those that follow it, or that it follows."""
        words = self._words
        page = self._questions.coded(sql, frame)
        sessions = self._questions.sessions_of(sql, group)
        text = f"select u, {page} as p, d, s from ({sessions}) y"
        by_bytes = "" if frame.coded else words.by_bytes
        order = (
            f"over (partition by u order by s, p{by_bytes},"
            " case when d is null then 0 else 1 end, d)"
        )
        kinds = {
            "p": words.small if frame.coded else words.text,
            "d": words.double,
            "s": words.integer,
        }
        way = "lead" if sign > 0 else "lag"
        columns = [
            f"{way}(cast({name} as {kind}), {step}) {order} as {name}{step}"
            for step in range(1, n_steps + 1)
            for name, kind in kinds.items()
        ]
        return f"select p, d, s, {', '.join(columns)} from ({text}) w"
