"""A small declared warehouse, landed and classified, for tests of what happens after classification.

Belongs here: real tables with the columns of the contracts, filled row by row with defaults so that a
test shows only what matters. Does not belong here: judging what is due; a test says which persons are
overdue, and the models' own tests cover how that is found out.

The uniform facts are made from the declarations with the text the staging models are made from; cases
and links follow the same declarations. Classifying again after landing more rows is `classify()`.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from retention import holds
from retention.code_hash import code_hash
from retention.declarations import Declarations, TableDeclaration, load_declarations
from retention.declarations.facts import COLUMNS, any_value, describe, select_facts
from retention.ledger import classifications
from retention.plan import Plan, approve, create
from retention.policy import in_force, load_versions
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.dbt_manifest import AS_CLASSIFIER, write_manifest
from tests.keys import make_keys

DECLARATIONS = """
version: 2
sources:
  - name: shop
    schema: shop
    config: {meta: {retention: {system: Shop, owner: data@shop.example}}}
    tables:
      - name: person
        config: {meta: {retention: {
          key: id, soft_delete: _fivetran_deleted, subject: {self: true, email: [email]},
          follows: person, collected_at: created_at, person: {},
          personal: {name: name, email: email}}}}
      - name: lead
        config: {meta: {retention: {
          key: id, subject: {foreign_key: person_id, to: shop.person}, follows: person,
          lead: {received_at: received_at, partner: partner_id},
          consented: {purpose: union_membership, columns: [partner_id], when: revealed_by_partner},
          personal: {name: name, partner_id: special_category}}}}
      - name: contact
        config: {meta: {retention: {
          key: id, subject: {foreign_key: person_id, to: shop.person}, follows: person,
          contact_event: {at: occurred_at, counts_when: [{kind: [call]}]},
          personal: {notes: free_text}}}}
      - name: mail
        config: {meta: {retention: {
          key: id, subject: {email: [from_address], to: shop.person, unmatched: own_rule},
          otherwise: {rule: R3, anchor: received_at}, follows: person,
          contact_event: {at: received_at, counts_when: [{purpose: [inquiry]}]},
          personal: {from_address: email}}}}
      - name: recording
        config: {meta: {retention: {
          key: id, subject: {foreign_key: person_id, to: shop.person}, follows: person,
          collected_at: recorded_at, external_object: object_url,
          personal: {object_url: object_pointer}}}}
      - name: handover
        config: {meta: {retention: {
          key: id, subject: {foreign_key: person_id, to: shop.person}, follows: person,
          handover: {at: handed_over_at, scope: scope, outside: [outside], partner: partner_id},
          consented: {purpose: union_membership, columns: [partner_id], when: revealed_by_partner},
          personal: {partner_id: special_category}}}}
      - name: partner
        config: {meta: {retention: {
          exempt: {reason: Companies and no persons, owner: data@shop.example, review_on: 2027-01-01},
          key: id, instruction: {id: instruction_id, period: instruction_period},
          reveals: {purpose: union_membership, when: is_union}}}}
      - name: consent
        config: {meta: {retention: {
          key: id, subject: {foreign_key: person_id, to: shop.person}, follows: person,
          consent: {purpose: purpose, given_at: given_at, withdrawn_at: withdrawn_at}}}}
      - name: cookie
        config: {meta: {retention: {
          key: id, subject: {foreign_key: person_id, to: shop.person}, follows: person,
          consented: {purpose: optional_cookies}, personal: {cookie: online_id}}}}
      - name: assignment
        config: {meta: {retention: {
          key: [id, _fivetran_start], entity: id, current_when: _fivetran_active,
          subject: {foreign_key: person_id, to: shop.person}, follows: assignment,
          assignment_fact: {type: type, state: {column: state, open: [open], completed: [completed]},
            opened_at: opened_at, completed_at: completed_at},
          personal: {title: free_text}}}}
      - name: document
        config: {meta: {retention: {
          key: id, subject: {through: assignment_id, to: shop.assignment}, follows: assignment,
          assignment: {foreign_key: assignment_id, to: shop.assignment},
          collected_at: created_at, personal: {file_name: free_text}}}}
      - name: party
        config: {meta: {retention: {
          key: id, follows: assignment, assignment: {through: document_id, to: shop.document},
          personal: {name: name}}}}
      - name: account
        config: {meta: {retention: {
          key: id, subject: {email: [email], to: shop.person}, follows: person,
          personal: {email: email}}}}
      - name: charge
        config: {meta: {retention: {
          key: id, subject: {through: account_id, to: shop.account},
          accounting: {document_date: charged_at, class: primary}, harmless: [amount],
          personal: {buyer: name, receipt_email: {kind: email, not_required_by: [accounting]},
            note: {kind: free_text, not_required_by: [accounting]}}}}}
      - name: request
        config: {meta: {retention: {
          key: id, subject: {foreign_key: person_id, to: shop.person}, follows: {rule: RIGHTS},
          request: {received_at: received_at, closed_when: {column: state, in: [closed]},
            right: {column: right_asserted, words: {erasure: [sletting, erasure]}},
            id_scan: id_scan_url},
          external_object: {column: id_scan_url, store: ID scans},
          personal: {id_scan_url: object_pointer}}}}
      - name: objection
        config: {meta: {retention: {
          key: email, key_is_personal: true, follows: {rule: OWN}, anchor: objected_at,
          objection: {email: [email]},
          personal: {email: email}}}}
      - name: visit
        config: {meta: {retention: {
          key: [person_id, visited_at, page], subject: {foreign_key: person_id, to: shop.person},
          follows: person, collected_at: visited_at, harmless: [browser]}}}
