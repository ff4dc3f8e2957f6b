"""What is packed around a table: compression, archives, and encodings of text."""

import bz2
import codecs
import errno
import gzip
import lzma
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, Final, NamedTuple, cast

import pyarrow as pa

from formatting import first_line, printable
from sources.inputs import (
    Readable,
    is_no_table,
    look,
    path_key,
    peek,
    spooled_file,
)
from sources.kinds import is_spreadsheet, utf_16_without_mark
from sources.origin import BadInput

_BLOCK: Final = 1 << 20
# What is left of a block is copied for each file that ends within it.
_SMALL_BLOCK: Final = 1 << 16
_DEEPEST: Final = 3
_MOST_MEMORY: Final = 1 << 30
_Decompressor = bz2.BZ2Decompressor | lzma.LZMADecompressor

_DAMAGE: Final = (
    *(EOFError, OSError, OverflowError, RuntimeError, ValueError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)
"""What damaged data makes libraries raise."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_NO_ENCODINGS: Final = {"idna", "punycode", "raw-unicode-escape", "unicode-escape"}
"""Encodings that Python knows and no file has."""


def unpacked(
    name: str,
    stream: BinaryIO,
    skipped: list[str] | None = None,
    watch: Callable[[int], None] = lambda _: None,
) -> Iterator[tuple[str, BinaryIO]]:
    """Give each table in a file with its name: the file itself if nothing is packed.

    What is packed is known by its first bytes: gzip, bzip2, xz, zstd, and zip, whose
    files are tables each, but for empty ones and such as "README.md" where there are
    several, whose names are added to *skipped*; three times over at most. A
    spreadsheet is given out as it is. Each stream is to be read to its end before the
    next is asked for: damage is found there. *watch* is told how many bytes were
    unpacked, as they are, and may raise BadInput. Asking and reading raise that, too,
    and OSError as *stream* does.
    """
    skipped = [] if skipped is None else skipped
    return _unpacked(name, stream, _DEEPEST, skipped, watch)


class _Packing(NamedTuple):
    """A way to pack files."""

    kind: str
    """What messages call it."""
    endings: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    """Whether a file is packed so that begins with these ten bytes."""
    open: Callable[[BinaryIO], Readable] | None
    """What is inside; None where that is several files."""


def _is_bzip2(head: bytes) -> bool:
    starts = (b"1AY&SY", b"\x17rE8P\x90")
    is_level = head[:3] == b"BZh" and head[3:4].isdigit()
    return is_level and any(start.startswith(head[4:10]) for start in starts)


def _is_zstd(head: bytes) -> bool:
    # Frames to be skipped may come first.
    is_skipped = head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5
    return is_skipped or head.startswith(b"\x28\xb5\x2f\xfd")


def _open_zstd(stream: BinaryIO) -> Readable:
    # Arrow closes what it is given.
    kept = peek(stream, 0)[1]
    return cast(Readable, pa.CompressedInputStream(pa.PythonFile(kept, "r"), "zstd"))


def _new_xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)


_PACKINGS: Final = (
    _Packing(
        "gzipped",
        (".gz",),
        lambda head: head.startswith(b"\x1f\x8b"),
        lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
    ),
    _Packing(
        "bzip2",
        (".bz2",),
        _is_bzip2,
        lambda file: _Members(file, bz2.BZ2Decompressor),
    ),
    _Packing(
        "xz",
        (".xz",),
        lambda head: head.startswith(b"\xfd7zXZ\0"),
        lambda file: _Members(file, _new_xz),
    ),
    _Packing("zstd", (".zst", ".zstd"), _is_zstd, _open_zstd),
    _Packing(
        "zip",
        (".zip",),
        lambda head: head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\10PK\3\4")),
        None,
    ),
)


class _Members:
    """One compressed file after another as one; unlike ``bz2``, nothing is ignored."""

    def __init__(self, file: Readable, new: Callable[[], _Decompressor]) -> None:
        self._file = file
        self._new = new
        self._member: _Decompressor | None = None

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end."""
        plain = b""
        while not plain:
            data = b""
            if self._member is None or self._member.eof:
                data = self._begin()
                if not data:
                    return b""
                self._member = self._new()
            elif self._member.needs_input:
                data = self._file.read(_SMALL_BLOCK)
                if not data:
                    raise EOFError("it ends too early")
            plain = self._member.decompress(data, size)
        return plain

    def _begin(self) -> bytes:
        """What the next begins with, none at the end; zeros fill up blocks of tapes."""
        data = self._member.unused_data.lstrip(b"\0") if self._member else b""
        while not data:
            block = self._file.read(_SMALL_BLOCK)
            if not block:
                break
            data = block.lstrip(b"\0")
        return data


class _Guarded:
    """What is unpacked, whose damage is BadInput."""

    def __init__(
        self, kind: str, inside: Readable, watch: Callable[[int], None]
    ) -> None:
        self._kind = kind
        self._inside = inside
        self._watch = watch

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end."""
        with _damage(self._kind):
            data = self._inside.read(size)
        self._watch(len(data))
        return data


@contextmanager
def _damage(kind: str) -> Iterator[None]:
    """Turn what libraries raise for damaged data into BadInput; not failing disks."""
    try:
        yield
    except BadInput:
        raise
    except MemoryError:
        words = f"the {kind} data needs more memory than there is"
        raise BadInput(words) from None
    except _DAMAGE as error:
        # Offsets from damaged archives lead to places that no file has.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        words = f"the {kind} data is damaged ({first_line(error)})"
        raise BadInput(words) from None


def _unpacked(
    name: str,
    stream: BinaryIO,
    depth: int,
    skipped: list[str],
    watch: Callable[[int], None],
) -> Iterator[tuple[str, BinaryIO]]:
    head, stream = look(stream, 10)
    found = next((each for each in _PACKINGS if each.recognises(head)), None)
    for each in _PACKINGS if head else ():
        if name.lower().endswith(each.endings) and each is not found:
            raise BadInput(f"not {each.kind}, though its name says so")
    if found is None:
        yield name, stream
    elif not depth:
        raise BadInput("packed more than three times over; unpack it first")
    elif found.open is None:
        yield from _unzipped(name, stream, depth - 1, skipped, watch)
    else:
        with _damage(found.kind):
            guarded = _Guarded(found.kind, found.open(stream), watch)
        ending = next(filter(name.lower().endswith, found.endings), "")
        inner = name[: len(name) - len(ending)]
        yield from _unpacked(inner, peek(guarded, 0)[1], depth - 1, skipped, watch)


def _unzipped(
    name: str,
    stream: BinaryIO,
    depth: int,
    skipped: list[str],
    watch: Callable[[int], None],
) -> Iterator[tuple[str, BinaryIO]]:
    """Each table in a zip file that isn't hidden; the whole if it is a spreadsheet."""
    with ExitStack() as files:
        if not stream.seekable():
            pipe, stream = stream, files.enter_context(spooled_file())
            shutil.copyfileobj(pipe, stream, _BLOCK)
        with _damage("zip"):
            archive = zipfile.ZipFile(stream)
            members = archive.infolist()
            is_marked = any(info.filename == "mimetype" for info in members)
            mark = archive.open("mimetype").read(99) if is_marked else b""
        if is_spreadsheet([info.filename for info in members], mark):
            stream.seek(0)
            yield name, stream
            return
        members = [info for info in members if not _is_passed_over(info)]
        if not members:
            raise BadInput("the zip file has no files")
        if len(members) > 1:
            beside = filter(_is_beside, members)
            skipped += [f"{name}/{printable(info.filename)}" for info in beside]
            members = [info for info in members if not _is_beside(info)]
        if not members:
            raise BadInput("no table in it")
        for info in members:
            if info.flag_bits & 1:
                inside = printable(info.filename)
                raise BadInput(f"{inside} in it is encrypted; unpack it first")
        for info in sorted(members, key=lambda info: path_key(info.filename)):
            with _damage("zip"):
                member = _Guarded("zip", archive.open(info), watch)
            inside = f"{name}/{printable(info.filename)}"
            yield from _unpacked(inside, peek(member, 0)[1], depth, skipped, watch)


def _is_passed_over(info: zipfile.ZipInfo) -> bool:
    """Whether it is a folder, or hidden, or what a Mac adds, or has no name."""
    parts = [part for part in info.filename.split("/") if part.strip(".")]
    return not parts or info.is_dir() or any(p.startswith((".", "_")) for p in parts)


def _is_beside(info: zipfile.ZipInfo) -> bool:
    """Whether it is no table by its name, or empty."""
    return is_no_table(info.filename) or not info.file_size


def validate_encoding(name: str) -> str:
    """The name of an encoding of text, as it is; ValueError if there is none."""
    try:
        b"a".decode(name)
    except UnicodeDecodeError:
        is_known = True
    except (LookupError, ValueError):
        is_known = False
    else:
        is_known = codecs.lookup(name).name not in _NO_ENCODINGS
    if not is_known:
        words = f"there is no encoding {name!r:.80}; such are utf-8, cp1252, latin-1"
        raise ValueError(words)
    return name


def as_utf8(stream: BinaryIO, encoding: str | None) -> tuple[BinaryIO, str]:
    """Text as UTF-8 without a mark, and the name of its encoding for a report.

    A mark that it begins with says how it is encoded; else *encoding* does, else it is
    taken for UTF-8 and given as it is. Raises BadInput for UTF-16 that lacks its mark;
    so does reading for bytes that the encoding doesn't have.
    """
    head, stream = look(stream, 256)
    mark, codec, name = _encoding_of(head, encoding)
    size = len(mark)
    # Some programs write it twice.
    while mark and head.startswith(mark, size):
        size += len(mark)
    stream.read(size)
    if codecs.lookup(codec).name in ("utf-8", "utf-8-sig"):
        guess = utf_16_without_mark(head)
        if guess:
            raise BadInput(f"UTF-16 text without its mark; add --encoding {guess}")
        return stream, "UTF-8"
    return peek(_Decoded(stream, codec, name, size), 0)[1], name


def beginning_as_utf8(head: bytes, encoding: str | None) -> bytes:
    """The beginning of a text as ``as_utf8`` gives it, without what can't be read."""
    mark, codec, _ = _encoding_of(head, encoding)
    while mark and head.startswith(mark):
        head = head.removeprefix(mark)
    return head if codec == "utf-8" else head.decode(codec, "ignore").encode()


def _encoding_of(head: bytes, encoding: str | None) -> tuple[bytes, str, str]:
    """The mark that a text begins with, its codec, and the name of that."""
    given = (b"", encoding or "utf-8", encoding or "UTF-8")
    return next((mark for mark in _MARKS if head.startswith(mark[0])), given)


class _Decoded:
    """Text of some encoding as UTF-8, without a mark."""

    def __init__(self, file: BinaryIO, codec: str, name: str, position: int) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(codec)()
        self._name = name
        self._position = position
        self._plain = memoryview(b"")
        self._has_begun = False

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes of UTF-8; none at the end."""
        block = b"more"
        while block and not self._plain:
            block = self._file.read(_BLOCK)
            self._position += len(block)
            self._plain = memoryview(self._decode(block))
        data = bytes(self._plain[:size])
        self._plain = self._plain[size:]
        return data

    def _decode(self, block: bytes) -> bytes:
        try:
            text = self._decoder.decode(block, not block)
            if text and not self._has_begun:
                text, self._has_begun = text.removeprefix("\ufeff"), True
            return text.encode()
        except UnicodeDecodeError as error:
            # It may be about bytes of the block before.
            place = self._position - len(error.object) + error.start
            byte = error.object[error.start : error.start + 1].hex()
            words = f"byte 0x{byte} at position {place}"
        except UnicodeError as error:
            words = str(error)
        raise BadInput(f"not {self._name} text ({words})")
