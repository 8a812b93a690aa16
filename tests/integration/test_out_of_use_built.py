"""Canaries of a locked and of a restricted person in a real build: no model, report or file shows one.

Belongs here: the macro `in_use` as dbt renders and lineage follows it, beside a model without. Does not
belong here: single ways round a lock (test_out_of_use_roles.py), single copies (test_out_of_use.py).
"""

import dataclasses
import json
import secrets
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from landing.sample import land_sample
from retention import classify, holds
from retention.code_hash import code_hash
from retention.declarations import Declarations, load_declarations
from retention.ledger import classifications
from retention.lineage import find_lineage
from retention.report.report import write_report
from retention.rights.out_of_use.in_use import check
from retention.rights.out_of_use.withdraw import withdraw
from retention.settings import Settings
from retention.status import read_status
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER
from tests.conftest import Server
from tests.integration.conftest import SAMPLE_SEED, sample_settings
from tests.keys import make_keys

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LOCKED, RESTRICTED = "420", "50"
#: A legal hold on top of a lock brings nothing back.
HELD_TOO = "500"

ADDED = {
    "models/analytics/customers.sql": """
{{ config(schema='analytics') }}
select person.id, person.first_name, person.email, count(lead.id) as leads
from {{ in_use(source('crm', 'person')) }} as person
left join {{ in_use(source('crm', 'lead')) }} as lead on lead.person_id = person.id
group by person.id, person.first_name, person.email
""",
    "models/analytics/shown.sql": """
{{ config(schema='analytics', materialized='view') }}
select id, first_name from {{ in_use(source('crm', 'person')) }} as person
""",
    "models/analytics/assignments.sql": """
{{ config(schema='analytics') }}
select * from {{ in_use(source('crm', 'assignment')) }} as assignment
""",
    "models/analytics/objectors.sql": """
{{ config(schema='analytics') }}
select email from {{ in_use(source('crm', 'marketing_objection')) }} as objection
""",
    "models/analytics/raw_people.sql": """
{{ config(schema='analytics') }}
select id, first_name, last_name from {{ source('crm', 'person') }}
""",
    "snapshots/people.sql": """
{% snapshot people %}
{{ config(schema='history', unique_key='id', strategy='check', check_cols='all') }}
select id, first_name, email from {{ source('crm', 'person') }}
{% endsnapshot %}
""",
}


@dataclasses.dataclass
class Warehouse:
    settings: Settings
    conn: psycopg.Connection[Any]
    declarations: Declarations
    canary: str

    def shown_in(self) -> set[str]:
        """Every relation outside landing in which a canary stands, whatever it is and whoever's."""
        landing = {table.schema_ for table in self.declarations.tables}
        relations = self.conn.execute(
            "select n.nspname::text, c.relname::text from pg_class as c"
            " join pg_namespace as n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_'"
            " and n.nspname <> 'information_schema' and n.nspname <> all(%s)",
            (sorted(landing),),
        ).fetchall()
        assert len(relations) > 50
        found = set()
        for schema, name in relations:
            row = self.conn.execute(
                sql.SQL("select exists (select from {} as r where r::text like %s)").format(
                    sql.Identifier(schema, name)
                ),
                (f"%{self.canary}%",),
            ).fetchone()
            if row and row[0]:
                found.add(f"{schema}.{name}")
        self.conn.rollback()
        return found

    def keys(self, relation: str, column: str = "id") -> set[str]:
        rows = self.conn.execute(f"select {column}::text from {relation}".encode()).fetchall()
        self.conn.rollback()
        return {row[0] for row in rows}

    def classify(self) -> None:
        as_of = classify.today()
        begun = classifications.begin(self.conn, as_of, code_hash(self.settings))
        self.conn.commit()
        classify.build(self.settings, as_of)
        classifications.finish(self.conn, begun)
        self.conn.commit()

    def plant(self) -> int:
        """Put canaries into every column of the two persons' records that no link is made by."""
        planted = 0
        landed = set(
            self.conn.execute(
                "select table_schema || '.' || table_name, column_name::text"
                " from information_schema.columns where data_type in ('text', 'character varying')"
            ).fetchall()
        )
        for table in self.declarations.governed:
            columns = [
                name
                for name, one in table.personal.items()
                if one.kind in ("name", "free_text", "address", "family", "object_pointer")
                and (table.qualified, name) in landed
            ]
            if not columns or len(table.key) != 1 or table.key_is_personal:
                continue
            for column in columns:
                planted += self.conn.execute(
                    sql.SQL(
                        "update {} as landed set {} = %s where {}::text in ("
                        "select record_key from intermediate.int_record_cases where"
                        " source_schema = %s and source_table = %s and subject_id = any(%s))"
                    ).format(
                        sql.Identifier(table.schema_, table.name),
                        *(sql.Identifier(one) for one in (column, table.key[0])),
                    ),
                    (
                        f"{self.canary} {column}",
                        table.schema_,
                        table.name,
                        [f"crm.person:{one}" for one in (LOCKED, RESTRICTED, HELD_TOO)],
                    ),
                ).rowcount
        self.conn.commit()
        return planted


