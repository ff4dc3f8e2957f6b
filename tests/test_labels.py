from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labels
from formatting import one_line
from labels import (
    LONGEST_PAGE,
    LONGEST_USER,
    Shared,
    common_end,
    common_start,
    distinct,
    page_labels,
    page_parts,
    shared,
)
from tests.examples import examples
from tests.view_strategies import STRANGE

# What all names share.


def test_the_beginning_and_the_end_of_all_names() -> None:
    assert common_start(["abcd", "abx", "abcc"]) == "ab"
    assert common_start(["abc"]) == common_end(["abc"]) == "abc"
    assert common_start(["ab", "abc"]) == "ab"
    assert common_start(["", "a"]) == common_start(["b", "a"]) == ""
    assert common_end(["dcba", "xba"]) == "ba"


@given(st.lists(st.text("ab", max_size=8), min_size=1, max_size=5))
def test_common_parts_are_those_that_fit_all_and_no_longer_ones(
    names: list[str],
) -> None:
    start, end = common_start(names), common_end(names)
    for name in names:
        assert name.startswith(start)
        assert name.endswith(end)
    shortest = min(map(len, names))
    if len(start) < shortest:
        assert len({name[: len(start) + 1] for name in names}) > 1
    if len(end) < shortest:
        assert len({name[-len(end) - 1 :] for name in names}) > 1


@pytest.mark.parametrize(
    ("names", "start", "end"),
    [
        (["https://x.org/a", "https://x.org/b/c"], "https://x.org", ""),
        (["https://x.org/a", "https://x.org/b"], "https://x.org", ""),
        (["https://x.org/shop/a1", "https://x.org/shop/a2"], "https://x.org/shop", ""),
        # The front page isn't left without a name.
        (["https://x.org/", "https://x.org/b"], "https://x.org", ""),
        (["https://x.org", "https://x.org/b"], "https://x.", ""),
        # A scheme alone is short.
        (["https://x.org/a", "https://y.org/b"], "", ""),
        # So is what they share here.
        (["shop/a", "shop/b"], "", ""),
        (["/shop/a", "/shop/b"], "", ""),
        (["/store/a", "/store/b"], "/store", ""),
        (["The Shop: a", "The Shop: b"], "The Shop: ", ""),
        (["org.example.a", "org.example.b"], "org.example.", ""),
        (["/search?q=a", "/search?q=b"], "/search", ""),
        (["/a.html", "/b.html"], "", ".html"),
        (["/a.php", "/b.php"], "", ""),
        (["/a?lang=en", "/b?lang=en"], "", "?lang=en"),
        (["/a.html?s=1", "/b.html?s=1"], "", "?s=1"[:0]),
        (["/a.html?s=123", "/b.html?s=123"], "", "?s=123"),
        (["/a?q=1&lang=en", "/b?q=11&lang=en"], "", "&lang=en"),
        (["/a#top-1", "/b#top-1"], "", "#top-1"),
        (["/store/a.html", "/store/b.html"], "/store", ".html"),
        # One name has no more than that.
        (["visits ", "visits x"], "", ""),
        (["example.", "example.b"], "", ""),
        ([".html", "a.html"], "", ""),
        (["?lang=en", "a?lang=en"], "", ""),
        (["/store/.html", "/store/b.html"], "/store", ".html"),
        # A line break is no end.
        (["a.html\n", "b.html\n"], "", ""),
        (["home"], "", ""),
        ([], "", ""),
    ],
)
def test_what_all_names_share_ends_where_a_part_does(
    names: list[str], start: str, end: str
) -> None:
    assert shared(names) == Shared(start, end)


def test_what_is_cut_is_said() -> None:
    assert Shared("", "").words == ""
    assert Shared("/store", "").words == "All begin with “/store”."
    assert Shared("", ".html").words == "All end in “.html”."
    assert Shared("a\nb", ".html").words == "All begin with “a b” and end in “.html”."
    words = Shared("x" * 10_000, "").words
    assert len(words) == len("All begin with “”.") + 2 * LONGEST_PAGE


# Labels.


def test_short_names_are_their_labels() -> None:
    assert distinct(["home", "cart", "a b"], 8) == ["home", "cart", "a b"]
    assert distinct([], 8) == []


def test_a_long_name_loses_its_middle() -> None:
    assert distinct(["0123456789abcdefghij", "x"], 12) == ["012…cdefghij", "x"]


