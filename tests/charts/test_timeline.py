from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from charts.figure import EVERYONE_COLOR, value_axis
from charts.timeline import Periods, Timeline, period_text, periods
from engine.memory import MemoryEngine
from engine.model import Selection
from tests.building import MARCH, at, days_from, engine_of, view_of
from tests.charts.drawing import drawn, hovers, layout_of, picked_bars, said, shown
from tests.sessions import ROWS, Row
from view import Measure, View

CHART = Timeline()
WEEK = "from 26 February to 3 March 2024"
HATCHED = "Hatched weeks are incomplete."


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


def test_a_user_stands_beside_the_average_of_all() -> None:
    line = line_of(ROWS, "sessions", "ann")
    # The week from 26 February: 10 sessions of three users, 5 of ann.
    assert line.everyone[8] == pytest.approx(10 / 3)
    assert line.user is not None
    assert line.user[8] == 5
    line = line_of(ROWS, "time", "ann")
    # 10, 20, 30, 40, 50; 60 and 0; 5.
    assert line.everyone[8] == pytest.approx(215 / 3)
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
    assert list(frame)[2:] == ["user: sessions", "average user: sessions", "complete"]
    assert frame.iloc[8].tolist() == [
        *("2024-02-26", "2024-03-04", 5, pytest.approx(10 / 3), True)
    ]


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
    bars, line = figure.data
    assert bars.x[:2] == ("2024-01-01", "2024-01-08")
    assert bars.x[-1] == "2024-05-13"
    assert (bars.name, line.name) == ("average user", "u")
    assert bars.y[:4] == (0.5, 0.5, 0, 0.5)
    assert line.y[:4] == (1, 0, 0, 1)
    assert (bars.offset, bars.width) == (0, 7 * 86_400_000)
    # The line goes on to the end of the last week.
    assert line.y[-2:] == (1, 1)
    assert len(line.y) == len(bars.x) + 1
    assert (line.x0, line.dx, line.x) == ("2024-01-01", bars.width, None)
    # From Monday 0:00 on nothing is missing; the data ends on a Monday morning.
    assert bars.marker.pattern.shape[:2] == ("/", "")
    assert bars.marker.pattern.shape[-1] == "/"
    assert figure.layout.yaxis.title.text == "Sessions per week"
    assert figure.layout.xaxis.range == ("2024-01-01", "2024-05-20")


def test_a_hover_says_what_is_counted_in_which_period() -> None:
    engine = engine_of(WEEKS)
    head = "<b>%{x|Week from %-d %B %Y}</b><br>"

    def templates(user: str | None, measure: str) -> str:
        figure = drawn(CHART, engine, view_of(user, timeline=measure))
        template: str = figure.data[0].hovertemplate
        assert template.startswith(head)
        return template.removeprefix(head)

    assert templates(None, "sessions") == "everyone's sessions: %{y:,}"
    assert templates("u", "sessions") == (
        "u's sessions: %{customdata[0]:,}<br>average user's: %{y:,.3~r}"
    )
    assert templates(None, "time") == "everyone: %{customdata[0]}"
    assert templates("u", "time") == (
        "u: %{customdata[1]}<br>average user: %{customdata[0]}"
    )
    # The average user's is of both.
    assert drawn(CHART, engine, view_of("u", timeline="time")).data[0].customdata[
        0
    ] == ["30 min", "1 h"]
    sessions = drawn(CHART, engine, view_of("u"))
    assert [row[0] for row in sessions.data[0].customdata[:4]] == [1, 0, 0, 1]
    # The hover is that of the bars alone.
    assert sessions.data[1].hoverinfo == "skip"


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
    (bars,) = drawn(CHART, engine_of(at("2024-01-01", last)), View()).data
    assert hovers(drawn(CHART, engine_of(at("2024-01-01", last)), View()))
    assert bars.hovertemplate.startswith(f"<b>%{{x|{form}}}</b><br>")


