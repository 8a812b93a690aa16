"""What was removed of the system's own traces.

Belongs here: the asset that shows it. Does not belong here: removing anything
(`orchestration.housekeeping`).
"""

from dagster import AssetExecutionContext, AssetKey, MaterializeResult, asset

from orchestration.guarded import guarded
from orchestration.housekeeping import keep_house
from orchestration.resources import Run
from orchestration.translator import OWNER

HOUSEKEEPING = AssetKey(["housekeeping"])


@asset(
    key=HOUSEKEEPING,
    group_name="evidence",
    description="The system's own traces past their day, removed: runs, ticks, logs, dbt's files, reports,"
    " replays, and what plans leave that nobody carries out. The policy says how long each is kept.",
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def housekeeping(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Keep house as of today, and show the counts."""
    swept = keep_house(run.settings(), context.instance)
    return MaterializeResult(
        metadata={
            **{one.kind: one.removed for one in swept},
            "remaining": sum(one.remaining for one in swept),
        }
    )
