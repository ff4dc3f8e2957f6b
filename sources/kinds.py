"""What a file is that can't be a table, by its first bytes, and what to do then."""

import codecs
import re
from collections.abc import Collection
from typing import Final

from sources.origin import BadInput, NoSessions

_SAVE: Final = "save the table in it as CSV"
_PARQUET: Final = "write the table as Parquet: df.to_parquet('sessions.parquet')"
_NO: Final = ", and no table"
_PICTURE: Final = f"a picture{_NO}"
_PROGRAM: Final = f"a program{_NO}"
_PACKED: Final = "which can't be unpacked here; unpack it first"
_NOTEBOOK: Final = f"a notebook; in it, {_PARQUET}"
_LOG: Final = (
    "a web server's access log in a form that isn't read; have the server write the "
    "Combined Log Format, W3C's or JSON (docs/logs.md says how)"
)
_ERRORS: Final = (
    "a web server's error log; what visitors asked for is in its access log"
)
_TRIAL: Final = "what AWS writes to try whether a load balancer's logs can be written"
_ANSWER: Final = (
    "a server's error message, not the file itself; download it again "
    "(it may have moved, or need a login)"
)
_SQL: Final = "SQL that fills a database; load it there, and export the table as CSV"

_KINDS: Final = {
    rb"version https://git-lfs": (
        "a Git LFS pointer, not the file itself; run: git lfs pull"
    ),
    rb"(\.\./)*(\.git|)/annex/objects/[^\s,;|\"]+\s*\Z": (
        "a git-annex pointer, not the file itself; run: git annex get FILE"
    ),
    rb"SQLite format 3\x00": (
        "an SQLite database; export the table: "
        "sqlite3 -header -csv FILE 'select * from TABLE' > sessions.csv"
    ),
    rb".{8}DUCK.*\x00": (
        "a DuckDB database; put duckdb: before it on the command line: duckdb:FILE"
    ),
    rb"\x00\x01\x00\x00Standard (Jet|ACE) DB": f"an Access database; {_SAVE}",
    rb"ARROW1\x00|FEA1\x00|\xff{4}.{3}\x00": f"an Arrow or Feather file; {_PARQUET}",
    rb"ORC(.{0,64}[\x00-\x08\x0e-\x1f]|.*\x00)": f"an ORC file; {_PARQUET}",
    rb"Obj\x01": f"an Avro file; {_PARQUET}",
    rb"PARE.*\x00": "encrypted Parquet; write it without encryption",
    rb"\x89HDF\r\n": f"an HDF5 file; {_PARQUET}",
    rb"\x93NUMPY[\x01-\x03]": f"a NumPy array; {_PARQUET}",
    rb"\x80[\x02-\x05]": f"a pickle, which may run programs when read; {_PARQUET}",
    rb"RD[AX][23]\n|X\n\x00{3}[\x02\x03]|A\n[23]\n": (
        "R's own format; write the table as CSV: write.csv(x, 'sessions.csv')"
    ),
    rb"\x00{12}\xc2\xea\x81\x60|HEADER RECORD\*{7}LIB": f"a SAS file; {_SAVE}",
    rb"<stata_dta>|[\x68-\x73][\x01\x02]\x01\x00": f"a Stata file; {_SAVE}",
    rb"\$FL[23]@\(#\)": f"an SPSS file; {_SAVE}",
    rb"PGDMP\x01": _SQL,
    rb"%PDF": f"a PDF document; {_SAVE}",
    rb"\{\\rtf": f"a text document (RTF); {_SAVE}",
    rb"%!PS": f"a PostScript document{_NO}",
    rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP": _PICTURE,
    rb"II\*\x00|MM\x00\*|BM.{4}\x00{4}|\x00\x00\x01\x00.\x00": _PICTURE,
    rb"RIFF.{4}(WAVE|AVI )|ID3[\x02-\x04]|OggS\x00|fLaC\x00": f"sound or video{_NO}",
    rb"\x1aE\xdf\xa3|\x00{3}.ftyp": f"a video or a picture{_NO}",
    rb"7z\xbc\xaf\x27\x1c": f"a 7-Zip archive, {_PACKED}",
    rb"Rar!\x1a\x07": f"a RAR archive, {_PACKED}",
    rb".{257}ustar": "a tar archive; unpack it first",
    rb"\x04\"M\x18|\xff\x06\x00\x00sNaPpY|LZIP\x01|\x1f\x9d|MSCF\x00": (
        f"packed data, {_PACKED}"
    ),
    rb"\x7fELF|MZ.{0,62}\x00|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe|\x00asm": _PROGRAM,
    rb"L\x00\x00\x00\x01\x14\x02\x00": "a shortcut; name the file that it leads to",
    rb"\x00\x05\x16\x07": "what a Mac keeps beside a file; name the file itself",
}
"""Patterns of beginnings that no table has."""

