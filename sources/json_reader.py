"""Tables as JSON: one object for each row, in lines, one after another or in an array.

Values become text as they are written, whole numbers without a fraction. Objects within
objects are flattened: their values have names with dots, such as ``properties.url``.
"""

import codecs
import json
import re
from array import array
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, compress, repeat
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa

from sources.options import HAS_NAMES, ReadOptions
from sources.origin import BadInput, NoSuchColumns
from sources.parts import EXACT, Choose, LeftOut, Part

_CHUNK: Final = 1 << 18
_PIECE: Final = 1 << 11
_LONGEST: Final = 1 << 24
_ROWS: Final = 1 << 16
_SAMPLE: Final = 1_000
_DEPTH: Final = 8
_SHOWN: Final = 60
_NAMES: Final = ("user", "page")
"""What the first two of the wanted columns have, for which a list can't stand."""
_MOST_LATE: Final = 10_000
_BEGINS: Final = re.compile(
    r"""\s*(\{\s*(["'}]|$)|\[\s*([\[\]{"]|$|(-?\d[\d.eE+-]*|true|false|null)\s*[],]))"""
)
_HAS_ROWS: Final = re.compile(r"\[[ \t\r\n]*\{")
_BLANK: Final = re.compile(r"[ \t\r\n]+")
_KINDS: Final = {"[": "arrays", '"': "texts", "t": "truth values", "f": "truth values"}
_WORD_CUT: Final = re.compile(r"-?[A-Za-z]{0,7}\s*\Z")
_LONGEST_WORD: Final = 16
_WANTED: Final = "write one object with the columns' names for each row"

_Values = Iterator[tuple[int, object]]
"""JSON values, each with the line where it begins."""
_Paths = Sequence[tuple[str, ...]]
"""Keys that lead to a value in objects within objects, in several ways."""

_Columns = dict[str, list[tuple[str, ...]]]
"""The names of columns in objects, and the keys that each name stands for."""


class _Written(str):
    """What isn't in quotation marks, as it is written: a number, or no JSON at all."""


class _NoJson(Exception):
    """No JSON value is there."""


class _Cut(_NoJson):
    """The file ends within a value."""


class _TooLong(BadInput):
    """A value is longer than what is held of a file."""


_TEXTS: Final = (str, _Written)
_WHOLE: Final = re.compile(r"(0|-?[1-9][0-9]{0,15})\.0+")


def _float(text: str) -> _Written:
    """A number as it is written, but whole ones as they are without their fraction.

    5 and 5.0 are one number to JSON, and so are one user.
    """
    match = _WHOLE.fullmatch(text) if text[-1] == "0" else None
    is_exact = match and abs(int(match[1])) < EXACT
    return _Written(match[1] if match and is_exact else text)


_DECODER: Final = json.JSONDecoder(
    parse_int=_Written, parse_float=_float, parse_constant=_Written
)


def is_json(head: bytes) -> bool:
    """Whether a file that begins with these bytes may be JSON with rows."""
    return bool(_BEGINS.match(head.decode("utf-8", "replace")))


def read_json(stream: BinaryIO, choose: Choose, options: ReadOptions) -> Iterator[Part]:
    """Read rows of UTF-8 text in parts, whatever the length of the stream.

    Lines that are no objects are left out. The columns are those of the first 1,000
    objects, or of more where these lack some. Raises BadInput for what isn't such a
    table, and where a later key would have been one of the columns.
    """
    if not options.header:
        raise BadInput(HAS_NAMES)
    text = _Text(stream)
    # A file that is a single object is asked for its columns twice.
    chosen = cache(lambda names: tuple(choose(names)))
    is_array = text.skip() != "{" or _wraps_rows(text, chosen)
    values = _values(text, is_array)
    held, columns, indices = _sample(text, values, chosen)
    names = [*columns]
    wanted = [columns[names[i]] for i in indices]
    late = _Late(columns, indices, choose)
    rows, began = _Rows(wanted, is_array), 0
    for line, value in chain(_drain(held), values):
        rows.add(line, value)
        late.look(line, value)
        if len(rows.lines) == _ROWS or text.before - began > _LONGEST:
            late.choose_again()
            yield rows.part(text.notes)
            rows, began = _Rows(wanted, is_array), text.before
    late.choose_again()
    yield rows.part(text.notes)


