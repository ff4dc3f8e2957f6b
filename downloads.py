"""What can be taken away as CSV: a chart's numbers, and the sessions themselves."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

import pandas as pd
from dash import Dash
from flask import Flask, Response, abort, request

import view as views
from charts.chart import Chart, Shown
from charts.sentences import caption
from engine.model import Engine, Summary
from schema import COLUMNS
from view import View

MAX_SESSIONS: Final = 1_000_000
"""The largest number of sessions in one file."""

_ROWS_AT_ONCE: Final = 5_000
_FORMULA: Final = r"^(?=[=+\-@\t\r])(?![+-]?\d+(?:[.,]\d+)?$)"


def register(
    app: Dash,
    engine: Engine,
    charts: Sequence[Chart],
    max_sessions: int = MAX_SESSIONS,
) -> None:
    """Serve the files of *charts* and of the sessions.

    They stand beside the page, ``numbers/<chart>.csv`` and ``sessions.csv``, and their
    query is that of the page's address.
    """
    server: Flask = app.server
    prefix = app.config.routes_pathname_prefix
    by_id = {chart.id: chart for chart in charts}

    def shown() -> View:
        query = request.query_string.decode("ascii", "replace")
        return views.read(query, engine, by_id).view

    @server.get(f"{prefix}numbers/<chart_id>.csv")
    def numbers(chart_id: str) -> Response:
        if chart_id not in by_id:
            abort(404, "there is no such chart")
        return chart_file(by_id[chart_id], engine, shown())

    @server.get(f"{prefix}sessions.csv")
    def sessions() -> Response:
        return sessions_file(engine, shown(), max_sessions)


def chart_file(chart: Chart, engine: Engine, view: View) -> Response:
    """The numbers of a chart, all rows of them."""
    filtered = engine.summarise(view.selection)
    summary = engine.summarise(chart.unfiltered(view.selection))
    shown = Shown(view, summary, filtered)
    frame = chart.numbers(shown, every_row=True)
    # The name says what is in the file, which the view's own filter may not be.
    selection = summary.selection
    if not chart.compares_user:
        selection = replace(selection, user=None)
    named = replace(view, selection=selection)
    return _csv([frame], frame.columns, f"{chart.heading(shown)}, {caption(named)}")


def sessions_file(engine: Engine, view: View, max_sessions: int) -> Response:
    """The selected sessions, as a session table."""
    frames = map(_with_iso_times, engine.sessions(view.selection, max_sessions))
    n_sessions = int(engine.summarise(view.selection).subject.sessions.sum())
    name = "Sessions"
    if n_sessions > max_sessions:
        name = f"First {max_sessions:,} of {n_sessions:,} sessions"
    return _csv(frames, COLUMNS, f"{name}, {caption(view)}")


def link_text(summary: Summary, max_sessions: int = MAX_SESSIONS) -> str:
    """The words of the link to the selected sessions."""
    n = int(summary.subject.sessions.sum())
    if n > max_sessions:
        return f"Download the first {max_sessions:,} of {n:,} sessions (CSV)"
    return f"Download {n:,} {'session' if n == 1 else 'sessions'} (CSV)"


def _csv(frames: Iterable[pd.DataFrame], columns: Iterable[str], name: str) -> Response:
    def lines() -> Iterator[str]:
        yield ",".join(columns) + "\r\n"
        for frame in frames:
            # A few rows at a time, so that those who pick meanwhile needn't wait.
            for start in range(0, len(frame), _ROWS_AT_ONCE):
                rows = frame[start : start + _ROWS_AT_ONCE].apply(_without_formulas)
                yield rows.to_csv(index=False, header=False, lineterminator="\r\n")

    response = Response(lines(), content_type="text/csv; charset=utf-8")
    file = re.sub(r"[^\w. ,-]+", "_", name)[:150] + ".csv"
    # A header is ASCII: browsers take the second name, which may have all letters.
    plain = re.sub(r"[^\x20-\x7e]+", "_", file)
    names = {"filename": plain}
    if plain != file:
        names["filename*"] = f"UTF-8''{quote(file)}"
    response.headers.set("Content-Disposition", "attachment", **names)
    return response


def _without_formulas(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Put an apostrophe before texts that a spreadsheet would compute.

    Names come from strangers: "=HYPERLINK(...)" is one. Numbers stay as they are.
    """
    if pd.api.types.is_string_dtype(column):
        return column.str.replace(_FORMULA, "'", regex=True)
    return column


def _with_iso_times(sessions: pd.DataFrame) -> pd.DataFrame:
    """Turn times into UTC whose offset from it isn't of whole minutes.

    ISO 8601 can't write such an offset; some zones had one, the last until 1972.
    """
    times = sessions["timestamp"]
    utc = times.dt.tz_convert("UTC")
    odd = utc.dt.second != times.dt.second
    if odd.any():
        return sessions.assign(timestamp=times.astype(str).where(~odd, utc.astype(str)))
    return sessions
