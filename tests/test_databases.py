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
from databases import connect, parse_address
from engine.model import CannotAnswer, Engine, Selection
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
            "postgresql://127.0.0.1:1/db?user=u&password={}",
            "postgresql:u:{}@127.0.0.1:1/db",
            "clickhouse://u:{}@127.0.0.1:1/db",
            "clickhouse://u:{}@127.0.0.1:nan/db",
            "clickhouse://u:{}@[bad/db",
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

    def test_a_database_beside_a_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        for both in (("duckdb:a", "b.csv"), ("b.csv", "duckdb:a"), ("duckdb:a",) * 2):
            assert "duckdb:a is a data set alone" in refused(capsys, *both)

    def test_no_database(self, tmp_path: Path) -> None:
        assert "duckdb: names no file" in line("duckdb:")
        assert "does not exist" in line(f"duckdb:{tmp_path}/none")
        assert "No files found" in line(f"duckdb:{tmp_path}")
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
        assert line(make()).endswith(" has no tables")
        names = [f"t{n:02}" for n in range(12)]
        several = make(*(f"create table {name} (x int)" for name in names))
        listed = ", ".join(names[:10])
        assert line(several).endswith(
            f": name a table with --table: {listed} and 2 more"
        )
        assert "Table with name t99 does not exist" in line(several, "--table", "t99")

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
