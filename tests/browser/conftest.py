"""The real page, from the real program, in a real Chromium."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, Route, sync_playwright

from tests.programs import free_port, running

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


@pytest.fixture
def open_page(browser: Browser, serve: Callable[..., str]) -> Iterator[Open]:
    """Open the page over the data that some arguments ask for, all charts drawn.

    When the test is over, nothing must have gone wrong in the browser but for what
    contains the text *forgiven*, and nothing must have been asked for elsewhere.
    """
    pages: list[Page] = []
    complaints: list[str] = []

    def open_page(
        *arguments: str,
        url: str | None = None,
        width: int = 1400,
        colours: str = "light",
        touch: bool = False,
        query: str = "",
        forgiven: str = "\0",
    ) -> Page:
        address = url or serve(*(arguments or ("--no-debug",)))
        page = browser.new_page(
            viewport={"width": width, "height": 1000},
            color_scheme="dark" if colours == "dark" else "light",
            has_touch=touch,
            is_mobile=touch,
        )
        page.set_default_timeout(30_000)
        pages.append(page)
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type in ("error", "warning") and forgiven not in message.text
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address, "data:", "blob:"))
                else complaints.append(f"asked for {request.url}")
            ),
        )
        page.goto(f"{address}{query}")
        drawn(page)
        return page

    yield open_page
    for page in pages:
        page.close()
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


@pytest.fixture
def table_file(tmp_path: Path) -> Callable[..., str]:
    def write(rows: str, name: str = "sessions.csv") -> str:
        path = tmp_path / name
        path.write_text(f"user_id,page,duration,timestamp\n{rows}")
        return str(path)

    return write
