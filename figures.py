"""Pure functions from a Summary to charts, and to a sentence that says what each shows.

Colours, fonts and grid lines are those of the light theme; the style sheet puts the
dark ones over them, so that a change of theme redraws nothing and an exported picture
is always dark on white.
"""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from activity import FEW, Summary, Tally

EVERYONE: Final = "#0072B2"
USER: Final = "#D55E00"
# Blue and vermilion from Okabe and Ito, "Color Universal Design" (2008): told apart
# by colour-blind people, and at 3 : 1 or better on white and on the dark theme.

MAX_PAGES: Final = 15
"""So many pages have a bar of their own; the rest share one."""

_LABEL: Final = 20
_HOVER: Final = 100
_WEAK: Final = 0.45

_TEMPLATE: Final = go.layout.Template(
    layout={
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "#1f2733"},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "xaxis": {"gridcolor": "#e3e7ec", "zeroline": False, "rangemode": "tozero"},
        "yaxis": {"gridcolor": "#e3e7ec", "zeroline": False, "rangemode": "tozero"},
        "hoverlabel": {
            "align": "left",
            "bgcolor": "#1f2733",
            "bordercolor": "#8a94a3",
            "font": {"color": "#ffffff"},
        },
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    }
)


def duration_text(seconds: float) -> str:
    """Seconds as people read them: "4.2 s", "45 s", "2 min 5 s", "3 h 12 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"


def count_text(n: int, noun: str) -> str:
    """A count with its noun: "1 session", "10,528 sessions"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def total_time(summary: Summary) -> go.Figure:
    """Total Time per Page: everyone's known durations, the largest first."""
    rows = _rows(summary, summary.everyone)
    totals = rows.everyone.seconds
    if not len(totals):
        return _empty("No sessions here")
    unit, name = _unit(float(totals.max()))
    whole = max(float(totals.sum()), 1e-9)
    hover = [
        f"<b>{page}</b><br>{duration_text(total)} in all, "
        f"{100 * total / whole:.1f} % of everyone's time<br>"
        f"{count_text(n, 'session')}{_unknown_text(unknown)}"
        for page, total, n, unknown in zip(
            rows.hover,
            totals,
            rows.everyone.sessions.tolist(),
            rows.everyone.unknown.tolist(),
            strict=True,
        )
    ]
    bars = _bars("everyone", EVERYONE, totals / unit, hover)
    return _by_page([bars], rows, f"Total time ({name})", {"bargap": 0.25})


def total_time_finding(summary: Summary) -> str:
    """The sentence under Total Time per Page."""
    seconds = summary.everyone.seconds
    whole = float(seconds.sum())
    if not whole:
        return "No time is known."
    top = int(seconds.argmax())
    return (
        f"Everyone together spent {duration_text(whole)}, the largest part on "
        f"{_shorten(summary.pages[top], _HOVER)}: {100 * seconds[top] / whole:.0f} %."
    )


def user_average(summary: Summary) -> go.Figure:
    """Average Session Duration by Page: the picked user's beside everyone's.

    Only pages that the user has been on; without a user, everyone's alone.
    """
    who = summary.user or summary.everyone
    rows = _rows(summary, who)
    everyone = rows.everyone.mean
    longest = np.nanmax([*everyone, *(rows.user.mean if rows.user else ()), -1.0])
    if longest < 0:
        return _empty("No session of known duration here")
    unit, name = _unit(float(longest))
    hover = [
        f"<b>{page}</b><br>everyone: {_mean_text(mean, n)}"
        for page, mean, n in zip(
            rows.hover, everyone, rows.everyone.known.tolist(), strict=True
        )
    ]
    traces = [_bars("everyone", EVERYONE, everyone / unit, hover)]
    if rows.user:
        hover = _user_hover(_user_name(summary), rows, rows.user)
        bars = _bars(_user_name(summary), USER, rows.user.mean / unit, hover)
        bars.marker.opacity = np.where(rows.user.known < FEW, _WEAK, 1.0).tolist()
        # Reversed: on an upward axis that runs downwards the first trace is on top.
        traces.insert(0, bars)
    return _by_page(
        traces,
        rows,
        f"Average ({name})",
        {"barmode": "group", "bargap": 0.25, "showlegend": len(traces) > 1},
    )


