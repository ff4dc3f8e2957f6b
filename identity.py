"""Which data a page and an answer are of: a page that stays open while the server is
started again with other data mustn't mix the two.
"""

import json
from hashlib import blake2b
from typing import Final

import numpy as np
from dash import Dash
from flask import Flask, Response
from plotly.utils import PlotlyJSONEncoder

from engine.model import Engine, Selection

HEADER: Final = "X-Data-Version"
"""The header that each answer carries; ``assets/connection.js`` compares it."""


def mark(app: Dash, engine: Engine) -> None:
    """Have the page and all answers of *app* say the same version of the data.

    Call this when the layout and all callbacks are there: they are part of it.
    """
    version = _version(app, engine)
    setattr(app.layout, "data-version", version)

    server: Flask = app.server

    # What a page asks that is just open, see assets/connection.js.
    @server.get(f"{app.config.routes_pathname_prefix}version")
    def tell_version() -> Response:
        return Response(status=204)

    @server.after_request
    def add_version(response: Response) -> Response:
        response.headers[HEADER] = version
        return response


def _version(app: Dash, engine: Engine) -> str:
    """A digest that differs where the page or its numbers do, by no other thing."""
    everyone = engine.summarise(Selection()).everyone
    digest = blake2b(digest_size=8)
    for part in (app.layout, list(app.callback_map)):
        # Sorted, since the order of attributes of a component is not settled.
        text = json.dumps(part, cls=PlotlyJSONEncoder, sort_keys=True)
        digest.update(text.encode())
    for name, value in vars(everyone).items():
        if isinstance(value, np.ndarray):
            digest.update(name.encode() + value.tobytes())
    return digest.hexdigest()
