import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
from dash import Dash
from hypothesis import example, given
from hypothesis import strategies as st
from plotly.utils import PlotlyJSONEncoder
from werkzeug.test import TestResponse

import downloads
import view as views
from app import create_app
from charts import CHARTS
from engine.memory import Counting, MemoryEngine
from engine.model import Selection
from sources import read_sessions
from tests.building import engine_of, view_of
from tests.examples import examples
from tests.sessions import ROWS, Row, table
from view import View, address

HEAD = "user_id,page,duration,timestamp"


def get(app: Dash, path: str) -> TestResponse:
    response: TestResponse = app.server.test_client().get(path)
    return response


def lines(app: Dash, path: str) -> list[str]:
    response = get(app, path)
    assert response.status_code == 200
    assert response.content_type == "text/csv; charset=utf-8"
    assert response.text.endswith("\r\n")
    return response.text.split("\r\n")[:-1]


def named(app: Dash, path: str) -> str:
    """The file's name that a browser would take."""
    response = get(app, path)
    found = re.fullmatch(
        r'attachment; filename="([^"]+)"', response.headers["Content-Disposition"]
    )
    assert found is not None
    return found[1]


def test_total_time_is_not_filtered_by_pages(app: Dash) -> None:
    query = "user=ann&page=home&from=2024-03-01"
    assert lines(app, f"/numbers/total-time.csv?{query}") == [
        "page,sessions,of unknown duration,time (s)",
        *("home,3,1,90.0", "cart,2,1,5.0"),
    ]


def test_averages_with_a_filter(app: Dash) -> None:
    query = "user=ann&stat=median&from=2024-03-01"
    assert lines(app, f"/numbers/user-average.csv?{query}") == [
        "page,user: sessions of known duration,user: median (s),"
        "everyone: sessions of known duration,everyone: median (s)",
        *("home,2,45.0,2,45.0", "cart,0,,1,5.0"),
    ]


def test_the_distribution_with_a_filter(app: Dash) -> None:
    found = lines(app, "/numbers/durations.csv?user=bob&page=cart&min=10&scale=log")
    assert found[:3] == [
        "from (s),to (s),user: sessions,everyone: sessions",
        *("0.0,0.001,1,1", "0.001,1.0,0,0"),
    ]
    assert found[-1] == "100.0,150.0,0,1"
    found = lines(app, "/numbers/durations.csv?user=bob&page=cart")
    assert found[-1] == "90.0,,0,1"


def test_the_timeline_with_a_filter(app: Dash) -> None:
    found = lines(app, "/numbers/timeline.csv?user=&page=home&to=2024-02-01")
    assert found[0] == "from,to (not included),everyone: sessions,complete"
    assert found[1] == "2024-01-01,2024-01-08,0.0,True"
    assert found[9] == "2024-02-26,2024-03-04,7.0,True"
    assert found[-1] == "2024-12-30,2025-01-06,0.0,False"


def test_hours_with_a_filter(app: Dash) -> None:
    found = lines(app, "/numbers/hours.csv?user=bob&from=2024-02-29&to=2024-03-01")
    assert found[0] == "weekday,hour,times it occurs,user: sessions,everyone: sessions"
    assert len(found) == 1 + 7 * 24
    assert found[1] == "Monday,0,0,0,0"
    assert found[1 + 3 * 24 + 8] == "Thursday,8,1,3,3"


def test_all_pages_are_in_the_file() -> None:
    rows: list[Row] = [("a", f"p{page:03}", page, "2024-01-01") for page in range(40)]
    app = create_app(table(rows))
    for chart in ("total-time", "user-average"):
        found = lines(app, f"/numbers/{chart}.csv")
        assert [line[:4] for line in found[1:]] == [row[1] for row in rows[::-1]]


def test_without_an_address_it_is_the_busiest_user(app: Dash) -> None:
    assert len(lines(app, "/sessions.csv")) == 1 + 6
    assert len(lines(app, "/sessions.csv?user=")) == 1 + 12
    # What isn't there is ignored, as on the page.
    assert len(lines(app, "/sessions.csv?user=zoe&from=x&%ff=1&min=nan")) == 1 + 12