def user_average_finding(summary: Summary) -> str:
    """The sentence under Average Session Duration by Page."""
    who, user = summary.selection.user, summary.user
    if user is None:
        return "Pick a user to see them beside everyone."
    if not user.known.any():
        return f"{who} has no session of known duration here."
    ratio = np.where(
        (user.known >= FEW) & (summary.everyone.seconds > 0),
        user.mean / np.where(summary.everyone.mean > 0, summary.everyone.mean, np.nan),
        np.nan,
    )
    weak = (user.known > 0) & (user.known < FEW)
    words = []
    if np.isfinite(ratio).any():
        # The page that stands out most, be it by more or by less time.
        top = int(np.nanargmax(np.abs(np.log(np.maximum(ratio, 1e-9)))))
        words.append(
            f"{who} spends {ratio[top]:.1f} × everyone's average on "
            f"{_shorten(summary.pages[top], _HOVER)} (n = {user.known[top]:,})."
        )
    if weak.any():
        words.append(f"Faint bars: fewer than {FEW} sessions, so weak evidence.")
    return " ".join(words)


def durations(summary: Summary) -> go.Figure:
    """Session Duration Distribution: shares of everyone's sessions, and of the user's.

    Both in percent of the sessions of known duration, so that one user and everyone
    can be laid over each other. The last bin takes all that is longer.
    """
    edges = summary.edges
    if not summary.everyone.histogram.any():
        return _empty("No session of known duration here")
    unit, name = _unit(float(edges[-2]))
    width = float(edges[1]) / unit
    last = float(edges[-2]) / unit
    # The bar of all that is longer has no place on the axis: it stands apart.
    apart = [last + 1.5 * width, last + 2 * width]
    middles = [*(edges[:-2] / unit + width / 2).tolist(), apart[0]]
    spans = _spans(edges)

    def shares(who: str, tally: Tally) -> tuple[list[float], list[str]]:
        share = 100 * tally.histogram / max(tally.histogram.sum(), 1)
        counts = tally.histogram.tolist()
        hover = [
            f"{who}: {percent:.1f} %, {count_text(n, 'session')} of {span}"
            for percent, n, span in zip(share, counts, spans, strict=True)
        ]
        return np.round(share, 3).tolist(), hover

    share, hover = shares("everyone", summary.everyone)
    top_of_last = share[-1]
    traces: list[go.Bar | go.Scatter] = [
        go.Bar(
            name="everyone",
            x=middles,
            y=share,
            width=0.94 * width,
            marker={"color": EVERYONE},
            hovertext=hover,
            hoverinfo="text",
        )
    ]
    if summary.user is not None:
        who = _user_name(summary)
        share, hover = shares(who, summary.user)
        top_of_last = max(top_of_last, share[-1])
        traces.append(
            go.Scatter(
                name=who,
                # The line steps halfway between the bins' middles, at their edges;
                # both of its runs need ends of their own.
                x=[*(0.0, *middles[:-1], last, None, last + width), *apart],
                y=[share[0], *share[:-1], share[-2], None, *share[-1:] * 3],
                mode="lines",
                line={"shape": "hvh", "color": USER, "width": 2},
                hovertext=[hover[0], *hover[:-1], hover[-2], "", *hover[-1:] * 3],
                hoverinfo="text",
            )
        )
    longer = {
        "text": spans[-1],
        "x": last + 2 * width,
        "xanchor": "right",
        "y": top_of_last,
        "yanchor": "bottom",
        "showarrow": False,
    }
    return _figure(
        traces,
        {
            "hovermode": "x",
            "showlegend": len(traces) > 1,
            "margin": {"l": 52, "r": 16, "t": 36, "b": 48},
            "xaxis": {
                "title": {"text": f"Session duration ({name})"},
                "range": [0, last + 2 * width],
            },
            "yaxis": {"title": {"text": "Share of sessions (%)"}},
            "annotations": [longer],
        },
    )


def durations_finding(summary: Summary) -> str:
    """The sentence under Session Duration Distribution."""
    everyone = summary.everyone
    n, unknown = int(everyone.known.sum()), int(everyone.unknown.sum())
    if not n:
        return "No duration is known here."
    mean = float(everyone.seconds.sum()) / n
    words = f"Everyone's sessions last {duration_text(mean)} on average."
    if summary.user is not None and summary.user.known.any():
        n_user = int(summary.user.known.sum())
        mean_user = float(summary.user.seconds.sum()) / n_user
        words = (
            f"{summary.selection.user}'s sessions last {duration_text(mean_user)} on "
            f"average (n = {n_user:,}), {mean_user / mean:.1f} × everyone's "
            f"{duration_text(mean)}."
        )
    if unknown:
        words += f" {count_text(unknown, 'session')} of unknown duration left out."
    return words


class _Rows(NamedTuple):
    """The pages that a chart shows, in its order, the others as one last row."""

    labels: list[str]
    hover: list[str]
    everyone: Tally
    user: Tally | None


