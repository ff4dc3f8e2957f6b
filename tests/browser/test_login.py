"""Signing in, and what a page says whose session has ended, in a real browser."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import drawn
from tests.programs import SMALL, free_port, running
from tests.serving.test_login import HASH, PASSWORD


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("login") / "passwords"
    path.write_text(f"ann:{HASH}\n")
    path.chmod(0o600)
    port = free_port()
    arguments = ("--no-debug", "--port", str(port), "--password-file", str(path))
    with running(*arguments, *SMALL):
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 375, "height": 800})
    yield context
    context.close()


def sign_in(page: Page) -> None:
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_the_form_works_by_keyboard_alone(context: BrowserContext, site: str) -> None:
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{site}?user=user_7")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert Axe().run(page).response["violations"] == []
    page.reload()
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    words = "This name and password don't match."
    expect(page.get_by_role("alert")).to_have_text(words)
    expect(page.get_by_label("Password")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert [text for text in complaints if "401" not in text] == []
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}?user=user_7", wait_until="commit")


def test_the_form_needs_no_script(browser: Browser, site: str) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{site}?user=user_7")
    sign_in(page)
    page.wait_for_url(f"{site}?user=user_7", wait_until="commit")
    page.close()


def test_a_page_says_that_its_session_has_ended(
    context: BrowserContext, site: str
) -> None:
    page = context.new_page()
    page.goto(f"{site}?user=user_7")
    sign_in(page)
    drawn(page, "user_7")
    with page.expect_download() as download:
        page.locator("#sessions").click()
    assert download.value.path().read_text().startswith("user_id,page,")

    context.clear_cookies()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("download", lambda download: asked.append(download.suggested_filename))
    said = page.locator("#connection")
    page.locator("#sessions").click()
    expect(said).to_have_text("You are signed out. Sign in again")
    assert asked == [f"{site}sessions.csv?user=user_7"]
    page.locator("#save-view").click()
    expect(page.locator("#save-view")).to_have_text("Not saved: signed out")
    page.evaluate("dash_clientside.set_props('user', {value: 'user_9'})")
    expect(said).to_have_text(
        "You are signed out. This is still the view before. Sign in again"
    )
    drawn(page, "user_7")
    # It asks once, and again when the person comes back.
    n_asked = len(asked)
    page.clock.install()
    page.clock.fast_forward("10:00")
    assert len(asked) == n_asked

    # In another tab.
    context.request.post(f"{site}login", form={"name": "ann", "password": PASSWORD})
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    drawn(page, "user_9")
    expect(said).to_have_text("")

    context.clear_cookies()
    page.evaluate("dash_clientside.set_props('user', {value: 'user_8'})")
    page.get_by_role("link", name="Sign in again").click()
    page.wait_for_url(f"{site}login?next=%2F%3Fuser%3Duser_9")


def test_signing_out(context: BrowserContext, site: str) -> None:
    page = context.new_page()
    page.goto(site)
    sign_in(page)
    expect(page.locator("#signed-in span")).to_have_text("Signed in as ann")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site}login")
    assert context.cookies() == []
    page.goto(site)
    assert page.url == f"{site}login"
