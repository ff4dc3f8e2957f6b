"""Real logs, counted by another program beforehand: every number of these counts."""

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from sources import ReadOptions
from sources.logs import HEAD_SIZE
from sources.logs.forms import find_forms
from sources.logs.lines import read_lines
from sources.logs.requests import Requests
from sources.logs.texts import decoded
from sources.times import TimeReader
from tests.sources.logs import slow_log
from tests.sources.logs.reading import (
    SHARED,
    View,
    counts,
    in_blocks,
    needs_logs,
    notes,
    read,
    read_text,
)

pytestmark = needs_logs

LOGS = {
    "elastic-apache": "apache_logs",
    "hackers-log": "hackers-access.log",
    "nasa-1995": "nasa_19950801.tsv",
}
each_log = pytest.mark.parametrize("name", LOGS)


class Known(NamedTuple):
    """A log and what it holds."""

    data: bytes
    truth: Mapping[str, Any]


@cache
def known(name: str) -> Known:
    truth = json.loads((SHARED / name / "truth.json").read_text())
    return Known((SHARED / name / LOGS[name]).read_bytes(), truth)


def when(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def summary(views: Sequence[View]) -> dict[str, Any]:
    """What a truth says of views, whatever the order of equal times."""
    seconds = [view[3] for view in views if view[3] is not None]
    by_page = Counter(view[1] for view in views)
    return {
        "kept_views": len(views),
        "users": len({view[0] for view in views}),
        "pages": len(by_page),
        "visits": len(views) - len(seconds),
        "views_with_duration": len(seconds),
        "total_seconds": sum(seconds),
        "median_duration": median(seconds),
        "mean_duration": round(sum(seconds) / len(seconds), 6),
        "max_duration": max(seconds),
        "zero_durations": seconds.count(0),
        "first_kept": min(view[2] for view in views),
        "last_kept": max(view[2] for view in views),
        "top10_pages_by_views": top(by_page),
    }


def top(by_page: Mapping[str, Any]) -> list[list[Any]]:
    """The ten largest, equal ones by their names."""
    ordered = sorted(by_page.items(), key=lambda item: (-item[1], item[0]))
    return [list(item) for item in ordered[:10]]


def in_order(views: Sequence[View]) -> dict[str, Any]:
    """What a truth says of views that does depend on the order of equal times."""
    by_page: dict[str, float] = defaultdict(float)
    by_user: dict[str, list[View]] = {}
    for view in views:
        by_page[view[1]] += view[3] or 0
        by_user.setdefault(view[0], []).append(view)
    n_views = Counter(view[1] for view in views)
    ties = 0
    for ours in by_user.values():
        ours.sort(key=lambda view: view[2])
        pairs = pairwise(ours)
        ties += sum(a[2] == b[2] and a[1] != b[1] for a, b in pairs)
    return {
        "top10_pages_by_total_seconds": [
            [page, seconds, n_views[page]] for page, seconds in top(by_page)
        ],
        "equal_time_neighbours_on_different_pages": ties,
    }


def expected(truth: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """What the truth says of the same."""
    found = {name: truth[name] for name in names}
    for name in {"first_kept", "last_kept"} & set(found):
        found[name] = when(found[name])
    return found


def check(views: Sequence[View], truth: Mapping[str, Any], *, ordered: bool) -> None:
    for found in [summary(views), *([in_order(views)] if ordered else [])]:
        assert found == expected(truth, found)


@each_log
def test_all_that_is_known_of_views(name: str) -> None:
    data, truth = known(name)
    views, report = read_text(data, keep_bots=True)
    check(views, truth, ordered=True)
    assert report.rows == truth["lines"]
    assert f"{truth['kept_views']:,} of {truth['lines']:,} lines" in report.views_text()
    left_out = report.left_out
    assert sum(each.rows for each in left_out.values()) == truth["unparsable"]
    for place, each in zip(
        truth.get("unparsable_lines", ()), left_out.values(), strict=True
    ):
        assert each.example.startswith(f"line {place.rpartition(':')[2]}: ")
    assert report.passed.get("no request") is None
    assert truth.get("malformed_requests", 0) == 0
    n_earlier = truth["out_of_order_neighbours_in_file"]
    said = f"{n_earlier:,} page views are earlier than the one before"
    assert any(note.startswith(said) for note in notes(report)) == (n_earlier > 0)
    earlier = sum(b[2] < a[2] for a, b in pairwise(views))
    assert earlier == n_earlier


def requests_of(data: bytes) -> Iterator[Requests]:
    found = find_forms(data[:HEAD_SIZE], ReadOptions())
    assert found is not None
    for each in read_lines(io.BytesIO(data), *found, 1 << 20):
        yield each.requests


@each_log
def test_all_that_is_known_of_requests(name: str) -> None:
    data, truth = known(name)
    users, pages = set(), set()
    statuses: Counter[str] = Counter()
    methods: Counter[str] = Counter()
    times = []
    for part in requests_of(data):
        users |= set(part.client.to_pylist())
        pages |= set(part.page.to_pylist())
        statuses.update(map(str, part.status.tolist()))
        methods.update(decoded(part.method).to_pylist())
        found = TimeReader(None, None).read(pa.chunked_array([part.time]))
        times.append(found.microseconds[~found.unreadable])
    assert len(users) == truth["users_all_parsed_lines"]
    assert len(pages) == truth["paths_all_parsed_lines"]
    if "statuses" in truth:
        assert statuses == truth["statuses"]
        assert methods == truth["methods"]
    every = np.concatenate(times) / 1e6
    assert every.min() == when(truth["first"])
    assert every.max() == when(truth["last"])
    assert len(every) == truth["lines"] - truth["unparsable"]


@each_log
def test_the_slow_reader_says_the_same(name: str) -> None:
    data, truth = known(name)
    told = slow_log.read(data, table=name == "nasa-1995")
    lasts = slow_log.durations(told.views)
    views = [(*view, n) for view, n in zip(told.views, lasts, strict=True)]
    check(views, truth, ordered=True)
    found, report = read_text(data, keep_bots=True)
    assert found == views
    assert counts(report) == told.counts


@each_log
def test_bots_are_those_of_the_slow_reader(name: str) -> None:
    data, _ = known(name)
    told = slow_log.read(data, table=name == "nasa-1995", keep_bots=False)
    found, report = read_text(data)
    assert [view[:3] for view in found] == told.views
    assert counts(report) == told.counts
    assert told.counts["bots"] == {"elastic-apache": 1_764}.get(name, 0)


def header_of(name: str, data: bytes) -> tuple[bytes, list[bytes]]:
    """The first line if it is a header, and the others."""
    lines = data.splitlines(keepends=True)
    n = int(name == "nasa-1995")
    return b"".join(lines[:n]), lines[n:]


@each_log
def test_the_order_of_lines_does_not_matter(name: str) -> None:
    data, truth = known(name)
    header, lines = header_of(name, data)
    random.Random(5).shuffle(lines)
    views, report = read_text(header + b"".join(lines), keep_bots=True)
    check(views, truth, ordered=False)
    assert report.rows == truth["lines"]
    assert sum(each.rows for each in report.left_out.values()) == truth["unparsable"]


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("access.log", data)
    return file.getvalue()


PACKERS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("", bytes),
    (".gz", gzip.compress),
    (".zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
    (".bz2", bz2.compress),
    (".xz", lambda data: lzma.compress(data, preset=0)),
    (".zip", zipped),
)


@each_log
@pytest.mark.parametrize("seed", range(2))
def test_a_rotated_log_is_the_whole(name: str, seed: int, tmp_path: Path) -> None:
    data, truth = known(name)
    header, lines = header_of(name, data)
    chance = random.Random(seed)
    edges = sorted(chance.sample(range(500, len(lines) - 500), 4))
    pieces = [
        header + b"".join(lines[start:stop])
        for start, stop in zip([0, *edges], [*edges, len(lines)], strict=True)
    ]
    # The newest is access.log, or has any name, and they are given in any order.
    numbers = list(range(len(pieces)))[::-1]
    if seed:
        chance.shuffle(numbers)
    paths = []
    for number, piece in zip(numbers, pieces, strict=True):
        ending, pack = PACKERS[number]
        path = tmp_path / f"access.log{f'.{number}' * (number > 0)}{ending}"
        path.write_bytes(pack(piece))
        paths.append(path)
    chance.shuffle(paths)
    views, report = read(*paths, keep_bots=True)
    check(views, truth, ordered=True)
    assert report.rows == truth["lines"]
    views, _ = read(tmp_path, keep_bots=True)
    check(views, truth, ordered=True)


@each_log
@pytest.mark.parametrize(("ending", "pack"), PACKERS)
def test_packed_or_not(
    name: str, ending: str, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    data, truth = known(name)
    path = tmp_path / f"access.log{ending}"
    path.write_bytes(pack(data))
    check(read(path, keep_bots=True)[0], truth, ordered=True)


@each_log
@pytest.mark.parametrize(("size", "most"), [(1 << 10, 10**5), (54_321, 10**9)])
def test_blocks_of_any_size(name: str, size: int, most: int) -> None:
    # Each block costs some milliseconds.
    data = known(name).data[:most]
    told = slow_log.read(data, table=name == "nasa-1995")
    views, report = in_blocks(data, size, keep_bots=True)
    assert views == told.views
    both = report.passed | report.left_out
    assert {reason: each.rows for reason, each in both.items()} == told.counts
    assert report.rows == told.n_lines