def _rows(summary: Summary, of: Tally) -> _Rows:
    """The pages with most known time among those that *of* has sessions on.

    They stand in the order of everyone's time, so that a page keeps its place from
    chart to chart and from user to user.
    """
    there = np.flatnonzero(of.sessions)
    by_time = there[np.argsort(-of.seconds[there], kind="stable")]
    top, others = by_time[:MAX_PAGES], by_time[MAX_PAGES:]
    top = top[np.argsort(-summary.everyone.seconds[top], kind="stable")]
    group = np.full(len(summary.pages), -1)
    group[top] = np.arange(len(top))
    group[others] = len(top)
    names = [summary.pages[page] for page in top]
    labels = [escape(_shorten(name, _LABEL), quote=False) for name in names]
    hover = [escape(_shorten(name, _HOVER), quote=False) for name in names]
    if len(others):
        label = count_text(len(others), "other page")
        labels.append(label)
        hover.append(label)
    user = summary.user and summary.user.pooled(group)
    return _Rows(labels, hover, summary.everyone.pooled(group), user)


def _user_hover(who: str, rows: _Rows, user: Tally) -> list[str]:
    hover = []
    for page, mean, everyone, margin, n, unknown in zip(
        rows.hover,
        user.mean.tolist(),
        rows.everyone.mean.tolist(),
        user.margin.tolist(),
        user.known.tolist(),
        user.unknown.tolist(),
        strict=True,
    ):
        lines = [f"<b>{page}</b>", f"{who}: {_mean_text(mean, n)}"]
        if everyone > 0 and n:
            lines.append(f"{mean / everyone:.1f} × everyone's average")
        if n >= FEW:
            low, high = max(mean - margin, 0), mean + margin
            lines.append(f"95 % interval {duration_text(low)} to {duration_text(high)}")
        elif n:
            lines.append(f"fewer than {FEW} sessions: weak evidence")
        if unknown:
            lines.append(f"{count_text(unknown, 'session')} of unknown duration")
        hover.append("<br>".join(lines))
    return hover


def _mean_text(mean: float, n: int) -> str:
    return f"{duration_text(mean)} on average (n = {n:,})" if n else "not known"


def _unknown_text(unknown: int) -> str:
    return f", {unknown:,} of unknown duration" if unknown else ""


def _user_name(summary: Summary) -> str:
    return escape(_shorten(summary.selection.user or "", _LABEL), quote=False)


def _shorten(text: str, length: int) -> str:
    """The text, or its beginning and its longer end around an ellipsis."""
    if len(text) <= length:
        return text
    head = length // 4
    return f"{text[:head]}…{text[head + 1 - length :]}"


def _unit(longest: float) -> tuple[float, str]:
    """The seconds of the unit that an axis up to *longest* is read in, and its name."""
    if longest <= 180:
        return 1.0, "seconds"
    return (60.0, "minutes") if longest <= 3 * 3600 else (3600.0, "hours")


def _spans(edges: NDArray[np.float64]) -> list[str]:
    texts = [duration_text(edge) for edge in edges[:-1]]
    spans = [f"{a} to {b}" for a, b in pairwise(texts)]
    return [*spans, f"{texts[-1]} and longer"]


def _bars(
    name: str, colour: str, values: NDArray[np.float64], hover: list[str]
) -> go.Bar:
    # Numbers as positions: two long names may be shortened to the same label.
    return go.Bar(
        name=name,
        orientation="h",
        x=[None if np.isnan(value) else value for value in values.tolist()],
        y=list(range(len(hover))),
        marker={"color": colour},
        hovertext=hover,
        hoverinfo="text",
    )


def _by_page(
    traces: Sequence[go.Bar], rows: _Rows, title: str, layout: dict[str, Any]
) -> go.Figure:
    n = len(rows.labels)
    return _figure(
        traces,
        {
            "xaxis": {"title": {"text": title}},
            "yaxis": {
                "range": [n - 0.5, -0.5],
                "tickvals": list(range(n)),
                "ticktext": rows.labels,
                "ticklabelstandoff": 6,
                "showgrid": False,
            },
            "margin": {
                "l": 20 + 7 * max(map(len, rows.labels)),
                "r": 16,
                "t": 36,
                "b": 48,
            },
            **layout,
        },
    )


def _figure(traces: Sequence[go.Bar], layout: dict[str, Any]) -> go.Figure:
    figure = go.Figure(traces, {"template": _TEMPLATE, **layout})
    # Plotly.js takes arrays of the same revision for unchanged, and so leaves a chart
    # alone that a pick doesn't alter.
    figure.layout.datarevision = crc32(repr(figure.to_dict()).encode())
    return figure


def _empty(words: str) -> go.Figure:
    hidden = {"visible": False}
    text = {"text": words, "showarrow": False, "font": {"size": 14}}
    return _figure([], {"xaxis": hidden, "yaxis": hidden, "annotations": [text]})
