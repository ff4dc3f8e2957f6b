import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

import view as views
from charts import CHARTS
from charts.story import N_COLORS, PAGE_SIZE, Story, find_axis, since_text
from engine.memory import MemoryEngine
from engine.model import Engine, Selection, StorySession
from tests.building import engine_of, view_of
from tests.examples import examples
from tests.sessions import ROWS, Row, table
from tests.strategies import near_rows
from tests.view_strategies import strange_rows, views_of
from view import View

DAY = "2024-03-05"
VISITS: list[Row] = [
    ("u", "home", 360, f"{DAY}T09:00:00"),
    ("u", "cart", None, f"{DAY}T09:06:00"),
    ("u", "home", 1_800, f"{DAY}T12:00:00"),
    # Past midnight, to 2 in the night.
    ("u", "shop", 3 * 3_600, f"{DAY}T23:00:00"),
    ("u", "home", 36, "2024-03-06T01:00:00"),
    ("v", "home", 5, "2024-03-09T00:00:00"),
]


def told(rows: Sequence[Row] | Engine, view: View) -> Any:
    engine = rows if not isinstance(rows, Sequence) else engine_of(rows)
    payload = Story().answer(engine, view)
    # It goes to the browser as it is.
    return json.loads(json.dumps(payload))


def leads_to(payload: Any, row: Any = None, day: Any = None) -> str:
    """The address of a row, or of a day, as assets/story.js makes it."""
    place = day if row is None else payload["days"][row["day"]]
    filters = {"from": place["start"], "to": place["end"], "page": None}
    if row is not None:
        filters["page"] = payload["pages"][row["page"]]["page"]
    if (place if row is None else row)["is_picked"]:
        filters = {}
    parts = parse_qsl(payload["address"].removeprefix("?"), keep_blank_values=True)
    kept = [part for part in parts if part[0] not in ("from", "to", "page", "sheet")]
    kept += [(key, value) for key, value in filters.items() if value is not None]
    return f"?{urlencode(kept)}"


def many(n: int) -> list[Row]:
    """A session an hour, which are on so many pages and days."""
    return [
        ("u", f"p{n % 9}", 60, f"2024-01-{1 + n // 24:02}T{n % 24:02}:00:00")
        for n in range(n)
    ]


def test_its_numbers_are_those_of_the_list() -> None:
    rows: list[Row] = [
        ("u", "cart", 60, "2024-03-01T10:00:00"),
        ("u", "home", None, "2024-03-01T10:02:00"),
    ]
    frame = Story().numbers(engine_of(rows), view_of("u"))
    assert frame["page"].tolist() == ["cart", "home"]
    assert frame["start"].tolist() == ["2024-03-01 10:00:00", "2024-03-01 10:02:00"]
    assert frame["since the one before"].tolist() == ["–", "1 min later"]
    assert frame["visit"].tolist() == [1, 1]
    assert Story().numbers(engine_of(rows), view_of()).empty


def test_with_everyone_picked_it_says_to_pick_a_user() -> None:
    payload = told(ROWS, view_of())
    assert payload["finding"] == "Pick a user to see their story."
    assert payload["rows"] == payload["days"] == payload["ways"] == []
    assert payload["bounds"] is None


def test_without_sessions_it_says_so() -> None:
    payload = told(ROWS, view_of("bob", start=date(2024, 3, 1)))
    assert payload["finding"] == "No sessions of bob match."
    assert payload["rows"] == []
    # One can go to any of all days.
    assert payload["bounds"] == ["2024-01-01", "2024-12-31"]


def test_rows_are_sessions_in_order() -> None:
    payload = told(VISITS, view_of("u"))
    assert [entry["label"] for entry in payload["pages"]] == ["home", "cart", "shop"]
    names = [payload["pages"][row["page"]]["label"] for row in payload["rows"]]
    assert names == ["home", "cart", "home", "shop", "home"]
    assert [
        (row["day"], row["when"], row["long"], row["since"], row["begins"])
        for row in payload["rows"]
    ] == [
        (0, "09:00:00", "6 min", "–", True),
        (0, "09:06:00", "unknown", "at once", False),
        (0, "12:00:00", "30 min", "2 h 54 min later", True),
        (0, "23:00:00", "3 h", "10 h 30 min later", True),
        (1, "01:00:00", "36 s", "overlaps", False),
    ]
    assert [row["title"] for row in payload["rows"][:2]] == [
        "Tue 5 Mar 2024, 09:00:00, 6 min",
        "Tue 5 Mar 2024, 09:06:00, unknown duration",
    ]
    assert payload["here"] == ""
    assert payload["ways"] == []
    assert payload["unknown"]


