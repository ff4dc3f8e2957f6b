"""Pure functions from a Summary to charts, and to a sentence that says what each shows.

A figure is the plain dictionary that Plotly.js takes. Plotly's own classes would check
every property of every figure at every pick, which takes several times as long as all
the rest; the tests have them do it instead.

Colours are those of the light theme; the style sheet puts the dark ones over them, so
that a change of theme redraws nothing and an exported picture is dark on white.
"""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from activity import FEW, Summary, Tally

Figure = dict[str, Any]
Trace = dict[str, Any]

EVERYONE: Final = "#0072B2"
USER: Final = "#D55E00"
# Blue and vermilion from Okabe and Ito, "Color Universal Design" (2008): told apart
# by colour-blind people, and at 3 : 1 or better on white and on the dark theme.

MAX_PAGES: Final = 15
"""So many pages have a bar of their own; the rest share one."""

_MIN_ROWS: Final = 4
_LABEL: Final = 20
_NAME: Final = 36
_WEAK: Final = 0.4

# What every figure sets, and little: it goes to the browser at every pick.
_LAYOUT: Final[dict[str, Any]] = {
    "font": {"family": "system-ui"},
    "hoverlabel": {"align": "left"},
}
_LEGEND: Final = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}


def duration_text(seconds: float) -> str:
    """Seconds as people read them: "4.2 s", "45 s", "2 min 5 s", "3 h 12 min".

    From 10,000 hours on the minutes are left out.
    """
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if whole >= 10_000 * 3600:
        return f"{seconds / 3600:,.0f} h"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"


def count_text(n: int, noun: str) -> str:
    """A count with its noun: "1 session", "10,528 sessions"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def total_time(summary: Summary) -> Figure:
    """Total Time per Page: everyone's known durations, the largest first."""
    rows = _rows(summary, summary.everyone)
    totals = rows.everyone.seconds
    if not rows.everyone.known.any():
        return empty("No session of known duration")
    unit, name = _unit(float(totals.max()))
    whole = max(float(totals.sum()), 1e-9)
    hover = zip(
        [_html(_name(name)) for name in rows.names],
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
    return _by_page([bars], rows, f"Total time ({name})")


def total_time_finding(summary: Summary) -> str:
    """The sentence under Total Time per Page."""
    seconds = summary.everyone.seconds
    whole = float(seconds.sum())
    if not summary.everyone.known.any():
        return "No time is known."
    if not whole:
        return "Everyone together spent 0 s."
    top = int(seconds.argmax())
    return (
        f"Everyone together spent {duration_text(whole)}, the largest part on "
        f"{_name(summary.pages[top])}: {100 * seconds[top] / whole:.0f} %."
    )


def user_average(summary: Summary) -> Figure:
    """Average Session Duration by Page: the picked user's beside everyone's.

    Only pages that the user has been on; without a user, everyone's alone.
    """
    rows = _rows(summary, summary.user or summary.everyone)
    everyone = rows.everyone.mean
    theirs = np.array([]) if rows.user is None else rows.user.mean
    longest = np.nanmax([*everyone, *theirs, -1.0])
    if longest < 0:
        return empty("No session of known duration")
    unit, name = _unit(float(longest))
    bars = _bars("everyone", EVERYONE, everyone / unit)
    # One hover for both bars: where the user's is missing, everyone's isn't.
    columns: list[list[Any]] = [
        [_html(_name(name)) for name in rows.names],
        _mean_texts(rows.everyone),
        rows.everyone.known.tolist(),
    ]
    user_lines = ""
    traces = [bars]
    if rows.user is not None:
        who = _user_name(summary)
        columns += [
            _mean_texts(rows.user),
            rows.user.known.tolist(),
            _ratio_texts(rows.user, rows.everyone),
            _evidence_texts(rows.user),
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
    return _by_page(traces, rows, f"Average ({name})")


def user_average_finding(summary: Summary) -> str:
    """The sentence under Average Session Duration by Page."""
    rows = _rows(summary, summary.user or summary.everyone)
    who, user, everyone = summary.selection.user or "", rows.user, rows.everyone
    if user is None:
        return "Pick a user to see them beside everyone."
    if not user.known.any():
        return f"{_name(who)} has no session of known duration."
    sure = (user.known >= FEW) & (everyone.seconds > 0)
    if sure[:MAX_PAGES].any():
        # A page says more than the average of all the others.
        sure[MAX_PAGES:] = False
    words = []
    if sure.any():
        ratio = np.ones(len(sure))
        ratio[sure] = user.mean[sure] / everyone.mean[sure]
        # The page that stands out most, be it by more or by less time.
        top = int(np.abs(np.log(np.maximum(ratio, 1e-9))).argmax())
        top = top if sure[top] else int(sure.argmax())
        words.append(
            f"{_name(who)} spends {_ratio(user.mean[top], everyone.mean[top])} × "
            f"everyone's average on {_name(rows.names[top])} "
            f"(n = {user.known[top]:,})."
        )
    if ((user.known > 0) & (user.known < FEW)).any():
        words.append(f"Faint bars: fewer than {FEW} known durations, so weak evidence.")
    return " ".join(words) or f"{_name(who)} spends as long as everyone: 0 s."


def durations(summary: Summary) -> Figure:
    """Session Duration Distribution: shares of everyone's sessions, and of the user's.

    Both in percent of the sessions of known duration, so that one user and everyone
    can be laid over each other. The last bin takes all that is longer.
    """
    edges = summary.edges
    if not summary.everyone.histogram.any():
        return empty("No session of known duration")
    unit, name = _unit(float(edges[-2]))
    width = round(float(edges[1]) / unit, 6)
    # All that is longer has no place on the axis: two empty bins set its bar apart.
    end = float(edges[-2]) / unit + 3 * width
    spans = _spans(edges)

    def share(tally: Tally) -> list[float]:
        percent = 100 * tally.histogram / max(tally.histogram.sum(), 1)
        return [round(p, 2) for p in percent.tolist()]

    def spaced(values: list[Any], between: list[Any]) -> list[Any]:
        return [*values[:-1], *between, values[-1]]

    heights = share(summary.everyone)
    columns = [spans, summary.everyone.histogram.tolist()]
    user_line = ""
    bars: Trace = {
        "type": "bar",
        "name": "everyone",
        "x0": width / 2,
        "dx": width,
        "y": spaced(heights, [None, None]),
        "marker": {"color": EVERYONE},
    }
    traces = [bars]
    top_of_last = heights[-1]
    if summary.user is not None and summary.user.known.any():
        who, theirs = _user_name(summary), share(summary.user)
        columns += [theirs, summary.user.histogram.tolist()]
        user_line = f"{who}: %{{customdata[2]:.1f}} % (n = %{{customdata[3]:,}})<br>"
        line: Trace = {
            "type": "scatter",
            "name": who,
            # From edge to edge, and so each run goes on to the last edge of its own.
            "x0": 0,
            "dx": width,
            "y": [*spaced(theirs, [theirs[-2], None]), theirs[-1]],
            "mode": "lines",
            "line": {"shape": "hv", "color": USER, "width": 2},
            "hoverinfo": "skip",
        }
        traces.append(line)
        top_of_last = max(top_of_last, theirs[-1])
    bars["customdata"] = spaced(list(zip(*columns, strict=True)), [None, None])
    bars["hovertemplate"] = (
        f"<b>%{{customdata[0]}}</b><br>{user_line}"
        "everyone: %{y:.1f} % (n = %{customdata[1]:,})"
    )
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
            "bargap": 0.06,
            "hovermode": "x",
            "margin": {"l": 52, "r": 16, "t": 36, "b": 48},
            "xaxis": {
                "title": {"text": f"Session duration ({name})"},
                "range": [0, end],
                "ticklabeloverflow": "allow",
            },
            "yaxis": {
                "title": {"text": "Share of sessions (%)"},
                "ticklabeloverflow": "allow",
            },
            "annotations": [longer],
        },
    )


