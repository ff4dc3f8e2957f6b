import time
from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import timezone
from engine.timezone import FIRST_TIME, LAST_TIME, time_zone, to_instants, to_local
from tests.strategies import CLOCK_CHANGES, times_around_changes

UNKNOWN_ZONES = (
    *("Europe/Atlantis", "../x", "/etc/passwd", "", ".", "Europe", "Europe/", " "),
    *("x" * 5_000, "a\0b", "\udcff", "tzdata.zi", "Europe/Berlin\nx"),
)


@pytest.mark.parametrize("name", UNKNOWN_ZONES)
def test_refuses_an_unknown_time_zone(name: str) -> None:
    with pytest.raises(ValueError, match=r"^there is no time zone .*\Z"):
        time_zone(name)


def test_utc_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_database(name: str) -> ZoneInfo:
        raise OSError(name)

    monkeypatch.setattr(timezone, "ZoneInfo", no_database)
    zone = time_zone("UTC")
    times = np.array(["2024-01-01T12:00:00"], "datetime64[s]")
    assert to_local(times, zone).tolist() == times.tolist()
    assert str(to_instants(times, zone)[0]) == "2024-01-01 12:00:00+00:00"
    with pytest.raises(ValueError, match="there is no time zone 'Europe/Berlin'"):
        time_zone("Europe/Berlin")


@pytest.mark.parametrize("name", ["UTC", *CLOCK_CHANGES])
@settings(deadline=None)
@given(data=st.data())
def test_agrees_with_zoneinfo(name: str, data: st.DataObject) -> None:
    near = times_around_changes(name if name in CLOCK_CHANGES else "Europe/Berlin")
    times = data.draw(st.lists(near, min_size=1, max_size=9))
    zone = time_zone(name)
    local = to_local(np.array(times, "datetime64[s]"), zone)
    clocks = [time.replace(tzinfo=UTC).astimezone(ZoneInfo(name)) for time in times]
    shown = [clock.replace(tzinfo=None, fold=0) for clock in clocks]
    assert local.dtype == "datetime64[s]"
    assert local.tolist() == shown

    instants = to_instants(local, zone)
    assert str(instants.dtype) == f"datetime64[s, {name}]"
    first = [clock.replace(fold=0).astimezone(UTC) for clock in clocks]
    assert instants.tz_convert(UTC).tolist() == first


@pytest.mark.parametrize(
    ("name", "change"),
    [(name, change) for name, changes in CLOCK_CHANGES.items() for change in changes],
)
def test_many_times_agree_with_zoneinfo(name: str, change: str) -> None:
    around = np.arange(-86_400, 86_400, 59).astype("timedelta64[s]")
    utc = np.datetime64(change, "s") + np.sort(np.append(around, [-1, 0, 1]))
    clocks = [
        time.replace(tzinfo=UTC).astimezone(ZoneInfo(name)) for time in utc.tolist()
    ]
    shown = [clock.replace(tzinfo=None, fold=0) for clock in clocks]
    assert to_local(utc, time_zone(name)).tolist() == shown


def test_many_times_stop_where_years_end() -> None:
    seconds = np.arange(0, 90_000, 60).astype("timedelta64[s]")
    for name, hours in {"Etc/GMT+5": -5, "Etc/GMT-5": 5}.items():
        for utc in (FIRST_TIME + seconds, LAST_TIME - seconds):
            shifted = utc + np.timedelta64(hours, "h")
            shown = np.clip(shifted, FIRST_TIME, LAST_TIME)
            assert to_local(utc, time_zone(name)).tolist() == shown.tolist()


ENDS = {
    # UTC, and what is shown: 5 hours behind, 5 ahead, by the mean time of Berlin.
    "Etc/GMT+5": [
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00"),
        ("0001-01-01T04:59:59", "0001-01-01T00:00:00"),
        ("0001-01-01T05:00:01", "0001-01-01T00:00:01"),
        ("9999-12-31T23:59:59", "9999-12-31T18:59:59"),
    ],
    "Etc/GMT-5": [
        ("0001-01-01T00:00:00", "0001-01-01T05:00:00"),
        ("9999-12-31T18:59:58", "9999-12-31T23:59:58"),
        ("9999-12-31T19:00:00", "9999-12-31T23:59:59"),
        ("9999-12-31T23:59:59", "9999-12-31T23:59:59"),
    ],
    "Europe/Berlin": [
        ("0001-01-01T00:00:00", "0001-01-01T00:53:28"),
        ("2024-07-01T00:00:00", "2024-07-01T02:00:00"),
        ("9999-12-31T23:59:59", "9999-12-31T23:59:59"),
    ],
}


@pytest.mark.parametrize("name", ENDS)
def test_clocks_stop_where_years_end(name: str) -> None:
    utc, shown = np.array(ENDS[name], "datetime64[s]").T
    assert to_local(utc, time_zone(name)).tolist() == shown.tolist()


@pytest.mark.parametrize("name", ["UTC", *ENDS])
def test_ends_of_years_become_instants(name: str) -> None:
    local = np.array([FIRST_TIME, LAST_TIME])
    instants = to_instants(local, time_zone(name))
    assert instants.tz_localize(None).to_numpy().tolist() == local.tolist()


def test_a_span_of_all_years_costs_no_more_than_its_times() -> None:
    utc = np.array(["0001-01-01", "2024-07-01", "9999-12-31"], "datetime64[s]")
    zone = time_zone("Europe/Berlin")
    start = time.perf_counter()
    for _ in range(100):
        to_instants(to_local(utc, zone), zone)
    # A hundred take 0.1 s; looking at each of the years takes seconds for one.
    assert time.perf_counter() - start < 3
