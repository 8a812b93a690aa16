"""The SQL that reads a declared landing table as uniform record facts.

Belongs here: one `select` per declared table, in the column order of `COLUMNS`. It renames and casts;
it judges nothing. Rendered twice from one text: as a dbt staging model, and against the live landing
table when a purge looks again. Does not belong here: where the text goes (`staging`).

No personal value leaves the landing table this way: contact points appear as salted hashes, everything
else is keys, dates and states.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from retention.declarations.model import TableDeclaration
from retention.declarations.parts import AssertedRight, Consent, RuleName
from retention.warehouse.sql import quote_identifier, quote_literal

COLUMNS: dict[str, str] = {
    "source_schema": "text",
    "source_table": "text",
    "record_key": "text",
    "entity_key": "text",
    "is_current": "boolean",
    "is_soft_deleted": "boolean",
    "link_key": "text",
    "link_hashes": "text",
    "assignment_key": "text",
    "anchor_on": "date",
    "otherwise_on": "date",
    "collected_at": "timestamp",
    "counts_as_contact": "boolean",
    "received_via_partner": "boolean",
    "partner_key": "text",
    "assignment_type": "text",
    "assignment_state": "text",
    "opened_on": "date",
    "completed_on": "date",
    "acknowledged_on": "date",
    "handover_at": "timestamp",
    "handover_is_outside": "boolean",
    "instruction_id": "text",
    "instruction_period": "text",
    "request_is_pending": "boolean",
    "request_right": "text",
    "consent_purpose": "text",
    "consent_given_at": "timestamp",
    "consent_withdrawn_at": "timestamp",
    "reveals_purpose": "text",
    "has_minimisable": "boolean",
    "has_consented": "boolean",
}

# No deadline rests on them, and a batch changes the first and last itself: no input of a case.
_NOT_HASHED = frozenset({"has_minimisable", "request_right", "has_consented"})


def select_facts(
    table: TableDeclaration,
    relation: str,
    *,
    has_minimisable: str = "false",
    has_consented: str = "false",
) -> str:
    """The record facts of `table` read from `relation` (SQL text that stands in a from clause).

    `has_minimisable` and `has_consented` are the expressions that say whether a column that accounting
    does not need, or that rests on a consent, holds a value; whoever compares facts does not ask.
    """
    values = _values(table) | {"has_minimisable": has_minimisable, "has_consented": has_consented}
    hashed = ", ".join(f"facts.{name}" for name in COLUMNS if name not in _NOT_HASHED)
    lines = ",\n        ".join(
        f"{values.get(name, f'null::{kind}')} as {name}" for name, kind in COLUMNS.items()
    )
    return (
        f"select\n    facts.*,\n    md5(row({hashed})::text) as inputs_hash\nfrom (\n"
        f"    select\n        {lines}\n    from {relation} as landed\n) as facts"
    )


def select_keys(table: TableDeclaration, relation: str) -> str:
    """The key of each row of `relation` as the facts have it; the row itself is named `landed`."""
    return f"select {_record_key(table)} as record_key from {relation} as landed"  # noqa: S608


def known_by(table: TableDeclaration) -> tuple[str, str]:
    """By what a row is known to be out of use: the column of `int_out_of_use`, and the expression over the
    row `landed` that agrees with it. All versions of an entity go together."""
    if not table.key:
        # The number that tells equal rows apart is left off: all of them go.
        row = "sletteplikt.link_hash('row', landed::text)"
        return "row_hash", f"'row:' || {row}"
    if table.entity:
        return "entity_key", _entity_key(table)
    return "record_key", _record_key(table)


def select_with_key(table: TableDeclaration, relation: str, columns: Iterable[str]) -> str:
    """The key of each row of `relation` as the facts have it, beside `columns` as they landed."""
    listed = "".join(f", {_column(column)}" for column in columns)
    return f"select {_record_key(table)} as record_key{listed} from {relation} as landed"  # noqa: S608


def any_value(columns: Iterable[str]) -> str:
    """The expression that is true where one of `columns` holds a value."""
    listed = ", ".join(_column(column) for column in columns)
    return f"num_nonnulls({listed}) > 0" if listed else "false"


def _values(table: TableDeclaration) -> dict[str, str]:
    values = {
        "source_schema": f"{quote_literal(table.schema_)}::text",
        "source_table": f"{quote_literal(table.name)}::text",
        "record_key": _record_key(table),
        "entity_key": _entity_key(table),
        "is_current": (_is_true(table.current_when) if table.current_when else "true"),
        # The flag flips back when the id reappears, so it is an input only where it decides.
        "is_soft_deleted": (
            _is_true(table.soft_delete) if table.soft_delete and table.assignment_fact else "false"
        ),
        **_links(table),
    }
    if table.anchor_columns:
        values["anchor_on"] = _first_readable("local_date", table.anchor_columns)
    if table.otherwise:
        values["otherwise_on"] = _first_readable("local_date", (table.otherwise.anchor,))
    if collected := table.collected_at or (table.anchor_columns[0] if table.anchor_columns else ""):
        values["collected_at"] = f"sletteplikt.utc_time({_column(collected)})"
    if table.contact_event:
        clauses = [
            " and ".join(_matches(column, wanted) for column, wanted in clause.items())
            for clause in table.contact_event.counts_when
        ]
        values["counts_as_contact"] = (
            "coalesce(" + " or ".join(f"({clause})" for clause in clauses) + ", false)"
        )
    if table.person and table.person.received_via_partner:
        values["received_via_partner"] = _is_true(table.person.received_via_partner)
    if table.lead and table.lead.partner:
        values["partner_key"] = _partner(table.lead.partner)
    if table.handover:
        values["partner_key"] = _partner(table.handover.partner)
        values["handover_at"] = f"sletteplikt.utc_time({_column(table.handover.at)})"
        values["handover_is_outside"] = _in(table.handover.scope, table.handover.outside)
    if table.instruction:
        values["partner_key"] = _partner(table.key[0])
        values["instruction_id"] = f"{_column(table.instruction.id)}::text"
        values["instruction_period"] = f"{_column(table.instruction.period)}::text"
    if table.reveals:
        revealing = _is_true(table.reveals.when)
        values["reveals_purpose"] = (
            f"case when {revealing} then {quote_literal(table.reveals.purpose)}::text end"
        )
    if table.consent:
        values.update(_consent(table.consent))
    if table.request:
        closed = table.request.closed_when
        values["request_is_pending"] = f"not coalesce({_in(closed.column, closed.in_)}, false)"
        if table.request.right:
            values["request_right"] = _right(table.request.right)
    if table.assignment_fact:
        values.update(_assignment(table))
    return values


def _right(asserted: AssertedRight) -> str:
    whens = " ".join(
        f"when {_in(asserted.column, words)} then {quote_literal(right.value)}"
        for right, words in asserted.all_words.items()
    )
    return f"case {whens} end"


def _record_key(table: TableDeclaration) -> str:
    if not table.key:
        # No unique key is declared: the row is counted, reviewed and never purged by key.
        row = "sletteplikt.link_hash('row', landed::text)"
        return f"'row:' || {row} || ':' || row_number() over (partition by landed::text)::text"
    if table.key_is_personal:
        return f"sletteplikt.link_hash('key', {_column(table.key[0])}::text)"
    return _key(table.key)


def _entity_key(table: TableDeclaration) -> str:
    """A personal key stays in landing: the models know its entity by the same hash as its record."""
    if table.key_is_personal and table.entity_columns == table.key:
        return _record_key(table)
    return _key(table.entity_columns) if table.entity_columns else "null::text"


def _key(columns: tuple[str, ...]) -> str:
    if len(columns) == 1:
        return f"sletteplikt.key_text({_column(columns[0])})"
    parts = " || ',' || ".join(
        f"coalesce(to_json(sletteplikt.key_text({_column(c)}))::text, 'null')" for c in columns
    )
    return f"'[' || {parts} || ']'"


def _links(table: TableDeclaration) -> dict[str, str]:
    links: dict[str, str] = {}
    if subject := table.subject:
        same = subject.same_as.foreign_key if subject.same_as else None
        if pointer := subject.foreign_key or subject.through or same:
            links["link_key"] = f"sletteplikt.key_text({_column(pointer)})"
    # An objection is no person's by a link, but it bears a person's contact points.
    if points := table.subject or table.objection:
        hashes = [
            f"sletteplikt.link_hash('{kind}', {_column(column)}::text)"
            for kind, columns in (("email", points.email), ("phone", points.phone))
            for column in columns
        ]
        if hashes:
            # Separated by spaces, which a hash never holds: dbt's unit tests cannot state an array.
            links["link_hashes"] = f"nullif(concat_ws(' ', {', '.join(hashes)}), '')"
    if table.assignment:
        links["assignment_key"] = f"sletteplikt.key_text({_column(table.assignment.column)})"
    return links


def _assignment(table: TableDeclaration) -> dict[str, str]:
    fact = table.assignment_fact
    assert fact is not None
    states = " ".join(
        f"when {_in(fact.state.column, values)} then '{name}'"
        for name, values in (
            ("open", fact.state.open),
            ("completed", fact.state.completed),
            ("ended", fact.state.ended),
            ("draft", fact.state.draft),
        )
        if values
    )
    values = {
        "assignment_type": (
            f"{_column(fact.type)}::text"
            if isinstance(fact.type, str)
            else f"{quote_literal(fact.type.value)}::text"
        ),
        "assignment_state": f"case {states} else 'unknown' end",
        "opened_on": f"sletteplikt.local_date({_column(fact.opened_at)})",
        "completed_on": f"sletteplikt.local_date({_column(fact.completed_at)})",
    }
    if fact.acknowledged_at:
        values["acknowledged_on"] = f"sletteplikt.local_date({_column(fact.acknowledged_at)})"
    return values


def _consent(consent: Consent) -> dict[str, str]:
    column = f"{_column(consent.purpose)}::text"
    named = " ".join(
        f"when {quote_literal(value)} then {quote_literal(purpose)}"
        for value, purpose in consent.purposes.items()
    )
    return {
        "consent_purpose": f"case {column} {named} end" if named else column,
        "consent_given_at": f"sletteplikt.utc_time({_column(consent.given_at)})",
        "consent_withdrawn_at": f"sletteplikt.utc_time({_column(consent.withdrawn_at)})",
    }


def _matches(column: str, wanted: Any) -> str:
    if isinstance(wanted, bool):
        return _is_true(column) if wanted else f"not {_is_true(column)}"
    if isinstance(wanted, dict):
        (operator, value), *more = wanted.items()
        if more or operator not in ("greater_than", "not_in"):
            raise ValueError(f"unknown condition on {column}")
        if operator == "greater_than":
            return f"sletteplikt.as_number({_column(column)}) > {float(value)!r}::numeric"
        return f"not coalesce({_in(column, tuple(value))}, false)"
    return _in(column, tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,))


def _in(column: str, values: tuple[Any, ...]) -> str:
    listed = ", ".join(quote_literal(str(value)) for value in values)
    return f"{_column(column)}::text in ({listed})"


def _partner(column: str) -> str:
    """A partner's id beside a person may reveal that the person belongs to a trade union (§ 2), so the
    models see a salted hash of it, which tells partners apart and nothing else."""
    return f"sletteplikt.link_hash('partner', {_column(column)}::text)"


def _is_true(column: str) -> str:
    """True for a boolean, and for the ways in which text columns spell one; a cast would raise."""
    return f"coalesce(lower({_column(column)}::text) in ('true', 't', 'yes', '1'), false)"


def _first_readable(function: str, columns: tuple[str, ...]) -> str:
    calls = [f"sletteplikt.{function}({_column(column)})" for column in columns]
    return calls[0] if len(calls) == 1 else f"coalesce({', '.join(calls)})"


def _column(name: str | None) -> str:
    return f"landed.{quote_identifier(name or '')}"


def describe(table: TableDeclaration) -> dict[str, str]:
    """What the models must know of a table besides its rows, one row of the seed `declared_tables`.

    Everything is text; an empty string reads as null. Booleans are `true` or `false`, the key's columns a
    JSON array.
    """
    subject = table.subject
    same = subject.same_as if subject else None
    rule = table.follows.rule if isinstance(table.follows, RuleName) else ""
    return {
        "source_schema": table.schema_,
        "source_table": table.name,
        "is_governed": str(not table.exempt).lower(),
        "key_columns": json.dumps(table.key) if table.key else "",
        "key_is_personal": str(table.key_is_personal).lower(),
        "follows": "rule" if rule else str(table.follows),
        "rule_id": rule,
        "subject_link": subject.link if subject else "",
        "subject_to": (subject.to or "") if subject else "",
        "unmatched": subject.unmatched if subject else "",
        "several": subject.several if subject else "",
        "same_as": same.to if same else "",
        "same_as_link": ("foreign_key" if same.foreign_key else "contact_point") if same else "",
        "otherwise_rule": table.otherwise.rule if table.otherwise else "",
        "assignment_link": (
            ("foreign_key" if table.assignment.foreign_key else "through")
            if table.assignment
            else ""
        ),
        "assignment_to": table.assignment.to if table.assignment else "",
        "period_key": table.period or "",
        "accounting_class": table.accounting.class_ if table.accounting else "",
        "needs_anchor": str(table.needs_anchor).lower(),
        "is_person": str(bool(table.person)).lower(),
        "is_lead": str(bool(table.lead)).lower(),
        "is_contact_event": str(bool(table.contact_event)).lower(),
        "is_assignment": str(bool(table.assignment_fact)).lower(),
        "is_handover": str(bool(table.handover)).lower(),
        "is_partner": str(bool(table.instruction)).lower(),
        "is_request": str(bool(table.request)).lower(),
        "minimised_with_person": str(bool(table.minimisable)).lower(),
        "consented_purpose": table.consented.purpose if table.consented else "",
        "consented_columns": " ".join(table.consented_columns),
        "consented_by_partner": str(
            bool(table.consented and table.consented.when == "revealed_by_partner")
        ).lower(),
    }
