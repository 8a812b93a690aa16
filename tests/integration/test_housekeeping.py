"""Traces in the ledger and in schemas of ours: first what must not go, then what does.

Belongs here: plans, tombstones, replays, the controls' database, the evidence and the findings. Does not
belong here: files (tests/unit/test_housekeeping_files.py) and Dagster's traces (test_housekeeping_job.py).
"""

import dataclasses
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention import halts, verify
from retention.controls.shadow import COMMENT
from retention.errors import Refused, UsageError
from retention.evidence import publish
from retention.housekeeping import standing
from retention.housekeeping.rules import Swept
from retention.housekeeping.sweep import record, sweep
from retention.plan import Plan, reject
from retention.policy import Policy, load_policy
from retention.purge import execute
from retention.report import deletion
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.factories import Shop, today
from tests.logins import Logins
from tests.policies import SHIPPED, approved_policy

pytestmark = pytest.mark.integration

POLICY = load_policy(SHIPPED)
KEPT = POLICY.own_records.traces

#: What is left of the declarations where every table with persons is given up.
NOTHING_GOVERNED = """
version: 2
sources:
  - name: shop
    schema: shop
    tables:
      - name: partner
        config: {meta: {retention: {
          exempt: {reason: Companies and no persons, owner: data@shop.example, review_on: 2027-01-01}}}}
"""

#: What removes from the ledger, and then what only writes down.
REMOVALS = (
    "select ledger.close_expired_plans()",
    "select ledger.forget_plan_items('2020-01-01')",
    "select ledger.forget_tombstones('2020-01-01')",
    "select ledger.note_tables_gone('{}')",
    "select ledger.record_housekeeping('{}', '{}')",
)


def kept_house(settings: Settings, *, dry_run: bool = False) -> dict[str, Swept]:
    return {one.kind: one for one in sweep(settings, dry_run=dry_run)}


def norwegian_days(conn: psycopg.Connection[Any]) -> None:
    """Until the commit a day is one of Norway's: in winter, an hour before midnight, so many days of
    another zone ago may be a day less."""
    conn.execute("set local time zone 'Europe/Oslo'")


def ended_long_ago(shop: Shop, plan: Plan, days: int = KEPT.plans.value + 1) -> None:
    """As if everything about the plan had happened that many days ago."""
    norwegian_days(shop.conn)
    shop.conn.execute(
        "update ledger.plans set planned_at = planned_at - %(d)s * interval '1 day',"
        " rejected_at = rejected_at - %(d)s * interval '1 day',"
        " executed_at = executed_at - %(d)s * interval '1 day',"
        " expires_on = ledger.today() - %(d)s::integer where plan_id = %(plan)s",
        {"d": days, "plan": plan.plan_id},
    )
    shop.conn.commit()


def items(shop: Shop, plan: Plan) -> int:
    found: int = shop.one("select count(*) from ledger.plan_items where plan_id = %s", plan.plan_id)
    return found


def keys(shop: Shop, plan: Plan) -> int:
    found: int = shop.one(
        "select count(*) from ledger.plan_items where plan_id = %s and (record_key is not null"
        " or case_id is not null or subject_token is not null or guard_keys <> '{}')",
        plan.plan_id,
    )
    return found


def evidence(shop: Shop) -> list[Any]:
    rows = shop.conn.execute(
        "select entry_id, kind, body, leaf_hash from ledger.entries order by entry_id"
    ).fetchall()
    shop.conn.commit()
    return rows


def overdue_plan(shop: Shop) -> Plan:
    shop.person(1)
    shop.person(2)
    shop.classify()
    return shop.plan()


# --- plans: what must not go -------------------------------------------------------------------


def test_a_plan_that_may_still_be_carried_out_keeps_everything(shop: Shop) -> None:
    """Also on the last day on which it may, and however old it is by then."""
    plan = shop.approve(overdue_plan(shop))
    ended_long_ago(shop, plan, 0)
    shop.conn.execute("update ledger.plans set planned_at = '2020-01-01'")
    shop.conn.commit()
    before = items(shop, plan)
    swept = kept_house(shop.settings)
    assert (swept["expired_plans"].due, swept["plan_items"].due) == (0, 0)
    assert shop.one("select state from ledger.plans") == "approved"
    assert keys(shop, plan) == items(shop, plan) == before > 0
    assert execute(shop.settings, plan.plan_id).purged == before


