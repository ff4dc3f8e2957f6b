"""What can be taken away as CSV: a chart's numbers, and the sessions themselves."""

import errno
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from dash import Dash
from flask import Flask, Response, abort, request

import view as views
from charts import SECTIONS
from charts.chart import Chart, Shown
from charts.section import Section
from charts.sentences import caption
from engine.model import CannotAnswer, Engine, Summary
from request_notes import notes_of
from schema import COLUMNS
from view import View

MAX_SESSIONS: Final = 1_000_000
"""The largest number of sessions in one file."""

_ROWS_AT_ONCE: Final = 2_000
_REST: Final = 3
"""Of the time of a processor that a part of a file takes, how long nothing is done."""

# Blanks, quotes, and what isn't seen: a formula may stand behind them.
_UNSEEN: Final = (
    r'\x00-\x08\x0b\x0c\x0e-\x20"\x7f-\xa0\xad\u1680\u180e'
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
)
# Where another cell begins if the spreadsheet takes another mark for the delimiter, as
# Excel does in half of Europe, or reads the quotes in another way.
_FORMULA: Final = re.compile(
    rf"^(?=[\t\r\n])|(?:^|(?<=[;,\t\r\n]))(?=[{_UNSEEN}]*[=+\-@＝＋－＠])"
)
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_log = logging.getLogger(__name__)
_QUOTE: Final = '"'
_TO_QUOTE: Final = re.compile(r'[,"\r\n]')


def register(
    app: Dash,
    engine: Engine,
    charts: Sequence[Chart],
    max_sessions: int = MAX_SESSIONS,
    sections: Sequence[Section] = SECTIONS,
) -> None:
    """Serve the files of *charts* and *sections*, and of the sessions.

    They stand beside the page, ``numbers/<chart>.csv`` and ``sessions.csv``, and their
    query is that of the page's address. With ``for=spreadsheet`` in it, nothing in the
    file can run as a formula, and all programs see that it is UTF-8; without it, the
    names are as they are, and the dashboard can read the sessions again.
    """
    server: Flask = app.server
    prefix = app.config.routes_pathname_prefix
    by_id = {chart.id: chart for chart in charts}
    sections_by_id = {str(section.id): section for section in sections}

    def shown() -> View:
        return views.read(_query_of_view(), engine, by_id).view

    @server.get(f"{prefix}numbers/<chart_id>.csv")
    def numbers(chart_id: str) -> Response:
        spreadsheet = _is_for_spreadsheet()
        section = sections_by_id.get(chart_id)
        if section is not None and section.has_file:
            return section_file(section, engine, shown(), spreadsheet=spreadsheet)
        if chart_id not in by_id:
            abort(404, "there is no such chart")
        return chart_file(by_id[chart_id], engine, shown(), spreadsheet=spreadsheet)

    @server.get(f"{prefix}sessions.csv")
    def sessions() -> Response:
        spreadsheet = _is_for_spreadsheet()
        return sessions_file(engine, shown(), max_sessions, spreadsheet=spreadsheet)


def chart_file(
    chart: Chart, engine: Engine, view: View, *, spreadsheet: bool = False
) -> Response:
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
    name = f"{chart.heading(shown)}, {caption(named, engine.facts.pages)}"
    return _csv([frame], frame.columns, name, _any_lines, spreadsheet=spreadsheet)


def section_file(
    section: Section, engine: Engine, view: View, *, spreadsheet: bool = False
) -> Response:
    """The numbers of a section, all rows of them."""
    frame = section.numbers(engine, view, every_row=True)
    name = f"{section.title}, {caption(view, engine.facts.pages)}"
    return _csv([frame], frame.columns, name, _any_lines, spreadsheet=spreadsheet)


def sessions_file(
    engine: Engine, view: View, max_sessions: int, *, spreadsheet: bool = False
) -> Response:
    """The selected sessions, as a session table."""
    frames = engine.sessions(view.selection, max_sessions)
    if request.method != "HEAD":
        # A failure before the first can still be told.
        frames = chain(list(islice(frames, 1)), frames)
    frames = _while_answered(frames)
    n_sessions = int(engine.summarise(view.selection).subject.sessions.sum())
    name = "Sessions"
    if n_sessions > max_sessions:
        name = f"First {max_sessions:,} of {n_sessions:,} sessions"
    name = f"{name}, {caption(view, engine.facts.pages)}"
    return _csv(frames, COLUMNS, name, _session_lines, spreadsheet=spreadsheet)


def link_text(summary: Summary, max_sessions: int = MAX_SESSIONS) -> str:
    """The words of the link to the selected sessions."""
    n = int(summary.subject.sessions.sum())
    if n > max_sessions:
        return f"Download the first {max_sessions:,} of {n:,} sessions (CSV)"
    return f"Download {n:,} {'session' if n == 1 else 'sessions'} (CSV)"


