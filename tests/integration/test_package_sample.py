"""A person's copy out of the sample, recomputed over every landing table by queries of this file's own.

Belongs here: that no record is missed and no other person's row is shown, for persons of every sort. Does
not belong here: the package's form (test_person_package.py), and the finder over all persons
(test_person_recomputed.py).

Whose a row is, is said here anew, table by table: by foreign key, by the normalised e-mail address or
telephone number, or through the row of another table, written as SQL over landing alone.
"""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from retention.declarations import load_declarations
from retention.plan import landing_rights
from retention.rights.package.make import make_package
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import BLOCKED, ClassifiedSample
from tests.packages import opened

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EMAIL = "lower(btrim({}))"
# Digits; no leading 00; eight of them are Norwegian.
PHONE = (
    "(select case when length(d) = 8 then '47' || d else d end from (select regexp_replace("
    "regexp_replace({}, '[^0-9]', '', 'g'), '^00', '') as d) as x)"
)
BY_KEY = "select to_jsonb(t) as landed from {table} as t where t.{column}::text = %(id)s"


def by_email(table: str, column: str) -> str:
    """Rows whose address is the person's, and of no second person's."""
    own = EMAIL.format("p.email")
    return (
        f"select to_jsonb(t) as landed from {table} as t where {EMAIL.format('t.' + column)} = any("
        f"select {own} from crm.person as p where p.id::text = %(id)s and p.email <> '')"
        " and (select count(distinct p.id) from crm.person as p"
        f" where {own} = {EMAIL.format('t.' + column)}) = 1"
    )


def by_phone(table: str, *columns: str) -> str:
    """Rows with a number of the person's, where all numbers of the row lead to one person at most."""
    own = PHONE.format("p.phone")
    any_of = " or ".join(f"{own} = {PHONE.format('t.' + column)}" for column in columns)
    return (
        f"select to_jsonb(t) as landed from {table} as t where exists (select from crm.person as p"
        f" where p.id::text = %(id)s and ({any_of})) and (select count(distinct p.id) from crm.person as p"
        f" where {any_of}) = 1"
    )


def through(table: str, column: str, parent: str, key: str = "id") -> str:
    return (
        f"select to_jsonb(t) as landed from {table} as t where t.{column}::text in"
        f" (select r.landed ->> '{key}' from ({{{parent}}}) as r)"
    )


#: How each table of the sample says whose its rows are. A table that is not here holds nobody's rows.
WHOSE: dict[str, str] = {
    "crm.person": BY_KEY.format(table="crm.person", column="id"),
    **{
        table: BY_KEY.format(table=table, column="person_id")
        for table in (
            "crm.lead", "crm.handover", "crm.contact_event", "crm.recording", "crm.assignment",
            "crm.product_order", "crm.consent", "crm.public_source_data", "crm.rights_request",
            "aws_agreements.contract", "new_relic.page_view",
        )
    },
    "google_analytics.event": BY_KEY.format(table="google_analytics.event", column="user_id"),
    "crm.inbound_email": by_email("crm.inbound_email", "from_address"),
    "scrive.authentication": by_email("scrive.authentication", "email"),
    "stripe.customer": by_email("stripe.customer", "email"),
    "twilio.message": by_phone("twilio.message", '"from"', '"to"'),
    "twilio.call": by_phone("twilio.call", '"from"', '"to"'),
    "crm.assignment_document": through("crm.assignment_document", "assignment_id", "crm.assignment"),
    "aws_agreements.contract_party": through(
        "aws_agreements.contract_party", "contract_id", "aws_agreements.contract"
    ),
    "scrive.document": through("scrive.document", "assignment_id", "crm.assignment"),
    "scrive.signatory": through("scrive.signatory", "document_id", "scrive.document"),
    **{
        f"stripe.{name}": through(f"stripe.{name}", "customer_id", "stripe.customer")
        for name in ("charge", "invoice", "payment_intent", "subscription_history")
    },
    "stripe.refund": through("stripe.refund", "charge_id", "stripe.charge"),
}  # fmt: skip

#: Tables that link nobody to their rows, with the reason that this file gives.
NOBODYS = {
    "crm.partner": "companies",
    "crm.business_contact": "other persons, whom no table of persons knows",
    "crm.marketing_objection": "an address and nothing else: a person says whose",
    "fivetran_log.connection": "no persons",
    "fivetran_log.log": "no persons",
}


@contextmanager
def copied(server: Server, sample: ClassifiedSample) -> Iterator[Settings]:
    """A classified warehouse in a database of its own, for the officer's login: requests are written."""
    source = (sample.settings.database_url or "").rpartition("/")[2]
    name = server.create(template=source)
    owner = dataclasses.replace(sample.settings, database_url=server.url(name))
    landing_rights.grant(owner, load_declarations(owner.declarations_dir))
    yield dataclasses.replace(owner, database_url=server.approver_url(name))
    server.drop(name)


