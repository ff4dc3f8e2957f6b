"""Files that people drop on the page: received, understood, shown, and forgotten.

``register`` is the way in. Nothing is kept on disk: what must be sought to be read, as
a spreadsheet, is a temporary file meanwhile.
"""

from uploads.routes import register
from uploads.settings import Settings

__all__ = ["Settings", "register"]
