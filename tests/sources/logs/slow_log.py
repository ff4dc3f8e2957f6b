"""A slow, obvious reading of logs, which the real one must agree with.

It goes by the rules alone: line by line, letter by letter, with nothing of the product.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from crawleruseragents import is_crawler

ASSETS = (
    *(".css", ".js", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".svg", ".woff"),
    *(".woff2", ".ttf", ".map"),
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 4 * 1024 * 1024


class Asked(NamedTuple):
    """A request, in Latin-1."""

    user: str
    time: str
    method: str
    page: str
    status: str
    agent: str = ""
    site: str = ""


class View(NamedTuple):
    """A page view; its time in seconds since 1970."""

    user: str
    page: str
    time: float


class Told(NamedTuple):
    """What a log says: its views, and how many of its lines are something else."""

    views: list[View]
    counts: Counter[str]
    n_lines: int


def read(
    data: bytes,
    *,
    table: bool = False,
    keep_bots: bool = True,
    user: str = "ip",
    site: str | None = None,
) -> Told:
    """Read a log; *table* says that its first line names columns, between tabs."""
    told = Told([], Counter(), 0)
    names: list[str] = []
    day = ""
    lines = list(_lines(data))
    if table:
        names = next(csv.reader([lines[0][0].decode("latin-1")], delimiter="\t"))
        del lines[0]
    for line, has_end in lines:
        text = line.decode("latin-1")
        if len(line) > LONGEST:
            kind: str | View = "a length of over 4 MB"
        elif text.startswith("#"):
            kind = "comments"
            if text.startswith("#Fields:"):
                names = text[8:].split()
            elif text.startswith("#Date:"):
                day = next(iter(text[6:].split()), "")
        else:
            asked = _common(text) or _balancer(text) or _json(line)
            if not asked and names:
                asked = _row(text, names) if table else _extended(text, names, day)
            missing = "an unknown form" if has_end else "its end missing"
            kind = _kind(asked, keep_bots, user, site) if asked else missing
        if isinstance(kind, View):
            told.views.append(kind)
        else:
            told.counts[kind] += 1
    return told._replace(n_lines=len(lines))


def durations(views: Sequence[View], gap: float = 1_800) -> list[float | None]:
    """Seconds to the next view of the same user, for each view; None where unknown."""
    found: list[float | None] = [None] * len(views)
    by_user: dict[str, list[int]] = {}
    for place, view in enumerate(views):
        by_user.setdefault(view.user, []).append(place)
    for places in by_user.values():
        # Equal times keep the order of the file.
        places.sort(key=lambda place: views[place].time)
        for place, after in pairwise(places):
            seconds = views[after].time - views[place].time
            seconds = round(seconds, 6)
            if seconds <= gap:
                found[place] = seconds
    return found


def _lines(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Lines that aren't empty, and whether they have an end."""
    parts = data.split(b"\n")
    for place, line in enumerate(parts):
        if line.endswith(b"\r"):
            line = line[:-1]
        while line.startswith(b"\0") and line.strip(b"\0"):
            line = line[1:]
        if line:
            yield line, place < len(parts) - 1


def _kind(asked: Asked, keep_bots: bool, user: str, site: str | None) -> str | View:
    """What a request is: a view, or why it is none; the first reason of all."""
    time = seconds_of(asked.time)
    if time is None:
        return "an unreadable time"
    if site is not None and re.sub(r":\d+$", "", _name(asked.site).lower()) != site:
        return "not asked for"
    if _name(asked.user).strip() in ("", "-"):
        return "no user"
    path = asked.page
    if not re.fullmatch("[A-Za-z_-]+", asked.method) or not _name(path).strip():
        return "no request"
    if asked.method != "GET":
        return "other methods"
    status = int(asked.status) if re.fullmatch("[0-9]{3}", asked.status) else -1
    if not (200 <= status <= 299 or status == 304):
        if 400 <= status <= 599:
            return "errors"
        return "redirects" if 300 <= status <= 399 else "other statuses"
    if path.lower().endswith(ASSETS):
        return "assets"
    if not keep_bots and is_bot(_name(asked.agent)):
        return "bots"
    name = f"{asked.user} {asked.agent}" if user == "ip+agent" else asked.user
    return View(_name(name), _name(path), time)


@cache
def is_bot(agent: str) -> bool:
    """Whether a program is a bot, by the package that knows them."""
    return bool(is_crawler(agent))


