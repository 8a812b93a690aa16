"""The scan of an identity document, which goes once it has served (§ 8).

Belongs here: per declared table of requests, ordering the scans from their store and emptying the
pointers of those that are confirmed gone. Does not belong here: handing orders to a store and taking its
answer (`retention.orders`), and the objects of rows that are purged (`retention.purge.external`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from retention import syncs
from retention.declarations import TableDeclaration, load_declarations
from retention.errors import Refused, RetentionError
from retention.ledger.failures import safe_errors
from retention.plan import landing_rights
from retention.policy import Policy, in_force, load_versions
from retention.settings import Settings
from retention.warehouse.clock import today
from retention.warehouse.connection import connect
from retention.warehouse.roles import PURGER

# A scan can wait: a sync that is writing the table goes on, and the next run comes tomorrow.
_WAIT = "5s"


@dataclass
class Scans:
    """Scans ordered from their stores, rows whose pointer was emptied, and tables that were left out, each
    with the reason."""

    ordered: int = 0
    emptied: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def delete(settings: Settings) -> Scans:
    """Order what has served and empty what is gone, each table in a transaction of its own.

    A table that cannot be written to, has drifted or is being synced is left out, and said so.
    """
    declarations = load_declarations(settings.declarations_dir)
    found = Scans()
    tables = declarations.with_identity_scans
    if not tables:
        return found
    landing_rights.grant(settings, declarations)
    with connect(settings, role=PURGER) as conn, safe_errors("looking for syncs"):
        policy = in_force(load_versions(settings.policy_dir), today(conn))
        syncing = _syncing(conn, policy, tables)
        conn.commit()
        for table in tables:
            if table.qualified in syncing:
                found.refused[table.qualified] = "its connector is syncing"
                continue
            try:
                _delete(conn, table, found)
            except RetentionError as error:
                conn.rollback()
                found.refused[table.qualified] = str(error)
    return found


def _delete(conn: psycopg.Connection[Any], table: TableDeclaration, found: Scans) -> None:
    assert table.request is not None
    column = table.request.id_scan
    assert column is not None
    with safe_errors("deleting the scans of identity documents"):
        conn.execute("select set_config('lock_timeout', %s, true)", (_WAIT,))
        try:
            row = conn.execute(
                "select ordered, emptied from ledger.delete_scans(%s, %s, %s, %s, %s, %s)",
                (
                    table.schema_,
                    table.name,
                    list(table.key),
                    table.key_is_personal,
                    column,
                    table.stores[column],
                ),
            ).fetchone()
        except psycopg.errors.LockNotAvailable:
            raise Refused("somebody else is writing it") from None
        except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable):
            raise Refused(f"it has no column {column} any more, or is gone") from None
        conn.commit()
    assert row is not None
    found.ordered += row[0]
    found.emptied += row[1]


def _syncing(
    conn: psycopg.Connection[Any], policy: Policy, tables: Iterable[TableDeclaration]
) -> set[str]:
    """The tables whose connector is at work now."""
    going = [
        sync
        for sync in syncs.not_ended(conn, policy.operations.sync_timeout_hours.value)
        if not sync.is_stale
    ]
    return {
        table.qualified for table in tables if any(sync.lands_in(table.schema_) for sync in going)
    }
