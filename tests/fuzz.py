"""Any bytes, thrown at the readers of files: rows that add up, or one line.

To be run by hand where atheris is installed, in the directory of the project:
``python -m tests.fuzz [seconds] [target] [directory]``. What fails is kept in the
directory, and told in the end; ``tests/sources/test_any_bytes.py`` then gets an example
of each.
"""

import bz2
import gzip
import importlib
import io
import json
import lzma
import os
import random
import sys
import tempfile
import threading
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from schema import LONGEST_DURATION
from sources import BadInput, ReadOptions, csv_reader, formats, json_reader
from sources.logs import Log
from sources.options import ASSETS, STATUSES
from sources.reading import read_sessions

NAMES: Final = (
    *("a", "a.csv", "a.json", "a.parquet", "a.xlsx", "a.zip", "a.csv.gz", "a.zst"),
    *("a.xz", "a.bz2", "a.ods", "a.txt"),
)
"""Names of files, with all endings that mean something and some that don't."""

FIRST: Final = pd.Timestamp(datetime.min)
LAST: Final = pd.Timestamp(datetime.max)

_LONGEST_MESSAGE: Final = 3_000
_LOG: Final = (
    b'1.1.1.1 - - [01/Mar/2024:10:00:00 +0000] "GET /a?b HTTP/1.1" 200 12 "-" "Moz"\n'
    b'a.org 2.2.2.2 - - [01/Mar/2024:10:00:05 +0100] "GET /\\"b HTTP/2" 304 - "-" "x"\n'
)
_LOGS: Final = (
    _LOG,
    b"http 2024-03-01T10:00:00.1Z app/a 1.1.1.1:1 2.2.2.2:80 0 0 0 200 200 1 1 "
    b'"GET http://a.org:80/a HTTP/1.1" "Mozilla" - -\n',
    b'{"ts":1709287200.5,"request":{"remote_ip":"1.1.1.1","method":"GET","uri":"/a",'
    b'"headers":{"User-Agent":["x"]}},"status":200}\n',
    b"#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)\n"
    b"2024-03-01 10:00:00 1.1.1.1 GET /a 200 a+b\n#Date: 2024-03-02\n",
    b'host\ttime\tmethod\turl\tresponse\n1.1.1.1\t1709287200\tGET\t"/a"\t200\n',
)
_CASES: Final = Path(__file__).parents[2] / "shared" / "data" / "cases"
_TABLE: Final = (
    b"user_id,page,duration,timestamp\n"
    b'ann,/a,1.5,2024-01-01T00:00:00Z\n"b,""o",/b c,,2024-01-02 10:00\n'
)

Row = tuple[str, str, float | None, pd.Timestamp]
"""A session: user, page, duration in seconds (None: unknown), start."""


def options_of(number: int) -> ReadOptions:
    """Options of reading, by chance, but the same for the same number; 0: none."""
    chance = random.Random(number)

    def some(*values: Any) -> Any:
        return chance.choice(values) if number and chance.random() < 0.2 else None

    has_header = some(True) is None
    columns = ("user_id", "page", "timestamp", "duration", "a", "")
    if not has_header:
        columns = ("1", "2", "3", "4", "5", "x")
    return ReadOptions(
        user=some(*columns) if has_header else some(*columns) or "1",
        page=some(*columns) if has_header else "2",
        time=some(*columns, "date+time", "1+2") if has_header else some("3+4") or "4",
        duration=some(*columns),
        end=some(*columns),
        duration_unit=some("us", "ms", "s", "min", "h", "d"),
        header=has_header,
        where=some(((columns[1], "/a"),), ((columns[0], ""),)) or (),
        visit_gap=some(0.0, 1.0, 1e12) or 1_800.0,
        time_format=some("%d/%m/%Y %H:%M", "%Y%m%d", "%j %Y %I%p", "%s%Y-%m-%d"[2:]),
        times_in=some("Europe/Berlin", "Pacific/Apia", "Asia/Kolkata"),
        zero_is_unknown=bool(some(True)),
        longest=some(0.0, 1.0, 1e300),
        decimal=some(".", ","),
        escape=bool(some(True)),
        encoding=some("cp1252", "utf-16-le", "utf-7", "shift_jis", "utf-8-sig", "hz"),
        sheet=some("Sheet1", "", "2"),
        keep_bots=bool(some(True)),
        assets=some((), (".css", "a")) or ASSETS,
        statuses=some(frozenset({200}), frozenset(range(100, 600))) or STATUSES,
        merge_pages=some(frozenset(("query", "slash", "host", "index"))) or frozenset(),
        drop_repeated=bool(some(True)),
        allow_left_out=not some(True),
        strict=bool(some(True)),
    )


