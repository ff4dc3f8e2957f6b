"""Files that people drop on the page: received, understood, shown, and forgotten.

``register`` is the way in, ``Held`` what is held. Files stay in memory; see
``sources.inputs.spooled_file``.
"""

from uploads.routes import Held, register
from uploads.settings import Settings

__all__ = ["Held", "Settings", "register"]
