"""An engine for sessions that stay in a database."""

from collections.abc import Callable, Iterator
from datetime import tzinfo
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from engine.aggregates import Aggregates, make_tally
from engine.cache import Cache
from engine.columns import ColumnStore, sort_rows
from engine.cube import Cube
from engine.dimensions import DAY, CodedSelection
from engine.model import (
    BinEdges,
    Facts,
    NotInData,
    Paths,
    Ranks,
    Selection,
    Statistic,
    Story,
    Summary,
    Tally,
    UserColumn,
    UserPage,
)
from engine.paths import PathCounter
from engine.scan import scan
from engine.sparse import SparseCells
from engine.steps import path_query
from engine.story import find_part, sessions_in_order, tell_story
from engine.timezone import time_zone, to_instants, to_local
from engine.turns import current
from engine.warehouse.database import Database, Task
from engine.warehouse.groups import Batch, build_cube, local_times
from engine.warehouse.many_users import ManyUsers
from engine.warehouse.path_questions import PathQuestions
from engine.warehouse.paths import AskedPaths
from engine.warehouse.questions import Group, Question
from engine.warehouse.start import (
    USUAL,
    Limits,
    Start,
    Tell,
    begin,
    code_days,
    read_cells,
    read_days,
)
from engine.warehouse.table import MICROS, SessionTable
from engine.warehouse.user_questions import UserQuestions
from engine.warehouse.users import Asking, KnownUsers, UserLists
from schema import COLUMNS

_BYTES_A_ROW: Final = 42
"""Bytes that a session of a user takes at most, once more in the order of time."""

_NO_ROWS: Final = pa.table(
    {
        "p": pa.array([], pa.string()),
        "d": pa.array([], pa.float64()),
        "s": pa.array([], pa.int64()),
    }
)
"""An answer to ``Questions.user_rows`` for nobody."""


