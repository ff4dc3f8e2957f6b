"""The page's wiring: which changes in the browser ask for what, and who answers."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache
from typing import Any, Final, NamedTuple

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
from dash.exceptions import PreventUpdate
from flask import Flask, g, request
from werkzeug.exceptions import BadRequest, HTTPException

import controls
import downloads
import ids
import layout
import payload
import view as views
from charts import CHARTS, SECTIONS, rows, tiles, users
from charts.chart import Chart, Shown
from charts.figure import Figure, revision
from charts.section import Section
from charts.sentences import caption, filter_texts, subject_text
from charts.sides import find_before
from controls import Control, Controls, text_list, text_or_none
from engine.model import (
    CannotAnswer,
    Dropped,
    Engine,
    NotInData,
    Selection,
    Summary,
    UserPage,
)
from engine.turns import Turns
from payload import Line, Link, PagePayload, UserListPayload
from request_notes import notes_of
from view import Reading, View

_log = logging.getLogger(__name__)

_MOST_IGNORED: Final = 10
# Dash resets the value of a dropdown that isn't among its options: these go first.
_SEARCHED: Final = (ids.USER, ids.PAGES)
_TURN: Final = re.compile(r"[0-9a-f]{32}-[0-9]{1,9}")
"""The name of a turn: of the page, and its number there; see assets/turns.js."""

_Read = Callable[[str], Reading]
"""What understands an address."""


class Redrawn(NamedTuple):
    """The page for a view, without the table of users and the ranks."""

    figures: dict[str, Figure]
    """The figures, by chart."""
    page: PagePayload
    """Everything else."""


def redraw(
    engine: Engine,
    view: View,
    charts: Sequence[Chart] = CHARTS,
) -> Redrawn:
    """Make the page for a view; raises NotInData as ``Engine.summarise`` does."""
    # Charts without a filter of their own ask the same; so do all without any filter.
    answers: dict[Selection, Summary] = {}

    def summary(selection: Selection) -> Summary:
        if selection not in answers:
            answers[selection] = engine.summarise(selection)
        return answers[selection]

    filtered = summary(view.selection)
    pages = engine.facts.pages
    text = {ids.SESSIONS: downloads.link_text(filtered)}
    text[ids.FOUND] = rows.found_text(pages, view)
    lines = {ids.NOTHING: _nothing(filtered, view, pages, summary)}
    figures, tables, heights = {}, {}, {}
    made: dict[Selection, dict[Any, Any]] = {}
    for chart in charts:
        selection = chart.unfiltered(view.selection)
        parts = made.setdefault(selection, {})
        shown = Shown(view, summary(selection), filtered, parts)
        figures[chart.id] = chart.figure(shown)
        text[ids.heading(chart.id)] = chart.heading(shown)
        text[ids.finding(chart.id)] = chart.sentence(shown)
        heights[chart.id] = chart.height_of(shown)
        if chart.has_rows:
            lines[ids.others(chart.id)] = payload.more_rows(view, chart.others(shown))
        if chart.has_color_scale:
            text[ids.darkest(chart.id)] = chart.darkest(shown)
        if chart.id in view.tables:
            tables[chart.id] = payload.numbers_table(chart.numbers(shown))
    for name, tile in tiles.tiles(filtered, view).items():
        for part, words in tile._asdict().items():
            text[ids.tile(name, part)] = words
    before = find_before(engine, view, filtered.subject)
    for name, words in tiles.changes(before, view).items():
        text[ids.tile(name, "beside")] += f"\n{words}"
    address = views.address(view)
    page: PagePayload = {
        "text": text,
        "tables": tables,
        "chips": payload.chips(view, pages),
        "crumbs": payload.crumbs(view),
        "lines": lines,
        "trends": {
            ids.tile(name, "line"): values
            for name, values in tiles.lines(filtered, view).items()
        },
        "heights": heights,
        "unfiltered": views.address(views.without_filters(view)),
        "asked": address,
        "address": address,
        "caption": caption(view, pages),
    }
    return Redrawn(figures, page)


def _nothing(
    filtered: Summary,
    view: View,
    pages: tuple[str, ...],
    summary: Callable[[Selection], Summary],
) -> Line:
    """Which filter leaves no sessions, and the view without it; no words for some."""
    if filtered.subject.sessions.any():
        return {"text": "", "link": None}
    whose = "" if view.selection.user is None else f" of {subject_text(view)}"
    chips = payload.chips(view, pages)
    for name, chip in zip(filter_texts(view, pages), chips, strict=True):
        if summary(views.without(view, name).selection).subject.sessions.any():
            words = f"No sessions{whose} match {chip['text']}."
            link: Link = {"text": "Remove this filter", "address": chip["address"]}
            return {"text": words, "link": link}
    everything = views.address(views.without_filters(view))
    words = f"No sessions{whose} match these filters."
    return {"text": words, "link": {"text": "Remove them all", "address": everything}}


def list_users(engine: Engine, view: View) -> UserListPayload:
    """Make the table of users for a view, and the ranks of the picked one."""
    table = users.user_table(engine, view)
    ranks = tiles.ranks(engine, view)
    return {
        "text": {
            ids.finding(ids.USERS): users.sentence(table.page, view),
            **{ids.tile(tile, "rank"): rank for tile, rank in ranks.items()},
        },
        "users": payload.users_table(table, view),
    }


def list_nobody(view: View, words: str) -> UserListPayload:
    """The table of users where it can't be made, and words that say why."""
    nobody = users.UserTable([], UserPage([], 1, 1, 0, 0))
    return {
        "text": {
            ids.finding(ids.USERS): words,
            **{ids.tile(tile, "rank"): "" for tile in tiles.TILES},
        },
        "users": payload.users_table(nobody, view),
    }


