"""Databases and schemas that outlived their purpose: those of replays, and of a control run that
was killed.

Belongs here: dropping what our own roles made, and saying why something stays. Does not belong
here: what a replay or a control run is.

Nothing is dropped with what depends on it: a view that somebody built on a replay keeps it, and is
named.
"""

from datetime import date
from typing import Any

import psycopg
from psycopg import errors, sql

from retention.housekeeping.rules import Rule, Swept
from retention.settings import Settings
from retention.warehouse.roles import CLASSIFIER

Connection = psycopg.Connection[Any]

_PATIENCE = "10s"

# What depends on others goes first.
_KINDS = (
    ("m", "materialized view"),
    ("v", "view"),
    ("r", "table"),
    ("p", "table"),
    ("S", "sequence"),
)


def drop_replays(conn: Connection, rule: Rule, today: date) -> Swept:
    """Drop the schemas of replays that were last built before the rule's day.

    `conn` acts as the classifier, whose they are; everything is committed when it returns.
    """
    conn.execute("select ledger.note_replays_seen()")
    due = due_replays(conn, rule, today)
    conn.commit()
    stayed = [reason for suffix, schemas in due.items() if (reason := _drop(conn, suffix, schemas))]
    conn.execute("select ledger.note_replays_seen()")
    conn.commit()
    return Swept(rule.kind, rule.kept, len(due), len(due) - len(stayed), tuple(stayed))


def due_replays(conn: Connection, rule: Rule, today: date) -> dict[str, list[str]]:
    """The schemas of each replay that was last built before the rule's day, by its suffix."""
    rows = conn.execute(
        "select suffix from ledger.replays where made_at < %s order by suffix",
        (rule.before(today),),
    ).fetchall()
    found = {suffix: _schemas(conn, suffix) for (suffix,) in rows}
    return {suffix: schemas for suffix, schemas in found.items() if schemas}


def drop_replay(conn: Connection, suffix: str) -> str | None:
    """Drop the schemas of one replay whole, or leave them whole and return why. `conn` as above."""
    return _drop(conn, suffix, schemas) if (schemas := _schemas(conn, suffix)) else None


def drop_controls(settings: Settings, *, remove: bool) -> Swept:
    """Drop the controls' database where the run that made it was killed."""
    # The status reads this package too, and waits for everything that is imported above.
    from retention.controls.run import drop_left_over

    kept = "until the run of the control persons ends"
    try:
        left_over = drop_left_over(settings, remove=remove)
    except errors.InsufficientPrivilege:
        return Swept("control_databases", kept, 1, 0, ("the login that made it must drop it",))
    return Swept("control_databases", kept, int(left_over), int(left_over and remove))


def _schemas(conn: Connection, suffix: str) -> list[str]:
    """The schemas of one replay: of its suffix, and made by the classifier, as dbt does."""
    rows = conn.execute(
        "select nspname from pg_catalog.pg_namespace where nspname like '%%' || %s"
        " and nspowner = %s::regrole order by nspname",
        (suffix.replace("_", r"\_"), CLASSIFIER),
    ).fetchall()
    return [name for (name,) in rows]


def _drop(conn: Connection, suffix: str, schemas: list[str]) -> str | None:
    """Drop a replay whole, or leave it whole and return why."""
    try:
        with conn.transaction():
            conn.execute("select set_config('lock_timeout', %s, true)", (_PATIENCE,))
            if others := _of_others(conn, schemas):
                return f"replay {suffix}: {others} belongs to somebody else"
            _drop_relations(conn, schemas)
            conn.execute(
                sql.SQL("drop schema {}").format(sql.SQL(", ").join(map(sql.Identifier, schemas)))
            )
    except errors.DependentObjectsStillExist:
        return f"replay {suffix}: something that is not of it depends on it or lies in it"
    except errors.LockNotAvailable:
        return f"replay {suffix}: somebody is reading it"
    return None


def _of_others(conn: Connection, schemas: list[str]) -> str | None:
    row = conn.execute(
        "select n.nspname || '.' || c.relname from pg_catalog.pg_class as c"
        " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = any(%s) and c.relowner <> %s::regrole order by 1 limit 1",
        (schemas, CLASSIFIER),
    ).fetchone()
    return str(row[0]) if row else None


def _drop_relations(conn: Connection, schemas: list[str]) -> None:
    for kind, word in _KINDS:
        rows = conn.execute(
            "select n.nspname, c.relname from pg_catalog.pg_class as c"
            " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
            " where n.nspname = any(%s) and c.relkind = %s",
            (schemas, kind),
        ).fetchall()
        if rows:
            named = sql.SQL(", ").join(sql.Identifier(*row) for row in rows)
            conn.execute(sql.SQL("drop {} if exists {}").format(sql.SQL(word), named))
