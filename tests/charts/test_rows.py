from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.rows import (
    EVERY_ROW,
    PageRows,
    PageStatistics,
    all_rows,
    choose_rows,
    found_text,
    pool,
)
from engine.memory import MemoryEngine
from engine.model import QUANTILES, Selection, Summary, Tally
from tests.building import engine_of, view_of
from tests.examples import examples
from tests.sessions import Row
from tests.strategies import rows_lists
from view import View

NAN = pytest.approx(float("nan"), nan_ok=True)
DAY = "2024-01-01"


def summary_of(rows: Sequence[Row], user: str | None = None) -> Summary:
    return engine_of(rows).summarise(Selection(user))


def pages_of(n: int) -> list[Row]:
    """Pages p00, p01 and so on, on which a spends 1, 2, 3 s and so on."""
    return [("a", f"p{page:02}", page + 1, DAY) for page in range(n)]


def page_rows(
    summary: Summary,
    tally: Tally,
    view: View,
    *,
    most: int,
    by_difference: bool = False,
) -> PageRows:
    """The rows of the pages of a tally, the summary's user's or everyone's."""
    found = all_rows(summary, view)
    shown = found.everyone if tally is summary.everyone else found.subject
    statistic = view.statistic if by_difference else None
    return choose_rows(found, shown, most=most, by_difference=statistic)


def chosen(summary: Summary, view: View | None = None, **how: Any) -> PageRows:
    """The rows of the pages on which the summary's user, or everyone, has been."""
    how = {"most": EVERY_ROW} | how
    return page_rows(summary, summary.subject, view or View(), **how)


def each_alone(summary: Summary, user: bool = False) -> PageStatistics:
    """Statistics with a row for each page."""
    tally = summary.subject if user else summary.everyone
    n_pages = len(summary.facts.pages)
    return pool(tally, np.arange(n_pages), n_pages)


# Rows.


def test_pages_stand_in_the_order_of_total_time(engine: MemoryEngine) -> None:
    rows = chosen(engine.summarise(Selection("bob")))
    assert rows.names == rows.labels == ["home", "cart", "help"]
    assert rows.n_pages.tolist() == [1, 1, 1]
    assert rows.is_page == [True, True, True]
    assert rows.is_picked.tolist() == [False, False, False]
    assert (rows.n_others, rows.other_seconds) == (0, 0)
    assert rows.everyone.seconds.tolist() == [210, 105, 0]
    assert rows.everyone.sessions.tolist() == [7, 4, 1]
    assert rows.everyone.known.tolist() == [6, 3, 0]
    assert rows.user is not None
    assert rows.user.seconds.tolist() == [60, 0, 0]
    assert rows.user.unknown.tolist() == [0, 0, 1]
    assert rows.user.known.tolist() == [1, 1, 0]


def test_pages_without_sessions_have_no_row(engine: MemoryEngine) -> None:
    summary = engine.summarise(Selection("ann"))
    rows = chosen(summary, view_of(pages=("help",)))
    assert rows.names == ["home", "cart"]
    assert rows.n_others == 0
    assert not rows.is_picked.any()


def test_others_have_no_row_but_a_number_and_a_sum() -> None:
    summary = summary_of(pages_of(20))
    rows = chosen(summary, most=10)
    assert rows.names == [f"p{page:02}" for page in range(19, 9, -1)]
    assert (rows.n_others, rows.other_seconds) == (10, sum(range(1, 11)))
    assert rows.user is None
    assert not rows.beyond_chance.any()
    assert (rows.n_compared, rows.n_folders) == (0, 0)
    rows = chosen(summary, most=20)
    assert (len(rows.names), rows.n_others, rows.other_seconds) == (20, 0, 0)
    rows = chosen(summary, most=19)
    assert (len(rows.names), rows.n_others, rows.other_seconds) == (19, 1, 1)


