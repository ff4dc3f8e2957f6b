"""How often a password may be tried: counted in memory that forked processes share."""

import ipaddress
import math
import mmap
import time
from hashlib import blake2b
from threading import Lock
from typing import Final, NamedTuple


class Limit(NamedTuple):
    """Failures at once, and the seconds after which there may be one more."""

    at_once: int
    seconds: float


BY_ADDRESS: Final = Limit(10, 30)
BY_NAME: Final = Limit(20, 30)
IN_ALL: Final = Limit(200, 2)

_SLOTS: Final = 4_096
"""Names and addresses share slots by chance; all failures together are too few to fill
another's.
"""


def shared_memory(slots: int) -> memoryview:
    """Slots of 8 bytes, all 0, that processes forked from this one share with it."""
    return memoryview(mmap.mmap(-1, 8 * slots))


class Attempts:
    """Failed attempts by name, by address and in all."""

    def __init__(self, key: bytes) -> None:
        """*key* is a secret, without which nobody knows who shares a slot."""
        self._key = key
        # The time, on the machine's clock since its start, when a slot will have
        # forgotten all failures.
        self._until = shared_memory(_SLOTS).cast("d")
        # Of two processes that count in one moment, one may be lost: they check one
        # password each at a time.
        self._lock = Lock()

    def take(self, name: str, address: str) -> int:
        """Count an attempt as failed; returns 0.

        Where there were too many it isn't counted: returns the seconds to wait.
        """
        slots = self._slots(name, address)
        with self._lock:
            now = time.monotonic()
            waits = [
                self._until[slot] - now - (limit.at_once - 1) * limit.seconds
                for slot, limit in slots
            ]
            if max(waits) > 0:
                return math.ceil(max(waits))
            for slot, limit in slots:
                self._until[slot] = max(self._until[slot], now) + limit.seconds
        return 0

    def give_back(self, name: str, address: str) -> None:
        """Take back what ``take`` counted, as it was no failure."""
        with self._lock:
            for slot, limit in self._slots(name, address):
                self._until[slot] -= limit.seconds

    def _slots(self, name: str, address: str) -> list[tuple[int, Limit]]:
        return [
            (0, IN_ALL),
            (self._slot(f"name {name}"), BY_NAME),
            (self._slot(f"address {_network(address)}"), BY_ADDRESS),
        ]

    def _slot(self, text: str) -> int:
        digest = blake2b(text.encode(errors="replace"), key=self._key, digest_size=8)
        return 1 + int.from_bytes(digest.digest()) % (_SLOTS - 1)


def _network(address: str) -> str:
    """What one person has of addresses: of IPv6 it is a whole network."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or int(ip) >> 64)
