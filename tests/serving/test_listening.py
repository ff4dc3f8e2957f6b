"""Where the server listens, and under which names it answers there."""

import re
import socket
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from hosts import parse_host
from serving import Settings, announce
from serving.listening import served_hosts
from tests.programs import SMALL, free_port, running

EVERY = "0.0.0.0"  # noqa: S104
NAME = socket.gethostname().partition(".")[0].lower()

OPEN_TO_ALL = "Whoever reaches it sees the data, as --no-login says."


def said(settings: Settings, capsys: pytest.CaptureFixture[str]) -> list[str]:
    announce(settings)
    return capsys.readouterr().out.splitlines()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6 beside IPv4")
def test_every_address_of_this_machine_opens_the_page() -> None:
    port = free_port()
    named = "https://stats.example,h:8443,*.example.org"
    options = ("--no-debug", "--no-login", "--host", "::", "--port", str(port))
    more = ("--allow-host", named, "--url-prefix", "activity")
    with running(*options, *more, *SMALL) as (program, printed):
        names = f"127.0.0.1, localhost, ::1, {NAME}, {NAME}.local, stats.example, h, "
        assert printed[-3:] == [
            f"Answers to {names}*.example.org, any IP address; "
            "--allow-host adds other names.",
            OPEN_TO_ALL,
            f"Open http://[::1]:{port}/activity/",
        ]

        def ask(host: str, at: str = f"127.0.0.1:{port}") -> int:
            request = Request(f"http://{at}/activity/", headers={"Host": host})
            try:
                with urlopen(request, timeout=30) as page:
                    status: int = page.status
                    return status
            except HTTPError as error:
                return error.code

        for host in ("localhost", f"{NAME}.local:80", "10.9.8.7:80", "a.example.org"):
            assert ask(host) == 200
        for host in ("evil.example", "example.org", "0x7f.1"):
            assert ask(host) == 400
        assert program.stdout is not None
        lines = []
        for line in program.stdout:
            lines.append(line.rstrip())
            if line.startswith("  or h:"):
                break
        assert lines[-2:] == [
            "  or https://stats.example/activity/",
            "  or h:8443/activity/",
        ]
        assert len(set(lines)) == len(lines)
        own = [line.removeprefix("  or http://") for line in lines[:-2]]
        for address in own:
            assert re.fullmatch(rf"(\[[0-9a-f:]+\]|[0-9.]+):{port}/activity/", address)
            assert not address.startswith(("127.", "169.254.", "[fe80", "[::1]"))


def test_on_this_machine_there_is_one_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert said(Settings(), capsys) == ["Open http://127.0.0.1:8050/"]
    for host in ("localhost", "127.0.0.1"):
        assert "10.9.8.7" not in served_hosts(Settings(host=host))


def test_an_address_that_is_named_twice_is_printed_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    allowed = tuple(
        map(parse_host, ("http://127.0.0.1:8050", "https://h", "https://H"))
    )
    settings = Settings(allowed_hosts=allowed, url_prefix="/a/")
    lines = ["Open http://127.0.0.1:8050/a/", "  or https://h/a/"]
    assert said(settings, capsys) == lines


def test_one_address_of_several_is_listened_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = Settings(host="fd00::2", port=80)
    assert said(settings, capsys) == [
        "Answers to 127.0.0.1, localhost, ::1, fd00::2; --allow-host adds other names.",
        OPEN_TO_ALL,
        "Open http://[fd00::2]:80/",
    ]
    assert "[fd00::2]" in served_hosts(settings)
    assert "[fd00::3]" not in served_hosts(settings)


def test_ipv4_alone_has_ipv4_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, first, *others = said(Settings(host=EVERY), capsys)
    assert first == "Open http://127.0.0.1:8050/"
    for line in others:
        assert re.fullmatch(r"  or http://[0-9.]+:8050/", line)