def test_picked_pages_come_before_those_of_more_time() -> None:
    summary = summary_of(pages_of(20))
    rows = chosen(summary, view_of(pages=("p00", "p03")), most=4)
    assert rows.names == ["p19", "p18", "p03", "p00"]
    assert rows.is_picked.tolist() == [False, False, True, True]
    assert rows.n_others == 16
    assert rows.other_seconds == sum(range(1, 21)) - 20 - 19 - 4 - 1
    # More of them than there is room for.
    rows = chosen(summary, view_of(pages=("p00", "p03", "p01")), most=2)
    assert (rows.names, rows.n_others) == (["p03", "p01"], 18)


BOTH: list[Row] = [
    *[("a", f"p{page:02}", page, DAY) for page in range(17)],
    # Everyone's order is another.
    *[("b", f"p{page:02}", 100 * (20 - page), DAY) for page in range(17)],
]


def test_a_users_pages_are_those_of_most_of_their_time() -> None:
    rows = chosen(summary_of(BOTH, "a"), most=15)
    assert rows.names == [f"p{page:02}" for page in range(2, 17)]
    # Everyone's time on the others.
    assert (rows.n_others, rows.other_seconds) == (2, 2000 + 1900 + 1)


def test_pages_of_the_same_time_stand_in_the_order_of_names() -> None:
    summary = summary_of([("a", page, 1, DAY) for page in "dbca"])
    assert chosen(summary).names == ["a", "b", "c", "d"]
    # Also where the user's times differ.
    rows: list[Row] = [("a", p, d, DAY) for p, d in (("p", 1), ("q", 9))]
    rows += [("b", p, 10 - d, DAY) for _, p, d, _ in rows if d is not None]
    assert chosen(summary_of(rows, "a")).names == ["p", "q"]
    assert chosen(summary_of(rows, "b")).names == ["p", "q"]


DIFFERENT: list[Row] = [
    # The user's average, and the other's.
    *[("a", "p", 10, DAY)] * 5,
    *[("b", "p", 40, DAY)] * 5,
    *[("a", "q", 40, DAY)] * 5,
    *[("b", "q", 10, DAY)] * 5,
    *[("a", "r", 500, DAY)] * 4,
    *[("b", "r", 1, DAY)] * 5,
    *[("a", "s", 5, DAY)] * 5,
    *[("b", "s", 5, DAY)] * 5,
    ("a", "t", 1, DAY),
    ("b", "t", 9, DAY),
    ("a", "u", None, DAY),
    ("b", "v", 9, DAY),
    *[("a", "w", 0, DAY)] * 5,
]


def test_by_difference_the_largest_ratio_is_first_and_few_sessions_are_last() -> None:
    summary = summary_of(DIFFERENT, "a")
    rows = chosen(summary, by_difference=True)
    # 40 : 25, 5 : 5, 10 : 25, no ratio to 0 s; 500 : 222.8 and 1 : 5 of few; unknown.
    assert rows.names == ["q", "s", "p", "w", "r", "t", "u"]
    rows = chosen(summary, by_difference=True, most=2)
    assert rows.names == ["q", "s"]
    assert rows.n_others == 5
    assert rows.other_seconds == 250 + 0 + 2005 + 10 + 0
    # By the median, the same ones.
    view = view_of(statistic="median")
    assert chosen(summary, view, by_difference=True).names[:3] == ["q", "s", "p"]
    # Without a user there is no difference.
    everyone = summary_of(DIFFERENT)
    assert chosen(everyone, by_difference=True).names == chosen(everyone).names


def test_by_difference_what_is_beyond_chance_is_before_what_is_not() -> None:
    rows: list[Row] = [
        # 3 times everyone's, which may be chance; 1.5 times, which isn't; and less.
        *[("a", "chance", seconds, DAY) for seconds in (1, 1, 1, 1, 996)],
        *[("b", "chance", 30, DAY)] * 10,
        *[("a", "firm", 300 + n, DAY) for n in range(10)],
        *[("b", "firm", 100 + n, DAY) for n in range(10)],
        *[("a", "less", 10 + n, DAY) for n in range(10)],
        *[("b", "less", 100 + n, DAY) for n in range(10)],
        *[("a", "few", 1e5, DAY)] * 4,
        ("b", "few", 1, DAY),
    ]
    found = chosen(summary_of(rows, "a"), by_difference=True)
    assert found.names == ["firm", "chance", "less", "few"]
    assert found.beyond_chance.tolist() == [True, False, True, False]
    # Quantiles are not tested.
    view = view_of(statistic="p90")
    found = chosen(summary_of(rows, "a"), view, by_difference=True)
    assert found.names == ["chance", "firm", "less", "few"]


