"""What sessions are grouped by (pages, days and bins), as names and as codes."""

from datetime import date
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.model import BinEdges, NotInData, Selection

DAY: Final = 86_400
"""Seconds of a day."""

HOURS: Final = 24
"""Hours of a day."""


class Shape(NamedTuple):
    """The number of codes in each dimension."""

    n_days: int
    n_pages: int
    n_bins: int
    """Including bin 0, for unknown durations."""


class CodedSelection(NamedTuple):
    """A selection in codes, without its user; ranges are half-open."""

    first_day: int
    last_day: int
    """The day after the last that is selected, at least ``first_day``."""
    pages: NDArray[np.bool_] | None
    """(pages,): whether each is selected; None where all are."""
    first_bin: int
    last_bin: int
    """The bin after the last that is selected, at least ``first_bin``."""


class Dimensions:
    """The pages, days and duration bins of a set of sessions, and their codes.

    A page's code is its index among the sorted pages, a day's its index among the days
    with sessions. Bin 0 holds the unknown durations, bin b the durations in
    [bin_edges[b - 1], bin_edges[b]). Time is coded as the code of the day times 86,400,
    plus the second of the day.
    """

    def __init__(
        self, pages: "pd.Index[str]", days: NDArray[np.datetime64], edges: BinEdges
    ) -> None:
        self.pages = pages
        """The pages that have sessions, sorted by name."""
        self.days = days
        """The days that have sessions, in order."""
        self.edges = edges
        """The edges of the bins that are shown."""
        self.bin_edges: NDArray[np.float64] = np.union1d(*edges)
        """The linear and the logarithmic edges together, in seconds."""

    @cached_property
    def shape(self) -> Shape:
        """The number of days, of pages, and of bins with that for unknown durations."""
        return Shape(len(self.days), len(self.pages), len(self.bin_edges))

    def encode(self, selection: Selection) -> CodedSelection:
        """Return the codes of a selection, its user aside.

        Raises NotInData for a page without sessions and for a duration that isn't
        among ``bin_edges``.
        """
        first_day = self._day_from(selection.start, otherwise=0)
        last_day = self._day_from(selection.end, otherwise=len(self.days))
        first_bin, last_bin = 0, len(self.bin_edges)
        if selection.shortest is not None or selection.longest is not None:
            first_bin = 1
            if selection.shortest is not None:
                first_bin += self._edge(selection.shortest)
            if selection.longest is not None:
                last_bin = 1 + self._edge(selection.longest)
        return CodedSelection(
            first_day=first_day,
            last_day=max(first_day, last_day),
            pages=self._page_mask(selection.pages) if selection.pages else None,
            first_bin=first_bin,
            last_bin=max(first_bin, last_bin),
        )

    def local_times(self, time: NDArray[Any]) -> NDArray[np.datetime64]:
        """Return what clocks showed, to the second, at coded times."""
        day, second = np.divmod(time, DAY)
        return self.days[day].astype("datetime64[s]") + second.astype(np.int64)

    def local_time(self, time: int) -> pd.Timestamp:
        """Return what clocks showed, to the second, at one coded time."""
        return pd.Timestamp(self.local_times(np.array([time]))[0])

    def _day_from(self, day: date | None, *, otherwise: int) -> int:
        if day is None:
            return otherwise
        return int(np.searchsorted(self.days, np.datetime64(day)))

    def _page_mask(self, pages: tuple[str, ...]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.pages), dtype=bool)
        for page in pages:
            if page not in self.page_codes:
                raise NotInData(f"no session has the page {page!r}")
            mask[self.page_codes[page]] = True
        return mask

    def _edge(self, seconds: float) -> int:
        if seconds not in self._edge_codes:
            raise NotInData(f"no bin has its edge at {seconds!r} seconds")
        return self._edge_codes[seconds]

    @cached_property
    def page_codes(self) -> dict[str, int]:
        """The code of each page."""
        return {name: code for code, name in enumerate(self.pages)}

    @cached_property
    def _edge_codes(self) -> dict[float, int]:
        return {edge: code for code, edge in enumerate(self.bin_edges.tolist())}
