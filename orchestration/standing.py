"""How the records stand, all of them and table by table: what Dagster shows and draws over time.

Belongs here: counting them in one statement, and the figures and events that show it. Does not belong here:
what a status is (the models), and who asks (`assets`).

Each figure is a number under a name that never changes, which is what Dagster draws. A landing table is
loaded by others, so that no run of ours makes it: an event says that it was read, and how it stood then.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from dagster import AssetKey, AssetMaterialization, AssetObservation
from dagster._core.definitions.metadata.metadata_set import TableMetadataSet
from psycopg import sql

from orchestration.metadata import Metadata, table
from orchestration.translator import landing_key
from retention.classified import STATUSES, Classification, find_classification
from retention.declarations import TableDeclaration
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER

# How far ahead an operator looks; no retention period.
_AHEAD_DAYS = (7, 30, 90)

_PURGED: LiteralString = (
    "select source_schema || '.' || source_table, count(*) from ledger.tombstones group by 1"
)
_MINIMISED: LiteralString = (
    "select source_schema || '.' || source_table, count(*) from ledger.column_tombstones group by 1"
)

Connection = psycopg.Connection[Any]
TableEvent = AssetMaterialization | AssetObservation


@dataclass(frozen=True)
class _Group:
    """Records of one table, category and status. Those whose day is still to come: how many fall due
    within each of `_AHEAD_DAYS`, and when the first does."""

    table: str
    category: str | None
    status: str
    records: int
    oldest_due_on: date | None
    ahead: Sequence[int]
    next_due_on: date | None


@dataclass(frozen=True)
class Standing:
    """The records of one classification, and what was purged of each table so far."""

    classification: Classification
    groups: tuple[_Group, ...]
    purged: Mapping[str, int]
    minimised: Mapping[str, int]
    resurrections: Mapping[str, int]

    def whole(self) -> Metadata:
        """The figures of the whole population, and a table of it by category and status."""
        counted: Counter[tuple[str, str]] = Counter()
        for group in self.groups:
            counted[group.category or "(locked)", group.status] += group.records
        return {
            "policy_version": self.classification.policy_version,
            **self._figures(self.groups, None),
            "by_category_and_status": table(
                ("category", "status", "records"),
                [(*key, number) for key, number in sorted(counted.items())],
            ),
        }

    def of(self, name: str) -> Metadata:
        """The same figures of one table."""
        return self._figures([group for group in self.groups if group.table == name], name)

    def _figures(self, groups: Iterable[_Group], name: str | None) -> Metadata:
        groups = list(groups)
        as_of = self.classification.as_of
        by_status = dict.fromkeys(STATUSES, 0)
        for group in groups:
            by_status[group.status] += group.records
        overdue = [one.oldest_due_on for one in groups if one.status == "overdue"]
        oldest = min((day for day in overdue if day), default=None)
        coming = min((one.next_due_on for one in groups if one.next_due_on), default=None)
        return {
            "as_of": as_of.isoformat(),
            "records": sum(by_status.values()),
            **by_status,
            # Counted from the last day on which it might have been kept.
            "oldest_overdue_days": (as_of - oldest).days + 1 if oldest else 0,
            **{
                f"due_within_{days}_days": sum(one.ahead[number] for one in groups)
                for number, days in enumerate(_AHEAD_DAYS)
            },
            "next_due_on": coming.isoformat() if coming else "none",
            "purged": _of(self.purged, name),
            "minimised": _of(self.minimised, name),
            "resurrections": _of(self.resurrections, name),
        }


def read_standing(settings: Settings, as_of: date | None = None) -> Standing:
    """How the records stand, in force or as of a day. Raises UsageError where that was not classified."""
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("counting the records"),
    ):
        classification = find_classification(conn, as_of)
        came_back = classification.query(
            "select source_schema || '.' || source_table, count(*) from {int_returns_judged}"
            " where verdict = 'resurrection' group by 1"
        )
        return Standing(
            classification=classification,
            groups=tuple(_groups(conn, classification)),
            purged=dict(conn.execute(_PURGED).fetchall()),
            minimised=dict(conn.execute(_MINIMISED).fetchall()),
            resurrections=dict(conn.execute(came_back).fetchall()),
        )


def set_aside(settings: Settings, as_of: date) -> frozenset[str]:
    """The governed tables that a whole classification left out: not there, or not as declared."""
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("looking for tables that were set aside"),
    ):
        checks = find_classification(conn, as_of).relation("population_checks")
        rows = conn.execute(
            sql.SQL(
                "select source_schema || '.' || source_table from {} where is_set_aside"
            ).format(checks)
        ).fetchall()
        return frozenset(name for (name,) in rows)


def purged_by(settings: Settings, plans: Sequence[UUID]) -> dict[tuple[str, str], int]:
    """Rows that plans purged, or left with columns made null, by table and by which of the two."""
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("counting what was purged"),
    ):
        rows = conn.execute(
            "select source_schema || '.' || source_table, what, count(*) from ("
            "    select source_schema, source_table, plan_id, 'purged' as what from ledger.tombstones"
            "    union all"
            "    select source_schema, source_table, plan_id, 'minimised' from ledger.column_tombstones"
            ") as gone where plan_id = any(%s) group by 1, 2",
            (list(plans),),
        ).fetchall()
        return {(name, what): number for name, what, number in rows}


def tables_read(standing: Standing, tables: Iterable[TableDeclaration]) -> Iterator[TableEvent]:
    """That landing tables were read, and how they and the models on them stand."""
    for one in tables:
        figures = standing.of(one.qualified)
        rows = TableMetadataSet(row_count=figures["records"])
        yield AssetMaterialization(landing_key(one), metadata={**figures, **rows})
        # dbt's own event says that the model was built, before it was known how its records stand.
        yield AssetObservation(AssetKey(["staging", one.staging_model]), metadata=figures)


def _groups(conn: Connection, classification: Classification) -> Iterator[_Group]:
    rows = conn.execute(
        classification.query(
            "with records as ("
            # Not from {summary}: it is built from the records, and may be an older one still.
            "    select source_schema || '.' || source_table as table_name, category, status, due_on,"
            "        due_on - %(as_of)s::date as days, status in ('due_soon', 'retained') as is_coming"
            "    from {records}"
            ")"
            " select table_name, category, status, count(*), min(due_on),"
            "    array["
            "        count(*) filter (where is_coming and days between 1 and (%(ahead)s::int[])[1]),"
            "        count(*) filter (where is_coming and days between 1 and (%(ahead)s::int[])[2]),"
            "        count(*) filter (where is_coming and days between 1 and (%(ahead)s::int[])[3])"
            "    ],"
            "    min(due_on) filter (where is_coming and days > 0)"
            " from records group by 1, 2, 3"
        ),
        {"as_of": classification.as_of, "ahead": list(_AHEAD_DAYS)},
    ).fetchall()
    return (_Group(*row) for row in rows)


def _of(counts: Mapping[str, int], name: str | None) -> int:
    return sum(counts.values()) if name is None else counts.get(name, 0)
