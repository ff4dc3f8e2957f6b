import ast
import json
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any, get_args

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

import callbacks
import ids
import view as views
from charts import CHARTS
from charts.chart import Chart, Shown
from engine.model import Selection, Summary
from tests.building import MARCH, engine_of, view_of
from tests.charts.drawing import built, drawn, said, shown
from tests.examples import examples
from tests.sessions import ROWS, Row
from tests.strategies import rows_lists
from tests.view_strategies import selections_of, views_of
from view import View

FOLDER = Path(__file__).parents[2] / "charts"
BY_ID = {chart.id: chart for chart in CHARTS}


def test_charts_stand_in_the_order_of_the_page() -> None:
    assert [(chart.id, chart.title) for chart in CHARTS] == [
        ("total-time", "Total Time per Page"),
        ("user-average", "Average Session Duration by Page"),
        ("durations", "Session Duration Distribution"),
        ("hours", "Sessions by Weekday and Hour"),
        ("timeline", "Sessions over Time"),
    ]


def test_headings_say_what_is_counted() -> None:
    engine = engine_of(ROWS)
    view = view_of(statistic="p90", timeline="time")
    assert [chart.heading(shown(chart, engine, view)) for chart in CHARTS] == [
        "Total Time per Page",
        "P90 Session Duration by Page",
        "Session Duration Distribution",
        "Sessions by Weekday and Hour",
        "Time per Week",
    ]


OWN: dict[str, dict[str, Any]] = {
    "total-time": {"pages": ()},
    "user-average": {"pages": ()},
    "durations": {"shortest": None, "longest": None},
    "timeline": {"start": None, "end": None},
    "hours": {},
}


@examples(30)
@given(rows_lists, st.data())
def test_a_chart_is_not_filtered_by_itself(
    rows: list[Row], data: st.DataObject
) -> None:
    picked = data.draw(selections_of(engine_of(rows)))
    for name, none in OWN.items():
        assert BY_ID[name].unfiltered(picked) == replace(picked, **none)
        assert set(BY_ID[name].own_filter) == set(none)


def test_a_chart_picks_its_own_filter_and_nothing_else() -> None:
    keys = {
        "pages": "page",
        "shortest": "min",
        "longest": "max",
        "start": "from",
        "end": "to",
    }
    for chart in CHARTS:
        meta = built(chart, engine_of(ROWS), View())["layout"].get("meta", {})
        picks = meta.get("keys") or ([meta["key"]] if meta else [])
        assert picks == [keys[name] for name in chart.own_filter]


def test_switches_set_a_field_of_the_view() -> None:
    switches = {chart.id: chart.switch for chart in CHARTS if chart.switch is not None}
    assert {name: switch.field for name, switch in switches.items()} == {
        "user-average": "order",
        "durations": "scale",
        "timeline": "timeline",
    }
    assert list(switches["user-average"].options) == list(get_args(views.Order))
    assert list(switches["durations"].options) == list(get_args(views.Scale))
    assert list(switches["timeline"].options) == list(get_args(views.Measure))
    for switch in switches.values():
        assert switch.field in {field.name for field in fields(View)}
        # What is set first is the default.
        assert next(iter(switch.options)) == getattr(View(), switch.field)


def test_a_chart_with_a_colour_scale_says_what_it_stands_for() -> None:
    for chart in CHARTS:
        words = chart.darkest(shown(chart, engine_of(ROWS), View()))
        assert bool(words) == chart.has_color_scale


def test_only_a_zoomable_chart_keeps_a_zoom() -> None:
    for chart in CHARTS:
        layout = built(chart, engine_of(ROWS), View())["layout"]
        assert ("uirevision" in layout) == chart.zoomable
        assert layout["xaxis"].get("fixedrange", False) != chart.zoomable


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found


def test_no_chart_knows_another_one() -> None:
    shared = {"chart", "figure", "sentences", "rows", "folders", "chance"}
    shared |= {"section", "sides", "compare_figures"}
    modules = {
        path.stem: path for path in FOLDER.glob("*.py") if path.stem != "__init__"
    }
    assert set(modules) > {*shared, "pages", "durations", "timeline", "hours", "tiles"}
    for path in modules.values():
        known = {
            name.split(".")[1] for name in imports(path) if name.startswith("charts.")
        }
        assert known & set(modules) <= shared, path


def test_charts_know_neither_dash_nor_how_sessions_are_held() -> None:
    for path in FOLDER.glob("*.py"):
        for name in imports(path):
            first, *rest = name.split(".")
            assert first not in (
                "dash",
                "flask",
                "layout",
                "callbacks",
                "sources",
                "ids",
            )
            assert first != "engine" or rest[0] == "model", path


# What holds for all figures, tables and sentences.


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_text_from_data_is_text(chart: Chart) -> None:
    engine = engine_of([("<i>u</i>", "<b>x</b>", 5, "2024-01-01")])
    figure = built(chart, engine, view_of("<i>u</i>"))
    # What a click asks for is the name itself; it isn't shown.
    figure["layout"].pop("meta", None)
    text = json.dumps(figure)
    assert "<i>" not in text
    assert "<b>x" not in text
    if chart.id == "total-time":
        assert figure["layout"]["yaxis"]["ticktext"] == ["&lt;b&gt;x&lt;/b&gt;"]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_nothing_selected_is_drawn_in_words(chart: Chart) -> None:
    view = view_of("ann", shortest=150)
    nothing = engine_of(ROWS).summarise(view.selection)
    figure = go.Figure(chart.figure(Shown(view, nothing, nothing)))
    assert not figure.data
    (note,) = figure.layout.annotations
    assert note.text.startswith("No sessions ")


