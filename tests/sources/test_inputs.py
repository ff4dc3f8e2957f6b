import gzip
import io
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sources import BadInput, Origin, is_read_once, read_sessions
from sources.inputs import STANDARD_INPUT, peek
from tests.sources.conftest import Write, parquet

CSV = b"user_id,page,duration,timestamp\nann,home,10,2024-01-01\n"
ANN = ["ann"]

Pipe = Callable[..., Path]

needs_fifo = pytest.mark.skipif(os.name != "posix", reason="needs named pipes")


def users(*paths: Path) -> tuple[list[str], Origin]:
    stream, origin, _ = read_sessions(paths)
    return [user for part in stream for user in part["user_id"]], origin


@pytest.fixture
def pipe(tmp_path: Path) -> Pipe:
    """A named pipe into which something is written, in pieces that come apart."""

    def pipe(*pieces: bytes, name: str = "pipe") -> Path:
        path = tmp_path / name
        os.mkfifo(path)

        def fill() -> None:
            with path.open("wb", buffering=0) as end:
                for piece in pieces:
                    end.write(piece)

        threading.Thread(target=fill, daemon=True).start()
        return path

    return pipe


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def set_(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return set_


@needs_fifo
@pytest.mark.parametrize(
    "pieces",
    [
        (CSV,),
        (CSV[:1], CSV[1:3], CSV[3:]),
        (gzip.compress(CSV, mtime=0)[:1], gzip.compress(CSV, mtime=0)[1:]),
    ],
)
def test_a_pipe_is_read_once(pipe: Pipe, pieces: tuple[bytes, ...]) -> None:
    path = pipe(*pieces)
    assert is_read_once(path)
    found, origin = users(path)
    assert found == ANN
    assert origin.name == "pipe"


@needs_fifo
def test_parquet_comes_through_a_pipe(pipe: Pipe, tmp_path: Path) -> None:
    data = parquet(tmp_path / "a.parquet").read_bytes()
    assert users(pipe(data, name="plain"))[0] == ["ann", "bob"]
    # The head of what is inside is looked at, too.
    assert users(pipe(gzip.compress(data), name="packed"))[0] == ["ann", "bob"]


@needs_fifo
@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "pipe", "the file is empty"),
        (CSV.replace(b"page", b"side"), "pipe", "no column for the page"),
        (CSV, "a.csv.gz", "not gzipped, though its name says so"),
        (b"PAR1 nothing", "pipe", "cannot be read as Parquet"),
        (gzip.compress(CSV, mtime=0)[:-9], "pipe", "the gzipped data is damaged"),
    ],
)
def test_a_bad_pipe_is_one_line(pipe: Pipe, data: bytes, name: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        users(pipe(data, name=name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [CSV, gzip.compress(CSV, mtime=0)])
def test_standard_input(
    standard_input: Callable[[bytes], None], write: Write, data: bytes
) -> None:
    standard_input(data)
    assert is_read_once(STANDARD_INPUT)
    found, origin = users(STANDARD_INPUT, write(CSV))
    assert found == ANN * 2
    assert origin.name == "standard input, sessions.csv"
    # Others may still want to look at it.
    assert not sys.stdin.closed


def test_standard_input_is_named_in_errors(
    standard_input: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    standard_input(CSV)
    with pytest.raises(BadInput, match=r"^standard input: named twice"):
        users(STANDARD_INPUT, STANDARD_INPUT)
    standard_input(b"")
    with pytest.raises(BadInput, match=r"^standard input: the file is empty$"):
        users(STANDARD_INPUT)
    standard_input(CSV[:32])
    with pytest.raises(BadInput, match=r"^standard input: no usable row"):
        users(STANDARD_INPUT)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(BadInput, match=r"^standard input: it is closed$"):
        users(STANDARD_INPUT)


def test_files_can_be_read_again(write: Write, tmp_path: Path) -> None:
    assert not is_read_once(write(CSV))
    assert not is_read_once(tmp_path)
    assert not is_read_once(tmp_path / "nothing")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("first", "last"),
    [('"note\nmore"', "x"), ("x", '"a ""b""\r\n\n,;c"'), ('"\n"', '"x;\ty\n"')],
)
def test_names_of_columns_may_have_line_feeds(
    write: Write, delimiter: str, first: str, last: str
) -> None:
    names = [first, "user_id", "page", "duration", "timestamp", last]
    rows = [["1", "ann", "home", "10", "2024-01-01", "2"]] * 2
    lines = "\n".join(delimiter.join(row) for row in [names, *rows])
    assert users(write(lines))[0] == ANN * 2


def test_rows_that_another_delimiter_takes_for_names_are_not_lost(write: Write) -> None:
    # By semicolons, the header would go on to the last row.
    rows = "ann,home,10,2024-01-01,1\n" * 2
    path = write(
        f'user_id,page,duration,timestamp,a;"b\n{rows}ann,home,1,2024-01-01,"x"\n'
    )
    assert users(path)[0] == ANN * 3


def test_a_column_that_is_missing_is_told_in_one_line(write: Write) -> None:
    path = write('"note\nmore",user_id,page\n1,ann,home\n')
    with pytest.raises(BadInput, match="its columns are: note more, user_id") as caught:
        users(path)
    assert "\n" not in str(caught.value)


def test_a_header_whose_quotation_mark_stays_open(write: Write) -> None:
    rows = "ann,home,10,2024-01-01\n" * 20_000
    path = write(f'user_id,page,duration,timestamp,"note\n{rows}')
    with pytest.raises(BadInput):
        users(path)


def test_peek_gives_back_what_it_took() -> None:
    data = bytes(range(256)) * 1_000
    for size in (0, 4, 300_000):
        head, stream = peek(io.BytesIO(data), size)
        assert head == data[:size]
        assert stream.read(7) + stream.read() == data
        assert not stream.seekable()


def test_a_table_of_a_pipe_is_what_a_file_gives(pipe: Pipe, write: Write) -> None:
    rows = b"".join(b"u%d,p,%d,2024-01-01\n" % (n, n) for n in range(50_000))
    ours, theirs = (
        pd.concat(read_sessions([path])[0])
        for path in (pipe(CSV + rows), write(CSV + rows))
    )
    assert len(ours) == 50_001
    pd.testing.assert_frame_equal(ours, theirs)
