from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import callbacks
import findings
import ids
import tables
from activity import Activity, Selection
from findings import Tile
from view import View

from .conftest import ROWS, Row, table
from .test_activity import arranged, rows_lists
from .test_tables import at
from .test_view import views_of_a_page

MARCH: dict[str, Any] = {"start": date(2024, 3, 1), "end": date(2024, 4, 1)}
WEEK = "from 26 February to 3 March 2024"
HATCHED = "Hatched: a week that the data has only a part of."


def said(rows: Sequence[Row], view: View) -> dict[str, str]:
    """The sentences of the page, by what they are about."""
    activity = Activity(table(rows))
    text = {
        **callbacks.redraw(activity, view).words["text"],
        **callbacks.list_users(activity, view)["text"],
    }
    about = (*ids.CHARTS, ids.USERS)
    return {name: text[ids.finding(name)] for name in about}


def of(user: str | None = None, **filters: Any) -> View:
    return View(Selection(user, **filters))


def beside(rows: Sequence[Row], view: View) -> dict[str, Tile]:
    return findings.tiles(Activity(table(rows)).summarise(view.selection), view)


def test_everyone() -> None:
    assert said(ROWS, of()) == {
        ids.TOTAL_TIME: (
            "Everyone together spent 5 min 15 s, the largest part on home: 67 %."
        ),
        ids.USER_AVERAGE: "Pick a user to see them beside everyone.",
        ids.DURATIONS: (
            "Everyone's sessions last 35 s on average. "
            "3 sessions of unknown duration left out."
        ),
        # 11 sessions in the 52 weeks of which the data has all.
        ids.TIMELINE: (
            f"Everyone: 0.21 sessions a week; most, 10 sessions, {WEEK}. {HATCHED}"
        ),
        # 2 at 23:00, 4 at 0:00; 3 at 8:00.
        ids.HOURS: (
            "At least half of everyone's sessions begin between 23:00 and 1:00; "
            "the busiest hour is Thursday, 8:00 to 9:00."
        ),
        ids.USERS: "3 users; a click picks one.",
    }


def test_a_user_beside_everyone() -> None:
    assert said(ROWS, of("ann")) == {
        ids.TOTAL_TIME: (
            "Everyone together spent 5 min 15 s, the largest part on home: 67 %."
        ),
        ids.USER_AVERAGE: "ann spends 0.9 × everyone's average on home (n = 5).",
        ids.DURATIONS: (
            "ann's sessions last 30 s on average (n = 5), 0.9 × everyone's 35 s. "
            "Unknown durations left out: 1 of ann's, 3 of everyone's."
        ),
        # 5 and 11 / 3 in 52 weeks.
        ids.TIMELINE: (
            "ann: 0.096 sessions a week, 1.4 × the average user's; "
            f"most, 5 sessions, {WEEK}. {HATCHED}"
        ),
        ids.HOURS: (
            "At least half of ann's sessions begin between 0:00 and 1:00 (everyone's: "
            "between 23:00 and 1:00); the busiest hour is Friday, 0:00 to 1:00."
        ),
        ids.USERS: "3 users; a click picks one.",
    }


@pytest.mark.parametrize(
    ("statistic", "of_pages", "of_ann", "of_everyone"),
    [
        (
            "average",
            "ann spends 0.9 × everyone's average on home (n = 5).",
            "ann's sessions last 30 s on average (n = 5), 0.9 × everyone's 35 s.",
            "Everyone's sessions last 35 s on average.",
        ),
        (
            "median",
            "ann spends 0.9 × everyone's median on home (n = 5).",
            "ann's median session lasts 30 s (n = 5), 1.0 × everyone's 30 s.",
            "Everyone's median session lasts 30 s.",
        ),
        (
            "p90",
            "ann spends 0.8 × everyone's P90 on home (n = 5).",
            "90 % of ann's sessions last up to 46 s (P90, n = 5), "
            "0.7 × everyone's 1 min 8 s.",
            "90 % of everyone's sessions last up to 1 min 8 s (P90).",
        ),
    ],
)
def test_the_statistic_is_always_named(
    statistic: Any, of_pages: str, of_ann: str, of_everyone: str
) -> None:
    ann = said(ROWS, replace(of("ann"), statistic=statistic))
    assert ann[ids.USER_AVERAGE] == of_pages
    assert ann[ids.DURATIONS].startswith(of_ann)
    everyone = said(ROWS, replace(of(), statistic=statistic))
    assert everyone[ids.DURATIONS].startswith(of_everyone)


