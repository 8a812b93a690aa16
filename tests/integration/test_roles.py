"""Each role logs in and tries what it must not do, then does its own work.

Belongs here: what classifier, planner, approver, purger, compactor, auditor and reader may and may not, on
a small warehouse, and the whole way with a login for each. Does not belong here: the delete path's own
guards (test_delete_path.py), and the ledger's structure (test_ledger.py).
"""

import dataclasses
from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention import verify
from retention.errors import Refused
from retention.plan import approve, create, landing_rights, reject
from retention.purge import execute
from retention.returns import recognise
from retention.warehouse.connection import connect
from retention.warehouse.migrate import migrate
from tests.factories import Shop
from tests.logins import Logins

pytestmark = pytest.mark.integration

NOBODY = "00000000-0000-0000-0000-000000000000"

FREEZE = "select ledger.freeze_plan('[]', '{}', '{}', '{}', 'k', 0, 'c', 'ordinary')"
APPROVE = f"select ledger.approve_plan('{NOBODY}', 'x')"
BEGIN = f"select ledger.begin_execution('{NOBODY}', 'c', 'k')"
ENTER = f"select ledger.enter_plan('{NOBODY}', 'c', 'k', 1)"
CLASSIFY = "select ledger.begin_classification(current_date, 'x')"
DELETE = f"select ledger.delete_landing('{NOBODY}', 1, 1, 1, 9, 'shop', 'person')"
LOCK = "select ledger.lock_landing('{shop}', '{person}')"

#: What none of the roles may do to landing and to the evidence.
FOR_NOBODY = (
    "delete from shop.person",
    "update shop.person set name = null",
    "insert into shop.person (id) values (99)",
    "truncate shop.person",
    "lock table shop.person in share mode",
    "drop table shop.person",
    "insert into ledger.tombstones (token) values ('x')",
    "update ledger.tombstones set anchor_on = null",
    "delete from ledger.tombstones",
    "truncate ledger.tombstones",
    "insert into ledger.entries (kind) values ('approval')",
    "update ledger.entries set kind = 'x'",
    "delete from ledger.entries",
    "truncate ledger.entries",
    "insert into ledger.plans (state) values ('approved')",
    "update ledger.plans set state = 'approved'",
    "insert into ledger.plan_items (item_no) values (1)",
    "update ledger.plan_items set token = sha256('x')",
    "update ledger.plan_items set record_key = '2'",
    "delete from ledger.plan_items",
    "insert into ledger.plan_keys (source_table) values ('person')",
    "update ledger.plan_keys set columns = '{email}'",
    "update ledger.guards set blockers = 0",
    "update ledger.guards set records = '{}'",
    "insert into ledger.guards (guard_key) values ('x')",
    "delete from ledger.blockers",
    "update ledger.blockers set released_at = now()",
    "update ledger.halts set resumed_at = now()",
    "insert into ledger.keys (kind, key_id) values ('hmac', 'x')",
    "update ledger.keys set destroyed_at = now()",
    "delete from ledger.keys",
    "select ledger.append('approval', '{}')",
    "select ledger.refuse_guarded(null, 1, 2, 'shop', 'person')",
    "create function ledger.mine() returns int language sql return 1",
    "create table ledger.mine (id int)",
    "set role retention_owner",
)

