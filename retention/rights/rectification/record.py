"""Remembering a value that is wrong, before the source corrects it.

Belongs here: taking its fingerprint. Does not belong here: looking for it again (`trace`).
"""

from uuid import UUID

from psycopg import sql

from retention.declarations import TableDeclaration, load_declarations
from retention.errors import UsageError
from retention.keys import load_keys, refuse_logged_values
from retention.ledger.failures import safe_errors
from retention.lineage.personal import kinds_of
from retention.purge.delete import same_key
from retention.rights.rectification.fingerprint import bound, fingerprint_of
from retention.rights.register import as_officer
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import EXAMINER


def record(
    settings: Settings, request_id: UUID, *, table: str, record_key: str, column: str
) -> UUID:
    """Keep the fingerprint of the value that a column of a landing row holds now, for the request of the
    person whose row it is. Returns its number.

    Raises UsageError for a table or column that is not declared to hold personal data, a row that is not
    there or holds no value, or a request that is none for rectification; Refused where its identity is not
    verified, the row is not the person's, or the server would write the value to its log.
    """
    declared = _declared(settings, table, column)
    kind = kinds_of(declared)[column]
    with (
        connect(settings, role=EXAMINER, read_only=True) as conn,
        safe_errors("reading the value that is wrong"),
    ):
        refuse_logged_values(conn)
        key = load_keys(settings, conn).current
        row = conn.execute(
            sql.SQL(
                "select {} from (values (%(record_key)s::text)) as record (record_key)"
                " join {} as landed on {}"
            ).format(
                fingerprint_of("landed", column),
                sql.Identifier(declared.schema_, declared.name),
                same_key(conn, declared),
            ),
            {**bound(key, kind), "record_key": record_key},
        ).fetchone()
    if row is None:
        raise UsageError(
            f"{table} has no row of that key: give it as `retention request find` does"
        )
    if row[0] is None:
        raise UsageError(f"{column} of that row holds no value: there is nothing to correct")
    with as_officer(settings, "recording a correction") as conn:
        recorded = conn.execute(
            "select ledger.record_rectification(%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                request_id,
                declared.schema_,
                declared.name,
                record_key,
                column,
                kind,
                row[0],
                key.key_id,
            ),
        ).fetchone()
    assert recorded is not None
    number: UUID = recorded[0]
    return number


def _declared(settings: Settings, table: str, column: str) -> TableDeclaration:
    declarations = load_declarations(settings.declarations_dir)
    found = next((one for one in declarations.governed if one.qualified == table), None)
    if found is None or not found.key:
        raise UsageError(f"{table} is no governed table with a key: name one as SCHEMA.TABLE")
    if column not in kinds_of(found):
        raise UsageError(f"{table} declares no personal column {column}: name one that it does")
    return found