def test_a_user_named_everyone_keeps_the_capital() -> None:
    rows = [("Everyone Inc", "p", 1, "2024-01-01")]
    view = View(Selection("Everyone Inc"), "p90")
    words = "90 % of Everyone Inc's sessions last up to 1 s (P90, n = 1, weak evidence)"
    assert said(rows, view)[ids.DURATIONS].startswith(words)


COMPARED: list[Row] = [
    *[("user_7", "checkout", 14, "2024-01-01")] * 5,
    *[("user_7", "home", 6, "2024-01-01")] * 6,
    *[("other", "checkout", 6, "2024-01-01")] * 5,
    *[("other", "home", 14, "2024-01-01")] * 6,
    ("user_7", "help", 1000, "2024-01-01"),
]


def test_the_page_where_a_user_stays_longest_and_the_one_where_shortest() -> None:
    # On help there is only one session, which says little.
    words = said(COMPARED, of("user_7"))[ids.USER_AVERAGE]
    assert words == (
        "user_7 spends 1.4 × everyone's average on checkout (n = 5), "
        "and 0.6 × on home (n = 6). "
        "Faint bars: fewer than 5 known durations, so weak evidence."
    )
    words = said(COMPARED, of("user_7", pages=("home",)))[ids.USER_AVERAGE]
    assert words.startswith("user_7 spends 0.6 × everyone's average on home (n = 6).")


def test_only_the_most_is_said_where_a_user_stays_longer_everywhere() -> None:
    rows: list[Row] = [
        *[("a", page, seconds, "2024-01-01") for page in "pq" for seconds in [9] * 5],
        *[("b", "p", 3, "2024-01-01")] * 5,
        *[("b", "q", 6, "2024-01-01")] * 5,
    ]
    # 9 beside 6 on p, and beside 7.5 on q.
    assert said(rows, of("a"))[ids.USER_AVERAGE] == (
        "a spends 1.5 × everyone's average on p (n = 5)."
    )
    # 3 and 6 beside the same.
    assert said(rows, of("b"))[ids.USER_AVERAGE] == (
        "b spends 0.5 × everyone's average on p (n = 5)."
    )


def test_a_page_says_more_than_the_others_together() -> None:
    named = [f"p{page:02}" for page in range(15)]
    rows: list[Row] = [
        *[("a", page, 10, "2024-01-01") for page in named for _ in range(5)],
        *[("a", page, 1, "2024-01-01") for page in "qr" for _ in range(5)],
        *[("b", page, 90, "2024-01-01") for page in "qr"],
        *[("b", "p00", 16, "2024-01-01")],
    ]
    # 10 beside 11 on p00, and beside 10 on all the others that are named.
    assert said(rows, of("a"))[ids.USER_AVERAGE] == (
        "a spends 0.9 × everyone's average on p00 (n = 5)."
    )


def test_other_pages_speak_where_no_page_alone_can() -> None:
    rows: list[Row] = [
        *[("a", f"p{page:02}", 10, "2024-01-01") for page in range(21)],
        *[("b", f"p{page:02}", 20 + page, "2024-01-01") for page in range(21)],
    ]
    words = said(rows, of("a"))[ids.USER_AVERAGE]
    faint = "Faint bars: fewer than 5 known durations, so weak evidence."
    # Pages 15 to 20, of which everyone spent 10 and 35 to 40 s.
    ratio = "a spends 0.4 × everyone's average on 6 other pages (n = 6)."
    assert words == f"{ratio} {faint}"
    words = said(rows, replace(of("a"), statistic="median"))[ids.USER_AVERAGE]
    assert words == (
        f"{faint} The 6 other pages have no bar: "
        "a median of several pages isn't the sum of theirs."
    )


