"""A small program that serves: ``python -m tests.serving.program FOLDER PORT WORKERS``.

It answers at once but for ``/slow``, which notes in FOLDER that it has begun and waits
there for a file named "go". The data are the file "data", and memory enough to count.
"""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from serving import Reloader, Settings, Site, listen, run

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BYTES = 64 << 20


def application(folder: Path) -> "WSGIApplication":
    data = (folder / "data").read_text()
    memory = os.urandom(BYTES)

    def answer(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            (folder / "begun").touch()
            while not (folder / "go").exists():
                time.sleep(0.01)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{os.getpid()} {data} {len(memory)}".encode()]

    return answer


def main(folder: Path, port: int, workers: int) -> None:
    site = Site(Settings(port=port, workers=workers))
    site.show(application(folder))

    def load() -> "tuple[WSGIApplication, str]":
        if not (folder / "data").exists():
            (folder / "failed").touch()
        return application(folder), "Read again"

    reloader = Reloader(site, load)
    sockets = listen(site.settings.host, port)
    run(site, sockets, reloader)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
