"""Names and hashes of passwords: the file that has them, and how a line is made."""

import logging
import os
import re
import stat
import sys
import time
import unicodedata
from getpass import getpass
from pathlib import Path
from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

from serving.listening import CannotServe

FEWEST_LETTERS: Final = 8
"""Characters of the shortest password."""

MOST_LETTERS: Final = 200
"""Characters of the longest password."""

_METHOD: Final = "scrypt:32768:8:1"
"""A check takes 32 MB and about 0.1 s.

No other hash is taken: one could need all memory, and where two cost differently, the
time of an answer would tell who has which, or who has none.
"""

_HASH: Final = re.compile(rf"{_METHOD}\$[A-Za-z0-9]{{8,64}}\$[0-9a-f]{{128}}")
_NOBODYS: Final = f"{_METHOD}$nobodyhasthis${'0' * 128}"
_LONGEST_NAME: Final = 64
_LARGEST_FILE: Final = 1 << 20
_PAUSE: Final = 1.0
"""Seconds between two looks at whether the file has changed."""

_log = logging.getLogger(__name__)


def normal(text: str) -> str:
    """The same characters for the same text, on whatever keyboard it was typed."""
    return unicodedata.normalize("NFKC", text)


def is_right(password: str, hash_: str | None) -> bool:
    """Whether a hash is of this password; takes as long where there is no hash."""
    right = check_password_hash(hash_ or _NOBODYS, normal(password))
    return right and hash_ is not None


class PasswordFile:
    """The file of names and hashes, read again when it changes.

    Where it can't be read again, what was read before stays, and a line in the log says
    why. Raises CannotServe where it can't be read at first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hashes, self._state = read(path), _state(path)
        self._looked = time.monotonic()
        if os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
            _log.warning(
                "WARNING: %s can be read by everyone on this machine: chmod o-r", path
            )

    def hash_of(self, name: str) -> str | None:
        """The hash of a name's password; None for a name that has no line."""
        if time.monotonic() - self._looked > _PAUSE:
            self._looked = time.monotonic()
            self._read_again()
        return self._hashes.get(name)

    def _read_again(self) -> None:
        state = _state(self._path)
        if state == self._state:
            return
        self._state = state
        try:
            self._hashes = read(self._path)
        except CannotServe as error:
            _log.warning("%s; the names and passwords before are kept", error)


def _state(path: Path) -> tuple[int, ...] | None:
    """What differs when a file has changed; None where it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def read(path: Path) -> dict[str, str]:
    """The hashes in a file by their names.

    Raises CannotServe, which names the line that is wrong and never what is in it.
    """
    hashes: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, mark, hash_ = (part.strip() for part in line.partition(":"))
        name = normal(name)
        fault = _fault_of_name(name) if mark else "it is not name:hash"
        if not fault and not _HASH.fullmatch(hash_):
            fault = "what follows the name is no hash made by --make-password"
        if not fault and name in numbers:
            fault = f"its name has line {numbers[name]} already"
        if fault:
            raise CannotServe(f"{path} line {number}: {fault}")
        hashes[name], numbers[name] = hash_, number
    if not hashes:
        raise CannotServe(f"{path}: no name is in it; --make-password makes a line")
    return hashes


def _text(path: Path) -> str:
    try:
        # Another process's pipe could be read only once, and would be waited for.
        if not stat.S_ISREG(path.stat().st_mode):
            raise CannotServe(f"{path}: it is not a file")
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise CannotServe(f"{path}: {error.strerror}") from None
    if len(data) > _LARGEST_FILE:
        raise CannotServe(f"{path}: it is too large for a file of passwords")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise CannotServe(f"{path} line {number}: it is not UTF-8") from None


def _fault_of_name(name: str) -> str | None:
    if not name:
        return "the name is empty"
    if len(name) > _LONGEST_NAME:
        return f"the name is longer than {_LONGEST_NAME} characters"
    return None if name.isprintable() else "the name has a character that isn't seen"


def make_line() -> str:
    """Ask for a name and a password; returns their line of a password file.

    A terminal asks for the password twice, and doesn't show it. Else both are lines of
    standard input. Raises CannotServe for what can't be taken.
    """
    if sys.stdin is None:
        raise CannotServe("standard input is closed: there is nobody to ask")
    on_terminal = sys.stdin.isatty()
    try:
        if on_terminal:
            print("Name: ", end="", file=sys.stderr, flush=True)
        name = normal(sys.stdin.readline().strip())
        fault = _fault_of_name(name)
        if fault or ":" in name or name.startswith("#"):
            raise CannotServe(fault or "a name has no : in it, and no # at its start")
        if on_terminal:
            password = getpass(f"Password, of {FEWEST_LETTERS} characters or more: ")
        else:
            password = sys.stdin.readline().rstrip("\r\n")
        letters = len(normal(password))
        if not FEWEST_LETTERS <= letters <= MOST_LETTERS:
            raise CannotServe(
                f"a password has {FEWEST_LETTERS} to {MOST_LETTERS} characters; "
                f"this has {letters}"
            )
        if on_terminal and getpass("The same again: ") != password:
            raise CannotServe("the two passwords differ")
        return f"{name}:{generate_password_hash(normal(password), _METHOD)}"
    except EOFError:
        raise CannotServe("there is no password") from None
    except UnicodeError:
        raise CannotServe("what was typed is not in this terminal's encoding") from None
