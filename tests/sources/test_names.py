import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.names import Columns, find_columns, usual_names
from sources.options import ReadOptions
from sources.origin import NoSuchColumns

GOOD = ["user_id", "page", "duration", "timestamp"]


def find(names: str, **options: object) -> Columns:
    return find_columns(names.split(","), ReadOptions(**options))  # type: ignore[arg-type]


def taken(columns: Columns) -> str:
    """The names of the columns taken: "user page time,time duration unit end"."""
    names = columns.names
    time = "+".join(names[n] for n in columns.time)
    texts = [names[columns.user], names[columns.page], time]
    if columns.duration is not None:
        texts += [names[columns.duration], columns.unit or "-"]
    if columns.ends:
        texts += ["until", "+".join(names[n] for n in columns.ends)]
    return " | ".join(texts)


def refusal(names: str, **options: object) -> str:
    with pytest.raises(NoSuchColumns) as error:
        find(names, **options)
    text = str(error.value)
    assert text.isprintable()
    assert len(text) <= 600
    return text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # The cases.
        (
            "user_id,page,duration,timestamp",
            "user_id | page | timestamp | duration | -",
        ),
        (
            "User_ID,Page,Duration,Timestamp",
            "User_ID | Page | Timestamp | Duration | -",
        ),
        (
            "timestamp,visitor,page_url,session_duration,country",
            "visitor | page_url | timestamp | session_duration | -",
        ),
        (
            "user_id,date,time,page,duration",
            "user_id | page | date+time | duration | -",
        ),
        (
            "session_id,user_id,start_time,end_time,page",
            "user_id | page | start_time | until | end_time",
        ),
        ("user_id,timestamp,page,element", "user_id | page | timestamp"),
        (
            "user_id,session_date,session_duration_minutes,page",
            "user_id | page | session_date | session_duration_minutes | min",
        ),
        # IIS, and an access log as a table.
        (
            "date,time,s-ip,cs-method,cs-uri-stem,cs-username,c-ip,time-taken",
            "c-ip | cs-uri-stem | date+time",
        ),
        ("host,logname,time,method,url,useragent", "host | url | time"),
        # Clickstreams.
        (
            "event_time,event_type,product_id,category_id,price,user_id,user_session",
            "user_id | event_type | event_time",
        ),
        ("timestamp,visitorid,event,itemid", "visitorid | itemid | timestamp"),
        ("timestamp,eventType,contentId,personId", "personId | contentId | timestamp"),
        # GA4, Universal Analytics, Umami, Matomo, Plausible, Amplitude.
        (
            "event_date,event_timestamp,event_name,user_pseudo_id,page_location,"
            "page_title,engagement_time_msec",
            "user_pseudo_id | page_location | event_timestamp"
            " | engagement_time_msec | ms",
        ),
        (
            "Client Id,Page,Time on Page,Date,Avg. Session Duration",
            "Client Id | Page | Date | Time on Page | -",
        ),
        (
            "session_id,screen,url_path,page_title,event_type,distinct_id,created_at",
            "distinct_id | url_path | created_at",
        ),
        (
            "idVisit,visitIp,visitorId,visitDuration,serverTimestamp,"
            "firstActionTimestamp,lastActionTimestamp,url",
            "visitorId | url | firstActionTimestamp | visitDuration | -",
        ),
        ("timestamp,user_id,hostname,pathname", "user_id | pathname | timestamp"),
        (
            "user_id,device_id,amplitude_id,event_type,event_time,client_event_time",
            "user_id | event_type | event_time",
        ),
        # PostHog, Segment, Snowplow, Elastic: nested, with several ids.
        (
            "event,timestamp,distinct_id,person_id,properties.$current_url,"
            "properties.$pathname,properties.$set.$pathname,properties.$referrer",
            "person_id | properties.$pathname | timestamp",
        ),
        (
            "userId,anonymousId,context.page.path,properties.path,timestamp,sentAt",
            "userId | properties.path | timestamp",
        ),
        (
            "collector_tstamp,derived_tstamp,event,domain_userid,network_userid,"
            "user_ipaddress,page_url,page_urlpath,refr_urlpath",
            "domain_userid | page_urlpath | derived_tstamp",
        ),
        (
            "@timestamp,client.ip,user.name,url.path,event.duration,server.ip",
            "user.name | url.path | @timestamp",
        ),
        # What isn't about the row's own page.
        ("user,page,time,video.duration,max.duration", "user | page | time"),
        ("user,referrer.url,event,time", "user | event | time"),
    ],
)
def test_finds_columns_by_usual_names(header: str, expected: str) -> None:
    assert taken(find(header)) == expected


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *[("duration_ms", "ms"), ("durationMs", "ms"), ("DURATION_MS", "ms")],
        *[("durationms", "ms"), ("engagement_time_msec", "ms"), ("dur_us", "us")],
        *[("time_spent_seconds", "s"), ("timespentseconds", "s"), ("dur_s", "s")],
        *[("duration [s]", "s"), ("Duration in seconds", "s"), ("secs", "s")],
        *[("seconds_on_page", "s"), ("durations", None), ("Durations", None)],
        *[("duration_min", "min"), ("Duration (min)", "min"), ("minutes spent", "min")],
        *[("session_duration_minutes", "min"), ("elapsed_hrs", "h"), ("length_h", "h")],
        *[("duration_days", "d"), ("Session Duration (hh:mm:ss)", None)],
        *[("Time.on.Page", None), ("properties.duration_ms", "ms")],
        *[("Total duration", None), ("Duration (mm:ss)", None), ("elapsed_ns", "ns")],
        *[("duration_ns", "ns"), ("duration_hh_mm_ss", None), ("Dur. (hh:mm)", "h:mm")],
        *[("duration_hh_mm", "h:mm"), ("Session Duration (HH:MM)", "h:mm")],
    ],
)
def test_a_duration_may_name_its_unit(name: str, unit: str | None) -> None:
    columns = find(f"user,page,time,{name}")
    assert (columns.duration, columns.unit) == (3, unit)
    columns = find(f"user,page,time,{name}", duration_unit="h")
    assert (columns.duration, columns.unit) == (3, "h")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "time-taken",
            "time_taken_ms",
            "avg_duration",
            "response_time_ms",
            "max_duration",
        ),
        *(
            "min_duration",
            "duration_max",
            "video_duration",
            "total_spent",
            "minute",
            "hour",
        ),
        *("days", "active_days", "min", "us", "content_length", "Avg. Time on Page"),
        *("Avg..Session.Duration", "request_time", "money_spent", "exit_page"),
        *("user_agent", "calendar", "weekend", "backend", "spending", "endpoint"),
        *("friend", "page_end_offset", "front_end", "time_left", "is_exit", "exits"),
        *("valid_until", "duration_type", "time_zone", "server_time_ms", "page_length"),
        *("duration_std", "visit_time", "end_user", "time_of_day_s_offset", "p95_time"),
    ],
)
def test_other_numbers_are_no_duration(name: str) -> None:
    columns = find(f"user,page,timestamp,{name}")
    assert (columns.duration, columns.ends, columns.unit) == (None, (), None)


