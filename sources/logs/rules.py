"""Which requests of a log are page views, and what the others are."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sources.logs.requests import Requests
from sources.logs.texts import decoded, is_blank

_METHOD: Final = "^[A-Za-z_-]+$"


def parse_statuses(text: str) -> frozenset[int]:
    """Statuses such as "200-299,304"; ValueError for what is none."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*([1-9]\d\d)(?:\s*-\s*([1-9]\d\d))?\s*", part)
        each = range(int(match[1]), int(match[2] or match[1]) + 1) if match else ()
        if not each:
            raise ValueError(f"{part!r:.60} is no status, nor a range such as 200-299")
        found.update(each)
    return frozenset(found)


def parse_assets(text: str) -> tuple[str, ...]:
    """Ends of paths such as ".css,.js", in small letters; "none" for none."""
    if text.strip().lower() == "none":
        return ()
    ends = tuple(part.strip().lower() for part in text.split(","))
    if not all(ends):
        raise ValueError(f"{text!r:.60} has an empty ending; none is for no endings")
    return ends


def kinds_of(
    requests: Requests, assets: Sequence[str], statuses: frozenset[int]
) -> Mapping[str, NDArray[np.bool_]]:
    """Which requests are no page views, by kind: of several the first is meant."""
    method = requests.method.dictionary_encode()
    is_method = _of(method, pc.match_substring_regex(_text(method), _METHOD))
    is_get = _of(method, pc.equal(_text(method), "GET"))
    page = requests.page.dictionary_encode()
    pages = _text(page)
    status = requests.status
    good = np.isin(status, np.array(sorted(statuses), np.int64))
    kinds = {
        "no request": ~is_method | _of(page, is_blank(pages)),
        "other methods": ~is_get,
        "errors": ~good & (status >= 400) & (status < 600),
        "redirects": ~good & (status >= 300) & (status < 400) & (status != 304),
        "other statuses": ~good,
    }
    if assets:
        small = pc.utf8_lower(pages)
        ends = [pc.ends_with(small, end) for end in assets]
        is_asset = np.logical_or.reduce([_mask(each) for each in ends])
        kinds["assets"] = is_asset[page.indices.to_numpy()]
    return kinds


def _mask(values: pa.BooleanArray) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = values.to_numpy(zero_copy_only=False)
    return found


def _of(encoded: pa.DictionaryArray, values: pa.BooleanArray) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = _mask(values)[encoded.indices.to_numpy()]
    return found


def _text(encoded: pa.DictionaryArray) -> pa.StringArray:
    return decoded(encoded.dictionary)
