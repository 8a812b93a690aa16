"""How a person's records are shown, and several records under one key.

Belongs here: the layout. Does not belong here: the command (`explain`), and finding out
(`retention.explain_person`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.console import say, show_fields, show_table
from retention.explanation import blocker
from retention.language import N_, Speaker
from retention.phrase import said

if TYPE_CHECKING:
    from retention.explain_person import PersonExplanation
    from retention.explanation import Listing, Record


ROLES = {
    "controller": N_("controller"),
    "joint_controller": N_("joint controller"),
    "processor": N_("processor"),
}


def show_person(found: "PersonExplanation", teller: Speaker) -> None:
    """Print what decides all of a person's records, their sums, then the records."""
    title = teller.plural(
        "{n} record of the person {token}, as of {day}",
        "{n} records of the person {token}, as of {day}",
        found.total,
        token=found.token,
        day=found.as_of,
    )
    fields = {
        N_("what happened"): [f"{said(teller, fact.what)} ({fact.event})" for fact in found.facts],
        N_("what decides"): [_decides(record, teller) for record in found.own],
        N_("we are"): [
            teller.say("{role} for {records}", role=teller.say(ROLES[role]), records=records)
            for role, records in found.roles.items()
        ],
        N_("blocked by"): [
            f"{said(teller, blocker(code))}: {teller.number(records)}"
            for code, records in found.blockers.items()
        ]
        or [teller.say("nothing")],
    }
    show_fields(
        {teller.say(name): "\n".join(lines) or None for name, lines in fields.items()}, title=title
    )
    show_table(
        _heads(
            teller,
            N_("category"),
            N_("rule"),
            N_("status"),
            N_("records"),
            N_("first due"),
            N_("last due"),
        ),
        [
            (
                teller.word("category", group.category),
                group.rule_id,
                teller.word("status", group.status),
                group.records,
                teller.day(group.first_due_on),
                teller.day(group.last_due_on),
            )
            for group in found.groups
        ],
    )
    _show_records(found.records, found.total, teller)


def show_listing(found: "Listing", teller: Speaker) -> None:
    """Print the records under one key."""
    say(
        teller.plural(
            "{n} version or copy under that key in {table}, as of {day}",
            "{n} versions and copies under that key in {table}, as of {day}",
            len(found.records),
            table=found.table,
            day=found.records[0].as_of,
        )
    )
    _show_records(found.records, len(found.records), teller)


def _decides(record: "Record", teller: Speaker) -> str:
    """The rule that a person's own row stands under, which all that follows the person takes."""
    return teller.say(
        "{record} is under {rule} {category}: {status}, {due}",
        record=f"{record.table}:{record.record_key}",
        rule=record.rule_id or "",
        category=teller.word("category", record.category),
        status=teller.word("status", record.status),
        due=teller.say("due {day}", day=record.due_on)
        if record.due_on
        else teller.say("no due date"),
    )


def _show_records(records: "Sequence[Record]", total: int, teller: Speaker) -> None:
    show_table(
        _heads(teller, N_("table"), N_("status"), N_("category"), N_("rule"), N_("due"), N_("key")),
        [
            (
                record.table,
                teller.word("status", record.status),
                teller.word("category", record.category),
                record.rule_id,
                teller.day(record.due_on),
                record.record_key,
            )
            for record in records
        ],
    )
    if total > len(records):
        say(teller.plural("… and {n} more", "… and {n} more", total - len(records)))


def _heads(teller: Speaker, *names: str) -> tuple[str, ...]:
    return tuple(teller.say(name) for name in names)
