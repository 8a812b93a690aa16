"""Judging the classification against the policy: Great Expectations suites as code.

Belongs here: what is checked, and the one place where a result is read. Does not belong here: the
models' own shape (dbt tests), the verdicts on single records (`checked_records` and its neighbours in
dbt), and showing results (Dagster, the command line). Nothing here knows Dagster.

Great Expectations is imported when checks run, not before: it takes seconds and a lot of memory.
"""

from expectations.catalogue import CHECKS, Check, Severity
from expectations.evidence import leave_evidence
from expectations.results import CheckResult, Count, Outcome
from expectations.run import require_integrity, run_checks

__all__ = [
    "CHECKS",
    "Check",
    "CheckResult",
    "Count",
    "Outcome",
    "Severity",
    "leave_evidence",
    "require_integrity",
    "run_checks",
]
