"""In which order charts are drawn, see assets/draw.js."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import Open, drawn

# No frame is painted, until `paint` says so.
BUSY = """() => {
    const waiting = [];
    window.requestAnimationFrame = work => waiting.push(work);
    window.paint = () => {
        window.requestAnimationFrame = work => setTimeout(work);
        for (const work of waiting.splice(0)) work();
    };
    window.draws = {};
    for (const plot of document.querySelectorAll('.js-plotly-plot'))
        plot.on('plotly_afterplot', () => {
            const {id} = plot.closest('.dash-graph');
            draws[id] = (draws[id] ?? 0) + 1;
        });
}"""
HIDE = """() => {
    Object.defineProperty(document, 'hidden', {value: true});
    document.dispatchEvent(new Event('visibilitychange'));
}"""
UNDRAWN = """() => [...document.querySelectorAll('.undrawn')]
    .map(plot => plot.closest('.dash-graph').id)"""
USER_OF = """chart => document.querySelector(`#${chart} .js-plotly-plot`).data
    .map(trace => trace.name).find(name => name?.startsWith('user_'))"""
IS_OF = f"([chart, user]) => ({USER_OF})(chart) === user"
PICK = "user => dash_clientside.set_props('user', {value: user})"


@pytest.fixture
def busy_page(open_page: Open) -> Page:
    page = open_page(query="?user=user_7")
    page.set_viewport_size({"width": 1400, "height": 900})
    page.evaluate(BUSY)
    return page


def pick(page: Page, user: str) -> None:
    page.evaluate(PICK, user)
    page.wait_for_function(IS_OF, arg=["user-average", user])


def test_what_is_on_the_screen_is_drawn_first(busy_page: Page) -> None:
    page = busy_page
    pick(page, "user_9")
    assert set(page.evaluate(UNDRAWN)) == {"durations", "timeline", "hours"}
    assert page.evaluate(USER_OF, "durations") == "user_7"
    page.evaluate("paint()")
    drawn(page, "user_9")
    assert page.evaluate(UNDRAWN) == []


def test_of_several_picks_only_the_last_is_drawn(busy_page: Page) -> None:
    page = busy_page
    pick(page, "user_9")
    page.evaluate(PICK, "user_11")
    expect(page.locator("#chips")).to_have_attribute("data-address", "?user=user_11")
    page.evaluate("paint()")
    drawn(page, "user_11")
    assert page.evaluate("draws")["timeline"] == 1
    assert page.evaluate("draws")["user-average"] == 2


@pytest.mark.parametrize(
    "meet",
    [
        lambda page: page.evaluate("dispatchEvent(new Event('beforeprint'))"),
        lambda page: page.locator("#timeline-section").dispatch_event("pointerover"),
        lambda page: page.locator("#timeline-details summary").focus(),
        # In a tab that is hidden no frame is painted.
        lambda page: page.evaluate(HIDE),
    ],
)
def test_nobody_meets_a_chart_that_waits(
    busy_page: Page, meet: Callable[[Page], Any]
) -> None:
    page = busy_page
    pick(page, "user_9")
    assert page.evaluate(USER_OF, "timeline") == "user_7"
    meet(page)
    assert page.evaluate(USER_OF, "timeline") == "user_9"


def test_the_browsers_own_functions_are_used(open_page: Open) -> None:
    # What the polyfill puts in their place takes this for a blank.
    blank = "\u180e"
    page = open_page()
    assert page.evaluate("text => [text.trim(), parseInt(text + 8)]", blank)[0] == blank
    assert page.evaluate("text => Number.isNaN(parseFloat(text + 8))", blank)
