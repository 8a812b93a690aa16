"""Running the control persons through the whole way.

Belongs here: the order of the steps, and judging by what is left of the rows. Does not belong here: any
step itself; classification, plan, purge and read-back are the ones that govern the warehouse.
"""

import dataclasses
import shutil
from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from retention import classify, plan, purge, state, verify
from retention.code_hash import code_hash
from retention.controls import rows, shadow
from retention.controls.outcome import PURGED, STAYS, WAITS, ControlRun, Outcome
from retention.controls.persons import ControlPerson, control_persons
from retention.declarations import Declarations, TableDeclaration, load_declarations
from retention.errors import Refused
from retention.keys import key_path, signing_key_path
from retention.ledger import classifications
from retention.ledger.failures import safe_errors
from retention.policy import Policy, in_force, load_versions
from retention.policy.values import Marked
from retention.settings import Settings
from retention.warehouse.connection import connect, warehouse_url
from retention.warehouse.migrate import migrate
from retention.warehouse.roles import CLASSIFIER, PLANNER

Connection = psycopg.Connection[Any]


def run_controls(settings: Settings) -> ControlRun:
    """Run the control persons as of today, leave the result as evidence, and return it.

    They live in a database of their own, which is gone afterwards. Raises Refused where that database
    cannot be made or another run of the controls is going; otherwise what a step raises.
    """
    as_of = classify.today()
    declarations = load_declarations(settings.declarations_dir)
    policy = in_force(load_versions(settings.policy_dir), as_of)
    with connect(settings, autocommit=True) as conn:
        with safe_errors("preparing the controls"):
            migrate(conn)
            if not _only_run(conn):
                raise Refused("another run of the controls is going: wait for it to end")
            shape = shadow.read_shape(conn, declarations.staged)
        with shadow.control_database(conn, warehouse_url(settings)) as url:
            ours = dataclasses.replace(
                settings,
                state=settings.state / "controls",
                database_url=url,
                checkpoints=None,
            )
            outcomes, left_behind = _through(ours, policy, declarations, shape, as_of)
        result = ControlRun(as_of, code_hash(settings), policy.hash, outcomes, left_behind)
        with (
            connect(settings, role=CLASSIFIER) as recording,
            safe_errors("recording the controls"),
        ):
            recording.execute(
                "select ledger.record_controls(%s, %s, %s, %s, %s)",
                (
                    result.as_of,
                    result.code_hash,
                    result.policy_hash,
                    result.passed,
                    Jsonb([outcome.as_dict() for outcome in outcomes]),
                ),
            )
    return result


def drop_left_over(settings: Settings, *, remove: bool) -> bool:
    """Tell whether a run that was killed has left its database behind; drop that on `remove`. The database
    of a run that is going is none."""
    with connect(settings, autocommit=True) as conn:
        return _only_run(conn) and shadow.left_over(conn, warehouse_url(settings), drop=remove)


def _through(
    ours: Settings,
    policy: Policy,
    declarations: Declarations,
    shape: shadow.Shape,
    as_of: date,
) -> tuple[tuple[Outcome, ...], int]:
    """Land, classify, plan, approve, purge and read back; what became of each person."""
    # Keys and checkpoints for this run alone: made-up persons need none that outlives them.
    shutil.rmtree(ours.state, ignore_errors=True)
    state.make_folder(ours.state)
    state.secret(key_path(ours))
    state.secret(signing_key_path(ours))
    shadow.build_landing(ours.database_url or "", shape)
    there = {t.qualified for t in declarations.staged if _can_be_shown(t, shape)}
    persons = control_persons(policy, declarations, there, as_of)
    with connect(ours) as conn, safe_errors("running the controls"):
        _land(conn, persons, policy, declarations, shape)
        conn.commit()
        before = [_count(conn, person, shape) for person in persons]
    _classify(ours, as_of)
    with connect(ours, role=CLASSIFIER) as conn, safe_errors("running the controls"):
        ruled = [_rules(conn, person, shape) for person in persons]
    _purge(ours)
    left_behind = sum(finding.count for finding in verify.read_back(ours).findings)
    with connect(ours) as conn, safe_errors("running the controls"):
        after = [_count(conn, person, shape) for person in persons]
    return (
        tuple(
            Outcome(
                person.case,
                person.person_table,
                _expected(person, policy, shape),
                person.rule_id,
                rule_ids,
                counted,
                left,
            )
            for person, rule_ids, counted, left in zip(persons, ruled, before, after, strict=True)
        ),
        left_behind,
    )


