"""Pure functions from a Summary to the charts.

A figure is the plain dictionary that Plotly.js takes. Plotly's own classes would check
every property of every figure at every pick, which takes several times as long as all
the rest; the tests have them do it instead.

Each chart takes the summary that isn't filtered by what the chart itself picks, and the
view that says what is picked of it: the rest is grey.

Colours are those of the light theme; the style sheet puts the dark ones over them, so
that a change of theme redraws nothing and an exported picture is dark on white.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

import tables
from activity import FEW, Summary, Tally
from tables import STATISTICS, WEEKDAYS, PageRows, by_page
from view import Statistic, View
from words import duration_text, edge_text, in_html, name_text, ratio_text, shortened

Figure = dict[str, Any]
Trace = dict[str, Any]

EVERYONE: Final = "#0072B2"
USER: Final = "#D55E00"
# Blue and vermilion from Okabe and Ito, "Color Universal Design" (2008): told apart
# by colour-blind people, and at 3 : 1 or better on white and on the dark theme.
OTHER: Final = "rgba(138, 148, 160, 0.5)"
"""What isn't picked, in a chart that is a filter."""

_MIN_ROWS: Final = 4
_LABEL: Final = 20
_WEAK: Final = 0.4

# What every figure sets, and little: it goes to the browser at every pick.
_LAYOUT: Final[dict[str, Any]] = {
    "font": {"family": "system-ui"},
    "hoverlabel": {"align": "left"},
}
_LEGEND: Final = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
_MARGIN: Final = {"l": 52, "r": 16, "t": 36, "b": 48}
# How the start of a period is written in a hover, as d3-time-format has it.
_PERIODS: Final = {
    "day": "%-d %B %Y",
    "week": "Week from %-d %B %Y",
    "month": "%B %Y",
    "year": "%Y",
}
_FEW_DAYS: Final = 8
# A drag over the chart picks what is on its x axis.
_PICKS_X: Final = {"dragmode": "select", "selectdirection": "h", "selections": []}


def total_time(summary: Summary, view: View) -> Figure:
    """Total Time per Page: everyone's known durations, the largest first."""
    rows = tables.page_rows(summary, summary.everyone, view.selection.pages)
    totals = rows.everyone.seconds
    if not rows.everyone.known.any():
        return empty("No session of known duration")
    unit, name = _unit(float(totals.max()))
    whole = max(float(totals.sum()), 1e-9)
    hover = zip(
        [in_html(name_text(name)) for name in rows.names],
        map(duration_text, totals.tolist()),
        (100 * totals / whole).round(1).tolist(),
        rows.everyone.sessions.tolist(),
        rows.everyone.unknown.tolist(),
        strict=True,
    )
    bars = _bars("everyone", EVERYONE, totals / unit)
    bars["customdata"] = list(hover)
    bars["hovertemplate"] = (
        "<b>%{customdata[0]}</b><br>%{customdata[1]} in all, "
        "%{customdata[2]:.1f} % of the time<br>"
        "n = %{customdata[3]:,}, %{customdata[4]:,} of unknown duration"
    )
    return _by_page([bars], rows, view, f"Total time ({name})")


