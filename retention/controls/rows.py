"""The rows of a control person, from the declarations alone.

Belongs here: a value for every column that the classification reads, as text that casts to the column's
own type. Does not belong here: who the persons are (`persons`), and writing anything.
"""

import uuid
from typing import Any

from retention.controls.persons import ControlPerson
from retention.declarations import TableDeclaration

Values = dict[str, str]

# Within a smallint, far from the small numbers that sources begin with.
_BASE = 30_000
_UNREADABLE = ("bigint", "integer", "smallint", "numeric", "double precision", "real")


def can_be_shown(table: TableDeclaration, types: dict[str, str]) -> bool:
    """False where a date of the table is a number: the models read none from it, so that every row of
    the table is under review whatever it holds."""
    dates = (*table.anchor_columns, table.collected_at)
    return all(types.get(column or "", "text") not in _UNREADABLE for column in dates)


def entity_value(table: TableDeclaration, person: ControlPerson, types: dict[str, str]) -> str:
    """What other rows of the person call the row in `table`."""
    return _key(types[table.entity_columns[0]], person.number)


def row(
    table: TableDeclaration,
    person: ControlPerson,
    assignment_type: str,
    types: dict[str, dict[str, str]],
    by_name: dict[str, TableDeclaration],
) -> Values:
    """Column by column what stands in `table` of `person`; columns left out are null.

    `types` are the columns' types of every table by qualified name.
    """
    own = types[table.qualified]
    day = person.day.isoformat()
    values = {c: _key(own[c], person.number) for c in (*table.key, *table.entity_columns)}
    values |= {c: day for c in (*table.anchor_columns, table.collected_at) if c}
    if table.current_when:
        values[table.current_when] = "true"
    if table.soft_delete:
        values[table.soft_delete] = "false"
    if table.person and table.person.received_via_partner:
        values[table.person.received_via_partner] = str(person.case == "lead_partner").lower()
    if table.lead and table.lead.partner:
        values[table.lead.partner] = _key(own[table.lead.partner], person.number)
    if table.contact_event:
        for column, wanted in table.contact_event.counts_when[0].items():
            values[column] = _counting(wanted)
    if fact := table.assignment_fact:
        values |= dict.fromkeys((fact.opened_at, fact.completed_at), day)
        values[fact.state.column] = (fact.state.completed or fact.state.ended)[0]
        if isinstance(fact.type, str):
            values[fact.type] = assignment_type
    return values | _links(table, person, types, by_name)


def _links(
    table: TableDeclaration,
    person: ControlPerson,
    types: dict[str, dict[str, str]],
    by_name: dict[str, TableDeclaration],
) -> Values:
    links: Values = {}
    if subject := table.subject:
        for column in subject.email:
            links[column] = f"control-{person.number}@control.invalid"
        for column in subject.phone:
            # No subscriber: +47 followed by a number of a series that is not given out.
            links[column] = f"+4700{person.number:06}"
        pointer = subject.foreign_key or subject.through
        if pointer and subject.to:
            links[pointer] = entity_value(by_name[subject.to], person, types[subject.to])
    if table.assignment:
        to = table.assignment.to
        links[table.assignment.column] = entity_value(by_name[to], person, types[to])
    return links


def _counting(wanted: Any) -> str:
    """A value that meets a condition of `counts_when`."""
    if isinstance(wanted, bool):
        return str(wanted).lower()
    if isinstance(wanted, dict):
        if "greater_than" in wanted:
            return str(int(wanted["greater_than"]) + 1)
        return "control"
    return str(wanted[0] if isinstance(wanted, list | tuple) else wanted)


def _key(column_type: str, number: int) -> str:
    if column_type == "uuid":
        return str(uuid.UUID(int=_BASE + number))
    if column_type.startswith(("timestamp", "date")):
        return "2000-01-01"
    if column_type == "boolean":
        return "true"
    return str(_BASE + number)
