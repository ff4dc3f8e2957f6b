"""Which site a request is to: what ``--where host=`` compares and the notes name."""

import pyarrow as pa
import pytest

from sources import BadInput
from sources.logs.texts import sites_of
from tests.sources.conftest import Write
from tests.sources.test_reading import read

LINE = (
    "{} 192.0.2.1 - - [01/May/2024:09:0{}:00 +0000] "
    '"GET /{} HTTP/1.1" 200 5 "-" "Firefox"'
)


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("shop.example", "shop.example"),
        ("shop.example:443", "shop.example"),
        ("Shop.Example:80", "shop.example"),
        ("[2001:db8::7]:8080", "[2001:db8::7]"),
        ("[2001:db8::7]", "[2001:db8::7]"),
        ("2001:db8::7", "2001:db8::7"),
        ("shop.example:", "shop.example:"),
        (":80", ":80"),
        ("", ""),
    ],
)
def test_a_site_is_a_host_without_its_port(host: str, site: str) -> None:
    hosts = pa.array([b"a", host.encode(), b"a"], pa.binary())
    assert sites_of(hosts).to_pylist() == ["a", site, "a"]


def test_no_hosts_are_no_sites() -> None:
    assert sites_of(pa.array([], pa.binary())).to_pylist() == []


@pytest.mark.parametrize("name", ["shop.example", "SHOP.example", "shop.example:443"])
def test_one_site_is_counted_whatever_its_port_is(name: str, write: Write) -> None:
    hosts = ("shop.example:443", "shop.example:80", "blog.example:443")
    text = "".join(f"{LINE.format(host, n, n)}\n" for n, host in enumerate(hosts))
    rows, report = read(write(text, "access.log"), where=(("host", name),))
    assert rows == [["192.0.2.1", "/0", 60.0], ["192.0.2.1", "/1", None]]
    assert report.files[0].unmatched == 1
    assert "Only requests to shop.example." in report.files[0].understood


def test_sites_are_told_without_ports(write: Write) -> None:
    hosts = ("shop.example:443", "shop.example:80", "blog.example:443")
    text = "".join(f"{LINE.format(host, n, n)}\n" for n, host in enumerate(hosts))
    (note,) = read(write(text, "access.log"))[1].files[0].notes
    assert note == (
        "Several sites: shop.example (2 views), blog.example (1 view). To count one "
        "alone, add --where host=shop.example."
    )


def test_two_ports_are_not_several_sites(write: Write) -> None:
    hosts = ("shop.example:443", "shop.example:80")
    text = "".join(f"{LINE.format(host, n, n)}\n" for n, host in enumerate(hosts))
    assert read(write(text, "access.log"))[1].files[0].notes == ()


def test_another_site_has_no_views(write: Write) -> None:
    path = write(f"{LINE.format('shop.example:443', 0, '')}\n", "access.log")
    with pytest.raises(
        BadInput,
        match=r"no usable row \(none has host=blog\.example; there are shop\.example\)",
    ):
        read(path, where=(("host", "blog.example"),))