def _name(text: str) -> str:
    """Text that was taken for Latin-1, in UTF-8 if it is that."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def _quoted(text: str, start: int) -> tuple[str, int] | None:
    """What is in quotation marks from *start* on, and where it ends; None if open."""
    if text[start : start + 1] != '"':
        return None
    place = start + 1
    while place < len(text):
        if text[place] == '"':
            return text[start + 1 : place], place + 1
        place += 2 if text[place] == "\\" else 1
    return None


def _plain(text: str) -> str:
    """A text without the backslashes of quotation marks and of backslashes."""
    found = ""
    place = 0
    while place < len(text):
        if text[place] == "\\" and text[place + 1] in '"\\':
            place += 1
        found += text[place]
        place += 1
    return found


def _common(text: str) -> Asked | None:
    """A line of the Common or Combined Log Format."""
    start = text.find('"')
    before, asked = text[:start], _quoted(text, start)
    if start < 0 or not before.endswith("] ") or not asked:
        return None
    front, bracket, time = before[:-2].rpartition("[")
    if not bracket or "]" in time or len(front) < 2 or not front.endswith(" "):
        return None
    answer = re.match(' ([0-9]{3}|-) ([^ "]+)', text[asked[1] :])
    who = _who(front[:-1])
    if not answer or not who:
        return None
    agent = _agent(text, asked[1] + answer.end())
    if agent is None:
        return None
    method, page = _request(_plain(asked[0]))
    return Asked(who[0], time, method, page, answer[1], agent, who[1])


def _agent(text: str, place: int) -> str | None:
    """The program, from behind the size on; None if the line isn't of this form."""
    if place == len(text):
        return ""
    if text[place] != " ":
        return None
    if '"' not in text[place:]:
        return ""
    referer = _quoted(text, place + 1)
    agent = _quoted(text, referer[1] + 1) if referer else None
    if not referer or not agent or text[referer[1]] != " ":
        return None
    place = agent[1]
    if place < len(text) and text[place] != " ":
        return None
    while (place := text.find('"', place)) >= 0:
        more = _quoted(text, place)
        if not more:
            return None
        place = more[1]
    return _plain(agent[0])


def _who(front: str) -> tuple[str, str] | None:
    """The client, and the site in front of it."""
    words = front.split(" ")
    if len(words) < 3:
        return None
    place = 0
    if len(words) > 3:
        dashes = [n for n in range(1, len(words)) if words[n] == "-"]
        place = dashes[0] - 1 if dashes else 0
    while place > 0 and words[place - 1].endswith(","):
        place -= 1
    return words[place].rstrip(","), words[0] if place == 1 else ""


def _request(request: str) -> tuple[str, str]:
    method, _, target = request.partition(" ")
    found = re.fullmatch(r"(.*) HTTP/[0-9](\.[0-9])?", target, re.DOTALL)
    return method, (found[1] if found else target).split("?")[0]


def _balancer(text: str) -> Asked | None:
    """A line of an AWS load balancer: words, some of which are quoted."""
    words: list[str] = []
    place = len(found[0]) if (found := re.match("(https?|h2|grpcs|wss?) ", text)) else 0
    for number in range(13):
        end = text.find(" ", place)
        word = _quoted(text, place) if number > 10 else (text[place:end], end)
        if not word or word[1] < 0:
            return None
        if number <= 10 and not re.fullmatch(r"\S+", word[0], re.ASCII):
            return None
        words.append(word[0])
        place = word[1] + 1
        if text[word[1] : place] != " " and (number < 12 or word[1] < len(text)):
            return None
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", words[0]):
        return None
    if not re.fullmatch("[0-9]{3}|-", words[7]):
        return None
    method, page = _request(words[11])
    site = ""
    if "://" in page:
        rest = page.partition("://")[2]
        site, slash, path = rest.partition("/")
        page = slash + path or "/"
    client = re.sub(":[0-9]+$", "", words[2]).strip("[]")
    return Asked(client, words[0], method, page, words[7], words[12], site)


