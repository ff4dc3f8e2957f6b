"""The charts by page: everyone's total time, and a user's statistic beside it."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from charts.chart import Chart, Shown, Switch
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
    labels,
    picks_names,
    user_label,
)
from charts.rows import (
    EVERY_ROW,
    AllRows,
    PageRows,
    PageStatistics,
    all_rows,
    choose_rows,
)
from charts.sentences import (
    FEW,
    STATISTICS,
    comparison,
    is_beside,
    known_duration_text,
    none_known,
    none_match,
    pages_text,
    sample_text,
)
from engine.model import QUANTILES, Statistic
from formatting import (
    count_text,
    duration_text,
    percent_text,
    plotly_lines,
    plotly_text,
    ratio_text,
    user_text,
)
from view import Order, View

_ORDERS: Final[dict[Order, str]] = {"time": "By total time", "difference": "Difference"}

_FEWEST_ROWS: Final = 4
_USUAL_ROWS: Final = 10
_ROW_HEIGHT: Final = 33
_WEAK_OPACITY: Final = 0.45
# Bars that aren't picked keep their colour: it says whose they are.
_UNPICKED: Final[Trace] = {"unselected": {"marker": {"opacity": 0.2}}}
# The values of bars at their ends: the second of what a hover says.
_TEXTS: Final[Trace] = {
    "texttemplate": "%{customdata[1]}",
    "textposition": "outside",
    "textfont": {"size": 10},
    "constraintext": "none",
    "cliponaxis": False,
}
# The interval of a few sessions may be many times as long as any bar.
_LONGEST_INTERVAL: Final = 1.5


class _ByPage(Chart):
    """A chart with a row for each page, or folder of pages."""

    own_filter = ("pages",)
    has_rows = True
    # That of the first view, if there are few pages: it needn't be drawn again.
    height = MARGIN["t"] + _USUAL_ROWS * _ROW_HEIGHT + MARGIN["b"]

    def height_of(self, shown: Shown) -> int:
        rows = self._rows(shown)
        # Few rows are as high as usual, but for those that stand above their bars.
        least = _FEWEST_ROWS if _are_tall(rows) else _USUAL_ROWS
        height = _ROW_HEIGHT * max(len(rows.names), least)
        return _top(shown) + height + MARGIN["b"]

    def others(self, shown: Shown) -> str:
        rows = self._rows(shown)
        if not rows.n_others:
            return ""
        pages = count_text(rows.n_others, "other page")
        return f"{pages}: {duration_text(rows.other_seconds)} of everyone's time."

    def _rows(self, shown: Shown, *, every_row: bool = False) -> PageRows:
        """The rows that are drawn, or all of them."""
        made, key = shown.made, (self.id, every_row)
        if key not in made:
            if AllRows not in made:
                made[AllRows] = all_rows(shown.summary, shown.view)
            most = EVERY_ROW if every_row else int(shown.view.length)
            made[key] = self._choose_rows(made[AllRows], shown.view, most)
        rows: PageRows = made[key]
        return rows

    @abstractmethod
    def _choose_rows(self, found: AllRows, view: View, most: int) -> PageRows:
        """The rows of the chart, at most *most*."""


class TotalTime(_ByPage):
    """Everyone's known durations added up by page."""

    id = "total-time"
    title = "Total Time per Page"
    compares_user = False

    def _choose_rows(self, found: AllRows, view: View, most: int) -> PageRows:
        return choose_rows(found, found.everyone, most=most)

    def numbers(self, shown: Shown, *, every_row: bool = False) -> pd.DataFrame:
        rows = self._rows(shown, every_row=every_row)
        return pd.DataFrame(
            {
                "page": rows.names,
                **_folder_columns(rows),
                "sessions": rows.everyone.sessions,
                "of unknown duration": rows.everyone.unknown,
                "time (s)": rows.everyone.seconds,
            }
        )

    def figure(self, shown: Shown) -> Figure:
        rows = self._rows(shown)
        totals = rows.everyone.seconds
        if not rows.names:
            return empty("No sessions match")
        if not rows.everyone.known.any():
            return empty("No sessions of known duration")
        unit_seconds, unit = duration_unit(float(totals.max()))
        whole = max(float(shown.summary.everyone.seconds.sum()), 1e-9)
        texts = list(map(duration_text, totals.tolist()))
        bars = {
            **_bars("everyone", EVERYONE_COLOR, totals / unit_seconds),
            **_place(rows, (-0.34, 0.68), (-0.06, 0.4)),
            **_TEXTS,
        }
        bars["customdata"] = list(
            zip(
                map(plotly_lines, rows.names),
                texts,
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
        return _by_page([bars], rows, shown, f"Total time ({unit})")

    def sentence(self, shown: Shown) -> str:
        everyone, pages = shown.summary.everyone, shown.summary.facts.pages
        seconds, whole = everyone.seconds, float(everyone.seconds.sum())
        if not everyone.known.any():
            return "No time is known."
        if not whole:
            return "0 s in total."
        picked = shown.view.selection.pages
        if picked:
            where, wanted = pages_text(picked, pages), frozenset(picked)
            codes = np.flatnonzero([page in wanted for page in pages])
            if not everyone.known[codes].any():
                return f"No time on {where} is known."
            part = float(seconds[codes].sum())
            return (
                f"{duration_text(part)} on {where}: {percent_text(part, whole)} "
                f"of {duration_text(whole)} in total."
            )
        top = int(seconds.argmax())
        share, page = percent_text(seconds[top], whole), pages_text([pages[top]], pages)
        if seconds[top] == whole:
            return f"{duration_text(whole)} in total, all of it on {page}."
        return f"{duration_text(whole)} in total; {share} on {page}."


class UserAverage(_ByPage):
    """The chosen statistic by page, the picked user's beside everyone's.

    With a user it has the pages that they have been on, without one everyone's. A bar
    of few sessions is faint; the value of an average that differs from the others' by
    more than chance is bold.
    """

    id = "user-average"
    title = "Average Session Duration by Page"
    switch = Switch("page-order", "Order", "order", _ORDERS)

    def heading(self, shown: Shown) -> str:
        return f"{STATISTICS[shown.view.statistic].label} Session Duration by Page"

    def _choose_rows(self, found: AllRows, view: View, most: int) -> PageRows:
        statistic = view.statistic if view.order == "difference" else None
        return choose_rows(found, found.subject, most=most, by_difference=statistic)

    def numbers(self, shown: Shown, *, every_row: bool = False) -> pd.DataFrame:
        statistic = shown.view.statistic
        rows = self._rows(shown, every_row=every_row)
        noun = STATISTICS[statistic].label.lower()
        columns: dict[str, Any] = {"page": rows.names, **_folder_columns(rows)}
        for whose, group in (("user", rows.user), ("everyone", rows.everyone)):
            if group is not None:
                columns[f"{whose}: sessions of known duration"] = group.known
                columns[f"{whose}: {noun} (s)"] = group.statistics[statistic]
        if rows.user is not None and statistic == "average":
            columns["user: half of 95 % interval (s)"] = rows.user.margin
            columns["more than chance"] = rows.beyond_chance
        return pd.DataFrame(columns)

    def figure(self, shown: Shown) -> Figure:
        statistic = shown.view.statistic
        rows = self._rows(shown)
        if not rows.names:
            return empty("No sessions match")
        groups = [group for group in (rows.everyone, rows.user) if group is not None]
        values = np.concatenate([group.statistics[statistic] for group in groups])
        if not (values >= 0).any():
            return empty("No sessions of known duration")
        longest = float(np.nanmax(values))
        unit_seconds, unit = duration_unit(longest)
        everyone = rows.everyone.statistics[statistic]
        # One hover serves both bars, everyone's, which is never missing.
        columns = [
            list(map(plotly_lines, rows.names)),
            [known_duration_text(s, known=s >= 0) for s in everyone.tolist()],
            [count_text(n, "session") for n in rows.everyone.known.tolist()],
        ]
        who, color, user_line, end = "everyone", EVERYONE_COLOR, "", longest
        place = _place(rows, (-0.34, 0.68), (-0.06, 0.4))
        user_traces: list[Trace] = []
        if rows.user is not None and is_beside(shown.summary):
            label = user_label(shown.view)
            columns.append(_hover_texts(rows, rows.user, statistic))
            user_line = f"{label}: %{{customdata[3]}}<br>"
            place = _place(rows, (0.02, 0.34), (0.17, 0.26))
            user_traces, end = _user_traces(label, rows, rows.user, statistic, longest)
        elif rows.user is not None:
            # Everyone is this user.
            who, color = user_label(shown.view), USER_COLOR
        bars = {**_bars(who, color, everyone / unit_seconds), **place}
        bars |= _TEXTS
        if who != "everyone":
            bars["marker"]["opacity"] = _opacities(rows.everyone)
        # The axis runs downwards: the first trace is on top.
        traces = [*user_traces[:1], bars, *user_traces[1:]]
        bars["customdata"] = list(zip(*columns, strict=True))
        bars["hovertemplate"] = (
            f"<b>%{{customdata[0]}}</b><br>{user_line}"
            f"{who}: %{{customdata[1]}} (%{{customdata[2]}})"
        )
        title = f"{STATISTICS[statistic].label} ({unit})"
        return _by_page(traces, rows, shown, title, end / unit_seconds)

    def sentence(self, shown: Shown) -> str:
        summary, statistic = shown.summary, shown.view.statistic
        noun = STATISTICS[statistic].noun
        if not summary.subject.sessions.any():
            return none_match(shown.view)
        if summary.user is None:
            words = ["Pick a user to see them beside everyone."]
        elif not summary.user.known.any():
            return none_known(shown.view)
        elif not is_beside(summary):
            words = ["Nobody else's sessions match, so there is nothing to compare."]
        else:
            rows = self._compared_rows(shown)
            if not rows.names:
                return none_match(shown.view)
            words = [] if rows.user is None else _compared(rows, rows.user, shown)
        if statistic in QUANTILES:
            if not words or (self._rows(shown).n_pages > 1).any():
                words.append(f"Folders have no bar: they have no {noun} of their own.")
            if not summary.everyone.exact:
                words.append(f"Everyone's {noun} is accurate to 1 %.")
        return " ".join(words)

    def _compared_rows(self, shown: Shown) -> PageRows:
        """All rows; where pages are picked, all pages: they may be in no row."""
        view = shown.view
        if view.selection.pages and (view.match or view.folder is not None):
            ungrouped = replace(view, match="", folder=None)
            found = all_rows(shown.summary, ungrouped)
            return choose_rows(found, found.subject, most=EVERY_ROW)
        rows = self._rows(shown)
        return self._rows(shown, every_row=True) if rows.n_others else rows


def _compared(rows: PageRows, user: PageStatistics, shown: Shown) -> list[str]:
    """The sentences that compare a user with everyone, page by page."""
    view = shown.view
    statistic, picked = view.statistic, view.selection.pages
    pages = shown.summary.facts.pages
    name, noun = user_text(view.selection.user or ""), STATISTICS[statistic].noun
    own = user.statistics[statistic]
    everyone = rows.everyone.statistics[statistic]

    def beside(row: int) -> str:
        return (
            f"{name}'s {noun} on {rows.labels[row]} is "
            f"{duration_text(own[row])} ({sample_text(int(user.known[row]))}), "
            f"everyone's {duration_text(everyone[row])}."
        )

    if picked and not user.known[rows.is_picked].any():
        return [f"{name} has no known duration on {pages_text(picked, pages)}."]
    if not user.known.any():
        return [f"{name} has no known duration on these pages."]
    comparable = (user.known >= FEW) & (everyone > 0) & (own >= 0)
    if picked:
        comparable &= rows.is_picked
        if not comparable.any():
            return [beside(int(np.where(rows.is_picked, user.known, 0).argmax()))]
    if not comparable.any():
        with_bar = np.where(own >= 0, user.known, 0)
        if with_bar.max() >= FEW:
            return [beside(int(with_bar.argmax()))]
        faint = "Faint bars: few sessions, so this may be chance."
        return [faint] if with_bar.any() else []
    # Only averages can be held against chance.
    beyond = comparable & rows.beyond_chance & (statistic == "average")
    differing = beyond & ~_about_the_same(own, everyone, beyond)
    told = next(some for some in (differing, beyond, comparable) if some.any())
    extremes = _extremes(rows, user, told, statistic)
    if statistic != "average":
        return [f"{name} spends {extremes}; whether that is chance isn't tested."]
    compared = count_text(rows.n_compared, "page" if all(rows.is_page) else "row")
    if beyond.any() and not differing.any():
        return [f"{name} spends {extremes}."]
    if beyond.any():
        test = f"Welch's t-test, corrected for {compared}"
        return [f"{name} spends {extremes}. More than chance ({test})."]
    if rows.n_compared <= 1 or picked:
        return [f"{name} spends {extremes}, which may be chance."]
    return [
        f"On none of {compared} does {name} differ from everyone by more than chance."
    ]


def _about_the_same(
    own: NDArray[np.float64],
    everyone: NDArray[np.float64],
    some: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether a user is said to be about the same as everyone, in some of the rows."""
    same = np.zeros(len(own), bool)
    for row in np.flatnonzero(some).tolist():
        same[row] = ratio_text(own[row], everyone[row]) == "1.0"
    return same


def _extremes(
    rows: PageRows,
    user: PageStatistics,
    comparable: NDArray[np.bool_],
    statistic: Statistic,
) -> str:
    """The row with the largest ratio to everyone, and the one with the smallest.

    Where a user is above everyone on all pages, or on none, it is one row only.
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
        n = count_text(int(user.known[row]), "session")
        parts.append(f"{ratio_words} on {rows.labels[row]} ({n})")
    return ", and ".join(parts)


def _folder_columns(rows: PageRows) -> dict[str, Any]:
    return {"pages": rows.n_pages} if (rows.n_pages > 1).any() else {}


def _value_texts(seconds: NDArray[np.float64]) -> list[str]:
    return [duration_text(s) if s >= 0 else "" for s in seconds.tolist()]


def _statistic_texts(
    seconds: NDArray[np.float64], counts: NDArray[np.int64]
) -> list[str]:
    """Statistics with how many sessions each is of: "30 s (5 sessions)"."""
    durations = [known_duration_text(s, known=s >= 0) for s in seconds.tolist()]
    n_sessions = [count_text(n, "session") for n in counts.tolist()]
    return [f"{d} ({n})" for d, n in zip(durations, n_sessions, strict=True)]


def _hover_texts(
    rows: PageRows, user: PageStatistics, statistic: Statistic
) -> list[str]:
    """What a hover says of each of a user's bars: how long, and how sure that is."""
    texts = []
    columns = (
        _statistic_texts(user.statistics[statistic], user.known),
        user.statistics[statistic].tolist(),
        rows.everyone.statistics[statistic].tolist(),
        user.statistics["average"].tolist(),
        user.margin.tolist(),
        user.known.tolist(),
        user.unknown.tolist(),
        rows.beyond_chance.tolist(),
    )
    for text, own, other, mean, margin, n, unknown, is_beyond in zip(
        *columns, strict=True
    ):
        if not n:
            unknowns = count_text(unknown, "session")
            texts.append(f"unknown ({unknowns} of unknown duration)")
            continue
        lines = [text]
        if n < FEW:
            lines[0] += ", may be chance"
        elif other > 0 and own >= 0:
            beside = comparison(own, other, "everyone's")
            lines[0] += f", {beside}"
        if n >= FEW and statistic == "average":
            low, high = max(mean - margin, 0), mean + margin
            interval = f"95 % interval {duration_text(low)} to {duration_text(high)}"
            may_be = "more than chance" if is_beyond else "may be chance"
            lines.append(f"{interval}, {may_be}")
        if unknown:
            lines.append(f"{unknown:,} of unknown duration")
        texts.append("<br>".join(lines))
    return texts


def _user_traces(
    label: str,
    rows: PageRows,
    user: PageStatistics,
    statistic: Statistic,
    longest: float,
) -> tuple[list[Trace], float]:
    """A user's bars and, at their ends, the values; with the end of the axis.

    *longest* and the end are in seconds. An interval is drawn as far as the axis goes.
    """
    own = user.statistics[statistic]
    unit_seconds, _ = duration_unit(longest)
    place = _place(rows, (-0.36, 0.34), (-0.11, 0.26))
    bars = {**_bars(label, USER_COLOR, own / unit_seconds), **place}
    bars["marker"]["opacity"] = _opacities(user)
    bars["hoverinfo"] = "skip"
    ends, end = own, longest
    if statistic == "average":
        ends = own + np.nan_to_num(user.margin)
        furthest = float(np.fmax.reduce(ends, initial=0.0))
        end = max(longest, min(furthest, _LONGEST_INTERVAL * longest))
        low = np.minimum(user.margin, own)
        bars["error_x"] = {
            "type": "data",
            "array": _rounded(user.margin / unit_seconds),
            "symmetric": False,
            "arrayminus": _rounded(low / unit_seconds),
            "thickness": 1,
            "width": 3,
            "color": "#566070",
        }
    texts = [
        f"\u00a0<b>{text}</b>"
        if is_beyond and statistic == "average"
        else f"\u00a0{text}"
        for text, is_beyond in zip(
            _value_texts(own), rows.beyond_chance.tolist(), strict=True
        )
    ]
    values = labels(
        _rounded(np.minimum(ends, end) / unit_seconds),
        texts,
        y0=place["offset"] + place["width"] / 2,
        textposition="middle right",
        textfont={"size": 11},
    )
    return [bars, values], end


def _opacities(group: PageStatistics) -> list[float]:
    return [_WEAK_OPACITY if n < FEW else 1 for n in group.known.tolist()]


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.round(4).tolist()]


def _bars(name: str, color: str, values: NDArray[np.float64]) -> Trace:
    # Without y, the bars are at 0, 1, 2 and so on.
    return {
        "type": "bar",
        "name": name,
        "orientation": "h",
        "x": _rounded(values),
        "marker": {"color": color},
    }


def _top(shown: Shown) -> int:
    """The margin above the rows, the same in both charts: a legend's, or none's."""
    return MARGIN["t"] if is_beside(shown.summary) else 8


def _are_tall(rows: PageRows) -> bool:
    """Whether the rows have their labels above them: beside them is no room."""
    return max(map(len, rows.labels), default=0) > LONGEST_LABEL


def _place(
    rows: PageRows, low: tuple[float, float], tall: tuple[float, float]
) -> Trace:
    """The offset from the middle of a row, and the width, of bars in rows."""
    offset, width = tall if _are_tall(rows) else low
    return {"offset": offset, "width": width}


def _by_page(
    traces: Sequence[Trace],
    rows: PageRows,
    shown: Shown,
    title: str,
    end: float = 0.0,
) -> Figure:
    """The figure of rows; the axis goes to *end*, or as far as there are values."""
    if shown.view.selection.pages:
        for trace in traces:
            if trace.get("type") == "bar":
                trace.update(highlight(rows.is_picked.tolist()) | _UNPICKED)
    is_page = rows.is_page
    longest = max(
        value for trace in traces for value in trace["x"] if value is not None
    )
    names = [
        name if page else None for name, page in zip(rows.names, is_page, strict=True)
    ]
    opens = [
        None if page else name for name, page in zip(rows.names, is_page, strict=True)
    ]
    return figure(
        traces,
        {
            **picks_names(
                "page",
                names,
                opens if any(opens) else None,
                list(map(plotly_text, rows.labels)),
            ),
            "hovermode": "y",
            "margin": {
                **MARGIN,
                "t": _top(shown),
                "l": MARGIN["r"]
                if _are_tall(rows)
                else 20 + 7 * max(map(len, rows.labels)),
                "r": 84,
            },
            "xaxis": {
                "title": {"text": title},
                # An axis of zeros alone would have them in its middle.
                "range": [0, max(end, longest) or 1],
                "fixedrange": True,
                "ticklabeloverflow": "allow",
            },
            "yaxis": _row_axis(rows),
        },
    )


def _row_axis(rows: PageRows) -> Trace:
    """The axis of rows, downwards, with their labels beside the bars or above them."""
    n_rows = len(rows.names)
    if _are_tall(rows):
        ticks = [row - 0.3 for row in range(n_rows)]
        place: Trace = {"ticklabelposition": "inside"}
    else:
        ticks, place = list(range(n_rows)), {"ticklabelstandoff": 6}
    return {
        # Where there are few rows, as high as if there were more.
        "range": [max(n_rows, _FEWEST_ROWS) - 0.5, -0.5],
        "tickvals": ticks,
        "ticktext": list(map(plotly_text, rows.labels)),
        **place,
        "ticklabeloverflow": "allow",
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
