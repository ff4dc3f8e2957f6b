"""The naive version, over the application's own sessions."""

import sys

import waitress

from benchmarks import naive
from simulate import simulate_sessions


def main() -> None:
    app = naive.create_app(simulate_sessions())
    port = int(sys.argv[1])
    waitress.serve(app.server, host="127.0.0.1", port=port, threads=8, _quiet=True)


if __name__ == "__main__":
    main()
