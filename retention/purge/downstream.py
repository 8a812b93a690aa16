"""Changes in what dbt built downstream: marts, incremental models, snapshots, in any schema.

Belongs here: the statements that remove the records of a batch from the copies that lineage traced, or
make minimised columns null there.
Does not belong here: tracing them (`retention.lineage`), and the project's own relations (`delete`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.errors import Refused
from retention.lineage.catalogue import column_types, signature
from retention.lineage.model import Downstream, Lineage, Match
from retention.purge.minimise import CONSENT_GROUP, GROUP

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class CopyEvidence:
    """One relation downstream in a batch, what was done to rows of it, and to how many."""

    relation: str
    done: Literal["deleted", "minimised"]
    rows: int

    def as_json(self) -> dict[str, Any]:
        return {"relation": self.relation, self.done: self.rows}


def refuse_changed(conn: Connection, lineage: Lineage) -> None:
    """Raise Refused where a relation downstream is not what it was when it was traced."""
    if signature(conn, lineage.watched) != lineage.signature:
        raise Refused(
            "tables downstream were built anew or altered since the purge began: run it again"
        )


def delete_downstream(
    conn: Connection, copies: Sequence[Downstream], purged: Sequence[TableDeclaration]
) -> list[CopyEvidence]:
    """Remove what the copies hold of the records in pg_temp.purge_record, all versions of it.

    Comes after the landing rows and the project's own relations went: a row about an entity, a person
    or an assignment goes once no record of it is left.
    """
    tables = {table.qualified: table for table in purged}
    evidence = []
    for copy in copies:
        matches = [match for match in copy.matches if match.table is None or match.table in tables]
        if not matches:
            continue
        types = column_types(conn, (copy.schema, copy.name))
        deleted = 0
        for match in matches:
            condition = _condition(match, tables.get(match.table or ""), types)
            done = conn.execute(
                sql.SQL(
                    "delete from {} as copy using pg_temp.purge_record as record where {}"
                ).format(copy.identifier, condition)
            )
            deleted += done.rowcount
        evidence.append(CopyEvidence(copy.qualified, "deleted", deleted))
    return evidence


def minimise_downstream(
    conn: Connection, copies: Sequence[Downstream], minimised: Sequence[TableDeclaration]
) -> list[CopyEvidence]:
    """Make null what the copies hold of the minimised columns of the records in pg_temp.minimise_record,
    in every version of the row."""
    tables = {table.qualified: table for table in minimised}
    evidence = []
    for copy in copies:
        matches = [match for match in copy.matches if match.nullable and match.table in tables]
        if not matches:
            continue
        types = column_types(conn, (copy.schema, copy.name))
        emptied = 0
        for match in matches:
            condition = _condition(match, tables[match.table or ""], types)
            for group, columns in ((GROUP, match.emptied), (CONSENT_GROUP, match.withdrawn)):
                if columns:
                    emptied += _make_null(conn, copy, group, columns, condition)
        evidence.append(CopyEvidence(copy.qualified, "minimised", emptied))
    return evidence


def _make_null(
    conn: Connection,
    copy: Downstream,
    group: str,
    columns: Sequence[str],
    condition: sql.Composable,
) -> int:
    names = [sql.Identifier(column) for column in columns]
    return conn.execute(
        sql.SQL(
            "update {} as copy set {} from pg_temp.minimise_record as record"
            " where record.column_group = {} and {} and num_nonnulls({}) > 0"
        ).format(
            copy.identifier,
            sql.SQL(", ").join(sql.SQL("{} = null").format(name) for name in names),
            sql.Literal(group),
            condition,
            sql.SQL(", ").join(sql.SQL("copy.{}").format(name) for name in names),
        )
    ).rowcount


def _condition(
    match: Match, table: TableDeclaration | None, types: Mapping[str, str]
) -> sql.Composable:
    parts = [is_of_record(match, table, types)]
    if match.kind == "person":
        parts.append(_person_is_gone(match))
    is_whole_key = table is not None and {key for key, _ in match.columns} == set(table.key)
    if table is not None and match.kind == "entity" and not is_whole_key:
        parts.append(_entity_is_gone(table, match))
    return sql.SQL(" and ").join(parts)


def is_of_record(
    match: Match, table: TableDeclaration | None, types: Mapping[str, str]
) -> sql.Composable:
    """The condition that a row `copy` shows something of `record`, or of its entity or person. `types` are
    those of the copy's columns; `table` is the match's, None where it speaks of any."""
    parts: list[sql.Composable]
    if match.kind == "person":
        parts = [
            sql.SQL("copy.{}::text = record.{}").format(sql.Identifier(own), sql.Identifier(name))
            for name, own in match.columns
        ]
    elif match.kind == "record":
        parts = [
            sql.SQL("copy.{} = record.{}").format(sql.Identifier(own), sql.Identifier(name))
            for name, own in match.columns
        ]
    else:
        assert table is not None, "a match by key names its table"
        parts = [_same(table, key, own, types[own]) for key, own in match.columns]
    if table is not None:
        parts.append(_of_table(table))
    return sql.SQL(" and ").join([*parts, match.in_branch])


def _of_table(table: TableDeclaration) -> sql.Composable:
    return sql.SQL("record.source_schema = {} and record.source_table = {}").format(
        sql.Literal(table.schema_), sql.Literal(table.name)
    )


def _same(table: TableDeclaration, key: str, own: str, kind: str) -> sql.Composable:
    """The copy's column holds the record's key: the text, cast to the column's type, so that an index
    on it serves."""
    column = sql.Identifier(own)
    if table.key_is_personal:
        return sql.SQL("sletteplikt.link_hash('key', copy.{}::text) = record.record_key").format(
            column
        )
    if len(table.key) == 1:
        return sql.SQL("copy.{} = record.record_key::{}").format(column, sql.SQL(kind))
    return sql.SQL("copy.{} = (record.record_key::jsonb ->> {})::{}").format(
        column, sql.Literal(table.key.index(key)), sql.SQL(kind)
    )


def _entity_is_gone(table: TableDeclaration, match: Match) -> sql.Composable:
    same = sql.SQL(" and ").join(
        sql.SQL("landed.{}::text = copy.{}::text").format(sql.Identifier(key), sql.Identifier(own))
        for key, own in match.columns
    )
    return sql.SQL("not exists (select from {} as landed where {})").format(
        sql.Identifier(table.schema_, table.name), same
    )


def _person_is_gone(match: Match) -> sql.Composable:
    ((name, _),) = match.columns
    return sql.SQL(
        "not exists (select from intermediate.int_record_cases as cases"
        " where cases.{name}::text = record.{name})"
    ).format(name=sql.Identifier(name))
