"""`retention plan`, `approve`, `reject`, `purge` and `verify`: from what is overdue to its evidence.

Belongs here: the commands' arguments and what they print. Does not belong here: freezing, approving,
deleting and reading back; `retention.plan`, `retention.purge` and `retention.verify` do. Who approves is
the login of the connection, never an argument.
"""

import dataclasses
from typing import Annotated
from uuid import UUID

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from cli.plan_answers import extend, review
from cli.plan_show import show_counts, show_plan, show_reasons
from retention import plan as plans
from retention.classify import today
from retention.errors import Refused, UsageError
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
    unattended: Annotated[
        bool,
        typer.Option(
            "--unattended",
            help="Only what the policy leaves to a job; the policy approves it inside its limits.",
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Freeze what is overdue into a purge plan, or only look at it.

    Ends with 3 where the records were not classified today, or by other declarations or models, where
    an integrity check fails or cannot be evaluated, and where the policy does not approve an unattended
    plan: that one stays proposed, for a person.
    """
    if context.invoked_subcommand is not None:
        return
    if dry_run and unattended:
        raise UsageError("--dry-run looks at all that is overdue: leave one of the two out")
    settings = load_settings()
    if dry_run:
        with progress("looking at what is overdue"):
            seen = plans.preview(settings)
        if as_json:
            show_json(seen)
            return
        say(f"A plan made now, as of {seen.as_of}, would hold {seen.items} records.")
        show_counts(seen.counts)
        show_reasons("left out", seen.waiting)
        return
    with progress("checking, then freezing the plan"):
        # Here and not above: the other commands of this module need not wait for it.
        from expectations import require_integrity
        from orchestration.unattended import plan_unattended

        require_integrity(settings, today())
        made = plan_unattended(settings) if unattended else plans.create(settings)
    if as_json:
        show_json(made)
    else:
        show_plan(made)
    if unattended and made.state == "proposed":
        raise Refused(made.refusals[-1])


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
        ("plan", "as of", "scope", "state", "records", "planned by", "approved by", "expires"),
        [
            (
                one.plan_id,
                one.as_of,
                one.scope,
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
def show(
    plan_id: PlanId,
    sample: Annotated[
        int, typer.Option("--sample", min=0, metavar="N", help="Show so many of its records.")
    ] = 0,
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", help="Another seed, another sample.")
    ] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Show one plan: counts by age, the difference to the plan before, its digest, what became of it.

    A key that is itself personal is shown as its token. Once carried out, a plan holds no keys.
    """
    settings = load_settings()
    one = plans.show(settings, plan_id)
    more = plans.details(settings, plan_id, sample=sample, seed=seed)
    if as_json:
        show_json({**dataclasses.asdict(one), **dataclasses.asdict(more)})
        return
    show_plan(one, more)


plan.command("extend")(extend)
plan.command("review")(review)


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
    rate: Annotated[
        int | None,
        typer.Option("--rate", min=1, help="Rows a second, at most; without it no limit."),
    ] = None,
    pause: Annotated[
        float, typer.Option("--pause", min=0, help="Seconds to wait between two batches.")
    ] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Carry out an approved plan. Safe to call again after any failure.

    Starting it again shuts out whoever was carrying the plan out. Between batches no lock is held. What
    is held, came under review or has changed since is skipped and counted. Ends with 3 when a
    guard forbids going on; what was purged until then has its evidence.
    """
    from retention.purge import Pace, execute

    with progress("purging"):
        result = execute(load_settings(), plan_id, batch_items=batch_items, pace=Pace(rate, pause))
    if as_json:
        show_json(result)
        return
    say(
        f"Purged {result.purged} records and minimised {result.minimised} in {result.batches} batches."
    )
    show_reasons("skipped", result.skipped)


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
        if result.unmatched:
            say(
                f"{result.unmatched} tombstones are of keys that were destroyed: they match nothing."
            )
        if result.findings:
            show_table(
                ("where", "what", "count"),
                [(one.where, one.what, one.count) for one in result.findings],
            )
    raise typer.Exit(FINDINGS if result.findings else 0)
