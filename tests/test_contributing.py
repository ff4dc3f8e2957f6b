"""The examples of CONTRIBUTING.md work as they are written."""

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from plotly.io.json import to_json_plotly

import callbacks
from app import assemble, create_app
from charts import CHARTS
from charts.chart import Chart
from engine.memory import MemoryEngine
from engine.model import Engine, Selection
from schema import COLUMNS
from sources import Origin
from tests.sessions import ROWS, table
from tests.slow import SlowEngine
from view import read

GUIDE = Path(__file__).parents[1] / "CONTRIBUTING.md"


@pytest.fixture
def chart(tmp_path: Path) -> Iterator[Chart]:
    """The chart of the guide, from a file of its own."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    file = tmp_path / "sessions_by_page.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location("charts.sessions_by_page", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module.SessionsByPage()
    del sys.modules[spec.name]


def test_the_chart_of_the_guide_is_drawn(chart: Chart) -> None:
    app = create_app(table(ROWS), charts=(*CHARTS, chart))
    client = app.server.test_client()
    (spec,) = [
        callback
        for callback in client.get("/_dash-dependencies").json
        if "sessions-by-page.figure" in callback["output"]
    ]
    outputs = [part.split(".") for part in spec["output"].strip(".").split("...")]
    body: dict[str, Any] = {
        "output": spec["output"],
        "outputs": [{"id": name, "property": prop} for name, prop in outputs],
        "inputs": [{**part, "value": None} for part in spec["inputs"]],
        "state": [{**part, "value": None} for part in spec["state"]],
        "changedPropIds": ["url.search"],
    }
    body["inputs"][0]["value"] = "?user=&page=cart&table=sessions-by-page"
    response = client.post(
        "/_dash-update-component",
        data=json.dumps(body),
        content_type="application/json",
    )
    parts = json.loads(response.data)["response"]
    (bars,) = parts["sessions-by-page"]["figure"]["data"]
    # It isn't filtered by its own pick.
    assert bars["x"] == ["cart", "help", "home"]
    assert bars["y"] == [4, 1, 7]
    page = parts["words"]["data"]
    assert page["text"]["sessions-by-page-heading"] == "Sessions by Page"
    assert page["text"]["sessions-by-page-finding"] == "12 sessions in total."
    assert page["tables"]["sessions-by-page"]["rows"][2] == ["home", "7"]
    file = client.get("/numbers/sessions-by-page.csv?user=")
    assert file.text.splitlines() == ["page,sessions", "cart,4", "help,1", "home,7"]


class OtherEngine(SlowEngine):
    """A second engine: the slow implementation, as the page asks for it."""

    def has_user(self, name: str) -> bool:
        return name in self.users

    def has_page(self, name: str) -> bool:
        return name in self.pages

    def sessions(self, selection: Selection, limit: int) -> Iterator[pd.DataFrame]:
        rows = [
            (s.user, s.page, s.duration, s.time)
            for s in self.in_order(selection)[:limit]
        ]
        sessions = pd.DataFrame(rows, columns=pd.Index(COLUMNS))
        sessions["timestamp"] = sessions["timestamp"].dt.tz_localize("UTC")
        yield sessions


QUERIES = (
    "?user=",
    "?user=ann&stat=median&timeline=time&scale=log",
    "?user=bob&from=2024-02-01&to=2024-03-02&page=home&min=10&stat=p90",
    "?user=cy&page=cart&page=help&sort=-last&find=c&table=hours&table=total-time",
)


@pytest.mark.parametrize("query", QUERIES)
def test_another_engine_draws_the_same_page(query: str) -> None:
    memory = MemoryEngine(table(ROWS))
    other: Engine = OtherEngine(ROWS, "UTC", memory.facts.edges)
    charts = [chart.id for chart in CHARTS]
    view, ignored = read(query, other, charts)
    assert ignored == []
    drawn = callbacks.redraw(other, view), callbacks.list_users(other, view)
    same = callbacks.redraw(memory, view), callbacks.list_users(memory, view)
    assert to_json_plotly(drawn) == to_json_plotly(same)


def test_an_app_is_assembled_over_any_engine() -> None:
    memory = MemoryEngine(table(ROWS))
    app = assemble(OtherEngine(ROWS, "UTC", memory.facts.edges), Origin("A list"))
    client = app.server.test_client()
    assert client.get("/").status_code == 200
    assert len(client.get("/sessions.csv?user=ann").text.splitlines()) == 1 + 6
