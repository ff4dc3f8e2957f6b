"""What every engine must answer, held against hand-counted numbers and a slow engine.

A test module of an engine subclasses ``EngineConformance`` and says how it is made.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import (
    QUANTILES,
    Engine,
    NotInData,
    PageCount,
    PathCounts,
    PathStep,
    Rank,
    Ranks,
    Selection,
    Statistic,
    Story,
    StorySession,
    Tally,
    UserColumn,
    UserPage,
    Visits,
)
from schema import COLUMNS
from tests.examples import examples
from tests.sessions import ROWS, Row, table
from tests.slow import Session, SlowEngine
from tests.strategies import (
    CLOCK_CHANGES,
    near_rows,
    rows_around_changes,
    rows_lists,
    rows_of_many_users,
    selections,
    visits_lists,
    whole_rows_lists,
)

SORTS: tuple[UserColumn, ...] = ("user", "time", "sessions", "days", "median", "last")
STATISTICS: tuple[Statistic, ...] = ("average", "median", "p90")
MARCH: dict[str, Any] = {"start": date(2024, 3, 1), "end": date(2024, 3, 3)}

# Of squared deviations of 40 durations up to 1e6 s, as floating point has them.
_DEVIATIONS_TOLERANCE = 1e-12 * 40 * 1e6**2

USERS: Sequence[Row] = (
    # Sorted by name: Ann, Bo, bea, cy, dee.
    ("Ann", "p", 30, "2024-01-01T00:00:00"),
    ("Ann", "p", 10, "2024-01-03T00:00:00"),
    ("Ann", "q", None, "2024-01-03T00:00:01"),
    ("bea", "p", 40, "2024-01-03T00:00:00"),
    ("Bo", "p", None, "2024-01-02T00:00:00"),
    ("cy", "q", None, "2024-01-01T12:00:00"),
    ("cy", "q", None, "2024-01-01T13:00:00"),
    ("dee", "q", 5, "2024-01-02T00:00:00"),
)

VISITS: Sequence[Row] = (
    # The second of 1 March begins 0 s after the first ends, in the same visit.
    ("a", "home", None, "2024-02-29T23:40:00"),
    ("a", "cart", None, "2024-02-29T23:59:59"),
    ("a", "pay", None, "2024-03-01T00:29:59"),
    ("a", "home", 20, "2024-03-01T00:30:00"),
    ("a", "cart", None, "2024-03-01T12:00:00"),
    ("a", "pay", None, "2024-03-02T12:00:00"),
    ("a", "home", 30, "2024-03-02T12:29:00"),
    ("a", "cart", 300, "2024-03-02T12:30:00"),
    ("a", "help", 7, "2024-03-02T13:05:00"),
    ("b", "cart", 0, "2024-03-01T08:00:00"),
    ("b", "cart", 0, "2024-03-01T08:30:00"),
    ("c", "cart", 600, "2024-03-01T08:00:00"),
    ("c", "pay", 600, "2024-03-01T08:40:01"),
)
"""Visits that end after half an hour, to the second."""


def step_of(
    engine: Engine, step: PathStep
) -> tuple[dict[str, tuple[int, float | None]], int]:
    """Return sessions and mean duration by page, where there are any, and the ended."""
    names = zip(engine.facts.pages, step.sessions, step.mean, strict=True)
    found = {
        page: (int(n), None if np.isnan(mean) else float(mean))
        for page, n, mean in names
        if n
    }
    return found, step.ended


def assert_path_counts(actual: PathCounts, expected: PathCounts) -> None:
    """Hold what comes after and before a page against the slow engine's."""
    for ways, wanted in zip(actual, expected, strict=True):
        for step, slow in zip(ways, wanted, strict=True):
            assert step.sessions.tolist() == slow.sessions.tolist()
            assert step.known.tolist() == slow.known.tolist()
            assert step.ended == slow.ended
            assert step.seconds == pytest.approx(slow.seconds, rel=1e-9, abs=1e-6)


def sessions_in(engine: Engine, selection: Selection) -> int:
    """Return the number of everyone's selected sessions."""
    return int(engine.summarise(selection).everyone.sessions.sum())


