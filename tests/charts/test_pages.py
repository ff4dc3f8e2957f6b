from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import pytest

from charts.chart import Chart
from charts.figure import EVERYONE_COLOR, USER_COLOR
from charts.pages import TotalTime, UserAverage
from engine.memory import Counting, MemoryEngine
from tests.building import engine_of, view_of
from tests.charts.drawing import drawn, hovers, layout_of, picked_bars, said, shown
from tests.sessions import ROWS, Row, table
from view import View

NAN = pytest.approx(float("nan"), nan_ok=True)
TOTAL, AVERAGE = TotalTime(), UserAverage()
FAINT = "Faint: fewer than 5 sessions."
LINES = "Lines: 95 % intervals."
DAY = "2024-01-01"


def too_few(user: str) -> str:
    return f"Too few sessions on each page to compare {user} with everyone. {FAINT}"


def pages_of(n: int) -> list[Row]:
    """Pages p00, p01 and so on, on which a spends 1, 2, 3 s and so on."""
    return [("a", f"p{page:02}", page + 1, DAY) for page in range(n)]


def values(figure: go.Figure) -> list[str]:
    """What is written at the ends of bars: a user's, then everyone's."""
    texts = figure.data[-1]
    assert (texts.mode, texts.textposition) == ("text", "middle right")
    assert (texts.hoverinfo, texts.showlegend) == ("skip", False)
    assert all(text.startswith("\u00a0") for text in texts.text)
    return [text[1:] for text in texts.text]


def labels(figure: go.Figure) -> list[str]:
    return list(figure.layout.yaxis.ticktext)


# Tables of numbers.


def test_the_table_of_total_time_is_everyones(engine: MemoryEngine) -> None:
    for user in (None, "ann"):
        frame = TOTAL.numbers(shown(TOTAL, engine, view_of(user)))
        assert list(frame) == ["page", "sessions", "of unknown duration", "time (s)"]
        assert frame.to_numpy().tolist() == [
            *(["home", 7, 1, 210], ["cart", 4, 1, 105], ["help", 1, 1, 0])
        ]


def test_the_table_of_averages_names_the_statistic(engine: MemoryEngine) -> None:
    frame = AVERAGE.numbers(shown(AVERAGE, engine, view_of("ann", statistic="p90")))
    assert list(frame) == [
        "page",
        "user: sessions of known duration",
        "user: p90 (s)",
        "everyone: sessions of known duration",
        "everyone: p90 (s)",
    ]
    assert frame.to_numpy().tolist() == [
        ["home", 5, pytest.approx(46), 6, pytest.approx(55)],
        ["cart", 0, NAN, 3, pytest.approx(81)],
    ]
    frame = AVERAGE.numbers(shown(AVERAGE, engine, View()))
    assert list(frame)[1:] == [
        "everyone: sessions of known duration",
        "everyone: average (s)",
    ]
    assert frame["page"].tolist() == ["home", "cart", "help"]


def test_the_table_of_averages_has_the_interval_and_what_is_more_than_chance() -> None:
    frame = AVERAGE.numbers(shown(AVERAGE, engine_of(BEYOND), view_of("a")))
    assert list(frame)[-2:] == ["user: half of 95 % interval (s)", "more than chance"]
    # t(8 degrees of freedom, 0.975) = 2.306, of 9 numbers one after another.
    margin = pytest.approx(2.306 * 7.5**0.5 / 3, rel=1e-3)
    assert frame.iloc[:, [0, 2, 4, 5, 6]].to_numpy().tolist() == [
        ["p", 104, 59, margin, True],
        ["s", 14, 59, margin, True],
        ["q", 14, 14.5, margin, False],
    ]


def test_every_page_has_a_row_where_that_is_asked() -> None:
    engine = engine_of(pages_of(17))
    for chart in (TOTAL, AVERAGE):
        chart_shown = shown(chart, engine, View())
        assert len(chart.numbers(chart_shown)) == 10
        every = chart.numbers(chart_shown, every_row=True)
        assert every["page"].tolist() == [f"p{page:02}" for page in range(16, -1, -1)]
        # It doesn't change what is drawn.
        assert len(chart.numbers(chart_shown)) == 10
        assert len(chart.numbers(shown(chart, engine, view_of(length="50")))) == 17


FOLDERS: list[Row] = [
    ("a", "/cart", 10, DAY),
    ("a", "/shop/a", 1, DAY),
    ("b", "/shop/b", 2, DAY),
    ("b", "/shop/c", 3, DAY),
    ("b", "/help", 16, DAY),
]


def test_a_table_of_folders_says_of_how_many_pages_they_are() -> None:
    for chart in (TOTAL, AVERAGE):
        frame = chart.numbers(shown(chart, engine_of(FOLDERS), view_of(folder="")))
        assert list(frame)[:2] == ["page", "pages"]
        assert frame.iloc[:, :2].to_numpy().tolist() == [
            *(["/help", 1], ["/cart", 1], ["/shop/", 3])
        ]


# Figures.


def test_total_time_is_everyones_with_the_largest_first(engine: MemoryEngine) -> None:
    figure = drawn(TOTAL, engine, view_of("ann"))
    bars, texts = figure.data
    assert list(bars.x) == list(texts.x) == [210, 105, 0]
    assert values(figure) == ["3 min 30 s", "1 min 45 s", "0 s"]
    assert list(texts.y) == [0, 1, 2]
    assert labels(figure) == ["home", "cart", "help"]
    # Downwards: the first row is on top.
    assert list(figure.layout.yaxis.range) == [3.5, -0.5]
    assert list(figure.layout.yaxis.tickvals) == [0, 1, 2]
    assert figure.layout.xaxis.title.text == "Total time"
    assert hovers(figure) == [
        "<b>home</b><br>3 min 30 s in total, 66.7 % of the time<br>"
        "sessions: 7 (1 of unknown duration)",
        "<b>cart</b><br>1 min 45 s in total, 33.3 % of the time<br>"
        "sessions: 4 (1 of unknown duration)",
        "<b>help</b><br>0 s in total, 0.0 % of the time<br>"
        "sessions: 1 (1 of unknown duration)",
    ]


