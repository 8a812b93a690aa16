"""Putting a text of the policy into force: who may, what is recorded, and what waits until somebody has.

Belongs here: `retention policy` in the engine and as commands. Does not belong here: which version holds
on a day (unit/test_policy_versions.py) and what another one would change (test_what_if.py).
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from retention.code_hash import code_hash
from retention.errors import Refused, UsageError
from retention.ledger import entries
from retention.plan import create_unattended
from retention.policy import activation, load_policy, standing
from retention.settings import Settings
from tests.factories import Shop
from tests.onboarding import retention as command
from tests.policies import edited_text, shipped_text, write_policy

pytestmark = pytest.mark.integration

REASON = "the board decided it on its November meeting"
VERSION = ("version: lexly-2023-01-12", "version: next")


@pytest.fixture
def versions(shop: Shop, tmp_path: Path) -> tuple[Settings, Settings]:
    """The shop with a policy folder of two versions: as its owner, and as its approver."""
    folder = tmp_path / "versions"
    write_policy(folder, shipped_text(), "first.yaml")
    write_policy(
        folder,
        edited_text(VERSION, ("effective_from: 2023-01-12", "effective_from: 2026-01-01")),
        "next.yaml",
    )
    return (
        dataclasses.replace(shop.settings, policy_dir=folder),
        dataclasses.replace(shop.approver, policy_dir=folder),
    )


def classified_under(shop: Shop, policy_hash: str) -> None:
    """Classify the shop by a policy of that hash."""
    shop.conn.execute("update policy.policy_settings set policy_hash = %s", (policy_hash,))
    shop.conn.execute(
        "select ledger.begin_classification(ledger.today(), %s)", (code_hash(shop.settings),)
    )
    shop.conn.execute("select ledger.finish_classification()")
    shop.conn.commit()


def test_an_approver_puts_a_text_into_force_and_it_is_evidence(
    shop: Shop, versions: tuple[Settings, Settings]
) -> None:
    owner, approver = versions
    policy = activation.find_version(owner, "next")
    with pytest.raises(Refused, match="retention_approver"):
        activation.activate(owner, policy, REASON)
    assert activation.activations(owner) == []

    done = activation.activate(approver, policy, REASON, {"earlier": 3, "later": 0})

    assert activation.activations(owner) == [done]
    assert (done.policy_version, done.policy_hash, done.reason) == ("next", policy.hash, REASON)
    assert (done.kind, done.counted) == ("person", {"earlier": 3, "later": 0})
    row = shop.conn.execute(
        "select entry_id from ledger.entries where kind = 'policy_activation'"
    ).fetchall()
    (entry,) = entries.numbered(shop.conn, [one for (one,) in row])
    said = {name: entry.content[name] for name in entry.content if name not in ("at", "entry")}
    assert said == {
        "policy_version": "next",
        "policy_hash": policy.hash,
        "effective_from": "2026-01-01",
        "reason_sha256": hashlib.sha256(REASON.encode()).hexdigest(),
        "counted": {"earlier": 3, "later": 0},
        "kind": "person",
        "activated_by": done.activated_by,
    }
    with pytest.raises(Refused, match="activated last"):
        activation.activate(approver, policy, REASON)
    with pytest.raises(UsageError, match="needs a reason"):
        activation.activate(approver, activation.find_version(owner, "lexly-2023-01-12"), " ")


def test_nobody_changes_what_was_recorded(shop: Shop, versions: tuple[Settings, Settings]) -> None:
    owner, approver = versions
    activation.activate(approver, activation.find_version(owner, "next"), REASON)
    for statement in (
        "update ledger.policy_activations set reason = 'another'",
        "delete from ledger.policy_activations",
    ):
        with pytest.raises(psycopg.Error, match="append-only"), shop.conn.transaction():
            shop.conn.execute(statement)


def test_only_counts_are_recorded_of_a_what_if(versions: tuple[Settings, Settings]) -> None:
    owner, approver = versions
    policy = activation.find_version(owner, "next")
    bad: Any
    for bad in ({"earlier": "Kari"}, {"earlier": -1}, {"earlier": 1.5}):
        with pytest.raises(UsageError, match="whole numbers"):
            activation.activate(approver, policy, REASON, bad)


def test_a_changed_text_waits_for_a_person_and_the_first_one_does_not(
    shop: Shop, versions: tuple[Settings, Settings]
) -> None:
    owner, approver = versions
    shop.person(1)
    shop.classify()
    assert standing.findings(shop.conn) == []
    first = shop.one(
        "select body::jsonb ->> 'policy_hash' from ledger.entries where kind = 'policy'"
        " order by entry_id limit 1"
    )
    classified_under(shop, str(first))
    assert standing.findings(shop.conn) == []

    policy = activation.find_version(owner, "next")
    classified_under(shop, policy.hash)
    (finding,) = standing.findings(shop.conn)
    assert finding.kind == "policy_not_activated"
    assert "retention policy activate" in finding.message
    shop.conn.execute("update policy.policy_rules set unattended = true")
    shop.conn.commit()
    with pytest.raises(Refused, match="nobody put this text of the policy into force"):
        create_unattended(shop.settings)

    activation.activate(approver, policy, REASON)
    assert standing.findings(shop.conn) == []
    assert create_unattended(shop.settings).policy_hash == policy.hash


def test_a_version_is_named_by_its_name_or_its_file(
    versions: tuple[Settings, Settings], tmp_path: Path
) -> None:
    owner, _ = versions
    by_name = activation.find_version(owner, "next")
    assert activation.find_version(owner, str(owner.policy_dir / "next.yaml")).hash == by_name.hash
    with pytest.raises(UsageError, match="there is no policy version none"):
        activation.find_version(owner, "none")
    elsewhere = write_policy(tmp_path, edited_text(("version: lexly-2023-01-12", "version: other")))
    with pytest.raises(UsageError, match="no version of the policy folder"):
        activation.find_version(owner, str(elsewhere))
    assert load_policy(elsewhere).version == "other"


def test_the_commands_say_who_when_and_why(versions: tuple[Settings, Settings]) -> None:
    owner, approver = versions
    refused = command(owner, "policy", "activate", "next", "--reason", REASON)
    assert refused.returncode == 3
    assert "retention_approver" in refused.stderr
    done = command(approver, "policy", "activate", "next", "--reason", REASON)
    assert done.returncode == 0, done.stderr
    listed = command(owner, "policy", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    first, second = json.loads(listed.stdout)
    assert (first["version"], first["in_force"], first["activations"]) == (
        "lexly-2023-01-12",
        False,
        [],
    )
    assert second["in_force"]
    assert [one["reason"] for one in second["activations"]] == [REASON]
    table = command(owner, "policy", "list").stdout
    assert all(word in table for word in REASON.split())
    assert second["hash"][:12] in table
