"""Why one record is kept or due: its rule in the policy's own words, its event, what lost.

Belongs here: finding a record by its key and everything that decided it. Does not belong here: all of a
person's records (explain_person.py), what must still happen (explain_steps.py), printing it, the
values' shape (explanation.py), and how the models decide.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any, LiteralString

import psycopg
from psycopg.rows import class_row

from retention.applied_period import period_of
from retention.applied_rule import clause_of, why_lost
from retention.classified import Classification, find_classification
from retention.declarations import load_declarations
from retention.errors import UsageError
from retention.explain_person import MOST_LISTED, RECORD, PersonExplanation, explain_person
from retention.explain_steps import steps_until_deleted
from retention.explanation import Explanation, Ground, Listing, Record
from retention.language import N_
from retention.phrase import Phrase, phrase
from retention.record_key import canonical
from retention.settings import Settings

Connection = psycopg.Connection[Any]


def explain(
    conn: Connection, settings: Settings, table: str, key: str
) -> Explanation | Listing | PersonExplanation:
    """Why the record `key` of `table` is kept or due; for a person's token, all their records.

    Raises UsageError where nothing is classified, the table is not governed, or has no such record.
    """
    schema, dot, name = table.partition(".")
    if not dot or not schema or not name:
        raise UsageError("name the table as SCHEMA.TABLE, such as crm.person")
    classification = find_classification(conn)
    found = _by_key(conn, classification, (schema, name), key)
    if len(found) == 1:
        return _explained(conn, classification, settings, found[0])
    if found:
        return Listing(table, tuple(found))
    # Whatever the table holds, a token names the person everywhere.
    token = _token(key)
    if token is not None and _is_governed(conn, classification, schema, name):
        person = explain_person(conn, classification, settings, token)
        if person is not None:
            return person
    raise _not_found(conn, classification, settings, table)


def _by_key(
    conn: Connection, classification: Classification, table: tuple[str, str], key: str
) -> list[Record]:
    """The records under `key` as it is stored; for a history table also under its business key."""
    of_table: LiteralString = "where source_schema = %s and source_table = %s "
    with conn.cursor(row_factory=class_row(Record)) as cursor:
        exact = cursor.execute(
            classification.query(RECORD + of_table + "and record_key = %s limit %s"),
            (*table, canonical(key), MOST_LISTED),
        ).fetchall()
        if exact or key.lstrip().startswith("["):
            return exact
        first_part = f"[{json.dumps(key, ensure_ascii=False)},"
        return cursor.execute(
            classification.query(
                RECORD + of_table + "and starts_with(record_key, %s) order by record_key limit %s"
            ),
            (*table, first_part, MOST_LISTED),
        ).fetchall()


def _token(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None


def _is_governed(conn: Connection, classification: Classification, schema: str, table: str) -> bool:
    row = conn.execute(
        classification.query(
            "select is_governed from {declared_tables}"
            " where source_schema = %s and source_table = %s"
        ),
        (schema, table),
    ).fetchone()
    return row is not None and bool(row[0])


def _not_found(
    conn: Connection, classification: Classification, settings: Settings, table: str
) -> UsageError:
    """What to say instead; never the key, which may be an e-mail address."""
    if _is_governed(conn, classification, *table.split(".", 1)):
        declared = load_declarations(settings.declarations_dir).table(table)
        key = ", ".join(declared.key) if declared else ""
        shape = {0: "a hash of the row", 1: key}.get(
            len(declared.key) if declared else 1, f"({key}) as a JSON array of strings"
        )
        if declared and declared.key_is_personal:
            shape = f"the salted hash of {key}, as retention.records shows it"
        return UsageError(
            f"{table} had no record under that key as of {classification.as_of}, and no person has"
            f" that token: its key is {shape}"
        )
    from difflib import get_close_matches

    declarations = load_declarations(settings.declarations_dir)
    declared = declarations.table(table)
    if declared and declared.exempt:
        return UsageError(f"{table} is exempt: {declared.exempt.reason}")
    names = [one.qualified for one in declarations.governed]
    near = get_close_matches(table, names, n=1)
    hint = f"did you mean {near[0]}?" if near else "`retention status` lists the governed tables"
    return UsageError(f"{table} is no governed table: {hint}")


def _explained(
    conn: Connection, classification: Classification, settings: Settings, record: Record
) -> Explanation:
    if record.is_locked or record.rule_id is None:
        return Explanation(record)
    grounds = _grounds(conn, classification, record)
    winner = _winner(grounds, "row")
    clause, note = clause_of(conn, classification, settings, record.rule_id)
    event = winner.anchor_event if winner else None
    returned = _purged_before(conn, classification, record)
    kept = period_of(
        conn,
        classification,
        settings,
        rule_id=record.rule_id,
        record=(record.source_schema, record.source_table, record.record_key),
        event=event,
        anchor_on=record.anchor_on,
    )
    return Explanation(
        record=record,
        clause=clause,
        period=kept.words,
        # What came back is due from the day it was found, whatever day its period ended on.
        moved_from=kept.unmoved if not returned and kept.unmoved != record.last_day else None,
        anchor_event=event,
        grounds=tuple(_judged(ground, _winner(grounds, ground.column_group)) for ground in grounds),
        notes=tuple(one for one in (returned, note) if one),
        holds_minimisable=_holds_minimisable(conn, classification, record),
        steps=steps_until_deleted(conn, classification, settings, record),
    )


_VERDICTS = {
    "resurrection": N_("nothing about it is newer, so it is purged again"),
    "new": N_("what dates it now came later, so it is a new record"),
    "unknown": N_("no date tells whether it is newer, so a person decides"),
    "reopened": N_("no clock runs for it any more, so a person decides"),
}


def _purged_before(
    conn: Connection, classification: Classification, record: Record
) -> Phrase | None:
    """That the record was purged before, by which plan and when, and what that makes of it now."""
    row = conn.execute(
        "select purged_on, purged_rule_id, plan_id, verdict from ledger.record_facts(%s, %s, %s, %s)"
        " where verdict is not null",
        (classification.suffix, record.source_schema, record.source_table, record.record_key),
    ).fetchone()
    if row is None:
        return None
    purged_on, rule_id, plan_id, verdict = row
    message = (
        N_(
            "it was purged before, on {day} under {rule} by plan {plan}, and landed again:"
            " {verdict}"
        )
        if plan_id
        else N_("it was purged before, on {day} under {rule}, and landed again: {verdict}")
    )
    return phrase(
        message, day=purged_on, rule=rule_id, plan=plan_id, verdict=phrase(_VERDICTS[verdict])
    )


def _holds_minimisable(conn: Connection, classification: Classification, record: Record) -> bool:
    row = conn.execute(
        "select has_minimisable from ledger.record_facts(%s, %s, %s, %s)",
        (classification.suffix, record.source_schema, record.source_table, record.record_key),
    ).fetchone()
    return bool(row and row[0])


def _winner(grounds: list[Ground], column_group: str) -> Ground | None:
    of_group = (ground for ground in grounds if ground.column_group == column_group)
    return next((ground for ground in of_group if ground.wins), None)


def _judged(ground: Ground, winner: Ground | None) -> Ground:
    if ground.wins or winner is None:
        return ground
    return replace(ground, lost_because=why_lost(ground, winner))


def _grounds(conn: Connection, classification: Classification, record: Record) -> list[Ground]:
    with conn.cursor(row_factory=class_row(Ground)) as cursor:
        return cursor.execute(
            classification.query(
                "select column_group, rule_id, category, policy_clause, anchor_on, anchor_event,"
                " last_day, due_on, needs_review, approved, wins from {grounds}"
                " where source_schema = %s and source_table = %s and record_key = %s"
                " order by column_group <> 'row', column_group, wins desc, due_on desc nulls last,"
                " rule_id desc, anchor_event"
            ),
            (record.source_schema, record.source_table, record.record_key),
        ).fetchall()
