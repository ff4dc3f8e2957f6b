import subprocess
import sys

from dash import Dash

from app import create_app
from charts import CHARTS
from identity import HEADER
from sources import Origin
from tests.programs import ROOT
from tests.sessions import ROWS, table

PRINT = (
    "from app import create_app; from tests.sessions import ROWS, table; "
    "print(getattr(create_app(table(ROWS)).layout, 'data-version'))"
)


def version_of(app: Dash) -> str:
    version: str = getattr(app.layout, "data-version")
    return version


def test_the_same_data_has_the_same_version_in_every_process(app: Dash) -> None:
    for seed in ("1", "2"):
        printed = subprocess.run(
            [sys.executable, "-c", PRINT],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert printed.stdout.strip() == version_of(app)


def test_other_data_and_another_page_have_another_version(app: Dash) -> None:
    # One duration is another: the page says the same about them.
    user, page, _, time = ROWS[0]
    apps = [
        app,
        create_app(table([(user, page, 11, time), *ROWS[1:]])),
        create_app(table(ROWS), Origin("Another")),
        create_app(table(ROWS), charts=CHARTS[:-1]),
    ]
    assert len({version_of(each) for each in apps}) == len(apps)


def test_every_answer_says_its_version(app: Dash) -> None:
    client = app.server.test_client()
    headers = {"Host": "localhost"}
    page = client.get("/_dash-layout", headers=headers)
    refusal = client.post("/_dash-update-component", json={}, headers=headers)
    assert (page.status_code, refusal.status_code) == (200, 400)
    for response in (page, refusal):
        assert response.headers[HEADER] == version_of(app)
    assert page.get_json()["props"]["data-version"] == version_of(app)


def test_a_page_asks_for_the_version_alone(app: Dash) -> None:
    answer = app.server.test_client().head("/version", headers={"Host": "localhost"})
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers[HEADER] == version_of(app)
