"""Sessions in narrow, sorted columns: what the core keeps of them."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS: Final = ("user_id", "page", "duration", "timestamp")
"""The columns of a session table: text, text, seconds (NaN: unknown), UTC."""

LONGEST: Final = 100 * 365.25 * 86_400
"""Seconds of the longest duration that is taken: a century."""

DAY: Final = 86_400
BLOCK: Final = 1 << 17
"""Rows that are worked on at once: few enough for the processor's cache."""

_SAMPLE: Final = 100_000
_MAX_BINS: Final = 60
_BIN_WIDTHS: Final = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0),
    *(60.0 * minutes for minutes in (1, 2, 5, 10, 15, 20, 30)),
    *(3600.0 * hours for hours in (1, 2, 3, 6, 12, 24)),
)
_LOG_STEPS: Final = (1.0, 1.5, 2.5, 4.0, 6.0)
_ZERO: Final = 0.001
_EPOCH: Final = np.datetime64("2020-01-01", "s")
_FIRST: Final = np.datetime64("0001-01-01", "s")
_END: Final = np.datetime64("10000-01-01", "s")
_LEAST: Final = int((_FIRST - _EPOCH).astype(np.int64))
_MOST: Final = int((_END - _EPOCH).astype(np.int64)) - 1


class Rows(NamedTuple):
    """Sessions in columns of one length, sorted by page, then duration.

    Sessions of unknown duration come first on their page.
    """

    page: NDArray[np.unsignedinteger]
    """Index into ``Table.pages``."""
    bin: NDArray[np.uint8]
    """0: unknown duration; else b with edges[b - 1] <= seconds < edges[b]."""
    seconds: NDArray[np.floating]
    """Duration; 0 where it is unknown."""
    time: NDArray[np.unsignedinteger]
    """Start: the index into ``Table.days`` times 86,400, plus the second of the day.

    Days and seconds are those that the clocks of the table's time zone show.
    """

    def take(self, which: slice | NDArray[Any]) -> "Rows":
        return Rows(
            self.page[which], self.bin[which], self.seconds[which], self.time[which]
        )


@dataclass(frozen=True, eq=False)
class Table:
    """All sessions, sorted by user, then as ``Rows`` are, and what their codes mean."""

    users: "pd.Index[str]"
    """The users that have sessions, sorted by name."""
    pages: "pd.Index[str]"
    """The pages that have sessions, sorted by name."""
    days: NDArray[np.datetime64]
    """The days that have sessions, in order."""
    linear_edges: NDArray[np.float64]
    """Seconds: from 0 in equal steps, then infinity."""
    log_edges: NDArray[np.float64]
    """Seconds: 0, 0.001, 1, then steps of about 10 ** 0.2 to above the longest."""
    edges: NDArray[np.float64]
    """Both of them together: the edges of the bins in ``Rows.bin``."""
    rows: Rows
    offsets: NDArray[np.int64]
    """User u's rows are [offsets[u], offsets[u + 1])."""
    user_seconds: NDArray[np.float64]
    """Each user's known durations together, in whole ``grain``s."""
    grain: float
    """Sums are of durations rounded to this power of two, in seconds.

    All of them together are then under 2 ** 52 grains, so that sums and differences of
    sums are exact, and the same in whatever order they are made.
    """
    centre: float
    """Whole seconds about the median duration: what deviations are summed from."""

    @property
    def n_sessions(self) -> int:
        return len(self.rows.page)

    def user_rows(self, user: int) -> Rows:
        return self.rows.take(slice(self.offsets[user], self.offsets[user + 1]))

    def moments(self, time: NDArray[Any]) -> NDArray[np.datetime64]:
        """What clocks showed, to the second, at times as ``Rows`` have them."""
        day, second = np.divmod(time, DAY)
        return self.days[day].astype("datetime64[s]") + second.astype(np.int64)


def time_zone(name: str) -> tzinfo:
    """The zone of this IANA name; ValueError where there is none, in one line."""
    if name == "UTC":  # Which works where the system has no zones at all.
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}") from None


