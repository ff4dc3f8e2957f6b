"""The page's components, built from what an engine says about its data."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from dash import dcc, html

import dates
import ids
import view
from charts.chart import Chart, Switch
from charts.figure import EVERYONE_COLOR, USER_COLOR, empty
from charts.sentences import STATISTICS
from charts.tiles import TILES
from engine.model import Engine, Facts, Selection
from formatting import (
    count_text,
    day_text,
    edge_text,
    is_reserved,
    natural_key,
    user_text,
)
from sources import Origin, Report

TITLE: Final = "Interactive User Activity Dashboard"

INDEX: Final = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <meta name="color-scheme" content="light dark">
        <title>{%title%}</title>
        {%favicon%}
        {%css%}
    </head>
    <body>
        {%app_entry%}
        <footer>{%config%}{%scripts%}{%renderer%}</footer>
    </body>
</html>"""
"""The HTML around the components: Dash's own says no language."""

MAX_OPTIONS: Final = 300
"""With more users or pages than this, their dropdown searches on the server."""

MAX_HITS: Final = 50
"""The number of options that a search on the server answers with."""

EVERYONE: Final = ""
"""The value of the user's dropdown for everyone: no user has an empty name."""

ANY: Final = ""
"""The value of the durations' dropdowns for no limit."""

_CHARTS_BEFORE_TILES: Final = 3
_IMAGE_FORMATS: Final = ("png", "svg")


def build_layout(
    engine: Engine, origin: Origin, charts: Sequence[Chart], prefix: str = "/"
) -> html.Main:
    """The whole page, as it stands before the first figures arrive.

    *prefix* is the path at which browsers reach the application.
    """
    cards = [_card(chart, prefix) for chart in charts]
    return html.Main(
        [
            *_state(charts),
            html.Header(
                [
                    html.H1(TITLE),
                    _switch(
                        # The style sheet looks at what is checked: no callback.
                        ids.THEME,
                        "Theme",
                        {"system": "System", "light": "Light", "dark": "Dark"},
                        persistence=True,
                    ),
                    html.P(data_line(engine.facts, origin), className="data-line"),
                    *_report(origin.report),
                ]
            ),
            html.Section(
                [
                    html.Div(_controls(engine), className="fields"),
                    html.P(id=ids.CHIPS, role="status"),
                ],
                className="controls",
                **_aria(label="Filters"),
            ),
            html.P(id=ids.CONNECTION, role="alert"),
            html.P(id=ids.PROBLEM, role="alert"),
            html.P(id=ids.NOTICE, role="status"),
            html.Div(
                [
                    *cards[:_CHARTS_BEFORE_TILES],
                    _tiles(),
                    *cards[_CHARTS_BEFORE_TILES:],
                    _users(),
                ],
                className="charts",
            ),
            html.P(
                html.A(id=ids.SESSIONS, href=f"{prefix}sessions.csv", download=""),
                className="take-away",
            ),
        ],
        # The style sheet's colours for the same things as the figures'.
        style={"--everyone": EVERYONE_COLOR, "--user": USER_COLOR},
    )


def data_line(facts: Facts, origin: Origin) -> str:
    """One line about the data: how much, from when to when, from where."""
    sessions = count_text(facts.n_sessions, "session")
    users, pages = (
        count_text(facts.n_users, "user"),
        count_text(len(facts.pages), "page"),
    )
    parts = [f"{origin.name}: {sessions} of {users} on {pages}, {_period(facts)}."]
    if facts.n_unknown:
        parts.append(
            f"Unknown durations: {facts.n_unknown:,} (these sessions count, but not "
            "in sums, averages and the distribution)."
        )
    report = origin.report
    left_out = report.left_out_text()
    parts += [report.durations] * bool(report.durations)
    parts += [f"{left_out}."] * bool(left_out)
    return " ".join(parts)


def user_options(engine: Engine, text: str, picked: str | None) -> list[Any]:
    """The options for a search among many users: everyone, and the best hits.

    The picked user is among them, since Dash resets a value that is no option.
    """
    hits = engine.find_users(text, MAX_HITS)
    if picked and picked not in hits and engine.has_user(picked):
        hits = [picked, *hits]
    return [_everyone(), *map(_user_option, hits)]


def page_options(engine: Engine, text: str, picked: Sequence[str]) -> list[str]:
    """The options for a search among many pages, those of most sessions first.

    The picked pages are among them, since Dash resets values that are no options.
    """
    text = text.casefold()
    pages = engine.facts.pages
    sessions = engine.summarise(Selection()).everyone.sessions
    hits, is_picked = list(picked), frozenset(picked)
    for page in np.argsort(-sessions, kind="stable").tolist():
        if len(hits) >= MAX_HITS + len(picked):
            break
        if text in pages[page].casefold() and pages[page] not in is_picked:
            hits.append(pages[page])
    return hits


