"""All files of a data set as one stream of session tables, and a report of them."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from formatting import count_text, duration_text
from sources.cleaning import Table
from sources.derived import derive, have_days_alone
from sources.formats import read_table
from sources.inputs import Progress, Source, expand, open_input, short_name
from sources.options import ReadOptions
from sources.origin import BadInput, FileReport, Origin, Report, first_line
from sources.packing import unpacked
from sources.pages import PageMerger
from sources.repeated import Repeated, repeated_notes
from sources.rows import Rows, join

# The names of a table cost as much as a million rows do.
_AT_ONCE = 1 << 20
_NAMED_PATHS = 3
_AS_FOUND = ReadOptions()


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
        f"{path.parent}{os.sep}" for path in paths if short_name(path) == path.name
    ]
    reader = _Reader(sources, options, report, progress, folders)
    return Reading(reader.tables(), Origin(", ".join(names), report), progress)


class _Reader:
    """Reads a data set once."""

    def __init__(
        self,
        sources: Sequence[Source],
        options: ReadOptions,
        report: Report,
        progress: Progress,
        folders: Sequence[str],
    ) -> None:
        self._sources = sources
        self._options = options
        self._report = report
        self._progress = progress
        self._folders = folders
        # One file may be several tables, too, where it is packed.
        self._may_repeat = len(sources) > 1 or sources[0].path.suffix == ".zip"
        self._merger = PageMerger(options.merge_pages)
        self._kept: list[Rows] = []
        self._derives: list[bool] = []

    def tables(self) -> Iterator[pd.DataFrame]:
        repeated = Repeated()
        together: list[Rows] = []
        dropped = self._options.drop_repeated
        for number, is_derived, rows in self._rows():
            if self._may_repeat:
                repeated.add(number, rows)
            if is_derived or dropped:
                self._kept.append(rows)
                self._derives.append(is_derived)
                continue
            together.append(rows)
            if sum(len(part.time) for part in together) >= _AT_ONCE:
                yield join(together).frame()
        if together:
            yield join(together).frame()
        self._check()
        self._report.durations = next(
            (file.durations for file in self._report.files if file.durations), ""
        )
        is_repeated, pairs = repeated.find()
        names = [file.name for file in self._report.files]
        self._report.notes += repeated_notes(pairs, names, dropped=dropped)
        for (_, later), n_rows in pairs.items() if dropped else ():
            self._report.files[later].dropped += n_rows
        self._report.notes += filter(None, (self._merger.note(), self._skipped_note()))
        if self._kept:
            is_dropped = is_repeated if dropped and self._may_repeat else None
            yield from self._kept_tables(is_dropped)

    def _skipped_note(self) -> str:
        """Which files of folders were taken for no tables."""
        names = [
            self._short_name(n) for source in self._sources for n in source.skipped
        ]
        if not names:
            return ""
        more = f" and {count_text(len(names) - 5, 'other')}" * (len(names) > 5)
        return f"Skipped, as they are no tables: {', '.join(names[:5])}{more}."

    def _rows(self) -> Iterator[tuple[int, bool, Rows]]:
        """Usable rows, with the number of their table and whether they are derived."""
        for source in self._sources:
            place = source.name
            try:
                with open_input(source.path, self._progress) as file:
                    for name, stream in unpacked(source.name, file):
                        # Of several tables in one file, each has a name of its own.
                        place = name if name.startswith(source.name) else source.name
                        yield from self._table_rows(place, name, stream, source)
            except (BadInput, pa.ArrowException, OSError, MemoryError) as error:
                raise BadInput(f"{place}: {_reason(error)}{self._so_far()}") from None

    def _table_rows(
        self, place: str, name: str, stream: BinaryIO, source: Source
    ) -> Iterator[tuple[int, bool, Rows]]:
        """See ``_rows``, for one table, which messages name *place*."""
        file = FileReport(self._short_name(place))
        table = Table(file, source.keys, self._options, self._merger)
        self._report.files.append(file)
        number = len(self._report.files) - 1
        for part in read_table(name, stream, table.choose, self._options):
            rows = table.clean(part)
            file.is_derived = table.is_derived
            if len(rows.time):
                yield number, file.is_derived, rows
        table.finish()

    def _short_name(self, name: str) -> str:
        """A name without the folder in which the person's path is."""
        for folder in self._folders:
            if name.startswith(folder):
                return name.removeprefix(folder)
        return name

    def _so_far(self) -> str:
        rows = self._report.rows
        return f" ({rows:,} row{'s' * (rows != 1)} had been read)" if rows else ""

    def _check(self) -> None:
        """Raise BadInput where too few rows could be used."""
        report, options = self._report, self._options
        kept = sum(file.kept for file in report.files)
        reasons = "; ".join(each.text() for each in report.left_out.values())
        names = ", ".join(source.name for source in self._sources[:_NAMED_PATHS])
        if not kept:
            where = " and ".join(f"{name}={value}" for name, value in options.where)
            why = f"none has {where}" if where else "it has no rows"
            raise BadInput(f"{names}: no usable row ({reasons or why})")
        if reasons and options.strict:
            raise BadInput(f"{names}: {reasons}; without --strict they are left out")
        if report.share_left_out > 0.5 and not options.allow_left_out:
            raise BadInput(
                f"{names}: more than half of the rows can't be used: {reasons}; "
                "--allow-left-out goes on without them"
            )

    def _kept_tables(
        self, is_dropped: NDArray[np.bool_] | None
    ) -> Iterator[pd.DataFrame]:
        """The rows that were kept until all had been read, with their durations."""
        lengths = [len(part.time) for part in self._kept]
        derives = np.repeat(self._derives, lengths)
        rows = join(self._kept)
        if is_dropped is not None:
            rows, derives = rows.take(~is_dropped), derives[~is_dropped]
        seconds = rows.seconds
        if derives.any():
            of = rows if derives.all() else rows.take(derives)
            seconds[derives] = self._derive(of)
        for start in range(0, len(seconds), _AT_ONCE):
            yield rows._replace(seconds=seconds).slice(start, start + _AT_ONCE).frame()

    def _derive(self, rows: Rows) -> NDArray[np.float64]:
        zone = ZoneInfo(self._options.times_in or "UTC")
        if have_days_alone(rows, zone):
            self._report.durations = (
                "Durations are unknown: no column has them, and times are days alone, "
                "from which none can be derived."
            )
            return np.full(len(rows.time), np.nan)
        self._report.durations = self._rule()
        return self._known(derive(rows, self._options.visit_gap))

    def _known(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derived durations, unknown where an option says so of such ones."""
        options = self._options
        longest = np.inf if options.longest is None else options.longest
        is_unknown = (seconds > longest) | ((seconds == 0) & options.zero_is_unknown)
        if is_unknown.any():
            words = f"{count_text(int(is_unknown.sum()), 'derived duration')}"
            self._report.notes.append(f"{words} taken as unknown, as options say.")
        return np.where(is_unknown, np.nan, seconds)

    def _rule(self) -> str:
        """How durations were derived, and in which files if not in all."""
        files = [file for file in self._report.files if file.is_derived]
        of = ""
        if len(files) < len(self._report.files):
            of = f" of {files[0].name}"
            of += f" and {count_text(len(files) - 1, 'other file')}" * (len(files) > 1)
        gap = duration_text(self._options.visit_gap)
        return (
            f"Durations{of} are derived: the time to the same user's next row, unknown "
            f"where that is over {gap} away or there is none."
        )


def _reason(error: Exception) -> str:
    if isinstance(error, BadInput):
        return str(error)
    if isinstance(error, MemoryError):
        return "it is more data than memory holds"
    if isinstance(error, OSError):
        return str(error.strerror or error)
    return f"cannot be read ({first_line(error)})"
