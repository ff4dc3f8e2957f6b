import io
import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import read_sessions
from sources.json_reader import is_json, read_json
from sources.options import ReadOptions
from sources.origin import BadInput, NoSuchColumns
from sources.parts import Part


def choosing(*wanted: str) -> Any:
    def choose(names: Sequence[str]) -> list[int]:
        if missing := {*wanted} - {*names}:
            raise NoSuchColumns(f"no {sorted(missing)} in {list(names)}")
        return [list(names).index(name) for name in wanted]

    return choose


def parts(data: str | bytes, *wanted: str, **options: Any) -> list[Part]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    choose = choosing(*(wanted or ("user", "page")))
    return list(read_json(stream, choose, ReadOptions(**options)))


def rows(data: str | bytes, *wanted: str, **options: Any) -> list[tuple[Any, ...]]:
    """Each row, with where it is in front."""
    return [
        (part.locate(i), *row.values())
        for part in parts(data, *wanted, **options)
        for i, row in enumerate(part.table.to_pylist())
    ]


def refusal(data: str | bytes, **options: Any) -> str:
    with pytest.raises(BadInput) as caught:
        parts(data, **options)
    return str(caught.value)


def tried(data: bytes, wanted: str) -> str:
    """What is said of a file; nothing where it can be read."""
    try:
        for part in parts(data, wanted):
            part.table.validate(full=True)
    except BadInput as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("data", "lines", "form"),
    [
        ('{"user": 1, "page": "x"}\n{"page": "y", "user": 2}\n', (1, 2), "JSON Lines"),
        ('{"user": 1, "page": "x"}{"user": 2, "page": "y"}', (1, 1), "JSON Lines"),
        ('{"user": 1,\n "page": "x"}\n\n{"user":2,"page":"y"}', (1, 4), "JSON Lines"),
        ('[{"user":1,"page":"x"},\r\n{"user":2,"page":"y"}]', (1, 2), "a JSON array"),
        ('[{"user":1,"page":"x"}]\n[{"user":2,"page":"y"}]', (1, 2), "a JSON array"),
        (
            '\n[\n{"user":1,\n"page":"x"}, {"user":2,"page":"y"}\n]\n',
            (3, 4),
            "a JSON array",
        ),
    ],
)
def test_reads_all_forms(data: str, lines: tuple[int, int], form: str) -> None:
    assert is_json(data[:100].encode())
    assert rows(data) == [
        (f"line {lines[0]}", "1", "x"),
        (f"line {lines[1]}", "2", "y"),
    ]
    assert {part.form for part in parts(data)} == {form}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.50", "1.50"),
        ("1e400", "1e400"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("true", "true"),
        ("false", "false"),
        ("null", None),
        ('""', ""),
        ('"\\u00e9\\n"', "é\n"),
        ('"\\ud83d\\ude00"', "😀"),
        ('[1.5,"1",{"a":null},"é"]', '[1.5, "1", {"a": null}, "é"]'),
        ("5.0", "5"),
        ("0.000", "0"),
        ("-5.00", "-5"),
        ("-0.0", "-0.0"),
        ("5.0e3", "5.0e3"),
        ("5.10", "5.10"),
        ("9007199254740991.0", "9007199254740991"),
        ("9007199254740992.0", "9007199254740992.0"),
        ('"5.0"', "5.0"),
        ("[]", "[]"),
        ('{"inner": 1}', None),
        ('1,"x":2', "2"),
    ],
)
def test_values_become_text_as_they_are_written(value: str, text: str | None) -> None:
    data = f'{{"user":"a","page":"b","x":"c"}}\n{{"user":"a","page":"b","x":{value}}}'
    found = rows(data, "user", "page", "x")
    assert found[1:] == [("line 2", "a", "b", text)]


def test_lists_name_no_page_and_no_user() -> None:
    data = (
        '{"user":"a","n":1,"page":"/x"}\n{"user":"b","n":2,"page":["/y",1.50]}\n'
        '{"user":"c","n":3,"page":"/z"}\n{"user":[{}],"n":4,"page":[]}\n'
        '{"user":"e","n":5,"page":[]}'
    )
    (part,) = parts(data, "user", "page", "n")
    assert part.table.to_pydict() == {
        "0": ["a", "c"],
        "1": ["/x", "/z"],
        "2": ["1", "3"],
    }
    assert part.locate(1) == "line 3"
    assert [each.text() for each in part.left_out] == [
        """2 with a list as its page, such as line 2: '["/y", 1.50]'""",
        "1 with a list as its user, such as line 4: '[{}]'",
    ]


