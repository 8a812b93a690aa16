"""What must still happen before a record is deleted, in the order in which it can.

Belongs here: the steps from a record's status and from the plans that hold it. Does not belong here:
taking any of them, and why the record has its status (`explain`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from retention import halts
from retention.classified import Classification
from retention.declarations import load_declarations
from retention.explanation import Record, Step, blocker
from retention.language import N_
from retention.phrase import Phrase, Reason, phrase
from retention.settings import Settings

Connection = psycopg.Connection[Any]

_BLOCKERS = {
    "hold": ("release_hold", N_("{blocker} must be released: {command}"), "hold list"),
    "restriction": ("lift_restriction", N_("{blocker} must be lifted: {command}"), "hold list"),
    "lock": ("end_lock", N_("{blocker} must end: {command}"), "hold list"),
    "request": ("answer_request", N_("{blocker} must be answered: {command}"), "request list"),
}


def steps_until_deleted(
    conn: Connection, classification: Classification, settings: Settings, record: Record
) -> tuple[Step, ...]:
    """The steps that are left; none for a locked record, of which nothing is told (§ 8)."""
    if record.is_locked:
        return ()
    return tuple(Step(code, what) for code, what in _steps(conn, classification, settings, record))


def _steps(
    conn: Connection, classification: Classification, settings: Settings, record: Record
) -> Iterator[tuple[str, Phrase]]:
    for one in record.blocked_by:
        code, message, command = _BLOCKERS[one.partition(":")[0]]
        yield code, phrase(message, blocker=blocker(one), command=f"retention {command}")
    if record.disposition == "review" or record.status == "review":
        yield (
            "decide",
            phrase(N_("a person must decide: {command}"), command="retention review decide"),
        )
        return
    if record.rule_id == "ACTIVE":
        yield "end_assignment", phrase(N_("the assignment must end: its clock starts then"))
        return
    if record.disposition == "keep":
        yield "never", phrase(N_("nothing can: the policy keeps it"))
        return
    if record.due_on is None:
        yield "start_clock", phrase(N_("an event must start its clock"))
        return
    if record.due_on > record.as_of and record.disposition != "minimise":
        yield (
            "wait",
            phrase(N_("{day} must come, with nothing newer until then"), day=record.due_on),
        )
    # A replay of a past day tells of that day; plans are of today.
    if not classification.suffix:
        yield from _ways_out(conn, settings, record)


def _ways_out(conn: Connection, settings: Settings, record: Record) -> Iterator[tuple[str, Phrase]]:
    """From a due record to its deletion: stores outside, plan, approval, purge."""
    declared = load_declarations(settings.declarations_dir).table(record.table)
    if declared and declared.stores and record.disposition == "purge":
        yield (
            "confirm_object",
            phrase(
                N_(
                    "the store must confirm that its object is deleted, where it has one: {command}"
                ),
                command="retention orders list",
            ),
        )
    if halts.in_force(conn):
        yield "resume", phrase(N_("the halt must end: {command}"), command="retention resume")
    yield from _plan(conn, record)


def _plan(conn: Connection, record: Record) -> Iterator[tuple[str, Phrase]]:
    row = conn.execute(
        "select plans.plan_id, plans.state, plans.digest, items.state, items.skip_reason"
        " from ledger.plans as plans inner join ledger.plan_items as items using (plan_id)"
        " where plans.state in ('proposed', 'approved', 'executing') and items.source_schema = %s"
        " and items.source_table = %s and items.record_key = %s"
        " order by plans.planned_at desc limit 1",
        (record.source_schema, record.source_table, record.record_key),
    ).fetchone()
    plan_id, state, digest, item, skipped = row or (None, None, None, None, None)
    if item == "skipped":
        yield (
            "skipped",
            phrase(
                N_("plan {plan} left it out: {reason}"), plan=plan_id, reason=Reason(skipped or "")
            ),
        )
    if state is None or item == "skipped":
        yield "plan", phrase(N_("a plan must hold it: {command}"), command="retention plan")
        yield (
            "approve",
            phrase(
                N_("another login than the planner's must approve that plan, or the policy does")
            ),
        )
    elif state == "proposed":
        yield (
            "approve",
            phrase(
                N_("plan {plan} holds it and must be approved by another login: {command}"),
                plan=plan_id,
                command=f"retention approve {plan_id} {digest}",
            ),
        )
    if state in ("approved", "executing") and item == "planned":
        yield (
            "purge",
            phrase(
                N_("plan {plan} holds it, is approved and must be carried out: {command}"),
                plan=plan_id,
                command=f"retention purge {plan_id}",
            ),
        )
    else:
        yield "purge", phrase(N_("then it is carried out, by the schedule or by a person"))
