"""The level of erasure that a plan has reached, and what that level does not cover.

Belongs here: judging it from the evidence of batches and the runs that rewrote tables. Does not belong
here: the report that shows it, and what lies outside the database (stores, source systems).

Everything is read from what was recorded, so that the same ledger gives the same answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

import psycopg

Connection = psycopg.Connection[Any]
Level = Literal["logical", "physical"]

_STORAGE = "Blocks that files gave back to the file system are not overwritten by the database."


@dataclass(frozen=True)
class Reached:
    """A plan's level. `waiting` are tables that were not rewritten since its last batch, `entries` the
    evidence of the runs that rewrote the others (numbers of ledger entries)."""

    level: Level
    not_covered: tuple[str, ...]
    waiting: tuple[str, ...]
    entries: tuple[int, ...]


def level_reached(conn: Connection, plan_id: UUID) -> Reached:
    """Return the level of a plan: `physical` once every table that it purged from, every copy and our own
    tables that named its records were rewritten after its last batch, with the statistics of them.

    Until a run has begun after that batch, and while one of the tables is left over, it is `logical`. For a
    plan that changed nothing there is nothing to cover.
    """
    row = conn.execute(
        "select max(entry_id), (max(at) at time zone 'Europe/Oslo')::date from ledger.entries"
        " where body::jsonb ? 'plan_id' and body::jsonb ->> 'plan_id' = %s and kind = 'batch'",
        (str(plan_id),),
    ).fetchone()
    assert row is not None
    last_batch, purged_on = row
    changed = _changed(conn, plan_id)
    if not changed:
        return Reached("logical", (), (), ())
    waiting, last_run, entries = _rewritten_since(conn, last_batch, changed)
    backups = _backups(conn, purged_on)
    if waiting or last_run is None:
        named = f": {', '.join(waiting)}" if waiting else ""
        pages = (
            "Disk pages, indexes and statistics may hold values of deleted rows until their tables are"
            f" rewritten{named}."
        )
        log = "Write-ahead log and replicas hold them until they have moved on."
        return Reached("logical", (pages, log, backups, _STORAGE), tuple(waiting), entries)
    return Reached("physical", (*_beyond(conn, last_run), backups, _STORAGE), (), entries)


def _changed(conn: Connection, plan_id: UUID) -> set[str]:
    """The landing tables and copies that the plan's batches say they changed."""
    rows = conn.execute(
        """
        with batches as (
            select body::jsonb as body from ledger.entries
            where body::jsonb ? 'plan_id' and body::jsonb ->> 'plan_id' = %s and kind = 'batch'
        )
        select landed ->> 'table'
        from batches cross join lateral jsonb_array_elements(body -> 'tables') as landed
        where (landed ->> 'purged')::bigint + (landed ->> 'minimised')::bigint > 0
        union
        select copy ->> 'relation'
        from batches cross join lateral jsonb_array_elements(body -> 'copies') as copy
        where coalesce((copy ->> 'deleted')::bigint, 0) + coalesce((copy ->> 'minimised')::bigint, 0) > 0
        """,
        (str(plan_id),),
    ).fetchall()
    return {row[0] for row in rows}


def _rewritten_since(
    conn: Connection, last_batch: int, changed: set[str]
) -> tuple[list[str], int | None, tuple[int, ...]]:
    """What is still to be rewritten, the run that completed it, and the evidence of the runs until then.

    Each run lists what waited when it began, models that name records and our own tables among them; one
    that comes later and lists more does not undo what an earlier one completed."""
    runs = conn.execute(
        "select compaction_id, entry_id from ledger.compactions"
        " where finished_at is not null and covers_entry >= %s order by compaction_id",
        (last_batch,),
    ).fetchall()
    wanted, rewritten = set(changed), set[str]()
    entries: list[int] = []
    for number, entry_id in runs:
        tables = conn.execute(
            "select relation_schema || '.' || relation_name, part, rewritten_at is not null"
            " from ledger.compacted_tables where compaction_id = %s",
            (number,),
        ).fetchall()
        entries.append(entry_id)
        wanted |= {name for name, part, _ in tables if part != "statistics"}
        rewritten |= {name for name, _, done in tables if done}
        # Rewriting a table renews its statistics, which leaves the old ones in the catalogue's file.
        with_statistics = all(done for _, part, done in tables if part == "statistics")
        if with_statistics and not _there(conn, wanted - rewritten):
            return [], number, tuple(entries)
    return _there(conn, wanted - rewritten), None, tuple(entries)


def _there(conn: Connection, names: Iterable[str]) -> list[str]:
    """Those of the tables that are still there: the files of one that was dropped are gone."""
    rows = conn.execute(
        "select namespaces.nspname || '.' || relations.relname from pg_catalog.pg_class as relations"
        " join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace"
        " where namespaces.nspname || '.' || relations.relname = any(%s) order by 1",
        (sorted(names),),
    ).fetchall()
    return [row[0] for row in rows]


def _beyond(conn: Connection, run: int) -> list[str]:
    row = conn.execute(
        "select position::text, archive_mode, ledger.iso_time(oldest_wal_at), unowned_files"
        " from ledger.compactions where compaction_id = %s",
        (run,),
    ).fetchone()
    assert row is not None
    position, archive_mode, oldest, unowned = row
    reaches = f"; its oldest file then was last written at {oldest}" if oldest else ""
    lines = [f"Write-ahead log before {position} holds them until it is removed{reaches}."]
    if archive_mode != "off":
        lines.append("Archived write-ahead log holds them for as long as the archive is kept.")
    lines.append(f"Replicas hold them until they have replayed the log up to {position}.")
    if unowned is None:
        lines.append("Whether a crash of the server left files behind was not looked at.")
    elif unowned:
        lines.append(f"Files that a crash of the server left behind may hold them: {unowned}.")
    return lines


def _backups(conn: Connection, purged_on: date) -> str:
    """Until when a backup from before the purge may be kept, by the policy of the last classification."""
    row = conn.execute(
        """
        select (%(day)s::date + make_interval(
            months => (to_jsonb(settings) ->> 'backup_horizon_months')::integer,
            days => (to_jsonb(settings) ->> 'backup_horizon_days')::integer
        ))::date
        from policy.policy_settings as settings
        """,
        {"day": purged_on},
    ).fetchone()
    until = row[0] if row else None
    # A classification of an earlier version of the project does not say.
    limit = f"until {until}" if until else "until they have rotated"
    return f"Backups from before the purge (last on {purged_on}) hold them {limit}."
