from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from charts.figure import EVERYONE_COLOR, USER_COLOR
from charts.hours import Hours, by_weekday, week, weekday_counts
from engine.memory import MemoryEngine
from engine.model import Selection
from tests.building import MARCH, at, engine_of, view_of
from tests.charts.drawing import drawn, layout_of, said, shown
from tests.examples import examples
from tests.sessions import ROWS, Row
from tests.strategies import rows_lists
from view import View

CHART = Hours()

WEEKDAYS: list[Row] = [
    # Three Mondays, and a Tuesday.
    ("u", "p", 5, "2024-01-01T14:00"),
    ("u", "p", 5, "2024-01-08T14:59:59"),
    ("v", "p", 5, "2024-01-15T14:30"),
    ("v", "p", 5, "2024-01-16T00:00"),
]


def counts(values: Any) -> dict[Any, Any]:
    return {place: n for place, n in np.ndenumerate(values) if n > 0}


def test_days_are_folded_into_weekdays(engine: MemoryEngine) -> None:
    summary = engine.summarise(Selection("ann"))
    # 28 February was a Wednesday, 31 December a Tuesday.
    folded = by_weekday(summary.subject, summary.facts)
    assert folded.shape == (7, 24)
    assert folded.dtype == np.int64
    assert counts(folded) == {(2, 23): 1, (3, 0): 1, (3, 12): 1, (4, 0): 2, (1, 23): 1}


@examples(50)
@given(rows_lists)
def test_folding_loses_no_session(rows: list[Row]) -> None:
    engine = engine_of(rows)
    folded = by_weekday(engine.summarise(Selection()).everyone, engine.facts)
    exact: dict[Any, int] = {}
    for *_, time in rows:
        place = date.fromisoformat(time[:10]).weekday(), int(time[11:13])
        exact[place] = exact.get(place, 0) + 1
    assert counts(folded) == exact


def test_weekdays_are_counted_in_the_selected_dates(engine: MemoryEngine) -> None:
    assert weekday_counts(engine.summarise(Selection())).tolist() == [
        *(53, 53, 52, 52, 52, 52, 52)
    ]
    # From Thursday to the next Friday, whatever else is picked.
    picked = Selection(
        "bob", date(2024, 2, 29), date(2024, 3, 9), ("help",), longest=10
    )
    assert weekday_counts(engine.summarise(picked)).tolist() == [1, 1, 1, 2, 2, 1, 1]


def test_sessions_an_hour_are_unknown_for_weekdays_that_there_are_not(
    engine: MemoryEngine,
) -> None:
    # Thursday, 29 February and Friday, 1 March 2024.
    picked = Selection(start=date(2024, 2, 29), end=date(2024, 3, 2))
    rates = week(shown(CHART, engine, View(picked))).rates
    assert np.flatnonzero(~np.isnan(rates).any(axis=1)).tolist() == [3, 4]
    # ann at 0:00 and 12:00, bob three times from 8:00 on; ann twice at 0:00.
    assert counts(rates) == {(3, 0): 1, (3, 8): 3, (3, 12): 1, (4, 0): 2}
    # Thursdays: 52.
    year = week(shown(CHART, engine, View())).rates
    assert year[3, 8] == pytest.approx(3 / 52)


def test_the_table_of_hours(engine: MemoryEngine) -> None:
    frame = CHART.numbers(shown(CHART, engine, view_of("ann")))
    assert list(frame) == [
        *("weekday", "hour", "times it occurs", "user: sessions", "everyone: sessions")
    ]
    assert len(frame) == 7 * 24
    assert frame.iloc[3 * 24 + 8].tolist() == ["Thursday", 8, 52, 0, 3]
    assert frame.iloc[4 * 24].tolist() == ["Friday", 0, 52, 2, 2]
    assert frame.iloc[0].tolist() == ["Monday", 0, 53, 0, 1]
    assert frame.iloc[25].tolist() == ["Tuesday", 1, 53, 0, 0]
    assert list(CHART.numbers(shown(CHART, engine, View())))[3:] == [
        "everyone: sessions"
    ]


def test_hours_are_by_how_often_their_weekday_occurs() -> None:
    figure = drawn(CHART, engine_of(WEEKDAYS), view_of("u"))
    (heat,) = figure.data
    assert heat.z[0][14] == 0.67
    assert heat.text[0][14] == 2
    assert heat.customdata[0][14] == pytest.approx(0.5)
    assert heat.z[1][0] == 0
    assert heat.customdata[1][0] == 0.17
    # The map's rows run down from Monday.
    assert heat.y[0] == "Monday"
    assert figure.layout.yaxis.ticktext[0] == "Mon"
    assert figure.layout.yaxis.autorange == "reversed"
    assert sum(sum(row) for row in heat.text) == 2
    assert figure.layout.xaxis.title.text == "Hour of the day (UTC)"
    assert figure.layout.dragmode is False


