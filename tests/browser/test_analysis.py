"""What people do with the page: filter, pick in charts, share, take away."""

import csv
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Download, Page, expect

from simulate import simulate_sessions
from tests.examples import much_alike
from tests.sessions import NASA, needs_nasa

from .conftest import CHARTS, Open, drawn, hold_answers


def asked(page: Page) -> list[tuple[str, str]]:
    """What the page's address asks for."""
    return parse_qsl(urlsplit(page.url).query, keep_blank_values=True)


def shows(page: Page, query: str) -> None:
    """Wait until the address is this, and everything on the page shows it."""
    page.wait_for_function(
        """query => location.search === query
            && (document.querySelector('#chips').dataset.address === query)""",
        arg=query,
    )
    drawn(page)


def redraws(page: Page) -> list[str]:
    """The answers with figures, or none, that come from now on."""
    answers: list[str] = []
    page.on(
        "request",
        lambda request: (
            answers.append(request.url)
            if '"id":"drawn"' in (request.post_data or "")
            else None
        ),
    )
    return answers


def click_bar(page: Page, chart: str, number: int, *keys: str) -> None:
    bar = page.locator(f"#{chart} .trace.bars").last.locator(".point").nth(number)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    # What a click is on, Plotly takes from the hover, and not from one before.
    page.mouse.move(0, 0)
    expect(page.locator(f"#{chart} .hoverlayer > *")).to_have_count(0)
    page.mouse.move(x, y)
    expect(page.locator(f"#{chart} .hoverlayer > *")).not_to_have_count(0)
    for key in keys:
        page.keyboard.down(key)
    page.mouse.click(x, y)
    for key in keys:
        page.keyboard.up(key)


def drag(page: Page, chart: str, first: int, last: int) -> None:
    """Drag over bars, from the middle of one to the middle of another."""
    bars = page.locator(f"#{chart} .trace.bars").first.locator(".point")
    plot = page.locator(f"#{chart} .nsewdrag")
    plot.scroll_into_view_if_needed()
    boxes = bars.nth(first).bounding_box(), bars.nth(last).bounding_box()
    frame = plot.bounding_box()
    assert frame
    start, end = (box["x"] + box["width"] / 2 for box in boxes if box)
    y = frame["y"] + frame["height"] / 3
    page.mouse.move(start - 2, y)
    page.mouse.down()
    page.mouse.move((start + end) / 2, y, steps=3)
    page.mouse.move(end + 2, y, steps=3)
    page.mouse.up()


def picked_bars(page: Page, chart: str) -> Any:
    return page.evaluate(
        """id => document.querySelector(`#${id} .js-plotly-plot`)
            .data[0].selectedpoints ?? null""",
        chart,
    )


def chips(page: Page) -> list[str]:
    texts = page.locator("#chips .chip").all_inner_texts()
    return [text.removesuffix(" ×") for text in texts]


def choose(page: Page, control: str, option: str) -> None:
    """Pick an option of a dropdown as a person does."""
    page.click(f"#{control}")
    page.get_by_role("option", name=option, exact=True).click()


