"""The distribution of durations: everyone's, with the picked user's over it."""

import math
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from charts.chart import Chart, Shown, Switch
from charts.figure import (
    EVERYONE_COLOR,
    MARGIN,
    UNITS,
    USER_COLOR,
    Figure,
    Trace,
    duration_unit,
    empty,
    figure,
    highlight,
    labels,
    picks_range,
    step_line,
    user_label,
    value_axis,
)
from charts.sentences import (
    FEW,
    STATISTICS,
    comparison,
    filter_texts,
    is_beside,
    none_known,
    sample_text,
    statistic_sentence,
    subject_text,
)
from engine.model import Selection, Statistic, Summary, Tally
from formatting import count_text, duration_text, percent_text, span_text
from view import Scale

_LOG_TICKS: Final = {
    0.0: "0 s",
    1.0: "1 s",
    10.0: "10 s",
    60.0: "1 min",
    600.0: "10 min",
    3_600.0: "1 h",
    36_000.0: "10 h",
    86_400.0: "1 day",
    864_000.0: "10 days",
    8_640_000.0: "100 days",
}
_POINTER_COLOR: Final = "#8a94a0"
_LINE: Final = 0.075
"""The height of a line of text, as a share of the plot's."""


class Histogram(NamedTuple):
    """Numbers of sessions by duration, on a linear or a logarithmic axis."""

    edges: NDArray[np.float64]
    """(bins + 1,): bin i is [edges[i], edges[i + 1]), in seconds."""
    everyone: NDArray[np.int64]
    """(bins,): number of everyone's sessions of known duration."""
    user: NDArray[np.int64] | None
    """(bins,): the same for the user; None without a user."""


def histogram(summary: Summary, scale: Scale) -> Histogram:
    """The histogram of a summary on an axis of this scale."""
    edges, everyone, user = summary.facts.edges, summary.everyone, summary.user
    if scale == "linear":
        counts = None if user is None else user.linear_histogram
        return Histogram(edges.linear, everyone.linear_histogram, counts)
    counts = None if user is None else user.log_histogram
    return Histogram(edges.logarithmic, everyone.log_histogram, counts)


def bin_of(seconds: float, edges: NDArray[np.float64]) -> int:
    """The number of the bin of a duration; its last edge belongs to the last bin."""
    return min(int(np.searchsorted(edges, seconds, side="right")), len(edges) - 1) - 1


class _Axis(NamedTuple):
    """The x axis, on which one bar stands apart from the others.

    That is the bar without a place on the axis: on a linear one the tail, which has no
    end, on a logarithmic one the zeros. Two empty bars keep the distance.
    """

    bar_width: float
    """Width of all bars, in units of the axis."""
    gap_at: int
    """The number of bars before the two empty ones."""
    layout: dict[str, Any]
    """Title and ticks."""
    is_log: bool = False

    def spaced(self, values: list[Any], between: Any = None) -> list[Any]:
        """Values by bin to values by bar, with the empty bars' in between."""
        return [*values[: self.gap_at], between, between, *values[self.gap_at :]]

    def place(self, seconds: float, edges: NDArray[np.float64]) -> float:
        """Where a duration is on the axis, between the edges of its bar.

        What has no place of its own is in the middle: the zeros, and the tail.
        """
        i = bin_of(seconds, edges)
        low, high = edges[i : i + 2].tolist()
        if high == np.inf or (self.is_log and not low):
            share = 0.5
        elif self.is_log:
            share = math.log(seconds / low) / math.log(high / low)
        else:
            share = (seconds - low) / (high - low)
        empty_bars = 2 if i >= self.gap_at else 0
        return round((i + empty_bars + share) * self.bar_width, 4)


class _Shares(NamedTuple):
    """How somebody's sessions of known duration are shared among the bins."""

    name: str
    """Whose sessions they are, escaped for Plotly."""
    color: str
    counts: list[int]
    """(bins,): numbers of sessions."""
    percent: list[float]
    """(bins,): the same as shares."""
    tail: str
    """The last of these in words."""
    seconds: float
    """The statistic of the durations."""