def test_the_map_has_the_colour_of_whose_sessions_it_shows() -> None:
    engine = engine_of(WEEKDAYS)
    for user, color in ((None, EVERYONE_COLOR), ("u", USER_COLOR)):
        (heat,) = drawn(CHART, engine, view_of(user)).data
        red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
        assert heat.colorscale == (
            (0, f"rgba({red}, {green}, {blue}, 0.06)"),
            (1, f"rgba({red}, {green}, {blue}, 1)"),
        )


def test_a_hover_says_how_many_each_weekday_and_in_total() -> None:
    engine = engine_of(WEEKDAYS)
    head = "<b>%{y}, %{x}:00 to %{x}:59</b><br>"
    numbers = "%{z:,} each %{y}, %{text:,} in total"
    (heat,) = drawn(CHART, engine, View()).data
    assert heat.hovertemplate == (
        f"{head}everyone's sessions: {numbers}<extra></extra>"
    )
    assert heat.customdata is None
    (heat,) = drawn(CHART, engine, view_of("u")).data
    assert heat.hovertemplate == (
        f"{head}u's sessions: {numbers}<br>average user's: %{{customdata:,}}"
        "<extra></extra>"
    )


def test_rates_have_two_digits_or_are_whole() -> None:
    # On two Mondays 3 at 0:00 and 225 at 1:00.
    rows = at(
        *("2024-01-01T00:00", "2024-01-08T00:00", "2024-01-08T00:10"),
        *["2024-01-01T01:00"] * 225,
    )
    (heat,) = drawn(CHART, engine_of(rows), View()).data
    assert list(heat.z[0][:3]) == [1.5, 112, 0]


def test_only_weekdays_that_there_are_have_a_row() -> None:
    # A Thursday and a Friday.
    view = view_of("ann", start=date(2024, 2, 29), end=date(2024, 3, 2))
    chart_shown = shown(CHART, engine_of(ROWS), view)
    figure = drawn(CHART, engine_of(ROWS), view)
    (heat,) = figure.data
    assert heat.y == ("Thursday", "Friday")
    assert figure.layout.yaxis.tickvals == (0, 1)
    assert figure.layout.yaxis.ticktext == ("Thu", "Fri")
    assert np.array(heat.z).shape == np.array(heat.text).shape == (2, 24)
    assert np.array(heat.customdata).shape == (2, 24)
    # ann at 0:00 and 12:00, then twice at 0:00; bob on Thursday.
    assert (heat.z[0][0], heat.z[0][12], heat.z[1][0]) == (1, 1, 2)
    assert heat.customdata[0][8] == 1
    # Of two rows it is as high as of two, and of one no lower.
    assert CHART.height == 4 + 7 * 30 + 44
    assert CHART.height_of(chart_shown) == 4 + 2 * 30 + 44
    one = view_of(start=date(2024, 2, 29), end=date(2024, 3, 1))
    assert CHART.height_of(shown(CHART, engine_of(ROWS), one)) == 4 + 2 * 30 + 44
    assert drawn(CHART, engine_of(ROWS), one).data[0].y == ("Thursday",)
    assert CHART.height_of(shown(CHART, engine_of(ROWS), View())) == CHART.height


def test_a_user_who_is_everyone_is_compared_with_nobody() -> None:
    rows = at("2024-01-01T14:00", "2024-01-08T14:59")
    (heat,) = drawn(CHART, engine_of(rows), view_of("u")).data
    assert heat.customdata is None
    assert "average user" not in heat.hovertemplate
    assert heat.hovertemplate.startswith("<b>%{y}, %{x}:00 to %{x}:59</b><br>u's ")
    assert said(CHART, rows, view_of("u")) == (
        "Half of u's sessions start between 14:00 and 15:00; the busiest hour is "
        "Monday, 14:00 to 15:00. Few sessions, so this may be chance."
    )
    # One of several users, who has all that is selected.
    help_ = view_of("bob", pages=("help",))
    assert drawn(CHART, engine_of(ROWS), help_).data[0].customdata is None
    assert "everyone" not in said(CHART, ROWS, help_)


