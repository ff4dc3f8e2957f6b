from datetime import date
from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activity import Activity, NotInData, Selection
from users import ByUser, Recent

from . import slow
from .conftest import ROWS, Row, table
from .test_activity import WAYS, ZONES, arranged, rows_lists, selections

NAT = np.datetime64("NaT", "s")
NAN = pytest.approx(float("nan"), nan_ok=True)


def test_every_user(activity: Activity) -> None:
    # ann 10, 20, 30, 40, 50 and an unknown; bob 0, 60 and one; cy 5, 100 and one.
    by_user = activity.by_user(Selection())
    assert by_user.sessions.tolist() == [6, 3, 3]
    assert by_user.unknown.tolist() == [1, 1, 1]
    assert by_user.known.tolist() == [5, 2, 2]
    assert by_user.seconds.tolist() == [150, 60, 105]
    assert by_user.mean.tolist() == [30, 30, 52.5]
    assert by_user.active_days.tolist() == [4, 1, 2]
    assert by_user.median.tolist() == [30, 30, 52.5]
    assert by_user.p90.tolist() == pytest.approx([46, 54, 90.5])
    assert np.datetime_as_string(by_user.last).tolist() == [
        *("2024-12-31T23:59:59", "2024-02-29T08:02:00", "2024-03-02T10:01:00")
    ]
    kinds = {name: column.dtype.str[1:] for name, column in vars(by_user).items()}
    assert kinds == {
        **dict.fromkeys(("sessions", "unknown", "active_days", "known"), "i8"),
        **dict.fromkeys(("seconds", "median", "p90", "mean"), "f8"),
        "last": "M8[s]",
    }


def test_users_of_whom_nothing_is_selected(activity: Activity) -> None:
    # On 1 and 2 March: 40 and 50 of ann, 5 and an unknown of cy, nothing of bob.
    march = Selection(start=date(2024, 3, 1), end=date(2024, 3, 3))
    by_user = activity.by_user(march)
    assert by_user.sessions.tolist() == [2, 0, 2]
    assert by_user.unknown.tolist() == [0, 0, 1]
    assert by_user.seconds.tolist() == [90, 0, 5]
    assert by_user.mean.tolist() == [45, NAN, 5]
    assert by_user.active_days.tolist() == [1, 0, 1]
    assert by_user.median.tolist() == [45, NAN, 5]
    assert by_user.p90.tolist() == [49, NAN, 5]
    assert np.isnat(by_user.last).tolist() == [False, True, False]

    nothing = activity.by_user(Selection(start=date(2025, 1, 1)))
    assert not nothing.sessions.any()
    assert np.isnan(nothing.median).all()
    assert np.isnat(nothing.last).all()


def test_users_whose_durations_are_all_unknown(activity: Activity) -> None:
    by_user = activity.by_user(Selection(pages=("help",)))
    assert by_user.sessions.tolist() == by_user.unknown.tolist() == [0, 1, 0]
    assert by_user.seconds.tolist() == [0, 0, 0]
    assert np.isnan([by_user.mean, by_user.median, by_user.p90]).all()
    assert np.isnat(by_user.last).tolist() == [True, False, True]


def test_last_is_what_clocks_showed() -> None:
    by_user = Activity(table(ROWS), "Asia/Kolkata").by_user(Selection())
    assert np.datetime_as_string(by_user.last).tolist() == [
        *("2025-01-01T05:29:59", "2024-02-29T13:32:00", "2024-03-02T15:31:00")
    ]


@pytest.mark.parametrize("selection", [Selection(pages=("?",)), Selection(shortest=7)])
def test_what_is_not_in_the_data(activity: Activity, selection: Selection) -> None:
    with pytest.raises(NotInData):
        activity.by_user(selection)


def in_blocks(rows: int) -> pytest.MonkeyPatch:
    """Have users counted in blocks of so many rows."""
    patch = pytest.MonkeyPatch()
    for module in ("users", "cube"):
        patch.setattr(f"{module}.BLOCK", rows)
    return patch


def asked(activity: Activity, selection: Selection, block: int) -> ByUser:
    patch = in_blocks(block)
    try:
        return activity.by_user(selection)
    finally:
        patch.undo()


def agrees(by_user: ByUser, wanted: list[slow.SlowUser]) -> None:
    def near(name: str) -> Any:
        values = [getattr(user, name) for user in wanted]
        return pytest.approx(values, rel=1e-9, abs=1e-9, nan_ok=True)

    for name in ("sessions", "unknown", "active_days"):
        exact = [getattr(user, name) for user in wanted]
        assert getattr(by_user, name).tolist() == exact
    for name in ("seconds", "median", "p90"):
        assert getattr(by_user, name).tolist() == near(name)
    assert by_user.last.tolist() == [user.last for user in wanted]


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None, max_examples=100)
@given(data=st.data(), block=st.integers(1, 41))
def test_agrees_with_the_slow_implementation(
    way: str, data: st.DataObject, block: int
) -> None:
    rows = data.draw(rows_lists)
    activity = arranged(way, table(rows))
    selection = data.draw(selections(activity))
    by_user = asked(activity, selection, block)
    agrees(by_user, slow.by_user(rows, list(activity.users), selection))
    for code, name in enumerate(activity.users):
        parts = vars(selection) | {"user": name}
        user = activity.summarise(Selection(**parts)).user
        assert user is not None
        assert by_user.seconds[code] == user.seconds.sum()
        assert by_user.median[code] == pytest.approx(user.overall_median, nan_ok=True)