def test_one_other_page_has_its_own_median() -> None:
    rows: list[Row] = [("a", f"p{page:02}", 1, "2024-01-01") for page in range(16)]
    words = said(rows, View(statistic="median"))[ids.USER_AVERAGE]
    assert words == "Pick a user to see them beside everyone."
    rows.append(("a", "p16", 1, "2024-01-01"))
    words = said(rows, View(statistic="p90"))[ids.USER_AVERAGE]
    assert words.endswith(
        "The 2 other pages have no bar: a P90 of several pages isn't the sum of theirs."
    )


def test_there_is_no_ratio_to_nothing() -> None:
    rows: list[Row] = [
        *[("a", "p", 10, "2024-01-01")] * 5,
        *[("b", "p", 0, "2024-01-01")] * 9,
    ]
    view = replace(of("a"), statistic="median")
    words = said(rows, view)
    assert words[ids.USER_AVERAGE] == (
        "a's median on p is 10 s (n = 5), everyone's 0 s."
    )
    assert words[ids.DURATIONS] == (
        "a's median session lasts 10 s (n = 5), everyone's 0 s."
    )
    assert beside(rows, view)["typical"].beside == "everyone: 0 s"
    assert said(rows[5:], of("b"))[ids.USER_AVERAGE] == (
        "b's average on p is 0 s (n = 9), everyone's 0 s."
    )
    assert said(rows[5:], of())[ids.TOTAL_TIME] == "Everyone together spent 0 s."


def test_sketched_quantiles_say_how_accurate_they_are() -> None:
    activity = arranged("sketched cubes", table(ROWS))
    summary = activity.summarise(Selection("ann"))
    words = findings.user_average(summary, replace(of("ann"), statistic="median"))
    assert words.endswith(" Everyone's median is accurate to 1 %.")
    assert "accurate" not in findings.user_average(summary, of("ann"))


def test_few_sessions_are_weak_evidence() -> None:
    words = said(ROWS, of("bob"))
    assert words[ids.USER_AVERAGE] == (
        "Faint bars: fewer than 5 known durations, so weak evidence."
    )
    assert words[ids.DURATIONS] == (
        "bob's sessions last 30 s on average (n = 2, weak evidence), "
        "0.9 × everyone's 35 s. "
        "Unknown durations left out: 1 of bob's, 3 of everyone's."
    )
    assert words[ids.HOURS] == (
        "At least half of bob's sessions begin between 8:00 and 9:00 (everyone's: "
        "between 23:00 and 1:00); the busiest hour is Thursday, 8:00 to 9:00. "
        "Weak evidence: few sessions."
    )
    words = said(ROWS[6:8], of())
    assert words[ids.DURATIONS] == (
        "Everyone's sessions last 30 s on average (n = 2, weak evidence)."
    )


def test_unknown_durations_are_never_zero() -> None:
    words = said(ROWS, of("bob", pages=("help",)))
    assert words[ids.TOTAL_TIME] == "No time on help is known."
    assert words[ids.DURATIONS] == "No duration is known."
    view = replace(of("bob", pages=("help",)), timeline="time")
    words = said(ROWS, view)
    assert words[ids.TIMELINE] == "bob has no session of known duration."
    view = replace(of("bob", pages=("help",), **MARCH), timeline="time")
    assert said(ROWS, view)[ids.TIMELINE] == "bob has no session of known duration."

    alone = [("a", "p", None, "2024-01-01"), ("b", "p", 1, "2024-01-01")]
    words = said(alone, of("a"))
    assert words[ids.USER_AVERAGE] == "a has no session of known duration."
    assert words[ids.DURATIONS] == (
        "a has no session of known duration. Everyone's sessions last 1 s on average "
        "(n = 1, weak evidence). Unknown durations left out: 1 of a's, 1 of everyone's."
    )
    assert said(alone[:1], of())[ids.TOTAL_TIME] == "No time is known."