FORBIDDEN = {
    "classifier": [
        FREEZE,
        APPROVE,
        BEGIN,
        ENTER,
        DELETE,
        LOCK,
        f"select ledger.reject_plan('{NOBODY}', 'r')",
        "select ledger.place_blocker('hold', 'table', 'shop.person', 'r', 'a')",
        "select ledger.decide_review('shop', 'person', '1', 'purge', 'r')",
        "select ledger.append_entry('batch', '{}')",
        "update ledger.plan_items set state = 'skipped'",
        "delete from ledger.subject_tokens",
        "delete from ledger.suppressions",
        "set role retention_purger",
    ],
    "planner": [
        APPROVE,
        BEGIN,
        ENTER,
        DELETE,
        LOCK,
        CLASSIFY,
        "select ledger.append_entry('batch', '{}')",
        "select ledger.assign_subject_tokens('intermediate.int_subjects')",
        "select ledger.amend_plan(null, 'shop', 'person', '1', 'review', 'r', null, '[]')",
        "update ledger.plan_items set state = 'skipped'",
        "delete from retention.records",
        "update retention.records set status = 'overdue'",
        "update policy.policy_settings set plan_valid_days = 999",
        "create schema mine",
        "delete from ledger.subject_tokens",
        "set role retention_approver",
    ],
    "approver": [
        FREEZE,
        BEGIN,
        ENTER,
        DELETE,
        LOCK,
        CLASSIFY,
        f"select ledger.approve_unattended('{NOBODY}')",
        "select ledger.append_entry('batch', '{}')",
        "update ledger.plan_items set state = 'skipped'",
        "delete from retention.records",
        "set role retention_planner",
    ],
    "purger": [
        FREEZE,
        APPROVE,
        CLASSIFY,
        "select ledger.finish_classification()",
        "select ledger.assign_subject_tokens('intermediate.int_subjects')",
        f"select ledger.approve_unattended('{NOBODY}')",
        f"select ledger.approve_controls('{NOBODY}')",
        f"select ledger.reject_plan('{NOBODY}', 'r')",
        "select ledger.record_controls(current_date, 'c', 'p', true, '[]')",
        "select ledger.release_blocker(null, null, null)",
        "select ledger.place_blocker('hold', 'table', 'shop.person', 'r', 'a')",
        "select ledger.decide_review('shop', 'person', '1', 'purge', 'r')",
        "update ledger.plan_items set state = 'purged', guard_keys = '{}'",
        "insert into ledger.returned_records (record_key) values ('1')",
        "insert into ledger.returns_looked_for (source_table) values ('person')",
        "insert into retention.records (record_key) values ('1')",
        "truncate retention.records",
        "create schema mine",
        "set role retention_planner",
        "set role retention_classifier",
    ],
    "compactor": [
        "select ledger.today()",
        "select * from ledger.entries",
        "select * from shop.person",
        "select * from retention.records",
        "select sletteplikt.utc_time('2020-01-01')",
        FREEZE,
        APPROVE,
        BEGIN,
        DELETE,
        LOCK,
        CLASSIFY,
        "create schema mine",
    ],
    "auditor": [
        "select * from shop.person",
        "select * from retention.records",
        "select * from staging.stg_shop__person",
        "select * from policy.policy_settings",
        "select * from ledger.plans",
        "select * from ledger.plan_items",
        "select * from ledger.entries",
        "select * from ledger.tombstones",
        "select * from ledger.blockers",
        "select * from ledger.subject_tokens",
        "select * from ledger.link_salt",
        "select * from ledger.deletion_orders",
        "select * from ledger.deletion_orders_shown",
        "select * from ledger.suppressions",
        "select * from ledger.hand_over_orders()",
        "select sletteplikt.link_hash('email', 'kari@shop.example')",
        "delete from ledger.audit_plans",
        "update ledger.audit_plans set state = 'approved'",
        "select ledger.halt('x')",
        "select ledger.append_entry('policy', '{}')",
        FREEZE,
        APPROVE,
        BEGIN,
        DELETE,
        CLASSIFY,
        "set role retention_reader",
    ],
    "reader": [FREEZE, APPROVE, BEGIN, DELETE, LOCK, CLASSIFY, "select ledger.halt('x')"],
    "examiner": [
        FREEZE,
        APPROVE,
        BEGIN,
        DELETE,
        LOCK,
        CLASSIFY,
        "select ledger.halt('x')",
        "select ledger.place_blocker('hold', 'table', 'shop.person', 'r', 'a')",
        "update ledger.plan_items set state = 'skipped'",
        "delete from retention.records",
        "create schema mine",
        "set role retention_purger",
        "set role retention_classifier",
    ],
    "rights_officer": [FREEZE, APPROVE, BEGIN, DELETE, LOCK, CLASSIFY, "select ledger.halt('x')"],
    "custodian": [FREEZE, APPROVE, BEGIN, DELETE, LOCK, CLASSIFY, "select ledger.halt('x')"],
}


@pytest.fixture
def classified(shop: Shop) -> Shop:
    """Person 1 is overdue, person 2 is not."""
    shop.person(1)
    shop.person(2, overdue=False)
    shop.classify()
    return shop


@pytest.mark.parametrize("role", FORBIDDEN)
def test_what_a_role_must_not_do(classified: Shop, logins: Logins, role: str) -> None:
    with connect(logins.of(role)) as conn:
        conn.rollback()
        for statement in (*FOR_NOBODY, *FORBIDDEN[role]):
            assert _is_denied(conn, statement), f"{role} may: {statement}"


def _is_denied(conn: psycopg.Connection[Any], statement: str) -> bool:
    try:
        conn.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return True
    finally:
        conn.rollback()
    return False


