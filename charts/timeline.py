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
    Figure,
    Trace,
    duration_unit,
    empty,
    figure,
    highlight,
    picks_range,
    rounded,
    step_line,
    user_label,
    value_axis,
)
from charts.sentences import (
    capitalized,
    comparison,
    dates_text,
    measure_text,
    none_known,
    none_match,
    sample_text,
    subject_text,
)
from engine.model import Selection, Summary, Tally
from formatting import days_text, duration_text
from view import Measure

# The start of a period in a hover, in the notation of d3-time-format.
_HOVER_FORMATS: Final = {
    "day": "%-d %B %Y",
    "week": "Week from %-d %B %Y",
    "month": "%B %Y",
    "year": "%Y",
}
_MEASURES: Final = {"sessions": "Sessions", "time": "Time"}
_FEW_PERIODS: Final = 8


class Periods(NamedTuple):
    """A measure of sessions in each of some periods."""

    unit: dates.PeriodUnit
    edges: dates.Days
    """(periods + 1,): period i has the days [edges[i], edges[i + 1])."""
    everyone: NDArray[np.float64]
    """(periods,): everyone's sessions or seconds; beside a user, an average user's."""
    user: NDArray[np.float64] | None
    """(periods,): sessions or seconds of the user; None without a user."""
    incomplete: NDArray[np.bool_]
    """(periods,): whether the data begins or ends in the midst of the period."""


def periods(summary: Summary, measure: Measure) -> Periods:
    """The days of the data, or the weeks, months or years that they are in."""
    facts = summary.facts
    unit = dates.period_unit(facts.days)
    edges = dates.period_edges(facts.days, unit)
    period = np.searchsorted(edges, facts.days, side="right") - 1

    def by_period(tally: Tally) -> NDArray[np.float64]:
        values: NDArray[Any] = tally.day_sessions
        if measure == "time":
            values = tally.day_seconds
        return np.bincount(period, values, len(edges) - 1).astype(np.float64)

    everyone = by_period(summary.everyone)
    if summary.user is not None:
        everyone = everyone / facts.n_users
    # With few sessions, the first and last of a complete day are a little inside.
    tolerance = np.timedelta64(1, "h")
    first, last = np.datetime64(facts.first), np.datetime64(facts.last)
    begun = edges[:-1].astype("M8[s]") + tolerance < first
    unfinished = edges[1:].astype("M8[s]") - tolerance > last
    return Periods(
        unit=unit,
        edges=edges,
        everyone=everyone,
        user=None if summary.user is None else by_period(summary.user),
        incomplete=np.asarray(begun | unfinished),
    )


class Timeline(Chart):
    """Sessions, or time, by day, week, month or year; beside a user, the average one's.

    Periods of which the data has only a part are hatched.
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
        line = periods(shown.summary, shown.view.timeline)
        noun = "sessions" if shown.view.timeline == "sessions" else "time (s)"
        # Text, since the year 10000 may begin at the last edge, and no date can.
        days = np.datetime_as_string(line.edges).tolist()
        columns = {"from": days[:-1], "to (not included)": days[1:]}
        whose = "everyone"
        if line.user is not None:
            columns[f"user: {noun}"] = line.user
            whose = "average user"
        columns[f"{whose}: {noun}"] = line.everyone
        return pd.DataFrame({**columns, "complete": ~line.incomplete})

    def figure(self, shown: Shown) -> Figure:
        summary, view = shown.summary, shown.view
        if not summary.everyone.sessions.any():
            return empty("No sessions match")
        line = periods(summary, view.timeline)
        starts, end = [str(day) for day in line.edges[:-1]], str(line.edges[-1])
        bars, unit_seconds, noun = _bars(line, shown)
        traces = [bars]
        if line.user is not None:
            steps = rounded(line.user / unit_seconds)
            widths = _widths(line)
            edges: Trace = {"x": [*starts, end]}
            if len(set(widths)) == 1:
                # The same, in far fewer bytes.
                edges = {"x0": starts[0], "dx": widths[0]}
            line_ = step_line(user_label(view))
            traces.append({**line_, **edges, "y": [*steps, steps[-1]]})
        return figure(
            traces,
            {
                **picks_range(("from", "to"), end),
                "hovermode": "x",
                "margin": {**MARGIN, "r": 30, "b": 40},
                "uirevision": line.unit,
                "xaxis": {
                    "type": "date",
                    "range": [starts[0], end],
                    **(_roomy_axis(line) if len(starts) < _FEW_PERIODS else {}),
                },
                "yaxis": value_axis(f"{capitalized(noun)} per {line.unit}"),
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
        line = periods(summary, measure)
        head = "Everyone" if selection.user is None else subject
        text = f"{head}: {_typical_and_most(line, measure)}."
        if line.incomplete.any():
            text += f" Hatched {line.unit}s are incomplete."
        if measure == "time" and summary.everyone.unknown.any():
            text += " Unknown durations left out."
        return text


def _bars(line: Periods, shown: Shown) -> tuple[Trace, float, str]:
    """The bars, the seconds of their unit (1 for sessions), and the unit's name."""
    counts = shown.view.timeline == "sessions"
    unit_seconds, noun = 1.0, "sessions"
    if not counts:
        user = line.everyone if line.user is None else line.user
        longest = max(line.everyone.max(), user.max())
        unit_seconds, noun = duration_unit(float(longest))
    # Bars begin where their period does; a month's is as wide as the month is long.
    widths = _widths(line)
    name = "everyone" if line.user is None else "average user"
    bars: Trace = {
        "type": "bar",
        "name": name,
        "x": [str(day) for day in line.edges[:-1]],
        "y": rounded(line.everyone / unit_seconds),
        "offset": 0,
        "width": widths[0] if len(set(widths)) == 1 else widths,
        "marker": {"color": EVERYONE_COLOR, "line": {"width": 0}},
        **highlight(_picked_bars(line.edges, shown.view.selection)),
    }
    if line.incomplete.any():
        shapes = ["/" if incomplete else "" for incomplete in line.incomplete]
        bars["marker"]["pattern"] = {"shape": shapes, "fillmode": "replace"}
    columns: list[list[Any]] = []
    text, user_line = f"{name}'s sessions: %{{y:,}}", ""
    if not counts:
        columns.append(_duration_texts(line.everyone))
        text = f"{name}: %{{customdata[0]}}"
    if line.user is not None:
        label = user_label(shown.view)
        if counts:
            text = f"{name}'s: %{{y:,.3~r}}"
            columns.append(rounded(line.user))
            user_line = f"{label}'s sessions: %{{customdata[0]:,}}<br>"
        else:
            columns.append(_duration_texts(line.user))
            user_line = f"{label}: %{{customdata[1]}}<br>"
    if columns:
        bars["customdata"] = list(zip(*columns, strict=True))
    head = f"<b>%{{x|{_HOVER_FORMATS[line.unit]}}}</b><br>"
    bars["hovertemplate"] = f"{head}{user_line}{text}"
    return bars, unit_seconds, noun


