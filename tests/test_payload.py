"""What is sent to assets/page.js, and that page.js takes it for what it is."""

import re
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pandas as pd
import pytest

import callbacks
import ids
import payload
from app import create_app
from charts import CHARTS, SECTIONS
from charts.users import user_table
from engine.memory import MemoryEngine
from engine.model import Selection
from layout import build_layout
from payload import (
    Line,
    Link,
    NumbersTable,
    PagePayload,
    UserListPayload,
    UsersTable,
    chips,
    crumbs,
    more_rows,
    numbers_table,
    users_table,
)
from tests.building import MARCH, engine_of, view_of
from tests.sessions import ROWS, Row, table
from tests.test_layout import ORIGIN
from view import View, address

ASSETS = Path(__file__).parents[1] / "assets"
SCRIPT = "\n".join(path.read_text() for path in sorted(ASSETS.glob("*.js")))
PAGES = ("cart", "help", "home")


CODE = re.sub(r"(?m)(^|\s)//.*$", "", SCRIPT)
"""The scripts without their comments."""


# What is sent.


def test_a_chip_is_a_filter_and_the_way_to_remove_it() -> None:
    view = view_of(
        "ann",
        start=date(2024, 3, 1),
        pages=("cart", "home"),
        longest=60,
        statistic="p90",
        users_page=3,
    )
    head = "?user=ann"
    assert chips(view, PAGES) == [
        {
            "text": "from 1 March 2024",
            "address": f"{head}&page=cart&page=home&max=60&stat=p90",
        },
        {
            "text": "cart and home",
            "address": f"{head}&from=2024-03-01&max=60&stat=p90",
        },
        {
            "text": "under 1 min",
            "address": f"{head}&from=2024-03-01&page=cart&page=home&stat=p90",
        },
    ]
    assert chips(view_of("ann", users_page=3), PAGES) == []
    between = view_of(shortest=10, longest=60, **MARCH)
    assert [chip["address"] for chip in chips(between, PAGES)] == [
        *("?user=&min=10&max=60", "?user=&from=2024-03-01&to=2024-04-01")
    ]


def test_folders_lead_back_to_all_of_them() -> None:
    assert crumbs(View()) == []
    assert crumbs(view_of(folder="")) == []
    head = "?user=&folder="
    assert crumbs(view_of(folder="/shop/blue/")) == [
        {"text": "All folders", "address": head},
        {"text": "/shop/", "address": f"{head}/shop/"},
        {"text": "/shop/blue/", "address": f"{head}/shop/blue/"},
    ]


def test_more_rows_can_be_asked_for_until_there_are_200() -> None:
    words = "7 other pages: 2 h of everyone's time."
    fifty: Link = {"text": "Show 50 rows", "address": "?user=&rows=50"}
    assert more_rows(View(), words) == {"text": words, "link": fifty}
    many: Link = {"text": "Show 200 rows", "address": "?user=&rows=200"}
    assert more_rows(view_of(length="50"), words) == {"text": words, "link": many}
    assert more_rows(view_of(length="200"), words) == {"text": words, "link": None}
    assert more_rows(View(), "") == {"text": "", "link": None}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(("home", "home"), (True, "yes"), (np.False_, "no"), (7, "7")),
        *((12_345, "12,345"), (np.int64(0), "0"), (0.5, "0.5"), (float("nan"), "–")),
        *((None, "–"), (3.0, "3"), (12.3456, "12.35"), (999.94, "999.9")),
        *((1_234.5, "1,234"), (12_345.67, "12,346"), (0.000012345, "0.00001234")),
    ],
)
def test_a_cell_is_short_and_never_has_an_exponent(value: Any, text: str) -> None:
    frame = pd.DataFrame({"x": pd.Series([value], dtype=object)})
    assert numbers_table(frame) == {"head": ["x"], "rows": [[text]]}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0 s"), (0.5, "0.5 s"), (0.001, "0.001 s"), (0.949, "0.949 s")),
        *((0.96, "1 s"), (1.26, "1.3 s"), (90, "1 min 30 s"), (7_200, "2 h")),
        *((0.000012, "0.000012 s"), (float("nan"), "–")),
    ],
)
def test_a_column_of_seconds_has_durations(seconds: float, text: str) -> None:
    frame = pd.DataFrame({"time (s)": [seconds], "n": [1]})
    assert numbers_table(frame) == {"head": ["time", "n"], "rows": [[text, "1"]]}


def test_the_table_of_users_is_of_its_view(engine: MemoryEngine) -> None:
    view = view_of("bob", sort="user", reverse=True, search="b", users_page=2)
    assert users_table(user_table(engine, view), view) == {
        "head": {
            "user": "User",
            "time": "Total time",
            "sessions": "Sessions",
            "days": "Active days",
            "median": "Median",
            "last": "Last seen",
        },
        "rows": [["bob", "1 min", "3", "1", "30 s", "2024-02-29 08:02"]],
        "labels": ["bob"],
        "picked": "bob",
        "sort": "user",
        "reverse": True,
        # There is but one.
        "page": 1,
        "pages": 1,
        "address": address(view),
    }
    assert users_table(user_table(engine, View()), View())["picked"] is None


