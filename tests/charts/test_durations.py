from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from charts.durations import Durations, bin_of, histogram
from charts.figure import EVERYONE_COLOR, MARGIN, USER_COLOR, value_axis
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
    bars, line, _ = figure.data
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
    assert figure.layout.xaxis.title.text == "Session duration"
    assert figure.layout.yaxis.title.text == "Share of sessions"
    (note,) = figure.layout.annotations
    assert note.x == 96
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
        "uirevision": "linear s",
        "xaxis": {
            "title": {"text": "Session duration"},
            "ticksuffix": " s",
            "range": [0, 96],
            "ticklabelstandoff": 5,
            "ticklabeloverflow": "allow",
        },
        # One in nine at the most, with room above it for the note on the tail and then
        # a line and a half of text.
        "yaxis": {
            **value_axis("Share of sessions"),
            "range": [0, 14.76],
            "tickvals": [0, 5, 10],
            "ticktext": ["0 %", "5 %", "10 %"],
        },
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "annotations": [
            {
                "text": "1 min 30 s and longer: 11 %",
                "bgcolor": "#fff",
                "x": 96,
                "xanchor": "right",
                "align": "right",
                "y": 11.11,
                "yanchor": "bottom",
                "showarrow": False,
            }
        ],
    }
    bars, _ = drawn(CHART, engine, View()).data
    assert bars.marker.color == EVERYONE_COLOR
    log = layout_of(CHART, engine, view_of(scale="log"))
    assert log["uirevision"] == "log"
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
    bars, _ = drawn(CHART, engine_of([("u", "p", 1, "2024-01-01")]), View()).data
    assert [y for y in bars.y if y] == [100]


def test_the_line_goes_on_to_the_end_of_the_last_bar(engine: MemoryEngine) -> None:
    _, line, _ = drawn(CHART, engine, view_of("cy")).data
    # 5 s, and 100 s in the last bar.
    assert (line.y[44], line.y[45:47], line.y[47:]) == (0, (0, None), (50, 50))


def test_a_user_without_a_known_duration_has_no_line() -> None:
    rows: list[Row] = [*ROWS, ("dan", "home", None, "2024-01-01")]
    figure = drawn(CHART, engine_of(rows), view_of("dan"))
    assert [trace.name for trace in figure.data] == ["everyone", None]
    assert figure.data[1].text == ("average 35 s",)


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
    bars, _ = figure.data
    assert (bars.x0, bars.dx) == (0.5, 1)
    # 0 s; nothing; then 0.001 s to 1 s, 1 to 1.5, 1.5 to 2.5, 2.5 to 4, 4 to 6 and on.
    assert bars.y[:3] == (pytest.approx(11.11), None, None)
    assert bars.customdata[0][0] == "under 0.001 s"
    assert bars.customdata[7][0] == "4 s to 6 s"
    assert bars.y[7] == pytest.approx(11.11)
    # A tick is where a bin begins: bar i is over [i, i + 1).
    ticks = ticks_of(figure)
    assert ticks == {"0 s": 0.5, "1 s": 4, "10 s": 9, "1 min": 13}
    assert [figure.layout.meta["edges"][i] for i in (4, 9, 13)] == [1, 10, 60]
    assert figure.layout.xaxis.ticks == "outside"
    assert sum(y or 0 for y in bars.y) == pytest.approx(100, abs=0.1)
    assert figure.layout.annotations == ()
    assert figure.layout.xaxis.range == (0, len(bars.y))


def ticks_of(figure: go.Figure) -> dict[str, float]:
    axis = figure.layout.xaxis
    return dict(zip(axis.ticktext, axis.tickvals, strict=True))


