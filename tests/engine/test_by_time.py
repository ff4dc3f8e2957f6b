import tracemalloc
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from engine.memory import Counting, MemoryEngine
from engine.model import Selection

BLOCK = 1_000


def sessions(n: int, *, micros: bool) -> pd.DataFrame:
    """Sessions of one user, a third of which begin at one moment."""
    rng = np.random.default_rng(0)
    first = np.datetime64("2024-02-28", "us")
    unit = 1 if micros else 1_000_000
    spread = 3 * 86_400 * 1_000_000 // unit
    start = rng.integers(0, spread, n)
    start[: n // 3] = spread // 2
    duration = rng.integers(0, 50, n).astype(np.float64)
    return pd.DataFrame(
        {
            "user_id": "u",
            "page": np.array(["a", "b", "c"])[rng.integers(0, 3, n)],
            "duration": np.where(duration < 5, np.nan, duration),
            "timestamp": first + (start * unit).astype("timedelta64[us]"),
        }
    )


def engine_of(frame: pd.DataFrame) -> MemoryEngine:
    return MemoryEngine(frame, counting=Counting(block_rows=BLOCK))


@pytest.mark.parametrize("micros", [False, True])
def test_a_user_with_more_rows_than_a_block_agrees_with_pandas(micros: bool) -> None:
    frame = sessions(20_000, micros=micros)
    engine = engine_of(frame)
    ordered = frame.sort_values(["timestamp", "page", "duration"], na_position="first")
    for filters, wanted in (
        ({}, ordered),
        ({"pages": ("b",)}, ordered[ordered["page"] == "b"]),
        ({"shortest": 5.0, "longest": 10.0}, ordered[ordered["duration"] < 10]),
    ):
        tables = list(engine.sessions(Selection(**filters), len(frame)))
        assert max(map(len, tables)) <= BLOCK
        # Two that follow each other have more than a block together, but near that
        # moment, and where a range had to be cut again.
        assert len(tables) <= 2 * len(wanted) / BLOCK + 4
        streamed = pd.concat(tables, ignore_index=True)
        streamed["timestamp"] = streamed["timestamp"].dt.tz_localize(None)
        pd.testing.assert_frame_equal(
            streamed, wanted.reset_index(drop=True), check_dtype=False
        )


def test_a_stream_takes_no_more_memory_than_a_block() -> None:
    n = 200_000
    engine = engine_of(sessions(n, micros=False))

    def peak(stream: Iterator[pd.DataFrame]) -> tuple[int, int]:
        tracemalloc.start()
        n_rows = sum(map(len, stream))
        bytes_at_most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return n_rows, bytes_at_most

    n_rows, bytes_at_most = peak(engine.sessions(Selection(), 10 * BLOCK))
    assert n_rows == 10 * BLOCK
    # The indices of the user's rows alone, in order, would take 8 bytes each.
    assert bytes_at_most < 2 * n, bytes_at_most
