from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest
from dash import Dash
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

import ids
from app import create_app
from callbacks import list_users, redraw
from charts import CHARTS, SECTIONS
from charts.chart import Chart, Shown
from charts.figure import Figure, empty
from engine.memory import MemoryEngine
from layout import TITLE
from payload import numbers_table
from saved_view import POLICY, document
from tests.building import engine_of, view_of
from tests.examples import examples
from tests.sessions import ROWS, Row, table
from versus import Versus
from view import View, address

NOW = pd.Timestamp("2024-07-01T14:05:59", tz="Europe/Berlin")
LINE = "A table: <12> sessions & more."


class SessionsByPage(Chart):
    id = "sessions-by-page"
    title = "Sessions <by> Page"

    def numbers(self, shown: Shown, *, every_row: bool = False) -> pd.DataFrame:
        summary = shown.summary
        columns = {"page": summary.facts.pages, "n": summary.everyone.sessions}
        return pd.DataFrame(columns)[: None if every_row else 2]

    def figure(self, shown: Shown) -> Figure:
        return empty("")

    def sentence(self, shown: Shown) -> str:
        return "A & B."


class Document(HTMLParser):
    """The elements of a document, and the text in each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.declarations: list[str] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self._open.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        opened, parts = self._open.pop()
        assert opened == tag
        self.texts.append((tag, "".join(parts)))

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1][1].append(data)

    def of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def saved(engine: MemoryEngine, view: View, charts: Any = CHARTS) -> Document:
    return Document(document(engine, view, charts, LINE, NOW)[0])


def get(app: Dash, path: str) -> TestResponse:
    response: TestResponse = app.server.test_client().get(path)
    return response


def test_a_chart_has_its_words_a_place_for_its_picture_and_its_numbers(
    engine: MemoryEngine,
) -> None:
    text, caption = document(engine, View(), [SessionsByPage()], LINE, NOW)
    assert caption == "everyone"
    head = '<table><thead><tr><th scope="col">page</th><th scope="col">n</th></tr>'
    rows = "<tr><td>cart</td><td>4</td></tr><tr><td>help</td><td>1</td></tr>"
    section = (
        "<section><h2>Sessions &lt;by&gt; Page</h2><p>A &amp; B.</p>"
        '<figure data-chart="sessions-by-page"></figure>'
        f'<details><summary>Table</summary><div class="wide">{head}</thead>'
        f"<tbody>{rows}</tbody></table></div></details></section>\n"
    )
    assert section in text
    is_open = view_of(tables=("sessions-by-page",))
    text, _ = document(engine, is_open, [SessionsByPage()], LINE, NOW)
    assert section.replace("<details>", '<details open="">') in text


def test_begins_with_what_is_shown_and_when(engine: MemoryEngine) -> None:
    view = view_of("ann", pages=("home",), shortest=10)
    found = saved(engine, view)
    assert found.declarations == ["DOCTYPE html"]
    assert found.elements[0] == ("html", {"lang": "en"})
    assert found.of("title") == [f"ann, home, 10 s and longer: {TITLE}"]
    assert found.of("h1") == [TITLE]
    assert found.of("p")[:3] == [
        *("ann, home, 10 s and longer", LINE),
        "Saved on 1 Jul 2024, 14:05 (UTC).",
    ]


def test_says_what_the_page_says(engine: MemoryEngine) -> None:
    view = view_of("bob", statistic="p90", sort="user", reverse=True)
    found = saved(engine, view)
    every = tuple(chart.id for chart in CHARTS)
    page = redraw(engine, view_of("bob", statistic="p90", tables=every)).page
    listed = list_users(engine, view)
    text = {**page["text"], **listed["text"]}
    headings = [text[f"{chart}-heading"] for chart in every]
    assert found.of("h2") == [*headings, "Users"]
    paragraphs = found.of("p")
    assert all(text[f"{chart}-finding"] in paragraphs for chart in every)
    assert f"0  {text['hours-darkest']}" in paragraphs
    assert found.of("dt") == [
        *("Sessions", "Total time", "P90 session", "Active days", "Last seen")
    ]
    tiles = ("sessions", "total", "typical", "active", "last")
    parts = ("value", "beside", "rank")
    words = [text[f"tile-{tile}-{part}"] for tile in tiles for part in parts]
    assert found.of("dd") == words
    tables = [page["tables"][chart] for chart in every]
    assert found.of("th") == [
        *(name for numbers in tables for name in numbers["head"]),
        *("User", "Total time", "Sessions", "Active days", "Median", "Last seen"),
    ]
    cells = [cell for numbers in tables for row in numbers["rows"] for cell in row]
    users = [cell for row in listed["users"]["rows"] for cell in row]
    assert users[::6] == ["cy", "bob", "ann"]
    assert found.of("td") == cells + users
    current = [attributes for attributes in found.attributes("tr") if attributes]
    assert current == [{"aria-current": "true"}]


def test_only_open_tables_are_open(engine: MemoryEngine) -> None:
    found = saved(engine, view_of(tables=("hours", "total-time")))
    opened = ["open" in attributes for attributes in found.attributes("details")]
    assert opened == [chart.id in ("hours", "total-time") for chart in CHARTS]
    figures = [attributes["data-chart"] for attributes in found.attributes("figure")]
    assert figures == [chart.id for chart in CHARTS]
    assert found.of("figure") == [""] * len(CHARTS)


def test_has_the_rows_that_are_drawn_and_no_more() -> None:
    rows: list[Row] = [("a", f"p{n:03}", n + 1, "2024-01-01") for n in range(200)]
    engine = engine_of(rows)
    view = view_of()
    summary = engine.summarise(view.selection)
    shown = Shown(view, summary, summary)
    chart = CHARTS[0]
    drawn = numbers_table(chart.numbers(shown))["rows"]
    assert len(drawn) < len(chart.numbers(shown, every_row=True)) == 200
    found = saved(engine, view, [chart])
    one_user = 6
    assert found.of("td")[:-one_user] == [cell for row in drawn for cell in row]


def test_invites_to_nothing_that_a_file_cannot_do(engine: MemoryEngine) -> None:
    text, _ = document(engine, View(), CHARTS, LINE, NOW)
    assert "lick" not in text
    assert "3 users." in Document(text).of("p")


def test_a_page_of_many_users_says_which_it_is() -> None:
    engine = engine_of([(f"u{n:02}", "p", n, "2024-01-01") for n in range(25)])
    assert "Page 2 of 3." in saved(engine, view_of(users_page=2)).of("p")
    few = engine_of()
    assert not any(text.startswith("Page ") for text in saved(few, View()).of("p"))


def test_says_that_nothing_matches(engine: MemoryEngine) -> None:
    view = view_of("bob", pages=("help",), shortest=10)
    found = saved(engine, view)
    words = redraw(engine, view).page["lines"][ids.NOTHING]["text"]
    assert words.startswith("No sessions of bob match")
    assert found.of("p")[3] == words
    assert words not in saved(engine, view_of("bob")).of("p")


def test_the_document_asks_for_nothing_and_runs_nothing(app: Dash) -> None:
    found = Document(get(app, "/view.html?user=ann").text)
    (policy,) = [
        attributes["content"]
        for attributes in found.attributes("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert policy == POLICY
    # It stands before all that it is for.
    assert [tag for tag, _ in found.elements][:4] == ["html", "head", "meta", "meta"]
    tags = {tag for tag, _ in found.elements}
    assert not tags & {"script", "link", "img", "iframe", "a", "form", "base", "object"}
    names = {name for _, attributes in found.elements for name in attributes}
    assert not names & {"src", "href", "style"}
    assert not any(name.startswith("on") for name in names)
    (style,) = found.of("style")
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme" in style or "light-dark(" in style


STRANGE = (
    *("<script>alert(1)</script>", "</title><script>", "</style>", '" onload="x'),
    *("' onload='x", "<!--", "-->", "&lt;", "&amp;amp;", "__proto__", "]]>", "<b>x"),
    *("constructor", "x" * 10_000, "\u202e", "=1+1", "{%scripts%}", "&#0;", "<", "&"),
)


def structure(found: Document) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attributes)) for tag, attributes in found.elements]


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_are_shown_as_they_are(name: str) -> None:
    plain = saved(engine_of([("u", "p", 1, "2024-01-01")]), view_of("u"))
    engine = engine_of([(name, name, 1, "2024-01-01")])
    found = saved(engine, view_of(name))
    # Nothing that is in a name is an element, or an attribute.
    assert structure(found) == structure(plain)
    (user,) = [a["title"] for a in found.attributes("td") if "title" in a]
    assert user == name
    assert name in found.of("td")
    assert found.of("style") == plain.of("style")


def names() -> Iterator[st.SearchStrategy[str]]:
    yield st.text(st.sampled_from("<>&\"'=/!-;ab \n"), min_size=1, max_size=12)
    yield st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@examples(60)
@given(st.one_of(*names()).filter(str.strip))
@example("a\nb")
def test_any_name_is_text(name: str) -> None:
    engine = engine_of([(name, name, 1, "2024-01-01")])
    found = saved(engine, view_of(name), [SessionsByPage()])
    plain = engine_of([("u", "p", 1, "2024-01-01")])
    assert structure(found) == structure(saved(plain, view_of("u"), [SessionsByPage()]))
    assert found.of("td")[:2] == [name, "1"]


def test_open_sections_are_there_in_words_and_numbers(engine: MemoryEngine) -> None:
    view = view_of("ann", versus=Versus("user", "bob"), opened=("story",))
    found = saved(engine, view)
    assert found.of("h2")[-2:] == ["Compare", "One User's Story"]
    for section in SECTIONS[:2]:
        assert section.answer(engine, view)["finding"] in found.of("p")
        rows = numbers_table(section.numbers(engine, view))["rows"]
        assert "\n".join(cell for row in rows for cell in row) in "\n".join(
            found.of("td")
        )
    assert "Compare" not in saved(engine, view_of("ann")).of("h2")
    nobody = saved(engine, view_of(opened=("story",)))
    assert "Pick a user to see their story." in nobody.of("p")


def test_is_a_file_beside_the_page(app: Dash) -> None:
    response = get(app, f"/view.html{address(view_of('ann', pages=('home',)))}")
    assert response.status_code == 200
    assert response.content_type == "text/html; charset=utf-8"
    kind = response.headers["Content-Disposition"]
    assert kind == 'attachment; filename="User activity, ann, home.html"'
    assert Document(response.text).of("p")[0] == "ann, home"


def test_without_an_address_it_is_the_busiest_user(app: Dash) -> None:
    assert Document(get(app, "/view.html").text).of("p")[0] == "ann"
    # What isn't there is ignored, as on the page.
    query = "user=zoe&page=shop&%ff=1&table=none&min=nan"
    assert Document(get(app, f"/view.html?{query}").text).of("p")[0] == "everyone"


def test_the_time_is_that_of_the_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def now(zone: str) -> pd.Timestamp:
        asked.append(zone)
        return NOW

    monkeypatch.setattr("saved_view.pd.Timestamp.now", now)
    app = create_app(table(ROWS), timezone="Europe/Berlin")
    found = Document(get(app, "/view.html").text)
    assert "Saved on 1 Jul 2024, 14:05 (Europe/Berlin)." in found.of("p")
    assert asked == ["Europe/Berlin"]
    assert "(Europe/Berlin)" in found.of("p")[1]


def test_the_file_of_a_long_name_has_a_short_one() -> None:
    app = create_app(table([("x" * 10_000, "p", 1, "2024-01-01")]))
    kind = get(app, "/view.html").headers["Content-Disposition"]
    assert kind.endswith('.html"')
    assert len(kind) < 250


def test_it_is_beside_the_page_behind_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASH_URL_BASE_PATHNAME", "/stats/")
    app = create_app(table(ROWS))
    assert Document(get(app, "/stats/view.html").text).of("h1") == [TITLE]
    assert get(app, "/view.html").status_code == 404
