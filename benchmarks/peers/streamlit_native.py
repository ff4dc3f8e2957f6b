"""Streamlit with its own bar charts, over numbers that are counted once."""

import pandas as pd
import streamlit as st

from benchmarks.peers.answers import Answers, answers


@st.cache_resource
def counted() -> Answers:
    return answers()


@st.fragment
def show_user(known: Answers) -> None:
    """The dropdown and what depends on it: alone of the page, it runs again."""
    user = st.selectbox("User", known.users)
    average = pd.DataFrame({"page": known.pages, "seconds": known.average[user]})
    st.bar_chart(average, x="page", y="seconds")


def main() -> None:
    st.set_page_config(layout="wide")
    st.title("User activity")
    known = counted()
    show_user(known)
    st.bar_chart(
        pd.DataFrame({"page": known.pages, "hours": known.total}), x="page", y="hours"
    )
    st.bar_chart(
        pd.DataFrame({"seconds": known.starts, "sessions": known.durations}),
        x="seconds",
        y="sessions",
    )


if __name__ == "__main__":
    main()
