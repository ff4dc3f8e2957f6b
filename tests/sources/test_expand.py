import errno
import io
import os
import sys
from pathlib import Path

import pytest

from sources.inputs import (
    STANDARD_INPUT,
    Progress,
    Source,
    expand,
    is_no_table,
    look,
    open_input,
)
from sources.origin import BadInput, NoSuchColumns


def make(folder: Path, *names: str, data: bytes = b"a,b\n1,2\n") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def names(folder: Path, *paths: Path) -> list[str]:
    return [source.path.relative_to(folder).as_posix() for source in expand(paths)]


def message(*paths: Path) -> str:
    with pytest.raises(BadInput) as caught:
        expand(paths)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(
    path: Path, size: int, problem: Exception | None = None, *, closes: bool = False
) -> None:
    """Change a file while it is read, and have a problem with reading it."""
    with open_input(path) as file:
        file.read(1)
        os.truncate(path, size)
        os.utime(path, (2, 2))
        if closes:
            file.close()
        if problem:
            raise problem


def test_files_and_standard_input_are_what_they_are(tmp_path: Path) -> None:
    make(tmp_path, "b.csv", "a.csv")
    nothing = tmp_path / "nothing"
    # What doesn't exist fails when it is opened.
    paths = [tmp_path / "b.csv", STANDARD_INPUT, nothing, tmp_path / "a.csv"]
    assert expand(paths) == [
        Source(tmp_path / "b.csv", f"{tmp_path}/b.csv"),
        Source(STANDARD_INPUT, "standard input"),
        Source(nothing, str(nothing)),
        Source(tmp_path / "a.csv", f"{tmp_path}/a.csv"),
    ]
    with pytest.raises(FileNotFoundError), open_input(nothing):
        pass
    assert expand([]) == []


def test_a_folder_is_all_files_under_it(tmp_path: Path) -> None:
    wanted = ["part-1.csv", "part-2.csv", "part-10.csv", "sub/a.csv", "sub/b/a.csv"]
    hidden = ["_SUCCESS", ".part-1.crc", "_delta_log/0.json", "sub/.x/a.csv"]
    make(tmp_path, *reversed(wanted), *hidden)
    assert names(tmp_path, tmp_path) == wanted
    assert expand([tmp_path])[0].name == f"{tmp_path}/part-1.csv"
    # What is named itself may be hidden.
    assert names(tmp_path, tmp_path / "_delta_log") == ["_delta_log/0.json"]


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    make(tmp_path, "_SUCCESS")
    assert message(tmp_path) == f"{tmp_path}: the folder has no files"


@pytest.mark.parametrize(
    "name",
    [
        "README",
        "readme.txt",
        "README.md",
        "Readme.de.txt",
        "README_data.txt",
        "LICENSE",
        "LICENCE-MIT",
        "COPYING",
        "license.rst",
        "a.md",
        "a.HTML",
        "a.htm",
        "a.pdf",
        "a.png",
        "a.jpg",
        "a.jpeg",
        "a.sql",
        "a.py",
        "part-0.parquet.crc",
        "x/README",
        "dir\\\\LICENSE",
    ],
)
def test_names_of_what_is_no_table(name: str) -> None:
    assert is_no_table(name)


@pytest.mark.parametrize(
    "name",
    [
        "readme.csv",
        "README.json",
        "license_events.parquet",
        "licenses",
        "licenses.csv",
        "a.csv",
        "a.txt",
        "a.log",
        "a.json",
        "a.jsonl",
        "a.tsv",
        "a.md.csv",
        "md",
        "html",
        "part-0",
        "part-0.c000",
        "a.parquet",
        "a.xlsx",
        "README/a.csv",
        "readmes.txt",
        "copying.csv.gz",
        "license.2024-01-01",
        "a.html.gz",
    ],
)
def test_names_of_what_may_be_a_table(name: str) -> None:
    assert not is_no_table(name)


