import json
from collections.abc import Callable
from datetime import date
from typing import Any

import plotly.graph_objects as go
import pytest

import figures
from activity import Activity, Selection, Summary
from view import View

from .conftest import ROWS, Row, table


@pytest.fixture
def everyone(activity: Activity) -> Summary:
    return activity.summarise(Selection())


@pytest.fixture
def ann(activity: Activity) -> Summary:
    return activity.summarise(Selection("ann"))


Build = Callable[[Summary, View], figures.Figure]
BY_PAGE: tuple[Build, ...] = (figures.total_time, figures.user_average)
ALL: tuple[Build, ...] = (*BY_PAGE, figures.durations, figures.timeline, figures.hours)


def built(
    build: Build, summary: Summary, picked: Selection | None = None, **shown: Any
) -> figures.Figure:
    """The figure of a summary; *picked* says what is highlighted in it."""
    return build(summary, View(picked or summary.selection, **shown))


def drawn(
    build: Build, summary: Summary, picked: Selection | None = None, **shown: Any
) -> go.Figure:
    """The figure as Plotly's class, which refuses what Plotly.js doesn't know."""
    return go.Figure(built(build, summary, picked, **shown))


def many_pages(n: int) -> Summary:
    rows: list[Row] = [("u", f"p{i:02}", 10.0 + i, "2024-01-01") for i in range(n)]
    return Activity(table(rows)).summarise(Selection("u"))


def hovers(figure: go.Figure) -> list[str]:
    """What Plotly shows over each bar of a figure's last bar trace."""
    bars = next(t for t in reversed(figure.data) if isinstance(t, go.Bar))
    values = bars.y if bars.orientation is None else bars.x
    texts = []
    for row, value in zip(bars.customdata, values, strict=True):
        if row is None:
            continue
        text = bars.hovertemplate
        for i, cell in enumerate(row):
            text = text.replace(f"%{{customdata[{i}]}}", str(cell))
            if isinstance(cell, int | float):
                text = text.replace(f"%{{customdata[{i}]:,}}", f"{cell:,}")
                text = text.replace(f"%{{customdata[{i}]:.1f}}", f"{cell:.1f}")
        if bars.orientation is None:
            text = text.replace("%{y:.1f}", f"{value:.1f}")
        texts.append(text)
    return texts


def test_total_time_is_everyones_with_the_largest_first(ann: Summary) -> None:
    figure = drawn(figures.total_time, ann)
    (bars,) = figure.data
    assert list(bars.x) == [3.5, 1.75, 0]
    assert list(figure.layout.yaxis.ticktext) == ["home", "cart", "help"]
    # Downwards: the first row is on top.
    assert list(figure.layout.yaxis.range) == [3.5, -0.5]
    assert figure.layout.xaxis.title.text == "Total time (minutes)"
    assert hovers(figure) == [
        "<b>home</b><br>3 min 30 s in all, 66.7 % of the time<br>"
        "n = 7, 1 of unknown duration",
        "<b>cart</b><br>1 min 45 s in all, 33.3 % of the time<br>"
        "n = 4, 1 of unknown duration",
        "<b>help</b><br>0 s in all, 0.0 % of the time<br>n = 1, 1 of unknown duration",
    ]


def test_an_average_stands_beside_everyones(ann: Summary) -> None:
    figure = drawn(figures.user_average, ann)
    user, everyone = figure.data
    assert (user.name, everyone.name) == ("ann", "everyone")
    assert list(figure.layout.yaxis.ticktext) == ["home", "cart"]
    assert list(user.x) == [30, None]
    assert list(everyone.x) == [35, 35]
    assert figure.layout.xaxis.title.text == "Average (seconds)"
    assert user.hoverinfo == "skip"
    assert hovers(figure) == [
        "<b>home</b><br>ann: 30 s (n = 5), 0.9 × everyone's<br>"
        "95 % interval 10 s to 50 s<br>everyone: 35 s (n = 6)",
        "<b>cart</b><br>ann: unknown (n = 0), – × everyone's<br>"
        "1 of unknown duration<br>everyone: 35 s (n = 3)",
    ]


def test_fewer_than_five_sessions_are_weak_evidence(activity: Activity) -> None:
    summary = activity.summarise(Selection("bob"))
    figure = drawn(figures.user_average, summary)
    user, _ = figure.data
    assert list(user.x) == [60, 0, None]
    assert max(user.marker.opacity) < 0.5
    assert "<br>weak evidence<br>" in hovers(figure)[0]
    assert "interval" not in hovers(figure)[0]


def test_without_a_user_everyone_stands_alone(everyone: Summary) -> None:
    (bars,) = drawn(figures.user_average, everyone).data
    assert list(bars.x) == [35, 35, None]
    (histogram,) = drawn(figures.durations, everyone).data
    assert histogram.name == "everyone"


