"""The command ``user-activity-dashboard``, which is what ``python app.py`` is."""

import os
import signal
import sys
from pathlib import Path


def main() -> int:
    """Run the dashboard until it is interrupted; returns the exit code."""
    # There is nothing to tidy while modules are imported: no traceback. Process 1 of a
    # container would not end by a signal that it doesn't handle.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    # The modules import each other by names that are theirs in this directory alone.
    here = str(Path(__file__).resolve().parent)
    if here not in sys.path:
        sys.path.insert(0, here)
    import app

    return app.main()


if __name__ == "__main__":
    sys.exit(main())
