from itertools import chain, combinations

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sources.pages import RULES, PageMerger, parse_rules

ALL = frozenset(RULES)

CASE_22 = [
    *("/about", "/about/", "/About", "/about?utm_source=x", "/about?fbclid=abc"),
    *("/about#top", "https://example.com/about", "http://www.example.com/about "),
    *("/", "//", "/index.html"),
]

PIECES = (
    *("/", "//", "?", "#", "a", "B", " ", "\u3000", "http://", "HTTPS://e.com", "x://"),
    *("index.html", "/Index.PHP", "[", "%20", ".", "\u212a", "\u0130", "Σ", "=", ":"),
)
NAMES = st.lists(
    st.text() | st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=8
)
SOME_RULES = st.frozensets(st.sampled_from(sorted(RULES)))


def merged(rules: str, *names: str | None) -> list[str | None]:
    array = pa.array(names, pa.string())
    result: list[str | None] = PageMerger(parse_rules(rules)).merge(array).to_pylist()
    return result


@pytest.mark.parametrize(
    ("rules", "name", "expected"),
    [
        ("query", "/about?x=1", "/about"),
        ("query", "/about?x=1?y=2", "/about"),
        ("query", "/about?", "/about"),
        ("query", "/about?x=1#top", "/about#top"),
        ("query", "/app#/route?x=1", "/app#/route"),
        ("query", "/search?q=a b", "/search"),
        ("query", "home?x=1", "home"),
        ("query", "Why?", "Why?"),
        ("query", "Q? A#1", "Q? A#1"),
        ("query", "?a=1", "?a=1"),
        ("query", "/a ?x", "/a"),
        ("fragment", "/about#top", "/about"),
        ("fragment", "/about?x=1#top", "/about?x=1"),
        ("fragment", "/#/settings", "/"),
        ("fragment", "C#", "C#"),
        ("query,fragment", "Q? A#1", "Q? A#1"),
        ("query,fragment", "/a#b?c", "/a"),
        ("query,fragment", "/a?b#c", "/a"),
        ("slash", "/about/", "/about"),
        ("slash", "/about//team///", "/about/team"),
        ("slash", "/", "/"),
        ("slash", "//", "/"),
        ("slash", "/about/?x=1//2/", "/about?x=1//2/"),
        ("slash", "https://example.com//a//", "https://example.com/a"),
        ("slash", "https://example.com/", "https://example.com"),
        ("slash", "and/or/", "and/or/"),
        ("case", "/About?ID=Ab", "/about?ID=Ab"),
        ("case", "HTTPS://Example.com/A#B", "https://example.com/a#B"),
        ("case", "Home", "home"),
        ("case", "Über uns", "über uns"),
        ("host", "https://example.com/about", "/about"),
        ("host", "http://www.example.com", "/"),
        ("host", "HTTPS://u:p@example.com:80/A?b", "/A?b"),
        ("host", "https://example.com?x=1", "/?x=1"),
        ("host", "//cdn.example.com/x", "//cdn.example.com/x"),
        ("host", "example.com/about", "example.com/about"),
        ("host", "shop://cart", "shop://cart"),
        ("host", "http://[", "/"),
        ("index", "/index.html", "/"),
        ("index", "/docs/Default.aspx", "/docs/"),
        ("index", "/docs/index.php?x=1", "/docs/?x=1"),
        ("index", "/docs/myindex.html", "/docs/myindex.html"),
        ("index", "index.html", "index.html"),
        ("index", "https://example.com/a/index.htm", "https://example.com/a/"),
        ("index,slash", "/docs/index.jsp/", "/docs"),
        ("index,slash", "/index.html/index.html", "/"),
        ("host,index", "http://example.com/index.html", "/"),
        ("host", " /a ", "/a"),
        ("host", "  ", "  "),
        ("host", "", ""),
    ],
)
def test_drops_what_a_rule_names(rules: str, name: str, expected: str) -> None:
    assert merged(rules, name) == [expected]


def test_names_stay_in_their_order_beside_nulls() -> None:
    names = ["/b?x", None, "https://e.com/A/", "plain", "/b?y"]
    expected = ["/b", None, "/a", "plain", "/b"]
    assert merged(",".join(RULES), *names) == expected
    assert merged(",".join(RULES)) == []


def test_without_rules_nothing_changes() -> None:
    merger = PageMerger(frozenset())
    names = pa.array(["/a?b", " x "])
    assert merger.merge(names) is names
    assert merger.note() is None


def test_the_addresses_of_one_page_become_one() -> None:
    merger = PageMerger(ALL - {"index"})
    merger.merge(pa.array(CASE_22))
    rules = "query, fragment, slash, case, host"
    assert merger.note() == f"11 pages became 3 by dropping {rules}."
    merger = PageMerger(ALL)
    assert set(merger.merge(pa.array(CASE_22)).to_pylist()) == {"/", "/about"}
    assert merger.note() == f"11 pages became 2 by dropping {rules}, index."


def test_counts_each_name_once_over_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.pages._FEW", 3)
    merger = PageMerger(frozenset({"query"}))
    assert merger.note() is None
    for part in (["/a?1", "/b"], ["/a?1", "/a?2", None], ["/b", "/c"], []):
        merger.merge(pa.array(part, pa.string()))
    assert merger.note() == "4 pages became 3 by dropping query."
    assert merger.note() == "4 pages became 3 by dropping query."
    merger.merge(pa.array(["/d"]))
    assert merger.note() == "5 pages became 4 by dropping query."


def test_rules_are_words_between_commas() -> None:
    assert parse_rules("query") == {"query"}
    assert parse_rules(" Host,query , query") == {"host", "query"}
    known = "query, fragment, slash, case, host, index"
    for text, word in (("query,hots", "'hots'"), ("", "''"), ("query,", "''")):
        with pytest.raises(ValueError, match="is none of") as error:
            parse_rules(text)
        assert str(error.value) == f"{word} is none of {known}"


@given(NAMES, SOME_RULES)
@example(
    ["\u212a://a b?x", "\u0130://A//", "/a/ ?x", "/a/\u3000/", "/a /index.html"], ALL
)
@example(
    ["/ /index.html", "a?#", "?#", "C##", "http:// /", "x:///", "/index.html//"], ALL
)
def test_merging_twice_changes_nothing_more(
    names: list[str], rules: frozenset[str]
) -> None:
    once = PageMerger(rules).merge(pa.array(names, pa.string()))
    assert len(once) == len(names)
    assert PageMerger(rules).merge(once).to_pylist() == once.to_pylist()
    for before, after in zip(names, once.to_pylist(), strict=True):
        assert after.strip() or not before.strip()


@given(NAMES, SOME_RULES)
def test_a_name_becomes_the_same_beside_any_others(
    names: list[str], rules: frozenset[str]
) -> None:
    together = PageMerger(rules).merge(pa.array(names, pa.string())).to_pylist()
    merger = PageMerger(rules)
    assert [merger.merge(pa.array([name]))[0].as_py() for name in names] == together


@pytest.mark.parametrize(
    "rules", [*chain.from_iterable(combinations(RULES, n) for n in (1, 2, 6))]
)
def test_names_that_are_no_addresses_stay(rules: tuple[str, ...]) -> None:
    names = ["checkout", "sign up", "404", "a/b/", "c#", "why?", "q? a#1", "1.5//2"]
    assert merged(",".join(rules), *names) == names
