"""What Dagster loads.

Belongs here: putting assets, jobs, schedule, sensors and resources together. Does not belong here:
any of them. Importing opens no connection and reads no secret; on a fresh clone it has dbt parse the
project first, since the assets are made from dbt's manifest.
"""

from collections.abc import Mapping
from typing import Any

from dagster import Definitions, in_process_executor
from dagster_dbt.dbt_manifest import validate_manifest

from orchestration.assets.classification import classification_assets
from orchestration.assets.controls import control_persons
from orchestration.assets.detection import personal_data
from orchestration.assets.due_notices import due_notices
from orchestration.assets.erasure import compaction
from orchestration.assets.evidence import checkpoint, deletion_report, read_back
from orchestration.assets.findings import findings
from orchestration.assets.housekeeping import housekeeping
from orchestration.assets.purge import no_blocked_record_in_plan, purge_plan, purge_run
from orchestration.assets.report import retention_report
from orchestration.assets.rights import (
    locks,
    recipients,
    restrictions,
    rights_register,
    suppressions,
)
from orchestration.assets.what_if import what_if
from orchestration.jobs import build_jobs
from orchestration.manifest import ensure_manifest
from orchestration.resources import Run
from orchestration.schedules import (
    daily,
    nightly_compaction,
    nightly_controls,
    nightly_housekeeping,
    weekly_detection,
)
from orchestration.sensors import (
    approved_plans,
    failure_notice,
    new_evidence,
    rights_requests,
)
from orchestration.shown import Shown
from orchestration.translator import Translator
from retention.classify import today
from retention.declarations import load_declarations
from retention.policy import in_force, load_versions
from retention.settings import load_settings


def build_defs(*, resource_overrides: Mapping[str, Any] | None = None) -> Definitions:
    """Everything that Dagster shows and runs. `resource_overrides` replaces resources by key.

    Raises UsageError where the policy, a declaration or the dbt project does not hold.
    """
    settings = load_settings()
    manifest = ensure_manifest(settings)
    policy = in_force(load_versions(settings.policy_dir), today())
    translator = Translator(
        policy, load_declarations(settings.declarations_dir), settings.pages_url
    )
    classification = classification_assets(manifest, translator)
    jobs = build_jobs(classification)
    return Shown(policy, settings.pages_url).definitions(
        assets=[
            *translator.landing_specs(validate_manifest(manifest)),
            classification,
            control_persons,
            rights_register,
            locks,
            restrictions,
            suppressions,
            recipients,
            findings,
            due_notices,
            personal_data,
            purge_plan,
            purge_run,
            compaction,
            read_back,
            checkpoint,
            deletion_report,
            retention_report,
            housekeeping,
            what_if,
        ],
        asset_checks=[no_blocked_record_in_plan],
        jobs=list(jobs.values()),
        schedules=[
            nightly_controls(jobs["run_controls"]),
            daily(jobs["apply_retention"]),
            nightly_housekeeping(jobs["keep_house"]),
            nightly_compaction(jobs["compact_tables"]),
            weekly_detection(jobs["detect_personal_data"]),
        ],
        sensors=[
            approved_plans(jobs["execute_purge"]),
            new_evidence(jobs["export_checkpoint"]),
            rights_requests(jobs["answer_requests"]),
            failure_notice,
        ],
        resources={"run": Run(), **(resource_overrides or {})},
        executor=in_process_executor,
    )


defs = build_defs()
