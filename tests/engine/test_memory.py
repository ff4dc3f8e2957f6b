import gc
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.aggregates import Aggregates
from engine.bins import choose_edges
from engine.by_user import BYTES_PER_USER, ByUser, aggregate_by_user
from engine.cube import ExactCube
from engine.dimensions import CodedSelection
from engine.memory import Counting, MemoryEngine
from engine.model import Engine, Rank, Selection
from tests.engine.conformance import (
    EngineConformance,
    assert_summary,
    assert_user_page,
    tally_of,
)
from tests.engine.countings import EXACT_CUBES, SCANS, SKETCHED_CUBES
from tests.examples import examples
from tests.sessions import ROWS, Row, table
from tests.slow import SlowEngine
from tests.strategies import (
    dyadic_rows_lists,
    rows_lists,
    rows_of_many_users,
    selections,
)

WAYS = {"scans": SCANS, "exact cubes": EXACT_CUBES, "sketched cubes": SKETCHED_CUBES}


class TestDefaults(EngineConformance):
    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        return MemoryEngine(sessions, timezone)


class TestScans(EngineConformance):
    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        return MemoryEngine(sessions, timezone, counting=SCANS)


class TestExactCubes(EngineConformance):
    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        return MemoryEngine(sessions, timezone, counting=EXACT_CUBES)


class TestSketchedCubes(EngineConformance):
    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        return MemoryEngine(sessions, timezone, counting=SKETCHED_CUBES)


class TestSmallBlocks(EngineConformance):
    """Few rows are worked on at once, so that there are many blocks."""

    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        counting = replace(SCANS, block_rows=3 if len(sessions) < 100 else 3_000)
        return MemoryEngine(sessions, timezone, counting=counting)


@pytest.fixture
def engine() -> MemoryEngine:
    return MemoryEngine(table(ROWS[::-1]))


@pytest.mark.parametrize("way", WAYS)
def test_only_a_sketch_is_not_exact(way: str) -> None:
    engine = MemoryEngine(table(ROWS), counting=WAYS[way])
    tally = engine.summarise(Selection("ann"))
    assert tally.everyone.exact == (way != "sketched cubes")
    assert tally.user is not None
    assert tally.user.exact


@pytest.mark.parametrize("way", WAYS)
@examples(50)
@given(data=st.data(), rows=st.one_of(dyadic_rows_lists, rows_of_many_users))
def test_blocks_of_any_size_give_the_same(
    way: str, data: st.DataObject, rows: list[Row]
) -> None:
    counting = replace(WAYS[way], block_rows=data.draw(st.integers(1, 41)))
    engine = MemoryEngine(table(rows), counting=counting)
    slow = SlowEngine(rows, "UTC", engine.facts.edges)
    selection = data.draw(selections(engine))
    assert_summary(engine, slow, selection)
    assert_user_page(
        engine.list_users(selection, sort="user", page_size=20),
        slow.list_users(selection, sort="user", page_size=20),
    )


@pytest.mark.parametrize("block_rows", [1, 2, 4, 100])
@pytest.mark.parametrize("way", WAYS)
def test_the_same_time_is_the_same_number(way: str, block_rows: int) -> None:
    # As floating point 0.1 + 0.2 + 0.3 and 0.2 + 0.3 + 0.1 aren't the same.
    rows: list[Row] = [
        *[("a", "p", seconds, "2024-01-01") for seconds in (0.1, 0.2, 0.3)],
        *[("b", "p", seconds, "2024-01-01") for seconds in (0.2, 0.3)],
        *[("b", "q", 0.1, "2024-01-01"), ("c", "p", 0.3, "2024-01-01")],
        *[("c", "q", seconds, "2024-01-01") for seconds in (0.1, 0.2)],
    ]
    counting = replace(WAYS[way], block_rows=block_rows)
    listed = MemoryEngine(table(rows), counting=counting).list_users(Selection()).rows
    assert len({row.seconds for row in listed}) == 1


def test_a_sketched_median_is_not_outside_what_is_selected() -> None:
    # 308.5 and 311 seconds are in the same bin of the sketch, which begins at 308.
    durations = [308.5, 311.0, *[400.0] * 8]
    rows: list[Row] = [("a", "x", seconds, "2024-01-01") for seconds in durations]
    engine = MemoryEngine(table(rows), counting=SKETCHED_CUBES)
    everyone = engine.summarise(Selection(shortest=310, longest=320)).everyone
    assert everyone.sessions.tolist() == [1]
    assert everyone.quantiles["median"].tolist() == [310]


