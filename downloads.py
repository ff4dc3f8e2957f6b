"""What can be taken away as a file: a chart's numbers, and the sessions themselves."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import pandas as pd
from flask import Flask, Response, abort, request

import findings
import ids
import tables
import view as views
from activity import Activity
from layout import MAX_SESSIONS
from rows import COLUMNS
from view import View

_ROWS: Final = 5_000


def register(server: Flask, activity: Activity, prefix: str) -> None:
    """Serve the downloads under *prefix*; their query is that of the page's address."""

    def shown() -> View:
        query = request.query_string.decode("ascii", "replace")
        return views.read(query, activity).view

    @server.get(f"{prefix}numbers/<chart>.csv")
    def numbers(chart: str) -> Response:
        if chart not in ids.CHARTS:
            abort(404, "there is no such chart")
        view = shown()
        summary = activity.summarise(tables.unfiltered_by_itself(chart, view.selection))
        frame = tables.table(chart, summary, view, limit=len(activity.pages))
        # Not what the view says, but what is in the file.
        of = summary.selection
        if chart == ids.TOTAL_TIME:
            of = replace(of, user=None)
        alone = replace(view, selection=of)
        name = f"{tables.title(chart, summary, view)}, {findings.caption(alone)}"
        return _csv([frame], frame.columns, name)

    @server.get(f"{prefix}sessions.csv")
    def sessions() -> Response:
        view = shown()
        blocks = map(_readable, activity.selected(view.selection, MAX_SESSIONS))
        summary = activity.summarise(view.selection)
        n = int(summary.who.sessions.sum())
        what = f"First {MAX_SESSIONS:,} of {n:,} sessions"
        name = "Sessions" if n <= MAX_SESSIONS else what
        return _csv(blocks, COLUMNS, f"{name}, {findings.caption(view)}")


def _csv(frames: Iterable[pd.DataFrame], columns: Iterable[str], name: str) -> Response:
    def lines() -> Iterator[str]:
        yield ",".join(columns) + "\r\n"
        for frame in frames:
            # A few at a time, so that those who pick meanwhile needn't wait.
            for start in range(0, len(frame), _ROWS):
                yield frame[start : start + _ROWS].to_csv(
                    index=False, header=False, lineterminator="\r\n"
                )

    response = Response(lines(), content_type="text/csv; charset=utf-8")
    file = re.sub(r"[^\w. ,-]+", "_", name)[:150] + ".csv"
    # A header is ASCII; what knows only the first of the two names is very old.
    plain = re.sub(r"[^\x20-\x7e]+", "_", file)
    names = {"filename": plain}
    if plain != file:
        names["filename*"] = f"UTF-8''{quote(file)}"
    response.headers.set("Content-Disposition", "attachment", **names)
    return response


def _readable(sessions: pd.DataFrame) -> pd.DataFrame:
    """The same with those times in UTC whose offset from it ISO 8601 can't write.

    That is of hours and minutes, but some zones were seconds off, the last until 1972.
    """
    times = sessions["timestamp"]
    utc = times.dt.tz_convert("UTC")
    odd = utc.dt.second != times.dt.second
    if odd.any():
        return sessions.assign(timestamp=times.astype(str).where(~odd, utc.astype(str)))
    return sessions
