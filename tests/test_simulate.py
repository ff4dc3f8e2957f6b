import numpy as np
import pandas as pd
import pytest

from simulate import (
    BLOCK,
    HOURS,
    PAGES,
    START,
    WEEKDAYS,
    habits,
    simulate_sessions,
    stream_sessions,
)

N = 200_000


@pytest.fixture(scope="module")
def sessions() -> pd.DataFrame:
    return simulate_sessions(N)


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
    pd.testing.assert_frame_equal(pd.concat(frames, ignore_index=True), whole)
    assert whole["user_id"].dtype == frames[0]["user_id"].dtype
    # What begins each block is not what began the one before.
    assert whole["duration"][0] != whole["duration"][BLOCK]


def test_timestamps_fill_the_year(sessions: pd.DataFrame) -> None:
    assert sessions["timestamp"].min() >= pd.Timestamp("2024-01-01")
    assert sessions["timestamp"].max() < pd.Timestamp("2025-01-01")
    assert sessions["timestamp"].dt.date.nunique() == 366


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


def test_pages_have_their_shares(sessions: pd.DataFrame) -> None:
    share = sessions["page"].value_counts(normalize=True)
    for page, (percent, _) in PAGES.items():
        p = percent / 100
        assert share[page] == pytest.approx(p, abs=5 * (p * (1 - p) / N) ** 0.5)
    assert sum(percent for percent, _ in PAGES.values()) == 100


def test_users_differ_in_activity_and_pace(sessions: pd.DataFrame) -> None:
    share = sessions["user_id"].value_counts(normalize=True, sort=False).to_numpy()
    edges = (np.arange(51) / 50) ** (2 / 3)
    np.testing.assert_allclose(share, np.diff(edges), atol=5 * (0.08 / N) ** 0.5)
    pace = habits(50, 2024).pace
    assert pace.shape == (50, len(PAGES))
    assert pace.max() > 2 * pace.min()
    # A log-normal factor with its mean at 1: check it on many users.
    assert habits(1_000, 1).pace.mean() == pytest.approx(1, abs=0.05)


def test_the_week_and_the_day_have_a_rhythm(sessions: pd.DataFrame) -> None:
    shift = habits(50, 2024).shift[sessions["user_id"].cat.codes]
    hour = (sessions["timestamp"].to_numpy() - START) // np.timedelta64(1, "h") - shift
    hour = hour[(hour >= 0) & (hour < 52 * 7 * 24)]  # Whole weeks, from a Monday on.
    by_day = np.bincount(hour // 24 % 7) / len(hour)
    by_hour = np.bincount(hour % 24) / len(hour)
    assert by_day == pytest.approx(np.divide(WEEKDAYS, sum(WEEKDAYS)), abs=0.005)
    assert by_hour == pytest.approx(np.divide(HOURS, sum(HOURS)), abs=0.003)


def test_more_users_than_habits_and_than_sessions() -> None:
    sessions = simulate_sessions(1_000, 5_000)
    assert len(sessions["user_id"].cat.categories) == 5_000
    assert sessions["user_id"].notna().all()
    assert len(simulate_sessions(1, 1)) == 1


@pytest.mark.parametrize("arguments", [(0, 50, 1), (10, 0, 1), (10, 5, -1)])
def test_refuses_what_it_cannot_simulate(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"at least one|whole number"):
        simulate_sessions(*arguments)
