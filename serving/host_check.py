"""Which host a request is for: another site's name that points here is refused."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from hosts import Hosts
from serving.answers import reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REFUSAL: Final = "this host name is not served here; see --allow-host"
"""What a request for another host is answered."""

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
        return reply(400, REFUSAL)(environ, start_response)
