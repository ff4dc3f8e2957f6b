"""Which columns of a file hold what: found by their usual names, or as options say."""

import re
import shlex
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from schema import COLUMNS
from sources.options import ReadOptions
from sources.origin import BadInput, NoSuchColumns
from sources.usual_names import (
    KNOWN,
    MAYBE_UNIT,
    STATISTICS,
    UNCLEAR_UNITS,
    UNIT,
    VISIT_END,
    is_part_of_clock,
    is_visit_id,
    may_be_clock,
    may_be_duration,
    may_be_end,
    measure,
    plain,
    rank_of_measure,
    readings,
    words_of,
)

_SAID: Final = {
    "user": "user_id, user, username, visitor_id, customer_id, client_id, cookie, ip",
    "page": "page, page_path, path, page_url, url, page_title, content_id, event",
    "time": "timestamp, start_time, event_time, created_at, time, date",
    "duration": "duration, session_duration, time_spent_seconds, duration_ms",
    "end": "end_time, ended_at, end",
}
_SCHEMA: Final = dict(zip(("user", "page", "duration", "time"), COLUMNS, strict=True))
_OPTION: Final = {"day": "time", "clock": "time", "unclear": "duration"}
# What a row shows even where all rows have the same, as --where keeps them.
_SHOWN: Final = ("user", "page", "time", "day", "clock")
_UNIT_NAMES: Final = ("unit", "units", "durationunit", "timeunit")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d\d|\d{10}")
_LONGEST_MESSAGE: Final = 600
_LOOKED_FOR: Final = " (looked for "
_NAMED_BY: Final = ", named by --"


@dataclass(frozen=True)
class Columns:
    """Which columns of a file hold what, by their indices."""

    user: int
    page: int
    time: tuple[int, ...]
    """One column, or two: the day, and what may be the time of day."""
    duration: int | None
    """None: the duration follows from the end, or is derived where that is None too."""
    ends: tuple[int, ...]
    """Of the end: no column, one, or two, as for the time."""
    check_end: int | None
    """The end, from the start on, beside a duration found by its name: both should tell
    the same."""
    unit: str | None
    """A key of ``durations.UNITS``, or "h:mm" where clocks of two parts are hours and
    minutes; None where neither name nor option names a unit."""
    visit: int | None
    """What tells visits apart, beside a duration or an end found by its name: each row
    should have its own."""
    where: tuple[int, ...]
    """The columns of ``options.where``, in its order."""
    passed_over: tuple[tuple[str, str], ...]
    """Roles and names of columns that fit too but less well, like ("page", "event")."""
    names: tuple[str, ...]
    """The names of the file's columns, as written."""

    def by_role(self) -> dict[str, tuple[int, ...]]:
        """The indices of those that hold a session, by what they hold."""
        found = {
            "user": (self.user,),
            "page": (self.page,),
            "time": self.time,
            "duration": () if self.duration is None else (self.duration,),
            "end": self.ends,
        }
        return {role: indices for role, indices in found.items() if indices}


class _Fit(NamedTuple):
    """A column whose name is a usual one, and by how many dots it is nested."""

    role: str
    rank: int
    depth: int
    column: int
    key: str
    """The plain name; of a duration, what its name measures."""
    unit: str = ""
    """The word for a unit in the name of a duration."""


def most_telling(problems: Sequence[BadInput]) -> BadInput:
    """Of what is wrong with several rows as headers, what to tell.

    That is the problem of one in which all is found, or all but one thing, if there is
    such a row: it is the header. Else it is that of the first row.
    """

    def missing(problem: BadInput) -> int:
        is_about_columns = isinstance(problem, NoSuchColumns)
        found = sum(map(str(problem).count, (_LOOKED_FOR, _NAMED_BY)))
        return found if is_about_columns else len(_SAID)

    best = min(problems, key=missing)
    return best if missing(best) <= 1 else problems[0]


def usual_names() -> str:
    """The names by which columns are found, as "user: user_id, ...; page: page"."""
    return "; ".join(f"{role}: {names}, ..." for role, names in _SAID.items())


