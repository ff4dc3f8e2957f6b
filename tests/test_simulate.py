import numpy as np
import pandas as pd
import pytest

from simulate import (
    BLOCK,
    HOURS,
    LAUNCH,
    OUTAGE,
    PAGES,
    START,
    WEEKDAYS,
    habits,
    hour_weights,
    simulate_sessions,
    stream_sessions,
)

N = 200_000
SHIFTS = (-4, -2, 0, 2, 4)
OTHERS = ("user_2", "user_5", "user_8", "user_12")
"""Those who are unlike the users of the model."""


@pytest.fixture(scope="module")
def sessions() -> pd.DataFrame:
    return simulate_sessions(N)


@pytest.fixture(scope="module")
def usual(sessions: pd.DataFrame) -> pd.DataFrame:
    return sessions[~sessions["user_id"].isin(OTHERS)]


def of(sessions: pd.DataFrame, user: str) -> pd.DataFrame:
    return sessions[sessions["user_id"] == user]


def test_has_the_columns_of_a_session_table(sessions: pd.DataFrame) -> None:
    assert list(sessions) == ["user_id", "page", "duration", "timestamp"]
    assert len(sessions) == N
    assert sessions["user_id"].dtype == "category"
    assert sessions["page"].dtype == "category"
    assert sessions["duration"].dtype == np.float64
    assert sessions["timestamp"].dtype == "datetime64[s]"
    users = [f"user_{number}" for number in range(1, 51)]
    assert list(sessions["user_id"].cat.categories) == users
    assert {"home", "products", "checkout"} <= set(sessions["page"].cat.categories)
    assert len(simulate_sessions()) == 100_000


def test_the_same_seed_gives_the_same_table_bit_for_bit() -> None:
    first, again = simulate_sessions(5_000, 7, 1), simulate_sessions(5_000, 7, 1)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    other = simulate_sessions(5_000, 7, 2)
    assert (first["duration"] != other["duration"]).all()


def test_a_stream_has_the_rows_of_the_table() -> None:
    n = 2 * BLOCK + 5
    frames = list(stream_sessions(n, 7, 1))
    assert [len(frame) for frame in frames] == [BLOCK, BLOCK, 5]
    whole = simulate_sessions(n, 7, 1)
    together = pd.concat(frames, ignore_index=True)
    pd.testing.assert_frame_equal(together, whole, check_exact=True)
    assert whole["user_id"].dtype == frames[0]["user_id"].dtype
    # What begins each block is not what began the one before.
    assert whole["duration"][0] != whole["duration"][BLOCK]


def test_timestamps_fill_the_year(sessions: pd.DataFrame) -> None:
    assert sessions["timestamp"].min() >= pd.Timestamp("2024-01-01")
    assert sessions["timestamp"].max() < pd.Timestamp("2025-01-01")
    assert sessions["timestamp"].dt.date.nunique() == 366
    second = sessions["timestamp"].dt.minute * 60 + sessions["timestamp"].dt.second
    assert set(second) == set(range(3600))


def test_durations_are_exponential(sessions: pd.DataFrame) -> None:
    user = sessions["user_id"].cat.codes.to_numpy()
    page = sessions["page"].cat.codes.to_numpy()
    means = np.array([mean for _, mean in PAGES.values()])
    relative = sessions["duration"] / (habits(50, 2024).pace[user, page] * means[page])
    # Five standard errors of each moment of Exp(1).
    assert relative.mean() == pytest.approx(1, abs=5 / N**0.5)
    assert relative.var() == pytest.approx(1, abs=5 * (8 / N) ** 0.5)
    assert relative.median() == pytest.approx(np.log(2), abs=5 / N**0.5)
    assert relative.min() >= 0


def test_pages_have_their_shares(usual: pd.DataFrame) -> None:
    usual = usual[usual["timestamp"] >= LAUNCH]
    share = usual["page"].value_counts(normalize=True)
    for page, (percent, _) in PAGES.items():
        p = percent / 100
        assert share[page] == pytest.approx(
            p, abs=5 * (p * (1 - p) / len(usual)) ** 0.5
        )
    assert sum(percent for percent, _ in PAGES.values()) == 100


