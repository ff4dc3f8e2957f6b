"""All files of a data set as one stream of session tables, and a report of them."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import compress, pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from formatting import count_text, duration_text, first_line
from sources.cleaning import Table
from sources.derived import can_derive, derive
from sources.formats import find_log, read_table
from sources.inputs import Progress, Source, expand, open_source, short_name
from sources.logs import Bots
from sources.options import ReadOptions, without_effect
from sources.origin import (
    BadInput,
    ChangedInput,
    FileReport,
    NoSessions,
    NoSuchColumns,
    Origin,
    Report,
)
from sources.packing import unpacked
from sources.pages import PageMerger
from sources.repeated import Repeated, repeated_notes
from sources.rows import Rows, join

# The names of a table cost as much as a million rows do.
_AT_ONCE = 1 << 20
_NAMED_PATHS = 3
_TOLD_SITES = 3
_NO_LIMIT = 1 << 62
_AS_FOUND = ReadOptions()
_OTHER_GAPS = (900.0, 1_800.0, 3_600.0)


class Reading(NamedTuple):
    """A data set that is being read."""

    tables: Iterator[pd.DataFrame]
    """The sessions, see ``schema``. Raises BadInput, and then what came before isn't
    all."""
    origin: Origin
    """Where they are from; its report is complete after the last table."""
    progress: Progress
    """How far the files have been read."""


def read_sessions(paths: Sequence[Path], options: ReadOptions = _AS_FOUND) -> Reading:
    """Read tables of sessions as one data set.

    A path is a file, a folder, a pattern or ``Path("-")``, standard input. Formats,
    columns and the way in which times and durations are written are found out, file by
    file, where *options* don't say them. Rows that can't be used are left out and
    counted. Raises BadInput where there is no such path.
    """
    sources = expand(paths)
    report = Report()
    progress = Progress(sources)
    names = [short_name(path) for path in paths]
    if len(names) > _NAMED_PATHS:
        names[_NAMED_PATHS - 1 :] = [f"{len(names) - _NAMED_PATHS + 1:,} more"]
    # Where the short name of a path is the whole, it says nothing by itself.
    folders = [
        f"{_fixed(path).parent}{os.sep}"
        for path in paths
        if short_name(path) == path.name
    ]
    reader = _Reader(sources, options, report, progress, folders)
    return Reading(reader.tables(), Origin(", ".join(names), report), progress)


def read_bytes(
    name: str,
    data: bytes,
    options: ReadOptions = _AS_FOUND,
    most_rows: int = _NO_LIMIT,
    is_cancelled: Callable[[], bool] = lambda: False,
    most_unpacked: int = _NO_LIMIT,
    most_names: int = _NO_LIMIT,
) -> Reading:
    """Read a file that is held in memory; see ``read_sessions``.

    *name* is that of the file. The tables raise BadInput where it has more than
    *most_rows* rows, what is packed in it more than *most_unpacked* bytes, its users
    and pages more than *most_names* bytes, or it *is_cancelled*, which is asked from
    time to time.
    """
    source = Source(Path(name), name, data=data)
    report, progress = Report(), Progress([])
    limits = _Limits(most_rows, most_unpacked, most_names, is_cancelled)
    reader = _Reader([source], options, report, progress, [], limits)
    return Reading(reader.tables(), Origin(name, report), progress)


class _Limits(NamedTuple):
    """What ends reading; see ``read_bytes``."""

    rows: int = _NO_LIMIT
    unpacked: int = _NO_LIMIT
    names: int = _NO_LIMIT
    is_cancelled: Callable[[], bool] = lambda: False


class _Reader:
    """Reads a data set once."""

    def __init__(
        self,
        sources: Sequence[Source],
        options: ReadOptions,
        report: Report,
        progress: Progress,
        folders: Sequence[str],
        limits: "_Limits | None" = None,
    ) -> None:
        self._sources = sources
        self._options = options
        self._report = report
        self._progress = progress
        self._folders = folders
        self._limits = limits or _Limits()
        self._n_rows = self._n_unpacked = self._n_names = 0
        self._may_repeat = len(sources) > 1
        self._merger = PageMerger(options.merge_pages)
        self._bots = Bots()
        self._kept: list[Rows] = []
        self._kept_files: list[int] = []
        self._skipped: list[str] = []
        self._without_sessions: BadInput | None = None

    def tables(self) -> Iterator[pd.DataFrame]:
        repeated = Repeated()
        together: list[Rows] = []
        dropped = self._options.drop_repeated
        for number, rows in self._rows():
            if self._may_repeat:
                repeated.add(number, rows)
            is_held = self._report.files[number].is_derived
            if is_held or (dropped and self._may_repeat):
                self._kept.append(rows)
                self._kept_files.append(number)
                continue
            together.append(rows)
            if sum(len(part.time) for part in together) >= _AT_ONCE:
                yield from join(together).frames(_AT_ONCE)
        if together:
            yield from join(together).frames(_AT_ONCE)
        self._check()
        is_repeated, pairs = repeated.find()
        files = self._report.files
        names = [file.name for file in files]
        self._report.notes += repeated_notes(pairs, names, dropped=dropped)
        for (_, later), n_rows in pairs.items() if dropped else ():
            files[later].dropped += n_rows
        besides = without_effect(self._options, files)
        self._report.notes += filter(
            None, (self._merger.note(), self._skipped_note(), besides)
        )
        is_dropped = is_repeated if dropped and self._may_repeat else None
        kept = self._kept_rows(is_dropped) if self._kept else None
        # After that, which says of files whether they can be derived.
        self._report.durations = self._rules()
        if kept:
            yield from kept.frames(_AT_ONCE)

    def _skipped_note(self) -> str:
        """Which files hold no sessions, by their names or their first bytes."""
        skipped = [name for source in self._sources for name in source.skipped]
        names = [self._short_name(name) for name in skipped + self._skipped]
        if not names:
            return ""
        more = f" and {count_text(len(names) - 5, 'other')}" * (len(names) > 5)
        return f"Skipped, as they hold no sessions: {', '.join(names[:5])}{more}."

    def _rows(self) -> Iterator[tuple[int, Rows]]:
        """Usable rows, with the number of their table."""
        files = self._report.files
        for source in self._sources:
            place = source.name
            n_before = len(files)
            try:
                with open_source(source, self._progress) as file:
                    for name, stream in unpacked(
                        source.name, file, self._skipped, self._watch
                    ):
                        # Of several tables in one file, each has a name of its own.
                        is_member = not source.name.startswith(name)
                        self._may_repeat |= is_member
                        place = name if is_member else source.name
                        yield from self._table_rows(place, name, stream, source)
            except ChangedInput as error:
                # A server goes on writing its log.
                if not all(file.is_log for file in files[n_before:]):
                    raise BadInput(f"{place}: {error}{self._so_far()}") from None
                change = str(error).partition(";")[0]
                self._report.notes.append(
                    f"{self._short_name(place)}: {change}; what was written to it or "
                    "taken from it meanwhile may be missing."
                )
            except (BadInput, pa.ArrowException, OSError, MemoryError) as error:
                raise BadInput(f"{place}: {_reason(error)}{self._so_far()}") from None

    def _table_rows(
        self, place: str, name: str, stream: BinaryIO, source: Source
    ) -> Iterator[tuple[int, Rows]]:
        """See ``_rows``, for one table, which messages name *place*."""
        file = FileReport(self._short_name(place))
        number = len(self._report.files)
        self._report.files.append(file)
        try:
            yield from self._numbered(number, self._tables(name, stream, file, source))
        except NoSessions as error:
            # As a log that was just rotated, or the log of errors beside it.
            self._report.files.remove(file)
            self._skipped.append(place)
            self._without_sessions = self._without_sessions or BadInput(
                f"{place}: {error}"
            )

    def _numbered(
        self, number: int, tables: Iterator[Rows]
    ) -> Iterator[tuple[int, Rows]]:
        """The rows of a table that are some, with its number."""
        file, n_before = self._report.files[number], 0
        for rows in tables:
            self._watch(0)
            self._n_rows += file.rows - n_before
            n_before = file.rows
            if self._n_rows > self._limits.rows:
                raise BadInput(f"it has more than {self._limits.rows:,} rows")
            # Packed, a small file may have names for more memory than there is.
            names = rows.user.dictionary, rows.page.dictionary
            self._n_names += sum(each.nbytes for each in names)
            if self._n_names > self._limits.names:
                most = f"{self._limits.names:,} bytes"
                raise BadInput(f"its users and pages have more than {most}")
            if len(rows.time):
                yield number, rows

    def _watch(self, n_unpacked: int) -> None:
        """Raise BadInput where reading is to end, when so many bytes were unpacked."""
        self._n_unpacked += n_unpacked
        if self._limits.is_cancelled():
            raise BadInput("it was cancelled")
        if self._n_unpacked > self._limits.unpacked:
            most = self._limits.unpacked
            raise BadInput(f"unpacked, it has more than {most:,} bytes")

    def _tables(
        self, name: str, stream: BinaryIO, file: FileReport, source: Source
    ) -> Iterator[Rows]:
        """The usable rows of a table or a log, part by part."""
        log, stream = find_log(stream, self._options)
        if log:
            yield from log.read(stream, file, self._merger, self._bots)
            return
        table = Table(file, source.keys, self._options, self._merger)
        try:
            for part in read_table(name, stream, table.choose, self._options):
                rows = table.clean(part)
                file.is_derived = table.is_derived
                yield rows
        except NoSuchColumns as error:
            file.columns = error.columns
            raise
        table.finish()

    def _short_name(self, name: str) -> str:
        """A name without the folder in which the person's path is."""
        for folder in self._folders:
            if name.startswith(folder):
                return name.removeprefix(folder)
        return name

    def _so_far(self) -> str:
        rows = self._report.rows
        return f" ({count_text(rows, 'row')} had been read)" if rows else ""

    def _check(self) -> None:
        """Raise BadInput where too few rows could be used."""
        report, options = self._report, self._options
        kept = sum(file.kept for file in report.files)
        reasons = "; ".join(each.text() for each in report.left_out.values())
        names = ", ".join(source.name for source in self._sources[:_NAMED_PATHS])
        if self._without_sessions and not report.files:
            raise self._without_sessions
        if not kept:
            where = " and ".join(f"{name}={value}" for name, value in options.where)
            why = f"none has {where}" if where else "it has no rows"
            sites = next((file.sites for file in report.files if file.sites), ())
            why += f"; there are {', '.join(sites[:_TOLD_SITES])}" * bool(
                where and sites
            )
            what = "no usable row"
            if report.passed:
                what = "no page view"
                others = (
                    f"{kind}: {each.rows:,}, such as {each.example}"
                    for kind, each in report.passed.items()
                )
                reasons = "; ".join([*others, *[reasons] * bool(reasons)])
            raise BadInput(f"{names}: {what} ({reasons or why})")
        if reasons and options.strict:
            raise BadInput(f"{names}: {reasons}; without --strict they are left out")
        if report.share_left_out > 0.5 and not options.allow_left_out:
            raise BadInput(
                f"{names}: more than half of the rows can't be used: {reasons}; "
                "--allow-left-out goes on without them"
            )

    def _kept_rows(self, is_dropped: NDArray[np.bool_] | None) -> Rows:
        """The rows that were kept until all had been read, with their durations."""
        lengths = [len(part.time) for part in self._kept]
        files = np.repeat(np.array(self._kept_files, np.int32), lengths)
        rows = join(self._kept)
        if is_dropped is not None:
            rows, files = rows.take(~is_dropped), files[~is_dropped]
        zone = ZoneInfo(self._options.times_in or "UTC")
        derives = np.zeros(len(files), np.bool_)
        # Files are read one after the other: the rows of each are a slice.
        cuts = np.searchsorted(files, np.arange(len(self._report.files) + 1)).tolist()
        slices = [slice(*each) for each in pairwise(cuts)]
        del files
        for file, of_file in zip(self._report.files, slices, strict=True):
            if file.is_derived:
                # The times of a log are never but days.
                file.can_derive = file.is_log or can_derive(rows.time[of_file], zone)
                derives[of_file] = file.can_derive
        has_log = any(file.is_log for file in self._report.files)
        if has_log and (order := self._order(rows.time, slices)) is not None:
            rows, derives = rows.take(order), derives[order]
        if derives.any():
            of = rows if derives.all() else rows.take(derives)
            gap = self._options.visit_gap
            seconds, visits = derive(of, gap, _OTHER_GAPS if has_log else ())
            rows.seconds[derives] = self._known(seconds)
            if has_log:
                self._report.notes.append(_visits_text(gap, visits))
        return rows

    def _order(
        self, time: NDArray[np.int64], slices: Sequence[slice]
    ) -> NDArray[np.int64] | None:
        """The order of rows with logs in the order of their times; None for as it is.

        *slices* are the rows of each file. Of views at one time, which a log has by the
        second, the first is in the older file, however files are named.
        """
        is_log = [
            file.is_log and of_file.start < of_file.stop
            for file, of_file in zip(self._report.files, slices, strict=True)
        ]
        logs = list(compress(slices, is_log))
        ordered = sorted(logs, key=lambda of_file: np.median(time[of_file]))
        if ordered == logs:
            return None
        others = iter(ordered)
        rows = np.arange(len(time))
        places = (
            next(others) if moves else of_file
            for moves, of_file in zip(is_log, slices, strict=True)
        )
        return np.concatenate([rows[each] for each in places])

    def _known(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derived durations, unknown where an option says so of such ones."""
        options = self._options
        longest = np.inf if options.longest is None else options.longest
        is_unknown = (seconds > longest) | ((seconds == 0) & options.zero_is_unknown)
        if is_unknown.any():
            words = f"{count_text(int(is_unknown.sum()), 'derived duration')}"
            self._report.notes.append(f"{words} taken as unknown, as options say.")
        return np.where(is_unknown, np.nan, seconds)

    def _rules(self) -> str:
        """How durations were derived, and in which files if not in all."""
        gap = duration_text(self._options.visit_gap)
        found: dict[str, list[str]] = {}
        for file in self._report.files:
            if file.is_derived and file.can_derive:
                row = "page view" if file.is_log else "row"
                rule = (
                    "Durations{of} are derived: the time to the same user's next "
                    f"{row}, unknown where that is over {gap} away or there is none."
                )
            elif file.is_derived:
                rule = (
                    "Durations{of} are unknown: no column has them, and times are days "
                    "or whole hours, from which none can be derived."
                )
            else:
                rule = file.durations.replace("Durations are", "Durations{of} are", 1)
            found.setdefault(rule, []).append(file.name)
        rules = []
        for rule, names in found.items():
            of = "" if len(found) == 1 else f" of {names[0]}"
            if of and len(names) > 1:
                of += f" and {count_text(len(names) - 1, 'other file')}"
            rules += [rule.replace("{of}", of)] * bool(rule)
        return " ".join(rules)


def _visits_text(gap: float, visits: Sequence[int]) -> str:
    """How many visits there are by *gap*, the first, and by each of ``_OTHER_GAPS``."""
    others = [
        f"with {duration_text(other)}, {n:,}"
        for other, n in zip(_OTHER_GAPS, visits[1:], strict=True)
        if other != gap
    ]
    now = f"{count_text(visits[0], 'visit')} with gaps of at most {duration_text(gap)}"
    return f"{now}; {'; '.join(others)}."


def _reason(error: Exception) -> str:
    if isinstance(error, BadInput):
        return str(error)
    # Arrow says of a thread that there is no memory for that it can't be launched.
    if isinstance(error, MemoryError) or "launch worker thread" in str(error):
        return "it is more data than memory holds"
    if isinstance(error, OSError):
        return str(error.strerror or error)
    return f"cannot be read ({first_line(error)})"


def _fixed(path: Path) -> Path:
    """A path up to where a pattern begins in it."""
    parts = path.parts
    free = (n for n, part in enumerate(parts) if set("*?[") & set(part))
    return Path(*parts[: next(free, len(parts) - 1) + 1])