class WarehouseEngine:
    """An ``Engine`` over a table that stays in its database.

    *Shape.* At the start the database is asked for totals, for the pages, for sessions
    by page, day, bin and fine bin, for sessions by page, hour and bin, and for users.
    From these a cube is filled, so that everyone is answered from memory, whatever the
    filter and however many sessions there are. A user's sessions are asked for once,
    and counted here as ``MemoryEngine`` does; a user with more than two million has a
    cube of their own. The table of users, and ranks, are asked of the database.

    *Limits.* Everyone's quantiles are within 1 %. Sessions that begin after the newest
    at the start aren't counted; those that come late are in what is asked later alone.
    Where no row was unusable at first, one without a user that comes between the
    questions of the start counts for everyone until the table is read again.
    Pages are told apart as far as there is room: those of most sessions first.
    """

    def __init__(
        self,
        database: Database,
        table: SessionTable,
        timezone: str = "UTC",
        *,
        edges: BinEdges | None = None,
        limits: Limits = USUAL,
        tell: Tell = lambda *_: None,
    ) -> None:
        """Ask the questions of the start, each of which *tell* is told of.

        *timezone* and *edges* are as those of ``MemoryEngine``. Raises ValueError where
        there are no sessions, and CannotAnswer where the database fails.
        """
        self._zone = time_zone(timezone)
        self._database, self._limits = database, limits
        self._start = start = begin(database, table, self._zone, limits, edges, tell)
        self._facts = _find_facts(start, timezone, self._zone, table.visit_gap)
        asking = Asking(
            start.questions, start.group, start.coding.bins.quantum, self._ask
        )
        self._users: UserLists = (
            ManyUsers(asking, limits.cache_bytes)
            if start.users is None
            else KnownUsers(start.users, asking, limits.cache_bytes)
        )
        self._user_questions = UserQuestions(asking.questions, asking.quantum)
        self._named: Cache[str, int] = Cache(limits.cache_bytes)
        self._counters: Cache[Group, _Counter] = Cache(limits.cache_bytes)
        self._paths = AskedPaths(
            PathQuestions(start.questions, start.coding.bins.quantum, table.visit_gap),
            start.group,
            start.coding,
            start.page_coder,
            self._stream,
            limits.cache_bytes,
        )

    @property
    def start(self) -> Start:
        """What the questions of the start came to."""
        return self._start

    @property
    def facts(self) -> Facts:
        """What holds for all sessions."""
        return self._facts

    def has_user(self, name: str) -> bool:
        """Whether a session names this user."""
        return self._users.has(name)

    def has_page(self, name: str) -> bool:
        """Whether a session names this page."""
        return name in self._start.coding.dimensions.page_codes

    def find_users(self, text: str, limit: int) -> list[str]:
        """At most *limit* users whose name contains *text*, see ``Engine``."""
        return self._users.search(text, limit)

    def summarise(self, selection: Selection) -> Summary:
        """The numbers of everyone and of the selection's user."""
        dimensions, coded = self._start.coding.dimensions, self._check(selection)
        user = None
        if selection.user is not None:
            counter = self._counter(self._start.group._replace(user=selection.user))
            user = make_tally(counter.aggregate(coded), dimensions, exact=counter.exact)
        everyone = self._start.everyone.aggregate(coded)
        return Summary(
            facts=self._facts,
            selection=selection,
            everyone=make_tally(everyone, dimensions, exact=False),
            user=user,
        )

    def tally_named(self, text: str, selection: Selection) -> Tally:
        """The numbers of all users whose name contains *text*, see ``Engine``."""
        coded = self._start.coding.dimensions.encode(selection)
        if self._database.words.can_hold(text):
            counter = self._counter(self._start.group._replace(named=text))
        else:
            counter = self._count(self._store(Batch(_NO_ROWS)))
        return make_tally(
            counter.aggregate(coded),
            self._start.coding.dimensions,
            exact=counter.exact,
        )

    def count_named(self, text: str) -> int:
        """Number of all users whose name contains *text*, ignoring case."""
        if not self._database.words.can_hold(text):
            return 0
        question = self._user_questions.counts(self._start.group, Selection(), text)

        def ask() -> tuple[int, int]:
            n_users = Batch(self._ask(question)).integer("matching")
            return n_users, len(question.text)

        return self._named.get(text, ask)

    def is_named(self, text: str, user: str) -> bool:
        """Whether a user is one of those that ``tally_named`` and others count."""
        words = self._database.words
        if not (words.can_hold(text) and words.can_hold(user)):
            return False
        group = self._start.group._replace(user=user, named=text)
        question = self._start.questions.user_rows(group, 1)
        return bool(self._ask(question).num_rows)

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
        """One page of the users with selected sessions, see ``Engine``."""
        self._check(selection)
        return self._users.list_page(
            selection,
            search=search,
            sort=sort,
            reverse=reverse,
            page=page,
            page_size=page_size,
        )

    def ranks(self, selection: Selection, statistic: Statistic) -> Ranks | None:
        """The places of the selection's user; None where it names none."""
        self._check(selection)
        return self._users.ranks(selection, statistic)

    def sessions(self, selection: Selection, limit: int) -> Iterator[pd.DataFrame]:
        """The selected sessions themselves, at most *limit*, see ``Engine``."""
        self._check(selection)
        group = self._start.group._replace(user=selection.user)
        question = self._start.questions.sessions(group, selection, limit)
        return self._session_tables(question)

    def story(
        self, selection: Selection, *, page: int | None = None, page_size: int = 100
    ) -> Story | None:
        """A page of the sessions of the selection's user, see ``Engine``."""
        coded = self._check(selection)
        if selection.user is None:
            return None
        counter = self._counter(self._start.group._replace(user=selection.user))
        if counter.store is None:
            n_sessions = int(counter.aggregate(coded).sessions.sum())
            return self._ask_story(selection, n_sessions, page, page_size)
        return tell_story(
            self._start.coding.dimensions,
            counter.store.rows,
            coded,
            visit_gap=self._facts.visit_gap,
            page=page,
            page_size=page_size,
        )

    def paths(
        self,
        selection: Selection,
        page: str,
        ahead: tuple[str, ...] = (),
        back: tuple[str, ...] = (),
    ) -> Paths:
        """What comes after and before the selected sessions on a page, see ``Engine``.

        The first answer about everyone is asked of the database, and takes as long as
        putting all sessions into the order of users and time does there.
        """
        coded = self._check(selection)._replace(pages=None)
        codes = self._start.coding.dimensions.page_codes
        query = path_query(codes, page, ahead, back)
        user = None
        if selection.user is not None:
            counter = self._counter(self._start.group._replace(user=selection.user))
            user = (
                self._paths.count(selection.user, selection, coded, query)
                if counter.paths is None
                else counter.paths.count(0, coded, query)
            )
        return Paths(
            facts=self._facts,
            selection=selection,
            page=page,
            ahead=ahead,
            back=back,
            everyone=self._paths.count(None, selection, coded, query),
            user=user,
        )

    def close(self) -> None:
        """End the connection to the database."""
        self._database.close()

    def _session_tables(self, question: Question) -> Iterator[pd.DataFrame]:
        task = Task(question.about, self._limits.timeout)
        for batch in self._database.stream(question, task):
            # Whoever takes the rows may be slow.
            task.go_on()
            column = Batch(batch)
            if not batch.num_rows:
                continue
            times = local_times(column.integers("s")).astype("datetime64[us]")
            micros = column.integers("m").astype("timedelta64[us]")
            columns = (
                column.text("u").to_pandas(),
                column.text("p").to_pandas(),
                column.doubles("d", np.nan),
                to_instants(times + micros, self._zone),
            )
            yield pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))

    def _ask_story(
        self, selection: Selection, n_sessions: int, page: int | None, page_size: int
    ) -> Story:
        """The story of a user of too many sessions to hold: the database sorts them."""
        part = find_part(n_sessions, page, page_size)
        if not n_sessions:
            return Story([], part.page, part.n_pages, 0, None)
        # The one before the first that is shown says how long the pause was.
        before = max(part.first - 1, 0)
        group = self._start.group._replace(user=selection.user)
        question = self._start.questions.ordered_rows(
            group, selection, part.end - before, before
        )
        answer = Batch(self._ask(question))
        sessions = sessions_in_order(
            answer.text("p").to_pylist(),
            local_times(answer.integers("s")).astype(np.int64),
            answer.doubles("d", np.nan),
        )
        sessions = sessions[part.first - before :]
        return Story(sessions, part.page, part.n_pages, n_sessions, None)

    def _ask(self, question: Question) -> pa.Table:
        task = Task(question.about, self._limits.timeout)
        with current.get().ending(task.cancel):
            return self._database.ask(question, task)

    def _stream(self, question: Question) -> Iterator[pa.RecordBatch]:
        task = Task(question.about, self._limits.timeout)
        with current.get().ending(task.cancel):
            yield from self._database.stream(question, task)

    def _check(self, selection: Selection) -> CodedSelection:
        """The codes of a selection; raises NotInData as ``Engine`` says."""
        if selection.user is not None and not self.has_user(selection.user):
            raise NotInData(f"no session has the user {selection.user!r}")
        return self._start.coding.dimensions.encode(selection)

    def _counter(self, group: Group) -> "_Counter":
        return self._counters.get(group, lambda: self._make_counter(group))

    def _make_counter(self, group: Group) -> tuple["_Counter", int]:
        """What counts a group's sessions, and about how many bytes it takes."""
        start, limits = self._start, self._limits
        question = start.questions.user_rows(group, limits.max_user_rows + 1)
        answer = self._ask(question)
        if answer.num_rows <= limits.max_user_rows:
            store = self._store(Batch(answer))
            return self._count(store), _BYTES_A_ROW * store.n_sessions
        frame, bins = start.coding.frame, start.coding.bins
        days = self._ask(start.questions.sketch(group, frame)).to_batches()
        cells = self._ask(start.questions.cells(group, frame, bins)).to_batches()
        cube = build_cube(
            start.coding,
            read_days(days, start.page_coder, start.coding),
            read_cells(cells, start.page_coder, start.coding),
        )
        if isinstance(cube, SparseCells):
            n_bytes = cube.n_bytes
        else:
            n_bytes = Cube.estimate_bytes(start.coding.dimensions.shape)
        return _Counter(cube.aggregate, None, None), n_bytes

    def _count(self, store: ColumnStore) -> "_Counter":
        limits = self._limits
        paths = PathCounter(
            store,
            self._facts.visit_gap,
            max_ordered=limits.max_user_rows,
            max_bytes=limits.cache_bytes,
        )
        return _Counter(lambda coded: scan(store, store.rows, coded), store, paths)

    def _store(self, answer: Batch) -> ColumnStore:
        """The sessions in an answer to ``Questions.user_rows``."""
        coding = self._start.coding
        day, second = np.divmod(answer.integers("s"), DAY)
        day = code_days(day, coding.dimensions)
        page = self._start.page_coder.encode(answer.text("p"))
        # What came since the start may have a day or a page that isn't known.
        kept = np.flatnonzero((day >= 0) & (page >= 0))
        rows = sort_rows(
            coding.dimensions,
            page[kept],
            answer.doubles("d", -1)[kept],
            (day * DAY + second)[kept],
        )
        return ColumnStore(
            # Whose they are is known to who asks.
            users=pd.Index([""], dtype="str"),
            dimensions=coding.dimensions,
            rows=rows,
            offsets=np.array([0, len(kept)]),
            quantum=coding.bins.quantum,
            provisional_mean=coding.bins.mean,
            block_rows=coding.block_rows,
        )


class _Counter(NamedTuple):
    """Counts the sessions of a user, or of some."""

    aggregate: Callable[[CodedSelection], Aggregates]
    store: ColumnStore | None
    """Their sessions; None where they are too many to hold."""
    paths: PathCounter | None
    """What counts paths; None where the database does."""

    @property
    def exact(self) -> bool:
        """Whether its quantiles are exact."""
        return self.store is not None


def _find_facts(start: Start, timezone: str, zone: tzinfo, visit_gap: float) -> Facts:
    dimensions = start.coding.dimensions
    everyone = start.everyone.aggregate(dimensions.encode(Selection()))
    ends = np.array([start.totals.first, start.totals.last]) // MICROS
    first, last = to_local(ends.astype("datetime64[s]"), zone)
    return Facts(
        timezone=timezone,
        pages=tuple(dimensions.pages),
        days=dimensions.days,
        edges=dimensions.edges,
        first=pd.Timestamp(first),
        last=pd.Timestamp(last),
        n_users=start.n_users,
        n_sessions=int(everyone.sessions.sum()),
        n_unknown=int(everyone.unknown.sum()),
        visit_gap=visit_gap,
    )