def keys(kind: type) -> set[str]:
    return set(get_type_hints(kind))


def test_what_is_sent_is_what_the_types_say(engine: MemoryEngine) -> None:
    view = view_of("ann", tables=("hours",), **MARCH)
    page = callbacks.redraw(engine, view).page
    assert set(page) == keys(PagePayload)
    assert [set(chip) for chip in page["chips"]] == [keys(Link)]
    assert {frozenset(line) for line in page["lines"].values()} == {
        frozenset(keys(Line))
    }
    assert [set(numbers) for numbers in page["tables"].values()] == [keys(NumbersTable)]
    listed = callbacks.list_users(engine, view)
    assert set(listed) == keys(UserListPayload)
    assert set(listed["users"]) == keys(UsersTable)


@pytest.mark.parametrize("name", ["everyone", "Everyone", "average user"])
def test_a_user_who_is_named_everyone_is_not_in_the_caption(name: str) -> None:
    rows: list[Row] = [(name, *row[1:]) for row in ROWS[:2]]
    engine = engine_of([*rows, *ROWS])
    page = callbacks.redraw(engine, view_of(name, **MARCH)).page
    assert page["caption"] == f"user “{name}”, March 2024"
    assert callbacks.redraw(engine, View()).page["caption"] == "everyone"


# What page.js takes.


def function(name: str) -> str:
    """The code of a function of page.js."""
    found = re.search(rf"(?ms)^( *)function {name}\(.*?^\1\}}$", CODE)
    assert found is not None, name
    return found[0]


def parameter(name: str) -> set[str]:
    """The keys that a function takes out of its first parameter, an object."""
    (pattern,) = re.findall(rf"function {name}\(\{{([^}}]*)\}}", function(name))
    return {key.strip() for key in pattern.split(",")}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("writePage", PagePayload),
        ("writeUsers", UserListPayload),
        ("usersTable", UsersTable),
        ("numbersTable", NumbersTable),
    ],
)
def test_the_script_takes_exactly_what_is_sent(name: str, kind: type) -> None:
    assert parameter(name) == keys(kind)
    code = function(name).partition(")")[2]
    for key in keys(kind):
        assert re.search(rf"\b{key}\b", code), f"{name} takes {key} for nothing"


def test_the_script_takes_exactly_what_is_in_a_link() -> None:
    patterns = re.findall(r"chips\.map\(\(\{([^}]*)\}\)", function("chipsLine"))
    patterns += re.findall(r"const linkTo = \(\{([^}]*)\}", CODE)
    assert len(patterns) == 2
    for pattern in patterns:
        assert {key.strip() for key in pattern.split(",")} == keys(Link)
    (pattern,) = re.findall(r"function writeLine\(id, \{([^}]*)\}", CODE)
    assert {key.strip() for key in pattern.split(",")} == keys(Line)


def test_of_what_is_drawn_the_script_asks_only_what_it_keeps() -> None:
    (kept,) = re.findall(r"\bdrawn = \{([^}]+)\};", CODE)
    keeps = {key.strip() for key in kept.split(",")}
    assert keeps == keys(PagePayload)
    asked = set(re.findall(r"(?<!\")\bdrawn\.(\w+)", CODE))
    for pattern in re.findall(r"\{([^{}]*(?:\{\}[^{}]*)?)\} = drawn\b", CODE):
        asked |= {key.split("=")[0].strip() for key in pattern.split(",")}
    assert asked <= keeps


def test_the_script_writes_the_texts_under_the_ids_that_it_is_sent(
    engine: MemoryEngine,
) -> None:
    view = view_of("ann", tables=tuple(chart.id for chart in CHARTS))
    drawn = callbacks.redraw(engine, view).page
    text = {
        **drawn["text"],
        **drawn["lines"],
        **drawn["trends"],
        **callbacks.list_users(engine, view)["text"],
        ids.NOTICE: "",
    }
    page: Any = build_layout(engine, ORIGIN, CHARTS)
    there = {component.id for component in page._traverse_ids()}
    assert set(text) <= there


def id_names() -> set[str]:
    """The ids that ids.py names, but for those of parts."""
    return {
        value
        for name, value in vars(ids).items()
        if name.isupper() and isinstance(value, str)
    }


def suffixes() -> set[str]:
    """The endings of the ids of a chart's parts."""
    parts = (ids.section, ids.heading, ids.finding, ids.details, ids.table)
    more = (ids.darkest, ids.others)
    return {part("x").removeprefix("x") for part in (*parts, *more)}