def test_what_is_no_table_is_skipped_in_a_folder(tmp_path: Path) -> None:
    make(tmp_path, "README.md", "a.csv", "b.csv", "sub/LICENSE", "sub/c.csv")
    make(tmp_path, "empty.csv", data=b"")
    (tmp_path / "lost.csv").symlink_to(tmp_path / "nothing")
    found = expand([tmp_path])
    assert [source.path.name for source in found] == [
        *("a.csv", "b.csv", "lost.csv", "c.csv"),
    ]
    skipped = "README.md", "empty.csv", "sub/LICENSE"
    assert found[0].skipped == tuple(f"{tmp_path}/{name}" for name in skipped)
    assert [source.skipped for source in found[1:]] == [()] * 3
    # What is named itself is read.
    for name in ("README.md", "empty.csv", "*.md"):
        (one,) = expand([tmp_path / name])
        assert one.skipped == ()
    for name in ("a.csv", "b.csv", "lost.csv", "sub/c.csv"):
        (tmp_path / name).unlink()
    assert message(tmp_path) == f"{tmp_path}: no table in it"


def test_names_of_folders_may_be_columns(tmp_path: Path) -> None:
    null = "__HIVE_DEFAULT_PARTITION__"
    make(
        tmp_path,
        "year=2023/data.csv",
        "year=2024/site=a%2Fb%20c/more/part=1.csv",
        f"year={null}/data.csv",
        "=x/data.csv",
    )
    found = {source.path.parent.name: source.keys for source in expand([tmp_path])}
    assert found == {
        "year=2023": (("year", "2023"),),
        "more": (("year", "2024"), ("site", "a/b c")),
        f"year={null}": (("year", ""),),
        "=x": (),
    }
    # Not those of folders that are named.
    assert expand([tmp_path / "year=2023"])[0].keys == ()


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_links(tmp_path: Path) -> None:
    make(tmp_path, "one/2024/a.csv", "two/b.csv")
    one = tmp_path / "one"
    (one / "up").symlink_to(tmp_path / "one")
    (one / "2024/top").symlink_to(tmp_path)
    (one / "latest").symlink_to(one / "2024")
    (one / "again.csv").symlink_to(one / "2024/a.csv")
    (one / "other").symlink_to(tmp_path / "two")
    os.mkfifo(one / "pipe")
    assert names(tmp_path, one) == ["one/2024/a.csv", "one/other/b.csv"]


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_links_to_nothing_are_not_lost(tmp_path: Path) -> None:
    make(tmp_path, "a.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "nothing")
    (tmp_path / "c.csv").symlink_to(tmp_path / "c.csv")
    assert names(tmp_path, tmp_path) == ["a.csv", "b.csv", "c.csv"]
    with pytest.raises(OSError, match="No such file"), open_input(tmp_path / "b.csv"):
        pass


def test_patterns(tmp_path: Path) -> None:
    make(tmp_path, "p-10.csv", "p-9.csv", "x.txt", "sub/a.csv", "b[1].csv", "b1.csv")
    assert names(tmp_path, tmp_path / "p-*.csv") == ["p-9.csv", "p-10.csv"]
    assert names(tmp_path, tmp_path / "?.txt") == ["x.txt"]
    assert names(tmp_path, tmp_path / "su[a-c]") == ["sub/a.csv"]
    # A file that is there is what is meant.
    assert names(tmp_path, tmp_path / "b[1].csv") == ["b[1].csv"]
    assert names(tmp_path, tmp_path / "**" / "a.csv") == ["sub/a.csv"]
    none = tmp_path / "*.parquet"
    assert message(none) == f"{none}: no file matches"


@pytest.mark.parametrize("inside", ["access.log*", "no/access.log*", "*/*"])
def test_a_pattern_in_a_folder_that_cannot_be_listed(
    inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern = tmp_path / inside
    # Root may list whatever its mode is.
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert message(pattern) == f"{pattern}: {tmp_path}: Permission denied"


def test_nothing_is_counted_twice(tmp_path: Path) -> None:
    make(tmp_path, "a.csv", "b.csv")
    file = tmp_path / "a.csv"
    words = "named twice, and would be counted twice"
    for other in (file, tmp_path, tmp_path / "a*", tmp_path / "x" / ".." / "a.csv"):
        (tmp_path / "x").mkdir(exist_ok=True)
        assert message(file, other).endswith(f"a.csv: {words}")
        assert message(other, file).endswith(f"a.csv: {words}")
    assert message(STANDARD_INPUT, STANDARD_INPUT) == f"standard input: {words}"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (312_000_000, 50_000_000, " (from 312 MB to 50 MB)"),
        (17, 1_700, " (from 17 bytes to 2 kB)"),
        (2_000_000, 2_000_001, " (from 2,000,000 to 2,000,001 bytes)"),
        (3_000_000_000, 0, " (from 3.0 GB to 0 bytes)"),
        (1_000, 1_000, ""),
    ],
)
def test_a_file_that_changes_is_told(
    tmp_path: Path, before: int, after: int, words: str
) -> None:
    path = tmp_path / "a"
    path.touch()
    os.truncate(path, before)
    os.utime(path, (1, 1))
    for problem in (None, ValueError("half a row"), OSError("it ends")):
        os.truncate(path, before)
        os.utime(path, (1, 1))
        with pytest.raises(BadInput) as caught:
            change(path, after, problem)
        whole = f"it changed while it was read{words}; read it again when it is whole"
        assert str(caught.value) == whole


