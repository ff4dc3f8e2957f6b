"""The dashboard as a first draft has it: what the application is measured against.

A table of strings made row by row, Plotly Express on the raw table at every pick,
nothing made ready beforehand.
"""

import random
import sys
from datetime import datetime, timedelta

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
from dash import Dash, Input, Output, dcc, html

# fmt: off
PAGES = (
    "home", "products", "search", "deals", "reviews",
    "cart", "checkout", "account", "help", "orders",
)
# fmt: on


def simulate_sessions(n_sessions: int = 100_000, n_users: int = 50) -> pd.DataFrame:
    """As many sessions as the application simulates, one after another."""
    random.seed(2024)
    start = datetime(2024, 1, 1)
    rows = []
    for _ in range(n_sessions):
        rows.append(
            {
                "user_id": f"user_{random.randint(1, n_users)}",
                "page": random.choice(PAGES),
                "duration": random.expovariate(1 / 94),
                "timestamp": start + timedelta(seconds=random.randrange(366 * 86_400)),
            }
        )
    return pd.DataFrame(rows)


def redraw(sessions: pd.DataFrame, user: str) -> tuple[go.Figure, go.Figure, go.Figure]:
    """The three charts from all rows."""
    total = sessions.groupby("page", as_index=False)["duration"].sum()
    theirs = sessions[sessions["user_id"] == user]
    average = theirs.groupby("page", as_index=False)["duration"].mean()
    return (
        px.bar(total, x="page", y="duration", title="Total Time per Page"),
        px.bar(average, x="page", y="duration", title="Average Session Duration"),
        px.histogram(sessions, x="duration", title="Session Duration Distribution"),
    )


def create_app(sessions: pd.DataFrame) -> Dash:
    app = Dash(__name__)
    app.layout = html.Div(
        [
            html.H1("Interactive User Activity Dashboard"),
            dcc.Dropdown(sorted(sessions["user_id"].unique()), "user_1", id="user"),
            dcc.Graph(id="total-time"),
            dcc.Graph(id="user-average"),
            dcc.Graph(id="durations"),
        ]
    )

    @app.callback(
        Output("total-time", "figure"),
        Output("user-average", "figure"),
        Output("durations", "figure"),
        Input("user", "value"),
    )
    def show(user: str) -> tuple[go.Figure, go.Figure, go.Figure]:
        return redraw(sessions, user)

    return app


def main() -> None:
    """Serve it on the port that is named, with the server that the application has."""
    import waitress

    port = int(sys.argv[1])
    app = create_app(simulate_sessions())
    print(f"Open http://127.0.0.1:{port}/", flush=True)
    waitress.serve(app.server, host="127.0.0.1", port=port, threads=8, _quiet=True)


if __name__ == "__main__":
    main()
