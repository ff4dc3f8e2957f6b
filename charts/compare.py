"""What is picked beside something else: another user, some users, another period."""

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
from charts.sides import Sides, find_sides
from engine.model import Engine, divide_or_nan
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
"""How many users are offered."""

_TOLD: Final = 3
"""How many pages a sentence names."""

_PERIODS: Final[dict[Kind, str]] = {
    "before": "The period before",
    "month": "A month before",
    "quarter": "A quarter before",
    "year": "A year before",
}
_NOTHING: Final = "Pick what to compare with."
_UNTESTED: Final = "not tested"
_MEANING: Final = {True: "more than chance", False: "may be chance"}


class Compare(Section):
    """Numbers, pages, durations and days of two sides, and what may be chance."""

    id = "compare"
    title = "Compare"
    about = "With another user, some users or another period"
    key = "vs"

    def answer(self, engine: Engine, view: View) -> dict[str, Any]:
        """What ``assets/compare.js`` writes."""
        ways = {"ways": _ways(engine, view), "asked": _asked(view)}
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
        frame = pd.DataFrame(columns)
        tested = sides.by_page() if view.statistic == "average" else None
        if tested is not None:
            frame["more than chance"] = tested.beyond_chance
        return frame.iloc[codes]


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
    per, per_other, rate = sides.rates

    def change(value: float, beside: float) -> str:
        words = change_text(value / per, beside / per_other)
        return f"{words}{rate}" if words else ""

    def share_or_change(value: float, beside: float) -> str:
        if sides.is_beside_everyone and beside > 0:
            return f"{percent_text(value, beside)} of {other.name}"
        return change(value, beside)

    n, m = int(a.sessions.sum()), int(b.sessions.sum())
    times = float(a.seconds.sum()), float(b.seconds.sum())
    known = int(a.known.sum()), int(b.known.sum())
    typical = a.overall(statistic), b.overall(statistic)
    days = a.active_days, b.active_days
    return [
        Tile("Sessions", f"{n:,}", f"{m:,}", share_or_change(n, m), ""),
        Tile(
            "Total time",
            known_duration_text(times[0], known=known[0] > 0),
            known_duration_text(times[1], known=known[1] > 0),
            share_or_change(*times) if all(known) else "",
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
        if not side.tally.sessions.any():
            return f"No sessions match {_whose(side.name, view)}."
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
    by_page = sides.by_page() if statistic == "average" else None
    if by_page is None:
        return words
    return f"{words} {_on_pages(sides, by_page, pages)}"


def _whose(name: str, view: View) -> str:
    """A side in the midst of a sentence: "of user_7", "in March 2024"."""
    if view.versus is None or not view.versus.is_period:
        return f"of {name}"
    if name.startswith(("from ", "until ")):
        return name
    return f"on {name}" if name[:1].isdigit() and " to " not in name else f"in {name}"


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
        told = [
            f"{labels[pages[differing[code]]]} ({change_text(a[code], b[code])})"
            for code in codes[:_TOLD].tolist()
        ]
        more = len(codes) - len(told)
        return names_text([*told, *([f"{more:,} more"] * (more > 0))])

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
                "sessions": [f"{a.sessions[code]:,}", f"{b.sessions[code]:,}"],
                "values": [
                    known_duration_text(v, known=v >= 0) if side.sessions[code] else "–"
                    for v, side in zip(values, (a, b), strict=True)
                ],
                "shares": [
                    round(100 * v / longest, 2) if longest and v >= 0 else 0
                    for v in values
                ],
                "change": change_text(*values),
                "chance": _page_chance(tested, code),
                "isWeak": min(int(a.known[code]), int(b.known[code])) < FEW,
            }
        )
    others = ""
    if len(rest):
        n = count_text(len(rest), "other page")
        # All of one may be on the other side: that is no time of its own.
        whole, whose = a.seconds + b.seconds, "of both together"
        if sides.relation == "within":
            whole, whose = b.seconds, f"of {sides.other.name}"
        others = f"{n}: {duration_text(float(whole[rest].sum()))} {whose}."
    return {
        "rows": rows,
        "others": others,
        "statistic": STATISTICS[statistic].label,
    }


def _by_weight(sides: Sides) -> NDArray[np.intp]:
    """The codes of the pages with sessions on a side, those of most time first."""
    a, b = sides.this.tally, sides.other.tally
    present = np.flatnonzero(a.sessions + b.sessions)
    return present[np.argsort(-(a.seconds + b.seconds)[present], kind="stable")]


def _page_chance(tested: Differences | None, code: int) -> str:
    if tested is None:
        return _UNTESTED
    if not tested.compared[code]:
        return "too few sessions"
    return _MEANING[bool(tested.beyond_chance[code])]


def _asked(view: View) -> dict[str, str]:
    """What the page's script makes other comparisons of: an address without any."""
    return {"address": views.address(_with(view, None))}


def _with(view: View, against: Versus | None) -> View:
    opened = view.opened if "compare" in view.opened else (*view.opened, "compare")
    return replace(view, versus=against, opened=opened)


def _ways(engine: Engine, view: View) -> list[dict[str, Any]]:
    """What can be compared with, as links; the one that is shown is marked."""
    selection = view.selection
    users: list[tuple[str, Versus | None]] = []
    if selection.user is not None:
        users.append(("Everyone", None))
    names = [
        name
        for name in engine.find_users("", _OTHER_USERS + 1)
        if name != selection.user
    ][:_OTHER_USERS]
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
            "links": [
                {
                    "text": words,
                    "address": views.address(_with(view, way)),
                    "isShown": way == against,
                }
                for words, way in ways
            ],
        }
        for head, ways in (("Users", users), ("Periods", periods))
    ]


def _align(view: View) -> dict[str, str] | None:
    """The link that lays weekdays, or days, on each other; None without periods."""
    if view.versus is None or not view.versus.is_period:
        return None
    words = "Day on day" if view.weekdays else "Weekday on weekday"
    other = replace(view, weekdays=not view.weekdays)
    return {"text": words, "address": views.address(other)}
