"""The page's components, built from what an engine says about its data."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, get_args

import numpy as np
from dash import dcc, html

import dates
import ids
import view
from charts import SECTIONS
from charts.chart import Chart, Switch
from charts.figure import EVERYONE_COLOR, USER_COLOR, empty
from charts.folders import has_folders
from charts.section import Section
from charts.sentences import STATISTICS
from charts.tiles import TILES
from engine.model import Engine, Facts, Selection
from formatting import (
    count_text,
    day_text,
    edge_text,
    is_reserved,
    natural_key,
    unknown_text,
    user_text,
)
from labels import distinct, page_labels, page_parts
from sources import Origin, Report

TITLE: Final = "Interactive User Activity Dashboard"

INDEX: Final = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <meta name="color-scheme" content="light dark">
        <title>{%title%}</title>
        <script src="{theme}"></script>
        <link rel="icon" href="data:image/svg+xml,
            %3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E
            %3Cpath fill='%230072B2' d='M1 2h14v5H1z'/%3E
            %3Cpath fill='%23D55E00' d='M1 9h9v5H1z'/%3E%3C/svg%3E">
        {%css%}
    </head>
    <body>
        {%app_entry%}
        <footer>{%config%}{%scripts%}{%renderer%}</footer>
    </body>
</html>"""
"""The HTML around the components: Dash's own says no language, and has no theme.

The icon is in it: browsers ask for one that isn't at each change of the address.

``{theme}`` is where assets/theme.js is: it runs before anything is painted.
"""

MAX_OPTIONS: Final = 300
"""With more users or pages than this, their dropdown searches on the server."""

MAX_LETTERS: Final = 30_000
"""With more characters than this in all names, too: 300 names of 100 characters."""

MAX_HITS: Final = 50
"""The number of options that a search on the server answers with, at most."""

MAX_HIT_LETTERS: Final = 20_000
"""The characters of the names of these options: one is sent, however long."""

EVERYONE: Final = ""
"""The value of the user's dropdown for everyone: no user has an empty name."""

ANY: Final = ""
"""The value of the durations' dropdowns for no limit."""

LONGEST_OPTION: Final = 28
"""Characters of a user as an option, about: the box of the picked one has room."""

GROUPINGS: Final = {"pages": "Pages", "folders": "Folders"}
"""The rows of the charts by page: what they can be, with its words."""

_CHARTS_BEFORE_USERS: Final = 3
_IMAGE_FORMATS: Final = ("png", "svg")


class BackLink(NamedTuple):
    """A link to other data."""

    words: str
    address: str


class Uploading(NamedTuple):
    """What a page says of files that are dropped on it."""

    root: str
    """The path of the first page: files are sent to what is below it."""
    is_local: bool = False
    """Whether only browsers on this machine reach the server."""
    most_bytes: int = 0
    """Bytes of the largest file."""
    token: str = ""
    """What tells the page's own file from others; empty where none was dropped."""
    back: tuple[BackLink, ...] = ()
    """Where the page of a file that was dropped leads back to."""

    @property
    def where(self) -> str:
        """Where a file goes, in a sentence."""
        if self.is_local:
            return "It stays on this machine."
        return "The server holds it in memory, and saves nothing."


def build_layout(
    engine: Engine,
    origin: Origin,
    charts: Sequence[Chart],
    prefix: str = "/",
    uploading: Uploading | None = None,
    sections: Sequence[Section] = SECTIONS,
) -> html.Main:
    """The whole page, as it stands before the first figures arrive.

    *prefix* is the path at which browsers reach the application. Without *uploading*
    no files can be dropped on it.
    """
    cards = [_card(chart, prefix) for chart in charts]
    return html.Main(
        [
            *_state(sections),
            _header(engine.facts, origin, prefix, uploading),
            _filters(engine),
            html.P(id=ids.CONNECTION, role="alert"),
            html.P(id=ids.NEWS, role="status"),
            html.P(id=ids.TAKEN, role="status"),
            html.P(id=ids.PROBLEM, role="alert"),
            # Seen while there is a problem; it loads the page again.
            html.Button("Try again", id=ids.AGAIN, type="button"),
            html.P(id=ids.NOTICE, role="status"),
            _tiles(),
            html.Div(
                [
                    _page_tools(engine.facts),
                    *cards[:_CHARTS_BEFORE_USERS],
                    _users(),
                    *cards[_CHARTS_BEFORE_USERS:],
                    *map(_section, sections),
                ],
                className="charts",
            ),
        ],
        # Until assets/page.js has written the first view.
        className="unanswered",
        # The style sheet's colours for the same things as the figures'.
        style={"--everyone": EVERYONE_COLOR, "--user": USER_COLOR},
        **(_upload_data(uploading) if uploading else {}),
    )


