"""Reading back: it finds what a purge left or what came back, and says nothing where all is well.

Belongs here: each thing that a read-back must notice, put there on purpose. Does not belong here: the
purge (test_purge.py).
"""

from collections.abc import Callable

import pytest

from retention import verify
from retention.ledger import entries
from retention.plan import Plan
from retention.purge import execute
from tests.factories import Shop

pytestmark = pytest.mark.integration


@pytest.fixture
def purged(shop: Shop) -> tuple[Shop, Plan]:
    shop.customer(1)
    shop.customer(2, overdue=False)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    return shop, plan


def found(shop: Shop, plan: Plan | None = None) -> set[tuple[str, str, int]]:
    result = verify.read_back(shop.settings, plan.plan_id if plan else None)
    return {(one.where, one.what, one.count) for one in result.findings}


def test_nothing_is_found_where_nothing_is_left(purged: tuple[Shop, Plan]) -> None:
    shop, plan = purged
    result = verify.read_back(shop.settings, plan.plan_id)
    assert result.findings == ()
    assert result.tombstones == plan.items
    assert result.checked > 0
    (entry,) = entries.of_plan(shop.conn, plan.plan_id, "read_back")
    assert entry.content["findings"] == []
    assert found(shop) == set()


LEFT: dict[str, tuple[str, str]] = {
    "a text": ("insert into shop.party (id, name) values ('party-1', 'x')", "shop.party"),
    "a number": ("insert into shop.contact (id) values (1)", "shop.contact"),
    "several columns": (
        "insert into shop.assignment (id, _fivetran_start) values (1, '2020-05-04 10:00:00+00')",
        "shop.assignment",
    ),
    "a copy": (
        "insert into retention.grounds (source_schema, source_table, record_key)"
        " values ('shop', 'lead', '1')",
        "retention.grounds",
    ),
    "a staging model": (
        "insert into staging.stg_shop__lead (source_schema, source_table, record_key)"
        " values ('shop', 'lead', '1')",
        "staging.stg_shop__lead",
    ),
}


@pytest.mark.parametrize("kind", LEFT)
def test_a_row_that_is_there_again_is_found_by_its_token(
    purged: tuple[Shop, Plan], kind: str
) -> None:
    shop, plan = purged
    statement, where = LEFT[kind]
    shop.conn.execute(statement)
    shop.conn.commit()
    (finding,) = found(shop, plan)
    assert (finding[0], finding[2]) == (where, 1)
    assert "purged rows" in finding[1]
    assert found(shop) == {finding}


def test_a_personal_key_is_found_too(shop: Shop) -> None:
    shop.add("objection", email="Nei@Shop.example")
    shop.classify()
    key = shop.one("select record_key from retention.records")
    shop.judge("objection", key, "overdue")
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    assert found(shop, plan) == set()
    shop.add("objection", email="Nei@Shop.example")
    assert {where for where, _, _ in found(shop, plan)} == {"shop.objection"}


def test_a_person_who_came_back_is_a_new_record(purged: tuple[Shop, Plan]) -> None:
    """Newer by its own date, as the classification in force says; no date, no benefit of doubt."""
    shop, plan = purged
    shop.add("person", id=1)
    assert found(shop, plan) != set()
    shop.overdue.clear()
    shop.classify()
    assert found(shop, plan) != set(), "its date is the one that was purged"
    shop.conn.execute(
        "update retention.records set anchor_on = ledger.today() where source_table = 'person'"
    )
    shop.conn.commit()
    result = verify.read_back(shop.settings, plan.plan_id)
    assert result.findings == ()
    assert result.returned >= 1


def drop_tombstone(shop: Shop) -> None:
    shop.conn.execute("delete from ledger.tombstones where source_table = 'mail'")


def swap_tombstone(shop: Shop) -> None:
    shop.conn.execute("update ledger.tombstones set batch_no = 9 where source_table = 'mail'")


def forge_evidence(shop: Shop) -> None:
    shop.conn.execute("alter table ledger.entries disable trigger all")
    shop.conn.execute(
        "update ledger.entries set body = replace(body, '\"purged\":1', '\"purged\":2'),"
        " leaf_hash = sha256('\\x00'::bytea || convert_to("
        " replace(body, '\"purged\":1', '\"purged\":2'), 'UTF8')) where kind = 'batch'"
    )


def drop_evidence(shop: Shop) -> None:
    shop.conn.execute("alter table ledger.entries disable trigger all")
    shop.conn.execute("delete from ledger.entries where kind in ('batch', 'executed')")


def another_approval(shop: Shop) -> None:
    shop.conn.execute("update ledger.plans set digest = 'another'")


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (drop_tombstone, "items purged and tombstones differ"),
        (swap_tombstone, "batches do not match their tombstones"),
        (forge_evidence, "rows purged and rows in evidence differ"),
        (drop_evidence, "no evidence of its end"),
        (another_approval, "approvals of another digest"),
    ],
)
def test_a_story_that_contradicts_itself_is_found(
    purged: tuple[Shop, Plan], damage: Callable[[Shop], None], what: str
) -> None:
    shop, plan = purged
    damage(shop)
    shop.conn.commit()
    assert what in {said for _, said, _ in found(shop, plan)}


def test_what_is_declared_no_more_cannot_be_read_back_and_says_so(
    purged: tuple[Shop, Plan],
) -> None:
    shop, plan = purged
    path = shop.settings.declarations_dir / "_shop__sources.yml"
    text = path.read_text()
    start = text.index("      - name: visit")
    path.write_text(text[:start])
    assert ("shop.visit", "purged from, but declared no more: it cannot be read back", 1) in found(
        shop, plan
    )


#: Tables that others made before the purge, which nobody told dbt of: what is in them, and whether it is
#: a row of person 1 that was purged. Lead 1, visit and charge stay or are somebody else's.
ELSEWHERE: dict[str, tuple[str, str | None]] = {
    "named after the table": ("select id as person_id, name from shop.person", "shop.person"),
    "under another name": ("select id::text as kunde, email from shop.person", "shop.person"),
    "a composite key": ("select * from shop.visit", "shop.visit"),
    "the same number of something else": (
        "select amount as id, 'Navn 9' as name from shop.charge",
        None,
    ),
    "a pointer without a person": ("select id as person_id, now() as at from shop.person", None),
    "a count": ("select count(*) as id from shop.person where id = 1", None),
}


@pytest.mark.parametrize("how", ELSEWHERE)
def test_a_copy_elsewhere_is_found_without_lineage(shop: Shop, how: str) -> None:
    query, table = ELSEWHERE[how]
    for number in (1, 2, 3):
        shop.customer(number, overdue=number == 1)
    shop.add("charge", id="ch_1", account_id="acc_9", amount=1)
    plan = shop.approved_plan()
    shop.conn.execute(f"create schema elsewhere; create table elsewhere.copied as {query}")
    shop.conn.commit()
    assert found(shop, plan) == set(), "nothing is purged yet"
    execute(shop.settings, plan.plan_id)
    expected = {("elsewhere.copied", f"purged rows of {table} are there", 1)} if table else set()
    assert found(shop, plan) == expected
