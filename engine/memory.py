"""An engine for sessions that are held in this process."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from threading import Lock

import numpy as np
import pandas as pd

from engine.aggregates import Aggregates, make_tally
from engine.by_time import rows_by_time
from engine.by_user import BYTES_PER_USER, ByUser, aggregate_by_user
from engine.columns import ColumnStore, Rows, build_column_store
from engine.cube import Cube, ExactCube, sketch_rows
from engine.dimensions import CodedSelection
from engine.freed import release_freed_memory
from engine.model import (
    BinEdges,
    Facts,
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
from engine.steps import path_query
from engine.story import tell_story
from engine.timezone import time_zone, to_instants
from engine.users import Users, rank_user
from schema import COLUMNS, VISIT_GAP


@dataclass(frozen=True)
class Counting:
    """When a ``MemoryEngine`` counts which way, and how much memory it may take.

    The defaults are chosen by measurement; ``benchmarks/scale.py`` repeats it.
    """

    min_sessions_per_page: int = 1_000
    """With fewer sessions per page, everyone's answers scan rows, not a cube."""
    max_exact_sessions: int = 1 << 20
    """With more sessions, a cube of everyone sketches quantiles."""
    max_scanned_sessions: int = 2_000_000
    """A user with more sessions has a cube of their own, if there is room for it."""
    cube_bytes: int = 1 << 27
    """Bytes that the cube of everyone may take however few the sessions are."""
    cube_bytes_per_session: int = 16
    """Bytes that any cube may take for each session in it."""
    min_prepared_sessions: int = 1 << 15
    """With at least so many sessions, a user's unfiltered answer is prepared."""
    cache_bytes: int = 1 << 26
    """Bytes that the last answers about all users may take; one is always kept."""
    max_cached_answers: int = 64
    """Number of answers about all users that are kept at most."""
    max_ordered_sessions: int = 1 << 19
    """With more sessions, what comes before and after them is counted in cells."""
    path_bytes: int = 1 << 28
    """Bytes that everyone's such cells, others, and sessions in order may each take."""
    block_rows: int = 1 << 17
    """Rows that are worked on at once: few enough for the processor's cache."""


