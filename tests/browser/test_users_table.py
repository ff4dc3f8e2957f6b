"""The table of users keeps its page, unless the list changes."""

from playwright.sync_api import Page, expect

from .conftest import Open, drawn, pick


def pager(page: Page, words: str) -> None:
    expect(page.locator("#users-table nav")).to_contain_text(words)


def picked(page: Page, user: str) -> None:
    """Wait until the row of the picked user is in sight, and marked."""
    drawn(page, user)
    expect(page.locator("#users-table [aria-current]")).to_have_text(user)


def test_a_click_on_a_user_stays_on_the_page(open_page: Open) -> None:
    page = open_page(query="?user=user_1")
    for there in ("2 of 5", "3 of 5"):
        page.get_by_role("link", name="Next").click()
        pager(page, there)
    row = page.locator("#users-table tbody a").nth(4)
    user = row.inner_text()
    row.click()
    picked(page, user)
    pager(page, "3 of 5")
    page.get_by_text("P90", exact=True).click()
    expect(page.locator("#user-average-heading")).to_contain_text("P90")
    pager(page, "3 of 5")
    page.locator("#hours-details summary").click()
    expect(page.locator("#hours-table table")).to_be_visible()
    pager(page, "3 of 5")


def test_the_page_of_a_user_who_is_picked_elsewhere_is_shown(open_page: Open) -> None:
    page = open_page(query="?user=user_1&sheet=5")
    pager(page, "5 of 5")
    pick(page, "user_9")
    picked(page, "user_9")
    pager(page, "1 of 5")
    pick(page, "user_45")
    picked(page, "user_45")
    expect(page.locator("#users-table nav")).not_to_contain_text("1 of 5")


def test_another_order_begins_with_its_first_page(open_page: Open) -> None:
    page = open_page(query="?user=user_45&sheet=3")
    page.get_by_role("link", name="User", exact=True).click()
    expect(page.locator("#users-table tbody a").first).to_have_text("user_1")
    pager(page, "1 of 5")


def test_a_filter_shows_the_page_of_the_picked_user(open_page: Open) -> None:
    page = open_page(query="?user=user_45&sheet=2")
    pager(page, "2 of 5")
    page.evaluate("() => dash_clientside.set_props('pages', {value: ['cart']})")
    picked(page, "user_45")
    page.wait_for_url(lambda url: "sheet" not in url)