def test_strips_have_segments_that_are_cut_at_midnight() -> None:
    payload = told(VISITS, view_of("u"))
    assert [tick["text"] for tick in payload["ticks"]] == [
        *("00:00", "06:00", "12:00", "18:00", "24:00")
    ]
    assert [tick["at"] for tick in payload["ticks"]] == [0, 25, 50, 75, 100]
    first, second = payload["days"]
    assert (first["label"], second["label"]) == ("Tue 5 Mar 2024", "Wed 6 Mar 2024")
    assert first["segments"] == [
        # The longest first: the others are seen on it.
        [3, 95.833, 4.167],
        [2, 50, 2.083],
        [0, 37.5, 0.417],
        [1, 37.917, None],
    ]
    assert second["segments"] == [[3, 0, 8.333], [4, 4.167, 0.042]]
    assert first["visits"] == [[37.5, 0.417], [50, 2.083], [95.833, 4.167]]
    # What overlaps is in the same visit.
    assert second["visits"] == [[0, 8.333]]


def test_a_single_day_is_as_wide_as_its_hours() -> None:
    view = view_of("u", start=date(2024, 3, 5), end=date(2024, 3, 6), pages=("home",))
    payload = told(VISITS, view)
    assert [tick["text"] for tick in payload["ticks"]] == [
        *("09:00", "10:00", "11:00", "12:00", "13:00")
    ]
    (day,) = payload["days"]
    assert day["segments"] == [[1, 75, 12.5], [0, 0, 2.5]]
    texts = [tick["text"] for tick in told(VISITS, view_of("v"))["ticks"]]
    assert texts == ["00:00", "00:10", "00:20", "00:30", "00:40", "00:50", "01:00"]


def test_an_axis_ends_with_the_day() -> None:
    def axis(seconds: float, time: str) -> tuple[int, int]:
        engine = engine_of([("u", "p", seconds, f"{DAY}T{time}")])
        story = engine.story(Selection("u"))
        assert story is not None
        first, end = find_axis(story.sessions, [date(2024, 3, 5)])
        return first, end

    assert axis(10, "23:59:59") == (23, 24)
    assert axis(1e6, "08:10:00") == (8, 24)
    assert axis(3_600, "08:00:00") == (8, 9)
    assert axis(3_601, "08:00:00") == (8, 10)
    assert axis(0, "08:00:00") == (8, 9)


def test_of_sessions_that_cover_a_day_one_is_drawn() -> None:
    week = 7 * 86_400
    rows: list[Row] = [
        *[("u", f"p{n}", week, f"2024-01-01T0{n}:00:00") for n in range(9)],
        ("u", "p", 1, "2024-01-04T00:00:00"),
        ("u", "p", 1, "2024-01-20T00:00:00"),
    ]
    first, second, third = told(rows, view_of("u"))["days"]
    assert len(first["segments"]) == 9
    assert second["segments"] == [[8, 0, 100], [9, 0, 0.001]]
    assert third["segments"] == [[10, 0, 0.001]]


def test_a_segment_leads_to_its_day_and_page() -> None:
    view = view_of("u", opened=("story",), users_page=2)
    payload = told(VISITS, view)
    address = "?user=u&open=story&from=2024-03-06&to=2024-03-07&page=home"
    assert leads_to(payload, payload["rows"][4]) == address
    # The first of all days needs no beginning.
    address = "?user=u&open=story&to=2024-03-06&page=cart"
    assert leads_to(payload, payload["rows"][1]) == address
    day = payload["days"][0]
    assert leads_to(payload, day=day) == "?user=u&open=story&to=2024-03-06"
    # There, it leads back.
    there = view_of("u", end=date(2024, 3, 6), pages=("cart",), opened=("story",))
    payload = told(VISITS, there)
    (row,) = payload["rows"]
    assert leads_to(payload, row) == "?user=u&open=story"
    # Of the day, this is but a part.
    (day,) = payload["days"]
    assert leads_to(payload, day=day) == "?user=u&open=story&to=2024-03-06"
    payload = told(
        VISITS, replace(there, selection=Selection("u", end=date(2024, 3, 6)))
    )
    assert leads_to(payload, day=payload["days"][0]) == "?user=u&open=story"


