"""Models that hand on personal columns: which inherit their retention, which are exempt, which neither.

Belongs here: a data team's models on the shop, with hand-made manifests. Does not belong here: finding
the rows of a copy (test_copies.py), and relations that dbt does not know (test_unknown_relations.py).
"""

from datetime import date, timedelta
from typing import Any

import pytest

from retention.coverage import Coverage, FindingKind
from retention.coverage.examine import examine
from retention.coverage.words import next_steps, said
from retention.errors import UsageError
from retention.findings import drifted, untraceable
from retention.lineage import find_lineage
from retention.lineage.account import account
from retention.lineage.models import DeclaredModels
from retention.policy import in_force, load_versions
from retention.purge import execute
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import Shop, today

pytestmark = pytest.mark.integration

LATER = date(2099, 1, 1)


def exempt(on: date = LATER) -> dict[str, Any]:
    return {
        "exempt": {
            "reason": "holds nothing of persons",
            "owner": "data@shop.example",
            "review_on": on.isoformat(),
        }
    }


def judged(shop: Shop, *models: Model) -> DeclaredModels:
    for number in (1, 2):
        shop.customer(number, overdue=number == 1)
    shop.classify()
    build(shop.conn, [model for model in models if model.materialized != "seed"])
    write_manifest(shop.settings, models)
    found = account(shop.conn, shop.settings, shop.declarations).models
    shop.conn.commit()
    return found


def examined(shop: Shop, on: date) -> Coverage:
    policy = in_force(load_versions(shop.settings.policy_dir), on)
    found = examine(shop.conn, shop.settings, shop.declarations, policy, on)
    shop.conn.commit()
    return found


# --- what an exemption must not do ---------------------------------------------------------------


def test_an_exemption_lifts_no_block(shop: Shop) -> None:
    """Whatever somebody declares: what no key leads to keeps its records from being purged."""
    names = Model("names", "select name from shop.person", meta=exempt())
    found = judged(shop, names)
    assert [one.relation for one in found.exempt] == [("analytics", "names")]
    assert found.undeclared == ()
    lineage = find_lineage(shop.conn, shop.settings, shop.declarations)
    shop.conn.commit()
    assert set(lineage.blocked) == {"shop.person"}
    (finding,) = examined(shop, today(shop.conn)).findings
    assert (finding.kind, finding.qualified) == (FindingKind.COPY_UNTRACEABLE, "analytics.names")
    assert "without its key; nothing is purged from shop.person" in said(finding)
    plan = shop.approve(shop.plan())
    execute(shop.settings, plan.plan_id)
    assert shop.keys("person") == {"1", "2"}


def test_an_exemption_past_its_date_is_found_and_stands(shop: Shop) -> None:
    day = today(shop.conn)
    seed = Model("codes", None, materialized="seed", resource_type="seed", meta=exempt(day))
    shop.conn.execute("create schema analytics")
    shop.conn.execute("create table analytics.codes (code text)")
    shop.conn.commit()
    found = judged(shop, seed)
    assert found.undeclared == ()
    assert examined(shop, day).findings == ()
    (finding,) = examined(shop, day + timedelta(days=1)).findings
    assert (finding.kind, finding.since) == (FindingKind.MODEL_EXEMPTION_PAST_DATE, day)
    assert "data@shop.example was to review it" in said(finding)


def test_an_exemption_that_does_not_hold_is_refused(shop: Shop) -> None:
    mistyped = Model("names", "select 1 as one", meta={"exmpt": {}})
    with pytest.raises(UsageError, match=r"names\.sql: config\.meta\.retention: exmpt"):
        judged(shop, mistyped)


# --- what inherits, and is no finding ------------------------------------------------------------

INHERITS: dict[str, Model] = {
    "found by its key": Model("people", "select id as nr, name, email from shop.person"),
    "a view with the key": Model(
        "people", "select id as nr, name from shop.person", materialized="view"
    ),
    "a view that counts": Model(
        "people", "select count(*) as people from shop.person", materialized="view"
    ),
    "counted": Model("people", "select count(distinct email) as people from shop.person"),
    "blocked already": Model("people", "select name from shop.person"),
    "our records": Model(
        "people", "select source_schema, source_table, record_key from retention.records"
    ),
}


@pytest.mark.parametrize("how", INHERITS)
def test_what_inherits_is_no_finding(shop: Shop, how: str) -> None:
    assert judged(shop, INHERITS[how]) == DeclaredModels((), ())


# --- what nobody answers for ---------------------------------------------------------------------


