"""What a source says about itself: where its sessions are from, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class BadInput(ValueError):
    """A file can't be used; the message is one line that names it and says why."""


@dataclass(frozen=True)
class Origin:
    """Where sessions are from, in words, and how many rows were left out by reason."""

    name: str
    left_out: Mapping[str, int] = field(default_factory=dict)

    def left_out_text(self) -> str:
        """For example "3 rows left out: 2 with an unreadable time, 1 with no user"."""
        n = sum(self.left_out.values())
        reasons = (f"{rows:,} with {why}" for why, rows in self.left_out.items())
        return f"{n:,} row{'s' * (n != 1)} left out: {', '.join(reasons)}"
