"""The examples of CONTRIBUTING.md work as they are written."""

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from charts import CHARTS
from charts.chart import Chart
from tests.sessions import ROWS, table

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
