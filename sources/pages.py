"""Addresses of one page that are written in several ways, made one."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from formatting import count_text

RULES: Final[Mapping[str, str]] = {
    "query": "what follows a question mark",
    "fragment": "what follows a #",
    "slash": "slashes at the end, and doubled ones",
    "case": "the difference between capital and small letters",
    "host": "http:// or https:// and the host",
    "index": "index.html and its like at the end",
}
"""What can be dropped from addresses, by the words of ``--merge-pages``."""

# Two letters aren't ASCII, but their small ones are: the Kelvin sign and a dotted I.
_SCHEME: Final = "^[a-zA-Z\u212a\u0130][a-zA-Z0-9\u212a\u0130+.-]*://"
_WEB_HOST: Final = "^[hH][tT][tT][pP][sS]?://[^/]*"
_BLANKS: Final = "".join(chr(n) for n in range(0x3001) if chr(n).isspace())
_INDEX: Final = "/(?i:index|default)[.](?i:[sx]?html?|php|aspx?|jsp)"
_FEW: Final = 1_000_000


def parse_rules(text: str) -> frozenset[str]:
    """The rules that a text such as "query,host" names; ValueError for another."""
    rules = frozenset(rule.strip().lower() for rule in text.split(","))
    if unknown := sorted(rules - set(RULES)):
        raise ValueError(f"{unknown[0]!r:.60} is none of {', '.join(RULES)}")
    return rules


class PageMerger:
    """Merges names of pages by rules, the same in all parts of the data.

    What begins with a slash or a scheme such as ``https://`` is an address. The rules
    slash, host and index leave other names alone; query and fragment change them only
    if they have no blank and something follows the mark, so that "C#", "Why?" and
    "Q? A#1" stay. ``//x`` is a path, not a host. A query ends at a ``#``: with
    ``query`` alone, ``/a?b#c`` is ``/a#c``. Only ``http`` and ``https`` have hosts:
    screens of an app, ``shop://cart``, stay apart. Merging twice changes nothing more.
    """

    def __init__(self, rules: frozenset[str]) -> None:
        self._rules = [rule for rule in RULES if rule in rules]
        kept = {"#": "fragment", "[?]": "query"}
        self._kept = "|".join(m for m, rule in kept.items() if rule not in rules)
        self._before, self._after = _Distinct(), _Distinct()

    def merge(self, names: pa.Array) -> pa.Array:
        """The names that these names become, in their order."""
        if not self._rules:
            return names
        names = names.cast(pa.string())
        text = pc.utf8_trim_whitespace(names)
        is_address = pc.or_(pc.starts_with(text, "/"), _has(text, _SCHEME))
        has_tail = pc.and_not(_has(text, "[?#](?s:.)"), _has(text, f"[{_BLANKS}]"))
        has_tail = pc.or_(has_tail, is_address)
        head = pc.if_else(has_tail, _replaced(text, "(?s)[?#].*", ""), text)
        head = pc.utf8_rtrim_whitespace(head)
        if "case" in self._rules:
            head = pc.utf8_lower(head)
        if {"slash", "host", "index"} & set(self._rules):
            head = pc.if_else(is_address, self._shortened(head), head)
        if self._kept and pc.any(_has(text, self._kept)).as_py():
            tail = pc.if_else(has_tail, self._tails(text), "")
            head = pc.binary_join_element_wise(head, tail, "")
        merged = pc.utf8_rtrim_whitespace(head)
        merged = pc.if_else(pc.equal(merged, ""), names, merged)
        self._before.add(names)
        self._after.add(merged)
        return merged

    def note(self) -> str | None:
        """How many pages became how many; None if there is nothing to say."""
        before, after = self._before.count(), self._after.count()
        rules = ", ".join(self._rules)
        text = f"{count_text(before, 'page')} became {after:,} by dropping {rules}."
        return text if before else None

    def _tails(self, texts: pa.Array) -> pa.Array:
        """The queries and fragments that the rules leave."""
        tails = _replaced(texts, "^[^?#]*", "")
        if "fragment" in self._rules:
            return _replaced(tails, "(?s)#.*", "")
        return _replaced(tails, r"\?[^#]*", "") if "query" in self._rules else tails

    def _shortened(self, addresses: pa.Array) -> pa.Array:
        """Addresses without hosts, slashes and index files, as the rules say."""
        hosts: pa.Array | str = ""
        if "host" in self._rules:
            addresses = _replaced(addresses, _WEB_HOST, "")
            addresses = pc.if_else(pc.equal(addresses, ""), "/", addresses)
        if pc.any(has_host := _has(addresses, _SCHEME)).as_py():
            hosts = _replaced(addresses, f"({_SCHEME}[^/]*)(?s:.*)", r"\1")
            hosts = pc.if_else(has_host, hosts, "")
            addresses = _replaced(addresses, f"{_SCHEME}[^/]*", "")
        if "slash" in self._rules:
            if pc.any(pc.match_substring(addresses, "//")).as_py():
                addresses = _replaced(addresses, "//+", "/")
            addresses = pc.utf8_rtrim(addresses, f"/{_BLANKS}")
        if "index" in self._rules and pc.any(_has(addresses, f"{_INDEX}$")).as_py():
            if "slash" in self._rules:
                # There may be several, as in /index.html/index.html.
                addresses = _replaced(addresses, f"({_INDEX}|[/{_BLANKS}])+$", "")
            else:
                addresses = _replaced(addresses, f"{_INDEX}$", "/")
        addresses = pc.binary_join_element_wise(hosts, addresses, "")
        return pc.if_else(pc.equal(addresses, ""), "/", addresses)


def merge_names(pages: pa.DictionaryArray, merger: PageMerger) -> pa.DictionaryArray:
    """Pages under the names that they are counted by."""
    used, indices = np.unique(pages.indices.to_numpy(), return_inverse=True)
    merged = merger.merge(pages.dictionary.take(pa.array(used))).dictionary_encode()
    indices = merged.indices.cast(pa.int32()).take(pa.array(indices))
    return pa.DictionaryArray.from_arrays(indices, merged.dictionary)


class _Distinct:
    """Counts the different texts of several arrays."""

    def __init__(self) -> None:
        self._texts: list[pa.Array] = []
        self._room = _FEW

    def add(self, texts: pa.Array) -> None:
        """Count these texts, too, but nulls."""
        self._texts.append(texts)
        self._room -= len(texts)
        if self._room < 0:
            self._room = max(_FEW, self.count())

    def count(self) -> int:
        """How many different ones there have been."""
        texts = pa.chunked_array(self._texts, pa.string()).unique().drop_null()
        self._texts = [texts]
        return len(texts)


def _has(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(texts, pattern)


def _replaced(texts: pa.Array, pattern: str, text: str) -> pa.Array:
    return pc.replace_substring_regex(texts, pattern, text)
