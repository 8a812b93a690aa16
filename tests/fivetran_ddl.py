"""What Fivetran does to a destination's tables between two of our runs, as the SQL it runs.

Belongs here: its statements, made for any table; from Fivetran's published guide to schema migrations and
sync modes, in PostgreSQL's words. Does not belong here: what must come of them (the tests of drift).

Each function returns the statements of one transaction.
"""

from collections.abc import Sequence

Statements = list[str]

# What history mode writes for a row that has no later version.
FOR_EVER = "9999-12-31 23:59:59+00"


def add_column(table: str, column: str, kind: str = "text") -> Statements:
    return [f"alter table {table} add column {column} {kind}"]


def drop_column(table: str, column: str, *, cascade: bool = False) -> Statements:
    return [f"alter table {table} drop column {column}{' cascade' if cascade else ''}"]


def rename_column(table: str, column: str, to: str) -> Statements:
    return [f"alter table {table} rename column {column} to {to}"]


def copy_column(table: str, column: str, to: str, kind: str) -> Statements:
    """A rename where the destination renames nothing in place: add, fill, drop."""
    return [
        f"alter table {table} add column {to} {kind}",
        f"update {table} set {to} = {column}",
        f"alter table {table} drop column {column}",
    ]


def change_type(table: str, column: str, kind: str, *, using: str | None = None) -> Statements:
    value = using or f"{column}::{kind}"
    return [f"alter table {table} alter column {column} type {kind} using {value}"]


def promote(table: str, column: str, kind: str) -> Statements:
    """A change of type by way of a new column, which ends up under the old one's name."""
    return [
        f"alter table {table} add column {column}__tmp {kind}",
        f"update {table} set {column}__tmp = {column}::{kind}",
        f"alter table {table} drop column {column} cascade",
        f"alter table {table} rename column {column}__tmp to {column}",
    ]


def rename_table(table: str, to: str) -> Statements:
    return [f"alter table {table} rename to {to}"]


def drop_table(table: str, *, cascade: bool = False) -> Statements:
    return [f"drop table {table}{' cascade' if cascade else ''}"]


def drop_and_reload(table: str, source: str, key: Sequence[str], *, cascade: bool) -> Statements:
    """`source` holds what the connector would load: all the source system still has."""
    return [
        *drop_table(table, cascade=cascade),
        f"create table {table} (like {source})",
        f"alter table {table} add primary key ({', '.join(key)})",
        f"insert into {table} select * from {source}",
    ]


def truncate_and_reload(table: str, source: str) -> Statements:
    return [f"truncate table {table}", f"insert into {table} select * from {source}"]


def swap(table: str, source: str, key: Sequence[str]) -> Statements:
    """A new table, loaded beside the old one, takes its name."""
    name = table.split(".")[1]
    return [
        f"create table {table}__new (like {source})",
        f"insert into {table}__new select * from {source}",
        f"alter table {table}__new add primary key ({', '.join(key)})",
        f"alter table {table} rename to {name}__old",
        f"alter table {table}__new rename to {name}",
        f"drop table {table}__old",
    ]


def drop_schema(schema: str) -> Statements:
    """How Fivetran tells its users to have all tables of a connection made anew."""
    return [f"drop schema {schema} cascade"]


def rename_schema(schema: str, to: str) -> Statements:
    return [f"alter schema {schema} rename to {to}"]


def to_history_mode(table: str, key: Sequence[str]) -> Statements:
    """Soft-delete mode to history mode: every row becomes the only version of itself."""
    name = table.split(".")[1]
    return [
        f"alter table {table} add column _fivetran_start timestamptz,"
        " add column _fivetran_end timestamptz, add column _fivetran_active boolean default true",
        f"update {table} set _fivetran_active = true,"
        f" _fivetran_start = (select max(_fivetran_synced) from {table}), _fivetran_end = '{FOR_EVER}'",
        f"alter table {table} drop constraint if exists {name}_pkey",
        f"alter table {table} add constraint {name}_pkey"
        f" primary key ({', '.join([*key, '_fivetran_start'])})",
    ]


def new_version(table: str, columns: Sequence[str], where: str) -> Statements:
    """In history mode, a change of a row: its last version ends, another one begins."""
    listed = ", ".join(columns)
    return [
        f"update {table} set _fivetran_active = false, _fivetran_end = now() where {where}",
        f"insert into {table} ({listed}, _fivetran_synced, _fivetran_start, _fivetran_end,"
        f" _fivetran_active) select {listed}, now(), now(), '{FOR_EVER}', true from {table}"
        f" where {where}",
    ]


def to_live_mode(table: str, key: Sequence[str]) -> Statements:
    """History mode to live mode: old versions go, and what told versions apart."""
    name = table.split(".")[1]
    return [
        f"alter table {table} drop constraint if exists {name}_pkey",
        f"delete from {table} where not _fivetran_active",
        f"alter table {table} drop column _fivetran_start, drop column _fivetran_end,"
        " drop column _fivetran_active",
        f"alter table {table} add constraint {name}_pkey primary key ({', '.join(key)})",
    ]
