"""What is left of a purge: that nothing is left, the signed evidence of it, and the report.

Belongs here: the assets that read back, sign and report. Does not belong here: how any of it is done
(`retention.verify`, `retention.evidence`, `retention.report`).
"""

from collections.abc import Iterator
from uuid import UUID

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    asset,
)

from orchestration.assets.erasure import COMPACTION
from orchestration.assets.findings import FINDINGS
from orchestration.assets.purge import PURGE_PLAN, PURGE_RUN
from orchestration.checks import own_check
from orchestration.guarded import guarded
from orchestration.resources import Run
from orchestration.translator import OWNER
from retention import plan as plans
from retention import verify
from retention.evidence import publish
from retention.report import deletion
from retention.settings import Settings

READ_BACK = AssetKey(["read_back"])
CHECKPOINT = AssetKey(["checkpoint"])
DELETION_REPORT = AssetKey(["deletion_report"])

NOTHING_LEFT = "nothing_left"


@asset(
    key=READ_BACK,
    group_name="evidence",
    description="Whether anything that was purged is still there or came back, in landing or in any copy,"
    " and whether plan, tombstones and evidence agree (§ 6). Shares no code with the purge.",
    deps=[PURGE_RUN],
    check_specs=[
        own_check(
            READ_BACK,
            NOTHING_LEFT,
            "Nothing that was purged is left or has come back, and the evidence is whole (§ 6).",
        )
    ],
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def read_back(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Read back what the run's plan purged, or what any plan purged."""
    result = verify.read_back(run.settings(), run.plan())
    found = sum(finding.count for finding in result.findings)
    return MaterializeResult(
        metadata={
            "rows_looked_at": result.checked,
            "tombstones": result.tombstones,
            "column_tombstones": result.column_tombstones,
            "came_back_as_new": result.returned,
            "found": found,
        },
        check_results=[
            AssetCheckResult(
                asset_key=READ_BACK,
                check_name=NOTHING_LEFT,
                passed=not result.findings,
                severity=AssetCheckSeverity.ERROR,
                metadata={
                    "found": found,
                    **{f"{each.what}: {each.where}": each.count for each in result.findings},
                },
            )
        ],
    )


@asset(
    key=CHECKPOINT,
    group_name="evidence",
    description="The signed head of the ledger, exported to where the database's administrator cannot"
    " write, with what a backup from before would lack: whatever was held or purged so far is known"
    " there, and a ledger that is behind it purges nothing.",
    deps=[FINDINGS, PURGE_PLAN, READ_BACK, COMPACTION],
    owners=[OWNER],
    kinds={"postgres", "file"},
    output_required=False,
)
@guarded
def checkpoint(context: AssetExecutionContext, run: Run) -> Iterator[MaterializeResult[None]]:
    """Number what was written, sign the head, export it."""
    head = publish(run.settings())
    if head is None:
        context.log.info("the ledger is empty: nothing was exported")
        return
    yield MaterializeResult(
        metadata={"entries": head.size, "root": head.root.hex(), "signed_at": head.time}
    )


@asset(
    key=DELETION_REPORT,
    group_name="evidence",
    description="The deletion report (slettebevis) of each plan that was carried out: counts per table,"
    " rule and clause (§ 6), who approved, what proves it, what it does not cover.",
    deps=[CHECKPOINT],
    owners=[OWNER],
    kinds={"json"},
    output_required=False,
)
@guarded
def deletion_report(context: AssetExecutionContext, run: Run) -> Iterator[MaterializeResult[None]]:
    """Write the report of the run's plan, or of every plan that was carried out."""
    settings = run.settings()
    named = run.plan()
    chosen = [named] if named else _carried_out(settings)
    if not chosen:
        context.log.info("no plan was carried out: there is no deletion to report")
        return
    paths = [deletion.write(settings, plan_id) for plan_id in chosen]
    yield MaterializeResult(
        metadata={"reports": len(paths), "files": ", ".join(path.name for path in paths)}
    )


def _carried_out(settings: Settings) -> list[UUID]:
    known = plans.list_plans(settings)
    return [
        plan.plan_id
        for plan in reversed(known)
        if plan.state in ("executing", "executed") and plan.tokens_forgotten_at is None
    ]
