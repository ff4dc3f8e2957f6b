"""The real page, from the real program, in a real Chromium."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Route, expect, sync_playwright

from tests.programs import SMALL, free_port, running

# A machine that is busy makes no test fail.
expect.set_options(timeout=30_000)

Open = Callable[..., Page]
CALLS = "**/_dash-update-component*"
CHARTS = ("total-time", "user-average", "durations", "timeline", "hours")
OF_USER = ("user-average", "durations", "timeline")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium: one that is installed, else the one that Playwright downloads."""
    installed = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=installed)
        except Error as error:
            pytest.fail(
                f"no Chromium to test the page in: {error.message.splitlines()[0]} "
                "(sh tests/run installs one)",
                pytrace=False,
            )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., str]]:
    """Start the program once for each set of arguments, and give its address."""
    addresses: dict[tuple[str, ...], str] = {}
    with ExitStack() as programs:

        def serve(*arguments: str) -> str:
            if arguments not in addresses:
                port = free_port()
                programs.enter_context(running("--port", str(port), *arguments))
                addresses[arguments] = f"http://127.0.0.1:{port}/"
            return addresses[arguments]

        yield serve


@pytest.fixture(scope="module")
def debugged() -> Iterator[str]:
    """The address of the program in debug mode.

    It ends with the tests of a file: what watches the files keeps a processor busy.
    """
    port = free_port()
    with running("--debug", "--port", str(port), *SMALL):
        yield f"http://127.0.0.1:{port}/"


class Tabs:
    """Tabs of a browser, each with a storage of its own, which go from test to test.

    A tab that has shown the page before has its scripts compiled: it takes a third of
    the time of a new one. Between two tests it is empty, and shows nothing.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._empty: list[Page] = []

    def take(self) -> Page:
        return self._empty.pop() if self._empty else self._browser.new_page()

    def give_back(self, page: Page) -> None:
        """Empty a tab for the next test, or close it where that can't be done."""
        try:
            page.unroute_all(behavior="ignoreErrors")
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
            page.context.clear_cookies()
            page.context.clear_permissions()
            page.emulate_media(media="null", reduced_motion="null")
            page.mouse.move(0, 0)
            page.goto("about:blank")
        except Error:
            page.close()
        else:
            self._empty.append(page)


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


@pytest.fixture
def open_page(
    browser: Browser,
    tabs: Tabs,
    serve: Callable[..., str],
    request: pytest.FixtureRequest,
) -> Iterator[Open]:
    """Open the page over the data that some arguments ask for, all charts drawn.

    It is in a tab of ``Tabs``, unless it has to be *anew*, one that no other test gets.
    When the test is over, nothing must have gone wrong in the browser but for what
    contains the text *forgiven*, and nothing must have been asked for elsewhere.
    """
    listeners: list[tuple[Page, dict[Any, Callable[[Any], None]]]] = []
    own: list[Page] = []
    complaints: list[str] = []
    n_failed = request.session.testsfailed

    def open_page(
        *arguments: str,
        url: str | None = None,
        width: int = 1400,
        colours: str = "light",
        touch: bool = False,
        query: str = "",
        forgiven: str = "\0",
        anew: bool = False,
    ) -> Page:
        address = url or serve(*(arguments or ("--no-debug",)))
        if anew or touch:
            page = browser.new_page(has_touch=touch, is_mobile=touch)
            own.append(page)
        else:
            page = tabs.take()
        page.set_viewport_size({"width": width, "height": 1000})
        page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
        page.set_default_timeout(30_000)
        listening: dict[Any, Callable[[Any], None]] = {
            "console": lambda message: (
                complaints.append(message.text)
                if message.type in ("error", "warning") and forgiven not in message.text
                else None
            ),
            "pageerror": lambda error: complaints.append(str(error)),
            "request": lambda request: (
                None
                if request.url.startswith((address, "data:", "blob:"))
                else complaints.append(f"asked for {request.url}")
            ),
        }
        for event, listener in listening.items():
            page.on(event, listener)
        listeners.append((page, listening))
        page.goto(f"{address}{query}")
        drawn(page)
        return page

    yield open_page
    failed = request.session.testsfailed > n_failed
    for page, listening in listeners:
        for event, listener in listening.items():
            page.remove_listener(event, listener)
        # What a test left behind that failed, nobody knows.
        if failed or page in own:
            page.close()
        else:
            tabs.give_back(page)
    assert complaints == []


def drawn(page: Page, user: str | None = None) -> None:
    """Wait until all charts are there, and show *user* where one is named."""
    page.wait_for_function(
        """([charts, ofUser, user]) => charts.every(id => {
            const plot = document.querySelector(`#${id} .js-plotly-plot`);
            return plot && plot.data && plot.data.length
                && plot.querySelector('.bars path, .hm image')
                && !plot.matches('.undrawn, .dash-graph--pending')
                && (!user || !ofUser.includes(id)
                    || plot.data.some(trace => trace.name === user));
        }) && document.querySelector('#users-table table')""",
        arg=[list(CHARTS), list(OF_USER), user],
    )


def hold_answers(page: Page) -> Callable[[], None]:
    """Keep calls of the server from it until what is returned is called."""
    held: list[Route] = []
    released: list[bool] = []

    def hold(route: Route) -> None:
        if released:
            route.continue_()
        else:
            held.append(route)

    def release() -> None:
        released.append(True)
        for route in held:
            route.continue_()

    page.route(CALLS, hold)
    return release


def pick(page: Page, user: str) -> None:
    """Choose a user as a person does: open the dropdown, search, click."""
    search = page.locator(".dash-dropdown-search")
    page.click("#user")
    search.fill(user)
    page.get_by_role("option", name=user, exact=True).click()
    search.wait_for(state="hidden")
    drawn(page, user)


@pytest.fixture(scope="session")
def table_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Write a file of sessions, once: the same rows are the same file."""
    paths: dict[tuple[str, str], str] = {}

    def write(rows: str, name: str = "sessions.csv") -> str:
        if (rows, name) not in paths:
            path = tmp_path_factory.mktemp("table") / name
            path.write_text(f"user_id,page,duration,timestamp\n{rows}")
            paths[rows, name] = str(path)
        return paths[rows, name]

    return write