def test_the_distribution_is_in_percent_and_starts_at_zero(ann: Summary) -> None:
    figure = drawn(figures.durations, ann)
    bars, line = figure.data
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
    assert hovers(figure)[0] == (
        "<b>0 s to 2 s</b><br>ann: 0.0 % (n = 0)<br>everyone: 11.1 % (n = 1)"
    )
    assert hovers(figure)[5].startswith("<b>10 s to 12 s</b><br>ann: 20.0 % (n = 1)")
    assert hovers(figure)[-1].startswith("<b>1 min 30 s and longer</b>")


def test_many_pages_share_one_bar() -> None:
    summary = many_pages(40)
    for figure in (
        drawn(figures.total_time, summary),
        drawn(figures.user_average, summary),
    ):
        labels = figure.layout.yaxis.ticktext
        assert len(labels) == 16
        assert labels[:2] == ("p39", "p38")
        assert labels[-1] == "25 other pages"
    (bars,) = drawn(figures.total_time, summary).data
    everything = sum(10 + i for i in range(40))
    assert sum(bars.x) == pytest.approx(everything / 60, abs=1e-3)
    assert bars.x[-1] == pytest.approx(sum(10 + i for i in range(25)) / 60, abs=1e-4)
    average = drawn(figures.user_average, summary)
    assert average.data[0].x[-1] == pytest.approx(10 + 24 / 2)
    assert "u: 22 s (n = 25)" in hovers(average)[-1]


def test_one_page_more_than_fit_is_one_other_page() -> None:
    labels = drawn(figures.total_time, many_pages(16)).layout.yaxis.ticktext
    assert labels[-1] == "1 other page"
    assert drawn(figures.total_time, many_pages(15)).layout.yaxis.ticktext[-1] == "p00"


def test_text_from_data_is_text() -> None:
    rows: list[Row] = [("<i>u</i>", "<b>x</b>", 5, "2024-01-01")]
    summary = Activity(table(rows)).summarise(Selection("<i>u</i>"))
    for build in ALL:
        figure = built(build, summary)
        # What a click asks for is the name itself; it isn't shown.
        figure["layout"].pop("meta", None)
        text = json.dumps(figure)
        assert "<i>" not in text
        assert "<b>x" not in text
    assert drawn(figures.total_time, summary).layout.yaxis.ticktext == (
        "&lt;b&gt;x&lt;/b&gt;",
    )


def test_long_names_keep_their_beginning_and_end() -> None:
    page = "/shuttle/missions/sts-69/mission-sts-69.html" * 10
    summary = Activity(table([("u", page, 5, "2024-01-01")])).summarise(Selection())
    figure = drawn(figures.total_time, summary)
    assert figure.layout.yaxis.ticktext == ("/shut…on-sts-69.html",)
    assert len(hovers(figure)[0]) < 150


def test_nothing_selected_is_said_in_words(activity: Activity) -> None:
    empty = activity.summarise(Selection("ann", pages=("help",)))
    assert not drawn(figures.user_average, empty).data
    none = activity.summarise(Selection("ann", shortest=150))
    for build in ALL:
        figure = drawn(build, none)
        assert not figure.data
        assert figure.layout.annotations[0].text.startswith("No session")


def test_a_user_without_a_known_duration_has_no_line() -> None:
    rows: list[Row] = [*ROWS, ("dan", "home", None, "2024-01-01")]
    dan = Activity(table(rows)).summarise(Selection("dan"))
    assert [trace.name for trace in drawn(figures.durations, dan).data] == ["everyone"]


def test_a_user_named_like_a_placeholder_stays_text() -> None:
    rows: list[Row] = [("%{x}", "%{y}", 5, "2024-01-01")]
    summary = Activity(table(rows)).summarise(Selection("%{x}"))
    for build in (figures.user_average, figures.durations):
        templates = [
            trace.get("hovertemplate", "") for trace in built(build, summary)["data"]
        ]
        assert not any("%{x}" in template for template in templates)
        assert any("&#37;{x}: " in template for template in templates)


def test_words_speak_of_the_bars_that_are_there() -> None:
    sure: list[Row] = [("u", f"p{i % 15}", 50, "2024-01-01") for i in range(75)]
    rare: list[Row] = [("u", f"rare{i}", 1, "2024-01-01") for i in range(5)]
    others: list[Row] = [("v", f"rare{i}", 99, "2024-01-01") for i in range(5)]
    summary = Activity(table([*sure, *rare, *others])).summarise(Selection("u"))
    user, _ = drawn(figures.user_average, summary).data
    assert min(user.marker.opacity) == 1
    summary = Activity(table([*sure[:60], *rare, *others])).summarise(Selection("u"))


