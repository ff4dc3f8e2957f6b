"""What the server lets in and out: hosts, sizes, headers, and malformed requests."""

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from dash import Dash
from dash.exceptions import DependencyException, PreventUpdate
from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.wrappers import Response as WSGIResponse

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
"""The names that this machine has for itself."""

MAX_BODY: Final = 64 * 1024
"""Bytes of the largest request body; the page's own are below 2 kB."""

_log = logging.getLogger(__name__)


def protect(app: Dash, hosts: Sequence[str]) -> None:
    """Close the doors of *app*; call this when all its callbacks are registered.

    *hosts* are the names, without a port, that a request's Host header may have.
    """
    server: Flask = app.server
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    names = {bracketed(host).lower() for host in hosts}
    policy = "; ".join(
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
            "frame-ancestors 'none'",
        )
    )

    @server.before_request
    def check_host() -> None:
        # Flask's own TRUSTED_HOSTS knows neither IPv6 addresses nor capital letters.
        host = request.environ.get("HTTP_HOST", "").lower()
        if re.sub(r":\d*$", "", host).rstrip(".") not in names:
            raise BadRequest("this host name is not served here; see --allow-host")

    @server.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    @server.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> WSGIResponse:
        response = WSGIResponse.force_type(error.get_response(), request.environ)
        if response.status_code < 400:
            return response
        words = " ".join((error.description or error.name).split())
        _log.warning(
            "%s %s %.200r: %.300s", error.code, request.method, request.path, words
        )
        response.data = words
        response.content_type = "text/plain; charset=utf-8"
        return response

    @server.errorhandler(DependencyException)
    def no_such_file(error: DependencyException) -> WSGIResponse:
        response: WSGIResponse = refuse(NotFound(str(error)))
        return response

    endpoint = f"{app.config.routes_pathname_prefix}_dash-update-component"
    dispatch: Callable[[], Any] = server.view_functions[endpoint]

    def dispatch_well_formed() -> Any:
        # Dash reads the body as if its own page had sent it. The callbacks' failures
        # are told on the page (``callbacks.report``), so that what is raised here is
        # for a body that it could make no sense of.
        try:
            return dispatch()
        except (HTTPException, PreventUpdate):
            raise
        except Exception as error:
            words = f"not a callback of this page ({type(error).__name__}: {error})"
            raise BadRequest(words) from error

    server.view_functions[endpoint] = dispatch_well_formed


def bracketed(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
