"""The server: waitress, in this process."""

import logging
from typing import Final

from security import MAX_BODY
from serving.site import Site

_NEVER: Final = 1 << 62
"""More bytes than there ever are."""


def run(site: Site) -> None:
    """Serve *site* until the program is stopped."""
    import waitress  # Debug mode starts quicker without it.

    server = waitress.create_server(
        site,
        host=site.settings.host,
        port=site.settings.port,
        threads=8,
        max_request_body_size=2 * MAX_BODY,
        # What is sent and received stays in memory: it would go to temporary files.
        inbuf_overflow=4 * MAX_BODY,
        outbuf_overflow=_NEVER,
        ident=None,
    )
    # A page asks for a dozen files at once; that some wait a moment isn't news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server.run()
