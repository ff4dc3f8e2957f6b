"""What goes wrong between the page and the server, and what the page then says."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain, repeat
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.examples import much_alike, some_of
from tests.programs import free_port, running

from .conftest import CALLS, Open, drawn, hold_answers, pick

AWAY = "The server doesn't answer. This is still the view before; trying again…"
LATE = "No answer yet. This is still the view before."
ROWS = "ann,home,5,2024-01-01\n" * 9 + "bob,cart,7,2024-01-02\ncy,help,9,2024-01-03\n"
ROWS += "dan,home,5,2024-01-04\n"
OTHERS = "ann,home,5,2024-01-01\n" * 9 + "bob,cart,70,2024-01-02\n"


class Server:
    """The program over some data on a port of its own; it can be started again."""

    def __init__(self, programs: ExitStack, file: str) -> None:
        self._programs = programs
        self._file = file
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}/"
        self.start()

    def start(self, file: str | None = None) -> None:
        """Start it, over the same data where no other file is named."""
        arguments = "--no-debug", "--port", str(self._port), file or self._file
        self._program, _ = self._programs.enter_context(running(*arguments))

    def kill(self) -> None:
        self._program.send_signal(signal.SIGKILL)
        self._program.wait()

    def stop(self) -> None:
        """Let it hang until it goes on."""
        self._program.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._program.send_signal(signal.SIGCONT)


@pytest.fixture
def server(table_file: Callable[..., str]) -> Iterator[Server]:
    with ExitStack() as programs:
        yield Server(programs, table_file(ROWS))


def choose(page: Page, user: str) -> None:
    """Pick a user in the dropdown, and don't wait for an answer."""
    page.click("#user")
    page.get_by_role("option", name=user, exact=True).click()


def says(page: Page, words: str | re.Pattern[str]) -> None:
    """Wait until the page says so, and is marked as old; to be late is no alarm."""
    expect(page.locator("#connection")).to_have_text(words)
    root = page.locator("html")
    expect(root).to_have_class(re.compile(r"\bold\b"))
    alarm = re.compile(r"\bwrong\b")
    if words == LATE:
        expect(root).not_to_have_class(alarm)
    else:
        expect(root).to_have_class(alarm)


def recovered(page: Page, user: str) -> None:
    """Wait until the page shows a user and has nothing more to say."""
    # A server that is started takes its time, and so may a pause between two tries.
    chips = page.locator("#chips")
    expect(chips).to_have_attribute("data-caption", user, timeout=60_000)
    expect(page.locator("#users-table [aria-current]")).to_have_text(user)
    drawn(page, user)
    expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator("html")).not_to_have_class(
        re.compile(r"\b(old|waiting|wrong)\b")
    )
    expect(page.locator("#user")).to_have_text(user)


def shown_user(page: Page) -> str:
    return page.locator("#chips").get_attribute("data-caption") or ""


def fails(page: Page, url: str = CALLS, **answer: Any) -> Callable[[], None]:
    """Have calls answered so, or not at all, until what is returned is called."""
    released: list[bool] = []

    def fail(route: Route) -> None:
        if released:
            route.fallback()
        elif answer:
            route.fulfill(**answer)
        else:
            route.abort()

    page.route(url, fail)
    return lambda: released.append(True)


# Servers that are killed, stopped, and started again.


def test_a_server_that_is_killed_and_started_again_answers_what_was_picked_last(
    open_page: Open, server: Server
) -> None:
    page = open_page(url=server.address, forgiven="Failed to load resource")
    server.kill()
    choose(page, "bob")
    says(page, AWAY)
    # What was picked is kept, and what is drawn is still said to be what it is.
    expect(page.locator("#user")).to_have_text("bob")
    assert shown_user(page) == "ann"
    choose(page, "cy")
    says(page, AWAY)
    page.get_by_text("Median", exact=True).first.click()
    says(page, AWAY)
    server.start()
    recovered(page, "cy")
    expect(page.locator("#tile-typical-label")).to_have_text("Median session")
    page.wait_for_url("**/?user=cy&stat=median")