class MemoryEngine:
    """An ``Engine`` over sessions that are arranged once and held in memory.

    *Shape.* Sessions are in narrow columns sorted by user, page and duration
    (``columns.ColumnStore``). A user is one slice, in which a median is a look-up, and
    an answer about them is a scan of that slice (``scan``). Everyone, and users with
    more than two million sessions, have a cube (``cube.Cube``): prefix sums by page,
    bin and day, from which any filter is read as a difference. Everyone's quantiles are
    exact up to a million sessions, from a copy of the rows sorted by page; beyond, a
    sketch has them within 1 %.

    *Why.* A dashboard asks the same few questions about ever other filters. Asked of
    the rows, they cost what the sessions are many; asked of a cube, what its cells are.

    *Costs.* Building takes about 0.1 µs a session. A session takes 10 bytes where there
    are at most 256 pages and durations are exact in 32 bits, a user about 90 bytes with
    the name, the cube of 10 pages and a year 10 to 15 MB, and the sketch another 20 MB.
    Everyone's answer takes a millisecond or two at any number of sessions, a user's
    about 10 ns for each of their sessions (20 with filters), and one about all users
    some 20 ns for each session; the last of these are kept.

    *Limits.* A cube grows with pages times days. With fewer than 1,000 sessions a page,
    or where a cube would take more than 128 MB and more than 16 bytes a session,
    everyone's answers scan a copy of all rows: exact, in about 20 ns each. ``Counting``
    has these numbers.

    An instance never changes, so that threads may share it.
    """

    def __init__(
        self,
        sessions: pd.DataFrame | Iterable[pd.DataFrame],
        timezone: str = "UTC",
        *,
        edges: BinEdges | None = None,
        counting: Counting = Counting(),
        visit_gap: float = VISIT_GAP,
    ) -> None:
        """Arrange *sessions*, one table or a stream of tables as ``schema`` has them.

        Tables are not changed, and one of a stream can be forgotten once the next is
        asked for. Times are kept to the second. Days, hours and times in answers are
        what clocks show in *timezone*, an IANA name such as Europe/Berlin. The hour
        that clocks show twice in autumn is one hour with the sessions of both, and
        clocks that would leave the years 1 to 9999 stop there. Without *edges* the
        bins are chosen from the data. After a pause of more than *visit_gap* seconds a
        user's next session is another visit.

        Raises ValueError where there are no sessions, a table isn't as ``schema`` says,
        *timezone* isn't known or *edges* don't hold all durations.
        """
        self._zone = time_zone(timezone)
        tables = [sessions] if isinstance(sessions, pd.DataFrame) else sessions
        self._store = store = build_column_store(
            tables, self._zone, edges=edges, block_rows=counting.block_rows
        )
        self._users = Users(store.users, np.diff(store.offsets))
        # None of these refers to the engine: in a cycle of references it would be in
        # memory until the garbage collector comes by.
        self._aggregate_everyone, self._exact = _everyone_counter(store, counting)
        self._aggregate_user = partial(
            _aggregate_user, store, _cubes_of_users(store, counting)
        )
        n_cached = counting.cache_bytes // (BYTES_PER_USER * len(store.users))
        self._cached_by_user = lru_cache(
            maxsize=min(max(n_cached, 1), counting.max_cached_answers)
        )(partial(_aggregate_by_user, store, self._aggregate_user))
        self._rows_named = lru_cache(maxsize=1)(
            partial(_rows_named, store, self._users)
        )
        # With the lock, threads that ask the same wait for one answer: at 10 million
        # sessions two of them take 0.4 s rather than 0.9. Two that ask different
        # things take 0.6 s with it and 0.9 s without.
        self._by_user_lock = Lock()
        self._paths = PathCounter(
            store, visit_gap, counting.max_ordered_sessions, counting.path_bytes
        )
        self._prepared: Mapping[int | None, Tally] = self._prepare_tallies(counting)
        self._facts = self._find_facts(timezone, visit_gap)
        release_freed_memory()

    @property
    def facts(self) -> Facts:
        """What holds for all sessions."""
        return self._facts

    def has_user(self, name: str) -> bool:
        """Whether a session names this user."""
        return self._users.find(name) is not None

    def has_page(self, name: str) -> bool:
        """Whether a session names this page."""
        return name in self._store.dimensions.page_codes

    def find_users(self, text: str, limit: int) -> list[str]:
        """At most *limit* users whose name contains *text*, ignoring case.

        Names that begin with the text come first, then those of more sessions, equal
        ones in the order of names.
        """
        return self._users.search(text, limit)

    def summarise(self, selection: Selection) -> Summary:
        """The numbers of everyone and of the selection's user.

        Raises NotInData for a user, a page or a duration that isn't in the data.
        """
        coded = self._store.dimensions.encode(selection)
        user = self._users.code(selection.user)
        unfiltered = selection == Selection(user=selection.user)
        prepared = self._prepared if unfiltered else {}
        return Summary(
            facts=self._facts,
            selection=selection,
            everyone=prepared.get(None) or self._tally(None, coded),
            user=None
            if user is None
            else prepared.get(user) or self._tally(user, coded),
        )

    def tally_named(self, text: str, selection: Selection) -> Tally:
        """The numbers of all users whose name contains *text*, ignoring case.

        The rows of the users that were asked for last are kept together: another filter
        takes 10 to 20 ns for each, and other users about 0.2 µs. Raises NotInData as
        ``summarise`` does.
        """
        coded = self._store.dimensions.encode(selection)
        rows = self._rows_named(text)
        aggregates = scan(self._store, rows, coded)
        return make_tally(aggregates, self._store.dimensions, exact=True)

    def count_named(self, text: str) -> int:
        """Number of all users whose name contains *text*, ignoring case."""
        return int(np.count_nonzero(self._users.containing(text)))

    def is_named(self, text: str, user: str) -> bool:
        """Whether a user is one of those that ``tally_named`` and others count."""
        code = self._users.find(user)
        return code is not None and bool(self._users.containing(text)[code])

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
        the last page gives the last. Raises NotInData as ``summarise`` does.
        """
        return self._users.list_page(
            self._by_user(selection),
            self._users.code(selection.user),
            search=search,
            sort=sort,
            reverse=reverse,
            page=page,
            page_size=page_size,
        )

    def ranks(self, selection: Selection, statistic: Statistic) -> Ranks | None:
        """The places of the selection's user; None where it names none.

        Raises NotInData as ``summarise`` does.
        """
        user, by_user = self._users.code(selection.user), self._by_user(selection)
        return None if user is None else rank_user(by_user, user, statistic)

    def sessions(self, selection: Selection, limit: int) -> Iterator[pd.DataFrame]:
        """The selected sessions themselves, at most *limit*, as a stream of tables.

        They come by user, time, page and duration, the unknown first, in tables of at
        least one row and at most ``Counting.block_rows``. The columns are those of
        ``schema.COLUMNS``: text, text, float64 seconds (NaN where unknown) and
        timestamps in the engine's time zone, to the microsecond; of an hour that clocks
        show twice it is always the first. Raises NotInData as ``summarise`` does, when
        called, not when the stream is read.
        """
        user = self._users.code(selection.user)
        coded = self._store.dimensions.encode(selection)
        return self._session_tables(user, coded, limit)

    def story(
        self, selection: Selection, *, page: int | None = None, page_size: int = 100
    ) -> Story | None:
        """The selected sessions of the selection's user in order of time, by pages.

        None where it names none. Without *page* it is the first page; a number beyond
        the last page gives the last. Raises NotInData as ``summarise`` does.
        """
        user = self._users.code(selection.user)
        coded = self._store.dimensions.encode(selection)
        if user is None:
            return None
        return tell_story(
            self._store.dimensions,
            self._store.user_rows(user),
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

        Beyond half a million sessions the first answer about everyone takes 0.2 to
        0.6 µs for each of them, and later ones milliseconds: see ``PathCounter``.
        """
        user = self._users.code(selection.user)
        coded = self._store.dimensions.encode(selection)._replace(pages=None)
        query = path_query(self._store.dimensions.page_codes, page, ahead, back)
        return Paths(
            facts=self._facts,
            selection=selection,
            page=page,
            ahead=ahead,
            back=back,
            everyone=self._paths.count(None, coded, query),
            user=None if user is None else self._paths.count(user, coded, query),
        )

    def _session_tables(
        self, user: int | None, selection: CodedSelection, limit: int
    ) -> Iterator[pd.DataFrame]:
        store, dimensions = self._store, self._store.dimensions
        parts = rows_by_time(store, user, selection)
        while limit > 0 and (part := next(parts, None)) is not None:
            users, rows = part.user[:limit], part.rows.take(slice(limit))
            limit -= len(users)
            times = dimensions.local_times(rows.time)
            if rows.micros is not None:
                times = times + rows.micros.astype("timedelta64[us]")
            columns = (
                store.users.take(users),
                dimensions.pages.take(rows.page),
                np.where(rows.bin > 0, rows.seconds.astype(np.float64), np.nan),
                to_instants(times, self._zone),
            )
            yield pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))

    def _tally(self, user: int | None, selection: CodedSelection) -> Tally:
        dimensions = self._store.dimensions
        if user is None:
            aggregates = self._aggregate_everyone(selection)
            return make_tally(aggregates, dimensions, exact=self._exact)
        aggregates = self._aggregate_user(selection, user)
        return make_tally(aggregates, dimensions, exact=True)

    def _prepare_tallies(self, counting: Counting) -> dict[int | None, Tally]:
        """Return the unfiltered answers that take long, by user; None for everyone.

        An answer isn't prepared where it would take much beside the user's rows.
        """
        n_days, n_pages, _ = self._store.dimensions.shape
        n_numbers = 6 * n_pages + 26 * n_days
        n_sessions = np.diff(self._store.offsets)
        long = n_sessions >= max(counting.min_prepared_sessions, 4 * n_numbers)
        unfiltered = self._store.dimensions.encode(Selection())
        return {
            user: self._tally(user, unfiltered)
            for user in [None, *np.flatnonzero(long).tolist()]
        }

    def _find_facts(self, timezone: str, visit_gap: float) -> Facts:
        store, everyone = self._store, self._prepared[None]
        dimensions = store.dimensions
        return Facts(
            timezone=timezone,
            pages=tuple(dimensions.pages),
            days=dimensions.days,
            edges=dimensions.edges,
            first=dimensions.local_time(int(store.rows.time.min())),
            last=dimensions.local_time(int(store.rows.time.max())),
            n_users=len(store.users),
            n_sessions=store.n_sessions,
            n_unknown=int(everyone.unknown.sum()),
            visit_gap=visit_gap,
        )

    def _by_user(self, selection: Selection) -> ByUser:
        """Return the numbers of all users, whoever is the selection's."""
        with self._by_user_lock:
            return self._cached_by_user(replace(selection, user=None))


