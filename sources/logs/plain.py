"""The plain lines of access logs, all of a block at once.

Plain is a line of the Common or Combined Log Format without a backslash, with a time of
26 letters and at most one word in front of the client. All others, and what is none of
these formats, is left to ``sources.logs.access``, which says what a line means; here it
means the same.
"""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sources.logs.blocks import Block
from sources.logs.requests import Requests

_TIME: Final = 26
_QUOTE, _BLANK, _BACKSLASH, _MARK, _DASH, _COMMA = b'" \\?-,'
_OPEN, _CLOSE = b"[]"

_Places = NDArray[np.int64]


def read_plain(
    block: Block, wanted: NDArray[np.bool_]
) -> tuple[Requests, NDArray[np.bool_]]:
    """The plain ones of the *wanted* lines of a block.

    The second are those among them of the Combined Log Format.
    """
    return _Plain(block).read(wanted)


class _Plain:
    """Where in a block of lines what is."""

    def __init__(self, block: Block) -> None:
        self.data = block.data
        self.bytes = np.frombuffer(block.data, np.uint8)
        self.starts, self.ends = block.starts, block.ends
        # Some places more, behind all, are found where there are no others.
        self.blanks = np.append(self._places(_BLANK), [len(self.data)] * 8)

    def read(self, wanted: NDArray[np.bool_]) -> tuple[Requests, NDArray[np.bool_]]:
        """See ``read_plain``."""
        quotes = self._places(_QUOTE)
        first = np.searchsorted(quotes, self.starts)
        count = np.diff(first, append=len(quotes))
        rows = np.flatnonzero(wanted & self._may_be_plain(quotes, first, count))
        return self._requests(rows, quotes, first[rows], count[rows] > 2)

    def _places(self, letter: int) -> _Places:
        return np.flatnonzero(self.bytes == letter)

    def _at(self, places: _Places) -> NDArray[np.uint8]:
        """The letters at places; in front of all and behind all, the first or last."""
        found: NDArray[np.uint8] = self.bytes[np.clip(places, 0, len(self.bytes) - 1)]
        return found

    def _is(self, places: _Places, letter: int) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self._at(places) == np.uint8(letter)
        return found

    def _is_digit(self, places: _Places) -> NDArray[np.bool_]:
        # What is below 0 is far above 9.
        found: NDArray[np.bool_] = self._at(places) - np.uint8(ord("0")) < 10
        return found

    def _may_be_plain(
        self, quotes: _Places, first: _Places, count: _Places
    ) -> NDArray[np.bool_]:
        """Which lines have quotation marks as plain ones do, and no backslash."""
        plain: NDArray[np.bool_] = (count == 2) | ((count >= 6) & (count % 2 == 0))
        if b"\\" in self.data:
            slashes = self._places(_BACKSLASH)
            before, after = (
                np.searchsorted(slashes, edges) for edges in (self.starts, self.ends)
            )
            plain &= before == after
        # What opens stands behind a blank, what closes in front of one or at the end.
        of_line = np.repeat(np.arange(len(count)), count)
        opens = (np.arange(len(quotes)) - first[of_line]) % 2 == 0
        at_end = quotes + 1 == self.ends[of_line]
        stands = np.where(
            opens,
            self._is(quotes - 1, _BLANK),
            at_end | self._is(quotes + 1, _BLANK),
        )
        plain[of_line[~stands]] = False
        return plain

    def _requests(
        self,
        rows: _Places,
        quotes: _Places,
        first: _Places,
        is_combined: NDArray[np.bool_],
    ) -> tuple[Requests, NDArray[np.bool_]]:
        """See ``read_plain``, for lines whose marks are plain."""
        begin, end = quotes[first], quotes[first + 1]
        bracket = begin - _TIME - 3
        blank, after = (
            np.searchsorted(self.blanks, places) for places in (self.starts[rows], end)
        )
        who, n_words, plain = self._who(self.starts[rows], bracket, blank)
        # Two blanks more: within the time, and behind it.
        blank += n_words + 2
        plain &= self._is_time(bracket, blank)
        quote = quotes[np.where(is_combined, first + 2, first + 1)]
        plain &= self._is_answer(end, self.ends[rows], after, is_combined, quote)
        agent = np.where(is_combined, first + 4, first + 1)
        plain &= ~is_combined | (quotes[agent] == quotes[agent - 1] + 2)
        kept = np.flatnonzero(plain)
        begin, end, agent = begin[kept], end[kept], agent[kept]
        is_combined, bracket = is_combined[kept], bracket[kept]
        stop = quotes[np.where(is_combined, agent + 1, agent)]
        method_end, page_start, page_end = self._target(end, blank[kept], after[kept])
        host_start, host_end, client_start, client_end = who[:, kept]
        found = Requests(
            rows[kept],
            self._slices(client_start, client_end),
            self._slices(bracket + 1, bracket + 1 + _TIME),
            self._slices(begin + 1, method_end),
            self._slices(page_start, page_end),
            self._status(end),
            self._slices(quotes[agent] + is_combined, stop),
            self._slices(host_start, host_end),
        )
        return found, is_combined

    def _who(
        self, starts: _Places, bracket: _Places, blank: _Places
    ) -> tuple[_Places, _Places, NDArray[np.bool_]]:
        """Where the site and the client are, four rows, and if that is plain.

        *blank* are the first blanks of lines. The second are the numbers of words in
        front of the bracket.
        """
        one, two, three, four = (self.blanks[blank + n] for n in range(4))
        has_host = four == bracket - 1
        second_is_dash = (two - one == 2) & self._is(one + 1, _DASH)
        third_is_dash = (three - two == 2) & self._is(two + 1, _DASH)
        plain = (three == bracket - 1) | (has_host & ~second_is_dash & third_is_dash)
        start, end = np.where(has_host, one + 1, starts), np.where(has_host, two, one)
        plain &= ~self._is(end - 1, _COMMA) & ~(has_host & self._is(one - 1, _COMMA))
        host_end = np.where(has_host, one, starts)
        return np.stack([starts, host_end, start, end]), 3 + has_host, plain

    def _is_time(self, bracket: _Places, blank: _Places) -> NDArray[np.bool_]:
        """Whether a time in brackets begins at places, with one blank in it.

        *blank* are the first blanks behind the quotation marks that follow.
        """
        close = bracket + _TIME + 1
        found = self._is(bracket, _OPEN) & self._is(close, _CLOSE)
        found &= self.blanks[blank - 1] == close + 1
        inside = self.blanks[blank - 2]
        found &= (bracket < inside) & (inside < close)
        if found.any():
            windows = np.lib.stride_tricks.sliding_window_view(self.bytes, _TIME)
            texts = windows[bracket[found] + 1]
            found[found] = ~((texts == _OPEN) | (texts == _CLOSE)).any(axis=1)
        return found

    def _is_answer(
        self,
        end: _Places,
        line_end: _Places,
        blank: _Places,
        is_combined: NDArray[np.bool_],
        quote: _Places,
    ) -> NDArray[np.bool_]:
        """Whether a status and a size follow a request that ends at places.

        *blank* are the first blanks behind it, and *quote* the next quotation marks.
        """
        one, two, three = (self.blanks[blank + n] for n in range(3))
        found = (one == end + 1) & (two == end + 5)
        found &= (three != end + 6) & (end + 6 < line_end)
        for place in (2, 3, 4):
            found &= self._is_digit(end + place)
        # Of the Combined Log Format, the size is one word in front of the referer.
        plain: NDArray[np.bool_] = found & (~is_combined | (three == quote - 1))
        return plain

    def _target(
        self, end: _Places, blank: _Places, after: _Places
    ) -> tuple[_Places, _Places, _Places]:
        """Where the method ends, and where the page starts and ends, of requests.

        *blank* are their first blanks, and *after* the first behind their *end*.
        """
        method_end = np.minimum(self.blanks[blank], end)
        target = np.minimum(method_end + 1, end)
        last = self.blanks[after - 1]
        length = end - last
        has_protocol = (last > method_end) & ((length == 7) | (length == 9))
        for place, letter in enumerate(b"HTTP/", 1):
            has_protocol &= self._is(last + place, letter)
        has_protocol &= self._is_digit(last + 6)
        has_version = self._is(last + 7, ord(".")) & self._is_digit(last + 8)
        has_protocol &= (length == 7) | has_version
        stop = np.where(has_protocol, last, end)
        marks = np.append(self._places(_MARK), len(self.bytes))
        mark = marks[np.searchsorted(marks, target)]
        return method_end, target, np.minimum(stop, np.maximum(mark, target))

    def _status(self, end: _Places) -> NDArray[np.int64]:
        hundreds, tens, ones = (
            self.bytes[end + place].astype(np.int64) - 48 for place in (2, 3, 4)
        )
        return hundreds * 100 + tens * 10 + ones

    def _slices(self, starts: _Places, ends: _Places) -> pa.BinaryArray:
        """The bytes between places that go up, and don't overlap."""
        if not (starts < ends).any():
            return pa.repeat(pa.scalar(b"", pa.binary()), len(starts))
        # What is between two of them is an element, too, until every other is taken.
        offsets = np.empty(2 * len(starts), np.int32)
        offsets[0::2], offsets[1::2] = starts, ends
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self.data)]
        every = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)
        return every.take(pa.array(np.arange(0, len(offsets), 2)))