@pytest.mark.parametrize("other", ["duration_max", "avg_duration", "Duration (mean)"])
def test_a_minimum_is_not_taken_for_minutes(other: str) -> None:
    header = f"user,page,time,duration_min,{other}"
    said = "duration_min may be minutes or a minimum; say which with --duration COL"
    assert refusal(header).startswith(f"{said} --duration-unit UNIT;")
    assert refusal(header, duration="duration_min").startswith(said)
    columns = find(header, duration="duration_min", duration_unit="s")
    assert (columns.duration, columns.unit) == (3, "s")
    assert find(f"{header},duration").duration == 5
    assert find(f"{header},stop", end="stop").ends == (5,)
    nested = "user,page,time,metrics.duration_min,metrics.duration_max"
    assert "metrics.duration_min may be" in refusal(nested)


def test_a_unit_is_found_in_the_name_that_an_option_gives() -> None:
    assert (
        find("user,page,time,stay_len_minutes", duration="stay_len_minutes").unit
        == "min"
    )
    assert find("user,page,time,x", duration="x").unit is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # Of a visit that has a start, the end is not that of a row within it.
        ("session_start,session_end,timestamp", "u | page | timestamp"),
        ("session_start,session_end", "u | page | session_start | until | session_end"),
        ("timestamp,session_end", "u | page | timestamp | until | session_end"),
        # A start and an end are a pair.
        ("timestamp,start,end", "u | page | start | until | end"),
        ("timestamp,start,duration,end", "u | page | timestamp | duration | -"),
        ("timestamp,session_start_at,session_end", "u | page | timestamp"),
        ("session_begin,session_end,ts", "u | page | ts"),
        ("ts,start_date,end_date", "u | page | start_date | until | end_date"),
        (
            "start_date,start_time,end_date,end_time",
            "u | page | start_date+start_time | until | end_date+end_time",
        ),
        (
            "ts,start_time,start_date,end",
            "u | page | start_date+start_time | until | end",
        ),
        *[
            (f"{start},{end}", f"u | page | {start} | until | {end}")
            for start, end in (
                ("start_date", "end_date"),
                ("start", "finish"),
                ("timestamp", "finished"),
                ("start_at", "finish_at"),
                ("start_ts", "end_ts"),
                ("timestamp_start", "timestamp_end"),
                ("check_in", "check_out"),
                ("Check-in time", "Check-out time"),
            )
        ],
        # Google Analytics.
        ("dateHour", "u | page | dateHour"),
        ("Date hour (YYYYMMDDHH)", "u | page | Date hour (YYYYMMDDHH)"),
        ("Date + hour (YYYYMMDDHH)", "u | page | Date + hour (YYYYMMDDHH)"),
        ("date_hour,date,dateHourMinute", "u | page | dateHourMinute"),
        ("login_time,logout_time", "u | page | login_time | until | logout_time"),
        # What may be the time of day has its day.
        ("day,time", "u | page | day+time"),
        ("date,time_of_day", "u | page | date+time_of_day"),
        ("visit_date,visit_time", "u | page | visit_date+visit_time"),
        ("event_date,time", "u | page | event_date+time"),
        ("date,start_time", "u | page | start_time"),
        ("date,timestamp,time", "u | page | timestamp"),
        ("Time (UTC)", "u | page | Time (UTC)"),
        ("created_at_utc", "u | page | created_at_utc"),
    ],
)
def test_times(header: str, expected: str) -> None:
    assert taken(find(f"u,page,{header}", user="u")) == expected


