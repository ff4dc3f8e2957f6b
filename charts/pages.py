"""The charts by page: everyone's total time, and a user's statistic beside everyone's.

Both show the pages with most time and pool the others into one row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from charts.chart import Chart, Shown
from charts.figure import (
    EVERYONE_COLOR,
    LONGEST_LABEL,
    MARGIN,
    USER_COLOR,
    Figure,
    Trace,
    duration_unit,
    empty,
    figure,
    highlight,
    picks_names,
    user_label,
)
from charts.sentences import (
    FEW,
    STATISTICS,
    comparison,
    known_duration_text,
    none_known,
    sample_text,
)
from engine.model import QUANTILES, Statistic, Summary, Tally, divide_or_nan
from formatting import (
    count_text,
    duration_text,
    name_text,
    names_text,
    percent_text,
    plotly_text,
    shorten,
    user_text,
)
from view import View

MOST_PAGES: Final = 15
"""The number of pages that have a bar of their own."""

_FEWEST_ROWS: Final = 4
_WEAK_OPACITY: Final = 0.4


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


class PageRows(NamedTuple):
    """The rows of a chart by page, from the top down."""

    names: list[str]
    """The names of the pages; "n other pages" for a row that pools the others."""
    n_named: int
    """Number of rows of one page each; at most one more row follows."""
    everyone: PageStatistics
    user: PageStatistics | None


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
        statistics=statistics,
        margin=_margin(known, squared),
    )


def page_rows(
    summary: Summary,
    shown: Tally,
    picked: tuple[str, ...] = (),
    limit: int = MOST_PAGES,
) -> PageRows:
    """Choose the rows of a chart: the pages on which *shown* has sessions.

    The first *limit* of them have a row each: those that are *picked* before the
    others, and among both those of most known time. All rows stand in the order of
    everyone's time, so that a page keeps its place from chart to chart and from user to
    user.
    """
    names, n_pages = summary.facts.pages, len(summary.facts.pages)
    present = np.flatnonzero(shown.sessions)
    is_picked = np.zeros(n_pages, bool)
    if picked and len(present) > limit:
        wanted = frozenset(picked)
        is_picked = np.array([name in wanted for name in names])
    order = np.lexsort((-shown.seconds[present], ~is_picked[present]))
    top, others = np.split(present[order], [limit])
    top = top[np.argsort(-summary.everyone.seconds[top], kind="stable")]
    row_of_page = np.full(n_pages, -1)
    row_of_page[top] = np.arange(len(top))
    row_of_page[others] = len(top)
    labels = [names[page] for page in top]
    if len(others):
        labels.append(count_text(len(others), "other page"))
    user = summary.user
    return PageRows(
        labels,
        len(top),
        pool(summary.everyone, row_of_page, len(labels)),
        None if user is None else pool(user, row_of_page, len(labels)),
    )


class TotalTime(Chart):
    """Everyone's known durations added up by page."""

    id = "total-time"
    title = "Total Time per Page"
    own_filter = ("pages",)
    compares_user = False

    def numbers(self, shown: Shown, *, every_row: bool = False) -> pd.DataFrame:
        rows = _rows(shown, shown.summary.everyone, every_row)
        return pd.DataFrame(
            {
                "page": rows.names,
                "sessions": rows.everyone.sessions,
                "of unknown duration": rows.everyone.unknown,
                "time (s)": rows.everyone.seconds,
            }
        )

    def figure(self, shown: Shown) -> Figure:
        rows = _rows(shown, shown.summary.everyone)
        totals = rows.everyone.seconds
        if not rows.everyone.known.any():
            return empty("No sessions of known duration")
        unit_seconds, unit = duration_unit(float(totals.max()))
        whole = max(float(totals.sum()), 1e-9)
        bars = _bars("everyone", EVERYONE_COLOR, totals / unit_seconds)
        bars["customdata"] = list(
            zip(
                [plotly_text(name_text(name)) for name in rows.names],
                map(duration_text, totals.tolist()),
                (100 * totals / whole).round(1).tolist(),
                rows.everyone.sessions.tolist(),
                rows.everyone.unknown.tolist(),
                strict=True,
            )
        )
        bars["hovertemplate"] = (
            "<b>%{customdata[0]}</b><br>%{customdata[1]} in total, "
            "%{customdata[2]:.1f} % of the time<br>"
            "sessions: %{customdata[3]:,} (%{customdata[4]:,} of unknown duration)"
        )
        return _by_page([bars], rows, shown.view, f"Total time ({unit})")

    def sentence(self, shown: Shown) -> str:
        everyone, pages = shown.summary.everyone, shown.summary.facts.pages
        seconds, whole = everyone.seconds, float(everyone.seconds.sum())
        if not everyone.known.any():
            return "No time is known."
        if not whole:
            return "0 s in total."
        picked = shown.view.selection.pages
        if picked:
            where, wanted = names_text(picked), frozenset(picked)
            codes = np.flatnonzero([page in wanted for page in pages])
            if not everyone.known[codes].any():
                return f"No time on {where} is known."
            part = float(seconds[codes].sum())
            return (
                f"{duration_text(part)} on {where}: {percent_text(part, whole)} "
                f"of {duration_text(whole)} in total."
            )
        top = int(seconds.argmax())
        share, page = percent_text(seconds[top], whole), name_text(pages[top])
        if seconds[top] == whole:
            return f"{duration_text(whole)} in total, all of it on {page}."
        return f"{duration_text(whole)} in total; {share} on {page}."


