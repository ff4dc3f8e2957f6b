"""Files that come in slices and aren't shown yet, and what is understood of them."""

import io
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from threading import Lock, Semaphore, Thread
from typing import Any, Final

import pandas as pd

import layout
from engine.freed import release_freed_memory
from engine.model import Engine
from formatting import shorten
from schema import VISIT_GAP
from sources import BadInput, Origin, ReadOptions, Report, pack, read_bytes
from uploads.settings import Settings, megabytes
from uploads.timer import Sweeper

Arrange = Callable[[Iterable[pd.DataFrame], str | None, float], Engine]
"""Makes an engine of a stream of session tables, whose days and hours are those of a
zone: an IANA name, or None for the zone of the first page; with the visit gap."""

_AT_ONCE: Final = 2
_WAIT: Final = 0.2
_MOST_COLUMNS: Final = 2_000
_MOST_LETTERS: Final = 200_000
_LONGEST_ERROR: Final = 2_000

_log = logging.getLogger(__name__)


class Refused(Exception):
    """An upload can't go on; the message is one line that says why."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        """The status of HTTP to answer with."""


@dataclass(frozen=True)
class Checked:
    """A file that was understood."""

    engine: Engine
    origin: Origin
    packed: bytes
    """Its sessions, see ``sources.pack``."""
    zone: str | None = None
    """Whose days and hours are shown, see ``Arrange``."""
    visit_gap: float = VISIT_GAP


class Check:
    """One reading of a file, as some options say; it runs in a thread of its own."""

    def __init__(
        self,
        number: int,
        name: str,
        options: ReadOptions,
        zone: str | None,
        settings: Settings,
    ) -> None:
        self.number = number
        self.checked: Checked | None = None
        """What came of it; None before that, and where it failed."""
        self.is_over = False
        self.is_cancelled = False
        self._name = name
        self._options = options
        self._zone = zone
        self._settings = settings
        self._report: Report | None = None
        self._error = ""

    def run(self, data: bytes, arrange: Arrange) -> None:
        """Read the file; whatever is in it, this returns."""
        try:
            self.checked = self._read(data, arrange)
        except BadInput as error:
            self._error = str(error)
        except MemoryError:
            self._error = f"{self._name}: it is more data than memory holds"
        except Exception:
            _log.exception("a file could not be read")
            self._error = f"{self._name}: it can't be read, and that isn't your fault"
        self.is_over = True

    def state(self) -> dict[str, Any]:
        """How far it is, or what came of it, as ``assets/upload.js`` is sent it."""
        report = self._report or Report()
        if not self.is_over:
            return {"state": "reading", "rows": report.rows}
        common = {"check": self.number, **_columns_of(report)}
        if self.checked is None:
            error = shorten(self._error, _LONGEST_ERROR)
            return {"state": "failed", "error": error, **common}
        return {
            "state": "read",
            "line": layout.data_line(self.checked.engine.facts, self.checked.origin),
            "alarm": report.alarm(),
            "sections": report.sections(),
            **common,
        }

    def _read(self, data: bytes, arrange: Arrange) -> Checked:
        reading = read_bytes(
            self._name,
            data,
            self._options,
            self._settings.file_rows,
            self._is_cancelled,
            self._settings.unpacked_bytes,
            self._settings.name_bytes,
        )
        self._report = reading.origin.report
        packed = io.BytesIO()
        tables = pack(self._unless_cancelled(reading.tables), packed)
        gap = self._options.visit_gap
        engine = arrange(tables, self._zone, gap)
        return Checked(engine, reading.origin, packed.getvalue(), self._zone, gap)

    def _is_cancelled(self) -> bool:
        return self.is_cancelled

    def _unless_cancelled(
        self, tables: Iterable[pd.DataFrame]
    ) -> Iterator[pd.DataFrame]:
        for table in tables:
            if self.is_cancelled:
                raise BadInput("it was cancelled")
            yield table


def _columns_of(report: Report) -> dict[str, Any]:
    """The columns of a file, those of all its tables, and which were taken."""
    names = dict.fromkeys(name for file in report.files for name in file.columns)
    taken = next((file.taken for file in report.files if file.taken), {})
    # What is taken is among those that are sent.
    wanted = {name for each in taken.values() for name in each}
    columns: list[str] = []
    letters = 0
    for name in names:
        letters += len(name)
        is_short = len(columns) < _MOST_COLUMNS and letters <= _MOST_LETTERS
        if is_short or name in wanted:
            columns.append(name)
    return {
        "columns": columns,
        "n_columns": len(names),
        "taken": taken,
        "is_log": any(file.is_log for file in report.files),
        "sites": next((file.sites for file in report.files if file.sites), ()),
    }


class PendingFile:
    """A file that comes in slices, and then is read."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self.seen = time.monotonic()
        self.check: Check | None = None
        self._lock = Lock()
        self._buffer = io.BytesIO()
        self._n_checks = 0

    def append(self, offset: int, data: bytes) -> int:
        """Take the slice that begins at *offset*; returns where the next one does.

        Raises Refused for any but the next one, or beyond the size that was announced.
        """
        with self._lock:
            received = self._buffer.tell()
            if offset != received:
                raise Refused(409, f"the next slice begins at {received:,}")
            if received + len(data) > self.size:
                raise Refused(413, f"the file has {self.size:,} bytes")
            self._buffer.write(data)
            return received + len(data)

    def start(
        self,
        options: ReadOptions,
        zone: str | None,
        settings: Settings,
        arrange: Arrange,
        slots: Semaphore,
    ) -> Check:
        """Read the file in a thread, a few files at a time, and stop the check before.

        Raises Refused where it isn't whole.
        """
        with self._lock:
            if self._buffer.tell() != self.size:
                raise Refused(409, "the file isn't whole yet")
            self._cancel()
            self._n_checks += 1
            number = self._n_checks
            self.check = check = Check(number, self.name, options, zone, settings)
            # The buffer's own bytes: nothing is copied.
            data = self._buffer.getvalue()

        def run() -> None:
            # Those that wait in vain would be without number.
            while not slots.acquire(timeout=_WAIT):
                if check.is_cancelled:
                    return
            try:
                check.run(data, arrange)
            finally:
                slots.release()

        try:
            Thread(target=run, daemon=True, name="check").start()
        except RuntimeError:
            # The system lets the program start no more of them.
            self.cancel()
            raise Refused(507, "the server is too busy to read it; try again") from None
        return check

    def take(self, number: int) -> Checked:
        """What came of the last check, which has this number; raises Refused if not."""
        with self._lock:
            check = self.check
            if check is None or check.number != number or check.checked is None:
                raise Refused(409, "this isn't what was understood of the file last")
            return check.checked

    def cancel(self) -> None:
        """Stop reading."""
        with self._lock:
            self._cancel()

    def _cancel(self) -> None:
        if self.check is not None:
            self.check.is_cancelled = True
            self.check = None


