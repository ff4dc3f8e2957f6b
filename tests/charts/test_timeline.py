from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from charts.figure import EVERYONE_COLOR, USER_COLOR, value_axis
from charts.timeline import Periods, Timeline, period_text, periods
from engine.memory import MemoryEngine
from engine.model import Selection
from tests.building import MARCH, at, days_from, engine_of, view_of
from tests.charts.drawing import drawn, hovers, layout_of, picked_bars, said, shown
from tests.sessions import ROWS, Row, table
from view import Measure, View

CHART = Timeline()
WEEK = "from 26 February to 3 March 2024"
HATCHED = "Hatched: incomplete week."
CHANCE = "Few sessions, so this may be chance."


def line_of(
    rows: Sequence[Row], measure: Measure = "sessions", user: str | None = None
) -> Periods:
    return periods(engine_of(rows).summarise(Selection(user)), measure)


def edges(line: Periods) -> list[str]:
    return list(map(str, line.edges))


def daily(first: str, n: int) -> list[Row]:
    """A session on each of so many days, at midnight; one at the end of the last."""
    start = date.fromisoformat(first)
    last = start + timedelta(days=n - 1)
    return [*days_from(start, n), *at(f"{last}T23:59:59")]


def test_a_week_by_day() -> None:
    # Thursday, 29 February 2024 has three, Friday none, Saturday one.
    rows = at("2024-02-29T00:00:00", "2024-02-29T23:00:00", "2024-03-02T23:59:59")
    line = line_of([*rows, rows[0]])
    assert line.unit == "day"
    assert edges(line) == ["2024-02-29", "2024-03-01", "2024-03-02", "2024-03-03"]
    assert line.everyone.tolist() == [3, 0, 1]
    assert line.user is None
    assert not line.incomplete.any()


@pytest.mark.parametrize("n_days", [120, 121, 3 * 366 + 1, 20 * 366 + 1])
def test_longer_data_has_longer_periods(n_days: int) -> None:
    # Monday, 1 January 2024 and the days that follow.
    last = date(2024, 1, 1) + timedelta(days=n_days - 1)
    line = line_of(at("2024-01-01", f"{last}T23:59:59"), "time")
    assert line.unit == {120: "day", 121: "week", 1099: "month", 7321: "year"}[n_days]
    assert len(line.everyone) == len(line.edges) - 1
    assert line.everyone[[0, -1]].tolist() == [1, 1]


def test_weeks_begin_on_mondays_and_the_first_and_last_may_be_incomplete() -> None:
    # From Wednesday, 3 January to Thursday, 2 May 2024.
    line = line_of(daily("2024-01-03", 121))
    assert line.unit == "week"
    assert edges(line)[:2] == ["2024-01-01", "2024-01-08"]
    assert edges(line)[-2:] == ["2024-04-29", "2024-05-06"]
    # The last day has two.
    assert line.everyone.tolist() == [5, *[7] * 16, 5]
    assert np.flatnonzero(line.incomplete).tolist() == [0, 17]


def test_a_period_is_complete_where_the_data_begins_within_an_hour_of_it() -> None:
    # From Monday, 1 January 2024.
    def incomplete(first: str, last: str) -> list[bool]:
        line = line_of(at(first, last))
        assert line.unit == "week"
        return list(map(bool, line.incomplete[[0, -1]]))

    end = "2024-06-30T23:00:00"
    assert incomplete("2024-01-01T00:30:00", end) == [False, False]
    assert incomplete("2024-01-01T01:00:00", end) == [False, False]
    assert incomplete("2024-01-01T01:00:01", end) == [True, False]
    assert incomplete("2024-01-01", "2024-06-30T22:59:59") == [False, True]


def test_a_single_day_may_lack_both_ends() -> None:
    assert line_of(at("2024-01-01T12:00:00")).incomplete.tolist() == [True]


