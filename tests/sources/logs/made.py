"""Logs that are made by chance: lines of each form, and what clients put into them."""

import json
from typing import Any

from hypothesis import strategies as st

GOOD = (
    b'9.9.9.9 - - [01/Mar/2024:10:00:00 +0000] "GET /good HTTP/1.1" 200 12'
    b' "-" "Mozilla/5.0"'
)
GOOD_COMMON = GOOD[: GOOD.index(b' "-"')]
GOOD_BALANCER = (
    b"http 2024-03-01T10:00:00.000001Z app/a/1 9.9.9.9:1 10.0.0.1:80 0 0 0 200 200 1 1"
    b' "GET http://a.org:80/good HTTP/1.1" "Mozilla/5.0" - -'
)
GOOD_JSON = (
    b'{"remote_addr": "9.9.9.9", "time": "2024-03-01T10:00:00Z", "method": "GET",'
    b' "uri": "/good", "status": 200, "agent": "Mozilla/5.0"}'
)
FIELDS = (
    b"#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status"
    b" cs(User-Agent) cs-host"
)
GOOD_EXTENDED = b"2024-03-01 10:00:00 9.9.9.9 GET /good - 200 Mozilla/5.0+(X11) a.org"
HEADER = b"host\tlogname\ttime\tmethod\turl\tresponse\tbytes\treferer\tuseragent"
GOOD_ROW = b"9.9.9.9\t-\t1709287200\tGET\t/good\t200\t12"

HEADS = {
    "combined": GOOD,
    "common": GOOD_COMMON,
    "balancer": GOOD_BALANCER,
    "json": GOOD_JSON,
    "extended": FIELDS + b"\n" + GOOD_EXTENDED,
    "table": HEADER + b"\n" + GOOD_ROW,
}
"""How logs of each form may begin: with a page view."""

Bytes = st.SearchStrategy[bytes]


def some(*values: bytes) -> Bytes:
    return st.sampled_from(values)


def joined(*parts: Bytes | bytes) -> Bytes:
    """What the parts are, one behind another."""
    each = (st.just(part) if isinstance(part, bytes) else part for part in parts)
    return st.tuples(*each).map(b"".join)


