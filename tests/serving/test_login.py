"""Who may look: sessions, passwords, limits, and what a proxy says."""

import os
import re
import threading
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from werkzeug.security import check_password_hash
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request, Response

import arguments
import serving.attempts
import serving.login
import serving.passwords
from serving import CannotServe, Settings
from serving.attempts import BY_ADDRESS, BY_NAME, IN_ALL, Attempts, Limit
from serving.login import Login, with_login
from serving.proxy import TRUSTED
from tests.programs import ROOT

PASSWORD = "correct horse"  # noqa: S105
# Of PASSWORD, as --make-password makes it; to make it anew in each test takes 0.1 s.
HASH = (
    "scrypt:32768:8:1$SUnhmOCHnvPeQqZe$f1c211a8c92180819599289e4e29aa19cec2fbaf9abac4"
    "696e3f6504ada3bb5c04509eed104ac5481510735c89c5aa600cce14a93e80276f37fa1a070fcb1b67"
)
OTHER_HASH = HASH.replace("$S", "$T")
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OUT = "You are signed out. Please sign in again.\n"
ANY = "0.0.0.0"  # noqa: S104

Make = Callable[..., Client]


@Request.application
def behind(request: Request) -> Response:
    return Response(f"data at {request.path}")


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    path = tmp_path / "passwords"
    path.write_text(f"# who may look\n\nann:{HASH}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def login(passwords: Path) -> Login:
    return Login(behind, passwords)


@pytest.fixture
def client(login: Login) -> Client:
    return Client(login)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords are held against, as it happens."""
    seen: list[str] = []

    def spy(hash_: str, password: str) -> bool:
        seen.append(hash_)
        return check_password_hash(hash_, password)

    monkeypatch.setattr(serving.passwords, "check_password_hash", spy)
    return seen


def sign_in(
    client: Client,
    name: str = "ann",
    password: str = PASSWORD,
    query: str = "",
    **more: Any,
) -> TestResponse:
    form = {"name": name, "password": password}
    return client.post(f"/login{query}", data=form, **more)


def basic(password: str = PASSWORD) -> dict[str, str]:
    said = b64encode(f"ann:{password}".encode()).decode()
    return {"Authorization": f"Basic {said}"}


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/", "/login"),
        ("/?user=a%2Fb&page=%26", "/login?next=%2F%3Fuser%3Da%252Fb%26page%3D%2526"),
        ("/data/x/", "/login?next=%2Fdata%2Fx%2F"),
        (f"/?user={'a' * 3_000}", "/login"),
    ],
)
def test_whoever_opens_a_page_is_led_to_the_form(
    client: Client, path: str, location: str
) -> None:
    answer = client.get(path, headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, location)
    assert answer.headers["Cache-Control"] == "no-store"
    form = client.get(location)
    assert form.status_code == 200
    assert '<form method="post">' in form.text


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/_dash-update-component", {}),
        ("POST", "/", PAGE),
        ("GET", "/sessions.csv", PAGE),
        ("GET", "/assets/page.js", {}),
        ("GET", "/_dash-layout", {"Accept": "*/*"}),
        ("DELETE", "/upload/x", {}),
        ("GET", "/login/", {}),
        ("GET", "//login", {}),
    ],
)
def test_all_else_is_refused_in_a_line(
    client: Client, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = client.open(path, method=method, headers=headers)
    assert (answer.status_code, answer.text) == (401, OUT)
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("root", "scheme", "cookie", "flags"),
    [
        ("/", "http", "session", "HttpOnly; Path=/"),
        ("/", "https", "__Host-session", "Secure; HttpOnly; Path=/"),
        ("/a/", "https", "__Secure-session", "Secure; HttpOnly; Path=/a/"),
    ],
)
def test_signing_in_and_out(
    passwords: Path, root: str, scheme: str, cookie: str, flags: str
) -> None:
    client = Client(Login(behind, passwords, root), use_cookies=False)
    site = f"{scheme}://stats.example"
    form = {"name": " ann ", "password": PASSWORD}
    target = f"{root}?user=b"
    query = {"next": target}
    answer = client.post(f"{root}login", site, data=form, query_string=query)
    assert (answer.status_code, answer.headers["Location"]) == (303, target)
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.headers["Set-Cookie"]
    without_values = re.sub("=.*?; Expires=[^;]*; ", " ", said)
    assert without_values == f"{cookie} Max-Age=604800; {flags}; SameSite=Lax"
    session = {"Cookie": said.partition(";")[0]}

    page = client.get(root, site, headers=session)
    assert page.text == f"data at {root}"
    again = client.get(f"{root}login", site, headers=session)
    assert (again.status_code, again.headers["Location"]) == (303, root)

    assert client.get(f"{root}logout", site, headers=session).status_code == 405
    out = client.post(f"{root}logout", site, headers=session)
    assert (out.status_code, out.headers["Location"]) == (303, f"{root}login")
    assert out.headers["Set-Cookie"].startswith(f"{cookie}=; Expires=Thu, 01 Jan 1970")
    assert client.get(root, site, headers=session).status_code == 401


def test_a_proxy_may_have_cut_the_prefix(passwords: Path) -> None:
    client = Client(Login(behind, passwords, "/a/"))
    assert client.get("/login").status_code == 200
    for base in ("/", "/a/"):
        answer = client.get("/?x=1", f"http://stats.example{base}", headers=PAGE)
        assert answer.headers["Location"] == "/a/login?next=%2Fa%2F%3Fx%3D1"


def test_a_name_that_is_not_there_is_no_other_than_a_wrong_password(
    client: Client, checks: list[str]
) -> None:
    wrong = sign_in(client, password="wrong")  # noqa: S106
    unknown = sign_in(client, name="bob")
    assert wrong.status_code == unknown.status_code == 401
    assert "Set-Cookie" not in {**wrong.headers, **unknown.headers}
    assert "This name and password don&#x27;t match." in wrong.text
    assert wrong.text.replace('value="ann"', 'value="bob"') == unknown.text
    # The same work: a hash of the same cost.
    assert [hash_.partition("$")[0] for hash_ in checks] == ["scrypt:32768:8:1"] * 2


def test_nobody_has_a_password(client: Client) -> None:
    assert sign_in(client, name="", password="").status_code == 401
    assert client.post("/login", data={}).status_code == 401


def test_the_form_shows_a_name_as_text(client: Client) -> None:
    answer = sign_in(client, name='"><script>')
    assert 'value="&quot;&gt;&lt;script&gt;"' in answer.text
    assert "<script" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_a_form_that_is_too_large(client: Client, checks: list[str]) -> None:
    answer = sign_in(client, password="a" * 9_000)
    assert (answer.status_code, answer.text) == (413, "Request Entity Too Large.\n")
    assert checks == []


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example/",
        "/a\r\nSet-Cookie: x=1",
        "javascript:alert(1)",
        "evil",
        "/ä",
        "",
    ],
)
def test_signing_in_leads_to_no_other_site(
    login: Login, client: Client, address: str
) -> None:
    client.set_cookie("session", login._sessions.start("ann", HASH))
    answer = client.get("/login", query_string={"next": address})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://by-a-proxy"}, 303),
        ({}, 303),
    ],
)
def test_no_other_site_signs_a_person_in_or_out(
    client: Client, headers: dict[str, str], status: int
) -> None:
    answers = [client.post("/logout", headers=headers)]
    if status == 403:
        answers.append(sign_in(client, headers=headers))
        assert all("Set-Cookie" not in answer.headers for answer in answers)
    assert {answer.status_code for answer in answers} == {status}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the file of passwords looked at for each request."""
    monkeypatch.setattr(serving.passwords, "_PAUSE", -1)


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("lines", [f"bob:{HASH}\n", f"ann:{OTHER_HASH}\n"])
def test_a_session_ends_with_its_line(
    client: Client, passwords: Path, lines: str
) -> None:
    sign_in(client)
    assert client.get("/").status_code == 200
    assert client.get("/", headers=basic()).status_code == 200
    passwords.write_text(f"{lines}# another size\n")
    assert client.get("/").status_code == 401


@pytest.mark.usefixtures("watched")
def test_what_cannot_be_read_again_changes_nothing(
    client: Client, passwords: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sign_in(client)
    passwords.write_text("ann:secret\n")
    assert client.get("/").status_code == client.get("/").status_code == 200
    passwords.unlink()
    assert client.get("/").status_code == 200
    kept = "the names and passwords before are kept"
    assert caplog.messages == [
        f"{passwords} line 1: what follows the name is no hash made by "
        f"--make-password; {kept}",
        f"{passwords}: No such file or directory; {kept}",
    ]


def test_a_session_lasts_seven_days(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client)
    now = TimestampSigner("x").get_timestamp()
    later = iter([now + 7 * 24 * 3600 - 60, now + 7 * 24 * 3600 + 60])
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: next(later))
    assert [client.get("/").status_code for _ in range(2)] == [200, 401]


def test_no_other_key_signs_a_session(client: Client, passwords: Path) -> None:
    other = Login(behind, passwords)
    for session in (other._sessions.start("ann", HASH), "x.y.z", "ann", "."):
        client.set_cookie("session", session)
        assert client.get("/").status_code == 401


def test_what_no_browser_sends_is_no_failure(client: Client) -> None:
    answer = client.get("/", headers={"Authorization": "Basic \xff"})
    assert answer.status_code == 401
    environ = {"QUERY_STRING": "next=\xff"}
    answer = client.get("/login", environ_overrides=environ, headers=basic())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_basic_is_checked_once(client: Client, checks: list[str]) -> None:
    answers = [client.get("/metrics", headers=basic()) for _ in range(3)]
    assert [answer.text for answer in answers] == ["data at /metrics"] * 3
    assert checks == [HASH]
    wrong = client.get("/", headers={**basic("wrong"), **PAGE})
    assert (wrong.status_code, wrong.text) == (
        401,
        "This name and password don't match.\n",
    )
    assert "WWW-Authenticate" not in wrong.headers
    assert client.get("/", headers={"Authorization": "Basic !"}).text == OUT


def test_after_failures_one_waits(
    client: Client, checks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving.attempts, "BY_ADDRESS", Limit(1, 30))
    # What is right counts as no failure.
    assert [sign_in(client).status_code for _ in range(2)] == [303, 303]
    sign_in(client, password="wrong")  # noqa: S106
    del checks[:]
    by_form = sign_in(client)
    by_header = Client(client.application).get("/", headers=basic())
    for answer in (by_form, by_header):
        wait = int(answer.headers["Retry-After"])
        assert answer.status_code == 429
        assert 0 < wait <= 30
        words = f"Too many failed attempts. Please try again in {wait} s."
        assert words in answer.text
    assert checks == []
    elsewhere = sign_in(client, environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    assert elsewhere.status_code == 303


@pytest.mark.parametrize(
    ("limit", "name", "address"),
    [
        (BY_ADDRESS, "name {}", "192.0.2.1"),
        (BY_ADDRESS, "name {}", "2001:db8::{:x}"),
        (BY_NAME, "ann", "::ffff:192.0.2.{}"),
        (IN_ALL, "name {}", "192.0.2.{}"),
    ],
)
def test_the_limits(
    limit: Limit, name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(serving.attempts, "time", clock)
    attempts = Attempts(b"key")

    def take(n: int) -> int:
        return attempts.take(name.format(n), address.format(n))

    assert [take(n) for n in range(limit.at_once)] == [0] * limit.at_once
    assert take(limit.at_once) == limit.seconds
    now += limit.seconds
    assert [take(limit.at_once), take(limit.at_once + 1)] == [0, limit.seconds]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_processes_count_together(client: Client, passwords: Path) -> None:
    login = Login(behind, passwords)
    session = login._sessions.start("ann", HASH)
    child = os.fork()
    if not child:
        for _ in range(BY_ADDRESS.at_once):
            login._attempts.take("bob", "192.0.2.1")
        login._sessions.end(session)
        os._exit(0)
    os.waitpid(child, 0)
    assert 0 < login._attempts.take("ann", "192.0.2.1") <= BY_ADDRESS.seconds
    assert login._sessions.read(session) is None


def test_few_wait_for_a_check(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    go, lock, most = threading.Event(), threading.Lock(), [0]

    def check(*_: object) -> bool:
        assert lock.acquire(blocking=False), "one at a time"
        go.wait(30)
        lock.release()
        most[0] += 1
        return False

    monkeypatch.setattr(serving.login, "is_right", check)
    statuses: Queue[int] = Queue()

    def guess() -> None:
        answer = sign_in(Client(client.application), password="wrong")  # noqa: S106
        statuses.put(answer.status_code)

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    at_once = [statuses.get(timeout=30) for _ in range(5)]
    go.set()
    for thread in threads:
        thread.join()
    assert at_once == [503] * 5
    assert [statuses.get(timeout=30) for _ in range(3)] == [401] * 3
    assert most == [3]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ": no name is in it; --make-password makes a line"),
        (b"# ann\n\n", ": no name is in it; --make-password makes a line"),
        (b"ann\n", " line 1: it is not name:hash"),
        (b"\nann:secret\n", " line 2: what follows the name is no hash made by"),
        (
            b"ann:$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aA\n",
            " line 1: what follows",
        ),
        (f"ann:{HASH.replace('32768:8', '1073741824:8')}".encode(), " line 1: what"),
        (f"ann:{HASH.replace('32768', '2')}".encode(), " line 1: what follows the"),
        (f"ann:{HASH}x".encode(), " line 1: what follows the name is no hash"),
        (f":{HASH}".encode(), " line 1: the name is empty"),
        (f"a\x1b[m:{HASH}".encode(), " line 1: the name has a character that isn't"),
        (f"{'a' * 65}:{HASH}".encode(), " line 1: the name is longer than 64 char"),
        (f"ann:{HASH}\n\nann:{HASH}".encode(), " line 3: its name has line 1 already"),
        (b"ann:x\n\xff", " line 2: it is not UTF-8"),
        (b"#" * (1 << 20) + b"\n", ": it is too large for a file of passwords"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "passwords"
    path.write_bytes(data)
    with pytest.raises(CannotServe) as caught:
        serving.passwords.read(path)
    assert str(caught.value).startswith(f"{path}{words}")
    assert "secret" not in str(caught.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="None: No such file or directory"):
        serving.passwords.read(tmp_path / "None")
    with pytest.raises(CannotServe, match="it is not a file"):
        serving.passwords.read(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="needs permissions")
@pytest.mark.parametrize(("mode", "n_lines"), [(0o644, 1), (0o640, 0)])
def test_a_file_that_everyone_can_read_is_told(
    passwords: Path, caplog: pytest.LogCaptureFixture, mode: int, n_lines: int
) -> None:
    passwords.chmod(mode)
    Login(behind, passwords)
    words = f"WARNING: {passwords} can be read by everyone on this machine: chmod o-r"
    assert caplog.messages == [words] * n_lines


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ["--password-file", "a", "--auth-header", "X-User"],
            "--password-file and --auth-header can't both say who looks",
        ),
        (
            ["--password-file", "a", "--no-login"],
            "--no-login is for neither --password-file nor --auth-header",
        ),
        (
            ["--auth-header", "X-User"],
            "--auth-header needs --trusted-proxy, which says whose to believe",
        ),
        (
            ["--auth-header", "X_User"],
            "argument --auth-header: 'X_User' is not the name of a header",
        ),
        (
            ["--auth-header", "User-Agent"],
            "argument --auth-header: User-Agent says nothing of who looks: such as "
            "X-Forwarded-User",
        ),
        *(
            (
                ["--auth-header", name],
                f"argument --auth-header: {name} says nothing of who looks: such as "
                "X-Forwarded-User",
            )
            for name in ("X-Real-IP", "Forwarded", "Sec-Fetch-Site")
        ),
        (
            ["--no-debug", "--host", ANY],
            f"whoever reaches {ANY} would see the data: ask people to sign in "
            "(--password-file), have a proxy do so (--auth-header), or say --no-login",
        ),
    ],
)
def test_impossible_options(
    command: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        arguments.parse(command, "0")
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"user-activity-dashboard: error: {words}\n"


@pytest.mark.parametrize(
    "command",
    [
        ["--no-debug", "--host", ANY, "--no-login"],
        ["--no-debug", "--host", ANY, "--password-file", "a"],
        ["--no-debug", "--host", ANY, "--check", "a.csv"],
        ["--debug", "--password-file", "a"],
    ],
)
def test_possible_options(command: list[str]) -> None:
    arguments.parse(command, "0")


@pytest.mark.parametrize(
    ("environ", "status", "words"),
    [
        ({TRUSTED: True, "HTTP_X_USER": "ann"}, 200, "data at /"),
        ({TRUSTED: True, "HTTP_X_USER": " "}, 401, "say who you are in X-User."),
        ({TRUSTED: True}, 401, "The proxy didn't say who you are in X-User.\n"),
        ({TRUSTED: False, "HTTP_X_USER": "ann"}, 403, "Please come by the proxy"),
        ({"HTTP_X_USER": "ann"}, 403, "Please come by the proxy, which says who"),
    ],
)
def test_a_trusted_proxy_says_who_looks(
    environ: dict[str, Any], status: int, words: str
) -> None:
    site = with_login(behind, Settings(auth_header="X-User"))
    answer = Client(site).get("/", environ_overrides=environ)
    assert answer.status_code == status
    assert words in answer.text


def test_off_where_nothing_is_said() -> None:
    assert with_login(behind, Settings()) is behind


def test_the_application_of_the_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sessions.csv").write_text(
        "user_id,page,duration,timestamp\nann,home,5,2024-01-01T10:00\n"
    )
    name = 'a"<b>'
    (tmp_path / "passwords").write_text(f"{name}:{HASH}\n")
    (tmp_path / "passwords").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    texts = [(ROOT / name).read_text() for name in ("README.md", "docs/deploy.md")]
    blocks = re.findall(r"```python\n(.*?)```", "".join(texts), re.S)
    wsgi: dict[str, Any] = {}
    for block in blocks:
        exec(block, wsgi)  # noqa: S102
    client = Client(wsgi["site"])
    answer = client.get("/", headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert sign_in(client, name=name).status_code == 303
    head = '<meta name="signed-in" content="a&quot;&lt;b&gt;" data-root="/">'
    assert head in client.get("/").text
    assert "signed-in" not in Client(wsgi["application"]).get("/").text
