import bz2
import errno
import gzip
import io
import lzma
import os
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.inputs import open_input, peek
from sources.origin import BadInput
from sources.packing import as_utf8, unpacked, validate_encoding

CSV = b"user_id,page,duration,timestamp\nann,home,10,2024-01-01\n"
LONG = CSV + os.urandom(1_200_000) + CSV * 5_000


def zstd(data: bytes) -> bytes:
    return cast(bytes, pa.compress(data, codec="zstd", asbytes=True))


def zipped(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


Pack = Callable[[bytes], bytes]
PACKINGS: dict[str, tuple[Pack, str]] = {
    "gz": (gzip.compress, "gzipped"),
    "bz2": (bz2.compress, "bzip2"),
    "xz": (lzma.compress, "xz"),
    "zst": (zstd, "zstd"),
    "zip": (lambda data: zipped(("sessions.csv", data)), "zip"),
}
ONE_FILE = [ending for ending in PACKINGS if ending != "zip"]


class Pipe(io.RawIOBase):
    """Bytes that come in pieces and can't be sought."""

    def __init__(self, data: bytes, piece: int = 70_000) -> None:
        self._data = io.BytesIO(data)
        self._piece = piece

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._data.read(min(len(buffer), self._piece))
        buffer[: len(data)] = data
        return len(data)


def pipe(data: bytes, piece: int = 70_000) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(Pipe(data, piece)))


def tables(name: str, data: bytes | BinaryIO) -> list[tuple[str, bytes]]:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    return [(inner, table.read()) for inner, table in unpacked(name, stream)]