def test_a_view_that_shows_persons_without_their_key_is_found(shop: Shop) -> None:
    """It holds nothing, so it blocks nothing; but it shows names, and nobody can say whose."""
    found = judged(
        shop,
        Model("names", "select * from (select name from shop.person) as n", materialized="view"),
    )
    (names,) = found.undeclared
    assert names.relation == ("analytics", "names")
    assert names.detail == "hands on name (name, of shop.person.name)"
    lineage = find_lineage(shop.conn, shop.settings, shop.declarations)
    shop.conn.commit()
    assert lineage.blocked == {}


def test_a_personal_value_that_came_through_our_models_is_found(shop: Shop) -> None:
    """Our relation is purged by its record, under a column name that the purge does not know; the model
    made from it is not."""
    ours = Model(
        "int_marks",
        "select 'shop' as source_schema, 'contact' as source_table, id::text as record_key,"
        " notes as mark from shop.contact",
        schema="intermediate",
        path="models/intermediate/generated/int_marks.sql",
    )
    through = Model("marks", "select upper(mark) as what from intermediate.int_marks")
    (found,) = judged(shop, ours, through).undeclared
    assert found.relation == ("analytics", "marks")
    assert found.detail == "hands on what (free_text, of shop.contact.notes)"


def test_a_model_whose_columns_cannot_be_followed_is_found(shop: Shop) -> None:
    """Nothing says what a python model reads, so nothing is blocked, and nobody answers for it."""
    found = judged(shop, Model("scores", None, language="python"))
    (scores,) = found.undeclared
    assert scores.unresolved == (("one", "no SQL of it is known (python)"),)


def test_a_seed_is_found_until_somebody_answers_for_it(shop: Shop) -> None:
    shop.conn.execute("create schema analytics")
    shop.conn.execute("create table analytics.vip (email text)")
    shop.conn.commit()
    seed = Model("vip", None, materialized="seed", resource_type="seed")
    (vip,) = judged(shop, seed).undeclared
    assert (vip.relation, vip.hands_on) == (("analytics", "vip"), ())
    assert "is a seed" in vip.detail
    (finding,) = examined(shop, today(shop.conn)).findings
    assert (finding.kind, finding.severity) == (FindingKind.UNDECLARED_MODEL, "error")
    assert finding.qualified == "analytics.vip"
    assert said(finding).startswith("model analytics.vip is a seed")
    (step,) = next_steps([finding], shop.settings)
    assert "config.meta.retention.exempt: {reason, owner, review_on}" in step


def test_the_status_says_of_an_untraceable_copy_once(shop: Shop) -> None:
    judged(shop, Model("names", "select name from shop.person"))
    day = today(shop.conn)
    policy = in_force(load_versions(shop.settings.policy_dir), day)
    asked = (shop.conn, shop.settings, shop.declarations)
    kinds = [one.kind for one in (*drifted(*asked, policy, day), *untraceable(*asked))]
    assert kinds == ["copy_untraceable"]


def test_a_model_that_a_hook_fills_blocks_what_it_names(shop: Shop) -> None:
    """Its own SQL makes an empty table; the rows come afterwards."""
    filled = Model(
        "filled",
        "select null::text as name where false",
        hooks=("insert into {{ this }} select name from shop.person",),
    )
    assert judged(shop, filled) == DeclaredModels((), ())
    lineage = find_lineage(shop.conn, shop.settings, shop.declarations)
    shop.conn.commit()
    (found,) = lineage.untraceable
    assert (found.relation, found.reaches) == ("analytics.filled", {"shop.person"})
    assert "hook" in found.why


@pytest.mark.parametrize("hook", ["analyze {{ this }}", "grant select, update on {{ this }} to x"])
def test_a_hook_that_writes_no_rows_changes_nothing(shop: Shop, hook: str) -> None:
    people = Model("people", "select id, name from shop.person", hooks=(hook,))
    judged(shop, people)
    lineage = find_lineage(shop.conn, shop.settings, shop.declarations)
    shop.conn.commit()
    assert [copy.qualified for copy in lineage.copies] == ["analytics.people"]


def test_the_rows_that_a_test_keeps_are_copies(shop: Shop) -> None:
    kept = Model(
        "not_null_person_email",
        "select * from (select * from shop.person where id > 0) as failures",
        schema="dbt_test__audit",
        resource_type="test",
        materialized="test",
        path="models/staging/_shop__sources.yml",
    )
    judged(shop, kept)
    plan = shop.approve(shop.plan())
    execute(shop.settings, plan.plan_id)
    left = shop.conn.execute("select id from dbt_test__audit.not_null_person_email").fetchall()
    shop.conn.commit()
    assert left == [(2,)]