"""

LANDING = """
create schema shop;
create table shop.person (id bigint primary key, created_at timestamptz, name text, email text,
    _fivetran_deleted boolean, _fivetran_synced timestamptz);
create table shop.lead (id bigint primary key, person_id bigint, partner_id bigint,
    received_at timestamptz, name text, _fivetran_synced timestamptz);
create table shop.contact (id bigint primary key, person_id bigint, kind text,
    occurred_at timestamptz, notes text, _fivetran_synced timestamptz);
create table shop.mail (id bigint primary key, from_address text, purpose text,
    received_at timestamptz, _fivetran_synced timestamptz);
create table shop.recording (id bigint primary key, person_id bigint, recorded_at timestamptz,
    object_url text, _fivetran_synced timestamptz);
create table shop.handover (id bigint primary key, person_id bigint, partner_id bigint, scope text,
    handed_over_at timestamptz, _fivetran_synced timestamptz);
create table shop.partner (id bigint primary key, is_union boolean, instruction_id text,
    instruction_period text, _fivetran_synced timestamptz);
create table shop.consent (id bigint primary key, person_id bigint, purpose text,
    given_at timestamptz, withdrawn_at timestamptz, _fivetran_synced timestamptz);
create table shop.cookie (id bigint primary key, person_id bigint, cookie text,
    _fivetran_synced timestamptz);
create table shop.assignment (id bigint, person_id bigint, type text, state text, title text,
    opened_at timestamptz, completed_at timestamptz, _fivetran_start timestamptz,
    _fivetran_end timestamptz, _fivetran_active boolean, _fivetran_synced timestamptz,
    primary key (id, _fivetran_start));
create table shop.document (id bigint primary key, assignment_id bigint, file_name text,
    created_at timestamptz, _fivetran_synced timestamptz);
create table shop.party (id text primary key, document_id bigint, name text,
    _fivetran_synced timestamptz);
create table shop.account (id text primary key, email text, _fivetran_synced timestamptz);
create table shop.charge (id text primary key, account_id text, amount bigint, buyer text,
    receipt_email text, note text, charged_at timestamptz, _fivetran_synced timestamptz);
create table shop.request (id bigint primary key, person_id bigint, state text,
    right_asserted text, received_at timestamptz, id_scan_url text, _fivetran_synced timestamptz);
create table shop.objection (email text primary key, objected_at timestamptz,
    _fivetran_synced timestamptz);
create table shop.visit (person_id bigint, visited_at timestamptz, page text, browser text,
    _fivetran_synced timestamptz, primary key (person_id, visited_at, page));