def message(name: str, data: bytes | BinaryIO) -> str:
    with pytest.raises(BadInput) as caught:
        tables(name, data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("ending", PACKINGS)
@pytest.mark.parametrize("data", [CSV, LONG, b""], ids=["short", "long", "empty"])
def test_what_is_packed_is_given_out(ending: str, data: bytes) -> None:
    packed = PACKINGS[ending][0](data)
    inner = "a.zip/sessions.csv" if ending == "zip" else "a.CSV"
    name = "a.zip" if ending == "zip" else f"a.CSV.{ending.upper()}"
    assert tables(name, packed) == [(inner, data)]
    assert tables(name, pipe(packed)) == [(inner, data)]
    if data is not LONG:
        assert tables(name, pipe(packed, 1)) == [(inner, data)]


@pytest.mark.parametrize("ending", ONE_FILE)
def test_the_name_needs_not_say_how_it_is_packed(ending: str) -> None:
    packed = PACKINGS[ending][0](CSV)
    assert tables("standard input", packed) == [("standard input", CSV)]
    assert tables("a.csv", packed) == [("a.csv", CSV)]


@pytest.mark.parametrize("ending", ONE_FILE)
def test_members_follow_one_another(ending: str) -> None:
    pack = PACKINGS[ending][0]
    packed = pack(CSV) + pack(b"") + pack(LONG) + pack(CSV)
    assert tables("a", packed)[0][1] == CSV + LONG + CSV
    assert tables("a", pack(b"x\n") * 5_000)[0][1] == b"x\n" * 5_000


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_zeros_behind_are_passed_over(ending: str) -> None:
    packed = PACKINGS[ending][0](CSV)
    assert tables("a", packed + bytes(2 << 20))[0][1] == CSV


def test_frames_of_zstd_that_hold_nothing() -> None:
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00more"
    assert tables("a.zst", skipped + zstd(CSV) + skipped) == [("a", CSV)]


@pytest.mark.parametrize("ending", PACKINGS)
def test_truncated_data_is_an_error_wherever_it_ends(ending: str) -> None:
    pack, kind = PACKINGS[ending]
    packed = pack(CSV)
    for length in range(7, len(packed)):
        words = message(f"a.csv.{ending}", packed[:length])
        assert words.startswith(f"the {kind} data is damaged (")
    assert f"the {kind} data is damaged" in message("a", pipe(pack(LONG)[:-40]))
    if ending != "zip":
        for length in range(1, len(packed)):
            words = message("a", packed + packed[:length])
            assert words.startswith(f"the {kind} data is damaged (")


@pytest.mark.parametrize("ending", ONE_FILE)
def test_garbage_behind_is_an_error(ending: str) -> None:
    pack, kind = PACKINGS[ending]
    for garbage in (b"garbage", b"\xff" * 100_000, pack(CSV)[2:]):
        assert f"the {kind} data is damaged" in message("a", pack(CSV) + garbage)


@pytest.mark.parametrize("ending", PACKINGS)
def test_a_changed_byte_is_an_error(ending: str) -> None:
    pack, kind = PACKINGS[ending]
    if ending == "zst":
        # What Arrow writes has no checksum; the program's own has.
        frame = "28b52ffd0458510000"
        packed = bytes.fromhex(frame) + b"user_id,pa" + bytes.fromhex("00000000")
    else:
        packed = pack(CSV)
    place = packed.rindex(b"PK\1\2") - 5 if ending == "zip" else len(packed) - 10
    packed = packed[:place] + bytes([packed[place] ^ 255]) + packed[place + 1 :]
    assert f"the {kind} data is damaged" in message("a", packed)


@pytest.mark.parametrize("ending", PACKINGS)
def test_names_that_promise_more(ending: str) -> None:
    kind = PACKINGS[ending][1]
    words = f"not {kind}, though its name says so"
    assert message(f"a.csv.{ending}", CSV) == words
    assert message(f"A.CSV.{ending.upper()}", pipe(CSV)) == words
    other = zstd if ending != "zst" else gzip.compress
    assert message(f"a.{ending}", other(CSV)) == words
    # That a file is empty is better told than this.
    assert tables(f"a.{ending}", b"") == [(f"a.{ending}", b"")]


def test_text_that_begins_as_packed_data_does() -> None:
    for text in (b"BZh,page\n1,2\n", b"BZh9,page\n", b"PK,page\n", b"BZ", b"(\xb5/\n"):
        assert tables("a.csv", text) == [("a.csv", text)]


def test_a_plain_file_is_given_out_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    with open_input(path) as file:
        ((name, stream),) = unpacked("a.csv", file)
        assert (name, stream) == ("a.csv", file)
        assert stream.seekable()
        assert stream.tell() == 0
    for data in (CSV, LONG):
        assert tables("x", pipe(data)) == [("x", data)]


def test_packed_in_packed() -> None:
    inner = zipped(("b.csv.zst", zstd(CSV)), ("c.csv", CSV))
    assert tables("a.zip.gz", gzip.compress(inner)) == [
        ("a.zip/b.csv", CSV),
        ("a.zip/c.csv", CSV),
    ]
    assert tables("a.csv.zst.gz", gzip.compress(zstd(CSV))) == [("a.csv", CSV)]
    thrice = gzip.compress(gzip.compress(gzip.compress(CSV)))
    assert tables("a", thrice) == [("a", CSV)]
    words = "packed more than three times over; unpack it first"
    assert message("a", gzip.compress(thrice)) == words
    assert message("a", zipped(("b", thrice))) == words
    assert message("a.gz", gzip.compress(bz2.compress(LONG)[:-9])).startswith(
        "the bzip2 data is damaged"
    )


@pytest.mark.parametrize(
    "how",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
)
def test_zip_files_have_tables(how: int) -> None:
    packed = zipped(
        ("part-10.csv", CSV + b"10"),
        ("part-2.csv", CSV + b"2"),
        ("data/", b""),
        ("data/jan.csv", LONG),
        ("../up.csv", CSV),
        ("__MACOSX/._part-2.csv", b"\0"),
        (".DS_Store", b"\0"),
        ("data/_SUCCESS", b""),
        how=how,
    )
    expected = [
        ("a.zip/../up.csv", CSV),
        ("a.zip/data/jan.csv", LONG),
        ("a.zip/part-2.csv", CSV + b"2"),
        ("a.zip/part-10.csv", CSV + b"10"),
    ]
    assert tables("a.zip", packed) == expected
    assert tables("a.zip", pipe(packed)) == expected


def test_zip_files_that_have_none() -> None:
    several = ("x/README.md", b"x"), ("a.csv", CSV), ("b.csv", b""), ("LICENSE", b"x")
    assert tables("a", zipped(*several)) == [("a/a.csv", CSV)]
    assert message("a", zipped(several[0], *several[2:])) == "no table in it"
    assert tables("a", zipped(several[0])) == [("a/x/README.md", b"x")]
    assert message("a", zipped()) == "the zip file has no files"
    assert message("a", zipped((".x", b""), ("b/", b""))) == "the zip file has no files"


def test_what_is_skipped_in_zip_files_is_told() -> None:
    inner = zipped(("e.csv", CSV), ("x/LICENSE", b"x"), ("f.csv", CSV))
    members = [("notes.md", b"x"), ("b.csv", b""), ("a.csv", CSV), (".x", b"x")]
    skipped: list[str] = ["before"]
    stream = io.BytesIO(zipped(*members, ("in.zip", inner), ("c\nd.md", b"x")))
    for _, table in unpacked("export.zip", stream, skipped):
        table.read()
    assert skipped == [
        "before",
        "export.zip/notes.md",
        "export.zip/b.csv",
        "export.zip/c\\nd.md",
        "export.zip/in.zip/x/LICENSE",
    ]
    skipped = []
    alone = io.BytesIO(zipped(("README.md", CSV)))
    assert [name for name, _ in unpacked("a", alone, skipped)] == ["a/README.md"]
    assert skipped == []


def test_encrypted_files_are_named_before_any_is_read() -> None:
    packed = bytearray(zipped(("a.csv", CSV), ("b.csv", CSV)))
    packed[packed.rindex(b"PK\1\2") + 8] |= 1
    words = "b.csv in it is encrypted; unpack it first"
    with pytest.raises(BadInput, match=f"^{words}$"):
        next(unpacked("a.zip", io.BytesIO(packed)))


def test_unknown_ways_to_pack_are_told() -> None:
    packed = bytearray(zipped(("a.csv", CSV)))
    for mark, place in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        packed[packed.index(mark) + place] = 9
    assert message("a", bytes(packed)).startswith("the zip data is damaged (")


SPREADSHEETS = [
    zipped(("[Content_Types].xml", b""), ("xl/workbook.xml", b"x")),
    zipped(("xl\\Workbook2.xml", b"x")),
    zipped(("xl/workbook.bin", b"x")),
    zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")),
]


@pytest.mark.parametrize("data", SPREADSHEETS)
def test_a_spreadsheet_is_given_out_whole(data: bytes) -> None:
    for stream in (io.BytesIO(data), pipe(data)):
        for name, sheet in unpacked("a.xlsx", stream):
            assert name == "a.xlsx"
            assert sheet.seekable()
            assert sheet.read() == data
    within = zipped(("b.xlsx", data), ("c.csv", CSV))
    assert tables("a.zip", within) == [("a.zip/b.xlsx", data), ("a.zip/c.csv", CSV)]


def test_documents_are_refused() -> None:
    assert "a Word document" in message("a", zipped(("word/document.xml", b"")))
    odt = zipped(("mimetype", b"application/vnd.oasis.opendocument.text"))
    assert "OpenDocument" in message("a.odt", odt)


def test_a_bomb_is_not_kept_in_memory() -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w") as member,
    ):
        for _ in range(64):
            member.write(bytes(1 << 20))
    for data in (file.getvalue(), gzip.compress(file.getvalue())):
        n = 0
        files = unpacked("a", io.BytesIO(data))
        _, first = next(files)
        while block := first.read(1 << 20):
            n += len(block)
        assert n == 64 << 20


