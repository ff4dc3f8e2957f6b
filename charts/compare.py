"""What is picked beside something else: another user, some users, another period."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import view as views
from charts.chance import Differences
from charts.compare_figures import shares_figure, timeline_figure
from charts.section import Section
from charts.sentences import (
    FEW,
    STATISTICS,
    capitalized,
    change_text,
    known_duration_text,
)
from charts.sides import Side, Sides, find_sides
from engine.model import Engine, Tally, divide_or_nan
from formatting import (
    count_text,
    days_text,
    duration_text,
    name_text,
    names_text,
    percent_text,
)
from labels import LONGEST_PAGE, distinct, page_labels
from versus import Kind, Versus
from view import View

_OTHER_USERS: Final = 6
"""How many users are offered as links."""

_SUGGESTED: Final = 100
"""How many are suggested to whoever types a name."""

_LONGEST_SUGGESTED: Final = 200
"""Letters of the longest name that is suggested."""

_TOLD: Final = 3
"""How many pages a sentence names."""

_PERIODS: Final[dict[Kind, str]] = {
    "before": "The period before",
    "month": "A month before",
    "quarter": "A quarter before",
    "year": "A year before",
}
_HINT: Final = "Pick dates above to see those before them."
_NOTHING: Final = "Pick what to compare with."
_UNTESTED: Final = "not tested"
_ONE_SIDE: Final = "only one side"
_MEANING: Final = {True: "more than chance", False: "may be chance"}


class Compare(Section):
    """Numbers, pages, durations and days of two sides, and what may be chance."""

    id = "compare"
    title = "Compare"
    about = "With another user, some users or another period"
    key = "vs"

    def answer(self, engine: Engine, view: View) -> dict[str, Any]:
        """What ``assets/compare.js`` writes."""
        names = [
            name
            for name in engine.find_users("", _SUGGESTED + 1)
            if name != view.selection.user
        ]
        ways = {"ways": _ways(view, names[:_OTHER_USERS]), "asked": _asked(view, names)}
        sides = find_sides(engine, view)
        if sides is None:
            words = _NOTHING if view.versus is None else "There are no such days."
            return {**ways, "finding": words}
        names = [sides.this.name, sides.other.name]
        finding = sentence(sides, view, engine.facts.pages)
        if not (sides.this.tally.sessions.any() and sides.other.tally.sessions.any()):
            return {**ways, "finding": finding}
        return {
            **ways,
            "finding": finding,
            "names": names,
            "tiles": [list(tile) for tile in tiles(sides, view)],
            "pages": _pages(sides, view, engine.facts.pages),
            "shares": shares_figure(sides, view, engine.facts.edges),
            "timeline": timeline_figure(sides, view, engine.facts),
            "align": _align(view),
        }

    def is_open(self, view: View) -> bool:
        """Whether a view has it open, or has something to compare with."""
        return super().is_open(view) or view.versus is not None

    def numbers(
        self, engine: Engine, view: View, *, every_row: bool = False
    ) -> pd.DataFrame:
        """The numbers by page of both sides: of those shown, or of all."""
        sides = find_sides(engine, view)
        if sides is None:
            return pd.DataFrame({"page": list[str]()})
        codes = _by_weight(sides)
        codes = np.sort(codes) if every_row else codes[: int(view.length)]
        columns: dict[str, Any] = {"page": list(engine.facts.pages)}
        noun = STATISTICS[view.statistic].label.lower()
        for side in (sides.this, sides.other):
            columns[f"{side.name}: sessions"] = side.tally.sessions
            columns[f"{side.name}: time (s)"] = side.tally.seconds
            columns[f"{side.name}: {noun} (s)"] = side.tally.by_page(view.statistic)
        a, b = (
            side.tally.by_page(view.statistic) for side in (sides.this, sides.other)
        )
        columns["change (%)"] = 100 * (divide_or_nan(a, b) - 1)
        tested = sides.by_page() if view.statistic == "average" else None
        columns["chance"] = [
            _page_chance(sides, tested, code) for code in range(len(a))
        ]
        return pd.DataFrame(columns).iloc[codes]


class Tile(NamedTuple):
    """One headline number of both sides."""

    label: str
    this: str
    other: str
    change: str
    chance: str
    """Whether the change may be chance; empty where it isn't tested."""