def test_by_difference_picked_pages_have_a_row_too() -> None:
    summary = summary_of(DIFFERENT, "a")
    picked = view_of(pages=("t", "p"))
    rows = chosen(summary, picked, by_difference=True, most=3)
    assert rows.names == ["q", "p", "t"]
    assert rows.is_picked.tolist() == [False, True, True]
    rows = chosen(summary, picked, by_difference=True, most=1)
    assert rows.names == ["p"]


def test_a_ratio_too_large_for_a_number_is_the_largest() -> None:
    rows: list[Row] = [
        *[("a", "p", 1e6, DAY)] * 5,
        *[("b", "p", 5e-324, DAY)] * 9,
        *[("a", "q", 3, DAY)] * 5,
        *[("b", "q", 1, DAY)] * 9,
    ]
    summary = summary_of(rows, "a")
    view = view_of(statistic="median")
    assert chosen(summary, view, by_difference=True).names == ["p", "q"]


def test_what_is_beyond_chance_is_told_by_all_pages() -> None:
    rows: list[Row] = [
        *[("a", "p", 100 + n, DAY) for n in range(9)],
        *[("b", "p", 10 + n, DAY) for n in range(9)],
        *[("a", "q", 10 + n, DAY) for n in range(9)],
        *[("b", "q", 11 + n, DAY) for n in range(9)],
        # Of four sessions there is no test.
        *[("a", "r", 1000, DAY)] * 4,
        *[("b", "r", 1, DAY)] * 9,
    ]
    summary = summary_of(rows, "a")
    found = chosen(summary)
    assert found.names == ["r", "p", "q"]
    assert found.beyond_chance.tolist() == [False, True, False]
    assert found.n_compared == 2
    only = chosen(summary, most=1)
    assert (only.names, only.n_compared) == (["r"], 2)
    # A search is corrected for what it doesn't find, too.
    found = chosen(summary, view_of(match="P"))
    assert (found.names, found.n_compared) == (["p"], 2)
    assert found.is_compared.tolist() == [True]


def alike(page: str, *, apart: float = 0, n: int = 9) -> list[Row]:
    """Sessions on a page, in which a's average is so many seconds above b's."""
    return [
        (user, page, 1_000 + first + seconds, DAY)
        for user, first in (("a", apart), ("b", 0))
        for seconds in range(n)
    ]


def test_a_page_has_the_same_verdict_whatever_is_searched_and_opened() -> None:
    # Alone the difference on this page is beyond chance, among 31 it isn't.
    close = alike("/s/close", apart=4)
    assert chosen(summary_of(close, "a")).beyond_chance.tolist() == [True]
    others = [row for n in range(30) for row in alike(f"/s/deep/{n:02}")]
    summary = summary_of([*close, *others, *alike("/far", apart=20)], "a")
    for view in (
        *(View(), view_of(match="close"), view_of(match="c", folder="")),
        *(view_of(folder="/s/"), view_of(match="CLOSE", folder="/s/")),
    ):
        for most in (1, EVERY_ROW):
            found = chosen(summary, view, most=most)
            verdicts = dict(zip(found.names, found.beyond_chance, strict=True))
            assert not verdicts.get("/s/close", False)
            assert verdicts.get("/far", True)
            assert found.n_compared == 32
        assert {"/s/close", "/far"} & set(chosen(summary, view).names)
    # What is in no row is corrected for all the same.
    assert chosen(summary, view_of(match="far")).beyond_chance.tolist() == [True]


