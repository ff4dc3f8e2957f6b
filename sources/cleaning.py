"""One table of a file: which columns it takes, and its rows as sessions."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from formatting import count_text
from sources.durations import UNKNOWN, DurationReader, Durations
from sources.moments import DAY, Moments, check_once, check_unit
from sources.names import Columns, find_columns, shown_name
from sources.options import ReadOptions
from sources.origin import BadInput, FileReport
from sources.pages import PageMerger, merge_names
from sources.parts import LeftOut, Part
from sources.rows import Rows
from sources.texts import as_text, read_names
from sources.times import Times, hint

_NOBODY: Final = (
    "null",
    "\\n",
    "nan",
    "none",
    "(not set)",
    "<na>",
    "undefined",
    "unknown",
)
"""Names of users, in small letters, that may well stand for none."""

_LONGEST_VALUE: Final = 60
_LONGEST_RULE: Final = 300


class Table:
    """Turns the parts of one table into rows, and writes down what it understood.

    Its format calls ``choose`` before it gives the first part.
    """

    _columns: Columns

    def __init__(
        self,
        report: FileReport,
        keys: Sequence[tuple[str, str]],
        options: ReadOptions,
        merger: PageMerger,
    ) -> None:
        """*keys* are columns of one value, from the names of the folders."""
        self._report = report
        self._keys = keys
        self._options = options
        self._merger = merger
        self._starts = Moments(options)
        self._ends = Moments(options)
        self._durations: DurationReader | None = None
        self._wanted: list[int] = []
        self._part_notes: dict[str, None] = {}
        self._nobodies: Counter[str] = Counter()

    @property
    def is_derived(self) -> bool:
        """Whether durations follow from the next row, for want of a column."""
        columns = self._columns
        return columns.duration is None and not columns.ends

    def choose(self, names: Sequence[str]) -> list[int]:
        """The columns that are wanted, the user's and the page's first.

        Raises NoSuchColumns where some are missing.
        """
        columns = find_columns(
            [*names, *(name for name, _ in self._keys)], self._options
        )
        wanted = [
            columns.user,
            columns.page,
            *columns.time,
            columns.duration,
            *columns.ends,
            columns.check_end,
            columns.visit,
            *columns.where,
        ]
        self._columns = columns
        self._report.columns = tuple(names)
        self._report.taken = {
            role: tuple(columns.names[index] for index in indices)
            for role, indices in columns.by_role().items()
        }
        self._wanted = [
            index
            for index in dict.fromkeys(wanted)
            if index is not None and index < len(names)
        ]
        return self._wanted

    def clean(self, part: Part) -> Rows:
        """The rows of a part that can be used; the report counts the others.

        Raises BadInput where a column has a type that can't hold what it should.
        """
        n_rows = part.table.num_rows + sum(each.rows for each in part.left_out)
        matching = self._matching(part)
        n_unmatched = part.table.num_rows - matching.table.num_rows
        part = matching
        names = [
            read_names(self._column(part, index), what, part.locate)
            for index, what in (
                (self._columns.user, "user"),
                (self._columns.page, "page"),
            )
        ]
        times = self._starts.read(self._of(part, self._columns.time))
        durations = self._read_durations(part, times)
        self._check_once(part, names[0], durations)
        reasons = {
            "no user": _is_null(names[0]),
            "no page": _is_null(names[1]),
            "an unreadable time": times.unreadable,
            **durations.unusable,
        }
        self._report.rows += n_rows
        self._report.unmatched += n_unmatched
        self._report.leave_out(part.left_out)
        good = self._leave_out(part, reasons)
        rows = Rows(names[0], names[1], durations.seconds, times.microseconds)
        if not good.all():
            rows = rows.take(good)
        self._count_nobody(rows.user)
        self._part_notes |= dict.fromkeys(part.notes)
        self._report.notes = tuple(self._notes())
        if part.durations:
            self._report.durations = part.durations[:_LONGEST_RULE]
        self._report.understood = tuple(self._understood(part))
        if not self._options.merge_pages:
            return rows
        return rows._replace(page=merge_names(rows.page, self._merger))

    def finish(self) -> None:
        """Raise BadInput where the durations of the whole table stayed ambiguous."""
        if self._durations is not None:
            try:
                self._durations.finish()
            except BadInput as error:
                raise self._with_times(error) from None

    def _with_times(self, error: BadInput) -> BadInput:
        """An error about durations, and what is wrong with times: two in one go."""
        times = self._report.left_out.get("an unreadable time")
        return BadInput(f"{error}; and {times.text()}") if times else error

    def _column(self, part: Part, index: int) -> pa.ChunkedArray:
        n_columns = len(self._columns.names) - len(self._keys)
        if index < n_columns:
            return part.table.column(self._wanted.index(index))
        value = self._keys[index - n_columns][1]
        return pa.chunked_array([pa.repeat(pa.scalar(value), part.table.num_rows)])

    def _of(self, part: Part, indices: Sequence[int]) -> list[pa.ChunkedArray]:
        return [self._column(part, index) for index in indices]

    def _matching(self, part: Part) -> Part:
        """The rows that are asked for; their places stay those in the file."""
        if not self._columns.where:
            return part
        mask = np.ones(part.table.num_rows, np.bool_)
        for index, (_, value) in zip(
            self._columns.where, self._options.where, strict=True
        ):
            texts = pc.fill_null(as_text(self._column(part, index)), "")
            mask &= pc.equal(texts, value).to_numpy()
        indices = np.flatnonzero(mask)
        locate, numbers = part.locate, part.numbers
        return part._replace(
            table=part.table.take(pa.array(indices)),
            locate=lambda row: locate(int(indices[row])),
            numbers=numbers and (lambda column: numbers(column)[indices]),
        )

    def _read_durations(self, part: Part, times: Times) -> Durations:
        columns = self._columns
        if columns.ends:
            return self._differences(part, times)
        if columns.duration is None:
            return Durations(np.full(part.table.num_rows, np.nan), {})
        if self._durations is None:
            self._durations = self._reader(
                columns.unit, part.point_is_usual, self._options.negative_is_unknown
            )
        try:
            column = self._column(part, columns.duration)
            numbers = None
            if part.numbers and columns.duration in self._wanted:
                numbers = part.numbers(self._wanted.index(columns.duration))
            found = self._durations.read(column, part.locate, numbers)
        except BadInput as error:
            self._leave_out(part, {"an unreadable time": times.unreadable})
            raise self._with_times(error) from None
        if columns.check_end is not None and columns.unit is None:
            between, usable = self._between(part, times, [columns.check_end])
            seconds = np.where(usable, found.seconds, np.nan)
            name = columns.names[columns.duration]
            check_unit(seconds, between / 1e6, name, part.locate)
        return found

    def _check_once(
        self, part: Part, user: pa.DictionaryArray, durations: Durations
    ) -> None:
        """Hold the first durations against the visits that they are of."""
        columns = self._columns
        # Not twice, and not by a column of a type that has no text.
        if columns.visit is None or self._report.rows:
            return
        try:
            visit = as_text(self._column(part, columns.visit))
        except BadInput:
            return
        check_once(durations.seconds, user, visit, columns, part.locate)

    def _reader(
        self,
        unit: str | None,
        point_is_usual: bool = True,
        negative_is_unknown: bool = False,
    ) -> DurationReader:
        options = self._options
        return DurationReader(
            unit,
            decimal=options.decimal,
            point_is_usual=point_is_usual,
            zero_is_unknown=options.zero_is_unknown,
            negative_is_unknown=negative_is_unknown,
            longest=options.longest,
        )

    def _between(
        self, part: Part, times: Times, indices: Sequence[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Microseconds from starts to ends, and where both are known."""
        day = self._of(part, self._columns.time[:1])[0] if self._starts.joins else None
        ends = self._ends.read(self._of(part, indices), day)
        between = ends.microseconds - times.microseconds
        if self._ends.is_clock:
            # An end before its start is on the next day.
            between = np.where(between < 0, between + DAY, between)
        return between, ~(ends.unreadable | times.unreadable)

    def _differences(self, part: Part, times: Times) -> Durations:
        """Durations from the start to the end; unknown where there is no end."""
        between, usable = self._between(part, times, self._columns.ends)
        texts = pc.fill_null(as_text(self._column(part, self._columns.ends[-1])), "")
        texts = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
        is_blank = pc.is_in(texts, pa.array(["", *UNKNOWN])).to_numpy()
        if self._durations is None:
            self._durations = self._reader("us")
        lengths = pa.chunked_array([pa.array(between, mask=~usable)])
        found = self._durations.read(lengths, part.locate)
        unusable = dict(found.unusable)
        negative = unusable.pop("a negative duration", np.zeros(len(usable), np.bool_))
        return found._replace(
            unusable={
                "an unreadable end": ~(usable | times.unreadable | is_blank),
                "an end before its start": negative,
                **unusable,
            }
        )

    def _leave_out(
        self, part: Part, reasons: Mapping[str, NDArray[np.bool_]]
    ) -> NDArray[np.bool_]:
        """Count rows by the first reason of each; returns which can be used."""
        good = np.ones(part.table.num_rows, np.bool_)
        for reason, bad in reasons.items():
            bad = bad & good
            n_bad = int(bad.sum())
            if n_bad:
                example, advice = self._example(part, reason, int(bad.argmax()))
                self._report.leave_out([LeftOut(reason, n_bad, example, advice)])
                good &= ~bad
        return good

    def _example(self, part: Part, reason: str, row: int) -> tuple[str, str]:
        """Where a row is and what it has there, and what to do about it."""
        place = part.locate(row)
        columns = self._columns
        if reason in ("no user", "no page"):
            return place, self._other_column(reason.removeprefix("no "))
        start, end = self._starts.texts, self._ends.texts
        if reason == "an end before its start":
            return f"{place}: {_shown(start, row)} to {_shown(end, row)}", ""
        moments = {"an unreadable time": start, "an unreadable end": end}
        if reason in moments:
            value = as_text(moments[reason])[row].as_py()
            advice = hint(value or "").replace("DAY+TIME", self._day_and_time())
            return f"{place}: {_shown(moments[reason], row)}", advice
        if columns.duration is None:
            return f"{place}: {_shown(start, row)} to {_shown(end, row)}", ""
        is_negative = reason == "a negative duration"
        advice = "--negative-is-unknown keeps such rows" * is_negative
        return f"{place}: {_shown(self._column(part, columns.duration), row)}", advice

    def _day_and_time(self) -> str:
        """What ``--time`` could be where the column of the time has no day."""
        days = [name for role, name in self._columns.passed_over if role == "time"]
        time = self._columns.names[self._columns.time[-1]]
        if not days or {shown_name(days[0]), shown_name(time)} != {days[0], time}:
            return "DAY+TIME"
        return shlex.quote(f"{days[0]}+{time}")

    def _other_column(self, role: str) -> str:
        """An option that takes another column, such as one of anonymous users."""
        for which, name in self._columns.passed_over:
            if which == role:
                # A name that can't be shown whole can't be typed either.
                column = shlex.quote(name) if shown_name(name) == name else "COL"
                return f"--{role} {column} takes another column"
        return ""

    def _count_nobody(self, users: pa.DictionaryArray) -> None:
        """Count rows whose user has a name that may stand for none."""
        names = pc.utf8_lower(users.dictionary)
        found = pc.is_in(names, pa.array(_NOBODY)).to_numpy(zero_copy_only=False)
        if found.any():
            counts = np.bincount(users.indices.to_numpy(), minlength=len(found))
            for code in np.flatnonzero(found & (counts > 0)).tolist():
                self._nobodies[users.dictionary[code].as_py()] += int(counts[code])

    def _notes(self) -> Iterator[str]:
        yield from self._part_notes
        for name, n in self._nobodies.items():
            rows = count_text(n, "row")
            yield f"{rows} with the user {name!r}, who is counted as one user."
        yield from self._starts.notes()
        if self._columns.ends:
            yield from self._ends.notes()
        if self._durations is not None:
            yield from self._durations.notes()

    def _understood(self, part: Part) -> Iterator[str]:
        """Lines about the form of the file and the columns that were taken."""
        columns = self._columns
        names = [shown_name(name) for name in columns.names]
        time = _joined(names, columns.time[-1 - self._starts.joins :])
        lines = {
            "user": names[columns.user],
            "page": names[columns.page],
            "time": ", ".join(filter(None, (time, self._starts.description()))),
        }
        if columns.duration is not None and self._durations is not None:
            lines["duration"] = (
                f"{names[columns.duration]}, {self._durations.description()}"
            )
        elif columns.ends:
            end = _joined(names, columns.ends)
            lines["duration"] = f"from the start to {end}"
        else:
            lines["duration"] = "derived from the next row of the same user"
        yield f"{part.form}."
        for name, value in self._options.where:
            yield f"Only rows with {shown_name(name)}={shown_name(value)}."
        for role, text in lines.items():
            roles = ("duration", "end") if role == "duration" else (role,)
            others = [
                shown_name(name)
                for which, name in columns.passed_over
                if which in roles
            ]
            more = f" (not {', '.join(others)})" if others else ""
            yield f"{role.capitalize()}: {text}{more}."


def _joined(names: Sequence[str], indices: Sequence[int]) -> str:
    return " and ".join(names[index] for index in indices)


def _is_null(names: pa.DictionaryArray) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = names.is_null().to_numpy(zero_copy_only=False)
    return found


def _shown(column: pa.ChunkedArray, row: int) -> str:
    """One value, as it can be printed."""
    text = as_text(column)[row].as_py()
    return "nothing" if text is None else repr(text[:_LONGEST_VALUE])