def test_months_are_as_wide_as_they_are_long() -> None:
    bars, line = drawn(
        CHART, engine_of(at("2024-01-31", "2027-12-01")), view_of("u")
    ).data
    assert line.x == (*bars.x, "2028-01-01")
    assert line.x0 is None
    days = [width // 86_400_000 for width in bars.width[:4]]
    assert days == [31, 29, 31, 30]


def test_a_timeline_counts_time_where_that_is_asked() -> None:
    figure = drawn(CHART, engine_of(WEEKS), view_of(timeline="time"))
    (bars,) = figure.data
    assert bars.name == "everyone"
    assert bars.y[:2] == (60, 30)
    assert figure.layout.yaxis.title.text == "Minutes per week"
    assert bars.customdata[0] == ["1 h"]
    # The average user's and the user's, in the same unit.
    bars, line = drawn(CHART, engine_of(WEEKS), view_of("u", timeline="time")).data
    assert (bars.y[:2], line.y[:2]) == ((30, 15), (60, 0))


def test_the_unit_of_time_suits_whoever_has_more() -> None:
    rows: list[Row] = [
        ("u", "p", 4 * 3600, "2024-01-01"),
        ("v", "p", 60, "2024-01-01T23:59:59"),
    ]
    units = [
        drawn(
            CHART, engine_of(rows), view_of(user, timeline="time")
        ).layout.yaxis.title.text
        for user in (None, "u", "v")
    ]
    # Of u 4 hours; beside v the average user's 2 hours.
    assert units == ["Hours per day", "Hours per day", "Minutes per day"]


def test_few_days_are_no_wider_than_eight() -> None:
    figure = drawn(CHART, engine_of(at("2024-01-01T00:00", "2024-01-02T23:59")), View())
    axis = figure.layout.xaxis
    # Two days, and three more on either side.
    assert axis.range == ("2023-12-29T00", "2024-01-06T00")
    assert axis.tickvals == ("2024-01-01T12", "2024-01-02T12")
    seven, eight = (engine_of(daily("2024-01-01", n)) for n in (7, 8))
    assert drawn(CHART, seven, View()).layout.xaxis.tickvals is not None
    assert drawn(CHART, eight, View()).layout.xaxis.tickvals is None


def test_the_axes_of_the_timeline() -> None:
    assert layout_of(CHART, engine_of(WEEKS), View()) == {
        "meta": {"keys": ["from", "to"], "end": "2024-05-20"},
        "dragmode": "select",
        "selectdirection": "h",
        "selections": [],
        "hovermode": "x",
        "margin": {"l": 52, "r": 30, "t": 36, "b": 40},
        "uirevision": "week",
        "xaxis": {"type": "date", "range": ["2024-01-01", "2024-05-20"]},
        "yaxis": value_axis("Sessions per week"),
    }
    one = layout_of(CHART, engine_of(at("2024-01-01T12:00")), View())
    # A day, and three and a half more on either side.
    assert one["xaxis"] == {
        "type": "date",
        "range": ["2023-12-28T12", "2024-01-05T12"],
        "tickvals": ["2024-01-01T12"],
        "tickformat": "%-d %b<br>%Y",
    }


def test_incomplete_periods_are_hatched_in_their_own_colour() -> None:
    (bars,) = drawn(CHART, engine_of(WEEKS), View()).data
    assert bars.marker.color == EVERYONE_COLOR
    assert bars.marker.line.width == 0
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
        f"Everyone: 0.21 sessions a week; most, 10 sessions, {WEEK}. {HATCHED}"
    )
    # 5 and 11 / 3 in 52 weeks.
    assert timeline(ROWS, view_of("ann")) == (
        "ann: 0.096 sessions a week, 1.4 × the average user's; "
        f"most, 5 sessions, {WEEK}. {HATCHED}"
    )


def test_sessions_by_day_and_by_week() -> None:
    rows = at("2024-03-01", "2024-03-01T12:00:00", "2024-03-02T23:30:00")
    assert timeline(rows, View()) == (
        "Everyone: 1.5 sessions a day; most, 2 sessions, on 1 March 2024."
    )
    assert timeline(rows[:2], view_of("u")) == (
        "u: 2 sessions on 1 March 2024, about the same as the average user's. "
        "Hatched days are incomplete."
    )
    nothing: list[Row] = [("u", "p", 0, "2024-01-01")]
    assert timeline(nothing, view_of("u", timeline="time")) == (
        "u: 0 s on 1 January 2024. Hatched days are incomplete."
    )
    assert timeline(at("2023-12-31", "2024-12-30"), View()) == (
        "Everyone: 0 sessions a week; "
        "most, 1 session, from 25 to 31 December 2023. "
        "Hatched weeks are incomplete."
    )


