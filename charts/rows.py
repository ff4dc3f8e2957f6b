"""The rows of the charts by page: which pages, or folders, in what order."""

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from charts.chance import Differences, differences
from charts.folders import folders
from charts.sentences import FEW
from engine.model import QUANTILES, Statistic, Summary, Tally, divide_or_nan
from formatting import count_text
from labels import LONGEST_PAGE, distinct, page_labels, page_parts
from view import View

EVERY_ROW: Final = 1 << 62
"""A number of rows that no chart has."""

_FOLDER_WORDS: Final = len("▸  (12 pages)")


@dataclass(frozen=True, eq=False)
class PageStatistics:
    """Statistics of one group of sessions for each row of a chart by page.

    All arrays have the length of the rows.
    """

    sessions: NDArray[np.int64]
    """Number of sessions, including those of unknown duration."""
    unknown: NDArray[np.int64]
    """Number of sessions of unknown duration."""
    seconds: NDArray[np.float64]
    """Sum of the known durations, in seconds."""
    squared_deviations: NDArray[np.float64]
    """Sum of squared deviations of the known durations from their mean."""
    statistics: dict[Statistic, NDArray[np.float64]]
    """Each statistic of the known durations in seconds; NaN where there is none.

    A row of several pages has no quantiles either: they can't be had from the pages'.
    """
    margin: NDArray[np.float64]
    """Half the width of the mean's 95 % confidence interval (Student's t), in seconds.

    NaN with fewer than ``FEW`` known durations.
    """

    @property
    def known(self) -> NDArray[np.int64]:
        """Number of sessions of known duration, the n of every average."""
        return self.sessions - self.unknown

    def of(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "PageStatistics":
        """The statistics of some rows, in their order."""
        taken = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name != "statistics"
        }
        statistics = {name: values[rows] for name, values in self.statistics.items()}
        return replace(self, **taken, statistics=statistics)


class PageRows(NamedTuple):
    """The rows of a chart by page, from the top down."""

    labels: list[str]
    """What is written beside each row: no two are equal."""
    names: list[str]
    """The page of each row, or what the pages of its folder begin with."""
    n_pages: NDArray[np.int64]
    """(rows,): number of pages in a folder; 1 for a page."""
    is_picked: NDArray[np.bool_]
    """(rows,): whether the page, or one in the folder, is picked."""
    everyone: PageStatistics
    user: PageStatistics | None
    beyond_chance: NDArray[np.bool_]
    """(rows,): whether the user's average differs from the others' by more than chance.

    See ``AllRows.verdicts``.
    """
    is_compared: NDArray[np.bool_]
    """(rows,): whether that is tested."""
    n_compared: int
    """Number of pages that it is corrected for, in rows that are pages."""
    n_folders: int
    """Number of folders that it is corrected for, in rows that are folders."""
    n_others: int
    """Number of pages that would have a row if there were room for it."""
    other_seconds: float
    """Sum of everyone's known durations on these, in seconds."""

    @property
    def is_page(self) -> list[bool]:
        """Whether each row is one page, not a folder."""
        return [n == 1 for n in self.n_pages.tolist()]


def pool(tally: Tally, row_of_page: NDArray[np.int64], n_rows: int) -> PageStatistics:
    """Add pages up into rows: page i goes into row_of_page[i], or nowhere if it is -1.

    The squared deviations of pooled pages are those within the pages plus those of the
    pages' means from the pooled mean.
    """
    kept = row_of_page >= 0
    rows = row_of_page[kept]

    def total(values: NDArray[Any]) -> NDArray[Any]:
        return np.bincount(rows, values[kept], n_rows).astype(values.dtype)

    known, seconds = total(tally.known), total(tally.seconds)
    mean = divide_or_nan(seconds, known)
    deviation = np.zeros(len(row_of_page))
    some = kept & (tally.known > 0)
    deviation[some] = tally.mean[some] - mean[row_of_page[some]]
    squared = total(tally.squared_deviations + tally.known * deviation**2)

    statistics: dict[Statistic, NDArray[np.float64]] = {"average": mean}
    several = np.bincount(rows, minlength=n_rows) > 1
    for name in QUANTILES:
        values = np.full(n_rows, np.nan)
        values[rows] = tally.quantiles[name][kept]
        values[several] = np.nan
        statistics[name] = values
    return PageStatistics(
        sessions=total(tally.sessions),
        unknown=total(tally.unknown),
        seconds=seconds,
        squared_deviations=squared,
        statistics=statistics,
        margin=_margin(known, squared),
    )


