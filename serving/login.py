"""Who may look: people with a password, or those whom a trusted proxy names.

Each is a WSGI application around another, which answers no one else.
"""

import re
import secrets
import time
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from html import escape
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from serving.answers import reply
from serving.attempts import Attempts
from serving.passwords import PasswordFile, is_right, normal
from serving.proxy import TRUSTED
from serving.sessions import SECONDS, Sessions
from serving.settings import Settings
from serving.sign_in import POLICY, form_page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SIGN_IN: Final = "login"
SIGN_OUT: Final = "logout"
"""Paths below the first page: the form, and the way out."""

_NAME: Final = "serving.signed_in_as"
_ROOT: Final = "serving.root"
_LARGEST_FORM: Final = 8_192
_LONGEST_NEXT: Final = 3_000
"""Characters of an address in a redirect; proxies refuse answers with long headers."""

_MOST_WAITING: Final = 3
"""Sign-ins that wait for their check, or are checked: each holds a thread."""

_REMEMBERED_SECONDS: Final = 300
_MOST_REMEMBERED: Final = 100

_SIGNED_OUT: Final = "You are signed out. Please sign in again."
_EVERYONES: Final = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "authorization"),
        *("connection", "content-length", "content-type", "cookie", "host", "origin"),
        *("forwarded", "referer", "user-agent", "via", "x-forwarded-for"),
        *("x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix"),
        *("x-forwarded-proto", "x-real-ip", "x-request-id"),
    }
)
"""Headers that anyone sends, or that proxies add whoever it is."""


def with_login(application: "WSGIApplication", settings: Settings) -> "WSGIApplication":
    """*application* as *settings* have it: behind a login, a proxy's, or none.

    Raises CannotServe where the file of passwords can't be used.
    """
    if settings.password_file is not None:
        path, root = settings.password_file, settings.url_prefix
        return Login(application, path, root, f"session-{settings.port}")
    if settings.auth_header is not None:
        return ProxyLogin(application, settings.auth_header)
    return application


def check_header(name: str) -> str:
    """Refuse, by a ValueError, what can't be a header that names a person."""
    if not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", name):
        raise ValueError(f"{name!r:.80} is not the name of a header")
    if name.lower() in _EVERYONES or name.lower().startswith(("accept-", "sec-")):
        raise ValueError(f"{name} says nothing of who looks: such as X-Forwarded-User")
    return name


def signed_in_meta(environ: Mapping[str, object]) -> str:
    """What a page's head says of who has signed in, for assets/signed_in.js, as HTML.

    *environ* is that of the request for the page. It is empty where nobody has.
    """
    if _NAME not in environ:
        return ""
    name, root = escape(str(environ[_NAME])), escape(str(environ[_ROOT]))
    return f'<meta name="signed-in" content="{name}" data-root="{root}">'


class ProxyLogin:
    """Answers those whom a trusted proxy names in a header."""

    def __init__(self, application: "WSGIApplication", header: str) -> None:
        self._application = application
        self._key = f"HTTP_{header.upper().replace('-', '_')}"
        self._header = header

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        if not environ.get(TRUSTED):
            refusal = _line(403, "Please come by the proxy, which says who you are.")
        elif not environ.get(self._key, "").strip():
            refusal = _line(401, f"The proxy didn't say who you are in {self._header}.")
        else:
            return self._application(environ, start_response)
        return refusal(environ, start_response)


class _Request(Request):
    max_content_length = _LARGEST_FORM
    max_form_memory_size = _LARGEST_FORM


