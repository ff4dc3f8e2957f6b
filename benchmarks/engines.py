"""The same three questions to an engine, and to pandas, DuckDB and Polars."""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from engine.model import Engine, Selection

FROM, TO = date(2024, 3, 1), date(2024, 3, 31)
"""Thirty days."""


class Answer(NamedTuple):
    """Total time by page, a user's mean and median by page, and a histogram."""

    total: dict[Any, float]
    mean: dict[Any, float]
    median: dict[Any, float]
    histogram: list[int]


Ask = Callable[[str], Answer]
"""Answers the three questions about a user."""


def ask_engine(engine: Engine) -> Ask:
    """Return what asks an engine of this project."""
    pages = engine.facts.pages

    def ask(user: str) -> Answer:
        summary = engine.summarise(Selection(user))
        month = engine.summarise(Selection(start=FROM, end=TO)).everyone
        tally = summary.subject
        medians = tally.quantiles["median"]
        return Answer(
            dict(zip(pages, summary.everyone.seconds.tolist(), strict=True)),
            dict(zip(pages, tally.mean.tolist(), strict=True)),
            dict(zip(pages, medians.tolist(), strict=True)),
            month.linear_histogram.tolist(),
        )

    return ask


def ask_pandas(sessions: pd.DataFrame, edges: NDArray[np.float64]) -> Ask:
    """Return what asks pandas, on the session table itself."""
    start, end = pd.Timestamp(FROM), pd.Timestamp(TO)

    def ask(user: str) -> Answer:
        by_page = sessions.groupby("page", observed=True)["duration"]
        own = sessions[sessions["user_id"] == user]
        own_by_page = own.groupby("page", observed=True)["duration"]
        time = sessions["timestamp"]
        month = sessions.loc[(time >= start) & (time < end), "duration"]
        return Answer(
            by_page.sum().to_dict(),
            own_by_page.mean().to_dict(),
            own_by_page.median().to_dict(),
            np.histogram(month, edges)[0].tolist(),
        )

    return ask


def ask_duckdb(sessions: pd.DataFrame, edges: NDArray[np.float64]) -> Ask:
    """Return what asks DuckDB, with the sessions in a table of its own."""
    database = duckdb.connect()
    database.register("frame", sessions)
    database.execute("CREATE TABLE sessions AS SELECT * FROM frame")
    database.unregister("frame")
    width, last = edges[1], len(edges) - 2

    def ask(user: str) -> Answer:
        total = database.execute(
            "SELECT page, sum(duration) FROM sessions GROUP BY page"
        ).fetchall()
        own = database.execute(
            "SELECT page, avg(duration), median(duration) FROM sessions "
            "WHERE user_id = ? GROUP BY page",
            [user],
        ).fetchall()
        bins = database.execute(
            "SELECT least(floor(duration / ?), ?)::INT, count(*) FROM sessions "
            "WHERE timestamp >= ? AND timestamp < ? GROUP BY 1",
            [width, last, FROM, TO],
        ).fetchall()
        found = dict(bins)
        return Answer(
            dict(total),
            {page: mean for page, mean, _ in own},
            {page: median for page, _, median in own},
            [found.get(bin_, 0) for bin_ in range(last + 1)],
        )

    return ask


def ask_polars(sessions: pd.DataFrame, edges: NDArray[np.float64]) -> Ask:
    """Return what asks Polars, with the sessions in a frame of its own."""
    frame = pl.from_pandas(sessions)
    width, last = float(edges[1]), len(edges) - 2
    duration, time = pl.col("duration"), pl.col("timestamp")

    def ask(user: str) -> Answer:
        lazy = frame.lazy()
        total, own, bins = pl.collect_all(
            [
                lazy.group_by("page").agg(duration.sum()),
                lazy.filter(pl.col("user_id") == user)
                .group_by("page")
                .agg(duration.mean().alias("mean"), duration.median().alias("median")),
                lazy.filter((time >= FROM) & (time < TO))
                .group_by((duration / width).floor().clip(0, last).cast(pl.Int64))
                .len(),
            ]
        )
        found = dict(bins.iter_rows())
        return Answer(
            dict(total.iter_rows()),
            dict(own.select("page", "mean").iter_rows()),
            dict(own.select("page", "median").iter_rows()),
            [found.get(bin_, 0) for bin_ in range(last + 1)],
        )

    return ask