class AllRows(NamedTuple):
    """All rows of a view: the pages, or folders, that its search and folder leave."""

    pages: tuple[str, ...]
    """All pages of the data."""
    names: list[str]
    """The page of each row, or what the pages of its folder begin with."""
    n_pages: NDArray[np.int64]
    """(rows,): number of pages in a folder; 1 for a page."""
    is_picked: NDArray[np.bool_]
    """(rows,): whether the page, or one in the folder, is picked."""
    everyone: PageStatistics
    user: PageStatistics | None
    verdicts: "Verdicts"
    """What of the user's averages is more than chance."""

    @property
    def subject(self) -> PageStatistics:
        """The user's statistics, or everyone's where there is no user."""
        return self.everyone if self.user is None else self.user


class Verdicts(NamedTuple):
    """Which of a user's averages differ from the others' by more than chance, by row.

    A page has the same verdict whatever is searched, which folder is open and how many
    rows there are: it is corrected for all pages of the selection that can be compared.
    A folder is tested as what is drawn, the pages in it that are found, and corrected
    for all folders beside it that can be compared, found or not.
    """

    compared: NDArray[np.bool_]
    """(rows,): whether averages are compared."""
    beyond_chance: NDArray[np.bool_]
    """(rows,): whether they differ by more than chance."""
    by_page: Differences | None
    """All pages of the selection, whether they are in a row or not; None for nobody."""
    n_folders: int
    """Number of folders that can be compared, found or not."""

    @property
    def n_compared(self) -> int:
        """Number of pages of the selection that can be compared."""
        return 0 if self.by_page is None else int(self.by_page.compared.sum())


def all_rows(
    summary: Summary, view: View, by_page: Differences | None = None
) -> AllRows:
    """The rows of a view, of which a chart draws as many as there is room for.

    *by_page* are the verdicts on the summary's pages, if they are known already.
    """
    pages = summary.facts.pages
    row_of_page, names, n_pages = _grouped(pages, view)
    n = len(names)
    everyone = pool(summary.everyone, row_of_page, n)
    user = None if summary.user is None else pool(summary.user, row_of_page, n)
    verdicts = Verdicts(np.zeros(n, bool), np.zeros(n, bool), None, 0)
    if summary.user is not None and user is not None:
        by_page = by_page or differences(summary.user, summary.everyone)
        verdicts = verdicts._replace(by_page=by_page)
        alone = np.flatnonzero(row_of_page >= 0)
        alone = alone[n_pages[row_of_page[alone]] == 1]
        verdicts.compared[row_of_page[alone]] = by_page.compared[alone]
        verdicts.beyond_chance[row_of_page[alone]] = by_page.beyond_chance[alone]
        is_folder = n_pages > 1
        if is_folder.any():
            n_folders = _count_compared_folders(summary, view)
            tested = differences(user.of(is_folder), everyone.of(is_folder), n_folders)
            verdicts.compared[is_folder] = tested.compared
            verdicts.beyond_chance[is_folder] = tested.beyond_chance
            verdicts = verdicts._replace(n_folders=n_folders)
    return AllRows(
        pages,
        names,
        n_pages,
        _has_picked(pages, view, row_of_page, n),
        everyone,
        user,
        verdicts,
    )


def _count_compared_folders(summary: Summary, view: View) -> int:
    """Number of folders, whatever is searched, whose averages can be compared."""
    row_of_page, names, n_pages = _grouped(summary.facts.pages, replace(view, match=""))
    everyone, user = (
        pool(tally, row_of_page, len(names)).of(n_pages > 1)
        for tally in (summary.everyone, summary.subject)
    )
    return int(differences(user, everyone).compared.sum())


def choose_rows(
    found: AllRows,
    shown: PageStatistics,
    *,
    most: int,
    by_difference: Statistic | None = None,
) -> PageRows:
    """Choose the rows of a chart: those in which *shown* has sessions.

    At most *most* have room: those that are picked before the others, and among both
    those of most known time in *shown*. They stand in the order of everyone's time, so
    that a page stays in its place for every user; or *by_difference*, chosen and in the
    order of the user's ratio to everyone in that statistic, what is above everyone by
    more than chance first, and what is of too few sessions last.
    """
    everyone, user = found.everyone, found.user
    present = np.flatnonzero(shown.sessions)
    importance, place = -shown.seconds, -everyone.seconds
    if by_difference is not None and user is not None:
        place = np.argsort(_by_difference(found, user, by_difference)).astype(float)
        importance = place
    ranked = present[np.lexsort((importance[present], ~found.is_picked[present]))]
    rows, others = np.split(ranked, [most])
    rows = rows[np.lexsort((rows, place[rows]))]
    names = [found.names[row] for row in rows]
    return PageRows(
        _row_labels(found.pages, names, found.n_pages[rows]),
        names,
        found.n_pages[rows],
        found.is_picked[rows],
        everyone.of(rows),
        None if user is None else user.of(rows),
        found.verdicts.beyond_chance[rows],
        found.verdicts.compared[rows],
        found.verdicts.n_compared,
        found.verdicts.n_folders,
        int(found.n_pages[others].sum()),
        float(everyone.seconds[others].sum()),
    )


