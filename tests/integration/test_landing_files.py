"""Landing real files against PostgreSQL: nothing lost, nothing guessed, nothing replaced unasked.

Belongs here: `land_directory` and `retention land`. Does not belong here: reading one file or one
value, which the unit tests cover.
"""

import csv
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from landing.column_types import form_of
from landing.files import land_directory
from landing.landed import LandReport
from landing.load import load_file
from landing.marker import Marker, marked_schemas, write_marker
from retention.errors import Refused, UsageError, WarehouseError

pytestmark = pytest.mark.integration

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

Conn = psycopg.Connection[Any]


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the real connector files (../shared/data) are not beside this clone")
    return SHARED_DATA


def _write(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / f"{name}.csv").write_bytes(data)
    return folder


def _rows(conn: Conn, schema: str, table: str) -> list[tuple[Any, ...]]:
    query = sql.SQL("select * from {}").format(sql.Identifier(schema, table))
    with conn.transaction():
        return conn.execute(query).fetchall()


def _types(conn: Conn, schema: str, table: str) -> dict[str, str]:
    with conn.transaction():
        return dict(
            conn.execute(
                "select column_name, data_type from information_schema.columns"
                " where table_schema = %s and table_name = %s order by ordinal_position",
                (schema, table),
            ).fetchall()
        )


def _tables(conn: Conn, schema: str) -> list[str]:
    with conn.transaction():
        found = conn.execute(
            "select table_name from information_schema.tables where table_schema = %s order by 1",
            (schema,),
        )
        return [name for (name,) in found]


def test_the_real_files_land_without_losing_a_row(conn: Conn, shared_data: Path) -> None:
    report = land_directory(conn, shared_data)
    files = sorted(shared_data.rglob("*.csv"))
    assert report.kept_out == ()
    assert len(report.tables) == len(files)
    assert {table.schema for table in report.tables} == {
        "fivetran_log", "ga4_export", "pagila", "stripe", "twilio", "xero",
    }  # fmt: skip
    expected = 0
    by_file = {(table.schema, table.file): table for table in report.tables}
    for file in files:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = sum(1 for _ in csv.reader(lines)) - 1
        landed = by_file[file.parent.name, file.name]
        assert (landed.rows_in, landed.rows_landed) == (rows, rows), landed.qualified
        assert len(_rows(conn, landed.schema, landed.table)) == rows
        expected += rows
    assert report.rows_landed == expected
    assert not {table.schema for table in report.tables} & marked_schemas(conn)


def test_the_real_files_keep_every_value(conn: Conn, shared_data: Path) -> None:
    """Text columns are the file's text; typed ones read back as the value the file held."""
    report = land_directory(conn, shared_data / "fivetran")
    for landed in report.tables:
        file = shared_data / "fivetran" / landed.schema / landed.file
        with file.open(encoding="utf-8-sig", newline="") as lines:
            _, *in_file = list(csv.reader(lines))
        types = _types(conn, landed.schema, landed.table)
        columns = sql.SQL(", ").join(
            sql.SQL("coalesce({}::text, '')").format(sql.Identifier(column)) for column in types
        )
        query = sql.SQL("select {} from {}").format(
            columns, sql.Identifier(landed.schema, landed.table)
        )
        with conn.transaction():
            in_table = conn.execute(query).fetchall()
        for row_in_file, row in zip(in_file, in_table, strict=True):
            for original, stored, kind in zip(row_in_file, row, types.values(), strict=True):
                assert _same(original, stored, kind), (landed.qualified, kind)


def _same(original: str, stored: str, kind: str) -> bool:
    if kind == "boolean":
        return original.lower() == stored
    if kind == "timestamp with time zone":
        return _moment(original) == _moment(stored)
    return original == stored


def _moment(value: str) -> tuple[int, ...] | None:
    """Every file writes UTC, or no offset, which is UTC: the digits alone tell the moment."""
    if not value:
        return None
    found = re.match(r"(\d+)-(\d+)-(\d+)[ T](\d+):(\d+):(\d+)(?:\.(\d+))?", value)
    assert found
    *whole, fraction = found.groups()
    return (*(int(part) for part in whole), int((fraction or "0").ljust(6, "0")))


