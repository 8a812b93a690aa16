"""Reading a record that is locked or restricted: a disclosure first, then the row, once.

Belongs here: the order of the two transactions, and counts for those who may know no more. Does not
belong here: whether the read is allowed; the database says so (`ledger.disclose`,
`ledger.read_locked`), and keeps the evidence of both.

What is read goes to whoever asked and nowhere else: no log, no exception and no evidence holds a value.
"""

from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row

from retention.errors import UsageError
from retention.ledger.failures import safe_errors
from retention.policy import in_force, load_versions
from retention.record_key import canonical
from retention.rights.register import as_officer
from retention.settings import Settings
from retention.warehouse.clock import today
from retention.warehouse.connection import connect


@dataclass(frozen=True)
class Counted:
    """How many records of a table are locked, or restricted."""

    source_schema: str
    source_table: str
    status: str
    records: int


def read(
    settings: Settings, *, table: str, key: str, reason: str, authority: str
) -> list[dict[str, Any]]:
    """The landing rows of one record out of use, as the custodian whose login is connected.

    `reason` says what for, `authority` by what right: the data subject's own request, or an
    authority under the hindering law (§ 8). Both stand in the disclosure, which is committed before
    anything is read. Raises UsageError for a table that is not named in full and for a missing
    reason or authority; Refused where the login is no custodian, and where the record is not out of
    use.
    """
    schema, dot, name = table.partition(".")
    if not dot or not schema or not name:
        raise UsageError("name the table as SCHEMA.TABLE, such as crm.person")
    if not reason.strip() or not authority.strip():
        raise UsageError("a read of what is locked needs a reason and an authority: give both")
    with as_officer(settings, "reading a locked record") as conn:
        policy = in_force(load_versions(settings.policy_dir), today(conn))
        minutes = policy.rights.locked_read_minutes.value
        row = conn.execute(
            "select ledger.disclose('locked_read', null, %s, %s, %s, %s, %s)",
            (f"{reason} ({authority})", minutes, schema, name, canonical(key)),
        ).fetchone()
        assert row is not None
        # What is shown was written down before, whatever becomes of this transaction.
        conn.commit()
        rows = conn.execute("select * from ledger.read_locked(%s)", (row[0],)).fetchall()
    return [landed for (landed,) in rows]


def counted(settings: Settings) -> list[Counted]:
    """How many records are out of use, by table and status."""
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("counting what is locked"),
        conn.cursor(row_factory=class_row(Counted)) as cursor,
    ):
        return cursor.execute("select * from ledger.out_of_use_counted()").fetchall()