def _sample(
    text: "_Text", values: _Values, chosen: Choose
) -> tuple[list[tuple[int, object]], _Columns, Sequence[int]]:
    """The first values, what columns they have, and the indices of those wanted."""
    held: list[tuple[int, object]] = []
    size = _SAMPLE
    while True:
        for each in values:
            held.append(each)
            if len(held) == size or text.before > _LONGEST:
                break
        columns = _columns([value for _, value in held])
        try:
            return held, columns, chosen(tuple(columns))
        except NoSuchColumns:
            if len(held) < size or text.before > _LONGEST:
                raise
        size *= 4


def _drain(held: list[tuple[int, object]]) -> _Values:
    yield from held
    held.clear()


class _Text:
    """The text of a stream, of which the piece that is looked at is held."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        # How many letters are behind what is held.
        self.before = 0
        self.buffer, self.at, self.line = "", 0, 1
        self.notes: list[str] = []
        self.fill()

    def fill(self) -> bool:
        """Read on, at least as much as is held; False where the stream has ended."""
        rest, more, data = self.buffer[self.at :], "", b"."
        while data and not more:
            data = self._stream.read(max(_CHUNK, len(rest)))
            try:
                more = self._decode(data, final=not data)
            except UnicodeError:
                words = "not UTF-8 text; name its encoding by --encoding"
                raise BadInput(words) from None
        self.before += self.at
        self.buffer, self.at = rest + more, 0
        return bool(more)

    def move(self, length: int) -> None:
        """Go on by so many letters, all of which are held."""
        end = self.at + length
        self.line += self.buffer.count("\n", self.at, end)
        self.at = end

    def skip(self) -> str:
        """Go to the next letter that isn't blank, and tell it; "" at the end."""
        while True:
            if blank := _BLANK.match(self.buffer, self.at):
                self.move(len(blank[0]))
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self.fill():
                return ""

    def take(self, letter: str) -> bool:
        """Go behind the next letter if it is this one."""
        found = self.skip() == letter
        self.at += found
        return found

    def object_in_line(self) -> dict[str, object] | None:
        """Go to the next line if this one, from here on, is an object."""
        end = self.buffer.find("\n", self.at)
        try:
            value, length = _DECODER.raw_decode(self.buffer[self.at : max(end, 0)])
        except (json.JSONDecodeError, RecursionError):
            return None
        if not isinstance(value, dict) or self.buffer[self.at + length : end].strip():
            return None
        self.at = end + 1
        self.line += 1
        return value

    def rest_of_line(self) -> str:
        """Go to the end of the line; its first letters."""
        while (end := self.buffer.find("\n", self.at)) < 0:
            if len(self.buffer) - self.at > _LONGEST:
                raise BadInput(f"line {self.line}: over 16 MB, and no JSON")
            if not self.fill():
                end = len(self.buffer)
                break
        shown = self.buffer[self.at : min(end, self.at + _SHOWN)]
        self.move(end - self.at)
        return shown.rstrip()

    def holds_rows(self) -> bool:
        """Whether an array of objects comes next."""
        if self.skip() == "[" and len(self.buffer) - self.at < _CHUNK // 2:
            self.fill()
        return bool(_HAS_ROWS.match(self.buffer, self.at))

    def is_all(self, length: int) -> bool:
        """Whether nothing follows after so many letters."""
        while not self.buffer[self.at + length :].strip():
            if len(self.buffer) > 4 * _LONGEST or not self.fill():
                return True
        return False

    def parse(self) -> tuple[object, int]:
        """The JSON value that begins here, and its length; raises _NoJson."""
        # In small pieces first, as an error takes as long as what was given is.
        size = _PIECE
        while True:
            piece = self.buffer[self.at : self.at + size]
            problem: _NoJson = _Cut("the file ends")
            try:
                value, end = _DECODER.raw_decode(piece)
                if end < len(piece) or piece[end - 1] == "}":
                    return value, end
            except RecursionError:
                raise _NoJson("nested too deeply") from None
            except json.JSONDecodeError as error:
                if not error.msg.startswith("Unterminated"):
                    if not _WORD_CUT.match(piece, error.pos):
                        line = self.line + error.lineno - 1
                        problem = _NoJson(f"{error.msg} in line {line}")
                    # An error so near the end may be due to what isn't held yet.
                    if error.pos < len(piece) - _LONGEST_WORD:
                        raise problem from None
            if size > _LONGEST:
                words = "take its rows out, as with jq -c '.data[]'"
                raise _TooLong(f"line {self.line}: a value of over 16 MB; {words}")
            if len(self.buffer) - self.at <= size and not self.fill():
                raise problem
            size *= 2

    def value(self) -> object:
        """Go behind the JSON value that begins here; raises BadInput without."""
        try:
            value, length = self.parse()
        except _NoJson as problem:
            raise self.refusal(problem) from None
        self.move(length)
        return value

    def refusal(self, problem: _NoJson) -> BadInput:
        """What to say of a file with such a value."""
        if isinstance(problem, _Cut):
            words = "the file ends within an object that begins in line"
            return BadInput(f"{words} {self.line}")
        return BadInput(f"line {self.line}: no JSON ({problem})")


