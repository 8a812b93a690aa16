"""The evidence of one batch.

Belongs here: what its entry in the ledger says, in the transaction that deleted. Does not belong here:
deleting, and judging what may go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from retention.ledger import entries
from retention.purge.delete import Range
from retention.purge.downstream import CopyEvidence

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class TableEvidence:
    """One landing table in a batch: rows before, rows purged, rows after, each counted; and how many
    of the rows after were minimised."""

    table: str
    rows_before: int
    purged: int
    minimised: int
    rows_after: int


def number_skipped(conn: Connection, items: Range) -> None:
    """Write the number of the batch to the items that it skipped."""
    conn.execute(
        "update ledger.plan_items set batch_no = %(batch)s"
        " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
        " and state = 'skipped' and batch_no is null",
        items.parameters(),
    )


def append(
    conn: Connection,
    items: Range,
    fence: int,
    tables: Sequence[TableEvidence],
    copies: Sequence[CopyEvidence],
) -> None:
    """Append the entry of the batch: who, by which executor, under which policy and code, how many rows
    of which tables and rules, and the Merkle root (RFC 6962) over the tokens of all of them."""
    row = conn.execute(
        """
        select jsonb_build_object(
            'plan_id', plans.plan_id,
            'batch_no', %(batch)s::integer,
            'fence', %(fence)s::bigint,
            'run_by', session_user,
            'policy_version', plans.policy_version,
            'policy_hash', plans.policy_hash,
            'code_hash', plans.code_hash,
            'key_id', plans.key_id,
            'purged', count(*) filter (where items.state = 'purged'),
            'minimised', count(*) filter (where items.state = 'minimised'),
            'tokens_root', encode(ledger.merkle_root(coalesce(array_agg(
                sha256('\\x00'::bytea || convert_to(lines.line, 'UTF8')) order by lines.line collate "C"
            ) filter (where items.state in ('purged', 'minimised')), '{}')), 'hex')
        )
        from ledger.plan_items as items join ledger.plans as plans on plans.plan_id = items.plan_id
        cross join lateral (
            select items.source_schema || '.' || items.source_table || '|'
                || encode(items.token, 'hex') || '|'
                || case items.state when 'minimised' then 'minimise' else 'purge' end as line
        ) as lines
        where items.plan_id = %(plan)s and items.item_no between %(first)s and %(last)s
        and items.batch_no = %(batch)s
        group by plans.plan_id
        """,
        {**items.parameters(), "fence": fence},
    ).fetchone()
    assert row is not None
    entries.append(
        conn,
        "batch",
        {
            **row[0],
            "skipped": _counted(conn, items, "skip_reason", "skipped"),
            "rules": _counted(conn, items, "rule_id", "purged"),
            "rules_minimised": _counted(conn, items, "rule_id", "minimised"),
            "tables": [
                {
                    "table": table.table,
                    "rows_before": table.rows_before,
                    "purged": table.purged,
                    "minimised": table.minimised,
                    "rows_after": table.rows_after,
                }
                for table in tables
            ],
            "copies": [copy.as_json() for copy in copies],
        },
    )


def _counted(conn: Connection, items: Range, column: str, state: str) -> dict[str, int]:
    return dict(
        conn.execute(
            f"select {column}, count(*) from ledger.plan_items"  # noqa: S608
            " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
            " and batch_no = %(batch)s and state = %(state)s group by 1",
            {**items.parameters(), "state": state},
        ).fetchall()
    )
