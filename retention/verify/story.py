"""Whether plan, items, tombstones and evidence tell the same story.

Belongs here: each way in which they can contradict each other. Does not belong here: looking for rows.
"""

import hashlib
from typing import Any
from uuid import UUID

import psycopg
import rfc8785

from retention.ledger import entries
from retention.verify.finding import Finding
from verifier.verify_evidence import tokens_root

Connection = psycopg.Connection[Any]


def contradictions(conn: Connection, plan_id: UUID | None) -> list[Finding]:
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
            (select count(*) from ledger.column_tombstones as c where c.plan_id = plans.plan_id),
            plans.tokens_forgotten_at is not null
        from ledger.plans as plans
        left join ledger.plan_items as items on items.plan_id = plans.plan_id
        where coalesce(plans.plan_id = %s, plans.state in ('executing', 'executed'))
        group by plans.plan_id
        """,
        (plan_id,),
    ).fetchall()
    findings = []
    for plan, digest, state, purged, minimised, keys_left, tombstones, emptied, forgotten in plans:
        written = entries.of_plan(conn, plan)
        batches = [entry.content for entry in written if entry.kind == "batch"]
        # Tokens that housekeeping let go are none of the evidence's rows any more: the evidence stays.
        tokens_of = [] if forgotten else batches
        proven = sum(batch["purged"] for batch in tokens_of)
        checks = [
            ("items purged and tombstones differ", abs(purged - tombstones)),
            ("rows purged and rows in evidence differ", abs(purged - proven)),
            ("items minimised and column tombstones differ", abs(minimised - emptied)),
            (
                "rows minimised and rows in evidence differ",
                abs(minimised - sum(batch.get("minimised", 0) for batch in tokens_of)),
            ),
            ("items still hold keys", keys_left),
            ("deletion orders still hold what purged rows pointed to", _pointers_left(conn, plan)),
            ("evidence does not match its hash", sum(not _intact(entry) for entry in written)),
            ("batches do not match their tombstones", _wrong_roots(conn, plan, tokens_of)),
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


def _pointers_left(conn: Connection, plan_id: UUID) -> int:
    """Orders from before a row was purged, and not erased with it."""
    row = conn.execute(
        "select count(*) from ledger.tombstones as t join ledger.deletion_orders as o"
        " using (source_schema, source_table, token)"
        " where t.plan_id = %s and o.ordered_at <= t.purged_at and o.object_pointer is not null",
        (plan_id,),
    ).fetchone()
    return int(row[0]) if row else 0


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
        rows = conn.execute(
            "select source_schema, source_table, token, 'purge' from ledger.tombstones"
            " where plan_id = %(plan)s and batch_no = %(batch)s"
            " union select source_schema, source_table, token, 'minimise'"
            " from ledger.column_tombstones where plan_id = %(plan)s and batch_no = %(batch)s",
            {"plan": plan_id, "batch": batch["batch_no"]},
        ).fetchall()
        lines = [
            f"{schema}.{table}|{bytes(token).hex()}|{disposition}"
            for schema, table, token, disposition in rows
        ]
        wrong += tokens_root(lines) != batch["tokens_root"]
    return wrong