def register(
    app: Dash,
    engine: Engine,
    charts: Sequence[Chart] = CHARTS,
    sections: Sequence[Section] = SECTIONS,
) -> None:
    """Connect the components of ``layout.build_layout`` with an engine."""
    many = {
        ids.USER: layout.searches_users(engine),
        ids.PAGES: layout.searches_pages(engine),
    }
    searched = [component for component in _SEARCHED if many[component]]
    chart_ids = frozenset(chart.id for chart in charts)

    # An address is read for the charts, for the table of users, and once more as that
    # of the page that is drawn when the next is asked for.
    @lru_cache(maxsize=64)
    def read(query: str) -> Reading:
        return views.read(query, engine, chart_ids)

    _register_redraw(app, engine, charts, searched, read)
    _register_user_list(app, engine, read)
    for section in sections:
        _register_section(app, engine, section, read)
    _register_searches(app, engine, searched)
    _register_scripts(app)
    _register_turns(app.server)


def _register_redraw(
    app: Dash,
    engine: Engine,
    charts: Sequence[Chart],
    searched: Sequence[str],
    read: _Read,
) -> None:
    """The one callback for all ways to pick: what it sets doesn't start it again."""
    redrawer = _Redrawer(engine, charts, searched, read)
    all_controls = redrawer.controls.all

    @app.callback(
        output={
            "search": Output(ids.URL, "search"),
            # Before the controls: a value that is no option yet would be reset.
            "options": [Output(component, "options") for component in searched],
            "controls": [Output(*control) for control in all_controls],
            "figures": [Output(chart.id, "figure") for chart in charts],
            "drawn": Output(ids.DRAWN, "data"),
            "page": Output(ids.PAGE, "data"),
            "problem": Output(ids.PROBLEM, "children"),
        },
        inputs={
            "search": Input(ids.URL, "search"),
            "values": [Input(*control) for control in all_controls],
        },
        state={"drawn": State(ids.DRAWN, "data")},
    )
    def show(search: object, values: list[object], drawn: object) -> dict[str, Any]:
        notes_of(request.environ).is_pick = True
        g.is_first = drawn is None
        triggered = {cause["prop_id"] for cause in ctx.triggered}
        changed = {c for c in all_controls if ".".join(c) in triggered}
        said = dict(zip(all_controls, values, strict=True))
        return redrawer.answer(search, said, changed, drawn)