def test_of_names_that_look_alike_the_part_that_differs_is_shown() -> None:
    names = ["a" * 40 + digit + "b" * 40 for digit in "123"]
    # With a little of what is after it, and as much before it as there is room for.
    assert distinct(names, 16) == [f"aaa…{'a' * 8}{digit}bb…" for digit in "123"]
    # Among others, which stay as they are.
    other = "a" * 40 + "c" * 40
    assert distinct([other, *names[:2]], 16) == [
        *("aaaa…ccccccccccc", "aaa…aaaaaaaa1bb…", "aaa…aaaaaaaa2bb…")
    ]


def test_a_long_part_that_differs_is_shortened_in_turn() -> None:
    names = ["a" * 40 + digit + "-" * 40 + "b" * 40 for digit in "12"]
    # They end alike from the line on, so that only the digit differs.
    assert distinct(names, 16) == ["aaa…aaaaaaaa1--…", "aaa…aaaaaaaa2--…"]
    names = ["a" * 40 + c + "-" * 40 + d + "b" * 40 for c, d in ("12", "34")]
    assert distinct(names, 16) == ["a…aaa1-…----2bb…", "a…aaa3-…----4bb…"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "a\n"], ["a", "a (2)"]),
        (["a b", "a\nb", "a\r\nb"], ["a b", "a b (2)", "a b (3)"]),
        # A space at the end, or one more than one.
        (["a", "a "], ["a", "a  (2)"]),
        (["a b", "a  b"], ["a b", "a  b (2)"]),
        # Names that are numbered by themselves, or seem to be.
        (["a", "a\n", "a (2)"], ["a", "a (3)", "a (2)"]),
        (["a", "a ", "a (2)"], ["a", "a  (3)", "a (2)"]),
        (["a (2)", "a", "a\n", "a\r"], ["a (2)", "a", "a (3)", "a (4)"]),
        # Marks of direction, of no width, and accents written apart.
        (["a", "a\u200f", "\u202ea"], ["a", "a\u200f (2)", "\u202ea (3)"]),
        (["a", "a\u200b"], ["a", "a\u200b (2)"]),
        (["é", "e\u0301"], ["é", "e\u0301 (2)"]),
        # What looks empty.
        (
            ["", " ", "\n", "\u200b", "x"],
            [*("(blank)", "(blank) (2)"), *("(blank) (3)", "(blank) (4)", "x")],
        ),
        (["(blank)", "\x00"], ["(blank)", "(blank) (2)"]),
        # A newer emoji isn't taken for nothing.
        (["\U0001faea", "\U000e0fff"], ["\U0001faea", "\U000e0fff"]),
    ],
)
def test_what_can_not_be_seen_is_numbered(
    names: list[str], expected: list[str]
) -> None:
    assert distinct(names, 20) == expected


def test_beginnings_and_ends_of_other_names() -> None:
    long = "x" * 10_000
    names = [long, long + "y", "y" + long, long[1:], "x", ""]
    found = distinct(names, LONGEST_PAGE)
    assert len(set(found)) == 6
    assert found[1].endswith("xy")
    assert found[2].startswith("yx")
    assert max(map(len, found)) <= LONGEST_PAGE + 2 + len(" (2)")


def test_what_differs_too_deep_is_numbered() -> None:
    # In each turn one name is told apart from the others.
    names = ["a" * (30 * i) + "b" + "a" * (30 * (300 - i)) for i in range(300)]
    found = distinct(names, LONGEST_PAGE)
    assert len(set(found)) == 300
    assert max(map(len, found)) <= LONGEST_PAGE + 2 + len(" (300)")


PARTS = st.sampled_from(
    (
        *("a", "b", "/", "//", "?", "&", ".html", " ", "\n", "\u2028", "\u202e", "%"),
        *("__proto__", "(2)", " (2)", "…", "x" * 20, "x" * 40, "/" * 5_000, "é"),
        *("https://", "e\u0301", "\u200b", "\x00", "\ud7ff", "😀"),
    )
)
names_of_parts = st.one_of(
    st.lists(PARTS, max_size=8).map("".join),
    st.lists(st.sampled_from(("x" * 30, "y")), max_size=12).map("".join),
    st.sampled_from(STRANGE),
    st.text(max_size=20),
)
some_names = st.lists(names_of_parts, unique=True, min_size=1, max_size=30)


@examples(300)
@given(some_names, st.sampled_from((2, 4, 7, 8, 9, 16, LONGEST_USER, LONGEST_PAGE)))
def test_labels_are_all_different_on_one_line_and_about_as_long_as_asked(
    names: list[str], longest: int
) -> None:
    found = distinct(names, longest)
    assert len(set(found)) == len(found) == len(names)
    for name, label in zip(names, found, strict=True):
        assert len(label.splitlines()) <= 1
        assert label.strip()
        # Two more characters, and a number of up to two digits.
        assert len(label) <= max(longest + 2, len("(blank)")) + len(" (30)")
        if len(name) <= longest and name.isprintable() and name.isascii():
            assert label.startswith(name if name.strip() else "(blank)")