class Clock:
    """What the clocks of a time zone show, and when they show it.

    Times are whole seconds since ``_EPOCH``, in 64 bits.
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone

    def shown(self, seconds: NDArray[np.int64]) -> NDArray[np.int64]:
        """From UTC to what is shown, which stays in the years 1 to 9999."""
        if self.zone is UTC:
            return seconds
        changes, offsets = self._changes(seconds)
        shown = seconds + offsets[np.searchsorted(changes, seconds, side="right")]
        return np.clip(shown, _LEAST, _MOST, out=shown)

    def utc(self, shown: NDArray[np.int64]) -> NDArray[np.int64]:
        """From what is shown to UTC: the first time where it is shown twice."""
        if self.zone is UTC:
            return shown
        changes, offsets = self._changes(shown)
        # What the clocks came to before they were changed.
        reached = changes + offsets[:-1]
        return shown - offsets[np.searchsorted(reached, shown, side="right")]

    def instants(self, shown: NDArray[np.datetime64]) -> pd.DatetimeIndex:
        """What is shown as times in the zone: the first where it is shown twice."""
        utc = _EPOCH + self.utc((shown - _EPOCH).view(np.int64))
        return pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(self.zone)

    def _changes(
        self, seconds: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """When clocks are changed around these times, and the offsets around that."""
        ends = np.array([seconds.min() - DAY, seconds.max() + DAY])
        years = (_EPOCH + ends).astype("datetime64[Y]").astype(np.int64) + 1970
        found: list[_Change] = []
        for year in range(max(int(years[0]), 1), min(int(years[1]), 9999) + 1):
            found += _changes(self.zone, year)
        offsets = [found[0].offset] + [change.offset for change in found]
        return np.array([change.second for change in found]), np.array(offsets)


class _Change(NamedTuple):
    second: int
    """In UTC, since ``_EPOCH``."""
    offset: int
    """Seconds that clocks are ahead of UTC from then on."""


@lru_cache(maxsize=20_000)
def _changes(zone: tzinfo, year: int) -> tuple[_Change, ...]:
    """When the clocks of a zone are changed in a year; first, how they are set.

    Days with the same offset at both ends are taken to have no change between: in
    none of the database's zones do two lie as close as three days.
    """
    first = int((np.datetime64(f"{year:04}-01-01", "s") - _EPOCH).astype(np.int64))
    end = int((np.datetime64(f"{year + 1:04}-01-01", "s") - _EPOCH).astype(np.int64))
    before = _offset(zone, first)
    found = [_Change(first, before)]
    for low in range(first, end, 3 * DAY):
        high = min(low + 3 * DAY, end)
        after = _offset(zone, high)
        if after != before:
            while high - low > 1:
                middle = (low + high) // 2
                if _offset(zone, middle) == before:
                    low = middle
                else:
                    high = middle
            found.append(_Change(high, after))
            before = after
    return tuple(found)


def _offset(zone: tzinfo, second: int) -> int:
    # A day from where years end, the clock of any zone can still be written.
    second = min(max(second, _LEAST + DAY), _MOST - DAY)
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    return round((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def table(frames: Iterable[pd.DataFrame], clock: Clock) -> Table:
    """Sort the sessions of all *frames*; see ``Activity`` for what they must be.

    Each frame is narrowed, and can be forgotten, before the next is asked for. While
    the columns are sorted they are held twice, without the frames.
    """
    names = {"user_id": _Names(), "page": _Names()}
    parts: list[_Part] = []
    total = longest = 0.0
    for frame in frames:
        for part in _parts(frame, names, clock):
            parts.append(part)
            # An unknown duration, -1, makes this larger than it is: no harm.
            total += float(np.abs(part.seconds).sum(dtype=np.float64))
            longest = max(longest, float(part.seconds.max()))
        del frame
    if not parts:
        raise ValueError("there are no sessions")

    users, user_codes, per_user = names["user_id"].sorted()
    pages, page_codes, _ = names["page"].sorted()
    days, earlier, first_day = _days(parts)
    n = int(per_user.sum())
    sample = _sample(parts, n)
    linear = _linear_edges(sample)
    logarithmic = _log_edges(longest)
    made = Table(
        users=users,
        pages=pages,
        days=days,
        linear_edges=linear,
        log_edges=logarithmic,
        edges=np.union1d(linear, logarithmic),
        rows=Rows(
            np.empty(n, np.min_scalar_type(len(pages) - 1)),
            np.empty(n, np.uint8),
            np.empty(n, np.result_type(*{part.seconds.dtype for part in parts})),
            # Not 64 unsigned bits: with signed ones they would come to fractions.
            np.empty(n, np.uint32 if len(days) * DAY < 1 << 32 else np.int64),
        ),
        offsets=np.concatenate(([0], np.cumsum(per_user))),
        user_seconds=np.zeros(len(users)),
        grain=_grain(total),
        centre=float(np.rint(np.median(sample))) if len(sample) else 0.0,
    )

    # Sessions of one user on one page are a group. Each part is sorted by group, then
    # so many groups at a time as fit into the processor's cache are brought together
    # from all parts.
    stops = np.array(_stops(made))
    group_type = np.min_scalar_type(stops[-1])
    user_codes = (user_codes * len(pages)).astype(group_type)
    page_codes = page_codes.astype(group_type)
    # Unsigned numbers wrap around, so that a sum of what is negative comes out right.
    earlier = earlier.astype(made.rows.time.dtype)
    runs: list[_Run] = []
    parts.reverse()
    while parts:
        part = parts.pop()
        group = user_codes[part.user_base :][part.user]
        group += page_codes[part.page_base :][part.page]
        time = part.time.astype(earlier.dtype)
        time += earlier[part.time // DAY - first_day]
        runs.append(_run(group, part.seconds, time, stops))
    start = 0
    for i in range(len(stops)):
        pieces = [run.piece(i) for run in runs]
        group, long, time = (np.concatenate(c) for c in zip(*pieces, strict=True))
        place = slice(start, start + len(group))
        _fill(made, made.rows.take(place), group, long, time)
        start = place.stop
    return made


class _Run(NamedTuple):
    """A block of sessions in columns, sorted by group."""

    group: NDArray[np.unsignedinteger]
    seconds: NDArray[np.floating]
    time: NDArray[Any]
    cuts: NDArray[np.int64]
    """Where the groups from one stop to the next begin."""

    def piece(self, i: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        part = slice(self.cuts[i], self.cuts[i + 1])
        return self.group[part], self.seconds[part], self.time[part]


def _run(
    group: NDArray[Any],
    seconds: NDArray[np.floating],
    time: NDArray[Any],
    stops: NDArray[np.int64],
) -> _Run:
    order = _stable_order(group, int(stops[-1]))
    group = group[order]
    cuts = np.searchsorted(group, stops.astype(group.dtype))
    return _Run(group, seconds[order], time[order], np.concatenate(([0], cuts)))


def _stops(made: Table) -> list[int]:
    """Where to cut the groups, so that few sessions lie between two cuts."""
    stops: list[int] = []
    first, n_pages = 0, len(made.pages)
    while first < len(made.users):
        end = made.offsets[first] + BLOCK
        last = int(np.searchsorted(made.offsets, end, side="right")) - 1
        last = max(last, first + 1)
        n_cuts = (made.offsets[last] - made.offsets[first]) // (4 * BLOCK) + 1
        step = max(-(-n_pages // n_cuts), 1)
        stops += range((last - 1) * n_pages + step, last * n_pages, step)
        stops.append(last * n_pages)
        first = last
    return stops


def _fill(
    made: Table,
    rows: Rows,
    group: NDArray[Any],
    seconds: NDArray[np.floating],
    time: NDArray[Any],
) -> None:
    """Sort the sessions of whole groups into *rows*."""
    n_pages = len(made.pages)
    if not len(group):
        return
    first, last = int(group.min()), int(group.max())
    order = order_by(group - group.dtype.type(first), last - first + 1, seconds)
    group, rows.seconds[:], rows.time[:] = group[order], seconds[order], time[order]
    user = group // n_pages
    rows.page[:] = group - user * n_pages
    edges = made.edges.astype(seconds.dtype)
    # Up to the next number of fewer bits: what is below an edge stays below.
    np.nextafter(edges, np.inf, out=edges, where=edges < made.edges, dtype=edges.dtype)
    rows.bin[:] = np.searchsorted(edges, rows.seconds, side="right")
    np.maximum(rows.seconds, 0, out=rows.seconds)
    np.add.at(made.user_seconds, user, rounded(rows.seconds, made.grain))


def sorted_by_page(table: Table) -> Rows:
    """A copy of all rows, sorted as one user's are."""
    n_bins = len(table.edges)
    rows = table.rows
    group = rows.page.astype(np.int64) * n_bins + rows.bin
    return rows.take(order_by(group, len(table.pages) * n_bins, rows.seconds))


