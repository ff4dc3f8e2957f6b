"""The commands of docs/data.md, each on a small file as its tool writes it."""

import gzip
import json
import re
import shlex
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet
import pytest
import xlsxwriter

import app
import arguments
from tests import guides
from tests.guides import Right, sessions
from tests.programs import ROOT

GUIDE: Final = ROOT / "docs" / "data.md"
COMMANDS: Final = guides.commands(GUIDE)


# The files, as the tools write them.

DAY: Final = "2024-05-01"

TEXTS: Final = {
    "views.csv": (
        "user_id,page,timestamp\nann,home,2024-05-01 09:00\n"
        "ann,cart,2024-05-01 09:00:20\n"
    ),
    "totals.csv": (
        "user_id,page,timestamp,time_on_site_total\nann,home,2024-05-01 09:00,95\n"
        "ann,cart,2024-05-01 09:00:20,95\n"
    ),
    "shifts.csv": (
        "user_id,page,In date,In,Out date,Out\n"
        "ann,desk,2024-05-01,23:50,2024-05-02,00:10\nann,door,2024-05-02,00:10,,\n"
    ),
    "plausible.csv": (
        '"user_id","pathname","timestamp"\n'
        '12345678901234567890,"/","2024-05-01 09:00:00"\n'
        '12345678901234567890,"/pricing","2024-05-01 09:01:05"\n'
    ),
    "umami.csv": (
        "event_id,website_id,session_id,visit_id,created_at,url_path,url_query,"
        "referrer_domain,page_title,event_type,event_name,hostname\n"
        "e1,w,0c4f-1,v1,2024-05-01 09:00:00.123+00,/,,,Home,1,,shop.example\n"
        "e2,w,0c4f-1,v1,2024-05-01 09:00:10+00,/,,,Home,2,sign-up,shop.example\n"
        "e3,w,0c4f-1,v1,2024-05-01 09:00:30.123+00,/cart,a=1,,Cart,1,,shop.example\n"
    ),
    "matomo.tsv": (
        "visitor_id\turl\tserver_time\n"
        "0a1b2c3d4e5f6071\thttps://shop.example/\t2024-05-01 09:00:00\n"
        "0a1b2c3d4e5f6071\thttps://shop.example/cart/?a=1\t2024-05-01 09:00:40\n"
        "0a1b2c3d4e5f6071\thttps://shop.example/cart\t2024-05-01 09:01:00\n"
    ),
    "ga4.csv": (
        "user_pseudo_id,event_timestamp,event_name,page_location\n"
        "99.1714,1714554000000000,page_view,https://shop.example/?utm_source=x\n"
        "99.1714,1714554005000000,scroll,https://shop.example/?utm_source=x\n"
        "99.1714,1714554012500000,page_view,https://shop.example/cart#top\n"
        ",1714554013000000,page_view,https://shop.example/\n"
    ),
    "exploration.csv": (
        "# ----------------------------------------\n# Visitors\n# Free form 1\n"
        "# 20240501-20240531\n# ----------------------------------------\n\n"
        "Client ID,Page path and screen class,Date hour and minute,User engagement\n"
        ",,,42\n"
        "99.1714,/,202405010900,30\n99.1714,/cart,202405010901,12\n"
    ),
    "posthog.jsonl": "".join(
        json.dumps(
            {
                "uuid": f"018f-{second}",
                "event": event,
                "distinct_id": "device-1",
                "person_id": "person-1",
                "properties": {"$current_url": url, "$pathname": "/", "$lib": "web"},
                "person_properties": {"$current_url": url, "$pathname": "/"},
                "timestamp": f"{DAY}T09:00:{second:02}.000000Z",
                "created_at": f"{DAY}T09:01:00.000000Z",
            }
        )
        + "\n"
        for event, url, second in (
            ("$pageview", "https://shop.example/", 0),
            ("$autocapture", "https://shop.example/", 5),
            ("$pageview", "https://shop.example/cart", 9),
        )
    ),
    "snowplow.csv": (
        "domain_userid,page_urlpath,derived_tstamp,event\n"
        "5c1b-7,/,2024-05-01 09:00:00.25,page_view\n"
        "5c1b-7,/,2024-05-01 09:00:10.25,page_ping\n"
        "5c1b-7,/cart,2024-05-01 09:00:21.75,page_view\n"
    ),
    "page_views.csv": (
        "domain_userid,page_urlpath,start_tstamp,engaged_time_in_s\n"
        "5c1b-7,/,2024-05-01 09:00:00.25,15\n5c1b-7,/cart,2024-05-01 09:00:21.75,\n"
    ),
    "visits.csv": (
        "User,Page,Start Time,Duration\nann,home,5/1/2024 9:00 AM,12.5\n"
        "ann,cart,12/31/2024 1:45 PM,0:03:20\n"
    ),
    "commas.csv": (
        'user_id,page,duration,timestamp\nann,home,"1,234",2024-05-01 09:00\n'
        'ann,cart,"12,5",2024-05-01 09:10\n'
    ),
    "postgres.csv": (
        "user_id,path,started_at,ended_at\n"
        "7,/,2024-05-01 09:00:00+00,2024-05-01 09:01:30.5+00\n"
        '7,"/say ""hi"", ann",2024-05-01 11:02:00+02,\n'
    ),
    "mysql.tsv": (
        "user_id\tpath\tstarted_at\tseconds\n7\t/\t2024-05-01 09:00:00\t12.50\n"
        "7\t/cart\t2024-05-01 09:02:00\tNULL\n"
    ),
    "outfile.csv": (
        '7,"/say \\"hi\\", ann","2024-05-01 09:00:00","12.50"\n'
        '7,"C:\\\\cart","2024-05-01 09:02:00",\\N\n'
    ),
    "sqlite.csv": (
        'user_id,path,started_at,seconds\n7,/,"2024-05-01 09:00:00",12.5\n'
        '7,"/a,b","2024-05-01 09:02:00",\n'
    ),
    "january.csv": (
        "user_id,page,duration,timestamp\nann,home,10,2024-01-30\n"
        "ann,home,20,2024-01-31\n"
    ),
    "february.csv": (
        "user_id,page,duration,timestamp\nann,home,20,2024-01-31\n"
        "ann,home,30,2024-02-01\nann,home,30,2024-02-01\n"
    ),
    "addresses.csv": (
        "user_id,url,duration,timestamp\nann,https://shop.example/Cart/?a=1,1,2024-05-01"
        "\nann,http://shop.example/cart#pay,2,2024-05-01\nann,/cart/index.html,3,"
        "2024-05-01\nann,/,4,2024-05-01\n"
    ),
    "local.csv": (
        "user_id,page,duration,timestamp\nann,home,10,2024-07-01 09:00\n"
        "ann,cart,20,2024-01-01 00:30\n"
    ),
    "zeros.csv": (
        "user_id,page,duration,timestamp\nann,home,0,2024-05-01\n"
        "ann,cart,90,2024-05-02\nann,cart,14401,2024-05-03\n"
        "ann,cart,-1,2024-05-04\n"
    ),
}