def test_a_plan_that_an_executor_carries_out_is_left_to_it(shop: Shop) -> None:
    plan = shop.approve(overdue_plan(shop))
    shop.conn.execute(
        "update ledger.plans set state = 'executing', started_at = now(),"
        " expires_on = ledger.today() - 1"
    )
    shop.conn.commit()
    with connect(shop.settings, autocommit=True) as executor:
        executor.execute("select pg_advisory_lock_shared(ledger.executor_lock())")
        assert kept_house(shop.settings)["expired_plans"].due == 0
        assert keys(shop, plan) > 0
    assert kept_house(shop.settings)["expired_plans"].removed == 1
    assert shop.one("select state from ledger.plans") == "executed"
    assert keys(shop, plan) == 0


def test_what_ended_lately_keeps_its_items(shop: Shop) -> None:
    plan = overdue_plan(shop)
    reject(shop.approver, plan.plan_id, "not now")
    before = items(shop, plan)
    ended_long_ago(shop, plan, KEPT.plans.value)
    assert kept_house(shop.settings)["plan_items"].due == 0
    assert items(shop, plan) == before > 0


def test_what_was_purged_stays_with_its_tombstones_and_its_report(shop: Shop) -> None:
    """However long ago: only what was skipped goes, and nothing that is proven by it changes."""
    plan = shop.approve(overdue_plan(shop))
    shop.hold("subject", "shop.person:2")
    execute(shop.settings, plan.plan_id)
    ended_long_ago(shop, plan)
    report, outcome = deletion.build(shop.settings, plan.plan_id), shop.outcome(plan)
    tombstones = shop.one("select count(*) from ledger.tombstones")
    swept = kept_house(shop.settings)
    skipped = sum(outcome.values()) - outcome["purged"]
    assert swept["plan_items"].removed == swept["plan_items"].due == skipped > 0
    assert swept["tombstones"].due == 0
    assert shop.outcome(plan) == {"purged": outcome["purged"]}
    assert shop.one("select count(*) from ledger.tombstones") == tombstones == outcome["purged"]
    assert deletion.build(shop.settings, plan.plan_id) == report
    assert verify.read_back(shop.settings, plan.plan_id).findings == ()


def test_what_an_order_names_stays_since_the_report_counts_orders_by_it(shop: Shop) -> None:
    shop.person(1)
    shop.person(2)
    shop.add("recording", id=77, person_id=2, object_url="https://store.example/77")
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    ended_long_ago(shop, plan)
    shop.conn.execute("update ledger.deletion_orders set ordered_at = '2020-01-01'")
    shop.conn.commit()
    report = deletion.build(shop.settings, plan.plan_id)
    assert report["orders"]["stores"][0]["issued"] == 1
    held = sum(shop.outcome(plan).values())
    gone = kept_house(shop.settings)["plan_items"].removed
    assert gone > 0
    assert sum(shop.outcome(plan).values()) == held - gone
    assert deletion.build(shop.settings, plan.plan_id) == report


def test_no_day_that_has_not_come_lets_anything_go(shop: Shop) -> None:
    """The functions themselves refuse a day that would make today's traces due."""
    plan = overdue_plan(shop)
    reject(shop.approver, plan.plan_id, "not now")
    before = items(shop, plan)
    for day in (today(shop.conn), today(shop.conn) + timedelta(days=400)):
        assert shop.one("select ledger.forget_plan_items(%s)", day) == 0
        assert shop.one("select ledger.forget_tombstones(%s)", day) == 0
    assert items(shop, plan) == before


