"""`retention plan extend` and `plan review`: what an approver may answer besides yes and no.

Belongs here: the commands' arguments and what they print. Does not belong here: which records a case is and
what must stay with it (`ledger.amend_plan`). Who decides is the login of the connection, never an argument.
"""

from typing import Annotated
from uuid import UUID

import typer

from cli.arguments import parse_day
from cli.console import JsonFlag, say, show_json
from retention.errors import UsageError
from retention.plan import Plan, amend
from retention.settings import load_settings

PlanId = Annotated[UUID, typer.Argument(metavar="PLAN", help="The plan's id.")]
Table = Annotated[str, typer.Argument(metavar="SCHEMA.TABLE")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="As `plan show --sample` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays out of the evidence.")]


def extend(
    plan_id: PlanId,
    table: Table,
    key: Key,
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="The last day to keep the case.")
    ],
    reason: Reason,
    as_json: JsonFlag = False,
) -> None:
    """Keep the case of a record until a new date: take it out of a proposed plan.

    The case is all of the record's assignment, or where it has none, of its person. The plan has a new
    digest afterwards. Ends with 3 where this login may not approve, or planned it.
    """
    day = parse_day(until)
    if day is None:
        raise UsageError("an extension needs its new date: --until DATE")
    amended = amend(
        load_settings(), plan_id, table=table, record_key=key, reason=reason, keep_until=day
    )
    _show(amended, f"The case is kept until {day}.", as_json)


def review(
    plan_id: PlanId, table: Table, key: Key, reason: Reason, as_json: JsonFlag = False
) -> None:
    """Move the case of a record to review: take it out of a proposed plan until it is decided.

    The case is all of the record's assignment, or where it has none, of its person. The plan has a new
    digest afterwards. Ends with 3 where this login may not approve, or planned it.
    """
    amended = amend(load_settings(), plan_id, table=table, record_key=key, reason=reason)
    _show(amended, "The case is under review from the next run on: `retention review`.", as_json)


def _show(plan: Plan, what: str, as_json: bool) -> None:
    if as_json:
        show_json(plan)
        return
    say(what)
    if plan.state == "proposed":
        say(f"{plan.items} records are left: retention approve {plan.plan_id} {plan.digest}")
    else:
        say("Nothing is left of the plan.")