def test_the_awkward_columns_of_the_real_files(conn: Conn, shared_data: Path) -> None:
    report = land_directory(conn, shared_data / "fivetran")
    tables = {table.qualified: table for table in report.tables}
    assert {"end", "start"} <= set(_types(conn, "stripe", "discount_snowflake"))
    assert {"from", "to"} <= set(_types(conn, "twilio", "call_snowflake"))
    assert [column.column for column in tables["ga4_export.event"].renamed] == [
        "param_session_engaged_2"
    ]
    assert _types(conn, "twilio", "call")["start_time"] == "text"
    kept = {column.column: column for column in tables["twilio.call"].kept_as_text}
    assert (kept["start_time"].reason, kept["start_time"].values) == ("unreadable", 1)
    assert "_fivetran_synced" not in _types(conn, "xero", "contact")


def test_every_shape_of_time_becomes_the_moment_it_says(conn: Conn, tmp_path: Path) -> None:
    shapes = {
        "2022-12-06 14:19:07": "2022-12-06 14:19:07+00",
        "2022-12-06T14:19:07.5": "2022-12-06 14:19:07.5+00",
        "2022-09-01 6:12:13": "2022-09-01 06:12:13+00",
        "2022-09-01 06:12": "2022-09-01 06:12:00+00",
        "2022-09-19 05:50:07.123456000": "2022-09-19 05:50:07.123456+00",
        "0001-01-01 00:00:00": "0001-01-01 00:00:00+00",
    }
    zoned = {
        "2023-04-26 23:59:59.000000 UTC": "2023-04-26 23:59:59+00",
        "2023-04-26 23:59:59 GMT": "2023-04-26 23:59:59+00",
        "2022-03-30T10:46:11.937Z": "2022-03-30 10:46:11.937+00",
        "2022-02-15 09:45:30+00": "2022-02-15 09:45:30+00",
        "2022-02-15 09:45:30 +01:00": "2022-02-15 08:45:30+00",
        "2022-02-15T09:45:30-0530": "2022-02-15 15:15:30+00",
        "9999-12-31 23:59:59.999 UTC": "9999-12-31 23:59:59.999+00",
    }
    folder = _write(
        tmp_path / "shapes",
        naive="at\n" + "\n".join(shapes) + "\n",
        zoned="at\n" + "\n".join(zoned) + "\n",
    )
    report = land_directory(conn, folder)
    assert report.kept_out == ()
    for table, expected in (("naive", shapes), ("zoned", zoned)):
        assert _types(conn, "shapes", table) == {"at": "timestamp with time zone"}
        query = sql.SQL("select at::text from {}").format(sql.Identifier("shapes", table))
        with conn.transaction():
            assert [at for (at,) in conn.execute(query)] == list(expected.values())


def test_nothing_is_guessed_and_nothing_becomes_null(conn: Conn, tmp_path: Path) -> None:
    folder = _write(
        tmp_path / "odd",
        values='id,born,phone,number,note\r\n1,01/02/2022,+4791234567,0900,""\r\n'
        "2,2022-02-30,,12,\r\n",
    )
    report = land_directory(conn, folder)
    assert _rows(conn, "odd", "values") == [
        (1, "01/02/2022", "+4791234567", "0900", ""),
        (2, "2022-02-30", None, "12", None),
    ]
    assert {kept.column: kept.reason for kept in report.tables[0].kept_as_text} == {
        "born": "ambiguous",
        "phone": "identifier",
        "number": "identifier",
    }


def test_doubled_rows_are_kept(conn: Conn, tmp_path: Path) -> None:
    report = land_directory(conn, _write(tmp_path / "s", t="a,b\n1,x\n1,x\n1,x\n"))
    assert _rows(conn, "s", "t") == [(1, "x")] * 3
    assert report.tables[0].rows_landed == 3


def test_a_broken_file_is_kept_out_and_the_others_land(conn: Conn, tmp_path: Path) -> None:
    folder = _write(
        tmp_path / "mixed",
        good="id,name\n1,Kari\n",
        quotes='id,name\n1,x\n2,"never closed\n3,y\n',
        ragged="id,name\n1,Kari\n2\n",
        wide="id,name\n1,Kari,extra\n",
        latin=b"id,name\n1,K\xe5re\n",
        empty="",
        semicolon="id;name\n1;x\n",
    )
    report = land_directory(conn, folder)
    assert [table.qualified for table in report.tables] == ["mixed.good"]
    assert {kept.file: kept.line for kept in report.kept_out} == {
        "quotes.csv": 3,
        "ragged.csv": 3,
        "wide.csv": 2,
        "latin.csv": 2,
        "empty.csv": None,
        "semicolon.csv": 1,
    }
    assert report.exit_code == 2
    assert _tables(conn, "mixed") == ["good"]
    assert "Kari" not in json.dumps(report.as_dict())


