"""The distribution of durations: everyone's, with the picked user's over it."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from charts.chart import Chart, Shown, Switch
from charts.figure import (
    EVERYONE_COLOR,
    MARGIN,
    Figure,
    Trace,
    duration_unit,
    empty,
    figure,
    highlight,
    picks_range,
    step_line,
    user_label,
    value_axis,
)
from charts.sentences import (
    FEW,
    comparison,
    filter_texts,
    none_known,
    sample_text,
    statistic_sentence,
    subject_text,
)
from engine.model import Selection, Summary, Tally
from formatting import count_text, duration_text, edge_text, percent_text, span_text
from view import Scale


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

    def spaced(self, values: list[Any], between: Any = None) -> list[Any]:
        """Values by bin to values by bar, with the empty bars' in between."""
        return [*values[: self.gap_at], between, between, *values[self.gap_at :]]


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
        heights = _percentages(bins.everyone)
        bars: Trace = {
            "type": "bar",
            "name": "everyone",
            "x0": axis.bar_width / 2,
            "dx": axis.bar_width,
            "y": axis.spaced(heights),
            "marker": {"color": EVERYONE_COLOR},
            **highlight(_picked_bars(bins.edges, view.selection, axis)),
        }
        traces, columns, user_line = [bars], [spans, bins.everyone.tolist()], ""
        height_of_last = heights[-1]
        if bins.user is not None and bins.user.any():
            label, user_heights = user_label(view), _percentages(bins.user)
            columns += [user_heights, bins.user.tolist()]
            user_line = (
                f"{label}'s sessions: %{{customdata[3]:,}} (%{{customdata[2]:.1f}} %)"
                "<br>"
            )
            traces.append(_steps(label, user_heights, axis))
            height_of_last = max(height_of_last, user_heights[-1])
        bars["customdata"] = axis.spaced(list(zip(*columns, strict=True)))
        bars["hovertemplate"] = (
            f"<b>%{{customdata[0]}}</b><br>{user_line}"
            "everyone's sessions: %{customdata[1]:,} (%{y:.1f} %)"
        )
        end = axis.bar_width * (len(heights) + 2)
        notes = []
        if view.scale == "linear":
            notes = [_note_on_the_tail(spans[-1], end, height_of_last)]
        edges = [edge if edge < np.inf else None for edge in bins.edges.tolist()]
        return figure(
            traces,
            {
                **picks_range(("min", "max"), axis.spaced(edges, edges[axis.gap_at])),
                "bargap": 0.06,
                "hovermode": "x",
                "margin": MARGIN,
                # A zoom is kept where the axis means the same.
                "uirevision": axis.layout["title"]["text"],
                "xaxis": {
                    **axis.layout,
                    "range": [0, end],
                    "ticklabeloverflow": "allow",
                },
                "yaxis": value_axis("Share of sessions (%)"),
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
        if unknown and user is None:
            words.append(
                f"{count_text(unknown, 'session')} of unknown duration left out."
            )
        elif unknown and user is not None:
            words.append(
                f"Unknown durations left out: {user.unknown.sum():,} of {subject}'s, "
                f"{unknown:,} of everyone's."
            )
        return " ".join(words)


def _percentages(counts: NDArray[np.int64]) -> list[float]:
    percent = 100 * counts / max(counts.sum(), 1)
    return [round(value, 2) for value in percent.tolist()]


def _linear_axis(edges: NDArray[np.float64]) -> _Axis:
    unit_seconds, unit = duration_unit(float(edges[-2]))
    width = round(float(edges[1]) / unit_seconds, 6)
    title = {"text": f"Session duration ({unit})"}
    return _Axis(width, len(edges) - 2, {"title": title})


def _log_axis(edges: NDArray[np.float64]) -> _Axis:
    first_digits = [f"{edge:g}".strip("0") for edge in edges[:-1]]
    ticks = [i for i, digits in enumerate(first_digits) if digits in ("1", "4")]
    layout = {
        "title": {"text": "Session duration (logarithmic)"},
        "tickvals": [0.5, *(i + 2 for i in ticks)],
        "ticktext": ["0 s", *(edge_text(float(edges[i])) for i in ticks)],
    }
    return _Axis(1.0, 1, layout)


def _picked_bars(
    edges: NDArray[np.float64], selection: Selection, axis: _Axis
) -> list[bool] | None:
    shortest, longest = selection.shortest, selection.longest
    if shortest is None and longest is None:
        return None
    end = np.inf if longest is None else longest
    picked = [low < end and high > (shortest or 0) for low, high in pairwise(edges)]
    return axis.spaced(picked, False)


def _steps(label: str, heights: list[float], axis: _Axis) -> Trace:
    # From edge to edge: each run of bars ends at the last edge of its own.
    steps = axis.spaced([*heights, heights[-1]])
    steps[axis.gap_at] = steps[axis.gap_at - 1]
    return {**step_line(label), "x0": 0, "dx": axis.bar_width, "y": steps}


def _note_on_the_tail(words: str, x: float, y: float) -> dict[str, Any]:
    return {
        "text": words,
        "bgcolor": "#ffffff",
        "x": x,
        "xanchor": "right",
        "y": y,
        "yanchor": "bottom",
        "showarrow": False,
    }


def _all(shown: Shown) -> float:
    return shown.summary.everyone.overall(shown.view.statistic)


def _user_beside_everyone(shown: Shown, user: Tally) -> str:
    statistic, everyone = shown.view.statistic, _all(shown)
    own = user.overall(statistic)
    words = statistic_sentence(statistic, subject_text(shown.view), own)
    noun = f"everyone's {duration_text(everyone)}"
    beside = comparison(own, everyone, noun) if everyone else noun
    return f"{words} ({sample_text(int(user.known.sum()))}), {beside}."


def _share_within_the_filter(shown: Shown) -> list[str]:
    """The sentence about the picked durations, or none."""
    span = filter_texts(shown.view).get("durations")
    if not span:
        return []
    summary, filtered = shown.summary, shown.filtered
    share = percent_text(filtered.everyone.known.sum(), summary.everyone.known.sum())
    if summary.user is not None:
        share += " of everyone's"
        if filtered.user is not None and summary.user.known.any():
            known = filtered.user.known.sum(), summary.user.known.sum()
            share = f"{percent_text(*known)} of these and {share}"
    return [f"{share} last {span.replace('and longer', 'or longer')}."]
