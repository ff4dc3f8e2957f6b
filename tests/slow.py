"""What ``Activity.summarise`` means, written as slowly and obviously as possible."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from activity import Selection

from .conftest import Row


@dataclass
class SlowTally:
    sessions: dict[str, int]
    unknown: dict[str, int]
    seconds: dict[str, float]
    squares: dict[str, float]
    histogram: list[int]


def selected(row: Row, selection: Selection) -> bool:
    """Whether a session is picked, the user aside."""
    _, page, duration, timestamp = row
    day = datetime.fromisoformat(timestamp).replace(tzinfo=UTC).date()
    if selection.start is not None and day < selection.start:
        return False
    if selection.end is not None and day >= selection.end:
        return False
    if selection.pages and page not in selection.pages:
        return False
    if duration is None:
        return selection.shortest is None and selection.longest is None
    if selection.shortest is not None and duration < selection.shortest:
        return False
    return selection.longest is None or duration < selection.longest


def tally(rows: Sequence[Row], pages: Sequence[str], edges: list[float]) -> SlowTally:
    """Count and sum rows one by one."""
    known: dict[str, list[float]] = {page: [] for page in pages}
    unknown = dict.fromkeys(pages, 0)
    histogram = [0] * (len(edges) - 1)
    for _, page, duration, _ in rows:
        if duration is None:
            unknown[page] += 1
            continue
        known[page].append(duration)
        for i in range(len(histogram)):
            if edges[i] <= duration < edges[i + 1]:
                histogram[i] += 1
    mean = {page: math.fsum(d) / len(d) if d else 0.0 for page, d in known.items()}
    return SlowTally(
        sessions={page: len(known[page]) + unknown[page] for page in pages},
        unknown=unknown,
        seconds={page: math.fsum(known[page]) for page in pages},
        squares={
            page: math.fsum((d - mean[page]) ** 2 for d in known[page])
            for page in pages
        },
        histogram=histogram,
    )