@examples(100)
@given(some_names)
def test_labels_of_pages_say_what_is_left_out(names: list[str]) -> None:
    pages = tuple(names)
    start, end = page_parts(pages)
    found = page_labels(pages)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    for name in names:
        assert name.startswith(start)
        assert name.endswith(end)
        bare = name[len(start) : len(name) - len(end)]
        assert len(start) + len(end) < len(name) or not start + end
        if len(one_line(bare)) <= LONGEST_PAGE and bare.isprintable():
            assert found[name].startswith(bare or "(blank)") or not bare.strip()


def test_labels_of_pages() -> None:
    pages = (
        *("https://x.org/", "https://x.org/shop/cart.html"),
        "https://x.org/shop/__proto__.html",
    )
    assert page_labels(pages) == {
        pages[0]: "/",
        pages[1]: "/shop/cart.html",
        pages[2]: "/shop/__proto__.html",
    }
    assert page_labels(("home",)) == {"home": "home"}


SHOP = "/en/catalogue/outdoor/alpine-trail-running-jacket"
TRACKED = "utm_source=newsletter&utm_medium=email&ref=7bc403b6"


def test_a_long_address_is_told_by_its_path() -> None:
    pages = tuple(f"{SHOP}/product-{n}?{TRACKED}&size={n}" for n in (62822, 41530))
    assert list(page_labels((*pages, "/cart")).values()) == [
        "/en/catalog…l-running-jacket/product-62822?…",
        "/en/catalog…l-running-jacket/product-41530?…",
        "/cart",
    ]


def test_a_query_is_shown_where_paths_are_the_same() -> None:
    pages = tuple(f"{SHOP}?{TRACKED}&size={size}&fbclid=x{size}" for size in "SM")
    small, medium, cart = page_labels((*pages, "/cart")).values()
    # Without what tracks whoever came.
    assert small.endswith("ing-jacket?size=S&…")
    assert medium.endswith("ing-jacket?size=M&…")
    assert small.startswith("/en/catalog…")
    assert cart == "/cart"
    # Unless there is nothing else: then as much as is needed.
    pages = tuple(f"{SHOP}?sessionid={n}{'x' * 60}" for n in "12")
    first, second, _ = page_labels((*pages, "/cart")).values()
    assert first == second.replace("?sessionid=2", "?sessionid=1")
    assert "?sessionid=1" in first
    # Also beside a page that is named as what would be left.
    short = f"{SHOP}?size=S"
    labels_ = page_labels((short, f"{short}&utm_source={'x' * 30}", "/cart"))
    assert len(set(labels_.values())) == 3


def test_short_addresses_are_whole_whatever_they_end_in() -> None:
    pages = ("/a?utm_source=x", "/b?ref=1&sid=2", "/b?ref=1")
    assert list(page_labels(pages).values()) == list(pages)


@given(
    st.lists(
        st.lists(
            st.sampled_from(
                (
                    *("/", "?", "&", "utm_a=", "ref=", "x" * 20, "y" * 40, "a", "1"),
                    *("…", "?…", "&…", "?utm_source=email&", "size=1"),
                )
            ),
            min_size=1,
            max_size=10,
        ).map("".join),
        unique=True,
        min_size=1,
        max_size=12,
    )
)
def test_labels_of_addresses_are_all_different(names: list[str]) -> None:
    found = list(page_labels(tuple(names)).values())
    assert len(set(found)) == len(names)
    assert max(map(len, found)) <= LONGEST_PAGE + 2 + len(" (12)")


class Counted(str):
    """A text that counts how many characters are taken from any such text."""

    taken = 0

    def __getitem__(self, key: Any) -> "Counted":
        part = Counted(super().__getitem__(key))
        Counted.taken += len(part)
        return part


def test_labels_take_time_that_grows_with_the_length_of_all_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = 0
    told_apart = labels._told_apart

    def counted(names: Any, longest: int) -> list[str]:
        nonlocal calls
        calls += 1
        return told_apart(names, longest)

    monkeypatch.setattr(labels, "_told_apart", counted)
    # A group of all names, from which each turn takes one.
    names = [Counted("a" * (30 * i) + "b" + "a" * (30 * (200 - i))) for i in range(200)]
    Counted.taken = 0
    distinct(names, LONGEST_PAGE)
    assert calls <= 3
    assert Counted.taken < 10 * sum(map(len, names))
