"""The findings of a classification: what the checks say of it.

Belongs here: the asset that bears the checks. Does not belong here: the checks (`expectations`).
"""

from typing import Any

from dagster import AssetExecutionContext, AssetKey, MaterializeResult, asset

from expectations import CHECKS, CheckResult, leave_evidence, run_checks
from orchestration.checks import asset_check_result, check_specs
from orchestration.guarded import guarded
from orchestration.resources import Run
from orchestration.translator import OWNER
from retention.classify import today
from retention.pages.checks import keep_checks

FINDINGS = AssetKey(["findings"])

_MARTS = sorted({check.mart for check in CHECKS if check.column})


@asset(
    key=FINDINGS,
    group_name="checks",
    description="What the checks say of the classification (§ 6): the integrity checks, of which one"
    " that fails stops the plan, and the findings about data, which never do.",
    deps=[AssetKey(["retention", mart]) for mart in _MARTS],
    check_specs=check_specs(FINDINGS),
    owners=[OWNER],
    kinds={"great_expectations", "postgres"},
)
@guarded
def findings(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Run every check on the classification of this run's day, as a reader."""
    results = run_checks(run.settings(), run.day())
    if run.day() == today():
        leave_evidence(run.settings(), run.day(), results)
        keep_checks(run.settings(), run.day(), [_shown(result) for result in results])
    outcomes = [result.outcome.value for result in results]
    return MaterializeResult(
        metadata={
            "as_of": run.day().isoformat(),
            **{outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        },
        check_results=[asset_check_result(FINDINGS, result) for result in results],
    )


def _shown(result: CheckResult) -> dict[str, Any]:
    return {**result.as_dict(), "description": result.check.description}
