"""Reading a web server's log beside GoAccess, DuckDB and Polars (on Linux).

Each is measured in a process of its own, in turns, on a log that is made for it and
removed. "Kept" are lines: what GoAccess takes for valid, what has a time to DuckDB and
Polars, and views of pages by people to the application.
"""

import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

_FIRST_DAY: Final = date(2025, 1, 6)
_N_DAYS: Final = 30
_DAY: Final = 86_400
_MONTHS: Final = ("Jan", "Feb")
"""In English, whatever the locale; more aren't needed."""
_N_PAGES: Final = 5_000
_N_ASSETS: Final = 400
_N_AGENTS: Final = 3_000
_N_PEOPLE: Final = 48_500
_N_BOTS: Final = 1_500
_BOT_VISITS: Final = 0.44
"""Of visits; bots ask for no assets, so that a fifth of the lines are theirs."""
_ESCAPED: Final = 0.01
_BROKEN: Final = 0.0005

_BOTS: Final = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
    "+http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/131.0.6778.139 Mobile Safari/537.36 (compatible; "
    "Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; "
    "+https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)",
    "Mozilla/5.0 (compatible; DotBot/1.2; +https://opensiteexplorer.org/dotbot)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; "
    "+http://www.baidu.com/search/spider.html)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
    "Mozilla/5.0 (compatible; Applebot/0.1; +http://www.apple.com/go/applebot)",
]

_ESCAPED_AGENTS: Final = [
    r"Mozilla/5.0 (compatible; \"Nightly\" Reader/1.0; +https://reader.example/about)",
    r"\"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36\"",
    r"Feed\\Fetcher/2.0 (Windows; C:\\feeds\\list.opml)",
]
_HANDSHAKE: Final = r"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
_ESCAPED_REQUESTS: Final = [
    r"GET /search?q=\"red+shoes\" HTTP/1.1",
    r"GET /wiki/Caf\xc3\xa9 HTTP/1.1",
    r"GET /search?q=\"unclosed HTTP/1.1",
    _HANDSHAKE,
]
_ERROR: Final = (
    "[Mon Jan 06 10:11:12.131415 2025] [core:error] [pid 4711] [client 192.0.2.7:5150] "
    "AH00037: Symbolic link not allowed or link target not accessible\n"
)

_GOACCESS: Final = "goaccess"
_GOAL: Final = "≥ 5 ×"
"""Of what GoAccess reads in the same time."""


