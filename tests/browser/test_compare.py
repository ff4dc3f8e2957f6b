"""What is picked beside another user, some users, or another period."""

import csv
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.examples import some_of

from .conftest import Open, pick

STRANGE = (
    "__proto__,<b>x</b>,10,2024-03-05T09:00:00\n"
    "<i>bob</i>,<b>x</b>,20,2024-03-05T09:00:00\n"
    "<i>bob</i>,__proto__,,2024-02-05T09:00:00\n"
)


def told(page: Page, words: str) -> None:
    """Wait until the section is about a view, and none is awaited."""
    expect(page.locator("#compare-body:not([aria-busy]) .finding")).to_contain_text(
        words
    )


def asked(page: Page) -> dict[str, str]:
    """What the page's address asks for, by its keys."""
    return dict(parse_qsl(urlsplit(page.url).query))


def test_a_user_is_compared_with_another_one(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    page.locator("#compare-section summary").click()
    told(page, "of user_7, 1 min 28 s of everyone")
    page.get_by_label("User, or a part of names").fill("user_9")
    page.get_by_role("button", name="This user").click()
    told(page, "of user_7, 2 min 6 s of user_9 (−18 %, more than chance)")
    assert asked(page)["vs"] == "user:user_9"
    expect(page.locator("#compare-body .beyond th")).to_have_count(5)
    expect(page.locator("#compare-body .js-plotly-plot .legend")).to_have_count(2)
    # It is in the address alone.
    page.reload()
    told(page, "of user_7, 2 min 6 s of user_9")
    page.go_back()
    told(page, "of user_7, 1 min 28 s of everyone")


def test_with_ctrl_a_click_in_the_table_compares(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    row = page.locator("#users-table tbody a").nth(2)
    name = row.inner_text()
    row.click(modifiers=["ControlOrMeta"])
    told(page, f"of {name}")
    assert asked(page) == {"user": "user_7", "vs": f"user:{name}"}
    # What opened it goes with it.
    page.locator("#compare-section summary").click()
    page.wait_for_url(lambda url: "vs=" not in url)
    expect(page.locator("#compare-body")).to_be_hidden()


HEADING = """() => {
    const top = document.querySelector('#compare-section').getBoundingClientRect().top;
    const controls = document.querySelector('.controls');
    const {position} = getComputedStyle(controls);
    return top - (position === 'sticky' ? controls.offsetHeight : 0);
}"""


@pytest.mark.parametrize("width", [1400, 375])
def test_who_opens_it_looks_at_it(open_page: Open, width: int) -> None:
    page = open_page(query="?user=user_7&open=compare&open=story", width=width)
    told(page, "of everyone")
    # An address is loaded from its beginning.
    assert page.evaluate("scrollY") == 0
    page.emulate_media(reduced_motion="reduce")
    page.locator("#compare-section summary").click()
    folded = page.evaluate("scrollY")
    expect(page.locator("#compare-body")).to_be_hidden()
    page.locator("#compare-section summary").press("Enter")
    told(page, "of everyone")
    expect(page.locator("#compare-body .js-plotly-plot .legend").first).to_be_visible()
    assert page.evaluate(HEADING) == pytest.approx(8, abs=2)
    assert page.evaluate("scrollY") > folded
    # Another pick leaves the page where it is.
    page.mouse.wheel(0, 300)
    page.wait_for_function("before => scrollY > before + 100", arg=folded)
    page.evaluate("() => dash_clientside.set_props('user', {value: 'user_9'})")
    told(page, "of user_9")
    assert page.evaluate(HEADING) < -50


def test_who_compares_from_the_table_looks_at_it(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    links = page.locator("#users-table tbody a")
    own = page.locator("#users-table [aria-current]")
    expect(own).to_have_attribute("title", "user_7")
    own.click(modifiers=["ControlOrMeta"])
    name = links.first.inner_text()
    expect(links.first).to_have_attribute("title", f"{name}\nCtrl-click to compare")
    expect(page.locator("#compare-body")).to_be_hidden()
    links.first.click(modifiers=["ControlOrMeta"])
    told(page, f"of {name}")
    page.wait_for_function(f"() => Math.abs(({HEADING})() - 8) < 3")


def test_a_month_is_compared_with_the_one_before(
    open_page: Open, tmp_path: Path
) -> None:
    query = "?user=&from=2024-03-01&to=2024-04-01&open=compare"
    page = open_page(query=query)
    page.get_by_role("link", name="The period before").click()
    told(page, "1 min 26 s in March 2024, 1 min 31 s in February 2024")
    expect(page.locator("#tile-sessions-beside")).to_contain_text("on February 2024")
    page.get_by_role("link", name="Weekday on weekday").click()
    expect(page.get_by_role("link", name="Day on day")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#compare-body .others a").click()
    download.value.save_as(tmp_path / "numbers.csv")
    text = (tmp_path / "numbers.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines()))
    assert rows[0][1] == "March 2024: sessions"
    assert len(rows) == 11


def test_some_users_and_any_dates(open_page: Open) -> None:
    page = open_page(query="?user=user_7&open=compare")
    page.get_by_label("User, or a part of names").fill("user_1")
    page.get_by_role("button", name="All whose name contains it").click()
    told(page, "users with “user_1” in the name")
    dates = page.locator("#compare-body")
    dates.get_by_label("First day").fill("2024-01-01")
    dates.get_by_label("Last day").fill("2024-01-31")
    dates.get_by_role("button", name="These dates").click()
    told(page, "in January 2024")
    assert asked(page)["vs"] == "2024-01-01/2024-02-01"


def test_the_keyboard_stays_where_it_is(open_page: Open) -> None:
    page = open_page(query="?user=user_7&open=compare")
    told(page, "of everyone")
    ways = page.locator("#compare-body .ways")
    other = ways.get_by_role("link").filter(has_text="user_").first
    name = other.inner_text()
    other.press("Enter")
    told(page, f"of {name}")
    expect(ways.get_by_role("link", name=name, exact=True)).to_be_focused()
    ways.get_by_label("User, or a part of names").fill("user_9")
    page.keyboard.press("Enter")
    told(page, "2 min 6 s of user_9")
    expect(ways.get_by_label("User, or a part of names")).to_be_focused()
    ways.get_by_role("button", name="All whose").press("Enter")
    told(page, "with “user_9” in the name")
    expect(ways.get_by_role("button", name="All whose")).to_be_focused()
    page.locator("#compare-body .pages").focus()
    page.go_back()
    told(page, "2 min 6 s of user_9")
    expect(page.locator("#compare-body .pages")).to_be_focused()
    # What is elsewhere stays there.
    page.locator("#compare-section summary").focus()
    page.go_back()
    told(page, f"of {name}")
    expect(page.locator("#compare-section summary")).to_be_focused()


@pytest.mark.parametrize("can_move", [True, False])
def test_what_is_being_typed_stays_while_an_answer_comes(
    open_page: Open, *, can_move: bool
) -> None:
    page = open_page(query="?user=user_7&open=compare")
    told(page, "of everyone")
    if not can_move:
        page.evaluate("() => { delete Element.prototype.moveBefore; }")
    field = page.get_by_label("User, or a part of names")
    field.press_sequentially("user_12")
    field.press("ArrowLeft")
    field.press("Shift+ArrowLeft")
    # Another answer comes meanwhile, which nothing here asked for.
    page.evaluate("() => dash_clientside.set_props('user', {value: 'user_9'})")
    told(page, "of user_9")
    expect(field).to_be_focused()
    page.keyboard.press("3")
    expect(field).to_have_value("user_32")
    if not can_move:
        return
    # A half of a date, too.
    first = page.locator("#compare-body").get_by_label("First day")
    first.focus()
    page.keyboard.type("0229")
    page.evaluate("() => dash_clientside.set_props('user', {value: 'user_7'})")
    told(page, "of user_7")
    expect(first).to_be_focused()
    page.keyboard.type("2024")
    expect(first).to_have_value("2024-02-29")
    page.locator("#compare-body").get_by_label("Last day").fill("2024-03-01")
    page.keyboard.press("Enter")
    told(page, "in 29 February")
    assert asked(page)["vs"] == "2024-02-29/2024-03-02"


# How many functions listen to the size of the window, beyond those there are now.
LISTENERS = """() => {
    window.listening = 0;
    const {addEventListener: add, removeEventListener: remove} = window;
    window.addEventListener = function (type, ...how) {
        if (type === "resize") window.listening += 1;
        return add.call(this, type, ...how);
    };
    window.removeEventListener = function (type, ...how) {
        if (type === "resize") window.listening -= 1;
        return remove.call(this, type, ...how);
    };
}"""


def test_charts_that_are_replaced_leave_nothing_behind(open_page: Open) -> None:
    page = open_page(query="?user=user_7&vs=user:user_9", anew=True)
    told(page, "of user_7, 2 min 6 s of user_9")
    charts = page.locator("#compare-body .js-plotly-plot .legend")
    expect(charts).to_have_count(2)
    page.evaluate(LISTENERS)
    for user in ("user_8", "user_6", "user_7"):
        pick(page, user)
        told(page, f"of {user}, ")
        expect(charts).to_have_count(2)
    assert page.evaluate("listening") == 0


@pytest.mark.parametrize("width", [375, 500])
def test_pages_stay_in_sight_while_the_table_is_pushed(
    open_page: Open, width: int
) -> None:
    page = open_page(query="?user=user_7&vs=user:user_9", width=width)
    told(page, "of user_7, 2 min 6 s of user_9")
    table = page.locator("#compare-body .pages")
    cells = table.locator("tr > :first-child")
    left = "element => element.getBoundingClientRect().left"
    before = cells.evaluate_all(f"cells => cells.map({left})")
    assert table.evaluate(
        "table => { table.scrollLeft = 1e4; return table.scrollLeft; }"
    )
    assert cells.evaluate_all(f"cells => cells.map({left})") == before
    # What goes past is behind it.
    clear = "rgba(0, 0, 0, 0)"
    backgrounds = "cells => cells.map(cell => getComputedStyle(cell).backgroundColor)"
    assert clear not in cells.evaluate_all(backgrounds)


@pytest.mark.parametrize("width", some_of(1, [375, 1920]))
def test_names_are_text(
    open_page: Open, table_file: Callable[..., str], width: int
) -> None:
    query = "?user=__proto__&vs=user:%3Ci%3Ebob%3C/i%3E"
    page = open_page(table_file(STRANGE), query=query, width=width)
    told(page, "of <i>bob</i>")
    expect(page.locator("#compare-body i, #compare-body b")).to_have_count(0)
    expect(page.locator("#compare-body tbody th").first).to_have_text("<b>x</b>")
    wider = "document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(f"() => {wider}")
    found = Axe().run(page, context="#compare-section")
    assert found.response["violations"] == []
