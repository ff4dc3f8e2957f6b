"""The forms in which servers write logs, and which of them a file has."""

from collections.abc import Callable, Iterator
from typing import Final

from sources.logs.access import Access
from sources.logs.balancer import Balancer
from sources.logs.fields import Delimited, Extended, Json
from sources.logs.line import Form, Line
from sources.options import ReadOptions
from sources.origin import BadInput

FORMS: Final[tuple[Callable[[], Form], ...]] = (Access, Balancer, Json)
"""The forms whose lines say what they are by themselves."""

USERS: Final = ("ip", "ip+agent")
"""What ``ReadOptions.user`` may be of a log: the client, or it and its program."""

_LOOKED_AT: Final = 100
_LONGEST_HEADER: Final = 4_096


class Forms:
    """Reads lines of any form, those of the form of the line before first."""

    def __init__(self, first: Form, extended: Extended) -> None:
        self._extended = extended
        others = [make() for make in FORMS if not isinstance(first, make)]  # type: ignore[arg-type]
        self._forms: list[Form] = [first, *others]
        if first is not extended:
            self._forms.append(extended)

    def read(self, line: bytes) -> tuple[Line, str] | None:
        """What a line says, and the name of its form; None where it has none."""
        for place, form in enumerate(self._forms):
            found = form.read(line)
            if found is not None:
                if place:
                    self._forms.insert(0, self._forms.pop(place))
                return found, form.name
        return None

    def direct(self, line: bytes) -> None:
        """Follow a line that begins with ``#``."""
        self._extended.direct(line)


def find_forms(head: bytes, options: ReadOptions) -> tuple[Forms, Form, bytes] | None:
    """How to read a log that begins with *head*, its form, and its header if any.

    None where it is no log. It is one where most of its first lines are lines of one.
    Raises BadInput for a log that lacks what is needed of a request.
    """
    lines = list(_first_lines(head))
    extended = Extended()
    if lines and lines[0].startswith(b"#"):
        for line in lines:
            is_open = extended.fields is None or extended.fields.missing
            if line.startswith(b"#") and is_open:
                extended.direct(line)
        lines = [line for line in lines if not line.startswith(b"#")]
    if extended.fields:
        _check(extended)
        # It follows the directives, of which there may be others, line by line.
        extended = Extended()
        return Forms(extended, extended), extended, b""
    counts: dict[Form, int] = {}
    for make in FORMS:
        if make is Json and names_columns(options):
            continue
        form = make()
        counts[form] = sum(form.read(line) is not None for line in lines)
    if not lines:
        return None
    best = max(counts, key=lambda form: counts[form])
    if 2 * sum(counts.values()) >= len(lines):
        best.read(next(line for line in lines if best.read(line) is not None))
        return Forms(best, extended), best, b""
    if names_columns(options) or len(lines[0]) > _LONGEST_HEADER:
        return None
    table = Delimited(lines[0])
    if table.fields.missing or (lines[1:] and table.read(lines[1]) is None):
        return None
    return Forms(table, extended), table, lines[0]


def _first_lines(head: bytes) -> Iterator[bytes]:
    """The lines that are whole in the first bytes of a file; one if none is."""
    text = head.lstrip(b"\0")
    whole = text[: text.rfind(b"\n")] if b"\n" in text else text
    lines = (line.removesuffix(b"\r") for line in whole.split(b"\n"))
    yield from [line for line in lines if line][:_LOOKED_AT]


def names_columns(options: ReadOptions) -> bool:
    """Whether options speak of columns, as of a table whose rows are views."""
    named = options.page, options.time, options.duration, options.end
    is_user = options.user is not None and options.user not in USERS
    return any(named) or is_user or not options.header


def _check(extended: Extended) -> None:
    """Raise BadInput where the fields of a W3C log don't say what is needed."""
    usual = {
        "client": "c-ip",
        "time": "date and time",
        "method": "cs-method",
        "target": "cs-uri-stem",
        "status": "sc-status",
    }
    missing = extended.fields.missing if extended.fields else []
    if missing:
        names = ", ".join(usual[role] for role in missing)
        raise BadInput(
            f"a W3C log that lacks {names} in its #Fields; "
            "have the server write them, too"
        )
