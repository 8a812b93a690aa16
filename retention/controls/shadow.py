"""The database in which the controls run: its landing tables are shaped like the real ones.

Belongs here: making it, dropping it, and never touching a database that is not ours. Does not belong
here: its rows (`rows`), and what is run in it (`run`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import conninfo, sql

from retention.coverage import State, column_state
from retention.declarations import TableDeclaration
from retention.errors import Refused
from retention.warehouse.session import open_session

Connection = psycopg.Connection[Any]

# By name and by comment: nobody's database has both by accident.
CONTROLS_SUFFIX = "_controls"
COMMENT = "sletteplikt controls"


@dataclass(frozen=True)
class Shape:
    """The landing tables as the catalogue has them: column types by `schema.table`, in the order of the
    columns, the comments of their schemas, and those schemas that bear the sample's marker, where example
    approvals count."""

    types: dict[str, dict[str, str]]
    comments: dict[str, str | None]
    marked: frozenset[str]


def read_shape(conn: Connection, tables: Sequence[TableDeclaration]) -> Shape:
    """The shape of those of `tables` that are there, without columns that nobody declared: they would
    keep the control persons, too, from being purged. A type of somebody's own making becomes text: what it
    is made of may be anything."""
    declared = {table.qualified: table for table in tables}
    rows = conn.execute(
        """
        select namespaces.nspname || '.' || relations.relname, attributes.attname,
            case
                when types.typnamespace = 'pg_catalog'::regnamespace
                    then format_type(attributes.atttypid, null)
                else 'text'
            end
        from pg_catalog.pg_class as relations
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        join pg_catalog.pg_attribute as attributes on attributes.attrelid = relations.oid
        join pg_catalog.pg_type as types on types.oid = attributes.atttypid
        where namespaces.nspname || '.' || relations.relname = any(%s)
        and relations.relkind in ('r', 'p') and attributes.attnum > 0 and not attributes.attisdropped
        order by 1, attributes.attnum
        """,
        (list(declared),),
    ).fetchall()
    types: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        if column_state(column, declared[table]) is not State.FINDING:
            types.setdefault(table, {})[column] = kind
    comments = conn.execute(
        "select nspname, obj_description(oid, 'pg_namespace') from pg_catalog.pg_namespace"
        " where nspname = any(%s)",
        ([table.partition(".")[0] for table in types],),
    ).fetchall()
    marked = conn.execute("select unnest(ledger.marked_schemas())").fetchall()
    return Shape(types, dict(comments), frozenset(schema for (schema,) in marked))


@contextmanager
def control_database(conn: Connection, url: str) -> Iterator[str]:
    """Make the controls' database beside the one `url` names, give its URL, and drop it afterwards.

    `conn` is an open connection to the warehouse in autocommit mode. Raises Refused where the login may
    not make a database, and where one of that name is somebody else's.
    """
    name = _name(url)
    _drop(conn, name)
    try:
        conn.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege:
        raise Refused(
            "the controls need a database of their own, and this login may not make one: have an"
            " administrator grant CREATEDB to it"
        ) from None
    conn.execute(
        sql.SQL("comment on database {} is {}").format(sql.Identifier(name), sql.Literal(COMMENT))
    )
    try:
        yield _with_database(url, name)
    finally:
        _drop(conn, name)


def left_over(conn: Connection, url: str, *, drop: bool) -> bool:
    """Tell whether the controls' database is there; drop it on `drop`. Somebody else's of that name is not
    touched. For whoever knows that no run of the controls is going."""
    name = _name(url)
    if _comment(conn, name) != COMMENT:
        return False
    if drop:
        _drop(conn, name)
    return True


def build_landing(url: str, shape: Shape) -> None:
    """Make the empty landing tables in the controls' database."""
    with open_session(url) as conn:
        for schema, comment in sorted(shape.comments.items()):
            conn.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
            conn.execute(
                sql.SQL("comment on schema {} is {}").format(
                    sql.Identifier(schema), sql.Literal(comment)
                )
            )
        for table, columns in shape.types.items():
            conn.execute(
                sql.SQL("create table {} ({})").format(
                    sql.Identifier(*table.split(".", 1)),
                    sql.SQL(", ").join(
                        sql.SQL("{} {}").format(sql.Identifier(column), _type(kind))
                        for column, kind in columns.items()
                    ),
                )
            )


def land(conn: Connection, shape: Shape, table: str, values: dict[str, str]) -> None:
    """Insert one row; every value is a text that is cast to its column's type."""
    columns = shape.types[table]
    conn.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(*table.split(".", 1)),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(
                sql.SQL("%s::text::{}").format(_type(columns[column])) for column in values
            ),
        ),
        list(values.values()),
    )


def _type(kind: str) -> sql.SQL:
    # As the catalogue itself writes a type of PostgreSQL's own; `format_type` quotes what needs it.
    return sql.SQL(kind)


def _name(url: str) -> str:
    return f"{conninfo.conninfo_to_dict(url)['dbname']}{CONTROLS_SUFFIX}"


def _comment(conn: Connection, name: str) -> str | None:
    """The comment of a database; empty where it has none, None where there is no such database."""
    row = conn.execute(
        "select coalesce(shobj_description(oid, 'pg_database'), '') from pg_catalog.pg_database"
        " where datname = %s",
        (name,),
    ).fetchone()
    return row[0] if row else None


def _drop(conn: Connection, name: str) -> None:
    comment = _comment(conn, name)
    if comment is None:
        return
    if comment != COMMENT:
        raise Refused(
            f"there is a database {name} that is not ours: rename it, the controls need the name"
        )
    conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _with_database(url: str, name: str) -> str:
    scheme, rest = url.split("://", 1)
    authority, slash, path = rest.partition("/")
    query = path.partition("?")[2]
    return f"{scheme}://{authority}{slash or '/'}{name}" + (f"?{query}" if query else "")
