from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts import folders as module
from charts.folders import Folders, folders, has_folders, way_to
from tests.examples import examples

SHOP = (
    *("/", "/cart", "/shop/", "/shop/a", "/shop/b/1", "/shop/b/2", "/shop/c/1"),
    "/help/only/this",
)


def rows(pages: tuple[str, ...], folder: str) -> dict[str, list[str]]:
    """The pages of each row, by the row's name."""
    names, n_pages, of_page = folders(pages, folder)
    found: dict[str, list[str]] = {name: [] for name in names}
    assert len(found) == len(names) == len(n_pages)
    for page, row in zip(pages, of_page.tolist(), strict=True):
        if row >= 0:
            found[names[row]].append(page)
        else:
            assert not page.startswith(folder)
    assert [len(members) for members in found.values()] == n_pages.tolist()
    return found


def test_pages_and_folders_at_the_top() -> None:
    assert rows(SHOP, "") == {
        "/": ["/"],
        "/cart": ["/cart"],
        "/shop/": ["/shop/", "/shop/a", "/shop/b/1", "/shop/b/2", "/shop/c/1"],
        # A folder of one page is that page.
        "/help/only/this": ["/help/only/this"],
    }


def test_pages_and_folders_in_a_folder() -> None:
    found = folders(SHOP, "/shop/")
    assert found.names == ["/shop/", "/shop/a", "/shop/b/", "/shop/c/1"]
    assert found.n_pages.tolist() == [1, 1, 2, 1]
    assert found.of_page.tolist() == [-1, -1, 0, 1, 2, 2, 3, -1]
    assert rows(SHOP, "/shop/b/") == {name: [name] for name in SHOP[4:6]}


def test_nothing_is_in_a_folder_that_there_is_not() -> None:
    found = folders(SHOP, "/none/")
    assert found.names == []
    assert found.n_pages.tolist() == []
    assert found.of_page.tolist() == [-1] * len(SHOP)


def test_a_folder_may_end_within_a_part() -> None:
    assert rows(SHOP, "/sh") == rows(SHOP, "/shop/")
    assert rows(("home/a", "house/a", "house/b"), "ho") == {
        "home/a": ["home/a"],
        "house/": ["house/a", "house/b"],
    }


def test_a_folder_of_a_single_folder_is_that_one() -> None:
    pages = ("a/b/c/x", "a/b/c/y")
    for folder in ("", "a/", "a/b/", "a/b/c/"):
        assert folders(pages, folder).names == list(pages)
    # A page between them ends that.
    between = ("a/b", *pages, "z")
    assert folders(between, "").names == ["a/", "z"]
    assert folders(between, "a/").names == ["a/b", "a/b/"]
    assert folders(between, "a/b/").names == list(pages)


def test_the_first_folder_of_an_address_is_its_host() -> None:
    pages = (
        *("http://x.org", "http://x.org/", "http://x.org/a", "http://y.org"),
        *("http://z.org", "https://x.org/a", "https://x.org/b"),
    )
    # Hosts alone are no folder of hosts.
    assert rows(pages, "") == {
        "http://x.org": ["http://x.org"],
        "http://x.org/": ["http://x.org/", "http://x.org/a"],
        "http://y.org": ["http://y.org"],
        "http://z.org": ["http://z.org"],
        "https://x.org/": ["https://x.org/a", "https://x.org/b"],
    }
    # What all have in common is no folder.
    assert folders(pages[5:], "").names == list(pages[5:])


def test_what_is_asked_for_is_in_no_folder() -> None:
    pages = ("/go?to=/a/1", "/go?to=/a/2", "/go#/a/1", "/go#/a/2", "x")
    assert folders(pages, "").names == list(pages)


def test_pages_of_a_slash_are_no_folder_that_has_all_others_in_it() -> None:
    pages = ("/a/1", "/a/2", "/x", "/y", "home")
    assert folders(pages, "").names == ["/a/", "/x", "/y", "home"]
    pages = ("//a/1", "//a/2", "//x", "//y", "home")
    assert folders(pages, "").names == ["//a/", "//x", "//y", "home"]


