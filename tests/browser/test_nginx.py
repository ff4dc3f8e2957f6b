"""The page behind a real nginx, which takes its path prefix off or leaves it."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.programs import SMALL, free_port, running

from .conftest import drawn, pick
from .test_uploads import CSV, SHOWN, drag, show, understood

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
FRONTS = ("strip", "keep", "strip-tls", "keep-tls")

pytestmark = pytest.mark.skipif(
    NGINX is None or not shutil.which("openssl"), reason="needs nginx and openssl"
)


class Site(NamedTuple):
    """The program, and where nginx has it."""

    port: int
    fronts: dict[str, str]
    """The address that a browser opens, by what nginx does."""


def configuration(folder: Path, ports: dict[str, int], port: int) -> str:
    """A site for each front, before the program on *port*."""
    paths = "".join(
        f"{name}_temp_path {folder / name};"
        for name in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    )
    sites = ""
    for front, own in ports.items():
        tls = front.endswith("-tls")
        files = f"ssl_certificate {folder}/cert; ssl_certificate_key {folder}/key;"
        takes_off = front.startswith("strip")
        to = f"proxy_pass http://127.0.0.1:{port}"
        # Two usual ways of saying which host the browser asked for.
        host = "Host" if takes_off else "X-Forwarded-Host"
        sites += f"""server {{
            listen 127.0.0.1:{own}{" ssl" if tls else ""}; {files if tls else ""}
            proxy_set_header {host} $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            location /activity/ {{ {to}{"/" if takes_off else ""}; }}
            {"" if takes_off else f"location = /activity {{ {to}; }}"}
        }}"""
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""{user} daemon off; worker_processes 1; pid {folder}/pid;
        error_log {folder}/errors; events {{}}
        http {{ access_log off; client_max_body_size 2m; {paths} {sites} }}"""


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[dict[str, str]]:
    """Run nginx before the program on *port*; gives the addresses of the fronts."""
    ports = {front: free_port() for front in FRONTS}
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", str(folder / "key"), "-out", str(folder / "cert"))
    subprocess.run(
        ["openssl", "req", "-x509", *key, *files, "-subj", "/CN=localhost"],
        check=True,
        capture_output=True,
    )
    (folder / "nginx.conf").write_text(configuration(folder, ports, port))
    command = (str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"))
    with subprocess.Popen([*command, "-e", str(folder / "errors")]) as process:
        try:
            wait_for(ports.values(), process)
            yield {
                front: f"http{'s' if front.endswith('-tls') else ''}://"
                f"127.0.0.1:{own}/activity/"
                for front, own in ports.items()
            }
        finally:
            process.terminate()


def wait_for(ports: Any, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens on all *ports*."""
    for port in ports:
        while True:
            assert process.poll() is None, "nginx has ended"
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.01)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    port = free_port()
    options = ("--url-prefix", "/activity/", "--trusted-proxy", "127.0.0.1")
    hosts = ("--allow-host", "stats.example", "--allow-upload")
    server = ("--no-debug", "--port", str(port))
    with (
        running(*server, *options, *hosts, *SMALL) as (_, printed),
        nginx(tmp_path_factory.mktemp("nginx"), port) as fronts,
    ):
        assert printed[-1] == f"Open http://127.0.0.1:{port}/activity/"
        yield Site(port, fronts)


def get(address: str, body: Any = None, **headers: str) -> tuple[int, str, str]:
    """The status, the last address and the text of an answer."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    data = None if body is None else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {"Content-Type": "application/json"} if data else {}
    request = Request(address, data, {**kind, **sent})
    try:
        context = trusting if address.startswith("https:") else None
        with urlopen(request, timeout=30, context=context) as answer:
            return answer.status, answer.url, answer.read().decode()
    except HTTPError as error:
        return error.code, address, error.read().decode()


@pytest.mark.parametrize("front", ["strip", "keep-tls"])
def test_all_that_a_page_leads_to_is_there(site: Site, front: str) -> None:
    address = site.fronts[front]
    origin = address.removesuffix("/activity/")
    status, _, page = get(address)
    assert status == 200
    # Dash writes slashes so.
    layout = get(f"{address}_dash-layout")[2].replace("\\u002f", "/")
    own = "(?:_dash-comp|assets|numbers|sessions|upload|view)"
    quoted = rf"""["'](/(?:activity/)?{own}[^"'\\]*)"""
    paths = set(re.findall(quoted, page + layout))
    files = {path.partition("?")[0].removeprefix("/activity/") for path in paths}
    assert {"sessions.csv", "numbers/hours.csv", "view.html", "upload"} <= files
    assert any(file.startswith("_dash-component-suites/") for file in files)
    assert any(file.startswith("assets/upload") for file in files)
    for path in paths - {"/activity/upload"}:
        assert path.startswith("/activity/")
        assert get(f"{origin}{path}")[0] == 200
    # Another path of the proxy isn't the page's.
    assert get(f"{origin}/sessions.csv")[0] == 404


@pytest.mark.parametrize("front", ["keep", "keep-tls"])
def test_the_prefix_without_its_slash(site: Site, front: str) -> None:
    address = site.fronts[front]
    status, last, _ = get(f"{address[:-1]}?user=user_7")
    assert (status, last) == (200, f"{address}?user=user_7")


# Each begins two files, of which a server holds eight.
@pytest.mark.parametrize("front", ["strip", "keep-tls"])
def test_files_are_taken_from_the_page_alone(site: Site, front: str) -> None:
    address = site.fronts[front]
    upload, file = f"{address}upload", {"name": "a.csv", "size": 1}
    origin = address.removesuffix("/activity/")
    assert get(upload, file, Origin=origin)[0] == 200
    named = {"Host": "stats.example:8443", "Origin": "https://stats.example:8443"}
    assert get(upload, file, **named)[0] == 200
    other = re.sub(r":\d+$", ":1", origin)
    for evil in (other, "https://stats.example", "http://evil.example", "null"):
        assert get(upload, file, Origin=evil)[0] == 403


@pytest.mark.parametrize("front", FRONTS)
def test_the_browser_asks_for_a_host_that_is_served(site: Site, front: str) -> None:
    address = site.fronts[front]
    assert get(address, Host="stats.example")[0] == 200
    status, _, words = get(address, Host="evil.example")
    assert (status, words) == (
        400,
        "this host name is not served here; see --allow-host",
    )


@pytest.mark.parametrize(
    ("peer", "statuses"),
    # The second is this machine, too, but isn't named by --trusted-proxy.
    [("127.0.0.1", [400, 200]), ("127.0.0.2", [200, 400])],
)
def test_a_host_that_another_peer_claims_changes_nothing(
    site: Site, peer: str, statuses: list[int]
) -> None:
    found = []
    for host, claimed in (
        ("localhost", "evil.example"),
        ("evil.example", "stats.example"),
    ):
        asking = HTTPConnection("127.0.0.1", site.port, source_address=(peer, 0))
        sent = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Host": claimed}
        asking.request("GET", "/", headers={"Host": host, **sent})
        found.append(asking.getresponse().status)
        asking.close()
    assert found == statuses


def test_a_browser_behind_it(site: Site, browser: Browser, tmp_path: Path) -> None:
    address = site.fronts["keep-tls"]
    # A browser that takes the certificate for good: told so page by page, Chromium asks
    # again for each connection, and sometimes gives up (ERR_TOO_MANY_RETRIES).
    installed = shutil.which("chromium") or shutil.which("google-chrome")
    trusting = browser.browser_type.launch(
        executable_path=installed, args=["--ignore-certificate-errors"]
    )
    page = trusting.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:", "blob:"))
            else complaints.append(request.url)
        ),
    )
    page.goto(address)
    drawn(page)
    pick(page, "user_7")
    page.wait_for_url(f"{address}?user=user_7")
    with page.expect_download() as download:
        page.locator("a[href*='sessions.csv']").first.click()
    download.value.save_as(tmp_path / "sessions.csv")
    _, *rows = (tmp_path / "sessions.csv").read_text().splitlines()
    assert rows
    assert all(row.startswith("user_7,") for row in rows)
    drag(page, ("a.csv", CSV))
    understood(page)
    show(page)
    page.wait_for_url(lambda url: url.startswith(f"{address}data/"))
    expect(page.locator("body")).to_contain_text(SHOWN)
    pick(page, "bob")
    page.get_by_role("link", name="Back to the simulated data").click()
    page.wait_for_url(address)
    drawn(page)
    assert complaints == []
    trusting.close()
