from datetime import UTC
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.batches import EPOCH, Batch, NameCollector, read_batches
from engine.timezone import time_zone
from tests.sessions import ROWS, Row, table


def read(*tables: pd.DataFrame, zone: str = "UTC", block_rows: int = 5) -> list[Batch]:
    users, pages = NameCollector(), NameCollector()
    return [
        batch
        for sessions in tables
        for batch in read_batches(sessions, users, pages, time_zone(zone), block_rows)
    ]


def test_batches_have_the_sessions_in_narrow_columns() -> None:
    batches = read(table(ROWS))
    assert [len(batch.user) for batch in batches] == [5, 5, 2]
    seconds = np.concatenate([batch.seconds for batch in batches])
    assert seconds.tolist() == [10, 20, 30, 40, 50, -1, 60, 0, -1, 100, 5, -1]
    assert seconds.dtype == np.float32
    time = np.concatenate([batch.time for batch in batches])
    assert (EPOCH + time).tolist() == table(ROWS)["timestamp"].tolist()
    assert time.dtype == np.int32
    assert {batch.user.dtype for batch in batches} == {np.dtype(np.int8)}


def test_columns_are_wider_where_they_have_to_be() -> None:
    (batch,) = read(table([("u", "p", 0.1, "2088-02-01"), ("u", "p", 1, "2024-01-01")]))
    assert batch.seconds.tolist() == [0.1, 1]
    assert batch.time.dtype == np.int64
    assert (EPOCH + batch.time[:1]).tolist() == [pd.Timestamp("2088-02-01")]


def test_times_are_what_clocks_show_in_whole_seconds() -> None:
    times = ("2024-07-01T22:00:00.999999", "1969-12-31T22:59:58.999999")
    sessions = table([("u", "p", 1, time) for time in times])
    (batch,) = read(sessions, zone="Europe/Berlin")
    assert (EPOCH + batch.time).tolist() == [
        *(pd.Timestamp("2024-07-02T00:00:00"), pd.Timestamp("1969-12-31T23:59:58"))
    ]


def test_batches_are_copies() -> None:
    sessions = table(ROWS)
    columns = [sessions[name].to_numpy() for name in ("duration", "timestamp")]
    for batch in read(sessions):
        for values in (batch.user, batch.page, batch.seconds, batch.time):
            assert values.base is None or values.base.nbytes == values.nbytes
            assert not any(np.shares_memory(values, column) for column in columns)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((None, "p", 1, "2024-01-01"), "without a user or a page"),
        (("u", None, 1, "2024-01-01"), "without a user or a page"),
        (("u", "p", 1, None), "without a time"),
        (("u", "p", 1, "0000-12-31T23:59:59"), "not in the years 1 to 9999"),
        (("u", "p", 1, "+10000-01-01T00:00:00"), "not in the years 1 to 9999"),
        (("u", "p", -1, "2024-01-01"), "negative"),
        (("u", "p", -1e-300, "2024-01-01"), "negative"),
        (("u", "p", float("inf"), "2024-01-01"), "over a century"),
        (("u", "p", 3.2e9, "2024-01-01"), "over a century"),
    ],
)
def test_refuses_a_table_with_a_bad_row(row: Row, words: str) -> None:
    bad = table([(*row[:3], "2024-01-01")])
    bad["timestamp"] = np.array([row[3] or "NaT"], "datetime64[s]")
    with pytest.raises(ValueError, match=words):
        read(table(ROWS), bad)


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("duration", pd.to_timedelta([1], unit="s"), "durations are seconds"),
        ("duration", pd.to_datetime(["2024-01-01"]), "durations are seconds"),
        ("timestamp", ["2024-01-01"], "timestamps are times"),
        ("timestamp", [1], "timestamps are times"),
    ],
)
def test_refuses_columns_of_other_types(column: str, values: Any, words: str) -> None:
    sessions = table(ROWS[:1])
    sessions[column] = values
    with pytest.raises(ValueError, match=words):
        read(sessions)


@pytest.mark.parametrize("column", ["user_id", "page", "duration", "timestamp"])
def test_refuses_a_table_without_a_column_or_with_two(column: str) -> None:
    with pytest.raises(ValueError, match=f"no column '{column}', or several"):
        read(table(ROWS).drop(columns=column))
    twice = pd.concat([table(ROWS), table(ROWS)[[column]]], axis=1)
    with pytest.raises(ValueError, match=f"no column '{column}', or several"):
        read(twice)


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "object", "float32", "int16"])
def test_takes_durations_of_any_numeric_type(dtype: Any) -> None:
    sessions = table([("u", "p", 3, "2024-01-01"), ("u", "p", 4, "2024-01-01")])
    sessions["duration"] = sessions["duration"].astype(dtype)
    (batch,) = read(sessions)
    assert batch.seconds.tolist() == [3, 4]


def test_missing_durations_are_unknown_whatever_the_type() -> None:
    sessions = table([("u", "p", 3, "2024-01-01"), ("u", "p", None, "2024-01-01")])
    for dtype in ("float64", "float32", "Float64", "Int64", "object"):
        (batch,) = read(sessions.astype({"duration": dtype}))
        assert batch.seconds.tolist() == [3, -1]


def collect(*columns: list[Any]) -> tuple[list[str], list[int], list[list[int]]]:
    """Return names, counts, and for each column the indices that its codes come to."""
    names = NameCollector()
    encoded = []
    for column in columns:
        codes, base = names.encode(pd.Series(column, dtype="category"))
        names.count(codes)
        encoded.append((codes, base))
    found = names.sort()
    indices = [found.codes[base:][codes].tolist() for codes, base in encoded]
    return found.names.tolist(), found.counts.tolist(), indices


def test_names_are_sorted_and_counted_over_all_tables() -> None:
    assert collect(["b", "a", "b"], ["c", "a"], ["b"]) == (
        ["a", "b", "c"],
        [2, 3, 1],
        [[1, 0, 1], [2, 0], [1]],
    )


def test_a_number_and_its_text_are_the_same_name() -> None:
    assert collect([1, "1"], ["1"]) == (["1"], [3], [[0, 0], [0]])


def test_names_that_do_not_occur_are_left_out() -> None:
    names = NameCollector()
    column = pd.Series(pd.Categorical(["b", "b"], categories=["", "a", "b"]))
    codes, base = names.encode(column)
    names.count(codes)
    found = names.sort()
    assert found.names.tolist() == ["b"]
    assert found.codes[base:].tolist() == [-1, -1, 0]


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u00a0"])
def test_refuses_a_blank_name(name: str) -> None:
    with pytest.raises(ValueError, match="empty name"):
        collect(["a", name])


def test_tables_that_share_categories_share_codes() -> None:
    names = NameCollector()
    shared = pd.CategoricalDtype(["a", "b"])
    bases = [names.encode(pd.Series(["b"], dtype=shared))[1] for _ in range(3)]
    assert bases == [0, 0, 0]
    _, base = names.encode(pd.Series(["b"], dtype="category"))
    assert base == 2


def test_a_zone_that_is_utc_changes_nothing() -> None:
    users, pages = NameCollector(), NameCollector()
    (batch,) = read_batches(table(ROWS), users, pages, UTC, 100)
    (same,) = read(table(ROWS), block_rows=100)
    assert batch.time.tolist() == same.time.tolist()
