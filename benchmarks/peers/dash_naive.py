"""The naive version, over the application's own sessions."""

from benchmarks import naive
from benchmarks.peers.dash_tuned import serve
from simulate import simulate_sessions

if __name__ == "__main__":
    serve(naive.create_app(simulate_sessions()))
