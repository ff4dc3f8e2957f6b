from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charts.chart import Chart
from charts.figure import EVERYONE_COLOR, UNPICKED_COLOR, USER_COLOR
from charts.pages import PageStatistics, TotalTime, UserAverage, page_rows, pool
from engine.memory import Counting, MemoryEngine
from engine.model import QUANTILES, Selection, Summary
from tests.building import engine_of, view_of
from tests.charts.drawing import drawn, hovers, layout_of, picked_bars, said, shown
from tests.sessions import ROWS, Row, table
from tests.strategies import rows_lists
from view import View

NAN = pytest.approx(float("nan"), nan_ok=True)
TOTAL, AVERAGE = TotalTime(), UserAverage()
FAINT = "Faint bars: few sessions, so this may be chance."


def summary_of(rows: Sequence[Row], user: str | None = None) -> Summary:
    return engine_of(rows).summarise(Selection(user))


def pages_of(n: int) -> list[Row]:
    """Pages p00, p01 and so on, on which a spends 1, 2, 3 s and so on."""
    return [("a", f"p{page:02}", page + 1, "2024-01-01") for page in range(n)]


def labels(figure: go.Figure) -> list[str]:
    return list(figure.layout.yaxis.ticktext)


def each_alone(summary: Summary, user: bool = False) -> PageStatistics:
    """Statistics with a row for each page."""
    tally = summary.subject if user else summary.everyone
    n_pages = len(summary.facts.pages)
    return pool(tally, np.arange(n_pages), n_pages)


# Rows.


def test_pages_stand_in_the_order_of_everyones_time(engine: MemoryEngine) -> None:
    summary = engine.summarise(Selection("bob"))
    rows = page_rows(summary, summary.subject)
    assert (rows.names, rows.n_named) == (["home", "cart", "help"], 3)
    assert rows.everyone.seconds.tolist() == [210, 105, 0]
    assert rows.everyone.sessions.tolist() == [7, 4, 1]
    assert rows.everyone.known.tolist() == [6, 3, 0]
    assert rows.user is not None
    assert rows.user.seconds.tolist() == [60, 0, 0]
    assert rows.user.unknown.tolist() == [0, 0, 1]
    assert rows.user.known.tolist() == [1, 1, 0]


def test_pages_without_sessions_have_no_row(engine: MemoryEngine) -> None:
    summary = engine.summarise(Selection("ann"))
    rows = page_rows(summary, summary.subject, picked=("help",))
    assert rows.names == ["home", "cart"]


def test_fifteen_pages_have_a_row_of_their_own_and_sixteen_have_not() -> None:
    fifteen, sixteen, twenty = (summary_of(pages_of(n)) for n in (15, 16, 20))
    rows = page_rows(fifteen, fifteen.everyone)
    assert rows.names == [f"p{page:02}" for page in range(14, -1, -1)]
    assert rows.n_named == 15
    rows = page_rows(sixteen, sixteen.everyone)
    assert rows.names[14:] == ["p01", "1 other page"]
    assert rows.everyone.seconds[14:].tolist() == [2, 1]
    rows = page_rows(twenty, twenty.everyone)
    assert (rows.names[-1], rows.n_named) == ("5 other pages", 15)
    assert rows.everyone.seconds[-1] == 1 + 2 + 3 + 4 + 5
    assert rows.user is None


def test_picked_pages_come_before_those_of_more_time() -> None:
    summary = summary_of(pages_of(20))
    rows = page_rows(summary, summary.everyone, ("p00", "p03"))
    assert rows.names[:13] == [f"p{page:02}" for page in range(19, 6, -1)]
    assert rows.names[13:] == ["p03", "p00", "5 other pages"]
    assert rows.everyone.seconds[-1] == 2 + 3 + 5 + 6 + 7


