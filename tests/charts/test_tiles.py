from collections.abc import Sequence
from typing import Any

import pytest

from charts.tiles import TILES, Tile, ranks, tiles
from tests.building import MARCH, engine_of, view_of
from tests.sessions import ROWS, Row
from view import View


def tiled(rows: Sequence[Row], view: View) -> dict[str, Tile]:
    return tiles(engine_of(rows).summarise(view.selection), view)


def ranked(rows: Sequence[Row], view: View) -> dict[str, str]:
    return ranks(engine_of(rows), view)


def test_tiles_of_a_user() -> None:
    assert tiled(ROWS, view_of("ann")) == {
        "sessions": Tile("Sessions", "6", "50 % of everyone's 12"),
        "total": Tile("Total time", "2 min 30 s", "48 % of everyone's 5 min 15 s"),
        "typical": Tile("Average session", "30 s", "0.9 × everyone's 35 s"),
        "active": Tile("Active days", "4", "of 366 days"),
        "last": Tile("Last seen", "31 Dec 2024, 23:59", "everyone: 31 Dec 2024, 23:59"),
    }
    assert tiled(ROWS, view_of("bob", statistic="p90"))["typical"] == Tile(
        "P90 session", "54 s", "0.8 × everyone's 1 min 8 s, may be chance"
    )
    assert tiled(ROWS, view_of("ann", statistic="median"))["typical"] == Tile(
        "Median session", "30 s", "about the same as everyone's 30 s"
    )


def test_tiles_of_everyone() -> None:
    assert tiled(ROWS, view_of(pages=("cart",), statistic="median")) == {
        "sessions": Tile("Sessions", "4", "33 % of all"),
        "total": Tile("Total time", "1 min 45 s", "of 3 sessions"),
        "typical": Tile("Median session", "5 s", "of 3 sessions, may be chance"),
        "active": Tile("Active days", "4", "of 366 days"),
        "last": Tile("Last seen", "31 Dec 2024, 23:59", ""),
    }
    march = tiled(ROWS, view_of(**MARCH))
    assert march["active"] == Tile("Active days", "2", "of 31 days")
    one: list[Row] = [("u", "p", 0, "2024-01-01")]
    assert tiled(one, View()) == {
        "sessions": Tile("Sessions", "1", "100 % of all"),
        "total": Tile("Total time", "0 s", "of 1 session"),
        "typical": Tile("Average session", "0 s", "of 1 session, may be chance"),
        "active": Tile("Active days", "1", "of 1 day"),
        "last": Tile("Last seen", "1 Jan 2024, 00:00", ""),
    }


@pytest.mark.parametrize(("n", "chance"), [(4, ", may be chance"), (5, "")])
def test_fewer_than_five_sessions_may_be_chance(n: int, chance: str) -> None:
    rows: list[Row] = [("u", "p", 1, "2024-01-01")] * n
    assert tiled(rows, View())["typical"].beside == f"of {n} sessions{chance}"


def test_tiles_of_a_user_of_whom_nothing_is_known() -> None:
    assert tiled(ROWS, view_of("bob", **MARCH)) == {
        "sessions": Tile("Sessions", "0", "0 % of everyone's 4"),
        "total": Tile("Total time", "unknown", "everyone: 1 min 35 s"),
        "typical": Tile("Average session", "unknown", "everyone: 32 s"),
        "active": Tile("Active days", "0", "of 31 days"),
        "last": Tile("Last seen", "never", "everyone: 2 Mar 2024, 10:01"),
    }
    found = tiled(ROWS, view_of("bob", pages=("help",)))
    assert found["sessions"].beside == "100 % of everyone's 1"
    assert found["total"][1:] == ("unknown", "everyone: unknown")
    assert found["typical"][1:] == ("unknown", "everyone: unknown")


def test_there_is_no_ratio_to_nothing() -> None:
    rows: list[Row] = [
        *[("a", "p", 10, "2024-01-01")] * 5,
        *[("b", "p", 0, "2024-01-01")] * 9,
    ]
    found = tiled(rows, view_of("a", statistic="median"))
    assert found["typical"].beside == "everyone: 0 s"
    assert tiled(rows[5:], view_of("b"))["total"].beside == "everyone: 0 s"


def test_ranks() -> None:
    assert ranked(ROWS, view_of("cy")) == {
        "sessions": "2nd of 3",
        "total": "2nd of 3",
        "typical": "1st of 3",
        "active": "2nd of 3",
        "last": "2nd of 3",
    }
    assert ranked(ROWS, view_of("bob"))["total"] == "3rd of 3"
    # Equal ones share the better place: 3 sessions each; an average of 30 s each.
    assert ranked(ROWS, view_of("bob"))["sessions"] == "2nd of 3"
    assert ranked(ROWS, view_of("ann"))["typical"] == "2nd of 3"
    assert ranked(ROWS, view_of()) == dict.fromkeys(TILES, "")


def test_each_tile_has_its_own_rank() -> None:
    day = "2024-01-0{}T{}".format
    rows: list[Row] = [
        # a: most sessions; b: most time; c: longest; d: most days; e: the last.
        *[("a", "p", 1, day(1, f"0{n}:00")) for n in range(9)],
        *[("b", "p", 50, day(1, f"0{n}:00")) for n in range(6)],
        *[("c", "p", 90, day(1, "00:00"))] * 2,
        *[("d", "p", 2, day(n, "00:00")) for n in (1, 2, 3, 4)],
        *[("e", "p", 3, day(9, "09:00"))],
    ]
    first = {
        user: [
            tile for tile, rank in ranked(rows, view_of(user)).items() if rank[0] == "1"
        ]
        for user in "abcde"
    }
    assert first == {
        "a": ["sessions"],
        "b": ["total"],
        "c": ["typical"],
        "d": ["active"],
        "e": ["last"],
    }


@pytest.mark.parametrize(
    ("statistic", "ann", "bob"),
    [
        *(("average", "2nd of 3", "2nd of 3"), ("median", "2nd of 3", "2nd of 3")),
        ("p90", "3rd of 3", "2nd of 3"),
    ],
)
def test_the_rank_of_the_typical_is_that_of_the_statistic(
    statistic: Any, ann: str, bob: str
) -> None:
    assert ranked(ROWS, view_of("ann", statistic=statistic))["typical"] == ann
    assert ranked(ROWS, view_of("bob", statistic=statistic))["typical"] == bob


def test_a_user_without_sessions_has_no_rank() -> None:
    assert set(ranked(ROWS, view_of("bob", **MARCH)).values()) == {"no rank"}
    assert ranked(ROWS, view_of("cy", **MARCH)) == {
        "sessions": "1st of 2",
        "total": "2nd of 2",
        "typical": "2nd of 2",
        "active": "1st of 2",
        "last": "1st of 2",
    }
    help_ = ranked(ROWS, view_of("bob", pages=("help",)))
    assert help_["sessions"] == "1st of 1"
    assert help_["total"] == help_["typical"] == "no rank"


def test_places_among_many_have_commas() -> None:
    rows: list[Row] = [(f"u{n:04}", "p", n, "2024-01-01") for n in range(1_100)]
    assert ranked(rows, view_of("u0000"))["total"] == "1,100th of 1,100"
