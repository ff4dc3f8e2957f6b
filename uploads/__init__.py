"""Files that people drop on the page: received, understood, shown, and forgotten.

``register`` is the way in. Nothing is written to disk.
"""

from uploads.routes import register
from uploads.settings import Settings

__all__ = ["Settings", "register"]
