"""What a database is asked at the start, from which everyone is answered in memory."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.bins import check_edges, choose_edges
from engine.columns import choose_quantum
from engine.cube import Cells, Cube, SketchedCube
from engine.dimensions import DAY, HOURS, Dimensions, Shape
from engine.model import BinEdges
from engine.sparse import BYTES_A_SESSION, SparseCells
from engine.timezone import time_zone, to_local
from engine.users import Users
from engine.warehouse.database import Database, Task
from engine.warehouse.groups import (
    FIRST_DAY,
    Batch,
    Coding,
    FineDays,
    PageCoder,
    build_cube,
    is_blank,
    read_fine_days,
)
from engine.warehouse.questions import (
    Bins,
    Frame,
    Group,
    Question,
    Questions,
    fine_edges,
)
from engine.warehouse.table import MICROS, REASONS, YEAR_1, SessionTable
from engine.warehouse.zones import Changes, changes

Tell = Callable[[str, int], object]
"""Is told which question begins, in words, and how many were asked before."""

_FINE_BINS: Final = 1_200
"""Fine bins up to half an hour."""

_FEW_PAGES: Final = 64
"""With more pages, these are looked up by what groups them, not by comparing."""

_BYTES_A_NAME: Final = 1_000
"""Bytes that a page takes besides its sessions, at most for names of usual length."""

_MANY_DAYS: Final = 10 * 366
"""A range of more days may well be mostly of days without sessions."""


@dataclass(frozen=True)
class Limits:
    """How much an engine over a database may hold, and wait for."""

    max_users: int = 1_000_000
    """With more users, the database is asked for every list of them."""
    max_user_rows: int = 2_000_000
    """A user with more sessions is counted from cells, not from rows."""
    max_pages: int | None = None
    """Pages that are told apart; None for as many as ``cube_bytes`` have room for.

    Where sessions are so few that each may have a cell of its own, these are all.
    """
    cube_bytes: int = 1 << 30
    """Bytes that counts by page, day and duration may take."""
    cache_bytes: int = 1 << 28
    """Bytes that the last users, and answers about all users, may take."""
    timeout: float | None = 60.0
    """Seconds that a question of a person may take."""
    block_rows: int = 1 << 17
    """Rows that are worked on at once."""


class NoSessions(ValueError):
    """The table has no usable row."""


USUAL: Final = Limits()
"""The limits where nothing else is said."""


class Totals(NamedTuple):
    """What all rows come to."""

    left_out: dict[str, int]
    """Number of rows that can't be used, by the reason."""
    n_sessions: int
    n_unknown: int
    """Number of sessions whose duration is unknown."""
    first: int
    """The first start, in microseconds since 1970."""
    last: int
    longest: float
    """The longest duration, in seconds; 0 where none is known."""
    seconds: float
    """Sum of the durations."""
    least: NDArray[np.float64]
    """(fine bins,): the shortest duration in each fine bin, in seconds."""
    greatest: NDArray[np.float64]
    """(fine bins,): the longest duration in each."""
    percentile_95: float
    """Of the known durations, in seconds, within 1 %; 0 where none is known."""
    median: float


class Start(NamedTuple):
    """What the questions of the start came to."""

    totals: Totals
    coding: Coding
    everyone: SketchedCube | SparseCells
    group: Group
    """All sessions that there were at the start."""
    questions: Questions
    """What can be asked later."""
    page_coder: PageCoder
    others: str | None
    """What the pages are named for which there is no room; None where there is."""
    users: Users | None
    """None where they are too many."""
    n_users: int


