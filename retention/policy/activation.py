"""Putting a text of the policy into force: by whom, when and why.

Belongs here: asking the database to record an activation, and which versions there are. Does not belong
here: which version holds on a day (`versions`), and what another one would change (`retention.what_if`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from retention.errors import UsageError
from retention.ledger.failures import safe_errors
from retention.policy.load import load_policy
from retention.policy.model import Policy
from retention.policy.versions import load_versions
from retention.settings import Settings
from retention.warehouse.connection import connect, connect_as_approver, is_embedded
from retention.warehouse.roles import READER

_COLUMNS = sql.SQL(
    "policy_version, policy_hash, effective_from, reason, kind, counted, activated_by, activated_at"
)


@dataclass(frozen=True)
class Activation:
    """One activation of one text. `counted` is what a what-if counted of it, where one was made."""

    policy_version: str
    policy_hash: str
    effective_from: date
    reason: str
    kind: str
    counted: dict[str, int] | None
    activated_by: str
    activated_at: datetime


def find_version(settings: Settings, named: str) -> Policy:
    """The version of the policy folder that is named so, or is the file of that path.

    Raises UsageError for a version that is not there, and for a file that is no version of the folder:
    classification would never read it.
    """
    versions = load_versions(settings.policy_dir)
    for policy in versions:
        if policy.version == named:
            return policy
    path = Path(named)
    if not path.is_file():
        raise UsageError(
            f"there is no policy version {named}: it is one of"
            f" {', '.join(policy.version for policy in versions)}, or a file of the policy folder"
        )
    policy = load_policy(path.resolve())
    if policy.hash not in {one.hash for one in versions}:
        raise UsageError(
            f"{path.name} is no version of the policy folder: put it there first, where classification"
            " reads it"
        )
    return policy


def activate(
    settings: Settings, policy: Policy, reason: str, counted: Mapping[str, int] | None = None
) -> Activation:
    """Put `policy` into force as the login of this connection; committed when it returns.

    In the embedded warehouse the demonstration's second login does it, and it is marked so. Raises Refused
    where this login is no approver, or the text is the one that was activated last; UsageError without a
    reason.
    """
    embedded = is_embedded(settings)
    connected = connect_as_approver(settings) if embedded else connect(settings)
    with (
        connected as conn,
        safe_errors("activating a policy"),
        conn.cursor(row_factory=class_row(Activation)) as cursor,
    ):
        found = cursor.execute(
            sql.SQL("select {} from ledger.activate_policy(%s, %s, %s, %s, %s, %s)").format(
                _COLUMNS
            ),
            (
                policy.version,
                policy.hash,
                policy.effective_from,
                reason,
                Jsonb(dict(counted)) if counted is not None else None,
                "demonstration" if embedded else "person",
            ),
        ).fetchone()
    assert found is not None
    return found


def activations(settings: Settings) -> list[Activation]:
    """Every activation, latest first."""
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("looking at what was put into force"),
        conn.cursor(row_factory=class_row(Activation)) as cursor,
    ):
        return cursor.execute(
            sql.SQL("select {} from ledger.policy_activations order by activation_id desc").format(
                _COLUMNS
            )
        ).fetchall()
