"""What saves time where many small logs are read."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from sources.logs import bots
from tests.sources.logs import slow_log


@pytest.fixture(scope="module")
def quick_bots() -> Iterator[None]:
    """Tell bots one by one: Arrow takes milliseconds to understand all patterns."""

    def match(agents: pa.StringArray) -> NDArray[np.bool_]:
        return np.array([slow_log.is_bot(text) for text in agents.to_pylist()], bool)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bots, "_match", match)
        yield
