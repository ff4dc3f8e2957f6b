"""What goes wrong between the page and the server, and what the page then says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from dash import Dash
from playwright.sync_api import Page, Route, expect
from werkzeug.serving import BaseWSGIServer, make_server

from app import create_app
from tests.sessions import ROWS, table

from .conftest import CALLS, Open, drawn, hold_answers, pick


@contextmanager
def serving(app: Dash, port: int = 0) -> Iterator[BaseWSGIServer]:
    """The app on a server in this process; as good as gone when left."""
    server = make_server("127.0.0.1", port, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def opened_and_left(open_page: Open, app: Dash) -> tuple[Page, int]:
    """The page of an app whose server is gone, and the port that it had."""
    with serving(app) as server:
        address = f"http://127.0.0.1:{server.port}/"
        page = open_page(url=address, forgiven="Failed to load resource")
        return page, server.port


def ask_for(page: Page, names: list[str]) -> None:
    """Ask for pages as a link does."""
    page.evaluate(
        """names => dash_clientside.set_props('url', {search:
            `?user=&${names.map(name => `page=${name}`).join("&")}`})""",
        names,
    )


def shown_user(page: Page) -> str:
    return page.locator("#chips").get_attribute("data-caption") or ""


def test_a_server_that_comes_back_answers_the_pick_that_it_missed(
    open_page: Open,
) -> None:
    app = create_app(table(ROWS))
    page, port = opened_and_left(open_page, app)
    connection = page.locator("#connection")
    page.click("#user")
    page.get_by_role("option", name="bob").click()
    expect(connection).to_contain_text("The server doesn't answer; trying again.")
    expect(connection).to_contain_text("The page still shows the view before.")
    assert shown_user(page) == "ann"
    # What was picked is kept.
    expect(page.locator("#user")).to_have_text("bob")
    with serving(app, port):
        drawn(page, "bob")
        expect(connection).to_be_hidden()
        assert shown_user(page) == "bob"


def test_what_is_picked_last_is_drawn_when_the_server_comes_back(
    open_page: Open,
) -> None:
    app = create_app(table(ROWS))
    page, port = opened_and_left(open_page, app)
    for user in ("bob", "cy"):
        page.click("#user")
        page.get_by_role("option", name=user).click()
        expect(page.locator("#connection")).to_contain_text("doesn't answer")
    with serving(app, port):
        drawn(page, "cy")
        expect(page.locator("#connection")).to_be_hidden()
        expect(page.locator("#user")).to_have_text("cy")


@pytest.mark.parametrize("status", [400, 404, 413, 429, 500])
def test_a_pick_that_is_refused_is_told_and_taken_back(
    open_page: Open, status: int
) -> None:
    page = open_page(query="?user=user_7", forgiven="Failed to load resource")
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        body = route.request.post_data or ""
        if refused or '"drawn"' not in body:
            route.fallback()
            return
        refused.append(body)
        route.fulfill(status=status, body="<b>no</b>", content_type="text/plain")

    page.route(CALLS, refuse_once)
    page.click("#user")
    page.get_by_role("option", name="user_9", exact=True).click()
    connection = page.locator("#connection")
    expect(connection).to_have_text(
        f"The server refused this ({status}: <b>no</b>). "
        "The page still shows the view before."
    )
    # The control says again what is drawn, and the next pick is as good as any.
    expect(page.locator("#user")).to_have_text("user_7")
    page.wait_for_load_state("networkidle")
    expect(connection).to_be_visible()
    assert shown_user(page) == "user_7"
    pick(page, "user_5")
    expect(connection).to_be_hidden()


def test_a_link_that_is_refused_is_taken_back(open_page: Open) -> None:
    page = open_page(query="?user=user_7", forgiven="Failed to load resource")
    page.route(CALLS, lambda route: route.fulfill(status=400, body="no"))
    page.locator("#users-table tbody a").first.click()
    expect(page.locator("#connection")).to_contain_text("refused this (400: no)")
    page.wait_for_url("**/?user=user_7")
    page.unroute(CALLS)
    page.locator("#users-table tbody a").first.click()
    drawn(page, "user_1")
    expect(page.locator("#connection")).to_be_hidden()


def test_an_answer_that_takes_long_is_waited_for(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    release = hold_answers(page)
    page.click("#user")
    page.get_by_role("option", name="user_9", exact=True).click()
    connection = page.locator("#connection")
    expect(connection).to_have_text(
        "No answer yet. The page still shows the view before."
    )
    release()
    drawn(page, "user_9")
    expect(connection).to_be_hidden()


def test_many_long_names_can_be_picked(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    names = [f"/{'long/' * 30}{number}" for number in range(500)]
    rows = "".join(f"ann,{name},5,2024-01-01\n" for name in names)
    page = open_page("--no-debug", table_file(rows), forgiven="Failed to load resource")
    ask_for(page, names[:200])
    sessions = page.locator("#tile-sessions-value")
    # Dash takes seconds to make such names searchable.
    expect(sessions).to_have_text("200", timeout=20_000)
    # A pick by a control sends the names several times.
    page.get_by_text("Median", exact=True).first.click()
    expect(page.locator("#tile-typical-label")).to_have_text("Median session")
    expect(sessions).to_have_text("200")
    # And where they are too many by far, that is said.
    ask_for(page, [name * 15 for name in names])
    connection = page.locator("#connection")
    expect(connection).to_contain_text("The server refused this (413: ")
    page.keyboard.press("Escape")
    expect(sessions).to_have_text("500", timeout=20_000)
    expect(connection).to_be_hidden()
