"""The program that runs dbt for us: `python -m orchestration.dbt_command build …`.

Belongs here: what must be different inside dbt's own process. Does not belong here: which command is
run and with which environment (`assets.classification`, `manifest`).

dbt passes a database error on word for word: to its log, to `run_results.json`, and to Dagster's event
log through the events that dagster-dbt reads. Such an error may quote a value: `Key (email)=(…) is
duplicated`, `invalid input syntax for type date: "…"`. Here it loses its values where it enters dbt, so
that none of these can hold one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from dbt.adapters.postgres import connections
from dbt.cli.main import cli

# SQLSTATE classes whose primary message speaks of identifiers and of the server, never of a value:
# syntax and missing objects, exhausted resources, objects in use, operator intervention.
_SPEAKS_OF_NO_VALUE = ("42", "53", "55", "57")


def described(error: psycopg2.Error) -> str:
    """What a database error says, without values: its class, SQLSTATE and identifiers."""
    words = [f"{type(error).__name__} ({error.pgcode or 'no code'})"]
    if (error.pgcode or "").startswith(_SPEAKS_OF_NO_VALUE) and error.diag.message_primary:
        words.append(error.diag.message_primary)
    for kind in ("schema", "table", "column", "constraint"):
        name = getattr(error.diag, f"{kind}_name", None)
        if name:
            words.append(f"{kind} {name}")
    return ", ".join(words)


def keep_values_out_of_errors() -> None:
    """Make dbt's PostgreSQL adapter see only errors without values."""
    original = connections.PostgresConnectionManager.exception_handler

    @contextmanager
    def exception_handler(self: Any, sql: str) -> Iterator[None]:
        with original(self, sql):
            try:
                yield
            except psycopg2.DatabaseError as error:
                raise type(error)(described(error)) from None

    # dbt has no other place where one could stand between the driver and its own messages.
    setattr(connections.PostgresConnectionManager, "exception_handler", exception_handler)  # noqa: B010


def main() -> None:
    """Run dbt with this process's arguments; ends the process with dbt's exit code."""
    keep_values_out_of_errors()
    cli(prog_name="dbt")


if __name__ == "__main__":
    main()
