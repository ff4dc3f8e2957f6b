from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sources.repeated import Repeated, repeated_notes
from sources.rows import NAMES, Rows

View = tuple[str, str, float | None, int]


def rows_of(views: Sequence[View]) -> Rows:
    users, pages, seconds, times = ([view[i] for view in views] for i in range(4))
    return Rows(
        pa.array(users, pa.string()).cast(NAMES),
        pa.array(pages, pa.string()).cast(NAMES),
        np.array(seconds, np.float64),
        np.array(times, np.int64),
    )


def found(
    *parts: tuple[int, Sequence[View]],
) -> tuple[list[bool], dict[tuple[int, int], int]]:
    repeated = Repeated()
    for file, views in parts:
        repeated.add(file, rows_of(views))
    mask, pairs = repeated.find()
    return mask.tolist(), dict(pairs)


A: View = ("ann", "home", 10.0, 5)


def test_finds_what_an_earlier_file_has() -> None:
    others: list[View] = [
        ("ann", "home", None, 5),
        ("ann", "home", 10.0, 6),
        ("ann", "hom", 10.0, 5),
        ("home", "ann", 10.0, 5),
        ("ann", "home", 10.5, 5),
    ]
    assert found((0, [A, *others]), (1, [A, *others[1:]])) == (
        [False] * 6 + [True] * 5,
        {(0, 1): 5},
    )
    assert found((0, [A]), (1, others)) == ([False] * 6, {})


def test_rows_of_one_file_are_all_its_own() -> None:
    assert found((0, [A, A]), (0, [A])) == ([False] * 3, {})
    assert found((0, [A, A]), (1, [A, A, A])) == (
        [False, False, True, True, False],
        {(0, 1): 2},
    )


def test_unknown_durations_are_the_same() -> None:
    unknown: View = ("ann", "home", None, 5)
    assert found((0, [unknown]), (1, [unknown]), (2, [unknown])) == (
        [False, True, True],
        {(0, 1): 1, (0, 2): 1},
    )


def test_no_rows() -> None:
    assert found() == ([], {})


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.lists(
                st.tuples(
                    st.sampled_from(["a", "b"]),
                    st.sampled_from(["a", "b"]),
                    st.sampled_from([None, 0.0, 1.0]),
                    st.integers(0, 1),
                ),
                max_size=6,
            ),
        ),
        max_size=5,
    ).map(lambda parts: sorted(parts, key=lambda part: part[0]))
)
def test_agrees_with_a_search_row_by_row(parts: list[tuple[int, list[View]]]) -> None:
    # How often each file has each row.
    counts: dict[int, Counter[View]] = {file: Counter() for file in range(3)}
    mask, pairs = [], Counter[tuple[int, int]]()
    for file, views in parts:
        for view in views:
            earlier = [other for other in range(file) if counts[other][view]]
            most = max((counts[other][view] for other in earlier), default=0)
            counts[file][view] += 1
            mask.append(counts[file][view] <= most)
            if mask[-1]:
                pairs[min(earlier), file] += 1
    assert found(*parts) == (mask, dict(pairs))


def test_says_which_files_share_rows() -> None:
    names = ["january.csv", "feb.csv"]
    pairs = Counter({(0, 1): 4_102})
    assert repeated_notes(pairs, names, dropped=False) == [
        "4,102 rows stand in both january.csv and feb.csv, counted twice.",
        "To count them once, add --drop-repeated.",
    ]
    assert repeated_notes(Counter({(0, 1): 1}), names, dropped=True) == [
        "1 row stands in both january.csv and feb.csv, counted once."
    ]
    assert repeated_notes(Counter(), names, dropped=False) == []


def test_says_which_of_many_files_share_most() -> None:
    names = [f"{n}.csv" for n in range(20)]
    pairs = Counter({(0, n): n for n in range(1, 20)})
    notes = repeated_notes(pairs, names, dropped=True)
    assert len(notes) == 11
    assert notes[0].startswith("19 rows stand in both 0.csv and 19.csv,")
    assert notes[-1] == "45 more in 9 other pairs of files."


def test_ten_pairs_of_files_are_all_that_there_is_to_say() -> None:
    pairs = {(0, n): 1 for n in range(1, 11)}
    assert (
        len(repeated_notes(pairs, [f"{n}.csv" for n in range(11)], dropped=True)) == 10
    )