def user_average(summary: Summary, view: View) -> Figure:
    """The chosen statistic by page: the picked user's beside everyone's.

    Only pages that the user has been on; without a user, everyone's alone.
    """
    statistic, chosen = view.statistic, view.selection.pages
    rows = tables.page_rows(summary, summary.who, chosen)
    everyone = by_page(rows.everyone, statistic)
    theirs = np.array([]) if rows.user is None else by_page(rows.user, statistic)
    longest = np.nanmax([*everyone, *theirs, -1.0])
    if longest < 0:
        return empty("No session of known duration")
    unit, name = _unit(float(longest))
    bars = _bars("everyone", EVERYONE, everyone / unit)
    # One hover for both bars: where the user's is missing, everyone's isn't.
    columns: list[list[Any]] = [
        [in_html(name_text(name)) for name in rows.names],
        _texts(everyone),
        rows.everyone.known.tolist(),
    ]
    user_lines = ""
    traces = [bars]
    if rows.user is not None:
        who = _user_name(view)
        columns += [
            _texts(theirs),
            rows.user.known.tolist(),
            list(map(ratio_text, theirs.tolist(), everyone.tolist())),
            _evidence_texts(rows.user, statistic),
        ]
        user_lines = (
            f"{who}: %{{customdata[3]}} (n = %{{customdata[4]:,}}), "
            "%{customdata[5]} × everyone's<br>%{customdata[6]}<br>"
        )
        user_bars = _bars(who, USER, theirs / unit)
        user_bars["marker"]["opacity"] = [
            _WEAK if n < FEW else 1 for n in rows.user.known.tolist()
        ]
        user_bars["hoverinfo"] = "skip"
        # The axis runs downwards: the first trace is on top.
        traces.insert(0, user_bars)
    bars["customdata"] = list(zip(*columns, strict=True))
    bars["hovertemplate"] = (
        f"<b>%{{customdata[0]}}</b><br>{user_lines}"
        "everyone: %{customdata[1]} (n = %{customdata[2]:,})"
    )
    return _by_page(traces, rows, view, f"{STATISTICS[statistic]} ({name})")


def durations(summary: Summary, view: View) -> Figure:
    """Session Duration Distribution: shares of everyone's sessions, and of the user's.

    Both in percent of the sessions of known duration, so that one user and everyone
    can be laid over each other. On the linear axis the last bin takes all that is
    longer; on the logarithmic one the first has the zeros.
    """
    bins = tables.bins(summary, view.scale)
    if not bins.everyone.any():
        return empty("No session of known duration")
    spans = tables.bin_texts(bins.edges)

    def share(counts: NDArray[np.int64]) -> list[float]:
        percent = 100 * counts / max(counts.sum(), 1)
        return [round(p, 2) for p in percent.tolist()]

    # A bar stands apart, with two empty ones between, that has no place on the axis:
    # on a linear one what is longer, on a logarithmic one the zeros.
    if view.scale == "linear":
        unit, name = _unit(float(bins.edges[-2]))
        width = round(float(bins.edges[1]) / unit, 6)
        at = len(bins.everyone) - 1
        axis: dict[str, Any] = {"title": {"text": f"Session duration ({name})"}}
    else:
        width, at = 1.0, 1
        ones = [f"{edge:g}".strip("0") in ("1", "4") for edge in bins.edges[:-1]]
        decades = np.flatnonzero(ones)
        axis = {
            "title": {"text": "Session duration (logarithmic)"},
            "tickvals": [0.5, *(decades + 2).tolist()],
            "ticktext": ["0 s", *(edge_text(bins.edges[i]) for i in decades)],
        }

    def spaced(values: list[Any], between: Any = None) -> list[Any]:
        return [*values[:at], between, between, *values[at:]]

    end = width * (len(bins.everyone) + 2)
    heights = share(bins.everyone)
    columns = [spans, bins.everyone.tolist()]
    user_line = ""
    bars: Trace = {
        "type": "bar",
        "name": "everyone",
        "x0": width / 2,
        "dx": width,
        "y": spaced(heights),
        "marker": {"color": EVERYONE},
        **_only(_bins_picked(bins.edges, view, spaced)),
    }
    traces = [bars]
    top_of_last = heights[-1]
    if bins.user is not None and bins.user.any():
        who, theirs = _user_name(view), share(bins.user)
        columns += [theirs, bins.user.tolist()]
        user_line = f"{who}: %{{customdata[2]:.1f}} % (n = %{{customdata[3]:,}})<br>"
        # From edge to edge, and so each run goes on to the last edge of its own.
        steps = spaced([*theirs, theirs[-1]])
        steps[at] = steps[at - 1]
        traces.append({**_line(who), "x0": 0, "dx": width, "y": steps})
        top_of_last = max(top_of_last, theirs[-1])
    bars["customdata"] = spaced(list(zip(*columns, strict=True)))
    bars["hovertemplate"] = (
        f"<b>%{{customdata[0]}}</b><br>{user_line}"
        "everyone: %{y:.1f} % (n = %{customdata[1]:,})"
    )
    edges = [edge if edge < np.inf else None for edge in bins.edges.tolist()]
    longer = {
        "text": spans[-1],
        "bgcolor": "#ffffff",
        "x": end,
        "xanchor": "right",
        "y": top_of_last,
        "yanchor": "bottom",
        "showarrow": False,
    }
    return _figure(
        traces,
        {
            **_PICKS_X,
            "bargap": 0.06,
            "hovermode": "x",
            "margin": _MARGIN,
            "meta": {"edges": spaced(edges, edges[at])},
            # A zoom is kept where the axis means the same.
            "uirevision": axis["title"]["text"],
            "xaxis": {**axis, "range": [0, end], "ticklabeloverflow": "allow"},
            "yaxis": _up("Share of sessions (%)"),
            **({"annotations": [longer]} if view.scale == "linear" else {}),
        },
    )


