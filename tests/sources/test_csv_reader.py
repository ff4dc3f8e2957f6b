import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sources import read_sessions
from sources.csv_header import HEAD_SIZE
from sources.csv_reader import BLOCK_SIZE, read_csv
from sources.options import ReadOptions
from sources.origin import BadInput, NoSuchColumns
from sources.parts import LeftOut, Part

HEADER = "user,page,time\n"
GOOD = "ann,home,10:00\n"
WRONG = "the wrong number of fields"
ESCAPE = r"add --escape if quotation marks are written as \""
SKIPPED = "The header is in line {}; the lines before it are skipped."


def choose(names: Sequence[str]) -> Sequence[int]:
    """The columns user, page and time, whatever their case."""
    names = [name.lower() for name in names]
    try:
        return [names.index(name) for name in ("user", "page", "time")]
    except ValueError:
        raise NoSuchColumns(f"not in {names}") from None


def read(data: str | bytes, block_size: int = BLOCK_SIZE, **options: Any) -> list[Part]:
    data = data.encode() if isinstance(data, str) else data
    return list(read_csv(io.BytesIO(data), choose, ReadOptions(**options), block_size))


def rows(parts: Sequence[Part]) -> list[list[str]]:
    return [list(row.values()) for part in parts for row in part.table.to_pylist()]


def lines(parts: Sequence[Part]) -> list[str]:
    return [part.locate(i) for part in parts for i in range(len(part.table))]


def left_out(parts: Sequence[Part]) -> list[LeftOut]:
    return [left_out for part in parts for left_out in part.left_out]


def refusal(data: str | bytes, **options: Any) -> str:
    with pytest.raises(BadInput) as caught:
        read(data, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("delimiter", "words"),
    [
        (",", "commas"),
        (";", "semicolons"),
        ("\t", "tabs"),
        ("|", "vertical bars"),
        ("\x01", "control-A"),
    ],
)
def test_the_delimiter_is_found_and_named(delimiter: str, words: str) -> None:
    text = "x,User,Page,TIME\n1,ann,home,10:00\n2,bob,/a b,11\n"
    (part,) = read(text.replace(",", delimiter))
    assert part.table.schema.names == ["User", "Page", "TIME"]
    assert rows([part]) == [["ann", "home", "10:00"], ["bob", "/a b", "11"]]
    assert lines([part]) == ["line 2", "line 3"]
    assert part.form == f"CSV, separated by {words}"
    assert part.point_is_usual is (delimiter == ",")
    assert (part.left_out, part.notes) == ([], [])


