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
from charts.sentences import filter_texts
from charts.users import COLUMNS, UserTable
from formatting import duration_text
from view import View


class Chip(TypedDict):
    """A filter that is set, and the way to remove it."""

    text: str
    address: str
    """The address of the view without this filter."""


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
    chips: list[Chip]
    unfiltered: str
    """The address of the view without any filter."""
    asked: str
    """The address that was asked for."""
    address: str
    """The address of what is shown."""
    caption: str
    """The user and the filters in words, for files and paper."""
    controls: dict[str, dict[str, Any]]
    """What each control says for this view, by id and property."""


class UserListPayload(TypedDict):
    """Everything that page.js writes for the table of users."""

    text: dict[str, str]
    """Texts by the ids of their elements."""
    users: UsersTable


def chips(view: View) -> list[Chip]:
    """The filters of a view."""
    default = views.View().selection
    fields = {
        "dates": ("start", "end"),
        "pages": ("pages",),
        "durations": ("shortest", "longest"),
    }
    found: list[Chip] = []
    for name, text in filter_texts(view).items():
        unset = {field: getattr(default, field) for field in fields[name]}
        selection = replace(view.selection, **unset)
        without = replace(view, selection=selection, users_page=None)
        found.append({"text": text, "address": views.address(without)})
    return found


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
