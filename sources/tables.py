"""Session tables in files, in any of the formats that are known, to one stream."""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import pandas as pd
import pyarrow as pa

from sources.columns import Part, clean, first_line
from sources.csv_format import read_csv
from sources.inputs import full_name, is_read_once, open_input, peek, short_name
from sources.origin import BadInput, Origin
from sources.parquet_format import is_parquet, read_parquet


class Format(NamedTuple):
    """A way in which files hold session tables."""

    name: str
    """How messages call it."""
    endings: tuple[str, ...]
    """What names of such files end with, in small letters."""
    recognises: Callable[[bytes], bool]
    """Whether a file that begins with these bytes may be one."""
    read: Callable[[BinaryIO], Iterator[Part]]
    """Read such a file in parts; raises BadInput where it isn't one after all."""


FORMATS: Final = (
    Format("Parquet", (".parquet", ".pq"), is_parquet, read_parquet),
    Format("text", (".csv", ".tsv", ".txt"), lambda _: True, read_csv),
)
"""The formats in the order in which they are tried; the last takes what is left."""

_HEAD: Final = 4


def read_sessions(paths: Sequence[Path]) -> tuple[Iterator[pd.DataFrame], Origin]:
    """Read session tables as one data set: a stream of tables, and where it is from.

    A file is CSV (comma, semicolon or tab; UTF-8; its header names the columns),
    or Parquet, and may be gzipped; a pipe and ``Path("-")``, standard input, are read
    as well, and once only. Times are ISO 8601, UTC where they name no zone. Rows that
    can't be used are left out and counted; the origin knows of all once the stream has
    ended. The stream raises BadInput.
    """
    left_out: dict[str, int] = {}
    origin = Origin(", ".join(map(short_name, paths)), left_out)
    return _stream(paths, origin, left_out), origin


def _stream(
    paths: Sequence[Path], origin: Origin, left_out: dict[str, int]
) -> Iterator[pd.DataFrame]:
    seen: set[Path] = set()
    n = 0
    for path in paths:
        try:
            if path.resolve() in seen:
                raise BadInput("named twice, and would be counted twice")
            seen.add(path.resolve())
            for part in _read(path):
                sessions, bad = clean(part.table)
                for reason, rows in [*bad.items(), *part.left_out.items()]:
                    if rows:
                        left_out[reason] = left_out.get(reason, 0) + rows
                if len(sessions):
                    n += len(sessions)
                    yield sessions
        except BadInput as error:
            raise BadInput(f"{full_name(path)}: {error}") from None
        except pa.ArrowException as error:
            words = f"cannot be read ({first_line(error)})"
            raise BadInput(f"{full_name(path)}: {words}") from None
        except OSError as error:
            raise BadInput(f"{full_name(path)}: {error.strerror or error}") from None
        except RuntimeError as error:  # On Python 3.11, a loop of symbolic links.
            raise BadInput(f"{full_name(path)}: {error}") from None
    if not n:
        why = origin.left_out_text() if left_out else "it has no rows"
        raise BadInput(f"{', '.join(map(full_name, paths))}: no usable row ({why})")


def _read(path: Path) -> Iterator[Part]:
    """Read a file by what it holds; raises BadInput where its name says otherwise."""
    with open_input(path) as file:
        head, stream = peek(file, _HEAD)
        if not head:
            raise BadInput("the file is empty")
        name = path.name.lower()
        if head[:2] == b"\x1f\x8b":
            yield from _read_gzipped(name, stream)
            return
        if name.endswith(".gz"):
            raise BadInput("not gzipped, though its name says so")
        if not is_read_once(path):
            # Parquet can be read where it is.
            file.seek(0)
            stream = file
        yield from _found(name, head).read(stream)


def _read_gzipped(name: str, stream: BinaryIO) -> Iterator[Part]:
    promised = _promised(name)
    if promised:
        words = f"gzipped, though its name says {promised.name}; rename it"
        raise BadInput(words)
    try:
        with gzip.open(stream) as inside:
            head, unzipped = peek(inside, _HEAD)
            yield from _found(name.removesuffix(".gz"), head).read(unzipped)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"the gzipped data is damaged ({error})") from None


def _promised(name: str) -> Format | None:
    """The format that the end of a name stands for."""
    return next((known for known in FORMATS if name.endswith(known.endings)), None)


def _found(name: str, head: bytes) -> Format:
    """The format by the first bytes; raises BadInput if the name says another."""
    promised = _promised(name)
    found = next(known for known in FORMATS if known.recognises(head))
    if promised in (None, found):
        return found
    if found is FORMATS[-1]:
        raise BadInput(f"not {promised.name}, though its name says so")
    raise BadInput(f"{found.name}, though its name says {promised.name}; rename it")
