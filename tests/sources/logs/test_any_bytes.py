"""Any bytes behind a good beginning: lines that add up, and no traceback."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import BadInput
from tests.examples import examples
from tests.fuzz import check, options_of
from tests.sources.logs import made
from tests.sources.logs.reading import in_blocks, read_text
from tests.sources.test_any_bytes import a_folder

pytestmark = pytest.mark.usefixtures("quick_bots")

sometimes = examples(20)
each_form = pytest.mark.parametrize("form", made.HEADS)


@st.composite
def bytes_behind(draw: st.DrawFn, form: str) -> bytes:
    """A good head, often enough for a log, and whatever."""
    head = made.HEADS[form] + b"\n"
    good = made.HEADS[form].split(b"\n")[-1] + b"\n"
    rest = st.one_of(
        st.binary(max_size=99), made.near(made.FORMS[form]()), made.marks, st.just(good)
    )
    return head + good * draw(st.integers(0, 9)) + b"".join(draw(st.lists(rest)))


@each_form
@sometimes
@given(st.data())
def test_lines_add_up_in_blocks_of_any_size(form: str, data: st.DataObject) -> None:
    text = data.draw(bytes_behind(form))
    n_lines = sum(bool(line.removesuffix(b"\r")) for line in text.split(b"\n"))
    for size in (1 << 20, data.draw(st.integers(20, 300))):
        views, report = in_blocks(text, size, made.HEADS[form] + b"\n")
        others = [*report.passed.values(), *report.left_out.values()]
        n_others = sum(each.rows for each in others)
        # The header of a table is no line of it.
        assert report.rows == n_lines - (form == "table")
        assert report.rows == len(views) + n_others
        assert report.kept == len(views)


@each_form
@sometimes
@given(st.data())
def test_views_or_one_line(form: str, data: st.DataObject) -> None:
    options = options_of(data.draw(st.integers(0, 9_999)))
    text = data.draw(bytes_behind(form))
    with a_folder() as folder:
        check(
            folder, text, "access.log", options, data.draw(st.sampled_from((0, 1, 9)))
        )


@given(st.one_of(st.binary(max_size=200), st.lists(made.marks).map(b"".join)))
def test_no_traceback(data: bytes) -> None:
    try:
        views, report = read_text(data)
    except BadInput as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert len(views) <= report.rows