VISITS: Final = {
    "user_id": ["ann", "ann"],
    "page": ["home", "cart"],
    "started_at": [datetime(2024, 5, 1, 9), datetime(2024, 5, 1, 9, 2)],
}


def write_plausible(path: Path) -> None:
    """ClickHouse writes texts as bytes, and a DateTime as a number of seconds."""
    columns = {
        "user_id": pa.array([12_345_678_901_234_567_890] * 2, pa.uint64()),
        "pathname": pa.array([b"/", b"/pricing"], pa.binary()),
        "timestamp": pa.array([1_714_554_000, 1_714_554_065], pa.uint32()),
    }
    pa.parquet.write_table(pa.table(columns), path)


def write_german(path: Path) -> None:
    rows = (
        "Besucher;Seite;Beginn;Dauer",
        "Jörg;Über uns;01.05.2024 09:00;1.234,5",
        "Jörg;Kasse;31.12.2024 13:45;30",
    )
    path.write_bytes("".join(f"{row}\r\n" for row in rows).encode("cp1252"))


def write_workbook(path: Path) -> None:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        book.add_worksheet("Summary")
        sheet = book.add_worksheet("Visits")
        spent = timedelta(minutes=3, seconds=20)
        sheet.write_row(0, 0, ("User", "Page", "Start", "Duration"))
        sheet.write_row(1, 0, ("ann", "home", datetime(2024, 5, 1, 9), 12.5))
        sheet.write_row(2, 0, ("ann", "cart", datetime(2024, 5, 1, 9, 2)))
        sheet.write(2, 3, spent, book.add_format({"num_format": "[h]:mm:ss"}))


