"""Relations that neither a declaration, nor dbt, nor a migration accounts for: found, and what they show.

Belongs here: what an analyst, a broken build or a removed model leaves in the database. Does not belong
here: tables that landed and nobody declared (test_coverage.py), and dbt's own models
(test_models_declared.py).
"""

import pytest

from retention.coverage import Coverage, FindingKind, State
from retention.coverage.examine import examine
from retention.coverage.words import said
from retention.declarations import load_declarations
from retention.lineage import find_lineage
from retention.policy import in_force, load_versions
from retention.purge import execute
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER, PLANNER, READER
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import Shop, today

pytestmark = pytest.mark.integration


def classified(shop: Shop, *statements: str) -> None:
    """Persons 1 (overdue) and 2, and what somebody made beside them."""
    for number in (1, 2):
        shop.customer(number, overdue=number == 1)
    shop.classify()
    for statement in ("create schema notes", *statements):
        shop.conn.execute(statement.encode())
    shop.conn.commit()


def examined(shop: Shop) -> Coverage:
    on = today(shop.conn)
    policy = in_force(load_versions(shop.settings.policy_dir), on)
    found = examine(shop.conn, shop.settings, shop.declarations, policy, on)
    shop.conn.commit()
    return found


def told(shop: Shop) -> dict[tuple[str, str], str]:
    """Every finding in words, by kind and name."""
    return {(one.kind.value, one.qualified): said(one) for one in examined(shop).findings}


def blocked(shop: Shop) -> set[str]:
    found = find_lineage(shop.conn, shop.settings, shop.declarations).blocked
    shop.conn.commit()
    return set(found)


def purge(shop: Shop) -> None:
    plan = shop.approve(shop.plan())
    execute(shop.settings, plan.plan_id)


# --- what must not be claimed as gone --------------------------------------------------------------

COPIES = {
    "by its key": "create materialized view notes.kept as select id, name from shop.person",
    "without a key": "create materialized view notes.kept as select name from shop.person",
    "through a view": "create view notes.shown as select * from shop.person;"
    " create materialized view notes.kept as select s.email from notes.shown as s",
    "one row as json": "create materialized view notes.kept as"
    " select to_jsonb(p) as j from shop.person as p",
}


@pytest.mark.parametrize("how", COPIES)
def test_a_materialized_view_keeps_its_records_from_being_purged(shop: Shop, how: str) -> None:
    """No delete reaches it: a report that its records are gone would be wrong."""
    classified(shop, COPIES[how])
    assert blocked(shop) == {"shop.person"}
    purge(shop)
    assert shop.keys("person") == {"1", "2"}
    assert shop.keys("document") == {"2"}, "out of its reach"


def test_one_that_cannot_be_followed_blocks_all_that_it_reads(shop: Shop) -> None:
    classified(
        shop,
        "create function notes.names() returns setof text language sql stable"
        " as 'select name from shop.person'",
        "create view notes.leads as select id from shop.lead",
        "create materialized view notes.kept as"
        " select l.id, n.name from notes.leads as l, notes.names() as n (name)",
    )
    assert blocked(shop) == {"shop.lead"}


def test_one_of_our_own_records_blocks_every_table(shop: Shop) -> None:
    """PostgreSQL writes its query as this session would: by a name that the login's path resolves."""
    classified(
        shop,
        "create materialized view notes.kept as"
        " select source_schema, source_table, record_key from retention.records",
    )
    assert blocked(shop) == {table.qualified for table in shop.declarations.governed}


def test_one_that_only_counts_blocks_nothing(shop: Shop) -> None:
    classified(shop, "create materialized view notes.kept as select count(*) as n from shop.person")
    assert blocked(shop) == set()


def test_declaring_it_exempt_does_not_lift_the_block(shop: Shop) -> None:
    classified(shop, COPIES["without a key"])
    path = shop.settings.declarations_dir / "_notes__sources.yml"
    path.write_text(
        "sources: [{name: notes, tables: [{name: kept, config: {meta: {retention: {exempt:"
        " {reason: Nothing of persons, owner: me, review_on: 2099-01-01}}}}}]}]"
    )
    shop.declarations = load_declarations(shop.settings.declarations_dir)
    assert list(told(shop)) == [("copy_untraceable", "notes.kept")]
    assert blocked(shop) == {"shop.person"}


def test_a_view_and_a_table_of_unknown_origin_block_nothing(shop: Shop) -> None:
    classified(
        shop,
        "create view notes.shown as select name from shop.person",
        "create table notes.taken as select id, name from shop.person",
    )
    assert blocked(shop) == set()
    purge(shop)
    assert shop.keys("person") == {"2"}