# --- what each may -----------------------------------------------------------------------------


def test_the_whole_way_with_a_login_for_each(shop: Shop, logins: Logins) -> None:
    shop.person(1)
    shop.person(2, overdue=False)
    landing_rights.grant(shop.settings, shop.declarations)
    classifier, planner = logins.of("classifier"), logins.of("planner")
    assert recognise(classifier, shop.declarations) == 0
    with connect(classifier) as conn:
        dataclasses.replace(shop, settings=classifier, conn=conn).classify()
    plan = create(planner)
    assert plan.items > 0
    assert not plan.waiting
    approved = approve(logins.of("approver"), plan.plan_id, plan.digest)
    assert approved.state == "approved"
    done = execute(logins.of("purger"), plan.plan_id, batch_items=2)
    assert done.purged == plan.items
    assert not done.skipped
    assert verify.read_back(logins.of("purger"), plan.plan_id).findings == ()
    assert shop.keys("person") == {"2"}
    said = shop.conn.execute(
        "select planned_by, approved_by, run_by from ledger.plans where plan_id = %s",
        (plan.plan_id,),
    ).fetchone()
    assert said == (logins.name("planner"), logins.name("approver"), logins.name("purger"))


def test_a_step_with_another_roles_login_says_which_role_it_needs(
    classified: Shop, logins: Logins
) -> None:
    with pytest.raises(Refused, match="grant retention_planner to it"):
        create(logins.of("purger"))
    plan = classified.approve(classified.plan())
    with pytest.raises(Refused, match="grant retention_purger to it"):
        execute(logins.of("planner"), plan.plan_id)
    with pytest.raises(Refused, match="grant retention_classifier to it"):
        recognise(logins.of("planner"), classified.declarations)
    assert classified.keys("person") == {"1", "2"}


def test_a_planner_does_not_approve_and_rejects_its_own_plans_only(
    classified: Shop, logins: Logins
) -> None:
    landing_rights.grant(classified.settings, classified.declarations)
    planner = logins.of("planner")
    mine = create(planner)
    with pytest.raises(Refused, match="the login lacks a right"):
        approve(planner, mine.plan_id, mine.digest)
    reject(planner, mine.plan_id, "a mistake")
    theirs = classified.plan()
    with pytest.raises(Refused, match="its planner and approvers may"):
        reject(planner, theirs.plan_id, "not mine")


def test_a_table_that_the_delete_path_may_not_write_to_waits_for_a_named_grant(
    classified: Shop, logins: Logins
) -> None:
    """The planner's login does not own landing, so nobody has handed it over yet."""
    planner = logins.of("planner")
    plan = create(planner)
    assert plan.state == "empty"
    assert any(
        "have its owner run: grant" in reason
        and 'grant select, update, delete on "shop"."contact" to "retention_owner"' in reason
        for reason in plan.waiting
    )
    for reason in plan.waiting:
        _, found, statements = reason.partition("have its owner run: ")
        if found:
            classified.conn.execute(statements.encode())
    classified.conn.commit()
    landing_rights.grant(classified.settings, classified.declarations)
    assert create(planner).state == "proposed"


def test_a_right_taken_away_after_the_plan_leaves_what_it_reaches_and_says_so(
    classified: Shop,
) -> None:
    """The rows of the table, and those that are judged by them, stay for the next plan."""
    plan = classified.approve(classified.plan())
    contacts = classified.keys("contact")
    classified.conn.execute("revoke delete on shop.contact from retention_owner")
    classified.conn.commit()
    execute(classified.settings, plan.plan_id)
    assert classified.keys("contact") == contacts
    assert classified.keys("person") == {"1", "2"}
    reasons = classified.conn.execute(
        "select distinct skip_reason from ledger.plan_items where plan_id = %s"
        " and source_table = 'contact'",
        (plan.plan_id,),
    ).fetchall()
    assert [
        reason
        for (reason,) in reasons
        if 'grant select, update, delete on "shop"."contact"' in reason
    ]


def test_models_belong_to_the_classifier_whoever_builds_them(classified: Shop) -> None:
    owners = classified.conn.execute(
        "select distinct pg_get_userbyid(c.relowner) from pg_class as c"
        " where c.relnamespace in ('staging'::regnamespace, 'intermediate'::regnamespace,"
        " 'retention'::regnamespace)"
    ).fetchall()
    assert owners == [("retention_classifier",)]


