import io
import random
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from sources import read_sessions
from sources.durations import DurationReader
from sources.options import ReadOptions
from sources.origin import BadInput, NoSuchColumns
from sources.parts import Part
from sources.spreadsheet_reader import is_spreadsheet, read_spreadsheet

Fill = Callable[[Any], object]
FORMATS = {
    date: "yyyy-mm-dd",
    datetime: "yyyy-mm-dd hh:mm:ss.000",
    time: "hh:mm:ss",
    timedelta: "[h]:mm:ss",
}


def workbook(**sheets: Fill) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    for name, fill in sheets.items():
        fill(book.add_worksheet(name))
    book.close()
    return file.getvalue()


def cells(*rows: Sequence[object], top: int = 0, left: int = 0) -> Fill:
    """A function that writes rows into a sheet."""

    def fill(sheet: Any) -> None:
        for i, row in enumerate(rows, top):
            sheet.write_row(i, left, row)

    return fill


def choosing(*wanted: str) -> Any:
    def choose(names: Sequence[str]) -> list[int]:
        if missing := {*wanted} - {*names}:
            raise NoSuchColumns(f"no {sorted(missing)} in {list(names)}")
        return [list(names).index(name) for name in wanted]

    return choose


def parts(data: bytes, *wanted: str, **options: Any) -> list[Part]:
    choose = choosing(*(wanted or ("user", "page")))
    return list(read_spreadsheet(io.BytesIO(data), choose, ReadOptions(**options)))


def rows(data: bytes, *wanted: str, **options: Any) -> list[tuple[Any, ...]]:
    """Each row, with where it is in front."""
    return [
        (part.locate(i), *row.values())
        for part in parts(data, *wanted, **options)
        for i, row in enumerate(part.table.to_pylist())
    ]


def problem(data: bytes, *wanted: str, **options: Any) -> str:
    """What is said of a file; nothing where it can be read."""
    try:
        parts(data, *wanted, **options)
    except BadInput as error:
        return str(error)
    return ""


TABLE = cells(("page", "x", "user"), ("home", 1, "ann"), ("cart", 2, "bob"))


def test_reads_the_first_sheet_or_the_one_that_is_named() -> None:
    data = workbook(Views=TABLE, More=cells(("user", "page"), ("eve", "exit")))
    assert is_spreadsheet(data[:4096])
    (part,) = parts(data)
    assert part.table.to_pydict() == {"0": ["ann", "bob"], "1": ["home", "cart"]}
    assert part.form == "a spreadsheet, sheet 'Views'"
    assert part.notes == ["Only sheet 'Views' is read."]
    assert rows(data, sheet="More") == [("row 2", "eve", "exit")]
    words = "no sheet 'Other'; its sheets are: 'Views', 'More'"
    assert problem(data, sheet="Other") == words
    assert not parts(workbook(A=TABLE))[0].notes


def test_the_first_sheet_is_one_that_is_seen() -> None:
    def fill(sheet: Any) -> None:
        TABLE(sheet)
        sheet.activate()

    data = workbook(A=lambda sheet: sheet.hide(), B=fill)
    assert [row[1] for row in rows(data)] == ["ann", "bob"]


def test_the_header_may_have_rows_above_and_columns_before_it() -> None:
    title = cells(("Views of 2024",), (), ("user", "page"), (), ("ann", "home"), top=2)
    (part,) = parts(workbook(A=title))
    assert part.locate(0) == "row 7"
    assert part.notes == ["The header is in row 5; the rows before it are skipped."]
    moved = cells(("user", "page"), ("ann", "home"), top=40, left=2)
    assert rows(workbook(A=moved)) == [("row 42", "ann", "home")]
    late = cells(*[("x",)] * 30, ("user", "page"), ("ann", "home"))
    assert problem(workbook(A=late)) == "no ['page', 'user'] in ['x', '']"


