"""A classification with a proposal, beside the one in force, and gone afterwards.

Belongs here: writing the trial's project with what is proposed. Does not belong here: the schemas it builds
and drops, and the lock (`retention.scratch`), reading its result (`outcome`), and the proposal.

No token is assigned, and no classification is recorded.
"""

from datetime import date

from retention import scratch
from retention.classify import check_references
from retention.declarations import load_declarations
from retention.declarations.staging import write_staging
from retention.errors import UsageError
from retention.onboarding.outcome import Outcome, read_outcome
from retention.policy import in_force, load_versions, write_seeds
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER

_WHAT = ("--select", "+records", "--exclude-resource-type", "test", "unit_test")


def check(settings: Settings, schema: str, today: date) -> Outcome:
    """Classify everything as it would be with the proposal for `schema`; say what became of that schema.

    Raises UsageError where a declaration does not hold or nothing of `schema` is declared or proposed,
    Refused while another trial is going, WarehouseError with the names of models that failed.
    """
    declarations = load_declarations(settings.declarations_dir, proposed_for=schema)
    if not any(table.schema_ == schema for table in declarations.tables):
        raise UsageError(
            f"nothing of schema {schema} is declared or proposed: `retention onboard {schema}` first"
        )
    with scratch.trial(settings, today) as (project, suffix):
        policy = in_force(load_versions(settings.policy_dir), today)
        check_references(policy, declarations)
        write_seeds(policy, project.dbt_dir / "seeds" / "generated")
        write_staging(declarations, project.dbt_dir)
        scratch.build(project, today, suffix, _WHAT, "the check")
        with connect(settings, role=CLASSIFIER, read_only=True) as conn:
            return read_outcome(conn, declarations, schema, suffix, settings.declarations_dir)
