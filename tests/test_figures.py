import json
from collections.abc import Callable

import plotly.graph_objects as go
import pytest

import figures
from activity import Activity, Selection, Summary

from .conftest import ROWS, Row, table


@pytest.fixture
def everyone(activity: Activity) -> Summary:
    return activity.summarise(Selection())


@pytest.fixture
def ann(activity: Activity) -> Summary:
    return activity.summarise(Selection("ann"))


def drawn(build: Callable[[Summary], figures.Figure], summary: Summary) -> go.Figure:
    """The figure as Plotly's class, which refuses what Plotly.js doesn't know."""
    return go.Figure(build(summary))


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.04, "0 s"),
        (4.25, "4.2 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h"),
        (9_999.5 * 3600, "9,999 h 30 min"),
        (10_000.6 * 3600, "10,001 h"),
        (11520, "3 h 12 min"),
        (12_000_000, "3,333 h 20 min"),
    ],
)
def test_durations_read_as_people_read_them(seconds: float, text: str) -> None:
    assert figures.duration_text(seconds) == text


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
    assert figures.total_time_finding(ann) == (
        "Everyone together spent 5 min 15 s, the largest part on home: 67 %."
    )


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
    assert figures.user_average_finding(ann) == (
        "ann spends 0.9 × everyone's average on home (n = 5)."
    )


def test_fewer_than_five_sessions_are_weak_evidence(activity: Activity) -> None:
    summary = activity.summarise(Selection("bob"))
    figure = drawn(figures.user_average, summary)
    user, _ = figure.data
    assert list(user.x) == [60, 0, None]
    assert max(user.marker.opacity) < 0.5
    assert "<br>weak evidence<br>" in hovers(figure)[0]
    assert "interval" not in hovers(figure)[0]
    assert figures.user_average_finding(summary) == (
        "Faint bars: fewer than 5 known durations, so weak evidence."
    )


def test_without_a_user_everyone_stands_alone(everyone: Summary) -> None:
    (bars,) = drawn(figures.user_average, everyone).data
    assert list(bars.x) == [35, 35, None]
    (histogram,) = drawn(figures.durations, everyone).data
    assert histogram.name == "everyone"
    assert figures.user_average_finding(everyone).startswith("Pick a user")


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
    assert figures.durations_finding(ann) == (
        "ann's sessions last 30 s on average (n = 5), 0.9 × everyone's 35 s. "
        "3 of unknown duration left out."
    )


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
    for build in (figures.total_time, figures.user_average, figures.durations):
        text = json.dumps(build(summary))
        assert "<i>" not in text
        assert "<b>x" not in text
    assert drawn(figures.total_time, summary).layout.yaxis.ticktext == (
        "&lt;b&gt;x&lt;/b&gt;",
    )
    # A sentence is not HTML, and shows what it is given.
    assert "<b>x</b>" in figures.total_time_finding(summary)


def test_long_names_keep_their_beginning_and_end() -> None:
    page = "/shuttle/missions/sts-69/mission-sts-69.html" * 10
    summary = Activity(table([("u", page, 5, "2024-01-01")])).summarise(Selection())
    figure = drawn(figures.total_time, summary)
    assert figure.layout.yaxis.ticktext == ("/shut…on-sts-69.html",)
    assert len(hovers(figure)[0]) < 150


def test_nothing_selected_is_said_in_words(activity: Activity) -> None:
    empty = activity.summarise(Selection("ann", pages=("help",)))
    assert not drawn(figures.user_average, empty).data
    assert figures.user_average_finding(empty) == (
        "ann has no session of known duration."
    )
    none = activity.summarise(Selection("ann", shortest=150))
    for build in (figures.total_time, figures.user_average, figures.durations):
        figure = drawn(build, none)
        assert not figure.data
        assert figure.layout.annotations[0].text.startswith("No session")
    assert figures.total_time_finding(none) == "No time is known."
    assert figures.durations_finding(none) == "No duration is known."


def test_a_user_without_a_known_duration_has_no_line() -> None:
    rows: list[Row] = [*ROWS, ("dan", "home", None, "2024-01-01")]
    dan = Activity(table(rows)).summarise(Selection("dan"))
    assert [trace.name for trace in drawn(figures.durations, dan).data] == ["everyone"]
    assert figures.durations_finding(dan) == (
        "dan has no session of known duration. Everyone's sessions last 35 s on "
        "average. 4 of unknown duration left out."
    )


def test_few_sessions_in_all_are_said_to_be_weak_evidence(activity: Activity) -> None:
    bob = figures.durations_finding(activity.summarise(Selection("bob")))
    assert bob.startswith(
        "bob's sessions last 30 s on average (n = 2, weak evidence), 0.9 × everyone's"
    )


def test_a_user_named_like_a_placeholder_stays_text() -> None:
    rows: list[Row] = [("%{x}", "%{y}", 5, "2024-01-01")]
    summary = Activity(table(rows)).summarise(Selection("%{x}"))
    for build in (figures.user_average, figures.durations):
        templates = [trace.get("hovertemplate", "") for trace in build(summary)["data"]]
        assert not any("%{x}" in template for template in templates)
        assert any("&#37;{x}: " in template for template in templates)


def test_words_speak_of_the_bars_that_are_there() -> None:
    sure: list[Row] = [("u", f"p{i % 15}", 50, "2024-01-01") for i in range(75)]
    rare: list[Row] = [("u", f"rare{i}", 1, "2024-01-01") for i in range(5)]
    others: list[Row] = [("v", f"rare{i}", 99, "2024-01-01") for i in range(5)]
    summary = Activity(table([*sure, *rare, *others])).summarise(Selection("u"))
    user, _ = drawn(figures.user_average, summary).data
    assert min(user.marker.opacity) == 1
    assert figures.user_average_finding(summary) == (
        "u spends 1.0 × everyone's average on p0 (n = 5)."
    )
    summary = Activity(table([*sure[:60], *rare, *others])).summarise(Selection("u"))
    assert figures.user_average_finding(summary) == (
        "u spends 0.02 × everyone's average on 5 other pages (n = 5). "
        "Faint bars: fewer than 5 known durations, so weak evidence."
    )


def test_zeros_start_at_the_left() -> None:
    rows: list[Row] = [("u", "p", 0, "2024-01-01")]
    summary = Activity(table(rows)).summarise(Selection("u"))
    for build in (figures.total_time, figures.user_average):
        assert list(drawn(build, summary).layout.xaxis.range) == [0, 1]


def test_only_what_differs_is_a_new_revision(activity: Activity) -> None:
    ann, bob = (activity.summarise(Selection(user)) for user in ("ann", "bob"))
    total = drawn(figures.total_time, ann)
    assert (
        drawn(figures.total_time, bob).layout.datarevision == total.layout.datarevision
    )
    for build in (figures.user_average, figures.durations):
        revisions = [build(s)["layout"]["datarevision"] for s in (ann, bob, ann)]
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
