"""The figures of two sides: how long their sessions last, and when they are."""

from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import dates
import versus
from charts.figure import (
    EVERYONE_COLOR,
    MARGIN,
    UNITS,
    USER_COLOR,
    Figure,
    Trace,
    duration_unit,
    figure,
    rounded,
    value_axis,
)
from charts.sides import Side, Sides
from engine.model import BinEdges, Facts, Tally
from formatting import day_text, duration_text, plotly_text, span_text
from view import View

_THIRD: Final = "#8a94a0"
"""The colour of everyone, where they are neither side."""

_MOST_TICKS: Final = 8


def shares_figure(sides: Sides, view: View, edges: BinEdges) -> Figure:
    """The shares of sessions by duration: this side's as a line over the other's."""
    is_linear = view.scale == "linear"
    bounds = edges.linear if is_linear else edges.logarithmic

    def percent(tally: Tally) -> NDArray[np.float64]:
        counts = tally.linear_histogram if is_linear else tally.log_histogram
        return 100 * counts / max(int(counts.sum()), 1)

    spans = [span_text(*ends) for ends in pairwise(bounds.tolist())]
    other, this = (percent(side.tally) for side in (sides.other, sides.this))
    # Bins behind the last that has any are of no interest.
    used = np.flatnonzero((other > 0) | (this > 0))
    n = int(used[-1]) + 1 if len(used) else 1
    traces: list[Trace] = [
        {
            "type": "bar",
            "name": plotly_text(sides.other.name),
            "x": list(range(n)),
            "y": rounded(other[:n]),
            "marker": {"color": EVERYONE_COLOR},
            "customdata": spans[:n],
            "hovertemplate": "%{customdata}: %{y:.1f} %",
        },
        _steps(sides.this.name, this[:n], USER_COLOR, 2),
    ]
    if sides.everyone is not None:
        traces.append(_steps("everyone", percent(sides.everyone)[:n], _THIRD, 1))
    step = -(-n // _MOST_TICKS)
    return figure(
        traces,
        {
            "margin": MARGIN,
            "hovermode": "x unified",
            "bargap": 0.06,
            "xaxis": {
                "title": {"text": "Session duration"},
                "tickvals": list(range(0, n, step)),
                "ticktext": [duration_text(float(bound)) for bound in bounds[:n:step]],
                "fixedrange": True,
            },
            "yaxis": {**value_axis("Share of sessions"), "ticksuffix": " %"},
        },
    )


def _steps(name: str, heights: NDArray[np.float64], color: str, width: int) -> Trace:
    return {
        "type": "scatter",
        "name": plotly_text(name),
        "mode": "lines",
        "line": {"shape": "hvh", "color": color, "width": width},
        "x": list(range(len(heights))),
        "y": rounded(heights),
        "hovertemplate": "%{y:.1f} %",
    }


def timeline_figure(sides: Sides, view: View, facts: Facts) -> Figure:
    """Sessions or time by day, week or month: the other period laid under this one.

    Users are seen on the same days. Everyone, as a third, is the average user.
    """
    days = facts.days
    first = max(np.datetime64(sides.this.start, "D"), days[0])
    last = min(np.datetime64(sides.this.end, "D") - 1, days[-1])
    if last < first:
        first = last = np.datetime64(sides.this.start, "D")
    unit = dates.period_unit(np.array([first, last]))
    edges = dates.period_edges(np.array([first, last]), unit)
    shift = versus.offset(
        sides.this.start, sides.other.start, weekdays=view.weekdays
    ).days

    def line(side: Side, moved: int) -> NDArray[np.float64]:
        tally = side.tally
        values = (
            tally.day_sessions if view.timeline == "sessions" else tally.day_seconds
        )
        placed = days + np.timedelta64(moved, "D")
        inside = (placed >= edges[0]) & (placed < edges[-1])
        return dates.sum_by_period(values[inside], placed[inside], edges)

    lines = {
        "other": line(sides.other, shift),
        "this": line(sides.this, 0),
    }
    divisor, axis = 1.0, "Sessions"
    if view.timeline == "time":
        divisor, name = duration_unit(max(map(np.max, lines.values())))
        axis = name.capitalize()
    unit_words = f" {UNITS[name]}" if view.timeline == "time" else ""
    starts = [str(day) for day in edges[:-1]]
    moved = [_moved(edge, shift) for edge in edges[:-1]]
    traces: list[Trace] = [
        {
            **_curve(sides.other.name, EVERYONE_COLOR, 2),
            "x": starts,
            "y": rounded(lines["other"] / divisor),
            **({"customdata": moved} if shift else {}),
            "hovertemplate": (
                f"%{{y}}{unit_words}" + (" (%{customdata})" if shift else "")
            ),
        },
        {
            **_curve(sides.this.name, USER_COLOR, 2),
            "x": starts,
            "y": rounded(lines["this"] / divisor),
            "hovertemplate": f"%{{y}}{unit_words}",
        },
    ]
    if sides.everyone is not None:
        third = line(sides.other._replace(tally=sides.everyone), 0)
        traces.append(
            {
                **_curve("average user", _THIRD, 1),
                "x": starts,
                "y": rounded(third / facts.n_users / divisor),
                "hovertemplate": f"%{{y}}{unit_words}",
            }
        )
    return figure(
        traces,
        {
            "margin": MARGIN,
            "hovermode": "x unified",
            "xaxis": {"type": "date", "fixedrange": True},
            "yaxis": value_axis(f"{axis} per {unit}"),
        },
    )


def _moved(edge: np.datetime64, shift: int) -> str:
    """The day of the other period that lies under a day, in words."""
    day: Any = (edge - np.timedelta64(shift, "D")).item()
    # Before the year 1 there are no dates.
    return day_text(day) if hasattr(day, "year") else ""


def _curve(name: str, color: str, width: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": plotly_text(name),
        "mode": "lines+markers",
        "line": {"color": color, "width": width},
        "marker": {"color": color, "size": 4},
    }
