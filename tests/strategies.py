"""Hypothesis strategies: sessions and selections."""

from datetime import date, datetime, timedelta

from hypothesis import strategies as st

from engine.model import Engine, Selection
from tests.sessions import Row

MOMENTS = (
    "2023-12-31T23:59:59",
    "2024-01-01T00:00:00",
    "2024-02-28T23:59:59",
    "2024-02-29T00:00:00",
    "2024-02-29T23:59:59",
    "2024-03-01T00:00:00",
    "2024-12-31T00:00:00",
)
"""Starts around the ends of days, months and years."""

DAYS = tuple(date.fromisoformat(moment[:10]) for moment in MOMENTS)
"""The days of ``MOMENTS``."""

CLOCK_CHANGES = {
    "Europe/Berlin": (
        *("1893-03-31T23:06:32", "2024-03-31T01:00:00", "2024-10-27T01:00:00"),
        "2099-10-25T01:00:00",
    ),
    "America/New_York": ("2024-03-10T07:00:00", "2024-11-03T06:00:00"),
    "Asia/Kolkata": ("1945-10-14T17:30:00",),
    # By half an hour.
    "Australia/Lord_Howe": ("2024-04-06T15:00:00", "2024-10-05T15:30:00"),
    # From one side of the date line to the other.
    "Pacific/Apia": ("2011-12-30T10:00:00",),
}
"""When clocks of some time zones were changed, in UTC."""

whole_durations = st.one_of(st.none(), st.just(0.0), st.integers(0, 130).map(float))
"""Durations in whole seconds, whose sums are exact in any order."""

dyadic_durations = st.one_of(
    whole_durations, st.integers(0, 10**6 << 20).map(lambda n: n / (1 << 20))
)
"""Durations up to 1e6 s in fractions of a power of two: their sums are exact, too.

An engine may round others to what a sum of all of them leaves room for.
"""

durations = st.one_of(whole_durations, st.floats(0, 1e6, allow_subnormal=False))
"""Durations, known and unknown."""


def _lists_of_rows(
    seconds: st.SearchStrategy[float | None],
) -> st.SearchStrategy[list[Row]]:
    return st.lists(
        st.tuples(
            st.sampled_from(("a", "b", "c")),
            st.sampled_from(("x", "y", "z")),
            seconds,
            st.sampled_from(MOMENTS),
        ),
        min_size=1,
        max_size=40,
    )


rows_lists = _lists_of_rows(durations)
"""Up to 40 sessions of three users on three pages."""

whole_rows_lists = _lists_of_rows(whole_durations)
"""The same with durations in whole seconds."""

dyadic_rows_lists = _lists_of_rows(dyadic_durations)
"""The same with durations whose sums are exact."""

near_rows = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from("xyz"),
        st.one_of(whole_durations, st.integers(0, 90_000).map(float)),
        st.one_of(
            st.integers(0, 40).map(lambda n: 300 * n),
            st.integers(0, 12_000),
            st.sampled_from((1_800, 1_801, 86_400, 88_200.5)),
        ).map(lambda n: (datetime(2024, 2, 28, 23) + timedelta(0, n)).isoformat()),
    ),
    min_size=1,
    max_size=30,
)
"""Up to 30 sessions near each other, some of which overlap or begin together."""

rows_of_many_users = st.lists(
    st.tuples(
        st.integers(0, 12).map("u{:02}".format),
        st.sampled_from("xy"),
        st.one_of(st.integers(0, 3).map(float), dyadic_durations),
        st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(
            lambda time: time.replace(microsecond=0).isoformat()
        ),
    ),
    min_size=1,
    max_size=30,
)
"""Up to 30 sessions of up to 13 users on as many days."""

visits_lists = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(("x", "y", "é")),
        st.sampled_from((None, 0.0, 1.0, 1.5, 600.0, 1_800.0, 5_000.0)),
        st.tuples(
            # Around midnight, the end of summer time in Berlin, and days apart.
            st.sampled_from(("2024-03-01T00:00:00", "2024-10-27T01:00:00")),
            st.sampled_from(
                (-86_400, -3_600, -1_800, -1, 0, 1, 600, 1_799, 1_800, 1_801, 3_600)
            ),
            st.sampled_from(("", ".25", ".5")),
        ).map(lambda parts: _moved(*parts)),
    ),
    min_size=1,
    max_size=30,
)
"""Up to 30 sessions of two users, many of them within half an hour of each other."""


def _moved(moment: str, seconds: int, fraction: str) -> str:
    moved = datetime.fromisoformat(moment) + timedelta(seconds=seconds)
    return f"{moved.isoformat()}{fraction}"


_seconds_from_change = st.one_of(
    st.sampled_from((-3601, -3600, -1801, -1800, -1, 0, 1, 1799, 1800, 3599, 3600)),
    st.integers(-2 * 86_400, 2 * 86_400),
)


def times_around_changes(timezone: str) -> st.SearchStrategy[datetime]:
    """Return times in UTC, whole seconds, many of them near a change of clocks."""
    near = st.builds(
        lambda change, seconds: (
            datetime.fromisoformat(change) + timedelta(seconds=seconds)
        ),
        st.sampled_from(CLOCK_CHANGES[timezone]),
        _seconds_from_change,
    )
    anywhere = st.datetimes(datetime(1890, 1, 1), datetime(2110, 1, 1))
    return st.one_of(near, anywhere).map(lambda time: time.replace(microsecond=0))


def rows_around_changes(timezone: str) -> st.SearchStrategy[list[Row]]:
    """Return lists of sessions, many of which begin near a change of clocks."""
    times = times_around_changes(timezone).map(datetime.isoformat)
    row = st.tuples(
        st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 9), times
    )
    return st.lists(row, min_size=1, max_size=8)


@st.composite
def selections(draw: st.DrawFn, engine: Engine) -> Selection:
    """Return selections of what is in the data of an engine."""
    facts = engine.facts
    days = st.one_of(
        st.none(), st.sampled_from(DAYS), st.sampled_from(facts.days.tolist())
    )
    edges = [*facts.edges.linear.tolist(), *facts.edges.logarithmic.tolist()]
    seconds = st.one_of(st.none(), st.sampled_from(edges))
    users = engine.find_users("", facts.n_users)
    pages = st.lists(st.sampled_from(facts.pages), unique=True)
    return Selection(
        user=draw(st.one_of(st.none(), st.sampled_from(users))),
        start=draw(days),
        end=draw(days),
        pages=tuple(draw(pages)),
        shortest=draw(seconds),
        longest=draw(seconds),
    )
