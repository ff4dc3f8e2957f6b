"""Files, folders, pipes and standard input as streams of bytes, each opened once."""

import glob
import io
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast
from urllib.parse import unquote

from formatting import natural_key
from sources.origin import BadInput, ChangedInput, NoSuchColumns

STANDARD_INPUT: Final = Path("-")
"""The path that stands for standard input."""

_BUFFER: Final = 1 << 16
_HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_NO_TABLE: Final = re.compile(
    r".*\.(md|html?|pdf|png|jpe?g|sql|py|crc)"
    r"|(readme|licen[sc]e|copying)([^a-z.][^.]*)?(\.[a-z]{2})?(\.(txt|rst))?",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Source:
    """One file to read, or a pipe, or standard input."""

    path: Path
    name: str
    """How messages name it: "standard input", "sessions.csv", "folder/part-0.csv"."""
    keys: tuple[tuple[str, str], ...] = ()
    """Hive partition columns and their values, from the names of its folders."""
    skipped: tuple[str, ...] = ()
    """Files beside it that are no tables by their names, or empty.

    They are named as it is, and told with the first file of a folder only.
    """
    data: bytes | None = field(default=None, repr=False)
    """Its bytes, where they are held in memory, and the path is but a name."""


def is_read_once(path: Path) -> bool:
    """Whether *path* gives its bytes only once, as a pipe or standard input does."""
    if path == STANDARD_INPUT:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def full_name(path: Path) -> str:
    """How an error names a path: "standard input", or the path as it was given."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def short_name(path: Path) -> str:
    """How the page names a path: the last part of it, where that is a name."""
    # The shell's own pipes are numbers there.
    is_numbered = path.parent == Path("/dev/fd")
    if is_numbered or path == STANDARD_INPUT:
        return full_name(path)
    return path.name or path.resolve().name or str(path)


def path_key(name: str) -> tuple[list[list[tuple[int, str]]], str]:
    """What to sort paths by so that "part-2" is before "part-10"; folder by folder."""
    return [natural_key(part) for part in re.split(r"[/\\]", name)], name


def is_no_table(name: str) -> bool:
    """Whether a file beside others is no table by its name, such as "README.md"."""
    return bool(_NO_TABLE.fullmatch(re.split(r"[/\\]", name)[-1]))


def expand(paths: Sequence[Path]) -> list[Source]:
    """The files that paths stand for: a folder for all under it, a pattern for matches.

    Files of a folder or pattern are in the natural order of their names, each once.
    Of a folder, those that are no tables by their names and empty ones are skipped.
    A file that doesn't exist is among them, and fails when it is opened. Raises
    BadInput, with the name, where nothing is found, or two paths give the same file.
    """
    found: dict[str, Source] = {}
    for path in paths:
        own: dict[str, Source] = {}
        for source in _sources(path):
            is_stream = source.path == STANDARD_INPUT
            identity = "-" if is_stream else os.path.realpath(source.path)
            own.setdefault(os.path.normcase(identity), source)
        for identity, source in own.items():
            if identity in found:
                words = "named twice, and would be counted twice"
                raise BadInput(f"{source.name}: {words}")
        found |= own
    return list(found.values())


def stamps(paths: Sequence[Path]) -> tuple[object, ...]:
    """What the files are that paths stand for, without reading them.

    It is equal as long as no file has come, gone or changed. Raises BadInput as
    ``expand`` does.
    """
    return tuple((source, _stamp(source.path)) for source in expand(paths))


def _stamp(path: Path) -> tuple[int, ...]:
    """Which file it is, its length, when it was written last; empty without one."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _sources(path: Path) -> list[Source]:
    """What one path stands for; a file may be there more than once, by links."""
    if path == STANDARD_INPUT:
        return [Source(path, full_name(path))]
    if os.path.isdir(path):
        files = _files(path)
        if not files:
            raise BadInput(f"{path}: the folder has no files")
        kept: list[Path] = []
        skipped: list[Path] = []
        for file in files:
            is_skipped = is_no_table(file.name) or _is_empty(file)
            (skipped if is_skipped else kept).append(file)
        if not kept:
            raise BadInput(f"{path}: no table in it")
        found = [Source(file, str(file), _hive_keys(file, path)) for file in kept]
        found[0] = replace(found[0], skipped=tuple(map(str, skipped)))
        return found
    if set("*?[") & set(str(path)) and not os.path.lexists(path):
        matches = sorted(glob.glob(str(path), recursive=True), key=path_key)
        if not matches:
            folder = next(filter(os.path.isdir, path.parents), Path())
            # There may be some, which only others can see.
            is_shut = not os.access(folder, os.R_OK | os.X_OK)
            why = f"{folder}: Permission denied" if is_shut else "no file matches"
            raise BadInput(f"{path}: {why}")
        return [source for match in matches for source in _sources(Path(match))]
    return [Source(path, full_name(path))]


def _files(folder: Path) -> list[Path]:
    """All files under a folder but hidden ones; a folder that is linked is read once.

    A link to nothing is among them: it shall be told. Raises BadInput for a folder
    that can't be listed.
    """
    seen: set[str] = set()
    pending = [str(folder)]
    files: list[Path] = []
    while pending:
        name = pending.pop()
        if os.path.realpath(name) in seen:
            continue
        seen.add(os.path.realpath(name))
        try:
            with os.scandir(name) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise BadInput(f"{name}: {error.strerror or error}") from None
        for entry in entries:
            if entry.name.startswith((".", "_")):
                continue
            if os.path.isdir(entry.path):
                # Links last, so that files have the names of their own folders.
                place = 0 if entry.is_symlink() else len(pending)
                pending.insert(place, entry.path)
            elif os.path.isfile(entry.path) or not os.path.exists(entry.path):
                files.append(Path(entry.path))
    return sorted(files, key=lambda file: path_key(str(file)))


def _is_empty(file: Path) -> bool:
    try:
        return file.stat().st_size == 0
    except OSError:
        return False


def _hive_keys(file: Path, folder: Path) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in file.relative_to(folder).parts[:-1]]
    return tuple(
        (unquote(key), "" if value == _HIVE_NULL else unquote(value))
        for key, mark, value in pairs
        if key and mark
    )


