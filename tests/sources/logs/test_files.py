"""Logs as servers leave them: rotated, empty, and written on while they are read."""

import gzip
import io
import itertools
import os
import threading
from pathlib import Path

import pytest

from sources import BadInput, ReadOptions, read_bytes, read_sessions
from sources.logs import HEAD_SIZE
from sources.logs.forms import find_forms
from sources.logs.lines import read_lines
from tests.sources.conftest import Write
from tests.sources.logs.reading import counts, line, read, read_text, views_of


def pages(path: Path, *others: Path) -> dict[str, float | None]:
    return {page: lasts for _, page, _, lasts in read(path, *others)[0]}


def test_equal_times_over_rotated_files_are_in_the_order_of_these(write: Write) -> None:
    old = line("09:00:00", "/1") + line("10:00:00", "/2")
    new = line("10:00:00", "/3") + line("10:00:07", "/4")
    for names in itertools.permutations(("access.log", "access.log.1")):
        paths = [write(old, names[0]), write(new, names[1])]
        expected = {"/1": None, "/2": 0, "/3": 7, "/4": None}
        assert pages(*paths) == pages(*paths[::-1]) == expected


def test_three_files_in_any_order(write: Write) -> None:
    parts = [
        line("09:00:00", "/1") + line("10:00:00", "/2"),
        line("10:00:00", "/3") + line("10:00:00", "/4") + line("11:00:00", "/5"),
        line("11:00:00", "/6") + line("11:00:09", "/7"),
    ]
    expected: dict[str, float | None] = {"/2": 0, "/3": 0, "/5": 0, "/6": 9}
    expected |= dict.fromkeys(("/1", "/4", "/7"))
    for order in itertools.permutations(range(3)):
        paths = [write(parts[n], f"{place}.log") for place, n in enumerate(order)]
        assert pages(*paths) == expected


def test_a_file_of_blank_lines_among_others_is_skipped(write: Write) -> None:
    views, report = read(write(line(), "access.log"), write("\n \r\n", "blank.log"))
    assert len(views) == 1
    assert "Skipped, as they hold no sessions: blank.log." in report.notes


def test_an_empty_file_among_others_is_skipped(write: Write, tmp_path: Path) -> None:
    log, empty = write(line(), "access.log.1"), write("", "access.log")
    for paths in ([empty, log], [log, empty], [tmp_path]):
        views, report = read(*paths)
        assert len(views) == 1
        assert any("access.log." in note for note in report.notes)
    with pytest.raises(BadInput, match=r"access\.log: the file is empty$"):
        read(empty)


def test_any_number_of_nuls_may_stand_in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.formats.HEAD_SIZE", 256)
    log = bytes(600_000) + line().encode() * 3_000
    for data in (log, gzip.compress(log)):
        assert len(views_of(read_bytes("access.log", data).tables)) == 3_000
    with pytest.raises(BadInput, match="the file is empty"):
        list(
            read_bytes("access.log", gzip.compress(bytes(600_000 // 256 * 256))).tables
        )


class _Heard(io.BytesIO):
    """Bytes that know which threads read them."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.readers: set[threading.Thread] = set()

    def read(self, size: int | None = -1, /) -> bytes:
        self.readers.add(threading.current_thread())
        return super().read(size)


def test_ctrl_c_ends_the_wait_for_a_pipe() -> None:
    # It interrupts the main thread; what another waits for, the program waits for.
    stream = _Heard(line().encode() * 100)
    found = find_forms(line().encode(), ReadOptions())
    assert found is not None
    read = list(read_lines(stream, *found, 1_000))
    assert sum(len(each.requests.line) for each in read) == 100
    assert stream.readers == {threading.current_thread()}


def changing(
    path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> tuple[int, list[str]]:
    """How many views a log gives that changes behind its first block, and notes."""
    monkeypatch.setattr("sources.logs.reader.Log.read.__defaults__", (1 << 10,))
    size = path.stat().st_size
    reading = read_sessions([path], ReadOptions())
    real = os.fstat

    def fstat(number: int) -> os.stat_result:
        found = real(number)
        if change == "grow":
            with path.open("ab") as file:
                file.write(line("23:00:00").encode() * 100)
        elif change == "shrink":
            os.truncate(path, size // 2)
        elif change == "replace":
            os.rename(path, path.with_name("access.log.1"))
            path.write_text(line())
        elif change == "delete":
            path.unlink(missing_ok=True)
        return found

    # It is looked at when it has been opened, and that again when it was read.
    with monkeypatch.context() as patch:
        patch.setattr("sources.inputs.os.fstat", _once(fstat, real))
        views = views_of(reading.tables)
    return len(views), reading.origin.report.notes


def _once(first: object, then: object) -> object:
    calls = iter([first])
    return lambda number: next(calls, then)(number)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("change", "n_views", "words"),
    [
        ("grow", 300, "it changed while it was read (from 17 kB to 25 kB)"),
        ("shrink", 100, "it changed while it was read (from 17 kB to 8 kB)"),
        ("replace", 200, "it was replaced by another while it was read"),
        ("delete", 200, "it was deleted while it was read"),
    ],
)
def test_a_log_that_changes_is_told_and_read_all_the_same(
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    n_views: int,
    words: str,
) -> None:
    path = write(line() * 200, "access.log")
    found, notes = changing(path, monkeypatch, change)
    assert found == n_views
    note = next(note for note in notes if "while it was read" in note)
    lost = "what was written to it or taken from it meanwhile may be missing."
    assert note == f"access.log: {words}; {lost}"


def test_a_table_that_changes_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("user_id,page,duration,timestamp\n" + "a,/,1,2024-03-01\n" * 9)
    with pytest.raises(BadInput, match="it was deleted while it was read"):
        changing(path, monkeypatch, "delete")


def test_a_log_beside_a_table(write: Write) -> None:
    table = write("user_id,page,duration,timestamp\n1.1.1.1,/x,7,2024-03-01 10:00:05\n")
    log = write(line() + line("10:00:09", "/b"), "access.log")
    assert pages(table, log) == {"/x": 7, "/a": 9, "/b": None}
    _, report = read(table, log)
    assert report.durations.startswith("Durations of access.log are derived")
    assert report.views_text() == "2 of 2 lines are page views: each is a session."


@pytest.mark.parametrize("size", [1, HEAD_SIZE - 1, HEAD_SIZE, 3 * HEAD_SIZE + 7])
@pytest.mark.parametrize("is_packed", [False, True])
def test_nuls_that_fill_what_was_emptied(
    size: int, is_packed: bool, tmp_path: Path
) -> None:
    data = bytes(size) + line().encode() * 2
    path = tmp_path / "access.log"
    path.write_bytes(gzip.compress(data) if is_packed else data)
    views, report = read(path)
    assert [view[3] for view in views] == [0.0, None]
    assert not counts(report)


def test_marks_that_are_written_twice() -> None:
    header = "host\ttime\tmethod\turl\tresponse\n"
    row = "1.1.1.1\t1709283600\tGET\t/a\t200\n"
    views, _ = read_text(f"\ufeff\ufeff{header}{row}")
    assert views == [("1.1.1.1", "/a", 1_709_283_600.0, None)]
