"""The controls and the address to a View, a View to the page."""

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final, NamedTuple, get_args

from dash import (
    ClientsideFunction,
    Dash,
    Input,
    Output,
    State,
    ctx,
    no_update,
    set_props,
)
from werkzeug.exceptions import BadRequest, HTTPException

import figures
import findings
import ids
import layout
import tables
import view as views
from activity import Activity, NotInData, Selection, Summary
from view import Measure, Scale, Statistic, View

_log = logging.getLogger(__name__)

Words = dict[str, Any]
Values = dict[tuple[str, str], Any]
"""What controls say: by the component's id and the property's name."""

# What a person sets. The address is the truth: where it changes, they follow it.
_CONTROLS: Final = (
    (ids.USER, "value"),
    (ids.PERIOD, "value"),
    (ids.DATES, "start_date"),
    (ids.DATES, "end_date"),
    (ids.PAGES, "value"),
    (ids.SHORTEST, "value"),
    (ids.LONGEST, "value"),
    (ids.STATISTIC, "value"),
    (ids.SCALE, "value"),
    (ids.MEASURE, "value"),
    (ids.FIND, "value"),
)


class Redrawn(NamedTuple):
    """The page for a view, the table of users and the ranks aside."""

    figures: dict[str, figures.Figure]
    """By chart."""
    words: Words
    """All other than figures, see ``write`` in assets/page.js."""


def redraw(activity: Activity, view: View) -> Redrawn:
    """The page for a view; raises NotInData as ``Activity.summarise`` does."""
    # Without a filter these are the same, and then counted once.
    answers: dict[Selection, Summary] = {}

    def summary(selection: Selection) -> Summary:
        if selection not in answers:
            answers[selection] = activity.summarise(selection)
        return answers[selection]

    within = summary(view.selection)
    summaries = {
        chart: summary(tables.unfiltered_by_itself(chart, view.selection))
        for chart in ids.CHARTS
    }
    of_pages, of_days = summaries[ids.TOTAL_TIME], summaries[ids.TIMELINE]
    of_bins = summaries[ids.DURATIONS]
    drawn = {
        ids.TOTAL_TIME: figures.total_time(of_pages, view),
        ids.USER_AVERAGE: figures.user_average(of_pages, view),
        ids.DURATIONS: figures.durations(of_bins, view),
        ids.TIMELINE: figures.timeline(of_days, view),
        ids.HOURS: figures.hours(within, view),
    }
    text = {
        ids.finding(ids.TOTAL_TIME): findings.total_time(of_pages, view),
        ids.finding(ids.USER_AVERAGE): findings.user_average(of_pages, view),
        ids.finding(ids.DURATIONS): findings.durations(of_bins, within, view),
        ids.finding(ids.TIMELINE): findings.timeline(of_days, within, view),
        ids.finding(ids.HOURS): findings.hours(within, view),
        ids.DARKEST: findings.darkest(within),
        ids.SESSIONS: layout.sessions_link(within),
    }
    for chart, counted in summaries.items():
        text[ids.heading(chart)] = tables.title(chart, counted, view)
    for name, tile in findings.tiles(within, view).items():
        for part, words in tile._asdict().items():
            text[ids.tile(name, part)] = words
    numbers = {
        chart: layout.numbers_table(tables.table(chart, summaries[chart], view))
        for chart in view.tables
    }
    return Redrawn(
        drawn,
        {
            "text": text,
            "tables": numbers,
            "chips": layout.chips(view),
            "address": views.address(view),
            "caption": findings.caption(view),
        },
    )


def list_users(activity: Activity, view: View) -> Words:
    """The table of users, and the places of the picked one among them."""
    numbers = activity.by_user(view.selection)
    shown = tables.users(activity, numbers, view)
    ranks = findings.ranks(activity, numbers, view)
    return {
        "text": {
            ids.finding(ids.USERS): findings.users(shown, view),
            **{ids.tile(tile, "rank"): rank for tile, rank in ranks.items()},
        },
        "users": layout.users_table(shown, view),
    }


