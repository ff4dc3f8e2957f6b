"""How delimited text is laid out: its delimiter, its header, the width of its rows."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from sources.options import ReadOptions
from sources.origin import BadInput, NoSuchColumns
from sources.parts import Choose

HEAD_SIZE: Final = 1 << 20
"""How many bytes from the start of a file the header, and a sample of rows, are in."""

_DELIMITERS: Final = ",;\t|"
_CANDIDATES: Final = 30
_SAMPLE: Final = 100

_Lines = Iterator[tuple[int, int, bool]]
"""Where lines begin, their numbers, and whether others than blank ones are before."""


class Row(NamedTuple):
    """Where a row is in bytes, and how many fields it has."""

    start: int
    end: int
    line: int
    """The line where it begins."""
    n_fields: int
    is_last_empty: bool
    """Whether nothing is in its last field."""


class RowFinder:
    """Finds rows as pyarrow does, but one by one, and with their lines."""

    def __init__(self, delimiter: str, escape: bool) -> None:
        self._mark = delimiter.encode()
        mark = re.escape(self._mark)
        slash, escaped = (rb"\\", rb"|\\.") if escape else (b"", b"")
        quoted = rb'"(?:[^"%s]++|""%s)*+"' % (slash, escaped)
        plain = rb"(?:[^%s\r\n%s]++%s)*+" % (mark, slash, escaped)
        field = rb'(?:%s|(?!"))%s' % (quoted, plain)
        row = rb"%s(?:%s%s)*+(?:\r\n?|\n|\Z)" % (field, mark, field)
        self._row = re.compile(row, re.DOTALL)
        self._field = re.compile(rb"(?:\A|%s)%s" % (mark, field), re.DOTALL)

    def find(self, data: bytes, line: int = 1) -> Iterator[Row]:
        """Give the rows up to the end of the data, or to a row that doesn't end.

        ``line`` is the number of the first line. Blank lines are no rows.
        """
        end = 0
        while end < len(data) and (match := self._row.match(data, end)):
            start, end = match.span()
            text = match[0]
            content = text.rstrip(b"\r\n")
            if content:
                n_fields = text.count(self._mark) + 1
                if b'"' in text or b"\\" in text:
                    n_fields = len(self._field.findall(text))
                is_empty = content.endswith((self._mark, self._mark + b'""'))
                yield Row(start, end, line, n_fields, is_empty)
            line += text.count(b"\n")


class Layout(NamedTuple):
    """How a file is laid out."""

    delimiter: str
    names: Sequence[str]
    wanted: Sequence[int]
    """The indices of the columns that are wanted."""
    begin: int
    """Where in the head of the file the rows begin."""
    line: int
    """The line on which they begin."""
    notes: Sequence[str]
    n_fields: int
    """How many fields its rows have."""
    finder: RowFinder

    @property
    def has_extra(self) -> bool:
        """Whether each row ends with a delimiter that the header hasn't."""
        return self.n_fields > len(self.names)

    def fits(self, row: Row) -> bool:
        """Whether a row has as many fields as it should."""
        empty = row.is_last_empty or not self.has_extra
        return row.n_fields == self.n_fields and empty


def check_text(data: bytes, line: int) -> None:
    """Raise BadInput, with the line, unless the bytes are UTF-8 text without NUL.

    ``line`` is the number of their first line.
    """
    if b"\0" in data:
        line += data.count(b"\n", 0, data.index(b"\0"))
        words = "a NUL byte; it is no text, or text that needs --encoding utf-16"
        raise BadInput(f"line {line}: {words}")
    if data.isascii():
        return
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line += data.count(b"\n", 0, error.start)
        ends = rb'[,;\t|"\r\n]'
        before = re.split(ends, data[max(0, error.start - 20) : error.start])[-1]
        after = re.split(ends, data[error.start : error.start + 20])[0]
        found = (before + after).decode(errors="backslashreplace")
        found = "".join(each if each.isprintable() else " " for each in found)
        words = "if a spreadsheet on Windows wrote it, add --encoding cp1252"
        raise BadInput(f"line {line}: not UTF-8 text: '{found}'; {words}") from None


def find_layout(head: bytes, choose: Choose, options: ReadOptions) -> Layout:
    """Find the layout of a file that begins with these ``HEAD_SIZE`` bytes, or is them.

    Raises NoSuchColumns where no line is a header with the columns to be chosen.
    """
    separator = re.match(rb'"?sep=([\t !#-\[\]-~])"?\1*\r?\n', head, re.IGNORECASE)
    delimiters = separator[1].decode() if separator else _DELIMITERS
    begin = separator.end() if separator else 0
    lines = _candidates(head, begin, 1 + bool(separator))
    find = _named if options.header else _numbered
    layout = find(head, lines, delimiters, choose, options.escape)
    return _fitted(layout, _sample(head, layout.begin, layout.finder))