def _wraps_rows(text: _Text, chosen: Choose) -> bool:
    """Whether a file is a single object that is no row, and holds an array of them."""
    try:
        value, length = text.parse()
    except _TooLong:
        return True
    except _NoJson:
        return False
    if not isinstance(value, dict) or not text.is_all(length):
        return False
    has_rows = any(
        isinstance(v, list) and v and type(v[0]) is dict for v in value.values()
    )
    has_columns = value and all(isinstance(v, dict | list) for v in value.values())
    if has_rows or has_columns:
        try:
            chosen(tuple(_columns([value])))
        except NoSuchColumns:
            if has_rows:
                return True
            words = f"holds one object of columns; {_WANTED}, in pandas by"
            raise BadInput(f"{words} to_json(orient='records')") from None
    return False


def _values(text: _Text, is_array: bool) -> _Values:
    letter = text.skip()
    if letter == "{":
        yield from _wrapped(text) if is_array else _sequence(text)
    elif letter != "[":
        raise BadInput(f"holds no object, but {text.rest_of_line()!r}; {_WANTED}")
    is_first = True
    while text.skip() == "[":
        yield from _array(text, is_first)
        is_first = False
    if text.skip():
        raise BadInput(f"line {text.line}: no JSON ({text.rest_of_line()!r})")


def _sequence(text: _Text) -> _Values:
    """Objects one after another; what is none is left out by lines."""
    is_first = is_lines = True
    while text.skip():
        # What nearly all such files have: lines that are an object each.
        while is_lines and (found := text.object_in_line()):
            yield text.line - 1, found
            is_first = False
        letter, line = text.skip(), text.line
        if not letter:
            return
        try:
            if letter != "{":
                raise _NoJson("no object")
            value, length = text.parse()
        except _NoJson as problem:
            refusal, junk = text.refusal(problem), _Written(text.rest_of_line())
            is_cut = isinstance(problem, _Cut) and not text.skip()
            if is_first or is_cut or not is_lines:
                raise refusal from None
            yield line, junk
        else:
            text.move(length)
            is_lines = is_lines and text.line == line
            yield line, value
        is_first = False