many_users = st.lists(
    st.tuples(
        st.integers(0, 12).map("u{:02}".format),
        st.sampled_from("xy"),
        st.one_of(st.none(), st.integers(0, 3), st.floats(0, 1e6)),
        st.datetimes().map(lambda time: time.replace(microsecond=0).isoformat()),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, max_examples=100)
@given(rows=many_users, block=st.integers(1, 31), data=st.data())
def test_many_users_and_dates_agree_with_the_slow_implementation(
    rows: list[Row], block: int, data: st.DataObject
) -> None:
    timezone = data.draw(st.sampled_from(["UTC", *ZONES]))
    rows = [(*row[:3], "2" + row[3][1:]) for row in rows]
    activity = Activity(table(rows), timezone)
    days = st.one_of(st.none(), st.sampled_from(activity.days.tolist()))
    selection = Selection(start=data.draw(days), end=data.draw(days))
    by_user = asked(activity, selection, block)
    shown = slow.shown(rows, timezone)
    agrees(by_user, slow.by_user(shown, list(activity.users), selection))


@pytest.mark.parametrize("block", [1, 2, 4, 100])
@pytest.mark.parametrize("way", WAYS)
def test_the_same_time_is_the_same_number(way: str, block: int) -> None:
    # As floating point 0.1 + 0.2 + 0.3 and 0.2 + 0.3 + 0.1 aren't the same.
    rows = [
        *[("a", "p", seconds, "2024-01-01") for seconds in (0.1, 0.2, 0.3)],
        *[("b", "p", seconds, "2024-01-01") for seconds in (0.2, 0.3)],
        *[("b", "q", 0.1, "2024-01-01"), ("c", "p", 0.3, "2024-01-01")],
        *[("c", "q", seconds, "2024-01-01") for seconds in (0.1, 0.2)],
    ]
    seconds = asked(arranged(way, table(rows)), Selection(), block).seconds
    assert seconds[0] == seconds[1] == seconds[2]


def test_answers_are_kept_whoever_is_picked(activity: Activity) -> None:
    first = activity.by_user(Selection(pages=("home",)))
    assert activity.by_user(Selection("bob", pages=("home",))) is first
    other = activity.by_user(Selection("bob", pages=("cart",)))
    assert other.sessions.tolist() != first.sessions.tolist()
    assert activity.by_user(Selection(pages=("home",))) is first
    with pytest.raises(ValueError, match="read-only"):
        first.sessions.sort()


def test_few_answers_are_kept_and_at_least_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activity._RECENT", 1)
    activity = Activity(table(ROWS))
    home, cart = Selection(pages=("home",)), Selection(pages=("cart",))
    first = activity.by_user(home)
    assert activity.by_user(home) is first
    activity.by_user(cart)
    assert activity.by_user(home) is not first


def test_what_was_asked_last_is_kept(activity: Activity) -> None:
    recent = Recent(2)
    answers = [activity.by_user(Selection(pages=(page,))) for page in activity.pages]
    made: list[str] = []

    def ask(name: str) -> ByUser:
        def make() -> ByUser:
            made.append(name)
            return answers["abc".index(name)]

        return recent.get(name, make)

    for name in "abacab":
        assert ask(name) is answers["abc".index(name)]
    assert "".join(made) == "abcb"


def test_threads_that_ask_the_same_wait_for_one_answer(activity: Activity) -> None:
    answer = activity.by_user(Selection())
    recent, made, found = Recent(1), [], []
    ready, go = Barrier(5), Event()

    def make() -> ByUser:
        made.append(1)
        go.wait(10)
        return answer

    def ask() -> None:
        ready.wait(10)
        found.append(recent.get("question", make))

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    ready.wait(10)
    # Another question isn't held up by it.
    assert recent.get("other", lambda: answer) is answer
    go.set()
    for thread in threads:
        thread.join(10)
    assert found == [answer] * 4
    assert len(made) <= 2


def test_an_answer_that_fails_is_asked_for_again(activity: Activity) -> None:
    recent = Recent(1)

    def fail() -> ByUser:
        raise MemoryError

    with pytest.raises(MemoryError):
        recent.get("question", fail)
    answer = activity.by_user(Selection())
    assert recent.get("question", lambda: answer) is answer