def test_folders_are_corrected_for_the_folders_beside_them() -> None:
    rows = [
        row for n in range(30) for row in (*alike(f"/{n:02}/x"), *alike(f"/{n:02}/y"))
    ]
    rows += alike("/close/x", apart=3) + alike("/close/y", apart=3)
    rows += [("a", "/few/x", 1, DAY), ("a", "/few/y", 1, DAY), *alike("/page")]
    summary = summary_of(rows, "a")
    found = chosen(summary, view_of(folder=""))
    assert (found.n_folders, found.n_compared) == (31, 63)
    # Alone it is beyond chance, as both pages have it.
    few = summary_of([row for row in rows if row[1][1] in "cp"], "a")
    alone = chosen(few, view_of(folder=""))
    assert alone.n_folders == 1
    assert dict(zip(alone.names, alone.beyond_chance.tolist(), strict=True)) == {
        "/close/": True,
        "/page": False,
    }
    for view in (view_of(folder=""), view_of(folder="", match="clos")):
        found = chosen(summary, view)
        assert found.n_folders == 31
        assert not found.beyond_chance.any()
        assert found.is_compared[found.names.index("/close/")]
    # Of a folder, what is found is tested; a single page of it has a page's verdict.
    found = chosen(summary, view_of(folder="", match="close/x"))
    assert (found.names, found.is_compared.tolist()) == (["/close/x"], [True])
    # There is none for nobody.
    everyone = chosen(summary_of(rows), view_of(folder=""))
    assert (everyone.n_folders, everyone.n_compared) == (0, 0)
    assert not everyone.is_compared.any()


# Search and folders.

SHOP: list[Row] = [
    ("a", "/cart", 10, DAY),
    ("a", "/shop/a", 1, DAY),
    ("b", "/shop/b", 2, DAY),
    ("a", "/shop/c", None, DAY),
    ("b", "/shop/deep/x", 4, DAY),
    ("b", "/shop/deep/y", 8, DAY),
    ("b", "/Help", 16, DAY),
]


def test_a_search_leaves_the_pages_that_contain_the_text() -> None:
    summary = summary_of(SHOP)
    assert chosen(summary, view_of(match="H")).names == [
        *("/Help", "/shop/deep/y", "/shop/deep/x", "/shop/b", "/shop/a", "/shop/c")
    ]
    rows = chosen(summary, view_of(match="deep"), most=1)
    assert (rows.names, rows.n_others, rows.other_seconds) == (["/shop/deep/y"], 1, 4)
    rows = chosen(summary, view_of(match="none"))
    assert (rows.names, rows.labels, rows.n_others) == ([], [], 0)


def test_a_folder_is_one_row_of_all_its_pages() -> None:
    summary = summary_of(SHOP, "a")
    rows = page_rows(summary, summary.everyone, view_of(folder=""), most=9)
    assert rows.names == ["/Help", "/shop/", "/cart"]
    assert rows.labels == ["/Help", "▸ /shop/ (5 pages)", "/cart"]
    assert rows.n_pages.tolist() == [1, 5, 1]
    assert rows.is_page == [True, False, True]
    assert rows.everyone.seconds.tolist() == [16, 15, 10]
    assert rows.everyone.sessions.tolist() == [1, 5, 1]
    assert rows.everyone.unknown.tolist() == [0, 1, 0]
    assert rows.everyone.statistics["average"].tolist() == [16, 15 / 4, 10]
    assert rows.everyone.statistics["median"].tolist() == [16, NAN, 10]
    assert rows.user is not None
    assert rows.user.seconds.tolist() == [0, 1, 10]
    # The user has been in the folder, and not on /Help.
    assert chosen(summary, view_of(folder="")).names == ["/shop/", "/cart"]
    # All pages of a folder without a row are others.
    rows = page_rows(summary, summary.everyone, view_of(folder=""), most=1)
    assert (rows.n_others, rows.other_seconds) == (6, 25)


def test_an_open_folder_shows_what_is_in_it() -> None:
    summary = summary_of(SHOP)
    rows = chosen(summary, view_of(folder="/shop/"))
    assert rows.names == ["/shop/deep/", "/shop/b", "/shop/a", "/shop/c"]
    assert rows.labels[0] == "▸ /shop/deep/ (2 pages)"
    assert rows.everyone.seconds.tolist() == [12, 2, 1, 0]
    assert chosen(summary, view_of(folder="/none/")).names == []


