from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from charts.durations import Durations, histogram
from charts.figure import EVERYONE_COLOR, MARGIN, value_axis
from engine.memory import MemoryEngine
from engine.model import Selection
from tests.building import engine_of, view_of
from tests.charts.drawing import drawn, hovers, layout_of, picked_bars, said, shown
from tests.sessions import ROWS, Row
from view import View

NAN = pytest.approx(float("nan"), nan_ok=True)
CHART = Durations()


def test_a_histogram_has_the_bins_of_its_axis(engine: MemoryEngine) -> None:
    summary = engine.summarise(Selection("ann"))
    linear, log = histogram(summary, "linear"), histogram(summary, "log")
    assert linear.edges.tolist() == summary.facts.edges.linear.tolist()
    assert linear.everyone.tolist() == summary.everyone.linear_histogram.tolist()
    assert log.edges.tolist() == summary.facts.edges.logarithmic.tolist()
    assert log.everyone.tolist() == summary.everyone.log_histogram.tolist()
    assert (linear.user is None, log.user is None) == (False, False)
    assert linear.user is not None
    assert np.flatnonzero(linear.user).tolist() == [5, 10, 15, 20, 25]
    assert log.user is not None
    # 10; 20; 30; 40 and 50.
    assert {log.edges[i]: n for i, n in enumerate(log.user) if n} == {
        **dict.fromkeys((10, 15, 25), 1),
        40: 2,
    }
    assert histogram(engine.summarise(Selection()), "log").user is None


def test_the_table_of_the_distribution(engine: MemoryEngine) -> None:
    frame = CHART.numbers(shown(CHART, engine, view_of("ann")))
    assert list(frame) == ["from (s)", "to (s)", "user: sessions", "everyone: sessions"]
    assert frame.iloc[0].tolist() == [0, 2, 0, 1]
    # 100 s is above the last edge: to any length.
    assert frame.iloc[-1].tolist() == [90, NAN, 0, 1]
    log = CHART.numbers(shown(CHART, engine, view_of("ann", scale="log")))
    assert log["from (s)"].tolist() == engine.facts.edges.logarithmic[:-1].tolist()
    assert log.iloc[-1].tolist() == [100, 150, 0, 1]
    assert list(CHART.numbers(shown(CHART, engine, View()))) == [
        *("from (s)", "to (s)", "everyone: sessions")
    ]


def test_the_distribution_is_in_percent_and_starts_at_zero(
    engine: MemoryEngine,
) -> None:
    figure = drawn(CHART, engine, view_of("ann"))
    bars, line = figure.data
    assert (bars.name, line.name) == ("everyone", "ann")
    # Bins of 2 s from 0 on, the first as wide as the others; the bar of 90 s and
    # longer stands apart.
    assert (bars.x0, bars.dx, len(bars.y)) == (1, 2, 48)
    assert sum(y or 0 for y in bars.y) == pytest.approx(100, abs=0.1)
    in_bins = {bars.x0 + bars.dx * i: y for i, y in enumerate(bars.y) if y}
    assert list(in_bins) == [1, 5, 11, 21, 31, 41, 51, 61, 95]
    assert bars.y[45:47] == (None, None)
    # The line's points are at the bins' left edges, and it steps there.
    assert (line.x0, line.dx, line.line.shape) == (0, 2, "hv")
    steps = {line.x0 + line.dx * i: y for i, y in enumerate(line.y) if y}
    assert steps == dict.fromkeys((10, 20, 30, 40, 50), 20)
    assert line.y[45:] == (0, None, 0, 0)
    assert figure.layout.xaxis.range == (0, 96)
    assert figure.layout.xaxis.title.text == "Session duration (seconds)"
    assert figure.layout.yaxis.title.text == "Share of sessions (%)"
    (note,) = figure.layout.annotations
    assert (note.text, note.x) == ("1 min 30 s and longer", 96)
    assert note.y == pytest.approx(11.11)


