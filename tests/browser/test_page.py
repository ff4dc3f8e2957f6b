import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from app import create_app
from charts.durations import Durations
from simulate import simulate_sessions
from tests.examples import much_alike, some_of
from tests.sessions import NASA, ROWS, needs_nasa, table

from .conftest import CHARTS, Open, drawn, pick


def data(page: Page, chart: str) -> Any:
    """What a chart has drawn: names, values and the labels of its rows."""
    return page.evaluate(
        """id => {
            const plot = document.querySelector(`#${id} .js-plotly-plot`);
            return plot.data.map(t => ({name: t.name, x: t.x, y: t.y}));
        }""",
        chart,
    )


def paints(page: Page) -> dict[str, int]:
    """How many changes the pictures of the charts took since this was first called."""
    return page.evaluate(  # type: ignore[no-any-return]
        """charts => {
            window.paints ??= Object.fromEntries(charts.map(id => {
                const watch = changes => { window.paints[id] += changes.length; };
                for (const svg of document.querySelectorAll(`#${id} .main-svg > *`))
                    new MutationObserver(watch).observe(
                        svg, {subtree: true, childList: true, attributes: true});
                return [id, 0];
            }));
            return window.paints;
        }""",
        list(CHARTS),
    )


def point_at(page: Page, selector: str, number: int = 0) -> None:
    """Move the mouse to the middle of a bar; Plotly's drag layer lies over it."""
    bar = page.locator(selector).nth(number)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_the_page_as_it_opens(open_page: Open) -> None:
    page = open_page()
    expect(page).to_have_title("Interactive User Activity Dashboard")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_text("Interactive User Activity Dashboard")
    expect(page.locator(".data-line")).to_have_text(
        "Simulated data (seed 2024): 100,000 sessions of 50 users on 10 pages, "
        "1 January 2024 to 31 December 2024 (UTC)."
    )
    assert page.locator("h2").all_inner_texts() == [
        "Total Time per Page",
        "Average Session Duration by Page",
        "Session Duration Distribution",
        "Users",
        "Sessions by Weekday and Hour",
        "Sessions per Week",
        *("Compare", "One User's Story", "What Comes Next"),
    ]
    expect(page.locator("#user")).to_have_text("user_1")
    expect(page.locator("#problem")).to_be_hidden()
    for chart in CHARTS:
        expect(page.locator(f"#{chart}-finding")).not_to_be_empty()
    # The first two side by side, the third below and as wide as both.
    boxes = [page.locator(f"#{chart}-section").bounding_box() for chart in CHARTS[:3]]
    total, average, durations = (box for box in boxes if box)
    assert total["y"] == average["y"]
    assert total["x"] + total["width"] < average["x"]
    assert durations["y"] > total["y"] + total["height"]
    assert durations["width"] == average["x"] + average["width"] - total["x"]


def test_a_pick_redraws_the_charts_with_the_users_numbers(open_page: Open) -> None:
    page = open_page()
    before = {chart: data(page, chart) for chart in CHARTS}
    pick(page, "user_7")
    after = {chart: data(page, chart) for chart in CHARTS}
    assert before["total-time"] == after["total-time"]
    assert before["user-average"][1]["name"] == "everyone"
    assert before["user-average"][0]["x"] != after["user-average"][0]["x"]
    assert before["durations"][1]["y"] != after["durations"][1]["y"]
    assert before["durations"][0]["y"] == after["durations"][0]["y"]
    expect(page.locator("#durations-finding")).to_contain_text("user_7's sessions")

    sessions = simulate_sessions()
    theirs = sessions[sessions["user_id"] == "user_7"]
    means = theirs.groupby("page", observed=True)["duration"].mean()
    order = sessions.groupby("page", observed=True)["duration"].sum()
    pages = order.sort_values(ascending=False).index
    assert after["user-average"][0]["x"] == pytest.approx(list(means[pages]), rel=1e-3)


def test_a_chart_that_does_not_change_is_not_painted_again(open_page: Open) -> None:
    page = open_page()
    paints(page)
    pick(page, "user_7")
    changes = paints(page)
    assert changes["total-time"] == 0
    assert min(n for chart, n in changes.items() if chart != "total-time") > 50


