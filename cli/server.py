"""`retention up`, `down` and `url`: the servers, and where the database is.

Belongs here: the three commands' arguments and what they print. Does not belong here: starting and
ending processes; `orchestration.services` and `retention.warehouse.embedded` do.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json
from orchestration.services import require_ports, start_services, stop_services
from retention.settings import load_settings
from retention.warehouse import embedded
from retention.warehouse.connection import connect, is_embedded, warehouse_url
from retention.warehouse.migrate import migrate


def up(as_json: JsonFlag = False) -> None:
    """Start the database, the user interface, the auditors' one, the pages and the schedules."""
    settings = load_settings()
    require_ports(settings)
    with progress("starting"):
        with connect(settings, autocommit=True) as conn:
            migrate(conn)
        at = start_services(settings)
    if as_json:
        show_json({**asdict(at), "embedded": is_embedded(settings)})
        return
    say(f"The user interface is at {at.page}; `retention down` stops it.")
    say(f"For auditors, read-only: {at.auditors}")
    say(f"Reports, checks and models: {at.pages}")


def down(as_json: JsonFlag = False) -> None:
    """Stop the user interface, the schedules and the embedded database; an outside one goes on."""
    settings = load_settings()
    with progress("stopping"):
        stopped = stop_services(settings)
        if embedded.stop(settings):
            stopped.append("database")
    if as_json:
        show_json({"stopped": stopped})
    else:
        say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def url(
    approver: Annotated[
        bool,
        typer.Option(
            "--approver", help="Of the embedded warehouse's second login, which approves."
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print the connection string of the warehouse in use, password included."""
    settings = load_settings()
    found = embedded.approver_url(settings) if approver else warehouse_url(settings)
    if as_json:
        show_json({"url": found, "embedded": is_embedded(settings)})
    else:
        say(found)
