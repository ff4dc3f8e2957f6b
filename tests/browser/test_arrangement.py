"""Where things stand, and how many pages are looked through."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import CHARTS, Open, drawn

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
    assert "rows=50" in page.url
    assert "match=shop/1" in page.url


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
    assert unquote(page.url).endswith("folder=https://x.org/help/")
    # A page in it is picked like any other.
    page.locator("#total-time .bars .point").nth(1).click(force=True)
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
    assert page.url.endswith("?user=user_1")


def test_a_name_that_is_cut_is_whole_when_it_is_copied(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    name = f"{'a-rather-long-name-' * 5}of-somebody@example.org"
    page = open_page("--no-debug", table_file(f"{name},home,5,2024-03-01\n"))
    link = page.locator("#users-table tbody a")
    assert link.inner_text() != name
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
