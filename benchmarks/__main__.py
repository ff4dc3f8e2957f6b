"""Measure: ``python -m benchmarks``, and up to 1e8 sessions with ``--full``."""

import sys

from benchmarks import page, scale

if __name__ == "__main__":
    page.main()
    print()
    scale.main(full="--full" in sys.argv[1:])
