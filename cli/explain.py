"""`retention explain`: why one record is kept or due, on one screen, and what must happen until it is gone.

Belongs here: the command's arguments and the layout of one record's explanation. Does not belong here:
finding out (`retention.explain`), the layout of a person's (`explain_person`), and of a table's
declaration (`declared`).
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import JsonFlag, say, show_fields, show_json
from cli.declared import show_declared
from cli.explain_person import ROLES, show_listing, show_person
from retention.declarations import find_declared
from retention.explain import explain as find_explanation
from retention.explain_person import PersonExplanation
from retention.explanation import Explanation, Listing, blocker
from retention.language import N_, Language, Speaker, chosen, speaker
from retention.ledger.failures import safe_errors
from retention.phrase import said, said_or_none
from retention.settings import load_settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER

if TYPE_CHECKING:
    from datetime import date

    from retention.explanation import Ground, Record


_DISPOSITIONS = {
    "purge": N_("purge"),
    "minimise": N_("minimise: columns that accounting does not need become null"),
    "review": N_("a person decides"),
    "keep": N_("keep"),
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
    language: Annotated[
        Language | None,
        typer.Option("--lang", help="The language; default RETENTION_LANGUAGE, else English."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say why a record is kept or due: the rule in the policy's own words, the event, what lost.

    A key of several columns is a JSON array of strings; its first part alone lists all versions. A
    person's token tells what decides all records of that person, and lists them. Without a key: how the
    table is declared, and for each part whether the table itself, its source or a folder of
    dbt_project.yml says so.
    """
    settings = load_settings()
    teller = speaker(chosen(language), settings.policy_dir)
    if key is None:
        declared = find_declared(settings.declarations_dir, table)
        if as_json:
            show_json({"language": teller.language.value, **declared.as_dict()})
        else:
            show_declared(declared, teller)
        return
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("explaining a record"),
    ):
        found = find_explanation(conn, settings, table, key)
    if as_json:
        show_json(found.as_dict(teller))
    elif isinstance(found, Listing):
        show_listing(found, teller)
    elif isinstance(found, PersonExplanation):
        show_person(found, teller)
    else:
        _show(found, teller)


def _show(found: Explanation, teller: Speaker) -> None:
    record = found.record
    title = f"{record.table} {record.record_key}  {headline(record, teller)}"
    if record.is_locked:
        say(title)
        return
    clause = found.clause
    category = teller.word("category", record.category) or teller.say("that of the record")
    blockers = [said(teller, blocker(one)) for one in record.blocked_by]
    fields = {
        N_("category"): teller.say(
            "{category}, rule {rule}", category=category, rule=record.rule_id
        ),
        N_("clause"): f"{clause.clause} «{clause.quote}»" if clause else None,
        # The quote is the policy's own, in Norwegian; who reads that needs no summary.
        N_("in short"): (clause.summary if clause and teller.language is not Language.NB else None),
        N_("defect"): teller.policy(clause.defect).text if clause else None,
        N_("anchor"): _anchor(found, teller),
        N_("clock"): teller.policy(clause.trigger).text if clause else None,
        N_("period"): said_or_none(teller, found.period) or teller.say("none: no clock runs"),
        N_("last day"): _last_day(found, teller),
        N_("due"): teller.day(record.due_on),
        N_("then"): teller.say(_DISPOSITIONS[record.disposition]) if record.disposition else None,
        N_("why"): _why(record, teller),
        N_("blocked by"): blockers or teller.say("nothing"),
        N_("person"): _person(record, teller),
        N_("columns"): _columns(found, teller),
        N_("lost"): _lost(found, teller) or teller.say("no other rule stood against it"),
        N_("note"): "\n".join(said(teller, note) for note in found.notes),
        _until(record): "\n".join(said(teller, step.what) for step in found.steps),
    }
    show_fields(
        {teller.say(name): value or None for name, value in fields.items()},
        title=title,
    )


def _until(record: "Record") -> str:
    if record.disposition == "minimise":
        return N_("until its columns are empty")
    return N_("until it is deleted")


def headline(record: "Record", teller: Speaker) -> str:
    """The status in words, with its distance in days from the as-of date."""
    status = teller.word("status", record.status).upper()
    days = (record.due_on - record.as_of).days if record.due_on else None
    if days is None or record.is_locked:
        told = teller.say("as of {day}", day=record.as_of)
    elif days <= 0:
        told = teller.plural(
            "due {n} day ago, as of {day}", "due {n} days ago, as of {day}", -days, day=record.as_of
        )
    else:
        told = teller.plural(
            "due in {n} day, as of {day}", "due in {n} days, as of {day}", days, day=record.as_of
        )
    return f"{status}  {told}"


def _anchor(found: Explanation, teller: Speaker) -> str | None:
    """The day the clock started, and the record that bears the event."""
    if found.record.anchor_on is None:
        return None
    event = f", {found.anchor_event}" if found.anchor_event else ""
    return f"{teller.day(found.record.anchor_on)}{event}"


def _last_day(found: Explanation, teller: Speaker) -> str | None:
    if found.record.last_day is None:
        return None
    last = teller.day(found.record.last_day)
    if found.moved_from is None:
        return last
    return teller.say(
        "{day}, the first working day from {moved_from}", day=last, moved_from=found.moved_from
    )


def _why(record: "Record", teller: Speaker) -> str | None:
    """The reason where it says more than the anchor does."""
    reason = record.reason or ""
    is_anchor = not reason or reason.startswith("its clock starts with")
    return None if is_anchor else teller.reason(reason).text


def _person(record: "Record", teller: Speaker) -> str | None:
    if record.subject_token is None:
        return None
    if record.controller_role is None:
        return str(record.subject_token)
    role = teller.say(ROLES[record.controller_role])
    return teller.say("{token} (we are {role})", token=record.subject_token, role=role)


def _lost(found: Explanation, teller: Speaker) -> str:
    """The grounds that lost against another, a line each."""
    return "\n".join(
        f"{_ground(ground, teller)}: {said(teller, ground.lost_because)}"
        for ground in found.grounds
        if ground.lost_because
    )


def _columns(found: Explanation, teller: Speaker) -> str:
    """The grounds that decide other columns than the row, a line each."""
    return "\n".join(
        teller.say(
            _kept(ground, found.record.as_of, found.holds_minimisable),
            group=ground.column_group,
            ground=_ground(ground, teller),
        )
        for ground in found.grounds
        if ground.wins and ground.column_group != "row"
    )


def _kept(ground: "Ground", as_of: "date", holds_values: bool) -> str:
    if not holds_values:
        return N_("{group} columns empty (minimised, or never filled), governed by {ground}")
    if ground.due_on is not None and ground.due_on <= as_of:
        return N_("{group} columns due by {ground}")
    return N_("{group} columns kept by {ground}")


def _ground(ground: "Ground", teller: Speaker) -> str:
    parts = (
        f"{ground.rule_id} {teller.word('category', ground.category)}".rstrip(),
        ground.policy_clause,
        teller.day(ground.anchor_on),
        ground.anchor_event,
        teller.say("due {day}", day=ground.due_on) if ground.due_on else teller.say("no due date"),
    )
    return ", ".join(part for part in parts if part)