def _state(charts: Sequence[Chart]) -> list[Any]:
    """The components that are not seen."""
    return [
        dcc.Location(id=ids.URL, refresh=False),
        dcc.Store(ids.PAGE),
        dcc.Store(ids.USER_LIST),
        dcc.Store(ids.DRAWN),
        *(dcc.Store(ids.zoom(chart.id)) for chart in charts if chart.zoomable),
    ]


def _controls(engine: Engine) -> list[html.Div]:
    facts = engine.facts
    edges = [
        {"label": edge_text(edge), "value": edge} for edge in view.duration_edges(facts)
    ]
    any_ = {"label": "any", "value": ANY}
    return [
        _field("User", _user_dropdown(engine)),
        _field("Dates", *_date_controls(facts)),
        _field("Pages", _page_dropdown(engine)),
        _field(
            "Durations",
            _dropdown(ids.SHORTEST, [any_, *edges[:-1]]),
            html.Label("to", htmlFor=ids.LONGEST),
            _dropdown(ids.LONGEST, [any_, *edges[1:]]),
        ),
        _field(
            "Statistic",
            _switch(
                ids.STATISTIC,
                "Statistic",
                {name: wording.label for name, wording in STATISTICS.items()},
            ),
        ),
    ]


def _user_dropdown(engine: Engine) -> dcc.Dropdown:
    n_users = engine.facts.n_users
    if n_users > MAX_OPTIONS:
        options = user_options(engine, "", None)
    else:
        names = sorted(engine.find_users("", n_users), key=natural_key)
        options = [_everyone(), *map(_user_option, names)]
    search = f"Search {count_text(n_users, 'user')}"
    return _dropdown(ids.USER, options, labels={"search": search})


def _page_dropdown(engine: Engine) -> dcc.Dropdown:
    pages = engine.facts.pages
    if len(pages) > MAX_OPTIONS:
        options = page_options(engine, "", [])
    else:
        options = sorted(pages, key=natural_key)
    return _dropdown(
        ids.PAGES,
        options,
        multi=True,
        clearable=True,
        placeholder="All pages",
        labels={"search": f"Search {count_text(len(pages), 'page')}"},
    )


def _date_controls(facts: Facts) -> list[Any]:
    first, last = dates.bounds(facts.days)
    return [
        _dropdown(
            ids.PERIOD,
            [
                {"label": preset.label, "value": key}
                for key, preset in dates.presets(facts.days).items()
            ],
            placeholder="Custom",
            searchable=False,
        ),
        dcc.DatePickerRange(
            id=ids.DATES,
            min_date_allowed=str(first),
            max_date_allowed=str(last),
            initial_visible_month=str(first),
            updatemode="bothdates",
            minimum_nights=0,
            first_day_of_week=1,
            display_format="D MMM YYYY",
            start_date_placeholder_text="First day",
            end_date_placeholder_text="Last day",
        ),
    ]


def _report(report: Report) -> list[Any]:
    """What was understood of the files, to be opened; an alarm always stands open."""
    sections = report.sections()
    if not sections:
        return []
    terms: list[Any] = []
    for heading, lines in sections:
        terms += [html.Dt(heading), *map(html.Dd, lines)]
    panel = html.Details(
        [html.Summary("How the data was read"), html.Dl(terms)], className="report"
    )
    alarm = report.alarm()
    return [html.P(alarm, className="alarm", role="alert"), panel] if alarm else [panel]


def _everyone() -> dict[str, str]:
    return {"label": "Everyone", "value": EVERYONE}


def _user_option(name: str) -> str | dict[str, str]:
    """A user's name, with a label where it could be taken for everyone."""
    return {"label": user_text(name), "value": name} if is_reserved(name) else name


def _field(label: str, *controls: Any) -> html.Div:
    name = getattr(controls[0], "id", None)
    head = html.Label(label, htmlFor=name) if name else html.Span(label)
    return html.Div([head, html.Div(list(controls))], className="field")


def _dropdown(name: str, options: list[Any], **properties: Any) -> dcc.Dropdown:
    defaults = {"clearable": False, "maxHeight": 320, "optionHeight": 36}
    return dcc.Dropdown(options, id=name, **{**defaults, **properties})


