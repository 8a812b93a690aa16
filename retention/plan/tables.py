"""The declared tables as a plan and a purge see them.

Belongs here: which tables may be deleted from now and in which order, and what their rows mean to the
rows of others. Asked of declarations and catalogue each time, so that a plan and the purge that carries
it out judge alike. Does not belong here: any row.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import psycopg

from retention.coverage import FindingKind, compare, withheld
from retention.declarations import Declarations, TableDeclaration
from retention.lineage import Lineage
from retention.plan.landing_rights import without_rights
from retention.policy import in_force, load_versions
from retention.policy.coverage import CoverageRules
from retention.settings import Settings
from retention.warehouse.clock import today

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class PlanTable:
    """One declared table that is there. `refused` says why nothing may be purged from it,
    `minimise_refused` why no column of it may be made null; one that is not `readable` lacks a column
    that its declaration reads, or cannot be locked against writers. `withheld` is a reason of the two that
    reaches this table alone, or that its records cannot be judged, or its rows not be reached, as they are
    now: what a plan holds of others may still go."""

    declaration: TableDeclaration
    position: int
    refused: str | None
    minimise_refused: str | None
    readable: bool
    withheld: str | None = None

    @property
    def qualified(self) -> str:
        return self.declaration.qualified

    def as_json(self) -> dict[str, Any]:
        """The description that `ledger.plannable` and `ledger.freeze_plan` read."""
        table = self.declaration
        return {
            "source_schema": table.schema_,
            "source_table": table.name,
            "position": self.position,
            "refused": self.refused,
            "minimise_refused": self.minimise_refused,
            "key": list(table.key),
            "key_is_personal": table.key_is_personal,
            "minimisable": list(table.minimisable),
            "consented": list(table.consented_columns),
            "is_person": bool(table.person),
            "is_lead": bool(table.lead),
            "is_anchor": bool(table.person or table.contact_event or table.handover),
            "is_assignment": bool(table.assignment_fact),
            "keeps": _keeps(table),
        }


def plan_tables(
    conn: Connection,
    declarations: Declarations,
    *,
    planning: bool,
    lineage: Lineage,
    coverage: CoverageRules,
) -> list[PlanTable]:
    """Every declared table that is there, children before parents.

    `coverage` is the policy's word on what a difference between catalogue and declarations withholds.
    `lineage` names the tables of which a copy may lie where no key leads to it, and those of which a
    copy holds values that cannot be made null there. A plan stands on what the classification read, so
    for `planning` a table of which it read nothing is set aside; a purge looks at the landing tables
    itself, row by row of the cases in question.
    """
    relations = _relations(conn)
    compared = compare(conn, declarations)
    kept = withheld(compared, coverage)
    forbidden = without_rights(conn, declarations, planning=planning)
    # What cannot be locked against writers cannot be looked at either.
    unreadable = set(compared.set_aside) | set(forbidden)
    fixed = {f"{f.schema}.{f.table}" for f in compared.of_kind(FindingKind.COLUMN_NOT_NULLABLE)}
    unreadable |= {
        t.qualified
        for t in declarations.staged
        if t.qualified in relations and relations[t.qualified].kind not in ("r", "p")
    }
    set_aside = unreadable | (_unread(conn, declarations, relations) if planning else set())
    out_of_reach = _out_of_reach(declarations, set_aside)
    references = _references(conn)
    present = [t for t in declarations.staged if t.qualified in relations]
    order = _deletion_order(present, references)
    cascading = {parent for _, parent, action in references if action not in ("a", "r")}

    def seen(table: TableDeclaration) -> PlanTable:
        name, relation = table.qualified, relations[table.qualified]
        drifted = forbidden.get(name) or _set_aside(table, set_aside, out_of_reach)
        refused = (
            forbidden.get(name)
            or _refusal(table, relation, set_aside, out_of_reach, cascading)
            or lineage.blocked.get(name)
        )
        minimise_refused = (
            forbidden.get(name)
            or _minimise_refusal(table, relation, set_aside, out_of_reach, fixed)
            or lineage.unminimisable.get(name)
        )
        return PlanTable(
            table,
            order[name],
            refused or kept.get(name),
            minimise_refused or kept.get(name),
            name not in unreadable,
            # What refuses it besides may reach further than this table: then that is what counts.
            drifted or (None if refused else kept.get(name)),
        )

    return [seen(table) for table in sorted(present, key=lambda t: order[t.qualified])]


def coverage_rules(settings: Settings, conn: Connection) -> CoverageRules:
    """What the policy in force today says of differences between catalogue and declarations."""
    return in_force(load_versions(settings.policy_dir), today(conn)).coverage


def _out_of_hand(
    table: TableDeclaration, set_aside: set[str], out_of_reach: dict[str, str]
) -> str | None:
    """Why no row of the table can be judged or found."""
    if reason := _set_aside(table, set_aside, out_of_reach):
        return reason
    if table.exempt:
        return "its table is exempt"
    if not table.key:
        return "its table has no declared unique key"
    return None


def _set_aside(
    table: TableDeclaration, set_aside: set[str], out_of_reach: dict[str, str]
) -> str | None:
    if table.qualified in set_aside:
        return "its table is set aside"
    if table.qualified in out_of_reach:
        return f"it depends on {out_of_reach[table.qualified]}, which is set aside"
    return None


def _minimise_refusal(
    table: TableDeclaration,
    relation: "_Relation",
    set_aside: set[str],
    out_of_reach: dict[str, str],
    fixed: set[str],
) -> str | None:
    if reason := _out_of_hand(table, set_aside, out_of_reach):
        return reason
    if relation.reacts_to_update:
        return "its table has a trigger or a rule on update"
    if table.qualified in fixed:
        return "a column of it that is to be minimised cannot become null"
    return None


def _refusal(
    table: TableDeclaration,
    relation: "_Relation",
    set_aside: set[str],
    out_of_reach: dict[str, str],
    cascading: set[str],
) -> str | None:
    if reason := _out_of_hand(table, set_aside, out_of_reach):
        return reason
    if relation.reacts:
        return "its table has a trigger or a rule on delete"
    if table.qualified in cascading:
        return "a foreign key would carry the deletion on to other tables"
    return None


def _keeps(table: TableDeclaration) -> str | None:
    """What facts a row of the table stands on. One with a rule of its own stands on its own date."""
    if table.exempt or table.accounting or not isinstance(table.follows, str):
        return None
    return table.follows if table.follows in ("person", "assignment") else None


@dataclass(frozen=True)
class _Relation:
    kind: str
    reacts: bool
    reacts_to_update: bool


def _relations(conn: Connection) -> dict[str, _Relation]:
    """Every relation by its qualified name: what it is, and whether a delete, or an update, sets off
    more."""
    rows = conn.execute(
        """
        select
            namespaces.nspname || '.' || relations.relname,
            relations.relkind::text,
            exists (
                select from pg_catalog.pg_trigger as triggers
                where triggers.tgrelid = relations.oid and not triggers.tgisinternal
                and triggers.tgenabled <> 'D' and (triggers.tgtype & 8) = 8
            ) or exists (
                select from pg_catalog.pg_rewrite as rules
                where rules.ev_class = relations.oid and rules.ev_type = '4'
            ),
            exists (
                select from pg_catalog.pg_trigger as triggers
                where triggers.tgrelid = relations.oid and not triggers.tgisinternal
                and triggers.tgenabled <> 'D' and (triggers.tgtype & 16) = 16
            ) or exists (
                select from pg_catalog.pg_rewrite as rules
                where rules.ev_class = relations.oid and rules.ev_type = '2'
            )
        from pg_catalog.pg_class as relations
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        where relations.relkind in ('r', 'p', 'v', 'm', 'f')
        """
    ).fetchall()
    return {name: _Relation(*relation) for name, *relation in rows}


def _references(conn: Connection) -> list[tuple[str, str, str]]:
    """Foreign keys of the database as (referencing table, referenced table, action on delete)."""
    return conn.execute(
        """
        select
            child_schema.nspname || '.' || child.relname,
            parent_schema.nspname || '.' || parent.relname,
            constraints.confdeltype::text
        from pg_catalog.pg_constraint as constraints
        join pg_catalog.pg_class as child on child.oid = constraints.conrelid
        join pg_catalog.pg_namespace as child_schema on child_schema.oid = child.relnamespace
        join pg_catalog.pg_class as parent on parent.oid = constraints.confrelid
        join pg_catalog.pg_namespace as parent_schema on parent_schema.oid = parent.relnamespace
        where constraints.contype = 'f' and constraints.conparentid = 0
        """
    ).fetchall()


def _unread(
    conn: Connection, declarations: Declarations, relations: dict[str, _Relation]
) -> set[str]:
    """Tables that hold rows of which the last classification read none: it had set them aside."""
    unread = set()
    for table in declarations.staged:
        if table.qualified not in relations:
            continue
        model = f"staging.{table.staging_model}"
        if model not in relations:
            unread.add(table.qualified)
            continue
        landed = _has_rows(conn, table.schema_, table.name)
        if landed and not _has_rows(conn, "staging", table.staging_model):
            unread.add(table.qualified)
    return unread


def _has_rows(conn: Connection, schema: str, table: str) -> bool:
    # A planner reads neither landing nor staging.
    row = conn.execute("select ledger.holds_rows(%s, %s)", (schema, table)).fetchone()
    return bool(row and row[0])


def _out_of_reach(declarations: Declarations, set_aside: set[str]) -> dict[str, str]:
    """Tables whose records cannot be judged while others are set aside, with one of those.

    A record cannot be judged without the records it is linked through; and without a table of facts
    (contacts, leads, assignments, hand-overs, requests) no record of the same persons can be.
    """
    by_name = {table.qualified: table for table in declarations.staged}
    chains = {name: _chain(table, by_name) for name, table in by_name.items()}
    persons = {name: {n for n in chains[name] if by_name[n].person} for name in by_name}
    blocked: dict[str, str] = {}
    for missing in sorted(set_aside & set(by_name)):
        fact = by_name[missing]
        for name in by_name:
            if name in blocked:
                continue
            same_persons = fact.is_fact and bool(persons[name] & persons[missing])
            everybody = bool(fact.instruction) and bool(persons[name])
            if missing in chains[name] or same_persons or everybody:
                blocked[name] = missing
    return blocked


def judged_by(declarations: Declarations, tables: Collection[str]) -> set[str]:
    """The schemas that hold what the records of `tables` are judged by: their own, and those of the facts
    about the same persons and assignments."""
    return {
        table.schema_
        for table in declarations.staged
        if not _out_of_reach(declarations, {table.qualified}).keys().isdisjoint(tables)
    }


def _chain(table: TableDeclaration, by_name: dict[str, TableDeclaration]) -> set[str]:
    """The table itself and every table that its rows are linked through."""
    reached: set[str] = set()
    pending = [table.qualified]
    while pending:
        name = pending.pop()
        if name in reached or name not in by_name:
            continue
        reached.add(name)
        pending += _linked_to(by_name[name])
    return reached


def _linked_to(table: TableDeclaration) -> list[str]:
    links = (table.subject and table.subject.to, table.assignment and table.assignment.to)
    return [link for link in links if link and link != table.qualified]


def _deletion_order(
    tables: Iterable[TableDeclaration], references: list[tuple[str, str, str]]
) -> dict[str, int]:
    """A number a table, children before parents, by declared links and the database's own keys.

    Keys of the database that form a ring have no such order; then the declared links decide alone.
    """
    names = {table.qualified for table in tables}
    declared = {(t.qualified, link) for t in tables for link in _linked_to(t)}
    enforced = {(child, parent) for child, parent, _ in references if child != parent}
    for edges in (declared | enforced, enforced, declared, set[tuple[str, str]]()):
        sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(sorted(names), ()))
        for child, parent in sorted(edges):
            if child in names and parent in names:
                sorter.add(parent, child)
        try:
            return {name: number for number, name in enumerate(sorter.static_order(), start=1)}
        except CycleError:
            continue
    raise AssertionError("an order without edges always exists")
