"""The page while its database is away."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.engine.warehouse.postgres import Server, binaries, cluster
from tests.programs import free_port, interrupted, running
from tests.test_databases import write

from .conftest import Open, drawn

pytest.importorskip("adbc_driver_postgresql")
pytestmark = pytest.mark.skipif(binaries() is None, reason="needs PostgreSQL")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with cluster() as server:
        write(
            server,
            "create table sessions as select 'u' || i % 12 as user_id,"
            " 'p' || i % 5 as page, i::float8 as duration,"
            " timestamp '2024-01-01' + i * interval '5 hours' as timestamp"
            " from generate_series(1, 400) i",
        )
        yield server


@pytest.fixture(scope="module")
def address(server: Server) -> Iterator[str]:
    port = free_port()
    options = ("--no-debug", "--port", str(port), "--table", "sessions")
    with running(*options, server.url) as (program, _):
        yield f"http://127.0.0.1:{port}/"
        interrupted(program)


PICK = "user => dash_clientside.set_props('user', {value: user})"
IN_SIGHT = """id => {
    const {top, bottom} = document.getElementById(id).getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
}"""


def is_told(page: Page, words: str) -> None:
    problem = page.locator("#problem")
    expect(problem).to_contain_text("can't be reached: connection to server")
    expect(problem).to_contain_text(words)
    expect(page.locator("#again")).to_be_visible()


# Who was drawn before is known.
@pytest.mark.parametrize(
    ("width", "picked", "named"), [(375, "u7", "u5"), (1280, "u8", "u6")]
)
def test_a_page_tells_it_in_sight_and_is_no_dead_end(
    width: int, picked: str, named: str, open_page: Open, address: str, server: Server
) -> None:
    page = open_page(url=address, query="?user=", forgiven="503")
    page.set_viewport_size({"width": width, "height": 800})
    expect(page.locator("#again")).to_be_hidden()
    rows = page.locator("#users-table tbody tr")
    expect(rows).to_have_count(10)
    users = page.locator("#users-section")
    before = users.bounding_box()
    server.stop()
    try:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.evaluate(PICK, picked)
        is_told(page, "This pick was not drawn.")
        assert page.evaluate(IN_SIGHT, "problem")
        assert page.evaluate(IN_SIGHT, "again")
        page.locator("#users-table th a").nth(1).dispatch_event("click")
        expect(rows).to_have_count(0)
        after = users.bounding_box()
        assert before is not None
        assert after is not None
        assert after["height"] >= before["height"] - 1
        # Who comes now has picked nothing.
        page.goto(f"{address}?user={named}")
        is_told(page, "So the page can't be drawn.")
    finally:
        server.start()
    page.click("#again")
    drawn(page, named)
    expect(page.locator("#problem")).to_be_hidden()
    expect(page.locator("#again")).to_be_hidden()
