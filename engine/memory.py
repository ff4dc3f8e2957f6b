"""An engine for sessions that are held in this process."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from engine.aggregates import Aggregates, make_tally
from engine.by_time import rows_by_time
from engine.by_user import BYTES_PER_USER, ByUser, aggregate_by_user
from engine.columns import ColumnStore, build_column_store
from engine.cube import Cube, ExactCube, sketch_rows
from engine.dimensions import CodedSelection
from engine.freed import release_freed_memory
from engine.model import (
    BinEdges,
    Facts,
    NotInData,
    Rank,
    Ranks,
    Selection,
    Statistic,
    Summary,
    Tally,
    UserColumn,
    UserPage,
    UserRow,
)
from engine.scan import scan
from engine.timezone import time_zone, to_instants
from schema import COLUMNS


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
    ) -> None:
        """Arrange *sessions*, one table or a stream of tables as ``schema`` has them.

        Tables are not changed, and one of a stream can be forgotten once the next is
        asked for. Times are kept to the second. Days, hours and times in answers are
        what clocks show in *timezone*, an IANA name such as Europe/Berlin. The hour
        that clocks show twice in autumn is one hour with the sessions of both, and
        clocks that would leave the years 1 to 9999 stop there. Without *edges* the
        bins are chosen from the data.

        Raises ValueError where there are no sessions, a table isn't as ``schema`` says,
        *timezone* isn't known or *edges* don't hold all durations.
        """
        self._zone = time_zone(timezone)
        tables = [sessions] if isinstance(sessions, pd.DataFrame) else sessions
        self._store = store = build_column_store(
            tables, self._zone, edges=edges, block_rows=counting.block_rows
        )
        # The same memory as the store's, without what pandas does for a single name.
        self._names = pa.array(store.users.array)
        sessions_per_user = np.diff(store.offsets)
        self._users_by_sessions = np.argsort(-sessions_per_user, kind="stable").astype(
            np.uint32
        )
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
        # With the lock, threads that ask the same wait for one answer: at 10 million
        # sessions two of them take 0.4 s rather than 0.9. Two that ask different
        # things take 0.6 s with it and 0.9 s without.
        self._by_user_lock = Lock()
        self._prepared: Mapping[int | None, Tally] = self._prepare_tallies(counting)
        self._facts = self._find_facts(timezone)
        release_freed_memory()

    @property
    def facts(self) -> Facts:
        """What holds for all sessions."""
        return self._facts

    def has_user(self, name: str) -> bool:
        """Whether a session names this user."""
        return self._find_user(name) is not None

    def has_page(self, name: str) -> bool:
        """Whether a session names this page."""
        return name in self._store.dimensions.page_codes

    def find_users(self, text: str, limit: int) -> list[str]:
        """At most *limit* users whose name contains *text*, ignoring case.

        Names that begin with the text come first, then those of more sessions, equal
        ones in the order of names.
        """
        users = self._store.users
        if not text:
            return users[self._users_by_sessions[:limit]].tolist()
        contains = self._users_containing(text)
        if not contains.any():
            return []
        begins = self._folded_names.str.startswith(text.casefold())
        found: list[str] = []
        for mask in (begins, contains & ~begins):
            codes = self._users_by_sessions[mask[self._users_by_sessions]]
            found += users[codes[: limit - len(found)]].tolist()
        return found

    def summarise(self, selection: Selection) -> Summary:
        """The numbers of everyone and of the selection's user.

        Raises NotInData for a user, a page or a duration that isn't in the data.
        """
        coded = self._store.dimensions.encode(selection)
        user = self._user_code(selection)
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
        user = self._user_code(selection)
        by_user = self._by_user(selection)
        present = by_user.sessions > 0
        matching = present & self._users_containing(search) if search else present
        users = np.flatnonzero(matching)
        users = users[_order_users(by_user, users, sort, reverse=reverse)]
        n_pages = max(-(-len(users) // page_size), 1)
        if page is None:
            places = np.flatnonzero(users == user) if user is not None else users[:0]
            page = 1 + int(places[0]) // page_size if len(places) else 1
        page = min(max(page, 1), n_pages)
        shown = users[page_size * (page - 1) : page_size * page]
        return UserPage(
            rows=[self._user_row(by_user, code) for code in shown.tolist()],
            page=page,
            n_pages=n_pages,
            n_matching=len(users),
            n_users=int(np.count_nonzero(present)),
        )

    def ranks(self, selection: Selection, statistic: Statistic) -> Ranks | None:
        """The places of the selection's user; None where it names none.

        Raises NotInData as ``summarise`` does.
        """
        user = self._user_code(selection)
        by_user = self._by_user(selection)
        if user is None:
            return None
        present, known = by_user.sessions > 0, by_user.known > 0
        return Ranks(
            sessions=_rank(by_user.sessions, present, user),
            time=_rank(by_user.seconds, known, user),
            statistic=_rank(by_user.by_statistic(statistic), known, user),
            active_days=_rank(by_user.active_days, present, user),
            last=_rank(by_user.last, present, user),
        )

    def sessions(self, selection: Selection, limit: int) -> Iterator[pd.DataFrame]:
        """The selected sessions themselves, at most *limit*, as a stream of tables.

        They come by user, time, page and duration, the unknown first, in tables of at
        least one row and at most ``Counting.block_rows``. The columns are those of
        ``schema.COLUMNS``: text, text, float64 seconds (NaN where unknown) and
        timestamps in the engine's time zone, to the microsecond; of an hour that clocks
        show twice it is always the first. Raises NotInData as ``summarise`` does, when
        called, not when the stream is read.
        """
        user = self._user_code(selection)
        coded = self._store.dimensions.encode(selection)
        return self._session_tables(user, coded, limit)

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

    def _find_user(self, name: str) -> int | None:
        users = self._names
        code = bisect_left(users, name, key=lambda scalar: scalar.as_py())
        return code if code < len(users) and users[code].as_py() == name else None

    def _user_code(self, selection: Selection) -> int | None:
        if selection.user is None:
            return None
        user = self._find_user(selection.user)
        if user is None:
            raise NotInData(f"no session has the user {selection.user!r}")
        return user

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

    def _find_facts(self, timezone: str) -> Facts:
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
        )

    def _by_user(self, selection: Selection) -> ByUser:
        """Return the numbers of all users, whoever is the selection's."""
        with self._by_user_lock:
            return self._cached_by_user(replace(selection, user=None))

    def _user_row(self, by_user: ByUser, user: int) -> UserRow:
        return UserRow(
            user=self._names[user].as_py(),
            sessions=int(by_user.sessions[user]),
            known=int(by_user.known[user]),
            seconds=float(by_user.seconds[user]),
            active_days=int(by_user.active_days[user]),
            median=float(by_user.by_statistic("median")[user]),
            last=pd.Timestamp(by_user.last[user]),
        )

    def _users_containing(self, text: str) -> NDArray[np.bool_]:
        """(users,): whether each name contains *text*, ignoring case."""
        try:
            text.encode()
        except UnicodeEncodeError:
            # Half of a surrogate pair is in no name, and can't be searched for.
            return np.zeros(len(self._store.users), dtype=bool)
        found: NDArray[np.bool_] = self._folded_names.str.contains(
            text.casefold(), regex=False
        )
        return found

    @cached_property
    def _folded_names(self) -> "pd.Index[str]":
        return self._store.users.str.casefold()


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


def _aggregate_by_user(
    store: ColumnStore,
    aggregate_user: Callable[[CodedSelection, int], Aggregates],
    selection: Selection,
) -> ByUser:
    coded = store.dimensions.encode(selection)
    return aggregate_by_user(store, coded, partial(aggregate_user, coded))


def _order_users(
    by_user: ByUser, users: NDArray[np.intp], sort: UserColumn, *, reverse: bool
) -> NDArray[np.intp]:
    """Return the order of *users*, codes in the order of names, in a list of users."""
    columns: dict[UserColumn, NDArray[Any]] = {
        # From A to Z is from the largest value down as it is with numbers.
        "user": -np.arange(len(by_user.sessions)),
        "time": np.where(by_user.known > 0, by_user.seconds, np.nan),
        "sessions": by_user.sessions,
        "days": by_user.active_days,
        "median": by_user.by_statistic("median"),
        "last": by_user.last.astype(np.int64),
    }
    key = columns[sort][users]
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
