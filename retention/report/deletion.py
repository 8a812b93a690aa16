"""The deletion report (slettebevis): what a plan came to, with the evidence that anybody can check.

Belongs here: putting the plan's evidence together with what proves it, and signing it. Does not belong
here: the evidence itself (`retention.ledger`), checking the report (`verifier`, which needs nothing of
ours), and looking for what is left (`retention.verify`).

Everything said of the plan is read from the entries, which the checkpoint covers; the tokens say nothing
without the HMAC key. Of the exported checkpoints the first that covers the plan's entries is taken: the
report stays the same, byte for byte, until something new is written about the plan.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from retention import state
from retention.erasure.level import level_reached
from retention.errors import UsageError
from retention.evidence import publish
from retention.evidence.checkpoint import signature_line
from retention.files import replace_text
from retention.keys import load_signing_key
from retention.ledger import entries, tree
from retention.ledger.entries import Entry
from retention.ledger.failures import safe_errors
from retention.purge.external import UNCONFIRMED
from retention.settings import Settings
from retention.warehouse.connection import connect
from verifier import verify_evidence as form

# What no level of erasure in the database reaches.
_OUTSIDE = (
    "Recordings, documents and scans outside the warehouse: their stores said that they deleted them.",
    "Source systems: what they send again is recognised by its tombstone and due again.",
)

_NOT_EXPORTED = (
    "no exported checkpoint covers this plan yet: `retention evidence checkpoint` exports one"
)
_FORGOTTEN = "select from ledger.plans where plan_id = %s and tokens_forgotten_at is not null"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class _Head:
    """The checkpoint that a report stands on, and the sizes of those exported before it."""

    size: int
    note: str
    earlier: list[int]


def build(settings: Settings, plan_id: UUID, *, latest: bool = False) -> dict[str, Any]:
    """Return the signed report of a plan that was carried out, wholly or in part, as far as an exported
    checkpoint covers it; `latest` takes the latest one, for whoever holds a newer one than the first.

    Raises UsageError when there is no such plan, or nothing of it was carried out or exported; Refused
    where the signing key is missing.
    """
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("reporting a deletion"),
    ):
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        report = _build(conn, plan_id, latest)
        key = load_signing_key(settings, conn)
        line = signature_line(tree.origin(conn), key, form.canonical(report))
        return {**report, "signature": line}


def write(
    settings: Settings, plan_id: UUID, path: Path | None = None, *, latest: bool = False
) -> Path:
    """Export a checkpoint that covers the plan, write the report and return its path: by default one
    file a plan in the state folder. Raises as `build` and `publish` do."""
    publish(settings)
    report = build(settings, plan_id, latest=latest)
    if path is None:
        path = state.make_folder(settings.state / "reports") / f"deletion-{plan_id}.json"
    replace_text(path, json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return path


def _build(conn: Connection, plan_id: UUID, latest: bool) -> dict[str, Any]:
    written = entries.of_plan(conn, plan_id)
    if not written:
        raise UsageError("there is no such plan: `retention plan list` shows them")
    if not {"batch", "executed"} & {entry.kind for entry in written}:
        raise UsageError("nothing of this plan was carried out: there is no deletion to report")
    if conn.execute(_FORGOTTEN, (plan_id,)).fetchone() is not None:
        raise UsageError(
            "the plan's tokens are forgotten, since nothing can bring its records back: its entries are in"
            " `retention evidence export`"
        )
    reached = level_reached(conn, plan_id)
    written += entries.numbered(conn, reached.entries)
    head = _head(conn, written, latest)
    covered = sorted(
        (entry for entry in written if entry.is_numbered_below(head.size)),
        key=lambda entry: entry.leaf_index or 0,
    )
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for entry in covered:
        by_kind.setdefault(entry.kind, []).append(entry.content)
    batches = by_kind.get("batch", [])
    numbers = [batch["batch_no"] for batch in batches]
    end = by_kind.get("executed", [None])[-1]
    skipped = _summed(batch["skipped"] for batch in batches)
    return {
        "report": "deletion",
        "version": 2,
        "checkpoint": head.note,
        "plan": by_kind["plan"][0],
        "approval": by_kind.get("approval", [None])[-1],
        "execution": {
            "finished": end is not None,
            "purged": sum(batch["purged"] for batch in batches),
            "minimised": sum(batch["minimised"] for batch in batches),
            "skipped": skipped,
            "batches": batches,
            "end": end,
        },
        "orders": {
            "stores": _orders(conn, plan_id),
            "rows_waiting": skipped.get(UNCONFIRMED, 0),
        },
        "counts": {
            "by_table": _summed(
                {t["table"]: t["purged"]} for batch in batches for t in batch["tables"]
            ),
            "by_rule": _by_rule(conn, batches),
            "minimised_by_table": _minimised(conn, plan_id, numbers),
        },
        "level": _proven(reached.level, by_kind),
        "not_covered": [*reached.not_covered, *_OUTSIDE],
        "read_back": by_kind.get("read_back", [None])[-1],
        "entries": [
            {"index": entry.leaf_index, "leaf_hash": entry.leaf_hash, "body": entry.body}
            for entry in covered
        ],
        "tokens": _tokens(conn, plan_id, numbers),
        "nodes": _nodes(conn, head, [entry.leaf_index or 0 for entry in covered]),
    }


def _proven(level: str, by_kind: dict[str, list[dict[str, Any]]]) -> str:
    """Raises UsageError where the rewriting is not exported yet: nobody could check it."""
    if level == "physical" and "compaction" not in by_kind:
        raise UsageError(_NOT_EXPORTED)
    return level


def _head(conn: Connection, written: list[Entry], latest: bool) -> _Head:
    """The first exported checkpoint that covers what any of them covers of the plan, or the latest."""
    known = conn.execute("select size, note from ledger.checkpoints order by size").fetchall()
    exported = known[-1][0] if known else 0
    covered = [entry.leaf_index for entry in written if entry.is_numbered_below(exported)]
    last = max((index for index in covered if index is not None), default=None)
    if last is None:
        raise UsageError(_NOT_EXPORTED)
    covering = [(size, note) for size, note in known if size > last]
    size, note = covering[-1 if latest else 0]
    return _Head(size, note, [earlier for earlier, _ in known if earlier < size])


def _nodes(conn: Connection, head: _Head, indexes: list[int]) -> dict[str, str]:
    """The subtrees that prove the entries, and every earlier checkpoint, to belong to this tree."""
    asked = form.proof_nodes(head.size, indexes, head.earlier)
    found = tree.fetch(conn, asked)
    return {f"{level}/{position}": found[(level, position)].hex() for level, position in asked}


def _tokens(conn: Connection, plan_id: UUID, batches: list[int]) -> list[dict[str, Any]]:
    """The token of every row, by batch, table and what was done."""
    rows = conn.execute(
        """
        select batch_no, qualified, disposition, array_agg(encode(token, 'hex') order by token)
        from (
            select batch_no, source_schema || '.' || source_table collate "C" as qualified,
                'purge' as disposition, token
            from ledger.tombstones where plan_id = %(plan)s and batch_no = any(%(batches)s)
            union
            select batch_no, source_schema || '.' || source_table, 'minimise', token
            from ledger.column_tombstones where plan_id = %(plan)s and batch_no = any(%(batches)s)
        ) as gone
        group by 1, 2, 3 order by 1, 2, 3
        """,
        {"plan": plan_id, "batches": batches},
    ).fetchall()
    names = ("batch_no", "table", "disposition", "tokens")
    return [dict(zip(names, row, strict=True)) for row in rows]


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


def _minimised(conn: Connection, plan_id: UUID, batches: list[int]) -> list[dict[str, Any]]:
    """Rows that stay and of which columns were made null: which columns, under which rule."""
    rows = conn.execute(
        "select source_schema || '.' || source_table, rule_id, columns, count(*)"
        " from ledger.column_tombstones where plan_id = %s and batch_no = any(%s)"
        " group by 1, 2, 3 order by 1, 2, 3",
        (plan_id, batches),
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
