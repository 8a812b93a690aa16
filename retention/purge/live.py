"""Whether the facts still are what was classified, asked of the landing tables themselves.

Belongs here: finding the cases of a batch whose facts changed since the classification, under the lock
that keeps writers out. Does not belong here: what a change would mean. Any new, changed or vanished row
that could belong to a case, by its own key, by a link in either direction or by a contact point, takes
the whole case out of the batch; a person's deadline is not computed twice.

The facts are read with the text that the staging models were made from, and compared with what those
models hold, so that only what the classification reads counts as a change; a re-sync that rewrites
system columns does not.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from retention.declarations import TableDeclaration
from retention.declarations.staging import live_sql
from retention.warehouse.sql import quote_literal, quote_qualified

Connection = psycopg.Connection[Any]

CHANGED = "facts changed since the classification"

# A record is linked through others at most this many records away (int_record_cases).
_HOPS = 3


def skip_changed(
    conn: Connection, plan_id: UUID, first: int, last: int, tables: Sequence[TableDeclaration]
) -> None:
    """Skip every item whose case has a row that is not as it was classified."""
    collect_affected(conn, plan_id, first, last, tables)
    conn.execute(
        """
        update ledger.plan_items as items
        set state = 'skipped', skip_reason = %(changed)s
        from pg_temp.purge_affected as affected
        where items.plan_id = %(plan)s and items.item_no between %(first)s and %(last)s
        and items.state = 'planned' and items.case_id = affected.case_id
        """,
        {"plan": plan_id, "first": first, "last": last, "changed": CHANGED},
    )


def collect_affected(
    conn: Connection, plan_id: UUID, first: int, last: int, tables: Sequence[TableDeclaration]
) -> None:
    """Fill pg_temp.purge_affected with the cases that have a row which is not as it was classified."""
    _collect_reach(conn, plan_id, first, last, tables)
    conn.execute("create temporary table purge_affected (case_id text primary key) on commit drop")
    for table in tables:
        _run(conn, _affected_sql(table))


def _collect_reach(
    conn: Connection, plan_id: UUID, first: int, last: int, tables: Sequence[TableDeclaration]
) -> None:
    """Fill pg_temp.purge_reach with everything by which a row could belong to a case of the batch.

    kind `record`: the case's own records; `name`: what a link can point to, in either direction;
    `hash`: contact points; `partner`: partners whose instruction counts for the case.
    """
    conn.execute(
        "create temporary table purge_reach"
        " (kind text, of text, key text, case_id text, hop integer) on commit drop"
    )
    conn.execute(
        """
        insert into pg_temp.purge_reach (kind, of, key, case_id, hop)
        select 'record', cases.source_schema || '.' || cases.source_table, cases.record_key,
            cases.case_id, 0
        from intermediate.int_record_cases as cases
        where cases.case_id in (
            select case_id from ledger.plan_items
            where plan_id = %s and item_no between %s and %s and state = 'planned'
        )
        """,
        (plan_id, first, last),
    )
    # What lands for a person whose record one of these may be could decide whose it is; and a request by
    # the same human, as another data subject, holds these too.
    conn.execute(
        """
        insert into pg_temp.purge_reach (kind, of, key, case_id, hop)
        select distinct 'name', subjects.source_schema || '.' || subjects.source_table,
            subjects.entity_key, cases.case_id, 1
        from pg_temp.purge_reach as reach
        join intermediate.int_record_cases as cases
            on cases.source_schema || '.' || cases.source_table = reach.of
            and cases.record_key = reach.key and cases.case_id = reach.case_id
        join lateral (
            select candidates.subject_id from intermediate.int_record_candidates as candidates
            where candidates.row_id = cases.row_id
            union
            select others.subject_id
            from ledger.subject_tokens as tokens
            join ledger.subject_tokens as others
                on others.subject_token = tokens.subject_token
                and others.subject_id <> tokens.subject_id
            where tokens.subject_id = cases.subject_id
        ) as others on true
        join intermediate.int_subjects as subjects on subjects.subject_id = others.subject_id
        """
    )
    conn.execute("analyze pg_temp.purge_reach")
    pointed_to = {t.subject.to for t in tables if t.subject} | {
        t.assignment.to for t in tables if t.assignment
    }
    for hop in range(_HOPS + 1):
        for table in tables:
            # Every table has records of the case; further away are only those that links point to.
            if hop == 0 or table.qualified in pointed_to:
                _run(conn, _pointers_sql(table, hop))
        conn.execute("analyze pg_temp.purge_reach")


def _pointers_sql(table: TableDeclaration, hop: int) -> str:
    """Adds what the records reached in the last step are called, point to and are reached at."""
    subject_to = table.subject.to if table.subject else None
    assignment_to = table.assignment.to if table.assignment else None
    of = quote_literal(table.qualified)
    pointers = [f"('name', {of}, staged.entity_key)"]
    if subject_to and table.subject and (table.subject.foreign_key or table.subject.through):
        pointers.append(f"('name', {quote_literal(subject_to)}, staged.link_key)")
    if assignment_to:
        pointers.append(f"('name', {quote_literal(assignment_to)}, staged.assignment_key)")
    # What a partner's row says decides here: its instruction, and what its id reveals.
    if table.handover or (table.consented and table.partner_column):
        pointers.append("('partner', null, staged.partner_key)")
    pointers += [f"('hash', null, staged.{column})" for column in _hashes(table)]
    # The first step takes the cases' own records; each further one the records that those point to.
    matches = (
        f"reach.kind = 'record' and reach.key = staged.record_key and reach.of = {of}"
        if hop == 0
        else f"reach.kind = 'name' and reach.key = staged.entity_key and reach.of = {of}"
        f" and reach.hop = {hop}"
    )
    return f"""
        insert into pg_temp.purge_reach (kind, of, key, case_id, hop)
        select distinct pointed.kind, pointed.of, pointed.key, reach.case_id, {hop + 1}
        from ({_split(table, _staging(table))}) as staged
        join pg_temp.purge_reach as reach on {matches}
        cross join lateral (values {", ".join(pointers)}) as pointed (kind, of, key)
        where pointed.key is not null
        and not exists (
            select from pg_temp.purge_reach as known
            where known.kind = pointed.kind and known.of is not distinct from pointed.of
            and known.key = pointed.key and known.case_id = reach.case_id
        )
    """  # noqa: S608


def _affected_sql(table: TableDeclaration) -> str:
    """Adds the cases that a row of `table` reaches which is not the same, or not there, on one side.

    Both sides are cut to what could belong to a case of the batch before they are compared, so that a
    table costs one scan and only the rows in question are hashed.
    """
    conditions = _conditions(table)
    touching = " or ".join(
        f"{column} in (select reach.key from pg_temp.purge_reach as reach where {met})"  # noqa: S608
        for column, met in conditions
    )
    reached = " union ".join(
        f"select reach.case_id from changed join pg_temp.purge_reach as reach"  # noqa: S608
        f" on {met} and reach.key = changed.{column}"
        for column, met in conditions
    )
    needed = ", ".join(dict.fromkeys([*(column for column, _ in conditions), "inputs_hash"]))
    landed = _split(table, f"({live_sql(table)})")
    return f"""
        insert into pg_temp.purge_affected (case_id)
        with live as materialized (
            select {needed} from ({landed}) as facts where {_hits(table, touching)}
        ),
        staged as materialized (
            select {needed} from ({_split(table, _staging(table))}) as facts where {touching}
        ),
        changed as materialized (
            (table live except all table staged) union all (table staged except all table live)
        )
        select reached.case_id from ({reached}) as reached
        on conflict do nothing
    """  # noqa: S608


def _hits(table: TableDeclaration, touching: str) -> str:
    """The condition that cuts the landing rows of `table` to those that could belong to a case.

    Links are cheap to look at. Contact points are not: behind a fence (`offset 0`) each is hashed once
    a row, and everything else about a row is computed for the hits alone.
    """
    hashes = _hashes(table)
    if not hashes:
        return touching
    plain = dict.fromkeys(c for c, _ in _conditions(table) if c not in hashes)
    columns = ", ".join([*plain, "link_hashes"])
    fenced = f"(select {columns} from ({live_sql(table)}) as facts offset 0)"  # noqa: S608
    hits = _split(table, fenced)
    return f"facts.record_key in (select facts.record_key from ({hits}) as facts where {touching})"  # noqa: S608


def _conditions(table: TableDeclaration) -> list[tuple[str, str]]:
    """Each column of the facts by which a row of `table` reaches a case, with what it meets there."""
    of = quote_literal(table.qualified)
    conditions = [
        ("record_key", f"reach.kind = 'record' and reach.of = {of}"),
        ("entity_key", f"reach.kind = 'name' and reach.of = {of}"),
    ]
    if table.subject and table.subject.to and table.subject.link != "contact_point":
        to = quote_literal(table.subject.to)
        conditions.append(("link_key", f"reach.kind = 'name' and reach.of = {to}"))
    if table.assignment:
        to = quote_literal(table.assignment.to)
        conditions.append(("assignment_key", f"reach.kind = 'name' and reach.of = {to}"))
    if table.instruction:
        conditions.append(("partner_key", "reach.kind = 'partner'"))
    return conditions + [(column, "reach.kind = 'hash'") for column in _hashes(table)]


def _hashes(table: TableDeclaration) -> list[str]:
    """A name for each contact point that a row of `table` can have."""
    points = len(table.subject.email) + len(table.subject.phone) if table.subject else 0
    return [f"hash_{number}" for number in range(1, points + 1)]


def _split(table: TableDeclaration, relation: str) -> str:
    """`relation` with its contact points, which are one text, as a column each."""
    columns = "".join(
        f", nullif(split_part(facts.link_hashes, ' ', {number}), '') as {name}"
        for number, name in enumerate(_hashes(table), start=1)
    )
    return f"select facts.*{columns} from {relation} as facts"  # noqa: S608


def _staging(table: TableDeclaration) -> str:
    return quote_qualified("staging", table.staging_model)


def _run(conn: Connection, statement: str) -> None:
    # Generated from checked declarations; every name in it is quoted, and it holds no value of a row.
    conn.execute(statement)