def test_objects_within_objects_have_dotted_names() -> None:
    data = '{"a":{"$url":"x","b":{"c":1}}}\n{"a":{"b":2}}\n{"a.$url":"y"}\n{"a":null}'
    assert rows(data, "a.$url", "a.b.c", "a.b") == [
        ("line 1", "x", "1", None),
        ("line 2", None, None, "2"),
        ("line 3", "y", None, None),
        ("line 4", None, None, None),
    ]
    deep = '{"a":' * 9 + "1" + "}" * 9
    data = '{"user":"a","page":"b",' + deep[1:]
    found = rows(data, "user", "page", ".".join("a" * 8))
    assert found == [("line 1", "a", "b", '{"a": 1}')]


def test_columns_are_those_of_the_first_thousand_objects() -> None:
    data = '{"user":1}\n' * 999 + '{"user":1,"page":2}\n{"user":1,"late":3}\n'
    assert rows(data)[-2:] == [("line 1000", "1", "2"), ("line 1001", "1", None)]
    # Or of some more, where these lack one.
    assert rows(data, "late")[-2:] == [("line 1000", None), ("line 1001", "3")]
    with pytest.raises(
        NoSuchColumns, match=r"no \['x'\] in \['user', 'page', 'late'\]"
    ):
        rows(data, "x")
    blank = '{"user":1}' + " " * 100 + "\n"
    with pytest.raises(NoSuchColumns, match=r"no \['page'\] in \['user'\]"):
        rows(blank * 200_000 + '{"page":2}')


def late(first: str, last: str) -> list[Part]:
    """Read many rows, and others after them, with a column that need not be there."""

    def choose(names: Sequence[str]) -> list[int]:
        chosen.append(tuple(names))
        return [names.index(n) for n in ("user", "page", "a.time") if n in names]

    chosen: list[tuple[str, ...]] = []
    data = io.BytesIO(f"{first}\n".encode() * 1_000 + last.encode())
    found = list(read_json(data, choose, ReadOptions()))
    # Who chooses may keep what was chosen last.
    assert chosen[-1] == chosen[0]
    return found


FIRST = '{"user":1,"page":2,"a":{"b":1}}'


@pytest.mark.parametrize(
    ("first", "last", "key"),
    [
        (FIRST, '{"user":1,"page":2,"a":{"x":1,"time":3}}', "a.time"),
        (FIRST, '{"a.time":3}', "a.time"),
        (FIRST, '{"a":{}}\n\n{"a":{"time":{}}}\n{"a":{"time":[]}}', "a.time"),
        ('{"user":1}', '{"page":2}', "page"),
        ('{"user":1,"a":{"time":3}}', '{"user":1,"a.time":3}', "a.time"),
    ],
)
def test_a_column_that_comes_late_is_refused(first: str, last: str, key: str) -> None:
    with pytest.raises(BadInput) as caught:
        late(first, last)
    line = 1_001 + last.count("\n")
    assert str(caught.value) == (
        f"line {line}: a key '{key}' that no row before has, and that may be the "
        "better column; say which to take, such as --duration duration"
    )


def test_other_keys_may_come_late() -> None:
    last = '{"user":3,"page":4,"x":1,"time":2,"a":{"b":{"c":1}},"\\ud800":1}\n{"x":2}'
    (part,) = late(FIRST, f'{last}\n{{"a":{{"time":null}}}}\n[1]')
    assert part.table.num_rows == 1_003
    assert part.table.to_pylist()[1_000] == {"0": "3", "1": "4"}
    many = "\n".join(f'{{"a":{{"k{i}":1}}}}' for i in range(100_000))
    found = late(FIRST, many)
    assert sum(part.table.num_rows for part in found) == 101_000


def test_lines_that_are_no_objects_are_left_out() -> None:
    good = '{"user":1,"page":2}\n'
    data = f'{good}xx\n[1,\n2]\n{{"user":\n{{bad}}\n{good}{"y" * 70}\n{good}{{bad}}\n'
    (part,) = parts(data)
    assert [part.locate(i) for i in range(3)] == ["line 1", "line 7", "line 9"]
    (left_out,) = part.left_out
    assert left_out[:3] == ("a line that is no JSON object", 7, "line 2: 'xx'")
    (part,) = parts(f'{good}{{"user":"{"z" * 70}"x}}')
    assert part.left_out[0].example == 'line 2: \'{"user":"' + "z" * 51 + "'"