def test_without_a_header_columns_are_numbered_as_the_sheet_does() -> None:
    moved = cells(("ann", "home"), (), ("bob", "cart"), top=1, left=2)
    found = rows(workbook(A=moved), "4", "3", header=False)
    assert found == [("row 2", "home", "ann"), ("row 4", "cart", "bob")]
    assert problem(workbook(A=moved), "5", header=False) == "no ['5'] in ['3', '4']"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  a ", "  a "),
        (12, "12"),
        (2**53 - 1, "9007199254740991"),
        (-2.5, "-2.5"),
        (1e-300, "1e-300"),
        (True, "true"),
        (False, "false"),
        (date(2024, 1, 2), "2024-01-02"),
        (datetime(2024, 1, 2, 10), "2024-01-02 10:00:00"),
        (datetime(2024, 1, 2, 10, 0, 1, 123000), "2024-01-02 10:00:01.123000"),
        (time(0, 1, 26), "0:01:26"),
        (time(10, 0), "10:00:00"),
        (timedelta(seconds=86), "86 s"),
        (timedelta(days=1, seconds=0.5), "86400.5 s"),
        ("", None),
    ],
)
def test_cells_become_text(value: object, text: str | None) -> None:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    form = FORMATS.get(type(value))
    sheet.write(0, 0, "user")
    sheet.write(1, 0, value, *([book.add_format({"num_format": form})] if form else []))
    sheet.write(1, 1, "x")
    book.close()
    assert rows(file.getvalue(), "user") == [("row 2", text)]


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("number", [2**53, -(2**53), 1234567890123456789])
def test_numbers_that_are_rounded_name_nobody(column: int, number: int) -> None:
    data = workbook(A=cells(("a", "b", "c"), (1, 2, 3), (), (4, 4, 4), (number,) * 3))
    wanted = ["c", "c"]
    wanted[column] = "a"
    assert problem(data, *wanted, "b") == (
        f"row 5: {float(f'{number:.16g}')!r} is no exact number in a spreadsheet, so "
        "it can't be an identifier; format the column as text there"
    )


def test_other_numbers_may_be_rounded() -> None:
    row = (2**53 - 1, "12345678901234567890", 12345678901234567890)
    data = workbook(A=cells(("user", "page", "x"), row))
    (found,) = rows(data, "user", "page", "x")
    assert found == ("row 2", "9007199254740991", row[1], "1.234567890123457e+19")


@pytest.mark.parametrize("text", ["1.234", "-12.500", "+100.000", "0.123"])
def test_texts_of_numbers_leave_open_what_their_point_is(text: str) -> None:
    names = ("user", "page", "time", "duration")
    data = workbook(A=cells(names, (1.234, 1.234, 1, text), (1, 2, 1.234, 1.5)))
    (part,) = parts(data, *names)
    assert not part.point_is_usual
    # A number's point is none that might separate thousands.
    assert part.table.to_pydict() == {
        "0": ["1.234", "1"],
        "1": ["1.234", "2"],
        "2": ["1", "1.2340"],
        "3": [text, "1.5"],
    }
    for other in (data, workbook(A=cells(names, (text, text, 1, 1.234)))):
        (part,) = parts(other, "user", "page", "time")
        assert part.point_is_usual
    assert part.table.to_pydict() == {"0": [text], "1": [text], "2": ["1"]}
    (part,) = parts(other, *names)
    assert (part.point_is_usual, part.table["3"].to_pylist()) == (True, ["1.234"])
    (part,) = parts(other, *names, decimal=",")
    assert (part.point_is_usual, part.table["3"].to_pylist()) == (True, ["1.2340"])


def durations(*cells_: object, decimal: str | None = None) -> list[float]:
    names = ("user", "page", "duration")
    data = workbook(A=cells(names, *[("a", "b", cell) for cell in cells_]))
    (part,) = parts(data, *names, decimal=decimal)
    reader = DurationReader(
        None,
        decimal=decimal,
        point_is_usual=part.point_is_usual,
        zero_is_unknown=False,
        longest=None,
    )
    found: list[float] = reader.read(part.table["2"], part.locate).seconds.tolist()
    reader.finish()
    return found


def test_durations_that_are_numbers_and_texts() -> None:
    assert durations(1.234, 5) == [1.234, 5.0]
    assert durations("1.234", 1.234) == [1.234, 1.234]
    assert durations("1.234", "2.5") == [1.234, 2.5]
    assert durations("1.234", 5, decimal=",") == [1234.0, 5.0]
    with pytest.raises(BadInput, match=r"^durations are ambiguous: row 2: '1.234' is"):
        durations("1.234", 5)
    with pytest.raises(BadInput, match=r"row 3: '1,5' has a decimal comma, but row 4:"):
        durations("1.234", "1,5", 1.234)