def write_pandas(path: Path) -> None:
    spent = pd.to_timedelta(["12.5s", None])
    pd.DataFrame({**VISITS, "time_spent": spent}).to_parquet(path)


def write_polars(path: Path) -> None:
    since_1970 = [1_714_554_000_000, 1_714_554_120_000]
    spent = {"started_at": since_1970, "duration": [12_500, None]}
    polars.DataFrame({**VISITS, **spent}).write_parquet(path)


def write_with_duckdb(sql: str) -> Callable[[Path], None]:
    """By the guide's own query, of a table that *sql* makes."""

    def write(path: Path) -> None:
        text = GUIDE.read_text(encoding="utf-8")
        pattern = rf"COPY \([^()]+\) TO '{re.escape(path.name)}'"
        (query,) = re.findall(pattern, text)
        with duckdb.connect() as connection:
            connection.execute(sql)
            connection.execute(query.replace(r"\$", "$"))

    return write


def write_spark(path: Path) -> None:
    """As ``df.write.partitionBy("country").parquet("spark")``."""
    for number, country in enumerate(("DE", "FR")):
        folder = path / f"country={country}"
        folder.mkdir(parents=True)
        name = f"part-0000{number}-6f1e.c000.snappy.parquet"
        visits = {**VISITS, "duration": [12.5 + number, None]}
        pa.parquet.write_table(pa.table(visits), folder / name)
        (folder / f".{name}.crc").write_bytes(b"crc\0")
    (path / "_SUCCESS").touch()


def write_bigquery(path: Path) -> None:
    path.mkdir()
    for number in range(2):
        rows = f"ann,page{number},12.5,2024-05-01 09:0{number}:00 UTC\n"
        text = f"user_id,page,duration,timestamp\n{rows}"
        (path / f"{number:012}.csv.gz").write_bytes(gzip.compress(text.encode()))


def write_2022(path: Path) -> None:
    text = (
        "user_id,page,timestamp\nann,home,2022-05-01T09:00\nann,cart,2022-05-01T09:01\n"
    )
    path.write_bytes(gzip.compress(text.encode()))


def write_2023(path: Path) -> None:
    pa.parquet.write_table(pa.table({**VISITS, "duration_ms": [12_500, None]}), path)


def write_2024(path: Path) -> None:
    path.parent.mkdir()
    for month in ("01", "02"):
        time = f"2024-{month}-01T09:00:00Z"
        row = {"userId": "bob", "url": "/", "timestamp": time, "duration": 7}
        (path.parent / f"{month}.jsonl").write_text(f"{json.dumps(row)}\n")


def write_saved(path: Path) -> None:
    """By the program itself, as the guide says it."""
    (command,) = (each for each in COMMANDS if each.endswith(f"--save {path}"))
    assert app.main([*made(command), "--check"]) == 0


def write_export(path: Path) -> None:
    """As PostHog's batch exports do, from which the guide's query takes the rest."""
    Path("export").mkdir()
    write_with_duckdb(
        "COPY (SELECT 'person-1' AS person_id, 'device-1' AS distinct_id, '$pageview' "
        "AS event, timestamptz '2024-05-01 09:00:00+00' AS timestamp, "
        """'{"$current_url": "https://shop.example/"}' AS properties) """
        "TO 'export/0.parquet' (FORMAT parquet)"
    )(path)


