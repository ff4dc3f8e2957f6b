import io
import pickle
import sqlite3
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.kinds import is_spreadsheet, refuse_kind, utf_16_without_mark
from sources.origin import BadInput

CASES = Path(__file__).parents[3] / "shared/data/cases"

TABLE = pa.table({"user_id": ["ann"] * 99, "duration": [1.5] * 99})


def said(head: bytes, name: str = "x", encoding: str | None = None) -> str:
    """What is said of a file with these bytes; nothing if it may be a table."""
    try:
        refuse_kind(head[:4_096], name, encoding)
    except BadInput as error:
        assert "\n" not in str(error)  # noqa: PT017
        return str(error)
    return ""


def test_a_git_lfs_pointer() -> None:
    head = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12\n"
    words = "a Git LFS pointer, not the file itself; run: git lfs pull"
    assert said(head) == words


@pytest.mark.parametrize(
    "head",
    [
        b"/annex/objects/SHA256E-s1048576--e3b0c44298fc1c149afbf4c8996fb924.csv\n",
        b"/annex/objects/MD5E-s12--d41d8cd98f00b204.csv",
        b"../../.git/annex/objects/Xk/9P/SHA256E-s1--ab.csv/SHA256E-s1--ab.csv",
        b".git/annex/objects/Xk/9P/WORM-s1-m1--a.csv/WORM-s1-m1--a.csv",
    ],
)
def test_a_git_annex_pointer(head: bytes) -> None:
    words = "a git-annex pointer, not the file itself; run: git annex get "
    assert said(head, "a/b.csv") == f"{words}a/b.csv"
    assert said(head, "a b.csv") == f"{words}FILE"


@pytest.mark.parametrize(
    "head",
    [
        b"404: Not Found",
        b"404 page not found\n",
        b"403 Forbidden",
        b"HTTP Error 503: Service Unavailable",
        b"500 - Internal Server Error\r\n",
        b"Not Found",
        b"Access denied.\n",
        b"HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\nx, y\n",
        b"HTTP/2 403\n",
        b'{"message":"Not Found","documentation_url":"https://docs"}',
        b'{\n  "message": "API rate limit exceeded for 192.0.2.1. (But',
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>',
        b"<Error><Code>NoSuchKey</Code>",
    ],
)
def test_what_a_server_said_instead(head: bytes) -> None:
    words = "a server's error message, not the file itself; download it again "
    assert said(head) == f"{words}(it may have moved, or need a login)"


