"""Carrying a plan out from its first batch to its last, as often as it takes.

Belongs here: what is checked before the first delete, trying a batch again that others were in the way
of, and the end of the plan. Does not belong here: what a batch does.

Started again after it was killed, it goes on with what is still planned: a batch either happened with
its evidence or not at all.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg import errors

from retention import halts, syncs
from retention.code_hash import code_hash
from retention.declarations import load_declarations
from retention.errors import Refused, RetentionError
from retention.evidence import publish
from retention.keys import key_of_plan, load_keys, refuse_logged_values
from retention.ledger import entries
from retention.ledger.failures import is_conflict, is_lost, safe_errors, translated
from retention.lineage import find_lineage
from retention.plan.tables import judged_by
from retention.policy import Policy, in_force, load_versions
from retention.purge import executor
from retention.purge.batch import Job, order_deletions, run_batch
from retention.purge.pace import UNLIMITED, Pace
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import PURGER

DEFAULT_BATCH_ITEMS = 5_000

_ATTEMPTS = 8
_PAUSE_SECONDS = 0.25
_MOVED = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName)

logger = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]
Done = TypeVar("Done")


@dataclass(frozen=True)
class PurgeResult:
    """What became of a plan: rows purged, rows that stay with columns made null, items skipped by
    reason, batches, over all its runs."""

    plan_id: UUID
    purged: int
    minimised: int
    skipped: dict[str, int]
    batches: int


def execute(
    settings: Settings,
    plan_id: UUID,
    *,
    batch_items: int = DEFAULT_BATCH_ITEMS,
    pace: Pace = UNLIMITED,
) -> PurgeResult:
    """Purge what the approved plan holds and nothing has changed about since, no faster than `pace`.

    Safe to call again after any failure; whoever was carrying the plan out is shut out by it. Raises
    Refused when a guard forbids it (halted, not approved, expired, another digest, policy or code, a key
    lost, the ledger behind its latest checkpoint, taken over, another purge going on, a sync under way, a
    table busy), which is recorded as evidence; WarehouseError when the connection was lost, the checkpoint
    cannot be exported or a promise broken. Batches that were finished before stay purged, with their
    evidence.
    """
    with connect(settings, role=PURGER) as conn:
        try:
            job, quiet = _prepared(settings, conn, plan_id, pace.items(batch_items))
            _try(conn, lambda: order_deletions(conn, job))
            while (changed := _try(conn, lambda: run_batch(conn, job))) is not None:
                pace.rest(changed)
                with safe_errors("looking for syncs under way"):
                    quiet()
            with safe_errors("ending the plan"):
                conn.execute("select ledger.finish_plan(%s)", (plan_id,))
                conn.commit()
                result = _result(conn, plan_id)
                conn.commit()
            # A backup from before this purge is recognised from here on.
            publish(settings)
            return result
        except Refused as refusal:
            _record(conn, plan_id, refusal)
            raise _with_the_halts_reason(conn, refusal) from None


def outcome(settings: Settings, plan_id: UUID) -> PurgeResult:
    """What became of a plan so far, over all its executions."""
    with connect(settings, read_only=True) as conn, safe_errors("reading the plan"):
        return _result(conn, plan_id)


def order_objects(settings: Settings, plan_id: UUID) -> int:
    """Order from their stores the objects that the approved plan's rows point to, and purge nothing yet.

    `execute` does this first by itself. Returns how many orders are new: a row's object is ordered
    once. Raises as `execute` does.
    """
    with connect(settings, role=PURGER) as conn:
        try:
            job, _ = _prepared(settings, conn, plan_id, DEFAULT_BATCH_ITEMS)
            return _try(conn, lambda: order_deletions(conn, job))
        except Refused as refusal:
            _record(conn, plan_id, refusal)
            raise _with_the_halts_reason(conn, refusal) from None


def _prepared(
    settings: Settings, conn: Connection, plan_id: UUID, batch_items: int
) -> tuple[Job, Callable[[], None]]:
    """What every batch needs, and the look for syncs under way that goes between two of them.

    Whoever was carrying the plan out before is shut out from here on."""
    declarations = load_declarations(settings.declarations_dir)
    code = code_hash(settings, declarations)
    # Every hold that was placed so far is known outside before anything is deleted; a ledger that is
    # behind what was exported is refused here.
    publish(settings)
    with safe_errors("preparing the purge"):
        refuse_logged_values(conn)
        keys = load_keys(settings, conn)
        key = key_of_plan(conn, plan_id, keys)
        policy = _unchanged_policy(settings, conn, plan_id)
        lineage = find_lineage(conn, settings, declarations)
        conn.commit()
        timeout = policy.operations.sync_timeout_hours.value
        schemas = judged_by(declarations, _tables(conn, plan_id))
        _refuse_while_syncing(conn, schemas, timeout)
        fence = executor.begin(conn, plan_id, code, key.key_id)
    job = Job(
        plan_id,
        declarations,
        lineage,
        policy.coverage,
        code,
        key,
        keys.current,
        batch_items,
        fence,
    )
    return job, lambda: _refuse_while_syncing(conn, schemas, timeout)


def _try(conn: Connection, step: Callable[[], Done]) -> Done:
    """Take one step; where others were in the way, pause and try again a few times."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return step()
        except psycopg.Error as error:
            busy = isinstance(error, errors.LockNotAvailable) or is_conflict(error)
            # A connector changed a table between the look at the catalogue and the statement.
            moved = isinstance(error, _MOVED) and attempt < _ATTEMPTS
            if is_lost(error) or not (busy or moved):
                raise _failure(error) from None
        logger.info("a batch is tried again: a table or a guard was in use (%s)", attempt)
        time.sleep(_PAUSE_SECONDS * attempt)
    raise Refused(
        "a landing table or a hold is in use for longer than a batch waits: nothing of the batch was"
        " done; run the purge again when the load has ended"
    )


