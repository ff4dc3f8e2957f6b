"""The page's components, built from what an Activity says about itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from dash import dcc, html

import findings
import ids
import view
from activity import Activity, Selection, Summary
from figures import empty
from sources import Origin
from tables import STATISTICS, TITLES, USER_COLUMNS, UsersShown
from view import View
from words import count_text, day_text, duration_text, edge_text

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
"""The page around the components: Dash's own has no language."""

MAX_OPTIONS: Final = 300
"""With more users or pages than this their dropdown searches on the server."""

MAX_HITS: Final = 50
"""So many names a search on the server answers with."""

MAX_SESSIONS: Final = 1_000_000
"""So many sessions are given away at once."""

EVERYONE: Final = ""
"""The dropdown's value for no user: no user has an empty name."""

ANY: Final = ""
"""The dropdown's value for no limit to durations."""

SCALES: Final = {"linear": "Linear", "log": "Logarithmic"}
MEASURES: Final = {"sessions": "Sessions", "time": "Time"}


def user_options(activity: Activity, text: str, picked: str | None) -> list[Any]:
    """The users to offer for a search; the picked one stays, or it would be reset."""
    hits = activity.find_users(text, MAX_HITS)
    if picked and picked not in hits and activity.has_user(picked):
        hits = [picked, *hits]
    return [_everyone(), *hits]


def page_options(activity: Activity, text: str, picked: Sequence[str]) -> list[str]:
    """The pages to offer for a search, those with most sessions first."""
    text = text.casefold()
    sessions = activity.summarise(Selection()).everyone.sessions
    hits = list(picked)
    for page in np.argsort(-sessions, kind="stable").tolist():
        if len(hits) >= MAX_HITS + len(picked):
            break
        name = activity.pages[page]
        if text in name.casefold() and name not in picked:
            hits.append(name)
    return hits


def data_line(activity: Activity, origin: Origin) -> str:
    """One line about the data: how much, from when to when, from where."""
    sessions = count_text(activity.n_sessions, "session")
    users = count_text(len(activity.users), "user")
    pages = count_text(len(activity.pages), "page")
    parts = [f"{origin.name}: {sessions} of {users} on {pages}, {_period(activity)}."]
    if activity.n_unknown:
        parts.append(
            f"Unknown durations: {activity.n_unknown:,} (these sessions count, but not "
            "in sums, averages and the distribution)."
        )
    if origin.left_out:
        parts.append(f"{origin.left_out_text()}.")
    return " ".join(parts)


def build_layout(activity: Activity, origin: Origin) -> html.Main:
    """The whole page, as it stands before the first figures arrive."""
    return html.Main(
        [
            dcc.Location(id=ids.URL, refresh=False),
            dcc.Store(ids.WORDS),
            dcc.Store(ids.LISTED),
            dcc.Store(ids.DRAWN),
            *(dcc.Store(ids.zoom(chart)) for chart in ids.ZOOMED),
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
                    html.P(data_line(activity, origin), className="data-line"),
                ]
            ),
            html.Section(
                [
                    html.Div(_controls(activity), className="fields"),
                    html.P(id=ids.CHIPS, role="status"),
                ],
                className="controls",
                **_aria(label="Filters"),
            ),
            html.P(id=ids.PROBLEM, role="alert"),
            html.P(id=ids.NOTICE, role="status"),
            html.Div(
                [
                    _chart(ids.TOTAL_TIME),
                    _chart(ids.USER_AVERAGE),
                    _chart(
                        ids.DURATIONS,
                        _switch(ids.SCALE, "Axis", SCALES),
                    ),
                    html.Dl(
                        [
                            html.Div(
                                [
                                    html.Dt(id=ids.tile(tile, "label")),
                                    html.Dd(id=ids.tile(tile, "value")),
                                    html.Dd(id=ids.tile(tile, "beside")),
                                    html.Dd(id=ids.tile(tile, "rank")),
                                ]
                            )
                            for tile in ids.TILES
                        ],
                        className="tiles",
                    ),
                    _chart(
                        ids.TIMELINE,
                        _switch(ids.MEASURE, "Count", MEASURES),
                    ),
                    _chart(
                        ids.HOURS,
                        html.P(
                            [html.Span(), html.Span(id=ids.DARKEST)], id="hours-scale"
                        ),
                    ),
                    _users(),
                ],
                className="charts",
            ),
            html.P(
                html.A(id=ids.SESSIONS, href="sessions.csv", download=""),
                className="take-away",
            ),
        ]
    )