def test_says_what_fits_less_well() -> None:
    columns = find("date,event,host,user_id,page,url,timestamp,elapsed,duration,end")
    assert columns.passed_over == (
        ("user", "host"),
        ("page", "url"),
        ("page", "event"),
        ("time", "date"),
        ("duration", "elapsed"),
        ("end", "end"),
    )
    assert find("user_id,page,url,time", page="url").passed_over == ()
    columns = find("user_id,page,time,duration,end", end="end")
    assert (columns.duration, columns.ends) == (None, (4,))
    assert columns.passed_over == (("duration", "duration"),)


def test_says_what_fits_best_of_the_others_first() -> None:
    columns = find("user_id,user_ipaddress,domain_userid,page_urlpath,derived_tstamp")
    assert columns.passed_over == (
        ("user", "domain_userid"),
        ("user", "user_ipaddress"),
    )


def test_of_two_in_one_rank_none_is_taken() -> None:
    two = "two columns could be the"
    assert refusal("customer_id,visitor_id,page,time") == (
        f"{two} user: customer_id and visitor_id; name one with --user COL; "
        "its columns are: customer_id, visitor_id, page, time"
    )
    assert f"{two} user: userId and User ID;" in refusal("userId,User ID,page,time")
    assert f"{two} time: ts and time;" in refusal("user,page,ts,time")
    durations = "user,page,time,duration_ms,duration_s"
    assert f"{two} duration: duration_ms and duration_s;" in refusal(durations)
    text = refusal("user,user,page,time")
    assert text.startswith(f"{two} user: user and user; rename one;")
    text = refusal("a.url,b.url,c.url,d.url,e.url,user,time")
    assert "5 columns could be the page: a.url, b.url, c.url and 2 more;" in text
    assert find("customer_id,visitor_id,page,time", user="visitor_id").user == 1