def main(n_lines: int = 1_000_000, n_times: int = 3) -> None:
    """Print a table of times and memory for a log of so many lines, medians."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "access.log"
        packed = path.with_name("access.log.gz")
        write_log(path, n_lines)
        with path.open("rb") as log, gzip.open(packed, "wb", 6) as file:
            shutil.copyfileobj(log, file)
        size = path.stat().st_size / 1e6
        tasks = [
            _Task(f"GoAccess {_version()}, its report".replace(" ,", ","), "goaccess"),
            _Task("DuckDB's CSV reader, fields and times", "duckdb"),
            _Task("Polars, lines as CSV, fields by a pattern, times", "polars"),
            _Task("application, read", "read", goal=_GOAL),
            _Task("application, read and build", "build", goal=_GOAL),
            _Task("application, read, of gzip", "read", is_packed=True),
        ]
        found: dict[_Task, list[_Found]] = {task: [] for task in tasks}
        # In turns, so that what else the machine does is shared.
        for _ in range(n_times):
            for task, runs in found.items():
                if not _why_not(runs):
                    runs.append(_measure(task, packed if task.is_packed else path))
    _print(found, n_lines, size)


class _Task(NamedTuple):
    """A way to read the log."""

    name: str
    """What the table calls it."""
    task: str
    """A key of ``_TASKS``."""
    is_packed: bool = False
    goal: str = ""


class _Found(NamedTuple):
    """What was measured of one run."""

    rows: int = 0
    wall: float = 0
    cpu: float = 0
    peak: int = 0
    """Bytes, with the program itself."""
    more: int = 0
    """Bytes, without it."""
    why_not: str = ""
    """Why nothing could be measured."""


def _print(found: dict[_Task, list[_Found]], n_lines: int, size: float) -> None:
    print(
        f"| {n_lines:,} lines, {size:,.0f} MB | seconds | lines a second "
        "| beside GoAccess | CPU, s | peak, MB (more, bytes a line) | kept | goal |"
    )
    print("|---|---|---|---|---|---|---|---|")
    goaccess = next(iter(found.values()))
    base = 0 if _why_not(goaccess) else median(run.wall for run in goaccess)
    for task, runs in found.items():
        if why_not := _why_not(runs):
            print(f"| {task.name} | {why_not} | | | | | | {task.goal} |")
            continue
        wall = median(run.wall for run in runs)
        print(
            f"| {task.name} | {wall:.2f} | {n_lines / wall:,.0f} "
            f"| {f'{base / wall:.1f} ×' if base else ''} "
            f"| {median(run.cpu for run in runs):.2f} "
            f"| {median(run.peak for run in runs) / 1e6:,.0f} "
            f"({median(run.more for run in runs) / n_lines:,.0f}) "
            f"| {runs[0].rows:,} | {task.goal} |"
        )


def _why_not(runs: list[_Found]) -> str:
    return next((run.why_not for run in runs if run.why_not), "")


def _measure(task: _Task, path: Path) -> _Found:
    if task.task == "goaccess" and not shutil.which(_GOACCESS):
        return _Found(why_not="not installed")
    command = [sys.executable, "-m", "benchmarks.logs", task.task, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        why_not = done.stderr.strip().splitlines()[-1].replace("|", "/")
        return _Found(why_not=why_not.replace(str(path), path.name)[:120])
    return _Found(**json.loads(done.stdout))


def _child(task: str, path: Path) -> _Found:
    """Measure in this process, which does nothing else."""
    run = _TASKS[task](path)
    is_other = task == "goaccess"
    who = resource.RUSAGE_CHILDREN if is_other else resource.RUSAGE_SELF
    before, at_first = resource.getrusage(who), 0 if is_other else _peak()
    began = time.perf_counter()
    rows = run()
    wall = time.perf_counter() - began
    after = resource.getrusage(who)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = 1024 * after.ru_maxrss if is_other else _peak()
    return _Found(rows, wall, cpu, peak, peak - at_first)


def _peak() -> int:
    """Bytes; ``ru_maxrss`` may have those of the parent before the program began."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def _version() -> str:
    if not shutil.which(_GOACCESS):
        return ""
    said = subprocess.run([_GOACCESS, "--version"], capture_output=True, text=True)
    return said.stdout.split("\n")[0].removeprefix("GoAccess - ").rstrip(".")


