"""A view as one file: what is shown, to be kept and read without the server."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Final

import pandas as pd
from dash import Dash
from flask import Flask, Response, request

import ids
import view as views
from callbacks import list_users, redraw
from charts import SECTIONS
from charts.chart import Chart
from charts.figure import EVERYONE_COLOR, USER_COLOR
from charts.section import Section
from charts.tiles import TILES
from downloads import attach
from engine.model import Engine
from formatting import instant_text
from layout import TITLE
from payload import NumbersTable, UsersTable, numbers_table
from view import View

_TILE_PARTS: Final = {"label": "dt", "value": "dd", "beside": "dd", "rank": "dd"}
_INVITATION: Final = " Click one to see them."

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The Content-Security-Policy of the file: it runs nothing and asks for nothing."""

_STYLE: Final = f"""
:root {{
    color-scheme: light dark;
    --page: light-dark(#f4f6f8, #0f1318);
    --card: light-dark(#ffffff, #181d24);
    --ink: light-dark(#1f2733, #e4e8ee);
    --soft: light-dark(#566070, #a3adba);
    --line: light-dark(#e3e7ec, #2b323c);
}}
* {{ box-sizing: border-box; }}
body {{
    max-width: 1100px;
    margin: 0 auto;
    padding: 20px clamp(12px, 2.5vw, 40px) 40px;
    background: var(--page);
    color: var(--ink);
    font: 16px/1.5 system-ui, sans-serif;
    overflow-wrap: anywhere;
}}
h1, h2, p, dl, dd, figure {{ margin: 0; }}
h1 {{ font-size: 1.5rem; line-height: 1.2; }}
h2 {{ font-size: 1.05rem; }}
p, dd {{ color: var(--soft); font-size: 0.9rem; }}
.caption, dt + dd {{ color: var(--ink); font-size: 1.15rem; }}
dl, section {{ margin-top: 16px; }}
dl {{
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(150px, 1fr));
    gap: 16px;
}}
dl > div, section {{
    min-width: 0;
    padding: 12px 16px;
    border: 1px solid var(--line);
    border-radius: 10px;
    background: var(--card);
}}
dt {{ font-size: 0.85rem; font-weight: 600; }}
dd {{ white-space: pre-line; }}
figure:empty {{ display: none; }}
figure img {{ display: block; max-width: 100%; margin: 8px 0; background: #ffffff; }}
.scale span {{
    display: inline-block;
    width: 90px;
    height: 10px;
    background: linear-gradient(to right, transparent, {EVERYONE_COLOR});
}}
.scale.user span {{
    background: linear-gradient(to right, transparent, {USER_COLOR});
}}
summary {{ width: max-content; font-size: 0.8rem; cursor: pointer; }}
.wide {{ overflow-x: auto; }}
table {{
    width: 100%;
    border-collapse: collapse;
    font-size: 0.8rem;
    font-variant-numeric: tabular-nums;
}}
th, td {{ padding: 4px 8px; border-bottom: 1px solid var(--line); text-align: right; }}
:is(th, td):first-child {{ padding-left: 0; text-align: left; }}
td:first-child {{ min-width: 10rem; }}
[aria-current] {{ font-weight: 600; }}
@media print {{
    @page {{ size: A4; margin: 12mm; }}
    :root {{ color-scheme: light; }}
    body {{ padding: 0; background: none; }}
    dl > div, section {{ break-inside: avoid; }}
    section:has([open]) {{ break-inside: auto; }}
    details:not([open]) {{ display: none; }}
}}
"""


def register(
    app: Dash, engine: Engine, charts: Sequence[Chart], data_line: str
) -> None:
    """Serve ``view.html`` beside the page; its query is that of the page's address.

    *data_line* is the page's own line about the data.
    """
    server: Flask = app.server
    chart_ids = frozenset(chart.id for chart in charts)

    @server.get(f"{app.config.routes_pathname_prefix}view.html")
    def saved_view() -> Response:
        query = request.query_string.decode("ascii", "replace")
        view = views.read(query, engine, chart_ids).view
        now = pd.Timestamp.now(engine.facts.timezone)
        text, caption = document(engine, view, charts, data_line, now)
        response = Response(text, content_type="text/html; charset=utf-8")
        return attach(response, f"User activity, {caption}", ".html")


