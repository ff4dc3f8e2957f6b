"""The figures of two sides: how long their sessions last, and when they are."""

from itertools import pairwise
from typing import Any, Final, NamedTuple

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
                "automargin": True,
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


class _Days(NamedTuple):
    """The periods that a timeline has, and how the other side is laid under this."""

    unit: dates.PeriodUnit
    edges: dates.Days
    """(periods + 1,): period i has the days [edges[i], edges[i + 1])."""
    shift: int
    """Days from a day of the other side to the one that it lies under."""

    def sums(
        self, side: Side, view: View, days: dates.Days, moved: int
    ) -> NDArray[np.float64]:
        """(periods,): a side's sessions or seconds; NaN where it has no days."""
        tally = side.tally
        values = (
            tally.day_sessions if view.timeline == "sessions" else tally.day_seconds
        )
        placed = days + np.timedelta64(moved, "D")
        inside = (placed >= self.edges[0]) & (placed < self.edges[-1])
        sums = dates.sum_by_period(values[inside], placed[inside], self.edges)
        start, end = np.array([side.start, side.end], "M8[D]") + moved
        sums[(self.edges[1:] <= start) | (self.edges[:-1] >= end)] = np.nan
        return sums


def timeline_figure(sides: Sides, view: View, facts: Facts) -> Figure:
    """Sessions or time by day, week or month: the other period laid under this one.

    Users are seen on the same days. Of many users it is the average one, beside whom a
    user can be seen. A line ends where its period does.
    """
    placed, days = _days(sides, view, facts), facts.days
    everyone = sides.other._replace(name="everyone", n_users=facts.n_users)
    other = everyone if sides.is_beside_everyone else sides.other
    curves = [
        (other, EVERYONE_COLOR, 2, placed.shift),
        (sides.this, USER_COLOR, 2, 0),
    ]
    if sides.everyone is not None:
        curves.append((everyone._replace(tally=sides.everyone), _THIRD, 1, 0))
    lines = [
        placed.sums(side, view, days, shift) / max(side.n_users, 1)
        for side, _, _, shift in curves
    ]
    divisor, axis, unit = 1.0, "Sessions", ""
    if view.timeline == "time":
        longest = max(float(np.nanmax(line, initial=0)) for line in lines)
        divisor, name = duration_unit(longest)
        axis, unit = name.capitalize(), f" {UNITS[name]}"
    traces: list[Trace] = []
    for line, (side, color, width, shift) in zip(lines, curves, strict=True):
        trace = _curve(_average(side), color, width)
        trace["x"] = [str(day) for day in placed.edges[:-1]]
        trace["y"] = rounded(line / divisor)
        trace["hovertemplate"] = f"%{{y}}{unit}"
        if shift:
            trace["customdata"] = [_moved(day, shift) for day in placed.edges[:-1]]
            trace["hovertemplate"] += " (%{customdata})"
        traces.append(trace)
    return figure(
        traces,
        {
            "margin": MARGIN,
            "hovermode": "x unified",
            "xaxis": {"type": "date", "fixedrange": True, **_few_ticks(placed.edges)},
            "yaxis": value_axis(f"{axis} per {placed.unit}"),
        },
    )


def _average(side: Side) -> str:
    """What a line of a side is called."""
    if side.n_users == 1:
        return side.name
    return "average user" if side.name == "everyone" else f"average of {side.name}"


def _few_ticks(edges: dates.Days) -> dict[str, Any]:
    """Ticks on the days themselves, where these are so few that hours would show."""
    starts = edges[:-1]
    if len(starts) > _MOST_TICKS:
        return {}
    half = np.timedelta64(12, "h")
    ends = starts[[0, -1]].astype("M8[h]")
    return {
        "tickvals": [str(day) for day in starts],
        "tickformat": "%-d %b<br>%Y",
        "range": [str(ends[0] - half), str(ends[1] + half)],
    }


def _days(sides: Sides, view: View, facts: Facts) -> _Days:
    """The days of this side that are in the data."""
    start = np.datetime64(sides.this.start, "D")
    first = max(start, facts.days[0])
    last = min(np.datetime64(sides.this.end, "D") - 1, facts.days[-1])
    if last < first:
        first = last = start
    unit = dates.period_unit(np.array([first, last]))
    shift = versus.offset(
        sides.this.start, sides.other.start, weekdays=view.weekdays
    ).days
    return _Days(unit, dates.period_edges(np.array([first, last]), unit), shift)


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
