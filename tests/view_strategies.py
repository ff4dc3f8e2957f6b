"""Hypothesis strategies: views of a page, and addresses."""

from typing import Any, get_args
from urllib.parse import quote

from hypothesis import strategies as st

import dates
import view as views
from charts import CHARTS
from engine.model import Engine, Selection, Statistic, UserColumn
from tests.strategies import MOMENTS
from versus import Kind, Versus
from view import MOST_CHOSEN, Length, Measure, Order, Scale, SectionName, View

STRANGE = (
    *("a b", "a&b=c", "100%", "%20", "a+b", "'\"", "<script>alert(1)</script>"),
    *("😀", "a\nb", "\x00", "#?/", "Ünï", "007", " x ", "￿", "everyone"),
    *("Average user", "“everyone”", "%{x}", "=1+1", "__proto__"),
)
"""Names that something could take for something else."""

strange_rows = st.lists(
    st.tuples(
        st.sampled_from(STRANGE),
        st.sampled_from(STRANGE),
        st.one_of(st.none(), st.floats(0, 1e6, allow_subnormal=False)),
        st.sampled_from(MOMENTS),
    ),
    min_size=1,
    max_size=12,
)
"""Sessions of strange users on strange pages."""


def _choices(of: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(get_args(of))


@st.composite
def selections_of(draw: st.DrawFn, engine: Engine) -> Selection:
    """What the page's controls, or its address, can select."""
    facts = engine.facts
    first, last = dates.bounds(facts.days)
    start = draw(st.one_of(st.none(), st.dates(first, last)))
    end = draw(st.one_of(st.none(), st.dates(first, dates.day_after(last))))
    if end == first or (start and end and start >= end):
        end = None
    start, end = dates.clip(start, end, facts.days)
    edges = views.duration_edges(facts)
    shortest = draw(st.one_of(st.none(), st.sampled_from(edges[:-1])))
    longest = draw(st.one_of(st.none(), st.sampled_from(edges[1:])))
    if shortest is not None and longest is not None and shortest >= longest:
        shortest = None
    users = engine.find_users("", facts.n_users)
    pages = st.lists(st.sampled_from(facts.pages), unique=True)
    return Selection(
        user=draw(st.one_of(st.none(), st.sampled_from(users))),
        start=start,
        end=end,
        pages=tuple(draw(pages)),
        shortest=shortest,
        longest=longest,
    )


@st.composite
def views_of(draw: st.DrawFn, engine: Engine) -> View:
    """Every view that a page can have."""
    charts = st.sampled_from([chart.id for chart in CHARTS])
    selection = draw(selections_of(engine))
    pages = st.sampled_from(engine.facts.pages)
    chain = st.lists(pages, max_size=MOST_CHOSEN).map(tuple)
    return View(
        selection,
        statistic=draw(_choices(Statistic)),
        scale=draw(_choices(Scale)),
        timeline=draw(_choices(Measure)),
        tables=tuple(draw(st.lists(charts, unique=True))),
        sort=draw(_choices(UserColumn)),
        reverse=draw(st.booleans()),
        search=draw(st.one_of(st.sampled_from(("", *STRANGE)), st.text(max_size=8))),
        users_page=draw(st.one_of(st.none(), st.integers(1, 10**9 - 1))),
        order=draw(_choices(Order)),
        length=draw(_choices(Length)),
        match=draw(st.one_of(st.sampled_from(("", *STRANGE)), st.text(max_size=8))),
        folder=draw(st.one_of(st.none(), folders_of(engine))),
        opened=tuple(draw(st.lists(_choices(SectionName), unique=True))),
        versus=draw(st.one_of(st.none(), others_of(engine, selection))),
        weekdays=draw(st.booleans()),
        story_page=draw(st.one_of(st.just(1), st.integers(1, 10**9 - 1))),
        step=draw(st.one_of(st.none(), pages)),
        ahead=draw(chain),
        back=draw(chain),
    )


def others_of(engine: Engine, selection: Selection) -> st.SearchStrategy[Versus]:
    """What a selection can be compared with."""
    users = [
        name
        for name in engine.find_users("", engine.facts.n_users)
        if name != selection.user
    ]
    kinds: list[Kind] = ["before", "month", "quarter", "year"]
    days = st.tuples(st.dates(), st.dates()).filter(lambda ends: ends[0] < ends[1])
    others = [
        st.sampled_from(kinds).map(Versus),
        st.text(min_size=1, max_size=8).map(lambda text: Versus("names", text)),
        days.map(lambda ends: Versus("dates", "", *ends)),
    ]
    if users:
        others.append(st.sampled_from(users).map(lambda user: Versus("user", user)))
    return st.one_of(others)


def folders_of(engine: Engine) -> st.SearchStrategy[str]:
    """Beginnings of the names of pages."""
    return st.builds(
        lambda page, n: page[:n],
        st.sampled_from(engine.facts.pages),
        st.integers(0, 20),
    )


KEYS = (
    *("user", "from", "to", "page", "table", "min", "max", "stat", "scale"),
    *("timeline", "sort", "find", "sheet", "order", "rows", "match", "folder"),
    *("open", "vs", "align", "part", "step", "ahead", "back"),
)
"""The keys of an address."""

_VALUES = (
    *("ann", "bob", "", "home", "cart", "help", "2024-03-01", "2024-01-01", "10"),
    *("0", "-1", "nan", "inf", "1e999", "1e-999", "9999-12-31", "0001-01-01", "time"),
    *("median", "log", "story", "paths", "-user", "hours", "2024-W09-4", "%", "%zz"),
    "99999999999",
    *("٣", "\x00", "%00", "%ff", "a\nb", "+", "=", "infinity", "1_0", "0x10", "-0"),
)
_half_valid = st.lists(
    st.tuples(st.sampled_from((*KEYS, "x", "")), st.sampled_from(_VALUES)), max_size=8
).map(lambda pairs: "&".join(f"{key}={value}" for key, value in pairs))

queries = st.one_of(
    _half_valid,
    _half_valid.map(lambda query: f"?{quote(query, safe='=&')}"),
    st.text(),
    st.binary().map(lambda octets: octets.decode("latin-1")),
    st.binary().map(lambda octets: "?" + quote(octets, safe="=&;+?")),
)
"""Addresses, of which most are half valid for ``tests.sessions.ROWS``."""
