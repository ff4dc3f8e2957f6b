"""What of a log are page views, what the others are, and what is told of both."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sources.logs.made import GOOD, GOOD_COMMON, GOOD_JSON
from tests.sources.logs.reading import (
    counts,
    in_blocks,
    line,
    notes,
    read_text,
    refusal,
)

T = datetime(2024, 3, 1, 10, tzinfo=UTC).timestamp()
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def test_every_line_is_counted_once() -> None:
    lines = [
        line(),
        line(page="/a.css"),
        line(page="/A.PNG?b=/c"),
        line(page="/a.css/"),
        line(method="POST", status=404),
        line(status=404, page="/a.css"),
        line(status=503),
        line(status=301),
        line(status=304),
        line(status="-"),
        line(status=100),
        line(agent=BOT),
        line(user="-"),
        line(time="30/Feb/2024:10:00:00 +0000"),
        line(method="\\x16\\x03"),
        line(page="?a"),
        "rubbish\n",
        "# comment\n",
        "\n",
        "\r\n",
        line().rstrip("\n")[:-20],
    ]
    views, report = read_text("".join(lines))
    assert [view[1] for view in views] == ["/a", "/a.css/", "/a"]
    assert counts(report) == {
        "assets": 2,
        "other methods": 1,
        "errors": 2,
        "redirects": 1,
        "other statuses": 2,
        "bots": 1,
        "no user": 1,
        "an unreadable time": 1,
        "no request": 2,
        "an unknown form": 1,
        "comments": 1,
        "its end missing": 1,
    }
    assert report.rows == len(lines) - 2
    assert report.views_text() == "3 of 19 lines are page views: each is a session."
    ((_, told), (heading, left_out)) = report.sections()[:2]
    assert "19 lines read, 4 left out." in told
    assert "Page views: 3, such as line 1: GET /a (200)." in told
    assert "Errors: 2, such as line 6: GET /a.css (404)." in told
    assert "Bots: 1, such as line 12: " + BOT + "." in told
    assert "No request: 2, such as line 15: \\x16\\x03 /a (200)." in told
    assert heading == "Lines left out"
    assert "1 with no user, such as line 13: " in "".join(left_out)


def test_bots_are_dropped_or_kept() -> None:
    text = line() + line("10:00:05", agent=BOT) + line("10:00:09")
    views, report = read_text(text)
    assert views == [("1.1.1.1", "/a", T, 9), ("1.1.1.1", "/a", T + 9, None)]
    assert counts(report) == {"bots": 1}
    assert "no bots." in report.files[0].understood[1]
    views, report = read_text(text, keep_bots=True)
    assert [view[3] for view in views] == [5, 4, None]
    assert counts(report) == {}
    assert notes(report) == ["1 page view of bots, which count."]


def test_a_log_that_names_no_programs_says_so() -> None:
    words = "No page view names a program, so bots can't be told from people."
    assert notes(read_text(line(agent=None))[1]) == [words]
    assert notes(read_text(line(agent="-"))[1]) == [words]
    assert notes(read_text(line(agent=None), keep_bots=True)[1]) == []
    assert notes(read_text(line(agent="x", status=404) * 2 + line())[1]) == []
    some = "1 page view names no program; bots among them count."
    assert notes(read_text(line() + line(agent="-"))[1]) == [some]


def test_a_proxy_that_hides_who_asks_is_told() -> None:
    words = (
        "All page views are of 1.1.1.1, as of a proxy that hides who asks; have the "
        "server write their addresses."
    )
    assert notes(read_text(line() * 100)[1]) == [words]
    assert notes(read_text(line() * 99)[1]) == []
    assert notes(read_text(line() * 100 + line(user="2.2.2.2"))[1]) == []


def test_users_may_be_told_apart_by_their_programs() -> None:
    text = line(agent="A") + line("10:00:05", agent="B") + line("10:00:09", agent="A")
    views, report = read_text(text, user="ip+agent")
    assert [view[0] for view in views] == ["1.1.1.1 A", "1.1.1.1 B", "1.1.1.1 A"]
    assert [view[3] for view in views] == [9, None, None]
    assert "User: the client's address and program." in report.files[0].understood
    assert [view[3] for view in read_text(text, user="ip")[0]] == [5, 4, None]


def test_other_assets_and_statuses() -> None:
    text = line() + line(page="/a.css") + line(page="/a.PDF") + line(status=404)
    views, report = read_text(text, assets=(".pdf",), statuses=frozenset({200, 404}))
    assert [view[1] for view in views] == ["/a", "/a.css", "/a"]
    assert counts(report) == {"assets": 1}
    words = "Counted: GET requests answered with 200 or 404; no assets (.pdf), no bots."
    assert report.files[0].understood[1] == words
    views, report = read_text(
        text, assets=(), statuses=frozenset(range(300, 400)) | {200}
    )
    assert counts(report) == {"errors": 1}
    assert "200 or 300 to 399; no assets (none)" in report.files[0].understood[1]
    # 304 is no redirect.
    _, report = read_text(line() + line(status=304), statuses=frozenset({200}))
    assert counts(report) == {"other statuses": 1}


def test_one_site_of_several() -> None:
    text = "".join(
        f"{site} {line(time, page)}"
        for site, time, page in [
            ("a.org", "10:00:00", "/"),
            ("b.org", "10:00:05", "/"),
            ("a.org", "10:00:09", "/x.css"),
            ("a.org", "10:00:10", "/c"),
        ]
    )
    views, report = read_text(text)
    assert [view[3] for view in views] == [5, 5, None]
    assert notes(report) == [
        "Several sites: a.org (2 views), b.org (1 view). To count one alone, add "
        "--where host=a.org."
    ]
    views, report = read_text(text, where=(("host", "a.org"),))
    assert [view[3] for view in views] == [10, None]
    assert counts(report) == {"assets": 1, "not asked for": 1}
    assert "Only requests to a.org." in report.files[0].understood
    assert notes(report) == []
    assert refusal(text, where=(("host", "c"),)).endswith(
        "(none has host=c; there are a.org, b.org)"
    )
    words = "a log has no column 'page': --where host=NAME counts the requests to one"
    assert words in refusal(text, where=(("page", "/"),))


def test_names_of_sites_cannot_command_a_terminal() -> None:
    views, report = read_text(f"\x1b[31ma {line()}\x1b[32mb {line()}")
    assert len(views) == 2
    assert "\x1b" not in "".join(notes(report))


def test_visits_are_told_by_other_gaps_too() -> None:
    text = "".join(
        map(line, ("10:00:00", "10:15:00", "10:30:01", "11:00:01", "13:00:00"))
    )
    views, report = read_text(text)
    assert [view[3] for view in views] == [900, 901, 1800, None, None]
    assert report.notes == [
        "2 visits with gaps of at most 30 min; with 15 min, 4; with 1 h, 2."
    ]
    _, report = read_text(text, visit_gap=7_200)
    assert report.notes == [
        "1 visit with gaps of at most 2 h; with 15 min, 4; with 30 min, 2; with 1 h, 2."
    ]


def test_clocks_that_go_back_are_told() -> None:
    views, report = read_text(line("10:00:05") + line("10:00:00") + line("10:00:09"))
    assert [view[3] for view in views] == [4, 5, None]
    assert notes(report) == [
        "1 page view is earlier than the one before; they are sorted."
    ]


def test_odd_times_are_told() -> None:
    later = datetime.now(UTC) + timedelta(days=3)
    text = line(f"{later:%d/%b/%Y:%H:%M:%S} +0000") + line("01/Jan/1970:00:00:00 +0000")
    _, report = read_text(text + line())
    first, second = notes(report)[-2:]
    assert first.startswith("1 time later than tomorrow, such as line 1: '")
    assert second == (
        "1 time before there was a web, such as line 2: '01/Jan/1970:00:00:00 +0000'."
    )


def test_other_forms_in_a_file_are_told() -> None:
    escaped = GOOD_COMMON.replace(b"/good", b'/\\"')
    for size in (100, 1 << 20):
        text = b"\n".join([GOOD, GOOD, escaped, GOOD, escaped])
        found = in_blocks(text, size)[1]
        assert found.understood[0] == "Combined Log Format."
        assert found.notes == (
            "2 lines are of another form, and read: Common Log Format.",
            "2 page views name no program; bots among them count.",
        )
    # One in another form may be anywhere.
    _, report = read_text(b"\n".join([GOOD_JSON, GOOD, GOOD_JSON, b""]))
    assert notes(report) == [
        "1 line is of another form, and read: Combined Log Format."
    ]


@pytest.mark.parametrize("size", [10**6, 5 * 10**6])
@pytest.mark.parametrize("place", ["page", "agent", "user"])
def test_long_lines(size: int, place: str) -> None:
    long = {place: f"/{'a' * size}"}
    views, report = read_text(line() + line("10:00:05", **long) + line("10:00:09"))
    is_left_out = size > 1 << 22
    assert len(views) == 3 - is_left_out
    assert counts(report).get("a length of over 4 MB", 0) == is_left_out
    assert report.rows == 3


HOSTILE = (
    *(
        b"[",
        b" [",
        b'"',
        b'" "',
        b'\\"',
        b"\\",
        b" ",
        b", ",
        b"- ",
        b"] ",
        b'{"a":',
        b"\0",
    ),
    *(b"\xff", b'""', b"x=", b"\t", b" HTTP/1.1", b"#", b'":', b"GET "),
)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_lines_of_a_megabyte(unit: bytes) -> None:
    # No time is asserted: a pattern that goes back and forth would take hours.
    part = unit * (10**6 // len(unit))
    lines = [
        part,
        GOOD[:40] + part,
        GOOD.replace(b"/good", part),
        GOOD.replace(b"9.9.9.9", part),
        GOOD[:-1] + part + b'"',
        GOOD + b" " + part,
        GOOD_JSON.replace(b"/good", part),
    ]
    views, report = read_text(b"\n".join([*[GOOD] * 9, *lines, GOOD]))
    assert len(views) >= 10
    assert report.rows == 17


def test_half_a_last_line_is_told_as_that() -> None:
    text = line() + line("10:00:05").rstrip("\n")
    for n in range(1, 30):
        views, report = read_text(text[:-n])
        n_left = sum(counts(report).values())
        assert len(views) + n_left == 2
        assert set(counts(report)) <= {"its end missing"}
    assert counts(read_text(text)[1]) == {}


def test_nuls_where_a_file_was_emptied_while_it_was_written() -> None:
    for n in (1, 1_000, 60_000):
        views, report = read_text(
            b"\0" * n + line().encode() + line("10:00:05").encode()
        )
        assert [view[3] for view in views] == [5, None]
        assert not counts(report)
    text = line().encode() + b"\0" * 9_000_000 + line("10:00:05").encode()
    assert [view[3] for view in read_text(text)[0]] == [5, None]


def test_names_are_utf_8_or_latin_1() -> None:
    text = line(page="/é").encode() + line("10:00:05", page="/é").encode("latin-1")
    assert [view[1] for view in read_text(text)[0]] == ["/é", "/é"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_other_encodings(encoding: str) -> None:
    views, report = read_text((line() + line("10:00:05", "/é")).encode(encoding))
    assert [view[1] for view in views] == ["/a", "/é"]
    assert not counts(report)


def test_a_log_of_attacks_only() -> None:
    text = line(method="\\x16\\x03\\x01", page="", status=400) * 3
    assert refusal(text).startswith(
        "access.log: no page view (no request: 3, such as line 1: \\x16\\x03\\x01"
    )


def test_a_log_without_page_views() -> None:
    text = line(status=404) + line(page="/a.css") + "rubbish\n"
    assert refusal(text) == (
        "access.log: no page view (errors: 1, such as line 1: GET /a (404); assets: 1, "
        "such as line 2: GET /a.css (200); 1 with an unknown form, such as line 3: "
        "'rubbish')"
    )


def test_a_log_most_of_whose_lines_are_nothing() -> None:
    text = line() * 100 + "rubbish\n" * 200
    assert "more than half of the rows can't be used" in refusal(text)
    assert len(read_text(text, allow_left_out=True)[0]) == 100
    assert "without --strict" in refusal(line() * 9 + "rubbish\n", strict=True)


def test_comments_may_come_first() -> None:
    for head in ("# moved here\n", "#\n#\n", "\0\0# x\n"):
        views, report = read_text(head + line())
        assert len(views) == 1
        assert set(counts(report)) == {"comments"}
