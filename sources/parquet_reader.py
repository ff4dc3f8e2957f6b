"""Tables in Apache Parquet."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import reduce
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from formatting import first_line
from sources.inputs import spooled_file
from sources.options import HAS_NAMES, ReadOptions
from sources.origin import BadInput
from sources.parts import Choose, Part
from sources.rows import NAMES

DURATIONS_KEY: Final = b"user_activity_dashboard.durations"
"""Key of a file's metadata: the rule by which its durations were derived."""

SOURCE_KEY: Final = b"user_activity_dashboard.source"
"""Key of a file's metadata: from what it was saved, and how that was understood."""

_LONGEST_SAID: Final = 4_096
_BATCH: Final = 1 << 18
_BUFFER: Final = 1 << 20
_TEXTS: Final = (pa.string(), pa.large_string(), pa.string_view())
_MAGIC: Final = (b"PAR1", b"PARE")
"""What Parquet begins with; the second where all of it is encrypted."""

_Path = tuple[str, ...]
"""The name of a column, and those of fields within it."""


def is_parquet(head: bytes) -> bool:
    """Whether a file that begins with these bytes may be Parquet."""
    return head.startswith(_MAGIC)


def read_parquet(
    stream: BinaryIO, choose: Choose, options: ReadOptions
) -> Iterator[Part]:
    """Read the wanted columns in parts, in the types they have.

    Texts of the first two have a dictionary, those of others have none. Parquet is read
    from its end on: a stream that can't be sought is copied to a temporary file first.
    Raises BadInput for what can't be read.
    """
    if not options.header:
        raise BadInput(HAS_NAMES)
    with ExitStack() as files:
        if not stream.seekable():
            pipe, stream = stream, files.enter_context(spooled_file())
            shutil.copyfileobj(pipe, stream)
        try:
            yield from _read(stream, choose)
        except (BadInput, MemoryError):
            raise
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            if "crypt" in str(error):
                raise BadInput("an encrypted Parquet file; decrypt it first") from None
            words = f"cannot be read as Parquet ({first_line(error)})"
            raise BadInput(words) from None


def _read(stream: BinaryIO, choose: Choose) -> Iterator[Part]:
    # Not whole row groups at once: a file may be a single one.
    file = pa.parquet.ParquetFile(stream, pre_buffer=False, buffer_size=_BUFFER)
    rows, schema = file.metadata.num_rows, file.schema_arrow
    paths = [path for field in schema for path in _paths(field)]
    names = [".".join(path) for path in paths]
    wanted = [paths[i] for i in choose(names)]
    for path in wanted:
        if names.count(".".join(path)) > 1 or schema.names.count(path[0]) > 1:
            raise BadInput(f"more than one column {'.'.join(path)!r}")
    columns = list(dict.fromkeys(map(".".join, wanted)))
    repeated = [path[0] for path in wanted[:2] if _repeats(file, path)]
    file = pa.parquet.ParquetFile(
        stream,
        metadata=file.metadata,
        read_dictionary=repeated,
        pre_buffer=False,
        buffer_size=_BUFFER,
    )
    said = file.metadata.metadata or {}
    rule, source = (
        said.get(key, b"")[:_LONGEST_SAID].decode(errors="replace")
        for key in (DURATIONS_KEY, SOURCE_KEY)
    )
    notes = [f"Saved from {source}"] * bool(source)
    at = 0
    for batch in file.iter_batches(_BATCH, columns=columns):
        arrays = [_array(batch, path, i < 2) for i, path in enumerate(wanted)]
        yield _part(arrays, at, rule, notes)
        at += len(batch)
    if at != rows:
        raise BadInput(f"has {at:,} rows, where {rows:,} should be")
    if not at:
        empty = pa.RecordBatch.from_pylist([], schema)
        arrays = [_array(empty, path, i < 2) for i, path in enumerate(wanted)]
        yield _part(arrays, at, rule, notes)


def _repeats(file: pa.parquet.ParquetFile, path: _Path) -> bool:
    """Whether a column's texts repeat, as far as the first batch shows it.

    The library gives these as dictionaries in a fifth of the time. Of texts that differ
    all, its dictionaries would grow from batch to batch.
    """
    (name, *inner) = path
    if inner or file.schema_arrow.field(name).type not in _TEXTS:
        return False
    for first in file.iter_batches(_BATCH, columns=[name]):
        return bool(2 * len(first.column(0).unique()) <= len(first))
    return False


def _part(arrays: Sequence[pa.Array], at: int, rule: str, notes: Sequence[str]) -> Part:
    """The part of a file that begins behind so many rows."""
    names = [str(i) for i in range(len(arrays))]
    table = pa.Table.from_arrays(arrays, names)
    return Part(
        table, lambda i: f"row {at + i + 1}", "Parquet", notes=notes, durations=rule
    )


def _paths(field: pa.Field) -> Iterator[_Path]:
    """The columns of a field: itself or, where it has fields, what those have."""
    if not pa.types.is_struct(field.type):
        yield (field.name,)
        return
    for inner in field.type:
        yield from ((field.name, *path) for path in _paths(inner))


def _array(batch: pa.RecordBatch, path: _Path, is_dictionary: bool) -> pa.Array:
    """A column as it is, but for the dictionary that it should have or not."""
    array = reduce(pc.struct_field, path[1:], batch.column(path[0]))
    # Texts that aren't UTF-8 would be an error, but only where they are used.
    array.validate(full=True)
    if pa.types.is_dictionary(array.type) and not (
        is_dictionary and array.type == NAMES
    ):
        array = array.dictionary_decode()
    if is_dictionary and array.type in _TEXTS:
        array = array.cast(pa.string()).dictionary_encode()
    return array