def test_databases(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    base = sqlite3.connect(path)
    base.execute("create table sessions (user_id text)")
    base.commit()
    base.close()
    command = "sqlite3 -header -csv {} 'select * from TABLE' > sessions.csv"
    start = "an SQLite database; export the table: "
    assert said(path.read_bytes(), "a.db") == start + command.format("a.db")
    # A name that a shell would read otherwise is left to the person.
    for name in ("a b.db", "$(x).db", "-a", "a\nb"):
        assert said(path.read_bytes(), name) == start + command.format("FILE")
    duck = struct.pack("<Q4sQ", 123, b"DUCK", 64) + bytes(100)
    words = "a DuckDB database; put duckdb: before it on the command line: duckdb:"
    assert said(duck, "shop.duckdb") == f"{words}shop.duckdb"
    assert said(duck, "a b.duckdb") == f"{words}FILE"
    assert "an Access database" in said(b"\0\1\0\0Standard ACE DB\0" + bytes(9))


def test_tables_of_other_libraries(tmp_path: Path) -> None:
    path = tmp_path / "a"
    pa.feather.write_feather(TABLE, path)
    assert "an Arrow or Feather file; write" in said(path.read_bytes())
    assert "an Arrow or Feather file; write" in said(b"FEA1\0\0\0\0\1")
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    assert "an Arrow or Feather file; write" in said(sink.getvalue())
    for compression in ("uncompressed", "zlib", "zstd", "snappy"):
        pa.orc.write_table(TABLE, str(path), compression=compression)
        assert "an ORC file; write" in said(path.read_bytes())
        assert "an ORC file; write" in said(b"ORC" + b"x" * 99 + path.read_bytes())
    array = io.BytesIO()
    np.save(array, np.arange(3))
    assert "a NumPy array" in said(array.getvalue())
    for protocol in (2, 3, 4, 5):
        for what in ({"a": [1]}, [1], (1, "b"), np.arange(3)):
            data = pickle.dumps(what, protocol)
            assert "a pickle, which may run programs" in said(data)


def test_a_tar_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    (tmp_path / "a.csv").write_text("a,b\n")
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(path, "w", format=form) as archive:
            archive.add(tmp_path / "a.csv", "a.csv")
        assert said(path.read_bytes()) == "a tar archive; unpack it first"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"%PDF-1.7\n%", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture"),
        (b"GIF89a\1\0", "a picture"),
        (b"RIFF\1\0\0\0WEBPVP8 ", "a picture"),
        (b"II*\0\10\0", "a picture"),
        (b"MM\0*\0\0", "a picture"),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0", "a picture"),
        (b"\0\0\1\0\1\0\x10\x10", "a picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "a picture"),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<svg>', "a picture"),
        (b"\0\0\0\x18ftypmp42", "a video"),
        (b"ID3\4\0\0", "sound"),
        (b"RIFF\1\0\0\0WAVEfmt ", "sound"),
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b"\xef\xbb\xbf\n <html lang='en'>", "a web page"),
        (b"<!-- saved -->\n<HTML>", "a web page"),
        ("\ufeff<html>".encode("utf-16-le"), "a web page"),
        (b'<?xml version="1.0"?>\n<rows><row/></rows>', "XML"),
        (b"Obj\1\4\x16avro.schema", "an Avro file"),
        (b"PARE\0\1", "encrypted Parquet"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"RDX3\nX\n\0\0", "R's own format"),
        (b"X\n\0\0\0\3\0\4", "R's own format"),
        (bytes(12) + bytes.fromhex("c2ea8160b31411cf"), "a SAS file"),
        (b"<stata_dta><header>", "a Stata file"),
        (b"\x72\2\1\0\5\0", "a Stata file"),
        (b"$FL2@(#) SPSS DATA FILE", "an SPSS file"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive"),
        (b"Rar!\x1a\7\1\0", "a RAR archive"),
        (b"\x04\x22\x4d\x18\x64", "packed data"),
        (b"{\\rtf1\\ansi", "a text document"),
        (b"\x7fELF\2\1", "a program"),
        (b"MZ\x90\0\3\0", "a program"),
        (b"L\0\0\0\1\x14\2\0\0\0", "a shortcut"),
        (b'{\n "cells": [\n  {\n   "cell_type": "code"', "a notebook"),
        (b'{"nbformat": 4, "cells": []}', "a notebook"),
        (b"-- MySQL dump 10.13  Distrib 8.0\n--", "SQL"),
        (b"--\n-- PostgreSQL database dump\n--\n", "SQL"),
        (b"INSERT INTO sessions VALUES (1)", "SQL"),
        (b"PRAGMA foreign_keys=OFF;\n", "SQL"),
        (b"a,b\n1,\0\n", "binary data of an unknown kind, and no table (a NUL"),
        (bytes(4_096), "binary data of an unknown kind"),
        (bytes(range(256)) * 9, "binary data of an unknown kind"),
    ],
)
def test_what_is_no_table_is_named(head: bytes, words: str) -> None:
    assert said(head).startswith(words)


COMBINED = b'192.0.2.7 - ann [01/Jan/2024:10:00:01 +0000] "GET / HTTP/1.1" 200 23'


@pytest.mark.parametrize(
    "head",
    [
        COMBINED,
        COMBINED + b' "-" "Mozilla/5.0, x"\n',
        b"example.org:443 " + COMBINED,
        b'::1 - - [31/Dec/2024:23:59:59 -0430] "-" 408 -\n',
        b"#Software: IIS\n#Version: 1.0\n#Fields: date time c-ip\n",
        b"#Version: 1.0\r\n#Fields: date time x-edge-location\r\n",
    ],
)
def test_access_logs(head: bytes) -> None:
    assert said(head).startswith("a web server's access log in a form that isn't read;")


