"""A line of a password file, as the program makes it."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import app
from serving.passwords import is_right, read
from tests.programs import ROOT


def make(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    code = app.main(["--make-password"])
    return code, *capsys.readouterr()


def test_a_line_of_standard_input(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Typed with a letter and its accent apart, and with a wide digit.
    code, line, said = make("rene\u0301\npasse\u0301 123\uff14\n", monkeypatch, capsys)
    assert (code, said, line.count("\n")) == (0, "", 1)
    path = tmp_path / "passwords"
    path.write_text(line, encoding="utf-8")
    ((name, hash_),) = read(path).items()
    assert name == "ren\u00e9"
    assert is_right("pass\u00e9 1234", hash_)
    assert not is_right("passe 1234", hash_)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "the name is empty"),
        ("ann\n", "a password has 8 to 200 characters; this has 0"),
        ("ann\nseven77\n", "a password has 8 to 200 characters; this has 7"),
        (f"ann\n{'a' * 201}\n", "a password has 8 to 200 characters; this has 201"),
        ("a:b\n12345678\n", "a name has no : in it, and no # at its start"),
        ("#a\n12345678\n", "a name has no : in it, and no # at its start"),
        ("a\x1bb\n12345678\n", "the name has a character that isn't seen"),
    ],
)
def test_what_is_refused(
    typed: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = (2, "", f"user-activity-dashboard: {words}\n")
    assert make(typed, monkeypatch, capsys) == expected


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal")
def test_a_terminal_does_not_show_the_password(tmp_path: Path) -> None:
    import pty

    ours, its = pty.openpty()
    with (
        (tmp_path / "passwords").open("wb") as out,
        subprocess.Popen(
            [sys.executable, "app.py", "--make-password"],
            cwd=ROOT,
            stdin=its,
            stdout=out,
            stderr=its,
            start_new_session=True,
            preexec_fn=lambda: _control(its),
        ) as program,
    ):
        os.close(its)
        shown = ""
        for asked, typed in (
            ("Name: ", "ann"),
            ("or more: ", "correct horse"),
            ("again: ", "correct horse"),
        ):
            while asked not in shown:
                shown += os.read(ours, 4_096).decode()
            os.write(ours, f"{typed}\n".encode())
        assert program.wait(timeout=30) == 0
    os.close(ours)
    assert "correct horse" not in shown
    assert is_right("correct horse", read(tmp_path / "passwords")["ann"])


def _control(terminal: int) -> None:
    """Make it the terminal that a program asks for a password on."""
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
