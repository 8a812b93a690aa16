"""`retention request find|attribute|package`: a person's records, whose one is, and their own copy.

Belongs here: the commands' arguments and what they print. Does not belong here: finding
(`retention.rights.find`) and making a copy (`retention.rights.package`).
"""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.console import JsonFlag, remark, say, show_fields, show_json, show_table
from retention.errors import UsageError
from retention.rights.model import Right
from retention.settings import load_settings

if TYPE_CHECKING:
    from retention.rights.find import ContactKind, Person

MOST_SHOWN = 200
_DECIDED = {True: "theirs", False: "not theirs", None: "nobody: `request attribute` decides"}


def find(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCHEMA.TABLE:KEY|TOKEN]", help="Any record of the person, or their token."
        ),
    ] = None,
    email: Annotated[
        bool,
        typer.Option("--email", help="Ask for an e-mail address (from the terminal, or stdin)."),
    ] = False,
    phone: Annotated[bool, typer.Option("--phone", help="Ask for a telephone number.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Find everything that is held of a person, and what may be theirs. Shows keys and dates, no value."""
    from retention.rights.find import find_by_contact, find_person
    from retention.rights.register import as_officer

    if sum((target is not None, email, phone)) != 1:
        raise UsageError("name the person by a record or token, or ask with --email or --phone")
    settings = load_settings()
    with as_officer(settings, "finding a person") as conn:
        if target is not None:
            found = [find_person(conn, settings, target)]
        else:
            kind: ContactKind = "email" if email else "phone"
            tokens = find_by_contact(conn, kind, _asked(kind))
            found = [find_person(conn, settings, token) for token in tokens]
    if as_json:
        show_json([_as_dict(one) for one in found])
        return
    if not found:
        say("Nobody has that contact point.")
    if len(found) > 1:
        remark(f"{len(found)} persons have it: nothing says which of them asks.")
    for one in found:
        _show(one)


def attribute(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="As for `find`.")],
    table: Annotated[str, typer.Argument(metavar="SCHEMA.TABLE")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="As `find` lists it.")],
    theirs: Annotated[bool, typer.Option("--theirs/--not-theirs", help="What was decided.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays out of the evidence.")],
) -> None:
    """Decide whether a record that may be the person's is. It holds while the record says the same."""
    from retention.rights.find import decide_ambiguity, find_person
    from retention.rights.register import as_officer

    settings = load_settings()
    with as_officer(settings, "deciding whose a record is") as conn:
        found = find_person(conn, settings, person)
        decide_ambiguity(conn, found.token, table, key, is_theirs=theirs, reason=reason)
    say(f"Decided: the record of {table} is {'' if theirs else 'not '}theirs.")


def package(
    request: Annotated[UUID, typer.Argument(metavar="REQUEST", help="As `request list` shows it.")],
    right: Annotated[
        Right | None,
        typer.Option("--right", help="access or portability; by default as asked for."),
    ] = None,
    reviewed: Annotated[
        Path | None,
        typer.Option("--reviewed", metavar="FILE", help="The edited review.json out of the draft."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make the person's own copy: one encrypted file. The passphrase is shown once and kept nowhere."""
    from retention.rights.package.make import make_package

    made = make_package(load_settings(), request, right=right, reviewed=reviewed)
    if as_json:
        show_json(made)
        return
    show_fields(
        {
            "draft" if made.is_draft else "copy": made.path,
            "passphrase": made.passphrase,
            "holds": f"{made.rows} rows of {made.tables} tables",
            "withheld": f"{made.withheld} cells" if made.withheld else None,
            "for partners to give": _counted(made.partners),
            "undecided whose": made.undecided or None,
            "removed after": made.expires_on,
        }
    )
    if made.is_draft:
        say(
            f"{made.to_review} cells may tell of others: edit review.json in the draft, then make the copy"
            " with --reviewed and that file."
        )
    else:
        say("Give the person the file and the passphrase by different ways.")


def _asked(kind: str) -> str:
    """A contact point from the terminal or stdin: an argument would stand in the list of processes."""
    what = "E-mail address" if kind == "email" else "Telephone number"
    value = (
        typer.prompt(what, hide_input=True, err=True)
        if sys.stdin.isatty()
        else sys.stdin.readline()
    )
    if not value.strip():
        raise UsageError(f"no {what.lower()} was given: type it, or send it to stdin")
    return str(value).strip()


def _show(person: "Person") -> None:
    show_fields(
        {
            "person": person.token,
            "data subjects": ", ".join(person.subjects),
            "as of": person.as_of,
            "records": len(person.records),
        }
    )
    show_table(
        ("table", "key", "category", "rule", "due", "status", "role"),
        [
            (
                one.table,
                one.record_key,
                one.category,
                one.rule_id,
                one.due_on,
                one.status,
                one.controller_role,
            )
            for one in person.records[:MOST_SHOWN]
        ],
    )
    if len(person.records) > MOST_SHOWN:
        remark(f"{len(person.records) - MOST_SHOWN} more: --json lists them all.")
    if person.candidates:
        show_table(
            ("may be theirs", "key", "of so many persons", "decided"),
            [
                (one.table, one.record_key, one.candidates, _DECIDED[one.is_theirs])
                for one in person.candidates
            ],
        )
    if person.not_searched:
        remark(f"Not searched: {', '.join(person.not_searched)} (--json says why).")


def _as_dict(person: "Person") -> dict[str, Any]:
    return {
        "person": person.token,
        "as_of": person.as_of,
        "policy_version": person.policy_version,
        "data_subjects": person.subjects,
        "records": [{"table": one.table, **vars(one)} for one in person.records],
        "may_be_theirs": [{"table": one.table, **vars(one)} for one in person.candidates],
        "by_table": Counter(one.table for one in person.records),
        "not_searched": person.not_searched,
    }


def _counted(counts: Any) -> str | None:
    return ", ".join(f"{count} of {table}" for table, count in sorted(counts.items())) or None
