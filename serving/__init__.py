"""How the application is put on the network: who may come in, and who answers.

``Site`` is the WSGI application that is served, whatever serves it, and ``run`` serves
it until the program is stopped.
"""

from serving.listening import CannotServe, announce, check_free, own_names
from serving.login import check_header, signed_in_meta
from serving.passwords import make_line
from serving.reloading import Reloader
from serving.running import listen, run
from serving.settings import Settings
from serving.site import Site

__all__ = [
    "CannotServe",
    "Reloader",
    "Settings",
    "Site",
    "announce",
    "check_free",
    "check_header",
    "listen",
    "make_line",
    "own_names",
    "run",
    "signed_in_meta",
]
