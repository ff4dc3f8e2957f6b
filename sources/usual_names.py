"""The usual names of columns, and what the words of other names tell."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Final

# Ranks, the best first. Two columns of one rank are refused, so names that one tool
# exports together are in different ranks. "*" stands for any of _PEOPLE.
_USUAL: Final = {
    "user": """user_id | user | uid user_uuid | username user_full_name full_name
        | *_id id_visitor id_student | * | distinct_id
        | full_visitor_id user_pseudo_id domain_userid amplitude_id mcvisid
        | cookie cookie_id visitor_token | anonymous_id | network_userid | device_id
        | user_email email | fingerprint user_fingerprint | client_ip c_ip
        | ip ip_address visit_ip user_ip user_ipaddress | remote_addr remote_ip
        | remote_host | host
        | besucher besucher_id visiteur visitante | nutzer nutzer_id benutzer
        benutzer_id benutzername utilisateur usuario | kunde kunden_id cliente""",
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
        | event_type | event_action action | product_id
        | seite seitenpfad página pagina | seiten_url | seitentitel""",
    "time": """timestamp | timestamp_ms timestamp_millis epoch unix_time unix_timestamp
        | start_time start_at started_at start start_timestamp start_datetime
        start_tstamp start_ts timestamp_start begin_time login_time login_at entry_time
        entered_at check_in check_in_time beginn startzeit début debut inicio
        | event_time event_timestamp event_datetime occurred_at | client_event_time
        | derived_tstamp
        | collector_tstamp | session_start session_start_time session_started_at
        visit_start visit_start_time first_action_time visit_first_action_time
        first_action_timestamp | datetime date_and_time date_hour_minute
        date_hour_and_minute
        | date_hour date_hour_(yyyymmddhh) date_+_hour_(yyyymmddhh)
        | created_at server_time server_timestamp ts time visit_time visited_at
        viewed_at access_time hit_time | original_timestamp | sent_at | received_at
        | zeitstempel zeitpunkt horodatage""",
    "day": """session_date event_date visit_date start_date view_date access_date
        | date | day | datum fecha""",
    "clock": "time_of_day clock_time clock uhrzeit heure hora",
    "end": """end_time end_at ended_at end end_timestamp end_datetime end_tstamp end_ts
        timestamp_end stop stop_time stopped_at finish finished finished_at
        finish_at finish_time left_at leave_time exit_time exited_at logout_time
        logout_at check_out check_out_time ende endzeit | end_date
        | session_end session_end_time session_ended_at visit_end
        visit_end_time visit_last_action_time last_action_time last_action_timestamp""",
    "duration": """duration durations dur | page_duration view_duration
        pageview_duration time_on_page time_spent_on_page | time_spent dwell_time dwell
        stay_time stay_duration time_on_screen | engagement_time engaged_time
        engagement_duration user_engagement_duration user_engagement
        active_time watch_time | elapsed
        elapsed_time | session_duration visit_duration session_length visit_length
        time_on_site visit_total_time | total_duration | length
        | dauer verweildauer durée duree duración duracion | sitzungsdauer""",
}
_PEOPLE: Final = (
    "visitor person customer member account player client student employee subscriber"
    " learner participant reader viewer contact actor"
)
_UNITS: Final = {
    "ns": "ns nanos nanosecond nanoseconds",
    "us": "us micros microsecond microseconds",
    "ms": "ms msec msecs millis millisecond milliseconds millisekunden",
    "s": "s sec secs second seconds sek sekunden secondes segundos",
    "min": "min mins minute minutes minuten minutos",
    "h": "h hr hrs hour hours stunden heures horas",
    "d": "day days tage jours",
    "h:mm": "h:mm",
}
UNIT: Final = {word: unit for unit, words in _UNITS.items() for word in words.split()}
"""The units of durations, by the words for them in names."""

MAYBE_UNIT: Final = "m"
"""A word that may be minutes or milliseconds."""

UNCLEAR_UNITS: Final = {"d": "days", "std": "hours"}
"""What other words may be, at the end of a name that isn't a usual one."""