def _switch(
    name: str, label: str, options: Mapping[Any, str], **properties: Any
) -> html.Div:
    """Radio buttons that look like one control."""
    return html.Div(
        dcc.RadioItems(
            [{"label": words, "value": value} for value, words in options.items()],
            next(iter(options)),
            id=name,
            inline=True,
            className="switch",
            **properties,
        ),
        role="radiogroup",
        **_aria(label=label),
    )


def _card(chart: Chart, prefix: str) -> html.Section:
    """A chart with its heading, its sentence and its tools."""
    head: list[Any] = [html.H2(chart.title, id=ids.heading(chart.id))]
    if chart.switch is not None:
        head.append(_chart_switch(chart.switch))
    if chart.has_color_scale:
        scale = [html.Span(), html.Span(id=ids.darkest(chart.id))]
        head.append(html.P(scale, className="color-scale"))
    return html.Section(
        [
            html.Div(head, className="head"),
            html.P(id=ids.finding(chart.id), className="finding"),
            dcc.Graph(
                id=chart.id,
                # Until the first figures arrive: Dash's own would have bare axes.
                figure=empty(""),
                config={
                    "displaylogo": False,
                    "showSendToCloud": False,
                    "plotlyServerURL": "",
                    # Two quick clicks are two picks.
                    "doubleClick": False,
                    "doubleClickDelay": 1,
                    "displayModeBar": chart.zoomable,
                    "modeBarButtons": [
                        ["select2d", "zoom2d"],
                        ["zoomIn2d", "zoomOut2d", "resetScale2d"],
                    ],
                },
            ),
            html.Div([_table(chart), _files(chart, prefix)], className="tools"),
        ],
        id=ids.section(chart.id),
        className=chart.width,
        style={"--height": f"{chart.height}px"},
        **_aria(labelledby=ids.heading(chart.id), describedby=ids.finding(chart.id)),
    )


def _chart_switch(switch: Switch) -> html.Div:
    return _switch(switch.id, switch.label, switch.options)


def _table(chart: Chart) -> html.Details:
    return html.Details(
        [
            html.Summary("Table"),
            html.Div(
                id=ids.table(chart.id),
                # It scrolls: with the keyboard too.
                tabIndex="0",
                role="region",
                **_aria(label=f"{chart.title}, as a table"),
            ),
        ],
        id=ids.details(chart.id),
    )


def _files(chart: Chart, prefix: str) -> html.Div:
    """The ways to take a chart away as a file."""
    return html.Div(
        [
            html.A(
                "CSV",
                href=f"{prefix}numbers/{chart.id}.csv",
                download="",
                **_aria(label=f"{chart.title} as CSV"),
            ),
            *(
                html.Button(
                    name.upper(),
                    **_data(chart=chart.id, image=name),
                    **_aria(label=f"{chart.title} as {name.upper()}"),
                )
                for name in _IMAGE_FORMATS
            ),
        ],
        className="take",
    )


def _tiles() -> html.Dl:
    return html.Dl(
        [
            html.Div(
                [
                    html.Dt(id=ids.tile(tile, "label")),
                    html.Dd(id=ids.tile(tile, "value")),
                    html.Dd(id=ids.tile(tile, "beside")),
                    html.Dd(id=ids.tile(tile, "rank")),
                ]
            )
            for tile in TILES
        ],
        className="tiles",
    )


def _users() -> html.Section:
    search_label = html.Label(
        "Search the users", htmlFor=ids.SEARCH, className="unseen"
    )
    search = dcc.Input(
        id=ids.SEARCH, value="", type="search", debounce=0.3, placeholder="Search"
    )
    heading = html.H2("Users", id=ids.heading(ids.USERS))
    return html.Section(
        [
            html.Div([heading, search_label, search], className="head"),
            html.P(id=ids.finding(ids.USERS), className="finding"),
            html.Div(id=ids.table(ids.USERS)),
        ],
        id=ids.section(ids.USERS),
        **_aria(labelledby=ids.heading(ids.USERS)),
    )


def _data(**attributes: str) -> dict[str, Any]:
    return {f"data-{name}": value for name, value in attributes.items()}


def _aria(**attributes: str) -> dict[str, Any]:
    return {f"aria-{name}": value for name, value in attributes.items()}


def _period(facts: Facts) -> str:
    first, last = facts.first, facts.last
    if first.date() == last.date():
        hours = dict.fromkeys((f"{first:%H:%M}", f"{last:%H:%M}"))
        return f"{day_text(first)} {' to '.join(hours)} {facts.timezone}"
    return f"{day_text(first)} to {day_text(last)} ({facts.timezone})"
