"""Reading back what was purged. Shares no code with the purge.

Belongs here: looking, with queries of its own, whether anything that was purged is still there or came
back, and whether plan, tombstones and evidence tell the same story. Does not belong here: mending what
it finds.

A row is recognised by its token alone: the key of every row that lies in landing or in a relation of
the models is run through the same keyed hash, and met with the tombstones.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import rfc8785
from psycopg import sql

from retention import verify_columns
from retention.declarations import TableDeclaration, load_declarations
from retention.keys import MasterKey, load_key, refuse_logged_values
from retention.ledger import entries
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect

Connection = psycopg.Connection[Any]

_MODEL_SCHEMAS = ("staging", "intermediate", "retention")


@dataclass(frozen=True)
class Finding:
    """Something that should not be: where, what, and how many. Never a key."""

    where: str
    what: str
    count: int


@dataclass(frozen=True)
class ReadBack:
    """The result of a read-back. `checked` counts rows looked at, `returned` those purged once that
    stand there again with a newer anchor: a person who came back is a new record; `column_tombstones`
    those of rows that stay and were minimised."""

    findings: tuple[Finding, ...]
    checked: int
    tombstones: int
    returned: int
    column_tombstones: int


def read_back(settings: Settings, plan_id: UUID | None = None) -> ReadBack:
    """Look for what the plan purged, or for what any plan purged, and leave the result as evidence.

    Raises Refused where the HMAC key is missing, UsageError where a declaration does not hold.
    """
    declarations = load_declarations(settings.declarations_dir)
    with connect(settings) as conn, safe_errors("reading back"):
        refuse_logged_values(conn)
        key = load_key(settings, conn)
        conn.rollback()
        # One snapshot for every count, so that a load going on cannot make two of them disagree.
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with conn.transaction():
            result = _read_back(conn, declarations.tables, key, plan_id)
        conn.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        with conn.transaction():
            _leave_evidence(conn, plan_id, result)
    return result


def _read_back(
    conn: Connection,
    tables: tuple[TableDeclaration, ...],
    key: MasterKey,
    plan_id: UUID | None,
) -> ReadBack:
    buried = dict(
        conn.execute(
            "select source_schema || '.' || source_table, count(*) from ledger.tombstones"
            " where coalesce(plan_id = %s, true) group by 1",
            (plan_id,),
        ).fetchall()
    )
    findings: list[Finding] = []
    checked = returned = 0
    for table in tables:
        if table.qualified not in buried or not table.key:
            continue
        for where, relation, key_text in _places(conn, table):
            rows, hits, newer = _count_hits(conn, table, relation, key_text, key, plan_id)
            checked += rows
            returned += newer
            if hits:
                findings.append(Finding(where, f"purged rows of {table.qualified} are there", hits))
    declared = {table.qualified for table in tables}
    findings += [
        Finding(name, "purged from, but declared no more: it cannot be read back", count)
        for name, count in sorted(buried.items())
        if name not in declared
    ]
    emptied = verify_columns.read_back(conn, tables, key, plan_id, _written_key)
    findings += [Finding(where, what, count) for where, what, count in emptied.findings]
    findings += _story(conn, plan_id)
    return ReadBack(
        tuple(findings),
        checked + emptied.checked,
        sum(buried.values()),
        returned,
        emptied.tombstones,
    )


def _places(
    conn: Connection, table: TableDeclaration
) -> Iterator[tuple[str, sql.Composable, sql.Composable]]:
    """Where rows of the table, or copies of them, can lie: a name, what to select from, the key."""
    types = dict(
        conn.execute(
            "select a.attname, a.atttypid::regtype::text from pg_catalog.pg_attribute as a"
            " where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped",
            (f'"{table.schema_}"."{table.name}"',),
        ).fetchall()
    )
    if types.keys() >= set(table.key):
        yield (
            table.qualified,
            sql.Identifier(table.schema_, table.name),
            _written_key(table, types),
        )
    models = conn.execute(
        """
        select table_schema, table_name from information_schema.columns
        where table_schema = any(%s)
        and column_name in ('source_schema', 'source_table', 'record_key')
        group by table_schema, table_name having count(*) = 3 order by 1, 2
        """,
        (list(_MODEL_SCHEMAS),),
    ).fetchall()
    for schema, name in models:
        yield (
            f"{schema}.{name}",
            sql.SQL("(select * from {} where source_schema = {} and source_table = {})").format(
                sql.Identifier(schema, name), sql.Literal(table.schema_), sql.Literal(table.name)
            ),
            sql.SQL("held.record_key"),
        )


def _written_key(table: TableDeclaration, types: dict[str, str]) -> sql.Composable:
    """The key of a landing row as the contract writes it: one column as text; several as a JSON array
    of strings, timestamps as UTC ISO; a personal key as its salted hash."""
    if table.key_is_personal:
        return sql.SQL(
            "(select encode(sha256(salt || convert_to('key:' || held.{}::text, 'UTF8')), 'hex')"
            " from ledger.link_salt)"
        ).format(sql.Identifier(table.key[0]))
    parts = [_as_text(column, types[column]) for column in table.key]
    if len(parts) == 1:
        return parts[0]
    listed = sql.SQL(" || ',' || ").join(
        sql.SQL("coalesce(to_json({})::text, 'null')").format(part) for part in parts
    )
    return sql.SQL("'[' || {} || ']'").format(listed)


def _as_text(column: str, kind: str) -> sql.Composable:
    name = sql.Identifier(column)
    iso = sql.Literal('YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    if kind == "timestamp with time zone":
        return sql.SQL("to_char(held.{} at time zone 'UTC', {})").format(name, iso)
    if kind == "timestamp without time zone":
        return sql.SQL("to_char(held.{}, {})").format(name, iso)
    if kind == "date":
        return sql.SQL("to_char(held.{}, 'YYYY-MM-DD')").format(name)
    return sql.SQL("held.{}::text").format(name)


def _count_hits(
    conn: Connection,
    table: TableDeclaration,
    relation: sql.Composable,
    key_text: sql.Composable,
    key: MasterKey,
    plan_id: UUID | None,
) -> tuple[int, int, int]:
    """Rows looked at, rows that were purged, and those of them that are a newer record.

    Newer: the classification in force dates the record after the one that was purged."""
    inner, outer = key.pads(table.qualified)
    row = conn.execute(
        sql.SQL(
            """
            with present as (
                select {key_text} as record_key from {relation} as held
            ),
            hashed as (
                select record_key, sha256(
                    %(outer)s::bytea || sha256(%(inner)s::bytea || convert_to(record_key, 'UTF8'))
                ) as token
                from present
            ),
            buried as (
                select token, max(anchor_on) as anchor_on from ledger.tombstones
                where source_schema = %(schema)s and source_table = %(table)s
                and key_id = %(key_id)s and coalesce(plan_id = %(plan)s, true)
                group by token
            ),
            met as (
                select hashed.record_key, exists (
                    select from retention.records as now_held
                    where now_held.source_schema = %(schema)s and now_held.source_table = %(table)s
                    and now_held.record_key = hashed.record_key
                    and now_held.anchor_on > buried.anchor_on
                ) as is_newer
                from hashed join buried on buried.token = hashed.token
            )
            select (select count(*) from hashed), count(*) filter (where not is_newer),
                count(*) filter (where is_newer)
            from met
            """
        ).format(key_text=key_text, relation=relation),
        {
            "inner": inner,
            "outer": outer,
            "schema": table.schema_,
            "table": table.name,
            "key_id": key.key_id,
            "plan": plan_id,
        },
    ).fetchone()
    assert row is not None
    rows, hits, newer = row
    return rows, hits, newer


def _story(conn: Connection, plan_id: UUID | None) -> list[Finding]:
    """Where items, tombstones and evidence of a plan contradict each other."""
    plans = conn.execute(
        """
        select plans.plan_id, plans.digest, plans.state,
            count(items.*) filter (where items.state = 'purged'),
            count(items.*) filter (where items.state = 'minimised'),
            count(items.*) filter (where items.state not in ('planned') and (
                items.state in ('purged', 'minimised')
                or plans.state in ('executed', 'rejected', 'expired', 'superseded')
            ) and items.record_key is not null),
            (select count(*) from ledger.tombstones as t where t.plan_id = plans.plan_id),
            (select count(*) from ledger.column_tombstones as c where c.plan_id = plans.plan_id)
        from ledger.plans as plans
        left join ledger.plan_items as items on items.plan_id = plans.plan_id
        where coalesce(plans.plan_id = %s, plans.state in ('executing', 'executed'))
        group by plans.plan_id
        """,
        (plan_id,),
    ).fetchall()
    findings = []
    for plan, digest, state, purged, minimised, keys_left, tombstones, emptied in plans:
        written = entries.of_plan(conn, plan)
        batches = [entry.content for entry in written if entry.kind == "batch"]
        proven = sum(batch["purged"] for batch in batches)
        checks = [
            ("items purged and tombstones differ", abs(purged - tombstones)),
            ("rows purged and rows in evidence differ", abs(purged - proven)),
            ("items minimised and column tombstones differ", abs(minimised - emptied)),
            (
                "rows minimised and rows in evidence differ",
                abs(minimised - sum(batch.get("minimised", 0) for batch in batches)),
            ),
            ("items still hold keys", keys_left),
            ("evidence does not match its hash", sum(not _intact(entry) for entry in written)),
            ("batches do not match their tombstones", _wrong_roots(conn, plan, batches)),
            ("batches changed rows beside the plan", sum(_unaccounted(b) for b in batches)),
            (
                "approvals of another digest",
                sum(e.content["digest"] != digest for e in written if e.kind == "approval"),
            ),
            (
                "no evidence of its end",
                int(state == "executed" and not any(e.kind == "executed" for e in written)),
            ),
        ]
        findings += [Finding(f"plan {plan}", what, count) for what, count in checks if count]
    return findings


def _intact(entry: entries.Entry) -> bool:
    canonical = rfc8785.dumps(entry.content)
    return (
        canonical == entry.body.encode()
        and hashlib.sha256(b"\0" + canonical).hexdigest() == entry.leaf_hash
    )


def _unaccounted(batch: dict[str, Any]) -> int:
    return sum(t["rows_before"] - t["purged"] != t["rows_after"] for t in batch["tables"])


def _wrong_roots(conn: Connection, plan_id: UUID, batches: list[dict[str, Any]]) -> int:
    """Batches whose root is not the hash over their tombstones."""
    wrong = 0
    for batch in batches:
        # The disposition is the item's; a tombstone alone does not say it.
        rows = conn.execute(
            "select t.source_schema, t.source_table, t.token, i.disposition from ("
            " select plan_id, batch_no, source_schema, source_table, token from ledger.tombstones"
            " union all"
            " select plan_id, batch_no, source_schema, source_table, token from ledger.column_tombstones"
            " ) as t join ledger.plan_items as i"
            " on i.plan_id = t.plan_id and i.source_schema = t.source_schema"
            " and i.source_table = t.source_table and i.token = t.token"
            " where t.plan_id = %s and t.batch_no = %s",
            (plan_id, batch["batch_no"]),
        ).fetchall()
        lines = sorted(
            f"{schema}.{table}|{bytes(token).hex()}|{disposition}".encode()
            for schema, table, token, disposition in rows
        )
        wrong += hashlib.sha256(b"\n".join(lines)).hexdigest() != batch["tokens_root"]
    return wrong


def _leave_evidence(conn: Connection, plan_id: UUID | None, result: ReadBack) -> None:
    row = conn.execute("select ledger.iso_time(now()), session_user").fetchone()
    assert row is not None
    body: dict[str, Any] = {
        "at": row[0],
        "run_by": row[1],
        "checked": result.checked,
        "tombstones": result.tombstones,
        "returned": result.returned,
        "column_tombstones": result.column_tombstones,
        "findings": [{"where": f.where, "what": f.what, "count": f.count} for f in result.findings],
    }
    if plan_id is not None:
        body["plan_id"] = str(plan_id)
    entries.append(conn, "read_back", body)