@pytest.mark.parametrize(
    ("settings_", "exact"),
    [
        ({"min_sessions_per_page": 4}, False),
        ({"min_sessions_per_page": 5}, True),
        ({"max_exact_sessions": 12}, True),
        ({"cube_bytes": 0, "cube_bytes_per_session": 4_000}, True),
        ({"cube_bytes": 0, "cube_bytes_per_session": 8_000}, False),
        ({"cube_bytes": 100_000}, False),
    ],
)
def test_counting_says_which_way_everyone_is_counted(
    settings_: dict[str, int], exact: bool
) -> None:
    # 12 sessions on 3 pages; a cube takes about 72 * 6 * 3 * 55 = 71,280 bytes.
    counting = replace(
        Counting(min_sessions_per_page=0, max_exact_sessions=11), **settings_
    )
    engine = MemoryEngine(table(ROWS), counting=counting)
    assert engine.summarise(Selection()).everyone.exact == exact


@pytest.mark.parametrize(
    ("min_prepared_sessions", "n_sessions", "is_prepared"),
    [
        # An answer about one page and one day has 32 numbers.
        (128, 128, True),
        (129, 128, False),
        (0, 127, False),
    ],
)
def test_long_unfiltered_answers_are_prepared(
    min_prepared_sessions: int, n_sessions: int, is_prepared: bool
) -> None:
    rows: list[Row] = [("u", "p", 1, "2024-01-01")] * n_sessions
    counting = Counting(min_prepared_sessions=min_prepared_sessions)
    engine = MemoryEngine(table(rows), counting=counting)
    one, other = (engine.summarise(Selection("u")) for _ in range(2))
    assert one.everyone is other.everyone
    assert (one.user is other.user) == is_prepared


