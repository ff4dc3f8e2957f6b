"""The import contract and the limit of length, over the source of the product."""

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.programs import MODULES

LAYERS = (
    {"__main__"},
    {"app"},
    {"arguments", "saved_view", "uploads"},
    {"callbacks", "databases", "serving"},
    {"downloads", "identity", "plain_html", "security", "static_files"},
    {"controls"},
    {"layout", "payload"},
    {"charts"},
    {"view"},
    {"versus"},
    {"engine", "sources", "simulate"},
    {"labels"},
    {"request_notes"},
    {"formatting", "hosts", "ids", "schema", "dates", "output", "starting"},
)
"""The rooms, from the top down: each imports from those below it alone."""

NEVER = {
    "engine": {"dash", "plotly", "flask", "sources", "simulate"},
    "sources": {"dash", "plotly", "flask", "engine"},
    "simulate": {"dash", "plotly", "flask", "sources", "engine"},
    "charts": {"dash", "flask", "sources", "simulate", "engine.memory"},
    "view": {"dash", "flask", "ids", "sources", "engine.memory"},
    "layout": {"engine.memory"},
    "payload": {"dash", "engine.memory"},
    "controls": {"dash", "engine.memory"},
    "callbacks": {"engine.memory"},
    "downloads": {"engine.memory"},
    "saved_view": {"engine.memory"},
    "uploads": {"charts", "engine.memory"},
    "serving": {"charts", "dash", "engine", "layout", "sources", "view"},
    "static_files": {"charts", "engine", "sources", "view"},
}
"""What a room doesn't import, though layers let it."""

CHARTS = (
    *("compare", "durations", "hours", "pages", "paths", "story"),
    *("tiles", "timeline", "users"),
)
"""Modules of ``charts`` that don't know each other."""

FEW_LINES = 60
"""The largest length of a function, from its def to its end."""


def imported(source: str) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name their module in full"
            # What is imported may be a module itself.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, rooms: Iterable[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def long_functions(source: str) -> list[str]:
    """The functions that are too long, each with its length in lines."""
    return [
        f"{node.name}: {length} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FEW_LINES
    ]


def forbidden(module: str) -> set[str]:
    """The modules and packages that *module* may not import."""
    room = module.partition(".")[0]
    (level,) = [n for n, layer in enumerate(LAYERS) if room in layer]
    above = set().union(*LAYERS[: level + 1]) - {room}
    siblings = {f"charts.{chart}" for chart in CHARTS} - {module}
    apart = siblings if module in {f"charts.{chart}" for chart in CHARTS} else set()
    return above | apart | NEVER.get(room, set())


def test_every_module_has_its_layer() -> None:
    rooms = {module.partition(".")[0] for module in MODULES}
    assert rooms == set().union(*LAYERS)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_downwards(module: str) -> None:
    names = set(imported(MODULES[module].read_text()))
    upward = {name for name in names if is_within(name, forbidden(module))}
    assert not upward


@pytest.mark.parametrize("module", sorted(MODULES))
def test_functions_are_short(module: str) -> None:
    assert not long_functions(MODULES[module].read_text())


def test_the_contract_sees_what_it_forbids() -> None:
    source = (
        "import dash.dcc\nfrom charts import hours\n"
        "def f():\n    from app import main\n" + "    pass\n" * FEW_LINES
    )
    assert set(imported(source)) == {"dash.dcc", "charts.hours", "app.main"}
    assert long_functions(source) == [f"f: {FEW_LINES + 2} lines"]
    assert is_within("charts.hours", forbidden("charts.pages"))
    assert not is_within("charts.hours", forbidden("charts"))
    assert is_within("dash.dcc", forbidden("engine.cube"))
    assert is_within("app.main", forbidden("layout"))
    assert is_within("engine.memory.MemoryEngine", forbidden("callbacks"))
    assert not is_within("engine.model.Engine", forbidden("callbacks"))
    assert not is_within("applications", {"app"})
