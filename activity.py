"""The core: a table of sessions in, every number that the page shows out."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from statistics import NormalDist
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS: Final = ("user_id", "page", "duration", "timestamp")
"""The columns of a session table: text, text, seconds (NaN: unknown), UTC."""

FEW: Final = 5
"""With fewer known durations than this an average is weak evidence."""

LONGEST: Final = 100 * 365.25 * 86_400
"""Seconds of the longest duration that is taken: a century."""

_MAX_BINS: Final = 60
_BIN_WIDTHS: Final = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0),
    *(60.0 * minutes for minutes in (1, 2, 5, 10, 15, 20, 30)),
    *(3600.0 * hours for hours in (1, 2, 3, 6, 12, 24)),
)


@dataclass(frozen=True)
class Selection:
    """What is picked; every part is optional, and they are combined by "and".

    ``start`` and ``end`` are UTC days, half-open: ``[start, end)``. ``shortest``
    and ``longest`` are seconds, half-open: ``[shortest, longest)``; where either is
    set, unknown durations are not selected. ``user=None`` is everyone, ``pages=()``
    every page.
    """

    user: str | None = None
    start: date | None = None
    end: date | None = None
    pages: tuple[str, ...] = ()
    shortest: float | None = None
    longest: float | None = None


class NotInData(LookupError):
    """A selection names a user or a page that no session has."""


@dataclass(frozen=True, eq=False)
class Tally:
    """The numbers of one group of sessions.

    All but ``histogram`` run over the pages, in the order of ``Summary.pages``.
    """

    sessions: NDArray[np.int64]
    """Sessions, those of unknown duration among them."""
    unknown: NDArray[np.int64]
    """Sessions of unknown duration."""
    seconds: NDArray[np.float64]
    """Sum of the known durations."""
    squares: NDArray[np.float64]
    """Sum of squared deviations of the known durations from their page's mean."""
    histogram: NDArray[np.int64]
    """Sessions whose duration is in [edges[i], edges[i + 1]) of ``Summary.edges``."""

    @cached_property
    def known(self) -> NDArray[np.int64]:
        """Sessions of known duration: the n of every average."""
        return self.sessions - self.unknown

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Average known duration in seconds; NaN for a page that has none."""
        known = self.known
        out = np.full(len(known), np.nan)
        np.divide(self.seconds, known, out=out, where=known > 0)
        return out

    @cached_property
    def margin(self) -> NDArray[np.float64]:
        """Half the width of the 95 % interval for ``mean`` (Student's t), seconds.

        NaN where fewer than ``FEW`` durations are known.
        """
        out = np.full(len(self.known), np.nan)
        enough = self.known >= FEW
        n = self.known[enough]
        out[enough] = _t_975(n - 1) * np.sqrt(self.squares[enough] / (n - 1) / n)
        return out

    def pooled(self, group: NDArray[np.int64]) -> "Tally":
        """The same over groups of pages: page i goes to group[i], or nowhere if < 0."""
        kept = group >= 0
        into, n_groups = group[kept], int(group.max(initial=-1)) + 1

        def total(values: NDArray[Any]) -> NDArray[Any]:
            return np.bincount(into, values[kept], n_groups).astype(values.dtype)

        pooled = Tally(
            sessions=total(self.sessions),
            unknown=total(self.unknown),
            seconds=total(self.seconds),
            squares=np.zeros(n_groups),
            histogram=self.histogram,
        )
        # Within the pages, and of the pages' means around their group's.
        apart = np.zeros(len(group))
        some = kept & (self.known > 0)
        apart[some] = self.mean[some] - pooled.mean[group[some]]
        squares = total(self.squares + self.known * apart**2)
        return replace(pooled, squares=squares)


@dataclass(frozen=True, eq=False)
class Summary:
    """Every number that the page shows for one selection.

    ``everyone`` obeys the selection's dates, pages and durations, but not its user;
    ``user`` is None where the selection names none. ``edges`` are seconds, from 0
    in equal steps, then infinity: the last bin takes all that is longer.
    """

    selection: Selection
    pages: tuple[str, ...]
    edges: NDArray[np.float64]
    everyone: Tally
    user: Tally | None


class Activity:
    """All sessions, arranged so that one user's are quick to reach.

    The rows are sorted by user, then time, so that a user is a contiguous slice: a
    pick costs what the user's own rows cost, however many others there are.
    Everyone's unfiltered numbers are made once, here; filtered, they cost a pass
    over all rows. An instance never changes, so threads may share it.
    """

    def __init__(self, sessions: pd.DataFrame) -> None:
        """Arrange *sessions*, which has the columns of ``COLUMNS`` and stays as it is.

        Timestamps without a zone are UTC. Raises ValueError for a table that has no
        rows, misses a column, or holds an empty user, page or time, or a duration
        that is negative or above ``LONGEST``: what reads files leaves such rows out
        and says so (see ``sources``).
        """
        for name in COLUMNS:
            if list(sessions.columns).count(name) != 1:
                raise ValueError(f"the sessions have no column {name!r}, or several")
        if sessions.empty:
            raise ValueError("there are no sessions")

        user, self.users = _codes(sessions["user_id"])
        page, pages = _codes(sessions["page"])
        time = _utc(sessions["timestamp"])
        seconds = _numbers(sessions["duration"])
        if user.min() < 0 or page.min() < 0 or np.isnat(time).any():
            raise ValueError("a session without a user, a page or a time")
        if (seconds < 0).any() or (seconds > LONGEST).any():
            raise ValueError("a duration that is negative or over a century")

        self.pages = tuple(pages)
        self._code_of_page = {name: code for code, name in enumerate(self.pages)}
        order = np.lexsort((time, user))
        self._page = page[order]
        self._seconds = seconds[order]
        self._time = time[order]
        per_user = np.bincount(user, minlength=len(self.users))
        self._offsets = np.concatenate(([0], np.cumsum(per_user)))

        self.n_sessions = len(user)
        self.n_unknown = int(np.isnan(seconds).sum())
        self.first = pd.Timestamp(time.min())
        self.last = pd.Timestamp(time.max())
        self.edges = _bin_edges(seconds)
        self.busiest = self.users[(-per_user).argsort(kind="stable")]
        self._everyone = self._tally(slice(None), Selection())

    def find_users(self, text: str, limit: int) -> list[str]:
        """At most *limit* users whose name contains *text*, in any case of letters.

        Those whose name begins with it come first, and within both the ones with
        more sessions.
        """
        if not text:
            return self.busiest[:limit].tolist()
        names = self._folded_names
        inside = names.str.contains(text.casefold(), regex=False)
        found = self.busiest[inside]
        begins = names[inside].str.startswith(text.casefold())
        return [*found[begins][:limit], *found[~begins][:limit]][:limit]

    def summarise(self, selection: Selection) -> Summary:
        """Count and sum what *selection* picks.

        Raises NotInData for a user or a page that is not in ``users`` or ``pages``.
        """
        for page in selection.pages:
            if page not in self._code_of_page:
                raise NotInData(f"no session has the page {page!r}")
        user = None
        if selection.user is not None:
            user = self._tally(self._rows_of(selection.user), selection)
        return Summary(
            selection=selection,
            pages=self.pages,
            edges=self.edges,
            everyone=(
                self._tally(slice(None), selection)
                if _filters(selection)
                else self._everyone
            ),
            user=user,
        )

    def _rows_of(self, user: str) -> slice:
        try:
            code = cast(int, self.users.get_loc(user))
        except KeyError:
            raise NotInData(f"no session has the user {user!r}") from None
        return slice(self._offsets[code], self._offsets[code + 1])

    def _tally(self, rows: slice, selection: Selection) -> Tally:
        page, seconds = self._page[rows], self._seconds[rows]
        if _filters(selection):
            keep = self._keep(rows, selection)
            page, seconds = page[keep], seconds[keep]
        known = ~np.isnan(seconds)
        known_page, known_seconds = page[known], seconds[known]

        n_pages = len(self.pages)
        sessions = np.bincount(page, minlength=n_pages)
        n_known = np.bincount(known_page, minlength=n_pages)
        total: NDArray[Any] = np.bincount(known_page, known_seconds, n_pages)
        # Two passes: a one-pass sum of squares loses all digits where durations
        # hardly differ.
        mean = total / np.maximum(n_known, 1)
        apart = (known_seconds - mean[known_page]) ** 2
        squares: NDArray[Any] = np.bincount(known_page, apart, n_pages)
        bins = np.searchsorted(self.edges, known_seconds, side="right") - 1
        histogram = np.bincount(bins, minlength=len(self.edges) - 1)
        return Tally(sessions, sessions - n_known, total, squares, histogram)

    def _keep(self, rows: slice, selection: Selection) -> NDArray[np.bool_]:
        page, seconds, time = self._page[rows], self._seconds[rows], self._time[rows]
        keep = np.ones(len(page), dtype=bool)
        if selection.start is not None:
            keep &= time >= np.datetime64(selection.start)
        if selection.end is not None:
            keep &= time < np.datetime64(selection.end)
        if selection.pages:
            wanted = np.zeros(len(self.pages), dtype=bool)
            wanted[[self._code_of_page[name] for name in selection.pages]] = True
            keep &= wanted[page]
        if selection.shortest is not None:
            keep &= seconds >= selection.shortest
        if selection.longest is not None:
            keep &= seconds < selection.longest
        return keep

    @cached_property
    def _folded_names(self) -> "pd.Index[str]":
        return self.busiest.str.casefold()


def _filters(selection: Selection) -> bool:
    """Whether anything but the user is picked."""
    return selection != Selection(user=selection.user)


def _codes(column: "pd.Series[Any]") -> tuple[NDArray[Any], "pd.Index[str]"]:
    """Codes per row (-1: empty), and the names that occur, as text."""
    category = column.astype("category").cat.remove_unused_categories()
    codes = category.cat.codes.to_numpy()
    names = pd.Index(category.cat.categories.astype(str), dtype="str", name=None)
    if (names.str.strip() == "").any():
        raise ValueError("a user or a page with an empty name")
    if not names.is_unique:
        # The number 1 and the text "1" are the same name.
        same, names = names.factorize()
        codes = np.where(codes < 0, -1, same[codes])
    return codes, names


def _numbers(duration: "pd.Series[Any]") -> NDArray[np.float64]:
    if duration.dtype == object:
        duration = pd.to_numeric(duration)
    if not pd.api.types.is_numeric_dtype(duration):
        raise ValueError(f"durations are seconds, not {duration.dtype}")
    return duration.to_numpy(dtype=np.float64, na_value=np.nan)


def _utc(timestamp: "pd.Series[pd.Timestamp]") -> NDArray[np.datetime64]:
    if not pd.api.types.is_datetime64_any_dtype(timestamp):
        raise ValueError(f"timestamps are times, not {timestamp.dtype}")
    if timestamp.dt.tz is not None:
        timestamp = timestamp.dt.tz_convert("UTC").dt.tz_localize(None)
    # In nanoseconds, comparing with a day after 2262 would overflow.
    return timestamp.to_numpy().astype("datetime64[us]")


def _t_975(freedom: NDArray[np.int64]) -> NDArray[np.float64]:
    """The 0.975 quantile of Student's t, within 0.3 % from 4 degrees of freedom on.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    z = NormalDist().inv_cdf(0.975)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    inverse = 1 / freedom
    return sum((term * inverse**k for k, term in enumerate(terms)), 0 * inverse)


def _bin_edges(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 in equal, nice steps to the 95th percentile of the known, then infinity.

    Durations have heavy tails: bins up to the longest would put almost everything
    into the first few.
    """
    known = seconds[~np.isnan(seconds)]
    reach = float(np.quantile(known, 0.95)) if len(known) else 0.0
    whole_days = np.ceil(reach / _MAX_BINS / 86_400) * 86_400
    width = next((w for w in _BIN_WIDTHS if w * _MAX_BINS >= reach), whole_days)
    # The last edge is beyond the reach, at a whole minute or a multiple of 5 bins.
    together = 60 // width if 5 <= width < 60 else 5
    n_bins = (reach // (width * together) + 1) * together
    return np.append(np.arange(n_bins + 1) * width, np.inf)