def test_the_sessions_themselves(app: Dash) -> None:
    assert lines(app, "/sessions.csv?user=bob") == [
        HEAD,
        "bob,home,60.0,2024-02-29 08:00:00+00:00",
        "bob,cart,0.0,2024-02-29 08:01:00+00:00",
        "bob,help,,2024-02-29 08:02:00+00:00",
    ]


def test_where_nothing_is_selected_there_is_only_a_head(app: Dash) -> None:
    query = "user=bob&from=2024-03-01&to=2024-04-01"
    assert lines(app, f"/sessions.csv?{query}") == [HEAD]
    for chart in ("total-time", "user-average"):
        assert len(lines(app, f"/numbers/{chart}.csv?{query}&page=help&max=0.001")) == 1


def test_users_in_a_head_are_cells_like_others() -> None:
    hostile, odd = '=HYPERLINK("http://evil","x")', "a,b"
    rows: list[Row] = [(user, "p", 1, "2024-01-01") for user in (hostile, odd)]
    app = create_app(table(rows))
    query = urlencode({"user": odd, "vs": f"user:{hostile}"})
    text = get(app, f"/numbers/compare.csv?{query}").text
    (head, row) = csv.reader(text.splitlines())
    assert len(head) == len(row)
    assert head[1] == "a,b: sessions"
    assert head[4] == f"{hostile}: sessions"
    text = get(app, f"/numbers/compare.csv?{query}&for=spreadsheet").text
    (head, _) = csv.reader(text.removeprefix("\ufeff").splitlines())
    assert head[4] == f"'{hostile}: sessions"


def test_sections_have_files_of_their_own(app: Dash) -> None:
    found = lines(app, "/numbers/compare.csv?user=ann&vs=user:bob")
    assert found[0].startswith("page,ann: sessions,ann: time (s),")
    assert [line.split(",")[0] for line in found[1:]] == ["cart", "help", "home"]
    found = lines(app, "/numbers/paths.csv?user=bob&step=home")
    assert "home,1 after,cart,1," in "\n".join(found)


@pytest.mark.parametrize(
    "chart", ["users", "story", "Total-Time", "x%0Ay", "%ff", "total-time."]
)
def test_there_is_no_other_chart(chart: str, app: Dash) -> None:
    response = get(app, f"/numbers/{chart}.csv")
    assert response.status_code == 404
    assert response.text == "there is no such chart"
    assert "Content-Disposition" not in response.headers


def read_back(path: Path, text: str) -> list[Any]:
    path.write_bytes(text.encode())
    frames, origin = read_sessions([path])[:2]
    frame = pd.concat([frame.astype({"user_id": str, "page": str}) for frame in frames])
    assert not origin.report.left_out
    seconds = frame["duration"].astype(object).where(frame["duration"].notna(), None)
    times = frame["timestamp"].map(str)
    columns = frame["user_id"], frame["page"], seconds, times
    return sorted(zip(*columns, strict=True), key=repr)


def wanted(rows: Sequence[Row]) -> list[Any]:
    there = [(*row[:3], str(pd.Timestamp(row[3]))) for row in rows]
    return sorted(there, key=repr)


STRANGE: list[Row] = [
    ("007", "a,b", 1.5, "2024-01-01T00:00:00"),
    ('say "so"', "two\nlines", None, "2024-07-01T12:00:00"),
    ("=1+1", "=cmd|'/c'!A1", 0.1, "2024-03-31T00:59:59"),
    ("@sum", "+1+2", 1, "2024-03-31T00:00:00"),
    ("-8845298781299428018", "-home", 2, "2024-03-31T00:00:01"),
    ("+49", "\t=1", 3, "2024-03-31T00:00:02"),
    ("-1,5", "a=1", 3, "2024-03-31T00:00:02"),
    ("NA", "null", 1e-9, "2024-03-31T01:00:00"),
    ("😀", "<b>x</b>", 3e9, "1901-01-01T00:00:00"),
    ("a\r\nb", "%20+&", 1 / 3, "2100-12-31T23:59:59"),
    (" padded ", ";\t", 0, "2024-10-27T00:30:00"),
    ("'=1+1", "\ufeff=1", 5, "2024-10-27T00:30:01"),
    ("1e5", "-0", None, "2024-10-27T02:30:00"),
]


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_sessions_can_be_read_again_as_they_were(timezone: str, tmp_path: Path) -> None:
    server = create_app(table(STRANGE), timezone=timezone).server
    text = server.test_client().get("/sessions.csv?user=").text
    assert read_back(tmp_path / "all.csv", text) == wanted(STRANGE)
    for row in STRANGE:
        query = address(View(Selection(row[0], pages=(row[1],))))
        text = server.test_client().get(f"/sessions.csv{query}").text
        assert read_back(tmp_path / "one.csv", text) == wanted([row])


