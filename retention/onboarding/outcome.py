"""What a trial classification made of one schema: counts by table, and what moved elsewhere.

Belongs here: reading what the trial built, beside what is in force. Does not belong here: building it
(`check`), and any value of a row.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.rows import class_row

from retention.declarations import Declarations
from retention.onboarding.catalogue import Connection, Table, read_schema
from retention.onboarding.write import files_of
from retention.onboarding.yaml_text import open_todos

NOT_READ = "not read"


@dataclass(frozen=True)
class TableOutcome:
    """A table's rows: how many are records, how many of them found their person. `state` says what the
    declaration makes of the table; `missing` are the columns without which it cannot be read."""

    table: str
    state: str
    records: int
    of_a_person: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Records of a table with one category, rule and status; `reason` only where they are under review."""

    table: str
    category: str | None
    rule_id: str | None
    status: str
    reason: str | None
    records: int


@dataclass(frozen=True)
class Moved:
    """Records of another schema whose rule or status would be another one."""

    table: str
    from_: str
    to: str
    records: int


@dataclass(frozen=True)
class Outcome:
    """What would be. `moved` is None where no classification of the same day is in force."""

    schema: str
    tables: tuple[TableOutcome, ...]
    groups: tuple[Group, ...]
    moved: tuple[Moved, ...] | None
    todos: int
    undeclared: tuple[str, ...]

    @property
    def overdue(self) -> int:
        """Records that would be due at once."""
        return sum(group.records for group in self.groups if group.status == "overdue")

    @property
    def review(self) -> int:
        return sum(group.records for group in self.groups if group.status == "review")

    @property
    def is_settled(self) -> bool:
        """True where nothing is left to declare or decide in the files, and every table can be read."""
        unreadable = any(table.missing or table.state == NOT_READ for table in self.tables)
        return not (self.todos or self.undeclared or unreadable)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "overdue": self.overdue, "review": self.review}


def read_outcome(
    conn: Connection, declarations: Declarations, schema: str, suffix: str, folder: Path
) -> Outcome:
    """The outcome for `schema` of what was built under `suffix`; `folder` holds the declarations."""
    counted = _counted(conn, schema, suffix)
    landed = {table.name: table for table in read_schema(conn, schema)}
    declared = {table.name: table for table in declarations.tables if table.schema_ == schema}
    tables = []
    for name, table in sorted(declared.items()):
        if name not in landed:
            if not table.optional:
                tables.append(TableOutcome(name, "has not landed", 0, 0))
            continue
        missing = tuple(sorted(set(table.columns_used) - landed[name].names))
        records, of_a_person = counted.get(name, (0, 0))
        if table.exempt:
            what = "exempt"
        elif missing:
            what = "set aside"
        else:
            what = NOT_READ if not records and _holds_rows(conn, landed[name]) else "governed"
        tables.append(TableOutcome(name, what, records, of_a_person, missing))
    undeclared = [name for name in landed if name not in declared]
    for name, table in declared.items():
        if name in landed and not (table.exempt and not table.columns_declared):
            own = {column.name for column in landed[name].own_columns}
            undeclared += [f"{name}.{column}" for column in own - table.columns_declared]
    return Outcome(
        schema=schema,
        tables=tuple(tables),
        groups=_groups(conn, schema, suffix),
        moved=_moved(conn, schema, suffix),
        todos=sum(
            open_todos(path.read_text(encoding="utf-8")) for path in files_of(folder, schema)
        ),
        undeclared=tuple(sorted(undeclared)),
    )


def _holds_rows(conn: Connection, table: Table) -> bool:
    row = conn.execute(
        sql.SQL("select exists (select from {})").format(sql.SQL(table.relation))
    ).fetchone()
    return bool(row and row[0])


def _counted(conn: Connection, schema: str, suffix: str) -> dict[str, tuple[int, int]]:
    rows = conn.execute(
        sql.SQL(
            "select source_table, count(*), count(subject_id) from {} where source_schema = %s group by 1"
        ).format(sql.Identifier(f"intermediate{suffix}", "int_record_cases")),
        (schema,),
    ).fetchall()
    return {table: (records, of_a_person) for table, records, of_a_person in rows}


def _groups(conn: Connection, schema: str, suffix: str) -> tuple[Group, ...]:
    with conn.cursor(row_factory=class_row(Group)) as cursor:
        rows: Sequence[Group] = cursor.execute(
            sql.SQL(
                'select source_table as "table", category, rule_id, status,'
                " case when status = 'review' then reason end as reason, count(*) as records"
                " from {} where source_schema = %s group by 1, 2, 3, 4, 5 order by 1, 6 desc, 2, 3, 4, 5"
            ).format(sql.Identifier(f"retention{suffix}", "records")),
            (schema,),
        ).fetchall()
    return tuple(rows)


def _moved(conn: Connection, schema: str, suffix: str) -> tuple[Moved, ...] | None:
    """Records elsewhere that another rule or status would decide, against the same day's in force."""
    there = conn.execute("select to_regclass('retention.records') is not null").fetchone()
    if not (there and there[0]):
        return None
    trial = sql.Identifier(f"retention{suffix}", "records")
    same_day = conn.execute(
        sql.SQL(
            "select (select max(as_of) from retention.records) = (select max(as_of) from {})"
        ).format(trial)
    ).fetchone()
    if not (same_day and same_day[0]):
        return None
    with conn.cursor(row_factory=class_row(Moved)) as cursor:
        return tuple(
            cursor.execute(
                sql.SQL(
                    """
                    select
                        now.source_schema || '.' || now.source_table as "table",
                        concat_ws(' ', now.rule_id, now.status) as from_,
                        concat_ws(' ', trial.rule_id, trial.status) as "to",
                        count(*) as records
                    from retention.records as now
                    join {} as trial using (source_schema, source_table, record_key)
                    where now.source_schema <> %s
                    and (now.rule_id, now.status) is distinct from (trial.rule_id, trial.status)
                    group by 1, 2, 3
                    order by 1, 4 desc, 2, 3
                    """
                ).format(trial),
                (schema,),
            ).fetchall()
        )