def _json(line: bytes) -> Asked | None:
    """A JSON object of nginx, or of Caddy, or of Docker."""
    try:
        found: Any = json.loads(line) if line.startswith(b"{") else None
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    if isinstance(found.get("log"), str):
        return _common(found["log"].rstrip("\r\n").encode().decode("latin-1"))
    inner = found["request"] if isinstance(found.get("request"), dict) else found
    names = ("remote_addr", "remote_ip"), ("uri",), ("method",)
    values = [next((inner[n] for n in each if n in inner), None) for each in names]
    time = next((found[n] for n in ("ts", "time") if n in found), None)
    if None in (*values, time, found.get("status")):
        return None
    agent = inner.get("headers", {}).get("User-Agent", [found.get("agent", "")])[0]
    client, uri, method = map(_latin, values)
    site = _latin(inner.get("host", ""))
    page = uri.split("?")[0]
    status = _latin(found["status"])
    return Asked(client, _latin(time), method, page, status, _latin(agent), site)


def _latin(value: Any) -> str:
    return str(value).encode().decode("latin-1")


def _extended(text: str, names: Sequence[str], day: str) -> Asked | None:
    """A line of a W3C log."""
    values = text.split("\t" if "\t" in text else " ")
    if len(values) != len(names):
        return None
    of: dict[str, str] = {}
    for name, value in zip(names, values, strict=True):
        of.setdefault(re.sub("[^a-z0-9]", "", name.lower()), value)
    if not {"time", "cip", "csmethod", "csuristem", "scstatus"} <= of.keys():
        return None
    time = f"{of.get('date', day)} {of['time']}"
    if not re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}", time):
        return None
    agent = of.get("csuseragent", "").replace("+", " ")
    if "%20" in agent:
        agent = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), agent)
    page, status = of["csuristem"].split("?")[0], of["scstatus"]
    site = of.get("cshost", "")
    found = re.fullmatch(r"([0-9]+(?:[.][0-9]+){3}|\[.+\]):[0-9]+", of["cip"])
    client = found[1].strip("[]") if found else of["cip"]
    return Asked(client, time, of["csmethod"], page, status, agent, site)


def _row(text: str, names: Sequence[str]) -> Asked | None:
    """A row of a table of requests, whose last fields may be missing."""
    values = text.split("\t")
    if '"' in text:
        try:
            values = next(csv.reader([text], delimiter="\t", strict=True))
        except csv.Error:
            return None
    if len(values) > len(names):
        return None
    of = dict(zip(names, values, strict=False))
    needed = [of.get(name) for name in ("host", "time", "method", "url", "response")]
    if any(value is None for value in needed):
        return None
    user, time, method, target, status = (value or "" for value in needed)
    page = target.split("?")[0]
    return Asked(user, time, method, page, status, of.get("useragent", ""))


def seconds_of(text: str) -> float | None:
    """Seconds since 1970 of a time as servers write it; None for what is none."""
    text = text.strip()
    if re.fullmatch("[0-9]{9,10}([.][0-9]+)?", text):
        return round(float(text), 6)
    ahead = ""
    if re.fullmatch("[0-9]{2}/[A-Za-z]{3}/[0-9]{4}:[0-9:]{8}( [+-][0-9]{4})?", text):
        text, _, ahead = text.partition(" ")
        day, clock, pattern = text[:11], text[12:], "%d/%b/%Y"
    elif found := re.fullmatch("([0-9-]{10})[ T]([0-9:]{7,8})([.][0-9]+)?Z?", text):
        day, clock, pattern = found[1], found[2].zfill(8), "%Y-%m-%d"
        if found[3]:
            whole = seconds_of(f"{day} {clock}")
            # The day has ended at 24:00.
            is_none = whole is None or (clock == "24:00:00" and float(found[3]))
            return None if is_none else (whole or 0) + round(float(found[3]), 6)
    else:
        return None
    try:
        midnight = datetime.strptime(day, pattern).replace(tzinfo=UTC)
    except ValueError:
        return None
    seconds = seconds_of_clock(clock)
    hours, minutes = int(ahead[1:3] or 0), int(ahead[3:] or 0)
    if seconds is None or hours > 23 or minutes > 59:
        return None
    zone = timedelta(hours=hours, minutes=minutes) * (-1 if ahead[:1] == "-" else 1)
    return (midnight - EPOCH - zone).total_seconds() + seconds


def seconds_of_clock(clock: str) -> int | None:
    """Seconds since midnight; those that are put in, and 24:00, are some, too."""
    found = re.fullmatch("([0-9]{2}):([0-9]{2}):([0-9]{2})", clock)
    if not found:
        return None
    hour, minute, second = map(int, found.groups())
    if clock == "24:00:00":
        return 86_400
    inside = hour < 24 and minute < 60 and second <= 60
    return hour * 3_600 + minute * 60 + second if inside else None