class _Redrawer:
    """Answers the callback that redraws the page."""

    def __init__(
        self,
        engine: Engine,
        charts: Sequence[Chart],
        searched: Sequence[str],
        read: _Read,
    ) -> None:
        self.engine = engine
        self.charts = charts
        self.searched = searched
        self.read = read
        switches = [chart.switch for chart in charts if chart.switch is not None]
        self.controls = Controls(engine, switches)

    def answer(
        self,
        search: object,
        said: Mapping[Control, Any],
        changed: set[Control],
        drawn: object,
    ) -> dict[str, Any]:
        """What the outputs become after an address, or controls, have *changed*.

        *said* are the values of all controls, and *drawn* is what this said of the page
        before.
        """
        query = text_or_none(search) or ""
        view, ignored = self.read(query)
        before = drawn if isinstance(drawn, dict) else {}
        changed = changed | self._pending(before.get("address"), said, query, view)
        if changed:
            view, ignored = self.controls.pick(view, said, changed), []
            query = views.address(view)
        wanted = self.controls.values(view, said[controls.PERIOD])
        try:
            figures, page = redraw(self.engine, view, self.charts)
        except NotInData as error:
            raise BadRequest(str(error)) from error
        page["text"][ids.NOTICE] = _ignored_text(ignored)
        page["asked"] = query
        revisions = {chart: revision(figure) for chart, figure in figures.items()}
        # A list that was just picked from stays as it is.
        from_a_list = {controls.USER, controls.PAGES} & changed
        return {
            "search": no_update if query == search else query,
            "options": [
                no_update if from_a_list else self._options(component, view)
                for component in self.searched
            ],
            # What says so already stays as it is, and what is being typed.
            "controls": [
                no_update if said[control] == wanted[control] else wanted[control]
                for control in self.controls.all
            ],
            # A chart that stays as it is costs the browser as much as any other.
            "figures": [
                no_update if before.get(chart) == revisions[chart] else figure
                for chart, figure in figures.items()
            ],
            "drawn": {**revisions, "address": page["address"]},
            "page": page,
            "problem": "",
        }

    def _pending(
        self, address: object, said: Mapping[Control, Any], query: str, asked: View
    ) -> set[Control]:
        """The controls that say something else than the page that is drawn.

        They were picked after it and before this: Dash drops the answer to their own
        request, since this one is asked for now. What *asked*, the view of the *query*,
        changes is newer than they are.
        """
        if not isinstance(address, str):
            return set()
        before = text_or_none(address) or ""
        drawn = asked
        if before != query:
            drawn = self.read(before).view
        was, is_ = self.controls.values(drawn), self.controls.values(asked)
        differing = self.controls.differing(drawn, said)
        return {control for control in differing if was[control] == is_[control]}

    def _options(self, component: str, view: View) -> list[Any]:
        if component == ids.USER:
            return _user_options(self.engine, "", view.selection.user)
        return layout.page_options(self.engine, "", view.selection.pages)


def _ignored_text(ignored: Sequence[str]) -> str:
    if not ignored:
        return ""
    parts = list(ignored[:_MOST_IGNORED])
    if len(ignored) > len(parts):
        parts.append(f"and {len(ignored) - len(parts):,} more")
    return f"Ignored in the address: {'; '.join(parts)}."


def _register_user_list(app: Dash, engine: Engine, read: _Read) -> None:
    """The table of users, which may take longer than the charts: they don't wait."""

    @app.callback(
        Output(ids.USER_LIST, "data"),
        Input(ids.URL, "search"),
    )
    def show_users(search: object) -> Any:
        view = read(text_or_none(search) or "").view
        try:
            return list_users(engine, view)
        except Dropped:
            raise
        except CannotAnswer as error:
            # The charts are right without the table. It is no answer that a page keeps.
            data = list_nobody(view, _told(error))
            set_props(ids.USER_LIST, {"data": data})
            return no_update


def _register_section(app: Dash, engine: Engine, section: Section, read: _Read) -> None:
    """A section that may be folded: the browser asks for it only while it is open."""
    asked, answered = ids.asked(section.id), ids.answered(section.id)
    clientside: Callable[..., None] = app.clientside_callback
    clientside(
        ClientsideFunction("sections", "ask"),
        Output(asked, "data"),
        Input(ids.URL, "search"),
    )

    @app.callback(
        Output(answered, "data"), Input(asked, "data"), prevent_initial_call=True
    )
    def show_section(search: object) -> Any:
        answer: dict[str, Any] = {
            "section": section.id,
            "problem": "",
            "shown": None,
        }
        try:
            view = read(text_or_none(search) or "").view
            answer["shown"] = section.answer(engine, view)
        except (Dropped, HTTPException):
            raise
        except CannotAnswer as error:
            answer["problem"] = _told(error)
        except NotInData as error:
            raise BadRequest(str(error)) from error
        except Exception as error:
            # The charts are right without the section, which says so for itself.
            answer["problem"] = f"{_went_wrong(error)}."
        return answer

    clientside(
        ClientsideFunction("sections", "write"),
        Input(answered, "data"),
        prevent_initial_call=True,
    )


