"""Which programs are bots, by the patterns of the package crawler-user-agents."""

import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sources.logs.texts import decoded

# Larger ones are too large for Arrow to match in time that doesn't grow with them.
_AT_ONCE = 200
_MOST_KNOWN = 100_000


class Bots:
    """Tells bots from people, each program that is met once."""

    def __init__(self) -> None:
        self._known: dict[bytes, bool] = {}

    def among(self, agents: pa.BinaryArray) -> NDArray[np.bool_]:
        """Which of some programs, as they name themselves, are bots."""
        names = agents.to_pylist()
        new = [name for name in names if name not in self._known]
        if new:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
                new = names
            are_bots = _match(decoded(pa.array(new, pa.binary())))
            self._known.update(zip(new, are_bots.tolist(), strict=True))
        return np.array([self._known[name] for name in names], np.bool_)


def _match(agents: pa.StringArray) -> NDArray[np.bool_]:
    found = np.zeros(len(agents), np.bool_)
    for pattern in _patterns():
        try:
            matches = pc.match_substring_regex(agents, pattern)
        except pa.ArrowInvalid:
            # Python knows more than Arrow does.
            search = re.compile(pattern).search
            matches = pa.array([bool(search(text)) for text in agents.to_pylist()])
        found |= matches.to_numpy(zero_copy_only=False)
    return found


@cache
def _patterns() -> list[str]:
    # It reads half a megabyte when it is imported.
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    each = [f"(?:{known['pattern']})" for known in CRAWLER_USER_AGENTS_DATA]
    return ["|".join(each[n : n + _AT_ONCE]) for n in range(0, len(each), _AT_ONCE)]
