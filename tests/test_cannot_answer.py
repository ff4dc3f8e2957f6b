"""An engine that can't answer: what the page, the files and the log say of it."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from dash import Dash
from werkzeug.test import TestResponse

import ids
from app import assemble
from engine.memory import MemoryEngine
from engine.model import CannotAnswer, Dropped, Selection
from engine.turns import current
from sources import Origin
from tests.building import engine_of
from tests.sessions import Row
from tests.test_callbacks import URL, answer, body, opened, pick, post

LINE = "The stars can't be reached: they are far."
TURN = f"{'0' * 32}-{{}}".format


class Away(MemoryEngine):
    """An engine that can't answer but for everyone's numbers."""

    error: Exception | None = None

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error

    def summarise(self, selection: Selection) -> Any:
        if selection.user is not None:
            self._fail()
        return super().summarise(selection)

    def list_users(self, *args: Any, **kwargs: Any) -> Any:
        self._fail()
        return super().list_users(*args, **kwargs)

    def find_users(self, text: str, limit: int) -> list[str]:
        # Who the page opens with was asked for before.
        if limit > 1:
            self._fail()
        return super().find_users(text, limit)

    def sessions(self, selection: Selection, limit: int) -> Iterator[pd.DataFrame]:
        yield from super().sessions(selection, limit)
        self._fail()


def away(rows: list[Row], error: Exception) -> Dash:
    engine = engine_of(rows)
    engine.__class__ = Away
    app = assemble(engine, Origin("stars"))
    assert isinstance(engine, Away)
    engine.error = error
    return app


FEW: list[Row] = [("ann", "home", 5, "2024-01-01"), ("bob", "cart", 7, "2024-01-02")]
MANY: list[Row] = [(f"u{n}", "home", 5, "2024-01-01") for n in range(400)]


def changed_beside(response: TestResponse) -> dict[str, Any]:
    assert response.status_code == 200
    parts = json.loads(response.data)
    assert not parts.get("response")
    changed: dict[str, Any] = parts["sideUpdate"]
    return changed


def listed(app: Dash, search: str) -> TestResponse:
    return post(app, body(app, "listed.data", "url.search", url_search=search))


def is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Only the line is in the log, with the name of the request."""
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert record.levelno == logging.WARNING
    assert LINE in record.getMessage()
    assert record.exc_info is None


def test_a_pick_that_is_not_answered_says_why(caplog: pytest.LogCaptureFixture) -> None:
    app = away(FEW, CannotAnswer(LINE))
    words = f"{LINE} This pick was not drawn."
    answered = pick(app, "ann", drawn_data={})
    assert changed_beside(answered) == {ids.PROBLEM: {"children": words}}
    is_one_warning(caplog)
    assert answer(pick(app, ""))[ids.PROBLEM]["children"] == ""


def test_a_first_view_that_is_not_answered_was_picked_by_nobody() -> None:
    app = away(FEW, CannotAnswer(LINE))
    words = f"{LINE} So the page can't be drawn."
    answered = opened(app, "?user=ann")
    assert changed_beside(answered) == {ids.PROBLEM: {"children": words}}
    failing = away(FEW, RuntimeError("unexpected"))
    (told,) = changed_beside(opened(failing, "?user=ann")).values()
    assert told["children"].endswith(", and the page was not drawn.")


@pytest.mark.parametrize("path", ["", "sessions.csv?user=ann", "cut"])
def test_what_only_the_operator_needs_is_in_the_log_alone(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = away(FEW, CannotAnswer(LINE, f"{LINE[:-1]} (--option)."))
    client = app.server.test_client()
    if path == "cut":
        with pytest.raises(ConnectionResetError):
            list(client.get("/sessions.csv?user=").iter_encoded())
    elif path:
        assert client.get(f"/{path}").text == LINE
    else:
        pick(app, "ann")
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert f"{LINE[:-1]} (--option)." in record.getMessage()


def test_the_table_of_users_says_for_itself_why_it_is_not_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = away(FEW, CannotAnswer(LINE))
    changed = changed_beside(listed(app, "?user=&sort=last"))
    (data,) = (each["data"] for each in changed.values())
    assert set(changed) == {ids.USER_LIST}
    assert data["text"][ids.finding(ids.USERS)] == LINE
    assert (data["users"]["rows"], data["users"]["sort"]) == ([], "last")
    is_one_warning(caplog)


def test_a_search_that_fails_is_an_option_that_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = away(MANY, CannotAnswer(LINE))
    # Everyone's charts don't need it.
    everyone = answer(opened(app, "?user="))[ids.USER]["options"]
    assert [each["label"] for each in everyone] == ["Everyone", LINE]
    is_one_warning(caplog)
    said = {"user_search_value": "u7", "user_value": "u3"}
    call = body(app, "user.options@", "user.search_value", **said)
    found = answer(post(app, call))
    (options,) = (each["options"] for each in found.values())
    assert options[1] == "u3"
    assert options[2] == {
        "label": LINE,
        "value": "\0",
        "search": "u7",
        "disabled": True,
    }


@pytest.mark.parametrize("rows", [FEW, MANY])
def test_of_what_nobody_waits_for_nothing_is_said(
    rows: list[Row], caplog: pytest.LogCaptureFixture
) -> None:
    app = away(rows, Dropped("Something else was asked for."))
    for response in (pick(app, rows[0][0]), listed(app, "?user=")):
        assert (response.status_code, response.data) == (204, b"")
    assert caplog.records == []


@pytest.mark.parametrize(
    "path", ["sessions.csv?user=ann", "numbers/durations.csv?user=ann", "view.html"]
)
def test_files_are_refused_with_the_line(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = away(FEW, CannotAnswer(LINE)).server.test_client()
    response = client.get(f"/{path}")
    assert (response.status_code, response.text) == (503, LINE)
    assert response.mimetype == "text/plain"
    is_one_warning(caplog)


def test_a_file_of_which_a_part_fails_is_cut_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = away(FEW, CannotAnswer(LINE)).server.test_client()
    response = client.get("/sessions.csv?user=", buffered=False)
    parts = response.iter_encoded()
    assert [next(parts)[:4], next(parts)[:4]] == [b"user", b"ann,"]
    with pytest.raises(ConnectionResetError):
        list(parts)
    response.close()
    is_one_warning(caplog)


def test_a_page_says_whose_turn_it_is_and_which_are_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = engine_of(FEW)
    app = assemble(engine, Origin("stars"))
    summarise, over = engine.summarise, []

    def watched(selection: Selection) -> Any:
        over.append(current.get().is_over)
        return summarise(selection)

    monkeypatch.setattr(engine, "summarise", watched)
    client = app.server.test_client()
    data = json.dumps(body(app, "user-average.figure", "user.value", user_value="ann"))
    usual = current.get()

    def asks(**headers: str) -> bool:
        named = {f"X-{name}": value for name, value in headers.items()}
        client.post(URL, data=data, headers=named, content_type="application/json")
        # What is over stays in its request.
        assert current.get() is usual
        return over.pop()

    assert not asks()
    assert not asks(Turn=TURN(1))
    client.head("/version", headers={"X-Over": f"{TURN(2)} {TURN(3)} nonsense"})
    assert asks(Turn=TURN(2))
    assert asks(Turn=TURN(3), Over=TURN(4))
    assert not asks(Turn=TURN(5), Over=TURN(4))
    assert not asks(Turn="nonsense", Over="nonsense")