ZEROS = re.compile(rb"(:\d\d)\.?(\d*?)0*(?=[+-]\d\d:)")
"""Seconds, and what of their fraction says nothing."""


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/St_Johns"])
@pytest.mark.parametrize("spreadsheet", [False, True])
def test_sessions_are_written_as_pandas_writes_them(
    timezone: str, spreadsheet: bool
) -> None:
    times = ["1999-12-31T23:59:59.5", "2024-03-31T00:59:59.000001"]
    rows = [*STRANGE, *[("u", "p", 10.0**k, t) for k in (-9, 0, 9) for t in times]]
    engine = MemoryEngine(table(rows), timezone)
    # Before 1935 clocks of St John's had odd offsets, which pandas writes as they were.
    for frame in engine.sessions(Selection(), len(rows)):
        part = frame[frame["timestamp"].dt.year > 1935]
        assert len(part) == len(rows) - 1
        # Pandas writes as many digits of all seconds as one of them needs.
        texts = [
            ZEROS.sub(rb"\1.\2", write(part, spreadsheet))
            for write in (downloads._session_lines, downloads._any_lines)
        ]
        assert texts[0] == texts[1]
        assert b":59.5" in texts[0]


SAFE = {
    "=1+1": "'=1+1",
    "=cmd|'/c'!A1": "'=cmd|'/c'!A1",
    "+1+2": "'+1+2",
    "-home": "'-home",
    "@sum": "'@sum",
    "＝1": "'＝1",
    "＋1": "'＋1",
    "－a": "'－a",
    "＠sum": "'＠sum",
    "\thome": "'\thome",
    "\rhome": "'\rhome",
    "\nhome": "'\nhome",
    "\t=1": "'\t'=1",
    "  =1": "'  =1",
    "\xa0\u200b=1": "'\xa0\u200b=1",
    '"=1"': '\'"=1"',
    "a;=1": "a;'=1",
    'a;"=1"': 'a;\'"=1"',
    "a,@b": "a,'@b",
    "a\n=1": "a\n'=1",
    "a\t+b": "a\t'+b",
    "1+": "1+",
    "a=1": "a=1",
    "a;b": "a;b",
    " a": " a",
    "'=1": "'=1",
    "+49": "+49",
    "-1,5": "-1,5",
    "-1.5": "-1.5",
    "-1,5,": "'-1,5,",
    "-8845298781299428018": "-8845298781299428018",
    "": "",
}
"""Names, and what they are in a file for a spreadsheet."""


def cells(text: str) -> list[list[str]]:
    assert text[0] == "\ufeff"
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def test_a_file_for_a_spreadsheet_has_no_formulas() -> None:
    names = [name for name in SAFE if name.strip()]
    rows: list[Row] = [(name, name, -0.0, "2024-01-01") for name in names]
    app = create_app(table(rows))
    head, *found = cells(get(app, "/sessions.csv?for=spreadsheet&user=").text)
    assert head == HEAD.split(",")
    assert found == [
        [SAFE[name], SAFE[name], "0.0", "2024-01-01 00:00:00+00:00"]
        for name in sorted(names)
    ]
    text = get(app, "/numbers/total-time.csv?user=&for=spreadsheet").text
    assert sorted(row[0] for row in cells(text)[1:]) == sorted(
        SAFE[name] for name in names
    )


