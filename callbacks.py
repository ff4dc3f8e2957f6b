"""The controls to a Selection, a Selection to the page."""

import logging
from typing import NamedTuple

from dash import Dash, Input, Output, set_props
from werkzeug.exceptions import BadRequest, HTTPException

import figures
import ids
import layout
from activity import Activity, NotInData, Selection

_log = logging.getLogger(__name__)


class Redrawn(NamedTuple):
    """Everything on the page that depends on the selection."""

    total_time: figures.Figure
    user_average: figures.Figure
    durations: figures.Figure
    total_time_finding: str
    user_average_finding: str
    durations_finding: str
    problem: str = ""


def redraw(activity: Activity, selection: Selection) -> Redrawn:
    """The page for a selection; raises NotInData as ``Activity.summarise`` does."""
    summary = activity.summarise(selection)
    return Redrawn(
        figures.total_time(summary),
        figures.user_average(summary),
        figures.durations(summary),
        figures.total_time_finding(summary),
        figures.user_average_finding(summary),
        figures.durations_finding(summary),
    )


def register(app: Dash, activity: Activity) -> None:
    """Connect the components of ``layout.build_layout`` with *activity*."""

    @app.callback(
        *(Output(chart, "figure") for chart in ids.CHARTS),
        *(Output(ids.finding(chart), "children") for chart in ids.CHARTS),
        Output(ids.PROBLEM, "children"),
        Input(ids.USER, "value"),
    )
    def show(user: object) -> Redrawn:
        try:
            return redraw(activity, Selection(user=_text(user)))
        except NotInData as error:
            raise BadRequest(str(error)) from error

    if layout.searches_on_server(activity):

        @app.callback(
            Output(ids.USER, "options"),
            Input(ids.USER, "search_value"),
            # Also when another way than the list picks a user who isn't in it.
            Input(ids.USER, "value"),
            prevent_initial_call=True,
        )
        def search(text: object, user: object) -> list[str]:
            return layout.user_options(activity, _text(text) or "", _text(user))


def report(error: Exception) -> None:
    """Tell an unexpected failure in one line on the page, and in the log in full.

    What the request is to blame for goes on to the server as the 4xx that it is.
    """
    if isinstance(error, HTTPException):
        raise error
    _log.error("a callback failed", exc_info=error)
    words = "Something went wrong, and this pick was not drawn. Please try another."
    set_props(ids.PROBLEM, {"children": words})


def _text(value: object) -> str | None:
    if value is None:
        return None
    # JSON may hold halves of characters, which are no text.
    if isinstance(value, str) and value == value.encode(errors="ignore").decode():
        return value
    raise BadRequest(f"text was expected, not {value!a:.80}")
