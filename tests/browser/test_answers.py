"""What the browser knows by itself, see assets/answers.js: it is as the server says."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.examples import much_alike, some_of

from .conftest import CALLS, Open, drawn, pick

SHOWN = """() => [
    location.search,
    document.querySelector('#chips').dataset.address,
    [...document.querySelectorAll('.js-plotly-plot')].map(plot => [
        plot.layout.datarevision, plot.layout.xaxis?.range, plot.data.length]),
    document.querySelector('main').innerText,
    [...document.querySelectorAll('main input')]
        .map(input => [input.value, input.checked]),
]"""
"""All that a view has: its address, figures, words and controls."""


def calls(page: Page) -> list[Request]:
    """The calls for views, and for tables of users, that come from now on."""
    made: list[Request] = []
    page.on(
        "request",
        lambda request: (
            made.append(request)
            if "/_dash-update-component" in request.url
            and any(name in (request.post_data or "") for name in ("drawn", "listed"))
            else None
        ),
    )
    return made


def shows(page: Page, query: str) -> None:
    """Wait until the view of an address is drawn, with its table of users."""
    expect(page.locator("#chips")).to_have_attribute("data-address", query)
    user = query.partition("user=")[2].partition("&")[0]
    expect(page.locator("#users-table [aria-current]")).to_have_text(user)
    drawn(page)


def rest_on(page: Page, user: str) -> None:
    """Open the list of users, and wait with the pointer on one of them."""
    page.click("#user")
    page.locator(".dash-dropdown-search").fill(user)
    option = page.get_by_role("option", name=user, exact=True)
    with page.expect_response(
        lambda response: '"listed.data"' in (response.request.post_data or "")
    ):
        option.hover()


def test_a_view_that_was_shown_before_is_shown_without_asking(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    shows(page, "?user=user_7")
    pick(page, "user_9")
    shows(page, "?user=user_9")
    made = calls(page)
    page.go_back()
    shows(page, "?user=user_7")
    page.go_forward()
    shows(page, "?user=user_9")
    pick(page, "user_7")
    shows(page, "?user=user_7")
    # The pointer may have rested on another user on its way.
    texts = [request.post_data or "" for request in made]
    asked = ('["user.value"]', '"?user=user_7"', '"?user=user_9"')
    assert not [text for text in texts if any(part in text for part in asked)]


def test_what_the_pointer_rests_on_is_asked_for_before_it_is_picked(
    open_page: Open,
) -> None:
    page = open_page(query="?user=user_7")
    before = page.evaluate(SHOWN)
    rest_on(page, "user_9")
    assert page.evaluate(SHOWN)[:3] == before[:3]
    made = calls(page)
    page.get_by_role("option", name="user_9", exact=True).click()
    shows(page, "?user=user_9")
    assert made == []


COUNT = """() => {
    window.read = 0;
    const {json} = Response.prototype;
    Response.prototype.json = async function () {
        const answer = await json.call(this);
        setTimeout(() => { read += 1; });
        return answer;
    };
}"""
"""Count the answers that the page has read, a task after each."""

SHOWN_WITH_THE_CLICK = """element => {
    element.click();
    const {data} = document.querySelector('#user-average .js-plotly-plot');
    const user = data.map(trace => trace.name).find(name => name?.startsWith('user_'));
    return [user, document.querySelector('#chips').dataset.address];
}"""


def test_a_known_view_is_shown_with_the_click(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    page.evaluate(COUNT)
    rest_on(page, "user_9")
    # That of the view, and that of the table of users.
    page.wait_for_function("() => read === 2")
    option = page.get_by_role("option", name="user_9", exact=True)
    assert option.evaluate(SHOWN_WITH_THE_CLICK) == ["user_9", "?user=user_9"]
    shows(page, "?user=user_9")
    page.wait_for_url(lambda url: url.endswith("?user=user_9"))


def test_a_link_that_has_the_focus_is_asked_for_before_it_is_followed(
    open_page: Open,
) -> None:
    page = open_page(query="?user=user_7")
    link = page.locator("#users-table tbody a").nth(1)
    there = f"?user={link.inner_text()}"
    with page.expect_response(
        lambda response: '"listed.data"' in (response.request.post_data or "")
    ):
        link.focus()
    made = calls(page)
    page.keyboard.press("Enter")
    shows(page, there)
    assert made == []


STEPS: list[Callable[[Page], Any]] = [
    lambda page: pick(page, "user_9"),
    lambda page: page.locator("#users-table tbody a").nth(3).click(),
    lambda page: page.get_by_text("Median", exact=True).first.click(),
    lambda page: page.locator("#users-table tbody a").nth(1).click(),
    lambda page: page.locator("#durations-section").get_by_text("Logarithmic").click(),
    lambda page: page.locator("#hours-details summary").click(),
    lambda page: page.get_by_text("Difference", exact=True).click(),
    lambda page: pick(page, "user_12"),
]


@much_alike
def test_a_known_view_is_as_the_server_would_say(open_page: Open) -> None:
    page, other = open_page(query="?user=user_7"), open_page(query="?user=user_7")
    addresses = ["?user=user_7"]
    for step in some_of(5, STEPS):
        step(page)
        expect(page.locator("#chips")).not_to_have_attribute(
            "data-address", addresses[-1]
        )
        addresses.append(page.locator("#chips").get_attribute("data-address") or "")
    # What comes to lie under a pointer would be asked for ahead.
    page.mouse.move(0, 0)
    made = calls(page)
    for address in reversed(addresses[:-1]):
        page.go_back()
        shows(page, address)
        other.goto(page.url)
        shows(other, address)
        assert page.evaluate(SHOWN) == other.evaluate(SHOWN)
    assert made == []


def test_without_a_server_what_is_known_is_shown(open_page: Open) -> None:
    page = open_page(query="?user=user_7", forgiven="ERR_FAILED")
    shows(page, "?user=user_7")
    pick(page, "user_9")
    shows(page, "?user=user_9")
    page.route(CALLS, lambda route: route.abort())
    page.go_back()
    shows(page, "?user=user_7")
    assert page.locator("#connection").inner_text() == ""


@pytest.mark.parametrize("status", [503, 200])
def test_a_failure_before_a_pick_is_no_failure_of_the_pick(
    open_page: Open, status: int
) -> None:
    page = open_page(query="?user=user_7", forgiven="503")
    other = {"X-Data-Version": "other", "Content-Type": "application/json"}
    page.route(
        CALLS, lambda route: route.fulfill(status=status, headers=other, body="")
    )
    rest_on(page, "user_9")
    assert page.locator("#connection").inner_text() == ""
    page.unroute(CALLS)
    page.get_by_role("option", name="user_9", exact=True).click()
    shows(page, "?user=user_9")


def test_a_bar_is_asked_for_when_it_is_pressed(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    page.evaluate(COUNT)

    def point_at_bar() -> None:
        box = page.locator("#total-time .bars .point").nth(1).bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
        hover = page.locator("#total-time .hoverlayer .hovertext")
        expect(hover).to_contain_text("checkout")

    point_at_bar()
    assert page.evaluate("read") == 0
    page.mouse.down()
    page.wait_for_function("() => read === 2")
    expect(page.locator("#chips")).to_have_attribute("data-address", "?user=user_7")
    made = calls(page)
    page.mouse.up()
    expect(page.locator("#chips")).to_contain_text("checkout")
    shows(page, page.locator("#chips").get_attribute("data-address") or "")
    assert made == []
    # The same again takes it back.
    point_at_bar()
    page.mouse.down()
    page.mouse.up()
    shows(page, "?user=user_7")
    assert made == []


CLICK_BOTH = """link => {
    const plot = document.querySelector('#total-time .js-plotly-plot');
    const bar = () => plot.layout.yaxis.ticktext[1];
    const before = bar();
    link.click();
    plot.emit('plotly_click', {points: [{pointNumber: 1, curveNumber: 0}]});
    return [before, bar()];
}"""
"""Follow a link, and click a bar before Dash has heard of either."""


def test_a_click_means_the_chart_that_is_seen(open_page: Open) -> None:
    page = open_page(query="?user=user_7&max=20")
    shows(page, "?user=user_7&max=20")
    page.locator("#total-time .nsewdrag").hover()
    page.locator("#clear").click()
    shows(page, "?user=user_7")
    page.go_back()
    shows(page, "?user=user_7&max=20")
    before, seen = page.locator("#clear").evaluate(CLICK_BOTH)
    assert before != seen
    shows(page, f"?user=user_7&page={seen}")


def test_to_pick_who_is_shown_changes_nothing(open_page: Open) -> None:
    query = "?user=user_7&sheet=2"
    page = open_page(query=query)
    expect(page.locator("#users-table nav")).to_contain_text("2 of 5")
    page.evaluate(COUNT)
    page.click("#user")
    page.locator(".dash-dropdown-search").fill("user_7")
    page.get_by_role("option", name="user_7", exact=True).click()
    # What is asked for after it is answered after it.
    page.mouse.move(0, 0)
    page.locator(".dash-dropdown-search").fill("user_9")
    page.get_by_role("option", name="user_9", exact=True).hover()
    page.wait_for_function("() => read === 2")
    expect(page.locator("#chips")).to_have_attribute("data-address", query)
    expect(page.locator("#users-table nav")).to_contain_text("2 of 5")


def test_only_a_person_opens_a_table(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    page.locator("#hours-details").evaluate(
        """details => new Promise(done => {
            details.addEventListener('toggle', () => setTimeout(done));
            details.open = true;
        })"""
    )
    page.wait_for_url(lambda url: url.endswith("?user=user_7"))
    page.locator("#durations-details summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#durations-table table")).to_be_visible()
    page.wait_for_url(lambda url: url.endswith("?user=user_7&table=durations"))
