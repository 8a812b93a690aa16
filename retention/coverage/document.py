"""Coverage as plain data, in the form that is published: coverage.schema.json.

Belongs here: from the examined coverage to names, counts and words. Does not belong here: printing it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from retention.coverage.model import Counted, Coverage, State, count
from retention.coverage.words import next_steps, said
from retention.lineage.landing import ModelColumns
from retention.policy import Policy
from retention.settings import Settings

FORMAT = 1


def as_document(
    coverage: Coverage,
    settings: Settings,
    policy: Policy,
    *,
    database: str,
    as_of: date,
    models: ModelColumns | None,
) -> dict[str, Any]:
    """The whole answer; names, types, counts and dates only. `models` are the columns that dbt makes,
    None where it has made none here."""
    return {
        "format": FORMAT,
        "database": database,
        "as_of": as_of.isoformat(),
        "policy": {"version": policy.version, "hash": policy.hash},
        "landing": _counted(count(coverage.landing)),
        "whole": _counted(count(coverage.relations)),
        "schemas": [
            {"schema": schema, **_counted(counted)}
            for schema, counted in coverage.by_schema().items()
        ],
        "set_aside": list(coverage.set_aside),
        "withheld": [{"table": table, "why": why} for table, why in coverage.withheld.items()],
        "models": models
        and {
            "columns": len(models.followed),
            "resolved": len(models.followed) - len(models.unresolved),
            "unresolved": [
                {"column": ".".join(column), "why": why}
                for column, why in models.unresolved.items()
            ],
        },
        "findings": [
            {
                "kind": finding.kind.value,
                "severity": finding.severity,
                "schema": finding.schema,
                "table": finding.table,
                "column": finding.column,
                "since": finding.since.isoformat() if finding.since else None,
                "message": said(finding),
                "next": step,
            }
            for finding, step in zip(
                coverage.findings, next_steps(coverage.findings, settings), strict=True
            )
        ],
        "ok": not coverage.findings,
    }


def _counted(counted: Counted) -> dict[str, Any]:
    return {"tables": _sums(counted.tables), "columns": _sums(counted.columns)}


def _sums(states: Mapping[State, int]) -> dict[str, int]:
    return {**{state.value: states[state] for state in State}, "total": sum(states.values())}
