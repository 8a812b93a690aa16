"""Copies downstream of columns that are made null: null there too, or the table's columns stay as they are.

Belongs here: a data team's own models of rows that stay. Does not belong here: copies of rows that are
purged (test_copies.py), and minimising in landing (test_minimise.py).
"""

from typing import Any

import pytest
from psycopg import sql

from retention import findings, verify
from retention.ledger import entries
from retention.plan import Plan
from retention.purge import execute
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import Shop

pytestmark = pytest.mark.integration

#: Rows of one overdue Shop.buyer that are purged.
PURGED = 7
STUCK = "a copy that cannot be minimised: analytics.charges"


def buyers(shop: Shop, *models: Model) -> None:
    """Buyers 1 (overdue) and 2, classified, with the models built on top."""
    for number in (1, 2):
        shop.buyer(number, overdue=number == 1)
    shop.classify()
    build(shop.conn, models)
    write_manifest(shop.settings, models)


def rows(shop: Shop, relation: str = "charges") -> list[Any]:
    found = shop.conn.execute(
        sql.SQL("select to_jsonb(held) from {} as held order by held::text").format(
            sql.Identifier("analytics", relation)
        )
    ).fetchall()
    shop.conn.commit()
    return [row[0] for row in found]


def minimise(shop: Shop) -> Plan:
    plan = shop.approve(shop.plan())
    execute(shop.settings, plan.plan_id)
    return plan


def found(shop: Shop) -> set[tuple[str, str, int]]:
    result = verify.read_back(shop.settings)
    return {(one.where, one.what, one.count) for one in result.findings}


# --- what cannot be told from what stays ---------------------------------------------------------


@pytest.mark.parametrize(
    ("select", "then", "words"),
    [
        ("select id, buyer || note as line from shop.charge", "", "line were made from what stays"),
        (
            "select id, receipt_email as contact from shop.charge"
            " union all select id, buyer from shop.charge",
            "",
            "contact hold what stays in other rows",
        ),
        (
            "select id, note from shop.charge",
            "alter table analytics.charges alter column note set not null",
            "note cannot become null",
        ),
        (
            "select id, note from shop.charge",
            "alter table analytics.charges add column receipt_email text",
            "its SQL does not make receipt_email",
        ),
    ],
)
def test_a_copy_that_cannot_be_minimised_keeps_the_columns_of_its_table_alone(
    shop: Shop, select: str, then: str, words: str
) -> None:
    buyers(shop, Model("charges", select))
    shop.conn.execute(then.encode())
    shop.conn.commit()
    before = rows(shop), shop.one("select jsonb_agg(c order by id) from shop.charge as c")
    plan = minimise(shop)
    assert plan.waiting == {STUCK: 1}
    assert shop.outcome(plan) == {"purged": PURGED}
    assert (rows(shop), shop.one("select jsonb_agg(c order by id) from shop.charge as c")) == before
    (finding,) = findings.untraceable(shop.conn, shop.settings, shop.declarations)
    assert (finding.kind, finding.table) == ("copy_untraceable", "analytics.charges")
    assert words in finding.message
    assert "no column of shop.charge is made null" in finding.message


def test_a_copy_that_no_key_leads_to_keeps_the_columns_too(shop: Shop) -> None:
    buyers(shop, Model("charges", "select receipt_email from shop.charge"))
    plan = minimise(shop)
    assert plan.waiting == {"a copy that cannot be traced: analytics.charges": 1}
    assert shop.outcome(plan) == {"purged": PURGED}


def test_a_copy_that_came_to_be_after_the_approval_skips_the_table(shop: Shop) -> None:
    buyers(shop)
    plan = shop.approve(shop.plan())
    late = Model("charges", "select id, buyer || note as line from shop.charge")
    build(shop.conn, [late])
    write_manifest(shop.settings, [late])
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan) == {"purged": PURGED, STUCK: 1}
    assert shop.one("select note from shop.charge where id = 'ch_1'") == "ring meg"


# --- what can -------------------------------------------------------------------------------------


def test_what_was_made_of_the_columns_alone_becomes_null_and_nothing_else(shop: Shop) -> None:
    buyers(
        shop,
        Model(
            "charges",
            "select id, buyer, amount, receipt_email as contact, receipt_email as again,"
            " upper(note) as loud from shop.charge",
        ),
    )
    first, second = rows(shop)
    plan = minimise(shop)
    assert shop.outcome(plan) == {"purged": PURGED, "minimised": 1}
    assert rows(shop) == [{**first, "contact": None, "again": None, "loud": None}, second]
    (batch,) = entries.of_plan(shop.conn, plan.plan_id, "batch")
    assert batch.content["copies"] == [{"relation": "analytics.charges", "minimised": 1}]
    assert batch.content["fence"] == 1
    assert found(shop) == set()
    assert list(findings.untraceable(shop.conn, shop.settings, shop.declarations)) == []


def test_every_version_of_the_row_becomes_null(shop: Shop) -> None:
    history = Model(
        "charges",
        "select id, note from shop.charge",
        materialized="incremental",
    )
    buyers(shop, history)
    shop.conn.execute("insert into analytics.charges values ('ch_1', 'gammel'), ('ch_1', null)")
    shop.conn.commit()
    minimise(shop)
    assert [row["note"] for row in rows(shop) if row["id"] == "ch_1"] == [None] * 3
    assert [row["note"] for row in rows(shop) if row["id"] == "ch_2"] == ["ring meg"]


def test_rows_of_another_table_in_the_same_columns_stay(shop: Shop) -> None:
    buyers(
        shop,
        Model(
            "charges",
            "select 'charge' as kind, id, note as said from shop.charge"
            " union all select 'party', id, name from shop.party",
        ),
    )
    shop.conn.execute("insert into analytics.charges values ('party', 'ch_1', 'Kari')")
    shop.conn.commit()
    minimise(shop)
    said = {(row["kind"], row["id"]): row["said"] for row in rows(shop)}
    assert said[("charge", "ch_1")] is None
    assert (said[("charge", "ch_2")], said[("party", "ch_1")]) == ("ring meg", "Kari")


def test_a_read_back_sees_values_in_a_copy_that_nobody_traced(shop: Shop) -> None:
    buyers(shop)
    by_hand = Model("by_hand", "select id as charge_id, buyer, note from shop.charge")
    build(shop.conn, [by_hand])
    minimise(shop)
    what = "minimised values of shop.charge are there"
    assert found(shop) == {("analytics.by_hand", what, 1)}
