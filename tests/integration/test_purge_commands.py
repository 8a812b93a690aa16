"""The commands from plan to evidence, as processes of their own: what they print and how they end.

Belongs here: exit codes and output of plan, approve, reject, purge, verify, hold, review and orders.
Does not belong here: what they do, which the engine's own tests show.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from retention import plan as plans
from retention.settings import Settings
from tests.factories import Shop

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class Command:
    """Runs `retention` on the shop, as the job's login or the approver's."""

    def __init__(self, shop: Shop, environment: Mapping[str, str]) -> None:
        self.shop = shop
        self.environment = environment

    def __call__(
        self, *arguments: object, login: Settings | None = None
    ) -> subprocess.CompletedProcess[str]:
        settings = login or self.shop.settings
        assert settings.database_url is not None
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *map(str, arguments)],
            env={
                **self.environment,
                "RETENTION_DATABASE_URL": settings.database_url,
                "RETENTION_STATE_DIR": str(settings.state),
                "RETENTION_PROJECT_DIR": str(settings.project),
                "RETENTION_POLICY_DIR": str(settings.policy_dir),
                "RETENTION_DECLARATIONS_DIR": str(settings.declarations_dir),
                "NO_COLOR": "1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def json(self, *arguments: object, login: Settings | None = None) -> Any:
        done = self(*arguments, "--json", login=login)
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def retention(shop: Shop, clean_environment: Mapping[str, str]) -> Command:
    return Command(shop, clean_environment)


def test_from_plan_to_read_back(shop: Shop, retention: Command) -> None:
    shop.customer(1)
    shop.customer(2)
    shop.classify()
    seen = retention.json("plan", "--dry-run")
    assert seen["items"] == 20
    # The shop has none of the marts that the checks judge, so the command freezes nothing.
    unchecked = retention("plan")
    assert unchecked.returncode == 3
    assert unchecked.stderr.count("\n") == 1
    made = plans.create(shop.settings)
    assert made.state == "proposed"
    plan_id, digest = str(made.plan_id), str(made.digest)
    assert digest in retention("plan", "show", plan_id).stdout
    assert plan_id in retention("plan", "list").stdout

    early = retention("purge", plan_id)
    assert early.returncode == 3
    assert "only an approved one" in early.stderr
    own = retention("approve", plan_id, digest)
    assert own.returncode == 3
    assert own.stderr.count("\n") == 1
    wrong = retention("approve", plan_id, "0" * 64, login=shop.approver)
    assert wrong.returncode == 3
    approved = retention("approve", plan_id, digest, login=shop.approver)
    assert approved.returncode == 0, approved.stderr

    held = retention(
        "hold",
        "add",
        "subject",
        "shop.person:2",
        "--reason",
        "a claim",
        "--authority",
        "tingretten",
    )
    assert held.returncode == 0, held.stderr
    done = retention("purge", plan_id)
    assert done.returncode == 0, done.stderr
    assert "Purged 11 records" in done.stdout
    assert "held, restricted or locked" in done.stdout
    again = retention("purge", plan_id)
    assert again.returncode == 3
    checked = retention("verify", plan_id)
    assert checked.returncode == 0, checked.stderr
    shop.add("person", id=1)
    assert retention("verify").returncode == 1
    assert retention.json("verify", plan_id)["findings"][0]["where"] == "shop.person"


def test_a_purge_can_be_slowed_down(shop: Shop, retention: Command) -> None:
    for number in (1, 2):
        shop.person(number)
    plan = shop.approved_plan()
    for wrong in (("--rate", "0"), ("--pause", "-1")):
        assert retention("purge", plan.plan_id, *wrong).returncode == 2
    began = time.monotonic()
    done = retention.json(
        "purge", plan.plan_id, "--batch-items", "1", "--pause", "2", "--rate", "6"
    )
    assert done["purged"] == plan.items == 12
    assert done["batches"] == 2
    # Each batch of six rows is followed by a second for its rate, and by the pause.
    assert time.monotonic() - began >= 6


def test_holds_and_reviews(shop: Shop, retention: Command) -> None:
    shop.person(1)
    shop.judge("recording", 1, "review")
    shop.classify()
    typo = retention("hold", "add", "record", "shop.person:9", "--reason", "r", "--authority", "a")
    assert typo.returncode == 2
    assert "there is no such record" in typo.stderr
    placed = retention.json(
        "hold",
        "add",
        "table",
        "shop.mail",
        "--kind",
        "lock",
        "--until",
        "2099-12-31",
        "--reason",
        "r",
        "--authority",
        "a",
    )["blocker_id"]
    assert placed in retention("hold", "list").stdout
    law = ("--law", "foreldelsesloven § 14")
    assert retention("hold", "release", placed, *law).returncode == 2
    assert retention("hold", "release", placed, "--restart-r4", *law).returncode == 2
    assert retention("hold", "release", placed).returncode == 0
    assert retention("hold", "release", placed).returncode == 3
    assert retention.json("hold", "list") == []
    assert len(retention.json("hold", "list", "--all")) == 1

    assert "shop.recording" in retention("review", "list").stdout
    undecided = retention("review", "decide", "shop.recording", "1", "keep", "--reason", "r")
    assert undecided.returncode == 2
    kept = retention(
        "review", "decide", "shop.recording", "1", "keep", "--until", "2099-12-31", "--reason", "r"
    )
    assert kept.returncode == 0, kept.stderr


def test_orders_to_a_store_and_its_answers(shop: Shop, retention: Command, tmp_path: Path) -> None:
    for number in (1, 2):
        shop.person(number)
    shop.conn.execute("update shop.recording set object_url = 's3://lyd/' || id")
    plan = shop.approved_plan()
    assert retention("purge", plan.plan_id).returncode == 0
    listed = retention.json("orders", "list", "--open")
    assert [order["state"] for order in listed] == ["open", "open"]
    plain = retention("orders", "list")
    assert plain.returncode == 0
    assert "s3://" not in plain.stdout + json.dumps(listed)
    shown = retention.json("orders", "list", "--pointers", login=shop.approver)
    assert {order["object_pointer"] for order in shown} == {"s3://lyd/1", "s3://lyd/2"}

    exported = retention("orders", "export", "--store", "Shop")
    handed = [json.loads(line) for line in exported.stdout.splitlines()]
    assert {order["object_pointer"] for order in handed} == {"s3://lyd/1", "s3://lyd/2"}
    assert retention("orders", "export", "--store", "Another").stdout == ""
    answers = tmp_path / "answers.jsonl"
    answers.write_text(json.dumps({"order_id": handed[0]["order_id"], "reference": "slettet"}))
    assert retention.json("orders", "import", answers) == {"acknowledged": 1}
    told = retention("orders", "acknowledge", handed[1]["order_id"], "--reference", "T-17")
    assert told.stdout == "Acknowledged 1.\n"
    done = retention.json("orders", "list")
    assert {order["acknowledgement"] for order in done} == {"slettet", "T-17"}
    assert retention.json("orders", "list", "--open") == []

    answers.write_text('{"order_id": "x"}')
    for arguments, code in (
        (("orders", "import", answers), 2),
        (("orders", "import", tmp_path / "not there"), 2),
        (("orders", "acknowledge", UUID(int=0), "--reference", "T-17"), 2),
        (("orders", "acknowledge", handed[1]["order_id"], "--reference", " "), 2),
    ):
        failed = retention(*arguments)
        assert (failed.returncode, failed.stdout) == (code, ""), arguments
        assert failed.stderr.count("\n") == 1


def test_wrong_usage_is_one_line_and_changes_nothing(shop: Shop, retention: Command) -> None:
    shop.person(1)
    before = shop.rows()
    for arguments in (
        ("plan", "show", "no-uuid"),
        ("plan", "show", "00000000-0000-0000-0000-000000000000"),
        ("purge",),
        ("hold", "add", "nobody", "x", "--reason", "r", "--authority", "a"),
        ("hold", "confirm", str(uuid4()), "--until", "2026-13-01", "--reason", "r"),
        ("hold", "confirm", str(uuid4()), "--until", "2026-12-01", "--reason", "r"),
        ("hold", "add", "table", "shop.mail", "--reason", "r", "--authority", "a", "--until", "x"),
        ("review", "list"),
        ("purge", "no-uuid"),
    ):
        done = retention(*arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
    unclassified = retention("plan")
    assert unclassified.returncode == 2
    assert "nothing is classified" in unclassified.stderr
    made = retention("purge", "00000000-0000-0000-0000-000000000000")
    assert made.returncode == 3
    assert shop.rows() == before


def test_a_rejected_plan(shop: Shop, retention: Command) -> None:
    shop.person(1)
    shop.classify()
    plan_id = plans.create(shop.settings).plan_id
    rejected = retention.json("reject", plan_id, "--reason", "not now", login=shop.approver)
    assert rejected["state"] == "rejected"
    assert retention("reject", plan_id, "--reason", "again").returncode == 3


def test_a_database_that_goes_away_is_one_line(shop: Shop, retention: Command) -> None:
    gone = retention.environment | {}
    assert shop.settings.database_url is not None
    url = shop.settings.database_url.rsplit("/", 1)[0] + "/no_such_database"
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "plan"],
        env={
            **gone,
            "RETENTION_DATABASE_URL": url,
            "RETENTION_STATE_DIR": str(shop.settings.state),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
