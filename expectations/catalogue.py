"""The checks: what each one promises, to an auditor and to the plan.

Belongs here: name, words, clause, severity, and the boolean column that each is judged on. Does not
belong here: how a column comes about (dbt), and running anything.

The integrity checks say whether the classification can be trusted; one of them failing stops the plan.
The others say what is to be done about data; they never stop the plan that may be the cure.
"""

from dataclasses import dataclass
from enum import StrEnum

from retention.language import N_

FINDINGS_OF_CATALOGUE = "catalogue"


class Severity(StrEnum):
    """How bad a failure is."""

    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True)
class Check:
    """One check. `mart` is the relation of schema `retention` that holds `column`, true where all is
    well; for FINDINGS_OF_CATALOGUE there is no relation, the database's own catalogue is compared."""

    name: str
    description: str
    clause: str
    mart: str
    column: str
    severity: Severity
    blocks_plan: bool


def _integrity(name: str, mart: str, column: str, clause: str, description: str) -> Check:
    return Check(name, description, clause, mart, column, Severity.ERROR, blocks_plan=True)


def _finding(
    name: str, mart: str, column: str, clause: str, severity: Severity, description: str
) -> Check:
    return Check(name, description, clause, mart, column, severity, blocks_plan=False)


CHECKS: tuple[Check, ...] = (
    _integrity(
        "nothing_overdue_unflagged",
        "record_checks",
        "is_flagged_when_overdue",
        "§ 6",
        N_(
            "No record is past every period that could keep it and yet shown as not due. Computed"
            " from the dates of the landing rows and the policy's periods, not from the record's own"
            " status."
        ),
    ),
    _integrity(
        "one_category_and_status",
        "record_checks",
        "has_one_category_and_status",
        "§ 6",
        N_(
            "Every landing row is one record with exactly one known category and status; a locked"
            " record shows its status only (§ 8)."
        ),
    ),
    _integrity(
        "due_after_anchor",
        "record_checks",
        "is_due_after_anchor",
        "§ 6",
        N_(
            "No record is due before, or on the day of, the event that starts its period; the due"
            " date is the day after the last day."
        ),
    ),
    _integrity(
        "anchors_possible",
        "record_checks",
        "has_possible_anchor",
        "§ 6",
        N_(
            "No deadline rests on a date that is missing, impossible or in the future, unless a"
            " person is looking at the record."
        ),
    ),
    _integrity(
        "population_reconciles",
        "population_checks",
        "is_reconciled",
        "§ 6",
        N_(
            "Each table's rows in landing, its records, and the sum over the statuses are one"
            " number: nothing was left out and nothing counted twice. Rows that a load has written"
            " since are counted as landed_since; they are the next run's."
        ),
    ),
    _integrity(
        "no_blocked_record_in_plan",
        "plan_checks",
        "is_unblocked",
        "§ 8",
        N_(
            "No plan holds a record that was under a legal hold, a restriction, a lock or a pending"
            " rights request when the plan was frozen, record by record. What is blocked later is"
            " skipped by the purge and counted as blocked_since."
        ),
    ),
    _finding(
        "nothing_overdue",
        "record_checks",
        "is_not_overdue",
        "§ 6",
        Severity.ERROR,
        N_(
            "No record is past its due date. A warning while a purge can still be planned and"
            " approved within the policy's days of grace, an error after them; counts per table and rule."
        ),
    ),
    _finding(
        "nothing_left_to_minimise",
        "record_checks",
        "has_no_due_columns",
        "§ 6",
        Severity.ERROR,
        N_(
            "No row that accounting alone keeps holds values that accounting does not need and"
            " whose own period has ended. A warning and an error as for what is overdue; counts per"
            " table and rule."
        ),
    ),
    _finding(
        "review_within_deadline",
        "review_queue",
        "is_in_time",
        "§ 6",
        Severity.ERROR,
        N_("No record has waited for a person's decision beyond the policy's days for it."),
    ),
    _finding(
        "everything_declared",
        FINDINGS_OF_CATALOGUE,
        "",
        "§ 3",
        Severity.ERROR,
        N_(
            "Every landing table and column is declared or exempt with a reason, and what is"
            " declared is there, as declared. How bad a difference is, and whether its table is"
            " kept from the purge, the policy says; a table that cannot be read as declared is set"
            " aside. An error where one finding is an error, else a warning."
        ),
    ),
    _finding(
        "everything_classified",
        "record_checks",
        "is_classified",
        "§ 6",
        Severity.WARN,
        N_("A person, an assignment or a rule of the policy is known for every record."),
    ),
)

BY_NAME: dict[str, Check] = {check.name: check for check in CHECKS}
INTEGRITY: tuple[str, ...] = tuple(check.name for check in CHECKS if check.blocks_plan)