clients = some(
    *(b"1.1.1.1", b"1.1.1.1", b"2.2.2.2", b"2001:db8::1", b"www.example.org", b"-"),
    *(b"", b"10.0.0.1, 1.1.1.1", b"a, b, c", b"1.1.1.1,", b"::ffff:1.2.3.4", b"\xe9"),
    *("é".encode(), b"\t", b"\xa0"),
)
names = some(b"-", b"-", b"-", b"ann", b"ann lee", b"a - b", b"a,", b"", b"a]b")
seconds = st.integers(0, 5_000)
clocks = seconds.map(lambda n: b"%02d:%02d:%02d" % (n // 3_600, n // 60 % 60, n % 60))
odd_clocks = some(
    *(b"24:00:00", b"24:00:01", b"25:00:00", b"10:60:00", b"23:59:60", b"23:59:61"),
    *(b"1:00:00", b"10-00-00", b"99:99:99", b"10.00.00"),
)
zones = some(
    *(b"+0000", b"+0000", b"+0100", b"-0330", b"+1400", b"-0000", b"+2400", b"+0060"),
    *(b"0000", b"", b"+010"),
)
days = some(*[b"01/Mar/2024"] * 6, b"29/Feb/2024", b"29/Feb/2023", b"31/Apr/2024")
odd_days = some(b"00/Jan/2024", b"32/Jan/2024", b"01/Foo/2024", b"01/MAR/2024", b"-")
times = st.one_of(
    joined(days, b":", clocks, b" +0000"),
    joined(days, b":", clocks, b" ", zones),
    joined(st.one_of(days, odd_days), b":", st.one_of(clocks, odd_clocks), b" ", zones),
    some(b"", b"-", b"01/Mar/2024", b"x" * 26, b"\0" * 26, b"[01/Mar/2024:25:00:00]"),
)
methods = some(
    *(
        b"GET",
        b"GET",
        b"GET",
        b"GET",
        b"HEAD",
        b"POST",
        b"get",
        b"M-SEARCH",
        b"PROPFIND",
    ),
    *(
        b"",
        b"G\xc9T",
        b"GET\t",
        b"\\x16\\x03\\x01",
        b"CONNECT",
        b"GE\0T",
        b"-",
        b"GET1",
    ),
)
pages = some(
    *(b"/", b"/", b"/a", b"/a", b"/b/c", b"*", b"", b"/a b", b"//a", b"/a/../b"),
    *(b"/%C3%A9", "/é".encode(), b"/\xe9", b"/a\\x22", b"/a\0b", b"http://a.org/x"),
    *(b"a:443", b"/robots.txt", b"/HTTP/1.1", b"/x HTTP/1.1", b" ", b"\xa0", b"/a "),
    *(b"/a.css", b"/A.CSS", b"/a.js", b"/a.js/", b"/a.map", b"/a.JPG", b"/.woff2"),
    *(b"/a\\\\", b"/a\\b", b"/[a]", b"/a\tb", b'/a\\"b', b"/a\rb", b"/-", b"-"),
)
queries = some(b"", b"", b"", b"?", b"?a=b", b"?a?b", b"#c", b"#c?d", b"??", b"?a.css")
protocols = some(
    *(b" HTTP/1.1", b" HTTP/1.1", b" HTTP/1.0", b" HTTP/2", b" HTTP/2.0", b" HTTP/0.9"),
    *(
        b"",
        b" HTTP/3",
        b" HTTP/11",
        b" HTTP/1.",
        b" http/1.1",
        b" HTTP/1.1 ",
        b" HTTP/",
    ),
    *(b"  HTTP/1.1", b" RTSP/1.0", b" HTTP/1.10"),
)
requests = st.one_of(
    joined(b"GET ", pages, b" HTTP/1.1"),
    joined(methods, b" ", pages, queries, protocols),
    some(
        *(b"", b"-", b"GET", b"GET ", b"GET  /a HTTP/1.1", b"HTTP/1.1", b" HTTP/1.1"),
        *(b"\\x16\\x03\\x01\\x02\\x00", b"\x16\x03\x01", b"\\n", b'\\"', b"\\\\"),
        *(b'GET /a"b HTTP/1.1', b"GET HTTP/1.1", b" ", b"?", b"GET ?", b"quit"),
    ),
)
statuses = some(
    *(b"200", b"200", b"200", b"200", b"304", b"206", b"301", b"302", b"404", b"503"),
    *(
        b"-",
        b"100",
        b"000",
        b"600",
        b"999",
        b"20",
        b"2000",
        b"abc",
        b"",
        b"+20",
        b"199",
    ),
)
sizes = some(b"12", b"12", b"-", b"0", b"", b"1 2", b"99999999999999999999", b"a")
agents = some(
    *(
        b"Mozilla/5.0",
        b"Mozilla/5.0",
        b"-",
        b"",
        b'a \\"b\\" c',
        b"a\\\\",
        b"\\",
        b"\xe9",
    ),
    *(
        b"Googlebot/2.1",
        b"curl/8.0",
        b"python-requests/2",
        b"Mozilla/5.0 (X; Y)",
        b'a"b',
    ),
    *(b"a" * 300, b"\x1b[31m", b"x\0y", "é".encode()),
)
tails = some(
    *(b"", b"", b"", b" 0.002", b' "1.1.1.1"', b' "-" 12 "a" -', b' rt=0.1 ua="x"'),
    *(b' "', b'"', b"x", b' x"y"z', b" ", b' "a" "', b' "a""b"', b' \\"', b' "\\""'),
)


def access() -> Bytes:
    """Lines of the Common and the Combined Log Format, and almost such ones."""
    sites = some(b"", b"", b"", b"a.org ", b"b.org:443 ", b"- ", b"a, ", b"x y ", b" ")
    front = joined(sites, clients, b" ", names, b" ", names)
    agent = st.one_of(st.just(b""), joined(b' "-" "', agents, b'"'))
    odd = joined(b' "', agents, b'" "', agents, b'"', tails)
    answer = joined(b'" ', statuses, b" ", sizes)
    plain = joined(clients, b" - - [", days, b":", clocks, b' +0000] "GET ', pages)
    return st.one_of(
        joined(plain, b' HTTP/1.1" 200 1', agent),
        joined(front, b" [", times, b'] "', requests, answer, st.one_of(agent, odd)),
        joined(front, b" [", times, b'] "', requests, answer, tails),
    )


def balancer() -> Bytes:
    """Lines of load balancers of AWS."""
    kinds = some(b"http ", b"https ", b"h2 ", b"", b"wss ", b"ftp ")
    when = joined(
        some(b"2024-03-01T", b"2024-02-30T"), st.one_of(clocks, odd_clocks), b".5Z"
    )
    who = some(b"1.1.1.1:1", b"2.2.2.2:65535", b"[2001:db8::1]:8", b"-", b"1.1.1.1")
    hosts = some(b"http://a.org:80", b"https://b.org:443", b"http://a.org", b"")
    request = joined(methods, b" ", hosts, pages, queries, some(b" HTTP/1.1", b" - "))
    middle = joined(b" 2.2.2.2:80 0.1 -1 0 ", statuses, b" 200 1 2")
    return joined(
        *(kinds, when, b" app/a ", who, middle, b' "', request, b'" "', agents, b'"'),
        some(b"", b" - -", b' - - arn "Root=1" "-"', b"x", b" x "),
    )


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_json() -> Bytes:
    """JSON objects of nginx, of Caddy, and what Docker makes of other lines."""
    page = _texts(joined(pages, queries))
    when = st.one_of(
        seconds.map(lambda n: 1_709_287_200 + n),
        seconds.map(lambda n: 1_709_287_200.25 + n),
        _texts(joined(b"2024-03-01T", st.one_of(clocks, odd_clocks), b"Z")),
        _texts(times),
    )
    status = st.one_of(st.sampled_from((200, 200, 304, 404, 500)), _texts(statuses))
    inner = {"uri": page, "method": _texts(methods)}
    nginx = st.fixed_dictionaries(
        {"remote_addr": _texts(clients), "time": when, "status": status, **inner},
        optional={"agent": _texts(agents), "more": st.just([1]), "host": _texts(names)},
    )
    headers = st.fixed_dictionaries(
        {"User-Agent": st.lists(_texts(agents), min_size=1, max_size=2)}
    )
    caddy = st.fixed_dictionaries(
        {
            "ts": when,
            "status": status,
            "request": st.fixed_dictionaries(
                {"remote_ip": _texts(clients), **inner}, optional={"headers": headers}
            ),
        }
    )
    docker = access().map(lambda line: {"log": line.decode("latin-1") + "\n"})
    others = st.sampled_from(({}, {"a": 1}, {"log": 1}, {"log": "x"}, {"status": 200}))
    return st.one_of(nginx, caddy, docker, others).map(_dumped)


def _texts(values: Bytes) -> st.SearchStrategy[str]:
    return values.map(lambda value: value.decode("latin-1"))


def extended() -> Bytes:
    """Lines of a W3C log, and of what directs it."""
    when = joined(some(b"2024-03-01 ", b"2024-02-30 "), st.one_of(clocks, odd_clocks))
    who = some(b"1.1.1.1", b"2.2.2.2", b"-", b"2001:db8::1", b"1.1.1.1:80")
    stems = some(b"/a", b"/b", b"/a.css", b"-", b"/a+b", b"/%C3%A9", b"")
    programs = some(
        b"Mozilla/5.0+(X11)", b"-", b"a%20b", b"Googlebot/2.1", b"%FF", b"%"
    )
    row = joined(
        *(when, b" ", who, b" ", methods, b" ", stems, b" - ", statuses, b" "),
        *(programs, some(b" a.org", b" -", b"", b" a b")),
    )
    directs = some(
        *(FIELDS, b"#Date: 2024-03-02 10:00:00", b"#Software: x", b"#", b"#Date:"),
        b"#Fields: cs-host cs(User-Agent) sc-status cs-uri-query cs-uri-stem cs-method"
        b" c-ip time date",
    )
    return st.one_of(row, row, row, directs)


def row() -> Bytes:
    """Rows of a table of requests."""
    when = st.one_of(
        seconds.map(lambda n: b"%d" % (1_709_287_200 + n)),
        some(b"2024-03-01 10:00:00", b"", b"x", b"807256800"),
    )
    quoted = some(b'"a""b"', b"/a", b'"a', b'a"b', b"/c.gif", b"/c?d")
    start = joined(clients, b"\t-\t", when, b"\t", methods, b"\t")
    page = st.one_of(pages, quoted)
    more = some(b"", b"\t12", b"\t12\t-\tMozilla/5.0", b"\t\t\tcurl/8", b"\t" * 9)
    return joined(start, page, b"\t", statuses, more)


FORMS = {
    "combined": access,
    "common": access,
    "balancer": balancer,
    "json": as_json,
    "extended": extended,
    "table": row,
}
"""What makes lines of each form."""


@st.composite
def near(draw: st.DrawFn, lines: Bytes) -> bytes:
    """Lines with some bytes replaced, put in, or taken away."""
    data = bytearray(draw(lines))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 5)))
        data[start:end] = draw(st.one_of(marks, st.binary(max_size=3)))
    return bytes(data)


marks = some(
    *(b'"', b" ", b"\\", b"[", b"]", b"-", b",", b"?", b'" "', b"\\\\", b" - ", b"\t"),
    *(b"\r", b"\n", b"\0", b" HTTP/1.1", b'"" ', b"#"),
)


@st.composite
def logs(draw: st.DrawFn, form: str) -> bytes:
    """A log that begins with a page view, and has half of its lines good at least."""
    line = st.one_of(
        *[FORMS[form]()] * 3,
        near(FORMS[form]()),
        access(),
        some(b"", b"\r", b"\0", b"\0\0" + GOOD, b"rubbish", b"#", b"# a", GOOD[:70]),
        some(GOOD_JSON, GOOD_BALANCER),
    )
    lines = draw(st.lists(line, min_size=1, max_size=12))
    good = HEADS[form].split(b"\n")[-1]
    end = draw(some(b"\n", b"\n", b"\r\n"))
    lines = [*HEADS[form].split(b"\n"), *[good] * 2 * len(lines), *lines]
    return end.join(lines) + draw(some(end, end, b""))