def durations_finding(summary: Summary) -> str:
    """The sentence under Session Duration Distribution."""
    everyone = summary.everyone
    n, unknown = int(everyone.known.sum()), int(everyone.unknown.sum())
    if not n:
        return "No duration is known."
    mean = float(everyone.seconds.sum()) / n
    words = f"Everyone's sessions last {duration_text(mean)} on average."
    who, user = summary.selection.user or "", summary.user
    if user is not None and not user.known.any():
        words = f"{_name(who)} has no session of known duration. {words}"
    elif user is not None:
        n_user = int(user.known.sum())
        mean_user = float(user.seconds.sum()) / n_user
        evidence = ", weak evidence" if n_user < FEW else ""
        ratio = f"{_ratio(mean_user, mean)} × " if mean else ""
        words = (
            f"{_name(who)}'s sessions last {duration_text(mean_user)} on average "
            f"(n = {n_user:,}{evidence}), {ratio}everyone's {duration_text(mean)}."
        )
    if unknown:
        words += f" {unknown:,} of unknown duration left out."
    return words


class _Rows(NamedTuple):
    """The pages that a chart shows, in its order, the others as one last row."""

    names: list[str]
    everyone: Tally
    user: Tally | None


def _rows(summary: Summary, of: Tally) -> _Rows:
    """The pages with most known time among those that *of* has sessions on.

    They stand in the order of everyone's time, so that a page keeps its place from
    chart to chart and from user to user.
    """
    there = np.flatnonzero(of.sessions)
    by_time = there[np.argsort(-of.seconds[there], kind="stable")]
    top, others = by_time[:MAX_PAGES], by_time[MAX_PAGES:]
    top = top[np.argsort(-summary.everyone.seconds[top], kind="stable")]
    group = np.full(len(summary.pages), -1)
    group[top] = np.arange(len(top))
    group[others] = len(top)
    names = [summary.pages[page] for page in top]
    if len(others):
        names.append(count_text(len(others), "other page"))
    user = None if summary.user is None else summary.user.pooled(group)
    return _Rows(names, summary.everyone.pooled(group), user)


