"""What a landing of real files did: the report object, and how it reads as JSON.

Belongs here: counts, names, types, reasons. Does not belong here: any value of a landed row; a
column that stayed text is shown by the mask of one value.
"""

from dataclasses import asdict, dataclass
from typing import Any

from landing.column_types import KeptAsText
from landing.names import RenamedColumn


@dataclass(frozen=True)
class LandedTable:
    """One file that landed. `rows_in` was counted in the file, `rows_landed` in the table."""

    schema: str
    table: str
    file: str
    columns: int
    rows_in: int
    rows_landed: int
    blank_lines: int
    replaced: bool
    kept_as_text: tuple[KeptAsText, ...] = ()
    renamed: tuple[RenamedColumn, ...] = ()

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True)
class KeptOut:
    """One file that did not land, as a whole: where it breaks and why."""

    file: str
    line: int | None
    reason: str

    @property
    def place(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class LandReport:
    """Everything a landing did, tables in the order schema, table."""

    tables: tuple[LandedTable, ...]
    kept_out: tuple[KeptOut, ...]

    @property
    def rows_in(self) -> int:
        return sum(table.rows_in for table in self.tables)

    @property
    def rows_landed(self) -> int:
        return sum(table.rows_landed for table in self.tables)

    @property
    def exit_code(self) -> int:
        """2 where a file was kept out, else 0."""
        return 2 if self.kept_out else 0

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for `--json`."""
        return {"rows_in": self.rows_in, "rows_landed": self.rows_landed, **asdict(self)}
