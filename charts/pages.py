"""The charts by page: everyone's total time, and a user's statistic beside it."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Final, NamedTuple
from unicodedata import east_asian_width

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
    duration_ticks,
    empty,
    figure,
    highlight,
    labels,
    picks_names,
    rounded,
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
from engine.model import QUANTILES, Statistic, divide_or_nan
from formatting import (
    count_text,
    duration_text,
    names_text,
    percent_text,
    plotly_lines,
    plotly_text,
    ratio_text,
    user_text,
)
from labels import LONGEST_PAGE, distinct
from view import Order, View

_ORDERS: Final[dict[Order, str]] = {"time": "Total time", "difference": "Difference"}

_FEWEST_ROWS: Final = 4
_USUAL_ROWS: Final = 10
_ROW_HEIGHT: Final = 33
_TALL_ROW_HEIGHT: Final = 48
"""That of a row of two bars with its label above them."""
# Pixels: for values at the ends of bars, of a chart on a phone, and of a tick.
_RIGHT: Final = 84
_PHONE: Final = 333
_TICK_WIDTH: Final = 45
_WEAK_OPACITY: Final = 0.45
# Bars that aren't picked keep their colour: it says whose they are.
_UNPICKED: Final[Trace] = {"unselected": {"marker": {"opacity": 0.2}}}
_LONGEST_FINDING: Final = 210
_MOST_TOLD: Final = 3
_LONGEST_TOLD: Final = (2 * LONGEST_PAGE, 24)
# The interval of a few sessions may be many times as long as any bar.
_LONGEST_INTERVAL: Final = 1.5


def _all_rows(shown: Shown) -> AllRows:
    return shown.once(AllRows, lambda: all_rows(shown.summary, shown.view))


class _ByPage(Chart):
    """A chart with a row for each page, or folder of pages."""

    own_filter = ("pages",)
    has_rows = True
    # That of the first view, if there are few pages: it needn't be drawn again.
    height = MARGIN["t"] + _USUAL_ROWS * _ROW_HEIGHT + MARGIN["b"]

    def height_of(self, shown: Shown) -> int:
        rows = self.rows(shown)
        # Few rows are as high as usual, but for those that stand above their bars.
        least = _FEWEST_ROWS if _are_tall(shown) else _USUAL_ROWS
        is_taller = _are_tall(shown) and is_beside(shown.summary)
        row_height = _TALL_ROW_HEIGHT if is_taller else _ROW_HEIGHT
        return _top(shown) + row_height * max(len(rows.names), least) + MARGIN["b"]

    def others(self, shown: Shown) -> str:
        rows = self.rows(shown)
        if not rows.n_others:
            return ""
        pages = count_text(rows.n_others, "other page")
        return f"{pages}: {duration_text(rows.other_seconds)} of everyone's time."

    def rows(self, shown: Shown, *, every_row: bool = False) -> PageRows:
        """The rows that are drawn, or all of them."""
        most = EVERY_ROW if every_row else int(shown.view.length)
        return shown.once(
            (self.id, every_row),
            lambda: self._choose_rows(_all_rows(shown), shown.view, most),
        )

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
        rows = self.rows(shown, every_row=every_row)
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
        rows = self.rows(shown)
        totals = rows.everyone.seconds
        if not rows.names:
            return empty("No sessions match")
        if not rows.everyone.known.any():
            return empty("No sessions of known duration")
        whole = max(float(shown.summary.everyone.seconds.sum()), 1e-9)
        texts = list(map(duration_text, totals.tolist()))
        bars = {
            **_bars("everyone", EVERYONE_COLOR, totals),
            **_alone(shown),
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
        values = _values([_Drawn(bars, totals, texts)])
        return _by_page([bars, values], rows, shown, "Total time")

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
        rows = self.rows(shown, every_row=every_row)
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
        rows = self.rows(shown)
        if not rows.names:
            return empty("No sessions match")
        groups = [group for group in (rows.everyone, rows.user) if group is not None]
        values = np.concatenate([group.statistics[statistic] for group in groups])
        if not (values >= 0).any():
            return empty("No sessions of known duration")
        longest = float(np.nanmax(values))
        everyone = rows.everyone.statistics[statistic]
        texts = [known_duration_text(s, known=s >= 0) for s in everyone.tolist()]
        # One hover serves both bars, everyone's, which is never missing.
        columns = [
            list(map(plotly_lines, rows.names)),
            texts,
            [count_text(n, "session") for n in rows.everyone.known.tolist()],
        ]
        who, user_line, end = "everyone", "", longest
        bars = {**_bars(who, EVERYONE_COLOR, everyone), **_alone(shown)}
        drawn = [_Drawn(bars, everyone, texts)]
        if rows.user is not None and is_beside(shown.summary):
            label = user_label(shown.view)
            columns.append(_hover_texts(rows, rows.user, statistic))
            user_line = f"{label}: %{{customdata[3]}}<br>"
            bars.update(_below(shown))
            own, end = _users(shown, rows, rows.user, longest)
            # The axis runs downwards: the first trace is on top.
            drawn = [own, *drawn]
        elif rows.user is not None:
            # Everyone is this user.
            who = user_label(shown.view)
            opacities = _opacities(rows.everyone)
            bars |= {"name": who, "marker": {"color": USER_COLOR, "opacity": opacities}}
        bars["customdata"] = list(zip(*columns, strict=True))
        bars["hovertemplate"] = (
            f"<b>%{{customdata[0]}}</b><br>{user_line}"
            f"{who}: %{{customdata[1]}} (%{{customdata[2]}})"
        )
        traces = [*(one.bars for one in drawn), _values(drawn)]
        return _by_page(traces, rows, shown, STATISTICS[statistic].label, end)

    def sentence(self, shown: Shown) -> str:
        summary, statistic = shown.summary, shown.view.statistic
        noun, words = STATISTICS[statistic].noun, list[str]()
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
            is_bold = bool(self.rows(shown).beyond_chance.any())
            if rows.user is not None:
                words = _compared(rows, rows.user, shown, is_bold=is_bold)
        if statistic in QUANTILES:
            if (self.rows(shown).n_pages > 1).any():
                words.append(f"Folders have no bar: they have no {noun} of their own.")
            if not summary.everyone.exact:
                words.append(f"Everyone's {noun} is accurate to 1 %.")
        return " ".join([*words, *self._key(shown, words)])

    def _key(self, shown: Shown, words: Sequence[str]) -> list[str]:
        """What faint bars, bold values and lines mean, where there are any."""
        rows, statistic = self.rows(shown), shown.view.statistic
        user = rows.user
        if user is None:
            return []
        has_bar = user.statistics[statistic] >= 0
        key = []
        if (has_bar & (user.known < FEW)).any():
            key.append(f"Faint: fewer than {FEW} sessions.")
        if statistic == "average" and is_beside(shown.summary):
            is_said = any("More than chance (bold)" in sentence for sentence in words)
            if rows.beyond_chance.any() and not is_said:
                key.append("Bold: more than chance.")
            if (user.margin > 0).any():
                key.append("Lines: 95 % intervals.")
        return key

    def _compared_rows(self, shown: Shown) -> PageRows:
        """All rows; where pages are picked, all pages: they may be in no row."""
        rows, view = self.rows(shown), shown.view
        if view.selection.pages and (view.match or view.folder is not None):
            ungrouped = replace(view, match="", folder=None)
            by_page = _all_rows(shown).verdicts.by_page
            found = all_rows(shown.summary, ungrouped, by_page)
            return choose_rows(found, found.subject, most=EVERY_ROW)
        return self.rows(shown, every_row=True) if rows.n_others else rows


def _compared(
    rows: PageRows, user: PageStatistics, shown: Shown, *, is_bold: bool
) -> list[str]:
    """The sentences that compare a user with everyone, page by page.

    *is_bold* says whether what is more than chance is bold somewhere in the chart.
    """
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
        few = f"Too few sessions on each page to compare {name} with everyone."
        return [few] if with_bar.any() else []
    if statistic != "average":
        # Only averages can be held against chance.
        extremes = _extremes(rows, user, comparable, statistic)
        return [f"{name} spends {extremes}; whether that is chance isn't tested."]
    beyond = comparable & rows.beyond_chance
    differing = beyond & ~_about_the_same(own, everyone, beyond)
    if differing.any():
        return [_finding(name, rows, user, differing, is_bold=is_bold)]
    if beyond.any():
        return [f"{name} spends {_extremes(rows, user, beyond, statistic)}."]
    if picked and comparable.sum() == 1:
        extremes = _extremes(rows, user, comparable, statistic)
        return [f"{name} spends {extremes}, which may be chance."]
    return [_no_finding(name, rows, comparable & rows.is_compared)]


def _no_finding(name: str, rows: PageRows, tested: NDArray[np.bool_]) -> str:
    """Say that a user differs from everyone in none of the rows that are *tested*."""
    if not tested.any():
        return f"Too few sessions to tell whether {name} differs by more than chance."
    is_folder = rows.n_pages[tested] > 1
    if len(is_folder) == 1:
        row, noun = int(tested.argmax()), "folder" if is_folder[0] else "page"
        return (
            f"On {rows.labels[row]}, the only {noun} with enough sessions, {name} "
            "doesn't differ from everyone by more than chance."
        )
    return (
        f"On none of {_pages_and_folders(is_folder)} does {name} differ from everyone "
        "by more than chance."
    )


def _pages_and_folders(is_folder: NDArray[np.bool_]) -> str:
    """Format how many are which: "3 pages", "1 folder", "3 pages and 2 folders"."""
    n_folders = int(is_folder.sum())
    numbers = ((len(is_folder) - n_folders, "page"), (n_folders, "folder"))
    return " and ".join(count_text(n, noun) for n, noun in numbers if n)


def _finding(
    name: str,
    rows: PageRows,
    user: PageStatistics,
    differing: NDArray[np.bool_],
    *,
    is_bold: bool,
) -> str:
    """Where a user's average is above everyone's, and where below.

    Up to three rows are named, those of the largest ratio: as many as there is room for
    in a short sentence.
    """
    own, everyone = user.statistics["average"], rows.everyone.statistics["average"]
    with np.errstate(over="ignore"):
        ratio = divide_or_nan(own, everyone)
    order = np.argsort(-ratio, kind="stable")
    order = order[differing[order]]
    longer, shorter = order[ratio[order] > 1], order[ratio[order] <= 1][::-1]
    is_folder = rows.n_pages > 1

    def where(
        places: NDArray[np.int64], most: int, longest: int, noun: str = ""
    ) -> str:
        parts: list[str] = []
        told = places[:most].tolist()
        names = distinct([rows.labels[row] for row in told], longest)
        for row, label in zip(told, names, strict=True):
            words = comparison(own[row], everyone[row], "" if parts else noun)
            if noun and len(places) == 1:
                words += f", {count_text(int(user.known[row]), 'session')}"
            parts.append(f"{label} ({words})")
        listed = names_text(parts)
        if len(parts) == len(places) == 1:
            return listed
        many = _pages_and_folders(is_folder[places])
        if not parts:
            return many
        return f"{many}{':' if len(parts) == len(places) else ', most on'} {listed}"

    tested = np.repeat([False, True], (rows.n_compared, rows.n_folders))
    among = {bool(folder) for folder in is_folder[differing]}
    tested = tested[np.isin(tested, list(among))]
    test = f"More than chance{' (bold)' if is_bold else ''}"
    test += f", corrected for {_pages_and_folders(tested)}."
    noun, text = "everyone's average", ""
    for most, longest in product(range(_MOST_TOLD, 0, -1), _LONGEST_TOLD):
        if not len(longer):
            text = f"{name} is quick on {where(shorter, most, longest, noun)}. {test}"
        else:
            text = f"{name} lingers on {where(longer, most, longest, noun)}"
            if len(shorter):
                only = int(len(shorter) == 1)
                text += f"; is quick on {where(shorter, only, longest)}"
            text += f". {test}"
        if len(text) <= _LONGEST_FINDING:
            break
    return text


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


class _Drawn(NamedTuple):
    """Bars, and what is written at their ends."""

    bars: Trace
    ends: NDArray[np.float64]
    """(rows,): where a bar ends, or its interval, in seconds; NaN without a bar."""
    texts: list[str]
    """(rows,): the values."""


def _users(
    shown: Shown, rows: PageRows, user: PageStatistics, longest: float
) -> tuple[_Drawn, float]:
    """A user's bars above everyone's, with the end of the axis in seconds.

    An interval is drawn as far as the axis goes. Where there is none, a line of no
    length is drawn: it has no caps, so that nothing is seen of it.
    """
    statistic = shown.view.statistic
    own = user.statistics[statistic]
    bars = {**_bars(user_label(shown.view), USER_COLOR, own), **_above(shown)}
    bars["marker"]["opacity"] = _opacities(user)
    bars["hoverinfo"] = "skip"
    ends, end = own, longest
    is_bold = np.zeros(len(own), bool)
    if statistic == "average":
        is_bold = rows.beyond_chance
        ends = own + np.nan_to_num(user.margin)
        furthest = float(np.fmax.reduce(ends, initial=0.0))
        end = max(longest, min(furthest, _LONGEST_INTERVAL * longest))
        low = np.minimum(user.margin, own)
        bars["error_x"] = {
            "type": "data",
            "array": rounded(user.margin, 4),
            "symmetric": False,
            "arrayminus": rounded(low, 4),
            "thickness": 1.5,
            "width": 0,
            "color": "#566070",
        }
    texts = [
        f"<b>{duration_text(s)}</b>" if bold else duration_text(s) if s >= 0 else ""
        for s, bold in zip(own.tolist(), is_bold.tolist(), strict=True)
    ]
    return _Drawn(bars, np.minimum(ends, end), texts), end


def _values(drawn: Sequence[_Drawn]) -> Trace:
    """The values at the ends of all bars: one trace of text is faster than several."""
    x: list[float | None] = []
    y: list[float] = []
    texts: list[str] = []
    for bars, ends, values in drawn:
        middle = bars["offset"] + bars["width"] / 2
        x += rounded(ends, 4)
        y += [round(row + middle, 3) for row in range(len(values))]
        texts += [f"\u00a0{text}" for text in values]
    return labels(x, texts, y=y, textposition="middle right", textfont={"size": 11})


def _opacities(group: PageStatistics) -> list[float]:
    return [_WEAK_OPACITY if n < FEW else 1 for n in group.known.tolist()]


def _bars(name: str, color: str, values: NDArray[np.float64]) -> Trace:
    # Without y, the bars are at 0, 1, 2 and so on.
    return {
        "type": "bar",
        "name": name,
        "orientation": "h",
        "x": rounded(values, 4),
        "marker": {"color": color},
    }


def _top(shown: Shown) -> int:
    """The margin above the rows, the same in both charts: a legend's, or none's."""
    return MARGIN["t"] if is_beside(shown.summary) else 8


def _are_tall(shown: Shown) -> bool:
    """Whether rows have their labels above them, since beside some is no room.

    It is the same for both charts, which are as high as each other.
    """

    def make() -> bool:
        charts = (TotalTime(), UserAverage())
        lengths = [len(label) for c in charts for label in c.rows(shown).labels]
        return max(lengths, default=0) > LONGEST_LABEL

    return shown.once(_are_tall, make)


def _alone(shown: Shown) -> Trace:
    """The offset from the middle of a row, and the width, of the only bar in it."""
    if not _are_tall(shown):
        return {"offset": -0.34, "width": 0.68}
    if is_beside(shown.summary):
        return {"offset": -0.12, "width": 0.46}
    return {"offset": -0.02, "width": 0.36}


def _above(shown: Shown) -> Trace:
    """The offset from the middle of a row, and the width, of the upper of two bars."""
    offset, width = (-0.115, 0.25) if _are_tall(shown) else (-0.38, 0.34)
    return {"offset": offset, "width": width}


def _below(shown: Shown) -> Trace:
    """The offset from the middle of a row, and the width, of the lower of two bars."""
    offset, width = (0.185, 0.25) if _are_tall(shown) else (0.04, 0.34)
    return {"offset": offset, "width": width}


def _by_page(
    traces: Sequence[Trace],
    rows: PageRows,
    shown: Shown,
    title: str,
    end: float = 0.0,
) -> Figure:
    """The figure of rows; the axis goes to *end* seconds, or as far as the values."""
    if shown.view.selection.pages:
        for trace in traces:
            if trace.get("type") == "bar":
                trace.update(highlight(rows.is_picked.tolist()) | _UNPICKED)
    is_page = rows.is_page
    values = [value for trace in traces for value in trace["x"] if value is not None]
    # An axis of zeros alone would have them in its middle.
    end = max(end, *values) or 1
    names = [
        name if page else None for name, page in zip(rows.names, is_page, strict=True)
    ]
    opens = [
        None if page else name for name, page in zip(rows.names, is_page, strict=True)
    ]
    is_tall = _are_tall(shown)
    left = MARGIN["r"] if is_tall else 20 + max(map(_label_width, rows.labels))
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
            # Without everyone's, or a user's, beside it there is nothing to tell apart.
            **({"showlegend": False} if len(traces) == 2 else {}),
            "margin": {
                **MARGIN,
                "t": _top(shown),
                "l": left,
                "r": _RIGHT,
            },
            "xaxis": {
                "title": {"text": title},
                "range": [0, end],
                **duration_ticks(end, _most_ticks(left)),
                "tickangle": 0,
                "fixedrange": True,
                "ticklabeloverflow": "allow",
            },
            "yaxis": _row_axis(rows, is_tall=is_tall),
        },
    )


def _label_width(label: str) -> int:
    """About how many pixels a label takes: most letters 7, the wide ones more."""
    n_wide = sum(east_asian_width(letter) in "FW" for letter in label)
    n_capitals = sum(map(str.isupper, label))
    return 7 * len(label) + 6 * n_wide + 2 * n_capitals + 5 * label.count("%")


def _most_ticks(left: int) -> int:
    """How many ticks a phone has room for, beside a margin of so many pixels."""
    return max((_PHONE - left - _RIGHT) // _TICK_WIDTH - 1, 1)


def _row_axis(rows: PageRows, *, is_tall: bool) -> Trace:
    """The axis of rows, downwards, with their labels beside the bars or above them."""
    n_rows = len(rows.names)
    if is_tall:
        ticks = [row - 0.34 for row in range(n_rows)]
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