def register(app: Dash, activity: Activity) -> None:
    """Connect the components of ``layout.build_layout`` with *activity*."""
    many_users = len(activity.users) > layout.MAX_OPTIONS
    many_pages = len(activity.pages) > layout.MAX_OPTIONS
    searched = [
        Output(name, "options")
        for name, many in ((ids.USER, many_users), (ids.PAGES, many_pages))
        if many
    ]

    @app.callback(
        output={
            "search": Output(ids.URL, "search"),
            # Before their values: one that is no option yet would be reset.
            "options": searched,
            "controls": [Output(*control) for control in _CONTROLS],
            "figures": [Output(chart, "figure") for chart in ids.CHARTS],
            "drawn": Output(ids.DRAWN, "data"),
            "words": Output(ids.WORDS, "data"),
            "problem": Output(ids.PROBLEM, "children"),
        },
        inputs={
            "search": Input(ids.URL, "search"),
            "values": [Input(*control) for control in _CONTROLS],
        },
        state={
            "drawn": State(ids.DRAWN, "data"),
            "zooms": [State(ids.zoom(chart), "data") for chart in ids.ZOOMED],
        },
    )
    def show(
        search: object, values: list[object], drawn: object, zooms: list[object]
    ) -> dict[str, Any]:
        # One callback for all ways to pick: what it sets itself doesn't start it again.
        query = _text(search) or ""
        shown, ignored = views.read(query, activity)
        controls = dict(zip(_CONTROLS, values, strict=True))
        before = drawn if isinstance(drawn, dict) else {}
        triggered = {cause["prop_id"] for cause in ctx.triggered}
        changed = {c for c in _CONTROLS if ".".join(c) in triggered}
        changed |= _pending(activity, before.get("address"), controls)
        if changed:
            shown, ignored = picked(activity, shown, controls, changed), []
            query = views.address(shown)
        try:
            redrawn = redraw(activity, shown)
        except NotInData as error:
            raise BadRequest(str(error)) from error
        words = f"Ignored in the address: {'; '.join(ignored)}." if ignored else ""
        redrawn.words["text"][ids.NOTICE] = words
        # The address that this answers: a pick that comes before is still to be seen.
        redrawn.words["asked"] = query
        new = {chart: figures.revision(redrawn.figures[chart]) for chart in ids.CHARTS}
        for chart, zoom in zip(ids.ZOOMED, zooms, strict=True):
            figures.zoom(redrawn.figures[chart], zoom)
        selection = shown.selection
        options = []
        if many_users:
            options.append(layout.user_options(activity, "", selection.user))
        if many_pages:
            options.append(layout.page_options(activity, "", selection.pages))
        by_list = {(ids.USER, "value"), (ids.PAGES, "value")} & changed
        return {
            "search": no_update if query == search else query,
            "options": [no_update for _ in options] if by_list else options,
            # What says so already stays as it is, and what is being typed.
            "controls": [
                no_update if controls[control] == value else value
                for control, value in control_values(activity, shown).items()
            ],
            # A chart that stays as it is costs the browser as much as any other.
            "figures": [
                no_update if before.get(chart) == new[chart] else figure
                for chart, figure in redrawn.figures.items()
            ],
            "drawn": {**new, "address": redrawn.words["address"]},
            "words": redrawn.words,
            "problem": "",
        }

    @app.callback(
        Output(ids.LISTED, "data"),
        Input(ids.URL, "search"),
        running=[(Output(f"{ids.USERS}-section", "className"), "working", "")],
    )
    def list_(search: object) -> Words:
        # It may take longer than the charts: they don't wait for it.
        return list_users(activity, views.read(_text(search) or "", activity).view)

    clientside: Callable[..., None] = app.clientside_callback
    for store in (ids.WORDS, ids.LISTED):
        # Each property that Dash itself sets has every component look whether it is
        # meant: seventy of them took as long as the charts.
        clientside(
            ClientsideFunction("page", "write"),
            Input(store, "data"),
            prevent_initial_call=True,
        )
    for chart in ids.ZOOMED:
        clientside(
            ClientsideFunction("page", "holdZoom"),
            Output(ids.zoom(chart), "data"),
            Input(chart, "relayoutData"),
            prevent_initial_call=True,
        )
    for chart in (ids.TOTAL_TIME, ids.USER_AVERAGE):
        clientside(
            ClientsideFunction("page", "pickPage"),
            Output(chart, "clickData"),
            Input(chart, "clickData"),
            State(chart, "figure"),
            prevent_initial_call=True,
        )
    for chart, function in (
        (ids.DURATIONS, "pickDurations"),
        (ids.TIMELINE, "pickDates"),
    ):
        clientside(
            ClientsideFunction("page", function),
            Output(chart, "clickData"),
            Output(chart, "selectedData"),
            Input(chart, "clickData"),
            Input(chart, "selectedData"),
            State(chart, "figure"),
            prevent_initial_call=True,
        )

    if many_users:

        @app.callback(
            Output(ids.USER, "options", allow_duplicate=True),
            Input(ids.USER, "search_value"),
            # Also when another way than the list picks a user who isn't in it.
            Input(ids.USER, "value"),
            prevent_initial_call=True,
        )
        def search_users(text: object, user: object) -> list[Any]:
            return layout.user_options(activity, _text(text) or "", _text(user))

    if many_pages:

        @app.callback(
            Output(ids.PAGES, "options", allow_duplicate=True),
            Input(ids.PAGES, "search_value"),
            Input(ids.PAGES, "value"),
            prevent_initial_call=True,
        )
        def search_pages(text: object, pages: object) -> list[str]:
            return layout.page_options(activity, _text(text) or "", _texts(pages))


