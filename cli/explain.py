"""`retention explain`: why one record is kept or due, on one screen.

Belongs here: the command's arguments and the layout of an explanation. Does not belong here:
finding out (`retention.explain`), and the layout of a table's declaration (`declared`).
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import JsonFlag, say, show_fields, show_json, show_table
from cli.declared import show_declared
from retention.declarations import find_declared
from retention.explain import explain as find_explanation
from retention.explanation import Explanation, Listing, blocker_words
from retention.ledger.failures import safe_errors
from retention.settings import load_settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER

if TYPE_CHECKING:
    from datetime import date

    from retention.explanation import Ground, Record


_DISPOSITIONS = {
    "purge": "purge",
    "minimise": "minimise: columns that accounting does not need become null",
    "review": "a person decides",
    "keep": "keep",
}


def explain(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="SCHEMA.TABLE, as it landed.")],
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="[KEY]",
            help="The record's key, or a person's token; without it, the table's own.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say why a record is kept or due: the rule in the policy's own words, the event, what lost.

    A key of several columns is a JSON array of strings; its first part alone lists all versions. A
    person's token lists all records of that person. Without a key: how the table is declared, and for
    each part whether the table itself, its source or a folder of dbt_project.yml says so.
    """
    settings = load_settings()
    if key is None:
        declared = find_declared(settings.declarations_dir, table)
        if as_json:
            show_json(declared.as_dict())
        else:
            show_declared(declared)
        return
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("explaining a record"),
    ):
        found = find_explanation(conn, settings, table, key)
    if as_json:
        show_json(found.as_dict())
    elif isinstance(found, Listing):
        _show_listing(found)
    else:
        _show(found)


def _show_listing(found: Listing) -> None:
    say(f"{found.total} {found.what}, as of {found.records[0].as_of}")
    show_table(
        ("table", "status", "category", "rule", "due", "key"),
        [
            (
                record.table,
                record.status,
                record.category,
                record.rule_id,
                record.due_on,
                record.record_key,
            )
            for record in found.records
        ],
    )
    if found.total > len(found.records):
        say(f"… and {found.total - len(found.records)} more")


def _show(found: Explanation) -> None:
    record = found.record
    title = f"{record.table} {record.record_key}  {headline(record)}"
    if record.is_locked:
        say(title)
        return
    clause = found.clause
    show_fields(
        {
            "category": f"{record.category or 'that of the record'}, rule {record.rule_id}",
            "clause": f"{clause.clause} «{clause.quote}»" if clause else None,
            "": (clause.summary or None) if clause else None,
            "defect": clause.defect if clause else None,
            "anchor": _anchor(found),
            "clock": (clause.trigger or None) if clause else None,
            "period": found.period or "none: no clock runs",
            "last day": _last_day(found),
            "due": record.due_on,
            "then": _DISPOSITIONS.get(record.disposition or ""),
            "why": _why(record),
            "blocked by": [blocker_words(one) for one in record.blocked_by] or "nothing",
            "person": _person(record),
            "columns": _columns(found),
            "lost": _lost(found) or "no other rule stood against it",
            "note": "\n".join(found.notes) or None,
        },
        title=title,
    )


def headline(record: "Record") -> str:
    """The status in words, with its distance in days from the as-of date."""
    days = (record.due_on - record.as_of).days if record.due_on else None
    as_of = f"as of {record.as_of}"
    if days is None or record.is_locked:
        return f"{record.status.upper()}  {as_of}"
    if days <= 0:
        return f"{record.status.upper()}  due {_days(-days)} ago, {as_of}"
    return f"{record.status.upper()}  due in {_days(days)}, {as_of}"


def _anchor(found: Explanation) -> str | None:
    """The day the clock started, and the record that bears the event."""
    if found.record.anchor_on is None:
        return None
    return f"{found.record.anchor_on}" + (f", {found.anchor_event}" if found.anchor_event else "")


def _last_day(found: Explanation) -> str | None:
    if found.record.last_day is None:
        return None
    moved = f", the first working day from {found.moved_from}" if found.moved_from else ""
    return f"{found.record.last_day}{moved}"


def _why(record: "Record") -> str | None:
    """The reason where it says more than the anchor does."""
    reason = record.reason or ""
    return None if not reason or reason.startswith("its clock starts with") else reason


def _person(record: "Record") -> str | None:
    if record.subject_token is None:
        return None
    role = (record.controller_role or "").replace("_", " ")
    return f"{record.subject_token} (we are {role})" if role else str(record.subject_token)


def _lost(found: Explanation) -> str:
    """The grounds that lost against another, a line each."""
    return "\n".join(
        f"{_ground(ground)}: {ground.lost_because}"
        for ground in found.grounds
        if ground.lost_because
    )


def _columns(found: Explanation) -> str | None:
    """The grounds that decide other columns than the row, a line each."""
    as_of = found.record.as_of
    lines = [
        f"{ground.column_group} columns {_kept(ground, as_of, found.holds_minimisable)} by"
        f" {_ground(ground)}"
        for ground in found.grounds
        if ground.wins and ground.column_group != "row"
    ]
    return "\n".join(lines) or None


def _ground(ground: "Ground") -> str:
    due = f"due {ground.due_on}" if ground.due_on else "no due date"
    return (
        f"{ground.rule_id} {ground.category or ''}, {ground.policy_clause}, {ground.anchor_on},"
        f" {ground.anchor_event}, {due}"
    )


def _kept(ground: "Ground", as_of: "date", holds_values: bool) -> str:
    if not holds_values:
        return "empty (minimised, or never filled), governed"
    return "due" if ground.due_on is not None and ground.due_on <= as_of else "kept"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