@pytest.mark.parametrize(
    "head",
    [
        b"2024/05/01 09:00:00 [error] 31#31: *1 open() failed, client: 192.0.2.1\n",
        b"[Wed May 01 09:00:00.123456 2024] [core:notice] [pid 1:tid 2] AH00094: x\n",
        b"[Wed May  1 09:00:00 2024] [error] [client 192.0.2.1] File does not exist\n",
    ],
)
def test_error_logs(head: bytes) -> None:
    assert said(head).startswith("a web server's error log;")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"user_id,page\nann,home\n",
        b"\xef\xbb\xbfuser_id;page\n",
        "\ufeffuser_id,page".encode("utf-16-le"),
        "\ufeffuser_id,page".encode("utf-16-be"),
        "\ufeffuser_id,page".encode("utf-32-le"),
        "\ufeffuser_id,page".encode("utf-32-be"),
        "user_id,page\n".encode("utf-16-le"),
        "user_id,page\n".encode("utf-16-be"),
        b"PAR1\x15\4\0\0",
        b"PK\3\4\0\0",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0",
        b"\x1f\x8b\10\0",
        b"BZh91AY&SY\0",
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd\0",
        # What only looks like another kind.
        b"/annex/objects/a,b\n/annex/objects/c,d\n",
        b"/annex/objects/a b",
        b"404: Not Found,page\n",
        b"404 page,not found\n",
        b"404\npage\n",
        b"404 home\n405 cart\n",
        b"Not found,page\n",
        b"HTTP/1.1,404\n",
        b"HTTP/1.1 404 Not Found,page\n",
        b"HTTP/1.1 200 OK\n",
        b'{"message":"hi","user":1}\n',
        b'{"user":1,"message":"Not Found"}\n',
        b"ORCID,page\n",
        b"ORC,page\n",
        b"BMI,page\n",
        b"MZ,page\n",
        b"PARENT,page\n",
        b"Object,page\n",
        b"ID3,page\n",
        b"RIFF,page\n",
        b"\x93NUMPY\x94,page\n",
        b"#Fields,page\n",
        b"# a comment\nuser_id,page\n",
        b"--user,page\n",
        b"<user>,page\n",
        b'{"user_id": "ann", "cells": [1]}\n',
        b'[{"user_id": "ann"}]',
        b"sql dump,page\n",
        b"ann,home,[01/Jan/2024:10:00:01 +0000]\n",
        b"2024/05/01 09:00:00 ann home\n",
        b"[Wed May 01 09:00:00 2024],ann,home\n",
        b'time,page\n"[01/Jan/2024:10:00:01 +0000] ""GET""",/\n',
    ],
)
def test_what_may_be_a_table_passes(head: bytes) -> None:
    assert said(head) == ""


def test_an_encoding_that_a_person_gave() -> None:
    head = "用户,a".encode("utf-16-le")
    assert said(head).startswith("binary data")
    assert said(head, encoding="utf-16-le") == ""
    assert said(b"%PDF-1.7", encoding="cp1252") != ""


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the shared cases")
def test_the_shared_cases() -> None:
    refused = {
        path.name: said(path.read_bytes(), path.name).partition(",")[0]
        for path in sorted(CASES.rglob("[0-9p]*.*"))
        if path.is_file() and said(path.read_bytes())
    }
    assert refused == {
        "11-lfs-pointer.csv": "a Git LFS pointer",
        "39-iis.log": "a web server's access log in a form that isn't read; have the "
        "server write the Combined Log Format",
        "39b-combined.log": "a web server's access log in a form that isn't read; have "
        "the server write the Combined Log Format",
    }


@given(st.binary(max_size=300))
def test_any_bytes_pass_or_are_refused_in_a_line(head: bytes) -> None:
    said(head)


@pytest.mark.parametrize(
    "piece",
    [
        b"<!---->",
        b"<!--",
        b"<?xml>",
        b" ",
        b"#\n",
        b"a ",
        b"-- ",
        b"[01/",
        b'{"cells":[',
    ],
)
def test_no_text_takes_long(piece: bytes) -> None:
    begun = time.process_time()
    said((piece * 4_096)[:4_096])
    assert time.process_time() - begun < 0.5


def test_utf_16_is_known_by_its_zeros() -> None:
    assert utf_16_without_mark("ü,b\n".encode("utf-16-le")) == "utf-16-le"
    assert utf_16_without_mark("ü,b\n".encode("utf-16-be")) == "utf-16-be"
    for head in (b"", b"a", b"ab", bytes(9), b"a\0b\0\0c", "ab".encode("utf-32-le")):
        assert utf_16_without_mark(head) is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["word/document.xml"], "a Word document"),
        (["ppt/presentation.xml"], "a PowerPoint presentation"),
        (["Index/Document.iwa"], "a document of Pages, Numbers or Keynote"),
        (["META-INF/container.xml"], "an electronic book"),
        (["META-INF/MANIFEST.MF"], "a program"),
        (["a.npy", "b.npy"], "NumPy arrays"),
    ],
)
def test_documents_in_zip_files(names: list[str], words: str) -> None:
    with pytest.raises(BadInput, match=f"^{words}"):
        is_spreadsheet(["[Content_Types].xml", *names])


def test_spreadsheets_in_zip_files() -> None:
    for name in ("xl/workbook.xml", "xl\\workbook.bin", "XL/Workbook22.xml"):
        assert is_spreadsheet(["x", name])
    kind = b"application/vnd.oasis.opendocument."
    assert is_spreadsheet(["mimetype"], kind + b"spreadsheet")
    assert is_spreadsheet(["mimetype"], kind + b"spreadsheet-template")
    with pytest.raises(BadInput, match="no spreadsheet"):
        is_spreadsheet(["mimetype"], kind + b"text")
    assert not is_spreadsheet(["sessions.csv", "xl/workbook.xml.csv"])


def test_numpy_files_are_zip_files() -> None:
    file = io.BytesIO()
    np.savez(file, a=np.arange(3))
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    with pytest.raises(BadInput, match="NumPy arrays"):
        is_spreadsheet(names)
