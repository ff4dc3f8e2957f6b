from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

import controls
import dates
import ids
import view as views
from charts import CHARTS
from controls import (
    END,
    GROUPING,
    LONGEST,
    MATCH,
    PAGES,
    PERIOD,
    SEARCH,
    SHORTEST,
    START,
    STATISTIC,
    USER,
    Control,
    Controls,
)
from controls import (
    ROWS as N_ROWS,
)
from engine.memory import MemoryEngine
from engine.model import Engine
from tests.building import MARCH, at, days_from, engine_of, view_of
from tests.examples import examples
from tests.sessions import ROWS, Row
from tests.view_strategies import strange_rows, views_of
from view import View, is_picked

SCALE, MEASURE = ("scale", "value"), ("measure", "value")
ORDER = ("page-order", "value")


def controls_of(engine: Engine) -> Controls:
    return Controls(
        engine, [chart.switch for chart in CHARTS if chart.switch is not None]
    )


@pytest.fixture
def page(engine: MemoryEngine) -> Controls:
    return controls_of(engine)


def picked(page: Controls, view: View, changed: dict[Control, Any]) -> View:
    """The view after somebody set controls that said what the view is."""
    values = {**page.values(view), **changed}
    return page.pick(view, values, changed.keys())


def test_every_control_is_one_of_the_page(page: Controls) -> None:
    assert set(page.all) == {
        *{USER, PERIOD, START, END, PAGES, SHORTEST, LONGEST, STATISTIC, SEARCH},
        *{SCALE, MEASURE, ORDER, MATCH, GROUPING, N_ROWS},
    }
    assert len(page.all) == len(set(page.all))
    # A named period is more than its days: it counts where both have changed.
    assert page.all.index(START) < page.all.index(PERIOD)


def test_what_controls_say_of_a_view(page: Controls) -> None:
    view = view_of(
        "ann",
        start=date(2024, 2, 29),
        end=date(2024, 3, 2),
        pages=("home",),
        shortest=10,
        longest=50,
        statistic="median",
        scale="log",
        timeline="time",
        search="a",
        order="difference",
        length="50",
        match="o",
        folder="",
    )
    assert page.values(view) == {
        USER: "ann",
        PERIOD: None,
        # The calendar shows the last day, the address the one after it.
        START: "2024-02-29",
        END: "2024-03-01",
        PAGES: ["home"],
        SHORTEST: 10,
        LONGEST: 50,
        STATISTIC: "median",
        SCALE: "log",
        MEASURE: "time",
        SEARCH: "a",
        ORDER: "difference",
        N_ROWS: "50",
        MATCH: "o",
        GROUPING: "folders",
    }
    assert page.values(View()) == {
        USER: "",
        PERIOD: "all",
        START: None,
        END: None,
        PAGES: [],
        SHORTEST: "",
        LONGEST: "",
        STATISTIC: "average",
        SCALE: "linear",
        MEASURE: "sessions",
        SEARCH: "",
        ORDER: "time",
        N_ROWS: "10",
        MATCH: "",
        GROUPING: "pages",
    }


def test_the_calendar_shows_both_ends_of_half_a_range(page: Controls) -> None:
    values = page.values(view_of(start=date(2024, 3, 1)))
    assert (values[START], values[END]) == ("2024-03-01", "2024-12-31")
    values = page.values(view_of(end=date(2024, 3, 1)))
    assert (values[START], values[END]) == ("2024-01-01", "2024-02-29")
    values = page.values(view_of(shortest=0))
    # No time is a limit, too.
    assert values[SHORTEST] == 0


# The dropdown of periods.


def test_a_period_that_is_named_stays_named() -> None:
    # The last 30 days are April.
    april = controls_of(engine_of(days_from(date(2024, 2, 1), 90)))
    view = view_of(start=date(2024, 4, 1))
    assert april.values(view, "last-30")[PERIOD] == "last-30"
    assert april.values(view, "2024-04")[PERIOD] == "2024-04"
    # Without one, or with another, it is the more telling name.
    others: list[object] = [None, "all", "2024-03", "last-7", "nonsense", 7, [], {}]
    for current in others:
        assert april.values(view, current)[PERIOD] == "2024-04"
    after = picked(april, View(), {PERIOD: "last-30"})
    assert after == view
    # The next pick says the period as it stands.
    assert april.differing(view, april.values(view, "last-30")) == set()
    assert april.values(View(), "last-30")[PERIOD] == "all"
    custom = view_of(start=date(2024, 4, 2))
    assert april.values(custom, "last-30")[PERIOD] is None