def test_nothing_selected() -> None:
    may: dict[str, Any] = {"start": date(2024, 5, 1), "end": date(2024, 6, 1)}
    assert said(ROWS, of("cy", **may)) == {
        ids.TOTAL_TIME: "No time is known.",
        ids.USER_AVERAGE: "cy has no session of known duration.",
        ids.DURATIONS: "No duration is known.",
        ids.TIMELINE: (
            "May 2024, cy: no session; the other days: 0.009 sessions a day."
        ),
        ids.HOURS: "cy has no such session.",
        ids.USERS: "No user has such a session.",
    }
    words = said(ROWS, of(pages=("help",), longest=0.001))
    assert words[ids.TIMELINE] == words[ids.HOURS] == "No such session."


def test_picked_pages_have_a_share_of_the_time() -> None:
    words = said(ROWS, of(pages=("home",)))
    assert words[ids.TOTAL_TIME] == (
        "Everyone together spent 3 min 30 s on home: 67 % of 5 min 15 s."
    )
    words = said(ROWS, of(pages=("home", "cart", "help")))
    assert words[ids.TOTAL_TIME] == (
        "Everyone together spent 5 min 15 s on home, cart and help: "
        "100 % of 5 min 15 s."
    )
    words = said(ROWS[:5], of())
    assert words[ids.TOTAL_TIME] == (
        "Everyone together spent 2 min 30 s, all of it on home."
    )


def test_a_share_is_all_or_nothing_only_where_it_is() -> None:
    rows = [("a", "long", 1e6, "2024-01-01"), ("a", "short", 1, "2024-01-01")]
    long, short = (said(rows, of(pages=(page,))) for page in ("long", "short"))
    assert long[ids.TOTAL_TIME].endswith(": over 99.9 % of 277 h 47 min.")
    assert short[ids.TOTAL_TIME].endswith(": under 0.1 % of 277 h 47 min.")


def test_picked_durations_have_a_share_of_the_sessions() -> None:
    words = said(ROWS, of("ann", shortest=10, longest=40))
    assert words[ids.DURATIONS] == (
        "ann's sessions last 30 s on average (n = 5), 0.9 × everyone's 35 s. "
        "60 % of these and 33 % of everyone's last 10 s to 40 s. "
        "Unknown durations left out: 1 of ann's, 3 of everyone's."
    )
    words = said(ROWS[:5], of(shortest=10))
    assert words[ids.DURATIONS] == (
        "Everyone's sessions last 30 s on average. 100 % last 10 s or longer."
    )
    words = said(ROWS, of("cy", longest=1))
    assert " 0 % of these and 11 % of everyone's last under 1 s. " in words["durations"]


def test_was_march_different() -> None:
    # 2 of 6 sessions in 31 of 366 days; 40 and 50 s after 10, 20 and 30.
    assert said(ROWS, of("ann", **MARCH))[ids.TIMELINE] == (
        "March 2024, ann: 0.065 sessions a day, 5.4 × the other days' 0.012 sessions. "
        "Sessions last 45 s on average (n = 2, weak evidence), "
        "2.2 × the other days' 20 s."
    )
    view = replace(of(**MARCH), timeline="time")
    assert said(ROWS, view)[ids.TIMELINE] == (
        "March 2024, everyone: 3.1 s a day, 4.7 × the other days' 0.7 s. "
        "Sessions last 32 s on average (n = 3, weak evidence), "
        "0.9 × the other days' 37 s."
    )


def test_dates_beside_other_days_without_sessions() -> None:
    assert said(ROWS, of("cy", start=date(2024, 3, 1)))[ids.TIMELINE].startswith(
        "From 1 March 2024, cy: 0.0065 sessions a day, 0.4 × the other days' 0.017 "
    )
    rows = [*at("2024-01-01"), ("v", "p", None, "2024-01-03")]
    view = of("u", end=date(2024, 1, 2))
    assert said(rows, view)[ids.TIMELINE] == (
        "Until 1 January 2024, u: 1 session a day; the other days: no session."
    )
    view = of(start=date(2024, 1, 3))
    assert said(rows, replace(view, timeline="time"))[ids.TIMELINE] == (
        "From 3 January 2024, everyone: no known time; the other days: 0.5 s a day."
    )


