"""What a section is: a part of the page that is folded until it is asked for."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd

from engine.model import Engine
from view import SectionName, View


class Section(ABC):
    """A part of the page that is folded until it is asked for.

    ``charts.SECTIONS`` lists them in the order of the page. The address says which are
    open. Of one that is folded nothing is asked, counted or sent.
    """

    id: ClassVar[SectionName]
    """Name in the address; the ids of its parts begin with it."""
    title: ClassVar[str]
    about: ClassVar[str]
    """The question that it answers, beside its heading."""

    key: ClassVar[str | None] = None
    """A key of the address that opens it as well; None for none."""

    def numbers(self, engine: Engine, view: View) -> pd.DataFrame | None:
        """Its numbers for a file, as ``Chart.numbers`` are; None where it has none."""
        return None

    @abstractmethod
    def answer(self, engine: Engine, view: View) -> Mapping[str, Any]:
        """What the section shows for a view, for its script in ``assets/``.

        Raises as ``Engine`` does.
        """