def _widths(line: Periods) -> list[int]:
    """The length of each period in milliseconds, the unit of Plotly's dates."""
    widths = np.diff(line.edges).astype(np.int64) * 86_400_000
    return cast("list[int]", widths.tolist())


def _duration_texts(seconds: NDArray[np.float64]) -> list[str]:
    return [duration_text(value) for value in seconds.tolist()]


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
        "tickvals": [str(middle) for middle in middles],
        "tickformat": "%-d %b<br>%Y",
    }


def period_text(edges: dates.Days) -> str:
    """Format the period between two edges: "1 to 7 January 2024"."""
    # A period may end with the year 9999, after which there is no date.
    last = np.minimum(edges[1] - 1, np.datetime64(date.max))
    return days_text(edges[0].item(), last.item())


def _typical_and_most(line: Periods, measure: Measure) -> str:
    """The mean of the complete periods, and the largest one."""
    values = line.everyone if line.user is None else line.user
    top = int(values.argmax())
    preposition = {"day": "on", "week": "from"}.get(line.unit, "in")
    when = f"{preposition} {period_text(line.edges[top : top + 2])}"
    most = measure_text(float(values[top]), measure)
    noun = "the average user's"
    if len(values) == 1:
        if line.user is None or not line.everyone[0] > 0:
            return f"{most} {when}"
        return f"{most} {when}, {comparison(values[0], line.everyone[0], noun)}"
    words = []
    complete = ~line.incomplete
    if complete.any():
        mean = float(values[complete].mean())
        mean_of_everyone = float(line.everyone[complete].mean())
        words.append(f"{measure_text(mean, measure)} a {line.unit}")
        if line.user is not None and mean_of_everyone > 0:
            words[0] += f", {comparison(mean, mean_of_everyone, noun)}"
    if values[top] > 0:
        words.append(f"most, {most}, {when}")
    return "; ".join(words or [most])


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
    period = capitalized(dates_text(selection.start, selection.end))
    nothing = "no sessions" if measure == "sessions" else "no known time"
    rate, other_rate = inside.per_day(measure), others.per_day(measure)
    words = f"{period}, {subject_text(shown.view)}: "
    words += (
        f"{measure_text(rate, measure)} a day" if inside.counted(measure) else nothing
    )
    if others.n_days > 0:
        other_text = measure_text(other_rate, measure)
        if inside.counted(measure) and other_rate > 0:
            noun = f"the other days' {other_text}"
            words += f", {comparison(rate, other_rate, noun)}"
        else:
            usual = f"{other_text} a day" if others.counted(measure) else nothing
            words += f"; the other days: {usual}"
    if inside.known and others.known:
        mean, other_mean = inside.seconds / inside.known, others.seconds / others.known
        noun = f"the other days' {duration_text(other_mean)}"
        beside = comparison(mean, other_mean, noun) if other_mean > 0 else noun
        words += (
            f". Sessions last {duration_text(mean)} on average "
            f"({sample_text(inside.known, others.known)}), {beside}"
        )
    return words + "."
