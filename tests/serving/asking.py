"""An application that says what it was asked, and a way to ask it."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client, TestResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def echo(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """A WSGI application that answers with the texts of its environment."""
    start_response("200 OK", [("Content-Type", "application/json")])
    texts = {key: value for key, value in environ.items() if isinstance(value, str)}
    return [json.dumps(texts).encode()]


def ask(
    application: "WSGIApplication",
    path: str = "/",
    *,
    peer: str = "127.0.0.1",
    headers: dict[str, str] | None = None,
) -> TestResponse:
    """Send a request from *peer*."""
    client = Client(application)
    return client.get(path, headers=headers, environ_base={"REMOTE_ADDR": peer})


def asked(
    application: "WSGIApplication", path: str = "/", **how: Any
) -> dict[str, str]:
    """What ``echo`` inside of *application* was asked."""
    texts: dict[str, str] = json.loads(ask(application, path, **how).data)
    return texts