def test_zeros_start_at_the_left() -> None:
    rows: list[Row] = [("u", "p", 0, "2024-01-01")]
    summary = Activity(table(rows)).summarise(Selection("u"))
    for build in BY_PAGE:
        assert list(drawn(build, summary).layout.xaxis.range) == [0, 1]


def test_only_what_differs_is_a_new_revision(activity: Activity) -> None:
    ann, bob = (activity.summarise(Selection(user)) for user in ("ann", "bob"))
    total = drawn(figures.total_time, ann)
    assert (
        drawn(figures.total_time, bob).layout.datarevision == total.layout.datarevision
    )
    for build in (figures.user_average, figures.durations):
        revisions = [built(build, s)["layout"]["datarevision"] for s in (ann, bob, ann)]
        assert revisions[0] != revisions[1]
        assert revisions[0] == revisions[2]


def test_units_follow_the_longest() -> None:
    for longest, unit in ((180, "seconds"), (181, "minutes"), (10_801, "hours")):
        rows = [*ROWS, ("u", "home", float(longest), "2024-01-01")]
        figure = drawn(
            figures.user_average, Activity(table(rows)).summarise(Selection("u"))
        )
        assert figure.layout.xaxis.title.text == f"Average ({unit})"
        top = figure.data[0].x[0]
        assert top * {"seconds": 1, "minutes": 60, "hours": 3600}[unit] == (
            pytest.approx(longest, rel=1e-4)
        )


def test_the_statistic_names_its_axis_and_its_bars(ann: Summary) -> None:
    for statistic, axis, home in (
        ("average", "Average (seconds)", 30.0),
        ("median", "Median (seconds)", 30.0),
        ("p90", "P90 (seconds)", 46.0),
    ):
        figure = drawn(figures.user_average, ann, statistic=statistic)
        assert figure.layout.xaxis.title.text == axis
        assert figure.data[0].x[0] == home
        assert ("95 % interval" in hovers(figure)[0]) == (statistic == "average")


def test_other_pages_have_an_average_and_no_median() -> None:
    bars = drawn(figures.user_average, many_pages(40), statistic="median").data[0]
    assert bars.x[0] == 49
    assert bars.x[-1] is None


def picked_bars(figure: go.Figure, trace: int = 0) -> list[int] | None:
    """The bars that are not grey; None where none is."""
    points = figure.data[trace].selectedpoints
    return None if points is None else list(points)


def test_a_picked_page_stands_out(ann: Summary) -> None:
    picked = Selection("ann", pages=("cart",))
    for build in BY_PAGE:
        figure = drawn(build, ann, picked)
        assert picked_bars(figure) == [1]
        assert figure.data[0].unselected.marker.color == figures.OTHER
        assert picked_bars(drawn(build, ann)) is None
        # What a click on a bar asks for.
        assert figure.layout.meta["pages"][:2] == ["home", "cart"]


def test_a_picked_page_has_a_bar_among_many() -> None:
    picked = Selection("u", pages=("p03",))
    figure = drawn(figures.total_time, many_pages(40), picked)
    assert figure.layout.yaxis.ticktext[-2:] == ("p03", "25 other pages")
    assert picked_bars(figure) == [14]
    assert len(figure.layout.meta["pages"]) == 15


def test_picked_durations_stand_out_on_either_axis(everyone: Summary) -> None:
    picked = Selection(shortest=10, longest=60)
    figure = drawn(figures.durations, everyone, picked)
    edges = figure.layout.meta["edges"]
    bars = picked_bars(figure)
    assert bars is not None
    assert (edges[bars[0]], edges[bars[-1] + 1]) == (10, 60)
    figure = drawn(figures.durations, everyone, picked, scale="log")
    edges = figure.layout.meta["edges"]
    bars = picked_bars(figure)
    assert bars is not None
    assert (edges[bars[0]], edges[bars[-1] + 1]) == (10, 60)
    # What is longer than the linear axis is its last bar, behind two empty ones.
    figure = drawn(figures.durations, everyone, Selection(shortest=90))
    assert picked_bars(figure) == [47]
    assert figure.layout.meta["edges"][47:] == [90, None]
    assert figure.data[0].y[45:47] == (None, None)