class UserAverage(Chart):
    """The chosen statistic by page, the picked user's beside everyone's.

    With a user it has the pages that they have been on, without one everyone's.
    """

    id = "user-average"
    title = "Average Session Duration by Page"
    own_filter = ("pages",)

    def heading(self, shown: Shown) -> str:
        return f"{STATISTICS[shown.view.statistic].label} Session Duration by Page"

    def numbers(self, shown: Shown, *, every_row: bool = False) -> pd.DataFrame:
        statistic = shown.view.statistic
        rows = _rows(shown, shown.summary.subject, every_row)
        noun = STATISTICS[statistic].label.lower()
        columns: dict[str, Any] = {"page": rows.names}
        for whose, group in (("user", rows.user), ("everyone", rows.everyone)):
            if group is not None:
                columns[f"{whose}: sessions of known duration"] = group.known
                columns[f"{whose}: {noun} (s)"] = group.statistics[statistic]
        return pd.DataFrame(columns)

    def figure(self, shown: Shown) -> Figure:
        statistic = shown.view.statistic
        rows = _rows(shown, shown.summary.subject)
        groups = [group for group in (rows.everyone, rows.user) if group is not None]
        values = np.concatenate([group.statistics[statistic] for group in groups])
        if not (values >= 0).any():
            return empty("No sessions of known duration")
        unit_seconds, unit = duration_unit(float(np.nanmax(values)))
        everyone = rows.everyone.statistics[statistic]
        # One hover serves both bars, everyone's, which is never missing.
        columns = [
            [plotly_text(name_text(name)) for name in rows.names],
            _statistic_texts(everyone, rows.everyone.known),
        ]
        bars = _bars("everyone", EVERYONE_COLOR, everyone / unit_seconds)
        traces, user_line = [bars], ""
        if rows.user is not None:
            user = rows.user.statistics[statistic]
            label = user_label(shown.view)
            columns.append(_hover_texts(rows.user, rows.everyone, statistic))
            user_line = f"{label}: %{{customdata[2]}}<br>"
            user_bars = _bars(label, USER_COLOR, user / unit_seconds)
            user_bars["marker"]["opacity"] = [
                _WEAK_OPACITY if n < FEW else 1 for n in rows.user.known.tolist()
            ]
            user_bars["hoverinfo"] = "skip"
            # The axis runs downwards: the first trace is on top.
            traces.insert(0, user_bars)
        bars["customdata"] = list(zip(*columns, strict=True))
        bars["hovertemplate"] = (
            f"<b>%{{customdata[0]}}</b><br>{user_line}everyone: %{{customdata[1]}}"
        )
        title = f"{STATISTICS[statistic].label} ({unit})"
        return _by_page(traces, rows, shown.view, title)

    def sentence(self, shown: Shown) -> str:
        summary, statistic = shown.summary, shown.view.statistic
        rows = _rows(shown, summary.subject)
        noun = STATISTICS[statistic].noun
        if rows.user is None:
            words = ["Pick a user to see them beside everyone."]
        elif not rows.user.known.any():
            return none_known(shown.view)
        else:
            words = _compared(rows, rows.user, shown.view)
        if statistic in QUANTILES:
            pages = np.count_nonzero(summary.subject.sessions)
            if pages > rows.n_named + 1:
                words.append(
                    f"No bar for the {rows.names[-1]}: a {noun} can't be made from "
                    f"several {noun}s."
                )
            if not summary.everyone.exact:
                words.append(f"Everyone's {noun} is accurate to 1 %.")
        return " ".join(words)