def by_page(engine: Engine, values: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return values by the name of their page."""
    return dict(zip(engine.facts.pages, values.tolist(), strict=True))


def tally_of(engine: Engine, user: str, **filters: Any) -> Tally:
    """Return a user's tally."""
    tally = engine.summarise(Selection(user, **filters)).user
    assert tally is not None
    return tally


def busy_hours(engine: Engine, tally: Tally) -> dict[tuple[str, int], int]:
    """Return the number of sessions by day and hour, where there are any."""
    days = np.datetime_as_string(engine.facts.days).tolist()
    assert tally.hours.shape == (len(days), 24)
    cells = np.ndenumerate(tally.hours)
    return {(days[day], hour): int(n) for (day, hour), n in cells if n}


def names(page: UserPage) -> list[str]:
    """Return the users on a page of the table of users."""
    return [row.user for row in page.rows]


def sessions_of(
    engine: Engine, selection: Selection, limit: int = 1_000
) -> list[Session]:
    """Return the streamed sessions, with times in UTC, after a check of the tables."""
    found: list[Session] = []
    for frame in engine.sessions(selection, limit):
        assert len(frame) > 0
        assert tuple(frame.columns) == COLUMNS
        assert frame["duration"].dtype == np.float64
        time = frame["timestamp"]
        assert isinstance(time.dtype, pd.DatetimeTZDtype)
        assert time.dtype.unit in ("s", "us")
        assert str(time.dtype.tz) == engine.facts.timezone
        utc = time.dt.tz_convert("UTC").dt.tz_localize(None)
        seconds = frame["duration"]
        columns = (
            frame["user_id"],
            frame["page"],
            seconds.astype(object).where(seconds.notna(), None),
            utc.to_numpy().tolist(),
        )
        found += [Session(*values) for values in zip(*columns, strict=True)]
    return found


def assert_tally(actual: Tally, expected: Tally, selection: Selection) -> None:
    """Hold a tally against that of the slow engine."""

    def near(values: Any, rel: float = 1e-9, tolerance: float = 1e-6) -> Any:
        return pytest.approx(values, rel=rel, abs=tolerance, nan_ok=True)

    for name in (
        *("sessions", "unknown", "linear_histogram", "log_histogram"),
        *("hours", "day_unknown", "day_known"),
    ):
        counts = getattr(actual, name)
        assert counts.dtype == np.int64, name
        assert counts.tolist() == getattr(expected, name).tolist(), name
    assert actual.seconds == near(expected.seconds)
    assert actual.day_seconds == near(expected.day_seconds)
    assert actual.squared_deviations == near(
        expected.squared_deviations, tolerance=_DEVIATIONS_TOLERANCE
    )
    assert actual.last == expected.last
    assert (actual.squared_deviations >= 0).all()
    # Otherwise within 1 %; and below 1/128 s a sketch has one bin.
    within = (1e-9, 1e-9) if actual.exact else (0.01, 1 / 128)
    longest = math.inf if selection.longest is None else selection.longest
    assert list(actual.quantiles) == list(actual.overall_quantiles) == list(QUANTILES)
    for name in QUANTILES:
        quantiles = np.append(actual.quantiles[name], actual.overall_quantiles[name])
        wanted = np.append(expected.quantiles[name], expected.overall_quantiles[name])
        assert quantiles == near(wanted, *within)
        assert not (quantiles < (selection.shortest or 0)).any()
        assert not (quantiles > longest).any()


def assert_summary(engine: Engine, slow: SlowEngine, selection: Selection) -> None:
    """Hold an answer against that of the slow engine."""
    actual, expected = engine.summarise(selection), slow.summarise(selection)
    assert actual.selection == selection
    assert actual.facts is engine.facts
    assert_tally(actual.everyone, expected.everyone, selection)
    assert (actual.user is None) == (expected.user is None)
    if actual.user is not None and expected.user is not None:
        assert_tally(actual.user, expected.user, selection)


def assert_user_page(actual: UserPage, expected: UserPage) -> None:
    """Hold a page of the table of users against that of the slow engine."""
    assert actual[1:] == expected[1:]
    assert names(actual) == names(expected)
    for row, wanted in zip(actual.rows, expected.rows, strict=True):
        assert row[1:3] == wanted[1:3]
        assert row.seconds == wanted.seconds
        assert row.active_days == wanted.active_days
        assert row.median == pytest.approx(wanted.median, rel=1e-9, nan_ok=True)
        assert row.last == wanted.last
        assert isinstance(row.last, pd.Timestamp)


class EngineConformance(ABC):
    """The tests that every engine passes; a subclass says how an engine is made."""

    users_are_exact = True
    """Whether the quantiles of users are exact, and their visits are known."""
    rare_letters = "ßİ"
    """Letters whose case is ignored as well, though they have no simple other case."""

    @abstractmethod
    def make(self, sessions: pd.DataFrame, timezone: str = "UTC") -> Engine:
        """Return an engine over a session table."""

    def make_both(
        self, rows: Sequence[Row], timezone: str = "UTC"
    ) -> tuple[Engine, SlowEngine]:
        """Return an engine over rows in UTC, and the slow engine to hold it against."""
        engine = self.make(table(rows), timezone)
        return engine, SlowEngine(rows, timezone, engine.facts.edges)

    @pytest.fixture
    def engine(self) -> Engine:
        """An engine over ``ROWS``, last row first: their order says nothing."""
        return self.make(table(ROWS[::-1]))

    @pytest.fixture
    def users_engine(self) -> Engine:
        """An engine over ``USERS``."""
        return self.make(table(USERS))

    def test_facts(self, engine: Engine) -> None:
        facts = engine.facts
        assert facts.timezone == "UTC"
        assert facts.pages == ("cart", "help", "home")
        assert np.datetime_as_string(facts.days).tolist() == [
            *("2024-01-01", "2024-02-28", "2024-02-29", "2024-03-01"),
            *("2024-03-02", "2024-12-31"),
        ]
        assert facts.days.dtype == "datetime64[D]"
        assert (facts.n_users, facts.n_sessions, facts.n_unknown) == (3, 12, 3)
        assert facts.first == pd.Timestamp("2024-01-01")
        assert facts.last == pd.Timestamp("2024-12-31T23:59:59")
        assert facts.edges.logarithmic.tolist() == [
            *(0, 0.001, 1, 1.5, 2.5, 4, 6, 10, 15, 25, 40, 60, 100, 150)
        ]
        # 95 % of the known durations are at most 84: bins of 2 s, to a multiple of 10.
        assert facts.edges.linear.tolist() == [*range(0, 91, 2), np.inf]

    def test_has_users_and_pages(self, engine: Engine) -> None:
        assert [engine.has_user(name) for name in ("ann", "bob", "cy")] == [True] * 3
        for name in (
            "Ann",
            "",
            "an",
            "zoe",
            "annn",
            "home",
            "a\0",
            "\udcff",
            "x" * 5_000,
        ):
            assert not engine.has_user(name)
        assert [engine.has_page(name) for name in ("cart", "help", "home")] == [
            True
        ] * 3
        for name in ("Cart", "", "shop", "ann", "\udcff"):
            assert not engine.has_page(name)

    def test_everyone(self, engine: Engine) -> None:
        summary = engine.summarise(Selection())
        everyone = summary.everyone
        assert summary.user is None
        assert summary.subject is everyone
        assert by_page(engine, everyone.sessions) == {"cart": 4, "help": 1, "home": 7}
        assert by_page(engine, everyone.unknown) == {"cart": 1, "help": 1, "home": 1}
        assert by_page(engine, everyone.seconds) == {
            "cart": 105,
            "help": 0,
            "home": 210,
        }
        assert everyone.mean[[0, 2]].tolist() == [35, 35]
        assert np.isnan(everyone.mean[1])
        assert everyone.last == pd.Timestamp("2024-12-31T23:59:59")

    def test_a_user(self, engine: Engine) -> None:
        ann = tally_of(engine, "ann")
        assert by_page(engine, ann.sessions) == {"cart": 1, "help": 0, "home": 5}
        assert by_page(engine, ann.unknown) == {"cart": 1, "help": 0, "home": 0}
        assert by_page(engine, ann.seconds) == {"cart": 0, "help": 0, "home": 150}
        deviations = by_page(engine, ann.squared_deviations)
        assert deviations == {"cart": 0, "help": 0, "home": 1000}

    def test_zero_is_a_known_duration(self, engine: Engine) -> None:
        bob = tally_of(engine, "bob")
        assert by_page(engine, bob.known) == {"cart": 1, "help": 0, "home": 1}
        assert by_page(engine, bob.mean)["cart"] == 0
        assert by_page(engine, bob.quantiles["p90"])["cart"] == 0
        assert bob.log_histogram[0] == bob.linear_histogram[0] == 1
        zeros = tally_of(engine, "bob", shortest=0, longest=0.001)
        assert by_page(engine, zeros.sessions) == {"cart": 1, "help": 0, "home": 0}
        assert zeros.last == pd.Timestamp("2024-02-29T08:01:00")
        (session,) = sessions_of(engine, Selection(shortest=0, longest=0.001))
        assert (session.user, session.page, session.duration) == ("bob", "cart", 0)

    def test_quantiles_are_interpolated(self, engine: Engine) -> None:
        ann, everyone = tally_of(engine, "ann"), engine.summarise(Selection()).everyone
        # 10, 20, 30, 40, 50 at home, nothing known in the cart.
        assert by_page(engine, ann.quantiles["median"])["home"] == 30
        assert by_page(engine, ann.quantiles["p90"])["home"] == 46
        assert np.isnan(by_page(engine, ann.quantiles["median"])["cart"])
        assert ann.exact == self.users_are_exact
        # 0, 5 and 100 in the cart; 10 to 60 at home; help has none. All are exact even
        # in a sketch, which knows whole seconds below a minute.
        assert everyone.quantiles["median"][[0, 2]].tolist() == [5, 35]
        assert everyone.quantiles["p90"][[0, 2]] == pytest.approx([81, 55])
        # 0, 5, 10, 20, 30, 40, 50, 60, 100.
        assert everyone.overall_quantiles["median"] == 30
        assert everyone.overall_quantiles["p90"] == pytest.approx(68)

    def test_days_and_hours(self, engine: Engine) -> None:
        ann = tally_of(engine, "ann")
        assert ann.day_sessions.tolist() == [0, 1, 2, 2, 0, 1]
        assert ann.day_seconds.tolist() == [0, 10, 50, 90, 0, 0]
        assert ann.day_unknown.tolist() == [0, 0, 0, 0, 0, 1]
        assert ann.day_known.tolist() == [0, 1, 2, 2, 0, 0]
        assert ann.active_days == 4
        assert ann.last == pd.Timestamp("2024-12-31T23:59:59")
        assert busy_hours(engine, ann) == {
            ("2024-02-28", 23): 1,
            ("2024-02-29", 0): 1,
            ("2024-02-29", 12): 1,
            ("2024-03-01", 0): 2,
            ("2024-12-31", 23): 1,
        }

    def test_histograms(self, engine: Engine) -> None:
        everyone = engine.summarise(Selection()).everyone
        # 0, 5, 10, 20 and 30, 40 and 50, 60, 100 seconds.
        assert everyone.log_histogram.tolist() == [1, *[0] * 4, 1, 0, 1, 1, 1, 2, 1, 1]
        # 0, 5, 10, 20, 30, 40, 50, 60 and 100 seconds, in bins of 2 s.
        full = np.flatnonzero(everyone.linear_histogram).tolist()
        assert full == [0, 2, 5, 10, 15, 20, 25, 30, 45]
        assert everyone.linear_histogram.sum() == 9

    def test_dates_are_half_open_days(self, engine: Engine) -> None:
        day, next_day = date(2024, 2, 29), date(2024, 3, 1)
        assert sessions_in(engine, Selection(start=day, end=next_day)) == 5
        assert sessions_in(engine, Selection(end=day)) == 2
        assert sessions_in(engine, Selection(start=next_day)) == 5
        assert sessions_in(engine, Selection(start=next_day, end=day)) == 0
        always = Selection(start=date(1, 1, 1), end=date(9999, 12, 31))
        assert sessions_in(engine, always) == 12

    def test_durations_are_half_open_and_never_unknown(self, engine: Engine) -> None:
        assert sessions_in(engine, Selection(shortest=10, longest=20)) == 1
        assert sessions_in(engine, Selection(shortest=0)) == 9
        assert sessions_in(engine, Selection(longest=10)) == 2
        assert sessions_in(engine, Selection(longest=math.inf)) == 9
        assert sessions_in(engine, Selection(shortest=20, longest=10)) == 0

    def test_pages_are_any_of_those_named(self, engine: Engine) -> None:
        assert sessions_in(engine, Selection(pages=("help",))) == 1
        assert sessions_in(engine, Selection(pages=("help", "cart"))) == 5
        assert sessions_in(engine, Selection(pages=("help", "help"))) == 1

    def test_a_filter_holds_for_the_user_and_for_everyone(self, engine: Engine) -> None:
        selection = Selection("ann", end=date(2024, 3, 1), longest=30)
        summary = engine.summarise(selection)
        assert summary.user is not None
        assert by_page(engine, summary.user.seconds)["home"] == 30
        everyone = by_page(engine, summary.everyone.seconds)
        assert everyone == {"cart": 0, "help": 0, "home": 30}

    def test_last_is_of_what_is_selected(self) -> None:
        rows: list[Row] = [
            ("a", "x", 5, "2024-02-29T08:00:00"),
            ("a", "x", 5, "2024-02-29T09:00:00"),
            ("a", "x", 500, "2024-02-29T10:00:00"),
            ("a", "y", 5, "2024-02-29T11:00:00"),
        ]
        engine = self.make(table(rows))
        summary = engine.summarise(Selection("a", pages=("x",), longest=10))
        assert summary.user is not None
        assert summary.user.last == pd.Timestamp("2024-02-29T09:00:00")
        assert summary.everyone.last == pd.Timestamp("2024-02-29T09:00:00")

    @pytest.mark.parametrize(
        ("selection", "words"),
        [
            (Selection("Ann"), "the user 'Ann'"),
            (Selection(""), "the user ''"),
            (Selection("zoe"), "the user 'zoe'"),
            (Selection(pages=("home", "shop")), "the page 'shop'"),
            (Selection(shortest=7.5), "edge at 7.5 seconds"),
            (Selection(longest=-1), "edge at -1 seconds"),
            (Selection(longest=float("nan")), "edge at nan seconds"),
            (Selection("bob", pages=("shop",)), "the page 'shop'"),
        ],
    )
    def test_refuses_what_is_not_in_the_data(
        self, engine: Engine, selection: Selection, words: str
    ) -> None:
        with pytest.raises(NotInData, match=words):
            engine.summarise(selection)
        with pytest.raises(NotInData, match=words):
            engine.list_users(selection)
        with pytest.raises(NotInData, match=words):
            engine.ranks(selection, "average")
        with pytest.raises(NotInData, match=words):
            engine.sessions(selection, 1)

    def test_finds_users_by_any_part_of_their_name(self) -> None:
        users = ["bob", "Rob", "robin", "rob", "zoe", "rob"]
        engine = self.make(table([(name, "p", 1, "2024-01-01") for name in users]))
        assert engine.find_users("ROB", 10) == ["rob", "Rob", "robin"]
        assert engine.find_users("ob", 10) == ["rob", "Rob", "bob", "robin"]
        assert engine.find_users("o", 2) == ["rob", "Rob"]
        assert engine.find_users("rob", 1) == ["rob"]
        assert engine.find_users("", 1) == ["rob"]
        assert engine.find_users("", 9) == ["rob", "Rob", "bob", "robin", "zoe"]
        for text in ("(", ".", "%", "_", "\\", "\udcff", "x" * 5_000):
            assert engine.find_users(text, 10) == []
        assert engine.find_users("ob", 0) == engine.find_users("", 0) == []

    @examples(100)
    @given(data=st.data(), limit=st.integers(0, 5))
    def test_found_users_agree_with_the_slow_engine(
        self, data: st.DataObject, limit: int
    ) -> None:
        name = st.text(f"aAb%_({self.rare_letters}", min_size=1, max_size=4)
        users = data.draw(st.lists(name, min_size=1))
        text = data.draw(st.text(f"aAbsSi%_({self.rare_letters}", max_size=2))
        rows: list[Row] = [(user, "p", 1, "2024-01-01") for user in users]
        engine, slow = self.make_both(rows)
        assert engine.find_users(text, limit) == slow.find_users(text, limit)

    def test_tallies_users_by_any_part_of_their_name(
        self, users_engine: Engine
    ) -> None:
        tally = users_engine.tally_named("E", Selection(user="Ann"))
        assert tally.sessions.tolist() == [1, 1]
        assert tally.seconds.tolist() == [40, 5]
        assert users_engine.tally_named("", Selection()).sessions.sum() == 8
        assert users_engine.count_named("E") == 2
        assert users_engine.count_named("") == users_engine.facts.n_users
        for nobody in ("x", "\0", "\ud800"):
            assert users_engine.count_named(nobody) == 0
            assert not users_engine.is_named(nobody, "Ann")
            assert not users_engine.tally_named(nobody, Selection()).sessions.any()
        assert users_engine.is_named("N", "Ann")
        assert not users_engine.is_named("N", "dee")
        assert not any(users_engine.is_named("", user) for user in ("zoe", "\0"))
        with pytest.raises(NotInData):
            users_engine.tally_named("e", Selection(pages=("none",)))

    @pytest.mark.parametrize("text", ["strasse", "straße", "inci", "οδος", "i"])
    def test_who_is_named_is_who_is_tallied(self, text: str) -> None:
        # Engines may take letters for the same that others tell apart.
        users = ("Straße", "Strasse 2", "İnci istanbul", "ΟΔΟΣ", "bob")
        engine = self.make(table([(user, "p", 1, "2024-01-01") for user in users]))
        named = [user for user in users if engine.is_named(text, user)]
        assert engine.count_named(text) == len(named)
        tally = engine.tally_named(text, Selection())
        assert int(tally.sessions.sum()) == len(named)

    @examples(100)
    @given(data=st.data(), rows=rows_lists)
    def test_tallies_of_some_users_agree_with_the_slow_engine(
        self, data: st.DataObject, rows: list[Row]
    ) -> None:
        engine, slow = self.make_both(rows)
        name = data.draw(st.sampled_from([row[0] for row in rows]))
        start = data.draw(st.integers(0, len(name)))
        text = name[start : data.draw(st.integers(start, len(name)))]
        selection = data.draw(selections(engine))
        assert engine.count_named(text) == slow.count_named(text)
        assert engine.is_named(text, name) == slow.is_named(text, name)
        assert_tally(
            engine.tally_named(text, selection),
            slow.tally_named(text, selection),
            selection,
        )

    @pytest.mark.parametrize(
        "name",
        ["-8845298781299428018", "007", "NA", "null", "1e5", "<b>x</b>", "'; --", "é"],
    )
    def test_names_are_text_and_come_through_unchanged(self, name: str) -> None:
        engine = self.make(table([(name, name, 1, "2024-01-01")]))
        assert engine.find_users("", 9) == [name]
        assert engine.has_user(name)
        assert engine.facts.pages == (name,)
        assert tally_of(engine, name, pages=(name,)).sessions.tolist() == [1]
        assert names(engine.list_users(Selection())) == [name]
        assert [s[:2] for s in sessions_of(engine, Selection())] == [(name, name)]

    def test_times_with_a_zone_are_compared_in_utc(self) -> None:
        sessions = table([("u", "p", 1, "2024-01-01T00:30:00")])
        sessions["timestamp"] = sessions["timestamp"].dt.tz_localize("Europe/Berlin")
        engine = self.make(sessions)
        assert engine.facts.first == pd.Timestamp("2023-12-31T23:30:00")
        assert sessions_in(engine, Selection(end=date(2024, 1, 1))) == 1

    def test_days_and_hours_are_those_of_the_time_zone(self) -> None:
        rows: list[Row] = [
            ("u", "p", 1, "2024-01-15T12:00:00"),
            ("u", "p", 2, "2024-07-15T12:00:00"),
            ("u", "p", 4, "2024-07-15T21:59:59"),
            ("u", "p", 8, "2024-07-15T22:00:00"),
        ]
        engine = self.make(table(rows), "Europe/Berlin")
        assert engine.facts.timezone == "Europe/Berlin"
        assert engine.facts.first == pd.Timestamp("2024-01-15T13:00:00")
        assert engine.facts.last == pd.Timestamp("2024-07-16T00:00:00")
        everyone = engine.summarise(Selection()).everyone
        days = np.datetime_as_string(engine.facts.days).tolist()
        assert days == ["2024-01-15", "2024-07-15", "2024-07-16"]
        assert everyone.day_seconds.tolist() == [1, 6, 8]
        assert busy_hours(engine, everyone) == {
            ("2024-01-15", 13): 1,
            ("2024-07-15", 14): 1,
            ("2024-07-15", 23): 1,
            ("2024-07-16", 0): 1,
        }
        assert sessions_in(engine, Selection(end=date(2024, 7, 16))) == 3
        (row,) = engine.list_users(Selection()).rows
        assert row.last == pd.Timestamp("2024-07-16T00:00:00")

    def test_the_hour_that_is_shown_twice_is_one(self) -> None:
        # Until 01:00 UTC clocks in Berlin showed summer time.
        times = ("00:00:00", "00:59:59", "01:00:00", "01:59:59", "02:00:00")
        rows: list[Row] = [("u", "p", 1, f"2024-10-27T{time}") for time in times]
        engine = self.make(table(rows), "Europe/Berlin")
        everyone = engine.summarise(Selection()).everyone
        hours = {("2024-10-27", 2): 4, ("2024-10-27", 3): 1}
        assert busy_hours(engine, everyone) == hours
        assert everyone.last == pd.Timestamp("2024-10-27T03:00:00")

    def test_streams_the_first_of_two_hours(self) -> None:
        times = ("00:59:59", "01:00:00", "01:59:59", "02:00:00")
        rows: list[Row] = [
            ("u", "p", n, f"2024-10-27T{time}") for n, time in enumerate(times)
        ]
        engine = self.make(table(rows), "Europe/Berlin")
        frame = pd.concat(engine.sessions(Selection(), 9)).sort_values("duration")
        assert [time.isoformat() for time in frame["timestamp"]] == [
            "2024-10-27T02:59:59+02:00",
            "2024-10-27T02:00:00+02:00",
            "2024-10-27T02:59:59+02:00",
            "2024-10-27T03:00:00+01:00",
        ]

    def test_streams_fractions_of_a_second(self) -> None:
        starts = [
            "1969-12-31T23:59:59.999999",
            "2024-01-01T00:00:00",
            "2024-10-27T00:59:59.000001",
            "9999-12-31T23:59:59.5",
        ]
        sessions = pd.DataFrame(
            {
                "user_id": ["v", "u", "v", "u"],
                "page": "p",
                "duration": [1.0, 2.0, 3.0, 4.0],
                "timestamp": np.array(starts, "datetime64[us]"),
            }
        )
        engine = self.make(sessions)
        frame = pd.concat(engine.sessions(Selection(), 9)).sort_values("duration")
        utc = frame["timestamp"].dt.tz_localize(None)
        assert utc.tolist() == [pd.Timestamp(start) for start in starts]

    def test_clocks_stop_where_years_end(self) -> None:
        rows: list[Row] = [
            ("u", "p", 1, "0001-01-01T00:00:00"),
            ("u", "p", 2, "9999-12-31T23:59:59"),
        ]
        west = self.make(table(rows), "Etc/GMT+5").facts
        assert west.first == pd.Timestamp("0001-01-01")
        assert west.last == pd.Timestamp("9999-12-31T18:59:59")
        east = self.make(table(rows), "Etc/GMT-5").facts
        assert east.first == pd.Timestamp("0001-01-01T05:00:00")
        assert east.last == pd.Timestamp("9999-12-31T23:59:59")

    def test_any_unit_of_times_will_do(self) -> None:
        units: tuple[Literal["s", "ms", "us", "ns"], ...] = ("s", "ms", "us", "ns")
        for unit in units:
            sessions = table(ROWS)
            sessions["timestamp"] = sessions["timestamp"].dt.as_unit(unit)
            engine = self.make(sessions)
            always = Selection(start=date(1, 1, 1), end=date(9999, 12, 31))
            assert sessions_in(engine, always) == 12

    @examples(100)
    @given(data=st.data(), rows=rows_lists)
    def test_summaries_agree_with_the_slow_engine(
        self, data: st.DataObject, rows: list[Row]
    ) -> None:
        engine, slow = self.make_both(rows)
        assert_summary(engine, slow, data.draw(selections(engine)))

    @examples(100)
    @given(data=st.data(), timezone=st.sampled_from(list(CLOCK_CHANGES)))
    def test_time_zones_agree_with_the_slow_engine(
        self, data: st.DataObject, timezone: str
    ) -> None:
        engine, slow = self.make_both(
            data.draw(rows_around_changes(timezone)), timezone
        )
        days = st.one_of(st.none(), st.sampled_from(engine.facts.days.tolist()))
        selection = Selection(start=data.draw(days), end=data.draw(days))
        assert_summary(engine, slow, selection)

    @examples(100)
    @given(rows_lists, st.sampled_from(["UTC", *CLOCK_CHANGES]))
    def test_facts_agree_with_the_slow_engine(
        self, rows: list[Row], timezone: str
    ) -> None:
        engine, slow = self.make_both(rows, timezone)
        actual, expected = dict(vars(engine.facts)), dict(vars(slow.facts))
        assert actual.pop("days").tolist() == expected.pop("days").tolist()
        assert actual.pop("edges") is expected.pop("edges")
        assert actual == expected
        assert all(map(engine.has_user, slow.users))
        assert all(map(engine.has_page, slow.pages))

    @pytest.mark.parametrize(
        "rows",
        [
            [("a", "x", None, "2024-02-29T23:59:59")],
            [("a", "x", 0.0, "2024-12-31T23:59:59")],
            [("a", "x", 0.0, "2024-01-01"), ("a", "x", 2e-296, "2024-01-01")],
            [("a", "x", None, "2024-01-01"), ("b", "y", None, "2024-01-01")],
            [("a", "x", 5.0, "2024-01-01")] * 7 + [("a", "x", None, "2024-01-01")] * 2,
            [
                ("a", "x", -0.0, "2024-01-01"),
                ("a", "x", None, "2024-02-29"),
                ("a", "x", 2**-11, "2024-03-01"),
            ],
            [("a", "x", 3.0e9, "0001-01-01"), ("a", "y", 1e-9, "9999-12-31T23:59:59")],
            [("a", "x", float(n), f"1969-12-{1 + n:02}T12:00:00") for n in range(31)],
        ],
    )
    def test_extremes_agree_with_the_slow_engine(self, rows: list[Row]) -> None:
        engine, slow = self.make_both(rows)
        for selection in (
            *(Selection(), Selection("a"), Selection(pages=("x",))),
            *(
                Selection("a", start=date(2024, 2, 29)),
                Selection(end=date(1969, 12, 9)),
            ),
            *(Selection("a", longest=1), Selection("a", shortest=0.001)),
            *(Selection("a", longest=0), Selection("a", shortest=1, longest=0.001)),
        ):
            assert_summary(engine, slow, selection)

    def test_one_long_session_does_not_blur_the_others(self) -> None:
        rows: list[Row] = [("a", "x", 3.0e9, "2024-01-01")]
        rows += [("b", "y", 0.1, "2024-01-02")] * 1_000
        everyone = self.make(table(rows)).summarise(Selection()).everyone
        assert everyone.mean[1] == pytest.approx(0.1, rel=1e-4)

    def test_many_days(self) -> None:
        """More days than there are seconds of in 32 bits."""
        first = np.datetime64("1850-01-01", "us")
        sessions = pd.DataFrame(
            {
                "user_id": "u",
                "page": "p",
                "duration": 1.0,
                "timestamp": first + np.arange(50_000) * np.timedelta64(1, "D"),
            }
        )
        engine = self.make(sessions)
        tally = tally_of(engine, "u", start=date(1986, 11, 20))
        assert tally.sessions.tolist() == [4]
        assert tally.last == pd.Timestamp("1986-11-23")

    def test_lists_users(self, engine: Engine) -> None:
        page = engine.list_users(Selection())
        assert page[1:] == (1, 1, 3, 3)
        # ann 10, 20, 30, 40, 50 and an unknown; cy 5, 100 and one; bob 0, 60 and one.
        assert [tuple(row) for row in page.rows] == [
            ("ann", 6, 5, 150, 4, 30, pd.Timestamp("2024-12-31T23:59:59")),
            ("cy", 3, 2, 105, 2, 52.5, pd.Timestamp("2024-03-02T10:01:00")),
            ("bob", 3, 2, 60, 1, 30, pd.Timestamp("2024-02-29T08:02:00")),
        ]
        kinds = [type(value) for value in page.rows[0]]
        assert kinds == [str, int, int, float, int, float, pd.Timestamp]

    def test_lists_users_of_selected_sessions_only(self, engine: Engine) -> None:
        # On 1 and 2 March: 40 and 50 of ann, 5 and an unknown of cy, nothing of bob.
        page = engine.list_users(Selection("bob", **MARCH))
        assert [tuple(row) for row in page.rows] == [
            ("ann", 2, 2, 90, 1, 45, pd.Timestamp("2024-03-01T00:00:00")),
            ("cy", 2, 1, 5, 1, 5, pd.Timestamp("2024-03-02T10:01:00")),
        ]
        assert page[1:] == (1, 1, 2, 2)
        nothing = engine.list_users(Selection(start=date(2025, 1, 1)))
        assert nothing == UserPage([], 1, 1, 0, 0)

    def test_lists_users_whose_durations_are_all_unknown(self, engine: Engine) -> None:
        (row,) = engine.list_users(Selection(pages=("help",))).rows
        assert row[:5] == ("bob", 1, 0, 0, 1)
        assert math.isnan(row.median)

    @pytest.mark.parametrize(
        ("sort", "largest_first", "smallest_first"),
        [
            ("user", "Ann Bo bea cy dee", "dee cy bea Bo Ann"),
            ("time", "Ann bea dee Bo cy", "dee Ann bea Bo cy"),
            ("sessions", "Ann cy Bo bea dee", "Bo bea dee cy Ann"),
            ("days", "Ann Bo bea cy dee", "Bo bea cy dee Ann"),
            ("median", "bea Ann dee Bo cy", "dee Ann bea Bo cy"),
            ("last", "Ann bea Bo dee cy", "cy Bo dee bea Ann"),
        ],
    )
    def test_sorts_users_with_unknown_last_and_equal_ones_by_name(
        self,
        users_engine: Engine,
        sort: UserColumn,
        largest_first: str,
        smallest_first: str,
    ) -> None:
        page = users_engine.list_users(Selection(), sort=sort)
        assert names(page) == largest_first.split()
        page = users_engine.list_users(Selection(), sort=sort, reverse=True)
        assert names(page) == smallest_first.split()

    def test_searches_users_ignoring_case(self, users_engine: Engine) -> None:
        page = users_engine.list_users(Selection(), search="B", sort="user")
        assert names(page) == ["Bo", "bea"]
        assert (page.n_matching, page.n_users) == (2, 5)
        page = users_engine.list_users(Selection(start=date(2024, 1, 3)), search="dee")
        assert (page.rows, page.n_matching, page.n_users) == ([], 0, 2)

    def test_pages_of_users(self, users_engine: Engine) -> None:
        def page_of(number: int | None, user: str | None = None) -> tuple[Any, ...]:
            selection = Selection(user)
            page = users_engine.list_users(
                selection, sort="user", page=number, page_size=2
            )
            return " ".join(names(page)), page.page, page.n_pages

        assert page_of(1) == page_of(None) == ("Ann Bo", 1, 3)
        assert page_of(2) == ("bea cy", 2, 3)
        assert page_of(3) == page_of(99) == ("dee", 3, 3)
        # The page with the selection's user, unless another is asked for.
        assert page_of(None, "cy") == ("bea cy", 2, 3)
        assert page_of(None, "dee") == ("dee", 3, 3)
        assert page_of(1, "dee") == ("Ann Bo", 1, 3)

    def test_a_user_who_is_not_listed_gives_the_first_page(
        self, users_engine: Engine
    ) -> None:
        for search in ("e", "no such name"):
            page = users_engine.list_users(Selection("cy"), search=search, page_size=1)
            assert page.page == 1
        selection = Selection("cy", start=date(2024, 1, 2))
        assert users_engine.list_users(selection, page_size=1).page == 1

    @examples(100)
    @given(data=st.data(), rows=whole_rows_lists)
    def test_lists_of_users_agree_with_the_slow_engine(
        self, data: st.DataObject, rows: list[Row]
    ) -> None:
        engine, slow = self.make_both(rows)
        selection = data.draw(selections(engine))
        options: dict[str, Any] = {
            "search": data.draw(st.sampled_from(("", "A", "b"))),
            "sort": data.draw(st.sampled_from(SORTS)),
            "reverse": data.draw(st.booleans()),
            "page": data.draw(st.one_of(st.none(), st.integers(1, 4))),
            "page_size": data.draw(st.integers(1, 3)),
        }
        assert_user_page(
            engine.list_users(selection, **options),
            slow.list_users(selection, **options),
        )

    @examples(100)
    @given(data=st.data(), rows=rows_of_many_users)
    def test_many_users_agree_with_the_slow_engine(
        self, data: st.DataObject, rows: list[Row]
    ) -> None:
        timezone = data.draw(st.sampled_from(["UTC", *CLOCK_CHANGES]))
        engine, slow = self.make_both(rows, timezone)
        days = st.one_of(st.none(), st.sampled_from(engine.facts.days.tolist()))
        selection = Selection(start=data.draw(days), end=data.draw(days))
        assert_user_page(
            engine.list_users(selection, sort="user", page_size=20),
            slow.list_users(selection, sort="user", page_size=20),
        )

    @examples(100)
    @given(data=st.data(), rows=rows_lists)
    def test_a_listed_user_has_the_numbers_of_their_summary(
        self, data: st.DataObject, rows: list[Row]
    ) -> None:
        engine = self.make(table(rows))
        filters = vars(data.draw(selections(engine))) | {"user": None}
        for row in engine.list_users(Selection(**filters)).rows:
            tally = engine.summarise(Selection(**filters | {"user": row.user})).user
            assert tally is not None
            assert row.sessions == tally.sessions.sum()
            assert row.known == tally.known.sum()
            assert row.seconds == tally.seconds.sum()
            assert row.active_days == tally.active_days
            median = tally.overall_quantiles["median"]
            assert row.median == pytest.approx(median, nan_ok=True)
            assert row.last == tally.last

    def test_ranks(self, engine: Engine) -> None:
        assert engine.ranks(Selection(), "average") is None
        # 6, 3 and 3 sessions; 150, 60 and 105 s; 4, 1 and 2 days; 30, 30, 52.5 s each.
        assert engine.ranks(Selection("cy"), "average") == Ranks(
            sessions=Rank(2, 3, n_equal=2),
            time=Rank(2, 3, n_equal=1),
            statistic=Rank(1, 3, n_equal=1),
            active_days=Rank(2, 3, n_equal=1),
            last=Rank(2, 3, n_equal=1),
        )
        bob = engine.ranks(Selection("bob"), "average")
        assert bob is not None
        assert (bob.sessions, bob.statistic, bob.last) == (
            *(Rank(2, 3, 2), Rank(2, 3, 2), Rank(3, 3, 1)),
        )
        # P90: ann 46, bob 54, cy 90.5.
        for user, place in {"ann": 3, "bob": 2, "cy": 1}.items():
            ranks = engine.ranks(Selection(user), "p90")
            assert ranks is not None
            assert ranks.statistic == Rank(place, 3, n_equal=1)

    def test_a_user_without_sessions_has_no_rank(self, engine: Engine) -> None:
        ranks = engine.ranks(Selection("bob", **MARCH), "median")
        assert ranks == Ranks(None, None, None, None, None)
        ranks = engine.ranks(Selection("bob", pages=("help",)), "median")
        first = Rank(1, 1, n_equal=1)
        assert ranks == Ranks(first, None, None, first, first)

    @examples(100)
    @given(data=st.data(), rows=whole_rows_lists)
    def test_ranks_agree_with_the_slow_engine(
        self, data: st.DataObject, rows: list[Row]
    ) -> None:
        engine, slow = self.make_both(rows)
        selection = data.draw(selections(engine))
        statistic = data.draw(st.sampled_from(STATISTICS))
        ranks = engine.ranks(selection, statistic)
        assert ranks == slow.ranks(selection, statistic)

    def test_users_with_the_same_time_have_the_same_place(self) -> None:
        # As floating point 0.1 + 0.2 + 0.3 and 0.2 + 0.3 + 0.1 aren't the same.
        rows: list[Row] = [
            *[("a", "p", seconds, "2024-01-01") for seconds in (0.1, 0.2, 0.3)],
            *[("b", "p", seconds, "2024-01-01") for seconds in (0.2, 0.3)],
            *[("b", "q", 0.1, "2024-01-01"), ("c", "p", 0.3, "2024-01-01")],
            *[("c", "q", seconds, "2024-01-01") for seconds in (0.1, 0.2)],
            ("d", "p", 0.1, "2024-01-01"),
        ]
        engine = self.make(table(rows))
        places = []
        for user in "abcd":
            ranks = engine.ranks(Selection(user), "average")
            assert ranks is not None
            places.append(ranks.time)
        assert places == [*[Rank(1, 4, n_equal=3)] * 3, Rank(4, 4, n_equal=1)]

    def test_streams_no_more_sessions_than_the_limit(self, engine: Engine) -> None:
        for limit, n in ((100, 12), (12, 12), (7, 7), (1, 1), (0, 0), (-1, 0)):
            assert len(sessions_of(engine, Selection(), limit)) == n
        assert sessions_of(engine, Selection("ann", start=date(2025, 1, 1))) == []

    @examples(100)
    @given(
        data=st.data(),
        timezone=st.sampled_from(["UTC", *CLOCK_CHANGES]),
        limit=st.integers(0, 9),
    )
    def test_streamed_sessions_agree_with_the_slow_engine(
        self, data: st.DataObject, timezone: str, limit: int
    ) -> None:
        near = (
            rows_around_changes(timezone) if timezone in CLOCK_CHANGES else rows_lists
        )
        engine, slow = self.make_both(data.draw(near), timezone)
        selection = data.draw(selections(engine))
        wanted = [_in_utc(s, timezone) for s in slow.in_order(selection)]
        assert sessions_of(engine, selection) == wanted
        # A stream with a limit is the start of that without.
        assert sessions_of(engine, selection, limit) == wanted[:limit]

    def test_streams_by_user_and_time(self, engine: Engine) -> None:
        streamed = sessions_of(engine, Selection())
        assert [(s.user, s.duration) for s in streamed] == [
            *[("ann", seconds) for seconds in (10, 20, 30, 40, 50, None)],
            *[("bob", seconds) for seconds in (60, 0, None)],
            *[("cy", seconds) for seconds in (100, 5, None)],
        ]
        assert sessions_of(engine, Selection("ann"), 4) == streamed[:4]
        assert sessions_of(engine, Selection(pages=("cart",)), 4) == [
            s for s in streamed if s.page == "cart"
        ]

    @examples(100)
    @given(
        rows=st.lists(
            st.tuples(
                st.sampled_from("ab"),
                st.sampled_from("xy"),
                st.sampled_from((None, 0.0, 1.0, 2.0)),
                st.sampled_from(("", ".000001", ".000002", ".5", ".999999")).map(
                    "2024-02-29T23:59:59{}".format
                )
                | st.just("2024-03-01T00:00:00"),
            ),
            min_size=1,
            max_size=30,
        ),
        user=st.sampled_from((None, "a")),
        limit=st.integers(0, 30),
    )
    def test_streams_by_fractions_of_a_second_then_by_page_and_duration(
        self, rows: list[Row], user: str | None, limit: int
    ) -> None:
        engine, slow = self.make_both([*rows, ("a", "x", 1, "2024-01-01")])
        wanted = [_in_utc(s, "UTC") for s in slow.in_order(Selection(user))]
        assert sessions_of(engine, Selection(user)) == wanted
        assert sessions_of(engine, Selection(user), limit) == wanted[:limit]

    def assert_story(self, actual: Story | None, expected: Story | None) -> None:
        """Hold a page of a story against that of the slow engine."""
        assert (actual is None) == (expected is None)
        if actual is None or expected is None:
            return
        wanted = expected.sessions
        if not self.users_are_exact:
            wanted = [session._replace(visit=None) for session in wanted]
            expected = expected._replace(visits=None)
        # NaN isn't equal to itself.
        assert list(map(repr, actual.sessions)) == list(map(repr, wanted))
        assert actual[1:] == expected[1:]

    def test_a_story_is_in_order_of_time(self, engine: Engine) -> None:
        story = engine.story(Selection("bob"))
        assert story is not None
        assert story.page == story.n_pages == 1
        assert story.n_sessions == 3
        first, second, third = story.sessions
        one = 1 if self.users_are_exact else None
        start = pd.Timestamp("2024-02-29T08:00:00")
        assert first == StorySession("home", start, 60, None, one)
        # The first ends as the second begins.
        start = pd.Timestamp("2024-02-29T08:01:00")
        assert second == StorySession("cart", start, 0, 0, one)
        assert math.isnan(third.duration)
        assert (third.page, third.pause, third.visit) == ("help", 60, one)
        once = {name: PageCount(name, 1, 1) for name in ("home", "help")}
        visits = Visits(1, 3, once["home"], once["help"])
        assert story.visits == (visits if self.users_are_exact else None)
        assert engine.story(Selection()) is None

    def test_what_begins_together_overlaps(self, engine: Engine) -> None:
        story = engine.story(Selection("ann"))
        assert story is not None
        assert [session.duration for session in story.sessions[:5]] == [
            *(10, 20, 30, 40, 50)
        ]
        # From 23:59:59 for 10 s, then at midnight; two begin at the same time.
        pauses = [session.pause for session in story.sessions]
        assert pauses[:3] == [None, -9, 12 * 3_600 - 20]
        assert pauses[3:5] == [12 * 3_600 - 30, -40]
        if self.users_are_exact:
            assert [session.visit for session in story.sessions] == [1, 1, 2, 3, 3, 4]
            assert story.visits == Visits(
                4, 1.5, PageCount("home", 3, 1), PageCount("home", 3, 1)
            )

    def test_a_story_is_of_what_is_selected(self, engine: Engine) -> None:
        story = engine.story(Selection("ann", **MARCH, shortest=25))
        assert story is not None
        assert [session.duration for session in story.sessions] == [40, 50]
        assert [session.pause for session in story.sessions] == [None, -40]
        story = engine.story(Selection("bob", pages=("home", "help")))
        assert story is not None
        assert [session.pause for session in story.sessions] == [None, 60]
        story = engine.story(Selection("bob", **MARCH))
        assert story == Story([], 1, 1, 0, None)

    def test_pages_of_a_story(self, engine: Engine) -> None:
        whole = engine.story(Selection("ann"))
        assert whole is not None
        for asked, number in ((None, 1), (1, 1), (2, 2), (3, 3), (4, 3), (10**9, 3)):
            story = engine.story(Selection("ann"), page=asked, page_size=2)
            assert story is not None
            assert (story.page, story.n_pages, story.n_sessions) == (number, 3, 6)
            shown = whole.sessions[2 * number - 2 : 2 * number]
            # The last duration is unknown.
            assert repr(story.sessions) == repr(shown)
            assert story.visits == whole.visits

    def test_a_visit_ends_with_a_pause_that_is_longer_than_the_gap(self) -> None:
        rows: list[Row] = [
            ("a", "p", 60, "2024-01-01T00:00:00"),
            ("a", "q", None, "2024-01-01T00:31:00"),
            ("a", "p", 0.5, "2024-01-01T01:01:01"),
            ("a", "q", 7, "2024-01-01T01:31:01"),
            ("a", "q", 7, "2024-01-01T02:01:08"),
        ]
        story = self.make(table(rows)).story(Selection("a"))
        assert story is not None
        pauses = [session.pause for session in story.sessions]
        assert pauses == [None, 1800, 1801, 1799.5, 1800]
        if self.users_are_exact:
            assert [session.visit for session in story.sessions] == [1, 1, 2, 2, 2]
            # Equal ones are in the order of names.
            entry, exit_ = PageCount("p", 2, 1), PageCount("q", 2, 1)
            assert story.visits == Visits(2, 2.5, entry, exit_)

    def test_pauses_are_what_clocks_show(self) -> None:
        # Clocks go from 2 to 3 o'clock between the two, and back from 3 to 2.
        rows: list[Row] = [
            ("a", "p", 0, "2024-03-31T00:59:00"),
            ("a", "p", 0, "2024-03-31T01:01:00"),
            ("b", "p", 0, "2024-10-27T00:59:00"),
            ("b", "p", 0, "2024-10-27T01:01:00"),
        ]
        engine = self.make(table(rows), "Europe/Berlin")
        for user, pause in (("a", 3_720), ("b", 3_480)):
            story = engine.story(Selection(user))
            assert story is not None
            assert [session.pause for session in story.sessions] == [None, pause]
        assert story is not None
        # The later one began first as clocks have it.
        assert [str(session.start) for session in story.sessions] == [
            *("2024-10-27 02:01:00", "2024-10-27 02:59:00")
        ]

    def test_a_story_has_only_who_and_what_is_in_the_data(self, engine: Engine) -> None:
        for selection in (
            Selection("zoe"),
            Selection("ann", pages=("shop",)),
            Selection("ann", shortest=3.14),
        ):
            with pytest.raises(NotInData):
                engine.story(selection)

    @examples(100)
    @given(
        data=st.data(),
        timezone=st.sampled_from(["UTC", *CLOCK_CHANGES]),
        page=st.one_of(st.none(), st.integers(1, 9)),
        page_size=st.integers(1, 12),
    )
    def test_stories_agree_with_the_slow_engine(
        self, data: st.DataObject, timezone: str, page: int | None, page_size: int
    ) -> None:
        near = (
            rows_around_changes(timezone)
            if timezone in CLOCK_CHANGES
            else st.one_of(rows_lists, near_rows)
        )
        engine, slow = self.make_both(data.draw(near), timezone)
        selection = data.draw(selections(engine))
        self.assert_story(
            engine.story(selection, page=page, page_size=page_size),
            slow.story(selection, page=page, page_size=page_size),
        )

    def test_what_comes_next_and_before(self) -> None:
        engine = self.make(table(VISITS))
        paths = engine.paths(Selection("a"), "cart", ("pay",), ("home",))
        assert (paths.page, paths.ahead, paths.back) == ("cart", ("pay",), ("home",))
        assert paths.user is not None
        # a's carts: paid at once; then after a pause that is too long for one visit,
        # left; then help, half an hour after the end of a cart of 5 min.
        first, second = (step_of(engine, step) for step in paths.user.ahead)
        assert first == ({"help": (1, 7), "pay": (1, None)}, 1)
        assert second == ({"home": (1, 20)}, 0)
        # Before: home, nothing, home; and before these homes nothing, and pay.
        first, second = (step_of(engine, step) for step in paths.user.back)
        assert first == ({"home": (2, 30)}, 1)
        assert second == ({"pay": (1, None)}, 1)
        ahead, back = paths.everyone.ahead[0], paths.everyone.back[0]
        assert step_of(engine, ahead) == (
            {"cart": (1, 0), "help": (1, 7), "pay": (1, None)},
            3,
        )
        assert step_of(engine, back) == ({"cart": (1, 0), "home": (2, 30)}, 3)
        assert ahead.total == back.total == 6
        assert ahead.sessions.dtype == np.int64

    def test_filters_are_of_the_sessions_in_the_middle(self) -> None:
        engine = self.make(table(VISITS))
        # Only the first cart of a is on this day, and what follows is on the next.
        one = Selection(None, end=date(2024, 3, 1), pages=("help",))
        everyone = engine.paths(one, "home").everyone
        assert step_of(engine, everyone.ahead[0]) == ({"cart": (1, None)}, 0)
        longest = engine.facts.edges.logarithmic[1]
        zeros = Selection(shortest=0, longest=float(longest))
        everyone = engine.paths(zeros, "cart").everyone
        assert step_of(engine, everyone.ahead[0]) == ({"cart": (1, 0)}, 1)
        assert step_of(engine, everyone.back[0]) == ({"cart": (1, 0)}, 1)
        nobody = engine.paths(Selection("b", end=date(2024, 1, 1)), "cart", ("cart",))
        assert nobody.user is not None
        assert [step.total for step in nobody.user.ahead] == [0, 0]
        assert np.isnan(nobody.user.back[0].mean).all()

    def test_paths_of_what_is_not_in_the_data(self, engine: Engine) -> None:
        for asked in (("shop",), ("cart", ("shop",)), ("cart", (), ("", "home"))):
            with pytest.raises(NotInData, match="the page "):
                engine.paths(Selection(), *asked)
        with pytest.raises(NotInData, match="the user 'zoe'"):
            engine.paths(Selection("zoe"), "cart")
        with pytest.raises(NotInData, match="edge at"):
            engine.paths(Selection(shortest=7.5), "cart")
        with pytest.raises(ValueError, match="at most 2 pages"):
            engine.paths(Selection(), "cart", ("cart",) * 3)

    @examples(100)
    @given(data=st.data(), rows=visits_lists)
    def test_paths_agree_with_the_slow_engine(
        self, data: st.DataObject, rows: list[Row]
    ) -> None:
        timezone = data.draw(st.sampled_from(("UTC", "Europe/Berlin")))
        engine, slow = self.make_both(rows, timezone)
        selection = data.draw(selections(engine))
        page = st.sampled_from(engine.facts.pages)
        chain = st.lists(page, max_size=2).map(tuple)
        asked = data.draw(page), data.draw(chain), data.draw(chain)
        actual = engine.paths(selection, *asked)
        expected = slow.paths(selection, *asked)
        assert actual.selection == selection
        assert_path_counts(actual.everyone, expected.everyone)
        assert (actual.user is None) == (expected.user is None)
        if actual.user is not None and expected.user is not None:
            assert_path_counts(actual.user, expected.user)


def _in_utc(session: Session, timezone: str) -> Session:
    """Return a session whose time, the first where clocks show it twice, is in UTC."""
    there: datetime = session.time.replace(tzinfo=ZoneInfo(timezone))
    seconds = None if session.duration is None else float(session.duration)
    return session._replace(
        duration=seconds, time=there.astimezone(UTC).replace(tzinfo=None)
    )
