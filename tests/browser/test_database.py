"""The page over a database that takes its time for some questions."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest
from playwright.sync_api import Page, Request, expect

from tests.programs import free_port, interrupted, running

from .conftest import CALLS, Open, drawn

duckdb = pytest.importorskip("duckdb")

SECONDS = 2.5
"""How long whatever has to do with one user takes, about."""

GIVEN = """
create table given as select * from (values
    ('ann', 'home', 5.0, timestamp '2024-01-01 10:00:00'),
    ('ann', 'cart', 6.0, timestamp '2024-01-01 11:00:00'),
    ('bob', 'home', 7.0, timestamp '2024-01-02 11:00:00'),
    ('bob', 'cart', 7.0, timestamp '2024-01-04 11:00:00')
) t(user_id, page, duration, timestamp)
"""
WORK = "select sum(hash(i, j)) as s from range({0}) a(i), range({0}) b(j)"
SLOW = """
create view sessions as from given union all
select 'slow', page, duration, timestamp from given, ({}) where s is not null
"""
"""Who asks about others doesn't wait for this user's rows."""

ENDED = "The question for {} ended: it took longer than 1 s."


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "slow.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute(GIVEN)
        few = 4_000
        start = perf_counter()
        connection.execute(WORK.format(few)).fetchall()
        many = int(few * (SECONDS / (perf_counter() - start)) ** 0.5)
        connection.execute(SLOW.format(WORK.format(many)))
    return path


@pytest.fixture(scope="module")
def address(database: Path) -> Iterator[str]:
    """Of a program that says nothing else but which questions took too long."""
    port = free_port()
    options = ("--no-debug", "--port", str(port), "--timeout", "1s")
    about = ("--table", "sessions", f"duckdb:{database}")
    with running(*options, *about) as (program, _):
        yield f"http://127.0.0.1:{port}/"
        _, errors = interrupted(program)
    for line in errors.splitlines():
        assert "it took longer than 1 s (--timeout)" in line, errors


PICK = "user => dash_clientside.set_props('user', {value: user})"
NOTE_SIGNS = """() => {
    window.signs = new Set();
    const root = document.documentElement;
    const note = () => root.classList.forEach(name => signs.add(name));
    new MutationObserver(note).observe(root, {attributeFilter: ["class"]});
}"""
"""Note from now on which signs the page shows, however short."""


def choose(page: Page, user: str) -> None:
    page.click("#user")
    page.get_by_role("option", name=user, exact=True).click()


def is_fine(page: Page) -> None:
    """Nothing is said that alarms, and nothing is old."""
    expect(page.locator("#problem")).to_have_text("")
    expect(page.locator("#connection")).to_have_text("")
    expect(page.locator("html")).not_to_have_class(re.compile(r"\b(old|wrong)\b"))


def test_a_slow_question_leaves_the_page_usable(open_page: Open, address: str) -> None:
    page = open_page(url=address, query="?user=", forgiven="503")
    over: list[str] = []

    def note(request: Request) -> None:
        over.extend(request.headers.get("x-over", "").split())

    page.on("request", note)
    problem, finding = page.locator("#problem"), page.locator("#users-finding")
    # The table of users takes too long; everyone's charts are there.
    expect(finding).to_have_text(ENDED.format("all users"))
    is_fine(page)

    # Who picks on is answered at once, and the server is told.
    page.evaluate(NOTE_SIGNS)
    with page.expect_request(CALLS):
        page.evaluate(PICK, "slow")
    page.evaluate(PICK, "ann")
    drawn(page, "ann")
    is_fine(page)
    assert over
    page.wait_for_function("() => signs.has('listing')")
    expect(finding).to_have_text(ENDED.format("all users"))

    # Who waits sees that it is worked on, and is told why there is no answer.
    page.evaluate(NOTE_SIGNS)
    choose(page, "slow")
    words = ENDED.format("a user's sessions")
    expect(problem).to_have_text(f"{words} This pick was not drawn.")
    expect(page.locator("#connection")).to_have_text("")
    assert page.evaluate("[signs.has('waiting'), signs.has('wrong')]") == [True, False]
    answer = page.request.get(f"{address}sessions.csv?user=slow")
    assert (answer.status, answer.text()) == (503, ENDED.format("the sessions"))

    # Everyone's charts go on, and those of a user whose rows are here.
    page.click("#user")
    page.get_by_role("option", name="Everyone", exact=True).click()
    expect(page.locator("#tile-sessions-value")).to_have_text("8")
    drawn(page)
    is_fine(page)
    choose(page, "ann")
    drawn(page, "ann")
    is_fine(page)


def test_what_is_asked_ahead_ends_with_what_it_is_for(
    open_page: Open, address: str
) -> None:
    page = open_page(url=address, query="?user=")
    expect(page.locator("#users-finding")).to_have_text(ENDED.format("all users"))

    def is_view_of_slow(request: Request) -> bool:
        text = request.post_data or ""
        return "drawn.data" in text and '"?user=slow"' in text

    def rest_on(user: str) -> str:
        """Open the list and rest on a user; returns the turn that is asked ahead."""
        page.click("#user")
        option = page.get_by_role("option", name=user, exact=True)
        with page.expect_request(is_view_of_slow) as asked:
            option.hover()
        return asked.value.headers["x-turn"]

    # Nobody waits for it, and the pointer rests on somebody else.
    turn = rest_on("slow")
    with page.expect_request(lambda request: turn in request.headers.get("x-over", "")):
        page.get_by_role("option", name="bob", exact=True).hover()
    page.keyboard.press("Escape")

    # It is picked: then it ends only when something else is.
    turn = rest_on("slow")
    over: list[str] = []
    page.on("request", lambda request: over.append(request.headers.get("x-over", "")))
    page.evaluate(NOTE_SIGNS)
    page.evaluate(PICK, "slow")
    page.wait_for_function("() => signs.has('waiting')")
    assert turn not in " ".join(over)
    with page.expect_request(lambda request: turn in request.headers.get("x-over", "")):
        page.evaluate(PICK, "bob")
    drawn(page, "bob")
    is_fine(page)
