from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import callbacks
from charts import tiles, users
from charts.sentences import (
    STATISTICS,
    capitalized,
    caption,
    comparison,
    dates_text,
    filter_texts,
    has_filters,
    is_beside,
    known_duration_text,
    measure_text,
    none_known,
    none_match,
    pages_text,
    sample_text,
    statistic_sentence,
    subject_text,
)
from engine.memory import MemoryEngine
from engine.model import Selection
from tests.building import MARCH, engine_of, view_of
from tests.examples import examples
from tests.sessions import Row
from tests.strategies import rows_lists
from tests.view_strategies import views_of
from view import View

PAGES = ("cart", "help", "home")


def test_captions_and_filters() -> None:
    picked = View(Selection("ann", date(2024, 3, 1), None, PAGES[::2], None, 60))
    words = "ann, from 1 March 2024, cart and home, under 1 min"
    assert caption(picked, PAGES) == words
    assert filter_texts(picked, PAGES) == {
        "dates": "from 1 March 2024",
        "pages": "cart and home",
        "durations": "under 1 min",
    }
    assert filter_texts(View(), PAGES) == {}


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (view_of(end=date(2024, 3, 1)), "everyone, until 29 February 2024"),
        (view_of(**MARCH), "everyone, March 2024"),
        (view_of(start=date.max), "everyone, from 31 December 9999"),
        (view_of(shortest=0), "everyone, 0 s and longer"),
        (View(), "everyone"),
        # What decides which rows there are is no filter.
        (view_of("ann", match="x", folder="", length="50"), "ann"),
    ],
)
def test_captions(view: View, words: str) -> None:
    assert caption(view, PAGES) == words


def test_pages_are_named_by_what_tells_them_apart() -> None:
    assert pages_text(["home"], PAGES) == "home"
    assert pages_text([*PAGES, "none"], PAGES) == "cart, help and 2 more"
    # One that isn't among them is named, too.
    assert pages_text(["none", "home"], PAGES) == "none and home"
    assert pages_text(["x" * 99], PAGES) == "x" * 9 + "…" + "x" * 26
    base = "https://www.example.org/shop"
    pages = tuple(f"{base}/{'x' * 90}{n}{'y' * 90}.html" for n in range(3))
    first, second = (pages_text([page], pages) for page in pages[:2])
    assert (first, second) == (
        f"/{'x' * 8}…{'x' * 27}0yyyyy…",
        f"/{'x' * 8}…{'x' * 27}1yyyyy…",
    )
    assert filter_texts(view_of(pages=pages[:2]), pages) == {
        "pages": f"{first} and {second}"
    }
    assert caption(view_of("ann", pages=pages[:1]), pages) == f"ann, {first}"
    assert pages_text(["<b>\n</b>", "__proto__"], ("<b>\n</b>", "__proto__")) == (
        "<b> </b> and __proto__"
    )


@pytest.mark.parametrize(
    ("how", "has"),
    [
        *(({}, False), ({"start": date.max}, True), ({"end": date.max}, True)),
        *(({"pages": ("p",)}, True), ({"shortest": 0}, True), ({"longest": 1}, True)),
        ({"match": "x", "folder": "", "statistic": "p90", "search": "y"}, False),
    ],
)
def test_whether_there_are_filters(how: dict[str, Any], has: bool) -> None:
    assert has_filters(view_of(**how)) == has_filters(view_of("ann", **how)) == has


def test_whether_there_is_somebody_to_compare_with(engine: MemoryEngine) -> None:
    def beside(user: str | None, **how: Any) -> bool:
        return is_beside(engine.summarise(view_of(user, **how).selection))

    assert beside("ann")
    assert not beside(None)
    # Only bob has been on help; nobody in June.
    assert not beside("bob", pages=("help",))
    assert beside("ann", pages=("help",))
    june = {"start": date(2024, 6, 1), "end": date(2024, 7, 1)}
    assert not beside("ann", **june)
    assert not is_beside(
        engine_of([("u", "p", 1, "2024-01-01")]).summarise(Selection("u"))
    )


def test_dates() -> None:
    first, end = date(2024, 3, 1), date(2024, 3, 8)
    assert dates_text(first, end) == "1 to 7 March 2024"
    assert dates_text(None, end) == "until 7 March 2024"
    assert dates_text(first, None) == "from 1 March 2024"
    assert dates_text(None, None) == ""