def test_months_and_years_are_those_of_the_calendar() -> None:
    line = line_of(at("2023-02-28", "2024-02-29", "2024-03-01", "2026-03-31T23:59:59"))
    assert line.unit == "month"
    assert edges(line)[:2] == ["2023-02-01", "2023-03-01"]
    assert {edges(line)[i]: n for i, n in enumerate(line.everyone) if n} == {
        "2023-02-01": 1,
        "2024-02-01": 1,
        "2024-03-01": 1,
        "2026-03-01": 1,
    }
    assert line.incomplete.tolist() == [True] + [False] * 37

    line = line_of(at("1999-12-31T23:59:59", "2000-01-01", "2024-02-29", "2024-12-31"))
    assert line.unit == "year"
    assert edges(line)[:2] == ["1999-01-01", "2000-01-01"]
    assert edges(line)[-1] == "2025-01-01"
    assert line.everyone.tolist() == [1, 1, *[0] * 23, 2]
    assert line.incomplete[[0, -1]].tolist() == [True, True]


def test_a_user_stands_beside_everyone() -> None:
    line = line_of(ROWS, "sessions", "ann")
    # The week from 26 February: 10 sessions of three users, 5 of ann.
    assert line.everyone[8] == 10
    assert line.user is not None
    assert line.user[8] == 5
    line = line_of(ROWS, "time", "ann")
    # 10, 20, 30, 40, 50; 60 and 0; 5.
    assert line.everyone[8] == 215
    assert line.user is not None
    assert line.user[8] == 150


ENDS: list[list[Row]] = [
    at("0001-01-01"),
    at("9999-12-31T23:59:59"),
    at("0001-01-01", "9999-12-31"),
    at("0001-01-03", "0001-12-31"),
    at("9999-06-01", "9999-12-31"),
    at("9990-06-01", "9999-12-31"),
]


@pytest.mark.parametrize("rows", ENDS)
def test_the_ends_of_the_calendar(rows: list[Row]) -> None:
    line = line_of(rows)
    assert line.everyone.sum() == len(rows)
    engine = engine_of(rows)
    chart_shown = shown(CHART, engine, View())
    assert CHART.numbers(chart_shown)["from"].tolist() == edges(line)[:-1]
    assert CHART.sentence(chart_shown).startswith("Everyone: ")
    start = engine.facts.days[0].item()
    drawn(CHART, engine, view_of(start=start, end=date.max))


def test_words_for_periods() -> None:
    def text(start: str, end: str) -> str:
        return period_text(np.array([start, end], "M8[D]"))

    assert text("2024-02-29", "2024-03-01") == "29 February 2024"
    assert text("2023-12-25", "2024-01-01") == "25 to 31 December 2023"
    assert text("2024-01-01", "2024-01-08") == "1 to 7 January 2024"
    assert text("2024-02-01", "2024-03-01") == "February 2024"
    assert text("9999-01-01", "10000-01-01") == "9999"
    assert text("9999-12-27", "10000-01-03") == "27 to 31 December 9999"


def test_the_table_of_the_timeline(engine: MemoryEngine) -> None:
    frame = CHART.numbers(shown(CHART, engine, view_of(timeline="time")))
    assert list(frame) == [
        *("from", "to (not included)", "everyone: time (s)", "complete")
    ]
    assert frame.iloc[8].tolist() == ["2024-02-26", "2024-03-04", 215, True]
    assert frame.iloc[-1].tolist() == ["2024-12-30", "2025-01-06", 0, False]
    frame = CHART.numbers(shown(CHART, engine, view_of("ann")))
    assert list(frame)[2:] == ["user: sessions", "everyone: sessions", "complete"]
    assert frame.iloc[8].tolist() == ["2024-02-26", "2024-03-04", 5, 10, True]


def test_the_heading_says_what_is_counted_by_what(engine: MemoryEngine) -> None:
    def heading(engine: MemoryEngine, view: View) -> str:
        return CHART.heading(shown(CHART, engine, view))

    assert heading(engine, view_of(timeline="time")) == "Time per Week"
    assert heading(engine, view_of("ann")) == "Sessions per Week"
    assert heading(engine_of(at("2024-01-01")), View()) == "Sessions per Day"


# Figures.

