"""How the commands about plans print one: its fields, counts, ages, what changed, a sample.

Belongs here: the tables and their headings. Does not belong here: the figures (`retention.plan`).
"""

from collections.abc import Iterable, Mapping

from cli.console import say, show_fields, show_table
from retention.plan import Plan, PlanCount, PlanDetails, band_names


def show_plan(one: Plan, more: PlanDetails | None = None) -> None:
    """Print a plan, with its details where they are given."""
    show_fields(
        {
            "plan": one.plan_id,
            "state": one.state,
            "scope": one.scope,
            "as of": one.as_of,
            "records": one.items,
            "digest": one.digest,
            "policy": f"{one.policy_version} ({one.policy_hash[:12]}…)",
            "planned": f"{one.planned_by}, {one.planned_at:%Y-%m-%d %H:%M} UTC",
            "expires": one.expires_on,
            "approved": _who(one.approved_by, one.approval_kind),
            "rejected": _who(one.rejected_by, one.reject_reason),
            "not approved": one.refusals[-1] if one.refusals else None,
            "carried out": _who(one.run_by, f"{one.executed_at:%Y-%m-%d %H:%M} UTC")
            if one.executed_at
            else None,
        }
    )
    if more:
        _show_details(one, more)
    else:
        show_counts(one.counts)
    show_reasons("left out of the plan", one.waiting)
    show_reasons("outcome", one.outcome if one.state in ("executing", "executed") else {})
    if one.state == "proposed":
        say(f"Another login approves it: retention approve {one.plan_id} {one.digest}")


def _who(login: str | None, more: str | None) -> str | None:
    return f"{login} ({more})" if login and more else login


def show_counts(counts: Iterable[PlanCount]) -> None:
    """Print the counts per table, rule and disposition, if there are any."""
    counts = list(counts)
    rows = [(c.table, c.rule_id, c.disposition, c.records, c.oldest_due_on) for c in counts]
    if rows:
        show_table(("table", "rule", "then", "records", "oldest due"), rows)
    _show_restored(counts)


def _show_restored(counts: Iterable[PlanCount]) -> None:
    if restored := sum(count.restored for count in counts):
        say(f"{restored} of them were minimised before: a sync restored their values.")


def show_reasons(title: str, counts: Mapping[str, int]) -> None:
    """Print how many records there are for each reason, most first."""
    if counts:
        show_table((title, "records"), sorted(counts.items(), key=lambda pair: -pair[1]))


def _show_details(plan: Plan, found: PlanDetails) -> None:
    oldest = {(c.table, c.rule_id, c.disposition): c.oldest_due_on for c in plan.counts}
    if found.ages:
        show_table(
            ("table", "rule", "then", "records", "oldest due", *band_names()),
            [
                (
                    one.table,
                    one.rule_id,
                    one.disposition,
                    sum(one.bands.values()),
                    oldest.get((one.table, one.rule_id, one.disposition)),
                    *one.bands.values(),
                )
                for one in found.ages
            ],
            title="days overdue",
        )
    _show_restored(plan.counts)
    if found.changes:
        show_table(
            ("table", "rule", "then", "before", "now", "difference"),
            [
                (
                    f"{one.table} (new)" if one.is_new_table else one.table,
                    one.rule_id,
                    one.disposition,
                    one.before,
                    one.now,
                    f"{one.now - one.before:+}",
                )
                for one in found.changes
            ],
            title=f"against plan {found.previous}",
        )
    elif found.previous:
        say(f"The same counts as plan {found.previous}.")
    if found.sample:
        show_table(
            ("table", "key", "rule", "then", "anchor", "due"),
            [
                (
                    one.table,
                    one.record_key,
                    one.rule_id,
                    one.disposition,
                    one.anchor_on,
                    one.due_on,
                )
                for one in found.sample
            ],
            title="sample",
        )
