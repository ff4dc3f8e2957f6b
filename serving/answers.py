"""What layers answer by themselves, with headers as safe as the application's."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from werkzeug.wrappers import Response

HEADERS: Final = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Content-Type": "text/plain; charset=utf-8",
        # With no-referrer, browsers wouldn't say which page a form was sent from.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)


def reply(status: int, text: str = "", **headers: str) -> Response:
    """A text; *headers* are added, or stand in for usual ones: ``Retry_After="30"``."""
    given: Mapping[str, str] = {k.replace("_", "-"): v for k, v in headers.items()}
    return Response(text, status, {**HEADERS, **given})