"""

#: Rule and category of a record by the table it lies in, where a test does not say otherwise.
RULES = {
    "person": ("R3", "customer_no_advice"),
    "lead": ("R1", "lead_partner"),
    "assignment": ("R4", "assignment"),
    "document": ("R4", "assignment"),
    "party": ("R4", "assignment"),
    "charge": ("R5", "accounting"),
    "request": ("RIGHTS", "rights_request"),
    "objection": ("OWN", "own"),
}
SUPPORTING = ("SUPPORTING", "supporting")

LONG_AGO = datetime(2020, 5, 4, 10, 0, tzinfo=UTC)

Connection = psycopg.Connection[Any]


@dataclasses.dataclass
class Shop:
    """The warehouse of one test. `settings` is the job's, `approver` the second login's."""

    settings: Settings
    approver: Settings
    conn: Connection
    declarations: Declarations
    overdue: set[int] = dataclasses.field(default_factory=set)
    judged: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    grounds: list[tuple[str, str, str, date | None, str | None]] = dataclasses.field(
        default_factory=list
    )
    numbers: int = 0
    set_aside: set[str] = dataclasses.field(default_factory=set)

    def redeclare(self, old: str, new: str) -> None:
        """Change the shop's declarations."""
        (path,) = self.settings.declarations_dir.glob("_shop__sources.yml")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        self.declarations = load_declarations(self.settings.declarations_dir)

    def add(self, table: str, *, conn: Connection | None = None, **values: Any) -> Any:
        """Land one row; what is not given gets a default. Returns the value of its `id`, if any.

        Committed at once, unless `conn` is given: then the caller decides."""
        self.numbers += 1
        row = {**_defaults(table, self.numbers), **values}
        connection = conn or self.conn
        connection.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                sql.Identifier("shop", table),
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(sql.Placeholder() * len(row)),
            ),
            list(row.values()),
        )
        if conn is None:
            self.conn.commit()
        return row.get("id")

    def person(self, number: int, *, overdue: bool = True) -> int:
        """A person with one record of each kind that follows a person, and none that outlives it."""
        self.add("person", id=number, email=f"person{number}@shop.example")
        self.add("lead", id=number, person_id=number)
        self.add("contact", id=number, person_id=number)
        self.add("mail", id=number, from_address=f"Person{number}@shop.example ")
        self.add("recording", id=number, person_id=number)
        self.add("visit", person_id=number)
        if overdue:
            self.overdue.add(number)
        return number

    def customer(self, number: int, *, overdue: bool = True) -> int:
        """A person with an assignment in two versions, its document and a third person in that."""
        self.person(number, overdue=overdue)
        for days in (0, 9):
            self.add(
                "assignment",
                id=number,
                person_id=number,
                _fivetran_start=LONG_AGO + timedelta(days=days),
                _fivetran_active=days == 9,
            )
        self.add("document", id=number, assignment_id=number)
        self.add("party", id=f"party-{number}", document_id=number)
        return number

    def buyer(self, number: int, *, overdue: bool = True) -> str:
        """A person with a paid charge, whose row accounting keeps: its receipt address and its note
        are needed by nobody else. Returns the charge's key."""
        self.person(number, overdue=overdue)
        self.add("account", id=f"acc_{number}", email=f"person{number}@shop.example")
        charge = f"ch_{number}"
        self.add(
            "charge",
            id=charge,
            account_id=f"acc_{number}",
            buyer=f"Navn {number}",
            receipt_email=f"person{number}@shop.example",
            note="ring meg",
        )
        return charge

    def judge(self, table: str, key: object, status: str) -> None:
        """From the next classification on, the record has this status."""
        self.judged[(table, str(key))] = status

    def stand(
        self, table: str, key: object, rule: str, until: date | None, review: str | None = None
    ) -> None:
        """From the next classification on, the record's row stands under this ground too."""
        self.grounds.append((table, str(key), rule, until, review))

    def classify(self) -> None:
        """Make staging, cases and records from what has landed, as of today, and say so."""
        code = code_hash(self.settings, self.declarations)
        number = classifications.begin(self.conn, today(self.conn), code)
        self.build_models()
        classifications.finish(self.conn, number)

    def classify_without(self, *set_aside: str) -> None:
        """Classify as the models do when tables were set aside: of those nothing is read."""
        self.set_aside = set(set_aside)
        self.classify()
        self.set_aside = set()

    def build_models(self) -> None:
        self.conn.execute(AS_CLASSIFIER)
        _build(
            self.conn,
            self.declarations,
            self.overdue,
            self.judged,
            self.grounds,
            self.set_aside,
        )
        self.conn.commit()

    def plan(self) -> Plan:
        return create(self.settings)

    def approve(self, plan: Plan) -> Plan:
        return approve(self.approver, plan.plan_id, plan.digest)

    def approved_plan(self) -> Plan:
        """Classify what has landed, plan and approve."""
        self.classify()
        return self.approve(self.plan())

    def hold(self, scope: holds.Scope, target: str, **options: Any) -> UUID:
        """Place a hold, or another kind of blocker, on what was classified."""
        values = {"kind": "hold", "reason": "a complaint", "authority": "the court", **options}
        return holds.place(self.settings, scope=scope, target=target, **values)

    def keys(self, table: str) -> set[str]:
        """The ids of the rows that lie in a landing table now."""
        column = {"objection": "email", "visit": "person_id"}.get(table, "id")
        rows = self.conn.execute(
            sql.SQL("select distinct {}::text from {}").format(
                sql.Identifier(column), sql.Identifier("shop", table)
            )
        ).fetchall()
        self.conn.commit()
        return {row[0] for row in rows}

    def tables_with(self, number: int) -> set[str]:
        """The tables in which a row of that person lies that `person` or `customer` landed."""
        names = {"party": f"party-{number}"}
        return {
            table.name
            for table in self.declarations.governed
            if names.get(table.name, str(number)) in self.keys(table.name)
        }

    def rows(self) -> set[str]:
        """Every landing row as text, system columns included, with the table it lies in."""
        found: set[str] = set()
        for table in self.declarations.staged:
            rows = self.conn.execute(
                sql.SQL("select landed::text from {} as landed").format(
                    sql.Identifier("shop", table.name)
                )
            ).fetchall()
            found |= {f"{table.name}{row[0]}" for row in rows}
        self.conn.commit()
        return found

    def one(self, query: str, *values: Any) -> Any:
        row = self.conn.execute(query, values).fetchone()
        self.conn.commit()
        assert row is not None
        return row[0]

    def outcome(self, plan: Plan) -> dict[str, int]:
        """What became of the plan's items."""
        rows = self.conn.execute(
            "select coalesce(skip_reason, state), count(*) from ledger.plan_items"
            " where plan_id = %s group by 1",
            (plan.plan_id,),
        ).fetchall()
        self.conn.commit()
        return dict(rows)


