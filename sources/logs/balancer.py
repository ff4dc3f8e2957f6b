"""The access logs of AWS load balancers."""

import re
from typing import Final

from sources.logs.line import Line, split_request, status_of

_LINE: Final = re.compile(
    rb"(?:(?:https?|h2|grpcs|wss?) )?"
    rb"(\d{4}-\d\d-\d\dT[0-9:.]+Z) (\S+) (\S+) \S+ \S+ \S+ \S+ (\d{3}|-) \S+ \S+ \S+ "
    rb'"([^"\\]*(?:\\.[^"\\]*)*)" "([^"\\]*(?:\\.[^"\\]*)*)"(?: .*)?',
    re.DOTALL,
)
_ADDRESS: Final = re.compile(rb"[a-z]+://([^/?]*)(.*)", re.DOTALL)


class Balancer:
    """Reads lines of Application Load Balancers, and of their classic ones."""

    name = "AWS load balancer"

    def read(self, line: bytes) -> Line | None:
        """See ``Form``."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        time, _, client, status, request, agent = found.groups()
        method, page = split_request(request)
        host = b""
        # It writes whole addresses, of which the client sent the path.
        if address := _ADDRESS.fullmatch(page):
            host, page = address[1], address[2] or b"/"
        address_alone = client.rpartition(b":")[0].strip(b"[]") or client
        return Line(address_alone, time, method, page, status_of(status), agent, host)
