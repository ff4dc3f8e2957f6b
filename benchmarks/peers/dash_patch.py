"""Dash that sends the least: the one chart that a user changes, and its bars alone."""

from typing import Any, Final

from dash import Dash, Input, Output, Patch

from benchmarks.peers.answers import answers
from benchmarks.peers.dash_tuned import figure, layout, serve

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
    app.layout = layout(known.users, figures)

    @app.callback(
        Output(CHART, "figure"), Input("user", "value"), prevent_initial_call=True
    )
    def show(user: str) -> Any:
        patch = Patch()
        patch["data"][0]["y"] = known.average[user]
        return patch

    return app


if __name__ == "__main__":
    serve(create_app())
