"""The deletion report (slettebevis) of one plan: what was purged, why, by whom, and what proves it.

Belongs here: gathering it from the ledger, and writing it as one file. Does not belong here: reading
landing or the models; everything in it is counts, dates, hashes and logins.

The same ledger gives the same bytes: the times shown are the recorded ones.
"""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import rfc8785

from retention import state
from retention.errors import UsageError
from retention.files import replace_text
from retention.ledger import entries
from retention.ledger.failures import safe_errors
from retention.purge.external import UNCONFIRMED
from retention.settings import Settings
from retention.warehouse.connection import connect

LEVEL = "logical"
NOT_COVERED = (
    "Disk pages, indexes and statistics may hold values of deleted rows until they are rewritten.",
    "Write-ahead log, replicas and backups hold them until they have rotated.",
    "Recordings, documents and scans outside the warehouse: their stores said that they deleted them.",
    "Source systems: what they send again is recognised by its tombstone and due again.",
)

Connection = psycopg.Connection[Any]


def build(settings: Settings, plan_id: UUID) -> dict[str, Any]:
    """Return the report of a plan that was carried out, wholly or in part.

    Raises UsageError when there is no such plan, or nothing of it was carried out.
    """
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("reporting a deletion"),
    ):
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return _build(conn, plan_id)


def write(settings: Settings, plan_id: UUID, path: Path | None = None) -> Path:
    """Write the report and return its path: by default one file a plan in the state folder."""
    report = build(settings, plan_id)
    if path is None:
        path = state.make_folder(settings.state / "reports") / f"deletion-{plan_id}.json"
    replace_text(path, json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return path


def _build(conn: Connection, plan_id: UUID) -> dict[str, Any]:
    written = entries.of_plan(conn, plan_id)
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for entry in written:
        by_kind.setdefault(entry.kind, []).append(entry.content)
    if "plan" not in by_kind:
        raise UsageError("there is no such plan: `retention plan list` shows them")
    batches = by_kind.get("batch", [])
    if not batches and "executed" not in by_kind:
        raise UsageError("nothing of this plan was carried out: there is no deletion to report")
    plan = by_kind["plan"][0]
    approval = by_kind.get("approval", [None])[-1]
    end = by_kind.get("executed", [None])[-1]
    read_back = by_kind.get("read_back", [None])[-1]
    return {
        "report": "deletion",
        "version": 1,
        "plan": plan,
        "approval": approval,
        "execution": {
            "finished": end is not None,
            "purged": sum(batch["purged"] for batch in batches),
            "minimised": sum(batch.get("minimised", 0) for batch in batches),
            "skipped": _summed(batch["skipped"] for batch in batches),
            "batches": batches,
            "end": end,
        },
        "orders": {
            "stores": _orders(conn, plan_id),
            "rows_waiting": _summed(batch["skipped"] for batch in batches).get(UNCONFIRMED, 0),
        },
        "counts": {
            "by_table": _summed(
                {t["table"]: t["purged"]} for batch in batches for t in batch["tables"]
            ),
            "by_rule": _by_rule(conn, batches),
            "minimised_by_table": _minimised(conn, plan_id),
        },
        "level": LEVEL,
        "not_covered": list(NOT_COVERED),
        "read_back": read_back,
        "evidence": [
            {"entry_id": e.entry_id, "kind": e.kind, "leaf_hash": e.leaf_hash, "body": e.body}
            for e in written
        ],
    }


def _orders(conn: Connection, plan_id: UUID) -> list[dict[str, Any]]:
    """Per store what was ordered from it for the plan's rows, by this plan or before, and its answers."""
    rows = conn.execute(
        """
        select orders.store, count(*) filter (where orders.plan_id = %(plan)s),
            count(orders.acknowledged_at), count(*) filter (where orders.state = 'open'),
            count(*) filter (where orders.state = 'withdrawn')
        from ledger.deletion_orders_shown as orders
        join ledger.plan_items as items
            on items.source_schema = orders.source_schema
            and items.source_table = orders.source_table and items.token = orders.token
        join ledger.plans as plans on plans.plan_id = items.plan_id
        where items.plan_id = %(plan)s
        and orders.ordered_at <= coalesce(plans.executed_at, orders.ordered_at)
        group by orders.store order by orders.store collate "C"
        """,
        {"plan": plan_id},
    ).fetchall()
    names = ("store", "issued", "acknowledged", "open", "withdrawn")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _minimised(conn: Connection, plan_id: UUID) -> list[dict[str, Any]]:
    """Rows that stay and of which columns were made null: which columns, under which rule."""
    rows = conn.execute(
        "select source_schema || '.' || source_table, rule_id, columns, count(*)"
        " from ledger.column_tombstones where plan_id = %s group by 1, 2, 3 order by 1, 2, 3",
        (plan_id,),
    ).fetchall()
    return [
        {"table": table, "rule_id": rule, "columns": columns, "minimised": count}
        for table, rule, columns, count in rows
    ]


def _by_rule(conn: Connection, batches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Counts per rule with the clause behind it, as the policy in force words it."""
    clauses: dict[str, tuple[str, str]] = {
        rule: (clause, text)
        for rule, clause, text in conn.execute(
            "select rule_id, clause, clause_text from policy.policy_rules"
        ).fetchall()
    }
    return [
        {
            "rule_id": rule,
            "clause": clauses.get(rule, ("", ""))[0],
            "clause_text": clauses.get(rule, ("", ""))[1],
            "purged": count,
        }
        for rule, count in sorted(_summed(batch["rules"] for batch in batches).items())
    ]


def _summed(counts: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            total[name] = total.get(name, 0) + count
    return dict(sorted(total.items()))


def digest(report: dict[str, Any]) -> str:
    """The hash of a report over its canonical JSON, for whoever files it."""
    import hashlib

    return hashlib.sha256(rfc8785.dumps(report)).hexdigest()
