import pyarrow as pa
import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from sources.logs import bots
from sources.logs.bots import Bots
from tests.sources.logs import slow_log

PEOPLE = (
    b"Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0",
    *(b"", b"-", b"\xff\xfe", b"Mozilla/5.0", b"a\0b"),
)


def among(known: Bots, agents: list[bytes]) -> list[bool]:
    found: list[bool] = known.among(pa.array(agents, pa.binary())).tolist()
    return found


def test_all_that_the_package_knows_by_example() -> None:
    examples = [
        text for known in CRAWLER_USER_AGENTS_DATA for text in known["instances"][:2]
    ]
    assert len(examples) > 500
    found = among(Bots(), [text.encode() for text in examples])
    assert found == [slow_log.is_bot(text) for text in examples]
    assert sum(found) > 0.99 * len(found)


def test_people_are_none() -> None:
    assert not any(among(Bots(), [*PEOPLE]))


def test_what_is_known_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Bots()
    names = [b"curl/%d" % n for n in range(5)]
    first = among(known, [*names, *PEOPLE])
    monkeypatch.setattr(bots, "_MOST_KNOWN", 3)
    again = among(known, [*PEOPLE, b"new", *names])
    assert again == [*first[5:], False, *first[:5]]
