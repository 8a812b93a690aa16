"""Whether the delete path may write to a landing table.

Belongs here: asking for the right, and giving it where this login may. Does not belong here: the delete
path itself, which runs as `retention_owner` (functions/16_delete_path.sql), and what else keeps a table
from being purged (`tables`).

Landing tables belong to whoever loads them. A connector that makes one anew takes the right away with it,
so it is asked for each time.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from retention.declarations import Declarations
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import OWNER

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class _Lacking:
    """A declared table that the delete path may not write to. `closed`: nor look into its schema."""

    schema: str
    name: str
    closed: bool
    may_grant: bool

    @property
    def grants(self) -> list[sql.Composed]:
        """What gives the right."""
        owner = sql.Identifier(OWNER)
        table = sql.SQL("grant select, update, delete on {} to {}").format(
            sql.Identifier(self.schema, self.name), owner
        )
        schema = sql.SQL("grant usage on schema {} to {}").format(
            sql.Identifier(self.schema), owner
        )
        return [schema, table] if self.closed else [table]


def grant(settings: Settings, declarations: Declarations) -> None:
    """Let the delete path write to the declared tables that this login may grant on; others are left as
    they are, and `without_rights` names them."""
    with connect(settings) as conn, safe_errors("granting the delete path its rights"):
        for table in _lacking(conn, declarations):
            if table.may_grant:
                for statement in table.grants:
                    conn.execute(statement)


def without_rights(
    conn: Connection, declarations: Declarations, *, planning: bool
) -> dict[str, str]:
    """The declared tables that the delete path may not write to, each with what to do about it. While
    `planning`, one that this login may grant on is none: `grant` does."""
    refused = {}
    for table in _lacking(conn, declarations):
        if not (planning and table.may_grant):
            grants = "; ".join(statement.as_string(conn) for statement in table.grants)
            name = f"{table.schema}.{table.name}"
            refused[name] = f"the purge has no right to it: have its owner run: {grants}"
    return refused


def _lacking(conn: Connection, declarations: Declarations) -> list[_Lacking]:
    """The declared tables without the right, and whether this login, whatever role it has taken, may
    give it."""
    declared = [(table.schema_, table.name) for table in declarations.staged]
    rows = conn.execute(
        """
        select namespaces.nspname, relations.relname,
            not has_schema_privilege(%(owner)s, namespaces.oid, 'usage'),
            pg_has_role(session_user, relations.relowner, 'usage') and (
                has_schema_privilege(%(owner)s, namespaces.oid, 'usage')
                or pg_has_role(session_user, namespaces.nspowner, 'usage')
            )
        from unnest(%(schemas)s::text[], %(names)s::text[]) as declared (schema, name)
        join pg_catalog.pg_namespace as namespaces on namespaces.nspname = declared.schema
        join pg_catalog.pg_class as relations
            on relations.relnamespace = namespaces.oid and relations.relname = declared.name
        where relations.relkind in ('r', 'p') and not (
            has_schema_privilege(%(owner)s, namespaces.oid, 'usage')
            and has_table_privilege(%(owner)s, relations.oid, 'select')
            and has_table_privilege(%(owner)s, relations.oid, 'update')
            and has_table_privilege(%(owner)s, relations.oid, 'delete')
        )
        """,
        {
            "owner": OWNER,
            "schemas": [schema for schema, _ in declared],
            "names": [name for _, name in declared],
        },
    ).fetchall()
    return [_Lacking(*row) for row in rows]
