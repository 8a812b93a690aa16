"""Where the models keep what they made of a record.

Belongs here: asking the catalogue which relations of dbt's schemas name records or persons, so that a
new model is purged without anybody adding it to a list. Does not belong here: deleting from them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.errors import Refused
from retention.lineage.model import NAMES, RECORD, SCHEMAS, names_records

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Copy:
    """A relation of the models that names records, persons, cases or assignments."""

    schema: str
    name: str
    columns: frozenset[str]

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def names_records(self) -> bool:
        return self.columns >= RECORD


def copies(conn: Connection, tables: Iterable[TableDeclaration]) -> list[Copy]:
    """Every relation to purge copies from, what names records first and the cases themselves last.

    `tables` are all declared tables: a staging model holds one table's records only, so those of
    tables that a batch does not touch are passed over by `touched`. Views hold nothing of their own.
    Raises Refused for a relation that holds copies but cannot be deleted from.
    """
    rows = conn.execute(
        """
        select namespaces.nspname, relations.relname, relations.relkind::text,
            array_agg(attributes.attname::text)
        from pg_catalog.pg_class as relations
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        join pg_catalog.pg_attribute as attributes on attributes.attrelid = relations.oid
        where namespaces.nspname = any(%s) and relations.relkind in ('r', 'p', 'm', 'f')
        and not relations.relispartition
        and attributes.attnum > 0 and not attributes.attisdropped
        group by namespaces.nspname, relations.relname, relations.relkind
        order by namespaces.nspname, relations.relname
        """,
        (list(SCHEMAS),),
    ).fetchall()
    found = []
    for schema, name, kind, columns in rows:
        named = NAMES & set(columns)
        if not names_records(named):
            continue
        if kind not in ("r", "p"):
            raise Refused(
                f"{schema}.{name} holds copies of records and is no table: build it as a table,"
                " or what is purged would live on in it"
            )
        found.append(Copy(schema, name, named))
    # What is left of a case is asked of int_record_cases, so it is thinned before that is asked.
    return sorted(found, key=lambda copy: (not copy.names_records, copy.schema, copy.name))


def touched(
    found: Iterable[Copy], tables: Iterable[TableDeclaration], purged: Iterable[TableDeclaration]
) -> list[Copy]:
    """`found` without the staging models of declared tables that are not in `purged`."""
    untouched = {t.staging_model for t in tables} - {t.staging_model for t in purged}
    return [copy for copy in found if copy.schema != "staging" or copy.name not in untouched]
