"""A path prefix, and what proxies say: it is believed of trusted ones alone."""

from ipaddress import ip_network

import pytest

import uploads
from app import create_app
from serving import parse_network, parse_prefix
from serving.proxy import OWN_FOLDERS, TrustedProxies, UrlPrefix
from tests.serving.asking import ask, asked, echo
from tests.sessions import ROWS, table


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("", "/"),
        ("/", "/"),
        ("activity", "/activity/"),
        ("/activity", "/activity/"),
        ("/a/b-c_d.e~f/", "/a/b-c_d.e~f/"),
        ("/a/data/", "/a/data/"),
    ],
)
def test_a_prefix_begins_and_ends_with_a_slash(text: str, prefix: str) -> None:
    assert parse_prefix(text) == prefix


@pytest.mark.parametrize(
    "text",
    [
        *("//", "//a", "a//b", "/a/../b/", "..", ".", "/a/./b", "/a?b", "/a#b", "/a b"),
        *("/a\n", "/a%20b", "%2e%2e", "/bücher/", "https://h/a/", "/a;b", "/a\\b"),
        '/"><script>/',
    ],
)
def test_what_is_no_prefix(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path of letters") as caught:
        parse_prefix(text)
    assert "\n" not in str(caught.value)


def test_a_prefix_is_no_path_of_the_page_itself() -> None:
    app = create_app(table(ROWS), uploading=uploads.Settings())
    rules = [rule.rule.split("/") for rule in app.server.url_map.iter_rules()]
    folders = {parts[1] for parts in rules if len(parts) > 2}
    own = {name for name in folders if not name.startswith("_")}
    assert own == {"assets", "data", "numbers", "upload"}
    assert own < OWN_FOLDERS
    for name in (*OWN_FOLDERS, "_dash-component-suites"):
        with pytest.raises(ValueError, match="is a path of the page itself"):
            parse_prefix(name)


@pytest.mark.parametrize("name", ["URL_BASE_PATHNAME", "REQUESTS_PATHNAME_PREFIX"])
def test_the_environment_may_not_name_another(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"DASH_{name}", "/stats/")
    assert parse_prefix("/") == "/"
    with pytest.raises(ValueError, match=f"DASH_{name} in the environment"):
        create_app(table(ROWS), url_prefix="/activity/")


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("/activity/", "/"),
        ("/activity/a/b?c=d", "/a/b"),
        # A proxy has taken it off.
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/activity-log/", "/activity-log/"),
    ],
)
def test_the_prefix_is_taken_off_where_it_is(path: str, inner: str) -> None:
    said = asked(UrlPrefix(echo, "/activity/"), path)
    assert said["PATH_INFO"] == inner
    assert said["SCRIPT_NAME"] == "/activity"


def test_without_a_prefix_nothing_is_taken_off() -> None:
    said = asked(UrlPrefix(echo, "/"), "/activity/")
    assert (said["PATH_INFO"], said["SCRIPT_NAME"]) == ("/activity/", "")


def test_the_prefix_without_its_slash_leads_to_it() -> None:
    answer = ask(UrlPrefix(echo, "/a/b/"), "/a/b?user=x%20y&page=a")
    assert answer.status_code == 308
    assert answer.headers["Location"] == "/a/b/?user=x%20y&page=a"
    assert ask(UrlPrefix(echo, "/a/b/"), "/a/b").headers["Location"] == "/a/b/"


def test_an_application_of_its_own_takes_the_prefix_off() -> None:
    app = create_app(table(ROWS), url_prefix="activity")
    for path in ("/activity/", "/"):
        page = ask(app.server, path)
        assert page.status_code == 200
        assert 'src="/activity/assets/theme.js' in page.text
        assert 'src="/assets' not in page.text


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        (" 10.1.2.3/8", "10.0.0.0/8"),
        ("[::1]", "::1/128"),
        ("fd00::/8", "fd00::/8"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ],
)
def test_a_network(text: str, network: str) -> None:
    assert parse_network(text) == ip_network(network)