def outcome(path: Path, options: ReadOptions) -> str | list[Row]:
    """What reading a file gives: its sessions, or what it is refused with.

    Asserts what must hold of either.
    """
    tables, origin, _ = read_sessions([path], options)
    try:
        found = list(tables)
    except BadInput as error:
        message = str(error)
        assert message.strip()
        assert len(message) < _LONGEST_MESSAGE
        assert not {"\n", "\r"} & set(message), message
        return message
    report = origin.report
    kept = sum(file.kept for file in report.files)
    others = [*report.left_out.values(), *report.passed.values()]
    n_rows = sum(map(len, found))
    assert report.rows == kept + sum(each.rows for each in others)
    assert all(0 <= file.unmatched <= file.rows for file in report.files)
    assert n_rows == kept or (n_rows < kept and options.drop_repeated)
    assert report.sections()
    assert isinstance(report.alarm(), str)
    return [row for table in found for row in _rows(table)]


def _rows(table: pd.DataFrame) -> Iterator[Row]:
    """The sessions of a table; asserts that each is one, see ``schema``."""
    seconds = table["duration"]
    assert (seconds.isna() | ((seconds >= 0) & (seconds <= LONGEST_DURATION))).all()
    assert ((table["timestamp"] >= FIRST) & (table["timestamp"] <= LAST)).all()
    for user, page, duration, time in zip(
        *(table[name].tolist() for name in table), strict=True
    ):
        assert user.strip()
        assert page.strip()
        yield user, page, None if duration != duration else duration, time


def by_pipe(data: bytes, path: Path, options: ReadOptions) -> str | list[Row]:
    """The outcome where the same bytes come from a pipe with a file's name."""
    os.mkfifo(path)

    def write() -> None:
        with suppress(BrokenPipeError):
            path.write_bytes(data)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return outcome(path, options)
    finally:
        # One that was refused before it was opened, or wasn't read to its end.
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        thread.join()
        path.unlink()


@contextmanager
def in_blocks(size: int) -> Iterator[None]:
    """Meanwhile, text is read in blocks of another size."""
    known, chunk, piece = formats.FORMATS, json_reader._CHUNK, json_reader._PIECE
    read_log, of_log = Log.read, Log.read.__defaults__
    read = partial(csv_reader.read_csv, block_size=size)
    changed = (*known[:-1], known[-1]._replace(read=read))
    values: tuple[Any, ...] = (changed, size, size)
    for where, name, value in zip(
        (formats, json_reader, json_reader),
        ("FORMATS", "_CHUNK", "_PIECE"),
        values,
        strict=True,
    ):
        setattr(where, name, value)
    read_log.__defaults__ = (size,)
    try:
        yield
    finally:
        formats.FORMATS = known  # type: ignore[misc]
        json_reader._CHUNK, json_reader._PIECE = chunk, piece  # type: ignore[misc]
        read_log.__defaults__ = of_log


def check(folder: Path, data: bytes, name: str, options: ReadOptions, how: int) -> None:
    """Assert all that must hold for a file of these bytes under this name.

    *how* is 1 to compare with a pipe besides, 2 or more for blocks of that size.
    """
    path = folder / name
    path.write_bytes(data)
    found = outcome(path, options)
    path.unlink()
    if how == 1:
        assert same(found, by_pipe(data, path, options))
    elif how > 1:
        path.write_bytes(data)
        with in_blocks(how):
            other = outcome(path, options)
        path.unlink()
        # What came before a decimal comma is ambiguous, where it may be so in one part.
        unsure = isinstance(other, str) and "durations are ambiguous" in other
        assert unsure or same(found, other)


def same(one: str | list[Row], other: str | list[Row]) -> bool:
    """Whether two outcomes have the same rows, or are both refusals."""
    if isinstance(one, str) or isinstance(other, str):
        assert type(one) is type(other), (one, other)
        return True
    assert one == other, (one, other)
    return True


