"""What the server sends to assets/page.js besides figures: texts, links and tables.

The elements are made in the browser, since sent by Dash they would be ten times as
long, and since each property that Dash itself sets has every component look whether it
is meant.
"""

from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
import pandas as pd

import view as views
from charts.folders import way_to
from charts.sentences import filter_texts
from charts.users import COLUMNS, UserTable
from formatting import duration_text, one_line, shorten
from labels import LONGEST_PAGE, LONGEST_USER, distinct
from view import View


class Link(TypedDict):
    """A way to another view."""

    text: str
    address: str
    """The address of that view."""


class Line(TypedDict):
    """A sentence with what can be done about it."""

    text: str
    link: Link | None


class NumbersTable(TypedDict):
    """A chart's numbers as a table."""

    head: list[str]
    rows: list[list[str]]


class UsersTable(TypedDict):
    """A page of the table of users."""

    head: dict[str, str]
    """The headings, by the value of ``sort`` in the address."""
    rows: list[list[str]]
    """The cells of each row; the first is the user's name."""
    labels: list[str]
    """The names as they are shown where there is room, told apart."""
    picked: str | None
    """The picked user."""
    sort: str
    reverse: bool
    page: int
    pages: int
    address: str
    """The address of the view that the table is of."""


class PagePayload(TypedDict):
    """Everything that page.js writes for a view."""

    text: dict[str, str]
    """Texts by the ids of their elements."""
    tables: dict[str, NumbersTable]
    """The open tables, by chart."""
    chips: list[Link]
    """The filters that are set, each with the view without it."""
    crumbs: list[Link]
    """The way from all pages to the folder that is open."""
    lines: dict[str, Line]
    """Sentences by the ids of their elements."""
    trends: dict[str, str]
    """The tiles' small lines by the ids of their elements, see ``tiles.lines``."""
    heights: dict[str, int]
    """The heights of charts in pixels."""
    unfiltered: str
    """The address of the view without any filter."""
    asked: str
    """The address that was asked for."""
    address: str
    """The address of what is shown."""
    caption: str
    """The user and the filters in words, for files and paper."""


class UserListPayload(TypedDict):
    """Everything that page.js writes for the table of users."""

    text: dict[str, str]
    """Texts by the ids of their elements."""
    users: UsersTable


def chips(view: View, pages: tuple[str, ...]) -> list[Link]:
    """The filters of a view of some *pages*, each with the view without it."""
    return [
        {"text": text, "address": views.address(views.without(view, name))}
        for name, text in filter_texts(view, pages).items()
    ]


def crumbs(view: View) -> list[Link]:
    """The folders from the top to the one that is open; none where none is."""
    if not view.folder:
        return []
    links: list[Link] = [
        {"text": "All folders", "address": views.address(replace(view, folder=""))}
    ]
    for folder in way_to(view.folder):
        to = views.address(replace(view, folder=folder))
        links.append({"text": shorten(one_line(folder), LONGEST_PAGE), "address": to})
    return links


def more_rows(view: View, text: str) -> Line:
    """A chart's sentence about the others, with a link to more rows if there can be."""
    longer = views.longer(view.length)
    if not text or longer is None:
        return {"text": text, "link": None}
    to = views.address(replace(view, length=longer))
    return {"text": text, "link": {"text": f"Show {longer} rows", "address": to}}


def numbers_table(numbers: pd.DataFrame) -> NumbersTable:
    """Format the numbers of a chart; columns whose names end in "(s)" are durations."""
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


def users_table(table: UserTable, view: View) -> UsersTable:
    """The table of users of a view."""
    return {
        "head": {str(column): heading for column, heading in COLUMNS.items()},
        "rows": table.rows,
        "labels": distinct([row[0] for row in table.rows], LONGEST_USER),
        "picked": view.selection.user,
        "sort": view.sort,
        "reverse": view.reverse,
        "page": table.page.page,
        "pages": table.page.n_pages,
        "address": views.address(view),
    }


def _cell(value: Any, is_seconds: bool) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if is_seconds:
        if value >= 0.95 or not value:
            return duration_text(value)
        return f"{_few_digits(value)} s"
    return _few_digits(value) if value < 1_000 and value % 1 else f"{value:,.0f}"


def _few_digits(value: float) -> str:
    """Four digits of a number below 1,000, never with an exponent."""
    return np.format_float_positional(value, 4, fractional=False, trim="-")
