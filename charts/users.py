"""The table of users, a page at a time."""

from typing import Final, NamedTuple

from charts.sentences import has_filters, known_duration_text
from engine.model import Engine, UserColumn, UserPage, UserRow
from formatting import count_text, name_text
from view import View

PAGE_SIZE: Final = 10
"""The number of users on a page of the table."""

COLUMNS: Final[dict[UserColumn, str]] = {
    "user": "User",
    "time": "Total time",
    "sessions": "Sessions",
    "days": "Active days",
    "median": "Median",
    "last": "Last seen",
}
"""The columns of the table, with their headings."""


class UserTable(NamedTuple):
    """A page of the table, as it is written."""

    rows: list[list[str]]
    """The cells of each row, in the order of ``COLUMNS``."""
    page: UserPage
    """The numbers behind them."""


def user_table(engine: Engine, view: View) -> UserTable:
    """The page of the table of users that a view asks for."""
    page = engine.list_users(
        view.selection,
        search=view.search,
        sort=view.sort,
        reverse=view.reverse,
        page=view.users_page,
        page_size=PAGE_SIZE,
    )
    return UserTable([_cells(row) for row in page.rows], page)


def sentence(page: UserPage, view: View) -> str:
    """How many users are in the table, and what can be done with it."""
    if not page.n_users:
        return "No users match."
    if view.search:
        have = "has" if page.n_matching == 1 else "have"
        users = count_text(page.n_users, "user")
        return (
            f"{page.n_matching:,} of {users} {have} “{name_text(view.search)}” in "
            "the name."
        )
    users = count_text(page.n_users, "user")
    if has_filters(view):
        users += " matches" if page.n_users == 1 else " match"
    return f"{users}. Click one to see them."


def _cells(row: UserRow) -> list[str]:
    known = row.known > 0
    return [
        row.user,
        known_duration_text(row.seconds, known=known),
        f"{row.sessions:,}",
        f"{row.active_days:,}",
        known_duration_text(row.median, known=known),
        f"{row.last:%Y-%m-%d %H:%M}",
    ]