@pytest.mark.parametrize(
    ("settings_", "users"),
    [
        # ann has 6 sessions, bob and cy 3; a cube takes about 71,280 bytes.
        ({"max_scanned_sessions": 5, "cube_bytes_per_session": 11_880}, ["ann"]),
        ({"max_scanned_sessions": 6, "cube_bytes_per_session": 1 << 20}, []),
        ({"max_scanned_sessions": 2, "cube_bytes_per_session": 11_880}, ["ann"]),
        ({"max_scanned_sessions": 2, "cube_bytes_per_session": 11_879}, []),
        (
            {"max_scanned_sessions": 2, "cube_bytes_per_session": 1 << 20},
            ["ann", "bob", "cy"],
        ),
    ],
)
def test_users_of_many_sessions_have_cubes_if_there_is_room(
    settings_: dict[str, int], users: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[ExactCube] = []

    class WatchedCube(ExactCube):
        def aggregate(self, selection: CodedSelection) -> Aggregates:
            asked.append(self)
            return super().aggregate(selection)

    monkeypatch.setattr("engine.memory.ExactCube", WatchedCube)
    engine = MemoryEngine(table(ROWS), counting=Counting(**settings_))
    with_cube = []
    for user in ("ann", "bob", "cy"):
        asked.clear()
        tally_of(engine, user, longest=30)
        with_cube += [user] * len(asked)
    assert with_cube == users


def test_given_edges_are_counted_by() -> None:
    edges = choose_edges(percentile_95=3_600, longest=100_000)
    engine = MemoryEngine(table(ROWS), edges=edges)
    assert engine.facts.edges is edges
    slow = SlowEngine(ROWS, "UTC", edges)
    for selection in (Selection("ann"), Selection(longest=60), Selection(shortest=60)):
        assert_summary(engine, slow, selection)


def test_given_edges_must_hold_all_durations() -> None:
    with pytest.raises(ValueError, match="above the longest duration"):
        MemoryEngine(table(ROWS), edges=choose_edges(percentile_95=10, longest=99))


def test_refuses_an_unknown_time_zone() -> None:
    with pytest.raises(ValueError, match="there is no time zone 'Europe/Atlantis'"):
        MemoryEngine(table(ROWS), "Europe/Atlantis")


def test_leaves_the_table_as_it_is() -> None:
    sessions = table(ROWS)
    before = sessions.copy(deep=True)
    MemoryEngine(sessions)
    pd.testing.assert_frame_equal(sessions, before)


@examples(100)
@given(rows_lists, st.lists(st.integers(0, 40), max_size=4), st.booleans())
def test_a_stream_is_the_same_as_one_table(
    rows: list[Row], cuts: list[int], categories: bool
) -> None:
    cuts = [0, *sorted(cuts), len(rows)]
    frames = [table(rows[start:stop]) for start, stop in pairwise(cuts)]
    if categories:
        frames = [
            frame.astype({"user_id": "category", "page": "category"})
            for frame in frames
        ]
    engine = MemoryEngine(iter(frames))
    slow = SlowEngine(rows, "UTC", engine.facts.edges)
    assert engine.find_users("", 9) == slow.find_users("", 9)
    assert_summary(engine, slow, Selection("a" if engine.has_user("a") else None))


def test_a_stream_is_forgotten_as_it_goes() -> None:
    asked_for: list[weakref.ref[pd.DataFrame]] = []

    def frames() -> Iterator[pd.DataFrame]:
        for _ in range(3):
            assert all(frame() is None for frame in asked_for)
            frame = table(ROWS)
            asked_for.append(weakref.ref(frame))
            yield frame
            del frame

    assert MemoryEngine(frames()).facts.n_sessions == 3 * len(ROWS)


@pytest.mark.parametrize("way", WAYS)
def test_an_engine_is_freed_without_a_garbage_collection(way: str) -> None:
    engine = MemoryEngine(table(ROWS), counting=WAYS[way])
    engine.list_users(Selection("ann"))
    reference = weakref.ref(engine)
    gc.disable()
    try:
        del engine
        assert reference() is None
    finally:
        gc.enable()


def test_answers_cannot_be_written_to(engine: MemoryEngine) -> None:
    for tally in (engine.summarise(Selection()).everyone, tally_of(engine, "ann")):
        for values in (tally.sessions, tally.hours, tally.quantiles["median"]):
            with pytest.raises(ValueError, match="read-only"):
                values[0] = 1


def test_streams_in_order_in_tables_of_a_block() -> None:
    engine = MemoryEngine(table(ROWS[::-1]), counting=Counting(block_rows=5))
    tables = list(engine.sessions(Selection(), 100))
    # ann has more rows than a block, bob and cy have more together.
    assert [len(frame) for frame in tables] == [5, 1, 3, 3]
    frame = pd.concat(tables)
    assert frame["duration"].fillna(-1).tolist() == [
        *(10, 20, 30, 40, 50, -1, 60, 0, -1, 100, 5, -1)
    ]
    assert frame["user_id"].tolist() == ["ann"] * 6 + ["bob"] * 3 + ["cy"] * 3

    def sizes(limit: int, **filters: Any) -> list[int]:
        return [len(part) for part in engine.sessions(Selection(**filters), limit)]

    assert sizes(7) == [5, 1, 1]
    assert sizes(5) == [5]
    assert sizes(0) == sizes(-1) == []
    # help is on one row, of bob; the cart on one of ann, one of bob and two of cy.
    assert sizes(100, pages=("help",)) == [1]
    assert sizes(3, pages=("cart",)) == [1, 1, 1]
    assert sizes(4, pages=("cart",)) == [1, 1, 2]


def test_streams_the_sessions_of_a_user(engine: MemoryEngine) -> None:
    (frame,) = engine.sessions(Selection("ann", start=date(2024, 2, 29)), limit=10)
    utc = [
        *("2024-02-29T00:00:00Z", "2024-02-29T12:00:00Z"),
        *("2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-12-31T23:59:59Z"),
    ]
    wanted = pd.DataFrame(
        {
            "user_id": ["ann"] * 5,
            "page": [*["home"] * 4, "cart"],
            "duration": [20, 30, 40, 50, np.nan],
            "timestamp": pd.to_datetime(utc).astype("datetime64[s, UTC]"),
        }
    )
    pd.testing.assert_frame_equal(frame, wanted)


def test_more_rows_than_a_block_agree_with_pandas() -> None:
    """Many blocks, many cuts, one user with most of the rows and a cube."""
    n = 700_000
    rng = np.random.default_rng(1)
    users = [f"u{number:04}" for number in range(3_000)]
    user = np.where(rng.random(n) < 0.9, 0, rng.integers(0, len(users), n))
    seconds = rng.exponential(60, n).round(3)
    seconds[rng.random(n) < 0.1] = np.nan
    sessions = pd.DataFrame(
        {
            "user_id": pd.Categorical.from_codes(user, pd.Index(users)),
            "page": rng.integers(0, 300, n),
            "duration": seconds,
            "timestamp": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 40 * 86_400, n), unit="s"),
        }
    )
    counting = Counting(
        max_scanned_sessions=n // 2,
        cube_bytes_per_session=1 << 10,
        max_exact_sessions=0,
    )
    engine = MemoryEngine(sessions, counting=counting)
    for name in ("u0000", "u2999"):
        own = sessions[sessions["user_id"] == name]
        own = own[own["timestamp"] >= "2024-01-05"]
        groups = own.groupby(own["page"].astype(str))["duration"]
        wanted = pd.DataFrame(
            {"n": groups.size(), "sum": groups.sum(), "median": groups.median()}
        ).reindex(engine.facts.pages, fill_value=0)
        tally = tally_of(engine, name, start=date(2024, 1, 5))
        assert tally.sessions.tolist() == wanted["n"].tolist()
        assert tally.seconds == pytest.approx(wanted["sum"])
        some = tally.known > 0
        medians = tally.quantiles["median"][some]
        assert medians == pytest.approx(wanted["median"][some])
        quantiles = own["duration"].quantile([0.5, 0.9]).tolist()
        overall = list(tally.overall_quantiles.values())
        assert overall == pytest.approx(quantiles, rel=1e-12)
    totals = sessions.groupby("user_id", observed=True)["duration"].sum()
    places = totals.rank(method="min", ascending=False)
    ranks = engine.ranks(Selection("u2999"), "average")
    assert ranks is not None
    n_equal = (totals == totals["u2999"]).sum()
    assert ranks.time == Rank(int(places["u2999"]), len(totals), int(n_equal))