MAKERS: Final[dict[str, Callable[[Path], None]]] = {
    "views.parquet": write_saved,
    "plausible.parquet": write_plausible,
    "posthog.parquet": write_export,
    "besuche.csv": write_german,
    "report.xlsx": write_workbook,
    "pandas.parquet": write_pandas,
    "polars.parquet": write_polars,
    "duckdb.parquet": write_with_duckdb(
        "CREATE TABLE visits AS SELECT 7 AS user_id, '/' AS path, uuid() AS id, "
        "timestamp '2024-05-01 09:00:00' AS started_at, "
        "timestamp '2024-05-01 09:01:30.5' AS ended_at"
    ),
    "bigquery": write_bigquery,
    "spark": write_spark,
    "2022.csv.gz": write_2022,
    "2023.parquet": write_2023,
    "2024/*.jsonl": write_2024,
}


# What each command should say, and give.


DERIVED: Final = "Duration: derived from the next row of the same user."
NO_ZONE: Final = "ISO 8601, UTC where no zone is named"

RIGHT: Final[dict[str, Right]] = {
    "views.csv --check": Right(
        (
            "User: user_id.",
            "Page: page.",
            f"Time: timestamp, {NO_ZONE}.",
            DERIVED,
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 20.0, "2024-05-01 09:00:00"),
            ("ann", "cart", None, "2024-05-01 09:00:20"),
        ),
    ),
    "views.csv --times-in Europe/Berlin --save views.parquet": Right(
        (
            "User: user_id.",
            "Page: page.",
            "Time: timestamp, ISO 8601, Europe/Berlin where no zone is named.",
            DERIVED,
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 20.0, "2024-05-01 07:00:00"),
            ("ann", "cart", None, "2024-05-01 07:00:20"),
        ),
    ),
    "views.parquet": Right(
        (
            "User: user_id.",
            "Page: page.",
            "Time: timestamp, timestamps.",
            "Duration: duration, in seconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 20.0, "2024-05-01 07:00:00"),
            ("ann", "cart", None, "2024-05-01 07:00:20"),
        ),
    ),
    "totals.csv --duration none": Right(
        (
            "User: user_id.",
            "Page: page.",
            f"Time: timestamp, {NO_ZONE}.",
            DERIVED,
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 20.0, "2024-05-01 09:00:00"),
            ("ann", "cart", None, "2024-05-01 09:00:20"),
        ),
    ),
    'shifts.csv --time "In date+In" --end "Out date+Out"': Right(
        (
            "User: user_id.",
            "Page: page.",
            f"Time: In date and In, {NO_ZONE}.",
            "Duration: from the start to Out date and Out.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "desk", 1_200.0, "2024-05-01 23:50:00"),
            ("ann", "door", None, "2024-05-02 00:10:00"),
        ),
    ),
    "plausible.csv": Right(
        (
            "User: user_id.",
            "Page: pathname.",
            f"Time: timestamp, {NO_ZONE}.",
            DERIVED,
            "2 rows read, 2 kept.",
        ),
        (
            ("12345678901234567890", "/", 65.0, "2024-05-01 09:00:00"),
            ("12345678901234567890", "/pricing", None, "2024-05-01 09:01:05"),
        ),
    ),
    "plausible.parquet": Right(
        (
            "User: user_id.",
            "Page: pathname.",
            "Time: timestamp, seconds since 1970.",
            DERIVED,
            "2 rows read, 2 kept.",
        ),
        (
            ("12345678901234567890", "/", 65.0, "2024-05-01 09:00:00"),
            ("12345678901234567890", "/pricing", None, "2024-05-01 09:01:05"),
        ),
    ),
    "umami.csv --user session_id --where event_type=1": Right(
        (
            "User: session_id.",
            "Page: url_path (not page_title, event_name, event_type).",
            "Time: created_at, ISO 8601.",
            DERIVED,
            "3 rows read, 2 kept, 1 not asked for.",
        ),
        (
            ("0c4f-1", "/", 30.0, "2024-05-01 09:00:00.123000"),
            ("0c4f-1", "/cart", None, "2024-05-01 09:00:30.123000"),
        ),
    ),
    "matomo.tsv --merge-pages query,host,slash": Right(
        (
            "User: visitor_id.",
            "Page: url.",
            f"Time: server_time, {NO_ZONE}.",
            DERIVED,
            "3 rows read, 3 kept.",
            "3 pages became 2 by dropping query, slash, host.",
        ),
        (
            ("0a1b2c3d4e5f6071", "/", 40.0, "2024-05-01 09:00:00"),
            ("0a1b2c3d4e5f6071", "/cart", 20.0, "2024-05-01 09:00:40"),
            ("0a1b2c3d4e5f6071", "/cart", None, "2024-05-01 09:01:00"),
        ),
    ),
    "ga4.csv --where event_name=page_view --merge-pages query,fragment": Right(
        (
            "User: user_pseudo_id.",
            "Page: page_location (not event_name).",
            "Time: event_timestamp, microseconds since 1970.",
            DERIVED,
            "4 rows read, 2 kept, 1 not asked for, 1 left out.",
            "1 with no user, such as line 5.",
            "2 pages became 2 by dropping query, fragment.",
        ),
        (
            ("99.1714", "https://shop.example/", 12.5, "2024-05-01 09:00:00"),
            (
                "99.1714",
                "https://shop.example/cart",
                None,
                "2024-05-01 09:00:12.500000",
            ),
        ),
    ),
    (
        'exploration.csv --time "Date hour and minute" --time-format %Y%m%d%H%M '
        '--duration "User engagement" --times-in Europe/Berlin'
    ): Right(
        (
            "User: Client ID.",
            "Page: Page path and screen class.",
            "Time: Date hour and minute, written as '%Y%m%d%H%M', Europe/Berlin where "
            "no zone is named.",
            "Duration: User engagement, in seconds.",
            "The header is in line 7; the lines before it are skipped.",
            "3 rows read, 2 kept, 1 left out.",
            "1 with no user, such as line 8.",
        ),
        (
            ("99.1714", "/", 30.0, "2024-05-01 07:00:00"),
            ("99.1714", "/cart", 12.0, "2024-05-01 07:01:00"),
        ),
    ),
    "posthog.jsonl --where 'event=$pageview' --page 'properties.$current_url'": Right(
        (
            "User: person_id (not distinct_id).",
            "Page: properties.$current_url.",
            "Time: timestamp, ISO 8601 (not created_at).",
            DERIVED,
            "3 rows read, 2 kept, 1 not asked for.",
        ),
        (
            ("person-1", "https://shop.example/", 9.0, "2024-05-01 09:00:00"),
            ("person-1", "https://shop.example/cart", None, "2024-05-01 09:00:09"),
        ),
    ),
    "posthog.parquet --where 'event=$pageview'": Right(
        (
            "User: person_id.",
            "Page: url (not event).",
            "Time: timestamp, timestamps.",
            DERIVED,
            "1 row read, 1 kept.",
        ),
        (("person-1", "https://shop.example/", None, "2024-05-01 09:00:00"),),
    ),
    "snowplow.csv --where event=page_view": Right(
        (
            "User: domain_userid.",
            "Page: page_urlpath (not event).",
            f"Time: derived_tstamp, {NO_ZONE}.",
            DERIVED,
            "3 rows read, 2 kept, 1 not asked for.",
        ),
        (
            ("5c1b-7", "/", 21.5, "2024-05-01 09:00:00.250000"),
            ("5c1b-7", "/cart", None, "2024-05-01 09:00:21.750000"),
        ),
    ),
    "page_views.csv --time start_tstamp": Right(
        (
            "User: domain_userid.",
            "Page: page_urlpath.",
            f"Time: start_tstamp, {NO_ZONE}.",
            "Duration: engaged_time_in_s, in seconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("5c1b-7", "/", 15.0, "2024-05-01 09:00:00.250000"),
            ("5c1b-7", "/cart", None, "2024-05-01 09:00:21.750000"),
        ),
    ),
    'besuche.csv --encoding cp1252 --time-format "%d.%m.%Y %H:%M"': Right(
        (
            "User: Besucher.",
            "Page: Seite.",
            "Time: Beginn, written as '%d.%m.%Y %H:%M', UTC where no zone is named.",
            "Duration: Dauer, in seconds; decimal comma.",
            "2 rows read, 2 kept.",
        ),
        (
            ("Jörg", "Über uns", 1234.5, "2024-05-01 09:00:00"),
            ("Jörg", "Kasse", 30.0, "2024-12-31 13:45:00"),
        ),
    ),
    'visits.csv --time-format "%m/%d/%Y %I:%M %p"': Right(
        (
            "User: User.",
            "Page: Page.",
            "Time: Start Time, written as '%m/%d/%Y %I:%M %p', UTC where no zone is "
            "named.",
            "Duration: Duration, as H:MM:SS and in seconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 12.5, "2024-05-01 09:00:00"),
            ("ann", "cart", 200.0, "2024-12-31 13:45:00"),
        ),
    ),
    "commas.csv --decimal ,": Right(
        (
            "User: user_id.",
            "Page: page.",
            f"Time: timestamp, {NO_ZONE}.",
            "Duration: duration, in seconds; decimal comma.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 1.234, "2024-05-01 09:00:00"),
            ("ann", "cart", 12.5, "2024-05-01 09:10:00"),
        ),
    ),
    "report.xlsx --sheet Visits": Right(
        (
            "User: User.",
            "Page: Page.",
            f"Time: Start, {NO_ZONE}.",
            "Duration: Duration, in seconds and as H:MM:SS.",
            "Only sheet 'Visits' is read.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 12.5, "2024-05-01 09:00:00"),
            ("ann", "cart", 200.0, "2024-05-01 09:02:00"),
        ),
    ),
    "pandas.parquet": Right(
        (
            "User: user_id.",
            "Page: page.",
            "Time: started_at, timestamps, UTC where no zone is named.",
            "Duration: time_spent, as durations.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 12.5, "2024-05-01 09:00:00"),
            ("ann", "cart", None, "2024-05-01 09:02:00"),
        ),
    ),
    "polars.parquet --duration-unit ms": Right(
        (
            "User: user_id.",
            "Page: page.",
            "Time: started_at, milliseconds since 1970.",
            "Duration: duration, in milliseconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 12.5, "2024-05-01 09:00:00"),
            ("ann", "cart", None, "2024-05-01 09:02:00"),
        ),
    ),
    "postgres.csv": Right(
        (
            "User: user_id.",
            "Page: path.",
            "Time: started_at, ISO 8601.",
            "Duration: from the start to ended_at.",
            "2 rows read, 2 kept.",
        ),
        (
            ("7", "/", 90.5, "2024-05-01 09:00:00"),
            ("7", '/say "hi", ann', None, "2024-05-01 09:02:00"),
        ),
    ),
    "mysql.tsv": Right(
        (
            "User: user_id.",
            "Page: path.",
            f"Time: started_at, {NO_ZONE}.",
            "Duration: seconds, in seconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("7", "/", 12.5, "2024-05-01 09:00:00"),
            ("7", "/cart", None, "2024-05-01 09:02:00"),
        ),
    ),
    "outfile.csv --escape --no-header --user 1 --page 2 --time 3 --duration 4": Right(
        (
            "User: 1.",
            "Page: 2.",
            f"Time: 3, {NO_ZONE}.",
            "Duration: 4, in seconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("7", '/say "hi", ann', 12.5, "2024-05-01 09:00:00"),
            ("7", "C:\\cart", None, "2024-05-01 09:02:00"),
        ),
    ),
    "sqlite.csv": Right(
        (
            "User: user_id.",
            "Page: path.",
            f"Time: started_at, {NO_ZONE}.",
            "Duration: seconds, in seconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("7", "/", 12.5, "2024-05-01 09:00:00"),
            ("7", "/a,b", None, "2024-05-01 09:02:00"),
        ),
    ),
    "duckdb.parquet": Right(
        (
            "User: user_id.",
            "Page: path.",
            "Time: started_at, timestamps, UTC where no zone is named.",
            "Duration: from the start to ended_at.",
            "1 row read, 1 kept.",
        ),
        (("7", "/", 90.5, "2024-05-01 09:00:00"),),
    ),
    "bigquery": Right(
        (
            "User: user_id.",
            "Page: page.",
            "Time: timestamp, ISO 8601.",
            "Duration: duration, in seconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "page0", 12.5, "2024-05-01 09:00:00"),
            ("ann", "page1", 12.5, "2024-05-01 09:01:00"),
        ),
    ),
    "spark --where country=DE": Right(
        (
            "User: user_id.",
            "Page: page.",
            "Time: started_at, timestamps, UTC where no zone is named.",
            "Duration: duration, in seconds.",
            "2 rows read, 2 kept.",
            "User: user_id.",
            "Page: page.",
            "2 rows read, 0 kept, 2 not asked for.",
        ),
        (
            ("ann", "home", 12.5, "2024-05-01 09:00:00"),
            ("ann", "cart", None, "2024-05-01 09:02:00"),
        ),
    ),
    '2022.csv.gz 2023.parquet "2024/*.jsonl"': Right(
        (
            "User: user_id.",
            "Page: page.",
            f"Time: timestamp, {NO_ZONE}.",
            DERIVED,
            "2 rows read, 2 kept.",
            "User: user_id.",
            "Page: page.",
            "Time: started_at, timestamps, UTC where no zone is named.",
            "Duration: duration_ms, in milliseconds.",
            "2 rows read, 2 kept.",
            "User: userId.",
            "Page: url.",
            "Time: timestamp, ISO 8601.",
            "Duration: duration, in seconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 12.5, "2024-05-01 09:00:00"),
            ("ann", "cart", None, "2024-05-01 09:02:00"),
            ("bob", "/", 7.0, "2024-01-01 09:00:00"),
            ("bob", "/", 7.0, "2024-02-01 09:00:00"),
            ("ann", "home", 60.0, "2022-05-01 09:00:00"),
            ("ann", "cart", None, "2022-05-01 09:01:00"),
        ),
    ),
    "january.csv february.csv --drop-repeated": Right(
        (
            "User: user_id.",
            "Page: page.",
            f"Time: timestamp, {NO_ZONE}.",
            "Duration: duration, in seconds.",
            "1 row stands in both january.csv and february.csv, counted once.",
        ),
        (
            ("ann", "home", 10.0, "2024-01-30 00:00:00"),
            ("ann", "home", 20.0, "2024-01-31 00:00:00"),
            ("ann", "home", 30.0, "2024-02-01 00:00:00"),
            ("ann", "home", 30.0, "2024-02-01 00:00:00"),
        ),
    ),
    "addresses.csv --merge-pages query,fragment,slash,case,host,index": Right(
        (
            "User: user_id.",
            "Page: url.",
            f"Time: timestamp, {NO_ZONE}.",
            "Duration: duration, in seconds.",
            "4 rows read, 4 kept.",
            "4 pages became 2 by dropping query, fragment, slash, case, host, index.",
        ),
        (
            ("ann", "/cart", 1.0, "2024-05-01 00:00:00"),
            ("ann", "/cart", 2.0, "2024-05-01 00:00:00"),
            ("ann", "/cart", 3.0, "2024-05-01 00:00:00"),
            ("ann", "/", 4.0, "2024-05-01 00:00:00"),
        ),
    ),
    "local.csv --times-in Europe/Berlin --timezone Europe/Berlin": Right(
        (
            "User: user_id.",
            "Page: page.",
            "Time: timestamp, ISO 8601, Europe/Berlin where no zone is named.",
            "Duration: duration, in seconds.",
            "2 rows read, 2 kept.",
        ),
        (
            ("ann", "home", 10.0, "2024-07-01 07:00:00"),
            ("ann", "cart", 20.0, "2023-12-31 23:30:00"),
        ),
    ),
    "zeros.csv --zero-is-unknown --negative-is-unknown --longest 4h": Right(
        (
            "User: user_id.",
            "Page: page.",
            f"Time: timestamp, {NO_ZONE}.",
            "Duration: duration, in seconds.",
            "1 duration of 0 is taken as unknown.",
            "1 duration below 0 is taken as unknown.",
            "1 duration over 4 h is taken as unknown.",
            "4 rows read, 4 kept.",
        ),
        (
            ("ann", "home", None, "2024-05-01 00:00:00"),
            ("ann", "cart", 90.0, "2024-05-02 00:00:00"),
            ("ann", "cart", None, "2024-05-03 00:00:00"),
            ("ann", "cart", None, "2024-05-04 00:00:00"),
        ),
    ),
}


