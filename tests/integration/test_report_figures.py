"""The report's figures on a small warehouse in which what they tell of has happened.

Belongs here: what each figure says, and that its query says it again. Does not belong here: the sample's
stories (test_report.py), and how a report looks.
"""

import dataclasses
import json
import shlex
import shutil
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from retention import evidence, halts
from retention.erasure.compaction import compact
from retention.erasure.level import level_reached
from retention.errors import Refused
from retention.language import Language
from retention.plan import approve, reject
from retention.purge import execute
from retention.purge.guards import HELD
from retention.report.figures.figure import plain
from retention.report.figures.sample import EACH
from retention.report.render import html
from retention.report.report import gather, write_report
from retention.rights import register
from retention.rights.model import Right
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER
from tests import report_schema
from tests.dbt_manifest import AS_CLASSIFIER
from tests.erasures import Officer
from tests.factories import LONG_AGO, Shop, today

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Document = dict[str, Any]


def rows(document: Document, figure: str, **wanted: object) -> list[dict[str, Any]]:
    listed = document["figures"][figure]["rows"]
    return [row for row in listed if wanted.items() <= row.items()]


def one(document: Document, figure: str, **wanted: object) -> dict[str, Any]:
    (found,) = rows(document, figure, **wanted)
    return found


def total(document: Document, figure: str, column: str = "records", **wanted: object) -> int:
    return sum(row[column] for row in rows(document, figure, **wanted))


def check_again(shop: Shop, document: Document) -> None:
    """Each query, pasted by a reader, gives its figure again."""
    with connect(shop.settings, role=READER, read_only=True) as conn:
        for figure in document["figures"].values():
            found = conn.execute(figure["query"])
            names = [column.name for column in found.description or ()]
            again = [
                {name: plain(value) for name, value in zip(names, row, strict=True)}
                for row in found
            ]
            assert again == figure["rows"], figure["id"]


def told(shop: Shop, as_of: date | None = None) -> Document:
    """The report as it is now, as the schema says, again by its own queries, and with a word in each
    language for everything that it tells."""
    document = gather(shop.settings, as_of)
    report_schema.check(document)
    check_again(shop, document)
    for language in Language:
        assert html.render(document, language, shop.settings.policy_dir)
    return document


def test_an_empty_warehouse_has_a_report(shop: Shop) -> None:
    shop.classify()
    document = told(shop)
    assert document["headline"]["records"] == 0
    assert document["provenance"]["ledger"]["checkpoint"] is None
    # A shop is no clone.
    assert document["provenance"]["revision"] is None


def test_what_overdue_records_wait_for_is_told_of_every_one(shop: Shop) -> None:
    for number in (1, 2, 3):
        shop.person(number)
    shop.person(4, overdue=False)
    shop.classify()
    document = told(shop)
    overdue = document["headline"]["overdue"]
    assert overdue == 3 * 6 == total(document, "overdue_because", waits_for="no_plan")

    plan = shop.plan()
    assert total(told(shop), "overdue_because", waits_for="plan_proposed") == overdue
    shop.approve(plan)
    assert total(told(shop), "overdue_because", waits_for="plan_approved") == overdue

    shop.hold("subject", "shop.person:3")
    execute(shop.settings, plan.plan_id)
    document = told(shop)
    assert document["headline"]["overdue"] == 6
    assert total(document, "overdue_because", waits_for="left_out") == 6
    assert one(document, "left_out") == {"stage": "skipped", "reason": HELD, "records": 6}
    assert total(document, "skipped", reason=HELD) == 6
    assert total(document, "purged") == 12 == total(document, "movements", "purged")
    assert one(document, "approvals", approval_kind="person")["plans"] == 1
    assert one(document, "blockers") == {
        "kind": "hold",
        "scope": "subject",
        "until_month": None,
        "blockers": 1,
        "past_their_day": 0,
        "first_from_on": document["made_from"]["as_of"],
    }