def test_of_a_folder_only_what_is_found_is_in_its_row() -> None:
    summary = summary_of(SHOP)
    rows = chosen(summary, view_of(folder="", match="e"))
    assert rows.names == ["/Help", "/shop/"]
    assert rows.labels == ["/Help", "▸ /shop/ (2 pages)"]
    assert rows.everyone.seconds.tolist() == [16, 12]
    # A single page of it is that page.
    rows = chosen(summary, view_of(folder="", match="/x"))
    assert (rows.names, rows.labels) == (["/shop/deep/x"], ["/shop/deep/x"])
    assert rows.is_page == [True]
    assert rows.everyone.statistics["median"].tolist() == [4]


def test_a_folder_of_a_picked_page_is_picked() -> None:
    summary = summary_of(SHOP)
    rows = chosen(summary, view_of(folder="", pages=("/shop/deep/x",)), most=2)
    assert (rows.names, rows.is_picked.tolist()) == (["/Help", "/shop/"], [False, True])
    rows = chosen(summary, view_of(folder="", pages=("/shop/deep/x",)), most=1)
    assert rows.names == ["/shop/"]
    # A page that is named like the folder is in it.
    summary = summary_of([*SHOP, ("a", "/shop/", 1, DAY)])
    rows = chosen(summary, view_of(folder="", pages=("/shop/",)))
    assert rows.labels[1] == "▸ /shop/ (6 pages)"
    assert rows.is_picked.tolist() == [False, True, False]
    rows = chosen(summary, view_of(folder="", match="deep", pages=("/shop/",)))
    assert rows.is_picked.tolist() == [False]


def test_labels_leave_out_what_all_pages_share_and_are_told_apart() -> None:
    base = "https://www.example.org"
    long = "/catalogue/" + "x" * 60
    names = [f"{base}{long}{i}/{page}" for i in "12" for page in "abc"]
    rows: list[Row] = [("a", name, 1, DAY) for name in [*names, f"{base}/"]]
    found = chosen(summary_of(rows), view_of(folder=""))
    # All are in the same host, which is no folder.
    assert found.names == [f"{base}/catalogue/", f"{base}/"]
    assert found.labels == ["▸ /catalogue/ (6 pages)", "/"]
    found = chosen(summary_of(rows), view_of(folder=f"{base}/catalogue/"))
    assert found.names == [f"{base}{long}1/", f"{base}{long}2/"]
    assert len(set(found.labels)) == 2
    for label, digit in zip(found.labels, "12", strict=True):
        assert label.startswith("▸ ")
        assert label.endswith(f"{digit}/ (3 pages)")
        assert len(label) <= 46
        assert "example" not in label


def test_a_page_may_be_named_as_a_folder_is_written() -> None:
    rows: list[Row] = [*SHOP, ("a", "▸ /shop/ (5 pages)", 99, DAY)]
    found = chosen(summary_of(rows), view_of(folder=""))
    assert len(set(found.labels)) == 4


def test_how_many_pages_are_found() -> None:
    pages = tuple(row[1] for row in SHOP)
    assert found_text(pages, View()) == ""
    assert found_text(pages, view_of(folder="")) == ""
    assert found_text(pages, view_of(match="h")) == "6 of 7 pages"
    assert found_text(pages, view_of(folder="/shop/")) == "5 of 7 pages"
    assert found_text(pages, view_of(folder="/shop/", match="DEEP")) == "2 of 7 pages"
    assert found_text(pages[:1], view_of(match="h")) == "0 of 1 page"
    many = tuple(f"p{n}" for n in range(3_000))
    assert found_text(many, view_of(match="p1")) == "1,111 of 3,000 pages"


NAMES = ("a", "a/", "a/b", "a/c/d", "a/c/e", "b/x", "b/y", "c", "/", "//", "é/Ä", "é/ß")