@much_alike
def test_a_server_that_hangs_is_waited_for(open_page: Open, server: Server) -> None:
    page = open_page(url=server.address)
    server.stop()
    choose(page, "bob")
    # First a sign that it is working, then words.
    root = page.locator("html")
    expect(root).to_have_class(re.compile(r"\bwaiting\b"))
    says(page, LATE)
    expect(page.locator("#user")).to_have_text("bob")
    assert shown_user(page) == "ann"
    server.go_on()
    recovered(page, "bob")


@much_alike
def test_a_server_that_hangs_and_is_killed_is_asked_again(
    open_page: Open, server: Server
) -> None:
    page = open_page(url=server.address, forgiven="Failed to load resource")
    server.stop()
    page.locator("#users-table tbody a", has_text="bob").click()
    page.wait_for_url("**/?user=bob")
    says(page, LATE)
    server.kill()
    says(page, AWAY)
    server.start()
    recovered(page, "bob")


@much_alike
def test_back_and_forward_go_on_while_the_server_is_away(
    open_page: Open, server: Server
) -> None:
    page = open_page(
        url=server.address, query="?user=ann", forgiven="Failed to load resource"
    )
    for user in ("bob", "cy"):
        pick(page, user)
    server.kill()
    # A pick that wasn't answered doesn't outlive the way back.
    choose(page, "dan")
    says(page, AWAY)
    page.go_back()
    page.wait_for_url("**/?user=bob")
    says(page, AWAY)
    server.start()
    recovered(page, "bob")
    page.wait_for_url("**/?user=bob")


def test_a_server_with_other_data_has_the_page_loaded_again_once(
    open_page: Open, server: Server, table_file: Callable[..., str]
) -> None:
    page = open_page(url=server.address, forgiven="Failed to load resource")
    loads: list[str] = []
    page.on("domcontentloaded", lambda page: loads.append(page.url))
    server.kill()
    choose(page, "bob")
    says(page, AWAY)
    with page.expect_event("domcontentloaded"):
        server.start(table_file(OTHERS, "others.csv"))
    recovered(page, "bob")
    expect(page.locator(".data-line")).to_contain_text("others.csv: 10 sessions of 2")
    expect(page.locator("#tile-typical-value")).to_have_text("1 min 10 s")
    assert loads == [f"{server.address}?user=bob"]


@much_alike
def test_a_server_with_the_same_data_goes_on(open_page: Open, server: Server) -> None:
    page = open_page(url=server.address, forgiven="Failed to load resource")
    page.evaluate("() => { window.mark = 1; }")
    server.kill()
    server.start()
    pick(page, "bob")
    recovered(page, "bob")
    assert page.evaluate("() => window.mark") == 1


@much_alike
def test_servers_that_take_turns_with_their_data_make_no_endless_reload(
    open_page: Open,
) -> None:
    page = open_page(query="?user=user_7")
    loads: list[str] = []
    page.on("domcontentloaded", lambda page: loads.append(page.url))
    versions = chain(["other"] * 6, repeat(None))

    def other(route: Route) -> None:
        response = route.fetch()
        version = next(versions)
        headers = {"x-data-version": version} if version else {}
        route.fulfill(response=response, headers={**response.headers, **headers})

    page.route(CALLS, other)
    with page.expect_event("domcontentloaded"):
        choose(page, "user_9")
    line = page.locator("#connection")
    expect(line).to_have_text(
        "The server has other data now. Please load the page again. Trying again…"
    )
    recovered(page, "user_9")
    assert len(loads) == 1
    page.wait_for_url(lambda url: url.endswith("/?user=user_9"))


# Answers that are none.