def test_a_file_that_is_replaced_or_deleted_is_told(tmp_path: Path) -> None:
    make(tmp_path, "a", "b")
    path = tmp_path / "a"
    words = "^it was replaced by another while it was read; read it again$"
    with pytest.raises(BadInput, match=words), open_input(path):
        (tmp_path / "b").replace(path)
    words = "^it was deleted while it was read; read it again$"
    with pytest.raises(BadInput, match=words), open_input(path):
        path.unlink()


def test_what_is_no_matter_of_change(tmp_path: Path) -> None:
    make(tmp_path, "a")
    path = tmp_path / "a"
    for error in (NoSuchColumns("none"), KeyError("bug")):
        with pytest.raises(type(error)):
            change(path, 2, error)
        make(tmp_path, "a")
    with pytest.raises(OSError, match="disk") as caught, open_input(path):
        raise OSError(errno.EIO, "disk")
    assert caught.value.errno == errno.EIO
    # Whoever reads may close it.
    with pytest.raises(BadInput, match="it changed"):
        change(path, 2, closes=True)


def test_progress(tmp_path: Path) -> None:
    make(tmp_path, "a", "b", data=bytes(1_000_000))
    sources = expand([tmp_path])
    progress = Progress(sources)
    assert progress.total == 2_000_000
    assert progress.done() == 0
    with open_input(sources[0].path, progress) as file:
        file.read(300_000)
        assert 300_000 <= progress.done() <= 400_000
        file.seek(0)
        assert progress.done() >= 300_000
        file.close()
        assert progress.done() >= 300_000
    assert progress.done() == 1_000_000
    with open_input(sources[1].path, progress) as file:
        file.seek(500_000)
        assert progress.done() == 1_500_000
    assert progress.done() == 2_000_000
    # Reading it again is no more.
    with open_input(sources[1].path, progress):
        assert progress.done() == 2_000_000


def test_progress_is_unknown_for_pipes_and_nothing_for_none(tmp_path: Path) -> None:
    make(tmp_path, "a")
    assert Progress(expand([tmp_path, STANDARD_INPUT])).total is None
    assert Progress(expand([tmp_path / "nothing"])).total == 0


def test_standard_input_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc")))
    progress = Progress(expand([STANDARD_INPUT]))
    with open_input(STANDARD_INPUT, progress) as stream:
        assert not stream.seekable()
        assert stream.read() == b"abc"
        stream.close()
    assert not sys.stdin.closed
    assert progress.done() == 0


def test_looking_leaves_the_stream_as_it_is() -> None:
    data = io.BytesIO(b"abcdef")
    data.read(1)
    assert look(data, 3) == (b"bcd", data)
    assert data.read() == b"bcdef"
