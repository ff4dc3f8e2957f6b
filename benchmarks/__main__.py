"""Measure: ``python -m benchmarks``, and up to 1e8 sessions with ``--full``."""

import sys

from benchmarks import page, reading, scale

if __name__ == "__main__":
    page.main()
    print()
    reading.main()
    print()
    scale.main(full="--full" in sys.argv[1:])