def tiles(sides: Sides, view: View) -> list[Tile]:
    """The headline numbers of both sides, and the change."""
    this, other = sides.this, sides.other
    a, b = this.tally, other.tally
    statistic = view.statistic

    def share_or_change(by_day: Callable[[Tally], NDArray[Any]]) -> str:
        if sides.is_beside_everyone:
            sums = (float(by_day(tally).sum()) for tally in (a, b))
            return f"{percent_text(*sums)} of {other.name}"
        value, beside, rate = sides.compared(by_day)
        words = change_text(value, beside)
        return f"{words}{rate}" if words else ""

    n, m = int(a.sessions.sum()), int(b.sessions.sum())
    times = float(a.seconds.sum()), float(b.seconds.sum())
    known = int(a.known.sum()), int(b.known.sum())
    typical = a.overall(statistic), b.overall(statistic)
    days = a.active_days, b.active_days
    return [
        Tile(
            "Sessions",
            f"{n:,}",
            f"{m:,}",
            share_or_change(lambda tally: tally.day_sessions),
            "",
        ),
        Tile(
            "Total time",
            known_duration_text(times[0], known=known[0] > 0),
            known_duration_text(times[1], known=known[1] > 0),
            share_or_change(lambda tally: tally.day_seconds)
            if all(known) and times[1] > 0
            else "",
            "",
        ),
        Tile(
            f"{STATISTICS[statistic].label} session",
            known_duration_text(typical[0], known=known[0] > 0),
            known_duration_text(typical[1], known=known[1] > 0),
            change_text(*typical) if all(known) else "",
            _chance(sides, view),
        ),
        Tile(
            "Active days",
            f"{days[0]:,} of {count_text(this.n_days, 'day')}",
            f"{days[1]:,} of {count_text(other.n_days, 'day')}",
            "",
            "",
        ),
    ]


def _chance(sides: Sides, view: View) -> str:
    """Whether the difference of the overall averages may be chance."""
    if view.statistic != "average":
        return "not tested, as only averages are"
    tested = sides.overall()
    if tested is None:
        return "not tested, as the dates overlap"
    if not tested.compared[0]:
        return "too few sessions to tell"
    return _MEANING[bool(tested.beyond_chance[0])]


def sentence(sides: Sides, view: View, pages: tuple[str, ...]) -> str:
    """How the sides differ: their durations, then on which pages."""
    this, other = sides.this, sides.other
    for side in (this, other):
        if not side.n_days:
            return f"The data has nothing {_whose(side.name, view)}."
        if not side.tally.sessions.any():
            return _none_match(side, view)
    if not (this.tally.known.any() and other.tally.known.any()):
        return "Of one of them no duration is known."
    statistic = view.statistic
    own, beside = (side.tally.overall(statistic) for side in (this, other))
    noun = STATISTICS[statistic].noun
    ratio = change_text(own, beside)
    words = (
        f"{capitalized(noun)} session: {duration_text(own)} {_whose(this.name, view)}, "
        f"{duration_text(beside)} {_whose(other.name, view)}"
    )
    told = [part for part in (ratio, _chance(sides, view)) if part]
    words += f" ({', '.join(told)})."
    parts = [words]
    by_page = sides.by_page() if statistic == "average" else None
    if by_page is not None:
        parts += [_on_pages(sides, by_page, pages), _by_mix(sides)]
    parts += [_on_one_side(sides, view, pages), _among(sides, view)]
    return " ".join(filter(None, parts))


def _none_match(side: Side, view: View) -> str:
    whose = _whose(side.name, view)
    if view.compares_periods:
        return f"No sessions match {whose}."
    return f"No sessions {whose} match."


def _by_mix(sides: Sides) -> str:
    """Whether sides differ by which pages are visited, rather than by how long.

    Had both visited the pages of the other side, what is left of the difference would
    be how long they stay.
    """
    if not sides.differ("average"):
        return ""
    a, b = sides.this.tally, sides.other.tally
    both = (a.known > 0) & (b.known > 0)
    if not both.any():
        return ""
    lasting = np.average((a.mean - b.mean)[both], weights=b.known[both])
    whole = a.overall("average") - b.overall("average")
    if lasting / whole > 0.5:
        return ""
    return "Most of the difference is which pages are visited, not how long."