WEEKS: list[Row] = [
    # A Wednesday, then two Mondays a fortnight later, and so on until May.
    ("u", "p", 3600, "2024-01-03T12:00"),
    ("v", "p", 1800, "2024-01-08T00:00"),
    ("u", "p", 1800, "2024-01-22T23:00"),
    ("u", "p", None, "2024-05-13T09:00"),
]


def test_a_timeline_of_a_third_of_a_year_is_by_week() -> None:
    figure = drawn(CHART, engine_of(WEEKS), view_of("u"))
    everyone, user = figure.data
    assert everyone.x[:2] == ("2024-01-01", "2024-01-08")
    assert everyone.x[-1] == "2024-05-13"
    assert (everyone.name, user.name) == ("everyone", "u")
    assert everyone.y[:4] == (1, 1, 0, 1)
    assert user.y[:4] == (1, 0, 0, 1)
    assert len(everyone.y) == len(user.y) == len(everyone.x) == 20
    for bars in figure.data:
        assert (bars.type, bars.offset, bars.width) == ("bar", 0, 7 * 86_400_000)
        # From Monday 0:00 on nothing is missing; the data ends on a Monday morning.
        assert bars.marker.pattern.shape[:2] == ("/", "")
        assert bars.marker.pattern.shape[-1] == "/"
    assert (user.x0, user.dx, user.x) == ("2024-01-01", user.width, None)
    assert figure.layout.xaxis.range == ("2024-01-01", "2024-05-19T23:59:59")
    alone = drawn(CHART, engine_of(WEEKS), View())
    assert alone.layout.yaxis.title.text == "Sessions per week"


def test_a_user_has_a_row_and_an_axis_above_everyone() -> None:
    # Of everyone 20 sessions on the second day, of u 2.
    rows: list[Row] = [
        ("u", "p", 60, "2024-01-01T00:00"),
        *[("u", "p", 60, "2024-01-02T23:59")] * 2,
        *[("v", "p", 7200, "2024-01-02T23:59")] * 18,
    ]
    figure = drawn(CHART, engine_of(rows), view_of("u"))
    everyone, user = figure.data
    assert (everyone.y, user.y) == ((1, 20), (1, 2))
    assert (everyone.marker.color, user.marker.color) == (EVERYONE_COLOR, USER_COLOR)
    assert (everyone.yaxis, user.yaxis) == (None, "y2")
    below, above = figure.layout.yaxis, figure.layout.yaxis2
    # The highest bar of each has the same height: that of the lower row from the
    # ground on, that of the upper one from above the lower row on.
    assert below.range == (0, pytest.approx(20 / 0.43, rel=1e-3))
    low, high = above.range
    assert 2 / (high - low) == pytest.approx(0.43, rel=1e-3)
    assert -low / (high - low) == pytest.approx(0.56, rel=1e-3)
    # One plot for clicks, drags and hovers.
    assert (above.overlaying, below.domain, above.domain) == ("y", None, None)
    assert (below.fixedrange, above.fixedrange) == (True, True)
    assert (below.tickvals, below.ticktext) == ((0, 20), ("0", "20"))
    assert (above.tickvals, above.ticktext) == ((0, 2), ("0", "2"))
    # The legend names the upper one first.
    assert (everyone.legendrank, user.legendrank) == (1001, None)
    assert figure.layout.showlegend is None
    # Each in a unit that suits it: 36 h 2 min, and 2 min.
    figure = drawn(CHART, engine_of(rows), view_of("u", timeline="time"))
    everyone, user = figure.data
    assert (everyone.y, user.y) == ((0.0167, 36), (60, 120))
    assert figure.layout.yaxis.ticktext == ("0", "36 h")
    assert figure.layout.yaxis2.ticktext == ("0", "120 s")
    assert figure.layout.margin.l == 52


def test_a_row_without_sessions_or_time_has_an_axis_all_the_same() -> None:
    rows: list[Row] = [*at("2024-01-01"), ("v", "q", 0, "2024-01-02T23:59")]
    view = view_of("u", pages=("q",))
    axis = drawn(CHART, engine_of(rows), view).layout.yaxis2
    assert (axis.tickvals, axis.range[1]) == ((0, 1), pytest.approx(0.44 / 0.43, 1e-3))
    zeros = drawn(CHART, engine_of(rows), view_of("v", timeline="time"))
    assert zeros.data[1].y == (0, 0)


