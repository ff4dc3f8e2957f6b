import re
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts import CHARTS
from charts.figure import (
    EVERYONE_COLOR,
    MARGIN,
    UNPICKED_COLOR,
    USER_COLOR,
    duration_ticks,
    duration_unit,
    empty,
    figure,
    highlight,
    picks_names,
    picks_range,
    revision,
    rounded,
    step_line,
    user_label,
    value_axis,
)
from engine.memory import MemoryEngine
from tests.building import view_of
from tests.charts.drawing import built

ROOT = Path(__file__).parents[2]


def test_a_figure_has_a_legend_where_there_are_several_traces() -> None:
    one = figure([{"type": "bar"}], {"margin": MARGIN})
    assert "legend" not in one["layout"]
    assert one["layout"]["margin"] == MARGIN
    assert figure([{"type": "bar"}] * 2, {})["layout"]["legend"]["orientation"] == "h"


def test_a_revision_changes_with_anything_in_the_figure() -> None:
    first = figure([{"type": "bar", "y": [1]}], {})
    assert revision(first) == revision(figure([{"type": "bar", "y": [1]}], {}))
    assert revision(first) == first["layout"]["selectionrevision"]
    others = [
        figure([{"type": "bar", "y": [2]}], {}),
        figure([{"type": "bar", "y": [1]}], {"bargap": 0}),
        figure([], {}),
    ]
    assert len({revision(other) for other in [first, *others]}) == 4


def test_an_empty_figure_is_nothing_but_words() -> None:
    checked = go.Figure(empty("Nothing"))
    assert not checked.data
    (note,) = checked.layout.annotations
    assert (note.text, note.showarrow, note.font.size) == ("Nothing", False, 14)
    assert checked.layout.xaxis.visible is checked.layout.yaxis.visible is False


def test_only_what_differs_is_a_new_revision(engine: MemoryEngine) -> None:
    for chart in CHARTS:
        revisions = [
            revision(built(chart, engine, view_of(user)))
            for user in ("ann", "bob", "ann")
        ]
        # The total time is everyone's, whoever is picked.
        assert (revisions[0] == revisions[1]) == (not chart.compares_user)
        assert revisions[0] == revisions[2]


def test_what_bars_pick() -> None:
    assert picks_names("page", ("a", "b"))["meta"]["names"] == ["a", "b"]
    labels = ("a", "b&lt;", "c")
    assert picks_names("page", ("a", "b<", None), labels=labels) == {
        "meta": {"key": "page", "names": [0, "b<", None]},
        "dragmode": False,
    }
    edges = picks_range(("min", "max"), [0, 1, None])
    assert edges["meta"] == {"keys": ["min", "max"], "edges": [0, 1, None]}
    end = picks_range(("from", "to"), "2024-01-01")
    assert end["meta"] == {"keys": ["from", "to"], "end": "2024-01-01"}
    for layout in (edges, end):
        assert layout["dragmode"] == "select"
        assert layout["selectdirection"] == "h"
        # The rectangle of the drag is forgotten.
        assert layout["selections"] == []


def test_bars_that_are_not_picked_are_grey() -> None:
    assert highlight(None) == {}
    assert highlight([True, False, True])["selectedpoints"] == [0, 2]
    none = highlight([False, False])
    assert none["selectedpoints"] == []
    assert none["unselected"]["marker"] == {"color": UNPICKED_COLOR, "opacity": 1}


def test_a_users_line_is_in_steps_and_in_their_colour() -> None:
    line = go.Figure([step_line("ann")]).data[0]
    assert (line.name, line.line.shape, line.line.color) == ("ann", "hv", USER_COLOR)
    assert (line.mode, line.line.width) == ("lines", 2)
    assert line.hoverinfo == "skip"


def test_an_upward_axis_begins_at_zero_and_stays() -> None:
    axis = value_axis("Sessions")
    assert axis["title"] == {"text": "Sessions"}
    assert (axis["rangemode"], axis["fixedrange"]) == ("tozero", True)


def test_labels_of_users_are_short_and_text() -> None:
    assert user_label(view_of("ann")) == "ann"
    assert user_label(view_of("<b>%{x}")) == "&lt;b&gt;&#37;{x}"
    assert user_label(view_of("everyone")) == "user “everyone”"
    assert len(user_label(view_of("x" * 300))) == 36


@pytest.mark.parametrize(
    ("longest", "unit"),
    [
        *((0, (1, "seconds")), (180, (1, "seconds")), (180.1, (60, "minutes"))),
        *((10_800, (60, "minutes")), (10_800.1, (3600, "hours"))),
    ],
)
def test_units_of_an_axis(longest: float, unit: tuple[float, str]) -> None:
    assert duration_unit(longest) == unit


@pytest.mark.parametrize(
    ("longest", "texts"),
    [
        (0.0004, "0"),
        (0.3, "0, 0.1 s, 0.2 s, 0.3 s"),
        (1, "0, 0.5 s, 1 s"),
        (9, "0, 2 s, 4 s, 6 s, 8 s"),
        (60, "0, 20 s, 40 s, 60 s"),
        (180, "0, 1 min, 2 min, 3 min"),
        (299, "0, 1 min, 2 min, 3 min, 4 min"),
        (7_199, "0, 30 min, 60 min, 90 min"),
        (10_800, "0, 1 h, 2 h, 3 h"),
        (400_000, "0, 50 h, 100 h"),
        (1e7, "0, 1,000 h, 2,000 h"),
    ],
)
def test_ticks_of_durations(longest: float, texts: str) -> None:
    ticks = duration_ticks(longest)
    assert ticks["ticktext"] == re.split("(?<!,), ", texts)
    assert ticks["tickvals"][0] == 0
    assert ticks["tickvals"] == sorted(ticks["tickvals"])
    assert ticks["tickvals"][-1] <= longest


@given(st.floats(0.001, 1e12), st.integers(1, 9))
def test_there_are_as_many_ticks_as_there_is_room_for(
    longest: float, most: int
) -> None:
    values, texts = duration_ticks(longest, most).values()
    assert len(values) == len(texts) == len(set(texts))
    # One at least, and where it would be none, less than three.
    assert 2 <= len(values) <= max(most, 2) + 1
    assert values[-1] <= longest * (1 + 1e-9)
    assert all("e" not in text for text in texts)


def test_values_are_rounded_to_what_a_chart_shows() -> None:
    values = rounded(np.array([0, 1, 12_345, 1 / 3, 1234.56, 0.00012345, np.nan]))
    assert values == [0, 1, 12_345, 0.333, 1230, 0.000123, None]
    assert [type(value) for value in values[:4]] == [int, int, int, float]


def product_files() -> list[Path]:
    folders = [ROOT, ROOT / "charts", ROOT / "engine", ROOT / "sources"]
    code = [path for folder in folders for path in folder.glob("*.py")]
    return [*code, *(ROOT / "assets").iterdir()]


def test_a_colour_stands_in_one_place() -> None:
    home = ROOT / "charts" / "figure.py"
    colors = re.findall(r"#[0-9a-fA-F]{6}\b", home.read_text())
    assert {EVERYONE_COLOR, USER_COLOR} <= set(colors)
    forms = [color.lower() for color in colors]
    for color in colors:
        numbers = [str(int(color[i : i + 2], 16)) for i in (1, 3, 5)]
        forms += [", ".join(numbers), " ".join(numbers), ",".join(numbers)]
    forms.append(UNPICKED_COLOR)
    assert len(product_files()) > 20
    for path in product_files():
        if path != home:
            text = path.read_text().lower()
            assert [form for form in forms if form in text] == [], path