def open_shop(settings: Settings, approver_url: str, folder: Path) -> Shop:
    """Land the empty tables of the shop and what a classification needs besides them."""
    declarations = folder / "declarations"
    models = folder / "dbt_project" / "models"
    for path in (declarations, models):
        path.mkdir(parents=True)
    (declarations / "_shop__sources.yml").write_text(DECLARATIONS)
    (models / "records.sql").write_text("select 1")
    ours = dataclasses.replace(
        settings, project=folder, declarations_dir=declarations, dbt_dir=folder / "dbt_project"
    )
    make_keys(ours)
    write_manifest(ours)
    conn = connect(ours)
    _run(conn, LANDING)
    policy = in_force(load_versions(ours.policy_dir), today(conn))
    conn.execute(AS_CLASSIFIER)
    _run(conn, "create schema policy; create schema staging; create schema intermediate;")
    _run(conn, "create schema retention;")
    conn.execute(
        "create table policy.policy_settings as select %s::text as policy_version,"
        " %s::text as policy_hash, 30 as plan_valid_days, 14 as order_patience_days,"
        " 3 as backup_horizon_months, 0 as backup_horizon_days",
        (policy.version, policy.hash),
    )
    conn.execute(
        "create table policy.policy_rules as select rule_id, '6'::text as clause,"
        " 'ord'::text as clause_text, 'purge'::text as disposition, 'text'::text as mark,"
        " 'approved'::text as approval,"
        " rule_id in ('R1', 'R2') as unattended from unnest(%s::text[]) as rule_id",
        (["R1", "R2", "R3", "R4", "R5", "SUPPORTING", "RIGHTS", "OWN", "ERASURE", "CONSENT"],),
    )
    conn.execute(
        "create table policy.policy_consent_purposes as"
        " select purpose, on_withdrawal, 'approved'::text as approval"
        " from (values ('union_membership', 'erase'), ('optional_cookies', 'erase'),"
        " ('share_back', 'stop')) as t (purpose, on_withdrawal)"
    )
    hindrances = [(one.rule, one.outcome, one.law) for one in policy.rights.hindrances]
    conn.execute(
        "create table policy.policy_hindrances as select rule_id, outcome, law, 'law'::text as mark,"
        " 'approved'::text as approval"
        " from unnest(%s::text[], %s::text[], %s::text[]) as t (rule_id, outcome, law)",
        [list(column) for column in zip(*hindrances, strict=True)],
    )
    conn.execute(
        "create table policy.policy_recipients as select * from (values"
        " ('shop_system', 'Shop', 'processor', 'shop', true),"
        " ('loader', 'Loader', 'processor', 'shop', false),"
        " ('elsewhere', 'Elsewhere', 'processor', 'other', true),"
        " ('hosting', 'Hosting', 'processor', null, true),"
        " ('partners', 'Partners', 'joint_controller', null, true)"
        ") as r (recipient_id, name, role, source_schema, notify)"
    )
    conn.execute(
        "create table policy.policy_unattended as select 1000 as most_records,"
        " 100 as most_table_share_percent, 0 as at_least_days, 45 as at_most_days,"
        " null::text as never_purge, 'approved'::text as approval,"
        " 'the board'::text as approved_by, '2026-01-02'::date as approved_on"
    )
    conn.commit()
    return Shop(
        settings=ours,
        approver=dataclasses.replace(ours, database_url=approver_url),
        conn=conn,
        declarations=load_declarations(ours.declarations_dir),
    )


def today(conn: Connection) -> date:
    """The day in Oslo, as the database sees it."""
    row = conn.execute("select ledger.today()").fetchone()
    conn.commit()
    assert row is not None
    found: date = row[0]
    return found


def _defaults(table: str, number: int) -> dict[str, Any]:
    moment = LONG_AGO + timedelta(minutes=number)
    defaults: dict[str, dict[str, Any]] = {
        "person": {
            "id": number,
            "created_at": moment,
            "name": f"Navn {number}",
            "email": f"p{number}@shop.example",
            "_fivetran_deleted": False,
        },
        "lead": {"id": number, "partner_id": 1, "received_at": moment, "name": f"Navn {number}"},
        "contact": {"id": number, "kind": "call", "occurred_at": moment, "notes": "snakket"},
        "mail": {"id": number, "purpose": "inquiry", "received_at": moment},
        # Without an object in a store outside, which would have to go first: test_orders.py.
        "recording": {"id": number, "recorded_at": moment, "object_url": None},
        "handover": {"id": number, "scope": "inside", "partner_id": 1, "handed_over_at": moment},
        "partner": {
            "id": number,
            "is_union": False,
            "instruction_id": "i1",
            "instruction_period": "P1M",
        },
        "consent": {"id": number, "purpose": "union_membership", "given_at": moment},
        "cookie": {"id": number, "cookie": "spor"},
        "assignment": {
            "id": number,
            "type": "advice",
            "state": "completed",
            "title": "Sak",
            "opened_at": moment,
            "completed_at": moment,
            "_fivetran_start": moment,
            "_fivetran_active": True,
        },
        "document": {"id": number, "file_name": "sak.pdf", "created_at": moment},
        "party": {"id": str(number), "name": f"Tredje {number}"},
        "account": {"id": f"acc_{number}", "email": f"p{number}@shop.example"},
        "charge": {"id": f"ch_{number}", "amount": number, "charged_at": moment},
        "request": {
            "id": number,
            "state": "received",
            "right_asserted": "access",
            "received_at": moment,
        },
        "objection": {"email": f"nei{number}@shop.example", "objected_at": moment},
        "visit": {"visited_at": moment, "page": f'side "{number}"', "browser": "x"},
    }
    return {**defaults[table], "_fivetran_synced": moment}


