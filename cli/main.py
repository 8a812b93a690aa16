"""The command `retention`: which commands there are, and how a run of one ends.

Belongs here: the table of commands, exit codes, the one line an error becomes. Does not belong
here: what a command does. To add one, write a function (or, for a group, a `typer.Typer`) in a
module of this package and one line in COMMANDS; its module is imported only when it is called.
"""

import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from retention.errors import RetentionError, place_of

NAME = "retention"
WRONG_USAGE = 2
INTERNAL_ERROR = 4

# SQLSTATE classes of a session that is gone: connection exceptions, operator intervention.
_LOST_CLASSES = ("08", "57P")


@dataclass(frozen=True)
class Entry:
    """Where a command's function or `typer.Typer` is, and its line in the list of commands."""

    target: str
    help: str


COMMANDS: dict[str, Entry] = {
    "demo": Entry("cli.run:demo", "Sample, whole job, approval and purge: the demonstration."),
    "up": Entry("cli.server:up", "Start the database, the user interface and the schedules."),
    "down": Entry("cli.server:down", "Stop what `up` or any command started."),
    "url": Entry("cli.server:url", "Print the connection string in use."),
    "sample": Entry("cli.sample:sample", "Make and load the sample warehouse."),
    "land": Entry("cli.land:land", "Load exported connector files as they are."),
    "run": Entry("cli.run:run", "Run the daily job now."),
    "status": Entry("cli.status:status", "Records per category and status; what is overdue."),
    "coverage": Entry(
        "cli.coverage:coverage", "Whether every table and column is declared; what to do next."
    ),
    "detect": Entry("cli.detect:detect", "What undeclared columns seem to hold; kinds and counts."),
    "onboard": Entry(
        "cli.onboard:onboard", "Propose declarations for a schema, and try them without effect."
    ),
    "explain": Entry(
        "cli.explain:explain", "Why one record is kept or due, in the policy's words."
    ),
    "plan": Entry(
        "cli.plan:plan", "Freeze what is overdue into a purge plan; list and show plans."
    ),
    "approve": Entry("cli.plan:approve", "Approve a plan by its digest."),
    "reject": Entry("cli.plan:reject", "Reject a plan, with the reason."),
    "purge": Entry("cli.plan:purge", "Carry out an approved plan."),
    "compact": Entry(
        "cli.compact:compact", "Rewrite the files that hold what was purged (level physical)."
    ),
    "halt": Entry("cli.halt:halt", "Stop everything that deletes, everywhere, at once."),
    "resume": Entry("cli.halt:resume", "End a halt, as an approver."),
    "verify": Entry("cli.plan:verify", "Read back that purged records left no copy."),
    "controls": Entry("cli.controls:controls", "Run the persons whose fate is known."),
    "review": Entry("cli.review:review", "List and decide the records that need a person."),
    "hold": Entry("cli.hold:hold", "Place, release and list what blocks a deletion."),
    "request": Entry(
        "cli.request:request", "The register of requests: find, decide and answer them."
    ),
    "locked": Entry(
        "cli.locked:locked", "Count what is locked or restricted; read one record, logged."
    ),
    "orders": Entry(
        "cli.orders:orders", "Order stores outside the warehouse to delete; take their answers."
    ),
    "evidence": Entry(
        "cli.evidence:evidence", "Signed checkpoints, deletion reports, and checking them."
    ),
    "replay": Entry(
        "cli.replay:replay",
        "After a restore: bring back what was purged and held since the backup.",
    ),
    "keys": Entry("cli.keys:keys", "List, rotate and destroy keys."),
    "housekeep": Entry(
        "cli.housekeep:housekeep", "Remove the system's own traces that are past their day."
    ),
    "notices": Entry(
        "cli.notices:notices", "Tell owners what falls due: once, by e-mail and chat."
    ),
    "policy": Entry(
        "cli.policy:policy", "The policy's versions: which holds, and who put it into force."
    ),
    "what-if": Entry("cli.what_if:what_if", "Show what another policy would change."),
    "report": Entry("cli.report:report", "Write the report: JSON and one page."),
}


class Commands(TyperGroup):
    """The commands of COMMANDS. Listing them imports none of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        return TyperCommand(cmd_name, help=entry.help) if entry else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name and command else command, rest


def load_command(name: str) -> Any:
    """Import and return the command registered as `name`."""
    module_name, _, attribute = COMMANDS[name].target.partition(":")
    found = getattr(importlib.import_module(module_name), attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    single = typer.Typer(add_completion=False)
    single.command(name)(found)
    return typer.main.get_command(single)


app = typer.Typer(cls=Commands, add_completion=False)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Make a warehouse keep its privacy policy's retention promises.

    Exit codes: 0 completed, 1 findings, 2 wrong usage or configuration, 3 refused by a guard,
    4 internal error or lost connection.
    """
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"{NAME} {installed('sletteplikt')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(WRONG_USAGE)


def main() -> NoReturn:
    """Run the command line of this process and exit with the design's code."""
    _show_our_warnings()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors become one line on stderr."""
    try:
        result = typer.main.get_command(app)(
            args=list(arguments), prog_name=NAME, standalone_mode=False
        )
    except RetentionError as error:
        return _fail(str(error), error.exit_code)
    except typer.Abort:
        return _fail("stopped at your request", 130)
    except BrokenPipeError:
        # The reader of our output left (`| head`): nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("RETENTION_DEBUG"):
            traceback.print_exc()
        return _fail(*_unexpected(error))
    return result if isinstance(result, int) else 0


def _show_our_warnings() -> None:
    """Show what our own packages warn of, nobody else's: a driver's warning may hold a value."""
    logging.getLogger().addHandler(logging.NullHandler())
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(f"{NAME}: %(message)s"))
    for package in ("cli", "orchestration", "expectations", "landing", "retention"):
        logging.getLogger(package).addHandler(handler)


def _unexpected(error: Exception) -> tuple[str, int]:
    """Say what an error that we did not raise means, without its own words where those may hold a
    value of the warehouse."""
    # By shape, not by class: typer brings its own copy of click, or uses the package.
    if hasattr(error, "format_message"):
        return f"{error.format_message()} (see {NAME} --help)", WRONG_USAGE
    driver = sys.modules.get("psycopg")
    if driver is not None and isinstance(error, driver.Error):
        state = error.sqlstate or ""
        if isinstance(error, driver.OperationalError) and (
            not state or state.startswith(_LOST_CLASSES)
        ):
            return "lost the connection to the database: check the server, then run it again", 4
        return (
            f"the database reported {type(error).__name__} ({state or 'no code'}) {_place(error)}",
            4,
        )
    return f"internal error {type(error).__name__} {_place(error)}", INTERNAL_ERROR


def _place(error: Exception) -> str:
    where = place_of(error)
    return f"{where} (RETENTION_DEBUG=1 shows more, which may include personal data)"


def _fail(message: str, code: int) -> int:
    print(f"{NAME}: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
