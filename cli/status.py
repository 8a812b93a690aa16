"""`retention status`: where the retention stands, and whether somebody must look at it.

Belongs here: the command's arguments and the layout. Does not belong here: what is a finding;
`retention.status` and `expectations` say.
"""

from typing import TYPE_CHECKING

import typer

from cli.console import JsonFlag, say, show_json, show_table
from expectations.standing import integrity_findings
from retention.classified import STATUSES
from retention.ledger.failures import safe_errors
from retention.settings import load_settings
from retention.status import read_status
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER

if TYPE_CHECKING:
    from retention.status import Count, Status

FINDINGS = 1
MOST_SHOWN = 8


def status(as_json: JsonFlag = False) -> None:
    """Show records per category and status, and what somebody must look at.

    Ends with 1 when there is a finding: overdue beyond the days of grace, review past its deadline,
    a hold past its day, rows that were purged and landed again, a table set aside or undeclared, a plan
    approved and not carried out, a failed check, no fresh classification.
    """
    settings = load_settings()
    with (
        connect(settings, role=READER, read_only=True, autocommit=True) as conn,
        safe_errors("reading the status"),
    ):
        found = read_status(conn, settings, integrity_findings)
    if as_json:
        show_json(found.as_dict())
    else:
        _show(found)
    if found.findings:
        raise typer.Exit(FINDINGS)


def _show(found: "Status") -> None:
    classification = found.classification
    say(
        f"{found.database}: {found.records} records as of {classification.as_of}, policy"
        f" {classification.policy_version}"
    )
    show_population(found.counts)
    say(
        f"overdue {found.of_status('overdue')}, of them {found.beyond_grace} for more than"
        f" {classification.grace_days} days; review {found.of_status('review')}, of them"
        f" {found.past_review} past the deadline; purged so far"
        f" {found.purged}, minimised {found.minimised}, with {found.evidence} entries of evidence"
    )
    if found.resurrections:
        say(f"purged before and landed again {found.resurrections}: they are due again")
    for plan in found.plans:
        say(f"plan {plan.plan_id} is {plan.state}: {plan.items} records, until {plan.expires_on}")
    if not found.findings:
        say("no findings")
        return
    say()
    say(f"{len(found.findings)} findings")
    beyond = [one for one in found.findings if one.kind == "overdue_beyond_grace"]
    for finding in found.findings:
        if finding.kind != "overdue_beyond_grace":
            say(f"- {finding.message}")
    # As many as there are tables and rules: the largest say where to begin, the rest is a sum.
    beyond.sort(key=lambda one: one.records or 0, reverse=True)
    for finding in beyond[:MOST_SHOWN]:
        say(f"- {finding.message}")
    if rest := beyond[MOST_SHOWN:]:
        records = sum(one.records or 0 for one in rest)
        say(
            f"- {len(rest)} more tables and rules with {records} records overdue beyond grace:"
            " see --json, or `retention report`"
        )


def show_population(counts: "tuple[Count, ...]") -> None:
    """Print the population: a line per category, a column per status."""
    by_category: dict[str | None, dict[str, int]] = {}
    for count in counts:
        by_category.setdefault(count.category, {})[count.status] = count.records
    show_table(
        ("category", *STATUSES, "records"),
        [
            (category or "(locked)", *(line.get(name) for name in STATUSES), sum(line.values()))
            for category, line in by_category.items()
        ],
        footer=(
            "total",
            *(sum(line.get(name, 0) for line in by_category.values()) for name in STATUSES),
            sum(count.records for count in counts),
        ),
    )
