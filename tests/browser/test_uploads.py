"""A file dropped on the page, in a real Chromium."""

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Page, expect

from tests.examples import much_alike
from tests.programs import SMALL, free_port, running

from .conftest import Open, drawn

CSV = "user_id,page,duration,timestamp\n" + "".join(
    f"ann,home,5,2024-01-{day:02}\nbob,cart,70,2024-01-{day:02}\n"
    for day in range(1, 10)
)
SHOWN = "a.csv: 18 sessions of 2 users on 2 pages, 1 January 2024 to 9 January 2024"
NEXT_ROW = "time to the user's next row"
INVITATION = "Have your own? Drop an access log or a table of visits on this page, or "
DRAG = """([files, kinds]) => {
    const dataTransfer = new DataTransfer();
    for (const [name, data] of files)
        dataTransfer.items.add(new File(
            [Uint8Array.from(atob(data), letter => letter.charCodeAt(0))], name));
    for (const kind of kinds)
        document.querySelector("main").dispatchEvent(
            new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer}));
}"""


def drag(page: Page, *files: tuple[str, str], drop: bool = True) -> None:
    """Drag files over the page, and drop them there."""
    kinds = ["dragenter", "dragover", *["drop"] * drop]
    encoded = [[name, base64.b64encode(text.encode()).decode()] for name, text in files]
    page.evaluate(DRAG, [encoded, kinds])


def status(page: Page) -> Any:
    return page.locator("dialog .status")


def understood(page: Page) -> None:
    expect(status(page)).to_have_text(
        "This is what was understood. Change what is wrong."
    )