def test_axes_of_pages_are_bare_and_cannot_be_zoomed(engine: MemoryEngine) -> None:
    assert layout_of(TOTAL, engine, View()) == {
        "meta": {"key": "page", "names": [0, 0, 0]},
        "dragmode": False,
        "hovermode": "y",
        "showlegend": False,
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "margin": {"l": 20 + 7 * 4, "r": 84, "t": 8, "b": 48},
        "xaxis": {
            "title": {"text": "Total time"},
            "range": [0, 210],
            "tickvals": [0, 60, 120, 180],
            "ticktext": ["0", "1 min", "2 min", "3 min"],
            "tickangle": 0,
            "fixedrange": True,
            "ticklabeloverflow": "allow",
        },
        "yaxis": {
            "range": [3.5, -0.5],
            "tickvals": [0, 1, 2],
            "ticktext": ["home", "cart", "help"],
            "ticklabelstandoff": 6,
            "ticklabeloverflow": "allow",
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    }


def test_bars_of_pages_lie_and_are_in_the_colour_of_whose_they_are(
    engine: MemoryEngine,
) -> None:
    for chart, colors in (
        (TOTAL, [EVERYONE_COLOR]),
        (AVERAGE, [USER_COLOR, EVERYONE_COLOR]),
    ):
        data = drawn(chart, engine, view_of("ann")).data
        bars = [trace for trace in data if isinstance(trace, go.Bar)]
        assert [trace.marker.color for trace in bars] == colors
        assert {trace.orientation for trace in bars} == {"h"}
        assert bars[-1].hoverinfo is None
        # They are next to each other, and are in their row.
        ends = [(t.offset, round(t.offset + t.width, 2)) for t in bars]
        assert ends in ([(-0.34, 0.34)], [(-0.38, -0.04), (0.04, 0.38)])


@pytest.mark.parametrize(
    ("name", "bars"),
    [
        ("p" * 20, [(-0.38, -0.04), (0.04, 0.38)]),
        ("p" * 21, [(-0.115, 0.135), (0.185, 0.435)]),
    ],
)
def test_a_long_label_stands_above_its_bars(
    name: str, bars: list[tuple[float, float]]
) -> None:
    rows: list[Row] = [*ROWS, ("ann", name, 5, DAY)]
    figure = drawn(AVERAGE, engine_of(rows), view_of("ann"))
    ends = [(t.offset, round(t.offset + t.width, 3)) for t in figure.data[:2]]
    assert ends == bars
    axis = figure.layout.yaxis
    if len(name) > 20:
        # Within the plot, from its left edge on, and before the first bar.
        assert (axis.ticklabelposition, figure.layout.margin.l) == ("inside", 16)
        assert list(axis.tickvals) == pytest.approx([-0.34, 0.66, 1.66])
        assert list(figure.data[2].y) == [0.01, 1.01, 2.01, 0.31, 1.31, 2.31]
    else:
        assert (axis.ticklabelposition, figure.layout.margin.l) == (None, 20 + 7 * 20)
        assert list(axis.tickvals) == [0, 1, 2]
        assert list(figure.data[2].y) == [-0.21, 0.79, 1.79, 0.21, 1.21, 2.21]


def test_both_charts_have_tall_rows_or_neither() -> None:
    rows: list[Row] = [("a", "p", 1, DAY), ("b", "p", 1, DAY), ("b", "x" * 21, 1, DAY)]
    for user, height, place in (("a", 48, -0.12), ("b", 48, -0.12), (None, 33, -0.02)):
        for chart in (TOTAL, AVERAGE):
            chart_shown = shown(chart, engine_of(rows), view_of(user))
            figure = chart.figure(chart_shown)
            assert figure["layout"]["yaxis"]["ticklabelposition"] == "inside"
            margin = figure["layout"]["margin"]
            assert chart.height_of(chart_shown) - margin["t"] - 48 == 4 * height
            if chart is TOTAL:
                assert figure["data"][0]["offset"] == place


@pytest.mark.parametrize(
    ("letters", "ticks"),
    [
        # 201, 173, 89 and, where the label is above the bar, 233 pixels.
        (4, ["0", "20 min", "40 min"]),
        (8, ["0", "30 min"]),
        (20, ["0", "30 min"]),
        (21, ["0", "20 min", "40 min"]),
    ],
)
def test_a_phone_has_room_for_all_ticks(letters: int, ticks: list[str]) -> None:
    figure = drawn(TOTAL, engine_of([("a", "p" * letters, 3599, DAY)]), View())
    assert list(figure.layout.xaxis.ticktext) == ticks


def test_many_rows_are_as_high_as_they_need() -> None:
    for n, bottom in ((1, 3.5), (4, 3.5), (5, 4.5), (40, 39.5)):
        figure = drawn(TOTAL, engine_of(pages_of(n)), view_of(length="50"))
        assert list(figure.layout.yaxis.range) == [bottom, -0.5]


def test_heights_are_by_rows_and_the_same_beside_each_other() -> None:
    def height(rows: Sequence[Row], **how: Any) -> int:
        engine = engine_of(rows)
        total, average = (
            chart.height_of(shown(chart, engine, view_of(**how)))
            for chart in (TOTAL, AVERAGE)
        )
        assert total == average
        margin = drawn(TOTAL, engine, view_of(**how)).layout.margin
        assert margin.t == drawn(AVERAGE, engine, view_of(**how)).layout.margin.t
        return total - int(margin.t) - int(margin.b)

    rows = pages_of(40)
    assert height(rows) == height(rows[:1]) == 330
    assert height(rows, length="50") == 40 * 33
    # Also where there is a legend above.
    assert height([*rows, ("b", "p39", 1, DAY)], user="a", length="50") == 40 * 33
    long: list[Row] = [("a", f"{'x' * 25}{n}", 1, DAY) for n in range(10)]
    assert height(long) == 330
    assert height(long[:2]) == 4 * 33
    nothing = shown(TOTAL, engine_of(rows), view_of(match="none"))
    assert TOTAL.height_of(nothing) == 8 + 330 + 48


def test_an_average_stands_beside_everyones(engine: MemoryEngine) -> None:
    figure = drawn(AVERAGE, engine, view_of("ann"))
    user, everyone, _ = figure.data
    assert (user.name, everyone.name) == ("ann", "everyone")
    assert labels(figure) == ["home", "cart"]
    assert list(user.x) == [30, None]
    assert list(everyone.x) == [35, 35]
    assert figure.layout.xaxis.title.text == "Average"
    assert user.hoverinfo == "skip"
    assert figure.layout.legend.orientation == "h"
    assert hovers(figure) == [
        "<b>home</b><br>ann: 30 s (5 sessions), 0.9 × everyone's<br>"
        "95 % interval 10 s to 50 s, may be chance<br>everyone: 35 s (6 sessions)",
        "<b>cart</b><br>ann: unknown (1 session of unknown duration)<br>"
        "everyone: 35 s (3 sessions)",
    ]


def test_values_are_read_without_a_hover(engine: MemoryEngine) -> None:
    figure = drawn(AVERAGE, engine, view_of("ann"))
    # The user's, then everyone's.
    assert values(figure) == ["30 s", "", "35 s", "35 s"]
    # Behind the interval, at the height of the bars.
    texts = figure.data[-1]
    assert texts.x == (pytest.approx(49.63, rel=0.003), None, 35, 35)
    assert texts.y == (-0.21, 0.79, 0.21, 1.21)
    # No value is in another: there are 31 pixels a row, with a legend in two lines.
    assert 31 * (texts.y[2] - texts.y[0]) > 13 < 31 * (texts.y[1] - texts.y[2])


def test_the_interval_is_drawn(engine: MemoryEngine) -> None:
    figure = drawn(AVERAGE, engine, view_of("ann"))
    interval = figure.data[0].error_x
    assert interval.type == "data"
    assert interval.symmetric is False
    # 2.776 times the root of 250 / 5.
    margin = pytest.approx(19.63, rel=0.003)
    # A line without caps, so that where there is no interval nothing is seen.
    assert interval.width == 0
    assert list(interval.array) == list(interval.arrayminus) == [margin, None]
    assert list(figure.layout.xaxis.range) == [0, pytest.approx(49.63, rel=0.003)]
    # It is that of a mean.
    median = drawn(AVERAGE, engine, view_of("ann", statistic="median"))
    assert median.data[0].error_x.array is None
    assert list(median.layout.xaxis.range) == [0, 35]
    assert list(median.data[2].x) == [30, None, 35, 5]


def test_a_long_interval_ends_at_zero_and_where_the_axis_does() -> None:
    rows: list[Row] = [
        *[("a", "p", seconds, DAY) for seconds in (0, 0, 0, 0, 200)],
        *[("b", "p", 40, DAY)] * 5,
    ]
    # 40 s and 2.776 times the root of 8000 / 5.
    figure = drawn(AVERAGE, engine_of(rows), view_of("a"))
    user, _, texts = figure.data
    assert list(user.error_x.array) == [pytest.approx(111.06, rel=0.003)]
    assert list(user.error_x.arrayminus) == [40]
    # Half as long again as the longest bar.
    assert list(figure.layout.xaxis.range) == [0, 60]
    assert list(texts.x) == [60, 40]
    assert "95 % interval 0 s to 2 min 31 s, may be chance" in hovers(figure)[0]


def test_a_hover_says_what_is_unknown_and_what_is_few(engine: MemoryEngine) -> None:
    rows: list[Row] = [*ROWS, ("bob", "home", None, DAY)]
    few = drawn(AVERAGE, engine_of(rows), view_of("bob"))
    assert hovers(few)[:2] == [
        "<b>home</b><br>bob: 1 min (1 session), may be chance<br>"
        "1 of unknown duration<br>everyone: 35 s (6 sessions)",
        "<b>cart</b><br>bob: 0 s (1 session), may be chance<br>"
        "everyone: 35 s (3 sessions)",
    ]
    first: list[Row] = [
        ("v", "p", 100, DAY),
        ("u", "p", None, DAY),
        ("u", "q", 1, DAY),
    ]
    assert hovers(drawn(AVERAGE, engine_of(first), view_of("u"))) == [
        "<b>p</b><br>u: unknown (1 session of unknown duration)<br>"
        "everyone: 1 min 40 s (1 session)",
        "<b>q</b><br>u: 1 s (1 session), may be chance<br>everyone: 1 s (1 session)",
    ]
    # There is no ratio to nothing, and no interval below it.
    zeros: list[Row] = [("z", "p", 0, DAY)] * 5
    figure = drawn(AVERAGE, engine_of([*zeros, ("y", "q", 1, DAY)]), view_of("z"))
    assert hovers(figure) == [
        "<b>p</b><br>z: 0 s (5 sessions)<br>95 % interval 0 s to 0 s, may be chance<br>"
        "everyone: 0 s (5 sessions)"
    ]


def test_what_is_more_than_chance_is_bold_and_said_in_the_hover() -> None:
    figure = drawn(AVERAGE, engine_of(BEYOND), view_of("a"))
    assert labels(figure) == ["p", "s", "q"]
    assert values(figure) == [
        *("<b>1 min 44 s</b>", "<b>14 s</b>", "14 s", "59 s", "59 s", "14 s")
    ]
    assert hovers(figure)[0] == (
        "<b>p</b><br>a: 1 min 44 s (9 sessions), 1.8 × everyone's<br>"
        "95 % interval 1 min 42 s to 1 min 46 s, more than chance<br>"
        "everyone: 59 s (18 sessions)"
    )
    assert "may be chance" in hovers(figure)[2]
    # A median isn't tested.
    figure = drawn(AVERAGE, engine_of(BEYOND), view_of("a", statistic="median"))
    assert not any("<b>" in text for text in values(figure))
    assert not any("chance" in text for text in hovers(figure))


def test_bars_of_fewer_than_five_sessions_are_faint(engine: MemoryEngine) -> None:
    user, everyone, _ = drawn(AVERAGE, engine, view_of("bob")).data
    assert list(user.x) == [60, 0, None]
    assert max(user.marker.opacity) < 0.5
    # Everyone's are not.
    assert everyone.marker.opacity is None
    for n, opacity in ((4, 0.45), (5, 1)):
        rows: list[Row] = [*[("u", "p", 1.0, DAY)] * n, ("v", "p", 1, DAY)]
        user, *_ = drawn(AVERAGE, engine_of(rows), view_of("u")).data
        assert user.marker.opacity == (opacity,)
        # Also of a user who is alone.
        alone, _ = drawn(AVERAGE, engine_of(rows[:-1]), view_of("u")).data
        assert alone.marker.opacity == (opacity,)


def test_without_a_user_everyone_stands_alone(engine: MemoryEngine) -> None:
    figure = drawn(AVERAGE, engine, View())
    bars, texts = figure.data
    assert bars.name == "everyone"
    assert bars.marker.opacity is None
    assert list(bars.x) == [35, 35, None]
    assert (values(figure)[:2], texts.x) == (["35 s", "35 s"], (35, 35, None))
    assert hovers(figure)[0] == "<b>home</b><br>everyone: 35 s (6 sessions)"
    assert figure.layout.showlegend is False


def test_a_user_who_is_everyone_stands_alone_too() -> None:
    figure = drawn(AVERAGE, engine_of(ROWS[:5]), view_of("ann"))
    bars, _ = figure.data
    assert (bars.name, bars.marker.color) == ("ann", USER_COLOR)
    assert hovers(figure) == ["<b>home</b><br>ann: 30 s (5 sessions)"]
    assert figure.layout.margin.t == 8
    # Whoever else there is.
    view = view_of("bob", pages=("cart",))
    figure = drawn(
        AVERAGE, engine_of([ROWS[6], ("cy", "help", 1, DAY)]), view_of("bob")
    )
    assert len(figure.data) == 3
    assert len(drawn(AVERAGE, engine_of(ROWS[6:9]), view).data) == 2


def test_a_user_of_whom_nothing_drawn_is_known_has_no_bar() -> None:
    rows: list[Row] = [("a", "p", None, DAY), ("b", "p", 10, DAY)]
    figure = drawn(AVERAGE, engine_of(rows), view_of("a"))
    assert list(figure.data[0].x) == [None]
    assert list(figure.layout.xaxis.range) == [0, 10]


def test_others_are_told_in_words_and_have_no_bar() -> None:
    rows: list[Row] = [("u", f"p{i:02}", 10.0 + i, DAY) for i in range(40)]
    rows.append(("v", "p39", 1, DAY))
    engine = engine_of(rows)
    for chart in (TOTAL, AVERAGE):
        view = view_of("u")
        names = labels(drawn(chart, engine, view))
        assert names == [f"p{i:02}" for i in range(39, 29, -1)]
        # From 10 to 39 s.
        words = "30 other pages: 12 min 15 s of everyone's time."
        assert chart.others(shown(chart, engine, view)) == words
        most = view_of("u", length="50")
        assert len(labels(drawn(chart, engine, most))) == 40
        assert chart.others(shown(chart, engine, most)) == ""
        eleven = shown(chart, engine_of(rows[29:]), view_of("u"))
        assert chart.others(eleven) == "1 other page: 39 s of everyone's time."
    # Pages on which the user has never been are no others.
    assert AVERAGE.others(shown(AVERAGE, engine, view_of("v"))) == ""
    assert TOTAL.others(shown(TOTAL, engine, view_of("v"))).startswith("30 other pages")


def test_long_names_are_told_apart_and_whole_in_the_hover() -> None:
    base = "https://www.example.org/shuttle/missions/sts-"
    pages = [f"{base}{n}/{'x' * 60}/mission-sts-69.html" for n in (69, 70)]
    rows: list[Row] = [("u", page, 5, DAY) for page in pages]
    for chart in (TOTAL, AVERAGE):
        figure = drawn(chart, engine_of(rows), view_of("u"))
        first, second = labels(figure)
        assert first.startswith("/sts-69/x")
        assert second.startswith("/sts-70/x")
        assert max(map(len, (first, second))) <= 46
        # In lines of 60 characters.
        name = hovers(figure)[1].split("</b>")[0].removeprefix("<b>")
        assert name.replace("<br>", "") == pages[1]
        assert [len(line) for line in name.split("<br>")][:2] == [60, 60]
    figure = drawn(TOTAL, engine_of([("u", "x" * 10_000, 5, DAY)]), View())
    assert len(labels(figure)[0]) == 44
    assert len(hovers(figure)[0]) < 420


def test_names_from_strangers_are_drawn_as_they_are_and_told_apart() -> None:
    names = (
        *("\u202e", "\x00", "a", "a\n", "a ", "\u202ea", "__proto__", "<b>a</b>"),
        *("%{x}", "x" * 10_000, "x" * 10_000 + "y", "x" * 9_999, "/" * 5_000),
        *("/" * 4_999, "$a$", "&lt;b>a</b>", "=1+1", "{}"),
    )
    rows: list[Row] = [("u", name, 5, DAY) for name in names]
    for chart in (TOTAL, AVERAGE):
        for folder in (None, "", "/"):
            view = view_of("u", length="50", folder=folder)
            figure = drawn(chart, engine_of(rows), view)
            found = labels(figure)
            assert len(set(found)) == len(found)
            if folder is None:
                assert len(found) == len(names)
                assert "&lt;b&gt;a&lt;/b&gt;" in found
                assert "&#37;{x}" in found
            assert not any("<" in label for label in found)
            assert max(map(len, found)) < 70


def test_zeros_start_at_the_left() -> None:
    rows: list[Row] = [("u", "p", 0, DAY)]
    for chart in (TOTAL, AVERAGE):
        figure = drawn(chart, engine_of(rows), view_of("u"))
        assert list(figure.layout.xaxis.range) == [0, 1]


@pytest.mark.parametrize(
    ("longest", "ticks"),
    [
        (45, ["0", "20 s", "40 s"]),
        (180, ["0", "1 min", "2 min", "3 min"]),
        (10_801, ["0", "1 h", "2 h", "3 h"]),
    ],
)
def test_ticks_are_as_people_say_them(longest: float, ticks: list[str]) -> None:
    figure = drawn(TOTAL, engine_of([("u", "home", longest, DAY)]), View())
    assert list(figure.layout.xaxis.ticktext) == ticks
    assert len(figure.layout.xaxis.tickvals) == len(ticks)
    assert figure.data[0].x[0] == pytest.approx(longest, rel=1e-3)


@pytest.mark.parametrize(
    ("statistic", "axis", "home"),
    [
        ("average", "Average", 30.0),
        ("median", "Median", 30.0),
        ("p90", "P90", 46.0),
    ],
)
def test_the_statistic_names_its_axis_and_its_bars(
    statistic: str, axis: str, home: float, engine: MemoryEngine
) -> None:
    figure = drawn(AVERAGE, engine, view_of("ann", statistic=statistic))
    assert figure.layout.xaxis.title.text == axis
    assert figure.data[0].x[0] == home
    assert ("95 % interval" in hovers(figure)[0]) == (statistic == "average")


@pytest.mark.parametrize("chart", [TOTAL, AVERAGE])
def test_a_picked_page_stands_out(chart: Chart, engine: MemoryEngine) -> None:
    figure = drawn(chart, engine, view_of("ann", pages=("cart",)))
    plain = drawn(chart, engine, view_of("ann"))
    bars = [n for n, trace in enumerate(figure.data) if isinstance(trace, go.Bar)]
    for trace in bars:
        assert picked_bars(figure, trace) == [1]
        assert picked_bars(plain, trace) is None
        # The others are only fainter: their colour says whose they are.
        unselected = figure.data[trace].unselected.marker
        assert (unselected.color, unselected.opacity) == (None, 0.2)
        assert figure.data[trace].marker.color == plain.data[trace].marker.color
        assert figure.data[trace].selected.marker.color is None
    # What a click on a bar asks for.
    assert figure.layout.meta["key"] == "page"
    assert figure.layout.meta["names"][:2] == [0, 0]
    assert "opens" not in figure.layout.meta
    assert figure.layout.dragmode is False


def test_a_picked_page_has_a_bar_among_many() -> None:
    engine = engine_of([*pages_of(40), ("b", "p39", 1, DAY)])
    for chart in (TOTAL, AVERAGE):
        figure = drawn(chart, engine, view_of("a", pages=("p03",)))
        assert labels(figure)[-1] == "p03"
        assert picked_bars(figure) == [9]
        assert len(figure.layout.meta["names"]) == 10


def test_a_click_on_a_folder_opens_it() -> None:
    engine = engine_of(FOLDERS)
    for chart in (TOTAL, AVERAGE):
        figure = drawn(chart, engine, view_of(folder="", pages=("/shop/b",)))
        assert labels(figure) == ["/help", "/cart", "▸ /shop/ (3 pages)"]
        assert figure.layout.meta["names"] == [0, 0, None]
        assert figure.layout.meta["opens"] == [None, None, "/shop/"]
        # The picked page is in it.
        assert picked_bars(figure) == [2]
        figure = drawn(chart, engine, view_of(folder="/shop/", pages=("/shop/b",)))
        assert labels(figure) == ["/shop/c", "/shop/b", "/shop/a"]
        assert picked_bars(figure) == [1]
        assert "opens" not in figure.layout.meta
        # What is found in a folder alone is a page.
        figure = drawn(chart, engine, view_of(folder="", match="/b"))
        assert labels(figure) == ["/shop/b"]
        assert figure.layout.meta["names"] == [0]


def test_a_folder_has_an_average_and_no_median() -> None:
    engine = engine_of(FOLDERS)
    figure = drawn(AVERAGE, engine, view_of(folder=""))
    assert list(figure.data[0].x) == [16, 10, 2]
    median = view_of(folder="", statistic="median")
    assert list(drawn(AVERAGE, engine, median).data[0].x) == [16, 10, None]
    words = AVERAGE.sentence(shown(AVERAGE, engine, median))
    assert words.endswith(" Folders have no bar: they have no median of their own.")
    in_it = view_of(folder="/shop/", statistic="median")
    assert "Folders" not in AVERAGE.sentence(shown(AVERAGE, engine, in_it))


def test_bars_in_the_order_of_the_difference() -> None:
    engine = engine_of(BEYOND)
    figure = drawn(AVERAGE, engine, view_of("a", order="difference"))
    # 104 beside 59, 14 beside 14.5, 14 beside 59.
    assert labels(figure) == ["p", "q", "s"]
    assert list(figure.data[0].x) == [104, 14, 14]
    assert labels(drawn(AVERAGE, engine, view_of("a"))) == ["p", "s", "q"]
    # That is of a user: total time stays in its order.
    view = view_of("a", order="difference")
    assert labels(drawn(TOTAL, engine, view)) == ["p", "s", "q"]
    assert AVERAGE.switch is not None
    assert list(AVERAGE.switch.options) == ["time", "difference"]
    assert AVERAGE.switch.field == "order"


@pytest.mark.parametrize("chart", [TOTAL, AVERAGE])
def test_nothing_to_draw_is_said(chart: Chart) -> None:
    def words(rows: Sequence[Row], view: View) -> str:
        figure = drawn(chart, engine_of(rows), view)
        (note,) = figure.layout.annotations
        assert not figure.data
        return str(note.text)

    assert words(ROWS, view_of("ann", match="none")) == "No sessions match"
    assert words(ROWS[8:9], View()) == "No sessions of known duration"
    assert words(ROWS, view_of("bob", match="help")) == "No sessions of known duration"


def test_a_user_named_like_a_placeholder_stays_text() -> None:
    rows: list[Row] = [("%{x}", "%{y}", 5, DAY)]
    for others in ([], [("v", "%{y}", 5, DAY)]):
        figure = drawn(AVERAGE, engine_of([*rows, *others]), view_of("%{x}"))
        templates = [trace.hovertemplate or "" for trace in figure.data]
        assert not any("%{x}" in template for template in templates)
        assert any("&#37;{x}: " in template for template in templates)


# Sentences.


def total(rows: Sequence[Row], view: View) -> str:
    return said(TOTAL, rows, view)


def average(rows: Sequence[Row], view: View) -> str:
    return said(AVERAGE, rows, view)


def test_the_total_is_everyones() -> None:
    for user in (None, "ann"):
        assert total(ROWS, view_of(user)) == "5 min 15 s in total; 67 % on home."


def test_most_of_the_time_is_not_all_of_it() -> None:
    rows: list[Row] = [("a", "p", 19, DAY), ("a", "q", 1, DAY)]
    assert total(rows, View()) == "20 s in total; 95 % on p."


def test_picked_pages_have_a_share_of_the_time() -> None:
    assert total(ROWS, view_of(pages=("home",))) == (
        "3 min 30 s on home: 67 % of 5 min 15 s in total."
    )
    assert total(ROWS, view_of(pages=("home", "cart", "help"))) == (
        "5 min 15 s on home, cart and help: 100 % of 5 min 15 s in total."
    )
    assert total(ROWS[:5], View()) == "2 min 30 s in total, all of it on home."


def test_pages_are_named_by_what_tells_them_apart() -> None:
    base = "https://www.example.org"
    rows: list[Row] = [
        ("a", f"{base}/{p}.html", d, DAY) for p, d in (("p", 3), ("q", 1))
    ]
    assert total(rows, View()) == "4 s in total; 75 % on /p."
    picked = view_of(pages=(rows[1][1],))
    assert total(rows, picked) == "1 s on /q: 25 % of 4 s in total."
    rows += [("b", page, d, t) for _, page, d, t in rows]
    assert average(rows, view_of("a", pages=(rows[1][1],))).startswith(
        "a's average on /q is 1 s "
    )


def test_a_share_is_all_or_nothing_only_where_it_is() -> None:
    rows: list[Row] = [("a", "long", 1e6, DAY), ("a", "short", 1, DAY)]
    assert total(rows, view_of(pages=("long",))).endswith(
        ": over 99.9 % of 278 h in total."
    )
    assert total(rows, view_of(pages=("short",))).endswith(
        ": under 0.1 % of 278 h in total."
    )


def test_time_that_is_nothing_or_unknown() -> None:
    zeros: list[Row] = [("b", "p", 0, DAY)] * 9
    assert total(zeros, View()) == "0 s in total."
    unknown: list[Row] = [("a", "p", None, DAY)]
    assert total(unknown, View()) == "No time is known."
    assert total(ROWS, view_of(pages=("help",))) == "No time on help is known."


BEYOND: list[Row] = [
    (user, page, first + n, DAY)
    for user, page, first in (
        *(("a", "p", 100), ("b", "p", 10), ("a", "s", 10), ("b", "s", 100)),
        *(("a", "q", 10), ("b", "q", 11)),
    )
    for n in range(9)
]


def test_a_finding_that_is_more_than_chance_is_told() -> None:
    # 104 beside 59, 14 beside 59, and 14 beside 14.5.
    assert average(BEYOND, view_of("a")) == (
        "a lingers on p (1.8 × everyone's average, 9 sessions); is quick on s (0.2 ×). "
        f"More than chance (bold), corrected for 3 pages. {LINES}"
    )
    without_s = [row for row in BEYOND if row[1] != "s"]
    assert average(without_s, view_of("a")) == (
        "a lingers on p (1.8 × everyone's average, 9 sessions). "
        f"More than chance (bold), corrected for 2 pages. {LINES}"
    )
    # b is below everyone on p, and above by chance on q.
    assert average(without_s, view_of("b")) == (
        "b is quick on p (0.2 × everyone's average, 9 sessions). "
        f"More than chance (bold), corrected for 2 pages. {LINES}"
    )


def lingering(pages: Sequence[str]) -> list[Row]:
    """Pages on which a's average is 31, 61, 91 s and so on, and b's 1 s."""
    return [
        row
        for place, page in enumerate(pages, start=1)
        for n in range(9)
        for row in (
            ("a", page, 27.0 + 30 * (place - 1) + n, DAY),
            ("b", page, n / 4, DAY),
        )
    ]


def test_up_to_three_pages_are_named_those_lingered_on_most() -> None:
    assert average(lingering("xyz"), view_of("a")) == (
        "a lingers on 3 pages: z (2.0 × everyone's average), y (2.0 ×) and x (1.9 ×). "
        f"More than chance (bold), corrected for 3 pages. {LINES}"
    )
    words = average(lingering("uvwxyz"), view_of("a"))
    assert words.startswith("a lingers on 6 pages, most on z (2.0 × everyone's ave")
    assert words.count(" ×") == 3
    # The others, in few words.
    words = average(lingering("xyz"), view_of("b"))
    assert words.startswith("b is quick on 3 pages: z (0.02 × everyone's average), y (")
    rows: list[Row] = lingering("yz") + [
        ({"a": "b", "b": "a"}[user], f"not {page}", d, t)
        for user, page, d, t in lingering("yz")
    ]
    assert average(rows, view_of("a")) == (
        "a lingers on 2 pages: z (2.0 × everyone's average) and y (1.9 ×); is quick on "
        f"2 pages. More than chance (bold), corrected for 4 pages. {LINES}"
    )


def test_a_finding_is_short_whatever_is_named() -> None:
    user = "u" * 100
    for length in (24, 30, 44, 60, 400):
        pages = [f"{letter * length}/{n}" for n, letter in enumerate("pqrs")]
        rows: list[Row] = [
            (user if who == "a" else who, page, seconds, day)
            for who, page, seconds, day in lingering(pages)
        ]
        words = average(rows, view_of(user)).removesuffix(f" {LINES}")
        assert len(words) <= 210
        assert 1 < words.count(" ×") <= 3
        assert "/3 (2.0 × everyone's average)" in words


def test_what_may_be_chance_is_no_finding() -> None:
    rows = [row for row in BEYOND if row[1] == "q"]
    rows += [(user, "r", seconds, time) for user, _, seconds, time in rows]
    words = "On none of 2 pages does a differ from everyone by more than chance."
    assert average(rows, view_of("a")) == f"{words} {LINES}"
    # Picked ones neither; one of these is told of, with that word.
    assert average(rows, view_of("a", pages=("q", "r"))) == f"{words} {LINES}"
    assert average(rows, view_of("a", pages=("q",))) == (
        "a spends about the same as everyone's average on q (9 sessions), "
        f"which may be chance. {LINES}"
    )
    # One alone.
    assert average(rows[:18], view_of("a")) == (
        "On q, the only page with enough sessions, a doesn't differ from everyone by "
        f"more than chance. {LINES}"
    )
    # Of home there is one session of others.
    assert average(ROWS, view_of("ann")) == (
        f"Too few sessions to tell whether ann differs by more than chance. {LINES}"
    )


def test_a_search_a_folder_and_the_number_of_rows_do_not_change_what_is_chance() -> (
    None
):
    # Beside 20 pages on which nothing differs, this is chance; alone it wasn't.
    close: list[Row] = [
        (user, "/p/close", first + 3 * n, DAY)
        for user, first in (("a", 10), ("b", 22))
        for n in range(9)
    ]
    same: list[Row] = [
        (user, f"/q/{page:02}", n, DAY)
        for page in range(20)
        for user in "ab"
        for n in range(9)
    ]
    assert average(close, view_of("a")).startswith("a is quick on ")
    rows = [*close, *same, *lingering(["/r/far"])]
    far = "a lingers on /r/far (1.9 × everyone's average, 9 sessions). "
    for how, words in (
        ({}, far),
        ({"length": "50"}, far),
        ({"match": "r"}, far),
        ({"match": "close"}, "On /p/close, the only page with enough sessions, a "),
        ({"match": "p", "folder": "/p/"}, "On /p/close, the only page with enough "),
        ({"folder": "/q/"}, "On none of 20 pages does a differ "),
        ({"folder": ""}, far),
    ):
        found = average(rows, view_of("a", **how))
        assert found.startswith(words)
        assert "corrected" not in found or "corrected for 22 pages." in found


def test_the_key_says_what_is_drawn() -> None:
    # Bold where the finding doesn't say so already.
    same: list[Row] = [
        *[("a", "p", seconds, DAY) for seconds in (10, 11)] * 300,
        *[("b", "p", seconds, DAY) for seconds in (10.5, 11.5)] * 300,
    ]
    assert average(same, view_of("a")).endswith(f". Bold: more than chance. {LINES}")
    # Nothing is bold where what is told has no row.
    rows = [*lingering("p"), *[("a", f"q{n}", 1e4, DAY) for n in range(10)]]
    words = average(rows, view_of("a"))
    assert words.endswith(f"More than chance, corrected for 1 page. {FAINT}")
    assert "bold" in average(rows, view_of("a", length="50")).lower()
    # A median has no interval, and nobody alone is compared.
    assert LINES not in average(BEYOND, view_of("a", statistic="median"))
    assert FAINT in average(rows, view_of("a", statistic="median"))
    alone = average(ROWS[:4], view_of("ann"))
    assert alone.endswith(f"nothing to compare. {FAINT}")
    assert "Faint" not in average(ROWS, View())


def test_a_picked_page_is_told_of_whatever_it_is() -> None:
    assert average(BEYOND, view_of("a", pages=("q",))) == (
        "a spends about the same as everyone's average on q (9 sessions), "
        f"which may be chance. Bold: more than chance. {LINES}"
    )
    # It is tested among all pages still.
    assert average(BEYOND, view_of("a", pages=("s",))) == (
        "a is quick on s (0.2 × everyone's average, 9 sessions). "
        f"More than chance (bold), corrected for 3 pages. {LINES}"
    )


def test_a_picked_page_is_told_of_where_it_has_no_row() -> None:
    rows = [(user, f"/{page}/{n}", d, t) for user, page, d, t in BEYOND for n in "12"]
    words = (
        "a is quick on /s/1 (0.2 × everyone's average, 9 sessions). More than chance"
    )
    # In a folder, in none that is open, or not found.
    for how in ({}, {"folder": ""}, {"folder": "/p/"}, {"match": "p"}, {"match": "-"}):
        found = average(rows, view_of("a", pages=("/s/1",), **how))
        assert found.startswith(words)
        assert ", corrected for 6 pages." in found


def test_rows_of_folders_are_not_pages() -> None:
    rows = [(user, f"/{page}/{n}", d, t) for user, page, d, t in BEYOND for n in "12"]
    assert average(rows, view_of("a", folder="")) == (
        "a lingers on ▸ /p/ (2 pages) (1.8 × everyone's average, 18 sessions); is "
        "quick on ▸ /s/ (2 pages) (0.2 ×). "
        f"More than chance (bold), corrected for 3 folders. {LINES}"
    )
    assert average(rows, view_of("a", folder="", match="q")) == (
        "On ▸ /q/ (2 pages), the only folder with enough sessions, a doesn't differ "
        f"from everyone by more than chance. {LINES}"
    )
    # Pages are corrected for pages, also beside folders.
    rows += [(user, "/t", d, t) for user, page, d, t in BEYOND if page == "s"]
    assert "corrected for 7 pages and 3 folders." in average(
        rows, view_of("a", folder="")
    )
    rows += [(user, f"/u{page}", d, t) for user, page, d, t in rows if "/q" in page]
    words = average(rows, view_of("a", folder="", match="q"))
    assert words.startswith("On none of 2 folders does a differ from everyone by more")


def test_a_small_difference_of_many_sessions_is_about_the_same() -> None:
    rows: list[Row] = [
        *[("a", "p", seconds, DAY) for seconds in (10, 11)] * 300,
        *[("b", "p", seconds, DAY) for seconds in (10.5, 11.5)] * 300,
    ]
    figure = drawn(AVERAGE, engine_of(rows), view_of("a"))
    assert "about the same as everyone's<br>" in hovers(figure)[0]
    assert "more than chance" in hovers(figure)[0]
    assert average(rows, view_of("a")) == (
        "a spends about the same as everyone's average on p (600 sessions). "
        f"Bold: more than chance. {LINES}"
    )
    # What differs more is said before it.
    assert average([*rows, *BEYOND[18:36]], view_of("a")).startswith(
        "a is quick on s (0.2 × everyone's average, 9 sessions). More than chance "
    )


@pytest.mark.parametrize(
    ("statistic", "text"),
    [
        ("median", "ann spends 0.9 × everyone's median on home (5 sessions)"),
        ("p90", "ann spends 0.8 × everyone's P90 on home (5 sessions)"),
    ],
)
def test_whether_a_quantile_is_chance_is_not_tested(statistic: str, text: str) -> None:
    assert average(ROWS, view_of("ann", statistic=statistic)) == (
        f"{text}; whether that is chance isn't tested."
    )
    # What differs most is told, though on p the average differs by more than chance.
    rows: list[Row] = [
        *BEYOND[:18],
        *[("a", "r", seconds, DAY) for seconds in (1, 99, 99, 99, 100)],
        *[("b", "r", seconds, DAY) for seconds in (1, 1, 1, 1, 1, 400)],
    ]
    assert "a lingers on p (1.8 × everyone's average" in average(rows, view_of("a"))
    words = average(rows, view_of("a", statistic="median"))
    assert words.startswith("a spends 99.0 × everyone's median on r (5 sessions);")
    words = average(BEYOND, view_of("a", statistic=statistic))
    assert words.endswith(" (9 sessions); whether that is chance isn't tested.")
    assert "More than" not in words


def test_the_largest_and_the_smallest_ratio_are_told() -> None:
    def words(user: str, rows: Sequence[Row]) -> str:
        return average(rows, view_of(user, statistic="median")).split(";")[0]

    rows: list[Row] = [
        *[("a", page, seconds, DAY) for page in "pq" for seconds in [9] * 5],
        *[("b", "p", 3, DAY)] * 5,
        *[("b", "q", 6, DAY)] * 5,
    ]
    # 9 beside 6 on p, and beside 7.5 on q: longer everywhere.
    assert words("a", rows) == "a spends 1.5 × everyone's median on p (5 sessions)"
    # As long as everyone on r is not shorter.
    as_long: list[Row] = [("a", "r", 9, DAY)] * 5
    assert words("a", [*rows, *as_long]) == words("a", rows)
    # 3 and 6 beside the same.
    assert words("b", rows) == "b spends 0.5 × everyone's median on p (5 sessions)"
    shorter: list[Row] = [*[("a", "s", 1, DAY)] * 6, *[("b", "s", 3, DAY)] * 6]
    assert words("a", [*rows, *shorter]) == (
        "a spends 1.5 × everyone's median on p (5 sessions), and 0.5 × on s "
        "(6 sessions)"
    )


def test_without_a_user_one_is_to_be_picked() -> None:
    assert average(ROWS, View()) == "Pick a user to see them beside everyone."


def test_with_nobody_else_nothing_is_compared() -> None:
    words = "Nobody else's sessions match, so there is nothing to compare."
    assert average(ROWS[:5], view_of("ann")) == words
    assert average(ROWS[:5], view_of("ann", pages=("home",))) == words
    # Others have sessions, but none of these.
    view = view_of("ann", longest=60, start=None)
    rows: list[Row] = [*ROWS[:5], ("bob", "cart", 100, DAY)]
    assert average(rows, view) == words
    assert average(rows, view_of("ann")) != words


def test_others_are_never_compared() -> None:
    # On most pages one session, on which a is far below everyone.
    rows: list[Row] = [
        *[("a", f"p{page:02}", 10, DAY) for page in range(21)],
        *[("b", f"p{page:02}", 20 + page, DAY) for page in range(21)],
    ]
    assert average(rows, view_of("a")) == too_few("a")
    assert average(rows, view_of("a", statistic="median")) == too_few("a")
    # A page for which there is no room is, for itself.
    rows += [("a", f"q{page}", 1_000, DAY) for page in range(10)]
    assert average([*rows, *BEYOND[18:36]], view_of("a")) == (
        "a is quick on s (0.2 × everyone's average, 9 sessions). "
        f"More than chance, corrected for 1 page. {FAINT}"
    )


def test_there_is_no_ratio_to_nothing() -> None:
    rows: list[Row] = [*[("a", "p", 10, DAY)] * 5, *[("b", "p", 0, DAY)] * 9]
    assert average(rows, view_of("a", statistic="median")) == (
        "a's median on p is 10 s (5 sessions), everyone's 0 s."
    )
    rows = [*rows[5:], ("a", "q", 1, DAY)]
    assert average(rows, view_of("b")) == (
        "b's average on p is 0 s (9 sessions), everyone's 0 s."
    )


def test_nothing_of_enough_sessions_is_said_before_something_of_few() -> None:
    rows: list[Row] = [
        *[("a", "q", 0, DAY)] * 5,
        ("a", "p", 0, DAY),
        ("b", "p", 10, DAY),
    ]
    assert average(rows, view_of("a")) == (
        f"a's average on q is 0 s (5 sessions), everyone's 0 s. {FAINT}"
    )


def test_sketched_quantiles_say_how_accurate_they_are() -> None:
    sketching = Counting(min_sessions_per_page=0, max_exact_sessions=0)
    engine = MemoryEngine(table(ROWS), counting=sketching)
    median = shown(AVERAGE, engine, view_of("ann", statistic="median"))
    assert not median.summary.everyone.exact
    assert AVERAGE.sentence(median).endswith(" Everyone's median is accurate to 1 %.")
    assert "accurate" not in AVERAGE.sentence(shown(AVERAGE, engine, view_of("ann")))


def test_few_sessions_may_be_chance() -> None:
    assert average(ROWS, view_of("bob")) == too_few("bob")


def test_of_picked_pages_alone_is_said_how_long_a_user_stays() -> None:
    def picked(user: str, *pages: str) -> str:
        words = average(ROWS, view_of(user, pages=pages))
        return words.removesuffix(f" {FAINT}").removesuffix(f" {LINES}")

    assert picked("bob", "home") == (
        "bob's average on home is 1 min (1 session, so this may be chance), "
        "everyone's 35 s."
    )
    assert picked("bob", "cart") == (
        "bob's average on cart is 0 s (1 session, so this may be chance), "
        "everyone's 35 s."
    )
    assert picked("ann", "cart") == "ann has no known duration on cart."
    assert picked("ann", "help") == "ann has no known duration on help."
    # Of two, the one of more sessions.
    rows: list[Row] = [
        ("a", "p", 9, DAY),
        *[("a", "q", 1, DAY)] * 2,
        ("b", "q", 1, DAY),
    ]
    assert average(rows, view_of("a", pages=("p", "q"))) == (
        "a's average on q is 1 s (2 sessions, so this may be chance), everyone's 1 s. "
        f"{FAINT}"
    )


def test_a_user_without_a_known_duration() -> None:
    rows: list[Row] = [("a", "p", None, DAY), ("b", "p", 1, DAY)]
    assert average(rows, view_of("a")) == "a has no sessions of known duration."
    assert average(ROWS, view_of("bob", match="help")) == (
        "bob has no known duration on these pages."
    )


def test_a_search_for_what_there_is_not() -> None:
    assert average(ROWS, view_of("ann", match="none")) == "No sessions of ann match."


def test_headings_name_the_statistic(engine: MemoryEngine) -> None:
    headings: dict[Any, str] = {
        statistic: AVERAGE.heading(
            shown(AVERAGE, engine, view_of("ann", statistic=statistic))
        )
        for statistic in ("average", "median", "p90")
    }
    assert headings == {
        "average": "Average Session Duration by Page",
        "median": "Median Session Duration by Page",
        "p90": "P90 Session Duration by Page",
    }
    assert TOTAL.heading(shown(TOTAL, engine, View())) == "Total Time per Page"
