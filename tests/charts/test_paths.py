from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.paths import MOST_LISTED, MOST_ROWS, Paths
from engine.model import Engine
from tests.building import MARCH, engine_of, view_of
from tests.engine.conformance import VISITS
from tests.examples import examples
from tests.sessions import Row
from tests.view_strategies import strange_rows, views_of


def shown(
    rows: Sequence[Row] | Engine = VISITS, user: str | None = None, **how: Any
) -> Any:
    engine = rows if not isinstance(rows, Sequence) else engine_of(rows)
    return Paths().answer(engine, view_of(user, **how))


def shares(column: Any) -> list[tuple[str, str]]:
    return [(row["label"], row["everyone"]["text"]) for row in column["rows"]]


def many_pages(n: int) -> list[Row]:
    """From p0 once to each of the others, one minute later."""
    return [
        (f"u{number}", page, 1, f"2024-01-01T00:0{minute}:00")
        for number in range(1, n)
        for minute, page in enumerate(("p0", f"p{number}"))
    ]


def test_where_people_go_and_where_they_came_from() -> None:
    found = shown(step="cart")
    assert found["finding"] == (
        "After cart 17 % go on to cart; 50 % leave."
        " Before it 33 % were on home; 50 % came in here."
    )
    (ahead,), (back,) = found["ahead"], found["back"]
    assert (ahead["title"], ahead["n"]) == ("Next page", ["6 sessions"])
    assert shares(ahead) == [
        *(("cart", "17 %"), ("help", "17 %"), ("pay", "17 %")),
        ("left the site", "50 %"),
    ]
    assert [row["time"] for row in ahead["rows"]] == [
        *("average 0 s", "average 7 s", "time unknown", "")
    ]
    assert (back["title"], back["rows"][-1]["label"]) == ("Page before", "came in here")
    assert all(row["user"] is None for row in [*ahead["rows"], *back["rows"]])


def test_its_numbers_are_a_table() -> None:
    view = view_of("a", step="cart", ahead=("help",))
    frame = Paths().numbers(engine_of(VISITS), view)
    assert list(frame.columns) == [
        *("middle", "step", "page"),
        *("everyone: sessions", "everyone: share (%)", "everyone: average session (s)"),
        *("a: sessions", "a: share (%)", "a: average session (s)"),
    ]
    one_after = frame[frame["step"] == "1 after"]
    assert one_after["page"].tolist() == ["(left the site)", "cart", "help", "pay"]
    assert one_after["everyone: sessions"].tolist() == [3, 1, 1, 1]
    assert one_after["everyone: share (%)"].round().tolist() == [50, 17, 17, 17]
    assert one_after["a: sessions"].tolist() == [1, 0, 1, 1]
    assert frame["step"].unique().tolist() == ["1 before", "1 after", "2 after"]
    # There is room for some in the saved view, and for all in the file.
    engine = engine_of(many_pages(20))
    assert len(Paths().numbers(engine, view_of(step="p0"))) == 1 + MOST_ROWS + 1
    every = Paths().numbers(engine, view_of(step="p0"), every_row=True)
    assert len(every) == 1 + 19


def test_a_user_stands_beside_everyone() -> None:
    found = shown(user="a", step="cart")
    assert found["finding"].endswith(
        " a: 33 % go on to help; 33 % leave (3 sessions, so this may be chance)."
    )
    (ahead,) = found["ahead"]
    assert ahead["n"] == ["6 sessions", "a: 3 sessions, so this may be chance"]
    cart, help_, *_ = ahead["rows"]
    assert cart["user"] == {"width": 0, "text": "0 %"}
    assert help_["user"] == {"width": 1, "text": "33 %"}
    assert help_["everyone"] == {"width": 0.5, "text": "17 %"}
    assert help_["details"] == "1 session, average 7 s; a: 1 session, average 7 s"
    away = shown(user="b", step="help")
    assert away["finding"].endswith(" b has no such session.")
    assert all(row["user"] is None for row in away["ahead"][0]["rows"])


def test_a_chain_goes_on_from_what_was_chosen() -> None:
    found = shown(step="home", ahead=("cart", "pay"), back=("pay",))
    titles = [column["title"] for column in found["ahead"]]
    assert titles == ["Next page", "After cart", "After pay"]
    assert [column["can_choose"] for column in found["ahead"]] == [True, True, False]
    chosen = [
        [row["page"] for row in column["rows"] if row["is_chosen"]]
        for column in found["ahead"]
    ]
    assert chosen == [["cart"], ["pay"], []]
    assert shares(found["ahead"][2]) == [("home", "100 %"), ("left the site", "0 %")]
    assert found["back"][1]["title"] == "Before pay"
    assert found["back"][1]["rows"][-1]["label"] == "came in there"
    assert found["chains"] == {"ahead": ["cart", "pay"], "back": ["pay"]}


@pytest.mark.parametrize(
    ("how", "page"),
    [
        ({}, "cart"),
        ({"pages": ("help", "pay")}, "pay"),
        ({"pages": ("help",), "step": "home"}, "home"),
        ({"user": "b"}, "cart"),
    ],
)
def test_the_page_in_the_middle(how: dict[str, Any], page: str) -> None:
    assert shown(**how)["page"] == page


def test_many_pages_are_the_largest_and_the_others_in_words() -> None:
    engine = engine_of(many_pages(40))
    found = shown(engine, step="p0", ahead=("p9",))
    first, _ = found["ahead"]
    assert len(first["rows"]) == MOST_ROWS + 1
    # The chosen one has a row, however small.
    assert [row["page"] for row in first["rows"] if row["is_chosen"]] == ["p9"]
    assert first["others"] == "31 other pages: 79 %"
    assert len(found["listed"]) == MOST_LISTED
    assert found["listed"][0]["page"] == "p0"


def test_nothing_matches() -> None:
    found = shown(user="a", step="cart", **MARCH | {"end": MARCH["start"]})
    assert found["finding"] == "cart: No sessions match."
    assert [row["label"] for row in found["ahead"][0]["rows"]] == ["left the site"]


def test_one_session_and_pages_that_nobody_leaves_to() -> None:
    found = shown([("u", "p", None, "2024-01-01")], user="u")
    assert found["finding"] == (
        "After p everybody leaves. Before it everybody came in here."
        " u: everybody leaves (1 session, so this may be chance)."
    )


@examples(50)
@given(data=st.data(), rows=strange_rows)
def test_any_view_has_shares_of_each_column(
    data: st.DataObject, rows: list[Row]
) -> None:
    engine = engine_of(rows)
    found = Paths().answer(engine, data.draw(views_of(engine)))
    for column in [*found["ahead"], *found["back"]]:
        labels = [row["label"] for row in column["rows"][:-1]]
        assert len(set(labels)) == len(labels)
        for row in column["rows"]:
            for share in (row["everyone"], row["user"]):
                assert share is None or 0 <= share["width"] <= 1