class Durations(Chart):
    """Shares of everyone's sessions by duration, and of the user's.

    Both are in percent of the sessions of known duration, so that one user and everyone
    can be laid over each other.
    """

    id = "durations"
    title = "Session Duration Distribution"
    own_filter = ("shortest", "longest")
    width = "full"
    zoomable = True
    switch = Switch(
        "scale", "Axis", "scale", {"linear": "Linear", "log": "Logarithmic"}
    )

    def numbers(self, shown: Shown, *, every_row: bool = False) -> pd.DataFrame:
        bins = histogram(shown.summary, shown.view.scale)
        ends = np.where(np.isinf(bins.edges[1:]), np.nan, bins.edges[1:])
        columns: dict[str, Any] = {"from (s)": bins.edges[:-1], "to (s)": ends}
        if bins.user is not None:
            columns["user: sessions"] = bins.user
        return pd.DataFrame({**columns, "everyone: sessions": bins.everyone})

    def figure(self, shown: Shown) -> Figure:
        view = shown.view
        bins = histogram(shown.summary, view.scale)
        if not bins.everyone.any():
            return empty("No sessions of known duration")
        spans = [span_text(*edges) for edges in pairwise(bins.edges.tolist())]
        axis = (_linear_axis if view.scale == "linear" else _log_axis)(bins.edges)
        shares = _drawn_shares(shown, bins)
        all_ = shares[-1]
        bars: Trace = {
            "type": "bar",
            "name": all_.name,
            "x0": axis.bar_width / 2,
            "dx": axis.bar_width,
            "y": axis.spaced(all_.percent),
            "marker": {"color": all_.color},
            **highlight(_picked_bars(bins.edges, view.selection, axis)),
        }
        traces, columns, user_line = [bars], [spans, all_.counts], ""
        for own in shares[:-1]:
            columns += [[round(share, 1) for share in own.percent], own.counts]
            user_line = (
                f"{own.name}'s sessions: %{{customdata[3]:,}} "
                "(%{customdata[2]:.1f} %)<br>"
            )
            traces.append(_steps(own, axis))
        bars["customdata"] = axis.spaced(list(zip(*columns, strict=True)))
        bars["hovertemplate"] = (
            f"<b>%{{customdata[0]}}</b><br>{user_line}"
            f"{all_.name}'s sessions: %{{customdata[1]:,}} (%{{y:.1f}} %)"
        )
        end = axis.bar_width * (len(spans) + 2)
        top = _top(shares, view.scale)
        traces.append(_statistics(shares, axis, bins.edges, view.statistic, top))
        notes = []
        if view.scale == "linear":
            notes = [_note_on_the_tail(shares, bins.edges, end)]
        edges = [None if edge == np.inf else edge for edge in _short(bins.edges)]
        return figure(
            traces,
            {
                **picks_range(("min", "max"), axis.spaced(edges, edges[axis.gap_at])),
                "bargap": 0.06,
                "hovermode": "x",
                "margin": MARGIN,
                # A zoom is kept where the axis means the same.
                "uirevision": f"{view.scale}{axis.layout.get('ticksuffix', '')}",
                "xaxis": {
                    **axis.layout,
                    "range": [0, end],
                    # Below the zero of the other axis.
                    "ticklabelstandoff": 5,
                    "ticklabeloverflow": "allow",
                },
                "yaxis": {**value_axis("Share of sessions"), **_share_axis(top)},
                **({"annotations": notes} if notes else {}),
            },
        )

    def sentence(self, shown: Shown) -> str:
        everyone, user = shown.summary.everyone, shown.summary.user
        n, unknown = int(everyone.known.sum()), int(everyone.unknown.sum())
        if not n:
            return "No duration is known."
        subject = subject_text(shown.view)
        if user is not None and user.known.any():
            words = [_user_beside_everyone(shown, user)]
        else:
            words = [statistic_sentence(shown.view.statistic, "everyone", _all(shown))]
            words[0] += f" ({sample_text(n)})." if n < FEW else "."
            if user is not None:
                words.insert(0, none_known(shown.view))
        words += _share_within_the_filter(shown)
        if unknown and not is_beside(shown.summary):
            words.append(
                f"{count_text(unknown, 'session')} of unknown duration left out."
            )
        elif unknown and user is not None:
            words.append(
                f"Unknown durations left out: {user.unknown.sum():,} of {subject}'s, "
                f"{unknown:,} of everyone's."
            )
        return " ".join(words)