def test_names_and_the_address_are_sent_once() -> None:
    names = [f"{chr(0x4E00 + n)}{'長' * 3_999}" for n in range(100)]
    rows: list[Row] = [
        ("u", name, 60, f"2024-01-{1 + n // 24:02}T{n % 24:02}:00:00")
        for n, name in enumerate(names)
    ]
    view = view_of("u", step=names[0], ahead=tuple(names[1:3]), opened=("story",))
    payload = Story().answer(engine_of(rows), view)
    n_bytes = len(json.dumps(payload, ensure_ascii=False).encode())
    # 100 names of 12,000 bytes, three in the address, and the hovers.
    assert n_bytes < 1_500_000


def test_pages_of_the_list() -> None:
    rows = many(2 * PAGE_SIZE + 50)
    view = view_of("u", opened=("story",))

    def page(number: int) -> tuple[str, list[tuple[str, int]]]:
        payload = told(rows, replace(view, story_page=number))
        assert payload["address"] == "?user=u&open=story"
        ways = payload["ways"]
        return payload["here"], [(way["text"], way["part"]) for way in ways]

    assert page(1) == (
        "1 to 100 of 250 sessions",
        [("Later →", 2), ("Last »", 3)],
    )
    assert page(2) == (
        "101 to 200 of 250 sessions",
        [("← Earlier", 1), ("Later →", 3)],
    )
    assert page(3) == page(4)
    assert page(3) == (
        "201 to 250 of 250 sessions",
        [("« First", 1), ("← Earlier", 2)],
    )
    payload = told(rows, replace(view, story_page=2))
    # The pause is that since the last one of the page before.
    assert payload["rows"][0]["since"] == "59 min later"
    assert payload["rows"][0]["begins"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("u", "p", 1, DAY)], "1 session, on p."),
        (VISITS[:2], "2 sessions in 1 visit, from home to cart."),
        # Two of three visits have one session.
        (VISITS[:5], "5 sessions in 3 visits, 1.7 a visit (median 2)."),
        (many(4), "4 sessions in 4 visits, 1 a visit."),
        # All begin equally often somewhere else.
        (many(8), "8 sessions in 8 visits, 1 a visit."),
        (
            many(10),
            "10 sessions in 10 visits, 1 a visit; visits begin and end most often on "
            "p0 (20 %).",
        ),
    ],
)
def test_the_sentence(rows: list[Row], words: str) -> None:
    assert told(rows, view_of("u"))["finding"] == words


def test_the_sentence_says_where_visits_begin_and_end() -> None:
    rows: list[Row] = []
    for day in range(1, 6):
        end = "cart" if day < 3 else f"p{day}"
        rows += [
            ("u", "home" if day < 5 else "shop", 1, f"2024-01-0{day}T10:00:00"),
            ("u", end, 1, f"2024-01-0{day}T10:01:00"),
        ]
    assert told(rows, view_of("u"))["finding"] == (
        "10 sessions in 5 visits, 2 a visit; visits begin most often on home (80 %) "
        "and end most often on cart (40 %)."
    )
    # Both on the same page, unequally often.
    rows += [("u", "home", 1, f"2024-01-0{day}T10:02:00") for day in (1, 2, 3)]
    assert told(rows, view_of("u"))["finding"].endswith(
        "visits begin and end most often on home (80 % and 60 %)."
    )
    rows += [("u", "p4", 1, "2024-01-03T10:03:00")]
    assert told(rows, view_of("u"))["finding"].endswith(
        "; visits begin most often on home (80 %)."
    )


def test_notes_say_what_a_visit_is_and_what_clocks_are_meant() -> None:
    gap = "A visit ends where more than 30 min pass until the next session."
    unknown = "After an unknown duration the pause is counted from its start."
    assert told(VISITS, view_of("v"))["notes"] == gap
    assert told(VISITS, view_of("u"))["notes"] == f"{gap} {unknown}"
    assert told(VISITS, view_of("u", pages=("home",)))["notes"] == (
        f"{gap} Only sessions that match count."
    )
    engine = MemoryEngine(table(VISITS), "Europe/Berlin", visit_gap=90.0)
    assert told(engine, view_of("v"))["notes"] == (
        "A visit ends where more than 1 min 30 s pass until the next session."
        " Times and pauses are what clocks show in Europe/Berlin."
    )


