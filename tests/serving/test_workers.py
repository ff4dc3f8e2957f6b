"""Several processes that serve one site, as the real program has them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

import app
from serving import workers
from tests.serving.program import BYTES
from tests.serving.test_server import begun, received, small_program, wait_for

assert workers  # Where gunicorn isn't, there is nothing to test.


class Site:
    """The small program with two workers."""

    def __init__(self, folder: Path, pid: int, port: int) -> None:
        self.folder = folder
        self.pid = pid
        self.port = port

    def ask(self) -> tuple[int, str]:
        """The process that answers, and the data that it has."""
        with urlopen(f"http://127.0.0.1:{self.port}/", timeout=30) as answer:
            pid, data, _ = answer.read().decode().split()
        return int(pid), data

    def pids(self) -> set[int]:
        """The processes that serve."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return {int(pid) for pid in children.split()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # What gunicorn would read, if it were asked to.
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GUNICORN_CMD_ARGS", "--workers 7 --bind 127.0.0.1:1")
        patch.setenv("WEB_CONCURRENCY", "7")
        with small_program(folder, 2) as (program, port):
            yield Site(folder, program.pid, port)


def test_there_are_as_many_as_are_asked_for(site: Site) -> None:
    wait_for(lambda: len(site.pids()) == 2)
    assert site.ask()[0] in site.pids()


def pss(pid: int) -> int:
    """Bytes of memory of a process; what several share is divided among them."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (kilobytes,) = [
        line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")
    ]
    return int(kilobytes) * 1024


def test_they_share_the_data(site: Site) -> None:
    wait_for(lambda: len(site.pids()) == 2)
    site.ask()
    assert all(pss(pid) < BYTES for pid in site.pids())


def test_one_that_is_killed_is_replaced(site: Site) -> None:
    wait_for(lambda: len(site.pids()) == 2)
    killed, other = site.pids()
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: site.ask()[0] not in (killed, other))
    assert other in site.pids()


def test_new_data_come_with_new_processes(site: Site) -> None:
    wait_for(lambda: len(site.pids()) == 2)
    before = site.pids()
    _, data = site.ask()
    (site.folder / "go").unlink(missing_ok=True)
    (site.folder / "begun").unlink(missing_ok=True)
    with begun(site.folder, site.port) as asking:
        (site.folder / "data").write_text("second")
        os.kill(site.pid, signal.SIGHUP)
        wait_for(lambda: site.ask()[1] == "second")
        # One of the old still answers what had begun.
        wait_for(lambda: len(site.pids()) == 3)
        (site.folder / "go").touch()
        assert f" {data} ".encode() in received(asking)
    wait_for(lambda: len(site.pids()) == 2)
    assert not before & site.pids()


def test_what_cannot_be_read_again_changes_nothing(site: Site) -> None:
    wait_for(lambda: len(site.pids()) == 2)
    killed, other = site.pids()
    _, data = site.ask()
    (site.folder / "data").unlink()
    os.kill(site.pid, signal.SIGHUP)
    wait_for((site.folder / "failed").exists)
    (site.folder / "data").write_text("third")
    # One that comes now has what the others have.
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: site.ask()[0] not in (killed, other))
    assert other in site.pids()
    assert site.ask()[1] == data


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--debug", "--debug is one process: use --no-debug with --workers"),
        ("--allow-upload", "--allow-upload is for one process: leave out --workers"),
    ],
)
def test_what_several_processes_cannot_do(
    option: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        app.main(["--no-debug", "--workers", "2", option])
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"error: {words}")
