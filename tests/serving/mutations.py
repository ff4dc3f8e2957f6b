"""Requests that the page sends, and what else might come in their place."""

import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

CALL: Final = "/_dash-update-component"
HOST: Final = "127.0.0.1"
JSON: Final = {"Content-Type": "application/json"}

_DEEP: Final = "\0deep"
"""Stands for nested lists, of which Python reads more than it prints."""

_TEXTS: Final = (
    *("", " ", "0", "-1", "1e999", "nan", "ann", "nobody", "__proto__", "constructor"),
    *(
        "<script>alert(1)</script>",
        "'; DROP TABLE users; --",
        "=1+1",
        "%00",
        "%",
        "%zz",
    ),
    *(
        "a" * 3_000,
        "\0",
        "\r\nX-Forged: 1",
        "\x1b[31m",
        "\ud800",
        "\u202e",
        "é",
        "日本",
    ),
    *("😀" * 40, "../../etc/passwd", "{{7*7}}", "${jndi:x}", "average", "log", "home"),
    *("2024-02-29", "2024-02-30", "0000-00-00", "9999-12-31", "10000-01-01"),
    *("-0001-01-01", "2024-03-01T00:00:00+99:99", "2024-W05", "1_0", "１２"),
)
_VALUES: Final[Sequence[Any]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**64), 10**400),
    *(0.1, -0.0, 1e308, 5e-324, float("nan"), float("inf"), -float("inf")),
    *([], {}, [None], [[]], [{}], {"a": 1}, {"__proto__": {"x": 1}}, {"": None}),
    *(["ann", "bob"], ["home"] * 300, [2024, 2, 30], {"points": [{"x": 1}]}, _DEEP),
)
_KEYS: Final = (
    *("user", "from", "to", "page", "min", "max", "stat", "scale", "timeline", "table"),
    *("order", "rows", "match", "folder", "sort", "find", "sheet", "for", "x", ""),
)
_METHODS: Final = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"),
    *("PROPFIND", "get", "X"),
)
_HEADERS: Final[Mapping[str, Sequence[str]]] = {
    "Host": ("evil.example", "", "127.0.0.1:x", "[::1", "localhost", "a" * 300, "é"),
    "Accept-Encoding": ("gzip", "br, zstd", "*;q=0", "identity;q=0", "gzip;q=x", ","),
    "Content-Type": ("", "text/plain", "application/json; charset=x", "a/b; a*0=x"),
    "Cookie": ("a=b", "session=" + "x" * 2_000, "=;=;", '__proto__="\\', "é=\xff"),
    "If-None-Match": ("*", '"x"', 'W/"', "é"),
    "If-Modified-Since": ("x", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 99 Foo -1"),
    "Range": ("bytes=0-0", "bytes=-5", "bytes=9-1", "bytes=0-9" + ",0-9" * 9, "x=1"),
    "If-Range": ('"x"', "x"),
    "Origin": ("null", "http://evil.example", "://", "http://[::1"),
    "Sec-Fetch-Site": ("same-origin", "cross-site", ""),
    "Referer": ("http://[", "\xff"),
    "X-Forwarded-For": ("1.1.1.1", "x" * 500, "::1, ::1"),
    "X-Forwarded-Host": ("evil.example",),
    "X-Forwarded-Prefix": ("/x", "//evil.example", "\xff"),
    "X-Forwarded-Proto": ("https", "javascript"),
    "X-Forwarded-User": ("root",),
    "Authorization": ("Basic eDp4", "Basic \xff", "Bearer x"),
    "Accept-Language": ("de", "x-" * 200),
    "User-Agent": ("", "\x1b[31m", "%s%n{}"),
    "X-Request-Id": ("1", 'x" y', "x" * 300),
}
_PARTS: Final = (
    *("..", ".", "", "%2e%2e", "\xff", "\0", "\r\n", "assets", "data", "upload"),
    *("numbers", "sessions.csv", "é", "x" * 500, "dash", "_dash-layout", "health"),
    *("login", "metrics", "-1", "9" * 40, "check", "show", "\x1b[31m", "{", "%0a"),
)


@dataclass(frozen=True)
class Request:
    """A request; its path, query and headers are text of which a letter is a byte."""

    path: str
    query: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def environ(self, errors: io.StringIO) -> dict[str, Any]:
        """What a WSGI server hands on; *errors* is what the application writes to."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": HOST,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": HOST,
            "HTTP_HOST": HOST,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": errors,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.body:
            environ["CONTENT_LENGTH"] = str(len(self.body))
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            bare = key in ("CONTENT_TYPE", "CONTENT_LENGTH")
            environ[key if bare else f"HTTP_{key}"] = value
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            # As waitress hands it on: read to its end.
            environ["wsgi.input_terminated"] = True
            environ.pop("CONTENT_LENGTH", None)
        return environ

    def sent(self, *, close: bool = False) -> bytes:
        """The bytes on the wire, of which the frame is right whatever is in it."""
        path = quoted(self.path) or "/"
        target = f"{path}?{quoted(self.query)}" if self.query else path
        headers = {"Host": HOST, **self.headers}
        headers["Connection"] = "close" if close else "keep-alive"
        body = self.body
        if "chunked" in headers.get("Transfer-Encoding", ""):
            pieces = [body[at : at + 700] for at in range(0, len(body), 700)]
            chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
            body = b"".join([*chunks, b"0\r\n\r\n"])
            headers.pop("Content-Length", None)
        else:
            headers["Content-Length"] = str(len(body))
        lines = [f"{self.method} {target} HTTP/1.1"]
        lines += [f"{name}: {_printed(value)}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def quoted(text: str) -> str:
    """Text of an address, without what would end the line that it is in."""
    return "".join(c if "!" <= c <= "~" else f"%{ord(c) & 255:02x}" for c in text)


def _printed(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")


def valid_requests(get: Callable[[str], bytes], user: str, page: str) -> list[Request]:
    """One of each kind of request of a page; *get* answers a path."""
    query = f"user={user}&from=2024-01-01&to=2024-12-01&page={page}&min=1&stat=median"
    paths = ("/", "/_dash-layout", "/_dash-dependencies", "/assets/style.css")
    files = ("/sessions.csv", "/numbers/durations.csv", "/view.html")
    found = [*(Request(path) for path in paths), *(Request(p, query) for p in files)]
    for spec in json.loads(get("/_dash-dependencies")):
        if spec["clientside_function"] is None:
            body = json.dumps(_call(spec, f"?{query}")).encode()
            found.append(Request(CALL, method="POST", headers=JSON, body=body))
    return found


def _call(spec: Mapping[str, Any], search: str) -> dict[str, Any]:
    """What the page sends where the address changes to *search*."""
    several = spec["output"].startswith("..")
    outputs = []
    for name in spec["output"].strip(".").split("..."):
        id_, _, property_ = name.rpartition(".")
        outputs.append({"id": id_, "property": property_})
    inputs = [{**each} for each in spec["inputs"]]
    for each in inputs:
        if each["property"] == "search":
            each["value"] = search
    return {
        "output": spec["output"],
        "outputs": outputs if several else outputs[0],
        "inputs": inputs,
        "state": spec["state"],
        "changedPropIds": [f"{inputs[0]['id']}.{inputs[0]['property']}"],
    }


UPLOADING: Final = tuple(
    Request(path, method=method, body=body, headers={**JSON, **more})
    for more in ({"Sec-Fetch-Site": "same-origin"}, {})
    for method, path, body in (
        ("POST", "/upload", b'{"name": "a.csv", "size": 999999999999}'),
        ("POST", "/upload/x/check", b'{"user": "a", "visit_gap": 5, "decimal": "."}'),
        ("POST", "/upload/x/show", b'{"check": 1, "from": "x"}'),
        ("POST", "/upload/x/0", b"user_id,page"),
        ("GET", "/upload/x/check/1", b""),
        ("DELETE", "/upload/x", b""),
        ("GET", "/data/x/", b""),
    )
)
"""Requests about files, none of which begins one that would be held."""


def mutated(valid: Sequence[Request], number: int) -> Request:
    """A request of which something is another; the same for the same number.

    A third of them are calls of callbacks. A saved view costs as much as four of these,
    and there are fewer.
    """
    chance = random.Random(number)
    calls = [request for request in valid if request.path == CALL]
    others = [request for request in valid if request.path != CALL]
    request = chance.choice(calls if chance.random() < 0.35 else others)
    if request.path == "/view.html" and chance.random() < 0.7:
        request = replace(request, path="/numbers/hours.csv")
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        request = _mutated_once(request, chance)
    return request


def _mutated_once(request: Request, chance: random.Random) -> Request:
    where = chance.random()
    if request.body and where < 0.6:
        return replace(request, body=_mutated_body(request.body, chance))
    if where < 0.75:
        return replace(request, query=_mutated_query(request.query, chance))
    if where < 0.85:
        return replace(request, path=_mutated_path(request.path, chance))
    if where < 0.95:
        name = chance.choice(list(_HEADERS))
        value = chance.choice(_HEADERS[name])
        return replace(request, headers={**request.headers, name: value})
    if where < 0.97:
        headers = {**request.headers, "Transfer-Encoding": "chunked"}
        return replace(request, headers=headers)
    return replace(request, method=chance.choice(_METHODS))


def _mutated_body(body: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.15:
        return mangled(body, chance)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return mangled(body, chance)
    value = _mutated_json(value, chance)
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    depth = chance.randrange(5, 1_000)
    text = text.replace(json.dumps(_DEEP), "[" * depth + "]" * depth)
    return text.encode(errors="surrogatepass")


def _mutated_json(value: Any, chance: random.Random) -> Any:
    """Something else somewhere in it: mostly in what the callback is told."""
    if isinstance(value, dict):
        told = [
            each
            for part in ("inputs", "state")
            for each in _listed(value.get(part))
            if isinstance(each, dict)
        ]
        if told and chance.random() < 0.8:
            each = chance.choice(told)
            before = each.get("value")
            each["value"] = _strange(before, chance)
            if chance.random() < 0.5:
                # As if this were what has changed.
                value["changedPropIds"] = [f"{each.get('id')}.{each.get('property')}"]
            return value
    if isinstance(value, dict | list) and value and chance.random() < 0.9:
        key: Any = chance.choice(
            list(value) if isinstance(value, dict) else [*range(len(value))]
        )
        if chance.random() < 0.1:
            del value[key]
        elif isinstance(value, dict) and chance.random() < 0.1:
            value[chance.choice(_TEXTS)] = value.pop(key)
        else:
            value[key] = _mutated_json(value[key], chance)
        return value
    return _strange(value, chance)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _strange(value: Any, chance: random.Random) -> Any:
    which = chance.random()
    if isinstance(value, str) and value.startswith("?") and which < 0.7:
        return f"?{_mutated_query(value[1:], chance)}"
    if which < 0.5:
        return chance.choice(_TEXTS)
    if isinstance(value, list) and which < 0.6:
        return [*value, chance.choice(_VALUES)]
    if which < 0.7:
        return [chance.choice(_TEXTS), chance.choice(_TEXTS)]
    return chance.choice(_VALUES)


def _mutated_query(query: str, chance: random.Random) -> str:
    parts = query.split("&")
    at = chance.randrange(len(parts))
    key, mark, value = parts[at].partition("=")
    which = chance.random()
    if which < 0.4:
        parts[at] = f"{key}={chance.choice(_TEXTS)}"
    elif which < 0.6:
        parts.append(f"{chance.choice(_KEYS)}={chance.choice(_TEXTS)}")
    elif which < 0.7:
        parts[at] = f"{chance.choice(_KEYS)}{mark}{value}"
    elif which < 0.8:
        parts = parts * chance.choice((2, 40))
    elif which < 0.9:
        del parts[at]
    else:
        parts[at] = mangled(parts[at].encode("utf-8", "replace"), chance).decode(
            "latin-1"
        )
    # As a server hands it on.
    return "&".join(parts).encode("utf-8", "surrogatepass").decode("latin-1")


def _mutated_path(path: str, chance: random.Random) -> str:
    parts = path.split("/")
    at = chance.randrange(len(parts))
    which = chance.random()
    if which < 0.4:
        parts[at] = chance.choice(_PARTS)
    elif which < 0.8:
        parts.insert(at, chance.choice(_PARTS))
    else:
        parts[at] = mangled(parts[at].encode("latin-1", "replace"), chance).decode(
            "latin-1"
        )
    return "/".join(parts).encode("utf-8").decode("latin-1")


def mangled(data: bytes, chance: random.Random) -> bytes:
    """The bytes with some changed, left out, doubled, or others among them."""
    at = chance.randrange(len(data) + 1)
    to = min(len(data), at + chance.choice((1, 1, 2, 8, 100)))
    junk = chance.choice(
        (
            b"",
            b"\0",
            b"\r\n",
            b"\xff",
            b" ",
            b"\n",
            b"\t",
            chance.randbytes(9),
            b"[" * 50,
        )
    )
    which = chance.random()
    if which < 0.5:
        return data[:at] + junk + data[to:]
    if which < 0.8:
        return data[:at] + junk + data[at:]
    return data[:at] + data[at:to] * 2 + data[to:] if which < 0.9 else data[:at]