def _array(text: _Text, is_first: bool = False) -> _Values:
    begin = text.line
    text.take("[")
    letter = text.skip()
    if is_first and letter not in ("", "{"):
        kind = (
            "without objects"
            if letter == "]"
            else f"of {_KINDS.get(letter, 'numbers')}"
        )
        raise BadInput(f"holds an array {kind}; {_WANTED}")
    while not text.take("]"):
        if not text.skip():
            raise BadInput(
                f"the file ends within the array that begins in line {begin}"
            )
        yield text.line, text.value()
        if not text.take(",") and text.skip() not in ("", "]"):
            raise BadInput(f"line {text.line}: no comma between two values")


def _wrapped(text: _Text) -> _Values:
    """The rows of an array that a single object holds."""
    text.take("{")
    while text.skip() == '"':
        key = text.value()
        text.take(":")
        if text.holds_rows():
            text.notes.append(f"The rows are in {key!r}.")
            if len(text.notes) > 1:
                raise BadInput(
                    f"holds more than one array of rows ({key!r} is another)"
                )
            yield from _array(text)
        else:
            text.value()
        text.take(",")
    if not text.take("}"):
        raise text.refusal(_Cut())


def _columns(values: Sequence[object]) -> _Columns:
    paths = [path for value in values for path in _paths(value)]
    names: _Columns = {}
    for path in dict.fromkeys(paths):
        name = ".".join(path)
        if _is_unicode(name):
            names.setdefault(name, []).append(path)
    return names


def _paths(value: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict) and len(above) < _DEPTH:
        for key, inner in value.items():
            yield from _paths(inner, (*above, key))
    elif above:
        yield above


def _find(value: Any, paths: _Paths) -> object:
    """The first value that an object has there."""
    for path in paths:
        found = value
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None and (not isinstance(found, dict) or len(path) == _DEPTH):
            return found
    return None


def _text(value: object, line: int) -> str | None:
    """A value as text; raises BadInput where it is nested too deeply."""
    if value is None or isinstance(value, str):
        return value
    try:
        return _json(value)
    except RecursionError:
        raise BadInput(f"line {line}: nested too deeply") from None


def _json(value: object) -> str:
    """A value as JSON, numbers as they were written."""
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_json(k)}: {_json(v)}' for k, v in value.items())}}}"
    is_written = isinstance(value, _Written)
    return str(value) if is_written else json.dumps(value, ensure_ascii=False)


def _shown(value: object) -> str:
    """A value of any depth, for a message."""
    try:
        return _json(value)
    except RecursionError:
        return "[…]" if isinstance(value, list) else "{…}"


def _is_unicode(text: str) -> bool:
    """Whether a text has no half of a pair, such as a lone ``\\ud800``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Late:
    """Looks for keys that come after the columns were chosen, and belong to them."""

    def __init__(
        self, columns: _Columns, indices: Sequence[int], choose: Choose
    ) -> None:
        self._names = list(columns)
        self._chosen = [self._names[i] for i in indices]
        self._choose = choose
        self._has_asked = False
        self._n_late = 0
        # The keys that were seen in the objects under the same keys.
        self._seen: dict[tuple[str, ...], set[str]] = {}
        for paths in columns.values():
            for *above, key in paths:
                self._seen.setdefault(tuple(above), set()).add(key)

    def look(self, line: int, value: object) -> None:
        """Raise BadInput where a row has a new key that changes what is chosen."""
        if isinstance(value, dict) and self._n_late < _MOST_LATE:
            self._look(line, value, ())

    def _look(self, line: int, value: dict[str, Any], above: tuple[str, ...]) -> None:
        seen = self._seen.setdefault(above, set())
        # Nearly all rows have no other keys than those before, and nothing nested.
        if value.keys() <= seen and dict not in map(type, value.values()):
            return
        for key, inner in value.items():
            if type(inner) is dict and len(above) + 1 < _DEPTH:
                self._look(line, inner, (*above, key))
            elif key not in seen and inner is not None:
                seen.add(key)
                self._check(line, ".".join((*above, key)))

    def _check(self, line: int, name: str) -> None:
        self._n_late += 1
        if not _is_unicode(name):
            return
        is_chosen = name in self._chosen
        # Among few names it is soon seen that nearly all others are none.
        if not is_chosen and self._chosen == self._of([*self._chosen, name]):
            return
        is_other = name not in self._names
        if is_chosen or (is_other and self._chosen != self._of([*self._names, name])):
            raise BadInput(
                f"line {line}: a key {name!r:.80} that no row before has, and that may "
                "be the better column; say which to take, such as --duration duration"
            )

    def _of(self, names: Sequence[str]) -> list[str]:
        """The names that are chosen among these; none where that isn't clear."""
        self._has_asked = True
        try:
            return [names[i] for i in self._choose(names)]
        except NoSuchColumns:
            return []

    def choose_again(self) -> None:
        """Choose the columns as in the beginning: who chooses may remember which."""
        if self._has_asked:
            self._choose(self._names)
        self._has_asked = False