def _shares(
    name: str, color: str, counts: NDArray[np.int64], seconds: float
) -> _Shares:
    n = int(counts.sum())
    percent = _short(np.round(100 * counts / n, 2))
    tail = percent_text(int(counts[-1]), n)
    return _Shares(name, color, counts.tolist(), percent, tail, seconds)


def _top(shares: list[_Shares], scale: Scale) -> float:
    """Where the axis of shares ends, so that no text is in the way of another.

    Above the highest bar, and above the note on the tail that stands on the last one,
    there is a line of text for each statistic.
    """
    lines = 1 - _LINE * (len(shares) + 0.5)
    top = max(height for share in shares for height in share.percent) / lines
    if scale == "linear":
        tail = max(share.percent[-1] for share in shares)
        top = max(top, tail / (lines - _LINE * 1.8))
    return round(top, 2)


def _share_axis(top: float) -> dict[str, Any]:
    """An axis of shares in percent: it may be higher than 100 %, but says no more."""
    steps = (n * 10.0**k for k in range(-2, 2) for n in (1, 2, 5))
    step = next((step for step in steps if top <= 7 * step), 20.0)
    ticks = np.arange(int(min(top, 100) / step + 1e-9) + 1) * step
    return {
        "range": [0, top],
        "tickvals": _short(np.round(ticks, 3)),
        "ticktext": [f"{tick:.3g} %" for tick in ticks.tolist()],
    }


def _short(values: NDArray[np.float64]) -> list[float]:
    """Values of which whole ones are written without a decimal."""
    return [int(v) if v.is_integer() else v for v in values.tolist()]


def _linear_axis(edges: NDArray[np.float64]) -> _Axis:
    unit_seconds, unit = duration_unit(float(edges[-2]))
    width = round(float(edges[1]) / unit_seconds, 6)
    title = {"text": "Session duration"}
    # Ticks of their own would be none where the axis is zoomed.
    ticks = {"ticksuffix": f" {UNITS[unit]}"}
    return _Axis(width, len(edges) - 2, {"title": title, **ticks})


def _log_axis(edges: NDArray[np.float64]) -> _Axis:
    ticks = {
        seconds: text for seconds, text in _LOG_TICKS.items() if seconds <= edges[-1]
    }
    axis = _Axis(1.0, 1, {}, is_log=True)
    places = [axis.place(seconds, edges) for seconds in ticks]
    title = {"text": "Session duration (logarithmic)"}
    layout = {"title": title, "tickvals": places, "ticktext": list(ticks.values())}
    return axis._replace(layout={**layout, "ticks": "outside"})


def _picked_bars(
    edges: NDArray[np.float64], selection: Selection, axis: _Axis
) -> list[bool] | None:
    shortest, longest = selection.shortest, selection.longest
    if shortest is None and longest is None:
        return None
    end = np.inf if longest is None else longest
    picked = [low < end and high > (shortest or 0) for low, high in pairwise(edges)]
    return axis.spaced(picked, False)


def _steps(own: _Shares, axis: _Axis) -> Trace:
    # From edge to edge: each run of bars ends at the last edge of its own.
    heights = own.percent
    steps = axis.spaced([*heights, heights[-1]])
    steps[axis.gap_at] = steps[axis.gap_at - 1]
    return {**step_line(own.name), "x0": 0, "dx": axis.bar_width, "y": steps}