def _rows(shown: Shown, tally: Tally, every_row: bool = False) -> PageRows:
    limit = len(shown.summary.facts.pages) if every_row else MOST_PAGES
    return page_rows(shown.summary, tally, shown.view.selection.pages, limit)


def _compared(rows: PageRows, user: PageStatistics, view: View) -> list[str]:
    """The sentences that compare a user with everyone, page by page."""
    statistic, picked = view.statistic, view.selection.pages
    name, noun = user_text(view.selection.user or ""), STATISTICS[statistic].noun
    own = user.statistics[statistic]
    everyone = rows.everyone.statistics[statistic]

    def beside(row: int) -> str:
        return (
            f"{name}'s {noun} on {name_text(rows.names[row])} is "
            f"{duration_text(own[row])} ({sample_text(int(user.known[row]))}), "
            f"everyone's {duration_text(everyone[row])}."
        )

    comparable = (user.known >= FEW) & (everyone >= 0)
    is_named = np.arange(len(own)) < rows.n_named
    is_picked = is_named & np.array([page in picked for page in rows.names], bool)
    # A page says more than the pool of all others, and a ratio to zero says nothing.
    for better in (everyone > 0, is_named):
        if (comparable & better).any():
            comparable = comparable & better
    words = []
    if picked and not user.known[is_picked].any():
        return [f"{name} has no known duration on {names_text(picked)}."]
    if picked:
        comparable = comparable & is_picked
        if not comparable.any():
            words.append(beside(int(np.where(is_picked, user.known, 0).argmax())))
    if (comparable & (everyone > 0)).any():
        extremes = _extremes(rows, user, comparable, statistic)
        words.append(f"{name} spends {extremes}.")
    elif comparable.any():
        words.append(beside(int(np.where(comparable, own, -1).argmax())))
    if ((user.known > 0) & (user.known < FEW) & (everyone >= 0)).any():
        words.append("Faint bars: few sessions, so this may be chance.")
    return words


def _extremes(
    rows: PageRows,
    user: PageStatistics,
    comparable: NDArray[np.bool_],
    statistic: Statistic,
) -> str:
    """The page with the largest ratio to everyone, and the one with the smallest.

    Where a user is above everyone on all pages, or on none, it is one page only.
    """
    own, everyone = user.statistics[statistic], rows.everyone.statistics[statistic]
    ratio = np.full(len(own), np.nan)
    with np.errstate(over="ignore"):
        ratio[comparable] = own[comparable] / everyone[comparable]
    largest, smallest = int(np.nanargmax(ratio)), int(np.nanargmin(ratio))
    if ratio[largest] > 1 > ratio[smallest]:
        extremes = [largest, smallest]
    else:
        extremes = [largest if ratio[largest] > 1 else smallest]
    parts: list[str] = []
    for row in extremes:
        noun = "" if parts else f"everyone's {STATISTICS[statistic].noun}"
        ratio_words = comparison(own[row], everyone[row], noun)
        page, n = (
            name_text(rows.names[row]),
            count_text(int(user.known[row]), "session"),
        )
        parts.append(f"{ratio_words} on {page} ({n})")
    return ", and ".join(parts)


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


