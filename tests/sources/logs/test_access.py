import pytest

from sources.logs.access import Access
from sources.logs.line import Line
from tests.sources.logs.made import GOOD, GOOD_COMMON

TIME = b"01/Mar/2024:10:00:00 +0000"
GOOD_LINE = Line(b"9.9.9.9", TIME, b"GET", b"/good", 200, b"Mozilla/5.0", b"")


def read(line: bytes) -> Line:
    found = Access().read(line)
    assert found is not None
    return found


def test_both_formats() -> None:
    access = Access()
    assert access.read(GOOD) == GOOD_LINE
    assert access.name == "Combined Log Format"
    assert access.read(GOOD_COMMON) == GOOD_LINE._replace(agent=b"")
    assert access.name == "Common Log Format"


@pytest.mark.parametrize(
    ("front", "client", "host"),
    [
        (b"1.1.1.1 - -", b"1.1.1.1", b""),
        (b"1.1.1.1 - ann", b"1.1.1.1", b""),
        (b"1.1.1.1 - ann lee", b"1.1.1.1", b""),
        (b"1.1.1.1 ident ann", b"1.1.1.1", b""),
        (b"a.org 1.1.1.1 - -", b"1.1.1.1", b"a.org"),
        (b"a.org:443 1.1.1.1 - ann", b"1.1.1.1", b"a.org:443"),
        (b"1.1.1.1, 10.0.0.1 - -", b"1.1.1.1", b""),
        (b"a.org 1.1.1.1, 10.0.0.1, 10.0.0.2 - -", b"1.1.1.1", b"a.org"),
        (b"Mar  1 10:00:00 web nginx: 1.1.1.1 - -", b"1.1.1.1", b""),
        (b"2001:db8::1 - -", b"2001:db8::1", b""),
        (b"- - -", b"-", b""),
    ],
)
def test_who_asked_and_for_which_site(front: bytes, client: bytes, host: bytes) -> None:
    found = read(GOOD.replace(b"9.9.9.9 - -", front))
    assert found == GOOD_LINE._replace(client=client, host=host)


@pytest.mark.parametrize(
    ("request_", "method", "page"),
    [
        (b"GET /a?b?c HTTP/1.1", b"GET", b"/a"),
        (b"GET /a b HTTP/2.0", b"GET", b"/a b"),
        (b"GET /a#b HTTP/2", b"GET", b"/a#b"),
        (b"GET /a", b"GET", b"/a"),
        (b"GET /a HTTP/x", b"GET", b"/a HTTP/x"),
        (b'GET /\\"a\\" HTTP/1.1', b"GET", b'/"a"'),
        (b"GET /a\\\\ HTTP/1.1", b"GET", b"/a\\"),
        (b'GET /a\\\\\\"\\x22 HTTP/1.1', b"GET", b'/a\\"\\x22'),
        (b"GET /a[1] HTTP/1.1", b"GET", b"/a[1]"),
        (b"\\x16\\x03\\x01", b"\\x16\\x03\\x01", b""),
        (b"", b"", b""),
        (b"-", b"-", b""),
        (b"GET ?a HTTP/1.1", b"GET", b""),
        (b"/a/very/old/one", b"/a/very/old/one", b""),
    ],
)
def test_requests(request_: bytes, method: bytes, page: bytes) -> None:
    found = read(GOOD.replace(b"GET /good HTTP/1.1", request_))
    assert found == GOOD_LINE._replace(method=method, page=page)


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b" 0.01",
        b' "1.1.1.1"',
        b' "a" "b" 1',
        b' x="a" y="b\\"c"',
        b' "" - ""',
        b" ",
    ],
)
def test_more_may_stand_behind(tail: bytes) -> None:
    assert read(GOOD + tail) == GOOD_LINE


@pytest.mark.parametrize("tail", [b'"', b' "', b"x", b' "a', b'x"a"', b' "a\\"'])
def test_what_stands_behind_has_its_quotation_marks_closed(tail: bytes) -> None:
    assert Access().read(GOOD + tail) is None


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (b"9.9.9.9 - - ", b"9.9.9.9 - "),
        (b"9.9.9.9 - - ", b""),
        (b" [01", b"[01"),
        (b"[01", b"[[01"),
        (b"] ", b"]"),
        (b'"GET', b"GET"),
        (b'1.1" ', b'1.1"'),
        (b" 200 ", b" 20 "),
        (b" 200 ", b" 2000 "),
        (b" 200 12", b" 200"),
        (b" 200 12", b" 200 1 2"),
        (b' "-" ', b' "-"  '),
        (b' "-" ', b" - "),
        (b'5.0"', b"5.0"),
        (b'5.0"', b'5.0\\"'),
    ],
)
def test_lines_of_no_such_format(part: bytes, other: bytes) -> None:
    assert GOOD.count(part) == 1
    assert Access().read(GOOD.replace(part, other)) is None


def test_a_status_may_be_missing() -> None:
    assert read(GOOD.replace(b" 200 ", b" - ")).status == -1
