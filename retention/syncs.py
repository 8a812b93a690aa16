"""Syncs that began and have not ended, as Fivetran's own log tells (requirements § 7).

Belongs here: reading `fivetran_log`, whatever its age and the types it landed with. Does not belong
here: what follows from it; the log lags, so that it advises and never guards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]

SCHEMA = "fivetran_log"


@dataclass(frozen=True)
class Sync:
    """A connector whose last `sync_start` has no `sync_end`. `is_stale`: it began longer ago than the
    policy's timeout, so that more likely its end was lost than that it goes on."""

    connector: str
    since: str
    is_stale: bool

    def lands_in(self, schema: str) -> bool:
        """True where the connector fills that schema. A connector is called after its schema, with a
        table behind a dot or a prefix of several schemas, as its kind may be."""
        name = self.connector.partition(".")[0]
        return schema == name or schema.startswith(f"{name}_")


def not_ended(conn: Connection, timeout_hours: int) -> list[Sync]:
    """Every sync that has not ended, longest first; none without the log, or where it lacks columns.

    A connection that was deleted syncs no more. One that the log knows and the list of connections does
    not is named by its id.
    """
    columns = _columns(conn)
    log = columns.get("log", frozenset())
    id_in_log = _first(log, "connection_id", "connector_id")
    if id_in_log is None or not {"time_stamp", "message_event"} <= log:
        return []
    rows = conn.execute(
        sql.SQL(
            """
            with last as (
                select {id} as id,
                    max(sletteplikt.utc_time(time_stamp)) filter (where message_event = 'sync_start')
                        as started,
                    max(sletteplikt.utc_time(time_stamp)) filter (where message_event = 'sync_end')
                        as ended
                from {schema}.log where message_event in ('sync_start', 'sync_end') group by 1
            ),
            named as ({named})
            select coalesce(named.name, last.id), to_char(last.started, 'YYYY-MM-DD"T"HH24:MI"Z"'),
                last.started < (now() at time zone 'UTC') - make_interval(hours => %s)
            from last left join named on named.id = last.id
            where last.started is not null and (last.ended is null or last.ended < last.started)
            and not coalesce(named.is_deleted, false)
            order by last.started, 1
            """
        ).format(
            id=sql.Identifier(id_in_log), schema=sql.Identifier(SCHEMA), named=_named(columns)
        ),
        (timeout_hours,),
    ).fetchall()
    return [Sync(*row) for row in rows]


def _named(columns: Mapping[str, frozenset[str]]) -> sql.Composable:
    """The connections by id; an id may stand several times, deleted in one destination and not in
    another."""
    for table in ("connection", "connector"):
        there = columns.get(table, frozenset())
        if {f"{table}_id", f"{table}_name"} <= there:
            deleted = "_fivetran_deleted::text in ('true', 't')"
            return sql.SQL(
                "select {id} as id, min({name}) as name, bool_and({deleted}) as is_deleted"
                " from {table} group by 1"
            ).format(
                id=sql.Identifier(f"{table}_id"),
                name=sql.Identifier(f"{table}_name"),
                deleted=sql.SQL(deleted if "_fivetran_deleted" in there else "false"),
                table=sql.Identifier(SCHEMA, table),
            )
    return sql.SQL("select null::text as id, null::text as name, false as is_deleted where false")


def _first(columns: frozenset[str], *names: str) -> str | None:
    return next((name for name in names if name in columns), None)


def _columns(conn: Connection) -> dict[str, frozenset[str]]:
    rows = conn.execute(
        "select table_name, array_agg(column_name::text) from information_schema.columns"
        " where table_schema = %s and table_name in ('log', 'connection', 'connector')"
        " group by table_name",
        (SCHEMA,),
    ).fetchall()
    return {table: frozenset(names) for table, names in rows}