class _Refused(Exception):
    """The request is answered with *answer*."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class _Verdict(NamedTuple):
    """What becomes of a name and a password."""

    status: int = 200
    wait: int = 0
    """Seconds after which to try again."""
    name: str = ""
    hash: str = ""
    """The hash that the password was held against."""

    @property
    def words(self) -> str:
        """What is wrong, for a person."""
        if self.status == 429:
            return f"Too many failed attempts. Please try again in {self.wait} s."
        if self.status == 503:
            return "Many people are signing in just now. Please try again in a moment."
        return "This name and password don't match."


class Login:
    """Answers those who have signed in with a password, and shows others the form.

    A session is in a cookie, signed with a secret that is made at the start and is
    nowhere else: processes forked from this one know it, and when the program is
    started again, everyone signs in again. ``Authorization: Basic`` does as well.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        passwords: Path,
        root: str = "/",
        cookie: str = "session",
    ) -> None:
        """*root* is the path at which browsers reach the first page.

        Raises CannotServe where the file of passwords can't be used.
        """
        self._application = application
        self._root, self._cookie = root, cookie
        self._key = secrets.token_bytes(32)
        self._passwords = PasswordFile(passwords)
        self._sessions = Sessions(self._key)
        self._attempts = Attempts(self._key)
        # One at a time: each takes 32 MB.
        self._checking, self._waiting = Lock(), BoundedSemaphore(_MOST_WAITING)
        self._remembered: dict[bytes, tuple[float, str, str]] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        request = _Request(environ)
        try:
            answer = self._own_answer(request)
        except HTTPException as error:
            answer = _line(error.code or 400, f"{error.name}.")
        except _Refused as error:
            answer = error.answer
        return (answer or self._application)(environ, start_response)

    def _own_answer(self, request: _Request) -> Response | None:
        """What is answered here; None for what goes on to the application."""
        path = self._below(request)
        if path == SIGN_OUT:
            return self._sign_out(request)
        if path == SIGN_IN and request.method == "POST":
            return self._sign_in(request)
        name = self._name(request)
        if path == SIGN_IN:
            if request.method not in ("GET", "HEAD"):
                return _line(405, "This is for GET and POST.")
            return self._see_other(self._next(request)) if name else _page(form_page())
        if name is None:
            return self._refuse(request, path)
        request.environ[_NAME], request.environ[_ROOT] = name, self._root
        return None

    def _below(self, request: _Request) -> str:
        """The path below the first page, whether or not a proxy has cut its prefix."""
        whole = request.root_path + request.path
        for path in (whole, request.path):
            if path.startswith(self._root):
                return path.removeprefix(self._root)
        return request.path.lstrip("/")

    def _name(self, request: _Request) -> str | None:
        """Who has signed in; None for nobody. Raises _Refused for a wrong ``Basic``."""
        found = self._sessions.read(request.cookies.get(self._cookie_of(request), ""))
        if found is not None:
            name, mark = found
            hash_ = self._passwords.hash_of(name)
            if hash_ is not None and self._sessions.is_of(mark, hash_):
                return name
        return self._basic_name(request)

    def _basic_name(self, request: _Request) -> str | None:
        """Who is named by ``Authorization: Basic``, which is remembered for a while."""
        try:
            said = request.authorization
        except ValueError:
            # Letters that aren't ASCII, which Werkzeug doesn't expect.
            said = None
        if said is None or said.type != "basic":
            return None
        header = request.headers["Authorization"].encode(errors="replace")
        digest = blake2b(header, key=self._key).digest()
        until, name, hash_ = self._remembered.get(digest, (0.0, "", ""))
        if time.monotonic() < until and self._passwords.hash_of(name) == hash_:
            return name
        verdict = self._verdict(request, said.username or "", said.password or "")
        if verdict.status != 200:
            raise _Refused(_waiting(_line(verdict.status, verdict.words), verdict))
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        until = time.monotonic() + _REMEMBERED_SECONDS
        self._remembered[digest] = (until, verdict.name, verdict.hash)
        return verdict.name

    def _verdict(self, request: _Request, name: str, password: str) -> _Verdict:
        name, address = normal(name.strip()), request.remote_addr or ""
        wait = self._attempts.take(name, address)
        if wait:
            return _Verdict(429, wait)
        if not self._waiting.acquire(blocking=False):
            self._attempts.give_back(name, address)
            return _Verdict(503, 1)
        try:
            with self._checking:
                hash_ = self._passwords.hash_of(name)
                right = is_right(password, hash_)
        finally:
            self._waiting.release()
        if hash_ is None or not right:
            return _Verdict(401)
        self._attempts.give_back(name, address)
        return _Verdict(name=name, hash=hash_)

    def _sign_in(self, request: _Request) -> Response:
        if not _is_own(request):
            return _line(403, "The form was sent from another site.")
        name = request.form.get("name", "")
        verdict = self._verdict(request, name, request.form.get("password", ""))
        if verdict.status != 200:
            form = _page(form_page(verdict.words, name), verdict.status)
            return _waiting(form, verdict)
        answer = self._see_other(self._next(request))
        answer.set_cookie(
            self._cookie_of(request),
            self._sessions.start(verdict.name, verdict.hash),
            max_age=SECONDS,
            path=self._root,
            secure=request.is_secure,
            httponly=True,
            # A link in a mail or a chat leads to the page, not to the form.
            samesite="Lax",
        )
        return answer

    def _sign_out(self, request: _Request) -> Response:
        if request.method != "POST":
            return _line(405, "This is for POST.")
        if not _is_own(request):
            return _line(403, "The form was sent from another site.")
        cookie = self._cookie_of(request)
        self._sessions.end(request.cookies.get(cookie, ""))
        answer = self._see_other(f"{self._root}{SIGN_IN}")
        answer.delete_cookie(cookie, path=self._root, secure=request.is_secure)
        return answer

    def _cookie_of(self, request: _Request) -> str:
        """The name of the cookie, which over TLS no other host can set.

        It differs by port: browsers send a host's cookies to all its ports.
        """
        if not request.is_secure:
            return self._cookie
        prefix = "__Host-" if self._root == "/" else "__Secure-"
        return f"{prefix}{self._cookie}"

    def _refuse(self, request: _Request, path: str) -> Response:
        """Lead a person who opens a page to the form; say to all else what is missing.

        What has an ending is a file, which must not be the form.
        """
        opens = request.method in ("GET", "HEAD") and "text/html" in str(
            request.accept_mimetypes
        )
        if not opens or "." in path.rpartition("/")[2]:
            return _line(401, _SIGNED_OUT)
        query = quote(request.query_string, safe="%/:?@!$&'()*+,;=~")
        next_ = f"{self._root}{quote(path)}{'?' if query else ''}{query}"
        said = f"?{urlencode({'next': next_})}" if next_ != self._root else ""
        if len(said) > _LONGEST_NEXT:
            said = ""
        return self._see_other(f"{self._root}{SIGN_IN}{said}")

    def _next(self, request: _Request) -> str:
        """Where to go after signing in: to a path below the first page, nowhere else.

        Browsers take a backslash for a slash, and leave out control characters.
        """
        try:
            asked = request.args.get("next", "")
        except UnicodeDecodeError:
            asked = ""
        is_local = re.fullmatch(r"/(?!/)[!-\[\]-~]*", asked)
        return asked if is_local and asked.startswith(self._root) else self._root

    @staticmethod
    def _see_other(address: str) -> Response:
        return reply(303, Location=address)


def _is_own(request: Request) -> bool:
    """Whether a form was sent from a page of this site, or by no browser."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.host
    except ValueError:
        return False


def _page(html: str, status: int = 200) -> Response:
    kind = "text/html; charset=utf-8"
    return reply(status, html, Content_Type=kind, Content_Security_Policy=POLICY)


def _line(status: int, words: str) -> Response:
    return reply(status, f"{words}\n")


def _waiting(answer: Response, verdict: _Verdict) -> Response:
    if verdict.wait:
        answer.headers["Retry-After"] = str(verdict.wait)
    return answer
