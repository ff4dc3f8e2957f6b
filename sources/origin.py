"""What a source says about itself: where its sessions are from, and what is wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from formatting import count_text
from sources.parts import LeftOut

ALARMING: Final = 0.05
"""The share of rows left out from which it is said where nobody overlooks it."""

PASSED: Final = (
    *("assets", "bots", "errors", "redirects", "other statuses", "other methods"),
    *("no request", "comments"),
)
"""What lines of a log are that are no page views, in the order in which it is told."""

_NAMED_FILES: Final = 10


class BadInput(ValueError):
    """A file can't be used; the message is one line that names it and says why."""


class NoSessions(BadInput):
    """A file has none by its nature, as it is empty or another kind of log."""


class ChangedInput(BadInput):
    """A file is no longer what it was when it was opened; it was read to its end."""


class NoSuchColumns(BadInput):
    """A table lacks columns that are needed; the message names all of them."""

    def __init__(self, message: str, columns: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.columns = tuple(columns)
        """The names of the columns that the table has."""


@dataclass
class FileReport:
    """What was found in one table, while it is read and afterwards."""

    name: str
    """The file's name, as a person knows it."""
    understood: tuple[str, ...] = ()
    """How it was read: its form, and a line for each column that was taken."""
    notes: tuple[str, ...] = ()
    """What a person should know of it besides, in sentences."""
    columns: tuple[str, ...] = ()
    """The names of all its columns; none where it isn't a table."""
    taken: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The columns that were taken, by what they hold: "user", "page", "time",
    "duration" or "end"; a time and an end may be two."""
    is_log: bool = False
    """Whether it is a log of requests: its rows are lines."""
    rows: int = 0
    """Rows read so far, those left out among them."""
    durations: str = ""
    """The rule by which durations were derived, where the file says it."""
    is_derived: bool = False
    """Whether durations are derived, for want of a column."""
    can_derive: bool = True
    """Whether its times are fine enough for that."""
    unmatched: int = 0
    """Rows that aren't asked for, see ``ReadOptions.where``."""
    dropped: int = 0
    """Rows that an earlier file has, too, see ``ReadOptions.drop_repeated``."""
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    """Rows that can't be used, by reason, each row once."""
    passed: dict[str, LeftOut] = field(default_factory=dict)
    """Lines of a log that are no page views, such as "assets", each line once."""
    example: str = ""
    """The first page view of a log."""
    sites: tuple[str, ...] = ()
    """The sites that most of a log's requests are to, the most first."""

    def leave_out(self, rows: Iterable[LeftOut]) -> None:
        """Count rows that can't be used; the first example of each reason stays."""
        add_up(self.left_out, rows)

    @property
    def kept(self) -> int:
        """Rows that are sessions."""
        others = _count(self.left_out) + _count(self.passed)
        return self.rows - self.unmatched - self.dropped - others


@dataclass
class Report:
    """What was found in all files of a data set; complete once they have been read."""

    files: list[FileReport] = field(default_factory=list)
    """The tables read so far, in order."""
    notes: list[str] = field(default_factory=list)
    """What a person should know of all together, in sentences."""
    durations: str = ""
    """The rule by which durations were derived, a sentence; empty if they weren't."""

    @property
    def rows(self) -> int:
        """Rows read so far, but for those that aren't asked for."""
        return sum(file.rows - file.unmatched for file in self.files)

    @property
    def left_out(self) -> dict[str, LeftOut]:
        """Rows that can't be used, by reason; examples name their file."""
        return _together(self.files, "left_out", self._several)

    @property
    def passed(self) -> dict[str, LeftOut]:
        """Lines of logs that are no page views; examples name their file."""
        return _together(self.files, "passed", self._several)

    def views_text(self) -> str:
        """How many lines of logs are page views, a sentence; empty without a log."""
        logs = [file for file in self.files if file.is_log]
        lines = sum(file.rows for file in logs)
        views = sum(file.kept for file in logs)
        are = "is a page view" if views == 1 else "are page views"
        words = f"{views:,} of {count_text(lines, 'line')} {are}: each is a session."
        return words if logs else ""

    @property
    def share_left_out(self) -> float:
        """The share of rows that can't be used, of those that are asked for."""
        return _count(self.left_out) / max(self.rows, 1)

    def left_out_text(self) -> str:
        """For example "3 rows left out: 2 with no user, 1 with an unreadable time"."""
        found = self.left_out
        if not found:
            return ""
        n_rows = count_text(_count(found), _unit(self.files))
        reasons = (f"{each.rows:,} with {each.reason}" for each in found.values())
        return f"{n_rows} left out: {', '.join(reasons)}"

    def alarm(self) -> str:
        """A sentence where more rows than ``ALARMING`` were left out, else nothing."""
        if self.share_left_out <= ALARMING:
            return ""
        share = max(1, round(100 * self.share_left_out))
        return (
            f"{share} % of the {_unit(self.files)}s can't be used and are left out: "
            f"{'; '.join(each.text() for each in self.left_out.values())}."
        )

    def sections(self) -> list[tuple[str, list[str]]]:
        """What was understood but for ``durations``: headings, and lines under each.

        Files that were understood alike are told together.
        """
        alike: dict[tuple[str, ...], list[FileReport]] = {}
        for file in self.files:
            alike.setdefault(file.understood, []).append(file)
        found = [
            (_names(files), [*lines, *_notes(files), *_counts(files)])
            for lines, files in alike.items()
        ]
        reasons = [f"{each.text()}." for each in self.left_out.values()]
        if reasons:
            unit = _unit(self.files).capitalize()
            found.append((f"{unit}s left out", reasons))
        if self.notes:
            found.append(("Besides", self.notes))
        return found

    @property
    def _several(self) -> bool:
        return len(self.files) > 1


@dataclass(frozen=True)
class Origin:
    """Where sessions are from, in words, and what was found there."""

    name: str
    report: Report = field(default_factory=Report)
    is_simulated: bool = False
    """Whether the sessions are nobody's."""


def add_up(total: dict[str, LeftOut], more: Iterable[LeftOut]) -> None:
    """Add rows that can't be used to those of the same reason, in place."""
    for each in more:
        if each.rows:
            known = total.get(each.reason)
            rows = each.rows + (known.rows if known else 0)
            total[each.reason] = (known or each)._replace(rows=rows)


def _together(
    files: Sequence[FileReport], what: str, is_named: bool
) -> dict[str, LeftOut]:
    """Rows of files by reason, of the field *what*; examples may name their file."""
    total: dict[str, LeftOut] = {}
    for file in files:
        for each in getattr(file, what).values():
            place = f"{file.name}, {each.example}" if is_named else each.example
            add_up(total, [each._replace(example=place)])
    return total


def _count(left_out: dict[str, LeftOut]) -> int:
    return sum(each.rows for each in left_out.values())


def _names(files: list[FileReport]) -> str:
    names = [file.name for file in files]
    if len(names) > _NAMED_FILES:
        return f"{len(names):,} files, from {names[0]} to {names[-1]}"
    return ", ".join(names)


def _notes(files: list[FileReport]) -> list[str]:
    """What there is to know of files, with their names where they are several."""
    if len(files) == 1:
        return list(files[0].notes)
    notes = [f"{file.name}: {note}" for file in files for note in file.notes]
    more = len(notes) - _NAMED_FILES
    return [*notes[:_NAMED_FILES], f"And {more:,} more of such."] if more > 0 else notes


def _counts(files: list[FileReport]) -> list[str]:
    rows, kept = sum(f.rows for f in files), sum(f.kept for f in files)
    others = {
        "not asked for": sum(f.unmatched for f in files),
        "dropped": sum(f.dropped for f in files),
        "left out": sum(_count(f.left_out) for f in files),
    }
    is_log = any(file.is_log for file in files)
    parts = [f"{count_text(rows, _unit(files))} read"]
    parts += [] if is_log else [f"{kept:,} kept"]
    parts += [f"{n:,} {what}" for what, n in others.items() if n]
    lines = [f"{', '.join(parts)}."]
    if is_log and kept:
        first = next(file for file in files if file.example)
        place = f"{first.name}, " * (len(files) > 1)
        lines.append(f"Page views: {kept:,}, such as {place}{first.example}.")
    passed = _together(files, "passed", len(files) > 1)
    for kind in PASSED:
        if each := passed.get(kind):
            words = f"{kind[0].upper()}{kind[1:]}: {each.rows:,}"
            lines.append(f"{words}, such as {each.example}.")
    return lines


def _unit(files: Sequence[FileReport]) -> str:
    """What the rows of files are called."""
    return "line" if files and all(file.is_log for file in files) else "row"
