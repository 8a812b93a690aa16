"""Copies in a real build: the project with a data team's models and a snapshot added to it.

Belongs here: that what dbt writes into its manifest is read as it is meant. Does not belong here: the
single cases (test_copies.py).
"""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from landing.sample import land_sample
from retention import classify, findings, verify
from retention.code_hash import code_hash
from retention.declarations import load_declarations
from retention.ledger import classifications
from retention.lineage import find_lineage
from retention.lineage.account import account, model_columns
from retention.plan import approve, create
from retention.purge import execute
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import SAMPLE_SEED, sample_settings
from tests.keys import make_keys

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ADDED = {
    "models/analytics/customers.sql": """
{{ config(schema='analytics') }}
with people as (select * from {{ source('crm', 'person') }})
select people.id as customer_no, people.email, count(calls.*) as leads
from people left join {{ source('crm', 'lead') }} as calls on calls.person_id = people.id
group by people.id, people.email
""",
    "models/analytics/lead_log.sql": """
{{ config(schema='analytics', materialized='incremental', unique_key='lead_no') }}
select id::text as lead_no, name, phone, received_at from {{ source('crm', 'lead') }}
{% if is_incremental() %}
where received_at > (select max(received_at) from {{ this }})
{% endif %}
""",
    "models/analytics/second_hand.sql": """
{{ config(schema='analytics') }}
select customer_no as nr, upper(email) as mail from {{ ref('customers') }}
""",
    "models/analytics/due_list.sql": """
{{ config(schema='analytics') }}
select source_schema, source_table, record_key, due_on from {{ ref('records') }} where status = 'overdue'
""",
    "models/analytics/leads_per_month.sql": """
{{ config(schema='analytics') }}
select date_trunc('month', received_at) as month, count(*) as leads, count(distinct email) as people
from {{ source('crm', 'lead') }} group by 1
""",
    "models/analytics/partner_phones.sql": """
{{ config(schema='analytics') }}
select phone from {{ source('crm', 'business_contact') }}
""",
    "models/analytics/names.sql": """
{{ config(schema='analytics', materialized='view') }}
select first_name from {{ source('crm', 'person') }}
""",
    "snapshots/people.sql": """
{% snapshot people %}
{{ config(schema='history', unique_key='id', strategy='check', check_cols='all') }}
select id, first_name, email from {{ source('crm', 'person') }}
{% endsnapshot %}
""",
    "tests/kept_people.sql": """
{{ config(store_failures=true, severity='warn') }}
select id, email from {{ source('crm', 'person') }} where id > 0
""",
}
# Everything of the folder is declared to hold nothing personal, rightly or not.
FOLDER = """    analytics:
      +meta: {retention: {exempt: {
        reason: counts and lists of no persons, owner: data@lexly.example, review_on: 2099-01-01}}}
"""


@dataclasses.dataclass
class Warehouse:
    settings: Settings
    approver: Settings
    conn: psycopg.Connection[object]

    def keys(self, relation: tuple[str, str], column: str) -> set[str]:
        rows = self.conn.execute(
            sql.SQL("select {}::text from {}").format(
                sql.Identifier(column), sql.Identifier(*relation)
            )
        ).fetchall()
        self.conn.commit()
        return {str(row[0]) for row in rows}


@pytest.fixture
def warehouse(server: Server, database: str, tmp_path: Path) -> Iterator[Warehouse]:
    """The sample's named cases, classified with the added models."""
    settings = sample_settings(server, database, tmp_path)
    dbt_dir = tmp_path / "dbt_project"
    shutil.copytree(settings.dbt_dir, dbt_dir, ignore=shutil.ignore_patterns("target", "logs"))
    for name, text in ADDED.items():
        path = dbt_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    project = dbt_dir / "dbt_project.yml"
    text = project.read_text()
    project.write_text(text.replace("    intermediate:\n", FOLDER + "    intermediate:\n"))
    settings = dataclasses.replace(
        settings, dbt_dir=dbt_dir, declarations_dir=dbt_dir / "models" / "staging"
    )
    make_keys(settings)
    approver = dataclasses.replace(settings, database_url=server.approver_url(database))
    as_of = classify.today()
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=SAMPLE_SEED, as_of=as_of)
        conn.commit()
        begun = classifications.begin(conn, as_of, code_hash(settings))
        classify.build(settings, as_of)
        # The second build is an incremental one, and gives the snapshot a second version.
        conn.execute("update crm.person set email = 'ny@example.no' where id = 10")
        conn.commit()
        classify.build(settings, as_of)
        classifications.finish(conn, begun)
        conn.commit()
        yield Warehouse(settings, approver, conn)


def test_no_copy_of_a_purged_person_is_left(warehouse: Warehouse) -> None:
    settings = warehouse.settings
    declarations = load_declarations(settings.declarations_dir)
    found = find_lineage(warehouse.conn, settings, declarations)
    warehouse.conn.commit()
    assert {copy.qualified for copy in found.copies} == {
        "analytics.customers",
        "analytics.lead_log",
        "analytics.second_hand",
        "analytics.due_list",
        "history.people",
        "dbt_test__audit.kept_people",
    }
    assert {one.relation: one.reaches for one in found.untraceable} == {
        "analytics.partner_phones": {"crm.business_contact"}
    }
    untraced = findings.untraceable(warehouse.conn, settings, declarations)
    assert [one.table for one in untraced] == ["analytics.partner_phones"]
    warehouse.conn.commit()

    accounted = account(warehouse.conn, settings, declarations)
    exempt = {one.relation[1] for one in accounted.models.exempt}
    assert exempt == {Path(name).stem for name in ADDED if name.startswith("models/analytics/")}
    assert (accounted.models.undeclared, accounted.unknown) == ((), ())
    assert model_columns(warehouse.conn, settings).unresolved == {}
    warehouse.conn.commit()

    people, leads = (warehouse.keys(("crm", table), "id") for table in ("person", "lead"))
    plan = create(settings)
    execute(settings, approve(warehouse.approver, plan.plan_id, plan.digest).plan_id)
    people_left, leads_left = (warehouse.keys(("crm", table), "id") for table in ("person", "lead"))
    assert people_left < people
    assert leads_left < leads
    assert warehouse.keys(("analytics", "customers"), "customer_no") == people_left
    assert warehouse.keys(("analytics", "second_hand"), "nr") == people_left
    assert warehouse.keys(("history", "people"), "id") == people_left
    assert warehouse.keys(("dbt_test__audit", "kept_people"), "id") == people_left
    assert warehouse.keys(("analytics", "lead_log"), "lead_no") == leads_left
    assert verify.read_back(settings, plan.plan_id).findings == ()
