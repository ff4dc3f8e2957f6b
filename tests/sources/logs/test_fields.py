"""Logs whose fields have names: W3C's, JSON, and tables of requests."""

import json
from typing import Any

import pytest

from sources import BadInput
from tests.sources.logs.made import GOOD, GOOD_COMMON, GOOD_JSON
from tests.sources.logs.reading import counts, in_blocks, notes, read_text, refusal

NGINX = {
    "remote_addr": "1.1.1.1",
    "time_iso8601": "2024-03-01T10:00:00+01:00",
    "request_method": "GET",
    "request_uri": "/a?b",
    "status": "200",
    "http_user_agent": "Mozilla/5.0",
}
VIEW = ("1.1.1.1", "/a", 1_709_283_600, None)

JSON: dict[str, dict[str, Any]] = {
    "nginx": NGINX,
    "numbers": {**NGINX, "status": 200, "time_iso8601": 1_709_283_600},
    "a line of a request": {
        **{
            k: v for k, v in NGINX.items() if k not in ("request_method", "request_uri")
        },
        "request": "GET /a?b HTTP/1.1",
    },
    "a line, and the method": {
        **{name: NGINX[name] for name in NGINX if name != "request_uri"},
        "request": "GET /a?b HTTP/1.1",
    },
    "Caddy": {
        "level": "info",
        "ts": 1_709_283_600.0,
        "request": {
            "remote_ip": "1.1.1.1",
            "remote_port": "5",
            "client_ip": "1.1.1.1",
            "proto": "HTTP/2.0",
            "method": "GET",
            "host": "a.org",
            "uri": "/a",
            "headers": {"User-Agent": ["Mozilla/5.0"], "Accept": ["*/*"]},
        },
        "duration": 0.0001,
        "status": 200,
    },
    "Traefik": {
        "ClientAddr": "1.1.1.1:5",
        "ClientHost": "1.1.1.1",
        "Duration": 5,
        "DownstreamStatus": 200,
        "RequestMethod": "GET",
        "RequestPath": "/a",
        "RequestHost": "a.org",
        "StartUTC": "2024-03-01T09:00:00.0Z",
        "time": "2024-03-01T09:00:01Z",
    },
    "Docker": {
        "log": '1.1.1.1 - - [01/Mar/2024:09:00:00 +0000] "GET /a HTTP/1.1" 200 1\n',
        "stream": "stdout",
        "time": "2024-03-01T10:00:09Z",
    },
}


@pytest.mark.parametrize("name", JSON)
def test_json_of_many_servers(name: str) -> None:
    views, report = read_text(json.dumps(JSON[name]))
    assert views == [VIEW]
    assert report.files[0].understood[0] == "JSON, an object in each line."


def test_json_that_is_a_table_stays_one() -> None:
    row = {"ip": "1.1.1.1", "page": "/a", "time": "2024-03-01T09:00:00Z", "duration": 9}
    views, report = read_text(json.dumps(row))
    assert views == [("1.1.1.1", "/a", 1_709_283_600, 9)]
    assert not report.files[0].is_log
    for left in ("request_method", "status", "remote_addr", "time_iso8601"):
        rest = {name: value for name, value in NGINX.items() if name != left}
        with pytest.raises(BadInput, match="no column for"):
            read_text(json.dumps(rest))


def test_options_for_columns_make_json_a_table() -> None:
    columns = {"user": "remote_addr", "page": "request_uri", "time": "time_iso8601"}
    views, report = read_text(json.dumps(NGINX), **columns)
    assert views == [("1.1.1.1", "/a?b", 1_709_283_600, None)]
    assert not report.files[0].is_log


@pytest.mark.parametrize("depth", [2, 100, 980, 990, 995, 1_000, 100_000])
@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
def test_json_that_is_deep(depth: int, start: str, end: str) -> None:
    more = f'"more": {start * depth}1{end * depth}, "uri"'.encode()
    line = GOOD_JSON.replace(b'"uri"', more)
    _, report = read_text(GOOD_JSON + b"\n" + line + b"\n" + GOOD_JSON)
    assert report.rows == 3
    assert sum(counts(report).values()) in (0, 1)


def test_json_of_odd_values() -> None:
    lines = [
        *[GOOD_JSON] * 9,
        b'{"log": "\\ud800"}',
        GOOD_JSON.replace(b"/good", b"/\\ud800"),
        GOOD_JSON.replace(b"/good", b"\\u0000"),
        GOOD_JSON.replace(b"200", b"NaN"),
        GOOD_JSON.replace(b"200", b"true"),
        GOOD_JSON.replace(b'"2024-03-01T10:00:00Z"', b"1e999"),
        GOOD_JSON.replace(b'"9.9.9.9"', b"null"),
        GOOD_JSON.replace(b'"9.9.9.9"', b"[]"),
        b"{",
        b"{}",
        b'{"a": ' + b"1" * 9_999 + b"}",
    ]
    views, report = read_text(b"\n".join(lines))
    assert len(views) == 11
    assert counts(report) == {
        "an unknown form": 3,
        "its end missing": 1,
        "an unreadable time": 1,
        "no user": 2,
        "other statuses": 2,
    }


IIS = (
    "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent)"
    " sc-status time-taken\n"
    "2024-03-01 09:00:00 10.0.0.1 GET /a x=1 1.1.1.1 Mozilla/5.0+(X11) 200 15\n"
)


def test_a_log_of_iis() -> None:
    views, report = read_text(IIS)
    assert views == [VIEW]
    assert counts(report) == {"comments": 3}
    assert report.rows == 4
    assert report.files[0].understood[0] == "W3C Extended Log Format."


