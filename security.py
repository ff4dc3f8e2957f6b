"""What the server lets in and out: sizes, headers, and malformed requests."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dash import Dash
from dash.exceptions import DependencyException
from flask import Flask, Response, request
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    NotFound,
    RequestURITooLarge,
    ServiceUnavailable,
)
from werkzeug.wrappers import Response as WSGIResponse

from engine.model import CannotAnswer
from request_notes import loggable_path, notes_of
from view import LONGEST_ADDRESS

MAX_BODY: Final = 1 << 20
"""Bytes of the largest request body; a pick of hundreds of long page names fits."""

_MAX_DEPTH: Final = 16
_LONGEST_WORDS: Final = 300
_NOBODY: Final = "'none'"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

_log = logging.getLogger(__name__)


def protect(app: Dash, embed: Sequence[str] = ()) -> None:
    """Close the doors of *app*; call this when all its callbacks are registered.

    Callbacks with pattern-matching ids are not supported: their requests are refused.
    """
    server: Flask = app.server
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    _check_addresses(app)
    _check_query(server)
    _check_calls(app)
    headers = {**_HEADERS, "Content-Security-Policy": _policy(app, embed)}
    if not embed:
        # For browsers that don't know frame-ancestors; it can't name others.
        headers["X-Frame-Options"] = "DENY"
    _add_headers(server, headers)
    _answer_refusals(server)


def frame_ancestors(embed: Sequence[str]) -> str:
    """The part of a Content-Security-Policy that names who may frame a page.

    *embed* are origins, as ``hosts.parse_origin`` returns them.
    """
    return f"frame-ancestors {' '.join(embed) or _NOBODY}"


def _policy(app: Dash, embed: Sequence[str]) -> str:
    """The Content-Security-Policy, which names each script that Dash writes inline."""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(app.csp_hashes())}",
            # Plotly and React set style attributes, Dash injects style elements.
            "style-src 'self' 'unsafe-inline'",
            # The camera button draws the chart as a data: and a blob: image.
            "img-src 'self' data: blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            frame_ancestors(embed),
        )
    )


def _check_addresses(app: Dash) -> None:
    """Refuse addresses that lead nowhere, for which Dash has the page, or too long."""
    server: Flask = app.server
    page = app.config.requests_pathname_prefix
    unknown = f"{app.config.routes_pathname_prefix}<path:path>"

    @server.before_request
    def check_address() -> None:
        if len(request.query_string) > LONGEST_ADDRESS:
            most = f"{LONGEST_ADDRESS // 1000} kB"
            raise RequestURITooLarge(
                f"this address is longer than {most}; the page is at {page}"
            )
        if request.endpoint == unknown:
            raise NotFound(f"there is nothing here; the page is at {page}")


def _check_query(server: Flask) -> None:
    @server.before_request
    def check_query() -> None:
        # Werkzeug fails where it takes such a query apart. Browsers send ASCII.
        try:
            request.query_string.decode()
        except UnicodeDecodeError:
            raise BadRequest("the address isn't UTF-8") from None


def _check_calls(app: Dash) -> None:
    """Refuse what isn't the call of a callback, before Dash takes it for one."""
    server: Flask = app.server
    endpoint = f"{app.config.routes_pathname_prefix}_dash-update-component"

    @server.before_request
    def check_call() -> None:
        if request.endpoint != endpoint:
            return
        try:
            body = request.get_json()
        except RecursionError:
            raise BadRequest("the body is nested too deeply") from None
        fault = _fault(body, app.callback_map)
        if fault:
            raise BadRequest(f"not a call of this page: {fault}")


def _fault(body: object, callbacks: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What is wrong with the body of a call, in words; None where nothing is.

    *callbacks* are Dash's own records of them, by their output.
    """
    if not isinstance(body, dict):
        return "it is no object"
    output = body.get("output")
    callback = callbacks.get(output) if isinstance(output, str) else None
    # Those that run in the browser have no function here.
    if output is None or callback is None or "callback" not in callback:
        return f"it has no such output as {output!a:.80}"
    outputs = body.get("outputs")
    several = output.startswith("..")
    expected: dict[str, Any] = {
        "inputs": _names(callback["inputs"]),
        "state": _names(callback["state"]),
        "outputs": _outputs(output),
    }
    given = {
        "inputs": body.get("inputs"),
        "state": body.get("state", []),
        "outputs": outputs if several else [outputs],
    }
    if callback["no_output"]:
        del expected["outputs"]
    for part, names in expected.items():
        if _names(given[part]) != names:
            return f"its {part} are others"
    changed = body.get("changedPropIds")
    inputs = [f"{id_}.{name}" for id_, name in expected["inputs"]]
    if not isinstance(changed, list) or not all(each in inputs for each in changed):
        return "what has changed is none of its inputs"
    return "it is nested too deeply" if _is_deep(body, _MAX_DEPTH) else None


def _names(parts: object) -> list[tuple[object, object]] | None:
    """The ids and properties that a part of a call names; None if it isn't such."""
    if not isinstance(parts, list):
        return None
    names: list[tuple[object, object]] = []
    for part in parts:
        if not isinstance(part, dict):
            return None
        names.append((part.get("id"), part.get("property")))
    return names


def _outputs(output: str) -> list[tuple[object, object]]:
    """The ids and properties in Dash's name for the outputs of a callback."""
    names = output.strip(".").split("...")
    return [(id_, name) for id_, _, name in (each.rpartition(".") for each in names)]


def _is_deep(value: object, limit: int) -> bool:
    """Whether there are more than *limit* lists and objects, one in another."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return limit == 0 or any(_is_deep(item, limit - 1) for item in value)


def _add_headers(server: Flask, headers: Mapping[str, str]) -> None:
    @server.after_request
    def add_headers(response: Response) -> Response:
        # What static_files says of scripts and style sheets is said after this.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers.update(headers)
        return response


def _answer_refusals(server: Flask) -> None:
    """Answer what is refused, and what fails, in plain text, and log it.

    What isn't found isn't logged: strangers look for much.
    """

    @server.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> WSGIResponse:
        response = WSGIResponse.force_type(error.get_response(), request.environ)
        if response.status_code < 400:
            return response
        words = " ".join((error.description or error.name).split())[:_LONGEST_WORDS]
        path = loggable_path(request.path)
        if response.status_code != 404:
            _log.warning("%s %s %r: %s", error.code, request.method, path, words)
        response.data = words
        response.content_type = "text/plain; charset=utf-8"
        return response

    @server.errorhandler(DependencyException)
    def no_such_file(error: DependencyException) -> WSGIResponse:
        response: WSGIResponse = refuse(NotFound(str(error)))
        return response

    @server.errorhandler(CannotAnswer)
    def cannot_answer(error: CannotAnswer) -> WSGIResponse:
        notes = notes_of(request.environ)
        notes.has_failed = True
        path = loggable_path(request.path)
        _log.warning("%s %r: %s (%s)", request.method, path, error.logged, notes.id)
        return WSGIResponse(str(error), ServiceUnavailable.code)

    @server.errorhandler(Exception)
    def fail(error: Exception) -> WSGIResponse:
        notes = notes_of(request.environ)
        notes.has_failed = True
        path = loggable_path(request.path)
        _log.error("%s %r failed (%s)", request.method, path, notes.id, exc_info=error)
        words = f"Something went wrong on the server ({notes.id})."
        return WSGIResponse(words, InternalServerError.code)
