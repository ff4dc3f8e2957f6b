"""Databases as people name them, held against the same rows in a file."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

import app
import arguments
from databases import parse_address
from engine.model import CannotAnswer, Engine, Selection
from engine.warehouse import Limits, WarehouseEngine
from engine.warehouse.database import Task
from engine.warehouse.questions import Group
from formatting import printable
from sources import BadInput, Origin
from tests.engine.warehouse.postgres import Server, binaries, cluster
from tests.programs import free_port, running
from tests.serving.test_reloading import listening

SESSIONS = "user_id varchar, page varchar, duration double, timestamp timestamp"
ANN = "('ann', 'home', 5, '2024-01-01 10:00:00')"
SECRET = "s3cret"  # noqa: S105
_NUMBERS = count()

Make = Callable[..., str]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a DuckDB file by statements; returns its address."""

    def make(*statements: str) -> str:
        file = tmp_path / f"a{next(_NUMBERS)}.duckdb"
        with duckdb.connect(str(file)) as connection:
            for statement in statements:
                connection.execute(statement)
        return f"duckdb:{file}"

    return make


@pytest.fixture
def filled(make: Make) -> Callable[..., str]:
    """Makes a DuckDB file with sessions; each is a row of SQL."""

    def fill(*rows: str, columns: str = SESSIONS) -> str:
        insert = f"insert into visits values {', '.join(rows)}"
        return make(f"create table visits ({columns})", *[insert] * bool(rows))

    return fill


def read(*command_line: str) -> tuple[Engine, Origin]:
    return app._read(arguments.parse(command_line, "1"))


def line(*command_line: str) -> str:
    """The one line that the program ends with."""
    with pytest.raises((BadInput, CannotAnswer)) as error:
        read(*command_line)
    words = printable(str(error.value))
    assert "\n" not in words
    assert len(words) < 600
    return words


def refused(capsys: pytest.CaptureFixture[str], *command_line: str) -> str:
    with pytest.raises(SystemExit):
        arguments.parse(command_line, "1")
    (words,) = capsys.readouterr().err.splitlines()
    return words.partition("error: ")[2]


def rows(engine: Engine) -> list[tuple[Any, ...]]:
    """All sessions, in order: user, page, seconds or None, time in UTC."""
    table = pd.concat([pd.DataFrame(), *engine.sessions(Selection(), 10_000)])
    seconds = table["duration"].astype(object).where(table["duration"].notna(), None)
    times = table["timestamp"].dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return list(zip(table["user_id"], table["page"], seconds, times, strict=True))


def durations(engine: Engine) -> list[float | None]:
    return [row[2] for row in rows(engine)]


def as_csv(address: str, folder: Path, name: str = "visits") -> str:
    """The rows of a DuckDB file as a file of CSV."""
    file = folder / f"rows{next(_NUMBERS)}.csv"
    path = address.partition(":")[2]
    with duckdb.connect(path, read_only=True) as connection:
        connection.execute(f"copy {name} to '{file}' (header)")
    return str(file)


