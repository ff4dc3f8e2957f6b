"""Session tables in Apache Parquet."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet

from schema import COLUMNS
from sources.columns import Part, check_columns, first_line
from sources.origin import BadInput

_BATCH: Final = 1 << 18


def is_parquet(head: bytes) -> bool:
    """Whether a file that begins with these bytes is Parquet."""
    return head.startswith(b"PAR1")


def read_parquet(stream: BinaryIO) -> Iterator[Part]:
    """Read a table in parts.

    Parquet is read from its end on: a stream that can't be sought is copied to a
    temporary file first. Raises BadInput for what isn't such a table.
    """
    with ExitStack() as files:
        if not stream.seekable():
            pipe, stream = stream, files.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(pipe, stream)
        try:
            file = pa.parquet.ParquetFile(stream)
            check_columns(file.schema_arrow.names)
            for batch in file.iter_batches(_BATCH, columns=list(COLUMNS)):
                yield Part(pa.Table.from_batches([batch]), {})
        except (pa.ArrowException, OSError) as error:
            raise BadInput(f"cannot be read as Parquet ({first_line(error)})") from None