def test_the_classifier_may_not_build_where_the_database_is_closed_to_it(shop: Shop) -> None:
    """A grant on a database is lost with a dump; the next migration grants it again."""
    name = sql.Identifier(shop.conn.info.dbname)
    shop.conn.execute(
        sql.SQL("revoke create on database {} from retention_classifier").format(name)
    )
    shop.conn.commit()
    may = "select has_database_privilege('retention_classifier', current_database(), 'create')"
    assert shop.one(may) is False
    migrate(shop.conn)
    assert shop.one(may) is True


# --- the auditor -------------------------------------------------------------------------------


def test_an_auditor_sees_everything_but_values(classified: Shop, logins: Logins) -> None:
    classified.hold("subject", "shop.person:2", reason="Kari Nordmann klaget")
    plan = classified.approve(classified.plan())
    execute(classified.settings, plan.plan_id)
    hidden = {"record_key", "target", "reason", "reject_reason", "token", "subject_token"}
    hidden |= {"object_pointer", "case_id", "guard_keys", "blocked_by"}
    with connect(logins.of("auditor"), read_only=True) as conn:
        views = [
            row[0]
            for row in conn.execute(
                "select c.relname from pg_class as c where c.relnamespace = 'ledger'::regnamespace"
                " and has_table_privilege(c.oid, 'select') order by 1"
            ).fetchall()
        ]
        assert len(views) == 14
        seen: list[Any] = []
        for view in views:
            found = conn.execute(sql.SQL("select * from {}").format(sql.Identifier("ledger", view)))
            assert found.description is not None
            assert not hidden & {column.name for column in found.description}, view
            seen += found.fetchall()
        counted = conn.execute(
            "select sum(records) from ledger.audit_plan_counts where state = 'purged'"
        ).fetchone()
        assert counted == (plan.items,)
        assert conn.execute("select count(*) from ledger.audit_records").fetchone() != (0,)
        assert conn.execute("select count(*) from ledger.audit_population").fetchone() != (0,)
    text = str(seen)
    tokens = classified.conn.execute("select subject_token::text from ledger.subject_tokens")
    for canary in ("shop.example", "Navn", "Nordmann", "snakket", *(t for (t,) in tokens)):
        assert canary not in text


# --- the catalogue -----------------------------------------------------------------------------


def test_nobody_was_granted_truncate(classified: Shop) -> None:
    granted = classified.conn.execute(
        """
        select c.relnamespace::regnamespace::text || '.' || c.relname, pg_get_userbyid(acl.grantee)
        from pg_class as c cross join lateral aclexplode(c.relacl) as acl
        where acl.privilege_type = 'TRUNCATE' and acl.grantee <> c.relowner
        """
    ).fetchall()
    assert granted == []


def test_public_has_nothing(classified: Shop) -> None:
    open_to_all = classified.conn.execute(
        """
        with ours as (
            select oid from pg_namespace where nspname in
            ('ledger', 'sletteplikt', 'policy', 'staging', 'intermediate', 'retention')
        )
        select 'schema ' || n.nspname from pg_namespace as n
        cross join lateral aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as acl
        where n.oid in (select oid from ours) and acl.grantee = 0
        union all
        select c.relname from pg_class as c cross join lateral aclexplode(c.relacl) as acl
        where c.relnamespace in (select oid from ours) and acl.grantee = 0
        union all
        select p.proname from pg_proc as p
        cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
        where p.pronamespace in (select oid from ours) and acl.grantee = 0
        """
    ).fetchall()
    assert open_to_all == []


def test_every_function_fixes_its_search_path(classified: Shop) -> None:
    """Or is bound to what it calls when it is made: one SQL expression with `return`."""
    loose = classified.conn.execute(
        """
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace in ('ledger'::regnamespace, 'sletteplikt'::regnamespace)
        and not exists (select from unnest(p.proconfig) as c (setting) where setting like 'search_path=%')
        and p.prosqlbody is null
        """
    ).fetchall()
    assert loose == []
    definer = classified.conn.execute(
        "select p.proname from pg_proc as p where p.prosecdef"
        " and pg_get_userbyid(p.proowner) <> 'retention_owner'"
        " and p.pronamespace in ('ledger'::regnamespace, 'sletteplikt'::regnamespace)"
    ).fetchall()
    assert definer == []


def test_no_role_of_ours_logs_in_or_is_more_than_a_role(classified: Shop) -> None:
    strong = classified.conn.execute(
        "select rolname from pg_roles where rolname ~ '^retention_' and (rolcanlogin or rolsuper"
        " or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)"
    ).fetchall()
    assert strong == []
