"""The commands of docs/logs.md, each on a small log as its server writes it."""

import gzip
import io
import json
import re
import shlex
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Final, NamedTuple
from urllib.parse import quote

import pyarrow as pa
import pytest

import app
import arguments
from sources import ReadOptions
from tests import guides
from tests.guides import Right, Session, sessions
from tests.programs import ROOT

GUIDE: Final = ROOT / "docs" / "logs.md"
COMMANDS: Final = guides.commands(GUIDE)


# What was asked for, by whom.


class Request(NamedTuple):
    """A request, and what it was answered with."""

    client: str
    second: int
    """Seconds after nine o'clock."""
    method: str
    target: str
    status: int
    agent: str
    host: str = "shop.example"

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What is behind the question mark, or a dash."""
        return self.target.partition("?")[2] or "-"

    @property
    def time(self) -> datetime:
        """When it was, with a fraction of a second where servers write one."""
        return datetime(2024, 5, 1, 9, tzinfo=UTC) + timedelta(seconds=self.second)


FIREFOX: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)
CHROME: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36"
)
BOT: Final = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
ANN, BOB, CRAWLER = "192.0.2.1", "2001:db8::7", "192.0.2.9"

REQUESTS: Final = (
    Request(ANN, 0, "GET", "/", 200, FIREFOX),
    Request(ANN, 1, "GET", "/style.css", 200, FIREFOX),
    Request(ANN, 90, "GET", "/cart?id=1", 200, FIREFOX),
    Request(BOB, 100, "GET", "/", 304, FIREFOX),
    Request(CRAWLER, 110, "GET", "/", 200, BOT),
    Request(ANN, 120, "GET", "/old", 301, FIREFOX),
    Request(ANN, 121, "GET", "/missing", 404, FIREFOX),
    Request(ANN, 130, "POST", "/cart", 200, FIREFOX),
    Request(BOB, 160, "GET", "/cart", 200, FIREFOX),
)
MORE: Final = (
    *REQUESTS,
    Request(ANN, 2_700, "GET", "/cart/index.html", 200, CHROME),
    Request(ANN, 2_760, "GET", "/photo.webp", 200, CHROME),
)
ELSEWHERE: Final = Request(BOB, 105, "GET", "/post", 200, FIREFOX, "blog.example")


# The forms of servers.


def combined(request: Request) -> str:
    r = request
    return (
        f'{r.client} - - [{r.time:%d/%b/%Y:%H:%M:%S %z}] "{r.method} {r.target} '
        f'HTTP/1.1" {r.status} 512 "https://{r.host}/" "{r.agent}"'
    )


def vhost_combined(request: Request) -> str:
    return f"{request.host}:443 {combined(request)}"


def nginx_json(request: Request) -> str:
    """By the guide's own ``log_format``."""
    block = re.search(r"^```nginx\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.M)
    assert block
    values = {
        "time_iso8601": request.time.isoformat(),
        "remote_addr": request.client,
        "host": request.host,
        "request": f"{request.method} {request.target} HTTP/1.1",
        "status": str(request.status),
        "http_user_agent": request.agent,
    }
    text = "".join(re.findall(r"'(.*?)'", block[1]))
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], text)


def caddy(request: Request) -> str:
    line = {
        "level": "info",
        "ts": request.time.timestamp() + 0.25,
        "logger": "http.log.access.log0",
        "msg": "handled request",
        "request": {
            "remote_ip": "10.0.0.2",
            "remote_port": "34176",
            "client_ip": request.client,
            "proto": "HTTP/2.0",
            "method": request.method,
            "host": request.host,
            "uri": request.target,
            "headers": {"User-Agent": [request.agent], "Accept": ["*/*"]},
            "tls": {"resumed": False, "version": 772, "server_name": request.host},
        },
        "bytes_read": 0,
        "user_id": "",
        "duration": 0.005786214,
        "size": 512,
        "status": request.status,
        "resp_headers": {"Server": ["Caddy"]},
    }
    return json.dumps(line)


def traefik(request: Request) -> str:
    return f'{combined(request)} 7 "web@docker" "http://172.17.0.2:80" 4ms'


