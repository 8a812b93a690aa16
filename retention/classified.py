"""Which classification stands in the warehouse, and where its relations are.

Belongs here: finding the schemas of a day's classification and what it was made from. Does not
belong here: making one (classify.py) and reading its records, which each command does for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from retention.errors import UsageError

# The precedence of requirements § 2, and the order in which statuses are shown.
STATUSES = ("held", "restricted", "locked", "review", "overdue", "due_soon", "retained", "active")

# The order in which categories are shown: a person's way through the policy, then the rest.
CATEGORIES = (
    "lead_partner",
    "lead_direct",
    "customer_no_advice",
    "assignment",
    "accounting",
    "active",
    "supporting",
    "business_contact",
    "rights_request",
    "own",
    "unclassified",
)


@dataclass(frozen=True)
class Classification:
    """One finished classification: its day, the policy it applied, its schemas' suffix."""

    as_of: date
    policy_version: str
    policy_hash: str
    due_soon_days: int
    grace_days: int
    review_by_days: int
    suffix: str

    def relation(self, name: str, schema: str = "retention") -> sql.Identifier:
        """`name` in this classification's version of `schema`, quoted."""
        return sql.Identifier(f"{schema}{self.suffix}", name)

    def query(self, text: LiteralString) -> sql.Composed:
        """`text` with `{records}`, `{grounds}`, `{int_clock}` … replaced by this classification's
        relations; values stay `%s` or `%(name)s` and are bound."""
        return sql.SQL(text).format(**self.relations)

    @property
    def relations(self) -> Mapping[str, sql.Identifier]:
        """Every relation that a reader of the classification asks for, by its name."""
        return {
            name: self.relation(name, schema)
            for schema, names in _RELATIONS.items()
            for name in names
        }


_RELATIONS: Mapping[str, Sequence[str]] = {
    "retention": ("records", "grounds", "summary", "review_queue", "record_checks"),
    # Of the layers before the records people are told nothing but this.
    "intermediate": ("int_returns_judged",),
    "policy": (
        "declared_tables",
        "policy_accounting_classes",
        "policy_assignment_types",
        "policy_rules",
        "policy_supporting_periods",
    ),
}


def find_classification(conn: psycopg.Connection[Any], as_of: date | None = None) -> Classification:
    """The classification in force, or that of `as_of`, which may be an isolated one.

    Raises UsageError when there is none.
    """
    current = _read(conn, "")
    if current is not None and as_of in (None, current.as_of):
        return current
    if as_of is None:
        raise UsageError("nothing is classified yet: run `retention run` first")
    past = _read(conn, f"_as_of_{as_of:%Y%m%d}")
    if past is None:
        raise UsageError(
            f"nothing is classified as of {as_of}: run `retention run --as-of {as_of}` first"
        )
    return past


def _read(conn: psycopg.Connection[Any], suffix: str) -> Classification | None:
    built = conn.execute(
        "select to_regclass(%s) is not null and to_regclass(%s) is not null",
        (f"intermediate{suffix}.int_clock", f"retention{suffix}.records"),
    ).fetchone()
    if built is None or not built[0]:
        return None
    statement = sql.SQL(
        "select as_of, policy_version, policy_hash, due_soon_days, grace_days, review_by_days"
        " from {}"
    ).format(sql.Identifier(f"intermediate{suffix}", "int_clock"))
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement).fetchone()
    return Classification(**row, suffix=suffix) if row else None
