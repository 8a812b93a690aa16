"""What an approver wants to see of a plan before answering: ages, what is new, and some of its records.

Belongs here: counts by age, the difference to the plan before, and a seeded sample. Does not belong here:
the plan itself (`show`), and any value of a record; a key that is personal is shown as its token.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from retention.errors import UsageError
from retention.ledger.failures import safe_errors
from retention.plan.show import ENDED
from retention.settings import Settings
from retention.warehouse.connection import connect

#: The last day of each age band but the last, counted in days overdue on the plan's day: how an approver
#: reads a plan, and no period of the policy.
BANDS = (30, 90, 365)

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class PlanAges:
    """Records of one table under one rule, purged or minimised, by band: names of the bands stand in
    `band_names`."""

    table: str
    rule_id: str
    disposition: str
    bands: dict[str, int]


@dataclass(frozen=True)
class PlanChange:
    """Records of one table under one rule, purged or minimised, in the plan before and in this one, as
    each was frozen."""

    table: str
    rule_id: str
    disposition: str
    before: int
    now: int
    is_new_table: bool


@dataclass(frozen=True)
class SampleItem:
    """One record of the plan, by its key as `retention.records` shows it."""

    table: str
    record_key: str
    rule_id: str
    disposition: str
    anchor_on: date | None
    due_on: date


@dataclass(frozen=True)
class PlanDetails:
    """`previous` is the plan of the same scope before this one, None where there is none."""

    ages: tuple[PlanAges, ...]
    previous: UUID | None
    changes: tuple[PlanChange, ...]
    sample: tuple[SampleItem, ...]


def band_names() -> tuple[str, ...]:
    """The bands in days overdue, youngest first."""
    starts = (0, *(last + 1 for last in BANDS))
    return (
        *(f"{first}–{last}" for first, last in zip(starts, BANDS, strict=False)),
        f"over {BANDS[-1]}",
    )


def details(settings: Settings, plan_id: UUID, *, sample: int = 0, seed: int = 0) -> PlanDetails:
    """What is known of a plan besides its counts; `sample` of its records, the same for one `seed`.

    Raises UsageError where records are asked for and the plan has ended: it holds no keys any more.
    """
    with connect(settings, read_only=True) as conn, safe_errors("reading the plan"):
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        previous = _previous(conn, plan_id)
        return PlanDetails(
            ages=_ages(conn, plan_id),
            previous=previous,
            changes=_changes(conn, previous, plan_id) if previous else (),
            sample=_sample(conn, plan_id, sample, seed) if sample else (),
        )


def _ages(conn: Connection, plan_id: UUID) -> tuple[PlanAges, ...]:
    rows = conn.execute(
        """
        select items.source_schema || '.' || items.source_table, items.rule_id, items.disposition,
            width_bucket(plans.as_of - items.due_on, %(starts)s::integer[]), count(*)
        from ledger.plan_items as items
        join ledger.plans as plans on plans.plan_id = items.plan_id
        where items.plan_id = %(plan)s
        and (items.state <> 'withdrawn' or plans.state = any(%(ended)s))
        group by 1, 2, 3, 4 order by 1, 2, 3, 4
        """,
        {"plan": plan_id, "starts": [last + 1 for last in BANDS], "ended": list(ENDED)},
    ).fetchall()
    names = band_names()
    ages: dict[tuple[str, str, str], dict[str, int]] = {}
    for table, rule, disposition, band, records in rows:
        counted = ages.setdefault((table, rule, disposition), dict.fromkeys(names, 0))
        counted[names[band]] = records
    return tuple(PlanAges(*line, bands) for line, bands in ages.items())


def _previous(conn: Connection, plan_id: UUID) -> UUID | None:
    row = conn.execute(
        """
        select earlier.plan_id from ledger.plans as this
        join ledger.plans as earlier
            on earlier.scope = this.scope and earlier.planned_at < this.planned_at
        where this.plan_id = %s
        order by earlier.planned_at desc limit 1
        """,
        (plan_id,),
    ).fetchone()
    return row[0] if row else None


def _changes(conn: Connection, previous: UUID, plan_id: UUID) -> tuple[PlanChange, ...]:
    before, now = _frozen(conn, previous), _frozen(conn, plan_id)
    tables_before = {table for table, _, _ in before}
    return tuple(
        PlanChange(*line, before[line], now[line], line[0] not in tables_before)
        for line in sorted(before | now)
        if before[line] != now[line]
    )


def _frozen(conn: Connection, plan_id: UUID) -> Counter[tuple[str, str, str]]:
    rows = conn.execute(
        "select source_schema || '.' || source_table, rule_id, disposition, count(*)"
        " from ledger.plan_items where plan_id = %s group by 1, 2, 3",
        (plan_id,),
    ).fetchall()
    return Counter({tuple(line): records for *line, records in rows})


def _sample(conn: Connection, plan_id: UUID, size: int, seed: int) -> tuple[SampleItem, ...]:
    with conn.cursor(row_factory=class_row(SampleItem)) as cursor:
        cursor.execute(
            # Ordered by a hash of seed and token: random, and the same rows for the same seed.
            "select source_schema || '.' || source_table as \"table\", record_key, rule_id, disposition,"
            " anchor_on, due_on from ledger.plan_items where plan_id = %(plan)s and state = 'planned'"
            " order by sha256(convert_to(%(seed)s::text, 'UTF8') || token), item_no limit %(size)s",
            {"plan": plan_id, "seed": str(seed), "size": size},
        )
        found = tuple(cursor)
    if not found:
        raise UsageError(
            "the plan holds no keys any more: a sample is of a plan not carried out yet"
        )
    return found
