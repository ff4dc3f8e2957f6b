"""What becomes of questions whose answers nobody waits for, or that take too long."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Thread
from time import monotonic
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from engine.cache import Cache, _Making
from engine.model import CannotAnswer, Dropped, Engine, Selection
from engine.turns import Turn, Turns, current
from engine.warehouse import Limits, WarehouseEngine
from engine.warehouse.database import Task
from engine.warehouse.duckdb import DuckDB
from engine.warehouse.questions import Question
from tests.engine.warehouse.tables import session_table

SLOW = """
create view sessions as select user_id, page, duration, timestamp from given
where (select sum(hash(a.range, b.range)) from
range(1000000) a, range(1000000) b) > 0
"""
"""Whatever is asked of it takes hours; it comes after the start."""


class Watched(DuckDB):
    """A database that says when a question begins."""

    begun: list[str]
    is_slow = False

    def answer(self, question: Question, task: Task) -> Iterator[pa.RecordBatch]:
        if self.is_slow:
            self.begun.append(question.about)
        yield from super().answer(question, task)


class World:
    """An engine over a table that has become slow, and people who ask it."""

    def __init__(self, timeout: float = 60) -> None:
        connection = duckdb.connect()
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            "create table given as select * from (values"
            " ('ann', 'home', 5.0, timestamp '2024-01-01 10:00:00'),"
            " ('bob', 'home', 7.0, timestamp '2024-01-02 11:00:00'))"
            " t(user_id, page, duration, timestamp)"
        )
        connection.execute("create view sessions as from given")
        # DuckDB.of makes one of its own class.
        self.database = Watched.__new__(Watched)
        self.database.name, self.database._connection = "DuckDB", connection
        self.database.begun = []
        self.engine: Engine = WarehouseEngine(
            self.database,
            session_table(self.database, "sessions"),
            limits=Limits(timeout=timeout),
        )
        self.engine.summarise(Selection("bob"))
        self.connection = connection
        connection.execute("drop view sessions")
        connection.execute(SLOW)
        self.database.is_slow = True
        self.turns = Turns()
        self.people = ThreadPoolExecutor(8)

    def asks(self, name: str, ask: Callable[[Engine], object]) -> "Future[object]":
        """A page asks in a turn of its own."""

        def run() -> object:
            with self.turns.taken(name):
                return ask(self.engine)

        return self.people.submit(run)

    def make_quick(self) -> None:
        self.connection.execute("create or replace view sessions as from given")

    def begins(self, n: int = 1) -> None:
        """Wait until so many questions have begun."""
        until(lambda: len(self.database.begun) >= n)


def until(condition: Callable[[], bool]) -> None:
    end, pause = monotonic() + 30, Event()
    while not condition():
        assert monotonic() < end
        pause.wait(0.005)


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    # Whatever a test leaves behind.
    world.turns.end(["a", "b", "c"])
    world.people.shutdown()
    world.engine.close()  # type: ignore[attr-defined]


def ann(engine: Engine) -> int:
    summary = engine.summarise(Selection("ann"))
    return int(summary.subject.sessions.sum())


def table(engine: Engine) -> int:
    return engine.list_users(Selection(pages=("home",))).n_users


@pytest.mark.parametrize(("ask", "found"), [(ann, 1), (table, 2)])
def test_what_a_page_has_no_use_for_ends(
    world: World, ask: Callable[[Engine], int], found: int
) -> None:
    asked = world.asks("a", ask)
    world.begins()
    # Everyone is answered meanwhile, and so is whoever was asked for before.
    assert world.engine.summarise(Selection()).everyone.sessions.sum() == 2
    assert world.engine.summarise(Selection("bob")).subject.sessions.sum() == 1
    world.turns.end(["a"])
    with pytest.raises(Dropped):
        asked.result(timeout=30)
    world.make_quick()
    assert world.asks("b", ask).result(timeout=30) == found


def test_another_turn_of_the_same_page_goes_on(world: World) -> None:
    pick, listed = world.asks("a", ann), world.asks("b", table)
    world.begins(2)
    world.turns.end(["a"])
    with pytest.raises(Dropped):
        pick.result(timeout=30)
    assert not listed.done()
    world.turns.end(["b"])
    with pytest.raises(Dropped):
        listed.result(timeout=30)


def test_what_is_over_before_it_begins_asks_nothing(world: World) -> None:
    world.turns.end(["a"])
    with pytest.raises(Dropped):
        world.asks("a", ann).result(timeout=30)
    assert world.database.begun == []


def test_the_same_turn_asked_again_goes_on_with_the_same_question(
    world: World,
) -> None:
    first, second = world.asks("a", ann), world.asks("a", ann)
    world.begins()
    world.turns.end(["a"])
    for asked in (first, second):
        with pytest.raises(Dropped):
            asked.result(timeout=30)


def test_a_question_that_takes_too_long_ends_for_all_who_wait() -> None:
    world = World(timeout=0.3)
    words = r"^The question for a user's sessions ended: it took longer than 0.3 s"
    asked = [world.asks(name, ann) for name in "abc"]
    for each in asked:
        with pytest.raises(CannotAnswer, match=words) as raised:
            each.result(timeout=30)
        assert not isinstance(raised.value, Dropped)
    assert world.engine.summarise(Selection()).everyone.sessions.sum() == 2
    world.people.shutdown()
    world.make_quick()
    assert ann(world.engine) == 1


class Kept:
    """A cache whose one value is made when it is told to, and those who wait for it."""

    def __init__(self) -> None:
        self.cache: Cache[str, int] = Cache(100)
        self.people = ThreadPoolExecutor(8)
        self.go, self.n_made = Event(), 0
        self.ended = Event()

    def make(self) -> tuple[int, int]:
        self.n_made += 1
        with current.get().ending(self.end):
            self.go.wait(30)
            if self.ended.is_set():
                self.ended.clear()
                self.go.clear()
                raise CannotAnswer("ended")
        return self.n_made, 1

    def end(self) -> None:
        self.ended.set()
        self.go.set()

    def asked(self, turn: Turn) -> int:
        token = current.set(turn)
        try:
            return self.cache.get("a", self.make)
        finally:
            current.reset(token)

    def wanted(self, turn: Turn) -> "Future[int]":
        found = self.people.submit(self.asked, turn)
        until(lambda: bool(turn._ends) or found.done())
        return found


def test_a_question_that_another_waits_for_goes_on() -> None:
    kept, first, second = Kept(), Turn(), Turn()
    one, other = kept.wanted(first), kept.wanted(second)
    first.end()
    assert not kept.ended.is_set()
    kept.go.set()
    assert (other.result(30), kept.n_made) == (1, 1)
    # It is there, though nobody waits for it here.
    assert one.result(30) == 1


def test_who_waits_for_another_stops_waiting_when_they_pick_on() -> None:
    kept, first, second = Kept(), Turn(), Turn()
    one, other = kept.wanted(first), kept.wanted(second)
    second.end()
    with pytest.raises(Dropped):
        other.result(30)
    assert not one.done()
    first.end()
    with pytest.raises(Dropped):
        one.result(30)
    # A new one asks anew.
    third = kept.wanted(Turn())
    kept.go.set()
    assert third.result(30) == 2


def test_who_leaves_early_ends_nothing_of_who_is_about_to_make_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, first, second = Kept(), Turn(), Turn()
    entered, go = Event(), Event()
    run = _Making.run

    def late(making: Any, make: Any, turn: Turn) -> Any:
        entered.set()
        go.wait(30)
        return run(making, make, turn)

    monkeypatch.setattr(_Making, "run", late)
    one = kept.people.submit(kept.asked, first)
    assert entered.wait(30)
    other = kept.wanted(second)
    second.end()
    with pytest.raises(Dropped):
        other.result(30)
    go.set()
    kept.go.set()
    assert one.result(30) == 1


def test_a_failure_that_is_no_answer_is_not_shared() -> None:
    cache: Cache[str, int] = Cache(100)
    n_asked = []
    begun, go = Event(), Event()

    def make() -> tuple[int, int]:
        n_asked.append(1)
        begun.set()
        go.wait(30)
        if len(n_asked) == 1:
            raise MemoryError
        return 7, 1

    with ThreadPoolExecutor(2) as people:
        one = people.submit(cache.get, "a", make)
        begun.wait(30)
        making = cache._making["a"]
        other = people.submit(cache.get, "a", make)
        until(lambda: making._turn._n_waiting == 2)
        go.set()
        with pytest.raises(MemoryError):
            one.result(30)
        assert other.result(30) == 7


def test_what_is_ended_just_before_it_begins_is_ended_again() -> None:
    task, heard = Task("it", None), []
    running = Event()

    def interrupt() -> None:
        heard.append(1)
        if len(heard) == 2:
            running.set()

    def ask() -> None:
        with task.running(interrupt):
            Thread(target=task.cancel).start()
            # A question that has not quite begun hears nothing of the first.
            assert running.wait(30)

    with pytest.raises(CannotAnswer, match="another was asked for"):
        ask()
    assert len(heard) == 2