def test_every_control_filters_and_is_a_chip(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    choose(page, "period", "March 2024")
    shows(page, "?user=user_7&from=2024-03-01&to=2024-04-01")
    expect(page.locator("#dates")).to_have_value("1 Mar 2024")
    expect(page.locator("#dates-end-date")).to_have_value("31 Mar 2024")
    choose(page, "pages", "cart")
    page.get_by_role("option", name="checkout", exact=True).click()
    page.keyboard.press("Escape")
    choose(page, "shortest", "10 s")
    choose(page, "longest", "2 min")
    page.get_by_text("Median", exact=True).first.click()
    shows(
        page,
        "?user=user_7&from=2024-03-01&to=2024-04-01&page=cart&page=checkout"
        "&min=10&max=120&stat=median",
    )
    assert chips(page) == ["March 2024", "cart and checkout", "10 s to 2 min"]

    sessions = simulate_sessions()
    march = sessions["timestamp"].dt.month == 3
    durations = sessions["duration"].between(10, 120, inclusive="left")
    pages = sessions["page"].isin(["cart", "checkout"])
    everyone = sessions[march & durations & pages]
    theirs = everyone[everyone["user_id"] == "user_7"]
    tiles = page.locator(".tiles")
    expect(tiles.locator("#tile-sessions-value")).to_have_text(str(len(theirs)))
    expect(tiles.locator("#tile-sessions-beside")).to_contain_text(
        f"of everyone's {len(everyone)}"
    )
    counts = everyone["user_id"].value_counts()
    rank = 1 + int((counts > len(theirs)).sum())
    expect(tiles.locator("#tile-sessions-rank")).to_have_text(
        re.compile(rf"^{rank}\w\w of {int((counts > 0).sum())}\b")
    )
    expect(tiles.locator("#tile-typical-label")).to_have_text("Median session")
    expect(page.locator("#user-average-heading")).to_have_text(
        "Median Session Duration by Page"
    )
    expect(page.locator("#user-average .g-xtitle")).to_have_text("Median")
    expect(page.locator("#users-finding")).to_contain_text("users match")

    # A chip takes its own filter away, "Clear" and Esc all.
    page.get_by_label("cart and checkout: remove this filter").click()
    shows(
        page,
        "?user=user_7&from=2024-03-01&to=2024-04-01&min=10&max=120&stat=median",
    )
    assert chips(page) == ["March 2024", "10 s to 2 min"]
    page.click("#clear")
    shows(page, "?user=user_7&stat=median")
    assert chips(page) == []
    expect(page.locator("#period")).to_have_text("All dates")
    page.go_back()
    drawn(page)
    expect(page.locator("#clear")).to_be_visible()
    page.keyboard.press("Escape")
    shows(page, "?user=user_7&stat=median")


def test_escape_closes_a_list_before_it_clears(open_page: Open) -> None:
    page = open_page(query="?user=user_7&page=cart")
    page.click("#user")
    expect(page.locator(".dash-dropdown-content")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".dash-dropdown-content")).to_have_count(0)
    assert chips(page) == ["cart"]
    page.keyboard.press("Escape")
    shows(page, "?user=user_7")


def test_a_calendar_picks_days_with_the_last_among_them(open_page: Open) -> None:
    page = open_page(query="?user=user_7&from=2024-03-01&to=2024-04-01")
    page.click("#dates-wrapper .dash-datepicker-caret-icon")
    page.locator("td[data-date='2024-03-05'], td:has-text('5')").first.wait_for()
    page.keyboard.press("Escape")
    page.evaluate(
        """() => dash_clientside.set_props('dates',
            {start_date: '2024-03-05', end_date: '2024-03-07'})"""
    )
    shows(page, "?user=user_7&from=2024-03-05&to=2024-03-08")
    assert chips(page) == ["5 to 7 March 2024"]
    expect(page.locator("#period")).to_have_text("Custom")


