"""The WSGI application that is served, around the one that has the data now."""

from collections.abc import Iterable
from contextvars import copy_context
from typing import TYPE_CHECKING

from serving.answers import reply
from serving.download_limit import DownloadLimit
from serving.health import NOT_READY, Health
from serving.host_check import HostCheck
from serving.listening import served_hosts
from serving.login import with_login
from serving.metrics import Metrics, MetricsPage
from serving.proxy import TrustedProxies, UrlPrefix
from serving.settings import Settings
from serving.telling import Telling

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Site:
    """Layers that stay, around an application that may be replaced.

    Each layer is a WSGI application around the next; ARCHITECTURE.md says why in this
    order. What it remembers outlives the application. Raises CannotServe where the
    settings ask for what can't be had.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._shown: WSGIApplication | None = None
        self.metrics = Metrics(settings.workers)
        layers: WSGIApplication = DownloadLimit(self._answer)
        layers = MetricsPage(layers, self.metrics)
        layers = with_login(layers, settings)
        layers = HostCheck(layers, served_hosts(settings))
        layers = Health(layers, lambda: self._shown is not None)
        layers = UrlPrefix(layers, settings.url_prefix)
        proxies = settings.trusted_proxies
        layers = TrustedProxies(layers, proxies, settings.auth_header)
        self._layers = Telling(layers, self.metrics)

    def show(self, application: "WSGIApplication") -> None:
        """Answer by this application from the next request on."""
        self._shown = application
        config = getattr(application, "config", {})
        self.metrics.data_read(config.get("N_SESSIONS"))

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        return self._layers(environ, start_response)

    def _answer(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        shown = self._shown
        if shown is None:
            return reply(503, NOT_READY)(environ, start_response)
        # Dash remembers the application in the context, which is the thread's own: it
        # would outlive its replacement there.
        return copy_context().run(shown, environ, start_response)