def show(page: Page) -> None:
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**/data/*/")
    drawn(page)


@pytest.fixture
def open_small(open_page: Open) -> Callable[..., Page]:
    return lambda **how: open_page("--no-debug", *SMALL, **how)


def test_a_file_is_dropped_understood_and_shown(
    open_small: Callable[..., Page],
) -> None:
    page = open_small()
    first = page.url
    expect(page.locator(".own-data")).to_have_text(
        f"{INVITATION}choose a file. It stays on this machine."
    )
    drag(page, ("a.csv", CSV), drop=False)
    over = "Drop the file to see what is in it. It stays on this machine."
    expect(page.locator(".drop-here")).to_have_text(over)
    drag(page, ("a.csv", CSV))
    expect(page.locator(".drop-here")).to_have_count(0)
    understood(page)
    dialog = page.get_by_role("dialog", name="a.csv")
    expect(dialog).to_contain_text(SHOWN)
    expect(dialog).to_contain_text("Duration: duration, in seconds.")
    assert dialog.get_by_label("User --user").input_value() == "user_id"
    assert dialog.get_by_label("Duration --duration").input_value() == "d duration"
    show(page)
    expect(page.locator(".data-line")).to_contain_text(SHOWN)
    expect(page.locator("#tile-sessions-value")).to_have_text("9")
    # Views of the file are in its own address.
    page.get_by_role("link", name="bob", exact=True).click()
    page.wait_for_url("**/data/*/?*user=bob*")
    drawn(page, "bob")
    page.go_back()
    drawn(page, "ann")
    page.go_forward()
    drawn(page, "bob")
    page.reload()
    drawn(page, "bob")
    with page.expect_download() as download:
        page.click("#sessions")
    assert "bob,cart,70" in Path(download.value.path()).read_text()
    with page.expect_download() as download:
        page.click("#save-view")
    assert SHOWN in Path(download.value.path()).read_text()
    page.get_by_role("link", name="Back to the simulated data").click()
    page.wait_for_url(first)
    drawn(page)
    expect(page.locator(".data-line")).to_contain_text("Simulated data")


def test_a_file_is_chosen_with_the_keyboard(open_small: Callable[..., Page]) -> None:
    page = open_small()
    file: FilePayload = {
        "name": "a.csv",
        "mimeType": "text/csv",
        "buffer": CSV.encode(),
    }
    # Listening from before: Chromium takes a moment to hand a chooser on.
    page.once("filechooser", lambda chooser: chooser.set_files(file))
    page.evaluate("() => 0")
    button = page.get_by_role("button", name="choose a file")
    button.focus()
    page.keyboard.press("Enter")
    understood(page)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(button).to_be_focused()


def test_escape_closes_the_dialog_and_takes_no_filter_away(
    open_small: Callable[..., Page],
) -> None:
    page = open_small(query="?page=cart")
    drag(page, ("a.csv", CSV))
    understood(page)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("#chips .chip")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#chips .chip")).to_have_count(0)


def test_a_column_is_changed(open_small: Callable[..., Page]) -> None:
    page = open_small()
    drag(page, ("a.csv", CSV))
    understood(page)
    page.get_by_label("Duration --duration").select_option(NEXT_ROW)
    line = page.locator(".upload-line")
    expect(line).to_contain_text("Durations are unknown")
    page.get_by_label("Page --page").select_option("user_id")
    page.get_by_label("User --user").select_option("user_id")
    failure = page.locator(".failure")
    expect(failure).to_contain_text("user_id is named for two things")
    page.get_by_label("Page --page").select_option("page")
    expect(failure).to_be_empty()
    page.get_by_label("Duration --duration").select_option("d duration")
    expect(line).not_to_contain_text("Durations are unknown")


def test_an_error_is_corrected(open_small: Callable[..., Page]) -> None:
    page = open_small(forgiven="400")
    drag(page, ("a.csv", re.sub(r"2024-01-0(\d)", r"\1/02/2024 10:00", CSV)))
    failure = page.get_by_role("alert").filter(has_text="--time-format")
    expect(failure).to_be_visible()
    show_button = page.get_by_role("button", name="Show", exact=True)
    expect(show_button).to_be_disabled()
    written = page.get_by_label("Times are written as --time-format")
    expect(written).to_be_visible()
    written.fill("%d")
    written.press("Enter")
    expect(page.locator(".failure")).to_have_text(
        "'%d' leaves the day open: it needs %Y, %m and %d"
    )
    written.fill("%d/%m/%Y %H:%M")
    written.press("Tab")
    understood(page)
    expect(page.locator(".failure")).to_be_hidden()
    expect(page.locator(".upload-line")).to_contain_text("9 February 2024")
    show(page)
    expect(page.locator(".data-line")).to_contain_text("9 February 2024")


def test_what_a_message_advises_is_one_click_away(
    open_small: Callable[..., Page],
) -> None:
    page = open_small()
    rows = CSV.split("\n", 1)[1]
    drag(page, ("a.csv", rows))
    expect(page.locator(".failure")).to_have_text(
        "a.csv: no column for the user, none for the page and none for the time; "
        "choose them below; if that is a row of data, use numbers, such as "
        "--no-header --user 1 --page 2 --duration 3 --time 4"
    )
    page.get_by_role("button", name="First row: data").click()
    understood(page)
    expect(page.locator(".upload-line")).to_contain_text("18 sessions of 2 users")
    assert page.locator("[name=time]").input_value() == "4"


def test_names_are_text(open_small: Callable[..., Page]) -> None:
    page = open_small()
    hostile = "<img src=x onerror=alert(1)>"
    names = ["user_id", "page", "timestamp", *[f"{hostile}{n}" for n in range(3_000)]]
    text = ",".join([*names, "x" * 4_000]) + "\n"
    text += ",".join(["ann", hostile, "2024-01-01", *["1"] * 3_001])
    drag(page, (f"{hostile}.csv", text))
    understood(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text(f"{hostile}.csv")
    assert page.locator("dialog img").count() == 0
    box = dialog.bounding_box()
    assert box is not None
    assert box["width"] <= 900
    expect(dialog).to_contain_text("2,000 of 3,004 columns are listed.")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            [("a.csv", CSV), ("b.csv", CSV)],
            "These are 2 files. One at a time, please; a zip may have several in it.",
        ),
        ([("a.csv", "")], "a.csv: "),
        ([("a.pdf", "%PDF-1.7")], "a.pdf: a PDF document"),
    ],
)
def test_what_cannot_be_shown_is_said(
    open_small: Callable[..., Page], files: list[tuple[str, str]], words: str
) -> None:
    page = open_small()
    drag(page, *files)
    expect(page.locator(".failure")).to_contain_text(words)
    expect(page.get_by_role("button", name="Show", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("dialog")).to_have_count(0)


def test_a_file_too_large_is_not_sent(open_small: Callable[..., Page]) -> None:
    page = open_small()
    page.evaluate("() => { document.querySelector('main').dataset.most = '100'; }")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    drag(page, ("a.csv", CSV))
    expect(page.locator(".failure")).to_contain_text("the page takes 0 MB at most.")
    assert not [url for url in sent if "upload" in url]


def test_text_that_is_dragged_is_ignored(open_small: Callable[..., Page]) -> None:
    page = open_small()
    page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.setData("text/plain", "a");
            for (const kind of ["dragenter", "dragover", "drop"])
                document.querySelector("main").dispatchEvent(
                    new DragEvent(
                        kind, {bubbles: true, cancelable: true, dataTransfer}));
        }"""
    )
    assert page.locator(".drop-here, dialog").count() == 0


def test_cancelled_while_it_is_sent(open_small: Callable[..., Page]) -> None:
    page = open_small()
    held: list[Any] = []
    page.route(re.compile(r"/upload/[^/]+/\d+$"), lambda route: held.append(route))
    drag(page, ("a.csv", CSV))
    expect(status(page)).to_have_text("Sending…")
    with page.expect_request(lambda request: request.method == "DELETE"):
        page.get_by_role("button", name="Cancel").click()
    expect(page.locator("dialog")).to_have_count(0)
    page.unroute_all(behavior="ignoreErrors")
    drag(page, ("a.csv", CSV))
    understood(page)


def forgotten(open_small: Callable[..., Page]) -> Page:
    """A page whose file was understood, and then forgotten by the server."""
    page = open_small(forgiven="410")
    with page.expect_response(re.compile("/upload$")) as begun:
        drag(page, ("a.csv", CSV))
    token = begun.value.json()["file"]
    understood(page)
    page.evaluate("token => fetch(`/upload/${token}`, {method: 'DELETE'})", token)
    return page


def test_what_the_server_has_forgotten_is_sent_again(
    open_small: Callable[..., Page],
) -> None:
    page = forgotten(open_small)
    page.get_by_label("Duration --duration").select_option(NEXT_ROW)
    expect(page.locator(".upload-line")).to_contain_text("Durations are unknown")


@much_alike
def test_what_the_server_has_forgotten_is_sent_again_to_be_shown(
    open_small: Callable[..., Page],
) -> None:
    show(forgotten(open_small))


def test_without_an_answer_it_can_be_tried_again(
    open_small: Callable[..., Page],
) -> None:
    page = open_small(forgiven="ERR_FAILED")
    page.route(re.compile("/upload$"), lambda route: route.abort())
    drag(page, ("a.csv", CSV))
    expect(page.locator(".failure")).to_have_text("The server doesn't answer.")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    understood(page)
    expect(page.locator(".failure")).to_be_empty()


@much_alike
def test_a_site_and_a_zone_of_a_log(open_small: Callable[..., Page]) -> None:
    page = open_small()
    text = "".join(
        f"{host} {user} - - [31/Aug/2024:{clock} +0000] "
        '"GET /a HTTP/1.1" 200 5 "-" "Firefox"\n'
        for host, user, clock in [
            ("a.org", "1.1.1.1", "22:30:00"),
            ("a.org", "1.1.1.1", "22:30:09"),
            ("b.org", "2.2.2.2", "22:31:00"),
        ]
    )
    drag(page, ("access.log", text))
    understood(page)
    line = page.locator(".upload-line")
    expect(line).to_contain_text("3 sessions of 2 users")
    expect(line).to_contain_text("31 August 2024 22:30")
    page.get_by_label("Site --where").select_option("a.org")
    expect(line).to_contain_text("2 sessions of 1 user")
    zone = page.get_by_label("Days and hours of --timezone")
    zone.fill("Europe/Berlin")
    zone.press("Tab")
    expect(line).to_contain_text("1 September 2024 00:30")
    show(page)
    expect(page.locator(".data-line")).to_contain_text("1 September 2024 00:30")
    expect(page).to_have_title(re.compile("^access.log: "))


@much_alike
def test_two_tabs_show_two_files(open_small: Callable[..., Page]) -> None:
    one, two = open_small(), open_small()
    drag(one, ("a.csv", CSV))
    drag(two, ("b.csv", CSV.replace("ann", "eve")))
    show(one)
    show(two)
    assert one.url != two.url
    expect(one.get_by_role("link", name="ann", exact=True)).to_be_visible()
    expect(two.get_by_role("link", name="eve", exact=True)).to_be_visible()
    expect(one.get_by_role("link", name="eve", exact=True)).to_have_count(0)
    # A file dropped on the page of another leads back to it.
    drag(two, ("c.csv", CSV))
    show(two)
    two.get_by_role("link", name="Back to b.csv").click()
    drawn(two)
    expect(two.locator(".data-line")).to_contain_text("b.csv: 18 sessions")


@pytest.fixture
def restarting() -> Iterator[Callable[[], str]]:
    """Start the program, again and again on one port."""
    port = free_port()
    with ExitStack() as programs:

        def start() -> str:
            programs.close()
            programs.enter_context(running("--no-debug", *SMALL, "--port", str(port)))
            return f"http://127.0.0.1:{port}/"

        yield start


@much_alike
def test_a_file_of_a_program_that_has_ended(
    restarting: Callable[[], str], open_page: Open
) -> None:
    page = open_page(url=restarting(), forgiven="410")
    drag(page, ("a.csv", CSV))
    show(page)
    restarting()
    page.get_by_role("link", name="bob", exact=True).click()
    # What is shown is all there is of the file now.
    problem = page.locator("#connection")
    expect(problem).to_contain_text("No file is held here any more", timeout=30_000)
    expect(page.locator(".data-line")).to_contain_text("a.csv")
    page.reload()
    gone = page.get_by_role("heading", name="Not held any more")
    expect(gone).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Open the first page").click()
    drawn(page)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_dialog_is_for_everyone(
    open_small: Callable[..., Page], colours: str
) -> None:
    page = open_small(colours=colours, width=375)
    drag(page, ("a.csv", CSV.split("\n", 1)[1]))
    expect(page.locator(".failure")).not_to_be_empty()
    found = Axe().run(page, context="dialog")
    assert found.response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
