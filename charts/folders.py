"""Folders of pages: the parts of their names between slashes."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labels import common_start

# The first part of an address is its host; a query or a fragment has no folders. What
# is matched isn't given back, so that a name beginning with a part has that part.
# (Of groups Python before 3.11.5 can do that only in this form.)
_PART: Final = re.compile(r"(?>(?:[a-zA-Z][\w+.-]*+:)?)/*+[^/?#]*+/")


class Folders(NamedTuple):
    """The pages and the folders within a folder."""

    names: list[str]
    """The names of pages, and what the pages of each folder begin with."""
    n_pages: NDArray[np.int64]
    """(names,): number of pages in a folder; 1 for a page."""
    of_page: NDArray[np.int64]
    """(pages,): the place in ``names`` of each page; -1 outside the folder."""


@lru_cache(maxsize=16)
def folders(pages: tuple[str, ...], folder: str) -> Folders:
    """Group the pages that begin with *folder* by the next part of their names.

    A folder of one page is that page, and one that has a single folder in it and
    nothing else is that one.
    """
    inside = [page for page in pages if page.startswith(folder)]
    common = common_start(inside) if inside[1:] else folder
    while (part := _PART.match(common, len(folder))) is not None:
        folder += part[0]
    groups: dict[str | int, list[int]] = {}
    for code, page in enumerate(pages):
        if page.startswith(folder):
            next_part = _PART.match(page, len(folder))
            groups.setdefault(next_part[0] if next_part else code, []).append(code)
    of_page = np.full(len(pages), -1, np.int64)
    names: list[str] = []
    for next_name, members in groups.items():
        of_page[members] = len(names)
        single = len(members) == 1
        names.append(pages[members[0]] if single else f"{folder}{next_name}")
    counts = np.array([len(members) for members in groups.values()], np.int64)
    return Folders(names, counts, of_page)


@lru_cache(maxsize=8)
def has_folders(pages: tuple[str, ...]) -> bool:
    """Whether pages are in folders."""
    return bool((folders(pages, "").n_pages > 1).any())


def way_to(folder: str) -> list[str]:
    """The folders from the top to a folder, itself the last: "a/b/" is "a/", "a/b/"."""
    way, end = [], 0
    while end < len(folder) and (part := _PART.match(folder, end)):
        end = part.end()
        way.append(folder[:end])
    # What is typed into an address may end anywhere.
    return way if end == len(folder) else [*way, folder]
