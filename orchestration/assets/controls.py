"""The control persons, run every night before anything is classified.

Belongs here: the asset that shows what became of them. Does not belong here: making and running them
(`retention.controls`).
"""

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    asset,
)

from orchestration.checks import own_check
from orchestration.guarded import guarded
from orchestration.resources import Run
from orchestration.translator import OWNER
from retention.controls.run import run_controls

CONTROLS = AssetKey(["control_persons"])
MET = "met_their_fate"


@asset(
    key=CONTROLS,
    group_name="checks",
    description="Made-up persons in a database of their own, one for each category whose end is a purge"
    " (§ 6) and one that must stay, run through classification, plan, purge and read-back.",
    check_specs=[
        own_check(
            CONTROLS,
            MET,
            "Every control person that must go is gone, and every other is whole (§ 6).",
        )
    ],
    owners=[OWNER],
    kinds={"postgres", "dbt"},
)
@guarded
def control_persons(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Run them as of today."""
    result = run_controls(run.settings())
    failed = [outcome for outcome in result.outcomes if not outcome.passed]
    return MaterializeResult(
        metadata={
            "persons": len(result.outcomes),
            "failed": len(failed),
            "left_behind": result.left_behind,
        },
        check_results=[
            AssetCheckResult(
                asset_key=CONTROLS,
                check_name=MET,
                passed=result.passed,
                severity=AssetCheckSeverity.ERROR,
                metadata={
                    f"{outcome.person_table}: {outcome.case}": f"{outcome.left} of {outcome.rows} left"
                    for outcome in failed
                },
            )
        ],
    )
