"""What the database really holds, compared with what is declared.

Belongs here: putting states and differences together, and which tables cannot be read as declared. Does
not belong here: the declarations themselves (`retention.declarations`), reading the catalogue
(`catalogue`), and what the policy makes of a difference (`judge`).
"""

from collections.abc import Collection
from datetime import date
from typing import Any

import psycopg

from retention.coverage.catalogue import read_relations
from retention.coverage.differences import DIFFERENCES, Compared
from retention.coverage.model import Coverage, Finding, FindingKind, TableName
from retention.coverage.states import states
from retention.declarations import Declarations
from retention.detection.remember import recall
from retention.warehouse.clock import today


def compare(
    conn: psycopg.Connection[Any],
    declarations: Declarations,
    built: Collection[TableName] = (),
    *,
    as_of: date | None = None,
) -> Coverage:
    """Compare the catalogue with `declarations`; opens no other connection, reads no row.

    `built` are the relations that dbt made: nothing lands there, and their copies are traced (`lineage`).
    Dates are judged as of `as_of`, today in Oslo where it is not given. How bad a finding is, and what it
    withholds from the purge, is asked of the policy (`judge`).
    """
    relations = read_relations(conn)
    covered = states(relations, declarations, built)
    both = Compared(conn, declarations, relations, covered, as_of or today(conn), recall(conn))
    findings = [finding for differ in DIFFERENCES for finding in differ(both)]
    return Coverage(
        findings=tuple(sorted(findings, key=lambda finding: finding.key)),
        set_aside=_unreadable(declarations, findings),
        relations=tuple(covered[name] for name in sorted(covered)),
        declared=len(declarations.tables),
    )


def _unreadable(declarations: Declarations, findings: list[Finding]) -> tuple[str, ...]:
    """The tables that are not there, lack a column that the classification reads, or have one that may
    read otherwise than it did: their staging is empty, whatever the policy says."""
    used = {table.qualified: frozenset(table.columns_used) for table in declarations.tables}
    return tuple(
        sorted(
            {
                finding.qualified
                for finding in findings
                if finding.kind in (FindingKind.MISSING_TABLE, FindingKind.TYPE_CHANGED)
                or (
                    finding.kind is FindingKind.MISSING_COLUMN
                    and finding.column in used[finding.qualified]
                )
            }
        )
    )