@pytest.mark.parametrize("word", ["sep=^", '"sep=^"', "SEP=^", "sep=^^^^"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_may_name_the_delimiter(word: str, end: str) -> None:
    (part,) = read(end.join([word, "user^page^time", "ann^a,b^1"]))
    assert rows([part]) == [["ann", "a,b", "1"]]
    assert lines([part]) == ["line 3"]
    assert part.form == "CSV, separated by '^'"
    assert part.notes == []


@pytest.mark.parametrize(
    ("data", "expected", "line", "notes"),
    [
        # 01-utc-suffix.csv, 27-names-case.csv
        (
            "User,Page,duration,Time\n541,view,35,2019-10-01 00:00:00 UTC\n",
            ["541", "view", "2019-10-01 00:00:00 UTC"],
            2,
            [],
        ),
        # 03-excel-german.csv
        (
            "user;page;duration;time\r\nbernd;Über uns;1.234,75;31.12.2024\r\n",
            ["bernd", "Über uns", "31.12.2024"],
            2,
            [],
        ),
        # 12-trailing-delimiter.csv
        (
            "user,page,duration,time\nann,home,10,2024-01-01 10:00,\n",
            ["ann", "home", "2024-01-01 10:00"],
            2,
            [],
        ),
        # 13-sep-line.csv
        (
            "sep=;\r\nuser;page;duration;time\r\nann;home;10;2024\r\n",
            ["ann", "home", "2024"],
            3,
            [],
        ),
        # 14-preamble.csv
        (
            "# ---\n# All traffic\n# 20240101-20240131\n# ---\n\n"
            "user,page,duration,time\nann,home,10,2024\n",
            ["ann", "home", "2024"],
            7,
            [SKIPPED.format(6)],
        ),
        # 16-null-words.csv
        ("user,page,time\nNA,null,<NA>\n", ["NA", "null", "<NA>"], 2, []),
        ("user,page,time\n,\\N,#N/A\n", ["", "\\N", "#N/A"], 2, []),
        # 17-thousands.csv
        (
            'user,page,duration,time\nann,home,"1,234",2024\n',
            ["ann", "home", "2024"],
            2,
            [],
        ),
        # 56-formula-names.csv
        (
            'user,page,time\n"=HYPERLINK(""http://a"",""b"")",+1+2,2024\n',
            ['=HYPERLINK("http://a","b")', "+1+2", "2024"],
            2,
            [],
        ),
        # 60-proto.csv
        ("user,page,time\nann,/i?a=__proto__,5", ["ann", "/i?a=__proto__", "5"], 2, []),
        # nasa_19950801.tsv
        (
            "user\tlogname\ttime\tmethod\tpage\tresponse\tbytes\treferer\tagent\n"
            "a.com\t-\t807256800\tGET\t/logo.gif\t200\t1713\n",
            ["a.com", "/logo.gif", "807256800"],
            2,
            ["The last 2 names of the header's 9 have no values."],
        ),
        # A title in the file's own form, and one with a quotation mark.
        (
            'All,of,it\n"Report\n5" screens\nuser,page,time\na,b,c\n',
            ["a", "b", "c"],
            5,
            [SKIPPED.format(4)],
        ),
        ('"user"," page ",time\na, b ,c\n', ["a", " b ", "c"], 2, []),
        ('user,"a\nb""c",page,time\na,x,b,c\n', ["a", "b", "c"], 3, []),
        ("user,page,time\r\r\na,b,c\r\r\n", ["a", "b", "c"], 2, []),
    ],
)
def test_what_programs_write(
    data: str, expected: list[str], line: int, notes: list[str]
) -> None:
    parts = read(data)
    assert rows(parts) == [expected]
    assert lines(parts) == [f"line {line}"]
    assert [*parts[0].notes] == notes
    assert not left_out(parts)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_is_no_part_of_the_header(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "views.csv"
    for begin in ("", "sep=,\n", "# c\n"):
        text = f"{begin}user,page,duration,time\nann,home,10,2024-01-01\n"
        path.write_bytes(text.encode(encoding))
        (table,) = read_sessions([path]).tables
        assert table["user_id"].tolist() == ["ann"]
        assert table["duration"].tolist() == [10.0]


def test_columns_come_as_text() -> None:
    (empty,) = read(HEADER)
    (part,) = read("time,user,page\n1,ann,home\n")
    text = pa.schema({name: pa.string() for name in ("user", "page", "time")})
    assert part.table.schema == empty.table.schema == text
    assert (len(empty.table), empty.form) == (0, "CSV, separated by commas")


def test_columns_may_have_one_name() -> None:
    stream = io.BytesIO(b"a,a,a\n1,2,3\n")
    (part,) = read_csv(stream, lambda _: [2, 0, 1], ReadOptions())
    assert part.table.schema.names == ["a", "a", "a"]
    assert [column[0].as_py() for column in part.table.columns] == ["3", "1", "2"]


def test_the_header_is_within_thirty_lines() -> None:
    title = "# c\n\n" + "title\n" * 29
    assert rows(read(f"{title}{HEADER}{GOOD}")) == [["ann", "home", "10:00"]]
    assert refusal(f"title\n{title}{HEADER}{GOOD}") == "not in ['title']"


def test_without_a_header_what_is_told_is_the_first_line() -> None:
    data = "# c\n\nname;a,b;c\nd,e,f,g\n"
    assert refusal(data) == "not in ['name', 'a,b', 'c']"


def test_the_choice_is_made_last_for_the_header_that_is_taken(tmp_path: Path) -> None:
    data = "user;page;time;x,user_id,page_url,timestamp\nann;/a;2024-05-01;9,x,y,1\n"
    stream, seen = io.BytesIO(data.encode()), []

    def see(names: Sequence[str]) -> Sequence[int]:
        seen.append([*names])
        if len(names) < 4:
            raise NoSuchColumns("too few")
        return [0]

    (part,) = read_csv(stream, see, ReadOptions())
    semicolons = ["user", "page", "time", "x,user_id,page_url,timestamp"]
    commas = ["user;page;time;x", "user_id", "page_url", "timestamp"]
    assert seen[:2] == [commas, semicolons]
    assert seen[-1] == commas
    assert rows([part]) == [["ann;/a;2024-05-01;9"]]
    path = tmp_path / "views.csv"
    path.write_text(data.replace("9,x,y,1", "9,bob,/b,2024-05-02"))
    (table,) = read_sessions([path]).tables
    assert table["user_id"].tolist() == ["bob"]
    assert table["page"].tolist() == ["/b"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("user,page,time,zeit_dauer", "'zeit_dauer' may be the duration: name it with"),
        ("user,a.url,b.url,time", "two columns could be the page: a.url and b.url;"),
        ("page,time", "no column for the user (looked for user_id, user,"),
        # Nothing is found in these, and in a row of data one thing by chance.
        ("Gast,Typ,Ankunft", "its columns are: Report; name them with --user COL"),
    ],
)
def test_the_problem_of_the_real_header_is_told(
    header: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "views.csv"
    path.write_text(f"Report\nAll, of it\n{header}\nann,page,2024-05-01,1\n")
    with pytest.raises(BadInput) as caught:
        list(read_sessions([path]).tables)
    assert words in str(caught.value)


def test_a_wrong_option_is_told_of_the_real_header(tmp_path: Path) -> None:
    path = tmp_path / "views.csv"
    path.write_text("Report\na,b,c\n")
    options = ReadOptions(user="a", page="b", time="d")
    with pytest.raises(BadInput) as caught:
        list(read_sessions([path], options).tables)
    words = "no column d, named by --time; its columns are: a, b, c"
    assert str(caught.value) == f"{path}: {words}"


def test_other_refusals_of_the_choice_come_through() -> None:
    def refuse(_: Sequence[str]) -> Sequence[int]:
        raise BadInput("two columns that may be the page")

    with pytest.raises(BadInput, match="two columns"):
        list(read_csv(io.BytesIO(b"a,b\n"), refuse, ReadOptions()))


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ("15174,home,35,2020\n10774,login,9,2020\n", ["1", "2", "3", "4"]),
        ("# c\n\na;b,5;c;d|e\na;b,5;c;f\n", ["1", "2", "3", "4"]),
        ("a,1|b\na|c\na|d\n", ["1", "2"]),
        ('"a,b"\t"c\nd"\te\n', ["1", "2", "3"]),
        ("one", ["1"]),
    ],
)
def test_without_names_columns_have_numbers(data: str, names: list[str]) -> None:
    seen = []

    def see(names: Sequence[str]) -> Sequence[int]:
        seen.append([*names])
        return [len(names) - 1, 0]

    options = ReadOptions(header=False)
    (part,) = read_csv(io.BytesIO(data.encode()), see, options)
    assert seen == [names]
    assert part.table.schema.names[0] == names[-1]
    begin = 3 if data.startswith("#") else 1
    assert part.locate(0) == f"line {begin}"
    passed = ["The lines before line 3 are skipped."]
    assert part.notes == (passed if begin == 3 else [])


def test_without_names_the_first_row_says_how_wide_rows_are() -> None:
    stream = io.BytesIO(b"a,b,c\nd,e\nf,g,h\n")
    options = ReadOptions(header=False)
    (part,) = read_csv(stream, lambda _: [0, 1], options)
    assert rows([part]) == [["a", "b"], ["f", "g"]]
    example = "line 2: 2 fields, where the first rows have 3"
    assert part.left_out == [LeftOut(WRONG, 1, example)]


def test_rows_of_other_widths_are_left_out() -> None:
    parts = read(f"{HEADER}{GOOD}\na,b,c,d\n{GOOD}x\n{GOOD}")
    assert lines(parts) == ["line 2", "line 5", "line 7"]
    example = "line 4: 4 fields, where the header has 3"
    assert left_out(parts) == [LeftOut(WRONG, 2, example)]
    (one,) = left_out(read(f"{HEADER}{GOOD}x\n"))
    assert one.example == "line 3: 1 field, where the header has 3"


def test_each_part_tells_what_it_leaves_out_and_the_first_one_the_notes() -> None:
    text = "title\n" + HEADER + (GOOD + "a,b\n") * 3
    parts = read(text, block_size=len(GOOD) + 4)
    assert [part.notes for part in parts] == [[SKIPPED.format(2)], (), ()]
    example = "line 4: 2 fields, where the header has 3"
    assert left_out(parts) == [LeftOut(WRONG, 1, example)] * 3


def test_a_backslash_before_a_quotation_mark_asks_for_the_option() -> None:
    data = 'user,page,time\n"ann","say \\"hi\\", then go",10:00\nbob,home,11:00\n'
    parts = read(data)
    assert rows(parts) == [["bob", "home", "11:00"]]
    example = "line 2: 4 fields, where the header has 3"
    assert left_out(parts) == [LeftOut(WRONG, 1, example, ESCAPE)]
    parts = read(data, escape=True)
    assert rows(parts) == [
        ["ann", 'say "hi", then go', "10:00"],
        ["bob", "home", "11:00"],
    ]
    assert not left_out(parts)
    parts = read('user,"a\\"\n,b",page,time\na\\,b,1,2\\\n3,4\\', escape=True)
    assert rows(parts) == [["a,b", "2\n3", "4\\"]]
    assert lines(parts) == ["line 3"]
    parts = read(HEADER + 'a\\"b,c\n', escape=True)
    assert left_out(parts)[0].hint == ""


def test_a_delimiter_after_the_last_field() -> None:
    (part,) = read('user,page,time\na,b,c,\nd,e,f,""\n' + "a,b,c,\n" * 99 + "a,b,c,5\n")
    assert len(part.table) == 101
    assert part.locate(100) == "line 102"
    example = "line 103: 4 fields, where the header has 3"
    assert part.left_out == [LeftOut(WRONG, 1, example)]
    (part,) = read(f"{HEADER}a,b,c,,\n" + 'd,e,f,"",\n' * 99 + "a,b,c,,5\na,b,c,5,\n")
    assert rows([part])[:2] == [["a", "b", "c"], ["d", "e", "f"]]
    assert (len(part.table), part.notes) == (100, [])
    example = "line 102: 5 fields, where the header has 3"
    assert part.left_out == [LeftOut(WRONG, 2, example)]
    (part,) = read(f"{HEADER}{'a,b,c,,' * 9}\na,b,c{',' * 36}\n")
    assert (len(part.table), part.left_out[0].rows) == (0, 2)
    # One row that has what the header says, or one with something there, is enough.
    assert len(rows(read(f"{HEADER}a,b,c,\n{GOOD}"))) == 1
    assert not rows(read(f"{HEADER}a,b,c,\na,b,c,d\n"))


@pytest.mark.parametrize("options", [{}, {"escape": True}])
def test_rows_of_r_begin_with_their_names(options: dict[str, Any]) -> None:
    unnamed = "The header has no name for the first column."
    quoted = '"user","page","time"\n"1","ann","home",10\n"2","bob",NA,11\n'
    for data in (quoted, quoted.replace('"', ""), quoted.replace(",", "\t")):
        (part,) = read(data, **options)
        assert rows([part]) == [["ann", "home", "10"], ["bob", "NA", "11"]]
        assert part.table.schema.names == ["user", "page", "time"]
        assert (part.notes, part.left_out) == ([unnamed], [])
    (part,) = read(HEADER + "".join(f"{i},a,b,c\n" for i in range(100)) + "a,b,c\n")
    assert lines([part])[99:] == ["line 101"]
    example = "line 102: 3 fields, where the first rows have 4"
    assert part.left_out == [LeftOut(WRONG, 1, example)]
    # A delimiter that belongs to a field is none that shifts the columns.
    for data in (
        "1,/a,b,10\n1,/c,d,11\n",
        "2,/a,b,10\n1,/c,d,11\n",
        "1,/a,b,10\n",
        "ann,/a,b,10\nbob,/c,d,11\n",
        '"ann",/a,b,10\nbob,/c,d,11\n',
        '"ann",/a,b,10\n"ann",/c,d,11\n',
        '"ann","a\\", b",10\n"bob",c,10,11\n',
        "1,a\\,b,10\n2,c\\,b,11\n",
    ):
        assert not rows(read(HEADER + data))
    # Nor does one after the last field.
    assert rows(read(f"{HEADER}1,a,b,\n2,c,d,\n")) == [["1", "a", "b"], ["2", "c", "d"]]


BLANKS = "A blank follows each delimiter; it is dropped."


@pytest.mark.parametrize("options", [{}, {"escape": True}])
def test_blanks_after_delimiters(options: dict[str, Any]) -> None:
    data = (
        'user, "page", time\nann, home,  10 \n"b, b", "a, ""b"",\n c", 11\n, , \n'
        'x, y\nd, e" , f", 2\ne,f, 12\n'
    )
    for size in (9, BLOCK_SIZE):
        # What comes after the sample needs no blank.
        text = data.replace("e,f", "e, f") + "u, v, 1\n" * 99 + "g,h,13\n"
        parts = read(text, size, **options)
        assert rows(parts)[:5] == [
            ["ann", "home", "10 "],
            ["b, b", 'a, "b",\n c', "11"],
            ["", "", ""],
            ["e", "f", "12"],
            ["u", "v", "1"],
        ]
        assert rows(parts)[-1] == ["g", "h", "13"]
        numbers = ["line 2", "line 3", "line 5", "line 8", "line 9"]
        assert lines(parts)[:5] == numbers
        assert sum(each.rows for each in left_out(parts)) == 2
        assert parts[0].notes == [BLANKS]
    # One field without is enough for blanks to be letters.
    (part,) = read(data, **options)
    assert rows([part])[0] == ["ann", " home", "  10 "]
    assert part.notes == []
    assert rows(read("user,page, time\na, b, c\n", **options)) == [["a", " b", " c"]]
    spaced = read("sep= \nuser page time\na b c\n", **options)
    assert rows(spaced) == [["a", "b", "c"]]
    numbered = ReadOptions(header=False, **options)
    stream = io.BytesIO(b'a, "b, c", d\ne, f, g\n')
    (part,) = read_csv(stream, lambda names: range(len(names)), numbered)
    assert rows([part]) == [["a", "b, c", "d"], ["e", "f", "g"]]
    assert part.notes == [BLANKS]


def test_blanks_and_backslashes() -> None:
    data = 'user, page, time\na\\, b, \\N, "\\", \\N, c"\n\\N, x\\\\, \\N\n'
    (part,) = read(data, escape=True)
    assert rows([part]) == [["a, b", "", '", N, c'], ["", "x\\", ""]]


def test_escaped_nulls_are_nothing() -> None:
    data = (
        "\\N,home,\\N\na,\\N,\\N\r\n\\N,\\N,\\N\nb\\,\\N,\\NN,x\\N\n"
        '",\\N,","\\N",c\\\\\na\\\\,\\N,\\N'
    )
    expected = [
        ["", "home", ""],
        ["a", "", ""],
        ["", "", ""],
        ["b,N", "NN", "xN"],
        [",N,", "N", "c\\"],
        ["a\\", "", ""],
    ]
    for size in (5, BLOCK_SIZE):
        parts = read(HEADER + data, size, escape=True)
        assert rows(parts) == expected
        assert lines(parts) == [f"line {n}" for n in range(2, 8)]
    parts = read(f"{HEADER}a,b,c,\\N\nd,e,f,\ng,h,i\\,,\n", escape=True)
    assert rows(parts) == [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i,"]]
    assert lines(parts) == ["line 2", "line 3", "line 4"]
    assert rows(read(HEADER + r"\N,\N,c")) == [["\\N", "\\N", "c"]]


def test_a_backslash_before_a_delimiter_asks_for_the_option() -> None:
    for delimiter in ",\t":
        data = f"{HEADER}{GOOD}ann,a\\,b,10\nx,y\n".replace(",", delimiter)
        (one,) = left_out(read(data))
        words = "add --escape if a backslash before a delimiter makes it a plain letter"
        example = "line 3: 4 fields, where the header has 3"
        assert one == LeftOut(WRONG, 2, example, words)
        parts = read(data, escape=True)
        assert rows(parts)[1] == ["ann", f"a{delimiter}b", "10"]
        assert left_out(parts)[0].hint == ""


def test_a_delimiter_after_the_last_name() -> None:
    for row in ("a,b,c\n", "a,b,c,\n", "a,b,c,d\n"):
        parts = read("user,page,time,\n" + row * 2)
        assert rows(parts) == [["a", "b", "c"]] * 2
        assert parts[0].notes == []
        assert not left_out(parts)


def test_names_without_values() -> None:
    (part,) = read("user,page,time,x\na,b,c\nd,e\n\nf,g,h\n")
    assert not rows([part])
    assert part.left_out[0].rows == 3
    (part,) = read("user,page,time,x\n" + "a,b,c\n" * 100 + "a,b,c,d\n")
    assert len(part.table) == 100
    assert part.notes == ["The last name of the header's 4 has no values."]
    example = "line 102: 4 fields, where the first rows have 3"
    assert part.left_out == [LeftOut(WRONG, 1, example)]
    (part,) = read("user,page,x,time\na,b,c\n")
    assert (len(part.table), part.left_out[0].rows) == (0, 1)


def test_lines_that_end_in_other_ways() -> None:
    parts = read("user,page,time\r\na,b,c\r\n\r\nd,e,f\rg,h,i\r\n")
    assert rows(parts) == [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]
    assert lines(parts) == ["line 2", "line 4", "line 4"]
    message = "its lines end without line feeds; save it as CSV again"
    assert refusal("user,page,time\ra,b,c\n") == message


@pytest.mark.parametrize("size", [4, BLOCK_SIZE])
def test_lines_may_end_in_carriage_returns_alone(size: int) -> None:
    data = f'title\n{HEADER}{GOOD}\n"x\ny",b,2\nu,v\n{GOOD}'.replace("\n", "\r")
    parts = read(data, size)
    home = ["ann", "home", "10:00"]
    assert rows(parts) == [home, ["x\ny", "b", "2"], home]
    assert lines(parts) == ["line 3", "line 5", "line 8"]
    assert left_out(parts)[0].example.startswith("line 7: 2 fields")
    long = ("title\n" + HEADER + GOOD * 100_000).replace("\n", "\r")
    assert sum(len(part.table) for part in read(long)) == 100_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it has no rows"),
        (b"\n# c\n \r\n", "it has no rows"),
        (b"a,b\r" * 300_000, "not in ['a', 'b']"),
        (b"x" * 200_000, "its first line cannot be read (field larger than"),
        (
            b"x," * 600_000,
            "its first line cannot be read (it is over 1 MB)",
        ),
        (b"\x93us\0r\n", "line 1: a NUL byte; it is no text, or text that needs --enc"),
        (f"{HEADER}\n{GOOD}a,\0,c\n".encode(), "line 4: a NUL byte; "),
        ("user,pagé".encode("latin-1"), "line 1: not UTF-8 text: 'pag\\xe9'; if a s"),
        (
            f'{HEADER}"x\ny",é,z\n{GOOD}a;"caf\xe9"\n'.encode("latin-1"),
            "line 3: not UTF-8 text: '\\xe9'; if a spread",
        ),
        (
            HEADER.encode() + b'a,\xc3\xa9\n\na,"\x1b[2Jcaf\xe9",c\n',
            "line 4: not UTF-8 text: ' [2Jcaf\\xe9'; "
            "if a spreadsheet on Windows wrote it, add --encoding cp1252",
        ),
        (
            f'{HEADER}{GOOD}\n"ann,home,1\n{GOOD}'.encode(),
            'line 4: a quotation mark (") is never closed, or a row is over 4 MB',
        ),
        (f'{HEADER}\n\na,b,"2024\n{GOOD}'.encode(), "line 4: a quotation mark"),
        (f'{HEADER}{GOOD}"a{"b" * 9_000_000}'.encode(), "line 3: a quotation mark"),
        (f'{HEADER}"a\n{GOOD * 700_000}'.encode(), "line 2: a quotation mark"),
        (f"{HEADER}{GOOD}{'b' * 9_000_000}".encode(), "line 3: a quotation mark"),
        (
            f'{HEADER}{GOOD}"{"a" * 4_200_000}",b,c\n{GOOD}'.encode(),
            "line 3: a row of over 4 MB",
        ),
        (rf'{HEADER}"a\"",b,c'.encode(), f"a row is over 4 MB; {ESCAPE}"),
    ],
)
def test_refuses_in_one_line(data: bytes, message: str) -> None:
    assert message in refusal(data)