def test_sessions_by_day_and_by_week() -> None:
    rows = at("2024-03-01", "2024-03-01T12:00:00", "2024-03-02T23:30:00")
    assert said(rows, of())[ids.TIMELINE] == (
        "Everyone: 1.5 sessions a day; most, 2 sessions, on 1 March 2024."
    )
    assert said(rows[:2], of("u"))[ids.TIMELINE] == (
        "u: 2 sessions on 1 March 2024, 1.0 × the average user's. "
        "Hatched: a day that the data has only a part of."
    )
    assert said(at("2023-12-31", "2024-12-30"), of())[ids.TIMELINE] == (
        "Everyone: 0 sessions a week; "
        "most, 1 session, from 25 to 31 December 2023. "
        "Hatched: a week that the data has only a part of."
    )


def test_time_by_week_month_and_year() -> None:
    view = View(timeline="time")
    assert said(ROWS, view)[ids.TIMELINE] == (
        f"Everyone: 6.1 s a week; most, 3 min 35 s, {WEEK}. {HATCHED} "
        "Unknown durations left out."
    )
    months = at("2020-01-01", "2020-02-29", "2024-12-31T23:30:00")
    assert said(months, view)[ids.TIMELINE] == (
        "Everyone: 0.1 s a month; most, 1 s, in January 2020."
    )
    years = at("1999-01-01", "2024-02-29", "2024-12-31T23:30:00")
    assert said(years, view)[ids.TIMELINE] == (
        "Everyone: 0.1 s a year; most, 2 s, in 2024."
    )
    zeros: list[Row] = [("u", "p", 0, "2024-01-01"), ("v", "p", 0, "2024-01-02T23:59")]
    assert said(zeros, replace(of("u"), timeline="time"))[ids.TIMELINE] == (
        "u: 0 s a day."
    )


def test_where_no_period_is_complete_only_the_most_is_said() -> None:
    rows = at("2024-01-01T12:00:00", "2024-01-02T12:00:00", "2024-01-02T13:00:00")
    assert said(rows, of("u"))[ids.TIMELINE] == (
        "u: most, 2 sessions, on 2 January 2024. "
        "Hatched: a day that the data has only a part of."
    )


@pytest.mark.parametrize(
    ("hours", "window"),
    [
        ((23, 0, 12), "23:00 and 1:00"),
        ((22, 23, 0, 1, 12, 15), "22:00 and 1:00"),
        ((23,), "23:00 and 24:00"),
        ((0,), "0:00 and 1:00"),
        ((3, 15), "3:00 and 4:00"),
        ((*range(24),), "0:00 and 12:00"),
    ],
)
def test_half_of_the_sessions_may_begin_around_midnight(
    hours: tuple[int, ...], window: str
) -> None:
    rows = at(*(f"2024-01-01T{hour:02}:00:00" for hour in hours))
    words = said(rows, of())[ids.HOURS]
    assert words.startswith(
        f"At least half of everyone's sessions begin between {window}; "
    )


def test_the_busiest_hour_is_that_of_the_average_weekday() -> None:
    # Two on the one Sunday are more than three on two Mondays.
    rows = at(
        *("2024-01-01T09:00:00", "2024-01-08T09:00:00", "2024-01-08T09:30:00"),
        *("2024-01-07T10:00:00", "2024-01-07T10:30:00"),
    )
    words = said(rows, of())[ids.HOURS]
    assert words.endswith("; the busiest hour is Sunday, 10:00 to 11:00.")
    assert findings.darkest(Activity(table(rows)).summarise(Selection())) == (
        "2 sessions an hour"
    )
    rows = rows[:1]
    assert findings.darkest(Activity(table(rows)).summarise(Selection())) == (
        "1 session an hour"
    )


