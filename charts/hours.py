"""The map of hours and weekdays: when sessions begin."""

from typing import Any, Final, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import dates
from charts.chart import Chart, Shown
from charts.figure import (
    EVERYONE_COLOR,
    USER_COLOR,
    Figure,
    Trace,
    empty,
    figure,
    rounded,
    user_label,
)
from charts.sentences import (
    FEW,
    WEEKDAYS,
    is_beside,
    none_match,
    rate_of_sessions,
    subject_text,
)
from engine.model import Facts, Summary, Tally, divide_or_nan
from formatting import count_text

_MARGIN: Final = {"l": 40, "r": 8, "t": 4, "b": 44}
_ROW_HEIGHT: Final = 30
_FEWEST_ROWS: Final = 2


def by_weekday(tally: Tally, facts: Facts) -> NDArray[np.int64]:
    """(7, 24): sessions by weekday, from Monday on, and hour of the day."""
    is_weekday = dates.weekday(facts.days) == np.arange(7)[:, None]
    # As floating point a matrix product is fast, and exact for counts below 2 ** 53.
    folded = is_weekday.astype(np.float64) @ tally.hours.astype(np.float64)
    return cast("NDArray[np.int64]", folded.astype(np.int64))


def weekday_counts(summary: Summary) -> NDArray[np.int64]:
    """(7,): how often each weekday, from Monday on, is among the selected dates."""
    selection = summary.selection
    return dates.count_weekdays(selection.start, selection.end, summary.facts.days)


class Week(NamedTuple):
    """The sessions of the user, or of everyone, in an average week."""

    counts: NDArray[np.int64]
    """(7,): how often each weekday, from Monday on, is among the selected dates."""
    sessions: NDArray[np.int64]
    """(7, 24): sessions by weekday and hour of the day."""
    rates: NDArray[np.float64]
    """(7, 24): sessions in each hour of one Monday, of one Tuesday and so on.

    A weekday that is more often among the selected dates so counts no more; one that is
    never among them has NaN.
    """


def week(shown: Shown) -> Week:
    """The week that is shown."""

    def make() -> Week:
        counts = weekday_counts(shown.summary)
        sessions = by_weekday(shown.summary.subject, shown.summary.facts)
        return Week(counts, sessions, divide_or_nan(sessions, counts[:, None]))

    return shown.once(Week, make)


class Hours(Chart):
    """Sessions by weekday and hour: the picked user's, or everyone's."""

    id = "hours"
    title = "Sessions by Weekday and Hour"
    width = "narrow"
    height = _MARGIN["t"] + 7 * _ROW_HEIGHT + _MARGIN["b"]
    has_color_scale = True

    def height_of(self, shown: Shown) -> int:
        n_rows = max(int((week(shown).counts > 0).sum()), _FEWEST_ROWS)
        return self.height - (7 - n_rows) * _ROW_HEIGHT

    def darkest(self, shown: Shown) -> str:
        rates = np.nan_to_num(week(shown).rates)
        if _are_rare(rates):
            sessions = week(shown).sessions
            return count_text(int(sessions.flat[rates.argmax()]), "session")
        return f"{rate_of_sessions(float(rates.max()))} an hour"

    def numbers(self, shown: Shown, *, every_row: bool = False) -> pd.DataFrame:
        summary = shown.summary
        columns: dict[str, Any] = {
            "weekday": np.repeat(WEEKDAYS, 24),
            "hour": np.tile(np.arange(24), 7),
            "times it occurs": np.repeat(weekday_counts(summary), 24),
        }
        if summary.user is not None:
            user = by_weekday(summary.user, summary.facts)
            columns["user: sessions"] = user.ravel()
        everyone = by_weekday(summary.everyone, summary.facts)
        return pd.DataFrame({**columns, "everyone: sessions": everyone.ravel()})

    def figure(self, shown: Shown) -> Figure:
        summary = shown.summary
        if not summary.subject.sessions.any():
            return empty("No sessions match")
        name, color, beside, average = "everyone", EVERYONE_COLOR, "", {}
        # Weekdays that are not among the dates have no row.
        counts, sessions, rates = week(shown)
        days = np.flatnonzero(counts)
        if summary.user is not None:
            name, color = user_label(shown.view), USER_COLOR
        if is_beside(summary):
            everyone = by_weekday(summary.everyone, summary.facts)
            of_average = everyone[days] / counts[days, None] / summary.facts.n_users
            average = {"customdata": _two_digits(of_average)}
            beside = "<br>average user's: %{customdata:,}"
        red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
        heat: Trace = {
            "type": "heatmap",
            "y": [WEEKDAYS[day] for day in days],
            "z": _two_digits(rates[days]),
            "zmin": 0,
            # More or less transparent, so that it suits the ground of either theme.
            "colorscale": [
                [share, f"rgba({red}, {green}, {blue}, {max(share, 0.06)})"]
                for share in (0, 1)
            ],
            "xgap": 2,
            "ygap": 2,
            "text": sessions[days].tolist(),
            **average,
            "hovertemplate": (
                f"<b>%{{y}}, %{{x}}:00 to %{{x}}:59</b><br>{name}'s sessions: "
                "%{z:,} each %{y}, %{text:,} in total"
                f"{beside}<extra></extra>"
            ),
            # The page has a color scale of its own: Plotly's costs a fifth of the time.
            "showscale": False,
        }
        return figure(
            [heat],
            {
                "dragmode": False,
                "margin": _MARGIN,
                "xaxis": {
                    "title": {"text": f"Hour of the day ({summary.facts.timezone})"},
                    "tickvals": list(range(0, 24, 3)),
                    "showgrid": False,
                    "zeroline": False,
                    "fixedrange": True,
                },
                "yaxis": {
                    "autorange": "reversed",
                    "tickvals": list(range(len(days))),
                    "ticktext": [WEEKDAYS[day][:3] for day in days],
                    "showgrid": False,
                    "fixedrange": True,
                },
            },
        )

    def sentence(self, shown: Shown) -> str:
        summary = shown.summary
        subject, sessions = subject_text(shown.view), summary.subject.hours
        if not sessions.any():
            return none_match(shown.view)
        words = f"Half of {subject}'s sessions start between "
        words += _half_of_sessions(sessions.sum(axis=0))
        if is_beside(summary):
            everyone = _half_of_sessions(summary.everyone.hours.sum(axis=0))
            words += f" (everyone's: between {everyone})"
        day, hour = divmod(int(np.nan_to_num(week(shown).rates).argmax()), 24)
        words += f"; the busiest hour is {WEEKDAYS[day]}, {hour}:00 to {hour + 1}:00."
        if sessions.sum() < FEW:
            words += " Few sessions, so this may be chance."
        return words


def _two_digits(rates: NDArray[np.float64]) -> list[list[float | None]]:
    # From ten on whole numbers, as in words.
    whole = np.where(rates >= 9.95, np.round(rates), rates)
    return [rounded(by_hour, 2) for by_hour in whole]


def _are_rare(rates: NDArray[np.float64]) -> bool:
    """Whether no hour has a session each week: then whole numbers say more."""
    return bool(rates.max() < 1)


def _half_of_sessions(by_hour: NDArray[np.int64]) -> str:
    """The shortest run of hours with half of the sessions, over midnight too."""
    total = by_hour.sum()
    running = np.concatenate(([0], np.cumsum(np.tile(by_hour, 2))))
    for length in range(1, 25):
        runs = running[length : length + 24] - running[:24]
        if 2 * runs.max() >= total:
            break
    start = int(runs.argmax())
    return f"{start}:00 and {(start + length - 1) % 24 + 1}:00"
