"""Shiny for Python: three charts that stay, one of which is updated in place."""

import sys
from typing import Any

import plotly.graph_objects as go
import uvicorn
from shiny import App, Inputs, reactive, ui
from shinywidgets import output_widget, render_plotly

from benchmarks.peers.answers import answers


def widget(title: str, x: list[Any], y: list[Any], unit: str) -> go.FigureWidget:
    chart = go.FigureWidget(go.Bar(x=x, y=y))
    chart.update_layout(template="none", title=title, yaxis_title=unit, height=450)
    return chart


def create_app() -> App:
    known = answers()
    page = ui.page_fluid(
        ui.h1("User activity"),
        ui.input_selectize("user", "User", known.users),
        output_widget("total_time"),
        output_widget("user_average"),
        output_widget("durations"),
    )

    def server(input: Inputs) -> None:  # noqa: A002
        @render_plotly
        def total_time() -> go.FigureWidget:
            return widget("Total time per page", known.pages, known.total, "hours")

        @render_plotly
        def user_average() -> go.FigureWidget:
            first = known.average[known.users[0]]
            return widget("Average duration", known.pages, first, "seconds")

        @render_plotly
        def durations() -> go.FigureWidget:
            return widget("Durations", known.starts, known.durations, "sessions")

        @reactive.effect
        @reactive.event(input.user, ignore_init=True)
        def show() -> None:
            chart = user_average.widget
            with chart.batch_update():
                chart.data[0].y = known.average[input.user()]

    return App(page, server)


def main() -> None:
    port = int(sys.argv[1])
    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main()
