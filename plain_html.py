"""Parts of the layout that Dash never changes, as plain HTML.

Dash looks at each of its components again at each change of any: a hundred headings,
lines and links, which only assets/page.js writes, would take a tenth of a pick's time.
"""

from collections.abc import Callable, Collection
from html import escape
from typing import Any, Final

from dash.development.base_component import Component

_VOID: Final = frozenset({"br", "hr", "img"})
_NONE: Final[list[str]] = []
_PROPERTIES: Final = ["attributes", "html", "tag"]
_NAMES: Final = {"className": "class", "htmlFor": "for"}


class Plain(Component):
    """An element that Dash makes once; assets/plain.js has its other half.

    *tag* and *attributes*, in the names of React, are of the element itself, *html* is
    what is in it.
    """

    _children_props = _NONE
    _base_nodes = _NONE
    _namespace = "plain_html"
    _type = "Plain"
    _prop_names = _PROPERTIES
    _valid_wildcard_attributes = _NONE
    available_properties = _PROPERTIES
    available_wildcard_properties = _NONE

    tag: str
    attributes: dict[str, Any]
    html: str

    def __init__(self, tag: str, attributes: dict[str, Any], html: str) -> None:
        init: Callable[..., None] = super().__init__
        init(tag=tag, attributes=attributes, html=html)


def flatten(node: Any, kept: Collection[str]) -> Any:
    """A layout with each largest part that is nothing but elements as a ``Plain``.

    What has one of the ids *kept*, or is in a component other than of ``dash.html``,
    stays.
    """
    if isinstance(node, list | tuple):
        return [flatten(part, kept) for part in node]
    if not isinstance(node, Component):
        return node
    if _is_plain(node, kept):
        props = _props(node)
        inside = _html(props.pop("children", None))
        return Plain(tag=_tag(node), attributes=props, html=inside)
    if node._namespace == "dash_html_components":
        node.children = flatten(getattr(node, "children", None), kept)
    return node


def _is_plain(node: Any, kept: Collection[str]) -> bool:
    if isinstance(node, list | tuple):
        return all(_is_plain(part, kept) for part in node)
    if not isinstance(node, Component):
        return True
    return (
        node._namespace == "dash_html_components"
        and getattr(node, "id", None) not in kept
        and _is_plain(getattr(node, "children", None), kept)
    )


def _props(node: Component) -> dict[str, Any]:
    as_json: Callable[[], dict[str, Any]] = node.to_plotly_json
    return dict(as_json()["props"])


def _tag(node: Component) -> str:
    return str(node._type).lower()


def _html(node: Any) -> str:
    if node is None:
        return ""
    if isinstance(node, list | tuple):
        return "".join(map(_html, node))
    if not isinstance(node, Component):
        return escape(str(node))
    props = _props(node)
    inside = _html(props.pop("children", None))
    tag = _tag(node)
    # Sorted, since the order of attributes of a component is not settled.
    start = f"<{tag}{''.join(map(_attribute, sorted(props.items())))}>"
    return start if tag in _VOID else f"{start}{inside}</{tag}>"


def _attribute(item: tuple[str, Any]) -> str:
    name, value = item
    if value is None or value is False:
        return ""
    if isinstance(value, dict):
        value = ";".join(f"{key}:{part}" for key, part in value.items())
    name = _NAMES.get(name, name.lower())
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
