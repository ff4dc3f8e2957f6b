"""What the command line says of the server."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from hosts import Host, is_loopback

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Settings:
    """How the application is served, and to whom."""

    host: str = "127.0.0.1"
    """The address that is listened on."""
    port: int = 8050
    workers: int = 1
    """Processes that answer."""
    reload_seconds: float | None = None
    """Seconds after which the sources are read again; None for never."""
    url_prefix: str = "/"
    """The path at which browsers reach the first page: it begins and ends with "/"."""
    allowed_hosts: tuple[Host, ...] = ()
    """Hosts that requests may be for, besides those of ``host``."""
    embed: tuple[str, ...] = ()
    """The origins of pages that may show the page in a frame."""
    trusted_proxies: tuple[Network, ...] = ()
    """Where proxies are whose X-Forwarded-* headers are believed."""
    password_file: Path | None = None
    """Names and hashes of who may look."""
    auth_header: str | None = None
    """The header in which a trusted proxy says who looks."""
    log_format: str | None = None
    """How a line is written for each request: "text" or "json"; None for no lines."""

    @property
    def is_local(self) -> bool:
        """Whether only people of this machine reach the page."""
        # With another name, or a proxy, it stands behind something that others reach.
        is_fronted = bool(self.allowed_hosts or self.trusted_proxies)
        return is_loopback(self.host) and not is_fronted