def test_a_log_of_cloudfront() -> None:
    head = "#Version: 1.0\n#Fields: date time x-edge-location c-ip cs-method cs(Host)"
    names = f"{head} cs-uri-stem sc-status cs(User-Agent) x-host-header\n"
    row = "2024-03-01\t09:00:00\tFRA2\t1.1.1.1\tGET\td1.net\t/a\t200\t{}\ta.org\n"
    bot = row.format("a%20Googlebot/2")
    views, report = read_text(names + row.format("Mozilla/5.0%20(X)") + bot)
    assert views == [VIEW]
    assert counts(report) == {"comments": 2, "bots": 1}
    assert read_text(names + row.format("x"), where=(("host", "a.org"),))[0] == [VIEW]


def test_fields_are_those_named_above_a_line() -> None:
    head = "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n"
    other = "#Fields: date time cs-uri-stem cs-method c-ip sc-status\n"
    row = "2024-03-01 09:00:00 1.1.1.1 GET /a 200\n"
    swapped = "2024-03-01 09:00:00 /a GET 1.1.1.1 200\n"
    for n in (1, 500):
        views, _ = read_text(head + row * n + other + swapped * n + head + row)
        assert len(views) == 2 * n + 1
        assert {view[:3] for view in views} == {VIEW[:3]}
    # Those that lack a field are none that can be read.
    short = "#Fields: date time\n"
    views, report = read_text(
        head + row * 9 + short + "2024-03-01 09:00:00\n" + head + row
    )
    assert len(views) == 10
    assert read_text(head + row + short)[0] == [VIEW]
    assert counts(report) == {"comments": 3, "an unknown form": 1}


def test_the_day_may_be_above_the_lines() -> None:
    head = (
        "#Date: 2024-03-01 00:00:00\n#Fields: time c-ip cs-method cs-uri-stem sc-status"
    )
    row = "\n09:00:00 1.1.1.1 GET /a 200"
    later = "\n#Date: 2024-03-02"
    views, _ = read_text(head + row + later + row)
    assert views == [VIEW, (*VIEW[:2], VIEW[2] + 86_400, None)]


def test_a_log_that_lacks_fields_names_them() -> None:
    words = "a W3C log that lacks c-ip, cs-method, sc-status in its #Fields"
    head = "#Fields: date time cs-uri-stem\n"
    assert words in refusal(f"{head}2024-03-01 09:00:00 /a\n")


TABLE = (
    "host\ttime\tmethod\turl\tresponse\tuseragent\n1.1.1.1\t1709283600\tGET\t/a?b\t200"
)


@pytest.mark.parametrize("delimiter", "\t,;|")
def test_tables_of_requests(delimiter: str) -> None:
    table = TABLE.replace("\t", delimiter)
    views, report = read_text(table)
    assert views == [VIEW]
    assert report.rows == 1
    assert report.files[0].understood[0] == "A table of requests."
    quoted = table.replace("/a?b", f'"/a{delimiter}""b"')
    assert read_text(quoted)[0] == [
        ("1.1.1.1", f'/a{delimiter}"b', 1_709_283_600, None)
    ]


def test_options_for_columns_make_a_table_one_of_views() -> None:
    options = {"user": "host", "page": "url", "time": "time"}
    views, report = read_text(f"{TABLE}\t-\n", **options)
    assert views == [("1.1.1.1", "/a?b", 1_709_283_600, None)]
    assert not report.files[0].is_log


def test_options_for_columns_are_refused_by_a_log() -> None:
    words = "a log has no columns to be named; of the options for them it knows"
    for options in (
        {"page": "url"},
        {"user": "host"},
        {"time": "a"},
        {"header": False},
    ):
        assert words in refusal(GOOD, **options)


def test_json_among_other_lines() -> None:
    views, report = read_text(b"\n".join([GOOD, GOOD_JSON, GOOD_COMMON, GOOD]))
    assert len(views) == 4
    assert notes(report) == [
        "1 line is of another form, and read: Common Log Format.",
        "1 line is of another form, and read: JSON, an object in each line.",
        "1 page view names no program; bots among them count.",
    ]


def test_a_header_may_have_many_empty_lines_in_front() -> None:
    views, report = in_blocks(b"\n" * 50 + f"{TABLE}\n".encode(), 8)
    assert views == [VIEW[:3]]
    assert report.rows == 1


@pytest.mark.parametrize("front", ["web-1  | ", "2024-03-01T09:00:00.1Z stdout F "])
def test_json_behind_what_collectors_write(front: str) -> None:
    views, _ = read_text(f"{front}{json.dumps(NGINX)}\n" * 2)
    assert views == [(*VIEW[:3], 0.0), VIEW]


def test_a_day_is_not_put_before_a_whole_time() -> None:
    views, _ = read_text(json.dumps({"date": "2024-03-01", **NGINX}))
    assert views == [VIEW]


def test_json_of_cloudfront_has_bots_with_blanks() -> None:
    agent = "Mozilla/5.0%20(compatible;%20Googlebot/2.1)"
    row = {
        "date": "2024-03-01",
        "time": "09:00:00",
        "c-ip": "1.1.1.1",
        "cs-method": "GET",
        "cs-uri-stem": "/a",
        "sc-status": "200",
        "cs(User-Agent)": agent,
    }
    views, report = read_text(f"{json.dumps(row)}\n", keep_bots=True, user="ip+agent")
    assert views == [("1.1.1.1 Mozilla/5.0 (compatible; Googlebot/2.1)", *VIEW[1:])]
    assert report.files[0].notes == ("1 page view of bots, which count.",)
