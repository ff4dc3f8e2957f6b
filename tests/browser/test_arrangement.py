"""Where things stand, and how many pages are looked through."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.examples import much_alike, some_of

from .conftest import CALLS, CHARTS, Open, drawn, hold_answers

WIDTHS = (375, 768, 1280, 1400, 1600, 1920, 2560)
LABELS = """() => [...document.querySelectorAll(
    '#total-time .ytick text')].map(text => text.textContent)"""


def edge(page: Page, selector: str, side: str) -> float:
    """Where an element begins or ends, in pixels of the page."""
    found: float = page.eval_on_selector(
        selector, "(element, side) => element.getBoundingClientRect()[side]", side
    )
    return found


def shop(n: int = 12) -> str:
    """Sessions on n pages of a shop and three others, ever longer ones."""
    rows = [f"https://x.org/shop/{i:02}?lang=en,{i + 1}" for i in range(n)]
    rows += [f"https://x.org/help/{i}?lang=en,{600 * (i + 1)}" for i in range(3)]
    return "".join(f"ann,{row},2024-03-01T1{i % 3}:00\n" for i, row in enumerate(rows))


@pytest.fixture
def many(open_page: Open, table_file: Callable[..., str]) -> Page:
    return open_page("--no-debug", table_file(shop()), query="?user=")


def test_nothing_is_cut_and_no_column_is_empty(open_page: Open) -> None:
    page = open_page()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        is_whole(page, width)


def is_whole(page: Page, width: int) -> None:
    """Whether the page fills its width, and no more."""
    # Charts are drawn anew, and are as wide as before until then.
    page.wait_for_function(
        "width => document.documentElement.scrollWidth === width", arg=width
    )
    right = edge(page, "main > .controls", "right")
    for chart in ("durations", "timeline"):
        assert edge(page, f"#{chart}-section", "right") == pytest.approx(right, abs=1)
    beside = ["#user-average-section", "#hours-section"]
    assert all(edge(page, s, "right") == pytest.approx(right, abs=1) for s in beside)
    if width >= 1280:
        assert page.eval_on_selector(
            "#users-table", "element => element.scrollWidth <= element.clientWidth"
        )
    assert edge(page, ".tiles", "top") < edge(page, "#total-time-section", "top")


def long_names(n: int = 12) -> str:
    """Sessions of users with long names, of which the beginnings and ends are alike."""
    names = [f"user_with_a_very_long_{i:02}_name@mail.example.org" for i in range(n)]
    return "".join(
        f"{name},p{i % 3},{3_600 * (n - i)},2024-03-01T1{i % 9}:00\n"
        for i, name in enumerate(names)
    )


@pytest.mark.parametrize("width", some_of(3, (375, 1280, 2560, 768, 1400, 1600, 1920)))
def test_of_the_table_of_users_no_number_is_cut(
    open_page: Open, table_file: Callable[..., str], width: int
) -> None:
    page = open_page("--no-debug", table_file(long_names()), width=width)
    cut = page.eval_on_selector_all(
        "#users-table :is(th, td):not(:first-child)",
        """cells => {
            const end = element => element.getBoundingClientRect().right;
            const right = end(document.querySelector("#users-table"));
            return cells.filter(cell => cell.scrollWidth > cell.clientWidth
                || end(cell) > right + 1).length;
        }""",
    )
    assert cut == 0
    heads = page.locator("#users-table th").all()
    seen = [head.inner_text() for head in heads if head.is_visible()]
    assert seen[:3] == ["User", "Total time ↓", "Sessions"]
    assert (len(seen) == 6) == (width >= 1400 or width == 768)
    # Of a name nothing is cut: it may be anything that tells it from others.
    link = page.locator("#users-table tbody a").nth(1)
    name = "user_with_a_very_long_01_name@mail.example.org"
    expect(link).to_have_attribute("title", re.compile(f"^{re.escape(name)}\n"))
    assert link.evaluate("link => link.textContent") == name
    is_cut = "cell => cell.scrollWidth > cell.clientWidth"
    assert not page.locator("#users-table td").first.evaluate(is_cut)
    lines = "link => link.getClientRects().length"
    assert (link.evaluate(lines) == 1) == (width >= 1920)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [375, 1400])
def test_the_name_of_the_picked_user_is_cut_once(
    open_page: Open, table_file: Callable[..., str], width: int
) -> None:
    page = open_page("--no-debug", table_file(long_names()), width=width)
    if width == 375:
        page.locator("#fold").click()
    shown = page.locator("#user-value")
    assert shown.inner_text().count("…") <= 2
    assert "00" in shown.inner_text()
    assert shown.evaluate("value => value.scrollWidth <= value.clientWidth")


def test_nothing_moves_when_controls_and_answers_come(
    browser: Browser, serve: Callable[..., str]
) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    late: list[Route] = []
    page.route("**/async-datepicker*", lambda route: late.append(route))
    release = hold_answers(page)
    page.goto(serve("--no-debug"))
    page.wait_for_selector("#pages", state="attached")
    # What has nothing to say yet isn't seen.
    for selector in ("#pages", "#period", "#statistic", ".take-away a >> nth=1"):
        expect(page.locator(selector)).to_be_hidden()
    places = ".place, .tiles, .page-tools, #total-time-section"
    tops = """elements => elements.map(element => {
        const {x, y, width} = element.getBoundingClientRect();
        return [x, y, width].map(Math.round);
    })"""
    before = page.eval_on_selector_all(places, tops)
    release()
    page.wait_for_selector("#users-table table")
    expect(page.locator("#pages")).to_be_visible()
    assert page.eval_on_selector_all(places, tops) == before
    while not late:
        page.wait_for_timeout(50)
    for route in late:
        route.continue_()
    page.wait_for_selector("#dates-wrapper")
    assert page.eval_on_selector_all(places, tops) == before
    page.close()


def test_the_first_click_opens_the_list_of_pages(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    rows = "".join(f"ann,/some/page/{i},5,2024-03-01\n" for i in range(400))
    page = open_page("--no-debug", table_file(rows))
    page.click("#pages")
    expect(page.get_by_role("option").first).to_be_visible()
    # All that are found are not all that there are.
    expect(page.get_by_role("button", name="Select All", exact=True)).to_be_hidden()
    # One ring around the search.
    search = page.locator(".dash-dropdown-search")
    expect(search).to_be_focused()
    assert search.evaluate("e => getComputedStyle(e).outlineStyle") == "none"


@much_alike
def test_on_a_phone_days_are_picked_in_a_calendar(open_page: Open) -> None:
    page = open_page(width=375, touch=True)
    page.set_viewport_size({"width": 375, "height": 700})
    page.locator("#fold").tap()
    page.locator("#dates-wrapper").tap()
    calendar = page.locator(".dash-datepicker-content")
    expect(calendar).to_be_visible()
    box = calendar.bounding_box()
    assert box is not None
    assert box["x"] == 0
    assert box["y"] > 0
    assert box["width"] == 375
    assert box["y"] + box["height"] <= 700
    months = page.locator(".dash-datepicker-calendar-container > *")
    expect(months.first).to_be_visible()
    expect(months.nth(1)).to_be_hidden()
    for day in ("8", "17"):
        page.locator(".dash-datepicker-calendar-date-inside").get_by_text(
            day, exact=True
        ).first.tap()
    page.wait_for_url("**from=2024-01-08&to=2024-01-18")


def test_on_a_phone_it_is_said_whose_numbers_these_are(open_page: Open) -> None:
    page = open_page(width=375, touch=True, query="?user=user_3&page=cart")
    fold = page.locator("#fold")
    expect(fold).to_have_text("Filters: user_3, cart")
    box = fold.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 400
    # There is no Escape.
    fold.tap()
    assert page.locator("#clear").inner_text() == "Clear all"


@much_alike
def test_on_a_phone_a_chart_is_seen_below_what_governs_it(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    page = open_page("--no-debug", table_file(shop()), width=375, touch=True)
    expect(page.locator(".shared")).to_be_visible()
    assert edge(page, ".page-tools", "bottom") < edge(page, "#total-time", "top")
    assert edge(page, "#total-time .bars .point", "bottom") < 812


def test_headings_are_level_and_nothing_moves_when_the_report_opens(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    page = open_page("--no-debug", table_file(long_names()), width=1280)
    headings = ("#total-time-heading", "#user-average-heading")
    charts = ("#total-time", "#user-average")
    for heading, chart in zip(headings, charts, strict=True):
        finding = edge(page, f"{chart}-finding", "bottom")
        assert edge(page, chart, "top") - finding < 12
        assert edge(page, heading, "top") == pytest.approx(
            edge(page, headings[0], "top"), abs=4
        )
    below = [edge(page, s, "top") for s in (".report summary", ".controls")]
    page.locator(".report summary").click()
    expect(page.locator(".report dl")).to_be_visible()
    assert [edge(page, s, "top") for s in (".report summary", ".controls")] == below
    assert edge(page, ".report dl", "right") <= 1280


def test_ranks_stand_beside_the_numbers_that_they_are_of(open_page: Open) -> None:
    page = open_page(query="?user=user_1")
    rank, sessions = page.locator("#tile-sessions-rank"), "#tile-sessions-value"
    before, count = rank.inner_text(), page.locator(sessions).inner_text()
    assert before
    held: list[Route] = []
    released: list[bool] = []

    def hold(route: Route) -> None:
        asks_list = '"listed.data"' in (route.request.post_data or "")
        if asks_list and not released:
            held.append(route)
        else:
            route.continue_()

    page.route(CALLS, hold)
    page.evaluate("() => dash_clientside.set_props('url', {search: '?user=user_9'})")
    expect(page.locator(sessions)).not_to_have_text(count)
    expect(rank).to_be_empty()
    released.append(True)
    for route in held:
        route.continue_()
    expect(rank).to_have_text(re.compile(r"\d(st|nd|rd|th) of 50"))


def test_a_pick_touches_only_what_it_changes(open_page: Open) -> None:
    page = open_page(query="?user=user_1&page=cart")
    page.evaluate(
        """() => {
            window.touched = new Set();
            const watch = changes => changes.forEach(({target}) =>
                touched.add(target.id || target.parentElement?.id));
            const all = {subtree: true, childList: true, characterData: true,
                attributes: true};
            for (const element of document.querySelectorAll(
                "#chips, .finding, .others, .tiles, .tools details, .charts > section"))
                new MutationObserver(watch).observe(element,
                    element.matches("section") ? {attributes: true} : all);
        }"""
    )
    page.get_by_text("Time", exact=True).click()
    expect(page.locator("#timeline-heading")).to_contain_text("Time")
    drawn(page)
    touched = set(page.evaluate("() => [...touched]"))
    assert touched <= {"chips", "timeline-finding", "users-section"}


def test_filters_numbers_and_two_charts_are_seen_at_once(open_page: Open) -> None:
    page = open_page()
    page.set_viewport_size({"width": 1400, "height": 900})
    for chart in ("total-time", "user-average"):
        assert edge(page, f"#{chart}", "bottom") <= 900


def test_on_a_phone_filters_are_folded_and_a_chart_is_seen(open_page: Open) -> None:
    page = open_page(width=375, touch=True)
    assert edge(page, "#total-time .bars", "top") < 812
    expect(page.locator("#user")).to_be_hidden()
    page.locator("#fold").tap()
    expect(page.locator("#user")).to_be_visible()
    page.locator("#fold").tap()
    expect(page.locator("#user")).to_be_hidden()


def test_pages_are_searched_and_more_of_them_shown(many: Page) -> None:
    page = many
    expect(
        page.get_by_text("All begin with “https://x.org” and end in")
    ).to_be_visible()
    labels = page.evaluate(LABELS)
    assert (len(labels), labels[:3]) == (10, ["/help/2", "/help/1", "/help/0"])
    expect(page.locator("#total-time-others")).to_have_text(
        "5 other pages: 15 s of everyone's time. Show 50 rows"
    )
    page.locator("#total-time-others a").click()
    page.wait_for_function(f"() => ({LABELS})().length === 15")
    expect(page.locator("#total-time-others")).to_be_hidden()
    page.locator("#match").fill("shop/1")
    page.wait_for_function(f"() => ({LABELS})().length === 2")
    assert page.evaluate(LABELS) == ["/shop/11", "/shop/10"]
    expect(page.locator("#pages-found")).to_have_text("2 of 15 pages")
    expect(page).to_have_url(re.compile(r"rows=50&match=shop/1$"))


def test_a_folder_opens_with_a_click_and_closes_again(many: Page) -> None:
    page = many
    page.get_by_text("Folders", exact=True).click()
    page.wait_for_function(f"() => ({LABELS})().length === 2")
    assert page.evaluate(LABELS) == [
        "▸ /help/ (3 pages)",
        "▸ /shop/ (12 pages)",
    ]
    page.locator("#total-time .bars .point").nth(0).click(force=True)
    page.wait_for_function(f"() => ({LABELS})().length === 3")
    page.wait_for_url(lambda url: unquote(url).endswith("folder=https://x.org/help/"))
    # A page in it is picked like any other.
    expect(page.locator("#chips")).to_have_attribute("data-address", re.compile("help"))
    drawn(page)
    page.locator("#total-time .bars .point").nth(1).hover(force=True)
    expect(page.locator("#total-time .hoverlayer")).to_contain_text("/help/1")
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".chip")).to_have_text("/help/1 ×")
    page.locator("#folders a").first.click()
    page.wait_for_function(f"() => ({LABELS})().length === 2")
    page.get_by_text("Pages", exact=True).nth(1).click()
    page.wait_for_function(f"() => ({LABELS})().length === 10")


def test_pages_are_sorted_by_the_difference(open_page: Open) -> None:
    page = open_page(query="?user=user_1")
    page.get_by_text("Difference", exact=True).click()
    expect(page.locator("#chips")).to_have_attribute(
        "data-address", "?user=user_1&order=difference"
    )
    ratios = page.evaluate(
        """() => {
            const [user, everyone] = document.querySelector(
                '#user-average .js-plotly-plot').data;
            return user.x.map((value, i) => value / everyone.x[i]);
        }"""
    )
    assert len(ratios) == 10
    assert ratios == sorted(ratios, reverse=True)


def test_what_leaves_nothing_can_be_taken_away(open_page: Open) -> None:
    page = open_page("--no-debug", "--sessions", "60", query="?user=user_1")
    page.evaluate("() => dash_clientside.set_props('longest', {value: 0.001})")
    nothing = page.locator("#nothing")
    expect(nothing).to_contain_text("No sessions of user_1 match under 0.001 s.")
    nothing.get_by_role("link", name="Remove this filter").click()
    expect(nothing).to_be_hidden()
    drawn(page)
    page.wait_for_url(lambda url: url.endswith("?user=user_1"))


@much_alike
def test_a_name_that_is_cut_is_whole_when_it_is_copied(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    name = f"{'a-rather-long-name-' * 5}of-somebody@example.org"
    page = open_page("--no-debug", table_file(f"{name},home,5,2024-03-01\n"))
    link = page.locator("#users-table tbody a")
    assert link.evaluate("link => link.textContent") != name
    expect(link).to_have_attribute("title", name)
    copied = page.evaluate(
        """() => {
            const rows = document.querySelector('#users-table tbody');
            getSelection().selectAllChildren(rows);
            const event = new ClipboardEvent(
                'copy', {clipboardData: new DataTransfer(), cancelable: true});
            document.dispatchEvent(event);
            return event.clipboardData.getData('text/plain');
        }"""
    )
    assert copied.split("\t")[:3] == [name, "5 s", "1"]


def test_the_link_to_what_is_shown_is_copied(open_page: Open) -> None:
    page = open_page(query="?user=user_3&page=cart")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#copy-link").click()
    expect(page.locator("#copy-link")).to_have_text("Copied")
    assert page.evaluate("() => navigator.clipboard.readText()") == page.url


def test_a_saved_view_is_read_without_the_server(
    open_page: Open, browser: Browser, tmp_path: Path
) -> None:
    page = open_page(query="?user=user_3&page=cart")
    with page.expect_download() as download:
        page.locator("#save-view").click()
    expect(page.locator("#save-view")).to_have_text("Saved")
    assert download.value.suggested_filename == "user_3, cart.html"
    path = tmp_path / "view.html"
    download.value.save_as(path)
    finding = page.locator("#user-average-finding").inner_text()
    offline = browser.new_context(offline=True).new_page()
    asked: list[str] = []
    offline.on("request", lambda request: asked.append(request.url))
    offline.goto(path.as_uri())
    expect(offline.get_by_text(finding)).to_be_visible()
    pictures = offline.locator("figure img")
    expect(pictures).to_have_count(len(CHARTS))
    for picture in pictures.all():
        assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    offline.context.close()


@much_alike
def test_numbers_behind_a_chart_are_in_sight_beside_a_long_address(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    file = table_file(
        f"ann,https://x.org/{'a-long-way/' * 30},5,2024-01-01", "long.csv"
    )
    page = open_page("--no-debug", file, query="?table=total-time")
    last = page.locator("#total-time-table td").last
    expect(last).to_have_text("5 s")
    right = "element => element.getBoundingClientRect().right"
    assert last.evaluate(right) <= page.locator("#total-time-table").evaluate(right)