def test_a_wide_number_has_room() -> None:
    many = table(at("2024-01-08")).loc[[0] * 111_113]
    engine = MemoryEngine(pd.concat([many, table(WEEKS[1:2])]))
    figure = drawn(CHART, engine, view_of("v"))
    assert figure.layout.yaxis.ticktext == ("0", "111,114")
    assert figure.layout.margin.l == 16 + 7 * len("111,114")


def test_a_user_who_is_everyone_has_the_only_row() -> None:
    engine = engine_of(at("2024-01-01T00:00", "2024-01-02T23:59", "2024-01-02T23:59"))
    for user, name, color in (
        *((None, "everyone", EVERYONE_COLOR), ("u", "u", USER_COLOR)),
    ):
        bars, number = drawn(CHART, engine, view_of(user)).data
        assert (bars.name, bars.marker.color, bars.y) == (name, color, (1, 2))
        assert (number.text, number.y) == (("2",), (2,))
    # One of several users, who has all that is selected.
    figure = drawn(CHART, engine_of(ROWS), view_of("bob", pages=("help",)))
    assert [trace.name for trace in figure.data] == ["bob", None]
    assert "yaxis2" not in figure.layout.to_plotly_json()
    assert len(drawn(CHART, engine_of(ROWS), view_of("bob")).data) == 2


def test_the_highest_bar_of_a_single_row_has_its_number() -> None:
    _, number = drawn(CHART, engine_of(ROWS), View()).data
    assert (number.mode, number.textposition) == ("text", "top center")
    # Ten sessions in the week from 26 February, whose middle is Thursday noon.
    assert (number.x, number.y, number.text) == (("2024-02-29T12",), (10,), ("10",))
    assert (number.showlegend, number.hoverinfo) == (False, "skip")
    figure = drawn(CHART, engine_of(ROWS), view_of(timeline="time"))
    assert figure.data[1].text == ("3 min 35 s",)
    assert figure.data[1].y == (3.58,)
    # Nothing goes over the axis, which has room for the number.
    assert figure.layout.yaxis.range == (0, 4.01)
    zeros: list[Row] = [("u", "p", 0, "2024-01-01"), ("v", "p", 0, "2024-01-02T23:59")]
    _, number = drawn(CHART, engine_of(zeros), view_of(timeline="time")).data
    assert number.text == ()


def test_a_hover_says_what_is_counted_in_which_period() -> None:
    engine = engine_of(WEEKS)
    head = "<b>%{x|Week from %-d %B %Y}</b><br>"

    def templates(user: str | None, measure: str) -> list[str]:
        figure = drawn(CHART, engine, view_of(user, timeline=measure))
        found = [trace.hovertemplate for trace in figure.data if trace.type == "bar"]
        assert all(template.startswith(head) for template in found)
        return [template.removeprefix(head) for template in found]

    assert templates(None, "sessions") == ["everyone's sessions: %{y:,}"]
    assert templates("u", "sessions") == [
        *("everyone's sessions: %{y:,}", "u's sessions: %{y:,}")
    ]
    assert templates(None, "time") == ["everyone: %{customdata}"]
    assert templates("u", "time") == ["everyone: %{customdata}", "u: %{customdata}"]
    everyone, user = drawn(CHART, engine, view_of("u", timeline="time")).data
    assert everyone.customdata[:2] == ("1 h", "30 min")
    assert user.customdata[:2] == ("1 h", "0 s")
    # Both are shown, wherever in the plot one points.
    assert drawn(CHART, engine, view_of("u")).layout.hovermode == "x"


@pytest.mark.parametrize(
    ("last", "form"),
    [
        ("2024-01-02", "%-d %B %Y"),
        ("2024-12-31", "Week from %-d %B %Y"),
        ("2029-12-31", "%B %Y"),
        ("2099-12-31", "%Y"),
    ],
)
def test_a_period_is_named_as_it_is_spoken_of(last: str, form: str) -> None:
    bars, _ = drawn(CHART, engine_of(at("2024-01-01", last)), View()).data
    assert hovers(drawn(CHART, engine_of(at("2024-01-01", last)), View()))
    assert bars.hovertemplate.startswith(f"<b>%{{x|{form}}}</b><br>")