def test_the_names_of_the_schema_come_first_as_they_are() -> None:
    columns = find("User ID,user_id,Page,page,Duration,duration,timestamp,TIMESTAMP")
    assert taken(columns) == "user_id | page | timestamp | duration | -"
    assert columns.passed_over[0] == ("user", "User ID")
    assert "user_id and user_id" in refusal("user_id,user_id,page,time")


def test_options_name_columns() -> None:
    header = "user_id,page,timestamp,duration,a,A,b c,d"
    columns = find(header, user="a", page="B_C", time="d", duration="A")
    assert taken(columns) == "a | b c | d | A | -"
    text = refusal(header, user="x", page="_a")
    assert text.startswith(
        "no column x, named by --user; --page fits 2 columns: a and A;"
    )
    assert "its columns are: user_id, page," in text
    text = refusal(header, user="d", page="d")
    assert text.startswith("d is named for two things;")
    text = refusal(header, duration="a", end="d")
    assert text.startswith("--duration and --end can't be used together;")


def test_a_time_in_two_columns_can_be_named() -> None:
    assert find("user,page,t,d", time="d+t").time == (3, 2)
    assert find("user,page,T,D", time="d + t").time == (3, 2)
    assert find("user,page,d,t,d+t", time="d+t").time == (4,)
    assert find("user,page,a+b,t", time="a+b+t").time == (2, 3)
    assert "no column d+x, named by --time" in refusal("user,page,d,t", time="d+x")
    assert "d is named for two things" in refusal("user,page,d", time="d+d")


def test_an_end_in_two_columns_can_be_named() -> None:
    header = "user,page,start_time,end_d,end_t"
    columns = find(header, end="end_d+end_t")
    assert taken(columns) == "user | page | start_time | until | end_d+end_t"
    assert find(header, end="end_d").ends == (3,)
    assert find("user,page,timestamp").ends == ()
    assert "no column end_d+x, named by --end" in refusal(header, end="end_d+x")
    assert "end_d is named for two things" in refusal(header, end="end_d+end_d")
    text = refusal(header, end="end_d+end_t", duration="none")
    assert text.startswith("--duration and --end can't be used together;")


NEXT = "say --duration none to derive durations from the next row; its columns are: "


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "Bis,Nettodauer",
            "'Bis' may be the end and 'Nettodauer' the duration: "
            "name them with --end Bis or --duration Nettodauer",
        ),
        (
            "Time (s)",
            "'Time (s)' may be the duration: name it with --duration 'Time (s)'",
        ),
        ("until", "'until' may be the end: name it with --end until"),
        (
            "start,started_at,end",
            "'end' may be the end: name it with --end end",
        ),
        (
            "Nettodauer,Lesedauer,a.spent,time_h",
            "'Nettodauer', 'Lesedauer' and 2 more may be the duration: "
            "name one with --duration COL",
        ),
        (
            "exit,logout,dwell_x",
            "'exit' and 'logout' may be the end and 'dwell_x' the duration: "
            "name one with --end COL or --duration dwell_x",
        ),
    ],
)
def test_what_may_be_an_end_or_a_duration_is_not_passed_over(
    header: str, expected: str
) -> None:
    header = f"user,page,timestamp,{header}"
    assert refusal(header).startswith(f"{expected}, or {NEXT}user, page, timestamp")
    assert taken(find(header, duration="none")) == "user | page | timestamp"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Nettodauer",
            "Aufenthaltsdauer",
            "durée_visite",
            "dure\u0301e visite",
            "duración_visita",
            "Verweilzeit",
        ),
        *("session_time", "view_time", "time_ms", "timeMs", "time_s", "Time (min)"),
        *("spent", "time_spent_total", "dwell_x", "elapsed_real", "length_of_stay"),
        *("duration_d", "duration_hhmm", "play_duration", "event.duration", "time_m"),
        *("time_on_task", "total_time", "lesson.duration_x", "DURATION_CLEAN"),
    ],
)
def test_words_of_a_duration(name: str) -> None:
    assert refusal(f"user,page,timestamp,{name}").startswith(
        f"'{name}' may be the duration: name it with --duration "
    )