LENGTHS: Sequence[list[Row]] = [
    days_from(date(2024, 2, 1), 90),
    days_from(date(2023, 1, 1), 7 + 31),
    # The last week is all that March has, the first two days all of February.
    days_from(date(2024, 2, 28), 9),
    days_from(date(2023, 2, 1), 28 + 7),
    at("2024-01-01", "2024-03-25", "2024-03-31"),
    days_from(date(2023, 11, 20), 100),
]


@pytest.mark.parametrize("rows", LENGTHS)
def test_of_presets_with_the_same_dates_each_stays(rows: list[Row]) -> None:
    engine = engine_of(rows)
    page, found = controls_of(engine), dates.presets(engine.facts.days)
    for key, preset in found.items():
        view = picked(page, View(), {PERIOD: key})
        assert view == view_of(start=preset.start, end=preset.end)
        assert page.values(view, key)[PERIOD] == key
    pairs = [
        (one, other)
        for one, other in combinations(found, 2)
        if found[one][1:] == found[other][1:]
    ]
    for one, other in pairs:
        view = view_of(start=found[one].start, end=found[one].end)
        assert page.values(view)[PERIOD] == other
        assert page.values(view, one)[PERIOD] == one
    same = engine.facts.days[-1].item().day in (7, 30)
    assert bool(pairs) == same


def test_a_period_sets_the_dates() -> None:
    page = controls_of(engine_of([*ROWS, ("cy", "home", 5, "2024-03-20")]))
    february = view_of(start=date(2024, 2, 1), end=date(2024, 3, 1))
    assert picked(page, View(), {PERIOD: "2024-02"}) == february
    assert picked(page, View(), {PERIOD: "last-7"}) == (
        view_of(start=date(2024, 12, 25))
    )
    assert picked(page, february, {PERIOD: "all"}) == View()
    # The period is what is said of custom dates; it can't be picked.
    assert picked(page, february, {PERIOD: None}) == february
    # It is more than the dates that may come with it.
    both = {PERIOD: "2024-02", START: "2024-12-01", END: "2024-12-02"}
    assert picked(page, View(), both) == february


def test_days_that_are_a_period_are_named(page: Controls) -> None:
    view = picked(page, View(), {START: "2024-02-01", END: "2024-02-29"})
    assert page.values(view)[PERIOD] == "2024-02"
    view = picked(page, View(), {START: "2024-01-01", END: "2024-12-31"})
    assert view == View()
    assert page.values(view)[PERIOD] == "all"
    # One day without the other is none.
    march = view_of(**MARCH)
    assert picked(page, march, {START: "2024-02-01", END: None}) == View()
    assert picked(page, march, {START: None, END: "2024-02-01"}) == View()


def test_days_can_be_typed_in_any_order(page: Controls) -> None:
    wanted = view_of(start=date(2024, 2, 29), end=date(2024, 3, 2))
    for days in (("2024-03-01", "2024-02-29"), ("2024-02-29", "2024-03-01T00:00")):
        assert picked(page, View(), {START: days[0], END: days[1]}) == wanted
    one = picked(page, View(), {START: "2024-03-01", END: "2024-03-01"})
    assert one == view_of(start=date(2024, 3, 1), end=date(2024, 3, 2))


@pytest.mark.parametrize(
    ("start", "last", "limits"),
    [
        # Days without data change nothing.
        ("2025-01-01", "2025-01-02", None),
        ("2023-12-30", "2023-12-31", None),
        # Those with some are clipped to it.
        ("2023-12-30", "2024-01-01", (None, date(2024, 1, 2))),
        ("2024-12-31", "2025-01-01", (date(2024, 12, 31), None)),
        ("2024-02-01", "9999-12-31", (date(2024, 2, 1), None)),
        ("2024-12-30", "2024-12-30", (date(2024, 12, 30), date(2024, 12, 31))),
    ],
)
def test_days_outside_the_data(
    start: str,
    last: str,
    limits: tuple[date | None, date | None] | None,
    page: Controls,
) -> None:
    march = view_of(**MARCH)
    after = picked(page, march, {START: start, END: last})
    if limits is None:
        assert after == march
    else:
        assert (after.selection.start, after.selection.end) == limits


def test_days_at_the_end_of_the_calendar() -> None:
    page = controls_of(engine_of(at("9999-12-29", "9999-12-30", "9999-12-31")))
    view = picked(page, View(), {START: "9999-12-30", END: "9999-12-30"})
    assert view == view_of(start=date(9999, 12, 30), end=date.max)
    assert page.values(view)[END] == "9999-12-30"
    last = picked(page, View(), {START: "9999-12-31", END: "9999-12-31"})
    assert last == view_of(start=date.max)
    assert page.values(last)[END] == "9999-12-31"