def _header(
    facts: Facts, origin: Origin, prefix: str, uploading: Uploading | None
) -> html.Header:
    return html.Header(
        [
            html.H1(TITLE),
            html.Div(
                [
                    html.Button("Copy link", id=ids.COPY),
                    html.Button(
                        "Save this view",
                        id=ids.SAVE,
                        **_data(href=f"{prefix}view.html"),
                    ),
                    _switch(
                        ids.THEME,
                        "Theme",
                        {"system": "System", "light": "Light", "dark": "Dark"},
                    ),
                    html.Span(id=ids.SIGNED_IN),
                ],
                className="header-tools",
            ),
            html.P(data_line(facts, origin), className="data-line"),
            *_alarm(origin.report),
            html.Div(
                [_sessions(prefix), *_report(origin.report)], className="header-tools"
            ),
            *(_own_data(origin, uploading) if uploading else []),
        ]
    )


def _upload_data(uploading: Uploading) -> dict[str, Any]:
    """What assets/upload.js knows."""
    return _data(
        upload=f"{uploading.root}upload",
        file=uploading.token,
        most=str(uploading.most_bytes),
        where=uploading.where,
    )


def _own_data(origin: Origin, uploading: Uploading) -> list[html.P]:
    """The line that invites to other data than the simulated ones, or leads back."""
    if uploading.back:
        links = [html.A(each.words, href=each.address) for each in uploading.back]
        return [html.P([*links, _choose("Another file")], className="own-data")]
    if not origin.is_simulated:
        return []
    drop = html.Span("Drop an access log or a table of visits on this page, or ")
    line: list[Any] = [
        "Have your own? ",
        drop,
        _choose("choose a file"),
        f". {uploading.where}",
    ]
    return [html.P(line, className="own-data")]


def _choose(words: str) -> html.Button:
    return html.Button(words, **_data(choose="file"))


def _filters(engine: Engine) -> html.Section:
    return html.Section(
        [
            html.Button(
                "Filters",
                id=ids.FOLD,
                **_aria(expanded="false", controls=ids.FIELDS),
            ),
            html.Div(
                _controls(engine),
                id=ids.FIELDS,
                className="fields",
            ),
            html.P(id=ids.CHIPS, role="status"),
            html.P(id=ids.NOTHING, role="status"),
        ],
        className="controls",
        **_aria(label="Filters"),
    )


def data_line(facts: Facts, origin: Origin) -> str:
    """One line about the data: how much, from when to when, from where."""
    sessions = count_text(facts.n_sessions, "session")
    users, pages = (
        count_text(facts.n_users, "user"),
        count_text(len(facts.pages), "page"),
    )
    parts = [f"{origin.name}: {sessions} of {users} on {pages}, {_period(facts)}."]
    unknown = unknown_text(facts.n_unknown)
    parts += [unknown] * bool(unknown)
    report = origin.report
    left_out = report.left_out_text()
    parts += [report.views_text()] * bool(report.views_text())
    parts += [report.durations] * bool(report.durations)
    parts += [f"{left_out}."] * bool(left_out)
    return " ".join(parts)


def user_options(engine: Engine, text: str, picked: str | None) -> list[Any]:
    """The options for a search among many users: everyone, and the best hits.

    The picked user is among them, since Dash resets a value that is no option.
    """
    hits = _few(engine.find_users(text, MAX_HITS))
    found = frozenset(hits)
    if picked and picked not in found and engine.has_user(picked):
        hits = [picked, *hits]
    options = zip(_user_options(hits), hits, strict=True)
    return [
        _everyone(),
        *(_found(each, text) if name in found else each for each, name in options),
    ]


def no_options(words: str, text: str, picked: str | None) -> list[Any]:
    """The options where a search fails: everyone, the picked user, and why."""
    why = {"label": words, "value": "\0", "search": text or words, "disabled": True}
    return [_everyone(), *_user_options([picked] if picked else []), why]