@pytest.mark.parametrize(
    "name",
    [
        *(
            "page_ende",
            "Endzeit ms",
            "bis",
            "exit",
            "logout",
            "left",
            "until",
            "Exit Date",
        ),
        *("finish_date", "stop_ts", "date_end", "end_time_ms", "page_end", "left_on"),
        *("logoutTs", "visit_end_date", "event_end_ms"),
    ],
)
def test_words_of_an_end(name: str) -> None:
    assert refusal(f"user,page,timestamp,{name}").startswith(
        f"{name!r} may be the end: name it with --end "
    )


def test_durations_are_derived_where_that_is_said() -> None:
    columns = find("user,page,timestamp,duration,end", duration="none")
    assert (columns.duration, columns.ends, columns.unit) == (None, (), None)
    assert columns.passed_over == (("end", "end"),)
    assert find("user,page,timestamp,duration_m", duration="none").duration is None
    assert find("user,page,timestamp,none,duration", duration="none").duration == 3
    assert "--duration none" not in refusal("user,page,timestamp,Nettodauer,none")
    # It is asked for, or belongs to visits, or is the server's.
    for name in ("finish", "until", "spent"):
        where = ((name, "1"),)
        columns = find(f"user,page,timestamp,{name}", where=where)
        assert (columns.where, columns.duration, columns.ends) == ((3,), None, ())
    for other in ("session_start,session_end", "visit_start_date,visit_end_date"):
        assert find(f"user,page,timestamp,{other}").ends == ()
    assert find("user,page,@timestamp,event.duration").duration is None
    given = find("user,page,@timestamp,event.duration", duration="event.duration")
    assert given.unit == "ns"


@pytest.mark.parametrize("name", ["duration_m", "session_duration_m", "Duration (m)"])
def test_m_is_minutes_or_milliseconds(name: str) -> None:
    header = f"user,page,timestamp,{name}"
    quoted = f"'{name}'" if " " in name else name
    said = f"{name} may be minutes or milliseconds; say which with --duration {quoted}"
    assert refusal(header).startswith(f"{said} --duration-unit min, or ms;")
    assert refusal(header, duration=name).startswith(said)
    columns = find(header, duration=name, duration_unit="ms")
    assert (columns.duration, columns.unit) == (3, "ms")
    assert find(f"{header},duration_s").unit == "s"


def test_units_of_other_names() -> None:
    for name, unit in (
        *(("Dauer (Minuten)", "min"), ("Dauer in Sek.", "s"), ("durée_heures", "h")),
        *(("duración (segundos)", "s"), ("Dauer hh:mm", "h:mm"), ("Dauer", None)),
    ):
        assert find(f"user,page,timestamp,{name}", duration=name).unit == unit
    for name, unit in (("duration_d", "days"), ("Dauer (Std.)", "hours")):
        header = f"user,page,timestamp,{name}"
        assert refusal(header, duration=name).startswith(
            f"{name} may be in {unit}; say its unit with --duration-unit UNIT;"
        )
        assert find(header, duration=name, duration_unit="h").unit == "h"


def test_a_name_with_a_unit_fits_better_than_the_same_without() -> None:
    columns = find("user,page,timestamp,duration,duration_sec")
    assert (columns.duration, columns.unit) == (4, "s")
    assert columns.passed_over == (("duration", "duration"),)
    assert find("user,page,timestamp,duration,dur_s").duration == 3
    text = refusal("user,page,timestamp,duration,duration_sec,duration_ms")
    assert "could be the duration: duration_sec and duration_ms;" in text


