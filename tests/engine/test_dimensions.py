from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.bins import choose_edges
from engine.dimensions import CodedSelection, Dimensions
from engine.model import NotInData, Selection


@pytest.fixture
def dimensions() -> Dimensions:
    days = np.array(["2024-01-01", "2024-01-03", "2024-02-29"], "datetime64[D]")
    # Edges 0, 0.001, 1, 1.5, 2, 3, 4, 5 and infinity.
    return Dimensions(pd.Index(["a", "b"], dtype="str"), days, choose_edges(4, 1))


def test_shape(dimensions: Dimensions) -> None:
    edges = [0, 0.001, 1, 1.5, 2, 3, 4, 5, np.inf]
    assert dimensions.bin_edges.tolist() == edges
    assert dimensions.shape == (3, 2, 9)


def test_everything(dimensions: Dimensions) -> None:
    assert dimensions.encode(Selection("whoever")) == CodedSelection(0, 3, None, 0, 9)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"start": date(2024, 1, 1)}, (0, 3)),
        ({"start": date(2024, 1, 2)}, (1, 3)),
        ({"start": date(2024, 1, 3), "end": date(2024, 2, 29)}, (1, 2)),
        ({"end": date(2024, 3, 1)}, (0, 3)),
        ({"start": date(2025, 1, 1)}, (3, 3)),
        ({"end": date(2023, 1, 1)}, (0, 0)),
        ({"start": date(2024, 2, 1), "end": date(2024, 1, 1)}, (2, 2)),
    ],
)
def test_dates(
    dimensions: Dimensions, filters: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert dimensions.encode(Selection(**filters))[:2] == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"shortest": 0}, (1, 9)),
        ({"shortest": 1}, (3, 9)),
        ({"longest": 0.001}, (1, 2)),
        ({"longest": np.inf}, (1, 9)),
        ({"shortest": 2, "longest": 4}, (5, 7)),
        ({"shortest": 4, "longest": 2}, (7, 7)),
        ({"shortest": np.inf}, (9, 9)),
    ],
)
def test_durations(
    dimensions: Dimensions, filters: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert dimensions.encode(Selection(**filters))[3:] == expected


def test_pages(dimensions: Dimensions) -> None:
    pages = dimensions.encode(Selection(pages=("b",))).pages
    assert pages is not None
    assert pages.tolist() == [False, True]


def test_refuses_what_is_not_in_the_data(dimensions: Dimensions) -> None:
    for selection in (
        *(Selection(pages=("c",)), Selection(shortest=0.5), Selection(longest=-1)),
        *(Selection(longest=np.nan), Selection(shortest=1, longest=7)),
    ):
        with pytest.raises(NotInData):
            dimensions.encode(selection)


def test_local_times(dimensions: Dimensions) -> None:
    assert dimensions.local_time(86_400 + 3_661) == pd.Timestamp("2024-01-03T01:01:01")
    times = dimensions.local_times(np.array([0, 3 * 86_400 - 1], np.uint32))
    assert times.dtype == "datetime64[s]"
    assert np.datetime_as_string(times).tolist() == [
        *("2024-01-01T00:00:00", "2024-02-29T23:59:59")
    ]