def _candidates(head: bytes, begin: int, line: int) -> _Lines:
    """Lines that may be the header; raises BadInput where none is or one is no text."""
    n = 0
    has_passed = False
    while begin < len(head) and n < _CANDIDATES:
        end = head.find(b"\n", begin) + 1 or len(head)
        text = head[begin:end]
        if len(head) >= HEAD_SIZE and text[-1:] != b"\n":
            break
        check_text(text, line)
        if text.strip() and not text.startswith(b"#"):
            yield begin, line, has_passed
            n += 1
        has_passed |= bool(text.strip())
        begin, line = end, line + 1
    if not n and begin < len(head):
        raise _unreadable(head[begin:], "it is over 1 MB")
    if not n:
        raise BadInput("it has no rows")


def _unreadable(line: bytes, why: str) -> BadInput:
    if re.search(rb"\r[^\r\n]", line):
        return BadInput("its lines end without line feeds; save it as CSV again")
    return BadInput(f"its first line cannot be read ({why})")


def _named(
    head: bytes,
    lines: _Lines,
    delimiters: str,
    choose: Choose,
    escape: bool,
) -> Layout:
    """The layout by the first line that names the columns to be chosen.

    Names in quotation marks may have line feeds.
    """
    reasons: list[BadInput] = []
    for begin, line, has_passed in lines:
        fitting: list[Layout] = []
        others: list[tuple[int, BadInput]] = []
        for delimiter in delimiters:
            stream = io.BytesIO(head)
            stream.seek(begin)
            text = (each.decode(errors="replace") for each in stream)
            slash = "\\" if escape else None
            reader = csv.reader(text, delimiter=delimiter, escapechar=slash)
            try:
                names = [name.strip() for name in next(reader)]
                wanted = choose(names)
            except NoSuchColumns as error:
                others.append((len(names), error))
                continue
            except csv.Error as error:
                first = head[begin:].partition(b"\n")[0]
                others.append((0, _unreadable(first, str(error))))
                continue
            words = f"The header is in line {line}; the lines before it are skipped."
            fitting.append(
                Layout(
                    *(delimiter, names, wanted, stream.tell()),
                    *(line + reader.line_num, [words] * has_passed, len(names)),
                    RowFinder(delimiter, escape),
                )
            )
        if fitting:
            return max(fitting, key=lambda layout: len(layout.names))
        reasons.append(max(others, key=lambda other: other[0])[1])
    raise reasons[0]


def _numbered(
    head: bytes,
    lines: _Lines,
    delimiters: str,
    choose: Choose,
    escape: bool,
) -> Layout:
    """The layout where no line names columns: by the most fields that rows share."""
    begin, line, has_passed = next(lines)
    words = f"The lines before line {line} are skipped."
    found: list[tuple[int, int, str]] = []
    for delimiter in delimiters:
        rows = _sample(head, begin, RowFinder(delimiter, escape))
        widths = [row.n_fields for row in rows] or [1]
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        found.append((widths.count(usual) * (usual > 1), widths[0], delimiter))
    _, n_fields, delimiter = max(found, key=lambda each: each[:2])
    names = [str(n + 1) for n in range(n_fields)]
    return Layout(
        *(delimiter, names, choose(names), begin, line, [words] * has_passed),
        *(n_fields, RowFinder(delimiter, escape)),
    )


def _sample(head: bytes, begin: int, finder: RowFinder) -> list[Row]:
    """The first rows, without one that the end of the head may have cut."""
    rows = islice(finder.find(head[begin:]), _SAMPLE)
    is_cut = len(head) >= HEAD_SIZE
    return [row for row in rows if not is_cut or begin + row.end < len(head)]


def _fitted(layout: Layout, rows: Sequence[Row]) -> Layout:
    """The layout for rows of which all have other numbers of fields than the header."""
    n_names = len(layout.names)
    widths = {row.n_fields for row in rows}
    if len(widths) != 1 or n_names in widths:
        return layout
    width = widths.pop()
    if width == n_names + 1 and all(row.is_last_empty for row in rows):
        return layout._replace(n_fields=width)
    if not max(layout.wanted) < width < n_names:
        return layout
    notes = [*layout.notes]
    if width < n_names - 1 or layout.names[-1]:
        n = n_names - width
        which = "The last name" if n == 1 else f"The last {n} names"
        has = "has" if n == 1 else "have"
        notes.append(f"{which} of the header's {n_names} {has} no values.")
    return layout._replace(n_fields=width, notes=notes)
