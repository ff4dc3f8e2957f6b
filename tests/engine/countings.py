"""Each way that the memory engine counts, however few the sessions are."""

from engine.memory import Counting

_NEVER = 1 << 40

SCANS = Counting(
    cube_bytes=0,
    cube_bytes_per_session=0,
    max_scanned_sessions=_NEVER,
    max_ordered_sessions=0,
    path_bytes=0,
)
"""Everyone's and users' answers are scans over rows."""

EXACT_CUBES = Counting(
    min_sessions_per_page=0,
    cube_bytes_per_session=_NEVER,
    max_scanned_sessions=0,
    max_ordered_sessions=0,
)
"""Everyone's and users' answers come from cubes, and all quantiles are exact."""

SKETCHED_CUBES = Counting(
    min_sessions_per_page=0,
    cube_bytes_per_session=_NEVER,
    max_scanned_sessions=0,
    max_exact_sessions=0,
    max_ordered_sessions=0,
    path_bytes=10_000,
)
"""Everyone's and users' answers come from cubes, and everyone's quantiles are sketched.
"""