class FewKnown(MemoryEngine):
    """Knows no visits, as of users with too many sessions."""

    def story(self, selection: Selection, **how: Any) -> Any:
        story = super().story(selection, **how)
        assert story is not None
        sessions = [session._replace(visit=None) for session in story.sessions]
        return story._replace(sessions=sessions, visits=None)


def test_without_visits_it_says_so() -> None:
    payload = told(FewKnown(table(VISITS)), view_of("u"))
    words = "5 sessions, which are too many to tell visits."
    assert payload["finding"] == words
    assert not any(row["begins"] for row in payload["rows"])
    assert [day["visits"] for day in payload["days"]] == [[], []]
    assert "visit" not in payload["notes"]


@pytest.mark.parametrize(
    ("pause", "words"),
    [
        *((None, "–"), (0, "at once"), (0.04, "at once"), (0.5, "0.5 s later")),
        *((17, "17 s later"), (720, "12 min later"), (-1, "overlaps")),
        *((172_799, "48 h later"), (172_800, "2 days later")),
        *((3.4 * 86_400, "3 days later"), (4_000 * 86_400, "4,000 days later")),
    ],
)
def test_pauses_in_words(pause: float | None, words: str) -> None:
    assert since_text(pause) == words


def test_pages_of_most_time_have_colours_that_stay() -> None:
    # p00 has most time, p11 least; each page has a day of its own.
    rows: list[Row] = [
        ("u", f"p{n:02}", 100 - n, f"2024-01-{n + 1:02}T00:00:00") for n in range(12)
    ]

    def colors(**filters: Any) -> dict[str, int]:
        payload = told(rows, view_of("u", **filters))
        colors = {entry["page"]: entry["color"] for entry in payload["pages"]}
        assert set(colors.values()) <= set(range(N_COLORS + 1))
        return {name: color for name, color in colors.items() if color < N_COLORS}

    every = {f"p{n:02}": n for n in range(N_COLORS)}
    assert colors() == every
    assert colors(pages=("p03",)) == {"p03": 3}
    # The others have the colours of those that don't occur.
    assert colors(start=date(2024, 1, 6)) == {
        name: int(color)
        for name, color in zip(
            ("p05", "p06", "p07", "p08", "p09", "p10", "p11"), "5601234", strict=True
        )
    }


def test_names_are_told_apart_and_whole_in_the_title() -> None:
    names = [f"{'x' * 4_000}{end}" for end in "ab"] + [
        "<b>",
        "__proto__",
        "\0",
        "\u202ea",
    ]
    rows: list[Row] = [
        ("u", name, 1, f"{DAY}T00:00:0{n}") for n, name in enumerate(names)
    ]
    payload = told(rows, view_of("u"))
    labels = [entry["label"] for entry in payload["pages"]]
    assert len(set(labels)) == len(names)
    assert max(map(len, labels)) < 50
    assert [entry["page"] for entry in payload["pages"]] == names
    assert max(len(entry["title"]) for entry in payload["pages"]) < 310


@examples(50)
@given(near_rows, st.data())
def test_whatever_is_shown_leads_to_itself(
    rows: list[Row], data: st.DataObject
) -> None:
    engine = engine_of(rows)
    view = data.draw(views_of(engine))
    payload = told(engine, view)
    story = engine.story(view.selection, page=view.story_page, page_size=PAGE_SIZE)
    sessions: Sequence[StorySession] = story.sessions if story else []
    assert len(payload["rows"]) == len(sessions)
    charts = [chart.id for chart in CHARTS]
    for row, session in zip(payload["rows"], sessions, strict=True):
        assert payload["pages"][row["page"]]["page"] == session.page
        there, ignored = views.read(leads_to(payload, row), engine, charts)
        assert ignored == []
        picked = views.at_day_and_page(
            view, session.start.date(), (session.page,), engine.facts
        )
        assert there == replace(picked, story_page=1)
        found = engine.story(there.selection)
        assert found is not None
        assert session.start in [other.start for other in found.sessions]
    drawn = [one for day in payload["days"] for one in day["segments"]]
    assert {number for number, *_ in drawn} == set(range(len(sessions)))
    for _, at, wide in drawn:
        assert 0 <= at < 100
        assert wide is None or 0 <= wide <= 100.001 - at


@examples(30)
@given(strange_rows, st.data())
def test_any_names_are_told(rows: list[Row], data: st.DataObject) -> None:
    engine = engine_of(rows)
    payload = told(engine, data.draw(views_of(engine)))
    assert payload["finding"].endswith((".", "…"))