def test_a_users_pages_are_those_of_most_of_their_time() -> None:
    rows: list[Row] = [
        *[("a", f"p{page:02}", page, "2024-01-01") for page in range(17)],
        # Everyone's order is another.
        *[("b", f"p{page:02}", 100 * (20 - page), "2024-01-01") for page in range(17)],
    ]
    summary = summary_of(rows, "a")
    found = page_rows(summary, summary.subject)
    assert found.names == [f"p{page:02}" for page in range(2, 17)] + ["2 other pages"]


def test_pages_of_the_same_time_stand_in_the_order_of_names() -> None:
    rows: list[Row] = [("a", page, 1, "2024-01-01") for page in "dbca"]
    summary = summary_of(rows)
    assert page_rows(summary, summary.everyone).names == ["a", "b", "c", "d"]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(0, 9)),
        min_size=1,
        max_size=60,
    ),
    st.sets(st.integers(0, 30), max_size=15),
)
def test_rows_of_pages_are_all_the_sessions(
    sessions: list[tuple[str, int, int]], picked: set[int]
) -> None:
    rows: list[Row] = [(u, f"{p:02}", d, "2024-01-01") for u, p, d in sessions]
    chosen = tuple(f"{page:02}" for page in picked)
    summary = summary_of(rows, rows[0][0])
    found = page_rows(summary, summary.everyone, chosen)
    pages = summary.facts.pages
    assert found.everyone.sessions.sum() == len(rows)
    assert found.user is not None
    assert found.user.seconds.sum() == summary.subject.seconds.sum()
    assert found.n_named == min(len(pages), 15)
    assert set(chosen) & set(pages) <= set(found.names[: found.n_named])
    totals = found.everyone.seconds[: found.n_named].tolist()
    assert totals == sorted(totals, reverse=True)


# Statistics of pages, alone and together.


def test_statistics_of_a_page(engine: MemoryEngine) -> None:
    # Cart 0, 5, 100; help nothing known; home 10 to 60.
    alone = each_alone(engine.summarise(Selection()))
    assert alone.statistics["average"].tolist() == [35, NAN, 35]
    assert alone.statistics["median"].tolist() == [5, NAN, 35]
    assert alone.statistics["p90"].tolist() == [
        *(pytest.approx(81), NAN, pytest.approx(55))
    ]
    assert set(alone.statistics) == {"average", *QUANTILES}


def test_the_interval_is_that_of_students_t(engine: MemoryEngine) -> None:
    ann = each_alone(engine.summarise(Selection("ann")), user=True)
    # t(4 degrees of freedom, 0.975) = 2.776, standard deviation 250 ** 0.5.
    assert ann.margin[2] == pytest.approx(2.776 * (250 / 5) ** 0.5, rel=0.003)
    assert np.isnan(ann.margin[:2]).all()


@pytest.mark.parametrize(
    ("n", "t"),
    [(5, 2.7764), (6, 2.5706), (10, 2.2622), (31, 2.0423), (1_001, 1.9623)],
)
def test_the_interval_is_narrower_for_more_sessions(n: int, t: float) -> None:
    rows: list[Row] = [("a", "p", number, "2024-01-01") for number in range(n)]
    margin = each_alone(summary_of(rows)).margin[0]
    deviation = np.std(np.arange(n), ddof=1)
    assert margin == pytest.approx(t * deviation / n**0.5, rel=0.003)


@pytest.mark.parametrize(("n", "t"), [(5, 2.769373), (10, 2.261901)])
def test_the_interval_is_by_the_four_terms_of_a_series(n: int, t: float) -> None:
    # Abramowitz and Stegun, 26.7.5, with z = 1.959964.
    rows: list[Row] = [("a", "p", number, "2024-01-01") for number in range(n)]
    margin = each_alone(summary_of(rows)).margin[0]
    deviation = np.std(np.arange(n), ddof=1)
    assert margin == pytest.approx(t * deviation / n**0.5, rel=1e-6)
    # Of as many pages together, too.
    apart = summary_of([("a", f"p{row}", *row_[2:]) for row, row_ in enumerate(rows)])
    together = pool(apart.everyone, np.zeros(n, np.int64), 1)
    assert together.margin[0] == pytest.approx(margin)


