"""What a chart makes of a view, as ``callbacks.redraw`` would have it."""

import re
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from charts.chart import Chart, Shown
from charts.figure import Figure, empty
from engine.model import Engine
from tests.building import engine_of
from tests.sessions import Row
from view import View


def shown(chart: Chart, engine: Engine, view: View) -> Shown:
    """What a chart is drawn from."""
    unfiltered = engine.summarise(chart.unfiltered(view.selection))
    return Shown(view, unfiltered, engine.summarise(view.selection))


def built(chart: Chart, engine: Engine, view: View) -> Figure:
    """A chart's figure."""
    return chart.figure(shown(chart, engine, view))


def layout_of(chart: Chart, engine: Engine, view: View) -> dict[str, Any]:
    """A figure's layout, without what all charts share and what numbers it."""
    layout = built(chart, engine, view)["layout"]
    shared = empty("")["layout"].keys() - {"xaxis", "yaxis", "annotations"}
    return {key: layout[key] for key in layout.keys() - shared}


def drawn(chart: Chart, engine: Engine, view: View) -> go.Figure:
    """A chart's figure as Plotly's class, which refuses what Plotly.js doesn't know."""
    return go.Figure(built(chart, engine, view))


def said(chart: Chart, rows: Sequence[Row], view: View) -> str:
    """A chart's sentence about some rows."""
    return chart.sentence(shown(chart, engine_of(rows), view))


def hovers(figure: go.Figure) -> list[str]:
    """What Plotly shows over each bar of a figure's last bar trace."""
    bars = next(t for t in reversed(figure.data) if isinstance(t, go.Bar))
    across = bars.orientation is None
    values = bars.y if across else bars.x
    n = len(values)
    xs = bars.x if across and bars.x is not None else [None] * n
    rows = [None] * n if bars.customdata is None else list(bars.customdata)
    texts = []
    for x, value, row in zip(xs, values, rows, strict=True):
        if bars.customdata is not None and row is None:
            continue

        def filled(
            place: re.Match[str], x: Any = x, y: Any = value, row: Any = row
        ) -> str:
            name, form = place.groups()
            if name == "x":
                return f"{x}"
            cell = y if name == "y" else row[int(name.split("[")[1][:-1])]
            return f"{cell:{(form or '').lstrip(':').replace('~r', 'g')}}"

        texts.append(
            re.sub(
                r"%\{([xy]|customdata\[\d+\])([:|][^}]*)?\}", filled, bars.hovertemplate
            )
        )
    return texts


def picked_bars(figure: go.Figure, trace: int = 0) -> list[int] | None:
    """The bars that are not grey; None where none is."""
    points = figure.data[trace].selectedpoints
    return None if points is None else list(points)
