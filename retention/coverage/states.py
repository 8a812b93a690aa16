"""The one state of every relation and of every column.

Belongs here: from the catalogue and the declarations to states. Does not belong here: differences
between the two (`differences`).

A partition, and a table that inherits, is in its parent's state: its rows are the parent's rows. One that
is declared by its own name speaks for itself.
"""

from collections.abc import Collection, Mapping

from retention.coverage.catalogue import Relation, is_landing_schema
from retention.coverage.model import Covered, State, TableName
from retention.declarations import Declarations, TableDeclaration

# Fivetran adds its own columns to every table; none of them holds what the source sent.
SYSTEM_PREFIX = "_fivetran_"


def states(
    relations: Mapping[TableName, Relation],
    declarations: Declarations,
    built: Collection[TableName],
) -> dict[TableName, Covered]:
    """The state of each of `relations`. `built` are those that dbt made."""
    declared = {(table.schema_, table.name): table for table in declarations.tables}
    return {name: _covered(name, relations, declared, built) for name in relations}


def lists_columns(table: TableDeclaration) -> bool:
    """An exemption may cover a table whatever its columns; one that lists columns covers those."""
    return not table.exempt or bool(table.columns_declared)


def is_system(column: str) -> bool:
    """True for a connector's own column."""
    return column.startswith(SYSTEM_PREFIX)


def spoken_for_by(
    name: TableName,
    relations: Mapping[TableName, Relation],
    declared: Collection[TableName],
) -> TableName:
    """The relation whose declaration is the one of `name`: itself, or the nearest above it that is
    declared, or the topmost."""
    while name not in declared:
        parent = relations[name].parent
        if parent is None or parent not in relations:
            return name
        name = parent
    return name


def _covered(
    name: TableName,
    relations: Mapping[TableName, Relation],
    declared: Mapping[TableName, TableDeclaration],
    built: Collection[TableName],
) -> Covered:
    speaker = spoken_for_by(name, relations, declared)
    relation = relations[name]
    declaration = declared.get(speaker)
    if declaration is None:
        state = State.BUILT if _is_built(speaker, relations[speaker], built) else State.FINDING
        columns = dict.fromkeys(relation.columns, state)
    else:
        state = State.EXEMPT if declaration.exempt else State.DECLARED
        columns = {column: column_state(column, declaration) for column in relation.columns}
    return Covered(
        *name,
        state=state,
        columns=columns,
        types={column: facts.type for column, facts in relation.columns.items()},
        lands=is_landing_schema(name[0]),
        part_of=speaker if speaker != name else None,
    )


def _is_built(name: TableName, relation: Relation, built: Collection[TableName]) -> bool:
    """Nothing lands in what dbt, our migrations or an extension made. Our own schemas are ours as a
    whole here."""
    return name in built or relation.is_extensions or not is_landing_schema(name[0])


def column_state(column: str, table: TableDeclaration) -> State:
    """The state of a column of a declared table."""
    if column in table.exempt_columns:
        return State.EXEMPT
    if not lists_columns(table):
        return State.EXEMPT
    if column in table.columns_declared or is_system(column):
        return State.EXEMPT if table.exempt else State.DECLARED
    return State.FINDING