def test_values_of_an_array_that_are_no_objects_are_left_out() -> None:
    (part,) = parts('[{"user":1,"page":2},\nnull, [{"a":1.5}]]')
    assert len(part.table) == 1
    reason = "a value that is no JSON object"
    assert part.left_out[0][:3] == (reason, 2, "line 2: 'null'")


def test_text_that_is_no_unicode_is_left_out() -> None:
    data = '{"user":1,"page":2}\n{"user":"\\ud800","page":2,"\\ud800":1}\n'
    (part,) = parts(data)
    example = "line 2: '\\ud800'"
    assert part.left_out[0][:3] == ("text that is no Unicode", 1, example)
    assert rows(data) == [("line 1", "1", "2")]


def test_reads_the_array_that_a_single_object_holds() -> None:
    data = '{"n":[1],\n"results":[{"user":1,"page":2},\n{"user":3}],"next":null}\n'
    assert rows(data) == [("line 2", "1", "2"), ("line 3", "3", None)]
    (part,) = parts(data)
    assert (part.form, part.notes) == ("a JSON array", ("The rows are in 'results'.",))
    # A row is a row, whatever it holds.
    assert rows('{"user":1,"page":2,"items":[{"a":1}]}') == [("line 1", "1", "2")]
    long = json.dumps({"data": [{"user": "u", "page": "x" * 1000}] * 20_000, "n": 1})
    assert len(long) > 1 << 24
    assert len(rows(long)) == 20_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("[1, 2]", "holds an array of numbers; write one object"),
        ("[[1]]", "holds an array of arrays; write one object"),
        ('["a"]', "holds an array of texts; write one object"),
        ("[]", "holds an array without objects; write one object"),
        ("xx", "holds no object, but 'xx'; write one object"),
        ('{"user":{"0":1},"page":{"0":2}}', "holds one object of columns"),
        ('{"a":[{"x":1}],"b":[{"x":1}]}', "holds more than one array of rows"),
        ('{"user":1', "the file ends within an object that begins in line 1"),
        ('{"user":1,"page":2}\n{"u', "ends within an object that begins in line 2"),
        ('{"user":1,"page":2}\n{"user":tr', "within an object that begins in line 2"),
        ('{"user":1,\n"page":2}\n{"user":\n', "an object that begins in line 3"),
        ('[{"user":1},\n{"us', "the file ends within an object that begins in line 2"),
        ('\n[{"user":1},', "the file ends within the array that begins in line 2"),
        ('[{"user":1} {"user":2}]', "line 1: no comma between two values"),
        ('[{"user":1}]\nx', "line 2: no JSON ('x')"),
        ("{'user':1}\n", "line 1: no JSON (Expecting property name"),
        ('{"user":1,\n"page":2}\n{"user":1,\n"page"}', "delimiter in line 4)"),
        ('{"user":1,\n"page":2}\nxx', "line 3: no JSON (no object)"),
        ('{"a":' * 100_000, "line 1: no JSON (nested too deeply)"),
        ('{"user":"' + "x" * (1 << 25) + '"}', "line 1: a value of over 16 MB"),
        (b'{"user":"\xe9"}', "not UTF-8 text; name its encoding by --encoding"),
    ],
)
def test_says_what_is_wrong(data: str | bytes, words: str) -> None:
    assert words in refusal(data)
    assert "\n" not in refusal(data)


@pytest.mark.parametrize(
    ("encoding", "mark", "named", "form"),
    [
        ("latin-1", b"", "latin-1", "JSON Lines, latin-1"),
        ("utf-16-le", b"", "utf-16-le", "JSON Lines, utf-16-le"),
        ("utf-16-le", BOM_UTF16_LE, None, "JSON Lines, UTF-16"),
        ("utf-16-be", BOM_UTF16_BE, "latin-1", "JSON Lines, UTF-16"),
        ("utf-8", BOM_UTF8, None, "JSON Lines, UTF-8"),
    ],
)
def test_text_is_decoded_once(
    encoding: str, mark: bytes, named: str | None, form: str, tmp_path: Path
) -> None:
    row = '{"user": "Jörg", "page": "Über uns", "duration": 1, "time": "2024-05-01"}\n'
    path = tmp_path / "views.jsonl"
    path.write_bytes(mark + row.encode(encoding) * 2)
    reading = read_sessions([path], ReadOptions(encoding=named))
    (table,) = reading.tables
    assert table["user_id"].tolist() == ["Jörg", "Jörg"]
    assert table["page"].tolist() == ["Über uns", "Über uns"]
    assert reading.origin.report.files[0].understood[0] == f"{form}."


