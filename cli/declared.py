"""How a table is declared, and where each part of it is written.

Belongs here: the layout. Does not belong here: the command (`explain`), and which level of a
declaration wins (`retention.declarations.inheritance`).
"""

from typing import TYPE_CHECKING, Any

from cli.console import say, show_table
from retention.language import N_, Speaker

if TYPE_CHECKING:
    from retention.declarations import Declared, TableDeclaration

# Declared of single columns, which have a table of their own.
_PER_COLUMN = ("personal", "harmless", "exempt_columns", "types")


def show_declared(declared: "Declared", teller: Speaker) -> None:
    """Print the parts of a declaration with their places, then its columns one by one."""
    table = declared.table
    standing = teller.say("exempt") if table.exempt else teller.say("governed")
    say(f"{table.qualified}  {standing}  {teller.policy(table.description)}".rstrip())
    columns = _columns_declared(table, teller)
    show_table(
        tuple(map(teller.say, (N_("declared"), N_("written in"), N_("for"), N_("as")))),
        [
            (
                name,
                giver.place,
                giver.scope,
                _value(value) if name not in _PER_COLUMN else teller.say("see below"),
            )
            for name, value in sorted(declared.inherited.keys.items())
            for giver in [declared.inherited.givers[name]]
        ],
    )
    if columns:
        show_table(
            tuple(map(teller.say, (N_("column"), N_("declared in"), N_("as")))),
            columns,
        )


def _columns_declared(table: "TableDeclaration", teller: Speaker) -> list[tuple[str, str, str]]:
    """Column by column what a table declares of it; a column may have a type besides."""
    personal = [
        (
            name,
            "personal",
            column.kind
            + "".join(
                teller.say(", not required by {whom}", whom=teller.word("category", whom))
                for whom in column.not_required_by
            ),
        )
        for name, column in table.personal.items()
    ]
    exempt = [
        (
            name,
            "exempt_columns",
            teller.say(
                "until {day}: {reason} ({owner})",
                day=column.review_on,
                reason=teller.policy(column.reason).text,
                owner=column.owner,
            ),
        )
        for name, column in table.exempt_columns.items()
    ]
    harmless = [(name, "harmless", "") for name in table.harmless]
    types = [(name, "types", kind) for name, kind in table.types.items()]
    return sorted([*personal, *exempt, *harmless, *types])


def _value(value: Any) -> str:
    """A part of a declaration on one line, as YAML would have it there."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")
