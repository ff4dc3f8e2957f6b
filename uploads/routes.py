"""How the browser sends files, asks what is understood of them, and has them shown."""

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any, Final
from urllib.parse import urlsplit

from dash import Dash
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as WSGIResponse

from engine.model import Engine
from layout import BackLink, Uploading
from security import MAX_BODY
from sources import Origin
from uploads.fields import read_options, read_zone
from uploads.pending import Arrange, PendingFiles, Refused
from uploads.settings import Settings
from uploads.shown import FOLDER, Assemble, Front, Making, ShownFile, ShownFiles, Way

SLICE: Final = MAX_BODY
"""Bytes of the largest slice of a file: as many as any request may have."""

_LONGEST_NAME: Final = 255
_LARGEST: Final = 1 << 63
_LAST_WORDS: Final = (
    "No file is held here any more: one that is dropped lives as long as the program."
)


class Held:
    """The files that are held: they outlive the application that took them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pending = PendingFiles(settings)
        self.shown = ShownFiles(settings)


def register(
    app: Dash,
    origin: Origin,
    held: Held,
    arrange: Arrange,
    assemble: Callable[[Engine, Origin, str, Uploading], Dash],
) -> None:
    """Have *app*, whose sessions are from *origin*, take files and show them.

    *held* may have some already, of an application that *app* stands in for. *assemble*
    makes the application of a file; see ``shown.Assemble``. Call this before
    ``security.protect``, which guards the routes as it does all others.
    """
    server: Flask = app.server
    routes, root = (
        app.config.routes_pathname_prefix,
        app.config.requests_pathname_prefix,
    )

    def assembled(
        engine: Engine, origin: Origin, address: str, uploading: Uploading
    ) -> Any:
        return assemble(engine, origin, address, uploading).server

    make: Assemble = assembled
    making = Making(arrange, make)
    _Routes(held, making, origin, root).add(server, f"{routes}upload")
    _answer_lost(server, held.shown, routes, root)
    front = Front(server.wsgi_app, f"{routes}{FOLDER}", held.shown, making)
    setattr(server, "wsgi_app", front)  # noqa: B010


class _Routes:
    """The requests of ``assets/upload.js``."""

    def __init__(self, held: Held, making: Making, origin: Origin, root: str) -> None:
        self._pending, self._shown = held.pending, held.shown
        self._settings = held.settings
        self._making = making
        self._origin, self._root = origin, root

    def add(self, server: Flask, path: str) -> None:
        """Add the routes below *path*."""
        file = f"{path}/<token>"
        for rule, method, view in (
            (path, "POST", self._begin),
            (f"{file}/<int:offset>", "POST", self._append),
            (f"{file}/check", "POST", self._check),
            (f"{file}/check/<int:number>", "GET", self._state),
            (f"{file}/show", "POST", self._show),
            (file, "DELETE", self._forget),
        ):
            name = f"upload{view.__name__}"
            server.add_url_rule(rule, name, _guarded(view), methods=[method])

    def _begin(self) -> Response:
        body = _body()
        name, size = body.get("name"), body.get("size")
        if (
            not isinstance(name, str)
            or type(size) is not int
            or not 0 <= size <= _LARGEST
        ):
            raise BadRequest("a file has a name and a size")
        # JSON can hold half a letter, which no page can.
        name = name.encode(errors="replace").decode()[:_LONGEST_NAME] or "A file"
        token = self._pending.begin(name, size, self._shown.n_bytes)
        return jsonify(file=token, slice=SLICE)

    def _append(self, token: str, offset: int) -> Response:
        if request.mimetype != "application/octet-stream":
            raise BadRequest("a slice of a file is application/octet-stream")
        file = self._pending.get(token)
        return jsonify(next=file.append(offset, request.get_data(cache=False)))

    def _check(self, token: str) -> Response:
        body = _body()
        try:
            zone = read_zone(body.pop("shown_in", None))
            options = read_options(body)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        arrange = self._making.arrange
        return jsonify(check=self._pending.check(token, options, zone, arrange))

    def _state(self, token: str, number: int) -> Response:
        check = self._pending.get(token).check
        if check is None or check.number != number:
            raise Refused(409, "another check was begun")
        return jsonify(check.state())

    def _show(self, token: str) -> Response:
        body = _body()
        file = self._pending.get(token)
        number = body.get("check")
        checked = file.take(number if type(number) is int else 0)
        before = self._shown.get(body.get("from"))
        held = self._pending.n_bytes - file.size
        way = partial(self._way, before=before)
        shown = self._shown.show(checked, way, held, self._making)
        del checked, file
        self._pending.forget(token)
        return jsonify(address=shown.address)

    def _forget(self, token: str) -> Response:
        self._pending.forget(token)
        return Response(status=204)

    def _way(self, token: str, before: ShownFile | None) -> Way:
        """What the page of a file is made of that was dropped on that of *before*."""
        simulated = "the simulated data" if self._origin.is_simulated else None
        back = [BackLink(f"Back to {simulated or self._origin.name}", self._root)]
        if before is not None:
            back.insert(0, BackLink(f"Back to {before.name}", before.address))
        where = Uploading(
            self._root,
            is_local=self._settings.is_local,
            most_bytes=self._settings.file_bytes,
            token=token,
            back=tuple(back),
        )
        return Way(f"{self._root}{FOLDER}{token}/", where)


class _Refusal(HTTPException):
    """An upload can't go on."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(str(refused))
        self.code = refused.status