def owners(settings: Settings, server: Server) -> Settings:
    """The same warehouse for the login that owns it."""
    name = (settings.database_url or "").rpartition("/")[2]
    return dataclasses.replace(settings, database_url=server.url(name))


def persons(owner: Settings, widest: int, *named: str) -> list[str]:
    """Those named, some whom an ambiguous record may be of, some with rows that are a partner's to give,
    and those in the most tables."""
    found = list(named)
    with connect(owner) as conn:
        for query in (
            "select distinct subject_id from intermediate.int_record_candidates order by 1 limit 2",
            "select distinct subject_id from intermediate.int_record_cases as cases"
            " join intermediate.int_records_decided as decided using (row_id)"
            " where decided.controller_role = 'processor' and subject_id is not null order by 1 limit 2",
            "select subject_id from intermediate.int_record_cases where subject_id like 'crm.person:%%'"
            " group by subject_id order by count(distinct source_table) desc, subject_id limit %s",
        ):
            rows = conn.execute(query, (widest,) if "%s" in query else ()).fetchall()
            found += [subject for (subject,) in rows]
    return list(dict.fromkeys(found))


def requested(owner: Settings, person: str) -> UUID:
    """A verified request of the person, as the register would leave it."""
    with connect(owner) as conn:
        row = conn.execute(
            "insert into ledger.requests (asserted, state, received_on, answer_by, subject_token,"
            " verified_how, verified_by, verified_at)"
            " select 'access', 'identity_verified', ledger.today(), ledger.today() + %s, subject_token,"
            " 'in_person', 'an officer', now() from ledger.subject_tokens where subject_id = %s"
            " returning request_id",
            (timedelta(days=30).days, person),
        ).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


def said_of(owner: Settings, person: str) -> dict[str, Counter[str]]:
    """The rows of every landing table that are the person's, by this file's own words."""
    with connect(owner, read_only=True) as conn:
        landed = {
            f"{schema}.{table}"
            for schema, table in conn.execute(
                "select schemaname, tablename from pg_tables"
                " where schemaname !~ '^(pg_|information_schema)' and schemaname not in"
                " ('ledger', 'sletteplikt', 'policy', 'staging', 'intermediate', 'retention')"
            ).fetchall()
        }
        assert landed == WHOSE.keys() | NOBODYS.keys()
        found = {}
        for table in sorted(WHOSE):
            query = WHOSE[table]
            while "{" in query:
                query = re.sub(r"\{([a-z_.]+)\}", lambda named: WHOSE[named[1]], query)
            rows = conn.execute(query, {"id": person.partition(":")[2]}).fetchall()  # type: ignore[arg-type]
            if rows:
                found[table] = Counter(json.dumps(row, sort_keys=True) for (row,) in rows)
    return found


def compare(settings: Settings, owner: Settings, chosen: list[str]) -> list[dict[str, Any]]:
    """Make a package for each, compare it with this file's own words, and return the manifests."""
    manifests = []
    for person in chosen:
        made = make_package(settings, requested(owner, person))
        files = opened(made)
        shown = {
            name.rpartition("/")[2].removesuffix(".json"): Counter(
                json.dumps(row, sort_keys=True) for row in json.loads(content)
            )
            for name, content in files.items()
            if name.startswith("data/") and name.endswith(".json")
        }
        said = said_of(owner, person)
        for table, rows in shown.items():
            assert not rows - said.get(table, Counter()), (person, table)
        missing = {
            table: (rows - shown.get(table, Counter())).total() for table, rows in said.items()
        }
        named = {table: count for table, count in missing.items() if count}
        assert named == dict(made.partners), person
        manifests.append(json.loads(files["manifest.json"]))
    return manifests


def records(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        one for manifest in manifests for table in manifest["tables"] for one in table["records"]
    ]


def test_blocked_ambiguous_and_handed_over(server: Server, told_stories: ClassifiedSample) -> None:
    with copied(server, told_stories) as settings:
        owner = owners(settings, server)
        chosen = persons(owner, 2, *BLOCKED.values())
        manifests = compare(settings, owner, chosen)
    assert {one["status"] for one in records(manifests)} >= {"held", "restricted", "locked"}
    assert any(one["left_out"]["undecided_whose"] for one in manifests)
    assert any(one["left_out"]["processed_for_partners"] for one in manifests)


def test_those_of_whom_the_most_is_held(
    server: Server, classified_sample: ClassifiedSample
) -> None:
    with copied(server, classified_sample) as settings:
        owner = owners(settings, server)
        manifests = compare(settings, owner, persons(owner, 4))
    tables = {table["table"] for manifest in manifests for table in manifest["tables"]}
    assert len(tables) > 15
    # A composite key: every version of an assignment.
    assert any(one["record_key"].startswith("[") for one in records(manifests))
