"""From a plan to its purge.

Belongs here: the assets that freeze a plan and carry an approved one out, with the plan's own
precondition. Does not belong here: approving, which a login of the database does and no job, and the
deleting itself (`retention.purge`).
"""

from collections.abc import Iterator
from uuid import UUID

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    asset,
    asset_check,
)

from expectations import require_integrity, run_checks
from expectations.catalogue import BY_NAME
from orchestration.assets.classification import RECORDS
from orchestration.assets.findings import FINDINGS
from orchestration.checks import asset_check_result, check_specs
from orchestration.decided import plan_decided
from orchestration.guarded import guarded
from orchestration.metadata import Metadata, counts_table, table
from orchestration.resources import Run
from orchestration.standing import TableEvent, purged_by, read_standing, tables_read
from orchestration.translator import OWNER
from orchestration.unattended import plan_unattended
from retention import plan as plans
from retention import purge
from retention.classify import today
from retention.declarations import load_declarations
from retention.plan import Plan
from retention.policy import in_force, load_versions
from retention.rights import erasure
from retention.settings import Settings

PURGE_PLAN = AssetKey(["purge_plan"])
PURGE_RUN = AssetKey(["purge_run"])

_AFTERWARDS = BY_NAME["no_blocked_record_in_plan"]
(_SPEC,) = check_specs(PURGE_PLAN, [_AFTERWARDS])
# An executing plan is one whose purge was cut short; carrying it out again goes on where it stopped.
_MAY_BE_CARRIED_OUT = ("approved", "executing")


@asset(
    key=PURGE_PLAN,
    group_name="plan",
    description="The overdue records (§ 6) frozen into a plan with its digest, which a person approves"
    " with a login of their own; before it, the records whose erasure was decided (§ 8), in a plan that the"
    " decisions approve, and what the policy leaves to a job, in a plan that the policy approves inside its"
    " blast radius. Not made where an integrity check failed, nor on a past day.",
    deps=[FINDINGS, RECORDS],
    owners=[OWNER],
    kinds={"postgres"},
    output_required=False,
)
@guarded
def purge_plan(context: AssetExecutionContext, run: Run) -> Iterator[MaterializeResult[None]]:
    """Freeze what is overdue today."""
    settings = run.settings()
    if run.day() != today():
        context.log.info("the records are those of a past day: nothing is planned from them")
        return
    # Asked again although `findings` stands before this: a job may leave that out.
    require_integrity(settings, run.day())
    erasure.settle(settings)
    decided = plan_decided(settings)
    objection = plans.unattended_objection(settings)
    if objection:
        unattended: Metadata = {"unattended": objection}
    else:
        unattended = _unattended_metadata(plan_unattended(settings))
    yield MaterializeResult(
        metadata={
            **_plan_metadata(plans.create(settings)),
            **unattended,
            **(_decided_metadata(decided) if decided else {}),
        }
    )


@asset_check(
    asset=PURGE_PLAN,
    name=_SPEC.name,
    description=_SPEC.description,
    metadata=_SPEC.metadata,
    blocking=_SPEC.blocking,
)
@guarded
def no_blocked_record_in_plan(run: Run) -> AssetCheckResult:
    """Look at the plan that was just made; `findings` could only see the plans before it."""
    (result,) = run_checks(run.settings(), run.day(), names=[_AFTERWARDS.name])
    return asset_check_result(PURGE_PLAN, result)


@asset(
    key=PURGE_RUN,
    group_name="purge",
    description="An approved plan carried out (§ 6): batch by batch, each deletion with its evidence in"
    " one transaction; what is held, or has changed since, is skipped and counted by reason.",
    deps=[PURGE_PLAN],
    owners=[OWNER],
    kinds={"postgres"},
    output_required=False,
)
@guarded
def purge_run(context: AssetExecutionContext, run: Run) -> Iterator[MaterializeResult[None]]:
    """Carry out the plan that the run names, or every approved one."""
    settings = run.settings()
    named = run.plan()
    chosen = [named] if named else carried_out_next(plans.list_plans(settings))
    if not chosen:
        context.log.info("no plan is approved: nothing was purged")
        return
    pace = purge.unattended(in_force(load_versions(settings.policy_dir), today()))
    results = [_carry_out(settings, plan_id, pace) for plan_id in chosen]
    finished = erasure.settle(settings)
    skipped: dict[str, int] = {}
    for result in results:
        for reason, number in result.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + number
    gone = purged_by(settings, chosen)
    for event in _as_they_stand_now(settings, {name for name, _ in gone}):
        context.log_event(event)
    yield MaterializeResult(
        metadata={
            "plans": ", ".join(str(result.plan_id) for result in results),
            "purged": sum(result.purged for result in results),
            "minimised": sum(result.minimised for result in results),
            "skipped": sum(skipped.values()),
            "batches": sum(result.batches for result in results),
            "erasures carried out": finished,
            **{f"skipped: {reason}": number for reason, number in sorted(skipped.items())},
            "by_table": table(
                ("table", "what", "rows"), [(*key, number) for key, number in sorted(gone.items())]
            ),
        }
    )


def _as_they_stand_now(settings: Settings, names: set[str]) -> Iterator[TableEvent]:
    """What is left in the tables that lost rows or values."""
    declared = load_declarations(settings.declarations_dir).governed
    standing = read_standing(settings)
    return tables_read(standing, [one for one in declared if one.qualified in names])


def _carry_out(settings: Settings, plan_id: UUID, pace: purge.Pace) -> purge.PurgeResult:
    """Carry the plan out; one that was carried out by a run that ended before its read-back goes on to
    that, with what was purged then."""
    if plans.show(settings, plan_id).state == "executed":
        return purge.outcome(settings, plan_id)
    return purge.execute(settings, plan_id, pace=pace)


def carried_out_next(known: list[Plan]) -> list[UUID]:
    """The plans that may be carried out now, oldest first."""
    return [plan.plan_id for plan in reversed(known) if may_be_carried_out(plan)]


def may_be_carried_out(plan: Plan) -> bool:
    """True for a plan that is approved, or whose purge was cut short."""
    return plan.state in _MAY_BE_CARRIED_OUT


def _unattended_metadata(plan: Plan) -> Metadata:
    return {
        "unattended": plan.refusals[-1] if plan.refusals else plan.state,
        "unattended plan_id": str(plan.plan_id),
        "unattended items": plan.items,
    }


def _decided_metadata(plan: Plan) -> Metadata:
    return {
        "decided": plan.refusals[-1] if plan.refusals else plan.state,
        "decided plan_id": str(plan.plan_id),
        "decided items": plan.items,
    }


def _plan_metadata(plan: Plan) -> Metadata:
    return {
        "plan_id": str(plan.plan_id),
        "digest": plan.digest,
        "state": plan.state,
        "as_of": plan.as_of.isoformat(),
        "policy_version": plan.policy_version,
        "expires_on": plan.expires_on.isoformat(),
        "items": plan.items,
        "waiting": sum(plan.waiting.values()),
        **{f"waiting: {reason}": number for reason, number in sorted(plan.waiting.items())},
        "counts": counts_table(
            {
                (count.table, f"{count.rule_id}, {count.disposition}"): count.records
                for count in plan.counts
            }
        ),
    }
