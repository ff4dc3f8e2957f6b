"""Names of hosts, as people write them and as browsers ask for them."""

import pytest

from hosts import Host, Hosts, parse_host, parse_origin
from serving.host_check import HostCheck
from tests.serving.asking import ask, echo


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", Host("localhost")),
        (" Stats.Example.org. ", Host("stats.example.org")),
        ("my_machine-2", Host("my_machine-2")),
        ("https://h/", Host("h", "https")),
        ("HTTP://h:8443", Host("h", "http", 8443)),
        ("h:8443/", Host("h", "", 8443)),
        ("*.example.org", Host("*.example.org")),
        ("192.0.2.1:80", Host("192.0.2.1", "", 80)),
        ("１92。0.2.1", Host("192.0.2.1")),
        ("[::1]", Host("::1")),
        ("https://[2001:DB8:0:0::1]:8443/", Host("2001:db8::1", "https", 8443)),
        ("2001:DB8:0:0::1", Host("2001:db8::1")),
        ("fe80::1%eth0", Host("fe80::1")),
        # What browsers make of them; Python's own "idna" says strasse.
        ("Bücher.example", Host("xn--bcher-kva.example")),
        ("*.straße.example", Host("*.xn--strae-oqa.example")),
        ("☃.example", Host("xn--n3h.example")),
    ],
)
def test_a_host_is_as_browsers_ask_for_it(text: str, host: Host) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a host name is empty"),
        (" ", "a host name is empty"),
        ("https://", "a host name is empty"),
        (":80", "a host name is empty"),
        ("*", r"'\*' is every name: write each, such as stats.example.org"),
        ("https://*/", "is every name"),
        ("*.", "is every name"),
        ("*.*", "is every name"),
        ("h.*", "is not a host name, such as stats.example.org"),
        ("*h.example", "is not a host name"),
        ("h/path", "'h/path' is more than a host: write 'h'"),
        ("https://user@h:80/", "is more than a host: write 'h:80'"),
        ("h?x", "is more than a host: write 'h'"),
        ("ftp://h", "'ftp://h' is no address of a web page"),
        ("h:0", "has no possible port: leave it out"),
        ("h:65536", "has no possible port"),
        ("300.1.1.1", "'300.1.1.1' is not an IP address, such as 192.0.2.1"),
        ("1.2.3", "is not an IP address"),
        ("0x7f", "is not an IP address"),
        ("*.1.2.3.4", "is not an IP address"),
        ("0.0.0.0", "stands for all addresses of a machine: write the one to open"),  # noqa: S104
        ("[::]", "stands for all addresses of a machine"),
        ("ex ample", "is not a host name"),
        ("a..b", "is not a host name"),
        (".", "is not a host name"),
        ("[::1", "is not a host name"),
        ("[1.2.3.4]", "is not a host name"),
        ("a\nb", "is not a host name"),
        ("a,b", "is not a host name"),
        ("a%41b", "is not a host name"),
        ("a" * 64, "is not a host name"),
        (".".join(["a" * 60] * 5), "is not a host name"),
    ],
)
def test_what_no_browser_asks_for_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_host(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://Wiki.example.org/", "https://wiki.example.org"),
        ("http://*.example.org:8080", "http://*.example.org:8080"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin(origin: str, expected: str) -> None:
    assert parse_origin(origin) == expected


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("example.org:80", "names no scheme: write https://example.org:80"),
        ("*", "is every name"),
        ("https://*", "is every name"),
        ("http://[::1]:80", "has an IPv6 address, which browsers don't take here"),
        ("https://a.example/wiki", "is more than a host: write 'a.example'"),
        ("https://a.example; script-src *", "is not a host name"),
        ("'self'", "is not a host name"),
    ],
)
def test_what_is_no_origin(origin: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_origin(origin)


NAMED = Hosts(
    ["stats.example", "*.example.org", "192.0.2.1", "2001:db8::1", "straße.de"]
)


@pytest.mark.parametrize(
    "header",
    [
        "stats.example",
        "STATS.example.:8443",
        "a.example.org",
        "a.b.EXAMPLE.org:80",
        "192.0.2.1:8050",
        "[2001:DB8:0::1]:8050",
        "xn--strae-oqa.de",
    ],
)
def test_a_request_for_a_host(header: str) -> None:
    assert header in NAMED


@pytest.mark.parametrize(
    "header",
    [
        "",
        ":8050",
        "example",
        "stats.example.evil",
        "evil.stats.example",
        "example.org",
        "evilexample.org",
        "evil@a.example.org",
        "evil/a.example.org",
        "stats.example:80:80",
        "stats.example\n",
        "strasse.de",
        "192.0.2.2",
        "[::2]",
        "2001:db8::1",
        "[stats.example]",
    ],
)
def test_a_request_for_another_host(header: str) -> None:
    assert header not in NAMED


def test_any_address_is_none_of_names() -> None:
    hosts = Hosts(["localhost"], any_address=True)
    for header in ("localhost", "10.1.2.3:8050", "[fd00::2]:8050", "0.0.0.0"):  # noqa: S104
        assert header in hosts
    for header in ("evil.example", "10.1.2.3.evil.example", "300.1.1.1", "fd00::2"):
        assert header not in hosts


def test_the_layer_refuses_another_host(caplog: pytest.LogCaptureFixture) -> None:
    layer = HostCheck(echo, NAMED)
    assert ask(layer, headers={"Host": "a.example.org"}).status_code == 200
    answer = ask(layer, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text == "this host name is not served here; see --allow-host"
    (record,) = caplog.records
    assert "'evil.example'" in record.getMessage()
