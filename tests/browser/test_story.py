"""One user's story: strips and a list of their sessions, a page at a time."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.examples import some_of

from .conftest import Open, drawn, pick

# Two visits on one day, and one that goes on after midnight; then one a day.
ROWS = "".join(
    [
        "ann,home,600,2024-03-05T09:00:00\n",
        "ann,cart,,2024-03-05T09:20:00\n",
        "ann,<b>x</b>,7200,2024-03-05T23:00:00\n",
        "ann,__proto__,60,2024-03-06T10:00:00\n",
        *(f"ann,home,60,2024-05-{1 + n // 8:02}T0{n % 8}:00:00\n" for n in range(200)),
        "bob,home,60,2024-03-07T10:00:00\n",
    ]
)


def told(page: Page, words: str) -> None:
    """Wait until the section is about a view, and none is awaited."""
    expect(page.locator("#story-body:not([aria-busy]) .finding")).to_contain_text(words)


def rows(page: Page) -> list[str]:
    return page.locator(".story-list tbody tr:not(.day) a").all_inner_texts()


def test_it_costs_nothing_until_it_is_opened(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    page.get_by_text("Median", exact=True).first.click()
    page.wait_for_url("**stat=median**")
    drawn(page)
    assert not any("story-answered" in body for body in asked)
    expect(page.locator("#story-body > *")).to_have_count(0)
    page.locator("#story-section summary").click()
    told(page, "sessions in")
    page.wait_for_url("**&open=story")
    assert sum("story-answered" in body for body in asked) == 1
    page.locator("#story-section summary").click()
    page.wait_for_url(lambda url: "story" not in url)
    expect(page.locator("#story-body")).to_be_hidden()


def test_strips_and_list_show_the_same_sessions(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    page = open_page(table_file(ROWS), query="?user=ann&open=story")
    told(page, "204 sessions in 203 visits")
    assert rows(page)[:4] == ["home", "cart", "<b>x</b>", "__proto__"]
    expect(page.locator(".story-days .day").first).to_have_text("Tue 5 Mar 2024")
    # The third is cut at midnight.
    expect(page.locator(".strip a")).to_have_count(101)
    expect(page.locator(".strip a[data-unknown]")).to_have_count(1)
    expect(page.locator(".strip .visit")).to_have_count(100)
    boxes = [
        page.locator(".strip").nth(number).locator("[data-row='2']").bounding_box()
        for number in (0, 1)
    ]
    # It goes on for an hour on either side, at the ends of their strips.
    first, second = (box for box in boxes if box)
    assert first["width"] == pytest.approx(second["width"], abs=0.1)
    assert first["x"] + first["width"] == pytest.approx(
        second["x"] + 24 * second["width"], abs=0.5
    )


def test_a_click_on_a_segment_filters_by_its_day_and_page(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    page = open_page(table_file(ROWS), query="?user=ann&open=story&part=2")
    told(page, "204 sessions")
    expect(page.locator("#story-body nav")).to_contain_text("101 to 200 of 204")
    page.locator("#story-body nav").get_by_text("Earlier").click()
    segment = page.locator(".strip a[title^='cart']")
    expect(segment).to_have_attribute(
        "title", "cart\nTue 5 Mar 2024, 09:20:00, unknown duration"
    )
    page.locator(".strip a[data-row='0']").click()
    told(page, "1 session, on home.")
    assert sorted(parse_qsl(urlsplit(page.url).query)) == [
        *(("open", "story"), ("page", "home"), ("to", "2024-03-06"), ("user", "ann"))
    ]
    drawn(page)
    expect(page.locator("#chips .chip")).to_have_count(2)
    # The same again takes it back, and so does the browser. The keyboard stays there.
    link = page.locator(".story-list td a").first
    link.press("Enter")
    told(page, "204 sessions")
    expect(link).to_be_focused()
    page.go_back()
    told(page, "1 session, on home.")


def test_a_day_is_one_field(open_page: Open, table_file: Callable[..., str]) -> None:
    page = open_page(table_file(ROWS), query="?user=ann&open=story&page=home&page=cart")
    told(page, "202 sessions")
    body = page.locator("#story-body")
    day = body.get_by_label("Go to day")
    expect(day).to_have_attribute("min", "2024-03-05")
    expect(day).to_have_attribute("max", "2024-05-25")
    expect(day).to_have_value("")

    def go(to: str, chip: str) -> list[tuple[str, str]]:
        day.fill(to)
        day.press("Enter")
        expect(page.locator("#chips .chip").first).to_contain_text(chip)
        query = parse_qsl(urlsplit(page.url).query)
        return [part for part in query if part[0] in ("from", "to")]

    assert go("2024-05-04", "4 May") == [("from", "2024-05-04"), ("to", "2024-05-05")]
    told(page, "8 sessions")
    expect(day).to_have_value("2024-05-04")
    expect(day).to_be_focused()
    # The first and the last of all days.
    assert go("2024-03-05", "5 March") == [("to", "2024-03-06")]
    told(page, "2 sessions in 1 visit")
    assert go("2024-05-25", "25 May") == [("from", "2024-05-25")]
    told(page, "8 sessions")
    # A day without sessions is no dead end, and neither is a filter.
    assert go("2024-03-06", "6 March") == [("from", "2024-03-06"), ("to", "2024-03-07")]
    told(page, "No sessions of ann match. Show all pages")
    body.get_by_role("link", name="Show all pages").click()
    told(page, "1 session, on __proto__.")
    assert "page=" not in page.url
    expect(body.get_by_role("link", name="Show all pages")).to_have_count(0)
    go("2024-05-04", "4 May")
    told(page, "8 sessions")
    # Nor is a click on a segment, which picks its page.
    page.locator(".story-list td a").first.click()
    expect(body.locator(".others")).to_contain_text("Only sessions that match count.")
    link = body.locator(".others").get_by_role("link", name="Show all pages")
    link.click()
    page.wait_for_url(lambda url: "page=" not in url)
    expect(day).to_have_value("2024-05-04")


def test_pages_of_the_list_stand_in_the_address(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    page = open_page(table_file(ROWS), query="?user=ann&open=story")
    told(page, "204 sessions")
    pager = page.locator("#story-body nav")
    expect(pager).to_have_text("1 to 100 of 204 sessionsLater →Last »")
    pager.get_by_text("Later").press("Enter")
    page.wait_for_url("**&part=2")
    expect(pager).to_contain_text("101 to 200")
    # The keyboard stays where it was.
    expect(pager.get_by_text("Later")).to_be_focused()
    page.keyboard.press("Enter")
    expect(pager).to_contain_text("201 to 204")
    expect(pager.get_by_text("First")).to_be_focused()
    page.reload()
    expect(pager).to_contain_text("201 to 204")
    assert len(rows(page)) == 4
    # Another user's story is at its beginning.
    pick(page, "bob")
    told(page, "1 session, on home.")
    assert "part" not in page.url


def test_with_everyone_picked_it_says_to_pick_a_user(open_page: Open) -> None:
    page = open_page(query="?user=&open=story")
    told(page, "Pick a user to see their story.")
    expect(page.locator("#story-body > *")).to_have_count(1)
    pick(page, "user_7")
    told(page, "sessions in")


def test_what_is_pointed_at_is_marked_on_both_sides(open_page: Open) -> None:
    page = open_page(query="?user=user_7&open=story")
    told(page, "sessions in")
    row = page.locator(".story-list tr[data-row='1']")
    row.hover()
    expect(page.locator(".strip a[data-row='1']")).to_have_class("pointed")
    expect(page.locator(".pointed")).to_have_count(2)


@pytest.mark.parametrize(
    ("width", "colours"), some_of(1, [(375, "light"), (768, "dark"), (1920, "light")])
)
def test_it_fits_and_can_be_read(open_page: Open, width: int, colours: str) -> None:
    page = open_page(query="?user=user_7&open=story", width=width, colours=colours)
    told(page, "sessions in")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page, context="#story-section")
    assert [violation["id"] for violation in found.response["violations"]] == []
