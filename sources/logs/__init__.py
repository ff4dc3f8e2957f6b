"""Logs of web servers: the page views among the requests, and what the others are.

``find_log`` says whether text is one, ``Log`` reads it. A form of lines is one module,
and one line in ``sources.logs.forms.FORMS``.
"""

from sources.logs.bots import Bots
from sources.logs.reader import HEAD_SIZE, Log, find_log
from sources.logs.rules import parse_assets, parse_statuses

__all__ = ["HEAD_SIZE", "Bots", "Log", "find_log", "parse_assets", "parse_statuses"]
