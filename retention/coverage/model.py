"""What coverage says: the one state of each relation and column, and how declaration and database differ.

Belongs here: the words that everyone who asks about coverage shares. Does not belong here: how a state
is found (`states`), or a difference (`differences`), and how bad one is (`judge`).

Names of schemas, tables, columns and types are all that is held: no value of a row can appear here. A new
kind of finding is a member of FindingKind, a field of the policy's `coverage.findings` and words in
`words`; tests hold the three together.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from retention.policy.coverage import FindingSeverity

#: A relation by schema and name.
TableName = tuple[str, str]


class State(StrEnum):
    """What is known of a relation or a column; each has exactly one.

    `declared`: as personal, harmless, read by the classification, or a connector's own. `exempt`: by
    table or column, with a reason. `built`: made by dbt, by our migrations or by an extension, so nothing
    lands in it. `finding`: none of these. A finding can be about what is declared, too; that does not
    change its state.
    """

    DECLARED = "declared"
    EXEMPT = "exempt"
    BUILT = "built"
    FINDING = "finding"


#: The states that what lands can be in; they sum to what landed.
LANDING_STATES = (State.DECLARED, State.EXEMPT, State.FINDING)


class FindingKind(StrEnum):
    """How declaration and database differ."""

    UNDECLARED_SCHEMA = "undeclared_schema"
    UNDECLARED_TABLE = "undeclared_table"
    UNDECLARED_VIEW = "undeclared_view"
    UNDECLARED_MATERIALIZED_VIEW = "undeclared_materialized_view"
    UNDECLARED_FOREIGN_TABLE = "undeclared_foreign_table"
    UNDECLARED_COLUMN = "undeclared_column"
    MISSING_TABLE = "missing_table"
    MISSING_COLUMN = "missing_column"
    TYPE_CHANGED = "type_changed"
    TYPE_DIFFERS = "type_differs"
    COLUMN_NOT_NULLABLE = "column_not_nullable"
    PARTITION_DIFFERS = "partition_differs"
    EXEMPTION_PAST_DATE = "exemption_past_date"
    HARMLESS_SEEMS_PERSONAL = "harmless_seems_personal"
    COPY_UNTRACEABLE = "copy_untraceable"
    STALE_BUILD = "stale_build"
    UNDECLARED_MODEL = "undeclared_model"
    MODEL_EXEMPTION_PAST_DATE = "model_exemption_past_date"


@dataclass(frozen=True)
class Finding:
    """One difference. `table` is None where it is about a whole schema, `column` where it is about a
    whole table. `detail` says what differs, in names, types and dates; `since` is the day from which
    patience is counted. `severity` is the policy's word, None before it was asked. `renamed_to` is what a
    missing table or column may be called now."""

    schema: str
    table: str | None
    column: str | None
    kind: FindingKind
    detail: str | None = None
    since: date | None = None
    severity: FindingSeverity | None = None
    renamed_to: str | None = None

    @property
    def qualified(self) -> str:
        """The table, or the schema where it is about a whole one."""
        return f"{self.schema}.{self.table}" if self.table else self.schema

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same finding tomorrow, and its place among others."""
        return (self.schema, self.table or "", self.column or "", self.kind)


@dataclass(frozen=True)
class Covered:
    """A relation of the catalogue with its state and those of its columns, and the types of those as
    `format_type` writes them. `part_of` is the relation that speaks for it: a partition's parent, however
    far up. `lands`: it is in a schema that is neither ours nor PostgreSQL's."""

    schema: str
    table: str
    state: State
    columns: Mapping[str, State]
    types: Mapping[str, str]
    lands: bool
    part_of: TableName | None = None


@dataclass(frozen=True)
class Counted:
    """How many tables and columns are in each state; the sums are those of the catalogue."""

    tables: Mapping[State, int]
    columns: Mapping[State, int]


@dataclass(frozen=True)
class Coverage:
    """The comparison: findings in the order schema, table, column; every relation with its state; and the
    tables set aside, which are declared but cannot be read as declared: they have no records. `withheld`
    are read and classified, but nothing is purged or minimised from them, with the reason."""

    findings: tuple[Finding, ...]
    set_aside: tuple[str, ...]
    relations: tuple[Covered, ...]
    declared: int
    withheld: Mapping[str, str] = field(default_factory=dict)

    @property
    def landing(self) -> tuple[Covered, ...]:
        """The relations that data lands in, partitions left out: their parents speak for them."""
        return tuple(
            one
            for one in self.relations
            if one.lands and one.state is not State.BUILT and one.part_of is None
        )

    @property
    def landed(self) -> frozenset[TableName]:
        """The names of those."""
        return frozenset((one.schema, one.table) for one in self.landing)

    def of_kind(self, kind: FindingKind) -> tuple[Finding, ...]:
        """The findings of one kind, in their order."""
        return tuple(finding for finding in self.findings if finding.kind is kind)

    def by_schema(self) -> dict[str, Counted]:
        """The counts of each schema, in the order of names."""
        schemas: dict[str, list[Covered]] = {}
        for one in sorted(self.relations, key=lambda one: one.schema):
            schemas.setdefault(one.schema, []).append(one)
        return {schema: count(relations) for schema, relations in schemas.items()}


def count(relations: Iterable[Covered]) -> Counted:
    """Count tables and columns by state; every state is there, if only with nothing."""
    tables: Counter[State] = Counter()
    columns: Counter[State] = Counter()
    for one in relations:
        tables[one.state] += 1
        columns.update(one.columns.values())
    return Counted({state: tables[state] for state in State}, {s: columns[s] for s in State})
