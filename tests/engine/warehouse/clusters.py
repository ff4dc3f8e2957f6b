"""Clusters of Spark and of Sail on this machine, of which nothing is left behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, NamedTuple
from urllib.request import urlopen

HOST: Final = "127.0.0.1"

_QUICK: Final = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""Options of Java for programs that are to start soon, not to run long."""

_SECONDS_TO_START: Final = 240
_SECONDS_TO_END: Final = 10.0


class Program(NamedTuple):
    """A program of a cluster."""

    process: subprocess.Popen[bytes]
    log: Path
    """What it prints."""

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return once a condition holds; raises RuntimeError where it never will."""
        end = time.monotonic() + _SECONDS_TO_START
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                tail = self.log.read_text(errors="replace")[-4_000:]
                raise RuntimeError(f"{self.process.args!r} doesn't answer:\n{tail}")
            time.sleep(0.05)


@contextmanager
def sail_cluster(port: int | None = None) -> Iterator[tuple[str, Program]]:
    """Sail's server with two workers; gives its address, and its only program."""
    if port is None:
        (port,) = _free_ports(1)
    command = [sys.executable, "-m", "pysail", "spark", "server"]
    settings = {
        "SAIL_MODE": "local-cluster",
        "SAIL_CLUSTER__WORKER_INITIAL_COUNT": "2",
        "SAIL_EXECUTION__DEFAULT_PARALLELISM": "2",
        "SAIL_TELEMETRY__EXPORT_LOGS": "false",
    }
    with ExitStack() as stack:
        room = stack.enter_context(_room("sail-"))
        place = ["--ip", HOST, "--port", str(port)]
        program = _running([*command, *place], room / "sail.log", settings)
        sail = stack.enter_context(program)
        sail.wait_until(lambda: _listens(port))
        yield f"sc://{HOST}:{port}", sail


@contextmanager
def spark_cluster(home: Path) -> Iterator[str]:
    """A master, two workers of one core, and a Connect server; gives its address.

    *home* is where ``pyspark`` is installed, with what runs on Java.
    """
    master_port, page, connect, *workers = _free_ports(7)
    with ExitStack() as stack:
        room = stack.enter_context(_room("spark-"))
        # It is empty: nothing of this machine is taken.
        (room / "conf").mkdir()
        settings = _spark_settings(home, room)
        submitted = dict(settings)
        settings["SPARK_DAEMON_MEMORY"] = "192m"
        settings["SPARK_DAEMON_JAVA_OPTS"] = _QUICK

        def start(name: str, *options: str) -> Program:
            kind = name.rstrip("12")
            main = f"org.apache.spark.deploy.{kind}.{kind.capitalize()}"
            command = [str(home / "bin" / "spark-class"), main, "--host", HOST]
            program = _running([*command, *options], room / f"{name}.log", settings)
            return stack.enter_context(program)

        cluster = f"spark://{HOST}:{master_port}"
        ports = ["--port", str(master_port), "--webui-port", str(page)]
        master = start("master", *ports)
        master.wait_until(lambda: _listens(master_port))
        for name, port, its_page in zip(
            ("worker1", "worker2"), workers[::2], workers[1::2], strict=True
        ):
            ports = ["--port", str(port), "--webui-port", str(its_page)]
            start(name, *ports, "--cores", "1", "--memory", "1g", cluster)
        # The server is no daemon to spark-submit only if nothing is said of these.
        program = _running(
            _submit(home, room, cluster, connect), room / "connect.log", submitted
        )
        server = stack.enter_context(program)
        master.wait_until(lambda: '"aliveworkers" : 2' in _read(page))
        server.wait_until(lambda: _listens(connect))
        yield f"sc://{HOST}:{connect}"


def _spark_settings(home: Path, room: Path) -> dict[str, str]:
    return {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_PUBLIC_DNS": HOST,
        "SPARK_CONF_DIR": str(room / "conf"),
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_LAUNCHER_OPTS": f"{_QUICK} -Xshare:auto",
        "SPARK_WORKER_DIR": str(room / "work"),
        "SPARK_LOCAL_DIRS": str(room / "local"),
    }


def _submit(home: Path, room: Path, cluster: str, port: int) -> list[str]:
    """The command that starts the Connect server as an application of a cluster."""
    settings = {
        "spark.connect.grpc.binding.port": port,
        "spark.connect.grpc.binding.address": HOST,
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.driver.memory": "768m",
        "spark.driver.extraJavaOptions": _QUICK,
        # With what Spark adds to it, all the memory of a worker.
        "spark.executor.memory": "640m",
        "spark.executor.extraJavaOptions": _QUICK,
        "spark.executor.cores": 1,
        "spark.cores.max": 2,
        "spark.ui.enabled": "false",
        # Without these, what is cancelled but doesn't look keeps its core.
        "spark.task.reaper.enabled": "true",
        "spark.task.reaper.pollingInterval": "2s",
        "spark.task.reaper.killTimeout": "20s",
        "spark.sql.shuffle.partitions": 2,
        "spark.sql.warehouse.dir": room / "warehouse",
        "spark.sql.catalogImplementation": "in-memory",
    }
    command = [str(home / "bin" / "spark-submit"), "--master", cluster]
    for key, value in settings.items():
        command += ["--conf", f"{key}={value}"]
    main = "org.apache.spark.sql.connect.service.SparkConnectServer"
    return [*command, "--class", main, "spark-internal"]


@contextmanager
def _room(prefix: str) -> Iterator[Path]:
    """A folder that is gone at the end."""
    room = Path(mkdtemp(prefix=prefix))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


@contextmanager
def _running(
    command: Sequence[str], log: Path, settings: Mapping[str, str]
) -> Iterator[Program]:
    """A program, in a group with all that it starts; at the end all of it is gone."""
    room = log.parent
    environment = {"PATH": os.environ["PATH"], "HOME": str(room), "LANG": "C.UTF-8"}
    if "JAVA_HOME" in os.environ:
        environment["JAVA_HOME"] = os.environ["JAVA_HOME"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment, **settings},
            cwd=room,
            start_new_session=True,
        )
    try:
        yield Program(process, log)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program's whole group, and await that."""
    with suppress(ProcessLookupError):
        # What is stopped can't end.
        os.killpg(process.pid, signal.SIGCONT)
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.killpg(process.pid, number)
            end = time.monotonic() + _SECONDS_TO_END
            while time.monotonic() < end:
                # A group is there as long as its leader isn't waited for.
                process.poll()
                os.killpg(process.pid, 0)
                time.sleep(0.02)


def _free_ports(n: int) -> list[int]:
    """So many ports that nothing listens on."""
    with ExitStack() as held:
        sockets = [
            held.enter_context(socket.create_server((HOST, 0))) for _ in range(n)
        ]
        return [each.getsockname()[1] for each in sockets]


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), 1):
        return True
    return False


def _read(port: int) -> str:
    """What the page of Spark's master says; nothing where it isn't there yet."""
    with suppress(OSError), urlopen(f"http://{HOST}:{port}/json/", timeout=2) as page:
        text: str = page.read().decode()
        return text
    return ""