def _mean_texts(tally: Tally) -> list[str]:
    return [
        "unknown" if np.isnan(mean) else duration_text(mean)
        for mean in tally.mean.tolist()
    ]


def _ratio_texts(user: Tally, everyone: Tally) -> list[str]:
    """The user's averages as multiples of everyone's; a dash where there is none."""
    return list(map(_ratio, user.mean.tolist(), everyone.mean.tolist()))


def _ratio(mean: float, other: float) -> str:
    if np.isnan(mean) or not other > 0:
        return "–"
    ratio = mean / other
    return f"{ratio:.1f}" if ratio >= 0.095 or not ratio else f"{ratio:.1g}"


def _evidence_texts(user: Tally) -> list[str]:
    """How sure the user's average is."""
    texts = []
    for mean, margin, n, unknown in zip(
        user.mean.tolist(),
        user.margin.tolist(),
        user.known.tolist(),
        user.unknown.tolist(),
        strict=True,
    ):
        notes = []
        if n >= FEW:
            low, high = max(mean - margin, 0), mean + margin
            notes.append(f"95 % interval {duration_text(low)} to {duration_text(high)}")
        elif n:
            notes.append("weak evidence")
        if unknown:
            notes.append(f"{unknown:,} of unknown duration")
        texts.append(", ".join(notes))
    return texts


def _user_name(summary: Summary) -> str:
    """The picked user as a trace's name and in its hover, for Plotly's HTML."""
    return _html(_shorten(summary.selection.user or "", _LABEL))


def _name(text: str) -> str:
    """A user or a page in a sentence or in the head of a hover."""
    return _shorten(text, _NAME)


def _html(text: str) -> str:
    """Text as Plotly's HTML shows it unchanged; in templates, %{ is special too."""
    return escape(text, quote=False).replace("%", "&#37;")


def _shorten(text: str, length: int) -> str:
    """The text, or its beginning and its longer end around an ellipsis."""
    if len(text) <= length:
        return text
    head = length // 4
    return f"{text[:head]}…{text[head + 1 - length :]}"


def _unit(longest: float) -> tuple[float, str]:
    """The seconds of the unit that an axis up to *longest* is read in, and its name."""
    if longest <= 180:
        return 1.0, "seconds"
    return (60.0, "minutes") if longest <= 3 * 3600 else (3600.0, "hours")


def _spans(edges: NDArray[np.float64]) -> list[str]:
    texts = [duration_text(edge) for edge in edges[:-1]]
    spans = [f"{a} to {b}" for a, b in pairwise(texts)]
    return [*spans, f"{texts[-1]} and longer"]


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


def _by_page(traces: Sequence[Trace], rows: _Rows, title: str) -> Figure:
    n = len(rows.names)
    labels = [_shorten(name, _LABEL) for name in rows.names]
    left = 20 + 7 * max(map(len, labels))
    return _figure(
        traces,
        {
            "hovermode": "y",
            "margin": {"l": left, "r": 16, "t": 36, "b": 48},
            "xaxis": {
                "title": {"text": title},
                # An axis of zeros alone would have them in its middle.
                **({} if _reaches(traces) else {"range": [0, 1]}),
                "ticklabeloverflow": "allow",
            },
            "yaxis": {
                # Downwards; where there are few rows, as high as if there were more.
                "range": [max(n, _MIN_ROWS) - 0.5, -0.5],
                "tickvals": list(range(n)),
                "ticktext": list(map(_html, labels)),
                "ticklabelstandoff": 6,
                "ticklabeloverflow": "allow",
                "showgrid": False,
                "zeroline": False,
            },
        },
    )


def _reaches(traces: Sequence[Trace]) -> bool:
    return any(value for trace in traces for value in trace["x"])


def _figure(traces: Sequence[Trace], layout: dict[str, Any]) -> Figure:
    figure: Figure = {"data": list(traces), "layout": {**_LAYOUT, **layout}}
    if len(traces) > 1:
        figure["layout"]["legend"] = _LEGEND
    # Plotly.js takes arrays of the same revision for unchanged, and so leaves a chart
    # alone that a pick doesn't alter.
    figure["layout"]["datarevision"] = crc32(repr(figure).encode())
    return figure


def empty(words: str) -> Figure:
    """A chart of nothing but words in its middle."""
    hidden = {"visible": False}
    text = {"text": words, "showarrow": False, "font": {"size": 14}}
    return _figure([], {"xaxis": hidden, "yaxis": hidden, "annotations": [text]})
