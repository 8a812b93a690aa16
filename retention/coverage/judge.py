"""What the policy makes of the findings: how bad each is, and which tables it keeps from the purge.

Belongs here: severity, patience, what is withheld. Does not belong here: the values themselves (the
policy's section `coverage`), and refusing to purge (`retention.plan.tables`).
"""

from dataclasses import replace
from datetime import date, timedelta

from retention.coverage.memory import Memory
from retention.coverage.model import Coverage, Finding
from retention.coverage.words import said
from retention.policy.coverage import CoverageRules, FindingSeverity


def judge(coverage: Coverage, rules: CoverageRules, memory: Memory, as_of: date) -> Coverage:
    """The same comparison, with the severity of each finding as of a day, since when it stands, and what
    is withheld."""
    findings = tuple(_judged(finding, rules, memory, as_of) for finding in coverage.findings)
    return replace(coverage, findings=findings, withheld=withheld(coverage, rules))


def withheld(coverage: Coverage, rules: CoverageRules) -> dict[str, str]:
    """The tables that nothing may be purged or minimised from, with the first reason; a table that
    cannot be read at all is not among them unless one of its findings says so too."""
    found: dict[str, str] = {}
    for finding in coverage.findings:
        if finding.table and rules.findings.of(finding.kind).sets_aside:
            found.setdefault(finding.qualified, said(finding))
    return found


def _judged(finding: Finding, rules: CoverageRules, memory: Memory, as_of: date) -> Finding:
    since = finding.since or memory.found_on.get(finding.key, as_of)
    seen_on = memory.seen_on.get(finding.key[:3])
    return replace(
        finding,
        since=since,
        severity=_severity(rules.findings.of(finding.kind).severity, rules, since, as_of),
        detail=finding.detail or (f"last seen {seen_on}" if seen_on else None),
    )


def _severity(
    stated: FindingSeverity, rules: CoverageRules, since: date, as_of: date
) -> FindingSeverity:
    is_late = as_of - since > timedelta(days=rules.patience_days.value)
    return "error" if is_late else stated