def _failure(error: psycopg.Error) -> RetentionError:
    if isinstance(error, errors.ForeignKeyViolation):
        # Names of constraints are schema, not data.
        name = error.diag.constraint_name or "a foreign key"
        return Refused(
            f"rows that stay refer to rows of the plan ({name}): the batch was undone;"
            " declare the link, so that both are planned together"
        )
    return translated(error, "purging")


def _unchanged_policy(settings: Settings, conn: Connection, plan_id: UUID) -> Policy:
    """The policy in force. Raises Refused where it is not the plan's: the file rules, not only what was
    made from it, so that an edit counts from the moment it is saved."""
    row = conn.execute(
        "select ledger.today(), (select policy_hash from ledger.plans where plan_id = %s)",
        (plan_id,),
    ).fetchone()
    assert row is not None
    today, policy_hash = row
    policy = in_force(load_versions(settings.policy_dir), today)
    if policy_hash is not None and policy.hash != policy_hash:
        raise Refused("the policy file changed since the plan was frozen: make a new plan")
    return policy


def _tables(conn: Connection, plan_id: UUID) -> set[str]:
    """The landing tables that the plan still holds records of."""
    rows = conn.execute(
        "select distinct source_schema || '.' || source_table from ledger.plan_items"
        " where plan_id = %s and state = 'planned'",
        (plan_id,),
    ).fetchall()
    return {row[0] for row in rows}


def _refuse_while_syncing(conn: Connection, schemas: set[str], timeout_hours: int) -> None:
    """Raise Refused while a connector loads one of the schemas, as far as its log tells (§ 7)."""
    going = [
        sync
        for sync in syncs.not_ended(conn, timeout_hours)
        if not sync.is_stale and any(sync.lands_in(schema) for schema in schemas)
    ]
    conn.commit()
    if going:
        raise Refused(
            f"connector {going[0].connector} has been syncing since {going[0].since}: nothing is"
            " purged meanwhile; run the purge again when the sync has ended"
        )


def _record(conn: Connection, plan_id: UUID, refusal: Refused) -> None:
    """Leave evidence of a refusal, and end a plan that has expired. Where the database cannot even do
    that, the refusal itself is what must be heard."""
    try:
        conn.rollback()
        known = conn.execute(
            "select expires_on < ledger.today(), session_user from ledger.plans where plan_id = %s",
            (plan_id,),
        ).fetchone()
        if known:
            entries.append(
                conn,
                "refusal",
                {
                    "plan_id": str(plan_id),
                    "of": "purge",
                    "reason": str(refusal),
                    "by": known[1],
                },
            )
            if known[0]:
                conn.execute("select ledger.finish_plan(%s)", (plan_id,))
        conn.commit()
    except psycopg.Error as error:
        logger.warning("the refusal could not be recorded (SQLSTATE %s)", error.sqlstate or "none")


def _with_the_halts_reason(conn: Connection, refusal: Refused) -> Refused:
    """What the person is told; the evidence of the refusal does not repeat a reason that somebody wrote."""
    if conn.closed:
        return refusal
    with safe_errors("asking why everything is halted"):
        halt = halts.in_force(conn)
        conn.commit()
    return Refused(f"everything that deletes is {halt}") if halt else refusal


def _result(conn: Connection, plan_id: UUID) -> PurgeResult:
    rows = conn.execute(
        "select state, skip_reason, count(*) from ledger.plan_items where plan_id = %s group by 1, 2",
        (plan_id,),
    ).fetchall()
    batches = conn.execute(
        "select count(distinct batch_no) from ledger.plan_items where plan_id = %s", (plan_id,)
    ).fetchone()
    return PurgeResult(
        plan_id=plan_id,
        purged=sum(count for state, _, count in rows if state == "purged"),
        minimised=sum(count for state, _, count in rows if state == "minimised"),
        skipped={reason: count for state, reason, count in rows if state == "skipped"},
        batches=batches[0] if batches else 0,
    )