@pytest.mark.parametrize("status", some_of(1, [503, 404, 429, 500]))
def test_what_is_refused_is_told_and_asked_again(open_page: Open, status: int) -> None:
    page = open_page(query="?user=user_7", forgiven="Failed to load resource")
    release = fails(page, status=status, body="<b>no</b>", content_type="text/plain")
    choose(page, "user_9")
    refused = (
        f"The server refused this ({status}: <b>no</b>). "
        "This is still the view before; trying again…"
    )
    says(page, AWAY if status == 503 else refused)
    # What was picked is kept.
    expect(page.locator("#user")).to_have_text("user_9")
    for _ in range(2):
        page.wait_for_event("response", lambda response: response.status == status)
    release()
    recovered(page, "user_9")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("<h1>Log in</h1>", "text/html"), ("", "application/octet-stream")],
)
@much_alike
def test_an_answer_from_somebody_else_is_none(
    open_page: Open, body: str, content_type: str
) -> None:
    page = open_page(query="?user=user_7")
    release = fails(page, status=200, body=body, content_type=content_type)
    choose(page, "user_9")
    says(page, re.compile(r"^The server refused this \(200\)\. This is still"))
    release()
    recovered(page, "user_9")


def test_a_link_that_is_not_answered_stays_in_the_address(open_page: Open) -> None:
    page = open_page(query="?user=user_7", forgiven="Failed to load resource")
    release = fails(page, status=500)
    page.locator("#users-table tbody a").first.click()
    says(page, re.compile("refused this"))
    page.wait_for_url("**/?user=user_1")
    assert shown_user(page) == "user_7"
    release()
    recovered(page, "user_1")


@much_alike
def test_the_first_answer_is_waited_for(
    browser: Browser, serve: Callable[..., str]
) -> None:
    page = browser.new_page()
    release = fails(page, status=503)
    page.goto(f"{serve('--no-debug')}?user=user_7")
    line = page.locator("#connection")
    # There is no view before.
    expect(line).to_have_text("The server doesn't answer. Trying again…")
    release()
    recovered(page, "user_7")
    page.close()


@much_alike
def test_the_page_itself_is_waited_for(
    browser: Browser, serve: Callable[..., str]
) -> None:
    page = browser.new_page()
    release = fails(page, "**/_dash-layout")
    page.goto(f"{serve('--no-debug')}?user=user_7")
    expect(page.locator("._dash-loading")).to_have_text(
        "The server doesn't answer. Trying again…"
    )
    release()
    recovered(page, "user_7")
    page.close()


@much_alike
def test_a_search_that_is_not_answered_is_asked_again(open_page: Open) -> None:
    page = open_page(
        *("--no-debug", "--users", "1000", "--sessions", "30000"),
        query="?user=user_7",
        forgiven="Failed to load resource",
    )
    page.click("#user")
    release = fails(page, status=500, body="no", content_type="text/plain")
    page.locator(".dash-dropdown-search").fill("user_1000")
    expect(page.locator("#connection")).to_have_text(
        "The server refused this (500: no). Trying again…"
    )
    # The view is none the worse.
    expect(page.locator("html")).not_to_have_class(re.compile(r"\bold\b"))
    release()
    page.get_by_role("option", name="user_1000", exact=True).click()
    recovered(page, "user_1000")


# Signs of work.


def pick_at_a_standstill(page: Page) -> Callable[[], None]:
    """Pick user_9, and have the answer held back until what is returned is called.

    The page's clock stands still: however busy the machine is.
    """
    page.clock.install()
    page.clock.pause_at(page.evaluate("() => Date.now() + 60_000"))
    release = hold_answers(page)
    with page.expect_request(CALLS):
        page.evaluate("() => dash_clientside.set_props('user', {value: 'user_9'})")
        page.clock.run_for(0)
    return release


def test_signs_and_words_come_in_time(open_page: Open) -> None:
    page = open_page(query="?user=user_7", anew=True)
    release = pick_at_a_standstill(page)
    root, line = page.locator("html"), page.locator("#connection")
    waiting, old = re.compile(r"\bwaiting\b"), re.compile(r"\bold\b")
    page.clock.run_for(299)
    expect(root).not_to_have_class(waiting)
    page.clock.run_for(1)
    expect(root).to_have_class(waiting)
    expect(root).not_to_have_class(old)
    page.clock.run_for(600)
    expect(line).to_have_text(LATE)
    expect(root).to_have_class(old)
    release()
    page.clock.resume()
    recovered(page, "user_9")