class _Rows:
    """Rows of a part, while they are gathered."""

    def __init__(self, wanted: Sequence[_Paths], is_array: bool) -> None:
        # Nearly all values are texts in the objects themselves.
        keys = [paths[0][0] if len(paths[0]) == 1 else None for paths in wanted]
        self._columns: list[list[str | None]] = [[] for _ in wanted]
        roles = chain(_NAMES, repeat(""))
        self._wanted = list(zip(self._columns, keys, wanted, roles, strict=False))
        self._is_array = is_array
        self._left_out: dict[str, LeftOut] = {}
        self.lines = array("q")

    def add(self, line: int, value: object) -> None:
        """Take a row, or what stands where one should be."""
        if not isinstance(value, dict):
            what = "value" if self._is_array else "line"
            self._leave_out(f"a {what} that is no JSON object", line, _shown(value))
            return
        for column, key, paths, role in self._wanted:
            found = value.get(key)
            if type(found) not in _TEXTS:
                found = _find(value, paths)
                if role and isinstance(found, list | dict):
                    self._leave_out(f"a list as its {role}", line, _shown(found))
                    for each in self._columns:
                        del each[len(self.lines) :]
                    return
                found = _text(found, line)
            column.append(found)
        self.lines.append(line)

    def _leave_out(self, reason: str, line: int, shown: str) -> None:
        example = f"line {line}: {shown[:_SHOWN]!r}"
        known = self._left_out.get(reason, LeftOut(reason, 0, example))
        self._left_out[reason] = known._replace(rows=known.rows + 1)

    def part(self, notes: Sequence[str]) -> Part:
        """What was gathered."""
        names = [str(i) for i in range(len(self._columns))]
        try:
            texts = [pa.array(column, pa.string()) for column in self._columns]
        except UnicodeEncodeError:
            self._leave_out_surrogates()
            return self.part(notes)
        lines, columns = self.lines, self._columns
        return Part(
            pa.Table.from_arrays(texts, names),
            lambda i: f"line {lines[i]}",
            "a JSON array" if self._is_array else "JSON Lines",
            tuple(self._left_out.values()),
            tuple(notes),
            numbers=lambda i: np.array([type(v) is _Written for v in columns[i]], bool),
        )

    def _leave_out_surrogates(self) -> None:
        rows = [list(filter(None, row)) for row in zip(*self._columns, strict=True)]
        good = [_is_unicode("".join(row)) for row in rows]
        for line, row, is_good in zip(self.lines, rows, good, strict=True):
            if not is_good:
                bad = next(text for text in row if not _is_unicode(text))
                self._leave_out("text that is no Unicode", line, bad)
        self._columns = [list(compress(column, good)) for column in self._columns]
        self.lines = array("q", compress(self.lines, good))