def _controls(activity: Activity) -> list[Any]:
    first, last = view.first_and_last(activity)
    edges = [
        {"label": edge_text(edge), "value": edge}
        for edge in view.duration_edges(activity)
    ]
    any_ = {"label": "any", "value": ANY}
    if len(activity.users) > MAX_OPTIONS:
        users = user_options(activity, "", None)
    else:
        users = [_everyone(), *sorted(activity.users, key=_natural)]
    if len(activity.pages) > MAX_OPTIONS:
        pages = page_options(activity, "", [])
    else:
        pages = sorted(activity.pages, key=_natural)
    n_users, n_pages = len(activity.users), len(activity.pages)
    return [
        _field(
            "User",
            _dropdown(
                ids.USER,
                users,
                labels={"search": f"Search {count_text(n_users, 'user')}"},
            ),
        ),
        _field(
            "Dates",
            _dropdown(
                ids.PERIOD,
                [
                    {"label": label, "value": key}
                    for key, (label, _, _) in view.periods(activity).items()
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
        ),
        _field(
            "Pages",
            _dropdown(
                ids.PAGES,
                pages,
                multi=True,
                clearable=True,
                placeholder="All pages",
                labels={"search": f"Search {count_text(n_pages, 'page')}"},
            ),
        ),
        _field(
            "Durations",
            _dropdown(ids.SHORTEST, [any_, *edges[:-1]]),
            html.Label("to", htmlFor=ids.LONGEST),
            _dropdown(ids.LONGEST, [any_, *edges[1:]]),
        ),
        _field("Statistic", _switch(ids.STATISTIC, "Statistic", STATISTICS)),
    ]


def _field(label: str, *controls: Any) -> html.Div:
    name = getattr(controls[0], "id", None)
    head = html.Label(label, htmlFor=name) if name else html.Span(label)
    return html.Div([head, html.Div(list(controls))], className="field")


def _dropdown(name: str, options: list[Any], **more: Any) -> dcc.Dropdown:
    usual = {"clearable": False, "maxHeight": 320, "optionHeight": 36}
    return dcc.Dropdown(options, id=name, **{**usual, **more})


def _switch(name: str, label: str, options: Mapping[Any, str], **more: Any) -> html.Div:
    """Radio buttons that look like one control."""
    return html.Div(
        dcc.RadioItems(
            [{"label": words, "value": value} for value, words in options.items()],
            next(iter(options)),
            id=name,
            inline=True,
            className="switch",
            **more,
        ),
        role="radiogroup",
        **_aria(label=label),
    )


def _everyone() -> dict[str, str]:
    return {"label": "Everyone", "value": EVERYONE}


def _chart(chart: str, beside: Any = None) -> html.Section:
    return html.Section(
        [
            html.Div(
                [html.H2(TITLES[chart], id=ids.heading(chart)), beside],
                className="head",
            ),
            html.P(id=ids.finding(chart), className="finding"),
            dcc.Graph(
                id=chart,
                # Until the first figures arrive: Dash's own would have bare axes.
                figure=empty(""),
                config={
                    "displaylogo": False,
                    "showSendToCloud": False,
                    "plotlyServerURL": "",
                    # Two quick clicks are two picks.
                    "doubleClick": False,
                    "doubleClickDelay": 1,
                    "displayModeBar": chart in ids.ZOOMED,
                    "modeBarButtons": [
                        ["select2d", "zoom2d"],
                        ["zoomIn2d", "zoomOut2d", "resetScale2d"],
                    ],
                },
            ),
            html.Div(
                [
                    html.Details(
                        [
                            html.Summary("Table"),
                            html.Div(
                                id=ids.table(chart),
                                # It scrolls: with the keyboard too.
                                tabIndex="0",
                                role="region",
                                **_aria(label=f"{TITLES[chart]}, as a table"),
                            ),
                        ],
                        id=ids.details(chart),
                    ),
                    html.Div(
                        [
                            html.A(
                                "CSV",
                                href=f"numbers/{chart}.csv",
                                download="",
                                **_aria(label=f"{TITLES[chart]} as CSV"),
                            ),
                            *(
                                html.Button(
                                    kind.upper(),
                                    **_data(chart=chart, image=kind),
                                    **_aria(label=f"{TITLES[chart]} as {kind.upper()}"),
                                )
                                for kind in ("png", "svg")
                            ),
                        ],
                        className="take",
                    ),
                ],
                className="tools",
            ),
        ],
        id=f"{chart}-section",
        **_aria(labelledby=ids.heading(chart), describedby=ids.finding(chart)),
    )


def _users() -> html.Section:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Users", id=ids.heading(ids.USERS)),
                    html.Label(
                        "Search the users", htmlFor=ids.FIND, className="unseen"
                    ),
                    dcc.Input(
                        id=ids.FIND,
                        value="",
                        type="search",
                        debounce=0.3,
                        placeholder="Search",
                    ),
                ],
                className="head",
            ),
            html.P(id=ids.finding(ids.USERS), className="finding"),
            html.Div(id=ids.table(ids.USERS)),
        ],
        id=f"{ids.USERS}-section",
        **_aria(labelledby=ids.heading(ids.USERS)),
    )


