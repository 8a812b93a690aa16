"""What becomes of a scan's outcome: it is remembered, shown, and a finding where a declaration says
otherwise.

Belongs here: the shop with columns that hold more than is declared. Does not belong here: what columns
seem to hold (test_detection.py).
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from dagster import materialize

from orchestration.assets.detection import personal_data
from orchestration.resources import Run
from retention.coverage import Finding, FindingKind, compare
from retention.coverage.words import next_steps, said
from retention.detection.model import Detected, Detection
from retention.detection.remember import recall, remember
from retention.detection.run import scan, scan_and_remember
from retention.plan import preview
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER, PURGER, READER
from tests.factories import Shop, today

EMAIL = Detected("email", "email", "high", "value", 9)


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """Persons, a harmless column that holds e-mail addresses, and an exempt table that does."""
    for number in range(1, 21):
        shop.person(number)
        shop.buyer(number + 100)
    shop.conn.execute(
        "update shop.visit set browser = 'p' || person_id || '@shop.example';"
        " insert into shop.partner (id, instruction_id)"
        " select n, 'partner' || n || '@shop.example' from generate_series(1, 9) as n"
    )
    shop.conn.commit()
    return shop


def findings(shop: Shop, kind: FindingKind) -> list[Finding]:
    found = compare(shop.conn, shop.declarations).of_kind(kind)
    shop.conn.commit()
    return list(found)


def places(found: list[Finding]) -> set[str]:
    return {f"{one.table}.{one.column}" for one in found}


def test_a_harmless_column_that_seems_personal_is_a_finding_once_it_was_scanned(
    filled: Shop,
) -> None:
    assert findings(filled, FindingKind.HARMLESS_SEEMS_PERSONAL) == []
    scan_and_remember(filled.settings, filled.declarations, declared=True)
    found = findings(filled, FindingKind.HARMLESS_SEEMS_PERSONAL)
    assert places(found) == {"visit.browser", "partner.instruction_id"}
    (browser,) = (one for one in found if one.column == "browser")
    assert browser.detail == "email, in 40 of 40 values"
    assert "seems to: email" in said(browser)
    (step,) = next_steps([browser], filled.settings)
    assert "`browser`" in step
    assert "visit" in step
    # It is a warning: what is due goes on being purged.
    filled.classify()
    assert preview(filled.settings).items > 0


def test_the_declared_column_is_a_finding_no_more_when_it_is_declared_personal(
    filled: Shop,
) -> None:
    scan_and_remember(filled.settings, filled.declarations, declared=True)
    filled.redeclare("harmless: [browser]", "personal: {browser: email}")
    assert places(findings(filled, FindingKind.HARMLESS_SEEMS_PERSONAL)) == {
        "partner.instruction_id"
    }


def test_an_exempt_column_is_a_finding_only_past_its_date(filled: Shop) -> None:
    day = today(filled.conn)
    reason = "reason: names a program, owner: data@shop.example"
    exempt = "exempt_columns: {{browser: {{" + reason + ", review_on: {}}}}}"
    scan_and_remember(filled.settings, filled.declarations, declared=True)
    filled.redeclare("harmless: [browser]", exempt.format(day))
    assert "visit.browser" not in places(findings(filled, FindingKind.HARMLESS_SEEMS_PERSONAL))
    filled.redeclare(exempt.format(day), exempt.format(day - timedelta(days=1)))
    assert "visit.browser" in places(findings(filled, FindingKind.HARMLESS_SEEMS_PERSONAL))


def test_a_guess_or_a_name_alone_is_no_finding(filled: Shop) -> None:
    column = ("shop", "visit", "browser")
    for guess in (
        Detected("email", "email", "low", "value", 1),
        Detected("email", "email", "high", "name", 0),
    ):
        _remember(filled, Detection(column, 20, (guess,)))
        assert findings(filled, FindingKind.HARMLESS_SEEMS_PERSONAL) == []
    _remember(filled, Detection(column, 20, (EMAIL,)))
    assert places(findings(filled, FindingKind.HARMLESS_SEEMS_PERSONAL)) == {"visit.browser"}


def test_an_undeclared_column_says_what_it_seems_to_hold(filled: Shop) -> None:
    filled.conn.execute(
        "alter table shop.contact add column who text, add column n int;"
        " update shop.contact set who = 'Kari Fjell' || chr(97 + id::int % 20), n = id;"
        " create table shop.extra as select 'p' || n || '@shop.example' as a from generate_series(1, 9) n;"
        " create schema unknown; create table unknown.t as select * from shop.extra"
    )
    filled.conn.commit()
    found = scan_and_remember(filled.settings, filled.declarations, declared=False)
    assert {one.column: one.kind for one in found} == {
        ("shop", "contact", "who"): "name",
        ("shop", "contact", "n"): None,
        ("shop", "extra", "a"): "email",
        ("unknown", "t", "a"): "email",
    }
    columns = {one.column: one for one in findings(filled, FindingKind.UNDECLARED_COLUMN)}
    assert columns["who"].detail == "seems to hold name"
    assert columns["n"].detail is None
    assert said(columns["who"]).endswith("neither declared nor harmless, seems to hold name")
    (table,) = findings(filled, FindingKind.UNDECLARED_TABLE)
    assert table.detail == "seems to hold email"
    (schema,) = findings(filled, FindingKind.UNDECLARED_SCHEMA)
    assert schema.detail == "1 relation, seems to hold email"


def test_only_what_nobody_declared_personal_is_scanned(filled: Shop) -> None:
    assert scan(filled.settings, filled.declarations) == ()
    scanned = {one.column[1:] for one in scan(filled.settings, filled.declarations, declared=True)}
    assert ("visit", "browser") in scanned
    assert ("charge", "amount") in scanned
    assert ("person", "email") not in scanned
    assert not {column for _, column in scanned if column.startswith("_fivetran")}


def test_a_scan_replaces_what_was_remembered_of_its_columns_and_no_others(filled: Shop) -> None:
    one, other = ("shop", "visit", "browser"), ("shop", "charge", "amount")
    gone = ("shop", "visit", "gone")
    second = Detected("phone", "phone", "low", "name", 0)
    _remember(filled, Detection(one, 5, (EMAIL, second)), Detection(gone, 3, (EMAIL,)))
    assert set(_recall(filled)) == {one, gone}
    _remember(filled, Detection(other, 7, (), "it took too long"))
    # A column that is not there is forgotten with the next scan, whatever that looks at.
    assert _recall(filled) == {
        one: Detection(one, 5, (EMAIL, second)),
        other: Detection(other, 7, (), "it took too long"),
    }
    _remember(filled, Detection(one, 6, ()))
    assert _recall(filled)[one] == Detection(one, 6, ())
    assert filled.one("select count(*) from ledger.detections") == 0


@pytest.mark.parametrize("role", [READER, PURGER])
def test_nobody_but_the_classifier_records(filled: Shop, role: str) -> None:
    with (
        connect(filled.settings, role=role) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        remember(conn, [Detection(("shop", "visit", "browser"), 1, ())])
    with (
        connect(filled.settings, role=CLASSIFIER) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute("delete from ledger.scanned_columns")


@pytest.mark.parametrize("word", ["kari@eksempel.no", "+4791234567", "Kari Nordmann", ""])
def test_the_ledger_takes_words_of_the_scan_and_no_value(filled: Shop, word: str) -> None:
    for found in (
        Detection(("shop", "visit", "browser"), 1, (Detected(word, "email", "high", "value", 1),)),
        Detection(("shop", "visit", "browser"), 1, (Detected("email", word, "high", "value", 1),)),
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            _remember(filled, found)


def test_the_command_shows_kinds_and_counts(
    filled: Shop, command_environment: Mapping[str, str]
) -> None:
    nothing = _command(filled, command_environment)
    assert nothing.returncode == 0
    assert "0 columns scanned" in nothing.stdout
    everything = _command(filled, command_environment, "--all", "--json")
    assert everything.returncode == 1
    said_of = {one["column"]: one for one in json.loads(everything.stdout)["columns"]}
    assert said_of["browser"]["kind"] == "email"
    assert said_of["amount"]["found"] == []
    narrowed = _command(filled, command_environment, "shop.charge", "--all")
    assert narrowed.returncode == 0
    assert "browser" not in narrowed.stdout
    few = _command(
        filled, command_environment, "shop.visit", "--all", "--json", "--sample-rows", "3"
    )
    assert {one["sampled"] for one in json.loads(few.stdout)["columns"]} == {3}
    shown = _command(filled, command_environment, "--all")
    assert "shop.visit.browser" in shown.stdout
    assert "@shop.example" not in shown.stdout + everything.stdout
    # The command remembers nothing: it reads.
    assert filled.one("select count(*) from ledger.scanned_columns") == 0


def test_the_weekly_job_shows_kinds_and_counts(
    filled: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("RETENTION_DATABASE_URL", filled.settings.database_url),
        ("RETENTION_STATE_DIR", filled.settings.state),
        ("RETENTION_DECLARATIONS_DIR", filled.settings.declarations_dir),
    ):
        monkeypatch.setenv(name, str(value))
    result = materialize([personal_data], resources={"run": Run()})
    (made,) = result.asset_materializations_for_node("personal_data")
    shown = {name: entry.value for name, entry in made.metadata.items()}
    assert shown["email"] == 2
    assert shown["seem_personal"] == shown["email"]
    assert shown["columns"] == filled.one("select count(*) from ledger.scanned_columns")
    assert shown["unread"] == 0


@pytest.mark.parametrize("where", ["nothere", "shop.nothere"])
def test_the_command_says_what_it_cannot_find(
    filled: Shop, command_environment: Mapping[str, str], where: str
) -> None:
    refused = _command(filled, command_environment, where)
    assert refused.returncode == 2
    assert where in refused.stderr


def _command(
    shop: Shop, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    shop.conn.commit()
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "detect", *arguments],
        capture_output=True,
        text=True,
        env={
            **environment,
            "RETENTION_DECLARATIONS_DIR": str(shop.settings.declarations_dir),
        },
        check=False,
    )


def _remember(shop: Shop, *detections: Detection) -> None:
    with connect(shop.settings, role=CLASSIFIER) as conn:
        remember(conn, detections)


def _recall(shop: Shop) -> dict[Any, Detection]:
    with connect(shop.settings, role=READER) as conn:
        return recall(conn)
