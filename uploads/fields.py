"""What the fields of the dialog say, as options for reading."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from engine.timezone import time_zone
from schema import LONGEST_DURATION
from sources import (
    UNITS,
    ReadOptions,
    check_format,
    parse_assets,
    parse_rules,
    parse_statuses,
    validate_encoding,
)

_LONGEST_TEXT: Final = 20_000


def read_options(fields: object) -> ReadOptions:
    """Read the fields, by the names of those of ``ReadOptions``.

    A field that is left out, or null, is as if nothing was said. Raises ValueError, in
    one line, where one isn't a field of the dialog or can't mean what it says.
    """
    if not isinstance(fields, dict):
        raise ValueError("the options are no object")
    said: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in _FIELDS:
            raise ValueError(f"there is no field {name!a:.80}")
        if value is not None:
            said[name] = _FIELDS[name](value)
    return ReadOptions(**said)


def read_zone(value: object) -> str | None:
    """The zone whose days and hours a page shall show; None for none.

    Raises ValueError as ``read_options`` does.
    """
    return None if value is None else _zone(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError(f"{value!a:.80} is not a short text")
    return value


def _is_so(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!a:.80} is neither true nor false")
    return value


def _seconds(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < float(str(value)) <= LONGEST_DURATION:
        raise ValueError(f"{value!a:.80} is not a number of seconds")
    return float(str(value))


def _one_of(known: Mapping[str, object], value: object) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{value!a:.80} is none of {', '.join(known)}")
    return value


def _zone(value: object) -> str:
    name = _text(value)
    try:
        time_zone(name)
    except ValueError:
        such = "name a place's, such as Europe/Berlin"
        raise ValueError(f"there is no time zone {name!a:.80}; {such}") from None
    return name


def _site(value: object) -> tuple[tuple[str, str], ...]:
    """The one site of a log whose requests count."""
    return (("host", _text(value)),)


def _checked(check: Callable[[str], Any], value: object) -> Any:
    return check(_text(value))


_FIELDS: Final[Mapping[str, Callable[[object], Any]]] = {
    **dict.fromkeys(("user", "page", "time", "duration", "end", "sheet"), _text),
    "duration_unit": partial(_one_of, UNITS),
    "decimal": partial(_one_of, {".": 0, ",": 0}),
    "visit_gap": _seconds,
    "time_format": partial(_checked, check_format),
    "times_in": _zone,
    "encoding": partial(_checked, validate_encoding),
    "merge_pages": partial(_checked, parse_rules),
    "assets": partial(_checked, parse_assets),
    "statuses": partial(_checked, parse_statuses),
    "where": _site,
    **dict.fromkeys(
        (
            *("header", "escape", "keep_bots", "allow_left_out"),
            *("zero_is_unknown", "negative_is_unknown"),
        ),
        _is_so,
    ),
}
"""The fields of the dialog, and what turns the value of each into an option's."""