def test_deep_nesting_in_a_line_is_left_out() -> None:
    good = '{"user":1,"page":2}\n'
    (part,) = parts(good + "[" * 100_000 + "\n" + '{"a":' * 100_000 + "\n" + good)
    assert (len(part.table), part.left_out[0].rows) == (2, 2)


def test_parts_are_short() -> None:
    data = '{"user":1,"page":2}\n' * 100_000
    assert [len(part.table) for part in parts(data)] == [65_536, 34_464]
    assert parts(data)[1].locate(0) == "line 65537"


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        ('{"a":', True),
        (' \n{\n  "a"', True),
        ("[{", True),
        ("[", True),
        ("[1, 2", True),
        ("{}", True),
        ("user,page\n", False),
        ("[2024-01-01 10:00] log", False),
        ("[::1] log", False),
        ("{name},page", False),
        ("", False),
    ],
)
def test_knows_its_files(head: str, is_one: bool) -> None:
    assert is_json(head.encode()) is is_one


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab.", max_size=2), inner),
    max_leaves=5,
)


@given(st.lists(st.fixed_dictionaries({"user": st.text(), "page": VALUES}), min_size=1))
def test_every_object_is_a_row(objects: list[dict[str, Any]]) -> None:
    lines = "\n".join(map(json.dumps, objects))
    users = [(f"line {i}", each["user"]) for i, each in enumerate(objects, 1)]
    assert rows(lines, "user") == users
    assert [row[1:] for row in rows(json.dumps(objects, indent=1), "user")] == [
        user[1:] for user in users
    ]


GOOD = (
    b'{"user":"a","page":1.5}\n{"user":"\\ud800"}\n{"user":[{}]}\n',
    b'[{"user":"a","page":true},\n {"user":null}, {"page":{"a":"\xc3\xa9"}}]',
    b'{"n":1,"data":[{"user":"a","page":"b"}],"m":{}}',
)


@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=2)), max_size=4),
    st.integers(0, 80),
)
def test_damaged_files_are_read_or_refused(
    data: bytes, changes: list[tuple[int, bytes]], end: int
) -> None:
    for at, new in changes:
        data = data[:at] + new + data[at + 1 :]
    assert "\n" not in tried(data[:end], "user")


@given(st.binary() | st.text('{}[]",:\\ \nau1').map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    is_json(data)
    assert "\n" not in tried(data, "a")


def durations(tmp_path: Path, *values: object, **options: Any) -> list[float]:
    """Durations as they are read; each row has a count that is its number."""
    rows = [
        {"user": "u", "page": "p", "time": "2024-05-01", "n": n, "duration": value}
        for n, value in enumerate(values)
    ]
    path = tmp_path / "views.json"
    path.write_text(json.dumps(rows))
    (table,) = read_sessions([path], ReadOptions(**options)).tables
    found: list[float] = table["duration"].tolist()
    return found


def test_points_of_numbers_are_decimal_ones_and_those_of_texts_in_doubt(
    tmp_path: Path,
) -> None:
    assert durations(tmp_path, 1.234, 12.5) == [1.234, 12.5]
    assert durations(tmp_path, "1.234", "12.5") == [1.234, 12.5]
    assert durations(tmp_path, "1.234", "1,5", 1.234) == [1234, 1.5, 1.234]
    assert durations(tmp_path, 1.234, "1.234", 2.5, decimal=",") == [1.234, 1234, 2.5]
    where = (("n", "1"),)
    assert durations(tmp_path, "1.234", 1.234, where=where) == [1.234]
    for number in (1.5, 1, None):
        with pytest.raises(BadInput, match=r"durations are ambiguous: line 1: '1.234'"):
            durations(tmp_path, number, "1.234")