def test_the_axes_of_the_distribution(engine: MemoryEngine) -> None:
    edges = [None if edge > 90 else edge for edge in engine.facts.edges.linear]
    assert layout_of(CHART, engine, View()) == {
        "meta": {"keys": ["min", "max"], "edges": [*edges[:-1], 90, 90, None]},
        "dragmode": "select",
        "selectdirection": "h",
        "selections": [],
        "bargap": 0.06,
        "hovermode": "x",
        "margin": MARGIN,
        "uirevision": "Session duration (seconds)",
        "xaxis": {
            "title": {"text": "Session duration (seconds)"},
            "range": [0, 96],
            "ticklabeloverflow": "allow",
        },
        "yaxis": value_axis("Share of sessions (%)"),
        "annotations": [
            {
                "text": "1 min 30 s and longer",
                "bgcolor": "#ffffff",
                "x": 96,
                "xanchor": "right",
                "y": 11.11,
                "yanchor": "bottom",
                "showarrow": False,
            }
        ],
    }
    (bars,) = drawn(CHART, engine, View()).data
    assert bars.marker.color == EVERYONE_COLOR
    log = layout_of(CHART, engine, view_of(scale="log"))
    assert log["uirevision"] == "Session duration (logarithmic)"
    assert log["xaxis"]["title"] == {"text": "Session duration (logarithmic)"}
    assert "annotations" not in log


def test_a_hover_says_how_many_and_what_share(engine: MemoryEngine) -> None:
    texts = hovers(drawn(CHART, engine, view_of("ann")))
    assert texts[0] == (
        "<b>under 2 s</b><br>ann's sessions: 0 (0.0 %)<br>"
        "everyone's sessions: 1 (11.1 %)"
    )
    assert texts[5] == (
        "<b>10 s to 12 s</b><br>ann's sessions: 1 (20.0 %)<br>"
        "everyone's sessions: 1 (11.1 %)"
    )
    assert texts[-1].startswith("<b>1 min 30 s and longer</b>")
    alone = hovers(drawn(CHART, engine, View()))
    assert alone[5] == "<b>10 s to 12 s</b><br>everyone's sessions: 1 (11.1 %)"


def test_the_note_stands_over_the_higher_of_the_last_bars() -> None:
    rows: list[Row] = [
        *[("a", "p", 1, "2024-01-01")] * 98,
        *[("b", "p", 3_000, "2024-01-01")] * 2,
    ]
    engine = engine_of(rows)
    heights = [
        drawn(CHART, engine, view_of(user)).layout.annotations[0].y
        for user in (None, "a", "b")
    ]
    assert heights == [2, 2, 100]


def test_one_session_is_all_of_them() -> None:
    (bars,) = drawn(CHART, engine_of([("u", "p", 1, "2024-01-01")]), View()).data
    assert [y for y in bars.y if y] == [100]


def test_the_line_goes_on_to_the_end_of_the_last_bar(engine: MemoryEngine) -> None:
    _, line = drawn(CHART, engine, view_of("cy")).data
    # 5 s, and 100 s in the last bar.
    assert (line.y[44], line.y[45:47], line.y[47:]) == (0, (0, None), (50, 50))


def test_a_user_without_a_known_duration_has_no_line() -> None:
    rows: list[Row] = [*ROWS, ("dan", "home", None, "2024-01-01")]
    figure = drawn(CHART, engine_of(rows), view_of("dan"))
    assert [trace.name for trace in figure.data] == ["everyone"]


def test_picked_durations_stand_out_on_either_axis(engine: MemoryEngine) -> None:
    picked = view_of(shortest=10, longest=60)
    for view in (picked, replace(picked, scale="log")):
        figure = drawn(CHART, engine, view)
        assert figure.layout.meta["keys"] == ["min", "max"]
        edges = figure.layout.meta["edges"]
        bars = picked_bars(figure)
        assert bars is not None
        assert (edges[bars[0]], edges[bars[-1] + 1]) == (10, 60)
    # What is longer than the linear axis is its last bar, behind two empty ones.
    figure = drawn(CHART, engine, view_of(shortest=90))
    assert picked_bars(figure) == [47]
    assert figure.layout.meta["edges"][47:] == [90, None]
    assert figure.data[0].y[45:47] == (None, None)
    # From nothing on.
    assert picked_bars(drawn(CHART, engine, view_of(longest=4))) == [0, 1]
    log = view_of(longest=1.5, scale="log")
    # Zeros; behind two empty bars 0.001 s to 1 s, and 1 to 1.5.
    assert picked_bars(drawn(CHART, engine, log)) == [0, 3, 4]
    assert picked_bars(drawn(CHART, engine, View())) is None