def _guarded(view: Callable[..., Response]) -> Callable[..., Response]:
    """A view for this page alone, whose refusals are answers."""

    def guarded(**arguments: Any) -> Response:
        if request.method not in ("GET", "HEAD"):
            _check_site()
        try:
            return view(**arguments)
        except Refused as refused:
            raise _Refusal(refused) from None

    return guarded


def _check_site() -> None:
    """Refuse what another site has the browser send.

    Browsers say where a request comes from: by Sec-Fetch-Site where the connection is
    safe or stays on the machine, else by Origin.
    """
    site = request.headers.get("Sec-Fetch-Site")
    try:
        origin = urlsplit(request.headers.get("Origin", "")).netloc.lower()
    except ValueError:
        origin = ""
    is_ours = bool(origin) and origin == request.host.lower()
    if site != "same-origin" if site is not None else not is_ours:
        raise Forbidden("files are taken from this page alone")


def _body() -> dict[str, Any]:
    """The JSON object of a request; its type is one that no form has."""
    try:
        body = request.get_json()
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    if not isinstance(body, dict):
        raise BadRequest("the body is no object")
    return body


def _answer_lost(server: Flask, shown: ShownFiles, routes: str, root: str) -> None:
    """Answer what is asked of files that aren't held."""
    methods = ["GET", "POST"]

    @server.route(f"{routes}{FOLDER}<token>", methods=["GET"])
    def without_slash(token: str) -> WSGIResponse:
        file = shown.get(token)
        query = request.query_string.decode("latin-1")
        view = f"?{query}" if query else ""
        return redirect(f"{file.address}{view}", 308) if file else lost(token, "")

    @server.route(f"{routes}{FOLDER}<token>/", methods=methods, defaults={"rest": ""})
    @server.route(f"{routes}{FOLDER}<token>/<path:rest>", methods=methods)
    def lost(token: str, rest: str) -> Response:
        if rest:
            words = f"{_LAST_WORDS} Open the first page, and drop it again"
            return Response(words, 410, content_type="text/plain; charset=utf-8")
        link = f'<a href="{escape(root)}">Open the first page</a>'
        return Response(
            '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            '<meta name="color-scheme" content="light dark">'
            "<title>Not held any more</title>"
            '<body style="font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; '
            'max-width: 40rem; padding: 0 1rem">'
            f"<h1>Not held any more</h1><p>{_LAST_WORDS}</p>"
            f"<p>{link}, and drop it again.</p></body></html>",
            410,
        )
