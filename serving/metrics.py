"""What is measured of the program, as Prometheus reads it at ``/metrics``.

Several processes share their numbers by files in a directory of their own: call
``Metrics.start`` before they are forked, and ``Metrics.child_exit`` when one has ended.
"""

import atexit
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from request_notes import Notes
from serving.answers import reply
from serving.listening import CannotServe

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PATH: Final = "/metrics"
_MEMORY: Final = "/dev/shm"  # noqa: S108
_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds at which the bins of the histogram end."""

_log = logging.getLogger(__name__)


class Metrics:
    """The numbers of one ``Site``; nothing is measured before ``start``."""

    def __init__(self, n_workers: int = 1) -> None:
        """*n_workers* are the processes that will answer."""
        self._n_workers = n_workers
        self._folder: Path | None = None
        self._meters: _Meters | None = None
        self._n_sessions: int | None = None
        self._read_at: float | None = None

    @property
    def is_started(self) -> bool:
        """Whether there are numbers."""
        return self._meters is not None

    def start(self) -> None:
        """Begin to measure; call this before other processes are forked.

        Raises CannotServe where no file can be written.
        """
        if self._n_workers > 1:
            self._folder = _new_folder()
            # The library looks for it once, when it is imported.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(self._folder)
            atexit.register(self.remove, os.getpid())
        self._meters = _Meters()

    def child_exit(self, pid: int) -> None:
        """Keep what a process has counted that has ended, and forget its files.

        They would grow in number with each process that is started.
        """
        if self._folder is None:
            return
        try:
            with _locked(self._folder):
                for path in self._folder.glob(f"*_{pid}.db"):
                    kind = path.name.removesuffix(f"_{pid}.db")
                    if not kind.startswith("gauge"):
                        _add(path, self._folder / f"{kind}_0.db")
                    path.unlink()
        except OSError as error:
            _log.error("what a process has counted is lost: %s", error)

    def data_read(self, n_sessions: int | None) -> None:
        """Note that data were read just now, and how many sessions they have."""
        self._n_sessions, self._read_at = n_sessions, time.time()

    def reload_failed(self) -> None:
        """Count that data could not be read again."""
        if self._meters:
            self._meters.reloads_failed.inc()

    def begin(self) -> None:
        """Count a request that is answered from now on."""
        if self._meters:
            self._meters.open.inc()

    def end(self, notes: Notes, status: int, seconds: float) -> None:
        """Count a request that was answered, in so many *seconds*."""
        meters = self._meters
        if meters is None:
            return
        meters.open.dec()
        meters.requests.labels(f"{status // 100}xx").inc()
        meters.seconds.labels("pick" if notes.is_pick else "other").observe(seconds)
        if notes.is_pick:
            meters.picks.inc()
        if notes.has_failed or status == 500:
            meters.failures.inc()

    def text(self) -> bytes:
        """All numbers, in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if self._meters is None:
            return b""
        registry: Any = self._meters.registry
        held = CollectorRegistry()
        held.register(_Held(self))
        if self._folder is None:
            return generate_latest(registry) + generate_latest(held)
        shared = CollectorRegistry()
        MultiProcessCollector(shared, path=str(self._folder))  # type: ignore[no-untyped-call]
        with _locked(self._folder):
            return generate_latest(shared) + generate_latest(held)

    def _pids(self) -> list[int]:
        """The processes that answer, as far as they have been asked."""
        if self._folder is None:
            return [os.getpid()]
        names = [path.stem for path in self._folder.glob("gauge_*.db")]
        return sorted({int(name.rpartition("_")[2]) for name in names})

    def remove(self, pid: int | None = None) -> None:
        """Remove the files, unless *pid* is another process.

        A forked process ends by the same ways.
        """
        if self._folder is not None and pid in (None, os.getpid()):
            shutil.rmtree(self._folder, ignore_errors=True)


def memory_folder() -> str | None:
    """Where files cost no disk, and are left alone; None where there is no such place.

    What cleans /tmp would take files away that are as old as the program.
    """
    return _MEMORY if os.access(_MEMORY, os.W_OK) else None


def _new_folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="dashboard-", dir=memory_folder()))
    except OSError as error:
        raise CannotServe(f"no temporary file can be made: {error.strerror}") from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Nothing is moved from file to file while the files are added up."""
    import fcntl  # Several processes are forked, which only POSIX knows.

    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _add(path: Path, total: Path) -> None:
    """Add the numbers in one of the library's files to those in another."""
    from prometheus_client import mmap_dict

    library: Any = mmap_dict
    kept = library.MmapedDict(str(total))
    for key, value, at, _ in library.MmapedDict.read_all_values_from_file(str(path)):
        kept.write_value(key, kept.read_value(key)[0] + value, at)
    kept.close()


class _Meters:
    """The library's counters, in a registry of their own."""

    def __init__(self) -> None:
        # It takes as long to import as a small table to read; debug mode is without.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = registry = CollectorRegistry()
        self.picks = Counter(
            "dashboard_picks", "Redraws of the page", registry=registry
        )
        self.requests = Counter(
            "dashboard_requests",
            "Answers, by class of status",
            ["status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "dashboard_request_seconds",
            "Seconds from a request to the end of its answer",
            ["kind"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self.failures = Counter(
            "dashboard_failures",
            "Answers in which something unexpected went wrong",
            registry=registry,
        )
        self.reloads_failed = Counter(
            "dashboard_reloads_failed",
            "Times that data could not be read again",
            registry=registry,
        )
        self.open = Gauge(
            "dashboard_open_requests",
            "Requests that are being answered",
            multiprocess_mode="livesum",
            registry=registry,
        )


class _Held:
    """What is known without counting: the data, and the memory of each process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Any]:
        """The numbers, as they are now."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        metrics = self._metrics
        if metrics._n_sessions is not None:
            words = "Sessions of the first page's data"
            yield GaugeMetricFamily("dashboard_sessions", words, metrics._n_sessions)
        if metrics._read_at is not None:
            words = "When the data were read, in seconds since 1970"
            name = "dashboard_data_read_timestamp_seconds"
            yield GaugeMetricFamily(name, words, metrics._read_at)
        memory = GaugeMetricFamily(
            "dashboard_memory_bytes",
            "Memory of each process: resident, and its share of what several have",
            labels=["pid", "kind"],
        )
        for pid in metrics._pids():
            for kind, n_bytes in _memory(pid).items():
                memory.add_metric([str(pid), kind], n_bytes)
        yield memory


def _memory(pid: int) -> dict[str, int]:
    """Bytes of memory of a process, as far as the system says."""
    try:
        said = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return {}
    found = re.findall(r"^(Rss|Pss): +(\d+) kB", said, re.MULTILINE)
    return {kind.lower(): 1024 * int(kilobytes) for kind, kilobytes in found}


class MetricsPage:
    """A WSGI application around another, which answers ``/metrics`` by itself.

    Who may ask, and under which host name, is for the layers around it to say.
    """

    def __init__(self, application: "WSGIApplication", metrics: Metrics) -> None:
        self._application = application
        self._metrics = metrics

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        is_asked = environ.get("PATH_INFO") == _PATH and self._metrics.is_started
        if not is_asked or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._application(environ, start_response)
        kind = "text/plain; version=0.0.4; charset=utf-8"
        said = reply(200, self._metrics.text().decode(), Content_Type=kind)
        return said(environ, start_response)