def test_time_by_week_month_and_year() -> None:
    view = view_of(timeline="time")
    assert timeline(ROWS, view) == (
        f"Everyone: 6.1 s a week; most, 3 min 35 s, {WEEK}. {HATCHED} "
        "Unknown durations left out."
    )
    months = at("2020-01-01", "2020-02-29", "2024-12-31T23:30:00")
    assert timeline(months, view) == (
        "Everyone: 0.1 s a month; most, 1 s, in January 2020."
    )
    years = at("1999-01-01", "2024-02-29", "2024-12-31T23:30:00")
    assert timeline(years, view) == "Everyone: 0.1 s a year; most, 2 s, in 2024."
    zeros: list[Row] = [("u", "p", 0, "2024-01-01"), ("v", "p", 0, "2024-01-02T23:59")]
    assert timeline(zeros, view_of("u", timeline="time")) == "u: 0 s a day."


def test_where_no_period_is_complete_only_the_most_is_said() -> None:
    rows = at("2024-01-01T12:00:00", "2024-01-02T12:00:00", "2024-01-02T13:00:00")
    assert timeline(rows, view_of("u")) == (
        "u: most, 2 sessions, on 2 January 2024. Hatched days are incomplete."
    )


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
        "March 2024, ann: 0.065 sessions a day, 5.4 × the other days' 0.012 sessions. "
        "Sessions last 45 s on average (2 sessions, so this may be chance), "
        "2.2 × the other days' 20 s."
    )
    assert timeline(ROWS, view_of(timeline="time", **MARCH)) == (
        "March 2024, everyone: 3.1 s a day, 4.7 × the other days' 0.7 s. "
        "Sessions last 32 s on average (3 sessions, so this may be chance), "
        "0.9 × the other days' 37 s."
    )


def test_dates_beside_other_days_without_sessions() -> None:
    assert timeline(ROWS, view_of("cy", start=date(2024, 3, 1))).startswith(
        "From 1 March 2024, cy: 0.0065 sessions a day, 0.4 × the other days' 0.017 "
    )
    may = view_of("cy", start=date(2024, 5, 1), end=date(2024, 6, 1))
    assert timeline(ROWS, may) == (
        "May 2024, cy: no sessions; the other days: 0.009 sessions a day."
    )
    rows: list[Row] = [*at("2024-01-01"), ("v", "p", None, "2024-01-03")]
    assert timeline(rows, view_of("u", end=date(2024, 1, 2))) == (
        "Until 1 January 2024, u: 1 session a day; the other days: no sessions."
    )
    assert timeline(rows, view_of(start=date(2024, 1, 3), timeline="time")) == (
        "From 3 January 2024, everyone: no known time; the other days: 0.5 s a day."
    )


def test_sessions_of_unknown_duration_are_sessions_in_the_picked_dates() -> None:
    rows: list[Row] = [*at("2024-01-01"), ("u", "p", None, "2024-01-02")]
    second = view_of(start=date(2024, 1, 2))
    assert timeline(rows, second) == (
        "From 2 January 2024, everyone: 1 session a day, "
        "about the same as the other days' 1 session."
    )


def test_dates_that_are_all_have_no_other_days() -> None:
    first = view_of(start=date(2024, 1, 1))
    assert timeline(at("2024-01-01"), first) == (
        "From 1 January 2024, everyone: 1 session a day."
    )


def test_durations_that_are_nothing_on_the_other_days_have_no_ratio() -> None:
    rows: list[Row] = [
        *[("u", "p", 4, "2024-01-01")] * 5,
        *[("u", "p", 0, "2024-01-02T23:30")] * 5,
    ]
    assert timeline(rows, view_of(end=date(2024, 1, 2))) == (
        "Until 1 January 2024, everyone: 5 sessions a day, about the same as the other "
        "days' 5 sessions. Sessions last 4 s on average (5 sessions), "
        "the other days' 0 s."
    )
    # Few on the other days are as weak as few on these.
    assert "(5 sessions, so this may be chance)" in timeline(
        rows[:9], view_of(end=date(2024, 1, 2))
    )