def test_tiles_of_a_user() -> None:
    assert beside(ROWS, of("ann")) == {
        "sessions": Tile("Sessions", "6", "50 % of everyone's 12"),
        "total": Tile("Total time", "2 min 30 s", "48 % of everyone's 5 min 15 s"),
        "typical": Tile("Average session", "30 s", "0.9 × everyone's 35 s"),
        "active": Tile("Active days", "4", "of everyone's 6"),
        "last": Tile("Last seen", "31 Dec 2024, 23:59", "everyone: 31 Dec 2024, 23:59"),
    }
    view = replace(of("bob"), statistic="p90")
    assert beside(ROWS, view)["typical"] == Tile(
        "P90 session", "54 s", "0.8 × everyone's 1 min 8 s, weak evidence"
    )


def test_tiles_of_everyone() -> None:
    view = replace(of(pages=("cart",)), statistic="median")
    assert beside(ROWS, view) == {
        "sessions": Tile("Sessions", "4", "33 % of all"),
        "total": Tile("Total time", "1 min 45 s", "n = 3"),
        "typical": Tile("Median session", "5 s", "n = 3, weak evidence"),
        "active": Tile("Active days", "4", "of 366 days"),
        "last": Tile("Last seen", "31 Dec 2024, 23:59", ""),
    }


def test_tiles_of_a_user_of_whom_nothing_is_known() -> None:
    tiles = beside(ROWS, of("bob", **MARCH))
    assert tiles == {
        "sessions": Tile("Sessions", "0", "0 % of everyone's 4"),
        "total": Tile("Total time", "unknown", "everyone: 1 min 35 s"),
        "typical": Tile("Average session", "unknown", "everyone: 32 s"),
        "active": Tile("Active days", "0", "of everyone's 2"),
        "last": Tile("Last seen", "never", "everyone: 2 Mar 2024, 10:01"),
    }
    tiles = beside(ROWS, of("bob", pages=("help",)))
    assert tiles["sessions"].beside == "100 % of everyone's 1"
    assert tiles["total"][1:] == ("unknown", "everyone: unknown")
    assert tiles["typical"][1:] == ("unknown", "everyone: unknown")


def ranked(rows: Sequence[Row], view: View) -> dict[str, str]:
    activity = Activity(table(rows))
    return findings.ranks(activity, activity.by_user(view.selection), view)


def test_ranks() -> None:
    assert ranked(ROWS, of("cy")) == {
        "sessions": "2nd of 3",
        "total": "2nd of 3",
        "typical": "1st of 3",
        "active": "2nd of 3",
        "last": "2nd of 3",
    }
    # Equal ones share the better place: 3 sessions each; an average of 30 s each.
    assert ranked(ROWS, of("bob"))["sessions"] == "2nd of 3"
    assert ranked(ROWS, of("ann"))["typical"] == "2nd of 3"
    view = of("bob")
    p90 = {"average": "2nd of 3", "median": "2nd of 3", "p90": "2nd of 3"}
    for statistic, rank in p90.items():
        chosen: Any = statistic
        assert ranked(ROWS, replace(view, statistic=chosen))["typical"] == rank
    assert ranked(ROWS, of()) == dict.fromkeys(ids.TILES, "")


def test_a_user_without_sessions_has_no_rank() -> None:
    assert set(ranked(ROWS, of("bob", **MARCH)).values()) == {"no rank"}
    assert ranked(ROWS, of("cy", **MARCH)) == {
        "sessions": "1st of 2",
        "total": "2nd of 2",
        "typical": "2nd of 2",
        "active": "1st of 2",
        "last": "1st of 2",
    }
    help_ = ranked(ROWS, of("bob", pages=("help",)))
    assert help_["sessions"] == "1st of 1"
    assert help_["total"] == help_["typical"] == "no rank"