@pytest.fixture
def warehouse(server: Server, database: str, tmp_path: Path) -> Iterator[Warehouse]:
    """The sample's named cases, classified once with the added models; two persons bear canaries."""
    settings = sample_settings(server, database, tmp_path)
    dbt_dir = tmp_path / "dbt_project"
    shutil.copytree(settings.dbt_dir, dbt_dir, ignore=shutil.ignore_patterns("target", "logs"))
    for name, text in ADDED.items():
        path = dbt_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    settings = dataclasses.replace(
        settings, dbt_dir=dbt_dir, declarations_dir=dbt_dir / "models" / "staging"
    )
    make_keys(settings)
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=SAMPLE_SEED, as_of=classify.today())
        conn.commit()
        made = Warehouse(
            settings,
            conn,
            load_declarations(settings.declarations_dir),
            f"kanari{secrets.token_hex(6)}",
        )
        made.classify()
        yield made


def test_no_canary_of_a_locked_or_restricted_person_is_shown(warehouse: Warehouse) -> None:
    settings, today = warehouse.settings, classify.today()
    everybody = warehouse.keys("analytics.customers")
    gone = {LOCKED, RESTRICTED, HELD_TOO}
    assert everybody >= gone
    assert warehouse.plant() > 2
    for kind, person in (
        ("lock", LOCKED),
        ("restriction", RESTRICTED),
        ("lock", HELD_TOO),
        ("hold", HELD_TOO),
    ):
        holds.place(
            settings,
            kind=kind,  # type: ignore[arg-type]
            scope="subject",
            target=f"crm.person:{person}",
            reason=f"a reason that names {warehouse.canary}",
            authority="§ 8",
            until_on=today + timedelta(days=90) if kind == "lock" else None,
        )
    warehouse.classify()

    held_too = warehouse.conn.execute(
        "select status, subject_token, rule_id, due_on, reason, category is not null"
        " from retention.records where source_table = 'person' and record_key = %s",
        (HELD_TOO,),
    ).fetchall()
    assert held_too == [("held", None, None, None, None, True)]

    # Whatever was built through the macro is without them before anything is taken out.
    assert warehouse.keys("analytics.customers") == everybody - gone
    assert warehouse.keys("analytics.shown") == everybody - gone
    assert warehouse.keys("analytics.assignments")
    assert not warehouse.keys("analytics.assignments", "person_id") & gone
    shown_raw = warehouse.shown_in()
    assert {"analytics.raw_people", "history.people"} <= shown_raw
    # The reason of a blocker is the officer's own words; no ordinary role reads it of a lock.
    assert shown_raw <= {"analytics.raw_people", "history.people", "ledger.blockers"} | {
        "ledger.blockers_shown"
    }
    assert {one.where for one in check(settings).shown} >= {"analytics.raw_people"}

    lineage = find_lineage(warehouse.conn, settings, warehouse.declarations)
    warehouse.conn.rollback()
    assert {"analytics.customers", "analytics.assignments", "analytics.raw_people"} <= {
        copy.qualified for copy in lineage.copies
    }
    assert lineage.untraceable == ()

    done = withdraw(settings)
    assert done.copies["analytics.raw_people"] == len(gone)
    assert done.copies["analytics.customers"] == 0
    assert warehouse.keys("analytics.raw_people") == everybody - gone
    assert warehouse.shown_in() <= {"ledger.blockers", "ledger.blockers_shown"}
    assert check(settings).shown == ()

    # What people are told, and what lies about in files.
    report = write_report(settings)
    assert warehouse.canary not in json.dumps(report.document, default=str)
    with connect(settings, role=READER, read_only=True, autocommit=True) as conn:
        status = read_status(conn, settings, lambda *_: ())
        statistics = conn.execute("select pg_stats::text from pg_stats").fetchall()
    assert status.of_status("locked") > 0
    assert status.of_status("restricted") > 0
    assert warehouse.canary not in json.dumps(status.as_dict(), default=str)
    assert warehouse.canary not in str(statistics)
    for path in settings.state.rglob("*"):
        if path.is_file():
            assert warehouse.canary.encode() not in path.read_bytes(), path.name
