"""`retention orders`: what stores outside the warehouse are to delete, and what they answered.

Belongs here: the commands' arguments and what they print. Does not belong here: which orders stand;
`retention.orders` asks the ledger as the login of the connection.
"""

import json
from typing import Annotated
from uuid import UUID

import typer

from cli.console import JsonFlag, say, show_json, show_table
from retention import orders as engine
from retention.settings import load_settings

orders = typer.Typer(
    add_completion=False,
    help="Deletion orders for recordings, documents and scans that lie outside the warehouse.",
)


@orders.command("list")
def list_(
    open_only: Annotated[bool, typer.Option("--open", help="Only what no store has answered.")] = (
        False
    ),
    pointers: Annotated[
        bool,
        typer.Option(
            "--pointers",
            help="Also what the open orders point to: personal data, for a login that may.",
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the orders, oldest first."""
    settings = load_settings()
    found = engine.list_(settings, open_only=open_only)
    shown = {}
    if pointers:
        shown = {one.order_id: one.object_pointer for one in engine.hand_over(settings)}
    if as_json:
        show_json(
            [{**vars(one), "object_pointer": shown.get(one.order_id)} for one in found]
            if pointers
            else found
        )
        return
    show_table(
        ("id", "store", "table", "ordered", "state", "acknowledged by", "reference")
        + (("points to",) if pointers else ()),
        [
            (
                one.order_id,
                one.store,
                one.table,
                f"{one.ordered_at:%Y-%m-%d}",
                one.state,
                one.acknowledged_by,
                one.acknowledgement,
                *((shown.get(one.order_id),) if pointers else ()),
            )
            for one in found
        ],
    )


@orders.command("acknowledge")
def acknowledge(
    order_ids: Annotated[
        list[UUID], typer.Argument(metavar="ORDER…", help="As `orders list` shows them.")
    ],
    reference: Annotated[
        str,
        typer.Option(
            "--reference", help="The store's receipt or ticket; no personal data: it stays."
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Record that the store has deleted what the orders point to."""
    _told(engine.acknowledge(load_settings(), dict.fromkeys(order_ids, reference)), as_json)


@orders.command("export")
def export(
    store: Annotated[str, typer.Option("--store", help="The store whose job reads this.")],
) -> None:
    """Hand the open orders to a store's job: a JSON line each with order_id, store, table,
    ordered_at and object_pointer. It answers through `orders import`."""
    for one in engine.hand_over(load_settings(), store):
        line = {
            **vars(one),
            "order_id": str(one.order_id),
            "ordered_at": one.ordered_at.isoformat(),
        }
        typer.echo(json.dumps(line, ensure_ascii=False))


@orders.command("import")
def import_(
    answers: Annotated[
        typer.FileText,
        typer.Argument(metavar="FILE", encoding="utf-8", help="A JSON line an answer; - is stdin."),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Take a store's answers: a JSON line each with order_id and reference. All of them or none."""
    _told(engine.acknowledge(load_settings(), engine.read_answers(answers)), as_json)


def _told(acknowledged: int, as_json: bool) -> None:
    if as_json:
        show_json({"acknowledged": acknowledged})
    else:
        say(f"Acknowledged {acknowledged}.")
