"""What is installed, and how others are told to run it."""

import json
import re
import shlex
from pathlib import Path
from typing import Final

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import arguments
from tests.programs import MODULES, ROOT

LOCK: Final = ROOT / "requirements.lock"
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
COMPOSE: Final = (ROOT / "compose.yaml").read_text()
NGINX: Final = (ROOT / "deploy" / "nginx.conf").read_text()
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")


def entries() -> list[tuple[Requirement, list[str]]]:
    """The packages of the lock, each with its hashes."""
    text = LOCK.read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and line.strip()[0] != "#"]
    parts = [line.split(" --hash=") for line in lines]
    return [
        (Requirement(first), [each.strip() for each in rest]) for first, *rest in parts
    ]


def environment(python: str, platform: str) -> dict[str, str]:
    """What markers see on a machine with such a Python."""
    own = {name: str(value) for name, value in default_environment().items()}
    own["sys_platform"] = platform
    own |= {"python_version": python, "python_full_version": f"{python}.1"}
    return own | {"platform_python_implementation": "CPython"}


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_what_is_required(python: str, platform: str) -> None:
    where = environment(python, platform)
    locked: dict[str, Version] = {}
    for entry, _ in entries():
        if entry.marker is None or entry.marker.evaluate(where):
            (exact,) = entry.specifier
            assert exact.operator == "=="
            name = canonicalize_name(entry.name)
            assert name not in locked
            locked[name] = Version(exact.version)
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    for line in lines:
        if line and not line.startswith("#"):
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate(where):
                version = locked[canonicalize_name(wanted.name)]
                assert wanted.specifier.contains(version), f"{line}: {version}"


def test_each_package_of_the_lock_has_hashes_and_no_address() -> None:
    found = entries()
    assert len(found) > 30
    for entry, hashes in found:
        assert entry.url is None
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes)
    assert not re.search(
        r"^\s*(--(?!hash=)|-[a-z] )|://|file:|/tmp|/root", LOCK.read_text(), re.M
    )


def test_the_image_has_all_that_runs() -> None:
    copied = re.findall(r"^COPY (?!--)(\S+) (\S+)$", DOCKERFILE, re.M)
    rooms = {name.partition(".")[0] for name in MODULES if "." in name}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {
        "tests",
        "benchmarks",
    }
    assert rooms <= packages
    assert set(copied) == {
        ("requirements.lock", "."),
        ("*.py", "./"),
        *((room, f"{room}/") for room in packages | {"assets"}),
    }
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:].rstrip("/") for line in ignored if line.startswith("!")}
    assert let_in == {source for source, _ in copied}
    assert "*" in ignored


def entrypoint() -> list[str]:
    (words,) = re.findall(r"^ENTRYPOINT (\[.+\])$", DOCKERFILE, re.M)
    program: list[str] = json.loads(words)
    assert program[:2] == ["python", "app.py"]
    return program[2:]


def test_the_image_serves_what_compose_asks_for(tmp_path: Path) -> None:
    (words,) = re.findall(r"command: (\[.+?\])", COMPOSE, re.DOTALL)
    options = arguments.parse([*entrypoint(), *json.loads(words)], "")
    assert not options.debug
    assert options.serving.host == "0.0.0.0"  # noqa: S104
    assert options.serving.password_file == Path("/run/secrets/passwords")
    assert "\nUSER 10001:10001\n" in DOCKERFILE
    port = options.serving.port
    assert f"\nEXPOSE {port}\n" in DOCKERFILE
    assert f"'127.0.0.1', {port}" in DOCKERFILE
    assert f"proxy_pass http://dashboard:{port};" in NGINX
    (host,) = options.serving.allowed_hosts
    assert f"server_name {host.name};" in NGINX
    assert "--require-hashes" in DOCKERFILE
    # A word for each of the two containers.
    for word in (
        "read_only: true",
        "no-new-privileges",
        "cap_drop:",
        "stop_grace_period",
    ):
        assert COMPOSE.count(word) == 2
    for secret in re.findall(r"^    secrets: (\[.+\])$", COMPOSE, re.M):
        for name in json.loads(secret):
            assert f"\n  {name}: {{ file:" in COMPOSE
    for name in re.findall(r"/run/secrets/([\w.]+);", NGINX):
        assert f'"{name}"' in COMPOSE


def test_commands_of_the_guide_are_possible() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text().replace("\\\n", "")
    unit = re.findall(r"python app\.py (--no-debug --allow-host.+)", text)
    image = re.findall(r"^ +dashboard (--.+)$|  dashboard (--.+)$", text, re.M)
    commands = [*unit, *(" ".join([*entrypoint(), a or b]) for a, b in image)]
    assert len(commands) == 2
    for command in commands:
        options = arguments.parse(shlex.split(command), "")
        assert options.serving.password_file is not None


def test_each_test_that_the_promises_name_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) > 10
    for path, test in named:
        code = (ROOT / path).read_text()
        assert not test or f"def {test}(" in code, f"{path}::{test}"