def test_fewer_than_five_durations_have_no_interval(engine: MemoryEngine) -> None:
    assert np.isnan(
        each_alone(engine.summarise(Selection("cy")), user=True).margin
    ).all()
    rows: list[Row] = [("a", "p", n, "2024-01-01") for n in range(4)]
    unknown: Row = ("a", "p", None, "2024-01-01")
    assert np.isnan(each_alone(summary_of([*rows, unknown])).margin).all()
    assert not np.isnan(each_alone(summary_of([*rows, rows[0]])).margin).any()


@settings(deadline=None, max_examples=100)
@given(rows_lists, st.lists(st.integers(-1, 1), min_size=3, max_size=3))
def test_pooling_pages_is_renaming_them(rows: list[Row], groups: list[int]) -> None:
    summary = summary_of(rows)
    into = dict(zip(summary.facts.pages, groups, strict=False))
    row_of_page = np.array(list(into.values()))
    n_rows = int(row_of_page.max()) + 1
    pooled = pool(summary.everyone, row_of_page, n_rows)
    renamed: list[Row] = [
        (user, str(into[page]), duration, time)
        for user, page, duration, time in rows
        if into[page] >= 0
    ]
    for row in range(n_rows):
        durations = [d for _, page, d, _ in renamed if page == str(row)]
        known = np.array([d for d in durations if d is not None])
        assert pooled.sessions[row] == len(durations)
        assert pooled.known[row] == len(known)
        assert pooled.unknown[row] == len(durations) - len(known)
        # Sums are rounded to what the longest duration needs.
        assert pooled.seconds[row] == pytest.approx(known.sum(), rel=1e-9, abs=1e-6)
        mean = known.mean() if len(known) else np.nan
        assert pooled.statistics["average"][row] == pytest.approx(
            mean, nan_ok=True, rel=1e-9, abs=1e-6
        )
        alone = list(into.values()).count(row) == 1
        for name, share in QUANTILES.items():
            value = np.quantile(known, share) if alone and len(known) else np.nan
            assert pooled.statistics[name][row] == pytest.approx(value, nan_ok=True)
        if len(known) >= 5:
            t = {5: 2.7764, 6: 2.5706, 7: 2.4469, 8: 2.3646, 9: 2.3060}.get(len(known))
            deviation = np.std(known, ddof=1) / len(known) ** 0.5
            if t is not None:
                assert pooled.margin[row] == pytest.approx(
                    t * deviation, rel=0.004, abs=1e-3
                )
            assert pooled.margin[row] >= 1.95 * deviation - 1e-3
        else:
            assert np.isnan(pooled.margin[row])


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


def test_every_page_has_a_row_where_that_is_asked() -> None:
    engine = engine_of(pages_of(17))
    for chart in (TOTAL, AVERAGE):
        chart_shown = shown(chart, engine, View())
        assert len(chart.numbers(chart_shown)) == 16
        every = chart.numbers(chart_shown, every_row=True)
        assert every["page"].tolist() == [f"p{page:02}" for page in range(16, -1, -1)]


# Figures.