def made(command: str) -> list[str]:
    """The words of a command, after its files were made here."""
    words = shlex.split(command)
    for path in arguments.parse(words, "").files:
        name = path.as_posix()
        if name in TEXTS:
            path.write_text(TEXTS[name], encoding="utf-8", newline="")
        else:
            MAKERS[name](path)
    return words


@pytest.mark.parametrize("command", COMMANDS)
def test_what_the_guide_says_can_be_done(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words, right = made(command), RIGHT[command]
    shown = guides.report(words, capsys)
    assert [line for line in shown if line in right.says] == list(right.says)
    assert sessions(words) == right.gives


def test_nothing_is_right_for_a_command_that_the_guide_has_not() -> None:
    assert len(COMMANDS) == len(set(COMMANDS)) > 25
    assert set(RIGHT) == set(COMMANDS)


HEADER: Final = "user_id,page,duration,timestamp\n"
GOOD: Final = f"{HEADER}ann,home,1,2024-05-01\n"
MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "no column for the user (looked for …": ("page,time\n/,2024-05-01\n", ""),
    "two columns could be the page: …": (
        '{"user":1,"time":"2024-05-01","a":{"url":"/"},"b":{"url":"/"}}\n',
        "",
    ),
    "if that is a row of data, use numbers": ("ann,/,1,2024-05-01 09:00\n" * 2, ""),
    "with an unreadable time, … (add --time-format …": (
        f"{GOOD}ann,home,1,31/12/2024\n",
        "",
    ),
    "may be the duration: name it with …": (
        "user_id,page,timestamp,time_on_site_total\nann,home,2024-05-01 09:00,95\n",
        "",
    ),
    "in each of the … rows with …, as if of all of them": (
        "session_id,user_id,page,timestamp,session_duration\n"
        + "1,ann,home,2024-05-01,95\n" * 2,
        "",
    ),
    "durations are ambiguous: …": (f'{HEADER}ann,home,"1,234",2024-05-01\n', ""),
    "not UTF-8 text: …": (f"{HEADER}J\xf6rg,home,1,2024-05-01\n", ""),
    "with the wrong number of fields, … (add --escape …": (
        f'{GOOD}ann,"say \\"hi\\", go",1,2024-05-01\n',
        "",
    ),
    "more than half of the rows can't be used: …": (
        f"{GOOD}ann,home,x,2024-05-01\n,home,1,2024-05-01\n",
        "",
    ),
    "is there already; save under another name": (GOOD, "--save views.csv"),
    "a Git LFS pointer, not the file itself; …": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12\n",
        "",
    ),
}


def test_all_messages_of_the_guide_are_tried() -> None:
    assert guides.messages(GUIDE) == list(MESSAGES)


@pytest.mark.parametrize("message", MESSAGES)
def test_the_program_says_so(
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    text, option = MESSAGES[message]
    Path("views.csv").write_text(text, encoding="latin-1")
    app.main(["views.csv", *option.split(), "--check"])
    assert guides.is_said(message, " ".join(capsys.readouterr()))