def test_rows_may_be_long() -> None:
    long = f'"{"a" * 3_500_000}",b,c\nx,y\n'
    parts = read(f"{HEADER}{GOOD}{long}{GOOD}")
    assert [len(user) for user, _, _ in rows(parts)] == [3, 3_500_000, 3]
    assert lines(parts) == ["line 2", "line 3", "line 5"]
    assert sum(each.rows for each in left_out(parts)) == 1


@pytest.mark.parametrize("size", [29_997, 30_000, 30_005, 1 << 21])
@pytest.mark.parametrize("end", ["", "\n"])
def test_files_are_read_in_blocks(size: int, end: str) -> None:
    first = '"a\n,""b""\nc",home,1\n'
    row = '"x\ny",home,1\n'
    n = (size - len(first)) // len(row)
    # The block ends somewhere in the last row, or between its quotation marks.
    last = '"z' + "\n" * (size - len(first) - n * len(row)) + '",q,2\n'
    text = first + n * row + last + "u,v\n" + row[:-1] + end
    parts = read(HEADER + text, size)
    assert len(parts) > 1
    assert sum(len(part.table) for part in parts) == n + 3
    assert sum(each.rows for each in left_out(parts)) == 1
    assert [len(user) for user, _, _ in rows(parts[-2:])[-2:]] == [len(last) - 7, 3]
    last_line = 1 + (HEADER + text).rstrip().count("\n")
    assert parts[-1].locate(len(parts[-1].table) - 1) == f"line {last_line - 1}"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_quoted_rows_may_fill_what_arrow_reads_at_a_time(more: int) -> None:
    row = f'"x\ny",home,{"1" * 247}\n'
    n = 2 * (1 << 20) // len(row)
    text = row * (n - 1) + row[: -1 + min(more, 0)] + "1" * max(more, 0) + "\n"
    # The first block ends at the end of the head.
    head = HEADER + "u,v,1\n" * ((HEAD_SIZE - len(HEADER)) // 6)
    head += "\n" * (HEAD_SIZE - len(head))
    *_, part = read(head + text)
    assert len(part.table) == n
    assert part.table["user"].unique().to_pylist() == ["x\ny"]
    assert part.locate(n - 1).startswith("line ")


def test_no_memory_for_a_thread_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    with pytest.raises(MemoryError):
        read(HEADER + GOOD)


def test_a_stream_may_give_little_at_a_time() -> None:
    class Pipe(io.RawIOBase):
        data = ("title\n" + HEADER + GOOD * 5).encode()

        def read(self, size: int = -1) -> bytes:
            taken, self.data = self.data[: min(size, 7)], self.data[min(size, 7) :]
            return taken

    parts = read_csv(Pipe(), choose, ReadOptions())  # type: ignore[arg-type]
    assert rows([*parts]) == [["ann", "home", "10:00"]] * 5


CELL = st.text(st.sampled_from('ab,;\t|"\\\n\r# é\x1e'), max_size=5)
ROW = st.lists(CELL, min_size=4, max_size=4) | st.lists(CELL, min_size=1, max_size=6)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[list[str]], list[int], bool]:
    """A file, its rows after the header, their lines, and whether it is escaped."""
    escape = draw(st.booleans())
    end = draw(st.sampled_from(["\n", "\r\n"]))
    style: dict[str, Any] = {"delimiter": draw(st.sampled_from(",;\t|"))}
    if escape:
        style |= {"doublequote": False, "escapechar": "\\"}
    style["quoting"] = draw(
        st.sampled_from(
            [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE][: 2 + escape]
        )
    )

    def written(row: Sequence[str]) -> str:
        # With this line end, both of its letters are quoted in fields.
        file = io.StringIO()
        quoting = {"quoting": csv.QUOTE_ALL} if row == [""] else {}
        csv.writer(file, **style | quoting, lineterminator="\r\n").writerow(row)
        return file.getvalue()[:-2] + end * draw(st.sampled_from([1, 1, 1, 2]))

    titles = draw(st.lists(st.sampled_from(["# c", "", "Title", "Of, May; 5"])))
    text = "".join(title + end for title in titles)
    text += written(["user", draw(CELL), "page", "time"])
    table = [["a", "b", "c", "d"], *draw(st.lists(ROW, max_size=12))]
    numbers = []
    for row in table:
        numbers.append(text.count("\n") + 1)
        text += written(row)
    if draw(st.booleans()):
        text = text.removesuffix("\n").removesuffix("\r")
    return text, table, numbers, escape