def test_ticks_stand_where_they_are_between_the_edges() -> None:
    # 100 days.
    rows: list[Row] = [("u", "p", 8_640_000, "2024-01-01")]
    figure = drawn(CHART, engine_of(rows), view_of(scale="log"))
    ticks, edges = ticks_of(figure), figure.layout.meta["edges"]
    assert list(ticks) == [
        *("0 s", "1 s", "10 s", "1 min", "10 min"),
        *("1 h", "10 h", "1 day", "10 days", "100 days"),
    ]
    seconds = {"10 min": 600, "1 h": 3600, "10 h": 36e3, "1 day": 86400}
    for text, value in {**seconds, "10 days": 864e3, "100 days": 864e4}.items():
        bar = int(ticks[text])
        low, high = edges[bar : bar + 2]
        assert low <= value < high
        share = np.log(value / low) / np.log(high / low)
        assert ticks[text] == pytest.approx(bar + share, abs=1e-4)
    assert ticks["1 h"] == pytest.approx(21 + np.log(1.44) / np.log(1.6), abs=1e-4)
    # As far as the data reaches; what an edge is at is there.
    short = drawn(
        CHART, engine_of([("u", "p", 0.5, "2024-01-01")]), view_of(scale="log")
    )
    assert ticks_of(short) == {"0 s": 0.5, "1 s": 4}


def test_a_duration_is_in_a_bin() -> None:
    edges = np.array([0.0, 1.0, 2.0, 4.0])
    assert [bin_of(s, edges) for s in (0, 0.9, 1, 3.9, 4, 5)] == [0, 0, 1, 2, 2, 2]


def test_the_statistics_are_pointed_at(engine: MemoryEngine) -> None:
    *_, pointers = drawn(CHART, engine, View()).data
    # 315 s in nine sessions.
    assert (pointers.text, pointers.x) == (("average 35 s",), (35,))
    assert pointers.marker.color == (EVERYONE_COLOR,)
    assert pointers.textposition == ("middle right",)
    (y,) = pointers.y
    assert y == pytest.approx(14.76 * (1 - 0.075 / 2), abs=0.01)
    # Down to the bar of 34 s to 36 s, which is empty.
    assert pointers.error_y.arrayminus == (y,)
    assert pointers.error_y.array == (0,)
    assert (pointers.hoverinfo, pointers.showlegend) == ("skip", False)
    assert pointers.mode == "markers+text"

    figure = drawn(CHART, engine, view_of("cy", statistic="p90"))
    *_, pointers = figure.data
    # Both in the right half: the farther one first, with its text on the left.
    assert pointers.text == ("P90 1 min 30 s", "P90 1 min 8 s")
    assert pointers.marker.color == (USER_COLOR, EVERYONE_COLOR)
    assert pointers.textposition == ("middle left", "middle left")
    # What is in the last bar is in its middle.
    assert pointers.x == (95, 68)
    top = figure.layout.yaxis.range[1]
    # 50 % are in the tail, above which there is the note on it.
    assert top == pytest.approx(50 / (1 - 0.075 * (2.5 + 1.8)), abs=0.01)
    assert pointers.y == pytest.approx((top * 0.9625, top * 0.8875), abs=0.01)
    # Down to the higher of the bar and the user's line.
    assert pointers.error_y.arrayminus[0] == pytest.approx(top * 0.9625 - 50, abs=0.01)

    *_, pointers = drawn(CHART, engine, view_of("ann")).data
    # 30 s and 35 s: in the left half the nearer one is first.
    assert pointers.marker.color == (USER_COLOR, EVERYONE_COLOR)
    assert pointers.x == (30, 35)
    assert pointers.textposition == ("middle right", "middle right")


def test_the_statistics_are_pointed_at_on_a_logarithmic_axis() -> None:
    rows: list[Row] = [
        *[("a", "p", 0, "2024-01-01")] * 2,
        *[("b", "p", 12, "2024-01-01")] * 3,
    ]
    figure = drawn(CHART, engine_of(rows), view_of("a", scale="log"))
    *_, pointers = figure.data
    assert pointers.text == ("average 7.2 s", "average 0 s")
    # Between 6 and 10 s; in the middle of the zeros.
    between = 8 + np.log(1.2) / np.log(10 / 6)
    assert pointers.x == (pytest.approx(between, abs=1e-4), 0.5)


def test_the_tail_says_its_share(engine: MemoryEngine) -> None:
    def text(user: str | None) -> str:
        (note,) = drawn(CHART, engine, view_of(user)).layout.annotations
        words: str = note.text
        return words

    def square(color: str) -> str:
        return f'<span style="color:{color}">■</span>'

    assert text(None) == "1 min 30 s and longer: 11 %"
    # One of the two of cy.
    assert text("cy") == (
        f"1 min 30 s and longer<br>{square(USER_COLOR)} 50 % "
        f"{square(EVERYONE_COLOR)} 11 %"
    )


