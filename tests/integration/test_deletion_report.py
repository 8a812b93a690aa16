"""The deletion report: what it says, what it never says, and that it says it twice the same.

Belongs here: the report of one plan. Does not belong here: the retention report.
"""

import hashlib
import json

import pytest

from retention import verify
from retention.errors import UsageError
from retention.purge import execute
from retention.report import deletion
from tests.factories import Shop

pytestmark = pytest.mark.integration


def test_a_report_tells_the_whole_story_without_naming_anybody(shop: Shop) -> None:
    canary = 7_345_892_220_011
    shop.customer(canary)
    shop.customer(2)
    plan = shop.approved_plan()
    shop.hold("record", "shop.recording:2")
    with pytest.raises(UsageError, match="nothing of this plan was carried out"):
        deletion.build(shop.settings, plan.plan_id)
    execute(shop.settings, plan.plan_id, batch_items=1)
    verify.read_back(shop.settings, plan.plan_id)
    path = deletion.write(shop.settings, plan.plan_id)
    text = path.read_text(encoding="utf-8")
    report = json.loads(text)
    assert report["plan"]["digest"] == report["approval"]["digest"] == plan.digest
    assert report["approval"]["approved_by"] == "approver"
    assert report["level"] == "logical"
    assert report["not_covered"]
    assert report["execution"]["finished"] is True
    assert sum(report["counts"]["by_table"].values()) == report["execution"]["purged"]
    assert (
        sum(rule["purged"] for rule in report["counts"]["by_rule"]) == report["execution"]["purged"]
    )
    assert (
        report["execution"]["purged"] + sum(report["execution"]["skipped"].values()) == plan.items
    )
    assert report["execution"]["skipped"]
    assert report["read_back"]["findings"] == []
    for entry in report["entries"]:
        assert hashlib.sha256(b"\0" + entry["body"].encode()).hexdigest() == entry["leaf_hash"]
    for secret in (str(canary), "Navn", "@shop.example", "party-"):
        assert secret not in text


def test_the_same_ledger_gives_the_same_bytes(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    first = deletion.write(shop.settings, plan.plan_id).read_bytes()
    assert deletion.write(shop.settings, plan.plan_id).read_bytes() == first
    assert deletion.build(shop.settings, plan.plan_id) == json.loads(first)
    assert json.loads(first)["read_back"] is None


def test_a_plan_that_does_not_exist(shop: Shop) -> None:
    from uuid import UUID

    with pytest.raises(UsageError, match="no such plan"):
        deletion.build(shop.settings, UUID(int=0))
