"""What comes after and before sessions on a page, asked of a database."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.cache import Cache
from engine.dimensions import CodedSelection
from engine.model import MOST_STEPS, PathCounts, Selection
from engine.path_cells import PathCells
from engine.steps import PathQuery, path_step
from engine.warehouse.groups import Batch, Coding, PageCoder
from engine.warehouse.path_questions import PathQuestions
from engine.warehouse.questions import Group, Question
from engine.warehouse.start import code_days

_BYTES_A_ROW: Final = 40
"""Bytes that a row of a small answer takes, about."""


class AskedPaths:
    """Asks once for everyone's chains of pages by day; these then answer any question.

    Where there are so many pages and days that they don't fit, and for users with too
    many sessions to hold, each question is asked of the database. The last answers are
    kept.
    """

    def __init__(
        self,
        questions: PathQuestions,
        group: Group,
        coding: Coding,
        coder: PageCoder,
        stream: Callable[[Question], Iterable[pa.RecordBatch]],
        cache_bytes: int,
    ) -> None:
        """*group* are all sessions; cells and answers take up to so many bytes each."""
        self._questions, self._group = questions, group
        self._coding, self._coder = coding, coder
        self._stream, self._max_bytes = stream, cache_bytes
        self._cells: Cache[Selection, PathCells] = Cache(cache_bytes)
        self._answers: Cache[object, PathCounts] = Cache(cache_bytes // 8)

    def count(
        self,
        user: str | None,
        selection: Selection,
        coded: CodedSelection,
        query: PathQuery,
    ) -> PathCounts:
        """Count for the dates and durations of a selection, for a user or everyone."""
        durations = Selection(shortest=selection.shortest, longest=selection.longest)
        if user is None:
            cells = self._cells.get(durations, lambda: self._ask_cells(durations))
            if (answer := cells.count(coded, query)) is not None:
                return answer
        asked = replace(selection, user=user, pages=())
        key = (asked, query)
        return self._answers.get(key, lambda: self._ask(asked, query))

    def _ask_cells(self, selection: Selection) -> tuple[PathCells, int]:
        cells = PathCells(self._coding.dimensions, self._max_bytes)
        if not cells.n_steps:
            return cells, 1
        for sign in (1, -1):
            question = self._questions.cells(
                self._group, selection, self._coding.frame, sign, cells.n_steps
            )
            for answer in self._read(question, cells.n_steps):
                self._add(cells, answer, sign)
        return cells, cells.n_bytes

    def _add(self, cells: PathCells, answer: "_Answer", sign: int) -> None:
        n_pages = len(self._coding.dimensions.pages)
        day = code_days(answer.day + self._coding.frame.day, self._coding.dimensions)
        kept = (day >= 0) & (answer.page >= 0)
        chain = answer.page
        for number, step in enumerate(answer.steps):
            last = np.where(step.page >= 0, step.page, n_pages)
            n, unknown = answer.n[kept], (answer.n - step.known)[kept]
            cells.add(
                *(sign, number, (chain * (n_pages + 1) + last)[kept], day[kept]),
                *(unknown, step.seconds[kept], n),
            )
            chain = chain * n_pages + step.page
            kept = kept & (step.page >= 0)

    def _ask(self, selection: Selection, query: PathQuery) -> tuple[PathCounts, int]:
        n_pages, ways = len(self._coding.dimensions.pages), []
        names = self._coding.dimensions.pages
        group = self._group._replace(user=selection.user)
        for sign in (1, -1):
            chain = query.chain(sign)
            question = self._questions.chain(
                *(group, selection, self._coding.frame, sign),
                *(names[query.page], tuple(names[page] for page in chain)),
            )
            sums = np.zeros((len(chain) + 1, 3, n_pages + 1))
            for answer in self._read(question, len(chain) + 1):
                kept = np.ones(len(answer.n), bool)
                for number, step in enumerate(answer.steps):
                    page = np.where(step.page >= 0, step.page, n_pages)[kept]
                    for total, column in zip(
                        sums[number], (answer.n, step.known, step.seconds), strict=True
                    ):
                        np.add.at(total, page, column[kept])
                    if number < len(chain):
                        kept = kept & (step.page == chain[number])
            ways.append(
                tuple(
                    path_step(
                        n[:-1].astype(np.int64),
                        (n - known)[:-1].astype(np.int64),
                        seconds[:-1].copy(),
                        int(n[-1]),
                    )
                    for n, known, seconds in sums
                )
            )
        return PathCounts(*ways), _BYTES_A_ROW * n_pages * 2 * MOST_STEPS

    def _read(self, question: Question, n_steps: int) -> Iterator["_Answer"]:
        for batch in self._stream(question):
            column = Batch(batch)
            n_rows = batch.num_rows
            has_cells = "day" in batch.schema.names
            nothing = np.zeros(n_rows, np.int64)
            yield _Answer(
                day=column.integers("day") if has_cells else nothing,
                page=self._codes(column.names("a0")) if has_cells else nothing,
                n=column.integers("n"),
                steps=[
                    _Step(
                        self._codes(column.names(f"a{number}")),
                        column.integers(f"known{number}"),
                        column.doubles(f"quanta{number}")
                        * np.float64(self._coding.bins.quantum),
                    )
                    for number in range(1, n_steps + 1)
                ],
            )

    def _codes(self, column: pa.Array) -> NDArray[np.int64]:
        """The codes of pages; -1 where there is none."""
        if pa.types.is_integer(column.type):
            return self._coder.encode(column).astype(np.int64)
        is_null = column.is_null().to_numpy(zero_copy_only=False)
        codes = self._coder.encode(column.fill_null("")).astype(np.int64)
        return np.where(is_null, -1, codes)


class _Step(NamedTuple):
    """One step of an answer's rows."""

    page: NDArray[np.int64]
    """Code of the page; -1 where there is no such step."""
    known: NDArray[np.int64]
    seconds: NDArray[np.float64]


class _Answer(NamedTuple):
    """A part of an answer to a question of ``PathQuestions``."""

    day: NDArray[np.int64]
    """Days since ``Frame.day``."""
    page: NDArray[np.int64]
    """Code of the page in the middle."""
    n: NDArray[np.int64]
    steps: list[_Step]