def _build(
    conn: Connection,
    declarations: Declarations,
    overdue: Iterable[int],
    judged: Mapping[tuple[str, str], str],
    grounds: Sequence[tuple[str, str, str, date | None, str | None]],
    set_aside: set[str],
) -> None:
    for schema in ("staging", "intermediate", "retention"):
        _run(conn, f"drop schema {schema} cascade; create schema {schema};")
    for table in declarations.staged:
        facts = _facts_of(table) if table.name not in set_aside else _NO_FACTS
        _run(conn, f"create table staging.{table.staging_model} as {facts}")
    columns = ", ".join([*COLUMNS, "inputs_hash"])
    unioned = " union all ".join(
        f"select {columns} from staging.{t.staging_model}" for t in declarations.staged
    )
    _run(
        conn,
        "create table intermediate.int_records_unioned as"
        f" select u.*, row_number() over () as row_id from ({unioned}) as u",
    )
    described = [describe(table) for table in declarations.governed]
    conn.execute(
        "create table policy.declared_tables as select * from jsonb_to_recordset(%s) as t ("
        "source_schema text, source_table text, is_governed boolean, key_columns text,"
        " key_is_personal boolean, follows text, subject_link text, subject_to text,"
        " assignment_link text, assignment_to text, consented_purpose text,"
        " consented_columns text, consented_by_partner boolean)"
        if not _exists(conn, "policy.declared_tables")
        else "select %s::jsonb",
        (psycopg.types.json.Jsonb(described),),
    )
    _run(conn, _CASES)
    conn.execute("select ledger.assign_subject_tokens('intermediate.int_subjects')")
    _run(conn, _CASES_FINAL)
    conn.execute(
        "create table intermediate.judged as select * from unnest(%s::text[], %s::text[], %s::text[])"
        " as t (source_table, record_key, status)",
        (
            [table for table, _ in judged],
            [key for _, key in judged],
            list(judged.values()),
        ),
    )
    conn.execute(
        "create table intermediate.overdue as select 'shop.person:' || n as subject_id"
        " from unnest(%s::bigint[]) as n",
        (list(overdue),),
    )
    conn.execute(
        "create table intermediate.rules as select * from unnest(%s::text[], %s::text[], %s::text[])"
        " as t (source_table, rule_id, category)",
        (list(RULES), [rule for rule, _ in RULES.values()], [c for _, c in RULES.values()]),
    )
    conn.execute(
        "create table intermediate.further_grounds as select * from unnest(%s::text[], %s::text[],"
        " %s::text[], %s::date[], %s::text[])"
        " as t (source_table, record_key, rule_id, last_day, review_reason)",
        [[ground[place] for ground in grounds] for place in range(5)],
    )
    _run(conn, _LIVES)
    _run(conn, _CONSENTS)
    conn.execute("select ledger.decide_withdrawals()")
    _run(conn, _RECORDS)
    # As the models' post-hooks do.
    _run(conn, "grant select on all tables in schema policy, retention to retention_reader")


def _facts_of(table: TableDeclaration) -> str:
    """As the staging models do, with what a look at the live rows does not ask."""
    relation = f'"{table.schema_}"."{table.name}"'
    return select_facts(
        table,
        relation,
        has_minimisable=any_value(table.minimisable),
        has_consented=any_value(table.consented_columns)
        if table.consented_columns
        else str(bool(table.consented)).lower(),
    )


def _exists(conn: Connection, name: str) -> bool:
    row = conn.execute("select to_regclass(%s) is not null", (name,)).fetchone()
    return bool(row and row[0])


def _run(conn: Connection, text: str) -> None:
    conn.execute(text)


_NO_FACTS = (
    "select "
    + ", ".join(f"null::{kind} as {name}" for name, kind in COLUMNS.items())
    + ", null::text as inputs_hash where false"
)

_CASES = """
create table intermediate.int_subjects as
select distinct on (entity_key) source_schema || '.' || source_table || ':' || entity_key as subject_id,
    source_schema, source_table, entity_key, link_hashes, record_key
from intermediate.int_records_unioned where source_table = 'person' order by entity_key;

create table intermediate.int_linked as
with records as (
    select u.*, d.follows, d.subject_link, d.subject_to, d.assignment_link, d.assignment_to,
        u.source_schema || '.' || u.source_table as qualified
    from intermediate.int_records_unioned as u join policy.declared_tables as d
        using (source_schema, source_table)
),
direct as (
    select records.*,
        case subject_link
            when 'self' then qualified || ':' || entity_key
            when 'foreign_key' then (
                select s.subject_id from intermediate.int_subjects as s where s.entity_key = link_key
            )
            when 'contact_point' then (
                select case when count(*) = 1 then min(s.subject_id) end
                from intermediate.int_subjects as s
                where string_to_array(s.link_hashes, ' ') && string_to_array(records.link_hashes, ' ')
            )
        end as subject_0,
        case
            when assignment_state is not null then qualified || ':' || entity_key
            when assignment_link = 'foreign_key' then assignment_to || ':' || assignment_key
        end as assignment_0
    from records
)
select child.*,
    coalesce(child.subject_0, (
        select max(parent.subject_0) from direct as parent
        where child.subject_link = 'through' and parent.qualified = child.subject_to
        and parent.entity_key = child.link_key
    )) as subject_id,
    coalesce(child.assignment_0, (
        select max(parent.assignment_0) from direct as parent
        where child.assignment_link = 'through' and parent.qualified = child.assignment_to
        and parent.entity_key = child.assignment_key
    )) as assignment_id
from direct as child;
"""

