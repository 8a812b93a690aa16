"""`retention locked`: records that are locked (§ 8) or restricted (GDPR art. 18).

Belongs here: the commands' arguments and what they print. Does not belong here: whether one may be
read; the database says so, and keeps the evidence (`retention.rights.out_of_use`).
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import JsonFlag, say, show_fields, show_json, show_table
from retention.settings import load_settings

if TYPE_CHECKING:
    from retention.rights.out_of_use.withdraw import Withdrawal

FINDINGS = 1

locked = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="What is locked or restricted: counts, one logged read, and taking it out of models.",
)


@locked.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """Count what is locked or restricted, by table: nothing more is told of it."""
    from retention.rights.out_of_use.reading import counted

    found = counted(load_settings())
    if as_json:
        show_json([vars(one) for one in found])
        return
    show_table(
        ("table", "status", "records"),
        [(f"{one.source_schema}.{one.source_table}", one.status, one.records) for one in found],
    )
    say("One record is read by a custodian: retention locked read SCHEMA.TABLE KEY")


@locked.command("read")
def read(
    table: Annotated[str, typer.Argument(metavar="SCHEMA.TABLE", help="Where the record lies.")],
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="Its key, as retention.records shows it.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="What it is read for; it is kept.")],
    authority: Annotated[
        str,
        typer.Option("--authority", help="By what right: the person's request, or an authority."),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Read one locked or restricted record, as a custodian. That it is read is written down first.

    What is printed is the record itself: it goes to this terminal and nowhere else.
    """
    from retention.rights.out_of_use import reading

    rows = reading.read(load_settings(), table=table, key=key, reason=reason, authority=authority)
    if as_json:
        show_json(rows)
        return
    for row in rows:
        show_fields({name: _plain(value) for name, value in row.items()}, title=table)
    if not rows:
        say("The landing table holds no row under that key any more.")


@locked.command("withdraw")
def withdraw(as_json: JsonFlag = False) -> None:
    """Take the rows of locked and restricted records out of the models downstream, as `run` does.

    Ends with 1 where a relation may hold some that no key leads to.
    """
    from retention.rights.out_of_use.withdraw import withdraw as take_out

    done = take_out(load_settings())
    if as_json:
        show_json(vars(done))
    else:
        say(f"{done.records} records are locked or restricted.")
        show_table(("relation", "rows removed"), sorted(done.copies.items()))
        for relation in done.untraceable:
            say(f"- {relation} may hold rows of theirs that no key leads to: look, and delete them")
    if done.untraceable:
        raise typer.Exit(FINDINGS)


def withdrawn_words(done: "Withdrawal | None") -> str:
    """What became of the rows that models show of a record that was just locked or restricted."""
    if done is None:
        return (
            "Its rows leave the models with the next `retention locked withdraw`, or the next run."
        )
    return f"{sum(done.copies.values())} rows were taken out of the models downstream."


def _plain(value: Any) -> Any:
    """A value as it fits a line: what is a document stays one."""
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