def _with_goaccess(path: Path) -> Callable[[], int]:
    report = path.with_name("report.json")
    command = [_GOACCESS, path.name, "--log-format=COMBINED", "--no-progress"]
    with path.open("rb") as file:
        n_lines = sum(1 for _ in file)
    command += ["--no-global-config", f"--output={report.name}"]

    def read() -> int:
        subprocess.run(
            command,
            cwd=path.parent,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        general: dict[str, Any] = json.loads(report.read_bytes())["general"]
        assert general["total_requests"] == n_lines
        return int(general["valid_requests"])

    return read


def _with_duckdb(path: Path) -> Callable[[], int]:
    import duckdb

    database = duckdb.connect()
    # Padding with nulls isn't possible in parallel where quotes span lines.
    query = """
        SELECT client, request, status, agent,
            try_strptime(day || zone, '[%d/%b/%Y:%H:%M:%S%z]') AS time
        FROM read_csv(
            $path, delim=' ', quote='"', escape='\\', header=false, auto_detect=false,
            strict_mode=false, ignore_errors=true, columns={
                client: 'VARCHAR', ident: 'VARCHAR', name: 'VARCHAR', day: 'VARCHAR',
                zone: 'VARCHAR', request: 'VARCHAR', status: 'VARCHAR',
                size: 'VARCHAR', referrer: 'VARCHAR', agent: 'VARCHAR'
            }
        )
    """

    def read() -> int:
        table = database.sql(query, params={"path": str(path)}).to_arrow_table()
        return len(table) - int(table["time"].null_count)

    return read


def _with_polars(path: Path) -> Callable[[], int]:
    import polars as pl

    # As CSV with spaces it can't be read: Polars knows no escape but doubled quotes.
    quoted = r'"(?<{}>(?:[^"\\]|\\.)*)"'
    pattern = (
        r"^(?<client>\S+) \S+ \S+ (?<time>\[[^\]]*\]) "
        rf"{quoted.format('request')} (?<status>\d{{3}}) \S+ "
        rf"{quoted.format('referrer')} {quoted.format('agent')}"
    )
    time_of = pl.col("time").str.to_datetime("[%d/%b/%Y:%H:%M:%S %z]", strict=False)

    def read() -> int:
        lines = pl.scan_csv(
            path,
            separator="\x01",
            quote_char=None,
            has_header=False,
            schema={"line": pl.String},
        )
        fields = lines.select(pl.col("line").str.extract_groups(pattern)).unnest("line")
        table = fields.select("client", time_of, "request", "status", "agent").collect()
        return len(table) - table["time"].null_count()

    return read


def _reading(path: Path) -> Callable[[], int]:
    from sources import ReadOptions, read_sessions

    return lambda: sum(map(len, list(read_sessions([path], ReadOptions()).tables)))


def _building(path: Path) -> Callable[[], int]:
    from engine.memory import MemoryEngine
    from sources import ReadOptions, read_sessions

    def build() -> int:
        tables = read_sessions([path], ReadOptions()).tables
        return MemoryEngine(tables).facts.n_sessions

    return build


_TASKS: Final = {
    "goaccess": _with_goaccess,
    "duckdb": _with_duckdb,
    "polars": _with_polars,
    "read": _reading,
    "build": _building,
}


def write_log(path: Path, n_lines: int, seed: int = 0) -> None:
    """Write so many lines of a Combined log, the same ones for the same *seed*.

    They are visits of some 50,000 people and bots to 5,000 pages in thirty days, with
    what browsers ask for besides. One line in a hundred has escapes, and one in two
    thousand is broken.
    """
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(_lines(rng, _asked(rng, n_lines)))


class _Asked(NamedTuple):
    """What is asked for, an element a line, in the order of the log."""

    visitor: Ints
    """From ``_N_PEOPLE`` on they are bots."""
    second: Ints
    """Since the first day."""
    view: Ints
    """A number for each view of a page, which what it needs shares."""
    is_asset: NDArray[np.bool_]


def _asked(rng: np.random.Generator, n_lines: int) -> _Asked:
    n_visits = n_lines // 5 + 100
    is_bot = rng.random(n_visits) < _BOT_VISITS
    visitor = np.empty(n_visits, np.int64)
    visitor[is_bot] = _N_PEOPLE + _zipf(rng, _N_BOTS, int(is_bot.sum()))
    n_by_people = int((~is_bot).sum())
    again = _zipf(rng, _N_PEOPLE, max(0, n_by_people - _N_PEOPLE))
    everyone = np.concatenate([rng.permutation(_N_PEOPLE), again])
    visitor[~is_bot] = everyone[:n_by_people]

    n_views = rng.geometric(1 / 3, n_visits)
    visit = np.repeat(np.arange(n_visits), n_views)
    passed = np.cumsum(rng.lognormal(3.5, 1.2, len(visit)))
    begins = np.cumsum(n_views) - n_views
    start = rng.uniform(0, _N_DAYS * _DAY, n_visits)
    moment = start[visit] + passed - passed[begins][visit]

    n_assets = np.where(is_bot[visit], 0, rng.poisson(2.2, len(visit)))
    view = np.repeat(np.arange(len(visit)), 1 + n_assets)[:n_lines]
    is_asset = np.append(False, view[1:] == view[:-1])
    at = moment[view] + np.where(is_asset, rng.exponential(0.5, n_lines), 0)
    # A line is written when its answer is sent, and says when it was asked for.
    order = np.argsort(at + rng.exponential(0.7, n_lines))
    second = at.astype(np.int64)
    return _Asked(
        visitor[visit[view]][order], second[order], view[order], is_asset[order]
    )


def _zipf(rng: np.random.Generator, n: int, size: int) -> Ints:
    """Numbers below *n*, each chosen the less often the higher it is."""
    weights = 1 / np.arange(1, n + 1)
    return rng.choice(n, size, p=weights / weights.sum())


def _lines(rng: np.random.Generator, asked: _Asked) -> Iterator[str]:
    n_lines = len(asked.view)
    n_visitors = _N_PEOPLE + _N_BOTS
    of_visitor = np.concatenate(
        [
            _people(rng)[_zipf(rng, _N_AGENTS, _N_PEOPLE)],
            np.array(_BOTS, object)[_zipf(rng, len(_BOTS), _N_BOTS)],
        ]
    )
    agents = of_visitor[asked.visitor]
    clients = _clients(rng, n_visitors)[asked.visitor]
    names = np.where(rng.random(n_visitors) < 0.995, "-", "editor").astype(object)
    statuses, sizes = _answers(rng, asked.is_asset)
    requests, referrers = _requests(rng, asked)

    escaped = rng.choice(n_lines, round(n_lines * _ESCAPED), replace=False)
    in_agent, in_request = np.array_split(escaped, 2)
    agents[in_agent] = rng.choice(np.array(_ESCAPED_AGENTS, object), len(in_agent))
    requests[in_request] = rng.choice(
        np.array(_ESCAPED_REQUESTS, object), len(in_request)
    )
    statuses[requests == _HANDSHAKE] = "400"
    broken = set(
        rng.choice(n_lines, round(n_lines * _BROKEN), replace=False).tolist(),
    )
    days, clocks = _times()
    columns = [
        clients,
        names[asked.visitor],
        days[asked.second // _DAY],
        clocks[asked.second % _DAY],
        requests,
        statuses,
        sizes,
        referrers,
        agents,
    ]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for n, (
        client,
        name,
        day,
        clock,
        request,
        status,
        size,
        referrer,
        agent,
    ) in enumerate(rows):
        line = (
            f'{client} - {name} [{day}:{clock} +0100] "{request}" {status} {size} '
            f'"{referrer}" "{agent}"\n'
        )
        yield _broken(line, day, n) if n in broken else line


def _broken(line: str, day: str, n: int) -> str:
    """A line as it is after a full disk, or two writers, or of another log."""
    return (
        line[: 20 + n % (len(line) - 24)] + "\n",
        line.replace(day, "31/Feb/2025"),
        line[: n % 60] + line,
        _ERROR,
    )[n % 4]


def _times() -> tuple[Texts, Texts]:
    """How days are written, some more than there are, and the seconds of a day."""
    days = [_FIRST_DAY + timedelta(n) for n in range(_N_DAYS + 10)]
    return (
        np.array(
            [f"{day:%d}/{_MONTHS[day.month - 1]}/{day.year}" for day in days], object
        ),
        np.array(
            [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(_DAY)],
            object,
        ),
    )


def _clients(rng: np.random.Generator, n: int) -> Texts:
    numbers = rng.integers(1, 255, (n, 4)).tolist()
    kinds = rng.choice(3, n, p=[0.86, 0.12, 0.02]).tolist()
    return np.array(
        [
            (
                f"{a}.{b}.{c}.{d}",
                f"2a02:{a * b:x}:{c:x}{d:02x}:{b * c:x}::{d:x}",
                f"host-{a}-{b}-{c}-{d}.dyn.example.net",
            )[kind]
            for (a, b, c, d), kind in zip(numbers, kinds, strict=True)
        ],
        object,
    )


def _people(rng: np.random.Generator) -> Texts:
    """The names of browsers."""
    like = "AppleWebKit/537.36 (KHTML, like Gecko)"
    found: dict[str, None] = {}
    while len(found) < _N_AGENTS:
        kind, a, b, c, d = rng.integers(0, 2520, 5).tolist()
        system = (
            "Windows NT 10.0; Win64; x64",
            f"Macintosh; Intel Mac OS X 10_{11 + c % 5}_{d % 8}",
            "X11; Linux x86_64",
        )[c % 3]
        chrome = f"Chrome/{90 + a % 43}.0.{4400 + b}.{d % 200}"
        phone = f"Linux; Android {8 + c % 8}; SM-{'AGS'[d % 3]}{100 + b % 900}B"
        ios = f"CPU iPhone OS {13 + a % 6}_{b % 8}_{c % 3} like Mac OS X"
        agent = (
            f"Mozilla/5.0 ({system}) {like} {chrome} Safari/537.36",
            f"Mozilla/5.0 ({phone}) {like} {chrome} Mobile Safari/537.36",
            f"Mozilla/5.0 (iPhone; {ios}) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            f"Version/{13 + a % 6}.{b % 8} Mobile/15E148 Safari/604.1",
            f"Mozilla/5.0 ({system}; rv:{80 + a % 60}.0) Gecko/20100101 "
            f"Firefox/{80 + a % 60}.0",
            f"Mozilla/5.0 ({system}) {like} {chrome} Safari/537.36 "
            f"Edg/{90 + a % 43}.0.{1000 + b}.{d % 100}",
        )[kind % 5]
        found[agent] = None
    return np.array(list(found), object)


def _answers(
    rng: np.random.Generator, is_asset: NDArray[np.bool_]
) -> tuple[Texts, Texts]:
    """Statuses, and how many bytes were sent."""
    statuses = np.array(["200", "304", "301", "404", "500"], object)
    of_pages = rng.choice(5, len(is_asset), p=[0.87, 0.04, 0.04, 0.045, 0.005])
    of_assets = rng.choice(5, len(is_asset), p=[0.71, 0.28, 0, 0.01, 0])
    chosen = np.where(is_asset, of_assets, of_pages)
    sizes = rng.lognormal(9, 1.2, len(is_asset)).astype(np.int64).astype(object)
    sizes[chosen == 1] = "-"
    return statuses[chosen], sizes


def _requests(rng: np.random.Generator, asked: _Asked) -> tuple[Texts, Texts]:
    """First lines of requests, and what led to them."""
    words = [
        *("summer", "winter", "garden", "kitchen", "travel"),
        *("linux", "python", "review", "guide", "sale"),
    ]
    folders = ["blog", "shop/items", "docs/reference", "news/2025", "help"]
    pages = [
        f"/{folders[n % 5]}/{words[n % 10]}-{words[n // 10 % 10]}-{n}"
        for n in range(_N_PAGES)
    ]
    kinds = ["css/site.{}.css", "js/chunk-{}.js", "img/photo-{}.jpg", "img/{}.png"]
    assets = [f"/static/{kinds[n % 4].format(f'{n:08x}')}" for n in range(_N_ASSETS)]
    n_views = int(asked.view.max()) + 1
    of_view = np.array(["/", *pages], object)[_zipf(rng, _N_PAGES + 1, n_views)]
    has_query = np.flatnonzero(rng.random(n_views) < 0.12)
    for n, number in zip(has_query, rng.integers(0, 1 << 20, n_views), strict=False):
        of_view[n] += f"?utm_source=mail&id={number}" if n % 2 else f"?page={n % 30}"
    viewed = of_view[asked.view]
    taken = np.array(assets, object)[_zipf(rng, _N_ASSETS, len(viewed))]
    targets = np.where(asked.is_asset, taken, viewed)
    posts = np.array(["GET ", "POST ", "HEAD "], object)
    chosen = rng.choice(3, len(viewed), p=[0.93, 0.05, 0.02])
    protocols = np.array([" HTTP/1.1", " HTTP/2.0"], object)
    requests = posts[np.where(asked.is_asset, 0, chosen)] + targets
    requests += protocols[(asked.visitor % 3 == 0).astype(np.int64)]

    site = "https://www.example.org"
    outside = ["-", "https://www.google.com/", "https://duckduckgo.com/"]
    origins = np.array(outside + [site + page for page in pages[:200]], object)
    led = origins[_zipf(rng, len(origins), n_views)][asked.view]
    led[asked.visitor >= _N_PEOPLE] = "-"
    return requests, np.where(asked.is_asset, site + viewed, led)


if __name__ == "__main__":
    print(json.dumps(_child(sys.argv[1], Path(sys.argv[2]))._asdict()))