def _statistic_texts(
    seconds: NDArray[np.float64], counts: NDArray[np.int64]
) -> list[str]:
    """Statistics with how many sessions each is of: "30 s (5 sessions)"."""
    durations = [known_duration_text(s, known=s >= 0) for s in seconds.tolist()]
    n_sessions = [count_text(n, "session") for n in counts.tolist()]
    return [f"{d} ({n})" for d, n in zip(durations, n_sessions, strict=True)]


def _hover_texts(
    user: PageStatistics, everyone: PageStatistics, statistic: Statistic
) -> list[str]:
    """What a hover says of each of a user's bars: how long, and how sure that is."""
    texts = []
    columns = (
        _statistic_texts(user.statistics[statistic], user.known),
        user.statistics[statistic].tolist(),
        everyone.statistics[statistic].tolist(),
        user.statistics["average"].tolist(),
        user.margin.tolist(),
        user.known.tolist(),
        user.unknown.tolist(),
    )
    for text, own, other, mean, margin, n, unknown in zip(*columns, strict=True):
        if not n:
            unknowns = count_text(unknown, "session")
            texts.append(f"unknown ({unknowns} of unknown duration)")
            continue
        lines = [text]
        if n < FEW:
            lines[0] += ", may be chance"
        elif other > 0:
            beside = comparison(own, other, "everyone's")
            lines[0] += f", {beside}"
        if n >= FEW and statistic == "average":
            low, high = max(mean - margin, 0), mean + margin
            lines.append(f"95 % interval {duration_text(low)} to {duration_text(high)}")
        if unknown:
            lines.append(f"{unknown:,} of unknown duration")
        texts.append("<br>".join(lines))
    return texts


def _bars(name: str, color: str, values: NDArray[np.float64]) -> Trace:
    # Without y, the bars are at 0, 1, 2 and so on, and never at their labels: two long
    # names may be shortened to the same one.
    return {
        "type": "bar",
        "name": name,
        "orientation": "h",
        "x": [None if np.isnan(value) else value for value in values.round(4).tolist()],
        "marker": {"color": color},
    }


def _by_page(traces: Sequence[Trace], rows: PageRows, view: View, title: str) -> Figure:
    n_rows, names = len(rows.names), rows.names[: rows.n_named]
    if view.selection.pages:
        is_picked = [name in view.selection.pages for name in names]
        is_picked += [False] * (n_rows - len(names))
        for trace in traces:
            trace.update(highlight(is_picked))
    labels = [shorten(name, LONGEST_LABEL) for name in rows.names]
    # An axis of zeros alone would have them in its middle.
    only_zeros = not any(value for trace in traces for value in trace["x"])
    return figure(
        traces,
        {
            **picks_names("page", names),
            "hovermode": "y",
            "margin": {**MARGIN, "l": 20 + 7 * max(map(len, labels))},
            "xaxis": {
                "title": {"text": title},
                **({"range": [0, 1]} if only_zeros else {}),
                "fixedrange": True,
                "ticklabeloverflow": "allow",
            },
            "yaxis": {
                # Downwards; where there are few rows, as high as if there were more.
                "range": [max(n_rows, _FEWEST_ROWS) - 0.5, -0.5],
                "tickvals": list(range(n_rows)),
                "ticktext": list(map(plotly_text, labels)),
                "ticklabelstandoff": 6,
                "ticklabeloverflow": "allow",
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
        },
    )
