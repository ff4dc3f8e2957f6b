"""Storage: the theme is kept where there is some, and the page works where not."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from dash import Dash
from playwright.sync_api import Browser, Page, Route, expect
from werkzeug.serving import make_server

from tests.examples import much_alike, some_of

from .conftest import Open, drawn, pick

# As Chromium does where cookies are blocked, and where a frame is a sandbox.
REFUSE = """
    const refuse = () => {
        throw new DOMException("Access is denied for this document.", "SecurityError");
    };
    for (const name of ["localStorage", "sessionStorage"])
        Object.defineProperty(window, name, {get: refuse, configurable: %(anew)s});
    Object.defineProperty(document, "cookie", {get: refuse, configurable: true});
"""


@pytest.fixture
def refused(browser: Browser) -> Iterator[Callable[[str, str], tuple[Page, list[str]]]]:
    """Open an address where storage is refused; gives also what went wrong."""
    pages: list[Page] = []

    def refused(address: str, script: str) -> tuple[Page, list[str]]:
        page = browser.new_page()
        pages.append(page)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda message: (
                wrong.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.add_init_script(script)
        page.goto(address)
        drawn(page)
        return page, wrong

    yield refused
    for page in pages:
        page.close()


@pytest.mark.parametrize(
    ("mode", "anew"), some_of(1, [("--no-debug", "true"), ("--debug", "false")])
)
def test_the_page_works_where_storage_is_refused(
    serve: Callable[..., str],
    debugged: str,
    refused: Callable[[str, str], tuple[Page, list[str]]],
    mode: str,
    anew: str,
) -> None:
    address = debugged if mode == "--debug" else serve(mode)
    page, wrong = refused(address, REFUSE % {"anew": anew})
    pick(page, "user_7")
    page.get_by_text("Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_text("System", exact=True).click()
    expect(page.locator("html:not([data-theme])")).to_have_count(1)
    assert wrong == []


def without_door(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of an answer without those that forbid to put the page in a frame."""
    doors = ("x-frame-options", "content-security-policy")
    return [(name, value) for name, value in headers if name.lower() not in doors]


@pytest.mark.parametrize("mode", some_of(1, ["--no-debug", "--debug"]))
@much_alike
def test_the_page_works_in_a_sandbox_that_lets_it_ask(
    browser: Browser, serve: Callable[..., str], debugged: str, mode: str
) -> None:
    page = browser.new_page()
    address = debugged if mode == "--debug" else serve(mode)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))

    def fetch(route: Route) -> None:
        # Playwright lets every origin ask for what it answers with.
        response = route.fetch()
        headers = dict(without_door(response.headers.items()))
        route.fulfill(response=response, headers=headers)

    page.route(f"{address}**", fetch)
    page.set_content(f"<iframe sandbox='allow-scripts' src='{address}'></iframe>")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#users-table table")).to_be_visible(timeout=30_000)
    bars = frame.locator("#total-time .bars path")
    expect(bars).not_to_have_count(0, timeout=30_000)
    frame.get_by_text("Dark", exact=True).click()
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    expect(frame.locator(".dash-debug-menu__content")).to_have_count(0)
    page.close()
    assert wrong == []


def test_a_sandbox_that_lets_it_ask_for_nothing_is_told(
    browser: Browser, app: Dash
) -> None:
    inner = app.server.wsgi_app

    def outer(environ: Any, start: Any) -> Any:
        def started(status: str, headers: Any, error: Any = None) -> Any:
            return start(status, without_door(headers), error)

        return inner(environ, started)

    server = make_server("127.0.0.1", 0, outer, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    page = browser.new_page()
    try:
        address = f"http://127.0.0.1:{server.port}/"
        page.set_content(f"<iframe sandbox='allow-scripts' src='{address}'></iframe>")
        expect(page.frame_locator("iframe").locator("body")).to_contain_text(
            "This frame keeps the page from its server: please open it in its own tab."
        )
    finally:
        page.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_theme_that_was_picked_is_there_before_anything_is_painted(
    open_page: Open,
) -> None:
    page = open_page(colours="light")
    page.get_by_text("Dark", exact=True).click()
    # Neither Dash nor what comes after it is there yet.
    page.route("**/_dash-component-suites/**", lambda route: None)
    page.goto(page.url, wait_until="commit")
    page.wait_for_selector("._dash-loading")
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(15, 19, 24)"


def test_a_theme_that_there_is_not_is_none(open_page: Open) -> None:
    page = open_page()
    page.evaluate("() => localStorage.setItem('theme', 'purple')")
    page.reload()
    drawn(page)
    expect(page.locator("html:not([data-theme])")).to_have_count(1)
    expect(page.locator("#theme input[value=system]")).to_be_checked()


def test_the_switch_says_what_was_picked_before(open_page: Open) -> None:
    page = open_page()
    page.get_by_text("Light", exact=True).click()
    page.reload()
    drawn(page)
    expect(page.locator("#theme input[value=light]")).to_be_checked()


def test_there_is_no_menu_without_debug_mode(open_page: Open) -> None:
    page = open_page("--no-debug")
    assert page.locator(".dash-debug-menu__toggle").count() == 0
    kept = page.evaluate("() => Object.keys(localStorage)")
    assert kept == []