def _user_options(engine: Engine, text: str, picked: str | None) -> list[Any]:
    """The options of a search; where none can be made, one that says why."""
    try:
        return layout.user_options(engine, text, picked)
    except Dropped:
        raise
    except CannotAnswer as error:
        return layout.no_options(_told(error), text, picked)


def _register_searches(app: Dash, engine: Engine, searched: Sequence[str]) -> None:
    """The options of dropdowns that are too long for the browser to search."""

    def register_search(component: str, search: Callable[[str, object], Any]) -> None:
        @app.callback(
            Output(component, "options", allow_duplicate=True),
            Input(component, "search_value"),
            # Also when another way than the list picks what isn't in it.
            Input(component, "value"),
            prevent_initial_call=True,
        )
        def show_options(text: object, picked: object) -> list[Any]:
            options: list[Any] = search((text_or_none(text) or "").strip(), picked)
            return options

    if ids.USER in searched:
        register_search(
            ids.USER,
            lambda text, user: _user_options(engine, text, text_or_none(user)),
        )
    if ids.PAGES in searched:
        register_search(
            ids.PAGES,
            lambda text, pages: layout.page_options(engine, text, text_list(pages)),
        )


def _register_scripts(app: Dash) -> None:
    """What assets/page.js does by itself."""
    clientside: Callable[..., None] = app.clientside_callback
    for store, function in ((ids.PAGE, "writePage"), (ids.USER_LIST, "writeUsers")):
        clientside(
            ClientsideFunction("page", function),
            Input(store, "data"),
            prevent_initial_call=True,
        )
    clientside(
        ClientsideFunction("theme", "pick"),
        Output(ids.THEME, "value"),
        Input(ids.THEME, "value"),
    )


def _register_turns(server: Flask) -> None:
    """Have what a page asks for end once the page has no use for it."""
    turns = Turns()

    @server.before_request
    def take_turn() -> None:
        turns.end(_TURN.findall(request.headers.get("X-Over", "")))
        g.turn = ExitStack()
        name = request.headers.get("X-Turn", "")
        if _TURN.fullmatch(name):
            g.turn.enter_context(turns.taken(name))

    @server.teardown_request
    def give_up_turn(_: BaseException | None) -> None:
        # What was refused before has none.
        if "turn" in g:
            g.turn.close()


def _told(error: CannotAnswer) -> str:
    """The line of an error for the page, once that for the log is there."""
    notes = notes_of(request.environ)
    notes.has_failed = True
    _log.warning("%s (%s)", error.logged, notes.id)
    return str(error)


def _went_wrong(error: Exception) -> str:
    """The words for an unexpected failure, once it is in the log."""
    notes = notes_of(request.environ)
    notes.has_failed = True
    _log.error("a callback failed (%s)", notes.id, exc_info=error)
    return f"Something went wrong ({notes.id})"


def _is_first() -> bool:
    """Whether the request asks for the first view of a page, which nobody picked."""
    return bool(g.get("is_first"))


def report(error: Exception) -> None:
    """Tell an unexpected failure in one line on the page, and in full in the log.

    Both name the request. What an engine can't answer has a line of its own, in both;
    of what nobody waits for, nothing is said. What the request is to blame for goes on
    to the server as the 4xx that it is.
    """
    if isinstance(error, HTTPException):
        raise error
    if isinstance(error, Dropped):
        raise PreventUpdate
    if isinstance(error, CannotAnswer):
        so = "This pick was not drawn."
        if _is_first():
            so = "So the page can't be drawn."
        words = f"{_told(error)} {so}"
        set_props(ids.PROBLEM, {"children": words})
        return
    wrong = _went_wrong(error)
    words = f"{wrong}, and this pick was not drawn. Please try another."
    if _is_first():
        words = f"{wrong}, and the page was not drawn."
    set_props(ids.PROBLEM, {"children": words})
