"""What coverage says: how declaration and database differ, and what that sets aside.

Belongs here: the words that everyone who asks about coverage shares. Does not belong here: how a
difference is found (`compare`), and what is done about one.

Names of schemas, tables and columns are all that is held: no value of a row can appear in a finding.
"""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """How declaration and database differ."""

    UNDECLARED_TABLE = "undeclared_table"
    UNDECLARED_COLUMN = "undeclared_column"
    MISSING_TABLE = "missing_table"
    MISSING_COLUMN = "missing_column"
    COLUMN_NOT_NULLABLE = "column_not_nullable"


@dataclass(frozen=True, order=True)
class Finding:
    """One difference. `column` is None where it is about the whole table."""

    schema: str
    table: str
    column: str | None
    kind: FindingKind


@dataclass(frozen=True)
class Coverage:
    """The comparison: findings in the order schema, table, column, and the tables set aside.

    A table that is set aside is declared but cannot be read as declared; it has no records.
    """

    findings: tuple[Finding, ...]
    set_aside: tuple[str, ...]
    declared: int
    landed: int

    def of_kind(self, kind: FindingKind) -> tuple[Finding, ...]:
        """The findings of one kind, in their order."""
        return tuple(finding for finding in self.findings if finding.kind is kind)