def test_an_edge_between_those_of_an_axis_picks_the_bar_around_it(
    engine: MemoryEngine,
) -> None:
    # 15 s is an edge of the logarithmic axis alone: of 14 s to 16 s, too.
    figure = drawn(CHART, engine, view_of(shortest=15, longest=25))
    edges, bars = figure.layout.meta["edges"], picked_bars(figure)
    assert bars is not None
    assert (edges[bars[0]], edges[bars[-1] + 1]) == (14, 26)


def test_on_a_logarithmic_axis_zeros_stand_apart(engine: MemoryEngine) -> None:
    figure = drawn(CHART, engine, view_of(scale="log"))
    (bars,) = figure.data
    assert (bars.x0, bars.dx) == (0.5, 1)
    # 0 s; nothing; then 0.001 s to 1 s, 1 to 1.5, 1.5 to 2.5, 2.5 to 4, 4 to 6 and on.
    assert bars.y[:3] == (pytest.approx(11.11), None, None)
    assert bars.customdata[0][0] == "under 0.001 s"
    assert bars.customdata[7][0] == "4 s to 6 s"
    assert bars.y[7] == pytest.approx(11.11)
    ticks = dict(
        zip(figure.layout.xaxis.ticktext, figure.layout.xaxis.tickvals, strict=True)
    )
    assert ticks["0 s"] == 0.5
    assert list(ticks) == ["0 s", "1 s", "4 s", "10 s", "40 s", "1 min 40 s"]
    # A tick is where a bin begins: bar i is over [i, i + 1).
    assert figure.layout.meta["edges"][int(ticks["10 s"])] == 10
    assert sum(y or 0 for y in bars.y) == pytest.approx(100, abs=0.1)
    assert figure.layout.annotations == ()
    assert figure.layout.xaxis.range == (0, len(bars.y))


def test_a_line_over_a_logarithmic_axis_has_the_same_gap(engine: MemoryEngine) -> None:
    bars, line = drawn(CHART, engine, view_of("bob", scale="log")).data
    assert line.y[:3] == (50, 50, None)
    assert len(line.y) == len(bars.y) + 1
    assert (line.x0, line.dx) == (0, 1)


def test_clicks_and_drags_pick_a_range(engine: MemoryEngine) -> None:
    layout = drawn(CHART, engine, view_of("ann")).layout
    assert (layout.dragmode, layout.selectdirection) == ("select", "h")
    # One edge more than bars; the two empty ones are at the last edge before.
    n_bars = len(drawn(CHART, engine, view_of("ann")).data[0].y)
    edges = layout.meta["edges"]
    assert len(edges) == n_bars + 1
    assert edges[44:] == [88, 90, 90, 90, None]
    assert all(low <= high for low, high in pairwise(edges[:-1]))


def test_a_zoom_is_kept_while_the_axis_means_the_same(engine: MemoryEngine) -> None:
    kept = drawn(CHART, engine, view_of("ann")).layout.uirevision
    assert drawn(CHART, engine, view_of("bob")).layout.uirevision == kept
    other = drawn(CHART, engine, view_of("ann", scale="log")).layout.uirevision
    assert other != kept


def test_long_durations_have_longer_units() -> None:
    for longest, unit, width in (
        *((150, "seconds", 5), (1_500, "minutes", 0.5), (36_000, "hours", 1 / 6)),
    ):
        rows: list[Row] = [("u", "p", longest, "2024-01-01")]
        figure = drawn(CHART, engine_of(rows), View())
        assert figure.layout.xaxis.title.text == f"Session duration ({unit})"
        assert figure.data[0].dx == pytest.approx(width, abs=1e-6)