@pytest.mark.parametrize("text", ["", "nginx", "10.0.0.0/33", "10.0.0", "a b", "::1/"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(ValueError, match="is not an IP address or network, such as"):
        parse_network(text)


LAYER = TrustedProxies(
    echo, [ip_network("10.0.0.0/8"), ip_network("fd00::/8")], "X-Remote-User"
)
SPOOFED = {
    "Host": "stats.example",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-User": "admin",
    "X-Remote-User": "admin",
    "Forwarded": "for=203.0.113.9;proto=https;host=evil.example",
}


@pytest.mark.parametrize("peer", ["203.0.113.1", "::1", "::ffff:203.0.113.1", "", "x"])
def test_others_change_nothing(peer: str) -> None:
    said = asked(LAYER, peer=peer, headers=SPOOFED)
    assert said == asked(echo, peer=peer, headers={"Host": "stats.example"})


@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1", "fd00::1%eth0"])
def test_a_trusted_proxy_is_believed(peer: str) -> None:
    said = asked(LAYER, peer=peer, headers=SPOOFED)
    assert said["REMOTE_ADDR"] == "203.0.113.9"
    assert said["wsgi.url_scheme"] == "https"
    assert said["HTTP_HOST"] == "evil.example:444"
    assert said["HTTP_X_FORWARDED_USER"] == said["HTTP_X_REMOTE_USER"] == "admin"
    assert said["SCRIPT_NAME"] == ""


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        # What the browser itself claims stands left of what the proxy saw.
        ("127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 10.0.0.2,fd00::2", "203.0.113.9"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("2001:DB8:0::9", "2001:db8::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::9%\x1b[31m", "fe80::9"),
        # Beyond what can't be read nothing is believed.
        ("203.0.113.9, unknown", "10.0.0.1"),
        ("203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"),
        ("203.0.113.9, ", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_who_asks_is_the_last_that_is_no_trusted_proxy(
    header: str, client: str
) -> None:
    said = asked(LAYER, peer="10.0.0.1", headers={"X-Forwarded-For": header})
    assert said["REMOTE_ADDR"] == client


@pytest.mark.parametrize(
    ("headers", "scheme", "host"),
    [
        ({"Proto": "http, HTTPS"}, "https", "in.example:8050"),
        ({"Proto": "https, http"}, "http", "in.example:8050"),
        ({"Proto": "javascript"}, "http", "in.example:8050"),
        ({"Host": "a.example, b.example:8443"}, "http", "b.example:8443"),
        ({"Host": "a.example", "Port": "8443"}, "http", "a.example:8443"),
        ({"Host": "[::1]", "Port": "80, 8443"}, "http", "[::1]:8443"),
        # The browser's own port is that which its Origin has.
        ({"Host": "a.example:8443", "Port": "443"}, "http", "a.example:8443"),
        ({"Host": "a.example", "Port": "x"}, "http", "a.example"),
        ({"Port": "8443"}, "http", "in.example:8050"),
    ],
)
def test_scheme_host_and_port(headers: dict[str, str], scheme: str, host: str) -> None:
    sent = {f"X-Forwarded-{name}": value for name, value in headers.items()}
    said = asked(LAYER, peer="10.0.0.1", headers={"Host": "in.example:8050", **sent})
    assert (said["wsgi.url_scheme"], said["HTTP_HOST"]) == (scheme, host)


def test_forwarded_is_read_where_a_proxy_writes_no_other() -> None:
    header = 'for="[2001:db8::9]:4711", For=10.0.0.2;Proto=https;host="a.example:8443"'
    headers = {"Host": "in.example", "Forwarded": header}
    said = asked(LAYER, peer="10.0.0.1", headers=headers)
    assert said["REMOTE_ADDR"] == "2001:db8::9"
    assert said["wsgi.url_scheme"] == "https"
    assert said["HTTP_HOST"] == "a.example:8443"
    # It may write other headers of its own.
    said = asked(LAYER, peer="10.0.0.1", headers={**headers, "X-Forwarded-User": "ann"})
    assert said["REMOTE_ADDR"] == "2001:db8::9"
    # A proxy that writes X-Forwarded-For passes on what the browser says here.
    said = asked(LAYER, peer="10.0.0.1", headers={**headers, "X-Forwarded-For": "::9"})
    assert said["REMOTE_ADDR"] == "::9"
    assert said["wsgi.url_scheme"] == "http"
    assert said["HTTP_HOST"] == "in.example"
    for malformed in ("for", ";;,=", 'for="', "for=_hidden", "proto=\x1b"):
        headers = {"Host": "in.example", "Forwarded": malformed}
        said = asked(LAYER, peer="10.0.0.1", headers=headers)
        assert said["REMOTE_ADDR"] == "10.0.0.1"
        assert (said["wsgi.url_scheme"], said["HTTP_HOST"]) == ("http", "in.example")
