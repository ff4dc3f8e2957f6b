"""How names are written where space is short: what tells them apart stays.

Names come from strangers and may be thousands of characters long. Of several that are
shown together no two labels are equal, as long as no two names are.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from unicodedata import category, normalize

from formatting import one_line, shorten

LONGEST_PAGE: Final = 44
"""Characters of a page's label, and of an option of a list, about: a phone's width."""

LONGEST_USER: Final = 80
"""Characters of a user's label in the table, about: it is broken into lines to fit."""

_LEAST_SHARED: Final = 6
_SHORTEST_PART: Final = 8
_BLANK: Final = "(blank)"
_UNSEEN: Final = ("Cc", "Cf")

# What says how somebody came to a page, or who they are, but not which page it is.
_TRACKING: Final = re.compile(
    r"(utm_\w*|ref|referrer|[gdmf]clid|fbclid|gclsrc|msclkid|igshid|mc_[ce]id|yclid"
    r"|_ga|_gl|sid|session_?id|j?sessionid|phpsessid)=",
    re.IGNORECASE,
)


class Shared(NamedTuple):
    """What all names of a set begin and end with, and so needn't be read in each."""

    start: str
    end: str

    @property
    def words(self) -> str:
        """A sentence for what is left out of labels; no words for nothing."""
        parts = [
            f"{verb} “{shorten(one_line(part), 2 * LONGEST_PAGE)}”"
            for verb, part in (("begin with", self.start), ("end in", self.end))
            if part
        ]
        return f"All {' and '.join(parts)}." if parts else ""


def common_start(names: Sequence[str]) -> str:
    """What all of some names begin with."""
    # Of all names, the first and the last in order share least.
    first, last = min(names), max(names)
    shortest, longest = 0, len(first)
    while shortest < longest:
        length = (shortest + longest + 1) // 2
        if last.startswith(first[shortest:length], shortest):
            shortest = length
        else:
            longest = length - 1
    return first[:shortest]


def common_end(names: Sequence[str]) -> str:
    """What all of some names end in."""
    return common_start([name[::-1] for name in names])[::-1]


def shared(names: Sequence[str]) -> Shared:
    """The beginning and the end that all names share, cut where a part of one ends.

    A beginning ends before a slash or behind a space or a full stop; an end is a query,
    a fragment or a file's ending. What is short stays in the names.
    """
    if len(names) < 2:
        return Shared("", "")
    start = common_start(names)
    start = start[: 1 + max(map(start.rfind, "/?. "))]
    start = start.removesuffix("/").removesuffix("?")
    if len(start) < _LEAST_SHARED or start.endswith((":", ":/")):
        start = ""
    # Of no name is nothing left.
    if any(not name[len(start) :].strip() for name in names):
        start = ""
    rest = [name[len(start) :] for name in names]
    match = re.search(r"[?#&].*|\.\w+\Z", common_end(rest), re.DOTALL)
    end = match[0] if match else ""
    if len(end) < _LEAST_SHARED - 1 or any(
        not name[: len(name) - len(end)].strip() for name in rest
    ):
        end = ""
    return Shared(start, end)


@lru_cache(maxsize=8)
def page_parts(pages: tuple[str, ...]) -> Shared:
    """What all pages of a data set share."""
    return shared(pages)


@lru_cache(maxsize=8)
def page_labels(pages: tuple[str, ...]) -> Mapping[str, str]:
    """The labels of all pages of a data set, by name: without what they share."""
    start, end = page_parts(pages)
    bare = [name[len(start) : len(name) - len(end)] for name in pages]
    brief = _without_queries(bare, LONGEST_PAGE)
    return dict(zip(pages, distinct(brief, LONGEST_PAGE), strict=True))


def _without_queries(names: Sequence[str], longest: int) -> list[str]:
    """Addresses longer than so many characters, without what doesn't tell them apart.

    That is the query or, where several addresses have the same path, parameters that
    track whoever came. What is left out becomes "…".
    """
    brief = list(names)
    long = [i for i, name in enumerate(names) if len(name) > longest]
    for shorter in (_without_query, _without_tracking):
        if not long:
            break
        count = Counter(map(shorter, names))
        for i in long:
            if count[short := shorter(names[i])] == 1:
                brief[i] = short
        long = [i for i in long if count[shorter(names[i])] > 1]
    return brief


def _without_query(name: str) -> str:
    path, mark, _ = name.partition("?")
    return f"{path}{mark}…" if path and mark else name


def _without_tracking(name: str) -> str:
    path, mark, query = name.partition("?")
    kept = [part for part in query.split("&") if not _TRACKING.match(part)]
    if not mark or len(kept) == query.count("&") + 1:
        return name
    return f"{path}?{'&'.join([*kept, '…'])}"


def distinct(names: Sequence[str], longest: int) -> list[str]:
    """Labels of about *longest* characters at most, all different if the names are.

    A long name loses its middle; of names that would then look alike the part in which
    they differ is shown. Where that can't be seen, like a space at the end, or is too
    deep in long names, labels are numbered, as in "cart (2)". Without a number they are
    at most two characters longer than *longest*, if that is 8 or more.
    """
    lines = list(map(one_line, names))
    labels = [
        label if _visible(label) else _BLANK for label in _shortened(lines, longest)
    ]
    visible = list(map(_visible, labels))
    taken = set(visible)
    for alike in _alike(visible):
        number = 1
        for i in alike[1:]:
            while f"{visible[i]} ({(number := number + 1)})" in taken:
                pass
            labels[i] = f"{labels[i]} ({number})"
    return labels


def _shortened(names: Sequence[str], longest: int) -> list[str]:
    """Labels of names, of which some may still be alike."""
    labels = [shorten(name, longest) for name in names]
    # Each turn has half the room of the one before it.
    if longest > _SHORTEST_PART:
        for alike in _alike(labels):
            group = [names[i] for i in alike]
            if min(group) == max(group):
                continue
            for i, label in zip(alike, _told_apart(group, longest), strict=True):
                labels[i] = label
    return labels


def _alike(labels: Sequence[str]) -> list[list[int]]:
    """The places of each label that occurs more than once."""
    places: dict[str, list[int]] = {}
    for i, label in enumerate(labels):
        places.setdefault(label, []).append(i)
    return [alike for alike in places.values() if len(alike) > 1]


def _visible(label: str) -> str:
    """What is seen of a label: no marks of direction, and of spaces only one."""
    if not label.isascii():
        label = normalize("NFC", label)
    if not label.isprintable():
        label = "".join(c for c in label if c.isspace() or category(c) not in _UNSEEN)
    return " ".join(label.split())


def _told_apart(names: Sequence[str], longest: int) -> list[str]:
    """Labels of long names with the same beginning and end.

    The part in which they differ stays, with as much before it as there is room for.
    """
    start = common_start(names)
    rest = [name[len(start) :] for name in names]
    end = common_end(rest)
    middles = [part[: len(part) - len(end)] for part in rest]
    shown = _shortened(middles, max(longest // 2, _SHORTEST_PART))
    after = end if len(end) <= longest // 4 else f"{end[: longest // 8]}…"
    room = longest - len(after) - max(map(len, shown))
    before = shorten(start, max(room, longest // 4))
    return [f"{before}{middle}{after}" for middle in shown]
