"""`retention coverage`: whether every table and column of the database is declared.

Belongs here: the command's arguments and the layout. Does not belong here: what is a finding and how bad
it is; `retention.coverage` and the policy say.
"""

import math
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.console import JsonFlag, say, show_json, show_table
from retention.coverage import State
from retention.coverage.document import as_document
from retention.coverage.examine import examine
from retention.declarations import load_declarations
from retention.ledger.failures import safe_errors
from retention.lineage.account import model_columns
from retention.lineage.manifest import has_manifest
from retention.policy import in_force, load_versions
from retention.settings import load_settings
from retention.warehouse.clock import today
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER

FINDINGS = 1


class FailOn(StrEnum):
    """From which severity on a finding ends the command with 1."""

    WARN = "warn"
    ERROR = "error"


def coverage(
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="End with 1 for findings this bad, or worse.")
    ] = FailOn.WARN,
    as_json: JsonFlag = False,
) -> None:
    """Compare the database's catalogue with the declarations: every table and column has one state.

    Declared, exempt, built by dbt or by us, or a finding; each finding with what to do next. Reads names
    and types, no row. Ends with 1 when there is a finding.
    """
    settings = load_settings()
    declarations = load_declarations(settings.declarations_dir)
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("reading the catalogue"),
    ):
        as_of = today(conn)
        policy = in_force(load_versions(settings.policy_dir), as_of)
        examined = examine(conn, settings, declarations, policy, as_of)
        document = as_document(
            examined,
            settings,
            policy,
            database=conn.info.dbname,
            as_of=as_of,
            models=model_columns(conn, settings) if has_manifest(settings) else None,
        )
    if as_json:
        show_json(document)
    else:
        _show(document)
    if any(fail_on is FailOn.WARN or one.severity == fail_on.value for one in examined.findings):
        raise typer.Exit(FINDINGS)


def _show(document: dict[str, Any]) -> None:
    say("tables / columns")
    show_table(
        ("schema", *State, "sum"),
        [(one["schema"], *_numbers(one)) for one in document["schemas"]],
        footer=("all", *_numbers(document["whole"])),
    )
    landing = document["landing"]
    say(
        f"{document['database']}: {landing['tables']['total']} tables and"
        f" {landing['columns']['total']} columns landed"
    )
    if models := document["models"]:
        say(
            f"{models['resolved']} of {models['columns']} columns of dbt's models"
            f" ({_percent(models['resolved'], models['columns'])}) are followed down to landing"
        )
        for one in models["unresolved"]:
            say(f"- not followed: {one['column']}: {one['why']}")
    for table in document["set_aside"]:
        say(f"{table} is set aside: it cannot be read as declared")
    for one in document["withheld"]:
        say(f"nothing is purged from {one['table']}: {one['why']}")
    if document["ok"]:
        say("no findings")
        return
    say()
    number = len(document["findings"])
    say(f"{number} finding{'s' if number > 1 else ''}")
    for one in document["findings"]:
        say(f"- {one['severity']}, since {one['since']}: {one['message']}")
        say(f"  {one['next']}")


def _percent(part: int, whole: int) -> str:
    """Rounded down: all of them, and nothing less, are 100 %."""
    return f"{math.floor(1000 * part / whole) / 10 if whole else 100.0:.1f} %"


def _numbers(counted: dict[str, Any]) -> list[str]:
    tables, columns = counted["tables"], counted["columns"]
    return [f"{tables[state]} / {columns[state]}" for state in (*State, "total")]
