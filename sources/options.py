"""What a person says about their files, where the files don't say it themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schema import VISIT_GAP
from sources.origin import FileReport

ASSETS: Final = (
    *(".css", ".js", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".svg", ".woff"),
    *(".woff2", ".ttf", ".map"),
)
"""What the paths of assets end with: files that a page is made of."""

STATUSES: Final = frozenset({*range(200, 300), 304})
"""The statuses of page views."""

HAS_NAMES: Final = "its columns have names: leave out --no-header, and say --user COL"
"""What to say of a format that is never without a header."""


@dataclass(frozen=True)
class ReadOptions:
    """How to read session tables; each field is an option of the command line.

    Columns are named as in the file or, without a header, by their numbers from "1" on.
    """

    user: str | None = None
    """Column of the user; found by its name where it is None, as the next four are."""
    page: str | None = None
    """Column of the page."""
    time: str | None = None
    """Column of the start, or two, for the day and the time of day: "date+time"."""
    duration: str | None = None
    """Column of the duration."""
    end: str | None = None
    """Column of the end, from which the duration follows."""
    duration_unit: str | None = None
    """A key of ``durations.UNITS``; from the column's name where it is None."""
    header: bool = True
    """Whether the first row holds the names of the columns."""
    where: tuple[tuple[str, str], ...] = ()
    """Pairs of a column and a text: a row counts only if it has all of these."""
    visit_gap: float = VISIT_GAP
    """Seconds: the longest duration that is derived from the next row of a user."""
    time_format: str | None = None
    """How times are written, in the notation of ``datetime.strptime``."""
    times_in: str | None = None
    """IANA name of the zone of times that name none; UTC where it is None."""
    zero_is_unknown: bool = False
    """Whether a duration of 0 stands for an unknown one."""
    negative_is_unknown: bool = False
    """Whether a duration below 0, such as -1, stands for an unknown one."""
    longest: float | None = None
    """Seconds: durations longer than this are unknown."""
    decimal: str | None = None
    """The decimal mark of durations, "." or ","; found where it is None."""
    escape: bool = False
    r"""Whether a backslash in CSV makes the next letter a plain one, as in ``\"``."""
    encoding: str | None = None
    """Encoding of text, a name of Python's; by its mark, or UTF-8, where it is None."""
    sheet: str | None = None
    """Name of the sheet of a spreadsheet; the first where it is None."""
    keep_bots: bool = False
    """Whether the views of bots in a log count."""
    assets: tuple[str, ...] = ASSETS
    """What the paths of requests in a log end with that are no pages."""
    statuses: frozenset[int] = STATUSES
    """The statuses of requests in a log that are page views."""
    merge_pages: frozenset[str] = frozenset()
    """Keys of ``pages.RULES``: what is dropped from addresses of pages."""
    drop_repeated: bool = False
    """Whether a row that an earlier file has, too, is dropped."""
    allow_left_out: bool = False
    """Whether to go on where more than half of the rows can't be used."""
    strict: bool = False
    """Whether a single row that can't be used is an error."""


def without_effect(options: ReadOptions, files: Sequence[FileReport]) -> str:
    """A sentence about the options that did nothing for these files; empty if none."""
    lines = [line for file in files for line in file.understood]
    said = "\n".join(lines)

    def is_any(*beginnings: str) -> bool:
        return any(line.startswith(beginnings) for line in lines)

    has_log = any(file.is_log for file in files)
    has_durations = is_any("Duration:") and not all(file.is_derived for file in files)
    found = {
        "--sheet": (options.sheet, is_any("a spreadsheet"), "no spreadsheet was read"),
        "--escape": (options.escape, is_any("CSV"), "no CSV was read"),
        "--encoding": (
            options.encoding,
            has_log or is_any("CSV", "JSON"),
            "no text was read",
        ),
        "--times-in": (
            options.times_in,
            "where no zone is named" in said,
            "no time lacks a zone",
        ),
        "--time-format": (
            options.time_format,
            ", written as " in said,
            "no time is a text or a number of digits",
        ),
        "--duration-unit": (
            options.duration_unit,
            has_durations,
            "no column of durations was read",
        ),
        "--decimal": (
            options.decimal,
            has_durations,
            "no column of durations was read",
        ),
        "--visit-gap": (
            options.visit_gap != VISIT_GAP,
            any(file.is_derived for file in files),
            "no durations are derived",
        ),
        "--bots": (options.keep_bots, has_log, "no log was read"),
        "--assets": (options.assets != ASSETS, has_log, "no log was read"),
        "--statuses": (options.statuses != STATUSES, has_log, "no log was read"),
        "--drop-repeated": (
            options.drop_repeated,
            files[1:],
            "only one table was read",
        ),
    }
    unused = [
        f"{option}, as {why}"
        for option, (is_said, is_used, why) in found.items()
        if is_said and not is_used
    ]
    return f"Without effect: {'; '.join(unused)}." if unused and lines else ""
