"""Reading files beside what PyArrow needs just to read them, in CPU time (on Linux).

Each is measured in a process of its own, on files that are made for it and removed.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

_CHILD: Final = """
import json, resource, sys, time
from pathlib import Path
import pyarrow as pa, pyarrow.csv, pyarrow.parquet
from engine.memory import MemoryEngine
from sources import read_sessions
path = Path(sys.argv[2])

def arrow():
    read = pa.csv.read_csv if path.suffix == ".csv" else pa.parquet.read_table
    return len(read(path))

def read():
    return sum(map(len, read_sessions([path]).tables))

def build():
    return MemoryEngine(read_sessions([path]).tables).facts.n_sessions

def peak():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])

before, at_first = resource.getrusage(resource.RUSAGE_SELF), peak()
began = time.perf_counter()
rows = dict(arrow=arrow, read=read, build=build)[sys.argv[1]]()
wall = time.perf_counter() - began
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
more = peak() - at_first
print(json.dumps(dict(cpu=cpu, wall=wall, peak=more, rows=rows)))
"""


def main(rows: int = 10_000_000) -> None:
    """Print a table of times and memory for files of so many rows."""
    print(
        f"| {rows:,} rows | size | PyArrow alone, s | read, s | ratio | goal "
        "| read and build, s | peak, bytes a row |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in _files(Path(folder), rows):
            found = {task: _measure(task, path) for task in ("arrow", "read", "build")}
            cpu = {task: each["cpu"] for task, each in found.items()}
            assert all(each["rows"] == rows for each in found.values())
            goal = "≤ 4 ×" if "derived" in name else "≤ 2 ×"
            print(
                f"| {name} | {path.stat().st_size / 1e6:,.0f} MB | {cpu['arrow']:.1f} "
                f"| {cpu['read']:.1f} | {cpu['read'] / cpu['arrow']:.1f} × | {goal} "
                f"| {cpu['build']:.1f} | {found['build']['peak'] / rows:.0f} |"
            )


def _files(folder: Path, rows: int) -> list[tuple[str, Path]]:
    rng = np.random.default_rng(0)
    users = np.array([f"u{n:05}" for n in range(50_000)])
    pages = np.array([f"/shop/item-{n}" for n in range(500)])
    start = np.datetime64("2024-01-01T00:00:00", "s")
    columns: dict[str, Any] = {
        "user_id": users[rng.integers(0, len(users), rows)],
        "page": pages[rng.integers(0, len(pages), rows)],
        "duration": rng.lognormal(4, 1, rows).round(3),
        "timestamp": start + np.sort(rng.integers(0, 31_000_000, rows)),
    }
    table = pa.table(columns)
    found: list[tuple[str, Path]] = []
    for name, kept in (("", table), (", derived", table.drop_columns("duration"))):
        path = folder / f"sessions{len(found)}.csv"
        pa.csv.write_csv(kept, path)
        found.append((f"CSV{name}", path))
    path = folder / "sessions.parquet"
    pa.parquet.write_table(table, path)
    return [*found, ("Parquet", path)]


def _measure(task: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-c", _CHILD, task, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