def document(
    engine: Engine,
    view: View,
    charts: Sequence[Chart],
    data_line: str,
    now: pd.Timestamp,
    sections: Sequence[Section] = SECTIONS,
) -> tuple[str, str]:
    """A view as an HTML document, and its caption.

    It has all that is shown but the pictures: each chart has its numbers as a table,
    open where it is open on the page, and an empty ``<figure data-chart="id">``, in
    which the browser puts the picture that it has drawn. Of *sections* it has those
    that are open. Raises NotInData as ``Engine.summarise`` does.
    """
    with_tables = replace(view, tables=tuple(chart.id for chart in charts))
    page = redraw(engine, with_tables, charts).page
    listed = list_users(engine, view)
    text = {**page["text"], **listed["text"]}
    lines = {id_: line["text"] for id_, line in page["lines"].items()}
    whose = "everyone" if view.selection.user is None else "user"
    zone = engine.facts.timezone
    body = [
        _element("h1", escape(TITLE)),
        _paragraph(page["caption"], "caption"),
        _paragraph(data_line),
        _paragraph(f"Saved on {instant_text(now)} ({zone})."),
        _paragraph(lines[ids.NOTHING]),
        _tiles(text),
        *(
            _element(
                "section",
                _element("h2", escape(text[ids.heading(chart.id)])),
                _paragraph(text[ids.finding(chart.id)]),
                _color_scale(text.get(ids.darkest(chart.id), ""), whose),
                _element("figure", data_chart=chart.id),
                _paragraph(lines.get(ids.others(chart.id), "")),
                _numbers(page["tables"][chart.id], is_open=chart.id in view.tables),
            )
            for chart in charts
        ),
        _users(listed["users"], text[ids.finding(ids.USERS)]),
        *(_section(section, engine, view) for section in sections),
    ]
    return _whole(f"{page['caption']}: {TITLE}", body), page["caption"]


def _whole(title: str, body: Iterable[str]) -> str:
    head = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        _element("title", escape(title)),
        _element("style", _STYLE),
    ]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        *head,
        "</head>",
        "<body>",
    ]
    return "\n".join([*parts, *filter(None, body), "</body>", "</html>", ""])


def _element(tag: str, *inside: str, **attributes: str) -> str:
    """An element around what is HTML already; ``_`` in a name stands for ``-``."""
    words = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{words}>{''.join(inside)}</{tag}>"


def _paragraph(text: str, class_: str = "") -> str:
    """A paragraph of plain text; nothing without one."""
    attributes = {"class_": class_} if class_ else {}
    return _element("p", escape(text), **attributes) if text else ""


def _tiles(text: Mapping[str, str]) -> str:
    tiles = []
    for tile in TILES:
        parts = {part: text[ids.tile(tile, part)] for part in _TILE_PARTS}
        inside = (
            _element(_TILE_PARTS[part], escape(words))
            for part, words in parts.items()
            if words
        )
        tiles.append(_element("div", *inside))
    return _element("dl", *tiles)


def _color_scale(darkest: str, whose: str) -> str:
    """What the colours of a chart stand for; nothing where they stand for nothing."""
    if not darkest:
        return ""
    return _element("p", "0 <span></span> ", escape(darkest), class_=f"scale {whose}")


def _numbers(numbers: NumbersTable, *, is_open: bool) -> str:
    rows = (
        _element("tr", *(_element("td", escape(cell)) for cell in row))
        for row in numbers["rows"]
    )
    table = _table(numbers["head"], rows)
    state = {"open": ""} if is_open else {}
    return _element("details", "<summary>Table</summary>", table, **state)


def _section(section: Section, engine: Engine, view: View) -> str:
    """A section in words and numbers; nothing where it is folded."""
    if not section.is_open(view):
        return ""
    frame = section.numbers(engine, view)
    return _element(
        "section",
        _element("h2", escape(section.title)),
        _paragraph(section.answer(engine, view)["finding"]),
        "" if frame.empty else _numbers(numbers_table(frame), is_open=True),
    )


def _users(users: UsersTable, sentence: str) -> str:
    """The shown page of the table of users."""
    rows = []
    for (user, *rest), label in zip(users["rows"], users["labels"], strict=True):
        picked = {"aria_current": "true"} if user == users["picked"] else {}
        # The label is short; the name is in the file all the same.
        name = _element("td", escape(label), title=user)
        cells = (_element("td", escape(cell)) for cell in rest)
        rows.append(_element("tr", name, *cells, **picked))
    n_pages = users["pages"]
    return _element(
        "section",
        _element("h2", "Users"),
        _paragraph(sentence.removesuffix(_INVITATION)),
        _table(users["head"].values(), rows),
        _paragraph(f"Page {users['page']:,} of {n_pages:,}." if n_pages > 1 else ""),
    )


def _table(head: Iterable[str], rows: Iterable[str]) -> str:
    names = (_element("th", escape(name), scope="col") for name in head)
    inside = (
        _element("thead", _element("tr", *names)),
        _element("tbody", *rows),
    )
    return _element("div", _element("table", *inside), class_="wide")
