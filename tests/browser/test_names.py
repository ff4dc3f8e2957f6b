"""Names from strangers: whatever users and pages are called, the page is drawn."""

from collections.abc import Callable, Sequence
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.examples import much_alike

from .conftest import Open, drawn

# What every object of JavaScript has, and what makes an index of all pieces explode.
STRANGE = ("__proto__", "a__proto__b", "constructor", "toString", "hasOwnProperty")
LONG = "".join(f"/{number}" for number in range(2_500))[:10_000]
MANY = tuple(f"{number:03}{'-some-long-name' * 20}"[:200] for number in range(300))


def rows_of(names: Sequence[str]) -> str:
    """A session of each name, as a user and as a page, beside two plain ones."""
    plain = "ann,home,5,2024-01-01\n" * 9 + "bob,cart,7,2024-01-02\n"
    return plain + "".join(f"{name},{name},6,2024-01-03\n" for name in names)


def find(page: Page, dropdown: str, typed: str) -> None:
    """Open a dropdown and search in it, until the one hit is there."""
    page.click(f"#{dropdown}")
    page.locator(".dash-dropdown-search").fill(typed)
    expect(page.get_by_role("option")).to_have_count(1)


def shows(page: Page, address: str) -> None:
    """Wait until the view of an address is drawn."""
    expect(page.locator("#chips")).to_have_attribute("data-address", address)
    drawn(page)


def picks(page: Page, typed: str, name: str) -> None:
    """The search for what is *typed* finds a user and a page, and picks them."""
    find(page, "user", typed)
    page.get_by_role("option").click()
    shows(page, f"?user={quote(name)}")
    find(page, "pages", typed)
    page.keyboard.press("Enter")
    shows(page, f"?user={quote(name)}&page={quote(name)}")
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(page.locator("#tile-sessions-value")).to_have_text("1")
    # Nothing has got into all objects.
    assert page.evaluate("() => { for (const key in {}) return key; }") is None
    page.locator("#clear").click()
    shows(page, f"?user={quote(name)}")


def test_names_that_all_objects_have(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    page = open_page("--no-debug", table_file(rows_of(STRANGE)), query="?user=")
    for name in STRANGE:
        typed = name.swapcase() if name == "toString" else name
        # "__proto__" is in two names.
        if name == "__proto__":
            page.click("#user")
            page.locator(".dash-dropdown-search").fill(typed)
            expect(page.get_by_role("option")).to_have_text(
                ["__proto__", "a__proto__b"]
            )
            page.keyboard.press("Escape")
            continue
        picks(page, typed, name)


def test_a_link_names_a_prototype(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    query = "?user=__proto__&page=__proto__"
    page = open_page("--no-debug", table_file(rows_of(STRANGE)), query=query)
    expect(page.locator("#user")).to_have_text("__proto__")
    expect(page.locator("#pages")).to_have_text("__proto__")
    expect(page.locator("#users-table [aria-current]")).to_have_text("__proto__")


@much_alike
def test_a_name_of_ten_thousand_letters(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    page = open_page("--no-debug", table_file(rows_of([LONG])), query="?user=")
    picks(page, LONG, LONG)
    picks(page, LONG[4_990:5_060], LONG)
    # It is cut where it is shown, and whole in a hover.
    shown = page.locator("#user .dash-dropdown-value-item span")
    assert len(shown.inner_text()) < 60
    expect(shown).to_have_attribute("title", LONG)


@much_alike
def test_three_hundred_names_of_two_hundred_letters(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    page = open_page("--no-debug", table_file(rows_of(MANY)), query="?user=")
    page.click("#user")
    labels = page.get_by_role("option").all_inner_texts()
    assert len(labels) == len(set(labels)) == 51
    assert max(map(len, labels)) < 60
    page.keyboard.press("Escape")
    picks(page, MANY[270][:30], MANY[270])


@pytest.mark.parametrize("typed", ["STRASSE", "Straße"])
@much_alike
def test_a_hit_that_only_the_server_can_see_is_shown(
    open_page: Open, table_file: Callable[..., str], typed: str
) -> None:
    rows = rows_of([*(f"user_{number}" for number in range(400)), "Hauptstraße"])
    page = open_page("--no-debug", table_file(rows), query="?user=")
    find(page, "user", typed)
    expect(page.get_by_role("option")).to_have_text("Hauptstraße")