_CASES_FINAL = """
create table intermediate.int_record_cases as
select linked.row_id, linked.source_schema, linked.source_table, linked.record_key,
    coalesce(linked.subject_id, linked.assignment_id, linked.qualified || ':' || linked.record_key)
        as case_id,
    linked.subject_id, tokens.subject_token, linked.assignment_id, linked.follows, linked.inputs_hash,
    linked.anchor_on, linked.collected_at,
    linked.has_minimisable, true as has_unique_key
from intermediate.int_linked as linked
left join ledger.subject_tokens as tokens on tokens.subject_id = linked.subject_id;
create table intermediate.int_record_candidates as
with shared as (
    select linked.row_id, linked.qualified, linked.entity_key, s.subject_id
    from intermediate.int_linked as linked join intermediate.int_subjects as s
        on string_to_array(s.link_hashes, ' ') && string_to_array(linked.link_hashes, ' ')
    where linked.subject_link = 'contact_point' and linked.subject_id is null
)
select row_id, subject_id from shared
union
select child.row_id, shared.subject_id
from intermediate.int_linked as child join shared
    on child.subject_link = 'through' and child.subject_to = shared.qualified
    and child.link_key = shared.entity_key;
create table intermediate.int_contact_points as
select distinct source_schema || '.' || source_table as subject_table,
    unnest(string_to_array(link_hashes, ' ')) as link_hash, subject_id
from intermediate.int_subjects;
create table intermediate.int_record_mentions as
select distinct linked.row_id, points.subject_id
from intermediate.int_linked as linked join intermediate.int_contact_points as points
    on points.link_hash = any(string_to_array(linked.link_hashes, ' '))
where linked.subject_link = '';
create table intermediate.int_person_partners as
select linked.subject_id, linked.source_schema, linked.source_table, linked.record_key,
    linked.partner_key, linked.handover_at,
    case when linked.source_table = 'lead' then 'lead' when linked.handover_is_outside then 'outside'
    else 'joint' end as how
from intermediate.int_linked as linked
where linked.source_table in ('lead', 'handover') and linked.subject_id is not null;
drop table intermediate.int_linked;
create index on intermediate.int_record_cases (source_schema, source_table, record_key);
create index on intermediate.int_record_cases (case_id);
create table intermediate.int_case_fingerprints as
select case_id, count(*)::text || ':' || sum(hashtextextended(
    source_schema || '.' || source_table || ':' || record_key || ':' || inputs_hash
    || coalesce((
        select string_agg(subject_id, ' ' order by subject_id)
        from intermediate.int_record_candidates as candidates where candidates.row_id = cases.row_id
    ), ''), 0
)::numeric)::text as fingerprint
from intermediate.int_record_cases as cases group by case_id;
create table intermediate.int_assignments_decided as
select cases.assignment_id, max(cases.subject_id) as subject_id,
    greatest(max(facts.completed_on), max(restarts.restarted_on)) as anchor_on
from intermediate.int_record_cases as cases
join intermediate.int_records_unioned as facts using (row_id)
left join ledger.assignment_restarts as restarts on restarts.assignment_id = cases.assignment_id
where facts.assignment_state = 'completed' group by cases.assignment_id;
"""

_LIVES = """
create table intermediate.int_person_winners as
select subject_id, 'R3'::text as rule_id from intermediate.int_subjects;
create table intermediate.int_leads_decided as
select cases.row_id, cases.subject_id, false as is_registration, coalesce(
    remembered.received_on,
    min(cases.anchor_on) over (partition by cases.subject_id, facts.partner_key)
) as anchor_on
from intermediate.int_record_cases as cases
join intermediate.int_records_unioned as facts using (row_id)
left join ledger.received_via_partner as remembered
    on (remembered.source_schema, remembered.source_table, remembered.record_key)
    = (cases.source_schema, cases.source_table, cases.record_key)
where cases.source_table = 'lead';
create table intermediate.int_handovers_decided as
select cases.subject_id, max(facts.handover_at) as referred_at,
    max(partners.instruction_period::interval) as instruction_period
from intermediate.int_record_cases as cases
join intermediate.int_records_unioned as facts using (row_id)
left join intermediate.int_records_unioned as partners
    on partners.source_table = 'partner' and partners.partner_key = facts.partner_key
where facts.handover_is_outside group by cases.subject_id;
"""