def test_nothing_is_removed_while_everything_that_deletes_is_halted(
    shop: Shop,
) -> None:
    plan = overdue_plan(shop)
    reject(shop.approver, plan.plan_id, "not now")
    ended_long_ago(shop, plan)
    before, report = items(shop, plan), shop.settings.state / "reports" / "2020-01-01"
    report.mkdir(parents=True)
    (report / "retention-report.en.html").write_text("x")
    os.utime(report / "retention-report.en.html", (0, 0))
    halts.halt(shop.settings, "the deadlines look wrong")
    with pytest.raises(Refused, match=r"halted by .*: the deadlines look wrong"):
        kept_house(shop.settings)
    for removal in REMOVALS[:3]:
        with pytest.raises(psycopg.DatabaseError, match="halted by") as refused:
            shop.conn.execute(removal.encode())
        assert refused.value.sqlstate == "SL003"
        shop.conn.rollback()
    assert items(shop, plan) == before
    assert (report / "retention-report.en.html").exists()
    assert kept_house(shop.settings, dry_run=True)["plan_items"].due == before


def test_nothing_is_removed_from_the_ledger_while_a_batch_is_going(shop: Shop) -> None:
    plan = overdue_plan(shop)
    reject(shop.approver, plan.plan_id, "not now")
    ended_long_ago(shop, plan)
    before = items(shop, plan)
    with connect(shop.settings) as batch:
        batch.execute("select pg_advisory_xact_lock(ledger.purge_lock())")
        with pytest.raises(Refused, match="going on"):
            kept_house(shop.settings)
    assert items(shop, plan) == before


def test_a_log_in_use_is_set_aside_by_a_real_run_only(shop: Shop) -> None:
    log = shop.settings.state / "dagster" / "services" / "daemon.log"
    log.parent.mkdir(parents=True)
    log.write_text("a line\n")
    kept_house(shop.settings, dry_run=True)
    assert log.read_text() == "a line\n"
    kept_house(shop.settings)
    assert log.read_text() == ""
    (aside,) = log.parent.glob("daemon.log.*")
    assert aside.read_text() == "a line\n"


# --- plans: what goes ----------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["rejected", "superseded", "expired"])
def test_items_of_plans_that_nobody_carried_out_go(shop: Shop, state: str) -> None:
    plan = overdue_plan(shop)
    shop.person(3)
    shop.classify()
    other = shop.plan()  # supersedes the first
    if state == "rejected":
        reject(shop.approver, other.plan_id, "not now")
        plan, other = other, plan
    ended_long_ago(shop, plan)
    before, held = evidence(shop), items(shop, plan)
    if state == "expired":
        shop.conn.execute(
            "update ledger.plans set state = 'expired' where plan_id = %s", (plan.plan_id,)
        )
        shop.conn.commit()
    assert shop.one("select state from ledger.plans where plan_id = %s", plan.plan_id) == state
    assert kept_house(shop.settings, dry_run=True)["plan_items"].due == held > 0
    assert items(shop, plan) == held
    assert kept_house(shop.settings)["plan_items"].removed == held
    assert items(shop, plan) == 0
    assert items(shop, other) > 0
    assert evidence(shop)[: len(before)] == before


def test_plans_past_their_day_lose_their_keys_without_a_new_plan(shop: Shop) -> None:
    plan = overdue_plan(shop)
    shop.conn.execute("update ledger.plans set expires_on = ledger.today()")
    shop.conn.commit()
    assert kept_house(shop.settings)["expired_plans"].due == 0
    shop.conn.execute("update ledger.plans set expires_on = ledger.today() - 1")
    shop.conn.commit()
    assert keys(shop, plan) > 0
    assert kept_house(shop.settings)["expired_plans"].removed == 1
    assert shop.one("select state from ledger.plans") == "expired"
    assert keys(shop, plan) == 0
    assert shop.one("select count(*) from ledger.entries where kind = 'plan_closed'") == 1


# --- tombstones ------------------------------------------------------------------------------------