def test_subjects() -> None:
    assert subject_text(View()) == "everyone"
    assert subject_text(view_of("ann")) == "ann"
    assert subject_text(view_of("Everyone")) == "user “Everyone”"
    assert none_match(View()) == "No sessions match."
    assert none_match(view_of("ann")) == "No sessions of ann match."
    assert none_known(View()) == "No duration is known."
    assert none_known(view_of("ann")) == "ann has no sessions of known duration."


def test_statistics_of_somebody() -> None:
    assert list(STATISTICS) == ["average", "median", "p90"]
    texts = [statistic_sentence(name, "everyone", 90) for name in STATISTICS]
    assert texts == [
        "Everyone's sessions last 1 min 30 s on average",
        "Everyone's median session lasts 1 min 30 s",
        "The slowest 10 % of everyone's sessions take longer than 1 min 30 s",
    ]
    # A user's name keeps its letters.
    assert statistic_sentence("median", "ann", 1) == "ann's median session lasts 1 s"
    for name in ("everyone Inc", "user “everyone”"):
        assert statistic_sentence("average", name, 1).startswith(f"{name}'s sessions ")
    text = statistic_sentence("p90", "Everyone Inc", 1)
    assert text == "The slowest 10 % of Everyone Inc's sessions take longer than 1 s"
    assert capitalized("from 1 May") == "From 1 May"
    assert capitalized("") == ""


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((1,), "1 session, so this may be chance"),
        ((4,), "4 sessions, so this may be chance"),
        ((5,), "5 sessions"),
        ((5, 4), "5 sessions, so this may be chance"),
        ((1_234, 5), "1,234 sessions"),
        ((9, 0), "9 sessions"),
    ],
)
def test_fewer_than_five_sessions_may_be_chance(
    counts: tuple[int, ...], text: str
) -> None:
    assert sample_text(*counts) == text


def test_comparisons() -> None:
    assert comparison(7, 5) == "1.4 ×"
    assert comparison(7, 5, "everyone's average") == "1.4 × everyone's average"
    for value in (96, 100, 104):
        about = comparison(value, 100, "everyone's average")
        assert about == "about the same as everyone's average"
        assert comparison(value, 100) == "about the same"
    assert comparison(94, 100) == "0.9 ×"
    assert comparison(106, 100) == "1.1 ×"


def test_what_is_measured() -> None:
    assert known_duration_text(60, known=True) == "1 min"
    assert known_duration_text(60, known=False) == "unknown"
    assert measure_text(1, "sessions") == "1 session"
    assert measure_text(2.44, "sessions") == "2.4 sessions"
    assert measure_text(0.96, "sessions") == "1.0 sessions"
    assert measure_text(1, "time") == "1 s"


BROKEN = (
    *("nan", "inf", "NaT", "None", "e-0", "e+", "–", "  ", "()", "..", "{", "}"),
    *("(0 ", " 1 sessions", " 1 users", " 1 days", "1.0 ×", ",.", ", ,", ";."),
)


def check(engine: MemoryEngine, view: View) -> None:
    text = {
        **callbacks.redraw(engine, view).page["text"],
        **callbacks.list_users(engine, view)["text"],
    }
    for name, words in text.items():
        if name.endswith("-finding"):
            assert words.endswith("."), words
            assert words[0] != " "
        for broken in BROKEN:
            assert broken not in f" {words}", words
    filtered = engine.summarise(view.selection)
    assert set(tiles.tiles(filtered, view)) == set(tiles.TILES)
    assert users.sentence(users.user_table(engine, view).page, view)


@examples(60)
@given(rows_lists, st.data())
def test_sentences_are_whole(rows: list[Row], data: st.DataObject) -> None:
    engine = engine_of(rows)
    view = replace(data.draw(views_of(engine)), search="b")
    check(engine, view)
    check(engine, replace(view, selection=Selection(view.selection.user)))


@examples(25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 18).map(str),
            st.sampled_from((None, 0.0, 0.0, 1e-9, 5.0, 3e9)),
            st.sampled_from(("0001-01-01", "2024-01-01", "9999-12-31T23:59:59")),
        ),
        min_size=1,
        max_size=40,
    ),
    st.data(),
)
def test_sentences_are_whole_at_the_extremes(
    rows: list[Row], data: st.DataObject
) -> None:
    engine = engine_of(rows)
    check(engine, replace(data.draw(views_of(engine)), search=""))