def test_a_click_on_a_page_filters_all_other_charts(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    n_bars = page.locator("#total-time .bars .point").count()
    click_bar(page, "total-time", 1)
    shows(page, "?user=user_7&page=checkout")
    # The chart itself shows all pages still, and which of them is picked.
    assert page.locator("#total-time .bars .point").count() == n_bars
    assert picked_bars(page, "total-time") == [1]
    assert picked_bars(page, "user-average") == [1]
    sessions = simulate_sessions()
    checkout = sessions[sessions["page"] == "checkout"]
    n = int((checkout["user_id"] == "user_7").sum())
    expect(page.locator("#tile-sessions-value")).to_have_text(f"{n:,}")
    expect(page.locator("#total-time-finding")).to_contain_text("on checkout")

    click_bar(page, "user-average", 3, "Shift")
    shows(page, "?user=user_7&page=checkout&page=home")
    click_bar(page, "total-time", 0, "Control")
    shows(page, "?user=user_7&page=checkout&page=home&page=products")
    click_bar(page, "total-time", 1, "Control")
    shows(page, "?user=user_7&page=home&page=products")
    click_bar(page, "total-time", 1)
    shows(page, "?user=user_7&page=checkout")
    click_bar(page, "total-time", 1)
    shows(page, "?user=user_7")
    assert picked_bars(page, "total-time") is None


def test_a_drag_over_durations_filters_them(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    n_bars = page.locator("#durations .bars .point").count()
    drag(page, "durations", 1, 11)
    shows(page, "?user=user_7&min=10&max=120")
    assert page.locator("#durations .bars .point").count() == n_bars
    assert picked_bars(page, "durations") == list(range(1, 12))
    # The rectangle of the drag is gone: the answer shows what is picked.
    expect(page.locator("#durations .selectionlayer path")).to_have_count(0)
    expect(page.locator("#durations-finding")).to_contain_text("last 10 s to 2 min")
    click_bar(page, "durations", 5)
    shows(page, "?user=user_7&min=50&max=60")
    click_bar(page, "durations", 5)
    shows(page, "?user=user_7")
    # The last bar is all that is longer.
    click_bar(page, "durations", n_bars - 1)
    shows(page, "?user=user_7&min=360")
    expect(page.locator("#chips")).to_contain_text("6 min and longer")


def test_a_drag_over_the_timeline_filters_dates(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    n_bars = page.locator("#timeline .bars .point").count()
    drag(page, "timeline", 9, 12)
    shows(page, "?user=user_7&from=2024-03-04&to=2024-04-01")
    assert page.locator("#timeline .bars .point").count() == n_bars
    assert picked_bars(page, "timeline") == [9, 10, 11, 12]
    assert chips(page) == ["4 to 31 March 2024"]
    expect(page.locator("#timeline-finding")).to_contain_text("the other days'")
    # The same again takes it back.
    drag(page, "timeline", 9, 12)
    shows(page, "?user=user_7")


def test_back_and_forward_step_through_picks(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    answers = redraws(page)
    choose(page, "user", "user_9")
    shows(page, "?user=user_9")
    click_bar(page, "total-time", 0)
    shows(page, "?user=user_9&page=products")
    page.get_by_text("P90", exact=True).click()
    shows(page, "?user=user_9&page=products&stat=p90")
    asked_for = len(answers)
    for back in ("?user=user_9&page=products", "?user=user_9", "?user=user_7"):
        page.go_back()
        shows(page, back)
    expect(page.locator("#user")).to_have_text("user_7")
    expect(page.locator("#tile-typical-label")).to_have_text("Average session")
    page.go_forward()
    shows(page, "?user=user_9")
    expect(page.locator("#user")).to_have_text("user_9")
    # They are known.
    page.wait_for_load_state("networkidle")
    assert len(answers) == asked_for


def test_picks_in_quick_succession_all_count(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    release = hold_answers(page)
    # All before any answer: a control, an address as a bar sets it, a link, a control.
    for pick in (
        "dash_clientside.set_props('statistic', {value: 'median'})",
        "dash_clientside.set_props('url', {search: '?user=user_7&page=cart'})",
        "document.querySelectorAll('#users-table tbody a')[2].click()",
        "dash_clientside.set_props('scale', {value: 'log'})",
    ):
        page.evaluate(f"() => {{ {pick} }}")
    release()
    user = page.locator("#users-table tbody a").nth(2).inner_text()
    page.wait_for_function(
        """() => location.search.includes('scale=log')
            && document.querySelector('#chips').dataset.asked === location.search"""
    )
    assert dict(asked(page)) == {
        "user": user,
        "page": "cart",
        "stat": "median",
        "scale": "log",
    }
    drawn(page, user)
    expect(page.locator("#user")).to_have_text(user)
    expect(page.locator("#statistic input[value=median]")).to_be_checked()


def test_days_typed_in_any_order_are_taken(open_page: Open) -> None:
    page = open_page(query="?user=user_7&from=2024-02-05&to=2024-02-10")
    end = page.locator("#dates-end-date")
    end.click()
    end.press("ControlOrMeta+a")
    end.press_sequentially("1 Feb 2024")
    end.press("Enter")
    page.keyboard.press("Escape")
    shows(page, "?user=user_7&from=2024-02-01&to=2024-02-06")
    expect(page.locator("#dates")).to_have_value("1 Feb 2024")
    expect(end).to_have_value("5 Feb 2024")


def test_escape_in_the_search_leaves_the_filters(open_page: Open) -> None:
    page = open_page(query="?user=user_7&page=cart")
    page.fill("#find", "user_1")
    page.keyboard.press("Escape")
    expect(page.locator("#users-finding")).to_contain_text("user")
    assert chips(page) == ["cart"]


@much_alike
def test_a_finger_scrolls_over_every_chart(open_page: Open) -> None:
    page = open_page(width=375, touch=True, query="?user=user_7")
    touch = page.context.new_cdp_session(page)
    # The page ends with the timeline: there it has no further to scroll.
    for chart in ("total-time", "durations", "hours"):
        plot = page.locator(f"#{chart} .nsewdrag").first
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box is not None
        before = page.evaluate("scrollY")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for kind, moved in [
            ("touchStart", [0]),
            *(("touchMove", [15 * step]) for step in range(1, 11)),
            ("touchEnd", []),
        ]:
            points = [{"x": x, "y": y - by} for by in moved]
            touch.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
            )
        page.wait_for_function("before => scrollY > before + 50", arg=before)
        assert chips(page) == []
    # A tap is a click.
    bar = page.locator("#durations .trace.bars .point").nth(2)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shows(page, "?user=user_7&min=20&max=30")


def everything_shown(page: Page) -> Any:
    page.wait_for_load_state("networkidle")
    return page.evaluate(
        """charts => [
            document.querySelector('main').innerText,
            ...charts.map(id => JSON.stringify(
                document.querySelector(`#${id} .js-plotly-plot`).data))
        ]""",
        list(CHARTS),
    )


@much_alike
def test_a_copied_link_opens_the_same_view(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    click_bar(page, "total-time", 3)
    shows(page, "?user=user_7&page=home")
    page.locator("#durations-section").get_by_text("Logarithmic").click()
    shows(page, "?user=user_7&page=home&scale=log")
    page.locator("#timeline-section").get_by_text("Time", exact=True).click()
    shows(page, "?user=user_7&page=home&scale=log&timeline=time")
    page.locator("#hours-details summary").click()
    shows(page, "?user=user_7&page=home&scale=log&timeline=time&table=hours")
    page.get_by_role("link", name="Sessions", exact=True).click()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**&sheet=2")
    expect(page.locator("#users-table nav")).to_contain_text("2 of 5")
    shown = everything_shown(page)
    query = f"?{urlsplit(page.url).query}"
    other = open_page(query=query)
    assert everything_shown(other) == shown
    assert f"?{urlsplit(other.url).query}" == query


@much_alike
@pytest.mark.parametrize(
    ("query", "told", "shown"),
    [
        ("?user=nobody", "user “nobody”", "?user="),
        ("?user=user_7&from=2024-04-01&to=2024-03-01", "2024-04-01", "?user=user_7"),
        ("?user=<script>alert(1)</script>", "<script>alert(1)</script>", "?user="),
        ("?user=user_7&page=%00&min=x&stat=mode&sheet=-1", "mode", "?user=user_7"),
        ("?%ff=%fe&&&=&user=user_7", "means nothing here", "?user=user_7"),
    ],
)
def test_a_link_that_asks_in_vain_opens_the_nearest_view(
    open_page: Open, query: str, told: str, shown: str
) -> None:
    page = open_page(query=query)
    notice = page.locator("#notice")
    expect(notice).to_contain_text("Ignored in the address")
    expect(notice).to_contain_text(told)
    expect(page.locator("#chips")).to_have_attribute("data-address", shown)
    expect(page.locator("#problem")).to_be_hidden()
    # It is told once: the next pick is of what is shown.
    page.get_by_text("P90", exact=True).click()
    shows(page, f"{shown}&stat=p90")
    expect(notice).to_be_hidden()


def test_a_click_in_the_table_picks_a_user(open_page: Open) -> None:
    page = open_page(query="?user=user_7&page=cart")
    row = page.locator("#users-table tbody tr").nth(2)
    user = row.locator("a").inner_text()
    # Anywhere on the row.
    row.locator("td").nth(3).click(force=True)
    drawn(page, user)
    expect(page.locator("#user")).to_have_text(user)
    expect(page.locator("#users-table [aria-current]")).to_have_text(user)
    expect(page.locator("#tile-total-rank")).to_have_text("3rd of 50")


def test_the_table_of_users_sorts_searches_and_turns(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    names = page.locator("#users-table tbody a")
    expect(names).to_have_count(10)
    head = page.locator("#users-table th")
    expect(head.nth(1)).to_have_attribute("aria-sort", "descending")
    page.get_by_role("link", name="User", exact=True).click()
    expect(names.first).to_have_text("user_1")
    expect(head.nth(0)).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("link", name=re.compile("^User")).click()
    expect(names.first).to_have_text("user_9")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#users-table nav")).to_contain_text("2 of 5")
    page.fill("#find", "USER_4")
    expect(names).to_have_count(10)
    expect(page.locator("#users-finding")).to_contain_text("11 of 50 users")
    page.go_back()
    expect(page.locator("#users-table nav")).to_contain_text("2 of 5")
    expect(page.locator("#find")).to_have_value("")


def test_a_table_opens_behind_each_chart(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    for chart in CHARTS:
        table = page.locator(f"#{chart}-table table")
        expect(table).to_have_count(0)
        page.locator(f"#{chart}-details summary").click()
        expect(table).to_be_visible()
        assert table.locator("tbody tr").count() >= 10
    assert [value for key, value in asked(page) if key == "table"] == list(CHARTS)
    first = page.locator("#total-time-table tbody tr").first
    expect(first).to_contain_text("products")
    expect(first).to_contain_text("610 h")
    page.locator("#hours-details summary").click()
    expect(page.locator("#hours-table table")).to_have_count(0)
    assert [value for key, value in asked(page) if key == "table"] == list(CHARTS[:4])


def rows_of(download: Download) -> list[dict[str, str]]:
    with Path(download.path()).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_numbers_and_sessions_can_be_taken_away(open_page: Open) -> None:
    page = open_page(query="?user=user_7&from=2024-03-01&to=2024-04-01&page=cart")
    sessions = simulate_sessions()
    cart = sessions[
        (sessions["timestamp"].dt.month == 3) & (sessions["page"] == "cart")
    ]
    theirs = cart[cart["user_id"] == "user_7"]
    with page.expect_download() as taken:
        page.get_by_text(f"Download {len(theirs)} sessions (CSV)").click()
    assert taken.value.suggested_filename == "Sessions, user_7, March 2024, cart.csv"
    rows = rows_of(taken.value)
    assert sorted(float(row["duration"]) for row in rows) == pytest.approx(
        sorted(theirs["duration"])
    )
    assert {row["user_id"] for row in rows} == {"user_7"}

    link = page.get_by_label("Session Duration Distribution as CSV")
    with page.expect_download() as taken:
        link.click()
    assert taken.value.suggested_filename == (
        "Session Duration Distribution, user_7, March 2024, cart, for spreadsheets.csv"
    )
    rows = rows_of(taken.value)
    assert sum(int(row["everyone: sessions"]) for row in rows) == len(cart)
    assert sum(int(row["user: sessions"]) for row in rows) == len(theirs)

    # What is taken away is what is shown now, however the link is reached.
    link.focus()
    page.keyboard.press("Escape")
    shows(page, "?user=user_7")
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert taken.value.suggested_filename == (
        "Session Duration Distribution, user_7, for spreadsheets.csv"
    )


def test_each_chart_can_be_taken_away_as_a_picture(open_page: Open) -> None:
    page = open_page(query="?user=user_7&stat=median", colours="dark")
    for chart in CHARTS:
        heading = page.locator(f"#{chart}-heading").inner_text()
        section = page.locator(f"#{chart}-section")
        with page.expect_download() as taken:
            section.get_by_role("button", name=re.compile("as PNG$")).click()
        assert taken.value.suggested_filename == f"{heading}, user_7.png"
        picture = Path(taken.value.path()).read_bytes()
        assert picture.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", picture[16:24])
        assert width > 1000
        assert height > 500
        with page.expect_download() as taken:
            section.get_by_role("button", name=re.compile("as SVG$")).click()
        assert taken.value.suggested_filename == f"{heading}, user_7.svg"
        drawing = Path(taken.value.path()).read_text(encoding="utf-8")
        assert f"{heading}, user_7" in drawing
        assert "<svg" in drawing


def test_a_zoom_is_kept_across_picks(open_page: Open) -> None:
    page = open_page(query="?user=user_7")

    def shown() -> Any:
        return page.evaluate(
            """() => document.querySelector('#durations .js-plotly-plot')
                ._fullLayout.xaxis.range"""
        )

    whole = shown()
    page.locator("#durations .nsewdrag").hover()
    page.locator("#durations [data-title='Zoom in']").click()
    zoomed = shown()
    assert zoomed[1] - zoomed[0] == pytest.approx((whole[1] - whole[0]) / 2)
    choose(page, "user", "user_9")
    drawn(page, "user_9")
    assert shown() == zoomed
    # Where the axis means something else, so did the zoom.
    page.locator("#durations-section").get_by_text("Logarithmic").click()
    shows(page, "?user=user_9&scale=log")
    assert shown()[0] == 0
    page.locator("#durations-section").get_by_text("Linear").click()
    shows(page, "?user=user_9")
    page.locator("#durations .nsewdrag").hover()
    page.locator("#durations [data-title='Reset axes']").click()
    choose(page, "user", "user_7")
    drawn(page, "user_7")
    assert shown() == pytest.approx(whole)


def test_the_keyboard_goes_through_the_page_in_order(open_page: Open) -> None:
    page = open_page(query="?user=user_7&page=cart")
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                    const there = document.activeElement;
                    return there.id || there.getAttribute('aria-label')
                        || there.value || there.textContent;
                }"""
            )
        )
    order = [
        *("system", "sessions", "user", "period", "dates", "pages"),
        *("shortest", "longest"),
        *("average", "cart: remove this filter", "clear", "Total Time per Page as CSV"),
        *("linear", "find", "user_1"),
    ]
    # The timeline's switch, further down, has the value of the link's id.
    assert [stop for stop in reached if stop in order][: len(order)] == order

    # Arrows move within a switch; Enter and Space do what a click does.
    page.locator("#statistic input").first.focus()
    page.keyboard.press("ArrowRight")
    shows(page, "?user=user_7&page=cart&stat=median")
    page.locator("#durations-details summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#durations-table table")).to_be_visible()
    shows(page, "?user=user_7&page=cart&stat=median&table=durations")
    # The table may be written anew: the key goes to the link that is there then.
    page.locator("#users-table tbody a").nth(1).press("Enter")
    expect(page.locator("#user")).to_have_text("user_3")


# What Dash's own components bring, and can't be mended from outside: in front of each
# dropdown's button a hidden input takes the focus, to pass it on at once.
DASHES = {"aria-hidden-focus": ".dash-dropdown-focus-target"}


@pytest.mark.parametrize(("width", "colours"), [(1400, "light"), (375, "dark")])
def test_axe_finds_nothing_serious(open_page: Open, colours: str, width: int) -> None:
    page = open_page(
        query="?user=user_7&from=2024-03-01&to=2024-04-01&page=cart&min=10&max=60"
        "&table=durations&table=hours&colour=red",
        colours=colours,
        width=width,
    )
    expect(page.locator("#durations-table table")).to_be_visible()
    expect(page.locator("[role=option]")).to_have_count(0)
    serious = [
        (violation["id"], node["html"])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
        if DASHES.get(violation["id"], " ")[1:] not in node["html"]
    ]
    assert serious == []


def test_nothing_moves_where_that_is_not_wanted(open_page: Open) -> None:
    page = open_page()
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(element => {
            const style = getComputedStyle(element);
            return style.transitionProperty !== 'none'
                && parseFloat(style.transitionDuration) > 0;
        }).length"""
    )
    assert moving == 0


def test_it_prints_on_a4(open_page: Open) -> None:
    page = open_page(query="?user=user_7&page=cart", colours="dark")
    page.evaluate(
        """() => window.addEventListener('beforeprint', () => {
            window.printed = [...document.querySelectorAll('.main-svg')]
                .map(svg => svg.getBoundingClientRect().width);
        })"""
    )
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) <= 4
    widths = page.evaluate("() => window.printed")
    assert set(widths) == {680}
    # Afterwards the charts are as wide as the window again.
    page.wait_for_function(
        """() => document.querySelector('#durations .main-svg')
            .getBoundingClientRect().width > 1000"""
    )
    page.emulate_media(media="print")
    expect(page.locator(".fields")).to_be_hidden()
    expect(page.locator("#total-time-section .take")).to_be_hidden()
    ground = page.locator("#total-time-section").evaluate(
        "section => getComputedStyle(section).backgroundColor"
    )
    assert ground == "rgb(255, 255, 255)"


def test_a_user_of_one_session_is_shown_as_such(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    rows = "ann,home,60,2024-03-06T20:15\n" + "bob,home,30,2024-03-05T10:00\n" * 9
    page = open_page("--no-debug", table_file(rows), query="?user=ann")
    expect(page.locator("#hours-finding")).to_have_text(
        re.compile(r"Wednesday, 20:00 to 21:00\. Few sessions")
    )
    expect(page.locator("#tile-sessions-value")).to_have_text("1")
    expect(page.locator("#sessions")).to_have_text("Download 1 session (CSV)")
    expect(page.locator("#tile-last-value")).to_have_text("6 Mar 2024, 20:15")


def test_nothing_selected_is_said_everywhere(open_page: Open) -> None:
    page = open_page(query="?user=user_7")
    page.evaluate(
        """() => dash_clientside.set_props('url', {search:
            '?user=user_50&from=2024-01-01&to=2024-01-02&page=help&min=350'})"""
    )
    expect(page.locator("#tile-sessions-value")).to_have_text("0")
    expect(page.locator("#tile-last-value")).to_have_text("never")
    expect(page.locator("#hours .annotation-text")).to_have_text("No sessions match")
    for chart in CHARTS:
        expect(page.locator(f"#{chart}-finding")).not_to_be_empty()
    expect(page.locator("#problem")).to_be_hidden()
    page.keyboard.press("Escape")
    shows(page, "?user=user_50")


def test_hours_are_those_of_the_named_time_zone(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    rows = "ann,home,60,2024-01-03T12:00\nann,home,60,2024-07-03T12:00\n" * 3
    page = open_page("--no-debug", "--timezone", "Europe/Berlin", table_file(rows))
    expect(page.locator(".data-line")).to_contain_text("(Europe/Berlin)")
    expect(page.locator("#hours .g-xtitle")).to_contain_text("Europe/Berlin")
    wednesday = page.evaluate(
        """() => document.querySelector('#hours .js-plotly-plot').data[0].text[2]"""
    )
    # Noon in Greenwich is 13:00 in winter, 14:00 in summer.
    assert [hour for hour, n in enumerate(wednesday) if n] == [13, 14]


@needs_nasa
def test_real_people_ask_with_a_click(open_page: Open) -> None:
    page = open_page("--no-debug", str(NASA / "sessions.csv"))
    click_bar(page, "total-time", 0)
    expect(page.locator("#chips")).to_contain_text("/ksc.html")
    expect(page.locator("#pages")).to_contain_text("/ksc.html")
    page.keyboard.press("Escape")
    expect(page.locator("#chips")).to_be_empty()
    # 861 pages are searched on the server.
    page.click("#pages")
    page.keyboard.type("mission-sts-69")
    page.get_by_role("option").first.click()
    expect(page.locator("#chips")).to_contain_text("mission-sts-69")
    page.keyboard.press("Escape")
    # One day has no week to be compared with.
    expect(page.locator("#timeline-heading")).to_have_text("Sessions per Day")


@needs_nasa
def test_a_link_names_users_and_pages_that_no_list_offers(open_page: Open) -> None:
    query = "?user=torben.dou.dk&page=/history/apollo/apollo-9/apollo-9.html"
    page = open_page("--no-debug", str(NASA / "sessions.csv"), query=query)
    shows(page, query)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#user")).to_have_text("torben.dou.dk")
    expect(page.locator("#pages")).to_contain_text("apollo-9.html")
    shows(page, query)
