"""Session tables as delimited text, read in blocks."""

from array import array
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import islice
from threading import Thread
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from formatting import first_line
from sources.csv_header import HEAD_SIZE, Layout, check_text, find_layout
from sources.options import ReadOptions
from sources.origin import BadInput
from sources.parts import Choose, LeftOut, Part

BLOCK_SIZE: Final = 1 << 24
"""Bytes that are read and parsed at a time."""

_LONGEST_ROW: Final = 1 << 22
_CHUNK: Final = 1 << 20
_MARK: Final = "\0"
_WORDS: Final = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "vertical bars",
    "\x01": "control-A",
}
_ESCAPED: Final = (
    r"Some quotation marks seem to be written as \"; --escape reads them as such."
)
_HINT: Final = r"add --escape if quotation marks are written as \""
_HINT_DELIMITER: Final = (
    "add --escape if a backslash before a delimiter makes it a plain letter"
)


def read_csv(
    stream: BinaryIO,
    choose: Choose,
    options: ReadOptions,
    block_size: int = BLOCK_SIZE,
) -> Iterator[Part]:
    """Read a table of UTF-8 text, without a mark, in parts; the stream may be long.

    Columns come as strings. Rows with too few or too many fields are left out. Raises
    BadInput for what isn't such a table.
    """
    head = b""
    while len(head) < HEAD_SIZE and (more := stream.read(HEAD_SIZE - len(head))):
        head += more
    # Old Macs end lines so.
    has_returns = b"\r" in head and b"\n" not in head
    if has_returns:
        head = head.replace(b"\r", b"\n")
    reader = _Reader(find_layout(head, choose, options), options)
    pending = b""
    for block in _blocks(head[reader.layout.begin :], stream, block_size):
        if has_returns:
            block = block.replace(b"\r", b"\n")
        part, pending = reader.read(pending, block)
        if part:
            yield part