class PendingFiles:
    """All files that aren't shown yet."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = Semaphore(_AT_ONCE)
        self._files: dict[str, PendingFile] = {}
        self._lock = Lock()
        self._sweeper = Sweeper(self.sweep)

    @property
    def n_bytes(self) -> int:
        """Bytes of all, those that are still to come among them."""
        return sum(file.size for file in list(self._files.values()))

    def begin(self, name: str, size: int, n_bytes_held: int) -> str:
        """Make room for a file; returns its token.

        *n_bytes_held* are held besides. Raises Refused where it is too large, or there
        are too many.
        """
        settings = self._settings
        if size > settings.file_bytes:
            most = megabytes(settings.file_bytes)
            words = f"this file has {megabytes(size)}; the page takes {most} at most"
            raise Refused(413, words)
        with self._lock:
            if len(self._files) >= settings.most_pending:
                words = f"{len(self._files)} files are being read; try again later"
                raise Refused(507, words)
            if self.n_bytes + size + n_bytes_held > settings.all_bytes:
                most = megabytes(settings.all_bytes)
                words = (
                    f"the files held have {most} together, which is all there may be"
                )
                raise Refused(507, words)
            token = token_urlsafe(16)
            self._files[token] = PendingFile(name, size)
        self._sweeper.start(settings.pending_seconds)
        return token

    def get(self, token: str) -> PendingFile:
        """A file; raises Refused where there is none."""
        file = self._files.get(token)
        if file is None:
            raise Refused(410, "this file isn't held any more; drop it again")
        file.seen = time.monotonic()
        return file

    def check(
        self, token: str, options: ReadOptions, zone: str | None, arrange: Arrange
    ) -> int:
        """Begin to read a file, for a page in a *zone*; returns the check's number."""
        file = self.get(token)
        return file.start(options, zone, self._settings, arrange, self._slots).number

    def forget(self, token: str) -> None:
        """Give a file back, if there is one."""
        with self._lock:
            file = self._files.pop(token, None)
        if file is not None:
            file.cancel()
            del file
            release_freed_memory()

    def sweep(self) -> float | None:
        """Forget files that nobody goes on with; see ``Sweeper``."""
        now = time.monotonic()
        seconds = self._settings.pending_seconds
        files: Mapping[str, PendingFile] = dict(self._files)
        for token, file in files.items():
            if now - file.seen >= seconds:
                self.forget(token)
        waits = [file.seen + seconds - now for file in list(self._files.values())]
        return max(min(waits), 0.01) if waits else None
