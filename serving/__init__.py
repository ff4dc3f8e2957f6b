"""How the application is put on the network: who may come in, and who answers.

``Site`` is the WSGI application that is served, whatever serves it, and ``run`` serves
it until the program is stopped.
"""

from serving.host_check import HostCheck
from serving.listening import (
    CannotServe,
    announce,
    check_free,
    listen,
)
from serving.login import check_header, signed_in_meta
from serving.passwords import make_line
from serving.proxy import UrlPrefix, parse_network, parse_prefix
from serving.reloading import Reloader, put_off
from serving.running import run
from serving.settings import Settings
from serving.site import Site

__all__ = [
    "CannotServe",
    "HostCheck",
    "Reloader",
    "Settings",
    "Site",
    "UrlPrefix",
    "announce",
    "check_free",
    "check_header",
    "listen",
    "make_line",
    "parse_network",
    "parse_prefix",
    "put_off",
    "run",
    "signed_in_meta",
]