def test_xz_that_needs_gigabytes_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    packed = bytearray(lzma.compress(CSV, filters=filters))
    # The size of the dictionary, and the checksum of its header after it.
    header = packed[12:24]
    place = header.index(bytes([0x21, 1])) + 2
    header[place] = 40
    header[8:12] = zlib.crc32(header[:8]).to_bytes(4, "little")
    packed[12:24] = header
    assert message("a", bytes(packed)).startswith("the xz data ")


class Failing(io.RawIOBase):
    """A disk that fails after some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._data.read(len(buffer))
        if not data:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize("ending", PACKINGS)
def test_a_failing_disk_is_no_damage(ending: str) -> None:
    packed = PACKINGS[ending][0](LONG)[:200_000]
    stream = cast(BinaryIO, io.BufferedReader(Failing(packed)))
    with pytest.raises(OSError, match="Input/output error") as caught:
        tables("a", stream)
    assert caught.value.errno == errno.EIO


@pytest.mark.parametrize("ending", PACKINGS)
def test_the_given_file_stays_open(ending: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(PACKINGS[ending][0](CSV))
    with path.open("rb") as file:
        assert tables("a", file)[0][1] == CSV
        assert not file.closed


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
@pytest.mark.parametrize("ending", PACKINGS)
def test_packed_data_comes_through_a_named_pipe(ending: str, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = PACKINGS[ending][0](LONG)
    thread = threading.Thread(target=path.write_bytes, args=[data])
    thread.start()
    with open_input(path) as file:
        assert tables("pipe", file)[0][1] == LONG
    thread.join()


MAGICS = [b"", b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"]
MAGICS += [b"PK\3\4", b"PK\5\6", b"\x50\x2a\x4d\x18"]
PACKED = [pack(CSV * n) for pack, _ in PACKINGS.values() for n in (1, 9)]
PACKED += [*SPREADSHEETS, zipped(("é.csv", CSV), how=zipfile.ZIP_LZMA)]
PACKED += [gzip.compress(PACKED[-1]), zipped(("a.gz", gzip.compress(CSV)))]


def ends_well(data: bytes) -> None:
    for stream in (io.BytesIO(data), pipe(data)):
        try:
            for _, table in unpacked("a", stream):
                while table.read(1 << 16):
                    pass
        except BadInput as error:
            assert "\n" not in str(error)  # noqa: PT017


@given(st.sampled_from(MAGICS), st.binary(max_size=200))
def test_any_bytes_are_streams_or_bad_input(magic: bytes, rest: bytes) -> None:
    ends_well(magic + rest)


def test_what_has_no_name_in_a_zip_file_is_passed_over() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.csv", "a")
    nameless = data.getvalue().replace(b"a.csv", b"\0.csv")
    with pytest.raises(BadInput, match="the zip file has no files"):
        list(unpacked("a.zip", io.BytesIO(nameless)))


@given(st.data())
def test_any_damage_is_streams_or_bad_input(data: st.DataObject) -> None:
    packed = bytearray(data.draw(st.sampled_from(PACKED)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(packed) - 1))
        kind = data.draw(st.sampled_from(["set", "cut", "add"]))
        if kind == "set":
            packed[place] = data.draw(st.integers(0, 255))
        elif kind == "cut" and len(packed) > 9:
            del packed[place : place + data.draw(st.integers(1, 8))]
        else:
            packed[place:place] = data.draw(st.binary(max_size=8))
    ends_well(bytes(packed))


def utf8(data: bytes | BinaryIO, encoding: str | None = None) -> tuple[bytes, str]:
    stream = cast(BinaryIO, io.BytesIO(data)) if isinstance(data, bytes) else data
    text, name = as_utf8(stream, encoding)
    return text.read(), name


TEXT = "user_id,page\nJörg,Über uns 𝄞\n"
BIG = TEXT * 100_000


@pytest.mark.parametrize("text", ["", TEXT, BIG], ids=["empty", "short", "long"])
@pytest.mark.parametrize(
    ("codec", "mark", "name"),
    [
        ("utf-8", b"\xef\xbb\xbf", "UTF-8"),
        ("utf-16-le", b"\xff\xfe", "UTF-16"),
        ("utf-16-be", b"\xfe\xff", "UTF-16"),
        ("utf-32-le", b"\xff\xfe\0\0", "UTF-32"),
        ("utf-32-be", b"\0\0\xfe\xff", "UTF-32"),
    ],
)
def test_a_mark_says_the_encoding(
    text: str, codec: str, mark: bytes, name: str
) -> None:
    data = mark + text.encode(codec)
    # It says more than a person that has several files.
    for encoding in (None, "cp1252", codec):
        assert utf8(data, encoding) == (text.encode(), name)
        assert utf8(pipe(data, 999), encoding) == (text.encode(), name)


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp1252", "Jörg,Über uns €\n"),
        ("latin-1", "Jörg\x81\n"),
        ("utf-16-le", TEXT),
        ("shift_jis", "日本,ページ\n"),
        ("gb18030", "用户𝄞\n"),
        ("utf-7", "ü\n"),
    ],
)
def test_an_encoding_is_given(codec: str, text: str) -> None:
    for whole in (text, text * 300_001):
        assert utf8(whole.encode(codec), codec) == (whole.encode(), codec)


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-7", "gb18030"])
def test_marks_are_dropped_wherever_they_are_known_by(codec: str) -> None:
    given = codec if codec in ("utf-7", "gb18030") else None
    n_marks = 1 if given else 2
    marked = ("\ufeff" * n_marks + TEXT + "\ufeff").encode(codec)
    for stream in (io.BytesIO(marked), pipe(marked, 1)):
        assert utf8(stream, given)[0] == f"{TEXT}\ufeff".encode()
    assert utf8(("a\ufeff" + TEXT).encode(codec), codec)[0].startswith(b"a\xef")


def test_utf_8_is_given_out_as_it_is() -> None:
    stream = io.BytesIO(CSV)
    for encoding in (None, "utf8", "UTF-8", "utf-8-sig"):
        assert as_utf8(stream, encoding) == (stream, "UTF-8")
        assert stream.tell() == 0
    # Whether it is UTF-8 is for the reader to say.
    assert utf8(b"\xe9t\xe9") == (b"\xe9t\xe9", "UTF-8")


@pytest.mark.parametrize(
    ("data", "encoding", "words"),
    [
        (b"a,b\n\x81c", "cp1252", "not cp1252 text (byte 0x81 at position 4)"),
        (b"a" * 3_000_000 + b"\x81", "cp1252", "(byte 0x81 at position 3000000)"),
        (b"\xff\xfea\0b", None, "not UTF-16 text (byte 0x62 at position 4)"),
        (b"\xff\xfe\0\xdca\0", None, "not UTF-16 text (byte 0x00 at position 2)"),
        (b"a" * 1_048_575 + b"\x83", "shift_jis", "(byte 0x83 at position 1048575)"),
        (b"a" * 1_048_575 + b"\x83\x01", "shift_jis", "at position 1048575)"),
        (b"a\0", "utf-16", "not utf-16 text (UTF-16 stream does not start with BOM)"),
        (TEXT.encode("utf-16-le"), None, "without its mark; add --encoding utf-16-le"),
        (TEXT.encode("utf-16-be"), None, "without its mark; add --encoding utf-16-be"),
    ],
)
def test_text_of_another_encoding(
    data: bytes, encoding: str | None, words: str
) -> None:
    with pytest.raises(BadInput) as caught:
        utf8(data, encoding)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=99), st.sampled_from([None, "cp1252", "utf-16", "utf-7"]))
def test_any_bytes_are_text_or_bad_input(data: bytes, encoding: str | None) -> None:
    for mark in (b"", b"\xff\xfe", b"\0\0\xfe\xff"):
        try:
            text, name = utf8(mark + data, encoding)
        except BadInput as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert name == "UTF-8" or text.decode() is not None


def test_lines_can_be_read() -> None:
    stream, _ = as_utf8(pipe(b"\xff\xfe" + TEXT.encode("utf-16-le"), 3), None)
    assert stream.readline() == b"user_id,page\n"
    assert list(stream) == ["Jörg,Über uns 𝄞\n".encode()]


def test_names_of_encodings() -> None:
    for name in ("utf-8", "cp1252", "latin-1", "UTF-16-LE", "shift_jis", "cp037"):
        assert validate_encoding(name) == name
    none = ["hex", "rot13", "zip", "nothing", "", "undefined", "idna", "punycode"]
    for name in [*none, "unicode_escape", "raw_unicode_escape", "a\0b", "\udcff"]:
        with pytest.raises(ValueError, match="such are") as caught:
            validate_encoding(name)
        words = f"there is no encoding {name!r}; such are utf-8, cp1252, latin-1"
        assert str(caught.value) == words


def test_standard_input_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    for pack, _ in PACKINGS.values():
        data = io.TextIOWrapper(io.BytesIO(pack(CSV)))
        monkeypatch.setattr(sys, "stdin", data)
        with open_input(Path("-")) as stream:
            assert tables("standard input", stream)[0][1] == CSV
        assert not data.closed


def test_peek_leaves_the_stream_open() -> None:
    data = io.BytesIO(CSV)
    peek(data, 3)[1].close()
    assert not data.closed
