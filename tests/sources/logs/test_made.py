"""Logs made by chance, against the slow reader of the rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.logs import HEAD_SIZE
from tests.examples import examples
from tests.sources.logs import made, slow_log
from tests.sources.logs.reading import counts, in_blocks, read_text

pytestmark = pytest.mark.usefixtures("quick_bots")

sometimes = examples(25)
each_form = pytest.mark.parametrize("form", made.FORMS)


@each_form
@sometimes
@given(st.data())
def test_views_and_counts_are_those_of_the_slow_reader(
    form: str, data: st.DataObject
) -> None:
    text = data.draw(made.logs(form))
    keep_bots = data.draw(st.booleans())
    user = data.draw(st.sampled_from(("ip", "ip+agent")))
    table = form == "table"
    told = slow_log.read(text, table=table, keep_bots=keep_bots, user=user)
    views, report = read_text(text, keep_bots=keep_bots, user=user, allow_left_out=True)
    lasts = slow_log.durations(told.views)
    assert views == [(*view, n) for view, n in zip(told.views, lasts, strict=True)]
    assert counts(report) == told.counts
    assert report.rows == told.n_lines
    assert report.rows == sum(told.counts.values()) + len(views)


@each_form
@sometimes
@given(st.data())
def test_blocks_do_not_matter(form: str, data: st.DataObject) -> None:
    text = data.draw(made.logs(form))
    whole, known = in_blocks(text, 1 << 20)
    pieces, report = in_blocks(text, data.draw(st.integers(20, 400)))
    assert len(text) < HEAD_SIZE
    assert pieces == whole
    for name in ("passed", "left_out", "rows", "unmatched", "understood", "notes"):
        assert getattr(report, name) == getattr(known, name), name


@sometimes
@given(made.logs("combined"), st.sampled_from(("a.org", "b.org:443", "x", "")))
def test_the_requests_to_one_site(text: bytes, site: str) -> None:
    told = slow_log.read(text, site=site)
    views, report = in_blocks(text, 1 << 20, where=(("host", site),), keep_bots=True)
    assert views == told.views
    both = report.passed | report.left_out
    found = {reason: each.rows for reason, each in both.items()}
    assert report.unmatched == told.counts.pop("not asked for", 0)
    assert found == told.counts
