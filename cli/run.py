"""`retention run` and `retention demo`: the daily job now, and the demonstration.

Belongs here: the commands' arguments, and the summary they end with. Does not belong here: the job
(`orchestration.run`), the demonstration's steps (demonstration.py), and what is a finding.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import parse_day
from cli.console import JsonFlag, progress, remark, say, show_json
from cli.jobs import run_job
from cli.status import FINDINGS, show_population
from retention.errors import Refused
from retention.settings import Settings, load_settings

if TYPE_CHECKING:
    from datetime import date

    from orchestration.run import JobResult
    from retention.plan import Plan
    from retention.report.report import Written
    from retention.status import Status

JOB = "apply_retention"


def run(
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="Classify as of a day in the past, beside today's records; nothing is planned.",
        ),
    ] = None,
    fail_on_findings: Annotated[
        bool, typer.Option("--fail-on-findings", help="End with 1 when there is a finding.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run the daily job: classify, check, plan. Nothing is purged before a person approves it, or the
    policy inside the blast radius that somebody approved there.

    Ends with 0 when the job completed, findings or not; 2 for a day in the future or before the
    first policy; 3 while another run is going, or where an integrity check forbids the plan.
    """
    from retention.plan import of_last_night

    settings = load_settings()
    day = _checked(settings, parse_day(as_of))
    with progress("classifying, checking, planning"):
        result = run_job(settings, JOB, as_of=day)
    found = _status(settings, day)
    written = _write_report(settings, day)
    made = () if found.classification.suffix else of_last_night(settings)
    by_scope = {plan.scope: plan for plan in made}
    if as_json:
        show_json(
            {
                "run": result,
                "status": found.as_dict(),
                "plan": by_scope.get("ordinary"),
                "unattended": by_scope.get("unattended"),
                "decided": by_scope.get("decided"),
                "report": {"page": written.html_path, "data": written.json_path},
                "user_interface": _page(settings),
            }
        )
    else:
        _show(found, made, result)
        _show_places(settings, written)
    if not result.success:
        raise Refused(
            f"no plan was made: {', '.join(result.failed_steps) or 'a step'} failed;"
            " `retention status` shows the checks behind it"
        )
    if fail_on_findings and found.findings:
        raise typer.Exit(FINDINGS)


def demo(as_json: JsonFlag = False) -> None:
    """Show the whole way on made-up data: sample, job, approval, purge, evidence.

    In the embedded warehouse alone, and only where every landing schema bears the sample's marker;
    anywhere else it is refused (3). Run again, it keeps the sample and does what is left.
    """
    settings = load_settings()
    from cli.demonstration import demonstrate

    with _steps() as tell:
        done = demonstrate(settings, tell)
        tell("writing the report")
        written = _write_report(settings, None)
    if as_json:
        show_json(
            {
                "sample": done.sample.as_dict(),
                "blockers_placed": done.placed,
                "before": done.before.as_dict(),
                "waiting": done.waiting,
                "plans": done.plans,
                "left": done.left,
                "after": done.after.as_dict(),
                "seconds": done.seconds,
                "report": {"page": written.html_path, "data": written.json_path},
                "user_interface": _page(settings),
            }
        )
        return
    say(f"{'kept' if done.sample.kept else 'landed'} the sample: {done.sample.total} rows")
    show_population(done.after.counts)
    say(
        f"overdue before {done.before.of_status('overdue')}, after {done.after.of_status('overdue')}"
    )
    for plan in done.plans:
        purged, minimised = plan.outcome.get("purged", 0), plan.outcome.get("minimised", 0)
        by = " as a demonstration" if plan.approval_kind == "demonstration" else ""
        say(
            f"planned and approved {plan.items}, purged {purged}, minimised {minimised}, left of what"
            f" was approved {plan.items - purged - minimised} ({plan.scope} plan {plan.plan_id},"
            f" approved by {plan.approved_by}{by})"
        )
        if plan.refusals:
            say(f"  not approved by the policy itself, {plan.refusals[-1]}")
        _show_counts("skipped", _skipped(plan))
    if not done.plans:
        say("planned and approved: nothing, every overdue record waits")
    _show_counts("overdue and waiting", done.waiting)
    left = f"the read-back found {done.left} left" if done.left else "the read-back found none left"
    say(
        f"evidence: {done.after.purged} tombstones, {done.after.evidence} entries"
        + (f"; {left}" if done.plans else "")
    )
    _show_places(settings, written)