def traefik_json(request: Request) -> str:
    r = request
    start = f"{r.time:%Y-%m-%dT%H:%M:%S}.250000001Z"
    line = {
        "ClientAddr": f"[{r.client}]:5432" if ":" in r.client else f"{r.client}:5432",
        "ClientHost": r.client,
        "ClientPort": "5432",
        "ClientUsername": "-",
        "DownstreamContentSize": 512,
        "DownstreamStatus": r.status,
        "Duration": 4_123_456,
        "OriginStatus": r.status,
        "RequestAddr": r.host,
        "RequestHost": r.host,
        "RequestMethod": r.method,
        "RequestPath": r.target,
        "RequestProtocol": "HTTP/2.0",
        "RouterName": "web@docker",
        "StartLocal": start,
        "StartUTC": start,
        "level": "info",
        "msg": "",
        "request_User-Agent": r.agent,
        "time": f"{r.time:%Y-%m-%dT%H:%M:%SZ}",
    }
    return json.dumps(line)


IIS: Final = (
    "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
    "#Date: 2024-05-01 09:00:00\n#Fields: date time s-ip cs-method cs-uri-stem "
    "cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status "
    "sc-substatus sc-win32-status time-taken"
)


def iis(request: Request) -> str:
    r = request
    return (
        f"{r.time:%Y-%m-%d %H:%M:%S} 10.0.0.5 {r.method} {r.path} {r.query} 443 - "
        f"{r.client} {r.agent.replace(' ', '+')} - {r.status} 0 0 15"
    )


CLOUDFRONT: Final = (
    "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method "
    "cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) "
    "x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes "
    "time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type "
    "cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte "
    "x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start "
    "sc-range-end"
)


