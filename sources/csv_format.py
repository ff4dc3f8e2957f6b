"""Session tables as delimited text: commas, semicolons or tabs, UTF-8, a header."""

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.csv

from schema import COLUMNS
from sources.columns import TEXT, Part, check_columns, first_line
from sources.origin import BadInput

BLOCK_SIZE: Final = 1 << 24
"""Bytes that are read and parsed at a time."""

_DELIMITERS: Final = ",;\t"
_LONGEST_LINE: Final = 1 << 20
_LONGEST_ROW: Final = 1 << 22
_MARK: Final = "\x1e"
_UNCLOSED: Final = 'a quotation mark (") is never closed, or a row is over 4 MB'


def read_csv(stream: BinaryIO) -> Iterator[Part]:
    """Read a table in parts, whatever the length of the stream.

    Rows with too few or too many fields are left out. Raises BadInput for what isn't
    such a table.
    """
    delimiter, names, pending = _read_header(stream)
    check_columns(names)
    # What is parsed goes up to the last line feed so far. Where that is between
    # quotation marks, it needs more.
    while True:
        block = stream.read(BLOCK_SIZE)
        pending += block
        end = pending.rfind(b"\n") + 1 if block else len(pending)
        if block and not end:
            if len(pending) > _LONGEST_ROW:
                raise BadInput(_UNCLOSED)
            continue
        part = _parse(pending[:end], delimiter, names)
        if part is not None:
            yield part
            pending = pending[end:]
        elif not block:
            raise BadInput(_UNCLOSED)
        if not block:
            return


def _read_header(stream: BinaryIO) -> tuple[str, list[str], bytes]:
    """The delimiter, the names of the columns, and what was read beyond them.

    The delimiter is the one by which the header names most of the columns. A name in
    quotation marks may have line feeds.
    """
    lines = [_first_line(stream)]

    def read_lines() -> Iterator[str]:
        """Give the lines of the stream as text, from the first one on."""
        yield lines[0].decode("utf-8-sig")
        for n in itertools.count(1):
            if n == len(lines):
                lines.append(stream.readline(_LONGEST_LINE))
            if not lines[n]:
                return
            yield lines[n].decode(errors="replace")

    found: list[tuple[str, list[str], int]] = []
    problem: csv.Error | None = None
    for delimiter in _DELIMITERS:
        reader = csv.reader(read_lines(), delimiter=delimiter)
        try:
            names = [name.strip() for name in next(reader, [])]
        except csv.Error as error:
            problem = error
        else:
            found.append((delimiter, names, reader.line_num))
    if not found:
        raise BadInput(f"its first line cannot be read ({problem})")
    delimiter, names, n_lines = max(
        found, key=lambda each: (len({*COLUMNS} & {*each[1]}), len(each[1]))
    )
    return delimiter, names, b"".join(lines[n_lines:])


def _first_line(stream: BinaryIO) -> bytes:
    line = stream.readline(_LONGEST_LINE)
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("not UTF-8 text") from None
    if "\0" in text:
        raise BadInput("neither CSV nor Parquet")
    if re.search(r"\r[^\n]", text):
        raise BadInput("its lines end without line feeds; save it as CSV again")
    if len(line) == _LONGEST_LINE:
        raise BadInput("its first line cannot be read (it is over 1 MB)")
    return line


def _parse(data: bytes, delimiter: str, names: Sequence[str]) -> Part | None:
    """Parse whole rows; None if their end is between quotation marks."""
    ragged: list[None] = []

    def skip(_: object) -> str:
        ragged.append(None)
        return "skip"

    # An open quotation mark swallows all that follows, this row of marks included.
    mark = f"\n{delimiter.join([_MARK] * len(names))}\n".encode()
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(data + mark),
            pa.csv.ReadOptions(column_names=names, block_size=_LONGEST_ROW),
            pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=skip,
            ),
            pa.csv.ConvertOptions(
                include_columns=list(COLUMNS),
                column_types={
                    "user_id": TEXT,
                    "page": TEXT,
                    "duration": pa.string(),
                    "timestamp": pa.string(),
                },
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "invalid UTF8" in str(error):
            raise BadInput("not UTF-8 text") from None
        if "straddl" in str(error):
            raise BadInput(_UNCLOSED) from None
        raise BadInput(f"cannot be read as CSV ({first_line(error)})") from None
    if not len(table) or table["timestamp"][-1].as_py() != _MARK:
        return None
    return Part(table[:-1], {"the wrong number of fields": len(ragged)})