def test_a_user_who_is_everyone_has_the_bars() -> None:
    rows: list[Row] = [("u", "p", 5, "2024-01-01"), ("u", "p", 9, "2024-01-01")]
    figure = drawn(CHART, engine_of(rows), view_of("u"))
    bars, pointers = figure.data
    assert (bars.name, bars.marker.color) == ("u", USER_COLOR)
    assert pointers.text == ("average 7 s",)
    assert hovers(figure)[0] == "<b>under 1 s</b><br>u's sessions: 0 (0.0 %)"
    # One of several users, who has all that is selected.
    figure = drawn(CHART, engine_of(ROWS), view_of("cy", shortest=80, pages=("cart",)))
    assert len(figure.data) == 3
    cy = [row for row in ROWS if row[0] == "cy"]
    more = engine_of([*cy, ("z", "other", 1, "2024-01-01")])
    figure = drawn(CHART, more, view_of("cy", pages=("cart",)))
    assert [trace.name for trace in figure.data] == ["cy", None]


def test_a_line_over_a_logarithmic_axis_has_the_same_gap(engine: MemoryEngine) -> None:
    bars, line, _ = drawn(CHART, engine, view_of("bob", scale="log")).data
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
    longer = engine_of([("ann", "p", 1_500, "2024-01-01")])
    assert drawn(CHART, longer, View()).layout.uirevision not in (kept, other)


def test_the_axis_of_shares_says_no_more_than_all() -> None:
    def axis(*durations: float) -> Any:
        rows: list[Row] = [("u", "p", d, "2024-01-01") for d in durations]
        return drawn(CHART, engine_of(rows), View()).layout.yaxis

    assert axis(5).range[1] > 112
    assert axis(5).ticktext == tuple(f"{share} %" for share in range(0, 101, 20))
    assert axis(5).tickvals == (0, 20, 40, 60, 80, 100)
    assert axis(*range(0, 100, 5)).ticktext == tuple(f"{n} %" for n in range(6))
    many = axis(*np.linspace(0, 100, 1_000))
    assert many.ticktext[:2] == ("0 %", "0.5 %")


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_note_on_the_tail_is_in_the_way_of_nothing(scale: str) -> None:
    # All of v's sessions, and half of everyone's, are in the tail.
    rows: list[Row] = [
        *[("u", "p", 1 + n % 3, "2024-01-01") for n in range(100)],
        *[("v", "p", 10_000, "2024-01-01")] * 5,
    ]
    layout = drawn(CHART, engine_of(rows), view_of("v", scale=scale)).layout
    top = layout.yaxis.range[1]
    if scale == "linear":
        (note,) = layout.annotations
        # Two lines of statistics from the top down, then the note's two.
        assert note.y == 100
        assert top * (1 - 0.075 * 2.5) >= note.y + 1.8 * 0.075 * top - 0.01
    else:
        assert not layout.annotations
        assert top == pytest.approx(100 / (1 - 0.075 * 2.5), abs=0.01)


def test_long_durations_have_longer_units() -> None:
    for longest, unit, width in (
        *((150, "s", 5), (1_500, "min", 0.5), (36_000, "h", 1 / 6)),
    ):
        rows: list[Row] = [("u", "p", longest, "2024-01-01")]
        figure = drawn(CHART, engine_of(rows), View())
        assert figure.layout.xaxis.title.text == "Session duration"
        assert figure.layout.xaxis.ticksuffix == f" {unit}"
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
            "The slowest 10 % of ann's sessions take longer than 46 s (5 sessions), "
            "0.7 × everyone's 1 min 8 s. ",
            "The slowest 10 % of everyone's sessions take longer than 1 min 8 s. ",
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


def test_a_user_who_is_everyone_is_compared_with_nobody() -> None:
    rows: list[Row] = [
        *[("u", "p", 5, "2024-01-01")] * 5,
        ("u", "p", None, "2024-01-01"),
    ]
    assert said(CHART, rows, view_of("u")) == (
        "u's sessions last 5 s on average (5 sessions). "
        "1 session of unknown duration left out."
    )
    assert said(CHART, rows[:1], view_of("u", longest=5)) == (
        "u's sessions last 5 s on average (1 session, so this may be chance). "
        "0 % last under 5 s."
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