def test_each_chart_says_that_nothing_is_there() -> None:
    may = {"start": date(2024, 5, 1), "end": date(2024, 6, 1)}
    assert {chart.id: said(chart, ROWS, view_of("cy", **may)) for chart in CHARTS} == {
        "total-time": "No time is known.",
        "user-average": "No sessions of cy match.",
        "durations": "No duration is known.",
        "timeline": "cy: none in May 2024; 3 in the rest of the year.",
        "hours": "No sessions of cy match.",
    }


# A user may be named like the page's own words.


def named(name: str) -> list[Row]:
    """The sessions of everyone, of whom the first has this name."""
    return [(name if row[0] == "ann" else row[0], *row[1:]) for row in ROWS]


def texts_of(name: str, view: View) -> dict[str, Any]:
    """All that is written or drawn of a view of this user."""
    engine = engine_of(named(name))
    drawn_ = callbacks.redraw(engine, view)
    for figure in drawn_.figures.values():
        del figure["layout"]["datarevision"], figure["layout"]["selectionrevision"]
    users = callbacks.list_users(engine, view)
    page = drawn_.page
    return {
        "figures": json.dumps(drawn_.figures, ensure_ascii=False),
        "text": json.dumps({**page["text"], **users["text"]}, ensure_ascii=False),
        "tables": json.dumps(page["tables"]),
        "caption": page["caption"],
    }


@pytest.mark.parametrize("name", ["everyone", "Everyone", "EVERYONE", "average user"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"statistic": "median", "timeline": "time", "scale": "log"},
        {"statistic": "p90", **MARCH},
        {"pages": ("help",)},
        {"pages": ("home",), "longest": 40},
    ],
)
def test_nobody_is_taken_for_everyone(name: str, how: dict[str, Any]) -> None:
    tables = tuple(BY_ID)
    somebody = texts_of("zed", view_of("zed", tables=tables, **how))
    them = texts_of(name, view_of(name, tables=tables, **how))
    for part, text in somebody.items():
        assert them[part] == text.replace("zed", f"user “{name}”")
    # Everyone's own words are as they always were.
    everyone = view_of(tables=tables, **how)
    assert texts_of(name, everyone) == texts_of("zed", everyone)


def test_traces_have_names_of_their_own() -> None:
    engine = engine_of(named("everyone"))
    names = {
        chart.id: [
            trace.name for trace in drawn(chart, engine, view_of("everyone")).data
        ]
        for chart in CHARTS
    }
    assert names == {
        "total-time": ["everyone", None],
        "user-average": ["user “everyone”", "everyone", None],
        "durations": ["everyone", "user “everyone”", None],
        "timeline": ["everyone", "user “everyone”"],
        "hours": [None],
    }


@examples(80)
@given(rows_lists, st.data())
def test_tables_come_to_what_the_summary_says(
    rows: list[Row], data: st.DataObject
) -> None:
    engine = engine_of(rows)
    # A search, or a folder, has only some of the pages.
    view = replace(data.draw(views_of(engine)), match="", folder=None)
    frames: dict[str, Any] = {}
    summaries: dict[str, Summary] = {}
    for chart in CHARTS:
        chart_shown = shown(chart, engine, view)
        frames[chart.id] = chart.numbers(chart_shown)
        summaries[chart.id] = chart_shown.summary
    for name in ("durations", "hours", "user-average"):
        summary = summaries[name]
        for who, tally in (("user", summary.user), ("everyone", summary.everyone)):
            if tally is None:
                assert not any(column.startswith(who) for column in list(frames[name]))
                continue
            column = f"{who}: sessions"
            wanted = tally.known.sum()
            if name == "hours":
                wanted = tally.sessions.sum()
            if name == "user-average":
                column += " of known duration"
                assert frames[name][column].sum() <= wanted
                if who == "everyone" and summary.user is not None:
                    continue
            assert frames[name][column].sum() == wanted
    everyone = summaries["total-time"].everyone
    frame = frames["total-time"]
    assert frame["sessions"].sum() == everyone.sessions.sum()
    assert frame["of unknown duration"].sum() == everyone.unknown.sum()
    assert frame["time (s)"].sum() == pytest.approx(everyone.seconds.sum(), abs=1e-6)
    summary, frame = summaries["timeline"], frames["timeline"]
    of_sessions = view.timeline == "sessions"
    unit = "sessions" if of_sessions else "time (s)"
    tally = summary.everyone
    whole = pytest.approx((tally.sessions if of_sessions else tally.seconds).sum())
    assert frame[f"everyone: {unit}"].sum() == whole
    if summary.user is not None:
        theirs = summary.user.sessions if of_sessions else summary.user.seconds
        assert frame[f"user: {unit}"].sum() == pytest.approx(theirs.sum())


def test_parts_of_a_chart_have_ids_of_their_own() -> None:
    parts = (ids.section, ids.heading, ids.finding, ids.details, ids.table)
    names = [part(chart.id) for chart in CHARTS for part in (*parts, ids.darkest)]
    names += [ids.tile(tile, part) for tile in ("a", "b") for part in ("label", "rank")]
    assert len(names) == len(set(names))


def test_the_picked_are_among_all_for_a_chart_with_a_filter() -> None:
    engine = engine_of(ROWS)
    selection = Selection("ann", pages=("cart",), shortest=10, **MARCH)
    for chart in CHARTS:
        unfiltered = chart.unfiltered(selection)
        all_, picked = (
            engine.summarise(found).everyone.sessions.sum()
            for found in (unfiltered, selection)
        )
        assert all_ >= picked
        assert (all_ > picked) == (chart.id != "hours")
