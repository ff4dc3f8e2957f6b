"""What people have, as a stream of session tables and a report of what was left out.

``read_sessions`` is the way in. A file format is one module, with a function that reads
a stream of bytes, and one line in ``sources.tables.FORMATS``.
"""

from sources.inputs import full_name, is_read_once
from sources.origin import BadInput, Origin
from sources.tables import read_sessions

__all__ = ["BadInput", "Origin", "full_name", "is_read_once", "read_sessions"]