@given(
    st.text(st.sampled_from("=+-@＝＋－＠;,\t\r\n\" '\xa0\u200b\ufeffa1."), max_size=9)
)
@example("\r\n=1")
def test_no_cell_begins_a_formula_wherever_it_begins(name: str) -> None:
    (safe,) = downloads._without_formulas(pd.Series([name]))
    # Nothing but apostrophes is added.
    rest = iter(safe)
    assert all(letter in rest for letter in name)
    assert len(safe) - len(name) == safe.count("'") - name.count("'")
    if re.fullmatch(r"[+-]?\d+([.,]\d+)?", name, re.ASCII):
        assert safe == name
        return
    assert not safe.startswith(("\t", "\r", "\n"))
    for cell in re.split("[;,\t\r\n]", safe):
        assert not cell.lstrip(' "\xa0\u200b\ufeff').startswith(tuple("=+-@＝＋－＠"))


def test_a_long_name_takes_no_longer_for_being_strange() -> None:
    for part, mark in ((";", ""), ("\t", "'"), (" ", ""), ('; "', "")):
        (safe,) = downloads._without_formulas(pd.Series([part * 10**6]))
        assert safe == mark + part * 10**6


def test_only_that_form_is_for_a_spreadsheet(app: Dash) -> None:
    plain = get(app, "/sessions.csv?user=ann")
    for query in ("user=ann&for=", "for=Spreadsheet&user=ann", "for&user=ann"):
        response = get(app, f"/sessions.csv?{query}")
        assert response.data == plain.data
        assert response.headers == plain.headers
    for query in ("user=ann&for=spreadsheet", "for=spreadsheet&user=ann"):
        response = get(app, f"/sessions.csv?{query}")
        assert response.data == b"\xef\xbb\xbf" + plain.data
        assert response.content_type == "text/csv; charset=utf-8"
        name = named(app, f"/sessions.csv?{query}")
        assert name == "Sessions, ann, for spreadsheets.csv"