_CONSENTS = """
create table intermediate.int_consents_decided as
select cases.subject_token, facts.consent_purpose as purpose,
    max(facts.consent_given_at) as given_at, max(facts.consent_withdrawn_at) as withdrawn_at,
    max(facts.consent_withdrawn_at)::date as withdrawn_on,
    coalesce(
        max(facts.consent_withdrawn_at) >= max(facts.consent_given_at), false
    ) as is_withdrawn
from (
    select cases.subject_token, facts.consent_purpose, facts.consent_given_at, facts.consent_withdrawn_at
    from intermediate.int_record_cases as cases
    join intermediate.int_records_unioned as facts using (row_id)
    where facts.consent_purpose is not null
    union all
    select subject_token, purpose, null, sletteplikt.utc_time(received_on + 1)
    from ledger.requests
    where asserted = 'withdrawal' and decided_at is not null and outcome is distinct from 'refused'
) as facts
cross join lateral (select facts.subject_token) as cases
where facts.consent_purpose is not null and cases.subject_token is not null group by 1, 2;
create table intermediate.int_withdrawn_records as
select cases.row_id, cases.source_schema, cases.source_table, cases.record_key,
    declared.consented_purpose as purpose, declared.consented_columns, consents.withdrawn_on,
    (
        select min(asked.request_id::text)::uuid from ledger.requests as asked
        where asked.subject_token = consents.subject_token and asked.purpose = consents.purpose
        and asked.decided_at is not null
    ) as request_id, purposes.approval = 'approved' as is_approved
from intermediate.int_record_cases as cases
join intermediate.int_records_unioned as facts using (row_id)
join policy.declared_tables as declared
    on (declared.source_schema, declared.source_table) = (cases.source_schema, cases.source_table)
join policy.policy_consent_purposes as purposes on purposes.purpose = declared.consented_purpose
join intermediate.int_consents_decided as consents
    on consents.subject_token = cases.subject_token and consents.purpose = purposes.purpose
where consents.is_withdrawn and facts.has_consented and (
    not declared.consented_by_partner or facts.partner_key in (
        select partner_key from intermediate.int_records_unioned
        where reveals_purpose = 'union_membership'
    )
);
"""