def timeline(summary: Summary, view: View) -> Figure:
    """Sessions, or time, per day, week or month: the user's, and the average user's."""
    line = tables.periods(summary, view.timeline)
    if not summary.everyone.sessions.any():
        return empty("No session")
    starts, last = [str(day) for day in line.edges[:-1]], str(line.edges[-1])
    # Bars begin where their period does; a month's is as wide as the month is long.
    widths = (np.diff(line.edges).astype(np.int64) * 86_400_000).tolist()
    counts = view.timeline == "sessions"
    seconds, name = 1.0, "sessions"
    if not counts:
        theirs = line.everyone if line.user is None else line.user
        seconds, name = _unit(float(max(line.everyone.max(), theirs.max())))
    bars: Trace = {
        "type": "bar",
        "name": "everyone" if line.user is None else "average user",
        "x": starts,
        "y": _rounded(line.everyone / seconds),
        "offset": 0,
        "width": widths[0] if len(set(widths)) == 1 else widths,
        "marker": {"color": EVERYONE, "line": {"width": 0}},
        **_only(_days_picked(line.edges, view)),
    }
    if line.incomplete.any():
        shapes = ["/" if incomplete else "" for incomplete in line.incomplete]
        bars["marker"]["pattern"] = {"shape": shapes, "fillmode": "replace"}
    columns: list[list[Any]] = []
    text, user_line = "%{y:,} sessions", ""
    if not counts:
        columns.append(_texts(line.everyone))
        text = "%{customdata[0]}"
    traces = [bars]
    if line.user is not None:
        if counts:
            text = "%{y:,.3~r} sessions"
        who, steps = _user_name(view), _rounded(line.user / seconds)
        columns.append(steps if counts else _texts(line.user))
        theirs_ = "%{customdata[0]:,} sessions" if counts else "%{customdata[1]}"
        user_line = f"{who}: {theirs_}<br>"
        traces.append({**_line(who), "x": [*starts, last], "y": [*steps, steps[-1]]})
    if columns:
        bars["customdata"] = list(zip(*columns, strict=True))
    bars["hovertemplate"] = (
        f"<b>%{{x|{_PERIODS[line.unit]}}}</b><br>{user_line}{bars['name']}: {text}"
    )
    return _figure(
        traces,
        {
            **_PICKS_X,
            "hovermode": "x",
            "margin": {**_MARGIN, "r": 30, "b": 40},
            "meta": {"end": last},
            "uirevision": line.unit,
            "xaxis": {
                "type": "date",
                "range": [starts[0], last],
                **(_few_days(line) if len(starts) < _FEW_DAYS else {}),
            },
            "yaxis": _up(f"{name.capitalize()} per {line.unit}"),
        },
    )


def _few_days(line: tables.Periods) -> dict[str, Any]:
    """An axis for some days on which each is no wider than if there were more."""
    middles = line.edges[:-1].astype("M8[h]") + 12
    spare = 12 * (_FEW_DAYS - len(middles))
    first, last = line.edges[[0, -1]].astype("M8[h]")
    return {
        "range": [str(first - spare), str(last + spare)],
        "tickvals": [str(middle) for middle in middles],
        "tickformat": "%-d %b<br>%Y",
    }