# Other picks.


def test_of_durations_that_exclude_each_other_the_last_set_is_meant(
    page: Controls,
) -> None:
    view = view_of(longest=10)
    assert picked(page, view, {SHORTEST: 60}) == view_of(shortest=60)
    assert picked(page, view, {SHORTEST: 10}) == view_of(shortest=10)
    assert picked(page, view_of(shortest=60), {LONGEST: 10}) == view_of(longest=10)
    assert picked(page, view_of(shortest=60), {LONGEST: 60}) == view_of(longest=60)
    both = picked(page, View(), {SHORTEST: 10, LONGEST: 60})
    assert both == view_of(shortest=10, longest=60)
    # No time is a duration.
    assert picked(page, View(), {SHORTEST: 0}) == view_of(shortest=0)
    assert picked(page, view_of(shortest=0, longest=10), {SHORTEST: ""}) == view


def test_a_pick_changes_what_it_is_of(page: Controls) -> None:
    view = view_of("ann", pages=("home",), statistic="p90", tables=("hours",))
    assert picked(page, view, {USER: ""}).selection.user is None
    assert picked(page, view, {USER: None}).selection.user is None
    assert picked(page, view, {USER: "bob"}) == replace(
        view, selection=replace(view.selection, user="bob")
    )
    pages = picked(page, view, {PAGES: ["cart", "home", "cart", None]})
    assert pages.selection.pages == ("cart", "home")
    assert picked(page, view, {PAGES: None}).selection.pages == ()
    assert picked(page, view, {STATISTIC: "median"}) == replace(
        view, statistic="median"
    )
    assert picked(page, view, {SCALE: "log"}) == replace(view, scale="log")
    assert picked(page, view, {MEASURE: "time"}) == replace(view, timeline="time")
    assert picked(page, view, {SEARCH: "x"}) == replace(view, search="x")
    assert picked(page, view, {SEARCH: None}) == view
    assert picked(page, view, {}) == view


def test_what_was_not_changed_is_not_looked_at(page: Controls) -> None:
    # Of a link that was just followed the controls know nothing yet.
    values = {**page.values(View()), STATISTIC: "median", SCALE: object()}
    view = view_of("ann", pages=("home",), scale="log")
    assert page.pick(view, values, {STATISTIC}) == replace(view, statistic="median")


@pytest.mark.parametrize(
    ("control", "value"),
    [
        *((PERIOD, "1999-01"), (PERIOD, 7)),
        *((START, "yesterday"), (START, 7), (END, "2024-02-30"), (END, "")),
        *((PAGES, "home"), (PAGES, [7]), (PAGES, {"0": "home"})),
        *((SHORTEST, "10"), (LONGEST, True), (LONGEST, [10])),
        *((STATISTIC, "mode"), (STATISTIC, None), (SCALE, []), (SCALE, "sessions")),
        *((MEASURE, {}), (SEARCH, 7), (SEARCH, "\ud800")),
        *((USER, "\ud800"), (USER, 7), (USER, 1.5), (USER, True), (USER, ["ann"])),
    ],
)
def test_what_no_control_can_say_is_refused(
    control: Control, value: Any, page: Controls
) -> None:
    with pytest.raises(BadRequest) as refused:
        picked(page, view_of(**MARCH), {control: value})
    assert refused.value.description is not None
    assert len(refused.value.description.splitlines()) == 1


def test_a_refusal_is_short_and_plain() -> None:
    with pytest.raises(BadRequest) as refused:
        controls.text_or_none(["\n\x1b[31m" * 100])
    assert refused.value.description is not None
    assert len(refused.value.description) < 120
    assert refused.value.description.isprintable()


# The page of the table of users.

THIRD = view_of("ann", pages=("home",), users_page=3)


@pytest.mark.parametrize(
    "changed",
    [
        {STATISTIC: "median"},
        {SCALE: "log"},
        {MEASURE: "time"},
        # What is picked again as it is.
        {USER: "ann"},
        {PAGES: ["home"]},
        {PERIOD: "all"},
        {SEARCH: ""},
        {},
    ],
)
def test_a_pick_that_leaves_the_list_leaves_its_page(
    changed: dict[Control, Any], page: Controls
) -> None:
    assert picked(page, THIRD, changed).users_page == 3