def test_the_map_has_no_lines_and_stays_as_it_is(engine: MemoryEngine) -> None:
    assert layout_of(CHART, engine, View()) == {
        "dragmode": False,
        "margin": {"l": 40, "r": 8, "t": 4, "b": 44},
        "xaxis": {
            "title": {"text": "Hour of the day (UTC)"},
            "tickvals": [0, 3, 6, 9, 12, 15, 18, 21],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        "yaxis": {
            "autorange": "reversed",
            "tickvals": [*range(7)],
            "ticktext": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
            "showgrid": False,
            "fixedrange": True,
        },
    }
    (heat,) = drawn(CHART, engine, View()).data
    # No session is the lightest colour, however few the busiest hour has.
    assert (heat.zmin, heat.zmax) == (0, None)
    assert (heat.xgap, heat.ygap) == (2, 2)
    assert heat.showscale is False


def test_hours_are_those_of_the_time_zone() -> None:
    engine = engine_of(at("2024-07-01T22:30:00"), "Europe/Berlin")
    figure = drawn(CHART, engine, View())
    assert figure.layout.xaxis.title.text == "Hour of the day (Europe/Berlin)"
    # Tuesday, half past midnight, is all there is.
    assert figure.data[0].y == ("Tuesday",)
    assert figure.data[0].text[0][0] == 1


# Sentences.


def test_everyone_and_a_user_beside_them() -> None:
    # 2 at 23:00, 4 at 0:00; 3 at 8:00.
    assert said(CHART, ROWS, View()) == (
        "Half of everyone's sessions start between 23:00 and 1:00; "
        "the busiest hour is Thursday, 8:00 to 9:00."
    )
    assert said(CHART, ROWS, view_of("ann")) == (
        "Half of ann's sessions start between 0:00 and 1:00 (everyone's: "
        "between 23:00 and 1:00); the busiest hour is Friday, 0:00 to 1:00."
    )


def test_few_sessions_may_be_chance() -> None:
    assert said(CHART, ROWS, view_of("bob")) == (
        "Half of bob's sessions start between 8:00 and 9:00 (everyone's: "
        "between 23:00 and 1:00); the busiest hour is Thursday, 8:00 to 9:00. "
        "Few sessions, so this may be chance."
    )
    few = " Few sessions, so this may be chance."
    assert said(CHART, ROWS[:4], View()).endswith(few)
    assert not said(CHART, ROWS[:5], View()).endswith(few)


def test_nothing_selected() -> None:
    assert said(CHART, ROWS, view_of("bob", **MARCH)) == "No sessions of bob match."
    nothing = view_of(pages=("help",), longest=0.001)
    assert said(CHART, ROWS, nothing) == "No sessions match."


@pytest.mark.parametrize(
    ("hours", "window"),
    [
        ((23, 0, 12), "23:00 and 1:00"),
        ((22, 23, 0, 1, 12, 15), "22:00 and 1:00"),
        ((23,), "23:00 and 24:00"),
        ((0,), "0:00 and 1:00"),
        ((3, 15), "3:00 and 4:00"),
        ((*range(24),), "0:00 and 12:00"),
        ((0, 0, 12, 12), "0:00 and 1:00"),
        ((1, 2, 3), "1:00 and 3:00"),
    ],
)
def test_half_of_the_sessions_may_begin_around_midnight(
    hours: tuple[int, ...], window: str
) -> None:
    rows = at(*(f"2024-01-01T{hour:02}:00:00" for hour in hours))
    assert said(CHART, rows, View()).startswith(
        f"Half of everyone's sessions start between {window}; "
    )


def test_the_busiest_hour_is_that_of_the_average_weekday() -> None:
    # Two on the one Sunday are more than three on two Mondays.
    rows = at(
        *("2024-01-01T09:00:00", "2024-01-08T09:00:00", "2024-01-08T09:30:00"),
        *("2024-01-07T10:00:00", "2024-01-07T10:30:00"),
    )
    words = said(CHART, rows, View())
    assert words.endswith("; the busiest hour is Sunday, 10:00 to 11:00.")


def test_the_darkest_colour_stands_for_the_busiest_hour() -> None:
    rows = at("2024-01-07T10:00:00", "2024-01-07T10:30:00", "2024-01-08T09:00:00")
    assert CHART.darkest(shown(CHART, engine_of(rows), View())) == "2 sessions an hour"
    one = shown(CHART, engine_of(rows[:1]), View())
    assert CHART.darkest(one) == "1 session an hour"
    # Two on three Mondays.
    rare = shown(CHART, engine_of(WEEKDAYS), view_of("u"))
    assert CHART.darkest(rare) == "2 sessions"
    nothing = shown(CHART, engine_of(ROWS), view_of("bob", **MARCH))
    assert CHART.darkest(nothing) == "0 sessions"
