"""The charts of the page, one file each."""

from typing import Final

from charts.chart import Chart
from charts.compare import Compare
from charts.durations import Durations
from charts.hours import Hours
from charts.pages import TotalTime, UserAverage
from charts.paths import Paths
from charts.section import Section
from charts.story import Story
from charts.timeline import Timeline

CHARTS: Final[tuple[Chart, ...]] = (
    TotalTime(),
    UserAverage(),
    Durations(),
    Hours(),
    Timeline(),
)
"""All charts, in the order of the page."""

SECTIONS: Final[tuple[Section, ...]] = (Compare(), Story(), Paths())
"""All sections that are folded until they are asked for, in the order of the page."""