def test_a_page_may_be_named_like_a_folder() -> None:
    pages = ("a/", "a/b", "c/", "c/d/e", "d")
    assert rows(pages, "") == {
        "a/": ["a/", "a/b"],
        "c/": ["c/", "c/d/e"],
        "d": ["d"],
    }
    assert folders(pages, "a/").names == ["a/", "a/b"]
    # Or like one that stands for it.
    assert folders(("a/", "a/\0a/b", "c"), "a/").names == ["a/", "a/\0a/b"]


def test_names_from_strangers() -> None:
    many = "/" * 5_000
    pages = (f"{many}a", f"{many}b", many, "x/" * 5_000, "x/" * 4_999, "__proto__/a")
    found = rows(pages, "")
    assert found[many + "a"] == [many + "a"]
    assert found["x/"] == [pages[3], pages[4]]
    assert folders(pages[3:5], "").names == list(pages[3:5])
    assert len(way_to("x/" * 5_000)) == 5_000


def test_whether_there_are_folders() -> None:
    assert has_folders(SHOP)
    assert not has_folders(("/cart", "/help/only/this"))
    assert not has_folders(("/cart", "/home", "/"))
    # All in the same one.
    assert not has_folders(("a/b/c", "a/b/d"))
    assert has_folders(("a/b/c", "a/b/d", "a/e"))


@pytest.mark.parametrize(
    ("folder", "way"),
    [
        ("", []),
        ("a/b/", ["a/", "a/b/"]),
        ("/a/b/", ["/a/", "/a/b/"]),
        ("a//b/", ["a/", "a//b/"]),
        ("//a/b/", ["//a/", "//a/b/"]),
        ("http://x.org/a/", ["http://x.org/", "http://x.org/a/"]),
        # What was typed into the address.
        ("ho", ["ho"]),
        ("a/b", ["a/", "a/b"]),
        ("a/?x/", ["a/", "a/?x/"]),
        ("/", ["/"]),
    ],
)
def test_the_way_to_a_folder(folder: str, way: list[str]) -> None:
    assert way_to(folder) == way


some_pages = st.lists(
    st.one_of(
        st.text("ab/", max_size=9),
        st.lists(
            st.sampled_from(
                ("a", "b", "/", "//", "http:", "?", "#", "\0", "\n", ".", "")
            ),
            max_size=8,
        ).map("".join),
    ),
    unique=True,
    min_size=1,
    max_size=20,
).map(lambda pages: tuple(sorted(pages)))


@examples(150)
@given(some_pages, st.data())
def test_folders_part_the_pages_and_opened_show_exactly_theirs(
    pages: tuple[str, ...], data: st.DataObject
) -> None:
    folder = data.draw(
        st.builds(lambda page, n: page[:n], st.sampled_from(pages), st.integers(0, 9))
    )
    found = rows(pages, folder)
    inside = [page for page in pages if page.startswith(folder)]
    assert sorted(page for members in found.values() for page in members) == inside
    for name, members in found.items():
        if len(members) == 1:
            assert name == members[0]
            continue
        assert members == [page for page in pages if page.startswith(name)]
        # It is open: there are fewer in each, and the way to it is by folders.
        assert len(name) > len(folder)
        opened = rows(pages, name)
        assert len(opened) > 1
        assert sum(map(len, opened.values())) == len(members)
        way = way_to(name)
        assert way[-1] == name
        assert all(after.startswith(before) for before, after in pairwise(way))
        assert all(step.endswith("/") for step in way)


def test_folders_are_found_once() -> None:
    pages = tuple(f"{n}/{m}" for n in range(3) for m in range(3))
    module.folders.cache_clear()
    first = folders(pages, "")
    assert isinstance(first, Folders)
    assert folders(pages, "") is first
