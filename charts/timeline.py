"""The timeline: sessions, or time, in each of equal periods."""

from datetime import date
from typing import Any, Final, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import dates
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
    rounded,
    user_label,
    value_axis,
)
from charts.sentences import (
    FEW,
    capitalized,
    comparison,
    dates_text,
    is_beside,
    measure_text,
    none_known,
    none_match,
    sample_text,
    subject_text,
)
from engine.model import Selection, Summary, Tally
from formatting import (
    count_text,
    days_text,
    duration_text,
    frequency_text,
    rate_text,
)
from view import Measure, View

# The start of a period in a hover, in the notation of d3-time-format.
_HOVER_FORMATS: Final = {
    "day": "%-d %B %Y",
    "week": "Week from %-d %B %Y",
    "month": "%B %Y",
    "year": "%Y",
}
# Day and month first: short ticks, with the year only where it changes.
_TICKS: Final[dict[dates.PeriodUnit, dict[str, str]]] = {
    "day": {"tickformat": "%-d %b\n%Y"},
    "week": {"tickformat": "%-d %b\n%Y"},
    "month": {"tickformat": "%b\n%Y"},
    "year": {},
}
_MEASURES: Final = {"sessions": "Sessions", "time": "Time"}
_FEW_PERIODS: Final = 8

_MARGIN: Final = {**MARGIN, "r": 30, "b": 44}

# Shares of the plot's height: that of one of two rows, and what is below the upper one.
_ROW: Final = 0.43
_GROUND: Final = 0.56
_CHANCE: Final = "Few sessions, so this may be chance."
_HEADROOM: Final = 1.12
"""How much higher the axis of a single row is than its highest bar."""


class Periods(NamedTuple):
    """A measure of sessions in each of some periods."""

    unit: dates.PeriodUnit
    edges: dates.Days
    """(periods + 1,): period i has the days [edges[i], edges[i + 1])."""
    everyone: NDArray[np.float64]
    """(periods,): sessions or seconds of everyone together."""
    user: NDArray[np.float64] | None
    """(periods,): sessions or seconds of the user; None without a user."""
    incomplete: NDArray[np.bool_]
    """(periods,): whether the data begins or ends in the midst of the period."""


def periods(summary: Summary, measure: Measure) -> Periods:
    """The days of the data, or the weeks, months or years that they are in."""
    facts = summary.facts
    unit = dates.period_unit(facts.days)
    edges = dates.period_edges(facts.days, unit)

    def by_period(tally: Tally) -> NDArray[np.float64]:
        values = tally.day_sessions if measure == "sessions" else tally.day_seconds
        return dates.sum_by_period(values, facts.days, edges)

    tolerance = np.timedelta64(dates.TOLERANCE)
    first, last = np.datetime64(facts.first), np.datetime64(facts.last)
    begun = edges[:-1].astype("M8[s]") + tolerance < first
    unfinished = edges[1:].astype("M8[s]") - tolerance > last
    return Periods(
        unit=unit,
        edges=edges,
        everyone=by_period(summary.everyone),
        user=None if summary.user is None else by_period(summary.user),
        incomplete=np.asarray(begun | unfinished),
    )


def _line(shown: Shown) -> Periods:
    return shown.once(Periods, lambda: periods(shown.summary, shown.view.timeline))