def _on_one_side(sides: Sides, view: View, pages: tuple[str, ...]) -> str:
    """The pages that are visited on one side alone, those of most sessions first."""
    if sides.relation == "within":
        return ""
    labels = page_labels(pages)
    parts = []
    for side, beside in ((sides.this, sides.other), (sides.other, sides.this)):
        n = np.where(beside.tally.sessions == 0, side.tally.sessions, 0)
        codes = np.flatnonzero(n >= FEW)
        codes = codes[np.argsort(-n[codes], kind="stable")]
        if not len(codes):
            continue
        listed = _listed(
            f"{labels[pages[code]]} ({count_text(int(n[code]), 'session')})"
            for code in codes.tolist()
        )
        whose = _whose(side.name, view) if view.compares_periods else side.name
        parts.append(f"Only {whose}: {listed}.")
    return " ".join(parts)


def _listed(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    every = list(names)
    more = len(every) - _TOLD
    return names_text([*every[:_TOLD], *([f"{more:,} more"] * (more > 0))])


def _among(sides: Sides, view: View) -> str:
    """That a user is one of those that they are compared with."""
    if sides.is_beside_everyone or sides.relation != "within":
        return ""
    return f"{sides.this.name} is one of them."


def _whose(name: str, view: View) -> str:
    """A side in the midst of a sentence: "of user_7", "in March 2024"."""
    if not view.compares_periods:
        return f"of {name}"
    if name.startswith(("from ", "until ")):
        return name
    is_day = name[:1].isdigit() and " to " not in name and not name.isdigit()
    return f"on {name}" if is_day else f"in {name}"


def _on_pages(sides: Sides, by_page: Differences, pages: tuple[str, ...]) -> str:
    """On which pages the averages differ by more than chance."""
    n_tested = int(by_page.compared.sum())
    if not n_tested:
        return "On each page there are too few sessions to tell."
    corrected = f"more than chance, corrected for {count_text(n_tested, 'page')}"
    differing = np.flatnonzero(by_page.beyond_chance)
    if not len(differing) and n_tested == 1:
        return "On the only page with enough sessions it may be chance."
    if not len(differing):
        return f"On none of {count_text(n_tested, 'page')} is it more than chance."
    a, b = sides.this.tally.mean[differing], sides.other.tally.mean[differing]
    ratio = divide_or_nan(a, b)
    labels = page_labels(pages)

    def listed(codes: NDArray[np.int64]) -> str:
        return _listed(
            f"{labels[pages[differing[code]]]} ({change_text(a[code], b[code])})"
            for code in codes.tolist()
        )

    order = np.argsort(-np.nan_to_num(ratio, posinf=np.inf), kind="stable")
    longer = order[a[order] > b[order]]
    shorter = order[a[order] < b[order]][::-1]
    parts = [
        f"{word} on {listed(codes)}"
        for word, codes in (("longer", longer), ("shorter", shorter))
        if len(codes)
    ]
    return f"{capitalized('; '.join(parts))}: {corrected}."


def _pages(sides: Sides, view: View, pages: tuple[str, ...]) -> dict[str, Any]:
    """The rows by page, those of most time first."""
    a, b, statistic = sides.this.tally, sides.other.tally, view.statistic
    order = _by_weight(sides)
    shown, rest = order[: int(view.length)], order[int(view.length) :]
    own, beside = a.by_page(statistic), b.by_page(statistic)
    tested = sides.by_page() if statistic == "average" else None
    both = np.concatenate((own[shown], beside[shown]))
    longest = float(np.nanmax(both)) if (both >= 0).any() else 0.0
    labels = page_labels(pages)
    rows = []
    for code in shown.tolist():
        name = pages[code]
        values = float(own[code]), float(beside[code])
        rows.append(
            {
                "label": labels.get(name, name),
                "name": name,
                "sessions": [_sessions_text(side, code) for side in (a, b)],
                "values": [
                    known_duration_text(v, known=v >= 0) if side.sessions[code] else "–"
                    for v, side in zip(values, (a, b), strict=True)
                ],
                "shares": [
                    round(100 * v / longest, 2) if longest and v >= 0 else 0
                    for v in values
                ],
                "change": change_text(*values),
                "chance": _page_chance(sides, tested, code),
                "isWeak": any(
                    side.sessions[code] > 0 and side.known[code] < FEW
                    for side in (a, b)
                ),
            }
        )
    return {
        "rows": rows,
        "others": _others(sides, view, rest),
        "more": _more(view) if len(rest) else None,
        "statistic": STATISTICS[statistic].label,
    }


def _sessions_text(side: Tally, code: int) -> str:
    """A page's sessions, with their share of all, which doesn't grow with days."""
    n = int(side.sessions[code])
    return f"{n:,} ({percent_text(n, int(side.sessions.sum()))})"


def _others(sides: Sides, view: View, rest: NDArray[np.intp]) -> str:
    """The time on the pages without a row."""
    if not len(rest):
        return ""
    times = [
        f"{duration_text(float(side.tally.seconds[rest].sum()))}"
        f" {_whose(side.name, view)}"
        for side in (sides.this, sides.other)
    ]
    return f"{count_text(len(rest), 'other page')}: {', '.join(times)}."


def _more(view: View) -> dict[str, str] | None:
    """The link that shows more rows; None where there can't be any."""
    longer = views.longer(view.length)
    if longer is None:
        return None
    to = views.address(replace(view, length=longer))
    return {"text": f"Show {longer} rows", "address": to}


def _by_weight(sides: Sides) -> NDArray[np.intp]:
    """The codes of the pages with sessions on a side, those of most time first."""
    a, b = sides.this.tally, sides.other.tally
    present = np.flatnonzero(a.sessions + b.sessions)
    return present[np.argsort(-(a.seconds + b.seconds)[present], kind="stable")]


def _page_chance(sides: Sides, tested: Differences | None, code: int) -> str:
    if not (sides.this.tally.sessions[code] and sides.other.tally.sessions[code]):
        return _ONE_SIDE
    if tested is None:
        return _UNTESTED
    if not tested.compared[code]:
        return "too few sessions"
    return _MEANING[bool(tested.beyond_chance[code])]


def _asked(view: View, names: Sequence[str]) -> dict[str, Any]:
    """What the page's script makes other comparisons of.

    It is an address without any, and the names that are suggested.
    """
    return {
        "address": views.address(_with(view, None)),
        "names": [name for name in names if len(name) <= _LONGEST_SUGGESTED],
    }


def _with(view: View, against: Versus | None) -> View:
    opened = view.opened if "compare" in view.opened else (*view.opened, "compare")
    return replace(view, versus=against, opened=opened)


def _ways(view: View, others: Sequence[str]) -> list[dict[str, Any]]:
    """What can be compared with, as links; the one that is shown is marked."""
    selection = view.selection
    users: list[tuple[str, Versus | None]] = []
    if selection.user is not None:
        users.append(("Everyone", None))
    names = list(others)
    against = view.versus
    if against is not None and against.kind == "user" and against.text not in names:
        names.append(against.text)
    labels = distinct(names, LONGEST_PAGE)
    users += [
        (label, Versus("user", name)) for label, name in zip(labels, names, strict=True)
    ]
    if against is not None and against.kind == "names":
        users.append((f"Names with “{name_text(against.text)}”", against))
    periods: list[tuple[str, Versus | None]] = []
    if selection.start is not None or selection.end is not None:
        periods = [(words, Versus(kind)) for kind, words in _PERIODS.items()]
    if against is not None and against.start and against.end:
        last = against.end - pd.Timedelta(days=1)
        periods.append((days_text(against.start, last), against))
    return [
        {
            "head": head,
            "hint": hint,
            "links": [
                {
                    "text": words,
                    "address": views.address(_with(view, way)),
                    "isShown": way == against,
                }
                for words, way in ways
            ],
        }
        for head, ways, hint in (
            ("Users", users, ""),
            ("Periods", periods, "" if periods else _HINT),
        )
    ]


def _align(view: View) -> dict[str, str] | None:
    """The link that lays weekdays, or days, on each other; None without periods."""
    if not view.compares_periods:
        return None
    words = "Day on day" if view.weekdays else "Weekday on weekday"
    other = replace(view, weekdays=not view.weekdays)
    return {"text": words, "address": views.address(other)}
