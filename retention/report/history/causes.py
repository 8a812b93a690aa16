"""Why a report made again may differ: what the ledger, landing and the files say has happened since.

Belongs here: asking for the evidence, in counts. Does not belong here: which difference has which cause
(`attribution`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from retention.language import N_

Connection = psycopg.Connection[Any]

# What the page and the command say of each cause, in the order in which a difference is put down to them.
WORDS: Mapping[str, str] = {
    "purged": N_("records purged since"),
    "minimised": N_("records minimised since: columns that nothing required became null"),
    "loaded": N_("rows that the source added or changed since (also marked as deleted)"),
    "blockers": N_(
        "holds, restrictions or locks entered since for that day, or released later on it"
    ),
    "reviews": N_("decisions on records under review, later on the same day"),
    "erasures": N_("decisions on erasure, later on the same day"),
    "requests": N_("requests of persons registered, decided or closed since"),
    "restarts": N_("claims acknowledged since, with effect from that day or before"),
    "returns": N_("purged rows found to have landed again, later on the same day"),
    "related": N_("rows that the source added or changed since, of the same person or assignment"),
    "set_aside": N_("the table was set aside, or is, because it drifted from its declaration"),
    "table_added": N_("the table is governed and there now, and was not then"),
    "table_gone": N_("the table was governed and there then, and is not now"),
    "catalogue": N_("tables or columns that appeared, vanished or were first found since"),
    "policy": N_("the policy file of that day reads otherwise now"),
    "code": N_("declarations, models or macros were changed since"),
    "entries": N_("evidence written after the report was kept"),
    "forgotten": N_(
        "tombstones that housekeeping has forgotten, because no record of theirs can return"
    ),
    "unstamped": N_(
        "cannot be told: the table does not say when its rows were loaded, or has no key"
    ),
}

#: How many rows were first found since, by what was found; not evidence of their own kind in the ledger.
CHECKPOINT, SUPPRESSION = "checkpoint", "suppression"


@dataclass(frozen=True)
class Report:
    """A report as it is kept. `figures` is None where its counts were forgotten; `is_as_evidenced` says
    whether what is kept is what the ledger's entry says, None where there is no such entry."""

    report_id: int
    classification_id: int
    as_of: date
    document_sha256: str
    content_sha256: str
    parts: Mapping[str, Any]
    figures: Mapping[str, Any] | None
    landing: list[Mapping[str, Any]]
    kept_by: str
    kept_at: datetime
    classified_at: datetime
    policy_hash: str
    code_hash: str
    is_as_evidenced: bool | None


@dataclass(frozen=True)
class Touched:
    """How many records of the report made again something has touched since, by where they stand now."""

    cause: str
    table: str
    category: str | None
    status: str
    records: int


@dataclass(frozen=True)
class Causes:
    """The evidence of everything that may have changed a figure since the report was kept."""

    touched: tuple[Touched, ...]
    purged: Mapping[str, int]
    minimised: Mapping[str, int]
    unstamped: frozenset[str]
    tables: Mapping[str, str]
    whole: tuple[str, ...]
    catalogue: int
    entries: Mapping[str, int]
    of_plans: Mapping[str, int]
    forgotten: bool