@settings(deadline=None)
@given(files(), st.integers(1, 60))
def test_any_table_is_read_as_it_was_written(
    file: tuple[str, list[list[str]], list[int], bool], block_size: int
) -> None:
    text, table, numbers, escape = file
    parts = read(text, block_size, escape=escape)
    good = [i for i, row in enumerate(table) if len(row) == 4]
    assert rows(parts) == [[table[i][n] for n in (0, 2, 3)] for i in good]
    assert lines(parts) == [f"line {numbers[i]}" for i in good]
    bad = [i for i, row in enumerate(table) if len(row) != 4]
    found = left_out(parts)
    assert sum(each.rows for each in found) == len(bad)
    if bad:
        n = len(table[bad[0]])
        fields = f"{n} field{'s' * (n > 1)}"
        example = f"line {numbers[bad[0]]}: {fields}, where the header has 4"
        assert {each.example for each in found} == {example}


PIECES = [b'"', b",", b"\n", b"\r", b"\\", b"a", b"\xc3\xa9", b"\n", b'"', b"a,b,c\n"]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join),
    st.integers(1, 30),
    st.booleans(),
)
def test_any_text_ends_in_the_rows_that_python_finds_or_an_open_quotation_mark(
    data: bytes, block_size: int, escape: bool
) -> None:
    # Behind a closing quotation mark, Python takes a backslash for a plain letter.
    assume(not escape or b'"\\' not in data)
    data = (HEADER + GOOD).encode() + data
    try:
        parts = read(data, block_size, escape=escape)
    except BadInput:
        assert "never closed" in refusal(data, escape=escape)
        return
    text = io.StringIO(data.decode() + "\\" * _dangles(data, escape), newline="")
    table = list(csv.reader(text, escapechar="\\" if escape else None))
    table = [row for row in table[1:] if row]
    assert rows(parts) == [row for row in table if len(row) == 3]
    total = len(rows(parts)) + sum(each.rows for each in left_out(parts))
    assert total == len(table)