def order_by(
    group: NDArray[Any], n_groups: int, seconds: NDArray[np.floating]
) -> NDArray[Any]:
    """The order by *group*, which is in [0, n_groups), then by *seconds*.

    A negative number stands for an unknown duration, the same everywhere.
    """
    n_bits = len(group).bit_length()
    if seconds.dtype == np.float32 and n_groups.bit_length() + 32 + n_bits <= 64:
        # The bits of floating-point numbers are in order. Sorting everything as one
        # integer, its place at the end, is three times as quick as sorting places.
        keys = group.astype(np.uint64)
        keys <<= np.uint64(32)
        keys |= seconds.view(np.uint32) ^ np.uint32(1 << 31)
        return _places(keys, n_bits)
    order: NDArray[Any] = np.argsort(seconds)
    return order[_stable_order(group[order], n_groups)]


def _stable_order(codes: NDArray[Any], n_codes: int) -> NDArray[np.int64]:
    """The stable order by *codes*, which are in [0, n_codes)."""
    if n_codes <= 1 << 16:
        # NumPy's stable sort is a radix sort for 16 bits, but slow for more.
        order: NDArray[np.int64] = np.argsort(codes.astype(np.uint16), kind="stable")
        return order
    return _places(codes.astype(np.uint64), len(codes).bit_length())