def chips(shown: View) -> list[list[str]]:
    """The filters that are on: the words, and the address of the view without it.

    The last is that of the view without any.
    """
    none: dict[str, dict[str, Any]] = {
        "dates": {"start": None, "end": None},
        "pages": {"pages": ()},
        "durations": {"shortest": None, "longest": None},
    }
    chips = []
    for name, words in findings.chips(shown).items():
        selection = replace(shown.selection, **none[name])
        without = replace(shown, selection=selection, sheet=1)
        chips.append([words, view.address(without)])
    if chips:
        chips.append(["Clear", view.address(view.unfiltered(shown))])
    return chips


def numbers_table(numbers: pd.DataFrame) -> dict[str, Any]:
    """Numbers as the page writes them, for assets/page.js.

    The elements are made in the browser: sent, they would be ten times as long.
    """
    return {
        "head": [name.removesuffix(" (s)") for name in numbers.columns],
        "rows": [
            [
                _cell(value, name.endswith("(s)"))
                for name, value in zip(numbers.columns, row, strict=True)
            ]
            for row in numbers.itertuples(index=False)
        ],
    }


def users_table(shown: UsersShown, view_: View) -> dict[str, Any]:
    """A sheet of the table of users, for assets/page.js."""
    return {
        "head": USER_COLUMNS,
        "rows": shown.rows,
        "picked": view_.selection.user,
        "sort": view_.sort,
        "reverse": view_.reverse,
        "sheet": min(view_.sheet, shown.n_sheets),
        "sheets": shown.n_sheets,
        "address": view.address(view_),
    }


def sessions_link(summary: Summary) -> str:
    """The words for the link to the picked sessions themselves."""
    n = int(summary.who.sessions.sum())
    if n > MAX_SESSIONS:
        return f"CSV of the first {MAX_SESSIONS:,} of these {n:,} sessions"
    return "CSV of this session" if n == 1 else f"CSV of these {n:,} sessions"


def _cell(value: Any, seconds: bool) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if seconds:
        return duration_text(value) if value >= 0.95 or not value else f"{value:g} s"
    return f"{value:,.4g}" if value % 1 else f"{value:,.0f}"


def _data(**attributes: str) -> dict[str, Any]:
    return {f"data-{name}": value for name, value in attributes.items()}


def _aria(**attributes: str) -> dict[str, Any]:
    return {f"aria-{name}": value for name, value in attributes.items()}


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key by which user_2 comes before user_10."""
    parts = re.split(r"(\d+)", name)
    # Text and digits take turns; of two numbers, the longer is the larger.
    parts[1::2] = [digits.lstrip("0") for digits in parts[1::2]]
    return [(len(part) * (i % 2), part) for i, part in enumerate(parts)]


def _period(activity: Activity) -> str:
    first, last = activity.first, activity.last
    if first.date() == last.date():
        hours = dict.fromkeys((f"{first:%H:%M}", f"{last:%H:%M}"))
        return f"{day_text(first)} {' to '.join(hours)} {activity.timezone}"
    return f"{day_text(first)} to {day_text(last)} ({activity.timezone})"