def page_options(engine: Engine, text: str, picked: Sequence[str]) -> list[Any]:
    """The options for a search among many pages, those of most sessions first.

    The picked pages are among them, since Dash resets values that are no options.
    """
    folded = text.casefold()
    pages = engine.facts.pages
    sessions = engine.summarise(Selection()).everyone.sessions
    is_picked = frozenset(picked)
    found = (
        pages[page]
        for page in np.argsort(-sessions, kind="stable").tolist()
        if folded in pages[page].casefold() and pages[page] not in is_picked
    )
    hits = _page_options(pages, _few(found))
    return [*_page_options(pages, picked), *(_found(hit, text) for hit in hits)]


def has_many(names: Sequence[str]) -> bool:
    """Whether names are too many, or too long, for the browser to search."""
    return len(names) > MAX_OPTIONS or sum(map(len, names)) > MAX_LETTERS


def searches_users(engine: Engine) -> bool:
    """Whether the dropdown of users searches on the server."""
    n_users = engine.facts.n_users
    return n_users > MAX_OPTIONS or has_many(engine.find_users("", n_users))


def searches_pages(engine: Engine) -> bool:
    """Whether the dropdown of pages searches on the server."""
    return has_many(engine.facts.pages)


def _state(sections: Sequence[Section]) -> list[Any]:
    """The components that are not seen."""
    return [
        *(dcc.Store(ids.asked(section.id)) for section in sections),
        *(dcc.Store(ids.answered(section.id)) for section in sections),
        dcc.Location(id=ids.URL, refresh=False),
        dcc.Store(ids.PAGE),
        dcc.Store(ids.USER_LIST),
        dcc.Store(ids.DRAWN),
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
                {"p90": "The slowest 10 % take longer"},
            ),
        ),
    ]


def _user_dropdown(engine: Engine) -> dcc.Dropdown:
    n_users = engine.facts.n_users
    if searches_users(engine):
        options = user_options(engine, "", None)
    else:
        names = sorted(engine.find_users("", n_users), key=natural_key)
        options = [_everyone(), *_user_options(names)]
    search = f"Search {count_text(n_users, 'user')}"
    return _dropdown(ids.USER, options, labels={"search": search})