def _places(keys: NDArray[np.uint64], n_bits: int) -> NDArray[np.int64]:
    """The stable order by *keys*, of less than 2 ** n_bits; they are changed."""
    keys <<= np.uint64(n_bits)
    keys |= np.arange(len(keys), dtype=np.uint32)
    keys.sort()
    keys &= np.uint64((1 << n_bits) - 1)
    return keys.view(np.int64)


def rounded(values: NDArray[np.floating], grain: float) -> NDArray[np.float64]:
    """The values as whole grains."""
    whole = values * np.float64(1 / grain)
    np.rint(whole, out=whole)
    whole *= grain
    return whole


def _grain(total: float) -> float:
    """A power of two of which values that sum to *total* have less than 2 ** 52."""
    # Not so small that there is no number for what it is divided into.
    return math.ldexp(1.0, max(math.frexp(total)[1] - 51, -1000))


class _Part(NamedTuple):
    """A block of sessions in columns, in the order they came in."""

    user: NDArray[np.signedinteger]
    user_base: int
    page: NDArray[np.signedinteger]
    page_base: int
    seconds: NDArray[np.floating]
    """-1 where the duration is unknown."""
    time: NDArray[np.signedinteger]
    """Seconds since ``_EPOCH``, as the clocks show them."""


def _parts(
    frame: pd.DataFrame, names: "dict[str, _Names]", clock: Clock
) -> Iterator[_Part]:
    for name in COLUMNS:
        if list(frame.columns).count(name) != 1:
            raise ValueError(f"the sessions have no column {name!r}, or several")
    user, user_base = names["user_id"].add(frame["user_id"])
    page, page_base = names["page"].add(frame["page"])
    seconds, time = _numbers(frame["duration"]), _utc(frame["timestamp"])
    for start in range(0, len(frame), BLOCK):
        block = slice(start, start + BLOCK)
        part = _Part(
            user[block].copy(),
            user_base,
            page[block].copy(),
            page_base,
            _narrow(seconds[block]),
            _since_epoch(time[block], clock),
        )
        if min(part.user.min(), part.page.min()) < 0:
            raise ValueError("a session without a user or a page")
        names["user_id"].count(part.user)
        names["page"].count(part.page)
        yield part


class _Names:
    """The names of a column that comes in frames, each with categories of its own."""

    def __init__(self) -> None:
        self._categories: pd.Index[Any] | None = None
        self._lists: list[pd.Index[str]] = []
        self._counts: list[NDArray[np.int64]] = []
        self._base = 0

    def add(self, column: "pd.Series[Any]") -> tuple[NDArray[np.signedinteger], int]:
        """Codes per row (-1: empty), and what to add to them to be unique."""
        column = column.astype("category")
        categories = column.cat.categories
        if self._categories is None or categories is not self._categories:
            self._base = sum(map(len, self._lists))
            self._categories = categories
            self._lists.append(pd.Index(categories.astype(str), dtype="str", name=None))
            self._counts.append(np.zeros(len(categories), np.int64))
        codes: NDArray[Any] = column.cat.codes.to_numpy()
        return codes, self._base

    def count(self, codes: NDArray[np.signedinteger]) -> None:
        """Count codes of the frame that was added last."""
        np.add.at(self._counts[-1], codes, np.int64(1))

    def sorted(self) -> tuple["pd.Index[str]", NDArray[np.int64], NDArray[np.int64]]:
        """The names that occur, in order; each code's index among them; their counts.

        The number 1 and the text "1" are the same name.
        """
        together = self._lists[0].append(self._lists[1:])
        codes, names = cast("tuple[NDArray[Any], pd.Index[str]]", together.factorize())
        counts = np.zeros(len(names), np.int64)
        np.add.at(counts, codes, np.concatenate(self._counts))
        used = np.flatnonzero(counts)
        used = used[names[used].argsort()]
        names = names[used]
        if (names.str.strip() == "").any():
            raise ValueError("a user or a page with an empty name")
        index = np.full(len(counts), -1)
        index[used] = np.arange(len(used))
        return names, index[codes], counts[used]