def test_bins_suit_durations_that_take_turns() -> None:
    n = 1_200_000
    sessions = pd.DataFrame(
        {
            "user_id": pd.Categorical.from_codes(np.zeros(n, np.int8), pd.Index(["u"])),
            "page": pd.Categorical.from_codes(np.zeros(n, np.int8), pd.Index(["p"])),
            "duration": np.resize([1.0, 1_000.0], n),
            "timestamp": np.datetime64("2024-01-01", "s"),
        }
    )
    assert MemoryEngine(sessions).facts.edges.linear[-2] > 1_000


def test_answers_are_kept_whoever_is_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = MemoryEngine(table(ROWS))
    answers = counted_answers(monkeypatch)
    engine.list_users(Selection(pages=("home",)))
    engine.list_users(Selection("bob", pages=("home",)), sort="user", search="b")
    engine.ranks(Selection("ann", pages=("home",)), "p90")
    assert len(answers) == 1
    engine.ranks(Selection("ann", pages=("cart",)), "p90")
    engine.ranks(Selection("ann", pages=("home",)), "p90")
    assert len(answers) == 2


@pytest.mark.parametrize(
    "counting",
    [
        Counting(cache_bytes=0),
        Counting(cache_bytes=2 * 3 * BYTES_PER_USER - 1),
        Counting(max_cached_answers=1),
    ],
)
def test_few_answers_are_kept_and_at_least_one(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = MemoryEngine(table(ROWS), counting=counting)
    answers = counted_answers(monkeypatch)
    for page in ("home", "home", "cart", "home"):
        engine.list_users(Selection(pages=(page,)))
    assert len(answers) == 3


def test_as_many_answers_are_kept_as_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = Counting(cache_bytes=2 * 3 * BYTES_PER_USER)
    engine = MemoryEngine(table(ROWS), counting=room)
    answers = counted_answers(monkeypatch)
    for page in ("home", "cart", "home", "cart", "help", "cart", "home"):
        engine.list_users(Selection(pages=(page,)))
    assert len(answers) == 4


def counted_answers(monkeypatch: pytest.MonkeyPatch, after: float = 0) -> list[ByUser]:
    """Return a list that answers about all users are added to as they are computed.

    They are computed after so many seconds.
    """
    answers: list[ByUser] = []

    def counted(*arguments: object) -> ByUser:
        time.sleep(after)
        answers.append(aggregate_by_user(*arguments))  # type: ignore[arg-type]
        return answers[-1]

    monkeypatch.setattr("engine.memory.aggregate_by_user", counted)
    return answers


def test_threads_that_ask_the_same_wait_for_one_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = MemoryEngine(table(ROWS))
    answers = counted_answers(monkeypatch, after=0.05)
    with ThreadPoolExecutor(4) as threads:
        lists = threads.map(lambda _: engine.list_users(Selection()), range(4))
        assert len({tuple(page.rows) for page in lists}) == 1
    assert len(answers) == 1
