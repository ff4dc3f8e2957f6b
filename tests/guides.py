"""The guides in docs/: their commands, and what the program makes of them."""

import re
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd
import pytest

import app
import arguments
from sources import read_sessions

PROGRAM: Final = "python app.py "

Session = tuple[str, str, float | None, str]
"""User, page, seconds (None is unknown), and the time in UTC."""


class Right(NamedTuple):
    """What is right for a command."""

    says: tuple[str, ...]
    """Lines of its report, in their order; lines without interest are not here."""
    gives: tuple[Session, ...]
    """Every session."""


def commands(guide: Path) -> list[str]:
    """What a guide gives to the program, in its order; with what is piped into it."""
    text = guide.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.removeprefix(PROGRAM) for line in lines if PROGRAM in line]


def messages(guide: Path) -> list[str]:
    """The messages in the last table of a guide."""
    text = guide.read_text(encoding="utf-8").rpartition("\n\n")[2]
    return re.findall(r"^\| (.+) \| .+ \|$", text, re.MULTILINE)[1:]


def sessions(words: list[str]) -> tuple[Session, ...]:
    """What the program would show."""
    options = arguments.parse(words, "")
    found = pd.concat(
        part.astype({"user_id": str, "page": str})
        for part in read_sessions(options.files, options.reading).tables
    )
    seconds = [None if pd.isna(each) else each for each in found["duration"]]
    times = [time.isoformat(sep=" ") for time in found["timestamp"]]
    return tuple(zip(found["user_id"], found["page"], seconds, times, strict=True))


def report(words: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that the program says of files."""
    capsys.readouterr()
    assert app.main([*words, "--check"]) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def is_said(message: str, said: str) -> bool:
    """Whether a text has a message, in which dots stand for anything."""
    parts = [re.escape(part.strip()) for part in message.split("…")]
    return re.search(".*".join(parts), said) is not None
