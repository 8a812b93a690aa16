"""Customer, lead and third person at once: three data subjects of classification, one token.

Belongs here: a real build with `same_as` declared. Does not belong here: the single cases of who is one
human (the model's unit tests), and what plans and purges do about it (test_one_token.py).
"""

import dataclasses
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from landing.sample import land_sample
from retention import classify, holds
from retention.code_hash import code_hash
from retention.ledger import classifications
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import SAMPLE_SEED, sample_settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# Both are found by e-mail in the sample; here their rows are persons.
SAME_AS = "{self: true, email: [email], same_as: {to: crm.person}}"
DECLARED = {
    "stripe/_stripe__sources.yml": {
        "              subject: {email: [email], to: crm.person}\n              follows: person\n":
        f"              subject: {SAME_AS}\n              person: {{}}\n              follows: person\n",
    },
    "aws_agreements/_aws_agreements__sources.yml": {
        "              subject: {through: contract_id, to: aws_agreements.contract}\n":
        f"              subject: {SAME_AS}\n",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Warehouse:
    """The sample's named cases. `person` is also a customer and a third person, and has a lead; `family`
    shares an address with two customers."""

    settings: Settings
    conn: psycopg.Connection[Any]
    person: str
    family: str

    def classify(self) -> None:
        as_of = classify.today()
        begun = classifications.begin(self.conn, as_of, code_hash(self.settings))
        self.conn.commit()
        classify.build(self.settings, as_of)
        classifications.finish(self.conn, begun)
        self.conn.commit()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        rows = self.conn.execute(query, values).fetchall()  # type: ignore[call-overload]
        self.conn.commit()
        return rows


@pytest.fixture(scope="module")
def warehouse(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    database = server.create()
    folder = tmp_path_factory.mktemp("one-token")
    settings = sample_settings(server, database, folder)
    dbt_dir = folder / "dbt_project"
    shutil.copytree(settings.dbt_dir, dbt_dir, ignore=shutil.ignore_patterns("target", "logs"))
    declarations_dir = dbt_dir / "models" / "staging"
    for name, changes in DECLARED.items():
        change(declarations_dir / name, changes)
    settings = dataclasses.replace(settings, dbt_dir=dbt_dir, declarations_dir=declarations_dir)
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=SAMPLE_SEED, as_of=classify.today())
        person, family = (
            str(row[0])
            for row in conn.execute(
                "select person.id from crm.person as person"
                " where (select count(*) from stripe.customer as c"
                " where lower(trim(c.email)) = lower(trim(person.email))) = 1"
                " order by 1 limit 2"
            ).fetchall()
        )
        conn.execute(
            "insert into crm.lead (id, person_id, received_at) values (990001, %s, now())",
            (person,),
        )
        conn.execute(
            "update aws_agreements.contract_party set email = (select upper(email) from crm.person"
            " where id = %s) where id = (select min(id) from aws_agreements.contract_party)",
            (person,),
        )
        conn.execute(
            "insert into stripe.customer (id, created, email) select 'cus_family', created, email"
            " from stripe.customer where lower(trim(email)) ="
            " (select lower(trim(email)) from crm.person where id = %s)",
            (family,),
        )
        conn.commit()
        made = Warehouse(settings, conn, person, family)
        made.classify()
        yield made
    server.drop(database)


def change(path: Path, changes: dict[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, (path.name, old)
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def subjects_of(warehouse: Warehouse, person: str) -> set[str]:
    """The data subjects that bear the person's token."""
    return {
        row[0]
        for row in warehouse.rows(
            "select subject_id from ledger.subject_tokens where subject_token = (select subject_token"
            " from ledger.subject_tokens where subject_id = %s)",
            f"crm.person:{person}",
        )
    }


def tables_with_token(warehouse: Warehouse, person: str) -> set[str]:
    return {
        row[0]
        for row in warehouse.rows(
            "select distinct source_schema || '.' || source_table from retention.records"
            " where subject_token = (select subject_token from ledger.subject_tokens"
            " where subject_id = %s)",
            f"crm.person:{person}",
        )
    }


def test_customer_lead_and_third_person_bear_one_token(warehouse: Warehouse) -> None:
    subjects = subjects_of(warehouse, warehouse.person)
    assert {subject.partition(":")[0] for subject in subjects} == {
        "crm.person",
        "stripe.customer",
        "aws_agreements.contract_party",
    }
    assert len(subjects) == 3
    assert tables_with_token(warehouse, warehouse.person) >= {
        "crm.person",
        "crm.lead",
        "stripe.customer",
        "aws_agreements.contract_party",
    }


def test_they_stay_subjects_of_classification_of_their_own(warehouse: Warehouse) -> None:
    cases = warehouse.rows(
        "select distinct source_schema || '.' || source_table, case_id"
        " from intermediate.int_record_cases where subject_id = any(%s)"
        " and source_table in ('person', 'customer', 'contract_party')",
        list(subjects_of(warehouse, warehouse.person)),
    )
    assert len(cases) == 3
    assert all(case.startswith(f"{table}:") for table, case in cases)


def test_an_address_that_two_customers_have_merges_nobody(warehouse: Warehouse) -> None:
    assert subjects_of(warehouse, warehouse.family) == {f"crm.person:{warehouse.family}"}
    may_be = warehouse.rows(
        "select distinct cases.subject_id from intermediate.int_record_candidates as candidates"
        " join intermediate.int_record_cases as cases using (row_id)"
        " where candidates.subject_id = %s and cases.source_table = 'customer'",
        f"crm.person:{warehouse.family}",
    )
    assert len(may_be) == 2


def test_what_is_held_of_one_is_held_of_all_and_of_who_may_be_her(warehouse: Warehouse) -> None:
    for person in (warehouse.person, warehouse.family):
        holds.place(
            warehouse.settings,
            kind="hold",
            scope="subject",
            target=f"crm.person:{person}",
            reason="a complaint",
            authority="the court",
        )
    warehouse.classify()
    subjects = subjects_of(warehouse, warehouse.person)
    assert len(subjects) == 3, "a token once given stays"
    statuses = warehouse.rows(
        "select distinct records.status from retention.records as records"
        " join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)"
        " where cases.subject_id = any(%s)",
        list(subjects),
    )
    assert statuses == [("held",)]
    customers = warehouse.rows(
        "select records.status from retention.records as records"
        " join stripe.customer as landed on records.record_key = landed.id"
        " where records.source_table = 'customer' and lower(trim(landed.email)) ="
        " (select lower(trim(email)) from crm.person where id = %s)",
        warehouse.family,
    )
    assert customers == [("held",), ("held",)]