@pytest.fixture
def given_up(shop: Shop, tmp_path: Path) -> tuple[Shop, Plan, Settings]:
    """A plan that was purged, from tables that are neither there nor declared any more; and settings with
    that and with an approved policy."""
    plan = shop.approve(overdue_plan(shop))
    execute(shop.settings, plan.plan_id)
    deletion.write(shop.settings, plan.plan_id)
    shop.conn.execute("drop schema shop cascade")
    shop.conn.commit()
    folder = tmp_path / "given-up"
    folder.mkdir()
    (folder / "_shop__sources.yml").write_text(NOTHING_GOVERNED)
    approved_policy(tmp_path / "policy")
    settings = dataclasses.replace(
        shop.settings, declarations_dir=folder, policy_dir=tmp_path / "policy"
    )
    return shop, plan, settings


def gone_since(shop: Shop, months: int, days: int, table: str = "%") -> None:
    shop.conn.execute(
        "update ledger.tables_gone set gone_on = ledger.today()"
        " - make_interval(months => %s, days => %s) where source_table like %s",
        (months, days, table),
    )
    shop.conn.commit()


def test_tombstones_stay_while_the_table_is_there_or_declared(shop: Shop, tmp_path: Path) -> None:
    """A load can bring the record back, however long ago it was purged."""
    plan = shop.approve(overdue_plan(shop))
    execute(shop.settings, plan.plan_id)
    ended_long_ago(shop, plan, 3000)
    approved_policy(tmp_path / "policy")
    settings = dataclasses.replace(shop.settings, policy_dir=tmp_path / "policy")
    assert kept_house(settings)["tombstones"].due == 0
    shop.conn.execute("drop table shop.person, shop.lead, shop.contact, shop.mail, shop.visit")
    shop.conn.commit()
    # Declared still: a sync that lost its tables may begin anew.
    assert kept_house(settings)["tombstones"].due == 0
    assert shop.one("select count(*) from ledger.tables_gone") == 0
    assert shop.one("select count(*) from ledger.tombstones") == plan.items


def test_tombstones_stay_for_the_backups_horizon_after_their_tables_went(
    given_up: tuple[Shop, Plan, Settings],
) -> None:
    shop, plan, settings = given_up
    assert kept_house(settings)["tombstones"].due == 0
    gone_since(shop, 3, 0)
    assert kept_house(settings)["tombstones"].due == 0
    # One table that is gone for a shorter time keeps the whole plan: its batches are proven together.
    gone_since(shop, 3, 1)
    gone_since(shop, 2, 0, "lead")
    assert kept_house(settings)["tombstones"].due == 0
    assert shop.one("select count(*) from ledger.tombstones") == plan.items


def test_tombstones_go_when_nothing_can_bring_their_records_back(
    given_up: tuple[Shop, Plan, Settings],
) -> None:
    shop, plan, settings = given_up
    kept_house(settings)
    gone_since(shop, 3, 1)
    before = evidence(shop)
    assert kept_house(settings, dry_run=True)["tombstones"].due == plan.items
    assert shop.one("select count(*) from ledger.tombstones") == plan.items
    swept = kept_house(settings)
    assert swept["tombstones"].removed == plan.items
    assert swept["deletion_reports"].removed == 1
    assert shop.one("select count(*) from ledger.tombstones") == 0
    assert items(shop, plan) == 0
    assert evidence(shop)[: len(before)] == before
    assert list((settings.state / "reports").glob("deletion-*")) == []
    # The evidence is whole, and says so: nothing contradicts it.
    assert verify.read_back(settings, plan.plan_id).findings == ()
    with pytest.raises(UsageError, match="tokens are forgotten"):
        deletion.build(settings, plan.plan_id)


def test_a_table_that_returns_keeps_its_tombstones(given_up: tuple[Shop, Plan, Settings]) -> None:
    shop, plan, settings = given_up
    kept_house(settings)
    gone_since(shop, 4, 0)
    shop.conn.execute("create schema shop; create table shop.person (id bigint primary key)")
    shop.conn.commit()
    assert shop.one("select count(*) from ledger.plans_beyond_return(ledger.today() - 1)") == 0
    assert kept_house(settings)["tombstones"].due == 0
    shop.conn.execute("drop table shop.person")
    shop.conn.commit()
    # Gone again: from now on, and not since it went the first time.
    assert kept_house(settings)["tombstones"].due == 0
    assert shop.one("select count(*) from ledger.tombstones") == plan.items