class Timeline(Chart):
    """Sessions, or time, by day, week, month or year; a user's above everyone's.

    A user is tiny beside everyone: the two have a row and an axis each, one above the
    other. Periods of which the data has only a part are hatched.
    """

    id = "timeline"
    title = "Sessions over Time"
    own_filter = ("start", "end")
    width = "full"
    height = 300
    zoomable = True
    switch = Switch("measure", "Count", "timeline", _MEASURES)

    def heading(self, shown: Shown) -> str:
        unit = dates.period_unit(shown.summary.facts.days)
        return f"{_MEASURES[shown.view.timeline]} per {unit.capitalize()}"

    def numbers(self, shown: Shown, *, every_row: bool = False) -> pd.DataFrame:
        line = _line(shown)
        noun = "sessions" if shown.view.timeline == "sessions" else "time (s)"
        # Text, since the year 10000 may begin at the last edge, and no date can.
        days = np.datetime_as_string(line.edges).tolist()
        columns = {"from": days[:-1], "to (not included)": days[1:]}
        if line.user is not None:
            columns[f"user: {noun}"] = line.user
        columns[f"everyone: {noun}"] = line.everyone
        return pd.DataFrame({**columns, "complete": ~line.incomplete})

    def figure(self, shown: Shown) -> Figure:
        summary, view = shown.summary, shown.view
        if not summary.everyone.sessions.any():
            return empty("No sessions match")
        line = _line(shown)
        rows = [_row("everyone", EVERYONE_COLOR, line.everyone, view.timeline)]
        if line.user is not None:
            own = _row(user_label(view), USER_COLOR, line.user, view.timeline)
            rows = [*rows, own] if is_beside(summary) else [own]
        starts, end = [str(day) for day in line.edges[:-1]], str(line.edges[-1])
        # What a click or a drag picks is read from the x of the first trace.
        traces = [{"x": starts, **_bars(rows[0], line, view)}]
        if len(rows) == 1:
            traces.append(_highest(rows[0], line))
        else:
            # The legend is in the order of the rows.
            traces[0]["legendrank"] = 1001
            traces.append(
                {"yaxis": "y2", **_starts(line), **_bars(rows[1], line, view)}
            )
        return figure(
            traces,
            {
                **picks_range(("from", "to"), end),
                "hovermode": "x",
                "margin": _MARGIN,
                "uirevision": line.unit,
                "xaxis": {
                    "type": "date",
                    # The end itself is no day of the data: it has no tick.
                    "range": [starts[0], str(line.edges[-1].astype("M8[s]") - 1)],
                    "tickangle": 0,
                    # Below the zero of the other axis.
                    "ticklabelstandoff": 5,
                    **_TICKS[line.unit],
                    **(_roomy_axis(line) if len(starts) < _FEW_PERIODS else {}),
                },
                **(_two_rows(*rows) if rows[1:] else _one_row(rows[0], line)),
            },
        )

    def sentence(self, shown: Shown) -> str:
        summary, measure = shown.summary, shown.view.timeline
        subject, tally = subject_text(shown.view), summary.subject
        if not tally.sessions.any():
            return none_match(shown.view)
        if measure == "time" and not tally.known.any():
            return none_known(shown.view)
        selection = shown.filtered.selection
        if selection.start or selection.end:
            return _compare_dates(shown)
        line = _line(shown)
        compared = is_beside(summary)
        others = summary.facts.n_users if compared else None
        words = [f"{_head(subject)}: {_typical_and_most(line, measure, others)}."]
        if compared and tally.sessions.sum() < FEW:
            words.append(_CHANCE)
        n_incomplete = int(line.incomplete.sum())
        if n_incomplete:
            plural = "s" if n_incomplete > 1 else ""
            words.append(f"Hatched: incomplete {line.unit}{plural}.")
        if measure == "time" and summary.everyone.unknown.any():
            words.append("Unknown durations left out.")
        return " ".join(words)


class _Row(NamedTuple):
    """Bars on an axis of their own."""

    name: str
    """Whose sessions they are, escaped for Plotly."""
    color: str
    heights: list[float | None]
    """(periods,): the values in the unit of the axis."""
    top: float
    """The height of the highest bar, or 1 where all are zero."""
    unit: str
    """The unit of the axis."""
    texts: list[str]
    """(periods,): the values in words."""

    @property
    def most(self) -> str:
        """The value of the highest bar for an axis: "2,827", "8.4 h"."""
        if self.unit == "sessions":
            return f"{self.top:,.0f}"
        return f"{rate_text(self.top)} {UNITS[self.unit]}"


def _row(name: str, color: str, values: NDArray[np.float64], measure: Measure) -> _Row:
    per_unit, unit = 1.0, "sessions"
    texts = [f"{value:,.0f}" for value in values.tolist()]
    if measure == "time":
        per_unit, unit = duration_unit(float(values.max()))
        texts = [duration_text(value) for value in values.tolist()]
    heights = rounded(values / per_unit)
    top = max(filter(None, heights), default=1.0)
    return _Row(name, color, heights, top, unit, texts)


def _bars(row: _Row, line: Periods, view: View) -> Trace:
    """The bars of a row, without their x."""
    # Bars begin where their period does; a month's is as wide as the month is long.
    widths = _widths(line)
    bars: Trace = {
        "type": "bar",
        "name": row.name,
        "y": row.heights,
        "offset": 0,
        "width": widths[0] if len(set(widths)) == 1 else widths,
        "marker": {"color": row.color},
        **highlight(_picked_bars(line.edges, view.selection)),
    }
    if line.incomplete.any():
        shapes = ["/" if incomplete else "" for incomplete in line.incomplete]
        bars["marker"]["pattern"] = {"shape": shapes, "fillmode": "replace"}
    text = f"{row.name}'s sessions: %{{y:,}}"
    if view.timeline == "time":
        bars["customdata"] = row.texts
        text = f"{row.name}: %{{customdata}}"
    head = f"<b>%{{x|{_HOVER_FORMATS[line.unit]}}}</b><br>"
    bars["hovertemplate"] = f"{head}{text}"
    return bars