def _blocks(rest: bytes, stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The rest of the head, then the stream, block by block; empty at the end."""
    for begin in range(0, len(rest), size):
        yield rest[begin : begin + size]
    while block := stream.read(size):
        yield block
    yield b""


def _check_threads() -> None:
    """Raise MemoryError where memory is too short for a thread.

    Arrow starts one, and where it can't, ends the program. The memory that this one had
    is kept for the next.
    """
    thread = Thread(target=int)
    try:
        thread.start()
    except RuntimeError:
        raise MemoryError from None
    thread.join()


class _Pieces:
    """Bytes as a file for Arrow, and a few more at their end, without a copy of all."""

    closed = False

    def __init__(self, data: bytes, more: bytes) -> None:
        self._data = memoryview(data)
        self._more = more

    def read(self, size: int) -> bytes | memoryview:
        """At most *size* bytes, or those at the end with the few more; then none."""
        piece, self._data = self._data[:size], self._data[size:]
        if self._data or not self._more:
            return piece
        more, self._more = self._more, b""
        return bytes(piece) + more

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


class _Reader:
    """Turns one block after the other into parts."""

    def __init__(self, layout: Layout, options: ReadOptions) -> None:
        self.layout = layout
        self._escape = options.escape
        self._has_header = options.header
        self._line = layout.line
        self._notes = layout.notes
        self._example = ""
        self._has_read = False

    def read(self, pending: bytes, block: bytes) -> tuple[Part | None, bytes]:
        """The rows that end in a block, and what it has beyond them.

        ``pending`` is what the last block had beyond. An empty block is the end.
        """
        end = block.rfind(b"\n") + 1
        if end and not self._escape:
            # What is large is copied once.
            data, rest = b"".join((pending, memoryview(block)[:end])), block[end:]
        else:
            data = pending + block
            if not block and self._is_escaped(data, len(data)):
                data += b"\\"
            end = self._last_end(data) if block else len(data)
            data, rest = data[:end], data[end:]
        check_text(data, self._line)
        ragged: list[str] = []
        table = self._parse(data, ragged)
        if table is None:
            # A row goes on. Where it begins can only be found row by row.
            rows = self.layout.finder.find(data, self._line)
            end = max((row.end for row in rows), default=0)
            data, rest = data[:end], data[end:] + rest
            table = self._arrow(data, ragged)
        if len(rest) > _LONGEST_ROW or (rest and not block):
            raise self._endless(data, rest)
        # A single byte is found in no time.
        if not self._escape and b"\\" in data and b'\\"' in data:
            self._notes = (*self._notes, _ESCAPED)
        part = self._part(data, table, ragged)
        self._line += int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))
        if not (len(part.table) or part.left_out or not (block or self._has_read)):
            return None, rest
        self._has_read = True
        self._notes = ()
        return part, rest

    def _is_escaped(self, data: bytes, end: int) -> bool:
        """Whether a backslash makes what is at ``end`` a plain letter."""
        begin = end
        while self._escape and data[begin - 1 : begin] == b"\\":
            begin -= 1
        return (end - begin) % 2 == 1

    def _last_end(self, data: bytes) -> int:
        """Where the last line ends; 0 if none does."""
        end = data.rfind(b"\n")
        while end >= 0 and self._is_escaped(data, end):
            end = data.rfind(b"\n", 0, end)
        return end + 1

    def _parse(self, data: bytes, ragged: list[str]) -> pa.Table | None:
        """Parse rows; None if the end of the data is between quotation marks."""
        if b'"' not in data:
            return self._arrow(data, ragged)
        # An open quotation mark swallows all that follows, this row of marks included.
        marks = self.layout.delimiter.join([_MARK] * self.layout.n_fields).encode()
        gap = b"\n" * (data[-1:] != b"\n")
        table = self._arrow(data, ragged, gap + marks)
        is_whole = len(table) and table.columns[-1][-1].as_py() == _MARK
        return table[:-1] if is_whole else None

    def _arrow(
        self,
        data: bytes,
        ragged: list[str],
        marks: bytes = b"",
        chunk: int = _CHUNK,
    ) -> pa.Table:
        """Parse rows; for those of other widths, list hints, "" where there is none.

        *marks* are parsed behind the data.
        """
        names = [str(index) for index in self.layout.wanted]
        types = dict.fromkeys(names, pa.string())
        if self.layout.has_extra:
            extra = range(len(self.layout.names), self.layout.n_fields)
            types |= dict.fromkeys(map(str, extra), pa.string())
        ragged.clear()
        if not data:
            return pa.schema(types.items()).empty_table()

        def skip(row: Any) -> str:
            ragged.append(self._hint(row.text))
            return "skip"

        every = [str(index) for index in range(self.layout.n_fields)]
        # Arrow takes a mark away, which in front of a row is a letter of it.
        mark = BOM_UTF8 * data.startswith(BOM_UTF8)
        _check_threads()
        pieces = _Pieces(mark + self.layout.finder.plain(data), marks)
        try:
            return pa.csv.read_csv(
                pa.PythonFile(pieces, "r"),
                # Its threads look for the ends of rows first, as long as they parse.
                pa.csv.ReadOptions(
                    column_names=every, block_size=chunk, use_threads=False
                ),
                pa.csv.ParseOptions(
                    delimiter=self.layout.delimiter,
                    escape_char="\\" if self._escape else False,
                    # Where there are none, this takes a third of the time.
                    newlines_in_values=b'"' in data or self._escape,
                    invalid_row_handler=skip,
                ),
                pa.csv.ConvertOptions(
                    check_utf8=False,
                    column_types=types,
                    include_columns=list(types),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            rows = self.layout.finder.find(data, self._line)
            long = next((r for r in rows if r.end - r.start > _LONGEST_ROW), None)
            if long:
                raise BadInput(f"line {long.line}: a row of over 4 MB") from None
            if "straddl" in str(error) and chunk == _CHUNK:
                return self._arrow(data, ragged, marks, 2 * _LONGEST_ROW)
            words = f"cannot be read as CSV ({first_line(error)})"
            raise BadInput(words) from None

    def _hint(self, row: str) -> str:
        """What to do about a row of another width."""
        if self._escape:
            return ""
        if '\\"' in row:
            return _HINT
        return _HINT_DELIMITER if f"\\{self.layout.delimiter}" in row else ""

    def _part(self, data: bytes, table: pa.Table, ragged: list[str]) -> Part:
        layout, line = self.layout, self._line
        n_ragged = len(ragged)
        if layout.has_extra:
            n_ragged += len(table)
            for index in range(len(layout.names), layout.n_fields):
                table = table.filter(pc.equal(table[str(index)], ""))
            n_ragged -= len(table)
        left_out = []
        if n_ragged:
            self._example = self._example or self._describe(data)
            hint = next(filter(None, ragged), "")
            why = "the wrong number of fields"
            left_out = [LeftOut(why, n_ragged, self._example, hint)]
        rows = (row.line for row in layout.finder.find(data, line) if layout.fits(row))
        lines = array("q")

        def locate(index: int) -> str:
            lines.extend(islice(rows, max(0, index + 1 - len(lines))))
            return f"line {lines[index]}"

        words = _WORDS.get(layout.delimiter, f"'{layout.delimiter}'")
        form = f"CSV, separated by {words}"
        table = table.select([str(index) for index in layout.wanted])
        table = table.rename_columns([layout.names[index] for index in layout.wanted])
        return Part(
            table,
            locate,
            form,
            left_out,
            self._notes,
            point_is_usual=layout.delimiter == ",",
        )

    def _describe(self, data: bytes) -> str:
        """Where the first row of another width is, and how wide."""
        layout = self.layout
        rows = layout.finder.find(data, self._line)
        row = next(row for row in rows if not layout.fits(row))
        fields = f"{row.n_fields} field{'s' * (row.n_fields != 1)}"
        n = len(layout.names)
        expected = f"the header has {n}"
        is_named = self._has_header and not layout.has_row_names
        if layout.n_fields < n or not is_named:
            expected = f"the first rows have {layout.n_fields}"
        return f"line {row.line}: {fields}, where {expected}"

    def _endless(self, data: bytes, rest: bytes) -> BadInput:
        """What is wrong with a row that isn't at its end after 4 MB or the file's."""
        begin = len(rest) - len(rest.lstrip(b"\r\n"))
        line = self._line + data.count(b"\n") + rest.count(b"\n", 0, begin)
        hint = f"; {_HINT}" if b'\\"' in rest and not self._escape else ""
        words = 'a quotation mark (") is never closed, or a row is over 4 MB'
        return BadInput(f"line {line}: {words}{hint}")