class Progress:
    """How much of some files has been read, in bytes."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.total: int | None = None
        """The bytes of all files; None where one of them is read once."""
        if not any(is_read_once(source.path) for source in sources):
            known = [source.path for source in sources if os.path.isfile(source.path)]
            self.total = sum(map(os.path.getsize, known))
        self._places: dict[Path, int] = {}
        self._open: dict[Path, tuple[io.FileIO, int]] = {}

    def done(self) -> int:
        """How many bytes have been read: ask after some rows were given.

        Of an open file, it is the furthest place where it was when this was asked:
        Parquet and zip are read from their ends on first. A finished file is whole.
        """
        for path, (file, size) in self._open.items():
            place = min(file.tell(), size)
            self._places[path] = max(self._places.get(path, 0), place)
        return sum(self._places.values())

    @contextmanager
    def watch(self, path: Path, file: io.FileIO, size: int) -> Iterator[None]:
        """Count a file of *size* bytes that is being read; whole if all goes well."""
        self._open[path] = file, size
        try:
            yield
            self._places[path] = size
        finally:
            del self._open[path]


def open_source(
    source: Source, progress: Progress | None = None
) -> AbstractContextManager[BinaryIO]:
    """Open a source for reading its bytes; raises as ``open_input`` does."""
    if source.data is not None:
        return closing(io.BytesIO(source.data))
    return open_input(source.path, progress)


@contextmanager
def open_input(path: Path, progress: Progress | None = None) -> Iterator[BinaryIO]:
    """Open a path for reading its bytes; standard input stays open afterwards.

    Raises BadInput where standard input is closed, or a regular file isn't the same or
    isn't there any more and couldn't be read therefore; ChangedInput where it could be
    all the same; OSError as ``open`` does.
    """
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise BadInput("it is closed")
        yield peek(sys.stdin.buffer, 0)[1]
        return
    # Whoever reads may close what it gets; the file is still looked at in the end.
    with (
        path.open("rb", buffering=0) as file,
        open(file.fileno(), "rb", _BUFFER, closefd=False) as stream,
    ):
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            yield stream
            return
        with (progress or Progress([])).watch(path, file, before.st_size):
            try:
                yield stream
            except NoSuchColumns:
                raise
            except (ValueError, OSError):
                if change := _change(path, before, os.fstat(file.fileno())):
                    raise BadInput(change) from None
                raise
            if change := _change(path, before, os.fstat(file.fileno())):
                raise ChangedInput(change)


def _change(path: Path, before: os.stat_result, after: os.stat_result) -> str:
    """What became of a file while it was read, and what to do; empty for nothing."""
    try:
        what = "" if os.path.samestat(path.stat(), after) else "replaced by another"
    except FileNotFoundError:
        what = "deleted"
    except OSError:
        what = ""
    if what:
        return f"it was {what} while it was read; read it again"
    sizes = before.st_size, after.st_size
    if sizes[0] == sizes[1] and before.st_mtime_ns == after.st_mtime_ns:
        return ""
    ours, theirs = map(_size_text, sizes)
    if ours == theirs:
        ours, theirs = f"{sizes[0]:,}", f"{sizes[1]:,} bytes"
    words = f" (from {ours} to {theirs})" if sizes[0] != sizes[1] else ""
    return f"it changed while it was read{words}; read it again when it is whole"


def _size_text(size: float) -> str:
    """For example "312 MB", or "17 bytes"."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1_000:
            return f"{size:.0f} {unit}"
        size /= 1_000
    return f"{size:.1f} GB"


_SPOOLED: Final = 1 << 28
"""Bytes up to which what passes through a file on the way stays in memory."""


def spooled_file() -> BinaryIO:
    """A file for what has to be sought: in memory until it is large, then on disk."""
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOLED))


def passed_file() -> BinaryIO:
    """A file for another process: in memory where the system knows such files."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("table"), "w+b")
    return cast(BinaryIO, tempfile.TemporaryFile())


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end."""


def look(stream: BinaryIO, size: int) -> tuple[bytes, BinaryIO]:
    """The first *size* bytes of a stream, and all of it: itself if it can be sought."""
    if not stream.seekable():
        return peek(stream, size)
    start = stream.tell()
    head = stream.read(size)
    stream.seek(start)
    return head, stream


def peek(stream: Readable, size: int) -> tuple[bytes, BinaryIO]:
    """The first *size* bytes of a stream, fewer where it is shorter, and all of it.

    The second is a buffered stream that can't be sought, and doesn't close the first.
    """
    head = stream.read(size) if size else b""
    return head, rejoin(head, stream)


def rejoin(head: bytes, rest: Readable) -> BinaryIO:
    """Bytes that were read from a stream already, and after them the rest of it."""
    return cast(BinaryIO, io.BufferedReader(_Rejoined(head, rest), _BUFFER))


class _Rejoined(io.RawIOBase):
    """See ``rejoin``."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        """True: there is nothing else that it does."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill a part of *buffer*; returns its length, 0 at the end."""
        data = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)
