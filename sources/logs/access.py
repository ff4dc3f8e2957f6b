"""The Common and the Combined Log Format, which most servers can write.

``CLIENT IDENT USER [TIME] "REQUEST" STATUS BYTES "REFERER" "AGENT"``; the last two are
missing in the Common one. The name of the site may stand in front, and more behind.
"""

import re
from typing import Final

from sources.logs.line import Line, split_request, status_of

_QUOTED: Final = rb'[^"\\]*(?:\\.[^"\\]*)*'
_LINE: Final = re.compile(
    rb'([^"]+?) \[([^]["]*)\] "(' + _QUOTED + rb')" (\d{3}|-) ([^ "]+)'
    rb'(?: "' + _QUOTED + rb'" "(' + _QUOTED + rb')"'
    rb'(?: [^"]*(?:"' + _QUOTED + rb'"[^"]*)*)?|(?: [^"]*)?)',
    re.DOTALL,
)

COMMON: Final = "Common Log Format"
COMBINED: Final = "Combined Log Format"


class Access:
    """Reads lines of both formats."""

    def __init__(self) -> None:
        self.name = COMBINED

    def read(self, line: bytes) -> Line | None:
        """See ``Form``."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        front, time, request, status, _, agent = found.groups()
        who = _who(front)
        if who is None:
            return None
        self.name = COMMON if agent is None else COMBINED
        method, page = split_request(_plain(request))
        agent = _plain(agent or b"")
        return Line(who[0], time, method, page, status_of(status), agent, who[1])


def _who(front: bytes) -> tuple[bytes, bytes] | None:
    """The client and the site in what is in front of the time; None for neither.

    Of four words or more, the client is before the first that is a dash: what is in
    front of it may be a site, or what a collector of logs wrote. Behind a proxy the
    client may be a list, whose first is the one who asked.
    """
    words = front.split(b" ")
    if len(words) < 3:
        return None
    dash = words.index(b"-", 1) if len(words) > 3 and b"-" in words[1:] else 1
    first = dash - 1
    while first and words[first - 1].endswith(b","):
        first -= 1
    return words[first].rstrip(b","), words[0] if first == 1 else b""


def _plain(text: bytes) -> bytes:
    r"""A text whose quotation marks are no longer escaped; ``\x16`` and such stay."""
    parts = text.split(rb"\\")
    return b"\\".join(part.replace(rb"\"", b'"') for part in parts)