def _numbers(duration: "pd.Series[Any]") -> NDArray[np.floating]:
    if duration.dtype == object:
        duration = pd.to_numeric(duration)
    if not pd.api.types.is_numeric_dtype(duration):
        raise ValueError(f"durations are seconds, not {duration.dtype}")
    if isinstance(duration.dtype, np.dtype):
        return duration.to_numpy()
    return duration.to_numpy(dtype=np.float64, na_value=np.nan)


def _narrow(seconds: NDArray[Any]) -> NDArray[np.floating]:
    """In 32 bits where these hold all of them exactly; -1 for NaN."""
    if (seconds < 0).any() or (seconds > LONGEST).any():
        raise ValueError("a duration that is negative or over a century")
    filled = np.where(np.isnan(seconds), -1.0, seconds)
    filled += 0.0  # Of a negative zero, which would be sorted apart, this makes 0.
    narrow = filled.astype(np.float32)
    return narrow if (narrow == filled).all() else filled


def _since_epoch(
    time: NDArray[np.datetime64], clock: Clock
) -> NDArray[np.signedinteger]:
    """In whole seconds, and in 32 bits where these hold all, as from 1952 to 2088."""
    time = time.astype("datetime64[s]")
    if not (time.min() >= _FIRST and time.max() < _END):
        raise ValueError("a session without a time, or not in the years 1 to 9999")
    seconds = clock.shown((time - _EPOCH).view(np.int64))
    narrow = seconds.astype(np.int32)
    return narrow if (narrow == seconds).all() else seconds


def _utc(timestamp: "pd.Series[pd.Timestamp]") -> NDArray[np.datetime64]:
    if not pd.api.types.is_datetime64_any_dtype(timestamp):
        raise ValueError(f"timestamps are times, not {timestamp.dtype}")
    if timestamp.dt.tz is not None:
        timestamp = timestamp.dt.tz_convert("UTC").dt.tz_localize(None)
    return timestamp.to_numpy()


def _days(
    parts: Iterable[_Part],
) -> tuple[NDArray[np.datetime64], NDArray[np.int64], int]:
    """The days that occur; what is added to times on each to get ``Rows.time``."""
    first = min(int(part.time.min()) for part in parts) // DAY
    last = max(int(part.time.max()) for part in parts) // DAY
    occurs = np.zeros(last - first + 1, dtype=bool)
    for part in parts:
        occurs[part.time // DAY - first] = True
    days = _EPOCH.astype("datetime64[D]") + (np.flatnonzero(occurs) + first)
    index = np.cumsum(occurs) - 1
    return days, (index - np.arange(first, last + 1)) * DAY, first


def _sample(parts: Iterable[_Part], n: int) -> NDArray[np.float64]:
    """Known durations: all, or of many a random selection."""
    columns = [part.seconds for part in parts]
    if n > _SAMPLE:
        rng = np.random.default_rng(0)
        columns = [
            c[rng.integers(0, len(c), len(c) * _SAMPLE // n + 1)] for c in columns
        ]
    sample = np.concatenate(columns).astype(np.float64)
    return sample[sample >= 0]


def _linear_edges(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 in equal, nice steps to the 95th percentile of *known*, then infinity.

    Durations have heavy tails: bins up to the longest would put almost everything
    into the first few.
    """
    reach = float(np.quantile(known, 0.95)) if len(known) else 0.0
    whole_days = np.ceil(reach / _MAX_BINS / DAY) * DAY
    width = next((w for w in _BIN_WIDTHS if w * _MAX_BINS >= reach), whole_days)
    # The last edge is beyond the reach, at a whole minute or a multiple of 5 bins.
    together = 60 // width if 5 <= width < 60 else 5
    n_bins = (reach // (width * together) + 1) * together
    return np.append(np.arange(n_bins + 1) * width, np.inf)


def _log_edges(longest: float) -> NDArray[np.float64]:
    """A bin for zeros, one up to a second, then bins of about equal ratio."""
    edges = [0.0, _ZERO]
    for power in range(10):
        edges += [step * 10**power for step in _LOG_STEPS]
    return np.array(edges[: max(3, int(np.searchsorted(edges, longest, "right")) + 1)])
