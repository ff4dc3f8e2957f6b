"""What a chart is: one object with its numbers, its figure and its sentence."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

import pandas as pd

from charts.figure import Figure
from engine.model import Selection, Summary
from view import View

_Made = TypeVar("_Made")


@dataclass(frozen=True, eq=False)
class Shown:
    """What a chart is drawn from."""

    view: View
    """What the page shows, and how."""
    summary: Summary
    """The numbers without the chart's own filter: a crossfilter shows all of it."""
    filtered: Summary
    """The numbers with every filter, the chart's own among them."""
    made: dict[Any, Any] = field(default_factory=dict)
    """What charts have made of the summary, see ``once``."""

    def once(self, key: Any, make: Callable[[], _Made]) -> _Made:
        """What *make* gives, made once for all that is shown of the summary.

        *key* says what it is.
        """
        if key not in self.made:
            self.made[key] = make()
        found: _Made = self.made[key]
        return found


class Switch(NamedTuple):
    """Radio buttons in a chart's heading that set one field of the View."""

    id: str
    """Component id of the buttons."""
    label: str
    """Name for screen readers."""
    field: str
    """The field of ``View`` that they set."""
    options: dict[Any, str]
    """The values of the field, each with its words."""


class Chart(ABC):
    """One chart of the page; ``charts.CHARTS`` lists them in the order of the page.

    A chart is never filtered by what is picked in it: it draws all, with the rest of
    the picked grey. What a click or a drag on it picks stands in its figure, see
    ``charts.figure.picks_names`` and ``charts.figure.picks_range``.
    """

    id: ClassVar[str]
    """Component id of the graph; the ids of its other parts begin with it."""
    title: ClassVar[str]
    """The heading until there is a view to say more about."""
    own_filter: ClassVar[tuple[str, ...]] = ()
    """The fields of ``Selection`` that the chart picks, and isn't filtered by."""
    width: ClassVar[Literal["half", "narrow", "full"]] = "half"
    """How much of a wide screen's width it has; narrow is less than half."""
    height: ClassVar[int] = 420
    """Height of the graph in pixels."""
    zoomable: ClassVar[bool] = False
    """Whether the x axis can be zoomed, with buttons for it."""
    has_color_scale: ClassVar[bool] = False
    """Whether colour stands for a number; then ``darkest`` says for which."""
    has_rows: ClassVar[bool] = False
    """Whether there may be rows for which there is no room, see ``others``."""
    compares_user: ClassVar[bool] = True
    """Whether the picked user is in the chart, not only everyone."""
    switch: ClassVar[Switch | None] = None
    """A control of the View in the chart's heading."""

    def unfiltered(self, selection: Selection) -> Selection:
        """The selection without the chart's own filter."""
        default = Selection()
        own = {name: getattr(default, name) for name in self.own_filter}
        return replace(selection, **own)

    def heading(self, shown: Shown) -> str:
        """The heading, which says what the chart counts."""
        return self.title

    def height_of(self, shown: Shown) -> int:
        """The height of the graph in pixels, for what is shown."""
        return self.height

    def others(self, shown: Shown) -> str:
        """What there is besides the rows that are drawn, in words."""
        return ""

    def darkest(self, shown: Shown) -> str:
        """What the strongest colour of the colour scale stands for."""
        return ""

    @abstractmethod
    def numbers(self, shown: Shown, *, every_row: bool = False) -> pd.DataFrame:
        """The numbers that are drawn, as a table.

        Columns of seconds have names that end in "(s)". With *every_row* there are also
        the rows that have no bar of their own.
        """

    @abstractmethod
    def figure(self, shown: Shown) -> Figure:
        """The figure, for Plotly.js."""

    @abstractmethod
    def sentence(self, shown: Shown) -> str:
        """What the chart shows, in a sentence or two."""