def test_a_row_that_landed_since_is_told(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    assert told(shop)["headline"]["unreconciled_tables"] == 0
    shop.add("person", id=9)
    document = told(shop)
    assert document["headline"]["unreconciled_tables"] == 1
    assert one(document, "landed", reconciled=False) == {
        "table": "shop.person",
        "landed": 2,
        "records": 1,
        "by_status": 1,
        "reconciled": False,
    }


def test_refusals_rejections_and_halts_are_told_without_anybodys_words(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    plan = shop.plan()
    with pytest.raises(Refused):
        approve(shop.settings, plan.plan_id, plan.digest)
    with pytest.raises(Refused):
        execute(shop.settings, plan.plan_id)
    reject(shop.approver, plan.plan_id, "because Kari Nordmann asked")
    halts.halt(shop.settings, "because Kari Nordmann asked")
    document = told(shop)
    assert one(document, "refusals", what="approval")["times"] == 1
    assert one(document, "refusals", what="purge")["times"] == 1
    assert one(document, "refusals", what="rejected")["plans"] == 1
    assert one(document, "halts")["resumed_at"] is None
    assert "Kari" not in str(document)


def test_requests_are_told_by_right_and_whether_in_time(shop: Shop, officer: Officer) -> None:
    shop.person(1)
    shop.person(2)
    shop.classify()
    for number, received in ((1, LONG_AGO.date()), (2, today(shop.conn))):
        register.open_request(
            officer.settings, Right.ACCESS, received, person=f"shop.person:{number}", purpose=None
        )
    document = told(shop)
    asked = one(document, "requests")
    assert (asked["right"], asked["state"], asked["requests"]) == ("access", "received", 2)
    assert (asked["open_past_deadline"], asked["answered_late"]) == (1, 0)
    assert asked["next_deadline"] < document["made_from"]["as_of"]


def test_consents_and_suppressions_are_counted(shop: Shop) -> None:
    for number in (1, 2):
        shop.person(number, overdue=False)
        shop.add("consent", id=number, person_id=number)
    shop.add("consent", id=3, person_id=2, withdrawn_at=LONG_AGO + timedelta(days=9))
    shop.classify()
    document = told(shop)
    assert one(document, "consents", purpose="union_membership") == {
        "purpose": "union_membership",
        "in_force": 1,
        "withdrawn": 1,
        "last_withdrawn_on": (LONG_AGO + timedelta(days=9)).date().isoformat(),
    }


def test_the_level_of_each_plan_is_that_of_its_deletion_report(shop: Shop) -> None:
    def levels() -> dict[str, str]:
        document = told(shop)
        found = {row["plan_id"]: row["level"] for row in rows(document, "levels")}
        for plan in plans:
            assert found[str(plan.plan_id)] == level_reached(shop.conn, plan.plan_id).level
        shop.conn.commit()
        return found

    plans = []
    for number in (1, 2):
        shop.person(number)
        plans.append(shop.approved_plan())
        execute(shop.settings, plans[-1].plan_id)
        if number == 1:
            assert set(levels().values()) == {"logical"}
            assert rows(told(shop), "not_rewritten")
            compact(shop.settings)
            assert set(levels().values()) == {"physical"}
            assert rows(told(shop), "not_rewritten") == []
    # The first plan has kept its level; the second has reached none, until its tables were rewritten too.
    first, second = (str(plan.plan_id) for plan in plans)
    assert levels() == {first: "physical", second: "logical"}
    compact(shop.settings)
    assert levels() == {first: "physical", second: "physical"}


def test_a_replay_tells_nothing_that_was_done_after_its_day(shop: Shop) -> None:
    shop.person(1)
    shop.add("consent", id=1, person_id=1)
    shop.classify()
    shop.hold("table", "shop.mail")
    execute(shop.settings, shop.approve(shop.plan()).plan_id)
    halts.halt(shop.settings, "a try")
    assert total(told(shop), "purged") > 0
    day = today(shop.conn) - timedelta(days=10)
    replay(shop, day)
    document = told(shop, day)
    assert document["made_from"]["is_replay"]
    assert document["made_from"]["classified_at"] is None
    assert one(document, "consents")["in_force"] == 1
    later = ("plans", "approvals", "evidence", "refusals", "skipped", "purged", "minimised")
    for figure in (
        *later,
        "blockers",
        "halts",
        "entries",
        "checkpoints",
        "levels",
        "not_rewritten",
    ):
        assert rows(document, figure) == [], figure


def replay(shop: Shop, day: date) -> None:
    """The classification as it stands, under the name of a replay as of that day."""
    suffix = f"_as_of_{day:%Y%m%d}"
    shop.conn.execute(AS_CLASSIFIER)
    for schema, tables in (
        ("policy", ("declared_tables",)),
        ("intermediate", ("int_clock", "int_returns_judged", "int_consents_decided")),
        ("retention", ("records", "summary", "review_queue")),
    ):
        shop.conn.execute(f"create schema {schema}{suffix}")
        for table in tables:
            shop.conn.execute(
                f"create table {schema}{suffix}.{table} as select * from {schema}.{table}"
            )
            if table != "int_consents_decided":
                shop.conn.execute(f"grant select on {schema}{suffix}.{table} to {READER}")
    shop.conn.execute(f"update intermediate{suffix}.int_clock set as_of = '{day}'")
    shop.conn.commit()


def test_the_sample_names_some_records_of_each_kind_and_no_person(shop: Shop) -> None:
    for number in range(1, 9):
        shop.customer(number)
    shop.add("objection", email="nei@shop.example")
    shop.judge("person", 1, "held")
    shop.judge("person", 2, "restricted")
    shop.judge("person", 3, "locked")
    shop.classify()
    document = told(shop)
    drawn = rows(document, "sample")
    by_kind = Counter((row["table"], row["category"]) for row in drawn)
    assert set(by_kind.values()) == {EACH}
    # Its key is an e-mail address.
    assert "shop.objection" not in {row["table"] for row in drawn}
    assert not {"held", "restricted", "locked"} & {row["status"] for row in drawn}
    assert not {"1", "2", "3"} & {
        row["record_key"] for row in drawn if row["table"] == "shop.person"
    }
    tokens = shop.conn.execute("select subject_token::text from ledger.subject_tokens").fetchall()
    shop.conn.commit()
    assert tokens
    assert not [token for (token,) in tokens if token in json.dumps(document)]
    for row in drawn:
        name, explain, table, key = shlex.split(row["command"])
        assert (name, explain, table, key) == (
            "retention",
            "explain",
            row["table"],
            row["record_key"],
        )
    # Nobody can choose it, and everybody gets the same.
    assert rows(told(shop), "sample") == drawn
    assert document["figures"]["sample"]["parameters"]["seed"] != ""


def test_two_reports_are_the_same_bytes_also_after_one_was_kept_on_record(
    shop: Shop, tmp_path: Path
) -> None:
    shop.person(1)
    shop.classify()
    execute(shop.settings, shop.approve(shop.plan()).plan_id)
    shop.classify()
    evidence.publish(shop.settings)
    first = contents(shop, tmp_path / "one")
    assert {"retention-report.json", "csv/population.csv"} <= set(first)
    shop.conn.execute("select ledger.append('report_kept', '{}')")
    shop.conn.commit()
    evidence.publish(shop.settings)
    assert contents(shop, tmp_path / "other") == first
    document = gather(shop.settings)
    ledger = document["provenance"]["ledger"]
    assert ledger["checkpoint"]["size"] == ledger["size"] == total(document, "entries", "entries")
    assert ledger["checkpoint"]["root"] == ledger["root"]


def contents(shop: Shop, folder: Path) -> dict[str, bytes]:
    """The report's files as written below a state folder of their own, by their names."""
    shutil.copytree(shop.settings.dbt_target, folder / "dbt" / "target")
    written = write_report(dataclasses.replace(shop.settings, state=folder))
    base = written.json_path.parent
    return {
        path.relative_to(base).as_posix(): path.read_bytes()
        for path in sorted(base.rglob("*"))
        if path.is_file()
    }