_RECORDS = """
create table retention.records as
with judged as (
    select cases.*,
        case when partners.is_processor and coalesce(rules.rule_id, '') not in ('R5', 'RIGHTS', 'OWN')
            then 'PROCESSOR' else coalesce(rules.rule_id, 'SUPPORTING') end as rule_id,
        case when partners.is_processor then 'processor' when partners.is_joint then 'joint_controller'
            else 'controller' end as controller_role,
        coalesce(rules.category, 'supporting') as category,
        coalesce(said.status, case
            when cases.source_table in ('charge', 'request', 'objection') then 'retained'
            when overdue.subject_id is not null then 'overdue'
            -- A third person's record follows the assignment of an overdue person.
            when exists (
                select from intermediate.int_record_cases as own
                join intermediate.overdue as theirs using (subject_id)
                where own.assignment_id = cases.assignment_id
            ) then 'overdue'
            else 'retained'
        end) as status
    from intermediate.int_record_cases as cases
    left join intermediate.rules as rules using (source_table)
    left join intermediate.judged as said using (source_table, record_key)
    left join intermediate.overdue as overdue on overdue.subject_id = cases.subject_id
    left join lateral (
        select bool_or(p.how = 'joint') as is_joint,
            cases.collected_at > min(p.handover_at) filter (where p.how = 'outside') as is_processor
        from intermediate.int_person_partners as p where p.subject_id = cases.subject_id
    ) as partners on true
)
select source_schema, source_table, record_key, subject_token, controller_role,
    category, rule_id, '6'::text as policy_clause, 'v'::text as policy_version,
    ledger.today() - 400 as anchor_on,
    case when status = 'overdue' then ledger.today() - 31 else ledger.today() + 299 end as last_day,
    case when status = 'overdue' then ledger.today() - 30 else ledger.today() + 300 end as due_on,
    'purge'::text as disposition, status, '{}'::text[] as blocked_by, null::text as reason,
    ledger.today() as as_of
from judged;
create index on retention.records (source_schema, source_table, record_key);
-- What was decided: an erasure makes due at once, a lock until its last day.
update retention.records as records
set status = 'overdue', anchor_on = erased.decided_on,
    rule_id = case erased.basis when 'withdrawal' then 'CONSENT' else 'ERASURE' end,
    last_day = erased.decided_on - 1, due_on = erased.decided_on
from (
    select distinct on (source_schema, source_table, record_key) source_schema, source_table, record_key,
        outcome, basis, sletteplikt.local_date(decided_at) as decided_on
    from ledger.erasure_decisions where record_key is not null and columns = '{}'
    order by source_schema, source_table, record_key, basis = 'withdrawal' desc, decided_at desc
) as erased
where erased.outcome = 'erase' and records.status not in ('held', 'restricted')
and (records.source_schema, records.source_table, records.record_key)
    = (erased.source_schema, erased.source_table, erased.record_key);
update retention.records as records
set status = case when locks.until_on < records.as_of then 'overdue' else 'locked' end,
    last_day = locks.until_on, due_on = locks.until_on + 1
from ledger.blockers as locks
where locks.kind = 'lock' and locks.scope = 'record' and locks.released_at is null
and locks.target = records.source_schema || '.' || records.source_table || ':' || records.record_key
and records.status not in ('held', 'restricted');
create table intermediate.int_records_decided as
select cases.row_id, cases.case_id, records.*, records.policy_clause as clause
from retention.records as records join intermediate.int_record_cases as cases
    using (source_schema, source_table, record_key);
create table intermediate.int_out_of_use as
select source_schema, source_table, record_key, cases.record_key as entity_key,
    null::text as row_hash, status
from retention.records inner join intermediate.int_record_cases as cases
    using (source_schema, source_table, record_key)
where status in ('locked', 'restricted');
create table retention.grounds as
select source_schema, source_table, record_key, 'row'::text as column_group, rule_id, category,
    anchor_on, due_on, false as needs_review, true as approved, true as wins
from retention.records;
-- What accounting does not need goes with the person, or by the dates kept when the person was purged.
insert into retention.grounds
select cases.source_schema, cases.source_table, cases.record_key, 'person', 'R3', 'customer_no_advice',
    ledger.today() - 400, case when overdue.subject_id is null then ledger.today() + 300
    else ledger.today() - 30 end, false, true, true
from intermediate.int_record_cases as cases
left join intermediate.overdue as overdue using (subject_id)
where cases.source_table = 'charge' and cases.subject_id is not null;
insert into retention.grounds
select kept.source_schema, kept.source_table, kept.record_key, kept.column_group, kept.rule_id,
    'customer_no_advice', kept.anchor_on, kept.due_on, false, true, true
from ledger.column_grounds as kept
join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)
where cases.subject_id is null;
-- What a withdrawn consent erases of a row that stays, by the decision that was made of it.
insert into retention.grounds
select withdrawn.source_schema, withdrawn.source_table, withdrawn.record_key, 'consent', 'CONSENT', null,
    withdrawn.withdrawn_on, withdrawn.withdrawn_on, false, true, true
from intermediate.int_withdrawn_records as withdrawn
join ledger.erasure_decisions as decisions
    on decisions.basis = 'withdrawal' and decisions.columns <> '{}'
    and (decisions.source_schema, decisions.source_table, decisions.record_key)
    = (withdrawn.source_schema, withdrawn.source_table, withdrawn.record_key);
update retention.records as records set disposition = 'minimise'
from retention.grounds as grounds, intermediate.int_record_cases as cases
where grounds.column_group = 'person' and grounds.due_on <= records.as_of
and records.due_on > records.as_of and cases.has_minimisable
and (records.source_schema, records.source_table, records.record_key)
    = (grounds.source_schema, grounds.source_table, grounds.record_key)
and (records.source_schema, records.source_table, records.record_key)
    = (cases.source_schema, cases.source_table, cases.record_key);
create table intermediate.int_record_grounds as
select cases.row_id, 'controller'::text as controller_role, case
        when cases.source_table = 'charge' then 'accounting'
        when cases.source_table in ('request', 'objection') then 'rule'
        else cases.follows
    end as path, grounds.column_group, grounds.rule_id,
    case grounds.rule_id when 'SUPPORTING' then 'R3' else grounds.rule_id end as basis_rule_id,
    grounds.category, grounds.anchor_on, grounds.due_on - 1 as last_day, null::text as review_reason,
    true as is_approved, grounds.wins
from retention.grounds as grounds
join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)
union all
select cases.row_id, 'controller', cases.follows, 'row', further.rule_id, further.rule_id, null, null,
    further.last_day, further.review_reason, true, false
from intermediate.further_grounds as further
join intermediate.int_record_cases as cases using (source_table, record_key);
create index on intermediate.int_record_grounds (row_id);
delete from retention.grounds as grounds using retention.records as records
where records.status = 'locked'
and (records.source_schema, records.source_table, records.record_key)
    = (grounds.source_schema, grounds.source_table, grounds.record_key);
update retention.records set subject_token = null, controller_role = null, category = null, rule_id = null,
    policy_clause = null, anchor_on = null, last_day = null, due_on = null, disposition = null
where status = 'locked';
create table intermediate.int_clock as
select ledger.today() as as_of, policy_version, policy_hash, 30 as due_soon_days, 30 as grace_days,
    30 as review_by_days
from policy.policy_settings;
grant select on intermediate.int_clock to retention_reader;
create table retention.summary as
select source_schema, source_table, category, status, count(*) as records,
    min(due_on) as oldest_due_on, as_of
from retention.records group by source_schema, source_table, category, status, as_of;
create table retention.review_queue as
select source_schema, source_table, record_key, reason, as_of as review_since, as_of + 30 as review_by,
    true as is_in_time, as_of
from retention.records where status = 'review';
create table intermediate.int_returns_judged (source_schema text, source_table text, verdict text,
    purged_on date);
grant select on intermediate.int_returns_judged to retention_reader;
create view intermediate.some_view as select source_schema, source_table, record_key from retention.records;
drop table intermediate.judged, intermediate.overdue, intermediate.rules, intermediate.further_grounds;
analyze retention.records, intermediate.int_record_cases, intermediate.int_case_fingerprints;
"""