@pytest.mark.parametrize("motion", some_of(1, ["no-preference", "reduce"]))
def test_a_slow_answer_shows_that_it_is_worked_on(open_page: Open, motion: str) -> None:
    page = open_page(query="?user=user_7")
    page.emulate_media(reduced_motion="reduce" if motion == "reduce" else None)
    release = hold_answers(page)
    choose(page, "user_9")
    expect(page.locator("html")).to_have_class(re.compile(r"\bwaiting\b"))
    name = page.evaluate(
        "() => getComputedStyle(document.documentElement, '::before').animationName"
    )
    assert (name == "none") == (motion == "reduce")
    says(page, LATE)
    faded = "section => Number(getComputedStyle(section).opacity) < 1"
    assert page.locator(".charts section").first.evaluate(faded)
    release()
    recovered(page, "user_9")
    assert not page.locator(".charts section").first.evaluate(faded)


def test_an_answer_that_takes_long_is_no_alarm_and_moves_nothing(
    open_page: Open,
) -> None:
    page = open_page(query="?user=user_7", anew=True)
    top = "section => section.getBoundingClientRect().top"
    section = page.locator("#total-time-section")
    before = section.evaluate(top)
    release = pick_at_a_standstill(page)
    page.clock.run_for(1_000)
    says(page, LATE)
    # It is asked again, since a connection may be lost without a word.
    with page.expect_request(CALLS):
        page.clock.run_for(30_000)
    says(page, LATE)
    assert section.evaluate(top) == before
    colour = "line => getComputedStyle(line).color"
    assert page.locator("#connection").evaluate(colour) == page.locator("h1").evaluate(
        colour
    )
    release()
    page.clock.resume()
    recovered(page, "user_9")


def test_a_table_of_users_that_is_late_leaves_the_charts_as_they_are(
    open_page: Open,
) -> None:
    page = open_page(query="?user=user_7")
    held: list[Route] = []
    page.route(
        CALLS,
        lambda route: (
            held.append(route)
            if '"listed.data"' in (route.request.post_data or "")
            else route.continue_()
        ),
    )
    choose(page, "user_9")
    drawn_user = page.locator("#chips")
    expect(drawn_user).to_have_attribute("data-caption", "user_9")
    page.wait_for_timeout(1_500)
    root = page.locator("html")
    expect(root).to_have_class(re.compile(r"\bwaiting\b"))
    expect(root).not_to_have_class(re.compile(r"\b(old|wrong)\b"))
    expect(page.locator("#connection")).to_be_hidden()
    for route in held:
        route.continue_()
    recovered(page, "user_9")


def hold_section(page: Page, section: str) -> Callable[[], None]:
    """Keep what is asked for a section until what is returned is called."""
    held: list[Route] = []
    released: list[bool] = []

    def hold(route: Route) -> None:
        asked = f'"{section}-answered.data"' in (route.request.post_data or "")
        if asked and not released:
            held.append(route)
        else:
            route.fallback()

    page.route(CALLS, hold)

    def release() -> None:
        released.append(True)
        for route in held:
            route.continue_()

    return release


def page_says_nothing(page: Page) -> None:
    """Nothing of the page but a section is slow, old or wrong."""
    expect(page.locator("html")).not_to_have_class(
        re.compile(r"\b(old|waiting|wrong)\b")
    )
    expect(page.locator("#connection")).to_be_hidden()
    faded = "section => Number(getComputedStyle(section).opacity) < 1"
    assert not page.locator("#total-time-section").evaluate(faded)