# Sentences.


@pytest.mark.parametrize(
    ("statistic", "of_ann", "of_everyone"),
    [
        (
            "average",
            "ann's sessions last 30 s on average (5 sessions), 0.9 × everyone's 35 s. ",
            "Everyone's sessions last 35 s on average. ",
        ),
        (
            "median",
            "ann's median session lasts 30 s (5 sessions), "
            "about the same as everyone's 30 s. ",
            "Everyone's median session lasts 30 s. ",
        ),
        (
            "p90",
            "90 % of ann's sessions last up to 46 s (5 sessions), "
            "0.7 × everyone's 1 min 8 s. ",
            "90 % of everyone's sessions last up to 1 min 8 s. ",
        ),
    ],
)
def test_the_statistic_is_always_named(
    statistic: Any, of_ann: str, of_everyone: str
) -> None:
    assert said(CHART, ROWS, view_of("ann", statistic=statistic)) == (
        f"{of_ann}Unknown durations left out: 1 of ann's, 3 of everyone's."
    )
    assert said(CHART, ROWS, view_of(statistic=statistic)) == (
        f"{of_everyone}3 sessions of unknown duration left out."
    )


def test_few_sessions_may_be_chance() -> None:
    assert said(CHART, ROWS, view_of("bob")) == (
        "bob's sessions last 30 s on average (2 sessions, so this may be chance), "
        "0.9 × everyone's 35 s. "
        "Unknown durations left out: 1 of bob's, 3 of everyone's."
    )
    assert said(CHART, ROWS[6:8], View()) == (
        "Everyone's sessions last 30 s on average (2 sessions, so this may be chance)."
    )
    # Five are not few.
    assert said(CHART, ROWS[:5], View()) == "Everyone's sessions last 30 s on average."
    assert "(4 sessions, so this may be chance)" in said(CHART, ROWS[:4], View())
    one: list[Row] = [("a", "p", None, "2024-01-01"), ("a", "p", 9, "2024-01-01")]
    assert said(CHART, one, View()).endswith("1 session of unknown duration left out.")


def test_there_is_no_ratio_to_nothing() -> None:
    rows: list[Row] = [
        *[("a", "p", 10, "2024-01-01")] * 5,
        *[("b", "p", 0, "2024-01-01")] * 9,
    ]
    assert said(CHART, rows, view_of("a", statistic="median")) == (
        "a's median session lasts 10 s (5 sessions), everyone's 0 s."
    )


def test_unknown_durations() -> None:
    assert said(CHART, ROWS, view_of("bob", pages=("help",))) == "No duration is known."
    rows: list[Row] = [("a", "p", None, "2024-01-01"), ("b", "p", 1, "2024-01-01")]
    assert said(CHART, rows, view_of("a")) == (
        "a has no sessions of known duration. Everyone's sessions last 1 s on average "
        "(1 session, so this may be chance). "
        "Unknown durations left out: 1 of a's, 1 of everyone's."
    )


def test_picked_durations_have_a_share_of_the_sessions() -> None:
    assert said(CHART, ROWS, view_of("ann", shortest=10, longest=40)) == (
        "ann's sessions last 30 s on average (5 sessions), 0.9 × everyone's 35 s. "
        "60 % of these and 33 % of everyone's last 10 s to 40 s. "
        "Unknown durations left out: 1 of ann's, 3 of everyone's."
    )
    assert said(CHART, ROWS[:5], view_of(shortest=10)) == (
        "Everyone's sessions last 30 s on average. 100 % last 10 s or longer."
    )
    words = said(CHART, ROWS, view_of("cy", longest=1))
    assert " 0 % of these and 11 % of everyone's last under 1 s. " in words
    rows: list[Row] = [*ROWS, ("dan", "home", None, "2024-01-01")]
    assert said(CHART, rows, view_of("dan", longest=1)) == (
        "dan has no sessions of known duration. "
        "Everyone's sessions last 35 s on average. "
        "11 % of everyone's last under 1 s. "
        "Unknown durations left out: 1 of dan's, 4 of everyone's."
    )