def _page_dropdown(engine: Engine) -> dcc.Dropdown:
    pages = engine.facts.pages
    if searches_pages(engine):
        options = page_options(engine, "", [])
    else:
        options = _page_options(pages, sorted(pages, key=natural_key))
    labels = {"search": f"Search {count_text(len(pages), 'page')}"}
    if searches_pages(engine):
        # It would select the few that are found.
        labels["select_all"] = ""
    return _dropdown(
        ids.PAGES,
        options,
        multi=True,
        clearable=True,
        placeholder="All pages",
        labels=labels,
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
    """What was understood of the files, to be opened."""
    sections = report.sections()
    if not sections:
        return []
    terms: list[Any] = []
    for heading, lines in sections:
        terms += [html.Dt(heading), *map(html.Dd, lines)]
    panel = html.Details(
        [html.Summary("How the data was read"), html.Dl(terms)], className="report"
    )
    return [panel]


def _alarm(report: Report) -> list[Any]:
    """What looks wrong with the files, always in sight."""
    alarm = report.alarm()
    return [html.P(alarm, className="alarm", role="alert")] if alarm else []


def _everyone() -> dict[str, str]:
    return {"label": "Everyone", "value": EVERYONE}


def _few(found: Iterable[str]) -> list[str]:
    """The first of the names that were found, as far as there is room for them."""
    few: list[str] = []
    letters = 0
    for name in islice(found, MAX_HITS):
        letters += len(name)
        if few and letters > MAX_HIT_LETTERS:
            break
        few.append(name)
    return few


def _user_options(names: Sequence[str]) -> list[Any]:
    """Users as options: nobody is taken for somebody else, or for everyone."""
    labels = distinct(names, LONGEST_OPTION)
    return [
        _option(user_text(name, LONGEST_OPTION) if is_reserved(name) else label, name)
        for name, label in zip(names, labels, strict=True)
    ]


def _page_options(pages: tuple[str, ...], names: Sequence[str]) -> list[Any]:
    """Some of all *pages* as options."""
    labels = page_labels(pages)
    return [_option(labels.get(name, name), name) for name in names]


def _option(label: str, name: str) -> str | dict[str, str]:
    """An option: its name alone, where that is also its label.

    The whole of a name that is cut shows in a hover; assets/dropdown.js sees to that.
    """
    return name if label == name else {"label": label, "value": name}


def _found(option: str | dict[str, str], text: str) -> str | dict[str, str]:
    """An option that was found by a text, such that the browser finds it as well.

    It looks for the text itself, and doesn't know as many ways to write a letter.
    """
    named = {"label": option, "value": option} if isinstance(option, str) else option
    if text.lower() in named["value"].lower():
        return option
    return {**named, "search": text}


def _field(label: str, *controls: Any) -> html.Div:
    """Controls with a label, each in its place: they come later, and nothing moves."""
    name = getattr(controls[0], "id", None)
    head = html.Label(label, htmlFor=name) if name else html.Span(label)
    places = [_place(control) for control in controls]
    return html.Div([head, html.Div(places)], className=f"field {label.lower()}")


def _place(control: Any) -> Any:
    if isinstance(control, html.Label):
        return control
    name = getattr(control, "id", None)
    return html.Div(control, className=f"place {name}" if name else "place")


def _dropdown(name: str, options: list[Any], **properties: Any) -> dcc.Dropdown:
    defaults = {"clearable": False, "maxHeight": 320, "optionHeight": 36}
    return dcc.Dropdown(options, id=name, **{**defaults, **properties})


def _switch(
    name: str, label: str, options: Mapping[Any, str], titles: Mapping[Any, str] = {}
) -> html.Div:
    """Radio buttons that look like one control; *titles* show in a hover."""
    return html.Div(
        dcc.RadioItems(
            [
                {"label": words, "value": value, "title": titles.get(value)}
                for value, words in options.items()
            ],
            next(iter(options)),
            id=name,
            inline=True,
            className="switch",
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
            *[html.P(id=ids.others(chart.id), className="others")] * chart.has_rows,
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
                **_data(**{"for": "spreadsheet"}),
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


def _sessions(prefix: str) -> html.Div:
    """The links to the sessions themselves."""
    href = f"{prefix}sessions.csv"
    return html.Div(
        [
            html.A(id=ids.SESSIONS, href=href, download=""),
            html.A(
                "CSV for spreadsheets",
                href=href,
                download="",
                **_data(**{"for": "spreadsheet"}),
                **_aria(label="Download these sessions for spreadsheets"),
            ),
        ],
        className="take-away",
    )


def _page_tools(facts: Facts) -> html.Section:
    """What decides which pages have a row: there where not all have one."""
    pages = facts.pages
    search = f"Search {count_text(len(pages), 'page')}"
    parts = [
        html.Label(search, htmlFor=ids.MATCH, className="unseen"),
        dcc.Input(
            id=ids.MATCH, value="", type="search", debounce=0.3, placeholder=search
        ),
        html.Div(
            _switch(ids.GROUPING, "Rows", GROUPINGS), hidden=not has_folders(pages)
        ),
        _switch(
            ids.ROWS, "Number of rows", {n: f"{n} rows" for n in get_args(view.Length)}
        ),
        html.Nav(id=ids.CRUMBS, **_aria(label="Folders")),
        html.Span(id=ids.FOUND, role="status"),
        html.Span(page_parts(pages).words, className="shared"),
    ]
    few = len(pages) <= int(get_args(view.Length)[0])
    return html.Section(
        parts, hidden=few, className="page-tools full", **_aria(label="Pages shown")
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
                    html.Dd(id=ids.tile(tile, "line"), **_aria(hidden="true")),
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
        className="wide",
        **_aria(labelledby=ids.heading(ids.USERS)),
    )


def _section(section: Section) -> html.Details:
    """A section, folded: assets/page.js opens it where the address says so."""
    heading = html.H2(section.title, id=ids.heading(section.id))
    return html.Details(
        [
            html.Summary([heading, html.Span(section.about)]),
            html.P(id=ids.problem(section.id), role="status"),
            html.Div(id=ids.body(section.id)),
        ],
        id=ids.section(section.id),
        className="section full",
        **(_data(key=section.key) if section.key else {}),
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