def _everyone_counter(
    store: ColumnStore, counting: Counting
) -> tuple[Callable[[CodedSelection], Aggregates], bool]:
    """Return what aggregates everyone's sessions, and whether quantiles are exact."""
    shape, n_sessions = store.dimensions.shape, store.n_sessions
    room = max(counting.cube_bytes, counting.cube_bytes_per_session * n_sessions)
    few = n_sessions < counting.min_sessions_per_page * shape.n_pages
    if few or Cube.estimate_bytes(shape) > room:
        return partial(scan, store, store.sorted_by_page()), True
    if n_sessions <= counting.max_exact_sessions:
        return ExactCube(store, store.sorted_by_page()).aggregate, True
    return sketch_rows(store, store.rows).aggregate, False


def _cubes_of_users(store: ColumnStore, counting: Counting) -> dict[int, ExactCube]:
    """Return cubes of the users with too many sessions to scan, by code."""
    n_sessions = np.diff(store.offsets)
    size = Cube.estimate_bytes(store.dimensions.shape)
    has_cube = n_sessions > counting.max_scanned_sessions
    has_cube &= counting.cube_bytes_per_session * n_sessions >= size
    return {
        user: ExactCube(store, store.user_rows(user))
        for user in np.flatnonzero(has_cube).tolist()
    }


def _aggregate_user(
    store: ColumnStore,
    cubes: Mapping[int, ExactCube],
    selection: CodedSelection,
    user: int,
) -> Aggregates:
    if user in cubes:
        return cubes[user].aggregate(selection)
    return scan(store, store.user_rows(user), selection)


def _rows_named(store: ColumnStore, users: Users, text: str) -> Rows:
    rows = store.rows_of_users(users.containing(text))
    # To put them together takes three times what is kept.
    release_freed_memory()
    return rows


def _aggregate_by_user(
    store: ColumnStore,
    aggregate_user: Callable[[CodedSelection, int], Aggregates],
    selection: Selection,
) -> ByUser:
    coded = store.dimensions.encode(selection)
    return aggregate_by_user(store, coded, partial(aggregate_user, coded))
