"""The figures from which an auditor tests by hand: the rules as applied, and some records of each.

Belongs here: what is to be picked, and how the same records are picked again. Does not belong here: what
is said of one record (`retention.explain`).

The sample alone names records by their keys: none that is personal, and none of a record that is held,
restricted or locked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from retention.declarations import TableDeclaration
from retention.language import N_
from retention.lineage.personal import kinds_of
from retention.report.figures.figure import Code, Figure, Reader

#: Records of each table under each category.
EACH = 2


def applied(reader: Reader) -> Figure:
    """Which rules stand behind the records of each table, and between which days those fall due."""
    return reader.ask(
        "applied",
        N_("Rules as they were applied, by table"),
        {
            "table": "table",
            "rule_id": Code("rule"),
            "category": Code("category"),
            "policy_clause": "text",
            "records": "count",
            "first_due_on": "day",
            "last_due_on": "day",
        },
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", rule_id, category,
                policy_clause, count(*) as records, min(due_on) as first_due_on,
                max(due_on) as last_due_on
            from {records}
            where rule_id is not null
            group by source_schema, source_table, rule_id, category, policy_clause
            order by source_schema, source_table, rule_id, category, policy_clause
            """
        ),
    )


def sample(reader: Reader, tables: Iterable[TableDeclaration]) -> Figure:
    """Some records of each of the tables and each category, the same ones for the same policy and day."""
    named = [table for table in tables if shows_no_person(table)]
    return reader.ask(
        "sample",
        N_("A random sample to test by hand"),
        {
            "table": "table",
            "record_key": "id",
            "category": Code("category"),
            "rule_id": Code("rule"),
            "anchor_on": "day",
            "due_on": "day",
            "status": Code("status"),
            "command": "text",
        },
        reader.classification.query(
            """
            with drawn as (
                select source_schema || '.' || source_table as qualified, record_key, category,
                    rule_id, anchor_on, due_on, status,
                    row_number() over (
                        partition by source_schema, source_table, category
                        order by sha256(convert_to(
                            %(seed)s || source_schema || '.' || source_table || ':' || record_key,
                            'UTF8'
                        )), record_key, rule_id, due_on, anchor_on, status
                    ) as place
                from {records}
                inner join unnest(%(schemas)s::text[], %(tables)s::text[])
                    as named (source_schema, source_table) using (source_schema, source_table)
                where status not in ('held', 'restricted', 'locked') and record_key is not null
                    and cardinality(blocked_by) = 0
            )
            select qualified as "table", record_key, category, rule_id, anchor_on, due_on, status,
                'retention explain ' || qualified || ' '''
                || replace(record_key, '''', '''\\''''') || '''' as command
            from drawn
            where place <= %(each)s
            order by qualified, category, place
            """
        ),
        {
            "seed": seed(reader),
            "schemas": [table.schema_ for table in named],
            "tables": [table.name for table in named],
            "each": EACH,
        },
    )


def seed(reader: Reader) -> str:
    """What the sample is drawn by: anybody can compute it, and nobody choose it on the day."""
    known = f"{reader.classification.policy_hash} {reader.as_of}"
    return hashlib.sha256(known.encode()).hexdigest()


def shows_no_person(table: TableDeclaration) -> bool:
    """Whether the key of the table's records is no personal value by itself."""
    return bool(table.key) and not (table.key_is_personal or kinds_of(table).keys() & {*table.key})
