"""A month of a real site's log, counted by another program beforehand."""

import json

import pandas as pd

from sources import read_sessions
from tests.sessions import NASA, needs_nasa


@needs_nasa
def test_a_real_site_is_read_without_loss() -> None:
    truth = json.loads((NASA / "truth.json").read_text())
    stream, origin, _ = read_sessions([NASA / "sessions.csv"])
    names = {"user_id": object, "page": object}
    sessions = pd.concat([part.astype(names) for part in stream])
    assert not origin.report.left_out
    assert len(sessions) == truth["kept_views"] == 10_528
    assert sessions["user_id"].nunique() == truth["users"] == 2_259
    assert sessions["page"].nunique() == truth["pages"] == 861
    assert sessions["duration"].isna().sum() == truth["visits"] == 2_852
    assert sessions["duration"].sum() == truth["total_seconds"] == 971_382
    by_page = sessions.groupby("page")["duration"]
    for page, seconds, views in truth["top10_pages_by_total_seconds"]:
        assert by_page.sum()[page] == seconds
        assert by_page.size()[page] == views
    assert by_page.sum().idxmax() == "/ksc.html"
    assert by_page.sum().max() == 233_511
