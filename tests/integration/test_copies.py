"""Copies that a data team's own models make: what must stay, what goes, and what blocks.

Belongs here: models, snapshots and incremental models downstream of the landing tables and of the
project's own, with hand-made manifests. Does not belong here: the project's own relations
(test_purge.py), following columns through SQL (tests/unit/test_lineage_columns.py), and a real build by
dbt (test_copies_built.py).
"""

from typing import Any

import pytest

from retention import findings, verify
from retention.classify import target_path
from retention.errors import Refused
from retention.ledger import entries
from retention.lineage import Lineage, find_lineage
from retention.plan import Plan, preview
from retention.policy import in_force, load_versions
from retention.purge import execute, guards
from retention.purge.downstream import delete_downstream
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import Shop, today

pytestmark = pytest.mark.integration


def classified(shop: Shop, *models: Model) -> None:
    """Persons 1 (overdue) and 2, classified, with the models built on top."""
    for number in (1, 2):
        shop.customer(number, overdue=number == 1)
    shop.classify()
    built(shop, *models)


def built(shop: Shop, *models: Model) -> None:
    build(shop.conn, models)
    write_manifest(shop.settings, models)


def lineage(shop: Shop) -> Lineage:
    found = find_lineage(shop.conn, shop.settings, shop.declarations)
    shop.conn.commit()
    return found


def purge(shop: Shop) -> Plan:
    plan = shop.approve(shop.plan())
    execute(shop.settings, plan.plan_id)
    return plan


def rows(shop: Shop, relation: str, columns: str = "*") -> list[Any]:
    found = shop.conn.execute(f"select {columns} from {relation} order by 1".encode()).fetchall()
    shop.conn.commit()
    return [row[0] if len(row) == 1 else row for row in found]


# --- what must stay ----------------------------------------------------------------------------


def test_rows_of_other_records_stay(shop: Shop) -> None:
    mart = Model("people", "select id as person_no, name, email from shop.person")
    classified(shop, mart)
    purge(shop)
    assert rows(shop, "analytics.people", "person_no") == [2]


def test_the_same_key_of_another_table_stays(shop: Shop) -> None:
    """Lead 1 stays, although person 1 and lead 1 are both called 1."""
    leads = Model("leads", "select id, name from shop.lead")
    people = Model("people", "select id, name from shop.person")
    classified(shop, leads, people)
    shop.conn.execute("update shop.lead set person_id = 2 where id = 1")
    shop.judge("lead", 1, "retained")
    shop.classify()
    purge(shop)
    assert "1" not in shop.keys("person")
    assert rows(shop, "analytics.people", "id") == [2]
    assert rows(shop, "analytics.leads", "id") == [1, 2]


def test_a_column_of_the_same_name_is_no_key(shop: Shop) -> None:
    """Neither `id` nor our own names for records mean anything by themselves."""
    odd = Model(
        "odd",
        "select amount as id, 'x' as record_key, 'shop' as source_schema, 'person' as source_table"
        " from shop.charge",
    )
    classified(shop, odd)
    shop.conn.execute("insert into analytics.odd values (1, '1', 'shop', 'person')")
    shop.conn.commit()
    purge(shop)
    assert rows(shop, "analytics.odd", "id") == [1]
    assert lineage(shop).copies == ()


def test_a_relation_that_dbt_does_not_know_is_left_alone(shop: Shop) -> None:
    classified(shop)
    build(shop.conn, [Model("by_hand", "select id, name from shop.person")])
    purge(shop)
    assert rows(shop, "analytics.by_hand", "id") == [1, 2]


def test_counts_and_sums_are_no_copy(shop: Shop) -> None:
    mart = Model(
        "per_month",
        "select date_trunc('month', c.occurred_at) as month, count(*) as contacts,"
        " count(distinct p.email) as people from shop.contact as c"
        " join shop.person as p on p.id = c.person_id group by 1",
        reads=("shop.contact", "shop.person"),
    )
    classified(shop, mart)
    before = rows(shop, "analytics.per_month")
    found = lineage(shop)
    assert (found.copies, found.untraceable) == ((), ())
    purge(shop)
    assert rows(shop, "analytics.per_month") == before
    assert list(findings.untraceable(shop.conn, shop.settings, shop.declarations)) == []


def test_what_dbt_built_did_not_land(shop: Shop) -> None:
    """It is traced, not declared; what dbt built and does not know any more is a finding."""
    classified(shop, Model("people", "select id, name from shop.person"))
    build(shop.conn, [Model("by_hand", "select id, name from shop.person")])
    day = today(shop.conn)
    policy = in_force(load_versions(shop.settings.policy_dir), day)
    drifted = findings.drifted(shop.conn, shop.settings, shop.declarations, policy, day)
    assert [(one.kind, one.table) for one in drifted] == [("stale_build", "analytics.by_hand")]


