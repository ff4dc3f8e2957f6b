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
        (timedelta(seconds=86), "0:01:26"),
        (timedelta(days=1, seconds=0.5), "1 day, 0:00:00.500000"),
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
    assert part.numbers
    read = reader.read(part.table["2"], part.locate, part.numbers(2))
    reader.finish()
    found: list[float] = read.seconds.tolist()
    return found


def test_durations_that_are_numbers_and_texts() -> None:
    assert durations(1.234, 5) == [1.234, 5.0]
    assert durations("1.234", "2.5") == [1.234, 2.5]
    assert durations(2.5, "1.234", "1,5") == [2.5, 1234.0, 1.5]
    assert durations("1.234", 5, 1.5, 1.234, decimal=",") == [1234.0, 5.0, 1.5, 1.234]
    for number in (5, 1.5, 1.234):
        with pytest.raises(BadInput, match=r"^durations are ambiguous: row 3: '1.234'"):
            durations(number, "1.234")


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


NAMES = ("user_id", "page", "timestamp", "duration")


def test_reads_xls() -> None:
    """Ids, dates, times over a day, a formula, empty cells and rows, two sheets.

    LibreOffice wrote the file.
    """
    data = (Path(__file__).parent / "views.xls").read_bytes()
    assert rows(data, *NAMES) == [
        ("row 2", "1001", "/a", "2024-03-01 10:05:00", "0:03:20"),
        ("row 3", "12345678901", "/b", "2024-03-01 10:06:30", "1 day, 1:00:00.500000"),
        ("row 4", "1001", "/c", "2024-03-02", "1:02:03"),
        ("row 5", "x1", "/d", "2024-03-02 12:00:00", None),
        ("row 6", "1002", "/e", "2024-03-02 13:00:00", "0:00:01.234000"),
        ("row 7", "1002", "/f", "2024-03-02 10:05:00", "0:06:40"),
        ("row 9", "1003", "/g", "2024-03-03 09:00:00", "30"),
    ]
    assert rows(data, "a", "b", sheet="Other") == [("row 2", "1", "2")]


def test_reads_xlsb() -> None:
    """The same of a file that pyxlsbwriter wrote, without times and formulas."""
    data = (Path(__file__).parent / "views.xlsb").read_bytes()
    assert rows(data, *NAMES) == [
        ("row 2", "1001", "/a", "2024-03-01 10:05:00", "200"),
        ("row 3", "12345678901", "/b", "2024-03-01 10:06:30", "90000.5"),
        ("row 4", "x1", "/c", "2024-03-02", None),
        ("row 5", "1002", "/d", "2024-03-02 01:00:00", "1.234"),
    ]
    assert rows(data, "a", "b", sheet="Other") == [("row 2", "1", "2")]


def ods_cell(value: object) -> str:
    kind, attribute, text = "string", "", str(value)
    if isinstance(value, float):
        kind, attribute = "float", f'office:value="{value}"'
    elif isinstance(value, datetime):
        kind, attribute = "date", f'office:date-value="{value.isoformat()}"'
    elif isinstance(value, str) and value.startswith("PT"):
        kind, attribute, text = "time", f'office:time-value="{value}"', "…"
    if value is None:
        return '<table:table-cell table:number-columns-repeated="1"/>'
    return (
        f'<table:table-cell office:value-type="{kind}" {attribute}><text:p>{text}'
        "</text:p></table:table-cell>"
    )


def ods(*lines: Sequence[object]) -> bytes:
    """A spreadsheet as LibreOffice writes it, with the rows and a sheet "Other"."""
    spaces = ["office", "table", "text"]
    names = " ".join(
        f'xmlns:{each}="urn:oasis:names:tc:opendocument:xmlns:{each}:1.0"'
        for each in spaces
    )
    sheet = "".join(
        f"<table:table-row>{''.join(map(ods_cell, line))}</table:table-row>"
        if line
        else '<table:table-row table:number-rows-repeated="2"/>'
        for line in lines
    )
    content = (
        f"<office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="Views">{sheet}</table:table>'
        '<table:table table:name="Other"><table:table-row>'
        f"{ods_cell('a')}</table:table-row></table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:'
            f'manifest:1.0"><manifest:file-entry manifest:full-path="/" '
            f'manifest:media-type="{kind}"/></manifest:manifest>',
        )
        archive.writestr("content.xml", content)
    return file.getvalue()


def test_reads_ods(tmp_path: Path) -> None:
    at = datetime(2024, 3, 1, 10, 5)
    names = ("user_id", "page", "timestamp", "duration", "Start day", "Start clock")
    day = datetime(2024, 3, 2)
    data = ods(
        names,
        (1001.0, "/a", at, "PT00H03M20S", day, "PT09H05M00S"),
        (12345678901.0, "/b", at, "PT25H00M00.5S", day, "PT09H06M00S"),
        (),
        ("x1", "/c", at, None, day, "PT10H00M00S"),
        ("x1", "/d", at, 12.0, day, "PT10H00M00S"),
    )
    path = tmp_path / "views.ods"
    path.write_bytes(data)
    for options, times in (
        (ReadOptions(), [at] * 4),
        (
            ReadOptions(time="Start day+Start clock"),
            [day.replace(hour=h, minute=m) for h, m in ((9, 5), (9, 6), (10, 0))]
            + [day.replace(hour=10)],
        ),
    ):
        (table,) = read_sessions([path], options).tables
        table = table.astype({"user_id": str})
        assert table["user_id"].tolist() == ["1001", "12345678901", "x1", "x1"]
        assert table["timestamp"].tolist() == times
        found = table["duration"].fillna(-1).tolist()
        assert found == [200, 90000.5, -1, 12]
    (part,) = parts(data, "user_id", "page")
    assert part.locate(2) == "row 6"
    assert part.notes == ["Only sheet 'Views' is read."]


def test_a_part_of_a_day_among_times_is_no_seconds(tmp_path: Path) -> None:
    header = ("user", "page", "timestamp", "duration")
    first = ("a", "b", datetime(2024, 3, 1), "PT00H03M20S")
    path = tmp_path / "views.ods"
    path.write_bytes(ods(header, first, (*first[:3], 200.0), (*first[:3], 0.0023148)))
    words = (
        "row 4: 0.0023148 stands among times, and may count days or seconds; format it "
        "as the others in its column"
    )
    with pytest.raises(BadInput, match=words):
        list(read_sessions([path]).tables)
    path.write_bytes(ods(header, (*first[:3], 200.0), (*first[:3], 0.5)))
    (table,) = read_sessions([path]).tables
    assert table["duration"].tolist() == [200, 0.5]