def test_users_differ_in_activity_and_pace(sessions: pd.DataFrame) -> None:
    share = sessions["user_id"].value_counts(normalize=True, sort=False).to_numpy()
    edges = (np.arange(51) / 50) ** (2 / 3)
    np.testing.assert_allclose(share, np.diff(edges), atol=5 * (0.08 / N) ** 0.5)
    pace = habits(50, 2024).pace
    assert pace.shape == (50, len(PAGES))
    assert pace[:, 0].max() > 2 * np.delete(pace[:, 0], 1).min()
    # A log-normal factor with its mean at 1: check it on many users.
    assert habits(1_000, 1).pace.mean() == pytest.approx(1, abs=0.05)


def test_the_week_and_the_day_have_a_rhythm(usual: pd.DataFrame) -> None:
    shift = np.array(SHIFTS)[habits(50, 2024).year[usual["user_id"].cat.codes]]
    hour = (usual["timestamp"].to_numpy() - START) // np.timedelta64(1, "h") - shift
    # Whole weeks, from a Monday on, when as many come in each.
    hour = hour[(hour >= 30 * 7 * 24) & (hour < 52 * 7 * 24)]
    by_day = np.bincount(hour // 24 % 7) / len(hour)
    by_hour = np.bincount(hour % 24) / len(hour)
    assert by_day == pytest.approx(np.divide(WEEKDAYS, sum(WEEKDAYS)), abs=0.005)
    assert by_hour == pytest.approx(np.divide(HOURS, sum(HOURS)), abs=0.004)
    assert set(shift) == set(SHIFTS)


def test_deals_open_on_4_march(usual: pd.DataFrame) -> None:
    before = usual[usual["timestamp"] < "2024-03-04"]["page"]
    since = usual[usual["timestamp"] >= "2024-03-04"]
    assert (before == "deals").sum() == 0
    assert since[since["page"] == "deals"]["timestamp"].min() < pd.Timestamp(
        "2024-03-05"
    )
    share = before.value_counts(normalize=True)
    assert share["products"] == pytest.approx(0.29, abs=0.015)
    assert share["home"] == pytest.approx(0.22, abs=0.015)
    assert list(usual["page"].cat.categories) == list(PAGES)


def test_the_launch_brings_sessions_some_of_which_stay(usual: pd.DataFrame) -> None:
    week = (usual["timestamp"].to_numpy() - START) // np.timedelta64(7, "D")
    weeks = np.bincount(week)[:52]
    weeks = weeks / weeks[:9].mean()
    assert weeks[:9] == pytest.approx(1, abs=0.08)
    # Weeks of 1.2 + 0.8 times the mean of 2 ** -x, x from 0 to 1 and so on.
    mean = 0.5 / np.log(2)
    rise = [1.2 + 0.8 * mean * 2.0**-k for k in range(4)]
    assert weeks[9:13] == pytest.approx(rise, abs=0.08)
    assert weeks[30:] == pytest.approx(1.2, abs=0.08)
    assert weeks[30:].mean() == pytest.approx(1.2, abs=0.02)


@pytest.mark.parametrize("n_users", [1, 50, 5_000])
def test_no_session_begins_in_the_outage(n_users: int) -> None:
    start, end = pd.Timestamp("2024-07-17 06:00"), pd.Timestamp("2024-07-18 18:00")
    times = simulate_sessions(N, n_users)["timestamp"]
    assert not ((times >= start) & (times < end)).any()
    assert times[times < start].max() >= start - pd.Timedelta("1h")
    assert times[times >= end].min() < end + pd.Timedelta("1h")
    for weights in hour_weights():
        assert weights.shape == (366 * 24,)
        first, last = ((time - START) // np.timedelta64(1, "h") for time in OUTAGE)
        assert not weights[first:last].any()


def test_user_2_is_a_bot(sessions: pd.DataFrame) -> None:
    bot = of(sessions, "user_2")
    users = sessions.groupby("user_id", observed=False)["duration"]
    assert list(users.size().nlargest(2).index) == ["user_1", "user_2"]
    assert users.sum().idxmin() == "user_2"
    assert bot["duration"].mean() == pytest.approx(1.5, abs=0.1)
    by_page = bot.groupby("page", observed=True)["duration"].mean()
    assert list(by_page) == pytest.approx([1.5] * 10, abs=0.3)
    for of_time, n in (("hour", 24), ("day_of_week", 7)):
        counts = np.bincount(getattr(bot["timestamp"].dt, of_time), minlength=n)
        # Of the hours, and of Wednesdays and Thursdays, the outage takes some.
        assert counts == pytest.approx(len(bot) / n, abs=5 * (len(bot) / n) ** 0.5)
    assert bot["timestamp"].dt.date.nunique() == 366
    since = bot[bot["timestamp"] >= LAUNCH]
    pages = since["page"].value_counts()
    p = len(since) / 10
    assert list(pages) == pytest.approx([p] * 10, abs=5 * p**0.5)
    # Neither the launch nor the week moves it.
    weeks = np.bincount((bot["timestamp"].to_numpy() - START) // np.timedelta64(7, "D"))
    assert weeks[9:13].mean() == pytest.approx(weeks[:9].mean(), rel=0.15)


def test_user_5_leaves_and_user_12_joins(sessions: pd.DataFrame) -> None:
    times = sessions.groupby("user_id", observed=True)["timestamp"]
    first, last = times.min().dt.date, times.max().dt.date
    assert str(first["user_5"]) < "2024-01-03"
    assert str(last["user_5"]) == "2024-05-31"
    assert str(first["user_12"]) == "2024-09-01"
    assert str(last["user_12"]) > "2024-12-29"
    assert [user for user in first.index if str(first[user]) > "2024-01-10"] == [
        "user_12"
    ]
    assert [user for user in last.index if str(last[user]) < "2024-12-20"] == ["user_5"]


def test_user_8_is_a_night_owl(sessions: pd.DataFrame) -> None:
    hour = sessions["timestamp"].dt.hour
    by_hour = pd.crosstab(sessions["user_id"], hour)
    assert set(hour[sessions["user_id"] == "user_8"]) == {22, 23, 0, 1, 2, 3, 4}
    assert list(by_hour.index[by_hour[12] == 0]) == ["user_8"]
    assert by_hour.loc["user_8"].idxmax() in (0, 1)


def test_those_of_the_story_are_single_users() -> None:
    # Habits repeat after 1,000 users; those of user_2 and of the others don't.
    sessions = simulate_sessions(400_000, 2_100)
    times = sessions.groupby("user_id", observed=True)["timestamp"]
    noon = sessions["timestamp"].dt.hour.between(11, 13)
    at_noon = sessions[noon]["user_id"].value_counts()
    typical = sessions.groupby("user_id", observed=True)["duration"].median()
    assert [user for user in typical.index if typical[user] < 5] == ["user_2"]
    assert [user for user in at_noon.index if at_noon[user] == 0] == ["user_8"]
    last, first = times.max(), times.min()
    assert [user for user in last.index if last[user] < pd.Timestamp("2024-06-01")] == [
        "user_5"
    ]
    assert [
        user for user in first.index if first[user] >= pd.Timestamp("2024-09-01")
    ] == ["user_12"]


@pytest.mark.parametrize("n_users", [1, 2, 4, 5, 8, 11, 12, 1_000, 1_001])
def test_any_number_of_users_and_sessions(n_users: int) -> None:
    for n_sessions in (1, 1_000):
        sessions = simulate_sessions(n_sessions, n_users)
        assert len(sessions) == n_sessions
        assert sessions["user_id"].notna().all()
        assert sessions["page"].notna().all()


def test_more_users_than_habits_and_than_sessions() -> None:
    sessions = simulate_sessions(1_000, 5_000)
    assert len(sessions["user_id"].cat.categories) == 5_000
    assert sessions["user_id"].notna().all()
    assert len(simulate_sessions(1, 1)) == 1


@pytest.mark.parametrize("arguments", [(0, 50, 1), (10, 0, 1), (10, 5, -1)])
def test_refuses_what_it_cannot_simulate(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"at least one|whole number"):
        simulate_sessions(*arguments)
