"""What is installed, and what the project says about itself."""

import re
import subprocess
import sys
from email import message_from_string
from email.message import Message
from pathlib import Path
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

import app
from tests.programs import MODULES, ROOT, SMALL, free_port, interrupted, run, running

PACKAGE = "user_activity_dashboard"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that ``pip install`` builds."""
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (path,) = directory.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory into which the wheel is installed."""
    directory = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run(
        [*command, "--no-index", "--no-compile", "--target", directory, wheel],
        capture_output=True,
        check=True,
    )
    return directory


def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


def requirements(name: str) -> set[str]:
    lines = (ROOT / name).read_text().splitlines()
    return {line.partition("[")[0] for line in lines if not line.startswith("#")}


def test_all_that_runs_is_in_one_directory(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n}
    sources = {str(path.relative_to(ROOT)) for path in MODULES.values()}
    assets = {f"assets/{path.name}" for path in (ROOT / "assets").iterdir()}
    assert names == {f"{PACKAGE}/{name}" for name in sources | assets}
    assert {"app.py", "engine/memory.py", "__main__.py"} <= sources


def test_says_what_it_needs_once(wheel: Path) -> None:
    said = metadata(wheel)
    needs = said.get_all("Requires-Dist") or []
    names = {re.split(r"[^\w-]", need)[0] for need in needs if "extra" not in need}
    wanted = {re.split(r"[^\w-]", need)[0] for need in requirements("requirements.txt")}
    assert names == wanted
    extra = {re.split(r"[^\w-]", need)[0] for need in needs if "'dev'" in need}
    wanted = requirements("requirements-dev.txt")
    assert extra == {re.split(r"[^\w-]", need)[0] for need in wanted}
    assert said["Version"] == app.__version__


def test_the_changelog_is_that_of_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", text, re.M)
    assert released[0][0] == app.__version__
    assert released == sorted(released, reverse=True)


@pytest.mark.parametrize("mode", ["--debug", "--no-debug"])
def test_the_installed_command_serves_the_page(
    installed: Path, tmp_path: Path, mode: str
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    # On Windows a script is no program.
    command = [sys.executable, "-m", PACKAGE]
    if sys.platform != "win32":
        command = [str(installed / "bin" / "user-activity-dashboard")]
    with running(
        mode,
        "--port",
        str(port),
        *SMALL,
        command=command,
        directory=tmp_path,
        environment={"PYTHONPATH": str(installed)},
    ) as (program, printed):
        assert printed[-1] == f"Open {address}/"
        for path in ("", "assets/style.css", "assets/page.js", "_dash-layout"):
            with urlopen(f"{address}/{path}", timeout=30) as answer:
                assert answer.status == 200
        assert interrupted(program) == ("", "")
        assert program.returncode == 0


def test_the_directory_is_the_program_too() -> None:
    result = run("--version", command=[sys.executable, "."])
    assert result.stdout == f"user-activity-dashboard {app.__version__}\n"
