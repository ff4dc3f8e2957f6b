"""The formats in which files hold tables, and how one is chosen."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, NamedTuple

from sources import logs
from sources.csv_reader import read_csv
from sources.inputs import look, rejoin
from sources.json_reader import is_json, read_json
from sources.kinds import refuse_kind
from sources.logs import HEAD_SIZE, Log
from sources.options import ReadOptions
from sources.origin import BadInput, NoSessions
from sources.packing import as_utf8, beginning_as_utf8
from sources.parquet_reader import is_parquet, read_parquet
from sources.parts import Choose, Part
from sources.spreadsheet_reader import is_spreadsheet, read_spreadsheet


class Format(NamedTuple):
    """A way in which files hold tables."""

    name: str
    """How messages call it."""
    endings: tuple[str, ...]
    """What the names of such files end with, in small letters, and of no others."""
    recognises: Callable[[bytes], bool]
    """Whether a file that begins with these bytes may be one."""
    read: Callable[[BinaryIO, Choose, ReadOptions], Iterator[Part]]
    """Read such a file in parts; raises BadInput where it isn't one after all."""
    is_text: bool
    """Whether it is text, which is given to ``read`` as UTF-8."""


FORMATS: Final = (
    Format("Parquet", (".parquet", ".pq"), is_parquet, read_parquet, False),
    Format(
        "a spreadsheet",
        (".xlsx", ".xlsb", ".ods"),
        is_spreadsheet,
        read_spreadsheet,
        False,
    ),
    Format("JSON", (), is_json, read_json, True),
    Format("text", (), lambda _: True, read_csv, True),
)
"""The formats in the order in which they are tried; the last takes what is left."""

_HEAD: Final = 4_096


def find_log(stream: BinaryIO, options: ReadOptions) -> tuple[Log | None, BinaryIO]:
    """The log that a stream of bytes is, if it is one, and all of the stream.

    Raises BadInput for an empty one, and for a log that can't be used.
    """
    head, stream = look(stream, HEAD_SIZE)
    if len(head) - len(head.lstrip(b"\0")) > HEAD_SIZE // 2:
        # Where a file was emptied while a server wrote it, NULs fill the gap.
        head = stream.read(HEAD_SIZE)
        while head and not head.strip(b"\0"):
            head = stream.read(HEAD_SIZE)
        head, stream = look(rejoin(head.lstrip(b"\0"), stream), HEAD_SIZE)
    if not head:
        raise NoSessions("the file is empty")
    if len(head) < HEAD_SIZE and not head.strip():
        raise NoSessions("it has no rows")
    if any(f.recognises(head) for f in FORMATS if not f.is_text):
        return None, stream
    log = logs.find_log(beginning_as_utf8(head, options.encoding), options)
    return log, as_utf8(stream, options.encoding)[0] if log else stream


def read_table(
    name: str, stream: BinaryIO, choose: Choose, options: ReadOptions
) -> Iterator[Part]:
    """Read a table of any format in parts; raises BadInput for what is none."""
    head, stream = look(stream, _HEAD)
    promised = next((f for f in FORMATS if name.lower().endswith(f.endings)), None)
    binary = next((f for f in FORMATS if not f.is_text and f.recognises(head)), None)
    if promised and promised is not binary:
        raise BadInput(f"not {promised.name}, though its name says so")
    if binary:
        yield from binary.read(stream, choose, options)
        return
    refuse_kind(head, name, options.encoding)
    text, encoding = as_utf8(stream, options.encoding)
    head, text = look(text, _HEAD)
    found = next(f for f in FORMATS if f.is_text and f.recognises(head))
    for part in found.read(text, choose, options):
        yield part._replace(form=f"{part.form}, {encoding}")