def decoded(data: bytes) -> tuple[bytes, str, ReadOptions, int]:
    """What the bytes of the fuzzer stand for: the last five say how to read others."""
    data, tail = data[:-5], data[-5:].ljust(5, b"\0")
    name = NAMES[tail[0] % len(NAMES)]
    pack = _PACKERS[tail[1] % (2 * len(_PACKERS)) // 2] if tail[1] % 2 else bytes
    how = (0, 0, 0, 1, 2, 3, 7, 64)[tail[2] % 8]
    return pack(data), name, options_of(tail[3] * 256 + tail[4]), how


def _zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", data)
    return file.getvalue()


_PACKERS: Final[Sequence[Callable[[bytes], bytes]]] = (
    *(gzip.compress, bz2.compress, lzma.compress, _zipped),
    lambda data: pa.compress(data, "zstd", asbytes=True),
)


def seeds(target: str) -> Iterator[bytes]:
    """Small valid files of a kind, and what fails or failed of the cases."""
    if target == "csv":
        yield from (_TABLE, _TABLE.replace(b",", b";"), b"sep=;\n" + _TABLE)
        yield _TABLE.decode().encode("utf-16")
        for path in sorted(_CASES.glob("*.csv")):
            if path.stat().st_size < 2_000:
                yield path.read_bytes()
    elif target == "json":
        rows = pd.read_csv(io.BytesIO(_TABLE)).to_dict("records")
        yield from (json.dumps(each).encode() for each in (rows, {"rows": rows}))
        yield "\n".join(map(json.dumps, rows)).encode()
        yield b'[{"user":{"id":1},"page":[{}],"time":1e9,"end":"2001-09-09T02:00"},[]]'
        yield (_CASES / "37-ndjson.json").read_bytes() if _CASES.exists() else b"{}"
    elif target == "parquet":
        table = pa.Table.from_pandas(pd.read_csv(io.BytesIO(_TABLE)))
        for compression in ("none", "zstd"):
            file = io.BytesIO()
            pa.parquet.write_table(table, file, compression=compression)
            yield file.getvalue()
        yield from (path.read_bytes() for path in sorted(_CASES.glob("*.parquet")))
    elif target == "log":
        yield from (*_LOGS, b"\0\0" + _LOG, _LOG.replace(b"\n", b"\r\n"))
        yield b"".join(_LOGS)
        yield _LOG.decode().encode("utf-16")
        yield from (path.read_bytes() for path in sorted(_CASES.glob("*.log")))
    elif target == "packed":
        yield from (pack(_TABLE) for pack in _PACKERS)
        yield from (gzip.compress(pack(_TABLE)) for pack in _PACKERS)


class _Faults:
    """Different faults, each with an input that shows it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, int] = {}

    def add(self, error: BaseException, data: bytes) -> None:
        """Keep the input, if it is the shortest so far of its fault."""
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        place = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[::-1])
        key = f"{type(error).__name__} at {place}"
        if len(data) < self._seen.get(key, sys.maxsize):
            self._seen[key] = len(data)
            name = "".join(c if c.isalnum() else "-" for c in key)
            (self._folder / name).write_bytes(data)
            text = "".join(traceback.format_exception(error))
            (self._folder / f"{name}.txt").write_text(f"{decoded(data)}\n{text}")
            print(f"FAULT {key}: {error!s:.300}", file=sys.stderr, flush=True)


def main(seconds: str = "60", target: str = "csv", folder: str = "") -> None:
    """Throw bytes for so many seconds at the readers of one kind of file."""
    atheris = importlib.import_module("atheris")
    kept = Path(folder or tempfile.mkdtemp(prefix="fuzz-"))
    corpus = kept / f"corpus-{target}"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(target)):
        (corpus / f"seed-{number}").write_bytes(data + bytes(5))
    faults = _Faults(kept)
    place = Path(tempfile.mkdtemp(prefix="fuzz-files-"))
    warnings.simplefilter("error")

    def once(data: bytes) -> None:
        try:
            check(place, *decoded(data))
        except Exception as error:
            faults.add(error, data)

    for module in [m for name, m in sys.modules.items() if name.startswith("sources.")]:
        for name, function in vars(module).items():
            if getattr(function, "__module__", "") == module.__name__:
                _instrument(atheris, module, name, function)
    limits = f"-max_total_time={seconds} -timeout=9 -rss_limit_mb=3000 -max_len=9999"
    kinds = f"-artifact_prefix={kept}/ -print_final_stats=1 {corpus}"
    atheris.Setup([sys.argv[0], *limits.split(), *kinds.split()], once)
    atheris.Fuzz()


def _instrument(atheris: Any, module: Any, name: str, function: Any) -> None:
    """Have the fuzzer see which branches of a function, or of methods, are taken."""
    if isinstance(function, type):
        for method in vars(function).values():
            if callable(method) and hasattr(method, "__code__"):
                atheris.instrument_func(method)
    elif hasattr(function, "__code__"):
        setattr(module, name, atheris.instrument_func(function))


if __name__ == "__main__":
    main(*sys.argv[1:])
