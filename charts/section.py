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
    has_file: ClassVar[bool] = True
    """Whether its numbers are a file of their own."""

    def is_open(self, view: View) -> bool:
        """Whether a view has it open."""
        return self.id in view.opened

    @abstractmethod
    def answer(self, engine: Engine, view: View) -> Mapping[str, Any]:
        """What the section shows for a view, for its script in ``assets/``.

        ``finding`` is what it says in words. Raises as ``Engine`` does.
        """

    @abstractmethod
    def numbers(
        self, engine: Engine, view: View, *, every_row: bool = False
    ) -> pd.DataFrame:
        """The numbers that are shown, as a table, see ``Chart.numbers``.

        With *every_row* there are also those for which there is no room. Raises as
        ``Engine`` does.
        """
