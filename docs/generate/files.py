"""`files.md`: what lies in the state folder.

Belongs here: one line a file or folder; a test compares the first part of each path with those that the
code names. Does not belong here: making, reading or removing any.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from docs.generate.markdown import code, page_of, prose, table


@dataclass(frozen=True)
class Entry:
    """A file or folder: what it is, what becomes of it, and what losing it means."""

    is_: str
    stays: str
    lost: str


KEPT: Mapping[str, Entry] = {
    "keys/": Entry(
        "the keys, mode 0600, where no variable gives them",
        "until `retention keys destroy`",
        "what was purged is recognised no more: [keep a copy elsewhere](../runbooks/keys.md)",
    ),
    "secrets/": Entry(
        "passwords of the embedded server's logins",
        "always",
        "the embedded server cannot be opened",
    ),
    "checkpoints/": Entry(
        "signed checkpoints and deltas, where `RETENTION_CHECKPOINTS` names no other place",
        "deltas for the policy's backup horizon",
        "a restored backup cannot catch up: [restore](../runbooks/restore.md)",
    ),
    "postgres/": Entry(
        "the embedded server's data and log; as root it may lie elsewhere, as `postgres.json` says",
        "always",
        "the embedded warehouse is gone",
    ),
    "postgres.json": Entry("the embedded server's folder and port", "always", "as above"),
}
TRACES: Mapping[str, Entry] = {
    "reports/": Entry(
        "a folder for each day's [report](../how-to/read-the-report.md), and each plan's"
        " deletion report",
        "`traces.reports`; a deletion report as long as its plan's tombstones",
        "made again; a deletion report you gave away is yours to keep",
    ),
    "pages/": Entry(
        "what the [pages server](../runbooks/auditors.md) shows besides: the last check results, and"
        " dbt's description of the models",
        "until the next run",
        "made again by the next run",
    ),
    "packages/": Entry(
        "encrypted copies made for persons who asked", "`rights.package_days`", "made again"
    ),
    "letters/": Entry(
        "letters that answer a request for erasure", "until you remove them", "made again"
    ),
    "notices.jsonl": Entry("a line for each notice that was given", "`traces.logs`", "nothing"),
    "dbt/": Entry(
        "what dbt wrote: `target/` of the classification in force, `definitions/` for the UI,"
        " `replay/`, `logs/`",
        "`target/` always; the rest `traces.builds` and `traces.logs`",
        "made again by the next run",
    ),
    "controls/": Entry("what the control persons' run left", "`traces.builds`", "made again"),
    "dagster/": Entry(
        "Dagster's settings, and logs of the servers that `up` starts",
        "`traces.logs`",
        "made again",
    ),
}
#: Held for a moment, so that two commands do not do the same thing at once.
LOCKS = ("postgres.lock", "manifest.lock", "notices.lock")


def page() -> str:
    """What must not be lost, then what comes again."""
    locks = ", ".join(code(name) for name in LOCKS)
    return page_of(
        "Files",
        "`docs/generate/files.py`",
        prose(
            """
            All state outside the database lies in one folder: `.retention/` of the project, or
            `RETENTION_STATE_DIR`. Only its owner can list it. How long each trace stays is the
            policy's word (`own_records.traces`, `rights`);
            [housekeeping](../runbooks/housekeeping.md) removes them.

            ## What must not be lost
            """
        ),
        _table(KEPT),
        "## What comes again",
        _table(TRACES),
        f"Locks between processes, empty: {locks}.",
    )


def _table(entries: Mapping[str, Entry]) -> str:
    return table(
        ("in the state folder", "what it is", "stays", "lost"),
        [(code(name), one.is_, one.stays, one.lost) for name, one in entries.items()],
    )