def test_no_tombstone_goes_under_a_policy_that_nobody_approved(
    given_up: tuple[Shop, Plan, Settings],
) -> None:
    shop, plan, settings = given_up
    kept_house(settings)
    gone_since(shop, 9, 0)
    example = dataclasses.replace(settings, policy_dir=SHIPPED.parent)
    assert kept_house(example)["tombstones"].due == 0
    assert shop.one("select count(*) from ledger.tombstones") == plan.items


# --- exported deltas -----------------------------------------------------------------------------


def exported_ago(shop: Shop, months: int, days: int) -> None:
    """As if every checkpoint so far had been exported then."""
    shop.conn.execute("alter table ledger.checkpoints disable trigger user")
    shop.conn.execute(
        "update ledger.checkpoints set exported_at = ((ledger.today() - make_interval(months => %s,"
        " days => %s)) + time '12:00') at time zone 'Europe/Oslo'",
        (months, days),
    )
    shop.conn.commit()


def exported(settings: Settings, kind: str) -> int:
    return len(list((settings.state / "checkpoints" / kind).iterdir()))


def test_deltas_stay_while_a_backup_may_need_them(shop: Shop, tmp_path: Path) -> None:
    overdue_plan(shop)
    publish(shop.settings)
    exported_ago(shop, 3, 0)
    approved_policy(tmp_path / "policy")
    settings = dataclasses.replace(shop.settings, policy_dir=tmp_path / "policy")
    assert kept_house(settings)["deltas"].due == 0
    exported_ago(shop, 9, 0)
    assert kept_house(shop.settings)["deltas"].due == 0, "nobody approved how long backups live"
    assert exported(settings, "deltas") == 1


def test_deltas_go_when_no_backup_needs_them(shop: Shop, tmp_path: Path) -> None:
    overdue_plan(shop)
    publish(shop.settings)
    exported_ago(shop, 3, 1)
    approved_policy(tmp_path / "policy")
    settings = dataclasses.replace(shop.settings, policy_dir=tmp_path / "policy")
    assert kept_house(settings, dry_run=True)["deltas"].due == 1
    assert exported(settings, "deltas") == 1
    assert kept_house(settings)["deltas"].removed == 1
    assert exported(settings, "deltas") == 0
    assert exported(settings, "checkpoints") == 1, "what anybody checks stays"
    assert kept_house(settings)["deltas"].due == 0


# --- replays -------------------------------------------------------------------------------------


OLD, YOUNG = "_as_of_20240101", "_as_of_20240202"
LAYERS = ("policy", "staging", "intermediate", "retention")