def _drawn_shares(shown: Shown, bins: Histogram) -> list[_Shares]:
    """Everyone's shares, and before them the user's where there are any."""
    view, statistic = shown.view, shown.view.statistic
    summary = shown.summary
    everyone = _shares("everyone", EVERYONE_COLOR, bins.everyone, _all(shown))
    if summary.user is None or bins.user is None or not bins.user.any():
        return [everyone]
    seconds = summary.user.overall(statistic)
    own = _shares(user_label(view), USER_COLOR, bins.user, seconds)
    return [own, everyone] if is_beside(summary) else [own]


def _statistics(
    shares: list[_Shares],
    axis: _Axis,
    edges: NDArray[np.float64],
    statistic: Statistic,
    top: float,
) -> Trace:
    """Where the statistic of each lies: a pointer from its value down to the bars."""
    end = axis.bar_width * (len(edges) + 1)
    places = [axis.place(share.seconds, edges) for share in shares]
    # A pointer stands before another's text, not in it.
    order = np.argsort(places if max(places) < end / 2 else np.negative(places))
    shares, places = [shares[i] for i in order], [places[i] for i in order]
    heights = [round(top * (1 - _LINE * (n + 0.5)), 2) for n in range(len(shares))]
    bins = [bin_of(share.seconds, edges) for share in shares]
    bars = [max(share.percent[i] for share in shares) for i in bins]
    drops = [round(y - bar, 2) for y, bar in zip(heights, bars, strict=True)]
    noun = STATISTICS[statistic].noun
    return labels(
        places,
        [f"{noun} {duration_text(share.seconds)}" for share in shares],
        y=heights,
        mode="markers+text",
        textposition=[f"middle {'right' if x < end / 2 else 'left'}" for x in places],
        marker={
            "symbol": "triangle-down",
            "size": 10,
            "color": [share.color for share in shares],
        },
        error_y={
            "array": [0] * len(drops),
            "arrayminus": drops,
            "width": 0,
            "thickness": 1,
            "color": _POINTER_COLOR,
        },
    )


def _note_on_the_tail(
    shares: list[_Shares], edges: NDArray[np.float64], end: float
) -> dict[str, Any]:
    words = span_text(*edges[-2:].tolist())
    if len(shares) == 1:
        words += f": {shares[0].tail}"
    else:
        squares = (
            f'<span style="color:{share.color}">■</span> {share.tail}'
            for share in shares
        )
        words += f"<br>{' '.join(squares)}"
    return {
        "text": words,
        "bgcolor": "#fff",
        "x": end,
        "xanchor": "right",
        "align": "right",
        "y": max(share.percent[-1] for share in shares),
        "yanchor": "bottom",
        "showarrow": False,
    }


def _all(shown: Shown) -> float:
    return shown.summary.everyone.overall(shown.view.statistic)


def _user_beside_everyone(shown: Shown, user: Tally) -> str:
    statistic, everyone = shown.view.statistic, _all(shown)
    own = user.overall(statistic)
    words = statistic_sentence(statistic, subject_text(shown.view), own)
    words += f" ({sample_text(int(user.known.sum()))})"
    if not is_beside(shown.summary):
        return f"{words}."
    noun = f"everyone's {duration_text(everyone)}"
    beside = comparison(own, everyone, noun) if everyone else noun
    return f"{words}, {beside}."


def _share_within_the_filter(shown: Shown) -> list[str]:
    """The sentence about the picked durations, or none."""
    span = filter_texts(shown.view, shown.summary.facts.pages).get("durations")
    if not span:
        return []
    summary, filtered = shown.summary, shown.filtered
    share = percent_text(filtered.everyone.known.sum(), summary.everyone.known.sum())
    if summary.user is not None and is_beside(summary):
        share += " of everyone's"
        if filtered.user is not None and summary.user.known.any():
            known = filtered.user.known.sum(), summary.user.known.sum()
            share = f"{percent_text(*known)} of these and {share}"
    return [f"{share} last {span.replace('and longer', 'or longer')}."]