def found_text(pages: tuple[str, ...], view: View) -> str:
    """How many of all pages the view's search and folder leave; none without them."""
    if not view.match and not view.folder:
        return ""
    row_of_page, _, _ = _grouped(pages, view)
    n = np.count_nonzero(row_of_page >= 0)
    return f"{n:,} of {count_text(len(pages), 'page')}"


def _grouped(
    pages: tuple[str, ...], view: View
) -> tuple[NDArray[np.int64], list[str], NDArray[np.int64]]:
    """The row of each page, or -1, with the names and numbers of pages of the rows."""
    row_of_page = np.arange(len(pages))
    names, n_pages = list(pages), np.ones(len(pages), np.int64)
    if view.folder is not None:
        names, n_pages, of_page = folders(pages, view.folder)
        row_of_page = of_page.copy()
    if view.match:
        row_of_page[~_matching(pages, view.match)] = -1
        kept = np.flatnonzero(row_of_page >= 0)
        n_pages = np.bincount(row_of_page[kept], minlength=len(names))
        # Of a folder, there may be a single page left.
        names = names.copy()
        for code in kept[n_pages[row_of_page[kept]] == 1].tolist():
            names[row_of_page[code]] = pages[code]
    return row_of_page, names, n_pages


@lru_cache(maxsize=8)
def _matching(pages: tuple[str, ...], text: str) -> NDArray[np.bool_]:
    """(pages,): which names contain a text, ignoring case."""
    folded = text.casefold()
    return np.array([folded in page.casefold() for page in pages], bool)


def _has_picked(
    pages: tuple[str, ...], view: View, row_of_page: NDArray[np.int64], n_rows: int
) -> NDArray[np.bool_]:
    """(rows,): whether the view picks a page of the row."""
    wanted = frozenset(view.selection.pages)
    picked = row_of_page[[i for i, page in enumerate(pages) if page in wanted]]
    has_picked = np.zeros(n_rows, bool)
    has_picked[picked[picked >= 0]] = True
    return has_picked


def _by_difference(
    found: AllRows, user: PageStatistics, statistic: Statistic
) -> NDArray[np.int64]:
    """All rows: of enough sessions, then of few, each by the ratio to everyone.

    Before all others are those in which it is above 1 by more than chance.
    """
    own, other = user.statistics[statistic], found.everyone.statistics[statistic]
    with np.errstate(over="ignore"):
        ratio = np.nan_to_num(divide_or_nan(own, other), nan=-1.0)
    is_longer = found.verdicts.beyond_chance & (ratio > 1) & (statistic == "average")
    return np.lexsort((-ratio, ~is_longer, user.known < FEW))


def _row_labels(
    pages: tuple[str, ...], names: list[str], n_pages: NDArray[np.int64]
) -> list[str]:
    known, start = page_labels(pages), page_parts(pages).start
    is_folder = (n_pages > 1).tolist()
    if not any(is_folder):
        return [known[name] for name in names]
    bare = [
        name.removeprefix(start)
        for name, is_one in zip(names, is_folder, strict=True)
        if is_one
    ]
    short = iter(distinct(bare, LONGEST_PAGE - _FOLDER_WORDS))
    labels = [
        f"▸ {next(short)} ({count_text(n, 'page')})" if n > 1 else known[name]
        for name, n in zip(names, n_pages.tolist(), strict=True)
    ]
    # A page may be named as a folder is written.
    return distinct(labels, max(map(len, labels)))


def _margin(
    known: NDArray[np.int64], squared_deviations: NDArray[np.float64]
) -> NDArray[np.float64]:
    margin = np.full(len(known), np.nan)
    enough = known >= FEW
    n = known[enough]
    variance = squared_deviations[enough] / (n - 1)
    margin[enough] = _t_quantile(n - 1) * np.sqrt(variance / n)
    return margin


def _t_quantile(degrees: NDArray[np.int64]) -> NDArray[np.float64]:
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
    inverse = 1 / degrees
    return sum((term * inverse**k for k, term in enumerate(terms)), 0 * inverse)
