"""Many people at once, on the real program (on Linux).

A person picks users and filters, with the two calls that the page makes for each: the
charts, and the table of users. All answers are compared with those given to one person
alone, byte for byte. This process asks, so that it takes its part of the processors.
"""

import asyncio
import contextlib
import json
import os
import random
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple
from urllib.request import urlopen

from benchmarks.page import ROOT, USERS, p95, random_filters

_PORT: Final = 8064
_N_PICKS: Final = 60
_SECONDS: Final = 10
_SOAK_SECONDS: Final = 600
_SLOW: Final = 100_000
"""Bytes a second that a slow reader takes."""
_PAUSE: Final = (1.0, 3.0)
_CALL: Final = "/_dash-update-component"
_ENCODINGS: Final = "gzip, deflate, br, zstd"

Pick = tuple[bytes, bytes]
"""The requests of a pick."""


class Row(NamedTuple):
    """What was measured while people picked."""

    seconds: float
    times: list[float]
    """Seconds of each pick."""
    n_failed: int
    """Picks without an answer, or with another than alone."""
    cpu: float
    """Seconds of CPU of the server."""


class Server:
    """The program while it is measured."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def _pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [self.pid, *map(int, children.split())]

    def megabytes(self) -> float:
        """Memory of all processes; what they share counts once (PSS)."""
        n_kilobytes = 0
        for pid in self._pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    n_kilobytes += int(line.split()[1])
        return n_kilobytes / 1024

    def cpu(self) -> float:
        """Seconds of CPU of all processes."""
        ticks = 0
        for pid in self._pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


class Line:
    """A connection that is kept, and made again where the server has closed it."""

    def __init__(self) -> None:
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer; raises OSError where it isn't one with 200."""
        if self._streams is not None:
            with contextlib.suppress(OSError, EOFError):
                return await self._ask(self._streams, request)
            self.close()
        self._streams = await asyncio.open_connection("127.0.0.1", _PORT)
        try:
            return await self._ask(self._streams, request)
        except EOFError:
            raise ConnectionError from None

    async def _ask(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        request: bytes,
    ) -> bytes:
        reader, writer = streams
        writer.write(request)
        header = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in header.partition(b"\r\n")[0]:
            raise ConnectionError(header)
        length = int(header.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await reader.readexactly(length)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@contextmanager
def served(workers: int) -> Iterator[Server]:
    """The program with so many processes."""
    command = [sys.executable, "app.py", "--no-debug", "--port", str(_PORT)]
    with subprocess.Popen(
        [*command, "--workers", str(workers)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            assert program.stdout is not None
            next(line for line in program.stdout if line.startswith("Open"))
            yield Server(program.pid)
        finally:
            program.terminate()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(callback: dict[str, Any], search: str) -> bytes:
    """The call that the page makes when the address has become *search*."""
    parts = [
        part.rpartition(".") for part in callback["output"].strip(".").split("...")
    ]
    outputs = [{"id": id_, "property": name} for id_, _, name in parts]

    def filled(named: list[dict[str, str]]) -> list[dict[str, Any]]:
        values = {"url.search": search}
        return [
            {**each, "value": values.get(f"{each['id']}.{each['property']}")}
            for each in named
        ]

    body = json.dumps(
        {
            "output": callback["output"],
            "outputs": outputs if callback["output"].startswith("..") else outputs[0],
            "inputs": filled(callback["inputs"]),
            "state": filled(callback["state"]),
            "changedPropIds": ["url.search"],
        }
    ).encode()
    header = (
        f"POST {_CALL} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
        f"\r\nAccept-Encoding: {_ENCODINGS}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return header.encode() + body


def picks() -> list[Pick]:
    """Users and filters at random, always the same."""
    with urlopen(f"http://127.0.0.1:{_PORT}/_dash-dependencies", timeout=60) as answer:
        callbacks = json.load(answer)
    charts, table = (
        next(each for each in callbacks if name in each["output"])
        for name in ("user-average.figure", "listed.data")
    )
    rng = random.Random(1)
    found = []
    for _ in range(_N_PICKS):
        filters = random_filters(rng, 0)
        parts = [f"user={rng.choice(USERS)}", *filters]
        search = f"?{'&'.join(parts)}"
        found.append((post(charts, search), post(table, search)))
    return found


async def ask_both(lines: tuple[Line, Line], pick: Pick) -> list[bytes]:
    return await asyncio.gather(
        *(line.ask(request) for line, request in zip(lines, pick, strict=True))
    )


async def person(
    answers: dict[Pick, list[bytes]],
    seed: int,
    end: float,
    pause: tuple[float, float] | None,
) -> tuple[list[float], int]:
    """Pick until the *end*; returns the seconds of each, and how many failed."""
    rng = random.Random(seed)
    lines = (Line(), Line())
    times, n_failed = [], 0
    known = list(answers)
    if pause:
        await asyncio.sleep(rng.uniform(0, pause[1]))
    while time.monotonic() < end:
        pick = rng.choice(known)
        start = time.perf_counter()
        try:
            n_failed += await ask_both(lines, pick) != answers[pick]
        except OSError:
            n_failed += 1
        times.append(time.perf_counter() - start)
        if pause:
            await asyncio.sleep(rng.uniform(*pause))
    for line in lines:
        line.close()
    return times, n_failed


async def measured(
    server: Server,
    answers: dict[Pick, list[bytes]],
    n_people: int,
    pause: tuple[float, float] | None = None,
    seconds: float = _SECONDS,
) -> Row:
    start, cpu = time.monotonic(), server.cpu()
    people = [person(answers, seed, start + seconds, pause) for seed in range(n_people)]
    results = await asyncio.gather(*people)
    return Row(
        time.monotonic() - start,
        [each for times, _ in results for each in times],
        sum(n_failed for _, n_failed in results),
        server.cpu() - cpu,
    )


@asynccontextmanager
async def beside(work: Callable[[], Awaitable[None]], n: int) -> AsyncIterator[None]:
    """So many others meanwhile, each of whom begins again when it is done with."""

    async def always() -> None:
        while True:
            with contextlib.suppress(OSError):
                await work()
            await asyncio.sleep(1)

    tasks = [asyncio.create_task(always()) for _ in range(n)]
    await asyncio.sleep(2)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def connected(request: bytes) -> socket.socket:
    connection = socket.socket()
    connection.setblocking(False)
    # What its system holds of an answer, a reader has not taken.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    running = asyncio.get_running_loop()
    await running.sock_connect(connection, ("127.0.0.1", _PORT))
    await running.sock_sendall(connection, request)
    return connection


async def read_slowly() -> None:
    with await connected(get("/sessions.csv")) as connection:
        while await asyncio.get_running_loop().sock_recv(connection, _SLOW // 10):
            await asyncio.sleep(0.1)


async def drip() -> None:
    with await connected(b"GET / HTTP/1.1\r\n") as connection:
        while True:
            await asyncio.sleep(7)
            await asyncio.get_running_loop().sock_sendall(connection, b"x")


async def stay_idle() -> None:
    with await connected(get("/_favicon.ico")) as connection:
        while await asyncio.get_running_loop().sock_recv(connection, 1 << 16):
            pass
    # Browsers connect again only when something is asked for.
    await asyncio.Event().wait()


def write(name: str, workers: int, row: Row, server: Server, one: float) -> None:
    """A line of the table; *one* is the median of one person alone, in seconds."""
    middle, slow = median(row.times), p95(row.times)
    print(
        f"| {name} | {workers} | {1000 * middle:,.0f} ({1000 * slow:,.0f}) "
        f"| {middle / one:.1f} ({slow / one:.1f}) × | {row.n_failed} "
        f"| {len(row.times) / row.seconds:.1f} "
        f"| {1000 * row.cpu / len(row.times):.1f} | {server.megabytes():,.0f} |",
        flush=True,
    )


def head() -> None:
    print(
        "| picks | workers | median (p95), ms | beside one alone | failed "
        "| a second | CPU each, ms | memory (PSS), MB |"
    )
    print("|---|---|---|---|---|---|---|---|")


async def alone(server: Server) -> tuple[dict[Pick, list[bytes]], Row]:
    """The answers to all picks, and what one person measures."""
    lines = (Line(), Line())
    answers = {pick: await ask_both(lines, pick) for pick in picks()}
    for line in lines:
        line.close()
    # The first ones warm up what is made once, in every process.
    await measured(server, answers, 8, None, 3)
    return answers, await measured(server, answers, 1)


async def compare(workers: int) -> None:
    with served(workers) as server:
        answers, first = await alone(server)
        one = median(first.times)
        write("one person", workers, first, server, one)
        fifty = await measured(server, answers, 50, _PAUSE)
        write("50 people, pauses of 1 to 3 s", workers, fifty, server, one)
        crowd = await measured(server, answers, 50)
        write("50 people without a pause", workers, crowd, server, one)
        others = (
            ("eight readers of 100 kB/s", read_slowly, 8),
            ("100 who send a byte every 7 s", drip, 100),
            ("3,000 connections of 500 browsers", stay_idle, 3_000),
        )
        for name, work, n in others:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(beside(work, n))
                row = await measured(server, answers, 1)
            write(f"one person beside {name}", workers, row, server, one)


async def endure(workers: int, seconds: float) -> None:
    with served(workers) as server:
        answers, first = await alone(server)
        one = median(first.times)
        write("one person", workers, first, server, one)
        start = await measured(server, answers, 50, _PAUSE, 60)
        write("50 people, the first minute", workers, start, server, one)
        early = server.megabytes()
        rest = await measured(server, answers, 50, _PAUSE, seconds - 60)
        write("50 people, the minutes after it", workers, rest, server, one)
        grown = 100 * (server.megabytes() / early - 1)
        print(f"\nMemory after the first minute: {grown:+.1f} %.")


def main() -> None:
    """Print what people wait for, with one process and with two."""
    _raise_limit()
    head()
    for workers in (1, 2):
        asyncio.run(compare(workers))


def soak(seconds: float = _SOAK_SECONDS) -> None:
    """Print whether it stays so, for ten minutes."""
    head()
    asyncio.run(endure(2, seconds))


def _raise_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