def test_a_file_that_cannot_be_opened_is_kept_out(conn: Conn, tmp_path: Path) -> None:
    folder = _write(tmp_path / "s", t="id\n1\n")
    (folder / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    report = land_directory(conn, folder)
    assert [kept.file for kept in report.kept_out] == ["gone.csv"]
    assert [table.table for table in report.tables] == ["t"]


def test_two_files_for_one_table_are_both_kept_out(conn: Conn, tmp_path: Path) -> None:
    folder = _write(tmp_path / "s", charge="id\n1\n", charge_data="id\n2\n", other="id\n3\n")
    report = land_directory(conn, folder)
    assert [table.table for table in report.tables] == ["other"]
    assert sorted(kept.file for kept in report.kept_out) == ["charge.csv", "charge_data.csv"]


def test_a_file_without_rows_makes_an_empty_table(conn: Conn, tmp_path: Path) -> None:
    report = land_directory(conn, _write(tmp_path / "s", t="id,name\n"))
    assert (report.tables[0].rows_in, report.tables[0].rows_landed) == (0, 0)
    assert _types(conn, "s", "t") == {"id": "text", "name": "text"}


def test_blank_lines_are_no_rows_and_are_counted(conn: Conn, tmp_path: Path) -> None:
    report = land_directory(conn, _write(tmp_path / "s", t="a,b\n\n1,2\n\n", one="a\n\nx\n"))
    one, two = report.tables
    assert (one.rows_landed, one.blank_lines) == (2, 0)
    assert (two.rows_landed, two.blank_lines) == (1, 2)


def test_a_folder_of_folders_is_a_schema_each(conn: Conn, tmp_path: Path) -> None:
    _write(tmp_path / "all" / "one", t="id\n1\n")
    _write(tmp_path / "all" / "deep" / "two", t="id\n1\n")
    _write(tmp_path / "all" / ".hidden", t="id\n1\n")
    report = land_directory(conn, tmp_path / "all")
    assert [table.qualified for table in report.tables] == ["one.t", "two.t"]


def test_a_schema_of_another_name(conn: Conn, tmp_path: Path) -> None:
    folder = _write(tmp_path / "stripe", stripe_charge_data="id\n1\n")
    report = land_directory(conn, folder, schema="stripe_eu")
    assert [table.qualified for table in report.tables] == ["stripe_eu.stripe_charge"]


def test_an_existing_schema_is_refused_before_anything_lands(conn: Conn, tmp_path: Path) -> None:
    _write(tmp_path / "all" / "new", t="id\n1\n")
    _write(tmp_path / "all" / "old", t="id\n1\n")
    with conn.transaction():
        conn.execute("create schema old")
        conn.execute("create table old.t as select 7 as id")
    with pytest.raises(Refused, match="--replace"):
        land_directory(conn, tmp_path / "all")
    assert _tables(conn, "new") == []
    assert _rows(conn, "old", "t") == [(7,)]


def test_replace_touches_tables_of_the_same_names_only(conn: Conn, tmp_path: Path) -> None:
    with conn.transaction():
        conn.execute("create schema s")
        conn.execute("create table s.t as select 7 as id")
        conn.execute("create table s.other as select 8 as id")
    report = land_directory(conn, _write(tmp_path / "s", t="name\nx\n"), replace=True)
    assert report.tables[0].replaced
    assert _rows(conn, "s", "t") == [("x",)]
    assert _rows(conn, "s", "other") == [(8,)]


def test_a_broken_file_leaves_the_table_it_would_replace(conn: Conn, tmp_path: Path) -> None:
    with conn.transaction():
        conn.execute("create schema s")
        conn.execute("create table s.t as select 7 as id")
        conn.execute("create table s.seen as select 7 as id")
        conn.execute("create view s.watcher as select id from s.seen")
    folder = _write(tmp_path / "s", t='name\n"x\n', seen="id\n1\n", watcher="id\n1\n")
    report = land_directory(conn, folder, replace=True)
    assert report.tables == ()
    assert {kept.file for kept in report.kept_out} == {"t.csv", "seen.csv", "watcher.csv"}
    assert _rows(conn, "s", "t") == [(7,)]
    assert _rows(conn, "s", "watcher") == [(7,)]


@pytest.mark.parametrize("replace", [False, True])
def test_the_sample_is_never_mixed_with_real_rows(
    conn: Conn, tmp_path: Path, replace: bool
) -> None:
    with conn.transaction():
        conn.execute("create schema stripe")
        conn.execute("create table stripe.charge as select 7 as id")
        write_marker(conn, "stripe", Marker(seed=1, people=1, as_of=date(2026, 1, 1)))
    with pytest.raises(Refused, match="sample"):
        land_directory(conn, _write(tmp_path / "stripe", charge="id\n1\n"), replace=replace)
    assert _rows(conn, "stripe", "charge") == [(7,)]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_files_is_wrong_usage(conn: Conn, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        land_directory(conn, tmp_path / name)


def test_a_schema_of_the_engine_is_wrong_usage(conn: Conn, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        land_directory(conn, _write(tmp_path / "ledger", t="id\n1\n"))
    with pytest.raises(UsageError):
        land_directory(conn, _write(tmp_path / "s", t="id\n1\n"), schema="retention")


def test_one_schema_name_cannot_serve_two_folders(conn: Conn, tmp_path: Path) -> None:
    _write(tmp_path / "all" / "one", t="id\n1\n")
    _write(tmp_path / "all" / "two", t="id\n1\n")
    with pytest.raises(UsageError):
        land_directory(conn, tmp_path / "all", schema="three")


def test_a_connection_lost_half_way_is_one_line(
    conn: Conn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables before the loss stay; nothing of the file that was being landed does."""
    load = load_file

    def lose_before_second(connection: Conn, schema: str, table: str, *args: Any, **kw: Any) -> Any:
        if table == "second":
            pid = connection.info.backend_pid
            with psycopg.connect(conn_url) as other:
                other.execute("select pg_terminate_backend(%s, 5000)", (pid,))
        return load(connection, schema, table, *args, **kw)

    conn_url = conn.info.dsn + f" password={conn.info.password}"
    monkeypatch.setattr("landing.files.load_file", lose_before_second)
    folder = _write(tmp_path / "s", first="id\n1\n", second="id\n1\n")
    with pytest.raises(WarehouseError, match="lost while landing"):
        land_directory(conn, folder)
    with psycopg.connect(conn_url) as other:
        assert _tables(other, "s") == ["first"]


_VALUE = st.none() | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(_VALUE, _VALUE), min_size=1, max_size=10))
def test_any_text_comes_back_as_it_was(
    conn: Conn, tmp_path: Path, rows: list[tuple[str | None, str | None]]
) -> None:
    """Null stays null, an empty text stays empty, whatever signs a text holds."""
    quoted = [
        ",".join("" if v is None else '"' + v.replace('"', '""') + '"' for v in ("x", *row))
        for row in rows
    ]
    folder = _write(tmp_path / "texts", t="\n".join(["mark,a,b", *quoted]) + "\n")
    land_directory(conn, folder, replace=True)
    with conn.transaction():
        stored = conn.execute("select a::text, b::text from texts.t").fetchall()
    for row, back in zip(rows, stored, strict=True):
        for value, text in zip(row, back, strict=True):
            if value is None or form_of(value) in ("other", "empty", "bigint", "numeric", "date"):
                assert text == value
            else:
                assert text is not None


def _retention(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "land", *arguments],
        env=dict(environment),
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_lands_and_says_what_it_did(
    command_environment: Mapping[str, str], tmp_path: Path
) -> None:
    folder = _write(tmp_path / "s", t="id,name,at\n1,Kari,01/02/2022\n", bad="id\n1,2\n")
    done = _retention(command_environment, str(folder))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "kept out: bad.csv:2: has 2 fields, the header has 1",
    ]
    assert "s.t.at: kept as text: 1 of 1 values, such as dd/dd/dddd: ambiguous" in done.stdout
    assert "Kari" not in done.stdout
    again = _retention(command_environment, str(folder))
    assert (again.returncode, again.stdout) == (3, "")
    assert len(again.stderr.splitlines()) == 1
    replaced = _retention(command_environment, str(folder), "--replace", "--json")
    assert replaced.returncode == 2
    report = json.loads(replaced.stdout)
    assert report["rows_in"] == report["rows_landed"] == 1
    assert report["tables"][0]["replaced"] is True
    (folder / "bad.csv").unlink()
    assert _retention(command_environment, str(folder), "--replace").returncode == 0


@pytest.mark.parametrize("arguments", [("nowhere",), (), ("a", "b")])
def test_wrong_usage_of_the_command_is_one_line(
    command_environment: Mapping[str, str], arguments: tuple[str, ...]
) -> None:
    done = _retention(command_environment, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_a_report_counts_over_its_tables() -> None:
    assert LandReport((), ()).rows_in == 0
