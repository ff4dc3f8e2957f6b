"""A chart that is added as CONTRIBUTING.md says is one of the page's own."""

import re
import shutil
from pathlib import Path

from playwright.sync_api import expect

from tests.programs import ROOT, free_port, running

from .conftest import Open


def test_the_chart_of_the_guide_takes_a_file_and_a_line(
    open_page: Open, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(
        ROOT, project, ignore=shutil.ignore_patterns(".*", "__pycache__", "tests")
    )
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (project / "charts" / "sessions_by_page.py").write_text(code)
    charts = project / "charts" / "__init__.py"
    charts.write_text(
        charts.read_text()
        .replace("    Hours(),\n", "    Hours(),\n    SessionsByPage(),\n")
        .replace(
            "from charts.timeline",
            "from charts.sessions_by_page import SessionsByPage\nfrom charts.timeline",
        )
    )
    port = free_port()
    with running("--no-debug", "--port", str(port), directory=project):
        page = open_page(url=f"http://127.0.0.1:{port}/", query="?user=user_7")
        expect(page.locator("#sessions-by-page-finding")).to_have_text(
            "100,000 sessions in total."
        )
        bar = page.locator("#sessions-by-page .bars .point").nth(1)
        bar.scroll_into_view_if_needed()
        box = bar.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator("#sessions-by-page .hoverlayer > *")).not_to_have_count(0)
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator("#chips .chip")).to_have_text("cart ×")
        expect(page.locator("#total-time-finding")).to_contain_text("on cart")