class TestAddresses:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("duckdb:stats.duckdb", "duckdb:stats.duckdb"),
            ("DUCKDB:lake/", "DUCKDB:lake/"),
            (f"postgresql://u:{SECRET}@db/shop", "postgresql://db/shop"),
            (f"POSTGRES://u:{SECRET}@db:1/shop?a=b", "postgres://db:1/shop"),
            (f"postgresql://db/shop?user=a&password={SECRET}", "postgresql://db/shop"),
            (
                f"postgresql://db/shop?user=a@b&password={SECRET}",
                "postgresql://db/shop",
            ),
            (f"postgresql://u:{SECRET} w@[bad/db", "postgresql://[bad/db"),
            (f"postgresql://u:a@{SECRET}@db/shop", "postgresql://db/shop"),
            (f"postgresql://u:/{SECRET}@db/shop", "postgresql://db/shop"),
            (f"postgresql://u:{SECRET}#1@db/shop", "postgresql://db/shop"),
            (f"postgresql://u:{SECRET}?1@db/shop", "postgresql://…"),
            (f"postgresql:u:{SECRET}@db/shop", "postgresql://"),
            (f"postgresql://u@db:{SECRET}/shop", "postgresql://db:…/shop"),
            (f"postgresql://u@db:5{SECRET},e/shop", "postgresql://db:…/shop"),
            (
                f"postgresql://a:1,b,[::1]:2,c:{SECRET}/x",
                "postgresql://a:1,b,[::1]:2,c:…/x",
            ),
            (f"postgresql://db/shop&password={SECRET}", "postgresql://db/shop"),
            (f"clickhouses://u:{SECRET}@db:8443/shop", "clickhouses://db:8443/shop"),
            (f"sc://db:15002/;token={SECRET};user_id=a@b", "sc://db:15002/"),
        ],
    )
    def test_no_password_is_shown(
        self, text: str, shown: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        address = parse_address(text)
        assert address is not None
        assert address.shown == shown
        words = refused(capsys, text, "b.csv")
        assert words == f"{shown} is a data set alone: name nothing besides"

    @pytest.mark.parametrize(
        "text", ["a.csv", "http://a/b", "C:\\a.csv", "duckdb", ":"]
    )
    def test_what_is_none(self, text: str) -> None:
        assert parse_address(text) is None

    def test_a_file_that_is_named_like_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert parse_address("sc:a.csv") is not None
        (tmp_path / "sc:a.csv").touch()
        assert parse_address("sc:a.csv") is None

    @pytest.mark.parametrize(
        "text",
        [
            "postgresql://u:{} w@[bad/db",
            "postgresql://u:a@{}@127.0.0.1:1/db",
            "postgresql://u:/{}@127.0.0.1:1/db",
            "postgresql://u:{}#1@127.0.0.1:1/db",
            "postgresql://u:{}?1@127.0.0.1:1/db",
            "postgresql://u:{}@127.0.0.1:1/db",
            "postgresql://u:{}@127.0.0.1:nan/db",
            "postgresql://u:%zz{}@127.0.0.1:1/db",
            "postgresql://u:{}℀@127.0.0.1:1/db",
            "postgresql://u:{}？@127.0.0.1:1/db",
            "postgresql://u:[{}]@127.0.0.1:1/db",
            "postgresql://u@127.0.0.1:{}/db",
            "postgresql://127.0.0.1:1/db&password={}",
            "postgresql://127.0.0.1:1/db?PASSWORD={}",
            "clickhouse://u:{}℀@127.0.0.1:1/db",
            "postgresql://127.0.0.1:1/db?user=u&password={}",
            "postgresql:u:{}@127.0.0.1:1/db",
            "clickhouse://u:{}@127.0.0.1:1/db",
            "clickhouse://u:{}@127.0.0.1:nan/db",
            "clickhouse://u:{}@[bad/db",
            "sc://127.0.0.1:{}/",
        ],
    )
    def test_no_message_has_the_password(self, text: str) -> None:
        pytest.importorskip("clickhouse_connect")
        pytest.importorskip("adbc_driver_postgresql")
        assert SECRET not in line(text.format(SECRET))

    @pytest.mark.parametrize(
        ("address", "module", "driver", "extra"),
        [
            ("duckdb:a", "duckdb", "duckdb", "duckdb"),
            ("postgres://h/a", "postgresql", "adbc_driver_manager", "postgres"),
            ("clickhouse://h/a", "clickhouse", "clickhouse_connect", "clickhouse"),
        ],
    )
    def test_a_driver_that_is_missing(
        self,
        address: str,
        module: str,
        driver: str,
        extra: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.delitem(sys.modules, f"engine.warehouse.{module}", raising=False)
        monkeypatch.setitem(sys.modules, driver, None)
        words = line(address)
        assert f" needs {driver}: pip install '.[{extra}]'" in words

    @pytest.mark.parametrize("said", [(), ("--table", "x"), ("--check",)])
    def test_one_that_is_not_known(
        self, said: Sequence[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert refused(capsys, f"mysql://u:{SECRET}@h/x", *said) == (
            "argument FILE: mysql:// is no database that is known here; there are "
            "duckdb:, postgresql://, postgres://, clickhouse://, clickhouses://, sc://"
        )

    def test_files_that_look_like_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "a:").mkdir()
        (tmp_path / "a:" / "b.csv").touch()
        for text in ("a://b.csv", "http://a/b.csv"):
            assert arguments.parse([text], "1").files == [Path(text)]

    def test_a_file_of_duckdb_without_its_mark(self, make: Make) -> None:
        file = make(f"create table visits ({SESSIONS})").partition(":")[2]
        how = "put duckdb: before it on the command line: duckdb:FILE"
        assert line(file) == f"{file}: a DuckDB database; {how}"

    def test_a_server_that_is_not_there(self) -> None:
        pytest.importorskip("adbc_driver_postgresql")
        port = free_port()
        place = f"127.0.0.1:{port}/shop"
        assert line(f"postgresql://u:{SECRET}@{place}") == (
            f'postgresql://{place}: connection to server at "127.0.0.1", port {port} '
            "failed: Connection refused"
        )

    def test_a_database_beside_a_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        for both in (("duckdb:a", "b.csv"), ("b.csv", "duckdb:a"), ("duckdb:a",) * 2):
            assert "duckdb:a is a data set alone" in refused(capsys, *both)

    def test_no_database(self, tmp_path: Path) -> None:
        assert "duckdb: names no file" in line("duckdb:")
        name = (
            ": name a file of DuckDB's, a Parquet file, or a folder with Parquet files"
            " in it"
        )
        for address, why in (
            (f"duckdb:{tmp_path}/none", f"is no file or folder{name}"),
            (f"duckdb:{tmp_path}/none.parquet", f"is no file or folder{name}"),
            (f"duckdb:{tmp_path}", f"has no Parquet files{name}"),
            (f"duckdb:{tmp_path}/*/*.parquet", f"is a pattern{name}"),
            (f"duckdb:{tmp_path}/*", f"is a pattern{name}"),
        ):
            assert line(address) == f"{address} {why}"
        assert f"/{'x' * 300}: [Errno 36]" in line(f"duckdb:{tmp_path}/{'x' * 300}")
        (tmp_path / "a.txt").write_text("none")
        assert "not a valid DuckDB database" in line(f"duckdb:{tmp_path}/a.txt")


class TestOptions:
    @pytest.mark.parametrize(
        "said",
        [
            ("--decimal", ","),
            ("--no-header",),
            ("--sheet", "x"),
            ("--encoding", "cp1252"),
            ("--time-format", "%Y-%m-%d"),
            ("--escape",),
            ("--bots", "keep"),
            ("--assets", "none"),
            ("--statuses", "200"),
            ("--merge-pages", "query"),
            ("--drop-repeated",),
        ],
    )
    def test_those_that_are_for_files(
        self, said: Sequence[str], filled: Callable[..., str]
    ) -> None:
        words = line(filled(ANN), *said)
        assert words == f"{said[0]} is for files: have a view of the table do it"

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            (("--save", "a.parquet"), "--save is for files"),
            (("--sessions", "5"), "--sessions is for simulated data"),
            (("--users", "5"), "--users is for simulated data"),
            (("--max-pages", "0"), "argument --max-pages"),
            (("--reload-every", "1s"), "--reload-every: it needs --no-debug"),
        ],
    )
    def test_those_that_are_refused(
        self, said: Sequence[str], why: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert why in refused(capsys, "duckdb:a", *said)

    @pytest.mark.parametrize("said", ["--table", "--max-pages", "--timeout"])
    def test_those_that_are_for_a_database(
        self, said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = refused(capsys, "a.csv", said, "5")
        assert words == "--table, --max-pages and --timeout are for a database"


class TestTables:
    def test_none_one_and_several(self, make: Make) -> None:
        assert line(make()).endswith(" has no tables that can be read from here")
        names = [f"t{n:02}" for n in range(12)]
        several = make(*(f"create table {name} (x int)" for name in names))
        listed = ", ".join(names[:10])
        assert line(several).endswith(
            f": name a table with --table: {listed} and 2 more"
        )

    def test_those_of_other_schemas(self, make: Make) -> None:
        visits = f"create table web.visits ({SESSIONS})"
        insert = f"insert into web.visits values {ANN}"
        alone = make("create schema web", visits, insert)
        assert read(alone)[1].report.files[0].name == "web.visits"
        several = make(
            "create schema web",
            visits,
            insert,
            'create schema "a.b"',
            'create table "a.b"."page ""views""" (x int)',
            'create table "a.b"."two words" (x int)',
            "create view there as from web.visits",
        )
        words = line(several)
        listed = 'there, "a.b"."page ""views""", "a.b".two words, web.visits'
        assert words.endswith(f": name a table with --table: {listed}")
        for name in ("there", "web.visits"):
            assert read(several, "--table", name)[0].facts.n_sessions == 1
        for name in ('"a.b"."page ""views"""', '"a.b".two words'):
            assert "no column for the user" in line(several, "--table", name)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("visit", "visit: perhaps visits"),
            ("VISITS2", "VISITS2: perhaps visits"),
            ("web.visits", "web.visits: perhaps visits"),
            ("pageviews", "pageviews: perhaps web.PageViews"),
            ("web.pageview", "web.pageview: perhaps web.PageViews"),
            ("nix", "nix: it has broken, visits, web.PageViews"),
            ("nix.nix", "nix.nix: it has broken, visits, web.PageViews"),
            ("cursor", "cursor: it has broken, visits, web.PageViews"),
        ],
    )
    def test_one_that_there_is_not(self, name: str, words: str, make: Make) -> None:
        address = make(
            f"create table visits ({SESSIONS})",
            "create schema web",
            'create table web."PageViews" (x int)',
            "create table gone (x int)",
            "create view broken as from gone",
            "drop table gone",
        )
        assert line(address, "--table", name) == f"{address} has no table {words}"
        # It is there, but something that it is made of isn't.
        assert "Table with name gone does not" in line(address, "--table", "broken")
        name = "x" * 4_000
        assert len(line(make(), "--table", name)) < 500
        assert line(make(), "--table", name).endswith(", and no other")

    @pytest.mark.parametrize(
        ("name", "n_sessions"),
        [
            ("web.visits", 1),
            ('"web"."visits"', 1),
            ('web."page ""views"".all"', 2),
            ("'; drop table x; --", 3),
        ],
    )
    def test_names(self, name: str, n_sessions: int, make: Make) -> None:
        address = make(
            "create schema web",
            f"create table web.visits ({SESSIONS})",
            f"insert into web.visits values {ANN}",
            'create view web."page ""views"".all" as from web.visits union all'
            " from web.visits",
            'create view "\'; drop table x; --" as from web.visits union all'
            ' from web."page ""views"".all"',
        )
        engine, _ = read(address, "--table", name)
        assert engine.facts.n_sessions == n_sessions

    @pytest.mark.parametrize("name", [".", "a..b", '"a', 'a"b', '""', ".a"])
    def test_no_names(self, name: str, filled: Callable[..., str]) -> None:
        assert line(filled(ANN), "--table", name) == f"--table {name} names no table"

    def test_columns_are_found_by_name_or_option(
        self, filled: Callable[..., str]
    ) -> None:
        columns = (
            '"Visitor ID" int, "Page URL" text, "Time on page (ms)" int, "when" date'
        )
        address = filled("(7, '/', 1500, '2024-01-02')", columns=columns)
        expected = [("7", "/", 1.5, "2024-01-02T00:00:00.000000")]
        engine, origin = read(address, "--time", "when")
        assert rows(engine) == expected
        assert (
            "Duration: Time on page (ms), in ms." in origin.report.files[0].understood
        )
        named = ("--user", "Page URL", "--page", "Visitor ID", "--time", "when")
        assert rows(read(address, *named)[0])[0][:2] == ("/", "7")

    @pytest.mark.parametrize(
        ("columns", "why"),
        [
            ("x int", "no column for the user"),
            ("user_id int, page text, time text", "time holds text, not times"),
            ("user_id int, page text, start time", "start holds time64[us], not times"),
            (
                "user_id int, page text, start timestamp, duration interval",
                "durations are numbers: have a view make seconds of it",
            ),
            (
                "user_id int, page text, start timestamp, duration text",
                "duration holds text, and durations are numbers",
            ),
            (
                "user_id int, page text, date date, time time",
                "a time is one column here: have a view join a day and a clock",
            ),
            ("user_id int, page text, start timestamp", "no usable row"),
        ],
    )
    def test_what_can_not_be_understood(
        self, columns: str, why: str, filled: Callable[..., str]
    ) -> None:
        assert why in line(filled(columns=columns))

    def test_a_folder_with_folders_of_hive(self, tmp_path: Path) -> None:
        lake = tmp_path / "it's a lake"
        lake.mkdir()
        with duckdb.connect() as connection:
            connection.execute(
                "create table visits as select 'u' || i as user_id, 'p' as page, i as"
                " duration, timestamp '2024-01-01' as timestamp,"
                " if(i < 3, 'DE', 'F R') as country from range(10) t(i)"
            )
            connection.execute(
                f"copy visits to '{str(lake).replace(chr(39), chr(39) * 2)}'"
                " (format parquet, partition_by (country), overwrite_or_ignore)"
            )
        address = f"duckdb:{lake}"
        assert read(address)[0].facts.n_sessions == 10
        assert read(address, "--where", "country=DE")[0].facts.n_sessions == 3
        assert read(address, "--page", "country")[0].facts.pages == ("DE", "F R")

    @pytest.mark.parametrize("name", ["one.parquet", "it's [1] *.PARQUET"])
    def test_one_file_of_parquet(self, name: str, tmp_path: Path) -> None:
        file, other = tmp_path / name, tmp_path / "other.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"create table visits ({SESSIONS})")
            connection.execute(f"insert into visits values {ANN}")
            for path in (file, other):
                quoted = str(path).replace("'", "''")
                connection.execute(f"copy visits to '{quoted}' (format parquet)")
        engine, origin = read(f"duckdb:{file}")
        assert rows(engine) == [("ann", "home", 5, "2024-01-01T10:00:00.000000")]
        assert origin.name.startswith(f"sessions in duckdb:{name}")
        # A folder's own name is none of a pattern's either.
        folder = tmp_path / "[ab]*"
        folder.mkdir()
        other.rename(folder / "a.parquet")
        assert read(f"duckdb:{folder}")[0].facts.n_sessions == 1

    @pytest.mark.parametrize("has_folders", [False, True])
    @pytest.mark.parametrize("name", ["a[b]*?", "page=z/lake", "site=x/lake"])
    def test_folders_with_odd_names(
        self, name: str, has_folders: bool, tmp_path: Path
    ) -> None:
        if has_folders and "page" in name:
            return
        lake = tmp_path / name
        lake.mkdir(parents=True)
        parted = ", partition_by (country)" * has_folders
        with duckdb.connect() as connection:
            connection.execute(
                "copy (select i as user_id, 'p' as page, i as duration, timestamp"
                " '2024-01-01' as timestamp, 'DE' as country from range(10) t(i)) to"
                f" '{lake / '' if has_folders else lake / 'a.parquet'}'"
                f" (format parquet, overwrite_or_ignore{parted})"
            )
        engine, _ = read(f"duckdb:{lake}")
        assert engine.facts.n_sessions == 10
        assert engine.facts.pages == ("p",)
        assert "no column site" in line(f"duckdb:{lake}", "--where", "site=x")
        where = ("--where", "country=DE")
        assert read(f"duckdb:{lake}", *where)[0].facts.n_sessions == 10

    def test_a_schema_that_is_named_given(self, make: Make) -> None:
        address = make(
            "create schema given",
            f"create table given.visits ({SESSIONS})",
            f"insert into given.visits values {ANN}",
        )
        assert read(address, "--table", "given.visits")[0].facts.n_sessions == 1


def alike(
    address: str, folder: Path, *options: str, only_csv: Sequence[str] = ()
) -> tuple[Engine, Origin]:
    """Read a table, and check that it is what the same rows in CSV are."""
    engine, origin = read(address, *options)
    memory, known = read(as_csv(address, folder), *options, *only_csv)
    assert rows(engine) == rows(memory)
    counts = [each.report.files[0] for each in (origin, known)]
    assert counts[0].kept == counts[1].kept
    assert origin.report.durations == known.report.durations
    return engine, origin


class TestRows:
    def test_those_that_are_not_asked_for(
        self, filled: Callable[..., str], tmp_path: Path
    ) -> None:
        columns = f"{SESSIONS}, place text, code int, price decimal(5,2)"
        address = filled(
            "('a', 'p', 1, '2024-01-01', 'x', 1, 1.5)",
            "('b', 'p', 2, '2024-01-01', null, 2, 1.5)",
            "('c', 'p', 3, '2024-01-01', '', null, null)",
            "('d', 'p', 4, '2024-01-01', 'it''s \"it\"', 3, 2)",
            columns=columns,
        )
        for said, users in (
            (("place=x",), "a"),
            (("place=",), "bc"),
            (('place=it\'s "it"',), "d"),
            (("code=2",), "b"),
            (("code=",), "c"),
            (("price=1.50", "code=1"), "a"),
        ):
            options = [part for each in said for part in ("--where", each)]
            engine, origin = alike(address, tmp_path, *options)
            assert "".join(row[0] for row in rows(engine)) == users
            for each in said:
                assert f"Only rows with {each}." in origin.report.files[0].understood
        for attempt in ("' or '1'='1", "x'; drop table visits; --", "$1", "x\\"):
            words = line(address, "--where", f"place={attempt}")
            assert words.endswith(f": no usable row has place={attempt}")
        assert "no column nix, named by --where" in line(address, "--where", "nix=1")

    def test_durations_that_are_unknown(
        self, filled: Callable[..., str], tmp_path: Path
    ) -> None:
        values = ("null", "'nan'", "0", "-1", "5", "7200", "1e-7")
        address = filled(
            *(f"('u{n}', 'p', {v}, '2024-01-01')" for n, v in enumerate(values))
        )
        usual, origin = alike(address, tmp_path)
        assert durations(usual) == [None, None, 0, 5, 7200, 1e-7]
        assert origin.report.left_out_text() == (
            "1 row left out: 1 with a negative duration"
        )
        for options, expected in (
            (("--negative-is-unknown",), [None, None, 0, None, 5, 7200, 1e-7]),
            (("--zero-is-unknown",), [None, None, None, 5, 7200, 1e-7]),
            (("--longest", "1h"), [None, None, 0, 5, None, 1e-7]),
        ):
            assert durations(alike(address, tmp_path, *options)[0]) == expected
        whole = filled("('a', 'p', 9934, '2024-01-01')")
        for unit, seconds in (("ms", 9.934), ("us", 0.009934), ("ns", 9.934e-6)):
            assert durations(read(whole, "--duration-unit", unit)[0]) == [seconds]
        minutes, _ = alike(address, tmp_path, "--duration-unit", "min")
        assert durations(minutes)[3:5] == [300, 432_000]

    def test_those_that_can_not_be_used(self, filled: Callable[..., str]) -> None:
        address = filled(
            ANN,
            "(null, 'p', 1, '2024-01-01')",
            "('  ', 'p', 1, '2024-01-01')",
            "('a', '', 1, '2024-01-01')",
            "('a', 'p', 1, null)",
            "('a', 'p', 1, 'infinity')",
            "('a', 'p', -1, '2024-01-01')",
            "('a', 'p', '-inf', '2024-01-01')",
            "('a', 'p', 'inf', '2024-01-01')",
            "('a', 'p', 1e10, '2024-01-01')",
        )
        reasons = (
            "2 with no user, such as where user_id is null",
            "1 with no page, such as where page is null",
            "2 with no time, such as where timestamp is null",
            "2 with a negative duration, such as where duration < 0",
            "2 with a duration over a century, such as where duration is huge",
        )
        words = line(address)
        assert "more than half of the rows can't be used" in words
        assert all(reason in words for reason in reasons)
        assert "without --strict they are left out" in line(address, "--strict")
        engine, origin = read(address, "--allow-left-out")
        assert rows(engine) == [("ann", "home", 5, "2024-01-01T10:00:00.000000")]
        assert origin.report.sections()[1][1] == [f"{reason}." for reason in reasons]
        assert "10 rows read, 1 kept, 9 left out." in origin.report.sections()[0][1]

    def test_durations_that_are_derived(
        self, filled: Callable[..., str], tmp_path: Path
    ) -> None:
        address = filled(
            "('a', 'p', '2024-01-01 10:00:00')",
            "('a', 'q', '2024-01-01 10:00:01.5')",
            # Left out, so that it ends no stay.
            "('a', null, '2024-01-01 10:00:02')",
            "('a', 'p', '2024-01-01 10:30:01.5')",
            "('a', 'p', '2024-01-01 11:00:02')",
            "('b', 'p', '2024-01-01 10:00:00')",
            "('b', 'q', '2024-01-01 10:00:00')",
            columns="user_id text, page text, start timestamp",
        )
        half_hour, origin = alike(address, tmp_path)
        # By user, time and page.
        assert durations(half_hour) == [1.5, 1_800, None, None, 0, None]
        assert "unknown where that is over 30 min away" in origin.report.durations
        longer, _ = alike(address, tmp_path, "--visit-gap", "31min")
        assert durations(longer) == [1.5, 1_800, 1_800.5, None, 0, None]
        # The next row is the next that is asked for.
        only, _ = alike(address, tmp_path, "--where", "page=p", "--visit-gap", "4h")
        assert durations(only) == [1_801.5, 1_800.5, None, None]

    def test_durations_that_end(
        self, filled: Callable[..., str], tmp_path: Path
    ) -> None:
        address = filled(
            "('a', 'p', '2024-01-01 10:00:00', '2024-01-01 10:00:01.25')",
            "('b', 'p', '2024-01-01 10:00:00', null)",
            "('c', 'p', '2024-01-01 10:00:00', '2024-01-01 09:00:00')",
            "('d', 'p', '2024-03-31 01:00:00', '2024-03-31 03:00:00')",
            columns="user_id text, page text, start timestamp, ende timestamp",
        )
        engine, origin = alike(address, tmp_path, "--end", "ende")
        assert durations(engine) == [1.25, None, 7_200]
        (reason,) = origin.report.sections()[1][1]
        assert reason == "1 with a negative duration, such as where ende < start."
        berlin = ("--times-in", "Europe/Berlin")
        assert durations(alike(address, tmp_path, "--end", "ende", *berlin)[0]) == [
            1.25,
            None,
            3_600,
        ]

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
    def test_times_of_a_zone(
        self, zone: str, filled: Callable[..., str], tmp_path: Path
    ) -> None:
        half_hours = pd.concat(
            [
                pd.Series(pd.date_range(day, periods=12, freq="30min"))
                for day in ("2024-03-31", "2024-10-27", "2024-04-07", "2024-10-06")
            ]
        )
        address = filled(*(f"('u', 'p', 1, '{time}')" for time in half_hours))
        alike(address, tmp_path, "--times-in", zone, "--timezone", "America/New_York")

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    @pytest.mark.parametrize(
        "kind", ["bigint", "integer", "hugeint", "double", "decimal(30, 3)"]
    )
    def test_times_that_are_numbers(
        self, unit: str, kind: str, filled: Callable[..., str]
    ) -> None:
        if kind == "integer" and unit != "s":
            return
        factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
        moment = 1_704_103_200 * factor + factor // 2
        address = filled(
            f"('a', 'p', 1, {moment})",
            "('b', 'p', 1, null)",
            "('c', 'p', 1, 0)",
            *["('d', 'p', 1, 'nan')", "('e', 'p', 1, 1e300)"] * (kind == "double"),
            columns=f"user_id text, page text, duration int, ts {kind}",
        )
        engine, origin = read(address, "--allow-left-out")
        half = "5" if factor > 1 else "0"
        assert [row[::3] for row in rows(engine)] == [
            ("a", f"2024-01-01T10:00:00.{half}00000"),
            ("c", "1970-01-01T00:00:00.000000"),
        ]
        assert f"Time: ts, {unit} since 1970." in origin.report.files[0].understood

    @pytest.mark.parametrize(
        "kind",
        ["decimal(18, 3)", "decimal(18, 8)", "decimal(38, 18)", "decimal(38, 28)"],
    )
    def test_times_that_are_decimal(
        self, kind: str, filled: Callable[..., str]
    ) -> None:
        address = filled(
            "('a', 'p', 1, 1704103200.5)",
            columns=f"user_id text, page text, duration int, ts {kind}",
        )
        assert rows(read(address)[0])[0][3] == "2024-01-01T10:00:00.500000"

    @pytest.mark.parametrize(
        ("kind", "times"),
        [
            ("date", ("5000000-01-01", "infinity")),
            ("timestamp", ("290000-01-01", "0044-03-15 (BC)")),
        ],
    )
    def test_times_that_are_far(
        self, kind: str, times: Sequence[str], filled: Callable[..., str]
    ) -> None:
        address = filled(
            "('a', 'p', 1, '2024-01-01')",
            *(f"('a', 'p', 1, '{time}')" for time in times),
            columns=f"user_id text, page text, duration int, time {kind}",
        )
        engine, origin = read(address, "--allow-left-out")
        assert engine.facts.n_sessions == 1
        assert f"{len(times)} with no time" in origin.report.left_out_text()

    def test_columns_of_any_kind(self, filled: Callable[..., str]) -> None:
        address = filled(
            "('a', 'p', 1, '2024-01-01', 3)",
            columns=f"{SESSIONS}, x union(a int, b text)",
        )
        assert read(address)[0].facts.n_sessions == 1

    def test_pages_that_are_too_many_are_one(self, filled: Callable[..., str]) -> None:
        address = filled(
            *(f"('u{n}', 'p{n % 9}', {n}, '2024-01-0{n % 3 + 1}')" for n in range(33)),
            "('u0', '(other pages)', null, '2024-01-01')",
        )
        everyone, _ = read(address)
        engine, origin = read(address, "--max-pages", "4")
        # The page that has this name is one of them.
        assert engine.facts.pages == ("(other pages)", "p0", "p1", "p2")
        assert origin.report.notes == [
            "There are more pages than there is room for: the 3 pages of most sessions "
            "are told apart, all others are (other pages) (--max-pages)."
        ]
        selected = Selection()
        many = everyone.summarise(selected).everyone
        few = engine.summarise(selected).everyone
        assert few.sessions.tolist() == [34 - 12, 4, 4, 4]
        assert few.sessions.sum() == many.sessions.sum() == 34
        assert few.unknown.tolist() == [1, 0, 0, 0]
        assert few.seconds.sum() == many.seconds.sum() == sum(range(33))
        assert (few.hours == many.hours).all()
        of_page = Selection("u3", pages=("(other pages)",))
        user = engine.summarise(of_page).user
        assert user is not None
        assert user.sessions.sum() == 1
        # The sessions themselves have the names that they have.
        assert {row[1] for row in rows(engine)} == set(everyone.facts.pages)


class TestProgram:
    def test_check(
        self, filled: Callable[..., str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        address = filled(ANN, "('bob', 'cart', 5, '2024-01-03')")
        assert app.main([address, "--check"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines == [
            f"visits in {address}",
            "  A table of a database, which is only read.",
            "  User: user_id.",
            "  Page: page.",
            "  Time: timestamp, in UTC.",
            "  Duration: duration, in s.",
            "At the start it is asked for",
            "  totals, pages, days and durations, hours, users.",
            "  2 sessions on 2 pages and 2 days make at most 4 cells.",
            "  It wasn't asked from here before.",
            "Rows",
            "  2 rows read, 2 kept.",
        ]
        read(address)
        assert app.main([address, "--check"]) == 0
        *_, took, _, _ = capsys.readouterr().out.splitlines()
        assert took.startswith("  The last start took ")
        assert app.main([address, "--check", "--where", "page=none"]) == 2
        (words,) = capsys.readouterr().err.splitlines()
        assert words.endswith("no usable row has page=none")

    def test_check_says_what_is_left_out_as_the_start_does(
        self, filled: Callable[..., str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        address = filled(
            ANN,
            ANN.replace("5", "null"),
            ANN.replace("5", "'nan'"),
            ANN.replace("5", "0"),
            ANN.replace("5", "-1"),
            ANN.replace("'ann'", "null"),
        )
        assert app.main([address, "--check"]) == 0
        output = capsys.readouterr()
        assert output.out.splitlines()[-6:] == [
            "Rows",
            "  6 rows read, 4 kept, 2 left out.",
            "  Unknown durations: 2 (left out of times).",
            "Rows left out",
            "  1 with no user, such as where user_id is null.",
            "  1 with a negative duration, such as where duration < 0.",
        ]
        assert output.err.startswith("WARNING: 33 % of the rows can't be used")
        app._tell(*read(address))
        said = capsys.readouterr()
        assert said.err == output.err
        for line in output.out.splitlines()[-5:]:
            assert line.strip() in said.out
        assert app.main([address, "--check", "--strict"]) == 2
        assert "without --strict they are left out" in capsys.readouterr().err
        many = filled(ANN, *[ANN.replace("5", "-1")] * 2)
        assert app.main([many, "--check"]) == 2
        captured = capsys.readouterr()
        assert "  3 rows read, 1 kept, 2 left out." in captured.out
        assert "more than half of the rows can't be used" in captured.err

    @pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs signals")
    def test_what_is_asked_again(self, tmp_path: Path) -> None:
        lake = tmp_path / "lake"
        lake.mkdir()

        def write(name: str, user: str) -> None:
            with duckdb.connect() as connection:
                connection.execute(
                    f"copy (select '{user}' as user_id, 'p' as page, 1 as duration,"
                    f" timestamp '2024-01-01' as time) to '{lake}/{name}'"
                )

        write("a.parquet", "ann")
        port = free_port()
        options = ("--no-debug", "--port", str(port), "--reload-every", "1h")
        with running(*options, f"duckdb:{lake}") as (process, printed):
            assert process.stdout is not None
            assert ": 1 session of 1 user" in "".join(printed)
            listening(port)
            write("b.parquet", "bob")
            os.kill(process.pid, signal.SIGHUP)
            assert ": 2 sessions of 2 users" in process.stdout.readline()

    def test_a_file_that_is_another_by_now(
        self, filled: Callable[..., str], make: Make
    ) -> None:
        address = filled(ANN)
        first, _ = read(address)
        other = filled(ANN, "('bob', 'cart', 5, '2024-01-03')")
        os.replace(other.partition(":")[2], address.partition(":")[2])
        second, _ = read(address)
        assert [e.facts.n_sessions for e in (first, second)] == [1, 2]
        assert len(rows(first)) == 1


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("adbc_driver_postgresql")
    if binaries() is None:
        pytest.skip("needs PostgreSQL")
    with cluster(SECRET) as server:
        yield server


def write(server: Server, *statements: str) -> None:
    write_at(server.url, *statements)


def write_at(url: str, *statements: str) -> None:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url, autocommit=True) as connection:
        for statement in statements:
            with connection.cursor() as cursor:
                cursor.execute(statement)


class TestPostgreSQL:
    def test_the_same_options(self, server: Server, tmp_path: Path) -> None:
        write(
            server,
            "create schema web",
            'create table web."page ""views""" (who int, page text, ms numeric,'
            " start timestamptz, site text)",
            'insert into web."page ""views""" values (1, \'p\', 1500, \'2024-01-01'
            " 10:00+02', 'x'), (2, 'p', 'NaN', '2024-01-01', 'x'),"
            " (3, 'p', 1, '-infinity', 'x'), (4, 'p', 1, '2024-01-01', null)",
        )
        name = 'web."page ""views"""'
        said = ("--table", name, "--user", "who", "--duration", "ms")
        engine, origin = read(
            server.url, *said, "--duration-unit", "ms", "--where", "site=x"
        )
        assert rows(engine) == [
            ("1", "p", 1.5, "2024-01-01T08:00:00.000000"),
            ("2", "p", None, "2024-01-01T00:00:00.000000"),
        ]
        assert origin.report.left_out_text() == "1 row left out: 1 with no time"
        shown = f"postgresql://127.0.0.1:{server.port}/postgres"
        assert (
            origin.name
            == f'web.page "views" in {shown}, newest session 2024-01-01 08:00'
        )
        assert SECRET in server.url
        wrong = server.url.replace(SECRET, "wr0ng")
        words = line(wrong, "--table", name)
        assert words.startswith(f"{shown}: ")
        assert "password authentication failed" in words
        assert words.endswith('password authentication failed for user "postgres"')
        assert words.count(shown) == 1
        assert "wr0ng" not in words
        assert line(server.url.replace(f":{SECRET}", ""), "--table", name) == (
            f'{shown}: connection to server at "127.0.0.1", port {server.port} failed: '
            "fe_sendauth: no password supplied; it is taken from PGPASSWORD or "
            "~/.pgpass"
        )
        assert line(server.url, "--table", name, "--where", "nix=1").startswith(
            f'{shown}, web.page "views": '
        )

    def test_tables_that_a_role_may_read(self, server: Server) -> None:
        write(server, "create database apart")
        apart = f"{server.url.rpartition('/')[0]}/apart"
        assert "has no tables that can be read from here" in line(apart)
        of_reader = apart.replace(f"postgres:{SECRET}", "looker:look")
        shown = f"postgresql://127.0.0.1:{server.port}/apart"
        columns = "user_id text, page text, duration int, start date"
        statements = (
            "create role looker login password 'look'",
            "create schema web",
            "create schema hidden",
            f'create table web."PageViews" ({columns}) partition by list (page)',
            'create table web.of_home partition of web."PageViews" for values in'
            " ('home')",
            "insert into web.\"PageViews\" values ('ann', 'home', 5, '2024-01-01')",
            'create materialized view web.some as select * from web."PageViews"',
            f"create table public.visits ({columns})",
            f"create table hidden.visits ({columns})",
            "grant usage on schema web to looker",
            'grant select on web."PageViews", web.some, hidden.visits to looker',
        )
        write_at(apart, *statements)
        assert line(of_reader).endswith(
            f"{shown}: name a table with --table: web.PageViews, web.some"
        )
        engine, _ = read(of_reader, "--table", "web.PageViews")
        assert engine.facts.n_sessions == 1
        for name, words in (
            ("web.pageviews", ": perhaps web.PageViews"),
            ("PageViews", ": perhaps web.PageViews"),
            ("nix", ": it has web.PageViews, web.some"),
        ):
            assert line(of_reader, "--table", name) == (
                f"{shown} has no table {name}{words}"
            )
        # These are there.
        assert "permission denied" in line(of_reader, "--table", "visits")
        assert "permission denied" in line(of_reader, "--table", "hidden.visits")
        assert line(apart).endswith(
            ": name a table with --table: visits, hidden.visits, web.PageViews,"
            " web.some"
        )

    def test_addresses_that_only_libpq_reads(self, server: Server) -> None:
        write(
            server,
            "create role plus login superuser password 'a+b'",
            "create table reached (user_id text, page text, duration int, time date)",
            "insert into reached values ('a', 'p', 1, '2024-01-01')",
        )
        host, port = "127.0.0.1", f"port={server.port}"
        for address in (
            f"postgresql:///postgres?host={server.folder}&{port}&user=plus",
            f"postgresql://?dbname=postgres&host={host}&{port}&user=plus",
            f"postgresql://{host}:{server.port}/postgres?user=plus",
        ):
            for password in ("a+b", "a%2Bb"):
                said = f"{address}&password={password}"
                engine, _ = read(said, "--table", "reached")
                assert engine.facts.n_sessions == 1
        engine, _ = read(server.url.replace("p", "P", 1), "--table", "reached")
        assert engine.facts.n_sessions == 1

    def test_pages_at_one_time_are_ordered_by_their_bytes(self, server: Server) -> None:
        write(
            server,
            'create table tied (user_id text, page text collate "en-x-icu",'
            " start timestamp)",
            "insert into tied values ('u', 'a', '2024-01-01'),"
            " ('u', 'B', '2024-01-01'), ('u', 'c', '2024-01-01 00:10')",
        )
        engine, _ = read(server.url, "--table", "tied")
        assert [row[1:3] for row in rows(engine)] == [("B", 0), ("a", 600), ("c", None)]

    def test_texts_that_a_collation_does_not_tell_apart(self, server: Server) -> None:
        write(
            server,
            "create collation alike (provider=icu, locale='und-u-ks-level2',"
            " deterministic=false)",
            "create table folded (user_id text collate alike, page text collate alike,"
            " duration int, time date)",
            "insert into folded select u, p, 1, '2024-01-01' from unnest(array['ann',"
            " 'Ann', 'ANN']) u, unnest(array['p', 'P']) p",
            "insert into folded select 'u' || i, 'p', 1, '2024-01-01' from"
            " generate_series(1, 20000) i",
            "create index on folded (user_id)",
            "analyze folded",
        )
        said = (server.url, "--table", "folded")
        engine, _ = read(*said, "--where", "page=P")
        assert engine.facts.n_users == 3
        first, _ = read(*said)
        assert isinstance(first, WarehouseEngine)
        table, limits = first.start.questions._table, Limits(max_users=0)
        for engine in (
            first,
            WarehouseEngine(first._database, table, limits=limits),
        ):
            assert engine.facts.pages == ("P", "p")
            assert engine.facts.n_users == 20_003
            assert sorted(engine.find_users("aNN", 9)) == ["ANN", "Ann", "ann"]
            user = engine.summarise(Selection("Ann")).user
            assert user is not None
            assert user.sessions.tolist() == [1, 1]
        question = first.start.questions.user_rows(Group("Ann"), 9)
        planned = question._replace(text=f"explain {question.text}")
        plan = str(first._database.ask(planned, Task()).to_pylist())
        assert "Index" in plan

    def test_durations_and_times_that_no_number_can_be(self, server: Server) -> None:
        for kind, odd in (
            ("float8", ("1.7e308", "4e-324", "-1.7e308", "'inf'", "'nan'")),
            ("numeric", ("1e400", "1e-400", "-1e400", "'inf'", "'nan'")),
            ("real", ("3e38", "1e-45", "-3e38", "'inf'", "'nan'")),
        ):
            values = ", ".join(f"('u', 'p', date '2024-01-01', {n})" for n in odd)
            write(
                server,
                "drop table if exists odd",
                "create table odd (user_id text, page text, time date,"
                f" duration {kind})",
                f"insert into odd values ('u', 'p', '2024-01-01', 1), {values}",
                "insert into odd values ('u', 'p', '5000000-01-01', 1),"
                " ('u', 'p', '0044-03-15 BC', 1), ('u', 'p', 'infinity', 1)",
            )
            for unit, second in (("h", 3_600), ("ms", 0.001)):
                said = ("--duration-unit", unit, "--allow-left-out")
                engine, origin = read(server.url, "--table", "odd", *said)
                found = durations(engine)
                assert found[0] is None
                assert found[1] == pytest.approx(0, abs=1e-30)
                assert found[2:] == [second]
                assert {each.rows for each in origin.report.left_out.values()} == {
                    *(3, 1, 2),
                }

    def test_pages_that_are_more_than_values_can_be_bound(self, server: Server) -> None:
        write(
            server,
            "create table wide as select 'u' as user_id, 'p' || i as page,"
            " 1 as duration, date '2024-01-01' as time"
            " from generate_series(1, 70000) i",
        )
        engine, _ = read(server.url, "--table", "wide", "--max-pages", "69999")
        assert len(engine.facts.pages) == 32_001
        assert engine.facts.n_sessions == 70_000

    @pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
    def test_other_encodings(self, encoding: str, server: Server) -> None:
        name = f"in_{encoding.lower()}"
        write(
            server,
            f"create database {name} encoding '{encoding}' template template0"
            " lc_collate 'C' lc_ctype 'C'",
        )
        address = f"{server.url.rpartition('/')[0]}/{name}"
        from adbc_driver_postgresql import dbapi

        text = (
            "create table visits as select 'u' as user_id, 'p\u00e9' as page,"
            " 1 as duration, date '2024-01-01' as time"
        )
        with dbapi.connect(f"{address}?client_encoding=UTF8", autocommit=True) as there:
            with there.cursor() as cursor:
                cursor.execute(text)
            assert read(address)[0].facts.pages == ("p\u00e9",)
            if encoding == "SQL_ASCII":
                with there.cursor() as cursor:
                    cursor.execute(
                        "insert into visits select 'u', chr(233), 1, time from visits"
                    )
                words = line(address)
                assert "UTF" in words

    def test_what_came_since_the_start(self, server: Server) -> None:
        write(
            server,
            "create table since (user_id text, page text, duration float8, time"
            " timestamp)",
            "insert into since select 'u' || i % 5, 'p' || i % 3, i, timestamp"
            " '2024-01-01' + i * interval '7 hours' from generate_series(1, 60) i",
        )
        engine, _ = read(server.url, "--table", "since")
        memory_like = engine.summarise(Selection())
        before = memory_like.everyone
        write(
            server,
            # An old time and one after the newest; a page, a user, and a day apart.
            *(
                f"insert into since values ('{user}', '{page}', 5, '{time}')"
                for user in ("u1", "new")
                for page in ("p1", "new")
                for time in ("2023-12-01", "2024-01-03 12:00", "2030-01-01")
            ),
        )
        after = engine.summarise(Selection()).everyone
        for name in ("sessions", "seconds", "hours", "log_histogram"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
        # An old one of a page and a day that were there counts for its user.
        user = engine.summarise(Selection("u1")).user
        assert user is not None
        assert user.sessions.sum() == 12 + 1
        assert not engine.has_user("new")
        assert not engine.has_page("new")
        for sort in ("user", "time", "median"):
            listed = engine.list_users(Selection("u1"), sort=sort)
            assert [row.user for row in listed.rows if row.user == "new"] == []
            assert listed.n_users == 5
        assert engine.find_users("new", 5) == []
        assert engine.ranks(Selection("u2"), "median") is not None
        assert len(rows(engine)) == 60 + 8
        again, _ = read(server.url, "--table", "since")
        assert again.facts.n_sessions == 60 + 12