def begin(
    database: Database,
    table: SessionTable,
    zone: tzinfo,
    limits: Limits,
    edges: BinEdges | None,
    tell: Tell,
) -> Start:
    """Ask the questions of the start; raises NoSessions where there are none."""
    ask = _Asker(database, tell)
    totals, clocks = _ask_totals(ask, database, table, zone)
    # What comes since then may be unusable. It is left out by what is read anyway, and
    # later questions look at each row again.
    group = Group(until=totals.last, are_usable=not totals.left_out)
    bins, edges = _choose_bins(totals, edges)

    questions = Questions(table, database.words, clocks)
    n_days = _count_days(ask, questions, group, totals)
    dense = _room_for_pages(n_days, bins, limits)
    room = limits.max_pages
    if room is None:
        room = max(dense, _room_for_cells(totals, limits))
    found = Batch(ask.whole(questions.pages(group, room + 1))).text("p").to_pylist()
    names = [name for name in found if not is_blank(name)]
    others = None
    if len(found) > room:
        most = min(max(room - 1, 0), database.words.most_kept)
        kept, others = tuple(names[:most]), _other_name(names)
        questions = Questions(table, database.words, clocks, kept, others)
        names = [*kept, others]
    pages = sorted(names)
    coder = PageCoder(pages, others)

    first = int(to_local(_seconds(totals.first), zone)[0].astype(np.int64)) - YEAR_1
    frame = Frame(first // DAY, tuple(pages) if len(pages) <= _FEW_PAGES else ())
    days = read_fine_days(ask.parts(questions.sketch(group, frame)), coder)
    dimensions, days = _code_days(days, pages, frame, edges)
    coding = Coding(
        dimensions,
        bins,
        totals.least,
        totals.greatest,
        frame,
        limits.block_rows,
        is_sparse=len(pages) > dense,
    )
    cells = ask.parts(questions.cells(group, frame, bins))
    everyone = build_cube(coding, days, read_cells(cells, coder, coding))
    users, n_users = _find_users(ask, questions, group, limits)
    return Start(
        totals,
        coding,
        everyone,
        group._replace(are_usable=False),
        questions,
        coder,
        others,
        users,
        n_users,
    )


class Expected(NamedTuple):
    """What the start will have to do."""

    totals: Totals
    n_pages: int
    n_days: int
    """Days from the first to the last."""
    n_cells: int
    """The most rows that its answers may have."""


def expect(database: Database, table: SessionTable, timezone: str) -> Expected:
    """Ask for totals and pages; raises NoSessions where there are none."""
    ask = _Asker(database, lambda *_: None)
    totals, clocks = _ask_totals(ask, database, table, time_zone(timezone))
    group, (bins, _) = Group(until=totals.last), _choose_bins(totals, None)
    questions = Questions(table, database.words, clocks)
    n_pages = Batch(ask.whole(questions.count_pages(group))).integer("n")
    n_days = (totals.last - totals.first) // (MICROS * DAY) + 1
    places = n_pages * n_days
    n_hours = min(totals.n_sessions, places * HOURS * (len(bins.edges) + 1))
    n_fine = min(totals.n_sessions, places * _FINE_BINS)
    return Expected(totals, n_pages, n_days, n_hours + n_fine)


class _Asker:
    """Asks the questions of the start, which may take long."""

    def __init__(self, database: Database, tell: Tell) -> None:
        self._database, self._tell = database, tell
        self._n_asked = 0

    def whole(self, question: Question) -> pa.Table:
        return self._database.ask(question, self._begin(question))

    def parts(self, question: Question) -> Iterator[pa.RecordBatch]:
        yield from self._database.stream(question, self._begin(question))

    def _begin(self, question: Question) -> Task:
        self._tell(question.about, self._n_asked)
        self._n_asked += 1
        return Task(question.about)


def _ask_totals(
    ask: _Asker, database: Database, table: SessionTable, zone: tzinfo
) -> tuple[Totals, Changes]:
    """The totals, and the changes of a zone's clocks between first and last."""
    totals = read_totals(ask.whole(Questions(table, database.words).totals()))
    return totals, changes(zone, totals.first // MICROS, totals.last // MICROS)


def read_totals(answer: pa.Table) -> Totals:
    """Read the answer to ``Questions.totals``; raises NoSessions without any."""
    column = Batch(answer)
    reason, n = column.integers("r"), column.integers("n")
    left_out = {
        words: int(n[reason == code].sum())
        for code, words in enumerate(REASONS, 1)
        if (reason == code).any()
    }
    used = reason == 0
    if not used.any():
        raise NoSessions("there are no sessions")
    fine = column.integers("f", -1)
    known = used & (fine >= 0)
    order = np.argsort(fine[known])
    least, greatest = column.doubles("least")[known], column.doubles("greatest")[known]
    values = (least + greatest)[order] / 2
    counts = n[known][order]
    return Totals(
        left_out=left_out,
        n_sessions=int(n[used].sum()),
        n_unknown=int(n[used & (fine < 0)].sum()),
        first=int(column.integers("first")[used].min()),
        last=int(column.integers("last")[used].max()),
        longest=float(greatest.max(initial=0)),
        seconds=float(column.doubles("seconds")[known].sum()),
        least=_by_fine_bin(fine[known], least),
        greatest=_by_fine_bin(fine[known], greatest),
        percentile_95=_quantile(values, counts, 0.95),
        median=_quantile(values, counts, 0.5),
    )


def _by_fine_bin(
    fine: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    # What comes late may be where nothing was: an edge is within 1 % of it.
    found = fine_edges(int(fine.max(initial=0)) + 1)
    found[fine] = values
    return found


def _quantile(
    values: NDArray[np.float64], counts: NDArray[np.int64], probability: float
) -> float:
    """A quantile of sorted values, each of which occurs so often; 0 of nothing."""
    n = int(counts.sum())
    if not n:
        return 0.0
    position = probability * (n - 1)
    ends = np.cumsum(counts)
    low, high = (
        float(values[np.searchsorted(ends, rank, side="right")])
        for rank in (math.floor(position), math.ceil(position))
    )
    return low + (position - math.floor(position)) * (high - low)


def _choose_bins(totals: Totals, edges: BinEdges | None) -> tuple[Bins, BinEdges]:
    if edges is None:
        edges = choose_edges(totals.percentile_95, totals.longest)
    else:
        check_edges(edges, totals.longest)
    quantum, mean = choose_quantum(totals.seconds), float(round(totals.median))
    return Bins.of(edges, mean, quantum), edges


def _count_days(ask: _Asker, questions: Questions, group: Group, totals: Totals) -> int:
    """How many days have sessions, at most."""
    n_days = (totals.last - totals.first) // (MICROS * DAY) + 2
    if n_days > _MANY_DAYS:
        # A single wrong time may be far from all others.
        n_days = Batch(ask.whole(questions.count_days(group))).integer("n")
    return n_days


def _room_for_cells(totals: Totals, limits: Limits) -> int:
    """How many pages can be told apart where each session may have its own cell."""
    if totals.n_sessions * BYTES_A_SESSION > limits.cube_bytes:
        return 0
    return limits.cube_bytes // _BYTES_A_NAME


def _room_for_pages(n_days: int, bins: Bins, limits: Limits) -> int:
    """How many pages can have a place for each day and bin."""
    shape = Shape(n_days, 1, len(bins.edges) + 1)
    # A fine bin takes 4 bytes a day in the sketch.
    bytes_a_page = Cube.estimate_bytes(shape) + 4 * n_days * _FINE_BINS
    return max(limits.cube_bytes // bytes_a_page, 1)


def _other_name(names: Iterable[str]) -> str:
    """A name for the pages for which there is no room, which no page has."""
    name, taken = "(other pages)", set(names)
    while name in taken:
        name = f"({name})"
    return name


def _code_days(
    parts: list[FineDays], pages: list[str], frame: Frame, edges: BinEdges
) -> tuple[Dimensions, list[FineDays]]:
    """The dimensions, and the parts with the codes of their days."""
    numbers = np.unique(np.concatenate([part.day for part in parts])).astype(np.int64)
    dimensions = Dimensions(
        pd.Index(pages, dtype="str"), FIRST_DAY + (numbers + frame.day), edges
    )
    return dimensions, [_with_day_codes(part, dimensions, frame) for part in parts]


def read_days(
    batches: Iterable[pa.RecordBatch], pages: PageCoder, coding: Coding
) -> list[FineDays]:
    """Read an answer to ``Questions.sketch``, but for days that came since."""
    parts = read_fine_days(batches, pages)
    return [_with_day_codes(part, coding.dimensions, coding.frame) for part in parts]


def _with_day_codes(part: FineDays, dimensions: Dimensions, frame: Frame) -> FineDays:
    codes = code_days(part.day.astype(np.int64) + frame.day, dimensions)
    return part._replace(day=codes.astype(np.int32)).take(codes >= 0)


def code_days(numbers: NDArray[np.int64], dimensions: Dimensions) -> NDArray[np.int64]:
    """The codes of days that are numbered from the year 1 on; -1 for other days."""
    days = FIRST_DAY + numbers
    codes = np.minimum(np.searchsorted(dimensions.days, days), len(dimensions.days) - 1)
    return np.where(dimensions.days[codes] == days, codes, -1)


def read_cells(
    batches: Iterable[pa.RecordBatch], pages: PageCoder, coding: Coding
) -> Iterator[Cells]:
    """Read an answer to ``Questions.cells``, part by part."""
    for batch in batches:
        column = Batch(batch)
        day, hour = np.divmod(column.integers("hour"), HOURS)
        day = code_days(day + coding.frame.day, coding.dimensions)
        page = pages.encode(column.names("c"))
        bins = column.integers("b")
        kept = np.flatnonzero((day >= 0) & (page >= 0) & (bins >= 0))
        quanta = column.doubles("quanta")[kept]
        yield Cells(
            page=page[kept],
            bin=bins[kept],
            hour=(day * HOURS + hour)[kept],
            n=column.integers("n")[kept].astype(np.uint32),
            seconds=quanta * np.float64(coding.bins.quantum),
            squared_deviations=column.doubles("squares")[kept],
            last=(hour * 3_600 + column.integers("last"))[kept].astype(np.uint32),
        )


def _seconds(micros: int) -> NDArray[np.datetime64]:
    return np.array([micros // MICROS]).astype("datetime64[s]")


def _find_users(
    ask: _Asker, questions: Questions, group: Group, limits: Limits
) -> tuple[Users | None, int]:
    answer = Batch(ask.whole(questions.users(group, limits.max_users + 1)))
    found = answer.text("u")
    is_name = pc.fill_null(pc.not_equal(pc.utf8_trim(found, " "), ""), False)
    names = pd.Index(found.filter(is_name).to_pandas(), dtype="str")
    if len(found) > limits.max_users:
        return None, Batch(ask.whole(questions.count_users(group))).integer("n")
    n_sessions = answer.integers("n")[is_name.to_numpy(zero_copy_only=False)]
    order = names.argsort()
    return Users(names[order], n_sessions[order]), len(names)
