"""The command line, as the real program."""

import gzip
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import app
from tests.programs import ROOT, SMALL, free_port, interrupted, run, running

HEADER = "user_id,page,duration,timestamp\n"
CSV = f"{HEADER}ann,home,5,2024-01-01T10:00\n"
CSV_LINE = "1 session of 1 user on 1 page, 1 January 2024 10:00 UTC."
UNDERSTOOD = (
    "CSV, separated by commas, UTF-8.",
    "User: user_id.",
    "Page: page.",
    "Time: timestamp, ISO 8601, UTC where no zone is named.",
    "Duration: duration, in seconds.",
    "1 row read, 1 kept.",
)
MODES = ("--debug", "--no-debug")

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs pipes with names")


@contextmanager
def on_terminal(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the program on a terminal; gives it, and what was shown with its bar."""
    import pty
    import termios

    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, 80))
    # The bar comes sooner, so that less data is enough.
    start = "import sys, app; app._SOON = 0.1; sys.exit(app.main(sys.argv[1:]))"
    command = [sys.executable, "-c", start, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=its, text=True
    ) as program:
        os.close(its)
        shown = ""
        # Until the bar is gone. A terminal that nobody reads stops who writes to it.
        while not re.search(r"\r +\r$", shown):
            shown += os.read(ours, 4_096).decode()
        try:
            yield program, shown
        finally:
            program.terminate()
    os.close(ours)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit code of the program in this process, and what it printed on both."""
    code = app.main(arguments)
    return code, *capsys.readouterr()


NAME = "user-activity-dashboard"
"""What the program is called where it isn't a file."""

needs_terminal = pytest.mark.skipif(os.name != "posix", reason="needs a terminal")


@needs_terminal
def test_a_terminal_shows_progress() -> None:
    arguments = ("--no-debug", "--port", str(free_port()), "--sessions", "2_000_000")
    with on_terminal(*arguments) as (program, shown):
        assert program.stdout is not None
        printed = [program.stdout.readline() for _ in range(2)]
    assert re.search(r"Simulating: +[1-9]\d*%", shown)
    assert printed[0].startswith("Simulated data (seed 2024): 2,000,000 sessions of")
    assert printed[1].startswith("Open ")


@needs_terminal
def test_a_terminal_shows_how_much_of_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(HEADER + "ann,home,5,2024-01-01T10:00\n" * 1_000_000)
    with on_terminal("--check", str(path)) as (program, shown):
        printed, _ = program.communicate()
    assert re.search(r"Reading: +[1-9]\d*%", shown)
    assert "1,000,000 rows read, 1,000,000 kept." in printed


@pytest.mark.parametrize("mode", MODES)
def test_serves_until_ctrl_c(mode: str) -> None:
    port = free_port()
    with running(mode, "--port", str(port), *SMALL) as (program, printed):
        assert printed == [
            "Simulated data (seed 2024): 2,000 sessions of 50 users on 10 pages, "
            "1 January 2024 to 31 December 2024 (UTC).",
            f"Open http://127.0.0.1:{port}/",
        ]
        with urlopen(f"http://127.0.0.1:{port}/", timeout=30) as page:
            text = page.read().decode()
        assert "Interactive User Activity Dashboard" in text
        # In debug mode it asks nobody for versions, and has no console.
        if mode == "--debug":
            assert '"disable_version_check":true' in text.replace(" ", "")
            assert '"hot_reload":{' in text.replace(" ", "")
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://127.0.0.1:{port}/console", timeout=30)
        out, err = interrupted(program)
        assert (out, err) == ("", "")
        assert program.returncode == 0


def test_ctrl_c_while_it_is_still_importing() -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "app.py"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        assert program.stderr is not None
        next(line for line in program.stderr if "numpy" in line)
        os.killpg(program.pid, signal.SIGINT)
        assert "Traceback" not in program.stderr.read()


def test_a_busy_port_is_told_before_anything_is_loaded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for mode in MODES:
            assert told(capsys, mode, "--port", port, "no-such-file.csv") == (
                2,
                "",
                f"{NAME}: port {port} is in use; choose another with --port\n",
            )


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])  # noqa: S104
def test_debug_mode_stays_on_this_machine(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        app.main(["--host", host])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "use --no-debug" in said
    assert "Traceback" not in said


def test_a_host_that_is_not_here(capsys: pytest.CaptureFixture[str]) -> None:
    port = str(free_port())
    where = ("--host", "192.0.2.1", "--port", port)
    code, _, said = told(capsys, "--no-debug", "--no-login", *where)
    assert code == 2
    assert said.count("\n") == 1
    assert "cannot listen on 192.0.2.1" in said


def test_listens_on_ipv6() -> None:
    port = free_port()
    arguments = ("--no-debug", "--host", "::1", "--port", str(port))
    with running(*arguments, *SMALL) as (_, printed):
        assert printed[-1] == f"Open http://[::1]:{port}/"
        with urlopen(f"http://[::1]:{port}/", timeout=30) as page:
            assert page.status == 200


def test_answers_to_the_names_that_it_is_given() -> None:
    port = free_port()
    arguments = ("--no-debug", "--port", str(port), "--allow-host", "stats.example")
    with running(*arguments, *SMALL):
        request = Request(f"http://127.0.0.1:{port}/")
        request.add_header("Host", "stats.example")
        with urlopen(request, timeout=30) as page:
            assert page.status == 200


@pytest.mark.parametrize("mode", MODES)
def test_a_bad_file_is_one_line(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text("user,side,duration,timestamp\n")
    result = run(mode, "--port", str(free_port()), str(path))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"app.py: {path}: no column for the page (looked for page, page_path, path, "
        "page_url, url, page_title, content_id, event, ...); its columns are: user, "
        "side, duration, timestamp; name it with --page COL\n"
    )


def test_says_what_it_left_out(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(
        "user_id,page,duration,timestamp\nann,home,5,2024-01-01T10:00\n"
        "ann,home,,2024-01-01T11:00\nann,home,-1,2024-01-01T12:00\n"
    )
    with running("--no-debug", "--port", str(free_port()), str(path)) as (_, printed):
        assert printed[:-1] == [
            "sessions.csv",
            *(f"  {line}" for line in UNDERSTOOD[:-1]),
            "  3 rows read, 2 kept, 1 left out.",
            "Rows left out",
            "  1 with a negative duration, such as line 4: '-1' "
            "(--negative-is-unknown keeps such rows).",
            "sessions.csv: 2 sessions of 1 user on 1 page, "
            "1 January 2024 10:00 to 11:00 UTC. Unknown durations: 1 (left out of "
            "times). 1 row left out: 1 with a negative duration.",
        ]


def test_says_how_a_file_is_understood_and_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, saved = tmp_path / "views.csv", tmp_path / "saved.parquet"
    path.write_text("who,what,when\nann,home,31/12/2024 13:45\n")
    named = ("--user", "who", "--page", "what", "--time", "when")
    _, _, refused = told(capsys, "--check", str(path), *named)
    assert refused == (
        f"{NAME}: {path}: no usable row (1 with an unreadable time, such as line 2: "
        "'31/12/2024 13:45' (add --time-format '%d/%m/%Y %H:%M'))\n"
    )
    described = ("--time-format", "%d/%m/%Y %H:%M", "--save", str(saved))
    code, done, said = told(capsys, "--check", str(path), *named, *described)
    assert (code, said) == (0, "")
    assert done.splitlines() == [
        "views.csv",
        "  CSV, separated by commas, UTF-8.",
        "  User: who.",
        "  Page: what.",
        "  Time: when, written as '%d/%m/%Y %H:%M', UTC where no zone is named.",
        "  Duration: derived from the next row of the same user.",
        "  1 row read, 1 kept.",
        "views.csv: 1 session of 1 user on 1 page, 31 December 2024 13:45 UTC. Unknown "
        "durations: 1 (left out of times). Durations are derived: the time to the "
        "same user's next row, unknown where that is over 30 min away or there is "
        "none.",
    ]
    _, again, _ = told(capsys, "--check", str(saved))
    data = done.splitlines()[-1].removeprefix("views.csv")
    assert again.splitlines()[-1] == f"saved.parquet{data}"
    _, _, twice = told(capsys, "--check", str(path), *named, *described)
    assert twice.startswith(f"{NAME}: {saved}: is there already")


def test_many_rows_left_out_are_told_loudly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(f"{CSV}ann,home,x,2024-01-01\n")
    code, _, said = told(capsys, "--check", str(path))
    assert code == 0
    assert said == (
        "WARNING: 50 % of the rows can't be used and are left out: 1 with an "
        "unreadable duration, such as line 3: 'x'.\n"
    )


def test_no_name_reaches_the_terminal_as_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "\x1b[31mred\u202e.csv"
    path.write_text(CSV.replace("user_id", "\x1b[32muser_id"))
    for arguments in (
        (str(path),),
        (str(path), "--user", "\x1b[32muser_id"),
        (str(path.with_name("\x9bnone")),),
    ):
        _, out, err = told(capsys, "--check", *arguments)
        said = out + err
        assert said
        assert all(letter.isprintable() or letter == "\n" for letter in said)


def test_shows_the_hours_of_a_time_zone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(
        "user_id,page,duration,timestamp\nann,home,5,2024-07-01T10:00\n"
        "ann,home,,2024-07-01T11:00\n"
    )
    arguments = ("--no-debug", "--port", str(free_port()), str(path))
    with running(*arguments, "--timezone", "Europe/Berlin") as (_, printed):
        assert "1 July 2024 12:00 to 13:00" in printed[-2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--sessions", "0"), "'0' is not a whole number from 1 to 1,000,000,000"),
        (("--sessions", "99999999999999"), "is not a whole number from 1 to 1,000"),
        (("--sessions", "1__000"), "'1__000' is not a whole number from 1 to 1,000"),
        (("--sessions", "9" * 5_000), "9 is not a whole number"),
        (("--sessions", "1e5"), "'1e5' is not a whole number"),
        (("--users", "-3"), "'-3' is not a whole number from 1 to 1,000,000,000"),
        (("--seed", "x"), "'x' is not a whole number from 0 to 1,000,000,000"),
        (("--seed", ""), "'' is not a whole number"),
        (("--port", "0"), "'0' is not a whole number from 1 to 65,535"),
        (("--port", "65536"), "'65536' is not a whole number from 1 to 65,535"),
        (("--port", "5-"), "'5-' is not a whole number from 1 to 65,535"),
        (("--port", "+-5"), "'+-5' is not a whole number from 1 to 65,535"),
        (("--seed", "1", "sessions.csv"), "--seed is for simulated data"),
        (("--timezone", "Europe/Atlantis"), "no time zone 'Europe/Atlantis'"),
        (("--timezone", "../x"), "no time zone"),
        (("--timezone", ""), "no time zone"),
        (("--timezone", "Europe"), "no time zone"),
        (("--user", "who"), "there is no FILE that these options could be about"),
        (("--check",), "there is no FILE that these options could be about"),
        (("--where", "event", "a.csv"), "'event' is not COL=VALUE"),
        (("--where", " =x", "a.csv"), "' =x' is not COL=VALUE"),
        (("--longest", "0", "a.csv"), "'0' is not a span of time, such as 90s"),
        (("--longest", "4 weeks", "a.csv"), "'4 weeks' is not a span of time"),
        (("--visit-gap", "101000000h", "a.csv"), "is not a span of time"),
        (("--encoding", "rot13", "a.csv"), "there is no encoding 'rot13'"),
        (("--encoding", "x\0", "a.csv"), "there is no encoding"),
        (
            ("--times-in", "CEST", "a.csv"),
            "no time zone 'CEST'; name a place's, such as Europe/Berlin",
        ),
        (("--times-in", "GMT+2", "a.csv"), "a place's, such as Europe/Berlin"),
        (("--times-in", "Berlin", "a.csv"), "a place's, perhaps Europe/Berlin"),
        (("--timezone", "new york"), "a place's, perhaps America/New_York"),
        (("--timezone", "Europe/Berln"), "a place's, perhaps Europe/Berlin"),
        (
            ("--timezone", "istanbul"),
            "a place's, perhaps Asia/Istanbul or Europe/Istanbul",
        ),
        (("--timezone", "x" * 5_000), "a place's, such as Europe/Berlin"),
        (("--time-format", "%d.%m", "a.csv"), "argument --time-format: "),
        (("--merge-pages", "all", "a.csv"), "argument --merge-pages: "),
        (("--duration-unit", "years", "a.csv"), "invalid choice: 'years'"),
        (("--decimal", ":", "a.csv"), "invalid choice: ':'"),
        (("--host", ""), "argument --host: it is empty"),
        (("--allow-host", ""), "argument --allow-host: a host name is empty"),
        (
            ("--allow-host", "a.example,*"),
            "--allow-host: '*' is every name: write each",
        ),
        (("--url-prefix", "/a/../b"), "--url-prefix: '/a/../b' is not a path"),
        (("--trusted-proxy", "::1,nginx"), "--trusted-proxy: 'nginx' is not an IP"),
        (("--embed", "a.example"), "--embed: 'a.example' names no scheme"),
    ],
)
def test_impossible_options(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        app.main(arguments)
    assert caught.value.code == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("user-activity-dashboard: error: ")
    assert words in last
    assert len(last) < 300


def test_options_are_refused_in_the_name_of_the_program() -> None:
    result = run("--port", "5-")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == (
        "app.py: error: argument --port: '5-' is not a whole number from 1 to 65,535"
    )


def test_version() -> None:
    result = run("--version")
    assert result.returncode == 0
    assert result.stdout == f"user-activity-dashboard {app.__version__}\n"


def test_is_told_what_memory_cannot_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(app, "MemoryEngine", fail)
    assert app.main(["--no-debug", "--port", str(free_port()), *SMALL]) == 2
    assert capsys.readouterr().err == (
        "user-activity-dashboard: that is more data than memory holds\n"
    )


@contextmanager
def fed(data: bytes, end: int) -> Iterator[None]:
    """Write to a descriptor meanwhile, and close it."""

    def write() -> None:
        with os.fdopen(end, "wb") as file:
            file.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    yield
    thread.join(timeout=30)


def printed_for(source: str, named: str, mode: str, port: int) -> list[str]:
    """What the program prints that reads a source which can be read only once."""
    said = f"Changed code is not reloaded: {named} can be read only once."
    return [
        source,
        *(f"  {line}" for line in UNDERSTOOD),
        f"{source}: {CSV_LINE}",
        *([said] if mode == "--debug" else []),
        f"Open http://127.0.0.1:{port}/",
    ]


@pytest.mark.parametrize(
    ("mode", "data"),
    [("--debug", gzip.compress(CSV.encode())), ("--no-debug", CSV.encode())],
    ids=["gzipped in debug mode", "plain"],
)
def test_reads_standard_input(mode: str, data: bytes) -> None:
    port = free_port()
    theirs, ours = os.pipe()
    with (
        fed(data, ours),
        running(mode, "--port", str(port), "-", stdin=theirs) as (program, printed),
    ):
        os.close(theirs)
        name = "standard input"
        assert printed == printed_for(name, name, mode, port)
        with urlopen(f"http://127.0.0.1:{port}/_dash-layout", timeout=30) as page:
            assert b"standard input" in page.read()
        assert interrupted(program) == ("", "")
        assert program.returncode == 0


@needs_posix
@pytest.mark.parametrize("mode", MODES)
def test_reads_a_named_pipe(tmp_path: Path, mode: str) -> None:
    port, path = free_port(), tmp_path / "pipe.csv"
    os.mkfifo(path)
    threading.Thread(target=path.write_text, args=(CSV,), daemon=True).start()
    with running(mode, "--port", str(port), str(path)) as (program, printed):
        assert printed == printed_for("pipe.csv", str(path), mode, port)
        assert interrupted(program) == ("", "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_reads_what_another_command_prints(tmp_path: Path) -> None:
    mode = "--debug"
    port, path = free_port(), tmp_path / "sessions.csv.gz"
    path.write_bytes(gzip.compress(CSV.encode()))
    script = 'exec "$0" app.py "$1" --port "$2" <(gzip -dc "$3")'
    command = ["bash", "-c", script, sys.executable, mode, str(port), str(path)]
    with running(command=command) as (program, printed):
        source = printed[0]
        assert source.startswith("/dev/fd/")
        assert printed == printed_for(source, source, mode, port)
        assert interrupted(program) == ("", "")


def test_a_bad_standard_input_is_one_line() -> None:
    arguments = ("--port", str(free_port()), "-")
    result = run("--debug", *arguments, stdin="user,time\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "app.py: standard input: no column for the page (looked for page, page_path, "
        "path, page_url, url, page_title, content_id, event, ...); its columns are: "
        "user, time; name it with --page COL and --duration COL or --end COL if there "
        "is one\n"
    )
    result = run("--no-debug", *arguments, "-", stdin=CSV)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "app.py: standard input: named twice, and would be counted twice\n"
    )


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
def test_a_closed_standard_input_is_one_line() -> None:
    script = f'exec "$0" app.py --no-debug --port {free_port()} - <&-'
    result = run(command=["sh", "-c", script, sys.executable])
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "app.py: standard input: it is closed\n"


def test_a_file_may_have_the_name_of_standard_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, _, said = told(capsys, "--no-debug", "--port", str(free_port()), "./-")
    assert said == f"{NAME}: {Path('-').resolve()}: No such file or directory\n"


@pytest.mark.parametrize("mode", MODES)
def test_a_malformed_call_is_one_line_in_the_log(mode: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/_dash-update-component"
    with running(mode, "--port", str(port), *SMALL) as (program, _):
        for body in (b"null", b"[]", b"{}", b"{", json.dumps({"output": "x"}).encode()):
            request = Request(url, body, {"Content-Type": "application/json"})
            with pytest.raises(HTTPError) as caught:
                urlopen(request, timeout=30)
            assert caught.value.code == 400
            caught.value.close()
        out, err = interrupted(program)
    assert out == ""
    assert len(err.splitlines()) == 5
    assert all(
        "400 POST '/_dash-update-component'" in line for line in err.splitlines()
    )


@needs_posix
def test_debug_mode_reloads_changed_code(tmp_path: Path) -> None:
    names = {".venv", "tests", "docs", "benchmarks", ".git"}
    shutil.copytree(ROOT, tmp_path / "app", ignore=lambda *_: names)
    port = free_port()
    arguments = ("--port", str(port), *SMALL)
    with running(*arguments, directory=tmp_path / "app") as (program, printed):
        assert program.stdout is not None
        with urlopen(f"http://127.0.0.1:{port}/", timeout=30) as page:
            assert page.status == 200
        # Werkzeug looks once a second, and has looked for the first time now.
        time.sleep(1.5)
        (tmp_path / "app" / "schema.py").touch()
        ready, _, _ = select.select([program.stdout], [], [], 30)
        assert ready
        again = [program.stdout.readline().rstrip() for _ in printed]
        assert again == printed
        assert interrupted(program) == ("", "")


def test_importing_builds_no_app() -> None:
    code = "import app, dash; assert dash._get_app.APP is None"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
