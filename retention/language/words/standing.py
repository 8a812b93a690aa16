"""Words for how things stand: approvals of the policy's values, coverage, checks, controls."""

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "approval": {
        "text": "Stated in the text",
        "approved": "Approved",
        "example": "Example only",
        "none": "Not approved",
    },
    "mark": {
        "text": "text",
        "law": "law",
        "choice": "choice",
    },
    "severity": {
        "error": "error",
        "warn": "warning",
    },
    # Whether landing tables and columns are known (retention.coverage).
    "coverage_state": {
        "declared": "declared",
        "exempt": "exempt",
        "built": "built by this project",
        "finding": "neither declared nor exempt",
    },
    "finding": {
        "undeclared_schema": "Schema of which nothing is declared",
        "undeclared_table": "Table neither declared nor exempt",
        "undeclared_view": "View neither declared nor exempt",
        "undeclared_materialized_view": "Materialized view neither declared nor exempt",
        "undeclared_foreign_table": "Foreign table neither declared nor exempt",
        "undeclared_column": "Column neither declared nor harmless",
        "missing_table": "Declared table is missing",
        "missing_column": "Declared column is missing",
        "type_changed": "Column may read otherwise, for its type changed",
        "type_differs": "Column has another type than declared, which changes nothing",
        "column_not_nullable": "Column to be minimised cannot become null",
        "partition_differs": "Part of a table differs from it",
        "exemption_past_date": "Exemption past its date",
        "harmless_seems_personal": "Declared harmless, seems to hold personal data",
        "copy_untraceable": "May hold copies that no key leads to",
        "stale_build": "Left of a build that is over",
        "undeclared_model": "Model with personal data that nobody declared",
        "model_exemption_past_date": "Exemption of a model past its date",
    },
    "check": {
        "nothing_overdue_unflagged": "Nothing overdue passes for not due",
        "one_category_and_status": "Every row has one category and one status",
        "due_after_anchor": "No due date before the event that starts its period",
        "anchors_possible": "No deadline rests on an impossible date",
        "population_reconciles": "Landing, records and statuses are one number",
        "no_blocked_record_in_plan": "No plan held a blocked record when it was frozen",
        "nothing_overdue": "Nothing is past its due date",
        "nothing_left_to_minimise": "Nothing that is due is left in rows kept for accounting",
        "review_within_deadline": "Reviews are decided in time",
        "everything_declared": "Every table and column is declared or exempt",
        "everything_classified": "A rule is known for every record",
    },
    "check_outcome": {
        "passed": "Passed",
        "failed": "Failed",
        "not_evaluated": "Not evaluated",
    },
    # What a control person is made for.
    "control_expected": {
        "purged": "must be purged",
        "waits": "must wait for an approval",
        "stays": "must stay",
    },
}