def hours(summary: Summary, view: View) -> Figure:
    """Sessions in each hour of each weekday, per day that there was of it."""
    who = summary.who
    if not who.sessions.any():
        return empty("No session")
    rates = tables.per_weekday(who, summary)
    name, colour, beside, average = "everyone", EVERYONE, "", {}
    if summary.user is not None:
        name, colour = _user_name(view), USER
        others = tables.per_weekday(summary.everyone, summary) / summary.n_users
        average = {"customdata": list(map(_rounded, others))}
        beside = "<br>average user: %{customdata:.2~r}"
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    heat: Trace = {
        "type": "heatmap",
        "y": WEEKDAYS,
        "z": list(map(_rounded, rates)),
        "zmin": 0,
        # Let through more or less of the ground, that of either theme.
        "colorscale": [
            [share, f"rgba({red}, {green}, {blue}, {max(share, 0.06)})"]
            for share in (0, 1)
        ],
        "xgap": 2,
        "ygap": 2,
        "text": who.hours.tolist(),
        **average,
        "hovertemplate": (
            f"<b>%{{y}}, %{{x}}:00 to %{{x}}:59</b><br>{name}: %{{z:.2~r}} sessions "
            f"each %{{y}} (n = %{{text:,}}){beside}<extra></extra>"
        ),
        # The page has its own, which costs a fifth of the time.
        "showscale": False,
    }
    return _figure(
        [heat],
        {
            "dragmode": False,
            "margin": {"l": 84, "r": 8, "t": 8, "b": 48},
            "xaxis": {
                "title": {"text": f"Hour of the day ({summary.timezone})"},
                "tickvals": list(range(0, 24, 3)),
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
            "yaxis": {"autorange": "reversed", "showgrid": False, "fixedrange": True},
        },
    )


def _texts(seconds: NDArray[np.float64]) -> list[str]:
    return ["unknown" if np.isnan(s) else duration_text(s) for s in seconds.tolist()]


def _evidence_texts(user: Tally, statistic: Statistic) -> list[str]:
    """How sure the user's bar is."""
    texts = []
    for mean, margin, n, unknown in zip(
        user.mean.tolist(),
        user.margin.tolist(),
        user.known.tolist(),
        user.unknown.tolist(),
        strict=True,
    ):
        notes = []
        if 0 < n < FEW:
            notes.append("weak evidence")
        elif n and statistic == "average":
            low, high = max(mean - margin, 0), mean + margin
            notes.append(f"95 % interval {duration_text(low)} to {duration_text(high)}")
        if unknown:
            notes.append(f"{unknown:,} of unknown duration")
        texts.append(", ".join(notes))
    return texts


def _user_name(view: View) -> str:
    """The picked user as a trace's name and in its hover, for Plotly's HTML."""
    return in_html(shortened(view.selection.user or "", _LABEL))


def _unit(longest: float) -> tuple[float, str]:
    """The seconds of the unit that an axis up to *longest* is read in, and its name."""
    if longest <= 180:
        return 1.0, "seconds"
    return (60.0, "minutes") if longest <= 3 * 3600 else (3600.0, "hours")


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    """As short as a chart can do with: three digits, or whole numbers."""
    return [
        None if np.isnan(value) else float(f"{value:.3g}") if value % 1 else int(value)
        for value in values.tolist()
    ]


def _only(picked: Sequence[bool] | None) -> Trace:
    """The properties of bars of which only some are picked: the others are grey."""
    if picked is None:
        return {}
    return {
        "selectedpoints": [number for number, is_ in enumerate(picked) if is_],
        "unselected": {"marker": {"color": OTHER, "opacity": 1}},
    }


def _bins_picked(
    edges: NDArray[np.float64], view: View, spaced: Callable[..., list[bool]]
) -> list[bool] | None:
    shortest, longest = view.selection.shortest, view.selection.longest
    if shortest is None and longest is None:
        return None
    end = np.inf if longest is None else longest
    picked = [low < end and high > (shortest or 0) for low, high in pairwise(edges)]
    return spaced(picked, False)


def _days_picked(edges: NDArray[np.datetime64], view: View) -> list[bool] | None:
    start, end = view.selection.start, view.selection.end
    if start is None and end is None:
        return None
    # As NumPy's days: the last period may end with the year 10000.
    picked = np.ones(len(edges) - 1, bool)
    if start is not None:
        picked &= edges[1:] > np.datetime64(start)
    if end is not None:
        picked &= edges[:-1] < np.datetime64(end)
    return list(picked)


def _line(name: str) -> Trace:
    """A line in steps, the user's over everyone's bars."""
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines",
        "line": {"shape": "hv", "color": USER, "width": 2},
        "hoverinfo": "skip",
    }