def test_the_key_of_a_file_is_no_part_of_the_address(
    app: Dash, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    read = views.read

    def watched(query: str, *rest: Any) -> Any:
        asked.append(query)
        return read(query, *rest)

    monkeypatch.setattr(views, "read", watched)
    get(app, "/sessions.csv?for=spreadsheet&user=ann&page=home&from=2024-03-01&for=x")
    get(app, "/numbers/hours.csv?for=spreadsheet")
    assert asked == ["user=ann&page=home&from=2024-03-01", ""]


def test_times_are_those_of_the_time_zone_with_their_offset() -> None:
    app = create_app(table(STRANGE), timezone="Europe/Berlin")
    assert lines(app, "/sessions.csv?user=NA")[1] == (
        "NA,null,1e-09,2024-03-31 03:00:00+02:00"
    )
    # A day of the zone: 23:30 UTC on the day before is in it.
    rows: list[Row] = [("u", "p", 1, "2024-01-14T23:30:00")]
    app = create_app(table([*rows, *ROWS]), timezone="Europe/Berlin")
    query = "user=&from=2024-01-15&to=2024-01-16"
    assert lines(app, f"/sessions.csv?{query}")[1:] == [
        "u,p,1.0,2024-01-15 00:30:00+01:00"
    ]


def served(engine: MemoryEngine, max_sessions: int = downloads.MAX_SESSIONS) -> Dash:
    """Nothing but the files."""
    app = Dash("test", enable_mcp=False)
    app.layout = []
    downloads.register(app, engine, CHARTS, max_sessions)
    return app


def test_no_more_sessions_than_the_limit_and_the_name_says_so(
    engine: MemoryEngine,
) -> None:
    everyone, ann = "/sessions.csv?user=", "/sessions.csv?user=ann"
    app = served(engine, 6)
    first = lines(app, everyone)
    assert len(first) == 1 + 6
    assert named(app, everyone) == "First 6 of 12 sessions, everyone.csv"
    assert lines(app, ann) == first
    assert named(app, ann) == "Sessions, ann.csv"


def test_the_link_says_how_many_sessions_there_are(engine: MemoryEngine) -> None:
    def words(selection: Selection, limit: int = 10_000) -> str:
        return downloads.link_text(engine.summarise(selection), limit)

    assert words(Selection()) == "Download 12 sessions (CSV)"
    assert words(Selection("bob")) == "Download 3 sessions (CSV)"
    assert words(Selection(pages=("help",))) == "Download 1 session (CSV)"
    assert words(Selection("ann", pages=("help",))) == "Download 0 sessions (CSV)"
    assert words(Selection(), 12) == "Download 12 sessions (CSV)"
    assert words(Selection(), 11) == "Download the first 11 of 12 sessions (CSV)"
    many = engine_of([("u", "p", 1, "2024-01-01")] * 1_234)
    whole = many.summarise(Selection())
    assert downloads.link_text(whole) == "Download 1,234 sessions (CSV)"
    assert downloads.link_text(whole, 1_000) == (
        "Download the first 1,000 of 1,234 sessions (CSV)"
    )


def test_rows_come_a_few_at_a_time(app: Dash, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = get(app, "/sessions.csv?user=").text
    monkeypatch.setattr(downloads, "_ROWS_AT_ONCE", 5)
    client = app.server.test_client()
    response = client.get("/sessions.csv?user=", buffered=False)
    parts = list(response.iter_encoded())
    assert [part.count(b"\r\n") for part in parts] == [1, 5, 5, 2]
    assert b"".join(parts).decode() == whole


def test_a_download_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    given_out: list[int] = []
    engine = MemoryEngine(table(ROWS), counting=Counting(block_rows=4))
    sessions = engine.sessions

    def watched(selection: Selection, limit: int) -> Iterator[pd.DataFrame]:
        for frame in sessions(selection, limit):
            given_out.append(len(frame))
            yield frame

    monkeypatch.setattr(engine, "sessions", watched)
    client = served(engine).server.test_client()
    response = client.get("/sessions.csv?user=", buffered=False)
    assert response.is_streamed
    assert "Content-Length" not in response.headers
    parts = response.iter_encoded()
    # The first is there before the answer begins, should it fail.
    assert given_out == [3]
    assert next(parts) == f"{HEAD}\r\n".encode()
    next(parts)
    assert given_out == [3]
    assert len(list(parts)) == 3
    assert given_out == [3, 3, 3, 3]
    response.close()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sessions.csv?user=ann", "Sessions, ann"),
        (
            "sessions.csv?user=&from=2024-03-01&to=2024-04-01&page=home&min=10&max=60",
            "Sessions, everyone, March 2024, home, 10 s to 1 min",
        ),
        # What a chart isn't filtered by isn't in the name of its numbers.
        (
            "numbers/total-time.csv?user=&page=home&min=10",
            "Total Time per Page, everyone, 10 s and longer",
        ),
        (
            "numbers/user-average.csv?user=ann&stat=p90",
            "P90 Session Duration by Page, ann",
        ),
        (
            "numbers/durations.csv?user=ann&page=home&max=10",
            "Session Duration Distribution, ann, home",
        ),
        (
            "numbers/timeline.csv?user=ann&timeline=time&from=2024-03-01&max=10",
            "Time per Week, ann, under 10 s",
        ),
        (
            "numbers/hours.csv?user=bob&to=2024-03-01",
            "Sessions by Weekday and Hour, bob, until 29 February 2024",
        ),
    ],
)
def test_the_name_of_a_file_says_what_is_in_it(path: str, name: str, app: Dash) -> None:
    assert named(app, f"/{path}") == f"{name}.csv"


def test_the_total_time_is_not_named_for_one_user(app: Dash) -> None:
    name = named(app, "/numbers/total-time.csv?user=ann")
    assert name == "Total Time per Page, everyone.csv"


NAMES = (
    *('"quoted"', "a\r\nX-Evil: 1", "../../etc/passwd", "C:\\x", "😀", "Ünï", "a;b=c"),
    *("x" * 300, "\x00", "%0d%0a", "<b>", "名前", "*?|", ".", "\u202e"),
)


