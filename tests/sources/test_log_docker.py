"""Lines of servers inside the lines of Docker's own log files."""

import json

import pytest

from sources.logs.fields import Json
from sources.logs.line import Line

INNER = {
    "ts": 1714554000.25,
    "request": {"client_ip": "192.0.2.1", "method": "GET", "uri": "/a?b", "host": "h"},
    "status": 200,
}
COMBINED = (
    '192.0.2.1 - - [01/May/2024:09:00:00 +0000] "GET /a?b HTTP/1.1" 200 5 "-" "x"'
)


def wrapped(text: str) -> bytes:
    line = {"log": text, "stream": "stdout", "time": "2024-05-01T09:00:00.3Z"}
    return json.dumps(line).encode()


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_json_inside_is_read(end: str) -> None:
    found = Json().read(wrapped(json.dumps(INNER) + end))
    assert found == Line(b"192.0.2.1", b"1714554000.25", b"GET", b"/a", 200, b"", b"h")


def test_the_combined_log_format_inside_is_read() -> None:
    found = Json().read(wrapped(f"{COMBINED}\n"))
    assert found
    assert found.agent == b"x"


@pytest.mark.parametrize("text", ["", "\n", "hello", "{", "[1]", '"\ud800"', "{}"])
def test_what_is_no_request_inside_is_none(text: str) -> None:
    assert Json().read(wrapped(text)) is None
