"""What the figures of all charts share: colours, layout, axes, and picking.

A figure is the plain dictionary that Plotly.js takes. Plotly's own classes would check
every property of every figure at every pick, which takes several times as long as all
the rest; the tests have them do it instead.

The colours are those of the light theme; the style sheet puts the dark ones over them,
so that a change of theme redraws nothing and an exported picture is dark on white.
"""

from collections.abc import Sequence
from math import isnan
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from formatting import plotly_text, user_text
from view import View

Figure = dict[str, Any]
Trace = dict[str, Any]

# Blue and vermilion from Okabe and Ito, "Color Universal Design" (2008): told apart
# by colour-blind people, and at 3 : 1 or better on white and on the dark theme.
EVERYONE_COLOR: Final = "#0072B2"
USER_COLOR: Final = "#D55E00"
UNPICKED_COLOR: Final = "rgba(138, 148, 160, 0.5)"
"""The colour of bars that are not picked, in a chart that has a filter."""

LONGEST_LABEL: Final = 20
"""Characters of a name beside a bar."""

MARGIN: Final = {"l": 52, "r": 16, "t": 36, "b": 48}
"""Pixels around the plot, for a chart with short labels."""

# Those that clocks have; below and above them 1, 2 or 5 with zeros.
_TICK_STEPS: Final = (
    *(n * 10.0**zeros for zeros in range(-3, 0) for n in (1, 2, 5)),
    *(1.0, 2.0, 5.0, 10.0, 20.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0),
    *(3600 * n * 10.0**zeros for zeros in range(9) for n in (1, 2, 5)),
)
_TICK_UNITS: Final = ((3600, "h"), (60, "min"), (0, "s"))

UNITS: Final = {"seconds": "s", "minutes": "min", "hours": "h"}
"""The units that ``duration_unit`` names, behind a number."""

# Whatever every figure sets goes to the browser at every pick: it is kept short.
_LAYOUT: Final[Figure] = {
    "font": {"family": "system-ui"},
    "hoverlabel": {"align": "left"},
}
_LEGEND: Final = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}


def figure(traces: Sequence[Trace], layout: dict[str, Any]) -> Figure:
    """Put a figure together, with a legend where there are several traces.

    Its ``datarevision`` is a number that changes with anything in it.
    """
    whole: Figure = {"data": list(traces), "layout": {**_LAYOUT, **layout}}
    if len(traces) > 1:
        whole["layout"]["legend"] = _LEGEND
    number = crc32(repr(whole).encode())
    # Plotly.js takes data of the same revision for unchanged. The selection's revision
    # makes it forget the rectangle of a drag: the figure shows now what is picked.
    whole["layout"] |= {"datarevision": number, "selectionrevision": number}
    return whole


def empty(words: str) -> Figure:
    """A figure of nothing but words in its middle."""
    hidden = {"visible": False}
    text = {"text": words, "showarrow": False, "font": {"size": 14}}
    return figure([], {"xaxis": hidden, "yaxis": hidden, "annotations": [text]})


def revision(whole: Figure) -> int:
    """The number that tells a figure from a different one."""
    number: int = whole["layout"]["datarevision"]
    return number


def picks_names(
    key: str,
    names: Sequence[str | None],
    opens: Sequence[str | None] | None = None,
    labels: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Layout for a chart whose bar i, clicked, picks names[i] as *key* of the address.

    A bar without a name picks nothing; where *opens* has a folder for it, that opens.
    Names that are as the *labels* on the y axis say aren't sent twice: 0 is for these.
    """
    meta: dict[str, Any] = {"key": key, "names": list(names)}
    if labels is not None:
        pairs = zip(names, labels, strict=True)
        meta["names"] = [0 if name == label else name for name, label in pairs]
    if opens is not None:
        meta["opens"] = list(opens)
    return {"meta": meta, "dragmode": False}


def picks_range(keys: tuple[str, str], edges: Sequence[Any] | Any) -> dict[str, Any]:
    """Layout for a chart in which a click or a drag picks the range of some bars.

    Bar i is [edges[i], edges[i + 1]) in the units of the two *keys* of the address;
    None is no limit. Where a single edge is given, the others are the bars' own x.
    """
    name = "edges" if isinstance(edges, list) else "end"
    return {
        "meta": {"keys": list(keys), name: edges},
        "dragmode": "select",
        "selectdirection": "h",
        "selections": [],
    }


def highlight(is_picked: Sequence[bool] | None) -> Trace:
    """Properties of bars of which only some are picked: the others are grey.

    None is for a chart without a filter, in which no bar is grey.
    """
    if is_picked is None:
        return {}
    return {
        "selectedpoints": [number for number, picked in enumerate(is_picked) if picked],
        "unselected": {"marker": {"color": UNPICKED_COLOR, "opacity": 1}},
    }


def step_line(name: str) -> Trace:
    """A line in steps for a user, over everyone's bars."""
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines",
        "line": {"shape": "hv", "color": USER_COLOR, "width": 2},
        "hoverinfo": "skip",
    }


def value_axis(title: str) -> dict[str, Any]:
    """An upward axis from zero on that can't be zoomed."""
    return {
        "title": {"text": title},
        "rangemode": "tozero",
        "fixedrange": True,
        "ticklabeloverflow": "allow",
    }


def labels(x: Sequence[Any], texts: Sequence[str], **properties: Any) -> Trace:
    """A trace of texts at points, which costs much less than as many annotations.

    Among the *properties* is the points' ``y``, or ``y0`` for steps of 1 from there on.

    The style sheet gives them the colour of text, with a rim of the card's.
    """
    # Without a type it is a scatter.
    return {
        "mode": "text",
        "x": list(x),
        "text": list(texts),
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
        **properties,
    }


def user_label(view: View) -> str:
    """The picked user as the name of a trace, escaped for Plotly."""
    return plotly_text(user_text(view.selection.user or ""))


def duration_unit(longest: float) -> tuple[float, str]:
    """The unit of an axis up to *longest* seconds: its seconds, and its name."""
    if longest <= 180:
        return 1.0, "seconds"
    return (60.0, "minutes") if longest <= 3 * 3600 else (3600.0, "hours")


def duration_ticks(longest: float, most: int = 4) -> dict[str, Any]:
    """Ticks of an axis in seconds, as people say them: "0", "2 min", "4 min".

    There are at most so many up to *longest*, besides zero, but one if there can be.
    """
    least = longest / (most + 0.999)
    steps = [step for step in _TICK_STEPS if step <= longest]
    step = next((step for step in steps if step >= least), steps[-1] if steps else 1.0)
    size, unit = next(unit for unit in _TICK_UNITS if step >= unit[0])
    values = [round(n * step, 3) for n in range(1, int(longest / step + 1e-9) + 1)]
    texts = [f"{value / (size or 1):,.9g} {unit}" for value in values]
    return {"tickvals": [0, *values], "ticktext": ["0", *texts]}


def rounded(values: NDArray[np.float64], digits: int = 3) -> list[float | None]:
    """Round values to so many digits, whole numbers not at all; None for NaN.

    That is as much as a chart shows, and short on the wire.
    """
    return [
        None
        if isnan(value)
        else float(f"{value:.{digits}g}")
        if value % 1
        else int(value)
        for value in values.tolist()
    ]