@pytest.fixture
def replays(conn: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Two replays, built by the classifier: one on the last day that is kept, one a day before."""
    conn.execute("set role retention_classifier")
    for suffix in (OLD, YOUNG):
        for layer in LAYERS:
            conn.execute(
                sql.SQL(
                    "create schema {0}; create table {0}.facts (id bigint generated always as identity)"
                ).format(sql.Identifier(f"{layer}{suffix}"))
            )
        conn.execute(
            sql.SQL("create view {} as select * from {}").format(
                sql.Identifier(f"retention{suffix}", "seen"),
                sql.Identifier(f"intermediate{suffix}", "facts"),
            )
        )
        conn.execute("select ledger.note_replay(%s)", (suffix,))
    conn.execute("reset role")
    norwegian_days(conn)
    for suffix, days in ((OLD, KEPT.replays.value + 1), (YOUNG, KEPT.replays.value)):
        conn.execute(
            "update ledger.replays set made_at = now() - %s * interval '1 day' where suffix = %s",
            (days, suffix),
        )
    conn.commit()
    return conn


def schemas(conn: psycopg.Connection[Any]) -> set[str]:
    rows = conn.execute("select nspname from pg_namespace where nspname !~ '^pg_'").fetchall()
    conn.commit()
    return {name for (name,) in rows}


def test_replays_go_after_their_days_and_nothing_else(
    replays: psycopg.Connection[Any], settings: Settings
) -> None:
    replays.execute("create schema sales_as_of_20240101; create schema mine_as_of_2024")
    replays.commit()
    before = schemas(replays)
    assert kept_house(settings, dry_run=True)["replays"].due == 1
    assert schemas(replays) == before
    assert kept_house(settings)["replays"].removed == 1
    assert before - schemas(replays) == {f"{layer}{OLD}" for layer in LAYERS}
    assert replays.execute("select suffix from ledger.replays").fetchall() == [(YOUNG,)]


def test_a_replay_that_is_built_again_is_young_again(
    replays: psycopg.Connection[Any], settings: Settings
) -> None:
    replays.execute("select ledger.note_replay(%s)", (OLD,))
    replays.commit()
    assert kept_house(settings)["replays"].due == 0


def test_a_replay_that_nobody_noted_counts_from_the_day_it_is_seen(
    replays: psycopg.Connection[Any], settings: Settings
) -> None:
    replays.execute("delete from ledger.replays")
    replays.commit()
    assert kept_house(settings)["replays"].due == 0
    seen = replays.execute("select suffix from ledger.replays order by 1").fetchall()
    assert seen == [(OLD,), (YOUNG,)]
    assert {f"retention{OLD}", f"retention{YOUNG}"} <= schemas(replays)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (f"create view public.mine as select * from retention{OLD}.facts", "depends on it"),
        (f"create table retention{OLD}.mine (id int)", "belongs to somebody else"),
        (
            f"create function retention{OLD}.mine() returns int language sql return 1",
            "lies in it",
        ),
    ],
    ids=["a view on it", "a table in it", "a function in it"],
)
def test_what_somebody_built_on_a_replay_keeps_it_whole(
    replays: psycopg.Connection[Any], settings: Settings, statement: str, why: str
) -> None:
    replays.execute(statement.encode())
    replays.commit()
    before = schemas(replays)
    (reason,) = kept_house(settings)["replays"].stayed
    assert OLD in reason
    assert why in reason
    assert schemas(replays) == before
    for layer in LAYERS:
        found = replays.execute("select to_regclass(%s) is not null", (f"{layer}{OLD}.facts",))
        assert found.fetchone() == (True,)
    assert replays.execute("select count(*) from ledger.replays").fetchone() == (2,)


def test_a_replay_that_somebody_reads_stays(
    replays: psycopg.Connection[Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.housekeeping.schemas._PATIENCE", "50ms")
    replays.execute(f"select * from retention{OLD}.facts".encode())
    (reason,) = kept_house(settings)["replays"].stayed
    assert "reading" in reason
    replays.commit()
    assert f"retention{OLD}" in schemas(replays)


# --- the controls' database ------------------------------------------------------------------------


@pytest.fixture
def controls(server: Server, database: str) -> Iterator[str]:
    """A database with the controls' name, as a run that was killed leaves it; without its comment yet."""
    name = server.create(template=None, name=f"{database}_controls")
    yield name
    server.drop(name)


def is_there(server: Server, name: str) -> bool:
    with server.admin() as admin:
        found = admin.execute("select from pg_database where datname = %s", (name,)).fetchone()
    return found is not None


def test_a_database_that_is_not_the_controls_stays(
    server: Server, controls: str, settings: Settings
) -> None:
    assert kept_house(settings)["control_databases"].due == 0
    with server.admin() as admin:
        admin.execute(sql.SQL("comment on database {} is 'mine'").format(sql.Identifier(controls)))
    assert kept_house(settings)["control_databases"].due == 0
    assert is_there(server, controls)


def test_the_controls_database_goes_when_no_run_of_them_is_going(
    server: Server, controls: str, settings: Settings
) -> None:
    with server.admin() as admin:
        admin.execute(
            sql.SQL("comment on database {} is {}").format(
                sql.Identifier(controls), sql.Literal(COMMENT)
            )
        )
    with connect(settings, autocommit=True) as running:
        running.execute("select pg_advisory_lock(1373142532)")
        assert kept_house(settings)["control_databases"].due == 0
    assert is_there(server, controls)
    assert kept_house(settings, dry_run=True)["control_databases"].due == 1
    assert is_there(server, controls)
    assert kept_house(settings)["control_databases"].removed == 1
    assert not is_there(server, controls)


# --- evidence, rights, findings ------------------------------------------------------------------


def test_the_evidence_is_counts_alone(settings: Settings, conn: psycopg.Connection[Any]) -> None:
    swept = [Swept("replays", "30 days", 3, 2, ("replay x: mine",)), Swept("logs", "a month", 1, 1)]
    record(settings, swept)
    row = conn.execute(
        "select body::jsonb -> 'removed', body::jsonb -> 'remaining', body from ledger.entries"
        " where kind = 'housekeeping'"
    ).fetchone()
    assert row is not None
    assert row[:2] == ({"replays": 2, "logs": 1}, {"replays": 1})
    assert "mine" not in row[2]
    for removed in ('{"replays": "kari@shop.example"}', '{"kari@shop.example": 1}'):
        with pytest.raises(psycopg.DatabaseError, match="counts") as refused:
            conn.execute("select ledger.record_housekeeping(%s, '{}')", (removed,))
        assert refused.value.sqlstate == "SL002"
        conn.rollback()


TABLES = (
    "delete from ledger.replays",
    "update ledger.tables_gone set gone_on = '2000-01-01'",
    "insert into ledger.tables_gone values ('shop', 'person', '2000-01-01')",
    "update ledger.plans set tokens_forgotten_at = now()",
)


@pytest.mark.parametrize(
    "role", ["classifier", "planner", "approver", "auditor", "reader", "compactor"]
)
def test_only_the_purger_removes_from_the_ledger(shop: Shop, logins: Logins, role: str) -> None:
    with connect(logins.of(role)) as conn:
        for statement in (*REMOVALS, *TABLES):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
            conn.rollback()


def test_the_purger_removes_through_functions_alone(shop: Shop, logins: Logins) -> None:
    with connect(logins.of("purger")) as conn:
        for statement in REMOVALS:
            conn.execute(statement.encode())
        conn.commit()
        for statement in (*TABLES, "select ledger.note_replay('_as_of_20240101')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
            conn.rollback()
    with pytest.raises(Refused, match="grant retention_purger to it"):
        sweep(logins.of("planner"))


def test_a_dry_run_writes_nothing(shop: Shop, logins: Logins) -> None:
    plan = overdue_plan(shop)
    shop.conn.execute("update ledger.plans set expires_on = ledger.today() - 1")
    shop.conn.commit()
    before = evidence(shop)
    # With a login that may only read.
    assert kept_house(logins.of("reader"), dry_run=True)["expired_plans"].due == 1
    assert keys(shop, plan) > 0
    assert evidence(shop) == before


def found(shop: Shop, policy: Policy = POLICY) -> dict[str, str]:
    with connect(shop.settings, role="retention_reader", read_only=True) as conn:
        return {one.kind: one.message for one in standing.findings(conn, shop.settings, policy)}


def test_that_house_is_not_kept_is_a_finding_after_the_days_of_patience(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    patience = POLICY.operations.housekeeping_patience_days.value
    age = "update ledger.classifications set started_at = now() - %s * interval '1 day'"
    shop.conn.execute(age, (patience,))
    shop.conn.commit()
    assert found(shop) == {}
    shop.conn.execute(age, (patience + 1,))
    shop.conn.commit()
    assert set(found(shop)) == {"housekeeping_stale"}
    record(shop.settings, sweep(shop.settings))
    assert found(shop) == {}


def test_traces_older_than_their_rule_and_the_grace_are_a_finding(shop: Shop) -> None:
    plan = overdue_plan(shop)
    reject(shop.approver, plan.plan_id, "not now")
    days = KEPT.plans.value + POLICY.operations.grace_days.value
    ended_long_ago(shop, plan, days)
    assert found(shop) == {}
    ended_long_ago(shop, plan, days + 1)
    assert f"plan_items: {items(shop, plan)} older" in found(shop)["traces_overdue"]
    sweep(shop.settings)
    assert found(shop) == {}