def test_a_section_that_is_slow_speaks_only_for_itself(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    release = hold_section(page, "paths")
    page.locator("#paths-section summary").click()
    problem, body = page.locator("#paths-problem"), page.locator("#paths-body")
    expect(problem).to_have_text("No answer yet.")
    expect(body).to_have_attribute("aria-busy", "true")
    page_says_nothing(page)
    # Other picks are as quick as ever, and say nothing of it.
    pick(page, "user_9")
    page_says_nothing(page)
    release()
    expect(body.locator(".finding")).to_be_visible()
    expect(problem).to_be_hidden()
    expect(body).not_to_have_attribute("aria-busy", "true")


def test_a_section_that_is_refused_speaks_only_for_itself(open_page: Open) -> None:
    page = open_page(query="?user=user_7", forgiven="Failed to load resource")
    answers = chain([500], repeat(None))

    def refuse(route: Route) -> None:
        asked = '"story-answered.data"' in (route.request.post_data or "")
        status = next(answers) if asked else None
        if status is None:
            route.fallback()
        else:
            route.fulfill(status=status, body="no", content_type="text/plain")

    page.route(CALLS, refuse)
    page.clock.install()
    page.locator("#story-section summary").click()
    problem = page.locator("#story-problem")
    expect(problem).to_have_text("The server refused this (500: no). Trying again…")
    page_says_nothing(page)
    page.clock.run_for(1_000)
    expect(page.locator("#story-body .finding")).to_be_visible()
    expect(problem).to_be_hidden()


def test_a_section_that_cant_be_answered_can_be_asked_for_again(
    open_page: Open,
) -> None:
    page = open_page(query="?user=user_7")
    problems = chain(["<b>Away</b>."] * 2, repeat(""))

    def answer(route: Route) -> None:
        asked = '"story-answered.data"' in (route.request.post_data or "")
        problem = next(problems) if asked else ""
        if not problem:
            route.fallback()
            return
        data = {"section": "story", "problem": problem, "shown": None}
        response = {"multi": True, "response": {"story-answered": {"data": data}}}
        route.fulfill(json=response)

    page.route(CALLS, answer)
    page.locator("#story-section summary").click()
    problem, body = page.locator("#story-problem"), page.locator("#story-body")
    again = problem.get_by_role("button", name="Try again")
    for _ in range(2):
        expect(problem).to_have_text("<b>Away</b>. Try again")
        expect(body).not_to_have_attribute("aria-busy", "true")
        page_says_nothing(page)
        with page.expect_request(CALLS):
            again.press("Enter")
    expect(body.locator(".finding")).to_be_visible()
    expect(problem).to_be_hidden()
    # The keyboard isn't lost with the button.
    expect(page.locator("#story-section summary")).to_be_focused()


def test_a_section_that_is_folded_is_waited_for_no_more(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    release = hold_section(page, "paths")
    with page.expect_request(
        lambda request: '"paths-answered.data"' in (request.post_data or "")
    ) as asked:
        page.locator("#paths-section summary").click()
    turn = asked.value.headers["x-turn"]
    expect(page.locator("#paths-problem")).to_have_text("No answer yet.")
    # The server is told that its turn is over.
    with page.expect_request(lambda request: turn in request.headers.get("x-over", "")):
        page.locator("#paths-section summary").click()
    expect(page.locator("#paths-problem")).to_be_empty()
    page_says_nothing(page)
    release()
    page.locator("#paths-section summary").click()
    expect(page.locator("#paths-body .finding")).to_be_visible()


@much_alike
def test_many_long_names_can_be_picked(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    names = [f"/{'long/' * 30}{number}" for number in range(500)]
    rows = "".join(f"ann,{name},5,2024-01-01\n" for name in names)
    page = open_page("--no-debug", table_file(rows), forgiven="Failed to load resource")

    def ask_for(names: list[str]) -> None:
        page.evaluate(
            """names => dash_clientside.set_props('url', {search:
                `?user=&${names.map(name => `page=${name}`).join("&")}`})""",
            names,
        )

    ask_for(names[:200])
    sessions = page.locator("#tile-sessions-value")
    expect(sessions).to_have_text("200")
    # A pick by a control sends the names several times.
    page.get_by_text("Median", exact=True).first.click()
    expect(page.locator("#tile-typical-label")).to_have_text("Median session")
    expect(sessions).to_have_text("200")
    # And where they are too many by far, that is said, and the way back is open.
    ask_for([name * 15 for name in names])
    connection = page.locator("#connection")
    expect(connection).to_contain_text("The server refused this (413: ")
    page.go_back()
    expect(sessions).to_have_text("200")
    expect(connection).to_be_hidden()