def control_values(activity: Activity, view: View) -> Values:
    """What the controls show for a view."""
    picked = view.selection
    first, end = views.whole(activity)
    days = {tuple(dates): key for key, (_, *dates) in views.periods(activity).items()}
    filtered = picked.start is not None or picked.end is not None
    return {
        (ids.USER, "value"): picked.user or layout.EVERYONE,
        (ids.PERIOD, "value"): days.get((picked.start, picked.end)),
        # The calendar shows the last day, not the one after it.
        (ids.DATES, "start_date"): str(picked.start or first) if filtered else None,
        (ids.DATES, "end_date"): (
            str((picked.end or end) - timedelta(days=1)) if filtered else None
        ),
        (ids.PAGES, "value"): list(picked.pages),
        (ids.SHORTEST, "value"): _or_any(picked.shortest),
        (ids.LONGEST, "value"): _or_any(picked.longest),
        (ids.STATISTIC, "value"): view.statistic,
        (ids.SCALE, "value"): view.scale,
        (ids.MEASURE, "value"): view.timeline,
        (ids.FIND, "value"): view.find,
    }


def picked(
    activity: Activity, view: View, values: Values, changed: set[tuple[str, str]]
) -> View:
    """The view after controls were *changed*: what these say, and the rest of *view*.

    Raises BadRequest for what no control can say.
    """

    def set_(control: str) -> bool:
        return (control, "value") in changed

    def text(control: str) -> str | None:
        return _text(values[control, "value"])

    def choice(control: str, choices: Any) -> Any:
        return _choice(values[control, "value"], choices)

    part: dict[str, Any] = {}
    if set_(ids.USER):
        part["user"] = text(ids.USER) or None
    if set_(ids.PAGES):
        part["pages"] = tuple(dict.fromkeys(_texts(values[ids.PAGES, "value"])))
    key = text(ids.PERIOD) if set_(ids.PERIOD) else None
    if key is not None:
        if key not in views.periods(activity):
            raise BadRequest(f"there is no period {key!a:.80}")
        _, part["start"], part["end"] = views.periods(activity)[key]
    elif {(ids.DATES, "start_date"), (ids.DATES, "end_date")} & changed:
        part |= _dates(activity, values)
    if set_(ids.SHORTEST):
        part["shortest"] = _seconds(values[ids.SHORTEST, "value"])
    if set_(ids.LONGEST):
        part["longest"] = _seconds(values[ids.LONGEST, "value"])
    selection = replace(view.selection, **part)
    if not (selection.shortest or 0) < (selection.longest or math.inf):
        # The one that was set last is meant.
        if set_(ids.LONGEST):
            selection = replace(selection, shortest=None)
        else:
            selection = replace(selection, longest=None)

    shown: dict[str, Any] = {}
    if set_(ids.STATISTIC):
        shown["statistic"] = choice(ids.STATISTIC, Statistic)
    if set_(ids.SCALE):
        shown["scale"] = choice(ids.SCALE, Scale)
    if set_(ids.MEASURE):
        shown["timeline"] = choice(ids.MEASURE, Measure)
    if set_(ids.FIND):
        shown["find"] = text(ids.FIND) or ""
    return replace(view, selection=selection, sheet=1, **shown)


def _dates(activity: Activity, values: Values) -> dict[str, date | None]:
    """What the calendar says, whose last day is among those that are picked."""
    start = _day(values[ids.DATES, "start_date"])
    end = _day(values[ids.DATES, "end_date"])
    if not start or not end:
        return {"start": None, "end": None}
    # Days can be typed in any order.
    start, end = min(start, end), max(start, end)
    first, last = views.first_and_last(activity)
    if start > last or end < first:
        return {}
    after = None if end >= last else end + timedelta(days=1)
    start_, after = views.clipped(start, after, activity)
    return {"start": start_, "end": after}


def _pending(
    activity: Activity, address: object, values: Values
) -> set[tuple[str, str]]:
    """The controls that say something else than the page that is drawn.

    They were picked after it and before this: their own answer will come to nothing,
    since this one is asked for now.
    """
    if not isinstance(address, str):
        return set()
    shown = replace(views.read(_text(address) or "", activity).view, sheet=1)
    return {
        control
        for control in _CONTROLS
        if picked(activity, shown, values, {control}) != shown
    }


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


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(f"a list was expected, not {value!a:.80}")
    return [text for item in value if (text := _text(item)) is not None]


def _seconds(value: object) -> float | None:
    if value in (None, layout.ANY):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise BadRequest(f"a number was expected, not {value!a:.80}")


def _or_any(seconds: float | None) -> float | str:
    return layout.ANY if seconds is None else seconds


def _day(value: object) -> date | None:
    text = _text(value)
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise BadRequest(f"a day was expected, not {value!a:.80}") from None


def _choice(value: object, choices: Any) -> str:
    text = _text(value)
    if text is not None and text in get_args(choices):
        return text
    raise BadRequest(f"there is no choice {value!a:.80}")