def test_other_sheets_are_told_where_one_has_no_such_columns() -> None:
    data = workbook(Notes=cells(("x",)), Data=TABLE, Raw=TABLE)
    words = "no ['page', 'user'] in ['x']"
    others = "; other sheets: 'Data', 'Raw' (--sheet NAME)"
    assert problem(data) == words + others
    assert problem(data, sheet="Notes") == words
    assert problem(workbook(Notes=cells(("x",)))) == words
    assert problem(data, "9", header=False) == f"no ['9'] in ['1']{others}"
    with pytest.raises(NoSuchColumns):
        parts(data)


def test_formulas_have_their_values_and_errors_none() -> None:
    def fill(sheet: Any) -> None:
        cells(("user", "page"))(sheet)
        sheet.write_formula(1, 0, "=1+1", None, 2)
        sheet.write_formula(1, 1, "=NA()", None, "#N/A")

    assert rows(workbook(A=fill)) == [("row 2", "2", None)]


def test_sheets_without_rows() -> None:
    data = workbook(A=cells(("user", "page")), B=cells())
    assert [len(part.table) for part in parts(data)] == [0]
    assert problem(data, sheet="B") == "sheet 'B' is empty"


def test_parts_are_short() -> None:
    views = cells(("user", "page"), *[("ann", "home")] * 70_000)
    first, second = parts(workbook(A=views))
    assert (len(first.table), len(second.table)) == (65_536, 4_464)
    assert second.locate(0) == "row 65538"


def test_a_sheet_that_is_too_large_for_the_memory_is_refused() -> None:
    def fill(sheet: Any) -> None:
        sheet.write(0, 0, "user")
        sheet.write(1_048_575, 16_383, "page")

    assert problem(workbook(A=fill)).startswith("cannot be read as a spreadsheet (")


def test_a_reading_that_is_given_up_ends_the_program() -> None:
    views = cells(("user", "page"), *[("ann", "home")] * 70_000)
    stream = io.BytesIO(workbook(A=views))
    found = read_spreadsheet(stream, choosing("user"), ReadOptions())
    next(found)
    del found


@pytest.mark.parametrize(
    "data", [b"", b"PK\3\4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"x"]
)
def test_says_in_a_line_that_it_cannot_be_read(data: bytes) -> None:
    assert problem(data).startswith("cannot be read as a spreadsheet (")
    assert "\n" not in problem(data)


def test_any_member_may_come_first(tmp_path: Path) -> None:
    names = ("user", "page", "duration", "time")
    data = workbook(A=cells(names, ("ann", "home", 10, "2024-05-01")))
    path = tmp_path / "views.xlsx"
    with (
        zipfile.ZipFile(io.BytesIO(data)) as known,
        zipfile.ZipFile(path, "w") as archive,
    ):
        archive.writestr("customXml/item1.xml", "<a/>")
        for name in known.namelist():
            archive.writestr(name, known.read(name))
    (table,) = read_sessions([path]).tables
    assert table["user_id"].tolist() == ["ann"]


def test_the_problem_of_the_real_header_is_told(tmp_path: Path) -> None:
    path = tmp_path / "views.xlsx"
    header = ("user", "page", "time", "zeit_dauer")
    row = ("ann", "home", "2024-05-01", 10)
    path.write_bytes(workbook(A=cells(("Views of May",), header, row)))
    with pytest.raises(BadInput, match="'zeit_dauer' may be the duration: name it"):
        list(read_sessions([path]).tables)


def test_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python_calamine.py").write_text("raise ImportError('none\\nhere')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert problem(workbook(A=TABLE)) == (
        "spreadsheets need python-calamine: pip install python-calamine "
        "(ImportError: none here)"
    )


def test_damaged_files_are_read_or_refused() -> None:
    good = workbook(A=TABLE)
    for seed in range(25):
        drawn, data = random.Random(seed), bytearray(good)
        for _ in range(3):
            data[drawn.randrange(len(data))] = drawn.randrange(256)
        assert "\n" not in problem(bytes(data))


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        (b"PK\3\4" + b"\0" * 26 + b"[Content_Types].xml", True),
        (b"PK\3\4" + b"\0" * 26 + b"customXml/item1.xml", True),
        (b"PK\7\10PK\3\4", True),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", True),
        (b"PK\5\6", False),
        (b"user,page\n", False),
        (b"", False),
    ],
)
def test_knows_its_files(head: bytes, is_one: bool) -> None:
    assert is_spreadsheet(head) is is_one
