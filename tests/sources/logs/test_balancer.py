import pytest

from sources.logs.balancer import Balancer
from sources.logs.line import Line
from tests.sources.logs.made import GOOD_BALANCER

LINE = Line(
    *(b"9.9.9.9", b"2024-03-01T10:00:00.000001Z", b"GET", b"/good", 200),
    *(b"Mozilla/5.0", b"a.org:80"),
)


def test_application_load_balancers_and_classic_ones() -> None:
    balancer = Balancer()
    assert balancer.read(GOOD_BALANCER) == LINE
    assert balancer.read(GOOD_BALANCER.removeprefix(b"http ")) == LINE
    assert balancer.read(GOOD_BALANCER[: -len(b" - -")]) == LINE


@pytest.mark.parametrize(
    ("part", "other", "changed"),
    [
        (b"9.9.9.9:1 ", b"[2001:db8::1]:1 ", {"client": b"2001:db8::1"}),
        (b"9.9.9.9:1 ", b"- ", {"client": b"-"}),
        (b" 200 200 ", b" - 200 ", {"status": -1}),
        (b" 200 200 ", b" 404 200 ", {"status": 404}),
        (b":80/good", b":80/good?a", {}),
        (b":80/good", b":80?a", {"page": b"/"}),
        (b":80/good", b":80/a b", {"page": b"/a b"}),
        (b":80/good", b":80", {"page": b"/"}),
        (b"http://a.org:80/good", b"/good", {"host": b""}),
        (
            b"GET http://a.org:80/good HTTP/1.1",
            b"- - - ",
            {"host": b"", "page": b"- - ", "method": b"-"},
        ),
    ],
)
def test_parts_of_lines(part: bytes, other: bytes, changed: dict[str, bytes]) -> None:
    found = Balancer().read(GOOD_BALANCER.replace(part, other))
    assert found == LINE._replace(**changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("part", "other"),
    [(b"http ", b"ftp "), (b"Z app", b" app"), (b" 1 1 ", b" 1 "), (b'5.0"', b"5.0")],
)
def test_lines_of_no_such_form(part: bytes, other: bytes) -> None:
    assert Balancer().read(GOOD_BALANCER.replace(part, other)) is None