@pytest.mark.parametrize(
    ("header", "options", "expected"),
    [
        ("start_time,end_time,duration", {}, "end_time"),
        ("timestamp,end,duration_s", {}, "end"),
        ("session_start,session_end,session_duration", {}, "session_end"),
        ("x,end,duration", {"time": "x"}, None),
        ("start,end,duration", {"time": "start"}, "end"),
        ("start,end,duration", {"duration": "duration"}, None),
        ("timestamp,start,end,duration", {}, None),
        ("timestamp,session_end,duration", {}, None),
        ("session_start,session_end,time_on_page", {}, None),
        ("start,end,engagement_time", {}, None),
        ("start,end,ended_at,duration", {}, None),
        ("date,end_time,duration", {}, None),
        ("start_date,end_date,duration", {}, None),
        ("start,end", {}, None),
        ("timestamp,duration", {}, None),
    ],
)
def test_an_end_beside_a_duration_can_be_compared(
    header: str, options: dict[str, str], expected: str | None
) -> None:
    columns = find(f"user,page,{header}", **options)
    index = columns.check_end
    assert (index if index is None else columns.names[index]) == expected
    if expected:
        assert columns.passed_over == (("end", expected),)
        assert columns.ends == ()


@pytest.mark.parametrize("name", ["unit", "units", "Duration Unit", "time_unit"])
def test_units_by_row_are_refused(name: str) -> None:
    header = f"user,page,timestamp,duration,{name}"
    shown = f"'{name}'" if " " in name else name
    where = ((name, "s"),)
    said = f"a column '{name}' says the durations' unit row by row, which isn't read; "
    assert refusal(header).startswith(
        f"{said}keep one unit with --where {shown}=s, and say it with --duration-unit "
        f"s; or say only the latter, if {shown} isn't about durations;"
    )
    assert refusal(header, where=where).startswith(
        f"{said}say that of the kept rows with --duration-unit;"
    )
    assert find(header, where=where, duration_unit="s").unit == "s"
    assert find(header, duration_unit="s").unit == "s"
    assert find(header.replace("duration,", "duration_ms,")).unit == "ms"
    assert find(f"user,page,timestamp,{name}").duration is None
    nested = "user,page,timestamp,p.duration,{}.unit"
    assert "says the durations' unit" in refusal(nested.format("p"))
    assert find(nested.format("price")).unit is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "date,hour,minute",
            "the time of day is in 'hour' and 'minute', which aren't read: make one "
            "column of them, or say --time date for days alone;",
        ),
        (
            "day,event_hour",
            "the time of day is in 'event_hour', which isn't read: make one column of "
            "'day' and 'event_hour', or say --time day for days alone;",
        ),
        *[
            (
                f"date,{others}",
                "the time of day may be in 'tod': say --time date+tod, or say "
                "--time date for days alone;",
            )
            for others in ("tod", "hour,tod,minute")
        ],
        (
            "Event Date,view_time",
            "the time of day may be in 'view_time': say --time 'Event Date+view_time', "
            "or say --time 'Event Date' for days alone; its columns are",
        ),
    ],
)
def test_a_day_is_not_taken_without_its_time_of_day(header: str, expected: str) -> None:
    header = f"user,page,{header},duration"
    assert refusal(header).startswith(expected)
    day = header.split(",")[2]
    assert find(header, time=day).time == (2,)
    assert find(header.replace(",duration", ",timestamp"), duration="none").time == (
        (header.count(","),)
    )


def test_two_columns_of_one_name_have_to_be_renamed() -> None:
    text = refusal("a,a,user,time", page="a")
    assert text.startswith("--page fits 2 columns: a and a; rename one;")
    assert "fits 2 columns: a and A; its" in refusal("a,A,user,time", page="_a")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        *[
            (
                f"user_id{mark}page{mark}t",
                f"{mark} separates the columns, put a first "
                f"line sep={mark} before them",
            )
            for mark in "^~|:#"
        ],
        ("user_id^page", "^ separates the columns, put a first line sep=^ before them"),
        ("a\x01b", "\\x01 separates the columns, write commas in its place"),
        (
            "user   page  time",
            "blanks separate the columns, write commas in their place",
        ),
        *[(name, "") for name in ("a:b", "user page time", "http://x.example/a:9")],
        *[(name, "") for name in ("a_b-c.d", "^", "", "1.2.3.4 - - [10/Oct:13:55:36]")],
    ],
)
def test_says_what_to_do_about_other_separators(name: str, advice: str) -> None:
    text = refusal(name)
    assert ("separate" in text) == bool(advice)
    assert text.endswith(f"; if {advice}" if advice else "if there is one")


