"""What people have, as a stream of session tables and a report of what was left out.

``read_sessions`` is the way in. A file format is one module, with a function that reads
a stream of bytes, and one line in ``sources.formats.FORMATS``.
"""

from sources.durations import UNITS
from sources.inputs import Progress, full_name, is_read_once, stamps
from sources.logs import parse_assets, parse_statuses
from sources.names import find_columns, usual_names
from sources.options import ReadOptions
from sources.origin import BadInput, FileReport, Origin, Report
from sources.packing import validate_encoding
from sources.pages import RULES, parse_rules
from sources.parts import LeftOut
from sources.reading import Reading, read_bytes, read_sessions
from sources.saving import check_target, pack, save, unpack
from sources.times import check_format

__all__ = [
    "RULES",
    "UNITS",
    "BadInput",
    "FileReport",
    "LeftOut",
    "Origin",
    "Progress",
    "ReadOptions",
    "Reading",
    "Report",
    "check_format",
    "check_target",
    "find_columns",
    "full_name",
    "is_read_once",
    "pack",
    "parse_assets",
    "parse_rules",
    "parse_statuses",
    "read_bytes",
    "read_sessions",
    "save",
    "stamps",
    "unpack",
    "usual_names",
    "validate_encoding",
]
