"""What the product writes holds for the stand-alone verifier, and answers what it is asked.

Belongs here: real ledgers and reports, as honest as they come. Does not belong here: forgeries of them
(tests/unit/test_verifier_*), and what the reports say (test_deletion_report.py).
"""

from pathlib import Path

import pytest

from retention import verify
from retention.erasure.compaction import compact
from retention.evidence import publish
from retention.evidence.ledger_file import export
from retention.keys import load_key, load_signing_key
from retention.ledger import tree
from retention.plan import Plan, amend
from retention.purge import execute
from retention.report import deletion
from tests.factories import Shop
from verifier import verify_evidence as ve

pytestmark = pytest.mark.integration


def trusted(shop: Shop) -> list[ve.Key]:
    key = load_signing_key(shop.settings, shop.conn)
    return [ve.Key(tree.origin(shop.conn), key.public)]


@pytest.fixture
def purged(shop: Shop) -> Plan:
    """A plan that purged, minimised and skipped, in several batches, and was read back."""
    for number in (1, 2, 3):
        shop.person(number)
    shop.buyer(4)
    shop.customer(5)
    plan = shop.approved_plan()
    shop.hold("record", f"shop.recording:{max(shop.keys('recording'))}")
    execute(shop.settings, plan.plan_id, batch_items=2)
    verify.read_back(shop.settings, plan.plan_id)
    return plan


def test_a_report_of_the_product_holds(shop: Shop, purged: Plan, tmp_path: Path) -> None:
    since = publish(shop.settings)
    assert since is not None
    shop.person(6)
    shop.approved_plan()
    path = deletion.write(shop.settings, purged.plan_id, tmp_path / "report.json")
    result = ve.verify(path, trusted(shop), since.note)
    assert result.holds, result.failures
    outcome = shop.outcome(purged)
    assert sum(result.proved["purged_by_table"].values()) == outcome.pop("purged")
    assert sum(result.proved["minimised_by_table"].values()) == outcome.pop("minimised")
    assert result.proved["skipped"] == outcome != {}
    assert len(result.proved["batches"]) > 1
    secret = load_key(shop.settings, shop.conn).secret
    for key, answer in (("1", "purged"), ("99", "not in this report")):
        asked = ve.verify(path, trusted(shop), None, ("shop.person", key, secret))
        assert asked.record is not None
        assert asked.record["answer"] == answer


def test_a_report_of_what_was_erased_physically_holds(
    shop: Shop, purged: Plan, tmp_path: Path
) -> None:
    before = deletion.write(shop.settings, purged.plan_id, tmp_path / "before.json")
    shop.conn.commit()
    assert compact(shop.settings).is_whole
    path = deletion.write(shop.settings, purged.plan_id, tmp_path / "report.json")
    for written, level in ((before, "logical"), (path, "physical")):
        result = ve.verify(written, trusted(shop))
        assert result.holds, result.failures
        assert result.proved["level"].startswith(level)
    changed = len(result.proved["purged_by_table"] | result.proved["minimised_by_table"])
    assert result.proved["level"] == f"physical, {changed} of {changed} tables since rewritten"


def test_a_report_of_an_amended_plan_holds(shop: Shop, tmp_path: Path) -> None:
    shop.person(1)
    shop.person(2)
    shop.classify()
    plan = shop.plan()
    shop.approve(
        amend(shop.approver, plan.plan_id, table="shop.person", record_key="1", reason="later")
    )
    execute(shop.settings, plan.plan_id)
    path = deletion.write(shop.settings, plan.plan_id, tmp_path / "report.json")
    result = ve.verify(path, trusted(shop))
    assert result.holds, result.failures
    assert result.proved["purged_by_table"]["shop.person"] == 1


def test_a_ledger_of_the_product_holds(shop: Shop, purged: Plan, tmp_path: Path) -> None:
    since = publish(shop.settings)
    assert since is not None
    shop.person(7)
    shop.approved_plan()
    size = export(shop.settings, tmp_path / "ledger")
    result = ve.verify(tmp_path / "ledger", trusted(shop), since.note)
    assert result.holds, result.failures
    assert result.proved["size"] == size > since.size
    assert result.proved["kinds"]["batch"] > 1
    assert sum(result.proved["purged_by_table"].values()) == shop.outcome(purged)["purged"]