def test_a_view_holds_nothing(shop: Shop) -> None:
    view = Model("names", "select name from shop.person", materialized="view")
    classified(shop, view)
    found = lineage(shop)
    assert (found.copies, found.untraceable) == ((), ())
    purge(shop)


def test_branches_of_a_union_are_told_apart_by_their_constants(shop: Shop) -> None:
    everything = Model(
        "everything",
        "select 'person' as kind, id, name from shop.person"
        " union all select 'lead', id, name from shop.lead",
    )
    classified(shop, everything)
    shop.conn.execute("update shop.lead set person_id = 2 where id = 1")
    shop.classify()
    purge(shop)
    assert rows(shop, "analytics.everything", "kind, id") == [
        ("lead", 1),
        ("lead", 2),
        ("person", 2),
    ]


def test_a_row_about_a_person_stays_while_the_record_beside_it_does(shop: Shop) -> None:
    """A link is no key where the row shows a key of its own: the charge outlives the account."""
    shop.add("account", id="acc_1", email="person1@shop.example")
    shop.add("charge", id="ch_1", account_id="acc_1")
    charges = Model("charges", "select id, account_id, amount from shop.charge")
    classified(shop, charges)
    purge(shop)
    assert shop.keys("account") == set()
    assert rows(shop, "analytics.charges", "id") == ["ch_1"]


def test_a_version_that_stays_keeps_the_row_of_its_assignment(shop: Shop) -> None:
    sizes = Model("sizes", "select id, count(*) as versions from shop.assignment group by id")
    classified(shop, sizes)
    found = lineage(shop).copies
    assert [match.kind for match in found[0].matches] == ["entity"]
    shop.conn.execute(
        "create temporary table purge_record as select source_schema, source_table, record_key"
        " from retention.records where source_table = 'assignment' and record_key like '[\"1\"%'"
    )
    (assignment,) = [t for t in shop.declarations.governed if t.name == "assignment"]
    for versions_left, ids in ((1, [1, 2]), (0, [2])):
        shop.conn.execute(
            "delete from shop.assignment where id = 1 and _fivetran_active = %s",
            (versions_left == 0,),
        )
        delete_downstream(shop.conn, found, [assignment])
        assert rows(shop, "analytics.sizes", "id") == ids


# --- what goes ---------------------------------------------------------------------------------

GOES: dict[str, Model] = {
    "renamed, through a common table expression": Model(
        "people", "with p as (select * from shop.person) select id as kunde, name from p"
    ),
    "a snapshot with its versions": Model(
        "people", "select * from shop.person", resource_type="snapshot", materialized="snapshot"
    ),
    "an incremental model": Model(
        "people", "select id::text as nr, email from shop.person", materialized="incremental"
    ),
    "joined by its key": Model(
        "people",
        "select c.person_id, p.email from shop.contact as c"
        " left join shop.person as p on p.id = c.person_id",
        reads=("shop.contact", "shop.person"),
    ),
    "a link alone": Model(
        "people", "select person_id, count(*) as n from shop.contact group by person_id"
    ),
    "our records": Model(
        "people",
        "select source_schema as s, source_table as t, record_key as k, due_on"
        " from retention.records where source_table = 'person'",
    ),
    "our persons": Model(
        "people",
        "select subject_token, category from retention.records where subject_token is not null",
    ),
    "a staging model": Model(
        "people", "select record_key, anchor_on from staging.stg_shop__person"
    ),
    "a composite key": Model("people", "select person_id, visited_at, page from shop.visit"),
}


@pytest.mark.parametrize("how", GOES)
def test_what_carries_the_record_goes_with_it(shop: Shop, how: str) -> None:
    classified(shop, GOES[how])
    before = rows(shop, "analytics.people", "people::text")
    assert lineage(shop).untraceable == ()
    purge(shop)
    after = rows(shop, "analytics.people", "people::text")
    assert len(after) == len(before) / 2, how
    assert set(after) < set(before)


def test_every_version_in_a_snapshot_goes(shop: Shop) -> None:
    classified(shop, GOES["a snapshot with its versions"])
    shop.conn.execute("insert into analytics.people select * from analytics.people")
    shop.conn.commit()
    purge(shop)
    assert rows(shop, "analytics.people", "id") == [2, 2]