_TEXTS: Final = {
    rb"(?>(<\?xml[^>]*>|<!--.*?-->|<!doctype[^>]*>|\s)*)<svg\b": _PICTURE,
    rb"(?>(<!--.*?-->|\s)*)<(!doctype\s+html|html|head|body)\b": (
        "a web page, and no table; download the file itself (it may need a login), "
        f"or {_SAVE}"
    ),
    rb"(<\?xml[^>]*>\s*)?<error>\s*<code>": _ANSWER,
    rb"<\?xml\b": f"XML; {_SAVE}",
    rb"(http error )?[45]\d\d(:| -)? [a-z][a-z ]{2,40}[.!]?\s*\Z": _ANSWER,
    rb"(not found|forbidden|unauthorized|access denied|bad gateway)[.!]?\s*\Z": _ANSWER,
    rb"http/\d(\.\d)? [45]\d\d\b[^,;|\t\n]*(\n|\Z)": _ANSWER,
    rb"\{\s*\"message\"\s*:\s*\"(not found|bad credentials|api rate limit)": _ANSWER,
    rb"\{\s*\"(cells\"\s*:\s*\[.*\"cell_type\"|nbformat\")": _NOTEBOOK,
    rb"(--|/\*)[^\n]{0,40}\s*(-- )?(MySQL|MariaDB|PostgreSQL)[ a-z]* dump": _SQL,
    rb"(create|drop) table |insert into |pragma foreign_keys ?=": _SQL,
    rb"(#[^\n]*\n)*#Fields: ": _LOG,
    rb"\d{4}/\d\d/\d\d \d\d(:\d\d){2} \[[a-z]+\] \d+#\d+: ": _ERRORS,
    rb"\[[a-z]{3} [a-z]{3} [ \d]\d \d\d(:\d\d){2}(\.\d+)? \d{4}\] \[": _ERRORS,
    rb"enable accesslog for elb: ": _TRIAL,
    rb"[^\n\t,;\"]+ \[\d\d/[A-Z][a-z]{2}/\d{4}(:\d\d){3} [-+]\d{4}\] \"": _LOG,
}
"""Patterns of beginnings of text, after a mark and blanks, in any case."""

_BESIDE_LOGS: Final = (_ERRORS, _TRIAL)
"""What is in folders of access logs, too, and no reason to refuse these."""

_MEMBERS: Final = {
    r"word/document\.xml": f"a Word document; {_SAVE}",
    r"ppt/presentation\.xml": f"a PowerPoint presentation; {_SAVE}",
    r"index/document\.iwa": f"a document of Pages, Numbers or Keynote; {_SAVE}",
    r"meta-inf/container\.xml": f"an electronic book{_NO}",
    r"meta-inf/manifest\.mf|androidmanifest\.xml": _PROGRAM,
    r"[^/]+\.npy": f"NumPy arrays; {_PARQUET}",
}
"""Patterns of names in zip files, in small letters."""

_READ: Final = (
    *(b"PAR1", b"PK\3\4", b"PK\5\6", b"PK\7\10", b"\xd0\xcf\x11\xe0"),
    *(b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"),
    *(codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE),
)
"""Beginnings of what may have NUL bytes: what is packed, or read, or marked text."""


def utf_16_without_mark(head: bytes) -> str | None:
    """The name of the UTF-16 that text is in, by its NUL bytes; None if it isn't."""
    even, odd = head[:256:2], head[1:256:2]
    if odd.count(0) * 2 > len(odd) and 0 not in even:
        return "utf-16-le"
    return "utf-16-be" if even.count(0) * 2 > len(even) and 0 not in odd else None


def refuse_kind(head: bytes, name: str, encoding: str | None = None) -> None:
    """Raise BadInput that says what a file is if it is sure that it is no table.

    *head* is its first 4 KB. What is packed, spreadsheets and Parquet pass; so do NUL
    bytes in text where a person gave its *encoding*. *name* goes into commands.
    """
    is_plain = re.fullmatch(r"\w[\w./-]*", name, re.ASCII)
    for pattern, words in _KINDS.items():
        if re.match(pattern, head, re.DOTALL):
            raise BadInput(words.replace("FILE", name if is_plain else "FILE"))
    text = head.removeprefix(codecs.BOM_UTF8)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head.decode("utf-16", "ignore").encode()
    for pattern, words in _TEXTS.items():
        if re.match(pattern, text.lstrip(), re.DOTALL | re.IGNORECASE):
            raise (NoSessions if words in _BESIDE_LOGS else BadInput)(words)
    is_known = encoding or head.startswith(_READ) or utf_16_without_mark(head)
    if b"\0" in head and not is_known:
        words = "binary data of an unknown kind, and no table"
        raise BadInput(f"{words} (a NUL byte at position {head.index(0)})")


def is_spreadsheet(names: Collection[str], mimetype: bytes = b"") -> bool:
    """Whether a zip file with these members, one of them "mimetype", is a spreadsheet.

    Raises BadInput that says what it is if it is a document of another kind.
    """
    small = [name.replace("\\", "/").lower() for name in names]
    if any(re.fullmatch(r"xl/workbook\d*\.(xml|bin)", name) for name in small):
        return True
    if mimetype.startswith(b"application/vnd.oasis.opendocument"):
        if mimetype.split(b".")[-1].startswith(b"spreadsheet"):
            return True
        raise BadInput(f"an OpenDocument file that is no spreadsheet; {_SAVE}")
    for pattern, words in _MEMBERS.items():
        if any(re.fullmatch(pattern, name) for name in small):
            raise BadInput(words)
    return False
