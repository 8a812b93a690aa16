"""The ledger's own promises: canonical, append-only, least privilege, no search path to fool.

Belongs here: schema `ledger` as the migrations make it. Does not belong here: plans and purges.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from retention.errors import Refused
from retention.ledger import classifications, entries
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server

pytestmark = pytest.mark.integration

Connection = psycopg.Connection[Any]

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
KEYS = st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=1)
BODIES = st.dictionaries(
    KEYS,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**14), 10**14) | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=6,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=BODIES)
def test_bodies_are_canonical_as_the_rfc_says(conn: Connection, body: dict[str, Any]) -> None:
    """Against an implementation that is not ours."""
    row = conn.execute("select ledger.canonical_json(%s)", (Jsonb(body),)).fetchone()
    assert row is not None
    assert row[0].encode() == rfc8785.dumps(body)


@pytest.mark.parametrize("body", [{"a": 1.5}, {"a": 10**20}, {"ø": 1}, {"a": {"æ": 1}}])
def test_what_others_would_write_otherwise_is_refused(
    conn: Connection, body: dict[str, Any]
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        conn.execute("select ledger.canonical_json(%s)", (Jsonb(body),))
    assert caught.value.sqlstate == "SL002"


def test_a_leaf_hash_is_the_rfcs(conn: Connection) -> None:
    number = entries.append(conn, "check", {"b": 1, "a": "ø"})
    row = conn.execute(
        "select body, leaf_hash from ledger.entries where entry_id = %s", (number,)
    ).fetchone()
    assert row is not None
    said = json.loads(row[0])
    assert row[0].encode() == rfc8785.dumps(said)
    assert said == {"a": "ø", "b": 1, "entry": "check", "at": said["at"]}
    assert bytes(row[1]) == hashlib.sha256(b"\0" + row[0].encode()).digest()


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger.entries set kind = 'other'",
        "delete from ledger.entries",
        "truncate ledger.entries cascade",
        "update ledger.entries set body = '{}' where false",
    ],
)
def test_evidence_is_never_changed_not_even_by_a_superuser(
    conn: Connection, statement: str
) -> None:
    entries.append(conn, "check", {"a": 1})
    with pytest.raises(psycopg.Error, match="append-only"):
        conn.execute(statement)


def test_evidence_that_does_not_match_its_hash_cannot_be_written(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(
            "insert into ledger.entries (kind, body, leaf_hash) values ('x', '{}', sha256('y'))"
        )


@pytest.mark.parametrize("kind", ["plan", "approval", "blocker_placed", "executed", "plan_closed"])
def test_evidence_of_a_decision_is_written_only_with_the_decision(
    conn: Connection, kind: str
) -> None:
    with pytest.raises(Refused), safe_errors("forging"):
        entries.append(conn, kind, {"plan_id": "x"})


# --- roles -------------------------------------------------------------------------------------


@pytest.fixture
def logins(server: Server, database: str, conn: Connection) -> Iterator[dict[str, Connection]]:
    """A login that is a member of each role and of nothing else, connected."""
    opened: dict[str, Connection] = {}
    made = []
    for role in ("reader", "approver", "purger", "none"):
        name = f"{database}_{role}"
        conn.execute(sql.SQL("create role {} login password 'secret'").format(sql.Identifier(name)))
        made.append(name)
        if role != "none":
            conn.execute(
                sql.SQL("grant {} to {}").format(
                    sql.Identifier(f"retention_{role}"), sql.Identifier(name)
                )
            )
    conn.commit()
    for role, name in zip(("reader", "approver", "purger", "none"), made, strict=True):
        parts = psycopg.conninfo.conninfo_to_dict(server.url(database))
        opened[role] = psycopg.connect(**{**parts, "user": name, "password": "secret"})  # type: ignore[arg-type]
    yield opened
    for one in opened.values():
        one.close()
    conn.rollback()
    for name in made:
        conn.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
    conn.commit()


FORBIDDEN = {
    "none": [
        "select * from ledger.entries",
        "select ledger.today()",
        "select ledger.append_entry('check', '{}')",
    ],
    "reader": [
        "insert into ledger.blockers (kind) values ('hold')",
        "select ledger.place_blocker('hold', 'table', 'a.b', 'r', 'a')",
        "select ledger.confirm_blocker(gen_random_uuid(), current_date, 'r')",
        "select ledger.release_blocker(gen_random_uuid(), 'a law', current_date)",
        "select ledger.approve_plan(gen_random_uuid(), 'x')",
        "select ledger.append_entry('check', '{}')",
        "select ledger.begin_classification(current_date, 'x')",
        "select * from ledger.hand_over_orders()",
        "select ledger.acknowledge_orders('{}', '{}')",
        "select ledger.halt('x')",
        "select ledger.resume('x')",
    ],
    "approver": [
        "update ledger.plans set state = 'approved'",
        "insert into ledger.plans (state) values ('approved')",
        "delete from ledger.blockers",
        "delete from ledger.plan_items",
        "select ledger.freeze_plan('[]', '{}', '{}', '{}', 'k', 0, 'c', 'ordinary')",
        "select ledger.append_entry('batch', '{}')",
        "select ledger.append('approval', '{}')",
        "select ledger.begin_execution(gen_random_uuid(), 'c', 'k')",
        "select ledger.enter_plan(gen_random_uuid(), 'c', 'k', 1)",
        "update ledger.halts set resumed_at = now()",
        "delete from ledger.tombstones",
        "update ledger.guards set blockers = 0",
        "select object_pointer from ledger.deletion_orders",
        "select ledger.erase_orders_of_batch(gen_random_uuid(), 1)",
        "insert into ledger.assignment_restarts (assignment_id) values ('a')",
        "delete from ledger.assignment_restarts",
    ],
    "purger": [
        "update ledger.plans set state = 'approved'",
        "insert into ledger.plans (state) values ('approved')",
        "update ledger.plan_items set token = sha256('x')",
        "insert into ledger.plan_items (plan_id) values (gen_random_uuid())",
        "select ledger.approve_plan(gen_random_uuid(), 'x')",
        "select ledger.append('approval', '{}')",
        "insert into ledger.entries (kind) values ('approval')",
        "delete from ledger.entries",
        "delete from ledger.blockers",
        "update ledger.blockers set released_at = now()",
        "delete from ledger.tombstones",
        "update ledger.tombstones set anchor_on = null",
        "truncate ledger.tombstones",
        "update ledger.plans set fence = 9",
        "delete from ledger.halts",
        "select ledger.close_plan(gen_random_uuid(), 'rejected', 'planned', 'withdrawn')",
        "select ledger.lift_guard(null)",
        "update ledger.deletion_orders set acknowledged_by = 'x'",
        "insert into ledger.deletion_orders (acknowledged_by) values ('x')",
        "delete from ledger.deletion_orders",
        "select ledger.erase_orders('{}', null, 'x')",
        "select ledger.guard_candidates(gen_random_uuid())",
        "select ledger.restart_assignments(null, 'a law', current_date)",
        "insert into ledger.assignment_restarts (assignment_id) values ('a')",
        "update ledger.assignment_restarts set restarted_on = current_date",
        "update ledger.blocker_confirmations set reason = 'r'",
    ],
}


def test_each_role_can_do_its_own_and_nothing_more(logins: dict[str, Connection]) -> None:
    for role, statements in FORBIDDEN.items():
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                logins[role].execute(statement)
            logins[role].rollback()
    for role in ("reader", "purger"):
        logins[role].execute("select count(*) from ledger.entries")
    logins["purger"].execute("select ledger.append_entry('check', '{}')")
    for role in ("purger", "approver"):
        logins[role].execute("select ledger.halt('x')")
        logins[role].rollback()


def test_nothing_of_the_ledger_belongs_to_who_uses_it(conn: Connection) -> None:
    others = conn.execute(
        """
        select relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = 'ledger' and c.relkind in ('r', 'S', 'v')
        and pg_get_userbyid(c.relowner) <> 'retention_owner'
        and c.relname not in ('link_salt')
        union all
        select proname from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname = 'ledger' and pg_get_userbyid(p.proowner) <> 'retention_owner'
        """
    ).fetchall()
    assert others == []


def test_every_function_fixes_its_search_path_and_none_is_public(conn: Connection) -> None:
    loose = conn.execute(
        """
        select p.proname from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname = 'ledger' and (
            not coalesce('search_path=pg_catalog, ledger, pg_temp' = any(p.proconfig), false)
            or p.proacl is null or p.proacl::text ~ '(\\{|,)='
        )
        """
    ).fetchall()
    assert loose == []


def test_nobody_may_empty_a_table_of_the_ledger_at_once(conn: Connection) -> None:
    granted = conn.execute(
        "select grantee, table_name from information_schema.role_table_grants"
        " where table_schema = 'ledger' and privilege_type = 'TRUNCATE'"
        " and grantee <> 'retention_owner'"
        " and table_name not in ('link_salt')"
    ).fetchall()
    assert granted == []


def test_tokens_come_from_plain_tables_only(conn: Connection) -> None:
    """Reading a view with the owner's rights would run its author's functions with them."""
    conn.execute("create table public.named (subject_id text)")
    conn.execute("insert into public.named values ('a:1'), ('a:1'), (null), ('a:2')")
    conn.execute("create view public.seen as select subject_id from public.named")
    row = conn.execute("select ledger.assign_subject_tokens('public.named')").fetchone()
    assert row == (2,)
    row = conn.execute("select ledger.assign_subject_tokens('public.named')").fetchone()
    assert row == (0,)
    with pytest.raises(psycopg.Error, match="plain table only"):
        conn.execute("select ledger.assign_subject_tokens('public.seen')")
    conn.rollback()


def test_a_classification_that_was_overtaken_cannot_finish(settings: Settings) -> None:
    with connect(settings) as conn:
        row = conn.execute("select ledger.today()").fetchone()
        assert row is not None
        conn.execute("create schema policy")
        conn.execute(
            "create table policy.policy_settings as"
            " select 'v'::text as policy_version, 'h'::text as policy_hash"
        )
        conn.commit()
        first = classifications.begin(conn, row[0], "c")
        second = classifications.begin(conn, row[0], "c")
        with pytest.raises(Refused, match="another classification"):
            classifications.finish(conn, first)
        classifications.finish(conn, second)
        assert classifications.objection(conn, "c") is None
        assert "declarations or models changed" in (classifications.objection(conn, "d") or "")
