"""How delimited text is laid out: its delimiter, its header, the width of its rows."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Final, NamedTuple

from sources.names import most_telling
from sources.options import ReadOptions
from sources.origin import BadInput, NoSuchColumns
from sources.parts import Choose

HEAD_SIZE: Final = 1 << 20
"""How many bytes from the start of a file the header, and a sample of rows, are in."""

_DELIMITERS: Final = ",;\t|\x01"
_NO_FIRST_NAME: Final = "The header has no name for the first column."
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
    n_empty: int
    """How many fields at its end have nothing in them."""


class RowFinder:
    """Finds rows as pyarrow does, but one by one, and with their lines."""

    def __init__(
        self, delimiter: str, escape: bool, drops_blanks: bool = False
    ) -> None:
        """*drops_blanks*: those that follow a delimiter belong to no field."""
        self._mark = delimiter.encode()
        self.drops_blanks = drops_blanks
        mark = re.escape(self._mark)
        blanks = b" *+" * drops_blanks
        slash, escaped = (rb"\\", rb"|\\.") if escape else (b"", b"")
        quoted = rb'"(?>(?:[^"%s]++|""%s)*)"' % (slash, escaped)
        plain = rb"(?>(?:[^%s\r\n%s]++%s)*)" % (mark, slash, escaped)
        field = rb'(?:%s|(?!"))%s' % (quoted, plain)
        row = rb"%s(?>(?:%s%s%s)*)(?:\r\n?|\n|\Z)" % (field, mark, blanks, field)
        self._row = re.compile(row, re.DOTALL)
        fields = rb"(?:\A|%s%s)%s" % (mark, blanks, field)
        self._field = re.compile(fields, re.DOTALL)
        null = rb"|\\N" * escape
        self._empty = re.compile(rb'(?>(?:%s%s(?:""%s)?)+)\Z' % (mark, blanks, null))
        first = rb"(?:\A|[\r\n])%s%s" % (quoted, escaped)
        self._blanks = re.compile(
            rb"(%s)|(%s) *+(%s)?" % (first, mark, quoted), re.DOTALL
        )
        self._null = re.compile(
            rb"((?:\A|[%s\r\n])%s)|(\A|[%s\r\n])\\N(?=[%s\r\n]|\Z)|(\\.)"
            % (mark, quoted, mark, mark),
            re.DOTALL,
        )
        self._has_nulls = escape

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
                yield Row(start, end, line, n_fields, self._n_empty(content))
            line += text.count(b"\n")

    def _n_empty(self, row: bytes) -> int:
        """How many fields at the end of a row have nothing in them."""
        may_be = row.endswith((self._mark, b'""', b" ", b"N"))
        match = self._empty.search(row) if may_be else None
        if not match:
            return 0
        before = row[: match.start()]
        # A delimiter behind a backslash is none.
        n_slashes = (len(before) - len(before.rstrip(b"\\"))) * self._has_nulls
        return match[0].count(self._mark) - n_slashes % 2

    def has_blanks(self, row: bytes) -> bool:
        """Whether a blank follows each of its delimiters."""
        fields = self._field.findall(row)
        return all(field[len(self._mark) :][:1] == b" " for field in fields[1:])

    def plain(self, data: bytes) -> bytes:
        r"""The same rows for pyarrow: without blanks to drop, ``\N`` as nothing."""
        if self.drops_blanks:
            data = self._blanks.sub(rb"\1\2\3", data)
        if self._has_nulls and b"\\N" in data:
            data = self._null.sub(_without_null, data)
        return data


def _without_null(match: re.Match[bytes]) -> bytes:
    return match[0] if match[2] is None else match[2] + b'""'


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
        """Whether each row ends with delimiters that the header hasn't."""
        return self.n_fields > len(self.names)

    @property
    def has_row_names(self) -> bool:
        """Whether rows begin with a field that the header has no name for."""
        return _NO_FIRST_NAME in self.notes

    def fits(self, row: Row) -> bool:
        """Whether a row has as many fields as it should."""
        n_extra = self.n_fields - len(self.names)
        return row.n_fields == self.n_fields and row.n_empty >= n_extra


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
        ends = rb'[,;\t|\x01"\r\n]'
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
    if layout.finder.drops_blanks:
        words = "A blank follows each delimiter; it is dropped."
        layout = layout._replace(notes=[*layout.notes, words])
    return _fitted(head, layout, _sample(head, layout.begin, layout.finder))


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
            reader = csv.reader(
                text,
                delimiter=delimiter,
                escapechar=slash,
                skipinitialspace=delimiter != " ",
            )
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
            finder = _finder(head, stream.tell(), delimiter, escape, begin)
            fitting.append(
                Layout(
                    *(delimiter, names, wanted, stream.tell()),
                    *(line + reader.line_num, [words] * has_passed, len(names)),
                    finder,
                )
            )
        if fitting:
            best = max(fitting, key=lambda layout: len(layout.names))
            # Who chooses may remember what was chosen last.
            if best is not fitting[-1]:
                choose(best.names)
            return best
        reasons.append(max(others, key=lambda other: other[0])[1])
    raise most_telling(reasons)


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
    found: list[tuple[int, int, str, RowFinder]] = []
    for delimiter in delimiters:
        finder = _finder(head, begin, delimiter, escape)
        rows = _sample(head, begin, finder)
        widths = [row.n_fields for row in rows] or [1]
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        n_usual = widths.count(usual) * (usual > 1)
        found.append((n_usual, widths[0], delimiter, finder))
    _, n_fields, delimiter, finder = max(found, key=lambda each: each[:2])
    names = [str(n + 1) for n in range(n_fields)]
    return Layout(
        *(delimiter, names, choose(names), begin, line, [words] * has_passed),
        *(n_fields, finder),
    )


