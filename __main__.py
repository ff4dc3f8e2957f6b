"""The command ``user-activity-dashboard``, which is what ``python app.py`` is."""

import sys
from pathlib import Path


def main() -> int:
    """Run the dashboard until it is interrupted; returns the exit code."""
    # The modules import each other by names that are theirs in this directory alone.
    here = str(Path(__file__).resolve().parent)
    if here not in sys.path:
        sys.path.insert(0, here)
    import starting

    starting.prepare()
    import app

    return app.main()


if __name__ == "__main__":
    sys.exit(main())