def test_users_who_are_searched_for() -> None:
    def users(view: View) -> str:
        return said(ROWS, view)[ids.USERS]

    assert users(View(find="N")) == "1 of 3 users has “N” in the name."
    assert users(View(find="zoe")) == "0 of 3 users have “zoe” in the name."
    assert users(of(pages=("help",))) == "1 user has such sessions; a click picks one."
    assert users(of(**MARCH)) == "2 users have such sessions; a click picks one."
    assert users(replace(of(**MARCH), find="y")) == (
        "1 of 2 users has “y” in the name."
    )


def test_captions_and_chips() -> None:
    picked = Selection("ann", date(2024, 3, 1), None, ("cart", "home"), None, 60)
    assert findings.caption(View(picked)) == (
        "ann, from 1 March 2024, cart and home, under 1 min"
    )
    assert findings.chips(View(picked)) == {
        "dates": "from 1 March 2024",
        "pages": "cart and home",
        "durations": "under 1 min",
    }
    assert findings.caption(of(end=date(2024, 3, 1))) == (
        "everyone, until 29 February 2024"
    )
    assert findings.caption(of(**MARCH)) == "everyone, March 2024"
    assert findings.caption(of(start=date.max)) == "everyone, from 31 December 9999"
    assert findings.caption(of()) == "everyone"
    assert findings.dates_text(None, None) == ""


def check(activity: Activity, view: View) -> None:
    summary = activity.summarise
    of_pages, of_days, of_bins = (
        summary(tables.unfiltered_by_itself(chart, view.selection))
        for chart in (ids.TOTAL_TIME, ids.TIMELINE, ids.DURATIONS)
    )
    within = summary(view.selection)
    sentences = [
        findings.total_time(of_pages, view),
        findings.user_average(of_pages, view),
        findings.durations(of_bins, within, view),
        findings.timeline(of_days, within, view),
        findings.hours(within, view),
    ]
    numbers = activity.by_user(view.selection)
    sentences.append(findings.users(tables.users(activity, numbers, view), view))
    for words in sentences:
        assert words.endswith(".")
        assert words[0] != " "
    tiles = findings.tiles(within, view)
    assert set(tiles) == set(ids.TILES)
    ranks = findings.ranks(activity, numbers, view).values()
    for words in (
        *(*sentences, findings.darkest(within), *ranks),
        *(part for tile in tiles.values() for part in tile),
    ):
        unnamed = words.replace(view.find, "") if view.find else words
        for broken in ("nan", "inf", "NaT", "None", "e-0", "e+", "–", "  ", "()", ".."):
            assert broken not in unnamed, words


@settings(deadline=None, max_examples=150)
@given(rows_lists, st.data())
def test_sentences_are_whole(rows: list[Row], data: st.DataObject) -> None:
    activity = Activity(table(rows))
    view = replace(data.draw(views_of_a_page(activity)), find="b")
    check(activity, view)
    check(activity, replace(view, selection=Selection(view.selection.user)))


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 18).map(str),
            st.sampled_from((None, 0.0, 0.0, 1e-9, 5.0, 3e9)),
            st.sampled_from(("0001-01-01", "2024-01-01", "9999-12-31T23:59:59")),
        ),
        min_size=1,
        max_size=40,
    ),
    st.data(),
)
def test_sentences_are_whole_at_the_extremes(
    rows: list[Row], data: st.DataObject
) -> None:
    activity = Activity(table(rows))
    check(activity, replace(data.draw(views_of_a_page(activity)), find=""))


def test_of_picked_pages_alone_is_said_how_long_a_user_stays(
    activity: Activity,
) -> None:
    def said(user: str, page: str) -> str:
        view = View(Selection(user, pages=(page,)))
        summary = activity.summarise(Selection(user))
        return findings.user_average(summary, view)

    assert said("bob", "home") == (
        "bob's average on home is 1 min (n = 1), everyone's 35 s. "
        "Faint bars: fewer than 5 known durations, so weak evidence."
    )
    assert said("ann", "cart") == "ann has no known duration on cart."
    assert said("ann", "home") == "ann spends 0.9 × everyone's average on home (n = 5)."
