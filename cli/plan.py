"""`retention plan`, `approve`, `reject`, `purge` and `verify`: from what is overdue to its evidence.

Belongs here: the commands' arguments and what they print. Does not belong here: freezing, approving,
deleting and reading back; `retention.plan`, `retention.purge` and `retention.verify` do. Who approves is
the login of the connection, never an argument.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated
from uuid import UUID

import typer

from cli.console import JsonFlag, progress, say, show_fields, show_json, show_table
from retention import plan as plans
from retention.classify import today
from retention.plan import Plan, PlanCount
from retention.settings import load_settings

FINDINGS = 1

PlanId = Annotated[UUID, typer.Argument(metavar="PLAN", help="The plan's id.")]

plan = typer.Typer(
    add_completion=False,
    invoke_without_command=True,
    help="Freeze what is overdue into a purge plan. With --dry-run only look; nothing can be written.",
)


@plan.callback()
def make(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what a plan would hold; write nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Freeze what is overdue into a purge plan, or only look at it.

    Ends with 3 where the records were not classified today, or by other declarations or models, and where
    an integrity check fails or cannot be evaluated.
    """
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    if dry_run:
        with progress("looking at what is overdue"):
            seen = plans.preview(settings)
        if as_json:
            show_json(seen)
            return
        say(f"A plan made now, as of {seen.as_of}, would hold {seen.items} records.")
        _show_counts(seen.counts)
        _show_reasons("left out", seen.waiting)
        return
    with progress("checking, then freezing the plan"):
        # Here and not above: the other commands of this module need not wait for it.
        from expectations import require_integrity

        require_integrity(settings, today())
        made = plans.create(settings)
    _show(made, as_json)


@plan.command("list")
def list_plans(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """List the latest plans."""
    found = plans.list_plans(load_settings(), limit=limit)
    if as_json:
        show_json(found)
        return
    show_table(
        ("plan", "as of", "state", "records", "planned by", "approved by", "expires"),
        [
            (
                one.plan_id,
                one.as_of,
                one.state,
                one.items,
                one.planned_by,
                one.approved_by,
                one.expires_on,
            )
            for one in found
        ],
    )


@plan.command("show")
def show(plan_id: PlanId, as_json: JsonFlag = False) -> None:
    """Show one plan: its counts, its digest, what became of it."""
    _show(plans.show(load_settings(), plan_id), as_json)


def approve(
    plan_id: PlanId,
    digest: Annotated[
        str, typer.Argument(metavar="DIGEST", help="The digest that `plan show` prints.")
    ],
    as_json: JsonFlag = False,
) -> None:
    """Approve a plan as the login of this connection, by repeating its digest.

    Ends with 3 where that login planned it or may not approve, where the digest is another one, or the
    plan has expired. In the embedded warehouse the demonstration alone approves; elsewhere put the
    approver's own login into RETENTION_DATABASE_URL.
    """
    approved = plans.approve(load_settings(), plan_id, digest)
    if as_json:
        show_json(approved)
    else:
        say(f"Plan {approved.plan_id} is approved by {approved.approved_by}: `retention purge` it.")


def reject(
    plan_id: PlanId,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words that name nobody.")],
    as_json: JsonFlag = False,
) -> None:
    """Reject a plan that was not carried out; its records lose their keys in the plan."""
    rejected = plans.reject(load_settings(), plan_id, reason)
    if as_json:
        show_json(rejected)
    else:
        say(f"Plan {rejected.plan_id} is rejected by {rejected.rejected_by}.")


def purge(
    plan_id: PlanId,
    batch_items: Annotated[
        int, typer.Option(min=1, help="About how many records a transaction purges.")
    ] = 5_000,
    as_json: JsonFlag = False,
) -> None:
    """Carry out an approved plan. Safe to call again after any failure.

    What is held, came under review or has changed since is skipped and counted. Ends with 3 when a
    guard forbids going on; what was purged until then has its evidence.
    """
    from retention.purge import execute

    with progress("purging"):
        result = execute(load_settings(), plan_id, batch_items=batch_items)
    if as_json:
        show_json(result)
        return
    say(
        f"Purged {result.purged} records and minimised {result.minimised} in {result.batches} batches."
    )
    _show_reasons("skipped", result.skipped)


def verify(
    plan_id: Annotated[
        UUID | None, typer.Argument(metavar="[PLAN]", help="One plan; without it, all of them.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Read back that what was purged is nowhere any more, and that its evidence tells the same.

    Ends with 1 when something was found.
    """
    from retention.verify import read_back

    with progress("reading back"):
        result = read_back(load_settings(), plan_id)
    if as_json:
        show_json(result)
    else:
        say(
            f"{result.checked} rows looked at, {result.tombstones} tombstones,"
            f" {result.column_tombstones} of columns,"
            f" {result.returned} returned with a newer date, {len(result.findings)} findings."
        )
        if result.findings:
            show_table(
                ("where", "what", "count"),
                [(one.where, one.what, one.count) for one in result.findings],
            )
    raise typer.Exit(FINDINGS if result.findings else 0)


def _show(one: Plan, as_json: bool) -> None:
    if as_json:
        show_json(one)
        return
    show_fields(
        {
            "plan": one.plan_id,
            "state": one.state,
            "as of": one.as_of,
            "records": one.items,
            "digest": one.digest,
            "policy": f"{one.policy_version} ({one.policy_hash[:12]}…)",
            "planned": f"{one.planned_by}, {one.planned_at:%Y-%m-%d %H:%M} UTC",
            "expires": one.expires_on,
            "approved": _who(one.approved_by, one.approval_kind),
            "rejected": _who(one.rejected_by, one.reject_reason),
            "carried out": _who(one.run_by, f"{one.executed_at:%Y-%m-%d %H:%M} UTC")
            if one.executed_at
            else None,
        }
    )
    _show_counts(one.counts)
    _show_reasons("left out of the plan", one.waiting)
    _show_reasons("outcome", one.outcome if one.state in ("executing", "executed") else {})
    if one.state == "proposed":
        say(f"Another login approves it: retention approve {one.plan_id} {one.digest}")


def _who(login: str | None, more: str | None) -> str | None:
    return f"{login} ({more})" if login and more else login


def _show_counts(counts: Iterable[PlanCount]) -> None:
    counts = list(counts)
    rows = [(c.table, c.rule_id, c.disposition, c.records, c.oldest_due_on) for c in counts]
    if rows:
        show_table(("table", "rule", "then", "records", "oldest due"), rows)
    if restored := sum(count.restored for count in counts):
        say(f"{restored} of them were minimised before: a sync restored their values.")


def _show_reasons(title: str, counts: Mapping[str, int]) -> None:
    if counts:
        show_table((title, "records"), sorted(counts.items(), key=lambda pair: -pair[1]))
