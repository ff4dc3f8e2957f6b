from datetime import UTC, date
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.aggregates import Aggregates
from engine.by_user import BYTES_PER_USER, ByUser, aggregate_by_user
from engine.columns import ColumnStore, build_column_store
from engine.dimensions import CodedSelection
from engine.memory import MemoryEngine
from engine.model import QUANTILES, Selection
from engine.scan import scan
from tests.examples import examples
from tests.sessions import ROWS, Row, table
from tests.slow import SlowEngine, known_durations, quantile
from tests.strategies import dyadic_rows_lists, selections

NAN = pytest.approx(float("nan"), nan_ok=True)


def store_of(rows: list[Row], block_rows: int = 1 << 17) -> ColumnStore:
    return build_column_store([table(rows)], UTC, block_rows=block_rows)


def aggregate(store: ColumnStore, selection: Selection) -> ByUser:
    coded = store.dimensions.encode(selection)

    def aggregate_user(coded: CodedSelection, user: int) -> Aggregates:
        return scan(store, store.user_rows(user), coded)

    return aggregate_by_user(store, coded, partial(aggregate_user, coded))


@pytest.fixture
def store() -> ColumnStore:
    return store_of(list(ROWS))


def test_every_user(store: ColumnStore) -> None:
    # ann 10, 20, 30, 40, 50 and an unknown; bob 0, 60 and one; cy 5, 100 and one.
    by_user = aggregate(store, Selection())
    assert by_user.sessions.tolist() == [6, 3, 3]
    assert by_user.unknown.tolist() == [1, 1, 1]
    assert by_user.known.tolist() == [5, 2, 2]
    assert by_user.seconds.tolist() == [150, 60, 105]
    assert by_user.mean.tolist() == [30, 30, 52.5]
    assert by_user.active_days.tolist() == [4, 1, 2]
    assert by_user.by_statistic("median").tolist() == [30, 30, 52.5]
    assert by_user.by_statistic("p90").tolist() == pytest.approx([46, 54, 90.5])
    assert np.datetime_as_string(by_user.last).tolist() == [
        *("2024-12-31T23:59:59", "2024-02-29T08:02:00", "2024-03-02T10:01:00")
    ]
    kinds = {name: column.dtype.str[1:] for name, column in vars(by_user).items()}
    assert kinds == {
        **dict.fromkeys(("sessions", "unknown", "active_days", "known"), "i8"),
        **dict.fromkeys(("seconds", "quantiles", "mean"), "f8"),
        "last": "M8[s]",
    }
    n_bytes = sum(column.nbytes for column in vars(by_user).values())
    assert n_bytes == BYTES_PER_USER * 3


def test_statistics_by_name(store: ColumnStore) -> None:
    by_user = aggregate(store, Selection())
    assert by_user.by_statistic("average") is by_user.mean


def test_users_without_selected_sessions(store: ColumnStore) -> None:
    # On 1 and 2 March: 40 and 50 of ann, 5 and an unknown of cy, nothing of bob.
    march = Selection(start=date(2024, 3, 1), end=date(2024, 3, 3))
    by_user = aggregate(store, march)
    assert by_user.sessions.tolist() == [2, 0, 2]
    assert by_user.unknown.tolist() == [0, 0, 1]
    assert by_user.seconds.tolist() == [90, 0, 5]
    assert by_user.mean.tolist() == [45, NAN, 5]
    assert by_user.active_days.tolist() == [1, 0, 1]
    assert by_user.by_statistic("median").tolist() == [45, NAN, 5]
    assert by_user.by_statistic("p90").tolist() == [49, NAN, 5]
    assert np.isnat(by_user.last).tolist() == [False, True, False]

    nothing = aggregate(store, Selection(start=date(2025, 1, 1)))
    assert not nothing.sessions.any()
    assert np.isnan(nothing.by_statistic("median")).all()
    assert np.isnat(nothing.last).all()


def test_users_whose_durations_are_all_unknown(store: ColumnStore) -> None:
    by_user = aggregate(store, Selection(pages=("help",)))
    assert by_user.sessions.tolist() == by_user.unknown.tolist() == [0, 1, 0]
    assert by_user.seconds.tolist() == [0, 0, 0]
    assert np.isnan(
        [by_user.mean, by_user.by_statistic("median"), by_user.by_statistic("p90")]
    ).all()
    assert np.isnat(by_user.last).tolist() == [True, False, True]


def test_columns_cannot_be_written_to(store: ColumnStore) -> None:
    by_user = aggregate(store, Selection())
    for column in list(vars(by_user).values()):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = column[1]


@examples(100)
@given(data=st.data(), rows=dyadic_rows_lists, block_rows=st.integers(1, 41))
def test_agrees_with_the_slow_engine(
    data: st.DataObject, rows: list[Row], block_rows: int
) -> None:
    engine = MemoryEngine(table(rows))
    selection = data.draw(selections(engine))
    store = store_of(rows, block_rows)
    by_user = aggregate(store, selection)
    slow = SlowEngine(rows, "UTC", engine.facts.edges)
    for user, name in enumerate(slow.users):
        own = slow.selected(Selection(**vars(selection) | {"user": name}))
        known = known_durations(own)
        row = slow.user_row(name, selection)
        assert by_user.sessions[user] == len(own)
        assert by_user.unknown[user] == len(own) - len(known)
        assert by_user.seconds[user] == sum(known)
        assert by_user.active_days[user] == len({s.time.date() for s in own})
        for statistic, probability in QUANTILES.items():
            expected = quantile(known, probability)
            value = by_user.by_statistic(statistic)[user]
            assert value == pytest.approx(expected, rel=1e-9, nan_ok=True)
        last = by_user.last[user]
        assert np.isnat(last) if row is None else last == row.last