def test_months_are_as_wide_as_they_are_long() -> None:
    rows: list[Row] = [*at("2024-01-31", "2027-12-01"), ("v", "p", 1, "2024-01-31")]
    for bars in drawn(CHART, engine_of(rows), view_of("u")).data:
        assert (bars.x[:2], bars.x0) == (("2024-01-01", "2024-02-01"), None)
        assert bars.x[-1] == "2027-12-01"
        days = [width // 86_400_000 for width in bars.width[:4]]
        assert days == [31, 29, 31, 30]


def test_a_timeline_counts_time_where_that_is_asked() -> None:
    figure = drawn(CHART, engine_of(WEEKS), view_of(timeline="time"))
    bars, _ = figure.data
    assert bars.name == "everyone"
    assert bars.y[:2] == (60, 30)
    assert figure.layout.yaxis.title.text == "Minutes per week"
    assert bars.customdata[0] == "1 h"
    everyone, user = drawn(CHART, engine_of(WEEKS), view_of("u", timeline="time")).data
    assert (everyone.y[:2], user.y[:2]) == ((60, 30), (60, 0))


def test_few_days_are_no_wider_than_eight() -> None:
    figure = drawn(CHART, engine_of(at("2024-01-01T00:00", "2024-01-02T23:59")), View())
    axis = figure.layout.xaxis
    # Two days, and three more on either side.
    assert axis.range == ("2023-12-29T00", "2024-01-06T00")
    assert axis.tickvals == ("2024-01-01T12", "2024-01-02T12")
    seven, eight = (engine_of(daily("2024-01-01", n)) for n in (7, 8))
    # On a phone there is room for four.
    noons = tuple(f"2024-01-0{day}T12" for day in (1, 3, 5, 7))
    assert drawn(CHART, seven, View()).layout.xaxis.tickvals == noons
    assert drawn(CHART, eight, View()).layout.xaxis.tickvals is None


def test_the_axes_of_the_timeline() -> None:
    assert layout_of(CHART, engine_of(WEEKS), View()) == {
        "meta": {"keys": ["from", "to"], "end": "2024-05-20"},
        "dragmode": "select",
        "selectdirection": "h",
        "selections": [],
        "hovermode": "x",
        "margin": {"l": 52, "r": 30, "t": 36, "b": 44},
        "uirevision": "week",
        "showlegend": False,
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "xaxis": {
            "type": "date",
            # The day after the data has no tick.
            "range": ["2024-01-01", "2024-05-19T23:59:59"],
            "tickangle": 0,
            "ticklabelstandoff": 5,
            "tickformat": "%-d %b\n%Y",
        },
        "yaxis": {**value_axis("Sessions per week"), "range": [0, 1.12]},
    }
    one = layout_of(CHART, engine_of(at("2024-01-01T12:00")), View())
    # A day, and three and a half more on either side.
    assert one["xaxis"] == {
        "type": "date",
        "range": ["2023-12-28T12", "2024-01-05T12"],
        "tickangle": 0,
        "ticklabelstandoff": 5,
        "tickvals": ["2024-01-01T12"],
        "tickformat": "%-d %b<br>%Y",
    }


@pytest.mark.parametrize(
    ("last", "form"),
    [
        *(("2024-02-02", "%-d %b\n%Y"), ("2024-12-31", "%-d %b\n%Y")),
        *(("2029-12-31", "%b\n%Y"), ("2099-12-31", None)),
    ],
)
def test_ticks_are_short(last: str, form: str | None) -> None:
    figure = drawn(CHART, engine_of(at("2024-01-01", last)), View())
    assert figure.layout.xaxis.tickformat == form


def test_incomplete_periods_are_hatched_in_their_own_colour() -> None:
    bars, _ = drawn(CHART, engine_of(WEEKS), View()).data
    assert bars.marker.color == EVERYONE_COLOR
    assert bars.marker.pattern.shape == ("/", *[""] * 18, "/")
    assert bars.marker.pattern.fillmode == "replace"
    whole = engine_of(at("2024-01-01", "2024-01-02T23:59:59"))
    assert drawn(CHART, whole, View()).data[0].marker.pattern.shape is None


def test_picked_dates_stand_out() -> None:
    engine = engine_of(WEEKS)
    picked = view_of(start=date(2024, 1, 10), end=date(2024, 1, 22))
    assert picked_bars(drawn(CHART, engine, picked)) == [1, 2]
    assert picked_bars(drawn(CHART, engine, View())) is None
    until = view_of(end=date(2024, 1, 8))
    assert picked_bars(drawn(CHART, engine, until)) == [0]
    # In either row.
    both = view_of("u", start=date(2024, 1, 10), end=date(2024, 1, 22))
    for trace in (0, 1):
        assert picked_bars(drawn(CHART, engine, both), trace) == [1, 2]
    later = view_of(start=date(2024, 5, 13))
    assert picked_bars(drawn(CHART, engine, later)) == [19]


def test_clicks_and_drags_pick_a_range() -> None:
    layout = drawn(CHART, engine_of(WEEKS), view_of("u")).layout
    assert layout.meta == {"keys": ["from", "to"], "end": "2024-05-20"}
    assert (layout.dragmode, layout.selectdirection) == ("select", "h")


def test_a_zoom_is_kept_while_the_axis_means_the_same(engine: MemoryEngine) -> None:
    kept = drawn(CHART, engine, view_of("ann")).layout.uirevision
    assert (
        kept == drawn(CHART, engine, view_of("bob", timeline="time")).layout.uirevision
    )
    assert kept != drawn(CHART, engine_of(ROWS[:5]), View()).layout.uirevision


# Sentences.


def timeline(rows: Sequence[Row], view: View) -> str:
    return said(CHART, rows, view)


def test_everyone_and_a_user_beside_them() -> None:
    # 11 sessions in the 52 weeks of which the data has all.
    assert timeline(ROWS, View()) == (
        f"Everyone: about 1 session a month; most {WEEK} (10 sessions). {HATCHED}"
    )
    # 5 and 11 / 3 in 52 weeks.
    assert timeline(ROWS, view_of("ann")) == (
        "ann: about 1 session every 10 weeks, 1.4 × the average user's; "
        f"most {WEEK} (5 sessions). {HATCHED}"
    )


def test_a_comparison_of_few_sessions_may_be_chance() -> None:
    # Three of bob's sessions, six of ann's.
    words = timeline(ROWS, view_of("bob"))
    assert f", 0.8 × the average user's; most {WEEK} (3 sessions). {CHANCE}" in words
    assert CHANCE not in timeline(ROWS, view_of("ann"))
    assert CHANCE not in timeline(ROWS[:4], View())


def test_a_user_who_is_everyone_is_compared_with_nobody() -> None:
    rows = at("2024-03-01", "2024-03-01T12:00:00", "2024-03-02T23:30:00")
    assert timeline(rows, view_of("u")) == (
        "u: 1.5 sessions a day; most on 1 March 2024 (2 sessions)."
    )
    assert timeline(ROWS, view_of("bob", pages=("help",))) == (
        f"bob: about 1 session a year; most {WEEK} (1 session). {HATCHED}"
    )


def test_sessions_by_day_and_by_week() -> None:
    rows = at("2024-03-01", "2024-03-01T12:00:00", "2024-03-02T23:30:00")
    assert timeline(rows, View()) == (
        "Everyone: 1.5 sessions a day; most on 1 March 2024 (2 sessions)."
    )
    two: list[Row] = [*rows[:2], ("v", "p", 1, "2024-03-01")]
    assert timeline(two, view_of("u")) == (
        "u: 2 sessions on 1 March 2024, 1.3 × the average user's. "
        f"{CHANCE} Hatched: incomplete day."
    )
    nothing: list[Row] = [("u", "p", 0, "2024-01-01")]
    assert timeline(nothing, view_of("u", timeline="time")) == (
        "u: 0 s on 1 January 2024. Hatched: incomplete day."
    )
    # All in incomplete weeks: of the others there is nothing to say.
    assert timeline(at("2023-12-31", "2024-12-30"), View()) == (
        "Everyone: most from 25 to 31 December 2023 (1 session). "
        "Hatched: incomplete weeks."
    )


def test_time_by_week_month_and_year() -> None:
    view = view_of(timeline="time")
    assert timeline(ROWS, view) == (
        f"Everyone: 6.1 s a week; most {WEEK} (3 min 35 s). {HATCHED} "
        "Unknown durations left out."
    )
    months = at("2020-01-01", "2020-02-29", "2024-12-31T23:30:00")
    assert timeline(months, view) == (
        "Everyone: 0.1 s a month; most in January 2020 (1 s)."
    )
    years = at("1999-01-01", "2024-02-29", "2024-12-31T23:30:00")
    assert timeline(years, view) == "Everyone: 0.1 s a year; most in 2024 (2 s)."
    assert timeline(years, View()) == (
        "Everyone: about 1 session every 9 years; most in 2024 (2 sessions)."
    )
    zeros: list[Row] = [("u", "p", 0, "2024-01-01"), ("v", "p", 0, "2024-01-02T23:59")]
    assert timeline(zeros, view_of("u", timeline="time")) == f"u: 0 s a day. {CHANCE}"


def test_where_no_period_is_complete_only_the_most_is_said() -> None:
    rows = at("2024-01-01T12:00:00", "2024-01-02T12:00:00", "2024-01-02T13:00:00")
    assert timeline(rows, view_of("u")) == (
        "u: most on 2 January 2024 (2 sessions). Hatched: incomplete days."
    )
    # All of them.
    rows = [*rows[:1], ("v", *rows[1][1:])]
    words = (
        "u: 1 session on 1 January 2024. Few sessions, so this may be chance. Hatched"
    )
    assert timeline(rows, view_of("u")).startswith(words)
    assert timeline([rows[0], ("u", "p", 0, rows[1][3])], View()).startswith(
        "Everyone: m"
    )
    # Less than what can be said.
    least: list[Row] = [("u", "p", 1e-9, "2024-01-01"), ("u", "p", 0, "2024-02-01")]
    assert "most" not in timeline(least, view_of(timeline="time"))


def test_nothing_selected_or_known() -> None:
    assert timeline(ROWS, view_of("cy", pages=("help",))) == "No sessions of cy match."
    assert timeline(ROWS, view_of(pages=("help",), longest=0.001)) == (
        "No sessions match."
    )
    unknown = "bob has no sessions of known duration."
    time: dict[str, Any] = {"timeline": "time", "pages": ("help",)}
    assert timeline(ROWS, view_of("bob", **time)) == unknown
    assert timeline(ROWS, view_of("bob", **time, **MARCH)) == unknown
    assert timeline(ROWS, view_of(**time)) == "No duration is known."


def test_was_march_different() -> None:
    # 2 of 6 sessions in 31 of 366 days; 40 and 50 s after 10, 20 and 30.
    assert timeline(ROWS, view_of("ann", **MARCH)) == (
        "March 2024, ann: about 1 session every 2 weeks, 5.4 × the other days "
        "(about 1 every 3 months). Sessions last 45 s on average (2 sessions), "
        f"2.2 × the other days' 20 s. {CHANCE}"
    )
    assert timeline(ROWS, view_of(timeline="time", **MARCH)) == (
        "March 2024, everyone: 3.1 s a day, 4.7 × the other days (0.7 s a day). "
        "Sessions last 32 s on average (3 sessions), "
        f"0.9 × the other days' 37 s. {CHANCE}"
    )


def test_many_sessions_of_few_known_durations_may_be_chance_in_these_alone() -> None:
    rows: list[Row] = [
        *[("u", "p", 4, "2024-01-01")] * 4,
        ("u", "p", None, "2024-01-01"),
        *[("u", "p", 2, "2024-01-02T23:30")] * 5,
    ]
    assert timeline(rows, view_of(end=date(2024, 1, 2))) == (
        "Until 1 January 2024, everyone: 5 sessions a day, about the same as the other "
        "days (5 a day). Sessions last 4 s on average (4 sessions, so this may be "
        "chance), 2.0 × the other days' 2 s."
    )


def test_dates_without_sessions() -> None:
    # Three in a year of which the data has all months.
    may = view_of("cy", start=date(2024, 5, 1), end=date(2024, 6, 1))
    assert timeline(ROWS, may) == ("cy: none in May 2024; 3 in the rest of the year.")
    week = view_of("cy", start=date(2024, 5, 1), end=date(2024, 5, 8))
    assert timeline(ROWS, week).startswith("cy: none from 1 to 7 May 2024; 3 ")
    day = view_of("cy", start=date(2024, 5, 1), end=date(2024, 5, 2))
    assert timeline(ROWS, day).startswith("cy: none on 1 May 2024; 3 ")
    later = view_of("cy", start=date(2024, 5, 1))
    assert timeline(ROWS, later).startswith("cy: none from 1 May 2024; 3 ")
    assert timeline(ROWS, view_of("cy", timeline="time", **MARCH)) == (
        "March 2024, cy: 0.2 s a day, 0.5 × the other days (0.3 s a day). "
        "Sessions last 5 s on average (1 session), "
        f"0.05 × the other days' 1 min 40 s. {CHANCE}"
    )
    rows: list[Row] = [*at("2024-01-01"), ("v", "p", None, "2024-01-03")]
    assert timeline(rows, view_of("u", end=date(2024, 1, 2))) == (
        "u: 1 session until 1 January 2024; none on the other days."
    )
    assert timeline(rows, view_of(start=date(2024, 1, 3), timeline="time")) == (
        "Everyone: no known time from 3 January 2024; 1 s on the other days."
    )
    # Not the rest of a year, of which the data has a part.
    some = at("2024-01-01", "2024-11-30", "2024-11-30")
    assert timeline(some, view_of(start=date(2024, 5, 1), end=date(2024, 6, 1))) == (
        "Everyone: none in May 2024; 3 on the other days."
    )
    years = at("2023-01-01", "2024-12-31", "2024-12-31")
    assert timeline(years, view_of(start=date(2024, 5, 1), end=date(2024, 6, 1))) == (
        "Everyone: none in May 2024; 3 on the other days."
    )


def test_sessions_of_unknown_duration_are_sessions_in_the_picked_dates() -> None:
    rows: list[Row] = [*at("2024-01-01"), ("u", "p", None, "2024-01-02")]
    second = view_of(start=date(2024, 1, 2))
    assert timeline(rows, second) == (
        "From 2 January 2024, everyone: 1 session a day, "
        f"about the same as the other days (1 a day). {CHANCE}"
    )


def test_dates_that_are_all_have_no_other_days() -> None:
    first = view_of(start=date(2024, 1, 1))
    assert timeline(at("2024-01-01"), first) == (
        "Everyone: 1 session from 1 January 2024."
    )


def test_durations_that_are_nothing_on_the_other_days_have_no_ratio() -> None:
    rows: list[Row] = [
        *[("u", "p", 4, "2024-01-01")] * 5,
        *[("u", "p", 0, "2024-01-02T23:30")] * 5,
    ]
    assert timeline(rows, view_of(end=date(2024, 1, 2))) == (
        "Until 1 January 2024, everyone: 5 sessions a day, about the same as the other "
        "days (5 a day). Sessions last 4 s on average (5 sessions), "
        "the other days' 0 s."
    )
    assert timeline(rows, view_of(end=date(2024, 1, 2), timeline="time")) == (
        "Until 1 January 2024, everyone: 20 s a day; the other days: 0 s a day. "
        "Sessions last 4 s on average (5 sessions), the other days' 0 s."
    )
    # Few on the other days are as weak as few on these.
    assert timeline(rows[:9], view_of(end=date(2024, 1, 2))).endswith(CHANCE)
    assert CHANCE not in timeline(rows, view_of(end=date(2024, 1, 2)))