def _finder(
    head: bytes, begin: int, delimiter: str, escape: bool, header: int | None = None
) -> RowFinder:
    """What finds rows: it drops blanks where one follows each delimiter.

    *header* is where the header begins, if there is one before *begin*.
    """
    finder = RowFinder(delimiter, escape, drops_blanks=True)
    rows = _sample(head, begin, finder)
    texts = [head[begin + row.start : begin + row.end] for row in rows]
    names = texts[:1] if header is None else [head[header:begin]]
    is_one = any(row.n_fields > 1 for row in rows) and delimiter != " "
    if is_one and all(map(finder.has_blanks, names + texts)):
        return finder
    return RowFinder(delimiter, escape)


def _sample(head: bytes, begin: int, finder: RowFinder) -> list[Row]:
    """The first rows, without one that the end of the head may have cut."""
    rows = islice(finder.find(head[begin:]), _SAMPLE)
    is_cut = len(head) >= HEAD_SIZE
    return [row for row in rows if not is_cut or begin + row.end < len(head)]


def _fitted(head: bytes, layout: Layout, rows: Sequence[Row]) -> Layout:
    """The layout for rows of which all have other numbers of fields than the header."""
    n_names = len(layout.names)
    widths = {row.n_fields for row in rows}
    if len(widths) != 1 or n_names in widths:
        return layout
    width = widths.pop()
    if width > n_names and all(row.n_empty >= width - n_names for row in rows):
        return layout._replace(n_fields=width)
    texts = [head[layout.begin + row.start : layout.begin + row.end] for row in rows]
    if width == n_names + 1 and _have_row_names(texts, layout):
        return layout._replace(
            names=["", *layout.names],
            wanted=[index + 1 for index in layout.wanted],
            notes=[*layout.notes, _NO_FIRST_NAME],
            n_fields=width,
        )
    if not max(layout.wanted) < width < n_names:
        return layout
    notes = [*layout.notes]
    if width < n_names - 1 or layout.names[-1]:
        n = n_names - width
        which = "The last name" if n == 1 else f"The last {n} names"
        has = "has" if n == 1 else "have"
        notes.append(f"{which} of the header's {n_names} {has} no values.")
    return layout._replace(n_fields=width, notes=notes)


def _have_row_names(rows: Sequence[bytes], layout: Layout) -> bool:
    """Whether rows begin with names of their own, as R and pandas write them.

    Such names differ and are in quotation marks, or are rising numbers. Else it may be
    that each row has a delimiter in one of its fields.
    """
    mark = layout.delimiter.encode()
    signs = (b'\\"', b"\\" + mark)
    if len(rows) < 2 or any(sign in row for row in rows for sign in signs):
        return False
    name = rb'(?:(\d{1,18})|"((?>(?:[^"]++|"")*))")' + re.escape(mark)
    names = [re.match(name, row) for row in rows]
    numbers = [int(name[1]) for name in names if name and name[1]]
    if len(numbers) == len(rows):
        return all(one < other for one, other in pairwise(numbers))
    return len({name[2] for name in names if name and not name[1]}) == len(rows)