def test_total_time_is_everyones_with_the_largest_first(engine: MemoryEngine) -> None:
    figure = drawn(TOTAL, engine, view_of("ann"))
    (bars,) = figure.data
    assert list(bars.x) == [3.5, 1.75, 0]
    assert labels(figure) == ["home", "cart", "help"]
    # Downwards: the first row is on top.
    assert list(figure.layout.yaxis.range) == [3.5, -0.5]
    assert list(figure.layout.yaxis.tickvals) == [0, 1, 2]
    assert figure.layout.xaxis.title.text == "Total time (minutes)"
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
        "meta": {"key": "page", "names": ["home", "cart", "help"]},
        "dragmode": False,
        "hovermode": "y",
        "margin": {"l": 20 + 7 * 4, "r": 16, "t": 36, "b": 48},
        "xaxis": {
            "title": {"text": "Total time (minutes)"},
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
        assert [bars.marker.color for bars in data] == colors
        assert {bars.orientation for bars in data} == {"h"}
    assert data[-1].hoverinfo is None


def test_many_rows_are_as_high_as_they_need() -> None:
    for n, bottom in ((1, 3.5), (4, 3.5), (5, 4.5), (40, 15.5)):
        figure = drawn(TOTAL, engine_of(pages_of(n)), View())
        assert list(figure.layout.yaxis.range) == [bottom, -0.5]


def test_an_average_stands_beside_everyones(engine: MemoryEngine) -> None:
    figure = drawn(AVERAGE, engine, view_of("ann"))
    user, everyone = figure.data
    assert (user.name, everyone.name) == ("ann", "everyone")
    assert labels(figure) == ["home", "cart"]
    assert list(user.x) == [30, None]
    assert list(everyone.x) == [35, 35]
    assert figure.layout.xaxis.title.text == "Average (seconds)"
    assert user.hoverinfo == "skip"
    assert hovers(figure) == [
        "<b>home</b><br>ann: 30 s (5 sessions), 0.9 × everyone's<br>"
        "95 % interval 10 s to 50 s<br>everyone: 35 s (6 sessions)",
        "<b>cart</b><br>ann: unknown (1 session of unknown duration)<br>"
        "everyone: 35 s (3 sessions)",
    ]


def test_a_hover_says_what_is_unknown_and_what_is_few(engine: MemoryEngine) -> None:
    rows: list[Row] = [*ROWS, ("bob", "home", None, "2024-01-01")]
    few = drawn(AVERAGE, engine_of(rows), view_of("bob"))
    assert hovers(few)[:2] == [
        "<b>home</b><br>bob: 1 min (1 session), may be chance<br>"
        "1 of unknown duration<br>everyone: 35 s (6 sessions)",
        "<b>cart</b><br>bob: 0 s (1 session), may be chance<br>"
        "everyone: 35 s (3 sessions)",
    ]
    first: list[Row] = [
        ("v", "p", 100, "2024-01-01"),
        ("u", "p", None, "2024-01-01"),
        ("u", "q", 1, "2024-01-01"),
    ]
    assert hovers(drawn(AVERAGE, engine_of(first), view_of("u"))) == [
        "<b>p</b><br>u: unknown (1 session of unknown duration)<br>"
        "everyone: 1 min 40 s (1 session)",
        "<b>q</b><br>u: 1 s (1 session), may be chance<br>everyone: 1 s (1 session)",
    ]
    same = drawn(AVERAGE, engine_of(ROWS[:5]), view_of("ann"))
    assert "ann: 30 s (5 sessions), about the same as everyone's<br>" in hovers(same)[0]
    # There is no ratio to nothing, and no interval below it.
    zeros: list[Row] = [("z", "p", 0, "2024-01-01")] * 5
    assert hovers(drawn(AVERAGE, engine_of(zeros), view_of("z"))) == [
        "<b>p</b><br>z: 0 s (5 sessions)<br>95 % interval 0 s to 0 s<br>"
        "everyone: 0 s (5 sessions)"
    ]
    spread: list[Row] = [("s", "p", d, "2024-01-01") for d in (0, 0, 0, 0, 200)]
    figure = drawn(AVERAGE, engine_of(spread), view_of("s"))
    assert "95 % interval 0 s to 2 min 31 s" in hovers(figure)[0]


def test_bars_of_fewer_than_five_sessions_are_faint(engine: MemoryEngine) -> None:
    user, _ = drawn(AVERAGE, engine, view_of("bob")).data
    assert list(user.x) == [60, 0, None]
    assert max(user.marker.opacity) < 0.5
    for n, opacity in ((4, 0.4), (5, 1)):
        rows: list[Row] = [("u", "p", 1, "2024-01-01")] * n
        user, _ = drawn(AVERAGE, engine_of(rows), view_of("u")).data
        assert user.marker.opacity == (opacity,)


def test_faint_bars_are_spoken_of_only_where_there_are_some() -> None:
    sure: list[Row] = [("u", f"p{i % 15}", 50, "2024-01-01") for i in range(75)]
    rare: list[Row] = [("u", f"rare{i}", 1, "2024-01-01") for i in range(5)]
    others: list[Row] = [("v", f"rare{i}", 99, "2024-01-01") for i in range(5)]
    # The rare pages share a bar, which is of five sessions.
    rows = [*sure, *rare, *others]
    user, _ = drawn(AVERAGE, engine_of(rows), view_of("u")).data
    assert min(user.marker.opacity) == 1
    assert FAINT not in said(AVERAGE, rows, view_of("u"))
    rows = [*sure[:60], *rare, *others]
    user, _ = drawn(AVERAGE, engine_of(rows), view_of("u")).data
    assert min(user.marker.opacity) < 0.5
    assert said(AVERAGE, rows, view_of("u")).endswith(FAINT)


def test_without_a_user_everyone_stands_alone(engine: MemoryEngine) -> None:
    figure = drawn(AVERAGE, engine, View())
    (bars,) = figure.data
    assert list(bars.x) == [35, 35, None]
    assert hovers(figure)[0] == "<b>home</b><br>everyone: 35 s (6 sessions)"


def test_many_pages_share_one_bar() -> None:
    engine = engine_of([("u", f"p{i:02}", 10.0 + i, "2024-01-01") for i in range(40)])
    for chart in (TOTAL, AVERAGE):
        names = labels(drawn(chart, engine, view_of("u")))
        assert len(names) == 16
        assert names[:2] == ["p39", "p38"]
        assert names[-1] == "25 other pages"
    (bars,) = drawn(TOTAL, engine, view_of("u")).data
    everything = sum(10 + i for i in range(40))
    assert sum(bars.x) == pytest.approx(everything / 60, abs=1e-3)
    assert bars.x[-1] == pytest.approx(sum(10 + i for i in range(25)) / 60, abs=1e-4)
    average = drawn(AVERAGE, engine, view_of("u"))
    assert average.data[0].x[-1] == pytest.approx(10 + 24 / 2)
    assert "u: 22 s (25 sessions)" in hovers(average)[-1]
    # Medians can't be put together.
    bars = drawn(AVERAGE, engine, view_of("u", statistic="median")).data[0]
    assert bars.x[0] == 49
    assert bars.x[-1] is None


def test_one_page_more_than_fit_is_one_other_page() -> None:
    assert labels(drawn(TOTAL, engine_of(pages_of(16)), View()))[-1] == "1 other page"
    assert labels(drawn(TOTAL, engine_of(pages_of(15)), View()))[-1] == "p00"


def test_long_names_keep_their_beginning_and_end() -> None:
    page = "/shuttle/missions/sts-69/mission-sts-69.html" * 10
    figure = drawn(TOTAL, engine_of([("u", page, 5, "2024-01-01")]), View())
    assert labels(figure) == ["/shut…on-sts-69.html"]
    assert len(hovers(figure)[0]) < 150
    # As wide as the longest label needs.
    assert figure.layout.margin.l == 20 + 7 * 20


def test_zeros_start_at_the_left() -> None:
    rows: list[Row] = [("u", "p", 0, "2024-01-01")]
    for chart in (TOTAL, AVERAGE):
        figure = drawn(chart, engine_of(rows), view_of("u"))
        assert list(figure.layout.xaxis.range) == [0, 1]
        figure = drawn(chart, engine_of([*rows, *ROWS]), view_of("ann"))
        assert figure.layout.xaxis.range is None


@pytest.mark.parametrize(
    ("longest", "unit", "unit_seconds"),
    [
        *((180, "seconds", 1), (181, "minutes", 60)),
        *((10_800, "minutes", 60), (10_801, "hours", 3600)),
    ],
)
def test_units_follow_the_longest(
    longest: float, unit: str, unit_seconds: float
) -> None:
    rows: list[Row] = [*ROWS, ("u", "home", longest, "2024-01-01")]
    figure = drawn(AVERAGE, engine_of(rows), view_of("u"))
    assert figure.layout.xaxis.title.text == f"Average ({unit})"
    top = figure.data[0].x[0]
    assert top * unit_seconds == pytest.approx(longest, rel=1e-4)
    alone: list[Row] = [("u", "home", longest, "2024-01-01")]
    figure = drawn(TOTAL, engine_of(alone), View())
    assert figure.layout.xaxis.title.text == f"Total time ({unit})"


@pytest.mark.parametrize(
    ("statistic", "axis", "home"),
    [
        ("average", "Average (seconds)", 30.0),
        ("median", "Median (seconds)", 30.0),
        ("p90", "P90 (seconds)", 46.0),
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
    for trace in range(len(figure.data)):
        assert picked_bars(figure, trace) == [1]
    assert figure.data[0].unselected.marker.color == UNPICKED_COLOR
    assert picked_bars(drawn(chart, engine, view_of("ann"))) is None
    # What a click on a bar asks for.
    assert figure.layout.meta["key"] == "page"
    assert figure.layout.meta["names"][:2] == ["home", "cart"]
    assert figure.layout.dragmode is False


def test_a_picked_page_has_a_bar_among_many() -> None:
    engine = engine_of(pages_of(40))
    figure = drawn(TOTAL, engine, view_of("a", pages=("p03",)))
    assert labels(figure)[-2:] == ["p03", "25 other pages"]
    assert picked_bars(figure) == [14]
    # The others have no name, and pick nothing.
    assert len(figure.layout.meta["names"]) == 15


def test_a_page_may_be_named_like_the_others_together() -> None:
    rows: list[Row] = [*pages_of(20), ("a", "6 other pages", 99, "2024-01-01")]
    figure = drawn(TOTAL, engine_of(rows), view_of(pages=("6 other pages",)))
    assert labels(figure)[0] == labels(figure)[-1] == "6 other pages"
    assert picked_bars(figure) == [0]


def test_a_user_named_like_a_placeholder_stays_text() -> None:
    rows: list[Row] = [("%{x}", "%{y}", 5, "2024-01-01")]
    figure = drawn(AVERAGE, engine_of(rows), view_of("%{x}"))
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
    rows: list[Row] = [("a", "p", 19, "2024-01-01"), ("a", "q", 1, "2024-01-01")]
    assert total(rows, View()) == "20 s in total; 95 % on p."


def test_picked_pages_have_a_share_of_the_time() -> None:
    assert total(ROWS, view_of(pages=("home",))) == (
        "3 min 30 s on home: 67 % of 5 min 15 s in total."
    )
    assert total(ROWS, view_of(pages=("home", "cart", "help"))) == (
        "5 min 15 s on home, cart and help: 100 % of 5 min 15 s in total."
    )
    assert total(ROWS[:5], View()) == "2 min 30 s in total, all of it on home."


def test_a_share_is_all_or_nothing_only_where_it_is() -> None:
    rows: list[Row] = [
        ("a", "long", 1e6, "2024-01-01"),
        ("a", "short", 1, "2024-01-01"),
    ]
    assert total(rows, view_of(pages=("long",))).endswith(
        ": over 99.9 % of 277 h 47 min in total."
    )
    assert total(rows, view_of(pages=("short",))).endswith(
        ": under 0.1 % of 277 h 47 min in total."
    )


def test_time_that_is_nothing_or_unknown() -> None:
    zeros: list[Row] = [("b", "p", 0, "2024-01-01")] * 9
    assert total(zeros, View()) == "0 s in total."
    unknown: list[Row] = [("a", "p", None, "2024-01-01")]
    assert total(unknown, View()) == "No time is known."
    assert total(ROWS, view_of(pages=("help",))) == "No time on help is known."


@pytest.mark.parametrize(
    ("statistic", "text"),
    [
        ("average", "ann spends 0.9 × everyone's average on home (5 sessions)."),
        ("median", "ann spends 0.9 × everyone's median on home (5 sessions)."),
        ("p90", "ann spends 0.8 × everyone's P90 on home (5 sessions)."),
    ],
)
def test_a_user_beside_everyone(statistic: str, text: str) -> None:
    assert average(ROWS, view_of("ann", statistic=statistic)) == text


def test_without_a_user_one_is_to_be_picked() -> None:
    assert average(ROWS, View()) == "Pick a user to see them beside everyone."


COMPARED: list[Row] = [
    *[("user_7", "checkout", 14, "2024-01-01")] * 5,
    *[("user_7", "home", 6, "2024-01-01")] * 6,
    *[("other", "checkout", 6, "2024-01-01")] * 5,
    *[("other", "home", 14, "2024-01-01")] * 6,
    ("user_7", "help", 1000, "2024-01-01"),
]


def test_the_page_where_a_user_stays_longest_and_the_one_where_shortest() -> None:
    # On help there is only one session, which says little.
    assert average(COMPARED, view_of("user_7")) == (
        "user_7 spends 1.4 × everyone's average on checkout (5 sessions), "
        f"and 0.6 × on home (6 sessions). {FAINT}"
    )
    words = average(COMPARED, view_of("user_7", pages=("home",)))
    assert words.startswith(
        "user_7 spends 0.6 × everyone's average on home (6 sessions)."
    )


def test_only_the_most_is_said_where_a_user_stays_longer_everywhere() -> None:
    rows: list[Row] = [
        *[("a", page, seconds, "2024-01-01") for page in "pq" for seconds in [9] * 5],
        *[("b", "p", 3, "2024-01-01")] * 5,
        *[("b", "q", 6, "2024-01-01")] * 5,
    ]
    # 9 beside 6 on p, and beside 7.5 on q.
    assert average(rows, view_of("a")) == (
        "a spends 1.5 × everyone's average on p (5 sessions)."
    )
    # As long as everyone on r is not shorter.
    as_long: list[Row] = [("a", "r", 9, "2024-01-01")] * 5
    assert average([*rows, *as_long], view_of("a")) == (
        "a spends 1.5 × everyone's average on p (5 sessions)."
    )
    # 3 and 6 beside the same.
    assert average(rows, view_of("b")) == (
        "b spends 0.5 × everyone's average on p (5 sessions)."
    )


def test_a_user_who_stays_as_long_as_everyone() -> None:
    assert average(ROWS[:5], view_of("ann")) == (
        "ann spends about the same as everyone's average on home (5 sessions)."
    )


def test_a_page_says_more_than_the_others_together() -> None:
    named = [f"p{page:02}" for page in range(15)]
    rows: list[Row] = [
        *[("a", page, 10, "2024-01-01") for page in named for _ in range(5)],
        *[("a", page, 1, "2024-01-01") for page in "qr" for _ in range(5)],
        *[("b", page, 90, "2024-01-01") for page in "qr"],
        *[("b", "p00", 16, "2024-01-01")],
    ]
    # 10 beside 11 on p00, and beside 10 on all the others that are named.
    assert average(rows, view_of("a")) == (
        "a spends 0.9 × everyone's average on p00 (5 sessions)."
    )


def test_other_pages_speak_where_no_page_alone_can() -> None:
    rows: list[Row] = [
        *[("a", f"p{page:02}", 10, "2024-01-01") for page in range(21)],
        *[("b", f"p{page:02}", 20 + page, "2024-01-01") for page in range(21)],
    ]
    # Pages 15 to 20, of which everyone spent 10 and 35 to 40 s.
    ratio = "a spends 0.4 × everyone's average on 6 other pages (6 sessions)."
    assert average(rows, view_of("a")) == f"{ratio} {FAINT}"
    assert average(rows, view_of("a", statistic="median")) == (
        f"{FAINT} No bar for the 6 other pages: "
        "a median can't be made from several medians."
    )


def test_one_other_page_has_its_own_median() -> None:
    rows: list[Row] = [("a", f"p{page:02}", 1, "2024-01-01") for page in range(16)]
    words = average(rows, view_of(statistic="median"))
    assert words == "Pick a user to see them beside everyone."
    rows.append(("a", "p16", 1, "2024-01-01"))
    assert average(rows, view_of(statistic="p90")).endswith(
        " No bar for the 2 other pages: a P90 can't be made from several P90s."
    )


def test_there_is_no_ratio_to_nothing() -> None:
    rows: list[Row] = [
        *[("a", "p", 10, "2024-01-01")] * 5,
        *[("b", "p", 0, "2024-01-01")] * 9,
    ]
    assert average(rows, view_of("a", statistic="median")) == (
        "a's median on p is 10 s (5 sessions), everyone's 0 s."
    )
    assert average(rows[5:], view_of("b")) == (
        "b's average on p is 0 s (9 sessions), everyone's 0 s."
    )


def test_there_is_no_ratio_to_nothing_where_there_is_one_to_something() -> None:
    pages = [f"p{page:02}" for page in range(17)]
    rows: list[Row] = [
        *[("a", page, 0, "2024-01-01") for page in pages for _ in range(5)],
        *[("b", page, 10, "2024-01-01") for page in pages[15:]],
    ]
    # Everyone's average is 0 s on the pages that are named, and 20 / 12 on the others.
    assert average(rows, view_of("a")) == (
        "a spends 0 × everyone's average on 2 other pages (10 sessions)."
    )


def test_a_ratio_to_half_a_second_is_one_to_something() -> None:
    rows: list[Row] = [
        *[("a", "p", 0.5, "2024-01-01")] * 5,
        *[("a", "q", 10, "2024-01-01")] * 5,
        *[("b", "q", 0, "2024-01-01")] * 9,
    ]
    # Everyone's median on q is 0 s.
    assert average(rows, view_of("a", statistic="median")) == (
        "a spends about the same as everyone's median on p (5 sessions)."
    )


def test_a_faint_bar_of_nothing_is_spoken_of() -> None:
    assert average([("a", "p", 0, "2024-01-01")], view_of("a")) == FAINT


def test_nothing_of_enough_sessions_is_said_before_something_of_few() -> None:
    rows: list[Row] = [
        *[("a", "q", 0, "2024-01-01")] * 5,
        ("a", "p", 0, "2024-01-01"),
        ("b", "p", 10, "2024-01-01"),
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
    assert average(ROWS, view_of("bob")) == FAINT


def test_of_picked_pages_alone_is_said_how_long_a_user_stays() -> None:
    def picked(user: str, *pages: str) -> str:
        return average(ROWS, view_of(user, pages=pages))

    assert picked("bob", "home") == (
        "bob's average on home is 1 min (1 session, so this may be chance), "
        f"everyone's 35 s. {FAINT}"
    )
    assert picked("bob", "cart") == (
        "bob's average on cart is 0 s (1 session, so this may be chance), "
        f"everyone's 35 s. {FAINT}"
    )
    assert picked("ann", "cart") == "ann has no known duration on cart."
    assert picked("ann", "home") == (
        "ann spends 0.9 × everyone's average on home (5 sessions)."
    )
    # Of two, the one of more sessions.
    rows: list[Row] = [
        ("a", "p", 9, "2024-01-01"),
        *[("a", "q", 1, "2024-01-01")] * 2,
    ]
    assert average(rows, view_of("a", pages=("p", "q"))) == (
        "a's average on q is 1 s (2 sessions, so this may be chance), "
        f"everyone's 1 s. {FAINT}"
    )


def test_a_user_without_a_known_duration() -> None:
    rows: list[Row] = [("a", "p", None, "2024-01-01"), ("b", "p", 1, "2024-01-01")]
    assert average(rows, view_of("a")) == "a has no sessions of known duration."


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
