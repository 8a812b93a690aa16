"""What another policy does to each record, counted.

Belongs here: setting the trial's records beside those in force, record by record in the database, and
reading counts and examples of the difference. Does not belong here: building either, and words.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row

from retention.scratch import IN_HASTE

Connection = psycopg.Connection[Any]

#: What may happen to the day on which a record falls due; under review, or with no clock, it has none.
EFFECTS = ("earlier", "later", "newly", "no_longer")

# Both sides stand on the same record cases, so that a row's number means the same row in both.
_COMPARED = """
create unlogged table {compared} as
with sides as (
    select
        row_id,
        before.source_schema || '.' || before.source_table as "table",
        -- Of what is locked nothing is told, and nothing that is out of use or held is an example (§ 8).
        case
            when not (
                before.is_out_of_use or after.is_out_of_use or 'held' in (before.status, after.status)
            )
                then before.record_key
        end as example,
        case when not (before.is_locked or after.is_locked) then before.rule_id end as rule_before,
        case when not (before.is_locked or after.is_locked) then after.rule_id end as rule_after,
        before.category as category_before,
        after.category as category_after,
        before.status as status_before,
        after.status as status_after,
        before.disposition as disposition_before,
        after.disposition as disposition_after,
        after.reason as reason_after,
        case when before.status not in ('review', 'active') then before.due_on end as due_before,
        case when after.status not in ('review', 'active') then after.due_on end as due_after
    from intermediate.int_records_decided as before
    inner join {decided} as after using (row_id)
)
select
    sides.*,
    case
        when due_before is null and due_after is not null then 'newly'
        when due_before is not null and due_after is null then 'no_longer'
        when due_after < due_before then 'earlier'
        when due_after > due_before then 'later'
    end as effect,
    to_char(coalesce(due_after, due_before), 'YYYY-MM') as "month"
from sides
where
    (due_before, rule_before, category_before, status_before, disposition_before)
    is distinct from (due_after, rule_after, category_after, status_after, disposition_after)
"""

_SUMMARY = """
select
    (select count(*) from intermediate.int_records_decided) as records,
    count(*) filter (where effect = 'earlier') as earlier,
    count(*) filter (where effect = 'later') as later,
    count(*) filter (where effect = 'newly') as newly,
    count(*) filter (where effect = 'no_longer') as no_longer,
    count(*) filter (where effect is null) as same_day_otherwise,
    count(*) filter (where category_before is distinct from category_after) as moved_category,
    count(*) filter (where status_after = 'review' and status_before <> 'review') as needs_review,
    count(*) filter (where status_before = 'review' and status_after <> 'review') as leaves_review,
    (select count(*) from intermediate.int_records_decided where status = 'overdue') as overdue_before,
    count(*) filter (where status_after = 'overdue' and status_before <> 'overdue') as becomes_overdue,
    count(*) filter (where status_before = 'overdue' and status_after <> 'overdue') as no_longer_overdue
from {compared}
"""

# Numbered first: to sort a million rows by two numbers is cheap, by five texts it is not.
_GROUPS = """
with groups as (
    select
        effect, rule_before, rule_after, "table", "month", count(*) as records,
        row_number() over () as number
    from {compared}
    where effect is not null
    group by effect, rule_before, rule_after, "table", "month"
),
examples as (
    select numbered.number, array_agg(numbered.example order by numbered.place) as examples
    from (
        select
            groups.number, compared.example,
            row_number() over (partition by groups.number order by compared.row_id) as place
        from {compared} as compared
        inner join groups
            on
                compared.effect = groups.effect and compared."table" = groups."table"
                and compared."month" = groups."month"
                and compared.rule_before is not distinct from groups.rule_before
                and compared.rule_after is not distinct from groups.rule_after
        where compared.example is not null
    ) as numbered
    where numbered.place <= %s
    group by numbered.number
)
select
    groups.effect, groups.rule_before, groups.rule_after, groups."table", groups."month", groups.records,
    coalesce(examples.examples, '{{}}') as examples
from groups
left join examples on groups.number = examples.number
order by
    groups.effect, groups."month", groups."table", groups.rule_before nulls first,
    groups.rule_after nulls first
"""

_REVIEW = """
select rule_after as rule, "table", reason_after as reason, count(*) as records
from {compared}
where status_after = 'review' and status_before <> 'review'
group by 1, 2, 3
order by 4 desc, 1, 2, 3
"""


@dataclass(frozen=True)
class Group:
    """Records of a table that fall due otherwise, by rule before and after and the month in which they are
    due, or were. `examples` are keys, none of what is held, locked or restricted."""

    effect: str
    rule_before: str | None
    rule_after: str | None
    table: str
    month: str
    records: int
    examples: list[str]


@dataclass(frozen=True)
class NeedsReview:
    """Records that a person would have to decide on, and do not have to now."""

    rule: str | None
    table: str
    reason: str | None
    records: int


def compare(conn: Connection, suffix: str) -> None:
    """Set the trial's records beside those in force, in the trial's schema; commits."""
    for name, value in IN_HASTE.items():
        conn.execute("select set_config(%s, %s, false)", (name, value))
    _execute(conn, _COMPARED, suffix)
    conn.execute(sql.SQL("analyze {}").format(_compared(suffix)))
    conn.commit()


def summary(conn: Connection, suffix: str) -> dict[str, int]:
    """How many records fall due earlier, later, newly and no longer, and what else moves."""
    with conn.cursor(row_factory=dict_row) as cursor:
        counts = cursor.execute(_filled(_SUMMARY, suffix)).fetchone()
    assert counts is not None
    same = counts["records"] - sum(counts[effect] for effect in (*EFFECTS, "same_day_otherwise"))
    after = counts["overdue_before"] + counts["becomes_overdue"] - counts["no_longer_overdue"]
    return {**counts, "unchanged": same, "overdue_after": after}


def groups(conn: Connection, suffix: str, examples: int) -> list[Group]:
    """Every group of records whose day moves, with at most `examples` keys of each."""
    with conn.cursor(row_factory=class_row(Group)) as cursor:
        return cursor.execute(_filled(_GROUPS, suffix), (examples,)).fetchall()


def needs_review(conn: Connection, suffix: str) -> list[NeedsReview]:
    """What a person would have to decide, most first."""
    with conn.cursor(row_factory=class_row(NeedsReview)) as cursor:
        return cursor.execute(_filled(_REVIEW, suffix)).fetchall()


def _compared(suffix: str) -> sql.Identifier:
    return sql.Identifier(f"retention{suffix}", "compared")


def _filled(text: str, suffix: str) -> sql.Composed:
    return sql.SQL(text).format(
        compared=_compared(suffix),
        decided=sql.Identifier(f"intermediate{suffix}", "int_records_decided"),
    )


def _execute(conn: Connection, text: str, suffix: str) -> None:
    conn.execute(_filled(text, suffix))