def test_the_keyboard_is_enough(open_page: Open) -> None:
    page = open_page()
    page.locator("#user").focus()
    page.keyboard.press("Enter")
    expect(page.locator("input[value=user_1]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("input[value=user_2]")).to_be_focused()
    page.keyboard.press("Enter")
    drawn(page, "user_2")


def test_typing_in_the_open_list_searches(open_page: Open) -> None:
    page = open_page()
    page.click("#user")
    expect(page.locator("input[value=user_1]")).to_be_focused()
    page.keyboard.type("user_33")
    expect(page.locator(".dash-dropdown-search")).to_have_value("user_33")
    page.get_by_role("option", name="user_33", exact=True).click()
    drawn(page, "user_33")


def test_everyone_can_be_picked_instead_of_a_user(open_page: Open) -> None:
    page = open_page()
    page.click("#user")
    page.get_by_role("option", name="Everyone", exact=True).click()
    expect(page.locator("#user-average-finding")).to_contain_text("Pick a user")
    page.wait_for_function(
        "() => document.querySelector('#durations .js-plotly-plot').data"
        ".every(trace => trace.name !== 'user_1')"
    )
    names = [trace.get("name") for trace in data(page, "user-average")]
    assert names == ["everyone", None]
    expect(page).to_have_url(re.compile(r"\?user=$"))
    page.reload()
    drawn(page)
    expect(page.locator("#user")).to_have_text("Everyone")


def test_a_hover_compares_the_user_with_everyone(open_page: Open) -> None:
    page = open_page()
    point_at(page, "#user-average .bars .point")
    hover = page.locator("#user-average .hoverlayer")
    for words in (
        "user_1:",
        "× everyone's",
        " sessions)",
        "95 % interval",
        "everyone:",
    ):
        expect(hover).to_contain_text(words)
    point_at(page, "#durations .bars .point", 2)
    expect(page.locator("#durations .hoverlayer")).to_contain_text("20 s to 30 s")


def luminance(colour: str) -> float:
    """Relative luminance of an "rgb(r, g, b)", as WCAG 2.2 defines it."""
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def colour(page: Page, selector: str, prop: str) -> str:
    return page.locator(selector).first.evaluate(  # type: ignore[no-any-return]
        "(element, prop) => getComputedStyle(element)[prop]", prop
    )


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_text_and_bars_stand_out_in_both_themes(open_page: Open, colours: str) -> None:
    page = open_page(colours=colours)
    card = colour(page, "#durations-section", "backgroundColor")
    ground = colour(page, "body", "backgroundColor")
    assert (luminance(card) > 0.5) == (colours == "light")
    for selector in (".finding", "h2"):
        assert contrast(colour(page, selector, "color"), card) >= 4.5
    for selector in ("h1", ".data-line", "#theme label"):
        assert contrast(colour(page, selector, "color"), ground) >= 4.5
    for selector in (".xtick text", ".ytick text", ".g-xtitle text", ".legendtext"):
        assert contrast(colour(page, f"#user-average {selector}", "fill"), card) >= 4.5
    assert contrast(colour(page, "#durations .textpoint text", "fill"), card) >= 4.5
    for selector in (
        ".trace:nth-child(1) .point path",
        ".trace:nth-child(2) .point path",
    ):
        assert contrast(colour(page, f"#user-average {selector}", "fill"), card) >= 3


def test_the_switch_overrides_the_system_and_is_remembered(open_page: Open) -> None:
    page = open_page(colours="light")
    light = colour(page, "body", "backgroundColor")
    paints(page)
    page.get_by_text("Dark", exact=True).click()
    dark = colour(page, "body", "backgroundColor")
    assert luminance(dark) < 0.05 < luminance(light)
    assert set(paints(page).values()) == {0}
    page.reload()
    drawn(page)
    assert colour(page, "body", "backgroundColor") == dark
    page.get_by_text("System", exact=True).click()
    assert colour(page, "body", "backgroundColor") == light


@pytest.mark.parametrize("width", some_of(1, [375, 2560, 768, 1400]))
def test_nothing_is_cut_off_at_any_width(
    open_page: Open, width: int, table_file: Callable[..., str]
) -> None:
    long = "".join(
        f"someone@with-a-rather-long-address.example,/a/long/path/{i}/to/page.html,"
        f"{10 + i},2024-01-01\n" * 6
        for i in range(30)
    )
    for arguments in ((), ("--no-debug", table_file(long))):
        page = open_page(*arguments, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        outside = page.evaluate(
            """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(plot => {
                const frame = plot.getBoundingClientRect();
                return [...plot.querySelectorAll(
                    '.xtick text, .ytick text, .g-xtitle text, .g-ytitle text, ' +
                    '.legendtext, .annotation text'
                )].filter(text => {
                    const box = text.getBoundingClientRect();
                    return box.left < frame.left - 1 || box.right > frame.right + 1
                        || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
                }).map(text => text.textContent);
            })"""
        )
        assert outside == []
        plots = page.locator(".nsewdrag").evaluate_all(
            "plots => plots.map(plot => plot.getBoundingClientRect().width)"
        )
        assert min(plots) >= 110


def test_text_from_data_is_text(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    rows = "<img src=x onerror=alert(1)>,<b>x</b>,5,2024-01-01\n"
    other = "bob,home,1,2024-01-01\n"
    page = open_page("--no-debug", table_file(rows * 6 + other))
    expect(page.locator("#user")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.locator("#total-time .ytick text").first).to_have_text("<b>x</b>")
    expect(page.locator("#total-time-finding")).to_contain_text("<b>x</b>")
    expect(page.locator("#user-average .legendtext").first).to_contain_text("<img")
    assert page.locator("main img").count() == 0
    point_at(page, "#total-time .bars .point")
    expect(page.locator("#total-time .hoverlayer")).to_contain_text("<b>x</b>")

    page = open_page(
        "--no-debug",
        table_file("%{x},100%,5,2024-01-01\n" * 6 + other, "percent.csv"),
    )
    point_at(page, "#user-average .bars .point")
    expect(page.locator("#user-average .hoverlayer")).to_contain_text("%{x}: 5 s")
    expect(page.locator("#user-average .legendtext").first).to_have_text("%{x}")
    expect(page.locator("#total-time .ytick text").first).to_have_text("100%")


def test_many_users_are_found_by_typing(open_page: Open) -> None:
    n_users, n_sessions = 100_000, 200_000
    someone = str(simulate_sessions(n_sessions, n_users)["user_id"].iloc[-1])
    page = open_page(
        "--no-debug", "--users", str(n_users), "--sessions", str(n_sessions)
    )
    page.click("#user")
    options = page.locator(".dash-dropdown-content").get_by_role("option")
    # Everyone, and the 50 busiest.
    expect(options).to_have_count(51)
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    pick(page, someone)
    # The user who is picked stays an option, or Dash would forget them.
    page.click("#user")
    page.locator(".dash-dropdown-search").fill("user_12")
    expect(page.get_by_role("option", name="user_12", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(page.locator("#user")).to_contain_text(someone)


def test_a_user_who_is_not_in_the_list_can_be_set(open_page: Open) -> None:
    page = open_page("--no-debug", "--users", "1000", "--sessions", "30000")
    page.evaluate("() => dash_clientside.set_props('user', {value: 'user_1000'})")
    drawn(page, "user_1000")
    expect(page.locator("#user")).to_contain_text("user_1000")


@needs_nasa
@much_alike
def test_real_people(open_page: Open) -> None:
    page = open_page("--no-debug", str(NASA / "sessions.csv"))
    line = page.locator(".data-line")
    expect(line).to_contain_text("10,528 sessions of 2,259 users on 861 pages")
    expect(line).to_contain_text("Unknown durations: 2,852")
    bars, _ = data(page, "total-time")
    # 269 h 50 min: those of the bars, and the others' in words.
    assert sum(bars["x"]) == pytest.approx(441_932, rel=1e-3)
    expect(page.locator("#total-time-finding")).to_contain_text("270 h in total")
    expect(page.locator("#total-time-others")).to_contain_text(
        "851 other pages: 147 h of everyone's time."
    )
    assert bars["x"][0] == pytest.approx(233_511, rel=1e-3)
    labels = page.locator("#total-time .ytick text").all_text_contents()
    assert labels[0] == "/ksc.html"
    assert len(labels) == len(set(labels)) == 10
    pick(page, "torben.dou.dk")


def test_left_out_rows_are_told_on_the_page(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    rows = "ann,home,5,2024-01-01\n" * 6 + "ann,home,-5,2024-01-01\nann,home,5,x\n"
    page = open_page("--no-debug", table_file(rows))
    expect(page.locator(".data-line")).to_contain_text(
        "2 rows left out: 1 with an unreadable time, 1 with a negative duration."
    )


def test_a_failure_is_one_line_and_the_rest_stays(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_server("127.0.0.1", 0, create_app(table(ROWS)).server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        page = open_page(url=f"http://127.0.0.1:{server.port}/")
        monkeypatch.setattr(Durations, "figure", lambda *_: 1 // 0)
        page.click("#user")
        page.get_by_role("option", name="bob").click()
        problem = page.locator("#problem")
        expect(problem).to_contain_text("Something went wrong")
        expect(page.locator("#user")).to_contain_text("bob")
        monkeypatch.undo()
        pick(page, "cy")
        expect(problem).to_be_hidden()
        # It may still ask for the table of users, which nobody will answer.
        page.close()
    finally:
        server.shutdown()
        thread.join()


@much_alike
def test_a_finger_scrolls_the_page(open_page: Open) -> None:
    page = open_page(width=375, touch=True)
    action = page.locator("#total-time .nsewdrag").evaluate(
        "element => getComputedStyle(element).touchAction"
    )
    assert action == "pan-y"


def test_a_chart_is_named_and_described(open_page: Open) -> None:
    page = open_page()
    for chart in CHARTS:
        section = page.locator(f"#{chart}-section")
        expect(section).to_have_attribute("aria-labelledby", f"{chart}-heading")
        expect(section).to_have_attribute("aria-describedby", f"{chart}-finding")
        name = page.locator(f"#{chart}-heading").inner_text()
        expect(page.get_by_role("region", name=name, exact=True)).to_have_count(1)


def test_says_how_the_data_was_read(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    page = open_page("--no-debug", table_file("ann,<b>x</b>,5,2024-01-01\n" * 19))
    panel = page.locator(".report")
    assert page.locator(".alarm").count() == 0
    assert not panel.locator("dl").is_visible()
    panel.locator("summary").click()
    assert panel.locator("dt").all_inner_texts() == ["sessions.csv"]
    assert panel.locator("dd").all_inner_texts() == [
        "CSV, separated by commas, UTF-8.",
        "User: user_id.",
        "Page: page.",
        "Time: timestamp, ISO 8601, UTC where no zone is named.",
        "Duration: duration, in seconds.",
        "19 rows read, 19 kept.",
    ]
    # A pick redraws the page, and leaves what is open.
    page.evaluate("() => dash_clientside.set_props('statistic', {value: 'median'})")
    page.wait_for_url("**stat=median*")
    drawn(page)
    assert panel.locator("dl").is_visible()
    # It lies over the page until something else is meant.
    page.keyboard.press("Escape")
    expect(panel.locator("dl")).to_be_hidden()
    panel.locator("summary").click()
    expect(panel.locator("dl")).to_be_visible()
    page.locator("h1").click()
    expect(panel.locator("dl")).to_be_hidden()


@much_alike
def test_many_rows_left_out_are_an_alarm(
    open_page: Open, table_file: Callable[..., str]
) -> None:
    rows = "ann,home,5,2024-01-01\n" + "ann,home,<i>no</i>,2024-01-01\n"
    page = open_page("--no-debug", table_file(rows))
    assert page.get_by_role("alert").filter(has_text="50 %").inner_text() == (
        "50 % of the rows can't be used and are left out: 1 with an unreadable "
        "duration, such as line 3: '<i>no</i>'."
    )
