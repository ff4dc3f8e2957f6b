"""What has to be set before anything large is imported."""

import os
import signal
import sys
from types import TracebackType


def prepare() -> None:
    """Prepare the process for importing the program.

    Until its main function runs, Ctrl-C and memory that ends are no tracebacks.
    """
    # There is nothing to tidy yet. Process 1 of a container would not end by a signal
    # that it doesn't handle.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    # Its threads are for linear algebra, which nobody needs here. Where they can't be
    # started, it says so in lines of its own.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.excepthook = _tell


def _tell(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Tell in one line that a library doesn't fit into memory, else as ever."""
    # The loader's own words for it are part of an ImportError.
    words = ("Cannot allocate memory", "failed to map segment")
    if isinstance(error, MemoryError) or any(each in str(error) for each in words):
        print("there is too little memory to start the program", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)
