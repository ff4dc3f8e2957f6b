"""What comes next: from a page to those after and before it, and on."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from .conftest import Open
from .test_analysis import shows

CHECKOUT = "?user=user_7&open=paths&step=checkout"


def columns(page: Page) -> list[str]:
    return page.locator("#paths-body h3").all_inner_texts()


def test_from_a_page_to_what_comes_next(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    expect(page.locator("#paths-body")).to_be_empty()
    page.get_by_text("What Comes Next").click()
    steps = page.locator("#paths-body")
    expect(steps.get_by_text("Start from another page")).to_be_visible()
    steps.locator(".middle").get_by_role("link", name="checkout").click()
    shows(page, CHECKOUT)
    expect(steps.locator(".finding")).to_contain_text("After checkout")
    assert columns(page) == ["Page before", "checkout", "Next page"]
    expect(steps.locator(".of-user").first).to_be_visible()

    after = steps.locator(".step").last
    after.get_by_role("link", name="search", exact=True).press("Enter")
    shows(page, f"{CHECKOUT}&ahead=search")
    expect(steps.locator("h3").last).to_have_text("After search")
    # Who came by the keyboard is where they were.
    expect(steps.locator(".chosen [aria-current]")).to_be_focused()
    steps.locator(".step").first.get_by_role("link", name="cart", exact=True).click()
    shows(page, f"{CHECKOUT}&ahead=search&back=cart")
    expect(steps.locator("h3").first).to_have_text("Before cart")

    page.go_back()
    expect(steps.locator("h3").first).to_have_text("Page before")
    page.reload()
    expect(steps.locator("h3").last).to_have_text("After search")
    # The same again takes it back.
    steps.locator(".chosen a.name").click()
    shows(page, CHECKOUT)
    steps.locator(".step").last.get_by_label("Start from home").click()
    expect(steps.locator(".middle h3")).to_have_text("home")


def test_everyones_paths(open_page: Open) -> None:
    page = open_page(query="?user=&open=paths&step=gone&ahead=home")
    steps = page.locator("#paths-body")
    expect(steps.locator("h3").last).to_have_text("After home")
    assert not steps.locator(".of-user").count()
    expect(page.get_by_text("step “gone”, which has no session")).to_be_visible()


def test_names_are_text_and_fit(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    names = ("__proto__", "<b>x</b>", "w" * 4_000, "‮right", "=1+1")
    rows = "".join(
        f"{user},{name},9,2024-01-01T00:{minute:02}:00\n"
        for user in ("__proto__", "b")
        for minute, name in enumerate(names)
    )
    path = table_file(rows)
    page = open_page(path, query="?open=paths", width=375)
    steps = page.locator("#paths-body")
    for name in names[:2]:
        steps.locator(".middle").get_by_role("link", name=name, exact=True).click()
        expect(steps.locator(".middle h3")).to_have_text(name)
    steps.locator(".step").last.locator("a.name").first.click()
    expect(steps.locator("h3")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert not page.evaluate("'right' in {} || 'x' in Object.prototype")
