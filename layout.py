"""The page's components, built from what an Activity says about itself."""

import re
from typing import Any, Final

import pandas as pd
from dash import dcc, html

import ids
from activity import Activity
from figures import count_text, empty
from sources import Origin

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
"""With more users than this the dropdown searches on the server."""

MAX_HITS: Final = 50
"""So many users a search on the server answers with."""


def searches_on_server(activity: Activity) -> bool:
    return len(activity.users) > MAX_OPTIONS


def user_options(activity: Activity, text: str, picked: str | None) -> list[str]:
    """The users to offer for a search; the picked one stays, or it would be reset."""
    hits = activity.find_users(text, MAX_HITS)
    if picked is None or picked in hits or not activity.has_user(picked):
        return hits
    return [picked, *hits]


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
            html.Header(
                [
                    html.H1(TITLE),
                    dcc.RadioItems(
                        # The style sheet looks at what is checked: no callback.
                        [
                            {"label": "System", "value": "system"},
                            {"label": "Light", "value": "light"},
                            {"label": "Dark", "value": "dark"},
                        ],
                        "system",
                        id=ids.THEME,
                        inline=True,
                        persistence=True,
                    ),
                    html.P(data_line(activity, origin), className="data-line"),
                ]
            ),
            html.Div(
                [html.Label("User", htmlFor=ids.USER), _user_dropdown(activity)],
                className="controls",
            ),
            html.P(id=ids.PROBLEM, role="alert"),
            html.Div(
                [
                    _chart(ids.TOTAL_TIME, "Total Time per Page"),
                    _chart(ids.USER_AVERAGE, "Average Session Duration by Page"),
                    _chart(ids.DURATIONS, "Session Duration Distribution"),
                ],
                className="charts",
            ),
        ]
    )


def _user_dropdown(activity: Activity) -> dcc.Dropdown:
    (picked,) = activity.find_users("", 1)
    if searches_on_server(activity):
        options = user_options(activity, "", picked)
    else:
        options = sorted(activity.users, key=_natural)
    return dcc.Dropdown(
        options,
        picked,
        id=ids.USER,
        placeholder="Everyone",
        labels={"search": f"Search {count_text(len(activity.users), 'user')}"},
        maxHeight=320,
        optionHeight=36,
    )


def _chart(chart: str, title: str) -> html.Section:
    return html.Section(
        [
            html.H2(title, id=ids.heading(chart)),
            html.P(id=ids.finding(chart), className="finding"),
            dcc.Graph(
                id=chart,
                # Until the first figures arrive: Dash's own would have bare axes.
                figure=empty(""),
                config={
                    "displaylogo": False,
                    "showSendToCloud": False,
                    "plotlyServerURL": "",
                    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
                    "toImageButtonOptions": {"filename": chart, "scale": 2},
                },
            ),
        ],
        id=f"{chart}-section",
        **_aria(labelledby=ids.heading(chart), describedby=ids.finding(chart)),
    )


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
        return f"{_day(first)} {' to '.join(hours)} UTC"
    return f"{_day(first)} to {_day(last)} (UTC)"


def _day(time: pd.Timestamp) -> str:
    return f"{time.day} {time:%B %Y}"
