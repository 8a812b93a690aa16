"""Reports that are kept, and one made again held against the one kept: each difference has its cause.

Belongs here: what is kept and who may keep it, and the causes one by one in a small warehouse. Does not
belong here: a replay of a past day by the models (test_report_history_built.py).
"""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.report_compared import compare_report
from retention.errors import UsageError
from retention.housekeeping.sweep import sweep
from retention.policy import load_versions
from retention.purge import execute
from retention.report.history import causes, compare, keep
from retention.report.history.attribution import RECORD_FIGURES
from retention.report.history.done import LEDGER_FIGURES
from retention.report.history.keep import Kept
from retention.report.report import Written, write_report
from tests.factories import LONG_AGO, Shop, today
from tests.logins import Logins
from tests.policies import edited_text, write_policy

pytestmark = pytest.mark.integration

#: Later than anything that `person` lands.
LATER = LONG_AGO + timedelta(days=700)


def kept_report(shop: Shop) -> tuple[Written, Kept]:
    written = write_report(shop.settings)
    return written, keep(shop.settings, written.document, written.json_path)


def compared(shop: Shop) -> dict[str, Any]:
    return compare(shop.settings, today(shop.conn))


def causes_of(found: dict[str, Any], figure: str = "population") -> dict[str, int]:
    """How many records of a figure were put down to each cause, over all its rows."""
    summed: dict[str, int] = {}
    for one in found["differences"]:
        if one["figure"] == figure:
            for name, count in one["causes"].items():
                summed[name] = summed.get(name, 0) + count
    return summed


@pytest.fixture
def told(shop: Shop) -> Shop:
    """Two persons who are overdue and one who is not, classified and reported on."""
    shop.customer(1)
    shop.person(2)
    shop.buyer(3, overdue=False)
    shop.classify()
    _, kept = kept_report(shop)
    assert kept.is_kept
    assert kept.is_new
    return shop


def test_nothing_changed_is_the_same_byte_for_byte(told: Shop) -> None:
    first = write_report(told.settings).json_path.read_bytes()
    again, kept = kept_report(told)
    # Of a figure that stands in neither, nobody has said what may change it.
    assert set(again.document["figures"]) <= RECORD_FIGURES | LEDGER_FIGURES.keys()
    assert again.json_path.read_bytes() == first
    assert kept.is_kept
    assert not kept.is_new
    assert told.one("select count(*) from ledger.entries where kind = 'report_kept'") == 1
    found = compared(told)
    assert found["agrees"], json.dumps(found, indent=1)
    assert not found["unexplained"]
    assert not found["cannot"]


