"""From rows that are gone to files that hold nothing of them.

Belongs here: the asset that rewrites what lost rows. Does not belong here: which tables, and how
(`retention.erasure`).
"""

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    asset,
)

from orchestration.assets.purge import PURGE_RUN
from orchestration.checks import own_check
from orchestration.guarded import guarded
from orchestration.resources import Run
from orchestration.translator import OWNER
from retention.erasure.compaction import compact

COMPACTION = AssetKey(["compaction"])
ALL_REWRITTEN = "all_rewritten"


@asset(
    key=COMPACTION,
    group_name="purge",
    description="The tables that lost rows under a category which the policy erases physically, rewritten"
    " with their indexes and statistics (§ 6), after the purge and outside of its transaction.",
    deps=[PURGE_RUN],
    check_specs=[
        own_check(
            COMPACTION,
            ALL_REWRITTEN,
            "No table was left that holds files with values of purged records (§ 6).",
        )
    ],
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def compaction(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Rewrite every table that waits."""
    done = compact(run.settings())
    return MaterializeResult(
        metadata={
            "rewritten": len(done.rewritten),
            "left": len(done.left),
            "unowned_files": "not looked" if done.unowned_files is None else done.unowned_files,
            "checkpointed": done.checkpointed,
            "evidence": done.entry_id or "nothing waited",
        },
        check_results=[
            AssetCheckResult(
                asset_key=COMPACTION,
                check_name=ALL_REWRITTEN,
                passed=done.is_whole,
                severity=AssetCheckSeverity.ERROR,
                metadata={one.table: one.why for one in done.left},
            )
        ],
    )
