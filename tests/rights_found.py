"""What is found of records, by queries over the whole warehouse.

Belongs here: reading the last classification, the decisions and landing. Does not belong here: any step
that changes something (`rights_office`), and what should be found.
"""

import dataclasses
from collections import Counter
from datetime import date
from typing import Any

import psycopg

from landing.sample.scene import Ref
from landing.sample.stories import TABLES_WITH_PERSONAL_KEYS
from tests.oracle.facts import read_landing
from tests.oracle.tables import TABLES


@dataclasses.dataclass(frozen=True)
class Found:
    """What the classification says of a record."""

    status: str
    rule_id: str
    due_on: date | None


@dataclasses.dataclass
class Looking:
    """`conn` is a connection of a login that may read everything."""

    conn: psycopg.Connection[Any]

    def found(self) -> dict[Ref, Found]:
        """Every record of the last classification."""
        return {
            (f"{schema}.{table}", key): Found(*rest)
            for schema, table, key, *rest in self.rows(
                # Of a locked record `retention.records` tells the status and nothing else.
                "select source_schema, source_table, record_key, status, rule_id, due_on"
                " from intermediate.int_records_decided"
            )
        }

    def decisions(self) -> dict[Ref, str]:
        """The latest decision on each record that is not forgotten."""
        return {
            (f"{schema}.{table}", key): outcome
            for schema, table, key, outcome in self.rows(
                "select source_schema, source_table, record_key, outcome from ledger.erasure_decisions"
                " where record_key is not null order by decided_at"
            )
        }

    def lying(self) -> set[Ref]:
        """Every row that lies in landing."""
        landing = read_landing(self.conn)
        self.conn.commit()
        return {(t.name, row.record_key) for t in TABLES for row in landing.rows[t.name]}

    def texts(self) -> Counter[str]:
        """Every landing row as text, with its table."""
        return Counter(
            f"{table.name} {row}"
            for table in TABLES
            for (row,) in self.rows(f"select landed::text from {table.name} as landed")
        )

    def shown(self, ref: Ref) -> Ref:
        """The record as `retention.records` names it: hashed where its key is itself personal."""
        table, key = ref
        if table not in TABLES_WITH_PERSONAL_KEYS:
            return ref
        ((hashed,),) = self.rows("select sletteplikt.link_hash('key', %s)", key)
        return table, hashed

    def rows(self, query: str, *values: object, **named: object) -> list[tuple[Any, ...]]:
        """As the job's login; committed."""
        found = self.conn.execute(query.encode(), named or values or None).fetchall()
        self.conn.commit()
        return found