def test_what_was_purged_since_is_named_and_counted(
    told: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = told.approve(told.plan())
    execute(told.settings, plan.plan_id)
    told.classify()
    found = compared(told)
    assert not found["unexplained"], json.dumps(found, indent=1)
    assert not found["agrees"]
    assert causes_of(found) == {"purged": plan.items}
    accounts = {one["table"]: one for one in found["tables"]}
    assert accounts["shop.person"] | {"because": None} == {
        "table": "shop.person",
        "then": 3,
        "purged": 2,
        "loaded": 0,
        "unaccounted": 0,
        "now": 1,
        "because": None,
    }
    # The plan was made and carried out after the report: the ledger says so.
    assert set(causes_of(found, "plans")) == {"entries"}
    compare_report(told.settings, None, as_json=False)
    assert "it differs, and the evidence explains all of it" in capsys.readouterr().out


@pytest.mark.slow
def test_without_the_evidence_it_is_unexplained(
    told: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(told.settings, told.approve(told.plan()).plan_id)
    told.add("contact", person_id=3, _fivetran_synced=LATER)
    told.hold("subject", "shop.person:3")
    told.classify()
    assert not compared(told)["unexplained"]
    for query, nothing in (
        ("purged_since", {}),
        ("touched_since", ()),
        ("entries_since", {}),
        ("entries_of_plans_since", {}),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(causes, query, lambda *_, nothing=nothing: nothing)
            assert compared(told)["unexplained"], query


def test_rows_that_the_source_added_or_changed_since_are_counted_by_their_load(told: Shop) -> None:
    told.add("person", id=9, email="p9@shop.example", _fivetran_synced=LATER)
    told.conn.execute(
        "update shop.person set _fivetran_deleted = true, _fivetran_synced = %s where id = 3",
        (LATER,),
    )
    told.judge("person", 3, "review")
    # It moved because of its person's row alone.
    told.judge("contact", 3, "review")
    told.classify()
    found = compared(told)
    assert not found["unexplained"], json.dumps(found, indent=1)
    moved = {
        (one["row"]["table"], one["row"]["status"]): one["causes"]
        for one in found["differences"]
        if one["figure"] == "population"
    }
    assert moved[("shop.person", "review")] == {"loaded": 1}
    assert moved[("shop.contact", "review")] == {"related": 1}
    assert moved[("shop.contact", "retained")] == {"related": 1}
    (account,) = [one for one in found["tables"] if one["table"] == "shop.person"]
    assert (account["then"], account["loaded"], account["now"]) == (3, 1, 4)


@pytest.mark.slow
def test_rows_that_nobody_says_to_have_removed_are_unexplained(told: Shop) -> None:
    told.conn.execute("delete from shop.mail where id = 2")
    told.add("contact", person_id=3, _fivetran_synced=LONG_AGO)
    told.classify()
    found = compared(told)
    accounts = {one["table"]: one["unaccounted"] for one in found["tables"]}
    assert accounts == {"shop.mail": -1, "shop.contact": 1}
    with pytest.raises(typer.Exit) as ended:
        compare_report(told.settings, None, as_json=True)
    assert ended.value.exit_code == 1
    assert found["unexplained"]
    assert {one["figure"] for one in found["differences"] if one["unexplained"]} >= {
        "population",
        "landed",
    }


@pytest.mark.slow
def test_a_record_that_stands_elsewhere_without_a_cause_is_unexplained(told: Shop) -> None:
    told.judge("person", 3, "review")
    told.classify()
    found = compared(told)
    assert found["unexplained"]
    assert not found["tables"]


@pytest.mark.slow
def test_a_hold_placed_later_on_the_day_is_a_cause(told: Shop) -> None:
    told.hold("subject", "shop.person:3")
    for table, key in (("person", 3), ("lead", 3), ("charge", "ch_3")):
        told.judge(table, key, "held")
    told.classify()
    found = compared(told)
    assert not found["unexplained"], json.dumps(found, indent=1)
    assert set(causes_of(found)) == {"blockers"}
    assert set(causes_of(found, "blockers")) == {"entries"}


@pytest.mark.slow
def test_another_code_moves_records_and_makes_none(told: Shop) -> None:
    told.redeclare("harmless: [browser]", "harmless: [browser, referrer]")
    told.judge("person", 3, "review")
    told.conn.execute("delete from shop.mail where id = 2")
    told.classify()
    found = compared(told)
    assert causes_of(found)["code"] == 2
    # What went is not explained by it.
    assert [
        one["row"]["table"]
        for one in found["differences"]
        if one["figure"] == "population" and one["unexplained"]
    ] == ["shop.mail"]


@pytest.mark.slow
def test_an_edited_policy_is_named(told: Shop, tmp_path: Path) -> None:
    path = write_policy(tmp_path, edited_text(("six months after", "half a year after")))
    (policy,) = load_versions(path.parent)
    told.settings = dataclasses.replace(told.settings, policy_dir=path.parent)
    told.conn.execute("update policy.policy_settings set policy_hash = %s", (policy.hash,))
    told.judge("person", 3, "review")
    told.classify()
    found = compared(told)
    assert {"part": "policy", "causes": ["policy"]} in found["parts"]
    assert not found["unexplained"], json.dumps(found, indent=1)


@pytest.mark.slow
def test_a_table_set_aside_is_a_cause_of_its_own(told: Shop) -> None:
    told.conn.execute("alter table shop.mail drop column received_at")
    told.classify_without("mail")
    found = compared(told)
    assert not found["unexplained"], json.dumps(found, indent=1)
    (account,) = found["tables"]
    assert account["table"] == "shop.mail"
    assert account["because"] == causes.WORDS["set_aside"]


@pytest.mark.slow
def test_a_table_that_does_not_say_when_it_was_loaded_cannot_be_told(shop: Shop) -> None:
    shop.person(1)
    shop.conn.execute("alter table shop.mail drop column _fivetran_synced")
    shop.classify()
    kept_report(shop)
    shop.conn.execute(
        "insert into shop.mail (id, from_address, received_at) values (8, 'a@b', now())"
    )
    shop.classify()
    found = compared(shop)
    assert not found["unexplained"], json.dumps(found, indent=1)
    assert causes_of(found) == {"unstamped": 1}


def test_what_is_kept_holds_counts_alone(told: Shop) -> None:
    told.hold("subject", "shop.person:3", reason="Kari Nordmann klager")
    told.classify()
    _, kept = kept_report(told)
    text = told.one(
        "select row_to_json(k)::text from ledger.reports_kept as k where document_sha256 = %s",
        kept.document_sha256,
    )
    body = told.one(
        "select body from ledger.entries where kind = 'report_kept' order by entry_id desc limit 1"
    )
    tokens = told.conn.execute("select subject_token::text from ledger.subject_tokens").fetchall()
    for canary in ("Kari", "Navn", "@shop.example", "ch_3", "person:3", *(t for (t,) in tokens)):
        assert canary not in text + body, canary
    assert json.loads(body)["headline"]["records"] == told.one(
        "select count(*) from retention.records"
    )


def test_a_reader_writes_a_report_that_is_not_kept_and_says_so(told: Shop, logins: Logins) -> None:
    reader = logins.of("reader")
    written = write_report(reader)
    kept = keep(reader, written.document, written.json_path)
    assert not kept.is_kept
    assert "retention_classifier" in str(kept.because)
    # And compares all the same.
    assert compare(reader, today(told.conn))["agrees"]


@pytest.mark.slow
def test_what_is_kept_is_checked_against_the_evidence(told: Shop) -> None:
    told.conn.execute("update ledger.reports_kept set figures = figures - 'plans'")
    told.conn.commit()
    found = compared(told)
    assert not found["kept"]["is_as_evidenced"]
    assert found["unexplained"]


@pytest.mark.slow
def test_a_day_without_a_kept_report_says_so(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    with pytest.raises(UsageError, match="was kept: a report is kept when"):
        compared(shop)


@pytest.mark.slow
def test_counts_are_forgotten_as_reports_are_and_hashes_stay(told: Shop) -> None:
    told.conn.execute("update ledger.reports_kept set kept_at = kept_at - interval '731 days'")
    told.conn.commit()
    swept = {one.kind: one for one in sweep(told.settings)}
    assert (swept["report_figures"].due, swept["report_figures"].removed) == (1, 1)
    found = compared(told)
    assert found["agrees"], json.dumps(found, indent=1)
    told.person(7)
    told.classify()
    assert any("its hash alone" in reason for reason in compared(told)["cannot"])
