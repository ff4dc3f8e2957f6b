"""Files that are shown: each is an application under an address of its own."""

import gc
import time
from collections.abc import Callable, Iterable
from contextvars import copy_context
from secrets import token_urlsafe
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.freed import release_freed_memory
from engine.model import Engine
from layout import Uploading
from sources import Origin, unpack
from uploads.pending import Arrange, Checked, Refused
from uploads.settings import Settings
from uploads.timer import Sweeper

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FOLDER: Final = "data/"
"""Where shown files are, below the first page."""

Assemble = Callable[[Engine, Origin, str, Uploading], "WSGIApplication"]
"""Makes an application of sessions, where they are from, the path at which browsers
reach it, and its part in uploading."""


class Making(NamedTuple):
    """How the application of a file is made."""

    arrange: Arrange
    assemble: Assemble


class Way(NamedTuple):
    """What a page of a shown file is made of besides its sessions."""

    address: str
    """The path at which browsers reach it."""
    uploading: Uploading


class ShownFile:
    """The sessions of a file, packed, and an application over them when it is used."""

    def __init__(self, checked: Checked, way: Way) -> None:
        self.name = checked.origin.name
        self.n_bytes = len(checked.packed)
        self.address = way.address
        self.seen = time.monotonic()
        self._origin, self._packed, self._way = checked.origin, checked.packed, way
        self._zone, self._visit_gap = checked.zone, checked.visit_gap
        self._lock = Lock()
        self._app: WSGIApplication | None = None

    @property
    def is_arranged(self) -> bool:
        """Whether there is an application."""
        return self._app is not None

    def app(self, making: Making, engine: Engine | None = None) -> "WSGIApplication":
        """The application; it is made if there is none, once however many ask for it.

        *engine* is one over the sessions, where there is one already.
        """
        with self._lock:
            self.seen = time.monotonic()
            if self._app is None:
                over = engine or making.arrange(
                    unpack(self._packed), self._zone, self._visit_gap
                )
                self._app = making.assemble(over, self._origin, *self._way)
            return self._app

    def give_back(self) -> None:
        """Drop the application; the sessions stay."""
        with self._lock:
            self._app = None


class ShownFiles:
    """All files that are shown, whichever application has the first page."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files: dict[str, ShownFile] = {}
        self._lock = Lock()
        self._sweeper = Sweeper(self.sweep)

    @property
    def n_bytes(self) -> int:
        """Bytes of all packed sessions."""
        return sum(file.n_bytes for file in list(self._files.values()))

    @property
    def is_watched(self) -> bool:
        """Whether there is memory that will be given back."""
        return self._sweeper.is_running

    def get(self, token: object) -> ShownFile | None:
        """The file of this token, if it is held."""
        return self._files.get(token) if isinstance(token, str) else None

    def show(
        self, checked: Checked, way: Callable[[str], Way], held: int, making: Making
    ) -> ShownFile:
        """Give a file an address; *way* makes its page's of the file's token.

        *held* are bytes that are held besides. Raises Refused where there are too many.
        """
        settings = self._settings
        token = token_urlsafe(16)
        file = ShownFile(checked, way(token))
        file.app(making, checked.engine)
        with self._lock:
            if len(self._files) >= settings.most_shown:
                words = f"{len(self._files)} files are shown, which is all there may be"
                raise Refused(507, f"{words} until the program is started again")
            if self.n_bytes + file.n_bytes + held > settings.all_bytes:
                words = "the files shown take all the memory that they may"
                raise Refused(507, f"{words} until the program is started again")
            self._files[token] = file
        self._watch(file)
        return file

    def open(self, file: ShownFile, making: Making) -> "WSGIApplication":
        """The application of a file, which is given back one day if it is made now."""
        is_new = not file.is_arranged
        app = file.app(making)
        if is_new:
            self._watch(file)
        return app

    def sweep(self) -> float | None:
        """Give back what nobody has asked for lately; see ``Sweeper``."""
        now, idle = time.monotonic(), self._settings.idle_seconds
        arranged = self._arranged()
        self._give_back([file for file in arranged if now - file.seen >= idle])
        waits = [file.seen + idle - now for file in self._arranged()]
        return max(min(waits), 0.01) if waits else None

    def _arranged(self) -> list[ShownFile]:
        """The files with an application, that which was seen longest ago first."""
        files = [file for file in list(self._files.values()) if file.is_arranged]
        return sorted(files, key=lambda file: file.seen)

    def _watch(self, file: ShownFile) -> None:
        """See to it that what was just arranged is given back one day."""
        arranged = [other for other in self._arranged() if other is not file]
        n_more = len(arranged) + 1 - self._settings.most_arranged
        self._give_back(arranged[: max(n_more, 0)])
        self._sweeper.start(self._settings.idle_seconds)

    def _give_back(self, files: list[ShownFile]) -> None:
        for file in files:
            file.give_back()
        if files:
            # An application is full of cycles.
            gc.collect()
            release_freed_memory()


class Front:
    """The WSGI application of the first page, and around it those of shown files.

    What isn't under the address of a file that is held goes on to the first page's.
    """

    def __init__(
        self, first: "WSGIApplication", mount: str, files: ShownFiles, making: Making
    ) -> None:
        """*mount* is the path under which the addresses are, as the server sees it."""
        self.files, self.making = files, making
        self._first, self._mount = first, mount

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request, by the application of the file whose address it has."""
        path: str = environ.get("PATH_INFO", "")
        token, mark, _ = path.removeprefix(self._mount).partition("/")
        file = self.files.get(token) if mark and path.startswith(self._mount) else None
        if file is None:
            return self._first(environ, start_response)
        # Dash remembers the application in the context, which is the thread's own.
        context = copy_context()
        app = context.run(self.files.open, file, self.making)
        return context.run(app, environ, start_response)