def test_on_a_logarithmic_axis_zeros_stand_apart(everyone: Summary) -> None:
    figure = drawn(figures.durations, everyone, scale="log")
    (bars,) = figure.data
    assert (bars.x0, bars.dx) == (0.5, 1)
    # 0 s; nothing; then 0.001 s to 1 s, 1 to 1.5, 1.5 to 2.5, 2.5 to 4, 4 to 6 and on.
    assert bars.y[:3] == (pytest.approx(11.11), None, None)
    assert bars.customdata[0][0] == "0 s to 0.001 s"
    assert bars.customdata[7][0] == "4 s to 6 s"
    assert bars.y[7] == pytest.approx(11.11)
    ticks = dict(
        zip(figure.layout.xaxis.ticktext, figure.layout.xaxis.tickvals, strict=True)
    )
    assert ticks["0 s"] == 0.5
    # A tick is where a bin begins: bar i is over [i, i + 1).
    assert figure.layout.meta["edges"][int(ticks["10 s"])] == 10
    assert sum(y or 0 for y in bars.y) == pytest.approx(100, abs=0.1)


WEEKS: list[Row] = [
    # A Wednesday, then two Mondays a fortnight later, and so on until May.
    ("u", "p", 3600, "2024-01-03T12:00"),
    ("v", "p", 1800, "2024-01-08T00:00"),
    ("u", "p", 1800, "2024-01-22T23:00"),
    ("u", "p", None, "2024-05-13T09:00"),
]


def test_a_timeline_of_a_third_of_a_year_is_by_week() -> None:
    summary = Activity(table(WEEKS)).summarise(Selection("u"))
    figure = drawn(figures.timeline, summary)
    bars, line = figure.data
    assert bars.x[:2] == ("2024-01-01", "2024-01-08")
    assert bars.x[-1] == "2024-05-13"
    assert figure.layout.meta["end"] == "2024-05-20"
    assert (bars.name, line.name) == ("average user", "u")
    assert bars.y[:4] == (0.5, 0.5, 0, 0.5)
    assert line.y[:4] == (1, 0, 0, 1)
    # The line goes on to the end of the last week.
    assert line.y[-2:] == (1, 1)
    assert line.x[-1] == "2024-05-20"
    # From Monday 0:00 on nothing is missing; the data ends on a Monday morning.
    assert bars.marker.pattern.shape[:2] == ("/", "")
    assert bars.marker.pattern.shape[-1] == "/"
    assert figure.layout.yaxis.title.text == "Sessions per week"
    assert bars.hovertemplate.startswith("<b>%{x|Week from %-d %B %Y}</b>")


def test_a_timeline_counts_time_where_that_is_asked() -> None:
    summary = Activity(table(WEEKS)).summarise(Selection())
    figure = drawn(figures.timeline, summary, timeline="time")
    (bars,) = figure.data
    assert bars.y[:2] == (60, 30)
    assert figure.layout.yaxis.title.text == "Minutes per week"
    assert bars.customdata[0] == ["1 h"]


def test_picked_dates_stand_out() -> None:
    summary = Activity(table(WEEKS)).summarise(Selection())
    picked = Selection(start=date(2024, 1, 10), end=date(2024, 1, 22))
    assert picked_bars(drawn(figures.timeline, summary, picked)) == [1, 2]


def test_hours_are_by_how_often_their_weekday_occurs() -> None:
    rows: list[Row] = [
        ("u", "p", 5, "2024-01-01T14:00"),
        ("u", "p", 5, "2024-01-08T14:59:59"),
        ("v", "p", 5, "2024-01-15T14:30"),
        ("v", "p", 5, "2024-01-16T00:00"),
    ]
    summary = Activity(table(rows)).summarise(Selection("u"))
    (heat,) = drawn(figures.hours, summary).data
    # Three Mondays, and three Tuesdays.
    assert heat.z[0][14] == pytest.approx(2 / 3, abs=1e-3)
    assert heat.text[0][14] == 2
    assert heat.customdata[0][14] == pytest.approx(0.5)
    assert heat.z[1][0] == 0
    assert heat.customdata[1][0] == pytest.approx(1 / 3 / 2, abs=1e-3)
    # The map's rows run down from Monday.
    assert heat.y[0] == "Monday"
    assert sum(sum(row) for row in heat.text) == 2


def test_a_zoom_is_kept_while_the_axis_means_the_same(activity: Activity) -> None:
    ann, bob = (activity.summarise(Selection(user)) for user in ("ann", "bob"))
    kept = drawn(figures.durations, ann).layout.uirevision
    assert drawn(figures.durations, bob).layout.uirevision == kept
    other = drawn(figures.durations, ann, scale="log").layout.uirevision
    assert other != kept
    assert drawn(figures.timeline, ann).layout.uirevision == (
        drawn(figures.timeline, bob, timeline="time").layout.uirevision
    )


def test_charts_that_are_clicked_are_not_zoomed(ann: Summary) -> None:
    for build in BY_PAGE:
        assert drawn(build, ann).layout.dragmode is False
    for build in (figures.durations, figures.timeline):
        layout = drawn(build, ann).layout
        assert (layout.dragmode, layout.selectdirection) == ("select", "h")