def _can_be_shown(table: TableDeclaration, shape: shadow.Shape) -> bool:
    types = shape.types.get(table.qualified, {})
    return set(table.columns_used) <= types.keys() and rows.can_be_shown(table, types)


def _only_run(conn: Connection) -> bool:
    """Until the session ends; the number is nobody else's."""
    row = conn.execute("select pg_try_advisory_lock(1373142532)").fetchone()
    return bool(row and row[0])


def _land(
    conn: Connection,
    persons: list[ControlPerson],
    policy: Policy,
    declarations: Declarations,
    shape: shadow.Shape,
) -> None:
    by_name = {table.qualified: table for table in declarations.staged}
    assignment_type = _assignment_type(policy)
    for person in persons:
        for table in person.tables:
            values = rows.row(table, person, assignment_type, shape.types, by_name)
            shadow.land(conn, shape, table.qualified, values)


def _classify(ours: Settings, as_of: date) -> None:
    with connect(ours) as conn:
        migrate(conn)
    with connect(ours, role=CLASSIFIER) as conn:
        begun = classifications.begin(conn, as_of, code_hash(ours))
    classify.build(ours, as_of)
    with connect(ours, role=CLASSIFIER) as conn:
        classifications.finish(conn, begun)


def _purge(ours: Settings) -> None:
    made = plan.create(ours)
    if made.state == "empty":
        return
    with connect(ours, role=PLANNER) as conn, safe_errors("approving the controls' plan"):
        row = conn.execute("select ledger.approve_controls(%s)", (made.plan_id,)).fetchone()
        conn.commit()
    if row and row[0]:
        raise Refused(str(row[0]))
    purge.execute(ours, made.plan_id)


def _count(conn: Connection, person: ControlPerson, shape: shadow.Shape) -> int:
    """The rows of the person in the landing tables, by the number in their keys."""
    counted = 0
    for table in person.tables:
        row = conn.execute(
            sql.SQL("select count(*) from {} where {}::text = %s").format(
                sql.Identifier(table.schema_, table.name),
                sql.Identifier(table.entity_columns[0]),
            ),
            (rows.entity_value(table, person, shape.types[table.qualified]),),
        ).fetchone()
        counted += row[0] if row else 0
    return counted


def _rules(conn: Connection, person: ControlPerson, shape: shadow.Shape) -> tuple[str, ...]:
    """The rules that the rows deciding the person's case were classified under."""
    found: set[str] = set()
    for table in person.decided_at:
        entity = rows.entity_value(table, person, shape.types[table.qualified])
        ruled = conn.execute(
            "select coalesce(records.rule_id, 'none')"
            " from retention.records as records"
            " join intermediate.int_records_unioned as facts"
            " on facts.source_schema = records.source_schema"
            " and facts.source_table = records.source_table"
            " and facts.record_key = records.record_key"
            " where records.source_schema = %s and records.source_table = %s"
            " and facts.entity_key in (%s, %s)",
            (table.schema_, table.name, entity, f'["{entity}"]'),
        ).fetchall()
        found |= {rule_id for (rule_id,) in ruled} or {"none"}
    return tuple(sorted(found))


def _expected(person: ControlPerson, policy: Policy, shape: shadow.Shape) -> str:
    """What must become of a person's rows: under a rule that nobody approved, they wait."""
    if person.rule_id is None:
        return STAYS
    is_sample = person.person_table.partition(".")[0] in shape.marked
    foundations: list[Marked] = list(policy.foundations(person.rule_id))
    if person.case == "assignment":
        foundations += [policy.assignment_types[_assignment_type(policy)]]
    if person.case == "accounting":
        foundations += [
            policy.accounting.classes[table.accounting.class_]
            for table in person.tables
            if table.accounting
        ]
    approved = all(
        part.mark == "text"
        or part.approval_state == "approved"
        or (part.approval_state == "example" and is_sample)
        for part in foundations
    )
    return PURGED if approved else WAITS


def _assignment_type(policy: Policy) -> str:
    """An approved type where there is one."""
    order = {"approved": 0, "example": 1, "none": 2}
    return min(
        policy.assignment_types,
        key=lambda name: order[policy.assignment_types[name].approval_state],
    )
