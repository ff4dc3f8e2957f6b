"""Who has signed in: what a browser is given to show again, signed."""

import hmac
from hashlib import blake2b
from secrets import token_hex
from threading import Lock
from typing import Final

from itsdangerous import BadData, URLSafeTimedSerializer

from serving.attempts import shared_memory

DAYS: Final = 7
"""How long a session lasts."""

SECONDS: Final = DAYS * 24 * 3600
_SLOTS: Final = 8_192


class Sessions:
    """Sessions that are signed, not kept: only those that were ended are known."""

    def __init__(self, key: bytes) -> None:
        """*key* is a secret; what it has signed is good as long as it is there."""
        self._key = key
        self._signer = URLSafeTimedSerializer(key, salt="session")
        # Numbers of ended sessions, each in its place. That another takes the place of
        # one is rare, and then that one would last its seven days.
        self._ended = shared_memory(_SLOTS).cast("Q")
        self._lock = Lock()

    def start(self, name: str, hash_: str) -> str:
        """A session for a name, until its password's hash is another."""
        return str(self._signer.dumps([token_hex(8), name, self._mark(hash_)]))

    def read(self, text: str) -> tuple[str, str] | None:
        """The name in a session and a mark for ``is_of``; None where it isn't good."""
        try:
            number, name, mark = self._signer.loads(text, max_age=SECONDS)
        except BadData:
            return None
        slot, value = self._place(number)
        return None if self._ended[slot] == value else (name, mark)

    def is_of(self, mark: str, hash_: str) -> bool:
        """Whether a session began with this hash."""
        return hmac.compare_digest(mark, self._mark(hash_))

    def end(self, text: str) -> None:
        """Have a session be no longer good."""
        try:
            number, _, _ = self._signer.loads(text, max_age=SECONDS)
        except BadData:
            return
        slot, value = self._place(number)
        with self._lock:
            self._ended[slot] = value

    def _mark(self, hash_: str) -> str:
        return blake2b(hash_.encode(), key=self._key, digest_size=16).hexdigest()

    @staticmethod
    def _place(number: str) -> tuple[int, int]:
        value = int(number, 16)
        return value % _SLOTS, value
