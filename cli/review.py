"""`retention review`: the records that need a person, and what the person decides.

Belongs here: the commands' arguments and what they print. Does not belong here: why a record is under
review (the models), and recording the decision (`retention.review`).
"""

from enum import StrEnum
from typing import Annotated

import typer

from cli.arguments import parse_day
from cli.console import JsonFlag, say, show_json, show_table
from retention import review as reviews
from retention.settings import load_settings


class Decision(StrEnum):
    keep = "keep"
    purge = "purge"
    anchor = "anchor"


review = typer.Typer(add_completion=False, help="List and decide the records that need a person.")


@review.command("list")
def list_(
    table: Annotated[
        str | None, typer.Option(metavar="SCHEMA.TABLE", help="Only records of this table.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, those due longest first.")] = 100,
    as_json: JsonFlag = False,
) -> None:
    """List records under review, with the reason."""
    found = reviews.list_(load_settings(), table=table, limit=limit)
    if as_json:
        show_json(found)
        return
    show_table(
        ("table", "key", "category", "rule", "anchor", "due", "reason"),
        [
            (
                f"{one.source_schema}.{one.source_table}",
                one.record_key,
                one.category,
                one.rule_id,
                one.anchor_on,
                one.due_on,
                one.reason,
            )
            for one in found
        ],
    )


@review.command("decide")
def decide(
    table: Annotated[str, typer.Argument(metavar="SCHEMA.TABLE")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="As `review list` shows it.")],
    decision: Annotated[
        Decision, typer.Argument(help="keep, purge, or anchor: a clock that runs.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays out of the evidence.")],
    rule: Annotated[str | None, typer.Option("--rule", help="With anchor: the rule's id.")] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="With anchor: when its clock starts.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="With keep: the last day.")
    ] = None,
    whole_case: Annotated[
        bool,
        typer.Option(
            "--case", help="Every record under review of its assignment, or else of its person."
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Decide a record under review, as the login of this connection. The next run applies it."""
    what: reviews.Decided = {
        "table": table,
        "record_key": key,
        "decision": decision.value,
        "reason": reason,
        "rule_id": rule,
        "anchor_on": parse_day(on),
        "keep_until": parse_day(until),
    }
    settings = load_settings()
    if whole_case:
        records = reviews.decide_case(settings, **what)
        told: dict[str, object] = {"records": records}
    else:
        told, records = {"decision_id": reviews.decide(settings, **what)}, 1
    if as_json:
        show_json(told)
    else:
        say(f"Decided: {decision.value}, {records} records. The next `retention run` applies it.")