def test_who_only_reads_names_and_types_can_ask(shop: Shop) -> None:
    """Somebody's relations are nobody else's to read; the catalogue says what they are."""
    classified(
        shop,
        COPIES["by its key"],
        "create view notes.shown as select id, name from shop.person",
        "create table notes.taken as select id, name from shop.person",
    )
    people = Model("people", "select id, name from shop.person")
    shown = Model("shown", "select id, name from shop.person", materialized="view")
    build(shop.conn, [people, shown])
    write_manifest(shop.settings, [people, shown])
    expected = set(told(shop))
    for role in (READER, CLASSIFIER, PLANNER):
        with connect(shop.settings, role=role, read_only=True) as conn:
            on = today(conn)
            policy = in_force(load_versions(shop.settings.policy_dir), on)
            found = examine(conn, shop.settings, shop.declarations, policy, on)
        assert {(one.kind.value, one.qualified) for one in found.findings} == expected


# --- what is found ---------------------------------------------------------------------------------


def test_a_view_says_what_it_reads_and_shows(shop: Shop) -> None:
    classified(
        shop,
        "create view notes.first as select * from shop.person",
        "create view notes.second as select upper(email) as mail, c.notes, count(*) over () as n"
        " from notes.first join shop.contact as c on c.person_id = first.id",
        "create view notes.days as select now() as at",
    )
    assert told(shop) == {
        ("undeclared_schema", "notes"): "schema notes is not declared: 3 relations",
        ("undeclared_view", "notes.first"): "view notes.first is neither declared nor exempt,"
        " reads shop.person; shows name (name, of shop.person.name), email (email, of"
        " shop.person.email)",
        ("undeclared_view", "notes.second"): "view notes.second is neither declared nor exempt,"
        " reads shop.contact, shop.person; shows mail (email, of shop.person.email), notes"
        " (free_text, of shop.contact.notes)",
    }


def test_a_table_that_resembles_a_governed_one_is_named(shop: Shop) -> None:
    classified(
        shop,
        "create table notes.taken as select id, email from shop.person",
        "create table notes.other (email int)",
    )
    found = told(shop)
    assert (
        "may be a copy: email (email, of shop.account.email)"
        in (found["undeclared_table", "notes.taken"])
    )
    assert ("undeclared_table", "notes.other") not in found


def test_a_source_that_landed_is_one_finding(shop: Shop) -> None:
    """What a connector loads is no copy of anything, whatever its columns are called."""
    classified(shop, "create table notes.user (email text, _fivetran_synced timestamptz)")
    assert list(told(shop)) == [("undeclared_schema", "notes")]


def test_a_schema_of_which_each_relation_is_told_is_not_told_again(shop: Shop) -> None:
    classified(shop, "create view notes.names as select name from shop.person")
    assert list(told(shop)) == [("undeclared_view", "notes.names")]


LEFT = {
    "a build cut short": ("shop.x__dbt_tmp", "cut short"),
    "its backup": ("intermediate.int_subjects__dbt_backup", "cut short"),
    "a test that is gone": ("public_dbt_test__audit.unique_person", "a test of dbt"),
    "a model of ours that is gone": ("staging.stg_shop__gone", "builds no more"),
    "a seed that is gone": ("policy.gone", "builds no more"),
}


@pytest.mark.parametrize("how", LEFT)
def test_what_a_build_left_is_found(shop: Shop, how: str) -> None:
    name, why = LEFT[how]
    schema, table = name.split(".")
    classified(
        shop,
        f"create schema if not exists {schema}",
        f"create table {name} as select id, name from shop.person",
    )
    coverage = examined(shop)
    (found,) = coverage.findings
    assert (found.kind, found.qualified) == (FindingKind.STALE_BUILD, name)
    assert why in said(found)
    assert "name (name, of shop.lead.name)" in said(found)
    (state,) = [one for one in coverage.relations if one.table == table]
    assert state.state is State.FINDING
    assert set(state.columns.values()) == {State.FINDING}


def test_what_dbt_built_once_is_told_by_its_owner(shop: Shop) -> None:
    model = Model("people", "select id, name from shop.person")
    classified(shop)
    build(shop.conn, [model])
    write_manifest(shop.settings, [model])
    assert told(shop) == {}
    write_manifest(shop.settings)
    assert list(told(shop)) == [("stale_build", "analytics.people")]
    assert shop.one("select tableowner from pg_tables where tablename = 'people'") == CLASSIFIER


def test_a_table_that_somebody_made_in_the_ledger_is_found(shop: Shop) -> None:
    classified(shop, "create table ledger.copy as select id, email from shop.person")
    ((kind, name),) = told(shop)
    assert (kind, name) == ("undeclared_table", "ledger.copy")


def test_a_replay_and_a_partition_are_no_findings(shop: Shop) -> None:
    classified(
        shop,
        "create schema staging_as_of_20250101",
        "create table staging_as_of_20250101.stg_shop__person as select * from"
        " staging.stg_shop__person",
        "drop table shop.visit",
        "create table shop.visit (person_id bigint, visited_at timestamptz, page text, browser text,"
        " _fivetran_synced timestamptz) partition by list (page)",
        "create table notes.visit_a partition of shop.visit for values in ('a')",
    )
    assert told(shop) == {}