@pytest.mark.parametrize(
    "changed",
    [
        *({USER: "bob"}, {USER: ""}, {PAGES: ["cart"]}, {PAGES: []}),
        *({PERIOD: "2024-02"}, {START: "2024-02-28", END: "2024-03-01"}),
        *({SHORTEST: 10}, {LONGEST: 60}, {SEARCH: "a"}),
        {STATISTIC: "median", USER: "bob"},
    ],
)
def test_a_pick_that_changes_the_list_or_the_user_shows_the_users_page(
    changed: dict[Control, Any], page: Controls
) -> None:
    assert picked(page, THIRD, changed).users_page is None


def test_a_pick_of_other_sessions_shows_the_first_page_of_the_story(
    page: Controls,
) -> None:
    fourth = view_of("ann", pages=("home",), story_page=4)
    same: list[Any] = [{STATISTIC: "median"}, {USER: "ann"}, {SEARCH: "a"}]
    for changed in same:
        assert picked(page, fourth, changed).story_page == 4
    others: list[Any] = [
        *({USER: "bob"}, {PAGES: []}, {PERIOD: "2024-02"}, {LONGEST: 60})
    ]
    for changed in others:
        assert picked(page, fourth, changed).story_page == 1


def test_folders_stay_open_until_pages_are_wanted() -> None:
    page = controls_of(engine_of([("ann", "/a/b", 1, "2024-01-01")]))
    top, opened = view_of(folder=""), view_of(folder="/a/")
    assert picked(page, View(), {GROUPING: "folders"}) == top
    assert picked(page, opened, {GROUPING: "folders"}) == opened
    assert picked(page, opened, {GROUPING: "pages"}) == View()
    assert picked(page, View(), {MATCH: "b", N_ROWS: "200"}) == view_of(
        match="b", length="200"
    )
    for control in (GROUPING, N_ROWS):
        with pytest.raises(BadRequest):
            picked(page, View(), {control: "eleven"})


def test_no_page_stays_none(page: Controls) -> None:
    assert picked(page, view_of("ann"), {STATISTIC: "p90"}).users_page is None


def test_a_switch_sets_its_field(engine: MemoryEngine) -> None:
    switches = [chart.switch for chart in CHARTS if chart.switch is not None]
    assert [switch.id for switch in switches] == ["page-order", "scale", "measure"]
    none = Controls(engine, [])
    assert SCALE not in none.all
    assert SCALE not in none.values(View())


# What differs.


def test_controls_that_ask_for_something_else(page: Controls) -> None:
    view = view_of("ann", pages=("home",), **MARCH)
    said = page.values(view)
    assert page.differing(view, said) == set()
    assert page.differing(view, {**said, STATISTIC: "median"}) == {STATISTIC}
    assert page.differing(view, {**said, USER: ""}) == {USER}
    # Either half of the days asks for both.
    assert page.differing(view, {**said, START: "2024-02-01"}) == {START, END}
    assert page.differing(view, {**said, PERIOD: "all"}) == {PERIOD}
    # Custom dates are no pick of a period, and the order of pages is none of pages.
    assert page.differing(view, {**said, PERIOD: None}) == set()
    assert page.differing(view, {**said, SHORTEST: 10, SEARCH: "a"}) == {
        *(SHORTEST, SEARCH)
    }


@examples(100)
@given(strange_rows, st.data())
def test_controls_that_say_a_view_ask_for_it(
    rows: list[Row], data: st.DataObject
) -> None:
    engine = engine_of(rows)
    page = controls_of(engine)
    view, other = (data.draw(views_of(engine)) for _ in range(2))
    said = page.values(view)
    assert page.differing(view, said) == set()
    assert page.pick(view, said, page.all) == view
    # From any other view they lead to it, but for what no control says.
    folder = None if view.folder is None else other.folder or ""
    wanted = replace(
        view,
        folder=folder,
        tables=other.tables,
        sort=other.sort,
        reverse=other.reverse,
        users_page=None,
        opened=other.opened,
        versus=None if is_picked(other.versus, view.selection) else other.versus,
        weekdays=other.weekdays,
        story_page=1,
        step=other.step,
        ahead=other.ahead,
        back=other.back,
    )
    changed = page.differing(other, said)
    found = page.pick(other, said, changed)
    assert replace(found, users_page=None, story_page=1) == wanted
    # It has an address, which says the same.
    chart_ids = [chart.id for chart in CHARTS]
    assert views.read(views.address(found), engine, chart_ids) == (found, [])


def test_ids_of_controls_are_those_of_components() -> None:
    assert USER == (ids.USER, "value")
    assert (START[0], END[0]) == (ids.DATES, ids.DATES)
