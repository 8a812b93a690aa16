"""Which tables hold files with values of purged records.

Belongs here: asking the ledger, and which right is missing to rewrite one. Does not belong here: the
rewriting (`compaction`), and which batches have changed a table, which the ledger knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import psycopg
from psycopg import sql

from retention.lineage.copies import copies
from retention.policy import Policy

Connection = psycopg.Connection[Any]
Part = Literal["landing", "copy", "ledger", "statistics"]

#: Categories, and the schemas and names of models.
Arguments = tuple[list[str], list[str], list[str]]

COMPACTOR = "retention_compactor"

# From this version on somebody who is not the owner may be granted the right to rewrite a table.
_MAINTAIN = 170000


@dataclass(frozen=True)
class Table:
    """A table that is to be rewritten, and what it is to the purge."""

    part: Part
    schema: str
    name: str

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True)
class Waiting:
    """A table that waits to be rewritten, and since which local date."""

    table: Table
    since: date


def arguments(conn: Connection, policy: Policy) -> Arguments:
    """What the ledger is asked with: the physical categories, and the models that name records.

    Raises Refused for a model that holds copies and is no table."""
    models = copies(conn, ())
    return (
        list(policy.erasure.physical),
        [model.schema for model in models],
        [model.name for model in models],
    )


def waiting(conn: Connection, policy: Policy) -> list[Waiting]:
    """Every table that waits to be rewritten. Raises as `arguments` does."""
    rows = conn.execute(
        "select part, relation_schema, relation_name,"
        " (waiting_since at time zone 'Europe/Oslo')::date"
        " from ledger.waiting_for_compaction(%s::text[], %s::text[], %s::text[])",
        arguments(conn, policy),
    ).fetchall()
    return [Waiting(Table(part, schema, name), since) for part, schema, name, since in rows]


def missing_rights(conn: Connection, tables: Sequence[Table]) -> dict[Table, str]:
    """The tables that this login may not rewrite, each with what an administrator has to do.

    Rewriting takes the owner of the table or of the database, or, from PostgreSQL 17 on, the right
    MAINTAIN."""
    can_be_granted = conn.info.server_version >= _MAINTAIN
    maintains = "has_table_privilege(relations.oid, 'maintain')" if can_be_granted else "false"
    rows = conn.execute(
        f"""
        select asked.position, pg_get_userbyid(relations.relowner), pg_get_userbyid(databases.datdba),
            has_schema_privilege(namespaces.oid, 'usage'),
            pg_has_role(relations.relowner, 'usage') or pg_has_role(databases.datdba, 'usage')
            or {maintains}
        from unnest(%s::text[], %s::text[]) with ordinality as asked (schema, name, position)
        join pg_catalog.pg_namespace as namespaces on namespaces.nspname = asked.schema
        join pg_catalog.pg_class as relations
            on relations.relnamespace = namespaces.oid and relations.relname = asked.name
        join pg_catalog.pg_database as databases on databases.datname = current_database()
        """,  # noqa: S608 -- one of two constants
        ([table.schema for table in tables], [table.name for table in tables]),
    ).fetchall()
    missing = {}
    for position, owner, database_owner, may_enter, may_rewrite in rows:
        table = tables[position - 1]
        needed: list[sql.Composable] = []
        if not may_enter:
            needed.append(
                sql.SQL("grant usage on schema {} to {}").format(
                    sql.Identifier(table.schema), sql.Identifier(COMPACTOR)
                )
            )
        if not may_rewrite and can_be_granted:
            needed.append(
                sql.SQL("grant maintain on {} to {}").format(
                    table.identifier, sql.Identifier(COMPACTOR)
                )
            )
        elif not may_rewrite:
            # Whoever becomes the owner of our own tables, or of the catalogue, may do anything.
            member_of = owner if table.part in ("landing", "copy") else database_owner
            needed.append(
                sql.SQL("grant {} to {}").format(
                    sql.Identifier(member_of), sql.Identifier(conn.info.user)
                )
            )
        if needed:
            statements = sql.SQL("; ").join(needed).as_string(conn)
            missing[table] = f"it belongs to {owner}: have an administrator run: {statements}"
    return missing
