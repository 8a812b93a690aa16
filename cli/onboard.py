"""`retention onboard`: propose the declarations of a schema, and try them.

Belongs here: the command's arguments, and how a proposal and a trial are printed. Does not belong here:
finding out what to propose, and the trial itself (`retention.onboarding`).
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from retention.errors import Refused, UsageError
from retention.settings import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from retention.onboarding.model import Link, SchemaProposal
    from retention.onboarding.outcome import Outcome

FINDINGS = 1


def onboard(
    schema: Annotated[str, typer.Argument(metavar="SCHEMA", help="A schema that landed.")],
    check: Annotated[
        bool,
        typer.Option("--check", help="Classify with the proposal, beside what is in force."),
    ] = False,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the proposal and write nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Propose declarations for the tables of a schema that nobody declared, as YAML to edit.

    Never written over a file. Nothing proposed is in force before a person takes out `proposal: true`.
    With --check the classification is tried with it, and gone afterwards: ends with 1 while something is
    left to decide, with 3 while a run is going.
    """
    if check and print_only:
        raise UsageError(
            "--check tries what is written and --print writes nothing: take one of them"
        )
    settings = load_settings()
    if check:
        _check(settings, schema, as_json)
    else:
        _propose(settings, schema, print_only, as_json)


def _propose(settings: Settings, schema: str, print_only: bool, as_json: bool) -> None:
    from retention.onboarding.write import write_proposal
    from retention.onboarding.yaml_text import file_text, fragment_text, open_todos

    with progress(f"looking at {schema}"):
        proposal = _proposal(settings, schema)
    text = file_text(proposal) if proposal.tables else ""
    fragments = {name: fragment_text(columns) for name, columns in proposal.columns.items()}
    path = None
    if text and not print_only:
        path = write_proposal(settings.declarations_dir, schema, text)
    if as_json:
        show_json(
            {
                "schema": schema,
                "file": path,
                "todos": open_todos(text),
                "yaml": text,
                "columns_to_declare": fragments,
            }
        )
        return
    if print_only and text:
        say(text.rstrip())
    if not print_only:
        _show_written(proposal, path, open_todos(text))
    for name, fragment in fragments.items():
        say(f"columns of {schema}.{name} that its declaration lacks; add to it:")
        say(fragment)
    if not text and not fragments:
        say(f"every table and column of {schema} is declared, exempt or proposed already")


def _proposal(settings: Settings, schema: str) -> "SchemaProposal":
    from retention.classify import today
    from retention.ledger.failures import safe_errors
    from retention.onboarding.propose import propose
    from retention.warehouse.connection import connect
    from retention.warehouse.roles import CLASSIFIER

    if not _is_landing(schema):
        raise UsageError(f"{schema} is no landing schema: name one that a connector fills")
    with (
        connect(settings, role=CLASSIFIER, read_only=True) as conn,
        safe_errors("looking at a schema"),
    ):
        return propose(conn, settings, schema, today())


def _is_landing(schema: str) -> bool:
    from retention.coverage import is_landing_schema

    return is_landing_schema(schema)


def _show_written(proposal: "SchemaProposal", path: "Path | None", todos: int) -> None:
    if path is None:
        return
    schema = proposal.schema
    say(f"{schema}: {proposal.system} ({proposal.recognised})")
    show_table(
        ("table", "key", "person", "personal", "in doubt", "harmless"),
        [
            (
                table.table,
                ", ".join(table.key.columns) or "none",
                _person(table.link),
                len(table.columns.personal),
                len(table.columns.doubtful),
                len(table.columns.harmless),
            )
            for table in proposal.tables
        ],
    )
    say(f"wrote {path}: a proposal, not in force; {todos} TODOs are yours to decide")
    say(f"then: retention onboard {schema} --check")


def _person(link: "Link | None") -> str:
    """Where the person of a row would be found, and how sure that is."""
    return f"{link.to or 'itself'} ({link.because.confidence})" if link else ""


def _check(settings: Settings, schema: str, as_json: bool) -> None:
    from orchestration.lock import run_is_going
    from retention.classify import today
    from retention.ledger.failures import safe_errors
    from retention.onboarding.check import check
    from retention.warehouse.connection import connect

    with connect(settings, read_only=True) as conn:
        if run_is_going(conn):
            raise Refused("a run is going: wait until it has ended, then check again")
    with progress("classifying with the proposal"), safe_errors("checking a proposal"):
        outcome = check(settings, schema, today())
    if as_json:
        show_json(outcome.as_dict())
    else:
        _show_outcome(outcome)
    raise typer.Exit(0 if outcome.is_settled else FINDINGS)


def _show_outcome(outcome: "Outcome") -> None:
    show_table(
        ("table", "is", "records", "of a known person"),
        [
            (table.table, _state(table.state, table.missing), table.records, table.of_a_person)
            for table in outcome.tables
        ],
    )
    if outcome.groups:
        show_table(
            ("table", "category", "rule", "status", "records", "why under review"),
            [
                (g.table, g.category, g.rule_id, g.status, g.records, g.reason)
                for g in outcome.groups
            ],
        )
    say(f"overdue at once: {outcome.overdue}; under review: {outcome.review}")
    if outcome.moved is None:
        say("other tables: not compared, no classification of today is in force (retention run)")
    for moved in outcome.moved or ():
        say(f"{moved.table}: {moved.records} records would go from {moved.from_} to {moved.to}")
    if outcome.undeclared:
        say(f"not declared: {', '.join(outcome.undeclared)}")
    say(f"TODOs left: {outcome.todos}" if outcome.todos else "nothing is left to decide")
    say("this was a trial: nothing in force was touched, and what it built is gone")


def _state(state: str, missing: tuple[str, ...]) -> str:
    return f"{state}: {', '.join(missing)} missing" if missing else state
