import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.logs.blocks import LONGEST_LINE, read_blocks


def lines(data: bytes, size: int) -> list[tuple[int, bytes]]:
    """Numbers and lines, as blocks give them."""
    return [
        (number, block.line(index))
        for block in read_blocks(io.BytesIO(data), size)
        for index, number in enumerate(block.numbers.tolist())
    ]


def slow(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    for number, line in enumerate(data.split(b"\n"), 1):
        line = line.removesuffix(b"\r")
        line = line.lstrip(b"\0") or line
        if line:
            found.append((number, line))
    return found


@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\0", b"bc", b"\r\n"])).map(
        b"".join
    ),
    st.integers(1, 9),
)
def test_lines_are_those_of_a_split(data: bytes, size: int) -> None:
    assert lines(data, size) == slow(data)
    assert lines(data, 1 << 20) == slow(data)


@pytest.mark.parametrize(("data", "is_cut"), [(b"a\nb", True), (b"a\nb\n", False)])
def test_the_last_line_may_lack_its_end(data: bytes, is_cut: bool) -> None:
    for size in (1, 2, 9):
        *_, last = read_blocks(io.BytesIO(data), size)
        assert last.is_cut == is_cut


def test_of_a_line_that_is_too_long_not_all_is_held() -> None:
    data = b"a\n" + b"b" * (3 * LONGEST_LINE) + b"\nc\n"
    found = lines(data, 1 << 20)
    assert [number for number, _ in found] == [1, 2, 3]
    assert LONGEST_LINE < len(found[1][1]) < LONGEST_LINE + (2 << 20)
    endless = lines(b"b" * (3 * LONGEST_LINE), 1 << 20)
    assert [len(line) for _, line in endless] == [LONGEST_LINE + 1]