BLANK_PIECES = [b'"', b", ", b",", b" ", b"\n", b"a", b"\n", b'"', b"a, b, c\n"]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(BLANK_PIECES), max_size=40).map(b"".join),
    st.integers(1, 30),
)
def test_any_text_with_blanks_to_drop_is_read_as_python_does(
    data: bytes, block_size: int
) -> None:
    # Python drops blanks at the start of a row, too.
    assume(b"\n " not in data and not data.startswith(b" "))
    data = b"user, page, time\n" + b"ann, home, 10\n" * 100 + data
    try:
        parts = read(data, block_size)
    except BadInput:
        assert "never closed" in refusal(data)
        return
    text = io.StringIO(data.decode(), newline="")
    table = [row for row in csv.reader(text, skipinitialspace=True) if row][1:]
    assert rows(parts) == [row for row in table if len(row) == 3]
    assert len(lines(parts)) == len(rows(parts))
    total = len(rows(parts)) + sum(each.rows for each in left_out(parts))
    assert total == len(table)


NULL_PIECES = [b"\\N", b"\\N", b",", b",", b'"', b"\\", b"N", b"\n", b"a,b,c\n"]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(NULL_PIECES), max_size=40).map(b"".join),
    st.integers(1, 30),
)
def test_nulls_are_fields_that_are_nothing_else(data: bytes, block_size: int) -> None:
    data = (HEADER + GOOD).encode() + data
    try:
        parts = read(data, block_size, escape=True)
        others = read(data.replace(b"N", b"M"), block_size, escape=True)
    except BadInput:
        assert "never closed" in refusal(data, escape=True)
        return
    assert lines(parts) == lines(others)
    assert left_out(parts) == left_out(others)
    for row, other in zip(rows(parts), rows(others), strict=True):
        for text, expected in zip(row, other, strict=True):
            assert text in (expected.replace("M", "N"), "" if expected == "M" else None)


def _dangles(data: bytes, escape: bool) -> bool:
    """Whether there is nothing behind the last backslash, which is a plain one then."""
    return escape and (len(data) - len(data.rstrip(b"\\"))) % 2 == 1


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*PIECES, b"\0", b"\xff", b"sep=", b"#"])).map(b"".join)
    | st.binary(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_any_bytes_end_in_rows_or_one_refusal(
    data: bytes, header: bool, escape: bool, has_names: bool
) -> None:
    def first(names: Sequence[str]) -> Sequence[int]:
        return range(min(3, len(names)))

    options = ReadOptions(header=header, escape=escape)
    stream = io.BytesIO(HEADER.encode() * has_names + data)
    parts = []
    with suppress(BadInput):
        parts = list(read_csv(stream, first, options, 20))
    assert len(lines(parts)) == len(rows(parts))