def cloudfront(request: Request) -> str:
    r = request
    fields = (
        *(f"{r.time:%Y-%m-%d}", f"{r.time:%H:%M:%S}", "FRA56-P1", "512", r.client),
        *(r.method, "d111111abcdef8.cloudfront.net", r.path, str(r.status), "-"),
        *(quote(r.agent, safe="/();,:+"), r.query, "-", "Hit", "SOX4xwn4XV6Q4rgb7XiVG"),
        *(r.host, "https", "23", "0.001", "-", "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        *("Hit", "HTTP/2.0", "-", "-", "11040", "0.001", "Hit", "text/html", "78"),
        *("-", "-"),
    )
    return "\t".join(fields)


def balancer(request: Request) -> str:
    r = request
    client = f"[{r.client}]" if ":" in r.client else r.client
    return (
        f"h2 {r.time:%Y-%m-%dT%H:%M:%S}.250000Z app/shop/50dc6c495c0c9188 "
        f"{client}:2817 10.0.1.252:80 0.000 0.004 0.000 {r.status} {r.status} 5 257 "
        f'"{r.method} https://{r.host}:443{r.target} HTTP/2.0" "{r.agent}" '
        "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:"
        "123456789012:targetgroup/shop/73e2d6bc24d8a067 "
        f'"Root=1-58337327-72bd00b0343d75b906739c42" "{r.host}" '
        '"arn:aws:acm:us-east-2:123456789012:certificate/12345678" 1 '
        f"{r.time:%Y-%m-%dT%H:%M:%S}.246000Z "
        f'"forward" "-" "-" "10.0.1.252:80" "{r.status}" "-" "-" TID_1234abcd5678ef90'
    )


def table(request: Request) -> str:
    """Times in Berlin, where it is eleven."""
    r = request
    time = r.time + timedelta(hours=2)
    return (
        f"{r.client},{time:%Y-%m-%d %H:%M:%S},{r.method},{r.target},{r.status},"
        f'"{r.agent}"'
    )


def docker(request: Request) -> str:
    line = {
        "log": f"{combined(request)}\n",
        "stream": "stdout",
        "time": f"{request.time:%Y-%m-%dT%H:%M:%S}.123456789Z",
    }
    return json.dumps(line)


def pods(request: Request) -> str:
    time = f"{request.time:%Y-%m-%dT%H:%M:%S}.123456789Z"
    return f"{time} stdout F {combined(request)}"


ERROR: Final = (
    '2024/05/01 09:02:01 [error] 31#31: *4 open() "/usr/share/nginx/html/missing" '
    "failed (2: No such file or directory), client: 192.0.2.1, server: localhost, "
    'request: "GET /missing HTTP/1.1", host: "shop.example"'
)
STARTS: Final = (
    "/docker-entrypoint.sh: Launching /docker-entrypoint.d/30-tune-worker.sh\n"
    "/docker-entrypoint.sh: Configuration complete; ready for start up"
)


# The files and what is piped into the program.


def lines(
    form: Callable[[Request], str],
    requests: Sequence[Request] = REQUESTS,
    front: str = "",
) -> str:
    return "".join(
        f"{line}\n" for line in [*filter(None, [front]), *map(form, requests)]
    )


def write(path: Path, text: str) -> None:
    """Write a text, packed as the name of the file says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    if path.suffix == ".gz":
        data = gzip.compress(data)
    elif path.suffix == ".zst":
        data = pa.Codec("zstd").compress(data, asbytes=True)
    path.write_bytes(data)


def write_rotated(path: Path) -> None:
    """As logrotate does; the name may be a folder or a pattern."""
    folder = path if path.suffix == "" else path.parent
    for name, part in {
        "access.log": REQUESTS[7:],
        "access.log.1": REQUESTS[4:7],
        "access.log.2.gz": REQUESTS[2:4],
        "access.log.3.zst": REQUESTS[:2],
    }.items():
        write(folder / name, lines(combined, part))
    write(folder / "error.log", f"{ERROR}\n")


def write_cloudfront(path: Path) -> None:
    for name, part in {"09.b1c2": REQUESTS[:4], "09.a1b2": REQUESTS[4:]}.items():
        file = path / f"E2EXAMPLE.2024-05-01-{name}.gz"
        write(file, lines(cloudfront, part, CLOUDFRONT))


def write_balancer(path: Path) -> None:
    account = path / "123456789012"
    day = account / "elasticloadbalancing" / "us-east-2" / "2024" / "05" / "01"
    name = "123456789012_elasticloadbalancing_us-east-2_app.shop_20240501T0905Z.log.gz"
    write(account / "ELBAccessLogTestFile", "Enable AccessLog for ELB: app/shop\n")
    write(day / name, lines(balancer, [*REQUESTS, ELSEWHERE]))


def write_iis(path: Path) -> None:
    write(path.parent / "u_ex240501.log", lines(iis, front=IIS))


def write_saved(path: Path) -> None:
    """By the program itself, as the guide says it."""
    (command,) = (each for each in COMMANDS if each.endswith(f"--save {path}"))
    assert app.main([*made(command), "--check"]) == 0


TEXTS: Final = {
    "var/log/nginx/access.log": lines(combined),
    "var/log/apache2/access.log": lines(combined),
    "var/log/apache2/other_vhosts_access.log": lines(
        vhost_combined, [*REQUESTS, ELSEWHERE]
    ),
    "timed.log": lines(lambda request: f"{combined(request)} 1296"),
    "var/log/nginx/visits.log": lines(nginx_json),
    "var/log/caddy/access.log": lines(caddy),
    "var/log/traefik/access.log": lines(traefik),
    "var/log/traefik/access.json": lines(traefik_json),
    "access.log": lines(combined, MORE),
    "sites.log": lines(
        vhost_combined, [*REQUESTS, ELSEWHERE, MORE[-1]._replace(host="old.example")]
    ),
    "requests.csv": lines(table, front="ip,time,method,url,status,user_agent"),
}
MAKERS: Final[dict[str, Callable[[Path], None]]] = {
    "var/log/nginx/access.log*": write_rotated,
    "var/log/nginx": write_rotated,
    "W3SVC1/u_ex*.log": write_iis,
    "cloudfront": write_cloudfront,
    "alb": write_balancer,
    "visits.parquet": write_saved,
}
PIPED: Final = {
    "sudo zcat -f /var/log/nginx/access.log*": lines(
        combined, [*REQUESTS[4:], *REQUESTS[:4]]
    ),
    "ssh shop.example cat /var/log/nginx/access.log": lines(combined),
    "docker logs web 2>/dev/null": lines(combined, front=STARTS),
    "docker compose logs web": "".join(
        f"web-1  | {line}\n"
        for line in lines(combined, front=f"{STARTS}\n{ERROR}").splitlines()
    ),
    "sudo sh -c 'cat /var/lib/docker/containers/*/*-json.log'": lines(docker),
    "sudo sh -c 'cat /var/log/pods/*_web-*/*/*.log'": lines(pods),
}


def made(command: str) -> list[str]:
    """The words of a command, after its files were made here."""
    words = shlex.split(command.replace("/var/", "var/"))
    for path in arguments.parse(words, "").files:
        name = path.as_posix()
        if name in TEXTS:
            write(path, TEXTS[name])
        elif name != "-":
            MAKERS[name](path)
    return words


# What each command should say, and give.

FORM: Final = {
    "combined": "Combined Log Format.",
    "json": "JSON, an object in each line.",
    "w3c": "W3C Extended Log Format.",
    "balancer": "AWS load balancer.",
    "table": "A table of requests.",
}


def kinds(read: str, *, first: int = 1, bot: str = BOT) -> tuple[str, ...]:
    """What is told of ``REQUESTS`` in one file, from the line *first* on."""
    return (
        read,
        f"Page views: 4, such as line {first}: GET / (200).",
        f"Assets: 1, such as line {first + 1}: GET /style.css (200).",
        f"Bots: 1, such as line {first + 4}: {bot}.",
        f"Errors: 1, such as line {first + 6}: GET /missing (404).",
        f"Redirects: 1, such as line {first + 5}: GET /old (301).",
        f"Other methods: 1, such as line {first + 7}: POST /cart (200).",
    )


def views(fraction: str = "") -> tuple[Session, ...]:
    """The page views among ``REQUESTS``."""
    return (
        (ANN, "/", 90.0, f"2024-05-01 09:00:00{fraction}"),
        (ANN, "/cart", None, f"2024-05-01 09:01:30{fraction}"),
        (BOB, "/", 60.0, f"2024-05-01 09:01:40{fraction}"),
        (BOB, "/cart", None, f"2024-05-01 09:02:40{fraction}"),
    )


PLAIN: Final = Right((FORM["combined"], *kinds("9 lines read.")), views())
PLAIN_JSON: Final = Right((FORM["json"], *kinds("9 lines read.")), views())
QUARTER: Final = ".250000"
SHOP: Final = "Only requests to shop.example."
LATER: Final = (
    (ANN, "/cart/index.html", 60.0, "2024-05-01 09:45:00"),
    (ANN, "/photo.webp", None, "2024-05-01 09:46:00"),
)
STATUSES: Final = "no assets (.css, .js, .png and 9 more), no bots."


def more(**replaced: float | None) -> tuple[Session, ...]:
    """The page views among ``MORE``; *replaced* are Ann's durations, by page."""
    found = []
    for user, page, seconds, time in (*views(), *LATER):
        name = page.strip("/").partition(".")[0] or "home"
        seconds = replaced.get(name, seconds) if user == ANN else seconds
        found.append((user, page, seconds, time))
    return tuple(found)


RIGHT: Final[dict[str, Right]] = {
    "/var/log/nginx/access.log --check": PLAIN,
    "/var/log/nginx/access.log": PLAIN,
    "/var/log/apache2/access.log": PLAIN,
    "/var/log/apache2/other_vhosts_access.log --where host=shop.example": Right(
        (FORM["combined"], SHOP, *kinds("10 lines read, 1 not asked for.")), views()
    ),
    "timed.log": PLAIN,
    "/var/log/nginx/visits.log": PLAIN_JSON,
    "/var/log/caddy/access.log": Right(PLAIN_JSON.says, views(QUARTER)),
    "/var/log/traefik/access.log": PLAIN,
    "/var/log/traefik/access.json": Right(PLAIN_JSON.says, views(QUARTER)),
    '"W3SVC1/u_ex*.log" --timezone Europe/Berlin': Right(
        (
            FORM["w3c"],
            "Time: ISO 8601, UTC where no zone is named.",
            # A blank and a plus are one there.
            *kinds("13 lines read.", first=5, bot=BOT.replace("+", " ")),
            "Comments: 4, such as line 1: '#Software: Microsoft Internet Information "
            "Services 10.0'.",
        ),
        views(),
    ),
    "cloudfront": Right(
        (
            "cloudfront/E2EXAMPLE.2024-05-01-09.a1b2.gz, "
            "cloudfront/E2EXAMPLE.2024-05-01-09.b1c2.gz",
            FORM["w3c"],
            "13 lines read.",
        ),
        views(),
    ),
    "alb --where host=shop.example": Right(
        (
            FORM["balancer"],
            SHOP,
            *kinds("10 lines read, 1 not asked for."),
            "Skipped, as they hold no sessions: alb/123456789012/ELBAccessLogTestFile.",
        ),
        views(QUARTER),
    ),
    "/var/log/nginx/access.log*": Right(
        (
            "access.log, access.log.1, access.log.2.gz, access.log.3.zst",
            FORM["combined"],
            "9 lines read.",
            "Page views: 4, such as access.log, line 2: GET /cart (200).",
        ),
        views(),
    ),
    "/var/log/nginx": Right(
        (
            "nginx/access.log, nginx/access.log.1, nginx/access.log.2.gz, "
            "nginx/access.log.3.zst",
            FORM["combined"],
            "9 lines read.",
            "Skipped, as they hold no sessions: nginx/error.log.",
        ),
        views(),
    ),
    "sudo zcat -f /var/log/nginx/access.log* | python app.py -": Right(
        (
            FORM["combined"],
            "1 page view is earlier than the one before; they are sorted.",
            "9 lines read.",
        ),
        views(),
    ),
    "ssh shop.example cat /var/log/nginx/access.log | python app.py -": PLAIN,
    "docker logs web 2>/dev/null | python app.py -": Right(
        (
            FORM["combined"],
            *kinds("11 lines read, 2 left out.", first=3),
            "2 with an unknown form, such as line 1: '/docker-entrypoint.sh: Launching "
            "/docker-entrypoint.d/30-tu…'.",
        ),
        views(),
    ),
    "docker compose logs web | python app.py -": Right(
        (FORM["combined"], *kinds("12 lines read, 3 left out.", first=4)), views()
    ),
    "sudo sh -c 'cat /var/lib/docker/containers/*/*-json.log' | python app.py -": (
        PLAIN_JSON
    ),
    "sudo sh -c 'cat /var/log/pods/*_web-*/*/*.log' | python app.py -": PLAIN,
    "access.log --visit-gap 1h": Right(("11 lines read.",), more(cart=2_610.0)),
    "access.log --bots keep": Right(
        (
            "Counted: GET requests answered with 200 to 299 or 304; no assets (.css, "
            ".js, .png and 9 more).",
            "1 page view of bots, which count.",
        ),
        (*more(), (CRAWLER, "/", None, "2024-05-01 09:01:50")),
    ),
    "access.log --user ip+agent": Right(
        ("User: the client's address and program.",),
        tuple(
            (f"{user} {FIREFOX if time < LATER[0][3] else CHROME}", page, seconds, time)
            for user, page, seconds, time in more()
        ),
    ),
    "access.log --assets .css,.js,.png,.jpg,.svg,.webp,.pdf": Right(
        ("Assets: 2, such as line 2: GET /style.css (200).",),
        (*views(), (*LATER[0][:2], None, LATER[0][3])),
    ),
    "access.log --statuses 200-299,304,404": Right(
        (f"Counted: GET requests answered with 200 to 299 or 304 or 404; {STATUSES}",),
        (*more(cart=31.0), (ANN, "/missing", None, "2024-05-01 09:02:01")),
    ),
    "sites.log --where host=shop.example --where host=blog.example": Right(
        (
            "Only requests to shop.example or blog.example.",
            "11 lines read, 1 not asked for.",
        ),
        (
            *views()[:2],
            (BOB, "/", 5.0, "2024-05-01 09:01:40"),
            (BOB, "/post", 55.0, "2024-05-01 09:01:45"),
            views()[3],
        ),
    ),
    "access.log --merge-pages slash,case,index": Right(
        ("4 pages became 3 by dropping slash, case, index.",),
        (*views(), (ANN, "/cart", 60.0, "2024-05-01 09:45:00"), LATER[1]),
    ),
    "requests.csv --times-in Europe/Berlin": Right(
        (
            FORM["table"],
            "Time: ISO 8601, Europe/Berlin where no zone is named.",
            *kinds("9 lines read.", first=2),
        ),
        views(),
    ),
    "access.log --save visits.parquet": Right(("11 lines read.",), more()),
    "visits.parquet": Right(
        ("Duration: duration, in seconds.", "6 rows read, 6 kept."), more()
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_the_guide_says_can_be_done(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    pipe, _, rest = command.rpartition(f" | {guides.PROGRAM}")

    def feed() -> None:
        data = io.BytesIO(PIPED[pipe].encode() if pipe else b"")
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=data))

    feed()
    words, right = made(rest), RIGHT[command]
    shown = guides.report(words, capsys)
    assert [line for line in shown if line in right.says] == list(right.says)
    feed()
    assert by_time(sessions(words)) == by_time(right.gives)


def by_time(found: Sequence[Session]) -> list[Session]:
    return sorted(found, key=lambda session: session[3])


def test_nothing_is_right_for_a_command_that_the_guide_has_not() -> None:
    assert len(COMMANDS) == len(set(COMMANDS)) > 25
    assert set(RIGHT) == set(COMMANDS)


def test_the_guide_names_the_assets() -> None:
    (named,) = re.findall(r"^\| assets \| .* with (.+) \|$", GUIDE.read_text(), re.M)
    assert tuple(named.split(", ")) == ReadOptions.assets


# What the program may say.

COMMON: Final = '{} - - [{} +0000] "GET / HTTP/1.1" 200 512\n'
GOOD: Final = COMMON.format(ANN, "01/May/2024:09:00:00")
MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "no page view (…": (lines(combined, REQUESTS[1:2]), ""),
    "no usable row (none has host=…": (GOOD, "--where host=shop.example"),
    "Several sites: … To count one alone, add …": (
        lines(vhost_combined, [REQUESTS[0], ELSEWHERE]),
        "",
    ),
    "No page view names a program, …": (GOOD, ""),
    "All page views are of …, as of a proxy …": (GOOD * 100, ""),
    "earlier than the one before; …": (lines(combined, REQUESTS[::-1]), ""),
    "a log has no column …: --where host=NAME": (GOOD, "--where status=200"),
    "a log has no columns to be named; …": (GOOD, "--page url"),
    "a W3C log that lacks … in its #Fields; …": (
        "#Version: 1.0\n#Fields: date time s-ip cs-uri-stem sc-status\n"
        "2024-05-01 09:00:00 10.0.0.5 / 200\n",
        "",
    ),
    "a web server's access log in a form that isn't read; …": (
        '192.0.2.1 [01/May/2024:09:00:00 +0000] "GET / HTTP/1.1"\n',
        "",
    ),
    "a web server's error log; …": (f"{ERROR}\n", ""),
    "with an unknown form, …": (f"{GOOD}hello\n", ""),
    "more than half of the rows can't be used: …": (
        GOOD + COMMON.format(BOB, "32/May/2024:09:00:00") * 2,
        "",
    ),
}
DENIED: Final = "Permission denied"


def test_all_messages_of_the_guide_are_tried() -> None:
    assert guides.messages(GUIDE) == [*MESSAGES, DENIED]


@pytest.mark.parametrize("message", MESSAGES)
def test_the_program_says_so(
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    text, option = MESSAGES[message]
    Path("access.log").write_text(text)
    app.main(["access.log", *option.split(), "--check"])
    assert guides.is_said(message, " ".join(capsys.readouterr()))


def test_the_program_says_that_it_may_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "access.log").write_text(GOOD)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, DENIED)

    # Root may read whatever its mode is.
    monkeypatch.setattr(Path, "open", refused)
    assert app.main([str(tmp_path / "access.log"), "--check"])
    assert capsys.readouterr().err.endswith(f"access.log: {DENIED}\n")
