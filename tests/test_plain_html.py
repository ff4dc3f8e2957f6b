"""Parts of the layout as plain HTML: nothing is lost, and Dash has what it changes."""

import re
from collections.abc import Iterator
from typing import Any

from dash import dcc, html

import ids
import layout
from app import create_app
from charts import CHARTS
from plain_html import flatten
from tests.building import engine_of
from tests.sessions import ROWS, table
from tests.test_layout import ORIGIN


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """The components of a layout that was sent."""
    if isinstance(node, list):
        for part in node:
            yield from nodes(part)
    elif isinstance(node, dict) and "props" in node:
        yield node
        for value in node["props"].values():
            yield from nodes(value)


def sent() -> list[dict[str, Any]]:
    """The components that the browser makes of the page."""
    client = create_app(table(ROWS)).server.test_client()
    return list(nodes(client.get("/_dash-layout").json))


def plain_ids(found: list[dict[str, Any]]) -> list[str]:
    """The ids of elements that Dash doesn't know."""
    plain = [node["props"] for node in found if node["namespace"] == "plain_html"]
    own = [props["attributes"].get("id") for props in plain]
    return [name for name in own if name] + [
        name for props in plain for name in re.findall(r' id="([^"]+)"', props["html"])
    ]


def test_text_and_attributes_are_as_they_were() -> None:
    more: Any = {"data-x": "'", "aria-hidden": "true"}
    tree = html.Div(
        [
            "a < b & c",
            html.Label(["x", html.Br()], htmlFor="name", className="w", hidden=False),
            html.A("go", href='?page="1"&x', title=None, tabIndex=0),
            html.P(None, style={"--height": "3px", "color": "red"}, hidden=True),
            html.Span(7, **more),
        ],
        id="here",
        className="top",
    )
    plain = flatten(tree, ())
    assert (plain.tag, plain.attributes) == ("div", {"id": "here", "className": "top"})
    assert plain.html == (
        "a &lt; b &amp; c"
        '<label class="w" for="name">x<br></label>'
        '<a href="?page=&quot;1&quot;&amp;x" tabindex="0">go</a>'
        '<p hidden style="--height:3px;color:red"></p>'
        '<span aria-hidden="true" data-x="&#x27;">7</span>'
    )


def test_what_dash_changes_stays_and_what_is_in_it() -> None:
    tree = html.Div([html.P("a", id="kept"), html.P("b"), html.Div(dcc.Store("s"))])
    flat = flatten(tree, {"kept"})
    kept, plain, around = flat.children
    assert (kept.id, kept.children) == ("kept", "a")
    assert (plain.tag, plain.html) == ("p", "b")
    assert around.children.id == "s"


def test_no_callback_is_about_plain_html() -> None:
    app = create_app(table(ROWS))
    text = app.server.test_client().get("/_dash-dependencies").get_data(as_text=True)
    found = plain_ids(sent())
    assert ids.heading(CHARTS[0].id) in found
    for name in (*found, "tile-sessions-value"):
        assert f'"{name}"' not in text
        assert f"..{name}." not in text
        assert f'"{name}.' not in text


def test_every_id_of_the_layout_is_on_the_page_once() -> None:
    page: Any = layout.build_layout(engine_of(ROWS), ORIGIN, CHARTS)
    named = [part.id for part in page._traverse() if getattr(part, "id", None)]
    found = sent()
    there = [node["props"]["id"] for node in found if "id" in node["props"]]
    there += plain_ids(found)
    assert len(there) == len(set(there))
    assert set(named) <= set(there)