# In front, "min" is a minimum and "second" a number, and "days" may count anything.
_IN_FRONT: Final = "msec msecs millis milliseconds secs seconds mins minutes hrs hours"
_SPENT: Final = ("", "spent", "spentonpage", "onpage", "onsite", "active", "engaged")
STATISTICS: Final = "max maximum avg average mean median std sum total p50 p90 p95 p99"
# Where one of these is before the last dot, the name isn't about the row's own page.
_OTHERS: Final = frozenset(
    "referrer referer ref refr previous prev initial first last exit next target server"
    " destination host observer author owner creator video media image file song track"
    f" personproperties min minimum count expected {STATISTICS}".split()
)
_LONGEST_NAME: Final = 100


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What takes a server, or is over several rows, isn't how long somebody stayed.
_ELSEWHERE: Final = _OTHERS - {"total", "exit"} | _words(
    "request response resp taken upstream downstream backend frontend processing load"
    " loading render rendering generation connect connection query cpu latency wait"
    " cache dns ttl timeout delay bucket rate ratio percent pct type unit units zone"
    " offset id"
)
_DURATION_WORD: Final = re.compile(
    r".*(duration|dauer)s?|(elapsed|dwell).*|spent|timespent|dur[ée]es?|duraci[óo]n|"
    r"dura[çc][ãa]o|durata|.*(verweil|aufenthalts|sitzungs|lese)zeit"
)
_MONEY: Final = _words(
    "money amount usd eur gbp dollar dollars euro euros budget ad ads points credits"
    " coins tokens"
)
_STAYS: Final = _words(
    "session view page viewing reading read total usage use screen watch stay"
)
_LASTS: Final = _words("session visit view stay time watch call")
_POINTS: Final = _words(
    "start started begin end event server created updated received sent unix epoch"
    " local client hit login access utc gmt date modified collector upload stop exit"
    " logout finish"
)
_SHORT_UNITS: Final = frozenset(UNIT) - _words("day days hour minute second")
_END_WORD: Final = _words(
    "end ended ende endzeit enddatum bis finish finished fin stop stopped exit exited"
    " logout left until hasta"
)
_OF_VISITS: Final = frozenset(("session", "visit"))
_MOMENT: Final = _words(
    "date time at ts timestamp datetime tstamp on utc gmt ms s epoch unix millis iso"
    " datum zeit heure hora fecha"
)
_CLOCK_WORD: Final = _words("time clock uhrzeit heure hora tod")
_CLOCK_PART: Final = _words("hour hr hh minute mm stunde second ss")
_HOUR_OR_MINUTE: Final = _words("hour hr hh minute stunde")
_CLOCK_ABOUT: Final = _words(
    "of day the local event visit start session view utc and number"
)


@lru_cache(maxsize=1 << 12)
def plain(name: str) -> str:
    """A name without what makes no difference, such as "User ID" and "$user_id"."""
    found = re.sub(r"[\s_-]+", "", name).lstrip("$@").lower()
    return re.sub(r"(?<=.)[(\[]?(utc|gmt)[)\]]?$", "", found)


def _ranks(role: str) -> Iterator[tuple[str, int]]:
    for rank, names in enumerate(_USUAL[role].split("|")):
        for name in names.split():
            people = _PEOPLE.split() if "*" in name else [""]
            yield from ((plain(name.replace("*", person)), rank) for person in people)


KNOWN: Final = {
    key: (role, rank)
    for role in _USUAL
    if role != "duration"
    for key, rank in _ranks(role)
}
"""Roles and ranks by plain names, but those of durations."""

_VISIT_ID: Final = re.compile(
    r"(session|visit|(.*(session|visit)|sitzungs?|besuchs?)"
    r"(id|uuid|guid|key|token|hash|number|no|nr|nummer))|id(session|visit)"
)

VISIT_END: Final = KNOWN["sessionend"][1]
"""The rank of the ends of visits, behind those of rows."""

_MEASURES: Final = {**dict.fromkeys(_SPENT, 99), **dict(_ranks("duration"))}


@lru_cache(maxsize=1 << 12)
def measure(name: str) -> tuple[str, str]:
    """What a name measures, and the word for a unit in it, which may be empty.

    "Time Spent (min)" is ("timespent", "min"), "durationMs" is ("duration", "ms"),
    "Duration (hh:mm)" is ("duration", "h:mm"); other clocks name no unit.
    """
    clock = re.search(
        r"(?i)(?<![a-z])(h{1,2}[:_\s])?m{1,2}([:_\s]s{1,2})?(?![a-z])", name
    )
    word = ""
    if clock and (clock[1] or clock[2]):
        word = "" if clock[2] else "h:mm"
        name = f"{name[: clock.start()]} {name[clock.end() :]}"
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
    words = [each for each in re.findall(r"\w+", name) if each != "in"]
    joined = "".join(words)
    if word:
        return joined, word
    if words[1:] and words[-1] in (*UNIT, MAYBE_UNIT):
        return "".join(words[:-1]), words[-1]
    for word in UNIT:
        base = joined.removesuffix(word).removesuffix("in")
        if word[1:] and joined.endswith(word) and base and base in _MEASURES:
            return base, word
    for word in _IN_FRONT.split():
        if joined.startswith(word) and joined[len(word) :] in _MEASURES:
            return joined[len(word) :], word
    return joined, ""


