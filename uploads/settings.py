"""How much may be uploaded, and for how long it is held."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The bounds of what people may drop on the page; bytes of 1,000,000 a MB."""

    is_local: bool = False
    """Whether only browsers on this machine reach the server: the page says so."""
    file_bytes: int = 256_000_000
    """Bytes of the largest file."""
    file_rows: int = 20_000_000
    """Rows of the largest file, however well it is packed."""
    unpacked_bytes: int = 8_000_000_000
    """Bytes of all that is packed in the largest file."""
    name_bytes: int = 1_000_000_000
    """Bytes of the names of users and pages in the largest file, as it is read."""
    all_bytes: int = 1_000_000_000
    """Bytes of all files that are held: as they came, and those shown as Parquet."""
    most_pending: int = 8
    """Files at a time that aren't shown yet."""
    most_shown: int = 32
    """Files that have an address."""
    most_arranged: int = 6
    """Files at a time whose sessions are arranged for answers."""
    pending_seconds: float = 600.0
    """Seconds after which a file is forgotten that nobody goes on with."""
    idle_seconds: float = 1_800.0
    """Seconds without a request after which a shown file is no longer arranged."""


def megabytes(n_bytes: int) -> str:
    """For example "256 MB", or "0.3 MB"."""
    size = n_bytes / 1_000_000
    return f"{size:,.0f} MB" if size >= 10 else f"{size:.1f} MB"