def _bars(name: str, colour: str, values: NDArray[np.float64]) -> Trace:
    # Without y, the bars are at 0, 1, 2 and so on, and never at their labels: two long
    # names may be shortened to the same one.
    return {
        "type": "bar",
        "name": name,
        "orientation": "h",
        "x": [None if np.isnan(value) else value for value in values.round(4).tolist()],
        "marker": {"color": colour},
    }


def _by_page(traces: Sequence[Trace], rows: PageRows, view: View, title: str) -> Figure:
    n = len(rows.names)
    named = rows.names[: rows.n_named]
    if view.selection.pages:
        picked = [name in view.selection.pages for name in named]
        picked += [False] * (n - len(named))
        for trace in traces:
            trace.update(_only(picked))
    labels = [shortened(name, _LABEL) for name in rows.names]
    left = 20 + 7 * max(map(len, labels))
    return _figure(
        traces,
        {
            "dragmode": False,
            "hovermode": "y",
            "margin": {**_MARGIN, "l": left},
            "meta": {"pages": named},
            "xaxis": {
                "title": {"text": title},
                # An axis of zeros alone would have them in its middle.
                **({} if _reaches(traces) else {"range": [0, 1]}),
                "fixedrange": True,
                "ticklabeloverflow": "allow",
            },
            "yaxis": {
                # Downwards; where there are few rows, as high as if there were more.
                "range": [max(n, _MIN_ROWS) - 0.5, -0.5],
                "tickvals": list(range(n)),
                "ticktext": list(map(in_html, labels)),
                "ticklabelstandoff": 6,
                "ticklabeloverflow": "allow",
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
        },
    )


def _up(title: str) -> dict[str, Any]:
    return {
        "title": {"text": title},
        "rangemode": "tozero",
        "fixedrange": True,
        "ticklabeloverflow": "allow",
    }


def _reaches(traces: Sequence[Trace]) -> bool:
    return any(value for trace in traces for value in trace["x"])


def _figure(traces: Sequence[Trace], layout: dict[str, Any]) -> Figure:
    figure: Figure = {"data": list(traces), "layout": {**_LAYOUT, **layout}}
    if len(traces) > 1:
        figure["layout"]["legend"] = _LEGEND
    number = crc32(repr(figure).encode())
    # Plotly.js takes arrays of the same revision for unchanged. And what was dragged
    # over is from now on drawn by this, and no longer by the drag.
    figure["layout"] |= {"datarevision": number, "selectionrevision": number}
    return figure


def zoom(figure: Figure, held: object) -> None:
    """Have a figure show what a person has zoomed to, where the axis means the same.

    *held* is what the page says of the figure before it: its uirevision, the range of
    its x axis and what a drag does. Plotly.js would keep them by itself, but Dash takes
    them for changes of the figure. What makes no sense is left.
    """
    layout = figure["layout"]
    if not isinstance(held, dict) or held.get("revision") != layout.get("uirevision"):
        return
    match held.get("range"):
        case [float() | int() | str(), float() | int() | str()] as range_ if figure[
            "data"
        ]:
            layout["xaxis"] = {**layout["xaxis"], "range": range_}
    if held.get("dragmode") in ("select", "zoom"):
        layout["dragmode"] = held["dragmode"]


def revision(figure: Figure) -> int:
    """A number that is another for another figure."""
    number: int = figure["layout"]["datarevision"]
    return number


def empty(words: str) -> Figure:
    """A chart of nothing but words in its middle."""
    hidden = {"visible": False}
    text = {"text": words, "showarrow": False, "font": {"size": 14}}
    return _figure([], {"xaxis": hidden, "yaxis": hidden, "annotations": [text]})