@examples(80)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("uv"),
            st.sampled_from(NAMES),
            st.one_of(st.none(), st.integers(0, 9).map(float)),
        ),
        min_size=1,
        max_size=40,
    ),
    st.sets(st.sampled_from(NAMES), max_size=4),
    st.sampled_from((None, "", "a/", "b/", "a/c/", "x")),
    st.sampled_from(("", "A", "/", "ä", "zz")),
    st.sampled_from((1, 2, 5, EVERY_ROW)),
    st.booleans(),
)
def test_every_page_is_in_one_row_or_in_the_others(
    sessions: list[tuple[str, str, float | None]],
    picked: set[str],
    folder: str | None,
    match: str,
    most: int,
    by_difference: bool,
) -> None:
    rows: list[Row] = [(user, page, d, DAY) for user, page, d in sessions]
    summary = summary_of(rows, rows[0][0])
    view = view_of(pages=tuple(sorted(picked)), folder=folder, match=match)
    found = page_rows(
        summary, summary.subject, view, most=most, by_difference=by_difference
    )
    all_rows = chosen(summary, view, by_difference=by_difference)
    assert len(found.names) == min(most, len(all_rows.names))
    assert set(found.names) <= set(all_rows.names)
    assert len(set(found.labels)) == len(found.labels) == len(found.names)
    # Whatever has no row is in the others.
    assert all_rows.n_others == 0
    n_in_rows = int(found.n_pages.sum())
    assert n_in_rows + found.n_others == all_rows.n_pages.sum()
    seconds = float(found.everyone.seconds.sum()) + found.other_seconds
    assert seconds == all_rows.everyone.seconds.sum()
    # Each page that is wanted is in one row of those.
    left = [
        page
        for page in summary.facts.pages
        if page.startswith(folder or "") and match.casefold() in page.casefold()
    ]
    own = {page for user, page, _ in sessions if user == rows[0][0]}
    owners = {
        page: [
            name
            for name, n in zip(all_rows.names, all_rows.n_pages.tolist(), strict=True)
            if (page == name if n == 1 else page.startswith(name))
        ]
        for page in left
    }
    assert all(len(names) == 1 for page, names in owners.items() if page in own)
    assert all(len(names) <= 1 for names in owners.values())
    assert sum(map(len, owners.values())) == all_rows.n_pages.sum()
    # The sums are those of the tally.
    assert all_rows.user is not None
    at_left = np.isin(summary.facts.pages, left)
    assert all_rows.user.seconds.sum() == summary.subject.seconds[at_left].sum()
    assert all_rows.user.sessions.sum() == summary.subject.sessions[at_left].sum()
    assert all_rows.user.unknown.sum() == summary.subject.unknown[at_left].sum()
    # Those that are picked go first.
    wanted = {owners[page][0] for page in picked if owners.get(page)}
    flags = zip(found.names, found.is_picked.tolist(), strict=True)
    assert {name for name, flag in flags if flag} <= wanted
    assert found.is_picked.sum() == min(most, len(wanted))
    if not by_difference:
        totals = found.everyone.seconds.tolist()
        assert totals == sorted(totals, reverse=True)
    else:
        assert found.names == [n for n in all_rows.names if n in found.names]


# Statistics of pages, alone and together.


def test_statistics_of_a_page(engine: MemoryEngine) -> None:
    # Cart 0, 5, 100; help nothing known; home 10 to 60.
    alone = each_alone(engine.summarise(Selection()))
    assert alone.statistics["average"].tolist() == [35, NAN, 35]
    assert alone.statistics["median"].tolist() == [5, NAN, 35]
    assert alone.statistics["p90"].tolist() == [
        *(pytest.approx(81), NAN, pytest.approx(55))
    ]
    assert set(alone.statistics) == {"average", *QUANTILES}


def test_the_interval_is_that_of_students_t(engine: MemoryEngine) -> None:
    ann = each_alone(engine.summarise(Selection("ann")), user=True)
    # t(4 degrees of freedom, 0.975) = 2.776, standard deviation 250 ** 0.5.
    assert ann.margin[2] == pytest.approx(2.776 * (250 / 5) ** 0.5, rel=0.003)
    assert np.isnan(ann.margin[:2]).all()