def rank_of_measure(base: str, word: str) -> int | None:
    """The rank of a duration by what ``measure`` tells; None where it is none."""
    is_bare = base in _SPENT and UNIT.get(word, "d") in ("d", "h:mm")
    return None if is_bare else _MEASURES.get(base)


def readings(name: str) -> Iterator[str]:
    """A name, and the ends of it that may be names of their own, as in nested JSON."""
    # That of Elastic's Common Schema is in nanoseconds.
    if len(name) > _LONGEST_NAME or name.lower().endswith("event.duration"):
        return
    yield name.replace(".", "_")
    parts = name.split(".")
    is_nested = parts[1:] and all(part and part == part.strip() for part in parts)
    if is_nested and _OTHERS.isdisjoint(map(plain, parts[:-1])):
        yield "_".join(parts[-2:])
        yield parts[-1]


def words_of(name: str) -> list[str]:
    """The words of a name, in small letters: "sessionEnd_ms" has three."""
    name = unicodedata.normalize("NFKC", name[:_LONGEST_NAME])
    return re.findall(
        r"[^\W_]+", re.sub(r"(?<=[^\W\dA-Z_])(?=[A-Z])", " ", name).lower()
    )


def may_be_duration(name: str) -> bool:
    """Whether the words of a name, which isn't a usual one, are like a duration's.

    Statistics aren't, nor is what a server takes, nor money, nor a point in time.
    """
    words = words_of(name)
    found = set(words)
    if found & (_ELSEWHERE - {"min"}) or "min" in words[:-1]:
        return False
    if any(map(_DURATION_WORD.fullmatch, words)):
        is_paid = "spent" in found and found & _MONEY
        return not is_paid and found != {"total", "spent"}
    if "length" in found:
        return bool(found & _LASTS) and found <= _LASTS | {"length", "of", "total"}
    if "time" not in found or found & _POINTS:
        return False
    if words[1:] and words[-1] in _SHORT_UNITS | {MAYBE_UNIT}:
        return True
    if words[:2] in (["time", "on"], ["time", "in"]):
        return bool(words[2:])
    return words[-1] == "time" and words[:-1] != [] and found <= _STAYS | {"time"}


def may_be_end(name: str, names: Collection[str]) -> bool:
    """Whether the words of a name are like those of the end of a row.

    The end of a visit isn't, where one of the other *names* is that of its start.
    """
    words = words_of(name.rpartition(".")[2])
    ends = [n for n, word in enumerate(words) if word in _END_WORD]
    if len(ends) != 1:
        return False
    before, after = set(words[: ends[0]]), set(words[ends[0] + 1 :])
    about = before - _MOMENT
    if about - _OF_VISITS - {"page", "view", "event"} or after - _MOMENT:
        return False
    # "time_left" is what remains.
    if words[ends[0]] == "left" and before - {"date"}:
        return False
    return not about & _OF_VISITS or not any(
        {"start", "started", "begin"} & set(words_of(other))
        and about <= set(words_of(other))
        for other in names
    )


def is_visit_id(name: str) -> bool:
    """Whether a name is that of what tells visits apart, such as "ga_session_id"."""
    return any(_VISIT_ID.fullmatch(plain(text)) for text in readings(name))


def is_of_visit(name: str) -> bool:
    """Whether a name speaks of a visit, such as "Session Duration"."""
    return not _OF_VISITS.isdisjoint(words_of(name)) or "onsite" in plain(name)


def may_be_clock(name: str) -> bool:
    """Whether a name may be that of times of the day, written like 13:45."""
    words = set(words_of(name))
    is_both = len(words & _CLOCK_PART) > 1
    found = words & _CLOCK_WORD or is_both
    return bool(found) and words <= _CLOCK_WORD | _CLOCK_PART | _CLOCK_ABOUT


def is_part_of_clock(name: str) -> bool:
    """Whether a name is that of but a part of the time of day, such as the hour."""
    words = set(words_of(name))
    return len(words & _HOUR_OR_MINUTE) == 1 and words <= _CLOCK_PART | _CLOCK_ABOUT
