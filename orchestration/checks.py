"""The checks as Dagster shows them.

Belongs here: from one of our checks to a spec, and from its result to an `AssetCheckResult`. Does not
belong here: running a check, and reading what Great Expectations said (`expectations`).
"""

import re
from collections.abc import Iterable

from dagster import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec, AssetKey

from expectations import CHECKS, Check, CheckResult, Severity
from orchestration.metadata import Metadata, counts_table

_CLAUSE = re.compile(r"§ \d+|GDPR art\. \d+")
_SEVERITY = {Severity.WARN: AssetCheckSeverity.WARN, Severity.ERROR: AssetCheckSeverity.ERROR}


def check_specs(asset: AssetKey, checks: Iterable[Check] = CHECKS) -> list[AssetCheckSpec]:
    """The specs of `checks` on an asset; a failing integrity check stops what is downstream."""
    return [
        AssetCheckSpec(
            name=check.name,
            asset=asset,
            description=f"{check.description} ({check.clause})",
            blocking=check.blocks_plan,
            metadata={
                "clause": check.clause,
                "severity": check.severity.value,
                "blocks_plan": check.blocks_plan,
            },
        )
        for check in checks
    ]


def own_check(
    asset: AssetKey,
    name: str,
    description: str,
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
) -> AssetCheckSpec:
    """The spec of a check that an asset of ours runs itself; its description names the clause."""
    return AssetCheckSpec(
        name=name,
        asset=asset,
        description=description,
        metadata={
            "clause": ", ".join(_CLAUSE.findall(description)),
            "severity": severity.value.lower(),
        },
    )


def asset_check_result(asset: AssetKey, result: CheckResult) -> AssetCheckResult:
    """One result, with counts and nothing else."""
    return AssetCheckResult(
        asset_key=asset,
        check_name=result.name,
        passed=result.passed,
        severity=_SEVERITY[result.severity],
        description=said(result),
        metadata=_metadata(result),
    )


def said(result: CheckResult) -> str:
    """The result in one sentence: the outcome, how many, and how old the oldest is."""
    outcome = result.outcome.value.replace("_", " ")
    if result.note:
        return f"{outcome}: {result.note}"
    if result.passed:
        return f"{outcome}: {result.evaluated} looked at"
    tables = len({count.table for count in result.counts})
    oldest = f", the oldest since {result.oldest_on}" if result.oldest_on else ""
    return f"{outcome}: {result.failing} of {result.evaluated}, in {tables} tables{oldest}"


def _metadata(result: CheckResult) -> Metadata:
    metadata: Metadata = {
        "outcome": result.outcome.value,
        "evaluated": result.evaluated,
        "failing": result.failing,
        "clause": result.check.clause,
        **result.details,
    }
    if result.oldest_on:
        metadata["oldest_on"] = result.oldest_on.isoformat()
    if result.counts:
        metadata["counts"] = counts_table(
            {(count.table, count.rule_id or ""): count.records for count in result.counts}
        )
    return metadata