@examples(60)
@given(st.one_of(st.sampled_from(NAMES), st.text(min_size=1).filter(str.strip)))
def test_strange_names_make_a_plain_name_of_a_file(user: str) -> None:
    app = served(engine_of([(user, "p", 1, "2024-01-01")]))
    response = app.server.test_client().get("/sessions.csv")
    assert response.status_code == 200
    kind = response.headers["Content-Disposition"]
    assert kind.startswith(("attachment; filename=Sessions", 'attachment; filename="'))
    assert kind.isprintable()
    assert kind.isascii()
    assert len(kind) < 1_000
    assert not re.search(r'[/\\:*?<>|%]|""', kind.partition("; filename*")[0])
    assert kind.split("filename=")[1].count(".csv") == 1 + ("filename*" in kind)


def test_letters_of_all_languages_stay_in_the_name_of_a_file() -> None:
    app = create_app(table([("名前", "p", 1, "2024-01-01")]))
    kind = get(app, "/sessions.csv").headers["Content-Disposition"]
    assert kind.endswith("filename*=UTF-8''Sessions%2C%20%E5%90%8D%E5%89%8D.csv")


@pytest.mark.parametrize("name", ["everyone", "Everyone", "average user"])
def test_a_file_of_a_user_who_is_named_everyone_is_not_everyones(name: str) -> None:
    rows: list[Row] = [(name, "p", 1, "2024-01-01"), ("zed", "p", 2, "2024-01-01")]
    app = create_app(table(rows))
    query = address(view_of(name))
    assert len(lines(app, f"/sessions.csv{query}")) == 1 + 1
    files = [f"numbers/{chart.id}.csv" for chart in CHARTS if chart.compares_user]
    for file in (*files, "sessions.csv"):
        kind = get(app, f"/{file}{query}").headers["Content-Disposition"]
        assert f", user _{name}_.csv" in kind
        assert "filename*" not in kind
        everyones = named(app, f"/{file}?user=")
        assert everyones.endswith(", everyone.csv")
        assert everyones != named(app, f"/{file}{query}")
    (total,) = (chart for chart in CHARTS if not chart.compares_user)
    name_of_total = named(app, f"/numbers/{total.id}.csv{query}")
    assert name_of_total == "Total Time per Page, everyone.csv"


def links(app: Dash) -> list[str]:
    """The paths of the files to which the page has links."""
    page = json.dumps(app.layout, cls=PlotlyJSONEncoder)
    # Of components, and in plain HTML.
    return re.findall(r'(?<!data-)href(?:": "|=\\")([^"\\]+)', page)


@pytest.mark.parametrize(
    ("environment", "seen", "asked"),
    [
        ({}, "/", "/"),
        # A proxy takes the prefix away before the application is asked.
        (
            {
                "DASH_REQUESTS_PATHNAME_PREFIX": "/stats/",
                "DASH_ROUTES_PATHNAME_PREFIX": "/",
            },
            "/stats/",
            "/",
        ),
        # The application is asked under the prefix itself.
        ({"DASH_URL_BASE_PATHNAME": "/stats/"}, "/stats/", "/stats/"),
        (
            {
                "DASH_REQUESTS_PATHNAME_PREFIX": "/out/in/",
                "DASH_ROUTES_PATHNAME_PREFIX": "/in/",
            },
            "/out/in/",
            "/in/",
        ),
    ],
)
def test_files_are_beside_the_page_behind_a_prefix(
    environment: dict[str, str],
    seen: str,
    asked: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app = create_app(table(ROWS))
    files = {"sessions.csv", *(f"numbers/{chart.id}.csv" for chart in CHARTS)}
    assert set(links(app)) == {f"{seen}{file}" for file in files}
    for file in files:
        assert len(lines(app, f"{asked}{file}?user=bob")) > 3
    assert get(app, f"{asked}numbers/users.csv").status_code == 404
    if asked != "/":
        assert get(app, "/sessions.csv").status_code == 404
    assert get(app, asked).status_code == 200
