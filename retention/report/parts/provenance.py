"""What a report was made from, so that somebody else can make it again and see that it is the same.

Belongs here: which database, which hashes, which revision of the project, which state of the ledger, and
how to check that. Does not belong here: the run that was classified (`retention.report.report`), and the
queries, which stand with their figures.

Nothing of this moves by reporting: the ledger is told as it was before it tells of reports.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from retention.code_hash import code_hash
from retention.declarations import Declarations
from retention.ledger import tree
from retention.report.figures.figure import OSLO, plain
from retention.settings import Settings

Connection = psycopg.Connection[Any]

_PATIENCE_SECONDS = 10


def describe_provenance(
    conn: Connection, settings: Settings, declarations: Declarations
) -> dict[str, Any]:
    """Database, hashes, revision and ledger. What is not known (no right, no manifest, no git) is None."""
    return {
        "database": {
            "name": conn.info.dbname,
            "system_identifier": _system_identifier(conn),
            "server_version": conn.info.server_version // 10_000,
        },
        "code_hash": code_hash(settings, declarations),
        "manifest_hash": _manifest_hash(settings.dbt_target / "manifest.json"),
        "revision": revision(settings.project),
        "time_zone": OSLO.key,
        "ledger": _ledger(conn),
        "verify": [
            "retention keys list",
            "retention evidence export ledger.txt",
            "retention evidence verify ledger.txt --key PUBLIC_KEY --since CHECKPOINT",
            "python verifier/verify_evidence.py ledger.txt --key PUBLIC_KEY --since CHECKPOINT",
        ],
    }


def _system_identifier(conn: Connection) -> str | None:
    """What PostgreSQL calls this cluster, restored copies of it included; None where a reader of this
    server may not ask."""
    row = conn.execute(
        "select has_function_privilege('pg_catalog.pg_control_system()', 'execute')"
    ).fetchone()
    if row is None or not row[0]:
        return None
    row = conn.execute("select system_identifier::text from pg_control_system()").fetchone()
    return row[0] if row else None


def _manifest_hash(path: Path) -> str | None:
    """Of dbt's manifest as it stands in the state folder: it changes with every parse."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def revision(project: Path) -> str | None:
    """The commit that the project stands on, `+` behind it where files differ from it. None where the
    project is no clone of its own, or there is no git."""
    if not (project / ".git").exists():
        return None
    head = _git(project, "rev-parse", "HEAD")
    changed = _git(project, "status", "--porcelain", "--untracked-files=no")
    return f"{head}+" if head and changed else head


def _git(project: Path, *arguments: str) -> str | None:
    """What git answers, None where there is no git or it has no answer."""
    try:
        answer = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(project), *arguments],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _ledger(conn: Connection) -> dict[str, Any]:
    size = _size(conn)
    root = tree.root(conn, size)
    checkpoint = conn.execute(
        "select size, encode(root, 'hex'), exported_at, note from ledger.checkpoints"
        " where size <= %s order by size desc limit 1",
        (size,),
    ).fetchone()
    names = ("size", "root", "exported_at", "note")
    return {
        "origin": tree.origin(conn),
        "size": size,
        "root": root.hex() if root else None,
        "checkpoint": checkpoint
        and {name: plain(value) for name, value in zip(names, checkpoint, strict=True)},
    }


def _size(conn: Connection) -> int:
    """How many entries the tree has, up to the last one that is not about a report."""
    row = conn.execute(
        "select leaves.leaf_index + 1 from ledger.leaves as leaves"
        " inner join ledger.entries as entries using (entry_id)"
        " where not starts_with(entries.kind, 'report') order by leaves.leaf_index desc limit 1"
    ).fetchone()
    return int(row[0]) if row else 0
