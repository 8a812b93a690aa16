"""Coverage as the report tells it: what landed against what is declared, and what is exempt and why.

Belongs here: choosing what a reader of the report needs of the comparison. Does not belong here: the
comparison (`retention.coverage`), and where personal columns go from landing (`lineage`).
"""

from __future__ import annotations

from typing import Any

from retention.coverage import Coverage, State
from retention.coverage.model import Counted, count
from retention.declarations import Declarations
from retention.declarations.parts import Exemption


def describe_coverage(declarations: Declarations, compared: Coverage) -> dict[str, Any]:
    """Counts by state, findings, tables set aside or withheld, and every exemption in force with its
    owner and the day on which it is looked at again; of the exempt tables those that have landed."""
    landed = compared.landed
    return {
        "declared": compared.declared,
        "landed": len(landed),
        "governed": sum((table.schema_, table.name) in landed for table in declarations.governed),
        "undeclared": sum(one.state is State.FINDING for one in compared.landing),
        "by_state": _states(count(compared.landing)),
        "set_aside": list(compared.set_aside),
        "withheld": [
            {"table": table, "why": why} for table, why in sorted(compared.withheld.items())
        ],
        "findings": [
            {
                "kind": finding.kind.value,
                "severity": finding.severity,
                "table": finding.qualified,
                "column": finding.column,
                "since": finding.since.isoformat() if finding.since else None,
            }
            for finding in compared.findings
        ],
        "exempt": [
            {"table": table.qualified, **_exemption(table.exempt)}
            for table in declarations.tables
            if table.exempt and (table.schema_, table.name) in landed
        ],
        "exempt_columns": [
            {"table": table.qualified, "column": column, **_exemption(exempt)}
            for table in declarations.governed
            if (table.schema_, table.name) in landed
            for column, exempt in sorted(table.exempt_columns.items())
        ],
    }


def _exemption(exempt: Exemption) -> dict[str, str]:
    return {
        "reason": exempt.reason,
        "owner": exempt.owner,
        "review_on": exempt.review_on.isoformat(),
    }


def _states(counted: Counted) -> dict[str, dict[str, int]]:
    return {
        "tables": {state.value: counted.tables[state] for state in State},
        "columns": {state.value: counted.columns[state] for state in State},
    }