def find_columns(names: Sequence[str], options: ReadOptions) -> Columns:
    """Find which column holds what, as the options say, else by the usual names.

    Capital letters, blanks, ``_``, ``-`` and a leading ``$`` make no difference; of a
    dotted name, the last part may be the usual one. Raises NoSuchColumns, with all
    problems and what to do about them in one line.
    """
    return _Search(tuple(names), options).columns()


class _Search:
    """One search for the columns of a file."""

    def __init__(self, names: tuple[str, ...], options: ReadOptions) -> None:
        self._names, self._options = names, options
        self._problems: list[str] = []
        self._refused: set[str] = set()
        texts = (text for name in names for text in readings(name))
        self._measured = {"".join(measure(text)) for text in texts}
        self._derives = options.duration == "none" and not self._called("none")
        self._given = {role: self._by_option(role) for role in _SAID}
        where = [self._one(column, "where") for column, _ in options.where]
        self._where = tuple(column for columns in where for column in columns)
        given = [column for columns in self._given.values() for column in columns]
        for column in sorted({n for n in given if given.count(n) > 1}):
            self._problems.append(
                f"{shown_name(names[column])} is named for two things"
            )
        self._fits = list(self._find(given)) if options.header else []

    def columns(self) -> Columns:
        """What was found; raises NoSuchColumns where it is too little, or unclear."""
        given = self._given
        found = {role: given[role] or self._best(role) for role in ("user", "page")}
        found["time"] = given["time"] or self._time()
        duration, ends = given["duration"], given["end"]
        if ends and (duration or self._derives):
            self._problems.append("--duration and --end can't be used together")
        if not duration and not ends and not self._derives:
            duration = self._best("duration")
        if not duration and not ends and not self._derives:
            found["time"], ends = self._with_end(found["time"])
        unit = self._unit(duration)
        lacking = [role for role, columns in found.items() if not columns]
        missing = [role for role in lacking if role not in self._refused]
        columns = {column for each in found.values() for column in each}
        taken = {*columns, *duration, *ends}
        if not lacking:
            self._doubt(found["time"], taken, is_derived=not duration and not ends)
        if missing or self._problems:
            words = self._message(missing, bool(duration or ends))
            raise NoSuchColumns(words, self._names)
        return Columns(
            user=found["user"][0],
            page=found["page"][0],
            time=found["time"],
            duration=duration[0] if duration else None,
            ends=ends,
            check_end=self._check_end(found["time"], duration),
            visit=self._visit(found["time"], (*duration, *ends)),
            unit=unit,
            where=self._where,
            passed_over=self._passed_over(taken),
            names=self._names,
        )

    def _by_option(self, role: str) -> tuple[int, ...]:
        """The columns that the option of a role names; none where it isn't given."""
        wanted: str | None = getattr(self._options, role)
        if wanted is None or (role == "duration" and self._derives):
            return ()
        if role in ("time", "end") and not self._called(wanted):
            for plus in re.finditer(r"\+", wanted):
                parts = wanted[: plus.start()], wanted[plus.end() :]
                day, clock = (self._called(part.strip()) for part in parts)
                if len(day) == len(clock) == 1:
                    return day[0], clock[0]
        return self._one(wanted, role)

    def _one(self, wanted: str, option: str) -> tuple[int, ...]:
        """The one column that an option names; none, and a problem, if it isn't one."""
        found = self._called(wanted)
        if len(found) == 1:
            return tuple(found)
        self._refused.add(option)
        if found:
            names = [self._names[n] for n in found]
            how = "; rename one" if len(set(names)) == 1 else ""
            several = f"--{option} fits {len(found)} columns: {_joined(names)}{how}"
            self._problems.append(several)
        else:
            self._problems.append(f"no column {shown_name(wanted)}{_NAMED_BY}{option}")
        return ()

    def _find(self, given: Container[int]) -> Iterator[_Fit]:
        """The columns with usual names, but those that options give."""
        for column, name in enumerate(self._names):
            for text in readings(name) if column not in given else ():
                key, (base, word) = plain(text), measure(text)
                role, rank = KNOWN.get(key, ("", 0))
                spent = rank_of_measure(base, word)
                if not role and spent is not None:
                    is_unclear = word == MAYBE_UNIT or self._is_minimum(text)
                    role = "unclear" if is_unclear else "duration"
                    rank, key = spent, base
                is_constant = column in self._where and role not in _SHOWN
                if role and not is_constant:
                    unit = word if role == "duration" else ""
                    yield _Fit(role, rank, name.count("."), column, key, unit)
                    break

    def _is_minimum(self, name: str) -> bool:
        """Whether "min" in a name may be no unit, as another column has the maximum."""
        base, word = measure(name)
        pairs = ({base + other, other + base} for other in STATISTICS.split())
        return word == "min" and any(pair & self._measured for pair in pairs)

    def _called(self, wanted: str) -> list[int]:
        """The columns of just this name, or else of this name however it is spelled."""
        exact = [n for n, name in enumerate(self._names) if name == wanted]
        key = plain(wanted)
        if exact or not key or not self._options.header:
            return exact
        return [n for n, name in enumerate(self._names) if plain(name) == key]

    def _top(self, role: str) -> list[int]:
        """The columns that fit a role best.

        One with a unit in its name fits better than one that is the same but for that.
        """
        fits = [fit for fit in self._fits if fit.role == role]
        top = min((fit[1:3] for fit in fits), default=None)
        best = [fit for fit in fits if fit[1:3] == top]
        measured = {fit.key for fit in best if fit.unit}
        best = [fit for fit in best if fit.unit or fit.key not in measured]
        columns = [fit.column for fit in best]
        verbatim = [n for n in columns if self._names[n] == _SCHEMA.get(role)]
        return verbatim if len(verbatim) == 1 else columns

    def _best(self, role: str) -> tuple[int, ...]:
        """The column that fits a role best; none where none does or two do."""
        best = self._top(role)
        if not best[1:]:
            return tuple(best)
        option = _OPTION.get(role, role)
        self._refused.add(option)
        several = f"could be the {role}: {_joined([self._names[n] for n in best])}"
        number = "two" if len(best) == 2 else len(best)
        is_one_name = len({self._names[n] for n in best}) == 1
        how = "rename one" if is_one_name else f"name one with --{option} COL"
        self._problems.append(f"{number} columns {several}; {how}")
        return ()

    def _time(self) -> tuple[int, ...]:
        """The column of the time, or two where one may hold but the time of day."""
        time = self._best("time")
        if not time:
            day = () if "time" in self._refused else self._best("day")
            return day + (self._best("clock") if day else ())
        is_bare = any(fit.column == time[0] and fit.key == "time" for fit in self._fits)
        return self._best("day") + time if is_bare else self._with_day(time[0])

    def _with_day(self, column: int) -> tuple[int, ...]:
        """A column of times, behind that of their day, as of end_time and end_date."""
        keys = [fit.key for fit in self._fits if fit.column == column]
        wanted = [key.removesuffix("time") + "date" for key in keys]
        days = [fit.column for fit in self._fits if fit.key in wanted]
        return (days[0], column) if len(days) == 1 else (column,)

    def _with_end(
        self, time: tuple[int, ...]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The time and the end that belong together, as far as there is an end.

        The end of a visit says nothing about the rows within it, and a start and an end
        are a pair, even where there is a timestamp as well.
        """
        end = self._best("end")
        if not end:
            return time, ()
        (fit,) = (fit for fit in self._fits if fit.column in end)
        starts = self._starts(fit)
        names = [name for n, name in enumerate(self._names) if n not in time]
        name = self._names[fit.column]
        if not starts and may_be_end(name, ()) and not may_be_end(name, names):
            return time, ()
        if not starts or set(starts) & set(time):
            return time, self._with_day(fit.column)
        if fit.rank == VISIT_END or starts[1:] or self._given["time"]:
            return time, ()
        return self._with_day(starts[0]), self._with_day(fit.column)

    def _starts(self, end: _Fit) -> list[int]:
        """The columns that may hold the start which belongs to an end."""
        first = KNOWN["sessionstart" if end.rank == VISIT_END else "starttime"]
        starts = [fit.column for fit in self._fits if fit[:2] == first]
        if end.key == "enddate" and not starts:
            starts = [fit.column for fit in self._fits if fit.key == "startdate"]
        return starts

    def _check_end(
        self, time: tuple[int, ...], duration: tuple[int, ...]
    ) -> int | None:
        """The end that should be as long after the time as the found duration says."""
        ends = self._top("end")
        if self._given["duration"] or not duration or len(ends) != 1 or time[1:]:
            return None
        (end,) = (fit for fit in self._fits if fit.column in ends)
        (spent,) = (fit for fit in self._fits if fit.column in duration)
        is_visit = end.rank == VISIT_END
        less = r"active|engage|watch" + "|page|view|screen" * is_visit
        is_day = "enddate" in (end.key, *(fit.key for fit in self._fits))
        if is_day or re.search(less, spent.key):
            return None
        known = [KNOWN.get(plain(text)) for text in readings(self._names[time[0]])]
        start = next((each for each in known if each), None)
        wanted = [KNOWN["sessionstart" if is_visit else "starttime"]]
        if not is_visit and not self._starts(end):
            wanted.append(KNOWN["timestamp"])
        return end.column if start in wanted else None

    def _visit(self, time: Sequence[int], spent: Container[int]) -> int | None:
        """What tells visits apart, if the columns of what was *spent* were found."""
        if not spent or self._given["duration"] or self._given["end"]:
            return None
        if not self._options.header:
            return None
        ids = [n for n, name in enumerate(self._names) if is_visit_id(name)]
        first = KNOWN["sessionstart"]
        starts = [f.column for f in self._fits if f[:2] == first and f.column in time]
        return next(iter(ids + starts), None)

    def _unit(self, duration: tuple[int, ...]) -> str | None:
        """The unit, by an option or the duration's name; refuses what is unclear."""
        is_refused = not duration and "duration" in self._refused
        if self._given["end"] or self._derives or is_refused:
            return None
        if duration and (self._options.duration_unit or not self._options.header):
            return self._options.duration_unit
        unclear = tuple(fit.column for fit in self._fits if fit.role == "unclear")
        for name in (self._names[column] for column in duration or unclear):
            if measure(name)[1] == MAYBE_UNIT:
                say = f"--duration {self._argument(name)} --duration-unit min, or ms"
                what = "milliseconds"
            elif self._is_minimum(name):
                say, what = "--duration COL --duration-unit UNIT", "a minimum"
            else:
                continue
            may_be = f"{shown_name(name)} may be minutes or {what}"
            self._problems.append(f"{may_be}; say which with {say}")
            return None
        if not duration:
            return None
        name = self._names[duration[0]]
        if self._is_elastic(name):
            return "ns"
        unit = UNIT.get(measure(name)[1])
        last = "".join(words_of(name)[1:][-1:])
        if unit is None and last in UNCLEAR_UNITS:
            what = f"{shown_name(name)} may be in {UNCLEAR_UNITS[last]}"
            self._problems.append(f"{what}; say its unit with --duration-unit UNIT")
        elif unit is None:
            self._refuse_units_by_row(name)
        return unit

    def _is_elastic(self, name: str) -> bool:
        """Whether a name is that of Elastic's Common Schema, not that of a visit."""
        return name.lower().endswith("event.duration") and "@timestamp" in self._names

    def _refuse_units_by_row(self, duration: str) -> None:
        """Refuse a column with the unit of each duration, if nothing else says it."""
        beside = plain(duration.rpartition(".")[0])
        for column, name in enumerate(self._names):
            parent, _, last = name.rpartition(".")
            if plain(last) not in _UNIT_NAMES or plain(parent) not in ("", beside):
                continue
            shown = self._argument(name)
            says = f"a column '{shown_name(name)}' says the durations' unit row by row"
            how = f"keep one unit with --where {shown}=s, and say it with"
            rest = f" s; or say only the latter, if {shown} isn't about durations"
            if column in self._where:
                how, rest = "say that of the kept rows with", ""
            why = f"{says}, which isn't read; {how} --duration-unit{rest}"
            self._problems.append(why)
            return

    def _doubt(
        self, time: tuple[int, ...], taken: Collection[int], *, is_derived: bool
    ) -> None:
        """Refuse to pass over what may be a time of day, an end or a duration."""
        left = [n for n in range(len(self._names)) if n not in taken]
        if not self._options.header:
            return
        if not self._given["time"] and not time[1:]:
            clocks = self._doubt_day(time[0], left)
            left = [n for n in left if n not in clocks]
        is_unclear = any(fit.role == "unclear" for fit in self._fits)
        is_refused = self._refused & {"duration", "end"} or is_unclear
        if is_derived and not self._derives and not is_refused:
            self._doubt_derived([n for n in left if n not in self._where])

    def _doubt_day(self, day: int, left: Sequence[int]) -> list[int]:
        """Refuse a day alone, where other columns, returned, are like its time."""
        if not any(fit.column == day and fit.role == "day" for fit in self._fits):
            return []
        found = [n for n in left if may_be_clock(self._names[n])]
        clocks = [self._names[n] for n in found]
        found += [n for n in left if is_part_of_clock(self._names[n])]
        parts = [self._names[n] for n in sorted(found)]
        date = self._names[day]
        alone = f"or say --time {self._argument(date)} for days alone"
        if len(clocks) == 1:
            both = shlex.quote(f"{shown_name(date)}+{shown_name(clocks[0])}")
            may_be = f"the time of day may be in {_quoted(clocks)}"
            self._problems.append(f"{may_be}: say --time {both}, {alone}")
        elif parts:
            isnt = "aren't" if parts[1:] else "isn't"
            what = "them" if parts[1:] else _quoted([date, *parts])
            where = f"the time of day is in {_quoted(parts)}, which {isnt} read"
            self._problems.append(f"{where}: make one column of {what}, {alone}")
        return found

    def _doubt_derived(self, left: Sequence[int]) -> None:
        """Refuse to derive durations, where a column is like an end or a duration."""
        names = [self._names[n] for n in left]
        usual = [f.column for f in self._fits if f.role == "end" and f.rank < VISIT_END]
        ends = [self._names[n] for n in left if n in usual]
        ends += [name for name in names if may_be_end(name, names) and name not in ends]
        durations = [
            name
            for name in names
            if may_be_duration(name) and name not in ends and not self._is_elastic(name)
        ]
        found = {"end": ends, "duration": durations}
        may_be = " and ".join(
            f"{_quoted(some)} {'may be ' * (role == 'end' or not ends)}the {role}"
            for role, some in found.items()
            if some
        )
        if not may_be:
            return
        options = " or ".join(
            f"--{role} {'COL' if some[1:] else self._argument(some[0])}"
            for role, some in found.items()
            if some
        )
        which = "them" if ends and durations else "it"
        which = "one" if ends[1:] or durations[1:] else which
        say = f"name {which} with {options}"
        if not self._called("none"):
            say += ", or say --duration none to derive durations from the next row"
        self._problems.append(f"{may_be}: {say}")

    def _argument(self, name: str) -> str:
        """A column as an option names it, or COL where it can't be written so."""
        shown = shown_name(name)
        return shlex.quote(shown) if len(self._called(shown)) == 1 else "COL"

    def _passed_over(self, taken: Container[int]) -> tuple[tuple[str, str], ...]:
        order = {role: number for number, role in enumerate(_SAID)}
        found = [
            (order[role], fit.rank, fit.depth, fit.column, role)
            for fit in self._fits
            for role in (_OPTION.get(fit.role, fit.role),)
            if fit.column not in taken and not self._given[role]
            if role != "duration" or not self._derives
        ]
        return tuple((role, self._names[column]) for *_, column, role in sorted(found))

    def _message(self, missing: Sequence[str], has_duration: bool) -> str:
        """All problems and what to do about them, in one line."""
        problems, last = self._problems[:5], ""
        is_asked = has_duration or self._derives or "duration" in self._refused
        is_asked = is_asked or any(fit.role == "unclear" for fit in self._fits)
        too = "" if is_asked else " and --duration COL or --end COL if there is one"
        if missing and self._options.header:
            lacks = [f"the {role}{_LOOKED_FOR}{_SAID[role]}, ...)" for role in missing]
            *rest, final = lacks
            lack = " and none for ".join([", none for ".join(rest), final][not rest :])
            problems.insert(0, f"no column for {lack}")
            last = f"; name {'them' if missing[1:] else 'it'} with "
            last += " ".join(f"--{role} COL" for role in missing) + too
            if any(_DATE.match(name) or name.isdecimal() for name in self._names):
                such = f"--no-header {_by_numbers(self._names, _SCHEMA)}"
                last += f"; if that is a row of data, use numbers, such as {such}"
            last += _on_separator(self._names)
        elif missing:
            such = _by_numbers(self._names, _SCHEMA if missing[2:] else missing)
            which = "say which column is which by numbers, such as"
            too = "" if "--duration" in such else too
            problems.insert(0, f"without a header, {which} {such}{too}")
        text = _cut("; ".join(problems), _LONGEST_MESSAGE - len(last) - 110)
        room = _LONGEST_MESSAGE - len(text) - len(last) - 40
        return f"{text}; its columns are: {_listed(self._names, room)}{last}"


def _on_separator(names: Sequence[str]) -> str:
    """What to do where one name looks like several, between signs not tried."""
    (name,) = names if len(names) == 1 else ("",)
    for mark in dict.fromkeys(re.findall(r"[^\w\s.()$@\"'<>\[\]{}\\-]", name[:1_000])):
        parts = name.split(mark)
        are_names = all(re.fullmatch(r"[\w .()$@-]*\w[\w .()$@-]*", p) for p in parts)
        if are_names and parts[1 if mark in "^~|\x01" else 2 :]:
            if mark.isprintable() and mark.isascii():
                how = f"put a first line sep={mark} before them"
            else:
                how = "write commas in its place"
            return f"; if {shown_name(mark)} separates the columns, {how}"
    if re.search(r"\S\s{2,}\S", name):
        return "; if blanks separate the columns, write commas in their place"
    return ""


def _by_numbers(names: Sequence[str], roles: Container[str]) -> str:
    """Options that say which column is which, so far as a row of data tells it."""
    time = next((n for n, name in enumerate(names, 1) if _DATE.match(name)), 4)
    others = [n for n in range(1, 5) if n != time]
    numbers = dict(zip(("user", "page", "duration"), others, strict=False), time=time)
    return " ".join(f"--{role} {n}" for role, n in numbers.items() if role in roles)


def shown_name(name: str) -> str:
    """A name in a message: one line of at most 60 characters, all of them visible."""
    letters = _cut(" ".join(name[:1_000].split()), 60)
    escaped = (ascii(c)[1:-1] if not c.isprintable() else c for c in letters)
    return _cut("".join(escaped), 60) or "''"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _joined(names: Sequence[str]) -> str:
    """Some names: "a and b", "a, b, c and 4 more"."""
    shown = [shown_name(name) for name in names[: 3 if names[4:] else 4]]
    shown += [f"{len(names) - 3:,} more"] * bool(names[4:])
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _quoted(names: Sequence[str]) -> str:
    """Some names, in quotation marks: "'a'", "'a' and 'b'", "'a', 'b' and 3 more"."""
    shown = [f"'{shown_name(name)}'" for name in names[: 2 if names[3:] else 3]]
    shown += [f"{len(names) - 2:,} more"] * bool(names[3:])
    return " and ".join([", ".join(shown[:-1]), shown[-1]][not shown[1:] :])


def _listed(names: Sequence[str], room: int) -> str:
    """As many names as there is room for, and how many more there are."""
    shown: list[str] = []
    for name in map(shown_name, names[:40]):
        room -= len(name) + 2
        if room < 0 and shown:
            break
        shown.append(name)
    more = len(names) - len(shown)
    return ", ".join(shown) + f" and {more:,} more" * bool(more) or "none"