@pytest.mark.parametrize(
    ("n", "t"),
    [(5, 2.7764), (6, 2.5706), (10, 2.2622), (31, 2.0423), (1_001, 1.9623)],
)
def test_the_interval_is_narrower_for_more_sessions(n: int, t: float) -> None:
    rows: list[Row] = [("a", "p", number, "2024-01-01") for number in range(n)]
    margin = each_alone(summary_of(rows)).margin[0]
    deviation = np.std(np.arange(n), ddof=1)
    assert margin == pytest.approx(t * deviation / n**0.5, rel=0.003)


@pytest.mark.parametrize(("n", "t"), [(5, 2.769373), (10, 2.261901)])
def test_the_interval_is_by_the_four_terms_of_a_series(n: int, t: float) -> None:
    # Abramowitz and Stegun, 26.7.5, with z = 1.959964.
    rows: list[Row] = [("a", "p", number, "2024-01-01") for number in range(n)]
    margin = each_alone(summary_of(rows)).margin[0]
    deviation = np.std(np.arange(n), ddof=1)
    assert margin == pytest.approx(t * deviation / n**0.5, rel=1e-6)
    # Of as many pages together, too.
    apart = summary_of([("a", f"p{row}", *row_[2:]) for row, row_ in enumerate(rows)])
    together = pool(apart.everyone, np.zeros(n, np.int64), 1)
    assert together.margin[0] == pytest.approx(margin)


def test_fewer_than_five_durations_have_no_interval(engine: MemoryEngine) -> None:
    assert np.isnan(
        each_alone(engine.summarise(Selection("cy")), user=True).margin
    ).all()
    rows: list[Row] = [("a", "p", n, "2024-01-01") for n in range(4)]
    unknown: Row = ("a", "p", None, "2024-01-01")
    assert np.isnan(each_alone(summary_of([*rows, unknown])).margin).all()
    assert not np.isnan(each_alone(summary_of([*rows, rows[0]])).margin).any()


@examples(100)
@given(rows_lists, st.lists(st.integers(-1, 1), min_size=3, max_size=3))
def test_pooling_pages_is_renaming_them(rows: list[Row], groups: list[int]) -> None:
    summary = summary_of(rows)
    into = dict(zip(summary.facts.pages, groups, strict=False))
    row_of_page = np.array(list(into.values()))
    n_rows = int(row_of_page.max()) + 1
    pooled = pool(summary.everyone, row_of_page, n_rows)
    renamed: list[Row] = [
        (user, str(into[page]), duration, time)
        for user, page, duration, time in rows
        if into[page] >= 0
    ]
    for row in range(n_rows):
        durations = [d for _, page, d, _ in renamed if page == str(row)]
        known = np.array([d for d in durations if d is not None])
        assert pooled.sessions[row] == len(durations)
        assert pooled.known[row] == len(known)
        assert pooled.unknown[row] == len(durations) - len(known)
        # Sums are rounded to what the longest duration needs.
        assert pooled.seconds[row] == pytest.approx(known.sum(), rel=1e-9, abs=1e-6)
        mean = known.mean() if len(known) else np.nan
        assert pooled.statistics["average"][row] == pytest.approx(
            mean, nan_ok=True, rel=1e-9, abs=1e-6
        )
        alone = list(into.values()).count(row) == 1
        for name, share in QUANTILES.items():
            value = np.quantile(known, share) if alone and len(known) else np.nan
            assert pooled.statistics[name][row] == pytest.approx(value, nan_ok=True)
        if len(known) >= 5:
            t = {5: 2.7764, 6: 2.5706, 7: 2.4469, 8: 2.3646, 9: 2.3060}.get(len(known))
            deviation = np.std(known, ddof=1) / len(known) ** 0.5
            if t is not None:
                assert pooled.margin[row] == pytest.approx(
                    t * deviation, rel=0.004, abs=1e-3
                )
            assert pooled.margin[row] >= 1.95 * deviation - 1e-3
        else:
            assert np.isnan(pooled.margin[row])
