"""Which columns of a file hold what: found by their usual names, or as options say."""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from schema import COLUMNS
from sources.options import ReadOptions
from sources.origin import NoSuchColumns

# Ranks, the best first. Two columns of one rank are refused, so names that one tool
# exports together are in different ranks. "*" stands for any of _PEOPLE.
_USUAL: Final = {
    "user": """user_id | user | uid user_uuid | username user_full_name full_name
        | *_id id_visitor id_student | * | distinct_id
        | full_visitor_id user_pseudo_id domain_userid amplitude_id mcvisid
        | cookie cookie_id visitor_token | anonymous_id | network_userid | device_id
        | user_email email | fingerprint user_fingerprint | client_ip c_ip
        | ip ip_address visit_ip user_ip user_ipaddress | remote_addr remote_ip
        | remote_host | host""",
    "page": """page | page_name web_page | page_path page_path_name path pathname
        url_path page_url_path cs_uri_stem current_url_path request_path
        client_request_path | page_path_and_screen_class page_path_+_query_string
        page_path_plus_query_string | page_url page_location current_url | url url_full
        | uri request_uri request_url client_request_uri | context_page_path
        | context_page_url | entry_page landing_page entry_pathname
        | entry_page_url entry_current_url landing_page_+_query_string
        | page_title page_title_and_screen_name page_title_and_screen_class
        | screen_name firebase_screen | title | route | screen | screen_class
        | page_id id_action_url | content_id | article_id document_id | item_id
        | content | feature_name | feature | event_context | event_name | event
        | event_type | event_action action | product_id""",
    "time": """timestamp | timestamp_ms timestamp_millis epoch unix_time unix_timestamp
        | start_time start_at started_at start start_timestamp start_datetime
        start_tstamp begin_time login_time login_at entry_time entered_at
        | event_time event_timestamp event_datetime occurred_at | client_event_time | derived_tstamp
        | collector_tstamp | session_start session_start_time session_started_at
        visit_start visit_start_time first_action_time visit_first_action_time
        first_action_timestamp | datetime date_and_time date_hour_minute
        date_hour_and_minute
        | created_at server_time server_timestamp ts time visit_time visited_at
        viewed_at access_time hit_time | original_timestamp | sent_at | received_at""",
    "day": """session_date event_date visit_date start_date view_date access_date
        | date | day""",
    "clock": "time_of_day clock_time clock",
    "end": """end_time end_at ended_at end end_timestamp end_datetime stop stop_time
        stopped_at finished_at finish_time left_at leave_time exit_time exited_at
        logout_time logout_at | session_end session_end_time session_ended_at visit_end
        visit_end_time visit_last_action_time last_action_time last_action_timestamp""",
    "duration": """duration durations dur | page_duration view_duration
        pageview_duration time_on_page time_spent_on_page | time_spent dwell_time dwell
        stay_time stay_duration time_on_screen | engagement_time engaged_time
        engagement_duration user_engagement_duration user_engagement
        active_time watch_time | elapsed
        elapsed_time | session_duration visit_duration session_length visit_length
        time_on_site visit_total_time | length""",
}
_PEOPLE: Final = (
    "visitor person customer member account player client student employee subscriber"
    " learner participant reader viewer contact actor"
)
_SAID: Final = {
    "user": "user_id, user, username, visitor_id, customer_id, client_id, cookie, ip",
    "page": "page, page_path, path, page_url, url, page_title, content_id, event",
    "time": "timestamp, start_time, event_time, created_at, time, date",
    "duration": "duration, session_duration, time_spent_seconds, duration_ms",
    "end": "end_time, ended_at, end",
}
_SCHEMA: Final = dict(zip(("user", "page", "duration", "time"), COLUMNS, strict=True))
_OPTION: Final = {"day": "time", "clock": "time", "minimum": "duration"}
_UNITS: Final = {
    "us": "us micros microsecond microseconds",
    "ms": "ms msec msecs millis millisecond milliseconds",
    "s": "s sec secs second seconds",
    "min": "min mins minute minutes",
    "h": "h hr hrs hour hours",
    "d": "day days",
}
_UNIT: Final = {word: unit for unit, words in _UNITS.items() for word in words.split()}
# In front, "min" is a minimum and "second" a number, and "days" may count anything.
_IN_FRONT: Final = "msec msecs millis milliseconds secs seconds mins minutes hrs hours"
_SPENT: Final = ("", "spent", "spentonpage", "onpage", "onsite", "active", "engaged")
_STATISTICS: Final = "max maximum avg average mean median std sum total p50 p90 p95 p99"
# Where one of these is before the last dot, the name isn't about the row's own page.
_OTHERS: Final = frozenset(
    "referrer referer ref refr previous prev initial first last exit next target server"
    " destination host observer author owner creator video media image file song track"
    f" personproperties min minimum count expected {_STATISTICS}".split()
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d\d|\d{10}")
_LONGEST_NAME: Final = 100
_LONGEST_MESSAGE: Final = 600


@dataclass(frozen=True)
class Columns:
    """Which columns of a file hold what, by their indices."""

    user: int
    page: int
    time: tuple[int, ...]
    """One column, or two: the day, and what may be the time of day."""
    duration: int | None
    """None: the duration follows from the end, or is derived where that is None too."""
    end: int | None
    unit: str | None
    """A key of ``durations.UNITS``; None where neither name nor option names a unit."""
    where: tuple[int, ...]
    """The columns of ``options.where``, in its order."""
    passed_over: tuple[tuple[str, str], ...]
    """Roles and names of columns that fit too but less well, like ("page", "event")."""
    names: tuple[str, ...]
    """The names of the file's columns, as written."""


class _Fit(NamedTuple):
    """A column whose name is a usual one, and by how many dots it is nested."""

    role: str
    rank: int
    depth: int
    column: int
    key: str


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
        texts = (text for name in names for text in _readings(name))
        self._measured = {"".join(_measure(text)) for text in texts}
        self._given = {role: self._by_option(role) for role in _SAID}
        self._where = [self._one(column, "where") for column, _ in options.where]
        given = [column for columns in self._given.values() for column in columns]
        for column in sorted({n for n in given if given.count(n) > 1}):
            self._problems.append(f"{_shown(names[column])} is named for two things")
        self._fits = list(self._find(given)) if options.header else []

    def columns(self) -> Columns:
        """What was found; raises NoSuchColumns where something is missing."""
        given, options = self._given, self._options
        found = {role: given[role] or self._best(role) for role in ("user", "page")}
        found["time"] = time = given["time"] or self._time()
        duration, end = given["duration"], given["end"]
        if duration and end:
            self._problems.append("--duration and --end can't be used together")
        duration = duration or (() if end else self._best("duration"))
        if not duration and not end:
            found["time"], end = self._with_end(time)
        unit = options.duration_unit if duration else None
        if not unit and options.header:
            unit = self._unit(duration)
        lacking = [role for role, columns in found.items() if not columns]
        missing = [role for role in lacking if role not in self._refused]
        if missing or self._problems:
            raise NoSuchColumns(self._message(missing))
        taken = {column for columns in found.values() for column in columns}
        return Columns(
            user=found["user"][0],
            page=found["page"][0],
            time=found["time"],
            duration=duration[0] if duration else None,
            end=end[0] if end else None,
            unit=unit,
            where=tuple(column for columns in self._where for column in columns),
            passed_over=self._passed_over({*taken, *duration, *end}),
            names=self._names,
        )

    def _by_option(self, role: str) -> tuple[int, ...]:
        """The columns that the option of a role names; none where it isn't given."""
        wanted: str | None = getattr(self._options, role)
        if wanted is None:
            return ()
        if role == "time" and not self._called(wanted):
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
            several = _joined([self._names[n] for n in found])
            self._problems.append(f"--{option} fits {len(found)} columns: {several}")
        else:
            self._problems.append(f"no column {_shown(wanted)}, named by --{option}")
        return ()

    def _find(self, given: Container[int]) -> Iterator[_Fit]:
        """The columns with usual names, but those that options give."""
        for column, name in enumerate(self._names):
            for text in _readings(name) if column not in given else ():
                key = _plain(text)
                role, rank = _KNOWN.get(key, ("", 0))
                base, word = _measure(text)
                is_spent = base in _SPENT and _UNIT.get(word, "d") == "d"
                if not role and base in _MEASURES and not is_spent:
                    role = "minimum" if self._is_minimum(text) else "duration"
                    rank = _MEASURES[base]
                if role:
                    yield _Fit(role, rank, name.count("."), column, key)
                    break

    def _is_minimum(self, name: str) -> bool:
        """Whether "min" in a name may be no unit, as another column has the maximum."""
        base, word = _measure(name)
        pairs = ({base + other, other + base} for other in _STATISTICS.split())
        return word == "min" and any(pair & self._measured for pair in pairs)

    def _called(self, wanted: str) -> list[int]:
        """The columns of just this name, or else of this name however it is spelled."""
        exact = [n for n, name in enumerate(self._names) if name == wanted]
        plain = _plain(wanted)
        if exact or not plain or not self._options.header:
            return exact
        return [n for n, name in enumerate(self._names) if _plain(name) == plain]

    def _best(self, role: str) -> tuple[int, ...]:
        """The column that fits a role best; none where none does or two do."""
        fits = [fit for fit in self._fits if fit.role == role]
        top = min((fit[1:3] for fit in fits), default=None)
        best = [fit.column for fit in fits if fit[1:3] == top]
        verbatim = [n for n in best if self._names[n] == _SCHEMA.get(role)]
        best = verbatim if len(verbatim) == 1 else best
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
        (key,) = (fit.key for fit in self._fits if fit.column == time[0])
        if key == "time":
            return self._best("day") + time
        wanted = key.removesuffix("time") + "date"
        day = tuple(fit.column for fit in self._fits if fit.key == wanted)
        return day + time if len(day) == 1 else time

    def _with_end(
        self, time: tuple[int, ...]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The time and the end that belong together, as far as there is an end.

        The end of a visit says nothing about the rows within it, and a start and an end
        are a pair, even where there is a timestamp as well.
        """
        end = self._best("end")
        rank = next((fit.rank for fit in self._fits if fit.column in end), 0)
        first = _KNOWN["sessionstart" if rank else "starttime"]
        starts = [fit.column for fit in self._fits if fit[:2] == first]
        if not end or not starts or set(starts) & set(time):
            return time, end
        if rank or starts[1:] or self._given["time"]:
            return time, ()
        return (starts[0],), end

    def _unit(self, duration: tuple[int, ...]) -> str | None:
        """The unit that the duration's name names; refuses what may be a minimum."""
        least = [fit.column for fit in self._fits if fit.role == "minimum"]
        if self._given["end"] or (not duration and "duration" in self._refused):
            return None
        for column in duration or least:
            name = self._names[column]
            if self._is_minimum(name):
                say = "say which with --duration COL --duration-unit UNIT"
                self._problems.append(
                    f"{_shown(name)} may be minutes or a minimum; {say}"
                )
        return _UNIT.get(_measure(self._names[duration[0]])[1]) if duration else None

    def _passed_over(self, taken: Container[int]) -> tuple[tuple[str, str], ...]:
        order = {role: number for number, role in enumerate(_SAID)}
        found = [
            (order[role], fit.rank, fit.depth, fit.column, role)
            for fit in self._fits
            for role in (_OPTION.get(fit.role, fit.role),)
            if fit.column not in taken and not self._given[role]
        ]
        return tuple((role, self._names[column]) for *_, column, role in sorted(found))

    def _message(self, missing: Sequence[str]) -> str:
        """All problems and what to do about them, in one line."""
        problems, last = self._problems[:5], ""
        if missing and self._options.header:
            lacks = [f"the {role} (looked for {_SAID[role]}, ...)" for role in missing]
            *rest, final = lacks
            lack = " and none for ".join([", none for ".join(rest), final][not rest :])
            problems.insert(0, f"no column for {lack}")
            last = f"; name {'them' if missing[1:] else 'it'} with "
            last += " ".join(f"--{role} COL" for role in missing)
            if any(_DATE.match(name) or name.isdecimal() for name in self._names):
                such = f"--no-header {_by_numbers(self._names, _SCHEMA)}"
                last += f"; if that is a row of data, use numbers, such as {such}"
        elif missing:
            such = _by_numbers(self._names, _SCHEMA if missing[2:] else missing)
            which = "say which column is which by numbers, such as"
            problems.insert(0, f"without a header, {which} {such}")
        text = _cut("; ".join(problems), _LONGEST_MESSAGE - len(last) - 80)
        room = _LONGEST_MESSAGE - len(text) - len(last) - 40
        return f"{text}; its columns are: {_listed(self._names, room)}{last}"


def _by_numbers(names: Sequence[str], roles: Container[str]) -> str:
    """Options that say which column is which, so far as a row of data tells it."""
    time = next((n for n, name in enumerate(names, 1) if _DATE.match(name)), 4)
    others = [n for n in range(1, 5) if n != time]
    numbers = dict(zip(("user", "page", "duration"), others, strict=False), time=time)
    return " ".join(f"--{role} {n}" for role, n in numbers.items() if role in roles)


def _plain(name: str) -> str:
    """A name without what makes no difference, such as "User ID" and "$user_id"."""
    plain = re.sub(r"[\s_-]+", "", name).lstrip("$@").lower()
    return re.sub(r"(?<=.)[(\[]?(utc|gmt)[)\]]?$", "", plain)


def _ranks(role: str) -> Iterator[tuple[str, int]]:
    for rank, names in enumerate(_USUAL[role].split("|")):
        for name in names.split():
            people = _PEOPLE.split() if "*" in name else [""]
            yield from ((_plain(name.replace("*", person)), rank) for person in people)


_KNOWN: Final = {
    key: (role, rank)
    for role in _USUAL
    if role != "duration"
    for key, rank in _ranks(role)
}
_MEASURES: Final = {**dict.fromkeys(_SPENT, 99), **dict(_ranks("duration"))}


def _measure(name: str) -> tuple[str, str]:
    """What a name measures, and the word for a unit in it, which may be empty.

    "Time Spent (min)" is ("timespent", "min"), "durationMs" is ("duration", "ms").
    """
    name = re.sub(r"\b[hH]+:[mM]+(:[sS]+)?\b", " ", name)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
    words = [word for word in re.findall(r"\w+", name) if word != "in"]
    joined = "".join(words)
    if words[1:] and words[-1] in _UNIT:
        return "".join(words[:-1]), words[-1]
    for word in _UNIT:
        base = joined.removesuffix(word).removesuffix("in")
        if word[1:] and joined.endswith(word) and base and base in _MEASURES:
            return base, word
    for word in _IN_FRONT.split():
        if joined.startswith(word) and joined[len(word) :] in _MEASURES:
            return joined[len(word) :], word
    return joined, ""


def _readings(name: str) -> Iterator[str]:
    """A name, and the ends of it that may be names of their own, as in nested JSON."""
    # That of Elastic's Common Schema is in nanoseconds.
    if len(name) > _LONGEST_NAME or name.lower().endswith("event.duration"):
        return
    yield name.replace(".", "_")
    parts = name.split(".")
    is_nested = parts[1:] and all(part and part == part.strip() for part in parts)
    if is_nested and _OTHERS.isdisjoint(map(_plain, parts[:-1])):
        yield "_".join(parts[-2:])
        yield parts[-1]


def _shown(name: str) -> str:
    """A name in a message: one line of at most 60 characters, all of them visible."""
    letters = _cut(" ".join(name[:1_000].split()), 60)
    escaped = (ascii(c)[1:-1] if not c.isprintable() else c for c in letters)
    return _cut("".join(escaped), 60) or "''"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _joined(names: Sequence[str]) -> str:
    """Some names: "a and b", "a, b, c and 4 more"."""
    shown = [_shown(name) for name in names[: 3 if names[4:] else 4]]
    shown += [f"{len(names) - 3:,} more"] * bool(names[4:])
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _listed(names: Sequence[str], room: int) -> str:
    """As many names as there is room for, and how many more there are."""
    shown: list[str] = []
    for name in map(_shown, names[:40]):
        room -= len(name) + 2
        if room < 0 and shown:
            break
        shown.append(name)
    more = len(names) - len(shown)
    return ", ".join(shown) + f" and {more:,} more" * bool(more) or "none"
