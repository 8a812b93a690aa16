"""What lineage says of the relations that dbt builds downstream of the records.

Belongs here: the words that the tracer, the plan and the purge share. Does not belong here: how any of
it is found out (`trace`), and the deletes (`retention.purge.downstream`).
"""

from dataclasses import dataclass, field
from typing import Literal

from psycopg import sql

#: Schemas in which the project's own models keep what they made of a record, under these names.
SCHEMAS = ("staging", "intermediate", "retention")
RECORD = frozenset({"source_schema", "source_table", "record_key"})
NAMES = RECORD | {"row_id", "subject_id", "case_id", "assignment_id"}

#: What dbt adds to a snapshot: when a version was seen, and a hash of its key and that date.
SNAPSHOT_COLUMNS = (
    "dbt_scd_id",
    "dbt_updated_at",
    "dbt_valid_from",
    "dbt_valid_to",
    "dbt_is_deleted",
)

#: A relation by schema and name.
Relation = tuple[str, str]


def names_records(columns: frozenset[str]) -> bool:
    """True for columns by which one of the project's own relations names records, persons or cases."""
    return columns >= RECORD or bool(columns & (NAMES - RECORD))


@dataclass(frozen=True, order=True)
class Match:
    """How rows of a copy are told to belong to a purged record.

    `key`: `columns` pair each key column of the landing `table` with the copy's column that holds it
    unchanged. `entity`: the same for the columns that name the entity; the row goes once no version of
    it is left. `record`: `columns` pair source_schema, source_table and record_key with the copy's;
    where `table` is given, it stands for the first two. `person`: one of the names by which the models
    know persons and assignments; the row goes once no record of it is left. `constants` tell the rows
    of one branch of a union from those of the others; None is null. `emptied` are the copy's columns that
    become null with the columns of the landing row that accounting does not need, `withdrawn` those that
    do with the columns that a withdrawn consent erases.
    """

    kind: Literal["key", "entity", "record", "person"]
    table: str | None
    columns: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, str | None], ...] = ()
    emptied: tuple[str, ...] = field(default=(), compare=False)
    withdrawn: tuple[str, ...] = field(default=(), compare=False)

    @property
    def nullable(self) -> tuple[str, ...]:
        """Every column of the copy that becomes null, for either reason."""
        return (*self.emptied, *self.withdrawn)

    @property
    def in_branch(self) -> sql.Composable:
        """The condition that a row is of the branch that is spoken of."""
        conditions: list[sql.Composable] = [sql.SQL("true")]
        for column, constant in self.constants:
            name = sql.Identifier(column)
            conditions.append(
                sql.SQL("{} is null").format(name)
                if constant is None
                else sql.SQL("{}::text = {}").format(name, sql.Literal(constant))
            )
        return sql.SQL(" and ").join(conditions)


@dataclass(frozen=True)
class Downstream:
    """A relation that holds copies, and by what its rows are found."""

    schema: str
    name: str
    matches: tuple[Match, ...]

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True, order=True)
class Untraceable:
    """A relation that may hold copies which no key leads to: why, and of which landing tables."""

    relation: str
    why: str
    reaches: frozenset[str]


@dataclass(frozen=True)
class Lineage:
    """Every copy downstream. `watched` are all relations that were looked at, `signature` what the
    catalogue said of them. `fixed` are copies whose rows can go, but in which a minimised value cannot
    be told from what stays, or made null. `shown` are views that show what no key leads to: they hold no
    rows, so nothing is blocked by them."""

    copies: tuple[Downstream, ...]
    untraceable: tuple[Untraceable, ...]
    watched: tuple[Relation, ...]
    signature: str
    fixed: tuple[Untraceable, ...] = ()
    shown: tuple[Untraceable, ...] = ()

    @property
    def blocked(self) -> dict[str, str]:
        """Landing tables that nothing may be purged from, with the reason."""
        found: dict[str, str] = {}
        for copy in sorted(self.untraceable):
            for table in copy.reaches:
                found.setdefault(table, f"a copy that cannot be traced: {copy.relation}")
        return found

    @property
    def unminimisable(self) -> dict[str, str]:
        """Landing tables of which no column may be made null, with the reason."""
        found = self.blocked
        for copy in sorted(self.fixed):
            for table in copy.reaches:
                found.setdefault(table, f"a copy that cannot be minimised: {copy.relation}")
        return found
