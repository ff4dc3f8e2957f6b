"""Dash that sends the least: the one chart that a user changes, and its bars alone."""

import sys
from typing import Any, Final

import waitress
from dash import Dash, Input, Output, Patch, dcc, html

from benchmarks.peers.answers import answers
from benchmarks.peers.dash_tuned import figure

CHART: Final = "user-average"


def create_app() -> Dash:
    known = answers()
    app = Dash(__name__, compress=False, use_async=False, update_title="")
    first = known.users[0]
    figures = {
        "total-time": figure("Total time per page", known.pages, known.total, "hours"),
        CHART: figure("Average duration", known.pages, known.average[first], "seconds"),
        "durations": figure("Durations", known.starts, known.durations, "sessions"),
    }
    app.layout = html.Div(
        [
            html.H1("User activity"),
            dcc.Dropdown(known.users, first, id="user", clearable=False),
            *(
                dcc.Graph(id=chart, figure=drawn, config={"displayModeBar": False})
                for chart, drawn in figures.items()
            ),
        ]
    )

    @app.callback(
        Output(CHART, "figure"), Input("user", "value"), prevent_initial_call=True
    )
    def show(user: str) -> Any:
        patch = Patch()
        patch["data"][0]["y"] = known.average[user]
        return patch

    return app


def main() -> None:
    server, port = create_app().server, int(sys.argv[1])
    waitress.serve(server, host="127.0.0.1", port=port, threads=8, _quiet=True)


if __name__ == "__main__":
    main()
