"""Dash tuned the usual way: one callback that looks numbers up, and plain figures.

No template, bars that are counted beforehand, JSON by orjson, nothing compressed.
"""

import sys
from collections.abc import Mapping
from typing import Any

import waitress
from dash import Dash, Input, Output, dcc, html

from benchmarks.peers.answers import answers


def figure(title: str, x: list[Any], y: list[Any], unit: str) -> dict[str, Any]:
    """A bar chart as Plotly.js takes it."""
    return {
        "data": [{"type": "bar", "x": x, "y": y}],
        "layout": {
            "title": {"text": title},
            "yaxis": {"title": {"text": unit}},
            "margin": {"t": 60, "r": 20, "b": 60, "l": 60},
        },
    }


def layout(users: list[str], figures: Mapping[str, dict[str, Any]]) -> html.Div:
    """A dropdown of users, and charts by their ids."""
    return html.Div(
        [
            html.H1("User activity"),
            dcc.Dropdown(users, users[0], id="user", clearable=False),
            *(
                dcc.Graph(id=chart, figure=drawn, config={"displayModeBar": False})
                for chart, drawn in figures.items()
            ),
        ]
    )


def create_app() -> Dash:
    known = answers()
    app = Dash(__name__, compress=False, use_async=False, update_title="")
    charts = ("total-time", "user-average", "durations")
    app.layout = layout(known.users, {chart: {} for chart in charts})

    @app.callback([Output(chart, "figure") for chart in charts], Input("user", "value"))
    def show(user: str) -> list[dict[str, Any]]:
        return [
            figure("Total time per page", known.pages, known.total, "hours"),
            figure(
                f"Average duration of {user}",
                known.pages,
                known.average[user],
                "seconds",
            ),
            figure("Durations", known.starts, known.durations, "sessions"),
        ]

    return app


def serve(app: Dash) -> None:
    """Serve a page on the port that the command line names."""
    port = int(sys.argv[1])
    waitress.serve(app.server, host="127.0.0.1", port=port, threads=8, _quiet=True)


if __name__ == "__main__":
    serve(create_app())