def test_where_names_columns() -> None:
    where = (("Event-Type", "view"), ("page", "x"))
    assert find("user,page,time,event_type", where=where).where == (3, 1)
    text = refusal("user,page,time", where=where)
    assert text.startswith("no column Event-Type, named by --where;")


def test_says_all_that_is_missing_at_once() -> None:
    assert refusal("who,what,timestamp") == (
        "no column for the user (looked for user_id, user, username, visitor_id, "
        "customer_id, client_id, cookie, ip, ...) and none for the page (looked for "
        "page, page_path, path, page_url, url, page_title, content_id, event, ...); "
        "its columns are: who, what, timestamp; name them with --user COL --page COL "
        "and --duration COL or --end COL if there is one"
    )
    for header, options in (
        ("who,page,time,duration", {}),
        ("who,page,time,end", {}),
        ("who,page,time,x", {"duration": "x"}),
        ("who,page,time", {"duration": "none"}),
    ):
        assert refusal(header, **options).endswith("; name it with --user COL"), header
    text = refusal("user_id,timestamp,a\x1b[31m\n b,\u202e")
    assert text.endswith(
        "; its columns are: user_id, timestamp, a\\x1b[31m b, \\u202e; "
        "name it with --page COL and --duration COL or --end COL if there is one"
    )
    text = refusal("x,customer_id,visitor_id", time="when")
    for part in ("no column for the page (", "no column when,", "two columns could be"):
        assert part in text
    assert "the time (" not in text


def test_a_row_of_data_is_no_header() -> None:
    text = refusal("15174,home,35,2020-07-30T23:17:36")
    assert text.endswith(
        "; if that is a row of data, use numbers, such as "
        "--no-header --user 1 --page 2 --duration 3 --time 4"
    )
    text = refusal("2020-07-30,ann,home,9")
    assert text.endswith("--no-header --user 2 --page 3 --duration 4 --time 1")


def test_without_a_header_columns_have_numbers() -> None:
    columns = find("1,2,3,4", header=False, user="1", page="2", time="4", duration="3")
    assert taken(columns) == "1 | 2 | 4 | 3 | -"
    assert find("1,2,3,4", header=False, user="1", page="2", time="3+4").time == (2, 3)
    text = refusal("1,2,3,4", header=False)
    assert text == (
        "without a header, say which column is which by numbers, such as "
        "--user 1 --page 2 --duration 3 --time 4; its columns are: 1, 2, 3, 4"
    )
    text = refusal("1,2", header=False, user="user_id", page="2")
    too = "and --duration COL or --end COL if there is one"
    assert f"such as --time 4 {too}; no column user_id, named by --user;" in text
    named = {"user": "1", "page": "2", "time": "3"}
    assert taken(find("1,2,3", header=False, duration="none", **named)) == "1 | 2 | 3"


def test_messages_stay_short() -> None:
    many = ",".join(f"column {n} {'x' * n}" for n in range(500))
    assert re.search(r", column \d+ x+ and \d+ more; name them", refusal(many))
    where = tuple((f"{n}" * 100, "") for n in range(20))
    assert "…" in refusal(many, user="y" * 100, page="z" * 1_000, where=where)
    assert "its columns are: ''; name" in refusal("")
    with pytest.raises(NoSuchColumns, match="its columns are: none; name"):
        find_columns([], ReadOptions())


def test_the_help_names_what_is_found() -> None:
    for part in usual_names().split("; "):
        role, _, names = part.partition(": ")
        for name in names.removesuffix(", ...").split(", "):
            others = {"user": "u", "page": "p", "time": "t"}
            others.pop(role, None)
            columns = find(f"{name},u,p,t", **others)
            found = columns.ends if role == "end" else getattr(columns, role)
            assert found in (0, (0,)), name


NAME = st.sampled_from(
    [
        *("user_id", "User ID", "page", "url", "timestamp", "time", "date", "end", "1"),
        *("duration_min", "duration_max", "session_end", "$x.page", "a.b", "duration"),
        *("..", "", "min", "s (utc)", "\x1b", "date+time", "none", "hour", "unit"),
        *("end_date", "Dauer", "duration_m", "until", "start_date", "a^b", "end+1"),
    ]
)
NAMES = st.lists(st.text(st.characters()) | NAME, max_size=8)