def test_a_personal_key_goes_by_its_hash(shop: Shop) -> None:
    shop.add("objection", email="Nei@Shop.example")
    shop.add("objection", email="ja@shop.example")
    shop.classify()
    shop.judge(
        "objection", shop.one("select sletteplikt.link_hash('key', 'Nei@Shop.example')"), "overdue"
    )
    classified(shop, Model("objections", "select email as epost from shop.objection"))
    purge(shop)
    assert rows(shop, "analytics.objections") == ["ja@shop.example"]


def test_the_evidence_says_what_went_from_the_copies(shop: Shop) -> None:
    classified(shop, Model("people", "select id, name from shop.person"))
    plan = purge(shop)
    (batch,) = entries.of_plan(shop.conn, plan.plan_id, "batch")
    assert batch.content["copies"] == [{"relation": "analytics.people", "deleted": 1}]


# --- what blocks -------------------------------------------------------------------------------

BLOCKS: dict[str, Model] = {
    "personal and no key": Model("odd", "select name, email from shop.person"),
    "a hash of the key": Model("odd", "select md5(id::text) as h from shop.person"),
    "the whole row": Model("odd", "select to_jsonb(p) as j from shop.person as p"),
    "a key that is cut": Model("odd", "select id::text::varchar(2) as id, name from shop.person"),
    "a branch that nothing tells apart": Model(
        "odd",
        "select id, name from shop.person union all select -1, 'x'",
    ),
    "no SQL": Model("odd", None, language="python", reads=("shop.person",)),
    "SQL that cannot be read": Model("odd", None, reads=("shop.person",)),
    "a materialized view": Model(
        "odd", "select id, name from shop.person", materialized="materialized_view"
    ),
}


@pytest.mark.parametrize("how", BLOCKS)
def test_what_cannot_be_traced_blocks_what_it_reaches(shop: Shop, how: str) -> None:
    classified(shop, BLOCKS[how])
    (found,) = lineage(shop).untraceable
    assert (found.relation, found.reaches) == ("analytics.odd", {"shop.person"})
    reason = "a copy that cannot be traced: analytics.odd"
    assert reason in preview(shop.settings).waiting
    purge(shop)
    assert shop.keys("person") == {"1", "2"}, "blocked"
    assert shop.keys("document") == {"2"}, "out of its reach"
    (finding,) = findings.untraceable(shop.conn, shop.settings, shop.declarations)
    assert finding.kind == "copy_untraceable"
    assert "analytics.odd" in finding.message
    assert "shop.person" in finding.message


def test_keys_of_several_tables_in_one_column_block_each(shop: Shop) -> None:
    classified(
        shop,
        Model("odd", "select id, name from shop.person union all select id, name from shop.lead"),
    )
    assert set(lineage(shop).blocked) == {"shop.person", "shop.lead"}


def test_a_key_that_old_rows_lack_blocks(shop: Shop) -> None:
    """An incremental model keeps what it was given before its key was added."""
    classified(shop, GOES["an incremental model"])
    shop.conn.execute("insert into analytics.people values (null, 'gammel@shop.example')")
    shop.conn.commit()
    assert set(lineage(shop).blocked) == {"shop.person"}


def test_a_column_that_its_sql_no_longer_makes_blocks(shop: Shop) -> None:
    counted = Model("counted", "select count(*) as n from shop.person", reads=("shop.person",))
    classified(shop, counted)
    assert lineage(shop).blocked == {}
    shop.conn.execute("alter table analytics.counted add column email text")
    assert set(lineage(shop).blocked) == {"shop.person"}


def test_a_table_altered_between_two_batches_ends_the_purge(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Altered when it was traced already: what runs is the lock's own wait, then the real check."""
    classified(shop, Model("people", "select id, name from shop.person"))
    plan = shop.approve(shop.plan())
    lock = guards.lock_landing

    def lock_after_an_alter(*arguments: Any) -> None:
        lock(*arguments)
        shop.conn.execute("alter table analytics.people add column more text")
        shop.conn.commit()

    monkeypatch.setattr(guards, "lock_landing", lock_after_an_alter)
    with pytest.raises(Refused, match="run it again"):
        execute(shop.settings, plan.plan_id)
    assert shop.keys("person") == {"1", "2"}


def test_without_a_manifest_nothing_is_planned(shop: Shop) -> None:
    classified(shop)
    (target_path(shop.settings) / "manifest.json").unlink()
    with pytest.raises(Refused, match="manifest"):
        shop.plan()
    (finding,) = findings.untraceable(shop.conn, shop.settings, shop.declarations)
    assert finding.kind == "copies_unknown"


def test_nothing_is_left_in_any_copy(shop: Shop) -> None:
    classified(shop, Model("people", "select id as person_id, name from shop.person"))
    plan = purge(shop)
    assert verify.read_back(shop.settings, plan.plan_id).findings == ()
