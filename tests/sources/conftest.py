"""Files of session tables, for a moment."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(data: str | bytes, name: str = "sessions.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def parquet(path: Path, **columns: Any) -> Path:
    good: dict[str, Any] = {
        "user_id": ["ann", "bob"],
        "page": ["home", "cart"],
        "duration": [1.0, None],
        "timestamp": [datetime(2024, 1, 1, 12), datetime(2024, 1, 2)],
    }
    pa.parquet.write_table(pa.table({**good, "more": [1, 2], **columns}), path)
    return path
