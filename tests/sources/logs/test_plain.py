"""Lines that are read many at once mean what they mean one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sources.logs.access import Access
from sources.logs.blocks import Block, _block
from sources.logs.line import Line
from sources.logs.plain import read_plain
from tests.examples import examples
from tests.sources.logs import made

often = examples(80)


def at_once(block: Block) -> dict[int, tuple[Line, bool]]:
    """The plain lines of a block, and whether each is of the Combined Log Format."""
    found, is_combined = read_plain(block, np.ones(len(block.starts), np.bool_))
    columns = [
        column.tolist() if isinstance(column, np.ndarray) else column.to_pylist()
        for column in found
    ]
    assert columns[0] == sorted(set(columns[0]))
    lines = [Line(*values) for values in zip(*columns[1:], strict=True)]
    both = zip(lines, is_combined.tolist(), strict=True)
    return dict(zip(columns[0], both, strict=True))


def check(data: bytes) -> int:
    """Assert that plain lines are read alike; returns how many there are."""
    block = _block(data + b"\n", 0)
    found = at_once(block)
    for index, (line, is_combined) in found.items():
        access = Access()
        assert access.read(block.line(index)) == line
        assert (access.name == "Combined Log Format") == is_combined
    return len(found)


lines = st.one_of(made.access(), made.near(made.access()), st.just(made.GOOD))


@often
@given(st.lists(lines, max_size=9), st.sampled_from((b"\n", b"\r\n", b"\n\n", b"\n\0")))
def test_made_lines(lines: list[bytes], end: bytes) -> None:
    check(end.join(lines))


@often
@given(st.lists(st.one_of(st.binary(max_size=99), made.marks, lines), max_size=9))
def test_any_bytes(parts: list[bytes]) -> None:
    check(b"".join(parts))


@given(st.data())
def test_only_the_wanted_ones(data: st.DataObject) -> None:
    block = _block(b"\n".join(data.draw(st.lists(lines, min_size=1))) + b"\n", 0)
    n = len(block.starts)
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool)
    found, _ = read_plain(block, wanted)
    every, _ = read_plain(block, np.ones(n, np.bool_))
    assert found.line.tolist() == [n for n in every.line.tolist() if wanted[n]]


def test_usual_lines_are_plain() -> None:
    # What is left to the other way of reading costs ten times as much.
    usual = [
        made.GOOD,
        made.GOOD_COMMON,
        b"a.org " + made.GOOD,
        b"a.org:443 " + made.GOOD_COMMON,
        made.GOOD.replace(b"- -", b"- ann"),
        made.GOOD.replace(b"HTTP/1.1", b"HTTP/2"),
        made.GOOD.replace(b" HTTP/1.1", b""),
        made.GOOD.replace(b"GET /good HTTP/1.1", b"-"),
        made.GOOD.replace(b"GET /good HTTP/1.1", b""),
        made.GOOD + b' "1.1.1.1" 0.002',
        made.GOOD_COMMON + b" 0.002",
        made.GOOD.replace(b"9.9.9.9", b"2001:db8::1"),
    ]
    for line in usual:
        assert check(line) == 1, line
    assert check(b"\n".join(usual)) == len(usual)
    assert check(b"\r\n".join(usual)) == len(usual)


def test_lines_that_are_not_plain_are_left_alone() -> None:
    others = [
        made.GOOD.replace(b"/good", b'/\\"'),
        made.GOOD.replace(b" +0000", b""),
        b"x " * 2 + made.GOOD,
        made.GOOD.replace(b"9.9.9.9", b"1.1.1.1, 9.9.9.9"),
        made.GOOD[:-1],
        made.GOOD.replace(b" 200 ", b" - "),
    ]
    for line in others:
        assert check(line) == 0, line