@given(NAMES, st.lists(st.none() | NAME, min_size=5, max_size=5), st.booleans())
def test_any_names_are_columns_or_a_line(
    names: list[str], wanted: list[str | None], header: bool
) -> None:
    roles = ("user", "page", "time", "duration", "end")
    options = ReadOptions(**dict(zip(roles, wanted, strict=True)), header=header)  # type: ignore[arg-type]
    columns, text = None, ""
    try:
        columns = find_columns(names, options)
    except NoSuchColumns as error:
        text = str(error)
    assert len(text) <= 600
    assert text.isprintable()
    assert bool(text) == (columns is None)
    if columns is None:
        return
    used = [columns.user, columns.page, *columns.time, columns.duration, *columns.ends]
    used = [column for column in used if column is not None]
    assert len(set(used)) == len(used)
    assert set(used) <= set(range(len(names)))
    assert columns.duration is None or columns.ends == ()
    assert columns.check_end is None or columns.check_end not in used
    assert columns.names == tuple(names)


@given(st.permutations([*GOOD, "url", "visitor", "start", "end", "x"]), st.data())
def test_an_option_wins(names: list[str], data: st.DataObject) -> None:
    four = data.draw(st.permutations(names))[:4]
    user, page, time, duration = four
    options = ReadOptions(user=user, page=page, time=time, duration=duration)
    columns = find_columns(names, options)
    found = (columns.user, columns.page, *columns.time, columns.duration)
    assert [names[n] for n in found if n is not None] == four
    assert columns.passed_over == () or columns.passed_over == (("end", "end"),)


def spelled(name: str, data: st.DataObject) -> str:
    """A name with other capitals, blanks and marks."""
    marks = st.sampled_from(["_", "-", " ", "", "__"])
    words = [
        data.draw(st.sampled_from([w, w.upper(), w.title()])) for w in name.split("_")
    ]
    name = words[0] + "".join(data.draw(marks) + word for word in words[1:])
    return data.draw(st.sampled_from(["", "$", " "])) + name


@given(st.data())
def test_spelling_makes_no_difference(data: st.DataObject) -> None:
    plain = ["visitor_id", "page_path", "event_time", "session_duration", "page_title"]
    columns = find_columns([spelled(name, data) for name in plain], ReadOptions())
    assert (columns.user, columns.page, columns.time, columns.duration) == (
        0,
        1,
        (2,),
        3,
    )
    wanted = spelled("page_title", data)
    assert find_columns(plain, ReadOptions(page=wanted)).page == 4


@pytest.mark.parametrize(
    ("name", "is_visit"),
    [
        ("session_id", True),
        ("ga_session_id", True),
        ("$session_id", True),
        ("idvisit", True),
        ("properties.sessionId", True),
        ("visit_number", True),
        ("Sitzungs-Nr", True),
        ("session", True),
        ("session_date", False),
        ("sessions", False),
        ("product_id", False),
    ],
)
def test_knows_what_tells_visits_apart(name: str, is_visit: bool) -> None:
    names = ["user_id", "page", "timestamp", name, "session_duration"]
    assert find_columns(names, ReadOptions()).visit == (3 if is_visit else None)
    given = ReadOptions(duration="session_duration")
    assert find_columns(names, given).visit is None
    assert find_columns(names, ReadOptions(duration="none")).visit is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "Besucher,Seite,Beginn,Dauer (Sek.)",
            "Besucher | Seite | Beginn | Dauer (Sek.) | s",
        ),
        (
            "Nutzer-ID,Seite,Datum,Uhrzeit,Verweildauer",
            "Nutzer-ID | Seite | Datum+Uhrzeit | Verweildauer | -",
        ),
        ("Kunde,Seite,Startzeit,Ende", "Kunde | Seite | Startzeit | until | Ende"),
        (
            "Utilisateur,page,Début,Durée (min)",
            "Utilisateur | page | Début | Durée (min) | min",
        ),
        (
            "usuario,página,fecha,hora,duración",
            "usuario | página | fecha+hora | duración | -",
        ),
    ],
)
def test_finds_names_of_other_languages(header: str, expected: str) -> None:
    assert taken(find(header)) == expected
