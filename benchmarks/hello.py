"""The smallest dashboard of Dash's own tutorial: one table, one chart."""

import pandas as pd
import plotly.express as px
from dash import Dash, dcc, html

sessions = pd.DataFrame({"page": ["home", "cart", "help"], "seconds": [3, 1, 2]})
app = Dash()
app.layout = html.Div([dcc.Graph(figure=px.bar(sessions, x="page", y="seconds"))])