def _checked(settings: Settings, day: "date | None") -> "date | None":
    """The day, where a policy was in force on it; before anything is started."""
    from retention.classify import checked_as_of
    from retention.policy import in_force, load_versions

    in_force(load_versions(settings.policy_dir), checked_as_of(day))
    return day


def _status(settings: Settings, day: "date | None") -> "Status":
    from expectations.standing import integrity_findings
    from retention.ledger.failures import safe_errors
    from retention.status import read_status
    from retention.warehouse.connection import connect

    with (
        connect(settings, role="retention_reader", read_only=True, autocommit=True) as conn,
        safe_errors("reading the status"),
    ):
        return read_status(conn, settings, integrity_findings, day)


def _write_report(settings: Settings, day: "date | None") -> "Written":
    from retention.report.history import keep
    from retention.report.report import write_report

    written = write_report(settings, day)
    keep(settings, written.document, written.json_path)
    return written


@contextmanager
def _steps() -> Iterator[Any]:
    """A function that shows the step that runs: moving on a terminal, a line each elsewhere."""
    yield lambda what: remark(f"… {what}")


def _show(found: "Status", made: "Sequence[Plan]", result: "JobResult") -> None:
    classification = found.classification
    say(
        f"{found.database}: {found.records} records as of {classification.as_of}, policy"
        f" {classification.policy_version} (run {result.run_id})"
    )
    show_population(found.counts)
    say(
        f"overdue {found.of_status('overdue')}, of them {found.beyond_grace} for more than"
        f" {classification.grace_days} days"
    )
    if classification.suffix:
        say(f"a replay, in schema retention{classification.suffix}: nothing is planned from it")
    else:
        show_plans(made)
    say(
        f"purged so far {found.purged}, minimised {found.minimised}, with {found.evidence} entries of"
        " evidence"
    )
    if found.findings:
        where = (
            "the report shows them" if classification.suffix else "`retention status` lists them"
        )
        say(f"{len(found.findings)} findings: {where}")


def show_plans(made: "Sequence[Plan]") -> None:
    """Say what the job planned for a person and what the policy leaves to itself, and how to approve."""
    by_scope = {plan.scope: plan for plan in made}
    ordinary, unattended = by_scope.get("ordinary"), by_scope.get("unattended")
    _show_plan(ordinary, "planned")
    if unattended is not None:
        _show_plan(unattended, "planned unattended")
    if decided := by_scope.get("decided"):
        _show_plan(decided, "planned as decided")
    _show_counts("overdue and waiting", ordinary.waiting if ordinary else {})


def _show_plan(plan: "Plan | None", what: str) -> None:
    if plan is None or plan.state == "empty":
        say(f"{what}: nothing")
    elif plan.state == "proposed":
        say(f"{what} {plan.items} (proposed), until {plan.expires_on}; to approve:")
        say(f"  retention approve {plan.plan_id} {plan.digest}")
    else:
        by = f" by {plan.approved_by}" if plan.approved_by else ""
        say(f"{what} {plan.items} ({plan.state}{by}), until {plan.expires_on}")
    for refusal in plan.refusals if plan else ():
        say(f"  not approved: {refusal}")


def _show_counts(what: str, counts: Mapping[str, int]) -> None:
    for reason, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        say(f"{what} {number}: {reason}")


def _skipped(plan: "Plan") -> dict[str, int]:
    sign = "skipped: "
    return {
        state.removeprefix(sign): number
        for state, number in plan.outcome.items()
        if state.startswith(sign)
    }


def _show_places(settings: Settings, written: "Written") -> None:
    page: Path = written.html_path
    say(f"report: {page}")
    say(f"user interface: {_page(settings) or '`retention up` starts it'}")


def _page(settings: Settings) -> str | None:
    """Where the user interface is, None where it does not run."""
    from orchestration.services import running_services
    from retention.ports import LOOPBACK

    return f"http://{LOOPBACK}:{settings.ui_port}" if running_services(settings) else None