def test_the_script_knows_no_ids_but_those_of_ids() -> None:
    named = set(re.findall(r"getElementById\(\"([^\"]+)\"\)", CODE))
    named |= set(re.findall(r"set_props\(\"([^\"]+)\"", CODE))
    named |= set(re.findall(r"\bid: \"([^\"]+)\"", CODE))
    named |= {
        found
        for text in re.findall(r"\"([^\"\n]*)\"", CODE)
        for found in re.findall(r"#([a-z][\w-]*)", text)
    }
    assert {"chips", "connection", "url"} <= named
    known = id_names() | {
        f"{name}{ending}" for name in [ids.USERS] for ending in suffixes()
    }
    known |= {ids.body(section.id) for section in SECTIONS}
    # Dash's own.
    known |= {f"{ids.DATES}-wrapper", "_dash-config"}
    # Of an element that the script makes for a field beside it.
    known |= {"compare-users"}
    # A colour isn't an id.
    assert {name for name in named if not re.fullmatch("[0-9a-f]{6}", name)} <= known


def test_the_script_knows_no_parts_of_charts_but_those_of_ids() -> None:
    endings = set(re.findall(r"\$\{chart\}(-[\w-]+)", CODE))
    endings |= set(re.findall(r"\.replace\(\"(-[a-z]+)\", \"\"\)", CODE))
    endings |= set(re.findall(r"\(\.\*\)(-[a-z]+)\$", CODE))
    assert {"-table", "-details", "-heading", "-section"} == endings
    assert endings <= suffixes()
    parts = {
        of("x").removeprefix("x")
        for of in (ids.asked, ids.answered, ids.body, ids.problem, ids.section)
    }
    assert set(re.findall(r"\$\{section\}(-[\w-]+)", CODE)) == parts


def test_every_element_that_the_script_looks_up_is_checked_here() -> None:
    lookups = re.findall(r"(?:getElementById|querySelector(?:All)?)\(([^()]*)", CODE)
    assert len(lookups) > 10
    for lookup in lookups:
        assert re.fullmatch(
            # A text, a template of a chart or section, or a name that holds an id.
            r"\"[^\"]*\"|`#?\$\{(?:chart|section)\}[^`]*`|id|selector",
            lookup.strip(),
        ), lookup


def test_the_script_has_each_function_that_is_called_and_no_other() -> None:
    start = CODE.index("window.dash_clientside = ")
    (found,) = re.findall(r"\{page: \{\n(.*?)\n    \}\}\);", CODE[start:], re.DOTALL)
    has = set(re.findall(r"(?m)^        (\w+)\([^)]*\) \{$", found))
    app = create_app(table(ROWS))
    called = {
        (part["namespace"], part["function_name"])
        for callback in app.server.test_client().get("/_dash-dependencies").json
        if (part := callback["clientside_function"])
    }
    sections = {("sections", name) for name in ("ask", "write")}
    assert called == {("theme", "pick"), *(("page", name) for name in has), *sections}
    assert has == {"writePage", "writeUsers"}


def test_the_script_picks_by_what_figures_say() -> None:
    patterns = {name: parameter(name) for name in ("nameEdit", "rangeEdit")}
    assert patterns == {
        "nameEdit": {"key", "names", "opens"},
        "rangeEdit": {"keys", "edges", "end"},
    }
    rows: list[Row] = [("ann", f"/{i // 2}/{i}", 1, "2024-01-01") for i in range(4)]
    metas: list[dict[str, Any]] = [
        callbacks.redraw(engine, view).figures[chart.id]["layout"].get("meta", {})
        for chart in CHARTS
        for engine, view in (
            (engine_of(ROWS), View()),
            (engine_of(rows), view_of(folder="")),
        )
    ]
    allowed = [
        *({"key", "names"}, {"key", "names", "opens"}),
        *({"keys", "edges"}, {"keys", "end"}, set()),
    ]
    assert all(set(meta) in allowed for meta in metas)


def test_the_script_knows_the_keys_of_the_address() -> None:
    (pattern,) = re.findall(r"LIST_KEYS = \[([^\]]*)\]", CODE)
    filtered = view_of(pages=("home",), shortest=1, longest=2, search="x", **MARCH)
    for field in fields(Selection):
        if field.name != "user":
            is_set = getattr(filtered.selection, field.name) != field.default
            assert is_set, f"the view has no filter {field.name}"
    query = address(filtered)
    in_address = [part.split("=")[0] for part in query[1:].split("&")]
    assert re.findall(r"\"(\w+)\"", pattern) == [
        key for key in in_address if key != "user"
    ]
    for key, view in (
        ("sheet", view_of(users_page=2)),
        ("sort", view_of(sort="user")),
        ("table", view_of(tables=("hours",))),
        ("folder", view_of(folder="/")),
    ):
        assert re.search(rf"\b{key}: |\"{key}\"", CODE)
        assert f"&{key}=" in address(view)


def test_the_types_of_payloads_are_all_here() -> None:
    kinds = {
        value
        for value in vars(payload).values()
        if isinstance(value, type) and value.__module__ == "payload"
    }
    assert kinds == {
        *(Line, Link, NumbersTable, PagePayload, UserListPayload, UsersTable),
    }