def attach(response: Response, name: str, ending: str) -> Response:
    """Have browsers save a response as a file of this name, cut where it is long.

    *ending* is what the name of the file ends with, such as ".csv".
    """
    file = re.sub(r"[^\w. ,-]+", "_", name)[:150] + ending
    # A header is ASCII: browsers take the second name, which may have all letters.
    plain = re.sub(r"[^\x20-\x7e]+", "_", file)
    names = {"filename": plain}
    if plain != file:
        names["filename*"] = f"UTF-8''{quote(file)}"
    response.headers.set("Content-Disposition", "attachment", **names)
    return response


def _query_of_view() -> str:
    """The query of the request, without the key that only the files know."""
    parts = request.query_string.decode("ascii", "replace").split("&")
    return "&".join(part for part in parts if part.partition("=")[0] != "for")


def _is_for_spreadsheet() -> bool:
    return request.args.get("for") == "spreadsheet"


def _while_answered(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The tables of a stream; one that fails cuts the file off, and is told in a line.

    It raises what servers take for a connection that broke.
    """
    notes = notes_of(request.environ)

    def parts() -> Iterator[pd.DataFrame]:
        try:
            yield from frames
        except CannotAnswer as error:
            notes.has_failed = True
            _log.warning("a download was cut off: %s (%s)", error.logged, notes.id)
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from None

    return parts()


def _csv(
    frames: Iterable[pd.DataFrame],
    columns: Iterable[str],
    name: str,
    write: Callable[[pd.DataFrame, bool], bytes],
    *,
    spreadsheet: bool,
) -> Response:
    def lines() -> Iterator[bytes]:
        # Excel takes a file for UTF-8 only by this mark.
        mark = "\ufeff" if spreadsheet else ""
        # Users may have given columns their names.
        head = _name_cells(pd.Series(list(columns)), spreadsheet)
        yield f"{mark}{','.join(head)}\r\n".encode()
        for frame in frames:
            # A few rows at a time, so that those who pick meanwhile needn't wait.
            for start in range(0, len(frame), _ROWS_AT_ONCE):
                began = time.thread_time()
                yield write(frame[start : start + _ROWS_AT_ONCE], spreadsheet)
                time.sleep(_REST * (time.thread_time() - began))

    response = Response(lines(), content_type="text/csv; charset=utf-8")
    return attach(response, name, f"{', for spreadsheets' * spreadsheet}.csv")


def _any_lines(rows: pd.DataFrame, spreadsheet: bool) -> bytes:
    """Rows of any table as CSV."""
    if spreadsheet:
        rows = rows.apply(_without_formulas)
    return rows.to_csv(index=False, header=False, lineterminator="\r\n").encode()


def _session_lines(rows: pd.DataFrame, spreadsheet: bool) -> bytes:
    """Rows of a session table as CSV: what ``_any_lines`` writes, four times as fast.

    Other threads run meanwhile, which they don't while pandas writes.
    """
    durations = rows["duration"].tolist()
    cells = zip(
        _name_cells(rows["user_id"], spreadsheet),
        _name_cells(rows["page"], spreadsheet),
        ["" if seconds != seconds else repr(seconds) for seconds in durations],
        _time_cells(rows["timestamp"]),
        strict=True,
    )
    return "\r\n".join([*map(",".join, cells), ""]).encode()


def _name_cells(names: "pd.Series[Any]", spreadsheet: bool) -> list[str]:
    """Names as they stand in CSV."""
    codes, known = pd.factorize(names)
    cells = [_defused(name) for name in known] if spreadsheet else known
    quoted = [
        f'"{cell.replace(_QUOTE, 2 * _QUOTE)}"' if _TO_QUOTE.search(cell) else cell
        for cell in cells
    ]
    return [quoted[code] for code in codes.tolist()]


def _time_cells(times: "pd.Series[Any]") -> list[str]:
    """Moments with their offset from UTC, in UTC where it isn't of whole minutes.

    ISO 8601 can't write such an offset; some zones had one, the last until 1972.
    """
    utc = times.dt.tz_convert("UTC").dt.tz_localize(None)
    local = times.dt.tz_localize(None)
    seconds = (local - utc).to_numpy().astype("timedelta64[s]").astype(np.int64)
    is_odd = seconds % 60 != 0
    seconds[is_odd] = 0
    clocks = pa.array(local.mask(is_odd, utc)).cast(pa.string())
    # A fraction stands there only where there is one.
    clocks = pc.replace_substring_regex(clocks, r"\.0+$", "").to_pylist()
    offsets = {each: _offset_text(each) for each in set(seconds.tolist())}
    return [
        clock + offsets[each]
        for clock, each in zip(clocks, seconds.tolist(), strict=True)
    ]


def _offset_text(seconds: int) -> str:
    """For example "+05:30"."""
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"


def _without_formulas(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The column without texts that a spreadsheet would compute."""
    if column.dtype == object or pd.api.types.is_string_dtype(column):
        return column.map({value: _defused(value) for value in column.unique()})
    return column


def _defused(value: Any) -> Any:
    """Put an apostrophe before whatever a spreadsheet may take for a formula.

    Names come from strangers: "=HYPERLINK(...)" is one. Numbers stay as they are. See
    https://owasp.org/www-community/attacks/CSV_Injection.
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return _FORMULA.sub("'", value)
