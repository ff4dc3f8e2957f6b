"""The page in debug mode, with Dash's own menu."""

import pytest
from playwright.sync_api import expect

from tests.examples import much_alike

from .conftest import Open, drawn


@pytest.mark.parametrize("mode", ["--debug", "--no-debug"])
def test_nothing_shares_to_a_cloud(open_page: Open, debugged: str, mode: str) -> None:
    page = open_page(url=debugged) if mode == "--debug" else open_page()
    titles = page.locator(".modebar-btn").evaluate_all(
        "buttons => buttons.map(button => button.dataset.title)"
    )
    assert "Zoom" in titles
    assert not [title for title in titles if "hare" in title or "loud" in title]
    assert page.get_by_text("Cloud").locator("visible=true").count() == 0


@much_alike
def test_dashs_menu_begins_folded_and_stays_as_it_is_left(
    open_page: Open, debugged: str
) -> None:
    page = open_page(url=debugged)
    toggle = page.locator(".dash-debug-menu__toggle")
    menu = page.locator(".dash-debug-menu__content")
    expect(toggle).to_be_visible()
    expect(menu).to_have_count(0)
    toggle.click()
    expect(menu).to_be_visible()
    page.reload()
    drawn(page)
    expect(menu).to_be_visible()
    toggle.click()
    page.reload()
    drawn(page)
    expect(toggle).to_be_visible()
    expect(menu).to_have_count(0)


def test_an_error_shows_where_the_menu_is_folded(
    open_page: Open, debugged: str
) -> None:
    # Whatever is said on the console about it is meant.
    page = open_page(url=debugged, forgiven="")
    page.evaluate("() => dash_clientside.set_props('words', {data: {text: null}})")
    expect(page.locator(".dash-debug-menu__popup")).to_contain_text("Cannot convert")
    expect(page.locator(".dash-debug-menu__error-indicator")).to_be_visible()
    expect(page.locator(".dash-debug-menu__content")).to_have_count(0)
