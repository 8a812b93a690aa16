"""How it stands with locked and restricted records, for the status.

Belongs here: what is said of them in well under a second, to whoever may read no more than counts.
Does not belong here: looking into copies, which takes the examiner and longer (`in_use`); of that
the last outcome is told.
"""

import json
from collections.abc import Iterator
from typing import Any

import psycopg

from retention.declarations import Declarations
from retention.findings import Finding
from retention.lineage.find import is_own
from retention.lineage.manifest import has_manifest, read_manifest
from retention.rights.out_of_use.access import (
    closed_landing,
    people_in_services,
    readable_landing,
)
from retention.rights.out_of_use.in_use import Shown
from retention.settings import Settings

Connection = psycopg.Connection[Any]


def findings(conn: Connection, settings: Settings, declarations: Declarations) -> Iterator[Finding]:
    """Who can read landing and may not, what waits to be taken out of copies, what the last check
    found."""
    yield from closed_landing(conn)
    yield from readable_landing(conn, declarations)
    yield from people_in_services(conn)
    yield from _waiting(conn, settings, declarations)
    yield from _last_check(conn)


def _waiting(conn: Connection, settings: Settings, declarations: Declarations) -> Iterator[Finding]:
    """Locks and restrictions placed since rows were last taken out of copies, where there can be
    copies."""
    if not has_manifest(settings):
        return
    manifest = read_manifest(settings)
    governed = {(table.schema_, table.name) for table in declarations.governed}
    if all(is_own(node, manifest, governed) for node in manifest.nodes):
        return
    row = conn.execute(
        """
        select count(*) from ledger.blockers_shown as blockers
        where blockers.kind <> 'hold' and blockers.released_at is null
        and (blockers.kind = 'restriction' or blockers.until_on >= ledger.today())
        and blockers.placed_at > coalesce(
            (select max(at) from ledger.entries where kind = 'out_of_use_withdrawn'), '-infinity'
        )
        """
    ).fetchone()
    if row and row[0]:
        yield Finding(
            "withdrawal_waiting",
            f"{row[0]} locks and restrictions were placed since their records were last taken out of"
            " models: `retention locked withdraw` does, and so does the next `retention run`",
        )


def _last_check(conn: Connection) -> Iterator[Finding]:
    row = conn.execute(
        "select body from ledger.entries where kind = 'out_of_use_checked'"
        " order by entry_id desc limit 1"
    ).fetchone()
    for one in json.loads(row[0])["found"] if row else ():
        shown = Shown(one["where"], one["rows"], one["table"])
        yield Finding("locked_in_use", shown.message, table=shown.where, records=shown.rows)
