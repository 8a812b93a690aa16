"""`environment.md`: every variable of the environment that is read, and what it does.

Belongs here: one line a variable; a test compares them with those that the code names. Does not belong
here: reading any (`retention.settings` and whoever owns the secret).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from docs.generate.markdown import code, page_of, prose, table


@dataclass(frozen=True)
class Variable:
    """One variable: what it does, what holds without it, and whether its value is a secret."""

    does: str
    without: str
    is_secret: bool = False


PLACES: Mapping[str, Variable] = {
    "RETENTION_DATABASE_URL": Variable(
        "the warehouse; its login decides who plans, approves and reads",
        "an embedded PostgreSQL below the state folder",
        is_secret=True,
    ),
    "RETENTION_DAGSTER_DATABASE_URL": Variable(
        "where Dagster keeps its runs", "a database of its own beside the warehouse", is_secret=True
    ),
    "RETENTION_STATE_DIR": Variable("[what outlives a command](files.md)", "`.retention/`"),
    "RETENTION_PROJECT_DIR": Variable(
        "the project: policy, dbt project, declarations", "the clone that is installed"
    ),
    "RETENTION_POLICY_DIR": Variable("the policy's versions", "`policy/` of the project"),
    "RETENTION_DECLARATIONS_DIR": Variable(
        "the declarations of landing tables", "`dbt_project/models/staging/`"
    ),
    "RETENTION_POSTGRES_BIN": Variable(
        "a folder with PostgreSQL's programs, for the embedded server", "those of the wheel"
    ),
    "RETENTION_UI_PORT": Variable("the port of the lineage UI", "3000"),
    "RETENTION_AUDITOR_PORT": Variable("the port of the auditors' read-only UI", "3001"),
    "RETENTION_PAGES_PORT": Variable("the port of the reports and other pages", "3002"),
    "RETENTION_PAGES_URL": Variable(
        "the address that links to those pages begin with, as their readers reach it",
        "the port on this machine",
    ),
    "RETENTION_CHECKPOINTS": Variable(
        "where checkpoints and deltas are exported: a folder, or an https URL",
        "`checkpoints/` of the state folder: no proof against the server's own administrator",
    ),
    "RETENTION_CHECKPOINTS_TOKEN": Variable(
        "the bearer token for that URL", "none is sent", is_secret=True
    ),
    "RETENTION_TIMESTAMP_URL": Variable(
        "an RFC 3161 authority that stamps checkpoints", "no time stamps"
    ),
}
KEYS: Mapping[str, Variable] = {
    "RETENTION_HMAC_KEY": Variable(
        "the key under which purged records are recognised", "its file", is_secret=True
    ),
    "RETENTION_HMAC_KEYS_OLD": Variable(
        "rotated keys, commas between, latest first", "their files", is_secret=True
    ),
    "RETENTION_HMAC_KEY_COMMAND": Variable("a command that prints the key", "its file"),
    "RETENTION_SIGNING_KEY": Variable(
        "the key that signs checkpoints and reports", "its file", is_secret=True
    ),
    "RETENTION_SIGNING_KEYS_OLD": Variable("rotated signing keys", "their files", is_secret=True),
    "RETENTION_SIGNING_KEY_COMMAND": Variable("a command that prints the signing key", "its file"),
}
TOLD: Mapping[str, Variable] = {
    "RETENTION_LANGUAGE": Variable(
        "`nb` or `en`, of reports, explanations and notices; `--lang` goes before", "`en`"
    ),
    "RETENTION_NOTICE_CHANNELS": Variable(
        "a file that says by which channels owners are [told](../how-to/tell-owners-what-falls-due.md)",
        "owners are not told",
    ),
    "RETENTION_NOTICE_COMMAND": Variable(
        "a command that gets each notice as JSON on its stdin", "`notices.jsonl` alone"
    ),
    "RETENTION_NOTICE_URL": Variable(
        "a web address that each notice is posted to", "`notices.jsonl` alone", is_secret=True
    ),
    "RETENTION_DEBUG": Variable(
        "shows tracebacks and what dbt prints; **both may hold personal data**", "one line an error"
    ),
}
#: Set by the program for a process that it starts, or for its own tests.
INTERNAL = frozenset(
    {
        "RETENTION_DBT_DATABASE",
        "RETENTION_DBT_HOST",
        "RETENTION_DBT_PORT",
        "RETENTION_DBT_SSLMODE",
        "RETENTION_DBT_TARGET",
        "RETENTION_DBT_USER",
        "RETENTION_SCHEMA_SUFFIX",
        "RETENTION_DAGSTER_STORAGE_URL",
        "RETENTION_FAILPOINT",
    }
)


def page() -> str:
    """Places, keys, and what is told to whom."""
    internal = ", ".join(code(name) for name in sorted(INTERNAL))
    return page_of(
        "Environment",
        "`docs/generate/environment.py`",
        prose(
            """
            Everything is set by the environment; an empty variable counts as unset. None is ever
            printed, nor given to a program that is not ours.

            ## Where things are
            """
        ),
        _table(PLACES),
        prose(
            """
            ## Keys

            A variable or a command, not both; either goes before the [file](files.md)
            ([keys](../runbooks/keys.md)).
            """
        ),
        _table(KEYS),
        "## What is told",
        _table(TOLD),
        prose(
            f"""
            ## Others

            `NO_COLOR` is heeded. `COLUMNS` is the width of tables where there is no terminal.

            Never set by hand, for the program sets them for what it starts: {internal}.
            """
        ),
    )


def _table(variables: Mapping[str, Variable]) -> str:
    return table(
        ("variable", "what it does", "without it", "secret"),
        [
            (code(name), one.does, one.without, "yes" if one.is_secret else "")
            for name, one in variables.items()
        ],
    )
