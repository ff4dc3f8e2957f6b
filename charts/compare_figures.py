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
_FEWEST: Final = 2
"""The whole periods that make a line."""


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
    ticks = {place: duration_text(float(bounds[place])) for place in range(0, n, step)}
    if np.isinf(bounds[n]):
        ticks = {
            place: words for place, words in ticks.items() if place <= n - 1 - step
        }
        ticks[n - 1] = f"{duration_text(float(bounds[n - 1]))} +"
    return figure(
        traces,
        {
            "margin": MARGIN,
            "hovermode": "x unified",
            "bargap": 0.06,
            "xaxis": {
                "title": {"text": "Session duration"},
                "tickvals": list(ticks),
                "ticktext": list(ticks.values()),
                "automargin": True,
                "ticklabeloverflow": "allow",
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
    inside: tuple[np.datetime64, np.datetime64]
    """The days of this side, [first, end): periods that go beyond are left out."""
    are_whole: bool
    """Whether periods are left out that a side has only in part."""

    def has(self, first: np.datetime64, end: np.datetime64) -> NDArray[np.bool_]:
        """(periods,): whether a side that has the days [first, end) has each."""
        first, end = max(first, self.inside[0]), min(end, self.inside[1])
        starts, stops = self.edges[:-1], self.edges[1:]
        if self.are_whole:
            return np.asarray((starts >= first) & (stops <= end))
        return np.asarray((stops > first) & (starts < end))

    def sums(
        self, side: Side, view: View, days: dates.Days, moved: int
    ) -> NDArray[np.float64]:
        """(periods,): a side's sessions or seconds; NaN where it has no such days."""
        tally = side.tally
        values = (
            tally.day_sessions if view.timeline == "sessions" else tally.day_seconds
        )
        placed = days + np.timedelta64(moved, "D")
        inside = (placed >= self.edges[0]) & (placed < self.edges[-1])
        sums = dates.sum_by_period(values[inside], placed[inside], self.edges)
        first, end = np.array(_days_of(side, days, self.are_whole), "M8[D]") + moved
        sums[~self.has(first, end)] = np.nan
        return sums


def timeline_figure(sides: Sides, view: View, facts: Facts) -> Figure:
    """Sessions or time by day, week or month: the other period laid under this one.

    Users are seen on the same days. Of many users it is the average one, beside whom a
    user can be seen. A line ends where its period does; weeks and other periods of
    which a side has only a part are left out where there are enough others.
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
    is_cut = placed.are_whole and bool(np.isnan(lines[1]).any())
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
            "yaxis": value_axis(f"{axis} per {'whole ' * is_cut}{placed.unit}"),
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
    edges = dates.period_edges(np.array([first, last]), unit)
    whole = np.array(sides.this.whole, "M8[D]")
    placed = _Days(unit, edges, shift, (whole[0], whole[1]), are_whole=True)
    if np.count_nonzero(placed.has(*whole)) >= _FEWEST:
        return placed
    return placed._replace(inside=(first, last + 1), are_whole=False)


def _days_of(side: Side, days: dates.Days, are_whole: bool) -> tuple[Any, Any]:
    """The days of a side that are in the data: all of them, or those that are whole."""
    if are_whole:
        return side.whole
    first, last = dates.bounds(days)
    return max(side.start, first), min(side.end, dates.day_after(last))


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
