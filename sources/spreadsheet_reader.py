"""Tables in spreadsheets: xlsx, xlsb, xls and ods.

A program of its own reads them, by ``python-calamine``: the library ends the program
that it is in where a sheet is too large for the memory, or damaged in some ways.
"""

import pickle
import shutil
import subprocess
import sys
from array import array
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any, BinaryIO, Final, cast

import numpy as np
import pyarrow as pa

from sources.inputs import passed_file
from sources.names import most_telling
from sources.options import ReadOptions
from sources.origin import BadInput, NoSuchColumns
from sources.parts import EXACT, Choose, Part

_ROWS: Final = 1 << 16
_TOP: Final = 30
_SHOWN: Final = 20
_N_NAMES: Final = 2
"""How many columns are names: the wanted ones begin with the user's and the page's."""
_LEGACY: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = (b"PK\3\4", b"PK\7\10PK\3\4")
_Row = Sequence[Any]
_PROGRAM: Final = """
import io, pickle, sys

def send(what):
    pickle.dump(what, sys.stdout.buffer)

def read(wanted):
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum
    book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    sheets = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in sheets]
    seen = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible]
    name = wanted or (seen + names + [""])[0]
    sheet = book.get_sheet_by_name(name) if name in names else None
    send((names, name, sheet.start[1] if sheet and sheet.start else 0))
    rows = []
    for row in sheet.iter_rows() if sheet else ():
        rows.append(row)
        if len(rows) == 1024:
            send(rows)
            rows = []
    send(rows)
    send(None)

try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
except (ImportError, ValueError, OSError):
    pass
try:
    read(sys.argv[1])
except BaseException as error:
    send(type(error).__name__ + ": " + str(error))
"""


def is_spreadsheet(head: bytes) -> bool:
    """Whether a file that begins with these bytes may be a spreadsheet.

    Any zip file may: others are unpacked or refused before, see ``packing``.
    """
    return head.startswith((_LEGACY, *_ZIP))


def read_spreadsheet(
    stream: BinaryIO, choose: Choose, options: ReadOptions
) -> Iterator[Part]:
    """Read a sheet in parts, each cell as text.

    The header is the first row in which all columns are found. Rows in which there is
    nothing are no rows. Raises BadInput for what can't be read.
    """
    with closing(_messages(stream, options.sheet or "")) as messages:
        names, name, column = next(messages)
        if name not in names:
            found = ", ".join(map(repr, names[:_SHOWN])) or "none"
            raise BadInput(f"no sheet {name!r}; its sheets are: {found}")
        rows = enumerate(chain.from_iterable(messages), 1)
        filled = ((n, row) for n, row in rows if any(map(_is_filled, row)))
        top = list(islice(filled, _TOP))
        if not top:
            raise BadInput(f"sheet {name!r} is empty")
        notes = [f"Only sheet {name!r} is read."] if len(names) > 1 else []
        try:
            if options.header:
                at, wanted = _header([row for _, row in top], choose)
                if top[at][0] > 1:
                    where = f"The header is in row {top[at][0]}"
                    notes.append(f"{where}; the rows before it are skipped.")
                top = top[at + 1 :]
            else:
                wanted = choose([str(column + i + 1) for i in range(len(top[0][1]))])
        except NoSuchColumns as error:
            others = ", ".join(repr(each) for each in names if each != name)
            if options.sheet or not others:
                raise
            words = f"{error}; other sheets: {others:.300} (--sheet NAME)"
            raise NoSuchColumns(words, error.columns) from None
        form = f"a spreadsheet, sheet {name!r}"
        data = chain(top, filled)
        del top
        part = _part(list(islice(data, _ROWS)), wanted)
        yield part._replace(form=form, notes=notes)
        while held := list(islice(data, _ROWS)):
            yield _part(held, wanted)._replace(form=form)


def _header(rows: Sequence[_Row], choose: Choose) -> tuple[int, Sequence[int]]:
    """Which row names the columns, and the indices of those that are wanted."""
    problems: list[NoSuchColumns] = []
    for at, row in enumerate(rows):
        try:
            return at, choose([_text(value) or "" for value in row])
        except NoSuchColumns as error:
            problems.append(error)
    raise most_telling(problems)


def _part(rows: Sequence[tuple[int, _Row]], wanted: Sequence[int]) -> Part:
    """The wanted cells of rows.

    Raises BadInput for names that are rounded numbers, and for parts of days that only
    their format would tell from seconds.
    """
    numbers = array("l", [n for n, _ in rows])
    columns = [[row[i] for _, row in rows] for i in wanted]
    for names in columns[:_N_NAMES]:
        for number, name in zip(numbers, names, strict=True):
            if type(name) is float and abs(name) >= EXACT:
                raise BadInput(
                    f"row {number}: {name!r} is no exact number in a spreadsheet, so "
                    "it can't be an identifier; format the column as text there"
                )
    for cells in columns[_N_NAMES:]:
        are_times = not {time, timedelta}.isdisjoint(map(type, cells))
        for number, cell in zip(numbers, cells, strict=True) if are_times else ():
            if type(cell) is float and 0 < cell < 1:
                raise BadInput(
                    f"row {number}: {cell!r} stands among times, and may count days or "
                    "seconds; format it as the others in its column"
                )
    table = pa.Table.from_arrays(
        [pa.array(map(_text, column), pa.string()) for column in columns],
        [str(i) for i in range(len(columns))],
    )
    return Part(
        table,
        lambda i: f"row {numbers[i]}",
        "",
        numbers=lambda i: np.array([type(v) in (int, float) for v in columns[i]], bool),
    )


def _messages(stream: BinaryIO, sheet: str) -> Generator[Any]:
    """What the program sends; raises BadInput where it can't read the spreadsheet."""
    # -P: not by a module that happens to be in the current directory.
    command = [sys.executable, "-P", "-c", _PROGRAM, sheet]
    quiet = subprocess.DEVNULL
    with passed_file() as file:
        shutil.copyfileobj(stream, file)
        file.seek(0)
        with subprocess.Popen(  # noqa: S603
            command, stdin=file, stdout=subprocess.PIPE, stderr=quiet
        ) as program:
            output = cast(BinaryIO, program.stdout)
            try:
                while (message := pickle.load(output)) is not None:  # noqa: S301
                    if isinstance(message, str):
                        raise _refusal(message)
                    yield message
            except (EOFError, pickle.UnpicklingError):
                raise _refusal("it is damaged, or too large") from None
            finally:
                program.kill()


def _refusal(message: str) -> BadInput:
    """What to say of a file with which the library has this problem."""
    if message.startswith("PasswordError"):
        return BadInput("protected by a password; save it without one")
    if message.startswith(("ImportError", "ModuleNotFoundError")):
        line = " ".join(message.split())
        words = "spreadsheets need python-calamine: pip install python-calamine"
        return BadInput(f"{words} ({line:.200})")
    if message.startswith("MemoryError"):
        message = "it is too large"
    line = " ".join(message.split())
    return BadInput(f"cannot be read as a spreadsheet ({line:.200}); save it as CSV")


def _is_filled(value: object) -> bool:
    return not isinstance(value, str) or bool(value.strip())


def _text(value: Any) -> str | None:
    """A cell as text; None where it is empty."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        # For example "1 day, 2:03:20": neither its unit nor its mark is in doubt.
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, time):
        return value.isoformat().removeprefix("0")
    if isinstance(value, date):
        return value.isoformat()
    is_whole = value == value // 1 and abs(value) < EXACT
    return repr(int(value) if is_whole else value)