def find_report(conn: Connection, as_of: date) -> Report | None:
    """The last report of that day that was kept."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "select kept.report_id, kept.classification_id, kept.as_of, kept.document_sha256,"
            " kept.content_sha256, kept.parts, kept.figures, kept.landing, kept.kept_by, kept.kept_at,"
            " runs.started_at as classified_at, runs.policy_hash, runs.code_hash,"
            " ledger.is_as_kept(kept.report_id) as is_as_evidenced"
            " from ledger.reports_kept as kept join ledger.classifications as runs"
            " using (classification_id)"
            " where kept.as_of = %s order by kept.report_id desc limit 1",
            (as_of,),
        ).fetchone()
    return Report(**row) if row else None


def gather_causes(
    conn: Connection,
    kept: Report,
    suffix: str,
    *,
    unstamped: frozenset[str],
    tables: Mapping[str, str],
    whole: tuple[str, ...],
) -> Causes:
    """Ask for what has happened since `kept`; `suffix` names the classification made again."""
    return Causes(
        touched=touched_since(conn, kept, suffix),
        purged=purged_since(conn, kept),
        minimised=minimised_since(conn, kept),
        unstamped=unstamped,
        tables=tables,
        whole=whole,
        catalogue=catalogue_since(conn, kept),
        entries=entries_since(conn, kept),
        of_plans=entries_of_plans_since(conn, kept),
        forgotten=tombstones_forgotten_since(conn, kept),
    )


def touched_since(conn: Connection, kept: Report, suffix: str) -> tuple[Touched, ...]:
    """Records whose rows, cases, blockers or decisions changed since; of each the first cause only."""
    rows = conn.execute(
        "select cause, source_schema || '.' || source_table, category, status, records"
        " from ledger.records_touched_since(%s, %s) order by 1, 2, 3, 4",
        (kept.report_id, suffix),
    ).fetchall()
    return tuple(Touched(*row) for row in rows)


def purged_since(conn: Connection, kept: Report) -> Counter[str]:
    """Records purged since they were classified for the report, by table; purged twice is one."""
    return _counter(
        conn,
        "select source_schema || '.' || source_table, count(distinct token) from ledger.tombstones"
        " where purged_at > %s group by 1",
        kept.classified_at,
    )


def minimised_since(conn: Connection, kept: Report) -> Counter[str]:
    """Records of which columns became null since, by table."""
    return _counter(
        conn,
        "select source_schema || '.' || source_table, count(distinct token)"
        " from ledger.column_tombstones where minimised_at > %s group by 1",
        kept.classified_at,
    )


def entries_since(conn: Connection, kept: Report) -> Counter[str]:
    """Entries written since the report was kept, by kind, up to its day's end or after; and what leaves
    no entry: checkpoints exported, suppressions added."""
    found = _counter(
        conn,
        "select kind, count(*) from ledger.entries where at > %s and not starts_with(kind, 'report')"
        " group by 1",
        kept.kept_at,
    )
    found[CHECKPOINT] = _one(
        conn, "select count(*) from ledger.checkpoints where exported_at > %s", kept.kept_at
    )
    found[SUPPRESSION] = _one(
        conn, "select count(*) from ledger.suppressions where added_at > %s", kept.kept_at
    )
    return found


def entries_of_plans_since(conn: Connection, kept: Report) -> Counter[str]:
    """Entries about each plan written since the report was kept, by the plan's id."""
    return _counter(
        conn,
        "select body::jsonb ->> 'plan_id', count(*) from ledger.entries"
        " where at > %s and body::jsonb ? 'plan_id' group by 1",
        kept.kept_at,
    )


def tombstones_forgotten_since(conn: Connection, kept: Report) -> bool:
    return bool(
        _one(
            conn,
            "select count(*) from ledger.plans where tokens_forgotten_at > %s",
            kept.kept_at,
        )
    )


def catalogue_since(conn: Connection, kept: Report) -> int:
    """Columns first seen after the day or seen no more since, and findings first found after it."""
    return _one(
        conn,
        "select (select count(*) from ledger.landing_columns where first_seen_on > %(day)s"
        " or last_seen_on >= %(day)s and last_seen_on < (select max(last_seen_on) from"
        " ledger.landing_columns)) + (select count(*) from ledger.coverage_findings"
        " where first_found_on > %(day)s)",
        {"day": kept.as_of},
    )


def _counter(conn: Connection, query: Any, since: datetime) -> Counter[str]:
    return Counter(dict(conn.execute(query, (since,)).fetchall()))


def _one(conn: Connection, query: Any, bound: Any) -> int:
    row = conn.execute(query, bound if isinstance(bound, Mapping) else (bound,)).fetchone()
    assert row is not None
    return int(row[0])
