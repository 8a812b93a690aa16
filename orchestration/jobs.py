"""The jobs: which part of the flow runs together.

Belongs here: one job a verb, and the daily one. Does not belong here: when they run (`schedules`,
`sensors`).

Every job runs its steps one after the other in one process: a step is seconds, a process more.
"""

from typing import Any

from dagster import (
    AssetsDefinition,
    AssetSelection,
    define_asset_job,
    in_process_executor,
)

from orchestration.assets.controls import CONTROLS
from orchestration.assets.detection import DETECTION
from orchestration.assets.due_notices import DUE_NOTICES
from orchestration.assets.erasure import COMPACTION
from orchestration.assets.evidence import CHECKPOINT, DELETION_REPORT, READ_BACK
from orchestration.assets.findings import FINDINGS
from orchestration.assets.housekeeping import HOUSEKEEPING
from orchestration.assets.purge import PURGE_PLAN, PURGE_RUN
from orchestration.assets.report import REPORT
from orchestration.assets.rights import ALL as RIGHTS
from orchestration.assets.what_if import WHAT_IF

# Runs of one kind at a time, for a queue that wants to know; the lock in `resources` decides.
_TAGS = {"retention/exclusive": "true"}


def build_jobs(classification: AssetsDefinition) -> dict[str, Any]:
    """The jobs by name."""
    models = AssetSelection.assets(classification)
    selections = {
        "classify_records": (models, "Classify every governed record as of a day (§ 6)."),
        "check_records": (
            AssetSelection.assets(FINDINGS),
            "Run the checks on the classification that is there.",
        ),
        "plan_purge": (
            AssetSelection.assets(PURGE_PLAN),
            "Freeze what is overdue into a plan for approval (§ 6).",
        ),
        "execute_purge": (
            AssetSelection.assets(PURGE_RUN, READ_BACK, CHECKPOINT, DELETION_REPORT),
            "Carry out an approved plan, read it back, write its report (§ 6).",
        ),
        "compact_tables": (
            AssetSelection.assets(COMPACTION, CHECKPOINT, DELETION_REPORT),
            "Rewrite the files that hold what was purged: level physical.",
        ),
        "verify_purge": (
            AssetSelection.assets(READ_BACK, CHECKPOINT, DELETION_REPORT),
            "Read back what was purged and write the reports again.",
        ),
        "export_checkpoint": (
            AssetSelection.assets(CHECKPOINT),
            "Sign the head of the ledger and export it with what goes with it.",
        ),
        "run_controls": (
            AssetSelection.assets(CONTROLS),
            "Run the control persons, whose fate is known, through the whole way (§ 6).",
        ),
        "keep_house": (
            AssetSelection.assets(HOUSEKEEPING),
            "Remove the system's own traces that are past their day.",
        ),
        "detect_personal_data": (
            AssetSelection.assets(DETECTION),
            "Look at a sample of what is declared to hold no personal data, or not declared (§ 2).",
        ),
        "answer_requests": (
            models | AssetSelection.assets(*RIGHTS, FINDINGS, PURGE_PLAN, CHECKPOINT),
            "Between two daily jobs: take in requests that landed, and plan what was decided (§ 8).",
        ),
        "try_policy": (
            AssetSelection.assets(WHAT_IF),
            "Classify by a policy that is not in force, beside the one that is (§ 11).",
        ),
        "apply_retention": (
            models
            | AssetSelection.assets(*RIGHTS, FINDINGS, PURGE_PLAN, CHECKPOINT, DUE_NOTICES, REPORT),
            "The daily job: classify, take in requests, check, plan, tell what falls due, report (§ 6).",
        ),
    }
    return {
        name: define_asset_job(
            name,
            selection=selection,
            description=description,
            executor_def=in_process_executor,
            tags=_TAGS,
        )
        for name, (selection, description) in selections.items()
    }
