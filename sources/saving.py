"""Sessions as they were understood, saved as Parquet, which opens without options."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from schema import COLUMNS
from sources.origin import BadInput, Report
from sources.parquet_reader import DURATIONS_KEY, SOURCE_KEY

_LONGEST_SOURCE: Final = 1_000
_TYPES: Final = (pa.string(), pa.string(), pa.float64(), pa.timestamp("us", "UTC"))
_SCHEMA: Final = pa.schema(list(zip(COLUMNS, _TYPES, strict=True)))


def check_target(path: Path) -> None:
    """Raise BadInput where sessions can't be saved under this path."""
    if os.path.lexists(path):
        raise BadInput(f"{path}: is there already; save under another name")
    if not os.path.isdir(path.parent):
        raise BadInput(f"{path}: there is no folder {path.parent}")


def save(
    tables: Iterable[pd.DataFrame], path: Path, report: Report
) -> Iterator[pd.DataFrame]:
    """Give session tables on, and save them on their way.

    The file is there when the last table was given, and not before. Raises BadInput
    where it can't be written.
    """
    check_target(path)
    try:
        handle, name = tempfile.mkstemp(".parquet", f".{path.name}-", path.parent)
        os.close(handle)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    unfinished = Path(name)
    try:
        with pa.parquet.ParquetWriter(unfinished, _SCHEMA) as writer:
            for table in tables:
                writer.write_table(_arrow(table))
                yield table
            said = {DURATIONS_KEY: report.durations, SOURCE_KEY: _source(report)}
            writer.add_key_value_metadata({k: v.encode() for k, v in said.items()})
        # Others may read it as they may read what a program usually writes.
        umask = os.umask(0)
        os.umask(umask)
        unfinished.chmod(0o666 & ~umask)
        unfinished.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def pack(tables: Iterable[pd.DataFrame], into: BinaryIO) -> Iterator[pd.DataFrame]:
    """Give session tables on, and write them as Parquet on their way.

    ``unpack`` gives the same tables: as many, each with the same rows.
    """
    with pa.parquet.ParquetWriter(into, _SCHEMA, compression="zstd") as writer:
        for table in tables:
            writer.write_table(_arrow(table), row_group_size=max(len(table), 1))
            yield table


def unpack(data: bytes) -> Iterator[pd.DataFrame]:
    """The session tables that ``pack`` wrote."""
    file = pa.parquet.ParquetFile(pa.BufferReader(data))
    for group in range(file.num_row_groups):
        yield file.read_row_group(group).to_pandas()


def _source(report: Report) -> str:
    """What sessions were made from, and how that was understood, as one short text."""
    told = (f"{heading}: {' '.join(lines)}" for heading, lines in report.sections())
    text = " ".join(told).encode(errors="replace").decode()
    return text if len(text) <= _LONGEST_SOURCE else f"{text[:_LONGEST_SOURCE]}…"


def _arrow(table: pd.DataFrame) -> pa.Table:
    columns = [
        pa.array(table[name].astype(object) if kind == pa.string() else table[name])
        for name, kind in zip(COLUMNS, _TYPES, strict=True)
    ]
    return pa.table(columns, list(COLUMNS)).cast(_SCHEMA)
