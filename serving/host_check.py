"""Which host a request is for: another site's name that points here is refused."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from hosts import REFUSAL, Hosts

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HEADERS: Final = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(REFUSAL))),
    ("X-Content-Type-Options", "nosniff"),
]

_log = logging.getLogger(__name__)


class HostCheck:
    """A WSGI application that answers for its hosts alone."""

    def __init__(self, application: "WSGIApplication", hosts: Hosts) -> None:
        self._application, self._hosts = application, hosts

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request for one of the hosts; another gets 400."""
        host = environ.get("HTTP_HOST", "")
        if host in self._hosts:
            return self._application(environ, start_response)
        _log.warning("400 for the host %.200r: %s", host, REFUSAL)
        start_response("400 Bad Request", _HEADERS.copy())
        return [REFUSAL.encode()]