def _starts(line: Periods) -> Trace:
    """The x of bars, in as few bytes as there may be."""
    widths = _widths(line)
    if len(set(widths)) == 1:
        return {"x0": str(line.edges[0]), "dx": widths[0]}
    return {"x": [str(day) for day in line.edges[:-1]]}


def _highest(row: _Row, line: Periods) -> Trace:
    """What the highest bar of a single row comes to, if there is one."""
    if not any(row.heights):
        return labels([], [], y=[])
    bar = row.heights.index(row.top)
    start, end = line.edges[bar : bar + 2].astype("M8[h]")
    middle = str(start + (end - start) // 2)
    texts = [row.texts[bar]]
    return labels([middle], texts, y=[row.top], textposition="top center")


def _one_row(row: _Row, line: Periods) -> dict[str, Any]:
    """The y axis of a single row."""
    title = value_axis(f"{capitalized(row.unit)} per {line.unit}")
    axis = {**title, "range": [0, float(f"{row.top * _HEADROOM:.4g}")]}
    return {"showlegend": False, "yaxis": axis}


def _two_rows(below: _Row, above: _Row) -> dict[str, Any]:
    """The y axes of two rows.

    Each axis has the whole height, one over the other, so that Plotly.js takes both
    rows for one plot: what is dragged or pointed at in either is meant in both.
    """
    longest = max(len(below.most), len(above.most))
    return {
        "margin": {**_MARGIN, "l": max(_MARGIN["l"], 16 + 7 * longest)},
        "yaxis": _row_axis(below, 0),
        "yaxis2": {**_row_axis(above, _GROUND), "overlaying": "y"},
    }


def _row_axis(row: _Row, ground: float) -> dict[str, Any]:
    """The y axis of a row that stands at this share of the plot's height.

    It says what the highest bar comes to.
    """
    ends = (row.top * y / _ROW for y in (-ground, 1 - ground))
    return {
        "range": [float(f"{end:.4g}") for end in ends],
        "tickvals": [0, row.top],
        "ticktext": ["0", row.most],
        "fixedrange": True,
    }


def _widths(line: Periods) -> list[int]:
    """The length of each period in milliseconds, the unit of Plotly's dates."""
    widths = np.diff(line.edges).astype(np.int64) * 86_400_000
    return cast("list[int]", widths.tolist())


def _picked_bars(edges: dates.Days, selection: Selection) -> list[bool] | None:
    if selection.start is None and selection.end is None:
        return None
    # Compared as NumPy's days, since the last edge may be in the year 10000.
    picked = np.ones(len(edges) - 1, bool)
    if selection.start is not None:
        picked &= edges[1:] > np.datetime64(selection.start)
    if selection.end is not None:
        picked &= edges[:-1] < np.datetime64(selection.end)
    return picked.tolist()


def _roomy_axis(line: Periods) -> dict[str, Any]:
    """An axis on which few periods are no wider than if there were more of them."""
    middles = line.edges[:-1].astype("M8[h]") + 12
    spare = 12 * (_FEW_PERIODS - len(middles))
    first, last = line.edges[[0, -1]].astype("M8[h]")
    return {
        "range": [str(first - spare), str(last + spare)],
        # On a phone there is room for four.
        "tickvals": [str(middle) for middle in middles[:: 1 + len(middles) // 5]],
        "tickformat": "%-d %b<br>%Y",
    }


def period_text(edges: dates.Days) -> str:
    """Format the period between two edges: "1 to 7 January 2024"."""
    # A period may end with the year 9999, after which there is no date.
    last = np.minimum(edges[1] - 1, np.datetime64(date.max))
    return days_text(edges[0].item(), last.item())


def _typical_and_most(line: Periods, measure: Measure, n_users: int | None) -> str:
    """The mean of the complete periods, and the largest one.

    A user is compared with the average of so many, or with nobody.
    """
    values = line.everyone if line.user is None else line.user
    top = int(values.argmax())
    preposition = {"day": "on", "week": "from"}.get(line.unit, "in")
    when = f"{preposition} {period_text(line.edges[top : top + 2])}"
    most = measure_text(float(values[top]), measure)

    noun = "the average user's"

    def beside_average(mean: float, mean_of_everyone: float) -> str:
        if n_users is None or not mean_of_everyone > 0:
            return ""
        return f", {comparison(mean, mean_of_everyone / n_users, noun)}"

    if len(values) == 1:
        return f"{most} {when}{beside_average(values[0], line.everyone[0])}"
    words = []
    complete = ~line.incomplete
    if complete.any() and (values[complete].any() or not values[top] > 0):
        mean = float(values[complete].mean())
        words.append(_how_often(mean, measure, line.unit))
        words[0] += beside_average(mean, float(line.everyone[complete].mean()))
    if not words and values[top] == values.sum():
        return f"{most} {when}"
    if values[top] > 0 and most != "0 s":
        words.append(f"most {when} ({most})")
    return "; ".join(words or [most])


def _how_often(value: float, measure: Measure, unit: dates.PeriodUnit) -> str:
    """Format a rate: "52 sessions a week", "6.1 s a day"."""
    if measure == "time":
        return f"{duration_text(value)} a {unit}"
    return frequency_text(value, unit, "session")


class _Rates(NamedTuple):
    """A tally's sessions and known durations over so many days."""

    n_days: int
    sessions: int
    known: int
    seconds: float

    def without(self, part: "_Rates") -> "_Rates":
        return _Rates(
            self.n_days - part.n_days,
            self.sessions - part.sessions,
            self.known - part.known,
            self.seconds - part.seconds,
        )

    def per_day(self, measure: Measure) -> float:
        whole = self.sessions if measure == "sessions" else self.seconds
        return whole / max(self.n_days, 1)

    def counted(self, measure: Measure) -> int:
        return self.sessions if measure == "sessions" else self.known

    def total_text(self, measure: Measure) -> str:
        """What there is in all: "2 sessions", "none", "3 min", "no known time"."""
        if measure == "sessions":
            return count_text(self.sessions, "session") if self.sessions else "none"
        return duration_text(self.seconds) if self.known else "no known time"


def _rates(summary: Summary) -> _Rates:
    selection, tally = summary.selection, summary.subject
    weekdays = dates.count_weekdays(selection.start, selection.end, summary.facts.days)
    return _Rates(
        int(weekdays.sum()),
        int(tally.sessions.sum()),
        int(tally.known.sum()),
        float(tally.seconds.sum()),
    )


def _compare_dates(shown: Shown) -> str:
    """Compare the picked dates with all others, by day and by session."""
    measure, selection = shown.view.timeline, shown.view.selection
    inside, whole = _rates(shown.filtered), _rates(shown.summary)
    others = whole.without(inside)
    subject, period = (
        subject_text(shown.view),
        dates_text(selection.start, selection.end),
    )
    if not (inside.counted(measure) and others.counted(measure)):
        when = f"{_preposition(selection)}{period}"
        words = f"{inside.total_text(measure)} {when}"
        if others.n_days:
            rest = _rest_text(shown.summary.facts.days)
            usual = others.total_text(measure)
            if measure == "sessions":
                usual = usual.split(" ")[0]
            words += f"; {usual} {rest}"
        return f"{_head(subject)}: {words}."
    rate, other_rate = inside.per_day(measure), others.per_day(measure)
    usual = _how_often(other_rate, measure, "day")
    beside = f"; the other days: {usual}"
    # A rate of less than it would be written as is nothing to compare with.
    if other_rate > 0 and (measure == "sessions" or duration_text(other_rate) != "0 s"):
        if measure == "sessions":
            usual = frequency_text(other_rate)
        beside = f", {comparison(rate, other_rate, f'the other days ({usual})')}"
    often = _how_often(rate, measure, "day")
    words = f"{capitalized(period)}, {subject}: {often}{beside}."
    few = min(inside.sessions, others.sessions) < FEW
    if inside.known and others.known:
        mean, other_mean = inside.seconds / inside.known, others.seconds / others.known
        noun = f"the other days' {duration_text(other_mean)}"
        beside = comparison(mean, other_mean, noun) if other_mean > 0 else noun
        sample = sample_text(inside.known, others.known)
        if few:
            sample = count_text(inside.known, "session")
        words += (
            f" Sessions last {duration_text(mean)} on average ({sample}), {beside}."
        )
    return f"{words} {_CHANCE}" if few else words


def _head(subject: str) -> str:
    # A user's name keeps its letters.
    return "Everyone" if subject == "everyone" else subject


def _preposition(selection: Selection) -> str:
    """What goes before the picked dates in the midst of a sentence."""
    if selection.start is None or selection.end is None:
        # "From 1 May 2024" or "until" it.
        return ""
    days = (selection.end - selection.start).days
    if days == 1:
        return "on "
    text = dates_text(selection.start, selection.end)
    return "from " if " to " in text else "in "


def _rest_text(days: dates.Days) -> str:
    """All days of the data but for those that are picked: a year is called so."""
    first, last = dates.bounds(days)
    whole = first.year == last.year and (first.month, last.month) == (1, 12)
    return "in the rest of the year" if whole else "on the other days"
